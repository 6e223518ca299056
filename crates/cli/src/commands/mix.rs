use crate::args::Output;
use crate::commands::disparity::column_scales;
use crate::dataset::{Columns, Dataset, Source};
use crate::failure::{Failure, Result};
use crate::figure::{Axis, Content, Figure, Mark, Role, Series};
use crate::files;
use crate::output::{note, number, print, table};
use crate::report::Report as Page;
use rmt_estimators::Table;
use rmt_estimators::groups::{Band, Mix, MixPoint, Pool};
use serde_json::{Value as Json, json};
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
Each file is taken as its population (centred on its own mean): covariance, least-squares
coefficients, noise. Predicted is the error on real data of ridge regression on both together,
with weight α on the synthetic rows, (1−α)/n₁ Σ real + α/n₂ Σ synthetic + λ|θ|². Gaussian
features, more rows than features in both files. The band of the best weight holds the weights
that resampled data sets do not reject: how good the synthetic labels are is varied, covariances
and noise are as estimated.

Example:
  rmt mix real.csv generated.csv --target y --standardize")]
pub(crate) struct Args {
    /// Real data: CSV, TSV or .npy.
    real: String,
    /// Synthetic data with the same columns.
    synthetic: String,
    /// Column to predict.
    #[arg(long, value_name = "COL", help_heading = "Data")]
    target: String,
    /// Columns to predict from [default: all others].
    #[arg(long, value_name = "COL,…", value_delimiter = ',', help_heading = "Data")]
    features: Vec<String>,
    /// Columns to leave out.
    #[arg(long, value_name = "COL,…", value_delimiter = ',', conflicts_with = "features")]
    #[arg(help_heading = "Data")]
    drop: Vec<String>,
    /// Divide each feature by its standard deviation in the real data.
    #[arg(long, help_heading = "Model")]
    standardize: bool,
    /// Ridge [default: the best one, jointly with the weight].
    #[arg(long, value_name = "λ", help_heading = "Model")]
    lambda: Option<f64>,
    /// Real rows to train on [default: those there are].
    #[arg(long, value_name = "N", help_heading = "Prediction")]
    n_real: Option<f64>,
    /// Synthetic rows to train on [default: those there are].
    #[arg(long, value_name = "N", help_heading = "Prediction")]
    n_synthetic: Option<f64>,
    /// Refits of resampled rows behind the bands; 0 for none.
    #[arg(long, default_value_t = 200, value_name = "B", help_heading = "Prediction")]
    resamplings: usize,
    /// Seed of the resampling.
    #[arg(long, default_value_t = 0, value_name = "SEED", help_heading = "Prediction")]
    seed: u64,
    #[command(flatten)]
    output: Output,
}

const FEW_PER_FEATURE: f64 = 4.0;

