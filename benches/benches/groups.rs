//! Ridge regression on two groups: a million joint atoms, and covariances that do not commute.
//! The peers run in `peers/groups.py`, on the same inputs.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use rmt_core::Modes;
use rmt_models::groups::{Basis, Covariance, Populations, Sample, Source};
use std::hint::black_box;

fn samples(n: [f64; 2]) -> [Sample; 2] {
    n.map(|n| Sample { n, weight: 1.0, noise_variance: 0.3 })
}

/// The fixed point and the risks of both groups.
fn risks(populations: &Populations, n: [f64; 2], width: Option<f64>, lambda: f64) -> Vec<f64> {
    let mixture = populations.mixture(&samples(n), width).expect("a mixture");
    mixture.solve(lambda).expect("a solution").risks().expect("risks").risk()
}

fn joint_atoms(c: &mut Criterion) {
    let p = 1_000_000;
    let law = |alpha: f64, reversed: bool| Modes::PowerLaw { p, alpha, scale: 1.0, reversed };
    let covariances = [Covariance::Diagonal(law(1.1, false)), Covariance::Diagonal(law(0.6, true))];
    let sources =
        [Source::Shared(vec![1e-6; p]), Source::Own { group: 1, variance: vec![5e-7; p] }];
    let populations = Populations::new(&covariances, &sources).expect("populations");
    let mut group = c.benchmark_group("two groups, 1e6 joint atoms");
    group.sample_size(20);
    group.bench_function("fixed point and risks", |b| {
        b.iter(|| risks(black_box(&populations), [3e5, 1e5], None, 1e-4))
    });
    group.finish();
}

fn matrices(c: &mut Criterion) {
    let p = 400;
    let covariances = [
        Covariance::Diagonal(Modes::Linear { p, from: 0.1, to: 2.0 }),
        Covariance::Rotated {
            spectrum: Modes::PowerLaw { p, alpha: 0.7, scale: 4.0, reversed: false },
            basis: Basis::HouseholderRamp,
        },
    ];
    let sources = [
        Source::Shared(vec![1.0 / p as f64; p]),
        Source::Own { group: 1, variance: vec![0.5 / p as f64; p] },
    ];
    let populations = Populations::new(&covariances, &sources).expect("populations");
    let mut group = c.benchmark_group("two groups, p = 400, no common eigenbasis");
    group.sample_size(20);
    for (name, width) in [("features themselves", None), ("300 random features", Some(300.0))] {
        group.bench_function(name, |b| {
            b.iter(|| risks(black_box(&populations), [300.0, 180.0], width, 0.03))
        });
    }
    group.finish();
}

criterion_group!(benches, joint_atoms, matrices);
criterion_main!(benches);
