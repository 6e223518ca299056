//! λ → 0 on both sides of n = p, against closed forms and against λ = 10⁻¹²; the intercept against
//! brute-force refits.

use crate::common::{Gauss, assert_close, respond};
use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, MatRef};
use rmt_estimators::{Criteria, Error, Method, Options, Regression, Table};
use rmt_models::kernel::{Family, Kernel, SampleCorrelation};

fn plain() -> Options {
    Options { intercept: false, ..Options::default() }
}

fn exponential(n: usize) -> Kernel {
    SampleCorrelation::from(Family::Exponential { length: 3.0 }).kernel(n).unwrap()
}

fn problem(n: usize, p: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut gauss = Gauss::new(seed);
    let kernel = exponential(n);
    let spectrum: Vec<f64> = (1..=p).map(|j| (j as f64).powf(-0.5)).collect();
    let x = gauss.rows(&kernel, &spectrum);
    let theta = gauss.vec(p);
    let noise = kernel.colour(&gauss.vec(n)).unwrap().unwrap();
    let y = respond(&x, &theta, 0.5, &noise);
    (x, y)
}

fn inverse(a: MatRef<'_, f64>) -> Mat<f64> {
    a.partial_piv_lu().inverse()
}

fn all<'a>(kernel: &'a Kernel, loo: bool) -> Criteria<'a> {
    Criteria {
        loo,
        correlation: Some(kernel),
        whitened: true,
        lags: vec![2.0],
        ..Criteria::default()
    }
}

/// Every criterion at λ = 0, p ≥ n, is a ratio of powers of λ; wrong limits or lost digits show
/// here. p = n included.
#[test]
fn interpolation() {
    for (n, p) in [(12, 30), (12, 12)] {
        let (x, y) = problem(n, p, 1);
        let kernel = exponential(n);
        let data =
            Regression::new(Table::new(&x, n, p).unwrap(), Table::column(&y), &plain()).unwrap();
        let path = data.path(&[0.0, 1e-12], &all(&kernel, true)).unwrap();
        let gram = Mat::from_fn(n, n, |i, j| {
            (0..p).map(|k| x[i * p + k] * x[j * p + k]).sum::<f64>() / n as f64
        });
        let g = inverse(gram.as_ref());
        let dense = kernel.dense();
        let k = inverse(dense.as_ref());
        let nf = n as f64;
        let z: Vec<f64> = (0..n).map(|i| (0..n).map(|j| g[(i, j)] * y[j]).sum()).collect();
        let zz: f64 = z.iter().map(|z| z * z).sum();
        let trace = |m: &Mat<f64>| (0..n).map(|i| m[(i, i)]).sum::<f64>();
        let (trace_g, trace_k) = (trace(&g), trace(&k));
        let zkz: f64 = (0..n)
            .flat_map(|i| (0..n).map(move |j| (i, j)))
            .map(|(i, j)| z[i] * dense[(i, j)] * z[j])
            .sum();
        let kappa = trace_k / trace_g;
        let cross = kernel.test_point(2.0).unwrap();
        let bracket: f64 = 1.0
            - (0..n)
                .map(|i| (0..n).map(|j| cross[i] * k[(i, j)] * cross[j]).sum::<f64>())
                .sum::<f64>();
        let corr = zz * trace_k / trace_g.powi(2);
        let expected = [
            ("gcv", nf * zz / trace_g.powi(2)),
            ("loo", (0..n).map(|i| (z[i] / g[(i, i)]).powi(2)).sum::<f64>() / nf),
            ("gcv2", zz / nf * kappa * kappa),
            ("corr_gcv", corr),
            ("whitened", zkz * kappa * kappa / nf),
            ("lag", corr * bracket),
        ];
        for at in [0, 1] {
            // Condition of the explicit inverse, and O(λ/g_min) from the limit.
            let least = data.eigenvalues()[n - 1];
            let tolerance = 1e-9 + 3.0 * path.lambdas[at] / least;
            let t = &path.targets[0];
            let ours = [
                t.gcv[at],
                t.loo.as_ref().unwrap()[at],
                t.gcv2.as_ref().unwrap()[at],
                t.corr_gcv.as_ref().unwrap()[at],
                t.whitened_corr_gcv.as_ref().unwrap()[at],
                t.correlated_test_error[0][at],
            ];
            for (a, (name, b)) in ours.iter().zip(expected) {
                assert_close(
                    *a,
                    b,
                    tolerance,
                    &format!("{name} at n = {n}, p = {p}, λ index {at}"),
                );
            }
            assert_close(path.kappa[at], kappa, tolerance, "κ̂");
        }
        assert_eq!(path.targets[0].train_error[0], 0.0);
        assert_eq!(path.kappa_tilde.as_ref().unwrap()[0], 0.0);
        assert_close(path.df1[0], nf, 1e-15, "D̂");
        // κ̃ = λ Tr Ĝ⁻¹/Tr K⁻¹, the digits that n − D̂ would have lost.
        let tolerance = 1e-9 + 3e-12 / data.eigenvalues()[n - 1];
        assert_close(path.kappa_tilde.as_ref().unwrap()[1], 1e-12 / kappa, tolerance, "κ̃");
    }
}

