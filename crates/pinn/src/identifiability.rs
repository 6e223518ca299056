//! What the data say about each unknown.
//!
//! Fisher information F = JᵀJ with J the derivative of the normalised residuals for the logarithms
//! of rates and initial densities; standard errors are √diag F⁻¹. Leaving the initial state out
//! would make them too small. When F is singular to working precision some combination of unknowns
//! has no finite error: it is named instead. Profile likelihoods (Raue et al. 2009) do not rely on
//! the quadratic approximation: fix one unknown, refit the others, and see where χ² has risen by
//! 3.84, the 95 % point of χ² with one degree of freedom.

use crate::least_squares::{Estimate, fit};
use crate::problem::{Linearised, Problem, SETTINGS};
use crate::{Error, Result};
use faer::Mat;
use rmt_dynamics::simulate_with_sensitivities;

/// Condition number of the Fisher information beyond which standard errors mean nothing.
const SINGULAR: f64 = 1e12;
/// Rise of χ² at the end of a 95 % interval.
const RISE: f64 = 3.841_458_820_694_124;
/// A profile that has not risen after this change of a logarithm (a factor 10⁴) is called flat.
const FLAT: f64 = 9.21;
const MAX_PROFILE_POINTS: usize = 60;

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
        let largest = parts.first().map_or(0.0, |p| p.0.abs());
        parts
            .iter()
            .filter(|p| p.0.abs() > 0.1 * largest)
            .take(4)
            .map(|(weight, name)| format!("{weight:+.2} ln {name}"))
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

/// χ² along one unknown, the others refitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name of the unknown.
    pub name: String,
    /// Values of the unknown, ascending, the estimate among them.
    pub values: Vec<f64>,
    /// χ² at each, minimised over the others.
    pub chi2: Vec<f64>,
    /// Ends of the 95 % interval; `None` where χ² does not rise enough within a factor 10⁴.
    pub interval: (Option<f64>, Option<f64>),
}

/// The profile likelihood of the unknown at position `index` (free rates, then initial densities).
///
/// A lower χ² than the estimate's means that the estimate was a local minimum: an error says so.
pub fn profile(problem: &Problem<'_>, estimate: &Estimate, index: usize) -> Result<Profile> {
    let names = problem.unknown_names();
    let Some(name) = names.get(index) else {
        return Err(Error::Length { what: "unknown", found: index + 1, expected: names.len() });
    };
    let error = identifiability(estimate)?.relative_standard_errors.map_or(0.1, |se| se[index]);
    let (mut below, lower) = one_side(problem, estimate, index, -1.0, error)?;
    let (above, upper) = one_side(problem, estimate, index, 1.0, error)?;
    below.reverse();
    below.push((estimate.unknowns[index], estimate.chi2));
    below.extend(above);
    Ok(Profile {
        name: name.clone(),
        values: below.iter().map(|p| p.0.exp()).collect(),
        chi2: below.iter().map(|p| p.1).collect(),
        interval: (lower.map(f64::exp), upper.map(f64::exp)),
    })
}

/// Points (θ, χ²) away from the estimate, and where χ² crosses the threshold.
#[allow(clippy::type_complexity)]
fn one_side(
    problem: &Problem<'_>,
    estimate: &Estimate,
    index: usize,
    sign: f64,
    error: f64,
) -> Result<(Vec<(f64, f64)>, Option<f64>)> {
    let target = estimate.chi2 + RISE;
    let centre = estimate.unknowns[index];
    let mut points: Vec<(f64, f64)> = Vec::new();
    let (mut from, mut chi2) = (estimate.unknowns.clone(), estimate.chi2);
    let mut step = (0.4 * error).clamp(1e-6, 0.5);
    while points.len() < MAX_PROFILE_POINTS {
        let mut start = from.clone();
        start[index] += sign * step;
        if (start[index] - centre).abs() > FLAT {
            break;
        }
        let Ok(next) = fit(problem, &start, &[index]) else {
            // The refit failed this far away: come closer.
            step *= 0.5;
            if step < 1e-6 {
                break;
            }
            continue;
        };
        if next.chi2 < estimate.chi2 - 1e-3 * (1.0 + 1e-3 * estimate.chi2) {
            return Err(Error::NotConverged { chi2: estimate.chi2, evaluations: next.evaluations });
        }
        points.push((start[index], next.chi2));
        if next.chi2 >= target {
            // √(rise) is nearly linear in θ: interpolate there.
            let root = |c: f64| (c - estimate.chi2).max(0.0).sqrt();
            let (before, after) = (root(chi2), root(next.chi2));
            let fraction = (RISE.sqrt() - before) / (after - before);
            return Ok((points, Some(from[index] + fraction * (start[index] - from[index]))));
        }
        let rise = next.chi2 - chi2;
        (from, chi2) = (next.unknowns, next.chi2);
        // Aim at a rise of about 0.4 a point.
        step *= if rise < 0.2 {
            1.7
        } else if rise > 0.8 {
            0.7
        } else {
            1.0
        };
        step = step.min(1.0);
    }
    Ok((points, None))
}
