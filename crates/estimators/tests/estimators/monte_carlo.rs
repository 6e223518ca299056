//! CorrGCV against the true out-of-sample error of the same fits, which is known exactly:
//! (θ̂ − θ*)ᵀΣ(θ̂ − θ*) + σ² (plus the intercept's own error).
//!
//! Sizes, ridges, seeds and counts are fixed here; every case is reported on failure.

use crate::common::{Gauss, respond};
use rmt_estimators::{Criteria, Options, Regression, Table};
use rmt_models::kernel::{Family, Kernel, SampleCorrelation};

const KERNELS: [Family; 5] = [
    Family::Exponential { length: 2.0 },
    Family::Exponential { length: 10.0 },
    Family::Exponential { length: 60.0 },
    Family::PowerLaw { exponent: 0.4 },
    Family::PowerLaw { exponent: 0.8 },
];

/// One setting: mean of each estimate and of the truth, and the s.e. of CorrGCV − truth.
struct Outcome {
    truth: f64,
    gcv: f64,
    corr_gcv: f64,
    whitened: f64,
    standard_error: f64,
}

fn run(kernel: &Kernel, p: usize, lambda: f64, options: &Options, trials: u64) -> Outcome {
    let n = kernel.rows();
    let spectrum: Vec<f64> = (1..=p).map(|j| (j as f64).powf(-1.0)).collect();
    let sigma2 = 0.3_f64;
    let theta: Vec<f64> =
        (1..=p).map(|j| (j as f64).powf(-0.3) * if j % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let (mut sums, mut squares) = ([0.0; 4], 0.0);
    for seed in 0..trials {
        let mut gauss = Gauss::new(seed);
        let x = gauss.rows(kernel, &spectrum);
        let noise = kernel.colour(&gauss.vec(n)).unwrap().unwrap();
        let y = respond(&x, &theta, sigma2.sqrt(), &noise);
        let data =
            Regression::new(Table::new(&x, n, p).unwrap(), Table::column(&y), options).unwrap();
        let criteria =
            Criteria { correlation: Some(kernel), whitened: true, ..Criteria::default() };
        let path = data.path(&[lambda], &criteria).unwrap();
        let fit = data.coefficients(lambda).unwrap();
        let risk: f64 = fit
            .slopes
            .iter()
            .zip(&theta)
            .zip(&spectrum)
            .map(|((a, b), s)| s * (a - b).powi(2))
            .sum();
        // The data have mean zero, so that the intercept is its own error.
        let truth = risk + sigma2 + fit.intercepts[0].powi(2);
        let t = &path.targets[0];
        let corr = t.corr_gcv.as_ref().unwrap()[0];
        for (sum, value) in
            sums.iter_mut().zip([truth, t.gcv[0], corr, t.whitened_corr_gcv.as_ref().unwrap()[0]])
        {
            *sum += value / trials as f64;
        }
        squares += (corr - truth).powi(2) / trials as f64;
    }
    let variance = squares - (sums[2] - sums[0]).powi(2);
    Outcome {
        truth: sums[0],
        gcv: sums[1],
        corr_gcv: sums[2],
        whitened: sums[3],
        standard_error: (variance / trials as f64).sqrt(),
    }
}

fn check(n: usize, sizes: &[usize], trials: u64) {
    let mut failures = String::new();
    let mut table = String::new();
    for family in KERNELS {
        let kernel = SampleCorrelation::from(family.clone()).kernel(n).unwrap();
        for &p in sizes {
            for (intercept, standardize) in [(false, false), (true, false), (true, true)] {
                let options = Options { intercept, standardize, weights: None };
                // Standardised features have mean variance 1, these ones a few hundredths.
                let lambda = if standardize { 0.3 } else { 0.01 };
                let o = run(&kernel, p, lambda, &options, trials);
                let z = (o.corr_gcv - o.truth) / o.standard_error;
                let line = format!(
                    "{family:?} n={n} p={p} intercept={intercept} standardize={standardize}: truth {:.4}, CorrGCV {:.4} (z {z:+.2}), whitened {:.4}, GCV {:.4}\n",
                    o.truth, o.corr_gcv, o.whitened, o.gcv
                );
                let right = (o.corr_gcv - o.truth).abs() <= 3.0 * o.standard_error + 0.02 * o.truth;
                // GCV fails the same test, by more than half of its distance to the truth.
                let wrong = o.gcv < o.truth - 3.0 * o.standard_error - 0.02 * o.truth;
                if !(right && wrong) {
                    failures += &line;
                }
                table += &line;
            }
        }
    }
    println!("{table}");
    assert!(
        failures.is_empty(),
        "outside 3 s.e. + 2 %, or GCV not shown to fail:\n{failures}\nall:\n{table}"
    );
}

#[test]
fn corr_gcv_is_right_where_gcv_is_not() {
    check(200, &[100], 30);
}

/// The full count: n = 300 on both sides of p = n, 300 draws each.
#[test]
#[ignore = "minutes; summary in docs/verification/corr_gcv.md"]
fn corr_gcv_is_right_where_gcv_is_not_in_full() {
    check(300, &[150, 450], 300);
}
