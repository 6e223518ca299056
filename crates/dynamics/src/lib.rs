//! Population dynamics: predator, prey and scavenger, and any other model of interacting species.
//!
//! ```text
//! x' = r x (1 − x/k) − a π(a0,x) y − b π(b0,x) z
//! y' = d π(a0,x) y − e y + f π(i0,z) y                      π(c,s) = s²/(1 + c s²)
//! z' = g π(b0,x) z − j z + h y z − i π(i0,z) y
//! ```
//!
//! (Panchal, Beniwal and Kumar 2024, arXiv:2412.18344.) A [`PopulationModel`] states growth rates
//! per head and their derivatives; from it follow trajectories whose outcome is completion, escape
//! or extinction but never NaN ([`simulate`]), derivatives of trajectories for parameters and
//! initial state ([`simulate_with_sensitivities`]), all equilibria with their stability
//! ([`equilibria()`]), branches of equilibria in a parameter
//! ([`continue_branch`]), and closed forms of the predator–prey plane ([`planar_bifurcation`]).
//!
//! ```
//! use rmt_dynamics::{PredatorPreyScavenger, Settings, equilibria, simulate};
//!
//! // r, k, a, a0, b, b0, d, e, f, g, h, i, i0, j
//! let rates = [1.0, 10.0, 0.5, 0.3, 0.1, 0.2, 0.4, 0.6, 0.1, 0.1, 0.08, 0.05, 0.1, 0.25];
//! let run = simulate(&PredatorPreyScavenger, &rates, &[5.0, 1.0, 1.0], &[50.0], &Settings::default())?;
//! assert_eq!(run.outcome.name(), "completed");
//! let all = equilibria(&PredatorPreyScavenger, &rates)?;
//! assert_eq!(all.iter().filter(|e| e.name == "interior").count(), 2);
//! # Ok::<(), rmt_dynamics::Error>(())
//! ```
#![forbid(unsafe_code)]

mod continuation;
mod equilibria;
mod error;
mod linear;
mod model;
mod models;
mod planar;
mod stability;
mod tasks;
mod trajectory;

pub use continuation::{
    Branch, BranchPoint, Cycle, CycleBranch, End, Special, SpecialPoint, continue_branch,
    continue_cycles, refine_equilibrium,
};
pub use equilibria::{Equilibrium, equilibria};
pub use error::{Error, Result};
pub use model::{
    PopulationModel, Quantity, check_parameters, check_state, parameter_index, parameter_vector,
    species_index,
};
pub use models::{
    LotkaVolterra, PredatorPreyScavenger, RosenzweigMacArthur, Subsystem, model, models,
};
pub use planar::{PlanarBifurcation, planar_bifurcation};
pub use stability::{Kind, LocalSensitivity, Stability, local_sensitivity, stability};
pub use tasks::tasks;
pub use trajectory::{
    Method, Outcome, SensitiveTrajectory, Settings, Trajectory, simulate,
    simulate_with_sensitivities,
};
