//! The best weight of synthetic data and what it gains, against the number of real samples: it
//! vanishes as real data become plentiful (Dohmatob, Feng, Subramonian, Kempe, arXiv:2410.04840).
//! `cargo run --release -p rmt-models --example optimal_mixing` prints CSV.

use rmt_models::ModelCollapse;
use rmt_task::{Registration, TaskError};
use serde_json::json;

fn main() -> Result<(), TaskError> {
    let task = Registration::of::<ModelCollapse>();
    println!("n_real,optimal_weight,optimal_risk,plain_mixture,real_only");
    for i in 0..13 {
        let n_real = (30.0 * 10.0_f64.powf(f64::from(i) / 4.0)).round();
        let out = task.evaluate(&json!({
            "n_real": n_real, "n_synthetic": 400, "lambda": 0.02, "optimise_weight": true,
            "covariance_real": {"kind": "power_law", "p": 200, "alpha": 0.6, "scale": 2.0},
            "target_prior": {"kind": "constant", "p": 200, "value": 0.005},
            "shift_prior": {"kind": "linear", "p": 200, "from": 0.0075, "to": 0.0005},
            "noise_variance_real": 0.2, "noise_variance_synthetic": 0.4,
        }))?;
        let number = |name: &str| out.number(name).unwrap_or(f64::NAN);
        println!(
            "{n_real},{:.6},{:.6},{:.6},{:.6}",
            number("optimal_weight"),
            number("optimal_risk"),
            number("risk"),
            number("real_only_risk")
        );
    }
    Ok(())
}
