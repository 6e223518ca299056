//! Evaluation of the Dyson equation in any field: the self-energy from the unknowns, G from the
//! self-energy, the images T(τ), the Jacobian, the value, directional derivatives, and (for numbers)
//! the certificate and the rounding floor. All of them are sums over the probe matrices
//! H_ta = B_t G A_a.

use crate::field::Field;
use crate::matrix::{Matrix, invert_in_place};
use crate::pencil::{Pencil, WordId};
use crate::rotation::Rotated;
use crate::structure::Structure;

mod data;
mod energy;
mod plan;
mod probes;
mod rounding;
mod tangent;

pub(crate) use data::{Classes, Coefficients, GroupData};
use energy::SelfEnergy;
use plan::{Plan, plan};

/// A pencil with its matrices, ready to evaluate.
pub(crate) struct Engine<'a, F> {
    pencil: &'a Pencil,
    structure: &'a Structure,
    classes: &'a Classes,
    coefficients: Coefficients<F>,
    groups: &'a [GroupData<F>],
    /// Laws of the rotated matrices, in the order of [`Structure::rotated`].
    rotated: &'a [Rotated<F>],
    plans: Vec<Plan>,
}

/// G at some unknowns.
pub(crate) struct Green<F> {
    energy: SelfEnergy<F>,
    groups: Vec<GroupGreen<F>>,
}

enum GroupGreen<F> {
    /// k×k matrices, one an atom.
    Atoms(Vec<F>),
    Dense(Matrix<F>),
}

impl<'a, F: Field> Engine<'a, F> {
    pub(crate) fn new(
        pencil: &'a Pencil,
        structure: &'a Structure,
        classes: &'a Classes,
        coefficients: Coefficients<F>,
        groups: &'a [GroupData<F>],
        rotated: &'a [Rotated<F>],
    ) -> Self {
        let plans = (0..structure.groups.len()).map(|g| plan(pencil, structure, classes, g));
        let plans = plans.collect();
        Self { pencil, structure, classes, coefficients, groups, rotated, plans }
    }

    pub(crate) fn unknowns(&self) -> usize {
        self.classes.len()
    }

    /// One pair for each unknown.
    pub(crate) fn representatives(&self) -> &[usize] {
        &self.classes.representatives
    }

    /// The unknown of a pair, `None` if the pair vanishes.
    pub(crate) fn class(&self, pair: usize) -> Option<usize> {
        self.classes.of[pair]
    }

    /// F − η at one atom, written into `m`.
    fn assemble_atom(
        &self,
        plan: &Plan,
        words: &[Option<Vec<F>>],
        atom: usize,
        fixed: &[F],
        energies: &[F],
        shift: F,
        m: &mut [F],
    ) {
        let word = |w: WordId, c: F| match &words[w] {
            Some(values) => c * values[atom],
            None => c,
        };
        m.fill(F::ZERO);
        for (i, j, entry) in &plan.fixed {
            m[i * plan.k + j] += word(self.pencil.fixed[*entry].word, fixed[*entry]);
        }
        for (e, value) in plan.energy.iter().zip(energies) {
            m[e.row * plan.k + e.column] -= word(e.left, word(e.right, *value));
        }
        for i in &plan.inverses {
            m[i * plan.k + i] += shift;
        }
    }

    /// F − η of a dense group.
    fn assemble_dense(
        &self,
        plan: &Plan,
        words: &[Option<Matrix<F>>],
        blocks: &[(usize, usize)],
        size: usize,
        fixed: &[F],
        energies: &[F],
        shift: F,
    ) -> Matrix<F> {
        let mut m = Matrix::zeros(size, size);
        let add = |m: &mut Matrix<F>, i: usize, j: usize, value: F, word: Option<&Matrix<F>>| {
            let ((row, rows), (column, _)) = (blocks[i], blocks[j]);
            match word {
                Some(word) => m.add_block(row, column, value, word),
                None => (0..rows).for_each(|r| *m.at_mut(row + r, column + r) += value),
            }
        };
        for (i, j, entry) in &plan.fixed {
            let word = words[self.pencil.fixed[*entry].word].as_ref();
            add(&mut m, *i, *j, fixed[*entry], word);
        }
        for (e, value) in plan.energy.iter().zip(energies) {
            match (&words[e.left], &words[e.right]) {
                (Some(left), Some(right)) => {
                    add(&mut m, e.row, e.column, -*value, Some(&left.product(right)));
                }
                (left, right) => {
                    add(&mut m, e.row, e.column, -*value, left.as_ref().or(right.as_ref()));
                }
            }
        }
        for i in &plan.inverses {
            add(&mut m, *i, *i, shift, None);
        }
        m
    }

