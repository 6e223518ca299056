//! The same quantities from the models' own equations: an independent route to every number.

use rmt_fpt::{Model, Problem};
use rmt_task::Observables;
use serde_json::{Value as Json, json};

fn model(task: &str, inputs: &Json) -> Observables {
    let tasks = rmt_models::tasks();
    let task = tasks.iter().find(|t| t.card().name == task).unwrap();
    task.evaluate(inputs).unwrap()
}

fn fpt(mut problem: Json, expression: &str) -> f64 {
    problem["expression"] = json!(expression);
    let problem: Problem = serde_json::from_value(problem).unwrap();
    Model::new(&problem).unwrap().evaluate().unwrap().value.re
}

fn close(found: f64, expected: f64, what: &str) {
    let error = (found / expected - 1.0).abs();
    println!("{what}: {found} {expected} ({error:.1e})");
    assert!(error < 1e-10, "{what}: {found} {expected} ({error:.1e})");
}

fn modes(p: usize) -> (Json, Json) {
    (
        json!({"kind": "power_law", "p": p, "alpha": 1.2, "scale": 2.0}),
        json!({"kind": "linear", "p": p, "from": 0.1, "to": 1.5}),
    )
}

#[test]
fn ridge_bias_and_variance() {
    for (n, p, lam) in [(300, 200, 0.1), (150, 200, 1e-3), (200, 200, 1e-2)] {
        let (s, c) = modes(p);
        let ridge = model(
            "ridge",
            &json!({"spectrum": s, "target": c, "n": n, "lambda": lam, "noise_variance": 0.3}),
        );
        let problem = json!({
            "dims": {"n": n, "p": p}, "parameters": {"lam": lam, "s2": 0.3},
            "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
            "deterministic": {"S": s, "Th": c},
            "deterministic_shapes": {"S": ["p", "p"], "Th": ["p", "p"]},
        });
        let q = "inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p))";
        let number = |name: &str| ridge.number(name).unwrap();
        close(
            fpt(problem.clone(), &format!("lam^2*Tr(Th*{q}*S*{q})")),
            number("bias") + number("variance_data"),
            "ridge bias",
        );
        close(
            fpt(problem, &format!("s2*Tr(S*{q}*sqrt(S)*Z'*Z*sqrt(S)/n*{q})/n")),
            number("variance_noise"),
            "ridge variance",
        );
    }
}

#[test]
fn linear_random_features() {
    let (n, p, m, lam) = (240, 200, 150, 0.05);
    let (s, c) = modes(p);
    let expected = model(
        "random_features",
        &json!({"spectrum": s, "target": c, "n": n, "widths": [m], "lambda": lam,
                "noise_variance": 0.3}),
    );
    let problem = json!({
        "dims": {"n": n, "p": p, "m": m}, "parameters": {"lam": lam, "s2": 0.3},
        "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"},
                   "W": {"rows": "p", "cols": "m", "variance": "1/m"}},
        "deterministic": {"S": s, "Th": c},
        "deterministic_shapes": {"S": ["p", "p"], "Th": ["p", "p"]},
    });
    let q = "inv(W'*sqrt(S)*Z'*Z*sqrt(S)*W/n + lam*I(m))";
    let fit = format!("W*{q}*W'*sqrt(S)*Z'*Z*sqrt(S)/n");
    let risk = format!(
        "Tr(Th*(I(p)-{fit})'*S*(I(p)-{fit})) \
         + s2*Tr(S*W*{q}*W'*sqrt(S)*Z'*Z*sqrt(S)*W*{q}*W')/n^2"
    );
    close(fpt(problem, &risk), expected.number("risk").unwrap(), "random-feature risk");
}

/// Two groups with commuting covariances in one fit.
#[test]
fn two_groups() {
    let (n1, n2, p, lam) = (140, 60, 120, 0.05);
    let s1 = json!({"kind": "power_law", "p": p, "alpha": 1.0, "scale": 3.0});
    let s2 = json!({"kind": "linear", "p": p, "from": 0.1, "to": 2.0});
    let prior = json!({"kind": "constant", "p": p, "value": 0.01});
    let expected = model(
        "bias_amplification",
        &json!({"n": [n1, n2], "covariances": [s1, s2], "noise_variances": [0.2, 0.5],
                "lambda": lam, "shared_prior": prior, "group_priors": [null, null]}),
    );
    let list = |name: &str| expected.get(name).unwrap().as_numbers().unwrap();
    let problem = json!({
        "dims": {"n": n1 + n2, "n1": n1, "n2": n2, "p": p}, "parameters": {"lam": lam},
        "random": {"A": {"rows": "n1", "cols": "p", "variance": "1"},
                   "B": {"rows": "n2", "cols": "p", "variance": "1"}},
        "deterministic": {"S1": s1, "S2": s2},
    });
    let (a, b) = ("sqrt(S1)*A'*A*sqrt(S1)/n", "sqrt(S2)*B'*B*sqrt(S2)/n");
    let q = format!("inv({a} + {b} + lam*I(p))");
    for (group, s) in ["S1", "S2"].iter().enumerate() {
        close(
            fpt(problem.clone(), &format!("0.01*lam^2*Tr({q}*{s}*{q})")),
            list("bias")[group],
            "group bias",
        );
        close(
            fpt(problem.clone(), &format!("Tr({s}*{q}*(0.2*{a} + 0.5*{b})*{q})/n")),
            list("variance")[group],
            "group variance",
        );
    }
}
