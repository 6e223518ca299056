//! Ridge regression from data: paths of ridges, many targets, cross-validation without refits.
//! The peers run in `peers/regression.py`, on data of the same sizes.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use faer::{Mat, Side};
use rmt_estimators::{Criteria, Folds, Options, Regression, Table};
use rmt_models::kernel::{Family, SampleCorrelation};
use std::hint::black_box;

/// Numbers of mean 0 and variance 1 without a random generator: a linear congruence, uniform.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 / (1u64 << 53) as f64 - 0.5) * 12f64.sqrt()
        })
        .collect()
}

/// 30 ridges with training error, GCV, GCV₂ and CorrGCV, beside one Gram matrix and its
/// eigendecomposition by the same library.
fn path(c: &mut Criterion) {
    // As the command line and Python do.
    rmt_estimators::threads::fix_parts();
    for (n, p) in [(1000, 1000), (2000, 500)] {
        let (x, y) = (numbers(n * p, 1), numbers(n, 2));
        let kernel =
            SampleCorrelation::from(Family::Exponential { length: 5.0 }).kernel(n).unwrap();
        let plain = Options { intercept: false, ..Options::default() };
        let fit = |options: &Options| {
            let table = Table::new(&x, n, p).unwrap();
            let data = Regression::new(table, Table::column(&y), options).unwrap();
            let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
            data.path(&data.grid(30), &criteria).unwrap()
        };
        let mut group = c.benchmark_group(format!("path of 30 ridges, {n}x{p}"));
        group.sample_size(10);
        group.bench_function("without intercept", |b| b.iter(|| fit(black_box(&plain))));
        group.bench_function("with intercept", |b| b.iter(|| fit(black_box(&Options::default()))));
        let matrix = Mat::from_fn(n, p, |i, j| x[i * p + j]);
        group.bench_function("Gram matrix and eigendecomposition", |b| {
            b.iter(|| {
                let gram =
                    if p < n { matrix.transpose() * &matrix } else { &matrix * matrix.transpose() };
                gram.self_adjoint_eigen(Side::Lower).map(|e| e.S()[0])
            });
        });
        let table = Table::new(&x, n, p).unwrap();
        let data = Regression::new(table, Table::column(&y), &plain).unwrap();
        let lambdas = data.grid(30);
        let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
        group.bench_function("beyond the decomposition", |b| {
            b.iter(|| data.path(black_box(&lambdas), &criteria).map(|p| p.df1[0]));
        });
        let folds = Folds::blocks(n, 10, 0).unwrap();
        let blocked = Criteria { folds: vec![&folds], ..Criteria::default() };
        group.bench_function("ten exact blocks, all in", |b| {
            b.iter(|| {
                let data = Regression::new(table, Table::column(&y), &plain).unwrap();
                data.path(black_box(&lambdas), &blocked).map(|p| p.df1[0])
            });
        });
        group.finish();
    }
}

/// 1000 targets, 20 ridges, leave-one-out, ten blocks and CorrGCV of each.
fn targets(c: &mut Criterion) {
    let (n, p, q) = (1000, 1000, 1000);
    let (x, y) = (numbers(n * p, 1), numbers(n * q, 2));
    let kernel = SampleCorrelation::from(Family::Exponential { length: 5.0 }).kernel(n).unwrap();
    let folds = Folds::blocks(n, 10, 0).unwrap();
    let mut group = c.benchmark_group("1000 targets, 20 ridges, 1000x1000");
    group.sample_size(10);
    group.bench_function("LOO, blocks, CorrGCV", |b| {
        b.iter(|| {
            let (x, y) = (Table::new(&x, n, p).unwrap(), Table::new(&y, n, q).unwrap());
            let data = Regression::new(x, y, &Options::default()).unwrap();
            let criteria = Criteria {
                loo: true,
                correlation: Some(&kernel),
                folds: vec![&folds],
                ..Criteria::default()
            };
            data.path(&data.grid(20), &criteria).map(|p| p.df1[0])
        });
    });
    group.finish();
}

criterion_group!(benches, path, targets);
criterion_main!(benches);
