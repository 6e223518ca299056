//! Trajectories, equilibria, training epochs and fits of the predator–prey–scavenger model. The
//! peers run in `peers/population.py`, on the same inputs.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use rmt_dynamics::{PredatorPreyScavenger, Settings, equilibria, simulate};
use rmt_pinn::{Observations, Problem, Sigma, Training, least_squares, train};
use std::collections::BTreeMap;
use std::hint::black_box;

const NAMES: [&str; 14] = ["r", "k", "a", "a0", "b", "b0", "d", "e", "f", "g", "h", "i", "i0", "j"];
const RATES: [f64; 14] = [1.0, 10.0, 0.5, 0.3, 0.1, 0.2, 0.4, 0.6, 0.1, 0.1, 0.08, 0.05, 0.1, 0.25];
const START: [f64; 3] = [5.0, 1.0, 1.0];

/// Noise-free observations of all species, every rate free and 10 % off.
fn problem(rows: usize, horizon: f64) -> Problem<'static> {
    let times: Vec<f64> = (0..rows).map(|m| horizon * m as f64 / (rows - 1) as f64).collect();
    let run = simulate(&PredatorPreyScavenger, &RATES, &START, &times, &Settings::default())
        .expect("a trajectory");
    let data: Vec<Vec<Option<f64>>> =
        run.states.iter().map(|u| u.iter().copied().map(Some).collect()).collect();
    let observed = ["x", "y", "z"].map(str::to_owned);
    let sigma = Sigma::PerSpecies(vec![0.01; 3]);
    let data = Observations::new(&PredatorPreyScavenger, &times, &observed, &data, &sigma)
        .expect("observations");
    let free: Vec<String> = NAMES.map(str::to_owned).to_vec();
    let guess: BTreeMap<String, f64> =
        free.iter().cloned().zip(RATES.iter().map(|r| 1.1 * r)).collect();
    let fixed = BTreeMap::new();
    Problem::new(&PredatorPreyScavenger, data, &free, &guess, &fixed, &START).expect("a problem")
}

/// To t = 100 at a tolerance of 1e-12, and every equilibrium of a parameter set.
fn dynamics(c: &mut Criterion) {
    let settings = Settings { tolerance: 1e-12, ..Settings::default() };
    c.bench_function("trajectory to t = 100 at 1e-12", |b| {
        b.iter(|| simulate(&PredatorPreyScavenger, black_box(&RATES), &START, &[100.0], &settings))
    });
    c.bench_function("all equilibria", |b| {
        b.iter(|| equilibria(&PredatorPreyScavenger, black_box(&RATES)))
    });
}

/// A thousand epochs of the 3×32 network on 200 + 41 points (and the matching of its slopes at the end);
/// a fit of all fourteen rates.
fn fits(c: &mut Criterion) {
    let small = problem(41, 20.0);
    let training = Training { epochs: 1000, data_only: 0, refinements: 0, ..Training::default() };
    let mut group = c.benchmark_group("fits");
    group.sample_size(10);
    group.bench_function("1000 epochs", |b| b.iter(|| train(black_box(&small), &training, None)));
    let large = problem(81, 40.0);
    group.bench_function("14 rates", |b| b.iter(|| least_squares(black_box(&large))));
    group.finish();
}

criterion_group!(benches, dynamics, fits);
criterion_main!(benches);