#[test]
fn least_squares() {
    let (n, p) = (30, 12);
    let (x, y) = problem(n, p, 2);
    let kernel = exponential(n);
    let data = Regression::new(Table::new(&x, n, p).unwrap(), Table::column(&y), &plain()).unwrap();
    let path = data.path(&[0.0, 1e-12], &all(&kernel, true)).unwrap();
    let features = Mat::from_fn(n, p, |i, j| x[i * p + j]);
    let inner = inverse((features.transpose() * &features).as_ref());
    let hat = &features * inner * features.transpose();
    let r: Vec<f64> =
        (0..n).map(|i| y[i] - (0..n).map(|j| hat[(i, j)] * y[j]).sum::<f64>()).collect();
    let train = r.iter().map(|r| r * r).sum::<f64>() / n as f64;
    let loo = (0..n).map(|i| (r[i] / (1.0 - hat[(i, i)])).powi(2)).sum::<f64>() / n as f64;
    for at in [0, 1] {
        assert_close(path.targets[0].train_error[at], train, 1e-11, "train");
        assert_close(path.targets[0].loo.as_ref().unwrap()[at], loo, 1e-10, "loo");
        let kappa_tilde = path.kappa_tilde.as_ref().unwrap()[at];
        assert_close(kernel.levels().df1(kappa_tilde), p as f64, 1e-11, "df̃₁");
        let phi = kappa_tilde.powi(2) / n as f64 * kernel.levels().resolvent(kappa_tilde);
        assert_close(path.targets[0].corr_gcv.as_ref().unwrap()[at], train / phi, 1e-10, "CorrGCV");
    }
    assert_eq!(path.kappa[0], 0.0);
}

/// An ill-conditioned table (a nearly repeated column) needs the SVD at small λ, and gets it.
#[test]
fn singular_values_are_taken_when_the_gram_matrix_is_too_coarse() {
    let (n, p) = (20, 4);
    let (mut x, y) = problem(n, p, 3);
    let mut gauss = Gauss::new(9);
    for i in 0..n {
        x[i * p + 3] = x[i * p] + 1e-7 * gauss.next();
    }
    let data = Regression::new(Table::new(&x, n, p).unwrap(), Table::column(&y), &plain()).unwrap();
    let coarse = data.path(&[0.1], &Criteria::default()).unwrap();
    let fine = data.path(&[1e-16, 0.1], &Criteria::default()).unwrap();
    assert_eq!((coarse.method, fine.method), (Method::GramEigen, Method::Svd));
    assert_close(coarse.targets[0].gcv[0], fine.targets[0].gcv[1], 1e-11, "GCV by both");
    // At λ = 10⁻¹⁶ against the least eigenvalue 10⁻¹⁴ the Gram matrix has no digits left.
    let least = 0.5e-14;
    let left = 4.0 - fine.df1[0];
    assert!(left > 1e-16 / (10.0 * least) && left < 1e-16 / (0.1 * least), "{left}");
}

/// With an intercept: every criterion against definitions evaluated by refitting.
#[test]
fn intercept_is_exact() {
    for (n, p, lambda) in [(15, 4, 0.3), (15, 4, 0.0), (10, 25, 0.05), (10, 25, 0.0)] {
        let (mut x, mut y) = problem(n, p, 4);
        x.iter_mut().for_each(|v| *v += 3.0);
        y.iter_mut().for_each(|v| *v -= 2.0);
        let options = Options::default();
        let data =
            Regression::new(Table::new(&x, n, p).unwrap(), Table::column(&y), &options).unwrap();
        let criteria = Criteria { loo: true, ..Criteria::default() };
        let path = data.path(&[lambda], &criteria).unwrap();
        let mut sum = 0.0;
        for left in 0..n {
            let keep: Vec<usize> = (0..n).filter(|i| *i != left).collect();
            let xs: Vec<f64> = keep.iter().flat_map(|i| x[i * p..(i + 1) * p].to_vec()).collect();
            let ys: Vec<f64> = keep.iter().map(|i| y[*i]).collect();
            let part =
                Regression::new(Table::new(&xs, n - 1, p).unwrap(), Table::column(&ys), &options)
                    .unwrap();
            // α = nλ is what stays.
            let fit = part.coefficients(lambda * n as f64 / (n as f64 - 1.0)).unwrap();
            let row = Table::new(&x[left * p..(left + 1) * p], 1, p).unwrap();
            sum += (y[left] - fit.predict(row).unwrap()[0]).powi(2);
        }
        let what = format!("LOO n = {n}, p = {p}, λ = {lambda}");
        assert_close(path.targets[0].loo.as_ref().unwrap()[0], sum / n as f64, 1e-10, &what);
        let fit = data.coefficients(lambda).unwrap();
        let predicted = fit.predict(Table::new(&x, n, p).unwrap()).unwrap();
        let train = y.iter().zip(predicted).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n as f64;
        if lambda > 0.0 || p < n {
            assert_close(path.targets[0].train_error[0], train, 1e-10, "train");
            let used = path.df1[0] + 1.0;
            let gcv = train / (1.0 - used / n as f64).powi(2);
            assert_close(path.targets[0].gcv[0], gcv, 1e-9, "GCV");
        } else {
            assert!(train < 1e-20, "{train}");
        }
    }
}

