//! Drawing with kuva: the one place that knows the plotting crate.

use super::file::Width;
use super::{Axis, Content, Figure, Mark, Role, Series};
use crate::failure::{Failure, Result};
use crate::output::number;
use kuva::plot::colormap::ColorMap;
use kuva::plot::legend::{LegendEntry, LegendPosition, LegendShape};
use kuva::plot::scatter::MarkerShape;
use kuva::plot::{BandPlot, Heatmap, LinePlot, ScatterPlot};
use kuva::render::annotations::ReferenceLine;
use kuva::render::layout::{AxisLine, Layout, TickAlign, TickFormat};
use kuva::render::plots::Plot;
use std::sync::Arc;

/// Okabe and Ito's colours, safe for colour-blind readers; yellow is left out, too pale for lines.
pub(super) const COLOURS: [&str; 7] =
    ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
/// Free space beyond the data, as a fraction of the axis.
const MARGIN: f64 = 0.03;

/// What a width means for the page and its type, in pixels of 1/96 inch.
struct Measures {
    width: f64,
    height: f64,
    title: u32,
    label: u32,
    tick: u32,
    line: f64,
    point: f64,
}

impl Measures {
    fn of(width: Width) -> Self {
        match width {
            Width::Screen => Self {
                width: 620.0,
                height: 430.0,
                title: 15,
                label: 14,
                tick: 12,
                line: 2.0,
                point: 3.5,
            },
            // 3.4 inches, the column of most two-column journals, with type of 7 to 8 points.
            Width::Column => Self {
                width: 326.0,
                height: 240.0,
                title: 11,
                label: 10,
                tick: 9,
                line: 1.3,
                point: 2.0,
            },
            // 6.8 inches, both columns.
            Width::Page => Self {
                width: 653.0,
                height: 400.0,
                title: 12,
                label: 11,
                tick: 10,
                line: 1.5,
                point: 2.5,
            },
        }
    }

    /// Mean width of a character of the legend.
    fn character(&self) -> f64 {
        0.58 * f64::from(self.tick)
    }

    /// Width and height of the legend, from the size of its type.
    fn legend(&self, legend: &[LegendEntry]) -> (f64, f64) {
        let longest = legend.iter().map(|e| e.label.chars().count()).max().unwrap_or(0);
        let tick = f64::from(self.tick);
        (
            5.8 * tick + self.character() * longest as f64,
            2.5 * tick + 1.6 * tick * legend.len() as f64,
        )
    }
}

/// The figure as SVG text.
pub(super) fn svg(figure: &Figure, width: Width) -> String {
    let (plots, layout) = compose(figure, width);
    kuva::render_to_svg(plots, layout)
}

/// The figure as PNG, twice the resolution of the screen.
#[cfg(feature = "png")]
pub(super) fn png(figure: &Figure, width: Width) -> Result<Vec<u8>> {
    let (plots, layout) = compose(figure, width);
    kuva::render_to_png(plots, layout, 2.0).map_err(Failure::result)
}

#[cfg(not(feature = "png"))]
pub(super) fn png(_: &Figure, _: Width) -> Result<Vec<u8>> {
    Err(Failure::input("this rmt draws no PNG: build with `--features png`"))
}

/// The figure as PDF.
#[cfg(feature = "pdf")]
pub(super) fn pdf(figure: &Figure, width: Width) -> Result<Vec<u8>> {
    let (plots, layout) = compose(figure, width);
    kuva::render_to_pdf(plots, layout).map_err(Failure::result)
}

#[cfg(not(feature = "pdf"))]
pub(super) fn pdf(_: &Figure, _: Width) -> Result<Vec<u8>> {
    Err(Failure::input("this rmt draws no PDF: build with `--features pdf`"))
}

fn compose(figure: &Figure, width: Width) -> (Vec<Plot>, Layout) {
    let measures = Measures::of(width);
    match &figure.content {
        Content::Curves { series, marks } => curves(figure, &measures, series, marks),
        Content::Map { x, y, values, label } => map(figure, &measures, (x, y), values, label),
    }
}

