//! From a stated correlation and given rows to the blocks of K.

use super::form::{Form, Mean};
use super::{DENSE_LIMIT, Family, Kernel, Part, Rows, SpectrumMethod, combined};
use crate::{Error, Result};
use faer::Mat;
use std::sync::Arc;

impl Kernel {
    pub(super) fn build(family: &Family, rows: Rows<'_>, method: SpectrumMethod) -> Result<Self> {
        let n = rows.count;
        if n == 0 {
            return Err(Error::OutOfRange {
                key: "n",
                value: 0.0,
                remedy: "give at least one row",
            });
        }
        for (key, found) in
            [("groups", rows.groups.map(<[_]>::len)), ("times", rows.times.map(<[_]>::len))]
        {
            if let Some(found) = found
                && found != n
            {
                return Err(Error::LengthMismatch { key, found, expected: n });
            }
        }
        let kind = family.kind();
        let mut notices = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let whole = || (0..n).collect::<Vec<_>>();
        match family {
            Family::Diagonal { values, counts } => {
                let diagonal: Vec<f64> = values
                    .iter()
                    .zip(counts)
                    .flat_map(|(v, c)| std::iter::repeat_n(*v, *c))
                    .collect();
                if diagonal.len() != n {
                    let found = diagonal.len();
                    return Err(Error::RowMismatch { key: "counts", found, expected: n });
                }
                parts.push(Part { rows: whole(), form: Arc::new(Form::Diagonal(diagonal)) });
            }
            Family::Dense { values } => {
                if rows.groups.is_some() || rows.times.is_some() {
                    let with = if rows.groups.is_some() { "groups" } else { "time stamps" };
                    return Err(Error::NoStructure { kind, with });
                }
                parts.push(Part { rows: whole(), form: Arc::new(dense_form(values, n)?) });
            }
            Family::Blocks { .. } if rows.times.is_some() => {
                return Err(Error::NoStructure { kind, with: "time stamps" });
            }
            _ => {
                for rows_of_group in grouped(rows.groups, n) {
                    let times: Option<Vec<f64>> =
                        rows.times.map(|t| rows_of_group.iter().map(|&i| t[i]).collect());
                    if let Some(times) = &times {
                        ordered(times, &rows_of_group)?;
                    }
                    // Equal groups of evenly spaced rows share one block.
                    let shared = parts
                        .iter()
                        .find(|p| times.is_none() && p.rows.len() == rows_of_group.len())
                        .map(|p| p.form.clone());
                    let form = match shared {
                        Some(form) => form,
                        None => {
                            let m = rows_of_group.len();
                            Arc::new(stationary_form(family, m, times.as_deref(), method)?)
                        }
                    };
                    parts.push(Part { rows: rows_of_group, form });
                }
            }
        }
        if parts.iter().any(|p| matches!(*p.form, Form::Toeplitz { .. })) {
            notices.push(format!(
                "the spectrum of the {kind} kernel over {n} rows is that of its circulant \
                 (approximate, κ̃ to about 1e-3)"
            ));
        }
        let mut levels = combined(&parts, 1.0, Mean::Unused)?;
        let trace = match family {
            // Unit diagonal: exact.
            Family::Diagonal { .. } | Family::Dense { .. } => levels.trace(),
            _ => n as f64,
        };
        if !(trace > 0.0 && trace.is_finite()) {
            return Err(Error::NoVariance { trace });
        }
        let mut scale = n as f64 / trace;
        if (scale - 1.0).abs() <= 1e-12 {
            scale = 1.0;
        } else {
            notices.push(format!(
                "the sample correlation had trace {trace:.6}; it was scaled by {scale:.6} to Tr K = n = {n}"
            ));
            levels = combined(&parts, scale, Mean::Unused)?;
        }
        Ok(Self {
            rows: n,
            family: family.clone(),
            scale,
            levels,
            series: Arc::new(parts.iter().map(|p| p.rows.clone()).collect()),
            parts,
            times: rows.times.map(<[_]>::to_vec),
            row_scale: None,
            notices,
        })
    }
}

