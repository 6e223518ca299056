//! The loss as the optimisers see it: with the scheduled weight λ for Adam, with λ = 1 afterwards;
//! every evaluation of a gradient is remembered and reported.

use super::Objective;
use crate::Error;
use crate::training::Progress;
use argmin::core::{CostFunction, Error as ArgminError, Gradient};

/// Marks a training that the caller stopped.
#[derive(Debug, thiserror::Error)]
#[error("stopped by the caller")]
pub(crate) struct Stopped;

/// The weight λ of the equations at each epoch.
#[derive(Clone, Copy)]
pub(super) struct Schedule {
    pub(super) data_only: usize,
    pub(super) ramp: usize,
}

impl Schedule {
    pub(super) fn weight(self, epoch: usize) -> f64 {
        if epoch < self.data_only {
            0.0
        } else {
            // From 0.01 to 1 in equal ratios.
            let done = (epoch - self.data_only) as f64 / self.ramp.max(1) as f64;
            0.01_f64.powf(1.0 - done.min(1.0))
        }
    }
}

impl Objective<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
