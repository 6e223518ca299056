use super::NORM_CAPACITY;
use crate::random_features::{FeatureRegression, Prediction, chain_inputs, simulate};
use crate::{Error, Result};
use rmt_core::increasing_root;
use rmt_task::{Card, Draw, Observables, Simulate, Task, TaskError};

/// The ridge that keeps ‖â‖² within a budget.
pub struct NormBudget;

chain_inputs! {
    /// Inputs of [`NormBudget`].
    pub struct NormBudgetInputs {
        /// Number of samples n ≥ 1.
        pub n: f64,
        /// Budget B > 0 for ‖â‖².
        pub norm_budget: f64,
    }
}

/// The solution with norm `budget`: N decreases in λ, hence in κ, and λ(κ) is explicit. The ridgeless
/// one where it stays within the budget.
pub(crate) fn within(model: &FeatureRegression, budget: f64) -> Result<Prediction> {
    if !(budget > 0.0 && budget.is_finite()) {
        return Err(Error::OutOfRange {
            key: "norm_budget",
            value: budget,
            remedy: "a norm budget is finite and > 0",
        });
    }
    let ridgeless = model.at_shift(0.0)?;
    if ridgeless.norm <= budget {
        return Ok(ridgeless);
    }
    let trace = model.scale();
    let over = |shift: f64| model.at_shift(shift).map_or(f64::NAN, |at| budget - at.norm);
    let (mut low, mut high) = (trace, trace);
    while over(high) < 0.0 {
        high *= 16.0;
        if high > 1e300 {
            return Err(Error::OutOfRange {
                key: "norm_budget",
                value: budget,
                remedy: "no ridge shrinks the estimator that far; give a larger budget",
            });
        }
    }
    while over(low) > 0.0 && low > 1e-300 * trace {
        low *= 1e-2;
    }
    model.at_shift(increasing_root(low, high, over))
}

impl NormBudgetInputs {
    fn at(&self) -> Result<Prediction> {
        within(&FeatureRegression::new(&self.setting(Some(self.n))?)?, self.norm_budget)
    }
}

impl Task for NormBudget {
    type Inputs = NormBudgetInputs;

    const CARD: Card = Card {
        name: "norm_budget",
        summary: "The ridge at which the estimator's squared norm equals a budget, and the risk there",
        equations: "N(λ) = B;  λ = 0 where N(0) ≤ B",
        latex: r"N(\lambda) = B",
        references: &[NORM_CAPACITY],
        observables: &[
            ("lambda", "ridge λ; 0 where the budget is not used up"),
            ("norm", "‖â‖² there"),
            ("risk", "excess risk there"),
            ("kappa2", "ridge that the population modes see"),
            ("df1", "degrees of freedom"),
        ],
        headline: &["lambda", "norm", "risk"],
        example: r#"{"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.2}, "target": {"kind": "power_law", "p": 200, "alpha": 0.5}, "noise_variance": 0.3, "n": 100, "widths": [150], "norm_budget": 11.389}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let at = inputs.at()?;
        let mut out = Observables::new();
        out.set("lambda", at.lambda);
        out.set("norm", at.norm);
        out.set("risk", at.risk);
        out.set("kappa2", at.kappa2);
        out.set("df1", at.df1);
        if at.lambda == 0.0 {
            out.note(format!("the budget is not binding: the ridgeless norm is {:.6e}", at.norm));
        }
        Ok(out)
    }
}

impl Simulate for NormBudget {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "n", "widths"];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let at = inputs.at()?;
        let setting = inputs.setting(Some(inputs.n))?;
        let one = simulate::Experiment::run(&setting, at.lambda, (1, 1), draw)?;
        let mut out = Observables::new();
        out.set("norm", one.norm());
        out.set("risk", one.risk());
        Ok(out)
    }
}
