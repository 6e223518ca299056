//! The numbers of a pencil in one field: coefficients, deterministic matrices, classes of unknowns.

use crate::field::Field;
use crate::formula::{Scalar, Values};
use crate::matrix::Matrix;
use crate::pencil::Pencil;

/// Values of all coefficients of a pencil.
#[derive(Clone, Debug)]
pub(crate) struct Coefficients<F> {
    pub(super) fixed: Vec<F>,
    pub(super) random: Vec<F>,
    /// Entry variance of the factor of each random entry.
    pub(super) variance: Vec<F>,
    pub(super) input: Vec<F>,
    pub(super) output: Vec<F>,
    pub(super) feedthrough: Vec<F>,
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
    pub(super) fn energy(&self, (t, s): (usize, usize)) -> F {
        self.random[t] * self.random[s] * self.variance[t]
    }

    /// Derivative of c_t c_s v.
    pub(super) fn energy_derivative(&self, d: &Self, (t, s): (usize, usize)) -> F {
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
