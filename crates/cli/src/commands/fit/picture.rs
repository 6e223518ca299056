use super::Answer;
use super::estimate::{Measure, Trial};
use super::show::mean;
use crate::failure::{Failure, Result};
use crate::figure::{Axis, Content, Figure, Mark, Role, Series};
use crate::output::number;
use rmt_estimators::Criterion;

/// The measures of a figure and their colours.
const SHOWN: [(Measure, usize); 4] = [
    (Measure::Criterion(Criterion::Gcv), 4),
    (Measure::Criterion(Criterion::Loo), 5),
    (Measure::Criterion(Criterion::Folds(0)), 2),
    (Measure::Criterion(Criterion::CorrGcv), 0),
];

impl Answer<'_> {
    /// The learning curve if it was asked for, else every criterion along the ridges.
    pub(super) fn figure(&self) -> Result<Figure> {
        if self.fit.targets.len() > 1 {
            return Err(Failure::input(
                "--plot draws one target: choose it with --target, or write all with --out",
            ));
        }
        Ok(if self.args.learning_curve.is_empty() { self.along_ridges() } else { self.learning() })
    }

    /// The criteria of the fit on all rows, or averaged over the held-out fits, with the realised
    /// error as points.
    fn along_ridges(&self) -> Figure {
        let path = &self.fit.path;
        let x = &path.lambdas;
        let held_out = !self.trials.is_empty();
        let mut series = Vec::new();
        let mut add = |name: &str, role: Role, quantity: usize, y: Option<Vec<f64>>| {
            if let Some(y) = y {
                let (name, x) = (name.to_owned(), x.clone());
                series.push(Series { name, role, quantity, x, y, limits: None });
            }
        };
        let over = |f: &dyn Fn(&Trial) -> Option<Vec<f64>>| -> Option<Vec<f64>> {
            let all: Vec<Vec<f64>> = self.trials.iter().map(f).collect::<Option<_>>()?;
            let at = |i: usize| mean(&all.iter().map(|v| v[i]).collect::<Vec<_>>());
            (!all.is_empty()).then(|| (0..x.len()).map(at).collect())
        };
        let training = if held_out {
            over(&|t| Some(t.fit.path.targets[0].train_error.clone()))
        } else {
            Some(path.targets[0].train_error.clone())
        };
        add("training", Role::Alternative, 6, training);
        for (measure, colour) in SHOWN {
            let values = if held_out {
                over(&|t| t.fit.along(measure, 0))
            } else {
                self.fit.along(measure, 0)
            };
            add(self.fit.name(measure), Role::Theory, colour, values);
        }
        add("realised", Role::Points, 1, over(&|t| t.realised_path.clone()));
        let target = &self.fit.targets[0];
        let title = match self.trials.as_slice() {
            [] => format!("{}: {} rows", target.name, self.fit.rows),
            [t] => {
                format!("{}: fit on {} rows, test on {}", target.name, t.train_rows, t.test_rows)
            }
            [t, ..] => {
                let windows = self.trials.len();
                format!("{}: mean over {windows} windows of {} rows", target.name, t.train_rows)
            }
        };
        let chosen = Mark { x: target.lambda, label: format!("λ = {}", number(target.lambda, 2)) };
        let marks = if held_out || target.lambda <= 0.0 { vec![] } else { vec![chosen] };
        let log = x.iter().any(|l| *l > 0.0);
        self.drawn(title, Axis::new("λ", log), series, marks)
    }

    /// The error with the best ridge against the number of rows; where the rows do not determine
    /// it, a dashed line.
    fn learning(&self) -> Figure {
        let curve = &self.fit.learning;
        let part = |supported: bool| curve.iter().filter(move |p| p.supported == supported);
        let series = [
            (true, Role::Theory, "best error, 95 % band"),
            (false, Role::Alternative, "not determined by these rows: too high"),
        ]
        .into_iter()
        .filter(|(supported, _, _)| part(*supported).count() > 0)
        .map(|(supported, role, name)| Series {
            name: name.into(),
            role,
            quantity: 0,
            x: part(supported).map(|p| p.rows as f64).collect(),
            y: part(supported).map(|p| p.error).collect(),
            limits: Some(part(supported).map(|p| p.band).collect()),
        })
        .collect();
        let rows = self.fit.rows;
        let marks = vec![Mark { x: rows as f64, label: format!("{rows} rows now") }];
        let title = format!("{}: what more rows would bring", self.fit.targets[0].name);
        self.drawn(title, Axis::new("rows", true), series, marks)
    }

    fn drawn(&self, title: String, x: Axis, series: Vec<Series>, marks: Vec<Mark>) -> Figure {
        let largest = series.iter().flat_map(|s| &s.y).copied().fold(0.0, f64::max);
        let log = series.iter().flat_map(|s| &s.y).any(|v| *v < 0.02 * largest);
        let y = Axis::new("mean squared error", log);
        Figure { title, x, y, content: Content::Curves { series, marks } }
    }
}
