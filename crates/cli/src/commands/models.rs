use crate::failure::Result;
use crate::output::{print, table};
use crate::registry::Registry;
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    if args.json {
        let list: Vec<_> = registry
            .iter()
            .map(|t| {
                let card = t.card();
                json!({"task": card.name, "summary": card.summary, "simulates": t.simulates()})
            })
            .collect();
        print(&format!("{:#}", serde_json::Value::Array(list)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<_> = registry
        .iter()
        .map(|t| {
            let simulates = if t.simulates() { "yes" } else { "" };
            vec![t.card().name.into(), simulates.into(), t.card().summary.into()]
        })
        .collect();
    print(&table(&["task", "simulates", "what it answers"], &rows))?;
    print("\n`rmt explain TASK` shows equations and inputs, `rmt predict TASK` computes.")?;
    Ok(ExitCode::SUCCESS)
}
