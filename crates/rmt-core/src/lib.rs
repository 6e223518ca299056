//! Population spectra, stages of randomness and deterministic equivalents.
#![deny(unsafe_code)]

mod compress;
mod error;
mod laws;
mod modes;
mod toeplitz;

pub use error::{Error, Result};
pub use modes::{ModeValues, Modes};
pub use toeplitz::{ar1_eigenvalues, nearest_neighbor_eigenvalues};
