use rmt_estimators::Result;
use rmt_estimators::consistency::RowSource;

/// Some rows of a data set, without one of its columns if that holds the class.
pub(crate) struct Subset<'a> {
    pub(crate) source: &'a dyn RowSource,
    /// Ascending.
    pub(crate) rows: Vec<usize>,
    pub(crate) without: Option<usize>,
}

impl RowSource for Subset<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn columns(&self) -> usize {
        self.source.columns() - usize::from(self.without.is_some())
    }

    fn read(&self, start: usize, count: usize) -> Result<Vec<f64>> {
        let mut values = Vec::with_capacity(count * self.columns());
        for row in &self.rows[start..start + count] {
            let entries = self.source.read(*row, 1)?.into_iter().enumerate();
            values.extend(entries.filter(|(j, _)| Some(*j) != self.without).map(|(_, v)| v));
        }
        Ok(values)
    }
}
