//! The reduced Dyson system as formulas: one equation for each unknown, in the order in which to
//! solve them.

use super::inverse::inverse;
use super::polynomial::{Polynomial, UNIT, Var, letter};
use super::ratio::{Bases, Ratio};
use crate::error::{Error, Result};
use crate::formula::{Operation, Scalar};
use crate::model::{Model, TraceModel};
use crate::pencil::{Pencil, WordId};
use crate::structure::Evaluation;
use std::collections::{BTreeMap, HashMap};

/// Why a rotated matrix has no system in symbols.
pub(super) const NO_SYMBOLS: &str =
    "the R-transform of a haar matrix has no closed form in symbols";

/// What a ratio is summed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Over {
    /// Nothing: the size of the dimension is a factor already.
    Nothing,
    /// The eigenvalues of a dimension.
    Modes(usize),
}

/// Σ of traces of ratios.
pub(crate) type Side = Vec<(Over, Ratio)>;

/// A trace of a block of the inverse of a matrix that does not commute with its own entries, or that
/// is too large to invert in symbols.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BlockTrace {
    /// Index of the matrix in [`System::matrices`].
    pub(crate) matrix: usize,
    /// Scalar in front.
    pub(crate) coefficient: Polynomial,
    pub(crate) right: Word,
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) left: Word,
}

/// A product of deterministic matrices, in order.
pub(crate) type Word = Vec<crate::nodes::Letter>;

/// F − η of a dense group: entries (row, column, coefficient, word).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BlockMatrix {
    /// Dimension of each block.
    pub(crate) blocks: Vec<usize>,
    pub(crate) entries: Vec<(usize, usize, Polynomial, Word)>,
}

/// The right side of an equation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Body {
    pub(crate) side: Side,
    pub(crate) blocks: Vec<BlockTrace>,
}

/// u = body.
#[derive(Clone, Debug)]
pub(crate) struct Equation {
    pub(crate) body: Body,
    /// The entries of the pencil between which it is: (trace, t, s).
    pub(crate) meaning: (usize, usize, usize),
}

/// Unknowns to be solved together.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) unknowns: Vec<usize>,
    pub(crate) affine: bool,
}

/// All equations of a model; unknown k is `Var::Unknown(k)`.
#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) bases: Bases,
    pub(crate) matrices: Vec<BlockMatrix>,
    pub(crate) equations: Vec<Equation>,
    pub(crate) stages: Vec<Stage>,
    /// Each trace of the expression.
    pub(crate) traces: Vec<Body>,
}

struct Builder<'a> {
    model: &'a Model,
    bases: Bases,
    matrices: Vec<BlockMatrix>,
    polynomials: HashMap<Scalar, Polynomial>,
}

impl Model {
    /// Name of a rotated matrix that occurs.
    pub(super) fn rotated(&self) -> Option<&str> {
        let matrix = self.traces.iter().find_map(|t| t.structure.rotated.first())?;
        Some(&self.program.declarations.random[matrix.factor].name)
    }
}

