//! What must not change the answer, what must be a named error, and what is infinite.

use proptest::prelude::*;
use rmt_core::Modes;
use rmt_models::groups::{Covariance, Populations, Risks, Sample, Source};
use rmt_task::{Observables, TaskError};
use serde_json::{Value as Json, json};

fn explicit(values: &[f64]) -> Covariance {
    Covariance::Diagonal(Modes::Explicit(values.to_vec()))
}

/// A random two- or three-group problem in few numbers.
#[derive(Clone, Debug)]
struct Problem {
    spectra: Vec<Vec<f64>>,
    fixed: Vec<Vec<f64>>,
    own: Vec<f64>,
    samples: Vec<Sample>,
    width: Option<f64>,
    lambda: f64,
}

impl Problem {
    fn solve(&self) -> (Vec<f64>, Risks) {
        let covariances: Vec<_> = self.spectra.iter().map(|s| explicit(s)).collect();
        let sources = [
            Source::Fixed(self.fixed.clone()),
            Source::Own { group: 0, variance: self.own.clone() },
        ];
        let populations = Populations::new(&covariances, &sources).unwrap();
        let mixture = populations.mixture(&self.samples, self.width).unwrap();
        let solution = mixture.solve(self.lambda).unwrap();
        (solution.e(), solution.risks().unwrap())
    }
}

fn problem() -> impl Strategy<Value = Problem> {
    let p = 10usize;
    let groups = 2usize..=3;
    groups.prop_flat_map(move |g| {
        let log = |a: f64, b: f64| (a..b).prop_map(|x: f64| 10.0_f64.powf(x));
        let sample = (1..40u32, log(-1.0, 1.0), 0.0..1.0)
            .prop_map(|(n, weight, noise_variance)| Sample { n: n.into(), weight, noise_variance });
        (
            prop::collection::vec(prop::collection::vec(log(-3.0, 1.0), p), g),
            prop::collection::vec(prop::collection::vec(-1.0..1.0, p), g),
            prop::collection::vec(0.0..1.0, p),
            prop::collection::vec(sample, g),
            prop::option::of((1..40u32).prop_map(f64::from)),
            log(-6.0, 2.0),
        )
            .prop_map(|(spectra, fixed, own, samples, width, lambda)| Problem {
                spectra,
                fixed,
                own,
                samples,
                width,
                lambda,
            })
    })
}

