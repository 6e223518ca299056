use serde::ser::{Serialize, SerializeMap, Serializer};

/// The value of one observable. It serialises to plain JSON: complex numbers as `[re, im]`,
/// infinities as the strings `"Infinity"` and `"-Infinity"`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A real number; never NaN once it leaves a task.
    Number(f64),
    /// A complex number.
    Complex(f64, f64),
    /// A truth value.
    Flag(bool),
    /// A word, as in `outcome`.
    Text(String),
    /// A vector, or a matrix as a list of rows, or a list of objects.
    List(Vec<Value>),
    /// Named parts, in order.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The value as a number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(x) => Some(*x),
            _ => None,
        }
    }

    /// The value as a vector of numbers, if it is one.
    pub fn as_numbers(&self) -> Option<Vec<f64>> {
        match self {
            Value::List(items) => items.iter().map(Value::as_number).collect(),
            _ => None,
        }
    }

    fn has_nan(&self) -> bool {
        match self {
            Value::Number(x) => x.is_nan(),
            Value::Complex(re, im) => re.is_nan() || im.is_nan(),
            Value::Flag(_) | Value::Text(_) => false,
            Value::List(items) => items.iter().any(Value::has_nan),
            Value::Object(items) => items.iter().any(|(_, v)| v.has_nan()),
        }
    }
}

macro_rules! value_from {
    ($($from:ty => |$x:ident| $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($x: $from) -> Self {
                $to
            }
        }
    )*};
}
value_from! {
    f64 => |x| Value::Number(x);
    bool => |x| Value::Flag(x);
    &str => |x| Value::Text(x.to_owned());
    String => |x| Value::Text(x);
    (f64, f64) => |x| Value::Complex(x.0, x.1);
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value> + Clone> From<&[T]> for Value {
    fn from(items: &[T]) -> Self {
        Value::List(items.iter().cloned().map(Into::into).collect())
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Number(x) if x.is_finite() => serializer.serialize_f64(*x),
            Value::Number(x) if *x > 0.0 => serializer.serialize_str("Infinity"),
            Value::Number(x) if *x < 0.0 => serializer.serialize_str("-Infinity"),
            Value::Number(_) => {
                Err(serde::ser::Error::custom("an observable is NaN, which tasks must not return"))
            }
            Value::Complex(re, im) => {
                serializer.collect_seq([Value::Number(*re), Value::Number(*im)])
            }
            Value::Flag(x) => serializer.serialize_bool(*x),
            Value::Text(x) => serializer.serialize_str(x),
            Value::List(items) => serializer.collect_seq(items),
            Value::Object(items) => serializer.collect_map(items.iter().map(|(k, v)| (k, v))),
        }
    }
}

/// The quantities a task returns, in printing order, with notes for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observables {
    entries: Vec<(String, Value)>,
    notes: Vec<String>,
}

impl Observables {
    /// No quantities yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a quantity, or replaces the one of that name.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) -> &mut Self {
        let (name, value) = (name.into(), value.into());
        match self.entries.iter_mut().find(|(n, _)| *n == name) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((name, value)),
        }
        self
    }

    /// Adds a sentence on how to read the numbers: a limit taken, an approximation, a tie.
    pub fn note(&mut self, note: impl Into<String>) -> &mut Self {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
        self
    }

    /// The quantity of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// The quantity of that name, if it is a single number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(Value::as_number)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(n, v)| (n.as_str(), v))
    }

    /// The notes in order.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The name of a quantity that is NaN somewhere, if there is one.
    pub fn nan(&self) -> Option<&str> {
        self.entries.iter().find(|(_, v)| v.has_nan()).map(|(n, _)| n.as_str())
    }
}

impl Serialize for Observables {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let notes = usize::from(!self.notes.is_empty());
        let mut map = serializer.serialize_map(Some(self.entries.len() + notes))?;
        for (name, value) in &self.entries {
            map.serialize_entry(name, value)?;
        }
        if notes > 0 {
            map.serialize_entry("notes", &self.notes)?;
        }
        map.end()
    }
}
