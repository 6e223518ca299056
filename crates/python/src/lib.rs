//! The compiled half of the Python package `rmt`.
//!
//! Arrays, dictionaries and lists in, arrays and dictionaries out; no mathematics and no files. What
//! users call is the Python half (`python/rmt`), which turns any array-like into contiguous `f64` first.
//! Work runs on threads of its own while the interpreter is free (`watch`): other Python
//! threads go on, and Ctrl-C is answered at once.
#![forbid(unsafe_code)]

mod consistency;
mod convert;
mod correlation;
mod equivalent;
mod error;
mod fpt;
mod ridge;
mod tasks;
mod watch;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    rmt_estimators::threads::fix_parts();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("Error", module.py().get_type::<error::Error>())?;
    module.add_function(wrap_pyfunction!(tasks::cards, module)?)?;
    module.add_function(wrap_pyfunction!(tasks::prepared, module)?)?;
    module.add_function(wrap_pyfunction!(tasks::evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(tasks::draw, module)?)?;
    module.add_function(wrap_pyfunction!(tasks::place, module)?)?;
    module.add_function(wrap_pyfunction!(ridge::ridge, module)?)?;
    module.add_function(wrap_pyfunction!(correlation::fit_kernel, module)?)?;
    module.add_function(wrap_pyfunction!(consistency::consistency, module)?)?;
    module.add_function(wrap_pyfunction!(fpt::gallery, module)?)?;
    module.add_class::<equivalent::Equivalent>()?;
    module.add_class::<fpt::Expression>()
}
