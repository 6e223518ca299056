//! The spectrum of K with multiplicities, its degrees of freedom, and their inverse.

use crate::{Error, Result};

/// Eigenvalues of K with multiplicities; zero eigenvalues are counted apart.
///
/// All traces are sums over the n rows, not means.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    values: Vec<f64>,
    counts: Vec<f64>,
    nullity: f64,
}

impl Levels {
    /// Positive eigenvalues go to the list, zeros are counted; the caller has rounded.
    pub(crate) fn new(pairs: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let (mut values, mut counts, mut nullity) = (Vec::new(), Vec::new(), 0.0);
        for (value, count) in pairs {
            if value > 0.0 {
                values.push(value);
                counts.push(count);
            } else {
                nullity += count;
            }
        }
        Self { values, counts, nullity }
    }

    /// Positive eigenvalues, in no particular order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Multiplicity of each entry of [`Levels::values`].
    pub fn counts(&self) -> &[f64] {
        &self.counts
    }

    /// Number of zero eigenvalues.
    pub fn nullity(&self) -> f64 {
        self.nullity
    }

    /// Number of positive eigenvalues.
    pub fn rank(&self) -> f64 {
        self.counts.iter().sum()
    }

    fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.values.iter().zip(&self.counts).map(|(k, m)| m * f(*k)).sum()
    }

    /// Tr K.
    pub fn trace(&self) -> f64 {
        self.sum(|k| k)
    }

    /// Tr K⁻¹, infinite for singular K.
    pub fn inverse_trace(&self) -> f64 {
        if self.nullity > 0.0 { f64::INFINITY } else { self.sum(|k| 1.0 / k) }
    }

    /// df̃₁(κ̃) = Σ k/(k + κ̃).
    pub fn df1(&self, kappa: f64) -> f64 {
        self.sum(|k| k / (k + kappa))
    }

    /// df̃₂(κ̃) = Σ k²/(k + κ̃)².
    pub fn df2(&self, kappa: f64) -> f64 {
        self.sum(|k| (k / (k + kappa)).powi(2))
    }

    /// rank K − df̃₁ = Σ κ̃/(k + κ̃) over positive k, without subtraction.
    pub fn complement(&self, kappa: f64) -> f64 {
        self.sum(|k| kappa / (k + kappa))
    }

    /// df̃₁ − df̃₂ = Σ k κ̃/(k + κ̃)², without subtraction.
    pub fn df1_minus_df2(&self, kappa: f64) -> f64 {
        self.sum(|k| k / (k + kappa) * (kappa / (k + kappa)))
    }

    /// The κ̃ with df̃₁(κ̃) = `df1`. `complement` = rank K − `df1` is asked for separately because it
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
        if high - low <= 4.0 * f64::EPSILON {
            return Ok(least * ratio);
        }
        let upper = complement < df1;
        let mut u = hint.map_or(0.5 * (low + high), |h| h.ln().clamp(low, high));
        for _ in 0..200 {
            let kappa = u.exp();
            let slope = self.df1_minus_df2(kappa);
            // residual > 0 means κ̃ is too large.
            let (residual, slope) = if upper {
                let c = self.complement(kappa);
                ((c / complement).ln(), slope / c)
            } else {
                let d = self.df1(kappa);
                ((df1 / d).ln(), slope / d)
            };
            if residual > 0.0 {
                high = u
            } else {
                low = u
            }
            let step = residual / slope;
            let next = u - step;
            let inside = next >= low && next <= high;
            let next = if inside { next } else { 0.5 * (low + high) };
            if (next - u).abs() <= 4.0 * f64::EPSILON * (1.0 + u.abs()) || high <= low {
                u = next;
                break;
            }
            u = next;
        }
        // The root in ln κ̃ is good to |u|·ε; one linear step in κ̃ itself removes that factor.
        let kappa = u.exp();
        let slope = self.df1_minus_df2(kappa);
        let off = if upper { complement - self.complement(kappa) } else { self.df1(kappa) - df1 };
        Ok(kappa * (1.0 + off / slope))
    }
}
