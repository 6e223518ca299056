//! The reference cases, through the task as the program runs it, at the tolerances of their file.

use rmt_task::{Observables, TaskError};
use serde_json::Value as Json;

fn cases() -> (f64, Vec<Json>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/fpt.json");
    let file: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    (file["rtol"].as_f64().unwrap(), file["cases"].as_array().unwrap().clone())
}

fn evaluate(inputs: &Json) -> Result<Observables, TaskError> {
    rmt_fpt::tasks()[0].evaluate(inputs)
}

/// Catches any wrong value, branch, or error kind.
#[test]
fn every_case() {
    let (rtol, cases) = cases();
    let mut misses = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let expected = &case["expected"];
        let found = evaluate(&case["inputs"]);
        if let Some(kind) = expected["error"].as_str() {
            match found {
                Err(error) if error.kind.as_str() == kind => println!("{name}: {error}"),
                other => misses.push(format!("{name}: {other:?} instead of {kind}")),
            }
            continue;
        }
        let out = match found {
            Ok(out) => out,
            Err(error) => {
                misses.push(format!("{name}: {error}"));
                continue;
            }
        };
        let target = expected["value"]["value"].as_f64().unwrap();
        let rtol = expected["value"]["rtol"].as_f64().unwrap_or(rtol);
        let value = out.number("value").unwrap();
        let error = (value - target).abs() / target.abs();
        println!("{name}: {value} relative error {error:.1e} {:?}", out);
        // NaN must not pass.
        if error.is_nan() || error > rtol {
            misses.push(format!("{name}: {value} instead of {target}, relative error {error:.1e}"));
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
    assert!(cases.len() >= 12);
}