impl System {
    /// The system of a model.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if a rotated matrix occurs.
    pub(crate) fn new(model: &Model) -> Result<Self> {
        if let Some(name) = model.rotated() {
            let message =
                format!("{NO_SYMBOLS}; value, curve, derivative and simulation need none");
            return Err(Error::invalid(format!("random.{name}"), message));
        }
        let mut builder = Builder {
            model,
            bases: Bases::default(),
            matrices: Vec::new(),
            polynomials: HashMap::new(),
        };
        // Unknowns in the order in which they are solved; shared ones once.
        let mut number: HashMap<usize, usize> = HashMap::new();
        let mut stages = Vec::new();
        let mut sources = Vec::new();
        for (index, trace) in model.traces.iter().enumerate() {
            for component in &trace.reduction.components {
                let mut unknowns = Vec::new();
                for local in &component.unknowns {
                    let next = number.len();
                    let shared = trace.reduction.shared[*local];
                    let k = *number.entry(shared).or_insert(next);
                    if k == next {
                        sources.push((index, *local));
                        unknowns.push(k);
                    }
                }
                if !unknowns.is_empty() {
                    stages.push(Stage { unknowns, affine: component.affine });
                }
            }
        }
        let mut equations: Vec<Option<Equation>> = vec![None; sources.len()];
        let mut traces = Vec::with_capacity(model.traces.len());
        for (index, trace) in model.traces.iter().enumerate() {
            let names: Vec<usize> =
                trace.reduction.shared.iter().map(|shared| number[shared]).collect();
            let wanted: Vec<(usize, usize)> = sources
                .iter()
                .enumerate()
                .filter(|(_, (t, _))| *t == index)
                .map(|(k, (_, local))| (k, *local))
                .collect();
            let (solved, value) = builder.trace(trace, &names, &wanted);
            for ((k, local), body) in wanted.iter().zip(solved) {
                let pair = trace.reduction.classes.representatives[*local];
                let (t, s) = trace.structure.pairs[pair];
                equations[*k] = Some(Equation { body, meaning: (index, t, s) });
            }
            traces.push(value);
        }
        let equations = equations.into_iter().flatten().collect();
        let Builder { bases, matrices, .. } = builder;
        Ok(Self { bases, matrices, equations, stages, traces })
    }
}

