//! Scalar formulas in parameters, sizes and traces, hash-consed and in topological order: one pass
//! over the list evaluates all of them. Coefficients of the pencil stay formulas until a number
//! system is chosen, so that the generic twin has the same terms as the model.

use crate::field::{Field, integer_power};
use std::collections::HashMap;

/// Index of a formula in its [`Formulas`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Scalar(u32);

/// A leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Symbol {
    Parameter(usize),
    Dimension(usize),
    /// An un-normalised trace of the expression.
    Trace(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// Bits of an f64.
    Number(u64),
    Symbol(Symbol),
    Add(Scalar, Scalar),
    Multiply(Scalar, Scalar),
    Divide(Scalar, Scalar),
    Power(Scalar, Scalar),
    /// Natural logarithm; arises only from derivatives of powers.
    Logarithm(Scalar),
}

#[derive(Clone, Debug)]
pub(crate) struct Formulas {
    operations: Vec<Operation>,
    index: HashMap<Operation, Scalar>,
}

impl Formulas {
    pub(crate) const ZERO: Scalar = Scalar(0);
    pub(crate) const ONE: Scalar = Scalar(1);

    pub(crate) fn new() -> Self {
        let mut formulas = Self { operations: Vec::new(), index: HashMap::new() };
        formulas.number(0.0);
        formulas.number(1.0);
        formulas
    }

    pub(crate) fn operation(&self, scalar: Scalar) -> Operation {
        self.operations[scalar.0 as usize]
    }

    fn insert(&mut self, operation: Operation) -> Scalar {
        let next = Scalar(self.operations.len() as u32);
        let found = *self.index.entry(operation).or_insert(next);
        if found == next {
            self.operations.push(operation);
        }
        found
    }

    pub(crate) fn number(&mut self, x: f64) -> Scalar {
        // −0 and 0 are one formula.
        self.insert(Operation::Number((x + 0.0).to_bits()))
    }

    pub(crate) fn symbol(&mut self, symbol: Symbol) -> Scalar {
        self.insert(Operation::Symbol(symbol))
    }

    /// The formula of a leaf, if it occurs.
    pub(crate) fn find(&self, symbol: Symbol) -> Option<Scalar> {
        self.index.get(&Operation::Symbol(symbol)).copied()
    }

