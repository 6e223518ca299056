//! Rates from a smooth curve: minimise Σ mean ((du/dt − F(u, p))/s)² over the logarithms of the
//! free rates with u and du/dt held, by BFGS.

use crate::problem::Problem;
use crate::{Error, Result};
use argmin::core::{CostFunction, Error as ArgminError, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::BFGS;
use std::cell::RefCell;

struct Matching<'a> {
    problem: &'a Problem<'a>,
    smoothed: &'a [(Vec<f64>, Vec<f64>)],
    deviations: &'a [f64],
    base: &'a [f64],
    best: &'a RefCell<(f64, Vec<f64>)>,
}

impl Matching<'_> {
    fn evaluate(&self, at: &[f64]) -> (f64, Vec<f64>) {
        let model = self.problem.model();
        let mut parameters = self.base.to_vec();
        for (&m, v) in self.problem.free().iter().zip(at) {
            parameters[m] = v.exp();
        }
        let (n, rates) = (self.deviations.len(), parameters.len());
        let (mut growth, mut by_parameter) = (vec![0.0; n], vec![0.0; n * rates]);
        let (mut total, mut gradient) = (0.0, vec![0.0; at.len()]);
        let count = self.smoothed.len() as f64;
        for (u, slope) in self.smoothed {
            model.growth(&parameters, u, &mut growth);
            model.growth_by_parameter(&parameters, u, &mut by_parameter);
            for &s in self.problem.present() {
                let residual = (slope[s] - u[s] * growth[s]) / self.deviations[s];
                total += residual * residual / count;
                for (g, &m) in gradient.iter_mut().zip(self.problem.free()) {
                    *g -= 2.0 * residual * u[s] * by_parameter[s * rates + m] * parameters[m]
                        / (self.deviations[s] * count);
                }
            }
        }
        (total, gradient)
    }
}

impl CostFunction for Matching<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, at: &Vec<f64>) -> Result<f64, ArgminError> {
        let (cost, _) = self.evaluate(at);
        if !cost.is_finite() {
            return Ok(f64::MAX);
        }
        let mut best = self.best.borrow_mut();
        if cost < best.0 {
            *best = (cost, at.clone());
        }
        Ok(cost)
    }
}

impl Gradient for Matching<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, at: &Vec<f64>) -> Result<Vec<f64>, ArgminError> {
        Ok(self.evaluate(at).1)
    }
}

/// All parameters, the free ones fitted to slopes. `smoothed` holds (u, du/dt) at many times.
pub(crate) fn match_gradients(
    problem: &Problem<'_>,
    start: &[f64],
    smoothed: &[(Vec<f64>, Vec<f64>)],
    deviations: &[f64],
) -> Result<Vec<f64>> {
    let free = problem.free();
    if free.is_empty() {
        return Ok(start.to_vec());
    }
    let from: Vec<f64> = free.iter().map(|&m| start[m].ln()).collect();
    let best = RefCell::new((f64::INFINITY, from.clone()));
    let matching = Matching { problem, smoothed, deviations, base: start, best: &best };
    let failed = |e: ArgminError| Error::Optimiser { reason: e.to_string() };
    let identity: Vec<Vec<f64>> = (0..from.len())
        .map(|row| (0..from.len()).map(|column| f64::from(row == column)).collect())
        .collect();
    let solver =
        BFGS::new(MoreThuenteLineSearch::new()).with_tolerance_grad(1e-12).map_err(failed)?;
    // A line search that can go no further ends the search at its best point.
    let _ = Executor::new(matching, solver)
        .configure(|state| state.param(from).inv_hessian(identity).max_iters(500))
        .timer(false)
        .run();
    let mut parameters = start.to_vec();
    for (&m, v) in free.iter().zip(&best.into_inner().1) {
        parameters[m] = v.exp();
    }
    Ok(parameters)
}
