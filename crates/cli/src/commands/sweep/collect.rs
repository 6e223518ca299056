use super::definition::Sweep;
use super::folder::Folder;
use super::submit::shell_word;
use crate::args::check_out;
use crate::failure::{Failure, Result};
use crate::files;
use crate::grid::{Row, list_position, quantity, rows};
use crate::inputs::Source;
use crate::output::{note, number, print, table};
use crate::registry::Registry;
use serde_json::{Map, Value as Json, json};
use std::process::ExitCode;

/// Longer tables are cut on screen; files and JSON have every row.
const ROWS: usize = 60;
/// Entries of a list that it shows.
const LIST: usize = 8;

#[derive(clap::Args)]
#[command(after_help = "\
One row a point, sorted by id: the id, the inputs that vary, every quantity (those inside lists by
their place, density[3]), mean and standard error of the simulated ones, and the error of points
that have one. The same bytes for any number of shards, threads and interruptions.

Exit status: 0 every point has an answer; 1 points are missing (then nothing is written without
--partial) or have an error; 2 the folder could not be read.")]
pub(super) struct Args {
    /// Folder that `rmt sweep run` wrote.
    folder: String,
    /// Write every number to a file: .csv or .json.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    out: Option<String>,
    /// Print JSON instead of a table.
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Be content with the points that are there.
    #[arg(long)]
    partial: bool,
}

pub(super) fn run(args: &Args, registry: &Registry) -> Result {
    if let Some(path) = &args.out {
        check_out(path, &["csv", "json"])?;
    }
    let (folder, sweep) = Folder::existing(&args.folder, registry)?;
    let mut points: Vec<Option<Map<String, Json>>> = vec![None; sweep.grid.len()];
    let mut stray = None;
    folder.lines(|line: Map<String, Json>| {
        let id = line.get("id").and_then(Json::as_u64).and_then(|id| usize::try_from(id).ok());
        match id.and_then(|id| points.get_mut(id)) {
            None => stray = Some(line.get("id").cloned().unwrap_or_default()),
            // A point that was tried again: an answer stands for an error.
            Some(point) => {
                let answer = line.contains_key("values");
                if point.as_ref().is_none_or(|p| answer && !p.contains_key("values")) {
                    *point = Some(line);
                }
            }
        }
    })?;
    if let Some(id) = stray {
        return Err(Failure::input(format!(
            "{}: a line has the id {id}, the sweep has 0 to {}; lines of another sweep are among them",
            args.folder,
            points.len() - 1
        )));
    }
    let missing: Vec<usize> = (0..points.len()).filter(|id| points[*id].is_none()).collect();
    if !missing.is_empty() {
        note(&format!(
            "{} of {} points are missing: {}",
            missing.len(),
            points.len(),
            ranges(&missing)
        ));
        if !args.partial {
            return Err(Failure::result(format!(
                "the sweep is not complete: `rmt sweep run {} --out {}` computes what is missing, \
                 --partial takes what is there",
                shell_word(&folder.definition()),
                shell_word(&args.folder)
            )));
        }
    }
    let points: Vec<Map<String, Json>> = points.into_iter().flatten().collect();
    let all: Vec<Row> = points.iter().map(|p| row(&sweep, p)).collect();
    // As the folder has it: the version that made the points may be another.
    let (_, definition) = Source::parse("sweep.json", files::read_text(&folder.definition())?)?;
    let whole = || json!({"sweep": definition, "points": points, "missing": missing});
    if let Some(path) = &args.out {
        let text = match files::extension(path).as_str() {
            "csv" => files::csv(&rows(lead(&sweep), &all))?,
            _ => format!("{:#}\n", whole()),
        };
        files::write(path, text.as_bytes())?;
    }
    let errors = all.iter().filter(|r| r.error.is_some()).count();
    if args.json {
        print(&whole().to_string())?;
    } else {
        print(&shown(&sweep, all))?;
    }
    if let Some(path) = &args.out {
        note(&format!("{} points in {path}", points.len()));
    }
    if errors > 0 {
        note(&format!("{errors} of {} points have an error instead of an answer", points.len()));
    }
    Ok(ExitCode::from(u8::from(errors > 0)))
}

