//! Entries of deterministic matrices.

use crate::matrix::Matrix;

/// Entries of a deterministic matrix.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Concrete {
    Diagonal(Vec<f64>),
    Symmetric(Matrix<f64>),
    General(Matrix<f64>),
}

/// Relative asymmetry that counts as rounding.
const SYMMETRY: f64 = 1e-13;

impl Concrete {
    pub(super) fn from_dense(m: Matrix<f64>) -> Self {
        if m.rows() != m.columns() {
            return Concrete::General(m);
        }
        let n = m.rows();
        let pairs = || (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
        if pairs().all(|(i, j)| m.at(i, j) == 0.0 && m.at(j, i) == 0.0) {
            return Concrete::Diagonal((0..n).map(|i| m.at(i, i)).collect());
        }
        let largest = m.data().iter().fold(0.0_f64, |a, x| a.max(x.abs()));
        if pairs().all(|(i, j)| (m.at(i, j) - m.at(j, i)).abs() <= SYMMETRY * largest) {
            Concrete::Symmetric(Matrix::from_fn(n, n, |i, j| 0.5 * (m.at(i, j) + m.at(j, i))))
        } else {
            Concrete::General(m)
        }
    }

    /// (rows, columns).
    pub(crate) fn size(&self) -> (usize, usize) {
        match self {
            Concrete::Diagonal(d) => (d.len(), d.len()),
            Concrete::Symmetric(m) | Concrete::General(m) => (m.rows(), m.columns()),
        }
    }

    /// As a full matrix.
    pub(crate) fn dense(&self) -> Matrix<f64> {
        match self {
            Concrete::Diagonal(d) => {
                Matrix::from_fn(d.len(), d.len(), |i, j| if i == j { d[i] } else { 0.0 })
            }
            Concrete::Symmetric(m) | Concrete::General(m) => m.clone(),
        }
    }

    /// `copies` copies along the diagonal: the same limit object at a larger size.
    pub(crate) fn repeated(&self, copies: usize) -> Self {
        let blocks = |m: &Matrix<f64>| {
            let mut out = Matrix::zeros(m.rows() * copies, m.columns() * copies);
            for c in 0..copies {
                out.add_block(c * m.rows(), c * m.columns(), 1.0, m);
            }
            out
        };
        match self {
            Concrete::Diagonal(d) => {
                Concrete::Diagonal((0..copies).flat_map(|_| d.iter().copied()).collect())
            }
            Concrete::Symmetric(m) => Concrete::Symmetric(blocks(m)),
            Concrete::General(m) => Concrete::General(blocks(m)),
        }
    }
}
