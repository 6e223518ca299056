//! `rmt verify`: theory against simulation at the standard settings of every task.

mod experiment;
mod judge;
mod show;

use crate::args::check_out;
use crate::failure::{Failure, Result};
use crate::files;
use crate::output::print;
use crate::registry::Registry;
use experiment::{Experiment, Verdict};
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
Each task with a finite-size simulation runs at its standard settings, most often its example. z
is the mean minus the theory in standard errors, as a normal score for the number of draws.

Exit status 1 if a disagreement would happen by chance in fewer than one of a hundred runs: a
single number (union bound over all), the rms of one experiment, or the rms over all experiments.
The theory is that of infinite size, and its gap of relative order 1/size is seen with enough
draws: an experiment that stands out (where all together do, the one furthest off) is repeated
with four times the draws at the stated and at doubled sizes, and passes if every gap above two
standard errors shrinks to three quarters or less, within two standard errors.

Examples:
  rmt verify                      every task, some seconds
  rmt verify ridge --draws 200    one task, every number
  rmt verify --out z.csv")]
pub(crate) struct Args {
    /// One task, as `rmt models` lists them [default: all that simulate].
    #[arg(value_name = "MODEL")]
    task: Option<String>,
    /// Draws of each experiment.
    #[arg(long, default_value_t = 20, value_name = "DRAWS")]
    draws: usize,
    /// Seed of the draws; equal seeds give equal numbers on any number of threads.
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    seed: u64,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Also write every number to a file: .csv or .json.
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    if args.draws < 3 {
        return Err(Failure::input(format!(
            "--draws {}: give at least 3 for a standard error that means something",
            args.draws
        )));
    }
    if let Some(path) = &args.out {
        check_out(path, &["csv", "json"])?;
    }
    let tasks = match &args.task {
        Some(name) => {
            let task = registry.find(name)?;
            if !task.simulates() {
                return Err(Failure::input(format!(
                    "`{name}` has no finite-size simulation; `rmt models` shows which tasks have"
                )));
            }
            vec![task]
        }
        None => registry.iter().filter(|t| t.simulates()).collect(),
    };
    let mut experiments = Vec::new();
    for task in tasks {
        for inputs in experiment::settings(task)? {
            experiments.push(Experiment::run(task, inputs, args.draws, args.seed)?);
        }
    }
    let report = Report::new(experiments, args)?;
    if let Some(path) = &args.out {
        let text = if files::extension(path) == "csv" {
            report.csv()?
        } else {
            format!("{:#}\n", report.json())
        };
        files::write(path, text.as_bytes())?;
    }
    if args.json {
        print(&report.json().to_string())?;
    } else {
        print(&report.text())?;
    }
    Ok(ExitCode::from(u8::from(!report.passes())))
}

/// All experiments and what to think of them.
struct Report {
    experiments: Vec<Experiment>,
    draws: usize,
    seed: u64,
    /// Every number of the experiments is shown.
    all: bool,
}

impl Report {
    /// Repeats at doubled sizes the experiments that stand out, and where all together do the one
    /// furthest off, until what is left is probable or an experiment differs.
    fn new(experiments: Vec<Experiment>, args: &Args) -> Result<Self> {
        let (draws, seed, all) = (args.draws, args.seed, args.task.is_some());
        let mut report = Self { experiments, draws, seed, all };
        let numbers = report.experiments.iter().map(|e| e.numbers.len()).sum();
        let count = report.experiments.len();
        for experiment in &mut report.experiments {
            if experiment.stands_out(numbers, count) {
                experiment.follow(draws, seed)?;
            }
        }
        while report.rms_stands_out() && !report.differs() {
            let agreeing = report.experiments.iter_mut().filter(|e| e.verdict == Verdict::Agrees);
            match agreeing.max_by(|a, b| a.rms().total_cmp(&b.rms())) {
                Some(furthest) => furthest.follow(draws, seed)?,
                None => break,
            }
        }
        Ok(report)
    }

    /// The experiments whose scores are to be those of chance.
    fn judged(&self) -> impl Iterator<Item = &Experiment> {
        self.experiments.iter().filter(|e| e.verdict != Verdict::Shrinks)
    }

    /// The rms score, every experiment counted once.
    fn rms(&self) -> f64 {
        judge::rms(self.judged().filter(|e| !e.numbers.is_empty()).map(Experiment::rms))
    }

    fn rms_stands_out(&self) -> bool {
        let random = self.judged().filter(|e| !e.numbers.is_empty()).count();
        judge::rms_stands_out(self.rms(), random)
    }

    fn differs(&self) -> bool {
        self.experiments.iter().any(|e| e.verdict == Verdict::Differs)
    }

    fn passes(&self) -> bool {
        !self.differs() && !self.rms_stands_out()
    }
}
