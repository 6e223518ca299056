//! Contours, kernels and limits against each other and against closed forms.

use super::SgdInputs;
use super::curves::{Curves, Point};
use super::inputs::Checked;
use super::limits::{Step, kernel_norms, static_limit};
use super::method::Method;
use super::spectral::Spectral;
use num_complex::Complex64;
use rmt_core::SampledFeatures;
use serde_json::{Value as Json, json};

fn checked(inputs: &Json) -> (SgdInputs, Checked) {
    let inputs: SgdInputs = serde_json::from_value(inputs.clone()).unwrap();
    let checked = inputs.checked().unwrap();
    (inputs, checked)
}

/// Points at the times of the inputs, with the choice of contour given.
fn curve(inputs: &Json, gap: Option<bool>, refinement: f64) -> Vec<Point> {
    let (inputs, checked) = checked(inputs);
    let model = SampledFeatures::new(&checked.population, inputs.n, inputs.width).unwrap();
    let edges = model.edges();
    let natural = edges.0 * checked.method.total_rate(checked.horizon) > 3.0;
    let contour =
        checked.method.contour_with(edges, checked.horizon, gap.unwrap_or(natural), refinement);
    Curves::new(&checked, &model, 0.5, contour).unwrap().run(None, &inputs.times, false).points
}

fn base(extra: Json) -> Json {
    let mut inputs = json!({
        "spectrum": {"kind": "power_law", "p": 60, "alpha": 0.7},
        "target": {"kind": "power_law", "p": 60, "alpha": 0.4, "total": 1.0},
        "noise_variance": 0.1,
        "times": [0, 1, 7, 40, 300]
    });
    inputs.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    inputs
}

/// All orderings of rank, n and m, with and without noise of batches, momentum, schedule, shift.
fn problems() -> Vec<Json> {
    let sizes = [
        json!({"n": 30}),
        json!({"n": 110}),
        json!({"n": 30, "width": 100}),
        json!({"n": 30, "width": 45}),
        json!({"n": 100, "width": 30}),
        json!({"n": 45, "width": 30}),
        json!({"n": 150, "width": 90}),
        json!({"n": 90, "width": 150}),
        json!({"width": 30}),
        json!({}),
    ];
    let shift = json!({"kind": "linear", "p": 60, "from": 0.3, "to": 0.01});
    let methods = [
        json!({"learning_rate": 0.4}),
        json!({"gradient_flow": true}),
        json!({"learning_rate": 0.2, "momentum": 0.6}),
        json!({"learning_rate": 0.05, "batch_size": 4}),
        json!({"learning_rate": 0.03, "momentum": 0.5, "batch_size": 4}),
        json!({"schedule": {"kind": "inverse_time", "initial": 0.3, "offset": 50.0}}),
        json!({"schedule": {"kind": "cosine", "initial": 0.1, "steps": 200}, "batch_size": 8}),
        json!({"learning_rate": 0.4, "test_spectrum": shift}),
        json!({"learning_rate": 0.05, "batch_size": 4, "test_spectrum": shift}),
    ];
    let mut out = Vec::new();
    for size in &sizes {
        for method in &methods {
            let mut both = size.clone();
            both.as_object_mut().unwrap().extend(method.as_object().unwrap().clone());
            out.push(base(both));
        }
    }
    out
}

/// The reported error covers what 1.5 times the nodes change, and is small.
#[test]
fn refinement_stays_within_the_reported_error() {
    for problem in problems() {
        let (coarse, fine) = (curve(&problem, None, 1.0), curve(&problem, None, 1.5));
        for (a, b) in coarse.iter().zip(&fine) {
            for (a, b) in [(a.risk(), b.risk()), (a.train, b.train)] {
                let gap = (a.value - b.value).abs();
                assert!(gap <= a.error + b.error, "{gap:e} above {:e}: {problem}", a.error);
                assert!(a.error < 1e-10, "{:e}: {problem}", a.error);
            }
        }
    }
}

