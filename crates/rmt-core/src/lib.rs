//! Population spectra, stages of randomness and their deterministic equivalents.
//!
//! A linear model is a population [`Spectrum`] seen through [`Stage`]s of randomness: samples,
//! correlated samples, random layers, nonlinearities. Each stage renormalises the ridge;
//! [`DeterministicEquivalent`] inverts the whole chain λ(κ) and hands out every intermediate ridge with
//! its derivatives. Risks, norms, densities and two-point functions are read off that solution.
//!
//! Conventions: traces are sums over modes (un-normalised); λ is the ridge of
//! (1/n)‖y − Xθ‖² + λ‖θ‖² and is never multiplied by n; df1 = Σ s/(s+κ), df2 = Σ s²/(s+κ)².
//!
//! ```
//! use rmt_core::{DeterministicEquivalent, Modes, Population, Samples, Width};
//! let spectrum = Modes::PowerLaw { p: 400, alpha: 1.3, scale: 1.0, reversed: false };
//! let population = Population::new(&spectrum)?;
//! // 120 random features of it, seen through 200 samples.
//! let chain = DeterministicEquivalent::new(
//!     &population,
//!     vec![Box::new(Width::new(120.0)?), Box::new(Samples::new(200.0)?)],
//! )?;
//! let solution = chain.solve(1e-3)?;
//! assert!(solution.ridge_after(2) < solution.ridge_after(1)); // λ < κ₁ < κ₂
//! assert!(solution.ridge_after(1) < solution.kappa());
//! # Ok::<(), rmt_core::Error>(())
//! ```
#![deny(unsafe_code)]

mod compress;
mod equivalent;
mod error;
mod laws;
mod modes;
mod resolvent;
mod root;
mod sampled_features;
mod scalar;
mod solution;
mod spectrum;
mod stage;
mod sums;
mod support;
mod toeplitz;
mod transforms;
mod two_point;

pub use equivalent::DeterministicEquivalent;
pub use error::{Error, Result};
pub use modes::{ModeValues, Modes};
pub use root::increasing_root;
pub use sampled_features::{Beyond, SampledFeatures};
pub use scalar::Scalar;
pub use solution::{Diagnostics, Solution};
pub use spectrum::{Nodes, Population, Resolution, Spectrum, Weight};
pub use stage::{
    Activation, AnyStage, CorrelatedSamples, Memory, Samples, Seen, Stage, Tri, Width,
};
pub use sums::{df_sums, df_sums_scalar};
pub use support::SampleCovariance;
pub use toeplitz::{ar1_eigenvalues, ar1_frequencies, nearest_neighbor_eigenvalues};
pub use transforms::{s_transform, s_transform_wishart};
pub use two_point::{Order, TwoPoint};
