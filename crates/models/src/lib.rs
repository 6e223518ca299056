//! Population models of high-dimensional learning, and the correlations between samples that they
//! share with the estimators.
#![forbid(unsafe_code)]

mod error;
pub mod kernel;
mod sample_kernel;
mod simulate;

pub use error::{Error, Result};
pub use sample_kernel::{SampleKernel, SampleKernelInputs};

/// Every task of this crate, for a registry.
pub fn tasks() -> Vec<rmt_task::Registration> {
    vec![rmt_task::Registration::of::<SampleKernel>()]
}
