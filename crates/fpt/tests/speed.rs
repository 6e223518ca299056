//! Times from text to system and to value, printed and not asserted:
//! `cargo test --release -p rmt-fpt --test speed -- --ignored --nocapture`.

use rmt_fpt::{Model, Problem, gallery};
use serde_json::json;
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

#[test]
#[ignore = "prints times"]
fn times() {
    println!("{:26} {:>12} {:>12} {:>12}", "", "compile/ms", "value/ms", "system/ms");
    let mut problems: Vec<(String, Problem)> =
        gallery().iter().map(|e| (e.name.to_owned(), e.problem().unwrap())).collect();
    let q = "inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p))";
    let large = json!({
        "dims": {"n": 2000, "p": 4000}, "parameters": {"lam": 0.01},
        "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
        "deterministic": {"S": {"kind": "power_law", "p": 4000, "alpha": 1.2},
                          "Th": {"kind": "linear", "p": 4000, "from": 1.0, "to": 0.1}},
        "expression": format!("lam^2*Tr(Th*{q}*S*{q})"),
    });
    problems.push(("bias, p = 4000".to_owned(), serde_json::from_value(large).unwrap()));
    for (name, problem) in problems {
        let compile = fastest(5, || drop(Model::new(&problem).unwrap()));
        let model = Model::new(&problem).unwrap();
        let value = fastest(5, || assert!(model.evaluate().is_ok()));
        let system = fastest(3, || drop(model.text()));
        println!("{name:26} {compile:12.3} {value:12.3} {system:12.3}");
    }
}
