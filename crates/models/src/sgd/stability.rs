//! The task `sgd_stability`.

use super::inputs::{Sampling, check_momentum, check_rate};
use super::limits::{Step, kernel_norms, max_rate};
use super::{REFERENCES, r_eff_note};
use rmt_core::{Modes, Population, SampledFeatures};
use rmt_task::{Card, Observables, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest stable learning rate of SGD, and what limits it.
pub struct SgdStability;

/// Inputs of [`SgdStability`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SgdStabilityInputs {
    /// Eigenvalues s_i ≥ 0 of the population covariance Σ.
    pub spectrum: Modes,
    /// Number of samples n ≥ 1; absent: every batch is fresh (one-pass).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<f64>,
    /// Number of linear random features m ≥ 1; absent: the inputs themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    /// Learning rate η > 0 at which the kernel norms are evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Batch size B ≥ 1; absent: the full gradient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// Batch sizes for the map of the largest stable rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_sizes: Option<Vec<usize>>,
    /// Whether a batch holds distinct samples.
    #[serde(default)]
    pub without_replacement: bool,
    /// Heavy-ball momentum β in [0, 1).
    #[serde(default)]
    pub momentum: f64,
}

impl Task for SgdStability {
    type Inputs = SgdStabilityInputs;

    const CARD: Card = Card {
        name: "sgd_stability",
        summary: "Largest stable learning rate of SGD for each batch size, and what limits it",
        equations: "z = κ(1 − df1/n)(1 − df1/m),  df1 = Σ s/(s+κ),  λ± = extrema of −z(κ)\n\
                    ‖K‖ = (η/B) Tr Ĥ/(2 − ηĤ) = −df1(κ*)/B,  z(κ*) = −2/η,  κ* < −s_max\n\
                    stable: ηλ₊ < 2 (curvature) and ‖K‖ < 1 (noise)\n\
                    η_max = 2/[k(1 + B/n)(1 + B/m)] with Σ s/(k − s) = B, or 2/λ₊",
        latex: r"z &= \kappa\Bigl(1-\frac{\mathrm{df}_1}{n}\Bigr)\Bigl(1-\frac{\mathrm{df}_1}{m}\Bigr),\qquad \lambda_\pm=\operatorname{ext}_\kappa -z(\kappa)\\
\lVert K\rVert &= \frac{\eta}{B}\operatorname{Tr}\frac{\hat H}{2-\eta\hat H} = -\frac{\mathrm{df}_1(\kappa_*)}{B},\qquad z(\kappa_*)=-\frac{2}{\eta}\\
\eta_{\max} &= \frac{2}{k(1+B/n)(1+B/m)},\qquad \sum_i\frac{s_i}{k-s_i}=B",
        references: REFERENCES,
        observables: &[
            ("lambda_plus", "upper edge of the Hessian's deterministic spectrum"),
            ("lambda_minus", "lower edge of its non-zero spectrum"),
            ("kernel_norm_train", "‖K‖: noise feedback on the train loss; below 1 for stability"),
            ("kernel_norm_test", "‖K_R‖: excess risk per unit of stationary train loss"),
            ("stable", "whether the given learning rate is stable"),
            ("max_learning_rate", "largest stable learning rate at `batch_size`"),
            ("binding", "what limits it: sgd_noise or curvature"),
            ("max_learning_rate_full_batch", "2(1+β)/λ₊"),
            ("max_learning_rate_by_batch", "largest stable learning rate at each of `batch_sizes`"),
            ("binding_by_batch", "what limits it there"),
            ("critical_batch_size", "batch size from which curvature limits instead of noise"),
            ("effective_rank", "Tr Σ/s_max; the noise closure drops terms of its inverse order"),
        ],
        headline: &["max_learning_rate", "max_learning_rate_full_batch", "critical_batch_size"],
        example: r#"{
  "spectrum": {"kind": "power_law", "p": 400, "alpha": 0.8},
  "n": 800, "width": 200, "learning_rate": 0.2, "batch_size": 8, "batch_sizes": [1, 2, 4, 8, 16, 32, 64, 128]
}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        check_momentum(inputs.momentum)?;
        let population = Population::new(&inputs.spectrum).map_err(crate::Error::from)?;
        let model = SampledFeatures::new(&population, inputs.n, inputs.width)
            .map_err(crate::Error::from)?;
        let sampling = |batch_size| Sampling {
            n: inputs.n,
            batch_size,
            without_replacement: inputs.without_replacement,
        };
        let (low, high) = model.edges();
        let mut out = Observables::new();
        out.set("lambda_plus", high).set("lambda_minus", low);
        let inverse_batch = sampling(inputs.batch_size).inverse_batch("batch_size")?;
        let (largest, by_noise) = max_rate(&model, inputs.momentum, inverse_batch);
        if let Some(rate) = inputs.learning_rate {
            let step = step(inputs, rate)?;
            let norms = kernel_norms(&model, step);
            let unstable = norms.train >= 1.0 || rate >= 2.0 * (1.0 + inputs.momentum) / high;
            out.set("kernel_norm_train", norms.train)
                .set("kernel_norm_test", norms.test)
                .set("stable", !unstable);
            r_eff_note(&population, norms.train, &mut out);
        }
        let (full, _) = max_rate(&model, inputs.momentum, 0.0);
        out.set("max_learning_rate", largest)
            .set("binding", binding(by_noise))
            .set("max_learning_rate_full_batch", full);
        if let Some(sizes) = &inputs.batch_sizes {
            let (mut rates, mut bindings) = (Vec::new(), Vec::new());
            for (i, size) in sizes.iter().enumerate() {
                let inverse = sampling(Some(*size)).inverse_batch("batch_sizes").map_err(|e| {
                    TaskError { key: Some(format!("batch_sizes[{i}]")), ..TaskError::from(e) }
                })?;
                let (rate, by_noise) = max_rate(&model, inputs.momentum, inverse);
                rates.push(rate);
                bindings.push(binding(by_noise));
            }
            out.set("max_learning_rate_by_batch", rates).set("binding_by_batch", bindings);
        }
        let edge = -model.upper_edge().df1;
        out.set("critical_batch_size", edge * (1.0 + inputs.momentum) / (1.0 - inputs.momentum))
            .set("effective_rank", super::effective_rank(&population));
        Ok(out)
    }
}

fn binding(by_noise: bool) -> &'static str {
    if by_noise { "sgd_noise" } else { "curvature" }
}

/// The step at the given learning rate.
pub(super) fn step(inputs: &SgdStabilityInputs, rate: f64) -> crate::Result<Step> {
    check_rate(rate)?;
    check_momentum(inputs.momentum)?;
    let sampling = Sampling {
        n: inputs.n,
        batch_size: inputs.batch_size,
        without_replacement: inputs.without_replacement,
    };
    let inverse_batch = sampling.inverse_batch("batch_size")?;
    Ok(Step { rate, momentum: inputs.momentum, inverse_batch })
}
