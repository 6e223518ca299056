//! Every case of reference/sgd.json at the file's tolerance; every miss is printed.

use rmt_task::Value as Ours;
use serde_json::Value;

fn flatten(value: &Ours) -> Vec<f64> {
    match value {
        Ours::Number(x) => vec![*x],
        Ours::Complex(re, im) => vec![*re, *im],
        Ours::List(items) => items.iter().flat_map(flatten).collect(),
        _ => vec![],
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Number(x) => vec![x.as_f64().unwrap()],
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::String(s) if s == "Infinity" => vec![f64::INFINITY],
        other => panic!("unexpected {other}"),
    }
}

#[test]
fn reference_cases() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/sgd.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let file_rtol = file["rtol"].as_f64().unwrap();
    let tasks = rmt_models::tasks();
    let (mut compared, mut misses) = (0, Vec::new());
    for case in file["cases"].as_array().unwrap() {
        let (name, task) = (case["name"].as_str().unwrap(), case["task"].as_str().unwrap());
        let task = tasks.iter().find(|t| t.card().name == task).expect("a registered task");
        let out = task.evaluate(&case["inputs"]).unwrap_or_else(|e| panic!("{name}: {e}"));
        for (quantity, expected) in case["expected"].as_object().unwrap() {
            let rtol = expected["rtol"].as_f64().unwrap_or(file_rtol);
            let want = numbers(&expected["value"]);
            let have = out.get(quantity).map(flatten).unwrap_or_default();
            if have.len() != want.len() {
                misses.push(format!("{name}.{quantity}: {have:?}"));
                continue;
            }
            // Complex numbers are compared by modulus, lists entry by entry.
            let complex = matches!(out.get(quantity), Some(Ours::Complex(..)));
            let largest = want.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            for (a, b) in have.iter().zip(&want) {
                let scale = if complex { largest } else { b.abs() };
                let list = if want.len() > 1 { 1e-13 * largest } else { 0.0 };
                compared += 1;
                let close = (a - b).abs() <= rtol * scale + list + 1e-14;
                if !close {
                    misses.push(format!(
                        "{name}.{quantity}: {a:e} against {b:e}, off by {:e}",
                        a / b - 1.0
                    ));
                }
            }
        }
    }
    assert!(misses.is_empty(), "{compared} numbers, misses:\n{}", misses.join("\n"));
    assert_eq!(compared, 188);
}
