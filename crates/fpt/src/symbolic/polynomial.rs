//! Laurent polynomials in commuting symbols.

use crate::formula::Scalar;
use crate::nodes::Letter;
use std::collections::BTreeMap;

/// A commuting symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Var {
    /// A scalar formula kept whole: a parameter, a size, or something that is no polynomial.
    Formula(Scalar),
    /// Eigenvalues of a deterministic matrix.
    Spectrum(usize),
    /// A power of them that is no multiple of 1/[`UNIT`].
    Power(usize, u64),
    /// An unknown of the reduced system.
    Unknown(usize),
}

/// Exponents count in 1/UNIT, so that roots are symbols to a whole power.
pub(crate) const UNIT: i64 = 120;

/// Most terms of a polynomial.
const MAX_TERMS: usize = 400;

/// Symbols with non-zero exponents, in order.
pub(crate) type Monomial = Vec<(Var, i64)>;

fn product(a: &Monomial, b: &Monomial) -> Monomial {
    let mut map: BTreeMap<Var, i64> = a.iter().copied().collect();
    for (var, e) in b {
        *map.entry(*var).or_insert(0) += e;
    }
    map.into_iter().filter(|(_, e)| *e != 0).collect()
}

pub(super) fn power(a: &Monomial, times: i64) -> Monomial {
    a.iter().map(|(v, e)| (*v, e * times)).filter(|(_, e)| *e != 0).collect()
}

/// Lexicographic comparison of exponents, variable by variable.
fn compare(a: &Monomial, b: &Monomial) -> std::cmp::Ordering {
    let (mut i, mut j) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let (x, y) = (i.peek(), j.peek());
        let (left, right) = match (x, y) {
            (None, None) => return std::cmp::Ordering::Equal,
            (Some(x), Some(y)) if x.0 == y.0 => (x.1, y.1),
            (Some(x), Some(y)) if x.0 < y.0 => (x.1, 0),
            (Some(x), None) => (x.1, 0),
            (_, Some(y)) => (0, y.1),
        };
        if left != right {
            return left.cmp(&right);
        }
        i.next();
        j.next();
    }
}

/// A Laurent polynomial, without zero coefficients.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Polynomial(pub(crate) BTreeMap<Monomial, f64>);

impl Polynomial {
    pub(crate) fn constant(x: f64) -> Self {
        Self::term(x, Vec::new())
    }

    pub(crate) fn term(c: f64, monomial: Monomial) -> Self {
        let mut map = BTreeMap::new();
        if c != 0.0 {
            map.insert(monomial, c);
        }
        Self(map)
    }

    pub(crate) fn variable(var: Var, exponent: i64) -> Self {
        Self::term(1.0, if exponent == 0 { Vec::new() } else { vec![(var, exponent)] })
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The only term, if there is one only.
    pub(crate) fn monomial(&self) -> Option<(f64, &Monomial)> {
        match self.0.iter().next() {
            Some((m, c)) if self.0.len() == 1 => Some((*c, m)),
            _ => None,
        }
    }

    pub(crate) fn add(&self, other: &Self, scale: f64) -> Self {
        let mut out = self.0.clone();
        for (m, c) in &other.0 {
            let sum = out.get(m).copied().unwrap_or(0.0) + scale * c;
            if sum == 0.0 {
                out.remove(m);
            } else {
                out.insert(m.clone(), sum);
            }
        }
        Self(out)
    }

    /// The product, `None` if it grows beyond [`MAX_TERMS`].
    pub(crate) fn multiply(&self, other: &Self) -> Option<Self> {
        let mut out: BTreeMap<Monomial, f64> = BTreeMap::new();
        for (m, c) in &self.0 {
            for (n, d) in &other.0 {
                *out.entry(product(m, n)).or_insert(0.0) += c * d;
            }
            if out.len() > MAX_TERMS {
                return None;
            }
        }
        out.retain(|_, c| *c != 0.0);
        Some(Self(out))
    }

    /// c·x^m·P with the greatest monomial x^m and a leading coefficient 1 of P.
    pub(crate) fn primitive(&self) -> (f64, Monomial, Self) {
        let Some(lead) = self.leading() else { return (0.0, Vec::new(), Self::default()) };
        let c = self.0[&lead];
        let mut least: BTreeMap<Var, i64> = BTreeMap::new();
        for (index, m) in self.0.keys().enumerate() {
            let here: BTreeMap<Var, i64> = m.iter().copied().collect();
            let vars: Vec<Var> = least.keys().chain(here.keys()).copied().collect();
            for var in vars {
                let e = here.get(&var).copied().unwrap_or(0);
                let known = if index == 0 { e } else { least.get(&var).copied().unwrap_or(0) };
                least.insert(var, known.min(e));
            }
        }
        let content: Monomial = least.into_iter().filter(|(_, e)| *e != 0).collect();
        let back = power(&content, -1);
        let rest = self.0.iter().map(|(m, x)| (product(m, &back), x / c)).collect();
        (c, content, Self(rest))
    }

    fn leading(&self) -> Option<Monomial> {
        self.0.keys().max_by(|a, b| compare(a, b)).cloned()
    }

    /// self/divisor if it is a polynomial; both without negative exponents.
    pub(crate) fn divided(&self, divisor: &Self) -> Option<Self> {
        let lead = divisor.leading()?;
        let back = power(&lead, -1);
        let scale = divisor.0[&lead];
        let mut rest = self.clone();
        let mut quotient = Self::default();
        while let Some(top) = rest.leading() {
            let m = product(&top, &back);
            if m.iter().any(|(_, e)| *e < 0) || quotient.0.len() > MAX_TERMS {
                return None;
            }
            let step = Self::term(rest.0[&top] / scale, m);
            rest = rest.add(&step.multiply(divisor)?, -1.0);
            // Rounding of non-integer coefficients may leave a crumb of the leading term.
            rest.0.remove(&top);
            quotient = quotient.add(&step, 1.0);
        }
        Some(quotient)
    }

    pub(crate) fn derivative(&self, var: Var) -> Self {
        let mut out = Self::default();
        for (m, c) in &self.0 {
            if let Some((_, e)) = m.iter().find(|(v, _)| *v == var) {
                let lower = product(m, &vec![(var, -UNIT)]);
                let c = c * *e as f64 / UNIT as f64;
                out = out.add(&Self::term(c, lower), 1.0);
            }
        }
        out
    }
}

/// A power of a deterministic matrix as a symbol.
pub(crate) fn letter(letter: Letter) -> Polynomial {
    let scaled = letter.power() * UNIT as f64;
    if (scaled - scaled.round()).abs() < 1e-9 {
        Polynomial::variable(Var::Spectrum(letter.matrix), scaled.round() as i64)
    } else {
        Polynomial::variable(Var::Power(letter.matrix, letter.power().to_bits()), UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn x(k: usize) -> Polynomial {
        Polynomial::variable(Var::Unknown(k), UNIT)
    }

    #[test]
    fn division_undoes_multiplication() {
        let p = x(0).add(&x(1), 2.0).add(&Polynomial::constant(3.0), 1.0);
        let q = x(0).multiply(&x(1)).unwrap().add(&x(2), -1.0);
        let both = p.multiply(&q).unwrap();
        assert_eq!(both.divided(&p).unwrap(), q);
        assert_eq!(both.divided(&q).unwrap(), p);
        assert!(both.add(&x(3), 1.0).divided(&p).is_none());
    }
}
