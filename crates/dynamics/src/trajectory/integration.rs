//! One run: the equations in ln u handed to diffsol, the steps through the output times, the events.
//! The state is kept in nalgebra's vectors: with three numbers a step costs 2.5 times less than in
//! faer's, which are made for large matrices.

use super::{Method, Outcome, SensitiveTrajectory, Settings, Trajectory};
use crate::{Error, PopulationModel, Result, check_parameters, check_state};
use diffsol::{
    NalgebraLU, NalgebraMat, OdeBuilder, OdeEquations, OdeSolverMethod, OdeSolverOptions,
    OdeSolverStopReason, Vector,
};
use std::cell::RefCell;

/// Steps after which the explicit method is abandoned for the implicit one.
const EXPLICIT_STEPS: usize = 200_000;
/// Steps after which the implicit method is abandoned.
const IMPLICIT_STEPS: usize = 500_000;
/// Stages are evaluated up to this factor (in logarithm) above the cap, so that a trial step beyond
/// it cannot overflow.
const ABOVE_CAP: f64 = 20.0;

pub(super) struct Run<'a> {
    model: &'a dyn PopulationModel,
    parameters: &'a [f64],
    initial_state: &'a [f64],
    times: &'a [f64],
    settings: &'a Settings,
    free: Option<&'a [usize]>,
    present: Vec<usize>,
}

