use super::{EQUATIONS, LATEX, PANCHAL, Rates, choose, describe};
use crate::{Outcome, Settings, equilibria, parameter_vector, simulate};
use rmt_task::{Card, Observables, Task, TaskError, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Densities over time, and where they could settle.
pub(super) struct Trajectory;

/// Inputs of `population_trajectory`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// Name of the model; `predator_prey_scavenger` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Every parameter of the model by name.
    pub parameters: Rates,
    /// Densities at t = 0, one per species, not negative. An absent species (0) stays absent.
    pub initial_state: Vec<f64>,
    /// Output times, ascending from 0 on.
    pub times: Vec<f64>,
    /// Density at which the run counts as run away, 1e12 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<f64>,
    /// Density below which a species counts as extinct and the run stops; never if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extinction: Option<f64>,
    /// Relative accuracy of the integration per step, 1e-13 to 1e-2; 1e-11 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
}

impl Task for Trajectory {
    type Inputs = Inputs;

    const CARD: Card = Card {
        name: "population_trajectory",
        summary: "Predator, prey and scavenger densities over time, with all equilibria",
        equations: EQUATIONS,
        latex: LATEX,
        references: &[PANCHAL],
        observables: &[
            ("outcome", "completed, runaway (a density reached the cap) or extinct"),
            ("states", "densities at the output times that were reached, one row a time"),
            ("crossing_time", "runaway: first time with max(u) = cap"),
            ("state_at_crossing", "runaway: the state at that time"),
            ("extinct_species", "extinct: the species that fell to the threshold"),
            ("extinction_time", "extinct: first time at the threshold"),
            ("state_at_extinction", "extinct: the state at that time"),
            ("equilibria", "every equilibrium with state, eigenvalues and kind"),
        ],
        headline: &["outcome", "states"],
        example: r#"{
  "parameters": {"r": 1, "k": 10, "a": 0.5, "a0": 0.3, "b": 0.1, "b0": 0.2, "d": 0.4, "e": 0.6,
                 "f": 0.1, "g": 0.1, "h": 0.08, "i": 0.05, "i0": 0.1, "j": 0.25},
  "initial_state": [5, 1, 1],
  "times": [0, 5, 10, 20, 50, 100]
}"#,
    };

    fn evaluate(inputs: &Inputs) -> Result<Observables, TaskError> {
        let model = choose(inputs.model.as_deref())?;
        let parameters = parameter_vector(model, &inputs.parameters)?;
        let default = Settings::default();
        let settings = Settings {
            tolerance: inputs.tolerance.unwrap_or(default.tolerance),
            cap: inputs.cap.unwrap_or(default.cap),
            extinction: inputs.extinction,
        };
        let run = simulate(model, &parameters, &inputs.initial_state, &inputs.times, &settings)?;
        let mut out = Observables::new();
        out.set("outcome", run.outcome.name());
        out.set("states", run.states);
        match run.outcome {
            Outcome::Completed => {}
            Outcome::Runaway { time, state } => {
                out.set("crossing_time", time).set("state_at_crossing", state);
                out.note(format!(
                    "a density reached {:e}; later times are not reported",
                    settings.cap
                ));
            }
            Outcome::Extinct { species, time, state } => {
                out.set("extinct_species", model.species()[species].name);
                out.set("extinction_time", time).set("state_at_extinction", state);
            }
        }
        let all: Vec<Value> =
            equilibria(model, &parameters)?.iter().map(|e| Value::Object(describe(e))).collect();
        out.set("equilibria", all);
        Ok(out)
    }
}
