//! Models fitted to parts of a data set: what two of them disagree in, measured.
//!
//! Everything happens in the eigenbasis of the whole data set, where a split of n rows has the
//! covariance V diag(l) Vᵀ. Averages over isotropic starting noise and over noisy data are exact:
//! ‖T₁−T₂‖² comes from T = T(0) + V diag(T(l) − T(0)) Vᵀ without sampling any noise.

use super::forecast::Output;
use super::rows::{RowSource, selected};
use super::spectrum::{SampleSpectrum, eigen};
use crate::{Error, Result};
use faer::{Mat, MatRef};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rmt_models::linear_diffusion::{MeanEstimate, NoiseRange};
use rmt_task::Draw;

/// A measured disagreement: mean over repeated splits with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Mean of ‖x₁ − x₂‖², summed over dimensions.
    pub mean: f64,
    /// Standard error over the repeats, which share one data set.
    pub standard_error: f64,
}

/// Pairs of disjoint random splits of a data set.
pub struct SplitCheck<'a> {
    source: &'a dyn RowSource,
    spectrum: &'a SampleSpectrum,
    range: NoiseRange,
    mean: MeanEstimate,
}

/// Largest number of entries of a split that is held in memory.
const LARGEST: usize = 1 << 28;

impl<'a> SplitCheck<'a> {
    /// Splits of the data set that `spectrum` was computed from.
    ///
    /// # Errors
    /// [`Error::NotComputed`] where the spectrum has only its leading modes.
    pub fn new(
        source: &'a dyn RowSource,
        spectrum: &'a SampleSpectrum,
        range: NoiseRange,
        mean: MeanEstimate,
    ) -> Result<Self> {
        if spectrum.tail.1 > 0 {
            return Err(Error::NotComputed {
                what: "the complete spectrum",
                remedy: "splits need it: give at most 6000 rows or columns",
            });
        }
        Ok(Self { source, spectrum, range, mean })
    }

    /// The disagreement of models trained on disjoint random sets of `n` rows, for each output, over
    /// `repeats` pairs.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless 2 ≤ n ≤ rows/2 and there are at least 2 repeats.
    pub fn measure(
        &self,
        n: usize,
        outputs: &[Output],
        repeats: usize,
        seed: u64,
    ) -> Result<Vec<Measured>> {
        if repeats < 2 {
            let remedy = "a standard error needs at least 2 repeats";
            return Err(Error::OutOfRange { what: "check", value: repeats as f64, remedy });
        }
        let mut values = vec![Vec::with_capacity(repeats); outputs.len()];
        for index in 0..repeats as u64 {
            let (first, second) = self.pair(n, Draw { seed, index })?;
            for (list, output) in values.iter_mut().zip(outputs) {
                list.push(self.distance(&first, &second, *output));
            }
        }
        Ok(values.iter().map(|list| measured(list)).collect())
    }

    /// What models of two disjoint random splits of `n` rows generate from the same `count` noise
    /// images: one row an image, in the data's own coordinates.
    pub fn generate(&self, n: usize, count: usize, seed: u64) -> Result<(Mat<f64>, Mat<f64>)> {
        let (first, second) = self.pair(n, Draw { seed, index: 0 })?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(Draw { seed, index: 1 }.stream());
        let (p, basis) = (self.spectrum.columns, &self.spectrum.vectors);
        let noise: Mat<f64> = Mat::from_fn(p, count, |_, _| {
            let z: f64 = StandardNormal.sample(&mut random);
            z * self.range.high.sqrt()
        });
        let inside = basis.transpose() * &noise;
        let floor = self.flow(0.0);
        let outside = &noise - basis * &inside;
        let images = |fit: &Fit| {
            let map = fit.map(|l| self.flow(l));
            let moved = Mat::from_fn(inside.nrows(), count, |i, j| inside[(i, j)] - fit.mean[i]);
            let mut out = &map * moved;
            for j in 0..count {
                for i in 0..out.nrows() {
                    out[(i, j)] += fit.mean[i];
                }
            }
            let out = basis * out;
            Mat::from_fn(count, p, |i, j| {
                self.spectrum.mean[j] + out[(j, i)] + floor * outside[(j, i)]
            })
        };
        Ok((images(&first), images(&second)))
    }

    fn flow(&self, l: f64) -> f64 {
        if l + self.range.low > 0.0 { self.range.ratio(l).sqrt() } else { 0.0 }
    }

