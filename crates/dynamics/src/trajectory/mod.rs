//! Trajectories, with outcomes instead of NaN.
//!
//! The state is integrated as v = ln u over the species that are present,
//!
//! ```text
//! dvₙ/dt = Gₙ(e^v),      dS/dt = (∂G/∂v) S + ∂G/∂θ,      S = ∂v/∂θ,  θ = (ln p, ln u(0)).
//! ```
//!
//! Densities stay positive, an absent species stays exactly zero, and a population of 1e-200 keeps
//! its relative accuracy. Tsitouras' explicit 5(4) pair does the work; where it needs too many steps
//! or its step collapses, the problem is stiff and BDF does it again.

mod integration;

use crate::{Error, PopulationModel, Result};
use integration::Run;

/// How to integrate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Error per step of ln u, relative and absolute: the relative accuracy of u. 1e-13 to 1e-2.
    pub tolerance: f64,
    /// Density at which a trajectory has run away, 1 to 1e150.
    pub cap: f64,
    /// Density below which a species counts as extinct and the run stops, if given.
    pub extinction: Option<f64>,
}

impl Default for Settings {
    /// Tolerance 1e-11, cap 1e12, no extinction threshold.
    fn default() -> Self {
        Self { tolerance: 1e-11, cap: 1e12, extinction: None }
    }
}

impl Settings {
    fn check(&self) -> Result<()> {
        let setting = |name, value, remedy| Err(Error::Setting { name, value, remedy });
        if !(1e-13..=1e-2).contains(&self.tolerance) {
            return setting("tolerance", self.tolerance, "give a number from 1e-13 to 1e-2");
        }
        if !(1.0..=1e150).contains(&self.cap) {
            return setting("cap", self.cap, "give a density from 1 to 1e150");
        }
        match self.extinction {
            Some(level) if !(level > 0.0 && level < self.cap) => {
                setting("extinction", level, "give a positive density below the cap")
            }
            _ => Ok(()),
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// At the last output time.
    Completed,
    /// The largest density reached the cap.
    Runaway {
        /// First time with max(u) = cap.
        time: f64,
        /// The state there.
        state: Vec<f64>,
    },
    /// A species fell to the extinction threshold.
    Extinct {
        /// Its position.
        species: usize,
        /// First time with uₙ = threshold.
        time: f64,
        /// The state there.
        state: Vec<f64>,
    },
}

impl Outcome {
    /// The name in files: `completed`, `runaway`, `extinct`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Runaway { .. } => "runaway",
            Self::Extinct { .. } => "extinct",
        }
    }
}

/// Which method produced a trajectory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Explicit Runge–Kutta 5(4) of Tsitouras (2011).
    Tsit45,
    /// Backward differentiation of variable order.
    Bdf,
}

/// The states at the output times up to the outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    /// One state per output time that was reached.
    pub states: Vec<Vec<f64>>,
    /// How the run ended.
    pub outcome: Outcome,
    /// Method used.
    pub method: Method,
    /// Steps taken.
    pub steps: usize,
}

/// A trajectory with its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct SensitiveTrajectory {
    /// The trajectory itself.
    pub trajectory: Trajectory,
    /// For each state ∂ ln uₙ/∂ ln θₘ, row-major N×Q; rows of absent species are zero. θ are the
    /// requested parameters, then the initial densities of the species that are present.
    pub sensitivities: Vec<Vec<f64>>,
    /// The species that are present: the last columns belong to their initial densities.
    pub present: Vec<usize>,
}

/// Integrates from `initial_state` at t = 0 through the (ascending, repeatable) output `times`.
pub fn simulate(
    model: &dyn PopulationModel,
    parameters: &[f64],
    initial_state: &[f64],
    times: &[f64],
    settings: &Settings,
) -> Result<Trajectory> {
    let run = Run::new(model, parameters, initial_state, times, settings, None)?;
    Ok(run.solve()?.trajectory)
}

/// As [`simulate`], with the derivatives for the `free` parameters (positions) and the initial
/// densities. A free parameter must be positive, since its logarithm is the variable.
pub fn simulate_with_sensitivities(
    model: &dyn PopulationModel,
    parameters: &[f64],
    initial_state: &[f64],
    times: &[f64],
    settings: &Settings,
    free: &[usize],
) -> Result<SensitiveTrajectory> {
    Run::new(model, parameters, initial_state, times, settings, Some(free))?.solve()
}
