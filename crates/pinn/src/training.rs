//! Training: Adam, then L-BFGS on network and rates together, then BFGS on the rates alone.

use crate::adam::Adam;
use crate::checkpoint::{Checkpoint, fingerprint};
use crate::collocation::Collocation;
use crate::matching::match_gradients;
use crate::objective::{Full, Loss, Objective, Scheduled, Stopped};
use crate::problem::Problem;
use crate::{Error, Result};
use argmin::core::Executor;
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// How to train. The defaults are those of the docs of each field.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// Sizes of the hidden layers: three of 32.
    pub hidden: Vec<usize>,
    /// Number of collocation points: 200.
    pub collocation_points: usize,
    /// Their places: uniform.
    pub collocation: Collocation,
    /// Epochs of Adam: 6000.
    pub epochs: usize,
    /// Learning rates at the first and the last epoch: 3e-3, 3e-4.
    pub learning_rates: (f64, f64),
    /// Epochs with the data alone: 1000.
    pub data_only: usize,
    /// Epochs in which the weight of the equations grows from 0.01 to 1: 2000.
    pub ramp: usize,
    /// Iterations of L-BFGS after Adam: 2500.
    pub refinements: usize,
    /// Seed of the random weights: 0.
    pub seed: u64,
    /// File to which the training is saved, and from which it resumes if it exists.
    pub checkpoint: Option<PathBuf>,
    /// Epochs between two saves: 500.
    pub checkpoint_every: usize,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            hidden: vec![32; 3],
            collocation_points: 200,
            collocation: Collocation::Uniform,
            epochs: 6000,
            learning_rates: (3e-3, 3e-4),
            data_only: 1000,
            ramp: 2000,
            refinements: 2500,
            seed: 0,
            checkpoint: None,
            checkpoint_every: 500,
        }
    }
}

impl Training {
    fn check(&self) -> Result<()> {
        let setting = |name, value, remedy| Err(Error::Setting { name, value, remedy });
        if self.hidden.is_empty() || self.hidden.contains(&0) {
            let width = self.hidden.iter().min().copied().unwrap_or(0);
            return setting("hidden", width as f64, "give at least one layer of at least one unit");
        }
        if self.collocation_points < 2 {
            let count = self.collocation_points as f64;
            return setting("collocation_points", count, "give at least 2");
        }
        if self.epochs == 0 {
            return setting("epochs", 0.0, "give at least 1");
        }
        for rate in [self.learning_rates.0, self.learning_rates.1] {
            if !(rate > 0.0 && rate <= 1.0) {
                return setting("learning_rates", rate, "give numbers in (0, 1]");
            }
        }
        if self.checkpoint_every == 0 {
            return setting("checkpoint_every", 0.0, "give at least 1");
        }
        Ok(())
    }
}

/// Where a training is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Epochs of Adam and iterations of L-BFGS so far.
    pub epoch: usize,
    /// The loss there.
    pub loss: Loss,
}

/// What a network made of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkFit {
    /// All parameters after Adam.
    pub after_adam: Vec<f64>,
    /// All parameters after L-BFGS: the estimate of the network.
    pub parameters: Vec<f64>,
    /// All parameters after matching the slopes of the trained network by BFGS.
    pub matched: Vec<f64>,
    /// The network's densities at t = 0.
    pub initial_state: Vec<f64>,
    /// The network's densities at the times of the data: the data without their noise.
    pub states: Vec<Vec<f64>>,
    /// The loss at every epoch and iteration.
    pub history: Vec<Loss>,
    /// The loss at the end, with full weight of the equations.
    pub loss: Loss,
}