/// Two different contours, one with the atom at zero inside and one with its residue.
#[test]
fn ring_and_gap_agree() {
    let mut compared = 0;
    for problem in problems() {
        let (inputs, checked) = checked(&problem);
        let model = SampledFeatures::new(&checked.population, inputs.n, inputs.width).unwrap();
        if model.edges().0 * checked.method.total_rate(checked.horizon) < 0.5 {
            continue;
        }
        compared += 1;
        let (ring, gap) = (curve(&problem, Some(false), 1.0), curve(&problem, Some(true), 1.0));
        for (a, b) in ring.iter().zip(&gap) {
            assert!((a.risk().value - b.risk().value).abs() < 1e-12, "{a:?} {b:?} {problem}");
            assert!((a.train.value - b.train.value).abs() < 1e-12, "{a:?} {b:?} {problem}");
        }
    }
    assert!(compared > 30, "{compared}");
}

/// Before the first step the predictor is zero.
#[test]
fn initial_values() {
    for problem in problems() {
        let (_, checked) = checked(&problem);
        let population = &checked.population;
        let product =
            |a: &[f64]| -> f64 { a.iter().zip(population.target()).map(|(a, b)| a * b).sum() };
        let start = curve(&problem, None, 1.0)[0];
        let (risk, train) = (product(&population.metric()), product(&population.eigenvalues()));
        assert!((start.risk().value / risk - 1.0).abs() < 1e-12, "{start:?} {problem}");
        assert!((start.train.value / (train + 0.1) - 1.0).abs() < 1e-12, "{start:?} {problem}");
    }
}

/// The full gradient after 10¹⁰ steps equals the closed limits; sizes without ties.
#[test]
fn long_horizons_reach_the_limit() {
    for problem in problems() {
        if problem.get("batch_size").is_some() || problem.get("schedule").is_some() {
            continue;
        }
        let mut problem = problem;
        problem["times"] = json!([1e10]);
        let (inputs, checked) = checked(&problem);
        let model = SampledFeatures::new(&checked.population, inputs.n, inputs.width).unwrap();
        let limit = static_limit(&model, checked.noise).unwrap();
        let end = curve(&problem, None, 1.0)[0];
        let risk = limit.bias + limit.variance;
        let scale = risk.max(1e-3);
        assert!((end.risk().value - risk).abs() < 1e-11 * scale, "{end:?} {limit:?} {problem}");
        assert!((end.train.value - limit.train).abs() < 1e-11 * limit.train.max(1e-3), "{problem}");
    }
}

/// Closed kernel norms against Σ_τ K(τ), summed as a geometric series at every node, in every ordering
/// of rank, n and m: catches the atom of 1/a_n and the factors of momentum.
#[test]
fn kernel_norms_are_kernel_sums() {
    for problem in problems() {
        if problem.get("batch_size").is_none() || problem.get("schedule").is_some() {
            continue;
        }
        let mut problem = problem;
        problem["times"] = json!([100_000]);
        let (inputs, checked) = checked(&problem);
        let model = SampledFeatures::new(&checked.population, inputs.n, inputs.width).unwrap();
        let (rate, momentum) = match &checked.method {
            Method::Descent(s) => (s.constant().unwrap(), 0.0),
            Method::HeavyBall { rate, momentum } => (*rate, *momentum),
            Method::Flow => unreachable!(),
        };
        let inverse_batch = checked.inverse_batch;
        let norms = kernel_norms(&model, Step { rate, momentum, inverse_batch });
        let contour = checked.method.contour(model.edges(), checked.horizon);
        let on = Spectral::new(&model, contour).unwrap();
        let (train, test) = on.kernel_weights();
        let sum = |weights: &[Complex64]| -> f64 {
            let terms = weights.iter().zip(&on.contour.points).map(|(w, l)| {
                let x = l * rate;
                let turn = 2.0 * (1.0 + momentum);
                w * (1.0 + momentum) / ((1.0 - momentum) * x * (turn - x))
            });
            terms.map(|t| t.im).sum::<f64>() / std::f64::consts::PI
        };
        let scale = rate * rate * inverse_batch;
        for (closed, weights) in [(norms.train, &train), (norms.test, &test)] {
            let summed = scale * sum(weights);
            assert!((summed / closed - 1.0).abs() < 1e-10, "{summed} {closed} {problem}");
        }
    }
}

