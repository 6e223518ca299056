//! Laws with closed forms.

use rmt_fpt::{Error, Model, Path, Problem};
use serde_json::json;

fn problem(json: serde_json::Value) -> Problem {
    serde_json::from_value(json).unwrap()
}

fn value(json: serde_json::Value) -> f64 {
    let answer = Model::new(&problem(json)).unwrap().evaluate().unwrap();
    assert!(answer.rho < 1.0 && answer.residual < 1e-8);
    answer.value.re
}

fn marchenko_pastur(n: usize, p: usize, lam: f64) -> rmt_fpt::Result<rmt_fpt::Answer> {
    Model::new(&problem(json!({
        "dims": {"n": n, "p": p}, "parameters": {"lam": lam},
        "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
        "expression": "tr(inv(Z'*Z/n + lam*I(p)))"
    })))?
    .evaluate()
}

/// g = 2/(b + √(b² + 4cλ)), b = λ + 1 − c, in the form without cancellation.
fn stieltjes(c: f64, lam: f64) -> f64 {
    let b = lam + 1.0 - c;
    let root = (b * b + 4.0 * c * lam).sqrt();
    if b < 0.0 { (root - b) / (2.0 * c * lam) } else { 2.0 / (b + root) }
}

/// Catches a wrong root (there are two) and round-off at tiny ridges: at p = n and λ = 1e-10 the
/// value is of order λ^−½ and its relative error 2⁻⁵²/√λ ≈ 2e-11·0.2.
#[test]
fn marchenko_pastur_grid() {
    let mut worst = (0.0, 0.0, 0.0);
    for (n, p) in [(400, 200), (300, 300), (200, 400)] {
        let c = p as f64 / n as f64;
        for k in -40..=12 {
            let lam = 10_f64.powf(f64::from(k) / 4.0);
            let answer = marchenko_pastur(n, p, lam).unwrap();
            let error = (answer.value.re / stieltjes(c, lam) - 1.0).abs();
            if error > worst.0 {
                worst = (error, c, lam);
            }
            assert!(error <= 1e-11, "c = {c}, lambda = {lam:e}: relative error {error:.1e}");
            assert!(answer.rho < 1.0);
        }
    }
    println!("largest relative error {:.1e} at c = {}, lambda = {:e}", worst.0, worst.1, worst.2);
}

#[test]
fn ridgeless_inverse_moments() {
    let inputs = |expression: &str| {
        json!({"dims": {"n": 300, "p": 200},
               "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
               "expression": expression})
    };
    // 1/(1−c) and 1/(1−c)³ at c = 2/3.
    assert!((value(inputs("tr(inv(Z'*Z/n))")) - 3.0).abs() < 1e-12);
    assert!((value(inputs("tr(inv(Z'*Z/n)^2)")) - 27.0).abs() < 1e-11);
    let answer = Model::new(&problem(inputs("tr(inv(Z'*Z/n))"))).unwrap().evaluate().unwrap();
    assert!((answer.rho - (200.0_f64 / 300.0).sqrt()).abs() < 1e-12, "rho {}", answer.rho);
    assert_eq!(answer.path, Path::Epsilon);
}

/// Inside the Ginibre disc −1/μ solves the Dyson equation but is not the limit.
#[test]
fn ginibre_disc() {
    let inputs = |mu: f64| {
        problem(json!({"dims": {"p": 200}, "parameters": {"mu": mu},
               "random": {"A": {"rows": "p", "cols": "p", "variance": "1/p"}},
               "expression": "tr(inv(A - mu*I(p)))"}))
    };
    let outside = Model::new(&inputs(1.5)).unwrap().evaluate().unwrap();
    assert!((outside.value.re + 2.0 / 3.0).abs() < 1e-14);
    assert!((outside.rho - 1.0 / 2.25).abs() < 1e-13);
    for mu in [0.5, 0.99, -0.3] {
        let inside = Model::new(&inputs(mu)).unwrap().evaluate();
        assert!(matches!(inside, Err(Error::NotCertified { .. })), "{mu}: {inside:?}");
    }
}

