//! How the fits of a run are made.

use super::Args;
use super::correlation::{self, Correlation, read_matrix};
use super::estimate::{Estimate, Fit, Measure, TargetFit, Trial};
use crate::dataset::Dataset;
use crate::failure::{Failure, Result};
use crate::holdout::Split;
use crate::progress::Progress;
use rayon::prelude::*;
use rmt_estimators::{
    Choice, Coefficients, Criteria, Criterion, Error, Folds, LearningPoint, Moments, Options, Path,
    Regression, RowCorrelation, Table, Uncertainty,
};
use rmt_models::kernel::{DENSE_LIMIT, Family, SampleCorrelation, SpectrumMethod};

type Estimated<T> = std::result::Result<T, Error>;

/// Ridges of the grid when none are given.
const GRID: usize = 40;
/// Targets whose residuals are looked at when there are many.
const LOOKED_AT: usize = 8;

/// The measures of an answer, in its order.
const MEASURES: [Measure; 8] = [
    Measure::Criterion(Criterion::Gcv),
    Measure::Criterion(Criterion::Loo),
    Measure::Criterion(Criterion::Folds(0)),
    Measure::Criterion(Criterion::Folds(1)),
    Measure::Criterion(Criterion::CorrGcv),
    Measure::Criterion(Criterion::WhitenedCorrGcv),
    Measure::TwoComponents,
    Measure::Criterion(Criterion::Gcv2),
];

