use rmt_task::{ErrorKind, TaskError};

/// What can go wrong with a population model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A rate or saturation outside its range.
    #[error("parameter `{name}` ({meaning}) is {value}; {remedy}")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What the parameter is.
        meaning: &'static str,
        /// What is allowed.
        remedy: &'static str,
    },
    /// A parameter without a value.
    #[error("parameter `{name}` ({meaning}, unit {unit}) is missing; give it a value")]
    MissingParameter {
        /// Name of the parameter.
        name: &'static str,
        /// What it is.
        meaning: &'static str,
        /// Its unit.
        unit: &'static str,
    },
    /// A density that is negative or not finite.
    #[error("species `{name}` has density {value}; give a finite number that is not negative")]
    State {
        /// Name of the species.
        name: &'static str,
        /// What was given.
        value: f64,
    },
    /// A vector of the wrong length.
    #[error("{what}: {found} numbers given, {expected} expected")]
    Length {
        /// Which vector.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length it should have.
        expected: usize,
    },
    /// A name that the model does not know.
    #[error("unknown {what} `{name}`, known are {known}")]
    UnknownName {
        /// What the name stands for.
        what: &'static str,
        /// What was given.
        name: String,
        /// The known names.
        known: String,
    },
    /// Output times that do not increase from 0 on.
    #[error(
        "times[{index}] is {value} after {previous}; give finite times in ascending order, from 0 on"
    )]
    Times {
        /// Position, counted from 0.
        index: usize,
        /// The time there.
        value: f64,
        /// The time before it (0 for the first).
        previous: f64,
    },
    /// A setting outside its range.
    #[error("`{name}` is {value}; {remedy}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        remedy: &'static str,
    },
    /// An integration that neither the explicit nor the implicit method could finish.
    #[error(
        "the integration stopped at t = {time} after {steps} steps ({reason}); loosen the tolerance or shorten the horizon"
    )]
    Integration {
        /// Time reached.
        time: f64,
        /// Steps taken by the last method.
        steps: usize,
        /// What the method reported.
        reason: String,
    },
    /// Newton's method did not find an equilibrium.
    #[error(
        "no equilibrium found near the start: |G| = {residual:e} after {iterations} Newton steps; start closer, for example from the list of all equilibria"
    )]
    NoEquilibrium {
        /// Largest growth rate per head that remains.
        residual: f64,
        /// Steps taken.
        iterations: usize,
    },
    /// A linearisation beyond the range of double precision.
    #[error(
        "the Jacobian at the equilibrium {state:?} is not finite; bring the parameters to a scale of units in which they are nearer to 1"
    )]
    Overflow {
        /// The equilibrium.
        state: Vec<f64>,
    },
    /// A closed form that does not exist for these parameters.
    #[error("{what} does not exist for these parameters: {reason}")]
    Absent {
        /// What was asked for.
        what: &'static str,
        /// Which condition fails.
        reason: String,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for TaskError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Parameter { name, .. } | Error::MissingParameter { name, .. } => {
                Self::invalid(format!("parameters.{name}"), message)
            }
            Error::State { .. } => Self::invalid("initial_state", message),
            Error::Length { what, .. } => Self::invalid(what, message),
            Error::UnknownName { what: "parameter", name, .. } => Self {
                kind: ErrorKind::UNKNOWN_KEY,
                key: Some(format!("parameters.{name}")),
                message,
            },
            Error::UnknownName { what, .. } => Self::invalid(what, message),
            Error::Times { index, .. } => Self::invalid(format!("times[{index}]"), message),
            Error::Setting { name, .. } => Self::invalid(name, message),
            Error::Absent { .. } | Error::Overflow { .. } => {
                Self::new(ErrorKind::INVALID_INPUT, message)
            }
            Error::Integration { .. } | Error::NoEquilibrium { .. } => {
                Self::new(ErrorKind::NOT_CONVERGED, message)
            }
        }
    }
}
