//! The type checker: one pass over the syntax tree.

use super::{Declarations, FUNCTIONS, Program, shape_name};
use crate::error::{Error, Place, Result, Span, declared};
use crate::formula::{Formulas, Scalar, Symbol};
use crate::nodes::{Combination, Leaves, Letter, Node, NodeId, Nodes, Shape, TooLarge};
use crate::syntax::{Ast, AstKind};
use rmt_task::nearest;

/// Largest integer power of a matrix that is no power of a symmetric one.
const MAX_POWER: f64 = 64.0;

#[derive(Clone, Debug)]
pub(super) enum Typed {
    Scalar(Scalar),
    Matrix(Combination),
}

pub(super) struct Typer<'a> {
    declarations: Declarations,
    pub(super) formulas: Formulas,
    nodes: Nodes,
    pub(super) traces: Vec<NodeId>,
    key: &'a str,
    text: &'a str,
}

impl<'a> Typer<'a> {
    pub(super) fn new(
        declarations: Declarations,
        formulas: Formulas,
        key: &'a str,
        text: &'a str,
    ) -> Self {
        Self { declarations, formulas, nodes: Nodes::default(), traces: Vec::new(), key, text }
    }

    pub(super) fn program(mut self, ast: &Ast) -> Result<Program> {
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

    pub(super) fn shape(&self, span: Span, message: impl Into<String>) -> Error {
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

    pub(super) fn typed(&mut self, ast: &Ast) -> Result<Typed> {
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
        format!("unknown {what} `{name}`, {}{hint}", declared(known))
    }

    fn call(&mut self, function: &str, at: Span, argument: &Ast, span: Span) -> Result<Typed> {
        if !FUNCTIONS.contains(&function) {
            let message = if let Ok(Typed::Matrix(_) | Typed::Scalar(_)) = self.named(function, at)
            {
                format!("`{function}` is not a function; write the product as {function}*(…)")
            } else {
                // Names of other languages that no spelling correction finds.
                let meant = match function.to_lowercase().as_str() {
                    "trace" => "did you mean `tr` (the trace over the size) or `Tr`?",
                    "inverse" | "pinv" => "did you mean `inv`?",
                    "eye" | "id" | "identity" => "did you mean `I`?",
                    "transpose" | "t" => "write the transpose of A as A'",
                    _ => "",
                };
                if meant.is_empty() {
                    self.unknown("function", function, &FUNCTIONS)
                } else {
                    format!("unknown function `{function}`; {meant}")
                }
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
