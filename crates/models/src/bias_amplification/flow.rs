use super::SOURCE;
use super::inputs::Setting;
use crate::groups::{Coefficients, Covariance, Experiment};
use rmt_core::Modes;
use rmt_task::{Card, Draw, Observables, Simulate, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Early stopping of gradient flow on a mixture of groups.
pub struct BiasAmplificationFlow;

/// Inputs of [`BiasAmplificationFlow`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BiasAmplificationFlowInputs {
    /// Number of samples of each group, whole numbers ≥ 0.
    #[schemars(schema_with = "super::inputs::counts")]
    pub n: Vec<f64>,
    /// Covariance of the features of each group.
    pub covariances: Vec<Covariance>,
    /// Label noise σ_s² of each group, ≥ 0.
    pub noise_variances: Vec<f64>,
    /// Duration t > 0 of η̇ = −∇ ½(1/n) Σ a_s (y − xᵀSη)² from η = 0.
    pub time: f64,
    /// Number of random features m, of variance 1/m; absent: the features themselves.
    pub width: Option<f64>,
    /// Weight a_s ≥ 0 of each sample in the loss; absent: 1.
    pub weights: Option<Vec<f64>>,
    /// Variances of coefficients common to all groups.
    pub shared_prior: Option<Modes>,
    /// Variances of each group's own coefficients on top; null for none.
    pub group_priors: Option<Vec<Option<Modes>>>,
    /// Fixed coefficients of each group, on top of the random ones.
    pub coefficients: Option<Vec<Coefficients>>,
}

impl Setting {
    fn of_flow(inputs: &BiasAmplificationFlowInputs) -> Result<Self, TaskError> {
        Self::new(
            &inputs.n,
            &inputs.covariances,
            &inputs.noise_variances,
            inputs.weights.as_deref(),
            inputs.width,
            inputs.shared_prior.as_ref(),
            inputs.group_priors.as_deref(),
            inputs.coefficients.as_deref(),
        )
    }
}

impl Task for BiasAmplificationFlow {
    type Inputs = BiasAmplificationFlowInputs;

    const CARD: Card = Card {
        name: "bias_amplification_flow",
        summary: "Errors of all groups when gradient flow on their mixture is stopped early",
        equations: "ŵ(t) = inverse Laplace transform in λ of ŵ_ridge(λ)/λ\nR_t = Σ_jk ω_j ω_k/(z_j z_k) R_t(z_j, z_k),  R_t(λ, λ') the two-point risk of the groups",
        latex: r"\hat w(t) &= \mathcal L^{-1}_{\lambda\to t}\left[\hat w_{\text{ridge}}(\lambda)/\lambda\right]\\ R_t &= \sum_{jk} \frac{\omega_j\omega_k}{z_j z_k} R_t(z_j, z_k)",
        references: &[SOURCE],
        observables: &[
            ("risk", "excess risk of each group at the end"),
            (
                "risk_ridge_at_inverse_time",
                "joint ridge regression at λ = 1/time, the usual rule of thumb for early stopping (only qualitative)",
            ),
        ],
        headline: &["risk", "risk_ridge_at_inverse_time"],
        example: r#"{"n": [120, 50], "covariances": [{"kind": "linear", "p": 200, "from": 0.2, "to": 2.0}, {"kind": "linear", "p": 200, "from": 3.0, "to": 0.1}], "noise_variances": [0.3, 1.0], "shared_prior": {"kind": "constant", "p": 200, "value": 0.005}, "group_priors": [{"kind": "constant", "p": 200, "value": 0.0}, {"kind": "linear", "p": 200, "from": 0.0, "to": 0.01}], "time": 10.0}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let setting = Setting::of_flow(inputs)?;
        let populations = setting.populations()?;
        let mixture = setting.mixture(&populations)?;
        let explain = |e| setting.explain(e);
        let mut out = Observables::new();
        out.set("risk", mixture.flow_risks(inputs.time).map_err(explain)?);
        let ridge = mixture.solve(1.0 / inputs.time).map_err(explain)?;
        out.set("risk_ridge_at_inverse_time", ridge.risks().map_err(explain)?.risk());
        Ok(out)
    }
}

impl Simulate for BiasAmplificationFlow {
    const SIZES: &'static [&'static str] = &[
        "n",
        "covariances[0].p",
        "covariances[1].p",
        "shared_prior.p",
        "group_priors[0].p",
        "group_priors[1].p",
    ];
    const SETTINGS: &'static [&'static str] = &["{}", r#"{"time": 1.0}"#];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let setting = Setting::of_flow(inputs)?;
        setting.mixture(&setting.populations()?)?;
        let explain = |e| setting.explain(e);
        let experiment = Experiment::new(
            &setting.covariances,
            &setting.sources,
            &setting.samples,
            setting.width,
            draw,
        )
        .map_err(explain)?;
        let mut out = Observables::new();
        out.set("risk", experiment.flow(inputs.time).map_err(explain)?);
        let ridge = experiment.joint(1.0 / inputs.time).map_err(explain)?;
        out.set("risk_ridge_at_inverse_time", ridge.risk);
        Ok(out)
    }
}
