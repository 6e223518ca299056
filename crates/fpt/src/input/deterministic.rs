//! Deterministic matrices as stated.

use super::Concrete;
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use rmt_core::Modes;
use rmt_task::{Fields, TaskError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::f64::consts::PI;

/// A deterministic matrix.
#[derive(Clone, Debug, PartialEq)]
pub enum Deterministic {
    /// Diagonal, in the common eigenbasis of its dimension.
    Modes(Modes),
    /// U diag(s) Uᵀ.
    Rotated {
        /// The eigenvalues s.
        spectrum: Modes,
        /// The eigenvectors U.
        basis: Basis,
    },
    /// scale · U_rows[:, :rank] · U_cols[:, :rank]ᵀ with discrete-cosine bases.
    DctRectangular {
        /// Number of rows.
        rows: usize,
        /// Number of columns.
        cols: usize,
        /// Number of non-zero singular values.
        rank: usize,
        /// Their common value.
        scale: f64,
    },
    /// Rows of an explicit matrix.
    Dense(Vec<Vec<f64>>),
}

/// An orthogonal matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// I.
    Identity,
    /// U_rc = √((1 if c = 0 else 2)/p) · cos(π (r+½) c / p).
    Dct,
    /// I − 2vvᵀ/vᵀv with v = (1, …, 1).
    HouseholderOnes,
    /// I − 2vvᵀ/vᵀv with v = (1, 2, …, p).
    HouseholderRamp,
}

const MATRIX_KINDS: [&str; 3] = ["rotated", "dct_rectangular", "dense"];

impl Basis {
    fn parse(value: Json) -> Result<Self, TaskError> {
        let mut f = Fields::new(value)?;
        let basis = match f.kind(&["identity", "dct", "householder"])? {
            "identity" => Basis::Identity,
            "dct" => Basis::Dct,
            _ => match f.require::<String>("vector")?.as_str() {
                "ones" => Basis::HouseholderOnes,
                "ramp" => Basis::HouseholderRamp,
                other => {
                    let message = format!("unknown vector \"{other}\", known are ones, ramp");
                    return Err(TaskError::invalid("vector", message));
                }
            },
        };
        f.finish()?;
        Ok(basis)
    }

    fn json(self) -> Json {
        match self {
            Basis::Identity => json!({"kind": "identity"}),
            Basis::Dct => json!({"kind": "dct"}),
            Basis::HouseholderOnes => json!({"kind": "householder", "vector": "ones"}),
            Basis::HouseholderRamp => json!({"kind": "householder", "vector": "ramp"}),
        }
    }

    fn matrix(self, p: usize) -> Matrix<f64> {
        let householder = |v: &dyn Fn(usize) -> f64| {
            let norm: f64 = (0..p).map(|i| v(i) * v(i)).sum();
            Matrix::from_fn(p, p, |i, j| f64::from(u8::from(i == j)) - 2.0 * v(i) * v(j) / norm)
        };
        match self {
            Basis::Identity => Matrix::identity(p),
            Basis::Dct => dct(p),
            Basis::HouseholderOnes => householder(&|_| 1.0),
            Basis::HouseholderRamp => householder(&|i| (i + 1) as f64),
        }
    }
}

fn dct(p: usize) -> Matrix<f64> {
    let size = p as f64;
    Matrix::from_fn(p, p, |r, c| {
        let norm = if c == 0 { 1.0 } else { 2.0 };
        (norm / size).sqrt() * (PI * (r as f64 + 0.5) * c as f64 / size).cos()
    })
}

impl<'de> Deserialize<'de> for Deterministic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let kind = json.get("kind").and_then(Json::as_str).unwrap_or_default();
        if !MATRIX_KINDS.contains(&kind) {
            return Modes::deserialize(json).map(Deterministic::Modes).map_err(|error| {
                // The message of `Modes` lists the vector kinds only.
                let text = error.to_string().replace(
                    "known are constant",
                    "known are rotated, dct_rectangular, dense (matrices), constant",
                );
                serde::de::Error::custom(text)
            });
        }
        Self::parse(json).map_err(TaskError::into_serde)
    }
}

impl Deterministic {
    fn parse(value: Json) -> Result<Self, TaskError> {
        let mut f = Fields::new(value)?;
        let matrix = match f.kind(&MATRIX_KINDS)? {
            "rotated" => {
                let basis = f.require("basis")?;
                Deterministic::Rotated {
                    spectrum: f.require("spectrum")?,
                    basis: Basis::parse(basis).map_err(|e| e.within("basis"))?,
                }
            }
            "dct_rectangular" => Deterministic::DctRectangular {
                rows: f.require("rows")?,
                cols: f.require("cols")?,
                rank: f.require("rank")?,
                scale: f.require("scale")?,
            },
            _ => Deterministic::Dense(f.require("values")?),
        };
        f.finish()?;
        Ok(matrix)
    }