/// How every fit of this run is made: the one on all rows and those with rows kept back.
pub(super) struct Plan<'a> {
    args: &'a Args,
    /// A matrix from a file; it is cut to the rows of each fit.
    matrix: Option<Vec<Vec<f64>>>,
}

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
        let wrong = |e: Error| data.named(e);
        // With the error of a fitted correlation itself, for the estimate that rests on it.
        if let (Some(correlated), [target]) = (&fit.correlated, fit.targets.as_mut_slice()) {
            let corr_gcv = Measure::Criterion(Criterion::CorrGcv);
            let rests = |e: &&mut Estimate| e.measure == corr_gcv && e.band.is_some();
            for e in target.estimates.iter_mut().filter(rests) {
                let bands = regression.corr_gcv_bands(target.lambda, correlated, &[e.error]);
                e.band = bands.map_err(wrong)?.first().copied();
            }
        }
        fit.learning = self.learning_curve(data, &regression, &fit)?;
        Ok(fit)
    }

    /// The error on other numbers of rows, for a single target.
    fn learning_curve(
        &self,
        data: &Dataset,
        regression: &Regression,
        fit: &Fit,
    ) -> Result<Vec<LearningPoint>> {
        if fit.targets.len() != 1 || data.weights.is_some() {
            return Ok(Vec::new());
        }
        let sizes = match self.args.learning_curve.as_slice() {
            [] => vec![fit.rows, 2 * fit.rows],
            sizes => sizes.to_vec(),
        };
        match self.learning(regression, fit, &sizes) {
            Err(e) if !self.args.learning_curve.is_empty() => Err(data.named(e)),
            // Not asked for and not available for this correlation.
            points => Ok(points.unwrap_or_default()),
        }
    }

    fn learning(
        &self,
        regression: &Regression,
        fit: &Fit,
        sizes: &[usize],
    ) -> Estimated<Vec<LearningPoint>> {
        let matched = fit.correlated.as_ref().filter(|_| fit.doubt.is_none());
        let correlation = matched.map(|c| (c.correlation(), c.kernel()));
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
        let wrong = |e: Error| data.named(e);
        let (x, y) = (Table::new(&data.x, n, p), Table::new(&data.y, n, q));
        let (x, y) = (x.map_err(wrong)?, y.map_err(wrong)?);
        let regression = Regression::new(x, y, &options).map_err(wrong)?;

        let method =
            if args.approximate { SpectrumMethod::Circulant } else { SpectrumMethod::Exact };
        let matrix = self.matrix.as_deref();
        let correlated = correlation::find(
            &args.correlation,
            matrix,
            data,
            positions,
            args.standardize,
            method,
        )?;
        let fit = self.fit_regression(data, &regression, correlated, lambdas)?;
        Ok((fit, regression))
    }

    /// The fit of data whose rows were not kept.
    pub(super) fn fit_moments(&self, data: &Dataset, moments: &Moments) -> Result<Fit> {
        let options = Options {
            intercept: !self.args.no_intercept,
            standardize: self.args.standardize,
            weights: None,
        };
        let regression = moments.regression(&options).map_err(|e| data.named(e))?;
        let mut fit = self.fit_regression(data, &regression, None, &self.args.lambda)?;
        fit.learning = self.learning_curve(data, &regression, &fit)?;
        Ok(fit)
    }

    /// The path, the ridge of every target and what is said about it.
    fn fit_regression(
        &self,
        data: &Dataset,
        regression: &Regression,
        correlated: Option<RowCorrelation>,
        lambdas: &[f64],
    ) -> Result<Fit> {
        let (args, n) = (self.args, regression.rows());
        let (p, q) = (data.features.len(), data.targets.len());
        let wrong = |e: Error| data.named(e);
        let kernel = correlated.as_ref().map(RowCorrelation::kernel);
        let white = match (&correlated, q) {
            // Under weights white noise is no longer a multiple of one.
            (Some(c), 1)
                if !c.kernel().is_approximate()
                    && (n <= DENSE_LIMIT || args.columns.weights.is_none()) =>
            {
                let identity = SampleCorrelation::from(Family::Identity).kernel(n);
                Some(identity.map_err(|e| wrong(e.into()))?)
            }
            _ => None,
        };
        let folds = self.folds(data, n, correlated.as_ref()).map_err(wrong)?;
        let criteria = Criteria {
            loo: regression.holds_rows(),
            correlation: kernel,
            noise: white.as_ref(),
            whitened: kernel.is_some(),
            lags: args.horizon.into_iter().collect(),
            folds: folds.iter().map(|(_, f)| f).collect(),
        };
        let first = match (args.criterion, kernel) {
            (Some(asked), _) => asked,
            (None, Some(_)) => Criterion::CorrGcv,
            (None, None) if regression.holds_rows() => Criterion::Loo,
            (None, None) => Criterion::Gcv,
        };
        let path = if lambdas.is_empty() {
            regression.tuned_path(&regression.grid(GRID), &criteria, first)
        } else {
            regression.path(lambdas, &criteria)
        };
        let path = path.map_err(wrong)?;
        let names = folds.iter().map(|(name, f)| (*name, f.name().to_owned())).collect();

        let mut chosen_by = first;
        let mut choices = choose(regression, &path, chosen_by, args.own_lambda).map_err(wrong)?;
        let mut notes = Vec::new();
        if args.horizon.is_some() && kernel.is_none() {
            notes.push(
                "--horizon: the rows are taken as independent, so that a test point is the same \
                 however far ahead; state a --correlation for more"
                    .to_owned(),
            );
        }
        let diagnoses = match kernel {
            Some(kernel) if !kernel.is_approximate() => {
                let step = q.div_ceil(LOOKED_AT);
                (0..q)
                    .step_by(step)
                    .map(|t| regression.diagnose(choices[t].lambda, kernel, t))
                    .collect::<Estimated<Vec<_>>>()
                    .map_err(wrong)?
            }
            Some(_) => {
                notes.push(
                    "the spectrum of the correlation is approximate: the residuals were not \
                     checked against it, and estimates by it have no band"
                        .to_owned(),
                );
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
            chosen_by = if fit.folds.is_empty() { Criterion::Loo } else { Criterion::Folds(0) };
            choices = choose(regression, &fit.path, chosen_by, args.own_lambda).map_err(wrong)?;
        }
        fit.chosen_by = chosen_by;
        fit.targets = targets(regression, &fit, &choices, data).map_err(wrong)?;
        Ok(fit)
    }

    /// The splits for cross-validation beside the leave-one-out error.
    fn folds(
        &self,
        data: &Dataset,
        n: usize,
        correlated: Option<&RowCorrelation>,
    ) -> Estimated<Vec<(&'static str, Folds)>> {
        const BLOCKED: &str = "blocked cross-validation";
        let args = self.args;
        let mut folds = Vec::new();
        let distinct = |groups: &[usize]| groups.windows(2).any(|w| w[0] != w[1]);
        match (&data.groups, args.blocks, correlated) {
            (Some(groups), None, _) if distinct(groups) => {
                folds.push(("leave-one-group-out", Folds::groups(groups)?))
            }
            (_, Some(count), _) => {
                let gap = args.gap.unwrap_or_else(|| correlated.map_or(0, RowCorrelation::gap));
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

/// The ridge of every target: its own or, for several targets, one for all.
fn choose(
    regression: &Regression,
    path: &Path,
    criterion: Criterion,
    own: bool,
) -> Estimated<Vec<Choice>> {
    let q = regression.targets();
    let mut choices = if own || q == 1 {
        (0..q).map(|t| path.choose(criterion, t)).collect::<Estimated<Vec<_>>>()?
    } else {
        vec![path.choose_shared(criterion)?; q]
    };
    if matches!(criterion, Criterion::Folds(_)) {
        // The grid was widened for another criterion: its end says nothing about this one.
        choices.iter_mut().for_each(|c| c.edge = None);
    }
    Ok(choices)
}

/// What is known of every target at its ridge.
fn targets(
    regression: &Regression,
    fit: &Fit,
    choices: &[Choice],
    data: &Dataset,
) -> Estimated<Vec<TargetFit>> {
    let (p, path, single) = (data.features.len(), &fit.path, choices.len() == 1);
    let kernel = fit.correlated.as_ref().map(RowCorrelation::kernel);
    let mut fitted: Option<Coefficients> = None;
    // By ridge, so that each is solved once for all of its targets.
    let mut order: Vec<usize> = (0..choices.len()).collect();
    order.sort_by_key(|t| choices[*t].index);
    let found = order.into_iter().map(|t| {
        let choice = &choices[t];
        let coefficients = match fitted.take() {
            Some(f) if f.lambda == choice.lambda => f,
            _ => regression.coefficients(choice.lambda)?,
        };
        let uncertainty = |kernel| regression.uncertainty(choice.lambda, kernel);
        let independent = single.then(|| uncertainty(None)).transpose()?;
        let kernel = kernel.filter(|k| single && !k.is_approximate());
        let correlated = kernel.map(|k| uncertainty(Some(k))).transpose()?;
        let entry = &path.targets[t];
        let estimates = MEASURES.into_iter().filter_map(|measure| {
            let error = fit.along(measure, t)?[choice.index];
            let band = match measure {
                Measure::Criterion(Criterion::Folds(f)) => single.then(|| {
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
        Ok((t, target))
    });
    let mut found = found.collect::<Estimated<Vec<_>>>()?;
    found.sort_by_key(|(t, _)| *t);
    Ok(found.into_iter().map(|(_, target)| target).collect())
}

fn band(uncertainty: Option<Uncertainty>, error: f64) -> Option<(f64, f64)> {
    uncertainty.map(|u| u.band(error))
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
    let realised_path = path.transpose().map_err(|e: Error| test.named(e))?;
    Ok(Trial { train_rows: fit.rows, test_rows: n, fit, realised, realised_path })
}