    /// (F + shift − Σ(u))⁻¹ with all variances times q, `None` if singular.
    pub(crate) fn green(&self, u: &[F], shift: F, q: F) -> Option<Green<F>> {
        let energy = self.self_energy(u, q)?;
        let mut groups = Vec::with_capacity(self.groups.len());
        for (data, plan) in self.groups.iter().zip(&self.plans) {
            let energies = plan.energies(&energy.pairs);
            let fixed = &self.coefficients.fixed;
            groups.push(match data {
                GroupData::Atoms { weights, words } => {
                    let cell = plan.k * plan.k;
                    let mut values = vec![F::ZERO; weights.len() * cell];
                    let mut swaps = vec![0; plan.k];
                    if cell > 0 {
                        for (atom, m) in values.chunks_exact_mut(cell).enumerate() {
                            self.assemble_atom(plan, words, atom, fixed, &energies, shift, m);
                            if !invert_in_place(m, plan.k, &mut swaps) {
                                return None;
                            }
                        }
                    }
                    GroupGreen::Atoms(values)
                }
                GroupData::Dense { words, blocks, size, .. } => {
                    let m =
                        self.assemble_dense(plan, words, blocks, *size, fixed, &energies, shift);
                    GroupGreen::Dense(if *size == 0 { m } else { F::invert(&m)? })
                }
            });
        }
        Some(Green { energy, groups })
    }

    /// Tr(right · G[j, i] · left) in a group, blocks by their position in the group.
    fn trace(
        &self,
        group: usize,
        green: &GroupGreen<F>,
        right: WordId,
        (j, i): (usize, usize),
        left: WordId,
    ) -> F {
        let k = self.plans[group].k;
        match (&self.groups[group], green) {
            (GroupData::Atoms { weights, words }, GroupGreen::Atoms(values)) => {
                let mut sum = F::ZERO;
                let (right, left) = (words[right].as_deref(), words[left].as_deref());
                for (atom, weight) in weights.iter().enumerate() {
                    let mut x = *weight * values[atom * k * k + j * k + i];
                    if let Some(word) = right {
                        x = x * word[atom];
                    }
                    if let Some(word) = left {
                        x = x * word[atom];
                    }
                    sum += x;
                }
                sum
            }
            (GroupData::Dense { words, blocks, weight, .. }, GroupGreen::Dense(g)) => {
                let block = probe(g, blocks, (j, i));
                let block = match &words[right] {
                    Some(word) => word.product(&block),
                    None => block,
                };
                *weight
                    * match &words[left] {
                        Some(word) => block.trace_product(word),
                        None => block.trace(),
                    }
            }
            // Data and G of one group are made alike in `green`.
            _ => F::ZERO,
        }
    }

    /// T(τ) for the given pairs.
    pub(crate) fn images(&self, green: &Green<F>, pairs: &[usize]) -> Vec<F> {
        let one = |pair: &usize| {
            let (t, s) = self.structure.pairs[*pair];
            let (t, s) = (&self.pencil.random[t], &self.pencil.random[s]);
            let (group, j) = self.structure.place[t.column];
            let (_, i) = self.structure.place[s.row];
            self.trace(group, &green.groups[group], t.right, (j, i), s.left)
        };
        pairs.iter().map(one).collect()
    }

    /// Σ_o,b c_o c_b Tr(D_o G D_b), the coefficients as given.
    fn ports(&self, green: &Green<F>, coefficient: impl Fn(usize, usize) -> F) -> F {
        let mut sum = F::ZERO;
        for (o, out) in self.pencil.output.iter().enumerate() {
            for (b, input) in self.pencil.input.iter().enumerate() {
                let (group, j) = self.structure.place[out.block];
                let (other, i) = self.structure.place[input.block];
                if group == other {
                    let g = &green.groups[group];
                    sum += coefficient(o, b) * self.trace(group, g, out.word, (j, i), input.word);
                }
            }
        }
        sum
    }

    fn feedthrough(&self, coefficients: &[F]) -> F {
        let group = self.structure.trace_group;
        let mut sum = F::ZERO;
        for (c, (_, word)) in coefficients.iter().zip(&self.pencil.feedthrough) {
            sum += *c
                * match &self.groups[group] {
                    GroupData::Atoms { weights, words } => match &words[*word] {
                        Some(values) => {
                            weights.iter().zip(values).fold(F::ZERO, |s, (w, x)| s + *w * *x)
                        }
                        None => weights.iter().fold(F::ZERO, |s, w| s + *w),
                    },
                    GroupData::Dense { words, weight, trace_size, .. } => match &words[*word] {
                        Some(matrix) => *weight * matrix.trace(),
                        None => *weight * F::from_number(*trace_size as f64),
                    },
                };
        }
        sum
    }

    /// The trace at G.
    pub(crate) fn value(&self, green: &Green<F>) -> F {
        let c = &self.coefficients;
        self.ports(green, |o, b| c.output[o] * c.input[b]) + self.feedthrough(&c.feedthrough)
    }
}

/// Block (j, i) of a dense G.
fn probe<F: Field>(g: &Matrix<F>, blocks: &[(usize, usize)], (j, i): (usize, usize)) -> Matrix<F> {
    let ((row, rows), (column, columns)) = (blocks[j], blocks[i]);
    g.block(row, column, rows, columns)
}
