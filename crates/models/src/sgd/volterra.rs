//! Mini-batch noise: the Volterra equations, step by step.
//!
//! The noise of a batch of B has covariance Σ̂L_s/B, so that with full-gradient losses L^GD and R^GD
//!
//! L_t = L^GD_t + (1/B) Σ_{s<t} η_s² K(t, s)L_s,  R_t = R^GD_t + (1/B) Σ_{s<t} η_s² K_R(t, s)L_s,
//!
//! K(t, s) = Tr Ĥ² h², K_R(t, s) = Tr ΣFĤh²Fᵀ, where h is the response after step t to a gradient at
//! step s. On a contour both sums are carried by one complex memory a node,
//! S ← (1−η_tλ)²S + η_t²L_t (three for heavy ball: the moments of h² , h·v, v² with v the last
//! increment of h), so T steps cost O(NT) and no history is stored.

use super::method::Method;
use super::spectral::Spectral;
use num_complex::Complex64;

/// Structure of arrays: real and imaginary parts of one number a node, padded to whole lanes.
#[derive(Clone, Debug)]
struct Lanes {
    re: Vec<f64>,
    im: Vec<f64>,
}

const LANES: usize = 8;

impl Lanes {
    fn from(values: &[Complex64]) -> Self {
        let padded = values.len().div_ceil(LANES) * LANES;
        let part = |f: fn(&Complex64) -> f64| {
            let mut out: Vec<f64> = values.iter().map(f).collect();
            out.resize(padded, 0.0);
            out
        };
        Self { re: part(|x| x.re), im: part(|x| x.im) }
    }

    fn constant(value: f64, length: usize) -> Self {
        Self::from(&vec![Complex64::from(value); length])
    }

    fn get(&self, length: usize) -> Vec<Complex64> {
        (0..length).map(|j| Complex64::new(self.re[j], self.im[j])).collect()
    }

    /// Im Σ a b.
    fn dot_im(&self, other: &Self) -> f64 {
        let mut sums = [0.0; LANES];
        let pairs = self.re.chunks_exact(LANES).zip(self.im.chunks_exact(LANES));
        let others = other.re.chunks_exact(LANES).zip(other.im.chunks_exact(LANES));
        for ((a_re, a_im), (b_re, b_im)) in pairs.zip(others) {
            for i in 0..LANES {
                sums[i] += a_re[i] * b_im[i] + a_im[i] * b_re[i];
            }
        }
        sums.iter().sum()
    }

    /// Im Σ a b².
    fn dot_square_im(&self, other: &Self) -> f64 {
        let mut sums = [0.0; LANES];
        let pairs = self.re.chunks_exact(LANES).zip(self.im.chunks_exact(LANES));
        let others = other.re.chunks_exact(LANES).zip(other.im.chunks_exact(LANES));
        for ((a_re, a_im), (b_re, b_im)) in pairs.zip(others) {
            for i in 0..LANES {
                let (re, im) = (b_re[i] * b_re[i] - b_im[i] * b_im[i], 2.0 * b_re[i] * b_im[i]);
                sums[i] += a_re[i] * im + a_im[i] * re;
            }
        }
        sums.iter().sum()
    }

    /// self += factor·other, entry by entry.
    fn add_product(&mut self, factor: &Self, other: &Self) {
        for j in 0..self.re.len() {
            let (a, b) = (factor.re[j], factor.im[j]);
            let (x, y) = (other.re[j], other.im[j]);
            self.re[j] += a * x - b * y;
            self.im[j] += a * y + b * x;
        }
    }

    /// self += factor·self + shift: the increment form keeps the digits of factors near zero.
    fn grow(&mut self, factor: &Self, shift: f64) {
        for j in 0..self.re.len() {
            let (a, b) = (factor.re[j], factor.im[j]);
            let (x, y) = (self.re[j], self.im[j]);
            self.re[j] = x + (a * x - b * y + shift);
            self.im[j] = y + (a * y + b * x);
        }
    }

    fn scale(&mut self, factor: f64) {
        self.re.iter_mut().chain(&mut self.im).for_each(|x| *x *= factor);
    }
}

