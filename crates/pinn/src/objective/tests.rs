use super::*;
use crate::{Observations, Sigma};
use rmt_dynamics::PredatorPreyScavenger;
use std::collections::BTreeMap;

const NAMES: [&str; 14] = ["r", "k", "a", "a0", "b", "b0", "d", "e", "f", "g", "h", "i", "i0", "j"];
const RATES: [f64; 14] = [1.0, 10.0, 0.5, 0.3, 0.1, 0.2, 0.4, 0.6, 0.1, 0.1, 0.08, 0.05, 0.1, 0.25];

fn problem(observed: &[&str]) -> Problem<'static> {
    let times: Vec<f64> = (0..9).map(f64::from).collect();
    let model = &PredatorPreyScavenger;
    let run = rmt_dynamics::simulate(model, &RATES, &[5.0, 1.0, 1.0], &times, &SETTINGS);
    let column = |name: &str| ["x", "y", "z"].iter().position(|n| *n == name).unwrap();
    let rows: Vec<Vec<Option<f64>>> = run
        .unwrap()
        .states
        .iter()
        .map(|u| observed.iter().map(|name| Some(u[column(name)])).collect())
        .collect();
    let observed: Vec<String> = observed.iter().map(|s| (*s).to_owned()).collect();
    let sigma = Sigma::PerSpecies(vec![0.1; observed.len()]);
    let data = Observations::new(model, &times, &observed, &rows, &sigma).unwrap();
    let free: Vec<String> = NAMES.iter().map(|s| (*s).to_owned()).collect();
    let guess: BTreeMap<String, f64> =
        free.iter().cloned().zip(RATES.iter().map(|r| r * 1.2)).collect();
    let start = [5.0, 1.0, 1.0];
    Problem::new(model, data, &free, &guess, &BTreeMap::new(), &start).unwrap()
}

/// Central differences over every kind of unknown, with and without an unobserved species:
/// catches an error in the chain from residual to outputs, slopes and rates.
#[test]
fn gradient_matches_differences() {
    let training = Training { hidden: vec![6, 5], collocation_points: 11, ..Training::default() };
    for (observed, weight) in
        [(vec!["x", "y", "z"], 0.7), (vec!["x", "y"], 1.0), (vec!["x", "y"], 0.0)]
    {
        let problem = problem(&observed);
        let objective = Objective::new(&problem, &training, None).unwrap();
        let at = objective.initial(1);
        objective.evaluate(&at, weight);
        let gradient = objective.state.borrow().gradient.clone();
        let scale = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
        // The loss whose gradient is taken includes the guess of unobserved species while
        // λ = 0; only observed outputs are compared then.
        for m in 0..at.len() {
            let shifted = |h: f64| {
                let mut moved = at.clone();
                moved[m] += h;
                let loss = objective.evaluate(&moved, weight);
                let pseudo: f64 = if weight == 0.0 {
                    let state = objective.state.borrow();
                    objective
                        .targets
                        .iter()
                        .filter(|t| !t.3)
                        .map(|t| (state.work.output(t.0)[t.1] - t.2).powi(2))
                        .sum::<f64>()
                        / objective.counts.0
                } else {
                    0.0
                };
                loss.total() + pseudo
            };
            // Fourth-order differences: truncation h⁴, rounding ε/h; measured 1e-9 of scale.
            let h = 1e-3;
            let difference = (8.0 * (shifted(h) - shifted(-h)) - shifted(2.0 * h)
                + shifted(-2.0 * h))
                / (12.0 * h);
            assert!(
                (gradient[m] - difference).abs() < 1e-6 * scale,
                "{observed:?} {m}: {} {difference}",
                gradient[m]
            );
        }
    }
}

/// The whole loss once more in dual numbers, from the formulas: 1e-10 of the gradient's scale.
#[test]
fn gradient_matches_dual_numbers() {
    use num_dual::{DualNum, HyperDual64};
    type H = HyperDual64;
    let training = Training { hidden: vec![4, 3], collocation_points: 7, ..Training::default() };
    let problem = problem(&["x", "y", "z"]);
    let objective = Objective::new(&problem, &training, None).unwrap();
    let (at, weight) = (objective.initial(2), 0.4);
    let loss = objective.evaluate(&at, weight);
    let gradient = objective.state.borrow().gradient.clone();
    let scale = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    let sizes = [1, 4, 3, 3];
    let network = |w: &[H], t: H| {
        let (mut h, mut offset) = (vec![t], 0);
        for (layer, pair) in sizes.windows(2).enumerate() {
            let (n, m) = (pair[0], pair[1]);
            h = (0..m)
                .map(|i| {
                    let mut s = w[offset + n * m + i];
                    for (j, h) in h.iter().enumerate() {
                        s += w[offset + j * m + i] * *h;
                    }
                    if layer < 2 { s.tanh() } else { s }
                })
                .collect();
            offset += m * (n + 1);
        }
        h
    };
    let pi = |c: H, s: H| s * s / (c * s * s + H::from_re(1.0));
    for m in 0..at.len() {
        let dual: Vec<H> = at
            .iter()
            .enumerate()
            .map(|(n, &v)| {
                let v = H::from_re(v);
                if n == m { v.derivative1() } else { v }
            })
            .collect();
        let p: Vec<H> = dual[objective.network.len()..].iter().map(|v| v.exp()).collect();
        let mut data = H::from_re(0.0);
        for (row, t) in problem.observations().times().iter().enumerate() {
            let out = network(&dual, H::from_re(t * objective.rate - 1.0));
            for (c, out) in out.into_iter().enumerate() {
                let value = problem.observations().values()[3 * row + c];
                let target = (value - objective.mean[c]) / objective.deviation[c];
                let error = out - H::from_re(target);
                data += error * error / H::from_re(objective.counts.0);
            }
        }
        let mut residual = H::from_re(0.0);
        for point in 0..7 {
            let tau = 2.0 * f64::from(point) / 6.0 - 1.0;
            let out = network(&dual, H::from_re(tau).derivative2());
            let re = |v: f64| H::from_re(v);
            // The parts of a hyper-dual number that do not know of τ.
            let value = |v: H| H::new(v.re, v.eps1, 0.0, 0.0);
            let slope = |v: H| H::new(v.eps2, v.eps1eps2, 0.0, 0.0);
            let u: Vec<H> = (0..3)
                .map(|c| value(out[c]) * re(objective.deviation[c]) + re(objective.mean[c]))
                .collect();
            let (x, y, z) = (u[0], u[1], u[2]);
            let rhs = [
                p[0] * x * (re(1.0) - x / p[1]) - p[2] * pi(p[3], x) * y - p[4] * pi(p[5], x) * z,
                p[6] * pi(p[3], x) * y - p[7] * y + p[8] * pi(p[12], z) * y,
                p[9] * pi(p[5], x) * z - p[13] * z + p[10] * y * z - p[11] * pi(p[12], z) * y,
            ];
            for c in 0..3 {
                let s = re(objective.deviation[c]);
                let r = slope(out[c]) * re(objective.rate) - rhs[c] / s;
                residual += r * r / re(7.0);
            }
        }
        let total = data + residual * H::from_re(weight);
        assert!((total.re - loss.total()).abs() < 1e-12 * loss.total());
        let error = (gradient[m] - total.eps1).abs();
        assert!(error < 1e-10 * scale, "{m}: {} {}", gradient[m], total.eps1);
    }
}
