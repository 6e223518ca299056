//! Training: recovery of the published six-rate case, resume, speed.

use rmt_dynamics::{PredatorPreyScavenger, Settings, simulate};
use rmt_pinn::{
    Collocation, Error, NetworkFit, Observations, Problem, Progress, Sigma, Training, fit,
    least_squares, least_squares_from, train,
};
use rmt_task::Draw;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

fn case(name: &str) -> Json {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/population.json");
    let file: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    cases.iter().find(|c| c["name"] == name).unwrap().clone()
}

fn numbers(value: &Json) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn words(value: &Json) -> Vec<String> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
}

fn named(value: &Json) -> BTreeMap<String, f64> {
    let pairs = value.as_object().unwrap().iter();
    pairs.map(|(k, v)| (k.clone(), v.as_f64().unwrap())).collect()
}

fn problem(inputs: &Json) -> Problem<'static> {
    let rows: Vec<Vec<Option<f64>>> = inputs["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| numbers(row).into_iter().map(Some).collect())
        .collect();
    let model = &PredatorPreyScavenger;
    let sigma = Sigma::PerSpecies(numbers(&inputs["sigma"]));
    let observed = words(&inputs["observed"]);
    let data = Observations::new(model, &numbers(&inputs["t"]), &observed, &rows, &sigma).unwrap();
    Problem::new(
        model,
        data,
        &words(&inputs["free"]),
        &named(&inputs["initial_guess"]),
        &named(&inputs["fixed"]),
        &numbers(&inputs["initial_state_guess"]),
    )
    .unwrap()
}

fn small() -> Training {
    Training {
        hidden: vec![8, 8],
        collocation_points: 40,
        epochs: 60,
        data_only: 20,
        ramp: 20,
        refinements: 20,
        checkpoint_every: 25,
        ..Training::default()
    }
}

