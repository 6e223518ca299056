//! One diagonal block of K in the representation that makes its operations cheap.

use super::tridiagonal::{precision, tridiagonal_eigenvalues, tridiagonal_solve};
use crate::{Error, Result};
use faer::{ColRef, Mat, MatRef, Side};
use rayon::prelude::*;
use std::f64::consts::PI;
use std::sync::OnceLock;

/// A block of K.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// diag(values).
    Diagonal(Vec<f64>),
    /// Exponential correlation of possibly unequal steps: a Markov chain with correlation
    /// `decay[t]` between rows t and t+1 and `innovation[t]` = 1 − decay². K⁻¹ is tridiagonal.
    Markov { decay: Vec<f64>, innovation: Vec<f64> },
    /// Unit diagonal with `beside` next to it.
    Tridiagonal { beside: Vec<f64> },
    /// Blocks of `size` rows with equal correlation inside.
    Exchangeable { rows: usize, size: usize, correlation: f64 },
    /// Any matrix.
    Dense { matrix: Mat<f64>, eigen: OnceLock<Eigen> },
    /// Symmetric Toeplitz with this first column, never formed; spectrum of its circulant.
    Toeplitz { column: Vec<f64> },
}

/// K = V diag(values) Vᵀ.
#[derive(Clone, Debug)]
pub(super) struct Eigen {
    pub(super) values: Vec<f64>,
    pub(super) vectors: Mat<f64>,
}

/// An eigenvalue with its multiplicity and the weight (1ᵀu)² of the all-ones vector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) value: f64,
    pub(super) count: f64,
    pub(super) weight: f64,
}

/// The vector that a fitted mean takes out of the rows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mean<'a> {
    /// No mean is fitted.
    Unused,
    /// All ones.
    Ones,
    /// Another one (weighted rows); for diagonal and dense forms only.
    Along(&'a [f64]),
}

impl Mean<'_> {
    fn at(self, row: usize) -> f64 {
        match self {
            Self::Unused | Self::Ones => 1.0,
            Self::Along(m) => m[row],
        }
    }
}

/// Eigenvalues below this times the largest are rejected as negative.
const NEGATIVE: f64 = 1e-10;

