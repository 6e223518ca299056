//! Multi-pass SGD with batches of 8 on 100 samples: exact risk and train loss beside 20 actual runs
//! (Atanasov, Bordelon, Zavatone-Veth, Paquette, Pehlevan, arXiv:2502.05074).
//!
//! `cargo run --release -p rmt-examples --example sgd_multi_pass`

use rmt_examples::{Axis, Content, Role, curve, draw, mean, numbers, simulated, table, task};
use rmt_task::{Draw, Observables};
use serde_json::json;

const DRAWS: u64 = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let grid = |count: i32| {
        let mut times: Vec<f64> =
            (0..=count).map(|i| 3000.0_f64.powf(f64::from(i) / f64::from(count)).round()).collect();
        times.dedup();
        times
    };
    let inputs = |times: &[f64]| {
        json!({
            "spectrum": {"kind": "power_law", "p": 200, "alpha": 0.8},
            "target": {"kind": "power_law", "p": 200, "alpha": 1.0, "total": 1.0},
            "n": 100, "learning_rate": 0.2, "batch_size": 8, "noise_variance": 0.05, "times": times
        })
    };
    let sgd = task("sgd")?;
    let (fine, coarse) = (grid(100), grid(14));
    let theory = sgd.evaluate(&inputs(&fine))?;
    let there = sgd.evaluate(&inputs(&coarse))?;
    let runs: Vec<Observables> = (0..DRAWS)
        .map(|index| sgd.draw(&inputs(&coarse), Draw { seed: 0, index }))
        .collect::<Result<_, _>>()?;
    let mut series = Vec::new();
    let mut rows: Vec<Vec<f64>> = coarse.iter().map(|t| vec![*t]).collect();
    for (quantity, (key, name)) in
        [("risk", "excess risk"), ("train_loss", "train loss")].into_iter().enumerate()
    {
        series.push(curve(name, Role::Theory, quantity, &fine, numbers(&theory, key)));
        let measured: Vec<(f64, f64)> = (0..coarse.len())
            .map(|i| mean(&runs.iter().map(|run| numbers(run, key)[i]).collect::<Vec<f64>>()))
            .collect();
        for (i, row) in rows.iter_mut().enumerate() {
            row.extend([numbers(&there, key)[i], measured[i].0, measured[i].1]);
        }
        let (means, errors): (Vec<f64>, Vec<f64>) = measured.into_iter().unzip();
        series.push(simulated(&format!("{name}, simulated"), quantity, &coarse, means, &errors));
    }
    table(&["step", "risk", "simulated", "s.e.", "train loss", "simulated", "s.e."], &rows);
    let number = |name| theory.number(name).unwrap_or(f64::NAN);
    println!(
        "best stopped at step {} with risk {:.4}; trained to the end: {:.4}",
        number("early_stopping_time"),
        number("early_stopping_risk"),
        number("limit_risk")
    );
    let axes = [Axis::new("step", true), Axis::new("loss", true)];
    let content = Content::Curves { series, marks: Vec::new() };
    Ok(draw("sgd_multi_pass", "Multi-pass SGD, 100 samples, batches of 8", axes, content)?)
}
