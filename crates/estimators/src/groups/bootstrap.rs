//! Bands from refits of resampled rows.

use crate::resample::ranked;
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
pub(super) fn ordered(mut replicates: Vec<f64>) -> Option<Vec<f64>> {
    replicates.retain(|x| x.is_finite());
    replicates.sort_by(f64::total_cmp);
    (replicates.len() >= 20).then_some(replicates)
}

/// The basic (reflected) interval 2θ̂ − quantiles of θ*: what resampling adds to an estimate, the
/// estimate added to the truth, bias included.
pub(super) fn band(estimate: f64, replicates: Vec<f64>) -> Band {
    let Some(replicates) = ordered(replicates) else {
        return Band { low: f64::NEG_INFINITY, high: f64::INFINITY };
    };
    let tail = 0.5 * (1.0 - LEVEL);
    let reflected = |q: f64| 2.0 * estimate - ranked(&replicates, q);
    Band { low: reflected(1.0 - tail), high: reflected(tail) }
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

    /// Catches an off-by-one of the ranks and a reflection the wrong way round.
    #[test]
    fn basic_bands() {
        // The fifth and the 95th of 99 values bound nine tenths of what comes next.
        let replicates: Vec<f64> = (1..100).map(f64::from).collect();
        assert!((ranked(&replicates, 0.05) - 5.0).abs() < 1e-12);
        assert!((ranked(&replicates, 0.95) - 95.0).abs() < 1e-12);
        let Band { low, high } = band(40.0, replicates);
        assert!((low + 15.0).abs() < 1e-12 && (high - 75.0).abs() < 1e-12, "{low} {high}");
        assert_eq!(band(1.0, vec![1.0; 5]).high, f64::INFINITY);
    }
}
