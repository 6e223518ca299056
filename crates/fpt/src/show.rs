//! Expressions and formulas as text.

use crate::formula::{Formulas, Operation, Scalar, Symbol};
use crate::nodes::{Letter, Node, NodeId};
use crate::typing::{Declarations, Program};

/// Longest text of a name for an expression in a message.
const SHORT: usize = 160;

/// A language to write formulas in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// The language of expressions.
    Text,
    /// Mathematics mode of LaTeX.
    Latex,
    /// Python with NumPy as `np`.
    Python,
    /// Rust on f64.
    Rust,
}

/// How tight the outermost operator of a text binds.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(crate) enum Tight {
    Sum,
    Product,
    Power,
    Atom,
}

/// A text with its outermost operator.
pub(crate) type Bound = (String, Tight);

const GREEK: [&str; 24] = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi",
    "omega", "lam",
];

/// Keywords that can be names of the language.
const PYTHON_WORDS: [&str; 29] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try",
];
const RUST_WORDS: [&str; 43] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type",
];

/// Whether an emitted program uses the name itself.
fn is_taken(name: &str) -> bool {
    const OWN: [&str; 24] = [
        "a", "b", "best", "f", "i", "images", "j", "jacobian", "limit", "np", "power", "ratio",
        "right", "row", "s", "settled", "size", "solve", "stalled", "start", "step", "t", "u", "w",
    ];
    const PREFIXES: [&str; 8] = ["w_", "tr_", "total_", "weights_", "t", "g", "d", "m"];
    let numbered = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit());
    OWN.contains(&name)
        || PREFIXES
            .iter()
            .any(|p| name.strip_prefix(p).is_some_and(|rest| p.ends_with('_') || numbered(rest)))
        || ["while", "with", "yield", "False", "None", "True", "Self", "unsafe", "use", "where"]
            .contains(&name)
}

impl Style {
    /// Puts brackets around what binds less tightly than `least`.
    pub(crate) fn bracket(self, (text, tight): Bound, least: Tight) -> String {
        if tight >= least {
            text
        } else if self == Style::Latex {
            format!("\\left({text}\\right)")
        } else {
            format!("({text})")
        }
    }

    /// A number that reads back the same.
    pub(crate) fn number(self, x: f64) -> Bound {
        let tight = if x < 0.0 { Tight::Sum } else { Tight::Atom };
        let text = match self {
            Style::Rust => format!("{x:?}"),
            Style::Latex if x != 0.0 && !(1e-4..1e7).contains(&x.abs()) => {
                let text = format!("{x:e}");
                let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                format!("{mantissa}\\cdot 10^{{{exponent}}}")
            }
            _ if x != 0.0 && !(1e-4..1e15).contains(&x.abs()) => format!("{x:e}"),
            _ => format!("{x}"),
        };
        (text, tight)
    }

    /// A declared name: `lam`, `s2` and `Sigma_x` become λ, s₂ and Σ_x in LaTeX.
    pub(crate) fn name(self, name: &str) -> String {
        if self != Style::Latex {
            let taken = match self {
                Style::Python => PYTHON_WORDS.contains(&name),
                Style::Rust => RUST_WORDS.contains(&name),
                Style::Text | Style::Latex => false,
            } || (self != Style::Text && is_taken(name));
            return if taken { format!("{name}_") } else { name.to_owned() };
        }
        let (stem, rest) = match name.split_once('_') {
            Some((stem, rest)) if !stem.is_empty() && !rest.is_empty() => (stem, rest),
            _ => name.split_at(name.trim_end_matches(|c: char| c.is_ascii_digit()).len()),
        };
        let lower = stem.to_lowercase();
        let stem = if stem == "lam" {
            "\\lambda".to_owned()
        } else if GREEK.contains(&lower.as_str()) {
            format!("\\{stem}")
        } else if stem.chars().count() == 1 {
            stem.to_owned()
        } else {
            format!("\\mathrm{{{}}}", stem.replace('_', "\\_"))
        };
        if rest.is_empty() {
            stem
        } else {
            format!("{stem}_{{\\mathrm{{{}}}}}", rest.replace('_', "\\_"))
        }
    }

