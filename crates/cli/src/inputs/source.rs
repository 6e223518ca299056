//! A text in JSON or TOML with its name, and its lines under error messages.

use super::KeyPath;
use super::locate::{Format, locate};
use crate::failure::{Failure, Result};
use serde_json::Value as Json;
use std::ops::Range;

/// A configuration text as the user wrote it.
#[derive(Clone)]
pub(crate) struct Source {
    name: String,
    text: String,
    format: Format,
}

impl Source {
    /// Reads JSON, or TOML where the text does not start like JSON; `name` is what messages call it.
    pub(crate) fn parse(name: &str, text: String) -> Result<(Self, Json)> {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let as_json = || {
            serde_json::from_str::<Json>(&text)
                .map_err(|e| (offset(&text, e.line(), e.column()), format!("not valid JSON: {e}")))
        };
        let as_toml = || {
            toml::from_str::<Json>(&text).map_err(|e| {
                let at = e.span().map_or(0, |s| s.start);
                (at, format!("not valid TOML: {}", e.message()))
            })
        };
        let start = text.trim_start();
        let (format, parsed) = if start.starts_with(['{', '"']) {
            (Format::Json, as_json())
        } else {
            match as_toml() {
                // A list of JSON begins like a table of TOML.
                Err(_) if start.starts_with('[') && as_json().is_ok() => (Format::Json, as_json()),
                parsed => (Format::Toml, parsed),
            }
        };
        match parsed {
            Ok(value) => Ok((Self { name: name.into(), text, format }, value)),
            Err((at, message)) => Err(Failure::input(excerpt(name, &text, at..at + 1, &message))),
        }
    }

    /// What messages call the text.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A message over the line that it is about: that of the value at `key`, of the key itself for
    /// `whole_key`, or of the deepest part of the way there. The bare message when there is none.
    pub(crate) fn mark(&self, key: &KeyPath, whole_key: bool, message: &str) -> String {
        match locate(&self.text, self.format, key, whole_key) {
            Some(span) => excerpt(&self.name, &self.text, span, message),
            None => message.to_owned(),
        }
    }
}

fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len())
}

/// A message over the line of the text it is about, the place marked with carets.
fn excerpt(name: &str, text: &str, span: Range<usize>, message: &str) -> String {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
    let number = 1 + text[..start].matches('\n').count();
    let before = text[line_start..start].chars().count();
    let mut end = span.end.clamp(start, line_end);
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let width = text[start..end].chars().count().max(1);
    let line = text[line_start..line_end].trim_end();
    // Long lines (explicit vectors) are cut around the place.
    let skip = before.saturating_sub(60);
    let shown: String = line.chars().skip(skip).take(100).collect();
    let (dots, indent) = if skip > 0 { ("…", before - skip + 1) } else { ("", before) };
    let gutter = " ".repeat(number.to_string().len());
    let carets = "^".repeat(width.min(100usize.saturating_sub(before - skip).max(1)));
    format!(
        "{message}\n{gutter}--> {name}:{number}:{}\n{gutter} |\n{number} | {dots}{shown}\n{gutter} | {}{carets}",
        before + 1,
        " ".repeat(indent),
    )
}
