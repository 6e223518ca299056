//! The statement of a problem: sizes, parameters, matrices and the expression.

mod concrete;
mod deterministic;

use crate::error::Result;
use num_complex::Complex64;
use rmt_core::Modes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::BTreeMap;

pub(crate) use concrete::Concrete;
pub use deterministic::{Basis, Deterministic};

/// An expression in random and deterministic matrices, with everything it mentions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Sizes by name, each at least 1. Shapes are compared by name, not by size.
    pub dims: BTreeMap<String, usize>,
    /// Scalar parameters by name: numbers, or complex numbers [re, im].
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Random matrices by name, independent of each other.
    #[serde(default)]
    pub random: BTreeMap<String, Random>,
    /// Deterministic matrices by name.
    #[serde(default)]
    pub deterministic: BTreeMap<String, Deterministic>,
    /// [row dimension, column dimension] of deterministic matrices whose sizes fit several
    /// dimensions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deterministic_shapes: BTreeMap<String, [String; 2]>,
    /// Weights of the joint atoms of a dimension, if they are not equal; scaled to sum 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimension_weights: BTreeMap<String, Modes>,
    /// The scalar expression, such as `tr(inv(Z'*Z/n + lam*I(p)))`.
    pub expression: String,
}

/// A parameter value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter(pub Complex64);

impl From<f64> for Parameter {
    fn from(x: f64) -> Self {
        Parameter(Complex64::new(x, 0.0))
    }
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let pair: Option<Vec<f64>> =
            json.as_array().and_then(|items| items.iter().map(Json::as_f64).collect());
        match (json.as_f64(), pair.as_deref()) {
            (Some(x), _) => Ok(Parameter(Complex64::new(x, 0.0))),
            (None, Some([re, im])) => Ok(Parameter(Complex64::new(*re, *im))),
            _ => Err(serde::de::Error::custom(format!(
                "expected a number or a complex number [re, im], found {json}"
            ))),
        }
    }
}

impl Serialize for Parameter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.im == 0.0 {
            serializer.serialize_f64(self.0.re)
        } else {
            [self.0.re, self.0.im].serialize(serializer)
        }
    }
}

impl JsonSchema for Parameter {
    fn schema_name() -> Cow<'static, str> {
        "Parameter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or a complex number [re, im]",
            "oneOf": [
                {"type": "number"},
                {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            ]
        })
    }
}

/// A random matrix: independent entries of mean zero, or fixed eigenvalues in a random basis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Random {
    /// Dimension of the rows.
    pub rows: String,
    /// Dimension of the columns.
    pub cols: String,
    /// Variance of an entry (off the diagonal for `goe`): a scalar expression in parameters and
    /// dimensions, positive. Not for `haar`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance: Option<Variance>,
    /// Dependence between the entries.
    #[serde(default)]
    pub kind: RandomKind,
    /// Eigenvalues of a `haar` matrix, as many as its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spectrum: Option<Modes>,
}

/// A scalar expression, or a number.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Variance(pub String);

impl<'de> Deserialize<'de> for Variance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::String(text) => Ok(Variance(text)),
            Json::Number(x) => Ok(Variance(x.to_string())),
            other => Err(serde::de::Error::custom(format!(
                "expected a scalar expression such as \"1/p\", found {other}"
            ))),
        }
    }
}

/// Dependence between the entries of a random matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RandomKind {
    /// All entries independent.
    #[default]
    Iid,
    /// Square and symmetric.
    Goe,
    /// U diag(spectrum) Uᵀ with a uniformly distributed orthogonal U: eigenvalues 1 and 0 make a
    /// projection on a random subspace.
    Haar,
}

impl RandomKind {
    /// Whether the matrix equals its transpose.
    pub(crate) fn is_symmetric(self) -> bool {
        self != RandomKind::Iid
    }
}
