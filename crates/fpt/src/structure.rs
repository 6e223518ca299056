//! What of the Dyson equation depends on the pencil alone: which blocks can couple, which pairs of
//! random entries have a self-energy, which pairs enter the certificate.
//!
//! With −Q = Σ_t c_t A_t Z_t B_t the average resolvent G = E L⁻¹ solves G = (F − η(G))⁻¹,
//! η(M) = E[Q M Q]. For independent entries of variance v only E[Z M Zᵀ] = v Tr(M) I and
//! E[Zᵀ M Z] = v Tr(M) I survive at large size, so η has one unknown for each ordered pair (t, s) of
//! entries of one factor and opposite transposition (any two entries for a symmetric factor):
//! τ_ts = Tr(B_t G A_s), and it contributes c_t c_s v τ_ts A_t B_s.
//! (Helton, Rashidi Far and Speicher 2007; Ajanki, Erdős and Krüger 2019.) A Haar-rotated matrix has
//! the same unknowns, for any two of its entries; its self-energy is in [`crate::rotation`].

use crate::input::{Concrete, RandomKind};
use crate::nodes::Letter;
use crate::pencil::{Pencil, WordId};
use crate::typing::Declarations;

/// How a group of blocks is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evaluation {
    /// Nothing deterministic: one small matrix.
    Scalar,
    /// Commuting matrices: one small matrix an atom.
    Atoms,
    /// One symmetric matrix alone: its eigenvalues are the atoms.
    Eigenvalues(usize),
    /// Matrices that do not commute: one large matrix.
    Dense,
}

/// Blocks that can couple: those of one dimension, or of several that rectangular deterministic
/// matrices tie together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) dimensions: Vec<usize>,
    pub(crate) blocks: Vec<usize>,
    pub(crate) evaluation: Evaluation,
}

/// The occurrences of a Haar-rotated matrix.
#[derive(Clone, Debug)]
pub(crate) struct RotatedMatrix {
    pub(crate) factor: usize,
    /// Random entries of the pencil.
    pub(crate) entries: Vec<usize>,
    /// Index of the pair of the i-th and j-th of them at i·(number of entries) + j.
    pub(crate) pairs: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Structure {
    pub(crate) groups: Vec<Group>,
    /// (group, position in it) of each block.
    pub(crate) place: Vec<(usize, usize)>,
    /// Group of the trace.
    pub(crate) trace_group: usize,
    /// Group of each used word that is not empty.
    pub(crate) word_group: Vec<Option<usize>>,
    /// Rotated matrices that occur.
    pub(crate) rotated: Vec<RotatedMatrix>,
    /// Pairs with a self-energy.
    pub(crate) pairs: Vec<(usize, usize)>,
    /// Pairs of the certificate.
    pub(crate) mates: Vec<(usize, usize)>,
}

impl Structure {
    pub(crate) fn new(pencil: &Pencil, declarations: &Declarations) -> Self {
        let used = used_words(pencil);
        let mut parent: Vec<usize> = (0..declarations.dimensions.len()).collect();
        fn root(parent: &[usize], mut d: usize) -> usize {
            while parent[d] != d {
                d = parent[d];
            }
            d
        }
        for word in &used {
            for letter in pencil.words.letters(*word) {
                let (r, c) = declarations.fixed[letter.matrix].shape;
                let (r, c) = (root(&parent, r), root(&parent, c));
                parent[r.max(c)] = r.min(c);
            }
        }
        let mut roots: Vec<usize> = Vec::new();
        for d in pencil.blocks.iter().chain([&pencil.dimension]) {
            let r = root(&parent, *d);
            if !roots.contains(&r) {
                roots.push(r);
            }
        }
        let group_of = |d: usize| roots.iter().position(|r| *r == root(&parent, d));
        let mut groups: Vec<Group> = roots
            .iter()
            .map(|r| Group {
                dimensions: (0..parent.len()).filter(|d| root(&parent, *d) == *r).collect(),
                blocks: Vec::new(),
                evaluation: Evaluation::Scalar,
            })
            .collect();
        let mut place = Vec::with_capacity(pencil.blocks.len());
        for (block, d) in pencil.blocks.iter().enumerate() {
            let group = group_of(*d).unwrap_or(0);
            place.push((group, groups[group].blocks.len()));
            groups[group].blocks.push(block);
        }
        let mut word_group = vec![None; pencil.words.len()];
        let mut letters: Vec<Vec<Letter>> = vec![Vec::new(); groups.len()];
        for word in &used {
            let word_letters = pencil.words.letters(*word);
            let Some(first) = word_letters.first() else { continue };
            let group = group_of(declarations.fixed[first.matrix].shape.0);
            word_group[*word] = group;
            if let Some(group) = group {
                letters[group].extend(word_letters);
            }
        }
        for (group, letters) in groups.iter_mut().zip(&letters) {
            group.evaluation = evaluation(letters, declarations);
        }
        let trace_group = group_of(pencil.dimension).unwrap_or(0);

        let n = pencil.random.len();
        let all = || (0..n).flat_map(|t| (0..n).map(move |s| (t, s)));
        let related = |t: usize, s: usize, opposite: bool| {
            let ((f, turned), (g, other)) =
                (pencil.random[t].occurrence, pencil.random[s].occurrence);
            let symmetric = declarations.random[f].kind.is_symmetric();
            f == g && (symmetric || (turned != other) == opposite)
        };
        let pairs: Vec<(usize, usize)> = all().filter(|(t, s)| related(*t, *s, true)).collect();
        let mut rotated: Vec<RotatedMatrix> = Vec::new();
        for (index, random) in declarations.random.iter().enumerate() {
            let occurs = |t: &usize| pencil.random[*t].occurrence.0 == index;
            let entries: Vec<usize> = (0..n).filter(occurs).collect();
            if random.kind == RandomKind::Haar && !entries.is_empty() {
                // All pairs of entries of one rotated matrix are related.
                let own = (0..pairs.len()).filter(|p| occurs(&pairs[*p].0)).collect();
                rotated.push(RotatedMatrix { factor: index, entries, pairs: own });
            }
        }
        Self {
            groups,
            place,
            trace_group,
            word_group,
            rotated,
            pairs,
            mates: all().filter(|(t, s)| related(*t, *s, false)).collect(),
        }
    }

