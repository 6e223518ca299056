//! A commented TOML file from a JSON Schema and an example: what `rmt init` writes.

use schemars::Schema;
use serde_json::{Map, Value as Json};

/// Longer lists are broken into lines.
const WIDTH: usize = 96;

/// Every input of `schema` with its description, type, range and default: those of `example` with
/// their values, the others as comments. Tables come last, where TOML wants them.
pub(crate) fn template(head: &str, schema: &Schema, example: &Map<String, Json>) -> String {
    let root = schema.as_value();
    let mut text = commented(head);
    text += "#\n# Optional inputs are commented out: remove the # and fill in a value.\n";
    let empty = Map::new();
    let properties = root.get("properties").and_then(Json::as_object).unwrap_or(&empty);
    let required = |key: &str| {
        let keys = root.get("required").and_then(Json::as_array);
        keys.is_some_and(|keys| keys.iter().any(|k| k == key))
    };
    let is_table = |key: &str, property: &Json| match example.get(key) {
        Some(value) => value.is_object() && value.get("kind").is_none(),
        None => is_map(root, property),
    };
    let (tables, values): (Vec<_>, Vec<_>) = properties.iter().partition(|(k, p)| is_table(k, p));
    for (key, property) in values {
        text += &about(root, property, required(key));
        text += &match example.get(key) {
            Some(value) => format!("{} = {}\n", name(key), toml(value, 0)),
            None => match default(property) {
                Some(value) => format!("# {} = {}\n", name(key), toml(value, 0)),
                None => format!("# {} = <{}>\n", name(key), form(root, property)),
            },
        };
    }
    for (key, property) in tables {
        text += &about(root, property, required(key));
        match example.get(key).and_then(Json::as_object) {
            Some(map) => {
                text += &format!("[{}]\n", name(key));
                for (key, value) in map {
                    text += &format!("{} = {}\n", name(key), toml(value, 0));
                }
            }
            None => {
                text += &format!("# [{}]\n# <name> = <{}>\n", name(key), entries(root, property))
            }
        }
    }
    text + &kinds(root)
}

/// The comment above an input.
fn about(root: &Json, property: &Json, required: bool) -> String {
    let description = property.get("description").and_then(Json::as_str).unwrap_or("");
    let mut facts = form(root, property);
    match default(property) {
        Some(value) => facts += &format!(", default {}", toml(value, 0)),
        None if required => facts += ", required",
        None => facts += ", optional",
    }
    format!("\n{}# ({facts})\n", commented(description))
}

fn commented(text: &str) -> String {
    text.lines().map(|l| format!("# {l}").trim_end().to_owned() + "\n").collect()
}

/// The forms of every type of the schema that has a `kind`.
fn kinds(root: &Json) -> String {
    let mut text = String::new();
    for (title, definition) in root.get("$defs").and_then(Json::as_object).into_iter().flatten() {
        let forms = forms(root, definition);
        if forms.is_empty() {
            continue;
        }
        let description = definition.get("description").and_then(Json::as_str).unwrap_or("");
        text += &format!("\n# {title}\n{}", commented(description));
        for form in forms {
            text += &format!("#   {form}\n");
        }
    }
    text
}

/// What a value may look like, a line each, where that includes a table with known keys.
fn forms(root: &Json, definition: &Json) -> Vec<String> {
    if !has_fields(definition) {
        return Vec::new();
    }
    options(definition).iter().map(|o| fields(root, o).unwrap_or_else(|| form(root, o))).collect()
}

fn options(schema: &Json) -> &[Json] {
    alternatives(schema).unwrap_or(std::slice::from_ref(schema))
}

fn has_fields(schema: &Json) -> bool {
    options(schema).iter().any(|o| o.get("properties").is_some())
}

/// The default of an input, if it says more than that there is none.
fn default(property: &Json) -> Option<&Json> {
    property.get("default").filter(|d| match d {
        Json::Null => false,
        Json::Array(items) => !items.is_empty(),
        Json::Object(map) => !map.is_empty(),
        _ => true,
    })
}

/// `{ kind = "power_law", p = integer, alpha = number, optional scale = number }`.
fn fields(root: &Json, object: &Json) -> Option<String> {
    let properties = object.get("properties")?.as_object()?;
    let required = object.get("required").and_then(Json::as_array);
    let is_required = |key: &str| required.is_some_and(|keys| keys.iter().any(|k| k == key));
    // The kind first, then what must be given.
    let rank = |key: &str| if key == "kind" { 0 } else { 2 - u8::from(is_required(key)) };
    let mut parts: Vec<(&String, &Json)> = properties.iter().collect();
    parts.sort_by_key(|(key, _)| rank(key));
    let part = |(key, property): (&String, &Json)| {
        let optional = if is_required(key) { "" } else { "optional " };
        format!("{optional}{} = {}", name(key), form(root, property))
    };
    Some(format!("{{ {} }}", parts.into_iter().map(part).collect::<Vec<_>>().join(", ")))
}

fn alternatives(schema: &Json) -> Option<&[Json]> {
    ["anyOf", "oneOf"]
        .iter()
        .find_map(|k| schema.get(*k))
        .and_then(Json::as_array)
        .map(Vec::as_slice)
}

