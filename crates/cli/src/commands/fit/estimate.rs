use super::Args;
use super::correlation::{Correlated, Correlation, read_matrix};
use crate::dataset::Dataset;
use crate::failure::{Failure, Result};
use crate::holdout::Split;
use crate::progress::Progress;
use rayon::prelude::*;
use rmt_estimators::{
    Coefficients, Criteria, Criterion, Diagnosis, Edge, Error, Folds, LearningPoint, Options, Path,
    Regression, Table, Uncertainty,
};
use rmt_models::kernel::{DENSE_LIMIT, Family, SampleCorrelation, SpectrumMethod};

type Estimated<T> = std::result::Result<T, Error>;

/// How every fit of this run is made: the one on all rows and those with rows kept back.
pub(super) struct Plan<'a> {
    args: &'a Args,
    /// A matrix from a file; it is cut to the rows of each fit.
    matrix: Option<Vec<Vec<f64>>>,
}

/// A fit with everything that is said about it.
pub(super) struct Fit {
    pub(super) rows: usize,
    pub(super) features: usize,
    pub(super) path: Path,
    /// How rows are correlated; `None` when they are taken as independent.
    pub(super) correlated: Option<Correlated>,
    /// What chose the ridge, and the estimate that is recommended.
    pub(super) chosen_by: Measure,
    /// Names of the splits behind [`Measure::Folds`], and how they are made.
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
    /// Cross-validation by the split of that position.
    Folds(usize),
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
    chosen_by: Measure,
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
        self.estimate(self.chosen_by).unwrap_or(f64::NAN)
    }

    /// One estimate at the chosen ridge.
    pub(super) fn estimate(&self, measure: Measure) -> Option<f64> {
        self.estimates.iter().find(|e| e.measure == measure).map(|e| e.error)
    }
}

impl Fit {
    /// What most of the targets looked at say against CorrGCV at their ridges.
    fn doubt(&self, choices: &[Chosen]) -> Option<Doubt> {
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

    /// Name of a measure for people.
    pub(super) fn name(&self, measure: Measure) -> &str {
        match measure {
            Measure::Criterion(criterion) => criterion.name(),
            Measure::Folds(index) => self.folds.get(index).map_or("", |(name, _)| name),
            Measure::TwoComponents => "two components, white noise",
        }
    }

    /// The values of a measure along the path.
    pub(super) fn along(&self, measure: Measure, target: usize) -> Option<Vec<f64>> {
        along(&self.path, measure, target)
    }
}

fn along(path: &Path, measure: Measure, target: usize) -> Option<Vec<f64>> {
    let entry = path.targets.get(target)?;
    match measure {
        Measure::Criterion(criterion) => path.values(criterion, target).ok().map(<[f64]>::to_vec),
        Measure::Folds(index) => entry.folds.get(index).map(|f| f.error.clone()),
        Measure::TwoComponents => entry.two_component.as_ref().map(|list| {
            let total = |c: &rmt_estimators::TwoComponent| {
                let (risk, noise, _) = c.clipped();
                risk + noise
            };
            list.iter().map(total).collect()
        }),
    }
}

/// Ridges of the grid when none are given.
const GRID: usize = 40;
/// Targets whose residuals are looked at when there are many.
const LOOKED_AT: usize = 8;

/// The measures of an answer, in its order.
const MEASURES: [Measure; 8] = [
    Measure::Criterion(Criterion::Gcv),
    Measure::Criterion(Criterion::Loo),
    Measure::Folds(0),
    Measure::Folds(1),
    Measure::Criterion(Criterion::CorrGcv),
    Measure::Criterion(Criterion::WhitenedCorrGcv),
    Measure::TwoComponents,
    Measure::Criterion(Criterion::Gcv2),
];

impl<'a> Plan<'a> {
    pub(super) fn new(args: &'a Args, data: &Dataset) -> Result<Self> {
        let matrix = match &args.correlation {
            Correlation::Matrix(path) => {
                let matrix = read_matrix(path)?;
                if matrix.len() != data.rows() {
                    return Err(Failure::input(format!(
                        "--correlation {path}: {} rows for {} rows of data",
                        matrix.len(),
                        data.rows()
                    )));
                }
                Some(matrix)
            }
            _ => None,
        };
        Ok(Self { args, matrix })
    }

