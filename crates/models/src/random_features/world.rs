//! A population, its samples and its feature maps at definite sizes.

use super::{Setting, Target};
use crate::activation::ActivationFunction;
use crate::kernel::{Kernel, NoiseCorrelation};
use crate::simulate::{Gaussian, whole};
use crate::{Error, Result};
use faer::Mat;
use rmt_core::Modes;

/// Largest number of entries of a matrix of one experiment.
const LARGEST: usize = 200_000_000;

/// A population at a definite size.
pub(crate) struct World {
    /// √sᵢ.
    pub(super) root: Vec<f64>,
    /// wᵢ = √cᵢ.
    pub(super) target: Vec<f64>,
    /// Test metric over modes.
    pub(super) metric: Option<Vec<f64>>,
    pub(super) outside: f64,
    pub(super) n: usize,
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
            z = kernel.colour_all(z.as_ref())?.ok_or(APPROXIMATE)?;
        }
        let clean = (0..rows).map(|i| self.truth(|j| z[(i, j)])).collect();
        let x = Mat::from_fn(rows, p, |i, j| z[(i, j)] * self.root[j]);
        Ok(Data { x, clean })
    }

    pub(crate) fn noise(&self, random: &mut Gaussian) -> Result<Vec<f64>> {
        let white = random.vector(self.n);
        let noise = match &self.kernel {
            None => white,
            Some((_, kernel)) => kernel.colour(&white)?.ok_or(APPROXIMATE)?,
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
    pub(super) fn weights(&self, map: &Map, a: &[f64]) -> Vec<f64> {
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

    /// The correlation of the samples, if they have one.
    pub(super) fn correlation(&self) -> Option<&Kernel> {
        self.kernel.as_ref().map(|(samples, _)| samples)
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

const APPROXIMATE: Error = Error::NotCovered {
    key: "sample_correlation",
    remedy: "an approximate spectrum has no matrix to draw from; use fewer rows",
};