    /// The entries, checked; `key` is what an error names.
    pub(crate) fn concrete(&self, key: &str) -> Result<Concrete> {
        let modes = |modes: &Modes| {
            modes
                .values("values")
                .map(|v| v.values)
                .map_err(|error| Error::invalid(key, error.to_string()))
        };
        let dense = match self {
            Deterministic::Modes(m) => return Ok(Concrete::Diagonal(modes(m)?)),
            Deterministic::Rotated { spectrum, basis: Basis::Identity } => {
                return Ok(Concrete::Diagonal(modes(spectrum)?));
            }
            Deterministic::Rotated { spectrum, basis } => {
                let s = modes(spectrum)?;
                let u = basis.matrix(s.len());
                let scaled = Matrix::from_fn(s.len(), s.len(), |i, j| u.at(i, j) * s[j]);
                let full = scaled.product(&u.transposed());
                Matrix::from_fn(s.len(), s.len(), |i, j| 0.5 * (full.at(i, j) + full.at(j, i)))
            }
            Deterministic::DctRectangular { rows, cols, rank, scale } => {
                if *rows == 0 || *cols == 0 || *rank > (*rows).min(*cols) {
                    let message = format!(
                        "rank {rank} of a {rows}×{cols} matrix; sizes must be ≥ 1 and the rank at \
                         most the smaller of them"
                    );
                    return Err(Error::invalid(key, message));
                }
                let (u, v) = (dct(*rows), dct(*cols));
                Matrix::from_fn(*rows, *cols, |i, j| {
                    scale * (0..*rank).map(|k| u.at(i, k) * v.at(j, k)).sum::<f64>()
                })
            }
            Deterministic::Dense(rows) => {
                let columns = rows.first().map_or(0, Vec::len);
                if columns == 0 {
                    return Err(Error::invalid(key, "the matrix is empty; give at least one row"));
                }
                if let Some(i) = rows.iter().position(|row| row.len() != columns) {
                    let message = format!(
                        "row {i} has {} entries, row 0 has {columns}; rows must be equally long",
                        rows[i].len()
                    );
                    return Err(Error::invalid(key, message));
                }
                Matrix::from_fn(rows.len(), columns, |i, j| rows[i][j])
            }
        };
        if let Some(at) = dense.data().iter().position(|x| !x.is_finite()) {
            let message = format!(
                "entry ({}, {}) is {}; entries must be finite numbers",
                at / dense.columns(),
                at % dense.columns(),
                dense.data()[at]
            );
            return Err(Error::invalid(key, message));
        }
        Ok(Concrete::from_dense(dense))
    }
}

impl Serialize for Deterministic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Deterministic::Modes(m) => m.serialize(serializer),
            Deterministic::Rotated { spectrum, basis } => {
                json!({"kind": "rotated", "spectrum": spectrum, "basis": basis.json()})
                    .serialize(serializer)
            }
            Deterministic::DctRectangular { rows, cols, rank, scale } => json!({
                "kind": "dct_rectangular", "rows": rows, "cols": cols, "rank": rank, "scale": scale
            })
            .serialize(serializer),
            Deterministic::Dense(values) => {
                json!({"kind": "dense", "values": values}).serialize(serializer)
            }
        }
    }
}

impl JsonSchema for Deterministic {
    fn schema_name() -> Cow<'static, str> {
        "Deterministic".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let modes = generator.subschema_for::<Modes>();
        let count = json!({"type": "integer", "minimum": 1});
        let basis = json!({
            "type": "object",
            "properties": {
                "kind": {"enum": ["identity", "dct", "householder"]},
                "vector": {"enum": ["ones", "ramp"]},
            },
            "required": ["kind"],
        });
        json_schema!({
            "description": "A vector (diagonal in the common eigenbasis of its dimension), or a matrix",
            "oneOf": [
                modes,
                {"type": "object", "additionalProperties": false,
                 "required": ["kind", "spectrum", "basis"],
                 "properties": {"kind": {"const": "rotated"}, "spectrum": modes, "basis": basis}},
                {"type": "object", "additionalProperties": false,
                 "required": ["kind", "rows", "cols", "rank", "scale"],
                 "properties": {"kind": {"const": "dct_rectangular"}, "rows": count, "cols": count,
                                "rank": {"type": "integer", "minimum": 0}, "scale": {"type": "number"}}},
                {"type": "object", "additionalProperties": false, "required": ["kind", "values"],
                 "properties": {"kind": {"const": "dense"},
                                "values": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}}},
            ]
        })
    }
}
