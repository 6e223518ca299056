use super::form::Eigen;
use super::*;
use proptest::prelude::*;

fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance * b.abs().max(1e-300), "{what}: {a} against {b}");
}

fn families(n: usize) -> Vec<SampleCorrelation> {
    let dense: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..n).map(|j| 2.0 * 0.7_f64.powi((i as i32 - j as i32).pow(2))).collect())
        .collect();
    vec![
        Family::Identity.into(),
        Family::Exponential { length: 4.0 }.into(),
        Family::PowerLaw { exponent: 0.8 }.into(),
        Family::NearestNeighbor { coupling: 0.9 }.into(),
        Family::NearestNeighbor { coupling: -1.0 }.into(),
        Family::Blocks { size: 3, correlation: 0.6 }.into(),
        Family::Blocks { size: 3, correlation: -0.3 }.into(),
        Family::Diagonal { values: vec![0.5, 2.0], counts: vec![n / 3, n - n / 3] }.into(),
        Family::Dense { values: dense }.into(),
    ]
}

/// Every cheap operation against the dense matrix: a wrong recursion, scale or order of rows
/// would show in one of them. Groups interleaved on purpose.
#[test]
fn operations_equal_those_of_the_dense_matrix() {
    let n = 24;
    let v: Vec<f64> = (0..n).map(|i| ((i * i + 1) as f64).sin()).collect();
    let labels: Vec<usize> = (0..n).map(|i| usize::from(i % 3 == 0 || i > 20)).collect();
    let labels_for_blocks: Vec<usize> = (0..n).map(|i| i % 2).collect();
    let times: Vec<f64> = (0..n).map(|i| i as f64 + 2.0 * (i / 5) as f64).collect();
    for family in families(n) {
        let blocks = matches!(family.family, Family::Blocks { .. });
        let labels = if blocks { &labels_for_blocks } else { &labels };
        for (groups, stamps) in [(false, false), (true, false), (false, true), (true, true)] {
            let rows = Rows {
                count: n,
                groups: groups.then_some(labels.as_slice()),
                times: stamps.then_some(times.as_slice()),
            };
            let kernel = match family.kernel_on(rows, SpectrumMethod::Exact) {
                Ok(kernel) => kernel,
                Err(Error::NoStructure { .. }) => continue,
                Err(other) => panic!("{family:?}: {other}"),
            };
            let dense = kernel.dense();
            let trace: f64 = (0..n).map(|i| dense[(i, i)]).sum();
            close(trace, n as f64, 1e-13, "trace");
            close(kernel.levels().trace(), n as f64, 1e-12, "sum of eigenvalues");
            let square: f64 = (0..n)
                .flat_map(|i| (0..n).map(move |j| (i, j)))
                .map(|(i, j)| dense[(i, j)] * dense[(i, j)])
                .sum();
            let levels = kernel.levels();
            let sum: f64 =
                levels.values().iter().zip(levels.counts()).map(|(k, m)| m * k * k).sum();
            close(sum, square, 1e-12, "Tr K²");
            let image = kernel.apply(&v).unwrap();
            for i in 0..n {
                let direct: f64 = (0..n).map(|j| dense[(i, j)] * v[j]).sum();
                assert!((image[i] - direct).abs() < 1e-13 * n as f64, "{family:?} apply");
            }
            for shift in [0.0, 1e-3, 0.7, 1e4] {
                let x = kernel.solve(shift, &v).unwrap().expect("nonsingular");
                let back = kernel.apply(&x).unwrap();
                for i in 0..n {
                    let residual = back[i] + shift * x[i] - v[i];
                    assert!(residual.abs() < 1e-9, "{family:?} solve at {shift}: {residual:e}");
                }
            }
            // Column by column and all at once; L Lᵀ = K.
            let one = Mat::<f64>::identity(n, n);
            let columns = |f: &dyn Fn(&[f64]) -> Vec<f64>| {
                let each: Vec<Vec<f64>> = (0..n).map(|j| f(one.col_as_slice(j))).collect();
                Mat::from_fn(n, n, |i, j| each[j][i])
            };
            let equal = |a: &Mat<f64>, b: &Mat<f64>, what: &str| {
                let gap = (a - b).norm_max();
                assert!(gap < 1e-12 * (1.0 + b.norm_max()), "{family:?} {what}: {gap:e}");
            };
            let root = columns(&|v| kernel.colour(v).unwrap().expect("exact"));
            equal(&(&root * root.transpose()), &dense, "root");
            equal(&kernel.colour_all(one.as_ref()).unwrap().expect("exact"), &root, "all roots");
            equal(&kernel.apply_all(one.as_ref()).unwrap(), &dense, "all products");
            let inverse = columns(&|v| kernel.solve(0.3, v).unwrap().expect("nonsingular"));
            let all = kernel.solve_all(0.3, one.as_ref()).unwrap().expect("nonsingular");
            equal(&all, &inverse, "all solutions");
        }
    }
}

