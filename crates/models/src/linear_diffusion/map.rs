//! Linear maps of a trained model: denoiser, sampling map, denoised path and discretised samplers are
//! all averages of shrinkage residuals, so one type carries their means and fluctuations.
//!
//! T = Σ_k w_k [M̂(τ_k) + φ_k R̂(τ_k)],  R̂(τ) = τ(Σ̂+τ)⁻¹,  M̂ = I − R̂,  ω_k = w_k(1 − φ_k).
//!
//! With κ_k = κ(τ_k), u_ki = √(κ_k s_i)/(s_i+κ_k) and K_kl = 1/(N − df₂(κ_k, κ_l)), to leading order
//!
//! 𝔼T_ii = Σ_k w_k (s_i + φ_k κ_k)/(s_i + κ_k),
//! Cov(T_ij, T'_ij) = Σ_kl ω_k ω'_l K_kl u_ki u_kj u_li u_lj (1 + δ_ij).
//!
//! The estimated mean adds Cov((I−T)μ̂) with I − T = c I + Σ_k ω_k R̂(τ_k), c = 1 − Σ_k w_k ≥ 0 (rules
//! that are accurate only up to the edge of the spectrum have c > 0). All terms are ≥ 0, so nothing
//! cancels. The second pairing (δ_ij, and Cov(T_ij, T_ji)) is absent for
//! complex data.

use super::trained::{Level, TrainedModel};
use crate::{Error, Result};
use faer::Mat;
use rmt_core::{Resolution, Spectrum, Weight};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which Wick pairings of the fluctuations to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// Both: real data.
    #[default]
    Full,
    /// The one that a two-point function of traces shows: complex data.
    Trace,
}

/// A random linear map x − μ ↦ T(x − μ̂) + μ̂ − μ of a trained model, through its resolvent nodes.
#[derive(Clone, Debug)]
pub struct LinearMap<'m> {
    pub(crate) model: &'m TrainedModel,
    pub(crate) nodes: Vec<MapNode>,
    /// Exact value of T on modes without variance.
    pub(crate) null_gain: f64,
    /// c.
    constant: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct MapNode {
    pub(crate) level: Level,
    /// w.
    pub(crate) weight: f64,
    /// φ ∈ [0, 1].
    pub(crate) floor: f64,
}

impl MapNode {
    fn fluctuating(&self) -> f64 {
        self.weight * (1.0 - self.floor)
    }
}

/// K_kl between the nodes of two maps.
type Kernel = Vec<Vec<f64>>;

impl<'m> LinearMap<'m> {
    /// The nodes' noise variances with w and φ, descending; `null_gain` = T on zero modes.
    pub(crate) fn new(
        model: &'m TrainedModel,
        nodes: impl IntoIterator<Item = (f64, f64, f64)>,
        null_gain: f64,
    ) -> Result<Self> {
        let nodes: Vec<_> = nodes.into_iter().collect();
        let variances: Vec<f64> = nodes.iter().map(|n| n.0).collect();
        let constant = 1.0 - nodes.iter().map(|n| n.1).sum::<f64>();
        let nodes = model
            .levels(&variances)?
            .into_iter()
            .zip(nodes)
            .map(|(level, (_, weight, floor))| MapNode { level, weight, floor })
            .collect();
        Ok(Self { model, nodes, null_gain, constant })
    }

