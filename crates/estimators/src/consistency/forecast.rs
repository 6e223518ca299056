//! What two models trained on n samples each have in common, predicted from a spectrum.

use crate::{Error, Result};
use rmt_core::Modes;
use rmt_models::linear_diffusion::{
    DenoisingErrors, MeanEstimate, NoiseRange, Pairing, TrainedModel,
};

/// What two models are compared in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output {
    /// Samples generated from the same noise.
    Samples,
    /// Denoised data at this noise level σ (the same noisy inputs).
    Denoised {
        /// σ > 0.
        sigma: f64,
    },
}

/// Expected squared difference between two models' outputs, summed over dimensions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disagreement {
    /// 𝔼‖x₁ − x₂‖².
    pub absolute: f64,
    /// The same over twice the variance of one model's output: 0 equal, 1 unrelated.
    pub relative: f64,
}

/// Predictions for models trained on disjoint sets of one population.
#[derive(Clone, Debug)]
pub struct Forecast {
    spectrum: Modes,
    population: Vec<f64>,
    range: NoiseRange,
    mean: MeanEstimate,
    accuracy: f64,
}

/// Relative accuracy of the sampling gains: far below the O(1/n) of the theory.
const ACCURACY: f64 = 1e-8;

impl Forecast {
    /// From all p population eigenvalues, zeros included.
    pub fn new(population: Vec<f64>, range: NoiseRange, mean: MeanEstimate) -> Self {
        Self {
            spectrum: Modes::Explicit(population.clone()),
            population,
            range,
            mean,
            accuracy: ACCURACY,
        }
    }

    /// The model trained on `n` samples.
    pub fn model(&self, n: f64) -> Result<TrainedModel> {
        Ok(TrainedModel::new(&self.spectrum, n, self.mean)?)
    }

    /// The noise range of sampling.
    pub fn range(&self) -> NoiseRange {
        self.range
    }

    /// Disagreement of two models trained on `n` samples each.
    pub fn disagreement(&self, n: f64, output: Output) -> Result<Disagreement> {
        let model = self.model(n)?;
        let (map, inputs, second_moment) = match output {
            Output::Samples => {
                let map = model.sampler(self.range, self.accuracy)?;
                let inputs = vec![self.range.high; self.population.len()];
                (map, inputs, model.generated_second_moment(self.range)?)
            }
            Output::Denoised { sigma } => {
                let map = model.denoiser(sigma * sigma)?;
                let inputs: Vec<f64> = self.population.iter().map(|s| s + sigma * sigma).collect();
                let squared_gain = map.gain().iter().map(|g| g * g).collect();
                (map, inputs, squared_gain)
            }
        };
        let variance: f64 = map.variance(&inputs, Pairing::Full)?.iter().sum();
        let signal: f64 = second_moment.iter().zip(&inputs).map(|(m, x)| m * x).sum();
        Ok(Disagreement { absolute: 2.0 * variance, relative: variance / signal })
    }

    /// Consistency of generated samples mode by mode, in the order of the population.
    pub fn consistency(&self, n: f64) -> Result<Vec<f64>> {
        Ok(self.model(n)?.consistency(self.range, self.accuracy)?)
    }

    /// Denoising errors at n and σ, with the 1/n term where it exists, and the Bayes error.
    pub fn errors(&self, n: f64, sigma: f64) -> Result<(DenoisingErrors, f64)> {
        let model = self.model(n)?;
        let lambda = sigma * sigma;
        let errors = match model.denoising_errors_finite_size(lambda)? {
            Some(errors) => errors,
            None => model.denoising_errors(lambda)?,
        };
        Ok((errors, model.bayes_error(lambda)))
    }

    /// The smallest n from which on the relative disagreement stays at or below `tolerance`: searched
    /// from above, because at low noise it need not fall with n.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless 0 < `tolerance` < 1; where even 10¹⁵ samples do not suffice.
    pub fn required_samples(&self, tolerance: f64, output: Output) -> Result<u64> {
        let what = "tolerance";
        if !(tolerance > 0.0 && tolerance < 1.0) {
            let remedy = "choose a relative disagreement between 0 and 1";
            return Err(Error::OutOfRange { what, value: tolerance, remedy });
        }
        let met =
            |n: f64| -> Result<bool> { Ok(self.disagreement(n, output)?.relative <= tolerance) };
        let least = if self.mean == MeanEstimate::Known { 1.0 } else { 2.0 };
        // δ ~ constant/n far out gives a starting point; move up until it is met.
        let far = 1e9;
        let mut high = (4.0 * far * self.disagreement(far, output)?.relative / tolerance).ceil();
        high = high.max(16.0 * least);
        while !met(high)? {
            high *= 16.0;
            if high > 1e15 {
                let remedy = "no realistic number of samples reaches it";
                return Err(Error::OutOfRange { what, value: tolerance, remedy });
            }
        }
        let mut low = high;
        loop {
            if low <= least {
                return Ok(least as u64);
            }
            let next = (low / 1.3).floor().max(least);
            if !met(next)? {
                (low, high) = (next, low);
                break;
            }
            low = next;
        }
        while high - low > 1.0 {
            let middle = (0.5 * (low + high)).floor();
            if met(middle)? {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(high as u64)
    }
}

/// What the covariance of a single training set says about the denoiser it gives, without knowing the
/// population (leading order, pairing of traces).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SplitEstimate {
    /// κ̂(σ²) = σ²/(1 − Tr M̂/N).
    pub kappa: f64,
    /// Tr M̂, which estimates df₁(κ).
    pub df1: f64,
    /// Estimated df₂(κ) = N(1 − 1/κ̂').
    pub df2: f64,
    /// Expected ‖D̂₁ − D̂₂‖² between this model and another one trained on as many other samples, on
    /// noisy data.
    pub disagreement: f64,
}

impl SplitEstimate {
    /// From the positive eigenvalues of Σ̂ = X̃ᵀX̃/N around the sample mean, N = rows − 1, at σ > 0.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless `sigma` > 0 and `degrees` ≥ 1; [`Error::NoVariance`].
    pub fn new(eigenvalues: &[f64], degrees: f64, sigma: f64) -> Result<Self> {
        for (what, value) in [("sigma", sigma), ("degrees", degrees)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::OutOfRange { what, value, remedy: "must be positive" });
            }
        }
        if eigenvalues.is_empty() {
            return Err(Error::NoVariance);
        }
        let lambda = sigma * sigma;
        let sum = |f: &dyn Fn(f64) -> f64| eigenvalues.iter().map(|l| f(*l)).sum::<f64>();
        // N − T with full rank: Σ λ/(l+λ), no subtraction.
        let rest = (degrees - eigenvalues.len() as f64).max(0.0);
        let room = (rest + sum(&|l| lambda / (l + lambda))) / degrees;
        let df1 = sum(&|l| l / (l + lambda));
        let moved = sum(&|l| l * lambda / (l + lambda) / (l + lambda));
        let kappa = lambda / room;
        // κ̂' = (1 − T/N − T'/N)/(1 − T/N)²; N − df₂ = N/κ̂'.
        let slope = (rest + sum(&|l| (lambda / (l + lambda)).powi(2))) / degrees / (room * room);
        let df2 = degrees * (1.0 - 1.0 / slope);
        let spread = moved / lambda / slope;
        let variance = kappa * kappa * slope / degrees * spread * (df2 + lambda * spread + 1.0);
        Ok(Self { kappa, df1, df2, disagreement: 2.0 * variance })
    }
}
