//! Rows kept back to compare the promised error with the realised one.

use crate::failure::{Failure, Result};
use rmt_task::Draw;
use std::str::FromStr;

/// Which rows are kept back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Holdout {
    /// The last rows; `gap` rows before them are used by neither side.
    Last { share: Share, gap: usize },
    /// Random rows; whole groups where there are groups.
    Random { share: Share },
    /// Every window of `length` rows, moved on by `step`, against all rows at least `gap` away.
    Windows { length: usize, gap: usize, step: usize },
}

/// A part of the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Share {
    Fraction(f64),
    Rows(usize),
}

/// Positions of the rows to fit on and to test on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Split {
    pub(crate) train: Vec<usize>,
    pub(crate) test: Vec<usize>,
}

impl Share {
    fn of(self, rows: usize) -> usize {
        match self {
            Self::Fraction(f) => (f * rows as f64).round() as usize,
            Self::Rows(n) => n,
        }
    }
}

impl Holdout {
    /// The splits of `rows` rows, whose groups are given where there are any.
    pub(crate) fn splits(
        self,
        rows: usize,
        groups: Option<&[usize]>,
        seed: u64,
    ) -> Result<Vec<Split>> {
        let splits = match self {
            Self::Last { share, gap } => {
                let first = rows.saturating_sub(share.of(rows));
                let (train, test) =
                    ((0..first.saturating_sub(gap)).collect(), (first..rows).collect());
                vec![Split { train, test }]
            }
            Self::Random { share } => {
                let unit = |row: usize| groups.map_or(row, |g| g[row]);
                let units = (0..rows).map(unit).max().map_or(0, |m| m + 1);
                let mut order: Vec<usize> = (0..units).collect();
                order.sort_by_key(|i| Draw { seed, index: *i as u64 }.stream());
                let mut kept_back = vec![false; units];
                order.iter().take(share.of(units)).for_each(|i| kept_back[*i] = true);
                let (test, train) = (0..rows).partition(|row| kept_back[unit(*row)]);
                vec![Split { train, test }]
            }
            Self::Windows { length, gap, step } => (0..(rows + 1).saturating_sub(length))
                .step_by(step)
                .map(|start| {
                    let end = start + length;
                    let far = |row: &usize| row + gap <= start || *row >= end + gap;
                    Split { train: (start..end).collect(), test: (0..rows).filter(far).collect() }
                })
                .filter(|split| !split.test.is_empty())
                .collect(),
        };
        let usable = |s: &Split| s.train.len() >= 2 && !s.test.is_empty();
        if splits.is_empty() || !splits.iter().all(usable) {
            return Err(Failure::input(format!(
                "--holdout: of {rows} rows none (or a single one) is left to fit or to test on; \
                 keep back fewer, or shorten the window or the gap"
            )));
        }
        Ok(splits)
    }
}

const FORMS: &str =
    "write last:25%, last:40,gap:8, random:25% or windows:60,gap:8,step:4 (rows or percent)";

impl FromStr for Holdout {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let mut parts = text.split(',').map(|part| part.split_once(':').unwrap_or((part, "")));
        let (kind, size) = parts.next().unwrap_or_default();
        let (mut gap, mut step) = (None, None);
        for (key, value) in parts {
            let value =
                value.parse().map_err(|_| format!("`{key}:{value}` is no count; {FORMS}"))?;
            match key.trim() {
                "gap" => gap = Some(value),
                "step" => step = Some(value),
                other => return Err(format!("unknown part `{other}`; {FORMS}")),
            }
        }
        let refuse = |given: Option<usize>, part: &str| match given {
            Some(_) => Err(format!("`{kind}` takes no `{part}`; {FORMS}")),
            None => Ok(()),
        };
        match kind {
            "last" => {
                refuse(step, "step")?;
                Ok(Self::Last { share: size.parse()?, gap: gap.unwrap_or(0) })
            }
            "random" => {
                refuse(step, "step")?;
                refuse(gap, "gap")?;
                Ok(Self::Random { share: size.parse()? })
            }
            "windows" => match size.parse() {
                Ok(length) if length >= 2 && step != Some(0) => {
                    Ok(Self::Windows { length, gap: gap.unwrap_or(0), step: step.unwrap_or(1) })
                }
                _ => Err(format!("`{text}`: a window has at least 2 rows and moves on; {FORMS}")),
            },
            other => Err(format!("unknown holdout `{other}`; {FORMS}")),
        }
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let bad = || format!("`{text}` is no share of the rows; {FORMS}");
        match text.trim().strip_suffix('%') {
            Some(percent) => match percent.parse::<f64>() {
                Ok(p) if p > 0.0 && p < 100.0 => Ok(Self::Fraction(p / 100.0)),
                _ => Err(bad()),
            },
            None => match text.trim().parse::<usize>() {
                Ok(n) if n > 0 => Ok(Self::Rows(n)),
                _ => Err(bad()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splits(text: &str, rows: usize, groups: Option<&[usize]>) -> Vec<Split> {
        text.parse::<Holdout>().unwrap().splits(rows, groups, 0).unwrap()
    }

    #[test]
    fn the_last_rows_stay_apart_by_the_gap() {
        let split = &splits("last:25%,gap:2", 12, None)[0];
        assert_eq!((split.train.len(), split.test.clone()), (7, vec![9, 10, 11]));
    }

    #[test]
    fn windows_test_on_every_row_far_enough_on_both_sides() {
        let all = splits("windows:4,gap:2,step:3", 10, None);
        assert_eq!(all.len(), 3);
        assert_eq!((&all[1].train, &all[1].test), (&vec![3, 4, 5, 6], &vec![0, 1, 9]));
    }

    #[test]
    fn random_rows_depend_on_the_seed_only_and_groups_stay_whole() {
        let holdout: Holdout = "random:25%".parse().unwrap();
        let one = holdout.splits(100, None, 1).unwrap();
        assert_eq!(one, holdout.splits(100, None, 1).unwrap());
        assert_ne!(one, holdout.splits(100, None, 2).unwrap());
        assert_eq!(one[0].test.len(), 25);
        let groups: Vec<usize> = (0..100).map(|i| i / 10).collect();
        let grouped = holdout.splits(100, Some(&groups), 0).unwrap();
        let (train, test) = (&grouped[0].train, &grouped[0].test);
        assert!(test.iter().all(|i| train.iter().all(|j| groups[*i] != groups[*j])));
    }

    #[test]
    fn impossible_holdouts_are_refused() {
        for bad in [
            "",
            "first:3",
            "last",
            "last:0",
            "last:0%",
            "last:100%",
            "last:x",
            "random:25%,gap:2",
            "windows:1",
            "windows:60,step:0",
            "windows:60,jump:3",
            "last:25%,step:2",
            "last:-3",
        ] {
            assert!(bad.parse::<Holdout>().is_err(), "{bad}");
        }
        for (text, rows) in [("last:10", 10), ("windows:12", 10), ("windows:9,gap:9", 10)] {
            assert!(text.parse::<Holdout>().unwrap().splits(rows, None, 0).is_err(), "{text}");
        }
    }
}
