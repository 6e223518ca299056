use super::analysis::Analysis;
use crate::failure::{Failure, Result};
use crate::figure::{Axis, Content, Figure, Mark, Role, Series};
use rmt_estimators::consistency::Comparison;
use std::path::Path;

/// `plot.svg` → `plot-name.svg`.
pub(super) fn beside(path: &str, name: &str) -> String {
    let file = Path::new(path);
    let stem = file.file_stem().and_then(|s| s.to_str()).unwrap_or("plot");
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
    file.with_file_name(format!("{stem}-{name}.{extension}")).to_string_lossy().into_owned()
}

/// A class label as part of a file name.
pub(super) fn file_part(label: &str) -> String {
    label.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// Every figure, with what its file name adds to that of the first.
pub(super) fn all(a: &Analysis) -> Result<Vec<(Option<&'static str>, Figure)>> {
    let mut figures = vec![
        (None, against_n(a)),
        (Some("modes"), modes(a)),
        (Some("gains"), gains(a)),
        (Some("kappa"), renormalisation(a)),
        (Some("noise"), over_noise(a)),
        (Some("map"), variance_map(a)?),
    ];
    // With several classes, the title says which.
    if let Some(class) = &a.class {
        figures.iter_mut().for_each(|(_, f)| f.title = format!("{class}: {}", f.title));
    }
    Ok(figures)
}

/// Draws everything; the names of the files written.
pub(super) fn save(a: &Analysis, path: &str) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for (name, figure) in all(a)? {
        let path = name.map_or_else(|| path.to_owned(), |name| beside(path, name));
        figure.save(&path)?;
        files.push(path);
    }
    Ok(files)
}

fn curves(title: &str, x: Axis, y: Axis, series: Vec<Series>, marks: Vec<Mark>) -> Figure {
    Figure { title: title.into(), x, y, content: Content::Curves { series, marks } }
}

fn line(name: String, quantity: usize, points: impl IntoIterator<Item = (f64, f64)>) -> Series {
    let (x, y) = points.into_iter().unzip();
    Series { name, role: Role::Theory, quantity, x, y, limits: None }
}

fn against_n(a: &Analysis) -> Figure {
    let mut series = vec![line("predicted".into(), 0, a.curve.iter().copied())];
    let measured: Vec<_> = a.check.iter().filter(|c| c.sigma.is_none()).collect();
    if !measured.is_empty() {
        let error = |c: &&Comparison| {
            let half = 2.0 * c.relative * c.standard_error / c.measured;
            (c.relative - half, c.relative + half)
        };
        series.push(Series {
            name: "measured on splits".into(),
            role: Role::Points,
            quantity: 0,
            x: measured.iter().map(|c| c.n as f64).collect(),
            y: measured.iter().map(|c| c.relative).collect(),
            limits: Some(measured.iter().map(error).collect()),
        });
    }
    let marks = vec![Mark {
        x: a.required_samples as f64,
        label: format!("required: {}", a.required_samples),
    }];
    curves(
        "Samples of two models from the same noise",
        Axis::new("training samples each", true),
        Axis::new("relative disagreement", true),
        series,
        marks,
    )
}

/// At most five of the sizes, the largest among them.
fn some_sizes(a: &Analysis) -> Vec<usize> {
    let step = a.sizes.len().div_ceil(5).max(1);
    let mut list: Vec<usize> = (0..a.sizes.len()).rev().step_by(step).collect();
    list.reverse();
    list
}

fn modes(a: &Analysis) -> Figure {
    let ranks = || a.modes.rank.iter().map(|r| *r as f64);
    let series = some_sizes(a)
        .into_iter()
        .enumerate()
        .map(|(q, k)| {
            let points = ranks().zip(a.modes.consistency[k].iter().copied());
            line(format!("n = {}", a.sizes[k].n), q, points)
        })
        .collect();
    curves(
        "Consistency of generated samples by mode",
        Axis::new("mode (rank)", true),
        Axis::new("consistency", false),
        series,
        vec![],
    )
}

