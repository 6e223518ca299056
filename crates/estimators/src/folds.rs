//! Cross-validation without refits.
//!
//! When the rows S are taken out and the penalty nλ|θ|² stays, the errors of the refit on them are
//! (I − H_SS)⁻¹ r_S, H the hat matrix of all rows (the intercept's 11ᵀ/n included). For blocks with
//! a gap, S is the block and its gap and the errors are read off the block. Scales of standardised
//! features stay those of all rows.
//!
//! H = W diag(h) Wᵀ with W = (U, s), h = g/(g + λ) and 1 for the mean s. Where S has more rows than
//! W has columns the smaller side is factored (Woodbury): with B = 1 − √h W_SᵀW_S √h,
//! (I − H_SS)⁻¹ = I + W_S √h B⁻¹ √h W_Sᵀ.

use crate::decomposition::Decomposition;
use crate::prepare::Prepared;
use crate::shrinkage::Shrinkage;
use crate::{Error, Result};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_matmul};
use faer::linalg::solvers::{DenseSolveCore, Llt, SolveCore};
use faer::{Accum, Conj, Mat, Par, Side};
use rayon::prelude::*;

/// How rows are split into parts that are predicted from the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Folds {
    name: String,
    rows: usize,
    folds: Vec<Fold>,
}

#[derive(Clone, Debug, PartialEq)]
struct Fold {
    /// Rows predicted (first), then rows taken out with them.
    removed: Vec<usize>,
    predicted: usize,
}

impl Folds {
    /// `count` folds of rows taken in turn (row i belongs to fold i mod `count`): K-fold
    /// cross-validation for rows in random order.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless 2 ≤ `count` ≤ `rows`.
    pub fn interleaved(rows: usize, count: usize) -> Result<Self> {
        check_count(rows, count)?;
        let folds =
            (0..count).map(|k| Fold::new((k..rows).step_by(count).collect(), Vec::new())).collect();
        Ok(Self { name: format!("{count}-fold"), rows, folds })
    }

    /// `count` blocks of consecutive rows; `gap` rows on either side of a block are taken out with
    /// it but not predicted.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless 2 ≤ `count` ≤ `rows`, and when block and gaps leave no row.
    pub fn blocks(rows: usize, count: usize, gap: usize) -> Result<Self> {
        check_count(rows, count)?;
        let mut folds = Vec::with_capacity(count);
        for k in 0..count {
            let (from, to) = (k * rows / count, (k + 1) * rows / count);
            let before = from.saturating_sub(gap)..from;
            let after = to..(to + gap).min(rows);
            let fold = Fold::new((from..to).collect(), before.chain(after).collect());
            if fold.removed.len() >= rows {
                return Err(Error::OutOfRange {
                    what: "gap",
                    value: gap as f64,
                    remedy: "a block and its gaps must leave rows to fit; choose a smaller gap or more blocks",
                });
            }
            folds.push(fold);
        }
        let name = match gap {
            0 => format!("{count} blocks"),
            _ => format!("{count} blocks, gap {gap}"),
        };
        Ok(Self { name, rows, folds })
    }

    /// Each group (run, subject) is predicted from the others; `labels` has one entry a row.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with fewer than two groups.
    pub fn groups(labels: &[usize]) -> Result<Self> {
        let mut known = labels.to_vec();
        known.sort_unstable();
        known.dedup();
        if known.len() < 2 {
            return Err(Error::OutOfRange {
                what: "groups",
                value: known.len() as f64,
                remedy: "leaving a group out needs at least two groups",
            });
        }
        let rows_of = |g: &usize| (0..labels.len()).filter(|i| labels[*i] == *g).collect();
        let folds = known.iter().map(|g| Fold::new(rows_of(g), Vec::new())).collect();
        let name = format!("leave one of {} groups out", known.len());
        Ok(Self { name, rows: labels.len(), folds })
    }

    /// What the split is, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of folds.
    pub fn count(&self) -> usize {
        self.folds.len()
    }

    /// The rows of each fold: those predicted, and all that are taken out for it.
    pub fn iter(&self) -> impl Iterator<Item = (&[usize], &[usize])> {
        self.folds.iter().map(|f| (&f.removed[..f.predicted], f.removed.as_slice()))
    }

    pub(crate) fn check(&self, rows: usize) -> Result<()> {
        if self.rows == rows {
            Ok(())
        } else {
            Err(Error::Length { what: "folds", found: self.rows, expected: rows })
        }
    }
}