impl Builder<'_> {
    /// A formula as a polynomial in parameters and sizes, whole where it is none.
    fn polynomial(&mut self, of: Scalar) -> Polynomial {
        if let Some(known) = self.polynomials.get(&of) {
            return known.clone();
        }
        let whole = Polynomial::variable(Var::Formula(of), UNIT);
        let formulas = &self.model.program.formulas;
        let out = match formulas.operation(of) {
            Operation::Number(bits) => Polynomial::constant(f64::from_bits(bits)),
            Operation::Symbol(_) | Operation::Logarithm(_) => whole,
            Operation::Add(a, b) => self.polynomial(a).add(&self.polynomial(b), 1.0),
            Operation::Multiply(a, b) => {
                let (a, b) = (self.polynomial(a), self.polynomial(b));
                a.multiply(&b).unwrap_or(whole)
            }
            Operation::Divide(a, b) => {
                let (top, below) = (self.polynomial(a), self.polynomial(b));
                let back = match below.monomial() {
                    Some((c, m)) => {
                        let m = m.iter().map(|(v, e)| (*v, -e)).collect();
                        Polynomial::term(1.0 / c, m)
                    }
                    None => Polynomial::variable(Var::Formula(b), -UNIT),
                };
                top.multiply(&back).unwrap_or(whole)
            }
            Operation::Power(a, b) => {
                let exponent = formulas.literal(b).map(|e| e * UNIT as f64);
                let base = self.polynomial(a);
                match (base.monomial(), exponent) {
                    (Some((c, m)), Some(e)) if e.fract() == 0.0 && c > 0.0 => {
                        let exact = m.iter().all(|(_, x)| x * e as i64 % UNIT == 0);
                        let m = m.iter().map(|(v, x)| (*v, x * e as i64 / UNIT)).collect();
                        if exact { Polynomial::term(c.powf(e / UNIT as f64), m) } else { whole }
                    }
                    _ => whole,
                }
            }
        };
        self.polynomials.insert(of, out.clone());
        out
    }

    fn word(pencil: &Pencil, word: WordId) -> Polynomial {
        pencil.words.letters(word).iter().fold(Polynomial::constant(1.0), |p, l| {
            // A product of monomials is one term.
            p.multiply(&letter(*l)).unwrap_or(p)
        })
    }

    /// Equations of the wanted unknowns (name, class) of a trace, and the trace itself.
    fn trace(
        &mut self,
        trace: &TraceModel,
        names: &[usize],
        wanted: &[(usize, usize)],
    ) -> (Vec<Body>, Body) {
        let TraceModel { pencil, structure, reduction, .. } = trace;
        let variance: Vec<Scalar> = pencil
            .random
            .iter()
            .map(|e| self.model.program.declarations.random[e.occurrence.0].variance)
            .collect();
        // c·Tr(right · G[row, column] · left), as the pencil has it.
        type Item = (Polynomial, WordId, usize, usize, WordId);
        let items: Vec<Item> = wanted
            .iter()
            .map(|(_, class)| {
                let (t, s) = structure.pairs[reduction.classes.representatives[*class]];
                let (t, s) = (&pencil.random[t], &pencil.random[s]);
                (Polynomial::constant(1.0), t.right, t.column, s.row, s.left)
            })
            .collect();
        let mut ports: Vec<Item> = Vec::new();
        for out in &pencil.output {
            for input in &pencil.input {
                if structure.place[out.block].0 == structure.place[input.block].0 {
                    let c = self.polynomial(out.coefficient);
                    let c = c.multiply(&self.polynomial(input.coefficient)).unwrap_or(c);
                    ports.push((c, out.word, out.block, input.block, input.word));
                }
            }
        }
        let mut bodies = vec![Body { side: Vec::new(), blocks: Vec::new() }; items.len()];
        let mut value = Body { side: Vec::new(), blocks: Vec::new() };
        for (index, group) in structure.groups.iter().enumerate() {
            let here = |item: &&Item| structure.place[item.2].0 == index;
            if !items.iter().chain(&ports).any(|i| here(&i)) {
                continue;
            }
            let k = group.blocks.len();
            let local = |block: usize| structure.place[block].1;
            let mut entries: Vec<(usize, usize, Polynomial, [WordId; 2])> = Vec::new();
            for e in pencil.fixed.iter().filter(|e| structure.place[e.row].0 == index) {
                let c = self.polynomial(e.coefficient);
                entries.push((local(e.row), local(e.column), c, [e.word, 0]));
            }
            for (pair, (t, s)) in structure.pairs.iter().enumerate() {
                let Some(class) = reduction.classes.of[pair] else { continue };
                let (a, b) = (&pencil.random[*t], &pencil.random[*s]);
                if structure.place[a.row].0 != index {
                    continue;
                }
                let u = Polynomial::variable(Var::Unknown(names[class]), UNIT);
                let parts = [a.coefficient, b.coefficient, variance[*t]];
                let c = parts.iter().fold(u, |c, part| {
                    let part = self.polynomial(*part);
                    c.multiply(&part).unwrap_or(c)
                });
                let c = Polynomial::default().add(&c, -1.0);
                entries.push((local(a.row), local(b.column), c, [a.left, b.right]));
            }
            let solved = if group.evaluation == Evaluation::Dense {
                None
            } else {
                let mut m = vec![vec![Polynomial::default(); k]; k];
                for (i, j, c, words) in &entries {
                    let word = words
                        .iter()
                        .try_fold(c.clone(), |c, w| c.multiply(&Self::word(pencil, *w)));
                    m[*i][*j] = m[*i][*j].add(&word.unwrap_or_default(), 1.0);
                }
                let all: Vec<(usize, usize)> = items
                    .iter()
                    .chain(&ports)
                    .filter(here)
                    .map(|item| (local(item.2), local(item.3)))
                    .collect();
                inverse(&m, &all, &mut self.bases)
            };
            let Some(solved) = solved else {
                self.block_traces(trace, index, &entries, &items, &ports, &mut bodies, &mut value);
                continue;
            };
            let over = |builder: &Self| {
                let dimension = group.dimensions[0];
                if group.evaluation == Evaluation::Scalar {
                    (Over::Nothing, builder.size(dimension))
                } else {
                    (Over::Modes(dimension), Polynomial::constant(1.0))
                }
            };
            for (item, body) in items.iter().zip(&mut bodies).filter(|(item, _)| here(item)) {
                let (over, size) = over(self);
                if let Some(ratio) = self.integrand(pencil, item, &solved, &local, &size) {
                    body.side.push((over, ratio));
                }
            }
            for item in ports.iter().filter(here) {
                let (over, size) = over(self);
                if let Some(ratio) = self.integrand(pencil, item, &solved, &local, &size) {
                    add_side(&mut value.side, over, ratio, &self.bases);
                }
            }
        }
        let group = &structure.groups[structure.trace_group];
        for (c, word) in &pencil.feedthrough {
            let c = self.polynomial(*c);
            let word = Self::word(pencil, *word);
            let modes = group.evaluation != Evaluation::Scalar;
            let size = self.size(pencil.dimension);
            let factor = if modes { Polynomial::constant(1.0) } else { size };
            let over = if modes { Over::Modes(pencil.dimension) } else { Over::Nothing };
            let top = c.multiply(&word).and_then(|p| p.multiply(&factor)).unwrap_or_default();
            add_side(&mut value.side, over, Ratio::polynomial(top), &self.bases);
        }
        (bodies, value)
    }

    /// The size of a dimension as a symbol.
    fn size(&self, dimension: usize) -> Polynomial {
        Polynomial::variable(Var::Formula(self.model.size_symbol(dimension)), UNIT)
    }

    fn integrand(
        &self,
        pencil: &Pencil,
        (c, right, row, column, left): &(Polynomial, WordId, usize, usize, WordId),
        solved: &BTreeMap<(usize, usize), Ratio>,
        local: &impl Fn(usize) -> usize,
        size: &Polynomial,
    ) -> Option<Ratio> {
        let g = &solved[&(local(*row), local(*column))];
        let front = c
            .multiply(&Self::word(pencil, *right))?
            .multiply(&Self::word(pencil, *left))?
            .multiply(size)?;
        Ratio::polynomial(front).multiply(g, &self.bases)
    }

    /// Equations of a group that stays a matrix.
    fn block_traces(
        &mut self,
        trace: &TraceModel,
        group: usize,
        entries: &[(usize, usize, Polynomial, [WordId; 2])],
        items: &[(Polynomial, WordId, usize, usize, WordId)],
        ports: &[(Polynomial, WordId, usize, usize, WordId)],
        bodies: &mut [Body],
        value: &mut Body,
    ) {
        let TraceModel { pencil, structure, .. } = trace;
        let letters = |w: WordId| pencil.words.letters(w).to_vec();
        let blocks: Vec<usize> =
            structure.groups[group].blocks.iter().map(|b| pencil.blocks[*b]).collect();
        let mut gathered: Vec<(usize, usize, Polynomial, Word)> = Vec::new();
        for (i, j, c, [a, b]) in entries {
            let word: Word = letters(*a).into_iter().chain(letters(*b)).collect();
            match gathered.iter_mut().find(|(x, y, _, w)| (*x, *y) == (*i, *j) && *w == word) {
                Some(entry) => entry.2 = entry.2.add(c, 1.0),
                None => gathered.push((*i, *j, c.clone(), word)),
            }
        }
        let matrix = BlockMatrix { blocks, entries: gathered };
        let index = self.matrices.iter().position(|m| *m == matrix).unwrap_or_else(|| {
            self.matrices.push(matrix);
            self.matrices.len() - 1
        });
        let block = |(c, right, row, column, left): &(Polynomial, WordId, usize, usize, WordId)| {
            BlockTrace {
                matrix: index,
                coefficient: c.clone(),
                right: letters(*right),
                row: structure.place[*row].1,
                column: structure.place[*column].1,
                left: letters(*left),
            }
        };
        for (item, body) in items.iter().zip(bodies) {
            if structure.place[item.2].0 == group {
                body.blocks.push(block(item));
            }
        }
        value.blocks.extend(ports.iter().filter(|i| structure.place[i.2].0 == group).map(block));
    }
}

fn add_side(side: &mut Side, over: Over, ratio: Ratio, bases: &Bases) {
    if let Some((_, known)) = side.iter_mut().find(|(o, _)| *o == over)
        && let Some(sum) = known.add(&ratio, 1.0, bases)
    {
        *known = sum;
        return;
    }
    side.push((over, ratio));
}
