//! The rows as the traces see them: eigenvalues k of 𝐊 with the diagonal k' of 𝐊' beside them.

use super::LossWeight;
use crate::kernel::Kernel;
use crate::{Error, Result};
use faer::{Mat, Side};
use rmt_core::CorrelatedSamples;
use rmt_task::Observables;

/// Atoms (k, k', multiplicity), Σ multiplicity = n.
pub(super) struct RowSpectrum {
    atoms: Vec<(f64, f64, f64)>,
    n: f64,
    stage: Option<CorrelatedSamples>,
    /// Whether 𝐊' is known to be no multiple of 𝐊.
    mismatched: bool,
}

impl RowSpectrum {
    pub(super) fn new(
        kernel: &Kernel,
        noise: Option<&Kernel>,
        weight: Option<&LossWeight>,
    ) -> Result<Self> {
        let n = kernel.rows() as f64;
        if let Some(weight) = weight {
            return Self::weighted(kernel, noise.unwrap_or(kernel), weight);
        }
        let levels = |kernel: &Kernel, f: &dyn Fn(f64) -> (f64, f64)| {
            let levels = kernel.levels();
            let mut atoms: Vec<(f64, f64, f64)> = levels
                .values()
                .iter()
                .zip(levels.counts())
                .map(|(k, m)| {
                    let (a, b) = f(*k);
                    (a, b, *m)
                })
                .collect();
            if levels.nullity() > 0.0 {
                let (a, b) = f(0.0);
                atoms.push((a, b, levels.nullity()));
            }
            atoms
        };
        let atoms = match noise {
            None => levels(kernel, &|k| (k, k)),
            Some(noise) if noise.is_identity() => levels(kernel, &|k| (k, 1.0)),
            Some(noise) if kernel.is_identity() => levels(noise, &|k| (1.0, k)),
            Some(noise) => {
                let basis = kernel.joint_basis(noise, false)?;
                // Negative rounding of a positive semi-definite diagonal is zero.
                let pairs = basis.values.iter().zip(&basis.noise_diagonal);
                pairs.map(|(k, q)| (k.max(0.0), q.max(0.0), 1.0)).collect()
            }
        };
        let mismatched = noise.is_some() && !proportional(&atoms);
        Ok(Self { atoms, n, stage: Some(kernel.samples()?), mismatched })
    }

