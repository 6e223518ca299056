//! Signal and noise apart, when the noise is correlated otherwise than the samples.
//!
//! With wᵢ = (kᵢ + κ̃)uᵢᵀr/κ̃ in the eigenbasis of K, E wᵢ² ≃ E_g kᵢ + σ²k′ᵢ: a weighted least-squares
//! fit, weights (kᵢ + k′ᵢ)⁻², gives the risk E_g and the noise variance σ².

use rmt_models::kernel::JointBasis;

/// The two components of the out-of-sample error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoComponent {
    /// E_g: error of the fit itself; unbiased, so it may come out negative.
    pub risk: f64,
    /// σ²: variance of the noise; unbiased, so it may come out negative.
    pub noise_variance: f64,
    /// The noise variance if the risk is held at zero.
    noise_only: f64,
    /// The risk if the noise variance is held at zero.
    risk_only: f64,
}

impl TwoComponent {
    /// Both components made non-negative (a negative one is set to zero and the other fitted
    /// alone), and whether that changed anything.
    pub fn clipped(&self) -> (f64, f64, bool) {
        if self.risk < 0.0 {
            (0.0, self.noise_only, true)
        } else if self.noise_variance < 0.0 {
            (self.risk_only, 0.0, true)
        } else {
            (self.risk, self.noise_variance, false)
        }
    }

    /// The normal equations of the fit: weighted sums of k², kk′, k′².
    pub(crate) fn normal(basis: &JointBasis) -> Option<[f64; 3]> {
        let mut sums = [0.0; 3];
        for (k, noise) in basis.values.iter().zip(&basis.noise_diagonal) {
            let weight = weight(*k, *noise);
            sums[0] += weight * k * k;
            sums[1] += weight * k * noise;
            sums[2] += weight * noise * noise;
        }
        // K′ ∝ K: only the sum of the components is determined.
        (sums[0] * sums[2] - sums[1] * sums[1] > 1e-10 * sums[0] * sums[2]).then_some(sums)
    }

    /// From the projections uᵢᵀr and κ̃, both in the same unit.
    pub(crate) fn fit(
        basis: &JointBasis,
        normal: &[f64; 3],
        projections: &[f64],
        kappa_tilde: f64,
        kappa_tilde_units: f64,
    ) -> Self {
        let (mut on_samples, mut on_noise) = (0.0, 0.0);
        for ((k, noise), r) in basis.values.iter().zip(&basis.noise_diagonal).zip(projections) {
            let square = ((k + kappa_tilde) * r / kappa_tilde_units).powi(2);
            let weight = weight(*k, *noise);
            on_samples += weight * k * square;
            on_noise += weight * noise * square;
        }
        let [a, b, c] = *normal;
        let determinant = a * c - b * b;
        Self {
            risk: (c * on_samples - b * on_noise) / determinant,
            noise_variance: (a * on_noise - b * on_samples) / determinant,
            noise_only: on_noise / c,
            risk_only: on_samples / a,
        }
    }
}

fn weight(k: f64, noise: f64) -> f64 {
    let sum = k + noise;
    if sum > 0.0 { sum.powi(-2) } else { 0.0 }
}