/// The residuals of a discrete method at every node, one step after another.
struct Residuals {
    /// −ηλ of the coming step.
    decrement: Lanes,
    current: Lanes,
    /// Last increment, for momentum.
    velocity: Option<(Lanes, f64)>,
}

/// Memory of past noise at every node.
enum Response {
    /// (1 − ηλ)² − 1 of the coming step, and S.
    Plain {
        growth: Lanes,
        memory: Lanes,
    },
    HeavyBall(Box<Moments>),
}

/// Σ_s L_s times h², h·v and v² with the transition of one step.
struct Moments {
    transition: Vec<[[Complex64; 3]; 3]>,
    values: Vec<[Complex64; 3]>,
}

/// The state at one output time.
pub(crate) struct State {
    /// L_t.
    pub(crate) train: f64,
    /// f_t at the nodes.
    pub(crate) residual: Vec<Complex64>,
    /// Noise memory at the nodes: R_t − R^GD_t = (1/B)(1/π) Im Σ W_R S.
    pub(crate) memory: Vec<Complex64>,
}

/// The inputs of a run beside the contour.
pub(crate) struct Problem<'a> {
    pub(crate) on: &'a Spectral<'a>,
    pub(crate) method: &'a Method,
    /// 1/B, with the finite-population factor of batches without replacement; 0 for the full gradient.
    pub(crate) inverse_batch: f64,
    pub(crate) noise_variance: f64,
}

impl Problem<'_> {
    /// The states at ascending output `times`.
    pub(crate) fn run(&self, times: &[usize]) -> Vec<State> {
        let mut out: Vec<State> = Vec::new();
        let mut next = times.iter().peekable();
        let size = self.on.contour.len();
        self.each(times.last().copied().unwrap_or(0), |step, train, residuals, response| {
            while next.next_if_eq(&&step).is_some() {
                let residual = residuals.current.get(size);
                out.push(State { train, residual, memory: response.main(size) });
            }
        });
        out
    }

    /// L_t at every step 0..=last.
    pub(crate) fn every_step(&self, last: usize) -> Vec<f64> {
        let mut out = Vec::with_capacity(last + 1);
        self.each(last, |_, loss, _, _| out.push(loss));
        out
    }

    /// Calls `visit(t, L_t, residuals, response)` for t = 0..=last.
    fn each(&self, last: usize, mut visit: impl FnMut(usize, f64, &Residuals, &Response)) {
        let on = self.on;
        let points = &on.contour.points;
        let size = points.len();
        let over_pi = |values: Vec<Complex64>, factor: f64| {
            let scaled: Vec<Complex64> =
                values.iter().map(|x| x * (factor / std::f64::consts::PI)).collect();
            Lanes::from(&scaled)
        };
        let (base, train) = on.train_weights(self.noise_variance);
        let train = over_pi(train, 1.0);
        let kernel = over_pi(on.kernel_weights().0, self.inverse_batch);
        let stochastic = self.inverse_batch > 0.0;

        let negated =
            |rate: f64| Lanes::from(&points.iter().map(|l| -l * rate).collect::<Vec<Complex64>>());
        // (1−ηλ)² − 1 = −2ηλ + η²λ².
        let doubled = |rate: f64| {
            let growth = points.iter().map(|l| l * rate * (l * rate - 2.0));
            Lanes::from(&growth.collect::<Vec<Complex64>>())
        };
        let rate = |step: usize| match self.method {
            Method::Flow => 0.0,
            Method::Descent(schedule) => schedule.rate(step),
            Method::HeavyBall { rate, .. } => *rate,
        };
        let varying = matches!(self.method, Method::Descent(s) if s.constant().is_none());
        let momentum = match self.method {
            Method::HeavyBall { momentum, .. } => Some(*momentum),
            _ => None,
        };
        let mut residuals = Residuals {
            decrement: negated(rate(0)),
            current: Lanes::constant(1.0, size),
            velocity: momentum.map(|beta| (Lanes::constant(0.0, size), beta)),
        };
        let mut response = match momentum {
            None => {
                Response::Plain { growth: doubled(rate(0)), memory: Lanes::constant(0.0, size) }
            }
            Some(beta) => Response::HeavyBall(Box::new(Moments::new(points, rate(0), beta))),
        };
        let per_rate =
            if varying { Some((negated(1.0), Lanes::from(&squares(points)))) } else { None };

        for step in 0..=last {
            let loss = {
                let full = base + train.dot_square_im(&residuals.current);
                if stochastic { full + response.read(&kernel) } else { full }
            };
            visit(step, loss, &residuals, &response);
            if step == last {
                break;
            }
            let eta = rate(step);
            if let Some((minus, square)) = &per_rate {
                residuals.decrement.set_scaled(minus, eta, None);
                if let Response::Plain { growth, .. } = &mut response {
                    growth.set_scaled(minus, 2.0 * eta, Some((square, eta * eta)));
                }
            }
            if stochastic {
                response.advance(eta * eta * loss);
            }
            residuals.advance();
        }
    }
}

