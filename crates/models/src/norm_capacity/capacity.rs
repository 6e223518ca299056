use super::NORM_CAPACITY;
use crate::random_features::{
    DIMENSION_FREE, FeatureRegression, chain_inputs, tie_note, world::World,
};
use crate::simulate::{Gaussian, SampleRidge};
use crate::{Error, Result};
use rmt_task::{Card, Draw, Observables, Simulate, Task, TaskError};

/// Norm and risk of the estimator, split into bias and variance, with smoother-based capacities.
pub struct NormCapacity;

chain_inputs! {
    /// Inputs of [`NormCapacity`].
    pub struct NormCapacityInputs {
        /// Number of samples n ≥ 1.
        pub n: f64,
        /// Ridge λ ≥ 0 of (1/n)‖y − Φa‖² + λ‖a‖².
        pub lambda: f64,
    }
}

impl Task for NormCapacity {
    type Inputs = NormCapacityInputs;

    const CARD: Card = Card {
        name: "norm_capacity",
        summary: "Norm, risk and smoother capacities of ridge and random-feature estimators, split into bias and variance",
        equations: "B_N = m T₃/(m−e) + (m/n)χ B_R,  V_N = (m/n)χ(σ² + V_R),  χ = D₁/(m−e)\nTr S = d,  Tr S² = d − (d−e)/(dlnλ/dlnκ),  n E|weights|² = nΥ/(1−Υ)",
        latex: r"B_N &= \frac{m T_3}{m-e}+\frac mn\chi B_R,\qquad V_N=\frac mn\chi(\sigma^2+V_R)\\ \operatorname{Tr}S^2 &= d-\frac{d-e}{d\ln\lambda/d\ln\kappa}",
        references: &[NORM_CAPACITY, DIMENSION_FREE],
        observables: &[
            ("norm", "‖â‖²"),
            ("norm_bias", "‖â‖² of the noise-free estimator"),
            ("norm_variance", "what the noise adds to ‖â‖²"),
            ("risk", "excess risk"),
            ("risk_bias", "excess risk of the noise-free estimator"),
            ("risk_variance", "excess risk that the noise adds"),
            ("train_error", "mean squared residual"),
            ("kappa1", "ridge at fixed features and infinite data"),
            ("kappa2", "ridge that the population modes see"),
            ("df1", "degrees of freedom d"),
            ("df2", "e"),
            ("upsilon", "Υ"),
            ("smoother_df", "Tr S of the smoother ŷ = S y"),
            ("smoother_frobenius", "Tr S²"),
            ("smoother_test_df", "n E|weights of the smoother at a fresh point|²"),
            ("optimism", "prediction error − training error"),
            ("path_norm", "Σ a_j²|f_j|² ≈ N·Tr Σ (one linear layer; needs a large effective rank)"),
        ],
        headline: &["norm", "risk", "norm_bias", "norm_variance"],
        example: r#"{"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.3}, "target": {"kind": "power_law", "p": 200, "alpha": 0.4}, "noise_variance": 0.2, "n": 150, "widths": [90], "lambda": 0.005}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let model = FeatureRegression::new(&inputs.setting(Some(inputs.n))?)?;
        let at = model.predict(inputs.lambda)?;
        let mut out = Observables::new();
        for notice in model.notices() {
            out.note(notice);
        }
        if let Some(note) = tie_note(&at, Some(inputs.n), &inputs.widths) {
            out.note(note);
        }
        out.set("norm", at.norm);
        out.set("norm_bias", at.norm_bias);
        out.set("norm_variance", at.norm_variance);
        out.set("risk", at.risk);
        out.set("risk_bias", at.risk_bias);
        out.set("risk_variance", at.risk_variance);
        out.set("train_error", at.train_error);
        out.set("kappa1", at.kappa1);
        out.set("kappa2", at.kappa2);
        out.set("df1", at.df1);
        out.set("df2", at.df2);
        out.set("upsilon", at.upsilon);
        out.set("smoother_df", at.df1);
        out.set("smoother_frobenius", at.smoother_frobenius);
        out.set("smoother_test_df", at.smoother_test_df);
        // E_g ≥ E_tr always; at a tie E_tr = 0.
        out.set("optimism", at.prediction_error - at.train_error);
        if inputs.widths.len() == 1 && inputs.activations.is_empty() {
            out.set("path_norm", at.norm * model.scale());
            out.note("path_norm holds for a large effective rank (Tr Σ)²/Tr Σ²");
        }
        Ok(out)
    }
}

impl Simulate for NormCapacity {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "n", "widths"];
    const SETTINGS: &'static [&'static str] = &["{}", r#"{"n": 100, "widths": [300]}"#];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let setting = inputs.setting(Some(inputs.n))?;
        FeatureRegression::new(&setting)?;
        if !inputs.activations.is_empty() {
            // The noise-free part needs the whole operator, which only linear features have exactly.
            return Ok(nonlinear(&setting, inputs.lambda, draw)?);
        }
        let world = World::new(&setting)?;
        let mut random = Gaussian::new(draw);
        let map = world.map(&mut random);
        let data = world.data(&mut random, world.samples())?;
        let fit = SampleRidge::new(world.features(&map, &data.x).as_ref())?;
        let clean = fit.coefficients(&data.clean, inputs.lambda);
        let operator = fit.operator(inputs.lambda);
        // Given the data, the noise adds σ² times squared norms of the operator: no noise is drawn.
        let noise = inputs.noise_variance;
        let norm_bias: f64 = clean.iter().map(|a| a * a).sum();
        let norm_variance = noise * operator.squared_norm_l2();
        let weights = world.weighted(&map, &operator).squared_norm_l2();
        let risk_bias = world.risk(&map, &clean);
        let dof = fit.dof(inputs.lambda);
        let mut out = Observables::new();
        out.set("norm", norm_bias + norm_variance);
        out.set("norm_bias", norm_bias);
        out.set("norm_variance", norm_variance);
        out.set("risk", risk_bias + noise * weights);
        out.set("risk_bias", risk_bias);
        out.set("risk_variance", noise * weights);
        out.set("df1", dof);
        out.set("smoother_df", dof);
        out.set("smoother_frobenius", fit.dof_squared(inputs.lambda));
        out.set("smoother_test_df", weights * world.samples() as f64);
        Ok(out)
    }
}

/// Norm and risk as a whole, for features whose error can only be measured at test points.
fn nonlinear(
    setting: &crate::random_features::Setting,
    lambda: f64,
    draw: Draw,
) -> Result<Observables, Error> {
    let one = crate::random_features::simulate::Experiment::run(setting, lambda, (1, 1), draw)?;
    let mut out = Observables::new();
    out.set("norm", one.norm());
    out.set("risk", one.risk());
    Ok(out)
}
