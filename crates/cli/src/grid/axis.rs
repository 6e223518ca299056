use super::Swept;
use crate::failure::{Failure, Result};
use crate::inputs::{KeyPath, is_integer};
use schemars::Schema;
use serde_json::Value as Json;

/// One swept input: the keys that move together and their values.
#[derive(Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) keys: Vec<KeyPath>,
    pub(crate) label: String,
    pub(crate) values: Vec<f64>,
    pub(crate) log: bool,
    /// Values are whole numbers.
    pub(crate) integer: bool,
}

const DEFAULT_COUNT: usize = 25;
const MOST: usize = 1_000_000;

impl Axis {
    /// Reads `key=from..to:log:count`, `key=from..to:count` or `key=a,b,c` of an option `--over`.
    pub(crate) fn parse(text: &str, schema: &Schema) -> Result<Self> {
        let bad = |what: String| {
            Failure::input(format!(
                "--over {text}: {what}; write KEY=FROM..TO:COUNT, KEY=FROM..TO:log:COUNT or KEY=A,B,C"
            ))
        };
        let (keys, range) = text.split_once('=').ok_or_else(|| bad("no `=`".into()))?;
        Self::of(keys, range, schema).map_err(bad)
    }

    /// Reads a comma-separated list of keys and their common range.
    ///
    /// # Errors
    /// What is wrong with either.
    pub(crate) fn of(
        keys: &str,
        range: &str,
        schema: &Schema,
    ) -> std::result::Result<Self, String> {
        let label = keys.to_owned();
        let keys = keys_of(keys)?;
        let number = |word: &str| {
            word.trim()
                .parse::<f64>()
                .ok()
                .filter(|x| x.is_finite())
                .ok_or_else(|| format!("`{word}` is not a number"))
        };
        let integer = keys.iter().any(|k| is_integer(schema, k));
        let (mut values, log) = match range.split_once("..") {
            None => {
                (range.split(',').map(number).collect::<std::result::Result<Vec<_>, _>>()?, false)
            }
            Some((from, rest)) => {
                let mut parts = rest.split(':');
                let (from, to) = (number(from)?, number(parts.next().unwrap_or_default())?);
                let (mut log, mut count) = (false, DEFAULT_COUNT);
                for part in parts {
                    match part.trim() {
                        "log" => log = true,
                        "lin" | "linear" => log = false,
                        n => {
                            count = n
                                .parse()
                                .map_err(|_| format!("`{n}` is neither `log` nor a count"))?;
                        }
                    }
                }
                if !(2..=MOST).contains(&count) {
                    return Err(format!("a range has 2 to {MOST} points, not {count}"));
                }
                if log && (from <= 0.0 || to <= 0.0) {
                    return Err("a logarithmic range has both ends above 0".into());
                }
                (spaced(from, to, count, log), log)
            }
        };
        if integer {
            values.iter_mut().for_each(|v| *v = v.round());
            values.dedup();
        }
        // A list spread over decades is drawn on a logarithmic axis as well.
        let spread = |v: &[f64]| {
            let (low, high) =
                v.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), x| (a.min(*x), b.max(*x)));
            low > 0.0 && high / low >= 100.0
        };
        let log = log || (!range.contains("..") && spread(&values));
        Ok(Self { keys, label, values, log, integer })
    }

    /// The same without what only a drawing needs, whole numbers written as such.
    pub(crate) fn swept(&self) -> Swept {
        let value = |x: &f64| if self.integer { whole(*x) } else { Json::from(*x) };
        Swept {
            keys: self.keys.clone(),
            label: self.label.clone(),
            values: self.values.iter().map(value).collect(),
        }
    }
}

/// A comma-separated list of keys.
///
/// # Errors
/// A key that is empty.
pub(crate) fn keys_of(text: &str) -> std::result::Result<Vec<KeyPath>, String> {
    let keys: Vec<KeyPath> = text.split(',').map(KeyPath::parse).collect();
    if keys.iter().any(|k| k.parts().is_empty()) {
        return Err("no key before `=`".into());
    }
    Ok(keys)
}

/// A number for an input that takes whole ones: without a fraction where it has none.
pub(crate) fn whole(x: f64) -> Json {
    if x.fract() == 0.0 && x.abs() < 9e15 { Json::from(x as i64) } else { Json::from(x) }
}

fn spaced(from: f64, to: f64, count: usize, log: bool) -> Vec<f64> {
    let step = |i: usize| i as f64 / (count - 1) as f64;
    (0..count)
        .map(|i| match i {
            // Both ends exactly as given.
            0 => from,
            i if i == count - 1 => to,
            i if log => (from.ln() + (to.ln() - from.ln()) * step(i)).exp(),
            i => from + (to - from) * step(i),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Schema {
        let modes = json!({"oneOf": [{"properties": {"p": {"type": "integer"}, "alpha": {"type": "number"}}}]});
        let whole = json!({"properties": {
            "n": {"type": "number", "description": "Number of rows."}, "lambda": {"type": "number"},
            "spectrum": {"$ref": "#/$defs/Modes"},
            "widths": {"type": "array", "items": {"type": "integer"}}
        }, "$defs": {"Modes": modes}});
        whole.try_into().unwrap()
    }

    #[test]
    fn ranges_and_lists_read_as_written_and_whole_inputs_are_rounded() {
        let axis = |text| Axis::parse(text, &schema()).unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!(axis("lambda=0..1:3").values, [0.0, 0.5, 1.0]);
        assert_eq!(axis("lambda=-1..1:3").values, [-1.0, 0.0, 1.0]);
        assert_eq!(axis("n=1..3:9").values, [1.0, 2.0, 3.0]);
        assert_eq!(axis("spectrum.p=1.2,7.9").values, [1.0, 8.0]);
        assert_eq!(axis("widths[1]=1.2,7.9").values, [1.0, 8.0]);
        assert_eq!(axis("spectrum.alpha=1.2,7.9").values, [1.2, 7.9]);
        let log = axis("lambda=1e-3..10:log:5");
        assert!(log.log && log.values[0] == 1e-3 && log.values[4] == 10.0);
        assert!((log.values[2] - 0.1).abs() < 1e-15);
    }

    #[test]
    fn misshapen_ranges_say_what_is_wrong() {
        for (text, wanted) in [
            ("lambda", "no `=`"),
            ("=1..2", "no key"),
            ("lambda=a..2", "`a` is not a number"),
            ("lambda=1..", "`` is not a number"),
            ("lambda=0..1:log:5", "above 0"),
            ("lambda=1..2:cubic:5", "`cubic`"),
            ("lambda=1..2:1", "2 to"),
            ("lambda=1,nan", "`nan`"),
            ("lambda=", "`` is not a number"),
        ] {
            let failure = Axis::parse(text, &schema()).unwrap_err();
            assert!(failure.text().contains(wanted), "{text}: {}", failure.text());
        }
    }
}
