//! Observations and what is to be found from them.

use crate::{Error, Result};
use rmt_dynamics::{
    PopulationModel, Settings, check_state, parameter_index, simulate_with_sensitivities,
    species_index,
};
use std::collections::BTreeMap;

/// Densities of some species at some times, each with its standard deviation.
#[derive(Clone, Debug, PartialEq)]
pub struct Observations {
    times: Vec<f64>,
    species: Vec<usize>,
    values: Vec<f64>,
    sigma: Vec<f64>,
}

/// Standard deviations of the observations.
#[derive(Clone, Debug, PartialEq)]
pub enum Sigma {
    /// One per observed species.
    PerSpecies(Vec<f64>),
    /// One per observation, rows as in the data.
    PerObservation(Vec<Vec<f64>>),
}

impl Observations {
    /// Checks a table: ascending times from 0 on, one row a time with one finite number per
    /// observed species (`None` is a missing cell, an error), positive standard deviations.
    pub fn new(
        model: &dyn PopulationModel,
        times: &[f64],
        observed: &[String],
        rows: &[Vec<Option<f64>>],
        sigma: &Sigma,
    ) -> Result<Self> {
        let mut previous = 0.0;
        for (index, &value) in times.iter().enumerate() {
            if !(value.is_finite() && value >= previous) {
                return Err(Error::Times { index, value, previous });
            }
            previous = value;
        }
        let species = observed
            .iter()
            .map(|name| species_index(model, name))
            .collect::<Result<Vec<_>, _>>()?;
        if species.is_empty() {
            return Err(Error::Length { what: "observed", found: 0, expected: 1 });
        }
        for (position, n) in species.iter().enumerate() {
            if species[..position].contains(n) {
                let name = observed[position].clone();
                let problem = "is observed twice; name each species once";
                return Err(Error::Assignment { name, problem });
            }
        }
        let (count, width) = (times.len(), species.len());
        let length = |what, found, expected| {
            if found == expected { Ok(()) } else { Err(Error::Length { what, found, expected }) }
        };
        length("data", rows.len(), count)?;
        let mut values = Vec::with_capacity(count * width);
        for (row, cells) in rows.iter().enumerate() {
            length("columns of data", cells.len(), width)?;
            for (cell, &n) in cells.iter().zip(&species) {
                match cell {
                    Some(value) if value.is_finite() => values.push(*value),
                    _ => {
                        let species = model.species()[n].name;
                        return Err(Error::MissingObservation { row, time: times[row], species });
                    }
                }
            }
        }
        let sigma: Vec<f64> = match sigma {
            Sigma::PerSpecies(columns) => {
                length("sigma", columns.len(), width)?;
                (0..count).flat_map(|_| columns.iter().copied()).collect()
            }
            Sigma::PerObservation(rows) => {
                length("sigma", rows.len(), count)?;
                for row in rows {
                    length("columns of sigma", row.len(), width)?;
                }
                rows.concat()
            }
        };
        if let Some(bad) = sigma.iter().position(|s| !(s.is_finite() && *s > 0.0)) {
            let species = model.species()[species[bad % width]].name;
            return Err(Error::Sigma { species, value: sigma[bad] });
        }
        Ok(Self { times: times.to_vec(), species, values, sigma })
    }

    /// The times, ascending.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Positions of the observed species, one per column.
    pub fn species(&self) -> &[usize] {
        &self.species
    }

    /// Observed densities, one row a time.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Standard deviations, as the values.
    pub fn sigma(&self) -> &[f64] {
        &self.sigma
    }
}

/// A model with some rates free, to be fitted to observations together with the initial state.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    model: &'a dyn PopulationModel,
    observations: Observations,
    parameters: Vec<f64>,
    initial_state: Vec<f64>,
    free: Vec<usize>,
    present: Vec<usize>,
}

/// A point in the space of unknowns: logarithms of the free rates, then of the initial densities.
pub(crate) type Unknowns = Vec<f64>;

/// Normalised residuals (model − data)/σ and their derivative for the unknowns, row-major.
#[derive(Clone, Debug)]
pub(crate) struct Linearised {
    pub(crate) residuals: Vec<f64>,
    pub(crate) jacobian: Vec<f64>,
}

impl Linearised {
    pub(crate) fn chi2(&self) -> f64 {
        self.residuals.iter().map(|r| r * r).sum()
    }

    /// Itself, if every number is finite.
    pub(crate) fn checked(self) -> Option<Self> {
        self.residuals.iter().chain(&self.jacobian).all(|x| x.is_finite()).then_some(self)
    }
}

/// Integration inside a fit: far below the noise, far above the cost of the last digits.
pub(crate) const SETTINGS: Settings = Settings { tolerance: 1e-9, cap: 1e12, extinction: None };

