//! Holling's type III functional response π(c, s) = s²/(1 + c s²): quadratic for rare prey, half
//! saturated at s = 1/√c, ceiling 1/c (Holling 1959).
//!
//! Large prey densities occur on runaway orbits, so above s = 1 everything is written in 1/s.

/// π(c, s).
#[inline]
pub(crate) fn response(c: f64, s: f64) -> f64 {
    if s <= 1.0 { s * s / (1.0 + c * s * s) } else { 1.0 / (1.0 / (s * s) + c) }
}

/// π(c, s)/s, the response per prey.
#[inline]
pub(crate) fn response_per_prey(c: f64, s: f64) -> f64 {
    if s <= 1.0 { s / (1.0 + c * s * s) } else { 1.0 / (1.0 / s + c * s) }
}

/// ∂π/∂s = 2s/(1 + c s²)².
#[inline]
pub(crate) fn slope(c: f64, s: f64) -> f64 {
    if s <= 1.0 {
        let q = 1.0 + c * s * s;
        2.0 * s / (q * q)
    } else {
        let q = 1.0 / (s * s) + c;
        2.0 / (s * s * s * q * q)
    }
}

/// ∂(π/s)/∂s = (1 − c s²)/(1 + c s²)².
#[inline]
pub(crate) fn slope_per_prey(c: f64, s: f64) -> f64 {
    if s <= 1.0 {
        let q = 1.0 + c * s * s;
        (1.0 - c * s * s) / (q * q)
    } else {
        let q = 1.0 / (s * s) + c;
        (1.0 / (s * s) - c) / (s * s * q * q)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_dual::Dual64;

    /// Both branches, their seam and the far field against dual numbers of the plain formula.
    #[test]
    fn derivatives_match_dual_numbers() {
        for c in [0.0, 0.3, 7.0] {
            for s in [0.0, 1e-3, 0.4, 1.0, 1.0 + 1e-12, 2.5, 80.0, 1e6] {
                let d = Dual64::from_re(s).derivative();
                let pi = d * d / (d * d * c + 1.0);
                let per = d / (d * d * c + 1.0);
                for (ours, theirs) in [
                    (response(c, s), pi.re),
                    (slope(c, s), pi.eps),
                    (response_per_prey(c, s), per.re),
                    (slope_per_prey(c, s), per.eps),
                ] {
                    // Quotient rules subtract nearly equal parts: compare on the scale of a part.
                    let scale = theirs.abs() + (1.0 + 2.0 * s) / (1.0 + c * s * s);
                    assert!((ours - theirs).abs() <= 1e-14 * scale, "c={c} s={s}: {ours} {theirs}");
                }
            }
        }
    }

    /// The plain quotient is inf/inf here.
    #[test]
    fn saturates_without_overflow() {
        assert_eq!(response(0.5, 1e200), 2.0);
        assert_eq!(slope(0.5, 1e200), 0.0);
        assert_eq!(slope_per_prey(0.5, 1e200), 0.0);
        assert!(response_per_prey(0.5, 1e200) < 1e-199);
    }
}
