//! The correlation of the rows: fitted, grouped, weighted.

use crate::common::{Gauss, assert_close, respond};
use rmt_estimators::{Criteria, Error, Options, Regression, Table, fit_kernel};
use rmt_models::kernel::{Family, Kernel, Rows, SampleCorrelation, SpectrumMethod};

fn kernel(family: Family, n: usize) -> Kernel {
    SampleCorrelation::from(family).kernel(n).unwrap()
}

/// Fitted parameters scatter around the truth by their standard errors, and the family is
/// recognised.
#[test]
fn fits_recover_the_families() {
    let (n, p, trials) = (300, 60, 30);
    let spectrum: Vec<f64> = (1..=p).map(|j| (j as f64).powf(-0.5)).collect();
    for family in [
        Family::Identity,
        Family::Exponential { length: 3.0 },
        Family::Exponential { length: 10.0 },
        Family::PowerLaw { exponent: 0.5 },
        Family::PowerLaw { exponent: 1.0 },
    ] {
        let k = kernel(family.clone(), n);
        let (mut right, mut mean, mut square) = (0, 0.0, 0.0);
        for seed in 0..trials {
            let x = Gauss::new(seed).rows(&k, &spectrum);
            let fit = fit_kernel(Table::new(&x, n, p).unwrap(), None, None, false).unwrap();
            right += u64::from(fit.best.family.kind() == family.kind());
            let z = match (&family, &fit.exponential, &fit.power_law) {
                (Family::Exponential { length }, Some(f), _) => match f.family {
                    Family::Exponential { length: found } => (found - length) / f.standard_error,
                    _ => unreachable!(),
                },
                (Family::PowerLaw { exponent }, _, Some(f)) => match f.family {
                    Family::PowerLaw { exponent: found } => (found - exponent) / f.standard_error,
                    _ => unreachable!(),
                },
                _ => 0.0,
            };
            mean += z / trials as f64;
            square += z * z / trials as f64;
        }
        // Independent rows are taken for correlated by a two-sigma test in one case of forty.
        assert!(right >= 26, "{family:?} recognised in {right} of {trials}");
        if family != Family::Identity {
            // The mean of 30 has s.e. 0.18, the mean square 0.26.
            assert!(mean.abs() < 0.8 && (0.3..2.2).contains(&square), "{family:?} {mean} {square}");
        }
    }
}

/// Groups: pairs across a boundary do not count. Times: a gap is a gap.
#[test]
fn fits_respect_groups_and_times() {
    let (n, p) = (400, 50);
    let labels: Vec<usize> = (0..n).map(|i| i / 10).collect();
    let rows = Rows { count: n, groups: Some(&labels), times: None };
    let truth = SampleCorrelation::from(Family::Exponential { length: 6.0 });
    let grouped = truth.kernel_on(rows, SpectrumMethod::Exact).unwrap();
    let x = Gauss::new(1).rows(&grouped, &vec![1.0; p]);
    let table = Table::new(&x, n, p).unwrap();
    let length = |groups, times| match fit_kernel(table, groups, times, false).unwrap().exponential
    {
        Some(f) => match f.family {
            Family::Exponential { length } => (length, f.standard_error),
            _ => unreachable!(),
        },
        None => panic!("no exponential fit"),
    };
    let (with, error) = length(Some(&labels), None);
    let (without, _) = length(None, None);
    assert!((with - 6.0).abs() < 4.0 * error, "{with} ± {error}");
    assert!(without < 6.0 - 4.0 * error, "{without}");

    let times: Vec<f64> = (0..n).map(|i| 0.5 * (i + 3 * (i / 7)) as f64).collect();
    let rows = Rows { count: n, groups: None, times: Some(&times) };
    let stamped = truth.kernel_on(rows, SpectrumMethod::Exact).unwrap();
    let x = Gauss::new(2).rows(&stamped, &vec![1.0; p]);
    let fit = fit_kernel(Table::new(&x, n, p).unwrap(), None, Some(&times), false).unwrap();
    let f = fit.exponential.unwrap();
    let Family::Exponential { length } = f.family else { panic!("{f:?}") };
    assert!((length - 6.0).abs() < 5.0 * f.standard_error, "{length} ± {}", f.standard_error);

    let short = [1.0; 7];
    let error = fit_kernel(Table::column(&short), None, None, true).unwrap_err();
    assert!(matches!(error, Error::TooFewRows { rows: 7, needed: 8 }));
    let constant = [1.0; 9];
    assert!(matches!(
        fit_kernel(Table::column(&constant), None, None, true),
        Err(Error::NoVariance)
    ));
}

