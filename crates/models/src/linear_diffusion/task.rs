//! The task `linear_diffusion`.

use super::{
    LinearMap, MeanEstimate, NoisePath, NoiseRange, Offset, Pairing, Sampler, TrainedModel,
    disagreement, simulate,
};
use rmt_core::Modes;
use rmt_task::{Card, Draw, Observables, Reference, Simulate, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A linear diffusion model trained on finite data, and what two of them have in common.
pub struct LinearDiffusion;

/// Inputs of [`LinearDiffusion`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearDiffusionInputs {
    /// Eigenvalues of the data covariance.
    pub spectrum: Modes,
    /// Training samples, at least 1 (2 where the mean is estimated); absent = infinite data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<f64>,
    /// Training samples of the second model [default: n].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_other: Option<f64>,
    /// Training samples that both models saw, 0 to min(n, n_other); needs mean = known [default: 0].
    #[serde(default)]
    pub shared_samples: f64,
    /// How the model knows the mean: known, mle (sample mean, covariance over n) or unbiased (over
    /// n − 1) [default: mle].
    #[serde(default)]
    pub mean: MeanEstimate,
    /// Noise level σ ≥ 0 of the denoiser (standard deviation).
    pub sigma: f64,
    /// Noise level ≥ 0 at which sampling ends.
    pub sigma_min: f64,
    /// Noise level at which sampling starts, above sigma_min.
    pub sigma_max: f64,
    /// Input of the denoiser as its offset from the mean [default: ± the size of noisy data].
    #[serde(default = "Offset::noisy")]
    pub probe: Offset,
    /// Starting point of the sampler as its offset from the mean [default: ± sigma_max].
    #[serde(default = "Offset::noise")]
    pub start: Offset,
    /// Modes to report one by one, counted from 1 [default: all].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modes: Option<Vec<usize>>,
    /// Another noise level at which sampling may end: adds `cross_level_covariance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma_cross: Option<f64>,
    /// How samples are drawn: exact (the probability flow solved exactly), euler or heun with `steps`,
    /// `rho` [default: 7] and `to_zero` (a last step from sigma_min to 0) [default: exact].
    #[serde(default)]
    pub sampler: Sampler,
    /// Pairings of the fluctuations: full (real data) or trace (complex data) [default: full].
    #[serde(default)]
    pub pairing: Pairing,
    /// Scaling of the path: edm, variance_preserving or flow_matching; noise levels are always the
    /// ratio of noise to signal [default: edm].
    #[serde(default)]
    pub path: NoisePath,
    /// Relative accuracy of the sampling map's quadrature, 1e-14 to 0.1 [default: 1e-11].
    #[serde(default = "accuracy")]
    pub accuracy: f64,
}

fn accuracy() -> f64 {
    1e-11
}

impl LinearDiffusionInputs {
    pub(super) fn samples(&self) -> f64 {
        self.n.unwrap_or(f64::INFINITY)
    }

    pub(super) fn other_samples(&self) -> f64 {
        self.n_other.unwrap_or(self.samples())
    }

    pub(super) fn noise_variance(&self) -> Result<f64, TaskError> {
        if self.sigma >= 0.0 && (self.sigma * self.sigma).is_finite() {
            Ok(self.sigma * self.sigma)
        } else {
            Err(TaskError::invalid("sigma", format!("{}: give a noise level ≥ 0", self.sigma)))
        }
    }

    /// Modes to report, counted from 0.
    pub(super) fn chosen(&self, p: usize) -> Result<Vec<usize>, TaskError> {
        let Some(modes) = &self.modes else { return Ok((0..p).collect()) };
        let check = |(at, &mode): (usize, &usize)| {
            if (1..=p).contains(&mode) {
                return Ok(mode - 1);
            }
            Err(TaskError::invalid(
                format!("modes[{at}]"),
                format!("{mode} is not a mode: they count from 1 to {p}"),
            ))
        };
        modes.iter().enumerate().map(check).collect()
    }
}

