//! A mixture: populations with numbers of samples, weights and noise, seen through random features.

use super::populations::{Geometry, Populations};
use crate::{Error, Result};
use std::borrow::Cow;

/// How one group is sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Number of samples n_s ≥ 0. A group without samples is still tested on: any test distribution
    /// is such a group.
    pub n: f64,
    /// Weight a_s ≥ 0 of each sample in the loss.
    pub weight: f64,
    /// Variance σ_s² of the label noise.
    pub noise_variance: f64,
}

/// Which resource is used up first at λ = 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Enough samples and features for every direction with variance.
    Population,
    /// All random features are used.
    Width,
    /// All samples are interpolated.
    Interpolation,
}

/// Populations with their samples and an optional number of random features.
#[derive(Clone, Debug)]
pub struct Mixture<'a> {
    pub(super) geometry: Cow<'a, Geometry>,
    pub(super) scale: f64,
    pub(super) samples: Vec<Sample>,
    pub(super) width: Option<f64>,
    /// Σ n_s, groups of zero weight included.
    pub(super) total: f64,
    /// Groups that influence the fit: a_s n_s > 0.
    pub(super) active: Vec<usize>,
    /// Rank of Σ Σ_s over them.
    pub(super) rank: f64,
    /// Lower bound of its positive eigenvalues.
    pub(super) smallest: f64,
    /// Whether the numbers of samples only count as proportions, of infinitely many.
    infinite: bool,
}

impl Populations {
    /// A mixture with one entry of `samples` a group, and `width` random features (`None`: the
    /// features themselves).
    ///
    /// # Errors
    /// Negative or non-finite numbers, no sample of positive weight, fewer than one feature.
    pub fn mixture(&self, samples: &[Sample], width: Option<f64>) -> Result<Mixture<'_>> {
        if samples.len() != self.groups {
            return Err(Error::LengthMismatch {
                key: "n",
                found: samples.len(),
                expected: self.groups,
            });
        }
        let check = |key: &'static str, value: fn(&Sample) -> f64| match samples
            .iter()
            .position(|s| !(value(s) >= 0.0 && value(s).is_finite()))
        {
            None => Ok(()),
            Some(i) => Err(Error::BadEntry {
                key,
                index: vec![i],
                value: value(&samples[i]),
                remedy: "give a finite number ≥ 0",
            }),
        };
        check("n", |s| s.n)?;
        check("weights", |s| s.weight)?;
        check("noise_variances", |s| s.noise_variance)?;
        if let Some(width) = width
            && !(width >= 1.0 && width.is_finite())
        {
            return Err(Error::OutOfRange {
                key: "width",
                value: width,
                remedy: "give at least one random feature, or leave it out for none",
            });
        }
        let is_active: Vec<bool> = samples.iter().map(|s| s.n * s.weight > 0.0).collect();
        let active: Vec<usize> = (0..self.groups).filter(|s| is_active[*s]).collect();
        if active.is_empty() {
            return Err(Error::NoSamples);
        }
        let geometry = match &self.geometry {
            Geometry::Dense(dense) => match dense.reduced(&is_active)? {
                Some(reduced) => Cow::Owned(Geometry::Dense(reduced)),
                None => Cow::Borrowed(&self.geometry),
            },
            Geometry::Atoms(_) => Cow::Borrowed(&self.geometry),
        };
        let (rank, smallest) = geometry.range(&is_active);
        Ok(Mixture {
            geometry,
            scale: self.scale,
            total: samples.iter().map(|s| s.n).sum(),
            samples: samples.to_vec(),
            width,
            active,
            rank,
            smallest,
            infinite: false,
        })
    }
}

impl Mixture<'_> {
    /// The limit n → ∞ at these proportions of the groups.
    #[must_use]
    pub fn of_infinitely_many_samples(mut self) -> Self {
        self.infinite = true;
        self
    }

    /// Number of samples that influence the fit.
    pub fn active_samples(&self) -> f64 {
        if self.infinite {
            return f64::INFINITY;
        }
        self.active.iter().map(|s| self.samples[*s].n).sum()
    }

    /// Number of directions in which they have variance.
    pub fn rank(&self) -> f64 {
        self.rank
    }

    /// The phase at λ = 0.
    pub fn phase(&self) -> Phase {
        let (n, m) = (self.active_samples(), self.width.unwrap_or(f64::INFINITY));
        if self.rank <= n.min(m) {
            Phase::Population
        } else if m <= n {
            Phase::Width
        } else {
            Phase::Interpolation
        }
    }

    /// Whether samples just suffice to determine (or interpolate) everything: there the error
    /// diverges as λ → 0.
    pub fn is_critical(&self) -> bool {
        let room = self.rank.min(self.width.unwrap_or(f64::INFINITY));
        self.active_samples() == room
    }

    /// a_s P_s.
    pub(super) fn share(&self, s: usize) -> f64 {
        self.samples[s].weight * self.samples[s].n / self.total
    }

    /// a_s/n.
    pub(super) fn pull(&self, s: usize) -> f64 {
        if self.infinite {
            return 0.0;
        }
        self.samples[s].weight / self.total
    }
}
