//! Finite-size experiment: B data sets × E feature maps, each pair fitted with two noise vectors, so
//! that every part of the variance decomposition has an unbiased estimate from one draw.
//!
//! With Δ the error vector of a predictor, ⟨Δ, Δ′⟩ over pairs that share the data, the features, both
//! or neither has the expectations bias², + V_X, + V_F, …; the parts are their differences.

use super::{Setting, Target};
use crate::activation::ActivationFunction;
use crate::kernel::{Kernel, NoiseCorrelation};
use crate::simulate::{Gaussian, SampleRidge, whole};
use crate::{Error, Result};
use faer::Mat;
use rmt_core::Modes;
use rmt_task::{Draw, Observables};

/// Test points of nonlinear features (linear ones are scored exactly).
const TEST_POINTS: usize = 2000;

/// Largest number of entries of a matrix of one experiment.
const LARGEST: usize = 200_000_000;

/// A population at a definite size.
pub(crate) struct World {
    /// √sᵢ.
    root: Vec<f64>,
    /// wᵢ = √cᵢ.
    target: Vec<f64>,
    /// Test metric over modes.
    metric: Option<Vec<f64>>,
    outside: f64,
    n: usize,
    widths: Vec<usize>,
    layers: Vec<Layer>,
    noise: f64,
    kernel: Option<(Kernel, Kernel)>,
}

struct Layer {
    function: ActivationFunction,
    /// √v of the pre-activations over the deviation of the layer's inputs.
    scale: f64,
    mean: f64,
}

/// One data set, without its noise.
pub(crate) struct Data {
    /// n×p.
    pub(crate) x: Mat<f64>,
    /// Targets without noise.
    pub(crate) clean: Vec<f64>,
}

/// The weights of one feature map.
pub(crate) struct Map(Vec<Mat<f64>>);

impl World {
    pub(crate) fn new(setting: &Setting) -> Result<Self> {
        let spectrum = setting.spectrum.values("spectrum")?.values;
        let Some(n) = setting.n else {
            return Err(Error::NotCovered {
                key: "n",
                remedy: "a simulation needs a number of samples",
            });
        };
        let n = whole("n", n)?;
        let widths =
            setting.widths.iter().map(|w| whole("widths", *w)).collect::<Result<Vec<_>>>()?;
        if widths.is_empty() && !setting.activations.is_empty() {
            return Err(Error::NotCovered {
                key: "widths",
                remedy: "infinitely wide layers cannot be drawn; give `widths`",
            });
        }
        let p = spectrum.len();
        let longest = widths.iter().copied().fold(p, usize::max);
        if longest.saturating_mul(n.max(longest)) > LARGEST {
            return Err(Error::OutOfRange {
                key: "n",
                value: n as f64,
                remedy: "the matrices of this experiment exceed 2·10⁸ entries; simulate a smaller size",
            });
        }
        let (target, lost): (Vec<f64>, f64) = match &setting.target {
            Target::Coefficients(c) => (roots(c, "target")?, 0.0),
            Target::Energy(e) => {
                let energy = e.values("target_energy")?.values;
                let lost = spectrum.iter().zip(&energy).filter(|(s, _)| **s == 0.0);
                let lost = lost.map(|(_, e)| e).sum();
                let w = spectrum.iter().zip(&energy);
                (w.map(|(s, e)| if *s > 0.0 { (e / s).sqrt() } else { 0.0 }).collect(), lost)
            }
        };
        let total: f64 = spectrum.iter().sum();
        let mut variance = total;
        let mut layers = Vec::new();
        for function in &setting.activations {
            let v = setting.preactivation_variance;
            let c = function.hermite(v)?;
            layers.push(Layer {
                function: function.clone(),
                scale: (v / variance).sqrt(),
                mean: c.mean,
            });
            variance = c.linear * c.linear + c.nonlinear_variance;
        }
        let kernel = match &setting.sample_correlation {
            None => None,
            Some(k) => {
                let samples = k.kernel(n)?;
                let noise = match &setting.noise_correlation {
                    Some(NoiseCorrelation::Kernel(other)) => other.kernel(n)?,
                    _ => samples.clone(),
                };
                Some((samples, noise))
            }
        };
        Ok(Self {
            root: spectrum.iter().map(|s| s.sqrt()).collect(),
            target,
            metric: match &setting.test_spectrum {
                None => None,
                Some(m) => Some(m.values("test_spectrum")?.values),
            },
            outside: setting.target_outside + lost,
            n,
            widths,
            layers,
            noise: setting.noise_variance.sqrt(),
            kernel,
        })
    }

