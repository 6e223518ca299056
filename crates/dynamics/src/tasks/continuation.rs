use super::{EQUATIONS, LATEX, PANCHAL, Rates, choose};
use crate::{continue_branch, parameter_index, parameter_vector};
use rmt_task::{Card, Observables, Reference, Task, TaskError, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A branch of equilibria and its bifurcations.
pub(super) struct Continuation;

/// Inputs of `population_continuation`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// Name of the model; `predator_prey_scavenger` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    /// Every parameter of the model by name; the branch starts at these values.
    pub(super) parameters: Rates,
    /// The parameter that is varied.
    pub(super) parameter: String,
    /// An equilibrium, or a state near one with the same species present.
    pub(super) start_state: Vec<f64>,
    /// Sign of the first change of the parameter, 1 or −1.
    pub(super) direction: i8,
    /// Values between which the parameter stays, [from, to], both positive.
    pub(super) range: [f64; 2],
}

impl Task for Continuation {
    type Inputs = Inputs;

    const CARD: Card = Card {
        name: "population_continuation",
        summary: "Follow an equilibrium in a parameter through folds, Hopf and transcritical points",
        equations: EQUATIONS,
        latex: LATEX,
        references: &[
            PANCHAL,
            Reference {
                key: "keller1977continuation",
                authors: "Keller",
                title: "Numerical solution of bifurcation and nonlinear eigenvalue problems",
                year: 1977,
                venue: "Applications of Bifurcation Theory, 359-384",
            },
        ],
        observables: &[
            (
                "special_points",
                "kind (hopf, fold, transcritical), parameter, state, omega, in branch order",
            ),
            ("branch_parameter", "values of the parameter along the branch"),
            ("branch_states", "equilibria along the branch, one row a point"),
            ("branch_kinds", "stable, saddle, unstable or marginal at each point"),
            ("end", "why the branch ends: range, boundary, escape, closed, stuck or length"),
        ],
        headline: &["special_points", "end"],
        example: r#"{
  "parameters": {"r": 1.367, "k": 8.359, "a": 0.207, "a0": 0.146, "b": 0.244, "b0": 0.523,
                 "d": 1.378, "e": 1.349, "f": 0.464, "g": 0.276, "h": 0.445, "i": 0.95,
                 "i0": 1.097, "j": 0.248},
  "parameter": "j",
  "start_state": [0.8665, 0.2961, 7.756],
  "direction": 1,
  "range": [0.031, 1.984]
}"#,
    };

    fn evaluate(inputs: &Inputs) -> Result<Observables, TaskError> {
        let model = choose(inputs.model.as_deref())?;
        let parameters = parameter_vector(model, &inputs.parameters)?;
        let index = parameter_index(model, &inputs.parameter)
            .map_err(|e| TaskError::invalid("parameter", e.to_string()))?;
        let upwards = match inputs.direction {
            1 => true,
            -1 => false,
            other => {
                return Err(TaskError::invalid(
                    "direction",
                    format!("{other} given, 1 or -1 expected"),
                ));
            }
        };
        let [from, to] = inputs.range;
        let branch =
            continue_branch(model, &parameters, index, &inputs.start_state, upwards, (from, to))
                .map_err(|e| {
                    let mut error = TaskError::from(e);
                    if error.key.as_deref() == Some("initial_state") {
                        error.key = Some("start_state".to_owned());
                    }
                    error
                })?;
        let special: Vec<Value> = branch
            .special_points
            .into_iter()
            .map(|p| {
                Value::Object(vec![
                    ("kind".to_owned(), p.kind.name().into()),
                    ("parameter".to_owned(), p.parameter.into()),
                    ("state".to_owned(), p.state.into()),
                    ("omega".to_owned(), p.omega.into()),
                ])
            })
            .collect();
        let points = &branch.points;
        let mut out = Observables::new();
        out.set("special_points", special);
        out.set("branch_parameter", points.iter().map(|p| p.parameter).collect::<Vec<_>>());
        out.set("branch_states", points.iter().map(|p| p.state.clone()).collect::<Vec<_>>());
        out.set("branch_kinds", points.iter().map(|p| p.kind.name()).collect::<Vec<_>>());
        out.set("end", branch.end.name());
        Ok(out)
    }
}
