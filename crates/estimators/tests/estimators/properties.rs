//! Identities and inequalities that hold for every data set.

use crate::common::{Gauss, assert_close, respond};
use proptest::prelude::*;
use rmt_estimators::{Criteria, Criterion, Edge, Error, Moments, Options, Path, Regression, Table};
use rmt_models::kernel::{Family, Kernel, SampleCorrelation};

fn options(intercept: bool) -> Options {
    Options { intercept, ..Options::default() }
}

fn data(n: usize, p: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut gauss = Gauss::new(seed);
    let x = gauss.vec(n * p);
    let noise = gauss.vec(n);
    let theta = gauss.vec(p);
    let y = respond(&x, &theta, 1.0, &noise);
    (x, y)
}

fn path(x: &[f64], y: &[f64], kernel: &Kernel, lambdas: &[f64], options: &Options) -> Path {
    let n = y.len();
    let table = Table::new(x, n, x.len() / n).unwrap();
    let data = Regression::new(table, Table::column(y), options).unwrap();
    let criteria =
        Criteria { correlation: Some(kernel), whitened: true, loo: true, ..Criteria::default() };
    data.path(lambdas, &criteria).unwrap()
}

/// K = A Aᵀ for a random square A, sometimes nearly singular.
fn random_kernel(n: usize, seed: u64, power: f64) -> Kernel {
    let mut gauss = Gauss::new(seed);
    let a: Vec<Vec<f64>> = (0..n).map(|_| gauss.vec(n)).collect();
    let scale: Vec<f64> = (0..n).map(|j| ((j + 1) as f64).powf(-power)).collect();
    let values = (0..n)
        .map(|i| {
            (0..n).map(|j| (0..n).map(|k| a[i][k] * a[j][k] * scale[k]).sum::<f64>()).collect()
        })
        .collect();
    SampleCorrelation::from(Family::Dense { values }).kernel(n).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// (1 − t)² ≥ φ ≥ (κ̃t)² by Jensen and Cauchy–Schwarz, for any K of trace n.
    #[test]
    fn corr_gcv_lies_between_the_naive_estimates(
        seed in 0_u64..1000, n in 3_usize..14, p in 1_usize..20, power in 0.0..3.0_f64,
        log_lambda in -9.0..2.0_f64,
    ) {
        let kernel = random_kernel(n, seed, power);
        let (x, y) = data(n, p, seed + 1);
        let path = path(&x, &y, &kernel, &[10.0_f64.powf(log_lambda), 0.0], &options(false));
        let t = &path.targets[0];
        let (corr, gcv2) = (t.corr_gcv.as_ref().unwrap(), t.gcv2.as_ref().unwrap());
        for l in 0..2 {
            prop_assert!(t.gcv[l] <= corr[l] * (1.0 + 1e-10), "{} {}", t.gcv[l], corr[l]);
            prop_assert!(corr[l] <= gcv2[l] * (1.0 + 1e-10), "{} {}", corr[l], gcv2[l]);
        }
    }

    /// Each row twice is the same data set with half the rows; K says so.
    #[test]
    fn duplicated_rows_are_half_the_rows(
        seed in 0_u64..1000, n in 4_usize..12, p in 1_usize..16, log_lambda in -6.0..1.0_f64,
        intercept: bool,
    ) {
        let (x, y) = data(n, p, seed);
        let twice = |v: &[f64], w: usize| -> Vec<f64> {
            v.chunks(w).flat_map(|row| [row, row].concat()).collect()
        };
        let lambda = [10.0_f64.powf(log_lambda)];
        let identity = SampleCorrelation::from(Family::Identity).kernel(n).unwrap();
        let pairs = SampleCorrelation::from(Family::Blocks { size: 2, correlation: 1.0 });
        let pairs = pairs.kernel(2 * n).unwrap();
        let once = path(&x, &y, &identity, &lambda, &options(intercept));
        let double = path(&twice(&x, p), &twice(&y, 1), &pairs, &lambda, &options(intercept));
        assert_close(double.df1[0], once.df1[0], 1e-9, "D̂");
        assert_close(double.kappa[0], once.kappa[0], 1e-7, "κ̂");
        let corr = |p: &Path| p.targets[0].corr_gcv.as_ref().unwrap()[0];
        assert_close(corr(&double), corr(&once), 1e-7, "CorrGCV");
        prop_assert!(double.targets[0].whitened_corr_gcv.is_none(), "K is singular");
    }

    /// Independent rows: CorrGCV, GCV₂, whitened and ordinary GCV are one number. With an
    /// intercept they differ by 1 − 1/n², since GCV counts the mean as a degree of freedom.
    #[test]
    fn identity_is_ordinary_gcv(
        seed in 0_u64..1000, n in 3_usize..14, p in 1_usize..20, log_lambda in -8.0..2.0_f64,
        intercept: bool,
    ) {
        let (x, y) = data(n, p, seed);
        let kernel = SampleCorrelation::from(Family::Identity).kernel(n).unwrap();
        let path = path(&x, &y, &kernel, &[10.0_f64.powf(log_lambda), 0.0], &options(intercept));
        let t = &path.targets[0];
        for l in 0..2 {
            if p + 1 == n && intercept || p == n {
                // Ill-conditioned ties lose digits in both.
                continue;
            }
            let factor = if intercept { 1.0 - (n as f64).powi(-2) } else { 1.0 };
            let gcv = t.gcv[l];
            let rest = 1e-9;
            assert_close(t.corr_gcv.as_ref().unwrap()[l], gcv * factor, rest, "CorrGCV");
            assert_close(t.whitened_corr_gcv.as_ref().unwrap()[l], gcv * factor, rest, "whitened");
            assert_close(t.gcv2.as_ref().unwrap()[l], gcv, rest, "GCV₂");
        }
    }

    /// Integer weights are repeated rows, for the fit and for the training error.
    #[test]
    fn weights_repeat_rows(
        seed in 0_u64..1000, n in 3_usize..10, p in 1_usize..8, log_lambda in -4.0..1.0_f64,
        intercept: bool, standardize: bool,
    ) {
        let (x, y) = data(n, p, seed);
        let counts: Vec<usize> = (0..n).map(|i| 1 + (i * 7 + seed as usize) % 3).collect();
        let repeat = |v: &[f64], w: usize| -> Vec<f64> {
            v.chunks(w).zip(&counts).flat_map(|(row, c)| row.repeat(*c)).collect()
        };
        let plain = Options { intercept, standardize, weights: None };
        let weights = Some(counts.iter().map(|c| *c as f64).collect());
        let weighted = Options { weights, ..plain.clone() };
        let fit = |x: &[f64], y: &[f64], options: &Options| {
            let table = Table::new(x, y.len(), p).unwrap();
            let data = Regression::new(table, Table::column(y), options).unwrap();
            let lambda = 10.0_f64.powf(log_lambda);
            let train = data.path(&[lambda], &Criteria::default()).unwrap().targets[0].train_error[0];
            (data.coefficients(lambda).unwrap(), train)
        };
        let (a, train_a) = fit(&x, &y, &weighted);
        let (b, train_b) = fit(&repeat(&x, p), &repeat(&y, 1), &plain);
        let size = b.slopes.iter().fold(1.0_f64, |m, s| m.max(s.abs()));
        for (a, b) in a.slopes.iter().zip(&b.slopes) {
            prop_assert!((a - b).abs() < 1e-9 * size);
        }
        prop_assert!((a.intercepts[0] - b.intercepts[0]).abs() < 1e-9 * size);
        prop_assert!((train_a - train_b).abs() <= 1e-9 * train_b.max(1e-3));
    }
}

