use rmt_task::{ErrorKind, TaskError};

/// What can go wrong in an estimate from data; numbers are fields, the message names the remedy.
/// Rows and columns are counted from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two inputs that must have the same length.
    #[error("`{what}` has {found} entries where {expected} are needed")]
    Length {
        /// Which input.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length it must have.
        expected: usize,
    },
    /// An entry that is not a finite number.
    #[error(
        "`{what}` has {value} in row {row}, column {column}; fill or drop missing values first"
    )]
    NotFinite {
        /// Which table.
        what: &'static str,
        /// Row.
        row: usize,
        /// Column.
        column: usize,
        /// What was found.
        value: f64,
    },
    /// Too few rows to estimate anything.
    #[error("{rows} rows are too few; {needed} are needed")]
    TooFewRows {
        /// Rows given.
        rows: usize,
        /// Rows needed.
        needed: usize,
    },
    /// A table without columns.
    #[error("`{what}` has no columns")]
    Empty {
        /// Which table.
        what: &'static str,
    },
    /// A feature that cannot be standardised.
    #[error("feature {column} is constant ({value}) and cannot be standardised; drop it")]
    ConstantFeature {
        /// Its column.
        column: usize,
        /// Its value.
        value: f64,
    },
    /// Correlated rows under nonlinear features.
    #[error(
        "CorrGCV holds for linear feature maps only: a nonlinear activation sees every power of the correlation of the rows; drop the correlation or the activations"
    )]
    NonlinearCorrelation,
    /// A family of correlations that the features do not show.
    #[error(
        "the features show no {family} correlation of neighbouring rows; take rows as independent, or state the parameter"
    )]
    NoCorrelation {
        /// The family.
        family: &'static str,
    },
    /// Entries whose squares leave the range of numbers.
    #[error(
        "column {column} of `{what}` has entries of size {size:e}, whose squares are not numbers any more; change its unit"
    )]
    Scale {
        /// `x` or `y`.
        what: &'static str,
        /// Column.
        column: usize,
        /// Largest absolute value.
        size: f64,
    },
    /// Features without any variance.
    #[error("all features are constant (zero after centring); there is nothing to regress on")]
    NoVariance,
    /// A parameter outside its range.
    #[error("`{what}` is {value}; {remedy}")]
    OutOfRange {
        /// Which parameter.
        what: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        remedy: &'static str,
    },
    /// A ridge that is no ridge.
    #[error("`lambdas[{index}]` is {value}; ridges are finite numbers ≥ 0")]
    BadLambda {
        /// Position in the list.
        index: usize,
        /// What was given.
        value: f64,
    },
    /// A row weight that is not positive.
    #[error(
        "the weight of row {row} is {value}; weights are finite numbers > 0 (drop rows of weight 0)"
    )]
    BadWeight {
        /// Row.
        row: usize,
        /// What was given.
        value: f64,
    },
    /// More degrees of freedom than the sample correlation has dimensions.
    #[error(
        "at λ = {lambda} the fit uses {df1} degrees of freedom, the sample correlation has rank {rank}; raise λ or give a correlation of higher rank"
    )]
    BeyondRank {
        /// The ridge.
        lambda: f64,
        /// Degrees of freedom D̂.
        df1: f64,
        /// Rank of K.
        rank: f64,
    },
    /// A target that does not exist.
    #[error("there is no target {index}, only {count}")]
    NoTarget {
        /// What was asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A quantity that was not computed.
    #[error("{what} was not computed on this path; {remedy}")]
    NotComputed {
        /// Which quantity.
        what: &'static str,
        /// How to get it.
        remedy: &'static str,
    },
    /// A quantity that needs the rows when only their moments were kept.
    #[error(
        "{what} need the rows, and only their moments were kept; load the data instead of streaming them"
    )]
    RowsNeeded {
        /// Which quantity.
        what: &'static str,
    },
    /// A group with too few rows.
    #[error("group {group} has {rows} rows; {needed} are needed")]
    SmallGroup {
        /// The group, counted from 0.
        group: usize,
        /// Rows it has.
        rows: usize,
        /// Rows it needs.
        needed: usize,
    },
    /// One group where several are compared.
    #[error("there is one group only; a disparity needs at least two")]
    OneGroup,
    /// Features that depend on each other exactly.
    #[error(
        "some features are exact linear combinations of others within a group; leave those out"
    )]
    DependentFeatures,
    /// A decomposition that did not converge.
    #[error("the decomposition of the {rows}×{columns} features did not converge; rescale them")]
    NoDecomposition {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// A source of rows that fails.
    #[error("cannot read row {row} (from 0): {reason}")]
    Unreadable {
        /// First row that could not be read.
        row: usize,
        /// What the source said.
        reason: String,
    },
    /// An error about the sample correlation, or of a model.
    #[error(transparent)]
    Correlation(#[from] rmt_models::Error),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for TaskError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Length { what, .. } | Error::Empty { what } => {
                TaskError::invalid(*what, error.to_string())
            }
            Error::NotFinite { what, row, column, value } => TaskError::invalid(
                format!("{what}[{row}][{column}]"),
                format!("{value} is not a finite number"),
            ),
            Error::OutOfRange { what, value, remedy } => {
                TaskError::invalid(*what, format!("{value} is out of range; {remedy}"))
            }
            Error::BadLambda { index, value } => TaskError::invalid(
                format!("lambdas[{index}]"),
                format!("{value} is out of range; ridges are finite numbers ≥ 0"),
            ),
            Error::BeyondRank { .. } => TaskError::invalid("lambdas", error.to_string()),
            Error::NoCorrelation { .. } => {
                TaskError::invalid("sample_correlation", error.to_string())
            }
            Error::NoDecomposition { .. } => {
                TaskError::new(ErrorKind::NOT_CONVERGED, error.to_string())
            }
            Error::Correlation(inner) => inner.clone().into(),
            _ => TaskError::new(ErrorKind::INVALID_INPUT, error.to_string()),
        }
    }
}
