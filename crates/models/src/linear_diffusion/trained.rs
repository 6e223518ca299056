//! The model trained on n samples, seen from the population.

use crate::{Error, Result};
use rmt_core::{DeterministicEquivalent, Modes, Population, Samples, Solution, Spectrum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the model knows the mean of the data. Each choice is an exact change of spectrum and degrees
/// of freedom, not an approximation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeanEstimate {
    /// The mean is given: Σ̂ = Σ(x−μ)(x−μ)ᵀ/n.
    Known,
    /// Sample mean, covariance divided by n: the minimiser of the denoising loss.
    #[default]
    Mle,
    /// Sample mean, covariance divided by n − 1.
    Unbiased,
}

/// A linear denoiser trained on n samples of a Gaussian population, in the population's eigenbasis.
///
/// ```
/// use rmt_core::Modes;
/// use rmt_models::linear_diffusion::{MeanEstimate, TrainedModel};
/// let spectrum = Modes::PowerLaw { p: 128, alpha: 1.5, scale: 1.0, reversed: false };
/// let model = TrainedModel::new(&spectrum, 50.0, MeanEstimate::Mle)?;
/// // Finite data act like noise: the denoiser shrinks as if the noise variance were κ > σ².
/// assert!(model.renormalised_noise(0.01)? > 0.019);
/// # Ok::<(), rmt_models::Error>(())
/// ```
#[derive(Debug)]
pub struct TrainedModel {
    /// Eigenvalues s' that the sample covariance has on average.
    pub(crate) spectrum: Vec<f64>,
    /// s/s': n/(n−1) where the covariance is divided by n around a sample mean.
    pub(crate) true_ratio: f64,
    /// 1/N, N the degrees of freedom of the sample covariance; 0 for infinite data.
    pub(crate) inverse_dof: f64,
    /// ε in Cov μ̂ = ε s'/N.
    pub(crate) mean_noise: f64,
    pub(crate) samples: f64,
    pub(crate) mean: MeanEstimate,
    pub(crate) equivalent: DeterministicEquivalent<Population>,
}

impl TrainedModel {
    /// A model trained on `samples` rows; infinity is allowed and gives the population's own model.
    ///
    /// # Errors
    /// Invalid spectra; `samples` < 1, or < 2 where the mean is estimated.
    pub fn new(spectrum: &Modes, samples: f64, mean: MeanEstimate) -> Result<Self> {
        let estimated = mean != MeanEstimate::Known;
        let (least, remedy) = if estimated {
            (2.0, "an estimated mean needs at least 2 samples")
        } else {
            (1.0, "give at least 1 sample")
        };
        if samples.is_nan() || samples < least {
            return Err(Error::OutOfRange { key: "n", value: samples, remedy });
        }
        let finite = samples.is_finite();
        let shrink = if finite { (samples - 1.0) / samples } else { 1.0 };
        let dof = if estimated { samples - 1.0 } else { samples };
        let (scale, mean_noise) = match mean {
            MeanEstimate::Known => (1.0, 0.0),
            MeanEstimate::Mle => (shrink, 1.0),
            MeanEstimate::Unbiased => (1.0, shrink),
        };
        let effective = scaled(spectrum, scale)?;
        let population = Population::new(&effective)?;
        let values = population.eigenvalues();
        let stages: Vec<Box<dyn rmt_core::AnyStage>> =
            if finite { vec![Box::new(Samples::new(dof)?)] } else { vec![] };
        Ok(Self {
            spectrum: values,
            true_ratio: 1.0 / scale,
            inverse_dof: if finite { 1.0 / dof } else { 0.0 },
            mean_noise,
            samples,
            mean,
            equivalent: DeterministicEquivalent::new(population, stages)?,
        })
    }

    /// Number of samples n.
    pub fn samples(&self) -> f64 {
        self.samples
    }

    /// Number of modes p.
    pub fn dimension(&self) -> usize {
        self.spectrum.len()
    }

    /// Population eigenvalues s in listed order.
    pub fn population(&self) -> Vec<f64> {
        self.spectrum.iter().map(|s| s * self.true_ratio).collect()
    }

    /// κ(λ) ≥ λ: the noise variance at which the infinite-data denoiser of the effective spectrum
    /// has the average gain of this model at noise variance λ.
    pub fn renormalised_noise(&self, noise_variance: f64) -> Result<f64> {
        Ok(self.level(noise_variance)?.kappa)
    }

    pub(crate) fn level(&self, noise_variance: f64) -> Result<Level> {
        Ok(Level::new(self.equivalent.solve(noise_variance)?))
    }

    /// Levels at several noise variances, best in descending order.
    pub(crate) fn levels(&self, noise_variances: &[f64]) -> Result<Vec<Level>> {
        Ok(self.equivalent.path(noise_variances)?.into_iter().map(Level::new).collect())
    }

    /// Bounds of the positive support of Σ̂: s_min(1−√(r/N))² and s_max(1+√(r/N))² enclose it.
    pub(crate) fn support(&self) -> (f64, f64) {
        let rank = self.equivalent.spectrum().rank();
        let root = (rank * self.inverse_dof).sqrt();
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for &s in self.spectrum.iter().filter(|s| **s > 0.0) {
            least = least.min(s);
            most = most.max(s);
        }
        (least * (1.0 - root) * (1.0 - root), most * (1.0 + root) * (1.0 + root))
    }
}

/// The equivalent at one noise variance λ.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    /// λ = σ².
    pub(crate) lambda: f64,
    /// κ(λ).
    pub(crate) kappa: f64,
    /// dκ/dλ = N/(N − df2) ≥ 1; infinite at λ = 0 when rank and N coincide.
    pub(crate) slope: f64,
    /// κ − λ dκ/dλ ≥ 0 without cancellation.
    pub(crate) lag: f64,
    pub(crate) solution: Solution<f64>,
}

impl Level {
    fn new(solution: Solution<f64>) -> Self {
        let last = &solution.seen[solution.seen.len() - 1];
        let kappa = solution.kappa();
        Self {
            lambda: solution.lambda,
            kappa,
            slope: 1.0 / last.ridge().ab,
            lag: if kappa > 0.0 { kappa * last.kappa_elasticity_complement() } else { 0.0 },
            solution,
        }
    }

    /// Mean gain s/(s+κ) of the denoiser in a mode.
    pub(crate) fn gain(&self, s: f64) -> f64 {
        if s == 0.0 { 0.0 } else { s / (s + self.kappa) }
    }

    /// Mean residual κ/(s+κ).
    pub(crate) fn residual(&self, s: f64) -> f64 {
        if s == 0.0 { 1.0 } else { self.kappa / (s + self.kappa) }
    }

    /// √(κs)/(s+κ) ∈ [0, ½].
    pub(crate) fn overlap(&self, s: f64) -> f64 {
        if s == 0.0 { 0.0 } else { (self.kappa * s).sqrt() / (s + self.kappa) }
    }
}

fn scaled(modes: &Modes, factor: f64) -> Result<Modes> {
    if factor == 1.0 {
        return Ok(modes.clone());
    }
    Ok(match modes {
        Modes::Constant { p, value } => Modes::Constant { p: *p, value: value * factor },
        Modes::PowerLaw { p, alpha, scale, reversed } => {
            Modes::PowerLaw { p: *p, alpha: *alpha, scale: scale * factor, reversed: *reversed }
        }
        other => Modes::Explicit(
            other.values("spectrum")?.values.into_iter().map(|s| s * factor).collect(),
        ),
    })
}