/// A row that is alone in one feature has leverage one: its leave-one-out error is the limit λ → 0
/// (which predicts with that feature absent), not 0/0.
#[test]
fn leverage_one() {
    let (n, p) = (8, 3);
    let (mut x, y) = problem(n, p, 5);
    for i in 0..n {
        x[i * p + 2] = f64::from(u8::from(i == 4));
    }
    let data = Regression::new(Table::new(&x, n, p).unwrap(), Table::column(&y), &plain()).unwrap();
    let criteria = Criteria { loo: true, ..Criteria::default() };
    let path = data.path(&[0.0, 1e-9], &criteria).unwrap();
    let loo = path.targets[0].loo.as_ref().unwrap();
    assert!(loo[0].is_finite());
    assert_close(loo[0], loo[1], 1e-6, "limit");
}

#[test]
fn bad_data_are_named() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 7.0];
    let y = [1.0, 2.0, 3.0];
    let table = |x| Table::new(x, 3, 2).unwrap();
    let error = |x: &[f64], y: &[f64], options: &Options| {
        Regression::new(Table::new(x, x.len() / 2, 2).unwrap(), Table::column(y), options)
            .map(|_| ())
            .unwrap_err()
    };
    let options = Options::default();
    assert!(matches!(
        error(&[1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0], &y, &options),
        Error::NotFinite { what: "x", row: 1, column: 0, .. }
    ));
    assert!(matches!(error(&x, &[1.0, 2.0], &options), Error::Length { what: "y", .. }));
    assert!(matches!(
        error(&x, &[1.0, f64::INFINITY, 0.0], &options),
        Error::NotFinite { what: "y", .. }
    ));
    assert!(matches!(error(&x[..2], &y[..1], &options), Error::TooFewRows { rows: 1, needed: 2 }));
    assert!(matches!(error(&[2.0; 6], &y, &options), Error::NoVariance));
    let standardize = Options { standardize: true, ..Options::default() };
    assert!(matches!(
        error(&[1.0, 2.0, 3.0, 2.0, 5.0, 2.0], &y, &standardize),
        Error::ConstantFeature { column: 1, .. }
    ));
    let weighted = |w: Vec<f64>| Options { weights: Some(w), ..Options::default() };
    assert!(matches!(
        error(&x, &y, &weighted(vec![1.0, 0.0, 1.0])),
        Error::BadWeight { row: 1, .. }
    ));
    assert!(matches!(
        error(&x, &y, &weighted(vec![1.0, 2.0])),
        Error::Length { what: "weights", .. }
    ));
    assert!(matches!(Table::new(&x, 2, 2), Err(Error::Length { .. })));
    let data = Regression::new(table(&x), Table::column(&y), &options).unwrap();
    let criteria = Criteria::default();
    assert!(matches!(data.path(&[1.0, -0.1], &criteria), Err(Error::BadLambda { index: 1, .. })));
    assert!(data.coefficients(f64::NAN).is_err());
    let path = data.path(&[1.0], &criteria).unwrap();
    assert!(path.choose(rmt_estimators::Criterion::Loo, 0).is_err());
    assert!(path.choose(rmt_estimators::Criterion::Gcv, 1).is_err());
    let kernel = exponential(4);
    let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
    assert!(matches!(
        data.path(&[1.0], &criteria),
        Err(Error::Length { found: 4, expected: 3, .. })
    ));
    // Duplicated rows cannot be interpolated: rank K is half the rows.
    let (x, y) = problem(6, 8, 6);
    let data = Regression::new(Table::new(&x, 6, 8).unwrap(), Table::column(&y), &plain()).unwrap();
    let pairs = SampleCorrelation::from(Family::Blocks { size: 2, correlation: 1.0 });
    let pairs = pairs.kernel(6).unwrap();
    let criteria = Criteria { correlation: Some(&pairs), ..Criteria::default() };
    assert!(matches!(data.path(&[1e-6], &criteria), Err(Error::BeyondRank { .. })));
}
