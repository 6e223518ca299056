//! Expressions and formulas as text.

use crate::formula::{Formulas, Operation, Scalar, Symbol};
use crate::nodes::{Letter, Node, NodeId};
use crate::typing::{Declarations, Program};

/// Longest text of a name for an expression in a message.
const SHORT: usize = 160;

/// How tight the outermost operator of a text binds.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Tight {
    Sum,
    Product,
    Power,
    Atom,
}

fn bracket((text, tight): (String, Tight), least: Tight) -> String {
    if tight < least { format!("({text})") } else { text }
}

/// A number as briefly as it reads back the same.
pub(crate) fn number(x: f64) -> String {
    if x != 0.0 && !(1e-4..1e15).contains(&x.abs()) { format!("{x:e}") } else { format!("{x}") }
}

impl Declarations {
    /// Name of a leaf; `trace` names traces.
    pub(crate) fn symbol_name(&self, symbol: Symbol) -> String {
        match symbol {
            Symbol::Parameter(i) => self.parameters[i].0.clone(),
            Symbol::Dimension(i) => self.dimensions[i].name.clone(),
            Symbol::Trace(i) => format!("t{}", i + 1),
        }
    }

    pub(crate) fn letter(&self, letter: Letter) -> String {
        let name = &self.fixed[letter.matrix].name;
        let turned = if letter.transposed { "'" } else { "" };
        match letter.power() {
            1.0 => format!("{name}{turned}"),
            0.5 => format!("sqrt({name})"),
            power => format!("{name}{turned}^{}", number(power)),
        }
    }

    /// A random factor.
    pub(crate) fn occurrence(&self, (factor, transposed): (usize, bool)) -> String {
        let turned = if transposed { "'" } else { "" };
        format!("{}{turned}", self.random[factor].name)
    }
}

/// A scalar formula in the language of expressions.
pub(crate) fn formula(formulas: &Formulas, declarations: &Declarations, of: Scalar) -> String {
    scalar(formulas, declarations, of).0
}

fn scalar(f: &Formulas, d: &Declarations, of: Scalar) -> (String, Tight) {
    let part = |s: Scalar, least: Tight| bracket(scalar(f, d, s), least);
    match f.operation(of) {
        Operation::Number(bits) => {
            let x = f64::from_bits(bits);
            (number(x), if x < 0.0 { Tight::Sum } else { Tight::Atom })
        }
        Operation::Symbol(symbol) => (d.symbol_name(symbol), Tight::Atom),
        Operation::Add(a, b) => {
            let right = part(b, Tight::Sum);
            let sign = if right.starts_with('-') { "" } else { "+" };
            (format!("{}{sign}{right}", part(a, Tight::Sum)), Tight::Sum)
        }
        Operation::Multiply(a, b) => {
            // A literal first.
            let (a, b) = if f.literal(b).is_some() { (b, a) } else { (a, b) };
            if f.literal(a) == Some(-1.0) {
                return (format!("-{}", part(b, Tight::Product)), Tight::Sum);
            }
            if let Some(x) = f.literal(a) {
                let tight = if x < 0.0 { Tight::Sum } else { Tight::Product };
                return (format!("{}*{}", number(x), part(b, Tight::Product)), tight);
            }
            (format!("{}*{}", part(a, Tight::Product), part(b, Tight::Product)), Tight::Product)
        }
        Operation::Divide(a, b) => {
            (format!("{}/{}", part(a, Tight::Product), part(b, Tight::Power)), Tight::Product)
        }
        Operation::Power(a, b) if f.literal(b) == Some(0.5) => {
            (format!("sqrt({})", part(a, Tight::Sum)), Tight::Atom)
        }
        Operation::Power(a, b) => {
            (format!("{}^{}", part(a, Tight::Atom), part(b, Tight::Atom)), Tight::Power)
        }
        Operation::Logarithm(a) => (format!("log({})", part(a, Tight::Sum)), Tight::Atom),
    }
}

impl Program {
    /// A node in the language of expressions, shortened where it is long.
    pub(crate) fn show(&self, id: NodeId) -> String {
        let text = self.node_text(id).0;
        if text.chars().count() <= SHORT {
            return text;
        }
        let head: String = text.chars().take(SHORT - 1).collect();
        format!("{head}…")
    }

    /// A node in full.
    pub(crate) fn show_all(&self, id: NodeId) -> String {
        self.node_text(id).0
    }

    fn node_text(&self, id: NodeId) -> (String, Tight) {
        let d = &self.declarations;
        match self.nodes.node(id) {
            Node::Identity(dimension) => {
                (format!("I({})", d.dimensions[*dimension].name), Tight::Atom)
            }
            Node::Random { factor, transposed } => {
                (d.occurrence((*factor, *transposed)), Tight::Atom)
            }
            Node::Fixed(letter) => (d.letter(*letter), Tight::Atom),
            Node::Product(items) => {
                let parts: Vec<String> =
                    items.iter().map(|i| bracket(self.node_text(*i), Tight::Product)).collect();
                (parts.join("*"), Tight::Product)
            }
            Node::Inverse(inner) => (format!("inv({})", self.node_text(*inner).0), Tight::Atom),
            Node::Sum(terms) => {
                let mut text = String::new();
                for (c, id) in terms {
                    let matrix = bracket(self.node_text(*id), Tight::Product);
                    let term = match self.formulas.literal(*c) {
                        Some(1.0) => matrix,
                        Some(-1.0) => format!("-{matrix}"),
                        _ => {
                            let c = scalar(&self.formulas, d, *c);
                            let negative = c.0.starts_with('-') && !c.0[1..].contains(['+', '-']);
                            let c = if negative { c.0 } else { bracket(c, Tight::Product) };
                            format!("{c}*{matrix}")
                        }
                    };
                    if !text.is_empty() {
                        text += if term.starts_with('-') { " - " } else { " + " };
                    }
                    text += if text.is_empty() { &term } else { term.trim_start_matches('-') };
                }
                (text, Tight::Sum)
            }
        }
    }
}
