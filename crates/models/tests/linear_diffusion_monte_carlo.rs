//! Linear diffusion models against finite-size experiments. Seeds 0, 1, … and draw counts are fixed;
//! every quantity that a draw measures is compared: 3 standard errors, and 3/N for a theory of leading
//! order.

use rmt_task::{Draw, Registration, Value};
use serde_json::{Value as Json, json};

fn task() -> Registration {
    let tasks = rmt_models::tasks();
    tasks.into_iter().find(|t| t.card().name == "linear_diffusion").expect("registered")
}

fn list(value: &Value) -> Vec<f64> {
    value.as_numbers().or_else(|| value.as_number().map(|x| vec![x])).unwrap_or_default()
}

/// Prints every quantity with its z-score; returns how many lie outside.
fn compare(inputs: &Json, draws: u64, seed: u64) -> usize {
    let theory = task().evaluate(inputs).unwrap();
    let results: Vec<_> =
        (0..draws).map(|index| task().draw(inputs, Draw { seed, index }).unwrap()).collect();
    let smallest = inputs["n"].as_f64().unwrap().min(inputs["n_other"].as_f64().unwrap_or(1e9));
    let (mut outside, mut compared) = (0, 0);
    let (mut squares, mut sharp) = (0.0, 0);
    for (name, value) in theory.iter() {
        let Some(first) = results[0].get(name) else { continue };
        let expected = list(value);
        for (i, expected) in expected.iter().enumerate().take(list(first).len()) {
            let values: Vec<f64> = results.iter().map(|r| list(r.get(name).unwrap())[i]).collect();
            let count = draws as f64;
            let mean = values.iter().sum::<f64>() / count;
            let spread = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            let mut error = (spread / (count - 1.0) / count).sqrt();
            // Half a squared difference of two Gaussian outputs is χ²₁ times the variance: its spread
            // is known, and the one measured from few draws is small whenever the mean is.
            if name.ends_with("variance_by_mode") && !name.starts_with("generated") {
                error = error.max(expected * (2.0 / count).sqrt());
            }
            let gap = (mean - expected).abs();
            compared += 1;
            if name.ends_with("finite_size") && error > 0.0 {
                squares += (gap / error).powi(2);
                sharp += 1;
            }
            if gap > 3.0 * error + 3.0 / smallest * expected.abs() {
                outside += 1;
                println!("OUTSIDE {name}[{i}]: {mean} ± {error} against {expected}");
            }
            if i == 0 {
                println!(
                    "{name}: {mean:.6} ± {error:.6}, theory {expected:.6}, z {:.2}",
                    gap / error
                );
            }
        }
    }
    let rms = (squares / f64::from(sharp.max(1))).sqrt();
    println!("{compared} compared, {outside} outside; finite-size rms z {rms:.2}\n");
    assert!(compared > 20);
    outside
}

fn inputs(p: usize, alpha: f64, n: u32, mean: &str) -> Json {
    json!({
        "spectrum": {"kind": "power_law", "p": p, "alpha": alpha, "scale": 1.0},
        "n": n, "mean": mean, "sigma": 0.15, "sigma_min": 0.002, "sigma_max": 80.0,
        "sigma_cross": 0.5, "modes": [1, 2, p / 8, p / 2, p],
    })
}

#[test]
fn small_experiments() {
    let mut outside = 0;
    for (n, mean) in [(30, "mle"), (90, "unbiased")] {
        outside += compare(&inputs(48, 1.0, n, mean), 60, 0);
    }
    let mut shared = inputs(48, 1.0, 40, "known");
    shared["n_other"] = json!(60);
    shared["shared_samples"] = json!(25);
    outside += compare(&shared, 60, 1);
    for kind in ["euler", "heun"] {
        outside += compare(&stepped(inputs(48, 1.0, 40, "mle"), kind), 60, 2);
    }
    assert_eq!(outside, 0);
}

/// A sampler of few steps with a last one to zero.
fn stepped(mut inputs: Json, kind: &str) -> Json {
    inputs["sampler"] = json!({"kind": kind, "steps": 12, "to_zero": true});
    inputs.as_object_mut().unwrap().remove("sigma_cross");
    inputs
}

/// The counts of the acceptance list.
#[test]
#[ignore = "a minute with --release"]
fn full_experiments() {
    let mut outside = 0;
    for (seed, n) in [50, 200, 800].into_iter().enumerate() {
        for (alpha, mean) in [(0.0, "known"), (1.0, "unbiased"), (1.5, "mle")] {
            println!("p = 200, n = {n}, alpha = {alpha}, mean = {mean}");
            outside += compare(&inputs(200, alpha, n, mean), 100, seed as u64);
        }
        let mut shared = inputs(200, 1.0, n, "known");
        shared["n_other"] = json!(n + n / 2);
        shared["shared_samples"] = json!(n / 2);
        println!("p = 200, n = {n} and {}, {} shared", n + n / 2, n / 2);
        outside += compare(&shared, 100, 10 + seed as u64);
        for kind in ["euler", "heun"] {
            println!("p = 200, n = {n}, {kind}, 12 steps");
            outside += compare(&stepped(inputs(200, 1.0, n, "mle"), kind), 100, 20 + seed as u64);
        }
    }
    assert_eq!(outside, 0);
}
