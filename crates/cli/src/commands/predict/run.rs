use super::axis::Axis;
use crate::failure::{Failure, Result};
use crate::inputs::Inputs;
use crate::progress::Progress;
use rayon::prelude::*;
use rmt_task::{Draw, ErrorKind, Observables, Registration, TaskError, Value};
use serde_json::Value as Json;

/// One point of a sweep (the only one, without a sweep).
pub(super) struct Point {
    /// Values of the swept inputs.
    pub(super) at: Vec<f64>,
    pub(super) theory: std::result::Result<Observables, TaskError>,
    /// Name (with the place inside lists), mean and standard error of each simulated number.
    pub(super) simulation: Vec<Measured>,
}

/// The mean of a simulated number over all draws.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) mean: f64,
    pub(super) standard_error: f64,
    /// (mean − theory)/standard error, where both are finite.
    pub(super) z: Option<f64>,
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
    let places = places(axes);
    let all: Vec<Json> = places.iter().map(|at| placed(inputs, axes, at)).collect::<Result<_>>()?;
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

/// All combinations, the last axis running fastest.
fn places(axes: &[Axis]) -> Vec<Vec<f64>> {
    axes.iter().fold(vec![Vec::new()], |places, axis| {
        let extend = |place: &Vec<f64>| {
            let place = place.clone();
            axis.values.iter().map(move |v| [place.as_slice(), &[*v]].concat()).collect::<Vec<_>>()
        };
        places.iter().flat_map(extend).collect()
    })
}

fn placed(inputs: &Inputs, axes: &[Axis], at: &[f64]) -> Result<Json> {
    let mut value = inputs.value.clone();
    for (axis, x) in axes.iter().zip(at) {
        let number = if axis.integer && x.fract() == 0.0 && x.abs() < 9e15 {
            Json::from(*x as i64)
        } else {
            Json::from(*x)
        };
        for key in &axis.keys {
            key.put(&mut value, number.clone())
                .map_err(|e| Failure::input(format!("--over {}: {e}", axis.label)))?;
        }
    }
    Ok(value)
}

fn simulate(
    task: &Registration,
    inputs: &[Json],
    theory: &[std::result::Result<Observables, TaskError>],
    draws: usize,
    seed: u64,
) -> Result<Vec<Vec<Measured>>> {
    let jobs: Vec<(usize, usize)> = (0..inputs.len())
        .filter(|i| theory[*i].is_ok())
        .flat_map(|i| (0..draws).map(move |d| (i, d)))
        .collect();
    let progress = Progress::new("experiments", jobs.len());
    let outcomes: Vec<std::result::Result<Vec<(String, f64)>, TaskError>> = jobs
        .par_iter()
        .map(|(i, index)| {
            let draw = Draw { seed, index: *index as u64 };
            let values = task.draw(&inputs[*i], draw).map(|o| numbers(&o));
            progress.step();
            values
        })
        .collect();
    progress.finish();
    let mut by_point: Vec<Vec<Vec<(String, f64)>>> = vec![Vec::new(); inputs.len()];
    for ((i, index), outcome) in jobs.into_iter().zip(outcomes) {
        by_point[i].push(outcome.map_err(|e| {
            let text = format!("draw {index} of the simulation: {e}");
            Failure::from(e).with_text(text)
        })?);
    }
    let measured = by_point.iter().zip(theory).map(|(draws, theory)| {
        let theory = theory.as_ref().map(numbers).unwrap_or_default();
        measure(draws, &theory)
    });
    Ok(measured.collect())
}

/// Means and standard errors over draws, in the order of the first draw: the sums run over draws
/// in order, so that they do not depend on which thread made which.
fn measure(draws: &[Vec<(String, f64)>], theory: &[(String, f64)]) -> Vec<Measured> {
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
        let z = expected.map(|e| (mean - e) / standard_error).filter(|z| z.is_finite());
        measured.push(Measured { name: name.clone(), mean, standard_error, z });
    }
    measured
}

/// Every number of the observables, those inside lists and objects by their place.
pub(super) fn numbers(values: &Observables) -> Vec<(String, f64)> {
    fn collect(name: String, value: &Value, out: &mut Vec<(String, f64)>) {
        match value {
            Value::Number(x) => out.push((name, *x)),
            Value::Complex(re, im) => {
                out.push((format!("{name}.re"), *re));
                out.push((format!("{name}.im"), *im));
            }
            Value::Flag(_) | Value::Text(_) => {}
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
    }
}
