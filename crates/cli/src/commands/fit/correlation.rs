//! The correlation of the rows: stated on the command line, read from a file, or fitted.

use crate::arrays::read_npy;
use crate::dataset::Dataset;
use crate::failure::{Failure, Result};
use crate::files::{extension, read_bytes};
use crate::output::number;
use crate::table::Table;
use rmt_estimators::{Error, RowCorrelation, Stamps, StatedCorrelation};
use rmt_models::kernel::{DENSE_LIMIT, Family, SpectrumMethod};
use std::str::FromStr;

/// How rows are correlated, as `--correlation` says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Correlation {
    /// The family that describes the data best, or none.
    Auto,
    /// Independent rows.
    None,
    /// Decay e^{−t/ξ}; ξ from the data unless given.
    Exponential(Option<f64>),
    /// Decay (1+t)^{−χ}; χ from the data unless given.
    PowerLaw(Option<f64>),
    /// A matrix from a file.
    Matrix(String),
}

impl FromStr for Correlation {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, parameter) = match text.split_once(':') {
            Some((name, number)) => match number.parse::<f64>() {
                Ok(x) if x > 0.0 && x.is_finite() => (name, Some(x)),
                _ => return Err(format!("`{number}` is no positive number")),
            },
            None => (text, None),
        };
        match (name, parameter) {
            ("auto", None) => Ok(Self::Auto),
            ("none", None) => Ok(Self::None),
            ("exponential", parameter) => Ok(Self::Exponential(parameter)),
            ("power-law" | "power_law", parameter) => Ok(Self::PowerLaw(parameter)),
            (file, None) if file.ends_with(".npy") || file.ends_with(".csv") => {
                Ok(Self::Matrix(file.to_owned()))
            }
            _ => Err("give auto, none, exponential, exponential:LENGTH, power-law, \
                      power-law:EXPONENT, or a square matrix in a .npy or .csv file"
                .into()),
        }
    }
}

impl Correlation {
    /// Of the rows at `positions` of the whole series; `matrix` is what the file holds.
    fn stated(&self, matrix: Option<&[Vec<f64>]>, positions: &[usize]) -> StatedCorrelation {
        let family = match self {
            Self::Auto => return StatedCorrelation::Auto,
            Self::None => return StatedCorrelation::Independent,
            Self::Exponential(None) => return StatedCorrelation::Exponential,
            Self::PowerLaw(None) => return StatedCorrelation::PowerLaw,
            Self::Exponential(Some(length)) => Family::Exponential { length: *length },
            Self::PowerLaw(Some(exponent)) => Family::PowerLaw { exponent: *exponent },
            Self::Matrix(_) => {
                let all = matrix.unwrap_or_default();
                let row = |i: &usize| positions.iter().map(|j| all[*i][*j]).collect();
                Family::Dense { values: positions.iter().map(row).collect() }
            }
        };
        StatedCorrelation::Given(family.into())
    }
}

/// The correlation of the rows of `data`, which stand at `positions` of the whole series; `None` for
/// independent rows.
pub(super) fn find(
    asked: &Correlation,
    matrix: Option<&[Vec<f64>]>,
    data: &Dataset,
    positions: &[usize],
    standardize: bool,
    method: SpectrumMethod,
) -> Result<Option<RowCorrelation>> {
    let n = data.rows();
    // Where rows between them were taken out, their distance counts these.
    let gaps = positions.windows(2).any(|w| w[1] != w[0] + 1);
    let places = || positions.iter().map(|i| *i as f64).collect();
    let times = data.times.clone().or_else(|| gaps.then(places));
    let stamps = Stamps { groups: data.groups.clone(), times };
    let x = rmt_estimators::Table::new(&data.x, n, data.features.len()).map_err(Failure::input)?;
    let stated = asked.stated(matrix, positions);
    let found = RowCorrelation::find(&stated, x, standardize, stamps, method).map_err(|e| {
        let remedy = match e {
            Error::NoCorrelation { family } => format!(", as in {family}:5"),
            Error::Correlation(_) if n > DENSE_LIMIT && method == SpectrumMethod::Exact => {
                "; --correlation exponential is exact for any length, --approximate takes the FFT \
                 spectrum"
                    .into()
            }
            Error::Correlation(_) => String::new(),
            // Nothing about the correlation.
            other => return Failure::input(other),
        };
        Failure::input(format!("--correlation: {e}{remedy}"))
    })?;
    Ok((!found.kernel().is_identity()).then_some(found))
}

/// For people: `correlated over 5.5 ± 0.8 rows (exponential, fitted)`.
pub(super) fn text(correlation: &RowCorrelation, unit: &str) -> String {
    let with_error = |x: f64| match correlation.fitted() {
        Some(f) => format!("{} ± {}", number(x, 3), number(f.standard_error, 2)),
        None => number(x, 3),
    };
    let how = if correlation.fitted().is_some() { "fitted" } else { "as given" };
    match &correlation.correlation().family {
        Family::Exponential { length } => {
            format!("correlated over {} {unit} (exponential, {how})", with_error(*length))
        }
        Family::PowerLaw { exponent } => {
            format!("correlated as (1 + distance)^−{} ({how})", with_error(*exponent))
        }
        other => format!("correlated ({}, {how})", other.kind().replace('_', " ")),
    }
}

/// The rows of a square matrix in a file.
pub(super) fn read_matrix(path: &str) -> Result<Vec<Vec<f64>>> {
    let bytes = read_bytes(path)?;
    let rows: Vec<Vec<f64>> = if extension(path) == "npy" {
        let array = read_npy(path, &bytes).map_err(Failure::input)?;
        let width = array.shape.get(1).copied().unwrap_or(1).max(1);
        array.values.chunks(width).map(<[f64]>::to_vec).collect()
    } else {
        let table = Table::parse(path, &bytes).map_err(Failure::input)?;
        let columns: Vec<Vec<f64>> = (0..table.header().len())
            .map(|j| table.numbers(j).map_err(Failure::input))
            .collect::<Result<_>>()?;
        (0..table.rows()).map(|i| columns.iter().map(|c| c[i]).collect()).collect()
    };
    match rows.iter().find(|row| row.len() != rows.len()) {
        None => Ok(rows),
        Some(row) => Err(Failure::input(format!(
            "--correlation {path}: {} rows of {} columns; a correlation matrix is square, one row \
             and column for each row of the data",
            rows.len(),
            row.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_a_parameter_and_files_are_known_by_their_ending() {
        assert_eq!("exponential:3.5".parse(), Ok(Correlation::Exponential(Some(3.5))));
        assert_eq!("power-law".parse(), Ok(Correlation::PowerLaw(None)));
        assert_eq!("k.npy".parse(), Ok(Correlation::Matrix("k.npy".into())));
        for bad in ["", "exp", "exponential:0", "exponential:x", "auto:3", "none:1", "k.txt"] {
            assert!(bad.parse::<Correlation>().is_err(), "{bad}");
        }
    }
}