    fn pair(&self, n: usize, draw: Draw) -> Result<(Fit, Fit)> {
        let rows = self.spectrum.rows;
        if !(2..=rows / 2).contains(&n) {
            return Err(Error::OutOfRange {
                what: "n",
                value: n as f64,
                remedy: "two disjoint splits need 2 to half of the rows each",
            });
        }
        if n * self.spectrum.columns > LARGEST {
            return Err(Error::OutOfRange {
                what: "n",
                value: n as f64,
                remedy: "splits of this size do not fit into memory: check a smaller n",
            });
        }
        let mut order: Vec<usize> = (0..rows).collect();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(draw.stream());
        order.shuffle(&mut random);
        let fit = |part: &[usize]| {
            let mut part = part.to_vec();
            part.sort_unstable();
            let x = selected(self.source, &part, &self.spectrum.mean)?;
            Fit::new((&x * &self.spectrum.vectors).as_ref(), self.mean)
        };
        Ok((fit(&order[..n])?, fit(&order[n..2 * n])?))
    }

    /// ‖T₁(x) − T₂(x)‖² averaged over inputs x.
    fn distance(&self, a: &Fit, b: &Fit, output: Output) -> f64 {
        type Response<'r> = Box<dyn Fn(f64) -> f64 + 'r>;
        let (function, floor, inputs): (Response<'_>, f64, Vec<f64>) = match output {
            Output::Samples => {
                let inputs = vec![self.range.high; self.spectrum.eigenvalues.len()];
                (Box::new(|l| self.flow(l)), self.flow(0.0), inputs)
            }
            Output::Denoised { sigma } => {
                let lambda = sigma * sigma;
                let inputs = self.spectrum.eigenvalues.iter().map(|s| s + lambda).collect();
                (Box::new(move |l| l / (l + lambda)), 0.0, inputs)
            }
        };
        // T₁ − T₂ = V₁D₁V₁ᵀ − V₂D₂V₂ᵀ, the constant T(0) drops out.
        let difference = a.excess(&function, floor) - b.excess(&function, floor);
        let mut total = 0.0;
        for (j, x) in inputs.iter().enumerate() {
            total += difference.col(j).squared_norm_l2() * x;
        }
        // (I − T₁)μ̂₁ − (I − T₂)μ̂₂ is common to all inputs.
        let shift = |fit: &Fit| -> Vec<f64> {
            let map = fit.map(&function);
            (0..fit.mean.len())
                .map(|i| {
                    let row: f64 = fit.mean.iter().enumerate().map(|(j, m)| map[(i, j)] * m).sum();
                    fit.mean[i] - row
                })
                .collect()
        };
        let means: f64 = shift(a).iter().zip(shift(b)).map(|(a, b)| (a - b) * (a - b)).sum();
        total + means
    }
}

/// A split's mean and covariance in the eigenbasis of the whole.
struct Fit {
    mean: Vec<f64>,
    values: Vec<f64>,
    vectors: Mat<f64>,
}

impl Fit {
    fn new(x: MatRef<'_, f64>, mean: MeanEstimate) -> Result<Self> {
        let (n, r) = (x.nrows(), x.ncols());
        // The mean of the whole data set plays the known one.
        let centre: Vec<f64> = match mean {
            MeanEstimate::Known => vec![0.0; r],
            _ => (0..r).map(|j| x.col(j).iter().sum::<f64>() / n as f64).collect(),
        };
        let divisor = if mean == MeanEstimate::Unbiased { n - 1 } else { n } as f64;
        let centred = Mat::from_fn(n, r, |i, j| x[(i, j)] - centre[j]);
        let (values, vectors) = if r <= n {
            eigen(&(centred.transpose() * &centred * faer::Scale(1.0 / divisor)), n)?
        } else {
            let gram = &centred * centred.transpose() * faer::Scale(1.0 / divisor);
            let (values, left) = eigen(&gram, r)?;
            let mut vectors = centred.transpose() * left;
            for (j, l) in values.iter().enumerate() {
                let scale = 1.0 / (divisor * l).sqrt();
                vectors.col_as_slice_mut(j).iter_mut().for_each(|v| *v *= scale);
            }
            (values, vectors)
        };
        Ok(Self { mean: centre, values, vectors })
    }

    /// f(Σ̂) − f(0).
    fn excess(&self, f: impl Fn(f64) -> f64, floor: f64) -> Mat<f64> {
        let weights: Vec<f64> = self.values.iter().map(|l| f(*l) - floor).collect();
        let (r, k) = (self.vectors.nrows(), weights.len());
        let weighted = Mat::from_fn(r, k, |i, j| self.vectors[(i, j)] * weights[j]);
        weighted * self.vectors.transpose()
    }

    /// f(Σ̂).
    fn map(&self, f: impl Fn(f64) -> f64) -> Mat<f64> {
        let floor = f(0.0);
        let mut out = self.excess(&f, floor);
        for i in 0..out.nrows() {
            out[(i, i)] += floor;
        }
        out
    }
}

fn measured(values: &[f64]) -> Measured {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let spread: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    Measured { mean, standard_error: (spread / (count - 1.0) / count).sqrt() }
}
