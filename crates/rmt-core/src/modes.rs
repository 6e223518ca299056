//! Per-mode vectors in one common eigenbasis: spectra, squared target coefficients, test metrics,
//! priors. A vector keeps its law, so that a power law with 10⁹ modes never becomes a list.

use crate::toeplitz::ar1_eigenvalues;
use crate::{Error, Result, laws};

/// One non-negative number per mode.
#[derive(Clone, Debug, PartialEq)]
pub enum Modes {
    /// `p` equal values.
    Constant {
        /// Number of modes.
        p: usize,
        /// The value.
        value: f64,
    },
    /// `scale · i^−alpha`, i = 1..p; in reversed order if `reversed`.
    PowerLaw {
        /// Number of modes.
        p: usize,
        /// Decay exponent.
        alpha: f64,
        /// Value of the first mode.
        scale: f64,
        /// Whether the list runs from i = p down to 1.
        reversed: bool,
    },
    /// `p` equally spaced values, both ends included.
    Linear {
        /// Number of modes.
        p: usize,
        /// First value.
        from: f64,
        /// Last value.
        to: f64,
    },
    /// Groups of equal values.
    Levels {
        /// Value of each group.
        values: Vec<f64>,
        /// Size of each group.
        counts: Vec<usize>,
    },
    /// A list.
    Explicit(Vec<f64>),
    /// `p` quantiles of the Marchenko–Pastur law of ratio `ratio` = dimension/samples, largest
    /// first: the spectrum of a sample covariance of `scale`·I.
    MarchenkoPastur {
        /// Number of modes.
        p: usize,
        /// Dimension over samples.
        ratio: f64,
        /// Variance of the underlying entries.
        scale: f64,
    },
    /// A flat bulk with spikes in front.
    Spiked {
        /// Number of modes, spikes included.
        p: usize,
        /// The spikes.
        spikes: Vec<f64>,
        /// The value of the other modes.
        bulk: f64,
    },
    /// Eigenvalues of the AR(1) Toeplitz matrix `scale · correlation^|i−j|`, largest first.
    Ar1 {
        /// Number of modes.
        p: usize,
        /// Correlation of neighbours, in (−1, 1).
        correlation: f64,
        /// Variance of each coordinate.
        scale: f64,
    },
}

/// Negative values down to this fraction of the largest are rounding and count as zero.
const TINY_NEGATIVE: f64 = 1e-12;

impl Modes {
    /// Number of modes.
    pub fn len(&self) -> usize {
        match self {
            Modes::Constant { p, .. }
            | Modes::PowerLaw { p, .. }
            | Modes::Linear { p, .. }
            | Modes::MarchenkoPastur { p, .. }
            | Modes::Spiked { p, .. }
            | Modes::Ar1 { p, .. } => *p,
            Modes::Levels { counts, .. } => counts.iter().sum(),
            Modes::Explicit(values) => values.len(),
        }
    }

    /// Whether there is no mode at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values in listed order. Negative entries within rounding of zero (≥ −1e-12 of the
    /// largest) become zero; `rounded` says how many.
    ///
    /// # Errors
    /// `name` is the contract name that an error shows: empty vectors, negative or non-finite
    /// entries and parameters are refused.
    pub fn values(&self, name: &'static str) -> Result<ModeValues> {
        self.check(name)?;
        let mut values = match self {
            Modes::Constant { p, value } => vec![*value; *p],
            Modes::PowerLaw { p, alpha, scale, reversed } => {
                let law = |i: usize| scale * (i as f64).powf(-alpha);
                if *reversed {
                    (1..=*p).rev().map(law).collect()
                } else {
                    (1..=*p).map(law).collect()
                }
            }
            Modes::Linear { p, from, to } => {
                let last = (*p - 1).max(1) as f64;
                (0..*p).map(|i| from + (to - from) * (i as f64 / last)).collect()
            }
            Modes::Levels { values, counts } => {
                values.iter().zip(counts).flat_map(|(v, c)| std::iter::repeat_n(*v, *c)).collect()
            }
            Modes::Explicit(values) => values.clone(),
            Modes::MarchenkoPastur { p, ratio, scale } => {
                laws::marchenko_pastur_quantiles(*p, *ratio, *scale)
            }
            Modes::Spiked { p, spikes, bulk } => {
                let mut values = spikes.clone();
                values.resize(*p, *bulk);
                values
            }
            Modes::Ar1 { p, correlation, scale } => {
                ar1_eigenvalues(*p, *correlation, 1.0 - correlation)
                    .into_iter()
                    .map(|k| scale * k)
                    .collect()
            }
        };
        let largest = values.iter().fold(0.0_f64, |m, v| m.max(*v));
        let mut rounded = 0;
        for (index, value) in values.iter_mut().enumerate() {
            if !value.is_finite() {
                return Err(Error::BadEntry {
                    name,
                    index,
                    value: *value,
                    remedy: "entries must be finite numbers",
                });
            }
            if *value < 0.0 {
                if *value < -TINY_NEGATIVE * largest {
                    return Err(Error::BadEntry {
                        name,
                        index,
                        value: *value,
                        remedy: "entries must be ≥ 0",
                    });
                }
                *value = 0.0;
                rounded += 1;
            }
        }
        Ok(ModeValues { values, rounded })
    }

