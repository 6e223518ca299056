mod data;
mod figures;

use super::model::Chosen;
use super::{deliver, portrait, save};
use crate::args::Output;
use crate::failure::{Failure, Result};
use crate::files::cell;
use crate::inputs::Inputs;
use crate::output::{number, table};
use data::{problem, read};
use figures::{band, dense, full_rows, losses, profiles};
use indicatif::{ProgressBar, ProgressStyle};
use rmt_dynamics::{model, models};
use rmt_pinn::{Bound, Fit, Loss, Problem, Progress, Training, observables, predict};
use rmt_task::TaskError;
use std::io::{IsTerminal, stderr};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  rmt population fit data/hare_lynx.csv --model predator_prey --time year --columns x=hare,y=lynx \\
    --sigma x=8,y=6 --guess r=0.55,k=500,a=0.001,a0=0.0003,d=0.0008,e=0.8 --plot fit.svg
  rmt population fit data/isle_royale.csv --model predator_prey --time year --until 2011 \\
    --columns x=moose,y=wolves --sigma x=150,y=4 --guess r=1,k=2000,a=3e-4,a0=2e-5,d=2e-5,e=1
  rmt population fit series.csv --columns x=prey,y=wolves --sigma x=5,y=2 --guess r=1,a=0.5,d=0.4 \\
    --fixed k=10,a0=0.3,… --start z=0.5 --profiles --profile-plot profiles.svg

Every parameter of the model is either guessed (and then fitted) or fixed. The estimate reported is
the maximum-likelihood one: least squares from the guess, from multiple shooting and from the rates of
a physics-informed network that is trained first.";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Table with a column of times and one for each observed species (.csv, `-` for standard
    /// input).
    data: String,
    /// Column of times; the first row is time 0 [default: the first column].
    #[arg(long, value_name = "COL", help_heading = "Data")]
    time: Option<String>,
    /// Which column holds which species: x=hare,y=lynx.
    #[arg(
        long,
        value_name = "SPECIES=COL,…",
        value_delimiter = ',',
        required = true,
        help_heading = "Data"
    )]
    columns: Vec<String>,
    /// Standard deviation of the observations of each species: x=8,y=6.
    #[arg(
        long,
        value_name = "SPECIES=SD,…",
        value_delimiter = ',',
        required = true,
        help_heading = "Data"
    )]
    sigma: Vec<String>,
    /// Use rows up to this time (as in the file) only.
    #[arg(long, value_name = "T", allow_negative_numbers = true, help_heading = "Data")]
    until: Option<f64>,
    /// Name of the model.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "predator_prey_scavenger",
        help_heading = "Model"
    )]
    model: String,
    /// Parameters to fit, with the values to start from: r=0.8,k=200.
    #[arg(
        long,
        value_name = "NAME=VALUE,…",
        value_delimiter = ',',
        required = true,
        help_heading = "Model"
    )]
    guess: Vec<String>,
    /// Parameters that are known: k=10.
    #[arg(long, value_name = "NAME=VALUE,…", value_delimiter = ',', help_heading = "Model")]
    fixed: Vec<String>,
    /// Initial densities to start from: z=0.5 [default: the first row; 0, and so absent, for a
    /// species without a column].
    #[arg(long, value_name = "SPECIES=U,…", value_delimiter = ',', help_heading = "Model")]
    start: Vec<String>,
    /// Only least squares (from the guess, and by multiple shooting), without a network.
    #[arg(long, help_heading = "Network")]
    no_network: bool,
    /// Epochs of Adam.
    #[arg(long, value_name = "N", default_value_t = 6000, help_heading = "Network")]
    epochs: usize,
    /// Seed of the network's random weights.
    #[arg(long, value_name = "SEED", default_value_t = 0, help_heading = "Network")]
    seed: u64,
    /// Save the training here, and resume it from here.
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    checkpoint: Option<PathBuf>,
    /// Also compute a profile likelihood and its 95 % interval for every fitted parameter.
    #[arg(long, help_heading = "Output")]
    profiles: bool,
    /// Draw the profiles, χ² over the parameter in relative units (.svg).
    #[arg(long, value_name = "FILE", requires = "profiles", help_heading = "Output")]
    pub(super) profile_plot: Option<String>,
    /// Draw the loss over the epochs (.svg).
    #[arg(long, value_name = "FILE", conflicts_with = "no_network", help_heading = "Output")]
    pub(super) loss_plot: Option<String>,
    /// Draw data and fit in the plane of the first two species (.svg).
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) phase: Option<String>,
    #[command(flatten)]
    pub(super) output: Output,
}