/// Traces in the complement of the mean, from (k, m, (1ᵀu)²) alone, against the eigenvalues of the
/// dense PKP: catches wrong weights of any family, and the branches of a singular K.
#[test]
fn centred_traces_equal_those_of_the_dense_projection() {
    let n = 24;
    let times: Vec<f64> = (0..n).map(|i| i as f64 + 2.0 * (i / 5) as f64).collect();
    let labels: Vec<usize> = (0..n).map(|i| usize::from(i >= 12)).collect();
    let mut inputs = families(n);
    inputs.push(Family::Blocks { size: 2, correlation: 1.0 }.into());
    inputs.push(Family::Blocks { size: 3, correlation: -0.5 }.into());
    inputs.push(Family::Diagonal { values: vec![0.0, 2.0], counts: vec![3, n - 3] }.into());
    for input in inputs {
        for (groups, stamps) in
            [(None, None), (Some(labels.as_slice()), None), (None, Some(times.as_slice()))]
        {
            let rows = Rows { count: n, groups, times: stamps };
            let Ok(kernel) = input.kernel_on(rows, SpectrumMethod::Exact) else { continue };
            let weights: Vec<f64> = (0..n).map(|i| 0.5 + (i % 3) as f64).collect();
            let weighted = kernel.weighted(&weights).unwrap();
            for kernel in [kernel, weighted] {
                let levels = kernel.centred_levels().unwrap();
                let dense = kernel.dense();
                let m = kernel.mean_direction();
                let norm: f64 = m.iter().map(|m| m * m).sum();
                let project =
                    Mat::from_fn(n, n, |i, j| f64::from(u8::from(i == j)) - m[i] * m[j] / norm);
                let inside = &project * &dense * &project;
                let inside = Mat::from_fn(n, n, |i, j| 0.5 * (inside[(i, j)] + inside[(j, i)]));
                let eigen = Eigen::of(inside.as_ref()).unwrap();
                let rank = eigen.values.iter().filter(|k| **k > 1e-12).count() as f64;
                assert_eq!(levels.rank(), rank, "{input:?}");
                assert_eq!(levels.nullity(), n as f64 - 1.0 - rank, "{input:?}");
                for kappa in [0.0, 1e-6, 1e-2, 1.0, 50.0] {
                    let positive = || eigen.values.iter().filter(|k| **k > 1e-12);
                    let df1: f64 = positive().map(|k| k / (k + kappa)).sum();
                    let complement: f64 = positive().map(|k| kappa / (k + kappa)).sum();
                    let resolvent: f64 = positive().map(|k| k / (k + kappa).powi(2)).sum();
                    let what = format!("{input:?} at {kappa}");
                    close(levels.df1(kappa), df1, 1e-11, &what);
                    close(levels.complement(kappa) + 1e-300, complement + 1e-300, 1e-9, &what);
                    if kappa > 0.0 || matches!(levels.nullity(), 0.0) {
                        close(levels.resolvent(kappa), resolvent, 1e-9, &what);
                        let found = levels.kappa(df1, complement, None).unwrap();
                        close(found + 1e-300, kappa + 1e-300, 1e-8, &what);
                    }
                    if kappa > 0.0 {
                        let solved = kernel.solve(kappa, &m).unwrap().unwrap();
                        let image = kernel.apply(&solved).unwrap();
                        let top: f64 = solved.iter().zip(&image).map(|(a, b)| a * b).sum();
                        let bottom: f64 = solved.iter().zip(&m).map(|(a, b)| a * b).sum();
                        close(
                            levels.mean_factor(kappa),
                            1.0 + top / (bottom * bottom),
                            1e-12,
                            &what,
                        );
                    }
                }
            }
        }
    }
}

