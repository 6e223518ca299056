//! Population models of high-dimensional learning, and the correlations between samples that they
//! share with the estimators.
#![forbid(unsafe_code)]

mod correlated_ridge;
mod error;
pub mod inputs;
pub mod kernel;
pub mod linear_diffusion;
mod ridge;
mod sample_kernel;
mod sampled;
mod simulate;

pub use correlated_ridge::{
    CorrelatedRidge, CorrelatedRidgeInputs, LossWeight, SeparableResolvent,
    SeparableResolventInputs,
};
pub use error::{Error, Result};
pub use ridge::{Ridge, RidgeInputs};
pub use sample_kernel::{SampleKernel, SampleKernelInputs};

/// Every task of this crate, for a registry.
pub fn tasks() -> Vec<rmt_task::Registration> {
    use rmt_task::Registration;
    vec![
        Registration::simulated::<Ridge>(),
        Registration::simulated::<CorrelatedRidge>(),
        Registration::of::<SampleKernel>(),
        Registration::of::<SeparableResolvent>(),
        Registration::simulated::<linear_diffusion::LinearDiffusion>(),
    ]
}
