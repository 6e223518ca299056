//! Every criterion at every ridge, from one decomposition.
//!
//! | criterion | formula | right when |
//! |---|---|---|
//! | GCV (= GCV₁) | train/(1 − D̂/n)² | rows are independent |
//! | LOO | mean (rᵢ/(1 − hᵢᵢ))² | rows are independent |
//! | GCV₂ | train·(κ̂/λ)² | never sharper than CorrGCV; an upper bound |
//! | folds | (I − H_SS)⁻¹r_S on the rows S of each fold ([`Folds`]) | the folds are independent |
//! | CorrGCV | train/φ(κ̃), φ = (κ̃²/n) Tr K(K + κ̃)⁻² | rows and noise share the correlation K |
//! | whitened CorrGCV | rᵀ(K + 2κ̃ + κ̃²K⁻¹)r/(nκ̃²) | the same; differs when K is wrong |
//! | two components | least squares of (kᵢ + κ̃)²(uᵢᵀr)²/κ̃² on (kᵢ, k′ᵢ) | noise correlation K′ ≠ K known |
//!
//! κ̃ solves Σ k/(k + κ̃) = D̂ and κ̂ = nλ/(κ̃D̂). With an intercept, K acts in the complement of the
//! all-ones vector and the error includes that of the fitted mean; n stays the number of rows, D̂
//! does not count the intercept (GCV and LOO do).
//!
//! Atanasov, Zavatone-Veth, Pehlevan, arXiv:2408.04607; Golub, Heath, Wahba (1979).

use crate::decomposition::{Decomposition, Method};
use crate::folds::{FoldErrors, FoldFactors, FoldSolver, Folds};
use crate::prepare::Prepared;
use crate::residuals::{Leverage, Whitener};
use crate::shrinkage::Shrinkage;
use crate::test_point::{Brackets, TestPoint};
use crate::two_component::TwoComponents;
use crate::{Error, Result, TwoComponent};
use faer::{Accum, Mat, MatRef};
use rayon::prelude::*;
use rmt_models::kernel::Kernel;
use std::borrow::Cow;

/// Which criteria a path computes beside training error and GCV.
#[derive(Clone, Debug, Default)]
pub struct Criteria<'a> {
    /// Exact leave-one-out error.
    pub loo: bool,
    /// Correlation K of the rows: gives GCV₂ and CorrGCV.
    pub correlation: Option<&'a Kernel>,
    /// Correlation K′ of the noise where it is not K: gives the two components.
    pub noise: Option<&'a Kernel>,
    /// Whitened CorrGCV (needs a nonsingular K with an exact spectrum, otherwise left out).
    pub whitened: bool,
    /// Test points this many steps (or time units) after the last row.
    pub lags: Vec<f64>,
    /// Cross-validation by these splits, exact and without refits.
    pub folds: Vec<&'a Folds>,
}

/// All criteria along a list of ridges.
#[derive(Clone, Debug)]
pub struct Path {
    /// The ridges, in the order given. λ multiplies |θ|² beside the mean squared residual:
    /// scikit-learn's `alpha` is nλ.
    pub lambdas: Vec<f64>,
    /// Number of rows.
    pub rows: usize,
    /// How the features were decomposed.
    pub method: Method,
    /// Degrees of freedom D̂ = Tr Σ̂(Σ̂ + λ)⁻¹, without the intercept.
    pub df1: Vec<f64>,
    /// κ̂ = nλ/(κ̃D̂); without a correlation λ/(1 − D̂/n).
    pub kappa: Vec<f64>,
    /// κ̃, with a correlation.
    pub kappa_tilde: Option<Vec<f64>>,
    /// One entry a target.
    pub targets: Vec<TargetPath>,
    /// What was left out or approximated, and why.
    pub notes: Vec<String>,
}

