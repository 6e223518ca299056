use super::NORM_CAPACITY;
use crate::random_features::{FeatureRegression, Setting, Target, simulate};
use crate::{Error, Result};
use rmt_core::Modes;
use rmt_task::{Card, Draw, Observables, Simulate, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The line of risk against norm of ridgeless random features as the width varies.
pub struct NormLine;

/// Inputs of [`NormLine`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormLineInputs {
    /// Eigenvalues of Σ; more than n of them positive.
    pub spectrum: Modes,
    /// Squared target coefficients c = (v·w)², one per mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Modes>,
    /// Target energies θ² = s·c instead of `target`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_energy: Option<Modes>,
    /// Noise variance σ² ≥ 0.
    pub noise_variance: f64,
    /// Number of samples n ≥ 1.
    pub n: f64,
    /// Widths at which norm and risk are reported (above n: on the line; below: the other branch).
    #[serde(default)]
    pub width_values: Vec<f64>,
}

impl NormLineInputs {
    fn setting(&self, width: Option<f64>) -> Result<Setting> {
        let target = Target::from_keys(&self.target, &self.target_energy)?;
        Ok(Setting {
            noise_variance: self.noise_variance,
            n: Some(self.n),
            widths: width.into_iter().collect(),
            ..Setting::new(self.spectrum.clone(), target)
        })
    }
}

impl Task for NormLine {
    type Inputs = NormLineInputs;

    const CARD: Card = Card {
        name: "norm_line",
        summary: "The exact line of risk against norm of ridgeless random features wider than the sample size",
        equations: "R = k N + (σ² + b₂)e/(n−e) − kT₃ − σ²,  df1(k) = n,  m > n\nN(m = ∞) = (H + σ²)/k;  the branch m < n runs 2(σ² + H) above it as m → n",
        latex: r"R &= kN+\frac{(\sigma^2+b_2)e}{n-e}-kT_3-\sigma^2,\qquad \mathrm{df}_1(k)=n",
        references: &[NORM_CAPACITY],
        observables: &[
            ("slope", "slope k of the line"),
            ("risk_intercept", "risk at norm 0 on the line's continuation"),
            ("norm_at_infinite_width", "where the line starts: the kernel interpolator"),
            ("branch_gap_at_divergence", "2(σ² + H): distance of the two branches at large norm"),
            ("norm", "‖â‖² at each width"),
            ("risk", "risk at each width"),
        ],
        headline: &["slope", "risk_intercept", "branch_gap_at_divergence"],
        example: r#"{"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.2}, "target": {"kind": "power_law", "p": 200, "alpha": 0.5}, "noise_variance": 0.3, "n": 100, "width_values": [101, 130, 400]}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        // Infinitely many features: minimum-norm regression on the inputs.
        let kernel = FeatureRegression::new(&inputs.setting(None)?)?.predict(0.0)?;
        if kernel.kappa2 == 0.0 {
            return Err(TaskError::invalid(
                "n",
                format!(
                    "{} samples are not fewer than the {} positive eigenvalues: nothing is \
                     interpolated and the risk does not depend on the norm; give a smaller n",
                    inputs.n, kernel.df1
                ),
            ));
        }
        let (slope, noise) = (kernel.kappa2, inputs.noise_variance);
        // kN = H + σ² at infinite width, so H and the intercept follow from that one point.
        let unexplained = slope * kernel.norm - noise;
        let mut out = Observables::new();
        out.set("slope", slope);
        out.set("risk_intercept", kernel.risk - slope * kernel.norm);
        out.set("norm_at_infinite_width", kernel.norm);
        out.set("branch_gap_at_divergence", 2.0 * (noise + unexplained));
        let (mut norm, mut risk) = (Vec::new(), Vec::new());
        for (i, width) in inputs.width_values.iter().enumerate() {
            let at = FeatureRegression::new(&inputs.setting(Some(*width))?)
                .and_then(|model| model.predict(0.0))
                .map_err(|e| match e {
                    Error::BadEntry { value, remedy, .. } => {
                        let index = vec![i];
                        Error::BadEntry { key: "width_values", index, value, remedy }
                    }
                    other => other,
                })?;
            if at.norm.is_infinite() {
                out.note(format!("width {width} equals n: norm and risk diverge"));
            }
            norm.push(at.norm);
            risk.push(at.risk);
        }
        out.set("norm", norm);
        out.set("risk", risk);
        Ok(out)
    }
}

impl Simulate for NormLine {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "n", "width_values"];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let (mut norm, mut risk) = (Vec::new(), Vec::new());
        for (i, width) in inputs.width_values.iter().enumerate() {
            let seed = Draw { seed: draw.stream(), index: i as u64 };
            let setting = inputs.setting(Some(*width))?;
            let one = simulate::Experiment::run(&setting, 0.0, (1, 1), seed)?;
            norm.push(one.norm());
            risk.push(one.risk());
        }
        let kernel = simulate::Experiment::run(&inputs.setting(None)?, 0.0, (1, 1), draw)?;
        let mut out = Observables::new();
        out.set("norm_at_infinite_width", kernel.norm());
        out.set("norm", norm);
        out.set("risk", risk);
        Ok(out)
    }
}
