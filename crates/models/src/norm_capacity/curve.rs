use super::NORM_CAPACITY;
use crate::random_features::{FeatureRegression, Setting, chain_inputs, simulate};
use crate::{Error, Result};
use rmt_task::{Card, Draw, Observables, Simulate, Task, TaskError, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Risk against norm as one knob turns.
pub struct NormCurve;

/// What is varied along the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Knob {
    /// The ridge.
    Lambda,
    /// The number of samples.
    N,
    /// The last width.
    Width,
}

chain_inputs! {
    /// Inputs of [`NormCurve`].
    pub struct NormCurveInputs {
        /// Number of samples n ≥ 1 (not used when it is the knob).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub n: Option<f64>,
        /// Ridge λ ≥ 0 (not used when it is the knob).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lambda: Option<f64>,
        /// What is varied: lambda, n or width.
        pub knob: Knob,
        /// Values of the knob, in order along the curve.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub knob_values: Option<Vec<f64>>,
        /// Instead of `knob_values`: first value of a logarithmic grid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub from: Option<f64>,
        /// Last value of the grid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub to: Option<f64>,
        /// Number of grid points, 200 if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub points: Option<usize>,
    }
}

/// A point of the curve.
#[derive(Clone, Copy, Debug)]
struct Point {
    knob: f64,
    norm: f64,
    risk: f64,
}

impl Point {
    /// (ln N, ln R), if both are finite and positive.
    fn place(&self) -> Option<(f64, f64)> {
        let (x, y) = (self.norm.ln(), self.risk.ln());
        (x.is_finite() && y.is_finite()).then_some((x, y))
    }
}

/// Evaluates the curve at a knob value.
struct Curve {
    base: Setting,
    knob: Knob,
    lambda: f64,
    model: FeatureRegression,
}

impl Curve {
    fn setting(&self, value: f64) -> Setting {
        let mut setting = self.base.clone();
        match self.knob {
            Knob::Lambda => {}
            Knob::N => setting.n = Some(value),
            Knob::Width => match setting.widths.last_mut() {
                Some(last) => *last = value,
                None => setting.widths.push(value),
            },
        }
        setting
    }

    fn at(&self, knob: f64) -> Result<Point> {
        let at = match self.knob {
            Knob::Lambda => self.model.predict(knob)?,
            Knob::N | Knob::Width => {
                let Setting { n, widths, .. } = self.setting(knob);
                self.model.with_sizes(n, &widths)?.predict(self.lambda)?
            }
        };
        Ok(Point { knob, norm: at.norm, risk: at.risk })
    }
}

/// Where the ridge is the knob and no range is given: decades of (κ − κ₀)/Tr Σ that are swept.
const KAPPA_DECADES: (f64, f64) = (-12.0, 2.0);

impl NormCurveInputs {
    fn curve(&self) -> Result<Curve> {
        let need = |key: &'static str, value: Option<f64>| {
            value.ok_or(Error::Choice { key, remedy: "missing; it is fixed along this curve" })
        };
        let n = if self.knob == Knob::N { None } else { Some(need("n", self.n)?) };
        let lambda = if self.knob == Knob::Lambda { 0.0 } else { need("lambda", self.lambda)? };
        let base = self.setting(n)?;
        let model = FeatureRegression::new(&base)?;
        Ok(Curve { base, knob: self.knob, lambda, model })
    }

    fn points(&self, curve: &Curve) -> Result<Vec<Point>> {
        let count = self.points.unwrap_or(200);
        if !(2..=100_000).contains(&count) {
            return Err(Error::OutOfRange {
                key: "points",
                value: count as f64,
                remedy: "must lie in 2..100000",
            });
        }
        let step = |i: usize| i as f64 / (count - 1) as f64;
        let values = match (&self.knob_values, self.from, self.to) {
            (Some(values), None, None) if !values.is_empty() => values.clone(),
            (None, Some(from), Some(to)) => {
                for (key, value) in [("from", from), ("to", to)] {
                    if !(value > 0.0 && value.is_finite()) {
                        return Err(Error::OutOfRange {
                            key,
                            value,
                            remedy: "a logarithmic grid needs positive ends",
                        });
                    }
                }
                (0..count).map(|i| from * (to / from).powf(step(i))).collect()
            }
            (None, None, None) if self.knob == Knob::Lambda => {
                // Swept in κ: explicit.
                let model = &curve.model;
                let (trace, (low, high)) = (model.scale(), KAPPA_DECADES);
                return (0..count)
                    .map(|i| {
                        let shift = trace * 10f64.powf(low + (high - low) * step(i));
                        let at = model.at_shift(shift)?;
                        Ok(Point { knob: at.lambda, norm: at.norm, risk: at.risk })
                    })
                    .collect();
            }
            _ => {
                return Err(Error::Choice {
                    key: "knob_values",
                    remedy: "give either `knob_values` or both `from` and `to`",
                });
            }
        };
        values.into_iter().map(|v| curve.at(v)).collect()
    }
}

