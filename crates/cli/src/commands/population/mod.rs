//! Predators, prey and scavengers: trajectories, equilibria, branches, sensitivities and fits.

mod branch;
mod cycles;
mod equilibria;
mod fit;
mod model;
mod portrait;
mod simulate;

use crate::args::{Output, check_figure};
use crate::failure::{Failure, Result};
use crate::output::{note, print};
use crate::report::Report;
use crate::{figure::Figure, files};
use rmt_task::Observables;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Densities over time.
    Simulate(simulate::Args),
    /// Every equilibrium with its stability.
    Equilibria(equilibria::Args),
    /// Follow an equilibrium in a parameter: folds, Hopf and transcritical points.
    Continue(branch::Args),
    /// How an equilibrium moves with each parameter.
    Sensitivity(equilibria::SensitivityArgs),
    /// Rates and initial state from a time series.
    Fit(fit::Args),
}

pub(crate) fn run(args: &Args) -> Result {
    let (output, more): (&Output, &[(&str, Option<&String>)]) = match &args.command {
        Command::Simulate(args) => (&args.output, &[("--phase", args.phase.as_ref())]),
        Command::Equilibria(args) => (&args.output, &[]),
        Command::Continue(args) => (&args.output, &[]),
        Command::Sensitivity(args) => (&args.output, &[]),
        Command::Fit(args) => (
            &args.output,
            &[
                ("--phase", args.phase.as_ref()),
                ("--loss-plot", args.loss_plot.as_ref()),
                ("--profile-plot", args.profile_plot.as_ref()),
            ],
        ),
    };
    output.check()?;
    for (option, path) in more {
        path.map_or(Ok(()), |path| check_figure(option, path).map(|_| ()))?;
    }
    match &args.command {
        Command::Simulate(args) => simulate::run(args),
        Command::Equilibria(args) => equilibria::run(args),
        Command::Continue(args) => branch::run(args),
        Command::Sensitivity(args) => equilibria::run_sensitivity(args),
        Command::Fit(args) => fit::run(args),
    }
}

/// Prints a result as the output options say, and writes its files.
fn deliver(
    output: &Output,
    task: &str,
    values: &Observables,
    table: &str,
    rows: &[Vec<String>],
    figure: impl FnOnce() -> Figure,
) -> Result<()> {
    let json = || serde_json::to_string(values).map_err(Failure::result);
    if let Some(path) = &output.out {
        let text = match files::extension(path).as_str() {
            "json" => json()? + "\n",
            _ => files::csv(rows)?,
        };
        files::write(path, text.as_bytes())?;
    }
    if output.json {
        print(&json()?)?;
    } else {
        print(table)?;
        values.notes().iter().for_each(|n| note(n));
    }
    if output.plot.is_none() && output.report.is_none() {
        return Ok(());
    }
    let figure = figure();
    if let Some(path) = &output.plot {
        save(&figure, path)?;
    }
    if let Some(path) = &output.report {
        let report = Report {
            title: figure.title.clone(),
            task,
            inputs: serde_json::to_value(values).map_err(Failure::result)?,
            text: table.to_owned(),
            notes: values.notes().to_vec(),
            figures: vec![figure],
        };
        report.save(path)?;
    }
    Ok(())
}

fn save(figure: &Figure, path: &str) -> Result<()> {
    let data = figure.save(path)?;
    note(&format!("figure in {path}, its data in {data}"));
    Ok(())
}

/// The stretches of some curves where `keep` holds at their beginning, one line with gaps.
fn stretches<'a, T: 'a>(
    curves: impl Iterator<Item = &'a [T]>,
    keep: impl Fn(&T) -> bool,
    point: impl Fn(&T) -> (f64, f64),
) -> (Vec<f64>, Vec<f64>) {
    const GAP: (f64, f64) = (f64::NAN, f64::NAN);
    let mut line = Vec::new();
    for curve in curves {
        for pair in curve.windows(2) {
            if keep(&pair[0]) {
                line.extend(pair.iter().map(&point));
            } else {
                line.push(GAP);
            }
        }
        line.push(GAP);
    }
    line.into_iter().unzip()
}
