//! Finite-size experiments: actual SGD on Gaussian data.

use super::inputs::Checked;
use super::method::Method;
use super::{Sgd, SgdInputs};
use crate::simulate::{Gaussian, whole};
use crate::{Error, Result};
use faer::{Mat, MatRef, Side};
use num_complex::Complex64;
use rmt_task::{Draw, Observables, Simulate, TaskError};

/// F of shape p×m with entries of variance 1/m; `None` for the inputs themselves.
pub(super) fn features(
    random: &mut Gaussian,
    p: usize,
    width: Option<f64>,
) -> Result<Option<Mat<f64>>> {
    let Some(width) = width else { return Ok(None) };
    let m = whole("width", width)?;
    let scale = 1.0 / (m as f64).sqrt();
    Ok(Some(random.matrix(p, m) * faer::Scale(scale)))
}

/// n rows x ~ N(0, diag s).
pub(super) fn rows(random: &mut Gaussian, n: usize, s: &[f64]) -> Mat<f64> {
    let mut x = random.matrix(n, s.len());
    for (j, s) in s.iter().enumerate() {
        let root = s.sqrt();
        x.col_mut(j).iter_mut().for_each(|v| *v *= root);
    }
    x
}

/// Sum of products in eight lanes: the compiler may not reorder a plain sum.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (mut left, mut right) = (a.chunks_exact(8), b.chunks_exact(8));
    for (x, y) in (&mut left).zip(&mut right) {
        for i in 0..8 {
            lanes[i] += x[i] * y[i];
        }
    }
    let tail: f64 = left.remainder().iter().zip(right.remainder()).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f64>() + tail
}

fn add_scaled(target: &mut [f64], factor: f64, source: &[f64]) {
    for (t, s) in target.iter_mut().zip(source) {
        *t += factor * s;
    }
}

/// What one time measures.
struct Measurement {
    risk: f64,
    train: f64,
}

/// The data of one experiment in the eigenbasis of Σ.
struct Experiment<'a> {
    checked: &'a Checked,
    random: Gaussian,
    s: Vec<f64>,
    metric: Vec<f64>,
    theta: Vec<f64>,
    features: Option<Mat<f64>>,
}

impl<'a> Experiment<'a> {
    fn new(inputs: &SgdInputs, checked: &'a Checked, draw: Draw) -> Result<Self> {
        let population = &checked.population;
        let s = population.eigenvalues();
        let mut random = Gaussian::new(draw);
        let features = features(&mut random, s.len(), inputs.width)?;
        let theta = population.target().iter().map(|c| c.sqrt()).collect();
        Ok(Self { checked, random, metric: population.metric(), s, theta, features })
    }

    fn weights(&self) -> usize {
        self.features.as_ref().map_or(self.s.len(), |f| f.ncols())
    }

    /// Σ s'(Fv − θ)².
    fn risk(&self, v: &[f64]) -> f64 {
        let predictor = match &self.features {
            Some(f) => (f * faer::ColRef::from_slice(v)).iter().copied().collect(),
            None => v.to_vec(),
        };
        predictor
            .iter()
            .zip(&self.theta)
            .zip(&self.metric)
            .map(|((w, t), s)| s * (w - t) * (w - t))
            .sum()
    }

    /// n rows of features, row by row, with their labels.
    fn data(&mut self, n: usize) -> (Vec<f64>, Vec<f64>) {
        let x = rows(&mut self.random, n, &self.s);
        let noiseless = &x * faer::ColRef::from_slice(&self.theta);
        let deviation = self.checked.noise.sqrt();
        let y = (0..n).map(|i| noiseless[i] + deviation * self.random.next()).collect();
        let mapped = self.features.as_ref().map(|f| &x * f);
        let x = mapped.as_ref().unwrap_or(&x);
        let flat = (0..n).flat_map(|i| x.row(i).iter().copied().collect::<Vec<f64>>()).collect();
        (flat, y)
    }

