//! The compute-optimal frontier: for each compute f = τ·m the width that minimises the risk of one-pass
//! training on a power law, beside the exponents of the linear program.
//!
//! `cargo run --release -p rmt-models --example sgd_compute_frontier` prints a table in CSV.

use rmt_models::tasks;
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (a, b) = (1.5, 2.0);
    let tasks = tasks();
    let find = |name: &str| tasks.iter().find(|t| t.card().name == name).ok_or("no such task");
    let law = find("sgd_scaling")?
        .evaluate(&json!({"spectrum_exponent": a, "signal_exponent": b, "full_batch": true}))?;
    let exponent = |name| law.number(name).unwrap_or(f64::NAN);
    let sgd = find("sgd")?;
    let risk = |width: f64, time: f64| -> Result<f64, rmt_task::TaskError> {
        let out = sgd.evaluate(&json!({
            "spectrum": {"kind": "power_law", "p": 5000, "alpha": a},
            "target": {"kind": "power_law", "p": 5000, "alpha": b - a},
            "width": width, "gradient_flow": true, "times": [time]
        }))?;
        Ok(out.get("risk").and_then(|v| v.as_numbers()).map_or(f64::NAN, |v| v[0]))
    };
    println!("compute,width,time,risk,slope_of_risk");
    let mut before: Option<(f64, f64)> = None;
    for decade in 6..=12 {
        let compute = 10f64.powf(f64::from(decade) / 2.0);
        let mut best = (f64::NAN, f64::INFINITY);
        for step in 0..24 {
            let width = 4.0 * 1.25_f64.powi(step);
            let value = risk(width, compute / width)?;
            if value < best.1 {
                best = (width, value);
            }
        }
        let slope = before.map(|(f, r)| (best.1 / r).ln() / (compute / f).ln());
        println!(
            "{compute:.3e},{:.1},{:.1},{:.5e},{}",
            best.0,
            compute / best.0,
            best.1,
            slope.map_or(String::new(), |s| format!("{s:.3}"))
        );
        before = Some((compute, best.1));
    }
    eprintln!(
        "linear program: m* = f^{:.3}, R = f^-{:.3}",
        exponent("optimal_width_exponent"),
        exponent("optimal_risk_exponent")
    );
    Ok(())
}