impl Form {
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Diagonal(values) => values.len(),
            Self::Markov { decay, .. } => decay.len() + 1,
            Self::Tridiagonal { beside } => beside.len() + 1,
            Self::Exchangeable { rows, .. } => *rows,
            Self::Dense { matrix, .. } => matrix.nrows(),
            Self::Toeplitz { column } => column.len(),
        }
    }

    /// Eigenvalues with multiplicities, rounding set to zero, and the weight (mᵀu)² of the mean
    /// vector in each eigenspace (which costs dense forms their eigenvectors).
    pub(super) fn spectrum(&self, mean: Mean<'_>) -> Result<Vec<Level>> {
        let n = self.rows();
        Ok(match self {
            Self::Diagonal(values) => runs(values, mean),
            Self::Markov { decay, innovation } if decay.windows(2).all(|w| w[0] == w[1]) => {
                let rho = decay.first().copied().unwrap_or(0.0);
                let one_minus = innovation.first().copied().unwrap_or(1.0) / (1.0 + rho);
                let values = rmt_core::ar1_eigenvalues(n, rho, one_minus);
                let theta = rmt_core::ar1_frequencies(n, rho, one_minus);
                let m = n as f64;
                let level = |(at, (value, theta)): (usize, (f64, f64))| {
                    // Cosine eigenvectors (even positions); the sines sum to zero.
                    let sum = (0.5 * m * theta).sin() / (0.5 * theta).sin();
                    let norm = 0.5 * (m + (m * theta).sin() / theta.sin());
                    let weight = if at % 2 == 0 { sum * sum / norm } else { 0.0 };
                    Level { value, count: 1.0, weight }
                };
                values.into_iter().zip(theta).enumerate().map(level).collect()
            }
            Self::Markov { decay, innovation } => {
                let (diagonal, beside) = precision(decay, innovation);
                let (inverse, ones) = tridiagonal_eigenvalues(diagonal, beside)
                    .ok_or(Error::NoDecomposition { rows: n })?;
                let pairs = inverse.into_iter().zip(ones);
                pairs.map(|(x, z)| Level { value: 1.0 / x, count: 1.0, weight: z * z }).collect()
            }
            Self::Tridiagonal { beside } => {
                // Stretches of equal coupling between gaps are independent of each other.
                let mut levels = Vec::with_capacity(n);
                let mut from = 0;
                for to in 0..=beside.len() {
                    if to == beside.len() || beside[to] == 0.0 {
                        let coupling = if to > from { 2.0 * beside[from] } else { 0.0 };
                        let length = to - from + 1;
                        let size = length as f64 + 1.0;
                        let values = rmt_core::nearest_neighbor_eigenvalues(length, coupling);
                        levels.extend(values.into_iter().enumerate().map(|(at, value)| {
                            // Σ_t sin(πjt/size) = cot(πj/2size) for odd j, 0 for even j.
                            let angle = PI * (at as f64 + 1.0) / (2.0 * size);
                            let weight =
                                if at % 2 == 0 { 2.0 / size * angle.tan().powi(-2) } else { 0.0 };
                            Level { value, count: 1.0, weight }
                        }));
                        from = to + 1;
                    }
                }
                levels
            }
            Self::Exchangeable { size, correlation, .. } => {
                let (m, groups) = (*size as f64, (n / size) as f64);
                // Zero at the ends of the range, up to rounding.
                let clean = |k: f64| if k < 4.0 * f64::EPSILON { 0.0 } else { k };
                let top = clean(1.0 + (m - 1.0) * correlation);
                let mut levels = vec![Level { value: top, count: groups, weight: n as f64 }];
                if *size > 1 {
                    let inside = clean(1.0 - correlation);
                    levels.push(Level { value: inside, count: groups * (m - 1.0), weight: 0.0 });
                }
                levels
            }
            Self::Dense { matrix, eigen } => {
                if !matches!(mean, Mean::Unused) || eigen.get().is_some() {
                    let eigen = self.eigen()?;
                    let values = eigen.values.iter().enumerate();
                    values
                        .map(|(j, &value)| {
                            let column = eigen.vectors.col_as_slice(j).iter().enumerate();
                            let along: f64 = column.map(|(i, u)| mean.at(i) * u).sum();
                            let weight = along * along;
                            Level { value, count: 1.0, weight }
                        })
                        .collect()
                } else {
                    let values = matrix
                        .self_adjoint_eigenvalues(Side::Lower)
                        .map_err(|_| Error::NoDecomposition { rows: n })?;
                    let values = rounded(values)?.into_iter();
                    values.map(|value| Level { value, count: 1.0, weight: 0.0 }).collect()
                }
            }
            Self::Toeplitz { column } => {
                // The first eigenvector of a circulant is constant.
                let level = |(at, value)| Level {
                    value,
                    count: 1.0,
                    weight: if at == 0 { n as f64 } else { 0.0 },
                };
                circulant(column).into_iter().enumerate().map(level).collect()
            }
        })
    }

    /// K v.
    pub(super) fn apply(&self, v: &[f64]) -> Vec<f64> {
        match self {
            Self::Diagonal(values) => values.iter().zip(v).map(|(k, v)| k * v).collect(),
            Self::Markov { decay, .. } => {
                let n = v.len();
                let mut out = v.to_vec();
                for t in 1..n {
                    out[t] += decay[t - 1] * out[t - 1];
                }
                let mut ahead = 0.0;
                for t in (0..n - 1).rev() {
                    ahead = decay[t] * (v[t + 1] + ahead);
                    out[t] += ahead;
                }
                out
            }
            Self::Tridiagonal { beside } => {
                let mut out = v.to_vec();
                for (t, b) in beside.iter().enumerate() {
                    out[t] += b * v[t + 1];
                    out[t + 1] += b * v[t];
                }
                out
            }
            Self::Exchangeable { size, correlation, .. } => v
                .chunks(*size)
                .flat_map(|block| {
                    let shared = correlation * block.iter().sum::<f64>();
                    block.iter().map(move |v| (1.0 - correlation) * v + shared)
                })
                .collect(),
            Self::Dense { matrix, .. } => entries(matrix * ColRef::from_slice(v).as_mat()),
            Self::Toeplitz { column } => (0..v.len())
                .map(|t| {
                    let past = column[..=t].iter().rev().zip(v).map(|(k, v)| k * v).sum::<f64>();
                    past + column[1..].iter().zip(&v[t + 1..]).map(|(k, v)| k * v).sum::<f64>()
                })
                .collect(),
        }
    }

    /// (K + shift)⁻¹ v; `None` if that matrix is singular or has no direct solve.
    pub(super) fn solve(&self, shift: f64, v: &[f64]) -> Result<Option<Vec<f64>>> {
        Ok(match self {
            Self::Diagonal(values) => {
                if shift == 0.0 && values.contains(&0.0) {
                    return Ok(None);
                }
                Some(values.iter().zip(v).map(|(k, v)| v / (k + shift)).collect())
            }
            Self::Markov { decay, innovation } => {
                // (K + κ̃)⁻¹ = T(I + κ̃T)⁻¹ with tridiagonal T = K⁻¹.
                let (diagonal, beside) = precision(decay, innovation);
                let inner = if shift == 0.0 {
                    v.to_vec()
                } else {
                    let shifted: Vec<f64> = diagonal.iter().map(|d| 1.0 + shift * d).collect();
                    let off: Vec<f64> = beside.iter().map(|b| shift * b).collect();
                    tridiagonal_solve(&shifted, &off, v)
                };
                let mut out: Vec<f64> = diagonal.iter().zip(&inner).map(|(d, x)| d * x).collect();
                for (t, b) in beside.iter().enumerate() {
                    out[t] += b * inner[t + 1];
                    out[t + 1] += b * inner[t];
                }
                Some(out)
            }
            Self::Tridiagonal { beside } => {
                Some(tridiagonal_solve(&vec![1.0 + shift; v.len()], beside, v))
            }
            Self::Exchangeable { size, correlation, .. } => {
                let inside = 1.0 - correlation + shift;
                let top = 1.0 + (*size as f64 - 1.0) * correlation + shift;
                if (*size > 1 && inside <= 0.0) || top <= 4.0 * f64::EPSILON {
                    return Ok(None);
                }
                let out = v.chunks(*size).flat_map(|block| {
                    let mean = block.iter().sum::<f64>() / *size as f64;
                    block.iter().map(move |v| {
                        if *size == 1 { mean / top } else { (v - mean) / inside + mean / top }
                    })
                });
                Some(out.collect())
            }
            Self::Dense { .. } => {
                let columns = ColRef::from_slice(v).as_mat();
                self.solve_all(shift, columns)?.map(entries)
            }
            Self::Toeplitz { .. } => None,
        })
    }

    /// L v for some L with L Lᵀ = K, so that white noise becomes noise of covariance K; `None`
    /// for a spectrum that is only approximate.
    pub(super) fn colour(&self, v: &[f64]) -> Result<Option<Vec<f64>>> {
        Ok(Some(match self {
            Self::Diagonal(values) => values.iter().zip(v).map(|(k, v)| k.sqrt() * v).collect(),
            Self::Markov { decay, innovation } => {
                let mut out = v.to_vec();
                for t in 1..v.len() {
                    out[t] = decay[t - 1] * out[t - 1] + innovation[t - 1].sqrt() * v[t];
                }
                out
            }
            Self::Tridiagonal { beside } => {
                // Bidiagonal Cholesky factor, built on the way.
                let mut pivot = 1.0_f64;
                let mut out = v.to_vec();
                for t in 1..v.len() {
                    let below = beside[t - 1] / pivot;
                    pivot = ((1.0 - below) * (1.0 + below)).max(0.0).sqrt();
                    out[t] = below * v[t - 1] + pivot * v[t];
                }
                out
            }
            Self::Exchangeable { size, correlation, .. } => {
                let inside = (1.0 - correlation).max(0.0).sqrt();
                let top = (1.0 + (*size as f64 - 1.0) * correlation).max(0.0).sqrt();
                v.chunks(*size)
                    .flat_map(|block| {
                        let mean = block.iter().sum::<f64>() / *size as f64;
                        block.iter().map(move |v| inside * (v - mean) + top * mean)
                    })
                    .collect()
            }
            Self::Dense { .. } => {
                entries(self.eigen()?.map(ColRef::from_slice(v).as_mat(), f64::sqrt))
            }
            Self::Toeplitz { .. } => return Ok(None),
        }))
    }

    /// K of every column.
    pub(super) fn apply_all(&self, columns: MatRef<'_, f64>) -> Result<Option<Mat<f64>>> {
        match self {
            Self::Dense { matrix, .. } => Ok(Some(matrix * columns)),
            _ => each(columns, |v| Ok(Some(self.apply(v)))),
        }
    }

    /// (K + shift)⁻¹ of every column, as [`Form::solve`].
    pub(super) fn solve_all(
        &self,
        shift: f64,
        columns: MatRef<'_, f64>,
    ) -> Result<Option<Mat<f64>>> {
        if !matches!(self, Self::Dense { .. }) {
            return each(columns, |v| self.solve(shift, v));
        }
        let eigen = self.eigen()?;
        let singular = shift == 0.0 && eigen.values.contains(&0.0);
        Ok((!singular).then(|| eigen.map(columns, |k| 1.0 / (k + shift))))
    }

    /// L of every column, as [`Form::colour`].
    pub(super) fn colour_all(&self, columns: MatRef<'_, f64>) -> Result<Option<Mat<f64>>> {
        match self {
            Self::Dense { .. } => Ok(Some(self.eigen()?.map(columns, f64::sqrt))),
            _ => each(columns, |v| self.colour(v)),
        }
    }

    /// The block as a matrix.
    pub(super) fn dense(&self) -> Mat<f64> {
        let n = self.rows();
        match self {
            Self::Diagonal(values) => {
                Mat::from_fn(n, n, |i, j| if i == j { values[i] } else { 0.0 })
            }
            Self::Markov { decay, .. } => {
                let mut out = Mat::identity(n, n);
                for j in 0..n {
                    let column = out.col_as_slice_mut(j);
                    for i in j + 1..n {
                        column[i] = column[i - 1] * decay[i - 1];
                    }
                    for i in (0..j).rev() {
                        column[i] = column[i + 1] * decay[i];
                    }
                }
                out
            }
            Self::Tridiagonal { beside } => Mat::from_fn(n, n, |i, j| match i.abs_diff(j) {
                0 => 1.0,
                1 => beside[i.min(j)],
                _ => 0.0,
            }),
            Self::Exchangeable { size, correlation, .. } => Mat::from_fn(n, n, |i, j| {
                if i == j {
                    1.0
                } else if i / size == j / size {
                    *correlation
                } else {
                    0.0
                }
            }),
            Self::Dense { matrix, .. } => matrix.clone(),
            Self::Toeplitz { column } => Mat::from_fn(n, n, |i, j| column[i.abs_diff(j)]),
        }
    }

    pub(super) fn dense_from(matrix: Mat<f64>) -> Self {
        Self::Dense { matrix, eigen: OnceLock::new() }
    }

    fn eigen(&self) -> Result<&Eigen> {
        let Self::Dense { matrix, eigen } = self else {
            unreachable!("only called from the dense arms");
        };
        if let Some(eigen) = eigen.get() {
            return Ok(eigen);
        }
        let computed = Eigen::of(matrix.as_ref())?;
        Ok(eigen.get_or_init(|| computed))
    }
}

