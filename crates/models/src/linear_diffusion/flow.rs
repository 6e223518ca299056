//! The probability flow dx/dσ = (x − D̂(x;σ))/σ of a linear denoiser, solved exactly.
//!
//! x(σ_min) − μ̂ = h(Σ̂)(x(σ_max) − μ̂), h(x) = √((x+a)/(x+b)); the denoised estimate on the way is
//! f(Σ̂), f(x) = x/√((x+a)(x+b)). Both are averages of denoisers over arcsine-distributed noise
//! variances. A path x_t = α_t x₀ + ς_t z with other scalings follows the same map at σ = ς_t/α_t with
//! its output multiplied by α_t.

use super::map::LinearMap;
use super::quadrature::{ArcsineNode, ArcsineRule, NoiseRange};
use super::trained::TrainedModel;
use crate::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How data and noise are mixed along the path, x_t = α x₀ + ς z at noise level σ = ς/α.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoisePath {
    /// α = 1: variance exploding, the convention of EDM.
    #[default]
    Edm,
    /// α² + ς² = 1.
    VariancePreserving,
    /// α + ς = 1: rectified flow, flow matching.
    FlowMatching,
}

impl NoisePath {
    /// α at noise level σ = ς/α.
    pub fn signal(self, sigma: f64) -> f64 {
        match self {
            Self::Edm => 1.0,
            Self::VariancePreserving => 1.0 / sigma.hypot(1.0),
            Self::FlowMatching => 1.0 / (1.0 + sigma),
        }
    }
}

impl TrainedModel {
    /// The sampling map h(Σ̂) from σ_max to σ_min, to a relative `accuracy` of its gains.
    pub fn sampler(&self, range: NoiseRange, accuracy: f64) -> Result<LinearMap<'_>> {
        let floor = |tau: f64| if tau > 0.0 { range.low / tau } else { 0.0 };
        let nodes = self.arcsine(range, accuracy)?;
        let nodes = nodes.into_iter().map(|n| (n.variance, n.weight, floor(n.variance)));
        LinearMap::new(self, nodes, (range.low / range.high).sqrt())
    }

    /// The denoised estimate f(Σ̂) at σ_min of a path that started at σ_max.
    pub fn denoised_path(&self, range: NoiseRange, accuracy: f64) -> Result<LinearMap<'_>> {
        let nodes = self.arcsine(range, accuracy)?;
        LinearMap::new(self, nodes.into_iter().map(|n| (n.variance, n.weight, 0.0)), 0.0)
    }

    fn arcsine(&self, range: NoiseRange, accuracy: f64) -> Result<Vec<ArcsineNode>> {
        let (smallest, largest) = self.support();
        // With a > 0 the rule also serves x = 0, where null directions of Σ̂ sit; with a = 0 both maps
        // vanish there for any nodes.
        let smallest = if range.low > 0.0 { 0.0 } else { smallest };
        ArcsineRule::for_accuracy(accuracy).nodes(range, (smallest, largest), accuracy)
    }

    /// 𝔼(h²)_ii = (s + κ_b a/b)/(s + κ_b), κ_b = κ(b): the variance that a split generates in each
    /// mode per unit variance of isotropic starting noise. No integral is needed.
    pub fn generated_second_moment(&self, range: NoiseRange) -> Result<Vec<f64>> {
        let level = self.level(range.high)?;
        let floor = range.low / range.high;
        Ok(self.spectrum.iter().map(|s| level.gain(*s) + floor * level.residual(*s)).collect())
    }

    /// Consistency of each mode: the correlation between what two models trained on different sets of
    /// this size generate from the same isotropic noise, C_i = (𝔼h_i)²/𝔼(h²)_ii ∈ [0, 1]. Modes that
    /// both always generate as zero count as 1.
    pub fn consistency(&self, range: NoiseRange, accuracy: f64) -> Result<Vec<f64>> {
        let gain = self.sampler(range, accuracy)?.gain();
        let second = self.generated_second_moment(range)?;
        let ratio = |(g, m): (&f64, f64)| if m > 0.0 { (g * g / m).min(1.0) } else { 1.0 };
        Ok(gain.iter().zip(second).map(ratio).collect())
    }
}
