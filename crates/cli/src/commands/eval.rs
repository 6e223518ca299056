use crate::cases::{Case, read_cases};
use crate::failure::{Failure, Result};
use crate::files::{read_text, shown};
use crate::output::print;
use crate::registry::Registry;
use rayon::prelude::*;
use rmt_task::{Observables, TaskError};
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
One JSON object a line, in the order of the file:
  {\"name\", \"task\", \"values\": {quantity: number | list | object}}
  {\"name\", \"task\", \"error\": {\"kind\", \"message\"}}

Example:
  echo '{\"task\": \"ridge\", \"inputs\": {…}}' | rmt eval -

Exit status: 0 every case has values; 1 some gave an error; 2 the file could not be read.")]
pub(crate) struct Args {
    /// File of cases or a single {"task", "inputs"} (JSON or TOML); `-` is standard input.
    file: String,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    let file = read_cases(shown(&args.file), &read_text(&args.file)?).map_err(Failure::input)?;
    let outcomes = evaluate_all(&file.cases, registry);
    let mut failed = false;
    for (case, outcome) in file.cases.iter().zip(&outcomes) {
        failed |= outcome.is_err();
        print(&line(case, outcome))?;
    }
    Ok(ExitCode::from(u8::from(failed)))
}

/// Every case's quantities or error, computed in parallel, in the order of the cases.
pub(crate) fn evaluate_all(
    cases: &[Case],
    registry: &Registry,
) -> Vec<std::result::Result<Observables, TaskError>> {
    cases
        .par_iter()
        .map(|case| registry.find(&case.task).and_then(|task| task.evaluate(&case.inputs)))
        .collect()
}

fn line(case: &Case, outcome: &std::result::Result<Observables, TaskError>) -> String {
    let (name, task) = (&case.name, &case.task);
    let record = match outcome {
        Ok(values) => json!({"name": name, "task": task, "values": values}),
        Err(e) => json!({
            "name": name, "task": task,
            "error": {"kind": e.kind.as_str(), "message": e.to_string()},
        }),
    };
    record.to_string()
}
