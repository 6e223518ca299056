//! Finite-size experiments on a mixture of groups.

use super::covariance::{Covariance, scaled_columns};
use super::mixture::Sample;
use super::populations::Source;
use crate::simulate::{Gaussian, SampleRidge, whole};
use crate::{Error, Result};
use faer::{Mat, Side};
use rmt_task::Draw;

/// One data set: samples of every group, coefficients, random features.
pub(crate) struct Experiment {
    roots: Vec<Root>,
    samples: Vec<Sample>,
    /// Features of each group's samples.
    x: Vec<Mat<f64>>,
    /// Coefficients w_t of each source and group.
    coefficients: Vec<Vec<Vec<f64>>>,
    noise: Vec<Vec<f64>>,
    projection: Option<Mat<f64>>,
}

/// What one joint fit measures.
pub(crate) struct Measured {
    /// Excess risk of each group.
    pub(crate) risk: Vec<f64>,
    /// Part of each source alone, as if the labels came from it only.
    pub(crate) bias: Vec<Vec<f64>>,
    /// Part of the noise alone.
    pub(crate) variance: Vec<f64>,
    pub(crate) train_error: Vec<f64>,
    /// Mean leverage of each group.
    pub(crate) leverage: Vec<f64>,
    pub(crate) df1: f64,
    pub(crate) norm: f64,
}

impl Measured {
    /// All sources together.
    pub(crate) fn total_bias(&self) -> Vec<f64> {
        (0..self.risk.len()).map(|t| self.bias.iter().map(|b| b[t]).sum()).collect()
    }
}

/// A matrix R with RᵀR = Σ.
pub(crate) enum Root {
    Diagonal(Vec<f64>),
    Dense(Mat<f64>),
}

impl Root {
    pub(crate) fn of(covariance: &Covariance) -> Result<Self> {
        if let Some(s) = covariance.diagonal()? {
            return Ok(Root::Diagonal(s.iter().map(|s| s.sqrt()).collect()));
        }
        let matrix = covariance.matrix()?;
        let p = matrix.nrows();
        let evd = matrix
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| Error::NoDecomposition { rows: p })?;
        let u = Mat::from_fn(p, p, |i, j| evd.U()[(i, j)]);
        let root = scaled_columns(&u, |j| evd.S()[j].max(0.0).sqrt());
        Ok(Root::Dense(root.transpose().to_owned()))
    }

    /// Rows with covariance Σ from rows of independent normals.
    pub(crate) fn colour(&self, z: Mat<f64>) -> Mat<f64> {
        match self {
            Root::Diagonal(s) => scaled_columns(&z, |j| s[j]),
            Root::Dense(root) => z * root,
        }
    }

    /// vᵀ Σ v.
    pub(crate) fn norm(&self, v: &[f64]) -> f64 {
        match self {
            Root::Diagonal(s) => s.iter().zip(v).map(|(s, v)| (s * v).powi(2)).sum(),
            Root::Dense(root) => {
                let image = root * faer::ColRef::from_slice(v);
                (0..image.nrows()).map(|i| image[i] * image[i]).sum()
            }
        }
    }
}

impl Experiment {
    pub(crate) fn new(
        covariances: &[Covariance],
        sources: &[Source],
        samples: &[Sample],
        width: Option<f64>,
        draw: Draw,
    ) -> Result<Self> {
        let p = covariances[0].dimension();
        let groups = covariances.len();
        let mut random = Gaussian::new(draw);
        let roots = covariances.iter().map(Root::of).collect::<Result<Vec<_>>>()?;
        let mut normal =
            |v: &[f64]| -> Vec<f64> { v.iter().map(|v| v.sqrt() * random.next()).collect() };
        let coefficients = sources
            .iter()
            .map(|source| match source {
                Source::Shared(v) => vec![normal(v); groups],
                Source::Own { group, variance } => {
                    let own = normal(variance);
                    (0..groups)
                        .map(|t| if t == *group { own.clone() } else { vec![0.0; p] })
                        .collect()
                }
                Source::Fixed(w) => w.clone(),
            })
            .collect();
        let mut x = Vec::with_capacity(groups);
        let mut noise = Vec::with_capacity(groups);
        for (root, sample) in roots.iter().zip(samples) {
            let n = if sample.n == 0.0 { 0 } else { whole("n", sample.n)? };
            x.push(root.colour(random.matrix(n, p)));
            let sigma = sample.noise_variance.sqrt();
            noise.push(random.vector(n).iter().map(|z| sigma * z).collect());
        }
        let projection = match width {
            Some(m) => {
                let m = whole("width", m)?;
                Some(random.matrix(p, m) * faer::Scale(1.0 / (m as f64).sqrt()))
            }
            None => None,
        };
        Ok(Self { roots, samples: samples.to_vec(), x, coefficients, noise, projection })
    }

    /// Labels of one group's samples from a coefficient vector.
    fn labels(&self, group: usize, w: &[f64]) -> Vec<f64> {
        let y = &self.x[group] * faer::ColRef::from_slice(w);
        (0..y.nrows()).map(|i| y[i]).collect()
    }

    /// Stacked features of the groups, seen through the projection, rows times √a_s.
    fn design(&self, groups: &[usize], root_weight: impl Fn(usize) -> f64) -> Mat<f64> {
        let p = self.x[0].ncols();
        let n = groups.iter().map(|g| self.x[*g].nrows()).sum();
        let mut stacked = Mat::<f64>::zeros(n, p);
        let mut at = 0;
        for g in groups {
            let rows = self.x[*g].nrows();
            let weighted = &self.x[*g] * faer::Scale(root_weight(*g));
            stacked.subrows_mut(at, rows).copy_from(&weighted);
            at += rows;
        }
        match &self.projection {
            Some(s) => stacked * s,
            None => stacked,
        }
    }

