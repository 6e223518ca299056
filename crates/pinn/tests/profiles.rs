//! Likelihood intervals and prediction bands: exact where there is something exact to compare
//! with, by simulation where the claim is about frequencies.

use rmt_dynamics::{Settings, Subsystem, simulate};
use rmt_pinn::{
    Bound, Observations, Problem, Sigma, fit, identifiability, least_squares, predict, profile,
};
use rmt_task::Draw;
use std::collections::BTreeMap;

const NAMES: [&str; 6] = ["r", "k", "a", "a0", "d", "e"];
const RATES: [f64; 6] = [1.0, 10.0, 0.6, 0.25, 0.35, 0.5];
const START: [f64; 2] = [6.0, 1.0];

/// Standard normal numbers, fixed by a seed.
struct Normal {
    seed: u64,
    index: u64,
}

impl Normal {
    fn next(&mut self) -> f64 {
        let mut uniform = || {
            self.index += 1;
            let bits = Draw { seed: self.seed, index: self.index }.stream();
            ((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64
        };
        let radius = (-2.0 * uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * uniform()).cos()
    }
}

fn truth(times: &[f64]) -> Vec<Vec<f64>> {
    let settings = Settings::default();
    simulate(&Subsystem::PredatorPrey, &RATES, &START, times, &settings).unwrap().states
}

/// Predator and prey at `count` times up to `end`, normal errors of the given deviations.
fn observations(count: usize, end: f64, sigma: [f64; 2], seed: u64) -> Observations {
    let times: Vec<f64> = (0..count).map(|m| end * m as f64 / (count - 1) as f64).collect();
    let mut normal = Normal { seed, index: 0 };
    let rows: Vec<Vec<Option<f64>>> = truth(&times)
        .iter()
        .map(|u| (0..2).map(|n| Some(u[n] + sigma[n] * normal.next())).collect())
        .collect();
    let observed = ["x", "y"].map(str::to_owned);
    let sigma = Sigma::PerSpecies(sigma.to_vec());
    Observations::new(&Subsystem::PredatorPrey, &times, &observed, &rows, &sigma).unwrap()
}

/// The rates in `free` are guessed at the truth, the others fixed at `values`.
fn problem(data: Observations, free: &[&str], values: &[f64; 6]) -> Problem<'static> {
    let free: Vec<String> = free.iter().map(|f| (*f).to_owned()).collect();
    let (guess, fixed): (BTreeMap<String, f64>, BTreeMap<String, f64>) = NAMES
        .iter()
        .zip(values)
        .map(|(n, v)| ((*n).to_owned(), *v))
        .partition(|(n, _)| free.contains(n));
    Problem::new(&Subsystem::PredatorPrey, data, &free, &guess, &fixed, &START).unwrap()
}

fn value(bound: Bound) -> f64 {
    match bound {
        Bound::At(value) => value,
        other => panic!("{other:?}"),
    }
}

/// At each end of an interval a separate fit with that rate fixed there must have χ² higher by the
/// 95 % point. Catches a wrong threshold, ends that are only interpolated, and refits that stop
/// early.
#[test]
fn chi2_has_risen_by_the_threshold_at_the_ends() {
    let free = ["r", "a", "d", "e"];
    let data = || observations(21, 16.0, [0.15, 0.08], 0);
    let whole = problem(data(), &free, &RATES);
    let estimate = least_squares(&whole).unwrap();
    for (index, name) in free.iter().enumerate() {
        let found = profile(&whole, &estimate, index).unwrap();
        assert_eq!(found.name, *name);
        assert!(found.values.is_sorted(), "{name}");
        for end in [found.interval.0, found.interval.1] {
            let mut values = [0.0; 6];
            values.copy_from_slice(&estimate.parameters);
            values[NAMES.iter().position(|n| n == name).unwrap()] = value(end);
            let rest: Vec<&str> = free.iter().copied().filter(|n| n != name).collect();
            let rise =
                least_squares(&problem(data(), &rest, &values)).unwrap().chi2 - estimate.chi2;
            // Ends are accepted within 2e-3.
            assert!((rise - 3.841_459).abs() < 2.1e-3, "{name} at {end:?}: {rise}");
        }
    }
}

/// With errors of 0.1 % the problem is linear: profiles are parabolas and the interval is
/// exp(±1.96 s.e.). Catches a wrong scale of either.
#[test]
fn small_errors_give_normal_intervals() {
    let free = ["r", "a", "d", "e"];
    let problem = problem(observations(21, 16.0, [2e-3, 1e-3], 0), &free, &RATES);
    let estimate = least_squares(&problem).unwrap();
    let errors = identifiability(&estimate).unwrap().relative_standard_errors.unwrap();
    for (index, name) in free.iter().enumerate() {
        let found = profile(&problem, &estimate, index).unwrap();
        let m = NAMES.iter().position(|n| n == name).unwrap();
        for (end, sign) in [(found.interval.0, -1.0), (found.interval.1, 1.0)] {
            let ratio =
                sign * (value(end) / estimate.parameters[m]).ln() / (1.959_964 * errors[index]);
            assert!((ratio - 1.0).abs() < 1e-2, "{name}: {ratio}");
        }
    }
}

/// Early growth says nothing of the carrying capacity: its interval has no upper end, and the
/// growth rate has both.
#[test]
fn an_interval_without_end_is_open() {
    let times: Vec<f64> = (0..12).map(|m| 0.25 * f64::from(m)).collect();
    let mut normal = Normal { seed: 0, index: 0 };
    let rows: Vec<Vec<Option<f64>>> =
        times.iter().map(|t| vec![Some(t.exp() + 0.3 * normal.next())]).collect();
    let model = &Subsystem::PredatorPrey;
    let sigma = Sigma::PerSpecies(vec![0.3]);
    let data = Observations::new(model, &times, &["x".to_owned()], &rows, &sigma).unwrap();
    let free = ["r", "k"].map(str::to_owned);
    let guess: BTreeMap<String, f64> = [("r".to_owned(), 0.8), ("k".to_owned(), 50.0)].into();
    let fixed: BTreeMap<String, f64> =
        ["a", "a0", "d", "e"].map(|n| (n.to_owned(), 1.0)).into_iter().collect();
    let problem = Problem::new(model, data, &free, &guess, &fixed, &[1.0, 0.0]).unwrap();
    let found = fit(&problem, None, true, None).unwrap().unwrap();
    let interval = |m: usize| found.profiles[m].interval;
    assert!(matches!(interval(0), (Bound::At(low), Bound::At(high)) if low < 1.0 && 1.0 < high));
    assert!(matches!(interval(1), (Bound::At(_), Bound::Open)), "{:?}", interval(1));
}

/// What a number of synthetic series says about intervals and bands.
struct Coverage {
    /// Of each rate: how many likelihood intervals hold the truth.
    intervals: Vec<usize>,
    /// At each time, of each species: how many bands hold the true density.
    bands: [[usize; 2]; 2],
    /// Scatter of the predicted ln u over the mean stated standard error.
    scatter: [[f64; 2]; 2],
}

/// Fits series 0, 1, … `series` (their seeds) with r, d, e free; profiles of the first `profiled`
/// of them; bands inside the data and beyond.
fn coverage(series: u64, profiled: usize) -> Coverage {
    let free = ["r", "d", "e"];
    let times = [7.3, 18.0];
    let at_truth = truth(&times);
    let mut found =
        Coverage { intervals: vec![0; profiled], bands: [[0; 2]; 2], scatter: [[0.0; 2]; 2] };
    let mut predicted: Vec<[[f64; 2]; 2]> = Vec::new();
    let mut stated = [[0.0; 2]; 2];
    let mut widths = Vec::new();
    for seed in 0..series {
        let problem = problem(observations(15, 14.0, [0.3, 0.15], seed), &free, &RATES);
        let estimate = least_squares(&problem).unwrap();
        for (index, name) in free.iter().enumerate().take(profiled) {
            let interval = profile(&problem, &estimate, index).unwrap().interval;
            let truth = RATES[NAMES.iter().position(|n| n == name).unwrap()];
            let (low, high) = (value(interval.0), value(interval.1));
            found.intervals[index] += usize::from(low <= truth && truth <= high);
            if index == 0 {
                widths.push(0.5 * (high / low).ln());
            }
        }
        let band = predict(&problem, &estimate, &times).unwrap();
        let errors = band.log_errors.unwrap();
        let mut row = [[0.0; 2]; 2];
        for t in 0..2 {
            for n in 0..2 {
                row[t][n] = (band.states[t][n] / at_truth[t][n]).ln();
                stated[t][n] += errors[t][n] / series as f64;
                found.bands[t][n] += usize::from(row[t][n].abs() <= 1.959_964 * errors[t][n]);
            }
        }
        predicted.push(row);
    }
    for t in 0..2 {
        for n in 0..2 {
            let mean = predicted.iter().map(|p| p[t][n]).sum::<f64>() / series as f64;
            let variance = predicted.iter().map(|p| (p[t][n] - mean).powi(2)).sum::<f64>()
                / (series - 1) as f64;
            found.scatter[t][n] = variance.sqrt() / stated[t][n];
        }
    }
    widths.sort_by(f64::total_cmp);
    println!("of {series}: intervals of {free:?} hold the truth in {:?}", found.intervals);
    println!("bands of x, y at t = {times:?} in {:?}", found.bands);
    println!("scatter over stated error {:.3?}", found.scatter);
    println!("median half-width of the interval of r {:.4}", widths[widths.len() / 2]);
    found
}

/// A hundred series: five counts, each allowed what a 95 % statement leaves with probability 1 %
/// (together 5 %), 89 to 100. Catches a wrong threshold, error bars off by a quarter, and bands
/// that forget the initial state.
#[test]
fn intervals_and_bands_hold_the_truth() {
    let found = coverage(100, 1);
    for count in found.intervals.iter().chain(found.bands.iter().flatten()) {
        assert!((89..=100).contains(count));
    }
    // A standard deviation from 100 draws is known to 7 %: three of those.
    assert!(found.scatter.iter().flatten().all(|ratio| (ratio - 1.0).abs() < 0.21));
}

/// A thousand series, seven counts: if all are 95 % statements, one falls outside 931 to 968 with
/// probability 5 %.
#[test]
#[ignore = "a thousand series with three profiles each"]
fn intervals_and_bands_of_a_thousand_series() {
    let found = coverage(1000, 3);
    for count in found.intervals.iter().chain(found.bands.iter().flatten()) {
        assert!((931..=968).contains(count));
    }
    assert!(found.scatter.iter().flatten().all(|ratio| (ratio - 1.0).abs() < 0.067));
}
