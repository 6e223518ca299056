//! The `corr_gcv` cases of the reference file, at its tolerances: exact arithmetic on small data.

use serde_json::Value;

#[test]
fn reference_cases() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/correlated_ridge.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let task = rmt_estimators::tasks()
        .into_iter()
        .find(|t| t.card().name == "corr_gcv")
        .expect("registered");
    let mut seen = 0;
    for case in file["cases"].as_array().unwrap() {
        if case["task"] != "corr_gcv" {
            continue;
        }
        let out = task.evaluate(&case["inputs"]).unwrap();
        for (name, expected) in case["expected"].as_object().unwrap() {
            let rtol = expected["rtol"].as_f64().or(file["rtol"].as_f64()).unwrap();
            let ours = out.get(name).unwrap_or_else(|| panic!("{name} is missing"));
            let ours = ours.as_numbers().unwrap();
            let theirs = expected["value"].as_array().unwrap();
            assert_eq!(ours.len(), theirs.len(), "{name}");
            for (a, b) in ours.iter().zip(theirs) {
                let b = b.as_f64().unwrap();
                assert!(
                    (a - b).abs() <= rtol * b.abs(),
                    "{} {name}: {a} against {b}",
                    case["name"]
                );
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 10 * 3 + 12 * 2);
}

#[test]
fn the_example_of_the_card_evaluates() {
    for task in rmt_estimators::tasks() {
        let inputs = serde_json::from_str(task.card().example).unwrap();
        let out = task.evaluate(&inputs).unwrap();
        for name in task.card().headline {
            assert!(out.get(name).is_some(), "{name}");
        }
        for (name, _) in out.iter() {
            let known = task.card().observables.iter().any(|(n, _)| *n == name);
            assert!(known, "{name} is not on the card");
        }
    }
}

#[test]
fn bad_task_inputs_are_named() {
    let task = rmt_estimators::tasks().remove(0);
    let good: Value = serde_json::from_str(task.card().example).unwrap();
    let with = |key: &str, value: Value| {
        let mut inputs = good.clone();
        inputs[key] = value;
        task.evaluate(&inputs).expect_err(key)
    };
    let error = with("lambdas", serde_json::json!([0.1, -1.0]));
    assert_eq!(error.key.as_deref(), Some("lambdas[1]"), "{error}");
    let error = with("lambdas", serde_json::json!([]));
    assert_eq!(error.key.as_deref(), Some("lambdas"), "{error}");
    let error = with("y", serde_json::json!([1.0, 2.0]));
    assert_eq!(error.key.as_deref(), Some("y"), "{error}");
    let error = with("x", serde_json::json!([[1.0], [2.0, 3.0]]));
    assert_eq!(error.key.as_deref(), Some("x[1]"), "{error}");
    let error =
        with("sample_correlation", serde_json::json!({"kind": "exponential", "n": 5, "length": 1}));
    assert!(error.to_string().contains('5') && error.to_string().contains('8'), "{error}");
    let error = with(
        "sample_correlation",
        serde_json::json!({"kind": "blocks", "size": 3, "correlation": 0.1}),
    );
    assert!(error.to_string().contains("divide 8 rows"), "{error}");
    let error = with(
        "sample_correlation",
        serde_json::json!({"kind": "blocks", "size": 2, "correlation": 0.1}),
    );
    assert!(error.to_string().contains("stationary"), "{error}");
    let error = with("noise_correlation", serde_json::json!("none"));
    assert!(error.to_string().contains("same"), "{error}");
    let error = with("test_lag", serde_json::json!(0));
    assert_eq!(error.key.as_deref(), Some("test_lag"), "{error}");
    let error = with("lambda", serde_json::json!(0));
    assert!(error.to_string().contains("lambdas"), "{error}");
}
