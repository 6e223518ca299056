//! Types: a syntax tree and its declarations become scalar formulas and matrix nodes.
//!
//! Shapes are pairs of dimension *names*; two dimensions of one size are different.

use crate::error::{Error, Place, Result, Span};
use crate::formula::{Formulas, Scalar, Symbol};
use crate::input::{Concrete, Problem, RandomKind};
use crate::nodes::{Combination, Leaves, Letter, Node, NodeId, Nodes, Shape, TooLarge};
use crate::syntax::{Ast, AstKind, is_name, parse};
use num_complex::Complex64;
use rmt_task::nearest;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const FUNCTIONS: [&str; 5] = ["inv", "I", "sqrt", "tr", "Tr"];
/// Largest integer power of a matrix that is no power of a symmetric one.
const MAX_POWER: f64 = 64.0;
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
    pub(crate) variance: Scalar,
    pub(crate) kind: RandomKind,
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
        self.random[factor].kind == RandomKind::Goe
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

/// Checks the declarations; also returns the possible shapes of every deterministic matrix.
fn declare(problem: &Problem, formulas: &mut Formulas) -> Result<(Declarations, Vec<Vec<Shape>>)> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let groups: [(&str, Vec<&String>); 4] = [
        ("dims", problem.dims.keys().collect()),
        ("parameters", problem.parameters.keys().collect()),
        ("random", problem.random.keys().collect()),
        ("deterministic", problem.deterministic.keys().collect()),
    ];
    for (group, keys) in &groups {
        for key in keys {
            let at = format!("{group}.{key}");
            if !is_name(key) || FUNCTIONS.contains(&key.as_str()) {
                let message = "not usable as a name; start with a letter, go on with letters, \
                               digits and _, and avoid inv, I, sqrt, tr, Tr";
                return Err(Error::invalid(at, message));
            }
            if let Some(other) = seen.insert(key, group) {
                return Err(Error::invalid(at, format!("also declared in `{other}`; rename one")));
            }
        }
    }
    let mut dimensions = Vec::new();
    for (name, &size) in &problem.dims {
        if size == 0 {
            return Err(Error::invalid(format!("dims.{name}"), "the size is 0; give at least 1"));
        }
        let weights = match problem.dimension_weights.get(name) {
            None => None,
            Some(modes) => Some(weights(name, modes)?),
        };
        dimensions.push(Dimension { name: name.clone(), size, weights });
    }
    let dimension = |key: String, name: &str| {
        dimensions.iter().position(|d| d.name == name).ok_or_else(|| {
            let known: Vec<&str> = dimensions.iter().map(|d| d.name.as_str()).collect();
            Error::invalid(
                key,
                format!("`{name}` is not in `dims`; declared are {}", known.join(", ")),
            )
        })
    };
    for name in problem.dimension_weights.keys() {
        dimension("dimension_weights".to_owned(), name)?;
    }
    let mut parameters = Vec::new();
    for (name, value) in &problem.parameters {
        if !(value.0.re.is_finite() && value.0.im.is_finite()) {
            let message = format!("{} is not a finite number", value.0);
            return Err(Error::invalid(format!("parameters.{name}"), message));
        }
        parameters.push((name.clone(), value.0));
    }
    let mut random = Vec::new();
    for (name, r) in &problem.random {
        let key = format!("random.{name}");
        let shape = (
            dimension(format!("{key}.rows"), &r.rows)?,
            dimension(format!("{key}.cols"), &r.cols)?,
        );
        if r.kind == RandomKind::Goe && shape.0 != shape.1 {
            let message = format!("a symmetric matrix is square, not {}×{}", r.rows, r.cols);
            return Err(Error::invalid(key, message));
        }
        random.push(RandomMatrix {
            name: name.clone(),
            shape,
            variance: Formulas::ONE,
            kind: r.kind,
        });
    }
    let mut fixed = Vec::new();
    let mut options = Vec::new();
    for (name, input) in &problem.deterministic {
        let key = format!("deterministic.{name}");
        let entries = input.concrete(&key)?;
        let fitting = fitting_shapes(&entries, &dimensions);
        let stated = match problem.deterministic_shapes.get(name) {
            None => None,
            Some([r, c]) => {
                let at = format!("deterministic_shapes.{name}");
                Some((dimension(at.clone(), r)?, dimension(at, c)?))
            }
        };
        let (rows, columns) = entries.size();
        let sizes: Vec<String> =
            dimensions.iter().map(|d| format!("{} = {}", d.name, d.atoms())).collect();
        let fitting = match stated {
            Some(shape) if fitting.contains(&shape) => vec![shape],
            Some(_) => {
                let message = format!(
                    "`{name}` is {rows}×{columns}, which does not fit the stated dimensions; sizes \
                     are {}",
                    sizes.join(", ")
                );
                return Err(Error::invalid(format!("deterministic_shapes.{name}"), message));
            }
            None if fitting.is_empty() => {
                let what = match entries {
                    Concrete::Diagonal(_) => format!("has {rows} entries"),
                    _ => format!("is {rows}×{columns}"),
                };
                let message = format!(
                    "{what}, but no dimension has that size; sizes are {}",
                    sizes.join(", ")
                );
                return Err(Error::invalid(key, message));
            }
            None => fitting,
        };
        fixed.push(FixedMatrix {
            name: name.clone(),
            shape: fitting[0],
            entries: Arc::new(entries),
        });
        options.push(fitting);
    }
    if let Some(name) =
        problem.deterministic_shapes.keys().find(|n| !problem.deterministic.contains_key(*n))
    {
        let message = "no deterministic matrix of that name";
        return Err(Error::invalid(format!("deterministic_shapes.{name}"), message));
    }
    let mut declarations = Declarations { dimensions, parameters, random, fixed };
    for (index, (name, r)) in problem.random.iter().enumerate() {
        let key = format!("random.{name}.variance");
        let ast = parse(&key, &r.variance.0)?;
        let mut typer = Typer::new(declarations.clone(), formulas.clone(), &key, &r.variance.0);
        let Typed::Scalar(variance) = typer.typed(&ast)? else {
            return Err(typer.shape(ast.span, "a variance is a number, this is a matrix"));
        };
        if !typer.traces.is_empty() {
            return Err(typer.shape(ast.span, "a variance cannot depend on a trace"));
        }
        *formulas = typer.formulas;
        let value = formulas.evaluate(|s| declarations.leaf(s), 0).at(variance);
        if !(value.re > 0.0 && value.re.is_finite() && value.im == 0.0) {
            let place = Place { key, text: r.variance.0.clone(), span: ast.span };
            let value = if value.im == 0.0 { value.re.to_string() } else { value.to_string() };
            let message =
                format!("the variance of `{name}` is {value}; it must be positive and finite");
            return Err(Error::InvalidText { place, message });
        }
        declarations.random[index].variance = variance;
    }
    Ok((declarations, options))
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

