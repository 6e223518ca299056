//! A problem ready to solve: one reduced Dyson equation for each trace of the expression.

use crate::binding::{Binder, symbol_value};
use crate::engine::{Classes, Coefficients, Engine, GroupData};
use crate::error::{Error, Place, Result, Span, declared};
use crate::field::Number;
use crate::formula::{Formulas, Scalar, Symbol, Values};
use crate::input::Problem;
use crate::nodes::NodeId;
use crate::pencil::{MAX_BLOCKS, Pencil, linearise};
use crate::rotation::Rotated;
use crate::solve::{Certified, Miss, Misses, Path, Solver};
use crate::structure::Structure;
use crate::twin::{Reduction, reduce};
use crate::typing::{Program, compile};
use num_complex::Complex64;
use std::collections::HashMap;

/// Most pairs of random entries of one trace.
const MAX_PAIRS: usize = 1 << 10;

/// Most pairs to solve for without reduction.
const MAX_UNREDUCED: usize = 256;

/// The deterministic equivalent of an expression, with what proves it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The value; the imaginary part is 0 when all parameters are real.
    pub value: Complex64,
    /// Largest spectral radius ρ of the certificates of the traces, below 1; 1 − ρ is the distance
    /// to a singularity.
    pub rho: f64,
    /// Largest relative residual of the full systems.
    pub residual: f64,
    /// The last rung of the ladder that some trace needed.
    pub path: Path,
    /// Estimated rounding error of `value`, absolute.
    pub error_estimate: f64,
}

/// One trace: its pencil and its reduced system.
#[derive(Clone, Debug)]
pub(crate) struct TraceModel {
    pub(crate) node: NodeId,
    pub(crate) pencil: Pencil,
    pub(crate) structure: Structure,
    pub(crate) reduction: Reduction,
    groups: Vec<GroupData<f64>>,
    rotated: Vec<Rotated<f64>>,
}

/// A problem after linearisation and reduction.
///
/// ```
/// let problem: rmt_fpt::Problem = serde_json::from_str(r#"{
///     "dims": {"n": 300, "p": 200},
///     "parameters": {"lam": 0.1},
///     "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
///     "expression": "tr(inv(Z'*Z/n + lam*I(p)))"
/// }"#).unwrap();
/// let answer = rmt_fpt::Model::new(&problem).unwrap().evaluate().unwrap();
/// assert!((answer.value.re - 1.8059371040391705).abs() < 1e-12);
/// assert!(answer.rho < 1.0);
/// ```
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) program: Program,
    pub(crate) traces: Vec<TraceModel>,
    variance: Vec<Scalar>,
    /// ∂(value)/∂(trace).
    by_trace: Vec<Scalar>,
    parameters: Vec<Complex64>,
    source: String,
}

/// Unknowns of every trace, to start a neighbouring solve from.
pub(crate) type Start<F> = Vec<Vec<F>>;

/// A solved point.
pub(crate) struct Point<F> {
    pub(crate) answer: Answer,
    traces: Vec<Certified<F>>,
}

impl<F: Number> Point<F> {
    /// The unknowns of every trace.
    pub(crate) fn unknowns(&self) -> Start<F> {
        self.traces.iter().map(|t| t.unknowns.clone()).collect()
    }
}

