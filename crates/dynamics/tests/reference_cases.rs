//! The published cases of trajectories and of the closed-form Hopf point.

use serde_json::Value as Json;

fn cases(task: &str) -> Vec<Json> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/population.json");
    let file: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases: Vec<Json> =
        file["cases"].as_array().unwrap().iter().filter(|c| c["task"] == task).cloned().collect();
    assert!(!cases.is_empty());
    cases
}

fn evaluate(case: &Json) -> Json {
    let task = rmt_dynamics::tasks()
        .into_iter()
        .find(|t| t.card().name == case["task"].as_str().unwrap())
        .unwrap();
    serde_json::to_value(task.evaluate(&case["inputs"]).unwrap()).unwrap()
}

fn flatten(value: &Json, into: &mut Vec<f64>) {
    match value {
        Json::Array(items) => items.iter().for_each(|v| flatten(v, into)),
        other => into.push(other.as_f64().unwrap()),
    }
}

/// Relative `rtol`, plus 1e-13 of the largest entry and `atol`, as the contract says.
fn close(what: &str, found: &Json, expected: &Json, rtol: f64, atol: f64) {
    let (mut f, mut e) = (Vec::new(), Vec::new());
    flatten(found, &mut f);
    flatten(expected, &mut e);
    assert_eq!(f.len(), e.len(), "{what}: {found} against {expected}");
    let largest = e.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (f, e) in f.iter().zip(&e) {
        let allowed = rtol * e.abs() + atol.max(1e-14) + 1e-13 * largest;
        assert!((f - e).abs() <= allowed, "{what}: {f} against {e} (allowed {allowed:e})");
    }
}

fn quantity(case: &Json, values: &Json, name: &str) {
    let expected = &case["expected"][name];
    let rtol = expected["rtol"].as_f64().unwrap_or(1e-10);
    let atol = expected["atol"].as_f64().unwrap_or(0.0);
    let what = format!("{} {name}", case["name"]);
    close(&what, &values[name], &expected["value"], rtol, atol);
}

fn match_by_state(case: &Json, values: &Json, name: &str, numbers: &[&str], words: &[&str]) {
    let expected = case["expected"][name].as_array().unwrap();
    let found = values[name].as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{}: {found:?}", case["name"]);
    for e in expected {
        let distance = |f: &Json| {
            let (mut p, mut q) = (Vec::new(), Vec::new());
            flatten(&f["state"], &mut p);
            flatten(&e["state"], &mut q);
            p.iter().zip(&q).map(|(p, q)| (p - q).powi(2)).sum::<f64>()
        };
        let f = found.iter().min_by(|p, q| distance(p).total_cmp(&distance(q))).unwrap();
        for name in numbers {
            close(&format!("{} {name}", case["name"]), &f[name], &e[name], 1e-10, 0.0);
        }
        for name in words {
            assert_eq!(f[name], e[name], "{} {name}", case["name"]);
        }
    }
}

#[test]
fn trajectories_and_equilibria() {
    for case in cases("population_trajectory") {
        let values = evaluate(&case);
        let expected = &case["expected"];
        if expected.get("states").is_some() {
            quantity(&case, &values, "states");
            assert_eq!(values["outcome"], "completed");
            // Rows of an absent species are zero to the last bit.
            for (n, u) in case["inputs"]["initial_state"].as_array().unwrap().iter().enumerate() {
                if u.as_f64() == Some(0.0) {
                    for state in values["states"].as_array().unwrap() {
                        assert_eq!(state[n].as_f64().unwrap().to_bits(), 0);
                    }
                }
            }
            match_by_state(
                &case,
                &values,
                "equilibria",
                &["state", "eigenvalues", "charpoly_c1_c2_c3"],
                &["type", "kind", "routh_hurwitz_stable"],
            );
        } else {
            assert_eq!(values["outcome"], expected["outcome"]);
            quantity(&case, &values, "crossing_time");
            quantity(&case, &values, "state_at_crossing");
        }
    }
}

#[test]
fn hopf_closed_form() {
    for case in cases("population_hopf") {
        let values = evaluate(&case);
        for name in ["k_hopf", "omega", "state", "k_transcritical"] {
            quantity(&case, &values, name);
        }
    }
}

#[test]
fn continuation_finds_the_special_points() {
    for case in cases("population_continuation") {
        let values = evaluate(&case);
        let expected = case["expected"]["special_points"].as_array().unwrap();
        let found = values["special_points"].as_array().unwrap();
        // In branch order, so position decides.
        let kinds = |list: &[Json]| list.iter().map(|p| p["kind"].clone()).collect::<Vec<_>>();
        assert_eq!(kinds(found), kinds(expected));
        for (f, e) in found.iter().zip(expected) {
            for name in ["parameter", "state", "omega"] {
                close(name, &f[name], &e[name], 1e-10, 0.0);
            }
        }
        assert_eq!(values["end"], "range");
    }
}
