use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How many rows back the features are taken; 0 is the row itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lags(Vec<usize>);

impl Default for Lags {
    fn default() -> Self {
        Self(vec![0])
    }
}

/// A column of a file, taken `lag` rows back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feature {
    pub(crate) column: String,
    #[serde(default)]
    pub(crate) lag: usize,
}

impl Feature {
    /// A column of the row itself.
    pub(super) fn present(column: String) -> Self {
        Self { column, lag: 0 }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lag {
            0 => f.write_str(&self.column),
            lag => write!(f, "{}[-{lag}]", self.column),
        }
    }
}

/// Positions of the rows that have `longest` earlier rows in their own group.
pub(crate) fn rows_with_past(rows: usize, longest: usize, groups: Option<&[usize]>) -> Vec<usize> {
    let whole = |i: &usize| {
        *i >= longest
            && groups.is_none_or(|g| g[i - longest..*i].iter().all(|other| *other == g[*i]))
    };
    (0..rows).filter(whole).collect()
}

/// Features at their lags: the rows of the file that have all of them, and the values, row-major.
pub(super) struct Lagged {
    pub(super) features: Vec<Feature>,
    pub(super) rows: Vec<usize>,
    pub(super) values: Vec<f64>,
}

impl Lags {
    /// Whether the row itself is among them.
    pub(crate) fn has_present(&self) -> bool {
        self.0.contains(&0)
    }

    /// The lagged features of every row that has earlier rows enough in its own group.
    pub(super) fn apply(
        &self,
        names: &[String],
        columns: &[Vec<f64>],
        groups: Option<&[usize]>,
    ) -> Lagged {
        let n = columns.first().map_or(0, Vec::len);
        let longest = self.0.iter().copied().max().unwrap_or(0);
        let rows = rows_with_past(n, longest, groups);
        let values = rows
            .iter()
            .flat_map(|i| {
                self.0.iter().flat_map(move |lag| columns.iter().map(move |c| c[i - lag]))
            })
            .collect();
        let at = |lag: usize| names.iter().map(move |n| Feature { column: n.clone(), lag });
        let features = self.0.iter().flat_map(|lag| at(*lag)).collect();
        Lagged { features, rows, values }
    }
}

impl FromStr for Lags {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = |word: &str| -> Result<usize, String> {
            match word.trim().parse() {
                Ok(lag) if lag <= 100_000 => Ok(lag),
                _ => Err(format!("`{word}` is no number of rows; write 0,4 or 1..12")),
            }
        };
        let mut lags = Vec::new();
        for part in text.split(',') {
            match part.split_once("..") {
                Some((from, to)) => lags.extend(count(from)?..=count(to)?),
                None => lags.push(count(part)?),
            }
        }
        lags.sort_unstable();
        lags.dedup();
        if lags.is_empty() {
            return Err(format!("`{text}` holds no lag; write 0,4 or 1..12"));
        }
        Ok(Self(lags))
    }
}

impl fmt::Display for Lags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&all.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lagged_values_come_from_earlier_rows_of_the_same_group() {
        let lags: Lags = "0,2".parse().unwrap();
        let columns = vec![vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]];
        let groups = [0, 0, 0, 1, 1, 1];
        let all = lags.apply(&["a".to_owned()], &columns, None);
        let names: Vec<_> = all.features.iter().map(Feature::to_string).collect();
        assert_eq!(names, ["a", "a[-2]"]);
        assert_eq!((all.rows.len(), &all.values[..2]), (4, &[3.0, 1.0][..]));
        let grouped = lags.apply(&["a".to_owned()], &columns, Some(&groups));
        assert_eq!((grouped.rows, grouped.values), (vec![2, 5], vec![3.0, 1.0, 6.0, 4.0]));
    }

    #[test]
    fn lags_are_lists_and_ranges() {
        assert_eq!("3,1..2,1".parse::<Lags>(), Ok(Lags(vec![1, 2, 3])));
        for bad in ["", "a", "-1", "2..1", "1..9999999999"] {
            assert!(bad.parse::<Lags>().is_err(), "{bad}");
        }
    }
}
