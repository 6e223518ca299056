//! Signal and noise of a target apart.
//!
//! The components of the target along the left singular vectors are b = s + σε with ε ~ N(0, UᵀKU).
//! The signal keeps its energy in blocks of neighbouring eigenvalues,
//! s_j² = b_j²·(1 − σ² Σk/Σb²)₊ over the block with k_j = u_jᵀKu_j, and σ² is such that |r|² at the
//! ridge of the fit keeps its mean: the expected errors along the path are then those of the data.
//! (The ridge fit itself in place of s leaves out what it shrinks.)

use crate::Result;
use crate::decomposition::Decomposition;
use crate::prepare::Prepared;
use crate::shrinkage::Shrinkage;
use crate::uncertainty::{self, ResidualLaw};
use rmt_models::kernel::Kernel;

/// Rounds between the signal and σ², each of which changes the other less.
const ROUNDS: usize = 20;

/// The population that one data set suggests, its rows taken as independent: a plug-in.
///
/// Eigenvalues are those of the sample, which are spread wider than the population's unless n ≫ p.
#[derive(Clone, Debug, PartialEq)]
pub struct PlugIn {
    /// Eigenvalues of X̃ᵀX̃/n, p of them, descending, zero beyond the rank.
    pub eigenvalues: Vec<f64>,
    /// Squared target coefficients along their eigenvectors, of the signal alone; zero beyond the
    /// rank.
    pub squared_coefficients: Vec<f64>,
    /// σ².
    pub noise_variance: f64,
}

impl PlugIn {
    pub(crate) fn new(decomposition: &Decomposition, signal: &Signal, n: usize, p: usize) -> Self {
        let mut eigenvalues = decomposition.g.clone();
        let squares = signal.components.iter().zip(&decomposition.g);
        let mut squared_coefficients: Vec<f64> =
            squares.map(|(s, g)| s * s / (n as f64 * g)).collect();
        eigenvalues.resize(p, 0.0);
        squared_coefficients.resize(p, 0.0);
        Self { eigenvalues, squared_coefficients, noise_variance: signal.noise }
    }
}

/// One target's signal and noise.
pub(crate) struct Signal {
    /// s.
    pub(crate) components: Vec<f64>,
    /// σ².
    pub(crate) noise: f64,
    /// Second moments of the residuals at the ridge of the fit.
    pub(crate) law: ResidualLaw,
}

impl Signal {
    pub(crate) fn new(
        data: &Prepared,
        decomposition: &Decomposition,
        fit: &Shrinkage,
        kernel: Option<&Kernel>,
        target: usize,
    ) -> Result<Self> {
        let b = decomposition.b.col_as_slice(target);
        let law = uncertainty::law(data, decomposition, fit, kernel)?;
        let squares =
            |of: &[f64]| -> f64 { fit.d.iter().zip(of).map(|(d, x)| (d * x).powi(2)).sum() };
        let all = squares(b) + decomposition.rest[target];
        let mut noise = all / law.trace;
        let mut components = Vec::new();
        for _ in 0..ROUNDS {
            components = by_blocks(b, &law.along, noise);
            noise = (all - squares(&components)).max(0.0) / law.trace;
        }
        Ok(Self { components, noise, law })
    }
}

/// The signal by blocks of √r neighbouring components.
fn by_blocks(b: &[f64], along: &[f64], noise: f64) -> Vec<f64> {
    let size = (b.len() as f64).sqrt().ceil() as usize;
    let blocks = b.chunks(size).zip(along.chunks(size));
    blocks
        .flat_map(|(b, along)| {
            let energy: f64 = b.iter().map(|b| b * b).sum();
            let part = (1.0 - noise * along.iter().sum::<f64>() / energy).max(0.0);
            b.iter().map(move |b| b * part.sqrt())
        })
        .collect()
}
