//! Polynomials, ratios and equations in a language.

use super::polynomial::{Monomial, Polynomial, UNIT, Var};
use super::ratio::{Bases, Ratio};
use super::system::{BlockTrace, Body, Over, System, Word};
use crate::model::Model;
use crate::show::{Bound, Style, Tight, scalar};

/// Writes a system in a language.
pub(crate) struct Printer<'a> {
    pub(crate) model: &'a Model,
    pub(crate) style: Style,
}

impl Printer<'_> {
    pub(crate) fn unknown(&self, k: usize) -> String {
        match self.style {
            Style::Text => format!("u{}", k + 1),
            Style::Latex => format!("u_{{{}}}", k + 1),
            Style::Python | Style::Rust => format!("u[{k}]"),
        }
    }

    fn variable(&self, var: Var) -> Bound {
        let d = &self.model.program.declarations;
        match var {
            Var::Formula(of) => scalar(self.style, &self.model.program.formulas, d, of),
            Var::Spectrum(m) => (self.spectrum(m), Tight::Atom),
            Var::Power(m, bits) => {
                self.style.power((self.spectrum(m), Tight::Atom), f64::from_bits(bits))
            }
            Var::Unknown(k) => (self.unknown(k), Tight::Atom),
        }
    }

    /// The eigenvalues of a matrix.
    pub(crate) fn spectrum(&self, matrix: usize) -> String {
        let name = self.style.name(&self.model.program.declarations.fixed[matrix].name);
        // Inside a sum over modes, `i` is the mode.
        if self.style == Style::Rust { format!("{name}[i]") } else { name }
    }

    /// |c|·x^m for positive exponents; an empty text for 1.
    fn factors(&self, c: f64, monomial: &Monomial) -> Vec<String> {
        let mut out = Vec::new();
        if c != 1.0 {
            out.push(self.style.number(c).0);
        }
        for (var, e) in monomial {
            let base = self.variable(*var);
            let exponent = *e as f64 / UNIT as f64;
            let factor = if exponent == 1.0 { base } else { self.style.power(base, exponent) };
            out.push(self.style.bracket(factor, Tight::Product));
        }
        out
    }

    fn product(&self, factors: &[String]) -> Bound {
        match factors {
            [] => self.style.number(1.0),
            [one] => (one.clone(), Tight::Product),
            _ => (factors.join(self.style.times()), Tight::Product),
        }
    }

    pub(crate) fn polynomial(&self, p: &Polynomial) -> Bound {
        if p.is_zero() {
            return self.style.number(0.0);
        }
        let mut text = String::new();
        // Positive terms first: a sum that starts with a minus reads badly.
        let mut terms: Vec<(&Monomial, f64)> = p.0.iter().map(|(m, c)| (m, *c)).collect();
        terms.sort_by_key(|(_, c)| *c < 0.0);
        for (m, c) in &terms {
            let (above, below): (Monomial, Monomial) = m.iter().partition(|(_, e)| *e > 0);
            let below: Monomial = below.into_iter().map(|(v, e)| (v, -e)).collect();
            let top = self.product(&self.factors(c.abs(), &above));
            let term = if below.is_empty() {
                top
            } else {
                self.style.fraction(top, self.product(&self.factors(1.0, &below)))
            };
            let term = self.style.bracket(term, Tight::Product);
            text += match (text.is_empty(), *c < 0.0) {
                (true, false) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (false, true) => " - ",
            };
            text += &term;
        }
        let negative = terms.len() == 1 && terms[0].1 < 0.0;
        let tight = if terms.len() > 1 || negative { Tight::Sum } else { Tight::Product };
        (text, tight)
    }

    pub(crate) fn ratio(&self, ratio: &Ratio, bases: &Bases) -> Bound {
        if ratio.top.is_zero() {
            return self.style.number(0.0);
        }
        let (c, content, rest) = ratio.top.primitive();
        let (above, below): (Monomial, Monomial) = content.iter().partition(|(_, e)| *e > 0);
        let below: Monomial = below.into_iter().map(|(v, e)| (v, -e)).collect();
        let mut top = self.factors(c.abs(), &above);
        let mut bottom = self.factors(1.0, &below);
        let single = top.is_empty() && ratio.below.is_empty() && below.is_empty();
        let mut negative = c < 0.0;
        if rest.monomial().is_none() {
            let rest = if negative && single {
                negative = false;
                Polynomial::default().add(&rest, -1.0)
            } else {
                rest
            };
            let text = self.polynomial(&rest);
            let least = if single && !negative { Tight::Sum } else { Tight::Product };
            let alone = top.is_empty() && self.style == Style::Latex && !single;
            top.push(if alone { text.0 } else { self.style.bracket(text, least) });
        }
        for (base, e) in &ratio.below {
            let base = self.polynomial(&bases.0[*base]);
            let alone = ratio.below.len() == 1 && bottom.is_empty() && *e == 1;
            bottom.push(if *e == 1 {
                if alone { base.0 } else { self.style.bracket(base, Tight::Product) }
            } else {
                let bracketed = (self.style.bracket(base, Tight::Atom), Tight::Atom);
                self.style.power(bracketed, f64::from(*e)).0
            });
        }
        let top = match (&top[..], single) {
            ([one], true) => (one.clone(), Tight::Sum),
            _ => self.product(&top),
        };
        let out = if bottom.is_empty() {
            top
        } else {
            // One bracketless sum below is a sum.
            let below = match &bottom[..] {
                [one] => {
                    (one.clone(), if self.style == Style::Latex { Tight::Atom } else { Tight::Sum })
                }
                _ => self.product(&bottom),
            };
            self.style.fraction(top, below)
        };
        if negative {
            (format!("-{}", self.style.bracket(out, Tight::Product)), Tight::Sum)
        } else {
            out
        }
    }

    /// Σ over modes or nothing.
    pub(crate) fn over(&self, over: Over, inside: Bound) -> Bound {
        let Over::Modes(d) = over else { return inside };
        let name = self.style.name(&self.model.program.declarations.dimensions[d].name);
        let text = match self.style {
            Style::Latex => {
                format!("\\operatorname{{Tr}}_{{{name}}}\\!\\left[{}\\right]", inside.0)
            }
            _ => format!("Tr_{name}[{}]", inside.0),
        };
        (text, Tight::Atom)
    }

    /// A product of deterministic matrices in order; nothing for the identity.
    pub(crate) fn word(&self, word: &Word) -> Vec<String> {
        let d = &self.model.program.declarations;
        word.iter().map(|l| self.style.bracket(d.letter(self.style, *l), Tight::Product)).collect()
    }

    /// c·Tr(right · M⁻¹[row, column] · left).
    fn block(&self, b: &BlockTrace) -> Bound {
        let matrix = self.matrix(b.matrix);
        let inverse = match self.style {
            Style::Latex => {
                format!("\\left[{matrix}^{{-1}}\\right]_{{{},{}}}", b.row + 1, b.column + 1)
            }
            _ => format!("inv({matrix})[{},{}]", b.row + 1, b.column + 1),
        };
        let mut factors = self.word(&b.right);
        factors.push(inverse);
        factors.extend(self.word(&b.left));
        let inside = factors.join(self.style.times());
        let trace = match self.style {
            Style::Latex => format!("\\operatorname{{Tr}}\\!\\left({inside}\\right)"),
            _ => format!("Tr({inside})"),
        };
        match b.coefficient.monomial() {
            Some((1.0, m)) if m.is_empty() => (trace, Tight::Atom),
            _ => {
                let c = self.style.bracket(self.polynomial(&b.coefficient), Tight::Product);
                (format!("{c}{}{trace}", self.style.times()), Tight::Product)
            }
        }
    }

    /// Name of a block matrix.
    pub(crate) fn matrix(&self, index: usize) -> String {
        match self.style {
            Style::Latex => format!("M_{{{}}}", index + 1),
            _ => format!("M{}", index + 1),
        }
    }

    /// The right side of an equation.
    pub(crate) fn body(&self, body: &Body, system: &System) -> String {
        let mut parts: Vec<Bound> = body
            .side
            .iter()
            .map(|(over, ratio)| self.over(*over, self.ratio(ratio, &system.bases)))
            .collect();
        parts.extend(body.blocks.iter().map(|b| self.block(b)));
        let mut text = String::new();
        for part in parts {
            let part = self.style.bracket(part, Tight::Sum);
            if !text.is_empty() {
                text += if part.starts_with('-') { " " } else { " + " };
            }
            text += &part;
        }
        if text.is_empty() { self.style.number(0.0).0 } else { text }
    }
}
