//! Maximum likelihood for Gaussian errors: Levenberg–Marquardt on logarithms.
//!
//! Minimise χ²(θ) = Σ ((u(t; θ) − data)/σ)² over θ = (ln of the free rates, ln of the initial
//! densities), with exact derivatives from the forward sensitivities. A step solves
//! min |r + J δ|² + μ |D δ|² with D the column norms of J (Marquardt 1963), at least 1, and μ by
//! Nielsen's rule (1999). Keeping the largest norms seen (Moré 1978) was tried: a poor start on a
//! cyclic series has huge derivatives, whose memory then stops the search. A trajectory that runs
//! away or cannot be integrated has infinite cost: the step shrinks.

use crate::problem::{Linearised, Problem, Unknowns};
use crate::{Error, Result};
use faer::Mat;
use faer::linalg::solvers::SolveLstsq;

/// Trajectories after which a fit gives up.
const MAX_EVALUATIONS: usize = 400;
/// Longest step in a logarithm: beyond a factor e² the linear model says nothing.
const LONGEST_STEP: f64 = 2.0;
/// Column norms below this count as this: an unknown whose logarithm may change by 1 before any
/// residual does so by a standard deviation is better left where it is.
const LEAST_SCALE: f64 = 1.0;
/// Damping of the step that would minimise the linear model.
const UNDAMPED: f64 = 1e-12;
/// The iteration ends when the linear model promises less than this of χ²: every unknown that the
/// data determine is then within 3e-5 of its standard error.
const SETTLED: f64 = 1e-9;

/// A maximum-likelihood estimate.
#[derive(Clone, Debug)]
pub struct Estimate {
    /// All parameters, in the order of the model.
    pub parameters: Vec<f64>,
    /// The initial state.
    pub initial_state: Vec<f64>,
    /// χ² at the estimate.
    pub chi2: f64,
    /// Trajectories computed.
    pub evaluations: usize,
    pub(crate) unknowns: Unknowns,
    pub(crate) linearised: Linearised,
}

/// Fits from the initial guess of the problem.
pub fn least_squares(problem: &Problem<'_>) -> Result<Estimate> {
    fit(problem, &problem.unknowns(problem.parameters(), problem.initial_state()), &[])
}

/// Fits from other parameters and another initial state.
pub fn least_squares_from(
    problem: &Problem<'_>,
    parameters: &[f64],
    initial_state: &[f64],
) -> Result<Estimate> {
    rmt_dynamics::check_parameters(problem.model(), parameters)?;
    rmt_dynamics::check_state(problem.model(), initial_state)?;
    fit(problem, &problem.unknowns(parameters, initial_state), &[])
}

/// Fits with some unknowns `held` at their start.
pub(crate) fn fit(problem: &Problem<'_>, start: &[f64], held: &[usize]) -> Result<Estimate> {
    let minimum = minimise(|theta| problem.linearise(theta), start, held)?;
    if !minimum.converged {
        let Minimum { chi2, evaluations, .. } = minimum;
        return Err(Error::NotConverged { chi2, evaluations });
    }
    let (parameters, initial_state) = problem.expand(&minimum.theta);
    Ok(Estimate {
        parameters,
        initial_state,
        chi2: minimum.chi2,
        evaluations: minimum.evaluations,
        unknowns: minimum.theta,
        linearised: minimum.linearised,
    })
}

/// Where a sum of squares is least.
pub(crate) struct Minimum {
    pub(crate) theta: Vec<f64>,
    pub(crate) chi2: f64,
    pub(crate) linearised: Linearised,
    pub(crate) evaluations: usize,
    /// Whether it ended by itself and not by the limit on evaluations.
    pub(crate) converged: bool,
}

