use super::{PANCHAL, Rates};
use crate::{PredatorPreyScavenger, parameter_vector, planar_bifurcation};
use rmt_task::{Card, Observables, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where predator–prey coexistence appears and starts to cycle, in closed form.
pub(super) struct Hopf;

/// Inputs of `population_hopf`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// Every rate of the predator–prey–scavenger model by name; the value of `k` does not matter.
    pub parameters: Rates,
    /// The parameter that is varied; the closed form exists for `k`.
    pub parameter: String,
}

impl Task for Hopf {
    type Inputs = Inputs;

    const CARD: Card = Card {
        name: "population_hopf",
        summary: "Carrying capacities at which predators can invade and at which cycles start",
        equations: "\
x0 = √(e/(d − a0 e)),  k_transcritical = x0
k_hopf = x0/(1 − d/(2 a0 e)),  ω² = 2 e r (1 − x0/k)(d − a0 e)/d at k = k_hopf",
        latex: r"
x_0 &= \sqrt{e/(d - a_0 e)}, \qquad k_\mathrm{transcritical} = x_0 \\
k_\mathrm{Hopf} &= \frac{x_0}{1 - d/(2 a_0 e)}, \qquad
\omega^2 = \frac{2 e r (1 - x_0/k)(d - a_0 e)}{d}",
        references: &[PANCHAL],
        observables: &[
            ("k_hopf", "carrying capacity of the Hopf point, Infinity if there is none"),
            ("omega", "frequency of the cycle born there"),
            ("state", "(x0, y0, 0) at the Hopf point"),
            ("k_transcritical", "carrying capacity above which predators persist"),
        ],
        headline: &["k_transcritical", "k_hopf", "omega"],
        example: r#"{
  "parameters": {"r": 1, "k": 20, "a": 0.6, "a0": 0.25, "b": 0.1, "b0": 0.2, "d": 0.2, "e": 0.5,
                 "f": 0.1, "g": 0.1, "h": 0.08, "i": 0.05, "i0": 0.1, "j": 0.25},
  "parameter": "k"
}"#,
    };

    fn evaluate(inputs: &Inputs) -> Result<Observables, TaskError> {
        let parameters = parameter_vector(&PredatorPreyScavenger, &inputs.parameters)?;
        if inputs.parameter != "k" {
            return Err(TaskError::invalid(
                "parameter",
                format!(
                    "the closed form is for \"k\", found \"{}\"; use population_continuation",
                    inputs.parameter
                ),
            ));
        }
        let found = planar_bifurcation(&parameters)?;
        let mut out = Observables::new();
        out.set("k_hopf", found.k_hopf);
        if let Some((omega, state)) = found.hopf {
            out.set("omega", omega).set("state", state.to_vec());
        } else {
            out.note("no Hopf point: it needs a0·e < d < 2·a0·e");
        }
        out.set("k_transcritical", found.k_transcritical);
        if found.k_transcritical == f64::INFINITY {
            out.note("predators cannot live on prey alone at any carrying capacity: d ≤ a0·e");
        }
        Ok(out)
    }
}
