//! How far diffusion models trained on different parts of a data set agree.

use crate::convert::observables;
use crate::error::Failure;
use crate::watch::{Stop, watched};
use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rmt_estimators::Table;
use rmt_estimators::consistency::{
    Comparison, Forecast, GeneratedPair, Output, SampleSpectrum, SpectrumMethod, SplitCheck,
    warnings,
};
use rmt_models::linear_diffusion::{MeanEstimate, NoiseRange};
use rmt_task::{Observables, Value};

/// Rows, and numbers in a row.
type Rows = (Vec<f64>, usize, usize);

struct Request {
    data: Rows,
    sizes: Vec<usize>,
    levels: Vec<f64>,
    range: NoiseRange,
    tolerance: f64,
    mean: MeanEstimate,
    repeats: Option<usize>,
    seed: u64,
    generated: Option<(Rows, Rows)>,
    trained_on: Option<usize>,
}

fn table(rows: &Rows) -> Result<Table<'_>, Failure> {
    Ok(Table::new(&rows.0, rows.1, rows.2)?)
}

fn taken(array: &PyReadonlyArray2<'_, f64>) -> Rows {
    (array.as_array().iter().copied().collect(), array.shape()[0], array.shape()[1])
}

/// Predictions from the spectrum of the rows, and what splits of them say.
#[pyfunction]
#[pyo3(signature = (x, *, sizes, sigma, sigma_min, sigma_max, tolerance, mean, check=None, seed=0,
    generated=None, trained_on=None))]
pub(crate) fn consistency<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f64>,
    sizes: Vec<usize>,
    sigma: Vec<f64>,
    sigma_min: f64,
    sigma_max: f64,
    tolerance: f64,
    mean: &str,
    check: Option<usize>,
    seed: u64,
    generated: Option<(PyReadonlyArray2<'py, f64>, PyReadonlyArray2<'py, f64>)>,
    trained_on: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let mean = match mean {
        "mle" => MeanEstimate::Mle,
        "unbiased" => MeanEstimate::Unbiased,
        "known" => MeanEstimate::Known,
        other => {
            let message = format!("\"{other}\" is no estimate; known are mle, unbiased, known");
            return Err(Failure::input("mean", message).into());
        }
    };
    if let Some(bad) = sigma.iter().find(|s| !(**s > 0.0 && s.is_finite())) {
        return Err(
            Failure::input("sigma", format!("{bad} is no noise level; give levels > 0")).into()
        );
    }
    let request = Request {
        data: taken(&x),
        sizes,
        levels: sigma,
        range: NoiseRange::new(sigma_min, sigma_max).map_err(Failure::from)?,
        tolerance,
        mean,
        repeats: check,
        seed,
        generated: generated.map(|(a, b)| (taken(&a), taken(&b))),
        trained_on,
    };
    let values = watched(py, move |stop| analysed(&request, stop))??;
    observables(py, &values)
}