/// The criteria of one target; each a list over the ridges, errors as mean squares.
#[derive(Clone, Debug, Default)]
pub struct TargetPath {
    /// Variance of the target around its mean (around 0 without intercept), for R².
    pub variance: f64,
    /// Mean squared residual.
    pub train_error: Vec<f64>,
    /// Generalised cross-validation, GCV₁.
    pub gcv: Vec<f64>,
    /// Exact leave-one-out error.
    pub loo: Option<Vec<f64>>,
    /// GCV₂.
    pub gcv2: Option<Vec<f64>>,
    /// CorrGCV.
    pub corr_gcv: Option<Vec<f64>>,
    /// Whitened CorrGCV.
    pub whitened_corr_gcv: Option<Vec<f64>>,
    /// Risk and noise variance for K′ ≠ K.
    pub two_component: Option<Vec<TwoComponent>>,
    /// Cross-validation by each of the splits asked for.
    pub folds: Vec<FoldErrors>,
    /// Error at each test point: CorrGCV times the bracket of K; first index the lag.
    pub correlated_test_error: Vec<Vec<f64>>,
    /// The same with the two components, for K′ ≠ K.
    pub correlated_test_error_two_component: Option<Vec<Vec<f64>>>,
}

/// Columns of residuals formed at a time: wide products run at twice the speed of those of 256.
const BATCH: usize = 1024;
/// Residuals formed at a time (32 MB), which bounds the columns for many rows.
const ENTRIES: usize = 1 << 22;
/// Ridges whose residuals are formed at a time.
const RIDGES: usize = 16;