fn curves(
    figure: &Figure,
    measures: &Measures,
    series: &[Series],
    marks: &[Mark],
) -> (Vec<Plot>, Layout) {
    let shown: Vec<Drawn> = series.iter().map(|s| Drawn::new(figure, s)).collect();
    let one_quantity = series.iter().all(|s| s.quantity == series[0].quantity);
    let xs = || shown.iter().flat_map(|s| s.points.iter().map(|p| p.x));
    let ys = || shown.iter().flat_map(|s| s.points.iter().flat_map(|p| [p.y, p.low, p.high]));
    let x_range = padded(xs().chain(marks.iter().map(|m| m.x)), figure.x.log);
    let y_range = padded(ys(), figure.y.log);

    let mut plots = Vec::new();
    let mut legend = Vec::new();
    // Bands lie below lines, lines below points.
    for (s, d) in series.iter().zip(&shown) {
        if s.role != Role::Points && s.limits.is_some() {
            for run in d.runs() {
                let x = run.iter().map(|p| p.x);
                let (low, high) = (run.iter().map(|p| p.low), run.iter().map(|p| p.high));
                let band = BandPlot::new(x, low, high);
                plots.push(band.with_color(colour(s, one_quantity)).with_opacity(0.18).into());
            }
        }
    }
    for (s, d) in series.iter().zip(&shown).filter(|(s, _)| s.role != Role::Points) {
        for run in d.runs() {
            let line = LinePlot::new()
                .with_data(run.iter().map(|p| (p.x, p.y)))
                .with_color(colour(s, one_quantity))
                .with_stroke_width(measures.line);
            let dashed = s.role == Role::Alternative;
            plots.push(if dashed { line.with_dashed() } else { line }.into());
        }
    }
    for (s, d) in series.iter().zip(&shown).filter(|(s, _)| s.role == Role::Points) {
        let points = ScatterPlot::new()
            .with_data(d.points.iter().map(|p| (p.x, p.y)))
            .with_color(colour(s, one_quantity))
            .with_size(measures.point);
        let bars = d.points.iter().map(|p| (p.y - p.low, p.high - p.y));
        plots.push(match s.limits {
            Some(_) => points.with_y_err_asymmetric(bars).into(),
            None => points.into(),
        });
    }
    let lines: Vec<&Series> = series.iter().filter(|s| s.role != Role::Points).collect();
    for s in &lines {
        let dashes = (s.role == Role::Alternative).then(|| "8 4".to_owned());
        let color = colour(s, one_quantity).to_owned();
        let (label, shape) = (s.name.clone(), LegendShape::Line);
        legend.push(LegendEntry { label, color, shape, dasharray: dashes });
    }
    // Points that belong to curves have their colours; what they are is said once, in grey where
    // there are several.
    let of_curve = |s: &Series| {
        let what =
            |l: &&Series| s.name.strip_prefix(&l.name)?.strip_prefix(", ").map(str::to_owned);
        lines.iter().find_map(what)
    };
    let points: Vec<&Series> = series.iter().filter(|s| s.role == Role::Points).collect();
    let attached = points.iter().filter(|s| of_curve(s).is_some()).count();
    for s in points {
        let (label, color) = match of_curve(s) {
            Some(what) if attached > 1 => (what, "#555555"),
            Some(what) => (what, colour(s, one_quantity)),
            None => (s.name.clone(), colour(s, one_quantity)),
        };
        if !legend.iter().any(|e| e.label == label) {
            let shape = LegendShape::Marker(MarkerShape::Circle);
            legend.push(LegendEntry { label, color: color.into(), shape, dasharray: None });
        }
    }

    let position = free_corner(&shown, marks, x_range, y_range, figure, measures, &legend);
    // A legend outside widens the figure instead of narrowing the frame.
    let outside = match position {
        LegendPosition::OutsideRightTop => measures.legend(&legend).0,
        _ => 0.0,
    };
    let mut layout = dressed(Layout::new(x_range, y_range), figure, measures)
        .with_x_axis_min(x_range.0)
        .with_x_axis_max(x_range.1)
        .with_y_axis_min(y_range.0)
        .with_y_axis_max(y_range.1)
        .with_width(measures.width + outside)
        .with_legend_entries(legend)
        .with_legend_position(position);
    layout = if figure.x.log {
        layout.with_log_x().with_x_tick_format(log_ticks())
    } else {
        layout.with_x_tick_format(plain_ticks())
    };
    layout = if figure.y.log {
        layout.with_log_y().with_y_tick_format(log_ticks())
    } else {
        layout.with_y_tick_format(plain_ticks())
    };
    // Between powers of ten lie nine steps; between 1, 2 and 5 equal steps would mislead.
    let decades = |range: (f64, f64)| (range.1 / range.0).log10() > 3.0;
    match (figure.x.log, figure.y.log) {
        (false, false) => layout = layout.with_minor_ticks(2),
        (true, true) if decades(x_range) && decades(y_range) => {
            layout = layout.with_minor_ticks(9);
        }
        _ => {}
    }
    for mark in marks {
        let mut line = ReferenceLine::vertical(mark.x);
        line.color = "#666666".into();
        line.dasharray = "3 3".into();
        line.label = Some(mark.label.clone());
        layout = layout.with_reference_line(line);
    }
    (plots, layout)
}

