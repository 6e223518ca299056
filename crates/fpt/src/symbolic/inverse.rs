//! Inverses of matrices of polynomials.

use super::polynomial::Polynomial;
use super::ratio::{Bases, Ratio};
use std::collections::BTreeMap;

/// Inverse of a matrix of polynomials through its strongly connected blocks; the wanted columns of
/// the wanted rows, `None` if an entry grows too large.
pub(crate) fn inverse(
    m: &[Vec<Polynomial>],
    wanted: &[(usize, usize)],
    bases: &mut Bases,
) -> Option<BTreeMap<(usize, usize), Ratio>> {
    let n = m.len();
    let depends = |i: usize, j: usize| !m[i][j].is_zero();
    let parts = crate::twin::strong_components(n, &depends);
    let mut blocks = Vec::with_capacity(parts.len());
    for part in &parts {
        blocks.push(block_inverse(m, part, bases)?);
    }
    let mut columns: Vec<usize> = wanted.iter().map(|(_, j)| *j).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut out = BTreeMap::new();
    for column in columns {
        let mut x: Vec<Ratio> = vec![Ratio::zero(); n];
        for (part, inverse) in parts.iter().zip(&blocks) {
            // Right side of the part: the unit vector minus what earlier parts contribute.
            let mut right = Vec::with_capacity(part.len());
            for i in part {
                let unit = if *i == column { 1.0 } else { 0.0 };
                let mut r = Ratio::polynomial(Polynomial::constant(unit));
                for (j, xj) in x.iter().enumerate() {
                    if !part.contains(&j) && !m[*i][j].is_zero() && !xj.top.is_zero() {
                        let step = Ratio::polynomial(m[*i][j].clone()).multiply(xj, bases)?;
                        r = r.add(&step, -1.0, bases)?;
                    }
                }
                right.push(r);
            }
            for (a, i) in part.iter().enumerate() {
                let mut sum = Ratio::zero();
                for (b, r) in right.iter().enumerate() {
                    if !r.top.is_zero() && !inverse[a][b].top.is_zero() {
                        sum = sum.add(&inverse[a][b].multiply(r, bases)?, 1.0, bases)?;
                    }
                }
                x[*i] = sum;
            }
        }
        for (i, j) in wanted.iter().filter(|(_, j)| *j == column) {
            out.insert((*i, *j), x[*i].clone());
        }
    }
    Some(out)
}

/// Largest block whose determinant is written out.
const MAX_BLOCK: usize = 6;

fn block_inverse(
    m: &[Vec<Polynomial>],
    part: &[usize],
    bases: &mut Bases,
) -> Option<Vec<Vec<Ratio>>> {
    let n = part.len();
    if n > MAX_BLOCK {
        return None;
    }
    let all: Vec<usize> = (0..n).collect();
    let det = determinant(m, part, &all, &all)?;
    if det.is_zero() {
        return None;
    }
    let over = Ratio::reciprocal(&det, bases);
    let mut out = vec![vec![Ratio::zero(); n]; n];
    for i in 0..n {
        for j in 0..n {
            let rows: Vec<usize> = (0..n).filter(|r| *r != j).collect();
            let columns: Vec<usize> = (0..n).filter(|c| *c != i).collect();
            let minor = determinant(m, part, &rows, &columns)?;
            let sign = if (i + j) % 2 == 0 { 1.0 } else { -1.0 };
            let minor = Polynomial::default().add(&minor, sign);
            out[i][j] = Ratio::polynomial(minor).multiply(&over, bases)?;
        }
    }
    Some(out)
}

fn determinant(
    m: &[Vec<Polynomial>],
    part: &[usize],
    rows: &[usize],
    columns: &[usize],
) -> Option<Polynomial> {
    let Some((row, rest)) = rows.split_first() else { return Some(Polynomial::constant(1.0)) };
    let mut sum = Polynomial::default();
    for (position, column) in columns.iter().enumerate() {
        let entry = &m[part[*row]][part[*column]];
        if entry.is_zero() {
            continue;
        }
        let others: Vec<usize> = columns.iter().copied().filter(|c| c != column).collect();
        let minor = determinant(m, part, rest, &others)?;
        let sign = if position % 2 == 0 { 1.0 } else { -1.0 };
        sum = sum.add(&entry.multiply(&minor)?, sign);
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::polynomial::{UNIT, Var};

    fn x(k: usize) -> Polynomial {
        Polynomial::variable(Var::Unknown(k), UNIT)
    }

    #[test]
    fn inverse_times_matrix_is_the_identity() {
        let m = vec![
            vec![x(0), Polynomial::constant(1.0), Polynomial::default()],
            vec![x(1), x(2), Polynomial::default()],
            vec![x(3), Polynomial::constant(-2.0), x(4)],
        ];
        let mut bases = Bases::default();
        let all: Vec<(usize, usize)> = (0..3).flat_map(|i| (0..3).map(move |j| (i, j))).collect();
        let inverse = inverse(&m, &all, &mut bases).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let mut sum = Ratio::zero();
                for k in 0..3 {
                    let step = Ratio::polynomial(m[i][k].clone());
                    let step = step.multiply(&inverse[&(k, j)], &bases).unwrap();
                    sum = sum.add(&step, 1.0, &bases).unwrap();
                }
                let unit = Polynomial::constant(if i == j { 1.0 } else { 0.0 });
                assert_eq!(sum, Ratio::polynomial(unit), "({i}, {j})");
            }
        }
    }
}
