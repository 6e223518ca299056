//! Data for regression: named columns from a file, chosen, lagged and checked.

mod lags;
mod source;
mod stream;

pub(crate) use lags::{Feature, Lags, rows_with_past};
pub(crate) use source::Source;

use crate::failure::{Failure, Result};
use rmt_estimators::Error;

/// Which columns of a file are what, and which of its features come from earlier rows.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct Columns {
    /// Column to predict.
    #[arg(long, value_name = "COL", help_heading = "Data")]
    pub(crate) target: Option<String>,
    /// Several columns to predict, or a .npy file with a column for each.
    #[arg(long, value_name = "COL,…|Y.npy", value_delimiter = ',', conflicts_with = "target")]
    #[arg(help_heading = "Data")]
    pub(crate) targets: Vec<String>,
    /// Columns to predict from [default: all others].
    #[arg(long, value_name = "COL,…", value_delimiter = ',', help_heading = "Data")]
    pub(crate) features: Vec<String>,
    /// Columns to leave out.
    #[arg(long, value_name = "COL,…", value_delimiter = ',', conflicts_with = "features")]
    #[arg(help_heading = "Data")]
    pub(crate) drop: Vec<String>,
    /// Column of groups (runs, subjects): rows of different groups are independent.
    #[arg(long, value_name = "COL", help_heading = "Rows")]
    pub(crate) groups: Option<String>,
    /// Column of times (increasing, within each group): correlation decays with the time between
    /// rows instead of their number.
    #[arg(long, value_name = "COL", help_heading = "Rows")]
    pub(crate) time: Option<String>,
    /// Column of row weights (> 0).
    #[arg(long, value_name = "COL", help_heading = "Rows")]
    pub(crate) weights: Option<String>,
    /// Take each feature this many rows back: 0,4 is the row itself and the fourth before; 1..12
    /// the last twelve.
    #[arg(long, value_name = "LAGS", default_value = "0", help_heading = "Rows")]
    pub(crate) lags: Lags,
}

/// A regression problem as read from a file. Matrices are row-major.
#[derive(Clone, Debug)]
pub(crate) struct Dataset {
    pub(crate) features: Vec<Feature>,
    pub(crate) targets: Vec<String>,
    /// n × p.
    pub(crate) x: Vec<f64>,
    /// n × q.
    pub(crate) y: Vec<f64>,
    /// Group of each row, as a position in `group_names`.
    pub(crate) groups: Option<Vec<usize>>,
    pub(crate) group_names: Vec<String>,
    pub(crate) times: Option<Vec<f64>>,
    pub(crate) weights: Option<Vec<f64>>,
    /// Remarks on what was left out.
    pub(crate) notes: Vec<String>,
}

