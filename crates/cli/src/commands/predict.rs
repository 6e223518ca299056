use crate::args::Output;
use crate::failure::{Failure, Result};
use crate::files;
use crate::inputs::{Inputs, KeyPath, value_of};
use crate::output::{note, print, prose_table, value};
use crate::registry::Registry;
use rmt_task::{Card, Observables};
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Task name, as `rmt models` lists them.
    task: String,
    /// Inputs in TOML or JSON, `-` for standard input [default: the task's example].
    inputs: Option<String>,
    /// Set one input: n=100, spectrum.alpha=1.5, widths[0]=80.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    let task = registry.find(&args.task)?;
    let mut inputs = match &args.inputs {
        Some(path) => Inputs::read(path)?,
        None => Inputs::example(task.card())?,
    };
    for assignment in &args.set {
        let Some((key, text)) = assignment.split_once('=') else {
            return Err(Failure::input(format!("--set {assignment}: expected KEY=VALUE")));
        };
        inputs.set(&KeyPath::parse(key), value_of(text))?;
    }
    let values = task.evaluate(&inputs.value).map_err(|e| inputs.failure(e))?;
    let record = json!({"task": task.card().name, "inputs": inputs.value, "values": values});
    if let Some(path) = &args.output.out {
        files::write(path, format!("{record:#}\n").as_bytes())?;
    }
    if args.output.json {
        print(&record.to_string())?;
    } else {
        print(&point_table(task.card(), &values))?;
        values.notes().iter().for_each(|n| note(n));
    }
    Ok(ExitCode::SUCCESS)
}

fn point_table(card: &Card, values: &Observables) -> String {
    let meaning = |name: &str| {
        card.observables.iter().find(|(n, _)| *n == name).map_or("", |(_, meaning)| meaning)
    };
    let rows: Vec<_> =
        values.iter().map(|(n, v)| vec![n.into(), value(v, 6), meaning(n).into()]).collect();
    prose_table(&["quantity", "value", "meaning"], &rows)
}
