//! Monte Carlo of the same expression: random matrices of the stated sizes, multiplied out.

use crate::binding::Binder;
use crate::error::{Error, Result};
use crate::field::Number;
use crate::input::{Deterministic, Problem, RandomKind};
use crate::matrix::Matrix;
use crate::model::Model;
use crate::nodes::{Node, NodeId};
use crate::pencil::Occurrence;
use crate::typing::Program;
use num_complex::Complex64;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rmt_core::Modes;
use rmt_task::Draw;
use std::collections::HashMap;

/// Law of the entries of random matrices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entries {
    /// Normal.
    #[default]
    Gaussian,
    /// ±√variance with equal probability.
    Signs,
}

/// Monte Carlo at one size beside the limit at that size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Simulation {
    /// All sizes are this multiple of the stated ones.
    pub multiple: usize,
    /// The deterministic equivalent.
    pub limit: Complex64,
    /// Mean over the draws.
    pub mean: Complex64,
    /// Standard error of the mean (of real and imaginary part together).
    pub standard_error: f64,
}

impl Simulation {
    /// mean − limit.
    pub fn gap(&self) -> Complex64 {
        self.mean - self.limit
    }

    /// The gap in standard errors.
    pub fn z_score(&self) -> f64 {
        if self.standard_error > 0.0 { self.gap().norm() / self.standard_error } else { 0.0 }
    }

    /// |gap| relative to the limit.
    pub fn relative_gap(&self) -> f64 {
        self.gap().norm() / self.limit.norm()
    }
}

/// Simulations at sizes ×1 and ×2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check {
    /// Draws at each size.
    pub draws: usize,
    /// At the stated sizes.
    pub single: Simulation,
    /// At doubled sizes.
    pub double: Simulation,
}

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Within three standard errors at both sizes.
    Agrees,
    /// Outside, but the gap shrinks with the sizes as a 1/n correction does.
    Converging,
    /// The gap does not shrink as it should.
    Differs,
}

impl Check {
    /// Whether the gap, relative to the limit, is noise or halves when the sizes double, within
    /// three standard errors.
    pub fn verdict(&self) -> Verdict {
        let (one, two) = (&self.single, &self.double);
        if one.z_score() <= 3.0 && two.z_score() <= 3.0 {
            return Verdict::Agrees;
        }
        // A correction of order 1/n halves relative to the limit; 0.75 leaves room for 1/n².
        let noise = |s: &Simulation| s.standard_error / s.limit.norm();
        let slack = 3.0 * noise(one).hypot(noise(two));
        if two.relative_gap() <= 0.75 * one.relative_gap() + slack {
            Verdict::Converging
        } else {
            Verdict::Differs
        }
    }
}

/// Simulates a problem at sizes ×1 and ×2 (spectra repeated, matrices repeated along the diagonal)
/// and compares with the limit. Equal seeds give equal results.
///
/// # Errors
/// [`Error::InvalidInput`] for fewer than 2 draws, or if an inverted matrix is singular in a draw;
/// otherwise as [`Model::evaluate`].
pub fn check(problem: &Problem, draws: usize, seed: u64, entries: Entries) -> Result<Check> {
    if draws < 2 {
        let message = format!("{draws} draws have no standard error; give at least 2");
        return Err(Error::invalid("draws", message));
    }
    let at = |multiple: usize| {
        let problem = enlarged(problem, multiple)?;
        let model = Model::new(&problem)?;
        let limit = model.evaluate()?.value;
        let mut values = Vec::with_capacity(draws);
        for index in 0..draws as u64 {
            let draw = Draw { seed: seed.wrapping_add(multiple as u64 - 1), index };
            values.push(sample(&model, draw, entries)?);
        }
        let mean = values.iter().sum::<Complex64>() / draws as f64;
        let spread: f64 = values.iter().map(|v| (v - mean).norm_sqr()).sum();
        let standard_error = (spread / (draws - 1) as f64 / draws as f64).sqrt();
        Ok(Simulation { multiple, limit, mean, standard_error })
    };
    Ok(Check { draws, single: at(1)?, double: at(2)? })
}

