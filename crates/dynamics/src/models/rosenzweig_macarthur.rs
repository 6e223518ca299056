//! Rosenzweig and MacArthur (1963): logistic prey, Holling II predator.
//!
//! ```text
//! x' = x (r (1 − x/k) − a y/(1 + a0 x))
//! y' = y (d x/(1 + a0 x) − e)
//! ```
//!
//! Coexistence at x* = e/(d − a0 e); it loses its stability to a cycle when k passes
//! (1 + 2 a0 x*)/a0: the paradox of enrichment.

use crate::{PopulationModel, Quantity};

/// The predator–prey model with Holling II response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RosenzweigMacArthur;

const SPECIES: [Quantity; 2] =
    [Quantity::non_negative("x", "prey", "N"), Quantity::non_negative("y", "predator", "N")];

const PARAMETERS: [Quantity; 6] = [
    Quantity::positive("r", "prey growth rate", "1/T"),
    Quantity::positive("k", "carrying capacity of the prey", "N"),
    Quantity::positive("a", "predator attack on prey", "1/(N T)"),
    Quantity::non_negative("a0", "saturation of the predator", "1/N"),
    Quantity::positive("d", "predator gain from prey", "1/(N T)"),
    Quantity::positive("e", "predator death rate", "1/T"),
];

impl PopulationModel for RosenzweigMacArthur {
    fn name(&self) -> &'static str {
        "rosenzweig_macarthur"
    }

    fn species(&self) -> &'static [Quantity] {
        &SPECIES
    }

    fn parameters(&self) -> &'static [Quantity] {
        &PARAMETERS
    }

    fn growth(&self, p: &[f64], u: &[f64], growth: &mut [f64]) {
        let q = 1.0 + p[3] * u[0];
        growth[0] = p[0] * (1.0 - u[0] / p[1]) - p[2] * u[1] / q;
        growth[1] = p[4] * u[0] / q - p[5];
    }

    fn growth_by_state(&self, p: &[f64], u: &[f64], derivative: &mut [f64]) {
        let q = 1.0 + p[3] * u[0];
        derivative.copy_from_slice(&[
            -p[0] / p[1] + p[2] * p[3] * u[1] / (q * q),
            -p[2] / q,
            p[4] / (q * q),
            0.0,
        ]);
    }

    fn growth_by_parameter(&self, p: &[f64], u: &[f64], derivative: &mut [f64]) {
        let q = 1.0 + p[3] * u[0];
        derivative.copy_from_slice(&[
            1.0 - u[0] / p[1],
            p[0] * u[0] / (p[1] * p[1]),
            -u[1] / q,
            p[2] * u[0] * u[1] / (q * q),
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            -p[4] * u[0] * u[0] / (q * q),
            u[0] / q,
            -1.0,
        ]);
    }

    fn equilibria(&self, p: &[f64]) -> Vec<(&'static str, Vec<f64>)> {
        let &[r, k, a, a0, d, e] = p else { return Vec::new() };
        let mut found = vec![("origin", vec![0.0, 0.0]), ("prey_only", vec![k, 0.0])];
        let x = e / (d - a0 * e);
        if x > 0.0 && x < k {
            found.push(("coexistence", vec![x, r * (1.0 - x / k) * (1.0 + a0 * x) / a]));
        }
        found
    }
}
