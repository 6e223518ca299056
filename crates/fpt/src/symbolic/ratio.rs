//! Rational functions in commuting symbols: Laurent polynomials over products of known irreducible
//! denominators.
//!
//! Every denominator that arises is a determinant of a diagonal block of F − η. Keeping them
//! factored, and cancelling by exact division, needs no polynomial gcd.

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

fn power(a: &Monomial, times: i64) -> Monomial {
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

/// The denominators that have come up, each primitive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bases(pub(crate) Vec<Polynomial>);

impl Bases {
    fn intern(&mut self, p: Polynomial) -> usize {
        self.0.iter().position(|q| *q == p).unwrap_or_else(|| {
            self.0.push(p);
            self.0.len() - 1
        })
    }
}

/// top / Π bases^exponents.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ratio {
    pub(crate) top: Polynomial,
    /// Base and positive exponent, in order of the base.
    pub(crate) below: BTreeMap<usize, u32>,
}

impl Ratio {
    pub(crate) fn polynomial(top: Polynomial) -> Self {
        Self { top, below: BTreeMap::new() }
    }

    pub(crate) fn zero() -> Self {
        Self::polynomial(Polynomial::default())
    }

    /// 1/p for a polynomial that is not zero.
    pub(crate) fn reciprocal(p: &Polynomial, bases: &mut Bases) -> Self {
        let (c, content, rest) = p.primitive();
        let top = Polynomial::term(1.0 / c, power(&content, -1));
        let mut below = BTreeMap::new();
        if rest.monomial().is_none() {
            below.insert(bases.intern(rest), 1);
        }
        Self { top, below }
    }

    pub(crate) fn multiply(&self, other: &Self, bases: &Bases) -> Option<Self> {
        let mut below = self.below.clone();
        for (base, e) in &other.below {
            *below.entry(*base).or_insert(0) += e;
        }
        Self { top: self.top.multiply(&other.top)?, below }.cancelled(bases)
    }

    pub(crate) fn add(&self, other: &Self, scale: f64, bases: &Bases) -> Option<Self> {
        let mut below = self.below.clone();
        for (base, e) in &other.below {
            let known = below.entry(*base).or_insert(0);
            *known = (*known).max(*e);
        }
        let lifted = |r: &Self| {
            let mut top = r.top.clone();
            for (base, e) in &below {
                for _ in r.below.get(base).copied().unwrap_or(0)..*e {
                    top = top.multiply(&bases.0[*base])?;
                }
            }
            Some(top)
        };
        let top = lifted(self)?.add(&lifted(other)?, scale);
        Self { top, below }.cancelled(bases)
    }

    /// Derivative by a symbol, `None` if it grows too large.
    pub(crate) fn derivative(&self, var: Var, bases: &Bases) -> Option<Self> {
        let top = self.top.derivative(var);
        let mut out = Self { top, below: self.below.clone() }.cancelled(bases)?;
        for (base, e) in &self.below {
            let slope = bases.0[*base].derivative(var);
            if slope.is_zero() {
                continue;
            }
            let mut below = self.below.clone();
            *below.entry(*base).or_insert(0) += 1;
            let step = Self { top: self.top.multiply(&slope)?, below }.cancelled(bases)?;
            out = out.add(&step, -f64::from(*e), bases)?;
        }
        Some(out)
    }

