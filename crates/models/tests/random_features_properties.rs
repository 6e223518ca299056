//! Closed forms, identities and properties of random features.

mod common;

use common::{close, power, predict, run, setting};
use proptest::prelude::*;
use rmt_core::Modes;
use rmt_models::random_features::{FeatureRegression, Prediction, Setting, Target};
use rmt_models::{ActivationFunction, HermiteCoefficients};
use serde_json::{Value, json};

fn sum_of_parts(at: &Prediction) -> f64 {
    at.bias
        + at.variance_data
        + at.variance_features
        + at.variance_data_features
        + at.variance_data_noise
        + at.variance_data_features_noise
}

/// Ridgeless isotropic risks of all three orders of n, m and p.
#[test]
fn isotropic_ridgeless() {
    let r2 = 0.7;
    for noise in [0.0, 0.4] {
        for (p, n, m) in [
            (60, 100.0, 150.0),
            (60, 150.0, 100.0),
            (200, 150.0, 80.0),
            (200, 80.0, 150.0),
            (120, 80.0, 150.0),
        ] {
            let size = p as f64;
            let target = Modes::Constant { p, value: r2 / size };
            let s = setting(Modes::Constant { p, value: 1.0 }, target, noise, n, &[m]);
            let error = predict(&s, 0.0).prediction_error;
            let exact = if size < n && size < m {
                noise * n / (n - size)
            } else if m < n {
                (noise + r2 * (1.0 - m / size)) / (1.0 - m / n)
            } else {
                noise * (m - n * n / size) / ((m - n) * (1.0 - n / size))
                    + r2 * (1.0 - n / size) * m / (m - n)
            };
            close(error, exact, 1e-13, &format!("p = {p}, n = {n}, m = {m}, σ² = {noise}"));
        }
    }
}

/// Infinitely wide layers drop out, infinitely many samples leave ridge in the width.
#[test]
fn limits() {
    let (spectrum, target) = (power(200, 1.3), power(200, 0.6));
    let wide = |widths: &[f64], n: f64| setting(spectrum.clone(), target.clone(), 0.2, n, widths);
    for lambda in [0.0, 1e-9, 0.01, 2.0] {
        let ridge = predict(&wide(&[], 120.0), lambda);
        let features = predict(&wide(&[1e15], 120.0), lambda);
        for (name, a, b) in [
            ("risk", features.risk, ridge.risk),
            ("norm", features.norm, ridge.norm),
            ("train error", features.train_error, ridge.train_error),
            ("kappa", features.kappa2, ridge.kappa2),
        ] {
            close(a, b, 1e-12, &format!("{name} at λ = {lambda}"));
        }
        // n = ∞: one more stage swapped, n in the role of m and the noise outside.
        let infinite = predict(&Setting { n: None, ..wide(&[120.0], 1.0) }, lambda);
        let noiseless = Setting { noise_variance: 0.0, ..wide(&[], 120.0) };
        let swapped = predict(&noiseless, lambda);
        close(infinite.kappa2, swapped.kappa2, 1e-13, "κ of infinite data");
        close(infinite.bias, swapped.bias, 1e-13, "bias of infinite data");
        assert_eq!(infinite.variance_data + infinite.variance_data_noise, 0.0);
    }
}

/// Another size of the same model is the model of that size; correlated samples have only one.
#[test]
fn other_sizes() {
    let tanh = Setting {
        activations: vec![ActivationFunction::Tanh, ActivationFunction::Relu],
        ..setting(power(150, 1.1), power(150, 0.4), 0.3, 80.0, &[100.0, 60.0])
    };
    let linear = setting(power(3000, 1.1), power(3000, 0.4), 0.3, 80.0, &[]);
    for (base, n, widths) in [
        (tanh, Some(200.0), vec![70.0, 90.0]),
        (linear.clone(), Some(200.0), vec![70.0]),
        (linear.clone(), None, vec![70.0, 20.0]),
    ] {
        let other = FeatureRegression::new(&base).unwrap().with_sizes(n, &widths).unwrap();
        let direct = Setting { n, widths, ..base };
        for lambda in [0.0, 0.01] {
            assert_eq!(other.predict(lambda).unwrap(), predict(&direct, lambda));
        }
    }
    let model = FeatureRegression::new(&linear).unwrap();
    assert!(model.with_sizes(Some(0.5), &[]).is_err() && model.with_sizes(None, &[0.0]).is_err());
    let correlated = serde_json::from_value(json!({"kind": "exponential", "length": 3.0})).unwrap();
    let rows = Setting { sample_correlation: Some(correlated), ..linear };
    let error = FeatureRegression::new(&rows).unwrap().with_sizes(Some(90.0), &[]).err();
    assert!(error.is_some_and(|e| e.to_string().starts_with("`n`")));
}

