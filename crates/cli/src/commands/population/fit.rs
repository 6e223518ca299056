use super::model::{Chosen, state};
use super::{deliver, portrait, save, simulate};
use crate::args::Output;
use crate::dataset::Source;
use crate::failure::{Failure, Result};
use crate::figure::{Axis, Content, Figure, Mark, Role, Series};
use crate::files::cell;
use crate::inputs::Inputs;
use crate::output::{note, number, table};
use indicatif::{ProgressBar, ProgressStyle};
use rmt_dynamics::{PopulationModel, model, models, parameter_index, species_index};
use rmt_pinn::{
    Bound, Fit, Loss, Observations, Problem, Progress, Sigma, Training, observables, predict,
};
use rmt_task::TaskError;
use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rise of χ² at the ends of a 95 % interval.
const RISE: f64 = 3.841_459;

const EXAMPLES: &str = "\
Examples:
  rmt population fit data/hare_lynx.csv --model predator_prey --time year --columns x=hare,y=lynx \\
    --sigma x=8,y=6 --guess r=0.55,k=500,a=0.001,a0=0.0003,d=0.0008,e=0.8 --plot fit.svg
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

/// The observations as read: times from the first row on, rows of densities.
struct Data {
    /// Name of the column of times.
    time: String,
    origin: f64,
    times: Vec<f64>,
    species: Vec<usize>,
    rows: Vec<Vec<f64>>,
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
    deliver(&args.output, &values, &text, &csv, || figure)?;
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

fn read(args: &Args, model: &dyn PopulationModel) -> Result<Data> {
    let source = Source::read(&args.data)?;
    source.notes().iter().for_each(|n| note(n));
    let time = match &args.time {
        Some(column) => source.position(column)?,
        None => 0,
    };
    let all = source.numbers(time)?;
    for (row, pair) in all.windows(2).enumerate() {
        if pair[1] < pair[0] {
            return Err(Failure::input(format!(
                "{}: time {} after {}; sort the rows by time",
                source.place(row + 1),
                pair[1],
                pair[0]
            )));
        }
    }
    let used = all.iter().take_while(|t| args.until.is_none_or(|end| **t <= end)).count();
    if used == 0 {
        let until = args.until.unwrap_or_default();
        return Err(Failure::input(format!("--until {until}: no row is that early")));
    }
    let origin = all[0];
    let (mut species, mut columns) = (Vec::new(), Vec::new());
    for pair in &args.columns {
        let (name, column) = split(pair, "--columns")?;
        let index = species_index(model, name).map_err(Failure::input)?;
        if species.contains(&index) {
            return Err(Failure::input(format!("--columns: {name} is given two columns")));
        }
        species.push(index);
        columns.push(source.numbers(source.position(column)?)?);
    }
    Ok(Data {
        time: source.header()[time].clone(),
        origin,
        times: all[..used].iter().map(|t| t - origin).collect(),
        species,
        rows: (0..used).map(|row| columns.iter().map(|c| c[row]).collect()).collect(),
    })
}

fn problem(
    args: &Args,
    model: &'static dyn PopulationModel,
    data: &Data,
) -> Result<Problem<'static>> {
    let guess = named(&args.guess, "--guess")?;
    let fixed = named(&args.fixed, "--fixed")?;
    for (name, _) in guess.iter().chain(&fixed) {
        parameter_index(model, name).map_err(Failure::input)?;
    }
    let sigma = named(&args.sigma, "--sigma")?;
    let names: Vec<String> =
        data.species.iter().map(|&n| model.species()[n].name.to_owned()).collect();
    if let Some(name) = sigma.keys().find(|name| !names.contains(name)) {
        return Err(Failure::input(format!("--sigma {name}: no column holds this species")));
    }
    let sigma = names
        .iter()
        .map(|name| {
            sigma.get(name).copied().ok_or_else(|| {
                Failure::input(format!("--sigma: give the standard deviation of {name} as well"))
            })
        })
        .collect::<Result<Vec<f64>>>()?;
    let mut start = vec![0.0; model.species().len()];
    for (&n, value) in data.species.iter().zip(&data.rows[0]) {
        start[n] = *value;
    }
    for (name, value) in named(&args.start, "--start")? {
        start[species_index(model, &name).map_err(Failure::input)?] = value;
    }
    let rows: Vec<Vec<Option<f64>>> =
        data.rows.iter().map(|row| row.iter().copied().map(Some).collect()).collect();
    let failed = |e: rmt_pinn::Error| Failure::from(TaskError::from(e));
    let sigma = Sigma::PerSpecies(sigma);
    let observations =
        Observations::new(model, &data.times, &names, &rows, &sigma).map_err(failed)?;
    let free: Vec<String> = model
        .parameters()
        .iter()
        .map(|q| q.name.to_owned())
        .filter(|name| guess.contains_key(name))
        .collect();
    Problem::new(model, observations, &free, &guess, &fixed, &start).map_err(failed)
}

fn split<'a>(pair: &'a str, option: &str) -> Result<(&'a str, &'a str)> {
    pair.split_once('=')
        .map(|(name, value)| (name.trim(), value.trim()))
        .ok_or_else(|| Failure::input(format!("{option} {pair}: expected NAME=VALUE")))
}

