//! What more rows would bring, from one data set.
//!
//! At ridge λ on n rows: κ = nλ/(κ̃D̂), α̃ = 1 − df̃₂/df̃₁, and with T′ = −dD̂/d ln λ
//! α/(1 − γ) = T′/(D̂α̃) = d ln κ̃/d ln λ, so that α = sα̃/(1 − s(1 − α̃)) with s that derivative,
//! df₂ = D̂(1 − α), γ = (1 − α)(1 − α̃). N(κ) = CorrGCV·(1 − γ) does not depend on n. On n′ rows of the
//! same kind the same κ is reached at λ′ = κκ̃′D̂/n′ with df̃₁′(κ̃′) = D̂, and the error there is
//! N(κ)/(1 − γ′), γ′ = df₂ df̃₂′/D̂². For independent rows: κ = λ/(1 − D̂/n), γ = df₂/n,
//! λ′ = κ(1 − D̂/n′).
//!
//! κ below κ_min = κ(λ → 0) is not seen by n ≤ p rows. N falls with κ, so the optimum is known to lie
//! above κ_min only if the factor 1/(1 − γ′) grows from the optimum to κ_min by more than the
//! estimate is uncertain (two standard errors); otherwise the data do not support the prediction.

use crate::decomposition::Decomposition;
use crate::prepare::Prepared;
use crate::shrinkage::Shrinkage;
use crate::uncertainty::{self, Uncertainty};
use crate::{Error, Result};
use faer::Col;
use rmt_models::kernel::{Family, Kernel, Levels, SampleCorrelation};

/// The optimally tuned error on another number of rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningPoint {
    /// Number of rows n′.
    pub rows: usize,
    /// Error with the best ridge.
    pub error: f64,
    /// Its 95 % band, from the fluctuation of the residuals about their mean over data sets.
    pub band: (f64, f64),
    /// The best ridge λ′ on n′ rows.
    pub lambda: f64,
    /// Whether the data determine it: if not, the optimum lies at a κ that these rows do not
    /// reach, and `error` is only the best within reach (too high).
    pub supported: bool,
}

/// Ridges tried on the way down to zero.
const RIDGES: usize = 240;

/// One κ that the data show.
struct Seen {
    lambda_index: usize,
    kappa: f64,
    df1: f64,
    df2: f64,
    /// N(κ), without the factor of a fitted mean.
    level: f64,
    /// CorrGCV on the rows there are, likewise.
    error: f64,
}