/// h_τ² sums to (1+β)/((1−β)x(2(1+β)−x)): the series used above.
#[test]
fn heavy_ball_response_sums() {
    for (x, beta) in [(0.3, 0.0), (0.05, 0.9), (2.7, 0.6)] {
        let (mut before, mut now, mut sum) = (0.0, 1.0, 0.0);
        for _ in 0..5000 {
            sum += now * now;
            (before, now) = (now, (1.0 + beta - x) * now - beta * before);
        }
        let closed = (1.0 + beta) / ((1.0 - beta) * x * (2.0 * (1.0 + beta) - x));
        assert!((sum / closed - 1.0_f64).abs() < 1e-12);
    }
}

/// ∫f(λ)ρ(λ)dλ over the continuous Marchenko–Pastur law of ratio y = p/n, without the atom at zero.
fn marchenko_pastur(y: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (low, high) = ((1.0 - y.sqrt()).powi(2), (1.0 + y.sqrt()).powi(2));
    let (centre, radius) = (0.5 * (low + high), 0.5 * (high - low));
    // Gauss–Chebyshev of the second kind: exponentially accurate away from a hard edge.
    let nodes = 4000;
    let step = std::f64::consts::PI / f64::from(nodes);
    (1..nodes)
        .map(|j| {
            let angle = f64::from(j) * step;
            let lambda = centre + radius * angle.cos();
            let weight = (radius * angle.sin()).powi(2) / (2.0 * std::f64::consts::PI * y * lambda);
            f(lambda) * weight * step
        })
        .sum()
}

/// Σ = 1: gradient flow is three integrals over the Marchenko–Pastur law.
#[test]
fn isotropic_flow_is_marchenko_pastur() {
    let (p, noise) = (120.0, 0.3);
    for n in [40.0, 100.0, 150.0, 500.0] {
        let y: f64 = p / n;
        let times = [0.0, 0.1, 1.0, 10.0, 300.0];
        let problem = json!({
            "spectrum": {"kind": "constant", "p": 120, "value": 1.0},
            "target": {"kind": "constant", "p": 120, "total": 1.0},
            "n": n, "gradient_flow": true, "noise_variance": noise, "times": times
        });
        let atom = (1.0 - 1.0 / y).max(0.0);
        for (t, point) in times.iter().zip(curve(&problem, None, 1.0)) {
            let decay = |l: f64| (-2.0 * t * l).exp();
            let bias = atom + marchenko_pastur(y, decay);
            let variance = noise * y * marchenko_pastur(y, |l| (-(-t * l).exp_m1()).powi(2) / l);
            let train = marchenko_pastur(y, |l| l * decay(l))
                + noise * (1.0 - y + y * (atom + marchenko_pastur(y, decay)));
            assert!((point.bias.value - bias).abs() < 1e-12, "n = {n}, t = {t}");
            assert!((point.variance.value - variance).abs() < 1e-12, "n = {n}, t = {t}");
            assert!((point.train.value - train).abs() < 1e-12, "n = {n}, t = {t}");
        }
    }
}