    /// The fit on all rows, with its learning curve.
    pub(super) fn fit(&self, data: &Dataset) -> Result<Fit> {
        let all: Vec<usize> = (0..data.rows()).collect();
        let (mut fit, regression) = self.fit_rows(data, &all, &self.args.lambda)?;
        let wrong = |e: Error| named(e, data);
        // The band of a fitted correlation's own error, for the estimates that rest on it.
        if let (Some(correlated), 1) = (&fit.correlated, fit.targets.len()) {
            let lambda = fit.targets[0].lambda;
            for (z, lower) in [(-2.0, true), (2.0, false)] {
                let Some(kernel) = correlated.shifted(z, data, &all)? else { break };
                let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
                // A strongly shifted correlation may have no room for the fit: no band then.
                let Ok(path) = regression.path(&[lambda], &criteria) else { break };
                let corr_gcv = path.values(Criterion::CorrGcv, 0).map_err(wrong)?[0];
                for e in &mut fit.targets[0].estimates {
                    if matches!(e.measure, Measure::Criterion(Criterion::CorrGcv)) {
                        e.band = e.band.map(|b| widened(b, e.error, corr_gcv, lower));
                    }
                }
            }
        }
        if fit.targets.len() == 1 && data.weights.is_none() {
            let n = data.rows();
            let sizes = match self.args.learning_curve.as_slice() {
                [] => vec![n, 2 * n],
                sizes => sizes.to_vec(),
            };
            match self.learning(&regression, &fit, &sizes) {
                Ok(points) => fit.learning = points,
                Err(e) if !self.args.learning_curve.is_empty() => return Err(wrong(e)),
                // Not asked for and not available for this correlation.
                Err(_) => {}
            }
        }
        Ok(fit)
    }

    fn learning(
        &self,
        regression: &Regression,
        fit: &Fit,
        sizes: &[usize],
    ) -> Estimated<Vec<LearningPoint>> {
        let matched = fit.correlated.as_ref().filter(|_| fit.doubt.is_none());
        let family = matched.map(|c| SampleCorrelation::from(c.family.clone()));
        let correlation = family.as_ref().zip(matched.map(|c| &c.kernel));
        regression.learning_curve(0, correlation, sizes)
    }

    /// A fit on each training part, tested on the other, all over the ridges of `whole`.
    pub(super) fn trials(
        &self,
        data: &Dataset,
        whole: &Fit,
        splits: &[Split],
    ) -> Result<Vec<Trial>> {
        let progress = Progress::new("holdout", splits.len());
        let trials = splits
            .par_iter()
            .map(|split| {
                let train = data.subset(&split.train);
                let (fit, regression) = self.fit_rows(&train, &split.train, &whole.path.lambdas)?;
                let trial = tested(fit, &regression, &data.subset(&split.test))?;
                progress.step();
                Ok(trial)
            })
            .collect();
        progress.finish();
        trials
    }

