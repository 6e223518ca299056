use crate::arrays::read_npy;
use crate::failure::{Failure, Result};
use crate::files::{extension, read_bytes, read_text};
use crate::output::number;
use crate::samples::Samples;
use rmt_estimators::consistency::RowSource;
use std::cmp::Ordering;
use std::path::Path;

/// More different labels than this are no classes.
pub(super) const MOST: usize = 1000;

/// Whether `--classes` names a file rather than a column.
pub(super) fn is_file(name: &str) -> bool {
    Path::new(name).is_file() || matches!(extension(name).as_str(), "npy" | "csv" | "txt")
}

/// The label of every row, and the column that must not count as a feature.
pub(super) fn read(classes: &str, samples: &Samples) -> Result<(Vec<String>, Option<usize>)> {
    if is_file(classes) {
        let labels = from_file(classes)?;
        if labels.len() != samples.rows() {
            return Err(Failure::input(format!(
                "--classes {classes}: {} labels for {} samples",
                labels.len(),
                samples.rows()
            )));
        }
        return Ok((labels, None));
    }
    if let Some(labels) = &samples.labels {
        return Ok((labels.clone(), None));
    }
    // Columns of an array are c1, c2, … or plain numbers from 1.
    let columns = samples.columns();
    let position = classes.strip_prefix('c').unwrap_or(classes).parse::<usize>().ok();
    let Some(column) = position.filter(|c| (1..=columns).contains(c)) else {
        return Err(Failure::input(format!(
            "--classes {classes}: neither a file nor a column; columns are c1 to c{columns}"
        )));
    };
    let mut labels = Vec::with_capacity(samples.rows());
    for row in 0..samples.rows() {
        let values = samples.read(row, 1).map_err(Failure::input)?;
        labels.push(number(values[column - 1], 12));
    }
    Ok((labels, Some(column - 1)))
}

fn from_file(path: &str) -> Result<Vec<String>> {
    if extension(path) == "npy" {
        let array = read_npy(path, &read_bytes(path)?).map_err(Failure::input)?;
        return Ok(array.values.into_iter().map(|v| number(v, 12)).collect());
    }
    let text = read_text(path)?;
    Ok(text.lines().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect())
}

/// Numbers by size, names by alphabet.
pub(super) fn order(a: &str, b: &str) -> Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    }
}
