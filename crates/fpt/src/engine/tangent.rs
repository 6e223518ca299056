//! First-order changes: the directional derivative along parameters.

use super::energy::SelfEnergy;
use super::{Coefficients, Engine, Green, GroupData, GroupGreen};
use crate::field::Field;

impl<F: Field> Engine<'_, F> {
    /// Derivative of the images (of the representatives) and of the value along a change of the
    /// coefficients and of the unknowns: G' = −G (F − Σ)' G; `None` where it does not exist.
    pub(crate) fn tangent(
        &self,
        green: &Green<F>,
        u: &[F],
        du: &[F],
        d: &Coefficients<F>,
    ) -> Option<(Vec<F>, F)> {
        let c = &self.coefficients;
        let change = self.energy_change(green, u, du, d)?;
        let mut groups = Vec::with_capacity(self.groups.len());
        for (group, plan) in self.plans.iter().enumerate() {
            let energies = plan.energies(&change);
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
        let energy = SelfEnergy { pairs: Vec::new(), rotated: Vec::new() };
        let moved = Green { energy, groups };
        let images = self.images(&moved, &self.classes.representatives);
        let value = self.ports(green, |o, b| d.output[o] * c.input[b] + c.output[o] * d.input[b])
            + self.ports(&moved, |o, b| c.output[o] * c.input[b])
            + self.feedthrough(&d.feedthrough);
        Some((images, value))
    }
}

/// out = g·m·g for row-major k×k matrices.
pub(super) fn sandwich<F: Field>(g: &[F], m: &[F], k: usize, out: &mut [F]) {
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
