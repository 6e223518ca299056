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

use crate::network::{Network, Workspace};
use crate::problem::{Problem, SETTINGS};
use crate::training::{Collocation, Observer, Progress, Training};
use crate::{Error, Result};
use argmin::core::{CostFunction, Error as ArgminError, Gradient};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
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

/// The weight λ of the equations at each epoch.
#[derive(Clone, Copy)]
struct Schedule {
    data_only: usize,
    ramp: usize,
}

impl Schedule {
    fn weight(self, epoch: usize) -> f64 {
        if epoch < self.data_only {
            0.0
        } else {
            // From 0.01 to 1 in equal ratios.
            let done = (epoch - self.data_only) as f64 / self.ramp.max(1) as f64;
            0.01_f64.powf(1.0 - done.min(1.0))
        }
    }
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

/// Marks a training that the caller stopped.
#[derive(Debug, thiserror::Error)]
#[error("stopped by the caller")]
pub(crate) struct Stopped;

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
        let mut times = collocation(training);
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

    /// One epoch of training: evaluates, remembers, reports.
    fn epoch_gradient(&self, at: &[f64]) -> Result<Vec<f64>, ArgminError> {
        let epoch = self.epoch.get();
        let loss = self.evaluate(at, self.schedule.weight(epoch));
        let state = &mut *self.state.borrow_mut();
        if !loss.total().is_finite() || state.gradient.iter().any(|g| !g.is_finite()) {
            return Err(ArgminError::new(Error::Diverged { epoch, rate: f64::NAN }));
        }
        state.history.push(loss);
        self.epoch.set(epoch + 1);
        if let Some(progress) = &mut state.progress {
            let stop = progress(&Progress { epoch, loss });
            if stop.is_break() {
                return Err(ArgminError::new(Stopped));
            }
        }
        Ok(state.gradient.clone())
    }
}

/// The loss during Adam: λ follows the schedule, an evaluation is an epoch.
pub(crate) struct Scheduled<'a, 'p>(pub(crate) &'a Objective<'p>);

impl CostFunction for Scheduled<'_, '_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, _: &Vec<f64>) -> Result<f64, ArgminError> {
        Ok(self.0.state.borrow().loss.total())
    }
}

impl Gradient for Scheduled<'_, '_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, at: &Vec<f64>) -> Result<Vec<f64>, ArgminError> {
        self.0.epoch_gradient(at)
    }
}

/// The loss with λ = 1.
pub(crate) struct Full<'a, 'p>(pub(crate) &'a Objective<'p>);

impl CostFunction for Full<'_, '_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, at: &Vec<f64>) -> Result<f64, ArgminError> {
        let loss = self.0.evaluate(at, 1.0);
        let state = &mut *self.0.state.borrow_mut();
        let total = loss.total();
        if total.is_finite() && state.best.as_ref().is_none_or(|b| total < b.0) {
            state.best = Some((total, at.clone()));
        }
        Ok(if total.is_finite() { total } else { f64::MAX })
    }
}

