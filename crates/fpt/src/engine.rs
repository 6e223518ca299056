//! Evaluation of the Dyson equation in any field: G from the unknowns, the images T(τ), the
//! Jacobian, the value, directional derivatives, and (for numbers) the certificate and the rounding
//! floor. All of them are sums over the probe matrices H_ta = B_t G A_a.

use crate::field::{Field, Number};
use crate::formula::{Scalar, Values};
use crate::matrix::{Matrix, invert_in_place};
use crate::pencil::{Pencil, WordId};
use crate::structure::Structure;

/// Values of all coefficients of a pencil.
#[derive(Clone, Debug)]
pub(crate) struct Coefficients<F> {
    fixed: Vec<F>,
    random: Vec<F>,
    /// Entry variance of the factor of each random entry.
    variance: Vec<F>,
    input: Vec<F>,
    output: Vec<F>,
    feedthrough: Vec<F>,
}

impl<F: Field> Coefficients<F> {
    /// From values of the formulas; `variance` is the formula of each random factor.
    pub(crate) fn new(pencil: &Pencil, variance: &[Scalar], values: &Values<F>) -> Self {
        Self::map(pencil, variance, |s| values.at(s))
    }

    pub(crate) fn map(
        pencil: &Pencil,
        variance: &[Scalar],
        mut at: impl FnMut(Scalar) -> F,
    ) -> Self {
        Self {
            fixed: pencil.fixed.iter().map(|e| at(e.coefficient)).collect(),
            random: pencil.random.iter().map(|e| at(e.coefficient)).collect(),
            variance: pencil.random.iter().map(|e| at(variance[e.occurrence.0])).collect(),
            input: pencil.input.iter().map(|e| at(e.coefficient)).collect(),
            output: pencil.output.iter().map(|e| at(e.coefficient)).collect(),
            feedthrough: pencil.feedthrough.iter().map(|(c, _)| at(*c)).collect(),
        }
    }

    /// All coefficients.
    pub(crate) fn all(&self) -> impl Iterator<Item = F> + '_ {
        [&self.fixed, &self.random, &self.variance, &self.input, &self.output, &self.feedthrough]
            .into_iter()
            .flatten()
            .copied()
    }

    /// c_t c_s v of a pair.
    fn energy(&self, (t, s): (usize, usize)) -> F {
        self.random[t] * self.random[s] * self.variance[t]
    }

    /// Derivative of c_t c_s v.
    fn energy_derivative(&self, d: &Self, (t, s): (usize, usize)) -> F {
        d.random[t] * self.random[s] * self.variance[t]
            + self.random[t] * d.random[s] * self.variance[t]
            + self.random[t] * self.random[s] * d.variance[t]
    }
}

/// Deterministic matrices of one group.
#[derive(Clone, Debug)]
pub(crate) enum GroupData<F> {
    /// Weight of each atom (they sum to the size) and the values of the words there.
    Atoms { weights: Vec<F>, words: Vec<Option<Vec<F>>> },
    /// Matrices of the words, the offset and size of each block, and a factor of the trace.
    Dense {
        words: Vec<Option<Matrix<F>>>,
        blocks: Vec<(usize, usize)>,
        /// Sum of the sizes of the blocks.
        size: usize,
        /// Size of the dimension of the trace, if it is one of this group.
        trace_size: usize,
        weight: F,
    },
}

impl<F: Field> GroupData<F> {
    /// The same in another field.
    pub(crate) fn map<G: Field>(&self, f: impl Fn(F) -> G) -> GroupData<G> {
        match self {
            GroupData::Atoms { weights, words } => GroupData::Atoms {
                weights: weights.iter().map(|x| f(*x)).collect(),
                words: words
                    .iter()
                    .map(|w| w.as_ref().map(|w| w.iter().map(|x| f(*x)).collect()))
                    .collect(),
            },
            GroupData::Dense { words, blocks, size, trace_size, weight } => GroupData::Dense {
                words: words.iter().map(|w| w.as_ref().map(|w| w.map(&f))).collect(),
                blocks: blocks.clone(),
                size: *size,
                trace_size: *trace_size,
                weight: f(*weight),
            },
        }
    }
}

