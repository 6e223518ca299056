//! scikit-learn's RidgeCV (α = nλ), and exact arithmetic where it fails: values by
//! `data/make_parity.py`.

use crate::common::assert_close;
use rmt_estimators::{Criteria, Criterion, Options, Regression, Table};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn diabetes() -> (Vec<f64>, Vec<f64>, usize) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/diabetes.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let row: Vec<f64> = line.split(',').map(|v| v.parse().unwrap()).collect();
        x.extend_from_slice(&row[..10]);
        y.push(row[10]);
    }
    (x, y, 10)
}

#[test]
fn equals_ridge_cv_and_stays_right_where_it_fails() {
    let file: Value = serde_json::from_str(include_str!("data/parity.json")).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let wide = name == "wide";
        let (x, y, p) = if wide {
            let rows: Vec<Vec<f64>> = case["x"].as_array().unwrap().iter().map(numbers).collect();
            (rows.concat(), numbers(&case["y"]), rows[0].len())
        } else {
            diabetes()
        };
        let n = y.len();
        let options = Options { standardize: !wide, ..Options::default() };
        let table = Table::new(&x, n, p).unwrap();
        let data = Regression::new(table, Table::column(&y), &options).unwrap();
        let alphas = numbers(&case["alphas"]);
        let lambdas: Vec<f64> = alphas.iter().map(|a| a / n as f64).collect();
        let criteria = Criteria { loo: true, ..Criteria::default() };
        let path = data.path(&lambdas, &criteria).unwrap();
        let loo = path.targets[0].loo.as_ref().unwrap();
        for (a, b) in loo.iter().zip(numbers(&case["loo"])) {
            assert_close(*a, b, 1e-8, &format!("{name} LOO"));
        }
        let best = path.choose(Criterion::Loo, 0).unwrap();
        assert_close(best.alpha, case["best_alpha"].as_f64().unwrap(), 1e-12, "choice");
        for (k, lambda) in lambdas.iter().enumerate() {
            let fit = data.coefficients(*lambda).unwrap();
            assert_close(data.alpha(*lambda), alphas[k], 1e-15, "alpha");
            let theirs = numbers(&case["coefficients"][k]);
            let size = theirs.iter().fold(0.0_f64, |m, c| m.max(c.abs()));
            // Theirs are for the standardised features.
            for (j, b) in theirs.iter().enumerate() {
                let scale = if wide { 1.0 } else { deviation(&x, p, j) };
                let a = fit.slopes[j] * scale;
                assert!((a - b).abs() <= 1e-8 * size, "{name} coefficient {j}: {a} against {b}");
            }
            if wide {
                let b = case["intercepts"][k].as_f64().unwrap();
                assert_close(fit.intercepts[0], b, 1e-8, "intercept");
            }
        }
        for (alpha, exact) in case["exact_loo"].as_object().unwrap() {
            let lambda = alpha.parse::<f64>().unwrap() / n as f64;
            let path = data.path(&[lambda], &criteria).unwrap();
            let what = format!("{name} exact LOO at α = {alpha}");
            let loo = path.targets[0].loo.as_ref().unwrap()[0];
            assert_close(loo, exact.as_f64().unwrap(), 1e-9, &what);
        }
    }
}

fn deviation(x: &[f64], p: usize, j: usize) -> f64 {
    let column: Vec<f64> = x.iter().skip(j).step_by(p).copied().collect();
    let mean = column.iter().sum::<f64>() / column.len() as f64;
    (column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / column.len() as f64).sqrt()
}

/// glmnet minimises |y/s − Xβ|²/2n + λ|β|²/2 with s the standard deviation (1/n) of y and returns
/// sβ; on the original scale that is ridge λ/s. One feature has a closed form.
#[test]
fn glmnet_convention() {
    let x = [1.0, 2.0, 4.0, 5.0, 8.0];
    let y = [2.0, 1.0, 3.0, 6.0, 5.0];
    let data = Regression::new(Table::column(&x), Table::column(&y), &Options::default()).unwrap();
    let lambda = 0.7;
    let glmnet = data.glmnet_lambda(lambda, 0).unwrap();
    let centred = |v: &[f64]| {
        let mean = v.iter().sum::<f64>() / 5.0;
        v.iter().map(|a| a - mean).collect::<Vec<_>>()
    };
    let (x, y) = (centred(&x), centred(&y));
    let s = (y.iter().map(|v| v * v).sum::<f64>() / 5.0).sqrt();
    let xx = x.iter().map(|v| v * v).sum::<f64>() / 5.0;
    let xy = x.iter().zip(&y).map(|(a, b)| a * b).sum::<f64>() / 5.0;
    let beta = s * (xy / s) / (xx + glmnet / s);
    assert_close(data.coefficients(lambda).unwrap().slopes[0], beta, 1e-14, "glmnet");
}
