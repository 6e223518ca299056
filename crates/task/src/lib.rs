//! The plug-in interface of **rmt**.
//!
//! A [`Task`] is one question that the program can answer: typed inputs, validated once, and every
//! quantity they determine. [`Simulate`] adds one finite-size draw of the same quantities.
//! [`Registration`] erases the input type, so that a registry, the command line, sweeps and the
//! shared property suite can hold all tasks alike.
//!
//! ```
//! use rmt_task::{Card, Observables, Registration, Task, TaskError};
//!
//! #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Inputs {
//!     /// Number of samples, at least 1.
//!     n: f64,
//! }
//!
//! struct Halve;
//! impl Task for Halve {
//!     type Inputs = Inputs;
//!     const CARD: Card = Card {
//!         name: "halve",
//!         summary: "Half the number of samples",
//!         equations: "h = n/2",
//!         latex: r"h = n/2",
//!         references: &[],
//!         observables: &[("half", "n/2")],
//!         headline: &["half"],
//!         example: r#"{"n": 10}"#,
//!     };
//!     fn evaluate(inputs: &Inputs) -> Result<Observables, TaskError> {
//!         let mut out = Observables::new();
//!         out.set("half", inputs.n / 2.0);
//!         Ok(out)
//!     }
//! }
//!
//! let task = Registration::of::<Halve>();
//! let out = task.evaluate(&serde_json::json!({"n": 3})).unwrap();
//! assert_eq!(out.number("half"), Some(1.5));
//! let error = task.evaluate(&serde_json::json!({"m": 3})).unwrap_err();
//! assert_eq!(error.kind.as_str(), "unknown_key");
//! ```
#![forbid(unsafe_code)]

mod card;
mod error;
mod fields;
mod key_path;
mod observables;
mod registration;
mod schema;

pub use card::{Card, Reference};
pub use error::{ErrorKind, TaskError, nearest};
pub use fields::{Fields, read, unknown_key};
pub use key_path::KeyPath;
pub use observables::{Observables, Value};
pub use registration::Registration;
pub use schema::{is_integer, is_list, takes_kinds};

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

/// One question the program answers, from typed inputs.
pub trait Task: 'static {
    /// What the caller states. Ranges are checked in `evaluate` (or while deserialising), shapes by
    /// the types; doc comments become the descriptions in the schema and in `rmt explain`.
    type Inputs: DeserializeOwned + Serialize + JsonSchema;

    /// Name, meaning, equations and sources.
    const CARD: Card;

    /// Every quantity that the inputs determine, under its contract name.
    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError>;
}

/// A task with a finite-size experiment behind it.
pub trait Simulate: Task {
    /// Keys of the example that count samples, features or modes (a list stands for its entries):
    /// multiplied by two together they make the experiment twice as large. `rmt verify` shows with
    /// them whether a gap between theory and simulation shrinks with the size.
    const SIZES: &'static [&'static str] = &[];

    /// Standard settings at which `rmt verify` compares theory and simulation: JSON objects whose
    /// entries replace the example's, `{}` being the example itself.
    const SETTINGS: &'static [&'static str] = &["{}"];

    /// One finite-size draw of the quantities of [`Task::evaluate`], under the same names (those
    /// that one draw can measure). Equal `draw` gives equal numbers, whatever the thread count.
    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError>;
}

/// Which random draw: a seed for the experiment and the index of the draw within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Seed of the whole experiment.
    pub seed: u64,
    /// Index of this draw, 0, 1, 2, …
    pub index: u64,
}

impl Draw {
    /// A 64-bit seed for this draw's random generator; different draws give unrelated seeds
    /// (SplitMix64 finaliser of seed and index).
    pub fn stream(self) -> u64 {
        let mut z = self
            .seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(self.index.wrapping_add(1).wrapping_mul(0xD1B5_4A32_D192_ED03));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
