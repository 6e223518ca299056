//! What the examples share: a table on the screen, a figure with its data in the current directory, and a
//! way to find a task by its name.
#![forbid(unsafe_code)]

pub use rmt_cli::figure::{Axis, Content, Figure, Mark, Role, Series};

use rmt_cli::Failure;
use rmt_task::{Observables, Registration};

/// Prints `rows` under `header`.
pub fn table(header: &[&str], rows: &[Vec<f64>]) {
    println!("{}", header.iter().map(|h| format!("{h:>14}")).collect::<String>());
    for row in rows {
        println!("{}", row.iter().map(|x| format!("{:>14}", number(*x))).collect::<String>());
    }
}

/// Six digits.
fn number(x: f64) -> String {
    match x.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e5).contains(&size) => {
            let decimals = (5.0 - size.log10().floor()).max(0.0) as usize;
            format!("{x:.decimals$}")
        }
        _ => format!("{x:.5e}"),
    }
}

/// A column of a table.
pub fn column(rows: &[Vec<f64>], index: usize) -> Vec<f64> {
    rows.iter().map(|row| row[index]).collect()
}

/// A curve; curves of one `quantity` share a colour.
pub fn curve(name: &str, role: Role, quantity: usize, x: &[f64], y: Vec<f64>) -> Series {
    Series { name: name.to_owned(), role, quantity, x: x.to_vec(), y, limits: None }
}

/// Simulated means with bars of two standard errors on both sides; named "CURVE, simulated" they belong
/// to that curve.
pub fn simulated(name: &str, quantity: usize, x: &[f64], mean: Vec<f64>, stderr: &[f64]) -> Series {
    let limits = mean.iter().zip(stderr).map(|(m, e)| (m - 2.0 * e, m + 2.0 * e)).collect();
    Series { limits: Some(limits), ..curve(name, Role::Points, quantity, x, mean) }
}

/// Mean and standard error.
pub fn mean(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// Draws `series` to NAME.svg in the current directory, with their numbers in NAME.csv beside it.
///
/// # Errors
/// A file cannot be written.
pub fn draw(name: &str, title: &str, axes: [Axis; 2], content: Content) -> Result<(), Failure> {
    let [x, y] = axes;
    let path = format!("{name}.svg");
    let data = Figure { title: title.to_owned(), x, y, content }.save(&path)?;
    println!("figure: {path}, its data: {data}");
    Ok(())
}

/// The task of that name.
///
/// # Errors
/// There is none.
pub fn task(name: &str) -> Result<Registration, String> {
    let found = rmt_models::tasks().into_iter().find(|t| t.card().name == name);
    found.ok_or_else(|| format!("no task `{name}`"))
}

/// A list of numbers among the results; empty without it.
pub fn numbers(out: &Observables, name: &str) -> Vec<f64> {
    out.get(name).and_then(rmt_task::Value::as_numbers).unwrap_or_default()
}
