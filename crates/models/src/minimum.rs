//! Minima of functions of one variable.

use crate::Result;

/// The cell of a uniform grid of `points` ≥ 3 points around its smallest value.
pub(crate) fn grid_minimum(
    low: f64,
    high: f64,
    points: usize,
    f: impl Fn(f64) -> Result<f64>,
) -> Result<(f64, f64)> {
    let at = |i: usize| low + (high - low) * i as f64 / (points - 1) as f64;
    let (mut best, mut least) = (0, f64::INFINITY);
    for i in 0..points {
        let value = f(at(i))?;
        if value < least {
            (best, least) = (i, value);
        }
    }
    Ok((at(best.saturating_sub(1)), at((best + 1).min(points - 1))))
}

/// The minimum of a function with one minimum in [a, b] by golden-section search, then the vertex of
/// the parabola through three points around it: search alone stalls at √ε, the vertex is off by
/// h²f‴/6f″ ~ 1e-7 at h = 1e-3.
pub(crate) fn golden_section(a: f64, b: f64, f: impl Fn(f64) -> Result<f64>) -> Result<f64> {
    const SHARE: f64 = 0.381_966_011_250_105_15;
    let (start, end) = (a, b);
    let (mut a, mut b) = (a, b);
    let (mut x, mut y) = (a + SHARE * (b - a), b - SHARE * (b - a));
    let (mut fx, mut fy) = (f(x)?, f(y)?);
    while (b - a) > 1e-5 * (1.0 + a.abs()) {
        if fx < fy {
            (b, y, fy) = (y, x, fx);
            x = a + SHARE * (b - a);
            fx = f(x)?;
        } else {
            (a, x, fx) = (x, y, fy);
            y = b - SHARE * (b - a);
            fy = f(y)?;
        }
    }
    let centre = 0.5 * (a + b);
    let half = 1e-3_f64.min(centre - start).min(end - centre);
    if half < 1e-5 {
        return Ok(centre);
    }
    let (left, middle, right) = (f(centre - half)?, f(centre)?, f(centre + half)?);
    let curvature = left - 2.0 * middle + right;
    let vertex = centre - 0.5 * half * (right - left) / curvature;
    let better = curvature > 0.0 && (vertex - centre).abs() < half && f(vertex)? <= middle;
    Ok(if better { vertex } else { centre })
}
