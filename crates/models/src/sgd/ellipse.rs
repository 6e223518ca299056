//! The contour of heavy ball: the conformal middle of an ellipse with a slit.
//!
//! With x = ηλ = 1 + β − (r + β/r) the residual polynomials are bounded for |r| ≤ ρ, which is an
//! ellipse with foci (1 ± √β)², thin for β near 1. Its upper half is the rectangle 0 < σ < σ_b,
//! 0 < θ < π of r = √β e^(σ+iθ); (ϑ₃/ϑ₄)² of nome e^(−σ_b) maps the rectangle to a half plane with two
//! corners at 0 and ∞, the slit becomes an interval there, and (ϑ₃/ϑ₄)² of a second nome e^(−πs)
//! parametrises the region between as in the disc. N nodes leave an error e^(−πsN) where equidistant
//! nodes on |r| = 1 + 3/T need several times T of them.

use super::contour::{Contour, log_quotient, node_count, nome_rate};
use num_complex::Complex64;
use std::f64::consts::PI;

/// Where x lies in the strip, (θ, σ), for real x.
fn strip(x: f64, beta: f64) -> (f64, f64) {
    let cosh = (1.0 + beta - x) / (2.0 * beta.sqrt());
    if cosh > 1.0 {
        (0.0, cosh.acosh())
    } else if cosh < -1.0 {
        (PI, (-cosh).acosh())
    } else {
        (cosh.acos(), 0.0)
    }
}

/// y with ln ϑ₃/ϑ₄(y) = target.
fn inverse(target: Complex64, s: f64) -> Complex64 {
    let mut y = if s <= 1.0 {
        // One Gaussian each side: e^target = e^(π/4s)/(2 cosh(y/s)), mirrored at the other end.
        let end = |t: Complex64| {
            let exponent = Complex64::from(0.25 * PI / s) - t;
            if exponent.re > 40.0 { exponent * s } else { (exponent.exp() * 0.5).acosh() * s }
        };
        if target.re >= 0.0 {
            let y = end(target);
            if y.im > 0.0 { y.conj() } else { y }
        } else {
            let y = end(-target);
            Complex64::from(0.5 * PI) - if y.im < 0.0 { y.conj() } else { y }
        }
    } else {
        // ϑ₃/ϑ₄ ≈ (1 + 2p cos 2y)/(1 − 2p cos 2y).
        ((target * 0.5).tanh() * (0.5 * (PI * s).exp())).acos() * 0.5
    };
    for _ in 0..40 {
        let (value, slope) = log_quotient(y, s);
        let step = (value - target) / slope;
        y -= step;
        if step.norm() <= 4.0 * f64::EPSILON {
            break;
        }
    }
    y
}

/// Below this momentum the ellipse is a disc to all digits, and its foci need not be told apart.
const ROUND: f64 = 1e-10;

/// Contour around `slit` inside the ellipse that crosses the real axis at `left`, all in λ.
pub(super) fn contour(
    slit: (f64, f64),
    left: f64,
    rate: f64,
    momentum: f64,
    refinement: f64,
) -> Contour {
    let beta = momentum.max(ROUND);
    let at = |lambda: f64| strip(rate * lambda, beta);
    let (high, low) = (at(slit.1), at(slit.0));
    // The ellipse crosses at `left`; where the slit is made of focal points alone there is no such
    // crossing, and it leaves half the distance to |r| = 1.
    let half = -0.5 * beta.ln();
    let inner = high.1.max(low.1);
    let outer = if at(left).0 == 0.0 { at(left).1 } else { 0.0 };
    let outer = if outer > inner * (1.0 + 1e-9) { outer } else { inner + 0.5 * half };
    let width = outer / PI;
    let position = |(theta, sigma): (f64, f64)| {
        2.0 * log_quotient(Complex64::new(theta, -sigma) * 0.5, width).0.re
    };
    let ends = (position(low), position(high));
    let centre = 0.5 * (ends.0 + ends.1);
    let s = nome_rate((0.5 * (ends.1 - ends.0)).exp().min(1.0 - 1e-12));
    let nodes = node_count(s, refinement);
    let step = PI / nodes as f64;
    let (mut points, mut weights) = (Vec::with_capacity(nodes), Vec::with_capacity(nodes));
    for j in 0..nodes {
        let y = Complex64::new(0.5 * (j as f64 + 0.5) * step, -0.25 * PI * s);
        let (value, slope) = log_quotient(y, s);
        let inside = inverse(value + 0.5 * centre, width);
        let along = slope / log_quotient(inside, width).1 * 0.5;
        let w = Complex64::new(0.0, 2.0) * inside;
        // x = (1 − r)(1 − β/r), with 1 − r = −expm1(ln r).
        let log_r = w - half;
        let x = -super::method::expm1(log_r) * (Complex64::from(1.0) - (-log_r).exp() * beta);
        let derivative = w.sinh() * Complex64::new(0.0, -4.0 * beta.sqrt()) * along;
        // This runs through the lower half plane, counter-clockwise; its mirror image is as good.
        points.push(x.conj() / rate);
        weights.push(-derivative.conj() * (step / rate));
    }
    Contour { points, weights, encloses_zero: left < 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::contour::Estimate;
    use super::*;

    /// Cauchy integrals over thin and fat ellipses, with the slit short of a focus, up to it and beyond.
    #[test]
    fn cauchy_integrals() {
        for (beta, rate, slit, left) in [
            (0.9, 0.5, (0.0, 2.0), -1e-5),
            (0.9, 0.5, (0.0, 5.0), -1e-5),
            (0.5, 1.0, (0.0, 2.98), -1e-4),
            (0.3, 1.0, (0.2, 2.0), 0.15),
            (0.9, 0.5, (0.3, 2.0), 0.25),
            (1e-6, 1.0, (0.0, 1.5), -1e-3),
            (1e-3, 1.0, (0.0, 1.5), -1e-3),
            (0.97, 0.1, (0.0, 3.0), -1e-4),
        ] {
            let contour = contour(slit, left, rate, beta, 1.0);
            for fraction in [0.0, 1e-9, 0.3, 1.0] {
                let h = slit.0 + fraction * (slit.1 - slit.0);
                let sum = Estimate::from_terms(
                    contour.points.iter().zip(&contour.weights).map(|(l, w)| w / (l - h)),
                );
                let gap = (sum.value - 1.0).abs();
                assert!(gap < 2e-12, "β = {beta}, slit {slit:?}, h = {h}: {gap:e}");
            }
        }
    }
}
