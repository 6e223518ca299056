//! The certificate ρ along the ridge: it measures the distance to a singularity, so its digits count.
//!
//! A product of resolvents repeats the spectrum of one resolvent along a triangle of K. Taken as one
//! matrix, rounding moves such defective eigenvalues by a root of itself: ρ of ridge regression by 3e-3
//! to 1e-2, of random features by 7e-6. Split at its structural zeros, K has the ρ of one resolvent.

use rmt_fpt::{Model, Problem, gallery};
use serde_json::json;

const POINTS: usize = 200;
/// Step in ln λ, from 1e-4 to 10.
const STEP: f64 = 5.0 * std::f64::consts::LN_10 / (POINTS - 1) as f64;

fn example(name: &str) -> Problem {
    gallery().iter().find(|e| e.name == name).unwrap().problem().unwrap()
}

fn ridges() -> Vec<f64> {
    (0..POINTS).map(|i| 1e-4 * (STEP * i as f64).exp()).collect()
}

/// ρ at every ridge.
fn radii(problem: &Problem) -> Vec<f64> {
    let curve = Model::new(problem).unwrap().curve("lam", &ridges()).unwrap();
    curve.into_iter().map(|(_, point)| point.unwrap().answer.rho).collect()
}

/// ρ falls as the ridge grows, and bends as slowly as a function of ln λ should: |ρ''| is below 0.1,
/// so that second differences stay below 0.1·STEP² = 3e-4 where noise of a hundredth makes a hundredth.
fn smooth(name: &str, radii: &[f64]) {
    for (lambda, pair) in ridges().iter().zip(radii.windows(2)) {
        assert!(pair[1] < pair[0], "{name}: rho rises from {pair:?} at lambda = {lambda:e}");
    }
    let bend = |w: &[f64]| (w[2] - 2.0 * w[1] + w[0]).abs() / STEP.powi(2);
    let worst = radii.windows(3).map(bend).fold(0.0, f64::max);
    println!("{name}: rho {:.4} to {:.4}, |rho''| at most {worst:.4}", radii[0], radii[POINTS - 1]);
    assert!(worst < 0.1, "{name}: second derivative {worst:.3}");
}

/// Bias and variance of ridge regression have the ρ of their resolvent, √(df2/n), with the degrees of
/// freedom df2 = Σ (s/(s + κ))² of the model's own solver.
#[test]
fn ridge_bias_and_variance_have_the_radius_of_one_resolvent() {
    let ridge = rmt_models::tasks().into_iter().find(|t| t.card().name == "ridge").unwrap();
    for name in ["ridge_bias", "ridge_variance"] {
        let problem = example(name);
        let radii = radii(&problem);
        smooth(name, &radii);
        let (n, p) = (problem.dims["n"], problem.dims["p"]);
        for (lambda, rho) in ridges().iter().zip(&radii) {
            let inputs = json!({
                "spectrum": {"kind": "power_law", "p": p, "alpha": 1.0, "scale": 3.0},
                "target": {"kind": "constant", "p": p, "value": 1.0}, "n": n, "lambda": lambda
            });
            let expected =
                (ridge.evaluate(&inputs).unwrap().number("df2").unwrap() / n as f64).sqrt();
            let error = (rho / expected - 1.0).abs();
            assert!(error < 1e-11, "{name}, lambda = {lambda:e}: {rho} {expected} ({error:.1e})");
        }
    }
}

/// Bias and variance on random features have the ρ of their common resolvent.
#[test]
fn random_feature_bias_has_the_radius_of_one_resolvent() {
    for name in ["random_feature_bias", "random_feature_variance"] {
        let problem = example(name);
        let radii_of_product = radii(&problem);
        smooth(name, &radii_of_product);
        let expression = "tr(inv(W'*sqrt(S)*Z'*Z*sqrt(S)*W/n + lam*I(m)))".to_owned();
        let resolvent = radii(&Problem { expression, ..problem });
        for ((lambda, a), b) in ridges().iter().zip(&radii_of_product).zip(&resolvent) {
            let error = (a / b - 1.0).abs();
            assert!(error < 1e-9, "{name}, lambda = {lambda:e}: {a} {b} ({error:.1e})");
        }
    }
}
