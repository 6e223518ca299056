//! The contract's rule for comparing a result with its reference.

use rmt_task::{Observables, Value};
use serde_json::{Map, Value as Json};

/// Absolute slack of every number that states no `atol`.
const ABSOLUTE: f64 = 1e-14;
/// Slack of a list entry, relative to the largest entry of its list.
const OF_LARGEST: f64 = 1e-13;

/// One number, word or truth value that is not as expected.
#[derive(Debug, PartialEq)]
pub(crate) struct Miss {
    /// Quantity, with the place inside it: `states[3][0]`.
    pub(crate) quantity: String,
    /// What the reference says.
    pub(crate) expected: String,
    /// What came out.
    pub(crate) found: String,
    /// Relative deviation, where both are numbers.
    pub(crate) deviation: Option<f64>,
    /// The relative tolerance that was allowed.
    pub(crate) rtol: f64,
}

/// The comparison of one case.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Quantities compared.
    pub(crate) quantities: usize,
    /// Largest deviation as a fraction of what is allowed, over all numbers that passed or missed.
    pub(crate) worst: f64,
    /// Everything that is not as expected.
    pub(crate) misses: Vec<Miss>,
}

impl Comparison {
    /// Compares every expected quantity; one that is missing is a miss.
    pub(crate) fn of(
        task: &str,
        expected: &Map<String, Json>,
        found: &Observables,
        file_rtol: f64,
    ) -> Self {
        let mut comparison = Self::default();
        if task == "population_fit" && expected.contains_key("mle_chi2") {
            comparison.estimate(expected, found);
            return comparison;
        }
        for (name, entry) in expected {
            comparison.quantities += 1;
            // `{"value": …, "rtol"?, "atol"?}`, or the value itself for words and lists of states.
            let (value, rtol, atol) = match entry.get("value") {
                Some(value) => {
                    let number = |key: &str| entry.get(key).and_then(Json::as_f64);
                    (value, number("rtol").unwrap_or(file_rtol), number("atol"))
                }
                None => (entry, file_rtol, None),
            };
            let rule = Rule { rtol, atol: atol.unwrap_or(ABSOLUTE) };
            match found.get(name) {
                Some(found) => comparison.compare(name, value, found, rule),
                None => comparison.miss(name, &value.to_string(), "missing", rule),
            }
        }
        comparison
    }

