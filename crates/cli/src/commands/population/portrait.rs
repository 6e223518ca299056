//! Phase portraits: the first two species that are present, with nullclines and equilibria.

use super::model::Chosen;
use crate::failure::Result;
use crate::figure::{Axis, Content, Figure, Role, Series};
use rmt_dynamics::{Kind, equilibria};

const GRID: usize = 160;

/// Orbits (lists of states) in the plane of the two most abundant kinds of species present.
/// Nullclines are drawn when no third species is there: its density would move them.
pub(super) fn figure(chosen: &Chosen, orbit: &[Vec<f64>], points: &[Vec<f64>]) -> Result<Figure> {
    let species = chosen.model.species();
    let present: Vec<usize> =
        (0..species.len()).filter(|&n| orbit.iter().any(|u| u[n] > 0.0)).collect();
    let (a, b) = match present.as_slice() {
        [a, b, ..] => (*a, *b),
        [a] => (*a, if *a == 0 { 1 } else { 0 }),
        [] => (0, 1),
    };
    let of = |states: &[Vec<f64>], n: usize| states.iter().map(|u| u[n]).collect::<Vec<_>>();
    let line = |name: &str, role, quantity, x: Vec<f64>, y: Vec<f64>| Series {
        name: name.to_owned(),
        role,
        quantity,
        x,
        y,
        limits: None,
    };
    let mut series = vec![line("orbit", Role::Theory, 0, of(orbit, a), of(orbit, b))];
    if !points.is_empty() {
        series.push(line("data", Role::Points, 1, of(points, a), of(points, b)));
    }
    let top = |n: usize| {
        let all = orbit.iter().chain(points).map(|u| u[n]);
        1.1 * all.fold(0.0_f64, f64::max).max(1e-300)
    };
    if present.len() == 2 {
        for (quantity, n) in [(2, a), (3, b)] {
            let (x, y) = nullcline(chosen, (a, b), n, (top(a), top(b)));
            if !x.is_empty() {
                let name = format!("{} nullcline", species[n].meaning);
                series.push(line(&name, Role::Alternative, quantity, x, y));
            }
        }
    }
    let all = equilibria(chosen.model, &chosen.parameters)
        .map_err(|e| chosen.inputs.failure(e.into()))?;
    for (kinds, quantity, name) in [
        (&[Kind::Stable][..], 6, "stable point"),
        (&[Kind::Marginal], 5, "marginal point"),
        (&[Kind::Saddle, Kind::Unstable], 4, "unstable point"),
    ] {
        let shown: Vec<Vec<f64>> = all
            .iter()
            .filter(|e| kinds.contains(&e.stability.kind))
            .filter(|e| (0..species.len()).all(|n| present.contains(&n) || e.state[n] == 0.0))
            .filter(|e| e.state[a] <= top(a) && e.state[b] <= top(b))
            .map(|e| e.state.clone())
            .collect();
        if !shown.is_empty() {
            series.push(line(name, Role::Points, quantity, of(&shown, a), of(&shown, b)));
        }
    }
    Ok(Figure {
        title: chosen.model.name().replace('_', "–"),
        x: Axis::new(species[a].meaning, false),
        y: Axis::new(species[b].meaning, false),
        content: Content::Curves { series, marks: Vec::new() },
    })
}

/// Points with Gₙ = 0 in the rectangle: along each grid line of the first density, sign changes over
/// the second, and along each line of the second those over the first; gaps (NaN) part the pieces.
fn nullcline(
    chosen: &Chosen,
    (a, b): (usize, usize),
    n: usize,
    (right, top): (f64, f64),
) -> (Vec<f64>, Vec<f64>) {
    let mut state = vec![0.0; chosen.model.species().len()];
    let mut growth = vec![0.0; state.len()];
    let mut value = |x: f64, y: f64| {
        (state[a], state[b]) = (x, y);
        chosen.model.growth(&chosen.parameters, &state, &mut growth);
        growth[n]
    };
    let at = |m: usize, end: f64| end * (m as f64 + 0.5) / GRID as f64;
    // Which way the curve is a graph: over the density with more crossing lines.
    let (mut over_x, mut over_y) = (Vec::new(), Vec::new());
    for m in 0..GRID {
        let (x, y) = (at(m, right), at(m, top));
        if let Some(root) = crossing(|y| value(x, y), top) {
            over_x.push((x, root));
        }
        if let Some(root) = crossing(|x| value(x, y), right) {
            over_y.push((root, y));
        }
    }
    let points = if over_x.len() >= over_y.len() { over_x } else { over_y };
    points.into_iter().unzip()
}

/// First sign change of a function on (0, end), by bisection.
fn crossing(mut f: impl FnMut(f64) -> f64, end: f64) -> Option<f64> {
    let steps = 60;
    let mut low = end * 1e-6;
    let mut at_low = f(low);
    for m in 1..=steps {
        let high = end * f64::from(m) / f64::from(steps);
        let at_high = f(high);
        if at_low.signum() != at_high.signum() {
            let (mut p, mut q) = (low, high);
            for _ in 0..50 {
                let middle = 0.5 * (p + q);
                if f(middle).signum() == at_low.signum() { p = middle } else { q = middle }
            }
            return Some(0.5 * (p + q));
        }
        (low, at_low) = (high, at_high);
    }
    None
}
