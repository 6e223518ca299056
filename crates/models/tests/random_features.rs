//! Reference cases, closed forms and properties of random features and norm-based capacity.

use serde_json::Value;

fn evaluate(task: &str, inputs: &Value) -> rmt_task::Observables {
    rmt_models::tasks()
        .into_iter()
        .find(|t| t.card().name == task)
        .unwrap_or_else(|| panic!("{task} is not registered"))
        .evaluate(inputs)
        .unwrap_or_else(|e| panic!("{task}: {e}"))
}

/// Compares every expected quantity of a reference file at its tolerance; returns how many there were.
fn reference(file: &str) -> usize {
    let path = format!("{}/../../reference/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let default = file["rtol"].as_f64().unwrap();
    let (mut count, mut misses) = (0, Vec::new());
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let out = evaluate(case["task"].as_str().unwrap(), &case["inputs"]);
        for (quantity, expected) in case["expected"].as_object().unwrap() {
            let rtol = expected["rtol"].as_f64().unwrap_or(default);
            let ours = out.get(quantity).unwrap_or_else(|| panic!("{name}: no {quantity}"));
            let (ours, theirs) = match (ours.as_numbers(), expected["value"].as_array()) {
                (Some(a), Some(b)) => (a, b.iter().map(|x| x.as_f64().unwrap()).collect()),
                _ => (vec![ours.as_number().unwrap()], vec![expected["value"].as_f64().unwrap()]),
            };
            assert_eq!(ours.len(), theirs.len(), "{name}: {quantity}");
            for (a, b) in ours.iter().zip(&theirs) {
                count += 1;
                let agrees = (a - b).abs() <= rtol * b.abs() + 1e-14;
                if !agrees {
                    misses.push(format!("{name}: {quantity} = {a:e}, expected {b:e}"));
                }
            }
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
    count
}

#[test]
fn random_features_cases() {
    assert_eq!(reference("random_features"), 122);
}

#[test]
fn norm_capacity_cases() {
    assert_eq!(reference("norm_capacity"), 110);
}