    /// A fit is accepted by its χ² and by its parameters, not digit by digit.
    fn estimate(&mut self, expected: &Map<String, Json>, found: &Observables) {
        self.quantities += 1;
        let rule = Rule { rtol: 1e-4, atol: 1e-3 };
        let best = expected.get("mle_chi2").and_then(Json::as_f64).unwrap_or(f64::NAN);
        match found.number("chi2") {
            Some(chi2) if chi2 <= best * (1.0 + rule.rtol) + rule.atol => {}
            other => {
                let found = other.map_or("missing".into(), |x| x.to_string());
                self.miss("chi2", &format!("≤ {best}·(1+1e-4)+1e-3"), &found, rule);
            }
        }
        let truths = expected.get("true_params").and_then(Json::as_object);
        let errors = expected.get("cramer_rao_rel_se").and_then(Json::as_object);
        let (Some(truths), Some(errors)) = (truths, errors) else { return };
        for (name, truth) in truths {
            self.quantities += 1;
            let truth = truth.as_f64().unwrap_or(f64::NAN);
            let allowed = 4.0 * errors.get(name).and_then(Json::as_f64).unwrap_or(f64::NAN);
            let estimate = match found.get("parameters") {
                Some(Value::Object(items)) => {
                    items.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.as_number())
                }
                _ => None,
            };
            let place = format!("parameters.{name}");
            match estimate {
                Some(x) => self.number(&place, truth, x, Rule { rtol: allowed, atol: 0.0 }),
                None => self.miss(
                    &place,
                    &truth.to_string(),
                    "missing",
                    Rule { rtol: allowed, atol: 0.0 },
                ),
            }
        }
    }

    fn compare(&mut self, place: &str, expected: &Json, found: &Value, rule: Rule) {
        match (expected, found) {
            (Json::Number(e), Value::Number(x)) => {
                self.number(place, e.as_f64().unwrap_or(f64::NAN), *x, rule);
            }
            (Json::Array(e), Value::Complex(re, im)) if e.len() == 2 => {
                let part = |i: usize| e[i].as_f64().unwrap_or(f64::NAN);
                let distance = (part(0) - re).hypot(part(1) - im);
                let size = part(0).hypot(part(1));
                self.deviation(place, expected, found, distance, size, rule);
            }
            (Json::Array(e), Value::List(x)) if has_states(e) => self.states(place, e, x, rule),
            (Json::Array(e), Value::List(x)) => {
                if e.len() != x.len() {
                    let (e, x) = (format!("{} values", e.len()), format!("{} values", x.len()));
                    return self.miss(place, &e, &x, rule);
                }
                let largest =
                    e.iter().filter_map(Json::as_f64).fold(0.0_f64, |m, v| m.max(v.abs()));
                let rule = Rule { atol: rule.atol.max(OF_LARGEST * largest), ..rule };
                for (i, (e, x)) in e.iter().zip(x).enumerate() {
                    self.compare(&format!("{place}[{i}]"), e, x, rule);
                }
            }
            (Json::Object(e), Value::Object(x)) => {
                for (key, e) in e {
                    let place = format!("{place}.{key}");
                    match x.iter().find(|(k, _)| k == key) {
                        Some((_, x)) => self.compare(&place, e, x, rule),
                        None => self.miss(&place, &e.to_string(), "missing", rule),
                    }
                }
            }
            (Json::String(e), Value::Text(x)) if e == x => {}
            (Json::Bool(e), Value::Flag(x)) if e == x => {}
            (Json::String(e), Value::Number(x)) if e.ends_with("Infinity") => {
                let infinity = if e.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
                if *x != infinity {
                    self.miss(place, e, &x.to_string(), rule);
                }
            }
            _ => self.miss(place, &expected.to_string(), &json(found), rule),
        }
    }

    /// Lists whose entries carry a state: each expected entry against the found one nearest in
    /// state, all of whose named parts must agree; each found entry serves once.
    fn states(&mut self, place: &str, expected: &[Json], found: &[Value], rule: Rule) {
        if expected.len() != found.len() {
            let sizes = (format!("{} states", expected.len()), format!("{} states", found.len()));
            self.miss(place, &sizes.0, &sizes.1, rule);
        }
        let mut free: Vec<&Value> = found.iter().collect();
        for (i, e) in expected.iter().enumerate() {
            let distance = |v: &Value| {
                let apart: f64 =
                    state_json(e).iter().zip(state_of(v)).map(|(a, b)| (a - b).powi(2)).sum();
                // Two special points may share a state up to rounding: the kind decides then.
                let kind =
                    |key| e.get(key).and_then(Json::as_str).map(str::to_owned) != text_of(v, key);
                (apart, kind("kind"))
            };
            let nearest = (0..free.len()).min_by(|a, b| {
                let (a, b) = (distance(free[*a]), distance(free[*b]));
                a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
            });
            let place = format!("{place}[{i}]");
            match nearest {
                Some(index) => {
                    let x = free.swap_remove(index);
                    self.compare(&place, e, x, rule);
                }
                None => self.miss(&place, &e.to_string(), "missing", rule),
            }
        }
    }

    fn number(&mut self, place: &str, expected: f64, found: f64, rule: Rule) {
        let shown = (Json::from(expected), Value::Number(found));
        let distance = (expected - found).abs();
        self.deviation(place, &shown.0, &shown.1, distance, expected.abs(), rule);
    }

    fn deviation(
        &mut self,
        place: &str,
        expected: &Json,
        found: &Value,
        distance: f64,
        size: f64,
        rule: Rule,
    ) {
        let fraction = distance / (rule.rtol * size).max(rule.atol);
        if fraction.is_finite() {
            self.worst = self.worst.max(fraction);
        }
        // Written so that a NaN counts as a miss.
        let passes = fraction <= 1.0 || distance == 0.0;
        if !passes {
            self.misses.push(Miss {
                quantity: place.into(),
                expected: expected.to_string(),
                found: json(found),
                deviation: Some(distance / size),
                rtol: rule.rtol,
            });
        }
    }

    fn miss(&mut self, place: &str, expected: &str, found: &str, rule: Rule) {
        self.misses.push(Miss {
            quantity: place.into(),
            expected: expected.into(),
            found: found.into(),
            deviation: None,
            rtol: rule.rtol,
        });
    }
}

#[derive(Clone, Copy)]
struct Rule {
    rtol: f64,
    atol: f64,
}

fn json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_else(|e| e.to_string())
}

fn has_states(list: &[Json]) -> bool {
    !list.is_empty() && list.iter().all(|e| e.get("state").is_some_and(Json::is_array))
}

fn state_json(entry: &Json) -> Vec<f64> {
    let state = entry.get("state").and_then(Json::as_array);
    state.map(|s| s.iter().filter_map(Json::as_f64).collect()).unwrap_or_default()
}

fn part<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(items) => items.iter().find(|(k, _)| k == key).map(|(_, v)| v),
        _ => None,
    }
}