/// Which pairs share an unknown; `None` for pairs that vanish.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Classes {
    pub(crate) of: Vec<Option<usize>>,
    /// One pair a class.
    pub(crate) representatives: Vec<usize>,
}

impl Classes {
    /// Every pair on its own.
    pub(crate) fn trivial(pairs: usize) -> Self {
        Self { of: (0..pairs).map(Some).collect(), representatives: (0..pairs).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.representatives.len()
    }
}

struct Energy {
    row: usize,
    column: usize,
    class: usize,
    left: WordId,
    right: WordId,
    /// Pairs that contribute here.
    pairs: Vec<usize>,
}

/// What a group needs, with positions inside the group.
struct Plan {
    k: usize,
    /// (row, column, index of the entry).
    fixed: Vec<(usize, usize, usize)>,
    energy: Vec<Energy>,
    inverses: Vec<usize>,
    /// Random entries whose column block is here (B_t) and whose row block is here (A_a).
    right: Vec<usize>,
    left: Vec<usize>,
}

/// A pencil with its matrices, ready to evaluate.
pub(crate) struct Engine<'a, F> {
    pencil: &'a Pencil,
    structure: &'a Structure,
    classes: &'a Classes,
    coefficients: Coefficients<F>,
    groups: &'a [GroupData<F>],
    plans: Vec<Plan>,
}

