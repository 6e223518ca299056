//! The `rmt` command.

fn main() -> std::process::ExitCode {
    rmt_cli::main()
}