/// The problem with all sizes multiplied: the limit of normalised traces is the same.
///
/// # Errors
/// [`Error::InvalidInput`] if a matrix has no valid entries.
pub fn enlarged(problem: &Problem, multiple: usize) -> Result<Problem> {
    let mut out = problem.clone();
    if multiple == 1 {
        return Ok(out);
    }
    out.dims.values_mut().for_each(|size| *size *= multiple);
    for random in out.random.values_mut() {
        if let Some(spectrum) = &mut random.spectrum {
            let values = spectrum.values("values");
            let values = values.map_err(|e| Error::invalid("random", e.to_string()))?.values;
            *spectrum = Modes::Explicit(values.repeat(multiple));
        }
    }
    // Names first: the shape that fits now fits then, and sizes must not decide it anew.
    let model = Model::new(problem)?;
    for fixed in &model.program.declarations.fixed {
        let name = |d: usize| model.program.declarations.dimensions[d].name.clone();
        let shape = [name(fixed.shape.0), name(fixed.shape.1)];
        let weighted = problem.dimension_weights.contains_key(&shape[0]);
        out.deterministic_shapes.insert(fixed.name.clone(), shape);
        if weighted {
            continue; // atoms with weights: their number stays
        }
        let entries = fixed.entries.repeated(multiple);
        let larger = match entries {
            crate::input::Concrete::Diagonal(values) if values.iter().all(|x| *x >= 0.0) => {
                Deterministic::Modes(Modes::Explicit(values))
            }
            other => {
                let m = other.dense();
                Deterministic::Dense((0..m.rows()).map(|i| m.row(i).to_vec()).collect())
            }
        };
        out.deterministic.insert(fixed.name.clone(), larger);
    }
    Ok(out)
}

/// The value of the expression for one draw of its random matrices.
///
/// # Errors
/// [`Error::InvalidInput`] if an inverted matrix is singular in this draw.
pub fn sample(model: &Model, draw: Draw, entries: Entries) -> Result<Complex64> {
    if model.is_real() {
        Sampler::<f64>::new(model, draw, entries)?.value().map(Number::complex)
    } else {
        Sampler::<Complex64>::new(model, draw, entries)?.value()
    }
}

/// One draw of all random matrices, and what has been multiplied out of them.
pub(crate) struct Sampler<'a, F> {
    program: &'a Program,
    values: crate::formula::Values<F>,
    model: &'a Model,
    random: Vec<Matrix<F>>,
    binder: Binder<'a>,
    known: HashMap<NodeId, Matrix<F>>,
}

impl<'a, F: Number> Sampler<'a, F> {
    pub(crate) fn new(model: &'a Model, draw: Draw, entries: Entries) -> Result<Self> {
        let program = &model.program;
        let values = model.formula_values::<F>(&[]);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(draw.stream());
        let size = |d: usize| program.declarations.dimensions[d].size;
        let mut random = Vec::with_capacity(program.declarations.random.len());
        for factor in &program.declarations.random {
            if factor.kind == RandomKind::Haar {
                random.push(rotated(&factor.eigenvalues, &mut rng)?.map(F::from_number));
                continue;
            }
            let deviation = values.at(factor.variance).complex().re.sqrt();
            let mut entry = || {
                let unit: f64 = match entries {
                    Entries::Gaussian => StandardNormal.sample(&mut rng),
                    Entries::Signs => {
                        if rng.random::<bool>() {
                            1.0
                        } else {
                            -1.0
                        }
                    }
                };
                unit * deviation
            };
            let (rows, columns) = (size(factor.shape.0), size(factor.shape.1));
            let plain = Matrix::from_fn(rows, columns, |_, _| entry());
            random.push(match factor.kind {
                RandomKind::Iid | RandomKind::Haar => plain.map(F::from_number),
                RandomKind::Goe => Matrix::from_fn(rows, rows, |i, j| {
                    // Off-diagonal variance v, twice that on the diagonal.
                    let x = plain.at(i.min(j), i.max(j));
                    F::from_number(if i == j { x * std::f64::consts::SQRT_2 } else { x })
                }),
            });
        }
        let binder = Binder::new(&program.declarations);
        Ok(Self { program, values, model, random, binder, known: HashMap::new() })
    }