    /// Steps through a discrete method; `batch` fills rows and labels of one batch.
    fn descend(
        &mut self,
        times: &[usize],
        capacity: usize,
        mut batch: impl FnMut(&mut Self, &mut Vec<f64>, &mut Vec<f64>),
        train: impl Fn(&[f64], f64) -> f64,
    ) -> Vec<Measurement> {
        let size = self.weights();
        let (mut v, mut velocity) = (vec![0.0; size], vec![0.0; size]);
        let (mut x, mut y) = (Vec::with_capacity(capacity * size), Vec::with_capacity(capacity));
        let mut residuals = Vec::with_capacity(capacity);
        let mut out = Vec::with_capacity(times.len());
        let mut step = 0;
        for &time in times {
            while step < time {
                batch(self, &mut x, &mut y);
                residuals.clear();
                residuals.extend(x.chunks_exact(size).zip(&y).map(|(row, y)| dot(row, &v) - y));
                let (rate, momentum) = match &self.checked.method {
                    Method::HeavyBall { rate, momentum } => (*rate, *momentum),
                    Method::Descent(schedule) => (schedule.rate(step), 0.0),
                    Method::Flow => (0.0, 0.0),
                };
                velocity.iter_mut().for_each(|u| *u *= momentum);
                let factor = -rate / residuals.len() as f64;
                for (row, r) in x.chunks_exact(size).zip(&residuals) {
                    add_scaled(&mut velocity, factor * r, row);
                }
                add_scaled(&mut v, 1.0, &velocity);
                step += 1;
            }
            let risk = self.risk(&v);
            out.push(Measurement { risk, train: train(&v, risk) });
        }
        out
    }

    /// Batches from n samples; a batch of `None` is all of them.
    fn multi_pass(
        &mut self,
        n: usize,
        batch: Option<usize>,
        distinct: bool,
        times: &[usize],
    ) -> Vec<Measurement> {
        let (rows, labels) = self.data(n);
        let size = self.weights();
        let train = |v: &[f64], _: f64| {
            let residuals = rows.chunks_exact(size).zip(&labels).map(|(row, y)| dot(row, v) - y);
            residuals.map(|r| r * r).sum::<f64>() / n as f64
        };
        let mut order: Vec<usize> = (0..n).collect();
        let count = batch.unwrap_or(n);
        let mut filled = false;
        self.descend(
            times,
            count,
            |this, x, y| {
                let Some(batch) = batch else {
                    if !filled {
                        x.extend_from_slice(&rows);
                        y.extend_from_slice(&labels);
                        filled = true;
                    }
                    return;
                };
                x.clear();
                y.clear();
                for i in 0..batch {
                    let sample = if distinct {
                        order.swap(i, i + this.random.below(n - i));
                        order[i]
                    } else {
                        this.random.below(n)
                    };
                    x.extend_from_slice(&rows[sample * size..(sample + 1) * size]);
                    y.push(labels[sample]);
                }
            },
            train,
        )
    }

    /// Fresh samples at every step; without a batch size the population gradient is followed.
    fn one_pass(&mut self, batch: usize, times: &[usize]) -> Vec<Measurement> {
        let noise = self.checked.noise;
        let deviation = noise.sqrt();
        let roots: Vec<f64> = self.s.iter().map(|s| s.sqrt()).collect();
        let mut input = vec![0.0; roots.len()];
        let s = self.s.clone();
        let (theta, metric) = (self.theta.clone(), self.metric.clone());
        // Columns of F one after another: a feature is the product with one of them.
        let columns: Option<Vec<f64>> = self
            .features
            .as_ref()
            .map(|f| (0..f.ncols()).flat_map(|j| f.col(j).iter().copied()).collect());
        let matched = s == metric;
        let map = self.features.clone();
        self.descend(
            times,
            batch,
            |this, x, y| {
                x.clear();
                y.clear();
                for _ in 0..batch {
                    for (value, root) in input.iter_mut().zip(&roots) {
                        *value = root * this.random.next();
                    }
                    y.push(dot(&input, &theta) + deviation * this.random.next());
                    match &columns {
                        Some(f) => x.extend(f.chunks_exact(input.len()).map(|f| dot(f, &input))),
                        None => x.extend_from_slice(&input),
                    }
                }
            },
            |v, risk| {
                if matched {
                    return risk + noise;
                }
                let predictor: Vec<f64> = match &map {
                    Some(f) => (f * faer::ColRef::from_slice(v)).iter().copied().collect(),
                    None => v.to_vec(),
                };
                let pairs = predictor.iter().zip(&theta).zip(&s);
                pairs.map(|((w, t), s)| s * (w - t) * (w - t)).sum::<f64>() + noise
            },
        )
    }

