//! Multi-pass SGD with batches of 8 on 100 samples: exact risk and train loss beside 20 actual runs.
//!
//! `cargo run --release -p rmt-models --example sgd_multi_pass` prints a table in CSV.

use rmt_models::tasks;
use rmt_task::{Draw, Observables};
use serde_json::json;

const DRAWS: u64 = 20;

fn curve(out: &Observables, name: &str) -> Vec<f64> {
    out.get(name).and_then(|v| v.as_numbers()).unwrap_or_default()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let times = [0.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0];
    let inputs = json!({
        "spectrum": {"kind": "power_law", "p": 200, "alpha": 0.8},
        "target": {"kind": "power_law", "p": 200, "alpha": 1.0, "total": 1.0},
        "n": 100, "learning_rate": 0.2, "batch_size": 8, "noise_variance": 0.05, "times": times
    });
    let tasks = tasks();
    let sgd = tasks.iter().find(|t| t.card().name == "sgd").ok_or("no task `sgd`")?;
    let theory = sgd.evaluate(&inputs)?;
    let runs: Vec<Observables> = (0..DRAWS)
        .map(|index| sgd.draw(&inputs, Draw { seed: 0, index }))
        .collect::<Result<_, _>>()?;
    println!("step,risk,risk_simulated,risk_stderr,train_loss,train_simulated,train_stderr");
    for (i, time) in times.iter().enumerate() {
        print!("{time}");
        for name in ["risk", "train_loss"] {
            let values: Vec<f64> = runs.iter().map(|run| curve(run, name)[i]).collect();
            let count = DRAWS as f64;
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0);
            print!(",{:.5e},{mean:.5e},{:.1e}", curve(&theory, name)[i], (variance / count).sqrt());
        }
        println!();
    }
    let number = |name| theory.number(name).unwrap_or(f64::NAN);
    eprintln!(
        "best stopped at step {} with risk {:.4}; trained to the end: {:.4}",
        number("early_stopping_time"),
        number("early_stopping_risk"),
        number("limit_risk")
    );
    Ok(())
}