    fn value(mut self) -> Result<F> {
        let mut traces = Vec::with_capacity(self.program.traces.len());
        for node in &self.program.traces {
            let factors = match self.program.nodes.node(*node) {
                Node::Product(items) => items.clone(),
                _ => vec![*node],
            };
            let (last, rest) = match factors.split_last() {
                Some((last, rest)) if !rest.is_empty() => (*last, rest.to_vec()),
                _ => {
                    traces.push(self.matrix(*node)?.trace());
                    continue;
                }
            };
            let left = self.product(&rest)?;
            traces.push(left.trace_product(&self.matrix(last)?));
        }
        Ok(self.model.formula_values(&traces).at(self.program.root))
    }

    /// A random matrix, transposed or not.
    pub(crate) fn factor(&self, (factor, transposed): Occurrence) -> Matrix<F> {
        let plain = &self.random[factor];
        if transposed { plain.transposed() } else { plain.clone() }
    }

    #[cfg(test)]
    pub(crate) fn letter(&mut self, letter: crate::nodes::Letter) -> &Matrix<f64> {
        self.binder.dense(letter).unwrap()
    }

    fn product(&mut self, factors: &[NodeId]) -> Result<Matrix<F>> {
        let mut out = self.matrix(factors[0])?;
        for factor in &factors[1..] {
            out = out.product(&self.matrix(*factor)?);
        }
        Ok(out)
    }

    pub(crate) fn matrix(&mut self, id: NodeId) -> Result<Matrix<F>> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let size = |d: usize| self.program.declarations.dimensions[d].size;
        let (rows, columns) = self.program.nodes.shape(id);
        let out = match self.program.nodes.node(id).clone() {
            Node::Identity(d) => Matrix::identity(size(d)),
            Node::Random { factor, transposed } => self.factor((factor, transposed)),
            Node::Fixed(letter) => {
                let fixed = &self.program.declarations.fixed[letter.matrix];
                let dimension = &self.program.declarations.dimensions[fixed.shape.0];
                let matrix = self.binder.dense(letter)?;
                match &dimension.weights {
                    None => matrix.map(F::from_number),
                    Some(weights) => {
                        let atoms = allocate(weights, dimension.size);
                        Matrix::from_fn(dimension.size, dimension.size, |i, j| {
                            let x = matrix.at(atoms[i], atoms[i]);
                            if i == j { F::from_number(x) } else { F::ZERO }
                        })
                    }
                }
            }
            Node::Product(items) => self.product(&items)?,
            Node::Sum(terms) => {
                let mut sum = Matrix::zeros(size(rows), size(columns));
                for (c, part) in terms {
                    let part = self.matrix(part)?;
                    sum.add_block(0, 0, self.values.at(c), &part);
                }
                sum
            }
            Node::Inverse(inner) => {
                let matrix = self.matrix(inner)?;
                F::invert(&matrix).ok_or_else(|| {
                    let text = self.program.show(inner);
                    Error::invalid("expression", format!("inv({text}) is singular in a draw"))
                })?
            }
        };
        self.known.insert(id, out.clone());
        Ok(out)
    }
}

/// U diag(eigenvalues) Uᵀ with a Haar-distributed orthogonal U, the orthogonal factor of a Gaussian
/// matrix. (The signs of its columns, which a QR decomposition fixes, cancel.)
fn rotated(eigenvalues: &[(f64, usize)], rng: &mut impl Rng) -> Result<Matrix<f64>> {
    let values: Vec<f64> =
        eigenvalues.iter().flat_map(|(x, count)| std::iter::repeat_n(*x, *count)).collect();
    let n = values.len();
    let gaussian: Matrix<f64> = Matrix::from_fn(n, n, |_, _| StandardNormal.sample(rng));
    let u = Matrix::from_faer(&gaussian.to_faer().qr().compute_Q());
    let scaled = Matrix::from_fn(n, n, |i, j| u.at(i, j) * values[j]);
    Ok(scaled.product(&u.transposed()))
}

/// An atom for each of `size` positions, in proportion to the weights (largest remainders).
fn allocate(weights: &[f64], size: usize) -> Vec<usize> {
    let mut counts: Vec<usize> = weights.iter().map(|w| (w * size as f64) as usize).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    let remainder = |a: usize| weights[a] * size as f64 - counts[a] as f64;
    order.sort_by(|a, b| remainder(*b).total_cmp(&remainder(*a)));
    let missing = size.saturating_sub(counts.iter().sum());
    for a in order.iter().cycle().take(missing) {
        counts[*a] += 1;
    }
    counts.iter().enumerate().flat_map(|(a, n)| std::iter::repeat_n(a, *n)).collect()
}
