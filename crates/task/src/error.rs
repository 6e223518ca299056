use std::fmt;

/// What sort of failure, in snake_case, part of the stable contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorKind(&'static str);

impl ErrorKind {
    /// A value is out of range, missing, or of the wrong type or length.
    pub const INVALID_INPUT: Self = Self("invalid_input");
    /// No task of that name.
    pub const UNKNOWN_TASK: Self = Self("unknown_task");
    /// An input key that the task does not know.
    pub const UNKNOWN_KEY: Self = Self("unknown_key");
    /// A solution was found but its correctness could not be certified.
    pub const NOT_CERTIFIED: Self = Self("not_certified");
    /// A finite number was asked for where the answer is infinite.
    pub const DIVERGES: Self = Self("diverges");
    /// An iteration did not reach its tolerance.
    pub const NOT_CONVERGED: Self = Self("not_converged");

    /// A kind of a task's own (snake_case).
    pub const fn other(name: &'static str) -> Self {
        Self(name)
    }

    /// The name in the contract.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Why a task gave no answer: the kind, the input key it is about, and a sentence that names the
/// thing, the value and the remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}{message}", key.as_ref().map(|k| format!("{k}: ")).unwrap_or_default())]
pub struct TaskError {
    /// What sort of failure.
    pub kind: ErrorKind,
    /// Path of the offending input, `spectrum.alpha` or `widths[1]`; `None` when no single one is.
    pub key: Option<String>,
    /// What is wrong and what to do, without the key.
    pub message: String,
}

impl TaskError {
    /// An error about one input.
    pub fn invalid(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::INVALID_INPUT, key: Some(key.into()), message: message.into() }
    }

    /// An error of some kind about the task as a whole.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, key: None, message: message.into() }
    }

    /// Says `to` where the error is about the input `from`, for values that one input hands to another.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        if self.key.as_deref() == Some(from) {
            self.key = Some(to.to_owned());
        }
        self
    }

    /// Puts the error below `prefix`: an error at `alpha` inside `spectrum` is at `spectrum.alpha`.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        self.key = Some(match self.key {
            Some(key) if key.starts_with('[') => format!("{prefix}{key}"),
            Some(key) => format!("{prefix}.{key}"),
            None => prefix.to_owned(),
        });
        self
    }
}

/// The entry of `known` that `name` most likely meant, if any is close: few edits apart, or an
/// abbreviation of it.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|k| {
            let other = k.to_lowercase();
            let score = strsim::normalized_damerau_levenshtein(&name, &other);
            let short = name.len().min(other.len()) >= 3;
            let abbreviates = short && (name.starts_with(&other) || other.starts_with(&name));
            (if abbreviates { score.max(0.6) } else { score }, k)
        })
        .filter(|(score, _)| *score >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}
