//! The stability map of SGD: largest learning rate against batch size, for samples and features in every
//! order. Small batches are limited by noise (rate ∝ B), large ones by curvature (Atanasov, Bordelon,
//! Zavatone-Veth, Paquette, Pehlevan, arXiv:2502.05074).
//!
//! `cargo run --release -p rmt-examples --example sgd_stability_map`

use rmt_examples::{Axis, Content, Role, curve, draw, numbers, table, task};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stability = task("sgd_stability")?;
    let batches: Vec<usize> = (0..12).map(|i| 1 << i).collect();
    let sizes: Vec<f64> = batches.iter().map(|b| *b as f64).collect();
    let problems = [(None, None), (Some(100), None), (Some(1000), None), (Some(400), Some(100))];
    let mut rows: Vec<Vec<f64>> = sizes.iter().map(|b| vec![*b]).collect();
    let mut series = Vec::new();
    for (quantity, (n, width)) in problems.into_iter().enumerate() {
        let mut inputs = json!({
            "spectrum": {"kind": "power_law", "p": 200, "alpha": 0.8},
            "batch_sizes": batches
        });
        for (key, size) in [("n", n), ("width", width)] {
            if let Some(size) = size {
                inputs[key] = json!(size);
            }
        }
        let out = stability.evaluate(&inputs)?;
        let rates = numbers(&out, "max_learning_rate_by_batch");
        let text = |size: Option<i32>| size.map_or("∞".to_owned(), |x| x.to_string());
        let name = format!("n = {}, m = {}", text(n), text(width));
        let critical = out.number("critical_batch_size").unwrap_or(f64::INFINITY);
        println!("{name}: noise limits batches up to {critical:.1}, curvature larger ones");
        for (row, rate) in rows.iter_mut().zip(&rates) {
            row.push(*rate);
        }
        series.push(curve(&name, Role::Theory, quantity, &sizes, rates));
    }
    println!("largest stable learning rate");
    table(&["batch size", "one pass", "n = 100", "n = 1000", "n=400, m=100"], &rows);
    let axes = [Axis::new("batch size", true), Axis::new("largest stable learning rate", true)];
    let content = Content::Curves { series, marks: Vec::new() };
    Ok(draw("sgd_stability_map", "Stability of SGD", axes, content)?)
}
