//! Expressions in random matrices: certified values, curves, densities, formulas, programs.

use crate::convert::{from_json, to_json};
use crate::error::Failure;
use crate::watch::watched;
use num_complex::Complex64;
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyComplex, PyDict, PyFloat};
use rmt_fpt::{
    Answer, CurvePoint, Entries, Model, Problem, Simulation, Verdict, check, size_curve,
};
use serde_json::Value as Json;
use std::sync::Arc;

/// A problem ready to solve.
#[pyclass(frozen, module = "rmt._native")]
pub(crate) struct Expression {
    problem: Arc<Problem>,
    model: Arc<Model>,
}

/// Points without a certified value, and why.
type Misses = Vec<(f64, String)>;

/// Named problems: name, what it computes, the problem.
#[pyfunction]
pub(crate) fn gallery(
    py: Python<'_>,
) -> PyResult<Vec<(&'static str, &'static str, Bound<'_, PyAny>)>> {
    rmt_fpt::gallery()
        .iter()
        .map(|e| {
            let problem: Json = serde_json::from_str(e.json).unwrap_or_default();
            Ok((e.name, e.title, from_json(py, &problem)?))
        })
        .collect()
}

fn number<'py>(py: Python<'py>, z: Complex64) -> Bound<'py, PyAny> {
    if z.im == 0.0 {
        PyFloat::new(py, z.re).into_any()
    } else {
        PyComplex::from_doubles(py, z.re, z.im).into_any()
    }
}

fn answer<'py>(py: Python<'py>, found: &Answer) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("value", number(py, found.value))?;
    dict.set_item("rho", found.rho)?;
    dict.set_item("residual", found.residual)?;
    dict.set_item("path", found.path.to_string())?;
    dict.set_item("error_estimate", found.error_estimate)?;
    Ok(dict)
}

#[pymethods]
impl Expression {
    #[new]
    fn new(py: Python<'_>, problem: &Bound<'_, PyDict>) -> PyResult<Self> {
        let problem = to_json(problem.as_any(), "")?;
        watched(py, move |_| -> Result<Self, Failure> {
            let read: Problem = serde_json::from_value(problem.clone()).map_err(|error| {
                // The task words the same failure with its place in the inputs.
                let worded = rmt_fpt::tasks().first().and_then(|t| t.evaluate(&problem).err());
                worded.map_or_else(|| Failure::input("problem", error.to_string()), Failure::from)
            })?;
            let model = Model::new(&read)?;
            Ok(Self { problem: Arc::new(read), model: Arc::new(model) })
        })?
        .map_err(PyErr::from)
    }

