//! Deterministic equivalents: a spectrum, stages of randomness, and what can be read off the solution.

use crate::convert::to_json;
use crate::error::Failure;
use crate::watch::watched;
use num_complex::Complex64;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rmt_core::{
    Activation, AnyStage, CorrelatedSamples, DeterministicEquivalent, Modes, Population,
    Resolution, SampleCovariance, Samples, Solution, Spectrum, Weight, Width,
};
use rmt_models::kernel::SampleCorrelation;
use rmt_task::{Fields, TaskError};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// How the rows of a single stage of samples are correlated: what support edges need.
enum Rows {
    Independent(f64),
    Correlated(CorrelatedSamples),
}

/// A spectrum seen through stages.
#[pyclass(frozen, module = "rmt._native")]
pub(crate) struct Equivalent {
    chain: Arc<DeterministicEquivalent<Population>>,
    /// Set where samples are the only stage.
    rows: Option<Rows>,
}

type Stages = (Vec<Box<dyn AnyStage>>, Vec<Rows>);

/// `{"samples": n}`, `{"samples": n, "correlation": kernel}`, `{"width": N}`,
/// `{"activation": {"gain": a, "tail": t}}`.
fn read_stages(stages: Json) -> Result<Stages, Failure> {
    let Json::Array(stages) = stages else {
        return Err(Failure::input(
            "stages",
            "give a list such as [{\"width\": 120}, {\"samples\": 200}]",
        ));
    };
    let (mut list, mut rows): (Vec<Box<dyn AnyStage>>, Vec<Rows>) = (Vec::new(), Vec::new());
    for (index, stage) in stages.into_iter().enumerate() {
        let place = format!("stages[{index}]");
        let (stage, found) = read_stage(stage).map_err(|e| e.within(&place))?;
        list.push(stage);
        rows.extend(found);
    }
    Ok((list, rows))
}

fn read_stage(stage: Json) -> Result<(Box<dyn AnyStage>, Option<Rows>), TaskError> {
    let mut fields = Fields::new(stage)?;
    let samples: Option<f64> = fields.take("samples")?;
    let correlation: Option<SampleCorrelation> = fields.take("correlation")?;
    let width: Option<f64> = fields.take("width")?;
    let activation: Option<Json> = fields.take("activation")?;
    fields.finish()?;
    match (samples, correlation, width, activation) {
        (Some(n), None, None, None) => {
            Ok((Box::new(Samples::new(n).map_err(TaskError::from)?), Some(Rows::Independent(n))))
        }
        (Some(n), Some(correlation), None, None) => {
            if n.fract() != 0.0 || !(1.0..1e9).contains(&n) {
                let message = format!(
                    "{n} is out of range; correlated rows are counted, give a whole number"
                );
                return Err(TaskError::invalid("samples", message));
            }
            let kernel = correlation
                .kernel(n as usize)
                .map_err(|e| TaskError::from(e).within("correlation"))?;
            let stage = kernel.samples().map_err(TaskError::from)?;
            Ok((Box::new(stage.clone()), Some(Rows::Correlated(stage))))
        }
        (None, None, Some(width), None) => {
            let stage =
                Width::new(width).map_err(|e| TaskError::from(e).renamed("widths", "width"))?;
            Ok((Box::new(stage), None))
        }
        (None, None, None, Some(activation)) => {
            let inside = |e: TaskError| e.within("activation");
            let mut fields = Fields::new(activation).map_err(inside)?;
            let gain = fields.require("gain").map_err(inside)?;
            let tail = fields.take("tail").map_err(inside)?.unwrap_or(0.0);
            fields.finish().map_err(inside)?;
            let stage = Activation::new(gain, tail).map_err(|e| inside(e.into()))?;
            Ok((Box::new(stage), None))
        }
        _ => Err(TaskError::new(
            rmt_task::ErrorKind::INVALID_INPUT,
            "one stage a dictionary: {\"samples\": n}, {\"samples\": n, \"correlation\": kernel}, \
             {\"width\": N} or {\"activation\": {\"gain\": a, \"tail\": t}}",
        )),
    }
}

/// What is read off one solution.
struct Point {
    kappa: f64,
    df1: f64,
    df2: f64,
    dof: f64,
    ridges: Vec<f64>,
    iterations: usize,
    residual: f64,
}

fn point(chain: &DeterministicEquivalent<Population>, solution: &Solution<f64>) -> Point {
    let nodes = chain.spectrum().nodes(Weight::Count, Resolution::Compressed);
    let kappa = solution.kappa();
    Point {
        kappa,
        df1: nodes.sum(|s| s / (s + kappa)),
        df2: nodes.sum(|s| (s / (s + kappa)).powi(2)),
        dof: solution.dof(),
        ridges: (0..=chain.depth()).map(|j| solution.ridge_after(j)).collect(),
        iterations: solution.diagnostics.iterations,
        residual: solution.diagnostics.residual,
    }
}

