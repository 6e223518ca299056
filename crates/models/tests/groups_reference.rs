//! Every reference case of the two tasks built on the group engine, at the tolerances of the files.

use serde_json::Value as Json;

fn numbers(value: &Json) -> Vec<f64> {
    match value {
        Json::Number(x) => vec![x.as_f64().unwrap()],
        Json::String(s) if s == "Infinity" => vec![f64::INFINITY],
        Json::Array(items) => items.iter().flat_map(numbers).collect(),
        other => panic!("unexpected {other}"),
    }
}

fn check(topic: &str) {
    let path = format!("{}/../../reference/{topic}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let tasks = rmt_models::tasks();
    let mut misses = Vec::new();
    let mut compared = 0;
    for case in file["cases"].as_array().unwrap() {
        let task = tasks.iter().find(|t| t.card().name == case["task"]).unwrap();
        let out = match task.evaluate(&case["inputs"]) {
            Ok(out) => serde_json::to_value(&out).unwrap(),
            Err(error) => {
                misses.push(format!("{}: {error}", case["name"]));
                continue;
            }
        };
        for (quantity, expected) in case["expected"].as_object().unwrap() {
            let Some(found) = out.get(quantity) else {
                misses.push(format!("{}: {quantity} is missing", case["name"]));
                continue;
            };
            let rtol = expected.get("rtol").or(file.get("rtol")).unwrap().as_f64().unwrap();
            let (found, want) = (numbers(found), numbers(&expected["value"]));
            let largest = want.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            compared += want.len();
            for (found, want) in found.iter().zip(&want) {
                let tolerance = rtol * want.abs() + 1e-13 * largest + 1e-14;
                if !((found - want).abs() <= tolerance || found == want) {
                    misses.push(format!("{}: {quantity} {found} for {want}", case["name"]));
                }
            }
            if found.len() != want.len() {
                misses.push(format!("{}: {quantity} has {} entries", case["name"], found.len()));
            }
        }
    }
    assert!(misses.is_empty(), "{} misses of {compared}:\n{}", misses.len(), misses.join("\n"));
    assert!(compared > 0);
}

#[test]
fn bias_amplification() {
    check("bias_amplification");
}

#[test]
fn model_collapse() {
    check("model_collapse");
}
