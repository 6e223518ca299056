//! The sample-kernel cases of the reference file, at its tolerance.

use serde_json::Value;

#[test]
fn reference_cases() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/correlated_ridge.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let rtol = file["rtol"].as_f64().unwrap();
    let task = rmt_models::tasks()
        .into_iter()
        .find(|t| t.card().name == "sample_kernel")
        .expect("registered");
    let mut seen = 0;
    for case in file["cases"].as_array().unwrap() {
        if case["task"] != "sample_kernel" {
            continue;
        }
        let out = task.evaluate(&case["inputs"]).unwrap();
        for (name, expected) in case["expected"].as_object().unwrap() {
            let ours = out.get(name).unwrap().as_numbers().unwrap();
            for (a, b) in ours.iter().zip(expected["value"].as_array().unwrap()) {
                let b = b.as_f64().unwrap();
                assert!((a - b).abs() <= rtol * b.abs(), "{name}: {a} against {b}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 12);
}
