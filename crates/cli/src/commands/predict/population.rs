use crate::dataset::{Columns, Dataset, Source};
use crate::failure::{Failure, Result};
use crate::inputs::{Inputs, KeyPath};
use crate::output::number;
use rmt_estimators::{Criteria, Criterion, Options, PlugIn, Regression, Table};
use rmt_task::{Registration, takes_kinds};
use serde_json::json;

/// Ridges among which leave-one-out chooses the one that tells signal from noise.
const GRID: usize = 40;

/// A data set whose eigenvalues and target coefficients stand in for the population.
#[derive(clap::Args)]
#[command(next_help_heading = "Population from data")]
pub(super) struct Plugged {
    /// Take eigenvalues, squared target coefficients and noise from a data set, as a plug-in.
    #[arg(long, value_name = "DATA", requires = "target")]
    spectrum_from: Option<String>,
    /// Column to predict.
    #[arg(long, value_name = "COL", requires = "spectrum_from")]
    target: Option<String>,
    /// Columns to predict from [default: all others].
    #[arg(long, value_name = "COL,…", value_delimiter = ',', requires = "spectrum_from")]
    features: Vec<String>,
    /// Columns to leave out.
    #[arg(long, value_name = "COL,…", value_delimiter = ',', requires = "spectrum_from")]
    drop: Vec<String>,
    /// Divide each column by its standard deviation first.
    #[arg(long, requires = "spectrum_from")]
    standardize: bool,
}

impl Plugged {
    /// Puts the population into the inputs, and the number of rows where the task takes one; says
    /// what it did.
    pub(super) fn apply(&self, task: &Registration, inputs: &mut Inputs) -> Result<Option<String>> {
        let Some(path) = &self.spectrum_from else { return Ok(None) };
        let (schema, name) = (task.schema(), task.card().name);
        let takes = |key: &str| takes_kinds(&schema, &KeyPath::parse(key));
        if let Some(key) = ["spectrum", "target"].into_iter().find(|key| !takes(key)) {
            return Err(Failure::input(format!(
                "--spectrum-from {path}: `{name}` has no input `{key}`; `rmt explain {name}` lists \
                 its inputs"
            )));
        }
        let columns = Columns {
            target: self.target.clone(),
            features: self.features.clone(),
            drop: self.drop.clone(),
            ..Columns::default()
        };
        let data = Dataset::read(&Source::read(path)?, &columns)?;
        let plug_in = self.plug_in(&data).map_err(|e| data.named(e))?;
        let (n, p) = (data.rows(), plug_in.eigenvalues.len());
        let rank = plug_in.eigenvalues.iter().filter(|s| **s > 0.0).count();
        let explicit = |values: Vec<f64>| json!({"kind": "explicit", "values": values});
        let mut set = |key: &str, value| inputs.set(&KeyPath::parse(key), value);
        set("spectrum", explicit(plug_in.eigenvalues))?;
        set("target", explicit(plug_in.squared_coefficients))?;
        let known = |key: &str| schema.as_value().pointer(&format!("/properties/{key}")).is_some();
        if known("noise_variance") {
            set("noise_variance", json!(plug_in.noise_variance))?;
        }
        if known("n") {
            set("n", json!(n))?;
        }
        Ok(Some(format!(
            "population from {path}: {rank} eigenvalues of {p} columns in {n} rows, noise variance \
             {}, rows taken as independent. A plug-in: sample eigenvalues are spread wider than \
             the population's unless rows are many more than columns",
            number(plug_in.noise_variance, 4)
        )))
    }

    fn plug_in(&self, data: &Dataset) -> rmt_estimators::Result<PlugIn> {
        let x = Table::new(&data.x, data.rows(), data.features.len())?;
        let options = Options { standardize: self.standardize, ..Options::default() };
        let regression = Regression::new(x, Table::column(&data.y), &options)?;
        let criteria = Criteria { loo: true, ..Criteria::default() };
        let path = regression.tuned_path(&regression.grid(GRID), &criteria, Criterion::Loo)?;
        regression.plug_in(path.choose(Criterion::Loo, 0)?.lambda, 0)
    }
}
