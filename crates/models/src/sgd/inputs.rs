//! Inputs of the task `sgd`, checked once.

use super::method::Method;
use super::schedule::Schedule;
use crate::{Error, Result};
use rmt_core::{Modes, Population};
use rmt_task::TaskError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Inputs of [`super::Sgd`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SgdInputs {
    /// Eigenvalues s_i ≥ 0 of the population covariance Σ.
    pub spectrum: Modes,
    /// Squared target coefficients c_i = (v_iᵀθ)² ≥ 0, one per eigenvalue.
    pub target: Modes,
    /// Number of samples n ≥ 1; absent: every batch is fresh (one-pass).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<f64>,
    /// Number of linear random features m ≥ 1; absent: the inputs themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    /// Learning rate η > 0 of the gradient of ½(xᵀw − y)² (for the plain square give twice your rate).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// A schedule instead of `learning_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Heavy-ball momentum β in [0, 1): v_{t+1} = v_t − ηg_t + β(v_t − v_{t−1}).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// Batch size B ≥ 1; absent: the full gradient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// Whether a batch holds distinct samples (every batch is drawn anew; this is not epoch shuffling).
    #[serde(default)]
    pub without_replacement: bool,
    /// Continuous time instead of steps: full gradient, no learning rate, `times` are τ.
    #[serde(default)]
    pub gradient_flow: bool,
    /// Whether to return the train loss at every step up to the last of `times` as well.
    #[serde(default)]
    pub every_step: bool,
    /// Variance σ² ≥ 0 of the label noise.
    #[serde(default)]
    pub noise_variance: f64,
    /// Diagonal s'_i ≥ 0 of the test covariance in the eigenbasis of Σ; default Σ itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_spectrum: Option<Modes>,
    /// Step numbers (whole) or, for gradient flow, times at which the curves are evaluated.
    pub times: Vec<f64>,
}

/// How batches are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampling {
    pub(crate) n: Option<f64>,
    pub(crate) batch_size: Option<usize>,
    pub(crate) without_replacement: bool,
}

impl Sampling {
    /// 1/B, times (n−B)/(n−1) for batches of distinct samples; 0 for the full gradient.
    pub(crate) fn inverse_batch(&self, key: &'static str) -> Result<f64> {
        let Some(size) = self.batch_size else { return Ok(0.0) };
        let value = size as f64;
        if size == 0 {
            return Err(Error::OutOfRange {
                key,
                value,
                remedy: "a batch holds at least 1 sample",
            });
        }
        match self.n {
            Some(n) if self.without_replacement => {
                if value > n {
                    let remedy = "at most n distinct samples can be drawn; lower it or draw with replacement";
                    return Err(Error::OutOfRange { key, value, remedy });
                }
                Ok(if value == n { 0.0 } else { (n - value) / (n - 1.0) / value })
            }
            _ => Ok(1.0 / value),
        }
    }
}

pub(crate) fn check_rate(value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        let key = "learning_rate";
        Err(Error::OutOfRange { key, value, remedy: "give a finite number above 0" })
    }
}

pub(crate) fn check_momentum(value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        Ok(())
    } else {
        Err(Error::OutOfRange { key: "momentum", value, remedy: "give a number in [0, 1)" })
    }
}

/// Steps up to which a run is stepped through.
const MOST_STEPS: f64 = 2e7;

/// Noise variances beyond this overflow in products.
const LARGEST_VARIANCE: f64 = 1e100;

/// Inputs that hold together.
pub(crate) struct Checked {
    pub(crate) population: Population,
    pub(crate) method: Method,
    pub(crate) inverse_batch: f64,
    pub(crate) noise: f64,
    /// The last of the times.
    pub(crate) horizon: f64,
}

impl SgdInputs {
    pub(crate) fn checked(&self) -> std::result::Result<Checked, TaskError> {
        let core = |e| TaskError::from(Error::from(e));
        let mut population = Population::new(&self.spectrum)
            .and_then(|p| p.with_target(&self.target))
            .map_err(core)?;
        if let Some(metric) = &self.test_spectrum {
            population = population.with_metric(metric).map_err(core)?;
        }
        let noise = self.noise_variance;
        if !(0.0..LARGEST_VARIANCE).contains(&noise) {
            let remedy = "a variance is ≥ 0; above 1e100 rescale the labels";
            return Err(Error::OutOfRange { key: "noise_variance", value: noise, remedy }.into());
        }
        let method = self.method()?;
        let sampling = Sampling {
            n: self.n,
            batch_size: self.batch_size,
            without_replacement: self.without_replacement,
        };
        let inverse_batch = sampling.inverse_batch("batch_size")?;
        if self.times.is_empty() {
            return Err(TaskError::invalid("times", "empty; give at least one time"));
        }
        let flow = method == Method::Flow;
        let stepped = inverse_batch > 0.0
            || self.every_step
            || matches!(&method, Method::Descent(schedule) if schedule.constant().is_none());
        let mut horizon = 0.0_f64;
        for (index, &time) in self.times.iter().enumerate() {
            let bad = |remedy| {
                Err(Error::BadEntry { key: "times", index: vec![index], value: time, remedy }
                    .into())
            };
            if !(time >= 0.0 && time.is_finite()) {
                return bad("times are finite and ≥ 0");
            }
            if !flow && time.fract() != 0.0 {
                return bad(
                    "steps are counted in whole numbers (continuous time: `gradient_flow`)",
                );
            }
            if stepped && time > MOST_STEPS {
                return bad(
                    "batches and schedules are followed up to 2e7 steps; read `limit_risk` or use the full gradient",
                );
            }
            if let Method::Descent(Schedule::Explicit { values }) = &method
                && time > values.len() as f64
            {
                return bad("the schedule lists fewer rates than that; extend `schedule.values`");
            }
            horizon = horizon.max(time);
        }
        Ok(Checked { population, method, inverse_batch, noise, horizon })
    }

    fn method(&self) -> std::result::Result<Method, TaskError> {
        if self.gradient_flow {
            for (key, given) in [
                ("learning_rate", self.learning_rate.is_some()),
                ("schedule", self.schedule.is_some()),
                ("momentum", self.momentum.is_some()),
                ("batch_size", self.batch_size.is_some()),
                ("every_step", self.every_step),
            ] {
                if given {
                    return Err(TaskError::invalid(
                        key,
                        "gradient flow has no steps; drop this key or `gradient_flow`",
                    ));
                }
            }
            return Ok(Method::Flow);
        }
        match (self.learning_rate, &self.schedule, self.momentum) {
            (None, None, _) => Err(TaskError::invalid(
                "learning_rate",
                "missing; give it, a `schedule`, or `gradient_flow`: true",
            )),
            (Some(_), Some(_), _) => {
                Err(TaskError::invalid("schedule", "give either `learning_rate` or `schedule`"))
            }
            (None, Some(_), Some(_)) => Err(TaskError::invalid(
                "momentum",
                "heavy ball is solved for a constant learning rate; drop `momentum` or `schedule`",
            )),
            (None, Some(schedule), None) => {
                schedule.check()?;
                Ok(Method::Descent(schedule.clone()))
            }
            (Some(rate), None, momentum) => {
                check_rate(rate)?;
                let momentum = momentum.unwrap_or(0.0);
                check_momentum(momentum)?;
                Ok(if momentum == 0.0 {
                    Method::Descent(Schedule::Constant { initial: rate })
                } else {
                    Method::HeavyBall { rate, momentum }
                })
            }
        }
    }
}