/// A total and the chosen modes, under the contract's two names.
pub(super) fn report(out: &mut Observables, name: &str, suffix: &str, all: &[f64], at: &[usize]) {
    out.set(format!("{name}{suffix}"), all.iter().sum::<f64>());
    out.set(by_mode(name), at.iter().map(|i| all[*i]).collect::<Vec<_>>());
}

fn by_mode(name: &str) -> String {
    format!("{name}_by_mode")
}

fn scale(list: &[f64], factor: f64) -> Vec<f64> {
    list.iter().map(|x| x * factor).collect()
}

fn squares(list: &[f64]) -> Vec<f64> {
    list.iter().map(|x| x * x).collect()
}

impl Task for LinearDiffusion {
    type Inputs = LinearDiffusionInputs;

    const CARD: Card = Card {
        name: "linear_diffusion",
        summary: "Linear diffusion models trained on finite data: renormalised noise, fluctuations, consistency of samples",
        equations: "D̂(x;σ) = μ̂ + Σ̂(Σ̂+σ²)⁻¹(x−μ̂),  x ~ N(μ, Σ), N degrees of freedom of Σ̂\n\
            σ² = κ(1 − df₁(κ)/N),  mean gain of a mode: s/(s+κ)\n\
            Var_i(x) = κ²/(N−df₂)·[b_i(Σ_j b_j x̃_j² + ε) + b_i²x̃_i²],  b = s/(s+κ)²\n\
            sampling map h(Σ̂) = √((Σ̂+σ_min²)/(Σ̂+σ_max²)) = 𝔼_τ[(Σ̂+σ_min²)(Σ̂+τ)⁻¹], τ arcsine on (σ_min², σ_max²)\n\
            consistency of a mode: C_i = (𝔼h_i)²/𝔼(h²)_ii",
        latex: r"\hat D(x;\sigma) &= \hat\mu + \hat\Sigma(\hat\Sigma+\sigma^2)^{-1}(x-\hat\mu)\\ \sigma^2 &= \kappa\,(1-\mathrm{df}_1(\kappa)/N)\\ \mathrm{Var}_i(x) &= \frac{\kappa^2}{N-\mathrm{df}_2}\Big[b_i\Big(\sum_j b_j\tilde x_j^2+\varepsilon\Big)+b_i^2\tilde x_i^2\Big],\quad b_i=\frac{s_i}{(s_i+\kappa)^2}\\ h(\hat\Sigma) &= \sqrt{\frac{\hat\Sigma+\sigma_{\min}^2}{\hat\Sigma+\sigma_{\max}^2}},\quad C_i=\frac{(\mathbb E h_i)^2}{\mathbb E(h^2)_{ii}}",
        references: &[CONSISTENCY],
        observables: &[
            ("kappa", "renormalised noise variance κ(σ²)"),
            ("df1", "degrees of freedom Σ s/(s+κ)"),
            ("df2", "Σ s²/(s+κ)²"),
            ("denoiser_gain_sum", "mean gain of the denoiser, summed over modes"),
            ("denoiser_gain_by_mode", "mean gain of each mode"),
            ("denoiser_gain_sum_finite_size", "the same with the 1/N term"),
            ("denoiser_gain_by_mode_finite_size", "the same with the 1/N term"),
            (
                "denoiser_variance",
                "variance of the denoiser at the probe over training sets, summed over modes",
            ),
            ("denoiser_variance_by_mode", "variance of each output mode"),
            ("denoiser_disagreement", "mean squared difference of the two denoisers at the probe"),
            ("denoiser_test_error", "mean squared denoising error on new data"),
            ("denoiser_train_error", "the same on the training data with fresh noise"),
            ("denoiser_bayes_error", "the smallest error any denoiser can have"),
            ("denoiser_test_error_finite_size", "test error with the 1/N term: prefer it"),
            ("denoiser_train_error_finite_size", "training error with the 1/N term: prefer it"),
            ("map_gain_sum", "σ_max times the mean gain of the sampling map, summed over modes"),
            ("map_gain_by_mode", "σ_max times the mean gain of each mode"),
            ("map_gain_sum_finite_size", "the same with the 1/N term"),
            ("map_gain_by_mode_finite_size", "the same with the 1/N term"),
            ("sample_variance", "variance of the sample from the start point over training sets"),
            ("sample_variance_by_mode", "variance of each mode of that sample"),
            (
                "sample_disagreement",
                "mean squared difference of the two samples from the same start",
            ),
            ("generated_variance_sum", "variance of what one model generates, summed over modes"),
            ("generated_variance_by_mode", "variance of what one model generates in each mode"),
            ("consistency", "correlation between what two models generate from the same noise"),
            ("consistency_by_mode", "the same for each mode"),
            (
                "denoised_gain_sum",
                "σ_max times the mean gain of the denoised estimate at sigma_min",
            ),
            (
                "cross_level_covariance",
                "covariance over training sets between the samples at sigma_min and at sigma_cross",
            ),
        ],
        headline: &[
            "kappa",
            "denoiser_gain_sum",
            "denoiser_disagreement",
            "denoiser_test_error",
            "denoiser_bayes_error",
            "sample_disagreement",
            "consistency",
        ],
        example: r#"{"spectrum": {"kind": "power_law", "p": 128, "alpha": 1.5, "scale": 1.0}, "n": 200, "mean": "mle", "sigma": 0.1, "sigma_min": 0.002, "sigma_max": 80.0, "modes": [1, 2, 4, 8, 16, 32, 64, 128]}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let model = TrainedModel::new(&inputs.spectrum, inputs.samples(), inputs.mean)?;
        let other = TrainedModel::new(&inputs.spectrum, inputs.other_samples(), inputs.mean)
            .map_err(|e| TaskError::from(e).renamed("n", "n_other"))?;
        let (p, lambda) = (model.dimension(), inputs.noise_variance()?);
        let chosen = inputs.chosen(p)?;
        let range = NoiseRange::new(inputs.sigma_min, inputs.sigma_max)?;
        let population = model.population();
        let at = |key, offset: &Offset, sigma| {
            offset.values(key, &population, sigma, inputs.sigma_max).map(|v| squares(&v))
        };
        let probe = at("probe", &inputs.probe, inputs.sigma)?;
        let start = at("start", &inputs.start, inputs.sigma_max)?;
        let mut out = Observables::new();

        let level = model.level(lambda)?;
        out.set("kappa", level.kappa);
        out.set("df1", model.spectrum.iter().map(|s| level.gain(*s)).sum::<f64>());
        out.set("df2", model.spectrum.iter().map(|s| level.gain(*s).powi(2)).sum::<f64>());
        denoiser(inputs, &model, &other, lambda, &probe, &chosen, &mut out)?;
        sampler(inputs, &model, &other, range, &start, &chosen, &mut out)?;
        Ok(out)
    }
}

