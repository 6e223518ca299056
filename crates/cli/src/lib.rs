//! The command line of **rmt**: arguments, files, tables and figures around the registry of tasks.
//! No mathematics lives here.
//!
//! A command is one file under `commands/` with its arguments ([`clap::Args`]) and a `run`; its
//! results go to standard output, everything else to standard error. Exit status: 0 done, 1 some
//! result is an error or a miss, 2 the request itself could not be read.
//!
//! The registry, the readers of tables and arrays and the figures are public, for programs that want them:
//!
//! ```
//! let tasks = rmt_cli::tasks();
//! let ridge = tasks.iter().find(|task| task.card().name == "ridge").expect("a task of that name");
//! let values = ridge.evaluate(&serde_json::from_str(ridge.card().example)?)?;
//! assert!(values.number("risk").is_some_and(|risk| risk > 0.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod args;
pub mod arrays;
pub mod cases;
mod commands;
mod compare;
mod dataset;
mod failure;
pub mod figure;
mod files;
mod grid;
mod holdout;
mod inputs;
mod model;
mod output;
#[cfg(feature = "parquet")]
mod parquet;
mod progress;
mod registry;
mod report;
mod samples;
pub mod table;
mod template;

pub use failure::Failure;
pub use registry::tasks;

use args::Cli;
use clap::{CommandFactory, Parser};
use registry::Registry;

use std::process::ExitCode;

/// Parses the process's arguments, runs the command and returns its exit status.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    run(cli).unwrap_or_else(|failure| failure.report())
}

fn run(cli: Cli) -> failure::Result {
    args::set_threads(cli.threads)?;
    match cli.command {
        Some(command) => commands::run(command, &Registry::standard()),
        None => {
            output::print(&Cli::command().render_help().to_string())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
