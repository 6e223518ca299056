//! Every criterion at every ridge, from one decomposition.
//!
//! | criterion | formula | right when |
//! |---|---|---|
//! | GCV (= GCV₁) | train/(1 − D̂/n)² | rows are independent |
//! | LOO | mean (rᵢ/(1 − hᵢᵢ))² | rows are independent |
//! | GCV₂ | train·(κ̂/λ)² | never sharper than CorrGCV; an upper bound |
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
use crate::prepare::Prepared;
use crate::shrinkage::Shrinkage;
use crate::test_point::{Brackets, TestPoint};
use crate::{Error, Result, TwoComponent};
use faer::{Accum, Mat, MatRef};
use rayon::prelude::*;
use rmt_models::kernel::{JointBasis, Kernel};

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
    /// Error at each test point: CorrGCV times the bracket of K; first index the lag.
    pub correlated_test_error: Vec<Vec<f64>>,
    /// The same with the two components, for K′ ≠ K.
    pub correlated_test_error_two_component: Option<Vec<Vec<f64>>>,
}

/// Columns of residuals formed at a time.
const BATCH: usize = 256;
/// Ridges whose residuals are formed at a time.
const RIDGES: usize = 16;

pub(crate) fn compute(
    data: &Prepared,
    decomposition: &Decomposition,
    lambdas: &[f64],
    criteria: &Criteria<'_>,
) -> Result<Path> {
    let n = data.x.nrows();
    let mut notes = Vec::new();
    let mean = data.direction.is_some();
    for kernel in criteria.correlation.iter().chain(&criteria.noise) {
        if kernel.rows() != n {
            return Err(Error::Length { what: "correlation", found: kernel.rows(), expected: n });
        }
        notes.extend(kernel.notices().iter().cloned());
    }
    if data.root_weights.is_some() && criteria.correlation.is_some() {
        return Err(Error::WeightsWithCorrelation);
    }
    let levels = match criteria.correlation {
        Some(kernel) if mean => Some(kernel.centred_levels()?),
        Some(kernel) => Some(kernel.levels().clone()),
        None => None,
    };
    let steps = Shrinkage::path(decomposition, n, data.dimension(), lambdas, levels.as_ref())?;
    let mut out: Vec<TargetPath> = cheap(data, decomposition, &steps);

    let mut brackets = Vec::new();
    if let Some(kernel) = criteria.correlation {
        for &lag in &criteria.lags {
            let point = TestPoint::new(kernel, criteria.noise, lag)?;
            let at = |s: &Shrinkage| {
                let kappa_tilde = s.correlated.map_or(0.0, |c| c.kappa_tilde);
                point.brackets(kernel, criteria.noise, mean, kappa_tilde)
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
    let joint = match (criteria.correlation, criteria.noise) {
        (Some(kernel), Some(noise)) => {
            let basis = kernel.joint_basis(noise, mean)?;
            match TwoComponent::normal(&basis) {
                Some(normal) => Some((basis, normal)),
                None => {
                    notes.push(
                        "K′ is proportional to K: only the sum of risk and noise is determined, \
                         use CorrGCV"
                            .to_owned(),
                    );
                    None
                }
            }
        }
        _ => None,
    };
    let whitener = match criteria.correlation {
        Some(kernel) if criteria.whitened => Whitener::new(kernel, mean, data.dimension())?,
        _ => None,
    };
    if criteria.whitened && criteria.correlation.is_some() && whitener.is_none() {
        notes.push(
            "whitened CorrGCV needs K⁻¹ and was left out: K is singular or its spectrum approximate"
                .to_owned(),
        );
    }
    let leverage = criteria.loo.then(|| Leverage::new(data, decomposition, &steps));

    if leverage.is_some() || whitener.is_some() || joint.is_some() {
        for target in &mut out {
            let list = || vec![0.0; steps.len()];
            target.loo = leverage.is_some().then(list);
            target.whitened_corr_gcv = whitener.is_some().then(list);
            target.two_component = joint.is_some().then(|| Vec::with_capacity(steps.len()));
        }
        residuals(data, decomposition, &steps, |at, first, columns| {
            let step = &steps[at];
            let mut rows: Vec<&mut TargetPath> =
                out[first..first + columns.ncols()].iter_mut().collect();
            rows.par_iter_mut().enumerate().try_for_each(|(j, target)| -> Result<()> {
                let r: Vec<f64> = columns.col(j).iter().copied().collect();
                if let (Some(leverage), Some(loo)) = (&leverage, &mut target.loo) {
                    loo[at] = leverage.error(at, &r, decomposition, step.lambda, first + j);
                }
                let Some(c) = step.correlated else { return Ok(()) };
                if let (Some(whitener), Some(list)) = (&whitener, &mut target.whitened_corr_gcv) {
                    list[at] =
                        c.mean_factor * whitener.error(&r, c.kappa_tilde, c.kappa_tilde_units)?;
                }
                if let (Some((basis, normal)), Some(list)) = (&joint, &mut target.two_component) {
                    let projections = project(basis, &r);
                    list.push(TwoComponent::fit(
                        basis,
                        normal,
                        &projections,
                        c.kappa_tilde,
                        c.kappa_tilde_units,
                    ));
                }
                Ok(())
            })
        })?;
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

/// The criteria that need the squared components of the targets only: O(r) a ridge and target.
fn cheap(data: &Prepared, decomposition: &Decomposition, steps: &[Shrinkage]) -> Vec<TargetPath> {
    let n = data.x.nrows() as f64;
    let b = &decomposition.b;
    let squares = Mat::from_fn(b.nrows(), b.ncols(), |i, j| b[(i, j)] * b[(i, j)]);
    let factors = Mat::from_fn(b.nrows(), steps.len(), |i, l| steps[l].d[i] * steps[l].d[i]);
    let sums = factors.transpose() * squares;
    (0..b.ncols())
        .map(|t| {
            let rest =
                decomposition.perp.as_ref().map_or(0.0, |perp| perp.col(t).squared_norm_l2());
            // In units of unit².
            let train = |l: usize| (sums[(l, t)] + rest) / n;
            let list = |f: &dyn Fn(usize, &Shrinkage) -> f64| -> Vec<f64> {
                steps.iter().enumerate().map(|(l, s)| f(l, s)).collect()
            };
            let correlated = steps.iter().all(|s| s.correlated.is_some()) && !steps.is_empty();
            TargetPath {
                variance: data.y.col(t).squared_norm_l2() / n,
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
    let (n, rank, targets) = (data.x.nrows(), decomposition.g.len(), data.y.ncols());
    let u = decomposition.left(data);
    let width = targets.min(BATCH);
    let ridges = (BATCH / width).clamp(1, RIDGES);
    let mut inner = Mat::zeros(rank, width * ridges);
    let mut columns = Mat::zeros(n, width * ridges);
    for from in (0..steps.len()).step_by(ridges) {
        let chunk = &steps[from..(from + ridges).min(steps.len())];
        for first in (0..targets).step_by(width) {
            let count = width.min(targets - first);
            let used = count * chunk.len();
            for (l, step) in chunk.iter().enumerate() {
                for t in 0..count {
                    let b = decomposition.b.col_as_slice(first + t);
                    let to = inner.col_as_slice_mut(l * count + t);
                    for ((to, b), d) in to.iter_mut().zip(b).zip(&step.d) {
                        *to = d * b;
                    }
                    if let Some(perp) = &decomposition.perp {
                        columns
                            .col_as_slice_mut(l * count + t)
                            .copy_from_slice(perp.col_as_slice(first + t));
                    }
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

/// 1 − hᵢᵢ of every row at every ridge.
struct Leverage<'a> {
    u: &'a Mat<f64>,
    /// 1 − hᵢᵢ in units of each ridge's unit, n×ridges.
    room: Mat<f64>,
    /// Rows that the features fit exactly whatever the targets: their r and 1 − h both vanish
    /// with λ while those of other rows do not, and the ratio is taken in units of λ.
    pinned: Vec<usize>,
}

/// Row of U counted as having norm 1.
const PINNED: f64 = 1e-12;

impl<'a> Leverage<'a> {
    fn new(data: &Prepared, decomposition: &'a Decomposition, steps: &[Shrinkage]) -> Self {
        let (n, rank) = (data.x.nrows(), decomposition.g.len());
        let u = decomposition.left(data);
        let squares = Mat::from_fn(n, rank, |i, j| u[(i, j)] * u[(i, j)]);
        let factors = Mat::from_fn(rank, steps.len(), |j, l| steps[l].d[j]);
        let mut room = &squares * factors;
        let mut pinned = Vec::new();
        if decomposition.perp.is_some() {
            for i in 0..n {
                let mean = data.direction.as_ref().map_or(0.0, |s| s[i] * s[i]);
                let rest = 1.0 - mean - squares.row(i).iter().sum::<f64>();
                if rest < PINNED {
                    pinned.push(i);
                } else {
                    for l in 0..steps.len() {
                        room[(i, l)] += rest;
                    }
                }
            }
        }
        Self { u, room, pinned }
    }

    /// Mean of (rᵢ/(1 − hᵢᵢ))².
    fn error(
        &self,
        ridge: usize,
        r: &[f64],
        decomposition: &Decomposition,
        lambda: f64,
        target: usize,
    ) -> f64 {
        let room = self.room.col_as_slice(ridge);
        let free = (0..r.len()).filter(|i| !self.pinned.contains(i));
        let mut sum: f64 = free.map(|i| (r[i] / room[i]).powi(2)).sum();
        for &i in &self.pinned {
            let b = decomposition.b.col_as_slice(target);
            let (mut above, mut below) = (0.0, 0.0);
            for (j, (g, b)) in decomposition.g.iter().zip(b).enumerate() {
                above += self.u[(i, j)] * b / (g + lambda);
                below += self.u[(i, j)] * self.u[(i, j)] / (g + lambda);
            }
            sum += (above / below).powi(2);
        }
        sum / r.len() as f64
    }
}

/// rᵀ(K + 2κ̃ + κ̃²K⁻¹)r/κ̃², with K⁻¹ inside the complement of the mean if one was fitted.
struct Whitener<'a> {
    kernel: &'a Kernel,
    /// K⁻¹1 and 1ᵀK⁻¹1.
    mean: Option<(Vec<f64>, f64)>,
    dimension: f64,
}

impl<'a> Whitener<'a> {
    fn new(kernel: &'a Kernel, mean: bool, dimension: usize) -> Result<Option<Self>> {
        let ones = vec![1.0; kernel.rows()];
        let Some(solved) = kernel.solve(0.0, &ones)? else { return Ok(None) };
        let total = solved.iter().sum();
        let mean = mean.then_some((solved, total));
        Ok(Some(Self { kernel, mean, dimension: dimension as f64 }))
    }

    fn error(&self, r: &[f64], kappa_tilde: f64, kappa_tilde_units: f64) -> Result<f64> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let forward = dot(r, &self.kernel.apply(r)?);
        let back = self.kernel.solve(0.0, r)?.map_or(0.0, |s| dot(r, &s));
        let back = match &self.mean {
            Some((solved, total)) => back - dot(r, solved).powi(2) / total,
            None => back,
        };
        let sum = forward + 2.0 * kappa_tilde * dot(r, r) + kappa_tilde * kappa_tilde * back;
        Ok(sum / (kappa_tilde_units * kappa_tilde_units * self.dimension))
    }
}

fn project(basis: &JointBasis, r: &[f64]) -> Vec<f64> {
    (0..basis.values.len())
        .map(|i| basis.vectors.col_as_slice(i).iter().zip(r).map(|(u, r)| u * r).sum())
        .collect()
}
