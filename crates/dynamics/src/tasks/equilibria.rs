use super::{EQUATIONS, LATEX, PANCHAL, Rates, choose, describe};
use crate::{equilibria, local_sensitivity, parameter_vector};
use rmt_task::{Card, Observables, Task, TaskError, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every equilibrium, its stability, and how it moves with the parameters.
pub(super) struct Equilibria;

/// Inputs of `population_equilibria`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// Name of the model; `predator_prey_scavenger` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Every parameter of the model by name.
    pub parameters: Rates,
}

impl Task for Equilibria {
    type Inputs = Inputs;

    const CARD: Card = Card {
        name: "population_equilibria",
        summary: "All equilibria of predator, prey and scavenger with stability and elasticities",
        equations: EQUATIONS,
        latex: LATEX,
        references: &[PANCHAL],
        observables: &[
            ("count", "number of equilibria"),
            (
                "equilibria",
                "type, state, eigenvalues, characteristic polynomial, kind, and the elasticities \
                 (p/u) ∂u/∂p as rows (species) of columns (parameters)",
            ),
        ],
        headline: &["count", "equilibria"],
        example: r#"{
  "parameters": {"r": 1, "k": 10, "a": 0.5, "a0": 0.3, "b": 0.1, "b0": 0.2, "d": 0.4, "e": 0.6,
                 "f": 0.1, "g": 0.1, "h": 0.08, "i": 0.05, "i0": 0.1, "j": 0.25}
}"#,
    };

    fn evaluate(inputs: &Inputs) -> Result<Observables, TaskError> {
        let model = choose(inputs.model.as_deref())?;
        let parameters = parameter_vector(model, &inputs.parameters)?;
        let mut out = Observables::new();
        let all = equilibria(model, &parameters)?;
        out.set("count", all.len() as f64);
        let mut rows = Vec::new();
        for equilibrium in &all {
            let mut row = describe(equilibrium);
            match local_sensitivity(model, &parameters, &equilibrium.state) {
                Ok(local) => {
                    let matrix: Vec<Vec<f64>> =
                        local.elasticities.chunks(parameters.len()).map(<[f64]>::to_vec).collect();
                    row.push(("elasticities".to_owned(), matrix.into()));
                }
                Err(error) => {
                    out.note(format!("{}: {error}", equilibrium.name));
                }
            }
            rows.push(Value::Object(row));
        }
        out.set("equilibria", rows);
        Ok(out)
    }
}