    /// A fit over the given ridges, or over a grid that widens where the minimum is at its edge.
    fn fit_rows(
        &self,
        data: &Dataset,
        positions: &[usize],
        lambdas: &[f64],
    ) -> Result<(Fit, Regression)> {
        let (args, n, p, q) = (self.args, data.rows(), data.features.len(), data.targets.len());
        let options = Options {
            intercept: !args.no_intercept,
            standardize: args.standardize,
            weights: data.weights.clone(),
        };
        let wrong = |e: Error| named(e, data);
        let (x, y) = (Table::new(&data.x, n, p), Table::new(&data.y, n, q));
        let (x, y) = (x.map_err(wrong)?, y.map_err(wrong)?);
        let regression = Regression::new(x, y, &options).map_err(wrong)?;

        let method =
            if args.approximate { SpectrumMethod::Circulant } else { SpectrumMethod::Exact };
        let pooled = if args.standardize { standardized(&data.x, p) } else { data.x.clone() };
        let matrix = self.matrix.as_deref();
        let correlated =
            Correlated::find(&args.correlation, matrix, data, &pooled, positions, method)?;
        let kernel = correlated.as_ref().map(|c| &c.kernel);
        let white = match (&correlated, q) {
            (Some(c), 1) if n <= DENSE_LIMIT && !c.kernel.is_approximate() => {
                let identity = SampleCorrelation::from(Family::Identity).kernel(n);
                Some(identity.map_err(|e| wrong(e.into()))?)
            }
            _ => None,
        };
        let folds = self.folds(data, correlated.as_ref()).map_err(wrong)?;
        let criteria = Criteria {
            loo: true,
            correlation: kernel,
            noise: white.as_ref(),
            whitened: kernel.is_some(),
            lags: args.horizon.into_iter().collect(),
            folds: folds.iter().map(|(_, f)| f).collect(),
        };
        let first = match (args.criterion, kernel) {
            (Some(asked), _) => asked,
            (None, Some(_)) => Criterion::CorrGcv,
            (None, None) => Criterion::Loo,
        };
        let path = if lambdas.is_empty() {
            regression.tuned_path(&regression.grid(GRID), &criteria, first)
        } else {
            regression.path(lambdas, &criteria)
        };
        let path = path.map_err(wrong)?;
        let names = folds.iter().map(|(name, f)| (*name, f.name().to_owned())).collect();

        let mut chosen_by = Measure::Criterion(first);
        let mut choices = choose(&regression, &path, chosen_by, args.own_lambda).map_err(wrong)?;
        let mut notes = Vec::new();
        if args.horizon.is_some() && kernel.is_none() {
            notes.push(
                "--horizon: the rows are taken as independent, so that a test point is the same \
                 however far ahead; state a --correlation for more"
                    .to_owned(),
            );
        }
        let diagnoses = match kernel {
            Some(kernel) if n <= DENSE_LIMIT => {
                let step = q.div_ceil(LOOKED_AT);
                (0..q)
                    .step_by(step)
                    .map(|t| regression.diagnose(choices[t].lambda, kernel, t))
                    .collect::<Estimated<Vec<_>>>()
                    .map_err(wrong)?
            }
            Some(_) => {
                notes.push(format!(
                    "more than {DENSE_LIMIT} rows: the residuals were not checked against the \
                     correlation"
                ));
                Vec::new()
            }
            None => Vec::new(),
        };
        let mut fit = Fit {
            rows: n,
            features: p,
            path,
            correlated,
            chosen_by,
            folds: names,
            diagnoses,
            doubt: None,
            targets: Vec::new(),
            learning: Vec::new(),
            notes,
        };
        fit.doubt = fit.doubt(&choices);
        // Where the data contradict CorrGCV's assumption, another judge is needed.
        if args.criterion.is_none() && fit.doubt.is_some() {
            chosen_by = if fit.folds.is_empty() {
                Measure::Criterion(Criterion::Loo)
            } else {
                Measure::Folds(0)
            };
            choices = choose(&regression, &fit.path, chosen_by, args.own_lambda).map_err(wrong)?;
        }
        fit.chosen_by = chosen_by;
        fit.targets = targets(&regression, &fit, &choices, data).map_err(wrong)?;
        Ok((fit, regression))
    }

