//! Figures: what is to be seen, apart from how it is drawn.
//!
//! Theory is a line, simulation and measurements are points with ±2 standard errors, an uncertain
//! estimate is a line in a band. [`Figure::save`] draws the figure, or writes a script that draws it,
//! with its data as CSV beside it.

mod draw;
mod file;
mod script;

pub(crate) use file::FigureFile;

use crate::failure::{Failure, Result};
use crate::files;
use file::{Format, Width};
use serde::Serialize;

/// A figure: curves over one axis, or a map over two.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Above the frame.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is in the frame.
    pub content: Content,
}

/// What is in the frame of a figure.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Curves and points; vertical marks name special places on the x axis. Points named like a
    /// curve and a comma, `risk, simulated`, belong to it.
    Curves {
        /// The curves and sets of points.
        series: Vec<Series>,
        /// Vertical marks.
        marks: Vec<Mark>,
    },
    /// `values[row][column]` over y\[row\] and x\[column\].
    Map {
        /// Columns.
        x: Vec<f64>,
        /// Rows.
        y: Vec<f64>,
        /// The shades.
        values: Vec<Vec<f64>>,
        /// What the shades are.
        label: String,
    },
}

/// An axis with its label.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Axis {
    /// What it shows, with the unit.
    pub label: String,
    /// Whether it is logarithmic.
    pub log: bool,
}

impl Axis {
    /// An axis with this label, linear or logarithmic.
    pub fn new(label: &str, log: bool) -> Self {
        Self { label: label.into(), log }
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A solid line, with a band where there are limits.
    Theory,
    /// A dashed line: a second reading of the same quantity.
    Alternative,
    /// Points with error bars.
    Points,
}

/// One curve or set of points.
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// For the legend.
    pub name: String,
    /// How it is drawn.
    pub role: Role,
    /// Series of one quantity share its colour.
    pub quantity: usize,
    /// Places on the horizontal axis.
    pub x: Vec<f64>,
    /// Heights.
    pub y: Vec<f64>,
    /// Lower and upper limit of each point.
    pub limits: Option<Vec<(f64, f64)>>,
}

/// A named place on the x axis.
#[derive(Clone, Debug, Serialize)]
pub struct Mark {
    /// The place.
    pub x: f64,
    /// Its name.
    pub label: String,
}

impl Figure {
    /// Writes the figure as `name` says: `.svg`, `.pdf` or `.png` (where built with those features),
    /// `.py` for a Matplotlib script, with `:column` or `:page` after it for print; its data beside it
    /// as .csv. Returns the path of the data.
    ///
    /// # Errors
    /// The name says none of these, the format is not built in, or a file cannot be written.
    pub fn save(&self, name: &str) -> std::result::Result<String, Failure> {
        let file = FigureFile::parse(name)?;
        let data = file.data();
        let bytes = match file.format {
            Format::Svg => draw::svg(self, file.width).into_bytes(),
            Format::Png => draw::png(self, file.width)?,
            Format::Pdf => draw::pdf(self, file.width)?,
            Format::Script => script::matplotlib(self, &data, file.width).into_bytes(),
        };
        files::write(&file.path, &bytes)?;
        files::write(&data, self.csv()?.as_bytes())?;
        Ok(data)
    }

    /// The figure as SVG text, for the screen.
    pub(crate) fn svg(&self) -> String {
        draw::svg(self, Width::Screen)
    }

    /// The numbers behind the figure, one row a point.
    pub(crate) fn csv(&self) -> Result<String> {
        let mut rows = vec![];
        match &self.content {
            Content::Curves { series, .. } => {
                rows.push(
                    ["series", "role", &self.x.label, &self.y.label, "low", "high"]
                        .map(String::from)
                        .to_vec(),
                );
                for s in series {
                    let role = match s.role {
                        Role::Theory => "theory",
                        Role::Alternative => "alternative",
                        Role::Points => "points",
                    };
                    for (i, (x, y)) in s.x.iter().zip(&s.y).enumerate() {
                        let limits = s.limits.as_ref().and_then(|l| l.get(i));
                        let limit = |v: Option<f64>| v.map(files::cell).unwrap_or_default();
                        rows.push(vec![
                            s.name.clone(),
                            role.into(),
                            files::cell(*x),
                            files::cell(*y),
                            limit(limits.map(|l| l.0)),
                            limit(limits.map(|l| l.1)),
                        ]);
                    }
                }
            }
            Content::Map { x, y, values, label } => {
                rows.push(vec![self.x.label.clone(), self.y.label.clone(), label.clone()]);
                for (y, row) in y.iter().zip(values) {
                    for (x, value) in x.iter().zip(row) {
                        rows.push(vec![files::cell(*x), files::cell(*y), files::cell(*value)]);
                    }
                }
            }
        }
        files::csv(&rows)
    }
}
