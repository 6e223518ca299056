//! Sums over the probe matrices H_ta = B_t G A_a: the Jacobian and the certificate.

use super::{Engine, Green, GroupData, GroupGreen, probe};
use crate::field::{Field, Number};
use crate::matrix::Matrix;

impl<F: Field> Engine<'_, F> {
    /// ∂T_k/∂u_l for the representatives, for q = 1; `None` where it does not exist.
    pub(crate) fn jacobian(&self, green: &Green<F>) -> Option<Matrix<F>> {
        let n = self.unknowns();
        let mut jacobian = Matrix::zeros(n, n);
        let probes = self.probes(green);
        let slopes = self.energy_slopes(green)?;
        for group in 0..self.groups.len() {
            let rows: Vec<usize> = (0..n)
                .filter(|k| {
                    let pair = self.structure.pairs[self.classes.representatives[*k]];
                    self.structure.trace_side(self.pencil, pair) == group
                })
                .collect();
            for (pair, slopes) in self.structure.pairs.iter().zip(&slopes) {
                if slopes.is_empty() || self.structure.energy_side(self.pencil, *pair) != group {
                    continue;
                }
                let (a, b) = *pair;
                for k in &rows {
                    let (t, s) = self.structure.pairs[self.classes.representatives[*k]];
                    let trace = probes[group].pair_trace((t, a), (b, s));
                    for (class, slope) in slopes {
                        *jacobian.at_mut(*k, *class) += *slope * trace;
                    }
                }
            }
        }
        Some(jacobian)
    }

    /// Whether each probe matrix H_ta is different from zero, by t and a.
    pub(crate) fn coupled(&self, green: &Green<F>) -> Vec<Vec<bool>> {
        let terms = 0..self.pencil.random.len();
        let probes = self.probes(green);
        terms
            .clone()
            .map(|t| terms.clone().map(|a| probes.iter().any(|p| p.is_coupled(t, a))).collect())
            .collect()
    }

    /// The probe matrices of all groups.
    pub(crate) fn probes(&self, green: &Green<F>) -> Vec<Probes<F>> {
        let terms = &self.pencil.random;
        let of_group = |group: usize| {
            let plan = &self.plans[group];
            let k = plan.k;
            let local = |block: usize| self.structure.place[block].1;
            let mut index = vec![vec![usize::MAX; terms.len()]; terms.len()];
            let mut count = 0;
            for t in &plan.right {
                for a in &plan.left {
                    index[*t][*a] = count;
                    count += 1;
                }
            }
            let (weights, values) = match (&self.groups[group], &green.groups[group]) {
                (GroupData::Atoms { weights, words }, GroupGreen::Atoms(g)) => {
                    let mut out = Vec::with_capacity(count);
                    for t in &plan.right {
                        for a in &plan.left {
                            let at = local(terms[*t].column) * k + local(terms[*a].row);
                            let mut h: Vec<F> =
                                g.chunks_exact(k * k).map(|cell| cell[at]).collect();
                            for word in [terms[*t].right, terms[*a].left] {
                                if let Some(values) = &words[word] {
                                    h.iter_mut().zip(values).for_each(|(h, x)| *h = *h * *x);
                                }
                            }
                            out.push(h);
                        }
                    }
                    (weights.clone(), ProbeValues::Atoms(out))
                }
                (GroupData::Dense { words, blocks, weight, .. }, GroupGreen::Dense(g)) => {
                    let mut out = Vec::with_capacity(count);
                    for t in &plan.right {
                        for a in &plan.left {
                            let at = (local(terms[*t].column), local(terms[*a].row));
                            let mut h = probe(g, blocks, at);
                            if let Some(word) = &words[terms[*t].right] {
                                h = word.product(&h);
                            }
                            if let Some(word) = &words[terms[*a].left] {
                                h = h.product(word);
                            }
                            out.push(h);
                        }
                    }
                    (vec![*weight], ProbeValues::Dense(out))
                }
                _ => (Vec::new(), ProbeValues::Atoms(Vec::new())),
            };
            Probes { index, weights, values }
        };
        (0..self.groups.len()).map(of_group).collect()
    }
}

