//! Samples that two trained models, linear or not, generated from the same noise.

use super::rows::{RowSource, blocks, centred};
use super::spectrum::SampleSpectrum;
use crate::{Error, Result};

/// How far two sets of generated samples agree.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratedPair {
    /// Number of pairs.
    pub pairs: usize,
    /// Mean of ‖a − b‖², summed over dimensions, with its standard error over pairs.
    pub disagreement: (f64, f64),
    /// The same over the sum of both sets' variances around the data mean: 0 equal, 1 unrelated.
    pub relative: f64,
    /// Correlation of the two sets along each eigenvector of the data, largest eigenvalue first.
    pub by_mode: Vec<f64>,
}

impl GeneratedPair {
    /// Compares row i of `first` with row i of `second`, in the eigenbasis of the training data.
    ///
    /// # Errors
    /// [`Error::Length`] where rows or columns do not match, [`Error::TooFewRows`] below 2 rows,
    /// [`Error::NoVariance`] where neither set varies.
    pub fn new(
        first: &dyn RowSource,
        second: &dyn RowSource,
        spectrum: &SampleSpectrum,
    ) -> Result<Self> {
        let (pairs, p) = (first.rows(), spectrum.columns);
        let lengths = [
            ("rows of the second set", second.rows(), pairs),
            ("columns of the first set", first.columns(), p),
            ("columns of the second set", second.columns(), p),
        ];
        for (what, found, expected) in lengths {
            if found != expected {
                return Err(Error::Length { what, found, expected });
            }
        }
        if pairs < 2 {
            return Err(Error::TooFewRows { rows: pairs, needed: 2 });
        }
        let modes = spectrum.eigenvalues.len();
        let (mut squares, mut signal) = (Vec::with_capacity(pairs), 0.0);
        let mut moments = vec![(0.0, 0.0, 0.0); modes];
        for block in blocks(first) {
            let a = centred(first, block, &spectrum.mean)?;
            let b = centred(second, block, &spectrum.mean)?;
            for i in 0..block.1 {
                let distance = (a.row(i) - b.row(i)).squared_norm_l2();
                if !distance.is_finite() {
                    return Err(Error::NotFinite {
                        what: "generated samples",
                        row: block.0 + i,
                        column: 0,
                        value: distance,
                    });
                }
                squares.push(distance);
            }
            signal += a.squared_norm_l2() + b.squared_norm_l2();
            let (a, b) = (&a * &spectrum.vectors, &b * &spectrum.vectors);
            for (j, (aa, bb, ab)) in moments.iter_mut().enumerate() {
                for i in 0..block.1 {
                    *aa += a[(i, j)] * a[(i, j)];
                    *bb += b[(i, j)] * b[(i, j)];
                    *ab += a[(i, j)] * b[(i, j)];
                }
            }
        }
        if signal == 0.0 {
            return Err(Error::NoVariance);
        }
        let count = pairs as f64;
        let mean = squares.iter().sum::<f64>() / count;
        let spread: f64 = squares.iter().map(|x| (x - mean).powi(2)).sum();
        let correlation = |(aa, bb, ab): &(f64, f64, f64)| {
            let norm = (aa * bb).sqrt();
            if norm > 0.0 { ab / norm } else { 1.0 }
        };
        Ok(Self {
            pairs,
            disagreement: (mean, (spread / (count - 1.0) / count).sqrt()),
            relative: mean * count / signal,
            by_mode: moments.iter().map(correlation).collect(),
        })
    }
}