/// Runs whose correlation resets: CorrGCV with groups is right, without them it is wrong.
#[test]
fn a_correlation_that_resets_needs_groups() {
    let (n, p, lambda, trials) = (200, 60, 0.05, 40);
    let labels: Vec<usize> = (0..n).map(|i| i / 8).collect();
    let rows = Rows { count: n, groups: Some(&labels), times: None };
    let family = SampleCorrelation::from(Family::Exponential { length: 20.0 });
    let grouped = family.kernel_on(rows, SpectrumMethod::Exact).unwrap();
    let one_series = family.kernel(n).unwrap();
    let theta = vec![0.2; p];
    let mut differences = [(0.0, 0.0); 2];
    let mut truth = 0.0;
    for seed in 0..trials {
        let mut gauss = Gauss::new(seed);
        let x = gauss.rows(&grouped, &vec![1.0; p]);
        let e = grouped.colour(&gauss.vec(n)).unwrap().unwrap();
        let y = respond(&x, &theta, 1.0, &e);
        let table = Table::new(&x, n, p).unwrap();
        let data = Regression::new(table, Table::column(&y), &Options::default()).unwrap();
        let fit = data.coefficients(lambda).unwrap();
        let risk: f64 = fit.slopes.iter().zip(&theta).map(|(a, b)| (a - b).powi(2)).sum();
        let true_error = risk + 1.0 + fit.intercepts[0].powi(2);
        truth += true_error / trials as f64;
        for (k, kernel) in [&grouped, &one_series].into_iter().enumerate() {
            let criteria = Criteria { correlation: Some(kernel), ..Criteria::default() };
            let path = data.path(&[lambda], &criteria).unwrap();
            let d = path.targets[0].corr_gcv.as_ref().unwrap()[0] - true_error;
            differences[k].0 += d / trials as f64;
            differences[k].1 += d * d / trials as f64;
        }
    }
    let off = |(mean, square): (f64, f64)| {
        let error = ((square - mean * mean) / trials as f64).sqrt();
        (mean.abs(), 3.0 * error + 0.02 * truth)
    };
    let (with, allowed) = off(differences[0]);
    assert!(with <= allowed, "with groups off by {with}, allowed {allowed}, truth {truth}");
    let (without, allowed) = off(differences[1]);
    assert!(without > allowed, "without groups off by only {without}, truth {truth}");
}

