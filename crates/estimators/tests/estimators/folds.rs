//! Cross-validation without refits against refits; many targets against one at a time.

use crate::common::{Gauss, assert_close, respond};
use rmt_estimators::{Criteria, Error, Folds, Options, Path, Regression, Table};
use rmt_models::kernel::{Family, SampleCorrelation};

fn problem(n: usize, p: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut gauss = Gauss::new(seed);
    let x: Vec<f64> = gauss.vec(n * p).into_iter().map(|v| v + 1.5).collect();
    let (theta, noise) = (gauss.vec(p), gauss.vec(n));
    let y = respond(&x, &theta, 0.7, &noise);
    (x, y)
}

/// The error of refits on the rows that a fold leaves, with the penalty nλ kept.
fn refitted(x: &[f64], y: &[f64], p: usize, lambda: f64, options: &Options, folds: &Folds) -> f64 {
    let n = y.len();
    let weights = options.weights.clone().unwrap_or_else(|| vec![1.0; n]);
    let total: f64 = weights.iter().sum();
    let (mut sum, mut count) = (0.0, 0.0);
    for (predicted, removed) in folds.iter() {
        let keep: Vec<usize> = (0..n).filter(|i| !removed.contains(i)).collect();
        let xs: Vec<f64> = keep.iter().flat_map(|i| x[i * p..(i + 1) * p].to_vec()).collect();
        let ys: Vec<f64> = keep.iter().map(|i| y[*i]).collect();
        let ws: Vec<f64> = keep.iter().map(|i| weights[*i]).collect();
        let kept: f64 = ws.iter().sum();
        let options = Options { weights: Some(ws), ..options.clone() };
        let table = Table::new(&xs, keep.len(), p).unwrap();
        let data = Regression::new(table, Table::column(&ys), &options).unwrap();
        let fit = data.coefficients(lambda * total / kept).unwrap();
        for &i in predicted {
            let row = Table::new(&x[i * p..(i + 1) * p], 1, p).unwrap();
            let error = y[i] - fit.predict(row).unwrap()[0];
            sum += weights[i] * n as f64 / total * error * error;
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn folds_equal_refits() {
    // Folds of fewer rows than features, of more (where the smaller side is factored), and n < p.
    for (n, p) in [(24, 6), (40, 3), (16, 30)] {
        let (x, y) = problem(n, p, 11);
        let labels: Vec<usize> = (0..n).map(|i| (i * i) % 3 + i / (n / 2)).collect();
        let weights: Vec<f64> = (0..n).map(|i| 0.5 + (i % 4) as f64).collect();
        for intercept in [false, true] {
            for weights in [None, Some(weights.clone())] {
                let options = Options { intercept, weights, ..Options::default() };
                let table = Table::new(&x, n, p).unwrap();
                let data = Regression::new(table, Table::column(&y), &options).unwrap();
                let schemes = [
                    Folds::interleaved(n, 5).unwrap(),
                    Folds::interleaved(n, n).unwrap(),
                    Folds::blocks(n, 4, 0).unwrap(),
                    Folds::blocks(n, 5, 2).unwrap(),
                    Folds::groups(&labels).unwrap(),
                ];
                let criteria =
                    Criteria { loo: true, folds: schemes.iter().collect(), ..Criteria::default() };
                let lambdas = [0.3, 1e-3, 0.0];
                let path = data.path(&lambdas, &criteria).unwrap();
                let target = &path.targets[0];
                for (scheme, errors) in schemes.iter().zip(&target.folds) {
                    for (l, lambda) in lambdas.iter().enumerate() {
                        let expected = refitted(&x, &y, p, *lambda, &options, scheme);
                        let what = format!(
                            "{} n={n} p={p} λ={lambda} intercept={intercept} weighted={}",
                            scheme.name(),
                            options.weights.is_some()
                        );
                        assert_close(errors.error[l], expected, 1e-10, &what);
                        assert!(errors.standard_error[l] > 0.0);
                    }
                }
                // One row a fold is leave-one-out.
                for l in 0..lambdas.len() {
                    let loo = target.loo.as_ref().unwrap()[l];
                    assert_close(target.folds[1].error[l], loo, 1e-10, "leave-one-out");
                }
            }
        }
    }
}

/// With n > p but fewer rows than features left by a fold, λ = 0 has no exact shortcut: infinite
/// and said so, not a number.
#[test]
fn undetermined_folds_say_so() {
    let (n, p) = (12, 9);
    let (x, y) = problem(n, p, 12);
    let data =
        Regression::new(Table::new(&x, n, p).unwrap(), Table::column(&y), &Options::default())
            .unwrap();
    let folds = Folds::blocks(n, 2, 0).unwrap();
    let criteria = Criteria { folds: vec![&folds], ..Criteria::default() };
    let path = data.path(&[0.1, 0.0], &criteria).unwrap();
    let errors = &path.targets[0].folds[0].error;
    assert!(errors[0].is_finite() && errors[1] == f64::INFINITY, "{errors:?}");
    assert!(path.notes.iter().any(|n| n.contains("too few rows")), "{:?}", path.notes);
}

#[test]
fn bad_folds_are_named() {
    for result in [
        Folds::interleaved(10, 1),
        Folds::interleaved(10, 11),
        Folds::blocks(10, 2, 5),
        Folds::groups(&[3, 3, 3]),
    ] {
        assert!(matches!(result, Err(Error::OutOfRange { .. })), "{result:?}");
    }
    let (x, y) = problem(10, 2, 13);
    let data =
        Regression::new(Table::new(&x, 10, 2).unwrap(), Table::column(&y), &Options::default())
            .unwrap();
    let folds = Folds::interleaved(9, 3).unwrap();
    let criteria = Criteria { folds: vec![&folds], ..Criteria::default() };
    assert!(matches!(data.path(&[0.1], &criteria), Err(Error::Length { what: "folds", .. })));
}

/// q targets at once are the q single fits; batches must not mix targets or ridges.
#[test]
fn many_targets_equal_single_fits() {
    let targets = 1000;
    for (n, p) in [(30, 12), (20, 40)] {
        let mut gauss = Gauss::new(14);
        let x = gauss.vec(n * p);
        let y = gauss.vec(n * targets);
        let kernel =
            SampleCorrelation::from(Family::Exponential { length: 2.0 }).kernel(n).unwrap();
        let noise = SampleCorrelation::from(Family::Identity).kernel(n).unwrap();
        let folds = Folds::blocks(n, 4, 1).unwrap();
        let criteria = Criteria {
            loo: true,
            correlation: Some(&kernel),
            noise: Some(&noise),
            whitened: true,
            lags: vec![1.0],
            folds: vec![&folds],
        };
        let lambdas = [1.0, 0.03, 1e-4];
        let options = Options::default();
        let table = Table::new(&x, n, p).unwrap();
        let all = Regression::new(table, Table::new(&y, n, targets).unwrap(), &options).unwrap();
        let all = all.path(&lambdas, &criteria).unwrap();
        for t in (0..targets).step_by(37).chain([255, 256, 999]) {
            let column: Vec<f64> = y.iter().skip(t).step_by(targets).copied().collect();
            let one = Regression::new(table, Table::column(&column), &options).unwrap();
            let one = one.path(&lambdas, &criteria).unwrap();
            let lists = |path: &Path, t: usize| -> Vec<Vec<f64>> {
                let e = &path.targets[t];
                vec![
                    e.train_error.clone(),
                    e.gcv.clone(),
                    e.loo.clone().unwrap(),
                    e.gcv2.clone().unwrap(),
                    e.corr_gcv.clone().unwrap(),
                    e.whitened_corr_gcv.clone().unwrap(),
                    e.folds[0].error.clone(),
                    e.folds[0].standard_error.clone(),
                    e.correlated_test_error[0].clone(),
                    vec![e.variance],
                    // Differences of two estimates: relative to their sum.
                    e.two_component
                        .as_ref()
                        .unwrap()
                        .iter()
                        .map(|c| c.risk + 1e3 * e.variance)
                        .collect(),
                ]
            };
            for (k, (a, b)) in lists(&all, t).iter().zip(lists(&one, 0)).enumerate() {
                for (a, b) in a.iter().zip(b) {
                    assert_close(*a, b, 1e-12, &format!("criterion {k} of target {t}"));
                }
            }
        }
    }
}
