//! Bands from refits of resampled rows.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

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

/// Statistics of `count` resamplings, resampling by resampling; those that failed are left out.
/// Each has its own stream of `seed`: the result does not depend on the number of threads.
pub(super) fn resample(
    count: usize,
    seed: u64,
    statistic: impl Fn(&mut Xoshiro256PlusPlus) -> Option<Vec<f64>> + Sync,
) -> Vec<Vec<f64>> {
    (0..count as u64)
        .into_par_iter()
        .filter_map(|index| {
            let stream = rmt_task::Draw { seed, index }.stream();
            statistic(&mut Xoshiro256PlusPlus::seed_from_u64(stream))
        })
        .collect()
}

/// `count` row positions with replacement.
pub(super) fn positions(random: &mut impl Rng, count: usize) -> Vec<usize> {
    (0..count).map(|_| random.random_range(0..count)).collect()
}

/// The basic (reflected) interval 2θ̂ − quantiles of θ*: what resampling adds to an estimate, the
/// estimate added to the truth, bias included.
pub(super) fn band(estimate: f64, mut replicates: Vec<f64>) -> Band {
    replicates.retain(|x| x.is_finite());
    if replicates.len() < 20 {
        return Band { low: f64::NEG_INFINITY, high: f64::INFINITY };
    }
    replicates.sort_by(f64::total_cmp);
    let quantile = |q: f64| {
        let at = q * (replicates.len() - 1) as f64;
        let (i, part) = (at.floor() as usize, at.fract());
        let next = replicates[(i + 1).min(replicates.len() - 1)];
        replicates[i] + part * (next - replicates[i])
    };
    let tail = 0.5 * (1.0 - LEVEL);
    Band { low: 2.0 * estimate - quantile(1.0 - tail), high: 2.0 * estimate - quantile(tail) }
}

/// Quantile of Student's t at the upper end of a band, by its expansion around the normal one
/// (error below 0.01 from three degrees of freedom on).
pub(super) fn student_upper(degrees: f64) -> f64 {
    let z: f64 = 1.644_853_626_951_472_2;
    let (z3, z5, z7) = (z.powi(3), z.powi(5), z.powi(7));
    z + (z3 + z) / (4.0 * degrees)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * degrees.powi(2))
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * degrees.powi(3))
}
