//! Learning-rate schedules.

use crate::{Error, Result};
use rmt_task::{Fields, TaskError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// Learning rate η_t of step t = 0, 1, …
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// η_t = initial.
    Constant {
        /// The rate.
        initial: f64,
    },
    /// η_t = initial/(1 + t/offset).
    InverseTime {
        /// Rate of the first step.
        initial: f64,
        /// Steps after which the rate has halved.
        offset: f64,
    },
    /// η_t = last + (initial − last)(1 + cos(πt/steps))/2 for t < steps, then `last`.
    Cosine {
        /// Rate of the first step.
        initial: f64,
        /// Rate from step `steps` on.
        last: f64,
        /// Length of the descent.
        steps: f64,
    },
    /// η_t = initial·factor^⌊t/every⌋.
    Step {
        /// Rate of the first step.
        initial: f64,
        /// Multiplies the rate, in (0, 1].
        factor: f64,
        /// Steps between two reductions.
        every: f64,
    },
    /// One rate a step; training ends with the list.
    Explicit {
        /// The rates.
        values: Vec<f64>,
    },
}

impl Schedule {
    /// η_t.
    pub(crate) fn rate(&self, step: usize) -> f64 {
        let t = step as f64;
        match self {
            Schedule::Constant { initial } => *initial,
            Schedule::InverseTime { initial, offset } => initial / (1.0 + t / offset),
            Schedule::Cosine { initial, last, steps } => {
                if t >= *steps {
                    *last
                } else {
                    last + (initial - last) * 0.5 * (1.0 + (std::f64::consts::PI * t / steps).cos())
                }
            }
            Schedule::Step { initial, factor, every } => initial * factor.powf((t / every).floor()),
            Schedule::Explicit { values } => values.get(step).copied().unwrap_or(0.0),
        }
    }

    /// Largest rate.
    pub(crate) fn largest(&self) -> f64 {
        match self {
            Schedule::Constant { initial }
            | Schedule::InverseTime { initial, .. }
            | Schedule::Step { initial, .. } => *initial,
            Schedule::Cosine { initial, last, .. } => initial.max(*last),
            Schedule::Explicit { values } => values.iter().fold(0.0, |m, v| v.max(m)),
        }
    }

    /// Σ η_t over the first `steps` steps.
    pub(crate) fn total(&self, steps: f64) -> f64 {
        match self {
            Schedule::Constant { initial } => initial * steps,
            _ => (0..steps as usize).map(|t| self.rate(t)).sum(),
        }
    }

    pub(crate) fn constant(&self) -> Option<f64> {
        match self {
            Schedule::Constant { initial } => Some(*initial),
            _ => None,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let positive = |key: &'static str, value: f64| {
            if value > 0.0 && value.is_finite() {
                Ok(())
            } else {
                Err(Error::OutOfRange { key, value, remedy: "give a finite number above 0" })
            }
        };
        match self {
            Schedule::Constant { initial } => positive("learning_rate", *initial),
            Schedule::InverseTime { initial, offset } => {
                positive("schedule.initial", *initial)?;
                positive("schedule.offset", *offset)
            }
            Schedule::Cosine { initial, last, steps } => {
                positive("schedule.initial", *initial)?;
                positive("schedule.steps", *steps)?;
                if *last >= 0.0 && last.is_finite() {
                    Ok(())
                } else {
                    let remedy = "give a finite number of at least 0";
                    Err(Error::OutOfRange { key: "schedule.last", value: *last, remedy })
                }
            }
            Schedule::Step { initial, factor, every } => {
                positive("schedule.initial", *initial)?;
                positive("schedule.every", *every)?;
                if *factor > 0.0 && *factor <= 1.0 {
                    Ok(())
                } else {
                    let remedy = "give a number in (0, 1]";
                    Err(Error::OutOfRange { key: "schedule.factor", value: *factor, remedy })
                }
            }
            Schedule::Explicit { values } => {
                let bad = values.iter().position(|v| !(*v >= 0.0 && v.is_finite()));
                if let Some(index) = bad {
                    return Err(Error::BadEntry {
                        key: "schedule.values",
                        index: vec![index],
                        value: values[index],
                        remedy: "rates must be finite and ≥ 0",
                    });
                }
                positive("schedule.values", self.largest())
            }
        }
    }
}

const KINDS: [&str; 4] = ["inverse_time", "cosine", "step", "explicit"];

fn parse(value: Json) -> Result<Schedule, TaskError> {
    let mut f = Fields::new(value)?;
    let schedule = match f.kind(&KINDS)? {
        "inverse_time" => {
            Schedule::InverseTime { initial: f.require("initial")?, offset: f.require("offset")? }
        }
        "cosine" => Schedule::Cosine {
            initial: f.require("initial")?,
            last: f.take("last")?.unwrap_or(0.0),
            steps: f.require("steps")?,
        },
        "step" => Schedule::Step {
            initial: f.require("initial")?,
            factor: f.require("factor")?,
            every: f.require("every")?,
        },
        _ => Schedule::Explicit { values: f.require("values")? },
    };
    f.finish()?;
    Ok(schedule)
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(Json::deserialize(deserializer)?).map_err(TaskError::into_serde)
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = match self {
            // Written as a list of one factor: the inputs state a constant rate by another key.
            Schedule::Constant { initial } => {
                json!({"kind": "step", "initial": initial, "factor": 1.0, "every": 1.0})
            }
            Schedule::InverseTime { initial, offset } => {
                json!({"kind": "inverse_time", "initial": initial, "offset": offset})
            }
            Schedule::Cosine { initial, last, steps } => {
                json!({"kind": "cosine", "initial": initial, "last": last, "steps": steps})
            }
            Schedule::Step { initial, factor, every } => {
                json!({"kind": "step", "initial": initial, "factor": factor, "every": every})
            }
            Schedule::Explicit { values } => json!({"kind": "explicit", "values": values}),
        };
        json.serialize(serializer)
    }
}

impl JsonSchema for Schedule {
    fn schema_name() -> Cow<'static, str> {
        "Schedule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let positive = json!({"type": "number", "exclusiveMinimum": 0});
        let rate = json!({"type": "number", "minimum": 0});
        let variant = |kind: &str, required: &[&str], mut properties: Json| {
            properties["kind"] = json!({"const": kind});
            let mut required = required.to_vec();
            required.push("kind");
            json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
        };
        json_schema!({
            "description": "Learning rate of each step",
            "oneOf": [
                variant("inverse_time", &["initial", "offset"], json!({"initial": positive, "offset": positive})),
                variant("cosine", &["initial", "steps"], json!({"initial": positive, "last": rate, "steps": positive})),
                variant("step", &["initial", "factor", "every"], json!({"initial": positive, "factor": positive, "every": positive})),
                variant("explicit", &["values"], json!({"values": {"type": "array", "items": rate}})),
            ]
        })
    }
}
