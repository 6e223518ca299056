use crate::training::Training;
use crate::{Bound, Fit, Observations, Problem, Sigma, fit};
use rmt_dynamics::{PopulationModel, PredatorPreyScavenger, model};
use rmt_task::{Card, Observables, Reference, Registration, Task, TaskError, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// All tasks of this crate.
pub fn tasks() -> Vec<Registration> {
    vec![Registration::of::<PopulationFit>()]
}

/// Rates and initial state from observed densities.
struct PopulationFit;

/// Inputs of `population_fit`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Inputs {
    /// Name of the model; `predator_prey_scavenger` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Times of the observations, ascending from 0 on; the initial state is at 0.
    t: Vec<f64>,
    /// Observed species, one per column of `data`.
    observed: Vec<String>,
    /// Observed densities, a row a time.
    data: Vec<Vec<Option<f64>>>,
    /// Standard deviation of the observations: one per column, or a table like `data`.
    #[schemars(with = "Vec<f64>")]
    sigma: SigmaInput,
    /// Rates to be found; the others are `fixed`.
    free: Vec<String>,
    /// Values of the rates that are known.
    #[serde(default)]
    fixed: BTreeMap<String, f64>,
    /// Where the search for each free rate starts, positive.
    initial_guess: BTreeMap<String, f64>,
    /// Where the search for the initial density of each species starts; exactly 0 stays 0.
    initial_state_guess: Vec<f64>,
    /// Train a physics-informed network first and start from it as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network: Option<NetworkInput>,
    /// Also profile the likelihood of every free rate.
    #[serde(default)]
    profiles: bool,
}

/// How to train the network; absent keys have the defaults of [`Training`].
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NetworkInput {
    /// Sizes of the hidden layers, [32, 32, 32] if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hidden: Option<Vec<usize>>,
    /// Epochs of Adam, 6000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epochs: Option<usize>,
    /// Iterations of L-BFGS after them, 2500 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refinements: Option<usize>,
    /// Number of collocation points, 200 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collocation_points: Option<usize>,
    /// Seed of the random weights, 0 if absent.
    #[serde(default)]
    seed: u64,
}

#[derive(Clone, Debug)]
struct SigmaInput(Sigma);

impl Serialize for SigmaInput {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Sigma::PerSpecies(columns) => columns.serialize(serializer),
            Sigma::PerObservation(rows) => rows.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SigmaInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let rows = value.as_array().is_some_and(|a| a.first().is_some_and(|v| v.is_array()));
        let read = if rows {
            serde_json::from_value(value).map(Sigma::PerObservation)
        } else {
            serde_json::from_value(value).map(Sigma::PerSpecies)
        };
        read.map(Self).map_err(serde::de::Error::custom)
    }
}

impl Task for PopulationFit {
    type Inputs = Inputs;

    const CARD: Card = Card {
        name: "population_fit",
        summary: "Rates and initial state of a population model from a time series",
        equations: "\
χ²(p, u(0)) = Σ ((u(t; p, u(0)) − data)/σ)², minimised over ln p and ln u(0)
Fisher information F = JᵀJ, J = ∂((u − data)/σ)/∂(ln p, ln u(0)); standard errors √diag F⁻¹",
        latex: r"
\chi^2(p, u_0) &= \sum \left(\frac{u(t; p, u_0) - \mathrm{data}}{\sigma}\right)^2 \\
F &= J^\top J, \qquad J = \frac{\partial}{\partial(\ln p, \ln u_0)} \frac{u - \mathrm{data}}{\sigma}",
        references: &[
            Reference {
                key: "panchal2024scavenger",
                authors: "Panchal and Beniwal and Kumar",
                title: "Predator Prey Scavenger Model using Holling's Functional Response of \
                        Type III and Physics-Informed Deep Neural Networks",
                year: 2024,
                venue: "arXiv:2412.18344",
            },
            Reference {
                key: "raissi2019pinn",
                authors: "Raissi and Perdikaris and Karniadakis",
                title: "Physics-informed neural networks",
                year: 2019,
                venue: "Journal of Computational Physics 378, 686-707",
            },
            Reference {
                key: "raue2009profile",
                authors: "Raue and others",
                title: "Structural and practical identifiability analysis of partially observed \
                        dynamical models by exploiting the profile likelihood",
                year: 2009,
                venue: "Bioinformatics 25, 1923-1929",
            },
        ],
        observables: &[
            ("parameters", "every rate, the free ones at their maximum-likelihood values"),
            ("initial_state", "densities at t = 0"),
            ("chi2", "sum of squared normalised residuals at the estimate"),
            ("degrees_of_freedom", "observations minus unknowns"),
            ("identifiable", "whether the Fisher information determines every unknown"),
            ("relative_standard_errors", "of the free rates; absent if not identifiable"),
            ("fim_condition", "condition number of the Fisher information"),
            ("fim_eigenvalues", "its eigenvalues, ascending"),
            ("sloppiest_direction", "the combination of logarithms that the data see least"),
            ("starts", "chi2 that least squares reached from each start"),
            ("network", "the network's own estimate of every rate, and its loss"),
            ("profiles", "values, chi2 and 95 % interval of each free rate"),
        ],
        headline: &["parameters", "relative_standard_errors", "chi2", "identifiable"],
        example: r#"{
  "t": [0, 1, 2, 3, 4, 5, 6, 8, 10, 12],
  "observed": ["x", "y"],
  "data": [[6.0, 1.0], [5.23, 2.12], [2.18, 3.75], [0.75, 3.33], [0.68, 2.36], [0.8, 1.69],
           [1.03, 1.3], [1.64, 1.13], [1.85, 1.47], [1.48, 1.69]],
  "sigma": [0.03, 0.03],
  "free": ["r", "a", "d", "e"],
  "fixed": {"k": 10, "a0": 0.25, "b": 0.1, "b0": 0.2, "f": 0.1, "g": 0.1, "h": 0.08, "i": 0.05,
            "i0": 0.1, "j": 0.25},
  "initial_guess": {"r": 0.8, "a": 0.5, "d": 0.4, "e": 0.6},
  "initial_state_guess": [6, 1, 0]
}"#,
    };

    fn evaluate(inputs: &Inputs) -> Result<Observables, TaskError> {
        let model: &dyn PopulationModel = match &inputs.model {
            None => &PredatorPreyScavenger,
            Some(name) => model(name)?,
        };
        let observations =
            Observations::new(model, &inputs.t, &inputs.observed, &inputs.data, &inputs.sigma.0)?;
        let problem = Problem::new(
            model,
            observations,
            &inputs.free,
            &inputs.initial_guess,
            &inputs.fixed,
            &inputs.initial_state_guess,
        )
        .map_err(|error| {
            let mut error = TaskError::from(error);
            match error.key.as_deref() {
                Some("initial_state") => error.key = Some("initial_state_guess".to_owned()),
                Some(key) => {
                    if let Some(name) = key.strip_prefix("parameters.") {
                        let part =
                            if inputs.fixed.contains_key(name) { "fixed" } else { "initial_guess" };
                        error.key = Some(format!("{part}.{name}"));
                    }
                }
                None => {}
            }
            error
        })?;
        let training = inputs.network.as_ref().map(|network| {
            let default = Training::default();
            Training {
                hidden: network.hidden.clone().unwrap_or(default.hidden),
                epochs: network.epochs.unwrap_or(default.epochs),
                refinements: network.refinements.unwrap_or(default.refinements),
                collocation_points: network
                    .collocation_points
                    .unwrap_or(default.collocation_points),
                seed: network.seed,
                ..Training::default()
            }
        });
        match fit(&problem, training.as_ref(), inputs.profiles, None)? {
            Some(found) => Ok(observables(&problem, &found)),
            // Without an observer nobody stops the training.
            None => Ok(Observables::new()),
        }
    }
}

