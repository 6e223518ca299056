//! Linear diffusion models: reference cases, closed forms, identities, bad inputs.

use rmt_task::{Observables, Registration};
use serde_json::Value;

fn task() -> Registration {
    let tasks = rmt_models::tasks();
    tasks.into_iter().find(|t| t.card().name == "linear_diffusion").expect("registered")
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().map(|x| x.as_f64().unwrap()).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

fn ours(out: &Observables, name: &str) -> Vec<f64> {
    let value = out.get(name).unwrap_or_else(|| panic!("{name} is missing"));
    value.as_numbers().or_else(|| value.as_number().map(|x| vec![x])).unwrap()
}

fn reference() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/linear_diffusion.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every quantity of every case at its tolerance.
#[test]
fn reference_cases() {
    let file = reference();
    let mut seen = 0;
    for case in file["cases"].as_array().unwrap() {
        let out = task().evaluate(&case["inputs"]).unwrap();
        for (name, expected) in case["expected"].as_object().unwrap() {
            let rtol = expected["rtol"].as_f64().or(file["rtol"].as_f64()).unwrap();
            let reference = numbers(&expected["value"]);
            let found = ours(&out, name);
            assert_eq!(found.len(), reference.len());
            for (a, b) in found.iter().zip(&reference) {
                let error = (a - b).abs() / b.abs();
                assert!(error <= rtol, "{} {name}: {a} against {b} ({error:e})", case["name"]);
                seen += 1;
            }
        }
    }
    assert!(seen > 250, "{seen}");
}

/// The simulations that come with the cases: three standard errors and the O(1/N) of a leading-order
/// theory.
#[test]
fn reference_simulations() {
    let file = reference();
    for case in file["cases"].as_array().unwrap() {
        let out = task().evaluate(&case["inputs"]).unwrap();
        let n = case["inputs"]["n"].as_f64().unwrap();
        for (name, expected) in case["expected"].as_object().unwrap() {
            if expected.get("monte_carlo").is_none() {
                continue;
            }
            let (means, errors) =
                (numbers(&expected["monte_carlo"]), numbers(&expected["mc_stderr"]));
            for ((a, mean), error) in ours(&out, name).iter().zip(means).zip(errors) {
                let room = 3.0 * error + 3.0 / n * a.abs();
                assert!((a - mean).abs() <= room, "{} {name}: {a} {mean}", case["name"]);
            }
        }
    }
}
