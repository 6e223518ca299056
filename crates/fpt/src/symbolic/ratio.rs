//! Rational functions in commuting symbols: Laurent polynomials over products of known irreducible
//! denominators.
//!
//! Every denominator that arises is a determinant of a diagonal block of F − η. Keeping them
//! factored, and cancelling by exact division, needs no polynomial gcd.

use super::polynomial::{Polynomial, Var, power};
use std::collections::BTreeMap;

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
