//! The loss of a physics-informed network.
//!
//! The network gives normalised densities oₙ(τ), uₙ = mₙ + sₙ oₙ with mean m and deviation s of the
//! data, and τ ∈ [−1, 1] the scaled time. With rates p = e^θ,
//!
//! ```text
//! Rₙ = (duₙ/dt − Fₙ(u, p))/sₙ,
//! L  = Σₙ mean over data (oₙ − dataₙ)²  +  λ Σₙ mean over collocation points Rₙ²
//! ```
//!
//! λ is 0 at first, so that the network learns the data before the equations pull at the rates.
//! Dividing by s makes species of different abundance count alike; the logarithm keeps rates
//! positive (Raissi, Perdikaris and Karniadakis 2019).

mod search;

use crate::network::{Network, Workspace};
use crate::problem::{Problem, SETTINGS};
use crate::training::{Observer, Training};
use crate::{Error, Result};
use search::Schedule;
pub(crate) use search::{Full, Scheduled, Stopped};
use std::cell::{Cell, RefCell};

/// Both parts of the loss.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Loss {
    /// Misfit of the data.
    pub data: f64,
    /// Misfit of the equations, before its weight.
    pub residual: f64,
    /// The weight λ.
    pub weight: f64,
}

impl Loss {
    /// What is minimised.
    pub fn total(&self) -> f64 {
        self.data + self.weight * self.residual
    }
}

/// The loss as a function of (weights, logarithms of the free rates).
pub(crate) struct Objective<'p> {
    problem: &'p Problem<'p>,
    pub(crate) network: Network,
    mean: Vec<f64>,
    deviation: Vec<f64>,
    /// dτ/dt.
    rate: f64,
    collocation: usize,
    /// Normalised targets: time, network output, value, and whether it is a real observation.
    targets: Vec<(usize, usize, f64, bool)>,
    counts: (f64, f64),
    schedule: Schedule,
    state: RefCell<State<'p>>,
    epoch: Cell<usize>,
}

struct State<'p> {
    work: Workspace,
    at: Vec<f64>,
    weight: f64,
    loss: Loss,
    gradient: Vec<f64>,
    best: Option<(f64, Vec<f64>)>,
    history: Vec<Loss>,
    progress: Option<Observer<'p>>,
}