/// Weights turn K into W^½KW^½: against the transformed problem spelled out.
#[test]
fn weights_reach_the_correlation() {
    let (n, p) = (12, 5);
    let mut gauss = Gauss::new(5);
    let k = kernel(Family::Exponential { length: 2.0 }, n);
    let x = gauss.rows(&k, &vec![1.0; p]);
    let y = gauss.vec(n);
    let weights: Vec<f64> = (0..n).map(|i| 0.5 + (i % 3) as f64).collect();
    let mean = weights.iter().sum::<f64>() / n as f64;
    let root: Vec<f64> = weights.iter().map(|w| (w / mean).sqrt()).collect();
    let run = |x: &[f64], y: &[f64], k: &Kernel, weights: Option<Vec<f64>>| {
        let options = Options { intercept: false, weights, ..Options::default() };
        let data =
            Regression::new(Table::new(x, n, p).unwrap(), Table::column(y), &options).unwrap();
        let criteria = Criteria { correlation: Some(k), whitened: true, ..Criteria::default() };
        let path = data.path(&[0.2, 0.0], &criteria).unwrap();
        let t = path.targets[0].clone();
        (t.corr_gcv.unwrap(), t.whitened_corr_gcv.unwrap(), path.kappa_tilde.unwrap())
    };
    let weighted = run(&x, &y, &k, Some(weights));
    let xs: Vec<f64> = x.iter().enumerate().map(|(at, v)| root[at / p] * v).collect();
    let ys: Vec<f64> = y.iter().zip(&root).map(|(v, r)| v * r).collect();
    let dense = k.dense();
    let values: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| root[i] * dense[(i, j)] * root[j]).collect()).collect();
    let trace: f64 = (0..n).map(|i| values[i][i]).sum();
    let scaled = kernel(Family::Dense { values }, n);
    let plain = run(&xs, &ys, &scaled, None);
    // The dense kernel was scaled by n/Tr; κ̃ and φ scale with it.
    let scale = n as f64 / trace;
    for l in 0..2 {
        assert_close(weighted.0[l], scale * plain.0[l], 1e-10, "CorrGCV");
        assert_close(weighted.1[l], scale * plain.1[l], 1e-9, "whitened");
        assert_close(weighted.2[l], plain.2[l] / scale, 1e-10, "κ̃");
    }
}

/// Long series: exact where no dense K is needed, approximate on request, and said so.
#[test]
fn long_series() {
    let (n, p) = (20_000, 6);
    let mut gauss = Gauss::new(3);
    let exact = kernel(Family::Exponential { length: 5.0 }, n);
    let x = gauss.rows(&exact, &vec![1.0; p]);
    let y = gauss.vec(n);
    let table = Table::new(&x, n, p).unwrap();
    let data = Regression::new(table, Table::column(&y), &Options::default()).unwrap();
    let family = SampleCorrelation::from(Family::PowerLaw { exponent: 0.8 });
    let error = family.kernel(n).unwrap_err().to_string();
    assert!(error.contains("20000") && error.contains("circulant"), "{error}");
    let approximate = family.kernel_on(Rows::regular(n), SpectrumMethod::Circulant).unwrap();
    for (kernel, left_out) in [(&exact, false), (&approximate, true)] {
        let criteria = Criteria {
            correlation: Some(kernel),
            whitened: true,
            lags: vec![1.0],
            loo: true,
            ..Criteria::default()
        };
        let path = data.path(&[0.1, 0.0], &criteria).unwrap();
        let t = &path.targets[0];
        assert!(t.corr_gcv.as_ref().unwrap().iter().all(|e| e.is_finite()));
        assert_eq!(t.whitened_corr_gcv.is_none(), left_out);
        assert_eq!(t.correlated_test_error.is_empty(), left_out);
        assert_eq!(path.notes.len(), if left_out { 3 } else { 0 }, "{:?}", path.notes);
    }
    // With so many rows the closed limit holds: κ̃ at t = D̂/n.
    let criteria = Criteria { correlation: Some(&exact), ..Criteria::default() };
    let path = data.path(&[0.1], &criteria).unwrap();
    let limit = SampleCorrelation::from(Family::Exponential { length: 5.0 });
    let limit = limit.limit(path.df1[0] / n as f64).unwrap();
    assert_close(path.kappa_tilde.unwrap()[0], limit.kappa_tilde, 1e-3, "κ̃");
}

