//! Mini-batch noise: the Volterra equations, step by step.
//!
//! The noise of a batch of B has covariance Σ̂L_s/B, so that with full-gradient losses L^GD and R^GD
//!
//! L_t = L^GD_t + (1/B) Σ_{s<t} η_s² K(t, s)L_s,  R_t = R^GD_t + (1/B) Σ_{s<t} η_s² K_R(t, s)L_s,
//!
//! K(t, s) = Tr Ĥ² h², K_R(t, s) = Tr ΣFĤh²Fᵀ, where h is the response after step t to a gradient at
//! step s. On a contour both sums are carried by one complex memory a node,
//! S ← (1−η_tλ)²S + η_t²L_t (three for heavy ball: the moments of h², h·v, v² with v the last
//! increment of h), so T steps cost O(NT) and no history is stored. A [`State`] is all that the next step
//! needs: a run can be taken up again from any state that was kept.

use super::lanes::{Lanes, flushed};
use super::method::Method;
use super::spectral::Spectral;
use num_complex::Complex64;

/// Where a run stands after `step` steps.
#[derive(Clone)]
pub(crate) struct State {
    step: usize,
    /// L_t.
    pub(crate) train: f64,
    /// f_t at the nodes.
    residual: Lanes,
    /// f_t − f_{t−1} at the nodes, for momentum.
    increment: Option<Lanes>,
    memory: Memory,
}

/// Memory of past noise at the nodes.
#[derive(Clone)]
enum Memory {
    /// Full gradients make no noise.
    None,
    /// Σ_s η_s²L_s h².
    Squares(Lanes),
    /// The same with h², h·v and v².
    Moments(Vec<[Complex64; 3]>),
}

/// Decayed numbers end among the subnormal ones, where x − ηλx rounds to x and every operation takes a
/// hundred times as long. Residuals enter squared, noise linearly: below these they are zero.
const TINY_RESIDUAL: f64 = 1e-150;
const TINY_NOISE: f64 = 1e-290;

/// Steps between two looks for such numbers.
const FLUSH_EVERY: usize = 64;

impl State {
    fn flush(&mut self) {
        self.residual.flush(TINY_RESIDUAL);
        if let Some(increment) = &mut self.increment {
            increment.flush(TINY_RESIDUAL);
        }
        match &mut self.memory {
            Memory::None => {}
            Memory::Squares(memory) => memory.flush(TINY_NOISE),
            Memory::Moments(moments) => {
                for x in moments.iter_mut().flatten() {
                    x.re = flushed(x.re, TINY_NOISE);
                    x.im = flushed(x.im, TINY_NOISE);
                }
            }
        }
    }

    /// f_t at the first `size` nodes.
    pub(crate) fn residual(&self, size: usize) -> Vec<Complex64> {
        self.residual.get(size)
    }

    /// S at the first `size` nodes: R_t − R^GD_t = (1/B)(1/π) Im Σ W_R S. `None` for full gradients.
    pub(crate) fn memory(&self, size: usize) -> Option<Vec<Complex64>> {
        match &self.memory {
            Memory::None => None,
            Memory::Squares(memory) => Some(memory.get(size)),
            Memory::Moments(moments) => Some(moments.iter().map(|m| m[0]).collect()),
        }
    }
}

/// The step from one state to the next.
pub(crate) struct Recursion<'a> {
    method: &'a Method,
    points: &'a [Complex64],
    stochastic: bool,
    /// L^GD_t = base + Im Σ train f_t².
    base: f64,
    train: Lanes,
    /// L_t − L^GD_t = Im Σ kernel S.
    kernel: Lanes,
    /// −ηλ and (1−ηλ)² − 1 = −2ηλ + η²λ² of the coming step.
    decrement: Lanes,
    growth: Lanes,
    /// −λ and λ², where the rate changes from step to step.
    varying: Option<(Lanes, Lanes)>,
    /// One step of (h², hv, v²).
    transition: Vec<[[Complex64; 3]; 3]>,
}

