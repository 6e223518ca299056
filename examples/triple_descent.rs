//! Triple descent: tanh features of isotropic inputs peak twice as samples grow, near n = p where the linear
//! part interpolates, and at n = m where the features do.
//!
//! `cargo run --release -p rmt-examples --example triple_descent`

use rmt_core::Modes;
use rmt_models::ActivationFunction;
use rmt_models::random_features::{FeatureRegression, Setting, Target};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let p = 100;
    let mut rows = Vec::new();
    for step in 0..=36 {
        let n = (20.0 * 1.12_f64.powi(step)).round();
        let mut row = vec![n];
        for activation in [ActivationFunction::Tanh, ActivationFunction::Relu] {
            let setting = Setting {
                noise_variance: 1.0,
                n: Some(n),
                widths: vec![400.0],
                activations: vec![activation],
                ..Setting::new(
                    Modes::Constant { p, value: 1.0 },
                    Target::Coefficients(Modes::Constant { p, value: 1.0 / p as f64 }),
                )
            };
            row.push(FeatureRegression::new(&setting)?.predict(1e-5)?.risk);
        }
        rows.push(row);
    }
    println!("400 nonlinear features of 100 inputs, noise 1, λ = 1e-5");
    Ok(rmt_examples::table("triple_descent", &["samples", "risk tanh", "risk relu"], &rows)?)
}
