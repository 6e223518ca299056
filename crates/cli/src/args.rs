use crate::commands::Command;
use crate::failure::{Failure, Result};
use crate::figure::FigureFile;
use crate::files::extension;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  rmt predict ridge --over n=50..800:log:40 --plot ridge.svg   a learning curve with its peak
  rmt predict ridge --simulate 100                             theory beside finite-size experiments
  rmt models                                                   everything that can be predicted
  rmt explain ridge                                            its equations, inputs and results
  rmt init ridge --out mine.toml                               a commented file of its inputs
  rmt sweep run sweep.toml --out results                       many points, restartable, in shards
  rmt check reference/ridge.json                               compare with reference values

Exit status: 0 done; 1 a result is an error or a miss; 2 the request could not be read.";

/// Random matrix theory for machine learning: what a model will do, what your data say about it.
#[derive(Parser)]
#[command(name = "rmt", version, max_term_width = 100, after_help = EXAMPLES)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// Threads to use [default: all]; results do not depend on it.
    #[arg(long, global = true, value_name = "N", help_heading = "General")]
    pub(crate) threads: Option<usize>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Where results go, shared by every command that computes.
#[derive(clap::Args, Default)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write every number to a file: .csv or .json.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<String>,
    /// Draw a figure: .svg, .pdf, .png, or .py, a Matplotlib script; its data beside it as .csv. With
    /// `:column` or `:page` after the name, as wide as one or two columns of a journal.
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<String>,
    /// Write a page to explore in a browser (.html): figures, numbers, inputs, sources.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<String>,
}

impl Output {
    /// Refuses file names that cannot be written as asked, before anything is computed.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_forms(&["csv", "json"])
    }

    /// The same where results can be written in other forms.
    pub(crate) fn check_forms(&self, forms: &[&str]) -> Result<()> {
        if let Some(path) = &self.out {
            check_out(path, forms)?;
        }
        if let Some(path) = &self.report
            && extension(path) != "html"
        {
            return Err(Failure::input(format!("--report {path}: name a file that ends in .html")));
        }
        let Some(plot) = &self.plot else { return Ok(()) };
        let data = check_figure("--plot", plot)?.data();
        if self.out.as_ref() == Some(&data) {
            return Err(Failure::input(format!(
                "--out {data}: the data of --plot {plot} go there; give --out another name"
            )));
        }
        Ok(())
    }
}

/// Refuses a file of results in a form that is not among `forms`.
pub(crate) fn check_out(path: &str, forms: &[&str]) -> Result<()> {
    if forms.contains(&extension(path).as_str()) {
        return Ok(());
    }
    let forms: Vec<String> = forms.iter().map(|form| format!(".{form}")).collect();
    let forms = forms.join(" or ");
    Err(Failure::input(format!("--out {path}: name a file that ends in {forms}")))
}

/// Reads a figure's file name; one that cannot be drawn is refused under its option's name.
pub(crate) fn check_figure(option: &str, name: &str) -> Result<FigureFile> {
    FigureFile::parse(name).map_err(|e| {
        let text = format!("{option} {}", e.text());
        e.with_text(text)
    })
}

/// Sizes the shared thread pool.
pub(crate) fn set_threads(threads: Option<usize>) -> Result<()> {
    let Some(threads) = threads else { return Ok(()) };
    if threads == 0 {
        return Err(Failure::input("--threads 0: give at least 1, or leave it out for all"));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|e| Failure::input(format!("--threads {threads}: {e}")))
}
