//! Ridge regression from data: every criterion along the ridges, the choice, coefficients, bands.

use crate::convert::from_json;
use crate::correlation::{Correlated, Stamps, Stated, labels};
use crate::error::Failure;
use crate::watch::watched;
use numpy::{
    PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rmt_estimators::{
    Criteria, Criterion, Diagnosis, Folds, LearningPoint, Options, Path, Regression, Table,
};
use rmt_models::kernel::{DENSE_LIMIT, SpectrumMethod};

/// Ridges of the grid when none are given: the number of the command line.
const GRID: usize = 40;

/// What chooses the ridge or is computed beside.
#[derive(Clone, Copy, PartialEq)]
enum Measure {
    Criterion(Criterion),
    Blocked,
}

impl Measure {
    fn read(name: &str) -> Result<Self, Failure> {
        Ok(match name {
            "gcv" => Self::Criterion(Criterion::Gcv),
            "gcv2" => Self::Criterion(Criterion::Gcv2),
            "loo" => Self::Criterion(Criterion::Loo),
            "corr_gcv" => Self::Criterion(Criterion::CorrGcv),
            "whitened" => Self::Criterion(Criterion::WhitenedCorrGcv),
            "blocked" => Self::Blocked,
            _ => {
                let message = format!(
                    "\"{name}\" is no criterion; give \"gcv\", \"corr_gcv\", \"whitened\", \"loo\", \
                     \"blocked\" or \"gcv2\""
                );
                return Err(Failure::input("criterion", message));
            }
        })
    }
}

const NAMES: [&str; 6] = ["gcv", "gcv2", "corr_gcv", "loo", "whitened", "blocked"];

/// What is asked.
struct Request {
    x: (Vec<f64>, usize, usize),
    y: (Vec<f64>, usize),
    options: Options,
    stated: Stated,
    stamps: Stamps,
    method: SpectrumMethod,
    lambdas: Vec<f64>,
    criterion: Measure,
    beside: Vec<Measure>,
    own_lambda: bool,
    blocks: Option<usize>,
    gap: Option<usize>,
    learning_sizes: Option<Vec<usize>>,
}

/// What was found.
struct Found {
    path: Path,
    correlated: Correlated,
    folds: Option<String>,
    /// Position of the ridge of each target.
    chosen: Vec<usize>,
    alphas: Vec<f64>,
    intercepts: Vec<f64>,
    /// Target by target.
    slopes: Vec<f64>,
    predicted: Vec<f64>,
    band: Option<Vec<(f64, f64)>>,
    diagnosis: Option<Diagnosis>,
    learning: Option<Vec<Vec<LearningPoint>>>,
}

/// Fits and chooses; `sample_correlation` is `None`, `"auto"`, a family's name or a dictionary. Without
/// `lambdas` the grid is found, and widened where the minimum lies at its end.
#[pyfunction]
#[pyo3(signature = (x, y, *, criterion, beside, sample_correlation, groups=None, times=None, lambdas=None,
    weights=None, intercept=true, standardize=false, own_lambda=false, blocks=None, gap=None,
    learning_sizes=None, approximate=false))]
pub(crate) fn ridge<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f64>,
    y: PyReadonlyArray2<'py, f64>,
    criterion: &str,
    beside: Vec<String>,
    sample_correlation: &Bound<'py, PyAny>,
    groups: Option<PyReadonlyArray1<'py, i64>>,
    times: Option<PyReadonlyArray1<'py, f64>>,
    lambdas: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
    intercept: bool,
    standardize: bool,
    own_lambda: bool,
    blocks: Option<usize>,
    gap: Option<usize>,
    learning_sizes: Option<Vec<usize>>,
    approximate: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let (n, p, q) = (x.shape()[0], x.shape()[1], y.shape()[1]);
    let request = Request {
        x: (values(&x), n, p),
        y: (values(&y), q),
        options: Options { intercept, standardize, weights },
        stated: Stated::read(sample_correlation)?,
        stamps: Stamps {
            groups: labels(groups)?,
            times: times.map(|t| t.as_array().iter().copied().collect()),
        },
        method: if approximate { SpectrumMethod::Circulant } else { SpectrumMethod::Exact },
        lambdas: lambdas.unwrap_or_default(),
        criterion: Measure::read(criterion)?,
        beside: beside.iter().map(|name| Measure::read(name)).collect::<Result<_, _>>()?,
        own_lambda,
        blocks,
        gap,
        learning_sizes,
    };
    if y.shape()[0] != n {
        let message = format!("{} rows for {n} rows of X", y.shape()[0]);
        return Err(Failure::input("y", message).into());
    }
    let found = watched(py, move |_| found(request))??;
    record(py, &found, (p, q))
}

