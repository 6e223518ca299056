//! What every task must satisfy, run over all registered tasks: a new task is tested by being registered.

use rmt_task::{Draw, Observables, Registration, Value};
use serde_json::{Map, Value as Json, json};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn example(task: &Registration) -> Map<String, Json> {
    match serde_json::from_str(task.card().example) {
        Ok(Json::Object(map)) => map,
        other => panic!("`{}`: its example is no JSON object: {other:?}", task.card().name),
    }
}

/// Tasks whose example takes seconds: a sweep over bad values would take minutes.
const SLOW: [&str; 1] = ["population_fit"];

fn quick() -> impl Iterator<Item = Registration> {
    rmt_cli::tasks().into_iter().filter(|t| !SLOW.contains(&t.card().name))
}

/// Names are unique, examples evaluate, every quantity that comes out is documented and the headline
/// exists.
#[test]
fn cards_tell_the_truth() {
    let mut names = Vec::new();
    for task in rmt_cli::tasks() {
        let card = task.card();
        assert!(!names.contains(&card.name), "two tasks are called `{}`", card.name);
        names.push(card.name);
        assert!(
            !card.summary.is_empty() && !card.summary.ends_with('.'),
            "`{}`: summary",
            card.name
        );
        for reference in card.references {
            assert!(reference.bibtex().contains(reference.key));
        }
    }
    for task in quick() {
        let card = task.card();
        let out = task
            .evaluate(&Json::Object(example(&task)))
            .unwrap_or_else(|e| panic!("`{}`: {e}", card.name));
        for (name, _) in out.iter() {
            let known = card.observables.iter().any(|(n, _)| *n == name);
            assert!(known, "`{}` returns `{name}` without saying so", card.name);
        }
        for name in card.headline {
            assert!(
                out.get(name).is_some(),
                "`{}`: no headline `{name}` in its example",
                card.name
            );
        }
    }
}

/// Every input has a description: `rmt explain` would show an empty line.
#[test]
fn inputs_are_described() {
    for task in rmt_cli::tasks() {
        let schema = task.schema();
        let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
            panic!("`{}` has no inputs", task.card().name);
        };
        for (key, value) in properties {
            let described = value.get("description").is_some();
            assert!(described, "`{}`: input `{key}` has no description", task.card().name);
        }
        for key in example(&task).keys() {
            assert!(properties.contains_key(key), "`{}`: example key `{key}`", task.card().name);
        }
    }
}

#[test]
fn unknown_keys_are_refused_with_the_nearest() {
    for task in rmt_cli::tasks() {
        let mut inputs = example(&task);
        let Some((key, value)) = inputs.iter().next().map(|(k, v)| (k.clone(), v.clone())) else {
            panic!("`{}`: empty example", task.card().name);
        };
        inputs.insert(format!("{key}x"), value);
        let error = task.evaluate(&Json::Object(inputs)).expect_err("an unknown key");
        assert_eq!(error.kind.as_str(), "unknown_key", "`{}`: {error}", task.card().name);
        assert!(error.message.contains(&key), "`{}`: {error}", task.card().name);
    }
}

/// Whether products with this number leave the range of f64.
fn extreme(value: &Json) -> bool {
    value.as_f64().is_some_and(|x| x != 0.0 && !(1e-150..1e150).contains(&x.abs()))
}

/// Every input in turn replaced by values that a person or a script may pass: an answer without NaN or
/// an error with a message, never a panic.
#[test]
fn hostile_values_never_panic() {
    let values = [
        json!(-1.0),
        json!(0),
        json!(1),
        json!(0.5),
        json!(1e308),
        json!(-1e308),
        json!(1e-308),
        json!(null),
        json!("text"),
        json!(""),
        json!([]),
        json!([1.0, "x"]),
        json!([[]]),
        json!({}),
        json!({"kind": "nonsense"}),
        json!(true),
    ];
    let mut failures = Vec::new();
    for task in quick() {
        let name = task.card().name;
        for key in example(&task).keys() {
            for value in &values {
                let mut inputs = example(&task);
                inputs.insert(key.clone(), value.clone());
                let inputs = Json::Object(inputs);
                match catch_unwind(AssertUnwindSafe(|| task.evaluate(&inputs))) {
                    Err(_) => failures.push(format!("`{name}` panics for {key} = {value}")),
                    Ok(Err(e)) if e.message.is_empty() => {
                        failures.push(format!("`{name}`: empty error for {key} = {value}"));
                    }
                    // The registry answers a NaN with this text, which is right only where numbers
                    // overflow.
                    Ok(Err(e)) if e.message.contains("not a number") && !extreme(value) => {
                        failures.push(format!("`{name}` for {key} = {value}: {e}"));
                    }
                    Ok(_) => {}
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Replaces every mode vector, at any depth, by its list in reversed order; returns how many there were.
fn turn(inputs: &mut Json) -> usize {
    if let Ok(modes) = serde_json::from_value::<rmt_core::Modes>(inputs.clone())
        && let Ok(mut list) = modes.values("modes")
    {
        list.values.reverse();
        *inputs = json!({"kind": "explicit", "values": list.values});
        return 1;
    }
    match inputs {
        Json::Object(map) => map.values_mut().map(turn).sum(),
        Json::Array(items) => items.iter_mut().map(turn).sum(),
        _ => 0,
    }
}

/// Mode vectors given as lists, in another common order, change no scalar result.
#[test]
fn order_of_modes_does_not_matter() {
    for task in quick() {
        let name = task.card().name;
        let inputs = example(&task);
        // Probes and listed modes of diffusion are stated in mode order.
        if name == "linear_diffusion" {
            continue;
        }
        let mut turned = Json::Object(inputs.clone());
        let vectors = turn(&mut turned);
        if vectors == 0 {
            continue;
        }
        let (a, b) = (task.evaluate(&Json::Object(inputs)), task.evaluate(&turned));
        let (Ok(a), Ok(b)) = (a, b) else { panic!("`{name}` refuses a list of modes") };
        for (quantity, value) in a.iter() {
            let (Value::Number(x), Some(Value::Number(y))) = (value, b.get(quantity)) else {
                continue;
            };
            // Optima are found to 1e-9; everything else agrees to rounding.
            let close = x == y || (x - y).abs() <= 1e-8 * x.abs().max(1e-12);
            assert!(close, "`{name}`: `{quantity}` {x:e} against {y:e}");
        }
    }
}

/// Draws depend on seed and index only, and measure what is predicted.
#[test]
fn draws_are_reproducible() {
    for task in quick().filter(Registration::simulates) {
        let name = task.card().name;
        let inputs = Json::Object(example(&task));
        let draw = |seed, index| -> Observables {
            task.draw(&inputs, Draw { seed, index }).unwrap_or_else(|e| panic!("`{name}`: {e}"))
        };
        let (a, b, c) = (draw(0, 0), draw(0, 0), draw(0, 1));
        assert_eq!(a, b, "`{name}`: equal draws differ");
        assert_ne!(a, c, "`{name}`: different draws are equal");
        for (quantity, _) in a.iter() {
            // A quantity that was prescribed is measured too: it shows whether the inversion was right.
            let known = task.card().observables.iter().any(|(n, _)| *n == quantity);
            let given = inputs.get(quantity).is_some();
            assert!(known || given, "`{name}` draws `{quantity}`, which it does not predict");
        }
    }
}
