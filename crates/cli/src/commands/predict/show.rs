use super::Answer;
use super::run::{Point, place_text};
use crate::failure::Result;
use crate::files;
use crate::grid::{Measured, Row, leaves, list_position, numbers, quantity, record, rows};
use crate::output::{number, prose_table, table, value};
use rmt_task::Observables;
use serde_json::{Map, Value as Json, json};

/// Longer tables are cut on screen; files and JSON have every row.
const ROWS: usize = 60;
/// Entries of a list that a table of z-scores shows.
const LIST: usize = 8;

impl Answer<'_> {
    /// The answer for the screen.
    pub(super) fn table(&self) -> String {
        match (self.points.first(), self.axes.is_empty(), self.draws) {
            (Some(point), true, None) => match &point.theory {
                Ok(values) => self.one_point(values),
                Err(_) => String::new(),
            },
            (Some(point), true, Some(draws)) => self.comparison(point, draws),
            _ => self.sweep(),
        }
    }

    fn one_point(&self, values: &Observables) -> String {
        let observables = self.task.card().observables;
        let meaning = |name: &str| {
            observables.iter().find(|(n, _)| *n == name).map_or("", |(_, meaning)| meaning)
        };
        let rows: Vec<_> = values
            .iter()
            .filter(|(name, _)| self.asked_for(name))
            .map(|(n, v)| vec![n.into(), value(v, 6), meaning(n).into()])
            .collect();
        prose_table(&["quantity", "value", "meaning"], &rows)
    }

    /// Whether a single point shows this quantity: those of `--show`, else all.
    fn asked_for(&self, name: &str) -> bool {
        !self.chosen || self.shown.iter().any(|shown| shown == quantity(name))
    }

    fn comparison(&self, point: &Point, draws: usize) -> String {
        let Ok(values) = &point.theory else { return String::new() };
        let theory = numbers(values);
        let (mut rows, mut hidden) = (Vec::new(), 0);
        for m in point.simulation.iter().filter(|m| self.asked_for(&m.name)) {
            if list_position(&m.name).is_some_and(|i| i >= LIST) {
                hidden += 1;
                continue;
            }
            let expected = theory.iter().find(|(n, _)| *n == m.name);
            rows.push(vec![
                m.name.clone(),
                expected.map(|(_, x)| number(*x, 6)).unwrap_or_default(),
                number(m.mean, 6),
                number(2.0 * m.standard_error, 2),
                z_text(m),
            ]);
        }
        let mut text = table(&["quantity", "theory", "simulation", "± 2 s.e.", "z"], &rows);
        if hidden > 0 {
            text += &format!("({hidden} more list entries with --json or --out)\n");
        }
        text + &format!("\n{}\n", self.verdict(draws))
    }

    /// One sentence on how theory and simulation agree.
    fn verdict(&self, draws: usize) -> String {
        let scores: Vec<(f64, &str)> = self
            .points
            .iter()
            .flat_map(|p| &p.simulation)
            .filter_map(|m| m.z.map(|z| (z, m.name.as_str())))
            .collect();
        let Some((worst, name)) = scores.iter().max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))
        else {
            return format!("{draws} draws (seed {}): no quantity can be compared.", self.seed);
        };
        let within = scores.iter().filter(|(z, _)| z.abs() <= 2.0).count();
        format!(
            "{draws} draws (seed {}): {within} of {} numbers lie within 2 standard errors of the \
             theory (about 95 % would by chance), the largest |z| is {} ({name}).",
            self.seed,
            scores.len(),
            number(worst.abs(), 3),
        )
    }

    fn sweep(&self) -> String {
        let mut header: Vec<String> = self.axes.iter().map(|a| a.label.clone()).collect();
        for name in &self.shown {
            header.push(name.clone());
            if self.draws.is_some() {
                header.extend(["simulated".into(), "± 2 s.e.".into(), "z".into()]);
            }
        }
        let rows: Vec<Vec<String>> = self
            .points
            .iter()
            .take(ROWS)
            .map(|point| {
                let mut row: Vec<String> = point.at.iter().map(|x| number(*x, 6)).collect();
                for name in &self.shown {
                    let cell = point.theory.as_ref().ok().and_then(|v| v.get(name));
                    row.push(cell.map(|v| value(v, 6)).unwrap_or_default());
                    if self.draws.is_some() {
                        row.extend([
                            simulated(point, name, &|m| number(m.mean, 6)),
                            simulated(point, name, &|m| number(2.0 * m.standard_error, 2)),
                            simulated(point, name, &z_text),
                        ]);
                    }
                }
                row
            })
            .collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let mut text = table(&header, &rows);
        if self.points.len() > ROWS {
            let more = self.points.len() - ROWS;
            text += &format!("… {more} more rows: --out FILE.csv writes all, --plot draws them\n");
        }
        if let Some(draws) = self.draws {
            text += &format!("\n{}\n", self.verdict(draws));
        }
        text
    }

    /// Remarks of the tasks, and the points without an answer.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        let mut add = |note: String| {
            if !notes.contains(&note) && notes.len() < 10 {
                notes.push(note);
            }
        };
        for point in &self.points {
            match &point.theory {
                Ok(values) => values.notes().iter().for_each(|n| add(n.clone())),
                Err(error) => add(format!("at {}: {error}", place_text(&self.axes, &point.at))),
            }
        }
        notes
    }

    /// Everything, for programs.
    pub(super) fn json(&self) -> Json {
        let task = self.task.card().name;
        let mut record = Map::new();
        record.insert("task".into(), task.into());
        record.insert("inputs".into(), self.inputs.value.clone());
        if let Some(draws) = self.draws {
            record.insert("draws".into(), draws.into());
            record.insert("seed".into(), self.seed.into());
        }
        if self.axes.is_empty() {
            record.extend(self.points.first().map(point_json).unwrap_or_default());
        } else {
            let points: Vec<Json> = self
                .points
                .iter()
                .map(|point| {
                    let at = self.axes.iter().zip(&point.at);
                    let at: Map<_, _> = at.map(|(a, x)| (a.label.clone(), json!(x))).collect();
                    let mut record = Map::from_iter([("at".to_owned(), Json::Object(at))]);
                    record.extend(point_json(point));
                    Json::Object(record)
                })
                .collect();
            record.insert("points".into(), points.into());
        }
        Json::Object(record)
    }

    /// One row a point, every number a column.
    pub(super) fn csv(&self) -> Result<String> {
        let points: Vec<Row> = self
            .points
            .iter()
            .map(|point| Row {
                at: point.at.iter().map(|x| files::cell(*x)).collect(),
                values: leaves_text(point),
                simulation: point
                    .simulation
                    .iter()
                    .map(|m| (m.name.clone(), [m.mean, m.standard_error].map(files::cell)))
                    .collect(),
                error: point.theory.as_ref().err().map(ToString::to_string),
            })
            .collect();
        let lead = self.axes.iter().map(|a| a.label.clone()).collect();
        files::csv(&rows(lead, &points))
    }
}

fn leaves_text(point: &Point) -> Vec<(String, String)> {
    let all = point.theory.as_ref().map(leaves).unwrap_or_default();
    all.into_iter().map(|(name, leaf)| (name, files::leaf(&leaf))).collect()
}

fn point_json(point: &Point) -> Map<String, Json> {
    record(point.theory.as_ref().map(|values| json!(values)), &point.simulation)
}

/// A cell on a simulated quantity, a list where it is one.
fn simulated(point: &Point, name: &str, text: &dyn Fn(&Measured) -> String) -> String {
    let parts = || point.simulation.iter().filter(|m| quantity(&m.name) == name);
    let mut cells: Vec<String> = parts().take(LIST).map(text).collect();
    if parts().count() > LIST {
        cells.push("…".into());
    }
    match cells.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        _ => format!("[{}]", cells.join(", ")),
    }
}

fn z_text(m: &Measured) -> String {
    m.z.map(|z| format!("{z:.2}")).unwrap_or_default()
}
