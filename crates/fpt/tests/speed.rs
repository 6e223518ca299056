//! Times from text to system and to value, the best of several repeats:
//! `cargo test --release -p rmt-fpt --test speed -- --ignored --nocapture`.

use rmt_fpt::{Model, Problem, gallery};
use serde_json::{Value as Json, json};
use std::time::Instant;

/// Milliseconds of the fastest of `runs`.
fn fastest(runs: usize, mut f: impl FnMut()) -> f64 {
    let one = |_| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..runs).map(one).fold(f64::INFINITY, f64::min)
}

fn example(name: &str) -> Problem {
    gallery().iter().find(|e| e.name == name).unwrap().problem().unwrap()
}

fn stated(json: Json) -> Problem {
    serde_json::from_value(json).unwrap()
}

/// Text to written system, and the certified value of the compiled model, in milliseconds.
fn times(problem: &Problem) -> (f64, f64) {
    let system = fastest(20, || drop(Model::new(problem).unwrap().text().unwrap()));
    let model = Model::new(problem).unwrap();
    let value = fastest(20, || assert!(model.evaluate().unwrap().rho < 1.0));
    (system, value)
}

const Q: &str = "inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p))";

fn ridge(n: usize, p: usize, expression: String) -> Problem {
    stated(json!({
        "dims": {"n": n, "p": p}, "parameters": {"lam": 0.01, "s2": 0.5},
        "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
        "deterministic": {"S": {"kind": "power_law", "p": p, "alpha": 1.2},
                          "Th": {"kind": "linear", "p": p, "from": 1.0, "to": 0.1}},
        "expression": expression,
    }))
}

/// The five examples that auto-fpt comes with; wanted: 20 ms to the system, 5 ms to the value.
/// Its own times for the equations alone, of pencils made by hand, are 0.98, 1.2, 8.8, 21.8 and
/// 6.3 s (Subramonian and Dohmatob 2025).
#[test]
#[ignore = "times"]
fn examples_of_auto_fpt() {
    let groups = stated(json!({
        "dims": {"n": 300, "n1": 200, "n2": 100, "p": 200}, "parameters": {"lam": 0.1},
        "random": {"A": {"rows": "n1", "cols": "p", "variance": "1"},
                   "B": {"rows": "n2", "cols": "p", "variance": "1"}},
        "deterministic": {"S1": {"kind": "power_law", "p": 200, "alpha": 1.0, "scale": 3.0},
                          "S2": {"kind": "linear", "p": 200, "from": 0.1, "to": 2.0}},
        "deterministic_shapes": {"S1": ["p", "p"], "S2": ["p", "p"]},
        "expression": "tr(S1*inv(sqrt(S1)*A'*A*sqrt(S1)/n + sqrt(S2)*B'*B*sqrt(S2)/n + lam*I(p)))"
    }));
    let risk = format!("lam^2*Tr(Th*{Q}*S*{Q}) + s2*Tr(S*{Q}*sqrt(S)*Z'*Z*sqrt(S)/n*{Q})/n");
    let problems = [
        ("Marchenko–Pastur", example("marchenko_pastur")),
        ("anisotropic", example("anisotropic")),
        ("two groups", groups),
        ("ridge bias + variance", ridge(300, 200, risk)),
        ("random-feature kernel", example("random_feature_kernel")),
    ];
    println!("{:26} {:>10} {:>10}", "", "system/ms", "value/ms");
    for (name, problem) in problems {
        let (system, value) = times(&problem);
        println!("{name:26} {system:10.2} {value:10.2}");
    }
}

/// Bias and variance of ridge regression on random features, from the text (wanted: 100 ms both); a
/// bias of 4000 modes (wanted: 50 ms).
#[test]
#[ignore = "times"]
fn larger_problems() {
    let whole = |problem: &Problem| {
        fastest(10, || assert!(Model::new(problem).unwrap().evaluate().unwrap().rho < 1.0))
    };
    let bias = whole(&example("random_feature_bias"));
    let variance = whole(&example("random_feature_variance"));
    println!("random features: bias {bias:.2} ms, variance {variance:.2} ms");
    let large = whole(&ridge(2000, 4000, format!("lam^2*Tr(Th*{Q}*S*{Q})")));
    println!("ridge bias, p = 4000: {large:.2} ms");
}

/// Every example of the gallery; printed only.
#[test]
#[ignore = "times"]
fn gallery_times() {
    println!("{:26} {:>12} {:>12}", "", "compile/ms", "value/ms");
    for example in gallery() {
        let problem = example.problem().unwrap();
        let compile = fastest(5, || drop(Model::new(&problem).unwrap()));
        let model = Model::new(&problem).unwrap();
        let value = fastest(5, || assert!(model.evaluate().is_ok()));
        println!("{:26} {compile:12.3} {value:12.3}", example.name);
    }
}
