//! Groups of rows: who bears the error of a common fit, and what foreign (synthetic) rows are worth.
//!
//! In sample, one joint ridge fit gives every group's own leave-one-out error with its error bar
//! ([`Regression::by_group`](crate::Regression::by_group)). Out of sample, each group's rows are
//! taken as its population — covariance, least-squares coefficients, noise — and the theory of
//! [`rmt_models::groups`] predicts any numbers of samples, ridges and weights ([`Pools`], [`Mix`]),
//! with bands from refitting resampled rows.
//!
//! The population view centres every group on its own mean and needs more rows than features in
//! each; its errors are within about 10 % from four rows a feature on, 2 % from ten.

mod bootstrap;
mod disparity;
mod mix;
mod pool;
mod weight_band;

pub use bootstrap::Band;
pub use disparity::GroupCriteria;
pub use mix::{Mix, MixPoint};
pub use pool::{Pool, Pools, Prediction};
