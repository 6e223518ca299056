//! Fixed coefficients as they are given: signed vectors by the laws of mode vectors.

use rmt_task::{Fields, TaskError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// A vector of real numbers of any sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients(pub Vec<f64>);

const KINDS: [&str; 4] = ["constant", "linear", "levels", "explicit"];

fn parse(value: Json) -> Result<Coefficients, TaskError> {
    let mut f = Fields::new(value)?;
    let values = match f.kind(&KINDS)? {
        "constant" => {
            let p: usize = f.require("p")?;
            vec![f.require("value")?; p]
        }
        "linear" => {
            let p: usize = f.require("p")?;
            let (from, to): (f64, f64) = (f.require("from")?, f.require("to")?);
            let last = p.saturating_sub(1).max(1) as f64;
            (0..p).map(|i| from + (to - from) * (i as f64 / last)).collect()
        }
        "levels" => {
            let (values, counts): (Vec<f64>, Vec<usize>) =
                (f.require("values")?, f.require("counts")?);
            if values.len() != counts.len() {
                let message =
                    format!("{} entries where `values` has {}", counts.len(), values.len());
                return Err(TaskError::invalid("counts", message));
            }
            values.iter().zip(&counts).flat_map(|(v, c)| std::iter::repeat_n(*v, *c)).collect()
        }
        _ => f.require("values")?,
    };
    f.finish()?;
    Ok(Coefficients(values))
}

impl<'de> Deserialize<'de> for Coefficients {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(Json::deserialize(deserializer)?).map_err(TaskError::into_serde)
    }
}

impl Serialize for Coefficients {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({"kind": "explicit", "values": self.0}).serialize(serializer)
    }
}

impl JsonSchema for Coefficients {
    fn schema_name() -> Cow<'static, str> {
        "Coefficients".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = json!({"type": "number"});
        let count = json!({"type": "integer", "minimum": 1});
        let list = json!({"type": "array", "items": number});
        let variant = |kind: &str, required: &[&str], mut properties: Json| {
            properties["kind"] = json!({"const": kind});
            let required: Vec<&str> = required.iter().copied().chain(["kind"]).collect();
            json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
        };
        json_schema!({
            "description": "One coefficient per feature, of any sign",
            "oneOf": [
                variant("constant", &["p", "value"], json!({"p": count, "value": number})),
                variant("linear", &["p", "from", "to"], json!({"p": count, "from": number, "to": number})),
                variant("levels", &["values", "counts"], json!({"values": list, "counts": {"type": "array", "items": count}})),
                variant("explicit", &["values"], json!({"values": list})),
            ]
        })
    }
}
