//! Statistics of redrawn data.

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

/// Statistics of `count` resamplings, resampling by resampling; those that failed are left out.
/// Each has its own stream of `seed`: the result does not depend on the number of threads.
pub(crate) fn resample(
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

/// The quantile at rank q(B + 1) of B ordered replicates, linear between them: one more value of the
/// same distribution lies below the i-th of them with probability i/(B + 1).
pub(crate) fn ranked(ordered: &[f64], q: f64) -> f64 {
    let last = ordered.len() - 1;
    let at = (q * (ordered.len() + 1) as f64 - 1.0).clamp(0.0, last as f64);
    let (i, part) = (at.floor() as usize, at.fract());
    ordered[i] + part * (ordered[(i + 1).min(last)] - ordered[i])
}