/// Called at every epoch; [`ControlFlow::Break`] stops the training.
pub type Observer<'a> = &'a mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// Trains a network on the observations and equations of a problem. `None` when the observer
/// stopped it: with a checkpoint file the next call continues there, with bitwise the same result.
pub fn train<'p>(
    problem: &'p Problem<'p>,
    training: &Training,
    observer: Option<Observer<'p>>,
) -> Result<Option<NetworkFit>> {
    training.check()?;
    let objective = Objective::new(problem, training, observer)?;
    let Some(adam) = run_adam(problem, &objective, training)? else { return Ok(None) };
    let after_adam = objective.parameters(&adam);
    let Some(refined) = run_lbfgs(&objective, adam, training)? else { return Ok(None) };
    let parameters = objective.parameters(&refined);
    let loss = objective.evaluate(&refined, 1.0);
    let smoothed = objective.smoothed(&refined);
    let matched = match_gradients(problem, &parameters, &smoothed, &objective.deviations())?;
    let initial_state = objective.states(&refined, &[0.0]).swap_remove(0);
    Ok(Some(NetworkFit {
        after_adam,
        parameters,
        matched,
        initial_state,
        states: objective.states(&refined, problem.observations().times()),
        history: objective.history(),
        loss,
    }))
}

fn run_adam(
    problem: &Problem<'_>,
    objective: &Objective<'_>,
    training: &Training,
) -> Result<Option<Vec<f64>>> {
    let mut adam = Adam::new(training.learning_rates, training.epochs as u64);
    let mut start = objective.initial(training.seed);
    let print = fingerprint(problem, training);
    if let Some(path) = &training.checkpoint
        && let Some(saved) = Checkpoint::load(path, print)?
    {
        start = saved.parameters;
        adam.restore(saved.taken, saved.first, saved.second);
        objective.resume(saved.taken as usize, saved.history);
    }
    // Segments between two saves; a segment is one run of the executor.
    loop {
        let (taken, ..) = adam.moments();
        if taken >= training.epochs as u64 {
            return Ok(Some(start));
        }
        let segment = match training.checkpoint {
            Some(_) => training.checkpoint_every as u64 - taken % training.checkpoint_every as u64,
            None => training.epochs as u64,
        };
        let run = Executor::new(Scheduled(objective), adam.clone())
            .configure(|state| state.param(start.clone()).max_iters(segment))
            .timer(false)
            .run();
        let result = match run {
            Ok(result) => result,
            Err(error) if error.is::<Stopped>() => return Ok(None),
            Err(error) => {
                return Err(match error.downcast::<Error>() {
                    Ok(Error::Diverged { epoch, .. }) => {
                        let mut at = adam;
                        at.restore(epoch as u64, Vec::new(), Vec::new());
                        Error::Diverged { epoch, rate: at.rate() }
                    }
                    Ok(other) => other,
                    Err(error) => Error::Optimiser { reason: error.to_string() },
                });
            }
        };
        adam = result.solver;
        start = result.state.param.unwrap_or(start);
        if let Some(path) = &training.checkpoint {
            let (taken, first, second) = adam.moments();
            Checkpoint {
                fingerprint: print,
                taken,
                parameters: start.clone(),
                first: first.to_vec(),
                second: second.to_vec(),
                history: objective.history(),
            }
            .save(path)?;
        }
        debug_assert_eq!(objective.epoch() as u64, adam.moments().0);
    }
}

fn run_lbfgs(
    objective: &Objective<'_>,
    start: Vec<f64>,
    training: &Training,
) -> Result<Option<Vec<f64>>> {
    if training.refinements == 0 {
        return Ok(Some(start));
    }
    objective.forget();
    let failed = |e: argmin::core::Error| Error::Optimiser { reason: e.to_string() };
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), 50)
        .with_tolerance_grad(1e-9)
        .and_then(|s| s.with_tolerance_cost(1e-15))
        .map_err(failed)?;
    let run = Executor::new(Full(objective), solver)
        .configure(|state| state.param(start.clone()).max_iters(training.refinements as u64))
        .timer(false)
        .run();
    match run {
        Err(error) if error.is::<Stopped>() => Ok(None),
        // A line search that can go no further ends the refinement at the best point so far.
        _ => Ok(Some(objective.best().unwrap_or(start))),
    }
}
