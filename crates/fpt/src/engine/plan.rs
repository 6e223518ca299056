//! What each group of blocks has to assemble, with positions inside the group.

use super::Classes;
use crate::field::Field;
use crate::pencil::{Pencil, WordId};
use crate::structure::Structure;

/// A place where pairs of random entries contribute to the self-energy.
pub(super) struct Energy {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) left: WordId,
    pub(super) right: WordId,
    /// Pairs that contribute here.
    pub(super) pairs: Vec<usize>,
}

/// What a group needs, with positions inside the group.
pub(super) struct Plan {
    pub(super) k: usize,
    /// (row, column, index of the entry).
    pub(super) fixed: Vec<(usize, usize, usize)>,
    pub(super) energy: Vec<Energy>,
    pub(super) inverses: Vec<usize>,
    /// Random entries whose column block is here (B_t) and whose row block is here (A_a).
    pub(super) right: Vec<usize>,
    pub(super) left: Vec<usize>,
}

impl Plan {
    /// Values of the self-energy entries of the group from those of the pairs.
    pub(super) fn energies<F: Field>(&self, pairs: &[F]) -> Vec<F> {
        let sum = |e: &Energy| e.pairs.iter().fold(F::ZERO, |sum, pair| sum + pairs[*pair]);
        self.energy.iter().map(sum).collect()
    }
}

pub(super) fn plan(
    pencil: &Pencil,
    structure: &Structure,
    classes: &Classes,
    group: usize,
) -> Plan {
    let local = |block: usize| {
        let (g, position) = structure.place[block];
        (g == group).then_some(position)
    };
    let mut energy: Vec<Energy> = Vec::new();
    for (index, (t, s)) in structure.pairs.iter().enumerate() {
        // A pair that vanishes has no self-energy, save that of the mean of a rotated matrix.
        if classes.of[index].is_none() && !structure.is_rotated(pencil, *t) {
            continue;
        }
        let (t, s) = (&pencil.random[*t], &pencil.random[*s]);
        let (Some(row), Some(column)) = (local(t.row), local(s.column)) else { continue };
        let same = energy
            .iter_mut()
            .find(|e| (e.row, e.column, e.left, e.right) == (row, column, t.left, s.right));
        match same {
            Some(e) => e.pairs.push(index),
            None => {
                energy.push(Energy {
                    row,
                    column,
                    left: t.left,
                    right: s.right,
                    pairs: vec![index],
                });
            }
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
