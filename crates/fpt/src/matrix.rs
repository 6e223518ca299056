//! Dense matrices over any field, row-major; large real and complex ones go through faer.

use crate::field::Field;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matrix<F> {
    rows: usize,
    columns: usize,
    data: Vec<F>,
}

impl<F: Field> Matrix<F> {
    pub(crate) fn from_fn(
        rows: usize,
        columns: usize,
        mut f: impl FnMut(usize, usize) -> F,
    ) -> Self {
        let mut data = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            for j in 0..columns {
                data.push(f(i, j));
            }
        }
        Self { rows, columns, data }
    }

    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, data: vec![F::ZERO; rows * columns] }
    }

    pub(crate) fn identity(n: usize) -> Self {
        Self::from_fn(n, n, |i, j| if i == j { F::ONE } else { F::ZERO })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn data(&self) -> &[F] {
        &self.data
    }

    pub(crate) fn at(&self, i: usize, j: usize) -> F {
        self.data[i * self.columns + j]
    }

    pub(crate) fn at_mut(&mut self, i: usize, j: usize) -> &mut F {
        &mut self.data[i * self.columns + j]
    }

    pub(crate) fn row(&self, i: usize) -> &[F] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    pub(crate) fn transposed(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |i, j| self.at(j, i))
    }

    pub(crate) fn map<G: Field>(&self, f: impl Fn(F) -> G) -> Matrix<G> {
        Matrix {
            rows: self.rows,
            columns: self.columns,
            data: self.data.iter().map(|x| f(*x)).collect(),
        }
    }

    /// self += scale · other, at offset (row, column).
    pub(crate) fn add_block(&mut self, row: usize, column: usize, scale: F, other: &Self) {
        for i in 0..other.rows {
            let start = (row + i) * self.columns + column;
            for (x, y) in self.data[start..start + other.columns].iter_mut().zip(other.row(i)) {
                *x += scale * *y;
            }
        }
    }

    pub(crate) fn block(&self, row: usize, column: usize, rows: usize, columns: usize) -> Self {
        Self::from_fn(rows, columns, |i, j| self.at(row + i, column + j))
    }

    pub(crate) fn product(&self, other: &Self) -> Self {
        F::multiply(self, other)
    }

    /// Tr(self · other), without forming the product.
    pub(crate) fn trace_product(&self, other: &Self) -> F {
        let mut sum = F::ZERO;
        for i in 0..self.rows {
            for (j, x) in self.row(i).iter().enumerate() {
                sum += *x * other.at(j, i);
            }
        }
        sum
    }

    pub(crate) fn trace(&self) -> F {
        (0..self.rows).fold(F::ZERO, |sum, i| sum + self.at(i, i))
    }

    pub(crate) fn plain_product(&self, other: &Self) -> Self {
        let mut out = Self::zeros(self.rows, other.columns);
        for i in 0..self.rows {
            let target = &mut out.data[i * other.columns..(i + 1) * other.columns];
            for (k, x) in self.row(i).iter().enumerate() {
                if *x == F::ZERO {
                    continue;
                }
                for (t, y) in target.iter_mut().zip(other.row(k)) {
                    *t += *x * *y;
                }
            }
        }
        out
    }

    /// Inverse by Gauss–Jordan elimination with partial pivoting.
    pub(crate) fn gauss_inverse(&self) -> Option<Self> {
        let mut inverse = self.clone();
        let mut swaps = vec![0; self.rows];
        invert_in_place(&mut inverse.data, self.rows, &mut swaps).then_some(inverse)
    }

    /// Solves self · x = right, `None` if singular.
    pub(crate) fn solve(mut self, right: &[F]) -> Option<Vec<F>> {
        let n = self.rows;
        let mut x = right.to_vec();
        for k in 0..n {
            let pivot =
                (k..n).max_by(|a, b| self.at(*a, k).pivot().total_cmp(&self.at(*b, k).pivot()))?;
            let size = self.at(pivot, k).pivot();
            if size == 0.0 || !size.is_finite() {
                return None;
            }
            if pivot != k {
                for j in 0..n {
                    self.data.swap(k * n + j, pivot * n + j);
                }
                x.swap(k, pivot);
            }
            let scale = F::ONE / self.at(k, k);
            for i in k + 1..n {
                let factor = self.at(i, k) * scale;
                if factor == F::ZERO {
                    continue;
                }
                let (upper, lower) = self.data.split_at_mut(i * n);
                let source = &upper[k * n + k..(k + 1) * n];
                for (t, s) in lower[k..n].iter_mut().zip(source) {
                    *t -= factor * *s;
                }
                let known = x[k];
                x[i] -= factor * known;
            }
        }
        for k in (0..n).rev() {
            let mut rest = x[k];
            for j in k + 1..n {
                rest -= self.at(k, j) * x[j];
            }
            x[k] = rest / self.at(k, k);
        }
        Some(x)
    }
}

