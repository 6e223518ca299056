//! The learning curve from one data set against the deterministic equivalent of the population it
//! was drawn from, tuned the same way. Counts and seeds are fixed here.

use crate::common::{Gauss, assert_close, respond};
use rmt_estimators::{Criteria, Criterion, LearningPoint, Options, Regression, Table};
use rmt_models::kernel::{Family, Kernel, SampleCorrelation};

struct Population {
    spectrum: Vec<f64>,
    theta: Vec<f64>,
    noise: f64,
}

impl Population {
    fn new(p: usize, alpha: f64) -> Self {
        let spectrum: Vec<f64> = (1..=p).map(|j| (j as f64).powf(-alpha)).collect();
        let energy: f64 = spectrum.iter().map(|s| s / p as f64).sum();
        // θ of equal size in every mode, signal energy 1.
        let theta = (0..p)
            .map(|j| if j % 2 == 0 { 1.0 } else { -1.0 } / (p as f64 * energy).sqrt())
            .collect();
        Self { spectrum, theta, noise: 0.2 }
    }

    fn draw(&self, kernel: &Kernel, seed: u64) -> Regression {
        let n = kernel.rows();
        let mut gauss = Gauss::new(seed);
        let x = gauss.rows(kernel, &self.spectrum);
        let e = kernel.colour(&gauss.vec(n)).unwrap().unwrap();
        let y = respond(&x, &self.theta, self.noise.sqrt(), &e);
        let table = Table::new(&x, n, self.theta.len()).unwrap();
        let options = Options { intercept: false, ..Options::default() };
        Regression::new(table, Table::column(&y), &options).unwrap()
    }

    /// Best error over the ridge on the rows of `kernel`, by scanning κ.
    fn best(&self, kernel: &Kernel) -> f64 {
        let levels = kernel.levels();
        let n = kernel.rows() as f64;
        let mut best = f64::INFINITY;
        for k in 0..600 {
            let kappa = 1e2 * 10.0_f64.powf(-10.0 * k as f64 / 600.0);
            let df = |power: i32| -> f64 {
                self.spectrum.iter().map(|s| (s / (s + kappa)).powi(power)).sum()
            };
            let (df1, df2) = (df(1), df(2));
            if df1 >= n {
                break;
            }
            let kappa_tilde = levels.kappa(df1, n - df1, None).unwrap();
            let gamma = df2 * levels.df2(kappa_tilde) / (df1 * df1);
            let bias: f64 = self
                .spectrum
                .iter()
                .zip(&self.theta)
                .map(|(s, t)| s * (t * kappa / (s + kappa)).powi(2))
                .sum();
            best = best.min((bias + self.noise) / (1.0 - gamma));
        }
        best
    }
}

fn kernel(family: &Family, n: usize) -> Kernel {
    SampleCorrelation::from(family.clone()).kernel(n).unwrap()
}

fn curve(data: &Regression, family: &Family, n: usize, sizes: &[usize]) -> Vec<LearningPoint> {
    let correlation = SampleCorrelation::from(family.clone());
    let kernel = kernel(family, n);
    data.learning_curve(0, Some((&correlation, &kernel)), sizes).unwrap()
}