impl<'a> Recursion<'a> {
    /// `inverse_batch` is 1/B, with the finite-population factor of batches without replacement; 0 for
    /// the full gradient.
    pub(crate) fn new(
        on: &'a Spectral<'_>,
        method: &'a Method,
        inverse_batch: f64,
        noise_variance: f64,
    ) -> Self {
        let points = &on.contour.points;
        let over_pi = |values: Vec<Complex64>, factor: f64| {
            Lanes::new(values.iter().map(|x| x * (factor / std::f64::consts::PI)))
        };
        let (base, train) = on.train_weights(noise_variance);
        let rate = method.rate(0);
        let varying = matches!(method, Method::Descent(s) if s.constant().is_none());
        let transition = match method {
            Method::HeavyBall { momentum, .. } => {
                points.iter().map(|l| transition(l * rate, *momentum)).collect()
            }
            _ => Vec::new(),
        };
        Self {
            method,
            points,
            stochastic: inverse_batch > 0.0,
            base,
            train: over_pi(train, 1.0),
            kernel: over_pi(on.kernel_weights().0, inverse_batch),
            decrement: Lanes::new(points.iter().map(|l| -l * rate)),
            growth: Lanes::new(points.iter().map(|l| l * rate * (l * rate - 2.0))),
            varying: varying.then(|| {
                (Lanes::new(points.iter().map(|l| -l)), Lanes::new(points.iter().map(|l| l * l)))
            }),
            transition,
        }
    }

    /// Before the first step.
    pub(crate) fn start(&self) -> State {
        let momentum = matches!(self.method, Method::HeavyBall { .. });
        let size = self.points.len();
        let zeros = || Lanes::constant(0.0, size);
        let memory = match (self.stochastic, momentum) {
            (false, _) => Memory::None,
            (true, false) => Memory::Squares(zeros()),
            (true, true) => Memory::Moments(vec![[Complex64::from(0.0); 3]; size]),
        };
        let mut state = State {
            step: 0,
            train: 0.0,
            residual: Lanes::constant(1.0, size),
            increment: momentum.then(zeros),
            memory,
        };
        state.train = self.loss(&state);
        state
    }

    /// The states at ascending `times`, none before `state`; every loss on the way goes to `visit`, that
    /// of `state` first.
    pub(crate) fn follow(
        &mut self,
        mut state: State,
        times: &[usize],
        mut visit: impl FnMut(f64),
    ) -> Vec<State> {
        visit(state.train);
        times
            .iter()
            .map(|time| {
                while state.step < *time {
                    self.advance(&mut state);
                    visit(state.train);
                }
                state.clone()
            })
            .collect()
    }

    fn loss(&self, state: &State) -> f64 {
        let full = self.base + self.train.dot_square_im(&state.residual);
        match &state.memory {
            Memory::None => full,
            Memory::Squares(memory) => full + self.kernel.dot_im(memory),
            Memory::Moments(moments) => {
                full + self.kernel.dot_im_with(moments.iter().map(|m| m[0]))
            }
        }
    }

    fn advance(&mut self, state: &mut State) {
        let eta = self.method.rate(state.step);
        if let Some((minus, square)) = &self.varying {
            self.decrement.set_combination(minus, eta, square, 0.0);
            self.growth.set_combination(minus, 2.0 * eta, square, eta * eta);
        }
        let strength = eta * eta * state.train;
        match &mut state.memory {
            Memory::None => {}
            Memory::Squares(memory) => memory.grow(&self.growth, strength),
            Memory::Moments(moments) => {
                for (m, t) in moments.iter_mut().zip(&self.transition) {
                    let old = *m;
                    // h = v = 1 right after the gradient.
                    for (new, row) in m.iter_mut().zip(t) {
                        *new = row[0] * old[0] + row[1] * old[1] + row[2] * old[2] + strength;
                    }
                }
            }
        }
        match (&mut state.increment, self.method) {
            // f_{t+1} = f_t + v, v ← βv − ηλf_t.
            (Some(increment), Method::HeavyBall { momentum, .. }) => {
                increment.scale(*momentum);
                increment.add_product(&self.decrement, &state.residual);
                state.residual.add(increment);
            }
            _ => state.residual.grow(&self.decrement, 0.0),
        }
        state.step += 1;
        if state.step.is_multiple_of(FLUSH_EVERY) {
            state.flush();
        }
        state.train = self.loss(state);
    }
}

/// v' = βv − xh and h' = (1−x)h + βv on the products (h², hv, v²).
fn transition(x: Complex64, beta: f64) -> [[Complex64; 3]; 3] {
    let kept = Complex64::from(1.0) - x;
    let square = Complex64::from(beta * beta);
    [
        [kept * kept, kept * (2.0 * beta), square],
        [-x * kept, (Complex64::from(1.0) - x * 2.0) * beta, square],
        [x * x, x * (-2.0 * beta), square],
    ]
}