fn values(array: &PyReadonlyArray2<'_, f64>) -> Vec<f64> {
    match array.as_slice() {
        Ok(slice) => slice.to_vec(),
        Err(_) => array.as_array().iter().copied().collect(),
    }
}

fn found(request: Request) -> Result<Found, Failure> {
    let (x, n, p) = &request.x;
    let (y, q) = &request.y;
    let table = Table::new(x, *n, *p)?;
    let regression = Regression::new(table, Table::new(y, *n, *q)?, &request.options)?;
    let pooled = if request.options.standardize { standardized(x, *p) } else { Vec::new() };
    let seen = if pooled.is_empty() { table } else { Table::new(&pooled, *n, *p)? };
    let correlated =
        Correlated::find(request.stated, seen, request.stamps.clone(), request.method)?;
    let asked = |m: Measure| request.criterion == m || request.beside.contains(&m);
    let folds = match asked(Measure::Blocked) {
        true => Some(folds(&correlated, &request.stamps, request.blocks, request.gap)?),
        false => None,
    };
    let criteria = Criteria {
        loo: asked(Measure::Criterion(Criterion::Loo)),
        correlation: Some(&correlated.kernel),
        noise: None,
        whitened: asked(Measure::Criterion(Criterion::WhitenedCorrGcv)),
        lags: Vec::new(),
        folds: folds.iter().collect(),
    };
    let path = match (request.lambdas.as_slice(), request.criterion) {
        ([], Measure::Criterion(criterion)) => {
            regression.tuned_path(&regression.grid(GRID), &criteria, criterion)?
        }
        // Exact cross-validation cannot say whether a wider grid would pay; CorrGCV places the grid.
        ([], Measure::Blocked) => {
            regression.tuned_path(&regression.grid(GRID), &criteria, Criterion::CorrGcv)?
        }
        (given, _) => regression.path(given, &criteria)?,
    };
    let chosen = chosen(&path, request.criterion, request.own_lambda, *q)?;
    let mut found = Found {
        alphas: chosen.iter().map(|i| regression.alpha(path.lambdas[*i])).collect(),
        predicted: (0..*q)
            .map(|t| along(&path, request.criterion, t).map(|v| v[chosen[t]]))
            .collect::<Result<_, _>>()?,
        intercepts: vec![0.0; *q],
        slopes: vec![0.0; p * q],
        band: None,
        diagnosis: None,
        learning: None,
        folds: folds.as_ref().map(|f| f.name().to_owned()),
        path,
        correlated,
        chosen,
    };
    found.coefficients(&regression, (*p, *q))?;
    found.bands(&regression, request.criterion)?;
    if *q == 1 && *n <= DENSE_LIMIT && !found.correlated.kernel.is_identity() {
        let lambda = found.path.lambdas[found.chosen[0]];
        found.diagnosis = Some(regression.diagnose(lambda, &found.correlated.kernel, 0)?);
    }
    found.learning_curve(&regression, request.learning_sizes, request.options.weights.is_some())?;
    Ok(found)
}

impl Found {
    fn coefficients(
        &mut self,
        regression: &Regression,
        (p, q): (usize, usize),
    ) -> Result<(), Failure> {
        let mut distinct = self.chosen.clone();
        distinct.sort_unstable();
        distinct.dedup();
        for index in distinct {
            let fit = regression.coefficients(self.path.lambdas[index])?;
            for t in (0..q).filter(|t| self.chosen[*t] == index) {
                self.intercepts[t] = fit.intercepts[t];
                self.slopes[t * p..(t + 1) * p].copy_from_slice(&fit.slopes[t * p..(t + 1) * p]);
            }
        }
        Ok(())
    }

