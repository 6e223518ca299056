use super::Answer;
use crate::failure::{Failure, Result};
use crate::figure::{Axis, Content, Figure, Mark, Role, Series};
use crate::grid::Measured;
use rmt_task::{Observables, Value};
use serde_json::Value as Json;

impl Answer<'_> {
    /// The figure of the answer: curves over a swept input, a map over two, or the lists of a
    /// single point over the input list they belong to.
    pub(super) fn figure(&self) -> Result<Figure> {
        match self.axes.as_slice() {
            [] => self.lists(),
            [_] => self.curves(),
            [_, _, ..] => self.map(),
        }
    }

    fn title(&self) -> String {
        let card = self.task.card();
        if card.summary.chars().count() <= 64 { card.summary } else { card.name }.to_owned()
    }

    fn curves(&self) -> Result<Figure> {
        let axis = &self.axes[0];
        let x: Vec<f64> = self.points.iter().map(|p| p.at[0]).collect();
        let mut series = Vec::new();
        for (quantity, name) in self.shown.iter().enumerate() {
            let number = |values: &Observables| values.number(name);
            let y: Vec<f64> = self
                .points
                .iter()
                .map(|p| p.theory.as_ref().ok().and_then(number).unwrap_or(f64::NAN))
                .collect();
            if y.iter().all(|v| v.is_nan()) {
                continue;
            }
            series.push(line(name, quantity, &x, y));
            if self.draws.is_some() {
                let at = self.points.iter().filter_map(|p| {
                    p.simulation.iter().find(|m| m.name == *name).map(|m| (p.at[0], m))
                });
                let measured = points(name, quantity, at);
                if !measured.x.is_empty() {
                    series.push(measured);
                }
            }
        }
        if series.is_empty() {
            return Err(self.nothing("no single number"));
        }
        series.extend(self.overlay.iter().cloned());
        let infinite = |p: &&super::Point| {
            p.theory
                .as_ref()
                .is_ok_and(|v| self.shown.iter().any(|n| v.number(n) == Some(f64::INFINITY)))
        };
        let mark = |p: &super::Point| Mark { x: p.at[0], label: "infinite".into() };
        let marks = self.points.iter().filter(infinite).take(4).map(mark).collect();
        Ok(self.figure_of(Axis::new(&axis.label, axis.log), series, marks))
    }

    fn lists(&self) -> Result<Figure> {
        let point = self.points.first();
        let Some(values) = point.and_then(|p| p.theory.as_ref().ok()) else {
            return Err(self.nothing("no answer"));
        };
        let lists: Vec<(usize, &String, Vec<f64>)> = self
            .shown
            .iter()
            .enumerate()
            .filter_map(|(i, name)| {
                let list = values.get(name).and_then(Value::as_numbers)?;
                (list.len() > 1).then_some((i, name, list))
            })
            .collect();
        let Some(length) = lists.first().map(|(_, _, list)| list.len()) else {
            return Err(self.nothing("no list among the shown quantities"));
        };
        let (label, x) = self.abscissa(length);
        let mut series = Vec::new();
        for (quantity, name, list) in lists.into_iter().filter(|(_, _, l)| l.len() == length) {
            series.push(line(name, quantity, &x, list));
            let measured: Vec<(f64, &Measured)> = x
                .iter()
                .enumerate()
                .filter_map(|(i, x)| {
                    let place = format!("{name}[{i}]");
                    let found = point?.simulation.iter().find(|m| m.name == place)?;
                    Some((*x, found))
                })
                .collect();
            if !measured.is_empty() {
                series.push(points(name, quantity, measured.into_iter()));
            }
        }
        let log = spans_decades(&x);
        Ok(self.figure_of(Axis::new(&label, log), series, Vec::new()))
    }

    /// The input list of that length, as `times` for the risks at those times; positions without.
    fn abscissa(&self, length: usize) -> (String, Vec<f64>) {
        let lists = self.inputs.value.as_object().into_iter().flatten().filter_map(|(key, v)| {
            let list: Vec<f64> = v.as_array()?.iter().map(Json::as_f64).collect::<Option<_>>()?;
            (list.len() == length).then(|| (key.clone(), list))
        });
        lists
            .into_iter()
            .next()
            .unwrap_or_else(|| ("position".into(), (1..=length).map(|i| i as f64).collect()))
    }

    fn map(&self) -> Result<Figure> {
        let (down, across) = (&self.axes[0], &self.axes[1]);
        // The risk is what one looks for first.
        let risk = self.shown.iter().filter(|n| *n == "risk");
        let name = risk
            .chain(&self.shown)
            .find(|n| {
                self.points.iter().any(|p| p.theory.as_ref().is_ok_and(|v| v.number(n).is_some()))
            })
            .ok_or_else(|| self.nothing("no single number"))?;
        let value = |p: &super::Point| {
            p.theory.as_ref().ok().and_then(|v| v.number(name)).unwrap_or(f64::NAN)
        };
        let values: Vec<Vec<f64>> = self
            .points
            .chunks(across.values.len())
            .map(|row| row.iter().map(value).collect())
            .collect();
        Ok(Figure {
            title: self.task.card().name.to_owned(),
            x: Axis::new(&across.label, across.log),
            y: Axis::new(&down.label, down.log),
            content: Content::Map {
                x: across.values.clone(),
                y: down.values.clone(),
                values,
                label: name.clone(),
            },
        })
    }

    fn figure_of(&self, x: Axis, series: Vec<Series>, marks: Vec<Mark>) -> Figure {
        let lines = series.iter().filter(|s| s.role != Role::Points);
        let label = lines.map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
        // The legend names the curves where the axis has no room for it.
        let label = if label.chars().count() <= 40 { label } else { String::new() };
        let log = series.iter().any(|s| spans_decades(&s.y))
            && series.iter().all(|s| s.y.iter().all(|v| v.is_nan() || *v > 0.0));
        Figure {
            title: self.title(),
            x,
            y: Axis::new(&label, log),
            content: Content::Curves { series, marks },
        }
    }

    fn nothing(&self, what: &str) -> Failure {
        Failure::input(format!(
            "--plot: {what} to draw; sweep an input with --over, or choose quantities with --show"
        ))
    }
}

fn line(name: &str, quantity: usize, x: &[f64], y: Vec<f64>) -> Series {
    Series { name: name.into(), role: Role::Theory, quantity, x: x.to_vec(), y, limits: None }
}

fn points<'a>(
    name: &str,
    quantity: usize,
    at: impl Iterator<Item = (f64, &'a Measured)>,
) -> Series {
    let (mut x, mut y, mut limits) = (Vec::new(), Vec::new(), Vec::new());
    for (place, m) in at {
        x.push(place);
        y.push(m.mean);
        limits.push((m.mean - 2.0 * m.standard_error, m.mean + 2.0 * m.standard_error));
    }
    let name = format!("{name}, simulated ± 2 s.e.");
    Series { name, role: Role::Points, quantity, x, y, limits: Some(limits) }
}

/// Whether a logarithmic axis serves these values: all positive, over more than a factor 50.
fn spans_decades(values: &[f64]) -> bool {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let (low, high) = finite().fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
    low > 0.0 && high > 50.0 * low
}