/// Points inside a spectrum, and matrices that are singular in the limit, have no value.
#[test]
fn refusals() {
    let inputs = |n: usize, p: usize, expression: &str| {
        problem(json!({"dims": {"n": n, "p": p},
               "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
               "expression": expression}))
    };
    for (n, p, expression) in [
        (300, 300, "tr(inv(Z'*Z/n))"),
        (200, 300, "tr(inv(Z'*Z/n))"),
        (300, 200, "tr(inv(Z'*Z/n - I(p)))"),
        (300, 300, "tr(inv(Z'*Z/n - 2*I(p)))"),
        (300, 200, "tr(inv(Z*Z'))"),
    ] {
        let found = Model::new(&inputs(n, p, expression)).unwrap().evaluate();
        assert!(matches!(found, Err(Error::NotCertified { .. })), "{expression}: {found:?}");
    }
}

/// Wigner: tr inv(H − μ) = (−μ + √(μ²−4))/2 outside [−2, 2], on both sides.
#[test]
fn semicircle() {
    for mu in [2.5_f64, 4.0, -3.0] {
        let found = value(json!({"dims": {"p": 100}, "parameters": {"mu": mu},
            "random": {"H": {"rows": "p", "cols": "p", "variance": "1/p", "kind": "goe"}},
            "expression": "tr(inv(H - mu*I(p)))"}));
        let expected = (-mu + mu.signum() * (mu * mu - 4.0).sqrt()) / 2.0;
        assert!((found - expected).abs() < 1e-13, "mu = {mu}: {found} {expected}");
    }
}

/// Mean of the MANOVA law, and of a random projection.
#[test]
fn projections() {
    let manova = value(json!({"dims": {"n": 300, "n2": 500, "p": 200},
        "random": {"A": {"rows": "n", "cols": "p", "variance": "1"},
                   "B": {"rows": "n2", "cols": "p", "variance": "1"}},
        "expression": "tr(A'*A*inv(A'*A + B'*B))"}));
    assert!((manova - 300.0 / 800.0).abs() < 1e-12, "{manova}");
    let projection = value(json!({"dims": {"m": 80, "p": 200},
        "random": {"W": {"rows": "m", "cols": "p", "variance": "1"}},
        "expression": "tr(W'*inv(W*W')*W)"}));
    assert!((projection - 0.4).abs() < 1e-12, "{projection}");
}

/// κ(1 − df1(κ)/n) = λ: λ inv(Σ̂ + λ) → κ(S + κ)⁻¹, with bias and variance from df2.
#[test]
fn anisotropic_ridge() {
    let (n, p, lam): (usize, usize, f64) = (150, 250, 0.03);
    let s: Vec<f64> = (1..=p).map(|i| 2.0 / i as f64).collect();
    let c: Vec<f64> = (0..p).map(|i| 1.0 + (i as f64).sin()).collect();
    let df = |k: f64, e: i32| s.iter().map(|s| (s / (s + k)).powi(e)).sum::<f64>();
    let (mut low, mut high) = (1e-12_f64, 1e3_f64);
    for _ in 0..200 {
        let k = (low * high).sqrt();
        if k * (1.0 - df(k, 1) / n as f64) > lam { high = k } else { low = k }
    }
    let k = (low * high).sqrt();
    let gamma = df(k, 2) / n as f64;
    let bias = k * k * s.iter().zip(&c).map(|(s, c)| c * s / (s + k).powi(2)).sum::<f64>();
    let inputs = |expression: &str| {
        json!({"dims": {"n": n, "p": p}, "parameters": {"lam": lam},
               "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
               "deterministic": {"S": {"kind": "explicit", "values": s},
                                 "Th": {"kind": "explicit", "values": c}},
               "expression": expression})
    };
    let q = "inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p))";
    let close = |found: f64, expected: f64, what: &str| {
        assert!((found / expected - 1.0).abs() < 1e-11, "{what}: {found} {expected}");
    };
    let one = value(inputs(&format!("lam*Tr({q}*S)")));
    close(one, k * s.iter().map(|s| s / (s + k)).sum::<f64>(), "one resolvent");
    let found = value(inputs(&format!("lam^2*Tr(Th*{q}*S*{q})")));
    close(found, bias / (1.0 - gamma), "bias");
    let found = value(inputs(&format!("Tr(S*{q}*sqrt(S)*Z'*Z*sqrt(S)/n*{q})/n")));
    close(found, gamma / (1.0 - gamma), "variance");
}