/// What a value looks like, in words: `number ≥ 0`, `list of integer`, `"mle" or "known"`, `Modes`.
fn form(root: &Json, schema: &Json) -> String {
    if let Some(value) = schema.get("const") {
        return toml(value, 0);
    }
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        let values: Vec<_> = values.iter().filter(|v| !v.is_null()).map(|v| toml(v, 0)).collect();
        return values.join(" or ");
    }
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        // Types with forms of their own are explained below; others say here what they are.
        return match root.pointer(reference.trim_start_matches('#')) {
            Some(target) if !has_fields(target) => form(root, target),
            _ => reference.rsplit('/').next().unwrap_or(reference).to_owned(),
        };
    }
    if let Some(options) = alternatives(schema) {
        let mut forms: Vec<String> =
            options.iter().map(|o| form(root, o)).filter(|f| !f.is_empty()).collect();
        forms.dedup();
        return forms.join(" or ");
    }
    let named = |v: &Json| v.as_str().filter(|t| *t != "null").map(str::to_owned);
    let types: Vec<String> = match schema.get("type") {
        Some(Json::Array(types)) => types.iter().filter_map(named).collect(),
        other => other.and_then(named).into_iter().collect(),
    };
    let in_words = |kind: String| match kind.as_str() {
        "array" => {
            let items = schema.get("items").map(|s| form(root, s)).filter(|f| !f.is_empty());
            let count = schema.get("maxItems").filter(|n| schema.get("minItems") == Some(*n));
            let count = count.map(|n| format!("{n} of ")).unwrap_or_default();
            format!("list of {count}{}", items.unwrap_or_else(|| "values".into()))
        }
        "object" => "table".to_owned(),
        "string" => "text".to_owned(),
        "number" | "integer" => format!("{kind}{}", range(schema)),
        _ => kind,
    };
    types.into_iter().map(in_words).collect::<Vec<_>>().join(" or ")
}

fn range(schema: &Json) -> String {
    let bound = |key: &str, sign: &str| {
        // The bounds of a machine's format are none of the input.
        let unsigned =
            schema.get("format").and_then(Json::as_str).is_some_and(|f| f.starts_with('u'));
        let of_machine = |x: f64| x.abs() > 1e9 || (unsigned && key == "minimum" && x == 0.0);
        let value = schema.get(key).filter(|v| v.as_f64().is_some_and(|x| !of_machine(x)))?;
        Some(format!(" {sign} {value}"))
    };
    let bounds =
        [("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<")];
    bounds.into_iter().filter_map(|(key, sign)| bound(key, sign)).collect::<Vec<_>>().join(" and")
}

/// Whether a value is a table of named entries of one sort.
fn is_map(root: &Json, schema: &Json) -> bool {
    let reference = schema.get("$ref").and_then(Json::as_str);
    match reference.and_then(|r| root.pointer(r.trim_start_matches('#'))) {
        Some(target) => is_map(root, target),
        None => schema.get("additionalProperties").is_some_and(Json::is_object),
    }
}

fn entries(root: &Json, schema: &Json) -> String {
    schema.get("additionalProperties").map(|s| form(root, s)).unwrap_or_default()
}

/// A key, bare where TOML allows it.
fn name(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        Json::String(key.to_owned()).to_string()
    }
}

/// A value in TOML, long lists over several lines.
fn toml(value: &Json, indent: usize) -> String {
    match value {
        Json::Array(items) => {
            let parts: Vec<String> = items.iter().map(|v| toml(v, indent + 2)).collect();
            let line = format!("[{}]", parts.join(", "));
            if line.len() + indent <= WIDTH {
                return line;
            }
            let pad = " ".repeat(indent + 2);
            let (mut text, mut length) = ("[".to_owned(), WIDTH);
            for part in parts {
                if length + part.len() + 2 > WIDTH {
                    text += &format!("\n{pad}");
                    length = pad.len();
                } else {
                    text.push(' ');
                }
                length += part.len() + 2;
                text += &format!("{part},");
            }
            format!("{text}\n{}]", " ".repeat(indent))
        }
        Json::Object(map) => {
            let parts: Vec<String> =
                map.iter().map(|(k, v)| format!("{} = {}", name(k), toml(v, indent))).collect();
            format!("{{ {} }}", parts.join(", "))
        }
        // Numbers, truth values and quoted text are written alike; TOML has no null.
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_back_from_toml() {
        let long: Vec<f64> = (0..40).map(|i| f64::from(i) * 1e-9).collect();
        let value = serde_json::json!({
            "a": long, "b c": {"x": [[1, 2], [3.5, 4]]}, "t": "q\"\\ é\n", "f": [true, false],
        });
        let map = value.as_object().unwrap();
        let lines: String =
            map.iter().map(|(k, v)| format!("{} = {}\n", name(k), toml(v, 0))).collect();
        assert_eq!(toml::from_str::<Json>(&lines).unwrap(), value, "{lines}");
        assert!(lines.lines().all(|l| l.len() <= WIDTH + 2), "{lines}");
    }
}