fn named(pairs: &[String], option: &str) -> Result<BTreeMap<String, f64>> {
    let mut found = BTreeMap::new();
    for pair in pairs {
        let (name, text) = split(pair, option)?;
        let value = state(text, option, 1)?[0];
        if found.insert(name.to_owned(), value).is_some() {
            return Err(Failure::input(format!("{option}: {name} is given twice")));
        }
    }
    Ok(found)
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

fn dense(problem: &Problem<'_>) -> Vec<f64> {
    let end = problem.observations().times().last().copied().unwrap_or_default();
    (0..=400).map(|m| end * f64::from(m) / 400.0).collect()
}

/// Data as full states, zero where a species was not observed.
fn full_rows(problem: &Problem<'_>, data: &Data) -> Vec<Vec<f64>> {
    let full = |row: &Vec<f64>| {
        let mut u = vec![0.0; problem.initial_state().len()];
        for (&n, value) in data.species.iter().zip(row) {
            u[n] = *value;
        }
        u
    };
    data.rows.iter().map(full).collect()
}

/// Data with two standard deviations, the fitted curve and its 95 % band.
fn band(problem: &Problem<'_>, found: &Fit, data: &Data) -> Result<Figure> {
    let times = dense(problem);
    let predicted = predict(problem, &found.estimate, &times).map_err(TaskError::from)?;
    let years: Vec<f64> = times.iter().map(|t| t + data.origin).collect();
    let width = data.species.len();
    let points: Vec<Series> = data
        .species
        .iter()
        .enumerate()
        .map(|(column, &n)| Series {
            name: format!("{}, data", problem.model().species()[n].meaning),
            role: Role::Points,
            quantity: n,
            x: data.times.iter().map(|t| t + data.origin).collect(),
            y: data.rows.iter().map(|row| row[column]).collect(),
            limits: Some(
                data.rows
                    .iter()
                    .enumerate()
                    .map(|(t, row)| {
                        let s = problem.observations().sigma()[t * width + column];
                        (row[column] - 2.0 * s, row[column] + 2.0 * s)
                    })
                    .collect(),
            ),
        })
        .collect();
    let mut figure = simulate::series(problem.model(), &years, &predicted.states, &points);
    figure.x.label.clone_from(&data.time);
    // Species whose numbers are far apart need decades to be seen together.
    let peak = |n: &usize| predicted.states.iter().map(|u| u[*n]).fold(0.0, f64::max);
    let peaks: Vec<f64> = problem.present().iter().map(peak).collect();
    let highest = peaks.iter().copied().fold(0.0, f64::max);
    figure.y.log = peaks.iter().any(|p| *p > 0.0 && highest / p > 20.0);
    if let (Content::Curves { series, .. }, Some(errors)) =
        (&mut figure.content, &predicted.log_errors)
    {
        for curve in series.iter_mut().filter(|s| s.role == Role::Theory) {
            let n = curve.quantity;
            // The band of the logarithm, so that it stays positive; wide ones are cut at e³.
            let spread = |t: usize| (1.96 * errors[t][n]).min(3.0).exp();
            let limits = curve.y.iter().enumerate().map(|(t, y)| (y / spread(t), y * spread(t)));
            curve.limits = Some(limits.collect());
        }
    }
    Ok(figure)
}

fn losses(history: &[Loss]) -> Figure {
    let line = |name: &str, quantity, y: Vec<f64>| Series {
        name: name.to_owned(),
        role: Role::Theory,
        quantity,
        x: (1..=history.len()).map(|m| m as f64).collect(),
        y,
        limits: None,
    };
    Figure {
        title: "Training".into(),
        x: Axis::new("epoch", false),
        y: Axis::new("loss", true),
        content: Content::Curves {
            series: vec![
                line("data", 0, history.iter().map(|l| l.data).collect()),
                line("equations", 1, history.iter().map(|l| l.residual).collect()),
            ],
            marks: Vec::<Mark>::new(),
        },
    }
}

/// The part of each profile that matters: up to twice the rise of the 95 % point, and within a
/// factor 100 of the estimate.
fn profiles(found: &Fit) -> Figure {
    let least = found.estimate.chi2;
    let mut series: Vec<Series> = found
        .profiles
        .iter()
        .enumerate()
        .map(|(quantity, p)| {
            let points = || p.values.iter().zip(&p.chi2);
            let best = points().min_by(|a, b| a.1.total_cmp(b.1)).map_or(1.0, |(value, _)| *value);
            let (x, y) = points()
                .map(|(value, chi2)| (value / best, chi2 - least))
                .filter(|(ratio, rise)| *rise <= 2.0 * RISE && (0.01..=100.0).contains(ratio))
                .unzip();
            let (name, role) = (p.name.clone(), Role::Theory);
            Series { name, role, quantity, x, y, limits: None }
        })
        .collect();
    let ratios = || series.iter().flat_map(|s| s.x.iter().copied());
    let (low, high) = ratios().fold((1.0, 1.0), |(a, b): (f64, f64), x| (a.min(x), b.max(x)));
    series.push(Series {
        name: "95 %".into(),
        role: Role::Alternative,
        quantity: 6,
        x: vec![low, high],
        y: vec![RISE; 2],
        limits: None,
    });
    Figure {
        title: "Profile likelihoods".into(),
        x: Axis::new("parameter / estimate", high / low > 10.0),
        y: Axis::new("rise of χ²", false),
        content: Content::Curves { series, marks: Vec::new() },
    }
}
