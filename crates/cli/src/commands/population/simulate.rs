use super::model::{ModelArgs, state, task};
use super::{deliver, portrait, save};
use crate::args::Output;
use crate::failure::{Failure, Result};
use crate::figure::{Axis, Content, Figure, Mark, Role, Series};
use crate::files::cell;
use crate::output::{number, table};
use rmt_dynamics::PopulationModel;
use rmt_task::Value;
use serde_json::{Value as Json, json};
use std::process::ExitCode;

/// Points of a curve in a figure.
const DENSE: usize = 4000;

const EXAMPLES: &str = "\
Examples:
  rmt population simulate                                   an example: three species, one outcome
  rmt population simulate --set k=20 --start 5,1,1 --until 200 --plot series.svg --phase plane.svg
  rmt population simulate mine.toml --set extinction=1e-3   stop when a species dies out

mine.toml: parameters = { r = 1, k = 10, … }, initial_state = [5, 1, 1], times = [0, 10, 20]";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Initial densities, one per species [default: those of the file].
    #[arg(long, value_name = "U,…", allow_hyphen_values = true)]
    start: Option<String>,
    /// Last time; output times are then equally spaced from 0 on [default: the times of the file].
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    until: Option<f64>,
    /// Number of output times.
    #[arg(long, value_name = "N", default_value_t = 401, requires = "until")]
    points: usize,
    /// Draw predators over prey, with nullclines and equilibria (.svg).
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) phase: Option<String>,
    #[command(flatten)]
    pub(super) output: Output,
}

pub(crate) fn run(args: &Args) -> Result {
    let task = task("population_trajectory")?;
    let mut keys: Vec<(&str, Json)> = Vec::new();
    if let Some(until) = args.until {
        if !(until > 0.0 && until.is_finite()) {
            return Err(Failure::input(format!("--until {until}: give a positive time")));
        }
        if !(2..=1_000_000).contains(&args.points) {
            let points = args.points;
            return Err(Failure::input(format!("--points {points}: give 2 to 1000000")));
        }
        let step = until / (args.points - 1) as f64;
        let times: Vec<f64> = (0..args.points).map(|m| step * m as f64).collect();
        keys.push(("times", json!(times)));
    }
    let start = args.start.as_deref().map(|text| (text, text.split(',').count()));
    if let Some((text, count)) = start {
        keys.push(("initial_state", json!(state(text, "--start", count)?)));
    }
    let chosen = args.model.read(&task, &keys)?;
    let values =
        task.evaluate(&chosen.inputs.value).map_err(|error| chosen.inputs.failure(error))?;
    let times: Vec<f64> =
        serde_json::from_value(chosen.inputs.value["times"].clone()).map_err(Failure::input)?;
    let states = matrix(values.get("states"));
    let names: Vec<&str> = chosen.model.species().iter().map(|s| s.name).collect();

    let mut header = vec!["t"];
    header.extend(&names);
    let line = |t: f64, u: &[f64]| -> Vec<String> {
        std::iter::once(t).chain(u.iter().copied()).map(|x| number(x, 6)).collect()
    };
    let stride = states.len().div_ceil(11).max(1);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (m, u) in states.iter().enumerate() {
        if m % stride == 0 || m + 1 == states.len() {
            rows.push(line(times[m], u));
        }
    }
    let mut text = table(&header, &rows);
    text += "\n";
    text += &sentence(&values, chosen.model);
    let mut csv = vec![header.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>()];
    csv.extend(
        times
            .iter()
            .zip(&states)
            .map(|(t, u)| std::iter::once(*t).chain(u.iter().copied()).map(cell).collect()),
    );
    let drawn = args.output.plot.is_some() || args.phase.is_some();
    // Curves are drawn from a denser run than the table needs.
    let (times, states) = match (drawn, times.last()) {
        (true, Some(&end)) if end > 0.0 && times.len() < DENSE => {
            let times: Vec<f64> = (0..=DENSE).map(|m| end * m as f64 / DENSE as f64).collect();
            let mut inputs = chosen.inputs.value.clone();
            inputs["times"] = json!(times);
            let values = task.evaluate(&inputs).map_err(|e| chosen.inputs.failure(e))?;
            (times, matrix(values.get("states")))
        }
        _ => (times, states),
    };
    let shown = &times[..states.len()];
    deliver(&args.output, "population_trajectory", &values, &text, &csv, || {
        series(chosen.model, shown, &states, &[])
    })?;
    if let Some(path) = &args.phase {
        save(&portrait::figure(&chosen, &states, &[])?, path)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn sentence(values: &rmt_task::Observables, model: &dyn PopulationModel) -> String {
    let at = |name: &str| number(values.number(name).unwrap_or(f64::NAN), 8);
    match values.get("outcome") {
        Some(Value::Text(outcome)) if outcome == "runaway" => {
            format!(
                "The populations run away: a density reaches the cap at t = {}.\n",
                at("crossing_time")
            )
        }
        Some(Value::Text(outcome)) if outcome == "extinct" => {
            let species = match values.get("extinct_species") {
                Some(Value::Text(name)) => name.as_str(),
                _ => "a species",
            };
            let meaning = model.species().iter().find(|s| s.name == species);
            format!(
                "The {} dies out at t = {}.\n",
                meaning.map_or(species, |s| s.meaning),
                at("extinction_time")
            )
        }
        _ => "The run completed; `rmt population equilibria` shows where it can settle.\n".into(),
    }
}

/// A list of rows as numbers.
pub(super) fn matrix(value: Option<&Value>) -> Vec<Vec<f64>> {
    match value {
        Some(Value::List(rows)) => rows.iter().filter_map(Value::as_numbers).collect(),
        _ => Vec::new(),
    }
}

/// Densities over time, one curve a species, with further series on top.
pub(super) fn series(
    model: &dyn PopulationModel,
    times: &[f64],
    states: &[Vec<f64>],
    more: &[Series],
) -> Figure {
    let mut curves: Vec<Series> = model
        .species()
        .iter()
        .enumerate()
        .filter(|(n, _)| states.iter().any(|u| u[*n] > 0.0))
        .map(|(n, species)| Series {
            name: species.meaning.to_owned(),
            role: Role::Theory,
            quantity: n,
            x: times.to_vec(),
            y: states.iter().map(|u| u[n]).collect(),
            limits: None,
        })
        .collect();
    curves.extend_from_slice(more);
    let values = || curves.iter().flat_map(|s| s.y.iter().copied());
    let (low, high) = values().fold((f64::INFINITY, 0.0_f64), |(a, b), y| (a.min(y), b.max(y)));
    Figure {
        title: model.name().replace('_', "–"),
        x: Axis::new("time", false),
        y: Axis::new("density", low > 0.0 && high / low > 300.0),
        content: Content::Curves { series: curves, marks: Vec::<Mark>::new() },
    }
}