fn check_count(rows: usize, count: usize) -> Result<()> {
    if (2..=rows).contains(&count) {
        return Ok(());
    }
    Err(Error::OutOfRange {
        what: "folds",
        value: count as f64,
        remedy: "give at least 2 folds and at most one a row",
    })
}

impl Fold {
    fn new(mut predicted: Vec<usize>, also_removed: Vec<usize>) -> Self {
        let count = predicted.len();
        predicted.extend(also_removed);
        Self { removed: predicted, predicted: count }
    }
}

/// Cross-validated error of one target along the ridges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoldErrors {
    /// Mean squared error over the predicted rows.
    pub error: Vec<f64>,
    /// Its standard error from the spread over folds (folds taken as independent).
    pub standard_error: Vec<f64>,
}

/// The parts of I − H that do not depend on λ, for every fold.
pub(crate) struct FoldSolver<'a> {
    folds: &'a Folds,
    parts: Vec<Part>,
    /// Number of targets.
    targets: usize,
}

/// What one fold takes of the decomposition.
enum Part {
    /// At most as many rows as directions: rows of U, |S|×r, and the block of the projector on the
    /// complement of U (and the mean), where there is one.
    Rows { left: Mat<f64>, complement: Option<Mat<f64>> },
    /// More rows than directions: rows of W = (U, s), |S|×k, and W_SᵀW_S.
    Directions { left: Mat<f64>, inner: Mat<f64> },
}

/// Factors of (I − H)_SS of every fold at one ridge; `None` where it is singular.
pub(crate) struct FoldFactors {
    factors: Vec<Option<Factor>>,
}

enum Factor {
    /// Of (I − H)_SS itself.
    Rows(Llt<f64>),
    /// Its inverse, for more targets than rows: products are faster than solutions.
    Inverse(Mat<f64>),
    /// Of B, with √h.
    Directions(Llt<f64>, Vec<f64>),
}

impl<'a> FoldSolver<'a> {
    pub(crate) fn new(folds: &'a Folds, data: &Prepared, decomposition: &Decomposition) -> Self {
        let u = decomposition.left(data);
        let part = |fold: &Fold| Part::new(&fold.removed, u, data, decomposition.whole);
        Self { folds, parts: folds.folds.iter().map(part).collect(), targets: data.y.ncols() }
    }

    /// Factors at one ridge, in its unit.
    pub(crate) fn at(&self, step: &Shrinkage) -> FoldFactors {
        // Parallel over folds, sequential inside.
        let factor = |part: &Part| part.factor(step, self.targets);
        FoldFactors { factors: self.parts.par_iter().map(factor).collect() }
    }

    /// Mean squared error and its standard error for each column of residuals.
    pub(crate) fn errors(
        &self,
        factors: &FoldFactors,
        columns: faer::MatRef<'_, f64>,
    ) -> Vec<(f64, f64)> {
        let q = columns.ncols();
        let folds = self.folds.count() as f64;
        // Σ e² of each fold and target.
        let sums: Vec<Vec<f64>> = self
            .folds
            .folds
            .par_iter()
            .zip(&self.parts)
            .zip(&factors.factors)
            .map(|((fold, part), factor)| {
                let rows = &fold.removed;
                let mut r = Mat::zeros(rows.len(), q);
                for t in 0..q {
                    let column = columns.col(t);
                    r.col_as_slice_mut(t).iter_mut().zip(rows).for_each(|(r, &i)| *r = column[i]);
                }
                match factor {
                    Some(factor) => part.solve(factor, &mut r),
                    None => r.fill(f64::INFINITY),
                }
                let squares =
                    |t: usize| r.col_as_slice(t)[..fold.predicted].iter().map(|e| e * e).sum();
                (0..q).map(squares).collect()
            })
            .collect();
        let (mut total, mut means, mut squares) = (vec![0.0; q], vec![0.0; q], vec![0.0; q]);
        let mut rows = 0.0;
        for (fold, sums) in self.folds.folds.iter().zip(&sums) {
            let count = fold.predicted as f64;
            rows += count;
            for (t, sum) in sums.iter().enumerate() {
                total[t] += sum;
                means[t] += sum / count / folds;
                squares[t] += (sum / count).powi(2) / folds;
            }
        }
        (0..q)
            .map(|t| {
                let spread = (squares[t] - means[t] * means[t]).max(0.0) / (folds - 1.0);
                let error = total[t] / rows;
                (error, if error.is_finite() { spread.sqrt() } else { f64::INFINITY })
            })
            .collect()
    }
}

