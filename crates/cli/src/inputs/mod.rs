//! Inputs of a task: TOML or JSON from a file, standard input or the task's example, with
//! `--set` on top; errors are shown at their place in the user's file.

mod file;
mod locate;
mod source;

pub(crate) use rmt_task::{KeyPath, is_integer};
pub(crate) use source::Source;

use crate::failure::{Failure, Result};
use crate::files::{read_text, shown};
use rmt_task::{Card, ErrorKind, TaskError};
use schemars::Schema;
use serde_json::Value as Json;
use std::path::Path;

/// Inputs with the text they came from.
pub(crate) struct Inputs {
    /// The inputs as the task takes them.
    pub(crate) value: Json,
    source: Source,
    /// Where in the text they are.
    place: Vec<String>,
    /// Keys given on the command line: an error there is not in the file.
    set: Vec<KeyPath>,
}

impl Inputs {
    /// Reads a file, or standard input for `-`.
    pub(crate) fn read(path: &str) -> Result<Self> {
        Self::parse(shown(path), read_text(path)?)
    }

    /// The example of a task's card.
    pub(crate) fn example(card: &Card) -> Result<Self> {
        Self::parse(&format!("the example of {}", card.name), card.example.to_owned())
    }

    /// Reads a text; `name` is what messages call it.
    pub(crate) fn parse(name: &str, text: String) -> Result<Self> {
        let (source, value) = Source::parse(name, text)?;
        Ok(Self { value, source, place: Vec::new(), set: Vec::new() })
    }

    /// The inputs that stand under `key` in this text.
    pub(crate) fn part(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key)?.clone();
        let place = [&self.place[..], &[key.to_owned()]].concat();
        Some(Self { value, source: self.source.clone(), place, set: Vec::new() })
    }

    /// A file that the text names, relative to the file of the text.
    pub(crate) fn beside(&self, path: &str) -> String {
        self.folder().join(path).to_string_lossy().into_owned()
    }

    fn folder(&self) -> &Path {
        Path::new(self.source.name()).parent().unwrap_or(Path::new(""))
    }

    /// Sets a key, making the objects on its way; an integer-like key of a list counts from 0.
    pub(crate) fn set(&mut self, key: &KeyPath, value: Json) -> Result<()> {
        key.put(&mut self.value, value).map_err(|e| Failure::input(format!("--set {key}: {e}")))?;
        self.set.push(key.clone());
        Ok(())
    }

    /// Puts the contents of files where the inputs say `{"kind": "file", "path": …}`, paths being
    /// relative to the file that names them.
    pub(crate) fn load_files(&mut self, schema: &Schema) -> Result<()> {
        let folder = self.folder().to_owned();
        let mut found = Vec::new();
        file::references(&self.value, &mut Vec::new(), &mut found);
        for parts in found {
            let key = KeyPath::of(parts);
            let Some(reference) = key.get(&self.value) else { continue };
            let plain = rmt_task::is_list(schema, &key);
            let loaded = file::load(reference, &folder, plain)
                .map_err(|message| self.failure(TaskError::invalid(key.to_string(), message)))?;
            key.put(&mut self.value, loaded).map_err(|e| Failure::input(format!("{key}: {e}")))?;
        }
        Ok(())
    }

    /// An error of the task, shown at its place in the file where it has one.
    pub(crate) fn failure(&self, error: TaskError) -> Failure {
        let Some(key) = error.key.as_deref().map(KeyPath::parse) else {
            return error.into();
        };
        if self.set.iter().any(|set| set.contains(&key)) {
            return error.into();
        }
        self.failure_at(&key, error)
    }

    /// An error shown at a place in the file, whatever its key says.
    pub(crate) fn failure_at(&self, key: &KeyPath, error: TaskError) -> Failure {
        let whole_key = error.kind == ErrorKind::UNKNOWN_KEY;
        let place = KeyPath::of([&self.place[..], key.parts()].concat());
        let text = self.source.mark(&place, whole_key, &error.to_string());
        Failure::from(error).with_text(text)
    }
}

/// A value from the command line: JSON where it is JSON (`3`, `[1, 2]`, `true`), else text.
pub(crate) fn value_of(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_error(text: &str, key: &str, kind: ErrorKind) -> String {
        let inputs = Inputs::parse("in.toml", text.into()).unwrap_or_else(|e| panic!("{e:?}"));
        let error = TaskError { kind, key: Some(key.into()), message: "bad".into() };
        inputs.failure(error).text().to_owned()
    }

    #[test]
    fn an_error_is_shown_under_the_offending_value() {
        let json = "{\"n\": 3,\n  \"spectrum\": {\"kind\": \"power_law\", \"alpha\": -1}}";
        let toml = "n = 3\n[spectrum]\nkind = \"power_law\"\nalpha = -1";
        let wanted = "2 |   \"spectrum\": {\"kind\": \"power_law\", \"alpha\": -1}}\n  |";
        let text = shown_error(json, "spectrum.alpha", ErrorKind::INVALID_INPUT);
        assert!(text.contains(wanted) && text.contains("in.toml:2:46"), "{text}");
        assert!(text.ends_with(&format!("| {}^^", " ".repeat(45))), "{text}");
        let text = shown_error(toml, "spectrum.alpha", ErrorKind::INVALID_INPUT);
        assert!(text.contains("in.toml:4:9") && text.ends_with("|         ^^"), "{text}");
    }

    #[test]
    fn an_unknown_key_is_marked_itself_and_list_entries_are_found() {
        let text = shown_error("{\"lambdo\": 1}", "lambdo", ErrorKind::UNKNOWN_KEY);
        assert!(text.contains("in.toml:1:2"), "{text}");
        let text = shown_error("lambdo = 1", "lambdo", ErrorKind::UNKNOWN_KEY);
        assert!(text.contains("in.toml:1:1"), "{text}");
        let text = shown_error("{\"w\": [1, 2, -3]}", "w[2]", ErrorKind::INVALID_INPUT);
        assert!(text.contains("in.toml:1:14"), "{text}");
        let text = shown_error("w = [1, 2, -3]", "w[2]", ErrorKind::INVALID_INPUT);
        assert!(text.contains("in.toml:1:12"), "{text}");
    }

    #[test]
    fn syntax_errors_are_shown_in_place_without_a_panic_on_odd_characters() {
        for text in ["{\"a\": é}", "a = é", "{", "é", "[a\n", "{\"a\": [1,}\u{1F600}"] {
            let failure = Inputs::parse("f", text.into()).err();
            assert!(failure.is_some_and(|f| f.text().contains("--> f:1:")), "{text:?}");
        }
    }
}
