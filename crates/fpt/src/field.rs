//! The three number systems of the engine: f64, Complex64, and the prime field of 2⁶¹ − 1 elements
//! in which equality is exact (for the generic twin).

use crate::matrix::Matrix;
use num_complex::Complex64;
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// A field with the little that elimination and formulas need.
pub(crate) trait Field:
    Copy
    + PartialEq
    + Debug
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
{
    const ZERO: Self;
    const ONE: Self;

    /// A literal number.
    fn from_number(x: f64) -> Self;

    /// Size of a pivot, 0 exactly for zero.
    fn pivot(self) -> f64;

    /// `self` to a power that is no small integer. The prime field has no such powers: there the
    /// result is an independent random element, the same for equal `salt`, which is as generic.
    fn power(self, exponent: Self, salt: u64) -> Self;

    /// Natural logarithm, with `salt` as in [`Field::power`].
    fn logarithm(self, salt: u64) -> Self;

    /// Inverse of a square matrix, `None` if singular.
    fn invert(matrix: &Matrix<Self>) -> Option<Matrix<Self>> {
        matrix.gauss_inverse()
    }

    /// Product of two matrices.
    fn multiply(a: &Matrix<Self>, b: &Matrix<Self>) -> Matrix<Self> {
        a.plain_product(b)
    }
}

/// A field inside the complex numbers.
pub(crate) trait Number: Field {
    fn abs(self) -> f64;
    fn conj(self) -> Self;
    fn complex(self) -> Complex64;
    /// Directions in which a shift can move an inverse away from its spectrum.
    const DIRECTIONS: &'static [Self];

    /// Largest |eigenvalue| of a square matrix, `None` if the eigenvalues were not found.
    fn spectral_radius(matrix: &Matrix<Self>) -> Option<f64>;

    /// The number, if it lies in this field.
    fn from_complex(z: Complex64) -> Option<Self>;

    fn is_finite(self) -> bool {
        self.abs().is_finite()
    }
}

/// Integer powers by squaring; negative ones through the reciprocal.
pub(crate) fn integer_power<F: Field>(base: F, exponent: i64) -> F {
    let mut square = if exponent < 0 { F::ONE / base } else { base };
    let mut left = exponent.unsigned_abs();
    let mut out = F::ONE;
    while left > 0 {
        if left & 1 == 1 {
            out = out * square;
        }
        square = square * square;
        left >>= 1;
    }
    out
}

/// From here on faer's blocked algorithms are faster than plain loops.
const BLOCKED_FROM: usize = 40;

macro_rules! faer_backed {
    () => {
        fn invert(matrix: &Matrix<Self>) -> Option<Matrix<Self>> {
            if matrix.rows() < BLOCKED_FROM {
                return matrix.gauss_inverse();
            }
            use faer::linalg::solvers::DenseSolveCore;
            let inverse = Matrix::from_faer(&matrix.to_faer().partial_piv_lu().inverse());
            inverse.data().iter().all(|x| x.is_finite()).then_some(inverse)
        }

        fn multiply(a: &Matrix<Self>, b: &Matrix<Self>) -> Matrix<Self> {
            if a.rows().min(b.columns()).min(a.columns()) < BLOCKED_FROM {
                return a.plain_product(b);
            }
            Matrix::from_faer(&(a.to_faer() * b.to_faer()))
        }
    };
}

impl Field for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn from_number(x: f64) -> Self {
        x
    }

    fn pivot(self) -> f64 {
        f64::abs(self)
    }

    fn power(self, exponent: Self, _: u64) -> Self {
        if exponent == 0.5 { self.sqrt() } else { self.powf(exponent) }
    }

    fn logarithm(self, _: u64) -> Self {
        self.ln()
    }

    faer_backed!();
}

macro_rules! eigenvalues_by_faer {
    () => {
        fn spectral_radius(matrix: &Matrix<Self>) -> Option<f64> {
            if matrix.rows() == 1 {
                return Some(Number::abs(matrix.at(0, 0)));
            }
            let eigenvalues = matrix.to_faer().eigenvalues().ok()?;
            Some(eigenvalues.iter().fold(0.0, |r, z| z.norm().max(r)))
        }
    };
}

impl Number for f64 {
    const DIRECTIONS: &'static [Self] = &[1.0];

    eigenvalues_by_faer!();

    fn abs(self) -> f64 {
        f64::abs(self)
    }

    fn conj(self) -> Self {
        self
    }

    fn complex(self) -> Complex64 {
        Complex64::new(self, 0.0)
    }

    fn from_complex(z: Complex64) -> Option<Self> {
        (z.im == 0.0).then_some(z.re)
    }
}

