use rmt_task::{Observables, Value};

/// Risks of joint and separate models, and the ridgeless limit that differences of the former need.
pub(super) struct Disparities<'a> {
    pub(super) joint: &'a [f64],
    pub(super) separate: &'a [f64],
    pub(super) limit: &'a dyn Fn(f64) -> f64,
}

/// Differences below this fraction of the risks are rounding: the groups are equally hard.
const EQUAL: f64 = 1e-14;

impl Disparities<'_> {
    /// second − first.
    fn gap(&self, risks: &[f64], first: usize, second: usize) -> f64 {
        let (a, b) = (risks[first], risks[second]);
        if a == b || (b - a).abs() <= EQUAL * a.abs().max(b.abs()) {
            return 0.0;
        }
        b - a
    }

    fn joint_gap(&self, first: usize, second: usize) -> f64 {
        (self.limit)(self.gap(self.joint, first, second))
    }

    fn separate_gap(&self, first: usize, second: usize) -> f64 {
        self.gap(self.separate, first, second)
    }
}

/// |joint|/|separate|, infinite where the second is zero.
fn amplification(joint: f64, separate: f64) -> f64 {
    if separate == 0.0 {
        f64::INFINITY
    } else if separate.is_infinite() {
        // A separate model at its own critical point is infinitely worse than any finite gap.
        if joint.is_infinite() { 1.0 } else { 0.0 }
    } else {
        (joint / separate).abs()
    }
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
    set("ADD", &|i, j| {
        if i == j { 1.0 } else { amplification(d.joint_gap(i, j), d.separate_gap(i, j)) }
    });
    if noise.iter().any(|s| *s != noise[0]) {
        let shift = |i: usize, j: usize| noise[j] - noise[i];
        set("ODD_prediction", &|i, j| (d.joint_gap(i, j) + shift(i, j)).abs());
        set("EDD_prediction", &|i, j| (d.separate_gap(i, j) + shift(i, j)).abs());
        set("ADD_prediction", &|i, j| {
            if i == j {
                1.0
            } else {
                let shift = shift(i, j);
                amplification(d.joint_gap(i, j) + shift, d.separate_gap(i, j) + shift)
            }
        });
    }
    if groups > 2 {
        let joint: Vec<f64> = d.joint.iter().map(|x| (d.limit)(*x)).collect();
        let (odd, edd) = (spread(&joint), spread(d.separate));
        out.set("ODD_spread", odd);
        out.set("EDD_spread", edd);
        out.set("ADD_spread", amplification(odd, edd));
    }
    let equal = (0..groups).any(|i| (0..i).any(|j| d.separate_gap(i, j) == 0.0));
    if equal {
        out.note(
            "two groups are equally hard for separate models (EDD = 0): ADD is infinite there",
        );
    }
}
