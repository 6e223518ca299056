//! Activations as a user states them: a name, or an object with a `kind`.

use super::{ActivationFunction, HermiteCoefficients};
use rmt_task::{Fields, TaskError, nearest};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

const NAMED: [(&str, ActivationFunction); 15] = [
    ("linear", ActivationFunction::Linear),
    ("relu", ActivationFunction::Relu),
    ("leaky_relu", ActivationFunction::LeakyRelu { slope: 0.01 }),
    ("erf", ActivationFunction::Erf),
    ("tanh", ActivationFunction::Tanh),
    ("gelu", ActivationFunction::Gelu),
    ("sigmoid", ActivationFunction::Sigmoid),
    ("silu", ActivationFunction::Silu),
    ("softplus", ActivationFunction::Softplus),
    ("elu", ActivationFunction::Elu),
    ("selu", ActivationFunction::Selu),
    ("sin", ActivationFunction::Sin),
    ("abs", ActivationFunction::Abs),
    ("sign", ActivationFunction::Sign),
    ("step", ActivationFunction::Step),
];

fn named(name: &str) -> Result<ActivationFunction, TaskError> {
    if let Some((_, function)) = NAMED.iter().find(|(n, _)| *n == name) {
        return Ok(function.clone());
    }
    let names: Vec<&str> = NAMED.iter().map(|(n, _)| *n).collect();
    let hint = nearest(name, names.iter().copied())
        .map(|k| format!("; did you mean \"{k}\"?"))
        .unwrap_or_default();
    Err(TaskError::invalid(
        "",
        format!(
            "unknown activation \"{name}\", known are {}; any other one can be given as \
             {{\"kind\": \"coefficients\", …}} or {{\"kind\": \"samples\", …}}{hint}",
            names.join(", ")
        ),
    ))
}

fn finite(key: &str, value: f64) -> Result<f64, TaskError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(TaskError::invalid(key, format!("{value} is not finite; give a number")))
    }
}

fn parse(value: Json) -> Result<ActivationFunction, TaskError> {
    if let Json::String(name) = &value {
        return named(name);
    }
    let mut f = Fields::new(value)?;
    let activation = match f.kind(&["leaky_relu", "coefficients", "samples"])? {
        "leaky_relu" => {
            ActivationFunction::LeakyRelu { slope: finite("slope", f.require("slope")?)? }
        }
        "coefficients" => {
            let nonlinear_variance: f64 = f.require("nonlinear_variance")?;
            if !(nonlinear_variance >= 0.0 && nonlinear_variance.is_finite()) {
                return Err(TaskError::invalid(
                    "nonlinear_variance",
                    format!("{nonlinear_variance} is out of range; a variance is finite and ≥ 0"),
                ));
            }
            ActivationFunction::Coefficients(HermiteCoefficients {
                mean: finite("mean", f.take("mean")?.unwrap_or(0.0))?,
                linear: finite("linear", f.require("linear")?)?,
                nonlinear_variance,
            })
        }
        _ => {
            let (arguments, values): (Vec<f64>, Vec<f64>) =
                (f.require("arguments")?, f.require("values")?);
            if arguments.len() < 4 {
                return Err(TaskError::invalid(
                    "arguments",
                    format!("{} points are too few; give at least 4", arguments.len()),
                ));
            }
            if arguments.len() != values.len() {
                return Err(TaskError::invalid(
                    "values",
                    format!(
                        "{} values for {} arguments; give one value per argument",
                        values.len(),
                        arguments.len()
                    ),
                ));
            }
            if let Some(i) = (1..arguments.len()).find(|&i| arguments[i] <= arguments[i - 1]) {
                return Err(TaskError::invalid(
                    format!("arguments[{i}]"),
                    format!("{} does not increase; sort the points", arguments[i]),
                ));
            }
            for (key, list) in [("arguments", &arguments), ("values", &values)] {
                for (i, x) in list.iter().enumerate() {
                    finite(&format!("{key}[{i}]"), *x)?;
                }
            }
            ActivationFunction::Samples { arguments, values }
        }
    };
    f.finish()?;
    Ok(activation)
}

impl<'de> Deserialize<'de> for ActivationFunction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(Json::deserialize(deserializer)?).map_err(TaskError::into_serde)
    }
}

impl Serialize for ActivationFunction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = match self {
            Self::LeakyRelu { slope } => json!({"kind": "leaky_relu", "slope": slope}),
            Self::Coefficients(c) => json!({
                "kind": "coefficients", "mean": c.mean, "linear": c.linear,
                "nonlinear_variance": c.nonlinear_variance
            }),
            Self::Samples { arguments, values } => {
                json!({"kind": "samples", "arguments": arguments, "values": values})
            }
            other => {
                let name = NAMED.iter().find(|(_, f)| f == other).map(|(n, _)| *n);
                json!(name)
            }
        };
        json.serialize(serializer)
    }
}

impl JsonSchema for ActivationFunction {
    fn schema_name() -> Cow<'static, str> {
        "Activation".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = json!({"type": "number"});
        let list = json!({"type": "array", "items": number, "minItems": 4});
        let names: Vec<&str> = NAMED.iter().map(|(n, _)| *n).collect();
        json_schema!({
            "description": "An activation function: a name, its Hermite coefficients, or its values at increasing arguments",
            "oneOf": [
                {"enum": names},
                {"type": "object", "additionalProperties": false, "required": ["kind", "slope"],
                 "properties": {"kind": {"const": "leaky_relu"}, "slope": number}},
                {"type": "object", "additionalProperties": false,
                 "required": ["kind", "linear", "nonlinear_variance"],
                 "properties": {"kind": {"const": "coefficients"}, "mean": number, "linear": number,
                                "nonlinear_variance": {"type": "number", "minimum": 0}}},
                {"type": "object", "additionalProperties": false,
                 "required": ["kind", "arguments", "values"],
                 "properties": {"kind": {"const": "samples"}, "arguments": list, "values": list}},
            ]
        })
    }
}
