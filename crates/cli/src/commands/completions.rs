use crate::args::Cli;
use crate::failure::Result;
use crate::output::print;
use clap::CommandFactory;
use clap_complete::{Shell, generate};
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  rmt completions bash > ~/.local/share/bash-completion/completions/rmt"
)]
pub(crate) struct Args {
    /// Which shell.
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "rmt", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