/// A point two steps after the last row, simulated with the rows: mean squared error of its
/// prediction over draws and targets against the estimates, with and without intercept, for noise as
/// correlated as the rows and for white noise (two components). K = I with correlated noise has
/// one eigenvalue only, and the basis is decided by K′.
#[test]
fn forecasts_are_estimated() {
    let (n, lag, p, targets, trials, lambda) = (100, 2, 40, 50, 60_u64, 0.1);
    let exponential = Family::Exponential { length: 6.0 };
    for (rows, noise, intercept) in [
        (exponential.clone(), exponential.clone(), false),
        (exponential.clone(), exponential.clone(), true),
        (exponential.clone(), Family::Identity, false),
        (exponential.clone(), Family::Identity, true),
        (Family::Identity, exponential.clone(), true),
    ] {
        let (long, long_noise) = (kernel(rows.clone(), n + lag), kernel(noise.clone(), n + lag));
        let (own, own_noise) = (kernel(rows.clone(), n), kernel(noise.clone(), n));
        let matched = rows == noise;
        let options = Options { intercept, ..Options::default() };
        let mut differences = Vec::new();
        let (mut truth, mut risk, mut sigma) = (0.0, 0.0, 0.0);
        let mut true_risk = 0.0;
        for seed in 0..trials {
            let mut gauss = Gauss::new(seed);
            let x = gauss.rows(&long, &vec![1.0; p]);
            let mut y = vec![0.0; (n + lag) * targets];
            let mut thetas = Vec::new();
            for t in 0..targets {
                let theta: Vec<f64> = gauss.vec(p).iter().map(|v| 0.15 * v).collect();
                let e = long_noise.colour(&gauss.vec(n + lag)).unwrap().unwrap();
                for (i, v) in respond(&x, &theta, 1.0, &e).into_iter().enumerate() {
                    y[i * targets + t] = v;
                }
                thetas.push(theta);
            }
            let table = Table::new(&x[..n * p], n, p).unwrap();
            let ys = Table::new(&y[..n * targets], n, targets).unwrap();
            let data = Regression::new(table, ys, &options).unwrap();
            let criteria = Criteria {
                correlation: Some(&own),
                noise: (!matched).then_some(&own_noise),
                lags: vec![lag as f64],
                ..Criteria::default()
            };
            let path = data.path(&[lambda], &criteria).unwrap();
            let fit = data.coefficients(lambda).unwrap();
            let last = Table::new(&x[(n + lag - 1) * p..], 1, p).unwrap();
            let predicted = fit.predict(last).unwrap();
            let (mut estimate, mut error) = (0.0, 0.0);
            let count = (targets as f64, trials as f64 * targets as f64);
            for (t, target) in path.targets.iter().enumerate() {
                estimate += match &target.correlated_test_error_two_component {
                    Some(list) => list[0][0],
                    None => target.correlated_test_error[0][0],
                } / count.0;
                error += (y[(n + lag - 1) * targets + t] - predicted[t]).powi(2) / count.0;
                if let Some(list) = &target.two_component {
                    risk += list[0].risk / count.1;
                    sigma += list[0].noise_variance / count.1;
                }
                let slopes = &fit.slopes[t * p..(t + 1) * p];
                let off = slopes.iter().zip(&thetas[t]).map(|(a, b)| (a - b).powi(2));
                true_risk += off.sum::<f64>() / count.1;
            }
            truth += error / trials as f64;
            differences.push(estimate - error);
        }
        let mean = differences.iter().sum::<f64>() / trials as f64;
        let square = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>();
        let error = (square / (trials * (trials - 1)) as f64).sqrt();
        let what = format!(
            "{rows:?} {noise:?} intercept={intercept}: off by {mean:.4} ± {error:.4} of {truth:.4}; \
             E_g {risk:.4} ({true_risk:.4}), σ² {sigma:.4}"
        );
        println!("{what}");
        assert!(mean.abs() < 3.0 * error + 0.02 * truth, "{what}");
        assert!(3.0 * error < 0.25 * truth, "{what}");
        if !matched {
            // Unbiased: one data set's spread of E_g is about its size, 3000 of them are averaged
            // (50 share one X).
            assert!((risk / true_risk - 1.0).abs() < 0.15, "{what}");
            assert!((sigma - 1.0).abs() < 0.06, "{what}");
        }
    }
}
