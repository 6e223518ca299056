//! Risk against the norm of the estimator as the width grows: down, up the upper branch to infinity at
//! width = samples, and back along an exact straight line 2(σ² + H) below it.
//!
//! `cargo run --release -p rmt-examples --example risk_norm_curve`

use serde_json::json;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let tasks = rmt_models::tasks();
    let task = |name: &str| tasks.iter().find(|t| t.card().name == name).ok_or("no such task");
    let base = json!({"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.2},
        "target": {"kind": "power_law", "p": 200, "alpha": 0.5}, "noise_variance": 0.3, "n": 100});
    let mut curve = base.clone();
    for (key, value) in [
        ("lambda", json!(0.0)),
        ("knob", json!("width")),
        ("from", json!(5)),
        ("to", json!(5000)),
        ("points", json!(41)),
    ] {
        curve[key] = value;
    }
    let curve = task("norm_curve")?.evaluate(&curve)?;
    let line = task("norm_line")?.evaluate(&base)?;
    let numbers =
        |name: &str| curve.get(name).and_then(rmt_task::Value::as_numbers).unwrap_or_default();
    let slope = line.number("slope").unwrap_or_default();
    let intercept = line.number("risk_intercept").unwrap_or_default();
    let rows: Vec<Vec<f64>> = numbers("knob_values")
        .into_iter()
        .zip(numbers("norm"))
        .zip(numbers("risk"))
        .map(|((width, norm), risk)| vec![width, norm, risk, risk - slope * norm - intercept])
        .collect();
    println!(
        "The last column is the height above the line R = kN + const: zero for widths above 100."
    );
    rmt_examples::table("risk_norm_curve", &["width", "norm", "risk", "above line"], &rows)?;
    for note in curve.notes() {
        println!("{note}");
    }
    Ok(())
}