fn weights(name: &str, modes: &rmt_core::Modes) -> Result<Vec<f64>> {
    let key = format!("dimension_weights.{name}");
    let values =
        modes.values("values").map_err(|e| Error::invalid(key.clone(), e.to_string()))?.values;
    let total: f64 = values.iter().sum();
    if total <= 0.0 {
        return Err(Error::invalid(key, "the weights are all zero; give at least one positive"));
    }
    Ok(values.iter().map(|w| w / total).collect())
}

fn fitting_shapes(entries: &Concrete, dimensions: &[Dimension]) -> Vec<Shape> {
    let (rows, columns) = entries.size();
    let all = 0..dimensions.len();
    match entries {
        Concrete::Diagonal(_) => {
            all.filter(|d| dimensions[*d].atoms() == rows).map(|d| (d, d)).collect()
        }
        Concrete::Symmetric(_) | Concrete::General(_) => {
            let fits =
                |d: usize, size| dimensions[d].size == size && dimensions[d].weights.is_none();
            all.clone()
                .flat_map(|r| all.clone().map(move |c| (r, c)))
                .filter(|(r, c)| fits(*r, rows) && fits(*c, columns))
                // A symmetric matrix is square in names, too.
                .filter(|(r, c)| r == c || matches!(entries, Concrete::General(_)))
                .collect()
        }
    }
}

