//! The sample correlation as a user states it.

use crate::{Error, Result};
use rmt_task::{Fields, TaskError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// Correlation K between the samples (rows): a family and, optionally, the number of rows it is
/// meant for. Tr K = n is enforced when a [`Kernel`](super::Kernel) is built.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleCorrelation {
    /// Which family, with its parameters.
    pub family: Family,
    /// Number of rows it is meant for; must equal the number of rows there are.
    pub rows: Option<usize>,
}

/// Families of sample correlations.
#[derive(Clone, Debug, PartialEq)]
pub enum Family {
    /// Independent samples, K = I.
    Identity,
    /// K = exp(−|t − t′|/ξ).
    Exponential {
        /// Correlation length ξ > 0 in rows (or in the unit of the time stamps).
        length: f64,
    },
    /// K = (1 + |t − t′|)^−χ.
    PowerLaw {
        /// Exponent χ > 0.
        exponent: f64,
    },
    /// K = 1 on the diagonal, b/2 between neighbours, 0 otherwise.
    NearestNeighbor {
        /// Coupling b, −1 ≤ b ≤ 1.
        coupling: f64,
    },
    /// Groups of `size` consecutive rows with equal correlation inside and none between.
    Blocks {
        /// Rows of a group; must divide the number of rows.
        size: usize,
        /// Correlation inside a group, −1/(size − 1) ≤ r ≤ 1; r = 1 duplicates rows.
        correlation: f64,
    },
    /// Independent samples of unequal scale.
    Diagonal {
        /// Variance factors ≥ 0.
        values: Vec<f64>,
        /// How many consecutive rows have each of them.
        counts: Vec<usize>,
    },
    /// Any symmetric positive semi-definite matrix, row by row.
    Dense {
        /// The rows of K.
        values: Vec<Vec<f64>>,
    },
}

impl Family {
    /// The `kind` of the contract.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Exponential { .. } => "exponential",
            Self::PowerLaw { .. } => "power_law",
            Self::NearestNeighbor { .. } => "nearest_neighbor",
            Self::Blocks { .. } => "blocks",
            Self::Diagonal { .. } => "diagonal",
            Self::Dense { .. } => "dense",
        }
    }

    /// Correlation of two rows `distance` ≥ 0 apart, for stationary families.
    ///
    /// # Errors
    /// [`Error::NotStationary`] for blocks, diagonal and dense; [`Error::OutOfRange`] for a
    /// negative distance, and for one that is no whole number with `nearest_neighbor`.
    pub fn at_distance(&self, distance: f64) -> Result<f64> {
        if !(distance >= 0.0 && distance.is_finite()) {
            return Err(Error::OutOfRange {
                key: "test_lag",
                value: distance,
                remedy: "a distance in time is a finite number ≥ 0",
            });
        }
        Ok(match self {
            Self::Identity => f64::from(distance == 0.0),
            Self::Exponential { length } => (-distance / length).exp(),
            Self::PowerLaw { exponent } => (1.0 + distance).powf(-exponent),
            Self::NearestNeighbor { .. } if distance.fract() != 0.0 => {
                return Err(Error::OutOfRange {
                    key: "test_lag",
                    value: distance,
                    remedy: "nearest_neighbor is defined at whole distances only",
                });
            }
            Self::NearestNeighbor { coupling } => match distance as u64 {
                0 => 1.0,
                1 => 0.5 * coupling,
                _ => 0.0,
            },
            Self::Blocks { .. } | Self::Diagonal { .. } | Self::Dense { .. } => {
                return Err(Error::NotStationary { kind: self.kind() });
            }
        })
    }

    /// Checks the parameters (the entries of a dense matrix when its kernel is built).
    pub(crate) fn check(&self) -> Result<()> {
        let range = |key, value: f64, ok: bool, remedy| {
            if ok && value.is_finite() {
                Ok(())
            } else {
                Err(Error::OutOfRange { key, value, remedy })
            }
        };
        match self {
            Self::Identity => Ok(()),
            Self::Exponential { length } => {
                range("length", *length, *length > 0.0, "a correlation length is > 0")
            }
            Self::PowerLaw { exponent } => {
                range("exponent", *exponent, *exponent > 0.0, "the exponent is > 0")
            }
            Self::NearestNeighbor { coupling } => range(
                "coupling",
                *coupling,
                coupling.abs() <= 1.0,
                "the coupling lies between −1 and 1, otherwise K has negative eigenvalues",
            ),
            Self::Blocks { size, correlation } => {
                range("size", *size as f64, *size >= 1, "a block has at least one row")?;
                let least = if *size > 1 { -1.0 / (*size as f64 - 1.0) } else { -1.0 };
                range(
                    "correlation",
                    *correlation,
                    (least..=1.0).contains(correlation),
                    "the correlation inside blocks lies between −1/(size − 1) and 1",
                )
            }
            Self::Diagonal { values, counts } => {
                if values.len() != counts.len() {
                    return Err(Error::LengthMismatch {
                        key: "counts",
                        found: counts.len(),
                        expected: values.len(),
                    });
                }
                for (index, value) in values.iter().enumerate() {
                    if !(value.is_finite() && *value >= 0.0) {
                        return Err(Error::BadEntry {
                            key: "values",
                            index: vec![index],
                            value: *value,
                            remedy: "variance factors are finite numbers ≥ 0",
                        });
                    }
                }
                Ok(())
            }
            Self::Dense { values } => {
                for row in values {
                    if row.len() != values.len() {
                        return Err(Error::LengthMismatch {
                            key: "values",
                            found: row.len(),
                            expected: values.len(),
                        });
                    }
                }
                Ok(())
            }
        }
    }
}

