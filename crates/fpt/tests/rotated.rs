//! Haar-rotated matrices: against closed forms, against projections built from Gaussian matrices (an
//! independent route through the same solver), and against simulation.

use rmt_fpt::{Error, Model, Problem, Verdict, check, enlarged};
use serde_json::{Value as Json, json};

fn problem(spectrum: Json, p: usize, expression: &str) -> Problem {
    serde_json::from_value(json!({
        "dims": {"p": p, "m": p / 2, "n": 2 * p}, "parameters": {"lam": 0.3, "mu": 0.0},
        "random": {"X": {"rows": "p", "cols": "p", "kind": "haar", "spectrum": spectrum},
                   "W": {"rows": "m", "cols": "p", "variance": "1"},
                   "Z": {"rows": "n", "cols": "p", "variance": "1/n"}},
        "deterministic": {"S": {"kind": "power_law", "p": p, "alpha": 0.7, "scale": 2.0},
                          "P": {"kind": "levels", "values": [1, 0], "counts": [p / 2, p - p / 2]}},
        "deterministic_shapes": {"S": ["p", "p"], "P": ["p", "p"]},
        "expression": expression
    }))
    .unwrap()
}

fn half(p: usize) -> Json {
    json!({"kind": "levels", "values": [1, 0], "counts": [p / 2, p - p / 2]})
}

fn value(problem: &Problem) -> f64 {
    let answer = Model::new(problem).unwrap().evaluate();
    let answer = answer.unwrap_or_else(|e| panic!("{}: {e}", problem.expression));
    assert!(answer.rho < 1.0 && answer.residual < 1e-8, "{answer:?}");
    answer.value.re
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs();
    println!("{what}: {found} {expected} ({error:.1e})");
    assert!(error <= tolerance, "{what}: {found} {expected} ({error:.1e})");
}

/// Alone, X is its eigenvalues, however often it occurs. Catches errors of R at matrix arguments:
/// the pencils have up to four occurrences, and singular w.
#[test]
fn alone_it_is_its_eigenvalues() {
    let p = 40;
    let x: Vec<f64> = (0..p).map(|i| 0.2 + 0.05 * f64::from(i)).collect();
    let mean = |f: &dyn Fn(f64) -> f64| x.iter().map(|x| f(*x)).sum::<f64>() / x.len() as f64;
    let at = |e: &str| value(&problem(json!({"kind": "explicit", "values": x}), 40, e));
    close(at("tr(X)"), mean(&|x| x), 1e-13, "mean");
    close(at("tr(X^3)"), mean(&|x| x.powi(3)), 1e-13, "third moment");
    close(at("tr(inv(X + lam*I(p)))"), mean(&|x| 1.0 / (x + 0.3)), 1e-13, "resolvent");
    close(at("tr(inv(X^2 + lam*I(p)))"), mean(&|x| 1.0 / (x * x + 0.3)), 1e-12, "of a square");
    close(
        at("tr(X*inv(X + lam*I(p))*X*inv(X + I(p)))"),
        mean(&|x| x * x / (x + 0.3) / (x + 1.0)),
        1e-12,
        "two resolvents",
    );
}

/// The sum of two free projections of rank p/2 has the arcsine law on [0, 2].
#[test]
fn two_projections() {
    let p = 60;
    for lam in [1e-6, 0.3, 4.0_f64] {
        let mut problem = problem(half(p), p, "tr(inv(P + X + lam*I(p)))");
        problem.parameters.insert("lam".to_owned(), lam.into());
        // Rounding as for other edges: 2⁻⁵²/√λ.
        close(value(&problem), 1.0 / (lam * (lam + 2.0)).sqrt(), 1e-12, "arcsine");
    }
    // Inside the spectrum [0, 2] there is no value, outside it has the sign of the distance.
    let at = |mu: f64| {
        let mut problem = problem(half(p), p, "tr(inv(P + X - mu*I(p)))");
        problem.parameters.insert("mu".to_owned(), mu.into());
        Model::new(&problem).unwrap().evaluate()
    };
    for mu in [0.2, 0.7, 1.0, 1.9] {
        let found = at(mu);
        assert!(matches!(found, Err(Error::NotCertified { .. })), "mu = {mu}: {found:?}");
    }
    for mu in [-0.5, -1e-3] {
        let expected = 1.0 / (mu * (mu - 2.0_f64)).sqrt();
        close(at(mu).unwrap().value.re, expected, 1e-12, "below");
    }
    // Above the spectrum the argument is negative: -inv(mu - P - X).
    let mut above = problem(half(p), p, "tr(inv(mu*I(p) - P - X))");
    above.parameters.insert("mu".to_owned(), 2.5.into());
    close(value(&above), 1.0 / (2.5_f64 * 0.5).sqrt(), 1e-12, "above");
}