pub(crate) fn run(args: &Args) -> Result {
    let model = model(&args.model).map_err(|_| {
        let known = models().map(|m| m.name()).join(", ");
        Failure::input(format!("--model {}: the models are {known}", args.model))
    })?;
    let data = read(args, model)?;
    let problem = problem(args, model, &data)?;
    let training = (!args.no_network).then(|| Training {
        epochs: args.epochs,
        seed: args.seed,
        checkpoint: args.checkpoint.clone(),
        ..Training::default()
    });
    let bar = bar(training.as_ref());
    let mut observer = |progress: &Progress| {
        if progress.epoch.is_multiple_of(20) {
            bar.set_position(progress.epoch as u64);
            let Loss { data, residual, .. } = progress.loss;
            bar.set_message(format!("data {data:.2e}, equations {residual:.2e}"));
        }
        ControlFlow::Continue(())
    };
    let found = rmt_pinn::fit(&problem, training.as_ref(), args.profiles, Some(&mut observer))
        .map_err(|e| Failure::from(TaskError::from(e)))?;
    bar.finish_and_clear();
    // The observer never stops the training.
    let Some(found) = found else { return Ok(ExitCode::FAILURE) };

    let values = observables(&problem, &found);
    let (text, csv) = report(&problem, &found);
    let figure = band(&problem, &found, &data)?;
    deliver(&args.output, "population_fit", &values, &text, &csv, || figure)?;
    if let (Some(path), Some(network)) = (&args.loss_plot, &found.network) {
        save(&losses(&network.history), path)?;
    }
    if let Some(path) = &args.profile_plot {
        save(&profiles(&found), path)?;
    }
    if let Some(path) = &args.phase {
        let chosen = Chosen {
            model,
            parameters: found.estimate.parameters.clone(),
            inputs: Inputs::example(rmt_pinn::tasks()[0].card())?,
        };
        let dense = dense(&problem);
        let orbit = predict(&problem, &found.estimate, &dense).map_err(TaskError::from)?.states;
        save(&portrait::figure(&chosen, &orbit, &full_rows(&problem, &data))?, path)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// On a terminal only: a bar with the loss, or a clock while least squares works alone.
fn bar(training: Option<&Training>) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match training {
        Some(training) => (
            ProgressBar::new((training.epochs + training.refinements) as u64),
            "training {bar:30} {pos}/{len}, {eta} left; {msg}",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} least squares, {elapsed}"),
    };
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    ProgressStyle::with_template(template).map_or(ProgressBar::hidden(), |s| bar.with_style(s))
}

fn report(problem: &Problem<'_>, found: &Fit) -> (String, Vec<Vec<String>>) {
    let names = problem.unknown_names();
    let (rates, estimate) = (problem.free(), &found.estimate);
    let errors = found.identifiability.relative_standard_errors.as_ref();
    let mut header = vec!["unknown", "estimate", "s.e.", "s.e. %"];
    if found.network.is_some() {
        header.push("network");
    }
    if !found.profiles.is_empty() {
        header.push("95 % interval");
    }
    let (mut rows, mut csv) = (Vec::new(), vec![header.iter().map(|h| (*h).to_owned()).collect()]);
    for (m, name) in names.iter().enumerate() {
        let state = m.checked_sub(rates.len()).map(|s| problem.present()[s]);
        let value = match state {
            None => estimate.parameters[rates[m]],
            Some(n) => estimate.initial_state[n],
        };
        let relative = errors.map_or(f64::NAN, |e| e[m]);
        let network = found.network.as_ref().map(|net| match state {
            None => net.parameters[rates[m]],
            Some(n) => net.initial_state[n],
        });
        let line = |show: &dyn Fn(f64) -> String| {
            let known = |x: f64| if x.is_nan() { "–".to_owned() } else { show(x) };
            let mut row = vec![name.clone(), show(value), known(relative * value)];
            row.push(known(100.0 * relative));
            row.extend(network.map(show));
            if !found.profiles.is_empty() {
                row.push(found.profiles.get(m).map_or(String::new(), |p| {
                    let end = |bound: Bound, open: &str, beyond: &str| match bound {
                        Bound::At(value) => show(value),
                        Bound::Beyond(value) => format!("{beyond}{}", show(value)),
                        Bound::Open => open.to_owned(),
                    };
                    format!("{} to {}", end(p.interval.0, "0", "<"), end(p.interval.1, "∞", ">"))
                }));
            }
            row
        };
        rows.push(line(&|x| number(x, 5)));
        csv.push(line(&cell));
    }
    let degrees = problem.observations().values().len() - names.len();
    let mut text = table(&header, &rows);
    text += &format!("\nχ² = {} on {degrees} degrees of freedom", number(estimate.chi2, 6));
    let starts: Vec<String> = found
        .starts
        .iter()
        .map(|(name, chi2)| {
            let chi2 = chi2.map_or("failed".to_owned(), |c| number(c, 6));
            format!("{} {chi2}", name.replace('_', " "))
        })
        .collect();
    text += &format!(" (least squares from {}).\n", starts.join(", "));
    // χ² has mean `degrees` and variance twice that where the model and σ are right.
    let excess = (estimate.chi2 - degrees as f64) / (2.0 * degrees as f64).sqrt();
    if degrees > 0 && excess > 5.0 {
        text += "The model does not describe these data within their errors: χ² should be near its \
                 degrees of freedom, and standard errors mean little.\n";
    }
    let information = &found.identifiability;
    let condition = number(information.condition, 2);
    let direction = information.direction(&names);
    text += &match errors {
        Some(errors) => {
            let worst = errors.iter().copied().fold(0.0_f64, f64::max);
            let verdict = if worst > 0.5 {
                "Some unknowns are hardly determined: trust profiles, not standard errors. "
            } else {
                ""
            };
            format!(
                "{verdict}Fisher information: condition {condition}, least known direction \
                 {direction}.\n"
            )
        }
        // Which combination it is and what to do stands in the note.
        None => format!("Not identifiable: Fisher information of condition {condition}.\n"),
    };
    (text, csv)
}