impl From<Family> for SampleCorrelation {
    fn from(family: Family) -> Self {
        Self { family, rows: None }
    }
}

/// Correlation K′ of the noise: the same as that of the samples, or a kernel of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum NoiseCorrelation {
    /// K′ = K ("matched").
    #[default]
    Same,
    /// K′ of its own ("mismatched").
    Kernel(SampleCorrelation),
}

const KINDS: [&str; 7] =
    ["identity", "exponential", "power_law", "nearest_neighbor", "blocks", "diagonal", "dense"];

fn parse(value: Json) -> Result<SampleCorrelation, TaskError> {
    let mut f = Fields::new(value)?;
    let family = match f.kind(&KINDS)? {
        "identity" => Family::Identity,
        "exponential" => Family::Exponential { length: f.require("length")? },
        "power_law" => Family::PowerLaw { exponent: f.require("exponent")? },
        "nearest_neighbor" => Family::NearestNeighbor { coupling: f.require("coupling")? },
        "blocks" => {
            Family::Blocks { size: f.require("size")?, correlation: f.require("correlation")? }
        }
        "diagonal" => {
            let values: Vec<f64> = f.require("values")?;
            let counts = f.take("counts")?.unwrap_or_else(|| vec![1; values.len()]);
            Family::Diagonal { values, counts }
        }
        _ => Family::Dense { values: f.require("values")? },
    };
    let rows = f.take("n")?;
    f.finish()?;
    family.check()?;
    Ok(SampleCorrelation { family, rows })
}

impl<'de> Deserialize<'de> for SampleCorrelation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(Json::deserialize(deserializer)?).map_err(TaskError::into_serde)
    }
}

impl Serialize for SampleCorrelation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = match &self.family {
            Family::Identity => json!({}),
            Family::Exponential { length } => json!({"length": length}),
            Family::PowerLaw { exponent } => json!({"exponent": exponent}),
            Family::NearestNeighbor { coupling } => json!({"coupling": coupling}),
            Family::Blocks { size, correlation } => {
                json!({"size": size, "correlation": correlation})
            }
            Family::Diagonal { values, counts } => json!({"values": values, "counts": counts}),
            Family::Dense { values } => json!({"values": values}),
        };
        json["kind"] = json!(self.family.kind());
        if let Some(rows) = self.rows {
            json["n"] = json!(rows);
        }
        json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NoiseCorrelation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::String(word) if word == "same" => Ok(Self::Same),
            Json::String(word) => Err(TaskError::new(
                rmt_task::ErrorKind::INVALID_INPUT,
                format!(
                    "\"{word}\" is no noise correlation; give \"same\" or an object with a `kind`"
                ),
            )
            .into_serde()),
            other => parse(other).map(Self::Kernel).map_err(TaskError::into_serde),
        }
    }
}

impl Serialize for NoiseCorrelation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Same => serializer.serialize_str("same"),
            Self::Kernel(kernel) => kernel.serialize(serializer),
        }
    }
}

impl JsonSchema for SampleCorrelation {
    fn schema_name() -> Cow<'static, str> {
        "SampleCorrelation".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = json!({"type": "number"});
        let positive = json!({"type": "number", "exclusiveMinimum": 0});
        let count = json!({"type": "integer", "minimum": 1});
        let list = json!({"type": "array", "items": {"type": "number", "minimum": 0}});
        let variant = |kind: &str, required: &[&str], mut properties: Json| {
            properties["kind"] = json!({"const": kind});
            properties["n"] = count.clone();
            let mut required = required.to_vec();
            required.push("kind");
            json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
        };
        json_schema!({
            "description": "Correlation between the samples, scaled to Tr K = n; `n`, if given, is the number of rows",
            "oneOf": [
                variant("identity", &[], json!({})),
                variant("exponential", &["length"], json!({"length": positive})),
                variant("power_law", &["exponent"], json!({"exponent": positive})),
                variant("nearest_neighbor", &["coupling"],
                    json!({"coupling": {"type": "number", "minimum": -1, "maximum": 1}})),
                variant("blocks", &["size", "correlation"],
                    json!({"size": count, "correlation": {"type": "number", "minimum": -1, "maximum": 1}})),
                variant("diagonal", &["values"],
                    json!({"values": list, "counts": {"type": "array", "items": {"type": "integer", "minimum": 0}}})),
                variant("dense", &["values"],
                    json!({"values": {"type": "array", "items": {"type": "array", "items": number}}})),
            ]
        })
    }
}

impl JsonSchema for NoiseCorrelation {
    fn schema_name() -> Cow<'static, str> {
        "NoiseCorrelation".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Correlation of the noise between samples: \"same\" as that of the samples, or its own",
            "oneOf": [{"const": "same"}, generator.subschema_for::<SampleCorrelation>()]
        })
    }
}