pub(crate) fn compute(
    data: &Prepared,
    decomposition: &Decomposition,
    lambdas: &[f64],
    criteria: &Criteria<'_>,
) -> Result<Path> {
    let n = data.rows;
    let mut notes = Vec::new();
    let by_row = criteria.loo || criteria.whitened || criteria.noise.is_some();
    if !data.has_rows() && (by_row || !criteria.folds.is_empty()) {
        return Err(Error::RowsNeeded {
            what: "leave-one-out, folds, whitened and two-component errors",
        });
    }
    let mean = data.direction.is_some();
    for folds in &criteria.folds {
        folds.check(n)?;
    }
    let correlation = seen(data, criteria.correlation)?;
    let noise = seen(data, criteria.noise)?;
    let (correlation, noise) = (correlation.as_deref(), noise.as_deref());
    for kernel in correlation.iter().chain(&noise) {
        notes.extend(kernel.notices().iter().cloned());
    }
    let levels = match correlation {
        Some(kernel) if mean => Some(kernel.centred_levels()?),
        Some(kernel) => Some(kernel.levels().clone()),
        None => None,
    };
    let steps = Shrinkage::path(decomposition, n, data.dimension(), lambdas, levels.as_ref())?;
    let mut out: Vec<TargetPath> = cheap(data, decomposition, &steps);

    let mut brackets = Vec::new();
    if let Some(kernel) = correlation {
        for &lag in &criteria.lags {
            let point = TestPoint::new(kernel, noise, lag)?;
            let at = |s: &Shrinkage| {
                let kappa_tilde = s.correlated.map_or(0.0, |c| c.kappa_tilde);
                point.brackets(kernel, noise, mean, kappa_tilde)
            };
            match steps.iter().map(at).collect::<Result<Option<Vec<Brackets>>>>()? {
                Some(list) => brackets.push(list),
                None => notes.push(
                    "the error at a test lag needs (K + κ̃)⁻¹ and was left out for this kernel"
                        .to_owned(),
                ),
            }
        }
    }
    let components = match (correlation, noise, &levels) {
        (Some(kernel), Some(noise), Some(levels)) => {
            let components = TwoComponents::new(kernel, levels, noise, mean)?;
            if components.is_none() {
                notes.push(
                    "K′ is proportional to K: only the sum of risk and noise is determined, \
                     use CorrGCV"
                        .to_owned(),
                );
            }
            components
        }
        _ => None,
    };
    let whitener = match correlation {
        Some(kernel) if criteria.whitened => Whitener::new(kernel, mean, data.dimension())?,
        _ => None,
    };
    if criteria.whitened && correlation.is_some() && whitener.is_none() {
        notes.push(
            "whitened CorrGCV needs K⁻¹ and was left out: K is singular or its spectrum approximate"
                .to_owned(),
        );
    }
    let leverage = criteria.loo.then(|| Leverage::new(data, decomposition, &steps));

    let solvers: Vec<FoldSolver<'_>> =
        criteria.folds.iter().map(|f| FoldSolver::new(f, data, decomposition)).collect();
    if leverage.is_some() || whitener.is_some() || components.is_some() || !solvers.is_empty() {
        for target in &mut out {
            let list = || vec![0.0; steps.len()];
            target.loo = leverage.is_some().then(list);
            target.whitened_corr_gcv = whitener.is_some().then(list);
            target.folds = solvers
                .iter()
                .map(|_| FoldErrors { error: list(), standard_error: list() })
                .collect();
        }
        // Factors of the ridge that is being visited.
        let mut factors: (Option<usize>, Vec<FoldFactors>) = (None, Vec::new());
        let mut undetermined = false;
        residuals(data, decomposition, &steps, |at, first, columns| {
            let step = &steps[at];
            if factors.0 != Some(at) {
                factors = (Some(at), solvers.iter().map(|s| s.at(step)).collect());
            }
            for (k, (solver, factors)) in solvers.iter().zip(&factors.1).enumerate() {
                for (t, (error, spread)) in solver.errors(factors, columns).into_iter().enumerate()
                {
                    let target = &mut out[first + t].folds[k];
                    target.error[at] = error;
                    target.standard_error[at] = spread;
                    undetermined |= !error.is_finite();
                }
            }
            let visited = &mut out[first..first + columns.ncols()];
            if let Some(leverage) = &leverage {
                visited.par_iter_mut().enumerate().for_each(|(j, target)| {
                    let r: Vec<f64> = columns.col(j).iter().copied().collect();
                    if let Some(loo) = &mut target.loo {
                        loo[at] = leverage.error(at, &r, decomposition, step.lambda, first + j);
                    }
                });
            }
            let Some(c) = step.correlated else { return Ok(()) };
            if let Some(whitener) = &whitener {
                for (target, error) in visited.iter_mut().zip(whitener.errors(columns, c)?) {
                    if let Some(list) = &mut target.whitened_corr_gcv {
                        list[at] = error;
                    }
                }
            }
            if let Some(components) = &components {
                for (target, fit) in visited.iter_mut().zip(components.fit(columns, c)?) {
                    target.two_component.get_or_insert_default().push(fit);
                }
            }
            Ok(())
        })?;
        if undetermined {
            notes.push(
                "a fold leaves too few rows to determine the fit without a ridge: its error there \
                 is reported as infinite"
                    .to_owned(),
            );
        }
    }

    for target in &mut out {
        if let Some(corr_gcv) = &target.corr_gcv {
            for list in &brackets {
                let errors =
                    corr_gcv.iter().zip(&steps).zip(list).map(|((e, s), b)| {
                        e / s.correlated.map_or(1.0, |c| c.mean_factor) * b.matched
                    });
                target.correlated_test_error.push(errors.collect());
            }
        }
        if let Some(components) = &target.two_component {
            let errors = brackets.iter().map(|list| {
                components
                    .iter()
                    .zip(list)
                    .map(|(c, b)| c.risk * b.matched + c.noise_variance * b.noise.unwrap_or(1.0))
                    .collect()
            });
            target.correlated_test_error_two_component = Some(errors.collect());
        }
    }
    Ok(Path {
        lambdas: lambdas.to_vec(),
        rows: n,
        method: decomposition.method,
        df1: steps.iter().map(|s| s.df1).collect(),
        kappa: steps
            .iter()
            .map(|s| match s.correlated {
                Some(c) => c.kappa,
                // λ/(1 − D̂/n) in the dimension of the residuals, finite at λ = 0.
                None => {
                    let lambda = if s.unit == 1.0 { s.lambda } else { 1.0 };
                    lambda * n as f64 / s.room
                }
            })
            .collect(),
        kappa_tilde: levels
            .is_some()
            .then(|| steps.iter().map(|s| s.correlated.map_or(0.0, |c| c.kappa_tilde)).collect()),
        targets: out,
        notes,
    })
}

