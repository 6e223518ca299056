//! Sweeps that outlive one process and one machine: a grid stated in a file, its points appended to
//! files of a folder as they are done, in shards, and collected into one table.

mod collect;
mod definition;
mod folder;
mod point;
mod run;
mod submit;

use crate::failure::Result;
use crate::registry::Registry;
use schemars::Schema;

/// What `rmt init` and `rmt schema` call a sweep file.
pub(super) const NAME: &str = "sweep";

/// The first lines of a template.
pub(super) const HEAD: &str = "\
A sweep: one task at every combination of the values of some inputs.
`rmt sweep run` with this file and --out DIR computes it, `rmt sweep collect DIR` tabulates it.";

/// A small sweep, for the template.
pub(super) const EXAMPLE: &str = r#"{
    "model": "ridge",
    "inputs": {
        "spectrum": {"kind": "power_law", "p": 400, "alpha": 1.2},
        "target": {"kind": "power_law", "p": 400, "alpha": 0.5, "total": 1.0},
        "noise_variance": 0.1
    },
    "axes": {"n": "50..800:log:20", "lambda": [0.001, 0.01, 0.1]},
    "observables": ["risk", "bias", "gcv"]
}"#;

/// JSON Schema of a sweep file.
pub(super) fn schema() -> Schema {
    schemars::schema_for!(definition::Definition)
}

#[derive(clap::Args)]
#[command(after_help = "\
`rmt init sweep` writes a sweep file with every key explained.

Example:
  rmt init sweep --out sweep.toml
  rmt sweep run sweep.toml --out results              interrupt it, repeat it: it continues
  rmt sweep collect results --out results.csv

On a cluster:
  rmt sweep submit sweep.toml --out results --shards 100 --time 02:00:00
  rmt sweep collect results --out results.csv")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Compute the points of a sweep that are not in its folder yet, or one shard of them.
    Run(run::Args),
    /// Submit the shards of a sweep as a Slurm job array.
    Submit(submit::Args),
    /// Put the points of all shards into one table.
    Collect(collect::Args),
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    match &args.command {
        Command::Run(args) => run::run(args, registry),
        Command::Submit(args) => submit::run(args, registry),
        Command::Collect(args) => collect::run(args, registry),
    }
}