type Place = (f64, f64);

/// Parameters in [0, 1] at which the segments a₀a₁ and b₀b₁ cross, if they do.
fn segments_cross(a: [Place; 2], b: [Place; 2]) -> Option<(f64, f64)> {
    let (ax, ay) = (a[1].0 - a[0].0, a[1].1 - a[0].1);
    let (bx, by) = (b[1].0 - b[0].0, b[1].1 - b[0].1);
    let (dx, dy) = (b[0].0 - a[0].0, b[0].1 - a[0].1);
    let det = ax * by - ay * bx;
    if det == 0.0 {
        return None;
    }
    let (s, t) = ((dx * by - dy * bx) / det, (dx * ay - dy * ax) / det);
    ((0.0..=1.0).contains(&s) && (0.0..=1.0).contains(&t)).then_some((s, t))
}

/// A self-intersection of the curve: norm, risk and the two knob values.
struct Crossing {
    norm: f64,
    risk: f64,
    knobs: (f64, f64),
}

/// Self-intersections: candidates from the polyline in (ln N, ln R), each confirmed by subdividing both
/// pieces of the curve itself, so that a coarse grid does not invent one.
fn crossings(curve: &Curve, points: &[Point]) -> Result<Vec<Crossing>> {
    let segments: Vec<([Point; 2], [Place; 2])> = points
        .windows(2)
        .filter_map(|w| Some(([w[0], w[1]], [w[0].place()?, w[1].place()?])))
        .collect();
    let mut found = Vec::new();
    for (i, (first, a)) in segments.iter().enumerate() {
        for (second, b) in &segments[i + 1..] {
            if first[1].knob == second[0].knob || segments_cross(*a, *b).is_none() {
                continue;
            }
            if let Some(crossing) = confirm(curve, *first, *second)? {
                found.push(crossing);
            }
        }
    }
    Ok(found)
}

fn confirm(
    curve: &Curve,
    mut first: [Point; 2],
    mut second: [Point; 2],
) -> Result<Option<Crossing>> {
    const PARTS: usize = 8;
    for _ in 0..7 {
        let split = |ends: [Point; 2]| -> Result<Vec<Point>> {
            let step = |i: usize| i as f64 / PARTS as f64;
            (0..=PARTS)
                .map(|i| match i {
                    0 => Ok(ends[0]),
                    PARTS => Ok(ends[1]),
                    _ => curve.at(ends[0].knob + (ends[1].knob - ends[0].knob) * step(i)),
                })
                .collect()
        };
        let (a, b) = (split(first)?, split(second)?);
        let mut next = None;
        for x in a.windows(2) {
            for y in b.windows(2) {
                let places =
                    (|| Some(([x[0].place()?, x[1].place()?], [y[0].place()?, y[1].place()?])))();
                if let Some((p, q)) = places
                    && segments_cross(p, q).is_some()
                {
                    next = Some(([x[0], x[1]], [y[0], y[1]]));
                }
            }
        }
        match next {
            None => return Ok(None),
            Some((x, y)) => (first, second) = (x, y),
        }
    }
    Ok(Some(Crossing {
        norm: first[0].norm,
        risk: first[0].risk,
        knobs: (first[0].knob, second[0].knob),
    }))
}

