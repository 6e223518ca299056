//! What one ridge does to the residuals, independent of the targets.
//!
//! With the eigenvalues g of X̃X̃ᵀ/n and d = λ/(g + λ): r = U(d∘b) + y⊥, D̂ = Σ g/(g + λ). When U
//! spans the whole space of the residuals, r, 1 − h, 1 − D̂/n and κ̃ all vanish with λ: they are
//! then carried in units of λ (d = 1/(g + λ)), so that every ratio of them keeps its digits down
//! to λ = 0.

use crate::decomposition::Decomposition;
use crate::{Error, Result};
use rmt_models::kernel::Levels;

/// One ridge.
#[derive(Clone, Debug)]
pub(crate) struct Shrinkage {
    pub(crate) lambda: f64,
    /// λ when residuals are carried in units of λ, else 1.
    pub(crate) unit: f64,
    /// Factor of each component of the residual, in units of `unit`.
    pub(crate) d: Vec<f64>,
    /// D̂ = Σ g/(g + λ), not counting the intercept.
    pub(crate) df1: f64,
    /// (dimension − D̂)/unit.
    pub(crate) room: f64,
    /// −dD̂/d ln λ = Σ gλ/(g + λ)², in units of `unit`.
    pub(crate) slope: f64,
    /// With a sample correlation.
    pub(crate) correlated: Option<Correlated>,
}

/// The sample correlation at one ridge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Correlated {
    /// κ̂ = nλ/(κ̃D̂).
    pub(crate) kappa: f64,
    /// κ̃ with df̃₁(κ̃) = D̂.
    pub(crate) kappa_tilde: f64,
    /// κ̃/unit.
    pub(crate) kappa_tilde_units: f64,
    /// Tr KG̃².
    pub(crate) resolvent: f64,
    /// φ = (κ̃²/n) Tr KG̃², in units of unit².
    pub(crate) phi: f64,
    /// (κ̂/λ)², times unit².
    pub(crate) gcv2: f64,
    /// Factor of the error for a fitted mean.
    pub(crate) mean_factor: f64,
}

impl Shrinkage {
    pub(crate) fn path(
        decomposition: &Decomposition,
        n: usize,
        dimension: usize,
        lambdas: &[f64],
        levels: Option<&Levels>,
    ) -> Result<Vec<Self>> {
        let mut hint = None;
        let mut out = Vec::with_capacity(lambdas.len());
        for &lambda in lambdas {
            let step = Self::at(decomposition, n, dimension, lambda, levels, hint)?;
            hint = step.correlated.map(|c| c.kappa_tilde);
            out.push(step);
        }
        Ok(out)
    }

    pub(crate) fn at(
        decomposition: &Decomposition,
        n: usize,
        dimension: usize,
        lambda: f64,
        levels: Option<&Levels>,
        hint: Option<f64>,
    ) -> Result<Self> {
        let g = &decomposition.g;
        let whole = decomposition.whole;
        let unit = if whole { lambda } else { 1.0 };
        let numerator = if whole { 1.0 } else { lambda };
        let d: Vec<f64> = g.iter().map(|g| numerator / (g + lambda)).collect();
        let df1: f64 = g.iter().map(|g| g / (g + lambda)).sum();
        let missing = (dimension - g.len()) as f64;
        let used: f64 = d.iter().sum();
        let room = used + missing;
        let slope = g.iter().zip(&d).map(|(g, d)| d * g / (g + lambda)).sum();
        let mut out = Self { lambda, unit, d, df1, room, slope, correlated: None };
        let Some(levels) = levels else { return Ok(out) };
        let n = n as f64;
        // rank K − D̂; the integers first, they may cancel exactly.
        let complement = unit * used + (missing - levels.nullity());
        if complement < 0.0 || (complement == 0.0 && !whole) {
            return Err(Error::BeyondRank { lambda, df1, rank: levels.rank() });
        }
        let kappa_tilde = levels.kappa(df1, complement, hint)?;
        let kappa_tilde_units = match (whole, kappa_tilde == 0.0) {
            (false, _) => kappa_tilde,
            (true, false) => kappa_tilde / lambda,
            // Both complements are linear in their ridges there.
            (true, true) => room / levels.resolvent(0.0),
        };
        let resolvent = levels.resolvent(kappa_tilde);
        let ratio = n / (kappa_tilde_units * df1);
        out.correlated = Some(Correlated {
            kappa: if whole { ratio } else { lambda * ratio },
            kappa_tilde,
            kappa_tilde_units,
            resolvent,
            phi: kappa_tilde_units * kappa_tilde_units * resolvent / n,
            gcv2: ratio * ratio,
            mean_factor: levels.mean_factor(kappa_tilde),
        });
        Ok(out)
    }
}
