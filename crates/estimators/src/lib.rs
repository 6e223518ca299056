//! Ridge regression from data, for rows that may be correlated.
//!
//! Start at [`Regression`]: it decomposes the features once and returns, for every ridge and every
//! target, training error, GCV, exact leave-one-out and — given the correlation of the rows —
//! CorrGCV and its relatives ([`Criteria`], [`Path`]). Arrays in, results out; no files.
//!
//! λ multiplies |θ|² beside the *mean* squared residual: scikit-learn's `alpha` is nλ.
#![forbid(unsafe_code)]

mod choose;
mod decomposition;
mod error;
mod path;
mod prepare;
mod regression;
mod shrinkage;
mod table;
mod task;
mod test_point;
mod two_component;

pub use choose::{Choice, Criterion, Edge};
pub use decomposition::Method;
pub use error::{Error, Result};
pub use path::{Criteria, Path, TargetPath};
pub use prepare::Options;
pub use regression::{Coefficients, Regression};
pub use table::Table;
pub use task::{CorrGcv, CorrGcvInputs};
pub use two_component::TwoComponent;

/// Every task of this crate, for a registry.
pub fn tasks() -> Vec<rmt_task::Registration> {
    vec![rmt_task::Registration::of::<CorrGcv>()]
}
