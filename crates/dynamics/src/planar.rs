//! Bifurcations of the predator–prey plane in the carrying capacity, in closed form.
//!
//! On z = 0 coexistence has x0 = √(e/(d − a0e)) whatever k is. It enters through the prey-only
//! point at k = x0, and loses its stability to a cycle where 2a0e(k − x0) = dk, that is at
//! k = x0/(1 − d/(2a0e)): the paradox of enrichment (Rosenzweig 1971). There the frequency is
//! ω² = 2er(1 − x0/k)(d − a0e)/d.

use crate::models::planar;
use crate::models::rates;
use crate::{PredatorPreyScavenger, Result, check_parameters};

/// Where coexistence of predator and prey appears and where it starts to cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanarBifurcation {
    /// Carrying capacity at which the predator can invade; +∞ if d ≤ a0·e (never).
    pub k_transcritical: f64,
    /// Carrying capacity of the Hopf point; +∞ if d ≥ 2a0·e (coexistence is stable for every k).
    pub k_hopf: f64,
    /// Frequency and state (x0, y0, 0) at the Hopf point, if there is one.
    pub hopf: Option<(f64, [f64; 3])>,
}

/// The closed forms for the fourteen rates; the given k does not matter.
pub fn planar_bifurcation(parameters: &[f64]) -> Result<PlanarBifurcation> {
    check_parameters(&PredatorPreyScavenger, parameters)?;
    let &[r, _, a, a0, _, _, d, e, ..] = rates(parameters);
    let surplus = d - a0 * e;
    if surplus <= 0.0 {
        let never = f64::INFINITY;
        return Ok(PlanarBifurcation { k_transcritical: never, k_hopf: never, hopf: None });
    }
    let x = (e / surplus).sqrt();
    let room = 2.0 * a0 * e - d;
    if room <= 0.0 {
        return Ok(PlanarBifurcation { k_transcritical: x, k_hopf: f64::INFINITY, hopf: None });
    }
    let k = x * 2.0 * a0 * e / room;
    let omega = (2.0 * e * r * (1.0 - x / k) * surplus / d).sqrt();
    let hopf = planar(r, k, a, a0, d, e).map(|(x, y)| (omega, [x, y, 0.0]));
    Ok(PlanarBifurcation { k_transcritical: x, k_hopf: k, hopf })
}
