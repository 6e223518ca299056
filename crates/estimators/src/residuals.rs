//! What is read off the residuals of one ridge: leave-one-out, whitened CorrGCV.

use crate::Result;
use crate::complement::{Inverse, products};
use crate::decomposition::Decomposition;
use crate::prepare::Prepared;
use crate::shrinkage::{Correlated, Shrinkage};
use faer::{Mat, MatRef};
use rmt_models::kernel::Kernel;

/// 1 − hᵢᵢ of every row at every ridge.
pub(crate) struct Leverage<'a> {
    u: &'a Mat<f64>,
    /// 1/(1 − hᵢᵢ) in units of each ridge's unit, n×ridges; 0 for pinned rows.
    inverse: Mat<f64>,
    /// Rows that the features fit exactly whatever the targets: their r and 1 − h both vanish
    /// with λ while those of other rows do not, and the ratio is taken in units of λ.
    pinned: Vec<usize>,
}

/// Row of U counted as having norm 1.
const PINNED: f64 = 1e-12;

impl<'a> Leverage<'a> {
    pub(crate) fn new(
        data: &Prepared,
        decomposition: &'a Decomposition,
        steps: &[Shrinkage],
    ) -> Self {
        let (n, rank) = (data.rows, decomposition.g.len());
        let u = decomposition.left(data);
        let squares = Mat::from_fn(n, rank, |i, j| u[(i, j)] * u[(i, j)]);
        let factors = Mat::from_fn(rank, steps.len(), |j, l| steps[l].d[j]);
        let mut room = &squares * factors;
        let mut pinned = Vec::new();
        if !decomposition.whole {
            for i in 0..n {
                let mean = data.direction.as_ref().map_or(0.0, |s| s[i] * s[i]);
                let rest = 1.0 - mean - squares.row(i).iter().sum::<f64>();
                if rest < PINNED {
                    pinned.push(i);
                }
                for l in 0..steps.len() {
                    room[(i, l)] = if rest < PINNED { f64::INFINITY } else { room[(i, l)] + rest };
                }
            }
        }
        for l in 0..steps.len() {
            room.col_as_slice_mut(l).iter_mut().for_each(|x| *x = x.recip());
        }
        Self { u, inverse: room, pinned }
    }

    /// Mean of (rᵢ/(1 − hᵢᵢ))².
    pub(crate) fn error(
        &self,
        ridge: usize,
        r: &[f64],
        decomposition: &Decomposition,
        lambda: f64,
        target: usize,
    ) -> f64 {
        let inverse = self.inverse.col_as_slice(ridge);
        let mut sum: f64 = r.iter().zip(inverse).map(|(r, inverse)| (r * inverse).powi(2)).sum();
        for &i in &self.pinned {
            let b = decomposition.b.col_as_slice(target);
            let (mut above, mut below) = (0.0, 0.0);
            for (j, (g, b)) in decomposition.g.iter().zip(b).enumerate() {
                above += self.u[(i, j)] * b / (g + lambda);
                below += self.u[(i, j)] * self.u[(i, j)] / (g + lambda);
            }
            sum += (above / below).powi(2);
        }
        sum / r.len() as f64
    }
}

/// rᵀ(K + 2κ̃ + κ̃²K⁻¹)r/κ̃², with K⁻¹ inside the complement of the mean if one was fitted.
pub(crate) struct Whitener<'a> {
    kernel: &'a Kernel,
    inverse: Inverse<'a>,
    dimension: f64,
}

impl<'a> Whitener<'a> {
    /// `None` if K is singular or its spectrum approximate.
    pub(crate) fn new(kernel: &'a Kernel, mean: bool, dimension: usize) -> Result<Option<Self>> {
        let inverse = Inverse::new(kernel, 0.0, mean)?;
        Ok(inverse.map(|inverse| Self { kernel, inverse, dimension: dimension as f64 }))
    }

    /// Of each column of residuals.
    pub(crate) fn errors(&self, columns: MatRef<'_, f64>, at: Correlated) -> Result<Vec<f64>> {
        let (kappa, units) = (at.kappa_tilde, at.kappa_tilde_units);
        let forward = products(columns, self.kernel.apply_all(columns)?.as_ref());
        let back = products(columns, self.inverse.of(columns)?.as_ref());
        let squares = products(columns, columns);
        let terms = forward.iter().zip(&back).zip(&squares);
        Ok(terms
            .map(|((forward, back), square)| {
                let sum = forward + 2.0 * kappa * square + kappa * kappa * back;
                at.mean_factor * sum / (units * units * self.dimension)
            })
            .collect())
    }
}