    /// Whether a random entry is of a rotated matrix.
    pub(crate) fn is_rotated(&self, pencil: &Pencil, entry: usize) -> bool {
        self.rotated.iter().any(|r| r.factor == pencil.random[entry].occurrence.0)
    }

    /// Group in which τ of a pair is a trace: that of the column block of t and the row block of s.
    pub(crate) fn trace_side(&self, pencil: &Pencil, (t, _): (usize, usize)) -> usize {
        self.place[pencil.random[t].column].0
    }

    /// Group in which a pair contributes to the self-energy.
    pub(crate) fn energy_side(&self, pencil: &Pencil, (t, _): (usize, usize)) -> usize {
        self.place[pencil.random[t].row].0
    }
}

fn used_words(pencil: &Pencil) -> Vec<WordId> {
    let mut used: Vec<WordId> = pencil
        .fixed
        .iter()
        .map(|e| e.word)
        .chain(pencil.random.iter().flat_map(|e| [e.left, e.right]))
        .chain(pencil.input.iter().map(|e| e.word))
        .chain(pencil.output.iter().map(|e| e.word))
        .chain(pencil.feedthrough.iter().map(|(_, w)| *w))
        .collect();
    used.sort_unstable();
    used.dedup();
    used
}

fn evaluation(letters: &[Letter], declarations: &Declarations) -> Evaluation {
    let Some(first) = letters.first() else { return Evaluation::Scalar };
    let entries = |l: &Letter| &*declarations.fixed[l.matrix].entries;
    if letters.iter().all(|l| matches!(entries(l), Concrete::Diagonal(_))) {
        Evaluation::Atoms
    } else if matches!(entries(first), Concrete::Symmetric(_))
        && letters.iter().all(|l| l.matrix == first.matrix)
    {
        Evaluation::Eigenvalues(first.matrix)
    } else {
        Evaluation::Dense
    }
}
