//! Eigenbasis of K together with the diagonal of K′ in it.

use super::form::Eigen;
use super::{DENSE_LIMIT, Kernel};
use crate::{Error, Result};
use faer::{Col, Mat, MatRef};

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
        // I − vvᵀ/(1 + m₀), v = m + e₀, is the reflection that takes the unit mean vector m to −e₀: its
        // columns 1 … n−1 span the complement.
        let mut v = self.mean_direction();
        let norm = v.iter().map(|m| m * m).sum::<f64>().sqrt();
        v.iter_mut().for_each(|m| *m /= norm);
        v[0] += 1.0;
        let v = Col::from_fn(n, |i| v[i]);
        let inside = |k: &Kernel| {
            let k = k.dense();
            // With w = Kv/v₀ − (vᵀKv/2v₀²)v the reflected matrix is K − vwᵀ − wvᵀ.
            let image = &k * &v;
            let along = v.transpose() * &image / (2.0 * v[0] * v[0]);
            let w = Col::from_fn(n, |i| image[i] / v[0] - along * v[i]);
            Mat::from_fn(n - 1, n - 1, |i, j| {
                let (i, j) = (i + 1, j + 1);
                k[(i, j)] - (v[i] * w[j] + w[i] * v[j])
            })
        };
        let mut joint = JointBasis::of(inside(self).as_ref(), inside(noise).as_ref())?;
        let inner = joint.vectors;
        let along = v.subrows(1, n - 1).transpose() * &inner;
        joint.vectors = Mat::from_fn(n, n - 1, |i, j| {
            let shift = v[i] * along[j] / v[0];
            if i == 0 { -shift } else { inner[(i - 1, j)] - shift }
        });
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
