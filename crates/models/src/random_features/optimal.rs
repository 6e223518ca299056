use super::{
    FeatureRegression, Prediction, SCALING_AND_RENORMALIZATION, Setting, chain_inputs, simulate,
};
use crate::search::{grid, minimum_over};
use crate::{Error, Result};
use rmt_task::{Card, Draw, Fields, Observables, Simulate, Task, TaskError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// The ridge of least risk; under a budget also the best division into samples and width.
pub struct RandomFeaturesOptimal;

chain_inputs! {
    /// Inputs of [`RandomFeaturesOptimal`].
    pub struct RandomFeaturesOptimalInputs {
        /// Number of samples n ≥ 1; absent for infinite data or with a budget.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub n: Option<f64>,
        /// Keep this ridge λ ≥ 0 while the budget is divided; absent: tune it too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lambda: Option<f64>,
        /// What samples and features may cost together; needs one layer and no `n`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub budget: Option<Budget>,
    }
}

/// How samples n and width m share a budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// n·m = total: evaluations of features.
    Product {
        /// The product.
        total: f64,
    },
    /// price_sample·n + price_feature·m = total.
    Sum {
        /// What there is to spend.
        total: f64,
        /// Cost of a sample.
        price_sample: f64,
        /// Cost of a feature.
        price_feature: f64,
    },
}

impl Budget {
    /// Samples that remain with width m, if any; and the largest width.
    fn samples(self, width: f64) -> f64 {
        match self {
            Self::Product { total } => total / width,
            Self::Sum { total, price_sample, price_feature } => {
                (total - price_feature * width) / price_sample
            }
        }
    }

    fn widest(self) -> f64 {
        match self {
            Self::Product { total } => total,
            Self::Sum { total, price_sample, price_feature } => {
                (total - price_sample) / price_feature
            }
        }
    }
}

impl<'de> Deserialize<'de> for Budget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parse = |value: Json| -> Result<Self, TaskError> {
            let mut f = Fields::new(value)?;
            let kind = f.kind(&["product", "sum"])?;
            let positive = |key: &'static str, x: f64| {
                if x > 0.0 && x.is_finite() {
                    Ok(x)
                } else {
                    Err(TaskError::invalid(key, format!("{x} is out of range; must be > 0")))
                }
            };
            let total = positive("total", f.require("total")?)?;
            let budget = if kind == "product" {
                Self::Product { total }
            } else {
                let mut price = |key| positive(key, f.take(key)?.unwrap_or(1.0));
                Self::Sum {
                    total,
                    price_sample: price("price_sample")?,
                    price_feature: price("price_feature")?,
                }
            };
            f.finish()?;
            if budget.widest() < 1.0 {
                return Err(TaskError::invalid(
                    "total",
                    format!("{total} does not pay for one sample and one feature; give more"),
                ));
            }
            Ok(budget)
        };
        parse(Json::deserialize(deserializer)?).map_err(TaskError::into_serde)
    }
}

impl Serialize for Budget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Product { total } => json!({"kind": "product", "total": total}),
            Self::Sum { total, price_sample, price_feature } => json!({
                "kind": "sum", "total": total, "price_sample": price_sample,
                "price_feature": price_feature
            }),
        }
        .serialize(serializer)
    }
}

impl JsonSchema for Budget {
    fn schema_name() -> Cow<'static, str> {
        "Budget".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let positive = json!({"type": "number", "exclusiveMinimum": 0});
        json_schema!({
            "description": "n·m = total, or price_sample·n + price_feature·m = total",
            "oneOf": [
                {"type": "object", "additionalProperties": false, "required": ["kind", "total"],
                 "properties": {"kind": {"const": "product"}, "total": positive}},
                {"type": "object", "additionalProperties": false, "required": ["kind", "total"],
                 "properties": {"kind": {"const": "sum"}, "total": positive,
                                "price_sample": positive, "price_feature": positive}},
            ]
        })
    }
}

/// Points of the grid in ln(κ − κ₀) before the minimum is refined, four a decade.
const GRID: usize = 97;

/// Relative rounding of a risk, with a margin: a ratio of sums of positive terms.
const ROUNDING: f64 = 1e-13;

