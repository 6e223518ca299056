//! Ensembles against one wide model: E feature maps of width m/E, or one map of width m, the ridge tuned for
//! each single model.
//!
//! `cargo run --release -p rmt-examples --example ensembles`

use serde_json::json;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let tasks = rmt_models::tasks();
    let task = |name: &str| tasks.iter().find(|t| t.card().name == name).ok_or("no such task");
    let (tune, predict) = (task("random_features_optimal")?, task("random_features")?);
    let mut rows = Vec::new();
    for members in [1u32, 2, 4, 8, 16] {
        let width = 800.0 / f64::from(members);
        let mut inputs = json!({"spectrum": {"kind": "power_law", "p": 500, "alpha": 1.3},
            "target": {"kind": "power_law", "p": 500, "alpha": 0.6}, "noise_variance": 0.2,
            "n": 150, "widths": [width]});
        let best = tune.evaluate(&inputs)?;
        let lambda = best.number("optimal_lambda").unwrap_or_default();
        inputs["lambda"] = json!(lambda);
        inputs["ensemble_sizes"] = json!([members]);
        let at = predict.evaluate(&inputs)?;
        let average =
            at.get("ensemble_risk").and_then(rmt_task::Value::as_numbers).unwrap_or_default();
        rows.push(vec![
            f64::from(members),
            width,
            lambda,
            at.number("risk").unwrap_or_default(),
            average[0],
        ]);
    }
    println!("800 features in all, 150 samples: one wide model against averages of narrow ones");
    Ok(rmt_examples::table(
        "ensembles",
        &["members", "width", "lambda", "risk of one", "risk of all"],
        &rows,
    )?)
}
