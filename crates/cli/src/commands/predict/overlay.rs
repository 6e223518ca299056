use crate::dataset::{Source, quoted};
use crate::failure::{Failure, Result};
use crate::figure::{Role, Series};
use crate::grid::Axis;

/// The user's measured points: a column named like the swept input, columns named like the shown
/// quantities, and standard errors in columns `QUANTITY_error`.
pub(super) fn read(path: &str, axes: &[Axis], shown: &[String]) -> Result<Vec<Series>> {
    let [axis] = axes else {
        return Err(Failure::input(format!(
            "--overlay {path}: measurements lie over a curve; sweep one input with --over"
        )));
    };
    let source = Source::read(path)?;
    let x = source.numbers(source.position(&axis.label)?)?;
    let mut series = Vec::new();
    for (quantity, name) in shown.iter().enumerate() {
        if !source.header().contains(name) {
            continue;
        }
        let y = source.numbers(source.position(name)?)?;
        let error = format!("{name}_error");
        let limits = match source.header().contains(&error) {
            false => None,
            true => {
                let errors = source.numbers(source.position(&error)?)?;
                Some(y.iter().zip(errors).map(|(y, e)| (y - 2.0 * e, y + 2.0 * e)).collect())
            }
        };
        let what = if limits.is_some() { "measured ± 2 s.e." } else { "measured" };
        let name = format!("{name}, {what}");
        series.push(Series { name, role: Role::Points, quantity, x: x.clone(), y, limits });
    }
    if series.is_empty() {
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        return Err(Failure::input(format!(
            "--overlay {path}: no column is named like a shown quantity ({}); rename one, or choose \
             quantities with --show",
            quoted(&shown)
        )));
    }
    Ok(series)
}