/// Growth and derivatives in log coordinates, remembered for the last point: the solver asks for
/// one column at a time.
struct Linearisation {
    at: Vec<f64>,
    state: Vec<f64>,
    by_log_state: Vec<f64>,
    by_parameter: Vec<f64>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        model: &'a dyn PopulationModel,
        parameters: &'a [f64],
        initial_state: &'a [f64],
        times: &'a [f64],
        settings: &'a Settings,
        free: Option<&'a [usize]>,
    ) -> Result<Self> {
        check_parameters(model, parameters)?;
        check_state(model, initial_state)?;
        check_times(times)?;
        settings.check()?;
        for &m in free.unwrap_or_default() {
            let Some(quantity) = model.parameters().get(m) else {
                return Err(Error::Length {
                    what: "free parameters",
                    found: m + 1,
                    expected: parameters.len(),
                });
            };
            if parameters[m] == 0.0 {
                return Err(Error::Parameter {
                    name: quantity.name,
                    value: 0.0,
                    meaning: quantity.meaning,
                    remedy: "a free parameter is varied in its logarithm: give a positive number",
                });
            }
        }
        let present = (0..initial_state.len()).filter(|&n| initial_state[n] > 0.0).collect();
        Ok(Self { model, parameters, initial_state, times, settings, free, present })
    }

    pub(super) fn solve(&self) -> Result<SensitiveTrajectory> {
        let start = self.initial_state;
        let top = start.iter().copied().fold(0.0, f64::max);
        let extinct = self
            .settings
            .extinction
            .and_then(|level| self.present.iter().copied().find(|&n| start[n] <= level));
        let outcome = if top >= self.settings.cap {
            Some(Outcome::Runaway { time: 0.0, state: start.to_vec() })
        } else if let Some(species) = extinct {
            Some(Outcome::Extinct { species, time: 0.0, state: start.to_vec() })
        } else if self.present.is_empty() {
            Some(Outcome::Completed)
        } else {
            None
        };
        if let Some(outcome) = outcome {
            let states = match outcome {
                Outcome::Completed => vec![start.to_vec(); self.times.len()],
                _ => Vec::new(),
            };
            let trajectory = Trajectory { states, outcome, method: Method::Tsit45, steps: 0 };
            return Ok(SensitiveTrajectory {
                trajectory,
                sensitivities: Vec::new(),
                present: Vec::new(),
            });
        }
        self.attempt(Method::Tsit45).or_else(|_| self.attempt(Method::Bdf))
    }

    fn attempt(&self, method: Method) -> Result<SensitiveTrajectory> {
        let count = self.present.len();
        let ceiling = self.settings.cap.ln() + ABOVE_CAP;
        let total = self.model.species().len();
        let rates = self.model.parameters().len();
        let scratch = RefCell::new((vec![0.0; total], vec![0.0; total]));
        let rhs = |v: &[f64], _: &[f64], _: f64, out: &mut [f64]| {
            let (state, growth) = &mut *scratch.borrow_mut();
            self.densities(v, ceiling, state);
            self.model.growth(self.parameters, state, growth);
            for (out, &n) in out.iter_mut().zip(&self.present) {
                *out = growth[n];
            }
        };
        let linear = RefCell::new(Linearisation {
            at: vec![f64::NAN; count],
            state: vec![0.0; total],
            by_log_state: vec![0.0; total * total],
            by_parameter: vec![0.0; total * rates],
        });
        let linearise = |v: &[f64]| {
            let l = &mut *linear.borrow_mut();
            if l.at != v {
                l.at.copy_from_slice(v);
                self.densities(v, ceiling, &mut l.state);
                self.model.growth_by_state(self.parameters, &l.state, &mut l.by_log_state);
                for row in l.by_log_state.chunks_mut(total) {
                    for (entry, u) in row.iter_mut().zip(&l.state) {
                        *entry *= u;
                    }
                }
                if self.free.is_some() {
                    self.model.growth_by_parameter(self.parameters, &l.state, &mut l.by_parameter);
                }
            }
        };
        let jacobian = |v: &[f64], _: &[f64], _: f64, x: &[f64], out: &mut [f64]| {
            linearise(v);
            let l = linear.borrow();
            for (out, &n) in out.iter_mut().zip(&self.present) {
                *out = self
                    .present
                    .iter()
                    .zip(x)
                    .map(|(&m, x)| l.by_log_state[n * total + m] * x)
                    .sum();
            }
        };
        let start = |_: &[f64], _: f64, v: &mut [f64]| {
            for (v, &n) in v.iter_mut().zip(&self.present) {
                *v = self.initial_state[n].ln();
            }
        };
        let tolerance = self.settings.tolerance;
        let builder =
            OdeBuilder::<NalgebraMat<f64>>::new().rtol(tolerance).atol([tolerance]).h0(1.0);
        let Some(free) = self.free else {
            let mut problem = builder
                .rhs_implicit(rhs, jacobian)
                .init(start, count)
                .build()
                .map_err(|e| failed(0.0, 0, e))?;
            tune(&mut problem.ode_options);
            return match method {
                Method::Tsit45 => self.drive(problem.tsit45(), EXPLICIT_STEPS, method),
                Method::Bdf => self.drive(problem.bdf::<NalgebraLU<f64>>(), IMPLICIT_STEPS, method),
            };
        };
        // θ = (ln p of the free parameters, ln u(0)); its values never enter, only its directions.
        let by_parameter = |v: &[f64], _: &[f64], _: f64, x: &[f64], out: &mut [f64]| {
            linearise(v);
            let l = linear.borrow();
            for (out, &n) in out.iter_mut().zip(&self.present) {
                *out = free
                    .iter()
                    .zip(x)
                    .map(|(&m, x)| l.by_parameter[n * rates + m] * self.parameters[m] * x)
                    .sum();
            }
        };
        let start_by_parameter = |_: &[f64], _: f64, x: &[f64], out: &mut [f64]| {
            out.copy_from_slice(&x[free.len()..]);
        };
        let mut problem = builder
            .p(vec![1.0; free.len() + count])
            .rhs_sens_implicit(rhs, jacobian, by_parameter)
            .init_sens(start, start_by_parameter, count)
            .build()
            .map_err(|e| failed(0.0, 0, e))?;
        tune(&mut problem.ode_options);
        match method {
            Method::Tsit45 => self.drive(problem.tsit45_sens(), EXPLICIT_STEPS, method),
            Method::Bdf => {
                self.drive(problem.bdf_sens::<NalgebraLU<f64>>(), IMPLICIT_STEPS, method)
            }
        }
    }

    /// Densities of all species from the logarithms of those present.
    fn densities(&self, v: &[f64], ceiling: f64, state: &mut [f64]) {
        for (&n, v) in self.present.iter().zip(v) {
            state[n] = v.min(ceiling).exp();
        }
    }

    fn state(&self, v: &[f64]) -> Vec<f64> {
        let mut state = vec![0.0; self.initial_state.len()];
        self.densities(v, f64::INFINITY, &mut state);
        state
    }

    /// Steps through the output times, watching for events.
    fn drive<'p, E, S>(
        &self,
        solver: Result<S, diffsol::error::DiffsolError>,
        limit: usize,
        method: Method,
    ) -> Result<SensitiveTrajectory>
    where
        E: OdeEquations<T = f64> + 'p,
        E::V: Vector<T = f64>,
        S: OdeSolverMethod<'p, E>,
    {
        let mut solver = solver.map_err(|e| failed(0.0, 0, e))?;
        let mut result = SensitiveTrajectory {
            trajectory: Trajectory {
                states: Vec::with_capacity(self.times.len()),
                outcome: Outcome::Completed,
                method,
                steps: 0,
            },
            sensitivities: Vec::new(),
            present: self.present.clone(),
        };
        let mut steps = 0;
        for &time in self.times {
            if time > solver.state().t {
                solver.set_stop_time(time).map_err(|e| failed(time, steps, e))?;
                loop {
                    let before = solver.state().t;
                    let stop = solver.step().map_err(|e| failed(before, steps, e))?;
                    steps += 1;
                    if let Some(outcome) = self.event(&solver, before)? {
                        result.trajectory.outcome = outcome;
                        result.trajectory.steps = steps;
                        return Ok(result);
                    }
                    if matches!(stop, OdeSolverStopReason::TstopReached) {
                        break;
                    }
                    if steps >= limit {
                        return Err(failed(solver.state().t, steps, "step limit reached"));
                    }
                }
            }
            let state = self.state(&solver.state().y.clone_as_vec());
            result.trajectory.states.push(if time == 0.0 {
                self.initial_state.to_vec()
            } else {
                state
            });
            if let Some(free) = self.free {
                result
                    .sensitivities
                    .push(self.spread(&solver.state().s.clone_as_vec(), free.len()));
            }
        }
        result.trajectory.steps = steps;
        Ok(result)
    }

    /// From one channel a parameter over the species present to N×Q row-major.
    fn spread(&self, channels: &[f64], free: usize) -> Vec<f64> {
        let count = self.present.len();
        let width = free + count;
        let mut rows = vec![0.0; self.initial_state.len() * width];
        for column in 0..width {
            for (position, &n) in self.present.iter().enumerate() {
                rows[n * width + column] = channels[column * count + position];
            }
        }
        rows
    }

    /// The event inside the last step, if one happened.
    fn event<'p, E, S>(&self, solver: &S, before: f64) -> Result<Option<Outcome>>
    where
        E: OdeEquations<T = f64> + 'p,
        E::V: Vector<T = f64>,
        S: OdeSolverMethod<'p, E>,
    {
        let cap = self.settings.cap.ln();
        let floor = self.settings.extinction.map_or(f64::NEG_INFINITY, f64::ln);
        let (now, end) = (solver.state().t, solver.state().y.clone_as_vec());
        if end.iter().any(|v| v.is_nan()) {
            return Err(failed(now, 0, "the state is not a number"));
        }
        let reached = |v: &[f64]| v.iter().any(|&v| v >= cap || v <= floor);
        if !reached(&end) {
            return Ok(None);
        }
        // Bisection on the step's own interpolant down to adjacent numbers.
        let (mut low, mut high, mut state) = (before, now, end);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            let v = solver.interpolate(middle).map_err(|e| failed(middle, 0, e))?.clone_as_vec();
            if reached(&v) {
                (high, state) = (middle, v);
            } else {
                low = middle;
            }
        }
        let runaway = state.iter().any(|&v| v >= cap);
        let position = state.iter().position(|&v| v <= floor);
        let state = self.state(&state);
        Ok(Some(match position {
            Some(position) if !runaway => {
                Outcome::Extinct { species: self.present[position], time: high, state }
            }
            _ => Outcome::Runaway { time: high, state },
        }))
    }
}

