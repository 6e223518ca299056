//! The self-energy of each pair of random entries: a multiple of its unknown for independent
//! entries, a function of all unknowns of the matrix for a rotated one.

use super::{Coefficients, Engine, Green};
use crate::field::Field;
use crate::matrix::Matrix;
use crate::structure::RotatedMatrix;

/// Self-energies at some unknowns.
pub(super) struct SelfEnergy<F> {
    /// Of each pair (t, s), the coefficient of A_t B_s.
    pub(super) pairs: Vec<F>,
    /// w and R(w) of each rotated matrix.
    pub(super) rotated: Vec<(Matrix<F>, Matrix<F>)>,
}

impl<F: Field> Engine<'_, F> {
    /// The unknown of a pair, zero if the pair vanishes.
    fn unknown(&self, u: &[F], pair: usize) -> F {
        self.classes.of[pair].map_or(F::ZERO, |class| u[class])
    }

    /// w of a rotated matrix: w_ts = tr(B_t G A_s) with the coefficients of Q = F − L in A.
    fn normalised(&self, matrix: &RotatedMatrix, u: &[F]) -> Matrix<F> {
        let m = matrix.entries.len();
        Matrix::from_fn(m, m, |i, j| {
            let entry = matrix.entries[j];
            let c = &self.coefficients;
            -c.random[entry] * c.variance[entry] * self.unknown(u, matrix.pairs[i * m + j])
        })
    }

    /// The self-energies at u, variances times q; `None` where a rotated matrix has none.
    pub(super) fn self_energy(&self, u: &[F], q: F) -> Option<SelfEnergy<F>> {
        let mut pairs: Vec<F> = (0..self.structure.pairs.len())
            .map(|p| match self.classes.of[p] {
                Some(class) => q * self.coefficients.energy(self.structure.pairs[p]) * u[class],
                None => F::ZERO,
            })
            .collect();
        let mut rotated = Vec::with_capacity(self.rotated.len());
        for (matrix, law) in self.structure.rotated.iter().zip(self.rotated) {
            let w = self.normalised(matrix, u);
            let r = law.transform(&w)?;
            let m = matrix.entries.len();
            for (position, pair) in matrix.pairs.iter().enumerate() {
                let entry = matrix.entries[position / m];
                pairs[*pair] = -self.coefficients.random[entry] * r.data()[position];
            }
            rotated.push((w, r));
        }
        Some(SelfEnergy { pairs, rotated })
    }

    /// For each pair, the derivatives of its self-energy by unknowns (for q = 1); `None` where a
    /// rotated matrix has none.
    pub(super) fn energy_slopes(&self, green: &Green<F>) -> Option<Vec<Vec<(usize, F)>>> {
        let mut slopes: Vec<Vec<(usize, F)>> = (0..self.structure.pairs.len())
            .map(|p| {
                let class = self.classes.of[p];
                class
                    .map(|k| (k, self.coefficients.energy(self.structure.pairs[p])))
                    .into_iter()
                    .collect()
            })
            .collect();
        let values = self.structure.rotated.iter().zip(self.rotated).zip(&green.energy.rotated);
        for ((matrix, law), (w, r)) in values {
            let derivative = law.derivative(w, r)?;
            let m = matrix.entries.len();
            let c = &self.coefficients;
            for (position, pair) in matrix.pairs.iter().enumerate() {
                let front = -c.random[matrix.entries[position / m]];
                slopes[*pair] = (0..m * m)
                    .filter_map(|by| {
                        let class = self.classes.of[matrix.pairs[by]]?;
                        let entry = matrix.entries[by % m];
                        let inner = -c.random[entry] * c.variance[entry];
                        Some((class, front * derivative.at(position, by) * inner))
                    })
                    .collect();
            }
        }
        Some(slopes)
    }

    /// Change of the self-energies along a change of the coefficients and of the unknowns.
    pub(super) fn energy_change(
        &self,
        green: &Green<F>,
        u: &[F],
        du: &[F],
        d: &Coefficients<F>,
    ) -> Option<Vec<F>> {
        let c = &self.coefficients;
        let mut change: Vec<F> = (0..self.structure.pairs.len())
            .map(|p| {
                let pair = self.structure.pairs[p];
                c.energy_derivative(d, pair) * self.unknown(u, p)
                    + c.energy(pair) * self.unknown(du, p)
            })
            .collect();
        let values = self.structure.rotated.iter().zip(self.rotated).zip(&green.energy.rotated);
        for ((matrix, law), (w, r)) in values {
            let derivative = law.derivative(w, r)?;
            let m = matrix.entries.len();
            let dw: Vec<F> = (0..m * m)
                .map(|position| {
                    let (pair, entry) = (matrix.pairs[position], matrix.entries[position % m]);
                    -c.variance[entry]
                        * (d.random[entry] * self.unknown(u, pair)
                            + c.random[entry] * self.unknown(du, pair))
                })
                .collect();
            for (position, pair) in matrix.pairs.iter().enumerate() {
                let entry = matrix.entries[position / m];
                let dr = derivative.row(position).iter().zip(&dw);
                let dr = dr.fold(F::ZERO, |sum, (slope, dw)| sum + *slope * *dw);
                change[*pair] = -d.random[entry] * r.data()[position] - c.random[entry] * dr;
            }
        }
        Some(change)
    }
}
