//! Files of cases: what `rmt eval` and `rmt check` read.
//!
//! A file is `{"topic", "rtol", "cases": [{"name", "note"?, "task", "inputs", "expected"?}]}` or a
//! single case; JSON, or TOML of the same shape.

use crate::inputs::{KeyPath, Source};
use rmt_task::unknown_key;
use serde_json::{Map, Value as Json};
use std::fmt;

/// Relative tolerance of a file that states none.
const DEFAULT_RTOL: f64 = 1e-10;

/// A file of cases.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseFile {
    /// Relative tolerance of quantities that state none of their own.
    pub rtol: f64,
    /// The cases in order.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its name; the task's name when the file gives none.
    pub name: String,
    /// Name of the task.
    pub task: String,
    /// Inputs of the task, unread.
    pub inputs: Json,
    /// What must come out: quantity → `{"value", "rtol"?, "atol"?}`, or `"error"` → its kind.
    pub expected: Option<Map<String, Json>>,
}

/// Why a text is no file of cases.
#[derive(Clone, Debug, PartialEq)]
pub struct BadCases(String);

impl fmt::Display for BadCases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadCases {}

/// Reads a file of cases; `name` is what errors call it.
///
/// # Errors
/// Text that is neither JSON nor TOML, or not of the shape above, shown at its line.
pub fn read_cases(name: &str, text: &str) -> Result<CaseFile, BadCases> {
    let whole = |message: String| BadCases(format!("{name}: {message}"));
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(whole("the file is empty".into()));
    }
    let (source, root) =
        Source::parse(name, text.to_owned()).map_err(|e| BadCases(e.text().to_owned()))?;
    let at = |wrong: Wrong| {
        let key = KeyPath::parse(&wrong.place);
        BadCases(source.mark(&key, wrong.whole_key, &format!("{}: {}", wrong.place, wrong.message)))
    };
    let Json::Object(mut root) = root else {
        return Err(whole(format!(
            "expected an object with `cases`, or with `task` and `inputs`, found {}",
            kind_of(&root)
        )));
    };
    let rtol = match root.get("rtol") {
        None => DEFAULT_RTOL,
        Some(value) => value.as_f64().filter(|r| *r >= 0.0).ok_or_else(|| {
            at(Wrong::at("rtol", format!("expected a number ≥ 0, found {value}")))
        })?,
    };
    let cases = match root.remove("cases") {
        None if root.contains_key("task") => {
            root.remove("rtol");
            vec![read_case(root, "").map_err(at)?]
        }
        None => {
            return Err(whole(
                "neither `cases` nor `task`: give {\"cases\": […]} or one {\"task\", \"inputs\"}"
                    .into(),
            ));
        }
        Some(Json::Array(items)) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| {
                let place = format!("cases[{index}]");
                match item {
                    Json::Object(case) => read_case(case, &place),
                    other => Err(Wrong::at(
                        &place,
                        format!(
                            "expected an object with `task` and `inputs`, found {}",
                            kind_of(&other)
                        ),
                    )),
                }
            })
            .collect::<Result<_, _>>()
            .map_err(at)?,
        Some(other) => {
            return Err(at(Wrong::at(
                "cases",
                format!("expected a list, found {}", kind_of(&other)),
            )));
        }
    };
    Ok(CaseFile { rtol, cases })
}

/// What is wrong where in a file of cases.
struct Wrong {
    place: String,
    /// It is about the key, not about its value.
    whole_key: bool,
    message: String,
}

impl Wrong {
    fn at(place: &str, message: String) -> Self {
        Self { place: place.to_owned(), whole_key: false, message }
    }
}

const CASE_KEYS: [&str; 5] = ["name", "note", "task", "inputs", "expected"];

fn read_case(mut case: Map<String, Json>, place: &str) -> Result<Case, Wrong> {
    let below = |key: &str| if place.is_empty() { key.into() } else { format!("{place}.{key}") };
    let missing = |key: &str| {
        let (place, message) = match place {
            "" => (key, "missing".to_owned()),
            place => (place, format!("`{key}` is missing")),
        };
        Wrong::at(place, message)
    };
    if let Some(key) = case.keys().find(|k| !CASE_KEYS.contains(&k.as_str())) {
        let message = unknown_key(key, &CASE_KEYS).message;
        return Err(Wrong { place: below(key), whole_key: true, message });
    }
    let task = match case.remove("task") {
        Some(Json::String(task)) => task,
        Some(other) => {
            return Err(Wrong::at(&below("task"), format!("expected a name, found {other}")));
        }
        None => return Err(missing("task")),
    };
    let name = match case.remove("name") {
        Some(Json::String(name)) => name,
        None => task.clone(),
        Some(other) => {
            return Err(Wrong::at(&below("name"), format!("expected text, found {other}")));
        }
    };
    let inputs = case.remove("inputs").ok_or_else(|| missing("inputs"))?;
    let expected = match case.remove("expected") {
        None | Some(Json::Null) => None,
        Some(Json::Object(map)) => Some(map),
        Some(other) => {
            let found = format!("expected an object, found {}", kind_of(&other));
            return Err(Wrong::at(&below("expected"), found));
        }
    };
    Ok(Case { name, task, inputs, expected })
}

/// What a JSON value is, for messages about the wrong type.
pub(crate) fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_case_and_a_file_of_one_read_alike() {
        let single = read_cases("f", r#"{"task": "ridge", "inputs": {"n": 3}}"#).unwrap();
        let file =
            read_cases("f", r#"{"cases": [{"task": "ridge", "inputs": {"n": 3}}]}"#).unwrap();
        let toml = read_cases("f", "task = 'ridge'\n[inputs]\nn = 3").unwrap();
        assert_eq!(single, file);
        assert_eq!(single, toml);
        assert_eq!(single.cases[0].name, "ridge");
    }

    #[test]
    fn every_misshapen_file_is_refused_with_its_place() {
        for (text, wanted) in [
            ("", "empty"),
            ("{\"cases\": [", "line 1 column 11"),
            ("[1, 2]", "a list"),
            ("3", "not valid TOML"),
            ("{}", "neither `cases` nor `task`"),
            ("{\"cases\": 3}", "a number"),
            ("{\"cases\": [3]}", "cases[0]"),
            ("{\"cases\": [{\"task\": \"a\"}]}", "`inputs` is missing"),
            ("{\"cases\": [{\"inputs\": {}}]}", "`task` is missing"),
            ("{\"cases\": [{\"task\": 1, \"inputs\": {}}]}", "cases[0].task"),
            ("{\"cases\": [{\"task\": \"a\", \"input\": {}}]}", "cases[0].input: unknown key"),
            ("{\"cases\": [], \"rtol\": -1}", "rtol"),
            ("{\"task\": \"a\", \"inputs\": 1e999}", "out of range"),
        ] {
            let message = read_cases("f", text).unwrap_err().to_string();
            assert!(message.contains(wanted), "{text:?} gave {message:?}");
        }
    }
}
