//! Population models of high-dimensional learning, and the correlations between samples that they
//! share with the estimators.
//!
//! Each model is a [`Task`](rmt_task::Task): typed inputs, every quantity that they determine, and where an
//! experiment exists a finite-size draw of the same quantities.
//!
//! ```
//! use rmt_core::Modes;
//! use rmt_models::{Ridge, RidgeInputs};
//! use rmt_task::{Draw, Simulate, Task};
//!
//! // 200 samples of a power law of 400 modes.
//! let spectrum = Modes::PowerLaw { p: 400, alpha: 1.2, scale: 1.0, reversed: false };
//! let inputs = RidgeInputs {
//!     target: Some(spectrum.clone()),
//!     spectrum,
//!     n: 200.0,
//!     lambda: 1e-3,
//!     noise_variance: 0.1,
//!     coefficients: None,
//!     test_spectrum: None,
//!     test_covariance: None,
//!     resolvent_at: None,
//!     density_at: None,
//! };
//! let risk = Ridge::evaluate(&inputs)?.number("risk").unwrap_or(f64::NAN);
//! let draw = Ridge::draw(&inputs, Draw { seed: 0, index: 0 })?.number("risk").unwrap_or(f64::NAN);
//! assert!((draw / risk - 1.0).abs() < 0.5); // One draw of 200 samples: they fluctuate.
//! # Ok::<(), rmt_task::TaskError>(())
//! ```
#![forbid(unsafe_code)]

mod activation;
pub mod bias_amplification;
mod correlated_ridge;
mod error;
pub mod groups;
pub mod inputs;
pub mod kernel;
pub mod linear_diffusion;
pub mod model_collapse;
pub mod norm_capacity;
pub mod random_features;
mod ridge;
mod sample_kernel;
mod sampled;
mod search;
pub mod sgd;
mod simulate;

pub use activation::{ActivationFunction, Hermite, HermiteCoefficients, HermiteInputs};
pub use bias_amplification::{BiasAmplification, BiasAmplificationFlow};
pub use correlated_ridge::{
    CorrelatedRidge, CorrelatedRidgeInputs, LossWeight, SeparableResolvent,
    SeparableResolventInputs,
};
pub use error::{Error, Result};
pub use model_collapse::{ModelCollapse, ModelCollapseGenerations};
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
        Registration::simulated::<random_features::RandomFeatures>(),
        Registration::simulated::<random_features::RandomFeaturesOptimal>(),
        Registration::simulated::<random_features::RandomFeaturesScan>(),
        Registration::simulated::<Hermite>(),
        Registration::simulated::<norm_capacity::NormCapacity>(),
        Registration::simulated::<norm_capacity::NormCurve>(),
        Registration::simulated::<norm_capacity::NormLine>(),
        Registration::simulated::<norm_capacity::NormBudget>(),
        Registration::simulated::<norm_capacity::NormToRisk>(),
        Registration::of::<norm_capacity::NormRates>(),
        Registration::simulated::<BiasAmplification>(),
        Registration::simulated::<BiasAmplificationFlow>(),
        Registration::simulated::<ModelCollapse>(),
        Registration::simulated::<ModelCollapseGenerations>(),
        Registration::simulated::<sgd::Sgd>(),
        Registration::simulated::<sgd::TwoPointTask>(),
        Registration::simulated::<sgd::SgdStability>(),
        Registration::of::<sgd::SgdScaling>(),
    ]
}
