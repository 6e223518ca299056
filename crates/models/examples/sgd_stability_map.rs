//! The stability map of SGD: largest learning rate against batch size, for samples and features in every
//! order. Small batches are limited by noise (rate ∝ B), large ones by curvature.
//!
//! `cargo run --release -p rmt-models --example sgd_stability_map` prints a table in CSV.

use rmt_models::tasks;
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tasks = tasks();
    let task =
        tasks.iter().find(|t| t.card().name == "sgd_stability").ok_or("no task `sgd_stability`")?;
    let batches: Vec<usize> = (0..12).map(|i| 1 << i).collect();
    println!("n,width,batch_size,max_learning_rate,binding");
    for (n, width) in [(None, None), (Some(100), None), (Some(1000), None), (Some(400), Some(100))]
    {
        let mut inputs = json!({
            "spectrum": {"kind": "power_law", "p": 200, "alpha": 0.8},
            "batch_sizes": batches
        });
        for (key, size) in [("n", n), ("width", width)] {
            if let Some(size) = size {
                inputs[key] = json!(size);
            }
        }
        let out = task.evaluate(&inputs)?;
        let rates =
            out.get("max_learning_rate_by_batch").and_then(|v| v.as_numbers()).unwrap_or_default();
        let text = |size: Option<i32>| size.map_or("inf".to_owned(), |x| x.to_string());
        let critical = out.number("critical_batch_size").unwrap_or(f64::INFINITY);
        for (batch, rate) in batches.iter().zip(rates) {
            let binding = if (*batch as f64) < critical { "noise" } else { "curvature" };
            println!("{},{},{batch},{rate:.6},{binding}", text(n), text(width));
        }
        eprintln!(
            "n = {}, m = {}: noise limits up to batches of {critical:.1}",
            text(n),
            text(width)
        );
    }
    Ok(())
}