fn same(a: &[f64], b: &[f64]) -> Result<(), TestCaseError> {
    for (a, b) in a.iter().zip(b) {
        prop_assert!((a - b).abs() <= 1e-10 * b.abs() + 1e-14, "{a} {b}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// (a, λ) → (ca, cλ) changes nothing; nor does measuring x in other units.
    #[test]
    fn scaling(mut problem in problem(), c in 0.01..100.0_f64) {
        let (e, risks) = problem.solve();
        let original = problem.clone();
        problem.lambda *= c;
        problem.samples.iter_mut().for_each(|s| s.weight *= c);
        let (scaled_e, scaled) = problem.solve();
        same(&scaled_e, &e)?;
        same(&scaled.risk(), &risks.risk())?;

        let mut problem = original;
        problem.lambda *= c;
        problem.spectra.iter_mut().flatten().for_each(|s| *s *= c);
        problem.fixed.iter_mut().flatten().for_each(|w| *w /= c.sqrt());
        problem.own.iter_mut().for_each(|v| *v /= c);
        let (scaled_e, scaled) = problem.solve();
        same(&scaled_e, &e)?;
        same(&scaled.risk(), &risks.risk())?;
        prop_assert!((scaled.norm * c / risks.norm - 1.0).abs() < 1e-10);
    }

    /// Groups and modes in another order.
    #[test]
    fn permutations(problem in problem()) {
        let (e, risks) = problem.solve();
        let mut turned = problem.clone();
        // The first group keeps its place: it owns a source.
        turned.spectra[1..].reverse();
        turned.fixed[1..].reverse();
        turned.samples[1..].reverse();
        let (mut turned_e, turned) = turned.solve();
        turned_e[1..].reverse();
        let mut risk = turned.risk();
        risk[1..].reverse();
        same(&turned_e, &e)?;
        same(&risk, &risks.risk())?;

        let mut turned = problem;
        turned.spectra.iter_mut().for_each(|v| v.reverse());
        turned.fixed.iter_mut().for_each(|v| v.reverse());
        turned.own.reverse();
        let (turned_e, turned) = turned.solve();
        same(&turned_e, &e)?;
        same(&turned.risk(), &risks.risk())?;
    }

    /// Splitting a group in two equal ones changes nothing; a group without samples or weight
    /// changes nothing for the others but has a risk.
    #[test]
    fn splitting_and_empty_groups(mut problem in problem()) {
        let (e, risks) = problem.solve();
        let last = problem.samples.len() - 1;
        let groups = last + 1;
        problem.spectra.push(problem.spectra[last].clone());
        problem.fixed.push(problem.fixed[last].clone());
        let n = problem.samples[last].n;
        problem.samples.push(Sample { n: 0.25 * n, ..problem.samples[last] });
        problem.samples[last].n = 0.75 * n;
        let (split_e, split) = problem.solve();
        same(&split_e[..groups], &e)?;
        same(&split.risk()[..groups], &risks.risk())?;
        prop_assert!((split.risk()[groups] / split.risk()[last] - 1.0).abs() < 1e-12);

        problem.samples[last].n = n;
        problem.samples[groups].n = 0.0;
        let (empty_e, empty) = problem.solve();
        same(&empty_e[..groups], &e)?;
        same(&empty.risk()[..groups], &risks.risk())?;
        prop_assert!((empty.risk()[groups] / empty.risk()[last] - 1.0).abs() < 1e-12);

        // Rows of weight zero count in n: the others' weights and λ scale along.
        problem.samples[groups] = Sample { n: 7.0, weight: 0.0, ..problem.samples[last] };
        let total: f64 = problem.samples.iter().map(|s| s.n).sum();
        problem.lambda *= (total - 7.0) / total;
        let (_, muted) = problem.solve();
        same(&muted.risk()[..groups], &risks.risk())?;
        prop_assert!(muted.risk()[groups].is_finite());
    }

    /// Wide features are no features; error bounds; the ridgeless limit is continuous.
    #[test]
    fn limits(mut problem in problem()) {
        problem.width = None;
        let (_, classical) = problem.solve();
        problem.width = Some(1e13);
        let (_, wide) = problem.solve();
        same(&wide.risk(), &classical.risk())?;
        for (risk, variance) in classical.risk().iter().zip(&classical.variance) {
            prop_assert!(risk >= variance && *variance >= 0.0);
        }
        problem.width = None;
        let n: f64 = problem.samples.iter().map(|s| s.n).sum();
        prop_assume!((n - 10.0).abs() > 3.0);
        problem.lambda = 0.0;
        let (_, ridgeless) = problem.solve();
        problem.lambda = 1e-13;
        let (_, tiny) = problem.solve();
        for (a, b) in ridgeless.risk().iter().zip(tiny.risk()) {
            prop_assert!((a - b).abs() <= 1e-6 * b, "{a} {b}");
        }
    }

    /// A rotation of everything, through dense matrices and the detection of commuting ones.
    #[test]
    fn common_rotation(problem in problem(), basis in 0..2usize) {
        let (e, risks) = problem.solve();
        let p = problem.own.len();
        let u = |i: usize, j: usize| {
            let size = p as f64;
            if basis == 0 {
                let scale = if j == 0 { 1.0 } else { 2.0_f64 };
                (scale / size).sqrt()
                    * (std::f64::consts::PI * (i as f64 + 0.5) * j as f64 / size).cos()
            } else {
                f64::from(u8::from(i == j)) - 2.0 / size
            }
        };
        let covariances: Vec<_> = problem.spectra.iter().map(|s| {
            let entry = |i: usize, j: usize| (0..p).map(|k| u(i, k) * s[k] * u(j, k)).sum::<f64>();
            Covariance::Dense((0..p).map(|i| (0..p).map(|j| entry(i.max(j), i.min(j))).collect()).collect())
        }).collect();
        let turn = |w: &Vec<f64>| -> Vec<f64> {
            (0..p).map(|i| (0..p).map(|k| u(i, k) * w[k]).sum()).collect()
        };
        let sources = [Source::Fixed(problem.fixed.iter().map(turn).collect())];
        let populations = Populations::new(&covariances, &sources).unwrap();
        prop_assert!(populations.commute());
        let mixture = populations.mixture(&problem.samples, problem.width).unwrap();
        let solution = mixture.solve(problem.lambda).unwrap();
        let rotated = solution.risks().unwrap();
        // The matrices themselves are only known to ε of their largest entry, 1e4 above the least.
        for (a, b) in solution.e().iter().zip(&e) {
            prop_assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
        }
        for (a, b) in rotated.bias[0].iter().zip(&risks.bias[0]) {
            prop_assert!((a - b).abs() <= 1e-8 * b, "{a} {b}");
        }
    }
}

fn task(name: &str, inputs: &Json) -> Result<Observables, TaskError> {
    let tasks = rmt_models::tasks();
    tasks.iter().find(|t| t.card().name == name).unwrap().evaluate(inputs)
}

fn example(name: &str) -> Json {
    let tasks = rmt_models::tasks();
    let card = tasks.iter().find(|t| t.card().name == name).unwrap().card();
    serde_json::from_str(card.example).unwrap()
}

fn changed(name: &str, changes: &Json) -> Json {
    let mut inputs = example(name);
    for (key, value) in changes.as_object().unwrap() {
        inputs[key] = value.clone();
    }
    inputs
}

/// Each of these must say which input is wrong: catches a check that is missing or misplaced.
#[test]
fn bad_inputs_are_named() {
    let cases = [
        (json!({"lambda": -1.0}), "lambda"),
        (json!({"n": [10]}), "covariances"),
        (json!({"n": [10.5, 3]}), "n[0]"),
        (json!({"n": [10, -3]}), "n[1]"),
        (json!({"n": [0, 0]}), "n"),
        (json!({"weights": [0.0, 0.0]}), "n"),
        (json!({"weights": [1.0, -1.0]}), "weights[1]"),
        (json!({"weights": [1.0]}), "weights"),
        (json!({"noise_variances": [0.1, -0.1]}), "noise_variances[1]"),
        (json!({"width": 0}), "width"),
        (json!({"width": 2.5}), "width"),
        (json!({"group_priors": [null]}), "group_priors"),
        (
            json!({"group_priors": [null, {"kind": "constant", "p": 3, "value": 1.0}]}),
            "group_priors[1]",
        ),
        (json!({"shared_prior": {"kind": "constant", "p": 3, "value": 1.0}}), "shared_prior"),
        (json!({"shared_prior": null, "group_priors": null}), "shared_prior"),
        (json!({"n_total": 100}), "n"),
        (json!({"n": null, "n_total": 100}), "shares"),
        (json!({"n": null, "n_total": 100, "shares": [0.7, 0.6]}), "shares"),
        (json!({"n": null, "n_total": 100, "shares": [-0.1]}), "shares[0]"),
        (json!({"scan": {"over": "lambda", "from": 0.0, "to": 1.0}}), "scan.from"),
        (json!({"scan": {"over": "width", "from": 5.0, "to": 1.0}}), "scan.to"),
        (
            json!({"covariances": [{"kind": "constant", "p": 2, "value": 1.0}, {"kind": "dense", "values": [[1.0, 0.5], [0.4, 1.0]]}]}),
            "covariances[1].values",
        ),
        (
            json!({"covariances": [{"kind": "constant", "p": 2, "value": 1.0}, {"kind": "dense", "values": [[1.0, 2.0], [2.0, 1.0]]}]}),
            "covariances[1].values",
        ),
        (
            json!({"covariances": [{"kind": "constant", "p": 2, "value": 1.0}, {"kind": "constant", "p": 3, "value": 1.0}]}),
            "covariances[1]",
        ),
        (
            json!({"covariances": [{"kind": "constant", "p": 2, "value": 1.0}, {"kind": "rotatd"}]}),
            "covariances[1].kind",
        ),
        (
            json!({"coefficients": [{"kind": "constant", "p": 200, "value": 1.0}, {"kind": "constant", "p": 4, "value": 1.0}]}),
            "coefficients[1]",
        ),
    ];
    for (changes, key) in &cases {
        let mut inputs = changed("bias_amplification", changes);
        if changes.get("covariances").is_some() {
            inputs["shared_prior"] = json!({"kind": "constant", "p": 2, "value": 1.0});
            inputs["group_priors"] = Json::Null;
        }
        let error = task("bias_amplification", &inputs).expect_err(&format!("{changes}"));
        assert_eq!(error.key.as_deref(), Some(*key), "{changes}: {error}");
        assert!(error.message.len() > 15, "{error}");
    }
    let cases = [
        (json!({"synthetic_weight": 1.5}), "synthetic_weight"),
        (json!({"synthetic_weight": 0.5, "n_synthetic": 0}), "synthetic_weight"),
        (json!({"synthetic_weight": 0.5, "n_real": 0}), "synthetic_weight"),
        (json!({"n_real": 0, "n_synthetic": 0}), "n_real"),
        (json!({"n_real": -1}), "n_real"),
        (json!({"noise_variance_real": -0.1}), "noise_variance_real"),
        (json!({"target_prior": {"kind": "constant", "p": 3, "value": 1.0}}), "target_prior"),
        (json!({"shift_prior": {"kind": "constant", "p": 3, "value": 1.0}}), "shift_prior"),
        (
            json!({"covariance_synthetic": {"kind": "constant", "p": 3, "value": 1.0}}),
            "covariance_synthetic",
        ),
        (json!({"target_risk": -1.0}), "target_risk"),
        (json!({"lambda": -0.5}), "lambda"),
    ];
    for (changes, key) in &cases {
        let error = task("model_collapse", &changed("model_collapse", changes))
            .expect_err(&format!("{changes}"));
        assert_eq!(error.key.as_deref(), Some(*key), "{changes}: {error}");
    }
    let cases = [
        (json!({"generations": 0}), "generations"),
        (
            json!({"covariance_synthetic": {"kind": "constant", "p": 200, "value": 1.0}}),
            "covariance_synthetic",
        ),
    ];
    for (changes, key) in &cases {
        let name = "model_collapse_generations";
        let error = task(name, &changed(name, changes)).expect_err(&format!("{changes}"));
        assert_eq!(error.key.as_deref(), Some(*key), "{changes}: {error}");
    }
    let name = "bias_amplification_flow";
    let error = task(name, &changed(name, &json!({"time": 0.0}))).unwrap_err();
    assert_eq!(error.key.as_deref(), Some("time"));
}

/// Ridgeless ties are infinite with a note, and the rest stays finite.
#[test]
fn ridgeless_ties() {
    let base = json!({
        "n": [60, 40], "lambda": 0.0, "noise_variances": [0.1, 0.2],
        "covariances": [{"kind": "linear", "p": 100, "from": 0.5, "to": 1.0}, {"kind": "linear", "p": 100, "from": 1.5, "to": 1.0}],
        "shared_prior": {"kind": "constant", "p": 100, "value": 0.01},
    });
    let with = |key: &str, value: Json| {
        let mut inputs = base.clone();
        inputs[key] = value;
        inputs
    };
    // n = p: noise diverges, a common signal is learnt exactly.
    let out = task("bias_amplification", &base).unwrap();
    assert_eq!(out.get("variance").unwrap().as_numbers().unwrap(), [f64::INFINITY; 2]);
    assert_eq!(out.get("bias").unwrap().as_numbers().unwrap(), [0.0; 2]);
    assert!(out.number("ODD").unwrap().is_infinite() && out.number("ADD").unwrap().is_infinite());
    assert!(out.number("EDD").unwrap().is_finite());
    assert!(out.notes().iter().any(|n| n.contains("diverges")));
    // n = m < p: the signal diverges as well.
    let mut inputs = with("n", json!([30, 20]));
    inputs["width"] = json!(50);
    let out = task("bias_amplification", &inputs).unwrap();
    assert_eq!(out.get("bias").unwrap().as_numbers().unwrap(), [f64::INFINITY; 2]);
    // m = n_1: only the separate model of the first group is critical.
    let mut inputs = with("n", json!([60, 40]));
    inputs["width"] = json!(60);
    let out = task("bias_amplification", &inputs).unwrap();
    let separate = out.get("risk_separate").unwrap().as_numbers().unwrap();
    assert!(separate[0].is_infinite() && separate[1].is_finite());
    assert_eq!(out.number("ADD"), Some(0.0));
    // n_1 = n_2 = p with different noise: both separate models diverge, and so does their difference;
    // with equal groups it is none.
    let equal = json!({"kind": "linear", "p": 100, "from": 0.5, "to": 1.0});
    let mut inputs = with("n", json!([100, 100]));
    let out = task("bias_amplification", &inputs).unwrap();
    assert_eq!((out.number("EDD"), out.number("ADD")), (Some(f64::INFINITY), Some(0.0)));
    inputs["covariances"] = json!([equal, equal]);
    inputs["noise_variances"] = json!([0.1, 0.1]);
    let out = task("bias_amplification", &inputs).unwrap();
    assert_eq!(out.number("EDD"), Some(0.0));
    // m = p < n is harmless for the risk.
    let mut inputs = with("n", json!([160, 140]));
    let classical = task("bias_amplification", &inputs).unwrap();
    inputs["width"] = json!(100);
    let out = task("bias_amplification", &inputs).unwrap();
    let (a, b) = (classical.get("risk").unwrap(), out.get("risk").unwrap());
    for (a, b) in a.as_numbers().unwrap().iter().zip(b.as_numbers().unwrap()) {
        assert!((a / b - 1.0).abs() < 1e-13);
    }
    // n = m = p.
    let mut inputs = base.clone();
    inputs["width"] = json!(100);
    let out = task("bias_amplification", &inputs).unwrap();
    assert_eq!(out.get("variance").unwrap().as_numbers().unwrap(), [f64::INFINITY; 2]);
}

/// Any whole number of features at any ridge, λ = 0 included: catches a solve that does not settle or
/// settles at NaN, where samples, features and rank are of very different or of equal size.
#[test]
fn every_size_and_ridge_is_solved() {
    let sizes = [1.0, 2.0, 5.0, 10.0, 11.0, 40.0, 1e3, 1e5, 1e9, 1e15];
    for (spread, n_second) in [(0.0, 1.0), (1.0, 3.0), (3.0, 0.0), (6.0, 1.0)] {
        let spectrum = |sign: f64| -> Vec<f64> {
            (0..10).map(|i| 10.0_f64.powf(sign * spread * (f64::from(i) / 9.0 - 0.5))).collect()
        };
        let prior = vec![0.1; 10];
        let populations = Populations::new(
            &[explicit(&spectrum(1.0)), explicit(&spectrum(-1.0))],
            &[Source::Shared(prior.clone()), Source::Own { group: 1, variance: prior }],
        )
        .unwrap();
        for n in sizes {
            let sample = |n: f64| Sample { n, weight: 1.0, noise_variance: 0.5 };
            let samples = [sample(n), sample((n * n_second).round())];
            for width in sizes.map(Some).into_iter().chain([None]) {
                let mixture = populations.mixture(&samples, width).unwrap();
                for lambda in [0.0, 1e-40, 1e-14, 1e-6, 1e-2, 1.0, 1e3, 1e9] {
                    let place = format!("{spread} {n} {width:?} {lambda:e}");
                    let solution = mixture.solve(lambda).expect(&place);
                    assert!(solution.diagnostics().residual < 1e-12, "{place}");
                    for risk in solution.risks().unwrap().risk() {
                        assert!(risk.is_finite() && risk >= 0.0, "{place}: {risk}");
                    }
                }
                // Where e² and λ would underflow the answer is an error, not NaN.
                let error = mixture.solve(1e-300).unwrap_err();
                assert!(error.to_string().contains("lambda"), "{error}");
            }
        }
    }
}

/// EDD = 0, one group, three groups, groups without samples or variance.
#[test]
fn degenerate_groups_are_documented_results() {
    let prior = json!({"kind": "constant", "p": 20, "value": 0.05});
    let same = json!({"kind": "linear", "p": 20, "from": 0.5, "to": 1.0});
    let inputs = |n: Json, covariances: Json| {
        let noise = vec![0.1; n.as_array().unwrap().len()];
        json!({"n": n, "lambda": 0.1, "noise_variances": noise, "covariances": covariances, "shared_prior": prior})
    };
    let out = task("bias_amplification", &inputs(json!([30, 30]), json!([same, same]))).unwrap();
    assert_eq!(out.number("EDD"), Some(0.0));
    assert!(out.number("ADD").unwrap().is_infinite());
    assert!(out.notes().iter().any(|n| n.contains("EDD = 0")));
    let out = task("bias_amplification", &inputs(json!([30]), json!([same]))).unwrap();
    assert!(out.get("ODD").is_none() && out.notes().iter().any(|n| n.contains("one group")));
    let other = json!({"kind": "constant", "p": 20, "value": 2.0});
    let out = task("bias_amplification", &inputs(json!([30, 10, 0]), json!([same, other, same])))
        .unwrap();
    let risks = out.get("risk").unwrap().as_numbers().unwrap();
    assert!((risks[0] / risks[2] - 1.0).abs() < 1e-13);
    let spread = out.number("ODD_spread").unwrap();
    assert!((spread - (risks[1] - risks[0]).abs()).abs() < 1e-13);
    let json = serde_json::to_value(&out).unwrap();
    assert_eq!(json["ODD"][0][1], json["ODD"][1][0]);
    // No variance at all: the error is that of the estimate zero.
    let none = json!({"kind": "constant", "p": 20, "value": 0.0});
    for lambda in [0.0, 0.1] {
        let mut inputs = inputs(json!([30, 0]), json!([none, other]));
        inputs["lambda"] = json!(lambda);
        let out = task("bias_amplification", &inputs).unwrap();
        let risks = out.get("risk").unwrap().as_numbers().unwrap();
        assert!(risks[0] == 0.0 && (risks[1] - 2.0).abs() < 1e-14);
    }
}

/// Shares split the total to the last sample.
#[test]
fn shares_are_whole_samples() {
    let mut inputs = example("bias_amplification");
    inputs["n"] = Json::Null;
    inputs["n_total"] = json!(240);
    inputs["shares"] = json!([0.75]);
    let by_share = task("bias_amplification", &inputs).unwrap();
    let by_number = task("bias_amplification", &example("bias_amplification")).unwrap();
    assert_eq!(by_share, by_number);
}

/// The scan's set is where ADD ≤ 1 on both sides of every edge, its zeros are zeros, its optima are
/// no worse than any grid point.
#[test]
fn scans_agree_with_points() {
    let mut inputs = changed("bias_amplification", &json!({"n": [180, 20], "width": null}));
    let at = |lambda: f64| {
        let mut inputs = changed("bias_amplification", &json!({"n": [180, 20], "width": null}));
        inputs["lambda"] = json!(lambda);
        task("bias_amplification", &inputs).unwrap()
    };
    inputs["scan"] = json!({"over": "lambda", "from": 1e-6, "to": 10.0, "points": 61});
    let out = serde_json::to_value(task("bias_amplification", &inputs).unwrap()).unwrap();
    let free = out["amplification_free"].as_array().unwrap();
    assert!(!free.is_empty());
    for interval in free {
        let (a, b) = (interval[0].as_f64().unwrap(), interval[1].as_f64().unwrap());
        assert!(at((a * b).sqrt()).number("ADD").unwrap() <= 1.0);
        for edge in [a, b] {
            if edge > 2e-6 && edge < 5.0 {
                let add = at(edge).number("ADD").unwrap();
                assert!((add - 1.0).abs() < 1e-9, "{edge}: {add}");
            }
        }
    }
    for zero in out["zero_crossings"].as_array().unwrap() {
        let gap = at(zero.as_f64().unwrap()).number("difference_joint").unwrap();
        assert!(gap.abs() < 1e-12, "{gap}");
    }
    let worst = out["minimal_worst_risk"]["value"].as_f64().unwrap();
    let least = out["minimal_ODD"]["value"].as_f64().unwrap();
    for i in 0..40 {
        let point = at(1e-6 * 10.0_f64.powf(7.0 * f64::from(i) / 39.0));
        let risks = point.get("risk").unwrap().as_numbers().unwrap();
        assert!(risks[0].max(risks[1]) >= worst * (1.0 - 1e-9));
        assert!(point.number("ODD").unwrap() >= least * (1.0 - 1e-9));
    }
}

/// The optimum beats both ends and the plain mixture; sign and size of the derivative; the
/// crossover and the needed number of samples are where they say.
#[test]
fn collapse_optima_agree_with_points() {
    let base =
        changed("model_collapse", &json!({"n_synthetic": 400, "n_real": 120, "lambda": 0.02}));
    let at = |changes: Json| {
        let mut inputs = base.clone();
        for (key, value) in changes.as_object().unwrap() {
            inputs[key] = value.clone();
        }
        task("model_collapse", &inputs).unwrap()
    };
    let risk = |changes: Json| at(changes).number("risk").unwrap();
    let out = at(json!({"optimise_weight": true, "crossover": true, "target_risk": 0.15}));
    let best = out.number("optimal_risk").unwrap();
    let alpha = out.number("optimal_weight").unwrap();
    let tolerance = 1.0 + 1e-12;
    assert!((risk(json!({"synthetic_weight": alpha})) / best - 1.0).abs() < 1e-12);
    for other in [0.0, 0.3 * alpha, 0.99 * alpha, 1.01 * alpha, 0.5, 1.0] {
        assert!(best <= risk(json!({"synthetic_weight": other})) * tolerance);
    }
    assert!(best <= risk(json!({})) * tolerance);
    // Weight zero is the fit without the synthetic samples.
    let real_only = out.number("real_only_risk").unwrap();
    assert!((risk(json!({"synthetic_weight": 0.0})) / real_only - 1.0).abs() < 1e-12);
    let both = at(json!({"optimise_weight": true, "optimise_lambda": true}));
    assert!(both.number("optimal_risk").unwrap() <= best * tolerance);
    let slope = out.number("risk_derivative_synthetic").unwrap();
    let finite = risk(json!({"n_synthetic": 401})) - risk(json!({"n_synthetic": 399}));
    assert!((slope / (0.5 * finite) - 1.0).abs() < 1e-3, "{slope} {finite}");
    let n = out.number("minimal_n_real").unwrap();
    assert!(risk(json!({"n_real": n})) <= 0.15 && risk(json!({"n_real": n - 1.0})) > 0.15);
    let crossing = out.number("crossover_n").unwrap();
    let floor = out.number("floor").unwrap();
    let split = |factor: f64| {
        let n = (crossing * factor).round();
        let out = at(
            json!({"n_real": (n * 3.0 / 13.0).round(), "n_synthetic": (n * 10.0 / 13.0).round()}),
        );
        out.number("bias").unwrap() + out.number("variance").unwrap()
    };
    assert!(split(0.95) > floor && split(1.05) < floor);
    // Perfect synthetic labels with the same noise are real data.
    let inputs = json!({"shift_prior": {"kind": "constant", "p": 200, "value": 0.0}, "noise_variance_synthetic": 0.2});
    let clean = at(inputs);
    assert_eq!(clean.number("shift"), Some(0.0));
    let mut alone = json!({"n_synthetic": 0, "n_real": 520});
    alone["noise_variance_synthetic"] = json!(0.2);
    assert!((clean.number("risk").unwrap() / risk(alone) - 1.0).abs() < 1e-12);
}
