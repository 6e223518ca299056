//! Ridge regression on correlated samples.
//!
//! X = 𝐊^½ZΣ^½ with Tr 𝐊 = n, noise of covariance σ²𝐊'. Both sides renormalise:
//! df1(κ) = df̃1(κ̃) and κκ̃·df̃1 = nλ. The residuals obey E[rrᵀ] = κ̃²G̃(E_g𝐊 + σ²𝐊')G̃ with
//! G̃ = (𝐊+κ̃)⁻¹ and E_g the excess risk, which is where the cross-validation estimators and their
//! failures come from.
//!
//! Atanasov, Zavatone-Veth and Pehlevan, arXiv:2408.04607. Mismatched noise, the whitened and the
//! two-component estimator go beyond the paper; they were derived from the residual law and checked by
//! simulation.

mod row_spectrum;
mod simulate;

use crate::inputs::DenseMatrix;
use crate::kernel::{Kernel, NoiseCorrelation, SampleCorrelation};
use crate::sample_kernel::CORRELATED_SAMPLES;
use crate::sampled::{Setting, Sums, chain, check_noise};
use crate::simulate::whole;
use num_complex::Complex64;
use rmt_core::{Modes, Population, SampleCovariance};
use rmt_task::{Card, Observables, Task, TaskError, Value};
use row_spectrum::RowSpectrum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Ridge regression on correlated samples.
pub struct CorrelatedRidge;

/// Weighting of the loss (1/n)(y − Xθ)ᵀM(y − Xθ) + λ‖θ‖².
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LossWeight {
    /// M = 𝐊⁻¹: whitens the samples.
    InverseSampleCorrelation,
    /// M = 𝐊'⁻¹: whitens the noise (generalised least squares).
    InverseNoiseCorrelation,
    /// M = diag(weights), one weight ≥ 0 per row.
    Diagonal(Vec<f64>),
}

/// Inputs of [`CorrelatedRidge`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrelatedRidgeInputs {
    /// Eigenvalues s_i ≥ 0 of the population covariance Σ.
    pub spectrum: Modes,
    /// Squared target coefficients c_i = (v_iᵀθ)² ≥ 0, one per eigenvalue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Modes>,
    /// Signed target coefficients θ_i in the eigenbasis, instead of `target`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coefficients: Option<Vec<f64>>,
    /// Number of samples n ≥ 1, a whole number.
    pub n: f64,
    /// Ridge λ ≥ 0 (not multiplied by n).
    pub lambda: f64,
    /// Variance σ² ≥ 0 of the label noise.
    #[serde(default)]
    pub noise_variance: f64,
    /// Correlation 𝐊 between the samples.
    pub sample_correlation: SampleCorrelation,
    /// Correlation 𝐊' of the noise, "same" (matched) by default.
    #[serde(default)]
    pub noise_correlation: NoiseCorrelation,
    /// Diagonal s'_i ≥ 0 of the test covariance Σ' in the eigenbasis of Σ; default Σ itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_spectrum: Option<Modes>,
    /// Test covariance Σ' as a matrix in the eigenbasis of Σ; needs `coefficients`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_covariance: Option<DenseMatrix>,
    /// Steps after the last row at which a test point correlated with the training set stands
    /// (stationary correlations only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_lag: Option<f64>,
    /// Weighting of the loss; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_weight: Option<LossWeight>,
}

impl CorrelatedRidgeInputs {
    fn setting(&self) -> crate::Result<Setting> {
        Setting::new(
            &self.spectrum,
            self.target.as_ref(),
            self.coefficients.as_deref(),
            self.test_spectrum.as_ref(),
            self.test_covariance.as_ref(),
        )
    }

