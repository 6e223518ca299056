use crate::failure::{Failure, Result};
use crate::grid::{Axis, Grid, Measured, drawn, measure, numbers};
use crate::inputs::Inputs;
use crate::progress::Progress;
use rayon::prelude::*;
use rmt_task::{Draw, ErrorKind, Observables, Registration, TaskError};
use serde_json::Value as Json;

/// One point of a sweep (the only one, without a sweep).
pub(super) struct Point {
    /// Values of the swept inputs.
    pub(super) at: Vec<f64>,
    pub(super) theory: std::result::Result<Observables, TaskError>,
    /// Name (with the place inside lists), mean and standard error of each simulated number.
    pub(super) simulation: Vec<Measured>,
}

/// Theory at every point, and the simulation if asked for. A point without an answer keeps its
/// error, unless no point has one or the inputs themselves are wrong.
pub(super) fn compute(
    task: &Registration,
    inputs: &Inputs,
    axes: &[Axis],
    draws: Option<usize>,
    seed: u64,
) -> Result<Vec<Point>> {
    let over = |e: String| Failure::input(format!("--over {e}"));
    let swept = axes.iter().map(Axis::swept).collect();
    let grid = Grid::new(inputs.value.clone(), swept).map_err(over)?;
    let at = |id| grid.position(id).into_iter().zip(axes).map(|(i, a)| a.values[i]).collect();
    let places: Vec<Vec<f64>> = (0..grid.len()).map(at).collect();
    let all: Vec<Json> =
        (0..grid.len()).map(|id| grid.inputs(id).map_err(over)).collect::<Result<_>>()?;
    let progress = Progress::new("theory", all.len());
    let theory: Vec<_> = all
        .par_iter()
        .map(|inputs| {
            let values = task.evaluate(inputs);
            progress.step();
            values
        })
        .collect();
    progress.finish();
    let wrong = |e: &TaskError| matches!(e.kind, ErrorKind::INVALID_INPUT | ErrorKind::UNKNOWN_KEY);
    let nothing = theory.iter().all(std::result::Result::is_err);
    let first = theory.iter().zip(&places).find_map(|(t, at)| t.as_ref().err().map(|e| (e, at)));
    if let Some((error, at)) = first
        && (nothing || wrong(error))
    {
        let failure = inputs.failure(error.clone());
        return Err(if axes.is_empty() {
            failure
        } else {
            let text = format!("at {}: {}", place_text(axes, at), failure.text());
            failure.with_text(text)
        });
    }
    let simulation = match draws {
        Some(draws) => simulate(task, &all, &theory, draws, seed)?,
        None => vec![Vec::new(); all.len()],
    };
    let points = places.into_iter().zip(theory).zip(simulation);
    Ok(points.map(|((at, theory), simulation)| Point { at, theory, simulation }).collect())
}

/// `n=50, lambda=0.1`.
pub(super) fn place_text(axes: &[Axis], at: &[f64]) -> String {
    let parts: Vec<_> = axes.iter().zip(at).map(|(a, v)| format!("{}={v}", a.label)).collect();
    parts.join(", ")
}

fn simulate(
    task: &Registration,
    inputs: &[Json],
    theory: &[std::result::Result<Observables, TaskError>],
    draws: usize,
    seed: u64,
) -> Result<Vec<Vec<Measured>>> {
    let jobs: Vec<(usize, u64)> = (0..inputs.len())
        .filter(|i| theory[*i].is_ok())
        .flat_map(|i| (0..draws as u64).map(move |index| (i, index)))
        .collect();
    let progress = Progress::new("experiments", jobs.len());
    let outcomes: Vec<_> = jobs
        .par_iter()
        .map(|(i, index)| {
            let values = drawn(task, &inputs[*i], Draw { seed, index: *index });
            progress.step();
            values
        })
        .collect();
    progress.finish();
    let mut by_point = vec![Vec::new(); inputs.len()];
    for ((i, _), outcome) in jobs.into_iter().zip(outcomes) {
        by_point[i].push(outcome?);
    }
    let measured = by_point.iter().zip(theory).map(|(draws, theory)| {
        let theory = theory.as_ref().map(numbers).unwrap_or_default();
        measure(draws, &theory)
    });
    Ok(measured.collect())
}