/// A kernel as the prepared rows see it: weighted if they are.
pub(crate) fn seen<'a>(
    data: &Prepared,
    kernel: Option<&'a Kernel>,
) -> Result<Option<Cow<'a, Kernel>>> {
    let Some(kernel) = kernel else { return Ok(None) };
    let n = data.rows;
    if kernel.rows() != n {
        return Err(Error::Length { what: "correlation", found: kernel.rows(), expected: n });
    }
    Ok(Some(match data.weights() {
        None => Cow::Borrowed(kernel),
        Some(weights) => Cow::Owned(kernel.weighted(&weights)?),
    }))
}

/// The criteria that need the squared components of the targets only: O(r) a ridge and target.
fn cheap(data: &Prepared, decomposition: &Decomposition, steps: &[Shrinkage]) -> Vec<TargetPath> {
    let n = data.rows as f64;
    let b = &decomposition.b;
    let squares = Mat::from_fn(b.nrows(), b.ncols(), |i, j| b[(i, j)] * b[(i, j)]);
    let factors = Mat::from_fn(b.nrows(), steps.len(), |i, l| steps[l].d[i] * steps[l].d[i]);
    let sums = factors.transpose() * squares;
    (0..b.ncols())
        .map(|t| {
            let rest = decomposition.rest[t];
            // In units of unit².
            let train = |l: usize| (sums[(l, t)] + rest) / n;
            let list = |f: &dyn Fn(usize, &Shrinkage) -> f64| -> Vec<f64> {
                steps.iter().enumerate().map(|(l, s)| f(l, s)).collect()
            };
            let correlated = steps.iter().all(|s| s.correlated.is_some()) && !steps.is_empty();
            TargetPath {
                variance: data.variance[t],
                train_error: list(&|l, s| s.unit * s.unit * train(l)),
                gcv: list(&|l, s| train(l) * (n / s.room).powi(2)),
                gcv2: correlated
                    .then(|| list(&|l, s| s.correlated.map_or(0.0, |c| train(l) * c.gcv2))),
                corr_gcv: correlated.then(|| {
                    list(&|l, s| s.correlated.map_or(0.0, |c| train(l) / c.phi * c.mean_factor))
                }),
                ..TargetPath::default()
            }
        })
        .collect()
}

/// Forms the residuals of all ridges and targets in batches (in units of each ridge's unit) and
/// hands them out ridge by ridge: `visit(ridge, first target, columns)`.
pub(crate) fn residuals(
    data: &Prepared,
    decomposition: &Decomposition,
    steps: &[Shrinkage],
    mut visit: impl FnMut(usize, usize, MatRef<'_, f64>) -> Result<()>,
) -> Result<()> {
    let (n, rank, targets) = (data.rows, decomposition.g.len(), data.y.ncols());
    let u = decomposition.left(data);
    let batch = (ENTRIES / n).clamp(RIDGES, BATCH);
    let width = targets.min(batch);
    let ridges = (batch / width).clamp(1, RIDGES);
    let mut inner = Mat::zeros(rank, width * ridges);
    let mut columns = Mat::zeros(n, width * ridges);
    for from in (0..steps.len()).step_by(ridges) {
        let chunk = &steps[from..(from + ridges).min(steps.len())];
        for first in (0..targets).step_by(width) {
            let count = width.min(targets - first);
            let used = count * chunk.len();
            inner.subcols_mut(0, used).par_col_iter_mut().enumerate().for_each(|(k, to)| {
                let b = decomposition.b.col_as_slice(first + k % count);
                for ((to, b), d) in to.iter_mut().zip(b).zip(&chunk[k / count].d) {
                    *to = d * b;
                }
            });
            if let Some(perp) = &decomposition.perp {
                for k in 0..used {
                    columns.col_mut(k).copy_from(perp.col(first + k % count));
                }
            }
            let accumulate = if decomposition.perp.is_some() { Accum::Add } else { Accum::Replace };
            faer::linalg::matmul::matmul(
                columns.subcols_mut(0, used),
                accumulate,
                u,
                inner.subcols(0, used),
                1.0,
                faer::get_global_parallelism(),
            );
            for l in 0..chunk.len() {
                visit(from + l, first, columns.subcols(l * count, count))?;
            }
        }
    }
    Ok(())
}
