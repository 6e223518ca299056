//! Prey x, predator y and scavenger z with Holling III responses
//! (Panchal, Beniwal and Kumar 2024, arXiv:2412.18344).
//!
//! With π(c, s) = s²/(1 + c s²):
//!
//! ```text
//! x' = r x (1 − x/k) − a π(a0,x) y − b π(b0,x) z
//! y' = d π(a0,x) y − e y + f π(i0,z) y
//! z' = g π(b0,x) z − j z + h y z − i π(i0,z) y
//! ```
//!
//! The scavenger lives on prey and on the carcasses that predators leave (h y z), and is itself
//! prey of the predator. For f > i0·e the system is not dissipative: predators feed on scavengers
//! and scavengers on carcasses without any limit, and orbits above a saddle run away to infinity.

use super::response::{response, response_per_prey, slope, slope_per_prey};
use crate::{PopulationModel, Quantity};

/// The predator–prey–scavenger model; the module states the equations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PredatorPreyScavenger;

pub(super) const SPECIES: [Quantity; 3] = [
    Quantity::non_negative("x", "prey", "N"),
    Quantity::non_negative("y", "predator", "N"),
    Quantity::non_negative("z", "scavenger", "N"),
];

pub(super) const PARAMETERS: [Quantity; 14] = [
    Quantity::positive("r", "prey growth rate", "1/T"),
    Quantity::positive("k", "carrying capacity of the prey", "N"),
    Quantity::positive("a", "predator attack on prey", "1/(N²T)"),
    Quantity::non_negative("a0", "saturation of the predator with prey", "1/N²"),
    Quantity::positive("b", "scavenger attack on prey", "1/(N²T)"),
    Quantity::non_negative("b0", "saturation of the scavenger with prey", "1/N²"),
    Quantity::positive("d", "predator gain from prey", "1/(N²T)"),
    Quantity::positive("e", "predator death rate", "1/T"),
    Quantity::positive("f", "predator gain from scavengers", "1/(N²T)"),
    Quantity::positive("g", "scavenger gain from prey", "1/(N²T)"),
    Quantity::positive("h", "scavenger gain from carcasses", "1/(N T)"),
    Quantity::positive("i", "predator attack on scavengers", "1/(N²T)"),
    Quantity::non_negative("i0", "saturation of the predator with scavengers", "1/N²"),
    Quantity::positive("j", "scavenger death rate", "1/T"),
];

impl PopulationModel for PredatorPreyScavenger {
    fn name(&self) -> &'static str {
        "predator_prey_scavenger"
    }

    fn species(&self) -> &'static [Quantity] {
        &SPECIES
    }

    fn parameters(&self) -> &'static [Quantity] {
        &PARAMETERS
    }

    fn growth(&self, parameters: &[f64], state: &[f64], growth: &mut [f64]) {
        let &[r, k, a, a0, b, b0, d, e, f, g, h, i, i0, j] = rates(parameters);
        let (x, y, z) = (state[0], state[1], state[2]);
        growth[0] =
            r * (1.0 - x / k) - a * response_per_prey(a0, x) * y - b * response_per_prey(b0, x) * z;
        growth[1] = d * response(a0, x) - e + f * response(i0, z);
        growth[2] = g * response(b0, x) - j + h * y - i * response_per_prey(i0, z) * y;
    }

    fn growth_by_state(&self, parameters: &[f64], state: &[f64], derivative: &mut [f64]) {
        let &[r, k, a, a0, b, b0, d, _, f, g, h, i, i0, _] = rates(parameters);
        let (x, y, z) = (state[0], state[1], state[2]);
        derivative.copy_from_slice(&[
            -r / k - a * slope_per_prey(a0, x) * y - b * slope_per_prey(b0, x) * z,
            -a * response_per_prey(a0, x),
            -b * response_per_prey(b0, x),
            d * slope(a0, x),
            0.0,
            f * slope(i0, z),
            g * slope(b0, x),
            h - i * response_per_prey(i0, z),
            -i * slope_per_prey(i0, z) * y,
        ]);
    }

    // ∂π/∂c = −π², and ∂(π/s)/∂c = −(π/s) π.
    fn growth_by_parameter(&self, parameters: &[f64], state: &[f64], derivative: &mut [f64]) {
        let &[r, k, a, a0, b, b0, d, _, f, g, _, i, i0, _] = rates(parameters);
        let (x, y, z) = (state[0], state[1], state[2]);
        let (pa, pb, pi) = (response(a0, x), response(b0, x), response(i0, z));
        let (qa, qb, qi) =
            (response_per_prey(a0, x), response_per_prey(b0, x), response_per_prey(i0, z));
        derivative.fill(0.0);
        let (prey, rest) = derivative.split_at_mut(14);
        let (predator, scavenger) = rest.split_at_mut(14);
        prey[0] = 1.0 - x / k;
        prey[1] = r * x / (k * k);
        prey[2] = -qa * y;
        prey[3] = a * qa * pa * y;
        prey[4] = -qb * z;
        prey[5] = b * qb * pb * z;
        predator[3] = -d * pa * pa;
        predator[6] = pa;
        predator[7] = -1.0;
        predator[8] = pi;
        predator[12] = -f * pi * pi;
        scavenger[5] = -g * pb * pb;
        scavenger[9] = pb;
        scavenger[10] = y;
        scavenger[11] = -qi * y;
        scavenger[12] = i * qi * pi * y;
        scavenger[13] = -1.0;
    }

    fn equilibria(&self, parameters: &[f64]) -> Vec<(&'static str, Vec<f64>)> {
        super::eliminant::equilibria(parameters)
    }
}

/// The fourteen rates by name: `let &[r, k, a, a0, b, b0, d, e, f, g, h, i, i0, j] = rates(p)`.
#[inline]
pub(crate) fn rates(parameters: &[f64]) -> &[f64; 14] {
    match parameters.first_chunk::<14>() {
        Some(rates) => rates,
        // The trait's contract: a vector of `parameters().len()` numbers.
        None => panic!("14 parameters expected, found {}", parameters.len()),
    }
}
