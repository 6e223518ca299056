//! A fitted model as a file: written by `rmt fit --save`, read by `rmt apply`.

use crate::dataset::{Feature, Source, quoted, rows_with_past};
use crate::failure::{Failure, Result};
use crate::files;
use serde::{Deserialize, Serialize};

const FORMAT: &str = "rmt-model-1";

/// A linear model on named columns, in their original units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    format: String,
    /// Version of the program that wrote it.
    version: String,
    /// Column whose groups lagged features must not cross.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) groups: Option<String>,
    pub(crate) features: Vec<Feature>,
    pub(crate) targets: Vec<Equation>,
}

/// The model of one target: ŷ = intercept + Σ coefficient · feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Equation {
    pub(crate) target: String,
    pub(crate) lambda: f64,
    pub(crate) intercept: f64,
    pub(crate) coefficients: Vec<f64>,
    /// The out-of-sample error that the fit promised, and by which criterion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) promised_error: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) criterion: Option<String>,
}

/// The rows of a file that a model predicts.
pub(crate) struct Predictions {
    /// Positions of the predicted rows: those with enough earlier rows for the lags.
    pub(crate) rows: Vec<usize>,
    /// A list of predictions a target.
    pub(crate) values: Vec<Vec<f64>>,
}

impl Equation {
    /// The prediction for one row of features, summed in their order.
    pub(crate) fn predict(&self, features: &[f64]) -> f64 {
        self.coefficients.iter().zip(features).fold(self.intercept, |sum, (c, x)| sum + c * x)
    }
}

impl Model {
    pub(crate) fn new(
        groups: Option<String>,
        features: Vec<Feature>,
        targets: Vec<Equation>,
    ) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT.into(), version, groups, features, targets }
    }

    pub(crate) fn save(&self, path: &str) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| Failure::result(format!("--save {path}: {e}")))?;
        files::write(path, format!("{text}\n").as_bytes())
    }

    pub(crate) fn read(path: &str) -> Result<Self> {
        let bad = |what: String| {
            Failure::input(format!("{path}: {what}; give a file written by `rmt fit --save`"))
        };
        let model: Self =
            serde_json::from_str(&files::read_text(path)?).map_err(|e| bad(e.to_string()))?;
        if model.format != FORMAT {
            return Err(bad(format!("format \"{}\", expected \"{FORMAT}\"", model.format)));
        }
        let p = model.features.len();
        for equation in &model.targets {
            let found = equation.coefficients.len();
            if found != p {
                let target = &equation.target;
                return Err(bad(format!(
                    "{found} coefficients for {p} features of target \"{target}\""
                )));
            }
            let finite = equation.coefficients.iter().all(|c| c.is_finite());
            if !finite || !equation.intercept.is_finite() {
                return Err(bad(format!("a coefficient of \"{}\" is not finite", equation.target)));
            }
        }
        Ok(model)
    }

    /// Predicts every row of a file that has the model's columns, found by their names.
    pub(crate) fn predict(&self, source: &Source) -> Result<Predictions> {
        let missing: Vec<&str> = self
            .features
            .iter()
            .map(|f| f.column.as_str())
            .filter(|c| !source.header().iter().any(|h| h == c))
            .collect();
        if let [first, ..] = missing.as_slice() {
            let hint = rmt_task::nearest(first, source.header().iter().map(String::as_str))
                .map(|k| format!(" (did you rename \"{first}\" to \"{k}\"?)"))
                .unwrap_or_default();
            return Err(Failure::input(format!(
                "{}: the model needs {}, which the file lacks{hint}",
                source.name(),
                quoted(&missing)
            )));
        }
        let columns: Vec<Vec<f64>> = self
            .features
            .iter()
            .map(|f| source.numbers(source.position(&f.column)?))
            .collect::<Result<_>>()?;
        let longest = self.features.iter().map(|f| f.lag).max().unwrap_or(0);
        let groups = match &self.groups {
            Some(column) if longest > 0 => Some(source.categories(source.position(column)?)?.0),
            _ => None,
        };
        let rows = rows_with_past(source.rows(), longest, groups.as_deref());
        let features = |row: usize| -> Vec<f64> {
            columns.iter().zip(&self.features).map(|(c, f)| c[row - f.lag]).collect()
        };
        let table: Vec<Vec<f64>> = rows.iter().map(|row| features(*row)).collect();
        let values = self
            .targets
            .iter()
            .map(|equation| table.iter().map(|row| equation.predict(row)).collect())
            .collect();
        Ok(Predictions { rows, values })
    }
}
