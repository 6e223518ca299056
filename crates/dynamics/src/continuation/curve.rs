use crate::linear::{characteristic_polynomial, solve};
use crate::{Error, PopulationModel, Result};

/// The curve G(e^v, e^q) = 0 in w = (v, q), for the species present at the start.
pub(super) struct Curve<'a> {
    pub(super) model: &'a dyn PopulationModel,
    pub(super) present: Vec<usize>,
    parameters: &'a [f64],
    index: usize,
    /// Number of species of the model.
    species: usize,
}

/// A point of the curve with its oriented unit tangent.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) w: Vec<f64>,
    tangent: Vec<f64>,
}

impl Point {
    /// ln p.
    pub(super) fn log_parameter(&self) -> f64 {
        self.w.last().copied().unwrap_or_default()
    }

    /// d(ln p)/ds: it vanishes at folds.
    pub(super) fn slope(&self) -> f64 {
        self.tangent.last().copied().unwrap_or_default()
    }

    /// Cosine of the angle between two tangents.
    pub(super) fn turn(&self, other: &Self) -> f64 {
        dot(&self.tangent, &other.tangent)
    }

    /// Whether `start` is met again, in the same direction.
    pub(super) fn passes(&self, start: &Self, radius: f64) -> bool {
        let distance: f64 =
            self.w.iter().zip(&start.w).map(|(p, q)| (p - q) * (p - q)).sum::<f64>().sqrt();
        distance < radius && self.turn(start) > 0.9
    }
}

fn dot(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(p, q)| p * q).sum()
}

impl<'a> Curve<'a> {
    pub(super) fn new(
        model: &'a dyn PopulationModel,
        parameters: &'a [f64],
        index: usize,
        state: &[f64],
    ) -> Self {
        let present = (0..state.len()).filter(|&n| state[n] > 0.0).collect();
        Self { model, present, parameters, index, species: state.len() }
    }

    pub(super) fn absent(&self) -> Vec<usize> {
        (0..self.species).filter(|n| !self.present.contains(n)).collect()
    }

    pub(super) fn state(&self, w: &[f64]) -> Vec<f64> {
        let mut state = vec![0.0; self.species];
        for (&n, v) in self.present.iter().zip(w) {
            state[n] = v.exp();
        }
        state
    }

    pub(super) fn parameter(&self, w: &[f64]) -> f64 {
        w[self.present.len()].exp()
    }

    pub(super) fn parameters_at(&self, w: &[f64]) -> Vec<f64> {
        let mut parameters = self.parameters.to_vec();
        parameters[self.index] = self.parameter(w);
        parameters
    }

    /// G of the species present, and its derivative for w, N×(N+1).
    fn residual(&self, w: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (n, rates) = (self.species, self.parameters.len());
        let (state, parameters) = (self.state(w), self.parameters_at(w));
        let mut growth = vec![0.0; n];
        self.model.growth(&parameters, &state, &mut growth);
        let mut by_state = vec![0.0; n * n];
        self.model.growth_by_state(&parameters, &state, &mut by_state);
        let mut by_parameter = vec![0.0; n * rates];
        self.model.growth_by_parameter(&parameters, &state, &mut by_parameter);
        let mut residual = Vec::with_capacity(self.present.len());
        let mut derivative = Vec::with_capacity(self.present.len() * w.len());
        for &row in &self.present {
            residual.push(growth[row]);
            derivative.extend(self.present.iter().map(|&m| by_state[row * n + m] * state[m]));
            derivative.push(by_parameter[row * rates + self.index] * parameters[self.index]);
        }
        (residual, derivative)
    }

    /// Newton's method for w under `normal`·(w − origin) = offset; `None` when it does not settle.
    fn correct(
        &self,
        guess: &[f64],
        normal: &[f64],
        origin: &[f64],
        offset: f64,
    ) -> Option<Vec<f64>> {
        let mut w = guess.to_vec();
        let mut last = f64::INFINITY;
        for _ in 0..25 {
            let (mut step, mut matrix) = self.residual(&w);
            matrix.extend_from_slice(normal);
            let gone: f64 =
                normal.iter().zip(w.iter().zip(origin)).map(|(t, (w, o))| t * (w - o)).sum();
            step.push(gone - offset);
            solve(&mut matrix, &mut step)?;
            let size = step.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            for (w, step) in w.iter_mut().zip(&step) {
                *w -= step;
            }
            if size.is_nan() || size > 2.0 {
                return None;
            }
            if size < 1e-15 || (size < 1e-11 && size >= 0.5 * last) {
                return Some(w);
            }
            last = size;
        }
        None
    }

    /// The equilibrium near a state at a fixed value of the parameter.
    pub(super) fn settle(&self, state: &[f64], parameter: f64) -> Result<Vec<f64>> {
        let mut guess: Vec<f64> = self.present.iter().map(|&n| state[n].ln()).collect();
        // The parameter is held, so its value may be zero; only its logarithm is never looked at.
        guess.push(parameter.max(f64::MIN_POSITIVE).ln());
        let mut fixed = vec![0.0; guess.len()];
        fixed[self.present.len()] = 1.0;
        self.correct(&guess, &fixed, &guess, 0.0).ok_or_else(|| {
            let (residual, _) = self.residual(&guess);
            let residual = residual.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            Error::NoEquilibrium { residual, iterations: 25 }
        })
    }

    /// A point with the tangent along which the parameter first goes up or down.
    pub(super) fn point_at(&self, w: Vec<f64>, upwards: bool) -> Result<Point> {
        let mut towards = vec![0.0; w.len()];
        towards[w.len() - 1] = if upwards { 1.0 } else { -1.0 };
        let tangent = self.tangent(&w, &towards).ok_or(Error::Absent {
            what: "the branch through the start",
            reason: "its tangent is undefined, start away from a fold".to_owned(),
        })?;
        Ok(Point { w, tangent })
    }