    /// The target at one input, given as z = Σ^−½x: w·x and a quadratic form in z, which no linear
    /// function of x explains.
    fn truth(&self, z: impl Fn(usize) -> f64) -> f64 {
        let p = self.root.len();
        let linear: f64 = (0..p).map(|i| z(i) * self.root[i] * self.target[i]).sum();
        if self.outside == 0.0 {
            return linear;
        }
        let quadratic: f64 =
            (0..p).map(|i| z(i) * z(i) - 1.0).sum::<f64>() / (2.0 * p as f64).sqrt();
        linear + self.outside.sqrt() * quadratic
    }

    pub(crate) fn data(&self, random: &mut Gaussian, rows: usize) -> Result<Data> {
        let p = self.root.len();
        let mut z = random.matrix(rows, p);
        if let Some((kernel, _)) = self.kernel.as_ref().filter(|_| rows == self.n) {
            for j in 0..p {
                let column: Vec<f64> = (0..rows).map(|i| z[(i, j)]).collect();
                for (i, x) in coloured(kernel, &column)?.into_iter().enumerate() {
                    z[(i, j)] = x;
                }
            }
        }
        let clean = (0..rows).map(|i| self.truth(|j| z[(i, j)])).collect();
        let x = Mat::from_fn(rows, p, |i, j| z[(i, j)] * self.root[j]);
        Ok(Data { x, clean })
    }

    pub(crate) fn noise(&self, random: &mut Gaussian) -> Result<Vec<f64>> {
        let white = random.vector(self.n);
        let noise = match &self.kernel {
            None => white,
            Some((_, kernel)) => coloured(kernel, &white)?,
        };
        Ok(noise.into_iter().map(|e| e * self.noise).collect())
    }

    pub(crate) fn map(&self, random: &mut Gaussian) -> Map {
        let mut inputs = self.root.len();
        let mut weights = Vec::new();
        for width in &self.widths {
            weights.push(random.matrix(inputs, *width));
            inputs = *width;
        }
        // Linear layers are one matrix: multiply them once instead of per data set.
        if self.layers.is_empty() && !weights.is_empty() {
            let product = weights
                .into_iter()
                .map(|w| {
                    let scale = 1.0 / (w.ncols() as f64).sqrt();
                    w * faer::Scale(scale)
                })
                .reduce(|a, b| a * b);
            return Map(product.into_iter().collect());
        }
        Map(weights)
    }

    /// Φ, a row for each row of x.
    pub(crate) fn features(&self, map: &Map, x: &Mat<f64>) -> Mat<f64> {
        let mut current: Option<Mat<f64>> = None;
        for (index, weights) in map.0.iter().enumerate() {
            let mut next = current.as_ref().unwrap_or(x) * weights;
            if let Some(layer) = self.layers.get(index) {
                // Hidden units enter the next layer as mean squares over the width.
                let fan_in = if index == 0 { 1.0 } else { (weights.nrows() as f64).sqrt() };
                let scale = layer.scale / fan_in;
                for j in 0..next.ncols() {
                    for i in 0..next.nrows() {
                        next[(i, j)] = layer.function.value(scale * next[(i, j)]) - layer.mean;
                    }
                }
                if index + 1 == map.0.len() {
                    let last = 1.0 / (next.ncols() as f64).sqrt();
                    next *= faer::Scale(last);
                }
            }
            current = Some(next);
        }
        current.unwrap_or_else(|| x.clone())
    }