pub(crate) fn curve(
    data: &Prepared,
    decomposition: &Decomposition,
    target: usize,
    correlation: Option<&SampleCorrelation>,
    kernel: Option<&Kernel>,
    sizes: &[usize],
) -> Result<Vec<LearningPoint>> {
    let n = data.rows;
    let mean = data.direction.is_some();
    let count = data.y.ncols();
    if target >= count {
        return Err(Error::NoTarget { index: target, count });
    }
    let identity = SampleCorrelation::from(Family::Identity);
    let family = correlation.map_or(identity.clone(), |c| c.family.clone().into());
    let levels_of = |kernel: &Kernel| -> Result<Levels> {
        Ok(if mean { kernel.centred_levels()? } else { kernel.levels().clone() })
    };
    let own = match kernel {
        Some(kernel) => levels_of(kernel)?,
        None => levels_of(&identity.kernel(n)?)?,
    };
    let g = &decomposition.g;
    let whole = decomposition.whole;
    let (high, low) = (100.0 * g.iter().sum::<f64>(), 1e-3 * g[g.len() - 1]);
    let step = (low / high).ln() / (RIDGES as f64 - 1.0);
    let mut lambdas: Vec<f64> = (0..RIDGES).map(|k| high * (step * k as f64).exp()).collect();
    lambdas.push(0.0);
    let steps = Shrinkage::path(decomposition, n, data.dimension(), &lambdas, Some(&own))?;
    let b = decomposition.b.col_as_slice(target);
    let rest = decomposition.rest[target];
    let mut seen = Vec::with_capacity(steps.len());
    for (lambda_index, step) in steps.iter().enumerate() {
        let Some(c) = step.correlated else { continue };
        let squares: f64 = step.d.iter().zip(b).map(|(d, b)| (d * b).powi(2)).sum();
        let train = (squares + rest) / n as f64;
        // α̃ = κ̃ Tr KG̃²/df̃₁; s = T′/(κ̃ Tr KG̃²).
        let tilde = c.kappa_tilde * c.resolvent / step.df1;
        let s = step.slope / (c.kappa_tilde_units * c.resolvent);
        let alpha = s * tilde / (1.0 - s * (1.0 - tilde));
        // 1 − γ = α + α̃ − αα̃; a tie of rounding at λ = 0 has none of it left.
        let alpha = if whole && step.lambda == 0.0 { continue } else { alpha };
        let one_minus_gamma = alpha + tilde - alpha * tilde;
        if !(alpha >= 0.0 && one_minus_gamma > 0.0) {
            continue;
        }
        seen.push(Seen {
            lambda_index,
            kappa: c.kappa,
            df1: step.df1,
            df2: step.df1 * (1.0 - alpha),
            level: train / c.phi * one_minus_gamma,
            error: train / c.phi,
        });
    }
    // N(κ) ≥ σ²: the one of the best fit to these rows bounds the noise, and is the least noisy.
    let noise =
        seen.iter().min_by(|a, b| a.error.total_cmp(&b.error)).map_or(f64::INFINITY, |at| at.level);
    let mut out = Vec::with_capacity(sizes.len());
    for &rows in sizes {
        if rows < 2 {
            return Err(Error::OutOfRange {
                what: "sizes",
                value: rows as f64,
                remedy: "a learning curve starts at two rows",
            });
        }
        let levels = levels_of(&family.kernel(rows)?)?;
        let mut best: Option<Candidate<'_>> = None;
        let mut last_room = 1.0;
        let mut hint = None;
        for at in &seen {
            let complement = levels.rank() - at.df1;
            if complement <= 0.0 {
                // λ′ would be negative.
                last_room = 0.0;
                continue;
            }
            let kappa_tilde = levels.kappa(at.df1, complement, hint)?;
            hint = Some(kappa_tilde);
            let df2 = at.df1 - kappa_tilde * levels.resolvent(kappa_tilde);
            let gamma = at.df2 * df2 / (at.df1 * at.df1);
            let room = (1.0 - gamma).max(0.0);
            last_room = room;
            if room == 0.0 {
                continue;
            }
            let error = at.level * levels.mean_factor(kappa_tilde) / room;
            let lambda = at.kappa * kappa_tilde * at.df1 / rows as f64;
            if best.as_ref().is_none_or(|b| error < b.error) {
                best = Some(Candidate { error, lambda, room, at });
            }
        }
        let Some(best) = best else {
            return Err(Error::OutOfRange {
                what: "sizes",
                value: rows as f64,
                remedy: "so few rows are outside what this data set determines",
            });
        };
        let step = &steps[best.at.lambda_index];
        let uncertainty = about_the_mean(data, decomposition, step, kernel, target, noise)?;
        let growth = best.room / last_room;
        out.push(LearningPoint {
            rows,
            error: best.error,
            band: uncertainty.band(best.error),
            lambda: best.lambda,
            supported: !whole || growth > 1.0 + 2.0 * uncertainty.relative_error(),
        });
    }
    Ok(out)
}

struct Candidate<'a> {
    error: f64,
    lambda: f64,
    /// 1 − γ′.
    room: f64,
    at: &'a Seen,
}

/// Uncertainty of |r|² at one ridge about its mean over data sets.
fn about_the_mean(
    data: &Prepared,
    decomposition: &Decomposition,
    step: &Shrinkage,
    kernel: Option<&Kernel>,
    target: usize,
    noise: f64,
) -> Result<Uncertainty> {
    let law = uncertainty::law(data, decomposition, step, kernel)?;
    let b = decomposition.b.col_as_slice(target);
    let inner = Col::from_fn(b.len(), |j| step.d[j] * step.d[j] * b[j]);
    let mut twice: Vec<f64> = (decomposition.left(data) * inner).iter().copied().collect();
    let mut residuals: f64 = step.d.iter().zip(b).map(|(d, b)| (d * b).powi(2)).sum();
    if let Some(perp) = &decomposition.perp {
        for (t, e) in twice.iter_mut().zip(perp.col_as_slice(target)) {
            *t += e;
            residuals += e * e;
        }
    }
    let image = match kernel {
        Some(kernel) => kernel.apply(&twice)?,
        None => twice.clone(),
    };
    let product = twice.iter().zip(&image).map(|(a, b)| a * b).sum();
    Ok(law.about_the_mean(step, b, residuals, product, noise))
}
