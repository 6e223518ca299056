use crate::failure::Result;
use crate::output::print;
use crate::registry::Registry;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Task name, as `rmt models` lists them.
    task: String,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    let task = registry.find(&args.task)?;
    print(&format!("{:#}", task.schema().as_value()))?;
    Ok(ExitCode::SUCCESS)
}
