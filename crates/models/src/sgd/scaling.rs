//! Scaling laws of one-pass SGD on power laws, and the compute-optimal frontier.
//!
//! s_i = i^−a, c_i s_i = i^−b, m features, effective time τ = ηt. The risk is a sum of powers,
//!
//! R ≈ τ^−(b−1)/a + m⁻¹τ^−(1−1/a) + (η/B)τ^−(2−1/a) + m^−min(a, b−1),
//!
//! bias of unlearnt modes, bias that finite width adds to them, batch noise, and what m features cannot
//! express. The second term needs Σ c_i < ∞, b − a > 1. With compute f = τm the best exponents solve
//! min_{x+y=1} max_i −(α_i x + β_i y), a linear program in the logarithms x, y of τ, m to base f.
//!
//! Bordelon, Atanasov and Pehlevan 2024; Paquette, Paquette, Xiao and Pennington 2024 (their α, β are
//! a = 2α, b = 2α + 2β).

use super::REFERENCES;
use rmt_task::{Card, Observables, Task, TaskError, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Scaling exponents of one-pass SGD and the compute-optimal frontier.
pub struct SgdScaling;

/// Inputs of [`SgdScaling`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SgdScalingInputs {
    /// Decay a > 1 of the eigenvalues, s_i = i^−a.
    pub spectrum_exponent: f64,
    /// Decay b > 1 of the signal by mode, c_i s_i = i^−b.
    pub signal_exponent: f64,
    /// Whether the gradient is noiseless (large batches): drops the batch-noise term.
    #[serde(default)]
    pub full_batch: bool,
}

/// One term τ^−time · m^−width of the risk.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Term {
    name: &'static str,
    time: f64,
    width: f64,
}

fn terms(a: f64, b: f64, full_batch: bool) -> Vec<Term> {
    let mut out = vec![Term { name: "time", time: (b - 1.0) / a, width: 0.0 }];
    if b - a > 1.0 {
        out.push(Term { name: "capacity", time: 1.0 - 1.0 / a, width: 1.0 });
    }
    if !full_batch {
        out.push(Term { name: "batch_noise", time: 2.0 - 1.0 / a, width: 0.0 });
    }
    out.push(Term { name: "width", time: 0.0, width: a.min(b - 1.0) });
    out
}

/// The best share x of log τ in log f = log τ + log m, the decay of the risk there, and the terms that
/// meet. The maximum of the terms is convex and piecewise linear in x, so the optimum is an end of [0, 1]
/// or a crossing of two terms.
fn frontier(terms: &[Term]) -> (f64, f64, Vec<&'static str>) {
    let decay = |t: &Term, x: f64| t.time * x + t.width * (1.0 - x);
    let slowest = |x: f64| terms.iter().map(|t| decay(t, x)).fold(f64::INFINITY, f64::min);
    let mut candidates = vec![0.0, 1.0];
    for (i, first) in terms.iter().enumerate() {
        for second in &terms[..i] {
            let slope = (first.time - first.width) - (second.time - second.width);
            if slope != 0.0 {
                candidates.push((second.width - first.width) / slope);
            }
        }
    }
    candidates.retain(|x| (0.0..=1.0).contains(x));
    let best =
        candidates.into_iter().max_by(|x, y| slowest(*x).total_cmp(&slowest(*y))).unwrap_or(1.0);
    let rate = slowest(best);
    let binding = terms.iter().filter(|t| decay(t, best) <= rate + 1e-12).map(|t| t.name).collect();
    (best, rate, binding)
}

impl Task for SgdScaling {
    type Inputs = SgdScalingInputs;

