use crate::kernel::SampleCorrelation;
use rmt_task::{Card, Observables, Reference, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sample correlation K of infinitely many rows: κ̃ and its S-transform at given degrees of
/// freedom per sample.
pub struct SampleKernel;

/// Inputs of [`SampleKernel`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleKernelInputs {
    /// The correlation family (identity, exponential, nearest_neighbor, blocks or diagonal).
    pub sample_correlation: SampleCorrelation,
    /// Degrees of freedom per sample t = df̃₁/n, each strictly between 0 and 1.
    pub normalised_df1: Vec<f64>,
}

impl Task for SampleKernel {
    type Inputs = SampleKernelInputs;

    const CARD: Card = Card {
        name: "sample_kernel",
        summary: "Ridge and S-transform of the sample correlation in the limit of many rows",
        equations: "t = ∫ f(ω)/(f(ω) + κ̃) dω/2π\nS_K(t) = (1 − t)/(t κ̃)",
        latex: r"t &= \int \frac{f(\omega)}{f(\omega)+\tilde\kappa}\,\frac{d\omega}{2\pi}\\ S_K(t) &= \frac{1-t}{t\tilde\kappa}",
        references: &[CORRELATED_SAMPLES],
        observables: &[
            ("kappa_tilde", "ridge κ̃ on K at which df̃₁ = t n"),
            ("s_transform", "S-transform S_K(t)"),
        ],
        headline: &["kappa_tilde", "s_transform"],
        example: r#"{"sample_correlation": {"kind": "exponential", "length": 7.0}, "normalised_df1": [0.1, 0.3, 0.5, 0.7, 0.9]}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let (mut kappa_tilde, mut s_transform) = (Vec::new(), Vec::new());
        for (i, t) in inputs.normalised_df1.iter().enumerate() {
            let limit = inputs.sample_correlation.limit(*t).map_err(|e| match e {
                crate::Error::OutOfRange { value, remedy, .. } => TaskError::invalid(
                    format!("normalised_df1[{i}]"),
                    format!("{value} is out of range; {remedy}"),
                ),
                other => TaskError::from(other).within("sample_correlation"),
            })?;
            kappa_tilde.push(limit.kappa_tilde);
            s_transform.push(limit.s_transform);
        }
        let mut out = Observables::new();
        out.set("kappa_tilde", kappa_tilde);
        out.set("s_transform", s_transform);
        Ok(out)
    }
}

/// The source of everything about correlated samples.
pub(crate) const CORRELATED_SAMPLES: Reference = Reference {
    key: "atanasov2024correlated",
    authors: "Atanasov, Alexander and Zavatone-Veth, Jacob A. and Pehlevan, Cengiz",
    title: "Risk and cross validation in ridge regression with correlated samples",
    year: 2024,
    venue: "arXiv:2408.04607",
};
