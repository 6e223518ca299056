//! Triple descent: tanh features of isotropic inputs peak twice as samples grow, near n = p where the linear
//! part interpolates, and at n = m where the features do. The nonlinear part of relu is too large for the
//! first peak: it acts as a ridge.
//!
//! `cargo run --release -p rmt-examples --example triple_descent`

use rmt_core::Modes;
use rmt_examples::{Axis, Content, Mark, Role, column, curve, draw, table};
use rmt_models::ActivationFunction;
use rmt_models::random_features::{FeatureRegression, Setting, Target};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let (p, m) = (100, 400.0);
    let model = |activation| {
        FeatureRegression::new(&Setting {
            noise_variance: 1.0,
            widths: vec![m],
            activations: vec![activation],
            ..Setting::new(
                Modes::Constant { p, value: 1.0 },
                Target::Coefficients(Modes::Constant { p, value: 1.0 / p as f64 }),
            )
        })
    };
    let models = [model(ActivationFunction::Tanh)?, model(ActivationFunction::Relu)?];
    let mut rows = Vec::new();
    for step in 0..=72 {
        let n = (20.0 * 1.06_f64.powi(step)).round();
        let mut row = vec![n];
        for model in &models {
            row.push(model.with_sizes(Some(n), &[m])?.predict(1e-7)?.risk);
        }
        rows.push(row);
    }
    println!("400 nonlinear features of 100 inputs, noise 1, λ = 1e-7");
    table(&["samples", "risk tanh", "risk relu"], &rows);
    let x = column(&rows, 0);
    let series = vec![
        curve("tanh", Role::Theory, 0, &x, column(&rows, 1)),
        curve("relu", Role::Theory, 1, &x, column(&rows, 2)),
    ];
    let mark = |x: f64, label: &str| Mark { x, label: label.to_owned() };
    let marks = vec![mark(p as f64, "n = p"), mark(m, "n = m")];
    let axes = [Axis::new("samples", true), Axis::new("excess risk", true)];
    let content = Content::Curves { series, marks };
    Ok(draw("triple_descent", "Triple descent of nonlinear features", axes, content)?)
}