impl Eigen {
    /// Eigenvalues descending, rounding set to zero.
    pub(super) fn of(matrix: MatRef<'_, f64>) -> Result<Self> {
        let n = matrix.nrows();
        let evd = matrix
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| Error::NoDecomposition { rows: n })?;
        let values = (0..n).map(|i| evd.S()[n - 1 - i]).collect();
        let vectors = Mat::from_fn(n, n, |i, j| evd.U()[(i, n - 1 - j)]);
        Ok(Self { values: rounded(values)?, vectors })
    }

    /// f(K) of every column.
    fn map(&self, columns: MatRef<'_, f64>, f: impl Fn(f64) -> f64) -> Mat<f64> {
        let mut inside = self.vectors.transpose() * columns;
        let factors: Vec<f64> = self.values.iter().map(|k| f(*k)).collect();
        for j in 0..inside.ncols() {
            inside.col_as_slice_mut(j).iter_mut().zip(&factors).for_each(|(x, f)| *x *= f);
        }
        &self.vectors * inside
    }
}

/// Refuses truly negative eigenvalues, sets those of rounding to zero.
fn rounded(mut values: Vec<f64>) -> Result<Vec<f64>> {
    let largest = values.iter().fold(0.0_f64, |m, k| m.max(*k));
    let least = values.iter().fold(f64::INFINITY, |m, k| m.min(*k));
    if least < -NEGATIVE * largest || !least.is_finite() || !largest.is_finite() {
        return Err(Error::NotPositive { eigenvalue: least, largest });
    }
    let floor = values.len() as f64 * f64::EPSILON * largest;
    for value in &mut values {
        if *value < floor {
            *value = 0.0;
        }
    }
    Ok(values)
}