/// λ = 0 is the limit of λ → 0, at every kind of bottleneck: within 1e-8 at λ = 1e-12 up to a term linear
/// in λ (1e-8 of the norm for two layers), which 2f(λ) − f(2λ) removes to 1e-10.
#[test]
fn ridgeless_is_continuous() {
    for (p, n, widths) in [
        (200, 150.0, vec![90.0]),
        (200, 90.0, vec![150.0]),
        (60, 90.0, vec![150.0]),
        (200, 150.0, vec![180.0, 90.0]),
        (200, 90.0, vec![]),
    ] {
        let s = setting(power(p, 1.3), power(p, 0.6), 0.2, n, &widths);
        let (zero, tiny, twice) = (predict(&s, 0.0), predict(&s, 1e-12), predict(&s, 2e-12));
        for (name, f) in [
            ("risk", (|a| a.risk) as fn(&Prediction) -> f64),
            ("norm", |a| a.norm),
            ("kappa2", |a| a.kappa2),
            ("gcv", |a| a.gcv),
            ("variance_data_features", |a| a.variance_data_features),
            ("smoother_frobenius", |a| a.smoother_frobenius),
        ] {
            let (limit, near) = (f(&zero), f(&tiny));
            let what = format!("{name}, p = {p}, n = {n}, widths {widths:?}");
            if limit == 0.0 {
                // κ₂ and what is proportional to it vanish where n and every width exceed the rank.
                assert!(near < 1e-11, "{what}: {near}");
                continue;
            }
            close(limit, near, 2e-8, &what);
            close(limit, 2.0 * near - f(&twice), 1e-10, &what);
        }
    }
}

/// Ties: +∞ exactly where the theory diverges, finite elsewhere.
#[test]
fn ties() {
    let at = |p: usize, noise: f64, n: f64, widths: &[f64]| {
        predict(&setting(power(p, 1.2), power(p, 0.5), noise, n, widths), 0.0)
    };
    // n = m below the rank: interpolation threshold.
    let peak = at(200, 0.1, 100.0, &[100.0]);
    assert!(peak.risk.is_infinite() && peak.norm.is_infinite() && peak.bias.is_finite());
    assert_eq!(peak.train_error, 0.0);
    assert_eq!(peak.gcv, f64::INFINITY);
    // The smallest width equals the rank, n above it: only the norm diverges.
    let full = at(80, 0.1, 200.0, &[80.0]);
    close(full.risk, 0.1 * 80.0 / 120.0, 1e-13, "risk at m = rank");
    assert!(full.norm.is_infinite());
    // n = rank: the noise explodes; without noise the target is found exactly.
    assert!(at(80, 0.1, 80.0, &[200.0]).risk.is_infinite());
    assert_eq!(at(80, 0.0, 80.0, &[200.0]).risk, 0.0);
    // n = m = rank without noise: a finite limit.
    let triple = setting(power(80, 1.2), power(80, 0.5), 0.0, 80.0, &[80.0]);
    // λ ∝ κ³ there and corrections are O(κ): κ = 1e-7 at λ ~ 1e-17.
    close(predict(&triple, 0.0).risk, predict(&triple, 1e-27).risk, 1e-6, "triple tie");
    // Two equal widths below n: the norm diverges, the risk does not.
    let deep = at(200, 0.1, 150.0, &[90.0, 90.0]);
    assert!(deep.norm.is_infinite() && deep.risk.is_finite());
    let single = at(200, 0.1, 150.0, &[90.0, 91.0]);
    assert!(single.norm.is_finite());
    // The task says which sizes coincide.
    let out = run(
        "random_features",
        &json!({"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.2},
                "target": {"kind": "constant", "p": 200, "value": 1.0},
                "noise_variance": 0.1, "n": 100, "widths": [100], "lambda": 0.0}),
    );
    assert!(
        out.notes()[0].contains("number of samples (100) and a width (100) coincide"),
        "{:?}",
        out.notes()
    );
}