    /// The kernels of the samples and, where it differs, of the noise.
    fn kernels(&self) -> Result<(Kernel, Option<Kernel>), TaskError> {
        let n = whole("n", self.n)?;
        let samples = self
            .sample_correlation
            .kernel(n)
            .map_err(|e| TaskError::from(e).within("sample_correlation"))?;
        let noise = match &self.noise_correlation {
            NoiseCorrelation::Same => None,
            NoiseCorrelation::Kernel(k) => {
                Some(k.kernel(n).map_err(|e| TaskError::from(e).within("noise_correlation"))?)
            }
        };
        Ok((samples, noise))
    }
}

impl Task for CorrelatedRidge {
    type Inputs = CorrelatedRidgeInputs;

    const CARD: Card = Card {
        name: "correlated_ridge",
        summary: "Ridge regression on correlated samples, and what every cross-validation score converges to",
        equations: "X = K^½ Z Σ^½,  ε ~ N(0, σ²K'),  Tr K = n\n\
                    df1(κ) = Σ s/(s+κ) = Σ k/(k+κ̃) = df̃1(κ̃),  κ κ̃ df̃1 = n λ\n\
                    γ = df2 df̃2/df1²,  1 − γ = α + α̃ − αα̃,  α = 1 − df2/df1,  α̃ = 1 − df̃2/df̃1\n\
                    E = (κ² Σ c s/(s+κ)² + σ²)/(1−γ)  (K' = K, Σ' = Σ)\n\
                    E[r rᵀ] = κ̃² G̃ (E_g K + σ² K') G̃,  G̃ = (K+κ̃)⁻¹\n\
                    CorrGCV = train_error / φ,  φ = (κ̃²/n) Σ k/(k+κ̃)²\n\
                    GCV₁ = train_error/(1−df1/n)² ≤ CorrGCV ≤ GCV₂ = train_error (κ/λ)²",
        latex: r"\mathrm{df}_1(\kappa)&=\sum_i\frac{s_i}{s_i+\kappa}=\sum_i\frac{k_i}{k_i+\tilde\kappa},\qquad \kappa\,\tilde\kappa\,\mathrm{df}_1 = n\lambda\\
\gamma&=\frac{\mathrm{df}_2\,\widetilde{\mathrm{df}}_2}{\mathrm{df}_1^2},\qquad E=\frac{\kappa^2\sum_i c_i s_i/(s_i+\kappa)^2+\sigma^2}{1-\gamma}\\
\mathbb E\,rr^\top&=\tilde\kappa^2\tilde G\,(E_g K+\sigma^2K')\,\tilde G,\qquad \mathrm{CorrGCV}=\frac{\hat E_{\mathrm{train}}}{\frac{\tilde\kappa^2}{n}\sum_i k_i/(k_i+\tilde\kappa)^2}",
        references: &[CORRELATED_SAMPLES],
        observables: &[
            ("kappa", "effective ridge κ that the population sees"),
            ("kappa_tilde", "effective ridge κ̃ that the rows see"),
            ("df1", "degrees of freedom Σ s/(s+κ)"),
            ("df2", "Σ s²/(s+κ)²"),
            ("sample_df1", "df̃1 = Σ k/(k+κ̃), equal to df1"),
            ("sample_df2", "df̃2 = Σ k²/(k+κ̃)²"),
            ("gamma", "df2 df̃2/df1²"),
            ("bias", "squared bias of the mean predictor"),
            ("variance_data", "variance of the noiseless fit over data sets"),
            ("variance_noise", "variance from label noise"),
            ("risk", "excess error at an independent test point"),
            ("prediction_error", "risk + σ²"),
            ("train_error", "mean squared training residual"),
            (
                "gcv1",
                "limit of ordinary GCV (and of leave-one-out for stationary K): too optimistic",
            ),
            ("corr_gcv", "limit of CorrGCV: the prediction error when K' = K and Σ' = Σ"),
            ("gcv2", "limit of the naive S-transform correction: too pessimistic"),
            ("whitened_corr_gcv", "limit of CorrGCV from whitened residuals (K nonsingular)"),
            (
                "two_component_risk",
                "excess risk from the two-component fit of the residuals (K' ≠ K)",
            ),
            ("two_component_noise_variance", "noise variance from the same fit"),
            (
                "correlated_test_error",
                "prediction error at a point `test_lag` steps after the last row",
            ),
        ],
        headline: &["prediction_error", "gcv1", "corr_gcv", "gcv2", "train_error"],
        example: r#"{
  "spectrum": {"kind": "power_law", "p": 300, "alpha": 1.2},
  "target": {"kind": "power_law", "p": 300, "alpha": 0.8, "total": 1.0},
  "n": 200, "lambda": 0.001, "noise_variance": 0.04,
  "sample_correlation": {"kind": "exponential", "length": 10.0}
}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let setting = inputs.setting()?;
        let noise_variance = check_noise(inputs.noise_variance)?;
        let (kernel, noise) = inputs.kernels()?;
        let rows = RowSpectrum::new(&kernel, noise.as_ref(), inputs.loss_weight.as_ref())?;
        let samples = rows.stage().map_err(crate::Error::from)?;
        let chain = chain(&setting.population, samples)?;
        let solution = chain.solve(inputs.lambda).map_err(crate::Error::from)?;
        let sums = Sums::new(&setting, &solution);
        let kappa_tilde = inputs.n * solution.seen[1].step.a / sums.df1;
        let noise_concentration = rows.noise_df2(kappa_tilde) / (sums.df1 * sums.df1);

        let mut out = Observables::new();
        setting.notes(&mut out);
        for notice in kernel.notices().iter().chain(noise.iter().flat_map(Kernel::notices)) {
            out.note(notice.clone());
        }
        out.set("kappa", sums.kappa)
            .set("kappa_tilde", kappa_tilde)
            .set("df1", sums.df1)
            .set("df2", sums.df2)
            .set("sample_df1", sums.df1)
            .set("sample_df2", solution.sample_df2())
            .set("gamma", sums.df2 * sums.concentration);
        let variance_noise = sums.variance_noise(noise_variance, noise_concentration);
        if inputs.target.is_none() && inputs.coefficients.is_none() {
            out.set("variance_noise", variance_noise);
            return Ok(out);
        }
        let variance_data = sums.variance_data();
        let risk = sums.bias + variance_data + variance_noise;
        out.set("bias", sums.bias)
            .set("variance_data", variance_data)
            .set("variance_noise", variance_noise)
            .set("risk", risk)
            .set("prediction_error", risk + noise_variance);
        let matched_risk = sums.matched_risk(noise_variance, noise_concentration);
        rows.estimators(matched_risk, noise_variance, kappa_tilde, sums.df1, &mut out);
        if let Some(lag) = inputs.test_lag {
            if inputs.loss_weight.is_some() {
                return Err(
                    crate::Error::Conflict { first: "loss_weight", second: "test_lag" }.into()
                );
            }
            let error = correlated_test_error(
                &kernel,
                noise.as_ref(),
                lag,
                kappa_tilde,
                matched_risk,
                noise_variance,
            )?;
            match error {
                Some(error) => out.set("correlated_test_error", error),
                None => out.note("correlated_test_error is left out: K is singular and κ̃ = 0"),
            };
        }
        if sums.one_minus_gamma == 0.0 {
            out.note(
                "λ = 0 where the ranks of Σ and K are equal: the noise variance diverges there",
            );
        }
        Ok(out)
    }
}

