//! Ensembles against one wide model: E feature maps of width M/E on the same data, or one map of width M,
//! each with the ridge that is best for the average (Atanasov, Zavatone-Veth, Pehlevan, arXiv:2405.00592).
//!
//! `cargo run --release -p rmt-examples --example ensembles`

use rmt_core::Modes;
use rmt_examples::{Axis, Content, Role, column, curve, draw, table};
use rmt_models::random_features::{FeatureRegression, Setting, Target};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let members = [1.0, 2.0, 4.0, 16.0];
    let law = |alpha| Modes::PowerLaw { p: 500, alpha, scale: 1.0, reversed: false };
    let base = FeatureRegression::new(&Setting {
        noise_variance: 0.2,
        n: Some(150.0),
        ..Setting::new(law(1.3), Target::Coefficients(law(0.6)))
    })?;
    let mut rows = Vec::new();
    for step in 0..=16 {
        let total = (64.0 * 2.0_f64.powf(0.5 * f64::from(step))).round();
        let mut row = vec![total];
        for count in members {
            let model = base.with_sizes(Some(150.0), &[total / count])?;
            // Explicit in κ: a fine grid needs no solves.
            let mut best = f64::INFINITY;
            for i in 0..600 {
                let at = model.at_shift(10.0_f64.powf(-8.0 + 0.015 * f64::from(i)))?;
                best = best.min(at.ensemble(1.0, count));
            }
            row.push(best);
        }
        rows.push(row);
    }
    println!("150 samples, tuned ridge: risk of the average of E models that share the features");
    table(&["features in all", "E = 1", "E = 2", "E = 4", "E = 16"], &rows);
    let x = column(&rows, 0);
    let series = members
        .iter()
        .enumerate()
        .map(|(i, count)| {
            let name =
                if *count == 1.0 { "one model".to_owned() } else { format!("{count} models") };
            curve(&name, Role::Theory, i, &x, column(&rows, i + 1))
        })
        .collect();
    let axes = [Axis::new("features in all", true), Axis::new("excess risk", true)];
    let content = Content::Curves { series, marks: Vec::new() };
    Ok(draw("ensembles", "Ensembles against one wide model", axes, content)?)
}