/// The grid is scaled to the spectrum, and widened where the best ridge is at its edge.
#[test]
fn grids_widen_at_their_edges() {
    let (x, _) = data(40, 5, 3);
    let mut gauss = Gauss::new(8);
    let table = Table::new(&x, 40, 5).unwrap();
    let exact: Vec<f64> = x.chunks(5).map(|r| r.iter().sum()).collect();
    let data = Regression::new(table, Table::column(&exact), &Options::default()).unwrap();
    let small = data.tuned_path(&[1.0, 0.1], &Criteria::default(), Criterion::Gcv).unwrap();
    let best = small.choose(Criterion::Gcv, 0).unwrap();
    // Without noise the best ridge is 0, or as good as 0 up to rounding.
    assert!(best.lambda < 1e-10, "{best:?}");
    let noise = gauss.vec(40);
    let data = Regression::new(table, Table::column(&noise), &Options::default()).unwrap();
    let large = data.tuned_path(&[0.01, 0.001], &Criteria::default(), Criterion::Gcv).unwrap();
    let best = large.choose(Criterion::Gcv, 0).unwrap();
    assert!(best.lambda > 0.1 && (best.edge.is_none() || best.edge == Some(Edge::Largest)));
    // A common factor of the features changes λ by its square and nothing else.
    let scaled: Vec<f64> = x.iter().map(|v| 100.0 * v).collect();
    let table = Table::new(&scaled, 40, 5).unwrap();
    let scaled = Regression::new(table, Table::column(&noise), &Options::default()).unwrap();
    for (a, b) in scaled.grid(30).iter().zip(data.grid(30)) {
        assert_close(*a, 1e4 * b, 1e-9, "grid");
    }
}

