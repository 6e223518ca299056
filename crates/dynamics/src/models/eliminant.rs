//! All equilibria of the predator–prey–scavenger model.
//!
//! Boundary equilibria are closed forms. For interior ones put A = 1 + a0x², B = 1 + b0x²,
//! G = r(1 − x/k), N = e + (a0e − d)x², D = (f − i0e) + (a0(f − i0e) + i0d)x², M = j + (jb0 − g)x².
//! The predator's balance is z² = N/D; the scavenger's gives y in terms of x and z; the prey's
//! then reads z = U/V with
//!
//! ```text
//! U = f h G A B − a f x M + i b x N,    V = i G B D + b h f x A,
//! ```
//!
//! so every interior equilibrium has its x among the roots of R = D U² − N V², of degree at most
//! 12. Squaring adds roots with U/V < 0, and near a fold roots are only accurate to √ε: the
//! filter on the imaginary part is loose, and Newton's method on G(u) = 0 is the judge.

use super::response::{response, response_per_prey};
use super::scavenger::{PredatorPreyScavenger, rates};
use crate::PopulationModel;
use crate::linear::{polynomial_roots, solve};

/// Two candidates within this relative distance are one equilibrium.
const SAME: f64 = 1e-7;
/// A polish that moves a component by more than this factor (in logarithm) slid to another point.
const LARGEST_MOVE: f64 = 0.5;

/// Names and states: `origin`, `prey_only`, then the boundary points, then the interior ones by
/// ascending prey.
pub(super) fn equilibria(parameters: &[f64]) -> Vec<(&'static str, Vec<f64>)> {
    let &[r, k, a, a0, b, b0, d, e, f, g, h, i, i0, j] = rates(parameters);
    let mut found = vec![("origin", vec![0.0, 0.0, 0.0]), ("prey_only", vec![k, 0.0, 0.0])];
    if let Some((x, y)) = planar(r, k, a, a0, d, e) {
        found.push(("predator_prey", vec![x, y, 0.0]));
    }
    if let Some((x, z)) = planar(r, k, b, b0, g, j) {
        found.push(("scavenger_prey", vec![x, 0.0, z]));
    }
    if let Some((y, z)) = predator_scavenger(e, f, h, i, i0, j) {
        found.push(("predator_scavenger", vec![0.0, y, z]));
    }
    found.extend(interior(parameters).into_iter().map(|u| ("interior", u.to_vec())));
    found
}

/// Coexistence of prey with one consumer of attack `a`, saturation `c`, gain `d`, death rate `e`.
pub(crate) fn planar(r: f64, k: f64, a: f64, c: f64, d: f64, e: f64) -> Option<(f64, f64)> {
    let surplus = d - c * e;
    let x = (e / surplus).sqrt();
    (surplus > 0.0 && x < k).then(|| (x, r * (1.0 - x / k) / (a * response_per_prey(c, x))))
}

/// Coexistence of predator and scavenger without prey: (y, z).
pub(super) fn predator_scavenger(
    e: f64,
    f: f64,
    h: f64,
    i: f64,
    i0: f64,
    j: f64,
) -> Option<(f64, f64)> {
    let surplus = f - i0 * e;
    let z = (e / surplus).sqrt();
    let gain = h - i * response_per_prey(i0, z);
    (surplus > 0.0 && gain > 0.0).then(|| (j / gain, z))
}

/// Interior equilibria by ascending prey density.
pub(super) fn interior(parameters: &[f64]) -> Vec<[f64; 3]> {
    let k = parameters[1];
    let mut found: Vec<[f64; 3]> = Vec::new();
    for (re, im) in polynomial_roots(&eliminant(parameters)) {
        if !(re > 0.0 && re < 1.0) || im < 0.0 || im > 1e-3 * re.hypot(im).max(1e-3) {
            continue;
        }
        let Some(start) = back_substitute(parameters, k * re) else { continue };
        let Some(state) = polish(parameters, start) else { continue };
        let known = found.iter().any(|other| {
            other.iter().zip(&state).all(|(p, q)| (p - q).abs() <= SAME * p.abs().max(q.abs()))
        });
        if !known {
            found.push(state);
        }
    }
    found.sort_by(|p, q| p[0].total_cmp(&q[0]));
    found
}

