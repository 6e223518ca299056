//! Lotka (1925) and Volterra (1926): `x' = x (α − β y)`, `y' = y (δ x − γ)`.
//!
//! Its orbits are closed: H = δ x − γ ln x + β y − α ln y does not change.

use crate::{PopulationModel, Quantity};

/// The predator–prey model with linear responses and no carrying capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotkaVolterra;

const SPECIES: [Quantity; 2] =
    [Quantity::non_negative("x", "prey", "N"), Quantity::non_negative("y", "predator", "N")];

const PARAMETERS: [Quantity; 4] = [
    Quantity::positive("alpha", "prey growth rate", "1/T"),
    Quantity::positive("beta", "predator attack on prey", "1/(N T)"),
    Quantity::positive("gamma", "predator death rate", "1/T"),
    Quantity::positive("delta", "predator gain from prey", "1/(N T)"),
];

impl PopulationModel for LotkaVolterra {
    fn name(&self) -> &'static str {
        "lotka_volterra"
    }

    fn species(&self) -> &'static [Quantity] {
        &SPECIES
    }

    fn parameters(&self) -> &'static [Quantity] {
        &PARAMETERS
    }

    fn growth(&self, p: &[f64], u: &[f64], growth: &mut [f64]) {
        growth[0] = p[0] - p[1] * u[1];
        growth[1] = p[3] * u[0] - p[2];
    }

    fn growth_by_state(&self, p: &[f64], _: &[f64], derivative: &mut [f64]) {
        derivative.copy_from_slice(&[0.0, -p[1], p[3], 0.0]);
    }

    fn growth_by_parameter(&self, _: &[f64], u: &[f64], derivative: &mut [f64]) {
        derivative.copy_from_slice(&[1.0, -u[1], 0.0, 0.0, 0.0, 0.0, -1.0, u[0]]);
    }

    fn equilibria(&self, p: &[f64]) -> Vec<(&'static str, Vec<f64>)> {
        vec![("origin", vec![0.0, 0.0]), ("coexistence", vec![p[2] / p[3], p[0] / p[1]])]
    }
}
