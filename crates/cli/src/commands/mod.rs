//! One file a command.

mod apply;
mod check;
mod cite;
mod completions;
mod consistency;
mod disparity;
mod eval;
mod explain;
mod fit;
mod fpt;
mod init;
mod mix;
mod models;
mod population;
mod predict;
mod schema;
mod sweep;
mod verify;

use crate::failure::Result;
use crate::registry::Registry;
use rmt_estimators::threads;

/// The subcommands. A new one is a file here, a variant and a line in [`run`].
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Compute what a model will do, from a description of the population.
    Predict(predict::Args),
    /// Fit data by ridge regression and say what error to expect on new rows.
    Fit(fit::Args),
    /// Limit of a random-matrix expression: a certified number, a curve, formulas, programs.
    Fpt(fpt::Args),
    /// Predict new rows with a model saved by `rmt fit`.
    Apply(apply::Args),
    /// Compute many points: restartable, in shards, on a cluster.
    Sweep(sweep::Args),
    /// Predators, prey and scavengers: trajectories, equilibria, bifurcations, fits.
    Population(population::Args),
    /// How many samples until diffusion models trained on different halves of your data agree.
    Consistency(Box<consistency::Args>),
    /// Errors of groups of rows under one fit, and what the theory predicts for them.
    Disparity(disparity::Args),
    /// What synthetic rows are worth beside real ones, and their best weight.
    Mix(mix::Args),
    /// Evaluate a file of cases: one JSON object a line.
    Eval(eval::Args),
    /// Compare a file of cases with the values it expects.
    Check(check::Args),
    /// Theory against simulation at the standard settings of every task.
    Verify(verify::Args),
    /// List everything that can be predicted or estimated.
    Models(models::Args),
    /// Show the equations, inputs and results of a task.
    Explain(explain::Args),
    /// Print what to cite for a task, as BibTeX.
    Cite(cite::Args),
    /// Print the JSON Schema of a task's inputs, or of a sweep.
    Schema(schema::Args),
    /// Write a commented template of a task's inputs, or of a sweep, in TOML.
    Init(init::Args),
    /// Print a completion script for your shell.
    Completions(completions::Args),
}

/// Runs a command.
pub(crate) fn run(command: Command, registry: &Registry) -> Result {
    threads::fix_parts();
    match command {
        Command::Predict(args) => predict::run(&args, registry),
        Command::Fit(args) => fit::run(&args),
        Command::Fpt(args) => fpt::run(&args),
        Command::Apply(args) => apply::run(&args),
        Command::Sweep(args) => sweep::run(&args, registry),
        Command::Population(args) => population::run(&args),
        Command::Consistency(args) => consistency::run(&args),
        Command::Disparity(args) => disparity::run(&args),
        Command::Mix(args) => mix::run(&args),
        Command::Eval(args) => eval::run(&args, registry),
        Command::Check(args) => check::run(&args, registry),
        Command::Verify(args) => verify::run(&args, registry),
        Command::Models(args) => models::run(&args, registry),
        Command::Explain(args) => explain::run(&args, registry),
        Command::Cite(args) => cite::run(&args, registry),
        Command::Schema(args) => schema::run(&args, registry),
        Command::Init(args) => init::run(&args, registry),
        Command::Completions(args) => completions::run(&args),
    }
}
