mod overlay;
mod picture;
mod population;
mod run;
mod show;

use crate::args::Output;
use crate::failure::{Failure, Result};
use crate::figure::Series;
use crate::files;
use crate::grid::Axis;
use crate::inputs::{Inputs, KeyPath, value_of};
use crate::output::{note, print};
use crate::registry::Registry;
use crate::report::Report;
use rmt_task::{Registration, nearest};
use run::{Point, compute};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  rmt predict ridge                                         the task's example, every quantity
  rmt predict ridge --set n=300 --set spectrum.alpha=1      other inputs
  rmt predict ridge mine.toml --simulate 100                theory beside finite-size draws
  rmt predict ridge --over n=50..800:log:40 --plot r.svg    a curve, its data in r.csv
  rmt predict ridge --over lambda=0.01,0.1,1 --show risk,gcv --json
  rmt predict ridge --spectrum-from data/diabetes.csv --target progression --over n=20..800:log:40
  rmt predict ridge --over n=50..800:40 --over lambda=1e-4..1:log:30 --plot map.svg

Ranges: KEY=FROM..TO:COUNT, KEY=FROM..TO:log:COUNT, KEY=A,B,C. Several keys that move together:
spectrum.p,target.p=100..400:16. Whole numbers are rounded where the input is one.";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Task name, as `rmt models` lists them.
    task: String,
    /// Inputs in TOML or JSON, `-` for standard input [default: the task's example].
    inputs: Option<String>,
    /// Set one input: n=100, spectrum.alpha=1.5, widths[0]=80.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Sweep an input; twice for a map over two.
    #[arg(long, value_name = "KEY=RANGE")]
    over: Vec<String>,
    /// Also run this many finite-size experiments a point: mean, ±2 standard errors, z-scores.
    #[arg(long, value_name = "DRAWS")]
    simulate: Option<usize>,
    /// Seed of the experiments; equal seeds give equal numbers on any number of threads.
    #[arg(long, default_value_t = 0, requires = "simulate")]
    seed: u64,
    /// Quantities for the table and the figure [default: the task's own choice].
    #[arg(long, value_name = "QUANTITY,…", value_delimiter = ',')]
    show: Vec<String>,
    /// Your own measurements over the theory: a table with a column of the swept input and columns
    /// named like quantities (and QUANTITY_error, a standard error, if you have it).
    #[arg(long, value_name = "CURVE.csv", conflicts_with = "simulate")]
    overlay: Option<String>,
    #[command(flatten)]
    population: population::Plugged,
    #[command(flatten)]
    output: Output,
}

/// Everything that was asked for and computed.
struct Answer<'a> {
    task: &'a Registration,
    inputs: &'a Inputs,
    axes: Vec<Axis>,
    points: Vec<Point>,
    /// Quantities for the table and figure.
    shown: Vec<String>,
    /// Whether `--show` chose them.
    chosen: bool,
    /// Measurements of the user for the figure.
    overlay: Vec<Series>,
    draws: Option<usize>,
    seed: u64,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    args.output.check()?;
    if args.overlay.is_some() && args.output.plot.is_none() && args.output.report.is_none() {
        return Err(Failure::input("--overlay: measurements are drawn; give --plot or --report"));
    }
    let task = registry.find(&args.task)?;
    let mut inputs = match &args.inputs {
        Some(path) => Inputs::read(path)?,
        None => Inputs::example(task.card())?,
    };
    let from_data = args.population.apply(task, &mut inputs)?;
    for assignment in &args.set {
        let Some((keys, text)) = assignment.split_once('=') else {
            return Err(Failure::input(format!("--set {assignment}: expected KEY=VALUE")));
        };
        for key in keys.split(',') {
            inputs.set(&KeyPath::parse(key), value_of(text))?;
        }
    }
    inputs.load_files(&task.schema())?;
    if args.simulate.is_some() && !task.simulates() {
        return Err(Failure::input(format!(
            "--simulate: `{}` has no finite-size simulation; `rmt models` shows which tasks have",
            args.task
        )));
    }
    if matches!(args.simulate, Some(0 | 1)) {
        return Err(Failure::input("--simulate: give at least 2 draws for a standard error"));
    }
    if args.over.len() > 2 {
        return Err(Failure::input(format!(
            "--over is given {} times: a curve sweeps one input, a map two",
            args.over.len()
        )));
    }
    from_data.iter().for_each(|text| note(text));
    let schema = task.schema();
    let axes: Vec<Axis> =
        args.over.iter().map(|text| Axis::parse(text, &schema)).collect::<Result<_>>()?;
    let points = compute(task, &inputs, &axes, args.simulate, args.seed)?;
    let shown = shown(task, &points, &args.show)?;
    let overlay = match &args.overlay {
        Some(path) => overlay::read(path, &axes, &shown)?,
        None => Vec::new(),
    };
    let answer = Answer {
        task,
        inputs: &inputs,
        axes,
        points,
        shown,
        chosen: !args.show.is_empty(),
        overlay,
        draws: args.simulate,
        seed: args.seed,
    };

    if let Some(path) = &args.output.out {
        let text = match files::extension(path).as_str() {
            "csv" => answer.csv()?,
            _ => format!("{:#}\n", answer.json()),
        };
        files::write(path, text.as_bytes())?;
    }
    if args.output.json {
        print(&answer.json().to_string())?;
    } else {
        print(&answer.table())?;
        answer.notes().iter().for_each(|n| note(n));
    }
    if let Some(path) = &args.output.plot {
        let data = answer.figure()?.save(path)?;
        note(&format!("figure in {path}, its data in {data}"));
    }
    if let Some(path) = &args.output.report {
        let report = Report {
            title: format!("{}: {}", task.card().name, task.card().summary),
            task: task.card().name,
            inputs: inputs.value.clone(),
            text: answer.table(),
            notes: answer.notes(),
            figures: answer.figure().into_iter().collect(),
        };
        report.save(path)?;
    }
    let failed = answer.points.iter().filter(|p| p.theory.is_err()).count();
    if failed > 0 {
        note(&format!("{failed} of {} points have no answer", answer.points.len()));
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// The asked quantities, or the headline ones, or whatever there is.
fn shown(task: &Registration, points: &[Point], asked: &[String]) -> Result<Vec<String>> {
    let mut known: Vec<&str> = Vec::new();
    for values in points.iter().filter_map(|p| p.theory.as_ref().ok()) {
        known.extend(
            values.iter().map(|(n, _)| n).filter(|n| !known.contains(n)).collect::<Vec<_>>(),
        );
    }
    for name in asked {
        if !known.contains(&name.as_str()) {
            let hint = nearest(name, known.iter().copied())
                .map(|k| format!("; did you mean `{k}`?"))
                .unwrap_or_default();
            return Err(Failure::input(format!(
                "--show {name}: not among the results ({}){hint}",
                known.join(", ")
            )));
        }
    }
    if !asked.is_empty() {
        return Ok(asked.to_vec());
    }
    let headline: Vec<String> = task
        .card()
        .headline
        .iter()
        .filter(|h| known.contains(h))
        .map(|h| (*h).to_owned())
        .collect();
    Ok(if headline.is_empty() { known.into_iter().map(str::to_owned).collect() } else { headline })
}
