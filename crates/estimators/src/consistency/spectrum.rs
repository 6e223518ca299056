//! Eigenvalues and eigenvectors of the covariance of data that are read in blocks.

use super::rows::{RowSource, blocks, centred, mean};
use crate::{Error, Result};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Side};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Largest side of a matrix that is decomposed completely.
const DENSE: usize = 6000;
/// Leading modes where the matrix is larger than that.
const LEADING: usize = 1024;
/// Extra directions of the randomised range.
const OVERSAMPLING: usize = 64;

/// How a spectrum was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpectrumMethod {
    /// Eigendecomposition of the covariance (columns × columns).
    Covariance,
    /// Eigendecomposition of the Gram matrix of the rows.
    Gram,
    /// A randomised leading subspace with one power iteration (Halko, Martinsson and Tropp, SIAM
    /// Review 53, 2011); the rest of the variance is spread evenly over the remaining modes.
    Randomised,
}

/// The sample covariance of a data set (divided by rows − 1), in its own eigenbasis.
#[derive(Clone, Debug)]
pub struct SampleSpectrum {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns p.
    pub columns: usize,
    /// Mean of every column.
    pub mean: Vec<f64>,
    /// Positive eigenvalues, largest first.
    pub eigenvalues: Vec<f64>,
    /// Their eigenvectors, p × modes.
    pub vectors: Mat<f64>,
    /// Variance outside those modes, and over how many more modes it spreads (0 unless randomised).
    pub tail: (f64, usize),
    /// How it was computed.
    pub method: SpectrumMethod,
}

impl SampleSpectrum {
    /// Reads the data two to six times and decomposes the smaller of covariance and Gram matrix, or
    /// the leading 1024 modes where both have more than 6000 rows.
    ///
    /// # Errors
    /// Fewer than 4 rows, no columns, entries that are not finite, constant data, a source that fails.
    pub fn new(source: &dyn RowSource) -> Result<Self> {
        let (rows, columns) = (source.rows(), source.columns());
        if columns == 0 {
            return Err(Error::Empty { what: "data" });
        }
        if rows < 4 {
            return Err(Error::TooFewRows { rows, needed: 4 });
        }
        let mean = mean(source)?;
        let method = match rows.min(columns) {
            small if small > DENSE => SpectrumMethod::Randomised,
            _ if columns <= rows => SpectrumMethod::Covariance,
            _ => SpectrumMethod::Gram,
        };
        let degrees = (rows - 1) as f64;
        let (eigenvalues, vectors, tail) = match method {
            SpectrumMethod::Covariance => covariance(source, &mean, degrees)?,
            SpectrumMethod::Gram => gram(source, &mean, degrees)?,
            SpectrumMethod::Randomised => randomised(source, &mean, degrees)?,
        };
        Ok(Self { rows, columns, mean, eigenvalues, vectors, tail, method })
    }

    /// All p eigenvalues as the theory takes them: leading ones, an even tail, zeros.
    pub fn population(&self) -> Vec<f64> {
        let mut values = self.eigenvalues.clone();
        let (mass, modes) = self.tail;
        if modes > 0 {
            values.extend(std::iter::repeat_n(mass / modes as f64, modes));
        }
        values.resize(self.columns, 0.0);
        values
    }
}

type Decomposed = (Vec<f64>, Mat<f64>, (f64, usize));

fn covariance(source: &dyn RowSource, mean: &[f64], degrees: f64) -> Result<Decomposed> {
    let p = source.columns();
    let mut sum = Mat::zeros(p, p);
    for block in blocks(source) {
        let x = centred(source, block, mean)?;
        matmul(
            sum.as_mut(),
            Accum::Add,
            x.transpose(),
            &x,
            1.0 / degrees,
            faer::get_global_parallelism(),
        );
    }
    let (values, vectors) = eigen(&sum, source.rows())?;
    Ok((values, vectors, (0.0, 0)))
}

