//! Properties of `ridge` and `correlated_ridge` on random problems, closed forms, invalid inputs.

use proptest::prelude::*;
use rmt_models::tasks;
use rmt_task::{Observables, TaskError, Value};
use serde_json::{Value as Json, json};

fn run(task: &str, inputs: &Json) -> Result<Observables, TaskError> {
    let tasks = tasks();
    tasks.iter().find(|t| t.card().name == task).expect("a registered task").evaluate(inputs)
}

fn number(out: &Observables, name: &str) -> f64 {
    out.number(name).unwrap_or_else(|| panic!("no number `{name}`"))
}

fn close(a: f64, b: f64, rtol: f64, what: &str) {
    assert!(a == b || (a - b).abs() <= rtol * a.abs().max(b.abs()), "{what}: {a:e} against {b:e}");
}

/// Quantities that both tasks report.
const SHARED: [&str; 10] = [
    "kappa",
    "df1",
    "df2",
    "gamma",
    "bias",
    "variance_data",
    "variance_noise",
    "risk",
    "prediction_error",
    "train_error",
];

fn explicit(values: &[f64]) -> Json {
    json!({"kind": "explicit", "values": values})
}

/// Random eigenvalues over ten decades with some zeros and repetitions.
fn eigenvalues(max: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![4 => (-8.0..2.0_f64).prop_map(|e| 10f64.powf(e)), 1 => Just(0.0), 1 => Just(0.5)], 1..max)
        .prop_filter("some variance", |s| s.iter().any(|s| *s > 0.0))
}

