use super::NORM_CAPACITY;
use crate::{Error, Result};
use rmt_task::{Card, Observables, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Exponents of risk and norm on power laws, and the law that links the two.
pub struct NormRates;

/// What is varied along the risk–norm law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateKnob {
    /// λ = n^−ℓ through ℓ.
    Ridge,
    /// m = n^q through q.
    Width,
}

/// Inputs of [`NormRates`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormRatesInputs {
    /// Decay α > 1 of the spectrum s_k = k^−α.
    pub alpha: f64,
    /// Source exponent r > 0 of the target energies θ_k² = k^−(1+2αr).
    pub source: f64,
    /// ℓ ≥ 0 in λ = n^−ℓ; absent for λ = 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ridge_exponent: Option<f64>,
    /// q > 0 in m = n^q; absent for infinitely many features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_exponent: Option<f64>,
    /// ζ in σ² = n^−ζ; 0 if absent.
    #[serde(default)]
    pub noise_exponent: f64,
    /// Which knob moves along the law.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knob: Option<RateKnob>,
}

/// Exponents of n, and the law R ~ n^−a N^−b where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// df1 ~ n^t, κ ~ n^−αt.
    pub time: f64,
    /// Noise-free risk.
    pub risk_bias: f64,
    /// Risk that the noise adds.
    pub risk_variance: f64,
    /// Norm of the noise-free estimator.
    pub norm_bias: f64,
    /// Norm that the noise adds.
    pub norm_variance: f64,
    /// t at which variance takes over the norm.
    pub threshold: f64,
    /// (a, b).
    pub law: Option<(f64, f64)>,
    /// Which row of the table applies, in words.
    pub region: &'static str,
}

impl NormRatesInputs {
    /// The exponents.
    ///
    /// # Errors
    /// α ≤ 1 (infinite trace), r ≤ 0, ℓ < 0, q ≤ 0, or numbers that are not finite.
    pub fn rates(&self) -> Result<Rates> {
        let check = |key, value: f64, ok: bool, remedy| {
            if ok && value.is_finite() {
                Ok(value)
            } else {
                Err(Error::OutOfRange { key, value, remedy })
            }
        };
        let alpha = check(
            "alpha",
            self.alpha,
            self.alpha > 1.0,
            "must be > 1: Tr Σ is infinite otherwise",
        )?;
        let r = check("source", self.source, self.source > 0.0, "must be > 0")?;
        let ell = match self.ridge_exponent {
            None => f64::INFINITY,
            Some(x) => check("ridge_exponent", x, x >= 0.0, "must be ≥ 0; leave it out for λ = 0")?,
        };
        let q = match self.width_exponent {
            None => f64::INFINITY,
            Some(x) => {
                check("width_exponent", x, x > 0.0, "must be > 0; leave it out for infinite width")?
            }
        };
        let zeta = check("noise_exponent", self.noise_exponent, true, "must be a number")?;

        let time = (ell / alpha).min(q).min(1.0);
        let features = -(alpha * (2.0 * r).min(1.0) - 1.0) * time - q;
        let risk_bias = (-2.0 * alpha * time * r.min(1.0)).max(features);
        let threshold = (1.0 + zeta) / (1.0 + alpha * (2.0 * r).min(1.0));
        let (law, region) = if time == 1.0 {
            (None, "data_limited")
        } else if time > threshold {
            (Some(((1.0 + zeta) * alpha / (alpha + 1.0), -1.0 / (alpha + 1.0))), "variance")
        } else if r < 0.5 {
            (Some((0.0, 2.0 * r / (1.0 - 2.0 * r))), "bias")
        } else {
            (None, "norm_of_order_one")
        };
        Ok(Rates {
            time,
            risk_bias,
            risk_variance: time - 1.0 - zeta,
            norm_bias: alpha * time * (1.0 - 2.0 * r).max(0.0),
            norm_variance: time * (alpha + 1.0) - 1.0 - zeta,
            threshold,
            law,
            region,
        })
    }
}

impl Task for NormRates {
    type Inputs = NormRatesInputs;

    const CARD: Card = Card {
        name: "norm_rates",
        summary: "Scaling exponents of risk and norm on power laws, and the law R ~ n^−a N^−b",
        equations: "s_k = k^−α, θ_k² = k^−(1+2αr), λ = n^−ℓ, m = n^q, σ² = n^−ζ\nt = min(ℓ/α, q, 1): κ ~ n^−αt, df1 ~ n^t",
        latex: r"s_k=k^{-\alpha},\ \theta_k^2=k^{-(1+2\alpha r)},\ \lambda=n^{-\ell},\ m=n^q,\ \sigma^2=n^{-\zeta},\quad t=\min(\ell/\alpha,q,1)",
        references: &[NORM_CAPACITY, crate::random_features::DIMENSION_FREE],
        observables: &[
            ("exponent_risk", "R ~ n^x"),
            ("exponent_norm", "N ~ n^x"),
            ("exponent_B_R", "noise-free risk"),
            ("exponent_V_R", "risk that the noise adds"),
            ("exponent_B_N", "norm of the noise-free estimator"),
            ("exponent_V_N", "norm that the noise adds"),
            ("exponent_df1", "degrees of freedom, t"),
            ("law_a", "a of R ~ n^−a N^−b"),
            ("law_b", "b of R ~ n^−a N^−b"),
            ("region", "which part of the table applies"),
            ("threshold", "t at which the variance takes over"),
        ],
        headline: &["exponent_risk", "exponent_norm", "law_a", "law_b"],
        example: r#"{"alpha": 1.5, "source": 0.3, "ridge_exponent": 0.9, "width_exponent": 2.0, "knob": "ridge"}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let rates = inputs.rates()?;
        let mut out = Observables::new();
        out.set("exponent_risk", rates.risk_bias.max(rates.risk_variance));
        out.set("exponent_norm", rates.norm_bias.max(rates.norm_variance));
        out.set("exponent_B_R", rates.risk_bias);
        out.set("exponent_V_R", rates.risk_variance);
        out.set("exponent_B_N", rates.norm_bias);
        out.set("exponent_V_N", rates.norm_variance);
        out.set("exponent_df1", rates.time);
        if let Some((a, b)) = rates.law {
            out.set("law_a", a);
            out.set("law_b", b);
        }
        out.set("region", rates.region);
        out.set("threshold", rates.threshold);
        match rates.region {
            "data_limited" => {
                out.note("t = 1: the data limit everything, no knob moves risk or norm");
            }
            "norm_of_order_one" => {
                out.note("the norm stays of order one and carries no information on the risk");
            }
            _ => {}
        }
        let ell = inputs.ridge_exponent.unwrap_or(f64::INFINITY) / inputs.alpha;
        let width = inputs.width_exponent.unwrap_or(f64::INFINITY);
        let idle = match inputs.knob {
            Some(RateKnob::Ridge) => (ell > rates.time).then_some("ridge"),
            Some(RateKnob::Width) => (width > rates.time).then_some("width"),
            None => None,
        };
        if let (Some(knob), Some(_)) = (idle, rates.law) {
            out.note(format!(
                "the {knob} is not what limits the fit here: moving it does not move along the law"
            ));
        }
        Ok(out)
    }
}
