//! One point of a sweep as a line of JSON.

use super::definition::Sweep;
use crate::grid::{Measured, drawn, leaves, measure, numbers, quantity, record};
use rayon::prelude::*;
use rmt_task::{Draw, Observables, TaskError};
use serde_json::{Map, Value as Json, json};

/// The line of a point: id, inputs that vary, seed of the experiments, and `values` by name (those
/// inside lists by their place), `simulation` and `notes`, or `error`; and whether it is an error.
/// The draws are shared among threads for `parallel`; the line does not depend on it.
pub(super) fn line(sweep: &Sweep, id: usize, parallel: bool) -> (String, bool) {
    let mut line = Map::new();
    line.insert("id".into(), id.into());
    let axes = sweep.grid.axes().iter().zip(sweep.grid.at(id));
    let at: Map<_, _> = axes.map(|(axis, value)| (axis.label.clone(), value.clone())).collect();
    line.insert("at".into(), at.into());
    if sweep.draws.is_some() {
        line.insert("seed".into(), sweep.seed_of(id).into());
    }
    let answer = answer(sweep, id, parallel);
    let failed = answer.is_err();
    match answer {
        Ok((values, simulation)) => {
            let kept = leaves(&values).into_iter().filter(|(n, _)| wanted(sweep, n));
            let kept: Map<_, _> = kept.map(|(name, leaf)| (name, json!(leaf))).collect();
            line.extend(record(Ok(kept.into()), &simulation));
            if !values.notes().is_empty() {
                line.insert("notes".into(), json!(values.notes()));
            }
        }
        Err(error) => line.extend(record(Err(&error), &[])),
    }
    (Json::Object(line).to_string(), failed)
}

fn answer(
    sweep: &Sweep,
    id: usize,
    parallel: bool,
) -> Result<(Observables, Vec<Measured>), TaskError> {
    let inputs = sweep.grid.inputs(id).map_err(|e| TaskError::invalid("axes", e))?;
    let values = sweep.task.evaluate(&inputs)?;
    let draws = sweep.draws.unwrap_or(0) as u64;
    let seed = sweep.seed_of(id);
    let draw = |index| drawn(&sweep.task, &inputs, Draw { seed, index });
    let draws: Vec<_> = if parallel {
        (0..draws).into_par_iter().map(draw).collect::<Vec<_>>().into_iter().collect()
    } else {
        (0..draws).map(draw).collect::<Result<_, _>>()
    }?;
    let mut simulation = measure(&draws, &numbers(&values));
    simulation.retain(|m| wanted(sweep, &m.name));
    Ok((values, simulation))
}

/// Whether the quantity that `name` is, or is a part of, is to be recorded.
fn wanted(sweep: &Sweep, name: &str) -> bool {
    sweep.observables.as_ref().is_none_or(|names| names.iter().any(|n| n == quantity(name)))
}
