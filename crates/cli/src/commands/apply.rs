use crate::dataset::Source;
use crate::failure::{Failure, Result};
use crate::files;
use crate::model::Model;
use crate::output::{note, number, print, table};
use serde_json::{Map, Value as Json, json};
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
Columns are found by name: their order does not matter, further columns are ignored, missing ones
are an error. If the file has the target column too, the realised error is printed.

Example:
  rmt fit data/diabetes.csv --target progression --save diabetes.json
  rmt apply diabetes.json new-patients.csv --out predictions.csv")]
pub(crate) struct Args {
    /// Model written by `rmt fit --save`.
    model: String,
    /// New data: CSV, TSV or .npy; `-` is standard input.
    data: String,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Write the predictions to a .csv file.
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
}

/// Rows shown on screen.
const ROWS: usize = 20;

pub(crate) fn run(args: &Args) -> Result {
    let model = Model::read(&args.model)?;
    let source = Source::read(&args.data)?;
    let predictions = model.predict(&source)?;
    if predictions.rows.is_empty() {
        return Err(Failure::input(format!(
            "{}: no row has enough earlier rows for the model's lags",
            source.name()
        )));
    }
    let lost = source.rows() - predictions.rows.len();
    if lost > 0 {
        note(&format!("{lost} rows have too few earlier rows for the model's lags"));
    }
    let used = |name: &String| {
        model.features.iter().any(|f| f.column == *name)
            || model.targets.iter().any(|t| t.target == *name)
            || model.groups.as_ref() == Some(name)
    };
    let ignored = source.header().iter().filter(|name| !used(name)).count();
    if ignored > 0 {
        note(&format!("{ignored} columns that the model does not know are ignored"));
    }
    let names: Vec<&str> = model.targets.iter().map(|t| t.target.as_str()).collect();

    let mut realised = Map::new();
    for (name, predicted) in names.iter().zip(&predictions.values) {
        if let Ok(position) = source.position(name) {
            let truth = source.numbers(position)?;
            let squares =
                predictions.rows.iter().zip(predicted).map(|(i, p)| (truth[*i] - p).powi(2));
            let error = squares.sum::<f64>() / predicted.len() as f64;
            realised.insert((*name).to_owned(), json!(error));
        }
    }

    if let Some(path) = &args.out {
        let mut rows = vec![vec!["row".to_owned()]];
        rows[0].extend(names.iter().map(|n| (*n).to_owned()));
        for (i, row) in predictions.rows.iter().enumerate() {
            let mut cells = vec![(row + 1).to_string()];
            cells.extend(predictions.values.iter().map(|v| files::cell(v[i])));
            rows.push(cells);
        }
        files::write(path, files::csv(&rows)?.as_bytes())?;
    }
    if args.json {
        let values: Map<String, Json> = names
            .iter()
            .zip(&predictions.values)
            .map(|(name, v)| ((*name).to_owned(), json!(v)))
            .collect();
        let rows: Vec<usize> = predictions.rows.iter().map(|r| r + 1).collect();
        print(
            &json!({"rows": rows, "predictions": values, "realised_error": realised}).to_string(),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut header = vec!["row"];
    header.extend(names.iter().take(8));
    let rows: Vec<Vec<String>> = predictions
        .rows
        .iter()
        .enumerate()
        .take(ROWS)
        .map(|(i, row)| {
            let mut cells = vec![(row + 1).to_string()];
            cells.extend(predictions.values.iter().take(8).map(|v| number(v[i], 6)));
            cells
        })
        .collect();
    let mut text = table(&header, &rows);
    if predictions.rows.len() > ROWS || names.len() > 8 {
        text += &format!(
            "… {} rows, {} targets: --out FILE.csv writes all\n",
            predictions.rows.len(),
            names.len()
        );
    }
    for (target, error) in names.iter().filter_map(|n| realised.get(*n).map(|e| (n, e))).take(8) {
        let error = error.as_f64().unwrap_or(f64::NAN);
        let promised = model.targets.iter().find(|t| t.target == **target);
        let promised = promised.and_then(|t| t.promised_error);
        let promise = promised.map(|p| format!(", promised {}", number(p, 3))).unwrap_or_default();
        text += &format!(
            "\n{target}: realised mean squared error {}{promise}, over {} rows.\n",
            number(error, 3),
            predictions.rows.len()
        );
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
