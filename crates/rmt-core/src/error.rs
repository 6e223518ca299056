/// What can go wrong in the core; numbers are fields, the message names the remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter outside its range.
    #[error("`{name}` is {value}; {remedy}")]
    OutOfRange {
        /// Contract name of the parameter.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        remedy: &'static str,
    },
    /// An entry of a vector outside its range.
    #[error("entry {index} of `{name}` is {value}; {remedy}")]
    BadEntry {
        /// Contract name of the vector.
        name: &'static str,
        /// Position, counted from 0.
        index: usize,
        /// What was given.
        value: f64,
        /// What is allowed.
        remedy: &'static str,
    },
    /// Two vectors that must have one entry per mode have different lengths.
    #[error(
        "`{name}` has {found} entries but the spectrum has {expected}; give one entry per mode"
    )]
    LengthMismatch {
        /// Contract name of the second vector.
        name: &'static str,
        /// Its length.
        found: usize,
        /// The length of the spectrum.
        expected: usize,
    },
    /// A spectrum without any positive eigenvalue.
    #[error("`{name}` has no positive entry; a spectrum needs at least one")]
    NoVariance {
        /// Contract name of the spectrum.
        name: &'static str,
    },
    /// A target value that no admissible argument reaches.
    #[error("`{name}` = {value} is not below {limit}; choose a smaller value")]
    Unreachable {
        /// What was asked for.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The supremum of what can be reached.
        limit: f64,
    },
    /// An iteration that did not reach its tolerance.
    #[error("{what} did not converge: residual {residual:e} after {iterations} steps at {at}")]
    NotConverged {
        /// Which solve.
        what: &'static str,
        /// Steps taken.
        iterations: usize,
        /// Relative residual reached.
        residual: f64,
        /// Where, for the report.
        at: String,
    },
}

/// Result of the core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(feature = "serde")]
impl From<Error> for rmt_task::TaskError {
    fn from(error: Error) -> Self {
        use rmt_task::{ErrorKind, TaskError};
        let (key, message) = match &error {
            Error::OutOfRange { name, value, remedy } => {
                (*name, format!("{value} is out of range; {remedy}"))
            }
            Error::BadEntry { name, index, value, remedy } => {
                return TaskError::invalid(
                    format!("{name}[{index}]"),
                    format!("{value} is out of range; {remedy}"),
                );
            }
            Error::LengthMismatch { name, .. }
            | Error::NoVariance { name }
            | Error::Unreachable { name, .. } => (*name, error.to_string()),
            Error::NotConverged { .. } => {
                return TaskError::new(ErrorKind::NOT_CONVERGED, error.to_string());
            }
        };
        TaskError::invalid(key, message)
    }
}
