//! Contours around the spectrum of the Hessian, with geometric convergence at any horizon.
//!
//! A residual polynomial f_t is bounded on a disc (a half plane for gradient flow) and the resolvent
//! functions are analytic off a slit on the real axis. The region between is mapped conformally to an
//! annulus: with q = √\[(a−L)(R−b)/((b−L)(R−a))\] for the slit \[a, b\] in the disc of real diameter (L, R),
//!
//! λ = (L + Rμr)/(1 + μr), μ = (a−L)/((R−a)q), r(y) = ϑ₃(y)/ϑ₄(y), nome e^(−πs), s = K(q²)/K(√(1−q⁴)),
//!
//! takes real y to the slit and Im y = −πs/2 to the circle: ϑ₃/ϑ₄ runs from 1/q to q while y goes from 0
//! to π/2. The trapezoidal rule on the middle circle Im y = −πs/4 with N nodes in the upper half plane
//! has an error of order e^(−πsN). Through Jacobi's imaginary transformation both theta functions are
//! sums of a few Gaussians, so that slits which nearly touch the circle lose no digit.

use num_complex::Complex64;
use std::f64::consts::PI;

/// Nodes in the upper half plane; ∮g dλ/2πi = (1/π) Im Σ g(λ_j) w_j for g(λ̄) = conj g(λ).
#[derive(Clone, Debug)]
pub(crate) struct Contour {
    /// The nodes, from the right crossing of the real axis to the left one.
    pub(crate) points: Vec<Complex64>,
    /// dλ/dφ times the angle between nodes.
    pub(crate) weights: Vec<Complex64>,
    /// Whether λ = 0 lies inside.
    pub(crate) encloses_zero: bool,
}

/// A value of an integral with the error of its quadrature.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

impl std::ops::Add for Estimate {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let rounding = f64::EPSILON * (self.value.abs() + other.value.abs());
        Self { value: self.value + other.value, error: self.error + other.error + rounding }
    }
}

/// Rounding of one term of a contour sum. An effective ridge is known to a few ulps, which the resolvents
/// amplify by factors like 1/(1 − γ).
const ROUNDING: f64 = 64.0 * f64::EPSILON;

impl Estimate {
    pub(crate) fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    /// From the terms g_j w_j. Every second node of the full circle is a rule of half the order, and its
    /// imaginary part is exactly what it aliases: e_half ≈ C ρ^(N/2) gives e ≈ C ρ^N = e_half²/C.
    pub(crate) fn from_terms(terms: impl Iterator<Item = Complex64>) -> Self {
        let (mut value, mut alias, mut size, mut sign) = (0.0, 0.0, 0.0, 1.0);
        for term in terms {
            value += term.im;
            alias += sign * term.re;
            size += term.norm();
            sign = -sign;
        }
        let (value, alias, size) = (value / PI, alias / PI, size / PI);
        Self { value, error: error_of(alias, size) }
    }
}

/// The error that belongs to half-order aliasing and a total size of terms.
pub(crate) fn error_of(alias: f64, size: f64) -> f64 {
    if size == 0.0 { 0.0 } else { alias * alias / size + ROUNDING * size }
}

/// The region where a residual polynomial stays bounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Region {
    /// The disc with this real diameter.
    Disc(f64, f64),
    /// Re λ ≥ the given number.
    HalfPlane(f64),
}

/// e^(−πsN) is below rounding for N = DIGITS/(πs): 18 decimal digits.
const DIGITS: f64 = 42.0;

/// Beyond this the two-point table would not fit; reached by momenta above 0.98 only, where the reported
/// error grows instead.
const MOST_NODES: usize = 2048;

