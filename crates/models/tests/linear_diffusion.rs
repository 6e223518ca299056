//! Linear diffusion models: reference cases, closed forms, identities, bad inputs.

use proptest::prelude::*;
use rmt_core::Modes;
use rmt_models::linear_diffusion::{MeanEstimate, NoiseRange, Pairing, TrainedModel, disagreement};
use rmt_task::{Observables, Registration};
use serde_json::{Value, json};

fn task() -> Registration {
    let tasks = rmt_models::tasks();
    tasks.into_iter().find(|t| t.card().name == "linear_diffusion").expect("registered")
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().map(|x| x.as_f64().unwrap()).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

fn ours(out: &Observables, name: &str) -> Vec<f64> {
    let value = out.get(name).unwrap_or_else(|| panic!("{name} is missing"));
    value.as_numbers().or_else(|| value.as_number().map(|x| vec![x])).unwrap()
}

fn reference() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/linear_diffusion.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every quantity of every case at its tolerance.
#[test]
fn reference_cases() {
    let file = reference();
    let mut seen = 0;
    for case in file["cases"].as_array().unwrap() {
        let out = task().evaluate(&case["inputs"]).unwrap();
        for (name, expected) in case["expected"].as_object().unwrap() {
            let rtol = expected["rtol"].as_f64().or(file["rtol"].as_f64()).unwrap();
            let reference = numbers(&expected["value"]);
            let found = ours(&out, name);
            assert_eq!(found.len(), reference.len());
            for (a, b) in found.iter().zip(&reference) {
                let error = (a - b).abs() / b.abs();
                assert!(error <= rtol, "{} {name}: {a} against {b} ({error:e})", case["name"]);
                seen += 1;
            }
        }
    }
    assert!(seen > 250, "{seen}");
}

/// The simulations that come with the cases: three standard errors and the O(1/N) of a leading-order
/// theory.
#[test]
fn reference_simulations() {
    let file = reference();
    for case in file["cases"].as_array().unwrap() {
        let out = task().evaluate(&case["inputs"]).unwrap();
        let n = case["inputs"]["n"].as_f64().unwrap();
        for (name, expected) in case["expected"].as_object().unwrap() {
            if expected.get("monte_carlo").is_none() {
                continue;
            }
            let (means, errors) =
                (numbers(&expected["monte_carlo"]), numbers(&expected["mc_stderr"]));
            for ((a, mean), error) in ours(&out, name).iter().zip(means).zip(errors) {
                let room = 3.0 * error + 3.0 / n * a.abs();
                assert!((a - mean).abs() <= room, "{} {name}: {a} {mean}", case["name"]);
            }
        }
    }
}

fn power_law(p: usize, alpha: f64) -> Modes {
    Modes::PowerLaw { p, alpha, scale: 1.0, reversed: false }
}

fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance * b.abs().max(1e-300), "{what}: {a} against {b}");
}

/// ₂F₁(−½, ½; 2; z) by its series, 0 ≤ z < 1.
fn hypergeometric(z: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 0..4000 {
        let k = k as f64;
        term *= (k - 0.5) * (k + 0.5) / ((k + 2.0) * (k + 1.0)) * z;
        sum += term;
    }
    sum
}

/// Isotropic data, sampling from infinite noise to none: √s·₂F₁, with 8/(3π) at p = n, and the
/// variance of every entry. A wrong quadrature, gain or kernel shows at once.
#[test]
fn isotropic_closed_forms() {
    let (p, s, sigma_max) = (60, 2.0, 1e7);
    let range = NoiseRange::new(0.0, sigma_max).unwrap();
    for n in [20.0, 30.0, 60.0, 80.0, 240.0] {
        let model =
            TrainedModel::new(&Modes::Constant { p, value: s }, n, MeanEstimate::Known).unwrap();
        let ratio = p as f64 / n;
        let factor = match ratio {
            1.0 => 8.0 / (3.0 * std::f64::consts::PI),
            r if r < 1.0 => hypergeometric(r),
            r => hypergeometric(1.0 / r) / r.sqrt(),
        };
        let map = model.sampler(range, 1e-11).unwrap();
        close(sigma_max * map.gain()[7], s.sqrt() * factor, 1e-9, "gain");
        let variance = map.entry_variances().unwrap()[(3, 9)];
        let expected = s * (1.0 - factor * factor) / (p as f64 * sigma_max * sigma_max);
        close(variance, expected, 1e-7, "variance");
    }
}