fn shape_name(declarations: &Declarations, (r, c): Shape) -> String {
    format!("{}×{}", declarations.dimensions[r].name, declarations.dimensions[c].name)
}

#[derive(Clone, Debug)]
enum Typed {
    Scalar(Scalar),
    Matrix(Combination),
}

struct Typer<'a> {
    declarations: Declarations,
    formulas: Formulas,
    nodes: Nodes,
    traces: Vec<NodeId>,
    key: &'a str,
    text: &'a str,
}

impl<'a> Typer<'a> {
    fn new(declarations: Declarations, formulas: Formulas, key: &'a str, text: &'a str) -> Self {
        Self { declarations, formulas, nodes: Nodes::default(), traces: Vec::new(), key, text }
    }

    fn program(mut self, ast: &Ast) -> Result<Program> {
        match self.typed(ast)? {
            Typed::Scalar(root) => Ok(Program {
                declarations: self.declarations,
                formulas: self.formulas,
                nodes: self.nodes,
                traces: self.traces,
                root,
            }),
            Typed::Matrix(m) => {
                let message = format!(
                    "the expression is a matrix ({}), but a value is a number; wrap it in tr(…) or \
                     Tr(…)",
                    self.name(m.shape)
                );
                Err(self.shape(ast.span, message))
            }
        }
    }

    fn place(&self, span: Span) -> Place {
        Place { key: self.key.to_owned(), text: self.text.to_owned(), span }
    }

    fn shape(&self, span: Span, message: impl Into<String>) -> Error {
        Error::Shape { place: self.place(span), message: message.into() }
    }

    fn name(&self, shape: Shape) -> String {
        shape_name(&self.declarations, shape)
    }

    fn large(&self, span: Span) -> impl Fn(TooLarge) -> Error + Clone + use<> {
        let place = self.place(span);
        move |TooLarge| Error::InvalidText {
            place: place.clone(),
            message: "the expression is too large once written out; split it".to_owned(),
        }
    }

    fn typed(&mut self, ast: &Ast) -> Result<Typed> {
        match &ast.kind {
            AstKind::Number(x) => Ok(Typed::Scalar(self.formulas.number(*x))),
            AstKind::Name(name) => self.named(name, ast.span),
            AstKind::Call(function, at, argument) => self.call(function, *at, argument, ast.span),
            AstKind::Sum(items) => self.sum(items),
            AstKind::Product(items) => self.product(items, ast.span),
            AstKind::Power(base, exponent) => self.power(base, exponent, ast.span),
            AstKind::Negative(inner) => Ok(match self.typed(inner)? {
                Typed::Scalar(s) => Typed::Scalar(self.formulas.negate(s)),
                Typed::Matrix(m) => {
                    let minus = self.formulas.number(-1.0);
                    Typed::Matrix(self.nodes.add(&mut self.formulas, &[(minus, m)]))
                }
            }),
            AstKind::Transpose(inner) => match self.typed(inner)? {
                Typed::Scalar(_) => {
                    Err(self.shape(ast.span, "a number has no transpose; remove the '"))
                }
                Typed::Matrix(m) => {
                    let mut terms = Vec::with_capacity(m.terms.len());
                    for (c, id) in m.terms {
                        let turned = self.nodes.transpose(&self.declarations, id);
                        terms.push((c, turned.map_err(self.large(ast.span))?));
                    }
                    Ok(Typed::Matrix(Combination { shape: (m.shape.1, m.shape.0), terms }))
                }
            },
        }
    }