    /// 95 % bands of the predicted errors where all targets share one ridge.
    fn bands(&mut self, regression: &Regression, criterion: Measure) -> Result<(), Failure> {
        let first = self.chosen[0];
        let lambda = self.path.lambdas[first];
        if criterion == Measure::Blocked {
            let band = |(t, e): (usize, &f64)| {
                let spread = 2.0 * self.path.targets[t].folds[0].standard_error[self.chosen[t]];
                ((e - spread).max(0.0), e + spread)
            };
            self.band = Some(self.predicted.iter().enumerate().map(band).collect());
            return Ok(());
        }
        if self.path.rows > DENSE_LIMIT || self.chosen.iter().any(|i| *i != first) {
            return Ok(());
        }
        let independent = matches!(criterion, Measure::Criterion(Criterion::Gcv | Criterion::Loo))
            || self.correlated.kernel.is_identity();
        let kernel = (!independent).then_some(&self.correlated.kernel);
        let uncertainty = regression.uncertainty(lambda, kernel)?;
        let mut bands: Vec<(f64, f64)> =
            self.predicted.iter().map(|e| uncertainty.band(*e)).collect();
        if criterion == Measure::Criterion(Criterion::CorrGcv) {
            // The uncertainty of a fitted correlation on top, in the logarithm.
            for (z, lower) in [(-2.0, true), (2.0, false)] {
                let Some(kernel) = self.correlated.shifted(z)? else { break };
                let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
                // A strongly shifted correlation may have no room for the fit: not widened then.
                let Ok(path) = regression.path(&[lambda], &criteria) else { break };
                for (t, (band, e)) in bands.iter_mut().zip(&self.predicted).enumerate() {
                    let moved = path.values(Criterion::CorrGcv, t)?[0];
                    let end = if lower { band.0 } else { band.1 };
                    let both = (end / e).ln().hypot((moved / e).ln());
                    if lower {
                        band.0 = e * (-both).exp();
                    } else {
                        band.1 = e * both.exp();
                    }
                }
            }
        }
        self.band = Some(bands);
        Ok(())
    }

