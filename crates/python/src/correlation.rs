//! The correlation of the rows: stated, given as a matrix, or fitted to the features.

use crate::convert::{from_json, to_json};
use crate::error::Failure;
use crate::watch::watched;
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rmt_estimators::{FittedFamily, KernelFit, RowCorrelation, StatedCorrelation, Table};
use rmt_models::kernel::{Family, SampleCorrelation};
use serde_json::{Value as Json, json};

/// `None`, `"auto"`, the name of a family, or an object of the contract.
pub(crate) fn stated(value: &Bound<'_, PyAny>) -> PyResult<StatedCorrelation> {
    const KEY: &str = "sample_correlation";
    Ok(match to_json(value, KEY)? {
        Json::Null => StatedCorrelation::Independent,
        Json::String(word) => match word.as_str() {
            "auto" => StatedCorrelation::Auto,
            "none" | "identity" => StatedCorrelation::Independent,
            "exponential" => StatedCorrelation::Exponential,
            "power_law" => StatedCorrelation::PowerLaw,
            _ => {
                let message = format!(
                    "\"{word}\" is no correlation; give \"auto\", \"exponential\" or \"power_law\" \
                     (fitted to the features), a dictionary such as {{\"kind\": \"exponential\", \
                     \"length\": 5}}, an n×n matrix, or None"
                );
                return Err(Failure::input(KEY, message).into());
            }
        },
        stated => StatedCorrelation::Given(serde_json::from_value(stated).map_err(|e| {
            let text = e.to_string();
            // A marked text carries kind and key in front of the message.
            let message = text.rsplit('\u{1f}').next().unwrap_or_default().to_owned();
            Failure::input(KEY, message)
        })?),
    })
}

/// For `kernel_`: the family as the contract writes it, a fitted one with its standard error. A dense
/// matrix is not repeated.
pub(crate) fn record(found: &RowCorrelation) -> Json {
    let mut record = match &found.correlation().family {
        Family::Dense { .. } => json!({"kind": "dense"}),
        _ => serde_json::to_value(found.correlation()).unwrap_or_default(),
    };
    if let Some(fitted) = found.fitted() {
        record["standard_error"] = json!(fitted.standard_error);
    }
    record
}

/// Group labels from 0 on as non-negative integers.
pub(crate) fn labels(groups: Option<PyReadonlyArray1<'_, i64>>) -> PyResult<Option<Vec<usize>>> {
    let Some(groups) = groups else { return Ok(None) };
    let label = |g: &i64| {
        usize::try_from(*g).map_err(|_| {
            Failure::input("groups", format!("{g} is no label; labels are ≥ 0")).into()
        })
    };
    groups.as_array().iter().map(label).collect::<PyResult<_>>().map(Some)
}

/// Fits the families of correlations to rows.
#[pyfunction]
#[pyo3(signature = (x, groups=None, times=None, centre=true))]
pub(crate) fn fit_kernel<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f64>,
    groups: Option<PyReadonlyArray1<'py, i64>>,
    times: Option<PyReadonlyArray1<'py, f64>>,
    centre: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let (n, p) = (x.shape()[0], x.shape()[1]);
    let (values, groups) = (x.as_array().iter().copied().collect::<Vec<_>>(), labels(groups)?);
    let times: Option<Vec<f64>> = times.map(|t| t.as_array().iter().copied().collect());
    let found = watched(py, move |_| -> Result<KernelFit, Failure> {
        let table = Table::new(&values, n, p)?;
        Ok(rmt_estimators::fit_kernel(table, groups.as_deref(), times.as_deref(), centre)?)
    })??;
    let family = |f: &FittedFamily| {
        let mut record = json!(SampleCorrelation::from(f.family.clone()));
        record["standard_error"] = json!(f.standard_error);
        record["misfit"] = json!(f.misfit);
        from_json(py, &record)
    };
    let dict = PyDict::new(py);
    dict.set_item("best", family(&found.best)?)?;
    dict.set_item("exponential", found.exponential.as_ref().map(family).transpose()?)?;
    dict.set_item("power_law", found.power_law.as_ref().map(family).transpose()?)?;
    dict.set_item("autocorrelation", PyArray1::from_vec(py, found.autocorrelation))?;
    dict.set_item("white_error", found.white_error)?;
    dict.set_item("effective_features", found.effective_features)?;
    Ok(dict)
}
