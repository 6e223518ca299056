//! Identities that hold for every expression, on the gallery and on random problems.

use proptest::prelude::*;
use rmt_fpt::{Model, Problem, check, enlarged, gallery};
use serde_json::json;

fn value(problem: &Problem) -> f64 {
    let answer = Model::new(problem).unwrap().evaluate().unwrap();
    assert!(answer.rho < 1.0 && answer.residual < 1e-8);
    answer.value.re
}

fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance * a.abs().max(b.abs()), "{what}: {a} {b}");
}

/// Every gallery item has a certified value that its own simulation agrees with, or approaches.
#[test]
fn gallery_agrees_with_simulation() {
    for example in gallery() {
        let problem = example.problem().unwrap();
        let answer = Model::new(&problem).unwrap().evaluate().unwrap();
        println!("{}: {answer:?}", example.name);
        assert!(answer.value.im == 0.0 && answer.rho < 1.0 && answer.residual < 1e-8);
    }
    // The full counts are in `gallery_monte_carlo`.
    for name in ["marchenko_pastur", "two_groups", "information_plus_noise"] {
        let example = gallery().iter().find(|e| e.name == name).unwrap();
        let found = check(&example.problem().unwrap(), 10, 0, Default::default()).unwrap();
        println!("{name}: z {:.1} {:.1}", found.single.z_score(), found.double.z_score());
        assert_ne!(found.verdict(), rmt_fpt::Verdict::Differs, "{name}: {found:?}");
    }
}

/// A wrong merge of unknowns depends on the sizes, so it shows here.
fn size_invariance(multiples: &[usize]) -> f64 {
    let mut worst: f64 = 0.0;
    for example in gallery() {
        let problem = example.problem().unwrap();
        let one = value(&problem);
        for multiple in multiples {
            let many = value(&enlarged(&problem, *multiple).unwrap());
            // Un-normalised traces in the gallery are divided by a size, as risks are.
            let error = (many / one - 1.0).abs();
            assert!(error <= 1e-12, "{} ×{multiple}: {one} {many} ({error:.1e})", example.name);
            worst = worst.max(error);
        }
    }
    worst
}

#[test]
fn size_invariance_of_the_gallery() {
    println!("largest relative change {:.1e}", size_invariance(&[2]));
}

#[test]
#[ignore = "sizes up to 2000"]
fn size_invariance_of_the_gallery_times_five() {
    println!("largest relative change {:.1e}", size_invariance(&[2, 5]));
}

#[test]
#[ignore = "200 draws at two sizes of every example"]
fn gallery_monte_carlo() {
    for example in gallery() {
        let problem = example.problem().unwrap();
        for entries in [rmt_fpt::Entries::Gaussian, rmt_fpt::Entries::Signs] {
            let found = check(&problem, 200, 0, entries).unwrap();
            println!(
                "{:24} {entries:?}: gap {:+.3}% ± {:.3}% at ×1, {:+.3}% ± {:.3}% at ×2, {:?}",
                example.name,
                100.0 * found.single.gap().re / found.single.limit.re,
                100.0 * found.single.standard_error / found.single.limit.norm(),
                100.0 * found.double.gap().re / found.double.limit.re,
                100.0 * found.double.standard_error / found.double.limit.norm(),
                found.verdict()
            );
        }
    }
}

fn ridge(n: usize, s: &[f64], lam: f64, expression: &str) -> Problem {
    serde_json::from_value(json!({
        "dims": {"n": n, "p": s.len(), "q": 7, "r": 5}, "parameters": {"lam": lam, "mu": 2.0 * lam},
        "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"},
                   "A": {"rows": "p", "cols": "p", "variance": "1/(4*p)"},
                   "B": {"rows": "n", "cols": "p", "variance": "2"}},
        "deterministic": {"S": {"kind": "explicit", "values": s},
                          "T": {"kind": "linear", "p": s.len(), "from": 0.3, "to": 1.7}},
        "deterministic_shapes": {"S": ["p", "p"], "T": ["p", "p"]},
        "expression": expression
    }))
    .unwrap()
}

