//! What a solved chain shows: its ridges, degrees of freedom and derivatives.

use crate::Scalar;
use crate::stage::{Memory, Seen};

/// How a solve went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Diagnostics {
    /// Newton steps taken (0 for an explicit evaluation).
    pub iterations: usize,
    /// |λ(κ)/λ − 1| at the end; absolute where λ = 0.
    pub residual: f64,
    /// Bound on the relative error from spectral compression; 0 where every mode was summed.
    pub compression: f64,
}

/// The chain evaluated at a solution: every intermediate ridge and its derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution<T> {
    /// The ridge λ that was asked for (for an explicit evaluation, the one that belongs to κ).
    pub lambda: T,
    /// What is seen at the population (`seen[0]`) and after each stage (`seen[j]`).
    pub seen: Vec<Seen<T>>,
    /// Inner roots of the stages.
    pub(crate) memory: Vec<Memory<T>>,
    /// Iterations, residual, compression.
    pub diagnostics: Diagnostics,
}

impl<T: Scalar> Solution<T> {
    /// The innermost ridge κ, the one the population modes see.
    pub fn kappa(&self) -> T {
        self.seen[0].kappa.a
    }

    /// The ridge seen after `stages` stages: 0 gives κ, all of them λ.
    pub fn ridge_after(&self, stages: usize) -> T {
        self.seen[stages].ridge().a
    }

    /// Degrees of freedom after the last stage, tails included (un-normalised).
    pub fn dof(&self) -> T {
        self.last().dof.a
    }

    /// dlnκ/dlnλ.
    pub fn elasticity(&self) -> T {
        self.last().kappa_elasticity()
    }

    fn last(&self) -> &Seen<T> {
        &self.seen[self.seen.len() - 1]
    }

    /// −dlnD/dlnK of the feature chain, K the ridge before the last stage: 1 − df2/df1 where
    /// nothing stands between population and samples.
    pub fn dof_decay(&self) -> T {
        let before = &self.seen[self.seen.len().saturating_sub(2)];
        -before.dof.ab * before.kappa.a * before.kappa_elasticity() / before.dof.a
    }

    /// 1 − df̃2/D of a last stage of samples: 1 − D/n for independent rows.
    pub fn sample_decay(&self) -> T {
        let last = self.last();
        let flat = -last.dof.ab * last.step.a;
        flat / (flat + last.step.ab * last.dof.a)
    }

    /// df̃2/D² of a last stage of samples, without subtraction: 1/n for independent rows.
    pub fn sample_concentration(&self) -> T {
        let last = self.last();
        last.step.ab / (last.step.ab * last.dof.a - last.dof.ab * last.step.a)
    }

    /// 1 − γ with γ = (D + dD/dlnK)·df̃2/D², for a chain that ends with samples: the factor by which
    /// sampling amplifies the error, in the form a + ã − aã that has no cancellation.
    pub fn one_minus_gamma(&self) -> T {
        let (a, b) = (self.dof_decay(), self.sample_decay());
        a + b - a * b
    }

    /// df̃2 of a last stage of samples.
    pub fn sample_df2(&self) -> T {
        self.last().dof.a * self.last().dof.a * self.sample_concentration()
    }
}