    /// Value and certificate.
    fn evaluate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let model = self.model.clone();
        let found = watched(py, move |_| model.evaluate().map_err(Failure::from))??;
        answer(py, &found)
    }

    /// Derivative by a parameter; `None` where the system is singular.
    fn derivative<'py>(
        &self,
        py: Python<'py>,
        parameter: String,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let model = self.model.clone();
        let point = watched(py, move |_| model.derivative(&parameter).map_err(Failure::from))??;
        Ok(point.derivative.map(|d| number(py, d)))
    }

    /// Along values of a parameter or sizes of a dimension: arrays by name, NaN (and the message) where a
    /// point has no certified value.
    fn curve<'py>(
        &self,
        py: Python<'py>,
        key: String,
        values: Vec<f64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (problem, model) = (self.problem.clone(), self.model.clone());
        let points = watched(py, move |_| {
            if problem.dims.contains_key(&key) {
                let mut sizes: Vec<usize> =
                    values.iter().map(|x| x.round().max(0.0) as usize).collect();
                sizes.dedup();
                size_curve(&problem, &key, &sizes)
            } else {
                model.curve(&key, &values)
            }
            .map_err(Failure::from)
        })??;
        let nan = Complex64::new(f64::NAN, 0.0);
        let at: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
        let good = |f: &dyn Fn(&CurvePoint) -> Complex64| -> Vec<Complex64> {
            points.iter().map(|(_, p)| p.as_ref().map_or(nan, f)).collect()
        };
        let array = |values: Vec<Complex64>| {
            if values.iter().all(|z| z.im == 0.0) {
                PyArray1::from_vec(py, values.iter().map(|z| z.re).collect()).into_any()
            } else {
                PyArray1::from_vec(py, values).into_any()
            }
        };
        let dict = PyDict::new(py);
        dict.set_item("at", PyArray1::from_vec(py, at))?;
        dict.set_item("value", array(good(&|p| p.answer.value)))?;
        dict.set_item("derivative", array(good(&|p| p.derivative.unwrap_or(nan))))?;
        dict.set_item("rho", array(good(&|p| p.answer.rho.into())))?;
        dict.set_item("residual", array(good(&|p| p.answer.residual.into())))?;
        let errors: Misses = points
            .iter()
            .filter_map(|(x, p)| p.as_ref().err().map(|e| (*x, e.to_string())))
            .collect();
        dict.set_item("errors", errors)?;
        Ok(dict)
    }

    /// Im(value)/π as a parameter runs along the real axis.
    fn density<'py>(
        &self,
        py: Python<'py>,
        parameter: String,
        points: Vec<f64>,
        smoothing: f64,
    ) -> PyResult<(Bound<'py, PyArray1<f64>>, Misses)> {
        let model = self.model.clone();
        let found = watched(py, move |_| {
            model.density(&parameter, &points, smoothing).map_err(Failure::from)
        })??;
        let values = found.iter().map(|(_, d)| d.as_ref().map_or(f64::NAN, |d| *d)).collect();
        let errors = found
            .iter()
            .filter_map(|(x, d)| d.as_ref().err().map(|e| (*x, e.to_string())))
            .collect();
        Ok((PyArray1::from_vec(py, values), errors))
    }

    /// Monte Carlo of the same expression at the stated and at doubled sizes.
    fn check<'py>(
        &self,
        py: Python<'py>,
        draws: usize,
        seed: u64,
        signs: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let problem = self.problem.clone();
        let entries = if signs { Entries::Signs } else { Entries::Gaussian };
        let found =
            watched(py, move |_| check(&problem, draws, seed, entries).map_err(Failure::from))??;
        let side = |s: &Simulation| -> PyResult<_> {
            let dict = PyDict::new(py);
            dict.set_item("sizes", s.multiple)?;
            dict.set_item("limit", number(py, s.limit))?;
            dict.set_item("mean", number(py, s.mean))?;
            dict.set_item("standard_error", s.standard_error)?;
            dict.set_item("z_score", s.z_score())?;
            Ok(dict)
        };
        let dict = PyDict::new(py);
        dict.set_item("draws", draws)?;
        dict.set_item("seed", seed)?;
        dict.set_item("single", side(&found.single)?)?;
        dict.set_item("double", side(&found.double)?)?;
        let verdict = match found.verdict() {
            Verdict::Agrees => "agrees",
            Verdict::Converging => "converging",
            Verdict::Differs => "differs",
        };
        dict.set_item("verdict", verdict)?;
        Ok(dict)
    }

    /// The reduced system as text, `latex`, a `python` or `rust` program, or the steps to it (`explain`).
    fn written(&self, form: &str) -> PyResult<String> {
        match form {
            "text" => Ok(self.model.text().map_err(Failure::from)?),
            "latex" => Ok(self.model.latex().map_err(Failure::from)?),
            "explain" => Ok(self.model.explain().map_err(Failure::from)?),
            "python" => Ok(self.model.python().map_err(Failure::from)?),
            "rust" => Ok(self.model.rust().map_err(Failure::from)?),
            other => {
                let message = format!("\"{other}\"; give text, latex, explain, python or rust");
                Err(Failure::input("form", message).into())
            }
        }
    }
}
