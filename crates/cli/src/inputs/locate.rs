use super::KeyPath;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// How a text is written.
#[derive(Clone, Copy)]
pub(super) enum Format {
    Json,
    Toml,
}

/// The byte range of the deepest part of `key` that the text has; of the key itself instead of its
/// value for `whole_key`. `None` when not even the first part is there.
pub(super) fn locate(
    text: &str,
    format: Format,
    key: &KeyPath,
    whole_key: bool,
) -> Option<Range<usize>> {
    match format {
        Format::Json => locate_json(text, key, whole_key),
        Format::Toml => locate_toml(text, key, whole_key),
    }
}

fn locate_json(text: &str, key: &KeyPath, whole_key: bool) -> Option<Range<usize>> {
    let mut here: &RawValue = serde_json::from_str(text).ok()?;
    let mut found = None;
    for part in key.parts() {
        let next = if here.get().starts_with('{') {
            let map: HashMap<String, &RawValue> = serde_json::from_str(here.get()).ok()?;
            map.get(part.as_str()).copied()
        } else {
            let items: Vec<&RawValue> = serde_json::from_str(here.get()).unwrap_or_default();
            part.parse().ok().and_then(|i: usize| items.get(i).copied())
        };
        let Some(next) = next else { break };
        // A borrowed raw value is a slice of `text`: its address is its place.
        let start = next.get().as_ptr() as usize - text.as_ptr() as usize;
        found = Some(start..start + next.get().len());
        here = next;
    }
    let value = found?;
    let quoted = format!("\"{}\"", key.parts().last()?);
    match text[..value.start].rfind(&quoted) {
        Some(start) if whole_key => Some(start..start + quoted.len()),
        _ => Some(value),
    }
}

fn locate_toml(text: &str, key: &KeyPath, whole_key: bool) -> Option<Range<usize>> {
    let root = DeTable::parse(text).ok()?;
    let mut here = DeValue::Table(root.into_inner());
    let mut found = None;
    for part in key.parts() {
        let next = match here {
            DeValue::Table(table) => {
                let entry = table.into_iter().find(|(k, _)| k.get_ref() == part.as_str());
                entry.map(|(k, v)| (k.span(), v))
            }
            DeValue::Array(items) => part
                .parse()
                .ok()
                .and_then(|i: usize| items.into_iter().nth(i))
                .map(|v| (v.span(), v)),
            _ => None,
        };
        let Some((key_span, value)) = next else { break };
        found = Some(if whole_key { key_span } else { value.span() });
        here = value.into_inner();
    }
    found
}
