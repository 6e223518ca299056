use crate::fields::read;
use crate::{Card, Draw, ErrorKind, Observables, Simulate, Task, TaskError};
use schemars::Schema;
use serde_json::Value as Json;

type Evaluate = fn(&Json) -> Result<Observables, TaskError>;
type DrawFn = fn(&Json, Draw) -> Result<Observables, TaskError>;

/// A task without its input type: what a registry holds.
#[derive(Clone, Copy)]
pub struct Registration {
    card: &'static Card,
    schema: fn() -> Schema,
    check: fn(&Json) -> Result<(), TaskError>,
    evaluate: Evaluate,
    draw: Option<DrawFn>,
    sizes: &'static [&'static str],
    settings: &'static [&'static str],
}

impl Registration {
    /// A task that only predicts.
    pub const fn of<T: Task>() -> Self {
        Self {
            card: &T::CARD,
            schema: || schemars::schema_for!(T::Inputs),
            check: |inputs| parse::<T>(inputs).map(|_| ()),
            evaluate: |inputs| finite(T::evaluate(&parse::<T>(inputs)?)?),
            draw: None,
            sizes: &[],
            settings: &[],
        }
    }

    /// A task that also simulates.
    pub const fn simulated<T: Simulate>() -> Self {
        let mut registration = Self::of::<T>();
        registration.draw = Some(|inputs, draw| finite(T::draw(&parse::<T>(inputs)?, draw)?));
        registration.sizes = T::SIZES;
        registration.settings = T::SETTINGS;
        registration
    }

    /// The task's card.
    pub fn card(&self) -> &'static Card {
        self.card
    }

    /// JSON Schema of the inputs.
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// Whether the inputs can be read: keys and types, not yet what [`Task::evaluate`] checks.
    pub fn check(&self, inputs: &Json) -> Result<(), TaskError> {
        (self.check)(inputs)
    }

    /// Parses the inputs and evaluates the task.
    pub fn evaluate(&self, inputs: &Json) -> Result<Observables, TaskError> {
        (self.evaluate)(inputs)
    }

    /// Whether the task has a finite-size simulation.
    pub fn simulates(&self) -> bool {
        self.draw.is_some()
    }

    /// Keys of the example that double with the size of the experiment.
    pub fn sizes(&self) -> &'static [&'static str] {
        self.sizes
    }

    /// Standard settings, as JSON objects of entries that replace the example's.
    pub fn settings(&self) -> &'static [&'static str] {
        self.settings
    }

    /// One finite-size draw.
    pub fn draw(&self, inputs: &Json, draw: Draw) -> Result<Observables, TaskError> {
        match self.draw {
            Some(f) => f(inputs, draw),
            None => Err(TaskError::new(
                ErrorKind::INVALID_INPUT,
                format!("`{}` has no finite-size simulation", self.card.name),
            )),
        }
    }
}

fn parse<T: Task>(inputs: &Json) -> Result<T::Inputs, TaskError> {
    if !inputs.is_object() {
        return Err(TaskError::new(
            ErrorKind::INVALID_INPUT,
            format!("the inputs of `{}` are an object, found {inputs}", T::CARD.name),
        ));
    }
    read(inputs)
}

fn finite(out: Observables) -> Result<Observables, TaskError> {
    match out.nan() {
        None => Ok(out),
        Some(name) => Err(TaskError::new(
            ErrorKind::NOT_CONVERGED,
            format!(
                "`{name}` is not a number for these inputs: an intermediate result left the range of \
                 floating-point numbers; rescale spectra, ridges and variances by one factor"
            ),
        )),
    }
}