fn squares(points: &[Complex64]) -> Vec<Complex64> {
    points.iter().map(|l| l * l).collect()
}

impl Lanes {
    /// self = factor·first + second.1·second.0.
    fn set_scaled(&mut self, first: &Lanes, factor: f64, second: Option<(&Lanes, f64)>) {
        for j in 0..self.re.len() {
            self.re[j] = factor * first.re[j];
            self.im[j] = factor * first.im[j];
        }
        if let Some((second, factor)) = second {
            for j in 0..self.re.len() {
                self.re[j] += factor * second.re[j];
                self.im[j] += factor * second.im[j];
            }
        }
    }
}

impl Residuals {
    /// f_{t+1} = f_t + v, v ← βv − ηλf_t.
    fn advance(&mut self) {
        match &mut self.velocity {
            None => self.current.grow(&self.decrement, 0.0),
            Some((velocity, beta)) => {
                velocity.scale(*beta);
                velocity.add_product(&self.decrement, &self.current);
                for j in 0..velocity.re.len() {
                    self.current.re[j] += velocity.re[j];
                    self.current.im[j] += velocity.im[j];
                }
            }
        }
    }
}

impl Response {
    /// Im Σ W S.
    fn read(&self, weights: &Lanes) -> f64 {
        match self {
            Response::Plain { memory, .. } => weights.dot_im(memory),
            Response::HeavyBall(moments) => moments
                .values
                .iter()
                .zip(weights.re.iter().zip(&weights.im))
                .map(|(m, (re, im))| re * m[0].im + im * m[0].re)
                .sum(),
        }
    }

    /// S, the memory of h².
    fn main(&self, size: usize) -> Vec<Complex64> {
        match self {
            Response::Plain { memory, .. } => memory.get(size),
            Response::HeavyBall(moments) => moments.values.iter().map(|m| m[0]).collect(),
        }
    }

    /// One step with new noise of strength η²L_t.
    fn advance(&mut self, strength: f64) {
        match self {
            Response::Plain { growth, memory } => memory.grow(growth, strength),
            Response::HeavyBall(moments) => moments.advance(strength),
        }
    }
}

impl Moments {
    /// v' = βv − xh and h' = (1−x)h + βv on the products (h², hv, v²).
    fn new(points: &[Complex64], rate: f64, beta: f64) -> Self {
        let transition = points
            .iter()
            .map(|l| {
                let x = l * rate;
                let kept = Complex64::from(1.0) - x;
                let square = Complex64::from(beta * beta);
                [
                    [kept * kept, kept * (2.0 * beta), square],
                    [-x * kept, (Complex64::from(1.0) - x * 2.0) * beta, square],
                    [x * x, x * (-2.0 * beta), square],
                ]
            })
            .collect();
        Self { transition, values: vec![[Complex64::from(0.0); 3]; points.len()] }
    }

    /// h = v = 1 right after the gradient.
    fn advance(&mut self, strength: f64) {
        for (m, t) in self.values.iter_mut().zip(&self.transition) {
            let old = *m;
            for (new, row) in m.iter_mut().zip(t) {
                *new = row[0] * old[0] + row[1] * old[1] + row[2] * old[2] + strength;
            }
        }
    }
}
