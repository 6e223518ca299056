//! Data with the fitted curve and its band, the loss, the profiles.

use super::super::simulate;
use super::data::Data;
use crate::failure::Result;
use crate::figure::{Axis, Content, Figure, Mark, Role, Series};
use rmt_pinn::{Fit, Loss, Problem, predict};
use rmt_task::TaskError;

/// Rise of χ² at the ends of a 95 % interval.
const RISE: f64 = 3.841_459;

pub(super) fn dense(problem: &Problem<'_>) -> Vec<f64> {
    let end = problem.observations().times().last().copied().unwrap_or_default();
    (0..=400).map(|m| end * f64::from(m) / 400.0).collect()
}

/// Data as full states, zero where a species was not observed.
pub(super) fn full_rows(problem: &Problem<'_>, data: &Data) -> Vec<Vec<f64>> {
    let full = |row: &Vec<f64>| {
        let mut u = vec![0.0; problem.initial_state().len()];
        for (&n, value) in data.species.iter().zip(row) {
            u[n] = *value;
        }
        u
    };
    data.rows.iter().map(full).collect()
}

/// Data with two standard deviations, the fitted curve and its 95 % band.
pub(super) fn band(problem: &Problem<'_>, found: &Fit, data: &Data) -> Result<Figure> {
    let times = dense(problem);
    let predicted = predict(problem, &found.estimate, &times).map_err(TaskError::from)?;
    let years: Vec<f64> = times.iter().map(|t| t + data.origin).collect();
    let width = data.species.len();
    let points: Vec<Series> = data
        .species
        .iter()
        .enumerate()
        .map(|(column, &n)| Series {
            name: format!("{}, data", problem.model().species()[n].meaning),
            role: Role::Points,
            quantity: n,
            x: data.times.iter().map(|t| t + data.origin).collect(),
            y: data.rows.iter().map(|row| row[column]).collect(),
            limits: Some(
                data.rows
                    .iter()
                    .enumerate()
                    .map(|(t, row)| {
                        let s = problem.observations().sigma()[t * width + column];
                        (row[column] - 2.0 * s, row[column] + 2.0 * s)
                    })
                    .collect(),
            ),
        })
        .collect();
    let mut figure = simulate::series(problem.model(), &years, &predicted.states, &points);
    figure.x.label.clone_from(&data.time);
    // Species whose numbers are far apart need decades to be seen together.
    let peak = |n: &usize| predicted.states.iter().map(|u| u[*n]).fold(0.0, f64::max);
    let peaks: Vec<f64> = problem.present().iter().map(peak).collect();
    let highest = peaks.iter().copied().fold(0.0, f64::max);
    figure.y.log = peaks.iter().any(|p| *p > 0.0 && highest / p > 20.0);
    if let (Content::Curves { series, .. }, Some(errors)) =
        (&mut figure.content, &predicted.log_errors)
    {
        for curve in series.iter_mut().filter(|s| s.role == Role::Theory) {
            let n = curve.quantity;
            // The band of the logarithm, so that it stays positive; wide ones are cut at e³.
            let spread = |t: usize| (1.96 * errors[t][n]).min(3.0).exp();
            let limits = curve.y.iter().enumerate().map(|(t, y)| (y / spread(t), y * spread(t)));
            curve.limits = Some(limits.collect());
        }
    }
    Ok(figure)
}

pub(super) fn losses(history: &[Loss]) -> Figure {
    let line = |name: &str, quantity, y: Vec<f64>| Series {
        name: name.to_owned(),
        role: Role::Theory,
        quantity,
        x: (1..=history.len()).map(|m| m as f64).collect(),
        y,
        limits: None,
    };
    Figure {
        title: "Training".into(),
        x: Axis::new("epoch", false),
        y: Axis::new("loss", true),
        content: Content::Curves {
            series: vec![
                line("data", 0, history.iter().map(|l| l.data).collect()),
                line("equations", 1, history.iter().map(|l| l.residual).collect()),
            ],
            marks: Vec::<Mark>::new(),
        },
    }
}

/// The part of each profile that matters: up to twice the rise of the 95 % point, and within a
/// factor 100 of the estimate.
pub(super) fn profiles(found: &Fit) -> Figure {
    let least = found.estimate.chi2;
    let mut series: Vec<Series> = found
        .profiles
        .iter()
        .enumerate()
        .map(|(quantity, p)| {
            let points = || p.values.iter().zip(&p.chi2);
            let best = points().min_by(|a, b| a.1.total_cmp(b.1)).map_or(1.0, |(value, _)| *value);
            let (x, y) = points()
                .map(|(value, chi2)| (value / best, chi2 - least))
                .filter(|(ratio, rise)| *rise <= 2.0 * RISE && (0.01..=100.0).contains(ratio))
                .unzip();
            let (name, role) = (p.name.clone(), Role::Theory);
            Series { name, role, quantity, x, y, limits: None }
        })
        .collect();
    let ratios = || series.iter().flat_map(|s| s.x.iter().copied());
    let (low, high) = ratios().fold((1.0, 1.0), |(a, b): (f64, f64), x| (a.min(x), b.max(x)));
    series.push(Series {
        name: "95 %".into(),
        role: Role::Alternative,
        quantity: 6,
        x: vec![low, high],
        y: vec![RISE; 2],
        limits: None,
    });
    Figure {
        title: "Profile likelihoods".into(),
        x: Axis::new("parameter / estimate", high / low > 10.0),
        y: Axis::new("rise of χ²", false),
        content: Content::Curves { series, marks: Vec::new() },
    }
}
