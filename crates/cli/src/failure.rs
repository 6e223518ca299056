use rmt_task::{ErrorKind, TaskError};
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// Why a command stops before its end: the exit status and the text for standard error.
#[derive(Debug)]
pub struct Failure {
    status: u8,
    text: String,
}

/// What every command returns.
pub(crate) type Result<T = ExitCode> = std::result::Result<T, Failure>;

impl Failure {
    /// The request could not be understood or its files not be read: status 2.
    pub(crate) fn input(text: impl Display) -> Self {
        Self { status: 2, text: text.to_string() }
    }

    /// The request was understood, but it has no answer: status 1.
    pub(crate) fn result(text: impl Display) -> Self {
        Self { status: 1, text: text.to_string() }
    }

    /// A file could not be read or written.
    pub(crate) fn file(path: &str, action: &str, error: &io::Error) -> Self {
        Self::input(format!("cannot {action} {path}: {error}"))
    }

    /// The same failure, told in other words.
    #[must_use]
    pub(crate) fn with_text(mut self, text: String) -> Self {
        self.text = text;
        self
    }

    /// The text for people.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Prints the failure and returns the exit status.
    pub(crate) fn report(self) -> ExitCode {
        if !self.text.is_empty() {
            eprintln!("error: {}", self.text);
        }
        ExitCode::from(self.status)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        let asked_wrongly =
            [ErrorKind::INVALID_INPUT, ErrorKind::UNKNOWN_KEY, ErrorKind::UNKNOWN_TASK];
        if asked_wrongly.contains(&error.kind) {
            Self::input(error)
        } else {
            Self::result(format!("{error} ({})", error.kind))
        }
    }
}

/// Standard output: a reader that has gone away (`rmt … | head`) ends the program quietly.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self { status: 0, text: String::new() }
        } else {
            Self::input(format!("cannot write to standard output: {error}"))
        }
    }
}