/// W'(WW')⁻¹W with Gaussian W is a Haar-rotated projection: one, two and four occurrences, alone and
/// with spectra and other random matrices. Catches a wrong self-energy and a wrong merge of unknowns.
#[test]
fn projections_from_gaussian_matrices() {
    let p = 60;
    let gaussian = "(W'*inv(W*W')*W)";
    for expression in [
        "tr(inv(S + X + lam*I(p)))",
        "tr(S*inv(sqrt(S)*X*sqrt(S) + lam*I(p)))",
        "tr(S*X*inv(X*S*X + lam*I(p))*X)",
        "tr(inv(S + X*S*X + lam*I(p)))",
        "lam^2*tr(S*inv(S + X + lam*I(p))*P*inv(S + X + lam*I(p)))",
        "tr(X*inv(Z'*Z + X + lam*I(p))*S*inv(Z'*Z + X + lam*I(p)))",
        "tr(inv(Z*X*Z' + lam*I(n)))",
    ] {
        let rotated = value(&problem(half(p), p, expression));
        let plain = value(&problem(half(p), p, &expression.replace('X', gaussian)));
        close(rotated, plain, 1e-10, expression);
    }
}

/// Shifts and scales of X, transposes, repeated atoms, ×2 and ×5 sizes, exact derivatives.
#[test]
fn identities() {
    let p = 30;
    let list = |f: &dyn Fn(f64) -> f64| {
        let values: Vec<f64> = (0..p).map(|i| f(0.1 * f64::from(i))).collect();
        json!({"kind": "explicit", "values": values})
    };
    let at = |s: Json, e: &str| value(&problem(s, 30, e));
    let base = at(list(&|x| x), "tr(S*inv(S + X + lam*I(p))*X)");
    close(
        at(list(&|x| x + 0.5), "tr(S*inv(S + X - I(p)/2 + lam*I(p))*(X' - I(p)/2))"),
        base,
        1e-12,
        "shifted",
    );
    close(at(list(&|x| 4.0 * x), "tr(S*inv(S + X/4 + lam*I(p))*X)/4"), base, 1e-12, "scaled");
    let product = "tr(S*inv(S + X^2 + lam*I(p))*X)";
    let one = problem(list(&|x| x), 30, product);
    for multiple in [2, 5] {
        close(value(&enlarged(&one, multiple).unwrap()), value(&one), 1e-12, "size");
    }
    let model = Model::new(&one).unwrap();
    let slope = model.derivative("lam").unwrap().derivative.unwrap().re;
    let shifted =
        |x: f64| model.with_parameter("lam", x.into()).unwrap().evaluate().unwrap().value.re;
    let h = 1e-5;
    close(slope, (shifted(0.3 + h) - shifted(0.3 - h)) / (2.0 * h), 1e-8, "derivative");
    // Factors of X that depend on the parameter.
    let weighted = problem(list(&|x| x), 30, "tr(inv(S + lam^2*X*S*X + I(p)))");
    let model = Model::new(&weighted).unwrap();
    let slope = model.derivative("lam").unwrap().derivative.unwrap().re;
    let shifted =
        |x: f64| model.with_parameter("lam", x.into()).unwrap().evaluate().unwrap().value.re;
    close(slope, (shifted(0.3 + h) - shifted(0.3 - h)) / (2.0 * h), 1e-8, "weighted derivative");
}

/// 20 draws, seed 0.
#[test]
fn simulation() {
    let p = 100;
    let x = json!({"kind": "linear", "p": p, "from": 0.0, "to": 3.0});
    for expression in
        ["tr(inv(S + X + lam*I(p)))", "tr(inv(S + X^2 + lam*I(p)))", "tr(S*X*S*inv(X*S*X + I(p)))"]
    {
        let found = check(&problem(x.clone(), p, expression), 20, 0, Default::default()).unwrap();
        println!(
            "{expression}: {} {} ± {:.1e}, z {:.1} {:.1}",
            found.single.limit.re,
            found.single.mean.re,
            found.single.standard_error,
            found.single.z_score(),
            found.double.z_score()
        );
        assert_ne!(found.verdict(), Verdict::Differs, "{found:?}");
    }
}

/// Key and a word of the message.
#[test]
fn bad_declarations() {
    let declared =
        |x: Json| json!({"dims": {"p": 4, "n": 3}, "random": {"X": x}, "expression": "tr(X)"});
    let four = json!({"kind": "linear", "p": 4, "from": 0.0, "to": 1.0});
    for (x, key, word) in [
        (json!({"rows": "p", "cols": "n", "kind": "haar", "spectrum": four}), "random.X", "square"),
        (json!({"rows": "p", "cols": "p", "kind": "haar"}), "random.X.spectrum", "eigenvalues"),
        (
            json!({"rows": "n", "cols": "n", "kind": "haar", "spectrum": four}),
            "random.X.spectrum",
            "4 eigenvalues for a matrix of n = 3",
        ),
        (
            json!({"rows": "p", "cols": "p", "kind": "haar", "spectrum": four, "variance": "1"}),
            "random.X.variance",
            "no variance",
        ),
        (
            json!({"rows": "p", "cols": "p", "variance": "1", "spectrum": four}),
            "random.X.spectrum",
            "haar",
        ),
        (json!({"rows": "p", "cols": "p"}), "random.X.variance", "missing"),
        (json!({"rows": "p", "cols": "p", "kind": "goe"}), "random.X.variance", "missing"),
    ] {
        let error = rmt_fpt::tasks()[0].evaluate(&declared(x)).unwrap_err();
        assert_eq!(error.key.as_deref(), Some(key), "{error}");
        assert!(error.message.contains(word), "{error}");
    }
    let model = Model::new(&problem(half(6), 6, "tr(inv(X + I(p)))")).unwrap();
    assert!(matches!(model.text(), Err(Error::InvalidInput { .. })));
    assert!(model.python().is_err() && model.rust().is_err() && model.latex().is_err());
}
