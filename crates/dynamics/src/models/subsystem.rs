//! The three invariant planes of the predator–prey–scavenger model as models of two species.
//!
//! They keep all fourteen parameters of the full model; those of the absent species do nothing.

use super::scavenger::{PredatorPreyScavenger, SPECIES};
use crate::{PopulationModel, Quantity};

/// A plane on which one of the three species is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subsystem {
    /// z ≡ 0.
    PredatorPrey,
    /// y ≡ 0.
    ScavengerPrey,
    /// x ≡ 0: no cycle and no stable equilibrium, since predators and scavengers cannot live on
    /// each other alone without running away.
    PredatorScavenger,
}

static PLANES: [[Quantity; 2]; 3] =
    [[SPECIES[0], SPECIES[1]], [SPECIES[0], SPECIES[2]], [SPECIES[1], SPECIES[2]]];

impl Subsystem {
    /// Positions of the two species in the full model.
    pub fn kept(self) -> [usize; 2] {
        match self {
            Self::PredatorPrey => [0, 1],
            Self::ScavengerPrey => [0, 2],
            Self::PredatorScavenger => [1, 2],
        }
    }

    fn embed(self, state: &[f64]) -> [f64; 3] {
        let [first, second] = self.kept();
        let mut full = [0.0; 3];
        full[first] = state[0];
        full[second] = state[1];
        full
    }
}

impl PopulationModel for Subsystem {
    fn name(&self) -> &'static str {
        match self {
            Self::PredatorPrey => "predator_prey",
            Self::ScavengerPrey => "scavenger_prey",
            Self::PredatorScavenger => "predator_scavenger",
        }
    }

    fn species(&self) -> &'static [Quantity] {
        &PLANES[match self {
            Self::PredatorPrey => 0,
            Self::ScavengerPrey => 1,
            Self::PredatorScavenger => 2,
        }]
    }

    fn parameters(&self) -> &'static [Quantity] {
        PredatorPreyScavenger.parameters()
    }

    fn growth(&self, parameters: &[f64], state: &[f64], growth: &mut [f64]) {
        let mut full = [0.0; 3];
        PredatorPreyScavenger.growth(parameters, &self.embed(state), &mut full);
        for (g, kept) in growth.iter_mut().zip(self.kept()) {
            *g = full[kept];
        }
    }

    fn growth_by_state(&self, parameters: &[f64], state: &[f64], derivative: &mut [f64]) {
        let mut full = [0.0; 9];
        PredatorPreyScavenger.growth_by_state(parameters, &self.embed(state), &mut full);
        for (row, n) in self.kept().into_iter().enumerate() {
            for (column, m) in self.kept().into_iter().enumerate() {
                derivative[2 * row + column] = full[3 * n + m];
            }
        }
    }

    fn growth_by_parameter(&self, parameters: &[f64], state: &[f64], derivative: &mut [f64]) {
        let mut full = [0.0; 42];
        PredatorPreyScavenger.growth_by_parameter(parameters, &self.embed(state), &mut full);
        for (row, n) in derivative.chunks_mut(14).zip(self.kept()) {
            row.copy_from_slice(&full[14 * n..14 * (n + 1)]);
        }
    }

    fn equilibria(&self, parameters: &[f64]) -> Vec<(&'static str, Vec<f64>)> {
        let [first, second] = self.kept();
        let absent = 3 - first - second;
        PredatorPreyScavenger
            .equilibria(parameters)
            .into_iter()
            .filter(|(_, u)| u[absent] == 0.0)
            .map(|(name, u)| (name, vec![u[first], u[second]]))
            .collect()
    }
}
