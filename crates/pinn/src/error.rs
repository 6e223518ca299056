use rmt_task::{ErrorKind, TaskError};

/// What can go wrong in a fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The population model refused its inputs or could not be integrated.
    #[error(transparent)]
    Model(#[from] rmt_dynamics::Error),
    /// A vector or table of the wrong length.
    #[error("{what}: {found} given, {expected} expected")]
    Length {
        /// Contract name of the input.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length it should have.
        expected: usize,
    },
    /// An observation that is missing or not finite.
    #[error(
        "row {row} (t = {time}), species `{species}`: the observation is missing or not a number; fill it in or remove the row"
    )]
    MissingObservation {
        /// Row of the data, counted from 0.
        row: usize,
        /// Its time.
        time: f64,
        /// The species.
        species: &'static str,
    },
    /// A standard deviation that is not positive.
    #[error(
        "sigma of `{species}` is {value}; give the standard deviation of the observations, a positive number"
    )]
    Sigma {
        /// The species.
        species: &'static str,
        /// What was given.
        value: f64,
    },
    /// Observation times out of order.
    #[error("t[{index}] is {value} after {previous}; sort the rows by time, from 0 on")]
    Times {
        /// Position, counted from 0.
        index: usize,
        /// The time there.
        value: f64,
        /// The time before it.
        previous: f64,
    },
    /// Fewer observations than unknowns.
    #[error(
        "{observations} observations cannot determine {unknowns} unknowns ({rates} rates and {states} initial densities); add data or fix rates"
    )]
    TooFewObservations {
        /// Number of observed values.
        observations: usize,
        /// Number of unknowns.
        unknowns: usize,
        /// Free rates among them.
        rates: usize,
        /// Initial densities among them.
        states: usize,
    },
    /// A species that is observed but starts at zero and so stays absent.
    #[error(
        "species `{species}` is observed but its initial guess is 0, so it would stay absent; give a positive guess"
    )]
    ObservedButAbsent {
        /// The species.
        species: &'static str,
    },
    /// A parameter that is both free and fixed, or neither, or a repeated name.
    #[error("`{name}` {problem}")]
    Assignment {
        /// The name.
        name: String,
        /// What is wrong with it, and the remedy.
        problem: &'static str,
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
    /// No start from which the model could be integrated over the data.
    #[error(
        "the model cannot be integrated from the initial guess over the data (a density runs away or the solver fails); change the initial guess"
    )]
    NoStart,
    /// Least squares did not settle.
    #[error(
        "least squares did not converge: chi2 = {chi2} after {evaluations} evaluations; start closer or fix the rates that the report calls not identifiable"
    )]
    NotConverged {
        /// The best χ².
        chi2: f64,
        /// Trajectories computed.
        evaluations: usize,
    },
    /// A profile that fell below the estimate it started from.
    #[error(
        "chi2 = {chi2} is not the minimum: a profile found {lower}; fit again from other starts"
    )]
    NotTheMinimum {
        /// χ² of the estimate.
        chi2: f64,
        /// The lower χ².
        lower: f64,
    },
    /// Training left the finite numbers.
    #[error(
        "the training loss is not finite at epoch {epoch}; lower the learning rate (now {rate})"
    )]
    Diverged {
        /// The epoch.
        epoch: usize,
        /// The learning rate there.
        rate: f64,
    },
    /// A checkpoint that cannot be read, or is of another problem.
    #[error("checkpoint {path}: {reason}")]
    Checkpoint {
        /// Its path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// An optimiser that refused its inputs.
    #[error("the optimiser failed: {reason}")]
    Optimiser {
        /// What it said.
        reason: String,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for TaskError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Model(error) => error.into(),
            Error::Length { what, .. } => Self::invalid(what, message),
            Error::MissingObservation { row, .. } => Self::invalid(format!("data[{row}]"), message),
            Error::Sigma { .. } => Self::invalid("sigma", message),
            Error::Times { index, .. } => Self::invalid(format!("t[{index}]"), message),
            Error::TooFewObservations { .. } => Self::invalid("data", message),
            Error::ObservedButAbsent { .. } => Self::invalid("initial_state_guess", message),
            Error::Assignment { name, .. } => Self::invalid(format!("free.{name}"), message),
            Error::Setting { name, .. } => Self::invalid(name, message),
            Error::NoStart => Self::invalid("initial_guess", message),
            Error::NotConverged { .. }
            | Error::NotTheMinimum { .. }
            | Error::Diverged { .. }
            | Error::Optimiser { .. } => Self::new(ErrorKind::NOT_CONVERGED, message),
            Error::Checkpoint { .. } => Self::new(ErrorKind::INVALID_INPUT, message),
        }
    }
}