    /// Sum of all entries.
    pub fn total(&self, name: &'static str) -> Result<f64> {
        match self {
            Modes::Constant { p, value } => {
                self.check(name)?;
                Ok(*p as f64 * value)
            }
            Modes::PowerLaw { p, alpha, scale, .. } => {
                self.check(name)?;
                Ok(scale * crate::compress::sum_power(*p, -alpha))
            }
            _ => Ok(self.values(name)?.values.iter().sum()),
        }
    }

    /// Whether the entry is a smooth function of its index ([`Modes::at`] may be evaluated between
    /// the integers).
    pub(crate) fn is_smooth(&self) -> bool {
        matches!(self, Modes::Constant { .. } | Modes::PowerLaw { reversed: false, .. })
    }

    /// The law of a smooth vector at a real index in [1, p].
    pub(crate) fn at(&self, index: f64) -> f64 {
        match self {
            Modes::Constant { value, .. } => *value,
            Modes::PowerLaw { alpha, scale, .. } => scale * index.powf(-alpha),
            _ => f64::NAN,
        }
    }

    /// Checks the parameters of the law (entries of lists are checked in [`Modes::values`]).
    pub(crate) fn check(&self, name: &'static str) -> Result<()> {
        let range = |value: f64, ok: bool, remedy: &'static str| {
            if ok && value.is_finite() {
                Ok(())
            } else {
                Err(Error::OutOfRange { name, value, remedy })
            }
        };
        range(self.len() as f64, !self.is_empty(), "give at least one mode")?;
        match self {
            Modes::Constant { value, .. } => range(*value, *value >= 0.0, "`value` must be ≥ 0"),
            Modes::PowerLaw { alpha, scale, .. } => {
                range(*alpha, true, "`alpha` must be a finite number")?;
                range(*scale, *scale >= 0.0, "`scale` must be ≥ 0")
            }
            Modes::Linear { from, to, .. } => {
                range(*from, *from >= 0.0, "`from` must be ≥ 0")?;
                range(*to, *to >= 0.0, "`to` must be ≥ 0")
            }
            Modes::Levels { values, counts } => {
                if values.len() == counts.len() {
                    Ok(())
                } else {
                    Err(Error::LengthMismatch { name, found: counts.len(), expected: values.len() })
                }
            }
            Modes::Explicit(_) => Ok(()),
            Modes::MarchenkoPastur { ratio, scale, .. } => {
                range(*ratio, *ratio > 0.0, "`ratio` must be > 0")?;
                range(*scale, *scale >= 0.0, "`scale` must be ≥ 0")
            }
            Modes::Spiked { p, spikes, bulk } => {
                range(*bulk, *bulk >= 0.0, "`bulk` must be ≥ 0")?;
                range(*p as f64, spikes.len() <= *p, "`p` must be at least the number of spikes")
            }
            Modes::Ar1 { correlation, scale, .. } => {
                range(*correlation, correlation.abs() < 1.0, "`correlation` must lie in (−1, 1)")?;
                range(*scale, *scale >= 0.0, "`scale` must be ≥ 0")
            }
        }
    }
}

/// The entries of [`Modes`], validated.
#[derive(Clone, Debug, PartialEq)]
pub struct ModeValues {
    /// One finite value ≥ 0 per mode, in listed order.
    pub values: Vec<f64>,
    /// How many tiny negative entries were rounded to zero.
    pub rounded: usize,
}

#[cfg(feature = "serde")]
mod input {
    use super::Modes;
    use rmt_task::{Fields, TaskError};
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::{Value as Json, json};
    use std::borrow::Cow;

    const KINDS: [&str; 8] = [
        "constant",
        "power_law",
        "linear",
        "levels",
        "explicit",
        "marchenko_pastur",
        "spiked",
        "ar1",
    ];

    /// The scale that `total` asks for, or `direct`, or 1 per unit of `direct_default`.
    fn scale(
        fields: &mut Fields,
        direct: &'static str,
        default: Option<f64>,
        unit_total: impl FnOnce() -> f64,
    ) -> Result<f64, TaskError> {
        let given: Option<f64> = fields.take(direct)?;
        let total: Option<f64> = fields.take("total")?;
        match (given, total, default) {
            (Some(_), Some(_), _) => Err(TaskError::invalid(
                "total",
                format!("give either `{direct}` or `total`, not both"),
            )),
            (Some(x), None, _) => Ok(x),
            (None, Some(t), _) => Ok(t / unit_total()),
            (None, None, Some(x)) => Ok(x),
            (None, None, None) => Err(TaskError::invalid(direct, "missing, give it or `total`")),
        }
    }

