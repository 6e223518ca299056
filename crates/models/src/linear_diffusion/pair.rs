//! Two models trained on different data.

use super::map::{LinearMap, Pairing};
use crate::Result;

/// Mean squared difference 𝔼(T̂₁ − T̂₂)² of each output mode between two maps trained on sets that
/// share `shared` rows, at an input with these squared offsets from the mean. Differences between
/// the average gains count as well as the fluctuations of both.
///
/// # Errors
/// As [`LinearMap::variance`] and [`LinearMap::shared_covariance`].
pub fn disagreement(
    first: &LinearMap<'_>,
    second: &LinearMap<'_>,
    shared: f64,
    squared_offset: &[f64],
    pairing: Pairing,
) -> Result<Vec<f64>> {
    let a = first.variance(squared_offset, pairing)?;
    let b = second.variance(squared_offset, pairing)?;
    let common = first.shared_covariance(second, shared, squared_offset, pairing)?;
    let gains = first.gain().into_iter().zip(second.gain());
    let biases = gains.zip(squared_offset).map(|((m, n), x)| (m - n) * (m - n) * x);
    // Equal sets cancel exactly in theory and to rounding here.
    Ok(biases
        .zip(a.iter().zip(&b).zip(&common))
        .map(|(bias, ((a, b), c))| bias + (a + b - 2.0 * c).max(0.0))
        .collect())
}