/// σ → 0 with fewer samples than dimensions: the denoiser projects on a random n-dimensional space;
/// two projections differ by 2sn(1 − n/p). With more samples than dimensions nothing is left.
#[test]
fn projectors() {
    let (p, s) = (100, 1.7);
    for (n, expected) in [(30.0, 2.0 * s * 30.0 * 0.7), (150.0, 0.0)] {
        let model =
            TrainedModel::new(&Modes::Constant { p, value: s }, n, MeanEstimate::Known).unwrap();
        let inputs = vec![s; p];
        for lambda in [0.0, 1e-14] {
            let map = model.denoiser(lambda).unwrap();
            let apart: f64 =
                disagreement(&map, &map, 0.0, &inputs, Pairing::Trace).unwrap().iter().sum();
            assert!((apart - expected).abs() < 1e-9 * p as f64, "{n} {lambda}: {apart}");
        }
    }
}

/// Row sums of the variance map against the closed form of 𝔼(h²), which needs no quadrature and no
/// two-point function.
#[test]
fn row_sums_of_the_variance_map() {
    for (spectrum, n) in [
        (power_law(120, 1.5), 50.0),
        (power_law(120, 1.0), 121.0),
        (power_law(90, 2.0), 400.0),
        (Modes::Levels { values: vec![3.0, 0.2, 0.0], counts: vec![4, 30, 26] }, 40.0),
    ] {
        let model = TrainedModel::new(&spectrum, n, MeanEstimate::Mle).unwrap();
        for (low, high) in [(0.002, 80.0), (0.0, 1e3), (0.5, 2.0)] {
            let range = NoiseRange::new(low, high).unwrap();
            let map = model.sampler(range, 1e-11).unwrap();
            let entries = map.entry_variances().unwrap();
            let gain = map.gain();
            let closed = model.generated_second_moment(range).unwrap();
            for i in 0..gain.len() {
                let row: f64 = (0..gain.len()).map(|j| entries[(i, j)]).sum();
                close(row + gain[i] * gain[i], closed[i], 1e-8, "row sum");
            }
        }
    }
}

/// Errors by the derivative identity against the two-point functions
/// 𝔼Tr R̂² = κ²[Σg² + κ'(Σsg²)²/N] and 𝔼R̂Σ'R̂ = κ²κ's'g², in all three mean modes.
#[test]
fn leading_errors_equal_the_two_point_functions() {
    let (p, n) = (80usize, 45.0);
    for mean in [MeanEstimate::Known, MeanEstimate::Mle, MeanEstimate::Unbiased] {
        let model = TrainedModel::new(&power_law(p, 1.2), n, mean).unwrap();
        let (dof, shrink, noise) = match mean {
            MeanEstimate::Known => (n, 1.0, 0.0),
            MeanEstimate::Mle => (n - 1.0, (n - 1.0) / n, 1.0),
            MeanEstimate::Unbiased => (n - 1.0, 1.0, (n - 1.0) / n),
        };
        let s: Vec<f64> = (1..=p).map(|i| (i as f64).powf(-1.2) * shrink).collect();
        for lambda in [1e-6, 1e-3, 0.04, 1.0, 400.0] {
            let kappa = model.renormalised_noise(lambda).unwrap();
            let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
                s.iter().map(|s| f(*s, 1.0 / (s + kappa))).sum()
            };
            let room = dof - sum(&|s, g| s * s * g * g);
            let first = sum(&|_, g| kappa * g);
            let spread = sum(&|s, g| s * g * g);
            let second = kappa * kappa * (sum(&|_, g| g * g) + spread * spread / room);
            let size = p as f64;
            let test = (1.0 / shrink + noise / dof) * kappa * kappa * dof * spread / room
                + lambda * (size - 2.0 * first + second);
            let train = if mean == MeanEstimate::Unbiased {
                lambda * ((n - 1.0) / n * (first - second) + size - 2.0 * first + second)
            } else {
                lambda * sum(&|s, g| s * g)
            };
            let errors = model.denoising_errors(lambda).unwrap();
            close(errors.test, test, 1e-9, "test");
            close(errors.train, train, 1e-9, "train");
        }
    }
}

