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

use super::bootstrap::{Band, band, percentile_band};
use super::pool::{Pool, covariance};
use crate::resample::resample;
use crate::{Error, Result};
use faer::Mat;
use rmt_models::groups::{Populations, Sample, Source};

/// Real and synthetic rows as populations, with the predictions for training on both.
#[derive(Clone, Debug)]
pub struct Mix {
    real: Pool,
    synthetic: Pool,
    quality: f64,
    quality_raw: f64,
    /// Coefficients of the synthetic labels, their distance to the real ones corrected for noise.
    shifted: Vec<f64>,
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
const LEAST: f64 = 1e-6;

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
        let delta: Vec<f64> =
            (0..p).map(|j| synthetic.coefficients[j] - real.coefficients[j]).collect();
        let quadratic = |m: &Mat<f64>, v: &[f64]| -> f64 {
            (0..p).map(|i| v[i] * (0..p).map(|j| m[(i, j)] * v[j]).sum::<f64>()).sum()
        };
        let trace = |a: &Mat<f64>, b: &Mat<f64>| -> f64 {
            (0..p).map(|i| (0..p).map(|j| a[(i, j)] * b[(j, i)]).sum::<f64>()).sum()
        };
        let raw = quadratic(&pooled, &delta);
        let noise: f64 = [&real, &synthetic]
            .iter()
            .map(|pool| pool.noise_variance() * trace(&pooled, &pool.precision))
            .sum();
        let quality = (raw - noise).max(0.0);
        let shrink = if raw > 0.0 { (quality / raw).sqrt() } else { 0.0 };
        let shifted = (0..p).map(|j| real.coefficients[j] + shrink * delta[j]).collect();
        Ok(Self { real, synthetic, quality, quality_raw: raw, shifted })
    }

    /// ĉ², the error of the synthetic labels; 0 where the difference is within its noise.
    pub fn quality(&self) -> f64 {
        self.quality
    }

    /// ‖ŵ_2 − ŵ_1‖²_Σ̂ without the correction for noise.
    pub fn quality_uncorrected(&self) -> f64 {
        self.quality_raw
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
        let covariances =
            [covariance(&self.real.covariance), covariance(&self.synthetic.covariance)];
        let w = vec![self.real.coefficients.clone(), self.shifted.clone()];
        Ok(Populations::new(&covariances, &[Source::Fixed(w)])?)
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

    fn error(
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
        let populations = self.populations()?;
        let at = |weight: f64| -> Result<MixPoint> {
            Ok(MixPoint { weight, error: self.error(&populations, n, lambda, weight)? })
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

    /// 90 % bands of the best weight and of ĉ², from `resamplings` refits.
    ///
    /// The best weight is bounded and often at 0, so that its band is of percentiles. It is a little
    /// narrow: of 200 simulated data sets it held the truth in 170.
    ///
    /// # Errors
    /// As [`Mix::best_weight`].
    pub fn bands(
        &self,
        n: (f64, f64),
        lambda: f64,
        resamplings: usize,
        seed: u64,
    ) -> Result<(Band, Band)> {
        let best = self.best_weight(n, lambda)?;
        let replicates = resample(resamplings, seed, |random| {
            let real = self.real.again(&self.real.coefficients, random).ok()?;
            let synthetic = self.synthetic.again(&self.shifted, random).ok()?;
            let again = Self::new(real, synthetic).ok()?;
            Some(vec![again.best_weight(n, lambda).ok()?.weight, again.quality])
        });
        let column = |at: usize| replicates.iter().map(|r| r[at]).collect::<Vec<f64>>();
        let weight = percentile_band(best.weight, column(0), (0.0, 1.0));
        let quality = band(self.quality, column(1));
        Ok((weight, Band { low: quality.low.max(0.0), high: quality.high.max(0.0) }))
    }
}
