//! How far two diffusion models trained on different parts of a data set agree: predicted from its
//! spectrum, measured by splitting it, compared with samples of the user's own models.
//!
//! The theory is that of linear denoisers ([`rmt_models::linear_diffusion`], after Wang,
//! Zavatone-Veth and Pehlevan, arXiv:2602.02908) with the eigenvalues of the whole data set as the
//! population. It holds for n up to half of the rows, where it can be checked; beyond, the sample
//! spectrum stands in for a population that is not known.

mod check;
mod forecast;
mod generated;
mod report;
mod rows;
mod spectrum;

pub use check::{Measured, SplitCheck};
pub use forecast::{Disagreement, Forecast, Output, SplitEstimate};
pub use generated::GeneratedPair;
pub use report::{AtLevel, Comparison, warnings};
pub use rows::RowSource;
pub use spectrum::{SampleSpectrum, SpectrumMethod};
