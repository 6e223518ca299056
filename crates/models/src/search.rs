//! Roots and minima of functions of one variable, on an interval that a grid has bracketed.

/// A root of `f` between `low` and `high`, where it has opposite signs, to rounding; by bisection
/// with inverse quadratic steps where they help (Chandrupatla).
pub(crate) fn root<E>(
    low: f64,
    high: f64,
    mut f: impl FnMut(f64) -> Result<f64, E>,
) -> Result<f64, E> {
    let (mut a, mut b) = (high, low);
    let (mut fa, mut fb) = (f(high)?, f(low)?);
    let mut t = 0.5;
    for _ in 0..200 {
        let x = a + t * (b - a);
        let fx = f(x)?;
        let (c, fc);
        if (fx > 0.0) == (fa > 0.0) {
            (c, fc) = (a, fa);
        } else {
            (c, fc) = (b, fb);
            (b, fb) = (a, fa);
        }
        (a, fa) = (x, fx);
        let best = if fa.abs() < fb.abs() { a } else { b };
        let tolerance = 2.0 * f64::EPSILON * best.abs().max((high - low).abs());
        if fa == 0.0 || (b - a).abs() <= tolerance {
            return Ok(best);
        }
        let (xi, phi) = ((a - b) / (c - b), (fa - fb) / (fc - fb));
        t = if phi * phi < xi && (1.0 - phi) * (1.0 - phi) < 1.0 - xi {
            fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        } else {
            0.5
        };
        let margin = 0.5 * tolerance / (b - a).abs();
        // Not `clamp`, which panics on NaN.
        t = t.max(margin).min(1.0 - margin);
    }
    Ok(a)
}

/// Where and how small `f` gets between `low` and `high`, by golden sections: it needs no
/// derivative and takes kinks. `f` is flat at a minimum, so the place is known to about 1e-8 of the
/// interval and the value to rounding.
pub(crate) fn minimum<E>(
    low: f64,
    high: f64,
    mut f: impl FnMut(f64) -> Result<f64, E>,
) -> Result<(f64, f64), E> {
    let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut a, mut b) = (low, high);
    let mut x = b - ratio * (b - a);
    let mut y = a + ratio * (b - a);
    let (mut fx, mut fy) = (f(x)?, f(y)?);
    while (b - a) > 1e-8 * (high - low) {
        if fx <= fy {
            (b, y, fy) = (y, x, fx);
            x = b - ratio * (b - a);
            fx = f(x)?;
        } else {
            (a, x, fx) = (x, y, fy);
            y = a + ratio * (b - a);
            fy = f(y)?;
        }
    }
    Ok(if fx <= fy { (x, fx) } else { (y, fy) })
}

/// The smallest value of `f` over `points` and between the best one's neighbours.
pub(crate) fn minimum_over<E>(
    points: &[f64],
    mut f: impl FnMut(f64) -> Result<f64, E>,
) -> Result<(f64, f64), E> {
    let mut best = (0, f64::INFINITY);
    for (i, x) in points.iter().enumerate() {
        let value = f(*x)?;
        if value < best.1 {
            best = (i, value);
        }
    }
    let low = points[best.0.saturating_sub(1)];
    let high = points[(best.0 + 1).min(points.len() - 1)];
    let (x, value) = minimum(low, high, f)?;
    Ok(if value < best.1 { (x, value) } else { (points[best.0], best.1) })
}

/// `count` equally spaced points, both ends included.
pub(crate) fn grid(from: f64, to: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| from + (to - from) * i as f64 / (count - 1) as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches a lost bracket and a wrong interpolation.
    #[test]
    fn finds_roots_and_minima() {
        let ok = |x: f64| Ok::<_, ()>(x);
        let x = root(0.0, 3.0, |x| ok(x.powi(3) - 2.0)).unwrap();
        // Tolerance of the search: 2 ε of the interval.
        assert!((x - 2.0_f64.cbrt()).abs() < 2e-15);
        let x = root(-1.0, 2.0, |x| ok(1.0 - x.exp())).unwrap();
        assert!(x.abs() < 2e-15);
        let (x, value) = minimum(-1.0, 4.0, |x| ok((x - 0.7).abs() + 1.0)).unwrap();
        assert!((x - 0.7).abs() < 1e-7 && (value - 1.0).abs() < 1e-7);
        let (x, _) = minimum_over(&grid(3.0, 10.0, 21), |x| ok(-(x - 7.3).cos())).unwrap();
        assert!((x - 7.3).abs() < 1e-7);
    }
}
