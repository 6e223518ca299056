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

mod form;
mod input;
mod levels;
mod limit;

pub use input::{Family, NoiseCorrelation, SampleCorrelation};
pub use levels::Levels;
pub use limit::Limit;

use crate::{Error, Result};
use faer::{Mat, MatRef};
use form::{Eigen, Form, Level};
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
    times: Option<Vec<f64>>,
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
    fn build(family: &Family, rows: Rows<'_>, method: SpectrumMethod) -> Result<Self> {
        let n = rows.count;
        if n == 0 {
            return Err(Error::OutOfRange {
                key: "n",
                value: 0.0,
                remedy: "give at least one row",
            });
        }
        for (key, found) in
            [("groups", rows.groups.map(<[_]>::len)), ("times", rows.times.map(<[_]>::len))]
        {
            if let Some(found) = found
                && found != n
            {
                return Err(Error::LengthMismatch { key, found, expected: n });
            }
        }
        let kind = family.kind();
        let mut notices = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let whole = || (0..n).collect::<Vec<_>>();
        match family {
            Family::Diagonal { values, counts } => {
                let diagonal: Vec<f64> = values
                    .iter()
                    .zip(counts)
                    .flat_map(|(v, c)| std::iter::repeat_n(*v, *c))
                    .collect();
                if diagonal.len() != n {
                    let found = diagonal.len();
                    return Err(Error::RowMismatch { key: "counts", found, expected: n });
                }
                parts.push(Part { rows: whole(), form: Arc::new(Form::Diagonal(diagonal)) });
            }
            Family::Dense { values } => {
                if rows.groups.is_some() || rows.times.is_some() {
                    let with = if rows.groups.is_some() { "groups" } else { "time stamps" };
                    return Err(Error::NoStructure { kind, with });
                }
                parts.push(Part { rows: whole(), form: Arc::new(dense_form(values, n)?) });
            }
            Family::Blocks { .. } if rows.times.is_some() => {
                return Err(Error::NoStructure { kind, with: "time stamps" });
            }
            _ => {
                for rows_of_group in grouped(rows.groups, n) {
                    let times: Option<Vec<f64>> =
                        rows.times.map(|t| rows_of_group.iter().map(|&i| t[i]).collect());
                    if let Some(times) = &times {
                        ordered(times, &rows_of_group)?;
                    }
                    // Equal groups of evenly spaced rows share one block.
                    let shared = parts
                        .iter()
                        .find(|p| times.is_none() && p.rows.len() == rows_of_group.len())
                        .map(|p| p.form.clone());
                    let form = match shared {
                        Some(form) => form,
                        None => {
                            let m = rows_of_group.len();
                            Arc::new(stationary_form(family, m, times.as_deref(), method)?)
                        }
                    };
                    parts.push(Part { rows: rows_of_group, form });
                }
            }
        }
        if parts.iter().any(|p| matches!(*p.form, Form::Toeplitz { .. })) {
            notices.push(format!(
                "the spectrum of the {kind} kernel over {n} rows is that of its circulant \
                 (approximate, κ̃ to about 1e-3)"
            ));
        }
        let mut levels = combined(&parts, 1.0, false)?;
        let trace = match family {
            // Unit diagonal: exact.
            Family::Diagonal { .. } | Family::Dense { .. } => levels.trace(),
            _ => n as f64,
        };
        if !(trace > 0.0 && trace.is_finite()) {
            return Err(Error::NoVariance { trace });
        }
        let mut scale = n as f64 / trace;
        if (scale - 1.0).abs() <= 1e-12 {
            scale = 1.0;
        } else {
            notices.push(format!(
                "the sample correlation had trace {trace:.6}; it was scaled by {scale:.6} to Tr K = n = {n}"
            ));
            levels = combined(&parts, scale, false)?;
        }
        Ok(Self {
            rows: n,
            family: family.clone(),
            parts,
            scale,
            levels,
            times: rows.times.map(<[_]>::to_vec),
            notices,
        })
    }

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
        combined(&self.parts, self.scale, true)
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

    /// K as a matrix (n×n).
    pub fn dense(&self) -> Mat<f64> {
        let mut out = Mat::zeros(self.rows, self.rows);
        for part in &self.parts {
            let block = part.form.dense();
            for (a, &i) in part.rows.iter().enumerate() {
                for (b, &j) in part.rows.iter().enumerate() {
                    out[(i, j)] = self.scale * block[(a, b)];
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
        let Some(part) = self.parts.iter().find(|p| p.rows.last() == Some(&last)) else {
            return Ok(out);
        };
        for (position, &i) in part.rows.iter().enumerate() {
            let back = match &self.times {
                Some(times) => times[last] - times[i],
                None => (part.rows.len() - 1 - position) as f64,
            };
            out[i] = self.family.at_distance(lag + back)?;
        }
        Ok(out)
    }

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
        // The columns 1 … n−1 of the reflection that takes 1/√n to −e₀ span the complement.
        let unit = (n as f64).sqrt().recip();
        let basis = Mat::from_fn(n, n.saturating_sub(1), |i, j| match i {
            0 => -unit,
            _ => f64::from(u8::from(i == j + 1)) - unit * unit / (1.0 + unit),
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

fn scaled(mut v: Vec<f64>, scale: f64) -> Vec<f64> {
    if scale != 1.0 {
        v.iter_mut().for_each(|x| *x *= scale);
    }
    v
}

/// The spectra of all parts; equal parts are counted, not repeated.
fn combined(parts: &[Part], scale: f64, centred: bool) -> Result<Levels> {
    let mut distinct: Vec<(&Arc<Form>, f64)> = Vec::new();
    for part in parts {
        match distinct.iter_mut().find(|(form, _)| Arc::ptr_eq(form, &part.form)) {
            Some((_, times)) => *times += 1.0,
            None => distinct.push((&part.form, 1.0)),
        }
    }
    let mut levels = Vec::new();
    for (form, times) in distinct {
        levels.extend(form.spectrum(centred)?.into_iter().map(|level| Level {
            value: scale * level.value,
            count: times * level.count,
            weight: times * level.weight,
        }));
    }
    Ok(Levels::new(levels, centred))
}

/// Rows of each group, groups in order of appearance.
fn grouped(groups: Option<&[usize]>, n: usize) -> Vec<Vec<usize>> {
    let Some(labels) = groups else { return vec![(0..n).collect()] };
    let mut place = std::collections::HashMap::new();
    let mut out: Vec<Vec<usize>> = Vec::new();
    for (row, label) in labels.iter().enumerate() {
        let at = *place.entry(*label).or_insert_with(|| {
            out.push(Vec::new());
            out.len() - 1
        });
        out[at].push(row);
    }
    out
}

fn ordered(times: &[f64], rows: &[usize]) -> Result<()> {
    for (at, time) in times.iter().enumerate() {
        if !time.is_finite() {
            return Err(Error::BadEntry {
                key: "times",
                index: vec![rows[at]],
                value: *time,
                remedy: "time stamps are finite numbers",
            });
        }
        if at > 0 && *time <= times[at - 1] {
            return Err(Error::TimeOrder { row: rows[at], time: *time, previous: times[at - 1] });
        }
    }
    Ok(())
}

/// The block of one series of m rows.
fn stationary_form(
    family: &Family,
    m: usize,
    times: Option<&[f64]>,
    method: SpectrumMethod,
) -> Result<Form> {
    let gap = |t: usize| times.map_or(1.0, |times| times[t + 1] - times[t]);
    let kind = family.kind();
    Ok(match family {
        Family::Identity => Form::Diagonal(vec![1.0; m]),
        Family::Exponential { length } => Form::Markov {
            decay: (0..m - 1).map(|t| (-gap(t) / length).exp()).collect(),
            innovation: (0..m - 1).map(|t| -(-2.0 * gap(t) / length).exp_m1()).collect(),
        },
        Family::NearestNeighbor { .. } => Form::Tridiagonal {
            beside: (0..m - 1).map(|t| family.at_distance(gap(t))).collect::<Result<_>>()?,
        },
        Family::Blocks { size, correlation } => {
            if !m.is_multiple_of(*size) {
                return Err(Error::BlocksDoNotDivide { size: *size, rows: m });
            }
            Form::Exchangeable { rows: m, size: *size, correlation: *correlation }
        }
        Family::PowerLaw { .. } if m > DENSE_LIMIT => match (method, times) {
            (SpectrumMethod::Circulant, None) => Form::Toeplitz {
                column: (0..m).map(|t| family.at_distance(t as f64)).collect::<Result<_>>()?,
            },
            _ => return Err(Error::TooLarge { kind, rows: m, limit: DENSE_LIMIT }),
        },
        Family::PowerLaw { exponent } => {
            let at = |t: usize| times.map_or(t as f64, |times| times[t]);
            Form::dense_from(Mat::from_fn(m, m, |i, j| {
                (1.0 + (at(i) - at(j)).abs()).powf(-exponent)
            }))
        }
        // Built by the caller; kept out of here by its match.
        Family::Diagonal { .. } | Family::Dense { .. } => {
            return Err(Error::NotStationary { kind });
        }
    })
}

fn dense_form(values: &[Vec<f64>], n: usize) -> Result<Form> {
    if values.len() != n {
        return Err(Error::RowMismatch { key: "values", found: values.len(), expected: n });
    }
    if n > DENSE_LIMIT {
        return Err(Error::TooLarge { kind: "dense", rows: n, limit: DENSE_LIMIT });
    }
    let mut largest = 0.0_f64;
    for (i, row) in values.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            if !value.is_finite() {
                return Err(Error::BadEntry {
                    key: "values",
                    index: vec![i, j],
                    value: *value,
                    remedy: "the entries of K are finite numbers",
                });
            }
            largest = largest.max(value.abs());
        }
    }
    for row in 0..n {
        for column in row + 1..n {
            let (upper, lower) = (values[row][column], values[column][row]);
            if (upper - lower).abs() > 1e-12 * largest {
                return Err(Error::NotSymmetric { row, column, upper, lower });
            }
        }
    }
    Ok(Form::dense_from(Mat::from_fn(n, n, |i, j| 0.5 * (values[i][j] + values[j][i]))))
}

#[cfg(test)]
mod tests;
