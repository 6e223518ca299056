//! The three invariant planes of the predator–prey–scavenger model as models of two species, each
//! with the six rates that act there.

use super::eliminant::{planar, predator_scavenger};
use super::scavenger::{PARAMETERS, PredatorPreyScavenger, SPECIES};
use crate::{PopulationModel, Quantity};

/// A plane on which one of the three species is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subsystem {
    /// z ≡ 0, with r, k, a, a0, d, e.
    PredatorPrey,
    /// y ≡ 0, with r, k, b, b0, g, j.
    ScavengerPrey,
    /// x ≡ 0, with e, f, h, i, i0, j. Its coexistence point is always a saddle.
    PredatorScavenger,
}

const RATES: [[usize; 6]; 3] = [[0, 1, 2, 3, 6, 7], [0, 1, 4, 5, 9, 13], [7, 8, 10, 11, 12, 13]];

static PLANES: [[Quantity; 2]; 3] =
    [[SPECIES[0], SPECIES[1]], [SPECIES[0], SPECIES[2]], [SPECIES[1], SPECIES[2]]];

static NAMED: [[Quantity; 6]; 3] = [named(RATES[0]), named(RATES[1]), named(RATES[2])];

const fn named(rates: [usize; 6]) -> [Quantity; 6] {
    let mut list = [PARAMETERS[0]; 6];
    let mut m = 0;
    while m < 6 {
        list[m] = PARAMETERS[rates[m]];
        m += 1;
    }
    list
}

impl Subsystem {
    /// Positions of the two species in the full model.
    pub fn species_kept(self) -> [usize; 2] {
        [[0, 1], [0, 2], [1, 2]][self as usize]
    }

    /// Positions of the six rates in the full model.
    pub fn rates_kept(self) -> [usize; 6] {
        RATES[self as usize]
    }

    /// Rates and state of the full model; the rates of the absent species do nothing.
    fn embed(self, parameters: &[f64], state: &[f64]) -> ([f64; 14], [f64; 3]) {
        let (mut rates, mut full) = ([1.0; 14], [0.0; 3]);
        for (m, value) in self.rates_kept().into_iter().zip(parameters) {
            rates[m] = *value;
        }
        for (n, value) in self.species_kept().into_iter().zip(state) {
            full[n] = *value;
        }
        (rates, full)
    }
}

impl PopulationModel for Subsystem {
    fn name(&self) -> &'static str {
        ["predator_prey", "scavenger_prey", "predator_scavenger"][*self as usize]
    }

    fn species(&self) -> &'static [Quantity] {
        &PLANES[*self as usize]
    }

    fn parameters(&self) -> &'static [Quantity] {
        &NAMED[*self as usize]
    }

    fn growth(&self, parameters: &[f64], state: &[f64], growth: &mut [f64]) {
        let (rates, full_state) = self.embed(parameters, state);
        let mut full = [0.0; 3];
        PredatorPreyScavenger.growth(&rates, &full_state, &mut full);
        for (g, n) in growth.iter_mut().zip(self.species_kept()) {
            *g = full[n];
        }
    }

    fn growth_by_state(&self, parameters: &[f64], state: &[f64], derivative: &mut [f64]) {
        let (rates, full_state) = self.embed(parameters, state);
        let mut full = [0.0; 9];
        PredatorPreyScavenger.growth_by_state(&rates, &full_state, &mut full);
        let pairs = self
            .species_kept()
            .into_iter()
            .flat_map(|n| self.species_kept().into_iter().map(move |m| 3 * n + m));
        for (entry, place) in derivative.iter_mut().zip(pairs) {
            *entry = full[place];
        }
    }

    fn growth_by_parameter(&self, parameters: &[f64], state: &[f64], derivative: &mut [f64]) {
        let (rates, full_state) = self.embed(parameters, state);
        let mut full = [0.0; 42];
        PredatorPreyScavenger.growth_by_parameter(&rates, &full_state, &mut full);
        let pairs = self
            .species_kept()
            .into_iter()
            .flat_map(|n| self.rates_kept().into_iter().map(move |m| 14 * n + m));
        for (entry, place) in derivative.iter_mut().zip(pairs) {
            *entry = full[place];
        }
    }

    fn equilibria(&self, parameters: &[f64]) -> Vec<(&'static str, Vec<f64>)> {
        let mut found = vec![("origin", vec![0.0, 0.0])];
        let &[p0, p1, p2, p3, p4, p5] = parameters else { return found };
        let coexistence = match self {
            Self::PredatorPrey | Self::ScavengerPrey => {
                found.push(("prey_only", vec![p1, 0.0]));
                planar(p0, p1, p2, p3, p4, p5)
            }
            Self::PredatorScavenger => predator_scavenger(p0, p1, p2, p3, p4, p5),
        };
        found.extend(coexistence.map(|(first, second)| (self.name(), vec![first, second])));
        found
    }
}
