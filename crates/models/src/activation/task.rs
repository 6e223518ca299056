use super::ActivationFunction;
use rmt_task::{Card, Draw, Observables, Reference, Simulate, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Hermite coefficients of activation functions.
pub struct Hermite;

/// Inputs of [`Hermite`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HermiteInputs {
    /// Activation functions.
    pub activations: Vec<ActivationFunction>,
    /// Variance v > 0 of the pre-activations, 1 if absent.
    #[serde(default = "one")]
    pub preactivation_variance: f64,
}

pub(crate) fn one() -> f64 {
    1.0
}

/// Gaussian samples of one simulated draw.
const SAMPLES: usize = 100_000;

impl Task for Hermite {
    type Inputs = HermiteInputs;

    const CARD: Card = Card {
        name: "hermite",
        summary: "Mean, linear part and nonlinear variance of activation functions of a Gaussian",
        equations: "μ₀ = E φ(√v z), μ₁ = E z φ(√v z)\nμ*² = E φ(√v z)² − μ₀² − μ₁²,  z ~ N(0,1)",
        latex: r"\mu_0 &= \mathbb E\,\varphi(\sqrt v z),\quad \mu_1 = \mathbb E\,z\varphi(\sqrt v z)\\ \mu_*^2 &= \mathbb E\,\varphi(\sqrt v z)^2-\mu_0^2-\mu_1^2",
        references: &[GAUSSIAN_EQUIVALENCE],
        observables: &[
            ("mean", "μ₀ of each activation"),
            ("linear", "μ₁ of each activation"),
            ("nonlinear_variance", "μ*² of each activation"),
        ],
        headline: &["mean", "linear", "nonlinear_variance"],
        example: r#"{"activations": ["relu", "erf", "tanh", "gelu"], "preactivation_variance": 1.0}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let (mut mean, mut linear, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for activation in &inputs.activations {
            let c = activation.hermite(inputs.preactivation_variance)?;
            mean.push(c.mean);
            linear.push(c.linear);
            rest.push(c.nonlinear_variance);
        }
        let mut out = Observables::new();
        out.set("mean", mean);
        out.set("linear", linear);
        out.set("nonlinear_variance", rest);
        Ok(out)
    }
}

impl Simulate for Hermite {
    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        Self::evaluate(inputs)?;
        let root = inputs.preactivation_variance.sqrt();
        let z = crate::simulate::Gaussian::new(draw).vector(SAMPLES);
        let count = SAMPLES as f64;
        let (mut mean, mut linear, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for activation in &inputs.activations {
            if let ActivationFunction::Coefficients(c) = activation {
                mean.push(c.mean);
                linear.push(c.linear);
                rest.push(c.nonlinear_variance);
                continue;
            }
            let values: Vec<f64> = z.iter().map(|z| activation.value(root * z)).collect();
            let m = values.iter().sum::<f64>() / count;
            let l = values.iter().zip(&z).map(|(f, z)| f * z).sum::<f64>() / count;
            mean.push(m);
            linear.push(l);
            rest.push(
                values.iter().zip(&z).map(|(f, z)| (f - m - l * z).powi(2)).sum::<f64>() / count,
            );
        }
        let mut out = Observables::new();
        out.set("mean", mean);
        out.set("linear", linear);
        out.set("nonlinear_variance", rest);
        Ok(out)
    }
}

/// The Gaussian equivalence of nonlinear features.
pub(crate) const GAUSSIAN_EQUIVALENCE: Reference = Reference {
    key: "mei2022generalization",
    authors: "Mei, Song and Montanari, Andrea",
    title: "The generalization error of random features regression: precise asymptotics and the double descent curve",
    year: 2022,
    venue: "Communications on Pure and Applied Mathematics 75, 667–766",
};
