//! Tests of the estimators from data.

mod bands;
mod common;
mod correlation;
mod folds;
mod learning;
mod limits;
mod monte_carlo;
mod parity;
mod properties;
mod random_features;
mod real_series;
mod reference_cases;
