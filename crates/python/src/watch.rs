//! Long work with the interpreter free and Ctrl-C answered.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Stack of the working thread: that of the main thread of a program, which the command line has.
const STACK: usize = 8 << 20;

/// How often signals are looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// Set when the answer is no longer wanted: work looks at it between its parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Whether to give up.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs `work` on another thread, the interpreter being free, and returns what it returns. On a signal
/// whose handler raises (Ctrl-C) that exception comes at once; the part of the work that is running
/// ends by itself, and no other part starts.
pub(crate) fn watched<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(&Stop) -> T + Send + 'static,
) -> PyResult<T> {
    let stop = Stop::default();
    let (sender, mut receiver) = channel();
    let theirs = stop.clone();
    let worker = thread::Builder::new().stack_size(STACK).spawn(move || {
        // Nobody listens any more after an interruption.
        let _ = sender.send(work(&theirs));
    });
    worker.map_err(|e| PyRuntimeError::new_err(format!("no thread for the solver: {e}")))?;
    loop {
        let outcome;
        (outcome, receiver) = py.detach(move || (receiver.recv_timeout(INTERVAL), receiver));
        match outcome {
            Ok(value) => return Ok(value),
            Err(RecvTimeoutError::Timeout) => {
                if let Err(raised) = py.check_signals() {
                    stop.0.store(true, Ordering::Relaxed);
                    return Err(raised);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err(
                    "the solver stopped unexpectedly; its message is on standard error",
                ));
            }
        }
    }
}