fn denoiser(
    inputs: &LinearDiffusionInputs,
    model: &TrainedModel,
    other: &TrainedModel,
    lambda: f64,
    probe: &[f64],
    chosen: &[usize],
    out: &mut Observables,
) -> Result<(), TaskError> {
    let map = model.denoiser(lambda)?;
    gains(&map, "denoiser_gain", 1.0, chosen, out);
    report(out, "denoiser_variance", "", &map.variance(probe, inputs.pairing)?, chosen);
    let second = other.denoiser(lambda)?;
    let apart = disagreement(&map, &second, inputs.shared_samples, probe, inputs.pairing)?;
    out.set("denoiser_disagreement", apart.iter().sum::<f64>());
    let errors = model.denoising_errors(lambda)?;
    out.set("denoiser_test_error", errors.test);
    out.set("denoiser_train_error", errors.train);
    out.set("denoiser_bayes_error", model.bayes_error(lambda));
    match model.denoising_errors_finite_size(lambda)? {
        Some(errors) => {
            out.set("denoiser_test_error_finite_size", errors.test);
            out.set("denoiser_train_error_finite_size", errors.train);
        }
        None => {
            out.note(NO_EXPANSION);
        }
    }
    Ok(())
}

fn sampler(
    inputs: &LinearDiffusionInputs,
    model: &TrainedModel,
    other: &TrainedModel,
    range: NoiseRange,
    start: &[f64],
    chosen: &[usize],
    out: &mut Observables,
) -> Result<(), TaskError> {
    let signal = inputs.path.signal(inputs.sampler.end(inputs.sigma_min));
    let map = inputs.sampler.map(model, range, inputs.accuracy)?.scaled(signal);
    gains(&map, "map_gain", inputs.sigma_max, chosen, out);
    report(out, "sample_variance", "", &map.variance(start, inputs.pairing)?, chosen);
    let second = inputs.sampler.map(other, range, inputs.accuracy)?.scaled(signal);
    let apart = disagreement(&map, &second, inputs.shared_samples, start, inputs.pairing)?;
    out.set("sample_disagreement", apart.iter().sum::<f64>());
    let power = signal * signal * range.high;
    let moment = match inputs.sampler {
        Sampler::Exact => model.generated_second_moment(range)?,
        Sampler::Stepped { .. } => scale(&map.second_moment()?, 1.0 / (signal * signal)),
    };
    report(out, "generated_variance", "_sum", &scale(&moment, power), chosen);

    let same_size = model.samples == other.samples && inputs.shared_samples == 0.0;
    if same_size {
        let gain: Vec<f64> = map.gain().iter().map(|g| (g / signal).powi(2)).collect();
        let ratio = |gain: f64, moment: f64| {
            // Modes that both models always generate as zero agree.
            if moment > 0.0 { (gain / moment).min(1.0) } else { 1.0 }
        };
        out.set("consistency", ratio(gain.iter().sum(), moment.iter().sum()));
        let list: Vec<_> = chosen.iter().map(|i| ratio(gain[*i], moment[*i])).collect();
        out.set(by_mode("consistency"), list);
    }
    if inputs.sampler != Sampler::Exact {
        if inputs.sigma_cross.is_some() {
            return Err(TaskError::invalid(
                "sigma_cross",
                "another end level is supported for the exact sampler only: drop it or `sampler`",
            ));
        }
        return Ok(());
    }
    let denoised = model.denoised_path(range, inputs.accuracy)?;
    out.set("denoised_gain_sum", inputs.sigma_max * denoised.gain().iter().sum::<f64>());
    if let Some(sigma) = inputs.sigma_cross {
        let cross = NoiseRange::new(sigma, inputs.sigma_max)
            .map_err(|e| TaskError::from(e).renamed("sigma_min", "sigma_cross"))?;
        let there = model.sampler(cross, inputs.accuracy)?.scaled(inputs.path.signal(sigma));
        let covariance = map.covariance(&there, start, inputs.pairing)?;
        out.set("cross_level_covariance", covariance.iter().sum::<f64>());
    }
    Ok(())
}

