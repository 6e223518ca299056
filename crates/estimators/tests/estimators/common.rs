//! Random data for the tests of this crate.

use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rmt_models::kernel::Kernel;

pub(crate) struct Gauss(Xoshiro256PlusPlus);

impl Gauss {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    pub(crate) fn next(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    pub(crate) fn vec(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next()).collect()
    }

    /// n×p rows, `rows` correlated by `kernel`, feature j of variance `spectrum[j]`; row-major.
    pub(crate) fn rows(&mut self, kernel: &Kernel, spectrum: &[f64]) -> Vec<f64> {
        let (n, p) = (kernel.rows(), spectrum.len());
        let mut x = vec![0.0; n * p];
        for (j, s) in spectrum.iter().enumerate() {
            let column = kernel.colour(&self.vec(n)).unwrap().unwrap();
            for (i, value) in column.into_iter().enumerate() {
                x[i * p + j] = s.sqrt() * value;
            }
        }
        x
    }
}

/// y = xθ + noise·σ, noise correlated by `kernel`.
pub(crate) fn respond(x: &[f64], theta: &[f64], sigma: f64, noise: &[f64]) -> Vec<f64> {
    let p = theta.len();
    x.chunks(p)
        .zip(noise)
        .map(|(row, e)| row.iter().zip(theta).map(|(x, t)| x * t).sum::<f64>() + sigma * e)
        .collect()
}

pub(crate) fn assert_close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance * b.abs(), "{what}: {a} against {b}");
}
