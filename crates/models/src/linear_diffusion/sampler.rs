//! The choice of a sampler as an input.

use super::{LinearMap, NoiseRange, NoiseSchedule, Scheme, TrainedModel};
use crate::Result;
use rmt_task::{Fields, TaskError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// How samples are drawn from starting noise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Sampler {
    /// The probability flow, solved exactly.
    #[default]
    Exact,
    /// Finitely many steps.
    Stepped {
        /// Euler or Heun.
        scheme: Scheme,
        /// Number of steps, the last one to zero included.
        steps: usize,
        /// Exponent of the schedule.
        rho: f64,
        /// Whether a last step goes from σ_min to 0.
        to_zero: bool,
    },
}

impl Sampler {
    /// The noise level at which samples end.
    pub(super) fn end(self, sigma_min: f64) -> f64 {
        match self {
            Self::Stepped { to_zero: true, .. } => 0.0,
            _ => sigma_min,
        }
    }

    /// The sampling map of a model.
    pub(super) fn map(
        self,
        model: &TrainedModel,
        range: NoiseRange,
        accuracy: f64,
    ) -> Result<LinearMap<'_>> {
        match self {
            Self::Exact => model.sampler(range, accuracy),
            Self::Stepped { scheme, steps, rho, to_zero } => {
                let schedule = NoiseSchedule::karras(range, steps, rho, to_zero)?;
                model.stepped_sampler(&schedule, scheme)
            }
        }
    }

    /// What the sampler does to a direction of variance x in the training data.
    pub(super) fn response(self, range: NoiseRange) -> Result<Box<dyn Fn(f64) -> f64>> {
        Ok(match self {
            Self::Exact => {
                Box::new(move |x| if x + range.low > 0.0 { range.ratio(x).sqrt() } else { 0.0 })
            }
            Self::Stepped { scheme, steps, rho, to_zero } => {
                let schedule = NoiseSchedule::karras(range, steps, rho, to_zero)?;
                Box::new(move |x| schedule.response(scheme, x))
            }
        })
    }

    fn parse(value: Json) -> Result<Self, TaskError> {
        let mut fields = Fields::new(value)?;
        let scheme = match fields.kind(&["exact", "euler", "heun"])? {
            "exact" => None,
            "euler" => Some(Scheme::Euler),
            _ => Some(Scheme::Heun),
        };
        let sampler = match scheme {
            None => Self::Exact,
            Some(scheme) => Self::Stepped {
                scheme,
                steps: fields.require("steps")?,
                rho: fields.take("rho")?.unwrap_or(7.0),
                to_zero: fields.take("to_zero")?.unwrap_or(false),
            },
        };
        fields.finish()?;
        Ok(sampler)
    }
}

impl<'de> Deserialize<'de> for Sampler {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(Json::deserialize(deserializer)?).map_err(TaskError::into_serde)
    }
}

impl Serialize for Sampler {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = match self {
            Self::Exact => json!({"kind": "exact"}),
            Self::Stepped { scheme, steps, rho, to_zero } => {
                json!({"kind": scheme, "steps": steps, "rho": rho, "to_zero": to_zero})
            }
        };
        json.serialize(serializer)
    }
}

impl JsonSchema for Sampler {
    fn schema_name() -> Cow<'static, str> {
        "Sampler".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How samples are drawn from starting noise",
            "oneOf": [
                {"type": "object", "required": ["kind"], "additionalProperties": false,
                 "properties": {"kind": {"const": "exact"}}},
                {"type": "object", "required": ["kind", "steps"], "additionalProperties": false,
                 "properties": {"kind": {"enum": ["euler", "heun"]},
                    "steps": {"type": "integer", "minimum": 2},
                    "rho": {"type": "number", "exclusiveMinimum": 0},
                    "to_zero": {"type": "boolean"}}}
            ]
        })
    }
}