impl Contour {
    /// The middle of the region around the slit \[a, b\], with the number of nodes that makes the
    /// quadrature exact to rounding, times `refinement`.
    pub(crate) fn around(slit: (f64, f64), region: Region, refinement: f64) -> Self {
        let (a, b) = slit;
        let q = match region {
            Region::Disc(left, right) => {
                ((a - left) / (b - left) * ((right - b) / (right - a))).sqrt()
            }
            Region::HalfPlane(left) => ((a - left) / (b - left)).sqrt(),
        };
        let s = nome_rate(q * q);
        let nodes = node_count(s, refinement);
        let step = PI / nodes as f64;
        let (mut points, mut weights) = (Vec::new(), Vec::new());
        for j in 0..nodes {
            let y = Complex64::new(0.5 * (j as f64 + 0.5) * step, -0.25 * PI * s);
            let (log_r, slope) = log_quotient(y, s);
            let r = log_r.exp();
            // y = φ/2 + const.
            let slope = r * slope * 0.5;
            let (point, derivative) = match region {
                Region::Disc(left, right) => {
                    let mu = (a - left) / ((right - a) * q);
                    let inverse = (r * mu + 1.0).inv();
                    let along = inverse * (mu * (right - left));
                    (along * r + left, along * inverse * slope)
                }
                Region::HalfPlane(left) => {
                    let scale = (a - left) / q;
                    (r * scale + left, slope * scale)
                }
            };
            points.push(point);
            weights.push(derivative * step);
        }
        let left = match region {
            Region::Disc(left, _) | Region::HalfPlane(left) => left,
        };
        Self { points, weights, encloses_zero: left < 0.0 || a <= 0.0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.points.len()
    }
}

/// Nodes for an error e^(−πsN) below rounding.
pub(super) fn node_count(s: f64, refinement: f64) -> usize {
    ((refinement * DIGITS / (PI * s)).ceil() as usize).clamp(8, MOST_NODES)
}

/// s = K(k)/K(√(1−k²)) with complete elliptic integrals of the modulus k = q², by
/// arithmetic-geometric means.
pub(super) fn nome_rate(k: f64) -> f64 {
    // K(k) = π/(2 agm(1, k')): numerator has k' = √(1−q⁴), denominator k' = q².
    let complement = ((1.0 - k) * (1.0 + k)).max(0.0).sqrt();
    agm(1.0, k) / agm(1.0, complement)
}

fn agm(mut a: f64, mut b: f64) -> f64 {
    for _ in 0..60 {
        (a, b) = (0.5 * (a + b), (a * b).sqrt());
        if (a - b).abs() <= 4.0 * f64::EPSILON * a {
            break;
        }
    }
    a
}

/// ln ϑ₃(y)/ϑ₄(y) with nome e^(−πs), and its derivative, for −πs/2 ≤ Im y ≤ 0 and 0 ≤ Re y ≤ π/2.
pub(super) fn log_quotient(y: Complex64, s: f64) -> (Complex64, Complex64) {
    let zero = Complex64::from(0.0);
    let (mut upper, mut upper_slope, mut lower, mut lower_slope) = (zero, zero, zero, zero);
    if s <= 1.0 {
        // ϑ₃ = s^(−1/2) Σ exp(−(y − nπ)²/πs), ϑ₄ the same at half-integers; both divided by their
        // largest terms, whose quotient is exp((π/4 − y)/s).
        for n in -5..=5 {
            let n = f64::from(n);
            let (near, far) = (n * PI, (n + 1.0) * PI);
            let value = ((y * 2.0 - near) * (n / s)).exp();
            (upper, upper_slope) = (upper + value, upper_slope + value * (2.0 * n / s));
            let value = ((y * 2.0 - far) * (n / s)).exp();
            (lower, lower_slope) = (lower + value, lower_slope + value * (2.0 * n / s));
        }
        let value = (Complex64::from(0.25 * PI) - y) / s + upper.ln() - lower.ln();
        return (value, upper_slope / upper - lower_slope / lower - 1.0 / s);
    }
    // Σ p^(n²) e^(2iny), with alternating signs for ϑ₄.
    for n in -5_i32..=5 {
        let rotation = Complex64::new(0.0, 2.0 * f64::from(n));
        let value = (rotation * y - PI * s * f64::from(n * n)).exp();
        let slope = rotation * value;
        let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
        (upper, upper_slope) = (upper + value, upper_slope + slope);
        (lower, lower_slope) = (lower + value * sign, lower_slope + slope * sign);
    }
    (upper.ln() - lower.ln(), upper_slope / upper - lower_slope / lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ∮ 1/(λ − h) = 1 for h on the slit, and moments, from comfortable to nearly touching regions: a
    /// wrong map or derivative shows at order one.
    #[test]
    fn cauchy_integrals() {
        for (slit, region) in [
            ((0.0, 1.3), Region::Disc(-0.01, 2.0)),
            ((0.0, 1.3), Region::Disc(-1e-12, 1.3001)),
            ((0.0, 1.3), Region::HalfPlane(-1e-10)),
            ((0.2, 1.3), Region::Disc(0.0, 1.5)),
            ((0.999, 1.001), Region::Disc(-1.0, 3.0)),
            ((0.0, 1e-3), Region::HalfPlane(-2.0)),
        ] {
            let contour = Contour::around(slit, region, 1.0);
            assert!(contour.len() < 400);
            for fraction in [0.0, 1e-9, 0.3, 1.0] {
                let h = slit.0 + fraction * (slit.1 - slit.0);
                for power in 0..3 {
                    let sum = Estimate::from_terms(
                        contour
                            .points
                            .iter()
                            .zip(&contour.weights)
                            .map(|(l, w)| w * l.powi(power) / (l - h)),
                    );
                    // Unbounded integrands of the half plane are integrated as they come.
                    if matches!(region, Region::HalfPlane(_)) && power > 0 {
                        continue;
                    }
                    let exact = h.powi(power);
                    let gap = (sum.value - exact).abs();
                    assert!(
                        gap < 3e-12 * slit.1.powi(power),
                        "{slit:?} {region:?} {h} {power} {gap:e}"
                    );
                    // At the very end of a slit λ − h cancels by up to 1e4: 1/(λ − h) itself is rounded.
                    let bound = if fraction < 1.0 { sum.error } else { 3e-12 };
                    assert!(gap <= bound.max(1e-14), "{gap:e} above {bound:e}");
                }
            }
        }
    }
}
