//! Activation functions and their Hermite coefficients.
//!
//! With z ~ N(0,1) and pre-activations of variance v:
//! μ₀ = E φ(√v z), μ₁ = E z φ(√v z), μ*² = E φ² − μ₀² − μ₁².
//! A layer of φ acts on high-dimensional inputs like μ₁ times its linear part plus independent
//! noise of variance μ*² (Gaussian equivalence; Goldt et al., arXiv:2006.14709; Mei and Montanari,
//! arXiv:1908.05355).
//!
//! Closed forms are used where they exist and do not cancel; everything else is a composite
//! Gauss–Legendre rule whose panels shrink towards the kink or the poles at zero, and μ*² is the
//! integral of (φ − μ₀ − μ₁z)², never a difference.

mod input;
mod quadrature;
mod task;

pub(crate) use task::{GAUSSIAN_EQUIVALENCE, one};
pub use task::{Hermite, HermiteInputs};

use crate::{Error, Result};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// A scalar nonlinearity φ.
#[derive(Clone, Debug, PartialEq)]
pub enum ActivationFunction {
    /// φ(x) = x.
    Linear,
    /// max(x, 0).
    Relu,
    /// max(x, 0) + slope · min(x, 0).
    LeakyRelu {
        /// Slope on the negative side.
        slope: f64,
    },
    /// erf(x).
    Erf,
    /// tanh(x).
    Tanh,
    /// x Φ(x) with the normal distribution function Φ.
    Gelu,
    /// 1/(1 + e^−x).
    Sigmoid,
    /// x/(1 + e^−x).
    Silu,
    /// ln(1 + e^x).
    Softplus,
    /// x for x > 0, e^x − 1 below.
    Elu,
    /// The scaled ELU of self-normalising networks.
    Selu,
    /// sin(x).
    Sin,
    /// |x|.
    Abs,
    /// −1, 0 or 1.
    Sign,
    /// 1 for x > 0, else 0.
    Step,
    /// Known only by its coefficients, at whatever pre-activation variance they belong to.
    Coefficients(HermiteCoefficients),
    /// Values at increasing arguments, interpolated by cubics and continued linearly.
    Samples {
        /// Arguments, strictly increasing.
        arguments: Vec<f64>,
        /// φ at each of them.
        values: Vec<f64>,
    },
}

/// Mean, linear part and remaining variance of an activation under a Gaussian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HermiteCoefficients {
    /// μ₀ = E φ.
    pub mean: f64,
    /// μ₁ = E z φ.
    pub linear: f64,
    /// μ*² = E φ² − μ₀² − μ₁² ≥ 0.
    pub nonlinear_variance: f64,
}

/// Scale and saturation of the SELU (Klambauer et al., arXiv:1706.02515).
const SELU: (f64, f64) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);

/// A closed form of μ*² is a difference; below this share of E φ² it is integrated instead.
const CANCELLATION: f64 = 0.01;

impl ActivationFunction {
    /// φ(x). For an activation known by its coefficients, a polynomial with the same ones:
    /// μ₀ + μ₁x + μ* (x³ − 3x)/√6.
    pub fn value(&self, x: f64) -> f64 {
        match self {
            Self::Linear => x,
            Self::Relu => x.max(0.0),
            Self::LeakyRelu { slope } => x.max(0.0) + slope * x.min(0.0),
            Self::Erf => libm::erf(x),
            Self::Tanh => x.tanh(),
            Self::Gelu => 0.5 * x * libm::erfc(-x * FRAC_1_SQRT_2),
            Self::Sigmoid => sigmoid(x),
            Self::Silu => x * sigmoid(x),
            Self::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Self::Elu => {
                if x > 0.0 {
                    x
                } else {
                    x.exp_m1()
                }
            }
            Self::Selu => {
                let (scale, alpha) = SELU;
                scale * if x > 0.0 { x } else { alpha * x.exp_m1() }
            }
            Self::Sin => x.sin(),
            Self::Abs => x.abs(),
            Self::Sign => {
                if x == 0.0 {
                    0.0
                } else {
                    x.signum()
                }
            }
            Self::Step => f64::from(u8::from(x > 0.0)),
            Self::Coefficients(c) => {
                let cubic = (x * x - 3.0) * x / 6.0_f64.sqrt();
                c.mean + c.linear * x + c.nonlinear_variance.sqrt() * cubic
            }
            Self::Samples { arguments, values } => quadrature::interpolate(arguments, values, x),
        }
    }

