//! Curves and densities: table, data and figure.

use super::problem::failure;
use super::{Args, json_complex};
use crate::failure::{Failure, Result};
use crate::figure::{self, Content, Figure, Role, Series};
use crate::files;
use crate::grid::Axis;
use crate::inputs::Inputs;
use crate::output::{note, number, print, table};
use crate::report::Report;
use rmt_fpt::{CurvePoint, Model, Problem, size_curve};
use serde_json::{Value as Json, json};
use std::process::ExitCode;

fn axis(flag: &str, range: &str) -> Result<Axis> {
    let schema = json!({}).try_into().map_err(|_| Failure::input("no schema"))?;
    let axis = Axis::parse(range, &schema)?;
    if axis.keys.len() != 1 {
        return Err(Failure::input(format!("{flag} {range}: one parameter or size at a time")));
    }
    Ok(axis)
}

pub(super) fn over(
    args: &Args,
    problem: &Problem,
    model: &Model,
    range: &str,
    inputs: &Inputs,
) -> Result {
    let fail = |error: rmt_fpt::Error| failure(inputs, error);
    let axis = axis("--over", range)?;
    let key = axis.label.as_str();
    if !problem.dims.contains_key(key) && !problem.parameters.contains_key(key) {
        let list = |names: Vec<&String>| match &names[..] {
            [] => "none".to_owned(),
            names => names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(", "),
        };
        return Err(Failure::input(format!(
            "--over {range}: `{key}` is neither a parameter ({}) nor a size ({})",
            list(problem.parameters.keys().collect()),
            list(problem.dims.keys().collect())
        )));
    }
    let points = if problem.dims.contains_key(key) {
        let mut sizes: Vec<usize> =
            axis.values.iter().map(|x| x.round().max(0.0) as usize).collect();
        sizes.dedup();
        size_curve(problem, key, &sizes).map_err(fail)?
    } else {
        model.curve(key, &axis.values).map_err(fail)?
    };
    let good: Vec<(f64, CurvePoint)> =
        points.iter().filter_map(|(x, p)| p.as_ref().ok().map(|p| (*x, *p))).collect();
    let complex = good.iter().any(|(_, p)| p.answer.value.im != 0.0);
    let slopes = good.iter().any(|(_, p)| p.derivative.is_some());
    let mut head = vec![key, "value"];
    if complex {
        head.push("imaginary");
    }
    if slopes {
        head.push("derivative");
    }
    head.extend(["rho", "residual", "path"]);
    let row = |x: f64, p: &CurvePoint, digits: usize| {
        let mut row = vec![number(x, digits), number(p.answer.value.re, digits)];
        if complex {
            row.push(number(p.answer.value.im, digits));
        }
        if slopes {
            row.push(p.derivative.map_or(String::new(), |d| number(d.re, digits)));
        }
        row.push(number(p.answer.rho, digits.min(8)));
        row.push(number(p.answer.residual, 2));
        row.push(p.answer.path.to_string());
        row
    };
    let record = |(x, point): &(f64, rmt_fpt::Result<CurvePoint>)| match point {
        Ok(p) => json!({key: x, "value": json_complex(p.answer.value),
            "derivative": p.derivative.map(json_complex), "rho": p.answer.rho,
            "residual": p.answer.residual, "path": p.answer.path.to_string()}),
        Err(e) => json!({key: x, "error": e.to_string()}),
    };
    let records: Vec<Json> = points.iter().map(record).collect();
    let rows = |digits| good.iter().map(|(x, p)| row(*x, p, digits)).collect::<Vec<_>>();
    let series = Series {
        name: "value".into(),
        role: Role::Theory,
        quantity: 0,
        x: good.iter().map(|p| p.0).collect(),
        y: good.iter().map(|p| p.1.answer.value.re).collect(),
        limits: None,
    };
    write(args, &head, &rows, &records, (key, axis.log), ("value", series))?;
    failures(points.iter().map(|(x, p)| (*x, p.as_ref().err())), key)
}

pub(super) fn density(args: &Args, model: &Model, range: &str, inputs: &Inputs) -> Result {
    let axis = axis("--density", range)?;
    let key = axis.label.as_str();
    let points =
        model.density(key, &axis.values, args.smoothing).map_err(|error| failure(inputs, error))?;
    let record = |(x, point): &(f64, rmt_fpt::Result<f64>)| match point {
        Ok(d) => json!({key: x, "density": d}),
        Err(e) => json!({key: x, "error": e.to_string()}),
    };
    let records: Vec<Json> = points.iter().map(record).collect();
    let good: Vec<(f64, f64)> =
        points.iter().filter_map(|(x, p)| p.as_ref().ok().map(|d| (*x, *d))).collect();
    let rows = |digits| {
        good.iter().map(|(x, d)| vec![number(*x, digits), number(*d, digits)]).collect::<Vec<_>>()
    };
    let series = Series {
        name: "density".into(),
        role: Role::Theory,
        quantity: 0,
        x: good.iter().map(|p| p.0).collect(),
        y: good.iter().map(|p| p.1).collect(),
        limits: None,
    };
    if !good.is_empty() && good.iter().all(|(_, d)| *d < 0.0) {
        note("the values are negative: of inv(z*I(p) - M) the density is minus them");
    }
    write(args, &[key, "density"], &rows, &records, (key, axis.log), ("density", series))?;
    failures(points.iter().map(|(x, p)| (*x, p.as_ref().err())), key)
}

fn write(
    args: &Args,
    head: &[&str],
    rows: &dyn Fn(usize) -> Vec<Vec<String>>,
    records: &[Json],
    (key, log): (&str, bool),
    (label, series): (&str, Series),
) -> Result<()> {
    if let Some(path) = &args.output.out {
        let text = if path.ends_with(".json") {
            let lines: Vec<String> = records.iter().map(Json::to_string).collect();
            format!("[\n  {}\n]\n", lines.join(",\n  "))
        } else {
            let mut all = vec![head.iter().map(|h| (*h).to_owned()).collect()];
            all.extend(rows(17));
            files::csv(&all)?
        };
        files::write(path, text.as_bytes())?;
    }
    let title = args.gallery.clone().or_else(|| args.source.clone()).unwrap_or_default();
    let figure = Figure {
        title,
        x: figure::Axis::new(key, log),
        y: figure::Axis::new(label, false),
        content: Content::Curves { series: vec![series], marks: Vec::new() },
    };
    if let Some(path) = &args.output.plot {
        let data = figure.save(path)?;
        note(&format!("figure in {path}, its data in {data}"));
    }
    if let Some(path) = &args.output.report {
        let report = Report {
            title: format!("Limit of {}", figure.title),
            task: "fpt",
            inputs: Json::from(records.to_vec()),
            text: table(head, &rows(8)),
            notes: Vec::new(),
            figures: vec![figure],
        };
        report.save(path)?;
    }
    if args.output.json {
        print(&Json::from(records.to_vec()).to_string())
    } else {
        print(&table(head, &rows(8)))
    }
}

/// Notes for the points without a value; all of them failing is a failure.
fn failures<'a>(
    points: impl Iterator<Item = (f64, Option<&'a rmt_fpt::Error>)>,
    key: &str,
) -> Result {
    let mut some = false;
    for (x, error) in points {
        if let Some(error) = error {
            some = true;
            note(&format!("{key} = {}: {error}", number(x, 6)));
        }
    }
    Ok(if some { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
