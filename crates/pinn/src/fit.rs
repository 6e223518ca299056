//! The whole fit: network (if wanted), least squares from every start it offers, identifiability.

use crate::identifiability::{Identifiability, Profile, identifiability, profile};
use crate::least_squares::{Estimate, least_squares, least_squares_from};
use crate::problem::Problem;
use crate::training::{NetworkFit, Observer, Training, train};
use crate::{Error, Result};

/// Smallest initial density that least squares starts from, relative to the guess: a network may
/// end at or below zero.
const LEAST_START: f64 = 1e-3;

/// The maximum-likelihood estimate with what stands behind it.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The trained network, if one was asked for.
    pub network: Option<NetworkFit>,
    /// χ² reached from each start: `initial_guess`, `network`, `matched`; `None` where least
    /// squares failed.
    pub starts: Vec<(&'static str, Option<f64>)>,
    /// The best of them: the estimate to report.
    pub estimate: Estimate,
    /// Fisher information at the estimate.
    pub identifiability: Identifiability,
    /// Profile likelihoods of the free rates, if asked for.
    pub profiles: Vec<Profile>,
}

/// Fits a problem. With `training` a network is trained first and its rates (and those matched to
/// its slopes) are further starts of least squares. `None` when the observer stopped the training.
pub fn fit<'p>(
    problem: &'p Problem<'p>,
    training: Option<&Training>,
    profiles: bool,
    observer: Option<Observer<'p>>,
) -> Result<Option<Fit>> {
    let network = match training {
        None => None,
        Some(training) => match train(problem, training, observer)? {
            None => return Ok(None),
            trained => trained,
        },
    };
    let mut attempts = vec![("initial_guess", least_squares(problem))];
    if let Some(network) = &network {
        let start: Vec<f64> = network
            .initial_state
            .iter()
            .zip(problem.initial_state())
            .map(|(u, guess)| u.max(LEAST_START * guess))
            .collect();
        attempts.push(("network", least_squares_from(problem, &network.parameters, &start)));
        attempts.push(("matched", least_squares_from(problem, &network.matched, &start)));
    }
    let starts =
        attempts.iter().map(|(name, e)| (*name, e.as_ref().ok().map(|e| e.chi2))).collect();
    let best = attempts.into_iter().map(|(_, attempt)| attempt).reduce(|p, q| match (&p, &q) {
        (Ok(a), Ok(b)) if b.chi2 < a.chi2 => q,
        (Err(_), Ok(_)) => q,
        _ => p,
    });
    let estimate = best.unwrap_or(Err(Error::NoStart))?;
    let identifiability = identifiability(&estimate)?;
    let profiles = if profiles {
        (0..problem.free().len())
            .map(|index| profile(problem, &estimate, index))
            .collect::<Result<_>>()?
    } else {
        Vec::new()
    };
    Ok(Some(Fit { network, starts, estimate, identifiability, profiles }))
}
