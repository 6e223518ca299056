use crate::{ErrorKind, TaskError, nearest};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

/// The keys of one input object that is dispatched by hand on its `kind`: derived tagged enums
/// would lose the place of an error and answer "did not match any variant".
///
/// Take every key that the kind knows, then call [`Fields::finish`], which refuses the rest.
pub struct Fields {
    map: Map<String, Json>,
    known: Vec<&'static str>,
}

impl Fields {
    /// The fields of a JSON object; anything else is an error that shows what was found.
    pub fn new(value: Json) -> Result<Self, TaskError> {
        match value {
            Json::Object(map) => Ok(Self { map, known: Vec::new() }),
            other => Err(TaskError::new(
                ErrorKind::INVALID_INPUT,
                format!("expected an object such as {{\"kind\": …}}, found {other}"),
            )),
        }
    }

    /// Takes the `kind`, which must be one of `kinds`.
    pub fn kind(&mut self, kinds: &[&'static str]) -> Result<&'static str, TaskError> {
        let kind: String = self.require("kind")?;
        if let Some(known) = kinds.iter().find(|k| **k == kind) {
            return Ok(known);
        }
        let hint = nearest(&kind, kinds.iter().copied())
            .map(|k| format!("; did you mean \"{k}\"?"))
            .unwrap_or_default();
        Err(TaskError::invalid(
            "kind",
            format!("unknown kind \"{kind}\", known are {}{hint}", kinds.join(", ")),
        ))
    }

    /// Takes an optional key.
    pub fn take<T: DeserializeOwned>(&mut self, key: &'static str) -> Result<Option<T>, TaskError> {
        self.known.push(key);
        match self.map.remove(key) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => deserialise(value).map(Some).map_err(|e| e.within(key)),
        }
    }

    /// Takes a key that must be there.
    pub fn require<T: DeserializeOwned>(&mut self, key: &'static str) -> Result<T, TaskError> {
        self.take(key)?.ok_or_else(|| {
            let near = self.map.keys().find(|k| nearest(k, [key]).is_some());
            let hint = near.map(|k| format!("; is it what `{k}` means?")).unwrap_or_default();
            TaskError::invalid(key, format!("missing, give a value{hint}"))
        })
    }

    /// Refuses every key that was not taken.
    pub fn finish(self) -> Result<(), TaskError> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => Err(unknown_key(key, &self.known)),
        }
    }
}

/// The error for an input key that is not among the known ones, with the nearest of them.
pub fn unknown_key(key: &str, known: &[&str]) -> TaskError {
    let hint = nearest(key, known.iter().copied())
        .map(|k| format!("; did you mean `{k}`?"))
        .unwrap_or_default();
    TaskError {
        kind: ErrorKind::UNKNOWN_KEY,
        key: Some(key.to_owned()),
        message: format!("unknown key, known are {}{hint}", known.join(", ")),
    }
}

/// Reads an object into `T`: an unknown key is refused with the nearest known one, and any other
/// error carries the place of the failing part.
///
/// # Errors
/// `unknown_key` or `invalid_input`, with the key.
pub fn read<T: DeserializeOwned + JsonSchema>(value: &Json) -> Result<T, TaskError> {
    let schema = schemars::schema_for!(T);
    if let (Some(known), Some(map)) =
        (schema.get("properties").and_then(Json::as_object), value.as_object())
    {
        let known: Vec<&str> = known.keys().map(String::as_str).collect();
        if let Some(key) = map.keys().find(|k| !known.contains(&k.as_str())) {
            return Err(unknown_key(key, &known));
        }
    }
    deserialise(value.clone())
}

/// Deserialises with the path of a failing part in the error.
fn deserialise<T: DeserializeOwned>(value: Json) -> Result<T, TaskError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let key = (path != ".").then_some(path);
        let message = error.into_inner().to_string();
        // Input types that dispatch by hand report `key: message` through serde as text.
        match recover(&message) {
            Some(inner) => match key {
                Some(key) => inner.within(&key),
                None => inner,
            },
            None => match unknown_field(&message) {
                Some((field, known)) => {
                    let error = unknown_key(field, &known);
                    // The path ends with the field where serde had read it as a key.
                    let key = key.filter(|k| k.ends_with(field)).or(error.key);
                    TaskError { key, ..error }
                }
                None => TaskError { kind: ErrorKind::INVALID_INPUT, key, message },
            },
        }
    })
}

/// The field and the known ones of serde's "unknown field `x`, expected one of `a`, `b`".
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let (field, rest) = message.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    Some((field, known))
}

const MARK: char = '\u{1f}';

impl TaskError {
    /// The error as a serde error, for a hand-written `Deserialize`; [`Registration`] recovers kind
    /// and key on the other side.
    ///
    /// [`Registration`]: crate::Registration
    pub fn into_serde<E: serde::de::Error>(self) -> E {
        let kind = self.kind.as_str();
        let key = self.key.unwrap_or_default();
        E::custom(format!("{MARK}{kind}{MARK}{key}{MARK}{}", self.message))
    }
}

fn recover(text: &str) -> Option<TaskError> {
    let mut parts = text.strip_prefix(MARK)?.splitn(3, MARK);
    let (kind, key, message) = (parts.next()?, parts.next()?, parts.next()?);
    let kind = match kind {
        "unknown_key" => ErrorKind::UNKNOWN_KEY,
        _ => ErrorKind::INVALID_INPUT,
    };
    let key = (!key.is_empty()).then(|| key.to_owned());
    Some(TaskError { kind, key, message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        rows: u32,
        columns: u32,
    }

    #[test]
    fn unknown_keys_are_told_alike_at_every_depth() {
        for (value, key, near) in [
            (json!({"iner": []}), "iner", "`inner`"),
            (json!({"inner": [{"rows": 1, "colums": 2}]}), "inner[0].colums", "`columns`"),
        ] {
            let error = read::<Outer>(&value).unwrap_err();
            assert_eq!((error.kind, error.key.as_deref()), (ErrorKind::UNKNOWN_KEY, Some(key)));
            assert!(error.message.ends_with(&format!("did you mean {near}?")), "{error}");
        }
        let error = read::<Outer>(&json!({"inner": [{"rows": -1}]})).unwrap_err();
        assert_eq!(
            (error.kind, error.key.as_deref()),
            (ErrorKind::INVALID_INPUT, Some("inner[0].rows"))
        );
    }
}
