//! Linear diffusion models of p = 3072 pixels (32×32 in colour).
//! The peers run in `peers/diffusion.py`, on the same inputs.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use rmt_core::Modes;
use rmt_models::linear_diffusion::{MeanEstimate, NoiseRange, TrainedModel};
use std::hint::black_box;

fn spectrum() -> Modes {
    Modes::Explicit((1..=3072).map(|i| f64::from(i).powf(-1.5)).collect())
}

fn model(spectrum: &Modes, n: f64) -> TrainedModel {
    TrainedModel::new(spectrum, n, MeanEstimate::Mle).expect("a model")
}

fn maps(c: &mut Criterion) {
    let range = NoiseRange::new(0.002, 80.0).expect("a range");
    let spectrum = spectrum();
    let mut group = c.benchmark_group("sampling map, p = 3072");
    group.sample_size(20);
    group.bench_function("mean map and totals, 20 training sizes", |b| {
        b.iter(|| {
            let mut total = 0.0;
            for k in 0..20 {
                let n = 10f64.powf(1.5 + 0.2 * f64::from(k)).round();
                let model = model(black_box(&spectrum), n);
                let gain = model.sampler(range, 1e-8).expect("a map").gain();
                let moment = model.generated_second_moment(range).expect("moments");
                total += moment.iter().zip(&gain).map(|(m, g)| m - g * g).sum::<f64>();
            }
            total
        })
    });
    group.bench_function("variance of all entries", |b| {
        let model = model(&spectrum, 500.0);
        b.iter(|| model.sampler(range, 1e-8).and_then(|m| m.entry_variances()).expect("a map"))
    });
    group.finish();
}

criterion_group!(benches, maps);
criterion_main!(benches);
