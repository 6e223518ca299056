//! What the emitted programs need to know about a system.

use super::polynomial::Var;
use super::system::{Body, Over, Side, System};
use crate::error::{Error, Result};
use crate::input::Concrete;
use crate::model::Model;
use crate::nodes::Letter;
use std::collections::BTreeSet;

/// Deterministic matrices and dimensions that a system mentions.
pub(super) struct Needs {
    /// Matrices whose eigenvalues appear.
    pub(super) spectra: BTreeSet<usize>,
    /// Letters of block matrices.
    pub(super) letters: Vec<Letter>,
    /// Dimensions summed over.
    pub(super) modes: BTreeSet<usize>,
}

impl Needs {
    pub(super) fn new(system: &System) -> Self {
        let mut needs =
            Needs { spectra: BTreeSet::new(), letters: Vec::new(), modes: BTreeSet::new() };
        let bodies = system.equations.iter().map(|e| &e.body).chain(&system.traces);
        for body in bodies {
            for (over, ratio) in &body.side {
                if let Over::Modes(d) = over {
                    needs.modes.insert(*d);
                }
                let bases = ratio.below.keys().map(|b| &system.bases.0[*b]);
                for p in std::iter::once(&ratio.top).chain(bases) {
                    for (var, _) in p.0.keys().flatten() {
                        if let Var::Spectrum(m) | Var::Power(m, _) = var {
                            needs.spectra.insert(*m);
                        }
                    }
                }
            }
            for block in &body.blocks {
                needs.letters.extend(block.right.iter().chain(&block.left));
            }
        }
        for matrix in &system.matrices {
            needs.letters.extend(matrix.entries.iter().flat_map(|(_, _, _, word)| word));
        }
        needs.letters.sort_by_key(|l| (l.matrix, l.power().to_bits(), l.transposed));
        needs.letters.dedup();
        needs
    }

    /// Arguments that are arrays: spectra and matrices, by index.
    pub(super) fn arrays(&self) -> BTreeSet<usize> {
        self.spectra.iter().copied().chain(self.letters.iter().map(|l| l.matrix)).collect()
    }
}

/// ∂(side)/∂u as sides, `None` entries where it vanishes.
pub(super) fn jacobian(system: &System) -> Result<Vec<Vec<Side>>> {
    let n = system.equations.len();
    let derivative = |body: &Body, k: usize| -> Result<Side> {
        let mut out = Side::new();
        for (over, ratio) in &body.side {
            let slope = ratio.derivative(Var::Unknown(k), &system.bases).ok_or_else(too_large)?;
            if !slope.top.is_zero() {
                out.push((*over, slope));
            }
        }
        Ok(out)
    };
    system.equations.iter().map(|e| (0..n).map(|k| derivative(&e.body, k)).collect()).collect()
}

fn too_large() -> Error {
    Error::invalid("expression", "the Jacobian is too large to write out; split the expression")
}

/// The certified unknowns, in the numbering of the system.
pub(super) fn certified(model: &Model, system: &System) -> Option<Vec<f64>> {
    let unknowns = model.is_real().then(|| model.solve::<f64>(model.parameters(), None).ok())??;
    let unknowns = unknowns.unknowns();
    let mut out = Vec::with_capacity(system.equations.len());
    for equation in &system.equations {
        let (trace, t, s) = equation.meaning;
        let structure = &model.traces[trace].structure;
        let pair = structure.pairs.iter().position(|p| *p == (t, s))?;
        out.push(unknowns[trace][model.traces[trace].reduction.classes.of[pair]?]);
    }
    Some(out)
}

/// Whether a matrix is given by its eigenvalues.
pub(super) fn is_vector(model: &Model, matrix: usize) -> bool {
    matches!(*model.program.declarations.fixed[matrix].entries, Concrete::Diagonal(_))
}