/// E_g[k₀ − kvecᵀ(𝐊+2κ̃)G̃²kvec] + σ²[k₀' + kvecᵀG̃𝐊'G̃kvec − 2kvecᵀG̃kvec'] with k₀ = k₀' = 1.
fn correlated_test_error(
    kernel: &Kernel,
    noise: Option<&Kernel>,
    lag: f64,
    kappa_tilde: f64,
    risk: f64,
    noise_variance: f64,
) -> crate::Result<Option<f64>> {
    let noise = noise.unwrap_or(kernel);
    let (near, near_noise) = (kernel.test_point(lag)?, noise.test_point(lag)?);
    let Some(x) = kernel.solve(kappa_tilde, &near)? else { return Ok(None) };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let signal = 1.0 - dot(&near, &x) - kappa_tilde * dot(&x, &x);
    let label = 1.0 + dot(&x, &noise.apply(&x)?) - 2.0 * dot(&x, &near_noise);
    // A test point that equals a training row has signal = 0: no error from an infinite risk.
    let signal = signal.max(0.0);
    let from_risk = if signal == 0.0 { 0.0 } else { risk * signal };
    Ok(Some(from_risk + noise_variance * label.max(0.0)))
}

/// Resolvent, density and support of the sample covariance of correlated rows.
pub struct SeparableResolvent;