    /// The Hermite coefficients at pre-activation variance v > 0, to about 1e-14 of √E φ².
    ///
    /// # Errors
    /// v out of range; samples that do not cover four standard deviations on both sides.
    pub fn hermite(&self, variance: f64) -> Result<HermiteCoefficients> {
        if !(variance > 0.0 && variance <= 1e12) {
            return Err(Error::OutOfRange {
                key: "preactivation_variance",
                value: variance,
                remedy: "must lie in (0, 1e12]",
            });
        }
        if let Self::Samples { arguments, .. } = self {
            let reach = 4.0 * variance.sqrt();
            for end in [-arguments[0], arguments[arguments.len() - 1]] {
                if end < reach {
                    return Err(Error::OutOfRange {
                        key: "activations",
                        value: end,
                        remedy: "samples of an activation must reach at least four standard \
                                 deviations of the pre-activation on both sides",
                    });
                }
            }
        }
        if let Some(closed) = self.closed_form(variance) {
            let size = closed.mean * closed.mean + closed.linear * closed.linear;
            let exact = matches!(
                self,
                Self::Linear | Self::Relu | Self::LeakyRelu { .. } | Self::Coefficients(_)
            );
            if exact || closed.nonlinear_variance > CANCELLATION * size {
                return Ok(closed);
            }
        }
        Ok(self.integrate(variance))
    }

    /// Closed forms, where they are known. μ*² may lose digits to cancellation.
    pub(crate) fn closed_form(&self, v: f64) -> Option<HermiteCoefficients> {
        let root = v.sqrt();
        let of = |mean: f64, linear: f64, square: f64| HermiteCoefficients {
            mean,
            linear,
            nonlinear_variance: (square - mean * mean - linear * linear).max(0.0),
        };
        let rectified = |slope: f64| HermiteCoefficients {
            mean: (1.0 - slope) * root / (2.0 * PI).sqrt(),
            linear: 0.5 * (1.0 + slope) * root,
            nonlinear_variance: (1.0 - slope) * (1.0 - slope) * v * (0.25 - 0.5 / PI),
        };
        Some(match self {
            Self::Linear => rectified(1.0),
            Self::Relu => rectified(0.0),
            Self::LeakyRelu { slope } => rectified(*slope),
            Self::Abs => rectified(-1.0),
            Self::Erf => of(
                0.0,
                2.0 * root / (PI * (1.0 + 2.0 * v)).sqrt(),
                2.0 / PI * (2.0 * v / (1.0 + 2.0 * v)).asin(),
            ),
            Self::Gelu => {
                // Stein's lemma twice on z²Φ(√v z)².
                let square = v
                    * (0.25
                        + (v / (1.0 + v)).asin() / (2.0 * PI)
                        + v / ((1.0 + v) * PI * (1.0 + 2.0 * v).sqrt()));
                of(v / (2.0 * PI * (1.0 + v)).sqrt(), 0.5 * root, square)
            }
            Self::Sin => of(0.0, root * (-0.5 * v).exp(), -0.5 * (-2.0 * v).exp_m1()),
            Self::Sign => of(0.0, (2.0 / PI).sqrt(), 1.0),
            Self::Step => of(0.5, 1.0 / (2.0 * PI).sqrt(), 0.5),
            Self::Coefficients(c) => *c,
            _ => return None,
        })
    }

    /// Everything by quadrature.
    pub(crate) fn integrate(&self, v: f64) -> HermiteCoefficients {
        let root = v.sqrt();
        let rule = match self {
            Self::Samples { arguments, .. } => {
                quadrature::panels(arguments.iter().map(|x| x / root))
            }
            _ => quadrature::graded(root),
        };
        let points: Vec<(f64, f64, f64)> =
            rule.into_iter().map(|(z, w)| (z, w, self.value(root * z))).collect();
        let mean: f64 = points.iter().map(|(_, w, f)| w * f).sum();
        let linear: f64 = points.iter().map(|(z, w, f)| w * z * f).sum();
        let nonlinear_variance =
            points.iter().map(|(z, w, f)| w * (f - mean - linear * z).powi(2)).sum();
        HermiteCoefficients { mean, linear, nonlinear_variance }
    }
}

fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

#[cfg(test)]
mod tests;
