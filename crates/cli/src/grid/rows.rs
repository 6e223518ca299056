//! The table of a grid: one row a point, every number a column.

use super::quantity;
use std::collections::HashMap;

/// One point for the table, cells as text.
#[derive(Default)]
pub(crate) struct Row {
    /// Cells of the leading columns.
    pub(crate) at: Vec<String>,
    /// Quantities by name.
    pub(crate) values: Vec<(String, String)>,
    /// Mean and standard error of simulated quantities by name.
    pub(crate) simulation: Vec<(String, [String; 2])>,
    /// Why the point has no answer.
    pub(crate) error: Option<String>,
}

/// Header and rows: the leading columns, the quantities in the order in which they first come,
/// simulated means and standard errors likewise, and `error` where some point has one.
pub(crate) fn rows(lead: Vec<String>, points: &[Row]) -> Vec<Vec<String>> {
    let values = Columns::of(points.iter().flat_map(|p| p.values.iter().map(|(n, _)| n)));
    let measured = Columns::of(points.iter().flat_map(|p| p.simulation.iter().map(|(n, _)| n)));
    let errors = points.iter().any(|p| p.error.is_some());
    let first = lead.len();
    let (second, third) =
        (first + values.names.len(), first + values.names.len() + 2 * measured.names.len());
    let mut header = lead;
    header.extend(values.names.iter().map(|n| (*n).to_owned()));
    for name in &measured.names {
        header.extend([format!("{name}_simulated"), format!("{name}_standard_error")]);
    }
    header.extend(errors.then(|| "error".to_owned()));
    let mut table = vec![header];
    for point in points {
        let mut row = point.at.clone();
        row.resize(third + usize::from(errors), String::new());
        for (name, cell) in &point.values {
            row[first + values.place[name.as_str()]].clone_from(cell);
        }
        for (name, [mean, error]) in &point.simulation {
            let place = second + 2 * measured.place[name.as_str()];
            row[place].clone_from(mean);
            row[place + 1].clone_from(error);
        }
        if let Some(error) = &point.error {
            row[third].clone_from(error);
        }
        table.push(row);
    }
    table
}

/// Distinct names in order of first appearance, the parts of one quantity together; and where each
/// is.
struct Columns<'a> {
    names: Vec<&'a str>,
    place: HashMap<&'a str, usize>,
}

impl<'a> Columns<'a> {
    fn of(all: impl Iterator<Item = &'a String>) -> Self {
        let (mut names, mut quantities) = (HashMap::new(), HashMap::new());
        for name in all {
            let (next, first) = (names.len(), quantities.len());
            names
                .entry(name.as_str())
                .or_insert_with(|| (*quantities.entry(quantity(name)).or_insert(first), next));
        }
        let mut order: Vec<(&str, (usize, usize))> = names.into_iter().collect();
        order.sort_by_key(|(_, rank)| *rank);
        let names: Vec<&str> = order.into_iter().map(|(name, _)| name).collect();
        let place = names.iter().enumerate().map(|(i, name)| (*name, i)).collect();
        Self { names, place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ragged_points_share_one_header() {
        let cell = |n: &str, x: &str| (n.to_owned(), x.to_owned());
        let points = [
            Row { at: vec!["1".into()], values: vec![cell("a", "2")], ..Row::default() },
            Row { at: vec!["2".into()], error: Some("no".into()), ..Row::default() },
            Row {
                at: vec!["3".into()],
                values: vec![cell("b", "4"), cell("a", "5"), cell("a[1]", "8")],
                simulation: vec![("a".into(), ["6".into(), "7".into()])],
                error: None,
            },
        ];
        let table = rows(vec!["n".into()], &points);
        assert_eq!(table[0], ["n", "a", "a[1]", "b", "a_simulated", "a_standard_error", "error"]);
        assert_eq!(table[1], ["1", "2", "", "", "", "", ""]);
        assert_eq!(table[2], ["2", "", "", "", "", "", "no"]);
        assert_eq!(table[3], ["3", "5", "8", "4", "6", "7", ""]);
    }
}
