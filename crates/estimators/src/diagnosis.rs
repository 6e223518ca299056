//! Does the assumption behind CorrGCV hold for these residuals?
//!
//! If rows and noise share the correlation K, the residuals have covariance ∝ G̃KG̃ on average over
//! features, so that contrasts rᵀBr/rᵀr have the mean Tr BG̃KG̃/Tr G̃KG̃; given the features, r = Qy has
//! covariance ∝ C = QKQ, which gives the variance 2 Tr(B′C)²/(Tr C)², B′ = B − (Tr BC/Tr C)I. The
//! distance between the two is a test of the whole assumption: of K′ = K, and of features that are
//! one kernel times one covariance. Three contrasts are looked at:
//!
//! - the correlation of neighbouring residuals: too low when the noise is whiter than the rows,
//!   K′ ≠ K;
//! - whitened against plain CorrGCV: their gap hints at a wrong K or K′ ≠ K;
//! - the second half of the rows against the first: drift.

use crate::decomposition::Decomposition;
use crate::prepare::Prepared;
use crate::shrinkage::Shrinkage;
use crate::{Error, Result};
use faer::{Col, Mat};
use rayon::prelude::*;
use rmt_models::kernel::{DENSE_LIMIT, Kernel};

/// An observed ratio against what the assumed correlation makes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contrast {
    /// Value for these residuals.
    pub observed: f64,
    /// Its expectation if K′ = K.
    pub expected: f64,
    /// Distance in standard deviations.
    pub z: f64,
}

impl Contrast {
    /// Whether the distance is beyond three standard deviations.
    pub fn is_off(&self) -> bool {
        self.z.abs() > 3.0
    }
}

/// How the residuals of one fit compare with the assumed correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diagnosis {
    /// Correlation of neighbouring residuals.
    pub neighbours: Contrast,
    /// Whitened over plain CorrGCV; absent if K is singular.
    pub whitened: Option<Contrast>,
    /// Share of the squared residuals in the second half of the rows.
    pub second_half: Contrast,
}

impl Diagnosis {
    /// Whether nothing speaks against K′ = K.
    pub fn supports_corr_gcv(&self) -> bool {
        !self.neighbours.is_off() && !self.whitened.is_some_and(|w| w.is_off())
    }
}

pub(crate) fn diagnose(
    data: &Prepared,
    decomposition: &Decomposition,
    step: &Shrinkage,
    kernel: &Kernel,
    target: usize,
) -> Result<Diagnosis> {
    let n = data.rows;
    let count = data.y.ncols();
    if target >= count {
        return Err(Error::NoTarget { index: target, count });
    }
    if n > DENSE_LIMIT {
        return Err(Error::OutOfRange {
            what: "rows",
            value: n as f64,
            remedy: "the residual diagnosis needs n×n matrices; it stops at 2000 rows",
        });
    }
    let u = decomposition.left(data);
    // Q in units of the ridge's unit.
    let whole = decomposition.whole;
    let mut scaled = u.clone();
    for (j, d) in step.d.iter().enumerate() {
        let factor = if whole { *d } else { d - 1.0 };
        scaled.col_as_slice_mut(j).iter_mut().for_each(|x| *x *= factor);
    }
    let mut q = &scaled * u.transpose();
    if !whole {
        for i in 0..n {
            q[(i, i)] += 1.0;
        }
        if let Some(s) = &data.direction {
            for j in 0..n {
                for i in 0..n {
                    q[(i, j)] -= s[i] * s[j];
                }
            }
        }
    }
    let r = &q * data.y.col(target);
    let r: Vec<f64> = (0..n).map(|i| r[i]).collect();
    let dense = kernel.dense();
    let c = &q * &dense * &q;
    // The same on average over features.
    let mean_law = match step.correlated {
        Some(at) => resolvent(kernel, at.kappa_tilde, data.direction.is_some())?
            .map(|g| &g * &dense * g.transpose()),
        None => None,
    };
    let mean_law = mean_law.as_ref().unwrap_or(&c);

    let pairs: Vec<(usize, usize)> = kernel.neighbours();
    let mut beside = vec![Vec::new(); n];
    for &(i, j) in &pairs {
        beside[i].push(j);
        beside[j].push(i);
    }
    let neighbours = contrast(&c, mean_law, &r, |v| {
        Ok((0..n).map(|i| 0.5 * beside[i].iter().map(|&j| v[j]).sum::<f64>()).collect())
    })?;
    // Where the rows of high leverage are is no sign of drift: given the features.
    let second_half = contrast(&c, &c, &r, |v| {
        Ok((0..n).map(|i| if 2 * i >= n { v[i] } else { 0.0 }).collect())
    })?;
    let whitened = match (step.correlated, kernel.solve(0.0, &kernel.mean_direction())?) {
        (Some(at), Some(solved)) => {
            let m = kernel.mean_direction();
            let total: f64 = solved.iter().zip(&m).map(|(a, b)| a * b).sum();
            let centred = data.direction.is_some();
            let kappa = at.kappa_tilde;
            // (K + 2κ̃ + κ̃²K⁻¹)/dimension over 1/φ, in units of κ̃²: the ratio of the two estimates.
            let scale = at.phi * n as f64
                / (at.kappa_tilde_units * at.kappa_tilde_units * data.dimension() as f64);
            let apply = |v: &[f64]| -> Result<Vec<f64>> {
                let forward = kernel.apply(v)?;
                let mut back = kernel.solve(0.0, v)?.unwrap_or_else(|| v.to_vec());
                if centred {
                    let share = v.iter().zip(&solved).map(|(v, s)| v * s).sum::<f64>() / total;
                    for (b, s) in back.iter_mut().zip(&solved) {
                        *b -= share * s;
                    }
                }
                let terms = forward.iter().zip(v).zip(&back);
                Ok(terms
                    .map(|((f, v), b)| scale * (f + 2.0 * kappa * v + kappa * kappa * b))
                    .collect())
            };
            Some(contrast(&c, mean_law, &r, apply)?)
        }
        _ => None,
    };
    Ok(Diagnosis { neighbours, whitened, second_half })
}

