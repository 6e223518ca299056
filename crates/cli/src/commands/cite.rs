use crate::failure::Result;
use crate::output::{note, print};
use crate::registry::Registry;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Task name, as `rmt models` lists them.
    task: String,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    let card = registry.find(&args.task)?.card();
    if card.references.is_empty() {
        note(&format!("`{}` rests on no particular publication", card.name));
    }
    let entries: Vec<_> = card.references.iter().map(rmt_task::Reference::bibtex).collect();
    print(&entries.join("\n\n"))?;
    Ok(ExitCode::SUCCESS)
}
