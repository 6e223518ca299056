//! Dense linear algebra for a handful of unknowns, row-major.

use faer::Mat;

/// Solves A x = b in place (b becomes x) by elimination with row pivoting; `None` when a pivot
/// vanishes against its column's original size.
pub(crate) fn solve(a: &mut [f64], b: &mut [f64]) -> Option<()> {
    let n = b.len();
    let scale = a.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|&i, &j| a[i * n + column].abs().total_cmp(&a[j * n + column].abs()))?;
        let size = a[pivot * n + column].abs();
        if size.is_nan() || size <= scale * f64::EPSILON * 1e-4 {
            return None;
        }
        if pivot != column {
            for m in 0..n {
                a.swap(column * n + m, pivot * n + m);
            }
            b.swap(column, pivot);
        }
        for row in column + 1..n {
            let factor = a[row * n + column] / a[column * n + column];
            if factor != 0.0 {
                for m in column..n {
                    a[row * n + m] -= factor * a[column * n + m];
                }
                b[row] -= factor * b[column];
            }
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|m| a[row * n + m] * b[m]).sum();
        b[row] = (b[row] - known) / a[row * n + row];
    }
    b.iter().all(|x| x.is_finite()).then_some(())
}

/// Eigenvalues as (re, im), by ascending real, then imaginary part; `None` without convergence.
pub(crate) fn eigenvalues(a: &[f64], n: usize) -> Option<Vec<(f64, f64)>> {
    let matrix = Mat::from_fn(n, n, |i, j| a[i * n + j]);
    let mut values: Vec<(f64, f64)> =
        matrix.eigenvalues().ok()?.into_iter().map(|z| (z.re, z.im)).collect();
    // The two members of a complex pair may differ in the last bit of their real parts.
    values.sort_by(|p, q| p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)));
    for m in 1..values.len() {
        let (p, q) = (values[m - 1], values[m]);
        let size = p.0.hypot(p.1);
        if p.1 > q.1 && (p.0 - q.0).abs() <= 1e-13 * size {
            values.swap(m - 1, m);
        }
    }
    Some(values)
}

/// Coefficients c₁..cₙ of the characteristic polynomial λⁿ + c₁λⁿ⁻¹ + … (Faddeev–LeVerrier).
pub(crate) fn characteristic_polynomial(a: &[f64], n: usize) -> Vec<f64> {
    let mut power = vec![0.0; n * n];
    let mut coefficients = Vec::with_capacity(n);
    let mut last = 1.0;
    for order in 1..=n {
        // M ← A M + c I, c = −tr(A M)/order.
        for m in 0..n {
            power[m * n + m] += last;
        }
        let mut next = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                next[i * n + j] = (0..n).map(|m| a[i * n + m] * power[m * n + j]).sum();
            }
        }
        last = -(0..n).map(|m| next[m * n + m]).sum::<f64>() / order as f64;
        coefficients.push(last);
        power = next;
    }
    coefficients
}

/// Frobenius norm.
pub(crate) fn frobenius(a: &[f64]) -> f64 {
    a.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Complex roots of Σ cᵢ ξⁱ by the eigenvalues of the balanced companion matrix. Leading
/// coefficients below 1e-14 of the largest are dropped.
pub(crate) fn polynomial_roots(coefficients: &[f64]) -> Vec<(f64, f64)> {
    let largest = coefficients.iter().fold(0.0_f64, |m, c| m.max(c.abs()));
    if !(largest > 0.0 && largest.is_finite()) {
        return Vec::new();
    }
    let degree = coefficients.iter().rposition(|c| c.abs() >= 1e-14 * largest).unwrap_or(0);
    if degree == 0 {
        return Vec::new();
    }
    let mut companion = vec![0.0; degree * degree];
    for m in 0..degree {
        companion[m] = -coefficients[degree - 1 - m] / coefficients[degree];
        if m + 1 < degree {
            companion[(m + 1) * degree + m] = 1.0;
        }
    }
    balance(&mut companion, degree);
    eigenvalues(&companion, degree).unwrap_or_default()
}

/// Diagonal similarity by powers of two that equalises row and column norms (Parlett and Reinsch
/// 1969).
fn balance(a: &mut [f64], n: usize) {
    loop {
        let mut settled = true;
        for m in 0..n {
            let (mut row, mut column) = (0.0_f64, 0.0_f64);
            for i in (0..n).filter(|&i| i != m) {
                row += a[m * n + i].abs();
                column += a[i * n + m].abs();
            }
            if row == 0.0 || column == 0.0 {
                continue;
            }
            let total = row + column;
            let mut factor = 1.0;
            while column < row / 2.0 {
                column *= 4.0;
                factor *= 2.0;
            }
            while column >= row * 2.0 {
                column /= 4.0;
                factor /= 2.0;
            }
            // `column` now carries factor², the new row norm is row/factor.
            if (column / factor + row / factor) < 0.95 * total {
                settled = false;
                for i in 0..n {
                    a[m * n + i] /= factor;
                    a[i * n + m] *= factor;
                }
            }
        }
        if settled {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wrong sign or order of the coefficients, a broken balance, or lost roots would show: the
    /// roots span six decades.
    #[test]
    fn roots_of_a_known_polynomial() {
        let expected = [1e-4, 3e-2, 0.5, 0.75, 10.0, 100.0];
        let mut c = vec![1.0];
        for root in expected {
            let mut next = vec![0.0; c.len() + 1];
            for (m, x) in c.iter().enumerate() {
                next[m + 1] += x;
                next[m] -= root * x;
            }
            c = next;
        }
        for ((re, im), root) in polynomial_roots(&c).into_iter().zip(expected) {
            assert!((re - root).abs() < 1e-10 * root && im == 0.0, "{re} {im} {root}");
        }
        assert!(polynomial_roots(&[0.0, 0.0]).is_empty());
        assert!(polynomial_roots(&[1.0]).is_empty());
    }

    #[test]
    fn solves_and_refuses() {
        let mut b = [5.0, 6.0];
        solve(&mut [0.0, 2.0, 3.0, 1.0], &mut b).unwrap();
        assert!((b[0] - 7.0 / 6.0).abs() < 1e-15 && (b[1] - 2.5).abs() < 1e-15);
        assert!(solve(&mut [1.0, 2.0, 2.0, 4.0], &mut [1.0, 1.0]).is_none());
    }

    #[test]
    fn characteristic_polynomial_of_a_triangle() {
        // (λ−1)(λ−2)(λ−3) = λ³ − 6λ² + 11λ − 6
        let c = characteristic_polynomial(&[1.0, 5.0, 7.0, 0.0, 2.0, 9.0, 0.0, 0.0, 3.0], 3);
        assert_eq!(c, [-6.0, 11.0, -6.0]);
    }
}