    /// The full gradient in closed form, from the eigenvectors of one draw's Hessian.
    fn full_gradient(&mut self, n: Option<usize>, times: &[f64]) -> Result<Vec<Measurement>> {
        let size = self.weights();
        let noise = self.checked.noise;
        // Ĥ, the gradient at v = 0, and the loss there.
        let (hessian, gradient, start) = match n {
            Some(n) => {
                let (rows, y) = self.data(n);
                let x = MatRef::from_row_major_slice(&rows, n, size);
                let scale = faer::Scale(1.0 / n as f64);
                let gradient = x.transpose() * faer::ColRef::from_slice(&y) * scale;
                let start = dot(&y, &y) / n as f64;
                (x.transpose() * x * scale, gradient.iter().copied().collect::<Vec<f64>>(), start)
            }
            None => {
                let f = self.features.clone().unwrap_or_else(|| Mat::identity(size, size));
                let weighted = Mat::from_fn(f.nrows(), size, |i, j| self.s[i] * f[(i, j)]);
                let theta = faer::ColRef::from_slice(&self.theta);
                let gradient: Vec<f64> = (weighted.transpose() * theta).iter().copied().collect();
                let start =
                    self.s.iter().zip(&self.theta).map(|(s, t)| s * t * t).sum::<f64>() + noise;
                (f.transpose() * &weighted, gradient, start)
            }
        };
        let eigen = hessian
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| Error::NoDecomposition { rows: size })?;
        let (values, vectors) = (eigen.S(), eigen.U());
        let projected = vectors.transpose() * faer::ColRef::from_slice(&gradient);
        let largest = values[size - 1].max(0.0);
        let mut out = Vec::new();
        for &time in times {
            let (mut coefficients, mut loss) = (vec![0.0; size], start);
            for j in 0..size {
                let h = values[j];
                // Directions that the data do not see are never moved.
                if h <= 1e-13 * largest {
                    continue;
                }
                let Some((f, learned)) = self.checked.method.residual(Complex64::from(h), time)
                else {
                    continue;
                };
                coefficients[j] = projected[j] * learned.re / h;
                loss -= projected[j] * projected[j] / h * (1.0 - f.re * f.re);
            }
            let v = vectors * faer::ColRef::from_slice(&coefficients);
            let v: Vec<f64> = v.iter().copied().collect();
            out.push(Measurement { risk: self.risk(&v), train: loss.max(0.0) });
        }
        Ok(out)
    }
}

impl Simulate for Sgd {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "n"];
    const SETTINGS: &'static [&'static str] = &["{}", r#"{"n": 400, "batch_size": 32}"#];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> std::result::Result<Observables, TaskError> {
        let checked = inputs.checked()?;
        let n = inputs.n.map(|n| whole("n", n)).transpose()?;
        let mut experiment = Experiment::new(inputs, &checked, draw)?;
        let mut sorted = inputs.times.clone();
        sorted.sort_by(f64::total_cmp);
        let steps: Vec<usize> = sorted.iter().map(|t| *t as usize).collect();
        let closed = checked.method.residual(Complex64::from(0.0), 0.0).is_some();
        let measured = match (n, inputs.batch_size) {
            (_, None) if closed => experiment.full_gradient(n, &sorted)?,
            (Some(n), batch) => experiment.multi_pass(n, batch, inputs.without_replacement, &steps),
            (None, Some(batch)) => experiment.one_pass(batch, &steps),
            (None, None) => {
                return Err(TaskError::invalid(
                    "batch_size",
                    "a simulation of fresh samples needs a batch size",
                ));
            }
        };
        // A diverged run overflows.
        let finite = |x: f64| if x.is_finite() { x } else { f64::INFINITY };
        let read = |f: &dyn Fn(&Measurement) -> f64| -> Vec<f64> {
            let place = |t: &f64| sorted.partition_point(|x| x < t);
            inputs.times.iter().map(|t| finite(f(&measured[place(t)]))).collect()
        };
        let mut out = Observables::new();
        out.set("risk", read(&|m| m.risk))
            .set("train_loss", read(&|m| m.train))
            .set("prediction_error", read(&|m| m.risk + checked.noise));
        Ok(out)
    }
}