fn gains(a: &Analysis) -> Figure {
    let modes = &a.modes;
    let mut series: Vec<Series> = some_sizes(a)
        .into_iter()
        .enumerate()
        .map(|(q, k)| {
            let points = modes.eigenvalue.iter().copied().zip(modes.gain[k].iter().copied());
            line(format!("n = {}", a.sizes[k].n), q, points)
        })
        .collect();
    let population = modes.eigenvalue.iter().copied().zip(modes.population_gain.iter().copied());
    let mut ideal = line("infinite data".into(), 6, population);
    ideal.role = Role::Alternative;
    series.push(ideal);
    curves(
        &format!("Denoiser gain at noise level {}", modes.gain_sigma),
        Axis::new("variance of the mode", true),
        Axis::new("mean gain", false),
        series,
        vec![],
    )
}

fn renormalisation(a: &Analysis) -> Figure {
    let mut series: Vec<Series> = some_sizes(a)
        .into_iter()
        .enumerate()
        .map(|(q, k)| {
            let points = a.over_noise[k].iter().map(|(sigma, kappa, _)| (sigma * sigma, *kappa));
            line(format!("n = {}", a.sizes[k].n), q, points)
        })
        .collect();
    if let Some(first) = a.over_noise.first() {
        let points = first.iter().map(|(sigma, ..)| (sigma * sigma, sigma * sigma));
        let mut ideal = line("infinite data".into(), 6, points);
        ideal.role = Role::Alternative;
        series.push(ideal);
    }
    curves(
        "Noise variance renormalised by finite data",
        Axis::new("noise variance", true),
        Axis::new("kappa", true),
        series,
        vec![],
    )
}

fn over_noise(a: &Analysis) -> Figure {
    let mut series: Vec<Series> = Vec::new();
    for (q, k) in some_sizes(a).into_iter().enumerate() {
        let n = a.sizes[k].n;
        let points = a.over_noise[k].iter().map(|(sigma, _, relative)| (*sigma, *relative));
        series.push(line(format!("n = {n}"), q, points));
        let measured: Vec<_> =
            a.check.iter().filter(|c| c.n == n).filter_map(|c| Some((c.sigma?, c))).collect();
        if !measured.is_empty() {
            series.push(Series {
                name: format!("n = {n}, measured"),
                role: Role::Points,
                quantity: q,
                x: measured.iter().map(|(sigma, _)| *sigma).collect(),
                y: measured.iter().map(|(_, c)| c.relative).collect(),
                limits: None,
            });
        }
    }
    curves(
        "Disagreement of two denoisers",
        Axis::new("noise level", true),
        Axis::new("relative disagreement", true),
        series,
        vec![],
    )
}

/// Modes shown in the variance map.
const MAP: usize = 48;

fn variance_map(a: &Analysis) -> Result<Figure> {
    let n = a.sizes.last().map_or(2, |s| s.n);
    let model = a.forecast.model(n as f64).map_err(Failure::input)?;
    let map = model
        .denoiser(a.modes.gain_sigma * a.modes.gain_sigma)
        .map_err(Failure::input)?
        .entry_variances()
        .map_err(Failure::input)?;
    let size = a.modes.rank.last().copied().unwrap_or(1).min(MAP);
    let ranks: Vec<f64> = (1..=size).map(|r| r as f64).collect();
    // Logarithms: the factors span decades.
    let values = (0..size)
        .map(|i| (0..size).map(|j| map[(i, j)].max(f64::MIN_POSITIVE).log10()).collect())
        .collect();
    Ok(Figure {
        title: format!("Variance of the denoiser's entries, n = {n}, noise {}", a.modes.gain_sigma),
        x: Axis::new("input mode", false),
        y: Axis::new("output mode", false),
        content: Content::Map {
            x: ranks.clone(),
            y: ranks,
            values,
            label: "log10 variance".into(),
        },
    })
}