/// Rows of each group, groups in order of appearance.
fn grouped(groups: Option<&[usize]>, n: usize) -> Vec<Vec<usize>> {
    let Some(labels) = groups else { return vec![(0..n).collect()] };
    let mut place = std::collections::HashMap::new();
    let mut out: Vec<Vec<usize>> = Vec::new();
    for (row, label) in labels.iter().enumerate() {
        let at = *place.entry(*label).or_insert_with(|| {
            out.push(Vec::new());
            out.len() - 1
        });
        out[at].push(row);
    }
    out
}

fn ordered(times: &[f64], rows: &[usize]) -> Result<()> {
    for (at, time) in times.iter().enumerate() {
        if !time.is_finite() {
            return Err(Error::BadEntry {
                key: "times",
                index: vec![rows[at]],
                value: *time,
                remedy: "time stamps are finite numbers",
            });
        }
        if at > 0 && *time <= times[at - 1] {
            return Err(Error::TimeOrder { row: rows[at], time: *time, previous: times[at - 1] });
        }
    }
    Ok(())
}

/// The block of one series of m rows.
fn stationary_form(
    family: &Family,
    m: usize,
    times: Option<&[f64]>,
    method: SpectrumMethod,
) -> Result<Form> {
    let gap = |t: usize| times.map_or(1.0, |times| times[t + 1] - times[t]);
    let kind = family.kind();
    Ok(match family {
        Family::Identity => Form::Diagonal(vec![1.0; m]),
        Family::Exponential { length } => Form::Markov {
            decay: (0..m - 1).map(|t| (-gap(t) / length).exp()).collect(),
            innovation: (0..m - 1).map(|t| -(-2.0 * gap(t) / length).exp_m1()).collect(),
        },
        Family::NearestNeighbor { .. } => Form::Tridiagonal {
            beside: (0..m - 1).map(|t| family.at_distance(gap(t))).collect::<Result<_>>()?,
        },
        Family::Blocks { size, correlation } => {
            if !m.is_multiple_of(*size) {
                return Err(Error::BlocksDoNotDivide { size: *size, rows: m });
            }
            Form::Exchangeable { rows: m, size: *size, correlation: *correlation }
        }
        Family::PowerLaw { .. } if m > DENSE_LIMIT => match (method, times) {
            (SpectrumMethod::Circulant, None) => Form::Toeplitz {
                column: (0..m).map(|t| family.at_distance(t as f64)).collect::<Result<_>>()?,
            },
            _ => return Err(Error::TooLarge { kind, rows: m, limit: DENSE_LIMIT }),
        },
        Family::PowerLaw { exponent } => {
            let at = |t: usize| times.map_or(t as f64, |times| times[t]);
            Form::dense_from(Mat::from_fn(m, m, |i, j| {
                (1.0 + (at(i) - at(j)).abs()).powf(-exponent)
            }))
        }
        // Built by the caller; kept out of here by its match.
        Family::Diagonal { .. } | Family::Dense { .. } => {
            return Err(Error::NotStationary { kind });
        }
    })
}

fn dense_form(values: &[Vec<f64>], n: usize) -> Result<Form> {
    if values.len() != n {
        return Err(Error::RowMismatch { key: "values", found: values.len(), expected: n });
    }
    if n > DENSE_LIMIT {
        return Err(Error::TooLarge { kind: "dense", rows: n, limit: DENSE_LIMIT });
    }
    let mut largest = 0.0_f64;
    for (i, row) in values.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            if !value.is_finite() {
                return Err(Error::BadEntry {
                    key: "values",
                    index: vec![i, j],
                    value: *value,
                    remedy: "the entries of K are finite numbers",
                });
            }
            largest = largest.max(value.abs());
        }
    }
    for row in 0..n {
        for column in row + 1..n {
            let (upper, lower) = (values[row][column], values[column][row]);
            if (upper - lower).abs() > 1e-12 * largest {
                return Err(Error::NotSymmetric { row, column, upper, lower });
            }
        }
    }
    Ok(Form::dense_from(Mat::from_fn(n, n, |i, j| 0.5 * (values[i][j] + values[j][i]))))
}