fn lead(sweep: &Sweep) -> Vec<String> {
    let axes = sweep.grid.axes().iter().map(|a| a.label.clone());
    ["id".to_owned()].into_iter().chain(axes).collect()
}

fn row(sweep: &Sweep, point: &Map<String, Json>) -> Row {
    let part = |key: &str| point.get(key).and_then(Json::as_object).into_iter().flatten();
    let at = point.get("at");
    let axes = sweep.grid.axes().iter();
    let axes = axes.map(|a| at.and_then(|at| at.get(&a.label)).map(cell).unwrap_or_default());
    let id = point.get("id").map(cell).unwrap_or_default();
    let number = |m: &Json, key: &str| m.get(key).map(cell).unwrap_or_default();
    let message = point.get("error").and_then(|e| e.get("message"));
    Row {
        at: [id].into_iter().chain(axes).collect(),
        values: part("values").map(|(name, value)| (name.clone(), cell(value))).collect(),
        simulation: part("simulation")
            .map(|(name, m)| (name.clone(), [number(m, "mean"), number(m, "standard_error")]))
            .collect(),
        error: message.map(cell),
    }
}

/// A value of a record as a CSV cell.
fn cell(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Number(n) => match n.as_f64() {
            Some(x) if n.is_f64() => files::cell(x),
            _ => n.to_string(),
        },
        other => other.to_string(),
    }
}

/// The table for the screen: the quantities of the sweep, or the task's headline.
fn shown(sweep: &Sweep, mut all: Vec<Row>) -> String {
    let headline: Vec<String> =
        sweep.task.card().headline.iter().map(|h| (*h).to_owned()).collect();
    let names = sweep.observables.as_ref().unwrap_or(&headline);
    let hidden = all.len().saturating_sub(ROWS);
    all.truncate(ROWS);
    let shown = |name: &String| {
        names.iter().any(|n| n == quantity(name)) && list_position(name).is_none_or(|i| i < LIST)
    };
    for row in &mut all {
        row.values.retain(|(name, _)| shown(name));
        row.simulation.retain(|(name, _)| shown(name));
    }
    let mut rows = rows(lead(sweep), &all).into_iter();
    let header = rows.next().unwrap_or_default();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let short = |cell: String| cell.parse().map_or(cell.clone(), |x: f64| number(x, 6));
    let rows: Vec<Vec<String>> = rows.map(|r| r.into_iter().map(short).collect()).collect();
    let mut text = table(&header, &rows);
    if hidden > 0 {
        text += &format!("… {hidden} more rows: --out FILE.csv writes all\n");
    }
    text
}

/// `5, 17-20, 31`, cut after twenty pieces.
fn ranges(ids: &[usize]) -> String {
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    for id in ids {
        match pieces.last_mut() {
            Some((_, last)) if *last + 1 == *id => *last = *id,
            _ => pieces.push((*id, *id)),
        }
    }
    let hidden = pieces.len().saturating_sub(20);
    let piece = |(a, b): &(usize, usize)| if a == b { a.to_string() } else { format!("{a}-{b}") };
    let mut text = pieces.iter().take(20).map(piece).collect::<Vec<_>>().join(", ");
    if hidden > 0 {
        text += &format!(" and {hidden} more ranges");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_points_are_told_as_ranges() {
        assert_eq!(ranges(&[5, 17, 18, 19, 31]), "5, 17-19, 31");
        let odd: Vec<usize> = (0..50).map(|i| 2 * i + 1).collect();
        assert!(ranges(&odd).ends_with("37, 39 and 30 more ranges"));
    }
}
