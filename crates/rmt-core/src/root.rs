//! Safeguarded scalar root finding.

/// A root of the increasing function `f` of ln x between `low` and `high` (both > 0, f(low) ≤ 0 ≤
/// f(high)), to rounding, by Chandrupatla's method (inverse quadratic interpolation where it is
/// safe, bisection elsewhere). `f` may be −∞.
pub fn increasing_root(low: f64, high: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    let (mut a, mut b) = (high.ln(), low.ln());
    let (mut fa, mut fb) = (f(high), f(low));
    let (mut c, mut fc);
    let mut t = 0.5;
    for _ in 0..200 {
        let x = a + t * (b - a);
        let fx = f(x.exp());
        if (fx > 0.0) == (fa > 0.0) {
            (c, fc) = (a, fa);
        } else {
            (c, b, fc, fb) = (b, a, fb, fa);
        }
        (a, fa) = (x, fx);
        let (best, value) = if fa.abs() < fb.abs() { (a, fa) } else { (b, fb) };
        let tolerance = 2.0 * f64::EPSILON * best.abs().max(1.0);
        if value == 0.0 || (b - a).abs() <= tolerance {
            return best.exp();
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
        t = t.clamp(margin, 1.0 - margin);
    }
    if fa.abs() < fb.abs() { a.exp() } else { b.exp() }
}
