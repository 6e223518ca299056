//! Bands and the check of assumptions, by simulation. Counts and seeds are fixed here.

use crate::common::{Gauss, respond};
use rmt_estimators::{Criteria, Options, Regression, Table};
use rmt_models::kernel::{Family, Kernel, SampleCorrelation};

struct Draw {
    data: Regression,
    truth: f64,
}

fn draw(kernel: &Kernel, noise: &Kernel, p: usize, lambda: f64, seed: u64) -> Draw {
    let n = kernel.rows();
    let mut gauss = Gauss::new(seed);
    let spectrum: Vec<f64> = (1..=p).map(|j| (j as f64).powf(-0.7)).collect();
    let theta: Vec<f64> = (0..p).map(|j| if j % 3 == 0 { 0.5 } else { -0.2 }).collect();
    let x = gauss.rows(kernel, &spectrum);
    let e = noise.colour(&gauss.vec(n)).unwrap().unwrap();
    let y = respond(&x, &theta, 1.0, &e);
    let table = Table::new(&x, n, p).unwrap();
    let data = Regression::new(table, Table::column(&y), &Options::default()).unwrap();
    let fit = data.coefficients(lambda).unwrap();
    let risk: f64 =
        fit.slopes.iter().zip(&theta).zip(&spectrum).map(|((a, b), s)| s * (a - b).powi(2)).sum();
    Draw { data, truth: risk + 1.0 + fit.intercepts[0].powi(2) }
}

/// The exact central 95 % range of a binomial count, by summing its probabilities.
fn binomial_range(trials: u64, rate: f64) -> (u64, u64) {
    let mut cumulative = Vec::new();
    let (mut log, mut sum) = ((1.0 - rate).ln() * trials as f64, 0.0);
    for k in 0..=trials {
        sum += log.exp();
        cumulative.push(sum);
        log += ((trials - k) as f64 / (k + 1) as f64).ln() + (rate / (1.0 - rate)).ln();
    }
    let low = cumulative.iter().position(|c| *c > 0.025).unwrap() as u64;
    let high = cumulative.iter().position(|c| *c >= 0.975).unwrap() as u64;
    (low, high)
}

fn coverage(trials: u64) {
    let n = 200;
    let mut report = String::new();
    let mut failed = false;
    for (family, p, lambda) in [
        (Family::Identity, 80, 0.05),
        (Family::Identity, 300, 0.1),
        (Family::Exponential { length: 5.0 }, 80, 0.05),
        (Family::Exponential { length: 5.0 }, 300, 0.1),
        (Family::PowerLaw { exponent: 0.8 }, 80, 0.05),
    ] {
        let kernel = SampleCorrelation::from(family.clone()).kernel(n).unwrap();
        let mut inside = 0;
        let mut width = 0.0;
        for seed in 0..trials {
            let Draw { data, truth } = draw(&kernel, &kernel, p, lambda, seed);
            let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
            let path = data.path(&[lambda], &criteria).unwrap();
            let estimate = path.targets[0].corr_gcv.as_ref().unwrap()[0];
            let (low, high) = data.uncertainty(lambda, Some(&kernel)).unwrap().band(estimate);
            assert!(low < estimate && estimate < high);
            inside += u64::from(low <= truth && truth <= high);
            width += 0.5 * (high - low) / estimate / trials as f64;
        }
        let (least, most) = binomial_range(trials, 0.95);
        let line = format!(
            "{family:?} p={p}: {inside} of {trials} inside (95 %: {least}–{most}), half-width {width:.3}\n"
        );
        // Not below the nominal level; above it (the signal counts as noise) by a bounded amount.
        failed |= inside < least || inside as f64 > most as f64 + 0.015 * trials as f64;
        report += &line;
    }
    println!("{report}");
    assert!(!failed, "{report}");
}

#[test]
fn bands_cover() {
    coverage(60);
}

#[test]
#[ignore = "the full count; summary in docs/verification/corr_gcv.md"]
fn bands_cover_in_full() {
    coverage(600);
}

/// The same on more rows than n×n matrices are formed for.
#[test]
fn diagnosis_holds_on_long_series() {
    let n = 2500;
    let kernel = SampleCorrelation::from(Family::Exponential { length: 5.0 }).kernel(n).unwrap();
    let white = SampleCorrelation::from(Family::Identity).kernel(n).unwrap();
    for seed in 0..5 {
        let Draw { data, .. } = draw(&kernel, &kernel, 20, 0.1, seed);
        let matched = data.diagnose(0.1, &kernel, 0).unwrap();
        assert!(matched.supports_corr_gcv(), "{matched:?}");
        let Draw { data, .. } = draw(&kernel, &white, 20, 0.1, seed);
        let mismatched = data.diagnose(0.1, &kernel, 0).unwrap();
        assert!(mismatched.neighbours.is_off(), "{mismatched:?}");
        assert!(mismatched.whitened.is_some_and(|w| w.is_off()), "{mismatched:?}");
    }
}

/// z of the three contrasts is standard normal when K′ = K, and the first two are far out when
/// the noise is white.
#[test]
fn diagnosis_tells_white_noise_from_correlated_noise() {
    let n = 150;
    let kernel = SampleCorrelation::from(Family::Exponential { length: 8.0 }).kernel(n).unwrap();
    let white = SampleCorrelation::from(Family::Identity).kernel(n).unwrap();
    let trials = 40;
    let (mut sums, mut squares) = ([0.0; 3], [0.0; 3]);
    let (mut matched, mut mismatched) = (0, 0);
    for seed in 0..trials {
        let Draw { data, .. } = draw(&kernel, &kernel, 40, 0.1, seed);
        let d = data.diagnose(0.1, &kernel, 0).unwrap();
        for (k, z) in [d.neighbours.z, d.whitened.unwrap().z, d.second_half.z].iter().enumerate() {
            sums[k] += z / trials as f64;
            squares[k] += z * z / trials as f64;
        }
        matched += u64::from(d.supports_corr_gcv());
        let Draw { data, .. } = draw(&kernel, &white, 40, 0.1, seed);
        mismatched += u64::from(data.diagnose(0.1, &kernel, 0).unwrap().supports_corr_gcv());
    }
    // Of 40 standard normals the mean has s.e. 0.16 and the mean square 0.22.
    for k in 0..3 {
        assert!(sums[k].abs() < 0.6, "mean z {sums:?}");
        assert!((0.4..1.9).contains(&squares[k]), "mean z² {squares:?}");
    }
    assert!(matched >= 37, "matched noise accepted in {matched} of {trials}");
    assert!(mismatched <= 2, "white noise accepted in {mismatched} of {trials}");
}
