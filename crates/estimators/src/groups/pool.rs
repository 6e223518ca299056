//! The rows at hand as a population.

use super::bootstrap::{Band, band, positions};
use crate::resample::resample;
use crate::{Error, Result, Table};
use faer::linalg::solvers::{DenseSolveCore, Solve};
use faer::{Mat, Side};
use rand::Rng;
use rmt_models::groups::{Covariance, Populations, Sample, Source};

/// One group's rows, centred on their own mean, with what they say about their population.
#[derive(Clone, Debug)]
pub struct Pool {
    x: Mat<f64>,
    residuals: Vec<f64>,
    pub(super) coefficients: Vec<f64>,
    pub(super) covariance: Mat<f64>,
    /// (X̃ᵀX̃)⁻¹.
    pub(super) precision: Mat<f64>,
    noise_variance: f64,
}

impl Pool {
    /// Covariance, least-squares coefficients and noise of the population these rows come from.
    ///
    /// # Errors
    /// Needs more rows than features plus one, and no exactly dependent features.
    pub fn new(x: Table<'_>, y: &[f64]) -> Result<Self> {
        x.check("x")?;
        if y.len() != x.rows() {
            return Err(Error::Length { what: "y", found: y.len(), expected: x.rows() });
        }
        let x = Mat::from_fn(x.rows(), x.columns(), |i, j| x.at(i, j));
        Self::fitted(x, y.to_vec())
    }

    fn fitted(mut x: Mat<f64>, mut y: Vec<f64>) -> Result<Self> {
        let (n, p) = (x.nrows(), x.ncols());
        let needed = p + 2;
        if n < needed {
            return Err(Error::TooFewRows { rows: n, needed });
        }
        for j in 0..p {
            let column = x.col_as_slice_mut(j);
            let mean = column.iter().sum::<f64>() / n as f64;
            column.iter_mut().for_each(|x| *x -= mean);
        }
        let mean = y.iter().sum::<f64>() / n as f64;
        y.iter_mut().for_each(|y| *y -= mean);
        let target = Mat::from_fn(n, 1, |i, _| y[i]);
        let gram = x.transpose() * &x;
        let singular = || Error::NoDecomposition { rows: n, columns: p };
        let factor = gram.llt(Side::Lower).map_err(|_| singular())?;
        // A pivot at rounding of its column means features that depend on each other.
        let dependent = (0..p).any(|j| factor.L()[(j, j)].powi(2) <= 1e-12 * gram[(j, j)]);
        if dependent {
            return Err(Error::DependentFeatures);
        }
        let coefficients = factor.solve(x.transpose() * &target);
        let fitted = &x * &coefficients;
        let residuals: Vec<f64> = (0..n).map(|i| y[i] - fitted[(i, 0)]).collect();
        let free = (n - 1 - p) as f64;
        let noise_variance = residuals.iter().map(|r| r * r).sum::<f64>() / free;
        Ok(Self {
            coefficients: (0..p).map(|j| coefficients[(j, 0)]).collect(),
            covariance: gram * faer::Scale(1.0 / (n as f64 - 1.0)),
            precision: factor.inverse(),
            x,
            residuals,
            noise_variance,
        })
    }

    /// Rows N_s.
    pub fn rows(&self) -> usize {
        self.x.nrows()
    }

    /// Rows a feature; below four the predictions are off by 10 % and more.
    pub fn rows_per_feature(&self) -> f64 {
        self.x.nrows() as f64 / self.x.ncols() as f64
    }

    /// Mean variance of a feature, the scale of ridges.
    pub fn mean_variance(&self) -> f64 {
        let p = self.covariance.nrows();
        (0..p).map(|j| self.covariance[(j, j)]).sum::<f64>() / p as f64
    }

    /// σ̂² = RSS/(N − 1 − p).
    pub fn noise_variance(&self) -> f64 {
        self.noise_variance
    }

    /// Least-squares coefficients.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The population as rows drawn from it would show it: features resampled, labels from
    /// `coefficients` and resampled residuals that carry the full noise.
    pub(super) fn again(&self, coefficients: &[f64], random: &mut impl Rng) -> Result<Self> {
        let (n, p) = (self.x.nrows(), self.x.ncols());
        let rows = positions(random, n);
        let noise = positions(random, n);
        let inflate = (n as f64 / (n - 1 - p) as f64).sqrt();
        let x = Mat::from_fn(n, p, |i, j| self.x[(rows[i], j)]);
        let y = (0..n)
            .map(|i| {
                let signal: f64 = (0..p).map(|j| x[(i, j)] * coefficients[j]).sum();
                signal + inflate * self.residuals[noise[i]]
            })
            .collect();
        Self::fitted(x, y)
    }
}

pub(super) fn covariance(m: &Mat<f64>) -> Covariance {
    let p = m.nrows();
    Covariance::Dense(
        (0..p).map(|i| (0..p).map(|j| 0.5 * (m[(i, j)] + m[(j, i)])).collect()).collect(),
    )
}

