//! The spectrum of K with multiplicities, its degrees of freedom, and their inverse.
//!
//! After a mean has been fitted the residuals live in the complement of the all-ones vector, and K
//! acts there as PKP with P = I − 11ᵀ/n. With aᵢ = 1/(kᵢ + κ̃), wᵢ = (1ᵀuᵢ)² and the shares
//! πᵢ = wᵢaᵢ/Σ wa, the resolvent there is G̃ − G̃11ᵀG̃/(1ᵀG̃1), whence
//! Tr G̃ → Σ (mᵢ − πᵢ)aᵢ and Tr KG̃² → Σ (mᵢ − πᵢ)kᵢaᵢ² + κ̃ Var_π(a): both without subtraction and
//! without another eigendecomposition.

use super::form::Level;
use crate::{Error, Result};

/// Eigenvalues of K with multiplicities; zero eigenvalues are counted apart.
///
/// All traces are sums over the n rows (n − 1 once centred), not means.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    values: Vec<f64>,
    counts: Vec<f64>,
    nullity: f64,
    /// Weights (1ᵀu)² of the positive levels and of the null space, if a mean has been fitted.
    ones: Option<(Vec<f64>, f64)>,
}

/// The traces at one κ̃.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Traces {
    /// df̃₁.
    df1: f64,
    /// rank − df̃₁ = Σ κ̃/(k + κ̃).
    complement: f64,
    /// Tr K G̃².
    resolvent: f64,
}

impl Levels {
    /// Positive eigenvalues go to the list, zeros are counted; the caller has rounded.
    pub(super) fn new(levels: impl IntoIterator<Item = Level>, centred: bool) -> Self {
        let (mut values, mut counts, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        let (mut nullity, mut null_weight) = (0.0, 0.0);
        for Level { value, count, weight } in levels {
            if value > 0.0 {
                values.push(value);
                counts.push(count);
                weights.push(weight);
            } else {
                nullity += count;
                null_weight += weight;
            }
        }
        // Rounding of eigenvectors must not make the mean part of the null space.
        let total: f64 = weights.iter().sum::<f64>() + null_weight;
        if null_weight <= 1e-12 * total {
            null_weight = 0.0;
        }
        Self { values, counts, nullity, ones: centred.then_some((weights, null_weight)) }
    }

    /// Positive eigenvalues of K, in no particular order (those of K itself, also when centred).
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Multiplicity of each entry of [`Levels::values`].
    pub fn counts(&self) -> &[f64] {
        &self.counts
    }

    /// Dimension of the null space (of PKP inside its n − 1 dimensions once centred).
    pub fn nullity(&self) -> f64 {
        match self.ones {
            Some((_, null_weight)) if null_weight > 0.0 => self.nullity - 1.0,
            _ => self.nullity,
        }
    }

    /// Rank of K (of PKP once centred).
    pub fn rank(&self) -> f64 {
        let positive: f64 = self.counts.iter().sum();
        match self.ones {
            // 1 inside the range of K takes one dimension away.
            Some((_, 0.0)) => positive - 1.0,
            _ => positive,
        }
    }

    fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.values.iter().zip(&self.counts).map(|(k, m)| m * f(*k)).sum()
    }

    /// Tr K (not centred).
    pub fn trace(&self) -> f64 {
        self.sum(|k| k)
    }

    fn traces(&self, kappa: f64) -> Traces {
        let Some((weights, null_weight)) = &self.ones else {
            return Traces {
                df1: self.sum(|k| k / (k + kappa)),
                complement: self.sum(|k| kappa / (k + kappa)),
                resolvent: self.sum(|k| k / (k + kappa).powi(2)),
            };
        };
        if kappa == 0.0 && *null_weight > 0.0 {
            // The mean lies in the null space in the limit: shares of positive levels vanish.
            return Traces { df1: self.rank(), complement: 0.0, resolvent: self.sum(|k| 1.0 / k) };
        }
        let share = self.shares(weights, *null_weight, kappa);
        // Variance of a about its value on the null space, where there is one, else about its mean.
        let offset = |k: f64| {
            if *null_weight > 0.0 { k / (kappa * (k + kappa)) } else { 1.0 / (k + kappa) }
        };
        let mean: f64 = self.values.iter().zip(&share).map(|(k, s)| s * offset(*k)).sum();
        let null_share = (1.0 - share.iter().sum::<f64>()).max(0.0);
        let mut variance = if *null_weight > 0.0 { null_share * mean * mean } else { 0.0 };
        let (mut df1, mut complement, mut resolvent) = (0.0, 0.0, 0.0);
        for ((k, m), share) in self.values.iter().zip(&self.counts).zip(&share) {
            let a = 1.0 / (k + kappa);
            let room = (m - share).max(0.0);
            df1 += room * k * a;
            complement += room * kappa * a;
            resolvent += room * k * a * a;
            variance += share * (offset(*k) - mean).powi(2);
            if *null_weight > 0.0 {
                complement += share;
            }
        }
        Traces { df1, complement, resolvent: resolvent + kappa * variance }
    }

