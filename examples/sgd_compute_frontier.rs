//! The compute-optimal frontier: for each compute f = τ·m the width that minimises the risk of one-pass
//! training on a power law, beside the exponents of the linear program (Bordelon, Atanasov, Pehlevan,
//! arXiv:2402.01092; Paquette, Paquette, Xiao, Pennington, arXiv:2405.15074).
//!
//! `cargo run --release -p rmt-examples --example sgd_compute_frontier`

use rmt_examples::{Axis, Content, Role, column, curve, draw, numbers, table, task};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (a, b) = (1.5, 2.0);
    let law = task("sgd_scaling")?
        .evaluate(&json!({"spectrum_exponent": a, "signal_exponent": b, "full_batch": true}))?;
    let exponent = |name| law.number(name).unwrap_or(f64::NAN);
    let sgd = task("sgd")?;
    let computes: Vec<f64> = (0..=24).map(|i| 10.0_f64.powf(3.0 + 0.125 * f64::from(i))).collect();
    let widths: Vec<f64> = (0..27).map(|i| 4.0 * 1.25_f64.powi(i)).collect();
    let mut risks = Vec::new();
    for width in &widths {
        let times: Vec<f64> = computes.iter().map(|f| f / width).collect();
        let out = sgd.evaluate(&json!({
            "spectrum": {"kind": "power_law", "p": 5000, "alpha": a},
            "target": {"kind": "power_law", "p": 5000, "alpha": b - a},
            "width": width, "gradient_flow": true, "times": times
        }))?;
        risks.push(numbers(&out, "risk"));
    }
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for (i, compute) in computes.iter().enumerate() {
        let at = |j: &usize| risks[*j][i];
        let best = (0..widths.len()).min_by(|j, k| at(j).total_cmp(&at(k))).unwrap_or(0);
        let risk = at(&best);
        let slope = rows.last().map_or(f64::NAN, |r| (risk / r[3]).ln() / (compute / r[0]).ln());
        rows.push(vec![*compute, widths[best], compute / widths[best], risk, slope]);
    }
    table(&["compute", "width", "time", "risk", "slope"], &rows);
    let rate = exponent("optimal_risk_exponent");
    println!("linear program: m* = f^{:.3}, R = f^-{rate:.3}", exponent("optimal_width_exponent"));
    let mut series: Vec<_> = (2..27)
        .step_by(5)
        .enumerate()
        .map(|(quantity, j)| {
            curve(
                &format!("width {:.0}", widths[j]),
                Role::Theory,
                quantity,
                &computes,
                risks[j].clone(),
            )
        })
        .collect();
    let frontier = column(&rows, 3);
    let (end, last) = (computes[24], frontier[24]);
    let power = computes.iter().map(|f| last * (f / end).powf(-rate)).collect();
    series.push(curve("best width", Role::Theory, 6, &computes, frontier));
    series.push(curve("power of the linear program", Role::Alternative, 6, &computes, power));
    let axes = [Axis::new("compute, time × width", true), Axis::new("excess risk", true)];
    let content = Content::Curves { series, marks: Vec::new() };
    Ok(draw("sgd_compute_frontier", "Compute-optimal width", axes, content)?)
}
