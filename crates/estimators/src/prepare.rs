//! Centring, scaling and weighting, undone exactly in the coefficients.
//!
//! With an intercept the loss Σ wᵢ(yᵢ − b − xᵢᵀθ)²/n + λ|θ|² is minimised over b first: rows
//! become √wᵢ(xᵢ − x̄), √wᵢ(yᵢ − ȳ) with weighted means, and the problem is one without intercept
//! inside the complement of the unit vector s ∝ √w. The intercept is not penalised.

use crate::{Error, Result, Table};
use faer::Mat;

/// How the data are prepared.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Fit an unpenalised intercept (default: true).
    pub intercept: bool,
    /// Divide each feature by its standard deviation (1/n; root mean square without intercept), so
    /// that λ acts on standardised coefficients (default: false). The scales are those of all rows,
    /// also inside cross-validation.
    pub standardize: bool,
    /// A positive weight a row; only their ratios matter (they are scaled to mean 1).
    pub weights: Option<Vec<f64>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { intercept: true, standardize: false, weights: None }
    }
}

/// Centred, scaled, weighted data.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// Number of rows n.
    pub(crate) rows: usize,
    /// Features, n×p (0×p when only their moments are held).
    pub(crate) x: Mat<f64>,
    /// Targets, n×q (0×q when only their moments are held).
    pub(crate) y: Mat<f64>,
    /// Mean square of each prepared target.
    pub(crate) variance: Vec<f64>,
    /// Mean of each feature (0 without intercept) and its scale (1 unless standardised).
    pub(crate) x_mean: Vec<f64>,
    pub(crate) x_scale: Vec<f64>,
    pub(crate) y_mean: Vec<f64>,
    /// The unit vector s taken out by the intercept.
    pub(crate) direction: Option<Vec<f64>>,
    /// √w, weights of mean 1.
    pub(crate) root_weights: Option<Vec<f64>>,
}

impl Prepared {
    pub(crate) fn new(x: Table<'_>, y: Table<'_>, options: &Options) -> Result<Self> {
        let n = x.rows();
        x.check("x")?;
        y.check("y")?;
        if y.rows() != n {
            return Err(Error::Length { what: "y", found: y.rows(), expected: n });
        }
        let needed = if options.intercept { 2 } else { 1 };
        if n < needed {
            return Err(Error::TooFewRows { rows: n, needed });
        }
        let weights = match &options.weights {
            None => None,
            Some(weights) => Some(normalised(weights, n)?),
        };
        let root_weights: Option<Vec<f64>> =
            weights.as_ref().map(|w| w.iter().map(|w| w.sqrt()).collect());
        let weighting = weights.as_deref();
        let (x_mean, x_scale, x) = prepared("x", x, options, weighting, options.standardize)?;
        let (y_mean, _, y) = prepared("y", y, options, weighting, false)?;
        let root = |row: usize| root_weights.as_ref().map_or(1.0, |w| w[row]);
        Ok(Self {
            rows: n,
            variance: (0..y.ncols()).map(|j| y.col(j).squared_norm_l2() / n as f64).collect(),
            x,
            y,
            direction: options
                .intercept
                .then(|| (0..n).map(|i| root(i) / (n as f64).sqrt()).collect()),
            x_mean,
            x_scale,
            y_mean,
            root_weights,
        })
    }

    /// The weights of mean 1, if any.
    pub(crate) fn weights(&self) -> Option<Vec<f64>> {
        self.root_weights.as_ref().map(|w| w.iter().map(|w| w * w).collect())
    }

    /// Dimension of the space of the residuals: n, or n − 1 with an intercept.
    pub(crate) fn dimension(&self) -> usize {
        self.rows - usize::from(self.direction.is_some())
    }

    /// Whether the rows are there, not only their moments.
    pub(crate) fn has_rows(&self) -> bool {
        self.x.nrows() == self.rows
    }