    /// The sign between factors.
    pub(crate) fn times(self) -> &'static str {
        match self {
            Style::Latex => "\\,",
            Style::Text | Style::Python | Style::Rust => "*",
        }
    }

    pub(crate) fn fraction(self, top: Bound, below: Bound) -> Bound {
        if self == Style::Latex {
            return (format!("\\frac{{{}}}{{{}}}", top.0, below.0), Tight::Product);
        }
        let (top, below) = (self.bracket(top, Tight::Product), self.bracket(below, Tight::Power));
        (format!("{top}/{below}"), Tight::Product)
    }

    pub(crate) fn root(self, of: Bound) -> Bound {
        match self {
            Style::Text => (format!("sqrt({})", of.0), Tight::Atom),
            Style::Latex => (format!("\\sqrt{{{}}}", of.0), Tight::Atom),
            Style::Python => (format!("np.sqrt({})", of.0), Tight::Atom),
            Style::Rust => (format!("{}.sqrt()", self.bracket(of, Tight::Atom)), Tight::Atom),
        }
    }

    pub(crate) fn logarithm(self, of: Bound) -> Bound {
        match self {
            Style::Text => (format!("log({})", of.0), Tight::Atom),
            Style::Latex => (format!("\\log\\left({}\\right)", of.0), Tight::Atom),
            Style::Python => (format!("np.log({})", of.0), Tight::Atom),
            Style::Rust => (format!("{}.ln()", self.bracket(of, Tight::Atom)), Tight::Atom),
        }
    }

    /// base to a literal power.
    pub(crate) fn power(self, base: Bound, exponent: f64) -> Bound {
        if exponent == 0.5 {
            return self.root(base);
        }
        let base = self.bracket(base, Tight::Atom);
        let exponent_text = self.number(exponent).0;
        match self {
            Style::Text => (format!("{base}^{exponent_text}"), Tight::Power),
            Style::Latex => (format!("{base}^{{{exponent_text}}}"), Tight::Power),
            Style::Python => (format!("{base}**{exponent_text}"), Tight::Power),
            Style::Rust if exponent.fract() == 0.0 && exponent.abs() < 1e6 => {
                (format!("{base}.powi({exponent})"), Tight::Atom)
            }
            Style::Rust => (format!("{base}.powf({exponent_text})"), Tight::Atom),
        }
    }

    /// base to a power that is a formula.
    fn power_formula(self, base: Bound, exponent: Bound) -> Bound {
        let base = self.bracket(base, Tight::Atom);
        match self {
            Style::Latex => (format!("{base}^{{{}}}", exponent.0), Tight::Power),
            Style::Rust => (format!("{base}.powf({})", exponent.0), Tight::Atom),
            Style::Python => {
                (format!("{base}**{}", self.bracket(exponent, Tight::Atom)), Tight::Power)
            }
            Style::Text => {
                (format!("{base}^{}", self.bracket(exponent, Tight::Atom)), Tight::Power)
            }
        }
    }
}

impl Declarations {
    /// Name of a leaf; traces are t1, t2, ….
    pub(crate) fn symbol(&self, style: Style, symbol: Symbol) -> String {
        match symbol {
            Symbol::Parameter(i) => style.name(&self.parameters[i].0),
            Symbol::Dimension(i) => style.name(&self.dimensions[i].name),
            Symbol::Trace(i) if style == Style::Latex => format!("t_{{{}}}", i + 1),
            Symbol::Trace(i) => format!("t{}", i + 1),
        }
    }

    pub(crate) fn letter(&self, style: Style, letter: Letter) -> Bound {
        let name = style.name(&self.fixed[letter.matrix].name);
        let turned = match (letter.transposed, style) {
            (false, _) => "",
            (true, Style::Latex) => "^{\\top}",
            (true, Style::Python) => ".T",
            (true, _) => "'",
        };
        let plain = (format!("{name}{turned}"), Tight::Atom);
        if letter.power() == 1.0 { plain } else { style.power(plain, letter.power()) }
    }