    fn named(&mut self, name: &str, span: Span) -> Result<Typed> {
        let d = &self.declarations;
        let one = |id: Result<NodeId, TooLarge>, typer: &Self| {
            let id = id.map_err(typer.large(span))?;
            let shape = typer.nodes.shape(id);
            Ok(Typed::Matrix(Combination { shape, terms: vec![(Formulas::ONE, id)] }))
        };
        if let Some(i) = d.parameters.iter().position(|(n, _)| n == name) {
            return Ok(Typed::Scalar(self.formulas.symbol(Symbol::Parameter(i))));
        }
        if let Some(i) = d.dimensions.iter().position(|d| d.name == name) {
            return Ok(Typed::Scalar(self.formulas.symbol(Symbol::Dimension(i))));
        }
        if let Some(i) = d.random.iter().position(|r| r.name == name) {
            let id = self.nodes.random(&self.declarations, i, false);
            return one(id, self);
        }
        if let Some(i) = d.fixed.iter().position(|f| f.name == name) {
            let id = self.nodes.fixed(&self.declarations, Letter::new(i, 1.0, false));
            return one(id, self);
        }
        let known: Vec<&str> = d
            .dimensions
            .iter()
            .map(|d| d.name.as_str())
            .chain(d.parameters.iter().map(|(n, _)| n.as_str()))
            .chain(d.random.iter().map(|r| r.name.as_str()))
            .chain(d.fixed.iter().map(|f| f.name.as_str()))
            .collect();
        let message = if FUNCTIONS.contains(&name) {
            format!("`{name}` is a function; give its argument in brackets, as in {name}(…)")
        } else {
            self.unknown("name", name, &known)
        };
        Err(Error::UnknownName { place: self.place(span), message })
    }

    fn unknown(&self, what: &str, name: &str, known: &[&str]) -> String {
        let hint = nearest(name, known.iter().copied())
            .map(|k| format!("; did you mean `{k}`?"))
            .unwrap_or_default();
        format!("unknown {what} `{name}`, declared are {}{hint}", known.join(", "))
    }

    fn call(&mut self, function: &str, at: Span, argument: &Ast, span: Span) -> Result<Typed> {
        if !FUNCTIONS.contains(&function) {
            let message = if let Ok(Typed::Matrix(_) | Typed::Scalar(_)) = self.named(function, at)
            {
                format!("`{function}` is not a function; write the product as {function}*(…)")
            } else {
                self.unknown("function", function, &FUNCTIONS)
            };
            return Err(Error::UnknownName { place: self.place(at), message });
        }
        if function == "I" {
            let AstKind::Name(name) = &argument.kind else {
                let message = "I takes the name of a dimension, as in I(p)";
                return Err(self.shape(argument.span, message));
            };
            let dimensions = &self.declarations.dimensions;
            let Some(d) = dimensions.iter().position(|d| d.name == *name) else {
                let known: Vec<&str> = dimensions.iter().map(|d| d.name.as_str()).collect();
                let message = self.unknown("dimension", name, &known);
                return Err(Error::UnknownName { place: self.place(argument.span), message });
            };
            let id = self.nodes.identity(d).map_err(self.large(span))?;
            return Ok(Typed::Matrix(Combination {
                shape: (d, d),
                terms: vec![(Formulas::ONE, id)],
            }));
        }
        let value = self.typed(argument)?;
        match (function, value) {
            ("sqrt", Typed::Scalar(s)) => {
                let half = self.formulas.number(0.5);
                Ok(Typed::Scalar(self.formulas.power(s, half)))
            }
            ("sqrt", Typed::Matrix(m)) => self.matrix_power(&m, 0.5, argument.span),
            (_, Typed::Scalar(_)) => {
                let remedy = if function == "inv" { "write 1/x for a number" } else { "remove it" };
                let message =
                    format!("{function} takes a square matrix, this is a number; {remedy}");
                Err(self.shape(argument.span, message))
            }
            (_, Typed::Matrix(m)) if m.shape.0 != m.shape.1 => {
                let message =
                    format!("{function} takes a square matrix, this one is {}", self.name(m.shape));
                Err(self.shape(argument.span, message))
            }
            ("inv", Typed::Matrix(m)) => Ok(Typed::Matrix(self.invert(&m, argument.span)?)),
            (_, Typed::Matrix(m)) => {
                let mut sum = Vec::with_capacity(m.terms.len());
                for (c, id) in &m.terms {
                    let known = self.traces.iter().position(|t| t == id);
                    let index = known.unwrap_or(self.traces.len());
                    if known.is_none() {
                        self.traces.push(*id);
                    }
                    let trace = self.formulas.symbol(Symbol::Trace(index));
                    sum.push(self.formulas.multiply(*c, trace));
                }
                let total = self.formulas.sum(&sum);
                if function == "Tr" {
                    return Ok(Typed::Scalar(total));
                }
                let size = self.formulas.symbol(Symbol::Dimension(m.shape.0));
                Ok(Typed::Scalar(self.formulas.divide(total, size)))
            }
        }
    }

