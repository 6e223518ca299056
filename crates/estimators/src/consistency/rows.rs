use crate::{Error, Result, Table};
use faer::Mat;

/// Rows of data that need not fit into memory at once.
pub trait RowSource: Sync {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Numbers in a row.
    fn columns(&self) -> usize;
    /// Rows `start` to `start + count`, one after another.
    ///
    /// # Errors
    /// [`Error::Unreadable`] where the source fails.
    fn read(&self, start: usize, count: usize) -> Result<Vec<f64>>;
}

impl RowSource for Table<'_> {
    fn rows(&self) -> usize {
        Table::rows(self)
    }

    fn columns(&self) -> usize {
        Table::columns(self)
    }

    fn read(&self, start: usize, count: usize) -> Result<Vec<f64>> {
        let p = Table::columns(self);
        Ok((start * p..(start + count) * p).map(|i| self.at(i / p, i % p)).collect())
    }
}

/// Bytes of one block of rows.
const BLOCK: usize = 64 << 20;

/// Starts and lengths of the blocks in which a source is read.
pub(super) fn blocks(source: &dyn RowSource) -> Vec<(usize, usize)> {
    let rows = source.rows();
    let size = (BLOCK / (8 * source.columns().max(1))).clamp(1, rows.max(1));
    (0..rows).step_by(size).map(|start| (start, size.min(rows - start))).collect()
}

/// A block minus the mean, as a matrix of rows.
pub(super) fn centred(
    source: &dyn RowSource,
    (start, count): (usize, usize),
    mean: &[f64],
) -> Result<Mat<f64>> {
    let (values, p) = (source.read(start, count)?, source.columns());
    Ok(Mat::from_fn(count, p, |i, j| values[i * p + j] - mean[j]))
}

/// Selected rows minus the mean.
pub(super) fn selected(source: &dyn RowSource, rows: &[usize], mean: &[f64]) -> Result<Mat<f64>> {
    let p = source.columns();
    let mut out = Mat::zeros(rows.len(), p);
    for (i, row) in rows.iter().enumerate() {
        for (j, value) in source.read(*row, 1)?.into_iter().enumerate() {
            out[(i, j)] = value - mean[j];
        }
    }
    Ok(out)
}

/// Mean of every column; refuses entries that are not finite.
pub(super) fn mean(source: &dyn RowSource) -> Result<Vec<f64>> {
    let p = source.columns();
    let mut sum = vec![0.0; p];
    for (start, count) in blocks(source) {
        let values = source.read(start, count)?;
        for (at, value) in values.into_iter().enumerate() {
            if !value.is_finite() {
                let (row, column) = (start + at / p, at % p);
                return Err(Error::NotFinite { what: "data", row, column, value });
            }
            sum[at % p] += value;
        }
    }
    let rows = source.rows() as f64;
    Ok(sum.into_iter().map(|x| x / rows).collect())
}