    fn back(&self, eta: Vec<f64>) -> Vec<f64> {
        match &self.projection {
            Some(s) => {
                let w = s * faer::ColRef::from_slice(&eta);
                (0..w.nrows()).map(|i| w[i]).collect()
            }
            None => eta,
        }
    }

    /// Fits all groups together.
    pub(crate) fn joint(&self, lambda: f64) -> Result<Measured> {
        let groups = self.x.len();
        let all: Vec<usize> = (0..groups).collect();
        let root_weight = |s: usize| self.samples[s].weight.sqrt();
        let fit = SampleRidge::new(self.design(&all, root_weight).as_ref())?;
        let stack = |labels: &dyn Fn(usize) -> Vec<f64>| -> Vec<f64> {
            all.iter()
                .flat_map(|g| {
                    labels(*g).into_iter().map(|y| y * root_weight(*g)).collect::<Vec<_>>()
                })
                .collect()
        };
        let solve = |y: &[f64]| self.back(fit.coefficients(y, lambda));
        let mut signal = vec![0.0; self.x[0].ncols()];
        let mut bias = Vec::with_capacity(self.coefficients.len());
        let mut labels = stack(&|g| self.noise[g].clone());
        let from_noise = solve(&labels);
        for w in &self.coefficients {
            let y = stack(&|g| self.labels(g, &w[g]));
            let estimate = solve(&y);
            bias.push((0..groups).map(|t| self.error(t, &estimate, &w[t])).collect());
            signal.iter_mut().zip(&estimate).for_each(|(s, e)| *s += e);
            labels.iter_mut().zip(&y).for_each(|(a, b)| *a += b);
        }
        let zero = vec![0.0; signal.len()];
        let variance = (0..groups).map(|t| self.error(t, &from_noise, &zero)).collect();
        let estimate: Vec<f64> = signal.iter().zip(&from_noise).map(|(a, b)| a + b).collect();
        let risk = (0..groups).map(|t| self.error(t, &estimate, &self.target(t))).collect();
        let residuals = fit.residuals(&labels, lambda);
        let leverages = fit.leverages(lambda);
        let (mut train_error, mut leverage) = (Vec::new(), Vec::new());
        let mut at = 0;
        for s in 0..groups {
            let rows = self.x[s].nrows();
            let weight = self.samples[s].weight;
            let mean = |v: f64| if rows == 0 { 0.0 } else { v / rows as f64 };
            let squares = if weight > 0.0 {
                residuals[at..at + rows].iter().map(|r| r * r).sum::<f64>() / weight
            } else {
                let w = self.target(s);
                let gap: Vec<f64> = w.iter().zip(&estimate).map(|(w, e)| w - e).collect();
                let signal = self.labels(s, &gap);
                signal.iter().zip(&self.noise[s]).map(|(a, b)| (a + b).powi(2)).sum()
            };
            train_error.push(mean(squares));
            leverage.push(mean(leverages[at..at + rows].iter().sum()));
            at += rows;
        }
        let norm = estimate.iter().map(|w| w * w).sum();
        Ok(Measured { risk, bias, variance, train_error, leverage, df1: fit.dof(lambda), norm })
    }

    /// Excess risks of gradient flow on all groups together, stopped at `time`.
    pub(crate) fn flow(&self, time: f64) -> Result<Vec<f64>> {
        let all: Vec<usize> = (0..self.x.len()).collect();
        let root_weight = |s: usize| self.samples[s].weight.sqrt();
        let fit = SampleRidge::new(self.design(&all, root_weight).as_ref())?;
        let labels: Vec<f64> = all
            .iter()
            .flat_map(|&g| {
                let signal = self.labels(g, &self.target(g));
                let scale = root_weight(g);
                signal.into_iter().zip(&self.noise[g]).map(move |(y, e)| (y + e) * scale)
            })
            .collect();
        let estimate = self.back(fit.filtered(&labels, |g| -(-g * time).exp_m1() / g));
        Ok(all.iter().map(|t| self.error(*t, &estimate, &self.target(*t))).collect())
    }

    /// Coefficients of one group, all sources together.
    fn target(&self, t: usize) -> Vec<f64> {
        let p = self.x[0].ncols();
        (0..p).map(|i| self.coefficients.iter().map(|w| w[t][i]).sum()).collect()
    }

    /// Excess risk of a model of one group's samples alone, unweighted.
    pub(crate) fn separate(&self, group: usize, lambda: f64) -> Result<f64> {
        let p = self.x[0].ncols();
        let target = self.target(group);
        if self.x[group].nrows() == 0 {
            return Ok(self.error(group, &vec![0.0; p], &target));
        }
        let fit = SampleRidge::new(self.design(&[group], |_| 1.0).as_ref())?;
        let mut y = self.labels(group, &target);
        y.iter_mut().zip(&self.noise[group]).for_each(|(y, e)| *y += e);
        Ok(self.error(group, &self.back(fit.coefficients(&y, lambda)), &target))
    }

    /// (ŵ − w)ᵀ Σ_t (ŵ − w).
    fn error(&self, t: usize, estimate: &[f64], w: &[f64]) -> f64 {
        let gap: Vec<f64> = estimate.iter().zip(w).map(|(a, b)| a - b).collect();
        self.roots[t].norm(&gap)
    }
}