/// The 1/N term of the errors against numerical differentiation of the 1/N term of the gains.
#[test]
fn finite_size_errors_equal_the_derivative_identity() {
    let (p, n) = (70usize, 40.0);
    let model = TrainedModel::new(&power_law(p, 1.1), n, MeanEstimate::Mle).unwrap();
    let residual = |lambda: f64| -> Vec<f64> {
        let map = model.denoiser(lambda).unwrap();
        map.gain_finite_size().unwrap().iter().map(|g| 1.0 - g).collect()
    };
    for lambda in [1e-3_f64, 0.05, 2.0] {
        let (step, mut test, mut train) = (1e-4_f64, 0.0, lambda * p as f64);
        let (up, down) = (residual(lambda * step.exp()), residual(lambda * (-step).exp()));
        for (i, rho) in residual(lambda).iter().enumerate() {
            let slope = (up[i] - down[i]) / (2.0 * step);
            let s = (i as f64 + 1.0).powf(-1.1);
            let data = s * (1.0 + (n - 1.0) / n / (n - 1.0));
            test += (data + lambda) * (rho - slope) + lambda * (1.0 - 2.0 * rho);
            train -= lambda * rho;
        }
        let errors = model.denoising_errors_finite_size(lambda).unwrap().unwrap();
        close(errors.test, test, 1e-7, "test");
        close(errors.train, train, 1e-9, "train");
    }
}

/// Two quadratures with nothing in common.
#[test]
fn elliptic_and_trapezoidal_rules_agree() {
    for (alpha, n) in [(1.0, 50.0), (1.5, 120.0), (2.0, 121.0), (1.5, 800.0)] {
        let model = TrainedModel::new(&power_law(120, alpha), n, MeanEstimate::Mle).unwrap();
        for (low, high) in [(0.002, 80.0), (0.3, 40.0)] {
            let range = NoiseRange::new(low, high).unwrap();
            let start = vec![high * high; 120];
            let value = |accuracy| {
                let map = model.sampler(range, accuracy).unwrap();
                (map.gain(), map.variance(&start, Pairing::Full).unwrap())
            };
            let (elliptic, trapezoid) = (value(1e-12), value(1e-13));
            for i in 0..120 {
                close(elliptic.0[i], trapezoid.0[i], 1e-10, "gain");
                close(elliptic.1[i], trapezoid.1[i], 1e-8, "variance");
            }
        }
    }
}

#[test]
fn overlap_limits() {
    let spectrum = power_law(70, 1.0);
    let model = TrainedModel::new(&spectrum, 50.0, MeanEstimate::Known).unwrap();
    let other = TrainedModel::new(&spectrum, 90.0, MeanEstimate::Known).unwrap();
    let inputs: Vec<f64> = (1..=70).map(|i| 0.1 + 1.0 / i as f64).collect();
    let range = NoiseRange::new(0.01, 30.0).unwrap();
    let total = |list: Vec<f64>| list.iter().sum::<f64>();
    for (map, second) in [
        (model.denoiser(0.04).unwrap(), other.denoiser(0.04).unwrap()),
        (model.sampler(range, 1e-11).unwrap(), other.sampler(range, 1e-11).unwrap()),
    ] {
        let pairing = Pairing::Full;
        let variance = total(map.variance(&inputs, pairing).unwrap());
        let full = total(map.shared_covariance(&map, 50.0, &inputs, pairing).unwrap());
        close(full, variance, 1e-11, "all rows shared");
        let same = total(disagreement(&map, &map, 50.0, &inputs, pairing).unwrap());
        assert!(same <= 1e-12 * variance, "{same}");
        let apart = total(disagreement(&map, &map, 0.0, &inputs, pairing).unwrap());
        close(apart, 2.0 * variance, 1e-12, "none shared");
        // The more rows two sets share the closer the models, also for sets of different sizes.
        let path: Vec<f64> = [0.0, 10.0, 25.0, 50.0]
            .iter()
            .map(|rows| total(disagreement(&map, &second, *rows, &inputs, pairing).unwrap()))
            .collect();
        assert!(path.is_sorted_by(|a, b| a > b), "{path:?}");
    }
    let estimated = TrainedModel::new(&spectrum, 50.0, MeanEstimate::Mle).unwrap();
    let map = estimated.denoiser(0.04).unwrap();
    assert!(map.shared_covariance(&map, 10.0, &inputs, Pairing::Full).is_err());
    assert!(map.shared_covariance(&map, 51.0, &inputs, Pairing::Full).is_err());
}

