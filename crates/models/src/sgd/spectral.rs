//! One-point functions of the Hessian on a contour, and the weights that turn them into losses.
//!
//! With ∮ = (1/2πi)∮dλ counter-clockwise, every resolvent at z = −λ, S(κ) = Σ c s/(s+κ) and
//! df_M(κ) = Σ s'/(s+κ) over the test metric s' (df_M = df1 where training and test agree):
//!
//! - train loss of the full gradient: L_t = −∮f_t² S/a_m + σ²\[1 + (1/n)∮(1−f_t²) df1/λ\]
//! - variance of the excess risk: −(σ²/n)∮(1−f_t)² df_M/(a_n λ)
//! - noise kernels: K(τ) = −∮λ h_τ² df1, K_R(τ) = −∮λ h_τ² df_M/a_n
//!
//! A contour through the gap below the spectrum leaves the atom at zero to its residue.

use super::contour::{Contour, Estimate};
use crate::Result;
use num_complex::Complex64;
use rmt_core::{Resolution, SampledFeatures, Solution, Spectrum, Weight};

/// Resolvent functions at the nodes of a contour.
pub(crate) struct Spectral<'a> {
    pub(crate) model: &'a SampledFeatures<'a>,
    pub(crate) contour: Contour,
    pub(crate) solutions: Vec<Solution<Complex64>>,
    /// 1 − df1/n and 1 − df1/m at each node.
    pub(crate) sample_factor: Vec<Complex64>,
    pub(crate) feature_factor: Vec<Complex64>,
    df1: Vec<Complex64>,
    metric_df: Vec<Complex64>,
    signal: Vec<Complex64>,
}

impl<'a> Spectral<'a> {
    pub(crate) fn new(model: &'a SampledFeatures<'a>, contour: Contour) -> Result<Self> {
        let solutions = model.along(&contour.points)?;
        let population = model.population();
        let nodes = |weight| population.nodes(weight, Resolution::Full);
        let (count, joint, metric) =
            (nodes(Weight::Count), nodes(Weight::Target), nodes(Weight::Metric));
        let has_metric = population.has_metric();
        let size = solutions.len();
        let (mut df1, mut metric_df) = (Vec::with_capacity(size), Vec::with_capacity(size));
        let mut signal = Vec::with_capacity(size);
        for solution in &solutions {
            let kappa = solution.kappa();
            let zero = Complex64::from(0.0);
            let (mut target_sum, mut metric_sum) = (zero, zero);
            for (i, s) in count.s.iter().enumerate() {
                let inverse = (kappa + *s).inv();
                target_sum += inverse * (s * joint.w[i]);
                if has_metric {
                    metric_sum += inverse * metric.w[i];
                }
            }
            let degrees = solution.seen[0].dof.a;
            df1.push(degrees);
            signal.push(target_sum);
            metric_df.push(if has_metric { metric_sum + metric.zero / kappa } else { degrees });
        }
        let one = vec![Complex64::from(1.0); size];
        let factor = |stage: usize| solutions.iter().map(|s| s.seen[stage].step.a).collect();
        let with_samples = model.samples().is_finite();
        let sample_factor = if with_samples { factor(1) } else { one.clone() };
        let feature_factor =
            if model.width().is_finite() { factor(1 + usize::from(with_samples)) } else { one };
        Ok(Self {
            model,
            contour,
            solutions,
            sample_factor,
            feature_factor,
            df1,
            metric_df,
            signal,
        })
    }

    /// (base, C) with L_t = base + (1/π) Im Σ C_j f_t(λ_j)² for the full gradient.
    pub(crate) fn train_weights(&self, noise: f64) -> (f64, Vec<Complex64>) {
        let per_sample = noise / self.model.samples();
        let weights = (0..self.contour.len())
            .map(|j| {
                let (point, weight) = (self.contour.points[j], self.contour.weights[j]);
                -weight
                    * (self.signal[j] / self.feature_factor[j] + self.df1[j] / point * per_sample)
            })
            .collect();
        // ∮df1/λ around everything vanishes; the gap leaves q out.
        let base = if self.contour.encloses_zero { noise } else { train_floor(self.model, noise) };
        (base, weights)
    }

    /// Weights W and W_R of the noise kernels: K(τ) = (1/π) Im Σ W_j h_τ(λ_j)².
    pub(crate) fn kernel_weights(&self) -> (Vec<Complex64>, Vec<Complex64>) {
        (0..self.contour.len())
            .map(|j| {
                let common = -self.contour.points[j] * self.contour.weights[j];
                (common * self.df1[j], common * self.metric_df[j] / self.sample_factor[j])
            })
            .unzip()
    }

    /// Variance of the excess risk from 1 − f at every node.
    pub(crate) fn variance(&self, noise: f64, learned: &[Complex64]) -> Estimate {
        if self.model.samples().is_infinite() || noise == 0.0 {
            return Estimate::default();
        }
        let scale = -noise / self.model.samples();
        Estimate::from_terms((0..self.contour.len()).map(|j| {
            learned[j] * learned[j] / self.contour.points[j] * self.metric_df[j]
                / self.sample_factor[j]
                * self.contour.weights[j]
                * scale
        }))
    }
}

/// Train loss of the full gradient as t → ∞: σ²(1 − q/n), and what features of too small a width cannot
/// express, κ₀(1 − m/n) Σ c s/(s+κ₀).
pub(crate) fn train_floor(model: &SampledFeatures<'_>, noise: f64) -> f64 {
    let (n, rank) = (model.samples(), model.hessian_rank());
    let floor = if rank == model.width() {
        let kappa = model.chain().kappa_at_zero();
        let target = model.population().nodes(Weight::Target, Resolution::Full);
        kappa * (1.0 - rank / n) * target.sum(|s| s / (s + kappa))
    } else {
        0.0
    };
    floor + noise * (1.0 - rank / n)
}