fn map(
    figure: &Figure,
    measures: &Measures,
    (x, y): (&[f64], &[f64]),
    values: &[Vec<f64>],
    label: &str,
) -> (Vec<Plot>, Layout) {
    let finite = || values.iter().flatten().copied().filter(|v| v.is_finite());
    let (low, high) =
        finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    // A map that spans decades shows its decades.
    let log = low > 0.0 && high / low > 50.0;
    let shade = |v: f64| {
        let v = v.clamp(low, high);
        if log { v.log10() } else { v }
    };
    let data: Vec<Vec<f64>> =
        values.iter().map(|row| row.iter().map(|v| shade(*v)).collect()).collect();
    let (x_range, y_range) = (cell_range(x, figure.x.log), cell_range(y, figure.y.log));
    let heat = Heatmap::new()
        .with_data(data)
        .with_color_map(ColorMap::Viridis)
        .with_x_range(x_range.0, x_range.1)
        .with_y_range(y_range.0, y_range.1)
        .with_cell_size(1.0);
    let plots: Vec<Plot> = vec![heat.into()];
    let ticks = |axis: &Axis| if axis.log { decade_ticks() } else { plain_ticks() };
    let shown = if log { format!("log₁₀ {label}") } else { label.to_owned() };
    let layout = dressed(Layout::auto_from_plots(&plots), figure, measures)
        .with_title(format!("{}: {shown}", figure.title))
        .with_x_axis_min(x_range.0)
        .with_x_axis_max(x_range.1)
        .with_y_axis_min(y_range.0)
        .with_y_axis_max(y_range.1)
        .with_x_tick_format(ticks(&figure.x))
        .with_y_tick_format(ticks(&figure.y));
    (plots, layout)
}

/// What all figures share: size, type, frame, ticks inside.
fn dressed(layout: Layout, figure: &Figure, measures: &Measures) -> Layout {
    let mut layout = layout
        .with_width(measures.width)
        .with_height(measures.height)
        .with_font_family("Helvetica, Arial, DejaVu Sans, sans-serif")
        .with_title(figure.title.clone())
        .with_x_label(figure.x.label.clone())
        .with_y_label(figure.y.label.clone())
        .with_title_size(measures.title)
        .with_label_size(measures.label)
        .with_tick_size(measures.tick)
        .with_body_size(measures.tick)
        .with_axis_line(AxisLine::Box)
        .with_tick_align(TickAlign::Inside)
        .with_show_grid(false)
        .with_tick_length(5.0);
    layout.interactive = false;
    layout
}

fn colour(series: &Series, one_quantity: bool) -> &'static str {
    // With a single quantity the two colours tell theory from measurement.
    let index = match series.role {
        Role::Points if one_quantity => 1,
        _ => series.quantity,
    };
    COLOURS[index % COLOURS.len()]
}

fn plain_ticks() -> TickFormat {
    TickFormat::Custom(Arc::new(|v| if v.abs() < 1e-12 { "0".into() } else { number(v, 4) }))
}

fn log_ticks() -> TickFormat {
    TickFormat::Custom(Arc::new(|v| number(v, 1)))
}

fn decade_ticks() -> TickFormat {
    TickFormat::Custom(Arc::new(|v| number(10f64.powf(v), 2)))
}

struct Point {
    x: f64,
    y: f64,
    low: f64,
    high: f64,
}

/// The points of a series that can be drawn; a gap stands where one cannot.
struct Drawn {
    points: Vec<Point>,
    /// Index in `points` where each unbroken run starts.
    starts: Vec<usize>,
}