/// Order of modes and unit of x do not matter; modes without variance keep √(a/b) and never vary.
#[test]
fn equivariances_and_null_modes() {
    let values = [2.0, 0.0, 0.5, 0.1, 0.0, 0.01];
    let order = [3usize, 0, 5, 1, 4, 2];
    let inputs = [1.0, 2.0, 0.5, 3.0, 0.7, 1.1];
    for n in [3.0, 5.0, 9.0] {
        let at = |factor: f64, order: &[usize]| {
            let s = order.iter().map(|i| values[*i] * factor).collect();
            let x: Vec<f64> = order.iter().map(|i| inputs[*i] * factor).collect();
            let model = TrainedModel::new(&Modes::Explicit(s), n, MeanEstimate::Unbiased).unwrap();
            let root = factor.sqrt();
            let range = NoiseRange::new(0.05 * root, 8.0 * root).unwrap();
            let map = model.sampler(range, 1e-12).unwrap();
            let variance = map.variance(&x, Pairing::Full).unwrap();
            (map.gain(), variance, model.renormalised_noise(0.3 * factor).unwrap())
        };
        let natural = [0usize, 1, 2, 3, 4, 5];
        let (gain, variance, kappa) = at(1.0, &natural);
        let (moved, moved_variance, _) = at(1.0, &order);
        let (scaled, scaled_variance, scaled_kappa) = at(7.0, &natural);
        close(scaled_kappa, 7.0 * kappa, 1e-13, "κ scales");
        for i in 0..6 {
            close(moved[i], gain[order[i]], 1e-12, "permuted gain");
            close(moved_variance[i], variance[order[i]], 1e-12, "permuted variance");
            close(scaled[i], gain[i], 1e-11, "scaled gain");
            close(scaled_variance[i], 7.0 * variance[i], 1e-10, "scaled variance");
        }
        for null in [1, 4] {
            close(gain[null], 0.05 / 8.0, 1e-15, "null gain");
            assert_eq!(variance[null], 0.0);
        }
    }
}

/// Infinite data: κ = λ, population gains, nothing fluctuates; and 1/N on the way there.
#[test]
fn infinite_data() {
    let spectrum = power_law(50, 1.3);
    let range = NoiseRange::new(0.1, 20.0).unwrap();
    let ideal = TrainedModel::new(&spectrum, f64::INFINITY, MeanEstimate::Mle).unwrap();
    assert_eq!(ideal.renormalised_noise(0.3).unwrap(), 0.3);
    let map = ideal.sampler(range, 1e-12).unwrap();
    let inputs = vec![1.0; 50];
    for (i, gain) in map.gain().iter().enumerate() {
        let s = (i as f64 + 1.0).powf(-1.3);
        close(*gain, range.ratio(s).sqrt(), 1e-11, "gain");
    }
    assert!(map.variance(&inputs, Pairing::Full).unwrap().iter().all(|v| *v == 0.0));
    assert!(ideal.consistency(range, 1e-12).unwrap().iter().all(|c| (*c - 1.0).abs() < 1e-10));
    let errors = ideal.denoising_errors(0.01).unwrap();
    close(errors.test, ideal.bayes_error(0.01), 1e-12, "test error");
    let total = |n: f64| -> f64 {
        let model = TrainedModel::new(&spectrum, n, MeanEstimate::Mle).unwrap();
        let map = model.sampler(range, 1e-10).unwrap();
        map.variance(&inputs, Pairing::Full).unwrap().iter().sum()
    };
    close(total(1e8) * 10.0, total(1e7), 1e-4, "1/N");
}

/// A direction is a linear combination of modes: variances and covariances of single modes come out
/// of it, and rotating the description changes nothing.
#[test]
fn directions() {
    let model = TrainedModel::new(&power_law(30, 1.0), 25.0, MeanEstimate::Mle).unwrap();
    let range = NoiseRange::new(0.05, 10.0).unwrap();
    let offset: Vec<f64> = (0..30).map(|i| ((i * 7 % 11) as f64 - 5.0) / 3.0).collect();
    let squares: Vec<f64> = offset.iter().map(|x| x * x).collect();
    let unit = |i: usize| (0..30).map(|j| f64::from(u8::from(i == j))).collect::<Vec<_>>();
    for map in [model.denoiser(0.02).unwrap(), model.sampler(range, 1e-9).unwrap()] {
        for pairing in [Pairing::Full, Pairing::Trace] {
            let along =
                |u: &[f64], v: &[f64]| map.covariance_along(u, v, &offset, pairing).unwrap();
            let modes = map.variance(&squares, pairing).unwrap();
            close(along(&unit(4), &unit(4)), modes[4], 1e-12, "mode");
            let both: Vec<f64> = unit(4).iter().zip(unit(9)).map(|(a, b)| a - 2.0 * b).collect();
            let expected = modes[4] + 4.0 * modes[9] - 4.0 * along(&unit(4), &unit(9));
            close(along(&both, &both), expected, 1e-12, "combination");
            if pairing == Pairing::Trace {
                assert_eq!(along(&unit(4), &unit(9)), 0.0);
            }
        }
    }
}