/// The only column.
fn entries(column: Mat<f64>) -> Vec<f64> {
    column.col_as_slice(0).to_vec()
}

/// An operation on vectors, of every column; `None` if it is that of any.
fn each(
    columns: MatRef<'_, f64>,
    operation: impl Fn(&[f64]) -> Result<Option<Vec<f64>>> + Sync,
) -> Result<Option<Mat<f64>>> {
    let images: Option<Vec<Vec<f64>>> = (0..columns.ncols())
        .into_par_iter()
        .map(|j| match columns.col(j).try_as_col_major() {
            Some(column) => operation(column.as_slice()),
            None => operation(&columns.col(j).iter().copied().collect::<Vec<f64>>()),
        })
        .collect::<Result<_>>()?;
    Ok(images.map(|images| {
        let mut out = Mat::zeros(columns.nrows(), images.len());
        for (j, image) in images.iter().enumerate() {
            out.col_as_slice_mut(j).copy_from_slice(image);
        }
        out
    }))
}

fn runs(values: &[f64], mean: Mean<'_>) -> Vec<Level> {
    let mut out: Vec<Level> = Vec::new();
    for (i, &value) in values.iter().enumerate() {
        let weight = mean.at(i).powi(2);
        match out.last_mut() {
            Some(last) if last.value == value => {
                last.count += 1.0;
                last.weight += weight;
            }
            _ => out.push(Level { value, count: 1.0, weight }),
        }
    }
    out
}

/// Eigenvalues of the circulant with c_j = r(min(j, n − j)): cosine sums of the symmetric sequence,
/// each but the first (and the middle) twice. Tiny negatives become zero.
fn circulant(column: &[f64]) -> Vec<f64> {
    let n = column.len();
    let cosine: Vec<f64> = (0..n).map(|j| (2.0 * PI * j as f64 / n as f64).cos()).collect();
    let half: Vec<f64> = (0..=n / 2)
        .map(|k| {
            let mut at = 0;
            let mut sum = 0.0;
            for c in &column[1..n.div_ceil(2)] {
                at += k;
                if at >= n {
                    at -= n;
                }
                sum += c * cosine[at];
            }
            let middle =
                if n.is_multiple_of(2) { column[n / 2] * cosine[n / 2 * k % n] } else { 0.0 };
            (column[0] + 2.0 * sum + middle).max(0.0)
        })
        .collect();
    (0..n).map(|k| half[k.min(n - k)]).collect()
}