fn lambda() -> impl Strategy<Value = f64> {
    prop_oneof![5 => (-14.0..3.0_f64).prop_map(|e| 10f64.powf(e)), 1 => Just(0.0)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// κ ≥ λ, df2 ≤ df1 ≤ min(n, rank), γ < 1 away from ties, everything finite or +∞, never NaN; scaling
    /// (Σ, λ, σ²) → a·(Σ, λ, σ²) multiplies errors by a and leaves degrees of freedom alone.
    #[test]
    fn ridge_bounds_and_scaling(s in eigenvalues(40), n in 1usize..60, lambda in lambda(), noise in 0.0..2.0_f64, scale in -3.0..3.0_f64) {
        let c: Vec<f64> = (0..s.len()).map(|i| 1.0 / (1.0 + i as f64)).collect();
        let inputs = json!({"spectrum": explicit(&s), "target": explicit(&c), "n": n, "lambda": lambda, "noise_variance": noise});
        let out = run("ridge", &inputs).unwrap();
        let rank = s.iter().filter(|s| **s > 0.0).count();
        let (df1, df2) = (number(&out, "df1"), number(&out, "df2"));
        prop_assert!(number(&out, "kappa") >= lambda * (1.0 - 1e-14));
        prop_assert!(df2 <= df1 * (1.0 + 1e-14) && df1 <= n.min(rank) as f64 * (1.0 + 1e-12));
        for name in SHARED {
            prop_assert!(number(&out, name) >= 0.0, "{name} = {}", number(&out, name));
        }
        let a = 10f64.powf(scale);
        let scaled: Vec<f64> = s.iter().map(|s| a * s).collect();
        let other = run("ridge", &json!({"spectrum": explicit(&scaled), "target": explicit(&c), "n": n, "lambda": a * lambda, "noise_variance": a * noise})).unwrap();
        // λ = 0 beside an almost equal number of modes and samples amplifies rounding by 1/(1−γ).
        for name in ["risk", "train_error", "kappa"] {
            close(number(&other, name), a * number(&out, name), 1e-9, name);
        }
        close(number(&other, "df1"), df1, 1e-10, "df1");
    }

    /// Permuting modes and splitting a zero eigenvalue off change nothing.
    #[test]
    fn ridge_permutation(s in eigenvalues(30), n in 1usize..40, lambda in lambda()) {
        let c: Vec<f64> = (0..s.len()).map(|i| 1.0 / (1.0 + i as f64)).collect();
        let inputs = |s: &[f64], c: &[f64]| json!({"spectrum": explicit(s), "target": explicit(c), "n": n, "lambda": lambda, "noise_variance": 0.3});
        let out = run("ridge", &inputs(&s, &c)).unwrap();
        let (mut t, mut d) = (s.clone(), c.clone());
        t.reverse();
        d.reverse();
        t.push(0.0);
        d.push(0.0);
        let other = run("ridge", &inputs(&t, &d)).unwrap();
        for name in SHARED {
            close(number(&other, name), number(&out, name), 1e-10, name);
        }
    }

    /// K = I is ridge; the noise kernel "identity" is then matched.
    #[test]
    fn independent_rows_reduce_to_ridge(s in eigenvalues(30), n in 1usize..40, lambda in lambda(), noise in 0.0..1.0_f64) {
        let c = vec![1.0; s.len()];
        let mut inputs = json!({"spectrum": explicit(&s), "target": explicit(&c), "n": n, "lambda": lambda, "noise_variance": noise});
        let plain = run("ridge", &inputs).unwrap();
        inputs["sample_correlation"] = json!({"kind": "identity"});
        let correlated = run("correlated_ridge", &inputs).unwrap();
        for name in SHARED {
            close(number(&correlated, name), number(&plain, name), 1e-11, name);
        }
        close(number(&correlated, "corr_gcv"), number(&plain, "gcv"), 1e-11, "corr_gcv");
    }

    /// GCV₁ ≤ CorrGCV ≤ GCV₂ for any row spectrum with Tr K = n, and matched CorrGCV is the prediction error.
    #[test]
    fn ordering_and_matched_identity(s in eigenvalues(25), k in prop::collection::vec(1e-3..10.0_f64, 2..25), lambda in -12.0..2.0_f64) {
        let n = k.len();
        let c = vec![0.3; s.len()];
        let inputs = json!({"spectrum": explicit(&s), "target": explicit(&c), "n": n, "lambda": 10f64.powf(lambda), "noise_variance": 0.2,
            "sample_correlation": {"kind": "diagonal", "values": k, "counts": vec![1; n]}});
        let out = run("correlated_ridge", &inputs).unwrap();
        let (gcv1, corr, gcv2) = (number(&out, "gcv1"), number(&out, "corr_gcv"), number(&out, "gcv2"));
        prop_assert!(gcv1 <= corr * (1.0 + 1e-11) && corr <= gcv2 * (1.0 + 1e-11), "{gcv1} {corr} {gcv2}");
        close(corr, number(&out, "prediction_error"), 1e-12, "CorrGCV");
        close(number(&out, "whitened_corr_gcv"), corr, 1e-12, "whitened");
        let gamma = number(&out, "gamma");
        prop_assert!((0.0..=1.0).contains(&gamma));
        close(number(&out, "kappa") * number(&out, "kappa_tilde") * number(&out, "df1"), n as f64 * 10f64.powf(lambda), 1e-11, "duality");
    }

    /// n rows in duplicated pairs are n/2 rows at the same λ: same κ, risk and training error.
    #[test]
    fn duplicated_rows(s in eigenvalues(25), half in 1usize..20, lambda in -10.0..2.0_f64) {
        let c = vec![1.0; s.len()];
        let inputs = json!({"spectrum": explicit(&s), "target": explicit(&c), "n": half, "lambda": 10f64.powf(lambda), "noise_variance": 0.4});
        let single = run("ridge", &inputs).unwrap();
        let mut doubled = inputs;
        doubled["n"] = json!(2 * half);
        doubled["sample_correlation"] = json!({"kind": "blocks", "size": 2, "correlation": 1.0});
        let doubled = run("correlated_ridge", &doubled).unwrap();
        for name in ["kappa", "df1", "risk", "train_error", "bias", "variance_noise"] {
            close(number(&doubled, name), number(&single, name), 1e-10, name);
        }
    }

    /// λ = 0 is the limit λ → 0 on both sides of p = n, away from a tie.
    #[test]
    fn ridgeless_limit(p in 2usize..30, n in 2usize..30, singular in any::<bool>()) {
        prop_assume!(p != n && !(singular && (p == n / 2 || n % 2 == 1)));
        let s: Vec<f64> = (1..=p).map(|i| 1.0 / i as f64).collect();
        let mut inputs = json!({"spectrum": explicit(&s), "target": explicit(&vec![1.0; p]), "n": n, "lambda": 0.0, "noise_variance": 0.3,
            "sample_correlation": if singular { json!({"kind": "blocks", "size": 2, "correlation": 1.0}) } else { json!({"kind": "exponential", "length": 3.0}) }});
        let zero = run("correlated_ridge", &inputs).unwrap();
        inputs["lambda"] = json!(1e-13);
        let tiny = run("correlated_ridge", &inputs).unwrap();
        for name in ["risk", "prediction_error", "df1", "corr_gcv", "gcv1", "gcv2"] {
            // GCV₁ of a singular K vanishes like λ².
            let (a, b) = (number(&tiny, name), number(&zero, name));
            prop_assert!((a - b).abs() <= 1e-8 * b + 1e-20, "{name}: {a:e} against {b:e}");
        }
        prop_assert!((number(&tiny, "train_error") - number(&zero, "train_error")).abs() < 1e-9);
    }
}

/// OLS with isotropic covariance: risk σ²p/(n−p) below the tie, σ²/(p/n−1) + |θ|²(1−n/p) above, +∞ on it.
#[test]
fn ridgeless_closed_forms() {
    let inputs = |p: usize, n: usize| {
        json!({"spectrum": {"kind": "constant", "p": p, "value": 2.0}, "target": {"kind": "constant", "p": p, "total": 1.5},
            "n": n, "lambda": 0.0, "noise_variance": 0.4})
    };
    close(
        number(&run("ridge", &inputs(50, 80)).unwrap(), "risk"),
        0.4 * 50.0 / 30.0,
        1e-14,
        "n > p",
    );
    let over = run("ridge", &inputs(80, 50)).unwrap();
    close(number(&over, "risk"), 0.4 / 0.6 + 3.0 * (1.0 - 0.625), 1e-13, "p > n");
    assert_eq!(number(&over, "train_error"), 0.0);
    let tie = run("ridge", &inputs(50, 50)).unwrap();
    assert_eq!(number(&tie, "risk"), f64::INFINITY);
    assert_eq!(number(&tie, "train_error"), 0.0);
    assert_eq!(number(&tie, "bias"), 0.0);
    assert!(!tie.notes().is_empty());
}

/// Weighted loss: for an isotropic prior the Bayes optimum is M = K'⁻¹ with λ = σ²p/(n r²).
#[test]
fn bayes_optimal_weighting() {
    let (p, n, r2, noise) = (60, 40, 1.5, 0.3);
    let error = |lambda: f64, weight: Option<Json>| {
        let mut inputs = json!({"spectrum": {"kind": "power_law", "p": p, "alpha": 0.7}, "target": {"kind": "constant", "p": p, "total": r2},
            "n": n, "lambda": lambda, "noise_variance": noise,
            "sample_correlation": {"kind": "exponential", "length": 3.0}, "noise_correlation": {"kind": "exponential", "length": 8.0}});
        if let Some(weight) = weight {
            inputs["loss_weight"] = weight;
        }
        number(&run("correlated_ridge", &inputs).unwrap(), "risk")
    };
    let optimal = noise * p as f64 / (n as f64 * r2);
    let gls = json!("inverse_noise_correlation");
    let best = error(optimal, Some(gls.clone()));
    for factor in [0.5, 0.9, 1.1, 2.0] {
        assert!(error(optimal * factor, Some(gls.clone())) > best, "λ factor {factor}");
    }
    for factor in [0.1, 1.0, 3.0, 10.0, 30.0] {
        assert!(error(optimal * factor, None) > best, "plain loss, λ factor {factor}");
        assert!(
            error(optimal * factor, Some(json!("inverse_sample_correlation"))) > best,
            "K⁻¹, λ factor {factor}"
        );
    }
    // An equal weight on all rows only rescales λ.
    close(
        error(0.2, Some(json!({"diagonal": vec![2.0; n]}))),
        error(0.1, None),
        1e-10,
        "uniform weights",
    );
}

/// A diagonal Σ' given as a matrix and as a spectrum agree; a rotated one differs from its diagonal.
#[test]
fn test_covariance_as_a_matrix() {
    let theta = [1.0, -0.5, 0.25];
    let base = json!({"spectrum": explicit(&[2.0, 1.0, 0.5]), "coefficients": theta, "n": 5, "lambda": 0.1, "noise_variance": 0.2});
    let with = |key: &str, value: Json| {
        let mut inputs = base.clone();
        inputs[key] = value;
        run("ridge", &inputs).unwrap()
    };
    let diagonal = with(
        "test_covariance",
        json!({"kind": "dense", "values": [[1.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.2]]}),
    );
    let spectrum = with("test_spectrum", explicit(&[1.0, 3.0, 0.2]));
    for name in SHARED {
        close(number(&diagonal, name), number(&spectrum, name), 1e-14, name);
    }
    let rotated = with(
        "test_covariance",
        json!({"kind": "dense", "values": [[1.0, 0.4, 0.0], [0.4, 3.0, 0.1], [0.0, 0.1, 0.2]]}),
    );
    let kappa = number(&rotated, "kappa");
    let shrunk: Vec<f64> =
        theta.iter().zip([2.0, 1.0, 0.5]).map(|(t, s)| t * kappa / (s + kappa)).collect();
    let cross = 2.0 * (0.4 * shrunk[0] * shrunk[1] + 0.1 * shrunk[1] * shrunk[2]);
    close(number(&rotated, "bias"), number(&spectrum, "bias") + cross, 1e-13, "bias");
    close(
        number(&rotated, "variance_noise"),
        number(&spectrum, "variance_noise"),
        1e-14,
        "variance",
    );
}

/// A later point that equals training row j (kvec = K e_j) has that row's expected squared residual; far away
/// the error is the prediction error.
#[test]
fn correlated_test_points() {
    let inputs = |lag: f64| {
        json!({"spectrum": {"kind": "power_law", "p": 40, "alpha": 1.0}, "target": {"kind": "constant", "p": 40, "total": 1.0},
            "n": 60, "lambda": 0.02, "noise_variance": 0.3, "sample_correlation": {"kind": "exponential", "length": 5.0}, "test_lag": lag})
    };
    let far = run("correlated_ridge", &inputs(1e4)).unwrap();
    close(number(&far, "correlated_test_error"), number(&far, "prediction_error"), 1e-12, "far");
    let mut before = 0.0;
    for lag in [0.01, 1.0, 3.0, 10.0, 40.0] {
        let error =
            number(&run("correlated_ridge", &inputs(lag)).unwrap(), "correlated_test_error");
        assert!(error > before && error <= number(&far, "prediction_error"), "lag {lag}: {error}");
        before = error;
    }
}

/// Every bad input is an error that names its key; nothing panics.
#[test]
fn invalid_inputs() {
    let good = json!({"spectrum": {"kind": "constant", "p": 10, "value": 1.0}, "target": {"kind": "constant", "p": 10, "total": 1.0},
        "n": 8, "lambda": 0.1, "noise_variance": 0.1, "sample_correlation": {"kind": "exponential", "length": 2.0}});
    let cases: Vec<(&str, Json, &str)> = vec![
        ("lambda", json!(-0.1), "lambda"),
        ("n", json!(0), "n"),
        ("n", json!(7.5), "n"),
        ("noise_variance", json!(-1.0), "noise_variance"),
        ("spectrum", json!({"kind": "constant", "p": 10, "value": 0.0}), "spectrum"),
        ("spectrum", json!({"kind": "constant", "p": 0, "value": 1.0}), "spectrum"),
        ("spectrum", json!({"kind": "explicit", "values": [1.0, -0.5, 1.0]}), "spectrum[1]"),
        ("spectrum", json!({"kind": "explicit", "values": []}), "spectrum"),
        ("spectrum", json!({"kind": "powerlaw", "p": 10}), "spectrum.kind"),
        ("spectrum", json!({"kind": "power_law", "p": 10, "alpah": 1.0}), "spectrum.alpha"),
        ("target", json!({"kind": "constant", "p": 9, "total": 1.0}), "target"),
        (
            "target",
            json!({"kind": "constant", "p": 10, "total": 1.0, "value": 2.0}),
            "target.total",
        ),
        ("test_spectrum", json!({"kind": "explicit", "values": [1.0]}), "test_spectrum"),
        (
            "sample_correlation",
            json!({"kind": "exponential", "length": -1.0}),
            "sample_correlation.length",
        ),
        (
            "sample_correlation",
            json!({"kind": "blocks", "size": 3, "correlation": 0.5}),
            "sample_correlation.size",
        ),
        (
            "sample_correlation",
            json!({"kind": "exponential", "length": 2.0, "n": 9}),
            "sample_correlation.n",
        ),
        (
            "sample_correlation",
            json!({"kind": "dense", "values": [[1.0, 2.0], [2.0, 1.0]]}),
            "sample_correlation",
        ),
        ("loss_weight", json!({"diagonal": [1.0]}), "loss_weight"),
        ("lamda", json!(0.1), "lamda"),
    ];
    for (key, value, expected) in cases {
        let mut inputs = good.clone();
        inputs[key] = value.clone();
        let error = run("correlated_ridge", &inputs)
            .expect_err(&format!("{key} = {value} must be refused"));
        let found = error.key.clone().unwrap_or_default();
        assert!(found.starts_with(expected), "{key} = {value}: key `{found}`, message {error}");
    }
    let mut lag = good.clone();
    lag["sample_correlation"] = json!({"kind": "blocks", "size": 2, "correlation": 0.5});
    lag["test_lag"] = json!(1.0);
    assert!(run("correlated_ridge", &lag).unwrap_err().to_string().contains("stationary"));
    let axis = json!({"spectrum": {"kind": "constant", "p": 10, "value": 1.0}, "n": 20, "lambda": 0.1, "resolvent_at": [1.0, 0.0]});
    assert!(run("ridge", &axis).unwrap_err().to_string().contains("imaginary part"));
}

/// m(z̄) = m(z)*, z·m → −1, and the density integrates to 1 − mass at zero.
#[test]
fn resolvents() {
    let at = |re: f64, im: f64| {
        let inputs = json!({"spectrum": {"kind": "power_law", "p": 60, "alpha": 0.8}, "sample_correlation": {"kind": "exponential", "length": 4.0},
            "n": 40, "resolvent_at": [re, im]});
        match run("separable_resolvent", &inputs).unwrap().get("stieltjes") {
            Some(Value::Complex(re, im)) => (*re, *im),
            other => panic!("{other:?}"),
        }
    };
    let (up, down) = (at(0.3, 0.02), at(0.3, -0.02));
    close(up.0, down.0, 1e-13, "real part");
    close(up.1, -down.1, 1e-13, "imaginary part");
    let far = at(0.0, 1e8);
    assert!((far.1 * 1e8 - 1.0).abs() < 1e-7, "{far:?}");
    let edges = {
        let inputs = json!({"spectrum": {"kind": "constant", "p": 60, "value": 1.0}, "sample_correlation": {"kind": "exponential", "length": 4.0}, "n": 40});
        let out = run("separable_resolvent", &inputs).unwrap();
        close(number(&out, "mass_at_zero"), 1.0 / 3.0, 1e-14, "mass at zero");
        out.get("support_edges").and_then(Value::as_numbers).unwrap()
    };
    assert_eq!(edges.len(), 2, "{edges:?}");
    // Midpoint rule in the angle x = (a+b)/2 − (b−a)/2 cos φ, which makes square-root edges smooth.
    let (a, b) = (edges[0], edges[1]);
    let angles: Vec<f64> =
        (0..400).map(|i| std::f64::consts::PI * (i as f64 + 0.5) / 400.0).collect();
    let points: Vec<f64> = angles.iter().map(|t| 0.5 * (a + b) - 0.5 * (b - a) * t.cos()).collect();
    let inputs = json!({"spectrum": {"kind": "constant", "p": 60, "value": 1.0}, "sample_correlation": {"kind": "exponential", "length": 4.0},
        "n": 40, "density_at": points});
    let density = run("separable_resolvent", &inputs)
        .unwrap()
        .get("density")
        .and_then(Value::as_numbers)
        .unwrap();
    let integral: f64 =
        density.iter().zip(&angles).map(|(d, t)| d * 0.5 * (b - a) * t.sin()).sum::<f64>()
            * std::f64::consts::PI
            / 400.0;
    assert!((integral - 2.0 / 3.0).abs() < 1e-6, "{integral}");
}
