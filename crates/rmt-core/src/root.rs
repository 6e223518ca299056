//! Safeguarded scalar root finding.

/// A root of the increasing function `f` between `low` and `high` > 0 (f(low) ≤ 0 ≤ f(high)), to
/// rounding and in relative terms: the search runs in ln x. `f` may be ±∞.
pub fn increasing_root(low: f64, high: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    increasing_root_linear(low.ln(), high.ln(), |u| f(u.exp())).exp()
}

/// A root of a function between `low` and `high`, where it has opposite signs, to rounding relative to
/// the larger of |x| and the interval; by Chandrupatla's method (inverse quadratic interpolation where
/// it is safe, bisection elsewhere).
pub(crate) fn increasing_root_linear(low: f64, high: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    let (mut a, mut b) = (high, low);
    let (mut fa, mut fb) = (f(high), f(low));
    let floor = (high - low).abs();
    let (mut c, mut fc);
    let mut t = 0.5;
    for _ in 0..200 {
        let x = a + t * (b - a);
        let fx = f(x);
        if (fx > 0.0) == (fa > 0.0) {
            (c, fc) = (a, fa);
        } else {
            (c, b, fc, fb) = (b, a, fb, fa);
        }
        (a, fa) = (x, fx);
        let (best, value) = if fa.abs() < fb.abs() { (a, fa) } else { (b, fb) };
        let tolerance = 2.0 * f64::EPSILON * best.abs().max(floor);
        if value == 0.0 || (b - a).abs() <= tolerance {
            return best;
        }
        let xi = (a - b) / (c - b);
        let phi = (fa - fb) / (fc - fb);
        let smooth = phi * phi < xi && (1.0 - phi) * (1.0 - phi) < 1.0 - xi;
        t = if smooth && fa.is_finite() && fb.is_finite() && fc.is_finite() {
            fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        } else {
            0.5
        };
        let margin = 0.5 * tolerance / (b - a).abs();
        // Not `clamp`, which panics on the NaN that ends of infinite size make.
        t = t.max(margin).min(1.0 - margin);
    }
    if fa.abs() < fb.abs() { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_values_out_of_range_do_not_panic() {
        // A lower end that underflowed to 0, values without a change of sign, values that are NaN.
        let root = increasing_root(0.0, 1e-310, |x| x - 1e-320);
        assert!(root.is_nan() || root >= 0.0);
        let root = increasing_root(1e-292, 1.0, |_| 1e300);
        assert!(root.is_nan() || root > 0.0);
        let root = increasing_root(1.0, 2.0, |_| f64::NAN);
        assert!(root.is_nan() || root > 0.0);
        assert!((increasing_root(1.0, 9.0, |x| x * x - 4.0) - 2.0).abs() < 1e-15);
    }
}
