use super::bootstrap::{Band, student_upper};
use crate::{Error, Regression, Result};

/// Errors of one group under the joint fit, ridge by ridge.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupCriteria {
    /// Rows of the group.
    pub rows: usize,
    /// Mean squared residual.
    pub train_error: Vec<f64>,
    /// Mean leverage, intercept included.
    pub leverage: Vec<f64>,
    /// Group-wise generalised cross-validation: mean squared residual / (1 − mean leverage)².
    pub gcv: Vec<f64>,
    /// Exact leave-one-out error: mean of (rᵢ/(1 − hᵢ))² over the group's rows.
    pub loo: Vec<f64>,
    /// Standard error of `loo`, from the spread of its terms over the rows.
    pub loo_stderr: Vec<f64>,
}

impl GroupCriteria {
    /// LOO of `other` minus LOO of this group at the ridge of index `at`, with its 90 % band
    /// (Welch's t: the terms of the two groups are independent, but for the common fit).
    pub fn difference(&self, other: &Self, at: usize) -> (f64, Band) {
        let (a, b) = (self.loo_stderr[at].powi(2), other.loo_stderr[at].powi(2));
        let difference = other.loo[at] - self.loo[at];
        let degrees = (a + b).powi(2)
            / (a * a / (self.rows as f64 - 1.0) + b * b / (other.rows as f64 - 1.0));
        let half = (a + b).sqrt() * student_upper(degrees);
        (difference, Band { low: difference - half, high: difference + half })
    }
}

impl Regression {
    /// Errors of every group of rows under one joint fit. `groups[i]` < `count` is the group of row i;
    /// the first target is used.
    ///
    /// # Errors
    /// A label for each row is needed, at least two rows in each group; ridges as in
    /// [`Regression::path`].
    pub fn by_group(
        &self,
        groups: &[usize],
        count: usize,
        lambdas: &[f64],
    ) -> Result<Vec<GroupCriteria>> {
        if !self.prepared().has_rows() {
            return Err(Error::RowsNeeded { what: "errors by group" });
        }
        let n = self.rows();
        if groups.len() != n {
            return Err(Error::Length { what: "groups", found: groups.len(), expected: n });
        }
        if let Some(index) = lambdas.iter().position(|l| !(*l >= 0.0 && l.is_finite())) {
            return Err(Error::BadLambda { index, value: lambdas[index] });
        }
        let mut sizes = vec![0usize; count];
        for group in groups {
            match sizes.get_mut(*group) {
                Some(size) => *size += 1,
                None => {
                    return Err(Error::OutOfRange {
                        what: "groups",
                        value: *group as f64,
                        remedy: "labels count from 0 and stay below the number of groups",
                    });
                }
            }
        }
        if let Some(group) = sizes.iter().position(|s| *s < 2) {
            return Err(Error::SmallGroup { group, rows: sizes[group], needed: 2 });
        }
        let least = lambdas.iter().copied().fold(f64::INFINITY, f64::min);
        let (data, decomposition) = (self.prepared(), self.decomposition(least)?);
        let left = decomposition.left(data);
        let (g, b) = (&decomposition.g, &decomposition.b);
        let mut out: Vec<GroupCriteria> = sizes
            .iter()
            .map(|rows| GroupCriteria {
                rows: *rows,
                train_error: vec![],
                leverage: vec![],
                gcv: vec![],
                loo: vec![],
                loo_stderr: vec![],
            })
            .collect();
        for &lambda in lambdas {
            // r and 1 − h of each row; where the fit can reach everything both are λ times these.
            let complete = decomposition.perp.is_none();
            let scale = if complete { lambda } else { 1.0 };
            let mut sums = vec![[0.0; 4]; count];
            for (i, group) in groups.iter().enumerate() {
                let (mut r, mut room) = (0.0, 0.0);
                let mut inside = data.direction.as_ref().map_or(0.0, |s| s[i] * s[i]);
                for (j, g) in g.iter().enumerate() {
                    let u = left[(i, j)];
                    let left_over = if complete { 1.0 } else { lambda } / (g + lambda);
                    r += u * b[(j, 0)] * left_over;
                    room += u * u * left_over;
                    inside += u * u;
                }
                if let Some(perp) = &decomposition.perp {
                    r += perp[(i, 0)];
                    room += (1.0 - inside).max(0.0);
                }
                let loo = (r / room).powi(2);
                let sum = &mut sums[*group];
                sum[0] += r * r;
                sum[1] += room;
                sum[2] += loo;
                sum[3] += loo * loo;
            }
            for (out, [squares, room, loo, fourth]) in out.iter_mut().zip(sums) {
                let rows = out.rows as f64;
                let mean = loo / rows;
                out.train_error.push(scale * scale * squares / rows);
                out.leverage.push(1.0 - scale * room / rows);
                out.gcv.push(squares / rows / (room / rows).powi(2));
                out.loo.push(mean);
                let spread = (fourth / rows - mean * mean).max(0.0) * rows / (rows - 1.0);
                out.loo_stderr.push((spread / rows).sqrt());
            }
        }
        Ok(out)
    }
}
