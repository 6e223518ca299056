//! The registry of tasks: cards, theory, finite-size draws.

use crate::convert::{from_json, observables, to_json};
use crate::error::Failure;
use crate::watch::{Stop, watched};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rayon::prelude::*;
use rmt_task::{
    Draw, ErrorKind, KeyPath, Observables, Registration, TaskError, is_integer, is_list, nearest,
    takes_kinds,
};
use schemars::Schema;
use serde_json::{Value as Json, json};

fn registry() -> Vec<Registration> {
    [
        rmt_models::tasks(),
        rmt_estimators::tasks(),
        rmt_fpt::tasks(),
        rmt_dynamics::tasks(),
        rmt_pinn::tasks(),
    ]
    .concat()
}

fn find(name: &str) -> Result<Registration, Failure> {
    let all = registry();
    all.iter().find(|t| t.card().name == name).copied().ok_or_else(|| {
        let hint = nearest(name, all.iter().map(|t| t.card().name))
            .map(|k| format!("did you mean \"{k}\"? "))
            .unwrap_or_default();
        let message = format!("no task \"{name}\": {hint}rmt.models() lists them all");
        TaskError::new(ErrorKind::UNKNOWN_TASK, message).into()
    })
}

/// Everything that is known about every task.
#[pyfunction]
pub(crate) fn cards(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for task in registry() {
        let card = task.card();
        let example: Json = serde_json::from_str(card.example).unwrap_or_default();
        let references: Vec<Json> = card
            .references
            .iter()
            .map(|r| json!({"text": r.line(), "bibtex": r.bibtex(), "year": r.year}))
            .collect();
        let record = json!({
            "name": card.name, "summary": card.summary, "equations": card.equations,
            "latex": card.latex.trim(), "references": references, "headline": card.headline,
            "observables": card.observables.iter().map(|(n, m)| ((*n).to_owned(), json!(m)))
                .collect::<serde_json::Map<_, _>>(),
            "example": example, "schema": task.schema().as_value(), "simulates": task.simulates(),
        });
        list.append(from_json(py, &record)?)?;
    }
    Ok(list)
}

/// Inputs as the task takes them: plain arrays where it wants mode vectors or matrices become
/// `explicit` and `dense`.
#[pyfunction]
pub(crate) fn prepared<'py>(
    py: Python<'py>,
    task: &str,
    inputs: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let schema = find(task)?.schema();
    let mut inputs = to_json(inputs.as_any(), "")?;
    wrap(&schema, &mut Vec::new(), &mut inputs);
    from_json(py, &inputs)
}

fn wrap(schema: &Schema, here: &mut Vec<String>, value: &mut Json) {
    let key = KeyPath::of(here.clone());
    if let Json::Array(items) = value
        && !here.is_empty()
        && !is_list(schema, &key)
        && takes_kinds(schema, &key)
    {
        let kind = if items.iter().any(Json::is_array) { "dense" } else { "explicit" };
        *value = json!({"kind": kind, "values": std::mem::take(items)});
        return;
    }
    let mut inside = |part: String, value: &mut Json| {
        here.push(part);
        wrap(schema, here, value);
        here.pop();
    };
    match value {
        Json::Object(map) if !map.contains_key("kind") => {
            map.iter_mut().for_each(|(part, value)| inside(part.clone(), value));
        }
        Json::Array(items) if items.iter().any(|v| v.is_array() || v.is_object()) => {
            items.iter_mut().enumerate().for_each(|(i, value)| inside(i.to_string(), value));
        }
        _ => {}
    }
}

