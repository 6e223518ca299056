//! Random-feature ridge regression: linear, deep and nonlinear features, ensembles, correlated
//! samples.
//!
//! x ~ N(0, Σ) with modes (s, c), y = w·x + noise of variance σ², c = (v·w)². Features
//! φ = Fᵀx ∈ ℝᵐ with F = F₁…F_L, F_l of shape N_{l−1}×N_l and entries N(0, 1/N_l); nonlinear layers
//! apply an activation to unit-variance pre-activations and centre it.
//! â = argmin (1/n)‖y − Φa‖² + λ‖a‖².
//!
//! The population is seen through the layers and then through the samples. With K = κ₁ the ridge seen
//! after the layers, D(K) its degrees of freedom, H(K) = θᵀK(K_F + K)⁻¹θ the unexplained target
//! energy, a prime for d/dlnK, and (D, ρ) = (D, df̃₂/D²) what the samples make of it (1/n for
//! independent ones):
//! E_g = [σ² + H − H′]/[1 − ρ(D + D′)],  ‖â‖² = [H′ − ρD′E_g]/K,
//! E_tr = φ(1 − df̃₂/D)E_g with λ = Kφ(D).
//!
//! Atanasov, Zavatone-Veth, Pehlevan, arXiv:2405.00592 (renormalisation, variance decomposition);
//! Defilippis, Loureiro, Misiakiewicz, arXiv:2405.15699 (the ν form of the same equivalents).

mod optimal;
mod prediction;
mod reference;
mod regression;
mod scan;
mod setting;
pub(crate) mod simulate;
mod sums;
mod task;
pub(crate) mod world;

pub use optimal::{Budget, RandomFeaturesOptimal, RandomFeaturesOptimalInputs};
pub use prediction::Prediction;
pub use regression::FeatureRegression;
pub use scan::{RandomFeaturesScan, RandomFeaturesScanInputs};
pub use setting::{Setting, Target};
pub use task::{RandomFeatures, RandomFeaturesInputs};

pub(crate) use reference::{DIMENSION_FREE, SCALING_AND_RENORMALIZATION};
pub(crate) use setting::chain_inputs;
pub(crate) use task::tie_note;