    fn invert(&mut self, m: &Combination, span: Span) -> Result<Combination> {
        let large = self.large(span);
        match self.nodes.single(m).map_err(&large)? {
            None => Err(Error::NotCertified {
                subject: "the inverse of a zero matrix".to_owned(),
                reason: "the argument of inv cancels to zero".to_owned(),
            }),
            Some(term) => {
                self.nodes.inverse(&self.declarations, &mut self.formulas, term).map_err(large)
            }
        }
    }

    fn sum(&mut self, items: &[(bool, Ast)]) -> Result<Typed> {
        let mut scalars = Vec::new();
        let mut parts: Vec<(Scalar, Combination)> = Vec::new();
        let mut first: Option<(bool, Span)> = None;
        for (negative, item) in items {
            let value = self.typed(item)?;
            let is_matrix = matches!(value, Typed::Matrix(_));
            if let Some((matrix, _)) = first
                && matrix != is_matrix
            {
                let shape = match (&value, parts.first()) {
                    (Typed::Matrix(m), _) | (_, Some((_, m))) => m.shape,
                    _ => (0, 0),
                };
                let message = format!(
                    "a matrix ({}) and a number cannot be added; write lam*I({}) for a multiple of \
                     the identity",
                    self.name(shape),
                    self.declarations.dimensions[shape.0].name
                );
                return Err(self.shape(item.span, message));
            }
            first.get_or_insert((is_matrix, item.span));
            let sign = if *negative { self.formulas.number(-1.0) } else { Formulas::ONE };
            match value {
                Typed::Scalar(s) => scalars.push(self.formulas.multiply(sign, s)),
                Typed::Matrix(m) => {
                    if let Some((_, other)) = parts.first()
                        && other.shape != m.shape
                    {
                        let message = format!(
                            "cannot add {} to {}; shapes are compared by dimension name",
                            self.name(m.shape),
                            self.name(other.shape)
                        );
                        return Err(self.shape(item.span, message));
                    }
                    parts.push((sign, m));
                }
            }
        }
        if parts.is_empty() {
            return Ok(Typed::Scalar(self.formulas.sum(&scalars)));
        }
        Ok(Typed::Matrix(self.nodes.add(&mut self.formulas, &parts)))
    }

