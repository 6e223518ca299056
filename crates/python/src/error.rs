//! Errors of the libraries as `rmt.Error`, a `ValueError` with the library's text.

use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rmt_task::{ErrorKind, TaskError};

create_exception!(
    rmt,
    Error,
    PyValueError,
    "Bad input, or a question without an answer. `kind` names the sort of failure (`invalid_input`, \
     `unknown_key`, `diverges`, `not_converged`, …), `key` the input concerned, if one is."
);

/// A failure on its way to Python.
#[derive(Clone, Debug)]
pub(crate) struct Failure(TaskError);

impl Failure {
    /// Something about one input.
    pub(crate) fn input(key: &str, message: impl Into<String>) -> Self {
        Self(TaskError::invalid(key, message))
    }

    /// The Python exception.
    pub(crate) fn exception(&self, py: Python<'_>) -> PyErr {
        let error = Error::new_err(self.0.to_string());
        let value = error.value(py);
        let named = value
            .setattr("kind", self.0.kind.as_str())
            .and_then(|()| value.setattr("key", self.0.key.as_deref()));
        named.err().unwrap_or(error)
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        Self(error)
    }
}

impl From<rmt_estimators::Error> for Failure {
    fn from(error: rmt_estimators::Error) -> Self {
        // The text as the library words it, and the kind that it has as a task.
        let (text, task) = (error.to_string(), TaskError::from(error));
        Self(TaskError { kind: task.kind, key: None, message: text })
    }
}

impl From<rmt_models::Error> for Failure {
    fn from(error: rmt_models::Error) -> Self {
        Self(error.into())
    }
}

impl From<rmt_core::Error> for Failure {
    fn from(error: rmt_core::Error) -> Self {
        Self(error.into())
    }
}

impl From<rmt_fpt::Error> for Failure {
    fn from(error: rmt_fpt::Error) -> Self {
        Self(error.into())
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        Python::attach(|py| failure.exception(py))
    }
}

/// An unreadable argument.
pub(crate) fn unreadable(key: &str, message: impl Into<String>) -> PyErr {
    Failure(TaskError {
        kind: ErrorKind::INVALID_INPUT,
        key: Some(key.into()),
        message: message.into(),
    })
    .into()
}
