//! Data sets redrawn from the fit: how far the least error of a learning curve strays.
//!
//! The multipliers of |r|² (κ, γ, γ′) fluctuate by 1/n, |r|² itself by 1/√n, and so does its slope
//! in ln λ: the ridge that the minimum picks follows the noise, which lowers the minimum by
//! Var ε′/(2E″) and adds twice the square of that to its variance (ε the relative fluctuation, E the
//! error); at n′ > n, where the curve is flat, up to a third of the whole. So the features are held
//! fixed, targets redrawn, Uᵀy* = s + σε with ε ~ N(0, UᵀKU), and every redrawn data set chooses its
//! ridge anew (s and σ² as in [`Signal`]: the expected curve is then that of the data; with the ridge
//! fit in place of s it is flatter, and its minimum too sure by a twentieth).
//!
//! The features add a variance of their own ([`features`]), independent of the noise. A kernel that is
//! only approximate cannot be drawn from: the band of the residuals at the chosen ridge stands in.

use super::features;
use crate::Result;
use crate::decomposition::Decomposition;
use crate::prepare::Prepared;
use crate::resample::{ranked, resample};
use crate::shrinkage::Shrinkage;
use crate::signal::Signal;
use crate::uncertainty::ResidualLaw;
use faer::Mat;
use rand::Rng;
use rand_distr::{ChiSquared, Distribution, StandardNormal};
use rmt_models::kernel::Kernel;

/// Redrawn data sets.
const DRAWS: usize = 400;
/// Their seed: the same data give the same band.
const SEED: u64 = 0;

/// |r|² of redrawn data sets.
pub(super) struct Replicates {
    law: ResidualLaw,
    /// Expected |r|² at every ridge, each in its own units.
    expected: Vec<f64>,
    /// The same for each data set, data sets × ridges; `None` where the noise cannot be drawn.
    drawn: Option<Vec<Vec<f64>>>,
    /// Relative standard deviation over the features at every ridge.
    features: Vec<f64>,
}

/// How far an estimate strays.
pub(super) struct Spread {
    /// Quantiles of estimate/truth at 2.5 and 97.5 %.
    quantiles: (f64, f64),
    /// Standard deviation of estimate/truth.
    pub(super) relative_error: f64,
}

impl Spread {
    pub(super) fn band(&self, estimate: f64) -> (f64, f64) {
        (estimate / self.quantiles.1, estimate / self.quantiles.0)
    }
}

impl Replicates {
    /// |r|² at each of `steps`, redrawn from the fit at the ridge of `fit`.
    pub(super) fn new(
        data: &Prepared,
        decomposition: &Decomposition,
        steps: &[&Shrinkage],
        fit: &Shrinkage,
        kernel: Option<&Kernel>,
        target: usize,
    ) -> Result<Self> {
        let fitted = Signal::new(data, decomposition, fit, kernel, target)?;
        let Signal { components: signal, noise, law } = fitted;
        let squares = |step: &Shrinkage, of: &dyn Fn(usize) -> f64| -> f64 {
            step.d.iter().enumerate().map(|(j, d)| d * d * of(j)).sum()
        };
        // The share of the noise outside the features; none where they span everything.
        let outside = match decomposition.whole {
            true => 0.0,
            false => (law.trace - squares(fit, &|j| law.along[j])).max(0.0),
        };
        let expected = steps.iter().map(|step| {
            squares(step, &|j| signal[j] * signal[j] + noise * law.along[j]) + noise * outside
        });
        let expected: Vec<f64> = expected.collect();
        let g = &decomposition.g;
        let features = features::relative_errors(steps, g, &signal, &expected, data.rows);
        let scale = noise.sqrt();
        let energies = |inside: &[f64], rest: f64| -> Vec<f64> {
            let of = |j: usize| (signal[j] + scale * inside[j]).powi(2);
            steps.iter().map(|step| squares(step, &of) + noise * rest).collect()
        };
        let drawn = match kernel.filter(|kernel| !kernel.is_identity()) {
            None => Some(resample(DRAWS, SEED, |random| {
                let inside: Vec<f64> = normals(random, g.len());
                let missing = (data.dimension() - g.len()) as f64;
                let rest = ChiSquared::new(missing).map_or(0.0, |chi| chi.sample(random));
                Some(energies(&inside, rest))
            })),
            Some(kernel) => coloured(data, kernel)?.map(|e| {
                let inside = decomposition.left(data).transpose() * &e;
                (0..e.ncols())
                    .map(|k| {
                        let part = inside.col_as_slice(k);
                        let whole: f64 = e.col_as_slice(k).iter().map(|x| x * x).sum();
                        let taken: f64 = part.iter().map(|x| x * x).sum();
                        let rest = if decomposition.whole { 0.0 } else { whole - taken };
                        energies(part, rest.max(0.0))
                    })
                    .collect()
            }),
        };
        Ok(Self { law, expected, drawn, features })
    }

    /// Of the least product of |r|² and `scale`, which the data have at the ridge at position `at`.
    pub(super) fn spread(&self, scale: &[f64], at: usize) -> Spread {
        let least = |energies: &[f64]| {
            energies.iter().zip(scale).map(|(e, s)| e * s).fold(f64::INFINITY, f64::min)
        };
        let Some(drawn) = &self.drawn else {
            let uncertainty = self.law.uncertainty();
            let (low, high) = uncertainty.band(1.0);
            let relative_error = uncertainty.relative_error();
            return Spread { quantiles: (high.recip(), low.recip()), relative_error };
        };
        let truth = least(&self.expected);
        let features = self.features[at];
        let shifts = resample(drawn.len(), SEED + 1, |random| Some(normals(random, 1)));
        let mut ratios: Vec<f64> = drawn
            .iter()
            .zip(shifts)
            .map(|(energies, shift)| least(energies) / truth * (features * shift[0]).exp())
            .collect();
        ratios.sort_by(f64::total_cmp);
        let count = ratios.len() as f64;
        let mean = ratios.iter().sum::<f64>() / count;
        let square = ratios.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Spread {
            quantiles: (ranked(&ratios, 0.025), ranked(&ratios, 0.975)),
            relative_error: square.sqrt(),
        }
    }
}

fn normals(random: &mut impl Rng, count: usize) -> Vec<f64> {
    (0..count).map(|_| random.sample(StandardNormal)).collect()
}

/// Noise of covariance K without its mean along the fitted one, n × draws.
fn coloured(data: &Prepared, kernel: &Kernel) -> Result<Option<Mat<f64>>> {
    let white = resample(DRAWS, SEED, |random| Some(normals(random, data.rows)));
    let white = Mat::from_fn(data.rows, DRAWS, |i, k| white[k][i]);
    let Some(mut noise) = kernel.colour_all(white.as_ref())? else { return Ok(None) };
    if let Some(s) = &data.direction {
        for k in 0..noise.ncols() {
            let column = noise.col_as_slice_mut(k);
            let along: f64 = s.iter().zip(&*column).map(|(s, e)| s * e).sum();
            column.iter_mut().zip(s).for_each(|(e, s)| *e -= along * s);
        }
    }
    Ok(Some(noise))
}
