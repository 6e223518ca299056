//! Risk against the norm of the estimator as the width grows: down, up the upper branch to infinity at
//! width = samples, and back along an exact straight line 2(σ² + H) below it (Wang, Chen, Rosasco, Liu,
//! arXiv:2502.01585).
//!
//! `cargo run --release -p rmt-examples --example risk_norm_curve`

use rmt_examples::{Axis, Content, Role, column, curve, draw, numbers, table, task};
use serde_json::json;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let base = json!({"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.2},
        "target": {"kind": "power_law", "p": 200, "alpha": 0.5}, "noise_variance": 0.3, "n": 100});
    let line = task("norm_line")?.evaluate(&base)?;
    let slope = line.number("slope").unwrap_or_default();
    let intercept = line.number("risk_intercept").unwrap_or_default();
    let mut rows = Vec::new();
    let mut curves = Vec::new();
    // Both branches end where the norm diverges.
    let branches =
        [("width < n", Role::Theory, 4.0, 80.0, 60), ("width > n", Role::Theory, 125.0, 1e5, 60)];
    for (quantity, (name, role, from, to, points)) in branches.into_iter().enumerate() {
        let mut inputs = base.clone();
        for (key, value) in [
            ("lambda", json!(0.0)),
            ("knob", json!("width")),
            ("from", json!(from)),
            ("to", json!(to)),
            ("points", json!(points)),
        ] {
            inputs[key] = value;
        }
        let out = task("norm_curve")?.evaluate(&inputs)?;
        let (width, norm, risk) =
            (numbers(&out, "knob_values"), numbers(&out, "norm"), numbers(&out, "risk"));
        for i in 0..width.len() {
            rows.push(vec![width[i], norm[i], risk[i], risk[i] - slope * norm[i] - intercept]);
        }
        curves.push(curve(name, role, quantity, &norm, risk));
        for note in out.notes() {
            println!("{name}: {note}");
        }
    }
    println!(
        "The last column is the height above the line R = kN + const: zero for widths above 100."
    );
    table(&["width", "norm", "risk", "above line"], &rows);
    // A fixed ridge rounds the tip.
    let mut ridge = base.clone();
    for (key, value) in [
        ("lambda", json!(1e-3)),
        ("knob", json!("width")),
        ("from", json!(4)),
        ("to", json!(1e5)),
        ("points", json!(120)),
    ] {
        ridge[key] = value;
    }
    let out = task("norm_curve")?.evaluate(&ridge)?;
    curves.push(curve(
        "λ = 0.001",
        Role::Alternative,
        2,
        &numbers(&out, "norm"),
        numbers(&out, "risk"),
    ));
    let largest = column(&rows, 1).into_iter().fold(0.0, f64::max);
    println!("norms up to {largest:.1}; the branches go on to infinity");
    let axes = [Axis::new("squared norm of the estimator", false), Axis::new("excess risk", false)];
    let content = Content::Curves { series: curves, marks: Vec::new() };
    Ok(draw("risk_norm_curve", "Risk against norm, ridgeless, 100 samples", axes, content)?)
}