fn gram(source: &dyn RowSource, mean: &[f64], degrees: f64) -> Result<Decomposed> {
    let (n, p) = (source.rows(), source.columns());
    let mut sum = Mat::zeros(n, n);
    let list = blocks(source);
    for (index, &(start, count)) in list.iter().enumerate() {
        let x = centred(source, (start, count), mean)?;
        for &(other, width) in &list[..=index] {
            let product = if other == start {
                &x * x.transpose()
            } else {
                &x * centred(source, (other, width), mean)?.transpose()
            };
            for j in 0..width {
                for i in 0..count {
                    sum[(start + i, other + j)] = product[(i, j)] / degrees;
                    sum[(other + j, start + i)] = product[(i, j)] / degrees;
                }
            }
        }
    }
    let (values, left) = eigen(&sum, p)?;
    let mut vectors = Mat::zeros(p, values.len());
    for (start, count) in list {
        let x = centred(source, (start, count), mean)?;
        vectors += x.transpose() * left.subrows(start, count);
    }
    scale_columns(&mut vectors, |j| 1.0 / (degrees * values[j]).sqrt());
    Ok((values, vectors, (0.0, 0)))
}

fn randomised(source: &dyn RowSource, mean: &[f64], degrees: f64) -> Result<Decomposed> {
    let (n, p) = (source.rows(), source.columns());
    let width = LEADING + OVERSAMPLING;
    // The sketch needs generic directions, not a statistically independent draw: one fixed seed.
    let mut random = Xoshiro256PlusPlus::seed_from_u64(0);
    let sketch = Mat::from_fn(p, width, |_, _| StandardNormal.sample(&mut random));
    let forward = |directions: &Mat<f64>| -> Result<Mat<f64>> {
        let mut out = Mat::zeros(n, width);
        for (start, count) in blocks(source) {
            let product = centred(source, (start, count), mean)? * directions;
            out.submatrix_mut(start, 0, count, width).copy_from(&product);
        }
        Ok(out)
    };
    let backward = |basis: &Mat<f64>| -> Result<Mat<f64>> {
        let mut out = Mat::zeros(p, width);
        for (start, count) in blocks(source) {
            let x = centred(source, (start, count), mean)?;
            out += x.transpose() * basis.subrows(start, count);
        }
        Ok(out)
    };
    let orthonormal = |m: Mat<f64>| m.qr().compute_thin_Q();
    let basis = orthonormal(forward(&orthonormal(backward(&orthonormal(forward(&sketch)?))?))?);
    let reduced = backward(&basis)?;
    let small = reduced.transpose() * &reduced * faer::Scale(1.0 / degrees);
    let (mut values, left) = eigen(&small, n.max(p))?;
    values.truncate(LEADING);
    let mut vectors = &reduced * left.subcols(0, values.len());
    scale_columns(&mut vectors, |j| 1.0 / (degrees * values[j]).sqrt());
    let mut trace = 0.0;
    for block in blocks(source) {
        trace += centred(source, block, mean)?.squared_norm_l2() / degrees;
    }
    let tail = (trace - values.iter().sum::<f64>()).max(0.0);
    let modes = (n - 1).min(p) - values.len();
    Ok((values, vectors, (tail, modes)))
}

fn scale_columns(matrix: &mut Mat<f64>, factor: impl Fn(usize) -> f64) {
    for j in 0..matrix.ncols() {
        let scale = factor(j);
        matrix.col_as_slice_mut(j).iter_mut().for_each(|x| *x *= scale);
    }
}

/// Eigenpairs above rounding of a matrix with `other` terms in every entry, largest first.
pub(super) fn eigen(matrix: &Mat<f64>, other: usize) -> Result<(Vec<f64>, Mat<f64>)> {
    let n = matrix.nrows();
    let failed = |_| Error::NoDecomposition { rows: n, columns: n };
    let evd = matrix.self_adjoint_eigen(Side::Lower).map_err(failed)?;
    let floor = evd.S()[n - 1].max(0.0) * n.max(other) as f64 * f64::EPSILON;
    let rank = (0..n).take_while(|j| evd.S()[n - 1 - j] > floor).count();
    if rank == 0 {
        return Err(Error::NoVariance);
    }
    let values = (0..rank).map(|j| evd.S()[n - 1 - j]).collect();
    let vectors = Mat::from_fn(n, rank, |i, j| evd.U()[(i, n - 1 - j)]);
    Ok((values, vectors))
}
