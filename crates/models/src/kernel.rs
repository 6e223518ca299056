//! Correlation between samples.
//!
//! The rows of X = K^½ Z Σ^½ are correlated by K (n×n), the noise by K′. Only K ⊗ Σ is identifiable,
//! so Tr K = n throughout. A kernel is an operator with a spectrum: degrees of freedom
//! df̃₁(κ̃) = Σ k/(k + κ̃), df̃₂, their inverse κ̃(df̃₁), products with K, (K + κ̃)⁻¹ and a root of K.
//! Exponential correlation is a Markov chain (K⁻¹ tridiagonal), so series of any length are cheap;
//! power laws and user matrices are dense.
//!
//! Atanasov, Zavatone-Veth, Pehlevan, "Risk and cross validation in ridge regression with
//! correlated samples", arXiv:2408.04607.

mod basis;
mod build;
mod form;
mod input;
mod levels;
mod limit;
mod tridiagonal;

pub use basis::JointBasis;
pub use input::{Family, NoiseCorrelation, SampleCorrelation};
pub use levels::Levels;
pub use limit::Limit;

use crate::{Error, Result};
use faer::{Mat, MatRef, Scale};
use form::{Form, Level, Mean};
use rmt_core::CorrelatedSamples;
use std::sync::Arc;

/// Largest number of rows for which a dense K is decomposed.
pub const DENSE_LIMIT: usize = 2000;

/// The rows that a kernel correlates.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Number of rows n.
    pub count: usize,
    /// A label a row: rows with different labels are independent, rows of one label follow each
    /// other in the order in which they stand.
    pub groups: Option<&'a [usize]>,
    /// A time stamp a row, increasing within each group; without it rows are one step apart.
    pub times: Option<&'a [f64]>,
}

impl Rows<'_> {
    /// `count` rows, one step apart, in one series.
    pub fn regular(count: usize) -> Self {
        Self { count, groups: None, times: None }
    }
}

/// How the spectrum of a long stationary kernel is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpectrumMethod {
    /// Exact eigenvalues; dense families are refused above [`DENSE_LIMIT`] rows.
    #[default]
    Exact,
    /// Dense stationary families above [`DENSE_LIMIT`] rows take the eigenvalues of the
    /// circulant with the same correlations: κ̃ is then good to ~10⁻³ (power law, n = 2000), and
    /// nothing that needs K⁻¹ or eigenvectors is available.
    Circulant,
}

/// The correlation of n given rows: K with Tr K = n.
#[derive(Clone, Debug)]
pub struct Kernel {
    rows: usize,
    family: Family,
    parts: Vec<Part>,
    scale: f64,
    levels: Levels,
    /// Rows of each series, in order.
    series: Arc<Vec<Vec<usize>>>,
    times: Option<Vec<f64>>,
    /// √w of weighted rows.
    row_scale: Option<Vec<f64>>,
    notices: Vec<String>,
}

/// A diagonal block of K and the rows it stands for, in order.
#[derive(Clone, Debug)]
struct Part {
    rows: Vec<usize>,
    form: Arc<Form>,
}

impl SampleCorrelation {
    /// The kernel over `n` rows one step apart.
    ///
    /// # Errors
    /// A number of rows other than the stated one, parameters out of range, blocks that do not
    /// divide n, matrices that are not symmetric or not positive semi-definite, dense families
    /// above [`DENSE_LIMIT`] rows.
    pub fn kernel(&self, n: usize) -> Result<Kernel> {
        self.kernel_on(Rows::regular(n), SpectrumMethod::Exact)
    }

    /// The kernel over grouped rows or rows with time stamps.
    ///
    /// # Errors
    /// As [`SampleCorrelation::kernel`]; besides, time stamps that do not increase within a group
    /// and families that cannot be combined with groups or times.
    pub fn kernel_on(&self, rows: Rows<'_>, method: SpectrumMethod) -> Result<Kernel> {
        self.family.check()?;
        if let Some(found) = self.rows
            && found != rows.count
        {
            return Err(Error::RowMismatch { key: "n", found, expected: rows.count });
        }
        Kernel::build(&self.family, rows, method)
    }
}

