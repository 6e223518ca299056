use crate::KeyPath;
use schemars::Schema;
use serde_json::Value as Json;

/// Whether sweeps take whole numbers at that place: the schema asks for an integer, or the input
/// is a "Number of …" (theory may take a real one, an experiment cannot).
pub fn is_integer(schema: &Schema, key: &KeyPath) -> bool {
    any_at(schema.as_value(), key, &|s| {
        let counts = s.get("description").and_then(Json::as_str);
        (has_type(s, "integer") && !has_type(s, "number"))
            || counts.is_some_and(|text| text.starts_with("Number of"))
    })
}

/// Whether the schema takes a plain list at that place.
pub fn is_list(schema: &Schema, key: &KeyPath) -> bool {
    any_at(schema.as_value(), key, &|s| has_type(s, "array"))
}

/// Whether the schema takes an object of some `kind` at that place, such as a mode vector.
pub fn takes_kinds(schema: &Schema, key: &KeyPath) -> bool {
    any_at(schema.as_value(), key, &|s| s.pointer("/properties/kind").is_some())
}

fn has_type(schema: &Json, name: &str) -> bool {
    match schema.get("type") {
        Some(Json::String(t)) => t == name,
        Some(Json::Array(types)) => types.iter().any(|t| t == name),
        _ => false,
    }
}

/// Whether any of the schemas that may apply at `key` satisfies `test`.
fn any_at(root: &Json, key: &KeyPath, test: &dyn Fn(&Json) -> bool) -> bool {
    let mut here = options(root, root);
    for part in key.parts() {
        here = here
            .into_iter()
            .filter_map(|s| {
                let property = s.get("properties").and_then(|p| p.get(part));
                property.or_else(|| s.get("items").filter(|_| part.parse::<usize>().is_ok()))
            })
            .flat_map(|s| options(root, s))
            .collect();
    }
    here.into_iter().any(test)
}

/// A schema and all its alternatives, references followed.
fn options<'a>(root: &'a Json, schema: &'a Json) -> Vec<&'a Json> {
    let mut found: Vec<&Json> = Vec::new();
    let mut open = vec![schema];
    while let Some(schema) = open.pop() {
        // A schema that refers to itself is followed once.
        if found.iter().any(|s| std::ptr::eq(*s, schema)) {
            continue;
        }
        found.push(schema);
        for key in ["anyOf", "oneOf", "allOf"] {
            open.extend(schema.get(key).and_then(Json::as_array).into_iter().flatten());
        }
        let reference = schema.get("$ref").and_then(Json::as_str);
        if let Some(target) = reference.and_then(|r| root.pointer(r.trim_start_matches('#'))) {
            open.push(target);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_kinds_and_counts_are_told_apart_through_references() {
        let kinds = json!({"oneOf": [
            {"properties": {"kind": {"const": "constant"}, "p": {"type": "integer"}}},
            {"properties": {"kind": {"const": "explicit"}, "values": {"type": "array"}}},
        ]});
        let schema: Schema = json!({"properties": {
            "n": {"type": "number", "description": "Number of rows."},
            "spectrum": {"$ref": "#/$defs/Modes"},
            "priors": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/Modes"}, {"type": "null"}]}},
            "times": {"type": "array", "items": {"type": "number"}},
        }, "$defs": {"Modes": kinds}})
        .try_into()
        .unwrap();
        let at = KeyPath::parse;
        assert!(takes_kinds(&schema, &at("spectrum")) && !is_list(&schema, &at("spectrum")));
        assert!(takes_kinds(&schema, &at("priors[1]")) && !takes_kinds(&schema, &at("priors")));
        assert!(is_list(&schema, &at("times")) && !takes_kinds(&schema, &at("times")));
        assert!(is_list(&schema, &at("spectrum.values")));
        assert!(is_integer(&schema, &at("spectrum.p")) && is_integer(&schema, &at("n")));
        assert!(
            !is_integer(&schema, &at("times[0]")) && !is_integer(&schema, &at("nothing.there"))
        );
    }
}