/// Inputs of [`SeparableResolvent`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeparableResolventInputs {
    /// Eigenvalues s_i ≥ 0 of the population covariance Σ.
    pub spectrum: Modes,
    /// Correlation 𝐊 between the samples.
    pub sample_correlation: SampleCorrelation,
    /// Number of samples n ≥ 1, a whole number.
    pub n: f64,
    /// Complex point z = [re, im] at which the resolvent of Σ̂ is evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolvent_at: Option<[f64; 2]>,
    /// Points x > 0 at which the density of the spectrum of Σ̂ is evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density_at: Option<Vec<f64>>,
}

impl Task for SeparableResolvent {
    type Inputs = SeparableResolventInputs;

    const CARD: Card = Card {
        name: "separable_resolvent",
        summary: "Spectrum of the sample covariance of correlated rows: Stieltjes transform, density, edges",
        equations: "a = (1/n) Σ k/(1+e k),  e = (1/n) Σ s/(a s − z)\n\
                    m(z) = (1/p) Tr(Σ̂ − z)⁻¹ = (1/p) Σ 1/(a s − z)",
        latex: r"a&=\frac1n\sum_i\frac{k_i}{1+e k_i},\qquad e=\frac1n\sum_i\frac{s_i}{a s_i-z},\qquad m(z)=\frac1p\sum_i\frac1{a s_i-z}",
        references: &[CORRELATED_SAMPLES],
        observables: &[
            ("stieltjes", "(1/p)Tr(Σ̂ − z)⁻¹ at z = `resolvent_at`"),
            ("density", "density of the spectrum of Σ̂ at `density_at`, without the mass at zero"),
            ("support_edges", "edges of the spectrum of Σ̂, ascending"),
            ("mass_at_zero", "fraction of zero eigenvalues of Σ̂"),
        ],
        headline: &["stieltjes", "support_edges"],
        example: r#"{
  "spectrum": {"kind": "constant", "p": 150, "value": 1.0},
  "sample_correlation": {"kind": "exponential", "length": 5.0},
  "n": 300, "resolvent_at": [0.5, 0.05]
}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let population = Population::new(&inputs.spectrum).map_err(crate::Error::from)?;
        let kernel = inputs
            .sample_correlation
            .kernel(whole("n", inputs.n)?)
            .map_err(|e| TaskError::from(e).within("sample_correlation"))?;
        let samples = kernel.samples()?;
        let covariance = SampleCovariance::correlated(&population, &samples);
        let mut out = Observables::new();
        out.set("support_edges", covariance.edges()).set("mass_at_zero", covariance.mass_at_zero());
        let chain = chain(&population, samples)?;
        if let Some([re, im]) = inputs.resolvent_at {
            let solution =
                chain.solve_complex(Complex64::new(-re, -im), None).map_err(crate::Error::from)?;
            let m = chain.stieltjes(&solution);
            out.set("stieltjes", Value::Complex(m.re, m.im));
        }
        if let Some(points) = &inputs.density_at {
            out.set("density", chain.density(points).map_err(crate::Error::from)?);
        }
        Ok(out)
    }
}