    /// The value, if the formula is a literal number.
    pub(crate) fn literal(&self, scalar: Scalar) -> Option<f64> {
        match self.operation(scalar) {
            Operation::Number(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    pub(crate) fn add(&mut self, a: Scalar, b: Scalar) -> Scalar {
        match (self.literal(a), self.literal(b)) {
            (Some(x), Some(y)) => self.number(x + y),
            (Some(0.0), _) => b,
            (_, Some(0.0)) => a,
            _ => self.insert(Operation::Add(a, b)),
        }
    }

    pub(crate) fn multiply(&mut self, a: Scalar, b: Scalar) -> Scalar {
        match (self.literal(a), self.literal(b)) {
            (Some(x), Some(y)) => self.number(x * y),
            (Some(0.0), _) | (_, Some(0.0)) => Self::ZERO,
            (Some(1.0), _) => b,
            (_, Some(1.0)) => a,
            (Some(x), None) => self.scale(x, b, a),
            (None, Some(y)) => self.scale(y, a, b),
            // One order for commuting factors, so that equal products are found equal.
            _ => self.insert(Operation::Multiply(a.min(b), a.max(b))),
        }
    }

    /// x·of, with the literal factors of `of` gathered; `literal` is the formula of x.
    fn scale(&mut self, x: f64, of: Scalar, literal: Scalar) -> Scalar {
        if let Operation::Multiply(a, b) = self.operation(of) {
            for (number, rest) in [(a, b), (b, a)] {
                if let Some(y) = self.literal(number) {
                    let product = self.number(x * y);
                    return self.multiply(product, rest);
                }
            }
        }
        self.insert(Operation::Multiply(literal.min(of), literal.max(of)))
    }

    pub(crate) fn divide(&mut self, a: Scalar, b: Scalar) -> Scalar {
        match (self.literal(a), self.literal(b)) {
            (Some(x), Some(y)) if y != 0.0 => self.number(x / y),
            (_, Some(1.0)) => a,
            _ => self.insert(Operation::Divide(a, b)),
        }
    }

    pub(crate) fn negate(&mut self, a: Scalar) -> Scalar {
        let minus = self.number(-1.0);
        self.multiply(minus, a)
    }

    pub(crate) fn power(&mut self, a: Scalar, b: Scalar) -> Scalar {
        match (self.literal(a), self.literal(b)) {
            (_, Some(1.0)) => a,
            (_, Some(0.0)) => Self::ONE,
            (Some(x), Some(y)) if x > 0.0 => self.number(f64::power(x, y, 0)),
            _ => self.insert(Operation::Power(a, b)),
        }
    }

    /// Sum of a list, balanced so that long sums stay shallow.
    pub(crate) fn sum(&mut self, items: &[Scalar]) -> Scalar {
        self.balanced(items, Self::ZERO, Self::add)
    }

    /// Product of a list, balanced.
    pub(crate) fn product(&mut self, items: &[Scalar]) -> Scalar {
        self.balanced(items, Self::ONE, Self::multiply)
    }

    fn balanced(
        &mut self,
        items: &[Scalar],
        empty: Scalar,
        join: fn(&mut Self, Scalar, Scalar) -> Scalar,
    ) -> Scalar {
        match items {
            [] => empty,
            [one] => *one,
            _ => {
                let (left, right) = items.split_at(items.len() / 2);
                let left = self.balanced(left, empty, join);
                let right = self.balanced(right, empty, join);
                join(self, left, right)
            }
        }
    }

    /// Values of all formulas; `salt` seeds what a field cannot compute (see [`Field::power`]).
    pub(crate) fn evaluate<F: Field>(&self, leaf: impl Fn(Symbol) -> F, salt: u64) -> Values<F> {
        let mut values: Vec<F> = Vec::with_capacity(self.operations.len());
        for (index, operation) in self.operations.iter().enumerate() {
            let at = |s: Scalar| values[s.0 as usize];
            let salt = rmt_task::Draw { seed: salt, index: index as u64 };
            values.push(match *operation {
                Operation::Number(bits) => F::from_number(f64::from_bits(bits)),
                Operation::Symbol(symbol) => leaf(symbol),
                Operation::Add(a, b) => at(a) + at(b),
                Operation::Multiply(a, b) => at(a) * at(b),
                Operation::Divide(a, b) => at(a) / at(b),
                Operation::Power(a, b) => match self.literal(b) {
                    Some(y) if y.fract() == 0.0 && y.abs() <= 1e6 => integer_power(at(a), y as i64),
                    _ => at(a).power(at(b), salt.stream()),
                },
                Operation::Logarithm(a) => at(a).logarithm(salt.stream()),
            });
        }
        Values(values)
    }

    /// Derivative with respect to a leaf.
    pub(crate) fn derivative(&mut self, of: Scalar, by: Symbol) -> Scalar {
        let mut known: Vec<Scalar> = Vec::with_capacity(of.0 as usize + 1);
        for index in 0..=of.0 as usize {
            let at = |s: Scalar| known[s.0 as usize];
            let derivative = match self.operations[index] {
                Operation::Number(_) => Self::ZERO,
                Operation::Symbol(s) if s == by => Self::ONE,
                Operation::Symbol(_) => Self::ZERO,
                Operation::Add(a, b) => self.add(at(a), at(b)),
                Operation::Multiply(a, b) => {
                    let (da, db) = (at(a), at(b));
                    let (left, right) = (self.multiply(da, b), self.multiply(a, db));
                    self.add(left, right)
                }
                Operation::Divide(a, b) => {
                    // (a/b)' = (a' − (a/b) b')/b
                    let (da, db) = (at(a), at(b));
                    let quotient = self.divide(a, b);
                    let back = self.multiply(quotient, db);
                    let back = self.negate(back);
                    let top = self.add(da, back);
                    if top == Self::ZERO { Self::ZERO } else { self.divide(top, b) }
                }
                Operation::Power(a, b) => {
                    // (a^b)' = b a^(b−1) a' + a^b ln(a) b'
                    let (da, db) = (at(a), at(b));
                    let minus = self.number(-1.0);
                    let lower = self.add(b, minus);
                    let lower = self.power(a, lower);
                    let first = self.product(&[b, lower, da]);
                    if db == Self::ZERO {
                        first
                    } else {
                        let whole = self.power(a, b);
                        let log = self.insert(Operation::Logarithm(a));
                        let second = self.product(&[whole, log, db]);
                        self.add(first, second)
                    }
                }
                Operation::Logarithm(a) => {
                    let da = at(a);
                    if da == Self::ZERO { Self::ZERO } else { self.divide(da, a) }
                }
            };
            known.push(derivative);
        }
        known[of.0 as usize]
    }
}

/// Values of all formulas of a list.
pub(crate) struct Values<F>(Vec<F>);

impl<F: Copy> Values<F> {
    pub(crate) fn at(&self, scalar: Scalar) -> F {
        self.0[scalar.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_match_differences() {
        let mut f = Formulas::new();
        let (x, y) = (f.symbol(Symbol::Parameter(0)), f.symbol(Symbol::Dimension(0)));
        let (half, three) = (f.number(0.5), f.number(3.0));
        let root = f.power(x, half);
        let cube = f.power(x, three);
        let quotient = f.divide(cube, y);
        let tower = f.power(y, x);
        let product = f.multiply(root, tower);
        let sum = f.sum(&[root, quotient, product, x]);
        let of = f.divide(sum, tower);
        let d = f.derivative(of, Symbol::Parameter(0));
        let value = |x: f64| {
            let leaf = |s| if s == Symbol::Parameter(0) { x } else { 2.5 };
            let values = f.evaluate(leaf, 0);
            (values.at(of), values.at(d))
        };
        let h = 1e-5;
        let difference = (value(1.3 + h).0 - value(1.3 - h).0) / (2.0 * h);
        // Central differences: error h²/6 · third derivative plus rounding 1e-16/h.
        assert!((difference - value(1.3).1).abs() < 1e-9, "{difference} {}", value(1.3).1);
    }

    #[test]
    fn equal_formulas_are_one() {
        let mut f = Formulas::new();
        let (x, y) = (f.symbol(Symbol::Parameter(0)), f.symbol(Symbol::Parameter(1)));
        assert_eq!(f.multiply(x, y), f.multiply(y, x));
        let minus = f.negate(x);
        assert_eq!(f.negate(minus), f.multiply(x, Formulas::ONE));
    }
}