const Q: &str = "inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p))";
const Q2: &str = "inv(sqrt(S)*Z'*Z*sqrt(S)/n + mu*I(p))";

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Cyclicity, transposition, linearity, inv(E)·E = I, resolvent identity, push-through,
    /// relabelled dimensions; each relates different pencils.
    #[test]
    fn identities(
        n in 4_usize..60,
        s in prop::collection::vec(0.05_f64..4.0, 3..40),
        log_lam in -2.0_f64..1.0,
    ) {
        let lam = 10_f64.powf(log_lam);
        let at = |e: &str| value(&ridge(n, &s, lam, e));
        let p = s.len() as f64;
        close(at(&format!("Tr({Q}*S*{Q}*T)")), at(&format!("Tr(T*{Q}*S*{Q})")), 1e-12, "cyclic");
        close(at(&format!("Tr({Q}*S*A*T*A')")), at(&format!("Tr(A*T*A'*S*{Q})")), 1e-12, "turned");
        close(at(&format!("Tr(({Q}*S*inv(3*I(p)+A)*T)')")),
              at(&format!("Tr({Q}*S*inv(3*I(p)+A)*T)")), 1e-12, "transposed");
        close(at(&format!("Tr({Q}*(S+2*T))")),
              at(&format!("Tr({Q}*S)")) + 2.0 * at(&format!("Tr({Q}*T)")), 1e-12, "linear");
        close(at(&format!("Tr({Q}*(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p)))")), p, 1e-12, "inverse");
        close(at(&format!("Tr(S*{Q})-Tr(S*{Q2})")), at(&format!("(mu-lam)*Tr(S*{Q}*{Q2})")), 1e-11,
              "resolvent");
        close(at("Tr(Z*sqrt(S)*T*sqrt(S)*Z'*inv(Z*S*Z'/n+lam*I(n)))"),
              at(&format!("Tr(T*sqrt(S)*Z'*Z*sqrt(S)*{Q})")), 1e-11, "push-through");
        // iid A and A' have one law.
        close(at("tr(inv(3*I(p)-A-S/8))"), at("tr(inv(3*I(p)-A'-S/8))"), 1e-13, "A and A'");
    }

    /// The exact derivative against differences, and d/dλ Tr Q = −Tr Q².
    #[test]
    fn derivatives(
        n in 4_usize..60,
        s in prop::collection::vec(0.05_f64..4.0, 3..40),
        log_lam in -2.0_f64..1.0,
    ) {
        let lam = 10_f64.powf(log_lam);
        let at = |e: &str| ridge(n, &s, lam, e);
        let slope = |e: &str| {
            let point = Model::new(&at(e)).unwrap().derivative("lam").unwrap();
            point.derivative.unwrap().re
        };
        close(slope(&format!("Tr(S*{Q})")), -value(&at(&format!("Tr(S*{Q}*{Q})"))), 1e-11, "lambda");
        let expression = format!("lam^2*Tr(T*{Q}*S*{Q})*tr({Q}) + sqrt(lam)");
        let h = 1e-5 * lam;
        let model = Model::new(&at(&expression)).unwrap();
        let shifted = |x: f64| {
            model.with_parameter("lam", x.into()).unwrap().evaluate().unwrap().value.re
        };
        let difference = (shifted(lam + h) - shifted(lam - h)) / (2.0 * h);
        // Differences: truncation 1e-10 of the third derivative, rounding 1e-15/1e-5.
        close(slope(&expression), difference, 1e-7, "difference");
    }

    /// Weights are repeated atoms; v ↔ √v in front; merging groups of one covariance; dense equals
    /// diagonal; a pinched diagonal equals the full matrix.
    #[test]
    fn representations(
        n in 4_usize..40,
        s in prop::collection::vec(0.05_f64..4.0, 3..8),
        log_lam in -2.0_f64..1.0,
    ) {
        let lam = 10_f64.powf(log_lam);
        let p = 3 * s.len();
        let dense: Vec<Vec<f64>> = (0..s.len())
            .map(|i| (0..s.len()).map(|j| if i == j { s[i] } else { 0.0 }).collect())
            .collect();
        let problem = |variance: &str, s: serde_json::Value, p: usize, expression: &str| -> Problem {
            serde_json::from_value(json!({
                "dims": {"n": n, "n2": 2 * n, "N": 3 * n, "p": p}, "parameters": {"lam": lam},
                "random": {"Z": {"rows": "n", "cols": "p", "variance": variance},
                           "Y": {"rows": "n2", "cols": "p", "variance": variance},
                           "X": {"rows": "N", "cols": "p", "variance": variance}},
                "deterministic": {"S": s},
                "deterministic_shapes": {"S": ["p", "p"]},
                "expression": expression
            }))
            .unwrap()
        };
        let list = json!({"kind": "explicit", "values": s});
        let q = "tr(S*inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p)))";
        let repeated: Vec<f64> = s.iter().flat_map(|x| [*x; 3]).collect();
        let many = json!({"kind": "explicit", "values": repeated});
        let base = value(&problem("1", many.clone(), p, q));
        let mut weighted = problem("1", many.clone(), p, q);
        weighted.deterministic = serde_json::from_value(json!({"S": list})).unwrap();
        weighted.dimension_weights =
            serde_json::from_value(json!({"p": {"kind": "constant", "p": s.len(), "value": 2.0}}))
                .unwrap();
        close(value(&weighted), base, 1e-13, "weights");
        close(
            value(&problem("1/4", many.clone(), p, &q.replace("Z'*Z", "4*Z'*Z"))),
            base, 1e-13, "variance in front",
        );
        let pooled = "tr(S*inv(sqrt(S)*(Z'*Z + Y'*Y)*sqrt(S)/N + lam*I(p)))";
        let joint = "tr(S*inv(sqrt(S)*X'*X*sqrt(S)/N + lam*I(p)))";
        close(
            value(&problem("1", many.clone(), p, pooled)),
            value(&problem("1", many, p, joint)),
            1e-12, "two groups of one covariance",
        );
        let small = value(&problem("1", list, s.len(), q));
        close(value(&problem("1", json!({"kind": "dense", "values": dense}), s.len(), q)), small,
              1e-13, "dense diagonal");
    }
}

