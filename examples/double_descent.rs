//! Double descent of random features in their width, taken apart: the peak at width = samples is the
//! variance that features share with data and noise; the bias just falls.
//!
//! `cargo run --release -p rmt-examples --example double_descent`

use rmt_core::Modes;
use rmt_models::random_features::{FeatureRegression, Setting, Target};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let law = |alpha| Modes::PowerLaw { p: 400, alpha, scale: 1.0, reversed: false };
    let mut rows = Vec::new();
    for width in
        [10.0, 25.0, 50.0, 75.0, 90.0, 98.0, 102.0, 110.0, 130.0, 200.0, 400.0, 1000.0, 10000.0]
    {
        let setting = Setting {
            noise_variance: 0.2,
            n: Some(100.0),
            widths: vec![width],
            ..Setting::new(law(1.3), Target::Coefficients(law(0.6)))
        };
        let at = FeatureRegression::new(&setting)?.predict(0.0)?;
        rows.push(vec![
            width,
            at.risk,
            at.bias,
            at.variance_data,
            at.variance_features,
            at.variance_data_features,
            at.variance_data_noise,
            at.variance_data_features_noise,
        ]);
    }
    println!("Ridgeless random features, 100 samples, 400 modes, noise 0.2");
    let header = [
        "width",
        "risk",
        "bias",
        "V data",
        "V features",
        "V data·feat",
        "V data·noise",
        "V all three",
    ];
    Ok(rmt_examples::table("double_descent", &header, &rows)?)
}
