use super::inputs::{ModelCollapseInputs, Setting};
use crate::search::{grid, minimum_over};
use rmt_task::TaskError;

/// The best weight, ridge or both.
pub(super) struct Optimum {
    pub(super) weight: Option<f64>,
    pub(super) lambda: Option<f64>,
    pub(super) risk: f64,
}

/// Smallest weight that is searched. The best one may be of order 1/n: the search runs in its logit.
const LEAST_WEIGHT: f64 = 1e-9;

fn logit(x: f64) -> f64 {
    (x / (1.0 - x)).ln()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Optimum {
    pub(super) fn weight(
        setting: &Setting,
        inputs: &ModelCollapseInputs,
    ) -> Result<Self, TaskError> {
        let (weight, risk) = best_weight(inputs, 61, |alpha| {
            let split =
                setting.split_at(inputs.n_real, inputs.n_synthetic, Some(alpha), inputs.lambda)?;
            Ok(split.risk())
        })?;
        Ok(Self { weight: Some(weight), lambda: None, risk })
    }

    pub(super) fn ridge(
        setting: &Setting,
        inputs: &ModelCollapseInputs,
    ) -> Result<Self, TaskError> {
        let (lambda, risk) = best_ridge(setting, inputs, inputs.synthetic_weight, 49)?;
        Ok(Self { weight: None, lambda: Some(lambda), risk })
    }

    /// Nested: for each weight the best ridge.
    pub(super) fn both(setting: &Setting, inputs: &ModelCollapseInputs) -> Result<Self, TaskError> {
        let (weight, risk) =
            best_weight(inputs, 31, |alpha| Ok(best_ridge(setting, inputs, Some(alpha), 13)?.1))?;
        let (lambda, _) = best_ridge(setting, inputs, Some(weight), 49)?;
        Ok(Self { weight: Some(weight), lambda: Some(lambda), risk })
    }
}

/// Over the open interval on a logit grid, and the two ends.
fn best_weight(
    inputs: &ModelCollapseInputs,
    points: usize,
    mut risk: impl FnMut(f64) -> Result<f64, TaskError>,
) -> Result<(f64, f64), TaskError> {
    if inputs.n_synthetic == 0.0 {
        return Ok((0.0, risk(0.0)?));
    }
    if inputs.n_real == 0.0 {
        return Ok((1.0, risk(1.0)?));
    }
    let end = logit(LEAST_WEIGHT);
    let (x, inside) = minimum_over(&grid(end, -end, points), |x| risk(logistic(x)))?;
    let mut best = (logistic(x), inside);
    for alpha in [0.0, 1.0] {
        let value = risk(alpha)?;
        if value < best.1 {
            best = (alpha, value);
        }
    }
    Ok(best)
}

/// Over twelve decades around the mean variance, and λ = 0.
fn best_ridge(
    setting: &Setting,
    inputs: &ModelCollapseInputs,
    alpha: Option<f64>,
    points: usize,
) -> Result<(f64, f64), TaskError> {
    let risk = |lambda: f64| -> Result<f64, TaskError> {
        Ok(setting.split_at(inputs.n_real, inputs.n_synthetic, alpha, lambda)?.risk())
    };
    let centre = setting.mean_variance().ln();
    let span = 6.0 * std::f64::consts::LN_10;
    let logs = grid(centre - 1.5 * span, centre + 0.5 * span, points);
    let (x, inside) = minimum_over(&logs, |x| risk(x.exp()))?;
    let ridgeless = risk(0.0)?;
    Ok(if ridgeless <= inside { (0.0, ridgeless) } else { (x.exp(), inside) })
}
