//! What a population model is.
//!
//! Species n = 1..N with densities uₙ ≥ 0 obey the Kolmogorov form
//!
//! ```text
//! duₙ/dt = Fₙ(u) = uₙ Gₙ(u),
//! ```
//!
//! with Gₙ the *growth rate per head*. Every model of interacting populations without immigration
//! has this form, and everything here rests on it: an absent species stays exactly absent, the
//! equation in ln uₙ is `d(ln uₙ)/dt = Gₙ`, and a branch of equilibria is followed on G = 0.

use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// A named quantity of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// Name in files and on the command line.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Unit, in individuals `N` and time `T`.
    pub unit: &'static str,
    /// Whether zero is a valid value (a saturation that is switched off).
    pub may_vanish: bool,
}

impl Quantity {
    /// A quantity that must be positive.
    pub const fn positive(name: &'static str, meaning: &'static str, unit: &'static str) -> Self {
        Self { name, meaning, unit, may_vanish: false }
    }

    /// A quantity that may be zero.
    pub const fn non_negative(
        name: &'static str,
        meaning: &'static str,
        unit: &'static str,
    ) -> Self {
        Self { name, meaning, unit, may_vanish: true }
    }
}

/// A model of N interacting species with P parameters.
///
/// An implementation gives the growth rates per head and their two derivatives; the rest follows.
/// Matrices are row-major slices. Arguments are trusted: check them once with [`check_parameters`]
/// and [`check_state`].
pub trait PopulationModel: Debug + Send + Sync {
    /// Name in files and on the command line, in snake_case.
    fn name(&self) -> &'static str;

    /// The species, in the order of a state.
    fn species(&self) -> &'static [Quantity];

    /// The parameters, in the order of a parameter vector.
    fn parameters(&self) -> &'static [Quantity];

    /// Growth rates per head Gₙ(u), N numbers.
    fn growth(&self, parameters: &[f64], state: &[f64], growth: &mut [f64]);

    /// ∂Gₙ/∂uₘ, N×N.
    fn growth_by_state(&self, parameters: &[f64], state: &[f64], derivative: &mut [f64]);

    /// ∂Gₙ/∂pₘ, N×P.
    fn growth_by_parameter(&self, parameters: &[f64], state: &[f64], derivative: &mut [f64]);

    /// All equilibria in the non-negative octant, each with a name that says which species coexist.
    fn equilibria(&self, parameters: &[f64]) -> Vec<(&'static str, Vec<f64>)>;

    /// Right-hand side Fₙ = uₙ Gₙ, N numbers.
    fn rhs(&self, parameters: &[f64], state: &[f64], rhs: &mut [f64]) {
        self.growth(parameters, state, rhs);
        for (f, u) in rhs.iter_mut().zip(state) {
            *f *= u;
        }
    }

    /// Jacobian ∂Fₙ/∂uₘ = δₙₘ Gₙ + uₙ ∂Gₙ/∂uₘ, N×N.
    fn jacobian(&self, parameters: &[f64], state: &[f64], jacobian: &mut [f64]) {
        let n = state.len();
        let mut growth = vec![0.0; n];
        self.growth(parameters, state, &mut growth);
        self.growth_by_state(parameters, state, jacobian);
        for row in 0..n {
            for entry in &mut jacobian[row * n..(row + 1) * n] {
                *entry *= state[row];
            }
            jacobian[row * n + row] += growth[row];
        }
    }

    /// ∂Fₙ/∂pₘ = uₙ ∂Gₙ/∂pₘ, N×P.
    fn rhs_by_parameter(&self, parameters: &[f64], state: &[f64], derivative: &mut [f64]) {
        self.growth_by_parameter(parameters, state, derivative);
        for (row, u) in derivative.chunks_mut(parameters.len()).zip(state) {
            for entry in row {
                *entry *= u;
            }
        }
    }
}

/// Position of a parameter in the model's order.
pub fn parameter_index(model: &dyn PopulationModel, name: &str) -> Result<usize> {
    position(model.parameters(), "parameter", name)
}

/// Position of a species in the model's order.
pub fn species_index(model: &dyn PopulationModel, name: &str) -> Result<usize> {
    position(model.species(), "species", name)
}

fn position(known: &[Quantity], what: &'static str, name: &str) -> Result<usize> {
    known.iter().position(|q| q.name == name).ok_or_else(|| Error::UnknownName {
        what,
        name: name.to_owned(),
        known: known.iter().map(|q| q.name).collect::<Vec<_>>().join(", "),
    })
}

/// The parameter vector from named values. Every parameter must be there, and nothing else.
pub fn parameter_vector(
    model: &dyn PopulationModel,
    named: &BTreeMap<String, f64>,
) -> Result<Vec<f64>> {
    for name in named.keys() {
        parameter_index(model, name)?;
    }
    let parameters = model
        .parameters()
        .iter()
        .map(|q| {
            named.get(q.name).copied().ok_or(Error::MissingParameter {
                name: q.name,
                meaning: q.meaning,
                unit: q.unit,
            })
        })
        .collect::<Result<Vec<f64>>>()?;
    check_parameters(model, &parameters)?;
    Ok(parameters)
}

/// Refuses a parameter vector of the wrong length, a rate that is not finite and positive, or a
/// saturation that is not finite and non-negative.
pub fn check_parameters(model: &dyn PopulationModel, parameters: &[f64]) -> Result<()> {
    let known = model.parameters();
    if parameters.len() != known.len() {
        return Err(Error::Length {
            what: "parameters",
            found: parameters.len(),
            expected: known.len(),
        });
    }
    for (quantity, &value) in known.iter().zip(parameters) {
        let valid = value.is_finite() && (value > 0.0 || (quantity.may_vanish && value == 0.0));
        if !valid {
            return Err(Error::Parameter {
                name: quantity.name,
                value,
                meaning: quantity.meaning,
                remedy: if quantity.may_vanish {
                    "give a finite number that is not negative"
                } else {
                    "give a finite positive number"
                },
            });
        }
    }
    Ok(())
}

/// Refuses a state of the wrong length or with a density that is negative or not finite.
pub fn check_state(model: &dyn PopulationModel, state: &[f64]) -> Result<()> {
    let known = model.species();
    if state.len() != known.len() {
        return Err(Error::Length { what: "state", found: state.len(), expected: known.len() });
    }
    for (quantity, &value) in known.iter().zip(state) {
        if !(value.is_finite() && value >= 0.0) {
            return Err(Error::State { name: quantity.name, value });
        }
    }
    Ok(())
}