impl<F: Number> Engine<'_, F> {
    /// The matrix K of the certificate: R = G*(η + S(R))G has a positive solution near the given
    /// one iff its spectral radius is below 1. `None` where a rotated matrix has no response.
    pub(crate) fn certificate_matrix(&self, green: &Green<F>) -> Option<Matrix<F>> {
        let probes = self.probes(green);
        let mates = &self.structure.mates;
        let c = &self.coefficients;
        let random = &self.pencil.random;
        let sides: Vec<(usize, usize)> = mates
            .iter()
            .map(|(t, _)| {
                let right = self.structure.place[random[*t].column].0;
                (right, self.structure.place[random[*t].row].0)
            })
            .collect();
        let mut k = Matrix::from_fn(mates.len(), mates.len(), |row, column| {
            if sides[row].0 != sides[column].1 {
                return F::ZERO;
            }
            let ((t, s), (a, b)) = (mates[row], mates[column]);
            c.random[a]
                * c.random[b].conj()
                * c.variance[a]
                * probes[sides[row].0].adjoint_trace((t, a), (s, b))
        });
        // Rotated matrices: normalised traces, the part w S w* taken off, then the response of R.
        let values = self.structure.rotated.iter().zip(self.rotated).zip(&green.energy.rotated);
        for ((matrix, law), (w, r)) in values {
            let m = matrix.entries.len();
            let own: Vec<usize> = (0..m * m)
                .filter_map(|at| {
                    let pair = (matrix.entries[at / m], matrix.entries[at % m]);
                    mates.iter().position(|mate| *mate == pair)
                })
                .collect();
            let normalise = c.variance[matrix.entries[0]];
            for row in &own {
                for column in 0..mates.len() {
                    *k.at_mut(*row, column) = k.at(*row, column) * normalise;
                }
            }
            // The columns carry the factor of a variance, which R does not have.
            for row in 0..mates.len() {
                for column in &own {
                    *k.at_mut(row, *column) = k.at(row, *column) / normalise;
                }
            }
            for (i, row) in own.iter().enumerate() {
                for (j, column) in own.iter().enumerate() {
                    let local = w.at(i / m, j / m) * w.at(i % m, j % m).conj();
                    *k.at_mut(*row, *column) -= local;
                }
            }
            let response = law.response(w, r)?;
            for row in 0..mates.len() {
                let before: Vec<F> = own.iter().map(|column| k.at(row, *column)).collect();
                for (j, column) in own.iter().enumerate() {
                    *k.at_mut(row, *column) = before
                        .iter()
                        .enumerate()
                        .fold(F::ZERO, |sum, (i, x)| sum + *x * response.at(i, j));
                }
            }
        }
        Some(k)
    }
}

/// H_ta = B_t G A_a of one group.
pub(crate) struct Probes<F> {
    index: Vec<Vec<usize>>,
    weights: Vec<F>,
    values: ProbeValues<F>,
}

enum ProbeValues<F> {
    Atoms(Vec<Vec<F>>),
    Dense(Vec<Matrix<F>>),
}

impl<F: Field> Probes<F> {
    /// Whether H_ta belongs to the group and is not zero.
    fn is_coupled(&self, t: usize, a: usize) -> bool {
        let nonzero = |h: &[F]| h.iter().any(|x| *x != F::ZERO);
        match (&self.values, self.index[t][a]) {
            (_, usize::MAX) => false,
            (ProbeValues::Atoms(h), at) => nonzero(&h[at]),
            (ProbeValues::Dense(h), at) => nonzero(h[at].data()),
        }
    }

    /// Tr(H_ta H_bs).
    fn pair_trace(&self, (t, a): (usize, usize), (b, s): (usize, usize)) -> F {
        let (x, y) = (self.index[t][a], self.index[b][s]);
        match &self.values {
            ProbeValues::Atoms(h) => {
                let mut sum = F::ZERO;
                for ((w, x), y) in self.weights.iter().zip(&h[x]).zip(&h[y]) {
                    sum += *w * *x * *y;
                }
                sum
            }
            ProbeValues::Dense(h) => self.weights[0] * h[x].trace_product(&h[y]),
        }
    }
}

impl<F: Number> Probes<F> {
    /// Tr(H_ta H_sb*).
    fn adjoint_trace(&self, (t, a): (usize, usize), (s, b): (usize, usize)) -> F {
        let (x, y) = (self.index[t][a], self.index[s][b]);
        let mut sum = F::ZERO;
        match &self.values {
            ProbeValues::Atoms(h) => {
                for ((w, x), y) in self.weights.iter().zip(&h[x]).zip(&h[y]) {
                    sum += *w * *x * y.conj();
                }
            }
            ProbeValues::Dense(h) => {
                for (x, y) in h[x].data().iter().zip(h[y].data()) {
                    sum += self.weights[0] * *x * y.conj();
                }
            }
        }
        sum
    }
}