impl Part {
    fn new(rows: &[usize], u: &Mat<f64>, data: &Prepared, whole: bool) -> Self {
        let (m, rank) = (rows.len(), u.ncols());
        let par = faer::get_global_parallelism();
        let mean = data.direction.as_ref();
        let directions = rank + usize::from(mean.is_some());
        if !whole && m > directions {
            let left = Mat::from_fn(m, directions, |i, j| match mean {
                Some(s) if j == rank => s[rows[i]],
                _ => u[(rows[i], j)],
            });
            let inner = left.transpose() * &left;
            return Self::Directions { left, inner };
        }
        let left = Mat::from_fn(m, rank, |i, j| u[(rows[i], j)]);
        let complement = (!whole).then(|| {
            let mut block = Mat::identity(m, m);
            lower_product(&mut block, Accum::Add, &left, &left, -1.0, par);
            if let Some(s) = mean {
                for (a, &i) in rows.iter().enumerate() {
                    for (b, &j) in rows.iter().enumerate() {
                        block[(a, b)] -= s[i] * s[j];
                    }
                }
            }
            block
        });
        Self::Rows { left, complement }
    }

    fn factor(&self, step: &Shrinkage, targets: usize) -> Option<Factor> {
        match self {
            Self::Rows { left, complement } => {
                let mut scaled = left.clone();
                for (j, d) in step.d.iter().enumerate() {
                    scaled.col_as_slice_mut(j).iter_mut().for_each(|u| *u *= d);
                }
                let (mut block, accumulate) = match complement {
                    Some(block) => (block.clone(), Accum::Add),
                    None => (Mat::zeros(left.nrows(), left.nrows()), Accum::Replace),
                };
                lower_product(&mut block, accumulate, &scaled, left, 1.0, Par::Seq);
                determined(&block).map(|factor| match targets > block.nrows() {
                    true => Factor::Inverse(factor.inverse()),
                    false => Factor::Rows(factor),
                })
            }
            Self::Directions { inner, .. } => {
                // The mean is fitted in full: h = 1 beyond the components of U.
                let root = |j: usize| step.d.get(j).map_or(1.0, |d| (1.0 - d).max(0.0).sqrt());
                let root: Vec<f64> = (0..inner.ncols()).map(root).collect();
                let block = Mat::from_fn(inner.nrows(), inner.ncols(), |i, j| {
                    f64::from(u8::from(i == j)) - root[i] * root[j] * inner[(i, j)]
                });
                determined(&block).map(|factor| Factor::Directions(factor, root))
            }
        }
    }

    /// Residuals of all rows become errors of the refit without these.
    fn solve(&self, factor: &Factor, r: &mut Mat<f64>) {
        match (self, factor) {
            (_, Factor::Rows(factor)) => factor.solve_in_place_with_conj(Conj::No, r.as_mut()),
            (_, Factor::Inverse(inverse)) => {
                let mut out = Mat::zeros(r.nrows(), r.ncols());
                matmul(out.as_mut(), Accum::Replace, inverse, &*r, 1.0, Par::Seq);
                *r = out;
            }
            (
                Self::Rows { left, .. } | Self::Directions { left, .. },
                Factor::Directions(b, root),
            ) => {
                let scale = |m: &mut Mat<f64>| {
                    for t in 0..m.ncols() {
                        m.col_as_slice_mut(t).iter_mut().zip(root).for_each(|(x, root)| *x *= root);
                    }
                };
                let mut inner = left.transpose() * &*r;
                scale(&mut inner);
                b.solve_in_place_with_conj(Conj::No, inner.as_mut());
                scale(&mut inner);
                *r += left * &inner;
            }
        }
    }
}

/// The Cholesky factor, unless a pivot is of rounding size: the rest of the rows then does not
/// determine the fit.
fn determined(block: &Mat<f64>) -> Option<Llt<f64>> {
    let size = (0..block.nrows()).fold(0.0_f64, |m, i| m.max(block[(i, i)]));
    let factor = Llt::new(block.as_ref(), Side::Lower).ok()?;
    let floor = (block.nrows() as f64 * f64::EPSILON * size).sqrt();
    let l = factor.L();
    (0..l.nrows()).all(|i| l[(i, i)] > floor).then_some(factor)
}

/// out (+)= scale · A Bᵀ, lower triangle, where A Bᵀ is symmetric.
fn lower_product(
    out: &mut Mat<f64>,
    accumulate: Accum,
    a: &Mat<f64>,
    b: &Mat<f64>,
    scale: f64,
    par: Par,
) {
    triangular_matmul(
        out.as_mut(),
        BlockStructure::TriangularLower,
        accumulate,
        a,
        BlockStructure::Rectangular,
        b.transpose(),
        BlockStructure::Rectangular,
        scale,
        par,
    );
}
