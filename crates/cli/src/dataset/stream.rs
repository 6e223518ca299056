use super::{Columns, Dataset, Feature, Source, Targets, chosen_features, chosen_targets, quoted};
use crate::failure::{Failure, Result};
use crate::files::{extension, shown};
use crate::table::Blocks;
use rmt_estimators::{Moments, Table};
use std::fs::File;
use std::io::{self, BufRead, BufReader};

/// Rows held at a time.
const ROWS: usize = 4096;

impl Dataset {
    /// Reads a table of text block by block and keeps only its moments: the data set has names but
    /// no rows.
    pub(crate) fn stream(path: &str, columns: &Columns) -> Result<(Self, Moments)> {
        let name = shown(path);
        if let kind @ ("npy" | "npz" | "parquet") = extension(path).as_str() {
            return Err(Failure::input(format!(
                "--stream reads tables of text (.csv, .tsv), and {name} is a .{kind} file; leave \
                 --stream out"
            )));
        }
        let input: Box<dyn BufRead> = match path {
            "-" => Box::new(BufReader::new(io::stdin())),
            _ => Box::new(BufReader::new(
                File::open(path).map_err(|e| Failure::file(name, "read", &e))?,
            )),
        };
        let mut blocks = Blocks::open(name, input).map_err(Failure::input)?;
        let mut chosen: Option<Chosen> = None;
        while let Some(block) = blocks.next(ROWS).map_err(Failure::input)? {
            let rows = block.rows();
            let source = Source::Table(block);
            let chosen = match &mut chosen {
                Some(chosen) => chosen,
                None => chosen.insert(Chosen::new(&source, columns)?),
            };
            chosen.add(&source, rows)?;
        }
        let Some(chosen) = chosen else {
            return Err(Failure::input(format!("{name}: no data rows below the header")));
        };
        chosen.finish()
    }
}

/// The columns taken, and what is known of them so far.
struct Chosen {
    features: Vec<usize>,
    targets: Vec<usize>,
    data: Dataset,
    moments: Moments,
    /// First value of each feature, then of each target, while all are equal to it.
    constant: Vec<Option<f64>>,
    /// Features that equal a target so far.
    copies: Vec<(usize, usize)>,
}

impl Chosen {
    fn new(source: &Source, columns: &Columns) -> Result<Self> {
        let Targets::Columns(targets) = chosen_targets(source, columns)? else {
            return Err(Failure::input(
                "--stream: the targets have to be columns of the streamed file",
            ));
        };
        let mut notes = source.notes();
        let targets_of_file = Targets::Columns(targets.clone());
        let features = chosen_features(source, columns, &targets_of_file, &[], &mut notes)?;
        let names = |positions: &[usize]| -> Vec<String> {
            positions.iter().map(|p| source.header()[*p].clone()).collect()
        };
        let copies = (0..features.len()).flat_map(|f| (0..targets.len()).map(move |t| (f, t)));
        Ok(Self {
            moments: Moments::new(features.len(), targets.len()),
            constant: Vec::new(),
            copies: copies.collect(),
            data: Dataset {
                features: names(&features).into_iter().map(Feature::present).collect(),
                targets: names(&targets),
                x: Vec::new(),
                y: Vec::new(),
                groups: None,
                group_names: Vec::new(),
                times: None,
                weights: None,
                notes,
            },
            features,
            targets,
        })
    }

    fn add(&mut self, source: &Source, rows: usize) -> Result<()> {
        let read = |positions: &[usize]| -> Result<Vec<Vec<f64>>> {
            positions.iter().map(|p| source.numbers(*p)).collect()
        };
        let (x, y) = (read(&self.features)?, read(&self.targets)?);
        self.copies.retain(|(f, t)| x[*f] == y[*t]);
        let all = || x.iter().chain(&y);
        if self.constant.is_empty() {
            self.constant = all().map(|column| column.first().copied()).collect();
        }
        for (constant, column) in self.constant.iter_mut().zip(all()) {
            *constant = constant.filter(|first| column.iter().all(|v| v == first));
        }
        let by_row = |columns: &[Vec<f64>]| -> Vec<f64> {
            (0..rows).flat_map(|i| columns.iter().map(move |c| c[i])).collect()
        };
        let (p, q) = (x.len(), y.len());
        let (x, y) = (by_row(&x), by_row(&y));
        let tables = Table::new(&x, rows, p).and_then(|x| Ok((x, Table::new(&y, rows, q)?)));
        let added = tables.and_then(|(x, y)| self.moments.add(x, y));
        added.map_err(|e| self.data.named(e))
    }

    fn finish(self) -> Result<(Dataset, Moments)> {
        let data = self.data;
        if let Some((f, t)) = self.copies.first() {
            return Err(Failure::input(format!(
                "column \"{}\" equals the target \"{}\" in every row: leave it out",
                data.features[*f], data.targets[*t]
            )));
        }
        let (of_features, of_targets) = self.constant.split_at(data.features.len());
        if let Some((name, value)) =
            data.targets.iter().zip(of_targets).find_map(|(name, c)| Some((name, (*c)?)))
        {
            return Err(Failure::input(format!(
                "target \"{name}\" is {value} in every row: there is nothing to predict"
            )));
        }
        let flat = data.features.iter().zip(of_features).filter(|(_, c)| c.is_some());
        let flat: Vec<String> = flat.map(|(name, _)| name.to_string()).collect();
        if !flat.is_empty() {
            let flat: Vec<&str> = flat.iter().map(String::as_str).collect();
            return Err(Failure::input(format!(
                "the same value in every row of {}: leave out constant columns with --drop",
                quoted(&flat)
            )));
        }
        Ok((data, self.moments))
    }
}
