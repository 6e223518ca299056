//! Data sets of samples × features that need not fit into memory: arrays of any rank, several shards,
//! archives of arrays, folders of images, tables.
//!
//! A sample is flattened; its shape is remembered for pictures.

mod images;
mod npy;
mod npz;
mod picture;
mod select;

pub(crate) use picture::{Shape, grid};
pub(crate) use select::Subset;

use crate::failure::{Failure, Result};
use crate::files::{extension, read_bytes};
use crate::table::Table;
use rmt_estimators::Result as Outcome;
use rmt_estimators::consistency::RowSource;
use std::path::Path;

/// How to read samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// Height and width that images are brought to.
    pub(crate) resize: Option<(usize, usize)>,
    /// Values that become −1 and 1.
    pub(crate) range: Option<(f64, f64)>,
    /// Column of a table that holds classes instead of a feature.
    pub(crate) labels: Option<String>,
}

/// One or more files of samples, read as one.
pub(crate) struct Samples {
    /// What messages call it.
    pub(crate) name: String,
    /// Lengths of a sample's own dimensions.
    pub(crate) shape: Vec<usize>,
    /// Values that become −1 and 1, if any.
    pub(crate) range: Option<(f64, f64)>,
    /// Class of each row, where a column of a table holds them.
    pub(crate) labels: Option<Vec<String>>,
    parts: Vec<Box<dyn RowSource>>,
    rows: usize,
}

/// A file's rows, before scaling.
struct Part {
    rows: Box<dyn RowSource>,
    shape: Vec<usize>,
    labels: Option<Vec<String>>,
    /// Values that become −1 and 1 unless the user says otherwise.
    range: Option<(f64, f64)>,
}

impl Samples {
    /// Opens files or folders; several are shards of one data set.
    pub(crate) fn open(paths: &[String], reading: &Reading) -> Result<Self> {
        let mut samples: Option<Self> = None;
        for path in paths {
            let part = open(path, reading)?;
            let rows = part.rows.rows();
            match &mut samples {
                None => {
                    samples = Some(Self {
                        name: path.clone(),
                        shape: part.shape,
                        range: reading.range.or(part.range),
                        labels: part.labels,
                        parts: vec![part.rows],
                        rows,
                    });
                }
                Some(samples) if samples.shape == part.shape => {
                    samples.parts.push(part.rows);
                    samples.rows += rows;
                    if let (Some(all), Some(more)) = (&mut samples.labels, part.labels) {
                        all.extend(more);
                    }
                }
                Some(samples) => {
                    return Err(Failure::input(format!(
                        "{path}: samples of shape {:?}, those of {} have {:?}; shards must agree",
                        part.shape, samples.name, samples.shape
                    )));
                }
            }
        }
        let mut samples =
            samples.ok_or_else(|| Failure::input("no data: name a file or a folder"))?;
        if paths.len() > 1 {
            samples.name = format!("{} and {} more", samples.name, paths.len() - 1);
        }
        if let Some((low, high)) = samples.range
            && !(low.is_finite() && high.is_finite() && low < high)
        {
            return Err(Failure::input(format!("--range {low}:{high}: give LOW:HIGH, LOW < HIGH")));
        }
        Ok(samples)
    }
}

impl RowSource for Samples {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> usize {
        self.shape.iter().product()
    }

    fn read(&self, start: usize, count: usize) -> Outcome<Vec<f64>> {
        let mut values = Vec::with_capacity(count * self.columns());
        let (mut first, end) = (0, start + count);
        for part in &self.parts {
            let last = first + part.rows();
            let (from, to) = (start.max(first), end.min(last));
            if from < to {
                values.extend(part.read(from - first, to - from)?);
            }
            first = last;
        }
        if let Some((low, high)) = self.range {
            let (centre, half) = (0.5 * (low + high), 0.5 * (high - low));
            values.iter_mut().for_each(|x| *x = (*x - centre) / half);
        }
        Ok(values)
    }
}

fn open(path: &str, reading: &Reading) -> Result<Part> {
    if Path::new(path).is_dir() {
        return images::open(path, reading.resize);
    }
    if reading.resize.is_some() {
        return Err(Failure::input(format!("--resize: {path} is no folder of images")));
    }
    // `archive.npz:name` picks one array of several.
    let (file, member) = match path.rsplit_once(".npz:") {
        Some((stem, member)) => (format!("{stem}.npz"), Some(member)),
        None => (path.to_owned(), None),
    };
    match extension(&file).as_str() {
        "npy" => npy::open(&file),
        "npz" => npz::open(&file, member),
        "csv" | "tsv" | "txt" => table(&file, reading.labels.as_deref()),
        other => Err(Failure::input(format!(
            "{path}: cannot read \".{other}\" files as samples; give .npy, .npz, .csv or a folder \
             of .png and .jpg images"
        ))),
    }
}

/// All columns of a text table but the one that holds classes.
fn table(path: &str, labels: Option<&str>) -> Result<Part> {
    let table = Table::parse(path, &read_bytes(path)?).map_err(Failure::input)?;
    let left_out = labels.map(|name| table.position(name)).transpose().map_err(Failure::input)?;
    let lists: Vec<Vec<f64>> = (0..table.header().len())
        .filter(|c| Some(*c) != left_out)
        .map(|c| table.numbers(c).map_err(Failure::input))
        .collect::<Result<_>>()?;
    let columns = lists.len();
    let values = (0..table.rows() * columns).map(|at| lists[at % columns][at / columns]).collect();
    Ok(Part {
        rows: Box::new(Memory { values, columns }),
        shape: vec![columns],
        labels: left_out.map(|c| table.texts(c).map(str::to_owned).collect()),
        range: None,
    })
}

/// Rows in memory.
struct Memory {
    values: Vec<f64>,
    columns: usize,
}

impl RowSource for Memory {
    fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn read(&self, start: usize, count: usize) -> Outcome<Vec<f64>> {
        Ok(self.values[start * self.columns..(start + count) * self.columns].to_vec())
    }
}
