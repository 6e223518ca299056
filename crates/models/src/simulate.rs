//! Finite-size experiments: Gaussian matrices from a draw's own stream, and a ridge fit with
//! everything one data set can measure.

use crate::{Error, Result};
use faer::{Mat, MatRef, Side};
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rmt_task::Draw;

/// Standard normal numbers of one draw; equal draws give equal numbers on every machine and thread.
pub(crate) struct Gaussian(Xoshiro256PlusPlus);

impl Gaussian {
    pub(crate) fn new(draw: Draw) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(draw.stream()))
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// A whole number in 0..n, each equally likely.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    /// Independent entries, filled column by column.
    pub(crate) fn matrix(&mut self, rows: usize, columns: usize) -> Mat<f64> {
        Mat::from_fn(rows, columns, |_, _| self.next())
    }

    /// Independent entries.
    pub(crate) fn vector(&mut self, length: usize) -> Vec<f64> {
        (0..length).map(|_| self.next()).collect()
    }
}

/// A whole number of samples or features, for experiments that need one.
pub(crate) fn whole(key: &'static str, value: f64) -> Result<usize> {
    if value >= 1.0 && value.fract() == 0.0 && value < 1e9 {
        Ok(value as usize)
    } else {
        Err(Error::OutOfRange {
            key,
            value,
            remedy: "a simulation needs a whole number of at least 1",
        })
    }
}

/// θ̂ = (Σ̂ + λ)⁻¹Xᵀy/n from one eigendecomposition of the smaller Gram matrix, for any λ ≥ 0 (λ = 0:
/// the minimum-norm solution).
pub(crate) struct SampleRidge {
    n: usize,
    /// Non-zero eigenvalues of XᵀX/n, descending.
    gram: Vec<f64>,
    /// n×r left and p×r right singular vectors.
    left: Mat<f64>,
    right: Mat<f64>,
}

/// Eigenvalues below this fraction of the largest count as zero.
const NULL: f64 = 1e-13;

