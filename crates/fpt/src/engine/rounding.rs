//! Rounding errors to first order.

use super::tangent::sandwich;
use super::{Engine, Green, GroupData, GroupGreen, probe};
use crate::field::Number;
use crate::pencil::WordId;

impl<F: Number> Engine<'_, F> {
    /// Rounding error of the images of the representatives, to first order:
    /// 2⁻⁵² Tr |B||G||F−η||G||A|.
    pub(crate) fn rounding(&self, green: &Green<F>, shift: F) -> Vec<f64> {
        let mut out = vec![0.0; self.unknowns()];
        let random = &self.pencil.random;
        for (group, plan) in self.plans.iter().enumerate() {
            let energies = plan.energies(&green.energy.pairs);
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
