use super::{FeatureRegression, Prediction, SCALING_AND_RENORMALIZATION, chain_inputs, simulate};
use crate::activation::GAUSSIAN_EQUIVALENCE;
use crate::kernel::{NoiseCorrelation, SampleCorrelation};
use crate::sample_kernel::CORRELATED_SAMPLES;
use crate::{Error, Result};
use rmt_core::Modes;
use rmt_task::{Card, Draw, Observables, Simulate, Task, TaskError, Value};

/// Risk, variance decomposition and norm of random-feature ridge regression.
pub struct RandomFeatures;

chain_inputs! {
    /// Inputs of [`RandomFeatures`].
    pub struct RandomFeaturesInputs {
        /// Number of samples n ≥ 1; absent for infinite data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub n: Option<f64>,
        /// Ridge λ ≥ 0 of (1/n)‖y − Φa‖² + λ‖a‖².
        pub lambda: f64,
        /// Test metric s' per mode for a shifted test distribution (linear layers).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub test_spectrum: Option<Modes>,
        /// Numbers E ≥ 1 of averaged feature maps on common data, for `ensemble_risk`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ensemble_sizes: Option<Vec<usize>>,
        /// Numbers B ≥ 1 of averaged data sets under a common feature map, for
        /// `data_ensemble_risk`; with `ensemble_sizes` also `crossed_ensemble_risk`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub data_sets: Option<Vec<usize>>,
        /// Correlation between the samples (linear layers).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub sample_correlation: Option<SampleCorrelation>,
        /// Correlation of the noise between samples; absent or "same": as the samples.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub noise_correlation: Option<NoiseCorrelation>,
    }
}

impl RandomFeaturesInputs {
    /// The model these inputs describe.
    pub(super) fn complete(&self) -> Result<super::Setting> {
        for (key, sizes) in
            [("ensemble_sizes", &self.ensemble_sizes), ("data_sets", &self.data_sets)]
        {
            if let Some(i) = sizes.iter().flatten().position(|e| *e == 0) {
                return Err(Error::BadEntry {
                    key,
                    index: vec![i],
                    value: 0.0,
                    remedy: "average at least one predictor",
                });
            }
        }
        Ok(super::Setting {
            test_spectrum: self.test_spectrum.clone(),
            sample_correlation: self.sample_correlation.clone(),
            noise_correlation: self.noise_correlation.clone(),
            ..self.setting(self.n)?
        })
    }
}

impl Task for RandomFeatures {
    type Inputs = RandomFeaturesInputs;

    const CARD: Card = Card {
        name: "random_features",
        summary: "Ridge regression on linear, deep or nonlinear random features, with its variance decomposition",
        equations: "λ = κ₂ ∏ₗ(1 − D/Nₗ)(1 − D/n),  κ₁ = κ₂ ∏ₗ(1 − D/Nₗ)\nE_g = [σ² + H − H′]/[1 − (D + D′)/n],  ′ = d/dlnκ₁\nE_tr = (1 − D/n)²E_g,  ‖â‖² = [H′ − D′E_g/n]/κ₁",
        latex: r"\lambda &= \kappa_2\textstyle\prod_l(1-D/N_l)\,(1-D/n)\\ E_g &= \frac{\sigma^2+H-H'}{1-(D+D')/n},\qquad \lVert\hat a\rVert^2=\frac{H'-D'E_g/n}{\kappa_1}",
        references: &[SCALING_AND_RENORMALIZATION, GAUSSIAN_EQUIVALENCE, CORRELATED_SAMPLES],
        observables: &[
            ("risk", "excess risk, without the test noise"),
            ("bias", "squared bias of the predictor averaged over data, features and noise"),
            ("variance_data", "variance over the data alone"),
            ("variance_features", "variance over the features alone"),
            ("variance_data_features", "interaction of data and features"),
            ("variance_data_noise", "interaction of data and noise"),
            ("variance_data_features_noise", "interaction of data, features and noise"),
            ("prediction_error", "risk + σ²"),
            ("train_error", "mean squared residual"),
            ("gcv", "generalised cross-validation, train_error/(1 − D/n)²"),
            ("corr_gcv", "CorrGCV (correlated samples)"),
            ("norm", "‖â‖²"),
            ("kappa2", "ridge that the population modes see"),
            ("kappa1", "ridge at fixed features and infinite data"),
            ("kappa_chain", "ridge after each layer"),
            ("df1", "degrees of freedom D, tails of nonlinear layers included"),
            ("df2", "Σ s²/(s+κ)²"),
            ("ensemble_risk", "risk of the average over E feature maps, same data"),
            ("data_ensemble_risk", "risk of the average over B data sets, same features"),
            ("crossed_ensemble_risk", "risk of the B×E average, a row for each B"),
            ("test_risk", "error in the test metric"),
            ("test_size", "size of the predictor in the test metric"),
        ],
        headline: &["risk", "bias", "variance_features", "variance_data_features_noise"],
        example: r#"{"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.3}, "target": {"kind": "power_law", "p": 200, "alpha": 0.6}, "noise_variance": 0.2, "n": 150, "widths": [100], "lambda": 0.01, "ensemble_sizes": [4]}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let model = FeatureRegression::new(&inputs.complete()?)?;
        let at = model.predict(inputs.lambda)?;
        let mut out = Observables::new();
        for notice in model.notices() {
            out.note(notice);
        }
        if let Some(note) = tie_note(&at, inputs.n, &inputs.widths) {
            out.note(note);
        }
        out.set("risk", at.risk);
        for (name, value) in parts(&at) {
            out.set(name, value);
        }
        out.set("prediction_error", at.prediction_error);
        out.set("train_error", at.train_error);
        out.set("gcv", at.gcv);
        if inputs.sample_correlation.is_some() {
            out.set("corr_gcv", at.corr_gcv);
        }
        out.set("norm", at.norm);
        out.set("kappa2", at.kappa2);
        out.set("kappa1", at.kappa1);
        if !at.kappa_chain.is_empty() {
            out.set("kappa_chain", at.kappa_chain.clone());
        }
        out.set("df1", at.df1);
        out.set("df2", at.df2);
        set_ensembles(&mut out, inputs, |data_sets, maps| {
            at.ensemble(data_sets as f64, maps as f64)
        });
        if let (Some(risk), Some(size)) = (at.test_risk, at.test_size) {
            out.set("test_risk", risk);
            out.set("test_size", size);
        }
        Ok(out)
    }
}