/// m → ∞ with nonlinear features: the tail is an extra ridge τ/n on the linear kernel.
#[test]
fn kernel_limit() {
    let (p, n, lambda, noise) = (150, 100.0, 0.01, 0.2);
    let kernel = Setting {
        activations: vec![ActivationFunction::Relu],
        ..setting(power(p, 0.7), power(p, 0.5), noise, n, &[])
    };
    let at = predict(&kernel, lambda);
    let c = ActivationFunction::Relu.hermite(1.0).unwrap();
    let total: f64 = (1..=p).map(|i| (i as f64).powf(-0.7)).sum();
    let gain = c.linear * c.linear / total;
    let scaled = Modes::PowerLaw { p, alpha: 0.7, scale: gain, reversed: false };
    let energy = power(p, 1.2);
    let linear = Setting {
        noise_variance: noise,
        n: Some(n),
        ..Setting::new(scaled, Target::Energy(energy))
    };
    let shifted = predict(&linear, lambda + c.nonlinear_variance / n);
    close(at.risk, shifted.risk, 1e-12, "risk");
    let wide = Setting { widths: vec![1e13], ..kernel };
    close(predict(&wide, lambda).risk, at.risk, 1e-10, "wide");
}

/// A target part outside the span acts like noise in E_g, and as bias in the risk.
#[test]
fn energy_outside_the_span() {
    let s = setting(power(120, 1.2), power(120, 0.5), 0.2, 90.0, &[150.0]);
    let outside = Setting { target_outside: 0.3, ..s.clone() };
    let louder = Setting { noise_variance: 0.5, ..s };
    let (a, b) = (predict(&outside, 0.01), predict(&louder, 0.01));
    close(a.prediction_error, b.prediction_error, 1e-14, "E_g");
    close(a.norm, b.norm, 1e-14, "norm");
    close(a.risk, b.risk + 0.3, 1e-14, "risk");
    // Modes with s = 0 that carry energy are the same thing.
    let spectrum =
        Modes::Explicit((1..=120).map(|i| (i as f64).powf(-1.2)).chain([0.0, 0.0]).collect());
    let energy =
        Modes::Explicit((1..=120).map(|i| (i as f64).powf(-1.7)).chain([0.1, 0.2]).collect());
    let dead = Setting {
        noise_variance: 0.2,
        n: Some(90.0),
        widths: vec![150.0],
        ..Setting::new(spectrum, Target::Energy(energy))
    };
    close(predict(&dead, 0.01).risk, a.risk, 1e-13, "dead modes");
}

/// Independent samples are correlated samples with K = I, matched or not; GCV is CorrGCV there.
#[test]
fn correlated_samples_reduce_to_independent_ones() {
    let inputs = |extra: Value| {
        let mut inputs = json!({"spectrum": {"kind": "power_law", "p": 120, "alpha": 1.1},
            "target": {"kind": "power_law", "p": 120, "alpha": 0.5},
            "test_spectrum": {"kind": "constant", "p": 120, "value": 0.3},
            "noise_variance": 0.3, "n": 90, "widths": [70, 200]});
        for (k, v) in extra.as_object().unwrap() {
            inputs[k] = v.clone();
        }
        inputs
    };
    let identity = json!({"kind": "identity"});
    for lambda in [0.0, 1e-6, 0.02] {
        let plain = run("random_features", &inputs(json!({"lambda": lambda})));
        let same = run(
            "random_features",
            &inputs(json!({"lambda": lambda, "sample_correlation": identity})),
        );
        let mixed = run(
            "random_features",
            &inputs(
                json!({"lambda": lambda, "sample_correlation": identity, "noise_correlation": identity}),
            ),
        );
        for (name, value) in plain.iter() {
            if let Some(x) = value.as_number() {
                close(same.number(name).unwrap(), x, 1e-11, &format!("{name} at λ = {lambda}"));
                close(
                    mixed.number(name).unwrap(),
                    x,
                    1e-11,
                    &format!("{name} (mixed) at λ = {lambda}"),
                );
            }
        }
        close(same.number("corr_gcv").unwrap(), plain.number("gcv").unwrap(), 1e-11, "CorrGCV");
    }
    // Rows in identical pairs: half the samples, exactly.
    let pairs = json!({"lambda": 0.02, "n": 90,
        "sample_correlation": {"kind": "blocks", "size": 2, "correlation": 1.0}});
    let half = json!({"lambda": 0.02, "n": 45});
    let (a, b) = (run("random_features", &inputs(pairs)), run("random_features", &inputs(half)));
    for name in ["risk", "train_error", "norm", "kappa2", "variance_data_features", "test_risk"] {
        close(a.number(name).unwrap(), b.number(name).unwrap(), 1e-11, name);
    }
}

