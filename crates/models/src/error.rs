use rmt_task::{ErrorKind, TaskError};

/// What can go wrong in a model; numbers are fields, the message names the remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter outside its range.
    #[error("`{key}` is {value}; {remedy}")]
    OutOfRange {
        /// Contract name of the parameter.
        key: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        remedy: &'static str,
    },
    /// A sample correlation that describes another number of rows than the data have.
    #[error(
        "the sample correlation describes {found} rows, the data have {expected}; drop `{key}` or make it {expected}"
    )]
    RowMismatch {
        /// The key that fixes the number of rows.
        key: &'static str,
        /// Rows it describes.
        found: usize,
        /// Rows there are.
        expected: usize,
    },
    /// Blocks that do not tile the rows.
    #[error("blocks of {size} rows do not divide {rows} rows; choose a divisor of {rows}")]
    BlocksDoNotDivide {
        /// Rows of a block.
        size: usize,
        /// Rows to divide.
        rows: usize,
    },
    /// Two lists that must be of one length.
    #[error("`{key}` has {found} entries where {expected} are needed")]
    LengthMismatch {
        /// Contract name of the list.
        key: &'static str,
        /// Its length.
        found: usize,
        /// The length it must have.
        expected: usize,
    },
    /// An entry of a list or matrix that is not allowed.
    #[error("`{key}` is {value} at position {index:?}; {remedy}")]
    BadEntry {
        /// Contract name of the list or matrix.
        key: &'static str,
        /// Position, counted from 0 (row, column for a matrix).
        index: Vec<usize>,
        /// What was given.
        value: f64,
        /// What is allowed.
        remedy: &'static str,
    },
    /// A matrix that is not symmetric.
    #[error(
        "the sample correlation is not symmetric: entry ({row}, {column}) is {upper}, entry ({column}, {row}) is {lower}; symmetrise it, (K + Kᵀ)/2"
    )]
    NotSymmetric {
        /// Row of the upper entry, counted from 0.
        row: usize,
        /// Its column.
        column: usize,
        /// The upper entry.
        upper: f64,
        /// The entry it should equal.
        lower: f64,
    },
    /// A matrix with a negative eigenvalue.
    #[error(
        "the sample correlation has the eigenvalue {eigenvalue:e} (the largest is {largest:e}); a covariance has none below zero"
    )]
    NotPositive {
        /// The most negative eigenvalue.
        eigenvalue: f64,
        /// The largest one.
        largest: f64,
    },
    /// A sample correlation without any variance.
    #[error(
        "the sample correlation has trace {trace}; it must be positive, so that it can be scaled to Tr K = n"
    )]
    NoVariance {
        /// The trace.
        trace: f64,
    },
    /// A lag asked of a sample correlation that has no time.
    #[error(
        "a lag has a meaning for stationary sample correlations only (identity, exponential, power_law, nearest_neighbor), not for `{kind}`; drop `test_lag`"
    )]
    NotStationary {
        /// Kind of the sample correlation.
        kind: &'static str,
    },
    /// Times or groups given to a sample correlation that cannot use them.
    #[error(
        "`{kind}` already describes every row and cannot be combined with {with}; give a stationary kind or drop {with}"
    )]
    NoStructure {
        /// Kind of the sample correlation.
        kind: &'static str,
        /// What it was combined with.
        with: &'static str,
    },
    /// Time stamps that do not increase within their group.
    #[error(
        "time stamps must increase: row {row} has {time} after {previous}; sort the rows or give each series its own group"
    )]
    TimeOrder {
        /// Row, counted from 0.
        row: usize,
        /// Its time stamp.
        time: f64,
        /// The time stamp before it.
        previous: f64,
    },
    /// A spectrum that would need a large dense matrix.
    #[error(
        "`{kind}` over {rows} rows needs a dense {rows}×{rows} matrix, refused above {limit}; ask for the approximate circulant spectrum (stationary kinds) or use exponential, nearest_neighbor, blocks or diagonal"
    )]
    TooLarge {
        /// Kind of the sample correlation.
        kind: &'static str,
        /// Rows.
        rows: usize,
        /// Largest number of rows allowed.
        limit: usize,
    },
    /// No closed form as n → ∞.
    #[error(
        "`{kind}` has no closed-form limit of infinitely many rows; known are identity, exponential, nearest_neighbor, blocks and diagonal"
    )]
    NoLimit {
        /// Kind of the sample correlation.
        kind: &'static str,
    },
    /// Degrees of freedom that no ridge reaches.
    #[error(
        "{target} degrees of freedom are not between 0 and the rank {rank} of the sample correlation"
    )]
    Unreachable {
        /// What was asked for.
        target: f64,
        /// Supremum of what can be reached.
        rank: f64,
    },
    /// An eigendecomposition that did not converge.
    #[error(
        "the decomposition of a {rows}×{rows} matrix failed; check the input for extreme scales"
    )]
    NoDecomposition {
        /// Rows.
        rows: usize,
    },
    /// Two inputs that exclude each other.
    #[error("`{second}` cannot be combined with `{first}`; give one of them")]
    Conflict {
        /// The input that was given first.
        first: &'static str,
        /// The one that does not go with it.
        second: &'static str,
    },
    /// An input that needs another one.
    #[error("`{key}` needs `{other}`: {reason}")]
    Needs {
        /// The input that was given.
        key: &'static str,
        /// The one that is missing.
        other: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A key whose presence or absence contradicts another.
    #[error("`{key}`: {remedy}")]
    Choice {
        /// Contract name of the key.
        key: &'static str,
        /// What to give.
        remedy: &'static str,
    },
    /// A combination that no theory here covers.
    #[error("`{key}`: {remedy}")]
    NotCovered {
        /// Contract name of the key.
        key: &'static str,
        /// Why, and what is available.
        remedy: &'static str,
    },
    /// A covariance that is not symmetric.
    #[error(
        "the covariance is not symmetric: entry ({row}, {column}) is {upper}, entry ({column}, {row}) is {lower}; symmetrise it, (Σ + Σᵀ)/2"
    )]
    CovarianceNotSymmetric {
        /// Row of the upper entry, counted from 0.
        row: usize,
        /// Its column.
        column: usize,
        /// The upper entry.
        upper: f64,
        /// The entry it should equal.
        lower: f64,
    },
    /// A covariance with a negative eigenvalue.
    #[error(
        "the covariance has the eigenvalue {eigenvalue:e} (the largest is {largest:e}); a covariance has none below zero"
    )]
    CovarianceNotPositive {
        /// The most negative eigenvalue.
        eigenvalue: f64,
        /// The largest one.
        largest: f64,
    },
    /// An error about one group of a mixture.
    #[error("group {group}: {source}")]
    InGroup {
        /// The group, counted from 0.
        group: usize,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// A mixture in which no sample has weight.
    #[error("no group has both samples and a positive weight; give at least one")]
    NoSamples,
    /// Covariances that do not commute, in too high a dimension for dense matrices.
    #[error(
        "covariances that do not commute need dense matrices, refused above {limit} features (found {found}); give diagonal covariances in a common basis"
    )]
    TooManyFeatures {
        /// Features there are.
        found: usize,
        /// Largest number allowed.
        limit: usize,
    },
    /// An iteration that did not reach its tolerance.
    #[error(
        "{what} did not converge: residual {residual:e} after {iterations} steps at λ = {lambda}"
    )]
    NotConverged {
        /// Which solve.
        what: &'static str,
        /// Steps taken.
        iterations: usize,
        /// Relative size of the last step.
        residual: f64,
        /// The ridge.
        lambda: f64,
    },
    /// An error of the core.
    #[error(transparent)]
    Core(#[from] rmt_core::Error),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The error as one about a group.
    pub(crate) fn in_group(self, group: usize) -> Self {
        Error::InGroup { group, source: Box::new(self) }
    }
}