impl Kernel {
    /// Number of rows n.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The family it was built from.
    pub fn family(&self) -> &Family {
        &self.family
    }

    /// Eigenvalues with multiplicities; Σ = n.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// The spectrum of K in the complement of the all-ones vector, where the residuals live once a
    /// mean has been fitted.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a dense family above [`DENSE_LIMIT`] rows (its eigenvectors are
    /// needed); a failing eigendecomposition.
    pub fn centred_levels(&self) -> Result<Levels> {
        let mean = self.row_scale.as_deref().map_or(Mean::Ones, Mean::Along);
        combined(&self.parts, self.scale, mean)
    }

    /// The kernel of weighted rows, W^½KW^½ with `weights` > 0 on the diagonal of W: what a loss
    /// Σ wᵢrᵢ²/n sees. It is not scaled to Tr K = n again; the test noise keeps its variance.
    ///
    /// # Errors
    /// Weights that are not positive or not one a row; [`Error::NotCovered`] above [`DENSE_LIMIT`]
    /// rows unless K is diagonal.
    pub fn weighted(&self, weights: &[f64]) -> Result<Self> {
        let n = self.rows;
        if weights.len() != n {
            return Err(Error::LengthMismatch {
                key: "weights",
                found: weights.len(),
                expected: n,
            });
        }
        if let Some(row) = weights.iter().position(|w| !(*w > 0.0 && w.is_finite())) {
            return Err(Error::BadEntry {
                key: "weights",
                index: vec![row],
                value: weights[row],
                remedy: "weights are finite numbers > 0",
            });
        }
        let root: Vec<f64> = weights.iter().map(|w| w.sqrt()).collect();
        let diagonal = self.parts.iter().all(|p| matches!(*p.form, Form::Diagonal(_)));
        let form = if diagonal {
            Form::Diagonal(self.apply(weights)?)
        } else if n > DENSE_LIMIT {
            return Err(Error::NotCovered {
                key: "weights",
                remedy: "weighted rows of a correlation need a dense matrix, refused above 2000 \
                         rows; leave the weights out or take the rows as independent",
            });
        } else {
            let dense = self.dense();
            Form::dense_from(Mat::from_fn(n, n, |i, j| root[i] * dense[(i, j)] * root[j]))
        };
        let parts = vec![Part { rows: (0..n).collect(), form: Arc::new(form) }];
        let levels = combined(&parts, 1.0, Mean::Unused)?;
        let root = match &self.row_scale {
            Some(before) => before.iter().zip(&root).map(|(a, b)| a * b).collect(),
            None => root,
        };
        Ok(Self { parts, scale: 1.0, levels, row_scale: Some(root), ..self.clone() })
    }

    /// The vector that a fitted mean takes out of the rows: ones, or √w for weighted rows.
    pub fn mean_direction(&self) -> Vec<f64> {
        self.row_scale.clone().unwrap_or_else(|| vec![1.0; self.rows])
    }

    /// Whether K = I.
    pub fn is_identity(&self) -> bool {
        self.levels.nullity() == 0.0 && self.levels.values().iter().all(|k| *k == 1.0)
    }

    /// Whether the eigenvalues are approximate ([`SpectrumMethod::Circulant`]).
    pub fn is_approximate(&self) -> bool {
        self.parts.iter().any(|p| matches!(*p.form, Form::Toeplitz { .. }))
    }