/// The ridge variance stays certified at λ = 1e-12, and at p = n for λ → 0 the value is refused only
/// at λ = 0.
#[test]
fn tiny_ridges() {
    let inputs = |n: usize, p: usize, lam: f64| {
        let q = "inv(Z'*Z/n + lam*I(p))";
        problem(json!({"dims": {"n": n, "p": p}, "parameters": {"lam": lam},
            "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
            "expression": format!("Tr({q}*Z'*Z/n*{q})/n")}))
    };
    for (n, p, lam) in [(300, 200, 1e-12), (200, 300, 1e-6), (300, 300, 1e-8)] {
        let answer = Model::new(&inputs(n, p, lam)).unwrap().evaluate().unwrap();
        println!("n = {n}, p = {p}, lambda = {lam:e}: {answer:?}");
        assert!(answer.rho < 1.0);
    }
    // γ/(1−γ) with γ = p/n at λ → 0 for S = 1.
    let answer = Model::new(&inputs(300, 200, 1e-12)).unwrap().evaluate().unwrap();
    assert!((answer.value.re - 2.0).abs() < 1e-10, "{}", answer.value.re);
}

/// Both relations of Adlam and Pennington for the kernel of nonlinear random features.
#[test]
fn random_feature_kernel() {
    let (n, d, m, lam, zeta, beta) = (200.0, 300.0, 375.0, 0.1, 0.25, 0.0915);
    let inputs = |expression: &str| {
        json!({"dims": {"n": 200, "d": 300, "m": 375},
               "parameters": {"lam": lam, "zeta": zeta, "beta": beta},
               "random": {"W": {"rows": "m", "cols": "d", "variance": "zeta"},
                          "X": {"rows": "d", "cols": "n", "variance": "1/d"},
                          "T": {"rows": "m", "cols": "n", "variance": "beta"}},
               "expression": expression})
    };
    let q = "inv((W*X+T)'*(W*X+T)/m + lam*I(n))";
    let t1 = value(inputs(&format!("tr({q})")));
    let t2 = value(inputs(&format!("tr(X'*X*{q})")));
    let (phi, psi, eta) = (d / n, d / m, zeta + beta);
    let first = phi * (zeta * t2 * t1 + phi * (t2 - t1)) + zeta * t1 * t2 * psi * (lam * t1 - 1.0);
    let second =
        phi * (t2 - t1) * (zeta * (t2 - t1) + eta * t1) - zeta * t1 * t2 * (lam * t1 - 1.0);
    assert!(first.abs() < 1e-13 && second.abs() < 1e-13, "{first:e} {second:e}");
}

/// Marchenko–Pastur density at p/n = 2/3, x = 1.5; the smoothing moves it by 4e-8.
#[test]
fn density() {
    let model =
        Model::new(&problem(json!({"dims": {"n": 300, "p": 200}, "parameters": {"z": 0.0},
        "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
        "expression": "tr(inv(Z'*Z/n - z*I(p)))"})))
        .unwrap();
    let points: Vec<f64> = (0..=40).map(|i| f64::from(i) / 10.0).collect();
    let found = model.density("z", &points, 1e-6).unwrap();
    let c: f64 = 2.0 / 3.0;
    let (low, high) = ((1.0 - c.sqrt()).powi(2), (1.0 + c.sqrt()).powi(2));
    for (x, density) in found {
        let exact = if x > low && x < high {
            ((x - low) * (high - x)).sqrt() / (2.0 * std::f64::consts::PI * c * x)
        } else {
            0.0
        };
        let density = density.unwrap();
        // The smoothing is of order 1e-6 times the slope, which is largest (about 30 here) at edges.
        assert!((density - exact).abs() < 3e-5, "x = {x}: {density} {exact}");
        if x == 1.5 {
            assert!((density - 0.25854171).abs() < 1e-8, "{density}");
        }
    }
}
