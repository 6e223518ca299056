//! Stability and the limits t → ∞, in closed form.
//!
//! Summed over time the kernels are resolvents at λ = 2(1+β)/η beyond the spectrum, κ* < −s_max there:
//!
//! ‖K‖ = −((1+β)/(1−β)) df1(κ*)/B,
//! ‖K_R‖ = ((1+β)/(1−β)) \[−df_M(κ*)/a_n(κ*) − P η/(2(1+β))\]/B,
//!
//! P the residue that 1/a_n leaves at λ = 0 and that K_R(τ) ∝ λ never sees: κ₀(1 − n/m)df_M(κ₀) where
//! the samples are used up. SGD is stable iff λ₊ < 2(1+β)/η and ‖K‖ < 1; then
//! L_∞ = L^GD_∞/(1 − ‖K‖) and R_∞ = R^GD_∞ + ‖K_R‖L_∞.

use super::bias::static_bias;
use super::spectral::train_floor;
use crate::Result;
use rmt_core::{Resolution, SampledFeatures, Spectrum, Weight};

/// Norms of the noise kernels, ∞ where η exceeds the limit of the full gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct KernelNorms {
    pub(crate) train: f64,
    pub(crate) test: f64,
}

/// A constant step with momentum and batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) rate: f64,
    pub(crate) momentum: f64,
    /// 1/B with the finite-population factor.
    pub(crate) inverse_batch: f64,
}

impl Step {
    fn gain(&self) -> f64 {
        (1.0 + self.momentum) / (1.0 - self.momentum)
    }
}

/// Weight of zero eigenvalues in the test metric.
fn null_metric(model: &SampledFeatures<'_>) -> f64 {
    let population = model.population();
    if population.has_metric() {
        population.nodes(Weight::Metric, Resolution::Full).zero
    } else {
        0.0
    }
}

/// Σ s'/(s + κ₀), zero eigenvalues included where κ₀ > 0.
fn metric_df(model: &SampledFeatures<'_>, kappa: f64) -> f64 {
    let population = model.population();
    if !population.has_metric() {
        let nodes = population.nodes(Weight::Count, Resolution::Full);
        return nodes.sum(|s| s / (s + kappa));
    }
    let nodes = population.nodes(Weight::Metric, Resolution::Full);
    nodes.sum(|s| 1.0 / (s + kappa)) + if kappa > 0.0 { nodes.zero / kappa } else { 0.0 }
}

pub(crate) fn kernel_norms(model: &SampledFeatures<'_>, step: Step) -> KernelNorms {
    let turn = 2.0 * (1.0 + step.momentum) / step.rate;
    // A rate below 1e-308 moves nothing.
    if step.inverse_batch == 0.0 || turn.is_infinite() {
        return KernelNorms { train: 0.0, test: 0.0 };
    }
    let Some(point) = model.beyond(turn) else {
        return KernelNorms { train: f64::INFINITY, test: f64::INFINITY };
    };
    let scale = step.gain() * step.inverse_batch;
    let population = model.population();
    let metric = if population.has_metric() {
        point.resolvent_sum(population.nodes(Weight::Metric, Resolution::Full))
    } else {
        point.df1
    };
    let (n, width, rank) = (model.samples(), model.width(), model.hessian_rank());
    let kappa = model.chain().kappa_at_zero();
    let residue = if rank == n && kappa > 0.0 {
        kappa * (1.0 - n / width) * metric_df(model, kappa)
    } else if kappa == 0.0 {
        null_metric(model) * (1.0 - rank / width)
    } else {
        0.0
    };
    KernelNorms {
        train: -scale * point.df1,
        test: scale * (-metric / point.sample_factor - residue / turn),
    }
}

/// The largest stable learning rate and whether noise (rather than curvature) sets it.
pub(crate) fn max_rate(
    model: &SampledFeatures<'_>,
    momentum: f64,
    inverse_batch: f64,
) -> (f64, bool) {
    let turn = 2.0 * (1.0 + momentum);
    let curvature = turn / model.edges().1;
    let degrees = (1.0 - momentum) / ((1.0 + momentum) * inverse_batch);
    match (inverse_batch > 0.0).then(|| model.beyond_at_df1(degrees)).flatten() {
        Some(point) => (turn / point.point(), true),
        None => (curvature, false),
    }
}

/// t → ∞ of the full gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StaticLimit {
    pub(crate) kappa: f64,
    pub(crate) bias: f64,
    pub(crate) variance: f64,
    pub(crate) train: f64,
}

pub(crate) fn static_limit(model: &SampledFeatures<'_>, noise: f64) -> Result<StaticLimit> {
    let (n, width, rank) = (model.samples(), model.width(), model.hessian_rank());
    let kappa = model.chain().kappa_at_zero();
    let train = train_floor(model, noise);
    let population = model.population();
    let target = population.nodes(Weight::Target, Resolution::Full);
    let signal = target.mass();
    let bias = if kappa == 0.0 {
        // Everything with variance is learnt; null modes in the metric keep their own error and what
        // features leak into them.
        let null = null_metric(model);
        let own = if null > 0.0 {
            population.nodes(Weight::TargetMetric, Resolution::Full).zero
        } else {
            0.0
        };
        own + if null * signal > 0.0 { signal * null / (width - rank) } else { 0.0 }
    } else if n == width {
        // Both sizes are used up at once: the predictor diverges along its last direction.
        if signal > 0.0 { f64::INFINITY } else { 0.0 }
    } else if n.is_infinite() && !population.has_metric() {
        train - noise
    } else {
        static_bias(model)?
    };
    let variance =
        if noise == 0.0 || n.is_infinite() { 0.0 } else { noise * noise_gain(model, kappa, rank) };
    Ok(StaticLimit { kappa, bias, variance, train })
}

/// Variance per unit of noise at t = ∞: minus the residue at zero of df_M/(a_n λ), over n.
fn noise_gain(model: &SampledFeatures<'_>, kappa: f64, rank: f64) -> f64 {
    let (n, width) = (model.samples(), model.width());
    let population = model.population();
    let count = population.nodes(Weight::Count, Resolution::Full);
    if rank < n {
        // With null modes in the metric features of too small a width leak noise into them.
        let null = null_metric(model);
        let leak = if kappa == 0.0 && null > 0.0 {
            let slope = count.sum(|s| 1.0 / s);
            null * slope / (width * (1.0 - rank / n) * (1.0 - rank / width))
        } else {
            0.0
        };
        return (metric_df(model, kappa) / (1.0 - rank / n) + leak) / n;
    }
    if kappa == 0.0 || n == width {
        return f64::INFINITY;
    }
    let slope = count.sum(|s| kappa * s / ((s + kappa) * (s + kappa)));
    let metric = if population.has_metric() {
        population.nodes(Weight::Metric, Resolution::Full)
    } else {
        count
    };
    let curvature = if population.has_metric() {
        metric.sum(|s| s / ((s + kappa) * (s + kappa)))
    } else {
        metric.sum(|s| (s / (s + kappa)).powi(2))
    };
    curvature / slope + metric_df(model, kappa) / (width - n)
}