/// Eigenvalues of unequal steps come from a tridiagonal solver; equal steps are the same matrix.
#[test]
fn unequal_steps_reduce_to_equal_ones() {
    let n = 40;
    let family: SampleCorrelation = Family::Exponential { length: 6.0 }.into();
    let mut times: Vec<f64> = (0..n).map(f64::from).collect();
    times[n as usize - 1] += 1e-9;
    let rows = Rows { count: n as usize, groups: None, times: Some(&times) };
    let nearly = family.kernel_on(rows, SpectrumMethod::Exact).unwrap();
    let equal = family.kernel(n as usize).unwrap();
    for kappa in [1e-3, 0.1, 10.0] {
        close(nearly.levels().df1(kappa), equal.levels().df1(kappa), 1e-8, "df1");
        close(nearly.levels().df2(kappa), equal.levels().df2(kappa), 1e-8, "df2");
    }
}

/// n → ∞ closed forms against eigenvalues of long series: catches a wrong symbol.
#[test]
fn limits_are_those_of_long_series() {
    for family in [
        Family::Identity,
        Family::Exponential { length: 3.0 },
        Family::NearestNeighbor { coupling: 0.6 },
        Family::NearestNeighbor { coupling: 1.0 },
        Family::Blocks { size: 4, correlation: 0.5 },
        Family::Diagonal { values: vec![1.0, 3.0], counts: vec![10_000, 10_000] },
    ] {
        let input: SampleCorrelation = family.into();
        let n = 20_000;
        let levels = input.kernel(n).unwrap().levels().clone();
        for t in [0.05, 0.3, 0.7] {
            let limit = input.limit(t).unwrap();
            let finite = levels.kappa(t * n as f64, levels.rank() - t * n as f64, None).unwrap();
            close(limit.kappa_tilde, finite, 3e-3, "kappa_tilde");
            close(limit.s_transform, (1.0 - t) / (t * limit.kappa_tilde), 1e-13, "s_transform");
        }
    }
}

/// t → 1 loses every digit in the textbook forms: S of AR(1) at t = 1 − 1e-12 is (b + b)/2 = b.
#[test]
fn s_transform_near_full_rank() {
    let input: SampleCorrelation = Family::Exponential { length: 7.0 }.into();
    let b = 1.0 / (1.0_f64 / 7.0).tanh();
    close(input.limit(1.0 - 1e-12).unwrap().s_transform, b, 1e-11, "exponential");
    let input: SampleCorrelation = Family::NearestNeighbor { coupling: 1.0 }.into();
    let t = 1.0 - 1e-9_f64;
    close(input.limit(t).unwrap().s_transform, (2.0 - t) / (2.0 * (1.0 - t)), 1e-13, "neighbour");
}

#[test]
fn circulant_spectrum_is_close_and_says_so() {
    let input: SampleCorrelation = Family::PowerLaw { exponent: 0.8 }.into();
    let n = DENSE_LIMIT + 1;
    assert!(matches!(input.kernel(n), Err(Error::TooLarge { .. })));
    let long = input.kernel_on(Rows::regular(n), SpectrumMethod::Circulant).unwrap();
    assert!(long.is_approximate() && long.notices().len() == 1);
    close(long.levels().trace(), n as f64, 1e-10, "trace");
    let exact = input.kernel(1000).unwrap();
    for t in [0.1, 0.5, 0.9] {
        let kappa = |levels: &Levels, n: f64| levels.kappa(t * n, (1.0 - t) * n, None).unwrap();
        let (a, b) = (kappa(long.levels(), n as f64), kappa(exact.levels(), 1000.0));
        close(a, b, 2e-2, "κ̃ of 2001 circulant rows against 1000 exact ones");
    }
}