/// Coefficients of R in ξ = x/k, constant first.
fn eliminant(parameters: &[f64]) -> Vec<f64> {
    let &[r, k, a, a0, b, b0, d, e, f, g, h, i, i0, j] = rates(parameters);
    let kk = k * k;
    let capital_a = [1.0, 0.0, a0 * kk];
    let capital_b = [1.0, 0.0, b0 * kk];
    let logistic = [r, -r];
    let n = [e, 0.0, (a0 * e - d) * kk];
    let s = f - i0 * e;
    let capital_d = [s, 0.0, (a0 * s + i0 * d) * kk];
    let m = [j, 0.0, (j * b0 - g) * kk];
    let u = sum(&[
        (f * h, &product(&product(&logistic, &capital_a), &capital_b)),
        (-a * f * k, &product(&[0.0, 1.0], &m)),
        (i * b * k, &product(&[0.0, 1.0], &n)),
    ]);
    let v = sum(&[
        (i, &product(&product(&logistic, &capital_b), &capital_d)),
        (b * h * f * k, &product(&[0.0, 1.0], &capital_a)),
    ]);
    sum(&[(1.0, &product(&capital_d, &product(&u, &u))), (-1.0, &product(&n, &product(&v, &v)))])
}

fn product(p: &[f64], q: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; p.len() + q.len() - 1];
    for (m, x) in p.iter().enumerate() {
        for (n, y) in q.iter().enumerate() {
            out[m + n] += x * y;
        }
    }
    out
}

fn sum(terms: &[(f64, &[f64])]) -> Vec<f64> {
    let length = terms.iter().map(|(_, p)| p.len()).max().unwrap_or(0);
    let mut out = vec![0.0; length];
    for (factor, p) in terms {
        for (out, x) in out.iter_mut().zip(*p) {
            *out += factor * x;
        }
    }
    out
}

/// y and z from the balances of predator and scavenger, if both are positive.
fn back_substitute(parameters: &[f64], x: f64) -> Option<[f64; 3]> {
    let &[_, _, _, a0, _, b0, d, e, f, g, h, i, i0, j] = rates(parameters);
    let p = e - d * response(a0, x);
    let z = (p / (f - i0 * p)).sqrt();
    let q = j - g * response(b0, x);
    let y = q / (h - i * response_per_prey(i0, z));
    (z > 0.0 && y > 0.0 && z.is_finite() && y.is_finite()).then_some([x, y, z])
}

/// Newton's method on G(u) = 0; `None` when it does not settle at a positive point near the start.
fn polish(parameters: &[f64], start: [f64; 3]) -> Option<[f64; 3]> {
    let model = PredatorPreyScavenger;
    let (r, e, h, j) = (parameters[0], parameters[7], parameters[10], parameters[13]);
    let mut u = start;
    let (mut growth, mut matrix) = ([0.0; 3], [0.0; 9]);
    let mut last = f64::INFINITY;
    // Quadratic away from folds; at a fold each step halves the error, so 60 steps suffice.
    for _ in 0..60 {
        model.growth(parameters, &u, &mut growth);
        model.growth_by_state(parameters, &u, &mut matrix);
        let mut step = growth;
        solve(&mut matrix, &mut step)?;
        let mut size = 0.0_f64;
        for (u, step) in u.iter_mut().zip(step) {
            size = size.max((step / *u).abs());
            *u -= step;
        }
        let near = u.iter().zip(start).all(|(u, s)| (u / s).ln().abs() <= LARGEST_MOVE);
        if !near {
            return None;
        }
        if size <= 1e-15 || (size < 1e-12 && size >= last) {
            break;
        }
        last = size;
    }
    model.growth(parameters, &u, &mut growth);
    // Each balance against its own largest term.
    let scale = [r, e, j + h * u[1]];
    growth.iter().zip(scale).all(|(g, s)| g.abs() <= 1e-11 * s).then_some(u)
}