impl SampleRidge {
    pub(crate) fn new(x: MatRef<'_, f64>) -> Result<Self> {
        let (n, p) = (x.nrows(), x.ncols());
        let scale = 1.0 / n as f64;
        let gram = if n <= p { x * x.transpose() } else { x.transpose() * x };
        let gram = gram * faer::Scale(scale);
        let eigen = gram
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| Error::NoDecomposition { rows: gram.nrows() })?;
        let (values, vectors) = (eigen.S(), eigen.U());
        let size = gram.nrows();
        let largest = values[size - 1].max(0.0);
        let rank = (0..size).filter(|i| values[*i] > NULL * largest).count();
        let values: Vec<f64> = (0..rank).map(|i| values[size - 1 - i]).collect();
        let small = Mat::from_fn(size, rank, |i, j| vectors[(i, size - 1 - j)]);
        // The other side: V = XᵀU/√(n g), U = XV/√(n g).
        let mut other = if n <= p { x.transpose() * &small } else { x * &small };
        for (j, g) in values.iter().enumerate() {
            let factor = (scale / g).sqrt();
            for i in 0..other.nrows() {
                other[(i, j)] *= factor;
            }
        }
        let (left, right) = if n <= p { (small, other) } else { (other, small) };
        Ok(Self { n, gram: values, left, right })
    }

    /// Degrees of freedom D̂ = Σ ĝ/(ĝ+λ).
    pub(crate) fn dof(&self, lambda: f64) -> f64 {
        self.gram.iter().map(|g| g / (g + lambda)).sum()
    }

    /// Tr S² of the smoother ŷ = S y.
    pub(crate) fn dof_squared(&self, lambda: f64) -> f64 {
        self.gram.iter().map(|g| (g / (g + lambda)).powi(2)).sum()
    }

    /// Leverages: the diagonal of X(Σ̂ + λ)⁻¹Xᵀ/n.
    pub(crate) fn leverages(&self, lambda: f64) -> Vec<f64> {
        let kept: Vec<f64> = self.gram.iter().map(|g| g / (g + lambda)).collect();
        (0..self.n)
            .map(|i| kept.iter().enumerate().map(|(j, k)| self.left[(i, j)].powi(2) * k).sum())
            .collect()
    }

    /// Uᵀy.
    fn project(&self, y: &[f64]) -> Vec<f64> {
        (0..self.gram.len()).map(|j| (0..self.n).map(|i| self.left[(i, j)] * y[i]).sum()).collect()
    }

    /// Coefficients θ̂.
    pub(crate) fn coefficients(&self, y: &[f64], lambda: f64) -> Vec<f64> {
        self.filtered(y, |g| 1.0 / (g + lambda))
    }

    /// f(Σ̂)Xᵀy/n for a spectral filter f: ridge is 1/(g+λ), gradient flow (1 − e^{−gt})/g.
    pub(crate) fn filtered(&self, y: &[f64], filter: impl Fn(f64) -> f64) -> Vec<f64> {
        let weights: Vec<f64> = self
            .project(y)
            .iter()
            .zip(&self.gram)
            .map(|(b, g)| b * g.sqrt() * filter(*g) / (self.n as f64).sqrt())
            .collect();
        (0..self.right.nrows())
            .map(|i| weights.iter().enumerate().map(|(j, w)| self.right[(i, j)] * w).sum())
            .collect()
    }

    /// (Σ̂ + λ)⁻¹Xᵀ/n as a p×n matrix: coefficients per unit of y.
    pub(crate) fn operator(&self, lambda: f64) -> Mat<f64> {
        let scale = 1.0 / (self.n as f64).sqrt();
        let weighted = Mat::from_fn(self.right.nrows(), self.gram.len(), |i, j| {
            self.right[(i, j)] * self.gram[j].sqrt() / (self.gram[j] + lambda) * scale
        });
        &weighted * self.left.transpose()
    }

    /// Residuals, without the cancellation of y − Xθ̂.
    pub(crate) fn residuals(&self, y: &[f64], lambda: f64) -> Vec<f64> {
        let projected = self.project(y);
        let complete = self.gram.len() == self.n;
        (0..self.n)
            .map(|i| {
                let (mut inside, mut fitted) = (0.0, 0.0);
                for (j, (b, g)) in projected.iter().zip(&self.gram).enumerate() {
                    let u = self.left[(i, j)] * b;
                    inside += u * lambda / (g + lambda);
                    fitted += u;
                }
                if complete { inside } else { inside + (y[i] - fitted) }
            })
            .collect()
    }

    /// Generalised cross-validation and leave-one-out error, with their limits at λ = 0.
    pub(crate) fn cross_validation(&self, y: &[f64], lambda: f64) -> (f64, f64) {
        // Where the Gram matrix has full rank every factor λ cancels.
        let complete = self.gram.len() == self.n;
        let shrink: Vec<f64> = self
            .gram
            .iter()
            .map(|g| if complete { 1.0 / (g + lambda) } else { lambda / (g + lambda) })
            .collect();
        let projected = self.project(y);
        let (mut squares, mut traces, mut loo) = (0.0, 0.0, 0.0);
        for i in 0..self.n {
            let (mut residual, mut room) = if complete { (0.0, 0.0) } else { (y[i], 1.0) };
            for (j, (b, w)) in projected.iter().zip(&shrink).enumerate() {
                let u = self.left[(i, j)];
                // A vector outside the range keeps its full residual: subtract the range, add it shrunk.
                let w = if complete { *w } else { *w - 1.0 };
                residual += u * b * w;
                room += u * u * w;
            }
            squares += residual * residual;
            traces += room;
            loo += (residual / room).powi(2);
        }
        let n = self.n as f64;
        (squares / n / (traces / n).powi(2), loo / n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the normal equations, on both sides of n = p: a wrong scaling or a lost direction shows
    /// at order one.
    #[test]
    fn fit_solves_the_normal_equations() {
        for (n, p) in [(7, 4), (4, 7)] {
            let mut random = Gaussian::new(Draw { seed: 5, index: n as u64 });
            let (x, y) = (random.matrix(n, p), random.vector(n));
            let lambda = 0.3;
            let fit = SampleRidge::new(x.as_ref()).unwrap();
            let theta = fit.coefficients(&y, lambda);
            let by_operator = fit.operator(lambda);
            let prediction = |i: usize, t: &[f64]| (0..p).map(|j| x[(i, j)] * t[j]).sum::<f64>();
            for j in 0..p {
                let gradient: f64 =
                    (0..n).map(|i| x[(i, j)] * (y[i] - prediction(i, &theta))).sum();
                assert!((gradient / n as f64 - lambda * theta[j]).abs() < 1e-13);
                let other: f64 = (0..n).map(|i| by_operator[(j, i)] * y[i]).sum();
                assert!((other - theta[j]).abs() < 1e-13);
            }
            let residuals = fit.residuals(&y, lambda);
            let (gcv, loo) = fit.cross_validation(&y, lambda);
            let mut direct = 0.0;
            for i in 0..n {
                assert!((residuals[i] - (y[i] - prediction(i, &theta))).abs() < 1e-13);
                // Leave one out by refitting: the objective keeps its 1/n.
                let keep: Vec<usize> = (0..n).filter(|k| *k != i).collect();
                let part = Mat::from_fn(n - 1, p, |a, b| x[(keep[a], b)]);
                let targets: Vec<f64> = keep.iter().map(|k| y[*k]).collect();
                let refit = SampleRidge::new(part.as_ref()).unwrap();
                let t = refit.coefficients(&targets, lambda * n as f64 / (n - 1) as f64);
                direct += (y[i] - prediction(i, &t)).powi(2) / n as f64;
            }
            assert!((loo / direct - 1.0).abs() < 1e-12, "{loo} {direct}");
            let room = 1.0 - fit.dof(lambda) / n as f64;
            let plain = residuals.iter().map(|r| r * r).sum::<f64>() / n as f64 / (room * room);
            assert!((gcv / plain - 1.0).abs() < 1e-12);
        }
    }
}
