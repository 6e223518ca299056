use rmt_task::{ErrorKind, TaskError};
use std::fmt;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A half-open range of bytes in an expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The smallest span that contains both.
    pub(crate) fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A place in a text, shown as the line with carets under the span.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Input key of the text: `expression`, `random.Z.variance`.
    pub key: String,
    /// The whole text.
    pub text: String,
    /// The offending part.
    pub span: Span,
}

/// Characters shown on either side of the offending part.
const CONTEXT: usize = 36;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = floor(&self.text, self.span.start);
        let end = floor(&self.text, self.span.end.max(start));
        let line_start = self.text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |i| start + i);
        let before: Vec<char> = self.text[line_start..start].chars().collect();
        let inside = self.text[start..end.clamp(start, line_end)].chars().count().max(1);
        let rest: Vec<char> = self.text[start..line_end].chars().collect();
        let cut = before.len().saturating_sub(CONTEXT);
        let keep = (inside.min(2 * CONTEXT) + CONTEXT).min(rest.len());
        let lead = if cut > 0 { "…" } else { "" };
        let tail = if keep < rest.len() { "…" } else { "" };
        let shown: String = before[cut..].iter().chain(&rest[..keep]).collect();
        let pad = " ".repeat(before.len() - cut + usize::from(cut > 0));
        let carets = "^".repeat(inside.min(keep.max(1)));
        write!(f, "    {lead}{}{tail}\n    {pad}{carets}", shown.replace('\t', " "))
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not an expression.
    #[error("{message}\n{place}")]
    Syntax {
        /// Where.
        place: Place,
        /// What was expected.
        message: String,
    },
    /// Shapes or types do not fit.
    #[error("{message}\n{place}")]
    Shape {
        /// Where.
        place: Place,
        /// The shapes involved and the remedy.
        message: String,
    },
    /// A name without a declaration.
    #[error("{message}\n{place}")]
    UnknownName {
        /// Where.
        place: Place,
        /// The name and the known ones.
        message: String,
    },
    /// A declaration or a value out of range.
    #[error("`{key}`: {message}")]
    InvalidInput {
        /// Input key.
        key: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// A value in the text that is out of range.
    #[error("{message}\n{place}")]
    InvalidText {
        /// Where.
        place: Place,
        /// What is wrong and what to do.
        message: String,
    },
    /// No solution of the Dyson equation passed the certificate.
    #[error(
        "no certified solution for {subject}: 0 lies in the spectrum of an inverted matrix, or the \
         limit does not exist ({reason})"
    )]
    NotCertified {
        /// The trace or matrix that failed.
        subject: String,
        /// What each attempt met.
        reason: String,
    },
}

impl Error {
    /// An error about one input.
    pub(crate) fn invalid(key: impl Into<String>, message: impl Into<String>) -> Self {
        Error::InvalidInput { key: key.into(), message: message.into() }
    }
}

impl From<Error> for TaskError {
    fn from(error: Error) -> Self {
        let text = |kind, place: &Place, message: &str| TaskError {
            kind,
            key: Some(place.key.clone()),
            message: format!("{message}\n{place}"),
        };
        match &error {
            Error::Syntax { place, message } => text(ErrorKind::other("syntax"), place, message),
            Error::Shape { place, message } => text(ErrorKind::other("shape"), place, message),
            Error::UnknownName { place, message } => {
                text(ErrorKind::other("unknown_name"), place, message)
            }
            Error::InvalidText { place, message } => text(ErrorKind::INVALID_INPUT, place, message),
            Error::InvalidInput { key, message } => {
                TaskError::invalid(key.clone(), message.clone())
            }
            Error::NotCertified { .. } => {
                TaskError::new(ErrorKind::NOT_CERTIFIED, error.to_string())
            }
        }
    }
}

/// `declared are a, b`, or that there are none.
pub(crate) fn declared(names: &[&str]) -> String {
    match names {
        [] => "none is declared".to_owned(),
        names => format!("declared are {}", names.join(", ")),
    }
}
