//! Strong model collapse: test error against the number of samples for several fixed shares of
//! synthetic data, and the floors it runs into (Dohmatob, Feng, Subramonian, Kempe,
//! arXiv:2410.04840). `cargo run --release -p rmt-models --example collapse_floor` prints CSV.

use rmt_core::Modes;
use rmt_models::groups::{Covariance, Populations, Sample, Source};

fn main() -> rmt_models::Result<()> {
    let p = 200;
    let spectrum = Modes::PowerLaw { p, alpha: 0.6, scale: 2.0, reversed: false };
    let sources = [
        Source::Shared(vec![1.0 / p as f64; p]),
        Source::Own { group: 1, variance: vec![0.5 / p as f64; p] },
    ];
    let covariance = Covariance::Diagonal(spectrum);
    let populations = Populations::new(&[covariance.clone(), covariance], &sources)?;
    let lambda = 1e-3;
    println!("synthetic_share,n,risk,price_of_synthetic_labels,floor");
    for share in [0.0, 0.01, 0.1, 0.5] {
        let samples = |n: f64| {
            [(1.0 - share) * n, share * n].map(|n| Sample { n, weight: 1.0, noise_variance: 0.1 })
        };
        let many = populations.mixture(&samples(1.0), None)?.of_infinitely_many_samples();
        let floor = many.solve(lambda)?.risks()?.bias[1][0];
        for i in 0..25 {
            let n = (40.0 * 10.0_f64.powf(f64::from(i) / 6.0)).round();
            let risks = populations.mixture(&samples(n), None)?.solve(lambda)?.risks()?;
            println!("{share},{n},{:.6e},{:.6e},{floor:.6e}", risks.risk()[0], risks.bias[1][0]);
        }
    }
    Ok(())
}
