//! Input types that several models share.

use crate::{Error, Result};
use rmt_task::{Fields, TaskError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use std::borrow::Cow;

/// A matrix given row by row: `{"kind": "dense", "values": [[…], …]}`.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseMatrix {
    /// The rows.
    pub values: Vec<Vec<f64>>,
}

impl DenseMatrix {
    /// The rows of a symmetric p×p matrix without negative diagonal entries.
    pub(crate) fn covariance(&self, key: &'static str, p: usize) -> Result<Vec<Vec<f64>>> {
        if self.values.len() != p {
            return Err(Error::LengthMismatch { key, found: self.values.len(), expected: p });
        }
        let largest = self.values.iter().flatten().fold(0.0_f64, |m, v| m.max(v.abs()));
        for (i, row) in self.values.iter().enumerate() {
            if row.len() != p {
                return Err(Error::LengthMismatch { key, found: row.len(), expected: p });
            }
            for (j, value) in row.iter().enumerate() {
                let bad =
                    |remedy| Error::BadEntry { key, index: vec![i, j], value: *value, remedy };
                if !value.is_finite() {
                    return Err(bad("entries must be finite numbers"));
                }
                if i == j && *value < -1e-12 * largest {
                    return Err(bad("a covariance has no negative variance"));
                }
                if (value - self.values[j].get(i).copied().unwrap_or(f64::NAN)).abs()
                    > 1e-10 * largest
                {
                    return Err(bad("the matrix is not symmetric; symmetrise it"));
                }
            }
        }
        Ok(self.values.clone())
    }
}

impl<'de> Deserialize<'de> for DenseMatrix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parse = |value| -> Result<Self, TaskError> {
            let mut fields = Fields::new(value)?;
            fields.kind(&["dense"])?;
            let values = fields.require("values")?;
            fields.finish()?;
            Ok(Self { values })
        };
        parse(Json::deserialize(deserializer)?).map_err(TaskError::into_serde)
    }
}

impl Serialize for DenseMatrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::json!({"kind": "dense", "values": self.values}).serialize(serializer)
    }
}

impl JsonSchema for DenseMatrix {
    fn schema_name() -> Cow<'static, str> {
        "DenseMatrix".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A matrix row by row",
            "type": "object",
            "properties": {
                "kind": {"const": "dense"},
                "values": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
            },
            "required": ["kind", "values"],
            "additionalProperties": false
        })
    }
}
