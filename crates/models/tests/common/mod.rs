//! What the tests of random features and of norm-based capacity share.

use rmt_core::Modes;
use rmt_models::random_features::{FeatureRegression, Prediction, Setting, Target};
use rmt_task::Observables;
use serde_json::Value;

pub(crate) fn run(task: &str, inputs: &Value) -> Observables {
    rmt_models::tasks()
        .into_iter()
        .find(|t| t.card().name == task)
        .unwrap_or_else(|| panic!("{task} is not registered"))
        .evaluate(inputs)
        .unwrap_or_else(|e| panic!("{task} {inputs}: {e}"))
}

pub(crate) fn close(a: f64, b: f64, rtol: f64, what: &str) {
    let ok = (a - b).abs() <= rtol * a.abs().max(b.abs()) || a == b;
    assert!(ok, "{what}: {a:e} against {b:e}, off by {:e}", a / b - 1.0);
}

pub(crate) fn power(p: usize, alpha: f64) -> Modes {
    Modes::PowerLaw { p, alpha, scale: 1.0, reversed: false }
}

pub(crate) fn setting(
    spectrum: Modes,
    target: Modes,
    noise: f64,
    n: f64,
    widths: &[f64],
) -> Setting {
    Setting {
        noise_variance: noise,
        n: Some(n),
        widths: widths.to_vec(),
        ..Setting::new(spectrum, Target::Coefficients(target))
    }
}

pub(crate) fn predict(setting: &Setting, lambda: f64) -> Prediction {
    FeatureRegression::new(setting).unwrap().predict(lambda).unwrap()
}