fn state_of(value: &Value) -> Vec<f64> {
    part(value, "state").and_then(Value::as_numbers).unwrap_or_default()
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    match part(value, key) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn misses(expected: Json, set: impl FnOnce(&mut Observables)) -> Vec<String> {
        let mut found = Observables::new();
        set(&mut found);
        let Json::Object(expected) = expected else { panic!("an object") };
        let comparison = Comparison::of("any", &expected, &found, 1e-10);
        comparison.misses.into_iter().map(|m| m.quantity).collect()
    }

    #[test]
    fn the_tolerance_of_the_quantity_goes_before_that_of_the_file() {
        let set = |x: f64| {
            move |o: &mut Observables| {
                o.set("a", x);
            }
        };
        assert!(misses(json!({"a": {"value": 2.0}}), set(2.0 + 1.9e-10)).is_empty());
        assert_eq!(misses(json!({"a": {"value": 2.0}}), set(2.0 + 2.1e-10)), ["a"]);
        assert!(misses(json!({"a": {"value": 2.0, "rtol": 1e-3}}), set(2.001)).is_empty());
        assert!(misses(json!({"a": {"value": 0.0, "atol": 1e-3}}), set(9e-4)).is_empty());
        assert!(misses(json!({"a": {"value": 0.0}}), set(9e-15)).is_empty());
        assert_eq!(misses(json!({"a": {"value": 0.0}}), set(2e-14)), ["a"]);
    }

    #[test]
    fn small_list_entries_are_judged_against_the_largest() {
        let set = |x: f64| {
            move |o: &mut Observables| {
                o.set("a", vec![1e3, x]);
            }
        };
        assert!(misses(json!({"a": {"value": [1e3, 0.0]}}), set(9e-11)).is_empty());
        assert_eq!(misses(json!({"a": {"value": [1e3, 0.0]}}), set(2e-10)), ["a[1]"]);
        assert_eq!(misses(json!({"a": {"value": [1e3]}}), set(0.0)), ["a"]);
    }

    #[test]
    fn infinities_words_and_missing_quantities_are_told_apart() {
        let set = |o: &mut Observables| {
            o.set("a", f64::INFINITY).set("b", "stable").set("c", f64::NEG_INFINITY);
        };
        let expected =
            json!({"a": {"value": "Infinity"}, "b": "stable", "c": {"value": "-Infinity"}});
        assert!(misses(expected, set).is_empty());
        let expected = json!({
            "a": {"value": 1.0}, "b": "saddle", "c": {"value": "Infinity"}, "d": {"value": 1.0}
        });
        assert_eq!(misses(expected, set), ["a", "b", "c", "d"]);
    }

    #[test]
    fn complex_numbers_are_compared_by_modulus() {
        let set = |o: &mut Observables| {
            o.set("z", (1.0, 1e-11));
        };
        assert!(misses(json!({"z": {"value": [1.0, 0.0]}}), set).is_empty());
        assert_eq!(misses(json!({"z": {"value": [1.0, 1e-9]}}), set), ["z"]);
    }

    #[test]
    fn states_are_matched_by_nearness_whatever_their_order() {
        let state = |x: f64, kind: &str| {
            Value::Object(vec![("state".into(), vec![x, 0.0].into()), ("kind".into(), kind.into())])
        };
        let expected = json!({"equilibria": [
            {"state": [1.0, 0.0], "kind": "saddle"}, {"state": [2.0, 0.0], "kind": "stable"}
        ]});
        let swapped = vec![state(2.0, "stable"), state(1.0, "saddle")];
        let wrong = vec![state(2.0, "saddle"), state(1.0, "saddle")];
        let short = vec![state(1.0, "saddle")];
        assert!(
            misses(expected.clone(), |o| {
                o.set("equilibria", swapped);
            })
            .is_empty()
        );
        assert_eq!(
            misses(expected.clone(), |o| {
                o.set("equilibria", wrong);
            }),
            ["equilibria[1].kind"]
        );
        assert_eq!(
            misses(expected, |o| {
                o.set("equilibria", short);
            }),
            ["equilibria", "equilibria[1]"]
        );
    }

    #[test]
    fn a_fit_is_accepted_by_its_chi_square_and_its_parameters() {
        let expected = json!({
            "mle_chi2": 100.0, "true_params": {"r": 1.0}, "cramer_rao_rel_se": {"r": 0.01},
            "fim_condition": 5.0
        });
        let Json::Object(expected) = expected else { panic!("an object") };
        let check = |chi2: f64, r: f64| {
            let mut found = Observables::new();
            found.set("chi2", chi2);
            found.set("parameters", Value::Object(vec![("r".into(), r.into())]));
            let comparison = Comparison::of("population_fit", &expected, &found, 1e-10);
            comparison.misses.into_iter().map(|m| m.quantity).collect::<Vec<_>>()
        };
        assert!(check(100.01, 1.039).is_empty());
        assert_eq!(check(100.02, 1.0), ["chi2"]);
        assert_eq!(check(99.0, 0.95), ["parameters.r"]);
    }
}
