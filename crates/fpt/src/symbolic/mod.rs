//! The reduced system in symbols: as text, as LaTeX, and as programs that solve it.

mod inverse;
mod polynomial;
mod print;
mod program;
mod python;
mod ratio;
mod report;
mod rust;
mod system;
