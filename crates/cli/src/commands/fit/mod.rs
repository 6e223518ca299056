mod correlation;
mod estimate;
mod picture;
mod plan;
mod record;
mod show;

use crate::args::Output;
use crate::dataset::{Columns, Dataset, Source};
use crate::failure::{Failure, Result};
use crate::files;
use crate::holdout::Holdout;
use crate::model::{Equation, Model};
use crate::output::{note, print};
use crate::report::Report;
use correlation::Correlation;
use estimate::{Fit, Trial};
use plan::Plan;
use rmt_estimators::Criterion;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  rmt fit data/diabetes.csv --target progression --standardize
  rmt fit data/macro_unemployment.csv --target unemp --standardize --holdout last:25%,gap:8
  rmt fit data/nino12_anomalies.csv --target anomaly --features anomaly --lags 7..30
  rmt fit X.npy --targets Y.npy --out per-target.npy
  rmt fit huge.csv --target y --stream
  rmt fit data/diabetes.csv --target progression --save model.json --coefficients beta.csv
  rmt fit data/diabetes.csv --target progression --learning-curve 100,200,442,900 --plot more.svg

With --out F.npy the numbers of every target go to a NumPy array of records: np.load(F)[\"gcv1\"].

Convention: λ stands beside the mean squared residual, (1/n)‖y − Xθ‖² + λ‖θ‖²; scikit-learn's alpha
is nλ. Errors are mean squared errors. In files separated by semicolons 1,5 reads as 1.5.";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Data with a header: CSV, TSV, semicolons; or .npy (columns c1, c2, …), .npz (columns y, X1,
    /// X2, …), .parquet (where built with it); `-` is standard input.
    data: String,
    #[command(flatten)]
    columns: Columns,
    /// Read a table of any length block by block and keep only X'X: independent rows, more of them
    /// than columns, judged by GCV.
    #[arg(long, help_heading = "Data", conflicts_with_all = ["groups", "time", "weights", "lags",
        "correlation", "approximate", "folds", "blocks", "gap", "holdout", "horizon"])]
    stream: bool,
    /// How rows are correlated: auto, none, exponential[:LENGTH], power-law[:EXPONENT], or a square
    /// matrix in a .npy or .csv file.
    #[arg(long, value_name = "KIND", default_value = "auto", help_heading = "Rows")]
    correlation: Correlation,
    /// Above 2000 rows, take the FFT spectrum of a power-law correlation (κ̃ good to about 1e-3).
    #[arg(long, help_heading = "Rows")]
    approximate: bool,
    /// Divide each feature by its standard deviation first; coefficients come back in the units of
    /// the data.
    #[arg(long, help_heading = "Fit")]
    standardize: bool,
    /// Fit no intercept.
    #[arg(long, help_heading = "Fit")]
    no_intercept: bool,
    /// Ridges to try [default: a grid scaled to the spectrum of the data].
    #[arg(long, value_name = "λ,…", value_delimiter = ',', allow_negative_numbers = true)]
    #[arg(help_heading = "Fit")]
    lambda: Vec<f64>,
    /// Choose a ridge for each target instead of one for all.
    #[arg(long, help_heading = "Fit")]
    own_lambda: bool,
    /// What to minimise [default: CorrGCV if rows are correlated, else leave-one-out].
    #[arg(long, value_name = "NAME", value_parser = criterion, help_heading = "Criteria")]
    criterion: Option<Criterion>,
    /// Also K-fold cross-validation, rows taken in turn (for rows in random order).
    #[arg(long, value_name = "K", help_heading = "Criteria")]
    folds: Option<usize>,
    /// Blocks of consecutive rows for blocked cross-validation [default: 10, or each group, where
    /// rows are correlated].
    #[arg(long, value_name = "K", help_heading = "Criteria")]
    blocks: Option<usize>,
    /// Rows left out on both sides of a block [default: until the correlation is below 0.1].
    #[arg(long, value_name = "ROWS", help_heading = "Criteria")]
    gap: Option<usize>,
    /// Error to expect on these numbers of rows (drawn by --plot).
    #[arg(long, value_name = "N,…", value_delimiter = ',', help_heading = "Criteria")]
    learning_curve: Vec<usize>,
    /// Rows kept back to compare the promised error with the realised one: last:25%,
    /// last:40,gap:8, random:25%, windows:60,gap:8.
    #[arg(long, value_name = "ROWS", help_heading = "Criteria")]
    holdout: Option<Holdout>,
    /// Error of a test point this many rows (or time units) after the last one as well.
    #[arg(long, value_name = "STEPS", allow_negative_numbers = true, help_heading = "Criteria")]
    horizon: Option<f64>,
    /// Seed of --holdout random.
    #[arg(long, default_value_t = 0, help_heading = "Criteria")]
    seed: u64,
    #[command(flatten)]
    output: Output,
    /// Write the coefficients to a .csv file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    coefficients: Option<String>,
    /// Save the model for `rmt apply`.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save: Option<String>,
    /// Show everything: the whole path of ridges, how each figure came about.
    #[arg(long, short, help_heading = "Output")]
    verbose: bool,
}

