use super::NORM_CAPACITY;
use crate::random_features::{FeatureRegression, Setting, Target, simulate};
use crate::{Error, Result};
use rmt_core::{Modes, Resolution, Spectrum, Weight, increasing_root};
use rmt_task::{Card, Draw, Observables, Simulate, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The risk of minimum-norm regression that has a given norm.
pub struct NormToRisk;

/// Inputs of [`NormToRisk`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormToRiskInputs {
    /// Eigenvalues of Σ.
    pub spectrum: Modes,
    /// Squared target coefficients c = (v·w)², one per mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Modes>,
    /// Target energies θ² = s·c instead of `target`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_energy: Option<Modes>,
    /// Noise variance σ² ≥ 0.
    pub noise_variance: f64,
    /// Squared norm N > 0 of the estimator.
    pub norm: f64,
}

/// A point of the interpolating branch n < rank, and of n > rank where it has that norm too.
struct Branches {
    kappa: f64,
    n: f64,
    risk: f64,
    /// (n, risk) of least squares with that norm.
    least_squares: Option<(f64, f64)>,
}

impl NormToRiskInputs {
    fn setting(&self, n: Option<f64>) -> Result<Setting> {
        let target = Target::from_keys(&self.target, &self.target_energy)?;
        Ok(Setting {
            noise_variance: self.noise_variance,
            n,
            ..Setting::new(self.spectrum.clone(), target)
        })
    }

    fn invert(&self) -> Result<Branches> {
        if !(self.norm > 0.0 && self.norm.is_finite()) {
            return Err(Error::OutOfRange {
                key: "norm",
                value: self.norm,
                remedy: "a squared norm is finite and > 0",
            });
        }
        // Without stages λ = κ: the chain reads all sums at a given κ.
        let model = FeatureRegression::new(&self.setting(None)?)?;
        let noise = self.noise_variance;
        // (H + σ²)/κ = Σ sc/(s+κ) + σ²/κ, where H = missed + κT₃.
        let norm = |kappa: f64| -> Result<f64> {
            let at = model.predict(kappa)?;
            Ok(at.norm + (at.bias + noise) / kappa)
        };
        let at_zero = model.predict(0.0)?;
        let trace = model.scale();
        if noise == 0.0 && at_zero.bias == 0.0 && self.norm >= at_zero.norm {
            return Err(Error::OutOfRange {
                key: "norm",
                value: self.norm,
                remedy: "without noise no minimum-norm estimator reaches the norm of the target; \
                         give a smaller norm",
            });
        }
        let gap = |kappa: f64| norm(kappa).map_or(f64::NAN, |n| self.norm - n);
        let (mut low, mut high) = (trace, trace);
        while gap(high) < 0.0 {
            high *= 16.0;
        }
        while gap(low) > 0.0 && low > 1e-290 * trace {
            low *= 1e-2;
        }
        if gap(low) > 0.0 {
            return Err(Error::OutOfRange {
                key: "norm",
                value: self.norm,
                remedy: "belongs to a κ below the range of floating-point numbers; give a smaller norm",
            });
        }
        let kappa = increasing_root(low, high, gap);
        let at = model.predict(kappa)?;
        // n = d(κ); 1 − e/n = (d − e)/d, read off the slope of the smoother.
        let room = model.equivalent().solve(kappa)?.dof_decay();
        let risk = (at.bias + noise * at.df2 / at.df1) / room;
        let least_squares = (self.norm > at_zero.norm && at_zero.bias == 0.0).then(|| {
            let rank = at_zero.df1;
            let nodes = model.equivalent().spectrum().nodes(Weight::Count, Resolution::Full);
            let risk = rank / nodes.sum(|s| 1.0 / s) * (self.norm - at_zero.norm);
            (rank * (1.0 + noise / risk), risk)
        });
        Ok(Branches { kappa, n: at.df1, risk, least_squares })
    }
}

impl Task for NormToRisk {
    type Inputs = NormToRiskInputs;

    const CARD: Card = Card {
        name: "norm_to_risk",
        summary: "The risk of minimum-norm regression with a given norm, and the number of samples that has it",
        equations: "N = Σ sc/(s+κ) + σ²/κ,  n = df1(κ),  R = (b₂ + σ²)/(1 − e/n) − σ²   (n < rank)\nR = (r/Tr Σ⁺)(N − |θ*|²)   (n > rank r)",
        latex: r"N &= \sum_i\frac{s_ic_i}{s_i+\kappa}+\frac{\sigma^2}{\kappa},\qquad n=\mathrm{df}_1(\kappa),\qquad R=\frac{b_2+\sigma^2}{1-e/n}-\sigma^2",
        references: &[NORM_CAPACITY],
        observables: &[
            ("kappa", "κ at λ = 0 of the interpolating branch"),
            ("n_continuous", "number of samples of that branch, a real number"),
            ("risk", "excess risk of that branch"),
            ("n_least_squares", "number of samples above the rank with the same norm, if any"),
            ("risk_least_squares", "excess risk of that branch"),
        ],
        headline: &["n_continuous", "risk"],
        example: r#"{"spectrum": {"kind": "constant", "p": 200, "value": 1.0}, "target": {"kind": "constant", "p": 200, "total": 1.0}, "noise_variance": 0.2, "norm": 0.9}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let found = inputs.invert()?;
        let mut out = Observables::new();
        out.set("kappa", found.kappa);
        out.set("n_continuous", found.n);
        out.set("risk", found.risk);
        if let Some((n, risk)) = found.least_squares {
            out.set("n_least_squares", n);
            out.set("risk_least_squares", risk);
        }
        Ok(out)
    }
}

impl Simulate for NormToRisk {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p"];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let n = inputs.invert()?.n.round();
        let setting = inputs.setting(Some(n))?;
        let one = simulate::Experiment::run(&setting, 0.0, (1, 1), draw)?;
        let mut out = Observables::new();
        out.set("n_continuous", n);
        out.set("norm", one.norm());
        out.set("risk", one.risk());
        Ok(out)
    }
}
