use crate::{Error, Path, Result};

/// What to minimise when a ridge is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Criterion {
    /// Generalised cross-validation (GCV₁).
    Gcv,
    /// Leave-one-out.
    Loo,
    /// GCV₂.
    Gcv2,
    /// CorrGCV.
    CorrGcv,
    /// Whitened CorrGCV.
    WhitenedCorrGcv,
    /// Cross-validation by the splits at that position of `Criteria::folds`.
    Folds(usize),
}

impl Criterion {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gcv => "GCV",
            Self::Loo => "leave-one-out",
            Self::Gcv2 => "GCV₂",
            Self::CorrGcv => "CorrGCV",
            Self::WhitenedCorrGcv => "whitened CorrGCV",
            Self::Folds(_) => "cross-validation",
        }
    }
}

/// The end of the grid at which a minimum lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// At the smallest ridge: the data ask for less regularisation than was offered (at λ = 0: for
    /// none).
    Smallest,
    /// At the largest ridge: the features explain nothing that the mean does not.
    Largest,
}

/// A chosen ridge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Position in [`Path::lambdas`].
    pub index: usize,
    /// The ridge.
    pub lambda: f64,
    /// The same in scikit-learn's convention, nλ.
    pub alpha: f64,
    /// The criterion there.
    pub value: f64,
    /// Set when the minimum lies at an end of the grid.
    pub edge: Option<Edge>,
}

impl Path {
    /// The ridge that minimises a criterion for one target; of equal minima the largest ridge.
    ///
    /// # Errors
    /// [`Error::NotComputed`] if the path has no such criterion, [`Error::NoTarget`].
    pub fn choose(&self, criterion: Criterion, target: usize) -> Result<Choice> {
        self.at_minimum(self.values(criterion, target)?)
    }

    /// One ridge for all targets: minimises the mean over targets of the criterion relative to
    /// the variance of the target (constant targets are left out).
    ///
    /// # Errors
    /// As [`Path::choose`].
    pub fn choose_shared(&self, criterion: Criterion) -> Result<Choice> {
        let mut mean = vec![0.0; self.lambdas.len()];
        let mut count = 0.0;
        for (index, target) in self.targets.iter().enumerate() {
            let values = self.values(criterion, index)?;
            if target.variance > 0.0 {
                count += 1.0;
                for (m, v) in mean.iter_mut().zip(values) {
                    *m += v / target.variance;
                }
            }
        }
        mean.iter_mut().for_each(|m| *m /= f64::max(count, 1.0));
        self.at_minimum(&mean)
    }

    /// A criterion along the ridges.
    ///
    /// # Errors
    /// As [`Path::choose`].
    pub fn values(&self, criterion: Criterion, target: usize) -> Result<&[f64]> {
        let count = self.targets.len();
        let entry = self.targets.get(target).ok_or(Error::NoTarget { index: target, count })?;
        let (list, remedy) = match criterion {
            Criterion::Gcv => (Some(&entry.gcv), ""),
            Criterion::Loo => (entry.loo.as_ref(), "set `loo`"),
            Criterion::Gcv2 => (entry.gcv2.as_ref(), "give a sample correlation"),
            Criterion::CorrGcv => (entry.corr_gcv.as_ref(), "give a sample correlation"),
            Criterion::WhitenedCorrGcv => (
                entry.whitened_corr_gcv.as_ref(),
                "set `whitened` and give a nonsingular correlation",
            ),
            Criterion::Folds(at) => {
                (entry.folds.get(at).map(|f| &f.error), "give the splits in `folds`")
            }
        };
        list.map(Vec::as_slice).ok_or(Error::NotComputed { what: criterion.name(), remedy })
    }

    fn at_minimum(&self, values: &[f64]) -> Result<Choice> {
        let better = |a: usize, b: usize| {
            values[a] < values[b] || (values[a] == values[b] && self.lambdas[a] > self.lambdas[b])
        };
        let index = (0..values.len())
            .filter(|&i| !values[i].is_nan())
            .reduce(|best, i| if better(i, best) { i } else { best })
            .ok_or(Error::Length { what: "lambdas", found: 0, expected: 1 })?;
        let lambda = self.lambdas[index];
        let largest = self.lambdas.iter().all(|l| *l <= lambda);
        let smallest = self.lambdas.iter().all(|l| *l >= lambda);
        let edge = match (largest, smallest) {
            (_, true) => Some(Edge::Smallest),
            (true, false) => Some(Edge::Largest),
            (false, false) => None,
        };
        Ok(Choice { index, lambda, alpha: lambda * self.rows as f64, value: values[index], edge })
    }
}