    /// 𝐊 → M^½𝐊M^½ and 𝐊' → M^½𝐊'M^½, without a new normalisation.
    fn weighted(kernel: &Kernel, noise: &Kernel, weight: &LossWeight) -> Result<Self> {
        let n = kernel.rows();
        if n > crate::kernel::DENSE_LIMIT {
            return Err(Error::OutOfRange {
                key: "n",
                value: n as f64,
                remedy: "a weighted loss decomposes n×n matrices; give at most 2000 rows",
            });
        }
        let root = match weight {
            LossWeight::Diagonal(weights) => {
                if weights.len() != n {
                    return Err(Error::LengthMismatch {
                        key: "loss_weight",
                        found: weights.len(),
                        expected: n,
                    });
                }
                if let Some(i) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
                    return Err(Error::BadEntry {
                        key: "loss_weight",
                        index: vec![i],
                        value: weights[i],
                        remedy: "weights must be finite and ≥ 0",
                    });
                }
                Mat::from_fn(n, n, |i, j| if i == j { weights[i].sqrt() } else { 0.0 })
            }
            LossWeight::InverseSampleCorrelation => inverse_root(kernel)?,
            LossWeight::InverseNoiseCorrelation => inverse_root(noise)?,
        };
        let (rows, labels) = (&root * kernel.dense() * &root, &root * noise.dense() * &root);
        let (values, vectors) = if *weight == LossWeight::InverseSampleCorrelation {
            (vec![1.0; n], Mat::identity(n, n))
        } else {
            eigen(&rows)?
        };
        let image = &labels * &vectors;
        let atoms: Vec<(f64, f64, f64)> = (0..n)
            .map(|i| {
                let noise: f64 = vectors.col(i).transpose() * image.col(i);
                (values[i], noise.max(0.0), 1.0)
            })
            .collect();
        let mismatched = !proportional(&atoms);
        Ok(Self { atoms, n: n as f64, stage: None, mismatched })
    }

    /// The sample stage these rows make.
    pub(super) fn stage(&self) -> rmt_core::Result<CorrelatedSamples> {
        match &self.stage {
            Some(stage) => Ok(stage.clone()),
            None => {
                let values: Vec<f64> = self.atoms.iter().map(|a| a.0).collect();
                CorrelatedSamples::new(&values)
            }
        }
    }

    /// (1/n) Σ over atoms with k > 0.
    fn mean(&self, f: impl Fn(f64, f64) -> f64) -> f64 {
        self.atoms.iter().filter(|a| a.0 > 0.0).map(|(k, q, m)| m * f(*k, *q)).sum::<f64>() / self.n
    }

    /// df̃2' = Σ kk'/(k+κ̃)².
    pub(super) fn noise_df2(&self, kappa: f64) -> f64 {
        self.n * self.mean(|k, q| k * q / (k + kappa).powi(2))
    }

    /// Training error and the limits of all estimators, from the residual law. Where κ̃ → 0 every
    /// estimator is a ratio in which κ̃² cancels; it is factored out here.
    pub(super) fn estimators(
        &self,
        risk: f64,
        noise: f64,
        kappa: f64,
        df1: f64,
        out: &mut Observables,
    ) {
        let nullity: f64 = self.atoms.iter().filter(|a| a.0 == 0.0).map(|a| a.2).sum();
        // train = κ̃²·inside + outside, outside = the noise on rows that 𝐊 does not reach.
        let inside = self.mean(|k, q| (risk * k + noise * q) / (k + kappa).powi(2));
        let outside = noise
            * self.atoms.iter().filter(|a| a.0 == 0.0).map(|a| a.1 * a.2).sum::<f64>()
            / self.n;
        let reached = if kappa == 0.0 { 0.0 } else { kappa * kappa * inside };
        let over = |x: f64, y: f64| if x == 0.0 { 0.0 } else { x / y };
        out.set("train_error", reached + outside);
        let gcv1 = if nullity == 0.0 {
            inside / self.mean(|k, _| 1.0 / (k + kappa)).powi(2)
        } else {
            (reached + outside)
                / (nullity / self.n + kappa * self.mean(|k, _| 1.0 / (k + kappa))).powi(2)
        };
        let phi = self.mean(|k, _| k / (k + kappa).powi(2));
        out.set("gcv1", gcv1)
            .set("corr_gcv", inside / phi + over(outside, kappa * kappa * phi))
            .set("gcv2", (self.n / df1).powi(2) * (inside + over(outside, kappa * kappa)));
        if nullity == 0.0 {
            out.set("whitened_corr_gcv", risk + noise * self.mean(|k, q| q / k));
        }
        if self.mismatched {
            out.set("two_component_risk", risk).set("two_component_noise_variance", noise);
        }
    }
}

fn proportional(atoms: &[(f64, f64, f64)]) -> bool {
    let (mut kk, mut kq, mut qq) = (0.0, 0.0, 0.0);
    for (k, q, m) in atoms {
        kk += m * k * k;
        kq += m * k * q;
        qq += m * q * q;
    }
    kk * qq - kq * kq <= 1e-20 * kk * qq
}

/// Eigenvalues (≥ 0) and eigenvectors of a symmetric matrix.
fn eigen(matrix: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    let n = matrix.nrows();
    let eigen =
        matrix.self_adjoint_eigen(Side::Lower).map_err(|_| Error::NoDecomposition { rows: n })?;
    let largest = eigen.S()[n - 1].max(0.0);
    let values = (0..n)
        .map(|i| {
            let v = eigen.S()[i];
            // n·ε of the largest is what the decomposition itself perturbs.
            if v > n as f64 * f64::EPSILON * largest { v } else { 0.0 }
        })
        .collect();
    Ok((values, eigen.U().to_owned()))
}

fn inverse_root(kernel: &Kernel) -> Result<Mat<f64>> {
    let (values, vectors) = eigen(&kernel.dense())?;
    if let Some(zero) = values.iter().find(|v| **v == 0.0) {
        return Err(Error::OutOfRange {
            key: "loss_weight",
            value: *zero,
            remedy: "the correlation has a zero eigenvalue and cannot be inverted; choose another weight",
        });
    }
    let n = kernel.rows();
    let scaled = Mat::from_fn(n, n, |i, j| vectors[(i, j)] / values[j].sqrt());
    Ok(&scaled * vectors.transpose())
}
