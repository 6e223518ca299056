use crate::args::Output;
use crate::dataset::{Columns, Dataset, Source};
use crate::failure::{Failure, Result};
use crate::figure::{Axis, Content, Figure, Mark, Role, Series};
use crate::files;
use crate::output::{note, number, print, table};
use crate::report::Report as Page;
use rmt_estimators::groups::{GroupCriteria, Pool, Pools, Prediction};
use rmt_estimators::{Options, Regression, Table};
use serde_json::{Value as Json, json};
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
One ridge model is fitted to all rows, with one intercept. Shown for every ridge: the leave-one-out
error of each group under that fit, the difference of the last group shown to the first with a 90 %
band, and what the theory predicts when each group's rows are taken as its population (centred
on the group's own mean, Gaussian features, coefficients of its own).

Example:
  rmt disparity data/diabetes.csv --group sex --target progression --standardize")]
pub(crate) struct Args {
    /// Data: CSV, TSV or .npy; `-` is standard input.
    data: String,
    /// Column of the group labels; it is not used as a feature.
    #[arg(long, value_name = "COL", help_heading = "Data")]
    group: String,
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
    /// Divide each feature by its standard deviation.
    #[arg(long, help_heading = "Model")]
    standardize: bool,
    /// Ridges λ of mean squared residual + λ|θ|² [default: 13 across the useful range].
    #[arg(long, value_name = "λ,…", value_delimiter = ',', help_heading = "Model")]
    lambda: Vec<f64>,
    /// Rows of each group to predict for, in the order of appearance [default: those there are].
    #[arg(long, value_name = "N,…", value_delimiter = ',', help_heading = "Prediction")]
    rows: Vec<f64>,
    /// Refits of resampled rows behind the bands of predictions; 0 for none.
    #[arg(long, default_value_t = 200, value_name = "B", help_heading = "Prediction")]
    resamplings: usize,
    /// Seed of the resampling.
    #[arg(long, default_value_t = 0, value_name = "SEED", help_heading = "Prediction")]
    seed: u64,
    #[command(flatten)]
    output: Output,
}

/// Rows below which the error bar of a group's own error is itself uncertain.
const FEW_ROWS: usize = 30;
/// Rows a feature below which the population view is off by a tenth and more.
const FEW_PER_FEATURE: f64 = 4.0;

