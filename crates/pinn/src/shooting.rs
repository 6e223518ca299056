//! Multiple shooting: a way to the minimum from guesses whose trajectory soon parts from the data.
//!
//! Over a long horizon χ² as a function of the rates has many local minima: an orbit of the wrong
//! period runs in and out of phase with the data (Bock 1983). Cut the series into segments, each
//! with its own initial state uₛ, and ask for continuity instead:
//!
//! ```text
//! χ²(p, u₁ … u_S) + w² Σₛ |ln u(tₛ₊₁; p, uₛ) − ln uₛ₊₁|²
//! ```
//!
//! With small w each short segment follows its data whatever the rates are, and the rates follow
//! from all of them; w then grows, and ordinary least squares ends the search.

use crate::Result;
use crate::least_squares::{Estimate, fit, minimise};
use crate::problem::{Linearised, Problem, SETTINGS};
use rmt_dynamics::{simulate, simulate_with_sensitivities};

/// Observation times in a segment.
const SEGMENT: usize = 4;
/// The weights w of continuity, one fit after the other: jumps of 30 % cost one unit of χ² at
/// first, those of 3 % at the end.
const WEIGHTS: [f64; 2] = [3.0, 30.0];

/// Fits from the initial guess of the rates, but from the data's own states in every segment.
pub fn multiple_shooting(problem: &Problem<'_>) -> Result<Estimate> {
    let shooting = Shooting::new(problem);
    let mut theta = shooting.start();
    for weight in WEIGHTS {
        theta = minimise(|at| shooting.linearise(at, weight), &theta, &[])?.theta;
    }
    theta.truncate(shooting.rates + shooting.states);
    fit(problem, &theta, &[])
}

/// Unknowns are the logarithms of the free rates, then those of each segment's initial densities.
struct Shooting<'a, 'p> {
    problem: &'a Problem<'p>,
    /// Positions of the first observation of each segment.
    cuts: Vec<usize>,
    rates: usize,
    states: usize,
}

impl<'a, 'p> Shooting<'a, 'p> {
    fn new(problem: &'a Problem<'p>) -> Self {
        let count = problem.observations().times().len();
        let segments = (count / SEGMENT).max(1);
        Self {
            problem,
            cuts: (0..segments).map(|s| s * count / segments).collect(),
            rates: problem.free().len(),
            states: problem.present().len(),
        }
    }

    /// The guess of the rates; observed densities where a segment starts, a value below its error
    /// raised to it; the guess's own trajectory, as far as it goes, for species without data.
    fn start(&self) -> Vec<f64> {
        let problem = self.problem;
        let data = problem.observations();
        let (parameters, first) = (problem.parameters(), problem.initial_state());
        let times: Vec<f64> = self.cuts.iter().map(|&c| data.times()[c]).collect();
        let guess = simulate(problem.model(), parameters, first, &times, &SETTINGS);
        let guess = guess.map(|run| run.states).unwrap_or_default();
        let mut theta: Vec<f64> = problem.free().iter().map(|&m| parameters[m].ln()).collect();
        let width = data.species().len();
        for (segment, &cut) in self.cuts.iter().enumerate() {
            for &n in problem.present() {
                let density = match data.species().iter().position(|&s| s == n) {
                    Some(column) => {
                        let at = cut * width + column;
                        data.values()[at].max(data.sigma()[at])
                    }
                    None => guess.get(segment).map_or(first[n], |u| u[n].max(f64::MIN_POSITIVE)),
                };
                theta.push(density.ln());
            }
        }
        theta
    }

    /// Residuals of data and continuity with their derivative; `None` when a segment runs away.
    fn linearise(&self, theta: &[f64], weight: f64) -> Option<Linearised> {
        let problem = self.problem;
        let data = problem.observations();
        let width = theta.len();
        let mut found = Linearised { residuals: Vec::new(), jacobian: Vec::new() };
        for (segment, &cut) in self.cuts.iter().enumerate() {
            let offset = self.rates + segment * self.states;
            let mut unknowns = theta[..self.rates].to_vec();
            unknowns.extend(&theta[offset..offset + self.states]);
            let (parameters, state) = problem.expand(&unknowns);
            let next = self.cuts.get(segment + 1).copied();
            let end = next.unwrap_or(data.times().len());
            // The rates do not depend on time: every segment starts at 0.
            let from = data.times()[cut];
            let until = next.map_or(end, |next| next + 1);
            let times: Vec<f64> = data.times()[cut..until].iter().map(|t| t - from).collect();
            let run = simulate_with_sensitivities(
                problem.model(),
                &parameters,
                &state,
                &times,
                &SETTINGS,
                problem.free(),
            )
            .ok()?;
            if run.trajectory.states.len() < times.len() {
                return None;
            }
            let local = unknowns.len();
            // A row of the derivative for (rates, this segment's state), in the place of all.
            let spread = |row: &[f64], scale: f64, jacobian: &mut Vec<f64>| {
                let at = jacobian.len();
                jacobian.resize(at + width, 0.0);
                for (m, s) in row.iter().enumerate() {
                    let to = if m < self.rates { m } else { offset + m - self.rates };
                    jacobian[at + to] = scale * s;
                }
            };
            for (position, row) in (cut..end).enumerate() {
                let (state, by) = (&run.trajectory.states[position], &run.sensitivities[position]);
                problem.misfit(row, state, |n, residual, scale| {
                    found.residuals.push(residual);
                    spread(&by[n * local..(n + 1) * local], scale, &mut found.jacobian);
                });
            }
            let Some(next) = next else { continue };
            let last = next - cut;
            let (state, by) = (&run.trajectory.states[last], &run.sensitivities[last]);
            for (position, &n) in problem.present().iter().enumerate() {
                let follower = offset + self.states + position;
                found.residuals.push(weight * (state[n].ln() - theta[follower]));
                spread(&by[n * local..(n + 1) * local], weight, &mut found.jacobian);
                let row = found.jacobian.len() - width;
                found.jacobian[row + follower] = -weight;
            }
        }
        found.checked()
    }
}