    /// A random factor.
    pub(crate) fn occurrence(&self, style: Style, (factor, transposed): (usize, bool)) -> String {
        let name = style.name(&self.random[factor].name);
        match (transposed, style) {
            (false, _) => name,
            (true, Style::Latex) => format!("{name}^{{\\top}}"),
            (true, _) => format!("{name}'"),
        }
    }
}

/// A scalar formula.
pub(crate) fn scalar(style: Style, f: &Formulas, d: &Declarations, of: Scalar) -> Bound {
    let part = |s: Scalar| scalar(style, f, d, s);
    match f.operation(of) {
        Operation::Number(bits) => style.number(f64::from_bits(bits)),
        Operation::Symbol(symbol) => (d.symbol(style, symbol), Tight::Atom),
        Operation::Add(a, b) => {
            let right = style.bracket(part(b), Tight::Sum);
            let sign = if right.starts_with('-') { "" } else { "+" };
            (format!("{}{sign}{right}", style.bracket(part(a), Tight::Sum)), Tight::Sum)
        }
        Operation::Multiply(a, b) => {
            // A literal first.
            let (a, b) = if f.literal(b).is_some() { (b, a) } else { (a, b) };
            let right = style.bracket(part(b), Tight::Product);
            match f.literal(a) {
                Some(-1.0) => (format!("-{right}"), Tight::Sum),
                Some(x) => {
                    let tight = if x < 0.0 { Tight::Sum } else { Tight::Product };
                    (format!("{}{}{right}", style.number(x).0, style.times()), tight)
                }
                None => {
                    let left = style.bracket(part(a), Tight::Product);
                    (format!("{left}{}{right}", style.times()), Tight::Product)
                }
            }
        }
        Operation::Divide(a, b) => style.fraction(part(a), part(b)),
        Operation::Power(a, b) => match f.literal(b) {
            Some(exponent) => style.power(part(a), exponent),
            None => style.power_formula(part(a), part(b)),
        },
        Operation::Logarithm(a) => style.logarithm(part(a)),
    }
}

impl Program {
    /// A node in the language of expressions, shortened where it is long.
    pub(crate) fn show(&self, id: NodeId) -> String {
        let text = self.node(Style::Text, id).0;
        if text.chars().count() <= SHORT {
            return text;
        }
        let head: String = text.chars().take(SHORT - 1).collect();
        format!("{head}…")
    }

    /// A node in full.
    pub(crate) fn node(&self, style: Style, id: NodeId) -> Bound {
        let d = &self.declarations;
        match self.nodes.node(id) {
            Node::Identity(dimension) => {
                let name = style.name(&d.dimensions[*dimension].name);
                let text = if style == Style::Latex {
                    format!("I_{{{name}}}")
                } else {
                    format!("I({name})")
                };
                (text, Tight::Atom)
            }
            Node::Random { factor, transposed } => {
                (d.occurrence(style, (*factor, *transposed)), Tight::Atom)
            }
            Node::Fixed(letter) => d.letter(style, *letter),
            Node::Product(items) => {
                let part = |i: &NodeId| style.bracket(self.node(style, *i), Tight::Product);
                let parts: Vec<String> = items.iter().map(part).collect();
                (parts.join(style.times()), Tight::Product)
            }
            Node::Inverse(inner) => {
                let inner = self.node(style, *inner);
                if style == Style::Latex {
                    (format!("\\left({}\\right)^{{-1}}", inner.0), Tight::Atom)
                } else {
                    (format!("inv({})", inner.0), Tight::Atom)
                }
            }
            Node::Sum(terms) => {
                let mut text = String::new();
                for (c, id) in terms {
                    let matrix = style.bracket(self.node(style, *id), Tight::Product);
                    let term = match self.formulas.literal(*c) {
                        Some(1.0) => matrix,
                        Some(-1.0) => format!("-{matrix}"),
                        _ => {
                            let c = scalar(style, &self.formulas, d, *c);
                            let negative = c.0.starts_with('-') && !c.0[1..].contains(['+', '-']);
                            let c = if negative { c.0 } else { style.bracket(c, Tight::Product) };
                            format!("{c}{}{matrix}", style.times())
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
