//! Collocation points: the times at which a network is held to the equations.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Where the equations are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Collocation {
    /// Equally spaced, both ends included.
    #[default]
    Uniform,
    /// Chebyshev–Lobatto points, denser at the ends.
    Chebyshev,
    /// One uniform random point in each of equally many strata, fixed by the seed.
    Stratified,
}

impl Collocation {
    /// `count` ≥ 2 scaled times in [−1, 1], ascending.
    pub(crate) fn points(self, count: usize, seed: u64) -> Vec<f64> {
        let last = (count - 1) as f64;
        match self {
            Self::Uniform => (0..count).map(|m| 2.0 * m as f64 / last - 1.0).collect(),
            Self::Chebyshev => {
                (0..count).map(|m| -(std::f64::consts::PI * m as f64 / last).cos()).collect()
            }
            Self::Stratified => {
                let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x636f_6c6c);
                (0..count)
                    .map(|m| 2.0 * (m as f64 + random.random_range(0.0..1.0)) / count as f64 - 1.0)
                    .collect()
            }
        }
    }
}
