//! What is read off the residuals of one ridge and target: leave-one-out, whitened CorrGCV,
//! projections on the eigenvectors of K.

use crate::Result;
use crate::decomposition::Decomposition;
use crate::prepare::Prepared;
use crate::shrinkage::Shrinkage;
use faer::Mat;
use rmt_models::kernel::{JointBasis, Kernel};

/// 1 − hᵢᵢ of every row at every ridge.
pub(crate) struct Leverage<'a> {
    u: &'a Mat<f64>,
    /// 1 − hᵢᵢ in units of each ridge's unit, n×ridges.
    room: Mat<f64>,
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
                } else {
                    for l in 0..steps.len() {
                        room[(i, l)] += rest;
                    }
                }
            }
        }
        Self { u, room, pinned }
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
        let room = self.room.col_as_slice(ridge);
        let free = (0..r.len()).filter(|i| !self.pinned.contains(i));
        let mut sum: f64 = free.map(|i| (r[i] / room[i]).powi(2)).sum();
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
    /// K⁻¹m and mᵀK⁻¹m for the mean vector m.
    mean: Option<(Vec<f64>, f64)>,
    dimension: f64,
}

impl<'a> Whitener<'a> {
    pub(crate) fn new(kernel: &'a Kernel, mean: bool, dimension: usize) -> Result<Option<Self>> {
        let ones = kernel.mean_direction();
        let Some(solved) = kernel.solve(0.0, &ones)? else { return Ok(None) };
        let total = solved.iter().zip(&ones).map(|(s, m)| s * m).sum();
        let mean = mean.then_some((solved, total));
        Ok(Some(Self { kernel, mean, dimension: dimension as f64 }))
    }

    pub(crate) fn error(&self, r: &[f64], kappa_tilde: f64, kappa_tilde_units: f64) -> Result<f64> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let forward = dot(r, &self.kernel.apply(r)?);
        let back = self.kernel.solve(0.0, r)?.map_or(0.0, |s| dot(r, &s));
        let back = match &self.mean {
            Some((solved, total)) => back - dot(r, solved).powi(2) / total,
            None => back,
        };
        let sum = forward + 2.0 * kappa_tilde * dot(r, r) + kappa_tilde * kappa_tilde * back;
        Ok(sum / (kappa_tilde_units * kappa_tilde_units * self.dimension))
    }
}

pub(crate) fn project(basis: &JointBasis, r: &[f64]) -> Vec<f64> {
    (0..basis.values.len())
        .map(|i| basis.vectors.col_as_slice(i).iter().zip(r).map(|(u, r)| u * r).sum())
        .collect()
}
