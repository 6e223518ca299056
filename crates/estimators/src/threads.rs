//! How kernels of linear algebra (products, decompositions) use threads, for the whole process.
//!
//! Dividing a kernel changes the order of its sums, and with it the last digits. How far it is divided
//! is therefore fixed here, and not by the number of threads at hand: results do not depend on that.

use faer::Par;

/// Enough for eight threads; on two they cost a twentieth more than two parts, and where all threads
/// are busy with other draws a fiftieth more than one.
const PARTS: usize = 8;

/// Divides kernels into the same number of parts from now on, however many threads there are.
///
/// For programs, at their start: the setting is the process's own.
pub fn fix_parts() {
    faer::set_global_parallelism(Par::rayon(PARTS));
}