    /// The features in an orthonormal basis of that space (rows 1 … n−1 of the reflection that
    /// takes s to −e₀; the whole table without intercept).
    pub(crate) fn reduced(&self) -> Mat<f64> {
        let Some(s) = &self.direction else { return self.x.clone() };
        let x = &self.x;
        Mat::from_fn(x.nrows() - 1, x.ncols(), |i, j| {
            x[(i + 1, j)] - s[i + 1] / (1.0 + s[0]) * x[(0, j)]
        })
    }

    /// Vectors of the reduced space back in the n rows.
    pub(crate) fn lifted(&self, reduced: Mat<f64>) -> Mat<f64> {
        let Some(s) = &self.direction else { return reduced };
        let n = s.len();
        let mut out = Mat::zeros(n, reduced.ncols());
        for j in 0..reduced.ncols() {
            let column = reduced.col_as_slice(j);
            let along: f64 = s[1..].iter().zip(column).map(|(s, u)| s * u).sum();
            let lifted = out.col_as_slice_mut(j);
            lifted[0] = -along;
            for i in 1..n {
                lifted[i] = column[i - 1] - s[i] * along / (1.0 + s[0]);
            }
        }
        out
    }
}

/// Sizes whose squares, and sums of them, are numbers with all their digits.
pub(crate) const SQUARED: std::ops::RangeInclusive<f64> = 1e-145..=1e145;

/// Means, scales, and the table centred, scaled and weighted.
fn prepared(
    what: &'static str,
    table: Table<'_>,
    options: &Options,
    weights: Option<&[f64]>,
    standardize: bool,
) -> Result<(Vec<f64>, Vec<f64>, Mat<f64>)> {
    let n = table.rows() as f64;
    let mut out = table.to_mat();
    let mut means = vec![0.0; out.ncols()];
    let mut scales = vec![1.0; out.ncols()];
    for j in 0..out.ncols() {
        let column = out.col_as_slice_mut(j);
        let weighted = |f: &dyn Fn(f64) -> f64, column: &[f64]| -> f64 {
            match weights {
                None => column.iter().map(|v| f(*v)).sum::<f64>() / n,
                Some(w) => column.iter().zip(w).map(|(v, w)| w * f(*v)).sum::<f64>() / n,
            }
        };
        let (first, size) = (column[0], largest(column));
        // Sums of n squares have to be numbers, unless the scale is taken out.
        let range = if standardize { 1e-290..=1e290 } else { SQUARED };
        if size != 0.0 && !range.contains(&size) {
            return Err(Error::Scale { what, column: j, size });
        }
        if options.intercept {
            means[j] = weighted(&|v| v, column);
            column.iter_mut().for_each(|v| *v -= means[j]);
        }
        if standardize {
            let unit = if size > 0.0 { size } else { 1.0 };
            scales[j] = unit * weighted(&|v| (v / unit).powi(2), column).sqrt();
            if scales[j] <= 1e-13 * size || scales[j] == 0.0 {
                return Err(Error::ConstantFeature { column: j, value: first });
            }
            column.iter_mut().for_each(|v| *v /= scales[j]);
        }
        if let Some(weights) = weights {
            column.iter_mut().zip(weights).for_each(|(v, w)| *v *= w.sqrt());
        }
    }
    Ok((means, scales, out))
}

fn largest(column: &[f64]) -> f64 {
    column.iter().fold(0.0, |m, v| m.max(v.abs()))
}

/// Weights of mean 1.
fn normalised(weights: &[f64], n: usize) -> Result<Vec<f64>> {
    if weights.len() != n {
        return Err(Error::Length { what: "weights", found: weights.len(), expected: n });
    }
    for (row, &value) in weights.iter().enumerate() {
        if !(value > 0.0 && value.is_finite()) {
            return Err(Error::BadWeight { row, value });
        }
    }
    let total: f64 = weights.iter().sum();
    Ok(weights.iter().map(|w| w * n as f64 / total).collect())
}
