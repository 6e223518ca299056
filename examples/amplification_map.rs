//! Amplification of disparity over ridge and number of random features, with core features that
//! both groups share and extraneous ones that differ (Subramonian, Bell, Sagun, Dohmatob,
//! arXiv:2410.17263).
//!
//! `cargo run --release -p rmt-examples --example amplification_map`. From the command line such a map is
//! `rmt predict bias_amplification --over lambda=1e-6..10:log:25 --over width=10..1000:log:25`.

use rmt_core::Modes;
use rmt_examples::{Axis, Content, draw, table};
use rmt_models::groups::{Covariance, Populations, Sample, Source};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let levels =
        |core: f64, extra: f64| Modes::Levels { values: vec![core, extra], counts: vec![80, 120] };
    let spectra = [levels(1.0, 0.05), levels(0.6, 1.5)];
    let signal: Vec<f64> = (0..200).map(|i| if i < 80 { 0.0125 } else { 0.0 }).collect();
    let own = signal.iter().map(|v| 0.1 * v).collect();
    let sources = [Source::Shared(signal), Source::Own { group: 1, variance: own }];
    let populations = Populations::new(&spectra.map(Covariance::Diagonal), &sources)?;
    let samples = [180.0, 60.0].map(|n| Sample { n, weight: 1.0, noise_variance: 0.1 });
    let separate = [populations.only(0)?, populations.only(1)?];

    let lambdas: Vec<f64> =
        (0..25).map(|i| 10.0_f64.powf(-6.0 + 7.0 * f64::from(i) / 24.0)).collect();
    let widths: Vec<f64> =
        (0..25).map(|j| (10.0 * 100.0_f64.powf(f64::from(j) / 24.0)).round()).collect();
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for lambda in &lambdas {
        let mut row = Vec::new();
        for width in &widths {
            let joint = populations.mixture(&samples, Some(*width))?;
            let risk = joint.solve(*lambda)?.risks()?.risk();
            let mut alone = [0.0; 2];
            for s in 0..2 {
                let own = separate[s].mixture(&samples[s..=s], Some(*width))?;
                alone[s] = own.solve(*lambda)?.risks()?.risk()[0];
            }
            let amplification = (risk[1] - risk[0]).abs() / (alone[1] - alone[0]).abs();
            rows.push(vec![*lambda, *width, amplification]);
            row.push(amplification);
        }
        values.push(row);
    }
    table(&["lambda", "width", "ADD"], &rows);
    let axes = [Axis::new("width", true), Axis::new("λ", true)];
    let content = Content::Map {
        x: widths,
        y: lambdas,
        values,
        label: "disparity, joint over separate".to_owned(),
    };
    Ok(draw("amplification_map", "Amplification", axes, content)?)
}
