use super::definition::Sweep;
use super::folder::{Done, Folder, Shard};
use super::point::line;
use super::submit::shell_word;
use crate::failure::Result;
use crate::output::print;
use crate::progress::Progress;
use crate::registry::Registry;
use rayon::prelude::*;
use serde_json::json;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

#[derive(clap::Args)]
#[command(after_help = "\
Every finished point is appended to the folder at once: stop the run at any moment and repeat the
command, it continues. `--shard 0/7` … `6/7` divide the points among machines that share the folder
(or whose folders are copied into one afterwards). Points and numbers do not depend on any of this.

Exit status: 0 every point of the shard has an answer; 1 some have an error instead; 2 the sweep
could not be read or written.")]
pub(super) struct Args {
    /// Sweep file in TOML or JSON, `-` for standard input; `rmt init sweep` writes one.
    sweep: String,
    /// Folder of the points, made where it is missing.
    #[arg(long, value_name = "DIR")]
    out: String,
    /// Compute every N-th point only, beginning with the I-th, counted from 0.
    #[arg(long, value_name = "I/N", default_value = "0/1", allow_hyphen_values = true)]
    shard: Shard,
    /// Compute points again that ended with an error.
    #[arg(long)]
    retry: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result {
    let sweep = Sweep::read(&args.sweep, registry, false)?;
    let folder = Folder::of(&args.out, &sweep)?;
    let Shard { index, count } = args.shard;
    let mut file = folder.shard(args.shard)?;
    let total = sweep.grid.len();
    let (mut done, mut failed) = (vec![false; total], vec![false; total]);
    folder.lines(|line: Done| {
        if let (Some(done), Some(failed)) = (done.get_mut(line.id), failed.get_mut(line.id)) {
            *failed = line.error.is_some() && (!*done || *failed);
            *done = true;
        }
    })?;
    let mine = || (index..total).step_by(count);
    let open: Vec<usize> = mine().filter(|id| !done[*id] || (args.retry && failed[*id])).collect();
    let progress = Progress::new("points", open.len());
    let shared = Mutex::new((&mut file, Vec::new()));
    let compute = |id: &usize, parallel: bool| -> Result<()> {
        let (line, failed) = line(&sweep, *id, parallel);
        // A panic elsewhere leaves the file with whole lines: append writes in one piece.
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.0.append(&line)?;
        if failed {
            shared.1.push(*id);
        }
        progress.step();
        Ok(())
    };
    // Threads share the points, or the draws of each where there are fewer points than threads.
    if open.len() >= rayon::current_num_threads() {
        open.par_iter().try_for_each(|id| compute(id, false))?;
    } else {
        open.iter().try_for_each(|id| compute(id, true))?;
    }
    progress.finish();
    let (_, now_failed) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    open.iter().for_each(|id| failed[*id] = false);
    now_failed.iter().for_each(|id| failed[*id] = true);
    file.finish()?;
    let points = mine().count();
    let errors = mine().filter(|id| failed[*id]).count();
    let (computed, before) = (open.len(), points - open.len());
    print(&if args.json {
        json!({
            "points": total, "shard": [index, count], "computed": computed,
            "already_there": before, "errors": errors,
        })
        .to_string()
    } else {
        let shard = if count > 1 { format!("shard {index}/{count}: ") } else { String::new() };
        format!(
            "{shard}{computed} points computed, {before} were there, {errors} of them have an error \
             instead of an answer.\n`rmt sweep collect {}` puts all points into one table.",
            shell_word(&args.out)
        )
    })?;
    Ok(ExitCode::from(u8::from(errors > 0)))
}