#[pymethods]
impl Equivalent {
    #[new]
    fn new(spectrum: &Bound<'_, PyAny>, stages: &Bound<'_, PyAny>) -> PyResult<Self> {
        let spectrum = match to_json(spectrum, "spectrum")? {
            list @ Json::Array(_) => json!({"kind": "explicit", "values": list}),
            other => other,
        };
        let mut whole = Fields::new(json!({"spectrum": spectrum})).map_err(Failure::from)?;
        let spectrum: Modes = whole.require("spectrum").map_err(Failure::from)?;
        let population = Population::new(&spectrum).map_err(Failure::from)?;
        let (stages, mut rows) = read_stages(to_json(stages, "stages")?)?;
        let rows = if stages.len() == 1 { rows.pop() } else { None };
        let chain = DeterministicEquivalent::new(population, stages).map_err(Failure::from)?;
        Ok(Self { chain: Arc::new(chain), rows })
    }

    /// Number of stages.
    #[getter]
    fn depth(&self) -> usize {
        self.chain.depth()
    }

    /// Number of modes.
    #[getter]
    fn dimension(&self) -> f64 {
        self.chain.spectrum().dimension()
    }

    /// κ at λ = 0.
    #[getter]
    fn kappa_at_zero(&self) -> f64 {
        self.chain.kappa_at_zero()
    }

    /// Everything at each of the ridges: arrays by name, `ridges` a row a stage.
    fn solve<'py>(
        &self,
        py: Python<'py>,
        lambdas: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (chain, lambdas) = (self.chain.clone(), lambdas.as_array().to_vec());
        let points = watched(py, move |_| -> Result<Vec<Point>, Failure> {
            Ok(chain.path(&lambdas)?.iter().map(|s| point(&chain, s)).collect())
        })??;
        let dict = PyDict::new(py);
        let column =
            |f: &dyn Fn(&Point) -> f64| PyArray1::from_vec(py, points.iter().map(f).collect());
        dict.set_item("kappa", column(&|p| p.kappa))?;
        dict.set_item("df1", column(&|p| p.df1))?;
        dict.set_item("df2", column(&|p| p.df2))?;
        dict.set_item("dof", column(&|p| p.dof))?;
        dict.set_item("residual", column(&|p| p.residual))?;
        dict.set_item("iterations", points.iter().map(|p| p.iterations).collect::<Vec<_>>())?;
        let ridges: Vec<_> = (0..=self.chain.depth()).map(|j| column(&|p| p.ridges[j])).collect();
        dict.set_item("ridges", ridges)?;
        Ok(dict)
    }

    /// κ at complex ridges.
    fn kappa_complex<'py>(
        &self,
        py: Python<'py>,
        lambdas: PyReadonlyArray1<'py, Complex64>,
    ) -> PyResult<Bound<'py, PyArray1<Complex64>>> {
        self.complex(py, lambdas.as_array().to_vec(), |_, s| s.kappa())
    }

    /// Stieltjes transform (1/p) Tr (Σ̂ − z)⁻¹ at complex z off the real axis.
    fn stieltjes<'py>(
        &self,
        py: Python<'py>,
        z: PyReadonlyArray1<'py, Complex64>,
    ) -> PyResult<Bound<'py, PyArray1<Complex64>>> {
        let lambdas = z.as_array().iter().map(|z| -z).collect();
        self.complex(py, lambdas, |chain, s| chain.stieltjes(s))
    }

    /// Density at points x > 0.
    fn density<'py>(
        &self,
        py: Python<'py>,
        points: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let (chain, points) = (self.chain.clone(), points.as_array().to_vec());
        let density = watched(py, move |_| chain.density(&points).map_err(Failure::from))??;
        Ok(PyArray1::from_vec(py, density))
    }

    /// Edges of the support, ascending, and the mass at zero; only where samples are the only stage.
    fn support(&self) -> Option<(Vec<f64>, f64)> {
        let population = self.chain.spectrum();
        let covariance = match self.rows.as_ref()? {
            Rows::Independent(n) => SampleCovariance::independent(population, *n),
            Rows::Correlated(samples) => SampleCovariance::correlated(population, samples),
        };
        Some((covariance.edges(), covariance.mass_at_zero()))
    }
}

impl Equivalent {
    fn complex<'py>(
        &self,
        py: Python<'py>,
        lambdas: Vec<Complex64>,
        read: impl Fn(&DeterministicEquivalent<Population>, &Solution<Complex64>) -> Complex64
        + Send
        + 'static,
    ) -> PyResult<Bound<'py, PyArray1<Complex64>>> {
        let chain = self.chain.clone();
        let values = watched(py, move |stop| -> Result<Vec<Complex64>, Failure> {
            let mut near: Option<Solution<Complex64>> = None;
            let mut out = Vec::with_capacity(lambdas.len());
            for lambda in lambdas {
                if stop.is_set() {
                    break;
                }
                let solution = chain.solve_complex(lambda, near.as_ref())?;
                out.push(read(&chain, &solution));
                near = Some(solution);
            }
            Ok(out)
        })??;
        Ok(PyArray1::from_vec(py, values))
    }
}