/// Populations of all groups.
#[derive(Clone, Debug)]
pub struct Pools {
    groups: Vec<Pool>,
}

/// What the theory predicts at one ridge.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The ridge.
    pub lambda: f64,
    /// Prediction error R_s + σ_s² of each group under the joint model.
    pub joint: Vec<f64>,
    /// The same of a model of the group's own rows.
    pub separate: Vec<f64>,
    /// second joint error minus the first, or largest − smallest for more groups.
    pub difference: f64,
    /// 90 % band of `difference`.
    pub band: Band,
}

impl Pools {
    /// One pool a group.
    ///
    /// # Errors
    /// Two groups at least, of one number of features.
    pub fn new(groups: Vec<Pool>) -> Result<Self> {
        if groups.len() < 2 {
            return Err(Error::OneGroup);
        }
        let p = groups[0].x.ncols();
        if let Some(other) = groups.iter().find(|g| g.x.ncols() != p) {
            return Err(Error::Length { what: "x", found: other.x.ncols(), expected: p });
        }
        Ok(Self { groups })
    }

    /// The groups.
    pub fn groups(&self) -> &[Pool] {
        &self.groups
    }

    /// Errors of joint and separate models trained on `n` rows of each group, ridge by ridge, with
    /// bands from `resamplings` refits.
    ///
    /// # Errors
    /// Numbers that are not positive, negative ridges.
    pub fn predict(
        &self,
        n: &[f64],
        lambdas: &[f64],
        resamplings: usize,
        seed: u64,
    ) -> Result<Vec<Prediction>> {
        let mut out = self.evaluate(n, lambdas)?;
        let replicates = resample(resamplings, seed, |random| {
            let groups = self.groups.iter().map(|g| g.again(&g.coefficients, random));
            let again = Self { groups: groups.collect::<Result<_>>().ok()? };
            let predictions = again.evaluate_joint(n, lambdas).ok()?;
            Some(predictions.iter().map(|joint| difference(joint)).collect())
        });
        for (at, prediction) in out.iter_mut().enumerate() {
            let values = replicates.iter().map(|r| r[at]).collect();
            prediction.band = band(prediction.difference, values);
        }
        Ok(out)
    }

    fn populations(&self) -> Result<Populations> {
        let covariances: Vec<_> = self.groups.iter().map(|g| covariance(&g.covariance)).collect();
        let w = self.groups.iter().map(|g| g.coefficients.clone()).collect();
        Ok(Populations::new(&covariances, &[Source::Fixed(w)])?)
    }

    fn sample(&self, group: usize, n: f64) -> Sample {
        Sample { n, weight: 1.0, noise_variance: self.groups[group].noise_variance }
    }

    /// Prediction errors of the joint model, ridge by ridge.
    fn evaluate_joint(&self, n: &[f64], lambdas: &[f64]) -> Result<Vec<Vec<f64>>> {
        if n.len() != self.groups.len() {
            return Err(Error::Length { what: "n", found: n.len(), expected: self.groups.len() });
        }
        let populations = self.populations()?;
        let samples: Vec<Sample> = n.iter().enumerate().map(|(s, n)| self.sample(s, *n)).collect();
        let mixture = populations.mixture(&samples, None)?;
        lambdas
            .iter()
            .map(|lambda| {
                let risk = mixture.solve(*lambda)?.risks()?.risk();
                Ok(risk.iter().zip(&samples).map(|(r, s)| r + s.noise_variance).collect())
            })
            .collect()
    }

    fn evaluate(&self, n: &[f64], lambdas: &[f64]) -> Result<Vec<Prediction>> {
        let joint = self.evaluate_joint(n, lambdas)?;
        let populations = self.populations()?;
        let mut separate = vec![Vec::new(); lambdas.len()];
        for (s, n) in n.iter().enumerate() {
            let own = populations.only(s)?;
            let sample = self.sample(s, *n);
            let mixture = own.mixture(&[sample], None)?;
            for (lambda, out) in lambdas.iter().zip(&mut separate) {
                out.push(mixture.solve(*lambda)?.risks()?.risk()[0] + sample.noise_variance);
            }
        }
        Ok(lambdas
            .iter()
            .zip(joint)
            .zip(separate)
            .map(|((lambda, joint), separate)| Prediction {
                lambda: *lambda,
                difference: difference(&joint),
                band: Band { low: f64::NEG_INFINITY, high: f64::INFINITY },
                joint,
                separate,
            })
            .collect())
    }
}

/// Second minus first of two, largest minus smallest of more.
fn difference(errors: &[f64]) -> f64 {
    match errors {
        [a, b] => b - a,
        more => {
            let largest = more.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
            largest - more.iter().fold(f64::INFINITY, |m, x| m.min(*x))
        }
    }
}