/// Copies of the inputs with each of `values` put at all of `keys` (dotted), whole numbers being rounded
/// where the task counts things: the values that were put, and the inputs.
#[pyfunction]
pub(crate) fn place<'py>(
    py: Python<'py>,
    task: &str,
    inputs: &Bound<'py, PyDict>,
    keys: Vec<String>,
    values: Vec<f64>,
) -> PyResult<(Vec<f64>, Bound<'py, PyList>)> {
    let schema = find(task)?.schema();
    let inputs = to_json(inputs.as_any(), "")?;
    let paths: Vec<KeyPath> = keys.iter().map(|k| KeyPath::parse(k)).collect();
    let whole = paths.iter().any(|k| is_integer(&schema, k));
    let mut values = values;
    if whole {
        values.iter_mut().for_each(|v| *v = v.round());
        values.dedup();
    }
    let list = PyList::empty(py);
    for &x in &values {
        let label = keys.join(",");
        let number = if whole && x.fract() == 0.0 && x.abs() < 9e15 {
            Json::from(x as i64)
        } else {
            Json::from(x)
        };
        if number.is_null() {
            return Err(Failure::input(&label, format!("{x} is not a finite number")).into());
        }
        let mut placed = inputs.clone();
        for path in &paths {
            path.put(&mut placed, number.clone()).map_err(|e| Failure::input(&label, e))?;
        }
        list.append(from_json(py, &placed)?)?;
    }
    Ok((values, list))
}

/// Theory at each of the inputs, in parallel: for each a pair of (quantities, notes), or an exception.
#[pyfunction]
pub(crate) fn evaluate<'py>(
    py: Python<'py>,
    task: &str,
    inputs: &Bound<'py, PyList>,
) -> PyResult<Bound<'py, PyList>> {
    let task = find(task)?;
    let inputs = to_json(inputs.as_any(), "inputs")?;
    let found = watched(py, move |stop| {
        let points = inputs.as_array().map(Vec::as_slice).unwrap_or_default();
        points
            .par_iter()
            .map(|inputs| if stop.is_set() { Err(abandoned()) } else { task.evaluate(inputs) })
            .collect::<Vec<_>>()
    })?;
    let list = PyList::empty(py);
    for outcome in found {
        match outcome {
            Ok(values) => list.append((observables(py, &values)?, values.notes().to_vec()))?,
            Err(error) => list.append(Failure::from(error).exception(py))?,
        }
    }
    Ok(list)
}

/// Draws of one call: more would not fit into memory.
const MOST_DRAWS: u64 = 10_000_000;

/// `draws` finite-size draws at each of the inputs, in parallel: a list of draws for each. The first draw
/// that fails ends everything.
#[pyfunction]
pub(crate) fn draw<'py>(
    py: Python<'py>,
    task: &str,
    inputs: &Bound<'py, PyList>,
    draws: u64,
    seed: u64,
) -> PyResult<Bound<'py, PyList>> {
    let task = find(task)?;
    if draws.saturating_mul(inputs.len() as u64) > MOST_DRAWS {
        let message = format!("{draws} at {} points; at most {MOST_DRAWS} in all", inputs.len());
        return Err(Failure::input("draws", message).into());
    }
    let inputs = to_json(inputs.as_any(), "inputs")?;
    let found = watched(py, move |stop| {
        let points = inputs.as_array().map(Vec::as_slice).unwrap_or_default();
        drawn(task, points, draws, seed, stop)
    })?;
    let outer = PyList::empty(py);
    for point in found? {
        let inner = PyList::empty(py);
        for values in point {
            inner.append(observables(py, &values)?)?;
        }
        outer.append(inner)?;
    }
    Ok(outer)
}

fn drawn(
    task: Registration,
    points: &[Json],
    draws: u64,
    seed: u64,
    stop: &Stop,
) -> Result<Vec<Vec<Observables>>, Failure> {
    let jobs: Vec<(usize, u64)> =
        (0..points.len()).flat_map(|i| (0..draws).map(move |index| (i, index))).collect();
    let outcomes: Vec<Result<Observables, TaskError>> = jobs
        .par_iter()
        .map(|&(i, index)| {
            if stop.is_set() {
                return Err(abandoned());
            }
            task.draw(&points[i], Draw { seed, index }).map_err(|mut error| {
                error.message = format!("{} (draw {index} of the simulation)", error.message);
                error
            })
        })
        .collect();
    let mut by_point = vec![Vec::with_capacity(draws as usize); points.len()];
    for ((i, _), outcome) in jobs.into_iter().zip(outcomes) {
        by_point[i].push(outcome?);
    }
    Ok(by_point)
}

/// What is left of a point after an interruption; nobody sees it.
fn abandoned() -> TaskError {
    TaskError::new(ErrorKind::NOT_CONVERGED, "interrupted")
}