    /// Number of resolvent nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The same map with its output multiplied by a positive factor.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.nodes.iter_mut().for_each(|n| n.weight *= factor);
        self.null_gain *= factor;
        self.constant *= factor;
        self
    }

    /// Mean gain 𝔼T_ii of each mode.
    pub fn gain(&self) -> Vec<f64> {
        let mode = |&s: &f64| {
            if s == 0.0 {
                return self.null_gain;
            }
            let term = |n: &MapNode| n.weight * (n.level.gain(s) + n.floor * n.level.residual(s));
            self.nodes.iter().map(term).sum()
        };
        self.model.spectrum.iter().map(mode).collect()
    }

    /// Mean gain with the 1/N term of real Gaussian data; `None` where N is too small for an
    /// expansion in it.
    pub fn gain_finite_size(&self) -> Option<Vec<f64>> {
        let mut gain = self.gain();
        for node in &self.nodes {
            let correction = self.model.residual_correction(&node.level)?;
            for (g, c) in gain.iter_mut().zip(&correction) {
                *g -= node.fluctuating() * c.value;
            }
        }
        Some(gain)
    }

    /// Variance of each output mode at an input whose squared offsets from the mean are
    /// `squared_offset` (or their average over inputs), one entry a mode, over training sets.
    pub fn variance(&self, squared_offset: &[f64], pairing: Pairing) -> Result<Vec<f64>> {
        self.covariance(self, squared_offset, pairing)
    }

    /// Covariance of each output mode of two maps of one model at a common input, as in
    /// [`Self::variance`]: two noise levels, or a sample and a denoised estimate.
    ///
    /// # Errors
    /// A `squared_offset` of the wrong length or with a negative entry.
    pub fn covariance(
        &self,
        other: &LinearMap<'_>,
        squared_offset: &[f64],
        pairing: Pairing,
    ) -> Result<Vec<f64>> {
        let kernel = self.same_sample_kernel(other)?;
        let mut out =
            self.by_mode(other, &kernel, squared_offset, pairing, self.model.mean_noise)?;
        let means = self.mean_covariance(other);
        out.iter_mut().zip(means).for_each(|(out, mean)| *out += mean);
        Ok(out)
    }

    /// Covariance of each output mode of two maps trained on sets that share `shared` rows.
    ///
    /// # Errors
    /// An estimated mean (no formula is known), more shared rows than either set has.
    pub fn shared_covariance(
        &self,
        other: &LinearMap<'_>,
        shared: f64,
        squared_offset: &[f64],
        pairing: Pairing,
    ) -> Result<Vec<f64>> {
        let (n, m) = (self.model.samples, other.model.samples);
        let key = "shared_samples";
        if !(shared >= 0.0 && shared <= n.min(m)) {
            return Err(Error::OutOfRange {
                key,
                value: shared,
                remedy: "two sets share between 0 rows and all rows of the smaller one",
            });
        }
        if shared == 0.0 {
            return Ok(vec![0.0; self.model.dimension()]);
        }
        let known = |model: &TrainedModel| model.mean_noise == 0.0;
        if !(known(self.model) && known(other.model)) {
            return Err(Error::OutOfRange {
                key,
                value: shared,
                remedy: "overlapping sets are supported for a known mean only: set mean = known, or 0",
            });
        }
        let kernel = self.shared_kernel(other, shared);
        self.by_mode(other, &kernel, squared_offset, pairing, 0.0)
    }

    /// Covariance of uᵀT(x−μ̂) and vᵀT(x−μ̂) at the input offset x − μ, for any directions u, v; all
    /// three have one entry a mode.
    pub fn covariance_along(
        &self,
        first: &[f64],
        second: &[f64],
        offset: &[f64],
        pairing: Pairing,
    ) -> Result<f64> {
        for (key, list) in [("first", first), ("second", second), ("offset", offset)] {
            self.check_length(key, list)?;
        }
        let kernel = self.same_sample_kernel(self)?;
        let overlaps = self.overlaps();
        let means = self.mean_covariance(self);
        let mut total: f64 =
            first.iter().zip(second).zip(means).map(|((u, v), mean)| u * v * mean).sum();
        for (k, row) in kernel.iter().enumerate() {
            for (l, entry) in row.iter().enumerate() {
                let form = |a: &[f64], b: &[f64]| -> f64 {
                    let factors = overlaps[k].iter().zip(&overlaps[l]);
                    factors.zip(a.iter().zip(b)).map(|((u, v), (a, b))| u * v * a * b).sum()
                };
                let (a, b) = (&self.nodes[k], &self.nodes[l]);
                let mean = self.model.mean_noise * (a.level.kappa * b.level.kappa).sqrt();
                let mut pairings = form(first, second) * (form(offset, offset) + mean);
                if pairing == Pairing::Full {
                    pairings += form(first, offset) * form(second, offset);
                }
                total += a.fluctuating() * b.fluctuating() * entry * pairings;
            }
        }
        Ok(total)
    }

    /// The p×p matrix V with Var T_ij = V_ij(1 + δ_ij) (δ_ij absent for [`Pairing::Trace`]):
    /// anisotropy of the output mode i against inhomogeneity in the input mode j.
    pub fn entry_variances(&self) -> Result<Mat<f64>> {
        let kernel = self.same_sample_kernel(self)?;
        let overlaps = self.overlaps();
        let p = self.model.dimension();
        let mut pairs = Vec::new();
        for k in 0..self.nodes.len() {
            for l in 0..=k {
                let weight = self.nodes[k].fluctuating() * self.nodes[l].fluctuating();
                let weight = weight * kernel[k][l] * if k == l { 1.0 } else { 2.0 };
                if weight != 0.0 {
                    pairs.push((k, l, weight));
                }
            }
        }
        let products = |weight: &dyn Fn(f64) -> f64| {
            Mat::from_fn(pairs.len(), p, |row, i| {
                let (k, l, w) = pairs[row];
                weight(w) * overlaps[k][i] * overlaps[l][i]
            })
        };
        Ok(products(&|w| w).transpose() * products(&|_| 1.0))
    }

    /// 𝔼(T²)_ii of each mode: mean squared output per unit variance of an isotropic input, as mean
    /// squared plus row sums of [`Self::entry_variances`].
    pub fn second_moment(&self) -> Result<Vec<f64>> {
        let unit = vec![1.0; self.model.dimension()];
        let kernel = self.same_sample_kernel(self)?;
        let spread = self.by_mode(self, &kernel, &unit, Pairing::Trace, 0.0)?;
        Ok(self.gain().iter().zip(spread).map(|(g, v)| g * g + v).collect())
    }

    fn check_length(&self, key: &'static str, list: &[f64]) -> Result<()> {
        let expected = self.model.dimension();
        if list.len() != expected {
            return Err(Error::LengthMismatch { key, found: list.len(), expected });
        }
        match list.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(i) => Err(Error::BadEntry {
                key,
                index: vec![i],
                value: list[i],
                remedy: "entries must be finite numbers",
            }),
        }
    }

    /// u_ki, one row a node.
    fn overlaps(&self) -> Vec<Vec<f64>> {
        let spectrum = &self.model.spectrum;
        let row = |n: &MapNode| spectrum.iter().map(|s| n.level.overlap(*s)).collect();
        self.nodes.iter().map(row).collect()
    }

    /// Per mode, the part of Cov((I−T)μ̂, (I−T')μ̂) that involves a constant: ε/N times
    /// s(cc' + c Σω'R' + c' ΣωR).
    fn mean_covariance(&self, other: &LinearMap<'_>) -> Vec<f64> {
        let model = self.model;
        let residual = |map: &LinearMap<'_>, s: f64| -> f64 {
            map.nodes.iter().map(|n| n.fluctuating() * n.level.residual(s)).sum()
        };
        let noise = model.mean_noise * model.inverse_dof;
        let mode = |&s: &f64| {
            let products = self.constant * other.constant
                + self.constant * residual(other, s)
                + other.constant * residual(self, s);
            noise * s * products
        };
        model.spectrum.iter().map(mode).collect()
    }

    /// 1/(N − df₂(κ_k, κ_l)): N − df₂ = N λ[κ_k, κ_l], a divided difference of the chain.
    fn same_sample_kernel(&self, other: &LinearMap<'_>) -> Result<Kernel> {
        let model = self.model;
        debug_assert!(std::ptr::eq(model, other.model));
        let symmetric = std::ptr::eq(self, other);
        let mut kernel = vec![vec![0.0; other.nodes.len()]; self.nodes.len()];
        for (k, a) in self.nodes.iter().enumerate() {
            for (l, b) in other.nodes.iter().enumerate() {
                if symmetric && l > k {
                    continue;
                }
                // At κ = 0 the residual does not fluctuate (u = 0) even where N − df₂ vanishes.
                if a.level.kappa == 0.0 || b.level.kappa == 0.0 {
                    continue;
                }
                let seen = model.equivalent.pair(&a.level.solution, &b.level.solution)?;
                kernel[k][l] = model.inverse_dof / seen[seen.len() - 1].ridge().ab;
            }
        }
        if symmetric {
            for k in 0..kernel.len() {
                for l in k + 1..kernel.len() {
                    kernel[k][l] = kernel[l][k];
                }
            }
        }
        Ok(kernel)
    }

    /// ρ/(1 − ρ df₂(κ_k, κ_l)) with ρ = n_s/(n n'), its denominator as a sum of positive terms.
    fn shared_kernel(&self, other: &LinearMap<'_>, shared: f64) -> Kernel {
        let (n, m) = (self.model.samples, other.model.samples);
        let nodes = self.model.equivalent.spectrum().nodes(Weight::Count, Resolution::Compressed);
        let entry = |a: &MapNode, b: &MapNode| {
            let (kappa, kappa2) = (a.level.kappa, b.level.kappa);
            if kappa == 0.0 || kappa2 == 0.0 {
                return 0.0;
            }
            let cross = nodes.sum(|s| s / (s + kappa) / (s + kappa2));
            // n n' − n_s df₂, df₂ = n(1 − λ/κ) − κ' Σ s/((s+κ)(s+κ')).
            let room = n * (m - shared) + shared * (n * a.level.lambda / kappa + kappa2 * cross);
            shared / room
        };
        self.nodes.iter().map(|a| other.nodes.iter().map(|b| entry(a, b)).collect()).collect()
    }

    fn by_mode(
        &self,
        other: &LinearMap<'_>,
        kernel: &Kernel,
        squared_offset: &[f64],
        pairing: Pairing,
        mean_noise: f64,
    ) -> Result<Vec<f64>> {
        let key = "squared_offset";
        self.check_length(key, squared_offset)?;
        if let Some(i) = squared_offset.iter().position(|x| *x < 0.0) {
            return Err(Error::BadEntry {
                key,
                index: vec![i],
                value: squared_offset[i],
                remedy: "squares must be ≥ 0",
            });
        }
        let (left, right) = (self.overlaps(), other.overlaps());
        let mut out = vec![0.0; self.model.dimension()];
        for (k, a) in self.nodes.iter().enumerate() {
            for (l, b) in other.nodes.iter().enumerate() {
                let weight = a.fluctuating() * b.fluctuating() * kernel[k][l];
                if weight == 0.0 {
                    continue;
                }
                let products = || left[k].iter().zip(&right[l]).map(|(u, v)| u * v);
                let input: f64 = products().zip(squared_offset).map(|(uv, x)| uv * x).sum();
                let mean = mean_noise * (a.level.kappa * b.level.kappa).sqrt();
                let first = weight * (input + mean);
                let second = if pairing == Pairing::Full { weight } else { 0.0 };
                for ((out, uv), x) in out.iter_mut().zip(products()).zip(squared_offset) {
                    *out += uv * (first + second * uv * x);
                }
            }
        }
        Ok(out)
    }
}

/// The maps of a trained model.
impl TrainedModel {
    /// The denoiser M̂ at noise variance σ² ≥ 0.
    pub fn denoiser(&self, noise_variance: f64) -> Result<LinearMap<'_>> {
        LinearMap::new(self, [(noise_variance, 1.0, 0.0)], 0.0)
    }
}
