//! Theory against finite data sets. Seed 0, draw counts fixed in advance; every z-score is printed.
//!
//! Real Gaussian data deviate from the equivalent by O(1/n): a comparison passes within 4 standard errors
//! plus 2/n relative, and the full suite shows that the offset shrinks when all sizes double.

use rmt_models::tasks;
use rmt_task::Draw;
use serde_json::{Value as Json, json};

/// Mean and standard error of each observable over draws, beside its prediction.
fn compare(task: &str, inputs: &Json, draws: u64) -> Vec<(String, f64, f64, f64)> {
    let tasks = tasks();
    let task = tasks.iter().find(|t| t.card().name == task).expect("a registered task");
    let theory = task.evaluate(inputs).unwrap();
    let samples: Vec<_> =
        (0..draws).map(|index| task.draw(inputs, Draw { seed: 0, index }).unwrap()).collect();
    let names: Vec<String> = samples[0].iter().map(|(name, _)| name.to_owned()).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let expected = theory.number(&name)?;
            let values: Vec<f64> = samples.iter().filter_map(|s| s.number(&name)).collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
            Some((name, expected, mean, (variance / n).sqrt()))
        })
        .collect()
}

fn cases(scale: usize) -> Vec<(&'static str, &'static str, Json)> {
    let (p, n) = (120 * scale, 80 * scale);
    let spectrum = json!({"kind": "power_law", "p": p, "alpha": 0.8});
    let target = json!({"kind": "power_law", "p": p, "alpha": 0.5, "total": 1.0});
    let base = |lambda: f64, rows: usize| json!({"spectrum": spectrum, "target": target, "n": rows, "lambda": lambda, "noise_variance": 0.2});
    let with = |mut inputs: Json, extra: Json| {
        if let (Some(map), Json::Object(extra)) = (inputs.as_object_mut(), extra) {
            map.extend(extra);
        }
        inputs
    };
    vec![
        ("ridge, p > n", "ridge", base(0.01, n)),
        ("ridge, p < n", "ridge", base(0.003, 3 * n)),
        ("ridge, λ = 0", "ridge", base(0.0, n)),
        (
            "shifted test",
            "ridge",
            with(
                base(0.01, n),
                json!({"test_spectrum": {"kind": "constant", "p": p, "value": 0.05}}),
            ),
        ),
        (
            "exponential, matched",
            "correlated_ridge",
            with(
                base(0.01, n),
                json!({"sample_correlation": {"kind": "exponential", "length": 6.0}, "test_lag": 1.0}),
            ),
        ),
        (
            "power law, matched",
            "correlated_ridge",
            with(
                base(0.01, 2 * n),
                json!({"sample_correlation": {"kind": "power_law", "exponent": 0.8}}),
            ),
        ),
        (
            "white noise",
            "correlated_ridge",
            with(
                base(0.02, n),
                json!({"sample_correlation": {"kind": "exponential", "length": 4.0}, "noise_correlation": {"kind": "identity"}, "test_lag": 2.0}),
            ),
        ),
        (
            "duplicated rows",
            "correlated_ridge",
            with(
                base(0.01, n),
                json!({"sample_correlation": {"kind": "blocks", "size": 2, "correlation": 1.0}}),
            ),
        ),
    ]
}

fn suite(scale: usize, draws: u64) {
    let n = 80.0 * scale as f64;
    let mut failures = Vec::new();
    for (label, task, inputs) in cases(scale) {
        for (name, theory, mean, error) in compare(task, &inputs, draws) {
            let z = if mean == theory {
                0.0
            } else {
                (mean - theory) / error.max(1e-12 * theory.abs())
            };
            println!(
                "{label:24} {name:24} theory {theory:.6} simulation {mean:.6} ± {error:.6}  z {z:+.2}  relative {:+.4}",
                mean / theory - 1.0
            );
            if (mean - theory).abs() > 4.0 * error + 2.0 / n * theory.abs() {
                failures.push(format!("{label}: {name}"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn theory_meets_simulation() {
    suite(1, 40);
}

#[test]
#[ignore = "minutes: twice the sizes, 400 draws"]
fn theory_meets_simulation_at_larger_sizes() {
    suite(1, 400);
    suite(2, 400);
}
