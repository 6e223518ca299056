//! Every bad input is refused with its place; none gives a number.

use serde_json::{Value as Json, json};

fn good() -> Json {
    let task = rmt_pinn::tasks()[0];
    serde_json::from_str(task.card().example).unwrap()
}

fn refused(inputs: &Json, key: &str, words: &str) {
    let task = rmt_pinn::tasks()[0];
    let error = task.evaluate(inputs).unwrap_err();
    assert_eq!(error.key.as_deref(), Some(key), "{error}");
    assert!(error.message.contains(words), "{error}");
}

fn with(change: impl FnOnce(&mut Json)) -> Json {
    let mut inputs = good();
    change(&mut inputs);
    inputs
}

#[test]
fn the_example_fits() {
    let task = rmt_pinn::tasks()[0];
    let values = task.evaluate(&good()).unwrap();
    // Data of r = 1, a = 0.6, d = 0.35, e = 0.5 to three digits.
    let json = serde_json::to_value(values).unwrap();
    for (name, truth) in [("r", 1.0), ("a", 0.6), ("d", 0.35), ("e", 0.5)] {
        let found = json["parameters"][name].as_f64().unwrap();
        assert!((found / truth - 1.0).abs() < 0.02, "{name} {found}");
    }
    assert_eq!(json["initial_state"][2], 0.0);
    assert!(json["identifiable"].as_bool().unwrap());
}

#[test]
fn data_and_times() {
    refused(&with(|i| i["t"][3] = json!(1.5)), "t[3]", "sort the rows");
    refused(&with(|i| i["t"][0] = json!(-1)), "t[0]", "from 0 on");
    refused(&with(|i| i["data"][4][1] = Json::Null), "data[4]", "species `y`");
    refused(&with(|i| i["data"].as_array_mut().unwrap().truncate(9)), "data", "10 expected");
    refused(&with(|i| i["data"][2] = json!([1.0])), "columns of data", "2 expected");
    refused(&with(|i| i["sigma"] = json!([0.1, 0.0])), "sigma", "sigma of `y` is 0");
    refused(&with(|i| i["sigma"] = json!([0.1])), "sigma", "2 expected");
    refused(&with(|i| i["observed"] = json!(["x", "wolf"])), "species", "unknown species `wolf`");
    refused(&with(|i| i["observed"] = json!(["x", "x"])), "free.x", "observed twice");
    refused(&with(|i| i["observed"] = json!(["x", "z"])), "initial_state_guess", "stay absent");
    refused(
        &with(|i| {
            i["t"] = json!([0]);
            i["data"] = json!([[6.0, 1.0]]);
        }),
        "data",
        "2 observations cannot determine 6 unknowns",
    );
}

#[test]
fn rates_and_states() {
    refused(&with(|i| i["initial_guess"]["r"] = json!(-1)), "initial_guess.r", "-1");
    refused(&with(|i| i["fixed"]["k"] = json!(-1)), "fixed.k", "carrying capacity");
    refused(&with(|i| i["fixed"]["q"] = json!(1)), "fixed.q", "unknown parameter");
    refused(&with(|i| i["fixed"]["r"] = json!(1)), "free.r", "both free and fixed");
    refused(&with(|i| i["free"] = json!(["r", "a", "d"])), "free.e", "not free");
    refused(
        &with(|i| {
            i["initial_guess"].as_object_mut().unwrap().remove("e");
        }),
        "free.e",
        "no initial guess",
    );
    refused(
        &with(|i| {
            i["fixed"].as_object_mut().unwrap().remove("k");
        }),
        "free.k",
        "neither free nor fixed",
    );
    refused(&with(|i| i["initial_state_guess"] = json!([6, -1, 0])), "initial_state_guess", "-1");
    refused(&with(|i| i["initial_state_guess"] = json!([6, 1])), "state", "3 expected");
    refused(&with(|i| i["network"] = json!({"epochs": 0})), "epochs", "at least 1");
    refused(&with(|i| i["model"] = json!("logistic")), "model", "known are");
}

/// Two rates that enter only as a product: named, without standard errors.
#[test]
fn an_unidentifiable_direction_is_named() {
    // With the scavenger unobserved, b and z(0) trade against each other (and f, i, h with them).
    let inputs = with(|i| {
        i["observed"] = json!(["x"]);
        let t: Vec<f64> = (0..30).map(|m| 0.3 * f64::from(m)).collect();
        // Logistic growth without any consumer: y(0) → 0 leaves a, d, e open.
        let data: Vec<Vec<f64>> = t.iter().map(|t| vec![10.0 / (1.0 + 9.0 * (-t).exp())]).collect();
        i["t"] = json!(t);
        i["data"] = json!(data);
        i["sigma"] = json!([0.01]);
        i["initial_state_guess"] = json!([1.0, 1e-12, 0.0]);
        i["initial_guess"]["e"] = json!(5.0);
    });
    let task = rmt_pinn::tasks()[0];
    let json = serde_json::to_value(task.evaluate(&inputs).unwrap()).unwrap();
    assert_eq!(json["identifiable"], false);
    assert!(json.get("relative_standard_errors").is_none());
    let note = json["notes"][0].as_str().unwrap();
    assert!(note.contains("not identifiable") && note.contains("ln "), "{note}");
    assert!((json["parameters"]["r"].as_f64().unwrap() - 1.0).abs() < 1e-3);
}

/// A state guess from which the orbit runs away at once is no obstacle: multiple shooting starts
/// from the data. Rates with which every piece of the series runs away are.
#[test]
fn runaway_guesses() {
    let rates = json!({"r": 1, "k": 10, "a": 0.5, "a0": 0.3, "b": 0.1, "b0": 0.2, "d": 0.4,
        "e": 0.6, "f": 0.1, "g": 0.1, "h": 0.08, "i": 0.05, "i0": 0.1, "j": 0.25});
    let mut fixed = rates.clone();
    fixed.as_object_mut().unwrap().remove("r");
    let t: Vec<f64> = (0..11).map(f64::from).collect();
    let data: Vec<Vec<f64>> = t.iter().map(|_| vec![1.0, 1.0, 1.0]).collect();
    let mut inputs = json!({"t": t, "observed": ["x", "y", "z"], "data": data, "sigma": [1, 1, 1],
        "free": ["r"], "fixed": fixed, "initial_guess": {"r": 1},
        "initial_state_guess": [5, 10, 10]});
    let task = rmt_pinn::tasks()[0];
    let found = serde_json::to_value(task.evaluate(&inputs).unwrap()).unwrap();
    assert_eq!(found["starts"]["initial_guess"], "failed");
    assert_eq!(found["starts"]["multiple_shooting"], found["chi2"]);
    // 33 observations equal to 1 with σ = 1: even u = 0 would have χ² = 33.
    assert!(found["chi2"].as_f64().unwrap() < 33.0);
    inputs["fixed"]["f"] = json!(50);
    inputs["fixed"]["h"] = json!(50);
    refused(&inputs, "initial_guess", "runs away");
}