/// The ridge of least risk: a grid in κ (explicit, no solve), then golden-section search in its
/// best cell. λ = 0 counts when it is not beaten by more than rounding: around an optimum at the
/// boundary the risk is flat, and rounding would pick some tiny ridge.
pub(crate) fn best_ridge(model: &FeatureRegression) -> Result<Prediction> {
    let trace = model.scale();
    let risk = |u: f64| -> Result<f64> { Ok(model.at_shift(trace * u.exp())?.risk) };
    let (u, _) = minimum_over(&grid(-44.0, 11.0, GRID), risk)?;
    let ridgeless = model.at_shift(0.0)?;
    let interior = model.at_shift(trace * u.exp())?;
    Ok(if ridgeless.risk <= interior.risk * (1.0 + ROUNDING) { ridgeless } else { interior })
}

impl RandomFeaturesOptimalInputs {
    fn at(&self, model: &FeatureRegression) -> Result<Prediction> {
        match self.lambda {
            Some(lambda) => model.predict(lambda),
            None => best_ridge(model),
        }
    }

    /// The best setting and what it achieves.
    fn best(&self) -> Result<(Setting, Prediction)> {
        let base = self.setting(self.n)?;
        let model = FeatureRegression::new(&base)?;
        let Some(budget) = self.budget else {
            if self.lambda.is_some() {
                return Err(Error::Choice {
                    key: "lambda",
                    remedy: "is what this task finds; leave it out, or give a `budget` to divide",
                });
            }
            return Ok((base, best_ridge(&model)?));
        };
        if self.n.is_some() || self.widths.len() > 1 || self.activations.len() > 1 {
            return Err(Error::Choice {
                key: "budget",
                remedy: "divides samples against one layer: leave out `n` and give at most one width",
            });
        }
        let samples = |width: f64| budget.samples(width).max(1.0);
        let at = |width: f64| self.at(&model.with_sizes(Some(samples(width)), &[width])?);
        let risk = |u: f64| -> Result<f64> { Ok(at(u.exp())?.risk) };
        let (u, _) = minimum_over(&grid(0.0, budget.widest().ln(), GRID / 2), risk)?;
        let width = u.exp();
        let setting = Setting { n: Some(samples(width)), widths: vec![width], ..base };
        Ok((setting, at(width)?))
    }
}

impl Task for RandomFeaturesOptimal {
    type Inputs = RandomFeaturesOptimalInputs;

    const CARD: Card = Card {
        name: "random_features_optimal",
        summary: "The ridge of least risk, and the best width under a budget of samples and features",
        equations: "λ* = argmin R(λ), swept in κ where λ(κ) is explicit",
        latex: r"\lambda^* = \operatorname*{arg\,min}_\lambda R(\lambda)",
        references: &[SCALING_AND_RENORMALIZATION],
        observables: &[
            ("optimal_lambda", "ridge of least risk"),
            ("optimal_risk", "the risk there"),
            ("optimal_width", "width of the best division (with a budget)"),
            ("optimal_n", "samples of the best division (with a budget)"),
            ("kappa2", "ridge that the population modes see there"),
            ("df1", "degrees of freedom there"),
        ],
        headline: &["optimal_lambda", "optimal_risk"],
        example: r#"{"spectrum": {"kind": "power_law", "p": 300, "alpha": 1.4}, "target": {"kind": "power_law", "p": 300, "alpha": 0.4}, "noise_variance": 0.3, "n": 100, "widths": [120]}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let (setting, at) = inputs.best()?;
        let mut out = Observables::new();
        out.set("optimal_lambda", at.lambda);
        out.set("optimal_risk", at.risk);
        if inputs.budget.is_some() {
            out.set("optimal_width", setting.widths[0]);
            out.set("optimal_n", setting.n.unwrap_or(f64::INFINITY));
            out.note("width and samples are real numbers; round both");
        }
        if at.lambda == 0.0 && inputs.lambda.is_none() {
            out.note("no positive ridge has a smaller risk than λ = 0");
        }
        out.set("kappa2", at.kappa2);
        out.set("df1", at.df1);
        Ok(out)
    }
}

impl Simulate for RandomFeaturesOptimal {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "n", "widths"];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let (mut setting, at) = inputs.best()?;
        // A budget's optimum is a real number; an experiment needs whole ones.
        setting.n = setting.n.map(|n| if inputs.budget.is_some() { n.round() } else { n });
        if inputs.budget.is_some() {
            setting.widths.iter_mut().for_each(|m| *m = m.round());
        }
        let one = simulate::Experiment::run(&setting, at.lambda, (1, 1), draw)?;
        let mut out = Observables::new();
        out.set("optimal_risk", one.risk());
        Ok(out)
    }
}
