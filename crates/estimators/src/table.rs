use crate::{Error, Result};
use faer::Mat;

/// A table of numbers, row by row, borrowed from the caller.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    values: &'a [f64],
    rows: usize,
    columns: usize,
}

impl<'a> Table<'a> {
    /// `values[row * columns + column]`.
    ///
    /// # Errors
    /// [`Error::Length`] unless there are `rows · columns` values.
    pub fn new(values: &'a [f64], rows: usize, columns: usize) -> Result<Self> {
        if values.len() != rows * columns {
            return Err(Error::Length {
                what: "table",
                found: values.len(),
                expected: rows * columns,
            });
        }
        Ok(Self { values, rows, columns })
    }

    /// A single column.
    pub fn column(values: &'a [f64]) -> Self {
        Self { values, rows: values.len(), columns: 1 }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One entry.
    pub(crate) fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    /// A column-major copy, in blocks of rows so that both sides stay in cache.
    pub(crate) fn to_mat(self) -> Mat<f64> {
        const ROWS: usize = 16;
        let mut out = Mat::zeros(self.rows, self.columns);
        for from in (0..self.rows).step_by(ROWS) {
            let to = (from + ROWS).min(self.rows);
            for j in 0..self.columns {
                let column = &mut out.col_as_slice_mut(j)[from..to];
                for (i, value) in column.iter_mut().enumerate() {
                    *value = self.at(from + i, j);
                }
            }
        }
        out
    }

    /// Each column less its mean, over its standard deviation (left as it is where that is zero), row
    /// by row.
    pub(crate) fn standardized(&self) -> Vec<f64> {
        let n = self.rows as f64;
        let mut out = self.values.to_vec();
        for j in 0..self.columns {
            let column = || self.values.iter().skip(j).step_by(self.columns);
            let mean = column().sum::<f64>() / n;
            // In units of the largest entry: squares of large ones would not be numbers.
            let size = column().fold(0.0_f64, |m, v| m.max(v.abs()));
            let unit = if size > 0.0 { size } else { 1.0 };
            let variance = column().map(|v| ((v - mean) / unit).powi(2)).sum::<f64>() / n;
            let scale = if variance > 0.0 { unit * variance.sqrt() } else { 1.0 };
            let entries = out.iter_mut().skip(j).step_by(self.columns);
            entries.for_each(|v| *v = (*v - mean) / scale);
        }
        out
    }

    /// The column and size of the first entry larger than `limit`.
    pub(crate) fn beyond(&self, limit: f64) -> Option<(usize, f64)> {
        let at = self.values.iter().position(|v| v.abs() > limit)?;
        Some((at % self.columns, self.values[at].abs()))
    }

    /// Refuses tables without columns and entries that are not finite.
    pub(crate) fn check(&self, what: &'static str) -> Result<()> {
        if self.columns == 0 {
            return Err(Error::Empty { what });
        }
        match self.values.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(at) => Err(Error::NotFinite {
                what,
                row: at / self.columns,
                column: at % self.columns,
                value: self.values[at],
            }),
        }
    }
}
