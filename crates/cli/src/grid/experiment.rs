//! What one point gives: the quantities of the theory and of finite-size draws as plain numbers.

use rmt_task::{Draw, Observables, Registration, TaskError, Value};
use serde_json::{Map, Value as Json, json};

/// The mean of a simulated number over all draws.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) mean: f64,
    pub(crate) standard_error: f64,
    /// (mean − theory)/standard error, where both are finite.
    pub(crate) z: Option<f64>,
}

/// Spread over draws, relative to the mean, that is nothing but rounding.
const ROUNDING: f64 = 1e-13;

/// The numbers of one draw.
pub(crate) fn drawn(
    task: &Registration,
    inputs: &Json,
    draw: Draw,
) -> Result<Vec<(String, f64)>, TaskError> {
    task.draw(inputs, draw).map(|o| numbers(&o)).map_err(|e| TaskError {
        message: format!("draw {} of the simulation: {}", draw.index, e.message),
        ..e
    })
}

/// Means and standard errors over draws, in the order of the first draw: the sums run over draws
/// in order, so that they do not depend on which thread made which.
pub(crate) fn measure(draws: &[Vec<(String, f64)>], theory: &[(String, f64)]) -> Vec<Measured> {
    let Some(first) = draws.first() else { return Vec::new() };
    let mut measured = Vec::new();
    for (position, (name, _)) in first.iter().enumerate() {
        let value = |draw: &Vec<(String, f64)>| match draw.get(position) {
            Some((n, x)) if n == name => Some(*x),
            _ => draw.iter().find(|(n, _)| n == name).map(|(_, x)| *x),
        };
        let Some(values) = draws.iter().map(value).collect::<Option<Vec<f64>>>() else { continue };
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        let standard_error = (squares / (count - 1.0) / count).sqrt();
        let expected = theory.iter().find(|(n, _)| n == name).map(|(_, x)| *x);
        let random = standard_error > ROUNDING * mean.abs();
        let z = expected.filter(|_| random).map(|e| (mean - e) / standard_error);
        let z = z.filter(|z| z.is_finite());
        measured.push(Measured { name: name.clone(), mean, standard_error, z });
    }
    measured
}

/// Every number, truth value and word of the observables, those inside lists and objects by their
/// place.
pub(crate) fn leaves(values: &Observables) -> Vec<(String, Value)> {
    fn collect(name: String, value: &Value, out: &mut Vec<(String, Value)>) {
        match value {
            Value::Number(_) | Value::Flag(_) | Value::Text(_) => out.push((name, value.clone())),
            Value::Complex(re, im) => {
                out.push((format!("{name}.re"), Value::Number(*re)));
                out.push((format!("{name}.im"), Value::Number(*im)));
            }
            Value::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    collect(format!("{name}[{i}]"), item, out);
                }
            }
            Value::Object(items) => {
                for (key, item) in items {
                    collect(format!("{name}.{key}"), item, out);
                }
            }
        }
    }
    let mut out = Vec::new();
    for (name, value) in values.iter() {
        collect(name.to_owned(), value, &mut out);
    }
    out
}

/// The quantity that a number such as `density[12]` or `z.re` is, or is a part of.
pub(crate) fn quantity(name: &str) -> &str {
    name.split(['[', '.']).next().unwrap_or(name)
}

/// The first position inside a list that a name such as `density[12]` carries.
pub(crate) fn list_position(name: &str) -> Option<usize> {
    name.split_once('[')?.1.split(']').next()?.parse().ok()
}

/// The numbers among the [`leaves`].
pub(crate) fn numbers(values: &Observables) -> Vec<(String, f64)> {
    leaves(values).into_iter().filter_map(|(n, v)| Some((n, v.as_number()?))).collect()
}

/// The outcome of a point for programs: `values` as the caller gives them, `simulation`, `error`.
pub(crate) fn record(
    outcome: Result<Json, &TaskError>,
    simulation: &[Measured],
) -> Map<String, Json> {
    let mut record = Map::new();
    match outcome {
        Ok(values) => record.insert("values".into(), values),
        Err(e) => {
            let (kind, key) = (e.kind.as_str(), &e.key);
            let error = json!({"kind": kind, "key": key, "message": e.to_string()});
            record.insert("error".into(), error)
        }
    };
    if !simulation.is_empty() {
        let measured = simulation.iter().map(|m| {
            // The standard error of an infinite mean is none.
            let number = |x: f64| json!((!x.is_nan()).then_some(Value::Number(x)));
            let numbers = json!({
                "mean": number(m.mean), "standard_error": number(m.standard_error), "z": m.z,
            });
            (m.name.clone(), numbers)
        });
        record.insert("simulation".into(), Json::Object(measured.collect()));
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_error_is_that_of_the_mean() {
        let draws: Vec<_> =
            [1.0, 2.0, 3.0, 6.0].iter().map(|x| vec![("a".to_owned(), *x)]).collect();
        let measured = measure(&draws, &[("a".to_owned(), 2.0)]);
        // Variance of 1, 2, 3, 6 is 14/3; of their mean 14/12.
        let expected = (14.0_f64 / 12.0).sqrt();
        assert_eq!(measured[0].mean, 3.0);
        assert!((measured[0].standard_error - expected).abs() < 1e-15);
        assert!((measured[0].z.unwrap() - 1.0 / expected).abs() < 1e-15);
    }

    #[test]
    fn numbers_inside_lists_and_objects_are_named_by_their_place() {
        let mut values = Observables::new();
        values.set("a", vec![vec![1.0, 2.0]]).set("z", (3.0, 4.0)).set("w", "text");
        let names: Vec<_> = numbers(&values).into_iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["a[0][0]", "a[0][1]", "z.re", "z.im"]);
        assert_eq!(leaves(&values).last().map(|(n, _)| n.as_str()), Some("w"));
    }
}