/// The optimum of ridge on an isotropic target is λ* = σ²p/(n r²), and budgets are spent exactly.
#[test]
fn optimal_ridge() {
    let (p, n, noise, r2) = (150, 90.0, 0.4, 0.8);
    let out = run(
        "random_features_optimal",
        &json!({"spectrum": {"kind": "constant", "p": p, "value": 1.0},
            "target": {"kind": "constant", "p": p, "total": r2}, "noise_variance": noise, "n": n}),
    );
    close(out.number("optimal_lambda").unwrap(), noise * p as f64 / (n * r2), 1e-6, "λ*");
    // Without noise interpolation is best.
    let out = run(
        "random_features_optimal",
        &json!({"spectrum": {"kind": "constant", "p": p, "value": 1.0},
            "target": {"kind": "constant", "p": p, "total": r2}, "noise_variance": 0.0, "n": n}),
    );
    assert_eq!(out.number("optimal_lambda"), Some(0.0));
    for (budget, spent) in [
        (json!({"kind": "product", "total": 1e4}), (|n, m| n * m) as fn(f64, f64) -> f64),
        (json!({"kind": "sum", "total": 1e4, "price_sample": 20, "price_feature": 30}), |n, m| {
            20.0 * n + 30.0 * m
        }),
    ] {
        let mut inputs = json!({"spectrum": {"kind": "power_law", "p": 500, "alpha": 1.3},
            "target": {"kind": "power_law", "p": 500, "alpha": 0.4}, "noise_variance": 0.2, "budget": budget});
        let best = run("random_features_optimal", &inputs);
        let (n, m) = (best.number("optimal_n").unwrap(), best.number("optimal_width").unwrap());
        close(spent(n, m), 1e4, 1e-12, "budget");
        inputs.as_object_mut().unwrap().remove("budget");
        for factor in [0.8, 1.25] {
            let other = m * factor;
            let n =
                if budget["kind"] == "product" { 1e4 / other } else { (1e4 - 30.0 * other) / 20.0 };
            (inputs["n"], inputs["widths"]) = (json!(n), json!([other]));
            let there = run("random_features_optimal", &inputs).number("optimal_risk").unwrap();
            assert!(
                there > best.number("optimal_risk").unwrap(),
                "width {other} is better than {m}"
            );
        }
    }
}

/// Each bad input is named.
#[test]
fn bad_inputs() {
    let base = json!({"spectrum": {"kind": "power_law", "p": 30, "alpha": 1.2},
        "target": {"kind": "constant", "p": 30, "value": 1.0}, "noise_variance": 0.1,
        "n": 20, "widths": [15], "lambda": 0.1});
    let task =
        rmt_models::tasks().into_iter().find(|t| t.card().name == "random_features").unwrap();
    for (key, value, expected) in [
        ("n", json!(0.5), "n"),
        ("widths", json!([15, 0]), "widths[1]"),
        ("lambda", json!(-1.0), "lambda"),
        ("noise_variance", json!(-0.1), "noise_variance"),
        ("target_outside", json!(-0.1), "target_outside"),
        ("activations", json!(["relu", "relu"]), "activations"),
        ("activations", json!(["abs"]), "activations[0]"),
        ("activations", json!(["relo"]), "activations[0]"),
        ("target", json!({"kind": "constant", "p": 29, "value": 1.0}), "target"),
        ("target_energy", json!({"kind": "constant", "p": 30, "value": 1.0}), "target_energy"),
        ("ensemble_sizes", json!([2, 0]), "ensemble_sizes[1]"),
        ("preactivation_variance", json!(-1.0), "preactivation_variance"),
        ("noise_correlation", json!({"kind": "identity"}), "noise_correlation"),
        ("spectrum", json!({"kind": "constant", "p": 30, "value": 0.0}), "spectrum"),
    ] {
        let mut inputs = base.clone();
        inputs[key] = value;
        if key == "preactivation_variance" {
            inputs["activations"] = json!(["relu"]);
        }
        let error = task.evaluate(&inputs).unwrap_err();
        assert_eq!(error.key.as_deref(), Some(expected), "{key}: {error}");
    }
    let mut inputs = base.clone();
    inputs["activations"] = json!(["relu"]);
    inputs["sample_correlation"] = json!({"kind": "exponential", "length": 3.0});
    assert_eq!(task.evaluate(&inputs).unwrap_err().key.as_deref(), Some("sample_correlation"));
    let rates = rmt_models::tasks().into_iter().find(|t| t.card().name == "norm_rates").unwrap();
    for (key, value) in
        [("alpha", 1.0), ("source", 0.0), ("ridge_exponent", -0.1), ("width_exponent", 0.0)]
    {
        let mut inputs = json!({"alpha": 1.5, "source": 0.3});
        inputs[key] = json!(value);
        assert_eq!(rates.evaluate(&inputs).unwrap_err().key.as_deref(), Some(key));
    }
}