/// G at some unknowns.
pub(crate) struct Green<F> {
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
    ) -> Self {
        let plans = (0..structure.groups.len()).map(|g| plan(pencil, structure, classes, g));
        let plans = plans.collect();
        Self { pencil, structure, classes, coefficients, groups, plans }
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

    /// Values of the self-energy entries of a group at unknowns u, times q.
    fn energies(&self, plan: &Plan, u: &[F], q: F) -> Vec<F> {
        let value = |e: &Energy| {
            let sum = e.pairs.iter().fold(F::ZERO, |sum, pair| {
                sum + self.coefficients.energy(self.structure.pairs[*pair])
            });
            q * sum * u[e.class]
        };
        plan.energy.iter().map(value).collect()
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

    /// (F + shift − q η(u))⁻¹, `None` if singular.
    pub(crate) fn green(&self, u: &[F], shift: F, q: F) -> Option<Green<F>> {
        let mut groups = Vec::with_capacity(self.groups.len());
        for (data, plan) in self.groups.iter().zip(&self.plans) {
            let energies = self.energies(plan, u, q);
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
        Some(Green { groups })
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

    /// ∂T_k/∂u_l for the representatives, for q = 1.
    pub(crate) fn jacobian(&self, green: &Green<F>) -> Matrix<F> {
        let n = self.unknowns();
        let mut jacobian = Matrix::zeros(n, n);
        let probes = self.probes(green);
        for group in 0..self.groups.len() {
            let rows: Vec<usize> = (0..n)
                .filter(|k| {
                    let pair = self.structure.pairs[self.classes.representatives[*k]];
                    self.structure.trace_side(self.pencil, pair) == group
                })
                .collect();
            let columns: Vec<(usize, (usize, usize), F)> = (0..self.structure.pairs.len())
                .filter_map(|p| {
                    let pair = self.structure.pairs[p];
                    let class = self.classes.of[p]?;
                    (self.structure.energy_side(self.pencil, pair) == group)
                        .then(|| (class, pair, self.coefficients.energy(pair)))
                })
                .collect();
            for k in rows {
                let (t, s) = self.structure.pairs[self.classes.representatives[k]];
                for (class, (a, b), energy) in &columns {
                    let trace = probes[group].pair_trace((t, *a), (*b, s));
                    *jacobian.at_mut(k, *class) += *energy * trace;
                }
            }
        }
        jacobian
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

    /// Derivative of the images (of the representatives) and of the value along a change of the
    /// coefficients and of the unknowns: G' = −G (F − η)' G.
    pub(crate) fn tangent(
        &self,
        green: &Green<F>,
        u: &[F],
        du: &[F],
        d: &Coefficients<F>,
    ) -> (Vec<F>, F) {
        let c = &self.coefficients;
        let mut groups = Vec::with_capacity(self.groups.len());
        for (group, plan) in self.plans.iter().enumerate() {
            let energies: Vec<F> = plan
                .energy
                .iter()
                .map(|e| {
                    e.pairs.iter().fold(F::ZERO, |sum, pair| {
                        let pair = self.structure.pairs[*pair];
                        sum + c.energy_derivative(d, pair) * u[e.class]
                            + c.energy(pair) * du[e.class]
                    })
                })
                .collect();
            groups.push(match (&self.groups[group], &green.groups[group]) {
                (GroupData::Atoms { words, .. }, GroupGreen::Atoms(g)) => {
                    let k = plan.k;
                    let mut out = vec![F::ZERO; g.len()];
                    let mut m = vec![F::ZERO; k * k];
                    let cell = (k * k).max(1);
                    let cells = g.chunks_exact(cell).zip(out.chunks_exact_mut(cell));
                    for (atom, (g, out)) in cells.enumerate() {
                        let shift = F::ZERO;
                        self.assemble_atom(plan, words, atom, &d.fixed, &energies, shift, &mut m);
                        sandwich(g, &m, k, out);
                        out.iter_mut().for_each(|x| *x = -*x);
                    }
                    GroupGreen::Atoms(out)
                }
                (GroupData::Dense { words, blocks, size, .. }, GroupGreen::Dense(g)) => {
                    let fixed = &d.fixed;
                    let m =
                        self.assemble_dense(plan, words, blocks, *size, fixed, &energies, F::ZERO);
                    GroupGreen::Dense(g.product(&m).product(g).map(|x: F| -x))
                }
                _ => GroupGreen::Atoms(Vec::new()),
            });
        }
        let moved = Green { groups };
        let images = self.images(&moved, &self.classes.representatives);
        let value = self.ports(green, |o, b| d.output[o] * c.input[b] + c.output[o] * d.input[b])
            + self.ports(&moved, |o, b| c.output[o] * c.input[b])
            + self.feedthrough(&d.feedthrough);
        (images, value)
    }
}

impl<F: Number> Engine<'_, F> {
    /// The matrix K of the certificate: R = G*(η + S(R))G has a positive solution near the given
    /// one iff its spectral radius is below 1.
    pub(crate) fn certificate_matrix(&self, green: &Green<F>) -> Matrix<F> {
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
        Matrix::from_fn(mates.len(), mates.len(), |row, column| {
            if sides[row].0 != sides[column].1 {
                return F::ZERO;
            }
            let ((t, s), (a, b)) = (mates[row], mates[column]);
            c.random[a]
                * c.random[b].conj()
                * c.variance[a]
                * probes[sides[row].0].adjoint_trace((t, a), (s, b))
        })
    }

    /// Rounding error of the images of the representatives, to first order:
    /// 2⁻⁵² Tr |B||G||F−η||G||A|.
    pub(crate) fn rounding(&self, green: &Green<F>, u: &[F], shift: F, q: F) -> Vec<f64> {
        let mut out = vec![0.0; self.unknowns()];
        let random = &self.pencil.random;
        for (group, plan) in self.plans.iter().enumerate() {
            let energies = self.energies(plan, u, q);
            let fixed = &self.coefficients.fixed;
            let k = plan.k;
            let ends = |pair: usize| {
                let (t, s) = self.structure.pairs[pair];
                let (j, i) = (random[t].column, random[s].row);
                (
                    random[t].right,
                    (self.structure.place[j].1, self.structure.place[i].1),
                    random[s].left,
                )
            };
            let here: Vec<(usize, usize)> = self
                .classes
                .representatives
                .iter()
                .copied()
                .enumerate()
                .filter(|(_, p)| {
                    self.structure.trace_side(self.pencil, self.structure.pairs[*p]) == group
                })
                .collect();
            match (&self.groups[group], &green.groups[group]) {
                (GroupData::Atoms { weights, words }, GroupGreen::Atoms(g)) => {
                    let mut m = vec![F::ZERO; k * k];
                    let mut size = vec![0.0; k * k];
                    for (atom, weight) in weights.iter().enumerate() {
                        self.assemble_atom(plan, words, atom, fixed, &energies, shift, &mut m);
                        let cell = &g[atom * k * k..(atom + 1) * k * k];
                        let absolute = |x: &[F]| x.iter().map(|x| x.abs()).collect::<Vec<f64>>();
                        sandwich(&absolute(cell), &absolute(&m), k, &mut size);
                        for (class, pair) in &here {
                            let (right, (j, i), left) = ends(*pair);
                            let word = |w: WordId| words[w].as_ref().map_or(1.0, |v| v[atom].abs());
                            out[*class] +=
                                weight.abs() * word(right) * size[j * k + i] * word(left);
                        }
                    }
                }
                (GroupData::Dense { words, blocks, size, weight, .. }, GroupGreen::Dense(g)) => {
                    let m =
                        self.assemble_dense(plan, words, blocks, *size, fixed, &energies, shift);
                    let g = g.map(Number::abs);
                    let bound = g.product(&m.map(Number::abs)).product(&g);
                    for (class, pair) in &here {
                        let (right, at, left) = ends(*pair);
                        let mut block = probe(&bound, blocks, at);
                        if let Some(word) = &words[right] {
                            block = word.map(Number::abs).product(&block);
                        }
                        out[*class] += weight.abs()
                            * match &words[left] {
                                Some(word) => block.trace_product(&word.map(Number::abs)),
                                None => block.trace(),
                            };
                    }
                }
                _ => {}
            }
        }
        out.iter().map(|x| x * f64::EPSILON).collect()
    }
}

fn plan(pencil: &Pencil, structure: &Structure, classes: &Classes, group: usize) -> Plan {
    let local = |block: usize| {
        let (g, position) = structure.place[block];
        (g == group).then_some(position)
    };
    let mut energy: Vec<Energy> = Vec::new();
    for (index, (t, s)) in structure.pairs.iter().enumerate() {
        let (t, s) = (&pencil.random[*t], &pencil.random[*s]);
        let (Some(class), Some(row), Some(column)) =
            (classes.of[index], local(t.row), local(s.column))
        else {
            continue;
        };
        let same = energy.iter_mut().find(|e| {
            (e.row, e.column, e.class, e.left, e.right) == (row, column, class, t.left, s.right)
        });
        match same {
            Some(e) => e.pairs.push(index),
            None => energy.push(Energy {
                row,
                column,
                class,
                left: t.left,
                right: s.right,
                pairs: vec![index],
            }),
        }
    }
    let terms = 0..pencil.random.len();
    Plan {
        k: structure.groups[group].blocks.len(),
        fixed: pencil
            .fixed
            .iter()
            .enumerate()
            .filter_map(|(index, e)| Some((local(e.row)?, local(e.column)?, index)))
            .collect(),
        energy,
        inverses: pencil.inverses.iter().filter_map(|b| local(*b)).collect(),
        right: terms.clone().filter(|t| local(pencil.random[*t].column).is_some()).collect(),
        left: terms.filter(|t| local(pencil.random[*t].row).is_some()).collect(),
    }
}

/// Block (j, i) of a dense G.
fn probe<F: Field>(g: &Matrix<F>, blocks: &[(usize, usize)], (j, i): (usize, usize)) -> Matrix<F> {
    let ((row, rows), (column, columns)) = (blocks[j], blocks[i]);
    g.block(row, column, rows, columns)
}

/// out = g·m·g for row-major k×k matrices.
fn sandwich<F: Field>(g: &[F], m: &[F], k: usize, out: &mut [F]) {
    let mut half = vec![F::ZERO; k * k];
    let multiply = |a: &[F], b: &[F], out: &mut [F]| {
        for i in 0..k {
            for j in 0..k {
                let dot = (0..k).fold(F::ZERO, |s, l| s + a[i * k + l] * b[l * k + j]);
                out[i * k + j] = dot;
            }
        }
    };
    multiply(g, m, &mut half);
    multiply(&half, g, out);
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
