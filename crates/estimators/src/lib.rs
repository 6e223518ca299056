//! Ridge regression from data, for rows that may be correlated.
//!
//! Start at [`Regression`]: it decomposes the features once and returns, for every ridge and every
//! target, training error, GCV, exact leave-one-out and — given the correlation of the rows —
//! CorrGCV and its relatives ([`Criteria`], [`Path`]), exact blocked, grouped and K-fold
//! cross-validation ([`Folds`]), bands ([`Regression::uncertainty`]), a check of the assumptions
//! ([`Regression::diagnose`]) and the error on other numbers of rows
//! ([`Regression::learning_curve`]). [`RowCorrelation`] finds the correlation of the rows. Arrays in,
//! results out; no files.
//!
//! λ multiplies |θ|² beside the *mean* squared residual: scikit-learn's `alpha` is nλ.
//!
//! ```
//! use rmt_estimators::{Criteria, Criterion, Options, Regression, Table};
//! use rmt_models::kernel::{Family, SampleCorrelation};
//!
//! // A slow wave and a fast one, eighty steps; the target follows the slow one.
//! let x: Vec<f64> = (0..80).flat_map(|t| [(0.1 * t as f64).sin(), (2.3 * t as f64).cos()]).collect();
//! let y: Vec<f64> = (0..80).map(|t| (0.1 * t as f64).sin() + 0.3 * (0.5 * t as f64).cos()).collect();
//! let data = Regression::new(Table::new(&x, 80, 2)?, Table::column(&y), &Options::default())?;
//!
//! let kernel = SampleCorrelation::from(Family::Exponential { length: 5.0 }).kernel(80)?;
//! let criteria = Criteria { loo: true, correlation: Some(&kernel), ..Criteria::default() };
//! let path = data.tuned_path(&data.grid(30), &criteria, Criterion::CorrGcv)?;
//! let best = path.choose(Criterion::CorrGcv, 0)?;
//! // Neighbouring rows give the answer away to GCV, not to CorrGCV.
//! assert!(best.value > path.targets[0].gcv[best.index]);
//! # Ok::<(), rmt_estimators::Error>(())
//! ```
#![forbid(unsafe_code)]

mod choose;
mod complement;
pub mod consistency;
mod decomposition;
mod diagnosis;
mod error;
mod folds;
pub mod groups;
mod kernel_fit;
mod learning;
mod moments;
mod path;
mod prepare;
mod random_features;
mod regression;
mod resample;
mod residuals;
mod row_correlation;
mod shrinkage;
mod signal;
mod table;
mod task;
mod test_point;
pub mod threads;
mod two_component;
mod uncertainty;

pub use choose::{Choice, Criterion, Edge};
pub use decomposition::Method;
pub use diagnosis::{Contrast, Diagnosis};
pub use error::{Error, Result};
pub use folds::{FoldErrors, Folds};
pub use kernel_fit::{FittedFamily, KernelFit, fit_kernel};
pub use learning::LearningPoint;
pub use moments::Moments;
pub use path::{Criteria, Path, TargetPath};
pub use prepare::Options;
pub use random_features::{FeatureMap, FeatureRegression};
pub use regression::{Coefficients, Regression};
pub use row_correlation::{RowCorrelation, Stamps, StatedCorrelation};
pub use signal::PlugIn;
pub use table::Table;
pub use task::{CorrGcv, CorrGcvInputs};
pub use two_component::TwoComponent;
pub use uncertainty::Uncertainty;

/// Every task of this crate, for a registry.
pub fn tasks() -> Vec<rmt_task::Registration> {
    vec![rmt_task::Registration::of::<CorrGcv>()]
}
