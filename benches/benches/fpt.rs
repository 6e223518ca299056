//! Expressions: from text to the written system, the certified value, and two larger problems from
//! text to value. There is no peer to run: auto-fpt starts from pencils made by hand and stops at the
//! equations, after 1 to 22 s on its own examples (Subramonian and Dohmatob 2025).
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use rmt_fpt::{Model, Problem, gallery};
use serde_json::json;
use std::hint::black_box;

const EXAMPLES: [&str; 4] =
    ["marchenko_pastur", "ridge_bias", "ridge_variance", "random_feature_kernel"];

fn example(name: &str) -> Problem {
    let found = gallery().iter().find(|e| e.name == name).expect("an example of the gallery");
    found.problem().expect("a problem")
}

fn value(problem: &Problem) -> f64 {
    Model::new(problem).expect("a model").evaluate().expect("a value").value.re
}

fn text_to_system(c: &mut Criterion) {
    let mut group = c.benchmark_group("fpt: text to system");
    for name in EXAMPLES {
        let problem = example(name);
        group.bench_function(name, |b| {
            b.iter(|| Model::new(black_box(&problem)).expect("a model").text().expect("a system"))
        });
    }
    group.finish();
}

fn certified_value(c: &mut Criterion) {
    let mut group = c.benchmark_group("fpt: certified value");
    for name in EXAMPLES {
        let model = Model::new(&example(name)).expect("a model");
        group.bench_function(name, |b| b.iter(|| black_box(&model).evaluate().expect("a value")));
    }
    group.finish();
}

fn text_to_value(c: &mut Criterion) {
    let mut group = c.benchmark_group("fpt: text to value");
    group.sample_size(20);
    for name in ["random_feature_bias", "random_feature_variance"] {
        let problem = example(name);
        group.bench_function(name, |b| b.iter(|| value(black_box(&problem))));
    }
    let p = 4000;
    let resolvent = "inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p))";
    let problem = json!({
        "dims": {"n": 2000, "p": p}, "parameters": {"lam": 0.01},
        "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
        "deterministic": {"S": {"kind": "power_law", "p": p, "alpha": 1.2},
                          "Th": {"kind": "linear", "p": p, "from": 1.0, "to": 0.1}},
        "expression": format!("lam^2*Tr(Th*{resolvent}*S*{resolvent})"),
    });
    let problem: Problem = serde_json::from_value(problem).expect("a problem");
    group.bench_function("ridge bias, p = 4000", |b| b.iter(|| value(black_box(&problem))));
    group.finish();
}

criterion_group!(benches, text_to_system, certified_value, text_to_value);
criterion_main!(benches);
