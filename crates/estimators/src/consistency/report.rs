//! What is said about a data set: sizes of training sets, noise levels, splits beside their
//! predictions, and where not to trust them.

use super::{Forecast, Output, SampleSpectrum, SplitCheck, SplitEstimate};
use crate::{Error, Result};
use serde::Serialize;

/// Points of [`Forecast::curve`].
const POINTS: u32 = 60;
/// Ratio of measured to predicted disagreement from which a level is warned of.
const EXCESS: f64 = 1.15;

/// The denoiser at one noise level, trained on n samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AtLevel {
    /// σ.
    pub sigma: f64,
    /// Training samples.
    pub n: usize,
    /// Renormalised noise κ(σ²).
    pub kappa: f64,
    /// κ̂ of all rows as one training set, without knowing the population.
    pub kappa_of_all_rows: Option<f64>,
    /// Relative disagreement of two denoisers.
    pub relative: f64,
    /// Samples from which it stays within the tolerance, where a realistic number does.
    pub required_samples: Option<u64>,
    /// Denoising error on new data.
    pub test_error: f64,
    /// Denoising error on the training data.
    pub train_error: f64,
    /// Least possible error.
    pub bayes_error: f64,
}

/// Predicted against measured on splits of the rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Training samples of each half.
    pub n: usize,
    /// Noise level; absent for generated samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
    /// Predicted 𝔼‖x₁ − x₂‖².
    pub predicted: f64,
    /// Its mean over splits.
    pub measured: f64,
    /// Standard error of that mean.
    pub standard_error: f64,
    /// Measured over predicted.
    pub ratio: f64,
    /// Measured relative disagreement, on the scale of the prediction.
    pub relative: f64,
}

impl SampleSpectrum {
    /// Sizes of training sets, sorted: those asked for, else n = rows/2, rows/4, … down to 4.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a size below 2.
    pub fn sizes(&self, asked: &[usize]) -> Result<Vec<usize>> {
        let halves = || (0..6).map(|k| (self.rows / 2) >> k).filter(|n| *n >= 4).collect();
        let mut sizes = if asked.is_empty() { halves() } else { asked.to_vec() };
        sizes.sort_unstable();
        sizes.dedup();
        match sizes.iter().find(|n| **n < 2) {
            None => Ok(sizes),
            Some(n) => Err(Error::OutOfRange {
                what: "n",
                value: *n as f64,
                remedy: "a model needs at least 2 samples",
            }),
        }
    }
}

impl Forecast {
    /// The denoiser at σ of models trained on `n` samples.
    ///
    /// # Errors
    /// As the quantities themselves; a tolerance outside (0, 1).
    pub fn level(
        &self,
        spectrum: &SampleSpectrum,
        n: usize,
        sigma: f64,
        tolerance: f64,
    ) -> Result<AtLevel> {
        let (output, samples) = (Output::Denoised { sigma }, n as f64);
        let (errors, bayes_error) = self.errors(samples, sigma)?;
        let alone = (spectrum.tail.1 == 0).then(|| {
            let degrees = (spectrum.rows - 1) as f64;
            SplitEstimate::new(&spectrum.eigenvalues, degrees, sigma)
        });
        Ok(AtLevel {
            sigma,
            n,
            kappa: self.model(samples)?.renormalised_noise(sigma * sigma)?,
            kappa_of_all_rows: alone.transpose()?.map(|e| e.kappa),
            relative: self.disagreement(samples, output)?.relative,
            required_samples: self.required_samples(tolerance, output).ok(),
            test_error: errors.test,
            train_error: errors.train,
            bayes_error,
        })
    }

    /// Relative disagreement of generated samples against n: from 4 to four times the `required`
    /// samples, and beyond the `largest` size of interest.
    ///
    /// # Errors
    /// As [`Forecast::disagreement`].
    pub fn curve(&self, required: u64, largest: usize) -> Result<Vec<(f64, f64)>> {
        let top = (4.0 * required as f64).max(2.0 * largest as f64).max(8.0);
        (0..POINTS)
            .map(|i| {
                let n = (4.0 * (top / 4.0).powf(f64::from(i) / f64::from(POINTS - 1))).round();
                Ok((n, self.disagreement(n, Output::Samples)?.relative))
            })
            .collect()
    }
}

impl SplitCheck<'_> {
    /// Pairs of disjoint sets of `n` rows beside the prediction, for each output.
    ///
    /// # Errors
    /// As [`SplitCheck::measure`] and [`Forecast::disagreement`].
    pub fn compare(
        &self,
        forecast: &Forecast,
        n: usize,
        outputs: &[Output],
        repeats: usize,
        seed: u64,
    ) -> Result<Vec<Comparison>> {
        let measured = self.measure(n, outputs, repeats, seed)?;
        let beside = outputs.iter().zip(measured).map(|(output, m)| {
            let d = forecast.disagreement(n as f64, *output)?;
            Ok(Comparison {
                n,
                sigma: match output {
                    Output::Samples => None,
                    Output::Denoised { sigma } => Some(*sigma),
                },
                predicted: d.absolute,
                measured: m.mean,
                standard_error: m.standard_error,
                ratio: m.mean / d.absolute,
                relative: d.relative * m.mean / d.absolute,
            })
        });
        beside.collect()
    }
}

/// What limits the predictions: sizes beyond half of the rows, a spectrum that is not complete, and
/// data that are not Gaussian at low noise (splits disagree more than covariances allow).
pub fn warnings(spectrum: &SampleSpectrum, largest: usize, checks: &[Comparison]) -> Vec<String> {
    let mut warnings = Vec::new();
    if largest > spectrum.rows / 2 {
        warnings.push(format!(
            "n = {largest} is more than half of the {} samples: the sample spectrum stands in for a \
             population that is not known",
            spectrum.rows
        ));
    }
    if spectrum.tail.1 > 0 {
        let total = spectrum.eigenvalues.iter().sum::<f64>() + spectrum.tail.0;
        warnings.push(format!(
            "{} leading modes computed; {:.1} % of the variance spread evenly over {} more",
            spectrum.eigenvalues.len(),
            100.0 * spectrum.tail.0 / total,
            spectrum.tail.1
        ));
    }
    let worst = checks
        .iter()
        .filter(|c| c.ratio > EXCESS && c.measured - c.predicted > 3.0 * c.standard_error)
        .filter_map(|c| c.sigma.map(|sigma| (c, sigma)))
        .max_by(|a, b| a.0.ratio.total_cmp(&b.0.ratio));
    if let Some((worst, sigma)) = worst {
        warnings.push(format!(
            "at σ = {sigma} splits disagree {:.2} times more than predicted (n = {}): the data are \
             not Gaussian there, trust the predictions at higher noise only",
            worst.ratio, worst.n
        ));
    }
    warnings
}