/// Stopped in the middle of a segment and again later, the training ends with the same bits.
#[test]
fn resumed_training_is_bitwise_the_same() {
    let case = case("fit_predator_prey_6_params_1pct");
    let problem = problem(&case["inputs"]);
    let whole = train(&problem, &small(), None).unwrap().unwrap();
    let folder = std::env::temp_dir().join(format!("rmt-pinn-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("training.json");
    let training = Training { checkpoint: Some(path.clone()), ..small() };
    let mut resumed: Option<NetworkFit> = None;
    for stop in [Some(37), Some(52), Some(70), None] {
        let mut observer = |p: &Progress| {
            if stop == Some(p.epoch) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        resumed = train(&problem, &training, Some(&mut observer)).unwrap();
        assert_eq!(resumed.is_none(), stop.is_some());
    }
    let resumed = resumed.unwrap();
    assert_eq!(resumed.parameters, whole.parameters);
    assert_eq!(resumed.states, whole.states);
    assert_eq!(resumed.history, whole.history);
    // The same file under other settings is refused, and so is a damaged one.
    let other = Training { seed: 1, ..training.clone() };
    assert!(matches!(train(&problem, &other, None), Err(Error::Checkpoint { .. })));
    std::fs::write(&path, "{\"fingerprint\": 1").unwrap();
    assert!(matches!(train(&problem, &training, None), Err(Error::Checkpoint { .. })));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Same seed, same bits; another seed or other collocation points, other bits.
#[test]
fn training_is_deterministic() {
    let case = case("fit_predator_prey_6_params_1pct");
    let problem = problem(&case["inputs"]);
    let run = |training: &Training| train(&problem, training, None).unwrap().unwrap();
    let first = run(&small());
    assert_eq!(first, run(&small()));
    for other in [
        Training { seed: 1, ..small() },
        Training { collocation: Collocation::Chebyshev, ..small() },
        Training { collocation: Collocation::Stratified, ..small() },
    ] {
        assert_ne!(first.parameters, run(&other).parameters);
    }
}

#[test]
fn settings_are_checked() {
    let case = case("fit_predator_prey_6_params_1pct");
    let problem = problem(&case["inputs"]);
    for bad in [
        Training { hidden: vec![], ..small() },
        Training { hidden: vec![4, 0], ..small() },
        Training { collocation_points: 1, ..small() },
        Training { epochs: 0, ..small() },
        Training { learning_rates: (0.0, 1e-3), ..small() },
        Training { learning_rates: (f64::NAN, 1e-3), ..small() },
        Training { checkpoint_every: 0, ..small() },
    ] {
        assert!(matches!(train(&problem, &bad, None), Err(Error::Setting { .. })), "{bad:?}");
    }
}

fn errors(case: &Json, parameters: &[f64], problem: &Problem<'_>) -> Vec<(String, f64)> {
    let truth = &case["expected"]["true_params"];
    problem
        .free()
        .iter()
        .map(|&m| {
            let name = problem.model().parameters()[m].name;
            (name.to_owned(), parameters[m] / truth[name].as_f64().unwrap() - 1.0)
        })
        .collect()
}

fn line(errors: &[(String, f64)]) -> String {
    errors.iter().map(|(n, e)| format!("{n} {:+.2}", 100.0 * e)).collect::<Vec<_>>().join("  ")
}

/// The network alone comes within 2 % of every rate for seeds 0, 1, 2, and least squares after it
/// gives the published maximum-likelihood values.
#[test]
#[ignore = "six thousand epochs and L-BFGS for each of three seeds"]
fn network_recovers_six_rates() {
    let case = case("fit_predator_prey_6_params_1pct");
    let problem = problem(&case["inputs"]);
    let mut misses = Vec::new();
    for seed in 0..3 {
        let training = Training { seed, ..Training::default() };
        let clock = std::time::Instant::now();
        let trained = train(&problem, &training, None).unwrap().unwrap();
        let elapsed = clock.elapsed();
        println!(
            "seed {seed}: {elapsed:?}, {} evaluations, {:?}",
            trained.history.len(),
            trained.loss
        );
        for (stage, parameters) in [
            ("Adam", &trained.after_adam),
            ("L-BFGS", &trained.parameters),
            ("matched", &trained.matched),
        ] {
            println!("  {stage:8} (%) {}", line(&errors(&case, parameters, &problem)));
        }
        for (name, error) in errors(&case, &trained.parameters, &problem) {
            if error.abs() > 0.02 {
                misses.push(format!("seed {seed} {name} {error}"));
            }
        }
        let estimate =
            least_squares_from(&problem, &trained.parameters, &trained.initial_state).unwrap();
        println!(
            "  LM       (%) {}   chi2 {} after {} evaluations",
            line(&errors(&case, &estimate.parameters, &problem)),
            estimate.chi2,
            estimate.evaluations
        );
        for (name, mle) in named(&case["expected"]["mle_params"]) {
            let m = problem.model().parameters().iter().position(|q| q.name == name).unwrap();
            let error = case["expected"]["cramer_rao_rel_se"][&name].as_f64().unwrap();
            assert!((estimate.parameters[m] / mle - 1.0).abs() < 1e-2 * error, "{name}");
        }
    }
    assert!(misses.is_empty(), "{misses:?}");
}

/// A problem like the published one, with other noise or fewer species.
fn synthetic(observed: &[&str], noise: f64, seed: u64) -> (Json, Problem<'static>) {
    let mut case = case("fit_full_8_params_1pct");
    let times = numbers(&case["inputs"]["t"]);
    let mut rates = named(&case["expected"]["true_params"]);
    rates.extend(named(&case["inputs"]["fixed"]));
    let parameters = rmt_dynamics::parameter_vector(&PredatorPreyScavenger, &rates).unwrap();
    let start = [5.0, 1.0, 1.0];
    let run = simulate(&PredatorPreyScavenger, &parameters, &start, &times, &Settings::default());
    let states = run.unwrap().states;
    let column = |name: &str| ["x", "y", "z"].iter().position(|n| *n == name).unwrap();
    let mut sigma = Vec::new();
    for name in observed {
        let series: Vec<f64> = states.iter().map(|u| u[column(name)]).collect();
        let mean = series.iter().sum::<f64>() / series.len() as f64;
        let variance = series.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / series.len() as f64;
        sigma.push(noise * variance.sqrt());
    }
    let mut index = 0;
    let mut uniform = || {
        index += 1;
        (Draw { seed, index }.stream() >> 11) as f64 / (1u64 << 53) as f64
    };
    let rows: Vec<Vec<f64>> = states
        .iter()
        .map(|u| {
            observed
                .iter()
                .zip(&sigma)
                .map(|(name, s)| {
                    let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
                    let normal = radius * (std::f64::consts::TAU * uniform()).cos();
                    u[column(name)] + s * normal
                })
                .collect()
        })
        .collect();
    case["inputs"]["data"] = serde_json::to_value(rows).unwrap();
    case["inputs"]["observed"] = serde_json::to_value(observed).unwrap();
    case["inputs"]["sigma"] = serde_json::to_value(sigma).unwrap();
    case["inputs"]["initial_state_guess"] = serde_json::to_value([5.0, 1.0, 0.7]).unwrap();
    let problem = problem(&case["inputs"]);
    (case, problem)
}

/// Five per cent noise, and a scavenger that nobody counted. What is required is what theory
/// promises: errors within 4 standard errors of least squares; the network's are reported.
#[test]
#[ignore = "trains four networks"]
fn recovery_with_noise_and_with_an_unobserved_species() {
    for (observed, noise, seed) in [
        (&["x", "y", "z"][..], 0.05, 0),
        (&["x", "y", "z"], 0.05, 1),
        (&["x", "y"], 0.01, 0),
        (&["x", "y"], 0.05, 0),
    ] {
        let (case, problem) = synthetic(observed, noise, seed);
        let clock = std::time::Instant::now();
        let found = fit(&problem, Some(&Training::default()), false, None).unwrap().unwrap();
        println!(
            "{observed:?}, noise {noise}, seed {seed}: {:?}, {:?}",
            clock.elapsed(),
            found.starts
        );
        let network = found.network.as_ref().unwrap();
        println!("  network (%) {}", line(&errors(&case, &network.parameters, &problem)));
        println!("  matched (%) {}", line(&errors(&case, &network.matched, &problem)));
        let last = errors(&case, &found.estimate.parameters, &problem);
        println!("  LM      (%) {}", line(&last));
        let information = &found.identifiability;
        println!("  condition {:.2e}", information.condition);
        match &information.relative_standard_errors {
            Some(se) => {
                let text: Vec<String> = se.iter().map(|s| format!("{:.2}", 100.0 * s)).collect();
                println!("  s.e.    (%) {}", text.join("  "));
                for ((name, error), s) in last.iter().zip(se) {
                    assert!(error.abs() < 4.0 * s, "{name}: {error} with standard error {s}");
                }
            }
            None => {
                println!("  not identifiable: {}", information.direction(&problem.unknown_names()))
            }
        }
    }
}

/// The speeds the crate is built for; printed, not asserted.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let (_, problem) = synthetic(&["x", "y", "z"], 0.01, 0);
    let clock = std::time::Instant::now();
    let training = Training { epochs: 2000, data_only: 0, refinements: 0, ..Training::default() };
    train(&problem, &training, None).unwrap();
    println!("epoch, 3x32, 3 species, 200 + 81 points: {:?}", clock.elapsed() / 2000);
    let case = case("fit_full_14_params_1pct");
    let full = self::problem(&case["inputs"]);
    let clock = std::time::Instant::now();
    let estimate = least_squares(&full).unwrap();
    println!("14 rates: {:?}, {} evaluations", clock.elapsed(), estimate.evaluations);
}