/// (K + κ̃)⁻¹, in the complement of the mean vector if one was fitted.
fn resolvent(kernel: &Kernel, kappa_tilde: f64, centred: bool) -> Result<Option<Mat<f64>>> {
    let n = kernel.rows();
    let columns: Option<Vec<Vec<f64>>> = (0..n)
        .into_par_iter()
        .map(|j| {
            let unit: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i == j))).collect();
            kernel.solve(kappa_tilde, &unit)
        })
        .collect::<Result<_, _>>()?;
    let Some(columns) = columns else { return Ok(None) };
    let mut out = Mat::from_fn(n, n, |i, j| columns[j][i]);
    if centred {
        let direction = kernel.mean_direction();
        let m = Col::from_fn(n, |i| direction[i]);
        let solved = &out * &m;
        let total: f64 = m.transpose() * &solved;
        for j in 0..n {
            for i in 0..n {
                out[(i, j)] -= solved[i] * solved[j] / total;
            }
        }
    }
    Ok(Some(out))
}

/// rᵀBr/rᵀr against its mean under one law and its spread under another.
fn contrast(
    c: &Mat<f64>,
    mean_law: &Mat<f64>,
    r: &[f64],
    b: impl Fn(&[f64]) -> Result<Vec<f64>> + Sync,
) -> Result<Contrast> {
    let n = r.len();
    let columns: Vec<Vec<f64>> =
        (0..n).into_par_iter().map(|j| b(c.col_as_slice(j))).collect::<Result<_>>()?;
    let trace: f64 = (0..n).map(|i| c[(i, i)]).sum();
    let own = (0..n).map(|i| columns[i][i]).sum::<f64>() / trace;
    let expected = if std::ptr::eq(c, mean_law) {
        own
    } else {
        let diagonal = (0..n)
            .into_par_iter()
            .map(|j| Ok(b(mean_law.col_as_slice(j))?[j]))
            .collect::<Result<Vec<f64>>>()?;
        diagonal.iter().sum::<f64>() / (0..n).map(|i| mean_law[(i, i)]).sum::<f64>()
    };
    // M = B′C; Tr M².
    let entry = |i: usize, j: usize| columns[j][i] - own * c[(i, j)];
    let square: f64 = (0..n)
        .into_par_iter()
        .map(|j| (0..n).map(|i| entry(i, j) * entry(j, i)).sum::<f64>())
        .collect::<Vec<f64>>()
        .iter()
        .sum();
    let image = b(r)?;
    let norm: f64 = r.iter().map(|r| r * r).sum();
    let observed = if norm > 0.0 {
        r.iter().zip(&image).map(|(r, b)| r * b).sum::<f64>() / norm
    } else {
        expected
    };
    let deviation = (2.0 * square.max(0.0)).sqrt() / trace;
    let z = if deviation > 0.0 { (observed - expected) / deviation } else { 0.0 };
    Ok(Contrast { observed, expected, z })
}