    /// On the sizes asked for; for a single target without weights on n and 2n rows unasked.
    fn learning_curve(
        &mut self,
        regression: &Regression,
        asked: Option<Vec<usize>>,
        weighted: bool,
    ) -> Result<(), Failure> {
        let (n, q) = (self.path.rows, self.path.targets.len());
        let unasked = asked.is_none();
        if unasked && (q > 1 || weighted) {
            return Ok(());
        }
        let sizes = asked.unwrap_or_else(|| vec![n, 2 * n]);
        // Residuals that contradict K speak for rows taken as independent, as on the command line.
        let doubted = self.diagnosis.is_some_and(|d| !d.supports_corr_gcv());
        let correlation = (!doubted && !self.correlated.kernel.is_identity())
            .then_some((&self.correlated.stated, &self.correlated.kernel));
        let curves: Result<Vec<_>, _> =
            (0..q).map(|t| regression.learning_curve(t, correlation, &sizes)).collect();
        match curves {
            Ok(curves) => self.learning = Some(curves),
            // Not asked for and not available for this correlation.
            Err(_) if unasked => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn folds(
    correlated: &Correlated,
    stamps: &Stamps,
    blocks: Option<usize>,
    gap: Option<usize>,
) -> Result<Folds, Failure> {
    let n = correlated.kernel.rows();
    if let (Some(groups), None) = (&stamps.groups, blocks) {
        return Ok(Folds::groups(groups)?);
    }
    let count = blocks.unwrap_or(if n < 100 { 5 } else { 10 });
    Ok(Folds::blocks(n, count, gap.unwrap_or_else(|| correlated.gap()))?)
}

/// The values of a measure along the ridges.
fn along(path: &Path, measure: Measure, target: usize) -> Result<&[f64], Failure> {
    Ok(match measure {
        Measure::Criterion(criterion) => path.values(criterion, target)?,
        Measure::Blocked => path.targets[target].folds.first().map_or(&[], |f| &f.error),
    })
}

/// Positions of the ridges of the targets: their own, or one for all.
fn chosen(path: &Path, measure: Measure, own: bool, q: usize) -> Result<Vec<usize>, Failure> {
    if let Measure::Criterion(criterion) = measure {
        return Ok(if own || q == 1 {
            (0..q).map(|t| path.choose(criterion, t).map(|c| c.index)).collect::<Result<_, _>>()?
        } else {
            vec![path.choose_shared(criterion)?.index; q]
        });
    }
    let least = |value: &dyn Fn(usize) -> f64| {
        let better = |a: &usize, b: &usize| value(*a).total_cmp(&value(*b));
        (0..path.lambdas.len()).min_by(better).unwrap_or(0)
    };
    let relative =
        |t: usize, i: usize| path.targets[t].folds[0].error[i] / path.targets[t].variance;
    if own || q == 1 {
        return Ok((0..q).map(|t| least(&|i| relative(t, i))).collect());
    }
    // Constant targets have no scale and no say.
    let varying: Vec<usize> = (0..q).filter(|t| path.targets[*t].variance > 0.0).collect();
    Ok(vec![least(&|i| varying.iter().map(|t| relative(*t, i)).sum()); q])
}

/// Each column less its mean, over its standard deviation (left as it is where that is zero).
fn standardized(x: &[f64], p: usize) -> Vec<f64> {
    let n = (x.len() / p) as f64;
    let mut out = x.to_vec();
    for j in 0..p {
        let column = || x.iter().skip(j).step_by(p);
        let mean = column().sum::<f64>() / n;
        let variance = column().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        out.iter_mut().skip(j).step_by(p).for_each(|v| *v = (*v - mean) / scale);
    }
    out
}

fn record<'py>(
    py: Python<'py>,
    found: &Found,
    (p, q): (usize, usize),
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let path = &found.path;
    let list = |values: &[f64]| PyArray1::from_slice(py, values);
    dict.set_item("lambdas", list(&path.lambdas))?;
    dict.set_item("df1", list(&path.df1))?;
    dict.set_item("kappa", list(&path.kappa))?;
    dict.set_item("kappa_tilde", path.kappa_tilde.as_deref().map(list))?;
    dict.set_item("method", format!("{:?}", path.method))?;
    dict.set_item("notes", path.notes.clone())?;
    dict.set_item("blocks", found.folds.as_deref())?;
    dict.set_item("kernel", from_json(py, &found.correlated.record())?)?;

    // Ridges × targets.
    let table = |value: &dyn Fn(usize) -> Option<Vec<f64>>| -> PyResult<Option<_>> {
        let columns: Option<Vec<Vec<f64>>> = (0..q).map(value).collect();
        let Some(columns) = columns else { return Ok(None) };
        let ridges = path.lambdas.len();
        let flat: Vec<f64> = (0..ridges).flat_map(|i| columns.iter().map(move |c| c[i])).collect();
        PyArray1::from_vec(py, flat).reshape([ridges, q]).map(Some)
    };
    let paths = PyDict::new(py);
    paths.set_item("train", table(&|t| Some(path.targets[t].train_error.clone()))?)?;
    for name in NAMES {
        let measure = Measure::read(name)?;
        let values = |t: usize| along(path, measure, t).ok().map(<[f64]>::to_vec);
        if let Some(values) = table(&|t| values(t).filter(|v| !v.is_empty()))? {
            paths.set_item(name, values)?;
        }
    }
    dict.set_item("paths", paths)?;

    dict.set_item("index", found.chosen.clone())?;
    dict.set_item(
        "lambda",
        list(&found.chosen.iter().map(|i| path.lambdas[*i]).collect::<Vec<_>>()),
    )?;
    dict.set_item("alpha", list(&found.alphas))?;
    dict.set_item("intercept", list(&found.intercepts))?;
    let slopes: Bound<'py, PyArray2<f64>> = list(&found.slopes).reshape([q, p])?;
    dict.set_item("coefficients", slopes)?;
    dict.set_item("predicted_error", list(&found.predicted))?;
    let bands = found.band.as_ref().map(|bands| {
        let flat: Vec<f64> = bands.iter().flat_map(|(low, high)| [*low, *high]).collect();
        PyArray1::from_vec(py, flat).reshape([q, 2])
    });
    dict.set_item("band", bands.transpose()?)?;
    let diagnosis = found.diagnosis.map(|d| -> PyResult<_> {
        let dict = PyDict::new(py);
        let contrast = |c: rmt_estimators::Contrast| -> PyResult<_> {
            let dict = PyDict::new(py);
            dict.set_item("observed", c.observed)?;
            dict.set_item("expected", c.expected)?;
            dict.set_item("z", c.z)?;
            Ok(dict)
        };
        dict.set_item("neighbours", contrast(d.neighbours)?)?;
        dict.set_item("whitened", d.whitened.map(contrast).transpose()?)?;
        dict.set_item("second_half", contrast(d.second_half)?)?;
        dict.set_item("supports_corr_gcv", d.supports_corr_gcv())?;
        Ok(dict)
    });
    dict.set_item("diagnosis", diagnosis.transpose()?)?;
    let learning = found.learning.as_ref().map(|curves| -> PyResult<Vec<_>> {
        let curve = |points: &Vec<LearningPoint>| -> PyResult<_> {
            let dict = PyDict::new(py);
            let column = |f: &dyn Fn(&LearningPoint) -> f64| {
                PyArray1::from_vec(py, points.iter().map(f).collect())
            };
            dict.set_item("rows", points.iter().map(|p| p.rows).collect::<Vec<_>>())?;
            dict.set_item("error", column(&|p| p.error))?;
            dict.set_item("low", column(&|p| p.band.0))?;
            dict.set_item("high", column(&|p| p.band.1))?;
            dict.set_item("lambda", column(&|p| p.lambda))?;
            dict.set_item("supported", points.iter().map(|p| p.supported).collect::<Vec<_>>())?;
            Ok(dict)
        };
        curves.iter().map(curve).collect()
    });
    dict.set_item("learning_curve", learning.transpose()?)?;
    Ok(dict)
}