    fn product(&mut self, items: &[(bool, Ast)], span: Span) -> Result<Typed> {
        let (mut above, mut below) = (Vec::new(), Vec::new());
        let mut parts: Vec<Combination> = Vec::new();
        for (divide, item) in items {
            match (self.typed(item)?, divide) {
                (Typed::Scalar(s), false) => above.push(s),
                (Typed::Scalar(s), true) => below.push(s),
                (Typed::Matrix(m), true) => {
                    let message = format!(
                        "cannot divide by a matrix ({}); multiply by inv(…) on the intended side",
                        self.name(m.shape)
                    );
                    return Err(self.shape(item.span, message));
                }
                (Typed::Matrix(m), false) => {
                    if let Some(last) = parts.last()
                        && last.shape.1 != m.shape.0
                    {
                        let message = format!(
                            "cannot multiply {} by {}; shapes are compared by dimension name",
                            self.name(last.shape),
                            self.name(m.shape)
                        );
                        return Err(self.shape(item.span, message));
                    }
                    parts.push(m);
                }
            }
        }
        let above = self.formulas.product(&above);
        let below = self.formulas.product(&below);
        let scalar = self.formulas.divide(above, below);
        if parts.is_empty() {
            return Ok(Typed::Scalar(scalar));
        }
        let large = self.large(span);
        let product =
            self.nodes.multiply(&self.declarations, &mut self.formulas, &parts).map_err(large)?;
        Ok(Typed::Matrix(self.nodes.add(&mut self.formulas, &[(scalar, product)])))
    }

    fn power(&mut self, base: &Ast, exponent: &Ast, span: Span) -> Result<Typed> {
        let value = self.typed(base)?;
        let Typed::Scalar(power) = self.typed(exponent)? else {
            return Err(self.shape(exponent.span, "an exponent is a number, this is a matrix"));
        };
        match value {
            Typed::Scalar(s) => Ok(Typed::Scalar(self.formulas.power(s, power))),
            Typed::Matrix(m) => match self.formulas.literal(power) {
                Some(power) if power.is_finite() => self.matrix_power(&m, power, span),
                _ => {
                    let message = "the exponent of a matrix is a plain number, such as 2 or -0.5";
                    Err(self.shape(exponent.span, message))
                }
            },
        }
    }

    fn matrix_power(&mut self, m: &Combination, power: f64, span: Span) -> Result<Typed> {
        if m.shape.0 != m.shape.1 {
            let message =
                format!("only square matrices have powers, this is {}", self.name(m.shape));
            return Err(self.shape(span, message));
        }
        let large = self.large(span);
        let single = self.nodes.single(m).map_err(&large)?;
        if let Some((c, id)) = single {
            let symmetric = match *self.nodes.node(id) {
                Node::Fixed(l) if self.declarations.fixed_symmetric(l.matrix) => {
                    let letter = Letter::new(l.matrix, l.power() * power, false);
                    Some(self.nodes.fixed(&self.declarations, letter).map_err(&large)?)
                }
                Node::Identity(_) => Some(id),
                _ => None,
            };
            if let Some(id) = symmetric {
                let exponent = self.formulas.number(power);
                let c = self.formulas.power(c, exponent);
                return Ok(Typed::Matrix(Combination { shape: m.shape, terms: vec![(c, id)] }));
            }
        }
        if power.fract() != 0.0 {
            let message = format!(
                "the power {power} is defined for a deterministic symmetric matrix only; random \
                 matrices and sums have whole powers"
            );
            return Err(self.shape(span, message));
        }
        if power.abs() > MAX_POWER {
            let message = format!("the power {power} is beyond ±{MAX_POWER}");
            return Err(Error::InvalidText { place: self.place(span), message });
        }
        let base = if power < 0.0 { self.invert(m, span)? } else { m.clone() };
        let count = power.abs() as usize;
        if count == 0 {
            let id = self.nodes.identity(m.shape.0).map_err(large)?;
            return Ok(Typed::Matrix(Combination {
                shape: m.shape,
                terms: vec![(Formulas::ONE, id)],
            }));
        }
        let parts = vec![base; count];
        let product = self.nodes.multiply(&self.declarations, &mut self.formulas, &parts);
        Ok(Typed::Matrix(product.map_err(large)?))
    }
}
