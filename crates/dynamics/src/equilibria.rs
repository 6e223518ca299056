//! All equilibria of a model with their stability.

use crate::stability::{Stability, stability};
use crate::{PopulationModel, Result, check_parameters};

/// An equilibrium with its linearisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Equilibrium {
    /// Which species coexist, in the words of the model: `prey_only`, `interior`, …
    pub name: &'static str,
    /// The densities.
    pub state: Vec<f64>,
    /// Eigenvalues, characteristic polynomial and the verdicts.
    pub stability: Stability,
}

/// All equilibria in the non-negative octant, unstable ones too.
pub fn equilibria(model: &dyn PopulationModel, parameters: &[f64]) -> Result<Vec<Equilibrium>> {
    check_parameters(model, parameters)?;
    model
        .equilibria(parameters)
        .into_iter()
        .map(|(name, state)| {
            let stability = stability(model, parameters, &state)?;
            Ok(Equilibrium { name, state, stability })
        })
        .collect()
}
