//! What the fixed point and the risks need to know about the covariances.

use faer::traits::ComplexField;
use faer::{Mat, Side};
use num_complex::Complex64;
use rmt_core::Scalar;

/// The numbers of the group engine: real ridges, and complex ones on the contour of a gradient flow.
pub(super) trait Field: Scalar + ComplexField {
    /// The inverse of a symmetric (not Hermitian) matrix; `None` where it is not positive definite
    /// (real) or not finite.
    fn invert(matrix: Mat<Self>) -> Option<Mat<Self>>;
    /// Complex conjugate.
    fn conjugate(self) -> Self;
}

impl Field for f64 {
    fn invert(matrix: Mat<f64>) -> Option<Mat<f64>> {
        use faer::linalg::solvers::DenseSolveCore;
        Some(matrix.llt(Side::Lower).ok()?.inverse())
    }
    fn conjugate(self) -> Self {
        self
    }
}

impl Field for Complex64 {
    fn invert(matrix: Mat<Complex64>) -> Option<Mat<Complex64>> {
        use faer::linalg::solvers::DenseSolveCore;
        let inverse = matrix.partial_piv_lu().inverse();
        (0..inverse.ncols()).all(|i| inverse[(i, i)].is_finite()).then_some(inverse)
    }
    fn conjugate(self) -> Self {
        self.conj()
    }
}

/// Traces at A = Σ c_s Σ_s, G = (A + μ)⁻¹ and, for two-point functions, G' at (c', μ').
#[derive(Clone, Debug)]
pub(super) struct Traces<T> {
    /// Tr Σ_s G.
    pub(super) first: Vec<T>,
    second: Vec<T>,
    /// Tr Σ_s G G'.
    pub(super) mixed: Vec<T>,
    /// Tr G over the range of A.
    pub(super) range: T,
    /// Tr G G'.
    pub(super) squared: T,
}

impl<T: Scalar> Traces<T> {
    pub(super) fn zero(groups: usize) -> Self {
        let zero = T::from(0.0);
        Self {
            first: vec![zero; groups],
            second: vec![zero; groups * groups],
            mixed: vec![zero; groups],
            range: zero,
            squared: zero,
        }
    }

    /// Tr Σ_s G Σ_r G'.
    pub(super) fn second(&self, s: usize, r: usize) -> T {
        self.second[s * self.first.len() + r]
    }

    pub(super) fn set_second(&mut self, s: usize, r: usize, value: T) {
        let groups = self.first.len();
        self.second[s * groups + r] = value;
    }
}

/// Second moments of the mean estimate h = Σ_r c_r G Σ_r w_r around the coefficients, for one
/// source of coefficients.
#[derive(Clone, Debug)]
pub(super) struct Moments<T> {
    /// E (h − w_t)ᵀ Σ_t (h' − w_t), one a group.
    pub(super) offset: Vec<T>,
    /// E hᵀ h'.
    pub(super) norm: T,
}

impl<T: Scalar> Moments<T> {
    pub(super) fn zero(groups: usize) -> Self {
        Self { offset: vec![T::from(0.0); groups], norm: T::from(0.0) }
    }
}
