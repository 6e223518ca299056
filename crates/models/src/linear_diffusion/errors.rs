//! Denoising errors on new and on training data, and the 1/N term of real Gaussian samples.
//!
//! With g = 1/(s+κ), κ' = dκ/dλ, the residual R̂ = λ(Σ̂+λ)⁻¹ has to relative order 1/N
//!
//! 𝔼R̂_ii ≈ κ̃/(s+κ̃)·[1 + κ's²g²/N],  κ̃ = κ − (κκ'/N)² Σ_j s_j²g_j³.
//!
//! Everything quadratic in R̂ follows from R̂² = R̂ − λ dR̂/dλ, exactly.

use super::trained::{Level, MeanEstimate, TrainedModel};
use crate::Result;

/// Mean squared errors ‖D̂(x₀+σz; σ) − x₀‖² of a denoiser at one noise level, summed over dimensions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DenoisingErrors {
    /// On a new point.
    pub test: f64,
    /// On the training points, with fresh noise.
    pub train: f64,
}

/// 𝔼R̂_ii minus its leading order, and λ d/dλ of that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Correction {
    pub(crate) value: f64,
    pub(crate) slope: f64,
}

impl TrainedModel {
    /// The smallest error that any denoiser can have, σ²Σ s/(s+σ²).
    pub fn bayes_error(&self, noise_variance: f64) -> f64 {
        let term = |s: f64| if s == 0.0 { 0.0 } else { s / (s + noise_variance) };
        noise_variance * self.population().into_iter().map(term).sum::<f64>()
    }

    /// Errors to leading order.
    pub fn denoising_errors(&self, noise_variance: f64) -> Result<DenoisingErrors> {
        let level = self.level(noise_variance)?;
        Ok(self.errors(&level, &[]))
    }

    /// Errors with the 1/N term, the better numbers wherever they exist; `None` where N is too small
    /// (or the noise too low at N ≈ p) for an expansion in 1/N.
    pub fn denoising_errors_finite_size(
        &self,
        noise_variance: f64,
    ) -> Result<Option<DenoisingErrors>> {
        let level = self.level(noise_variance)?;
        Ok(self.residual_correction(&level).map(|c| self.errors(&level, &c)))
    }

    /// With ρ = 𝔼R̂_ii and ρ̇ = λ dρ/dλ: test = Σ((s + εs'/N)(ρ−ρ̇) + σ²(1 − ρ − ρ̇)).
    fn errors(&self, level: &Level, corrections: &[Correction]) -> DenoisingErrors {
        let lambda = level.lambda;
        let data = self.true_ratio + self.mean_noise * self.inverse_dof;
        // Tr M̂, Tr M̂² and Tr Σ'R̂², each as a sum of positive leading terms plus corrections.
        let (mut gain, mut gain_squared, mut shrunk) = (0.0, 0.0, 0.0);
        for (i, &s) in self.spectrum.iter().enumerate() {
            let g = 1.0 / (s + level.kappa);
            // ρ − ρ̇ = (κ(s+κ) − λκ's)g² and 1 − ρ − ρ̇ = (s² + s(κ−λκ'))g².
            let (mut square, mut square_gain) = if s == 0.0 {
                (1.0, 0.0)
            } else if level.kappa == 0.0 {
                (0.0, 1.0)
            } else {
                let square = (level.lag * s + level.kappa * level.kappa) * g * g;
                (square, s * (s + level.lag) * g * g)
            };
            let mut gain_here = level.gain(s);
            if let Some(c) = corrections.get(i) {
                square += c.value - c.slope;
                square_gain -= c.value + c.slope;
                gain_here -= c.value;
            }
            shrunk += s * square;
            gain += gain_here;
            gain_squared += square_gain;
        }
        let test = data * shrunk + lambda * gain_squared;
        // Tr R̂²Σ̂ = λ Tr(M̂ − M̂²); the training points have the covariance `points`·Σ̂.
        let points = match self.mean {
            MeanEstimate::Unbiased => self.mean_noise,
            _ => 1.0,
        };
        let train = lambda * (points * gain + (1.0 - points) * gain_squared);
        DenoisingErrors { test, train }
    }

    /// The 1/N term of each mode's mean residual; `None` where it is not small.
    pub(crate) fn residual_correction(&self, level: &Level) -> Option<Vec<Correction>> {
        let (kappa, slope, inverse) = (level.kappa, level.slope, self.inverse_dof);
        let none = Correction { value: 0.0, slope: 0.0 };
        if kappa == 0.0 || inverse == 0.0 {
            return slope.is_finite().then(|| vec![none; self.spectrum.len()]);
        }
        let (mut q3, mut q4) = (0.0, 0.0);
        let mut largest_gain = 0.0_f64;
        for &s in &self.spectrum {
            let g = 1.0 / (s + kappa);
            let gain = s * g;
            q3 += gain * gain * g;
            q4 += gain * gain * g * g;
            largest_gain = largest_gain.max(gain);
        }
        let ratio = kappa * slope * inverse;
        let shift = -ratio * ratio * q3;
        if -shift > 0.5 * kappa || slope * inverse * largest_gain * largest_gain > 0.5 {
            return None;
        }
        // Derivatives in κ: dκ'/dκ = −2κ'²q₃/N, dq₃/dκ = −3q₄, and λ d/dλ = λκ' d/dκ.
        let slope_change = -2.0 * slope * slope * q3 * inverse;
        let shift_change =
            -2.0 * ratio * inverse * (slope + kappa * slope_change) * q3 + 3.0 * ratio * ratio * q4;
        let moved = kappa + shift;
        let moved_change = 1.0 + shift_change;
        let log_step = level.lambda * slope;
        let mode = |&s: &f64| {
            if s == 0.0 {
                return none;
            }
            let (g, h) = (1.0 / (s + kappa), 1.0 / (s + moved));
            let gain = s * g;
            let extra = slope * inverse * gain * gain;
            let extra_change = inverse * gain * gain * slope_change - 2.0 * extra * g;
            let difference = s * shift * g * h;
            let difference_change = s * g * h * (shift_change - shift * (g + moved_change * h));
            let value = difference + moved * h * extra;
            let change =
                difference_change + moved * h * extra_change + s * moved_change * h * h * extra;
            Correction { value, slope: log_step * change }
        };
        Some(self.spectrum.iter().map(mode).collect())
    }
}
