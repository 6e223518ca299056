//! The correlation of the rows: stated, given as a matrix, or fitted to the features.

use crate::convert::{from_json, to_json};
use crate::error::Failure;
use crate::watch::watched;
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rmt_estimators::{FittedFamily, KernelFit, Table};
use rmt_models::kernel::{DENSE_LIMIT, Family, Kernel, Rows, SampleCorrelation, SpectrumMethod};
use serde_json::{Value as Json, json};

/// Correlation of neighbouring rows below which `auto` takes rows as independent, and to which it must
/// fall over the gap between blocks: the rule of the command line.
const FAINT: f64 = 0.1;

/// How rows are said to be correlated.
pub(crate) enum Stated {
    Independent,
    /// The family that describes the features best, or none.
    Auto,
    /// A family whose parameter is fitted.
    Fitted(&'static str),
    Given(SampleCorrelation),
}

impl Stated {
    /// `None`, `"auto"`, the name of a family, or an object of the contract.
    pub(crate) fn read(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        const KEY: &str = "sample_correlation";
        Ok(match to_json(value, KEY)? {
            Json::Null => Self::Independent,
            Json::String(word) => match word.as_str() {
                "auto" => Self::Auto,
                "none" | "identity" => Self::Independent,
                "exponential" => Self::Fitted("exponential"),
                "power_law" => Self::Fitted("power_law"),
                _ => {
                    let message = format!(
                        "\"{word}\" is no correlation; give \"auto\", \"exponential\" or \
                         \"power_law\" (fitted to the features), a dictionary such as \
                         {{\"kind\": \"exponential\", \"length\": 5}}, an n×n matrix, or None"
                    );
                    return Err(Failure::input(KEY, message).into());
                }
            },
            stated => Self::Given(serde_json::from_value(stated).map_err(|e| {
                let text = e.to_string();
                // A marked text carries kind and key in front of the message.
                let message = text.rsplit('\u{1f}').next().unwrap_or_default().to_owned();
                Failure::input(KEY, message)
            })?),
        })
    }
}

/// Group labels and time stamps of rows.
#[derive(Clone, Default)]
pub(crate) struct Stamps {
    pub(crate) groups: Option<Vec<usize>>,
    pub(crate) times: Option<Vec<f64>>,
}

/// The correlation of the rows of one fit.
pub(crate) struct Correlated {
    pub(crate) stated: SampleCorrelation,
    pub(crate) kernel: Kernel,
    /// Where a family was fitted: the uncertainty of its parameter.
    pub(crate) fitted: Option<FittedFamily>,
    stamps: Stamps,
    method: SpectrumMethod,
}

impl Correlated {
    /// `x` are the features as the fit will see them. Independent rows have the identity.
    pub(crate) fn find(
        stated: Stated,
        x: Table<'_>,
        stamps: Stamps,
        method: SpectrumMethod,
    ) -> Result<Self, Failure> {
        let n = x.rows();
        if stamps.times.is_some() {
            // Time stamps are checked where a kernel is built: before anything is fitted to them.
            let any = SampleCorrelation::from(Family::Exponential { length: 1.0 });
            any.kernel_on(stamps.rows(n), method)?;
        }
        let fit = || {
            rmt_estimators::fit_kernel(x, stamps.groups.as_deref(), stamps.times.as_deref(), true)
        };
        let independent = || SampleCorrelation::from(Family::Identity);
        let (stated, fitted) = match stated {
            Stated::Independent => (independent(), None),
            Stated::Given(given) => (given, None),
            // Too few rows to tell: taken as independent.
            Stated::Auto if n < 8 => (independent(), None),
            Stated::Auto => {
                let fit = fit()?;
                let dense = matches!(fit.best.family, Family::PowerLaw { .. });
                let long = n > DENSE_LIMIT && method == SpectrumMethod::Exact;
                let best = match (dense && long, fit.exponential) {
                    // Only the exponential family is exact for long series.
                    (true, Some(exponential)) => exponential,
                    _ => fit.best,
                };
                // A correlation that is there but too faint to matter changes no figure.
                let neighbours = best.family.at_distance(stamps.step());
                if neighbours.is_ok_and(|r| r.abs() < FAINT) {
                    (independent(), None)
                } else {
                    (best.family.clone().into(), Some(best))
                }
            }
            Stated::Fitted(name) => {
                let KernelFit { exponential, power_law, .. } = fit()?;
                let found = if name == "exponential" { exponential } else { power_law };
                let found = found.ok_or_else(|| {
                    let message = format!(
                        "the features show no {name} correlation of neighbouring rows; use \"auto\" or \
                         None, or state the parameter"
                    );
                    Failure::input("sample_correlation", message)
                })?;
                (found.family.clone().into(), Some(found))
            }
        };
        let kernel = stated.kernel_on(stamps.rows(n), method)?;
        Ok(Self { stated, kernel, fitted, stamps, method })
    }

    /// The kernel with its fitted parameter `z` standard errors away.
    pub(crate) fn shifted(&self, z: f64) -> Result<Option<Kernel>, Failure> {
        let Some(fitted) = &self.fitted else { return Ok(None) };
        let family = SampleCorrelation::from(fitted.shifted(z));
        Ok(Some(family.kernel_on(self.stamps.rows(self.kernel.rows()), self.method)?))
    }

    /// Rows after which the correlation is below a tenth, but no more than a tenth of the rows.
    pub(crate) fn gap(&self) -> usize {
        if self.kernel.is_identity() {
            return 0;
        }
        let most = self.kernel.rows() / 10;
        let step = self.stamps.step();
        let faint = |lag: &usize| {
            self.kernel.family().at_distance(*lag as f64 * step).is_ok_and(|r| r.abs() < FAINT)
        };
        (1..most).find(faint).unwrap_or(most)
    }

    /// For `kernel_`: the family as the contract writes it, a fitted one with its standard error. A
    /// dense matrix is not repeated.
    pub(crate) fn record(&self) -> Json {
        let mut record = match &self.stated.family {
            Family::Dense { .. } => json!({"kind": "dense"}),
            _ => serde_json::to_value(&self.stated).unwrap_or_default(),
        };
        if let Some(fitted) = &self.fitted {
            record["standard_error"] = json!(fitted.standard_error);
        }
        record
    }
}

impl Stamps {
    fn rows(&self, count: usize) -> Rows<'_> {
        Rows { count, groups: self.groups.as_deref(), times: self.times.as_deref() }
    }

    /// Mean distance of neighbouring rows.
    fn step(&self) -> f64 {
        let Some(times) = self.times.as_deref().filter(|t| t.len() > 1) else { return 1.0 };
        if self.groups.is_none() {
            return (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
        }
        let steps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).filter(|d| *d > 0.0).collect();
        if steps.is_empty() { 1.0 } else { steps.iter().sum::<f64>() / steps.len() as f64 }
    }
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
