//! Sums over modes at one κ, in u = s/(s+κ) and r = κ/(s+κ), so that nothing overflows or cancels.

use rmt_core::{Population, Resolution, Spectrum, Weight};

/// Sums that every observable is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums {
    /// df2 = Σ u².
    pub(super) df2: f64,
    /// Σ s/(s+κ)² = (df1 − df2)/κ.
    pub(super) slope: f64,
    /// Σ c s r²: target energy that the mean predictor misses.
    pub(super) missed: f64,
    /// Σ c u² = T₃.
    pub(super) t3: f64,
    /// κT₃ = Σ c s u r.
    pub(super) kt3: f64,
}

impl Sums {
    pub(super) fn at(population: &Population, kappa: f64) -> Self {
        let count = population.nodes(Weight::Count, Resolution::Compressed);
        let (mut df2, mut slope) = (0.0, 0.0);
        for (s, w) in count.s.iter().zip(&count.w) {
            let inverse = 1.0 / (s + kappa);
            let u = s * inverse;
            df2 += w * u * u;
            slope += w * u * inverse;
        }
        let target = population.nodes(Weight::Target, Resolution::Compressed);
        let (mut missed, mut t3, mut kt3) = (0.0, 0.0, 0.0);
        for (s, c) in target.s.iter().zip(&target.w) {
            let inverse = 1.0 / (s + kappa);
            let (u, r) = (s * inverse, kappa * inverse);
            missed += c * s * r * r;
            t3 += c * u * u;
            kt3 += c * s * u * r;
        }
        Self { df2, slope, missed, t3, kt3 }
    }
}

/// Sums over a test metric t.
#[derive(Clone, Copy, Debug)]
pub(super) struct MetricSums {
    /// Σ t r², modes with s = 0 included.
    pub(super) open: f64,
    /// Σ t s/(s+κ)².
    pub(super) slope: f64,
    /// Σ t c r², modes with s = 0 included.
    pub(super) missed: f64,
    /// Σ t c u².
    pub(super) kept: f64,
}

impl MetricSums {
    pub(super) fn at(population: &Population, kappa: f64) -> Self {
        let metric = population.nodes(Weight::Metric, Resolution::Compressed);
        let (mut open, mut slope) = (metric.zero, 0.0);
        for (s, t) in metric.s.iter().zip(&metric.w) {
            let inverse = 1.0 / (s + kappa);
            let r = kappa * inverse;
            open += t * r * r;
            slope += t * s * inverse * inverse;
        }
        let target = population.nodes(Weight::TargetMetric, Resolution::Compressed);
        let (mut missed, mut kept) = (target.zero, 0.0);
        for (s, t) in target.s.iter().zip(&target.w) {
            let inverse = 1.0 / (s + kappa);
            missed += t * (kappa * inverse).powi(2);
            kept += t * (s * inverse).powi(2);
        }
        Self { open, slope, missed, kept }
    }
}