    /// πᵢ = wᵢaᵢ/Σ wa of the positive levels.
    fn shares(&self, weights: &[f64], null_weight: f64, kappa: f64) -> Vec<f64> {
        let raw: Vec<f64> = self.values.iter().zip(weights).map(|(k, w)| w / (k + kappa)).collect();
        let null = if null_weight > 0.0 { null_weight / kappa } else { 0.0 };
        let total = raw.iter().sum::<f64>() + null;
        raw.into_iter().map(|x| x / total).collect()
    }

    /// df̃₁(κ̃) = Σ k/(k + κ̃).
    pub fn df1(&self, kappa: f64) -> f64 {
        self.traces(kappa).df1
    }

    /// rank − df̃₁ = Σ κ̃/(k + κ̃) over positive k, without subtraction.
    pub fn complement(&self, kappa: f64) -> f64 {
        self.traces(kappa).complement
    }

    /// Tr KG̃² = Σ k/(k + κ̃)² = (df̃₁ − df̃₂)/κ̃, without subtraction; Tr K⁺ at κ̃ = 0.
    pub fn resolvent(&self, kappa: f64) -> f64 {
        self.traces(kappa).resolvent
    }

    /// df̃₁ − df̃₂ = Σ k κ̃/(k + κ̃)², without subtraction.
    pub fn df1_minus_df2(&self, kappa: f64) -> f64 {
        kappa * self.resolvent(kappa)
    }

    /// df̃₂(κ̃) = Σ k²/(k + κ̃)².
    pub fn df2(&self, kappa: f64) -> f64 {
        let t = self.traces(kappa);
        t.df1 - kappa * t.resolvent
    }

    /// What a fitted mean costs a test point that is uncorrelated with the rows: its error is this
    /// factor times that of a known mean, 1 + 1ᵀG̃KG̃1/(1ᵀG̃1)² (1 + 1/n for independent rows; 1
    /// if no mean was fitted).
    pub fn mean_factor(&self, kappa: f64) -> f64 {
        let Some((weights, null_weight)) = &self.ones else { return 1.0 };
        if *null_weight > 0.0 && kappa == 0.0 {
            return 1.0;
        }
        let (mut numerator, mut total) = (0.0, 0.0);
        for (k, w) in self.values.iter().zip(weights) {
            let a = 1.0 / (k + kappa);
            numerator += w * k * a * a;
            total += w * a;
        }
        if *null_weight > 0.0 {
            total += null_weight / kappa;
        }
        1.0 + numerator / (total * total)
    }

    /// The κ̃ with df̃₁(κ̃) = `df1`. `complement` = rank − `df1` is asked for separately because it
    /// carries the digits when the rank is nearly reached; `hint` is a warm start.
    ///
    /// Newton for ln df̃₁ (or ln of the complement, whichever is smaller) in ln κ̃ inside the bracket
    /// k_min C/D ≤ κ̃ ≤ k_max C/D; relative error a few units of rounding.
    ///
    /// # Errors
    /// [`Error::Unreachable`] unless 0 < `df1` and 0 ≤ `complement` (κ̃ = 0 at zero).
    pub fn kappa(&self, df1: f64, complement: f64, hint: Option<f64>) -> Result<f64> {
        if !(df1 > 0.0 && complement >= 0.0 && df1.is_finite() && complement.is_finite()) {
            return Err(Error::Unreachable { target: df1, rank: self.rank() });
        }
        if complement == 0.0 {
            return Ok(0.0);
        }
        let ratio = complement / df1;
        let least = self.values.iter().fold(f64::INFINITY, |m, k| m.min(*k));
        let largest = self.values.iter().fold(0.0_f64, |m, k| m.max(*k));
        let (mut low, mut high) = ((least * ratio).ln(), (largest * ratio).ln());
        if matches!(self.ones, Some((_, null_weight)) if null_weight > 0.0) {
            // PKP may have positive eigenvalues below the least positive one of K.
            low -= 60.0;
        } else if high - low <= 4.0 * f64::EPSILON {
            return Ok(least * ratio);
        }
        let upper = complement < df1;
        let mut u =
            hint.filter(|h| *h > 0.0).map_or(0.5 * (low + high), |h| h.ln().clamp(low, high));
        for _ in 0..200 {
            let kappa = u.exp();
            let t = self.traces(kappa);
            let slope = kappa * t.resolvent;
            // residual > 0 means κ̃ is too large.
            let (residual, slope) = if upper {
                ((t.complement / complement).ln(), slope / t.complement)
            } else {
                ((df1 / t.df1).ln(), slope / t.df1)
            };
            if residual > 0.0 {
                high = u;
            } else {
                low = u;
            }
            let next = u - residual / slope;
            let inside = next >= low && next <= high;
            let next = if inside { next } else { 0.5 * (low + high) };
            let done = (next - u).abs() <= 4.0 * f64::EPSILON * (1.0 + u.abs()) || high <= low;
            u = next;
            if done {
                break;
            }
        }
        // The root in ln κ̃ is good to |u|·ε; one linear step in κ̃ itself removes that factor.
        let kappa = u.exp();
        let t = self.traces(kappa);
        let off = if upper { complement - t.complement } else { t.df1 - df1 };
        Ok(kappa * (1.0 + off / (kappa * t.resolvent)))
    }
}
