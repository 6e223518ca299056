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