impl From<Error> for TaskError {
    fn from(error: Error) -> Self {
        match &error {
            Error::OutOfRange { key, value, remedy } => {
                TaskError::invalid(*key, format!("{value} is out of range; {remedy}"))
            }
            Error::BadEntry { key, index, value, remedy } => {
                let index: String = index.iter().map(|i| format!("[{i}]")).collect();
                TaskError::invalid(format!("{key}{index}"), format!("{value}; {remedy}"))
            }
            Error::RowMismatch { key, .. } | Error::LengthMismatch { key, .. } => {
                TaskError::invalid(*key, error.to_string())
            }
            Error::BlocksDoNotDivide { .. } => TaskError::invalid("size", error.to_string()),
            Error::NotSymmetric { .. } | Error::NotPositive { .. } | Error::NoVariance { .. } => {
                TaskError::invalid("values", error.to_string())
            }
            Error::NoLimit { .. } | Error::TooLarge { .. } | Error::NoStructure { .. } => {
                TaskError::invalid("kind", error.to_string())
            }
            Error::CovarianceNotSymmetric { .. } | Error::CovarianceNotPositive { .. } => {
                TaskError::invalid("values", error.to_string())
            }
            // Which input lists the groups, only the task knows.
            Error::InGroup { group, source } => {
                TaskError::from((**source).clone()).within(&format!("[{group}]"))
            }
            Error::NoSamples => TaskError::invalid("n", error.to_string()),
            Error::TooManyFeatures { .. } => TaskError::invalid("covariances", error.to_string()),
            Error::NotConverged { .. } => {
                TaskError::new(ErrorKind::NOT_CONVERGED, error.to_string())
            }
            Error::NoDecomposition { .. } => {
                TaskError::new(ErrorKind::NOT_CONVERGED, error.to_string())
            }
            Error::Conflict { second: key, .. } | Error::Needs { key, .. } => {
                TaskError::invalid(*key, error.to_string())
            }
            Error::Choice { key, remedy } | Error::NotCovered { key, remedy } => {
                TaskError::invalid(*key, *remedy)
            }
            Error::Core(inner) => inner.clone().into(),
            Error::NotStationary { .. } | Error::TimeOrder { .. } | Error::Unreachable { .. } => {
                TaskError::new(ErrorKind::INVALID_INPUT, error.to_string())
            }
        }
    }
}