/// Other scalings of the path multiply samples by the signal strength at the end.
#[test]
fn paths_are_reparametrisations() {
    let example: Value = serde_json::from_str(task().card().example).unwrap();
    let at = |path: &str| {
        let mut inputs = example.clone();
        inputs["path"] = json!(path);
        inputs["sigma_min"] = json!(0.75);
        inputs["sigma_cross"] = json!(2.0);
        task().evaluate(&inputs).unwrap()
    };
    let (edm, preserving, flow) = (at("edm"), at("variance_preserving"), at("flow_matching"));
    let number = |out: &Observables, name| out.number(name).unwrap();
    let name = "map_gain_sum";
    close(number(&preserving, name), 0.8 * number(&edm, name), 1e-13, name);
    close(number(&flow, name), number(&edm, name) / 1.75, 1e-13, name);
    let name = "sample_disagreement";
    close(number(&preserving, name), 0.64 * number(&edm, name), 1e-12, name);
    close(number(&flow, "consistency"), number(&edm, "consistency"), 1e-13, name);
    let name = "cross_level_covariance";
    close(number(&flow, name), number(&edm, name) / 1.75 / 3.0, 1e-12, name);
    let name = "denoised_gain_sum";
    close(number(&flow, name), number(&edm, name), 1e-13, name);
}

