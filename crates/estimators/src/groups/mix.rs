//! What synthetic rows are worth beside real ones.
//!
//! The quality of the synthetic labels is c² = ‖w_2 − w_1‖² in the metric of the pooled covariance
//! Σ̂. The difference of two least-squares fits is inflated by their noise, so that
//!
//! ```text
//! ĉ² = ‖ŵ_2 − ŵ_1‖²_Σ̂ − Σ_s σ̂_s² Tr Σ̂ (X_sᵀX_s)⁻¹
//! ```
//!
//! and predictions use ŵ_2 − ŵ_1 shrunk to that length. Theory of a weighted mixture: two groups of
//! [`rmt_models::groups`] with weights (1−α)n/n_1 and αn/n_2.

use super::pool::{Pool, covariance};
use crate::{Error, Result};
use faer::Mat;
use rmt_models::groups::{Populations, Sample, Source};

/// Real and synthetic rows as populations, with the predictions for training on both.
#[derive(Clone, Debug)]
pub struct Mix {
    pub(super) real: Pool,
    pub(super) synthetic: Pool,
    /// Σ̂, the covariance of all rows.
    pooled: Mat<f64>,
    /// Σ_s σ̂_s² Tr Σ̂ (X_sᵀX_s)⁻¹, by which noise inflates ‖ŵ_2 − ŵ_1‖²_Σ̂.
    pub(super) noise: f64,
}

/// Predicted error at one weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MixPoint {
    /// Weight α of the synthetic rows in the loss.
    pub weight: f64,
    /// Prediction error on real data.
    pub error: f64,
}

/// Smallest weight that is searched.
pub(super) const LEAST: f64 = 1e-6;

impl Mix {
    /// From the pools of real and of synthetic rows.
    ///
    /// # Errors
    /// Different numbers of features.
    pub fn new(real: Pool, synthetic: Pool) -> Result<Self> {
        let p = real.coefficients.len();
        if synthetic.coefficients.len() != p {
            let found = synthetic.coefficients.len();
            return Err(Error::Length { what: "synthetic", found, expected: p });
        }
        let (n1, n2) = (real.rows() as f64, synthetic.rows() as f64);
        let pooled = Mat::from_fn(p, p, |i, j| {
            (n1 * real.covariance[(i, j)] + n2 * synthetic.covariance[(i, j)]) / (n1 + n2)
        });
        let trace = |a: &Mat<f64>, b: &Mat<f64>| -> f64 {
            (0..p).map(|i| (0..p).map(|j| a[(i, j)] * b[(j, i)]).sum::<f64>()).sum()
        };
        let noise = [&real, &synthetic]
            .iter()
            .map(|pool| pool.noise_variance() * trace(&pooled, &pool.precision))
            .sum();
        Ok(Self { real, synthetic, pooled, noise })
    }

    /// ŵ_2 − ŵ_1.
    pub(super) fn difference(&self) -> Vec<f64> {
        let pairs = self.synthetic.coefficients.iter().zip(&self.real.coefficients);
        pairs.map(|(b, a)| b - a).collect()
    }

    /// aᵀΣ̂b.
    pub(super) fn product(&self, a: &[f64], b: &[f64]) -> f64 {
        let row =
            |i: usize| b.iter().enumerate().map(|(j, b)| self.pooled[(i, j)] * b).sum::<f64>();
        a.iter().enumerate().map(|(i, a)| a * row(i)).sum()
    }

    /// ‖d‖²_Σ̂ of an estimated difference d of coefficients, corrected for noise.
    pub(super) fn quality_of(&self, difference: &[f64]) -> f64 {
        (self.product(difference, difference) - self.noise).max(0.0)
    }

    /// The factor that shrinks an estimated difference to its corrected length.
    pub(super) fn shrinkage_of(&self, difference: &[f64]) -> f64 {
        let raw = self.product(difference, difference);
        if raw > 0.0 { (self.quality_of(difference) / raw).sqrt() } else { 0.0 }
    }

    /// ĉ², the error of the synthetic labels; 0 where the difference is within its noise.
    pub fn quality(&self) -> f64 {
        self.quality_of(&self.difference())
    }

    /// ‖ŵ_2 − ŵ_1‖²_Σ̂ without the correction for noise.
    pub fn quality_uncorrected(&self) -> f64 {
        let difference = self.difference();
        self.product(&difference, &difference)
    }

    /// The pool of real rows.
    pub fn real(&self) -> &Pool {
        &self.real
    }