    /// What a reader of the results should know: a normalisation, an approximate spectrum.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    fn by_part(
        &self,
        v: &[f64],
        f: impl Fn(&Form, &[f64]) -> Result<Option<Vec<f64>>>,
    ) -> Result<Option<Vec<f64>>> {
        if v.len() != self.rows {
            return Err(Error::LengthMismatch {
                key: "vector",
                found: v.len(),
                expected: self.rows,
            });
        }
        let mut out = vec![0.0; self.rows];
        for part in &self.parts {
            let inside: Vec<f64> = part.rows.iter().map(|&i| v[i]).collect();
            let Some(image) = f(&part.form, &inside)? else { return Ok(None) };
            for (&i, x) in part.rows.iter().zip(image) {
                out[i] = x;
            }
        }
        Ok(Some(out))
    }

    /// The stage of samples with this correlation, by the eigenvalues of K.
    ///
    /// # Errors
    /// K = 0.
    pub fn samples(&self) -> Result<CorrelatedSamples> {
        let levels = self.levels();
        let (mut values, mut counts) = (levels.values().to_vec(), levels.counts().to_vec());
        if levels.nullity() > 0.0 {
            values.push(0.0);
            counts.push(levels.nullity());
        }
        Ok(CorrelatedSamples::with_multiplicities(&values, &counts)?)
    }

    /// K v.
    ///
    /// # Errors
    /// `v` must have n entries.
    pub fn apply(&self, v: &[f64]) -> Result<Vec<f64>> {
        let image =
            self.by_part(v, |form, v| Ok(Some(form.apply(v))))?.unwrap_or_else(|| v.to_vec());
        Ok(scaled(image, self.scale))
    }

    /// (K + `shift`)⁻¹ v, `shift` ≥ 0; `None` if that matrix is singular, or if the kernel is
    /// approximate.
    ///
    /// # Errors
    /// `v` must have n entries; an eigendecomposition (dense families) may fail.
    pub fn solve(&self, shift: f64, v: &[f64]) -> Result<Option<Vec<f64>>> {
        // (aK + κ̃)⁻¹ = (K + κ̃/a)⁻¹/a.
        let image = self.by_part(v, |form, v| form.solve(shift / self.scale, v))?;
        Ok(image.map(|x| scaled(x, 1.0 / self.scale)))
    }

    /// L v for an L with L Lᵀ = K: turns white noise into noise of covariance K. `None` if the
    /// kernel is approximate.
    ///
    /// # Errors
    /// `v` must have n entries; an eigendecomposition (dense families) may fail.
    pub fn colour(&self, v: &[f64]) -> Result<Option<Vec<f64>>> {
        let image = self.by_part(v, Form::colour)?;
        Ok(image.map(|x| scaled(x, self.scale.sqrt())))
    }

    fn by_part_all(
        &self,
        columns: MatRef<'_, f64>,
        f: impl Fn(&Form, MatRef<'_, f64>) -> Result<Option<Mat<f64>>>,
    ) -> Result<Option<Mat<f64>>> {
        if columns.nrows() != self.rows {
            return Err(Error::LengthMismatch {
                key: "columns",
                found: columns.nrows(),
                expected: self.rows,
            });
        }
        if let [part] = self.parts.as_slice()
            && part.rows.is_sorted()
        {
            return f(&part.form, columns);
        }
        let width = columns.ncols();
        let mut out = Mat::zeros(self.rows, width);
        for part in &self.parts {
            let rows = &part.rows;
            let inside = Mat::from_fn(rows.len(), width, |i, j| columns[(rows[i], j)]);
            let Some(image) = f(&part.form, inside.as_ref())? else { return Ok(None) };
            for j in 0..width {
                let to = out.col_as_slice_mut(j);
                rows.iter().zip(image.col_as_slice(j)).for_each(|(&i, x)| to[i] = *x);
            }
        }
        Ok(Some(out))
    }

    /// K times `columns`: as [`Kernel::apply`] for each, faster for dense families.
    ///
    /// # Errors
    /// `columns` must have n rows.
    pub fn apply_all(&self, columns: MatRef<'_, f64>) -> Result<Mat<f64>> {
        let image = self.by_part_all(columns, Form::apply_all)?;
        Ok(all_scaled(image.unwrap_or_else(|| columns.to_owned()), self.scale))
    }

    /// (K + `shift`)⁻¹ times `columns`: as [`Kernel::solve`] for each, faster for dense families.
    ///
    /// # Errors
    /// `columns` must have n rows; an eigendecomposition (dense families) may fail.
    pub fn solve_all(&self, shift: f64, columns: MatRef<'_, f64>) -> Result<Option<Mat<f64>>> {
        let image = self.by_part_all(columns, |form, m| form.solve_all(shift / self.scale, m))?;
        Ok(image.map(|x| all_scaled(x, 1.0 / self.scale)))
    }

    /// L times `columns`: as [`Kernel::colour`] for each, faster for dense families.
    ///
    /// # Errors
    /// `columns` must have n rows; an eigendecomposition (dense families) may fail.
    pub fn colour_all(&self, columns: MatRef<'_, f64>) -> Result<Option<Mat<f64>>> {
        let image = self.by_part_all(columns, Form::colour_all)?;
        Ok(image.map(|x| all_scaled(x, self.scale.sqrt())))
    }

    /// K as a matrix (n×n).
    pub fn dense(&self) -> Mat<f64> {
        if let [part] = self.parts.as_slice()
            && part.rows.is_sorted()
        {
            return all_scaled(part.form.dense(), self.scale);
        }
        let mut out = Mat::zeros(self.rows, self.rows);
        for part in &self.parts {
            let block = part.form.dense();
            for (b, &j) in part.rows.iter().enumerate() {
                let column = out.col_as_slice_mut(j);
                for (&i, k) in part.rows.iter().zip(block.col_as_slice(b)) {
                    column[i] = self.scale * k;
                }
            }
        }
        out
    }

    /// Correlations kvec of a test point `lag` steps (or time units) after the last row with every
    /// row; rows of other groups have none. Its own variance is 1.
    ///
    /// # Errors
    /// [`Error::NotStationary`] for blocks, diagonal and dense; [`Error::OutOfRange`] unless
    /// `lag` > 0.
    pub fn test_point(&self, lag: f64) -> Result<Vec<f64>> {
        if !(lag > 0.0 && lag.is_finite()) {
            return Err(Error::OutOfRange {
                key: "test_lag",
                value: lag,
                remedy: "the test point comes after the last row: give a lag > 0",
            });
        }
        self.family.at_distance(lag)?;
        let mut out = vec![0.0; self.rows];
        let last = self.rows - 1;
        let Some(rows) = self.series.iter().find(|rows| rows.last() == Some(&last)) else {
            return Ok(out);
        };
        for (position, &i) in rows.iter().enumerate() {
            let back = match &self.times {
                Some(times) => times[last] - times[i],
                None => (rows.len() - 1 - position) as f64,
            };
            let scale = self.row_scale.as_ref().map_or(1.0, |s| s[i]);
            out[i] = scale * self.family.at_distance(lag + back)?;
        }
        Ok(out)
    }

    /// Pairs of rows that follow each other in one series.
    pub fn neighbours(&self) -> Vec<(usize, usize)> {
        self.series.iter().flat_map(|rows| rows.windows(2).map(|w| (w[0], w[1]))).collect()
    }
}

fn scaled(mut v: Vec<f64>, scale: f64) -> Vec<f64> {
    if scale != 1.0 {
        v.iter_mut().for_each(|x| *x *= scale);
    }
    v
}

fn all_scaled(mut columns: Mat<f64>, scale: f64) -> Mat<f64> {
    if scale != 1.0 {
        columns *= Scale(scale);
    }
    columns
}

/// The spectra of all parts; equal parts are counted, not repeated.
fn combined(parts: &[Part], scale: f64, mean: Mean<'_>) -> Result<Levels> {
    let mut distinct: Vec<(&Arc<Form>, f64)> = Vec::new();
    for part in parts {
        match distinct.iter_mut().find(|(form, _)| Arc::ptr_eq(form, &part.form)) {
            Some((_, times)) => *times += 1.0,
            None => distinct.push((&part.form, 1.0)),
        }
    }
    let mut levels = Vec::new();
    for (form, times) in distinct {
        levels.extend(form.spectrum(mean)?.into_iter().map(|level| Level {
            value: scale * level.value,
            count: times * level.count,
            weight: times * level.weight,
        }));
    }
    Ok(Levels::new(levels, !matches!(mean, Mean::Unused)))
}

#[cfg(test)]
mod tests;