    const CARD: Card = Card {
        name: "sgd_scaling",
        summary: "Scaling laws of one-pass SGD on power laws and the compute-optimal width",
        equations: "s_i = i^−a,  c_i s_i = i^−b,  τ = ηt,  f = τm\n\
                    R ≈ τ^−(b−1)/a + m⁻¹τ^−(1−1/a) + (η/B)τ^−(2−1/a) + m^−min(a, b−1)\n\
                    second term for b − a > 1; frontier: the linear program min over τm = f of the largest term",
        latex: r"R &\approx \tau^{-(b-1)/a}+m^{-1}\tau^{-1+1/a}+\tfrac{\eta}{B}\tau^{-2+1/a}+m^{-\min(a,b-1)}\\
(\tau^*,m^*) &= \arg\min_{\tau m=f}\ \max_i\ \tau^{-\alpha_i}m^{-\beta_i}",
        references: REFERENCES,
        observables: &[
            ("terms", "each term τ^−time m^−width of the risk"),
            ("optimal_time_exponent", "x of τ* = f^x on the compute frontier"),
            ("optimal_width_exponent", "y of m* = f^y"),
            ("optimal_risk_exponent", "−dlnR/dlnf on the frontier"),
            ("binding", "the terms that balance there"),
            ("dataset_exponent", "−dlnR/dlnn of ridgeless bias with n samples"),
        ],
        headline: &["optimal_time_exponent", "optimal_width_exponent", "optimal_risk_exponent"],
        example: r#"{"spectrum_exponent": 1.5, "signal_exponent": 2.0}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let (a, b) = (inputs.spectrum_exponent, inputs.signal_exponent);
        for (key, value) in [("spectrum_exponent", a), ("signal_exponent", b)] {
            if !(value > 1.0 && value.is_finite()) {
                return Err(TaskError::invalid(
                    key,
                    format!(
                        "{value} is out of range; the laws hold for summable power laws, exponents above 1"
                    ),
                ));
            }
        }
        let terms = terms(a, b, inputs.full_batch);
        let (time, rate, binding) = frontier(&terms);
        let binding_noise = binding.contains(&"batch_noise");
        let mut out = Observables::new();
        let listed: Vec<Value> = terms
            .iter()
            .map(|t| {
                Value::Object(vec![
                    ("name".to_owned(), t.name.into()),
                    ("time".to_owned(), t.time.into()),
                    ("width".to_owned(), t.width.into()),
                ])
            })
            .collect();
        out.set("terms", Value::List(listed))
            .set("optimal_time_exponent", time)
            .set("optimal_width_exponent", 1.0 - time)
            .set("optimal_risk_exponent", rate)
            .set("binding", binding)
            .set("dataset_exponent", (2.0 * a).min(b - 1.0));
        out.note("exponents are asymptotic: near b = a + 1, b = 2a and b = 1 + a the approach is slow, and the balance at these boundaries has not been verified numerically");
        if binding_noise {
            out.note("with batch noise the frontier was checked for b > 2a at (a, b) = (1.5, 4) and (1.3, 3.2) only, where slopes come within 0.03");
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The three regimes of the literature.
    #[test]
    fn closed_forms_of_the_frontier() {
        // b − a < 1: time and width balance.
        let (x, rate, binding) = frontier(&terms(1.5, 2.0, false));
        assert!((1.0 - x - 0.4).abs() < 1e-14 && (rate - 0.4).abs() < 1e-14);
        assert_eq!(binding, ["time", "width"]);
        // a + 1 < b < 2a: time and capacity.
        let (a, b) = (2.0, 3.5);
        let (x, rate, binding) = frontier(&terms(a, b, false));
        assert!((1.0 - x - (b - a) / b).abs() < 1e-14 && (rate - (b - 1.0) / b).abs() < 1e-14);
        assert_eq!(binding, ["time", "capacity"]);
        // b > 2a: capacity and batch noise.
        let (x, rate, binding) = frontier(&terms(1.5, 4.0, false));
        assert!((x - 0.5).abs() < 1e-14 && (rate - (1.0 - 1.0 / 3.0)).abs() < 1e-14);
        assert_eq!(binding, ["capacity", "batch_noise"]);
    }

    proptest! {
        /// No share of time on a fine grid beats the optimum.
        #[test]
        fn optimum_is_a_maximum(a in 1.01..4.0_f64, b in 1.01..8.0_f64, full in any::<bool>(), x in 0.0..1.0_f64) {
            let terms = terms(a, b, full);
            let (_, rate, _) = frontier(&terms);
            let other = terms.iter().map(|t| t.time * x + t.width * (1.0 - x)).fold(f64::INFINITY, f64::min);
            prop_assert!(other <= rate + 1e-12);
        }
    }
}