    fn parse(value: Json) -> Result<Modes, TaskError> {
        let mut f = Fields::new(value)?;
        let modes = match f.kind(&KINDS)? {
            "constant" => {
                let p = f.require("p")?;
                Modes::Constant { p, value: scale(&mut f, "value", None, || p as f64)? }
            }
            "power_law" => {
                let (p, alpha): (usize, f64) = (f.require("p")?, f.require("alpha")?);
                let scale =
                    scale(&mut f, "scale", Some(1.0), || crate::compress::sum_power(p, -alpha))?;
                Modes::PowerLaw { p, alpha, scale, reversed: f.take("reversed")?.unwrap_or(false) }
            }
            "linear" => {
                Modes::Linear { p: f.require("p")?, from: f.require("from")?, to: f.require("to")? }
            }
            "levels" => {
                Modes::Levels { values: f.require("values")?, counts: f.require("counts")? }
            }
            "explicit" => Modes::Explicit(f.require("values")?),
            "marchenko_pastur" => Modes::MarchenkoPastur {
                p: f.require("p")?,
                ratio: f.require("ratio")?,
                scale: f.take("scale")?.unwrap_or(1.0),
            },
            "spiked" => Modes::Spiked {
                p: f.require("p")?,
                spikes: f.require("spikes")?,
                bulk: f.take("bulk")?.unwrap_or(1.0),
            },
            _ => Modes::Ar1 {
                p: f.require("p")?,
                correlation: f.require("correlation")?,
                scale: f.take("scale")?.unwrap_or(1.0),
            },
        };
        f.finish()?;
        modes
            .check("value")
            .map_err(|e| TaskError::new(rmt_task::ErrorKind::INVALID_INPUT, e.to_string()))?;
        Ok(modes)
    }

    impl<'de> Deserialize<'de> for Modes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            parse(Json::deserialize(deserializer)?).map_err(TaskError::into_serde)
        }
    }

    impl Serialize for Modes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let json = match self {
                Modes::Constant { p, value } => json!({"kind": "constant", "p": p, "value": value}),
                Modes::PowerLaw { p, alpha, scale, reversed } => {
                    json!({"kind": "power_law", "p": p, "alpha": alpha, "scale": scale, "reversed": reversed})
                }
                Modes::Linear { p, from, to } => {
                    json!({"kind": "linear", "p": p, "from": from, "to": to})
                }
                Modes::Levels { values, counts } => {
                    json!({"kind": "levels", "values": values, "counts": counts})
                }
                Modes::Explicit(values) => json!({"kind": "explicit", "values": values}),
                Modes::MarchenkoPastur { p, ratio, scale } => {
                    json!({"kind": "marchenko_pastur", "p": p, "ratio": ratio, "scale": scale})
                }
                Modes::Spiked { p, spikes, bulk } => {
                    json!({"kind": "spiked", "p": p, "spikes": spikes, "bulk": bulk})
                }
                Modes::Ar1 { p, correlation, scale } => {
                    json!({"kind": "ar1", "p": p, "correlation": correlation, "scale": scale})
                }
            };
            json.serialize(serializer)
        }
    }

    impl JsonSchema for Modes {
        fn schema_name() -> Cow<'static, str> {
            "Modes".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let number = json!({"type": "number"});
            let positive = json!({"type": "number", "minimum": 0});
            let count = json!({"type": "integer", "minimum": 1});
            let list = json!({"type": "array", "items": positive});
            let variant = |kind: &str, required: &[&str], mut properties: Json| {
                properties["kind"] = json!({"const": kind});
                let mut required = required.to_vec();
                required.push("kind");
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
            };
            json_schema!({
                "description": "One number ≥ 0 per mode, all vectors in one eigenbasis and in listed order",
                "oneOf": [
                    variant("constant", &["p"], json!({"p": count, "value": positive, "total": positive})),
                    variant("power_law", &["p", "alpha"],
                        json!({"p": count, "alpha": number, "scale": positive, "total": positive, "reversed": {"type": "boolean"}})),
                    variant("linear", &["p", "from", "to"], json!({"p": count, "from": positive, "to": positive})),
                    variant("levels", &["values", "counts"],
                        json!({"values": list, "counts": {"type": "array", "items": count}})),
                    variant("explicit", &["values"], json!({"values": list})),
                    variant("marchenko_pastur", &["p", "ratio"], json!({"p": count, "ratio": positive, "scale": positive})),
                    variant("spiked", &["p", "spikes"], json!({"p": count, "spikes": list, "bulk": positive})),
                    variant("ar1", &["p", "correlation"], json!({"p": count, "correlation": number, "scale": positive})),
                    variant("file", &["path"], json!({"path": {"type": "string", "description": ".npy or .csv, read by the command line"}})),
                ]
            })
        }
    }
}