impl Gradient for Full<'_, '_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, at: &Vec<f64>) -> Result<Vec<f64>, ArgminError> {
        let loss = self.0.evaluate(at, 1.0);
        let state = &mut *self.0.state.borrow_mut();
        state.history.push(loss);
        let epoch = state.history.len();
        if let Some(progress) = &mut state.progress {
            let stop = progress(&Progress { epoch, loss });
            if stop.is_break() {
                return Err(ArgminError::new(Stopped));
            }
        }
        Ok(state.gradient.clone())
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

/// Collocation points in [−1, 1].
fn collocation(training: &Training) -> Vec<f64> {
    let count = training.collocation_points;
    let last = (count - 1) as f64;
    match training.collocation {
        Collocation::Uniform => (0..count).map(|m| 2.0 * m as f64 / last - 1.0).collect(),
        Collocation::Chebyshev => {
            (0..count).map(|m| -(std::f64::consts::PI * m as f64 / last).cos()).collect()
        }
        Collocation::Stratified => {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(training.seed ^ 0x636f_6c6c);
            (0..count)
                .map(|m| 2.0 * (m as f64 + random.random_range(0.0..1.0)) / count as f64 - 1.0)
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Observations, Sigma};
    use rmt_dynamics::PredatorPreyScavenger;
    use std::collections::BTreeMap;

    const NAMES: [&str; 14] =
        ["r", "k", "a", "a0", "b", "b0", "d", "e", "f", "g", "h", "i", "i0", "j"];
    const RATES: [f64; 14] =
        [1.0, 10.0, 0.5, 0.3, 0.1, 0.2, 0.4, 0.6, 0.1, 0.1, 0.08, 0.05, 0.1, 0.25];

    fn problem(observed: &[&str]) -> Problem<'static> {
        let times: Vec<f64> = (0..9).map(f64::from).collect();
        let model = &PredatorPreyScavenger;
        let run = rmt_dynamics::simulate(model, &RATES, &[5.0, 1.0, 1.0], &times, &SETTINGS);
        let column = |name: &str| ["x", "y", "z"].iter().position(|n| *n == name).unwrap();
        let rows: Vec<Vec<Option<f64>>> = run
            .unwrap()
            .states
            .iter()
            .map(|u| observed.iter().map(|name| Some(u[column(name)])).collect())
            .collect();
        let observed: Vec<String> = observed.iter().map(|s| (*s).to_owned()).collect();
        let sigma = Sigma::PerSpecies(vec![0.1; observed.len()]);
        let data = Observations::new(model, &times, &observed, &rows, &sigma).unwrap();
        let free: Vec<String> = NAMES.iter().map(|s| (*s).to_owned()).collect();
        let guess: BTreeMap<String, f64> =
            free.iter().cloned().zip(RATES.iter().map(|r| r * 1.2)).collect();
        let start = [5.0, 1.0, 1.0];
        Problem::new(model, data, &free, &guess, &BTreeMap::new(), &start).unwrap()
    }

    /// Central differences over every kind of unknown, with and without an unobserved species:
    /// catches an error in the chain from residual to outputs, slopes and rates.
    #[test]
    fn gradient_matches_differences() {
        let training =
            Training { hidden: vec![6, 5], collocation_points: 11, ..Training::default() };
        for (observed, weight) in
            [(vec!["x", "y", "z"], 0.7), (vec!["x", "y"], 1.0), (vec!["x", "y"], 0.0)]
        {
            let problem = problem(&observed);
            let objective = Objective::new(&problem, &training, None).unwrap();
            let at = objective.initial(1);
            objective.evaluate(&at, weight);
            let gradient = objective.state.borrow().gradient.clone();
            let scale = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
            // The loss whose gradient is taken includes the guess of unobserved species while
            // λ = 0; only observed outputs are compared then.
            for m in 0..at.len() {
                let shifted = |h: f64| {
                    let mut moved = at.clone();
                    moved[m] += h;
                    let loss = objective.evaluate(&moved, weight);
                    let pseudo: f64 = if weight == 0.0 {
                        let state = objective.state.borrow();
                        objective
                            .targets
                            .iter()
                            .filter(|t| !t.3)
                            .map(|t| (state.work.output(t.0)[t.1] - t.2).powi(2))
                            .sum::<f64>()
                            / objective.counts.0
                    } else {
                        0.0
                    };
                    loss.total() + pseudo
                };
                // Fourth-order differences: truncation h⁴, rounding ε/h; measured 1e-9 of scale.
                let h = 1e-3;
                let difference = (8.0 * (shifted(h) - shifted(-h)) - shifted(2.0 * h)
                    + shifted(-2.0 * h))
                    / (12.0 * h);
                assert!(
                    (gradient[m] - difference).abs() < 1e-6 * scale,
                    "{observed:?} {m}: {} {difference}",
                    gradient[m]
                );
            }
        }
    }

    /// The whole loss once more in dual numbers, from the formulas: 1e-10 of the gradient's scale.
    #[test]
    fn gradient_matches_dual_numbers() {
        use num_dual::{DualNum, HyperDual64};
        type H = HyperDual64;
        let training =
            Training { hidden: vec![4, 3], collocation_points: 7, ..Training::default() };
        let problem = problem(&["x", "y", "z"]);
        let objective = Objective::new(&problem, &training, None).unwrap();
        let (at, weight) = (objective.initial(2), 0.4);
        let loss = objective.evaluate(&at, weight);
        let gradient = objective.state.borrow().gradient.clone();
        let scale = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
        let sizes = [1, 4, 3, 3];
        let network = |w: &[H], t: H| {
            let (mut h, mut offset) = (vec![t], 0);
            for (layer, pair) in sizes.windows(2).enumerate() {
                let (n, m) = (pair[0], pair[1]);
                h = (0..m)
                    .map(|i| {
                        let mut s = w[offset + n * m + i];
                        for (j, h) in h.iter().enumerate() {
                            s += w[offset + j * m + i] * *h;
                        }
                        if layer < 2 { s.tanh() } else { s }
                    })
                    .collect();
                offset += m * (n + 1);
            }
            h
        };
        let pi = |c: H, s: H| s * s / (c * s * s + H::from_re(1.0));
        for m in 0..at.len() {
            let dual: Vec<H> = at
                .iter()
                .enumerate()
                .map(|(n, &v)| {
                    let v = H::from_re(v);
                    if n == m { v.derivative1() } else { v }
                })
                .collect();
            let p: Vec<H> = dual[objective.network.len()..].iter().map(|v| v.exp()).collect();
            let mut data = H::from_re(0.0);
            for (row, t) in problem.observations().times().iter().enumerate() {
                let out = network(&dual, H::from_re(t * objective.rate - 1.0));
                for (c, out) in out.into_iter().enumerate() {
                    let value = problem.observations().values()[3 * row + c];
                    let target = (value - objective.mean[c]) / objective.deviation[c];
                    let error = out - H::from_re(target);
                    data += error * error / H::from_re(objective.counts.0);
                }
            }
            let mut residual = H::from_re(0.0);
            for point in 0..7 {
                let tau = 2.0 * f64::from(point) / 6.0 - 1.0;
                let out = network(&dual, H::from_re(tau).derivative2());
                let re = |v: f64| H::from_re(v);
                // The parts of a hyper-dual number that do not know of τ.
                let value = |v: H| H::new(v.re, v.eps1, 0.0, 0.0);
                let slope = |v: H| H::new(v.eps2, v.eps1eps2, 0.0, 0.0);
                let u: Vec<H> = (0..3)
                    .map(|c| value(out[c]) * re(objective.deviation[c]) + re(objective.mean[c]))
                    .collect();
                let (x, y, z) = (u[0], u[1], u[2]);
                let rhs = [
                    p[0] * x * (re(1.0) - x / p[1])
                        - p[2] * pi(p[3], x) * y
                        - p[4] * pi(p[5], x) * z,
                    p[6] * pi(p[3], x) * y - p[7] * y + p[8] * pi(p[12], z) * y,
                    p[9] * pi(p[5], x) * z - p[13] * z + p[10] * y * z - p[11] * pi(p[12], z) * y,
                ];
                for c in 0..3 {
                    let s = re(objective.deviation[c]);
                    let r = slope(out[c]) * re(objective.rate) - rhs[c] / s;
                    residual += r * r / re(7.0);
                }
            }
            let total = data + residual * H::from_re(weight);
            assert!((total.re - loss.total()).abs() < 1e-12 * loss.total());
            let error = (gradient[m] - total.eps1).abs();
            assert!(error < 1e-10 * scale, "{m}: {} {}", gradient[m], total.eps1);
        }
    }

    #[test]
    fn weight_schedule() {
        let schedule = Schedule { data_only: 1000, ramp: 2000 };
        assert_eq!(schedule.weight(999), 0.0);
        assert!((schedule.weight(1000) - 0.01).abs() < 1e-15);
        assert!((schedule.weight(2000) - 0.1).abs() < 1e-15);
        assert_eq!(schedule.weight(3000), 1.0);
        assert_eq!(schedule.weight(9999), 1.0);
    }
}
