//! Gradient descent and SGD on linear models with linear random features.
//!
//! Data x ~ N(0, Σ), y = xᵀθ + ε, n samples (or fresh ones at every step); predictor xᵀFv with F of
//! shape p×m, entries of variance 1/m (or F = 1); squared loss ½(xᵀFv − y)². Starting from v = 0, with
//! batches of B drawn from the n samples,
//!
//! v_{t+1} = v_t − (η/B) Σ_b Fᵀx_b(x_bᵀFv_t − y_b).
//!
//! In high dimensions the excess risk R_t and the train loss L_t follow from contour integrals of the
//! one- and two-point deterministic equivalents of Ĥ = FᵀΣ̂F, and from two Volterra equations for the
//! noise of the batches. `contour`, `ellipse`: where to integrate; `method`, `schedule`: what; `spectral`,
//! `bias`: the integrands; `volterra`: noise; `limits`: stability and t → ∞.
//!
//! Atanasov, Bordelon, Zavatone-Veth, Paquette and Pehlevan (arXiv 2502.05074); scaling laws also
//! Bordelon, Atanasov and Pehlevan (2402.01092), Paquette, Paquette, Xiao and Pennington (2405.15074).

mod bias;
mod contour;
mod curves;
mod ellipse;
mod inputs;
mod lanes;
mod limits;
mod method;
mod online;
mod scaling;
mod schedule;
mod simulate;
mod simulate_hessian;
mod spectral;
mod stability;
mod task;
mod two_point_task;
mod volterra;

pub use inputs::SgdInputs;
pub use scaling::{SgdScaling, SgdScalingInputs};
pub use schedule::Schedule;
pub use stability::{SgdStability, SgdStabilityInputs};
pub use task::Sgd;
pub use two_point_task::{TwoPointInputs, TwoPointTask};

use rmt_core::{Population, Resolution, Spectrum, Weight};
use rmt_task::{Observables, Reference};

pub(crate) const REFERENCES: &[Reference] = &[
    Reference {
        key: "atanasov2025twopoint",
        authors: "Atanasov, Alexander and Bordelon, Blake and Zavatone-Veth, Jacob A. and Paquette, Courtney and Pehlevan, Cengiz",
        title: "Two-Point Deterministic Equivalence for Stochastic Gradient Dynamics in Linear Models",
        year: 2025,
        venue: "arXiv:2502.05074",
    },
    Reference {
        key: "bordelon2024dynamical",
        authors: "Bordelon, Blake and Atanasov, Alexander and Pehlevan, Cengiz",
        title: "A dynamical model of neural scaling laws",
        year: 2024,
        venue: "arXiv:2402.01092",
    },
    Reference {
        key: "paquette2024phases",
        authors: "Paquette, Elliot and Paquette, Courtney and Xiao, Lechao and Pennington, Jeffrey",
        title: "4+3 phases of compute-optimal neural scaling laws",
        year: 2024,
        venue: "arXiv:2405.15074",
    },
];

/// Tr Σ/s_max.
fn effective_rank(population: &Population) -> f64 {
    let nodes = population.nodes(Weight::Count, Resolution::Full);
    nodes.sum(|s| s) / nodes.s[0]
}

/// The closure of the batch noise drops fourth moments, of relative order ‖K‖ s_max/Tr Σ.
fn r_eff_note(population: &Population, kernel_norm: f64, out: &mut Observables) {
    let rank = effective_rank(population);
    if kernel_norm.is_finite() && kernel_norm / rank >= 0.01 {
        out.note(format!(
            "batch noise is closed with Gaussian moments: ‖K‖ s_max/Tr Σ = {:.3} is not small (effective rank {rank:.1}), expect errors of that relative order",
            kernel_norm / rank
        ));
    }
}

#[cfg(test)]
mod tests;