/// A matrix that occurs once outside every inverse may be given by its diagonal in the eigenbasis of
/// the others.
#[test]
fn pinching() {
    let p = 12;
    let theta: Vec<f64> = (0..p).map(|i| (1.0 + i as f64).sin()).collect();
    let outer: Vec<Vec<f64>> =
        theta.iter().map(|x| theta.iter().map(|y| x * y).collect()).collect();
    let squares: Vec<f64> = theta.iter().map(|x| x * x).collect();
    let at = |th: serde_json::Value| {
        value(
            &serde_json::from_value(json!({
                "dims": {"n": 20, "p": p}, "parameters": {"lam": 0.1},
                "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
                "deterministic": {"S": {"kind": "power_law", "p": p, "alpha": 1.0}, "Th": th},
                "expression": format!("lam^2*Tr(Th*{Q}*S*{Q})")
            }))
            .unwrap(),
        )
    };
    let diagonal = at(json!({"kind": "explicit", "values": squares}));
    let full = at(json!({"kind": "dense", "values": outer}));
    close(diagonal, full, 1e-12, "pinched");
}

/// Curves agree point by point with solving from scratch, on both sides of p = n.
#[test]
fn curves() {
    let problem = ridge(30, &[2.0, 1.0, 0.5, 0.25, 0.1], 0.1, &format!("lam^2*Tr(T*{Q}*S*{Q})"));
    let model = Model::new(&problem).unwrap();
    let values: Vec<f64> = (0..30).map(|i| 10_f64.powf(-5.0 + 0.25 * f64::from(i))).collect();
    for (x, point) in model.curve("lam", &values).unwrap() {
        let point = point.unwrap();
        let alone = model.with_parameter("lam", x.into()).unwrap().derivative("lam").unwrap();
        close(point.answer.value.re, alone.answer.value.re, 1e-12, "curve");
        close(point.derivative.unwrap().re, alone.derivative.unwrap().re, 1e-9, "slope");
    }
    let sizes = rmt_fpt::size_curve(&problem, "n", &[3, 5, 50]).unwrap();
    for (n, point) in sizes {
        let mut other = problem.clone();
        other.dims.insert("n".to_owned(), n as usize);
        close(point.unwrap().answer.value.re, value(&other), 1e-15, "sizes");
    }
}
