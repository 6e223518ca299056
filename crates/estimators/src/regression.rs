use crate::decomposition::Decomposition;
use crate::path::{self, Criteria, Path};
use crate::prepare::Prepared;
use crate::shrinkage::Shrinkage;
use crate::signal::{PlugIn, Signal};
use crate::{Criterion, Diagnosis, Error, LearningPoint, Options, Result, Table, Uncertainty};
use rmt_models::kernel::{Kernel, Levels, SampleCorrelation};
use std::sync::OnceLock;

/// Ridge regression of one or many targets on one set of features.
///
/// θ̂ = (X̃ᵀX̃/n + λ)⁻¹X̃ᵀỹ/n with centred (intercept), optionally standardised and weighted data. The
/// features are decomposed once; every ridge and every target is cheap after that.
///
/// ```
/// use rmt_estimators::{Criteria, Criterion, Options, Regression, Table};
/// use rmt_models::kernel::{Family, SampleCorrelation};
///
/// // Six rows, two features, one target.
/// let x = [1.0, 0.2, 2.0, -0.1, 3.0, 0.4, 4.0, -0.3, 5.0, 0.1, 6.0, 0.0];
/// let y = [1.1, 1.9, 3.2, 3.8, 5.1, 6.0];
/// let data = Regression::new(Table::new(&x, 6, 2)?, Table::column(&y), &Options::default())?;
///
/// // Rows are a time series with a correlation length of two steps.
/// let kernel = SampleCorrelation::from(Family::Exponential { length: 2.0 }).kernel(6)?;
/// let criteria = Criteria { loo: true, correlation: Some(&kernel), ..Criteria::default() };
/// let path = data.tuned_path(&data.grid(30), &criteria, Criterion::CorrGcv)?;
/// let best = path.choose(Criterion::CorrGcv, 0)?;
/// let target = &path.targets[0];
/// println!(
///     "λ = {} (α = {}): GCV {}, CorrGCV {}",
///     best.lambda, best.alpha, target.gcv[best.index], best.value
/// );
/// let fit = data.coefficients(best.lambda)?;
/// let predicted = fit.predict(Table::new(&[7.0, 0.0], 1, 2)?)?;
/// assert!((predicted[0] - 7.0).abs() < 0.5);
/// # Ok::<(), rmt_estimators::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Regression {
    data: Prepared,
    gram: Decomposition,
    svd: OnceLock<Decomposition>,
}

impl Regression {
    /// Prepares and decomposes: `x` is n×p, `y` n×q.
    ///
    /// # Errors
    /// Tables of different length, entries that are not finite, fewer than two rows (one without
    /// intercept), constant features with `standardize`, features without any variance.
    pub fn new(x: Table<'_>, y: Table<'_>, options: &Options) -> Result<Self> {
        let data = Prepared::new(x, y, options)?;
        let gram = Decomposition::gram(&data)?;
        Ok(Self { data, gram, svd: OnceLock::new() })
    }

    pub(crate) fn from_parts(data: Prepared, gram: Decomposition) -> Self {
        Self { data, gram, svd: OnceLock::new() }
    }

    /// Number of rows n.
    pub fn rows(&self) -> usize {
        self.data.rows
    }

    /// Whether the rows are there, not only their moments: what leaves rows out needs them.
    pub fn holds_rows(&self) -> bool {
        self.data.has_rows()
    }

    /// Number of features p.
    pub fn features(&self) -> usize {
        self.data.x.ncols()
    }

    /// Number of targets q.
    pub fn targets(&self) -> usize {
        self.data.y.ncols()
    }

    /// Positive eigenvalues of X̃ᵀX̃/n, largest first.
    pub fn eigenvalues(&self) -> &[f64] {
        &self.gram.g
    }