    /// The splits for cross-validation beside the leave-one-out error.
    fn folds(
        &self,
        data: &Dataset,
        correlated: Option<&Correlated>,
    ) -> Estimated<Vec<(&'static str, Folds)>> {
        const BLOCKED: &str = "blocked cross-validation";
        let (args, n) = (self.args, data.rows());
        let mut folds = Vec::new();
        let distinct = |groups: &[usize]| groups.windows(2).any(|w| w[0] != w[1]);
        match (&data.groups, args.blocks, correlated) {
            (Some(groups), None, _) if distinct(groups) => {
                folds.push(("leave-one-group-out", Folds::groups(groups)?))
            }
            (_, Some(count), _) => {
                let gap = args.gap.unwrap_or_else(|| correlated.map_or(0, Correlated::gap));
                folds.push((BLOCKED, Folds::blocks(n, count, gap)?));
            }
            (_, None, Some(correlated)) if n >= 10 => {
                let count = if n < 100 { 5 } else { 10 };
                let gap = args.gap.unwrap_or_else(|| correlated.gap());
                folds.push((BLOCKED, Folds::blocks(n, count, gap)?));
            }
            _ => {}
        }
        if let Some(count) = args.folds {
            folds.push(("K-fold cross-validation", Folds::interleaved(n, count)?));
        }
        Ok(folds)
    }
}

/// A chosen ridge of the path.
#[derive(Clone, Copy)]
struct Chosen {
    index: usize,
    lambda: f64,
    edge: Option<Edge>,
}

/// The ridge of every target: its own or, for several targets, one for all.
fn choose(
    regression: &Regression,
    path: &Path,
    measure: Measure,
    own: bool,
) -> Estimated<Vec<Chosen>> {
    let q = regression.targets();
    let chosen =
        |c: rmt_estimators::Choice| Chosen { index: c.index, lambda: c.lambda, edge: c.edge };
    match measure {
        Measure::Criterion(criterion) if own || q == 1 => {
            (0..q).map(|t| path.choose(criterion, t).map(chosen)).collect()
        }
        Measure::Criterion(criterion) => Ok(vec![chosen(path.choose_shared(criterion)?); q]),
        _ => {
            let lists: Vec<Vec<f64>> = (0..q)
                .map(|t| {
                    let variance = path.targets[t].variance;
                    let list = along(path, measure, t).unwrap_or_default();
                    list.into_iter().map(|v| v / variance).collect()
                })
                .collect();
            let least = |list: &[f64]| {
                let index = (0..path.lambdas.len()).min_by(|a, b| list[*a].total_cmp(&list[*b]));
                let index = index.unwrap_or(0);
                Chosen { index, lambda: path.lambdas[index], edge: None }
            };
            if own || q == 1 {
                return Ok(lists.iter().map(|l| least(l)).collect());
            }
            let mean: Vec<f64> = (0..path.lambdas.len())
                .map(|i| lists.iter().map(|l| l[i]).sum::<f64>() / q as f64)
                .collect();
            Ok(vec![least(&mean); q])
        }
    }
}

/// What is known of every target at its ridge.
fn targets(
    regression: &Regression,
    fit: &Fit,
    choices: &[Chosen],
    data: &Dataset,
) -> Estimated<Vec<TargetFit>> {
    let (p, path, single) = (data.features.len(), &fit.path, choices.len() == 1);
    let kernel = fit.correlated.as_ref().map(|c| &c.kernel);
    let mut fitted: Option<Coefficients> = None;
    choices
        .iter()
        .enumerate()
        .map(|(t, choice)| {
            let coefficients = match fitted.take() {
                Some(f) if f.lambda == choice.lambda => f,
                _ => regression.coefficients(choice.lambda)?,
            };
            let (independent, correlated) = match single && fit.rows <= DENSE_LIMIT {
                true => (
                    Some(regression.uncertainty(choice.lambda, None)?),
                    kernel.map(|k| regression.uncertainty(choice.lambda, Some(k))).transpose()?,
                ),
                false => (None, None),
            };
            let entry = &path.targets[t];
            let estimates = MEASURES.into_iter().filter_map(|measure| {
                let error = along(path, measure, t)?[choice.index];
                let band = match measure {
                    Measure::Folds(f) => single.then(|| {
                        let spread = 2.0 * entry.folds[f].standard_error[choice.index];
                        ((error - spread).max(0.0), error + spread)
                    }),
                    Measure::Criterion(Criterion::Gcv | Criterion::Loo) => band(independent, error),
                    _ => band(correlated, error),
                };
                Some(Estimate { measure, error, band })
            });
            let target = TargetFit {
                name: data.targets[t].clone(),
                index: choice.index,
                lambda: choice.lambda,
                glmnet_lambda: regression.glmnet_lambda(choice.lambda, t)?,
                edge: choice.edge,
                variance: entry.variance,
                train_error: entry.train_error[choice.index],
                estimates: estimates.collect(),
                horizon_error: entry.correlated_test_error.first().map(|e| e[choice.index]),
                intercept: coefficients.intercepts[t],
                coefficients: coefficients.slopes[t * p..(t + 1) * p].to_vec(),
                chosen_by: fit.chosen_by,
            };
            fitted = Some(coefficients);
            Ok(target)
        })
        .collect()
}

fn band(uncertainty: Option<Uncertainty>, error: f64) -> Option<(f64, f64)> {
    uncertainty.map(|u| u.band(error))
}

/// A band widened, in the logarithm, by an independent second uncertainty that moves the estimate
/// to `moved`.
fn widened(band: (f64, f64), error: f64, moved: f64, lower: bool) -> (f64, f64) {
    let end = if lower { band.0 } else { band.1 };
    let both = (end / error).ln().hypot((moved / error).ln());
    if lower { (error * (-both).exp(), band.1) } else { (band.0, error * both.exp()) }
}

fn tested(fit: Fit, regression: &Regression, test: &Dataset) -> Result<Trial> {
    let (n, p, q) = (test.rows(), test.features.len(), test.targets.len());
    let error = |intercept: f64, coefficients: &[f64], target: usize| {
        let squares = test.x.chunks(p).zip(test.y.chunks(q)).map(|(x, y)| {
            let fitted = coefficients.iter().zip(x).fold(intercept, |sum, (c, x)| sum + c * x);
            (y[target] - fitted).powi(2)
        });
        squares.sum::<f64>() / n as f64
    };
    let chosen = fit.targets.iter().enumerate();
    let realised = chosen.map(|(t, f)| error(f.intercept, &f.coefficients, t)).collect();
    let along = |lambda: &f64| {
        let at = regression.coefficients(*lambda)?;
        Ok(error(at.intercepts[0], &at.slopes, 0))
    };
    let path = (q == 1).then(|| fit.path.lambdas.iter().map(along).collect());
    let realised_path = path.transpose().map_err(|e: Error| named(e, test))?;
    Ok(Trial { train_rows: fit.rows, test_rows: n, fit, realised, realised_path })
}

/// Each column less its mean, over its standard deviation (left as it is where that is zero).
fn standardized(x: &[f64], p: usize) -> Vec<f64> {
    let n = (x.len() / p) as f64;
    let mut out = x.to_vec();
    for j in 0..p {
        let column = || x.iter().skip(j).step_by(p);
        let mean = column().sum::<f64>() / n;
        let variance = column().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        out.iter_mut().skip(j).step_by(p).for_each(|v| *v = (*v - mean) / scale);
    }
    out
}

/// An error of the estimators in the names of the user's columns.
fn named(error: Error, data: &Dataset) -> Failure {
    match error {
        Error::ConstantFeature { column, value } => {
            let name = data.features.get(column).map(ToString::to_string).unwrap_or_default();
            Failure::input(format!(
                "column \"{name}\" is {value} in every row of the fit: leave it out with \
                 --drop, or fit without --standardize"
            ))
        }
        other => Failure::input(other),
    }
}
