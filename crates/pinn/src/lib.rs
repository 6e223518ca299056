//! Fits of population models to time series: a physics-informed network to find the way, least
//! squares for the numbers, and a report on what the data can tell.
//!
//! Given densities of some species at some times, find the free rates of a [`PopulationModel`] and
//! the initial state. [`least_squares`] gives the maximum-likelihood estimate with exact
//! derivatives from forward sensitivities; [`identifiability()`] gives its standard errors, or
//! names the combination of rates that the data leave open; [`profile`] gives likelihood intervals.
//! [`train`] fits a network to data and equations at once (Raissi, Perdikaris and Karniadakis
//! 2019): it needs no good initial guess and smooths the data, but its own estimate is not the one
//! to report. [`fit()`] does all of it.
//!
//! ```
//! use rmt_dynamics::{LotkaVolterra, PopulationModel, Settings, simulate};
//! use rmt_pinn::{Observations, Problem, Sigma, fit};
//!
//! // What rates made this series? Here they are known.
//! let (truth, times) = ([1.0, 0.1, 1.5, 0.075], Vec::from_iter((0..25).map(|t| 0.5 * t as f64)));
//! let run = simulate(&LotkaVolterra, &truth, &[10.0, 5.0], &times, &Settings::default())?;
//! let rows: Vec<Vec<Option<f64>>> =
//!     run.states.iter().map(|state| state.iter().map(|&u| Some(u)).collect()).collect();
//! let both = ["x".to_owned(), "y".to_owned()];
//! let sigma = Sigma::PerSpecies(vec![0.1, 0.1]);
//! let series = Observations::new(&LotkaVolterra, &times, &both, &rows, &sigma)?;
//!
//! let names: Vec<String> = LotkaVolterra.parameters().iter().map(|q| q.name.to_owned()).collect();
//! let guess = names.iter().cloned().zip(truth.map(|rate| 1.2 * rate)).collect();
//! let problem =
//!     Problem::new(&LotkaVolterra, series, &names, &guess, &Default::default(), &[10.0, 5.0])?;
//! let found = fit(&problem, None, false, None)?.expect("nothing stops it");
//! assert!(found.estimate.chi2 < 1e-6);
//! # Ok::<(), rmt_pinn::Error>(())
//! ```
//!
//! [`PopulationModel`]: rmt_dynamics::PopulationModel
#![forbid(unsafe_code)]

mod adam;
mod checkpoint;
mod collocation;
mod error;
mod fit;
mod identifiability;
mod kernels;
mod least_squares;
mod matching;
mod network;
mod objective;
mod problem;
mod profile;
mod shooting;
mod task;
mod training;

pub use adam::Adam;
pub use collocation::Collocation;
pub use error::{Error, Result};
pub use fit::{Fit, fit};
pub use identifiability::{Identifiability, Prediction, identifiability, predict};
pub use least_squares::{Estimate, least_squares, least_squares_from};
pub use objective::Loss;
pub use problem::{Observations, Problem, Sigma};
pub use profile::{Bound, Profile, profile};
pub use shooting::multiple_shooting;
pub use task::{observables, tasks};
pub use training::{NetworkFit, Observer, Progress, Training, train};
