//! Types: a syntax tree and its declarations become scalar formulas and matrix nodes.
//!
//! Shapes are pairs of dimension *names*; two dimensions of one size are different.

mod checker;
mod declare;

use crate::error::{Error, Result};
use crate::formula::{Formulas, Scalar, Symbol};
use crate::input::{Concrete, Problem, RandomKind};
use crate::nodes::{Leaves, NodeId, Nodes, Shape};
use crate::syntax::{Ast, AstKind, parse};
use checker::Typer;
use declare::declare;
use num_complex::Complex64;
use std::collections::BTreeSet;
use std::sync::Arc;

const FUNCTIONS: [&str; 5] = ["inv", "I", "sqrt", "tr", "Tr"];
/// Most assignments of dimensions that are tried.
const MAX_ASSIGNMENTS: usize = 1024;

#[derive(Clone, Debug)]
pub(crate) struct Dimension {
    pub(crate) name: String,
    pub(crate) size: usize,
    /// Weights of the joint atoms, summing to 1, if they are not equal.
    pub(crate) weights: Option<Vec<f64>>,
}

impl Dimension {
    /// Number of joint atoms.
    pub(crate) fn atoms(&self) -> usize {
        self.weights.as_ref().map_or(self.size, Vec::len)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct RandomMatrix {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// Of an entry; for a rotated matrix 1/size, the factor of its normalised traces.
    pub(crate) variance: Scalar,
    pub(crate) kind: RandomKind,
    /// Distinct eigenvalues of a rotated matrix with their multiplicities, else empty.
    pub(crate) eigenvalues: Vec<(f64, usize)>,
}

#[derive(Clone, Debug)]
pub(crate) struct FixedMatrix {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) entries: Arc<Concrete>,
}

/// Everything an expression may mention.
#[derive(Clone, Debug)]
pub(crate) struct Declarations {
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) parameters: Vec<(String, Complex64)>,
    pub(crate) random: Vec<RandomMatrix>,
    pub(crate) fixed: Vec<FixedMatrix>,
}

impl Leaves for Declarations {
    fn random_shape(&self, factor: usize) -> Shape {
        self.random[factor].shape
    }

    fn random_symmetric(&self, factor: usize) -> bool {
        self.random[factor].kind.is_symmetric()
    }

    fn fixed_shape(&self, matrix: usize) -> Shape {
        self.fixed[matrix].shape
    }

    fn fixed_symmetric(&self, matrix: usize) -> bool {
        !matches!(*self.fixed[matrix].entries, Concrete::General(_))
    }
}

/// A typed expression: a scalar formula in un-normalised traces of nodes.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) declarations: Declarations,
    pub(crate) formulas: Formulas,
    pub(crate) nodes: Nodes,
    pub(crate) traces: Vec<NodeId>,
    pub(crate) root: Scalar,
}

/// Types the expression of a problem.
pub(crate) fn compile(problem: &Problem) -> Result<Program> {
    let mut formulas = Formulas::new();
    let (declarations, options) = declare(problem, &mut formulas)?;
    let ast = parse("expression", &problem.expression)?;

    let mut used = BTreeSet::new();
    names(&ast, &mut used);
    let open: Vec<usize> = (0..options.len())
        .filter(|m| options[*m].len() > 1 && used.contains(&declarations.fixed[*m].name))
        .collect();
    let count = open.iter().try_fold(1_usize, |n, m| n.checked_mul(options[*m].len()));
    let show = |m: usize| {
        let fixed = &declarations.fixed[m];
        let shapes: Vec<String> =
            options[m].iter().map(|s| shape_name(&declarations, *s)).collect();
        format!("`{}` may be {}", fixed.name, shapes.join(" or "))
    };
    let ask = |found: &str| {
        let list: Vec<String> = open.iter().map(|m| show(*m)).collect();
        let message = format!(
            "{found}: {}; state {{\"{}\": [rows, cols]}}",
            list.join(", "),
            declarations.fixed[open[0]].name
        );
        Error::invalid("deterministic_shapes", message)
    };
    let Some(count) = count.filter(|n| *n <= MAX_ASSIGNMENTS) else {
        return Err(ask("too many assignments of dimensions to try"));
    };

    let mut found: Option<Program> = None;
    let mut first_error = None;
    for assignment in 0..count {
        let mut declarations = declarations.clone();
        let mut rest = assignment;
        for m in &open {
            declarations.fixed[*m].shape = options[*m][rest % options[*m].len()];
            rest /= options[*m].len();
        }
        let typer = Typer::new(declarations, formulas.clone(), "expression", &problem.expression);
        match (typer.program(&ast), &found) {
            (Ok(_), Some(_)) => return Err(ask("several assignments of dimensions fit")),
            (Ok(program), None) => found = Some(program),
            (Err(error), _) => {
                first_error.get_or_insert(error);
            }
        }
    }
    match (found, first_error) {
        (Some(program), _) => Ok(program),
        (None, Some(error)) => Err(error),
        (None, None) => Err(ask("no assignment of dimensions fits")),
    }
}

fn names(ast: &Ast, out: &mut BTreeSet<String>) {
    match &ast.kind {
        AstKind::Number(_) => {}
        AstKind::Name(name) => {
            out.insert(name.clone());
        }
        AstKind::Call(_, _, a) | AstKind::Transpose(a) | AstKind::Negative(a) => names(a, out),
        AstKind::Power(a, b) => {
            names(a, out);
            names(b, out);
        }
        AstKind::Sum(items) | AstKind::Product(items) => {
            items.iter().for_each(|(_, a)| names(a, out));
        }
    }
}

impl Declarations {
    /// Value of a leaf that is no trace.
    pub(crate) fn leaf(&self, symbol: Symbol) -> Complex64 {
        match symbol {
            Symbol::Parameter(i) => self.parameters[i].1,
            Symbol::Dimension(i) => Complex64::new(self.dimensions[i].size as f64, 0.0),
            Symbol::Trace(_) => Complex64::new(f64::NAN, 0.0),
        }
    }
}

fn shape_name(declarations: &Declarations, (r, c): Shape) -> String {
    format!("{}×{}", declarations.dimensions[r].name, declarations.dimensions[c].name)
}