    /// `count` ridges, largest first and evenly spaced in the logarithm, from where a tenth of a
    /// degree of freedom is left to where the fit is within one part in a hundred of the
    /// unpenalised one (but not below 10⁻⁸ of the largest eigenvalue).
    pub fn grid(&self, count: usize) -> Vec<f64> {
        let g = &self.gram.g;
        let total: f64 = g.iter().sum();
        let (largest, smallest) = (g[0], g[g.len() - 1]);
        let high = 10.0 * total;
        let low = (0.01 * smallest).max(1e-8 * largest);
        spaced(high, low, count)
    }

    /// The criteria at each ridge, in the order given.
    ///
    /// # Errors
    /// Ridges that are negative or not finite, a correlation for another number of rows, more
    /// degrees of freedom than the rank of K ([`Error::BeyondRank`]), a lag with a kernel that is
    /// not stationary.
    pub fn path(&self, lambdas: &[f64], criteria: &Criteria<'_>) -> Result<Path> {
        for (index, &value) in lambdas.iter().enumerate() {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::BadLambda { index, value });
            }
        }
        let least = lambdas.iter().copied().fold(f64::INFINITY, f64::min);
        path::compute(&self.data, self.decomposition(least)?, lambdas, criteria)
    }

    /// As [`Regression::path`], with the grid widened by two decades at a time where the best
    /// ridge of a target lies at its edge: downwards as far as λ = 0, upwards until less than
    /// 10⁻³ degrees of freedom are left. What is still at an edge then is so for good reason
    /// (`Choice::edge`).
    ///
    /// # Errors
    /// As [`Regression::path`]; the criterion must be among those asked for.
    pub fn tuned_path(
        &self,
        lambdas: &[f64],
        criteria: &Criteria<'_>,
        criterion: Criterion,
    ) -> Result<Path> {
        let mut lambdas = lambdas.to_vec();
        lambdas.sort_by(|a, b| b.total_cmp(a));
        let total: f64 = self.gram.g.iter().sum();
        let floor = 1e-14 * self.gram.g[0];
        let mut narrower: Option<Path> = None;
        loop {
            let path = match (self.path(&lambdas, criteria), narrower) {
                // Wider than the rank of K allows.
                (Err(Error::BeyondRank { .. }), Some(path)) => return Ok(path),
                (result, _) => result?,
            };
            let (mut up, mut down) = (false, false);
            for target in 0..self.targets() {
                match path.choose(criterion, target)?.edge {
                    Some(crate::Edge::Largest) => up = true,
                    Some(crate::Edge::Smallest) => down = true,
                    None => {}
                }
            }
            let (high, low) = (lambdas[0], lambdas[lambdas.len() - 1]);
            let step = match lambdas.len() {
                0 | 1 => 2.0,
                _ => (high / lambdas[1]).clamp(1.1, 10.0),
            };
            let steps = (100.0_f64.ln() / step.ln()).ceil() as usize;
            let mut more: Vec<f64> = Vec::new();
            if up && high < 1e3 * total {
                more.extend((1..=steps).map(|k| high * step.powi(k as i32)));
            }
            if down && low > 0.0 {
                if low <= floor {
                    more.push(0.0);
                } else {
                    more.extend((1..=steps).map(|k| low * step.powi(-(k as i32))));
                }
            }
            if more.is_empty() {
                return Ok(path);
            }
            narrower = Some(path);
            lambdas.extend(more);
            lambdas.sort_by(|a, b| b.total_cmp(a));
        }
    }

    /// The coefficients at ridge λ, of all targets.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a ridge that is negative or not finite.
    pub fn coefficients(&self, lambda: f64) -> Result<Coefficients> {
        check_ridge(lambda)?;
        let slopes = self.decomposition(lambda)?.slopes(&self.data, lambda);
        let (p, q) = (self.features(), self.targets());
        let slopes: Vec<f64> = (0..q)
            .flat_map(|t| (0..p).map(move |j| (t, j)))
            .map(|(t, j)| slopes[(j, t)] / self.data.x_scale[j])
            .collect();
        let intercepts = (0..q)
            .map(|t| {
                let along: f64 = slopes[t * p..(t + 1) * p]
                    .iter()
                    .zip(&self.data.x_mean)
                    .map(|(slope, mean)| slope * mean)
                    .sum();
                self.data.y_mean[t] - along
            })
            .collect();
        Ok(Coefficients { lambda, features: p, intercepts, slopes })
    }

    /// How sure |r|² and every estimate proportional to it (GCV, LOO, CorrGCV) is at ridge λ, for
    /// rows of the given correlation (`None`: independent rows, as GCV and LOO assume).
    ///
    /// # Errors
    /// A ridge that is negative or not finite, a correlation for another number of rows.
    pub fn uncertainty(&self, lambda: f64, correlation: Option<&Kernel>) -> Result<Uncertainty> {
        check_ridge(lambda)?;
        let kernel = path::seen(&self.data, correlation)?;
        if !self.data.has_rows() && kernel.is_some() {
            return Err(Error::RowsNeeded { what: "bands for correlated rows" });
        }
        let decomposition = self.decomposition(lambda)?;
        let step = self.step(decomposition, lambda, None)?;
        let law = crate::uncertainty::law(&self.data, decomposition, &step, kernel.as_deref())?;
        Ok(law.uncertainty())
    }

    /// Whether the residuals of one target at ridge λ look as they should if rows and noise share
    /// the correlation K: whether CorrGCV may be trusted.
    ///
    /// # Errors
    /// As [`Regression::uncertainty`]; [`Error::NoTarget`]; a kernel whose spectrum is approximate.
    pub fn diagnose(&self, lambda: f64, correlation: &Kernel, target: usize) -> Result<Diagnosis> {
        check_ridge(lambda)?;
        if !self.data.has_rows() {
            return Err(Error::RowsNeeded { what: "residual diagnoses" });
        }
        let Some(kernel) = path::seen(&self.data, Some(correlation))? else {
            return Err(Error::NotComputed { what: "diagnosis", remedy: "give a correlation" });
        };
        let decomposition = self.decomposition(lambda)?;
        let levels = match self.data.direction {
            Some(_) => kernel.centred_levels()?,
            None => kernel.levels().clone(),
        };
        let step = self.step(decomposition, lambda, Some(&levels))?;
        crate::diagnosis::diagnose(&self.data, decomposition, &step, &kernel, target)
    }

    /// The error with the best ridge on each of `sizes` rows, of one target, for rows that are
    /// independent or correlated by a stationary family; `kernel` is the correlation of the rows
    /// there are (it may know about groups and times).
    ///
    /// # Errors
    /// As [`Regression::path`]; [`Error::NoTarget`]; sizes below 2; families that do not exist at
    /// another number of rows.
    pub fn learning_curve(
        &self,
        target: usize,
        correlation: Option<(&SampleCorrelation, &Kernel)>,
        sizes: &[usize],
    ) -> Result<Vec<LearningPoint>> {
        let kernel = path::seen(&self.data, correlation.map(|(_, kernel)| kernel))?;
        if !self.data.has_rows() && kernel.is_some() {
            return Err(Error::RowsNeeded { what: "learning curves of correlated rows" });
        }
        crate::learning::curve(
            &self.data,
            self.decomposition(0.0)?,
            target,
            correlation.map(|(family, _)| family),
            kernel.as_deref(),
            sizes,
        )
    }

    fn step(
        &self,
        decomposition: &Decomposition,
        lambda: f64,
        levels: Option<&Levels>,
    ) -> Result<Shrinkage> {
        let dimension = self.data.dimension();
        Shrinkage::at(decomposition, self.rows(), dimension, lambda, levels, None)
    }

    /// Eigenvalues, squared target coefficients and noise of one target as a population for
    /// `rmt-models`: signal and noise are told apart at the ridge λ, best one that tunes well.
    ///
    /// # Errors
    /// A ridge that is negative or not finite; [`Error::NoTarget`].
    pub fn plug_in(&self, lambda: f64, target: usize) -> Result<PlugIn> {
        check_ridge(lambda)?;
        let count = self.targets();
        if target >= count {
            return Err(Error::NoTarget { index: target, count });
        }
        let decomposition = self.decomposition(lambda)?;
        let step = self.step(decomposition, lambda, None)?;
        let signal = Signal::new(&self.data, decomposition, &step, None, target)?;
        Ok(PlugIn::new(decomposition, &signal, self.rows(), self.features()))
    }

    /// λ as scikit-learn's `alpha` = nλ.
    pub fn alpha(&self, lambda: f64) -> f64 {
        lambda * self.rows() as f64
    }

    /// λ as glmnet's `lambda` with `alpha = 0` for one target: glmnet divides the target by its
    /// standard deviation (1/n) before it penalises, so that its λ is ours times that deviation.
    ///
    /// # Errors
    /// [`Error::NoTarget`].
    pub fn glmnet_lambda(&self, lambda: f64, target: usize) -> Result<f64> {
        let count = self.targets();
        if target >= count {
            return Err(Error::NoTarget { index: target, count });
        }
        Ok(lambda * self.data.variance[target].sqrt())
    }

    pub(crate) fn prepared(&self) -> &Prepared {
        &self.data
    }

    pub(crate) fn decomposition(&self, least: f64) -> Result<&Decomposition> {
        let full_rank = self.data.dimension().min(self.features());
        if !self.gram.too_coarse_for(least, full_rank) {
            return Ok(&self.gram);
        }
        if !self.data.has_rows() {
            return Err(Error::RowsNeeded {
                what: "ridges this small (a singular value decomposition)",
            });
        }
        if let Some(svd) = self.svd.get() {
            return Ok(svd);
        }
        let svd = Decomposition::svd(&self.data)?;
        Ok(self.svd.get_or_init(|| svd))
    }
}

