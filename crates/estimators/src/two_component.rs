//! Signal and noise apart, when the noise is correlated otherwise than the samples.
//!
//! With wᵢ = (kᵢ + κ̃)uᵢᵀr/κ̃ in the eigenbasis of K, E wᵢ² ≃ E_g kᵢ + σ²k′ᵢ: a weighted least-squares
//! fit, weights (kᵢ + k′ᵢ)⁻², gives the risk E_g and the noise variance σ².

use crate::Result;
use crate::complement::{Inverse, products};
use crate::shrinkage::Correlated;
use faer::{MatRef, Scale};
use rmt_models::kernel::{JointBasis, Kernel, Levels};

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

    /// From Σ wk·z and Σ wk′·z, z the squares (kᵢ + κ̃)²(uᵢᵀr)²/κ̃².
    fn solve([a, b, c]: [f64; 3], on_samples: f64, on_noise: f64) -> Self {
        let determinant = a * c - b * b;
        Self {
            risk: (c * on_samples - b * on_noise) / determinant,
            noise_variance: (a * on_noise - b * on_samples) / determinant,
            noise_only: on_noise / c,
            risk_only: on_samples / a,
        }
    }
}

/// What the fit needs of K and K′.
pub(crate) struct TwoComponents<'a> {
    law: Law<'a>,
    /// Weighted sums of k², kk′, k′².
    normal: [f64; 3],
}

enum Law<'a> {
    /// K′ = I shares every basis with K, and the sums are forms in the resolvent at shift 1:
    /// Σ k(k + κ̃)²(uᵀr)²/(k + 1)² = wᵀKw with w = (K + κ̃)(K + 1)⁻¹r.
    White { kernel: &'a Kernel, inverse: Inverse<'a> },
    /// The eigenbasis of K.
    Basis(JointBasis),
}

impl Law<'_> {
    /// With the normal equations.
    fn of(basis: JointBasis) -> (Self, [f64; 3]) {
        let mut sums = [0.0; 3];
        for (k, noise) in basis.values.iter().zip(&basis.noise_diagonal) {
            let weight = weight(*k, *noise);
            sums[0] += weight * k * k;
            sums[1] += weight * k * noise;
            sums[2] += weight * noise * noise;
        }
        (Self::Basis(basis), sums)
    }
}

impl<'a> TwoComponents<'a> {
    /// `None` if K′ ∝ K, which determines only the sum of the components.
    pub(crate) fn new(
        kernel: &'a Kernel,
        levels: &Levels,
        noise: &Kernel,
        mean: bool,
    ) -> Result<Option<Self>> {
        let white = if noise.is_identity() { Inverse::new(kernel, 1.0, mean)? } else { None };
        let (law, normal) = match white {
            Some(inverse) => {
                let once = levels.resolvent(1.0);
                let rest = levels.complement(1.0) + levels.nullity() - once;
                (Law::White { kernel, inverse }, [levels.df1(1.0) - once, once, rest])
            }
            None => Law::of(kernel.joint_basis(noise, mean)?),
        };
        let [a, b, c] = normal;
        Ok((a * c - b * b > 1e-10 * a * c).then_some(Self { law, normal }))
    }

    /// From each column of residuals, in the unit of the ridge.
    pub(crate) fn fit(
        &self,
        columns: MatRef<'_, f64>,
        at: Correlated,
    ) -> Result<Vec<TwoComponent>> {
        let scale = at.kappa_tilde_units.powi(-2);
        let sums: Vec<(f64, f64)> = match &self.law {
            Law::White { kernel, inverse } => {
                // (K + κ̃)(K + 1)⁻¹ = 1 + (κ̃ − 1)(K + 1)⁻¹.
                let w = columns + inverse.of(columns)? * Scale(at.kappa_tilde - 1.0);
                let on_samples = products(w.as_ref(), kernel.apply_all(w.as_ref())?.as_ref());
                on_samples.into_iter().zip(products(w.as_ref(), w.as_ref())).collect()
            }
            Law::Basis(basis) => {
                let projections = basis.vectors.transpose() * columns;
                let sum = |j: usize| {
                    let (mut on_samples, mut on_noise) = (0.0, 0.0);
                    let levels = basis.values.iter().zip(&basis.noise_diagonal);
                    for ((k, noise), r) in levels.zip(projections.col_as_slice(j)) {
                        let square = ((k + at.kappa_tilde) * r).powi(2);
                        let weight = weight(*k, *noise);
                        on_samples += weight * k * square;
                        on_noise += weight * noise * square;
                    }
                    (on_samples, on_noise)
                };
                (0..columns.ncols()).map(sum).collect()
            }
        };
        let solve = |(k, noise)| TwoComponent::solve(self.normal, scale * k, scale * noise);
        Ok(sums.into_iter().map(solve).collect())
    }
}

fn weight(k: f64, noise: f64) -> f64 {
    let sum = k + noise;
    if sum > 0.0 { sum.powi(-2) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::Mat;
    use rmt_models::kernel::{Family, SampleCorrelation};

    /// White noise without a basis against the eigenbasis of K, for fast and dense families.
    #[test]
    fn forms_in_the_resolvent_equal_sums_over_the_basis() {
        let n = 17;
        let identity = SampleCorrelation::from(Family::Identity).kernel(n).unwrap();
        let residuals = Mat::from_fn(n, 2, |i, j| ((3 * i + 5 * j * i + 1) as f64).sin());
        for family in [Family::Exponential { length: 3.0 }, Family::PowerLaw { exponent: 0.6 }] {
            let kernel = SampleCorrelation::from(family).kernel(n).unwrap();
            for mean in [false, true] {
                let levels =
                    if mean { kernel.centred_levels().unwrap() } else { kernel.levels().clone() };
                let white = TwoComponents::new(&kernel, &levels, &identity, mean).unwrap().unwrap();
                assert!(matches!(white.law, Law::White { .. }));
                let (law, normal) = Law::of(kernel.joint_basis(&identity, mean).unwrap());
                let basis = TwoComponents { law, normal };
                // Residuals without their mean where one was fitted.
                let r = Mat::from_fn(n, 2, |i, j| {
                    let shift = residuals.col(j).sum() / n as f64;
                    residuals[(i, j)] - if mean { shift } else { 0.0 }
                });
                for kappa_tilde in [0.0, 0.4, 30.0] {
                    let at = Correlated {
                        kappa: 1.0,
                        kappa_tilde,
                        kappa_tilde_units: 0.7,
                        resolvent: 1.0,
                        phi: 1.0,
                        gcv2: 1.0,
                        mean_factor: 1.0,
                    };
                    let (a, b) =
                        (white.fit(r.as_ref(), at).unwrap(), basis.fit(r.as_ref(), at).unwrap());
                    for (a, b) in a.iter().zip(&b) {
                        let pairs = [
                            (a.risk, b.risk),
                            (a.noise_variance, b.noise_variance),
                            (a.noise_only, b.noise_only),
                            (a.risk_only, b.risk_only),
                        ];
                        for (a, b) in pairs {
                            assert!((a - b).abs() < 1e-11 * b.abs(), "{a} against {b}");
                        }
                    }
                }
            }
        }
    }
}