fn criterion(name: &str) -> std::result::Result<Criterion, String> {
    match name.to_lowercase().replace('_', "-").as_str() {
        "gcv" => Ok(Criterion::Gcv),
        "loo" | "leave-one-out" => Ok(Criterion::Loo),
        "gcv2" => Ok(Criterion::Gcv2),
        "corr-gcv" | "corrgcv" => Ok(Criterion::CorrGcv),
        "whitened" | "whitened-corr-gcv" => Ok(Criterion::WhitenedCorrGcv),
        _ => Err("give gcv, loo, gcv2, corr-gcv or whitened".into()),
    }
}

/// What the answer is made of.
struct Answer<'a> {
    args: &'a Args,
    data: &'a Dataset,
    fit: Fit,
    trials: Vec<Trial>,
}

pub(crate) fn run(args: &Args) -> Result {
    args.output.check_forms(&["csv", "json", "npy"])?;
    if let Some(bad) = args.lambda.iter().find(|l| !(**l >= 0.0 && l.is_finite())) {
        return Err(Failure::input(format!("--lambda {bad}: a ridge is a finite number ≥ 0")));
    }
    if let Some(steps) = args.horizon.filter(|h| !(*h > 0.0 && h.is_finite())) {
        return Err(Failure::input(format!(
            "--horizon {steps}: the test point comes after the last row; give a number > 0"
        )));
    }
    let needs_rows = |c: &Criterion| !matches!(c, Criterion::Gcv);
    if args.stream && args.criterion.as_ref().is_some_and(needs_rows) {
        return Err(Failure::input("--stream: only --criterion gcv does without the rows"));
    }
    let (data, moments) = if args.stream {
        let (data, moments) = Dataset::stream(&args.data, &args.columns)?;
        (data, Some(moments))
    } else {
        (Dataset::read(&Source::read(&args.data)?, &args.columns)?, None)
    };
    let plan = Plan::new(args, &data)?;
    let fit = match &moments {
        Some(moments) => plan.fit_moments(&data, moments)?,
        None => plan.fit(&data)?,
    };
    let trials = match args.holdout {
        None => Vec::new(),
        Some(holdout) => {
            let splits = holdout.splits(data.rows(), data.groups.as_deref(), args.seed)?;
            plan.trials(&data, &fit, &splits)?
        }
    };
    let answer = Answer { args, data: &data, fit, trials };
    let notes = [data.notes.as_slice(), &answer.fit.notes, &answer.warnings()].concat();

    if let Some(path) = &args.output.out {
        let bytes = match files::extension(path).as_str() {
            "csv" => answer.csv()?.into_bytes(),
            "npy" => answer.npy(),
            _ => format!("{:#}\n", answer.json()).into_bytes(),
        };
        files::write(path, &bytes)?;
    }
    if let Some(path) = &args.coefficients {
        files::write(path, answer.coefficients()?.as_bytes())?;
    }
    if let Some(path) = &args.save {
        answer.model().save(path)?;
    }
    if let Some(path) = &args.output.plot {
        let csv = answer.figure()?.save(path)?;
        note(&format!("figure in {path}, its data in {csv}"));
    }
    if let Some(path) = &args.output.report {
        let report = Report {
            title: format!("Regression on {}", args.data),
            task: "corr_gcv",
            inputs: answer.json(),
            text: answer.text(),
            notes: notes.clone(),
            figures: answer.figure().into_iter().collect(),
        };
        report.save(path)?;
    }
    notes.iter().for_each(|n| note(n));
    if args.output.json {
        print(&answer.json().to_string())?;
    } else {
        print(&answer.text())?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Answer<'_> {
    /// The fit in the units of the data, by names.
    fn model(&self) -> Model {
        let equations = self
            .fit
            .targets
            .iter()
            .map(|t| Equation {
                target: t.name.clone(),
                lambda: t.lambda,
                intercept: t.intercept,
                coefficients: t.coefficients.clone(),
                promised_error: Some(t.promised()),
                criterion: Some(self.fit.judge().to_owned()),
            })
            .collect();
        Model::new(self.args.columns.groups.clone(), self.data.features.clone(), equations)
    }

    /// Intercept and coefficients, a column a target.
    fn coefficients(&self) -> Result<String> {
        let mut rows = vec![vec!["feature".to_owned()], vec!["(intercept)".to_owned()]];
        rows.extend(self.data.features.iter().map(|f| vec![f.to_string()]));
        for target in &self.fit.targets {
            rows[0].push(target.name.clone());
            rows[1].push(files::cell(target.intercept));
            for (row, c) in rows[2..].iter_mut().zip(&target.coefficients) {
                row.push(files::cell(*c));
            }
        }
        files::csv(&rows)
    }
}