/// Repeated eigenvalues: for K = I the basis must be that of K′, otherwise k′ is arbitrary.
#[test]
fn joint_basis_diagonalises_the_noise_inside_eigenspaces() {
    let n = 12;
    let noise = SampleCorrelation::from(Family::Exponential { length: 2.0 }).kernel(n).unwrap();
    let mut expected = noise.levels().values().to_vec();
    expected.sort_by(|a, b| b.total_cmp(a));
    let identity = SampleCorrelation::from(Family::Identity).kernel(n).unwrap();
    let basis = identity.joint_basis(&noise, false).unwrap();
    for (k, e) in basis.noise_diagonal.iter().zip(&expected) {
        close(*k, *e, 1e-12, "K = I");
    }
    let blocks: SampleCorrelation = Family::Blocks { size: 3, correlation: 0.5 }.into();
    let basis = blocks.kernel(n).unwrap().joint_basis(&noise, false).unwrap();
    let dense = noise.dense();
    for a in 0..n {
        let image = &dense * basis.vectors.col(a);
        for b in 0..n {
            let entry = basis.vectors.col(b).transpose() * &image;
            if a == b {
                close(entry, basis.noise_diagonal[a], 1e-12, "diagonal");
            } else if (basis.values[a] - basis.values[b]).abs() < 1e-9 {
                assert!(entry.abs() < 1e-12, "({a}, {b}) = {entry}");
            }
        }
    }
    close(basis.noise_diagonal.iter().sum(), n as f64, 1e-12, "trace of K′");
}

/// The basis of the complement of the mean, also of weighted rows, against the projections P.
#[test]
fn centred_joint_basis_diagonalises_the_projected_kernel() {
    let n = 11;
    let kernel = SampleCorrelation::from(Family::Exponential { length: 2.0 }).kernel(n).unwrap();
    let noise = SampleCorrelation::from(Family::PowerLaw { exponent: 0.5 }).kernel(n).unwrap();
    let weights: Vec<f64> = (0..n).map(|i| 0.3 + i as f64).collect();
    for weighted in [false, true] {
        let seen = |k: &Kernel| if weighted { k.weighted(&weights).unwrap() } else { k.clone() };
        let (kernel, noise) = (seen(&kernel), seen(&noise));
        let basis = kernel.joint_basis(&noise, true).unwrap();
        let mean = kernel.mean_direction();
        let (dense, white) = (kernel.dense(), noise.dense());
        for a in 0..n - 1 {
            let u = basis.vectors.col(a);
            close(u.norm_l2(), 1.0, 1e-13, "norm");
            let along: f64 = u.iter().zip(&mean).map(|(u, m)| u * m).sum();
            assert!(along.abs() < 1e-13, "along the mean: {along:e}");
            close(u.transpose() * &white * u, basis.noise_diagonal[a], 1e-12, "noise");
            for b in 0..n - 1 {
                let entry = basis.vectors.col(b).transpose() * &dense * u;
                let expected = if a == b { basis.values[a] } else { 0.0 };
                assert!((entry - expected).abs() < 1e-12, "({a}, {b}): {entry:e}");
            }
        }
    }
}

#[test]
fn test_point_extends_the_series() {
    for family in [
        Family::Exponential { length: 4.0 },
        Family::PowerLaw { exponent: 0.7 },
        Family::NearestNeighbor { coupling: 0.5 },
    ] {
        let input: SampleCorrelation = family.into();
        let long = input.kernel(11).unwrap().dense();
        let cross = input.kernel(10).unwrap().test_point(1.0).unwrap();
        for t in 0..10 {
            close(cross[t] + 1.0, long[(10, t)] + 1.0, 1e-15, "kvec");
        }
    }
    let input: SampleCorrelation = Family::Exponential { length: 4.0 }.into();
    let rows = Rows { count: 4, groups: Some(&[0, 0, 1, 1]), times: Some(&[0.0, 1.0, 0.0, 3.0]) };
    let cross = input.kernel_on(rows, SpectrumMethod::Exact).unwrap().test_point(2.0).unwrap();
    assert_eq!(cross[..2], [0.0, 0.0]);
    close(cross[2], (-5.0_f64 / 4.0).exp(), 1e-15, "time stamps");
}