/// Minimises |r(θ)|² from `start`, the `held` unknowns fixed. `linearise` gives r and its
/// derivative, or `None` where there is none.
pub(crate) fn minimise(
    linearise: impl Fn(&[f64]) -> Option<Linearised>,
    start: &[f64],
    held: &[usize],
) -> Result<Minimum> {
    let mut theta = start.to_vec();
    let mut here = linearise(&theta).ok_or(Error::NoStart)?;
    let mut chi2 = here.chi2();
    let width = theta.len();
    let varied: Vec<usize> = (0..width).filter(|m| !held.contains(m)).collect();
    let (mut damping, mut growth) = (1e-3, 2.0);
    let mut evaluations = 1;
    let mut scale = vec![0.0_f64; width];
    let mut fresh = true;
    while evaluations < MAX_EVALUATIONS {
        if fresh {
            for &m in &varied {
                let norm: f64 =
                    here.jacobian.chunks(width).map(|row| row[m] * row[m]).sum::<f64>().sqrt();
                scale[m] = norm.max(LEAST_SCALE);
            }
            let newton = damped_step(&here, width, &varied, &scale, UNDAMPED);
            if newton.is_some_and(|s| reduction(&here, width, &varied, &s) <= SETTLED) {
                let (linearised, converged) = (here, true);
                return Ok(Minimum { theta, chi2, linearised, evaluations, converged });
            }
            fresh = false;
        }
        let Some(mut step) = damped_step(&here, width, &varied, &scale, damping) else {
            damping *= 10.0;
            evaluations += 1;
            continue;
        };
        // Each by itself: an unknown that the data hardly see must not shorten the others' steps.
        step.iter_mut().for_each(|s| *s = s.clamp(-LONGEST_STEP, LONGEST_STEP));
        let predicted = reduction(&here, width, &varied, &step);
        let mut trial = theta.clone();
        for (&m, s) in varied.iter().zip(&step) {
            trial[m] += s;
        }
        evaluations += 1;
        let outcome = linearise(&trial).map(|l| (l.chi2(), l));
        match outcome {
            Some((value, linearised)) if value < chi2 => {
                let gain = if predicted > 0.0 { (chi2 - value) / predicted } else { 0.0 };
                damping *= (1.0 - (2.0 * gain - 1.0).powi(3)).max(1.0 / 3.0);
                damping = damping.max(1e-10);
                growth = 2.0;
                (theta, here, chi2) = (trial, linearised, value);
                fresh = true;
            }
            _ => {
                damping *= growth;
                growth *= 2.0;
                if damping > 1e14 {
                    // No descent at rounding level: the point is as good as the arithmetic.
                    let (linearised, converged) = (here, true);
                    return Ok(Minimum { theta, chi2, linearised, evaluations, converged });
                }
            }
        }
    }
    Ok(Minimum { theta, chi2, linearised: here, evaluations, converged: false })
}

/// Minimiser of |r + J δ|² + μ |D δ|² over the varied unknowns, by QR of the stacked matrix.
fn damped_step(
    at: &Linearised,
    width: usize,
    varied: &[usize],
    scale: &[f64],
    damping: f64,
) -> Option<Vec<f64>> {
    let (rows, count) = (at.residuals.len(), varied.len());
    let root = damping.sqrt();
    let matrix = Mat::from_fn(rows + count, count, |i, j| {
        // Columns are scaled to unit size, so that the QR is well conditioned.
        if i < rows {
            at.jacobian[i * width + varied[j]] / scale[varied[j]]
        } else if i - rows == j {
            root
        } else {
            0.0
        }
    });
    let mut rhs =
        Mat::from_fn(rows + count, 1, |i, _| if i < rows { -at.residuals[i] } else { 0.0 });
    matrix.qr().solve_lstsq_in_place(&mut rhs);
    let step: Vec<f64> = varied.iter().enumerate().map(|(j, &m)| rhs[(j, 0)] / scale[m]).collect();
    step.iter().all(|s| s.is_finite()).then_some(step)
}

/// |r|² − |r + J δ|², the decrease that the linear model promises.
fn reduction(at: &Linearised, width: usize, varied: &[usize], step: &[f64]) -> f64 {
    at.residuals
        .iter()
        .zip(at.jacobian.chunks(width))
        .map(|(r, row)| {
            let change: f64 = varied.iter().zip(step).map(|(&m, s)| row[m] * s).sum();
            -change * (2.0 * r + change)
        })
        .sum()
}
