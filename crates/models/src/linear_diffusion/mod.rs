//! Linear (Gaussian) diffusion models trained on finite data, after Wang, Zavatone-Veth and Pehlevan,
//! "A Random Matrix Theory Perspective on the Consistency of Diffusion Models", arXiv:2602.02908.
//!
//! Data x ~ N(μ, Σ) in ℝᵖ, n samples. Among affine maps the empirical denoising loss at noise level σ
//! is minimised by
//!
//! D̂(x; σ) = μ̂ + M̂(x − μ̂),  M̂ = Σ̂(Σ̂ + λ)⁻¹,  λ = σ².
//!
//! Finite data renormalise the noise variance, λ → κ(λ) > λ, with N degrees of freedom of Σ̂:
//!
//! λ = κ(1 − df₁(κ)/N),  df₁ = Σ s/(s+κ),
//!
//! so a mode s has the mean gain s/(s+κ), and outputs fluctuate with the training set by
//!
//! Var_i(x) = κ²/(N − df₂)·[b_i(Σ_j b_j x̃_j² + ε) + b_i²x̃_i²],  b = s/(s+κ)²,  df₂ = Σ s²/(s+κ)²:
//!
//! anisotropy of the output times inhomogeneity of the input over the number of samples. The
//! probability flow from σ_max to σ_min multiplies by h(Σ̂), h(x) = √((x+a)/(x+b)), an average of
//! denoisers over noise levels. All vectors are in the eigenbasis of Σ, in listed order.
//!
//! Start from [`TrainedModel`]; its maps ([`LinearMap`]) give gains, variances and covariances, two of
//! them a [`disagreement`].

mod discrete;
mod errors;
mod flow;
mod map;
mod offset;
mod pair;
mod quadrature;
mod sampler;
mod simulate;
mod task;
mod trained;

pub use discrete::{NoiseSchedule, Scheme};
pub use errors::DenoisingErrors;
pub use flow::NoisePath;
pub use map::{LinearMap, Pairing};
pub use offset::{Offset, OffsetScale};
pub use pair::disagreement;
pub use quadrature::{ArcsineNode, ArcsineRule, NoiseRange};
pub use sampler::Sampler;
pub use task::{LinearDiffusion, LinearDiffusionInputs};
pub use trained::{MeanEstimate, TrainedModel};
