//! The error at a test point that is correlated with the rows: forecasting.
//!
//! The fit behaves as if its own error and the noise were a series ξ of covariance E_g K + σ²K′ that
//! continues to the test point, and the prediction there used bᵀξ of the rows:
//!
//! - known mean: b = G̃c;  fitted mean: b = G̃c + G̃1(1 − 1ᵀG̃c)/(1ᵀG̃1)  (kriging with nugget κ̃);
//! - error = E_g(1 − 2bᵀc + bᵀKb) + σ²(1 − 2bᵀc′ + bᵀK′b),
//!
//! c and c′ being the correlations of the test point with the rows.

use crate::Result;
use rmt_models::kernel::Kernel;

/// A test point some time after the last row.
#[derive(Clone, Debug)]
pub(crate) struct TestPoint {
    /// Correlation with each row.
    cross: Vec<f64>,
    /// The same for the noise.
    noise_cross: Option<Vec<f64>>,
}

/// Factors of the risk and of the noise variance in the error at a test point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brackets {
    pub(crate) matched: f64,
    pub(crate) noise: Option<f64>,
}

impl TestPoint {
    pub(crate) fn new(kernel: &Kernel, noise: Option<&Kernel>, lag: f64) -> Result<Self> {
        Ok(Self {
            cross: kernel.test_point(lag)?,
            noise_cross: noise.map(|k| k.test_point(lag)).transpose()?,
        })
    }

    /// `None` if the kernel cannot be inverted (approximate spectra).
    pub(crate) fn brackets(
        &self,
        kernel: &Kernel,
        noise: Option<&Kernel>,
        mean: bool,
        kappa_tilde: f64,
    ) -> Result<Option<Brackets>> {
        let Some(mut b) = kernel.solve(kappa_tilde, &self.cross)? else { return Ok(None) };
        if mean {
            let ones = kernel.mean_direction();
            let Some(solved) = kernel.solve(kappa_tilde, &ones)? else { return Ok(None) };
            let along = |v: &[f64]| v.iter().zip(&ones).map(|(v, m)| v * m).sum::<f64>();
            let share = (1.0 - along(&b)) / along(&solved);
            for (b, s) in b.iter_mut().zip(&solved) {
                *b += share * s;
            }
        }
        let bracket = |kernel: &Kernel, cross: &[f64]| -> Result<f64> {
            let image = kernel.apply(&b)?;
            let terms = b.iter().zip(cross.iter().zip(&image));
            Ok(1.0 + terms.map(|(b, (c, k))| b * (k - 2.0 * c)).sum::<f64>())
        };
        Ok(Some(Brackets {
            matched: bracket(kernel, &self.cross)?,
            noise: match (noise, &self.noise_cross) {
                (Some(kernel), Some(cross)) => Some(bracket(kernel, cross)?),
                _ => None,
            },
        }))
    }
}
