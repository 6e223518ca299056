//! Covariances as they are given: mode vectors, rotated ones, matrices.

use crate::{Error, Result};
use faer::{Mat, Side};
use rmt_core::Modes;
use rmt_task::{Fields, TaskError, nearest};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// Covariance of the features of one group.
#[derive(Clone, Debug, PartialEq)]
pub enum Covariance {
    /// Diagonal in the basis in which coefficients and priors are given.
    Diagonal(Modes),
    /// U diag(spectrum) Uᵀ.
    Rotated {
        /// Eigenvalues.
        spectrum: Modes,
        /// The columns of U.
        basis: Basis,
    },
    /// A symmetric matrix, row by row.
    Dense(Vec<Vec<f64>>),
}

/// An orthogonal matrix by its law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The identity.
    Identity,
    /// Discrete cosine transform of type II.
    Cosine,
    /// I − 2vvᵀ/vᵀv with v = (1, …, 1).
    HouseholderOnes,
    /// I − 2vvᵀ/vᵀv with v_i = i.
    HouseholderRamp,
}

impl Basis {
    pub(crate) fn matrix(self, p: usize) -> Mat<f64> {
        let reflection = |v: fn(usize) -> f64| {
            let square: f64 = (0..p).map(|i| v(i) * v(i)).sum();
            Mat::from_fn(p, p, |i, j| {
                let one = if i == j { 1.0 } else { 0.0 };
                one - 2.0 * v(i) * v(j) / square
            })
        };
        match self {
            Basis::Identity => Mat::identity(p, p),
            Basis::Cosine => {
                let size = p as f64;
                Mat::from_fn(p, p, |r, c| {
                    let scale = if c == 0 { 1.0 } else { 2.0_f64 };
                    let angle = std::f64::consts::PI * (r as f64 + 0.5) * c as f64 / size;
                    (scale / size).sqrt() * angle.cos()
                })
            }
            Basis::HouseholderOnes => reflection(|_| 1.0),
            Basis::HouseholderRamp => reflection(|i| (i + 1) as f64),
        }
    }
}

/// Eigenvalues down to minus this fraction of the largest are rounding and count as zero.
const TINY_NEGATIVE: f64 = 1e-12;
/// Asymmetry up to this fraction of the largest entry is rounding.
const ASYMMETRY: f64 = 1e-12;

impl Covariance {
    /// Number of features.
    pub fn dimension(&self) -> usize {
        match self {
            Covariance::Diagonal(modes) | Covariance::Rotated { spectrum: modes, .. } => {
                modes.len()
            }
            Covariance::Dense(rows) => rows.len(),
        }
    }

    /// The diagonal, where the covariance is diagonal as given.
    pub(crate) fn diagonal(&self) -> Result<Option<Vec<f64>>> {
        match self {
            Covariance::Diagonal(modes)
            | Covariance::Rotated { spectrum: modes, basis: Basis::Identity } => {
                Ok(Some(modes.values("spectrum")?.values))
            }
            _ => Ok(None),
        }
    }

    /// The matrix, checked to be symmetric and positive semi-definite.
    pub(crate) fn matrix(&self) -> Result<Mat<f64>> {
        match self {
            Covariance::Diagonal(modes) => {
                let s = modes.values("spectrum")?.values;
                Ok(Mat::from_fn(s.len(), s.len(), |i, j| if i == j { s[i] } else { 0.0 }))
            }
            Covariance::Rotated { spectrum, basis } => {
                let s = spectrum.values("spectrum")?.values;
                let u = basis.matrix(s.len());
                Ok(symmetrised(&(&scaled_columns(&u, |j| s[j]) * u.transpose())))
            }
            Covariance::Dense(rows) => {
                let p = rows.len();
                let mut largest = 0.0_f64;
                for (i, row) in rows.iter().enumerate() {
                    if row.len() != p {
                        return Err(Error::LengthMismatch {
                            key: "values",
                            found: row.len(),
                            expected: p,
                        });
                    }
                    for (j, value) in row.iter().enumerate() {
                        if !value.is_finite() {
                            return Err(Error::BadEntry {
                                key: "values",
                                index: vec![i, j],
                                value: *value,
                                remedy: "the entries of a covariance are finite numbers",
                            });
                        }
                        largest = largest.max(value.abs());
                    }
                }
                for row in 0..p {
                    for column in row + 1..p {
                        let (upper, lower) = (rows[row][column], rows[column][row]);
                        if (upper - lower).abs() > ASYMMETRY * largest {
                            return Err(Error::CovarianceNotSymmetric {
                                row,
                                column,
                                upper,
                                lower,
                            });
                        }
                    }
                }
                positive(symmetrised(&Mat::from_fn(p, p, |i, j| rows[i][j])))
            }
        }
    }
}

