//! κ, κ̃ and the risk against 60-digit bisection (mpmath), on both sides of p = n, tiny ridges, singular
//! and repeated row correlations. Catches any subtraction of nearly equal sums.

use rmt_models::tasks;
use rmt_task::Observables;
use serde_json::{Value as Json, json};

fn run(task: &str, inputs: Json) -> Observables {
    let tasks = tasks();
    tasks
        .iter()
        .find(|t| t.card().name == task)
        .expect("a registered task")
        .evaluate(&inputs)
        .unwrap()
}

fn check(out: &Observables, name: &str, exact: f64, rtol: f64) {
    let value = out.number(name).unwrap();
    assert!(
        (value / exact - 1.0).abs() < rtol,
        "{name}: {value:e} against {exact:e}, off by {:e}",
        value / exact - 1.0
    );
}

/// s_i = i^−1.5, c = 1/p, σ² = 0.1, n = 40. Conditioning 1/(1−γ) is up to 50 here, so 1e-13 in the risk is
/// rounding.
#[test]
fn independent_rows() {
    let cases = [
        (39, 1e-12, 3.9999993724818992024e-11, 3.8999987449639991944),
        (39, 1e-6, 3.5173987140851175735e-5, 3.0405475797086060147),
        (40, 1e-12, 9.7882861317606604729e-8, 4894.0816423419120088),
        (40, 1e-6, 9.8654662680421036953e-5, 4.8714627886059305661),
        (41, 1e-12, 2.3411113044964273208e-4, 4.0547229756976401637),
        (41, 1e-6, 2.7029931273703262603e-4, 3.1078063337629199139),
    ];
    for (p, lambda, kappa, risk) in cases {
        let out = run(
            "ridge",
            json!({"spectrum": {"kind": "power_law", "p": p, "alpha": 1.5}, "target": {"kind": "constant", "p": p, "total": 1.0},
                "n": 40, "lambda": lambda, "noise_variance": 0.1}),
        );
        check(&out, "kappa", kappa, 2e-14);
        check(&out, "risk", risk, 1e-13);
    }
}

/// s_i = 1/i and k_i = 2i/(n+1), n = 20.
#[test]
fn correlated_rows() {
    let k: Vec<f64> = (1..=20).map(|i| 2.0 * f64::from(i) / 21.0).collect();
    let cases = [
        (19, 1e-12, 3.5254268833886917079e-11, 0.029858272888265411143),
        (19, 1e-14, 3.5254269082848697129e-13, 0.029858272666988511597),
        (20, 1e-12, 4.2413070026296962673e-7, 2.3577742727568377616e-6),
        (20, 1e-14, 4.2413084026181893794e-8, 2.3577640445104515024e-7),
        (21, 1e-12, 0.004612999573377330874, 2.1677868911601071658e-10),
        (21, 1e-14, 0.0046129995335449480904, 2.1677869089998050324e-12),
    ];
    for (p, lambda, kappa, kappa_tilde) in cases {
        let out = run(
            "correlated_ridge",
            json!({"spectrum": {"kind": "power_law", "p": p, "alpha": 1.0}, "n": 20, "lambda": lambda,
                "sample_correlation": {"kind": "diagonal", "values": k, "counts": vec![1; 20]}}),
        );
        check(&out, "kappa", kappa, 5e-14);
        check(&out, "kappa_tilde", kappa_tilde, 5e-14);
    }
}

/// Rows with eigenvalues 2 (8 times), 1 (4 times), 0 (8 times): rank 12 of 20, p below, at and above it.
#[test]
fn singular_and_repeated_rows() {
    let cases = [
        (11, 1.3196008871062336967e-11, 0.13778270658129702967),
        (12, 4.1344975810385002154e-7, 4.0311334401208778406e-6),
        (13, 0.01217847073766501315, 1.3685352641724845373e-10),
    ];
    for (p, kappa, kappa_tilde) in cases {
        let inputs = json!({"spectrum": {"kind": "power_law", "p": p, "alpha": 1.0}, "n": 20, "lambda": 1e-12,
            "target": {"kind": "constant", "p": p, "total": 1.0}, "noise_variance": 0.3,
            "sample_correlation": {"kind": "diagonal", "values": [2.0, 1.0, 0.0], "counts": [8, 4, 8]}});
        let out = run("correlated_ridge", inputs.clone());
        check(&out, "kappa", kappa, 5e-14);
        check(&out, "kappa_tilde", kappa_tilde, 5e-14);
        // Noise that 𝐊 does not reach stays in the residuals even without ridge: σ²·8/20.
        let mut mismatched = inputs;
        mismatched["noise_correlation"] = json!({"kind": "identity"});
        mismatched["lambda"] = json!(0.0);
        let out = run("correlated_ridge", mismatched);
        if p > 12 {
            check(&out, "train_error", 0.3 * 8.0 / 20.0, 1e-14);
        }
        if p == 12 {
            assert_eq!(out.number("risk"), Some(f64::INFINITY));
        }
    }
}
