//! The best weight of synthetic data and what it gains, against the number of real samples: it
//! vanishes as real data become plentiful (Dohmatob, Feng, Subramonian, Kempe, arXiv:2410.04840).
//!
//! `cargo run --release -p rmt-examples --example optimal_mixing`

use rmt_examples::{Axis, Content, Role, column, curve, draw, table, task};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let collapse = task("model_collapse")?;
    let mut rows = Vec::new();
    for i in 0..25 {
        let n_real = (30.0 * 10.0_f64.powf(f64::from(i) / 8.0)).round();
        let out = collapse.evaluate(&json!({
            "n_real": n_real, "n_synthetic": 400, "lambda": 0.02, "optimise_weight": true,
            "covariance_real": {"kind": "power_law", "p": 200, "alpha": 0.6, "scale": 2.0},
            "target_prior": {"kind": "constant", "p": 200, "value": 0.005},
            "shift_prior": {"kind": "linear", "p": 200, "from": 0.0075, "to": 0.0005},
            "noise_variance_real": 0.2, "noise_variance_synthetic": 0.4,
        }))?;
        let number = |name: &str| out.number(name).unwrap_or(f64::NAN);
        let names = ["optimal_weight", "optimal_risk", "risk", "real_only_risk"];
        rows.push(std::iter::once(n_real).chain(names.map(number)).collect::<Vec<f64>>());
    }
    table(&["real samples", "best weight", "its risk", "plain mixture", "real only"], &rows);
    let x = column(&rows, 0);
    let series = vec![
        curve("best weight of synthetic data", Role::Theory, 0, &x, column(&rows, 2)),
        curve("plain mixture", Role::Theory, 1, &x, column(&rows, 3)),
        curve("real data only", Role::Theory, 2, &x, column(&rows, 4)),
    ];
    let axes = [
        Axis::new("real samples, beside 400 synthetic ones", true),
        Axis::new("risk on real data", true),
    ];
    let content = Content::Curves { series, marks: Vec::new() };
    Ok(draw("optimal_mixing", "Mixing in synthetic data", axes, content)?)
}
