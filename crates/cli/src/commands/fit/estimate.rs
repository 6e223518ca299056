use rmt_estimators::{Choice, Criterion, Diagnosis, Edge, LearningPoint, Path, RowCorrelation};

/// A fit with everything that is said about it.
pub(super) struct Fit {
    pub(super) rows: usize,
    pub(super) features: usize,
    pub(super) path: Path,
    /// How rows are correlated; `None` when they are taken as independent.
    pub(super) correlated: Option<RowCorrelation>,
    /// What chose the ridge, and the estimate that is recommended.
    pub(super) chosen_by: Criterion,
    /// Names of the splits behind [`Criterion::Folds`], and how they are made.
    pub(super) folds: Vec<(&'static str, String)>,
    /// How the residuals compare with what CorrGCV assumes, target by target looked at.
    pub(super) diagnoses: Vec<Diagnosis>,
    /// Why CorrGCV is not to be trusted, if it is not.
    pub(super) doubt: Option<Doubt>,
    pub(super) targets: Vec<TargetFit>,
    pub(super) learning: Vec<LearningPoint>,
    pub(super) notes: Vec<String>,
}

/// An estimate of the out-of-sample error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measure {
    Criterion(Criterion),
    /// Risk and noise of the two-component fit, the noise being white.
    TwoComponents,
}

/// What speaks against CorrGCV.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Doubt {
    /// The residuals are not correlated as rows and noise of one correlation would make them.
    Residuals,
    /// Blocks or groups left out are predicted better than CorrGCV says, beyond their spread: the
    /// noise is less correlated than the rows.
    BlocksBetter,
    /// They are predicted worse: parts of the rows differ.
    BlocksWorse,
}

/// The chosen ridge of one target and its estimates.
pub(super) struct TargetFit {
    pub(super) name: String,
    /// Position of the ridge in the path.
    pub(super) index: usize,
    pub(super) lambda: f64,
    pub(super) glmnet_lambda: f64,
    pub(super) edge: Option<Edge>,
    pub(super) variance: f64,
    pub(super) train_error: f64,
    pub(super) estimates: Vec<Estimate>,
    pub(super) horizon_error: Option<f64>,
    pub(super) intercept: f64,
    pub(super) coefficients: Vec<f64>,
    pub(super) chosen_by: Criterion,
}

/// One estimate at the chosen ridge.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    pub(super) measure: Measure,
    pub(super) error: f64,
    /// 95 % band, for single targets.
    pub(super) band: Option<(f64, f64)>,
}

/// A fit on some rows, tested on others.
pub(super) struct Trial {
    pub(super) train_rows: usize,
    pub(super) test_rows: usize,
    pub(super) fit: Fit,
    /// Mean squared error on the test rows at each target's own ridge.
    pub(super) realised: Vec<f64>,
    /// For a single target: the same at every ridge of the path.
    pub(super) realised_path: Option<Vec<f64>>,
}

impl TargetFit {
    /// The recommended estimate.
    pub(super) fn promised(&self) -> f64 {
        self.estimate(Measure::Criterion(self.chosen_by)).unwrap_or(f64::NAN)
    }

    /// One estimate at the chosen ridge.
    pub(super) fn estimate(&self, measure: Measure) -> Option<f64> {
        self.estimates.iter().find(|e| e.measure == measure).map(|e| e.error)
    }
}

impl Fit {
    /// What most of the targets looked at say against CorrGCV at their ridges.
    pub(super) fn doubt(&self, choices: &[Choice]) -> Option<Doubt> {
        let most = |count: usize, of: usize| 2 * count > of;
        let residuals = self.diagnoses.iter().filter(|d| !d.supports_corr_gcv()).count();
        if most(residuals, self.diagnoses.len()) {
            return Some(Doubt::Residuals);
        }
        let (mut better, mut worse) = (0, 0);
        for (entry, choice) in self.path.targets.iter().zip(choices) {
            let (Some(corr_gcv), Some(folds)) = (&entry.corr_gcv, entry.folds.first()) else {
                return None;
            };
            let i = choice.index;
            let (blocks, spread) = (folds.error[i], 2.0 * folds.standard_error[i]);
            better += usize::from(blocks + spread < corr_gcv[i]);
            worse += usize::from(blocks - spread > corr_gcv[i]);
        }
        match (most(better, choices.len()), most(worse, choices.len())) {
            (true, _) => Some(Doubt::BlocksBetter),
            (_, true) => Some(Doubt::BlocksWorse),
            _ => None,
        }
    }

    /// Name of what chose the ridge.
    pub(super) fn judge(&self) -> &str {
        self.name(Measure::Criterion(self.chosen_by))
    }

    /// Name of a measure for people.
    pub(super) fn name(&self, measure: Measure) -> &str {
        match measure {
            Measure::Criterion(Criterion::Folds(index)) => {
                self.folds.get(index).map_or("", |(name, _)| name)
            }
            Measure::Criterion(criterion) => criterion.name(),
            Measure::TwoComponents => "two components, white noise",
        }
    }

    /// The values of a measure along the path.
    pub(super) fn along(&self, measure: Measure, target: usize) -> Option<Vec<f64>> {
        match measure {
            Measure::Criterion(criterion) => {
                self.path.values(criterion, target).ok().map(<[f64]>::to_vec)
            }
            Measure::TwoComponents => {
                let list = self.path.targets.get(target)?.two_component.as_ref()?;
                let total = |c: &rmt_estimators::TwoComponent| {
                    let (risk, noise, _) = c.clipped();
                    risk + noise
                };
                Some(list.iter().map(total).collect())
            }
        }
    }
}
