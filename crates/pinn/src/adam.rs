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