    /// Divides common factors out.
    fn cancelled(mut self, bases: &Bases) -> Option<Self> {
        if self.top.is_zero() {
            return Some(Self::zero());
        }
        let (c, content, mut rest) = self.top.primitive();
        for (base, e) in &mut self.below {
            while *e > 0 {
                let Some(quotient) = rest.divided(&bases.0[*base]) else { break };
                rest = quotient;
                *e -= 1;
            }
        }
        self.below.retain(|_, e| *e > 0);
        self.top = rest.multiply(&Polynomial::term(c, content))?;
        Some(self)
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

/// Inverse of a matrix of polynomials through its strongly connected blocks; the wanted columns of
/// the wanted rows, `None` if an entry grows too large.
pub(crate) fn inverse(
    m: &[Vec<Polynomial>],
    wanted: &[(usize, usize)],
    bases: &mut Bases,
) -> Option<BTreeMap<(usize, usize), Ratio>> {
    let n = m.len();
    let depends = |i: usize, j: usize| !m[i][j].is_zero();
    let parts = crate::twin::strong_components(n, &depends);
    let mut blocks = Vec::with_capacity(parts.len());
    for part in &parts {
        blocks.push(block_inverse(m, part, bases)?);
    }
    let mut columns: Vec<usize> = wanted.iter().map(|(_, j)| *j).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut out = BTreeMap::new();
    for column in columns {
        let mut x: Vec<Ratio> = vec![Ratio::zero(); n];
        for (part, inverse) in parts.iter().zip(&blocks) {
            // Right side of the part: the unit vector minus what earlier parts contribute.
            let mut right = Vec::with_capacity(part.len());
            for i in part {
                let unit = if *i == column { 1.0 } else { 0.0 };
                let mut r = Ratio::polynomial(Polynomial::constant(unit));
                for (j, xj) in x.iter().enumerate() {
                    if !part.contains(&j) && !m[*i][j].is_zero() && !xj.top.is_zero() {
                        let step = Ratio::polynomial(m[*i][j].clone()).multiply(xj, bases)?;
                        r = r.add(&step, -1.0, bases)?;
                    }
                }
                right.push(r);
            }
            for (a, i) in part.iter().enumerate() {
                let mut sum = Ratio::zero();
                for (b, r) in right.iter().enumerate() {
                    if !r.top.is_zero() && !inverse[a][b].top.is_zero() {
                        sum = sum.add(&inverse[a][b].multiply(r, bases)?, 1.0, bases)?;
                    }
                }
                x[*i] = sum;
            }
        }
        for (i, j) in wanted.iter().filter(|(_, j)| *j == column) {
            out.insert((*i, *j), x[*i].clone());
        }
    }
    Some(out)
}

/// Largest block whose determinant is written out.
const MAX_BLOCK: usize = 6;

fn block_inverse(
    m: &[Vec<Polynomial>],
    part: &[usize],
    bases: &mut Bases,
) -> Option<Vec<Vec<Ratio>>> {
    let n = part.len();
    if n > MAX_BLOCK {
        return None;
    }
    let all: Vec<usize> = (0..n).collect();
    let det = determinant(m, part, &all, &all)?;
    if det.is_zero() {
        return None;
    }
    let over = Ratio::reciprocal(&det, bases);
    let mut out = vec![vec![Ratio::zero(); n]; n];
    for i in 0..n {
        for j in 0..n {
            let rows: Vec<usize> = (0..n).filter(|r| *r != j).collect();
            let columns: Vec<usize> = (0..n).filter(|c| *c != i).collect();
            let minor = determinant(m, part, &rows, &columns)?;
            let sign = if (i + j) % 2 == 0 { 1.0 } else { -1.0 };
            let minor = Polynomial::default().add(&minor, sign);
            out[i][j] = Ratio::polynomial(minor).multiply(&over, bases)?;
        }
    }
    Some(out)
}

fn determinant(
    m: &[Vec<Polynomial>],
    part: &[usize],
    rows: &[usize],
    columns: &[usize],
) -> Option<Polynomial> {
    let Some((row, rest)) = rows.split_first() else { return Some(Polynomial::constant(1.0)) };
    let mut sum = Polynomial::default();
    for (position, column) in columns.iter().enumerate() {
        let entry = &m[part[*row]][part[*column]];
        if entry.is_zero() {
            continue;
        }
        let others: Vec<usize> = columns.iter().copied().filter(|c| c != column).collect();
        let minor = determinant(m, part, rest, &others)?;
        let sign = if position % 2 == 0 { 1.0 } else { -1.0 };
        sum = sum.add(&entry.multiply(&minor)?, sign);
    }
    Some(sum)
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

    #[test]
    fn inverse_times_matrix_is_the_identity() {
        let m = vec![
            vec![x(0), Polynomial::constant(1.0), Polynomial::default()],
            vec![x(1), x(2), Polynomial::default()],
            vec![x(3), Polynomial::constant(-2.0), x(4)],
        ];
        let mut bases = Bases::default();
        let all: Vec<(usize, usize)> = (0..3).flat_map(|i| (0..3).map(move |j| (i, j))).collect();
        let inverse = inverse(&m, &all, &mut bases).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let mut sum = Ratio::zero();
                for k in 0..3 {
                    let step = Ratio::polynomial(m[i][k].clone());
                    let step = step.multiply(&inverse[&(k, j)], &bases).unwrap();
                    sum = sum.add(&step, 1.0, &bases).unwrap();
                }
                let unit = Polynomial::constant(if i == j { 1.0 } else { 0.0 });
                assert_eq!(sum, Ratio::polynomial(unit), "({i}, {j})");
            }
        }
    }
}