    /// ŵ = F a for linear layers.
    fn weights(&self, map: &Map, a: &[f64]) -> Vec<f64> {
        match map.0.first() {
            None => a.to_vec(),
            Some(f) => {
                (0..f.nrows()).map(|i| (0..f.ncols()).map(|j| f[(i, j)] * a[j]).sum()).collect()
            }
        }
    }

    /// Σ^½F times a matrix with a row for each feature: what the error of a linear predictor is made of.
    pub(crate) fn weighted(&self, map: &Map, a: &Mat<f64>) -> Mat<f64> {
        let w = match map.0.first() {
            None => a.clone(),
            Some(f) => f * a,
        };
        Mat::from_fn(w.nrows(), w.ncols(), |i, j| self.root[i] * w[(i, j)])
    }

    /// Exact risk of a linear predictor with feature coefficients a.
    pub(crate) fn risk(&self, map: &Map, a: &[f64]) -> f64 {
        let w = self.weights(map, a);
        let error = w.iter().zip(&self.target).zip(&self.root).map(|((w, t), s)| s * (w - t));
        error.map(|e| e * e).sum::<f64>() + self.outside
    }

    pub(crate) fn is_linear(&self) -> bool {
        self.layers.is_empty()
    }

    pub(crate) fn samples(&self) -> usize {
        self.n
    }
}

fn roots(modes: &Modes, name: &'static str) -> Result<Vec<f64>> {
    Ok(modes.values(name)?.values.iter().map(|c| c.sqrt()).collect())
}

fn coloured(kernel: &Kernel, white: &[f64]) -> Result<Vec<f64>> {
    kernel.colour(white)?.ok_or(Error::NotCovered {
        key: "sample_correlation",
        remedy: "an approximate spectrum has no matrix to draw from; use fewer rows",
    })
}

/// The outcome of one draw.
pub(crate) struct Experiment {
    /// Error vectors of the predictors, by data set, map and noise.
    errors: Vec<Vec<[Vec<f64>; 2]>>,
    /// Energy that is exactly orthogonal to every error vector.
    offset: f64,
    train_error: f64,
    gcv: f64,
    norm: f64,
    df1: f64,
    metric: Option<(f64, f64)>,
}

impl Experiment {
    /// `sizes` = (data sets, feature maps), both at least 2.
    pub(crate) fn run(
        setting: &Setting,
        lambda: f64,
        sizes: (usize, usize),
        draw: Draw,
    ) -> Result<Self> {
        let world = World::new(setting)?;
        let mut random = Gaussian::new(draw);
        let linear = world.is_linear();
        let test = if linear { None } else { Some(world.data(&mut random, TEST_POINTS)?) };
        let maps: Vec<Map> = (0..sizes.1).map(|_| world.map(&mut random)).collect();
        let tested: Vec<Mat<f64>> =
            test.iter().flat_map(|t| maps.iter().map(|m| world.features(m, &t.x))).collect();
        let pairs = (sizes.0 * sizes.1 * 2) as f64;
        let mut out = Self {
            errors: Vec::new(),
            offset: if linear { world.outside } else { 0.0 },
            train_error: 0.0,
            gcv: 0.0,
            norm: 0.0,
            df1: 0.0,
            metric: world.metric.as_ref().map(|_| (0.0, 0.0)),
        };
        for _ in 0..sizes.0 {
            let data = world.data(&mut random, world.n)?;
            let targets: Vec<Vec<f64>> = (0..2)
                .map(|_| {
                    let noise = world.noise(&mut random)?;
                    Ok(data.clean.iter().zip(noise).map(|(f, e)| f + e).collect())
                })
                .collect::<Result<_>>()?;
            let mut row = Vec::new();
            for (index, map) in maps.iter().enumerate() {
                let fit = SampleRidge::new(world.features(map, &data.x).as_ref())?;
                out.df1 += 2.0 * fit.dof(lambda) / pairs;
                let pair: Vec<Vec<f64>> = targets
                    .iter()
                    .map(|y| {
                        let a = fit.coefficients(y, lambda);
                        let residuals = fit.residuals(y, lambda);
                        out.train_error += squares(&residuals) / world.n as f64 / pairs;
                        out.gcv += fit.cross_validation(y, lambda).0 / pairs;
                        out.norm += squares(&a) / pairs;
                        match (&test, tested.get(index)) {
                            (Some(test), Some(features)) => {
                                let scale = 1.0 / (TEST_POINTS as f64).sqrt();
                                (0..TEST_POINTS)
                                    .map(|i| {
                                        let fitted: f64 =
                                            (0..a.len()).map(|j| features[(i, j)] * a[j]).sum();
                                        (fitted - test.clean[i]) * scale
                                    })
                                    .collect()
                            }
                            _ => {
                                let w = world.weights(map, &a);
                                if let (Some(sums), Some(metric)) = (&mut out.metric, &world.metric)
                                {
                                    for ((w, t), m) in w.iter().zip(&world.target).zip(metric) {
                                        sums.0 += m * (w - t) * (w - t) / pairs;
                                        sums.1 += m * w * w / pairs;
                                    }
                                }
                                w.iter()
                                    .zip(&world.target)
                                    .zip(&world.root)
                                    .map(|((w, t), s)| s * (w - t))
                                    .collect()
                            }
                        }
                    })
                    .collect();
                let [first, second] = <[Vec<f64>; 2]>::try_from(pair).unwrap_or_default();
                row.push([first, second]);
            }
            out.errors.push(row);
        }
        Ok(out)
    }

