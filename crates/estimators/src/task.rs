use crate::{Criteria, Options, Regression, Table};
use rmt_models::kernel::{NoiseCorrelation, SampleCorrelation};
use rmt_task::{Card, Observables, Reference, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// CorrGCV and its rivals on explicit data.
pub struct CorrGcv;

/// Inputs of [`CorrGcv`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrGcvInputs {
    /// Features, a list of n rows of p numbers.
    pub x: Vec<Vec<f64>>,
    /// Target, n numbers.
    pub y: Vec<f64>,
    /// Correlation K between the rows.
    pub sample_correlation: SampleCorrelation,
    /// Correlation K′ of the noise between rows (default "same").
    #[serde(default)]
    pub noise_correlation: NoiseCorrelation,
    /// Ridges λ ≥ 0 (beside the mean squared residual, never multiplied by n).
    pub lambdas: Vec<f64>,
    /// Steps from the last row to a correlated test point, > 0; stationary kernels only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_lag: Option<f64>,
}

impl Task for CorrGcv {
    type Inputs = CorrGcvInputs;

    const CARD: Card = Card {
        name: "corr_gcv",
        summary: "Out-of-sample error of ridge regression from data whose rows are correlated",
        equations: "D̂ = Tr Σ̂(Σ̂ + λ)⁻¹ = Σ k/(k + κ̃),   κ̂ = nλ/(κ̃D̂)\n\
                    φ = (κ̃²/n) Σ k/(k + κ̃)²\n\
                    CorrGCV = train_error/φ\n\
                    GCV₁ = train_error/(1 − D̂/n)² ≤ CorrGCV ≤ GCV₂ = train_error·(κ̂/λ)²",
        latex: r"\hat D &= \mathrm{Tr}\,\hat\Sigma(\hat\Sigma+\lambda)^{-1} = \sum_i \frac{k_i}{k_i+\tilde\kappa}, \qquad \hat\kappa = \frac{n\lambda}{\tilde\kappa \hat D}\\ \mathrm{CorrGCV} &= \frac{\hat E_{\mathrm{train}}}{\varphi}, \qquad \varphi = \frac{\tilde\kappa^2}{n}\sum_i \frac{k_i}{(k_i+\tilde\kappa)^2}",
        references: &[
            Reference {
                key: "atanasov2024correlated",
                authors: "Atanasov, Alexander and Zavatone-Veth, Jacob A. and Pehlevan, Cengiz",
                title: "Risk and cross validation in ridge regression with correlated samples",
                year: 2024,
                venue: "arXiv:2408.04607",
            },
            Reference {
                key: "golub1979generalized",
                authors: "Golub, Gene H. and Heath, Michael and Wahba, Grace",
                title: "Generalized cross-validation as a method for choosing a good ridge parameter",
                year: 1979,
                venue: "Technometrics 21, 215–223",
            },
        ],
        observables: &[
            ("train_error", "mean squared residual"),
            ("df1", "degrees of freedom D̂"),
            ("kappa", "effective ridge κ̂"),
            ("kappa_tilde", "effective ridge κ̃ on K"),
            ("gcv1", "ordinary generalised cross-validation"),
            ("loo", "exact leave-one-out error"),
            ("gcv2", "train_error·(κ̂/λ)²"),
            ("corr_gcv", "CorrGCV: estimates the error at an independent test point when K′ = K"),
            ("whitened_corr_gcv", "the same with whitened residuals (K nonsingular)"),
            ("two_component_risk", "risk E_g from the two-component fit (K′ ≠ K), unclipped"),
            ("two_component_noise_variance", "noise variance of the same fit, unclipped"),
            (
                "correlated_test_error",
                "error `test_lag` steps after the last row, CorrGCV × bracket of K",
            ),
            (
                "correlated_test_error_two_component",
                "the same from the two components and K′; the one to trust when K′ ≠ K",
            ),
        ],
        headline: &["train_error", "gcv1", "loo", "corr_gcv"],
        example: r#"{"x": [[0.9], [0.4], [-0.1], [-0.5], [-0.7], [0.2], [0.8], [1.1]],
 "y": [1.1, 0.6, -0.2, -0.3, -0.9, 0.1, 0.6, 1.0],
 "sample_correlation": {"kind": "exponential", "length": 2.0},
 "lambdas": [0.01, 0.1, 1.0], "test_lag": 1}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let n = inputs.x.len();
        let p = inputs.x.first().map_or(0, Vec::len);
        for (i, row) in inputs.x.iter().enumerate() {
            if row.len() != p {
                return Err(TaskError::invalid(
                    format!("x[{i}]"),
                    format!("has {} entries where the first row has {p}", row.len()),
                ));
            }
        }
        if inputs.lambdas.is_empty() {
            return Err(TaskError::invalid("lambdas", "give at least one ridge"));
        }
        let values: Vec<f64> = inputs.x.concat();
        let x = Table::new(&values, n, p)?;
        let options = Options { intercept: false, ..Options::default() };
        let regression = Regression::new(x, Table::column(&inputs.y), &options)?;
        let build = |kernel: &SampleCorrelation, key: &str| {
            kernel.kernel(n).map_err(|e| TaskError::from(e).within(key))
        };
        let kernel = build(&inputs.sample_correlation, "sample_correlation")?;
        let noise = match &inputs.noise_correlation {
            NoiseCorrelation::Same => None,
            NoiseCorrelation::Kernel(noise) => Some(build(noise, "noise_correlation")?),
        };
        let criteria = Criteria {
            loo: true,
            correlation: Some(&kernel),
            noise: noise.as_ref(),
            whitened: true,
            lags: inputs.test_lag.into_iter().collect(),
            ..Criteria::default()
        };
        let mut path = regression.path(&inputs.lambdas, &criteria)?;
        let mut out = Observables::new();
        let target = path.targets.swap_remove(0);
        out.set("train_error", target.train_error);
        out.set("df1", path.df1);
        out.set("kappa", path.kappa);
        out.set("gcv1", target.gcv);
        let lists = [
            ("kappa_tilde", path.kappa_tilde),
            ("loo", target.loo),
            ("gcv2", target.gcv2),
            ("corr_gcv", target.corr_gcv),
            ("whitened_corr_gcv", target.whitened_corr_gcv),
            ("correlated_test_error", target.correlated_test_error.into_iter().next()),
        ];
        for (name, list) in lists {
            if let Some(list) = list {
                out.set(name, list);
            }
        }
        if let Some(components) = target.two_component {
            let list = |f: fn(&crate::TwoComponent) -> f64| -> Vec<f64> {
                components.iter().map(f).collect()
            };
            out.set("two_component_risk", list(|c| c.risk));
            out.set("two_component_noise_variance", list(|c| c.noise_variance));
        }
        if let Some(list) = target.correlated_test_error_two_component
            && let Some(list) = list.into_iter().next()
        {
            out.set("correlated_test_error_two_component", list);
            out.note(
                "K′ ≠ K: trust correlated_test_error_two_component; correlated_test_error rests on \
                 CorrGCV, which assumes K′ = K",
            );
        }
        for note in path.notes {
            out.note(note);
        }
        Ok(out)
    }
}
