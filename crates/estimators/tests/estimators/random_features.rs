//! CorrGCV of random-feature regression on data with correlated rows.

use crate::common::Gauss;
use rmt_estimators::{Criteria, Error, FeatureMap, FeatureRegression, Options, Table};
use rmt_models::ActivationFunction;
use rmt_models::kernel::{Family, Kernel, SampleCorrelation};

fn exponential(n: usize, length: f64) -> Kernel {
    SampleCorrelation::from(Family::Exponential { length }).kernel(n).unwrap()
}

/// CorrGCV and true error of one data set on linear layers.
fn trial(
    kernel: &Kernel,
    spectrum: &[f64],
    widths: &[usize],
    lambda: f64,
    noise: f64,
    seed: u64,
) -> (f64, f64, f64) {
    let (n, p) = (kernel.rows(), spectrum.len());
    let mut random = Gauss::new(seed);
    let x = random.rows(kernel, spectrum);
    let theta: Vec<f64> = (1..=p).map(|i| (i as f64).powf(-0.25)).collect();
    let errors = kernel.colour(&random.vec(n)).unwrap().unwrap();
    let y: Vec<f64> = (0..n)
        .map(|i| {
            let clean: f64 = (0..p).map(|j| x[i * p + j] * theta[j]).sum();
            clean + noise.sqrt() * errors[i]
        })
        .collect();
    let map = FeatureMap::linear(p, widths, seed + 1_000_000).unwrap();
    let options = Options { intercept: false, ..Options::default() };
    let fit =
        FeatureRegression::new(map, Table::new(&x, n, p).unwrap(), Table::column(&y), &options)
            .unwrap();
    let criteria = Criteria { correlation: Some(kernel), ..Criteria::default() };
    let path = fit.path(&[lambda], &criteria).unwrap();
    // The predictor is linear: unit inputs give ŵ, and the error is exact.
    let mut unit = vec![0.0; p * p];
    (0..p).for_each(|j| unit[j * p + j] = 1.0);
    let w = fit.predict(Table::new(&unit, p, p).unwrap(), lambda).unwrap();
    let risk: f64 = (0..p).map(|j| spectrum[j] * (w[j] - theta[j]).powi(2)).sum();
    let target = &path.targets[0];
    (target.corr_gcv.as_ref().unwrap()[0], target.gcv[0], risk + noise)
}

/// The estimate agrees with the error in the mean, for one and two layers, where ordinary GCV is off by
/// a factor. 40 data sets, seeds 0..40; the tolerance is 3 standard errors of the mean of the difference.
#[test]
fn estimates_the_error() {
    for (n, widths, length, lambda) in
        [(150, vec![120], 8.0, 0.01), (120, vec![150, 100], 5.0, 0.003)]
    {
        let spectrum: Vec<f64> = (1..=150).map(|i| (i as f64).powf(-1.2)).collect();
        let kernel = exponential(n, length);
        let rows: Vec<_> =
            (0..40).map(|seed| trial(&kernel, &spectrum, &widths, lambda, 0.1, seed)).collect();
        let mean = |f: &dyn Fn(&(f64, f64, f64)) -> f64| rows.iter().map(f).sum::<f64>() / 40.0;
        let (estimate, naive, error) = (mean(&|r| r.0), mean(&|r| r.1), mean(&|r| r.2));
        let difference = mean(&|r| r.0 - r.2);
        let spread = (mean(&|r| (r.0 - r.2 - difference).powi(2)) / 39.0).sqrt();
        println!(
            "{widths:?}: CorrGCV {estimate:.4}, error {error:.4}, GCV {naive:.4}; difference {difference:.4} ± {spread:.4}"
        );
        assert!(difference.abs() < 3.0 * spread && spread < 0.05 * error);
        assert!(naive < 0.75 * error, "ordinary GCV should be fooled here: {naive} {error}");
    }
}

/// Equal seeds give equal maps; nonlinear features refuse a correlation but serve independent rows.
#[test]
fn maps() {
    let mut random = Gauss::new(3);
    let (x, y) = (random.vec(60 * 5), random.vec(60));
    let table = Table::new(&x, 60, 5).unwrap();
    let a = FeatureMap::linear(5, &[7, 3], 4).unwrap().apply(table).unwrap();
    assert_eq!(a, FeatureMap::linear(5, &[7, 3], 4).unwrap().apply(table).unwrap());
    assert_ne!(a, FeatureMap::linear(5, &[7, 3], 5).unwrap().apply(table).unwrap());
    assert!(FeatureMap::linear(5, &[7, 0], 4).is_err() && FeatureMap::linear(5, &[], 4).is_err());
    assert!(FeatureMap::linear(4, &[7], 4).unwrap().apply(table).is_err());

    let activations = [ActivationFunction::Relu, ActivationFunction::Tanh];
    let map = FeatureMap::nonlinear(table, &[400, 300], &activations, 1).unwrap();
    // Features are centred and their mean square is μ₁² + μ*² of tanh over m, up to O(1/√n).
    let features = map.apply(table).unwrap();
    let c = ActivationFunction::Tanh.hermite(1.0).unwrap();
    let expected = (c.linear.powi(2) + c.nonlinear_variance) * 60.0;
    let found: f64 = features.iter().map(|f| f * f).sum();
    assert!((found / expected - 1.0).abs() < 0.2, "{found} {expected}");
    let fit = FeatureRegression::new(map, table, Table::column(&y), &Options::default()).unwrap();
    assert!(fit.path(&[0.1], &Criteria::default()).is_ok());
    let kernel = exponential(60, 3.0);
    let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
    assert!(matches!(fit.path(&[0.1], &criteria), Err(Error::NonlinearCorrelation)));
}