/// On a slow manifold that steepens exponentially an old Jacobian is useless, and a new one costs
/// nothing: nine numbers.
fn tune(options: &mut OdeSolverOptions<f64>) {
    options.update_jacobian_after_steps = 1;
    options.update_rhs_jacobian_after_steps = 1;
    // Counted over the whole run; the limits on steps and step size still end a hopeless one.
    options.max_nonlinear_solver_failures = IMPLICIT_STEPS;
}
fn check_times(times: &[f64]) -> Result<()> {
    let mut previous = 0.0;
    for (index, &value) in times.iter().enumerate() {
        if !(value.is_finite() && value >= previous) {
            return Err(Error::Times { index, value, previous });
        }
        previous = value;
    }
    Ok(())
}

fn failed(time: f64, steps: usize, reason: impl ToString) -> Error {
    Error::Integration { time, steps, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PredatorPreyScavenger;

    const RATES: [f64; 14] =
        [1.0, 10.0, 0.5, 0.3, 0.1, 0.2, 0.4, 0.6, 0.1, 0.1, 0.08, 0.05, 0.1, 0.25];

    /// The fallback must give the same trajectory and derivatives: catches a wrong Jacobian, which
    /// the explicit method never looks at, and a different layout of the sensitivities.
    #[test]
    fn implicit_and_explicit_agree() {
        let settings = Settings { tolerance: 1e-9, ..Settings::default() };
        let free: Vec<usize> = (0..14).collect();
        let times = [0.0, 3.0, 10.0];
        let start = [5.0, 1.0, 1.0];
        let run = Run::new(&PredatorPreyScavenger, &RATES, &start, &times, &settings, Some(&free))
            .unwrap();
        let explicit = run.attempt(Method::Tsit45).unwrap();
        let implicit = run.attempt(Method::Bdf).unwrap();
        for (p, q) in explicit.trajectory.states.iter().zip(&implicit.trajectory.states) {
            for (p, q) in p.iter().zip(q) {
                // Measured 2e-7: 400 BDF steps of 1e-9 each.
                assert!((p / q - 1.0).abs() < 2e-6, "{p} {q}");
            }
        }
        for (p, q) in explicit.sensitivities.iter().zip(&implicit.sensitivities) {
            for (p, q) in p.iter().zip(q) {
                assert!((p - q).abs() < 1e-4 * (1.0 + q.abs()), "{p} {q}");
            }
        }
    }
}
