//! What the data say about each unknown.
//!
//! Fisher information F = JᵀJ with J the derivative of the normalised residuals for the logarithms
//! of rates and initial densities; standard errors are √diag F⁻¹. Leaving the initial state out
//! would make them too small. When F is singular to working precision some combination of unknowns
//! has no finite error: it is named instead.

use crate::least_squares::Estimate;
use crate::problem::{Linearised, Problem, SETTINGS};
use crate::{Error, Result};
use faer::Mat;
use rmt_dynamics::simulate_with_sensitivities;

/// Condition number of the Fisher information beyond which standard errors mean nothing.
const SINGULAR: f64 = 1e12;
/// Spectrum of the Fisher information at an estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Identifiability {
    /// Eigenvalues of the Fisher information, ascending.
    pub eigenvalues: Vec<f64>,
    /// Largest over smallest eigenvalue; +∞ when the smallest vanishes.
    pub condition: f64,
    /// Unit vector, in logarithms of the unknowns, of the direction that the data see least.
    pub sloppiest: Vec<f64>,
    /// Relative standard error of every unknown; `None` when the information is singular.
    pub relative_standard_errors: Option<Vec<f64>>,
}

impl Identifiability {
    /// The sloppiest direction in words: the unknowns that make up most of it, with weights.
    pub fn direction(&self, names: &[String]) -> String {
        let mut parts: Vec<(f64, &String)> = self.sloppiest.iter().copied().zip(names).collect();
        parts.sort_by(|p, q| q.0.abs().total_cmp(&p.0.abs()));
        let first = parts.first().map_or(0.0, |p| p.0);
        let largest = first.abs();
        parts
            .iter()
            .filter(|p| p.0.abs() > 0.1 * largest)
            .take(4)
            // The sign of an eigenvector is free.
            .map(|(weight, name)| format!("{:+.2} ln {name}", weight * first.signum()))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The Fisher information at an estimate.
pub fn identifiability(estimate: &Estimate) -> Result<Identifiability> {
    spectrum(&estimate.linearised, estimate.unknowns.len())
}

fn spectrum(at: &Linearised, width: usize) -> Result<Identifiability> {
    let (values, v) = singular(at, width)?;
    let eigenvalues: Vec<f64> = values.iter().rev().map(|s| s * s).collect();
    let (smallest, largest) = (eigenvalues[0], eigenvalues[width - 1]);
    let condition = if smallest > 0.0 { largest / smallest } else { f64::INFINITY };
    let sloppiest: Vec<f64> = v.iter().map(|row| row[width - 1]).collect();
    let relative_standard_errors = inverse_root(at, width)?.map(|root| {
        (0..width).map(|m| root.iter().map(|c| c[m] * c[m]).sum::<f64>().sqrt()).collect()
    });
    Ok(Identifiability { eigenvalues, condition, sloppiest, relative_standard_errors })
}

/// The fitted trajectory with the standard error of each density, by linear propagation of the
/// errors of the estimate; `None` where the information is singular.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Densities, one row a time.
    pub states: Vec<Vec<f64>>,
    /// Standard errors of ln u, as the states; those of absent species are 0.
    pub log_errors: Option<Vec<Vec<f64>>>,
}

/// The fitted trajectory at `times` (ascending, from 0 on).
pub fn predict(problem: &Problem<'_>, estimate: &Estimate, times: &[f64]) -> Result<Prediction> {
    let run = simulate_with_sensitivities(
        problem.model(),
        &estimate.parameters,
        &estimate.initial_state,
        times,
        &SETTINGS,
        problem.free(),
    )?;
    let width = estimate.unknowns.len();
    let root = inverse_root(&estimate.linearised, width)?;
    let log_errors = root.map(|root| {
        run.sensitivities
            .iter()
            .map(|by| {
                by.chunks(width)
                    .map(|row| {
                        let part = |column: &Vec<f64>| -> f64 {
                            row.iter().zip(column).map(|(s, r)| s * r).sum()
                        };
                        root.iter().map(|c| part(c).powi(2)).sum::<f64>().sqrt()
                    })
                    .collect()
            })
            .collect()
    });
    Ok(Prediction { states: run.trajectory.states, log_errors })
}

/// Columns vₖ/σₖ of a root of F⁻¹ = Σ vₖ vₖᵀ/σₖ², unless F is singular.
fn inverse_root(at: &Linearised, width: usize) -> Result<Option<Vec<Vec<f64>>>> {
    let (values, v) = singular(at, width)?;
    let singular = !(values[0] / values[width - 1]).powi(2).le(&SINGULAR);
    Ok((!singular)
        .then(|| (0..width).map(|k| (0..width).map(|m| v[m][k] / values[k]).collect()).collect()))
}

/// Singular values of J, descending, and its right singular vectors as rows of V.
fn singular(at: &Linearised, width: usize) -> Result<(Vec<f64>, Vec<Vec<f64>>)> {
    // The spectrum of JᵀJ by the singular values of J: forming the product would lose half the
    // digits, and with them every eigenvalue below 1e-16 of the largest.
    let jacobian = Mat::from_fn(at.residuals.len(), width, |i, j| at.jacobian[i * width + j]);
    let failed = || Error::Optimiser { reason: "singular values did not converge".to_owned() };
    let svd = jacobian.thin_svd().map_err(|_| failed())?;
    let (values, v) = (svd.S().column_vector(), svd.V());
    let values = (0..width).map(|m| values[m]).collect();
    let v = (0..width).map(|m| (0..width).map(|k| v[(m, k)]).collect()).collect();
    Ok((values, v))
}
