//! Effective ridges of large spectra, one pass over a spectrum, densities on the real axis.
//! The peers run in `peers/core.py`, on the same inputs.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use rmt_core::{
    AnyStage, DeterministicEquivalent, Modes, Population, SampleCovariance, Samples, df_sums,
    df_sums_scalar,
};
use std::hint::black_box;

fn iid(n: f64) -> Vec<Box<dyn AnyStage>> {
    vec![Box::new(Samples::new(n).expect("n > 0"))]
}

/// κ at 200 ridges of a list of 10⁶ eigenvalues, everything from the list on included.
fn kappa_path(c: &mut Criterion) {
    let p = 1_000_000;
    let spectrum = Modes::Explicit((1..=p).map(|i| (i as f64).powf(-1.5)).collect());
    let law = Modes::PowerLaw { p, alpha: 1.5, scale: 1.0, reversed: false };
    let lambdas: Vec<f64> = (0..200).map(|i| 10f64.powf(-8.0 + 8.0 * i as f64 / 199.0)).collect();
    let solve = |modes: &Modes| {
        let population = Population::new(modes).expect("a spectrum");
        let chain = DeterministicEquivalent::new(&population, iid(10_000.0)).expect("a chain");
        chain.path(&lambdas).expect("solutions").last().map(|s| s.kappa())
    };
    let mut group = c.benchmark_group("kappa of 1e6 modes at 200 ridges");
    group.sample_size(10);
    group.bench_function("listed", |b| b.iter(|| solve(black_box(&spectrum))));
    group.bench_function("power law", |b| b.iter(|| solve(black_box(&law))));
    group.finish();
}

/// Σ s/(s+κ) and Σ s²/(s+κ)² in one pass, beside a plain sum of the same vector.
fn one_pass(c: &mut Criterion) {
    let s: Vec<f64> = (1..=1_000_000).map(|i| f64::from(i).powf(-1.5)).collect();
    let mut group = c.benchmark_group("one pass over 1e6 modes");
    group.bench_function("df_sums", |b| b.iter(|| df_sums(black_box(&s), 1e-6)));
    group.bench_function("df_sums_scalar", |b| b.iter(|| df_sums_scalar(black_box(&s), 1e-6)));
    group.bench_function("plain sum", |b| {
        b.iter(|| {
            // Eight running sums: the fastest plain loop, limited by memory.
            let mut lanes = [0.0_f64; 8];
            for chunk in black_box(&s).chunks_exact(8) {
                for (lane, x) in lanes.iter_mut().zip(chunk) {
                    *lane += x;
                }
            }
            lanes.iter().sum::<f64>()
        })
    });
    group.finish();
}

/// Marchenko–Pastur ⊠ 1000 atoms: density at 200 points on the real axis itself, and the support.
fn density(c: &mut Criterion) {
    let spectrum = Modes::Explicit((0..1000).map(|i| 0.5 + 2.0 * f64::from(i) / 999.0).collect());
    let population = Population::new(&spectrum).expect("a spectrum");
    let chain = DeterministicEquivalent::new(&population, iid(2000.0)).expect("a chain");
    let edges = SampleCovariance::independent(&population, 2000.0).edges();
    let (low, high) = (edges[0], edges[edges.len() - 1]);
    let points: Vec<f64> =
        (0..200).map(|i| low + (high - low) * (f64::from(i) + 0.5) / 200.0).collect();
    let mut group = c.benchmark_group("Marchenko-Pastur times 1000 atoms");
    group.bench_function("density at 200 points", |b| {
        b.iter(|| chain.density(black_box(&points)).expect("densities"))
    });
    group.bench_function("support edges", |b| {
        b.iter(|| SampleCovariance::independent(black_box(&population), 2000.0).edges())
    });
    group.finish();
}

criterion_group!(benches, kappa_path, one_pass, density);
criterion_main!(benches);