    /// Unit kernel vector of the Jacobian with positive component along `towards`: the last row of
    /// the bordered system makes it regular at folds too.
    fn tangent(&self, w: &[f64], towards: &[f64]) -> Option<Vec<f64>> {
        let (_, mut matrix) = self.residual(w);
        matrix.extend_from_slice(towards);
        let mut tangent = vec![0.0; w.len()];
        *tangent.last_mut()? = 1.0;
        solve(&mut matrix, &mut tangent)?;
        let length = dot(&tangent, &tangent).sqrt();
        tangent.iter_mut().for_each(|t| *t /= length);
        Some(tangent)
    }

    /// The point at arclength `step` from another.
    pub(super) fn advance(&self, from: &Point, step: f64) -> Option<Point> {
        let guess: Vec<f64> = from.w.iter().zip(&from.tangent).map(|(w, t)| w + step * t).collect();
        let w = self.correct(&guess, &from.tangent, &from.w, step)?;
        let tangent = self.tangent(&w, &from.tangent)?;
        Some(Point { w, tangent })
    }

    /// The zero of `test` within `step` of a point, with its arclength: regula falsi (Illinois).
    pub(super) fn locate(
        &self,
        from: &Point,
        step: f64,
        test: impl Fn(&Point) -> f64,
    ) -> Option<(Point, f64)> {
        let (mut low, mut high) = (0.0, step);
        let (mut at_low, mut at_high) = (test(from), test(&self.advance(from, step)?));
        let mut side = 0;
        for _ in 0..200 {
            let mut s = (low * at_high - high * at_low) / (at_high - at_low);
            if !(s > low && s < high) {
                s = 0.5 * (low + high);
            }
            let point = self.advance(from, s)?;
            let value = test(&point);
            if value == 0.0
                || high - low <= 4.0 * f64::EPSILON * step.max(1e-3)
                || s == low
                || s == high
            {
                return Some((point, s));
            }
            if value.signum() == at_high.signum() {
                (high, at_high) = (s, value);
                if side == 1 {
                    at_low *= 0.5;
                }
                side = 1;
            } else {
                (low, at_low) = (s, value);
                if side == -1 {
                    at_high *= 0.5;
                }
                side = -1;
            }
        }
        let s = 0.5 * (low + high);
        Some((self.advance(from, s)?, s))
    }

    /// The Hopf test function and the square of the frequency at its zero, for two or three species.
    pub(super) fn hopf(&self, point: &Point) -> (f64, f64) {
        let state = self.state(&point.w);
        let n = self.present.len();
        let (_, derivative) = self.residual(&point.w);
        // `derivative` is ∂G/∂ln u = (∂G/∂u) diag(u); J = diag(u) ∂G/∂u where G = 0.
        let mut jacobian = vec![0.0; n * n];
        for (row, &species) in self.present.iter().enumerate() {
            for (column, &other) in self.present.iter().enumerate() {
                jacobian[row * n + column] =
                    derivative[row * (n + 1) + column] * state[species] / state[other];
            }
        }
        match *characteristic_polynomial(&jacobian, n) {
            [c1, c2] => (c1, c2),
            [c1, c2, c3] => (c1 * c2 - c3, c2),
            _ => (1.0, 0.0),
        }
    }

    /// Growth rate per head of an absent species.
    pub(super) fn growth_of(&self, point: &Point, species: usize) -> f64 {
        let mut growth = vec![0.0; self.species];
        self.model.growth(&self.parameters_at(&point.w), &self.state(&point.w), &mut growth);
        growth[species]
    }

    /// The boundary equilibrium at which a present species has just left: Newton's method on G = 0
    /// with that density zero and the parameter free.
    pub(super) fn boundary(&self, near: &Point, species: usize) -> Option<(f64, Vec<f64>)> {
        let n = self.species;
        let rates = self.parameters.len();
        let rest: Vec<usize> = self.present.iter().copied().filter(|&m| m != species).collect();
        let mut state = self.state(&near.w);
        state[species] = 0.0;
        let mut parameters = self.parameters_at(&near.w);
        for _ in 0..40 {
            let mut growth = vec![0.0; n];
            self.model.growth(&parameters, &state, &mut growth);
            let mut by_state = vec![0.0; n * n];
            self.model.growth_by_state(&parameters, &state, &mut by_state);
            let mut by_parameter = vec![0.0; n * rates];
            self.model.growth_by_parameter(&parameters, &state, &mut by_parameter);
            let mut matrix = Vec::new();
            let mut step = Vec::new();
            for &row in &self.present {
                matrix.extend(rest.iter().map(|&m| by_state[row * n + m] * state[m]));
                matrix.push(by_parameter[row * rates + self.index] * parameters[self.index]);
                step.push(growth[row]);
            }
            solve(&mut matrix, &mut step)?;
            for (&m, step) in rest.iter().zip(&step) {
                state[m] *= (-step).exp();
            }
            parameters[self.index] *= (-step[rest.len()]).exp();
            let size = step.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            if size < 1e-13 {
                // Newton's method may have wandered off to another equilibrium.
                let start = self.state(&near.w);
                let moved = rest.iter().any(|&m| (state[m] / start[m]).ln().abs() > 1e-3);
                return (!moved).then_some((parameters[self.index], state));
            }
            if size.is_nan() || size > 1.0 {
                return None;
            }
        }
        None
    }
}
