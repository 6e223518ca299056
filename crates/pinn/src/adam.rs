//! Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1) as an argmin solver.
//!
//! ```text
//! m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²,
//! θ ← θ − α m̂/(√v̂ + ε),   m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
//! ```

use argmin::core::{
    CostFunction, Error, Gradient, IterState, KV, Problem, Solver, TerminationReason,
    TerminationStatus,
};

/// State of the solver, with β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
#[derive(Clone, Debug, PartialEq)]
pub struct Adam {
    rates: (f64, f64),
    steps: u64,
    taken: u64,
    first: Vec<f64>,
    second: Vec<f64>,
}

const BETA: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;

type State = IterState<Vec<f64>, Vec<f64>, (), (), (), f64>;

impl Adam {
    /// A number of steps whose rate falls exponentially from the first to the second of `rates`
    /// (equal: a constant rate).
    pub fn new(rates: (f64, f64), steps: u64) -> Self {
        Self { rates, steps, taken: 0, first: Vec::new(), second: Vec::new() }
    }

    pub(crate) fn restore(&mut self, taken: u64, first: Vec<f64>, second: Vec<f64>) {
        (self.taken, self.first, self.second) = (taken, first, second);
    }

    pub(crate) fn moments(&self) -> (u64, &[f64], &[f64]) {
        (self.taken, &self.first, &self.second)
    }

    /// The rate of the next step.
    pub(crate) fn rate(&self) -> f64 {
        let done = self.taken as f64 / (self.steps.max(2) - 1) as f64;
        self.rates.0 * (self.rates.1 / self.rates.0).powf(done.min(1.0))
    }

    fn step(&mut self, at: &mut [f64], gradient: &[f64]) {
        self.first.resize(at.len(), 0.0);
        self.second.resize(at.len(), 0.0);
        let rate = self.rate();
        self.taken += 1;
        let power = self.taken.min(i32::MAX as u64) as i32;
        let (c1, c2) = (1.0 - BETA.0.powi(power), 1.0 - BETA.1.powi(power));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((x, g), (m, v)) in at.iter_mut().zip(gradient).zip(moments) {
            *m = BETA.0 * *m + (1.0 - BETA.0) * g;
            *v = BETA.1 * *v + (1.0 - BETA.1) * g * g;
            *x -= rate * (*m / c1) / ((*v / c2).sqrt() + EPSILON);
        }
    }
}

impl<O> Solver<O, State> for Adam
where
    O: Gradient<Param = Vec<f64>, Gradient = Vec<f64>>
        + CostFunction<Param = Vec<f64>, Output = f64>,
{
    fn name(&self) -> &str {
        "Adam"
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<O>,
        mut state: State,
    ) -> Result<(State, Option<KV>), Error> {
        let mut at = state.take_param().unwrap_or_default();
        let gradient = problem.gradient(&at)?;
        let cost = problem.cost(&at)?;
        self.step(&mut at, &gradient);
        Ok((state.param(at).cost(cost), None))
    }

    fn terminate(&mut self, _: &State) -> TerminationStatus {
        if self.taken >= self.steps {
            TerminationStatus::Terminated(TerminationReason::MaxItersReached)
        } else {
            TerminationStatus::NotTerminated
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argmin::core::Executor;

    struct Quadratic;

    impl CostFunction for Quadratic {
        type Param = Vec<f64>;
        type Output = f64;
        fn cost(&self, x: &Vec<f64>) -> Result<f64, Error> {
            Ok(x[0] * x[0] + 10.0 * x[1] * x[1])
        }
    }

    impl Gradient for Quadratic {
        type Param = Vec<f64>;
        type Gradient = Vec<f64>;
        fn gradient(&self, x: &Vec<f64>) -> Result<Vec<f64>, Error> {
            Ok(vec![2.0 * x[0], 20.0 * x[1]])
        }
    }

    /// The recursion of algorithm 1 written out in rational arithmetic of the paper's constants for
    /// g = 1, 1, …: m̂ = v̂ = 1 at every step, so each step is α/(1 + ε) exactly; and for the
    /// alternating g = 1, −1 the second step has m̂ = (0.9·0.1 − 0.1)/(1 − 0.81) = −1/19.
    #[test]
    fn steps_of_the_published_algorithm() {
        let mut adam = Adam::new((0.01, 0.01), 100);
        let mut x = [1.0];
        for t in 1..=5 {
            adam.step(&mut x, &[1.0]);
            assert!((x[0] - (1.0 - 0.01 * f64::from(t) / (1.0 + 1e-8))).abs() < 1e-15);
        }
        let mut adam = Adam::new((0.01, 0.01), 100);
        let mut x = [0.0];
        adam.step(&mut x, &[1.0]);
        adam.step(&mut x, &[-1.0]);
        let expected = -0.01 / (1.0 + 1e-8) + 0.01 / 19.0 / (1.0 + 1e-8);
        assert!((x[0] - expected).abs() < 1e-16);
    }

    /// 26 printed steps of f = 0.1 w₁² + 2 w₂² (the example of Zhang and others, Dive into Deep
    /// Learning) from (−5, −2) with α = 0.2, computed in NumPy and published in the notebooks of
    /// github.com/tienhyu/AIO-Exercise-Module-05. Printed to 8 decimals with ε = 1e-6, which moves
    /// a step by ε/√v̂ of itself, at most 5e-6.
    #[test]
    fn steps_of_a_published_run() {
        let published = [
            (-4.80000020, -1.80000002),
            (-4.60025478, -1.60082451),
            (-4.40094848, -1.40317262),
            (-4.20227764, -1.20787822),
            (-4.00445033, -1.01592745),
            (-3.80768638, -0.82847307),
            (-3.61221732, -0.64684159),
            (-3.41828623, -0.47252765),
            (-3.22614739, -0.30716934),
            (-3.03606592, -0.15249855),
            (-2.84831706, -0.01026326),
            (-2.66318543, 0.11787552),
            (-2.48096400, 0.23046161),
            (-2.30195279, 0.32635870),
            (-2.12645742, 0.40484195),
            (-1.95478732, 0.46564961),
            (-1.78725370, 0.50898799),
            (-1.62416726, 0.53549442),
            (-1.46583566, 0.54617144),
            (-1.31256067, 0.54230812),
            (-1.16463526, 0.52540206),
            (-1.02234036, 0.49709060),
            (-0.88594163, 0.45909510),
            (-0.75568617, 0.41317781),
            (-0.63179919, 0.36110890),
            (-0.51448089, 0.30464048),
        ];
        let mut adam = Adam::new((0.2, 0.2), 100);
        let mut w = [-5.0, -2.0];
        for (t, (w1, w2)) in published.into_iter().enumerate() {
            let gradient = [0.2 * w[0], 4.0 * w[1]];
            adam.step(&mut w, &gradient);
            // Measured 4.4e-6 after 26 steps; with ε = 1e-6 it would be 3e-9.
            assert!((w[0] - w1).abs() < 5e-6 && (w[1] - w2).abs() < 5e-6, "step {t}: {w:?}");
        }
    }

    #[test]
    fn minimises_through_argmin() {
        let result = Executor::new(Quadratic, Adam::new((0.1, 1e-4), 2000))
            .configure(|s| s.param(vec![3.0, -2.0]).max_iters(10_000))
            .run()
            .unwrap();
        assert_eq!(result.state.iter, 2000);
        let x = result.state.param.unwrap();
        assert!(x.iter().all(|x| x.abs() < 1e-4), "{x:?}");
    }
}
