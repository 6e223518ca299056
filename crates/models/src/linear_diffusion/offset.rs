//! Inputs of denoisers and samplers as offsets from the mean.

use rmt_task::{Fields, TaskError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// An input x − μ in the eigenbasis.
#[derive(Clone, Debug, PartialEq)]
pub enum Offset {
    /// (−1)^i times a size, i = 1..p.
    Alternating(OffsetScale),
    /// One entry a mode.
    Explicit(Vec<f64>),
}

/// Size of an alternating offset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OffsetScale {
    /// √(s_i + σ²): the size of noisy data at the noise level of that place.
    DataPlusNoise,
    /// The noise level sampling starts from.
    SigmaMax,
    /// A number.
    Size(f64),
}

impl Offset {
    pub(super) fn noisy() -> Self {
        Self::Alternating(OffsetScale::DataPlusNoise)
    }

    pub(super) fn noise() -> Self {
        Self::Alternating(OffsetScale::SigmaMax)
    }

    /// Entries in mode order at the noise level `sigma`.
    pub(super) fn values(
        &self,
        key: &'static str,
        population: &[f64],
        sigma: f64,
        sigma_max: f64,
    ) -> Result<Vec<f64>, TaskError> {
        let p = population.len();
        match self {
            Self::Alternating(scale) => {
                let size = |s: f64| match scale {
                    OffsetScale::DataPlusNoise => (s + sigma * sigma).sqrt(),
                    OffsetScale::SigmaMax => sigma_max,
                    OffsetScale::Size(size) => *size,
                };
                let sign = |i: usize| if i.is_multiple_of(2) { -1.0 } else { 1.0 };
                Ok(population.iter().enumerate().map(|(i, s)| sign(i) * size(*s)).collect())
            }
            Self::Explicit(values) if values.len() != p => Err(TaskError::invalid(
                key,
                format!(
                    "{} entries for a spectrum of {p} modes; give one entry a mode",
                    values.len()
                ),
            )),
            Self::Explicit(values) => Ok(values.clone()),
        }
    }

    fn parse(value: Json) -> Result<Self, TaskError> {
        let mut fields = Fields::new(value)?;
        let offset = match fields.kind(&["alternating", "explicit"])? {
            "alternating" => Self::Alternating(match fields.require::<Json>("scale")? {
                Json::String(s) if s == "data_plus_noise" => OffsetScale::DataPlusNoise,
                Json::String(s) if s == "sigma_max" => OffsetScale::SigmaMax,
                Json::Number(x) => OffsetScale::Size(x.as_f64().unwrap_or(f64::NAN)),
                other => {
                    return Err(TaskError::invalid(
                        "scale",
                        format!(
                            "found {other}, known are \"data_plus_noise\", \"sigma_max\" or a number"
                        ),
                    ));
                }
            }),
            _ => Self::Explicit(fields.require("values")?),
        };
        fields.finish()?;
        Ok(offset)
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(Json::deserialize(deserializer)?).map_err(TaskError::into_serde)
    }
}

impl Serialize for Offset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = match self {
            Self::Alternating(OffsetScale::DataPlusNoise) => {
                json!({"kind": "alternating", "scale": "data_plus_noise"})
            }
            Self::Alternating(OffsetScale::SigmaMax) => {
                json!({"kind": "alternating", "scale": "sigma_max"})
            }
            Self::Alternating(OffsetScale::Size(size)) => {
                json!({"kind": "alternating", "scale": size})
            }
            Self::Explicit(values) => json!({"kind": "explicit", "values": values}),
        };
        json.serialize(serializer)
    }
}

impl JsonSchema for Offset {
    fn schema_name() -> Cow<'static, str> {
        "Offset".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An input as its offset from the mean, one entry a mode",
            "oneOf": [
                {"type": "object", "required": ["kind", "scale"], "additionalProperties": false,
                 "properties": {"kind": {"const": "alternating"},
                    "scale": {"oneOf": [{"enum": ["data_plus_noise", "sigma_max"]}, {"type": "number"}]}}},
                {"type": "object", "required": ["kind", "values"], "additionalProperties": false,
                 "properties": {"kind": {"const": "explicit"},
                    "values": {"type": "array", "items": {"type": "number"}}}}
            ]
        })
    }
}