/// Moments gathered in blocks give what the rows give, also for data far from zero.
#[test]
fn moments_equal_rows() {
    let (n, p, q) = (50, 6, 2);
    let mut gauss = Gauss::new(17);
    let (x0, y0) = (gauss.vec(n * p), gauss.vec(n * q));
    let kernel = SampleCorrelation::from(Family::Exponential { length: 3.0 }).kernel(n).unwrap();
    let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
    for (intercept, standardize) in [(true, false), (true, true), (false, true), (false, false)] {
        let options = Options { intercept, standardize, weights: None };
        // Without an intercept a common offset is a direction of its own, of huge variance.
        let offset = if intercept { 1e4 } else { 1.0 };
        let x: Vec<f64> = x0.iter().map(|v| v + offset).collect();
        let y: Vec<f64> = y0.iter().map(|v| v - offset).collect();
        let mut moments = Moments::new(p, q);
        for (xs, ys) in x.chunks(7 * p).zip(y.chunks(7 * q)) {
            let rows = xs.len() / p;
            moments
                .add(Table::new(xs, rows, p).unwrap(), Table::new(ys, rows, q).unwrap())
                .unwrap();
        }
        assert_eq!(moments.rows(), n);
        let streamed = moments.regression(&options).unwrap();
        let (xs, ys) = (Table::new(&x, n, p).unwrap(), Table::new(&y, n, q).unwrap());
        let held = Regression::new(xs, ys, &options).unwrap();
        let lambda = [1.0, 0.01];
        let (a, b) =
            (streamed.path(&lambda, &criteria).unwrap(), held.path(&lambda, &criteria).unwrap());
        for l in 0..2 {
            assert_close(a.df1[l], b.df1[l], 1e-7, "D̂");
            for t in 0..q {
                let (a, b) = (&a.targets[t], &b.targets[t]);
                assert_close(a.gcv[l], b.gcv[l], 1e-6, "GCV");
                let corr = |t: &rmt_estimators::TargetPath| t.corr_gcv.as_ref().unwrap()[l];
                assert_close(corr(a), corr(b), 1e-6, "CorrGCV");
            }
            let (a, b) =
                (streamed.coefficients(lambda[l]).unwrap(), held.coefficients(lambda[l]).unwrap());
            for (a, b) in a.slopes.iter().zip(&b.slopes) {
                assert!((a - b).abs() < 1e-6 * b.abs().max(1e-2), "{a} {b}");
            }
        }
        // What needs the rows says so.
        let criteria = Criteria { loo: true, ..Criteria::default() };
        let error = streamed.path(&lambda, &criteria).unwrap_err();
        assert!(matches!(error, Error::RowsNeeded { .. }), "{error}");
        let family = SampleCorrelation::from(Family::Exponential { length: 3.0 });
        assert!(streamed.learning_curve(0, Some((&family, &kernel)), &[10]).is_err());
        let point = |data: &Regression| data.learning_curve(0, None, &[100]).unwrap()[0];
        let (a, b) = (point(&streamed), point(&held));
        assert_close(a.error, b.error, 1e-6, "learning curve");
        assert_close(a.band.1, b.band.1, 1e-4, "its band");
    }
    let mut moments = Moments::new(3, 1);
    let table = Table::new(&x0[..6], 2, 3).unwrap();
    assert!(moments.add(table, Table::column(&y0[..1])).is_err());
    moments.add(table, Table::column(&y0[..2])).unwrap();
    let error = moments.regression(&Options::default()).unwrap_err();
    assert!(matches!(error, Error::TooFewRows { rows: 2, needed: 5 }), "{error}");
}

/// Many rows of a known population: eigenvalues, energies by octaves and noise come back.
#[test]
fn a_plug_in_is_the_population_it_came_from() {
    let (n, p, noise) = (20_000, 64, 0.5);
    let spectrum: Vec<f64> = (1..=p).map(|j| 1.0 / j as f64).collect();
    let theta: Vec<f64> = (1..=p).map(|j| (j as f64).powf(-0.3)).collect();
    let mut gauss = Gauss::new(5);
    let identity = SampleCorrelation::from(Family::Identity).kernel(n).unwrap();
    let x = gauss.rows(&identity, &spectrum);
    let e = gauss.vec(n);
    let y = respond(&x, &theta, f64::sqrt(noise), &e);
    let options = Options { intercept: false, ..Options::default() };
    let data = Regression::new(Table::new(&x, n, p).unwrap(), Table::column(&y), &options).unwrap();
    let plug_in = data.plug_in(1e-4, 0).unwrap();
    assert_close(plug_in.noise_variance, noise, 0.03, "noise");
    let energy = |s: &[f64], c: &mut dyn Iterator<Item = f64>| -> f64 {
        s.iter().zip(c).map(|(s, c)| s * c).sum()
    };
    for from in [0, 8, 16, 32] {
        let range = from..(2 * from).max(8);
        let count = range.len() as f64;
        let mean = |s: &[f64]| s[range.clone()].iter().sum::<f64>() / count;
        assert_close(mean(&plug_in.eigenvalues), mean(&spectrum), 0.05, "eigenvalues");
        let found = energy(
            &plug_in.eigenvalues[range.clone()],
            &mut plug_in.squared_coefficients[range.clone()].iter().copied(),
        );
        let wanted =
            energy(&spectrum[range.clone()], &mut theta[range.clone()].iter().map(|t| t * t));
        // Four standard errors: the variance of Σb²/n is 4σ²E/n for energy E.
        assert_close(found, wanted, 8.0 * (noise / (n as f64 * wanted)).sqrt(), "energy");
    }
    assert!(data.plug_in(-1.0, 0).is_err() && data.plug_in(1.0, 1).is_err());
}
