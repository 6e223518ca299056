//! The whole fit: network (if wanted), least squares from every start it offers, identifiability.

use crate::identifiability::{Identifiability, identifiability};
use crate::least_squares::{Estimate, fit as refine, least_squares, least_squares_from};
use crate::problem::Problem;
use crate::profile::{Profile, Traced, trace};
use crate::shooting::multiple_shooting;
use crate::training::{NetworkFit, Observer, Training, train};
use crate::{Error, Result};

/// Smallest initial density that least squares starts from, relative to the guess: a network may
/// end at or below zero.
const LEAST_START: f64 = 1e-3;

/// How often profiles may move the estimate to a lower χ².
const MAX_MOVES: usize = 10;

/// The maximum-likelihood estimate with what stands behind it.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The trained network, if one was asked for.
    pub network: Option<NetworkFit>,
    /// χ² reached from each start: `initial_guess`, `multiple_shooting`, `network`, `matched`;
    /// `None` where least squares failed.
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
    let mut attempts = vec![
        ("initial_guess", least_squares(problem)),
        ("multiple_shooting", multiple_shooting(problem)),
    ];
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
    let mut estimate = best.unwrap_or(Err(Error::NoStart))?;
    let mut found = Vec::new();
    if profiles {
        // A profile may walk into a deeper valley: then the estimate moves there and every profile
        // starts anew.
        let mut moves = 0;
        found = loop {
            match all_profiles(problem, &estimate)? {
                Ok(profiles) => break profiles,
                Err(better) if moves == MAX_MOVES => {
                    let (chi2, lower) = (estimate.chi2, better.chi2);
                    return Err(Error::NotTheMinimum { chi2, lower });
                }
                Err(better) => estimate = refine(problem, &better.unknowns, &[])?,
            }
            moves += 1;
        };
    }
    let identifiability = identifiability(&estimate)?;
    Ok(Some(Fit { network, starts, estimate, identifiability, profiles: found }))
}

/// The profiles of all free rates, or the first better point that one of them finds.
fn all_profiles(
    problem: &Problem<'_>,
    estimate: &Estimate,
) -> Result<Result<Vec<Profile>, Box<Estimate>>> {
    let mut found = Vec::new();
    for index in 0..problem.free().len() {
        match trace(problem, estimate, index)? {
            Traced::Profile(profile) => found.push(profile),
            Traced::Lower(better) => return Ok(Err(better)),
        }
    }
    Ok(Ok(found))
}