impl Dataset {
    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.y.len() / self.targets.len().max(1)
    }

    /// The rows at the given positions, in that order.
    pub(crate) fn subset(&self, rows: &[usize]) -> Self {
        let (p, q) = (self.features.len(), self.targets.len());
        let take = |values: &[f64], width: usize| -> Vec<f64> {
            rows.iter().flat_map(|i| values[i * width..(i + 1) * width].iter().copied()).collect()
        };
        Self {
            x: take(&self.x, p),
            y: take(&self.y, q),
            groups: self.groups.as_ref().map(|g| rows.iter().map(|i| g[*i]).collect()),
            times: self.times.as_ref().map(|t| take(t, 1)),
            weights: self.weights.as_ref().map(|w| take(w, 1)),
            features: self.features.clone(),
            targets: self.targets.clone(),
            group_names: self.group_names.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Takes the chosen columns of a file and checks them.
    pub(crate) fn read(source: &Source, columns: &Columns) -> Result<Self> {
        let targets = chosen_targets(source, columns)?;
        let extra = |column: &Option<String>| -> Result<Option<usize>> {
            column.as_ref().map(|c| source.position(c)).transpose()
        };
        let (groups, time, weights) =
            (extra(&columns.groups)?, extra(&columns.time)?, extra(&columns.weights)?);
        let mut notes = source.notes();
        let roles = [("--groups", groups), ("--time", time), ("--weights", weights)];
        refuse_targets_as(source, &targets, &roles)?;
        let reserved: Vec<usize> = roles.iter().filter_map(|(_, position)| *position).collect();
        let features = chosen_features(source, columns, &targets, &reserved, &mut notes)?;

        let read = |positions: &[usize]| -> Result<Vec<Vec<f64>>> {
            positions.iter().map(|p| source.numbers(*p)).collect()
        };
        let (target_columns, feature_columns) = match &targets {
            Targets::Columns(positions) => (read(positions)?, read(&features)?),
            Targets::File { columns, .. } => (columns.clone(), read(&features)?),
        };
        let target_names = match &targets {
            Targets::Columns(positions) => {
                positions.iter().map(|p| source.header()[*p].clone()).collect()
            }
            Targets::File { names, .. } => names.clone(),
        };
        let feature_names: Vec<String> =
            features.iter().map(|p| source.header()[*p].clone()).collect();
        refuse_copies(
            &target_names,
            &target_columns,
            &feature_names,
            &feature_columns,
            &columns.lags,
        )?;

        let (groups, group_names) = match groups {
            Some(position) => {
                let (codes, names) = source.categories(position)?;
                (Some(codes), names)
            }
            None => (None, Vec::new()),
        };
        let times = time.map(|p| source.numbers(p)).transpose()?;
        let weights = weights.map(|p| source.numbers(p)).transpose()?;
        if let Some(times) = &times {
            refuse_disorder(source, times, groups.as_deref())?;
        }
        if let Some(weights) = &weights {
            refuse_bad_weights(source, weights)?;
        }

        let lagged = columns.lags.apply(&feature_names, &feature_columns, groups.as_deref());
        let kept = lagged.rows;
        if kept.len() < 2 {
            return Err(Failure::input(format!(
                "{}: {} usable rows (lags {} need as many earlier rows in the same group); a fit \
                 needs at least 2",
                source.name(),
                kept.len(),
                columns.lags
            )));
        }
        let lost = source.rows() - kept.len();
        if lost > 0 {
            notes.push(format!(
                "{lost} rows at the beginning (of a group) have too few rows before them for the lags"
            ));
        }
        let pick = |values: Vec<f64>| -> Vec<f64> { kept.iter().map(|i| values[*i]).collect() };
        let mut set = Self {
            features: lagged.features,
            targets: target_names,
            x: lagged.values,
            y: kept.iter().flat_map(|i| target_columns.iter().map(|c| c[*i])).collect(),
            groups: groups.map(|g| kept.iter().map(|i| g[*i]).collect()),
            group_names,
            times: times.map(pick),
            weights: weights.map(pick),
            notes,
        };
        set.check_columns(!columns.features.is_empty())?;
        Ok(set)
    }

    /// An error of the estimators in the names of the user's columns.
    pub(crate) fn named(&self, error: Error) -> Failure {
        match error {
            Error::ConstantFeature { column, value } => {
                let name = self.features.get(column).map(ToString::to_string).unwrap_or_default();
                Failure::input(format!(
                    "column \"{name}\" is {value} in every row of the fit: leave it out with \
                     --drop, or fit without --standardize"
                ))
            }
            Error::Scale { what, column, size } => {
                let name = match what {
                    "x" => self.features.get(column).map(ToString::to_string),
                    _ => self.targets.get(column).cloned(),
                };
                Failure::input(format!(
                    "column \"{}\" has entries of size {size:e}, whose squares are not numbers any \
                     more: change its unit",
                    name.unwrap_or_default()
                ))
            }
            other => Failure::input(other),
        }
    }

    /// Constant targets are refused; constant features too if they were named, else left out.
    fn check_columns(&mut self, named: bool) -> Result<()> {
        let constant = |values: &[f64], width: usize, j: usize| {
            let first = values[j];
            values.iter().skip(j).step_by(width).all(|v| *v == first).then_some(first)
        };
        let (p, q) = (self.features.len(), self.targets.len());
        for (j, name) in self.targets.iter().enumerate() {
            if let Some(value) = constant(&self.y, q, j) {
                return Err(Failure::input(format!(
                    "target \"{name}\" is {value} in every row: there is nothing to predict"
                )));
            }
        }
        let flat: Vec<usize> = (0..p).filter(|j| constant(&self.x, p, *j).is_some()).collect();
        if flat.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = flat.iter().map(|j| self.features[*j].to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if named || flat.len() == p {
            return Err(Failure::input(format!(
                "the same value in every row of {}: leave out constant columns",
                quoted(&names)
            )));
        }
        self.notes.push(format!("constant columns are left out: {}", quoted(&names)));
        let keep: Vec<usize> = (0..p).filter(|j| !flat.contains(j)).collect();
        self.x = self.x.chunks(p).flat_map(|row| keep.iter().map(|j| row[*j])).collect();
        self.features = keep.iter().map(|j| self.features[*j].clone()).collect();
        Ok(())
    }
}

enum Targets {
    Columns(Vec<usize>),
    File { names: Vec<String>, columns: Vec<Vec<f64>> },
}

fn chosen_targets(source: &Source, columns: &Columns) -> Result<Targets> {
    let names = columns.target.as_ref().map_or(columns.targets.as_slice(), std::slice::from_ref);
    if names.is_empty() {
        return Err(Failure::input(format!(
            "which column is to be predicted? give --target COL; the columns of {} are {}",
            source.name(),
            quoted(&source.header().iter().map(String::as_str).collect::<Vec<_>>())
        )));
    }
    if let [path] = names
        && [".npy", ".csv"].iter().any(|e| path.ends_with(e))
        && source.position(path).is_err()
    {
        let file = Source::read(path)?;
        if file.rows() != source.rows() {
            return Err(Failure::input(format!(
                "--targets {path} has {} rows, {} has {}: a row for each row",
                file.rows(),
                source.name(),
                source.rows()
            )));
        }
        let all: Vec<usize> = (0..file.header().len()).collect();
        let columns = all.iter().map(|p| file.numbers(*p)).collect::<Result<_>>()?;
        let names = file.header().iter().map(|c| format!("y.{c}")).collect();
        return Ok(Targets::File { names, columns });
    }
    let positions: Vec<usize> = names.iter().map(|c| source.position(c)).collect::<Result<_>>()?;
    if let Some(name) = repeated(names) {
        return Err(Failure::input(format!("--targets names \"{name}\" twice")));
    }
    Ok(Targets::Columns(positions))
}

fn chosen_features(
    source: &Source,
    columns: &Columns,
    targets: &Targets,
    reserved: &[usize],
    notes: &mut Vec<String>,
) -> Result<Vec<usize>> {
    if let Some(name) = repeated(&columns.features) {
        return Err(Failure::input(format!("--features names \"{name}\" twice")));
    }
    let named: Vec<usize> =
        columns.features.iter().map(|c| source.position(c)).collect::<Result<_>>()?;
    if !named.is_empty() {
        return Ok(named);
    }
    let dropped: Vec<usize> =
        columns.drop.iter().map(|c| source.position(c)).collect::<Result<_>>()?;
    let is_target = |p: usize| matches!(targets, Targets::Columns(t) if t.contains(&p));
    let mut features = Vec::new();
    for (position, name) in source.header().iter().enumerate() {
        if is_target(position) || reserved.contains(&position) || dropped.contains(&position) {
            continue;
        }
        if name.is_empty() {
            notes.push(format!("column {} has no name and is left out", position + 1));
        } else {
            features.push(position);
        }
    }
    if features.is_empty() {
        return Err(Failure::input(format!(
            "{}: no column is left to predict from",
            source.name()
        )));
    }
    Ok(features)
}

/// A target is not known for new rows: it cannot weigh, order or group them.
fn refuse_targets_as(
    source: &Source,
    targets: &Targets,
    roles: &[(&str, Option<usize>)],
) -> Result<()> {
    let Targets::Columns(targets) = targets else { return Ok(()) };
    for (option, position) in roles {
        if let Some(position) = position.filter(|p| targets.contains(p)) {
            return Err(Failure::input(format!(
                "{option} {0}: \"{0}\" is to be predicted; give another column",
                source.header()[position]
            )));
        }
    }
    Ok(())
}

/// A feature that equals a target gives a perfect and worthless fit.
fn refuse_copies(
    target_names: &[String],
    targets: &[Vec<f64>],
    feature_names: &[String],
    features: &[Vec<f64>],
    lags: &Lags,
) -> Result<()> {
    if !lags.has_present() {
        return Ok(());
    }
    for (target, y) in target_names.iter().zip(targets) {
        if let Some((feature, _)) = feature_names.iter().zip(features).find(|(_, x)| *x == y) {
            return Err(Failure::input(format!(
                "column \"{feature}\" equals the target \"{target}\" in every row: leave it out, \
                 or take earlier rows with --lags 1"
            )));
        }
    }
    Ok(())
}

fn refuse_disorder(source: &Source, times: &[f64], groups: Option<&[usize]>) -> Result<()> {
    for i in 1..times.len() {
        let same = groups.is_none_or(|g| g[i] == g[i - 1]);
        if same && times[i] <= times[i - 1] {
            return Err(Failure::input(format!(
                "{}: time {} comes after {}; sort the rows by time (within each group) and give \
                 each a time of its own",
                source.place(i),
                times[i],
                times[i - 1]
            )));
        }
    }
    // A group in two pieces would look like two groups to a kernel of neighbouring rows.
    if let Some(groups) = groups {
        let mut closed = std::collections::HashSet::new();
        for i in 1..groups.len() {
            if groups[i] != groups[i - 1] {
                closed.insert(groups[i - 1]);
                if closed.contains(&groups[i]) {
                    return Err(Failure::input(format!(
                        "{}: a group begins again after another; sort the rows by group, then time",
                        source.place(i)
                    )));
                }
            }
        }
    }
    Ok(())
}

fn refuse_bad_weights(source: &Source, weights: &[f64]) -> Result<()> {
    match weights.iter().position(|w| *w <= 0.0) {
        None => Ok(()),
        Some(i) => Err(Failure::input(format!(
            "{}: weight {}; weights are > 0, remove rows that are not to count",
            source.place(i),
            weights[i]
        ))),
    }
}

fn repeated(names: &[String]) -> Option<&String> {
    names.iter().enumerate().find(|(i, n)| names[..*i].contains(n)).map(|(_, n)| n)
}

/// Names in quotes, the list cut where it gets long.
pub(crate) fn quoted(names: &[&str]) -> String {
    let mut shown: Vec<String> = names.iter().take(20).map(|n| format!("\"{n}\"")).collect();
    if names.len() > 20 {
        shown.push(format!("and {} more", names.len() - 20));
    }
    shown.join(", ")
}
