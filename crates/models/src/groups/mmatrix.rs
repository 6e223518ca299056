//! Linear systems with an M-matrix, without subtraction.

/// LU factors of an M-matrix M (positive diagonal, off-diagonal entries ≤ 0) that is known by the
/// absolute values of its off-diagonal entries and by v = M x ≥ 0 for one positive vector x.
///
/// The diagonal of M diag(x) is a row sum, vᵢ + Σⱼ |mᵢⱼ| xⱼ, and elimination keeps it one
/// (Grassmann–Taksar–Heyman; Alfa, Xue, Ye, Math. Comp. 71, 217, 2002). Every entry of the factors, and so of
/// M⁻¹ b with b ≥ 0, has full relative accuracy however close M is to a singular matrix.
#[derive(Clone, Debug)]
pub(super) struct MMatrix {
    size: usize,
    /// Unit lower factor below the diagonal (absolute values), upper factor above it (absolute
    /// values), pivots on it.
    factors: Vec<f64>,
    x: Vec<f64>,
}

impl MMatrix {
    /// `off` are the |mᵢⱼ| row by row (diagonal ignored).
    pub(super) fn new(mut off: Vec<f64>, x: &[f64], v: &[f64]) -> Self {
        let size = x.len();
        for i in 0..size {
            for j in 0..size {
                off[i * size + j] *= x[j];
            }
        }
        let mut excess = v.to_vec();
        for k in 0..size {
            let pivot = excess[k] + off[k * size + k + 1..(k + 1) * size].iter().sum::<f64>();
            off[k * size + k] = pivot;
            for i in k + 1..size {
                let below = off[i * size + k];
                // A row without entries below the pivot needs none, whatever the pivot.
                let multiplier = if below == 0.0 { 0.0 } else { below / pivot };
                off[i * size + k] = multiplier;
                for j in k + 1..size {
                    if j != i {
                        off[i * size + j] += multiplier * off[k * size + j];
                    }
                }
                excess[i] += multiplier * excess[k];
            }
        }
        Self { size, factors: off, x: x.to_vec() }
    }

    /// M⁻¹ b.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (size, f) = (self.size, &self.factors);
        let mut y = b.to_vec();
        for i in 0..size {
            for k in 0..i {
                y[i] += f[i * size + k] * y[k];
            }
        }
        for i in (0..size).rev() {
            for j in i + 1..size {
                y[i] += f[i * size + j] * y[j];
            }
            y[i] /= f[i * size + i];
        }
        y.iter().zip(&self.x).map(|(y, x)| y * x).collect()
    }

    /// M⁻ᵀ t.
    pub(super) fn solve_transposed(&self, t: &[f64]) -> Vec<f64> {
        let (size, f) = (self.size, &self.factors);
        let mut y: Vec<f64> = t.iter().zip(&self.x).map(|(t, x)| t * x).collect();
        for i in 0..size {
            for k in 0..i {
                y[i] += f[k * size + i] * y[k];
            }
            y[i] /= f[i * size + i];
        }
        for i in (0..size).rev() {
            for j in i + 1..size {
                y[i] += f[j * size + i] * y[j];
            }
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::MMatrix;

    /// Catches a wrong elimination, a wrong transpose, and lost digits next to a singular matrix.
    #[test]
    fn solves_both_ways_with_full_digits_next_to_singular() {
        // Row sums 1e-30 against entries of order 1: any subtraction would leave nothing.
        let off = vec![0.0, 0.3, 0.5, 0.2, 0.0, 0.4, 0.7, 0.1, 0.0];
        let (x, v) = ([1.0, 2.0, 0.5], [1e-30, 2e-30, 3e-30]);
        let m = MMatrix::new(off, &x, &v);
        // M x = v by construction.
        for (got, want) in m.solve(&v).iter().zip(&x) {
            assert!((got / want - 1.0).abs() < 4e-16, "{got} {want}");
        }
        let (b, t) = ([1.0, 0.5, 2.0], [0.3, 1.0, 0.2]);
        let left: f64 = m.solve(&b).iter().zip(&t).map(|(a, b)| a * b).sum();
        let right: f64 = m.solve_transposed(&t).iter().zip(&b).map(|(a, b)| a * b).sum();
        assert!((left / right - 1.0).abs() < 1e-15);
    }
}
