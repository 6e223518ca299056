//! Eigenbasis of K together with the diagonal of K′ in it.

use super::form::Eigen;
use super::{DENSE_LIMIT, Kernel};
use crate::{Error, Result};
use faer::{Mat, MatRef};

impl Kernel {
    /// Eigenbasis of K, and the diagonal k′ᵢ = uᵢᵀK′uᵢ of K′ = `noise` in it; with `centred`, of PKP
    /// and PK′P in the complement of the all-ones vector. Inside an eigenspace of a repeated
    /// eigenvalue the basis is the one that diagonalises K′, so that k′ is unique. O(n³).
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`DENSE_LIMIT`] rows; kernels of different sizes.
    pub fn joint_basis(&self, noise: &Kernel, centred: bool) -> Result<JointBasis> {
        let n = self.rows;
        if noise.rows != n {
            return Err(Error::LengthMismatch {
                key: "noise_correlation",
                found: noise.rows,
                expected: n,
            });
        }
        if n > DENSE_LIMIT {
            let kind = self.family.kind();
            return Err(Error::TooLarge { kind, rows: n, limit: DENSE_LIMIT });
        }
        if !centred {
            return JointBasis::of(self.dense().as_ref(), noise.dense().as_ref());
        }
        // The columns 1 … n−1 of the reflection that takes the unit mean vector to −e₀ span the
        // complement.
        let mut unit = self.mean_direction();
        let norm = unit.iter().map(|m| m * m).sum::<f64>().sqrt();
        unit.iter_mut().for_each(|m| *m /= norm);
        let basis = Mat::from_fn(n, n.saturating_sub(1), |i, j| match i {
            0 => -unit[j + 1],
            _ => f64::from(u8::from(i == j + 1)) - unit[i] * unit[j + 1] / (1.0 + unit[0]),
        });
        let inside = |k: &Kernel| {
            let m = basis.transpose() * k.dense() * &basis;
            Mat::from_fn(n - 1, n - 1, |i, j| 0.5 * (m[(i, j)] + m[(j, i)]))
        };
        let mut joint = JointBasis::of(inside(self).as_ref(), inside(noise).as_ref())?;
        joint.vectors = &basis * &joint.vectors;
        Ok(joint)
    }
}

/// Eigenbasis of K with the diagonal of K′ in it.
#[derive(Clone, Debug)]
pub struct JointBasis {
    /// Eigenvalues kᵢ of K, descending.
    pub values: Vec<f64>,
    /// k′ᵢ = uᵢᵀK′uᵢ.
    pub noise_diagonal: Vec<f64>,
    /// The uᵢ as columns (n×n, or n×(n − 1) once centred).
    pub vectors: Mat<f64>,
}

impl JointBasis {
    fn of(samples: MatRef<'_, f64>, noise: MatRef<'_, f64>) -> Result<Self> {
        let n = samples.nrows();
        let mut eigen = Eigen::of(samples)?;
        let image = noise * &eigen.vectors;
        let mut noise_diagonal = vec![0.0; n];
        let tolerance = n as f64 * f64::EPSILON * eigen.values.first().copied().unwrap_or(0.0);
        let mut from = 0;
        while from < n {
            let mut to = from + 1;
            while to < n && eigen.values[to - 1] - eigen.values[to] <= tolerance {
                to += 1;
            }
            let width = to - from;
            if width == 1 {
                noise_diagonal[from] = eigen.vectors.col(from).transpose() * image.col(from);
            } else {
                let space = eigen.vectors.subcols(from, width).to_owned();
                let inside = space.transpose() * image.subcols(from, width);
                let inside =
                    Mat::from_fn(width, width, |i, j| 0.5 * (inside[(i, j)] + inside[(j, i)]));
                let turn = Eigen::of(inside.as_ref())?;
                let turned = &space * &turn.vectors;
                eigen.vectors.subcols_mut(from, width).copy_from(&turned);
                noise_diagonal[from..to].copy_from_slice(&turn.values);
                let mean = eigen.values[from..to].iter().sum::<f64>() / width as f64;
                eigen.values[from..to].fill(mean);
            }
            from = to;
        }
        Ok(Self { values: eigen.values, noise_diagonal, vectors: eigen.vectors })
    }
}
