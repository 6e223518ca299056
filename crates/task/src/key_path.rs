use serde_json::{Map, Value as Json};
use std::fmt;

/// A place inside inputs: `spectrum.alpha`, `widths[1]` (also written `widths.1`).
#[derive(Clone, Debug, PartialEq)]
pub struct KeyPath {
    parts: Vec<String>,
}

impl KeyPath {
    /// Reads a dotted path.
    pub fn parse(text: &str) -> Self {
        let parts = text.split(['.', '[', ']']).filter(|p| !p.is_empty()).map(str::to_owned);
        Self { parts: parts.collect() }
    }

    /// The path of these parts.
    pub fn of(parts: Vec<String>) -> Self {
        Self { parts }
    }

    /// The value at this place.
    pub fn get<'a>(&self, root: &'a Json) -> Option<&'a Json> {
        self.parts.iter().try_fold(root, |place, part| match place {
            Json::Object(map) => map.get(part),
            Json::Array(items) => part.parse().ok().and_then(|i: usize| items.get(i)),
            _ => None,
        })
    }

    /// The keys and list positions on the way.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Whether `other` is this place or inside it.
    pub fn contains(&self, other: &Self) -> bool {
        other.parts.starts_with(&self.parts)
    }

    /// Puts a value at this place, making the objects on the way.
    pub fn put(&self, root: &mut Json, value: Json) -> Result<(), String> {
        if self.parts.is_empty() {
            return Err("name the input, as in n=100".into());
        }
        let mut place = root;
        for part in &self.parts {
            if place.is_null() {
                *place = Json::Object(Map::new());
            }
            place = match place {
                Json::Object(map) => map.entry(part.clone()).or_insert(Json::Null),
                Json::Array(items) => {
                    let length = items.len();
                    part.parse().ok().and_then(|i: usize| items.get_mut(i)).ok_or_else(|| {
                        format!("`{part}` is no position in a list of {length}, counted from 0")
                    })?
                }
                other => return Err(format!("`{part}` is inside {other}, which has no parts")),
            };
        }
        *place = value;
        Ok(())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_put_at_dotted_places_and_impossible_places_are_refused() {
        let mut root = json!({"spectrum": {"alpha": 1}, "widths": [3, 4], "n": 2});
        KeyPath::parse("spectrum.alpha").put(&mut root, json!(2)).unwrap();
        KeyPath::parse("widths[1]").put(&mut root, json!(9)).unwrap();
        KeyPath::parse("target.p").put(&mut root, json!(7)).unwrap();
        assert_eq!(
            root,
            json!({"spectrum": {"alpha": 2}, "widths": [3, 9], "n": 2, "target": {"p": 7}})
        );
        for bad in ["widths[2]", "widths.x", "n.k", ""] {
            assert!(KeyPath::parse(bad).put(&mut root, json!(1)).is_err(), "{bad}");
        }
    }
}