fn check(n: usize, p: usize, trials: u64, most_outside: u64, widest: f64) {
    let (mut report, mut failed) = (String::new(), false);
    for family in [Family::Identity, Family::Exponential { length: 3.0 }] {
        for alpha in [0.0, 0.8, 1.3] {
            let population = Population::new(p, alpha);
            let sizes = [n / 4, n / 2, 2 * n];
            let truth: Vec<f64> =
                sizes.iter().map(|m| population.best(&kernel(&family, *m))).collect();
            let (mut inside, mut supported, mut width, mut mean) =
                ([0; 3], [0; 3], [0.0; 3], [0.0; 3]);
            let own = kernel(&family, n);
            for seed in 0..trials {
                let data = population.draw(&own, seed);
                for (k, point) in curve(&data, &family, n, &sizes).iter().enumerate() {
                    if !point.supported {
                        continue;
                    }
                    supported[k] += 1;
                    inside[k] += u64::from((point.band.0..=point.band.1).contains(&truth[k]));
                    width[k] += 0.5 * (point.band.1 - point.band.0) / point.error;
                    mean[k] += point.error;
                }
            }
            for k in 0..3 {
                let count = supported[k] as f64;
                report += &format!(
                    "{family:?} α={alpha} n'={}: true {:.4}, mean {:.4}, supported {}, inside {}, half-width {:.3}\n",
                    sizes[k],
                    truth[k],
                    mean[k] / count,
                    supported[k],
                    inside[k],
                    width[k] / count
                );
                failed |= supported[k] > inside[k] + most_outside;
                // Every point of independent rows has to be supported, and sharp.
                failed |= family == Family::Identity
                    && (supported[k] < trials || width[k] / count > widest);
            }
        }
    }
    println!("{report}");
    assert!(!failed, "{report}");
}

/// Of 40 bands at 95 % six or more miss with probability 1.4 %.
#[test]
fn predictions_lie_within_their_bands() {
    check(1000, 200, 40, 5, 0.15);
}

/// On both sides of n' = p. Of 1000 bands at 95 % sixty-five or more miss with probability 2 %.
#[test]
#[ignore = "seven minutes in release; summary in docs/verification/corr_gcv.md"]
fn predictions_lie_within_their_bands_in_full() {
    check(500, 350, 1000, 64, 0.25);
}

/// Bands of at most 15 % on both sides of n' = p; of 400, twenty-nine or more miss with probability 3 %.
#[test]
#[ignore = "seven minutes in release; summary in docs/verification/corr_gcv.md"]
fn sharp_predictions_lie_within_their_bands() {
    check(1000, 700, 400, 28, 0.15);
}

/// On its own number of rows the curve is the smallest CorrGCV of the data, whatever the kernel,
/// and with an intercept; a slip in γ or in the factor of the mean would show.
#[test]
fn own_size_is_the_minimum_of_corr_gcv() {
    for family in [Family::Identity, Family::PowerLaw { exponent: 0.8 }] {
        for (n, p) in [(60, 20), (40, 90)] {
            for intercept in [false, true] {
                let own = kernel(&family, n);
                let mut gauss = Gauss::new(21);
                let x = gauss.rows(&own, &vec![1.0; p]);
                let theta = vec![0.3; p];
                let e = own.colour(&gauss.vec(n)).unwrap().unwrap();
                let y = respond(&x, &theta, 1.0, &e);
                let options = Options { intercept, ..Options::default() };
                let data =
                    Regression::new(Table::new(&x, n, p).unwrap(), Table::column(&y), &options)
                        .unwrap();
                let criteria = Criteria { correlation: Some(&own), ..Criteria::default() };
                let path = data.path(&data.grid(400), &criteria).unwrap();
                let best = path.choose(Criterion::CorrGcv, 0).unwrap();
                let point = curve(&data, &family, n, &[n])[0];
                let what = format!("{family:?} n={n} p={p} intercept={intercept}");
                // The curve looks further than a grid at whose edge the minimum lies.
                assert!(point.error <= best.value * (1.0 + 1e-3), "{what}");
                if best.edge.is_none() {
                    assert_close(point.error, best.value, 1e-3, &what);
                    assert_close(point.lambda, best.lambda, 0.1, &what);
                }
                assert!(point.band.0 < point.error && point.error < point.band.1);
            }
        }
    }
}

/// Rows that interpolate do not see smaller κ: far beyond n the curve must say so.
#[test]
fn what_the_data_do_not_reach_is_marked() {
    let population = Population::new(300, 1.3);
    let n = 60;
    let data = population.draw(&kernel(&Family::Identity, n), 3);
    let points = curve(&data, &Family::Identity, n, &[30, 100_000]);
    assert!(points[0].supported && !points[1].supported, "{points:?}");
    assert!(data.learning_curve(0, None, &[1]).is_err());
    assert!(data.learning_curve(1, None, &[30]).is_err());
}