impl Model {
    /// Types, linearises and reduces a problem.
    ///
    /// # Errors
    /// [`Error::Syntax`], [`Error::Shape`], [`Error::UnknownName`] with the place in the text,
    /// [`Error::InvalidInput`] for declarations out of range.
    pub fn new(problem: &Problem) -> Result<Self> {
        let mut program = compile(problem)?;
        let whole = |message: String| Error::InvalidText {
            place: Place {
                key: "expression".to_owned(),
                text: problem.expression.clone(),
                span: Span { start: 0, end: problem.expression.len() },
            },
            message,
        };
        // Sizes as symbols, for the written-out system.
        for d in 0..program.declarations.dimensions.len() {
            program.formulas.symbol(Symbol::Dimension(d));
        }
        let mut pencils = Vec::with_capacity(program.traces.len());
        for node in program.traces.clone() {
            let pencil =
                linearise(&program.nodes, &mut program.formulas, node).ok_or_else(|| {
                    whole(format!(
                        "a trace needs more than {MAX_BLOCKS} blocks; split the expression"
                    ))
                })?;
            pencils.push((node, pencil));
        }
        let mut by_trace = Vec::with_capacity(pencils.len());
        for index in 0..pencils.len() {
            let symbol = Symbol::Trace(index);
            by_trace.push(program.formulas.derivative(program.root, symbol));
        }
        let mut built = Vec::with_capacity(pencils.len());
        for (node, pencil) in pencils {
            let structure = Structure::new(&pencil, &program.declarations);
            let pairs = structure.pairs.len().max(structure.mates.len());
            if pairs > MAX_PAIRS {
                return Err(whole(format!(
                    "a trace has {pairs} pairs of random factors, at most {MAX_PAIRS} can be \
                     solved; split the expression"
                )));
            }
            built.push((node, pencil, structure));
        }
        let parts: Vec<_> =
            built.iter().map(|(_, pencil, structure)| (pencil, structure)).collect();
        let reductions = reduce(&parts, &program.declarations, &program.formulas);
        let mut binder = Binder::new(&program.declarations);
        let mut traces = Vec::with_capacity(built.len());
        for ((node, pencil, structure), reduction) in built.into_iter().zip(reductions) {
            let groups = binder.groups(&pencil, &structure)?;
            let rotated = binder.rotated(&structure);
            traces.push(TraceModel { node, pencil, structure, reduction, groups, rotated });
        }
        let variance = program.declarations.random.iter().map(|r| r.variance).collect();
        let parameters = program.declarations.parameters.iter().map(|(_, x)| *x).collect();
        let source = problem.expression.clone();
        Ok(Self { program, traces, variance, by_trace, parameters, source })
    }