#[test]
fn bad_inputs_are_named() {
    let example: Value = serde_json::from_str(task().card().example).unwrap();
    for (key, value, named) in [
        ("sigma_max", json!(0.001), "sigma_max"),
        ("sigma_min", json!(-1.0), "sigma_min"),
        ("sigma", json!(-0.1), "sigma"),
        ("n", json!(1), "n"),
        ("n", json!(0.5), "n"),
        ("n_other", json!(1), "n_other"),
        ("shared_samples", json!(10), "shared_samples"),
        ("modes", json!([1, 129]), "modes[1]"),
        ("accuracy", json!(0.0), "accuracy"),
        ("sigma_cross", json!(-2.0), "sigma_cross"),
        ("probe", json!({"kind": "explicit", "values": [1.0, 2.0]}), "probe"),
        ("probe", json!({"kind": "alternating", "scale": "big"}), "probe.scale"),
        ("mean", json!("median"), "mean"),
        ("spectrum", json!({"kind": "constant", "p": 3, "value": 0.0}), "spectrum"),
        ("spectrum", json!({"kind": "explicit", "values": [1.0, -1.0]}), "spectrum[1]"),
    ] {
        let mut inputs = example.clone();
        inputs[key] = value.clone();
        let error = task().evaluate(&inputs).unwrap_err();
        assert_eq!(error.key.as_deref(), Some(named), "{key} = {value}: {error}");
    }
    let mut inputs = example;
    inputs["n"] = json!(50.5);
    let error = task().draw(&inputs, rmt_task::Draw { seed: 0, index: 0 }).unwrap_err();
    assert_eq!(error.key.as_deref(), Some("n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No NaN, gains and consistencies in range, errors above Bayes, on spectra over many decades with
    /// zeros, any n and any noise range.
    #[test]
    fn random_models(
        exponents in prop::collection::vec(-12.0..3.0_f64, 1..25),
        zeros in 0usize..4,
        n in 2u32..60,
        mean in 0usize..3,
        low in -6.0..1.0_f64,
        exact in any::<bool>(),
        ratio in 0.01..8.0_f64,
        noise in -6.0..3.0_f64,
    ) {
        let mut values: Vec<f64> = exponents.iter().map(|e| 10f64.powf(*e)).collect();
        values.resize(values.len() + zeros, 0.0);
        let p = values.len();
        let sigma_max = 10f64.powf(low + ratio);
        let mean = ["known", "mle", "unbiased"][mean];
        let inputs = json!({
            "spectrum": {"kind": "explicit", "values": values}, "n": n, "mean": mean,
            "sigma": 10f64.powf(noise), "sigma_max": sigma_max,
            "sigma_min": if exact { 0.0 } else { 10f64.powf(low) },
        });
        let out = task().evaluate(&inputs).unwrap();
        for (name, value) in out.iter() {
            for x in value.as_numbers().unwrap_or_else(|| vec![value.as_number().unwrap()]) {
                prop_assert!(x.is_finite(), "{name} is {x}");
                let finite_size = name.ends_with("finite_size");
                prop_assert!(finite_size || x >= 0.0, "{name} is {x}");
            }
        }
        for g in ours(&out, "denoiser_gain_by_mode").iter().chain(&ours(&out, "consistency_by_mode")) {
            prop_assert!((0.0..=1.0).contains(g));
        }
        prop_assert!(out.number("kappa").unwrap() >= inputs["sigma"].as_f64().unwrap().powi(2));
        // The covariance divided by n has less than the true variance, so the exact bound is up to 1/n.
        let bayes = out.number("denoiser_bayes_error").unwrap();
        prop_assert!(out.number("denoiser_test_error").unwrap() >= bayes * (1.0 - 1e-12));
        prop_assert_eq!(ours(&out, "sample_variance_by_mode").len(), p);
    }

    /// More data: larger gains, smaller κ, more consistent generations.
    #[test]
    fn more_data_helps(alpha in 0.5..2.0_f64, n in 3.0..200.0_f64, factor in 1.1..4.0_f64) {
        let spectrum = power_law(40, alpha);
        let range = NoiseRange::new(0.01, 50.0).unwrap();
        let few = TrainedModel::new(&spectrum, n, MeanEstimate::Known).unwrap();
        let many = TrainedModel::new(&spectrum, n * factor, MeanEstimate::Known).unwrap();
        let lists = |m: &TrainedModel| {
            let gain = m.sampler(range, 1e-9).unwrap().gain();
            (gain, m.consistency(range, 1e-9).unwrap())
        };
        prop_assert!(many.renormalised_noise(0.01).unwrap() < few.renormalised_noise(0.01).unwrap());
        let (a, b) = (lists(&few), lists(&many));
        prop_assert!(a.0.iter().zip(&b.0).all(|(a, b)| a < b));
        prop_assert!(a.1.iter().zip(&b.1).all(|(a, b)| *a < b + 1e-8));
    }
}

/// Stepped samplers converge to the exact flow in gains, variances and consistency, Euler at first and
/// Heun at second order: doubling the steps halves or quarters the difference. A wrong node, weight
/// or limit of a part in 1e4 would leave an offset that does not.
#[test]
fn stepped_samplers_converge_to_the_flow() {
    let example: Value = serde_json::from_str(task().card().example).unwrap();
    let at = |sampler: Value| {
        let mut inputs = example.clone();
        inputs["sampler"] = sampler;
        task().evaluate(&inputs).unwrap()
    };
    let exact = at(json!({"kind": "exact"}));
    for (kind, steps, rate) in [("euler", 100, 2.0), ("heun", 50, 4.0)] {
        let (few, many) = (steps, 2 * steps);
        let few = at(json!({"kind": kind, "steps": few}));
        let many = at(json!({"kind": kind, "steps": many}));
        for name in ["map_gain_sum", "sample_variance", "sample_disagreement", "consistency"] {
            let target = exact.number(name).unwrap();
            let error = |out: &Observables| out.number(name).unwrap() / target - 1.0;
            let (coarse, fine) = (error(&few), error(&many));
            // Measured: 1.97 to 2.01 and 3.99 to 4.11, from differences of 2e-2 and 3e-3.
            assert!((coarse / fine / rate - 1.0).abs() < 0.04, "{kind} {name}: {coarse} {fine}");
        }
    }
    let mut inputs = example;
    inputs["sampler"] = json!({"kind": "heun", "steps": 1});
    assert_eq!(task().evaluate(&inputs).unwrap_err().key.as_deref(), Some("steps"));
    inputs["sampler"] = json!({"kind": "heun", "order": 2});
    assert!(task().evaluate(&inputs).unwrap_err().key.unwrap().starts_with("sampler"));
}