/// Relative accuracy of losses down to 1e-138, where a contour through λ = 0 has none left.
#[test]
fn tiny_losses_keep_their_digits() {
    // Noise-free and n < p: the train loss decays like e^{−2λ₋t}.
    for (n, t) in [(60.0, 20.0), (60.0, 150.0), (60.0, 500.0), (30.0, 300.0), (30.0, 200.0)] {
        let problem = json!({
            "spectrum": {"kind": "constant", "p": 120, "value": 1.0},
            "target": {"kind": "constant", "p": 120, "total": 1.0},
            "n": n, "gradient_flow": true, "times": [t]
        });
        let point = curve(&problem, None, 1.0)[0];
        let exact = marchenko_pastur(120.0 / n, |l| l * (-2.0 * t * l).exp());
        assert!((point.train.value / exact - 1.0).abs() < 1e-11, "{} {exact:e}", point.train.value);
        assert!(point.train.error < 1e-10 * exact);
        println!("n = {n}, t = {t}: loss {exact:e}, off by {:e}", point.train.value / exact - 1.0);
    }
}

/// n → ∞ and m → ∞ join the problems without samples and without features.
#[test]
fn large_sizes_are_continuous() {
    let method = json!({"learning_rate": 0.05, "batch_size": 4});
    let with = |extra: Json| {
        let mut all = method.clone();
        all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        curve(&base(all), None, 1.0)
    };
    let pairs = [
        (with(json!({"n": 1e12})), with(json!({}))),
        (with(json!({"n": 30, "width": 1e12})), with(json!({"n": 30}))),
        (with(json!({"n": 1e12, "width": 30})), with(json!({"width": 30}))),
    ];
    for (large, infinite) in pairs {
        for (a, b) in large.iter().zip(&infinite) {
            // O(p/n) = 6e-11 relative.
            assert!((a.risk().value / b.risk().value - 1.0).abs() < 1e-9);
        }
    }
}

/// The O(NT) recursion against the sums of the definition.
#[test]
fn recursion_is_the_volterra_sum() {
    for extra in [json!({"learning_rate": 0.05}), json!({"learning_rate": 0.03, "momentum": 0.5})] {
        let mut problem = base(json!({"n": 45, "width": 80, "batch_size": 3, "times": [60]}));
        problem.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let (inputs, checked) = checked(&problem);
        let model = SampledFeatures::new(&checked.population, inputs.n, inputs.width).unwrap();
        let contour = checked.method.contour(model.edges(), checked.horizon);
        let curves = Curves::new(&checked, &model, 0.5, contour).unwrap();
        let every = curves.run(None, &[60.0], true).losses;
        let on = Spectral::new(&model, checked.method.contour(model.edges(), 60.0)).unwrap();
        let (rate, momentum) = match &checked.method {
            Method::HeavyBall { rate, momentum } => (*rate, *momentum),
            _ => (0.05, 0.0),
        };
        let kernel = |tau: usize| -> f64 {
            let terms = on.kernel_weights().0.into_iter().zip(&on.contour.points).map(|(w, l)| {
                let (mut before, mut now) = (Complex64::from(0.0), Complex64::from(1.0));
                for _ in 0..tau {
                    let next =
                        now * (Complex64::from(1.0 + momentum) - l * rate) - before * momentum;
                    (before, now) = (now, next);
                }
                w * now * now
            });
            terms.map(|t| t.im).sum::<f64>() / std::f64::consts::PI
        };
        let kernels: Vec<f64> = (0..60).map(kernel).collect();
        let (base, weights) = on.train_weights(checked.noise);
        for t in [0, 1, 2, 17, 60] {
            let full: f64 = weights
                .iter()
                .zip(&on.contour.points)
                .map(|(w, l)| {
                    let f = checked.method.residual(*l, t as f64).unwrap().0;
                    (w * f * f).im
                })
                .sum::<f64>()
                / std::f64::consts::PI
                + base;
            let noise: f64 = (0..t).map(|s| kernels[t - 1 - s] * every[s]).sum();
            let direct = full + rate * rate / 3.0 * noise;
            assert!((direct / every[t] - 1.0).abs() < 1e-12, "t = {t}: {direct} {}", every[t]);
        }
    }
}
