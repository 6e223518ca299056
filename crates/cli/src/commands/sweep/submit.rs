use super::definition::Sweep;
use super::folder::Folder;
use crate::failure::{Failure, Result};
use crate::files;
use crate::output::print;
use crate::registry::Registry;
use std::io::ErrorKind;
use std::path::absolute;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
#[command(after_help = "\
Writes DIR/submit.sh, a job array with one task a shard, and hands it to sbatch. Submit again
after a failure or a time limit: points that are there are not computed again.

Example:
  rmt sweep submit sweep.toml --out results --shards 100 --time 02:00:00 -- --mem=2G")]
pub(super) struct Args {
    /// Sweep file in TOML or JSON, `-` for standard input.
    sweep: String,
    /// Folder of the points, which every node sees under this name.
    #[arg(long, value_name = "DIR")]
    out: String,
    /// Number of shards, one task of the array each.
    #[arg(long, value_name = "N")]
    shards: usize,
    /// Time limit of a task, as sbatch takes it [default: the cluster's].
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Partition [default: the cluster's].
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Processors of a task.
    #[arg(long, value_name = "N", default_value_t = 1)]
    cpus: usize,
    /// Write the script only.
    #[arg(long)]
    dry_run: bool,
    /// Further options for sbatch, after `--`.
    #[arg(last = true, value_name = "SBATCH OPTION")]
    more: Vec<String>,
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result {
    if args.shards == 0 || args.cpus == 0 {
        let option = if args.shards == 0 { "--shards" } else { "--cpus" };
        return Err(Failure::input(format!("{option} 0: give at least 1")));
    }
    let broken = args.time.iter().chain(&args.partition).chain(&args.more);
    if let Some(text) = broken.chain([&args.out]).find(|t| t.contains('\n')) {
        return Err(Failure::input(format!("{text:?}: a line break cannot stand in a job script")));
    }
    let sweep = Sweep::read(&args.sweep, registry, false)?;
    let out = absolute(&args.out).map_err(|e| Failure::file(&args.out, "find", &e))?;
    let out = out.to_string_lossy();
    let folder = Folder::of(&out, &sweep)?;
    let program = std::env::current_exe().map_err(|e| Failure::file("rmt", "find", &e))?;
    let script = folder.file("submit.sh");
    let text = script_text(args, &sweep, &folder, &out, &program.to_string_lossy());
    files::write(&script, text.as_bytes())?;
    let by_hand = format!("sbatch {}", shell_word(&script));
    if args.dry_run {
        print(&format!("Script in {script}; submit it with\n  {by_hand}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let answer = match Command::new("sbatch").arg("--parsable").arg(&script).output() {
        Ok(answer) => answer,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(Failure::result(format!(
                "no sbatch found, so nothing is submitted; the script is in {script}, submit it \
                 where Slurm is with\n  {by_hand}"
            )));
        }
        Err(e) => return Err(Failure::file("sbatch", "run", &e)),
    };
    if !answer.status.success() {
        let reason = String::from_utf8_lossy(&answer.stderr);
        return Err(Failure::result(format!(
            "sbatch refuses the job: {}\nthe script is in {script}",
            reason.trim()
        )));
    }
    let job = String::from_utf8_lossy(&answer.stdout);
    let job = job.trim().split(';').next().unwrap_or_default();
    print(&format!(
        "job {job}: {} points in {} shards\n`rmt sweep collect {} --partial` shows what is there, \
         `squeue --job {job}` what is running.",
        sweep.grid.len(),
        args.shards,
        shell_word(&args.out)
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn script_text(args: &Args, sweep: &Sweep, folder: &Folder, out: &str, program: &str) -> String {
    let mut options = vec![
        format!("--job-name=rmt-{}", sweep.task.card().name),
        format!("--array=0-{}", args.shards - 1),
        format!("--cpus-per-task={}", args.cpus),
        format!("--chdir={out}"),
        "--output=slurm-%A_%a.log".to_owned(),
    ];
    options.extend(args.time.iter().map(|t| format!("--time={t}")));
    options.extend(args.partition.iter().map(|p| format!("--partition={p}")));
    options.extend(args.more.iter().cloned());
    let mut text = String::from("#!/bin/sh\n");
    for option in options {
        text += &format!("#SBATCH {}\n", shell_word(&option));
    }
    let (program, sweep, out) =
        (shell_word(program), shell_word(&folder.definition()), shell_word(out));
    text += &format!(
        "exec {program} --threads {} sweep run {sweep} --out {out} \\\n  --shard \
         \"$SLURM_ARRAY_TASK_ID/{}\"\n",
        args.cpus, args.shards
    );
    text
}

/// A word as the shell, and sbatch in its comments, take it.
pub(super) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,%+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