impl Task for NormCurve {
    type Inputs = NormCurveInputs;

    const CARD: Card = Card {
        name: "norm_curve",
        summary: "Risk against norm as the ridge, the sample size or the width varies, with its turning point and crossings",
        equations: "knob ↦ (N, R), as in norm_capacity",
        latex: r"\text{knob}\mapsto(N,R)",
        references: &[NORM_CAPACITY],
        observables: &[
            ("knob_values", "λ, n or width"),
            ("norm", "‖â‖² at each"),
            ("risk", "excess risk at each"),
            ("largest_norm", "largest finite norm on the grid"),
            ("knob_at_largest_norm", "where it is reached"),
            ("least_risk", "least risk on the grid"),
            ("norm_at_least_risk", "norm there"),
            ("crossings", "self-intersections of the curve; empty where there is none"),
        ],
        headline: &["norm", "risk"],
        example: r#"{"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.2}, "target": {"kind": "power_law", "p": 200, "alpha": 0.5}, "noise_variance": 0.3, "n": 100, "lambda": 0.0, "knob": "width", "from": 2, "to": 5000, "points": 120}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let curve = inputs.curve()?;
        let points = inputs.points(&curve)?;
        let crossings = crossings(&curve, &points)?;
        let column = |f: fn(&Point) -> f64| points.iter().map(f).collect::<Vec<_>>();
        let mut out = Observables::new();
        out.set("knob_values", column(|p| p.knob));
        out.set("norm", column(|p| p.norm));
        out.set("risk", column(|p| p.risk));
        if points.iter().any(|p| p.norm.is_infinite()) {
            out.note("the norm diverges at a tie of the sizes on this grid");
        }
        let finite = || points.iter().filter(|p| p.place().is_some());
        if let Some(top) = finite().max_by(|a, b| a.norm.total_cmp(&b.norm)) {
            out.set("largest_norm", top.norm);
            out.set("knob_at_largest_norm", top.knob);
        }
        if let Some(best) = finite().min_by(|a, b| a.risk.total_cmp(&b.risk)) {
            out.set("least_risk", best.risk);
            out.set("norm_at_least_risk", best.norm);
        }
        if crossings.is_empty() {
            out.note("no crossing: the curve of risk against norm does not meet itself");
        }
        let list = crossings
            .into_iter()
            .map(|c| {
                Value::Object(vec![
                    ("norm".to_owned(), c.norm.into()),
                    ("risk".to_owned(), c.risk.into()),
                    ("knob_values".to_owned(), vec![c.knobs.0, c.knobs.1].into()),
                ])
            })
            .collect();
        out.set("crossings", Value::List(list));
        Ok(out)
    }
}

impl Simulate for NormCurve {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "n", "from", "to"];
    // Widths that are whole numbers: the simulation can have no others.
    const SETTINGS: &'static [&'static str] = &[r#"{"n": 80, "from": 25, "to": 400, "points": 5}"#];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let curve = inputs.curve()?;
        let (mut knobs, mut norm, mut risk) = (Vec::new(), Vec::new(), Vec::new());
        for (i, point) in inputs.points(&curve)?.iter().enumerate() {
            let (setting, lambda, knob) = match inputs.knob {
                Knob::Lambda => (curve.base.clone(), point.knob, point.knob),
                // A size of an experiment is a whole number.
                _ => (curve.setting(point.knob.round()), curve.lambda, point.knob.round()),
            };
            let seed = Draw { seed: draw.stream(), index: i as u64 };
            let one = simulate::Experiment::run(&setting, lambda, (1, 1), seed)?;
            knobs.push(knob);
            norm.push(one.norm());
            risk.push(one.risk());
        }
        let mut out = Observables::new();
        out.set("knob_values", knobs);
        out.set("norm", norm);
        out.set("risk", risk);
        Ok(out)
    }
}
