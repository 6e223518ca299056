//! From a table and the options to observations and a problem.

use super::super::model::state;
use super::Args;
use crate::dataset::Source;
use crate::failure::{Failure, Result};
use crate::output::note;
use rmt_dynamics::{PopulationModel, parameter_index, species_index};
use rmt_pinn::{Observations, Problem, Sigma};
use rmt_task::TaskError;
use std::collections::BTreeMap;

/// The observations as read: times from the first row on, rows of densities.
pub(super) struct Data {
    /// Name of the column of times.
    pub(super) time: String,
    pub(super) origin: f64,
    pub(super) times: Vec<f64>,
    pub(super) species: Vec<usize>,
    pub(super) rows: Vec<Vec<f64>>,
}

pub(super) fn read(args: &Args, model: &dyn PopulationModel) -> Result<Data> {
    let source = Source::read(&args.data)?;
    source.notes().iter().for_each(|n| note(n));
    let time = match &args.time {
        Some(column) => source.position(column)?,
        None => 0,
    };
    let all = source.numbers(time)?;
    for (row, pair) in all.windows(2).enumerate() {
        if pair[1] < pair[0] {
            return Err(Failure::input(format!(
                "{}: time {} after {}; sort the rows by time",
                source.place(row + 1),
                pair[1],
                pair[0]
            )));
        }
    }
    let used = all.iter().take_while(|t| args.until.is_none_or(|end| **t <= end)).count();
    if used == 0 {
        let until = args.until.unwrap_or_default();
        return Err(Failure::input(format!("--until {until}: no row is that early")));
    }
    let origin = all[0];
    let (mut species, mut columns) = (Vec::new(), Vec::new());
    for pair in &args.columns {
        let (name, column) = split(pair, "--columns")?;
        let index = species_index(model, name).map_err(Failure::input)?;
        if species.contains(&index) {
            return Err(Failure::input(format!("--columns: {name} is given two columns")));
        }
        species.push(index);
        columns.push(source.numbers(source.position(column)?)?);
    }
    Ok(Data {
        time: source.header()[time].clone(),
        origin,
        times: all[..used].iter().map(|t| t - origin).collect(),
        species,
        rows: (0..used).map(|row| columns.iter().map(|c| c[row]).collect()).collect(),
    })
}

pub(super) fn problem(
    args: &Args,
    model: &'static dyn PopulationModel,
    data: &Data,
) -> Result<Problem<'static>> {
    let guess = named(&args.guess, "--guess")?;
    let fixed = named(&args.fixed, "--fixed")?;
    for (name, _) in guess.iter().chain(&fixed) {
        parameter_index(model, name).map_err(Failure::input)?;
    }
    let sigma = named(&args.sigma, "--sigma")?;
    let names: Vec<String> =
        data.species.iter().map(|&n| model.species()[n].name.to_owned()).collect();
    if let Some(name) = sigma.keys().find(|name| !names.contains(name)) {
        return Err(Failure::input(format!("--sigma {name}: no column holds this species")));
    }
    let sigma = names
        .iter()
        .map(|name| {
            sigma.get(name).copied().ok_or_else(|| {
                Failure::input(format!("--sigma: give the standard deviation of {name} as well"))
            })
        })
        .collect::<Result<Vec<f64>>>()?;
    let mut start = vec![0.0; model.species().len()];
    for (&n, value) in data.species.iter().zip(&data.rows[0]) {
        start[n] = *value;
    }
    for (name, value) in named(&args.start, "--start")? {
        start[species_index(model, &name).map_err(Failure::input)?] = value;
    }
    let rows: Vec<Vec<Option<f64>>> =
        data.rows.iter().map(|row| row.iter().copied().map(Some).collect()).collect();
    let failed = |e: rmt_pinn::Error| Failure::from(TaskError::from(e));
    let sigma = Sigma::PerSpecies(sigma);
    let observations =
        Observations::new(model, &data.times, &names, &rows, &sigma).map_err(failed)?;
    let free: Vec<String> = model
        .parameters()
        .iter()
        .map(|q| q.name.to_owned())
        .filter(|name| guess.contains_key(name))
        .collect();
    Problem::new(model, observations, &free, &guess, &fixed, &start).map_err(failed)
}

fn split<'a>(pair: &'a str, option: &str) -> Result<(&'a str, &'a str)> {
    pair.split_once('=')
        .map(|(name, value)| (name.trim(), value.trim()))
        .ok_or_else(|| Failure::input(format!("{option} {pair}: expected NAME=VALUE")))
}

fn named(pairs: &[String], option: &str) -> Result<BTreeMap<String, f64>> {
    let mut found = BTreeMap::new();
    for pair in pairs {
        let (name, text) = split(pair, option)?;
        let value = state(text, option, 1)?[0];
        if found.insert(name.to_owned(), value).is_some() {
            return Err(Failure::input(format!("{option}: {name} is given twice")));
        }
    }
    Ok(found)
}
