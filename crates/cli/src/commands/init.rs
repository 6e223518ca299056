use super::sweep;
use crate::failure::{Failure, Result};
use crate::files;
use crate::output::{note, print};
use crate::registry::Registry;
use crate::template::template;
use serde_json::{Map, Value as Json};
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rmt init ridge --out mine.toml      then: rmt predict ridge mine.toml
  rmt init fpt --out problem.toml     then: rmt fpt problem.toml
  rmt init sweep --out sweep.toml     then: rmt sweep run sweep.toml --out results")]
pub(crate) struct Args {
    /// Task name, as `rmt models` lists them, or `sweep`.
    name: String,
    /// Write to a new file instead of standard output.
    #[arg(long, value_name = "FILE.toml")]
    out: Option<String>,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    let text = if args.name == sweep::NAME {
        template(sweep::HEAD, &sweep::schema(), &object(sweep::EXAMPLE)?)
    } else {
        let task = registry.find(&args.name)?;
        let card = task.card();
        let head = format!(
            "{}: {}.\n`rmt predict {}` with this file computes it, `rmt explain {}` shows equations and \
             results.",
            card.name, card.summary, card.name, card.name
        );
        template(&head, &task.schema(), &object(card.example)?)
    };
    let Some(path) = &args.out else {
        print(&text)?;
        return Ok(ExitCode::SUCCESS);
    };
    if !files::create(path, text.as_bytes())? {
        return Err(Failure::input(format!(
            "--out {path}: is there already and stays as it is; choose another name, or remove it"
        )));
    }
    note(&format!("template in {path}"));
    Ok(ExitCode::SUCCESS)
}

fn object(example: &str) -> Result<Map<String, Json>> {
    serde_json::from_str(example).map_err(Failure::result)
}
