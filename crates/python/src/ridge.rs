//! Ridge regression from data: every criterion along the ridges, the choice, coefficients, bands.

use crate::convert::from_json;
use crate::correlation::{self, labels};
use crate::error::Failure;
use crate::watch::watched;
use numpy::{
    PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rmt_estimators::{
    Criteria, Criterion, Diagnosis, Folds, LearningPoint, Options, Path, Regression,
    RowCorrelation, Stamps, StatedCorrelation, Table,
};
use rmt_models::kernel::SpectrumMethod;

/// Ridges of the grid when none are given: the number of the command line.
const GRID: usize = 40;

/// Names of the criteria; blocks are the only splits there are.
const CRITERIA: [(&str, Criterion); 6] = [
    ("gcv", Criterion::Gcv),
    ("gcv2", Criterion::Gcv2),
    ("corr_gcv", Criterion::CorrGcv),
    ("loo", Criterion::Loo),
    ("whitened", Criterion::WhitenedCorrGcv),
    ("blocked", BLOCKED),
];
const BLOCKED: Criterion = Criterion::Folds(0);

fn criterion_of(name: &str) -> Result<Criterion, Failure> {
    let found = CRITERIA.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, criterion)| criterion).ok_or_else(|| {
        let message = format!(
            "\"{name}\" is no criterion; give \"gcv\", \"corr_gcv\", \"whitened\", \"loo\", \
             \"blocked\" or \"gcv2\""
        );
        Failure::input("criterion", message)
    })
}

/// What is asked.
struct Request {
    x: (Vec<f64>, usize, usize),
    y: (Vec<f64>, usize),
    options: Options,
    stated: StatedCorrelation,
    stamps: Stamps,
    method: SpectrumMethod,
    lambdas: Vec<f64>,
    criterion: Criterion,
    beside: Vec<Criterion>,
    own_lambda: bool,
    blocks: Option<usize>,
    gap: Option<usize>,
    learning_sizes: Option<Vec<usize>>,
}

/// What was found.
struct Found {
    path: Path,
    correlated: RowCorrelation,
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
        stated: correlation::stated(sample_correlation)?,
        stamps: Stamps {
            groups: labels(groups)?,
            times: times.map(|t| t.as_array().iter().copied().collect()),
        },
        method: if approximate { SpectrumMethod::Circulant } else { SpectrumMethod::Exact },
        lambdas: lambdas.unwrap_or_default(),
        criterion: criterion_of(criterion)?,
        beside: beside.iter().map(|name| criterion_of(name)).collect::<Result<_, _>>()?,
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
    let correlated = RowCorrelation::find(
        &request.stated,
        table,
        request.options.standardize,
        request.stamps.clone(),
        request.method,
    )?;
    let asked = |c: Criterion| request.criterion == c || request.beside.contains(&c);
    let folds = match asked(BLOCKED) {
        true => Some(folds(&correlated, &request.stamps, request.blocks, request.gap)?),
        false => None,
    };
    let criteria = Criteria {
        loo: asked(Criterion::Loo),
        correlation: Some(correlated.kernel()),
        noise: None,
        whitened: asked(Criterion::WhitenedCorrGcv),
        lags: Vec::new(),
        folds: folds.iter().collect(),
    };
    let path = match request.lambdas.as_slice() {
        [] => {
            // Exact cross-validation cannot say whether a wider grid would pay; CorrGCV places the grid.
            let placed_by = match request.criterion {
                BLOCKED => Criterion::CorrGcv,
                other => other,
            };
            regression.tuned_path(&regression.grid(GRID), &criteria, placed_by)?
        }
        given => regression.path(given, &criteria)?,
    };
    let chosen: Vec<usize> = if request.own_lambda || *q == 1 {
        let own = |t| path.choose(request.criterion, t).map(|c| c.index);
        (0..*q).map(own).collect::<Result<_, _>>()?
    } else {
        vec![path.choose_shared(request.criterion)?.index; *q]
    };
    let mut found = Found {
        alphas: chosen.iter().map(|i| regression.alpha(path.lambdas[*i])).collect(),
        predicted: (0..*q)
            .map(|t| path.values(request.criterion, t).map(|v| v[chosen[t]]))
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
    let kernel = found.correlated.kernel();
    if *q == 1 && !kernel.is_identity() && !kernel.is_approximate() {
        let lambda = found.path.lambdas[found.chosen[0]];
        found.diagnosis = Some(regression.diagnose(lambda, kernel, 0)?);
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
    fn bands(&mut self, regression: &Regression, criterion: Criterion) -> Result<(), Failure> {
        let first = self.chosen[0];
        let lambda = self.path.lambdas[first];
        if criterion == BLOCKED {
            let band = |(t, e): (usize, &f64)| {
                let spread = 2.0 * self.path.targets[t].folds[0].standard_error[self.chosen[t]];
                ((e - spread).max(0.0), e + spread)
            };
            self.band = Some(self.predicted.iter().enumerate().map(band).collect());
            return Ok(());
        }
        let approximate = self.correlated.kernel().is_approximate();
        if approximate || self.chosen.iter().any(|i| *i != first) {
            return Ok(());
        }
        if criterion == Criterion::CorrGcv {
            let bands = regression.corr_gcv_bands(lambda, &self.correlated, &self.predicted)?;
            self.band = Some(bands);
            return Ok(());
        }
        let independent = matches!(criterion, Criterion::Gcv | Criterion::Loo)
            || self.correlated.kernel().is_identity();
        let kernel = (!independent).then_some(self.correlated.kernel());
        let uncertainty = regression.uncertainty(lambda, kernel)?;
        let bands = self.predicted.iter().map(|e| uncertainty.band(*e)).collect();
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
        let correlation = (!doubted && !self.correlated.kernel().is_identity())
            .then_some((self.correlated.correlation(), self.correlated.kernel()));
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
    correlated: &RowCorrelation,
    stamps: &Stamps,
    blocks: Option<usize>,
    gap: Option<usize>,
) -> Result<Folds, Failure> {
    let n = correlated.kernel().rows();
    if let (Some(groups), None) = (&stamps.groups, blocks) {
        return Ok(Folds::groups(groups)?);
    }
    let count = blocks.unwrap_or(if n < 100 { 5 } else { 10 });
    Ok(Folds::blocks(n, count, gap.unwrap_or_else(|| correlated.gap()))?)
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
    dict.set_item("kernel", from_json(py, &correlation::record(&found.correlated))?)?;

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
    for (name, criterion) in CRITERIA {
        let values = |t: usize| path.values(criterion, t).ok().map(<[f64]>::to_vec);
        if let Some(values) = table(&values)? {
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
