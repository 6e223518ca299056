//! Population spectra, stages of randomness and deterministic equivalents.
#![deny(unsafe_code)]

mod compress;
mod equivalent;
mod error;
mod laws;
mod modes;
mod resolvent;
mod root;
mod scalar;
mod spectrum;
mod stage;
mod toeplitz;

pub use equivalent::{DeterministicEquivalent, Diagnostics, Solution};
pub use error::{Error, Result};
pub use modes::{ModeValues, Modes};
pub use root::increasing_root;
pub use scalar::Scalar;
pub use spectrum::{Nodes, Population, Resolution, Spectrum, Weight};
pub use stage::{
    Activation, AnyStage, CorrelatedSamples, Memory, Samples, Seen, Stage, Tri, Width,
};
pub use toeplitz::{ar1_eigenvalues, nearest_neighbor_eigenvalues};