impl<'a> Problem<'a> {
    /// Every parameter of the model is either free, with an initial guess, or fixed. An initial
    /// density of exactly 0 stays 0.
    pub fn new(
        model: &'a dyn PopulationModel,
        observations: Observations,
        free: &[String],
        initial_guess: &BTreeMap<String, f64>,
        fixed: &BTreeMap<String, f64>,
        initial_state_guess: &[f64],
    ) -> Result<Self> {
        check_state(model, initial_state_guess)?;
        let assignment =
            |name: &str, problem| Err(Error::Assignment { name: name.to_owned(), problem });
        for name in fixed.keys().chain(initial_guess.keys()).chain(free) {
            parameter_index(model, name)?;
        }
        let mut positions = Vec::with_capacity(free.len());
        for name in free {
            let index = parameter_index(model, name)?;
            if positions.contains(&index) {
                return assignment(name, "is listed as free twice; list it once");
            }
            if fixed.contains_key(name) {
                return assignment(name, "is both free and fixed; remove it from one of the two");
            }
            if !initial_guess.contains_key(name) {
                return assignment(name, "is free but has no initial guess; add one");
            }
            positions.push(index);
        }
        if let Some(name) = initial_guess.keys().find(|name| !free.contains(name)) {
            return assignment(name, "has an initial guess but is not free; list it as free");
        }
        let mut parameters = Vec::with_capacity(model.parameters().len());
        for quantity in model.parameters() {
            let value = fixed.get(quantity.name).or_else(|| initial_guess.get(quantity.name));
            let Some(&value) = value else {
                return assignment(quantity.name, "is neither free nor fixed; give it a value");
            };
            parameters.push(value);
        }
        rmt_dynamics::check_parameters(model, &parameters)?;
        if let Some(&index) = positions.iter().find(|&&m| parameters[m] == 0.0) {
            return Err(Error::Model(rmt_dynamics::Error::Parameter {
                name: model.parameters()[index].name,
                value: 0.0,
                meaning: model.parameters()[index].meaning,
                remedy: "a free rate is varied in its logarithm: guess a positive number or fix it",
            }));
        }
        let present: Vec<usize> =
            (0..initial_state_guess.len()).filter(|&n| initial_state_guess[n] > 0.0).collect();
        if let Some(&n) = observations.species.iter().find(|n| !present.contains(n)) {
            return Err(Error::ObservedButAbsent { species: model.species()[n].name });
        }
        let unknowns = positions.len() + present.len();
        if observations.values.len() < unknowns {
            return Err(Error::TooFewObservations {
                observations: observations.values.len(),
                unknowns,
                rates: positions.len(),
                states: present.len(),
            });
        }
        Ok(Self {
            model,
            observations,
            parameters,
            initial_state: initial_state_guess.to_vec(),
            free: positions,
            present,
        })
    }

    /// The model.
    pub fn model(&self) -> &'a dyn PopulationModel {
        self.model
    }

    /// The observations.
    pub fn observations(&self) -> &Observations {
        &self.observations
    }

    /// Positions of the free rates.
    pub fn free(&self) -> &[usize] {
        &self.free
    }

    /// Positions of the species that are present.
    pub fn present(&self) -> &[usize] {
        &self.present
    }

    /// All parameters, the free ones at their initial guess.
    pub fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    /// The guess of the initial state.
    pub fn initial_state(&self) -> &[f64] {
        &self.initial_state
    }

    /// Names of the unknowns: the free rates, then `x(0)` and so on.
    pub fn unknown_names(&self) -> Vec<String> {
        let rates = self.free.iter().map(|&m| self.model.parameters()[m].name.to_owned());
        let states = self.present.iter().map(|&n| format!("{}(0)", self.model.species()[n].name));
        rates.chain(states).collect()
    }

    /// The unknowns at given parameters and initial state.
    pub(crate) fn unknowns(&self, parameters: &[f64], initial_state: &[f64]) -> Unknowns {
        let rates = self.free.iter().map(|&m| parameters[m].ln());
        rates.chain(self.present.iter().map(|&n| initial_state[n].ln())).collect()
    }

    /// Parameters and initial state at given unknowns.
    pub(crate) fn expand(&self, unknowns: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut parameters = self.parameters.clone();
        let mut state = vec![0.0; self.initial_state.len()];
        let (rates, states) = unknowns.split_at(self.free.len());
        for (&m, v) in self.free.iter().zip(rates) {
            parameters[m] = v.exp();
        }
        for (&n, v) in self.present.iter().zip(states) {
            state[n] = v.exp();
        }
        (parameters, state)
    }

    /// Residuals with derivative; `None` when the trajectory does not reach the last observation,
    /// which a fit treats as an infinite cost.
    pub(crate) fn linearise(&self, unknowns: &[f64]) -> Option<Linearised> {
        let (parameters, state) = self.expand(unknowns);
        let data = &self.observations;
        let run = simulate_with_sensitivities(
            self.model,
            &parameters,
            &state,
            &data.times,
            &SETTINGS,
            &self.free,
        )
        .ok()?;
        if run.trajectory.states.len() < data.times.len() {
            return None;
        }
        let width = unknowns.len();
        let count = data.values.len();
        let mut found = Linearised {
            residuals: Vec::with_capacity(count),
            jacobian: Vec::with_capacity(count * width),
        };
        for (row, (state, by)) in run.trajectory.states.iter().zip(&run.sensitivities).enumerate() {
            self.misfit(row, state, |n, residual, scale| {
                found.residuals.push(residual);
                found.jacobian.extend(by[n * width..(n + 1) * width].iter().map(|s| s * scale));
            });
        }
        found.checked()
    }

    /// Calls `each` with every species observed in a row of the data, its normalised residual and
    /// the derivative of that residual for ln u: u/σ.
    pub(crate) fn misfit(&self, row: usize, state: &[f64], mut each: impl FnMut(usize, f64, f64)) {
        let data = &self.observations;
        for (column, &n) in data.species.iter().enumerate() {
            let at = row * data.species.len() + column;
            each(n, (state[n] - data.values[at]) / data.sigma[at], state[n] / data.sigma[at]);
        }
    }
}