/// Sizes that tie with each other and with the rank as often as not.
fn sizes() -> impl Strategy<Value = f64> {
    prop_oneof![(1..=12u32).prop_map(f64::from), 1.0..40.0_f64, Just(6.0), Just(1e12)]
}

fn ridges() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        (-300.0..30.0_f64).prop_map(|e| 10f64.powf(e)),
        (-6.0..1.0_f64).prop_map(|e| 10f64.powf(e))
    ]
}

fn spectra() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(
        prop_oneof![Just(0.0), Just(1.0), (-8.0..3.0_f64).prop_map(|e| 10f64.powf(e))],
        1..10,
    )
    .prop_filter("some variance", |s| s.iter().any(|x| *x > 0.0))
}

fn random_settings() -> impl Strategy<Value = (Setting, f64)> {
    (
        spectra(),
        prop::collection::vec(0.0..2.0_f64, 10),
        prop_oneof![Just(0.0), 0.0..2.0_f64],
        prop::option::of(sizes()),
        prop::collection::vec(sizes(), 0..4),
        ridges(),
        0..4usize,
        prop_oneof![Just(0.0), Just(0.3)],
    )
        .prop_map(|(s, c, noise, n, widths, lambda, shape, tail)| {
            let p = s.len();
            let target = Modes::Explicit(c[..p].to_vec());
            let act = ActivationFunction::Coefficients(HermiteCoefficients {
                mean: 0.1,
                linear: 0.6,
                nonlinear_variance: tail,
            });
            let activations = if shape == 1 { vec![act; widths.len()] } else { vec![] };
            let target =
                if shape == 2 { Target::Energy(target) } else { Target::Coefficients(target) };
            let metric = Modes::Explicit(c.iter().rev().take(p).copied().collect());
            let setting = Setting {
                noise_variance: noise,
                n,
                widths,
                activations,
                test_spectrum: (shape == 3).then_some(metric),
                ..Setting::new(Modes::Explicit(s), target)
            };
            (setting, lambda)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Never NaN, never negative; infinite only at λ = 0; parts add up.
    #[test]
    fn every_number_is_meaningful((setting, lambda) in random_settings()) {
        let at = match FeatureRegression::new(&setting).unwrap().predict(lambda) {
            Ok(at) => at,
            Err(e) => {
                // Only nonlinear layers of extremely unequal width may be refused, near λ = 0.
                let refused = e.to_string().contains("differ by many orders of magnitude");
                prop_assert!(refused && setting.activations.len() > 1 && lambda < 1e-3, "{e}");
                return Ok(());
            }
        };
        let numbers = [
            ("kappa2", at.kappa2), ("kappa1", at.kappa1), ("df1", at.df1), ("df2", at.df2), ("upsilon", at.upsilon),
            ("bias", at.bias), ("variance_data", at.variance_data), ("variance_features", at.variance_features),
            ("variance_data_features", at.variance_data_features), ("variance_data_noise", at.variance_data_noise),
            ("variance_data_features_noise", at.variance_data_features_noise), ("risk", at.risk),
            ("risk_bias", at.risk_bias), ("risk_variance", at.risk_variance), ("train_error", at.train_error),
            ("gcv", at.gcv), ("norm", at.norm), ("norm_bias", at.norm_bias), ("norm_variance", at.norm_variance),
            ("smoother_frobenius", at.smoother_frobenius), ("smoother_test_df", at.smoother_test_df),
            ("test_risk", at.test_risk.unwrap_or(0.0)), ("test_size", at.test_size.unwrap_or(0.0)),
        ];
        for (name, x) in numbers {
            prop_assert!(x >= 0.0, "{name} = {x} at λ = {lambda}");
            let of_infinite_data = setting.n.is_none() && name.starts_with("smoother");
            prop_assert!(lambda == 0.0 || x.is_finite() || of_infinite_data, "{name} = {x} at λ = {lambda}");
        }
        prop_assert!(at.kappa1 <= at.kappa2 * (1.0 + 1e-12));
        let sum = sum_of_parts(&at);
        prop_assert!(sum == at.risk || (sum - at.risk).abs() <= 1e-12 * at.risk + 1e-300, "{sum} {}", at.risk);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Order of widths, exchange of data and features, and the unit of Σ.
    #[test]
    fn symmetries(s in spectra(), c in prop::collection::vec(0.01..2.0_f64, 10), n in sizes(), m in sizes(), third in sizes(), e in -10.0..2.0_f64) {
        let p = s.len();
        let lambda = 10f64.powf(e);
        let target = Modes::Explicit(c[..p].to_vec());
        let of = |n: f64, widths: &[f64]| setting(Modes::Explicit(s.clone()), target.clone(), 0.3, n, widths);
        let (a, b) = (predict(&of(n, &[m, third]), lambda), predict(&of(n, &[third, m]), lambda));
        for (x, y) in [(a.risk, b.risk), (a.norm, b.norm), (a.kappa2, b.kappa2), (a.variance_data_features, b.variance_data_features)] {
            prop_assert!((x - y).abs() <= 1e-10 * x.abs(), "{x} {y}");
        }
        // n ↔ m: κ₂, d, bias², and n(m−e)(1−Υ) stay.
        let (a, b) = (predict(&of(n, &[m]), lambda), predict(&of(m, &[n]), lambda));
        prop_assert!((a.kappa2 - b.kappa2).abs() <= 1e-11 * a.kappa2);
        prop_assert!((a.df1 - b.df1).abs() <= 1e-11 * a.df1);
        prop_assert!((a.bias - b.bias).abs() <= 1e-10 * a.bias);
        let (x, y) = (n * (m - a.df2) * (1.0 - a.upsilon), m * (n - b.df2) * (1.0 - b.upsilon));
        prop_assert!((x - y).abs() <= 1e-10 * n * m, "{x} {y}");
        // Σ → bΣ, λ → bλ at fixed energies: risk unchanged, norm over b.
        let scaled = Setting {
            spectrum: Modes::Explicit(s.iter().map(|x| 3.0 * x).collect()),
            target: Target::Coefficients(Modes::Explicit(c[..p].iter().map(|x| x / 3.0).collect())),
            ..of(n, &[m])
        };
        let b = predict(&scaled, 3.0 * lambda);
        prop_assert!((a.risk - b.risk).abs() <= 1e-10 * a.risk);
        prop_assert!((a.norm - 3.0 * b.norm).abs() <= 1e-10 * a.norm);
        // κ₂, κ₁ increase in λ; d, N and its parts decrease.
        let higher = predict(&of(n, &[m]), 2.0 * lambda);
        prop_assert!(higher.kappa2 > a.kappa2 && higher.kappa1 > a.kappa1 && higher.df1 < a.df1);
        prop_assert!(higher.norm < a.norm && higher.norm_bias <= a.norm_bias && higher.norm_variance < a.norm_variance);
        prop_assert!(a.df1 < n.min(m));
        // Averages over feature maps and data sets only help.
        let risks: Vec<f64> = [1.0, 2.0, 5.0, f64::INFINITY].iter().map(|e| a.ensemble(1.0, *e)).collect();
        prop_assert!(risks.windows(2).all(|w| w[1] <= w[0]) && (risks[0] - a.risk).abs() <= 1e-12 * a.risk);
        prop_assert!((a.ensemble(f64::INFINITY, f64::INFINITY) - a.bias).abs() <= 1e-12 * a.bias);
    }
}
