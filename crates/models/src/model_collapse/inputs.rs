use super::Split;
use crate::Error;
use crate::bias_amplification::whole;
use crate::groups::{Covariance, Equilibrium, Mixture, Populations, Sample, Source};
use rmt_core::Modes;
use rmt_task::TaskError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Inputs of [`super::ModelCollapse`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelCollapseInputs {
    /// Number of real samples n_1, a whole number ≥ 0.
    pub n_real: f64,
    /// Number of synthetic samples n_2, a whole number ≥ 0.
    pub n_synthetic: f64,
    /// Ridge λ ≥ 0 of (1/n) Σ (y − xᵀSη)² + λ‖η‖²; 0 is the ridgeless limit.
    pub lambda: f64,
    /// Covariance of the real features.
    pub covariance_real: Covariance,
    /// Covariance of the synthetic features; absent: that of the real ones.
    pub covariance_synthetic: Option<Covariance>,
    /// Variances diag Γ of the true coefficients.
    pub target_prior: Modes,
    /// Variances diag Δ of the error of the synthetic coefficients.
    pub shift_prior: Modes,
    /// Label noise σ_1² of the real samples, ≥ 0.
    pub noise_variance_real: f64,
    /// Label noise σ_2² of the synthetic samples, ≥ 0.
    pub noise_variance_synthetic: f64,
    /// Number of random features m, of variance 1/m; absent: the features themselves.
    pub width: Option<f64>,
    /// Weight α of the synthetic data in (1−α)/n_1 Σ_real + α/n_2 Σ_synthetic, in [0, 1]; absent: every
    /// sample counts alike, α = n_2/n.
    pub synthetic_weight: Option<f64>,
    /// Also find the α with the smallest risk; everything else stays at the given weight.
    #[serde(default)]
    pub optimise_weight: bool,
    /// Also find the λ with the smallest risk, jointly with α if both are asked for.
    #[serde(default)]
    pub optimise_lambda: bool,
    /// Also find the number of samples beyond which more of this mixture is wasted.
    #[serde(default)]
    pub crossover: bool,
    /// Also find the number of real samples that brings the risk down to this.
    pub target_risk: Option<f64>,
}

/// The two groups in the engine's terms.
pub(super) struct Setting {
    pub(super) covariances: [Covariance; 2],
    pub(super) sources: [Source; 2],
    populations: Populations,
    noise: [f64; 2],
    width: Option<f64>,
    /// c² = Tr Σ_1 Δ.
    pub(super) quality: f64,
    size: f64,
}

impl Setting {
    pub(super) fn of(inputs: &ModelCollapseInputs) -> Result<Self, TaskError> {
        whole("n_real", inputs.n_real)?;
        whole("n_synthetic", inputs.n_synthetic)?;
        if inputs.n_real + inputs.n_synthetic == 0.0 {
            return Err(TaskError::invalid("n_real", "there are no samples at all; give some"));
        }
        if let Some(width) = inputs.width {
            whole("width", width)?;
        }
        if let Some(alpha) = inputs.synthetic_weight {
            let complain = |what: String| Err(TaskError::invalid("synthetic_weight", what));
            if !(0.0..=1.0).contains(&alpha) {
                return complain(format!("{alpha} is out of range; a weight lies in [0, 1]"));
            }
            if alpha > 0.0 && inputs.n_synthetic == 0.0 {
                return complain(format!("{alpha}, but there are no synthetic samples; give 0"));
            }
            if alpha < 1.0 && inputs.n_real == 0.0 {
                return complain(format!("{alpha}, but there are no real samples; give 1"));
            }
        }
        Self::new(
            &inputs.covariance_real,
            inputs.covariance_synthetic.as_ref(),
            &inputs.target_prior,
            &inputs.shift_prior,
            [inputs.noise_variance_real, inputs.noise_variance_synthetic],
            inputs.width,
        )
    }

    pub(super) fn new(
        covariance_real: &Covariance,
        covariance_synthetic: Option<&Covariance>,
        target_prior: &Modes,
        shift_prior: &Modes,
        noise: [f64; 2],
        width: Option<f64>,
    ) -> Result<Self, TaskError> {
        for (key, value) in
            [("noise_variance_real", noise[0]), ("noise_variance_synthetic", noise[1])]
        {
            if !(value >= 0.0 && value.is_finite()) {
                let message = format!("{value} is out of range; give a finite number ≥ 0");
                return Err(TaskError::invalid(key, message));
            }
        }
        let covariances =
            [covariance_real.clone(), covariance_synthetic.unwrap_or(covariance_real).clone()];
        let shift = shift_prior.values("shift_prior")?.values;
        let sources = [
            Source::Shared(target_prior.values("target_prior")?.values),
            Source::Own { group: 1, variance: shift.clone() },
        ];
        let populations = Populations::new(&covariances, &sources).map_err(explain)?;
        let energy = populations.energy().map_err(explain)?;
        // The quality is measured where the error is: on the real distribution.
        let on_real = [covariances[0].clone(), covariances[0].clone()];
        let only_shift = [sources[1].clone()];
        let quality = if covariances[0] == covariances[1] || shift.iter().any(|d| *d > 0.0) {
            Populations::new(&on_real, &only_shift).and_then(|p| p.energy()).map_err(explain)?[1]
        } else {
            0.0
        };
        let size = energy.iter().chain(&noise).fold(0.0_f64, |m, x| m.max(*x));
        Ok(Self { covariances, sources, populations, noise, width, quality, size })
    }

    pub(super) fn equal_covariances(&self) -> bool {
        self.covariances[0] == self.covariances[1]
    }

    /// Mean variance of a feature over both groups, the scale of ridges; 1 where there is none.
    pub(super) fn mean_variance(&self) -> f64 {
        let mean = self.populations.mean_variance();
        if mean > 0.0 { mean } else { 1.0 }
    }

    /// The real spectrum, where it is one of modes.
    pub(super) fn spectrum(&self) -> Option<&Modes> {
        match &self.covariances[0] {
            Covariance::Diagonal(modes) | Covariance::Rotated { spectrum: modes, .. } => {
                Some(modes)
            }
            Covariance::Dense(_) => None,
        }
    }

    /// Samples with the weights that α stands for: a_1 = (1−α) n/n_1, a_2 = α n/n_2.
    pub(super) fn samples(&self, n_real: f64, n_synthetic: f64, alpha: Option<f64>) -> [Sample; 2] {
        let total = n_real + n_synthetic;
        let weight = |share: f64, n: f64| if n > 0.0 { share * total / n } else { 0.0 };
        let weights = match alpha {
            Some(alpha) => [weight(1.0 - alpha, n_real), weight(alpha, n_synthetic)],
            None => [1.0, 1.0],
        };
        let n = [n_real, n_synthetic];
        [0, 1].map(|s| Sample { n: n[s], weight: weights[s], noise_variance: self.noise[s] })
    }

    pub(super) fn mixture(
        &self,
        n_real: f64,
        n_synthetic: f64,
        alpha: Option<f64>,
    ) -> Result<Mixture<'_>, TaskError> {
        let samples = self.samples(n_real, n_synthetic, alpha);
        self.populations.mixture(&samples, self.width).map_err(explain)
    }

    /// B, V, ζ on the real distribution.
    pub(super) fn split(&self, solution: &Equilibrium<'_>) -> Result<Split, TaskError> {
        let risks = solution.risks().map_err(explain)?;
        let limit = |x: f64| solution.limit(x, self.size);
        Ok(Split {
            bias: limit(risks.bias[0][0]),
            variance: limit(risks.variance[0]),
            shift: limit(risks.bias[1][0]),
        })
    }

    pub(super) fn split_at(
        &self,
        n_real: f64,
        n_synthetic: f64,
        alpha: Option<f64>,
        lambda: f64,
    ) -> Result<Split, TaskError> {
        let mixture = self.mixture(n_real, n_synthetic, alpha)?;
        let solution = mixture.solve(lambda).map_err(explain)?;
        self.split(&solution)
    }

    /// ∂E/∂n_2 at fixed λ and α, by a fourth-order difference (one-sided from n_2 = 0).
    pub(super) fn derivative(&self, inputs: &ModelCollapseInputs) -> Result<f64, TaskError> {
        let n = inputs.n_synthetic;
        // Small against the sizes on which E varies, and never across a ridgeless tie of whole numbers.
        let h = (1e-3 * (inputs.n_real + n)).min(0.2).min(if n > 0.0 { 0.25 * n } else { 0.2 });
        let at = |n_synthetic: f64| -> Result<f64, TaskError> {
            // A weight on an empty group cannot be kept: without synthetic samples α is 0.
            let alpha = inputs.synthetic_weight;
            Ok(self.split_at(inputs.n_real, n_synthetic, alpha, inputs.lambda)?.risk())
        };
        if n == 0.0 {
            let e = [at(0.0)?, at(h)?, at(2.0 * h)?, at(3.0 * h)?, at(4.0 * h)?];
            return Ok(
                (-25.0 * e[0] + 48.0 * e[1] - 36.0 * e[2] + 16.0 * e[3] - 3.0 * e[4]) / (12.0 * h)
            );
        }
        let near = at(n + h)? - at(n - h)?;
        let far = at(n + 2.0 * h)? - at(n - 2.0 * h)?;
        Ok((8.0 * near - far) / (12.0 * h))
    }

    pub(super) fn explain(&self, error: Error) -> TaskError {
        explain(error)
    }
}

/// An error of the engine under the keys of these tasks.
fn explain(error: Error) -> TaskError {
    let names = ["covariance_real", "covariance_synthetic"];
    match error {
        Error::InGroup { group, source } => {
            let inner = TaskError::from(*source);
            match inner.key.as_deref() {
                Some("covariances") => TaskError { key: Some(names[group].into()), ..inner },
                Some(key) if key.starts_with("group_priors") => {
                    TaskError { key: Some("shift_prior".into()), ..inner }
                }
                _ => inner.within(names[group]),
            }
        }
        other => {
            let inner = TaskError::from(other);
            match inner.key.as_deref() {
                Some(key) if key.starts_with("shared_prior") => {
                    TaskError { key: Some("target_prior".into()), ..inner }
                }
                _ => inner,
            }
        }
    }
}