/// Replaces the row-major n×n matrix by its inverse; `false` if a pivot vanishes.
pub(crate) fn invert_in_place<F: Field>(a: &mut [F], n: usize, swaps: &mut [usize]) -> bool {
    for k in 0..n {
        let mut pivot = k;
        let mut largest = a[k * n + k].pivot();
        for i in k + 1..n {
            let size = a[i * n + k].pivot();
            if size > largest {
                (pivot, largest) = (i, size);
            }
        }
        if largest == 0.0 || !largest.is_finite() {
            return false;
        }
        swaps[k] = pivot;
        if pivot != k {
            for j in 0..n {
                a.swap(k * n + j, pivot * n + j);
            }
        }
        let scale = F::ONE / a[k * n + k];
        a[k * n + k] = F::ONE;
        for x in &mut a[k * n..(k + 1) * n] {
            *x = *x * scale;
        }
        for i in 0..n {
            let factor = a[i * n + k];
            if i == k || factor == F::ZERO {
                continue;
            }
            a[i * n + k] = F::ZERO;
            for j in 0..n {
                let step = factor * a[k * n + j];
                a[i * n + j] -= step;
            }
        }
    }
    for k in (0..n).rev() {
        if swaps[k] != k {
            for i in 0..n {
                a.swap(i * n + k, i * n + swaps[k]);
            }
        }
    }
    true
}

impl<F: Field + faer::traits::ComplexField> Matrix<F> {
    pub(crate) fn to_faer(&self) -> faer::Mat<F> {
        faer::Mat::from_fn(self.rows, self.columns, |i, j| self.at(i, j))
    }

    pub(crate) fn from_faer(matrix: &faer::Mat<F>) -> Self {
        Self::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Prime;

    #[test]
    fn inverse_and_solve_are_exact_in_the_prime_field() {
        let bits = |i: usize, j: usize| rmt_task::Draw { seed: 3, index: (i * 31 + j) as u64 };
        let mut a = Matrix::from_fn(7, 7, |i, j| Prime::from_bits(bits(i, j).stream()));
        *a.at_mut(0, 0) = Prime::ZERO; // needs a row exchange
        let inverse = a.gauss_inverse().unwrap();
        assert_eq!(a.product(&inverse), Matrix::identity(7));
        let b: Vec<Prime> = (0..7).map(|i| bits(i, 99).stream()).map(Prime::from_bits).collect();
        let x = a.clone().solve(&b).unwrap();
        for i in 0..7 {
            let row = a.row(i).iter().zip(&x).fold(Prime::ZERO, |s, (a, x)| s + *a * *x);
            assert_eq!(row, b[i]);
        }
        assert!(Matrix::<Prime>::zeros(2, 2).gauss_inverse().is_none());
    }

    #[test]
    fn large_real_inverse_agrees_with_elimination() {
        let a = Matrix::from_fn(60, 60, |i, j| {
            let bits = rmt_task::Draw { seed: 5, index: (i * 60 + j) as u64 }.stream();
            bits as f64 / u64::MAX as f64 + if i == j { 5.0 } else { 0.0 }
        });
        let (fast, slow) = (f64::invert(&a).unwrap(), a.gauss_inverse().unwrap());
        for (x, y) in fast.data().iter().zip(slow.data()) {
            assert!((x - y).abs() < 1e-13, "{x} {y}");
        }
    }
}