pub(crate) fn run(args: &Args) -> Result {
    let columns = Columns {
        target: Some(args.target.clone()),
        features: args.features.clone(),
        drop: args.drop.clone(),
        ..Columns::default()
    };
    let real_source = Source::read(&args.real)?;
    let real = Dataset::read(&real_source, &columns)?;
    real.notes.iter().for_each(|n| note(n));
    // The synthetic file must have the real features, whatever else it has.
    let features: Vec<String> = real.features.iter().map(|f| f.column.clone()).collect();
    let columns = Columns { features, drop: Vec::new(), ..columns };
    let synthetic = Dataset::read(&Source::read(&args.synthetic)?, &columns)?;
    let p = real.features.len();
    let scale = column_scales(&real.x, p, args.standardize);
    let pool = |set: &Dataset, name: &str| -> Result<Pool> {
        let x: Vec<f64> = set.x.iter().enumerate().map(|(i, v)| v / scale[i % p]).collect();
        let table = Table::new(&x, set.rows(), p).map_err(Failure::input)?;
        let pool = Pool::new(table, &set.y).map_err(|e| {
            Failure::input(format!("{name}: {e} (rows are taken as a population, which needs more of them than features)"))
        })?;
        if pool.rows_per_feature() < FEW_PER_FEATURE {
            note(&format!(
                "{name} has {} rows for {p} features: predictions from fewer than {FEW_PER_FEATURE} \
                 rows a feature are off by 10 % and more",
                set.rows()
            ));
        }
        Ok(pool)
    };
    let mix = Mix::new(pool(&real, &args.real)?, pool(&synthetic, &args.synthetic)?)
        .map_err(Failure::input)?;
    let count = |given: Option<f64>, rows: usize, flag: &str| -> Result<f64> {
        match given {
            None => Ok(rows as f64),
            Some(n) if n >= 1.0 && n.fract() == 0.0 => Ok(n),
            Some(n) => {
                Err(Failure::input(format!("{flag} {n}: give a whole number of at least 1")))
            }
        }
    };
    let n = (
        count(args.n_real, real.rows(), "--n-real")?,
        count(args.n_synthetic, synthetic.rows(), "--n-synthetic")?,
    );
    let report = Report::of(args, &mix, n)?;
    let data = report.json();
    if let Some(path) = &args.output.out {
        if files::extension(path) == "csv" {
            files::write(path, files::csv(&report.rows())?.as_bytes())?;
        } else {
            files::write(path, format!("{data:#}\n").as_bytes())?;
        }
    }
    if let Some(path) = &args.output.plot {
        report.figure().save(path)?;
    }
    if let Some(path) = &args.output.report {
        let page = Page {
            title: "Synthetic rows beside real ones".into(),
            task: "model_collapse",
            inputs: data.clone(),
            text: report.text(),
            notes: Vec::new(),
            figures: vec![report.figure()],
        };
        page.save(path)?;
    }
    if args.output.json {
        print(&data.to_string())?;
    } else {
        print(&report.text())?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Report<'a> {
    mix: &'a Mix,
    n: (f64, f64),
    lambda: f64,
    best: MixPoint,
    /// Real rows alone, and every row alike.
    real_only: MixPoint,
    plain: MixPoint,
    curve: Vec<MixPoint>,
    /// Error of the plain mixture with this many synthetic rows.
    shares: Vec<(f64, f64)>,
    bands: Option<(Band, Band)>,
}

impl<'a> Report<'a> {
    fn of(args: &Args, mix: &'a Mix, n: (f64, f64)) -> Result<Self> {
        let lambda = match args.lambda {
            Some(lambda) => lambda,
            None => best_lambda(mix, n)?,
        };
        let best = mix.best_weight(n, lambda).map_err(Failure::input)?;
        let weights: Vec<f64> = (0..=20).map(|i| f64::from(i) / 20.0).collect();
        let curve = mix.curve(n, lambda, &weights).map_err(Failure::input)?;
        let plain_weight = n.1 / (n.0 + n.1);
        let plain = mix.curve(n, lambda, &[plain_weight]).map_err(Failure::input)?[0];
        let mut shares = Vec::new();
        for part in [0.0, 0.1, 0.25, 0.5, 0.75, 1.0] {
            let n2 = (part * n.1).round();
            let point = mix.curve((n.0, n2), lambda, &[n2 / (n.0 + n2)]).map_err(Failure::input)?;
            shares.push((n2, point[0].error));
        }
        let bands = (args.resamplings > 0)
            .then(|| mix.bands(n, lambda, args.resamplings, args.seed))
            .transpose()
            .map_err(Failure::input)?;
        let real_only = curve[0];
        Ok(Self { mix, n, lambda, best, real_only, plain, curve, shares, bands })
    }

    fn json(&self) -> Json {
        let band = |b: &Band| json!([b.low, b.high]);
        json!({
            "n_real": self.n.0, "n_synthetic": self.n.1, "lambda": self.lambda,
            "quality": self.mix.quality(), "quality_uncorrected": self.mix.quality_uncorrected(),
            "quality_band": self.bands.as_ref().map(|b| band(&b.1)),
            "noise_variance_real": self.mix.real().noise_variance(),
            "noise_variance_synthetic": self.mix.synthetic().noise_variance(),
            "best_weight": self.best.weight, "best_weight_band": self.bands.as_ref().map(|b| band(&b.0)),
            "error_best": self.best.error, "error_real_only": self.real_only.error, "error_plain": self.plain.error,
            "weights": self.curve.iter().map(|p| p.weight).collect::<Vec<_>>(),
            "errors": self.curve.iter().map(|p| p.error).collect::<Vec<_>>(),
            "by_synthetic_rows": self.shares.iter().map(|(n, e)| json!({"n_synthetic": n, "error_plain": e})).collect::<Vec<_>>(),
            "assumptions": ["each file is its population, centred on its own mean", "Gaussian features, independent rows",
                "the distance of the coefficients is corrected for the noise of both fits"],
        })
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![["weight", "predicted_error"].map(String::from).to_vec()];
        rows.extend(self.curve.iter().map(|p| vec![files::cell(p.weight), files::cell(p.error)]));
        rows
    }

    fn text(&self) -> String {
        let range = |b: &Band| format!("{} … {}", number(b.low, 3), number(b.high, 3));
        let bands = |f: fn(&(Band, Band)) -> Band| {
            self.bands.as_ref().map(|b| range(&f(b))).unwrap_or_default()
        };
        let row =
            |name: &str, value: f64, band: String| vec![name.to_owned(), number(value, 4), band];
        let mut text = table(
            &["", "estimate", "90 % band"],
            &[
                row("error of the synthetic labels c²", self.mix.quality(), bands(|b| b.1)),
                row("noise of real labels", self.mix.real().noise_variance(), String::new()),
                row(
                    "noise of synthetic labels",
                    self.mix.synthetic().noise_variance(),
                    String::new(),
                ),
                row("ridge λ", self.lambda, String::new()),
                row("best weight α of synthetic rows", self.best.weight, bands(|b| b.0)),
                row("predicted error, best weight", self.best.error, String::new()),
                row("predicted error, every row alike", self.plain.error, String::new()),
                row("predicted error, real rows only", self.real_only.error, String::new()),
            ],
        );
        text.push('\n');
        let rows: Vec<Vec<String>> =
            self.shares.iter().map(|(n, e)| vec![number(*n, 6), number(*e, 4)]).collect();
        text += &table(&["synthetic rows added, every row alike", "predicted error"], &rows);
        let gain = 1.0 - self.best.error / self.real_only.error;
        let sentence = if self.best.weight == 0.0 || gain < 1e-3 {
            format!(
                "The {} synthetic rows do not help beside {} real ones: leave them out.",
                self.n.1, self.n.0
            )
        } else {
            format!(
                "With weight {} the {} synthetic rows lower the predicted error by {} %; treated like real ones they change it by {} %.",
                number(self.best.weight, 2),
                self.n.1,
                number(100.0 * gain, 2),
                number(100.0 * (self.plain.error / self.real_only.error - 1.0), 2)
            )
        };
        text + "\n" + &sentence + "\n"
    }

    fn figure(&self) -> Figure {
        let series = vec![Series {
            name: "predicted".into(),
            role: Role::Theory,
            quantity: 0,
            x: self.curve.iter().map(|p| p.weight).collect(),
            y: self.curve.iter().map(|p| p.error).collect(),
            limits: None,
        }];
        Figure {
            title: "Error on real data".into(),
            x: Axis::new("weight of the synthetic rows", false),
            y: Axis::new("mean squared error", false),
            content: Content::Curves {
                series,
                marks: vec![Mark { x: self.best.weight, label: "best".into() }],
            },
        }
    }
}

/// The ridge that goes with the best weight: a grid over eight decades, then a finer one.
fn best_lambda(mix: &Mix, n: (f64, f64)) -> Result<f64> {
    let error = |log: f64| -> Result<f64> {
        Ok(mix.best_weight(n, log.exp()).map_err(Failure::input)?.error)
    };
    let centre = mix.real().mean_variance().ln();
    let (mut low, mut high) = (centre - 14.0, centre + 5.0);
    let mut best = (low, f64::INFINITY);
    for points in [20, 9, 9] {
        let step = (high - low) / f64::from(points - 1);
        for i in 0..points {
            let x = low + step * f64::from(i);
            let value = error(x)?;
            if value < best.1 {
                best = (x, value);
            }
        }
        (low, high) = (best.0 - step, best.0 + step);
    }
    Ok(best.0.exp())
}