fn object(items: Vec<(&str, Value)>) -> Value {
    Value::Object(items.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn count(x: usize) -> Value {
    Value::Number(x as f64)
}

fn analysed(request: &Request, stop: &Stop) -> Result<Observables, Failure> {
    let source = table(&request.data)?;
    let spectrum = SampleSpectrum::new(&source)?;
    let sizes = spectrum.sizes(&request.sizes)?;
    let largest = sizes.last().copied().unwrap_or(spectrum.rows / 2);
    let forecast = Forecast::new(spectrum.population(), request.range, request.mean);
    let mut out = Observables::new();
    out.set("rows", spectrum.rows as f64).set("columns", spectrum.columns as f64);
    out.set("rank", (spectrum.eigenvalues.len() + spectrum.tail.1) as f64);
    out.set("total_variance", spectrum.eigenvalues.iter().sum::<f64>() + spectrum.tail.0);
    out.set(
        "method",
        match spectrum.method {
            SpectrumMethod::Covariance => "covariance",
            SpectrumMethod::Gram => "gram",
            SpectrumMethod::Randomised => "randomised",
        },
    );
    out.set("eigenvalues", spectrum.eigenvalues.clone());
    let required = forecast.required_samples(request.tolerance, Output::Samples)?;
    out.set("required_samples", required as f64);

    let (mut absolute, mut relative, mut by_mode) = (Vec::new(), Vec::new(), Vec::new());
    let modes = spectrum.eigenvalues.len();
    for &n in &sizes {
        let d = forecast.disagreement(n as f64, Output::Samples)?;
        absolute.push(d.absolute);
        relative.push(d.relative);
        by_mode.push(forecast.consistency(n as f64)?[..modes].to_vec());
    }
    out.set("n", sizes.iter().map(|n| *n as f64).collect::<Vec<_>>());
    out.set("disagreement", absolute).set("relative", relative).set("consistency", by_mode);

    let (at, curve): (Vec<f64>, Vec<f64>) = forecast.curve(required, largest)?.into_iter().unzip();
    out.set("curve", object(vec![("n", at.into()), ("relative", curve.into())]));

    let mut levels = Vec::new();
    for &sigma in &request.levels {
        let level = forecast.level(&spectrum, largest, sigma, request.tolerance)?;
        let mut record = vec![
            ("sigma", sigma.into()),
            ("n", count(largest)),
            ("kappa", level.kappa.into()),
            ("relative", level.relative.into()),
            ("test_error", level.test_error.into()),
            ("train_error", level.train_error.into()),
            ("bayes_error", level.bayes_error.into()),
        ];
        if let Some(kappa) = level.kappa_of_all_rows {
            record.push(("kappa_of_all_rows", kappa.into()));
        }
        if let Some(n) = level.required_samples {
            record.push(("required_samples", (n as f64).into()));
        }
        levels.push(object(record));
    }
    out.set("levels", Value::List(levels));

    let checks = match request.repeats {
        Some(repeats) => checked(request, &spectrum, &forecast, &sizes, repeats, stop)?,
        None => Vec::new(),
    };
    if request.repeats.is_some() {
        out.set("check", Value::List(checks.iter().map(compared_splits).collect()));
    }
    if let Some((first, second)) = &request.generated {
        out.set("generated", compared(request, &spectrum, &forecast, first, second)?);
    }
    let notes = warnings(&spectrum, largest, &checks).into_iter().map(Value::Text).collect();
    out.set("notes", Value::List(notes));
    Ok(out)
}

fn checked(
    request: &Request,
    spectrum: &SampleSpectrum,
    forecast: &Forecast,
    sizes: &[usize],
    repeats: usize,
    stop: &Stop,
) -> Result<Vec<Comparison>, Failure> {
    let source = table(&request.data)?;
    let check = SplitCheck::new(&source, spectrum, request.range, request.mean)?;
    let mut outputs = vec![Output::Samples];
    outputs.extend(request.levels.iter().map(|&sigma| Output::Denoised { sigma }));
    let fitting: Vec<usize> = sizes.iter().copied().filter(|n| 2 * n <= spectrum.rows).collect();
    if fitting.is_empty() {
        let message = format!("no n is at most half of the {} samples", spectrum.rows);
        return Err(Failure::input("check", message));
    }
    let mut checks = Vec::new();
    for n in fitting {
        if stop.is_set() {
            break;
        }
        checks.extend(check.compare(forecast, n, &outputs, repeats, request.seed)?);
    }
    Ok(checks)
}

fn compared_splits(c: &Comparison) -> Value {
    let mut record = vec![("n", count(c.n))];
    if let Some(sigma) = c.sigma {
        record.push(("sigma", sigma.into()));
    }
    record.push(("predicted", c.predicted.into()));
    record.push(("measured", c.measured.into()));
    record.push(("standard_error", c.standard_error.into()));
    record.push(("ratio", c.ratio.into()));
    record.push(("relative", c.relative.into()));
    object(record)
}

fn compared(
    request: &Request,
    spectrum: &SampleSpectrum,
    forecast: &Forecast,
    first: &Rows,
    second: &Rows,
) -> Result<Value, Failure> {
    let n = request.trained_on.unwrap_or(spectrum.rows / 2);
    if n < 2 {
        return Err(Failure::input("trained_on", format!("{n}: give at least 2")));
    }
    let pair = GeneratedPair::new(&table(first)?, &table(second)?, spectrum)?;
    let predicted = forecast.disagreement(n as f64, Output::Samples)?;
    let modes = pair.by_mode.len();
    let consistency = forecast.consistency(n as f64)?[..modes].to_vec();
    Ok(object(vec![
        ("trained_on", count(n)),
        ("pairs", count(pair.pairs)),
        ("relative", pair.relative.into()),
        ("predicted_relative", predicted.relative.into()),
        ("disagreement", pair.disagreement.0.into()),
        ("standard_error", pair.disagreement.1.into()),
        ("by_mode", pair.by_mode.into()),
        ("predicted_by_mode", consistency.into()),
    ]))
}
