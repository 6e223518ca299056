//! Bands from refits of resampled rows.

use crate::resample::quantile;
use rand::Rng;

/// A central interval with its nominal level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Nominal level of every band.
pub(super) const LEVEL: f64 = 0.9;

/// `count` row positions with replacement.
pub(super) fn positions(random: &mut impl Rng, count: usize) -> Vec<usize> {
    (0..count).map(|_| random.random_range(0..count)).collect()
}

/// Finite replicates in order; `None` where they are too few for a band.
fn sorted(mut replicates: Vec<f64>) -> Option<Vec<f64>> {
    replicates.retain(|x| x.is_finite());
    replicates.sort_by(f64::total_cmp);
    (replicates.len() >= 20).then_some(replicates)
}

/// The basic (reflected) interval 2θ̂ − quantiles of θ*: what resampling adds to an estimate, the
/// estimate added to the truth, bias included.
pub(super) fn band(estimate: f64, replicates: Vec<f64>) -> Band {
    let Some(replicates) = sorted(replicates) else {
        return Band { low: f64::NEG_INFINITY, high: f64::INFINITY };
    };
    let tail = 0.5 * (1.0 - LEVEL);
    let reflected = |q: f64| 2.0 * estimate - quantile(&replicates, q);
    Band { low: reflected(1.0 - tail), high: reflected(tail) }
}

/// The bias-corrected percentile interval (Efron, Can. J. Statist. 9, 139, 1981): quantiles at
/// Φ(2z₀ ± z), z₀ the normal quantile of the part of θ* below θ̂. It does not depend on the scale
/// of θ and stays in its range, where a reflection of replicates that pile up at an end would not.
pub(super) fn percentile_band(estimate: f64, replicates: Vec<f64>, range: (f64, f64)) -> Band {
    let Some(replicates) = sorted(replicates) else {
        return Band { low: range.0, high: range.1 };
    };
    let count = |f: &dyn Fn(&f64) -> bool| replicates.iter().filter(|x| f(x)).count() as f64;
    let size = replicates.len() as f64;
    let below = count(&|x| *x < estimate) + 0.5 * count(&|x| *x == estimate);
    let centre = normal_quantile((below / size).clamp(0.5 / size, 1.0 - 0.5 / size));
    let level = |z: f64| quantile(&replicates, normal(2.0 * centre + z));
    Band { low: level(-NORMAL_TAIL), high: level(NORMAL_TAIL) }
}

/// Φ(z).
fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Φ⁻¹(q) by bisection.
fn normal_quantile(q: f64) -> f64 {
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if normal(middle) < q { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Normal quantile at the upper end of a band.
const NORMAL_TAIL: f64 = 1.644_853_626_951_472_2;

/// Quantile of Student's t at the upper end of a band, by its expansion around the normal one
/// (error below 0.01 from three degrees of freedom on).
pub(super) fn student_upper(degrees: f64) -> f64 {
    let z = NORMAL_TAIL;
    let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
    z + (z3 + z) / (4.0 * degrees)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * degrees.powi(2))
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * degrees.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A monotone change of scale moves the percentile band along, the range is kept, and a biased
    /// estimate is moved back: catches a wrong sign of z₀.
    #[test]
    fn percentile_bands() {
        let replicates: Vec<f64> = (0..1001).map(|i| f64::from(i) / 1000.0).collect();
        let plain = percentile_band(0.5, replicates.clone(), (0.0, 1.0));
        assert!((plain.low - 0.05).abs() < 1e-6 && (plain.high - 0.95).abs() < 1e-6);
        let cubed = replicates.iter().map(|x| x.powi(3)).collect();
        let scaled = percentile_band(0.125, cubed, (0.0, 1.0));
        assert!((scaled.high - plain.high.powi(3)).abs() < 1e-3);
        // Most replicates above the estimate: it is low already, and so is the truth.
        let moved = percentile_band(0.3, replicates.clone(), (0.0, 1.0));
        assert!(moved.low < plain.low && moved.high < plain.high && moved.low >= 0.0);
        let end = percentile_band(0.0, vec![0.0; 50], (0.0, 1.0));
        assert_eq!(end, Band { low: 0.0, high: 0.0 });
        assert_eq!(percentile_band(0.2, vec![0.1; 5], (0.0, 1.0)), Band { low: 0.0, high: 1.0 });
        assert!((normal_quantile(normal(1.3)) - 1.3).abs() < 1e-12);
    }
}
