use rmt_task::{Observables, Value};

/// Risks of joint and separate models. At λ = 0 they are those at the tiny ridge that stands for
/// it: limits are taken of their differences, where equal divergences cancel.
pub(super) struct Disparities<'a> {
    pub(super) joint: &'a [f64],
    pub(super) separate: &'a [f64],
    pub(super) joint_limit: &'a dyn Fn(f64) -> f64,
    pub(super) separate_limit: &'a dyn Fn(f64) -> f64,
}

/// Differences below this fraction of the risks are rounding: the groups are equally hard.
const EQUAL: f64 = 1e-14;
/// The same for risks that diverge: only their leading terms are compared, to the digits that they
/// have at a tiny ridge.
const DIVERGE_ALIKE: f64 = 1e-9;

/// second − first.
pub(super) fn gap(risks: &[f64], first: usize, second: usize, limit: &dyn Fn(f64) -> f64) -> f64 {
    let (a, b) = (risks[first], risks[second]);
    let largest = a.abs().max(b.abs());
    let equal = if limit(largest).is_infinite() { DIVERGE_ALIKE } else { EQUAL };
    if (b - a).abs() <= equal * largest { 0.0 } else { limit(b - a) }
}

impl Disparities<'_> {
    fn joint_gap(&self, first: usize, second: usize) -> f64 {
        gap(self.joint, first, second, self.joint_limit)
    }

    fn separate_gap(&self, first: usize, second: usize) -> f64 {
        gap(self.separate, first, second, self.separate_limit)
    }

    /// ADD; where both gaps diverge, the limit of their ratio.
    fn amplification(&self, first: usize, second: usize, noise: f64) -> f64 {
        let (joint, separate) = (self.joint_gap(first, second), self.separate_gap(first, second));
        if joint.is_infinite() && separate.is_infinite() {
            let diverging = |risks: &[f64]| risks[second] - risks[first];
            return (diverging(self.joint) / diverging(self.separate)).abs();
        }
        ratio(joint + noise, separate + noise)
    }
}

/// |joint|/|separate|, infinite where the second is zero; 0 where only the second is infinite, a
/// separate model at its own critical point.
fn ratio(joint: f64, separate: f64) -> f64 {
    if separate == 0.0 { f64::INFINITY } else { (joint / separate).abs() }
}

/// max − min.
pub(super) fn spread(risks: &[f64]) -> f64 {
    let largest = risks.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
    let smallest = risks.iter().fold(f64::INFINITY, |m, x| m.min(*x));
    if largest == smallest { 0.0 } else { largest - smallest }
}

/// Scalars for two groups, pairwise matrices and spreads for more, nothing for one.
pub(super) fn set_disparities(out: &mut Observables, d: &Disparities<'_>, noise: &[f64]) {
    let groups = d.joint.len();
    if groups < 2 {
        out.note("one group: there is no disparity to report");
        return;
    }
    let mut set = |name: &str, f: &dyn Fn(usize, usize) -> f64| {
        if groups == 2 {
            out.set(name, f(0, 1));
        } else {
            let row = |i: usize| (0..groups).map(|j| f(i, j)).collect::<Vec<f64>>();
            out.set(name, Value::List((0..groups).map(|i| row(i).into()).collect()));
        }
    };
    set("difference_joint", &|i, j| d.joint_gap(i, j));
    set("difference_separate", &|i, j| d.separate_gap(i, j));
    set("ODD", &|i, j| d.joint_gap(i, j).abs());
    set("EDD", &|i, j| d.separate_gap(i, j).abs());
    set("ADD", &|i, j| if i == j { 1.0 } else { d.amplification(i, j, 0.0) });
    if noise.iter().any(|s| *s != noise[0]) {
        let shift = |i: usize, j: usize| noise[j] - noise[i];
        set("ODD_prediction", &|i, j| (d.joint_gap(i, j) + shift(i, j)).abs());
        set("EDD_prediction", &|i, j| (d.separate_gap(i, j) + shift(i, j)).abs());
        set("ADD_prediction", &|i, j| {
            if i == j { 1.0 } else { d.amplification(i, j, shift(i, j)) }
        });
    }
    if groups > 2 {
        let (odd, edd) = (spread(d.joint), spread(d.separate));
        let limits = ((d.joint_limit)(odd), (d.separate_limit)(edd));
        out.set("ODD_spread", limits.0);
        out.set("EDD_spread", limits.1);
        let both = limits.0.is_infinite() && limits.1.is_infinite();
        out.set("ADD_spread", if both { odd / edd } else { ratio(limits.0, limits.1) });
    }
    let equal = (0..groups).any(|i| (0..i).any(|j| d.separate_gap(i, j) == 0.0));
    if equal {
        out.note(
            "two groups are equally hard for separate models (EDD = 0): ADD is infinite there",
        );
    }
}
