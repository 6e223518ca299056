//! How kernels of linear algebra (products, decompositions) use threads, for the whole process.
//!
//! Dividing a kernel changes the order of its sums, and with it the last digits. How far it is divided
//! is therefore fixed here, and not by the number of threads at hand: results do not depend on that.

use faer::Par;

/// Parts of a kernel: enough for eight threads; on two they cost a twentieth more than two parts.
const PARTS: usize = 8;

/// Kernels are divided among threads: for one large problem at a time.
pub fn divided() {
    faer::set_global_parallelism(Par::rayon(PARTS));
}

/// Every kernel stays on one thread: for many problems side by side.
pub fn sequential() {
    faer::set_global_parallelism(Par::Seq);
}
