use num_complex::Complex64;
use num_traits::NumOps;
use std::fmt::Debug;
use std::ops::Neg;

/// The numbers a chain of stages is evaluated in: `f64` for ridges λ ≥ 0, `Complex64` for
/// resolvents off the real axis.
pub trait Scalar:
    Copy
    + Debug
    + PartialEq
    + Send
    + Sync
    + 'static
    + From<f64>
    + Neg<Output = Self>
    + NumOps
    + NumOps<f64, Self>
{
    /// Absolute value.
    fn norm(self) -> f64;
    /// Real part.
    fn re(self) -> f64;
    /// Imaginary part; zero for real numbers.
    fn im(self) -> f64;
    /// 1/self.
    fn recip(self) -> Self {
        Self::from(1.0) / self
    }
}

impl Scalar for f64 {
    fn norm(self) -> f64 {
        self.abs()
    }
    fn re(self) -> f64 {
        self
    }
    fn im(self) -> f64 {
        0.0
    }
}

impl Scalar for Complex64 {
    fn norm(self) -> f64 {
        // hypot costs more than the whole mode sum; over- and underflow are out of reach here.
        self.norm_sqr().sqrt()
    }
    fn re(self) -> f64 {
        self.re
    }
    fn im(self) -> f64 {
        self.im
    }
    fn recip(self) -> Self {
        let scale = 1.0 / self.norm_sqr();
        Complex64::new(self.re * scale, -self.im * scale)
    }
}