impl<'p> Objective<'p> {
    pub(crate) fn new(
        problem: &'p Problem<'p>,
        training: &Training,
        progress: Option<Observer<'p>>,
    ) -> Result<Self> {
        let data = problem.observations();
        let horizon = data.times().last().copied().unwrap_or(0.0);
        if horizon <= 0.0 {
            return Err(Error::Setting {
                name: "t",
                value: horizon,
                remedy: "a network needs observations after t = 0",
            });
        }
        let present = problem.present();
        let network = Network::new(&training.hidden, present.len());
        let mut times = training.collocation.points(training.collocation_points, training.seed);
        let points = times.len();
        times.extend(data.times().iter().map(|t| 2.0 * t / horizon - 1.0));
        let guess = rmt_dynamics::simulate(
            problem.model(),
            problem.parameters(),
            problem.initial_state(),
            data.times(),
            &SETTINGS,
        );
        let guess = guess.ok().filter(|run| run.states.len() == data.times().len());
        let (mut mean, mut deviation, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        for (output, &n) in present.iter().enumerate() {
            let width = data.species().len();
            let observed = data.species().iter().position(|&s| s == n);
            // A species without data starts from the trajectory of the initial guess.
            let series: Vec<f64> = match (observed, &guess) {
                (Some(column), _) => {
                    data.values().iter().skip(column).step_by(width).copied().collect()
                }
                (None, Some(run)) => run.states.iter().map(|u| u[n]).collect(),
                (None, None) => vec![problem.initial_state()[n]; data.times().len()],
            };
            let (m, s) = moments(&series);
            mean.push(m);
            deviation.push(s);
            let values = series.into_iter().enumerate();
            targets
                .extend(values.map(|(t, v)| (points + t, output, (v - m) / s, observed.is_some())));
        }
        let length = network.len() + problem.free().len();
        let work = network.workspace(times, points);
        Ok(Self {
            problem,
            network,
            mean,
            deviation,
            rate: 2.0 / horizon,
            collocation: points,
            targets,
            counts: (data.times().len() as f64, points as f64),
            schedule: Schedule { data_only: training.data_only, ramp: training.ramp },
            epoch: Cell::new(0),
            state: RefCell::new(State {
                work,
                at: Vec::new(),
                weight: f64::NAN,
                loss: Loss { data: f64::NAN, residual: f64::NAN, weight: 0.0 },
                gradient: vec![0.0; length],
                best: None,
                history: Vec::new(),
                progress,
            }),
        })
    }

    /// Random weights and the rates of the initial guess.
    pub(crate) fn initial(&self, seed: u64) -> Vec<f64> {
        let mut start = self.network.initial(seed);
        start.extend(self.problem.free().iter().map(|&m| self.problem.parameters()[m].ln()));
        start
    }

    /// All parameters at a point of the search.
    pub(crate) fn parameters(&self, at: &[f64]) -> Vec<f64> {
        let mut parameters = self.problem.parameters().to_vec();
        for (&m, v) in self.problem.free().iter().zip(&at[self.network.len()..]) {
            parameters[m] = v.exp();
        }
        parameters
    }

    /// Continues a stopped training.
    pub(crate) fn resume(&self, epoch: usize, history: Vec<Loss>) {
        self.epoch.set(epoch);
        self.state.borrow_mut().history = history;
    }

    pub(crate) fn epoch(&self) -> usize {
        self.epoch.get()
    }

    pub(crate) fn history(&self) -> Vec<Loss> {
        self.state.borrow().history.clone()
    }

    /// The point of least loss since the last [`Objective::forget`].
    pub(crate) fn best(&self) -> Option<Vec<f64>> {
        self.state.borrow().best.as_ref().map(|b| b.1.clone())
    }

    pub(crate) fn forget(&self) {
        self.state.borrow_mut().best = None;
    }

    /// Densities of all species at `times` ≥ 0 (the network may be slightly negative: cut at 0).
    pub(crate) fn states(&self, at: &[f64], times: &[f64]) -> Vec<Vec<f64>> {
        let mut work =
            self.network.workspace(times.iter().map(|t| t * self.rate - 1.0).collect(), 0);
        self.network.forward(at, &mut work);
        (0..times.len())
            .map(|t| {
                let mut state = vec![0.0; self.problem.initial_state().len()];
                for (output, &n) in self.problem.present().iter().enumerate() {
                    let value = self.mean[output] + self.deviation[output] * work.output(t)[output];
                    state[n] = value.max(0.0);
                }
                state
            })
            .collect()
    }

    /// Loss and gradient with a given weight of the equations.
    pub(crate) fn evaluate(&self, at: &[f64], weight: f64) -> Loss {
        let state = &mut *self.state.borrow_mut();
        if state.at == at && state.weight == weight {
            return state.loss;
        }
        let (weights, _) = at.split_at(self.network.len());
        self.network.forward(weights, &mut state.work);
        state.work.clear();
        state.gradient.fill(0.0);
        let (gradient_w, gradient_p) = state.gradient.split_at_mut(self.network.len());
        let mut loss = Loss { data: 0.0, residual: 0.0, weight };
        for &(time, output, value, real) in &self.targets {
            let error = state.work.output(time)[output] - value;
            if real {
                loss.data += error * error / self.counts.0;
            } else if weight > 0.0 {
                // The guess of an unobserved species only guides the first epochs.
                continue;
            }
            state.work.output_bar(time)[output] += 2.0 * error / self.counts.0;
        }
        loss.residual = self.residuals(at, weight, &mut state.work, gradient_p);
        self.network.backward(weights, &mut state.work, gradient_w);
        state.at.clear();
        state.at.extend_from_slice(at);
        (state.weight, state.loss) = (weight, loss);
        loss
    }

    /// Σ mean R², with its adjoint for the network outputs and the derivative for the log rates.
    fn residuals(
        &self,
        at: &[f64],
        weight: f64,
        work: &mut Workspace,
        gradient: &mut [f64],
    ) -> f64 {
        let model = self.problem.model();
        let (present, free) = (self.problem.present(), self.problem.free());
        let parameters = self.parameters(at);
        let (n, rates) = (self.problem.initial_state().len(), parameters.len());
        let mut u = vec![0.0; n];
        let mut growth = vec![0.0; n];
        let mut by_state = vec![0.0; n * n];
        let mut by_parameter = vec![0.0; n * rates];
        let mut total = 0.0;
        for point in 0..self.collocation {
            for (output, &s) in present.iter().enumerate() {
                u[s] = self.mean[output] + self.deviation[output] * work.output(point)[output];
            }
            model.growth(&parameters, &u, &mut growth);
            if weight > 0.0 {
                model.growth_by_state(&parameters, &u, &mut by_state);
                model.growth_by_parameter(&parameters, &u, &mut by_parameter);
            }
            for (output, &s) in present.iter().enumerate() {
                let deviation = self.deviation[output];
                let velocity = deviation * work.output_tangent(point)[output] * self.rate;
                let residual = (velocity - u[s] * growth[s]) / deviation;
                total += residual * residual / self.counts.1;
                if weight == 0.0 {
                    continue;
                }
                let bar = 2.0 * weight * residual / self.counts.1;
                work.output_tangent_bar(point)[output] += bar * self.rate;
                // ∂F/∂u and ∂F/∂p of F = u G.
                let bar = -bar / deviation;
                for (other, &m) in present.iter().enumerate() {
                    let mut slope = u[s] * by_state[s * n + m];
                    if m == s {
                        slope += growth[s];
                    }
                    work.output_bar(point)[other] += bar * slope * self.deviation[other];
                }
                for (g, &m) in gradient.iter_mut().zip(free) {
                    *g += bar * u[s] * by_parameter[s * rates + m] * parameters[m];
                }
            }
        }
        total
    }

    /// Normalised densities and their slopes at the collocation points, for gradient matching:
    /// rows of (uₙ, duₙ/dt) of the species present.
    pub(crate) fn smoothed(&self, at: &[f64]) -> Vec<(Vec<f64>, Vec<f64>)> {
        let state = &mut *self.state.borrow_mut();
        self.network.forward(at, &mut state.work);
        state.at.clear();
        (0..self.collocation)
            .map(|point| {
                let (value, slope) = (state.work.output(point), state.work.output_tangent(point));
                let n = self.problem.initial_state().len();
                let (mut u, mut du) = (vec![0.0; n], vec![0.0; n]);
                for (output, &s) in self.problem.present().iter().enumerate() {
                    u[s] = self.mean[output] + self.deviation[output] * value[output];
                    du[s] = self.deviation[output] * slope[output] * self.rate;
                }
                (u, du)
            })
            .collect()
    }

    /// Deviation by which each species' residual is divided, for all species.
    pub(crate) fn deviations(&self) -> Vec<f64> {
        let mut all = vec![1.0; self.problem.initial_state().len()];
        for (&n, &s) in self.problem.present().iter().zip(&self.deviation) {
            all[n] = s;
        }
        all
    }
}

/// Mean and standard deviation; a constant series gets its mean, or 1, for a deviation.
fn moments(series: &[f64]) -> (f64, f64) {
    let count = series.len() as f64;
    let mean = series.iter().sum::<f64>() / count;
    let deviation = (series.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count).sqrt();
    if deviation > 1e-6 * mean.abs() {
        (mean, deviation)
    } else {
        (mean, if mean == 0.0 { 1.0 } else { mean.abs() })
    }
}

#[cfg(test)]
mod tests;
