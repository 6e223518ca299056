//! Files of cases: what `rmt eval` and `rmt check` read.
//!
//! A file is `{"topic", "rtol", "cases": [{"name", "note"?, "task", "inputs", "expected"?}]}` or a
//! single case; JSON, or TOML of the same shape.

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

/// Reads a file of cases.
///
/// # Errors
/// Text that is neither JSON nor TOML (with line and column), or not of the shape above (with the
/// case and key concerned).
pub fn read_cases(text: &str) -> Result<CaseFile, BadCases> {
    let root = parse(text).map_err(BadCases)?;
    let Json::Object(mut root) = root else {
        return Err(BadCases(format!(
            "expected an object with `cases`, or with `task` and `inputs`, found {}",
            kind_of(&root)
        )));
    };
    let rtol = match root.get("rtol") {
        None => DEFAULT_RTOL,
        Some(value) => value
            .as_f64()
            .filter(|r| *r >= 0.0)
            .ok_or_else(|| BadCases(format!("rtol: expected a number ≥ 0, found {value}")))?,
    };
    let cases = match root.remove("cases") {
        None if root.contains_key("task") => {
            root.remove("rtol");
            vec![read_case(root, "the case")?]
        }
        None => {
            return Err(BadCases(
                "neither `cases` nor `task`: give {\"cases\": […]} or one {\"task\", \"inputs\"}"
                    .into(),
            ));
        }
        Some(Json::Array(items)) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| match item {
                Json::Object(case) => read_case(case, &format!("cases[{index}]")),
                other => Err(BadCases(format!(
                    "cases[{index}]: expected an object with `task` and `inputs`, found {}",
                    kind_of(&other)
                ))),
            })
            .collect::<Result<_, _>>()?,
        Some(other) => {
            return Err(BadCases(format!("cases: expected a list, found {}", kind_of(&other))));
        }
    };
    Ok(CaseFile { rtol, cases })
}

const CASE_KEYS: [&str; 5] = ["name", "note", "task", "inputs", "expected"];

fn read_case(mut case: Map<String, Json>, place: &str) -> Result<Case, BadCases> {
    if let Some(key) = case.keys().find(|k| !CASE_KEYS.contains(&k.as_str())) {
        return Err(BadCases(format!(
            "{place}: unknown key `{key}`, known are {}",
            CASE_KEYS.join(", ")
        )));
    }
    let task = match case.remove("task") {
        Some(Json::String(task)) => task,
        Some(other) => {
            return Err(BadCases(format!("{place}.task: expected a name, found {other}")));
        }
        None => return Err(BadCases(format!("{place}: `task` is missing, name the task"))),
    };
    let name = match case.remove("name") {
        Some(Json::String(name)) => name,
        None => task.clone(),
        Some(other) => return Err(BadCases(format!("{place}.name: expected text, found {other}"))),
    };
    let inputs = case
        .remove("inputs")
        .ok_or_else(|| BadCases(format!("{place} ({name}): `inputs` is missing")))?;
    let expected = match case.remove("expected") {
        None | Some(Json::Null) => None,
        Some(Json::Object(map)) => Some(map),
        Some(other) => {
            return Err(BadCases(format!(
                "{place}.expected ({name}): expected an object, found {}",
                kind_of(&other)
            )));
        }
    };
    Ok(Case { name, task, inputs, expected })
}

/// JSON, or TOML where the text does not start like JSON.
fn parse(text: &str) -> Result<Json, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err("the file is empty".into());
    }
    if text.trim_start().starts_with(['{', '"']) {
        return serde_json::from_str(text).map_err(|e| format!("not valid JSON: {e}"));
    }
    match toml::from_str::<Json>(text) {
        Ok(value) => Ok(value),
        Err(_) if text.trim_start().starts_with('[') => {
            serde_json::from_str(text).map_err(|e| format!("not valid JSON: {e}"))
        }
        Err(e) => Err(format!("neither JSON nor TOML: {}", e.to_string().trim_end())),
    }
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
        let single = read_cases(r#"{"task": "ridge", "inputs": {"n": 3}}"#).unwrap();
        let file = read_cases(r#"{"cases": [{"task": "ridge", "inputs": {"n": 3}}]}"#).unwrap();
        let toml = read_cases("task = 'ridge'\n[inputs]\nn = 3").unwrap();
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
            ("3", "neither JSON nor TOML"),
            ("{}", "neither `cases` nor `task`"),
            ("{\"cases\": 3}", "a number"),
            ("{\"cases\": [3]}", "cases[0]"),
            ("{\"cases\": [{\"task\": \"a\"}]}", "`inputs` is missing"),
            ("{\"cases\": [{\"inputs\": {}}]}", "`task` is missing"),
            ("{\"cases\": [{\"task\": 1, \"inputs\": {}}]}", "cases[0].task"),
            ("{\"cases\": [{\"task\": \"a\", \"input\": {}}]}", "unknown key `input`"),
            ("{\"cases\": [], \"rtol\": -1}", "rtol"),
            ("{\"task\": \"a\", \"inputs\": 1e999}", "out of range"),
        ] {
            let message = read_cases(text).unwrap_err().to_string();
            assert!(message.contains(wanted), "{text:?} gave {message:?}");
        }
    }
}
