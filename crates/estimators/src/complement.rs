//! K where the residuals live.

use crate::Result;
use faer::{Col, Mat, MatRef};
use rmt_models::kernel::Kernel;

/// (PKP + shift)⁻¹ in the complement of the mean vector m, S − Sm mᵀS/(mᵀSm) with S = (K + shift)⁻¹;
/// S itself where no mean was fitted.
pub(crate) struct Inverse<'a> {
    kernel: &'a Kernel,
    shift: f64,
    /// Sm and mᵀSm.
    mean: Option<(Col<f64>, f64)>,
}

impl<'a> Inverse<'a> {
    /// `None` if K + shift is singular or its spectrum approximate.
    pub(crate) fn new(kernel: &'a Kernel, shift: f64, centred: bool) -> Result<Option<Self>> {
        let m = kernel.mean_direction();
        let Some(solved) = kernel.solve(shift, &m)? else { return Ok(None) };
        let total = solved.iter().zip(&m).map(|(s, m)| s * m).sum();
        let mean = centred.then(|| (Col::from_fn(m.len(), |i| solved[i]), total));
        Ok(Some(Self { kernel, shift, mean }))
    }

    /// Times every column.
    pub(crate) fn of(&self, columns: MatRef<'_, f64>) -> Result<Mat<f64>> {
        let Some(mut out) = self.kernel.solve_all(self.shift, columns)? else {
            unreachable!("a singular K is refused by `new`");
        };
        if let Some((solved, total)) = &self.mean {
            let along = solved.transpose() * columns;
            for j in 0..out.ncols() {
                let share = along[j] / total;
                let column = out.col_as_slice_mut(j).iter_mut();
                column.zip(solved.iter()).for_each(|(x, s)| *x -= share * s);
            }
        }
        Ok(out)
    }
}

/// aᵀb of each pair of columns.
pub(crate) fn products(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Vec<f64> {
    a.col_iter().zip(b.col_iter()).map(|(a, b)| a.transpose() * b).collect()
}
