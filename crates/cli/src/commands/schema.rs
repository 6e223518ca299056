use super::sweep;
use crate::failure::Result;
use crate::output::print;
use crate::registry::Registry;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Task name, as `rmt models` lists them, or `sweep`.
    task: String,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    let schema = match args.task.as_str() {
        sweep::NAME => sweep::schema(),
        name => registry.find(name)?.schema(),
    };
    print(&format!("{:#}", schema.as_value()))?;
    Ok(ExitCode::SUCCESS)
}