    /// Index of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Result<usize> {
        let parameters = &self.program.declarations.parameters;
        parameters.iter().position(|(n, _)| n == name).ok_or_else(|| {
            let known: Vec<&str> = parameters.iter().map(|(n, _)| n.as_str()).collect();
            let message = format!("no parameter of that name; {}", declared(&known));
            Error::invalid(format!("parameters.{name}"), message)
        })
    }

    /// The same model at another value of a parameter.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if there is no such parameter or the value is not finite.
    pub fn with_parameter(&self, name: &str, value: Complex64) -> Result<Self> {
        let index = self.parameter(name)?;
        if !value.is_finite() {
            let message = format!("{value} is not a finite number");
            return Err(Error::invalid(format!("parameters.{name}"), message));
        }
        let mut model = self.clone();
        model.parameters[index] = value;
        Ok(model)
    }

    /// The text of the expression.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The formula of a size.
    pub(crate) fn size_symbol(&self, dimension: usize) -> Scalar {
        self.program.formulas.find(Symbol::Dimension(dimension)).unwrap_or(Formulas::ONE)
    }

    pub(crate) fn is_real(&self) -> bool {
        self.parameters.iter().all(|x| x.im == 0.0)
    }

    pub(crate) fn parameters(&self) -> &[Complex64] {
        &self.parameters
    }

    /// Values of all formulas at the model's parameters and the given traces.
    pub(crate) fn formula_values<F: Number>(&self, traces: &[F]) -> Values<F> {
        let declarations = &self.program.declarations;
        let leaf = |symbol| match symbol {
            Symbol::Trace(i) => traces.get(i).copied().unwrap_or(F::ZERO),
            other => symbol_value::<F>(declarations, &self.parameters, other),
        };
        self.program.formulas.evaluate(leaf, 0)
    }

    /// The deterministic equivalent, certified.
    ///
    /// # Errors
    /// [`Error::NotCertified`] when no solution passes the certificate, [`Error::InvalidInput`] when
    /// a coefficient is not finite at these parameters.
    pub fn evaluate(&self) -> Result<Answer> {
        if self.is_real() {
            Ok(self.solve::<f64>(&self.parameters, None)?.answer)
        } else {
            Ok(self.solve::<Complex64>(&self.parameters, None)?.answer)
        }
    }

    /// Solves all traces at the given parameters, from neighbouring unknowns if there are any.
    pub(crate) fn solve<F: Number>(
        &self,
        parameters: &[Complex64],
        start: Option<&Start<F>>,
    ) -> Result<Point<F>> {
        let mut solved = Vec::with_capacity(self.traces.len());
        for (index, trace) in self.traces.iter().enumerate() {
            let attempt = self.with_engine(trace, parameters, |solver| {
                let guess = start.and_then(|s| s.get(index));
                let warm = guess
                    .filter(|g| g.len() == solver.engine.unknowns())
                    .and_then(|g| solver.polish(g.clone()).ok());
                warm.map_or_else(|| solver.ladder(), Ok)
            })?;
            solved.push(match attempt {
                Ok(found) => found,
                Err(reduced) => self.unreduced(trace, parameters, reduced)?,
            });
        }
        self.point(parameters, solved)
    }

    /// As [`Model::solve`] but only by Newton's method from the guess.
    pub(crate) fn continued<F: Number>(
        &self,
        parameters: &[Complex64],
        start: &Start<F>,
    ) -> Result<Option<Point<F>>> {
        let mut solved = Vec::with_capacity(self.traces.len());
        for (trace, guess) in self.traces.iter().zip(start) {
            let attempt: Result<Certified<F>, Miss> =
                self.with_engine(trace, parameters, |solver| solver.polish(guess.clone()))?;
            match attempt {
                Ok(found) => solved.push(found),
                Err(_) => return Ok(None),
            }
        }
        self.point(parameters, solved).map(Some)
    }

    /// The answer from its traces.
    fn point<F: Number>(
        &self,
        parameters: &[Complex64],
        traces: Vec<Certified<F>>,
    ) -> Result<Point<F>> {
        let declarations = &self.program.declarations;
        let leaf = |symbol| match symbol {
            Symbol::Trace(i) => traces[i].value,
            other => symbol_value::<F>(declarations, parameters, other),
        };
        let values = self.program.formulas.evaluate(leaf, 0);
        let value = values.at(self.program.root);
        if !value.is_finite() {
            let message = format!(
                "the value {:?} of the expression is not finite; look for a division by zero or the \
                 root of a negative number",
                value
            );
            return Err(Error::invalid("expression", message));
        }
        let error = traces.iter().zip(&self.by_trace);
        let answer = Answer {
            value: value.complex(),
            rho: traces.iter().map(|t| t.rho).fold(0.0, f64::max),
            residual: traces.iter().map(|t| t.residual).fold(0.0, f64::max),
            path: traces.iter().map(|t| t.path).max().unwrap_or(Path::Direct),
            error_estimate: error.map(|(t, d)| values.at(*d).abs() * t.error).sum(),
        };
        Ok(Point { answer, traces })
    }

    /// Without merging and dropping unknowns, in case that went wrong.
    fn unreduced<F: Number>(
        &self,
        trace: &TraceModel,
        parameters: &[Complex64],
        reduced: Misses,
    ) -> Result<Certified<F>> {
        let fail = |misses: Misses| Error::NotCertified {
            subject: format!("Tr({})", self.program.show(trace.node)),
            reason: misses.to_string(),
        };
        let pairs = trace.structure.pairs.len();
        if !reduced.blame_reduction() || pairs > MAX_UNREDUCED {
            return Err(fail(reduced));
        }
        let mut full = trace.clone();
        full.reduction.classes = Classes::trivial(pairs);
        full.reduction.certificate = vec![(0..full.structure.mates.len()).collect()];
        self.with_engine(&full, parameters, |solver| solver.ladder())?.map_err(fail)
    }

    /// Runs `f` with a solver of the trace at the given parameters.
    pub(crate) fn with_engine<F: Number, R>(
        &self,
        trace: &TraceModel,
        parameters: &[Complex64],
        f: impl FnOnce(Solver<'_, F>) -> R,
    ) -> Result<R> {
        let leaf = |symbol| symbol_value::<F>(&self.program.declarations, parameters, symbol);
        let values = self.program.formulas.evaluate(leaf, 0);
        let coefficients = Coefficients::new(&trace.pencil, &self.variance, &values);
        if coefficients.all().any(|c| !c.is_finite()) {
            let message = format!(
                "a coefficient of Tr({}) is not finite at these parameters; look for a division by \
                 zero or the root of a negative number",
                self.program.show(trace.node)
            );
            return Err(Error::invalid("expression", message));
        }
        if self.variance.iter().any(|v| {
            let v = values.at(*v).complex();
            v.im != 0.0 || v.re.is_nan() || v.re <= 0.0
        }) {
            let message = "a variance is not positive at these parameters";
            return Err(Error::invalid("random", message));
        }
        let groups: Vec<GroupData<F>> =
            trace.groups.iter().map(|g| g.map(F::from_number)).collect();
        let rotated: Vec<Rotated<F>> =
            trace.rotated.iter().map(|r| r.map(F::from_number)).collect();
        let engine = Engine::new(
            &trace.pencil,
            &trace.structure,
            &trace.reduction.classes,
            coefficients,
            &groups,
            &rotated,
        );
        let certificate = &trace.reduction.certificate;
        Ok(f(Solver { engine: &engine, structure: &trace.structure, certificate }))
    }

    /// The formulas of the derivative by a parameter.
    pub(crate) fn differentiate(&self, parameter: usize) -> Derivative {
        let mut formulas = self.program.formulas.clone();
        let by = Symbol::Parameter(parameter);
        let mut known = HashMap::new();
        for trace in &self.traces {
            Coefficients::<f64>::map(&trace.pencil, &self.variance, |s| {
                known.entry(s).or_insert_with(|| formulas.derivative(s, by));
                0.0
            });
        }
        let root = formulas.derivative(self.program.root, by);
        Derivative { formulas, known, root }
    }

    /// Derivative of the value, and of the unknowns of each trace, at a solved point.
    pub(crate) fn slope<F: Number>(
        &self,
        derivative: &Derivative,
        parameters: &[Complex64],
        point: &Point<F>,
    ) -> Result<Option<(F, Start<F>)>> {
        let declarations = &self.program.declarations;
        let leaf = |symbol| match symbol {
            Symbol::Trace(i) => point.traces[i].value,
            other => symbol_value::<F>(declarations, parameters, other),
        };
        let values = derivative.formulas.evaluate(leaf, 0);
        let mut total = values.at(derivative.root);
        let mut unknowns = Vec::with_capacity(self.traces.len());
        for ((trace, solved), by) in self.traces.iter().zip(&point.traces).zip(&self.by_trace) {
            let change = Coefficients::map(&trace.pencil, &self.variance, |s| {
                derivative.known.get(&s).map_or(F::ZERO, |d| values.at(*d))
            });
            let slope = self
                .with_engine(trace, parameters, |solver| solver.slope(&solved.unknowns, &change))?;
            let Some((value, du)) = slope else { return Ok(None) };
            total += values.at(*by) * value;
            unknowns.push(du);
        }
        Ok(total.is_finite().then_some((total, unknowns)))
    }
}

/// Formulas of the derivative by one parameter.
pub(crate) struct Derivative {
    formulas: Formulas,
    known: HashMap<Scalar, Scalar>,
    root: Scalar,
}
