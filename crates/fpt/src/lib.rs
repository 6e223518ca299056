//! Certified large-size limits of traces of random-matrix expressions.
//!
//! A typed expression in random and deterministic matrices, such as
//! `tr(inv(Z'*Z/n + lam*I(p)))`, is linearised exactly, its average resolvent solved from the matrix
//! Dyson equation
//!
//! ```text
//! G = (F − η(G))⁻¹,   η(M) = E[Q M Q],
//! ```
//!
//! reduced to as few scalar unknowns as it has, and the solution accepted only with a certificate
//! that it is the physical one. Sources: Helton, Rashidi Far and Speicher (2007); Helton, Mai and
//! Speicher (2018); Ajanki, Erdős and Krüger (2019); Subramonian and Dohmatob (2025).
//!
//! ```
//! use rmt_fpt::{Model, Problem};
//!
//! let problem: Problem = serde_json::from_str(r#"{
//!     "dims": {"n": 300, "p": 200},
//!     "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
//!     "parameters": {"lam": 0.1},
//!     "expression": "tr(inv(Z'*Z/n + lam*I(p)))"
//! }"#)?;
//! let answer = Model::new(&problem)?.evaluate()?;
//! assert!((answer.value.re - 1.805_937_104_039).abs() < 1e-12);
//! assert!(answer.rho < 1.0); // The certificate.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod binding;
mod curve;
mod engine;
mod error;
#[cfg(test)]
mod exactness;
mod field;
mod formula;
mod gallery;
mod input;
mod matrix;
mod model;
mod nodes;
mod pencil;
mod rotation;
mod show;
mod simulate;
mod solve;
mod structure;
mod symbolic;
mod syntax;
mod task;
mod twin;
mod typing;

pub use curve::{CurvePoint, size_curve};
pub use error::{Error, Place, Result, Span};
pub use gallery::{Example, gallery};
pub use input::{Basis, Deterministic, Parameter, Problem, Random, RandomKind, Variance};
pub use model::{Answer, Model};
pub use simulate::{Check, Entries, Simulation, Verdict, check, enlarged, sample};
pub use solve::Path;
pub use task::tasks;