/// Refuses matrices with a truly negative eigenvalue, clips those of rounding.
fn positive(matrix: Mat<f64>) -> Result<Mat<f64>> {
    let p = matrix.nrows();
    let evd =
        matrix.self_adjoint_eigen(Side::Lower).map_err(|_| Error::NoDecomposition { rows: p })?;
    let (least, largest) = (evd.S()[0], evd.S()[p - 1]);
    if least >= 0.0 {
        return Ok(matrix);
    }
    if least < -TINY_NEGATIVE * largest.max(0.0) {
        return Err(Error::CovarianceNotPositive { eigenvalue: least, largest });
    }
    let u = Mat::from_fn(p, p, |i, j| evd.U()[(i, j)]);
    Ok(symmetrised(&(&scaled_columns(&u, |j| evd.S()[j].max(0.0)) * u.transpose())))
}

pub(super) fn scaled_columns(m: &Mat<f64>, factor: impl Fn(usize) -> f64) -> Mat<f64> {
    Mat::from_fn(m.nrows(), m.ncols(), |i, j| m[(i, j)] * factor(j))
}

pub(super) fn symmetrised(m: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(m.nrows(), m.ncols(), |i, j| 0.5 * (m[(i, j)] + m[(j, i)]))
}

const BASES: [&str; 3] = ["identity", "dct", "householder"];

fn parse_basis(value: Json) -> Result<Basis, TaskError> {
    let mut f = Fields::new(value)?;
    let basis = match f.kind(&BASES)? {
        "identity" => Basis::Identity,
        "dct" => Basis::Cosine,
        _ => {
            let vector: String = f.require("vector")?;
            match vector.as_str() {
                "ones" => Basis::HouseholderOnes,
                "ramp" => Basis::HouseholderRamp,
                other => {
                    return Err(TaskError::invalid(
                        "vector",
                        format!("unknown vector \"{other}\", known are ones, ramp"),
                    ));
                }
            }
        }
    };
    f.finish()?;
    Ok(basis)
}

const KINDS: [&str; 2] = ["rotated", "dense"];

/// A covariance that is not a plain mode vector; `None` where it is.
fn parse(value: &Json) -> Result<Option<Covariance>, TaskError> {
    let Some(kind) = value.get("kind").and_then(Json::as_str) else { return Ok(None) };
    let meant = KINDS.contains(&kind) || nearest(kind, KINDS).is_some_and(|_| kind.len() > 4);
    if !meant {
        return Ok(None);
    }
    let mut f = Fields::new(value.clone())?;
    let covariance = if f.kind(&KINDS)? == "rotated" {
        let spectrum: Modes = f.require("spectrum")?;
        let basis = parse_basis(f.require("basis")?).map_err(|e| e.within("basis"))?;
        Covariance::Rotated { spectrum, basis }
    } else {
        let rows: Vec<Vec<f64>> = f.require("values")?;
        if rows.is_empty() {
            return Err(TaskError::invalid("values", "empty, give a square matrix"));
        }
        Covariance::Dense(rows)
    };
    f.finish()?;
    Ok(Some(covariance))
}

impl<'de> Deserialize<'de> for Covariance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Json::deserialize(deserializer)?;
        match parse(&value).map_err(TaskError::into_serde)? {
            Some(covariance) => Ok(covariance),
            // The text of the error carries its kind and key along.
            None => Modes::deserialize(value).map(Covariance::Diagonal).map_err(D::Error::custom),
        }
    }
}

impl Serialize for Covariance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Covariance::Diagonal(modes) => modes.serialize(serializer),
            Covariance::Rotated { spectrum, basis } => {
                let basis = match basis {
                    Basis::Identity => json!({"kind": "identity"}),
                    Basis::Cosine => json!({"kind": "dct"}),
                    Basis::HouseholderOnes => json!({"kind": "householder", "vector": "ones"}),
                    Basis::HouseholderRamp => json!({"kind": "householder", "vector": "ramp"}),
                };
                json!({"kind": "rotated", "spectrum": spectrum, "basis": basis})
                    .serialize(serializer)
            }
            Covariance::Dense(rows) => {
                json!({"kind": "dense", "values": rows}).serialize(serializer)
            }
        }
    }
}

impl JsonSchema for Covariance {
    fn schema_name() -> Cow<'static, str> {
        "Covariance".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let modes = generator.subschema_for::<Modes>();
        json_schema!({
            "description": "Covariance of the features: a mode vector (diagonal), a rotated one, or a symmetric matrix",
            "oneOf": [
                modes,
                {
                    "type": "object",
                    "properties": {
                        "kind": {"const": "rotated"},
                        "spectrum": modes,
                        "basis": {
                            "type": "object",
                            "properties": {
                                "kind": {"enum": BASES},
                                "vector": {"enum": ["ones", "ramp"]}
                            },
                            "required": ["kind"]
                        }
                    },
                    "required": ["kind", "spectrum", "basis"],
                    "additionalProperties": false
                },
                {
                    "type": "object",
                    "properties": {
                        "kind": {"const": "dense"},
                        "values": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
                    },
                    "required": ["kind", "values"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
