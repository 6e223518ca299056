use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::samples::{Shape, grid};
use rmt_estimators::Error;
use rmt_estimators::consistency::{
    AtLevel, Comparison, Forecast, GeneratedPair, Output, RowSource, SampleSpectrum,
    SpectrumMethod, SplitCheck, warnings,
};
use rmt_models::linear_diffusion::{MeanEstimate, NoiseRange};
use serde::Serialize;

/// What is asked.
pub(super) struct Request {
    pub(super) sizes: Vec<usize>,
    pub(super) levels: Vec<f64>,
    pub(super) range: NoiseRange,
    pub(super) tolerance: f64,
    pub(super) mean: MeanEstimate,
    pub(super) repeats: Option<usize>,
    pub(super) seed: u64,
}

/// Everything about one data set or class.
#[derive(Serialize)]
pub(super) struct Analysis {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<String>,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) rank: usize,
    pub(super) total_variance: f64,
    pub(super) method: &'static str,
    pub(super) sizes: Vec<AtSize>,
    pub(super) required_samples: u64,
    pub(super) levels: Vec<AtLevel>,
    /// Relative disagreement of generated samples against n.
    pub(super) curve: Vec<(f64, f64)>,
    /// κ and relative disagreement against σ for each size: (σ, κ, δ).
    pub(super) over_noise: Vec<Vec<(f64, f64, f64)>>,
    pub(super) modes: ByMode,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) check: Vec<Comparison>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) generated: Option<Generated>,
    pub(super) warnings: Vec<String>,
    #[serde(skip)]
    spectrum: SampleSpectrum,
    #[serde(skip)]
    pub(super) forecast: Forecast,
}

/// Generated samples of two models trained on n samples each.
#[derive(Serialize)]
pub(super) struct AtSize {
    pub(super) n: usize,
    pub(super) disagreement: f64,
    pub(super) relative: f64,
}

/// Modes by rank, for every size.
#[derive(Serialize)]
pub(super) struct ByMode {
    pub(super) rank: Vec<usize>,
    pub(super) eigenvalue: Vec<f64>,
    pub(super) consistency: Vec<Vec<f64>>,
    /// Gain of the denoiser at the middle noise level.
    pub(super) gain_sigma: f64,
    pub(super) gain: Vec<Vec<f64>>,
    pub(super) population_gain: Vec<f64>,
}

/// The user's own models.
#[derive(Serialize)]
pub(super) struct Generated {
    pub(super) trained_on: usize,
    pub(super) pairs: usize,
    pub(super) relative: f64,
    pub(super) predicted_relative: f64,
    pub(super) disagreement: f64,
    pub(super) standard_error: f64,
    pub(super) rank: Vec<usize>,
    pub(super) by_mode: Vec<f64>,
    pub(super) predicted_by_mode: Vec<f64>,
}

fn failed(error: Error) -> Failure {
    match error {
        Error::NoDecomposition { .. } => Failure::result(error),
        other => Failure::input(other),
    }
}

/// Ranks 1, 2, 3, … thinning out, at most about a hundred.
fn ranks(modes: usize) -> Vec<usize> {
    let mut list: Vec<usize> =
        (0..=100).map(|i| (modes as f64).powf(f64::from(i) / 100.0).round() as usize).collect();
    list.dedup();
    list
}

fn geometric(low: f64, high: f64, count: usize) -> Vec<f64> {
    let step = |i: usize| i as f64 / (count - 1) as f64;
    (0..count).map(|i| low * (high / low).powf(step(i))).collect()
}

impl Analysis {
    pub(super) fn new(
        source: &dyn RowSource,
        request: &Request,
        class: Option<String>,
    ) -> Result<Self> {
        let spectrum = SampleSpectrum::new(source).map_err(failed)?;
        let sizes = spectrum.sizes(&request.sizes).map_err(failed)?;
        let largest = sizes.last().copied().unwrap_or(spectrum.rows / 2);
        let forecast = Forecast::new(spectrum.population(), request.range, request.mean);
        let rank = spectrum.eigenvalues.len() + spectrum.tail.1;
        let mut analysis = Self {
            class,
            rows: spectrum.rows,
            columns: spectrum.columns,
            rank,
            total_variance: spectrum.eigenvalues.iter().sum::<f64>() + spectrum.tail.0,
            method: match spectrum.method {
                SpectrumMethod::Covariance => "covariance of the columns",
                SpectrumMethod::Gram => "Gram matrix of the rows",
                SpectrumMethod::Randomised => {
                    "randomised: leading modes, the rest of the variance spread evenly"
                }
            },
            sizes: Vec::new(),
            required_samples: 0,
            levels: Vec::new(),
            curve: Vec::new(),
            over_noise: Vec::new(),
            modes: ByMode {
                rank: ranks(spectrum.eigenvalues.len()),
                eigenvalue: Vec::new(),
                consistency: Vec::new(),
                gain_sigma: request.levels[request.levels.len() / 2],
                gain: Vec::new(),
                population_gain: Vec::new(),
            },
            check: Vec::new(),
            generated: None,
            warnings: Vec::new(),
            spectrum,
            forecast,
        };
        analysis.predict(request, &sizes, largest).map_err(failed)?;
        if let Some(repeats) = request.repeats {
            analysis.measure(source, request, &sizes, repeats)?;
        }
        analysis.warnings = warnings(&analysis.spectrum, largest, &analysis.check);
        Ok(analysis)
    }

