use crate::failure::{Failure, Result};
use crate::inputs::{Inputs, KeyPath, value_of};
use rmt_dynamics::{
    Equilibrium, PopulationModel, PredatorPreyScavenger, equilibria, model, models,
    parameter_vector,
};
use rmt_task::{Registration, TaskError, unknown_key};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Which model, with which parameters.
#[derive(clap::Args)]
#[command(next_help_heading = "Model")]
pub(super) struct ModelArgs {
    /// TOML or JSON with `parameters` (and `initial_state`), `-` for standard input
    /// [default: an example].
    inputs: Option<String>,
    /// Name of the model [default: that of the file, else predator_prey_scavenger].
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Set a parameter or another input: k=20, tolerance=1e-9.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// A model with checked parameters.
pub(super) struct Chosen {
    pub(super) model: &'static dyn PopulationModel,
    pub(super) parameters: Vec<f64>,
    pub(super) inputs: Inputs,
}

impl ModelArgs {
    /// Reads the inputs; `task` gives the example that stands in for a missing file, and `keys` are
    /// set from other options.
    pub(super) fn read(&self, task: &Registration, keys: &[(&str, Json)]) -> Result<Chosen> {
        let mut inputs = match &self.inputs {
            Some(path) => Inputs::read(path)?,
            None => Inputs::example(task.card())?,
        };
        known_keys(&inputs)?;
        if let Some(name) = &self.model {
            inputs.set(&KeyPath::parse("model"), json!(name))?;
        }
        let name = inputs.value.get("model").and_then(Json::as_str);
        let chosen = model(name.unwrap_or("predator_prey_scavenger")).map_err(|_| {
            let known = models().map(|m| m.name()).join(", ");
            Failure::input(format!(
                "no model \"{}\"; the models are {known}",
                name.unwrap_or_default()
            ))
        })?;
        if self.inputs.is_none() {
            adapt(&mut inputs, chosen)?;
        }
        for assignment in &self.set {
            let Some((key, text)) = assignment.split_once('=') else {
                return Err(Failure::input(format!("--set {assignment}: expected KEY=VALUE")));
            };
            let rate = chosen.parameters().iter().any(|q| q.name == key);
            let key = if rate { format!("parameters.{key}") } else { key.to_owned() };
            inputs.set(&KeyPath::parse(&key), value_of(text))?;
        }
        for (key, value) in keys {
            inputs.set(&KeyPath::parse(key), value.clone())?;
        }
        let rates = inputs.value.get("parameters").and_then(Json::as_object);
        for (name, value) in rates.into_iter().flatten() {
            if !value.is_number() {
                let key = format!("parameters.{name}");
                let message = format!("`{name}` is {value}; give a number");
                return Err(inputs.failure(TaskError::invalid(key, message)));
            }
        }
        let named: BTreeMap<String, f64> =
            serde_json::from_value(inputs.value["parameters"].clone()).map_err(|e| {
                inputs.failure(TaskError::invalid("parameters", format!("names and numbers: {e}")))
            })?;
        let parameters = parameter_vector(chosen, &named).map_err(|e| inputs.failure(e.into()))?;
        Ok(Chosen { model: chosen, parameters, inputs })
    }
}

/// Refuses keys that no task on populations knows: one file may serve them all.
fn known_keys(inputs: &Inputs) -> Result<()> {
    let schemas: Vec<_> = tasks().iter().map(Registration::schema).collect();
    let properties = schemas.iter().filter_map(|s| s.get("properties").and_then(Json::as_object));
    let mut known: Vec<&str> = properties.flat_map(|p| p.keys().map(String::as_str)).collect();
    known.sort_unstable();
    known.dedup();
    let given = inputs.value.as_object().into_iter().flat_map(|map| map.keys());
    match given.into_iter().find(|k| !known.contains(&k.as_str())) {
        Some(key) => Err(inputs.failure(unknown_key(key, &known))),
        None => Ok(()),
    }
}

/// Turns the example of three species into one of another model: its rates and densities where the
/// names are the same, 1 elsewhere.
fn adapt(inputs: &mut Inputs, model: &dyn PopulationModel) -> Result<()> {
    let full = PredatorPreyScavenger;
    let old = inputs.value["parameters"].clone();
    let rate = |name: &str| old.get(name).cloned().unwrap_or(json!(1));
    let rates: serde_json::Map<String, Json> =
        model.parameters().iter().map(|q| (q.name.to_owned(), rate(q.name))).collect();
    inputs.set(&KeyPath::parse("parameters"), json!(rates))?;
    if let Some(start) = inputs.value.get("initial_state").cloned() {
        let density = |name: &str| {
            let position = full.species().iter().position(|s| s.name == name);
            position.map_or(json!(1), |n| start[n].clone())
        };
        let state: Vec<Json> = model.species().iter().map(|s| density(s.name)).collect();
        inputs.set(&KeyPath::parse("initial_state"), json!(state))?;
    }
    Ok(())
}

fn tasks() -> Vec<Registration> {
    [rmt_dynamics::tasks(), rmt_pinn::tasks()].concat()
}

/// The task of that name among those of the population crates.
pub(super) fn task(name: &str) -> Result<Registration> {
    tasks()
        .into_iter()
        .find(|t| t.card().name == name)
        .ok_or_else(|| Failure::result(format!("no task \"{name}\"")))
}

/// The wanted equilibrium: a name, `name:2` for the second of that name, or by default a stable one
/// with as many species as possible, else the last.
pub(super) fn pick(chosen: &Chosen, wanted: Option<&str>) -> Result<Equilibrium> {
    let all = equilibria(chosen.model, &chosen.parameters)
        .map_err(|e| chosen.inputs.failure(e.into()))?;
    let found = match wanted {
        Some(text) => {
            let (name, position) = match text.split_once(':') {
                None => (text, 1),
                Some((name, position)) => (
                    name,
                    position.parse().ok().filter(|p| *p > 0).ok_or_else(|| {
                        Failure::input(format!(
                            "--from {text}: write NAME or NAME:POSITION, counted from 1"
                        ))
                    })?,
                ),
            };
            all.iter().filter(|e| e.name == name).nth(position - 1_usize).cloned()
        }
        None => {
            let present = |e: &&Equilibrium| e.state.iter().filter(|u| **u > 0.0).count();
            let stable = all.iter().filter(|e| e.stability.kind == rmt_dynamics::Kind::Stable);
            stable.max_by_key(present).or_else(|| all.iter().max_by_key(present)).cloned()
        }
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|e| e.name).collect();
        Failure::input(format!(
            "--from {}: not among the equilibria ({})",
            wanted.unwrap_or_default(),
            names.join(", ")
        ))
    })
}

/// A comma-separated list of numbers, one per species.
pub(super) fn state(text: &str, option: &str, species: usize) -> Result<Vec<f64>> {
    let numbers: Vec<f64> = text
        .split(',')
        .map(|word| word.trim().parse().ok().filter(|x: &f64| x.is_finite()))
        .collect::<Option<_>>()
        .ok_or_else(|| Failure::input(format!("{option} {text}: expected numbers, as in 5,1,1")))?;
    if numbers.len() != species {
        let found = numbers.len();
        return Err(Failure::input(format!(
            "{option} {text}: {found} numbers for {species} species"
        )));
    }
    Ok(numbers)
}
