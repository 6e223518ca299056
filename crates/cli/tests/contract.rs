//! `eval` and `check` on the reference files: names, shapes, exit statuses.

mod common;

use common::{Folder, repository};
use serde_json::Value as Json;

const FILES: [&str; 10] = [
    "ridge",
    "correlated_ridge",
    "random_features",
    "norm_capacity",
    "sgd",
    "linear_diffusion",
    "bias_amplification",
    "model_collapse",
    "fpt",
    "population",
];

fn known_tasks(folder: &Folder) -> Vec<String> {
    let models: Json = serde_json::from_str(&folder.done(&["models", "--json"])).unwrap();
    let list = models.as_array().unwrap();
    list.iter().map(|m| m["task"].as_str().unwrap().to_owned()).collect()
}

/// Catches a wrong value, a missing quantity and a wrong name in any case whose task exists.
#[test]
fn every_reference_case_of_a_known_task_agrees() {
    let folder = Folder::new();
    let known = known_tasks(&folder);
    for name in FILES {
        let path = repository(&format!("reference/{name}.json"));
        let mut file: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let cases = file["cases"].as_array_mut().unwrap();
        // Parameter estimation takes minutes and has tests of its own.
        cases.retain(|c| {
            let task = c["task"].as_str().unwrap();
            known.iter().any(|k| k == task) && task != "population_fit"
        });
        let expected = cases.len();
        let outcome = folder.rmt_with(&["check", "-"], &file.to_string());
        assert_eq!(outcome.status, Some(0), "{name}: {}", outcome.out);
        assert!(outcome.out.contains(&format!("{expected} of {expected} cases agree")));
    }
}

#[test]
fn eval_prints_a_line_a_case_in_order_and_errors_by_kind() {
    let folder = Folder::new();
    let inputs = r#"{"spectrum": {"kind": "constant", "p": 50, "value": 1}, "n": 50, "lambda": 0,
        "target": {"kind": "constant", "p": 50, "total": 1}, "noise_variance": 0.1}"#;
    let cases = format!(
        r#"{{"cases": [
            {{"name": "tie", "task": "ridge", "inputs": {inputs}}},
            {{"name": "typo", "task": "ridge", "inputs": {{"lamda": 1}}}},
            {{"name": "gone", "task": "rigde", "inputs": {{}}}},
            {{"name": "bad", "task": "ridge", "inputs": {{"n": -1}}}}
        ]}}"#
    );
    let outcome = folder.rmt_with(&["eval", "-"], &cases);
    assert_eq!(outcome.status, Some(1));
    let lines: Vec<Json> =
        outcome.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["name"], "tie");
    assert_eq!(lines[0]["values"]["risk"], "Infinity");
    assert_eq!(lines[1]["error"]["kind"], "unknown_key");
    assert_eq!(lines[2]["error"]["kind"], "unknown_task");
    assert_eq!(lines[3]["error"]["kind"], "invalid_input");
    for line in &lines[1..] {
        let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["name", "task", "error"]);
        let keys: Vec<_> = line["error"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["kind", "message"]);
    }
}

#[test]
fn check_fails_on_a_wrong_number_a_missing_quantity_and_a_wrong_error() {
    let folder = Folder::new();
    let inputs =
        r#"{"spectrum": {"kind": "constant", "p": 50, "value": 1}, "n": 100, "lambda": 0.1}"#;
    let case = |expected: &str| {
        format!(r#"{{"task": "ridge", "inputs": {inputs}, "expected": {expected}}}"#)
    };
    for (expected, word) in [
        (r#"{"df1": {"value": 1.0}}"#, "relative deviation"),
        (r#"{"no_such_quantity": {"value": 1.0}}"#, "missing"),
        (r#"{"error": "not_certified"}"#, "error not_certified"),
    ] {
        let outcome = folder.rmt_with(&["check", "-"], &case(expected));
        assert_eq!(outcome.status, Some(1), "{}", outcome.out);
        assert!(outcome.out.contains("MISS") && outcome.out.contains(word), "{}", outcome.out);
    }
    let bad = r#"{"task": "ridge", "inputs": {"n": -1}, "expected": {"error": "invalid_input"}}"#;
    assert_eq!(folder.rmt_with(&["check", "-"], bad).status, Some(0));
}