    /// The pool of synthetic rows.
    pub fn synthetic(&self) -> &Pool {
        &self.synthetic
    }

    fn populations(&self) -> Result<Populations> {
        let difference = self.difference();
        self.populations_with(self.shrinkage_of(&difference), &difference)
    }

    /// The populations with coefficients ŵ_1 and ŵ_1 + `factor`·`difference`.
    pub(super) fn populations_with(&self, factor: f64, difference: &[f64]) -> Result<Populations> {
        let covariances =
            [covariance(&self.real.covariance), covariance(&self.synthetic.covariance)];
        let real = &self.real.coefficients;
        let shifted = real.iter().zip(difference).map(|(w, d)| w + factor * d).collect();
        Ok(Populations::new(&covariances, &[Source::Fixed(vec![real.clone(), shifted])])?)
    }

    /// Prediction error on real data of a model trained on `n` = (real, synthetic) rows with weights
    /// α, at ridge λ.
    ///
    /// # Errors
    /// Weights outside [0, 1] or on rows that are not there, negative ridges.
    pub fn curve(&self, n: (f64, f64), lambda: f64, weights: &[f64]) -> Result<Vec<MixPoint>> {
        let populations = self.populations()?;
        weights
            .iter()
            .map(|&weight| {
                Ok(MixPoint { weight, error: self.error(&populations, n, lambda, weight)? })
            })
            .collect()
    }

    pub(super) fn error(
        &self,
        populations: &Populations,
        n: (f64, f64),
        lambda: f64,
        weight: f64,
    ) -> Result<f64> {
        let empty = (weight < 1.0 && n.0 == 0.0) || (weight > 0.0 && n.1 == 0.0);
        if !(0.0..=1.0).contains(&weight) || empty {
            return Err(Error::OutOfRange {
                what: "weight",
                value: weight,
                remedy: "a weight lies in [0, 1] and is 0 without synthetic rows, 1 without real ones",
            });
        }
        let total = n.0 + n.1;
        let each = |share: f64, n: f64| if n > 0.0 { share * total / n } else { 0.0 };
        let noise = self.real.noise_variance();
        let samples = [
            Sample { n: n.0, weight: each(1.0 - weight, n.0), noise_variance: noise },
            Sample {
                n: n.1,
                weight: each(weight, n.1),
                noise_variance: self.synthetic.noise_variance(),
            },
        ];
        let mixture = populations.mixture(&samples, None)?;
        Ok(mixture.solve(lambda)?.risks()?.risk()[0] + noise)
    }

    /// The weight with the smallest predicted error, to a few thousandths of its odds.
    ///
    /// # Errors
    /// As [`Mix::curve`]; both kinds of rows are needed.
    pub fn best_weight(&self, n: (f64, f64), lambda: f64) -> Result<MixPoint> {
        self.best_weight_for(&self.populations()?, n, lambda)
    }

    pub(super) fn best_weight_for(
        &self,
        populations: &Populations,
        n: (f64, f64),
        lambda: f64,
    ) -> Result<MixPoint> {
        let at = |weight: f64| -> Result<MixPoint> {
            Ok(MixPoint { weight, error: self.error(populations, n, lambda, weight)? })
        };
        let inside = |logit: f64| at(1.0 / (1.0 + (-logit).exp()));
        let end = (LEAST / (1.0 - LEAST)).ln();
        let step = -end / 12.0;
        let mut best = (end, inside(end)?);
        for i in 1..=24 {
            let logit = end + step * f64::from(i);
            let point = inside(logit)?;
            if point.error < best.1.error {
                best = (logit, point);
            }
        }
        // Golden sections between the neighbours of the best grid point.
        let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
        let (mut low, mut high) = ((best.0 - step).max(end), (best.0 + step).min(-end));
        let (mut x, mut y) = (high - ratio * (high - low), low + ratio * (high - low));
        let (mut left, mut right) = (inside(x)?, inside(y)?);
        while high - low > 3e-3 {
            if left.error <= right.error {
                (high, y, right) = (y, x, left);
                x = high - ratio * (high - low);
                left = inside(x)?;
            } else {
                (low, x, left) = (x, y, right);
                y = low + ratio * (high - low);
                right = inside(y)?;
            }
        }
        let candidates = [at(0.0)?, at(1.0)?, best.1, left, right];
        let smallest = candidates.into_iter().min_by(|a, b| a.error.total_cmp(&b.error));
        Ok(smallest.unwrap_or(best.1))
    }
}
