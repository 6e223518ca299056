//! The correlation of the rows: stated on the command line, read from a file, or fitted.

use crate::arrays::read_npy;
use crate::dataset::Dataset;
use crate::failure::{Failure, Result};
use crate::files::{extension, read_bytes};
use crate::output::number;
use crate::table::Table;
use rmt_estimators::{FittedFamily, KernelFit, fit_kernel};
use rmt_models::kernel::{DENSE_LIMIT, Family, Kernel, Rows, SampleCorrelation, SpectrumMethod};
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

/// Correlation of neighbouring rows below which `auto` takes rows as independent, and to which it
/// must fall over the gap of a block.
const FAINT: f64 = 0.1;

/// The correlation of the rows of one fit.
pub(super) struct Correlated {
    pub(super) family: Family,
    pub(super) kernel: Kernel,
    /// Where the family was fitted: its parameter's uncertainty.
    pub(super) fitted: Option<FittedFamily>,
    method: SpectrumMethod,
    /// Mean distance of neighbouring rows.
    step: f64,
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

/// The stamps of the rows of one fit: time or position, and group.
pub(super) struct Stamps {
    groups: Option<Vec<usize>>,
    times: Option<Vec<f64>>,
}

impl Stamps {
    /// Of the rows of `data`, which stand at `positions` of the whole series: where rows between
    /// them were taken out, their distance counts these.
    pub(super) fn of(data: &Dataset, positions: &[usize]) -> Self {
        let gaps = positions.windows(2).any(|w| w[1] != w[0] + 1);
        let position = || positions.iter().map(|i| *i as f64).collect();
        let times = data.times.clone().or_else(|| gaps.then(position));
        Self { groups: data.groups.clone(), times }
    }

    /// Mean distance of neighbouring rows.
    fn step(&self) -> f64 {
        match self.times.as_deref() {
            Some(times) if self.groups.is_none() && times.len() > 1 => {
                (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64
            }
            Some(times) => {
                let steps: Vec<f64> =
                    times.windows(2).map(|w| w[1] - w[0]).filter(|d| *d > 0.0).collect();
                if steps.is_empty() { 1.0 } else { steps.iter().sum::<f64>() / steps.len() as f64 }
            }
            None => 1.0,
        }
    }

    fn rows(&self, count: usize) -> Rows<'_> {
        Rows { count, groups: self.groups.as_deref(), times: self.times.as_deref() }
    }
}

impl Correlated {
    /// The correlation of the rows of `data`; `x` are its features as the fit will see them.
    /// `None` for independent rows.
    pub(super) fn find(
        asked: &Correlation,
        matrix: Option<&[Vec<f64>]>,
        data: &Dataset,
        x: &[f64],
        positions: &[usize],
        method: SpectrumMethod,
    ) -> Result<Option<Self>> {
        let n = data.rows();
        let stamps = Stamps::of(data, positions);
        let fit = || -> Result<KernelFit> {
            let table = rmt_estimators::Table::new(x, n, data.features.len());
            let (groups, times) = (stamps.groups.as_deref(), stamps.times.as_deref());
            table.and_then(|x| fit_kernel(x, groups, times, true)).map_err(Failure::input)
        };
        let (family, fitted) = match asked {
            Correlation::None => return Ok(None),
            // Too few rows to tell: taken as independent.
            Correlation::Auto if n < 8 => return Ok(None),
            Correlation::Auto => {
                let fit = fit()?;
                let dense = matches!(fit.best.family, Family::PowerLaw { .. });
                let long = n > DENSE_LIMIT && method == SpectrumMethod::Exact;
                let best = match (dense && long, fit.exponential) {
                    // Only the exponential family is exact for long series.
                    (true, Some(exponential)) => exponential,
                    _ => fit.best,
                };
                (best.family.clone(), Some(best))
            }
            Correlation::Exponential(Some(length)) => {
                (Family::Exponential { length: *length }, None)
            }
            Correlation::PowerLaw(Some(exponent)) => {
                (Family::PowerLaw { exponent: *exponent }, None)
            }
            Correlation::Exponential(None) => {
                let found = fit()?.exponential.ok_or_else(|| unfit("exponential"))?;
                (found.family.clone(), Some(found))
            }
            Correlation::PowerLaw(None) => {
                let found = fit()?.power_law.ok_or_else(|| unfit("power-law"))?;
                (found.family.clone(), Some(found))
            }
            Correlation::Matrix(_) => {
                let all = matrix.unwrap_or_default();
                let row = |i: &usize| positions.iter().map(|j| all[*i][*j]).collect();
                (Family::Dense { values: positions.iter().map(row).collect() }, None)
            }
        };
        // A correlation that is there but too faint to matter changes no figure.
        let faint = *asked == Correlation::Auto
            && family.at_distance(stamps.step()).is_ok_and(|r| r.abs() < FAINT);
        if family == Family::Identity || faint {
            return Ok(None);
        }
        let kernel = build(&family, stamps.rows(n), method)?;
        Ok(Some(Self { family, kernel, fitted, method, step: stamps.step() }))
    }

    /// The correlation with its fitted parameter `z` standard errors away.
    pub(super) fn shifted(
        &self,
        z: f64,
        data: &Dataset,
        positions: &[usize],
    ) -> Result<Option<Kernel>> {
        let Some(fitted) = &self.fitted else { return Ok(None) };
        let stamps = Stamps::of(data, positions);
        build(&fitted.shifted(z), stamps.rows(data.rows()), self.method).map(Some)
    }

    /// For people: `correlated over 5.5 ± 0.8 rows (exponential, fitted)`.
    pub(super) fn text(&self, unit: &str) -> String {
        let with_error = |x: f64| match &self.fitted {
            Some(f) => format!("{} ± {}", number(x, 3), number(f.standard_error, 2)),
            None => number(x, 3),
        };
        let how = if self.fitted.is_some() { "fitted" } else { "as given" };
        match &self.family {
            Family::Exponential { length } => {
                format!("correlated over {} {unit} (exponential, {how})", with_error(*length))
            }
            Family::PowerLaw { exponent } => {
                format!("correlated as (1 + distance)^−{} ({how})", with_error(*exponent))
            }
            other => format!("correlated ({}, {how})", other.kind().replace('_', " ")),
        }
    }

    /// Rows after which the correlation is below a tenth, but no more than a tenth of the rows.
    pub(super) fn gap(&self) -> usize {
        let most = self.kernel.rows() / 10;
        let faint = |lag: &usize| {
            self.family.at_distance(*lag as f64 * self.step).is_ok_and(|r| r.abs() < FAINT)
        };
        (1..most).find(faint).unwrap_or(most)
    }
}

fn build(family: &Family, rows: Rows<'_>, method: SpectrumMethod) -> Result<Kernel> {
    SampleCorrelation::from(family.clone()).kernel_on(rows, method).map_err(|e| {
        let remedy = if rows.count > DENSE_LIMIT && method == SpectrumMethod::Exact {
            "; --correlation exponential is exact for any length, --approximate takes the FFT \
             spectrum"
        } else {
            ""
        };
        Failure::input(format!("--correlation: {e}{remedy}"))
    })
}

fn unfit(family: &str) -> Failure {
    Failure::input(format!(
        "--correlation {family}: the features show no such correlation of neighbouring rows; use \
         --correlation auto or none, or state the parameter, as in {family}:5"
    ))
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