pub(crate) fn run(args: &Args) -> Result {
    let source = Source::read(&args.data)?;
    let columns = Columns {
        target: Some(args.target.clone()),
        groups: Some(args.group.clone()),
        features: args.features.clone(),
        drop: args.drop.clone(),
        ..Columns::default()
    };
    if args.group == args.target {
        return Err(Failure::input("--group and --target name the same column"));
    }
    let set = Dataset::read(&source, &columns)?;
    set.notes.iter().for_each(|n| note(n));
    let names = &set.group_names;
    let labels = set.groups.clone().unwrap_or_default();
    if names.len() < 2 {
        return Err(Failure::input(format!(
            "column \"{}\" has one value only: a disparity needs at least two groups",
            args.group
        )));
    }
    if names.len() > 50 {
        return Err(Failure::input(format!(
            "column \"{}\" has {} different values; a column of group labels has few",
            args.group,
            names.len()
        )));
    }
    if !args.rows.is_empty() && args.rows.len() != names.len() {
        return Err(Failure::input(format!(
            "--rows has {} numbers for {} groups: give one a group, in the order {}",
            args.rows.len(),
            names.len(),
            names.join(", ")
        )));
    }
    if let Some(rows) = args.rows.iter().find(|n| !(**n >= 1.0 && n.fract() == 0.0)) {
        return Err(Failure::input(format!("--rows {rows}: give whole numbers of at least 1")));
    }
    let (n, p) = (set.rows(), set.features.len());
    let options = Options { standardize: args.standardize, ..Options::default() };
    let fit = Regression::new(
        Table::new(&set.x, n, p).map_err(Failure::input)?,
        Table::column(&set.y),
        &options,
    )
    .map_err(Failure::input)?;
    let mut lambdas = if args.lambda.is_empty() { fit.grid(13) } else { args.lambda.clone() };
    lambdas.sort_by(|a, b| b.total_cmp(a));
    let groups = fit.by_group(&labels, names.len(), &lambdas).map_err(|e| match e {
        rmt_estimators::Error::SmallGroup { group, rows, .. } => Failure::input(format!(
            "group \"{}\" has {rows} row: an error needs at least two; drop it",
            names[group]
        )),
        other => Failure::input(other),
    })?;
    for (name, group) in names.iter().zip(&groups) {
        if group.rows < FEW_ROWS {
            note(&format!(
                "group \"{name}\" has {} rows: its error bar is rough below {FEW_ROWS}",
                group.rows
            ));
        }
    }
    let predictions = predict(args, &set, &labels, &lambdas, &groups);
    let predictions = match predictions {
        Ok(predictions) => Some(predictions),
        Err(reason) => {
            note(&format!("no prediction from the rows as populations: {}", reason.text()));
            None
        }
    };
    let report = Report { args, names, lambdas: &lambdas, groups: &groups, predictions };
    let data = report.json();
    if let Some(path) = &args.output.out {
        report.write(path, &data)?;
    }
    if let Some(path) = &args.output.plot {
        report.figure().save(path)?;
    }
    if let Some(path) = &args.output.report {
        let page = Page {
            title: format!("Errors of groups in {}", args.data),
            task: "bias_amplification",
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

/// The rows of each group as its population.
fn predict(
    args: &Args,
    set: &Dataset,
    labels: &[usize],
    lambdas: &[f64],
    groups: &[GroupCriteria],
) -> Result<Vec<Prediction>> {
    let p = set.features.len();
    let scale = column_scales(&set.x, p, args.standardize);
    let mut pools = Vec::new();
    for (index, name) in set.group_names.iter().enumerate() {
        let rows: Vec<usize> = (0..labels.len()).filter(|i| labels[*i] == index).collect();
        let x: Vec<f64> = rows
            .iter()
            .flat_map(|i| (0..p).map(|j| set.x[i * p + j] / scale[j]).collect::<Vec<_>>())
            .collect();
        let y: Vec<f64> = rows.iter().map(|i| set.y[*i]).collect();
        let table = Table::new(&x, rows.len(), p).map_err(Failure::input)?;
        let pool =
            Pool::new(table, &y).map_err(|e| Failure::input(format!("group \"{name}\": {e}")))?;
        if pool.rows_per_feature() < FEW_PER_FEATURE {
            note(&format!(
                "group \"{name}\" has {} rows for {p} features: predictions from fewer than \
                 {FEW_PER_FEATURE} rows a feature are off by 10 % and more",
                rows.len()
            ));
        }
        pools.push(pool);
    }
    let n: Vec<f64> = if args.rows.is_empty() {
        groups.iter().map(|g| g.rows as f64).collect()
    } else {
        args.rows.clone()
    };
    let pools = Pools::new(pools).map_err(Failure::input)?;
    pools.predict(&n, lambdas, args.resamplings, args.seed).map_err(Failure::input)
}

/// Standard deviation of each column over all rows, or ones.
pub(crate) fn column_scales(x: &[f64], p: usize, standardize: bool) -> Vec<f64> {
    if !standardize {
        return vec![1.0; p];
    }
    let n = (x.len() / p) as f64;
    (0..p)
        .map(|j| {
            let column = || x.iter().skip(j).step_by(p);
            let mean = column().sum::<f64>() / n;
            (column().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()
        })
        .collect()
}

struct Report<'a> {
    args: &'a Args,
    names: &'a [String],
    lambdas: &'a [f64],
    groups: &'a [GroupCriteria],
    predictions: Option<Vec<Prediction>>,
}

impl Report<'_> {
    /// Position of the ridge with the smallest mean LOO over all rows.
    fn best(&self) -> usize {
        let total =
            |at: usize| -> f64 { self.groups.iter().map(|g| g.rows as f64 * g.loo[at]).sum() };
        (0..self.lambdas.len()).min_by(|a, b| total(*a).total_cmp(&total(*b))).unwrap_or(0)
    }

    /// The groups that are hardest and easiest at the best ridge; the two there are, in order.
    fn pair(&self) -> (usize, usize) {
        if self.groups.len() == 2 {
            return (0, 1);
        }
        let at = self.best();
        let order =
            |a: &usize, b: &usize| self.groups[*a].loo[at].total_cmp(&self.groups[*b].loo[at]);
        let all = 0..self.groups.len();
        (all.clone().min_by(order).unwrap_or(0), all.max_by(order).unwrap_or(1))
    }

    fn json(&self) -> Json {
        let (first, second) = self.pair();
        let groups: Vec<Json> = self
            .names
            .iter()
            .zip(self.groups)
            .map(|(name, g)| {
                json!({"group": name, "rows": g.rows, "train_error": g.train_error, "leverage": g.leverage,
                    "gcv": g.gcv, "loo": g.loo, "loo_stderr": g.loo_stderr})
            })
            .collect();
        let differences: Vec<Json> = (0..self.lambdas.len())
            .map(|at| {
                let (value, band) = self.groups[first].difference(&self.groups[second], at);
                json!({"value": value, "low": band.low, "high": band.high})
            })
            .collect();
        let predictions: Option<Vec<Json>> = self.predictions.as_ref().map(|all| {
            all.iter()
                .map(|p| {
                    let band = self.args.resamplings > 0;
                    json!({"lambda": p.lambda, "joint": p.joint, "separate": p.separate, "difference": p.difference,
                        "low": band.then_some(p.band.low), "high": band.then_some(p.band.high)})
                })
                .collect()
        });
        json!({
            "target": self.args.target, "group": self.args.group, "lambdas": self.lambdas,
            "groups": groups,
            "difference": {"second": self.names[second], "first": self.names[first], "band_level": 0.9, "by_lambda": differences},
            "predicted": predictions,
            "assumptions": ["in sample: one joint fit with a common intercept, rows independent",
                "predicted: each group's rows are its population, centred on its own mean; Gaussian features"],
        })
    }

    fn write(&self, path: &str, data: &Json) -> Result<()> {
        if files::extension(path) != "csv" {
            return files::write(path, format!("{data:#}\n").as_bytes());
        }
        let mut rows = vec![
            [
                "lambda",
                "group",
                "rows",
                "loo",
                "loo_stderr",
                "gcv",
                "train_error",
                "predicted_joint",
                "predicted_separate",
            ]
            .map(String::from)
            .to_vec(),
        ];
        for (at, lambda) in self.lambdas.iter().enumerate() {
            for (s, (name, g)) in self.names.iter().zip(self.groups).enumerate() {
                let predicted = self.predictions.as_ref().map(|p| &p[at]);
                rows.push(vec![
                    files::cell(*lambda),
                    name.clone(),
                    g.rows.to_string(),
                    files::cell(g.loo[at]),
                    files::cell(g.loo_stderr[at]),
                    files::cell(g.gcv[at]),
                    files::cell(g.train_error[at]),
                    predicted.map(|p| files::cell(p.joint[s])).unwrap_or_default(),
                    predicted.map(|p| files::cell(p.separate[s])).unwrap_or_default(),
                ]);
            }
        }
        files::write(path, files::csv(&rows)?.as_bytes())
    }

    fn text(&self) -> String {
        let best = self.best();
        let (first, second) = self.pair();
        let mut header = vec!["λ".to_owned()];
        header.extend(self.names.iter().map(|n| format!("LOO {n}")));
        header.extend(["difference", "90 % band"].map(String::from));
        if self.predictions.is_some() {
            header.push("predicted".into());
            header.push("90 % band".into());
        }
        let range = |low: f64, high: f64| format!("{} … {}", number(low, 3), number(high, 3));
        let rows: Vec<Vec<String>> = (0..self.lambdas.len())
            .map(|at| {
                let mark = if at == best { "*" } else { "" };
                let mut cells = vec![format!("{}{mark}", number(self.lambdas[at], 3))];
                cells.extend(self.groups.iter().map(|g| {
                    format!("{} ± {}", number(g.loo[at], 4), number(g.loo_stderr[at], 2))
                }));
                let (value, band) = self.groups[first].difference(&self.groups[second], at);
                cells.push(number(value, 3));
                cells.push(range(band.low, band.high));
                if let Some(predictions) = &self.predictions {
                    let p = &predictions[at];
                    cells.push(number(p.difference, 3));
                    let shown = self.args.resamplings > 0;
                    cells.push(if shown { range(p.band.low, p.band.high) } else { "-".into() });
                }
                cells
            })
            .collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let sizes: Vec<String> = self
            .names
            .iter()
            .zip(self.groups)
            .map(|(name, g)| format!("{name}: {} rows", g.rows))
            .collect();
        let mut text =
            format!("{} by {}: {}\n\n", self.args.target, self.args.group, sizes.join(", "));
        text += &table(&header, &rows);
        let (value, band) = self.groups[first].difference(&self.groups[second], best);
        let verdict = if band.low > 0.0 || band.high < 0.0 {
            let (harder, easier) = if value > 0.0 { (second, first) } else { (first, second) };
            format!(
                "At the ridge with the smallest leave-one-out error (*), \"{}\" is predicted worse than \"{}\": by {} in mean squared error (90 % band {}).",
                self.names[harder],
                self.names[easier],
                number(value.abs(), 3),
                if value > 0.0 { range(band.low, band.high) } else { range(-band.high, -band.low) }
            )
        } else {
            format!(
                "At the ridge with the smallest leave-one-out error (*), the difference between \"{}\" and \"{}\" is within its error bar.",
                self.names[second], self.names[first]
            )
        };
        text + "\n" + &verdict + "\n"
    }

    fn figure(&self) -> Figure {
        let mut series = Vec::new();
        for (s, (name, g)) in self.names.iter().zip(self.groups).enumerate() {
            series.push(Series {
                name: format!("{name}, leave-one-out"),
                role: Role::Points,
                quantity: s,
                x: self.lambdas.to_vec(),
                y: g.loo.clone(),
                limits: Some(
                    g.loo
                        .iter()
                        .zip(&g.loo_stderr)
                        .map(|(l, e)| (l - 2.0 * e, l + 2.0 * e))
                        .collect(),
                ),
            });
            if let Some(predictions) = &self.predictions {
                series.push(Series {
                    name: format!("{name}, predicted"),
                    role: Role::Theory,
                    quantity: s,
                    x: self.lambdas.to_vec(),
                    y: predictions.iter().map(|p| p.joint[s]).collect(),
                    limits: None,
                });
            }
        }
        let best = self.lambdas[self.best()];
        let marks = if best > 0.0 { vec![Mark { x: best, label: "best".into() }] } else { vec![] };
        Figure {
            title: format!("{} by {}", self.args.target, self.args.group),
            x: Axis::new("λ", self.lambdas.iter().all(|l| *l > 0.0)),
            y: Axis::new("mean squared error", false),
            content: Content::Curves { series, marks },
        }
    }
}