fn check_ridge(lambda: f64) -> Result<()> {
    if lambda >= 0.0 && lambda.is_finite() {
        return Ok(());
    }
    Err(Error::OutOfRange {
        what: "lambda",
        value: lambda,
        remedy: "a ridge is a finite number ≥ 0",
    })
}

/// `count` numbers from `high` down to `low`, evenly spaced in the logarithm.
fn spaced(high: f64, low: f64, count: usize) -> Vec<f64> {
    let step = if count > 1 { (low / high).ln() / (count as f64 - 1.0) } else { 0.0 };
    (0..count).map(|k| high * (step * k as f64).exp()).collect()
}

/// A fitted linear map in the units of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients {
    /// The ridge.
    pub lambda: f64,
    /// Number of features p.
    pub features: usize,
    /// Intercept of each target (0 without intercept).
    pub intercepts: Vec<f64>,
    /// Slopes, target by target: `slopes[target * features + feature]`.
    pub slopes: Vec<f64>,
}

impl Coefficients {
    /// Predictions, row by row: `out[row * targets + target]`.
    ///
    /// # Errors
    /// The table must have p columns of finite numbers.
    pub fn predict(&self, x: Table<'_>) -> Result<Vec<f64>> {
        if x.columns() != self.features {
            return Err(Error::Length {
                what: "features",
                found: x.columns(),
                expected: self.features,
            });
        }
        x.check("x")?;
        let mut out = Vec::with_capacity(x.rows() * self.intercepts.len());
        for row in 0..x.rows() {
            for (intercept, slopes) in self.intercepts.iter().zip(self.slopes.chunks(self.features))
            {
                let sum: f64 = slopes.iter().enumerate().map(|(j, s)| s * x.at(row, j)).sum();
                out.push(intercept + sum);
            }
        }
        Ok(out)
    }
}