impl Simulate for RandomFeatures {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "n", "widths"];
    const SETTINGS: &'static [&'static str] =
        &["{}", r#"{"n": 100, "widths": [300], "lambda": 1e-4}"#];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let setting = inputs.complete()?;
        FeatureRegression::new(&setting)?;
        let largest =
            |sizes: &Option<Vec<usize>>| sizes.iter().flatten().copied().max().unwrap_or(1).max(2);
        let (data_sets, maps) = (largest(&inputs.data_sets), largest(&inputs.ensemble_sizes));
        let experiment =
            simulate::Experiment::run(&setting, inputs.lambda, (data_sets, maps), draw)?;
        let mut out = Observables::new();
        experiment.observe(&mut out);
        set_ensembles(&mut out, inputs, |b, e| experiment.ensemble(b, e));
        Ok(out)
    }
}

/// The six parts of the risk under their contract names.
pub(super) fn parts(at: &Prediction) -> [(&'static str, f64); 6] {
    [
        ("bias", at.bias),
        ("variance_data", at.variance_data),
        ("variance_features", at.variance_features),
        ("variance_data_features", at.variance_data_features),
        ("variance_data_noise", at.variance_data_noise),
        ("variance_data_features_noise", at.variance_data_features_noise),
    ]
}

fn set_ensembles(
    out: &mut Observables,
    inputs: &RandomFeaturesInputs,
    risk: impl Fn(usize, usize) -> f64,
) {
    if let Some(maps) = &inputs.ensemble_sizes {
        out.set("ensemble_risk", maps.iter().map(|e| risk(1, *e)).collect::<Vec<_>>());
    }
    if let Some(data_sets) = &inputs.data_sets {
        out.set("data_ensemble_risk", data_sets.iter().map(|b| risk(*b, 1)).collect::<Vec<_>>());
        if let Some(maps) = &inputs.ensemble_sizes {
            let rows: Vec<Value> = data_sets
                .iter()
                .map(|b| maps.iter().map(|e| risk(*b, *e)).collect::<Vec<_>>().into())
                .collect();
            out.set("crossed_ensemble_risk", Value::List(rows));
        }
    }
}

/// Names the tie behind infinite quantities.
pub(crate) fn tie_note(at: &Prediction, n: Option<f64>, widths: &[f64]) -> Option<String> {
    let divergent = at.divergent();
    if divergent.is_empty() {
        return None;
    }
    let samples = n.map(|n| ("the number of samples", n));
    let sizes = samples.into_iter().chain(widths.iter().map(|w| ("a width", *w)));
    // Where λ = 0 the smallest capacity is used up: it equals D.
    let full: Vec<String> = sizes
        .filter(|(_, size)| (size - at.df1).abs() <= 1e-9 * size)
        .map(|(what, size)| format!("{what} ({size})"))
        .collect();
    let tie = match full.len() {
        0 => "target energy outside the span of the features".to_owned(),
        1 => format!("{} equals the rank of the spectrum", full[0]),
        _ => format!("{} coincide", full.join(" and ")),
    };
    Some(format!("ridgeless tie: {tie}, so {} diverge; take λ > 0", divergent.join(", ")))
}