#[test]
fn bad_inputs_are_named() {
    let parse = |text: &str| {
        serde_json::from_str::<SampleCorrelation>(text).map_err(|e| e.to_string()).err()
    };
    for (text, word) in [
        (r#"{"kind": "exponential"}"#, "length"),
        (r#"{"kind": "exponential", "length": 0}"#, "length"),
        (r#"{"kind": "exponental", "length": 1}"#, "exponential"),
        (r#"{"kind": "exponential", "lenght": 1}"#, "length"),
        (r#"{"kind": "power_law", "exponent": -1}"#, "exponent"),
        (r#"{"kind": "nearest_neighbor", "coupling": 1.5}"#, "negative eigenvalues"),
        (r#"{"kind": "blocks", "size": 4, "correlation": -0.5}"#, "correlation"),
        (r#"{"kind": "diagonal", "values": [1, -2]}"#, "variance"),
        (r#"{"kind": "diagonal", "values": [1, 2], "counts": [3]}"#, "counts"),
        (r#"{"kind": "dense", "values": [[1, 2], [1]]}"#, "values"),
        (r#""same""#, "object"),
    ] {
        let message = parse(text).unwrap_or_else(|| panic!("{text} was accepted"));
        assert!(message.contains(word), "{text}: {message}");
    }
    let built = |text: &str, n| {
        serde_json::from_str::<SampleCorrelation>(text).unwrap().kernel(n).map(|_| ()).unwrap_err()
    };
    assert!(matches!(
        built(r#"{"kind": "blocks", "size": 4, "correlation": 0.5}"#, 10),
        Error::BlocksDoNotDivide { size: 4, rows: 10 }
    ));
    assert!(matches!(
        built(r#"{"kind": "identity", "n": 4}"#, 10),
        Error::RowMismatch { found: 4, expected: 10, .. }
    ));
    assert!(matches!(
        built(r#"{"kind": "dense", "values": [[1, 0.5], [0.4, 1]]}"#, 2),
        Error::NotSymmetric { row: 0, column: 1, .. }
    ));
    assert!(matches!(
        built(r#"{"kind": "dense", "values": [[1, 2], [2, 1]]}"#, 2),
        Error::NotPositive { .. }
    ));
    assert!(matches!(
        built(r#"{"kind": "diagonal", "values": [0, 0]}"#, 2),
        Error::NoVariance { .. }
    ));
    let kernel = SampleCorrelation::from(Family::Blocks { size: 2, correlation: 0.5 }).kernel(4);
    assert!(matches!(
        kernel.unwrap().test_point(1.0),
        Err(Error::NotStationary { kind: "blocks" })
    ));
    let rows = Rows { count: 3, groups: None, times: Some(&[0.0, 2.0, 2.0]) };
    let exponential = SampleCorrelation::from(Family::Exponential { length: 1.0 });
    assert!(matches!(
        exponential.kernel_on(rows, SpectrumMethod::Exact),
        Err(Error::TimeOrder { row: 2, .. })
    ));
    let scaled = SampleCorrelation::from(Family::Diagonal { values: vec![4.0], counts: vec![5] });
    assert_eq!(scaled.kernel(5).unwrap().notices().len(), 1);
}

#[test]
fn inputs_survive_a_round_trip() {
    for family in families(6) {
        let text = serde_json::to_string(&family).unwrap();
        assert_eq!(serde_json::from_str::<SampleCorrelation>(&text).unwrap(), family);
    }
    let same: NoiseCorrelation = serde_json::from_str("\"same\"").unwrap();
    assert_eq!(same, NoiseCorrelation::Same);
}

proptest! {
    /// κ̃ is the inverse of df̃₁, over twelve decades and any spectrum.
    #[test]
    fn kappa_inverts_df1(
        logs in prop::collection::vec(-8.0..3.0_f64, 1..30),
        log_kappa in -10.0..4.0_f64,
    ) {
        let level = |x: &f64| Level { value: 10.0_f64.powf(*x), count: 2.0, weight: 0.0 };
        let levels = Levels::new(logs.iter().map(level), false);
        let kappa = 10.0_f64.powf(log_kappa);
        let found = levels.kappa(levels.df1(kappa), levels.complement(kappa), None).unwrap();
        // The sums themselves carry a few ε of rounding, amplified by at most df₁(or rest)/slope.
        let slope = kappa * levels.resolvent(kappa);
        let amplified = levels.df1(kappa).min(levels.complement(kappa)) / slope;
        prop_assert!((found / kappa - 1.0).abs() < 1e-14 * (1.0 + amplified), "{found} {kappa}");
    }
}