impl Drawn {
    fn new(figure: &Figure, series: &Series) -> Self {
        let drawable = |v: f64, axis: &Axis| v.is_finite() && (!axis.log || v > 0.0);
        let (mut points, mut starts, mut broken) = (Vec::new(), Vec::new(), true);
        for (i, (&x, &y)) in series.x.iter().zip(&series.y).enumerate() {
            if !drawable(x, &figure.x) || !drawable(y, &figure.y) {
                broken = true;
                continue;
            }
            if broken {
                starts.push(points.len());
                broken = false;
            }
            let (low, high) =
                series.limits.as_ref().and_then(|l| l.get(i)).copied().unwrap_or((y, y));
            // A bar that reaches below zero on a log axis ends a decade below its point.
            let low = if drawable(low, &figure.y) { low } else { y / 10.0 };
            let high = if drawable(high, &figure.y) { high } else { y };
            points.push(Point { x, y, low, high });
        }
        Self { points, starts }
    }

    fn runs(&self) -> impl Iterator<Item = &[Point]> {
        self.starts.iter().enumerate().map(|(i, start)| {
            let end = self.starts.get(i + 1).copied().unwrap_or(self.points.len());
            &self.points[*start..end]
        })
    }
}

/// The range of the data with a margin on both sides; never empty.
fn padded(values: impl Iterator<Item = f64>, log: bool) -> (f64, f64) {
    let usable = values.filter(|v| v.is_finite() && (!log || *v > 0.0));
    let scaled = usable.map(|v| if log { v.ln() } else { v });
    let (mut low, mut high) =
        scaled.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if low > high {
        (low, high) = (0.0, 1.0);
    }
    let width = high - low;
    let margin = if width > 0.0 { MARGIN * width } else { 0.5 * low.abs().max(1.0) };
    let (low, high) = (low - margin, high + margin);
    if log { (low.exp(), high.exp()) } else { (low, high) }
}

/// From the outer edge of the first cell to that of the last, in decades on a log axis.
fn cell_range(centres: &[f64], log: bool) -> (f64, f64) {
    let scale = |v: f64| if log { v.log10() } else { v };
    let (first, last) = match (centres.first(), centres.last()) {
        (Some(first), Some(last)) => (scale(*first), scale(*last)),
        _ => (0.0, 1.0),
    };
    let half = if centres.len() > 1 {
        0.5 * (last - first) / (centres.len() - 1) as f64
    } else {
        0.5 * first.abs().max(1.0)
    };
    (first - half, last + half)
}

/// The corner that no curve, point or label comes near; outside if there is none.
fn free_corner(
    drawn: &[Drawn],
    marks: &[Mark],
    x: (f64, f64),
    y: (f64, f64),
    figure: &Figure,
    measures: &Measures,
    legend: &[LegendEntry],
) -> LegendPosition {
    let place = |v: f64, range: (f64, f64), log: bool| {
        let scale = |v: f64| if log { v.ln() } else { v };
        (scale(v) - scale(range.0)) / (scale(range.1) - scale(range.0))
    };
    // The box as a fraction of the frame.
    let (width, height) = measures.legend(legend);
    let (frame, tall) = (0.85 * measures.width, 0.75 * measures.height);
    let (width, height) = (width / frame, height / tall);
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for d in drawn {
        for run in d.runs() {
            let corners = |p: &Point| {
                let px = place(p.x, x, figure.x.log);
                [p.low, p.y, p.high].map(|v| (px, place(v, y, figure.y.log)))
            };
            taken.extend(run.iter().flat_map(corners));
            // Lines are taken along their whole length.
            for pair in run.windows(2) {
                let (a, b) = (corners(&pair[0])[1], corners(&pair[1])[1]);
                taken.extend((1..20).map(|k| {
                    let t = f64::from(k) / 20.0;
                    (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
                }));
            }
        }
    }
    for mark in marks {
        let px = place(mark.x, x, figure.x.log);
        let label = measures.character() * mark.label.chars().count() as f64 / frame;
        taken.extend([(px, 1.0), (px + 0.5 * label, 1.0), (px + label, 1.0), (px, 0.0)]);
    }
    let free = |right: bool, top: bool| {
        taken.iter().all(|(px, py)| {
            let (px, py) = (if right { 1.0 - px } else { *px }, if top { 1.0 - py } else { *py });
            px > width || py > height
        })
    };
    let corners = [
        (LegendPosition::InsideTopRight, free(true, true)),
        (LegendPosition::InsideTopLeft, free(false, true)),
        (LegendPosition::InsideBottomRight, free(true, false)),
        (LegendPosition::InsideBottomLeft, free(false, false)),
    ];
    let found = corners.into_iter().find(|(_, free)| *free);
    found.map_or(LegendPosition::OutsideRightTop, |(position, _)| position)
}

#[cfg(test)]
mod tests;