impl Field for Complex64 {
    const ZERO: Self = Complex64::new(0.0, 0.0);
    const ONE: Self = Complex64::new(1.0, 0.0);

    fn from_number(x: f64) -> Self {
        Complex64::new(x, 0.0)
    }

    fn pivot(self) -> f64 {
        self.re.abs() + self.im.abs()
    }

    fn power(self, exponent: Self, _: u64) -> Self {
        if exponent == Complex64::new(0.5, 0.0) { self.sqrt() } else { self.powc(exponent) }
    }

    fn logarithm(self, _: u64) -> Self {
        self.ln()
    }

    faer_backed!();
}

impl Number for Complex64 {
    const DIRECTIONS: &'static [Self] =
        &[Complex64::new(1.0, 0.0), Complex64::new(0.0, -1.0), Complex64::new(0.0, 1.0)];

    eigenvalues_by_faer!();

    fn abs(self) -> f64 {
        self.norm()
    }

    fn conj(self) -> Self {
        Complex64::conj(&self)
    }

    fn complex(self) -> Complex64 {
        self
    }

    fn from_complex(z: Complex64) -> Option<Self> {
        Some(z)
    }

    fn is_finite(self) -> bool {
        self.re.is_finite() && self.im.is_finite()
    }
}

/// An element of the field of 2⁶¹ − 1 elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Prime(u64);

const MODULUS: u64 = (1 << 61) - 1;

impl Prime {
    /// An element from 64 random bits.
    pub(crate) fn from_bits(bits: u64) -> Self {
        Prime(bits % MODULUS)
    }

    fn reduce(x: u128) -> Self {
        let folded = (x & u128::from(MODULUS)) as u64 + (x >> 61) as u64;
        Prime(if folded >= MODULUS { folded - MODULUS } else { folded })
    }
}

impl Add for Prime {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let sum = self.0 + other.0;
        Prime(if sum >= MODULUS { sum - MODULUS } else { sum })
    }
}

impl Neg for Prime {
    type Output = Self;
    fn neg(self) -> Self {
        Prime(if self.0 == 0 { 0 } else { MODULUS - self.0 })
    }
}

impl Sub for Prime {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Prime {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Prime::reduce(u128::from(self.0) * u128::from(other.0))
    }
}

impl Div for Prime {
    type Output = Self;
    /// x/0 = 0: callers look at pivots before they divide.
    fn div(self, other: Self) -> Self {
        let (mut square, mut left, mut out) = (other, MODULUS - 2, self);
        while left > 0 {
            if left & 1 == 1 {
                out = out * square;
            }
            square = square * square;
            left >>= 1;
        }
        out
    }
}

impl AddAssign for Prime {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Prime {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Field for Prime {
    const ZERO: Self = Prime(0);
    const ONE: Self = Prime(1);

    /// Every f64 is a dyadic rational, so this is a ring homomorphism up to rounding of literals.
    fn from_number(x: f64) -> Self {
        let bits = x.abs().to_bits();
        let (exponent, fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
        let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
        let size =
            Prime::from_bits(mantissa) * integer_power(Prime(2), exponent.max(1) - 1023 - 52);
        if x < 0.0 { -size } else { size }
    }

    fn pivot(self) -> f64 {
        if self.0 == 0 { 0.0 } else { 1.0 }
    }

    fn power(self, _: Self, salt: u64) -> Self {
        Prime::from_bits(rmt_task::Draw { seed: salt, index: 0 }.stream())
    }

    fn logarithm(self, salt: u64) -> Self {
        Prime::from_bits(rmt_task::Draw { seed: salt, index: 1 }.stream())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prime_field_axioms() {
        let values: Vec<Prime> = (0..50)
            .map(|i| Prime::from_bits(rmt_task::Draw { seed: 1, index: i }.stream()))
            .collect();
        for w in values.windows(3) {
            let [a, b, c] = [w[0], w[1], w[2]];
            assert_eq!((a + b) * c, a * c + b * c);
            assert_eq!((a / b) * b, a);
            assert_eq!(a - a, Prime::ZERO);
            assert_eq!(integer_power(a, -3) * integer_power(a, 5), a * a);
        }
    }

    #[test]
    fn literals_map_to_the_prime_field_as_numbers_do() {
        let p = Prime::from_number;
        assert_eq!(p(0.75) + p(0.25), p(1.0));
        assert_eq!(p(-3.5) * p(2.0), p(-7.0));
        assert_eq!(p(0.1) * p(1024.0), p(102.4));
        assert_eq!(p(0.0), Prime::ZERO);
    }
}