    /// Mean of ⟨Δ, Δ′⟩ over the ordered pairs of predictors that share the data set (`data`), the map
    /// (`map`) and the noise (`noise`), or do not.
    fn overlap(&self, data: bool, map: bool, noise: bool) -> f64 {
        let (mut total, mut count) = (0.0, 0.0);
        let (b, e) = (self.errors.len(), self.errors[0].len());
        for first in 0..b * e * 2 {
            for second in 0..b * e * 2 {
                let at = |i: usize| (i / (2 * e), i / 2 % e, i % 2);
                let (x, y) = (at(first), at(second));
                // Noise vectors of different data sets are never shared.
                let same_noise = x.0 == y.0 && x.2 == y.2;
                if (x.0 == y.0) == data && (x.1 == y.1) == map && same_noise == noise {
                    total += dot(&self.errors[x.0][x.1][x.2], &self.errors[y.0][y.1][y.2]);
                    count += 1.0;
                }
            }
        }
        total / count + self.offset
    }

    /// Risk of the average of the first `data_sets` × `maps` predictors with the first noise.
    pub(crate) fn ensemble(&self, data_sets: usize, maps: usize) -> f64 {
        let mut mean = vec![0.0; self.errors[0][0][0].len()];
        let scale = 1.0 / (data_sets * maps) as f64;
        for row in &self.errors[..data_sets] {
            for pair in &row[..maps] {
                for (m, x) in mean.iter_mut().zip(&pair[0]) {
                    *m += scale * x;
                }
            }
        }
        squares(&mean) + self.offset
    }

    pub(crate) fn observe(&self, out: &mut Observables) {
        let risk = self.overlap(true, true, true);
        let bias = self.overlap(false, false, false);
        let data = self.overlap(true, false, false);
        let features = self.overlap(false, true, false);
        let both = self.overlap(true, true, false);
        let data_noise = self.overlap(true, false, true);
        out.set("risk", risk);
        out.set("bias", bias);
        out.set("variance_data", data - bias);
        out.set("variance_features", features - bias);
        out.set("variance_data_features", both - data - features + bias);
        out.set("variance_data_noise", data_noise - data);
        out.set("variance_data_features_noise", risk - both - data_noise + data);
        out.set("train_error", self.train_error);
        out.set("gcv", self.gcv);
        out.set("norm", self.norm);
        out.set("df1", self.df1);
        if let Some((risk, size)) = self.metric {
            out.set("test_risk", risk);
            out.set("test_size", size);
        }
    }

    /// Risk of one predictor, averaged over the draw's design.
    pub(crate) fn risk(&self) -> f64 {
        self.overlap(true, true, true)
    }

    /// ‖â‖², averaged likewise.
    pub(crate) fn norm(&self) -> f64 {
        self.norm
    }
}

fn squares(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