fn gains(map: &LinearMap<'_>, name: &str, factor: f64, chosen: &[usize], out: &mut Observables) {
    report(out, name, "_sum", &scale(&map.gain(), factor), chosen);
    match map.gain_finite_size() {
        Some(gain) => {
            let gain = scale(&gain, factor);
            out.set(format!("{name}_sum_finite_size"), gain.iter().sum::<f64>());
            let list: Vec<_> = chosen.iter().map(|i| gain[*i]).collect();
            out.set(format!("{name}_by_mode_finite_size"), list);
        }
        None => {
            out.note(NO_EXPANSION);
        }
    }
}

const NO_EXPANSION: &str = "some finite-size values are left out: at this n (and at noise this low, \
    if n is close to p) the 1/N term is not small";

impl Simulate for LinearDiffusion {
    const SIZES: &'static [&'static str] = &["spectrum.p", "n"];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        simulate::draw(inputs, draw)
    }
}

/// The source of linear diffusion models and their consistency.
const CONSISTENCY: Reference = Reference {
    key: "wang2026consistency",
    authors: "Wang, Binxu and Zavatone-Veth, Jacob A. and Pehlevan, Cengiz",
    title: "A random matrix theory perspective on the consistency of diffusion models",
    year: 2026,
    venue: "arXiv:2602.02908",
};
