//! Strong model collapse: test error against the number of samples for several fixed shares of
//! synthetic data, and the floors it runs into (Dohmatob, Feng, Subramonian, Kempe,
//! arXiv:2410.04840).
//!
//! `cargo run --release -p rmt-examples --example collapse_floor`

use rmt_core::Modes;
use rmt_examples::{Axis, Content, Role, curve, draw, table};
use rmt_models::groups::{Covariance, Populations, Sample, Source};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let p = 200;
    let spectrum = Modes::PowerLaw { p, alpha: 0.6, scale: 2.0, reversed: false };
    let sources = [
        Source::Shared(vec![1.0 / p as f64; p]),
        Source::Own { group: 1, variance: vec![0.5 / p as f64; p] },
    ];
    let covariance = Covariance::Diagonal(spectrum);
    let populations = Populations::new(&[covariance.clone(), covariance], &sources)?;
    let lambda = 1e-3;
    let sizes: Vec<f64> =
        (0..25).map(|i| (40.0 * 10.0_f64.powf(f64::from(i) / 6.0)).round()).collect();
    let (mut rows, mut series) = (Vec::new(), Vec::new());
    for (quantity, share) in [0.0, 0.01, 0.1, 0.5].into_iter().enumerate() {
        let samples = |n: f64| {
            [(1.0 - share) * n, share * n].map(|n| Sample { n, weight: 1.0, noise_variance: 0.1 })
        };
        let many = populations.mixture(&samples(1.0), None)?.of_infinitely_many_samples();
        let floor = many.solve(lambda)?.risks()?.bias[1][0];
        let mut risk = Vec::new();
        for n in &sizes {
            let at = populations.mixture(&samples(*n), None)?.solve(lambda)?.risks()?;
            risk.push(at.risk()[0]);
            rows.push(vec![share, *n, at.risk()[0], at.bias[1][0], floor]);
        }
        series.push(curve(
            &format!("{} % synthetic", 100.0 * share),
            Role::Theory,
            quantity,
            &sizes,
            risk,
        ));
        if floor > 0.0 {
            let ends = [sizes[0], sizes[sizes.len() - 1]];
            let name = format!("its floor, {} %", 100.0 * share);
            series.push(curve(&name, Role::Alternative, quantity, &ends, vec![floor; 2]));
        }
    }
    table(&["synthetic", "samples", "risk", "label price", "floor"], &rows);
    let axes = [Axis::new("samples", true), Axis::new("risk on real data", true)];
    let content = Content::Curves { series, marks: Vec::new() };
    Ok(draw("collapse_floor", "Model collapse: floors of synthetic data", axes, content)?)
}