/// The quantities of a fit under their contract names.
pub fn observables(problem: &Problem<'_>, found: &Fit) -> Observables {
    let names = problem.unknown_names();
    let parameters = problem.model().parameters();
    let named = |values: &[f64]| {
        let pairs = parameters.iter().zip(values);
        Value::Object(pairs.map(|(q, v)| (q.name.to_owned(), Value::Number(*v))).collect())
    };
    let estimate = &found.estimate;
    let mut out = Observables::new();
    out.set("parameters", named(&estimate.parameters));
    out.set("initial_state", estimate.initial_state.clone());
    out.set("chi2", estimate.chi2);
    let observations = problem.observations().values().len();
    out.set("degrees_of_freedom", (observations - names.len()) as f64);
    let information = &found.identifiability;
    out.set("identifiable", information.relative_standard_errors.is_some());
    let direction = information.direction(&names);
    match &information.relative_standard_errors {
        Some(errors) => {
            let rates = names.iter().zip(errors).take(problem.free().len());
            let list = rates.map(|(n, e)| (n.clone(), Value::Number(*e))).collect();
            out.set("relative_standard_errors", Value::Object(list));
        }
        None => {
            out.note(format!(
                "not identifiable: the data do not determine {direction}; fix a rate in it"
            ));
        }
    }
    out.set("fim_condition", information.condition);
    out.set("fim_eigenvalues", information.eigenvalues.clone());
    out.set("sloppiest_direction", direction);
    let starts = found.starts.iter().map(|(name, chi2)| {
        let value = chi2.map_or(Value::Text("failed".to_owned()), Value::Number);
        ((*name).to_owned(), value)
    });
    out.set("starts", Value::Object(starts.collect()));
    if let Some(network) = &found.network {
        out.set(
            "network",
            Value::Object(vec![
                ("parameters".to_owned(), named(&network.parameters)),
                ("matched_parameters".to_owned(), named(&network.matched)),
                ("initial_state".to_owned(), network.initial_state.clone().into()),
                ("data_loss".to_owned(), network.loss.data.into()),
                ("residual_loss".to_owned(), network.loss.residual.into()),
            ]),
        );
    }
    let mut unreached = Vec::new();
    let profiles: Vec<(String, Value)> = found
        .profiles
        .iter()
        .map(|p| {
            let mut end = |bound: Bound, open: f64| match bound {
                Bound::At(value) => value,
                Bound::Open => open,
                Bound::Beyond(value) => {
                    unreached.push(format!(
                        "profile of {}: no refit converged beyond {value}; its interval ends \
                         further out",
                        p.name
                    ));
                    value
                }
            };
            let interval = vec![end(p.interval.0, 0.0), end(p.interval.1, f64::INFINITY)];
            let parts = vec![
                ("values".to_owned(), p.values.clone().into()),
                ("chi2".to_owned(), p.chi2.clone().into()),
                ("interval_95".to_owned(), interval.into()),
            ];
            (p.name.clone(), Value::Object(parts))
        })
        .collect();
    if !profiles.is_empty() {
        out.set("profiles", Value::Object(profiles));
    }
    for note in unreached {
        out.note(note);
    }
    out
}
