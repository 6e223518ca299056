//! Sample correlations of infinitely many rows: κ̃(t) and the S-transform S_K(t) in closed form,
//! t = df̃₁/n ∈ (0, 1], S_K(t) = (1 − t)/(t κ̃).
//!
//! exponential, b = coth(1/ξ): t = (1 + 2bκ̃ + κ̃²)^−½;
//! nearest neighbour: t = 1 − κ̃/√((1 + κ̃)² − b²).

use super::form::Level;
use super::{Family, Levels, SampleCorrelation};
use crate::{Error, Result};

impl SampleCorrelation {
    /// κ̃(t) as n → ∞ and S_K(t), in forms free of cancellation; t in (0, 1).
    ///
    /// # Errors
    /// [`Error::NoLimit`] for power_law and dense; [`Error::OutOfRange`] for t outside (0, 1), and
    /// [`Error::Unreachable`] at or beyond the rank fraction of K.
    pub fn limit(&self, t: f64) -> Result<Limit> {
        if !(t > 0.0 && t < 1.0) {
            return Err(Error::OutOfRange {
                key: "normalised_df1",
                value: t,
                remedy: "degrees of freedom per sample lie strictly between 0 and 1",
            });
        }
        let rest = 1.0 - t;
        Ok(match &self.family {
            Family::Identity => Limit { kappa_tilde: rest / t, s_transform: 1.0 },
            Family::Exponential { length } => {
                let b = 1.0 / (1.0 / length).tanh();
                // b² − 1 = 1/sinh²(1/ξ).
                let excess = (1.0 / length).sinh().powi(-2);
                let root = (1.0 + excess * t * t).sqrt();
                Limit {
                    kappa_tilde: rest * (1.0 + t) / (t * (b * t + root)),
                    s_transform: (b * t + root) / (1.0 + t),
                }
            }
            Family::NearestNeighbor { coupling } => {
                let fill = t * (2.0 - t);
                // 1 − b² t(2−t) = (1−b²) + b²(1−t)²: no cancellation at |b| = 1.
                let root = ((1.0 - coupling) * (1.0 + coupling) + (coupling * rest).powi(2)).sqrt();
                Limit {
                    kappa_tilde: rest * (rest + root) / fill,
                    s_transform: (2.0 - t) / (rest + root),
                }
            }
            Family::Blocks { size, correlation } => {
                let m = *size as f64;
                let top = 1.0 + (m - 1.0) * correlation;
                let levels = levels([(top, 1.0 / m), (1.0 - correlation, 1.0 - 1.0 / m)]);
                of_levels(&levels, t)?
            }
            Family::Diagonal { values, counts } => {
                let n: f64 = counts.iter().map(|c| *c as f64).sum();
                let total: f64 = values.iter().zip(counts).map(|(v, c)| v * *c as f64).sum();
                if total <= 0.0 {
                    return Err(Error::NoVariance { trace: total });
                }
                let pairs = values.iter().zip(counts).map(|(v, c)| (v * n / total, *c as f64 / n));
                of_levels(&levels(pairs), t)?
            }
            Family::PowerLaw { .. } | Family::Dense { .. } => {
                return Err(Error::NoLimit { kind: self.family.kind() });
            }
        })
    }
}

/// Levels whose counts are fractions of the rows.
fn levels(pairs: impl IntoIterator<Item = (f64, f64)>) -> Levels {
    let level = |(value, count)| Level { value, count, weight: 0.0 };
    Levels::new(pairs.into_iter().map(level), false)
}

fn of_levels(levels: &Levels, t: f64) -> Result<Limit> {
    let room = levels.rank() - t;
    if room <= 0.0 {
        return Err(Error::Unreachable { target: t, rank: levels.rank() });
    }
    let kappa_tilde = levels.kappa(t, room, None)?;
    Ok(Limit { kappa_tilde, s_transform: (1.0 - t) / (t * kappa_tilde) })
}

/// A sample correlation of infinitely many rows at one t.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// κ̃(t): the ridge on K at which df̃₁ = t n.
    pub kappa_tilde: f64,
    /// S_K(t) = (1 − t)/(t κ̃).
    pub s_transform: f64,
}