    fn predict(
        &mut self,
        request: &Request,
        sizes: &[usize],
        largest: usize,
    ) -> rmt_estimators::Result<()> {
        let forecast = &self.forecast;
        for &n in sizes {
            let d = forecast.disagreement(n as f64, Output::Samples)?;
            self.sizes.push(AtSize { n, disagreement: d.absolute, relative: d.relative });
        }
        self.required_samples = forecast.required_samples(request.tolerance, Output::Samples)?;
        self.curve = forecast.curve(self.required_samples, largest)?;
        for &sigma in &request.levels {
            let level = forecast.level(&self.spectrum, largest, sigma, request.tolerance)?;
            self.levels.push(level);
        }
        let span = (self.total_variance / self.columns as f64).sqrt();
        for &n in sizes {
            let model = forecast.model(n as f64)?;
            let point = |sigma: f64| -> rmt_estimators::Result<(f64, f64, f64)> {
                let output = Output::Denoised { sigma };
                let relative = forecast.disagreement(n as f64, output)?.relative;
                Ok((sigma, model.renormalised_noise(sigma * sigma)?, relative))
            };
            let levels = geometric(1e-2 * span, 1e2 * span, 41);
            self.over_noise
                .push(levels.into_iter().map(point).collect::<rmt_estimators::Result<Vec<_>>>()?);
        }
        let modes = &mut self.modes;
        let pick = |list: &[f64]| modes.rank.iter().map(|r| list[r - 1]).collect::<Vec<f64>>();
        modes.eigenvalue = pick(&self.spectrum.eigenvalues);
        let noise = modes.gain_sigma * modes.gain_sigma;
        modes.population_gain = modes.eigenvalue.iter().map(|s| s / (s + noise)).collect();
        let (mut consistency, mut gain) = (Vec::new(), Vec::new());
        for &n in sizes {
            consistency.push(pick(&forecast.consistency(n as f64)?));
            gain.push(pick(&forecast.model(n as f64)?.denoiser(noise)?.gain()));
        }
        (modes.consistency, modes.gain) = (consistency, gain);
        Ok(())
    }

    fn measure(
        &mut self,
        source: &dyn RowSource,
        request: &Request,
        sizes: &[usize],
        repeats: usize,
    ) -> Result<()> {
        let check =
            SplitCheck::new(source, &self.spectrum, request.range, request.mean).map_err(failed)?;
        let mut outputs = vec![Output::Samples];
        outputs.extend(request.levels.iter().map(|&sigma| Output::Denoised { sigma }));
        let fitting: Vec<usize> =
            sizes.iter().copied().filter(|n| 2 * n <= self.spectrum.rows).collect();
        if fitting.is_empty() {
            return Err(Failure::input(format!(
                "--check: no n is at most half of the {} samples",
                self.spectrum.rows
            )));
        }
        let progress = Progress::new("checking splits", fitting.len());
        for n in fitting {
            let compared = check.compare(&self.forecast, n, &outputs, repeats, request.seed);
            self.check.extend(compared.map_err(failed)?);
            progress.step();
        }
        progress.finish();
        Ok(())
    }

    /// Compares samples of the user's models.
    pub(super) fn compare_generated(
        &mut self,
        first: &dyn RowSource,
        second: &dyn RowSource,
        trained_on: Option<usize>,
    ) -> Result<()> {
        let n = trained_on.unwrap_or(self.rows / 2);
        if n < 2 {
            return Err(Failure::input(format!("--trained-on {n}: give at least 2")));
        }
        let pair = GeneratedPair::new(first, second, &self.spectrum).map_err(failed)?;
        let predicted = self.forecast.disagreement(n as f64, Output::Samples).map_err(failed)?;
        let consistency = self.forecast.consistency(n as f64).map_err(failed)?;
        let rank = self.modes.rank.clone();
        self.generated = Some(Generated {
            trained_on: n,
            pairs: pair.pairs,
            relative: pair.relative,
            predicted_relative: predicted.relative,
            disagreement: pair.disagreement.0,
            standard_error: pair.disagreement.1,
            by_mode: rank.iter().map(|r| pair.by_mode[r - 1]).collect(),
            predicted_by_mode: rank.iter().map(|r| consistency[r - 1]).collect(),
            rank,
        });
        Ok(())
    }

    /// Mean and modes, samples of two splits from one noise, their difference.
    pub(super) fn picture(
        &self,
        source: &dyn RowSource,
        request: &Request,
        shape: Shape,
    ) -> Result<Vec<u8>> {
        const ACROSS: usize = 8;
        let n = self.sizes.iter().map(|s| s.n).filter(|n| 2 * n <= self.rows).max();
        let n = n.ok_or_else(|| Failure::input("--image: no n is at most half of the samples"))?;
        let check =
            SplitCheck::new(source, &self.spectrum, request.range, request.mean).map_err(failed)?;
        let (a, b) = check.generate(n, ACROSS, request.seed).map_err(failed)?;
        let modes = self.spectrum.vectors.ncols().min(ACROSS);
        let column = |j: usize| (0..self.columns).map(|i| self.spectrum.vectors[(i, j)]).collect();
        let row = |m: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            (0..ACROSS).map(|i| (0..self.columns).map(|j| m(i, j)).collect()).collect()
        };
        let rows = [
            (vec![self.spectrum.mean.clone()], false),
            ((0..modes).map(column).collect(), true),
            (row(&|i, j| a[(i, j)]), false),
            (row(&|i, j| b[(i, j)]), false),
            (row(&|i, j| a[(i, j)] - b[(i, j)]), true),
        ];
        grid(shape, &rows)
    }
}
