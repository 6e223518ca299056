use super::disparity::{gap, spread};
use super::inputs::{BiasAmplificationInputs, Separate, Setting};
use crate::groups::{Populations, ridgeless_limit};
use crate::search::{grid, minimum_over, root};
use rmt_task::{Observables, TaskError, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A range of one parameter to search, in equal steps of its logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scan {
    /// What varies.
    pub over: ScanOver,
    /// Smallest value, > 0.
    pub from: f64,
    /// Largest value.
    pub to: f64,
    /// Points of the first pass, 3 to 10000; every feature wider than a step is found. Default 121.
    pub points: Option<usize>,
}

/// The parameter that a scan varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanOver {
    /// The ridge; separate models follow unless `lambda_separate` fixes theirs.
    Lambda,
    /// The number of random features (as a real number; round the result).
    Width,
}

/// What the search looks at, at one value of the scanned parameter.
struct Point {
    /// Risks of the joint model.
    joint: Vec<f64>,
    /// R_2 − R_1 for two groups, max − min for more.
    joint_gap: f64,
    separate_gap: f64,
}

impl Point {
    /// ODD − EDD: negative where disparity is not amplified.
    fn excess(&self) -> f64 {
        let (odd, edd) = (self.joint_gap.abs(), self.separate_gap.abs());
        if odd.is_infinite() && edd.is_infinite() { 0.0 } else { odd - edd }
    }
}

fn gap_of(risks: &[f64], limit: &dyn Fn(f64) -> f64) -> f64 {
    if risks.len() == 2 { gap(risks, 0, 1, limit) } else { limit(spread(risks)) }
}

pub(super) fn run(
    scan: &Scan,
    inputs: &BiasAmplificationInputs,
    out: &mut Observables,
) -> Result<(), TaskError> {
    let count = scan.points.unwrap_or(121);
    if !(3..=10_000).contains(&count) {
        return Err(TaskError::invalid("scan.points", format!("{count}; give 3 to 10000")));
    }
    if !(scan.from > 0.0 && scan.from.is_finite()) {
        let message = format!("{}; the range is logarithmic, give a number > 0", scan.from);
        return Err(TaskError::invalid("scan.from", message));
    }
    if !(scan.to > scan.from && scan.to.is_finite()) {
        let message = format!("{}; give a number above `from`", scan.to);
        return Err(TaskError::invalid("scan.to", message));
    }
    if scan.over == ScanOver::Width && scan.from < 1.0 {
        return Err(TaskError::invalid("scan.from", "widths start at 1"));
    }
    let setting = Setting::of(inputs)?;
    let populations = setting.populations()?;
    if populations.groups() < 2 {
        return Err(TaskError::invalid("scan", "needs at least two groups"));
    }
    let separate = setting.separate(&populations)?;
    let size = setting.size(&populations)?;
    let at = |log: f64| evaluate(scan, inputs, &setting, &populations, &separate, size, log);

    let logs = grid(scan.from.ln(), scan.to.ln(), count);
    let points = logs.iter().map(|x| at(*x)).collect::<Result<Vec<_>, _>>()?;
    let sign_changes = |f: &dyn Fn(&Point) -> f64| -> Result<Vec<f64>, TaskError> {
        let mut roots = Vec::new();
        for i in 1..logs.len() {
            let (a, b) = (f(&points[i - 1]), f(&points[i]));
            if (a > 0.0) != (b > 0.0) {
                let x = root(logs[i - 1], logs[i], |x| at(x).map(|p| f(&p)))?;
                // A pole changes sign as well: there the function is large on both sides.
                if at(x)?.excess().is_finite() && f(&at(x)?).abs() <= a.abs().max(b.abs()) {
                    roots.push(x);
                }
            }
        }
        Ok(roots)
    };
    let edges = sign_changes(&|p| p.excess())?;
    out.set("amplification_free", intervals(&logs, &edges, |x| at(x).map(|p| p.excess()))?);
    if populations.groups() == 2 {
        let crossings = sign_changes(&|p| p.joint_gap)?;
        out.set("zero_crossings", crossings.iter().map(|x| x.exp()).collect::<Vec<f64>>());
    }
    let name = match scan.over {
        ScanOver::Lambda => "lambda",
        ScanOver::Width => "width",
    };
    let mut optimum = |key: &str, f: &dyn Fn(&Point) -> f64| -> Result<(), TaskError> {
        let mut candidates = logs.clone();
        if key == "minimal_ODD" && populations.groups() == 2 {
            // A zero crossing is an exact minimum; golden sections would only approach it.
            candidates.extend(sign_changes(&|p| p.joint_gap)?);
            candidates.sort_by(f64::total_cmp);
        }
        let (x, value) = minimum_over(&candidates, |x| at(x).map(|p| f(&p)))?;
        out.set(
            key,
            Value::Object(vec![(name.into(), x.exp().into()), ("value".into(), value.into())]),
        );
        Ok(())
    };
    optimum("minimal_ODD", &|p| p.joint_gap.abs())?;
    let n: Vec<f64> = setting.samples.iter().map(|s| s.n).collect();
    let total: f64 = n.iter().sum();
    optimum("minimal_mean_risk", &|p| p.joint.iter().zip(&n).map(|(r, n)| r * n / total).sum())?;
    optimum("minimal_worst_risk", &|p| p.joint.iter().fold(0.0, |m: f64, r| m.max(*r)))
}

fn evaluate(
    scan: &Scan,
    inputs: &BiasAmplificationInputs,
    setting: &Setting,
    populations: &Populations,
    separate: &[Separate],
    size: f64,
    log: f64,
) -> Result<Point, TaskError> {
    let x = log.exp();
    let (lambda, width) = match scan.over {
        ScanOver::Lambda => (x, setting.width),
        ScanOver::Width => (inputs.lambda, Some(x.max(1.0))),
    };
    let explain = |e| setting.explain(e);
    let mixture = populations.mixture(&setting.samples, width).map_err(explain)?;
    let solution = mixture.solve(lambda).map_err(explain)?;
    let risks = solution.risks().map_err(explain)?.risk();
    let lambda_separate = inputs.lambda_separate.unwrap_or(lambda);
    let separate = separate
        .iter()
        .map(|s| s.risk_at(lambda_separate, width))
        .collect::<Result<Vec<f64>, _>>()
        .map_err(explain)?;
    let separate_limit = |x| if lambda_separate == 0.0 { ridgeless_limit(x, size) } else { x };
    Ok(Point {
        joint: risks.iter().map(|r| solution.limit(*r, size)).collect(),
        joint_gap: gap_of(&risks, &|x| solution.limit(x, size)),
        separate_gap: gap_of(&separate, &separate_limit),
    })
}

/// The parts of the range in which `f` ≤ 0, given its zeros.
fn intervals(
    logs: &[f64],
    zeros: &[f64],
    f: impl Fn(f64) -> Result<f64, TaskError>,
) -> Result<Vec<Value>, TaskError> {
    let mut bounds = vec![logs[0]];
    bounds.extend(zeros);
    bounds.push(logs[logs.len() - 1]);
    let mut out: Vec<(f64, f64)> = Vec::new();
    for pair in bounds.windows(2) {
        if f(0.5 * (pair[0] + pair[1]))? <= 0.0 {
            match out.last_mut() {
                Some(last) if last.1 == pair[0] => last.1 = pair[1],
                _ => out.push((pair[0], pair[1])),
            }
        }
    }
    Ok(out.iter().map(|(a, b)| vec![a.exp(), b.exp()].into()).collect())
}
