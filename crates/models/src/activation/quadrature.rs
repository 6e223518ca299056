//! Gaussian expectations of functions that are smooth except at zero, or between given points.

use std::f64::consts::PI;

/// Gauss–Legendre points of a panel.
const POINTS: usize = 16;

/// The Gaussian weight beyond this many standard deviations is below 1e-43.
const END: f64 = 14.0;

/// Longest panel; the Gaussian is resolved to rounding on it.
const LONGEST: f64 = 0.5;

/// Points z and weights for E f(z), for f that varies on the scale 1/`rate` around zero (and may
/// have a kink there) and on longer and longer scales away from it.
pub(super) fn graded(rate: f64) -> Vec<(f64, f64)> {
    let mut edges = vec![0.0];
    let (mut end, mut width) = (0.0_f64, LONGEST / rate.max(1.0));
    while end < END {
        end = (end + width).min(END);
        edges.push(end);
        width = (0.4 * end).clamp(width, LONGEST);
    }
    let mirrored: Vec<f64> = edges.iter().skip(1).rev().map(|x| -x).collect();
    between(&[mirrored, edges].concat())
}

/// Points and weights for f that is smooth between the given increasing points.
pub(super) fn panels(breaks: impl Iterator<Item = f64>) -> Vec<(f64, f64)> {
    let mut edges = vec![-END];
    for x in breaks.filter(|x| x.abs() < END).chain([END]) {
        let last = edges[edges.len() - 1];
        let parts = ((x - last) / LONGEST).ceil().max(1.0);
        edges.extend((1..=parts as usize).map(|i| last + (x - last) * i as f64 / parts));
    }
    between(&edges)
}

fn between(edges: &[f64]) -> Vec<(f64, f64)> {
    let rule = legendre();
    let mut out = Vec::with_capacity(POINTS * edges.len());
    for panel in edges.windows(2) {
        let (middle, half) = (0.5 * (panel[0] + panel[1]), 0.5 * (panel[1] - panel[0]));
        for (x, w) in &rule {
            let z = middle + half * x;
            out.push((z, half * w * (-0.5 * z * z).exp() / (2.0 * PI).sqrt()));
        }
    }
    out
}

/// Nodes and weights on [−1, 1]: Newton on the Legendre polynomial from Chebyshev points.
fn legendre() -> Vec<(f64, f64)> {
    let n = POINTS as f64;
    (0..POINTS)
        .map(|i| {
            let mut x = ((i as f64 + 0.75) / (n + 0.5) * PI).cos();
            let mut slope = 1.0;
            for _ in 0..8 {
                let (mut before, mut value) = (1.0, x);
                for k in 2..=POINTS {
                    let k = k as f64;
                    (before, value) =
                        (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
                }
                slope = n * (x * value - before) / (x * x - 1.0);
                x -= value / slope;
            }
            (x, 2.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect()
}

/// The cubic through the four nearest points; beyond the ends the line through the last two.
pub(super) fn interpolate(x: &[f64], y: &[f64], at: f64) -> f64 {
    let n = x.len();
    let line = |i: usize| y[i] + (y[i + 1] - y[i]) * (at - x[i]) / (x[i + 1] - x[i]);
    if at <= x[0] {
        return line(0);
    }
    if at >= x[n - 1] {
        return line(n - 2);
    }
    let right = x.partition_point(|x| *x <= at);
    let from = right.saturating_sub(2).min(n - 4);
    let (x, y) = (&x[from..from + 4], &y[from..from + 4]);
    (0..4)
        .map(|i| {
            let basis: f64 =
                (0..4).filter(|j| *j != i).map(|j| (at - x[j]) / (x[i] - x[j])).product();
            y[i] * basis
        })
        .sum()
}
