//! Sweeps of random features over ridge, κ and sizes, and training curves of SGD.
//! The peers run in `peers/models.py`, on the same inputs.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use rmt_core::Modes;
use rmt_models::random_features::{FeatureRegression, Setting, Target};
use serde_json::{Value, json};
use std::hint::black_box;

fn evaluate(task: &str, inputs: &Value) -> usize {
    let tasks = rmt_models::tasks();
    let task = tasks.iter().find(|t| t.card().name == task).expect("a task");
    task.evaluate(black_box(inputs)).expect("results").iter().count()
}

/// The full decomposition at 1000 ridges of 10⁵ modes, a list and a law, everything from the list on included.
fn ridges(c: &mut Criterion) {
    let list =
        |alpha: f64| Modes::Explicit((1..=100_000).map(|i| f64::from(i).powf(-alpha)).collect());
    let law = |alpha| Modes::PowerLaw { p: 100_000, alpha, scale: 1.0, reversed: false };
    let setting = |spectrum, target| Setting {
        noise_variance: 0.2,
        n: Some(5000.0),
        widths: vec![3000.0],
        ..Setting::new(spectrum, Target::Coefficients(target))
    };
    let (listed, law) = (setting(list(1.3), list(0.6)), setting(law(1.3), law(0.6)));
    let lambdas: Vec<f64> = (0..1000).map(|i| 10f64.powf(2.0 - 0.01 * f64::from(i))).collect();
    let model = |setting: &Setting| FeatureRegression::new(black_box(setting)).expect("a model");
    let mut group = c.benchmark_group("random features of 1e5 modes, 1000 points");
    group.sample_size(10);
    let path = |setting: &Setting| model(setting).path(&lambdas).expect("solutions").len();
    group.bench_function("ridges, listed modes", |b| b.iter(|| path(&listed)));
    group.bench_function("ridges, power law", |b| b.iter(|| path(&law)));
    group.bench_function("kappas, power law", |b| {
        b.iter(|| {
            let model = model(&law);
            let at = |u: &f64| model.at_shift(0.1 * u).expect("a solution").risk;
            lambdas.iter().map(at).sum::<f64>()
        });
    });
    group.finish();
}

/// Risk, training error, norm and degrees of freedom over 200 numbers of samples × 200 widths.
fn map(c: &mut Criterion) {
    let sizes: Vec<f64> = (0..200).map(|i| 10.0 * 1.03_f64.powi(i)).collect();
    let inputs = |p: usize| {
        json!({"spectrum": {"kind": "power_law", "p": p, "alpha": 1.3},
            "target": {"kind": "power_law", "p": p, "alpha": 0.6}, "noise_variance": 0.2,
            "lambda": 1e-4, "n_values": sizes, "width_values": sizes})
    };
    let mut group = c.benchmark_group("map of 200x200 sizes");
    group.sample_size(10);
    for p in [1000, 100_000] {
        let inputs = inputs(p);
        group.bench_function(format!("{p} modes"), |b| {
            b.iter(|| evaluate("random_features_scan", &inputs));
        });
    }
    group.finish();
}

/// Curves of full-gradient descent at 1000 times, and a million noisy steps with the loss at each.
fn training(c: &mut Criterion) {
    let base = json!({
        "spectrum": {"kind": "power_law", "p": 2000, "alpha": 0.9},
        "target": {"kind": "power_law", "p": 2000, "alpha": 1.0, "total": 1.0},
        "n": 2100, "width": 3000, "noise_variance": 0.1
    });
    let with = |extra: Value| {
        let mut inputs = base.clone();
        for (key, value) in extra.as_object().into_iter().flatten() {
            inputs[key] = value.clone();
        }
        inputs
    };
    let times = |f: fn(i32) -> f64| (0..1000).map(f).collect::<Vec<f64>>();
    let smooth = with(json!({
        "learning_rate": 0.5, "times": times(|i| f64::from(i).powi(3))
    }));
    let noisy = with(json!({
        "learning_rate": 0.05, "batch_size": 8, "every_step": true,
        "times": times(|i| 1000.0 * f64::from(i + 1))
    }));
    let mut group = c.benchmark_group("SGD of 2000 modes");
    group.sample_size(10);
    group.bench_function("full gradient at 1000 times", |b| b.iter(|| evaluate("sgd", &smooth)));
    group.bench_function("1e6 steps, loss at each", |b| b.iter(|| evaluate("sgd", &noisy)));
    group.finish();
}

criterion_group!(benches, ridges, map, training);
criterion_main!(benches);
