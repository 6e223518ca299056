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
//!
//! Traces are sums over unit vectors, and over [`SIGNS`] vectors of random signs where there are more
//! than [`DENSE_LIMIT`] rows: that moves z by about 1/√[`SIGNS`].

use crate::complement::{Inverse, products};
use crate::decomposition::Decomposition;
use crate::prepare::Prepared;
use crate::resample::resample;
use crate::shrinkage::{Correlated, Shrinkage};
use crate::{Error, Result};
use faer::{Mat, MatRef, Scale};
use rand::Rng;
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

/// Vectors of random signs that stand in for the unit vectors of many rows.
const SIGNS: usize = 200;
/// Their seed: the same data give the same diagnosis.
const SEED: u64 = 0;

pub(crate) fn diagnose(
    data: &Prepared,
    decomposition: &Decomposition,
    step: &Shrinkage,
    kernel: &Kernel,
    target: usize,
) -> Result<Diagnosis> {
    let count = data.y.ncols();
    if target >= count {
        return Err(Error::NoTarget { index: target, count });
    }
    if kernel.is_approximate() {
        return Err(Error::NotComputed {
            what: "diagnosis of the residuals",
            remedy: "a correlation whose spectrum is approximate has no inverse; use another family",
        });
    }
    let law = Law::new(data, decomposition, step, kernel);
    let r = law.residuals(data.y.subcols(target, 1));
    let columns = if data.rows <= DENSE_LIMIT { law.exact()? } else { law.probed(SIGNS)? };
    contrasts(&law, &columns, step.correlated, &r)
}

fn contrasts(
    law: &Law<'_>,
    columns: &Columns,
    at: Option<Correlated>,
    r: &Mat<f64>,
) -> Result<Diagnosis> {
    let (kernel, n) = (law.kernel, law.kernel.rows());
    let pairs: Vec<(usize, usize)> = kernel.neighbours();
    let mut beside = vec![Vec::new(); n];
    for &(i, j) in &pairs {
        beside[i].push(j);
        beside[j].push(i);
    }
    let average = |m: &Mat<f64>| {
        Ok(Mat::from_fn(n, m.ncols(), |i, j| {
            let column = m.col_as_slice(j);
            0.5 * beside[i].iter().map(|&k| column[k]).sum::<f64>()
        }))
    };
    // K itself does not show in the mean law where its resolvent is out of reach.
    let resolvent = match at {
        Some(at) => Inverse::new(kernel, at.kappa_tilde, law.centred)?,
        None => None,
    };
    let expected = match (&resolvent, columns) {
        (Some(resolvent), Columns::Units { .. }) => {
            // Entries of G̃KG̃ from the columns of G̃ and KG̃.
            let g = resolvent.of(Mat::identity(n, n).as_ref())?;
            let image = kernel.apply_all(g.as_ref())?;
            let entry = |(i, j): (usize, usize)| g.col(i).transpose() * image.col(j);
            let diagonal: f64 = (0..n).map(|i| entry((i, i))).sum();
            Some(pairs.iter().map(|pair| entry(*pair)).sum::<f64>() / diagonal)
        }
        (Some(resolvent), Columns::Signs { z, .. }) => {
            let g = resolvent.of(z.as_ref())?;
            let image = kernel.apply_all(g.as_ref())?;
            let beside = resolvent.of(average(z)?.as_ref())?;
            Some(inner(&beside, &image) / inner(&g, &image))
        }
        (None, _) => None,
    };
    let neighbours = columns.contrast(law, r, expected, &average)?;
    // Where the rows of high leverage are is no sign of drift: given the features.
    let second_half = columns.contrast(law, r, None, &|m| {
        Ok(Mat::from_fn(n, m.ncols(), |i, j| if 2 * i >= n { m[(i, j)] } else { 0.0 }))
    })?;
    let whitened = match (at, Inverse::new(kernel, 0.0, law.centred)?) {
        (Some(at), Some(inverse)) => {
            let kappa = at.kappa_tilde;
            // (K + 2κ̃ + κ̃²K⁻¹)/dimension over 1/φ, in units of κ̃²: the ratio of the two estimates.
            let scale = at.phi * n as f64
                / (at.kappa_tilde_units * at.kappa_tilde_units * law.dimension as f64);
            // (K + κ̃)²/K times K/(K + κ̃)² is one.
            let contrast = columns.contrast(law, r, Some(1.0), &|m| {
                let mut out = kernel.apply_all(m.as_ref())?;
                let back = inverse.of(m.as_ref())?;
                for j in 0..out.ncols() {
                    let terms = m.col_as_slice(j).iter().zip(back.col_as_slice(j));
                    for (x, (m, back)) in out.col_as_slice_mut(j).iter_mut().zip(terms) {
                        *x = scale * (*x + kappa * (2.0 * m + kappa * back));
                    }
                }
                Ok(out)
            })?;
            Some(contrast)
        }
        _ => None,
    };
    Ok(Diagnosis { neighbours, whitened, second_half })
}

/// Residuals Qy of one ridge, in its unit: Q = I − W diag(f) Wᵀ with W = (U, s), or U diag(d) Uᵀ where
/// U is the whole space.
struct Law<'a> {
    kernel: &'a Kernel,
    w: Mat<f64>,
    /// W diag(f), or U diag(d).
    weighted: Mat<f64>,
    whole: bool,
    centred: bool,
    dimension: usize,
}

impl<'a> Law<'a> {
    fn new(
        data: &Prepared,
        decomposition: &Decomposition,
        step: &Shrinkage,
        kernel: &'a Kernel,
    ) -> Self {
        let u = decomposition.left(data);
        let whole = decomposition.whole;
        let mean = data.direction.as_ref().filter(|_| !whole);
        let mut factors: Vec<f64> =
            step.d.iter().map(|d| if whole { *d } else { 1.0 - d }).collect();
        factors.extend(mean.map(|_| 1.0));
        let w = Mat::from_fn(data.rows, factors.len(), |i, j| match mean {
            Some(s) if j == u.ncols() => s[i],
            _ => u[(i, j)],
        });
        let mut weighted = w.clone();
        for (j, factor) in factors.iter().enumerate() {
            weighted.col_as_slice_mut(j).iter_mut().for_each(|x| *x *= factor);
        }
        let centred = data.direction.is_some();
        Self { kernel, w, weighted, whole, centred, dimension: data.dimension() }
    }

    fn residuals(&self, columns: MatRef<'_, f64>) -> Mat<f64> {
        let fitted = &self.weighted * (self.w.transpose() * columns);
        if self.whole { fitted } else { columns - fitted }
    }

    /// C = QKQ of every column.
    fn covariance(&self, columns: &Mat<f64>) -> Result<Mat<f64>> {
        let inside = self.residuals(columns.as_ref());
        Ok(self.residuals(self.kernel.apply_all(inside.as_ref())?.as_ref()))
    }

    fn exact(&self) -> Result<Columns> {
        let weighted = &self.weighted;
        if self.whole {
            let image = self.kernel.apply_all(self.w.as_ref())?;
            let c = weighted * (self.w.transpose() * image) * weighted.transpose();
            return Ok(Columns::Units { c });
        }
        // C = K − TWᵀ − WTᵀ with T = KW f − ½W f WᵀKW f.
        let image = self.kernel.apply_all(weighted.as_ref())?;
        let inside = weighted.transpose() * &image;
        let t = image - &self.w * inside * Scale(0.5);
        let crossed = t * self.w.transpose();
        let mut c = self.kernel.dense();
        c -= &crossed + crossed.transpose();
        Ok(Columns::Units { c })
    }

    fn probed(&self, count: usize) -> Result<Columns> {
        let n = self.kernel.rows();
        let size = (count as f64).sqrt().recip();
        let signs = resample(count, SEED, |random| {
            Some((0..n).map(|_| if random.random::<bool>() { size } else { -size }).collect())
        });
        let z = Mat::from_fn(n, count, |i, j| signs[j][i]);
        let image = self.covariance(&z)?;
        Ok(Columns::Signs { z, image })
    }
}

/// Columns Z with ZZᵀ = I, on average, and CZ.
enum Columns {
    Units { c: Mat<f64> },
    Signs { z: Mat<f64>, image: Mat<f64> },
}

/// Rows and columns of a tile: two tiles stay in the nearest cache.
const TILE: usize = 32;

impl Columns {
    /// rᵀBr/rᵀr against its mean (that under C if `None`) and its spread under C.
    fn contrast(
        &self,
        law: &Law<'_>,
        r: &Mat<f64>,
        expected: Option<f64>,
        b: &dyn Fn(&Mat<f64>) -> Result<Mat<f64>>,
    ) -> Result<Contrast> {
        // With M = B′C: Tr C, Tr BC/Tr C and Tr M².
        let (trace, own, square) = match self {
            Self::Units { c } => {
                let n = c.nrows();
                let image = b(c)?;
                let trace: f64 = (0..n).map(|i| c[(i, i)]).sum();
                let own = (0..n).map(|i| image[(i, i)]).sum::<f64>() / trace;
                // Tile by tile, as M meets its transpose.
                let entry = |i: usize, j: usize| image[(i, j)] - own * c[(i, j)];
                let tiles: Vec<usize> = (0..n).step_by(TILE).collect();
                let of_tile = |a: usize, b: usize| -> f64 {
                    let column = |j: usize| -> f64 {
                        (a..(a + TILE).min(n)).map(|i| entry(i, j) * entry(j, i)).sum()
                    };
                    (b..(b + TILE).min(n)).map(column).sum()
                };
                let sums: Vec<f64> =
                    tiles.par_iter().map(|&b| tiles.iter().map(|&a| of_tile(a, b)).sum()).collect();
                (trace, own, sums.iter().sum::<f64>())
            }
            Self::Signs { z, image } => {
                let (bz, bc) = (b(z)?, b(image)?);
                let trace = inner(z, image);
                let own = inner(z, &bc) / trace;
                let m = bc - image * Scale(own);
                let transposed = law.covariance(&bz)? - image * Scale(own);
                (trace, own, inner(&m, &transposed))
            }
        };
        let expected = expected.unwrap_or(own);
        let norm = r.squared_norm_l2();
        let observed = if norm > 0.0 { inner(r, &b(r)?) / norm } else { expected };
        let deviation = (2.0 * square.max(0.0)).sqrt() / trace;
        let z = if deviation > 0.0 { (observed - expected) / deviation } else { 0.0 };
        Ok(Contrast { observed, expected, z })
    }
}

/// Tr AᵀB.
fn inner(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    products(a.as_ref(), b.as_ref()).iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmt_models::kernel::{Family, SampleCorrelation};

    fn sines(rows: usize, columns: usize, k: f64) -> Mat<f64> {
        Mat::from_fn(rows, columns, |i, j| (k * ((i * i + 3 * i * j + 7 * j + 1) as f64)).sin())
    }

    /// Signs in place of unit vectors move z by a normal of deviation 1/√SIGNS at most: four of them.
    #[test]
    fn random_signs_stand_in_for_unit_vectors() {
        let (n, p) = (240, 60);
        let kernel =
            SampleCorrelation::from(Family::Exponential { length: 3.0 }).kernel(n).unwrap();
        let kappa_tilde = 0.8;
        let at = Correlated {
            kappa: 1.0,
            kappa_tilde,
            kappa_tilde_units: kappa_tilde,
            resolvent: 1.0,
            phi: 0.3,
            gcv2: 1.0,
            mean_factor: 1.0,
        };
        for whole in [false, true] {
            let columns = if whole { n } else { p };
            let w = sines(n, columns, 0.7).qr().compute_thin_Q();
            let factor = |j: usize| (j as f64 + 1.0) / (columns as f64 + 1.0);
            let weighted = Mat::from_fn(n, columns, |i, j| w[(i, j)] * factor(j));
            let (centred, dimension) = (false, n);
            let law = Law { kernel: &kernel, w, weighted, whole, centred, dimension };
            let exact = law.exact().unwrap();
            let all = law.covariance(&Mat::identity(n, n)).unwrap();
            let Columns::Units { c } = &exact else { panic!("unit vectors") };
            assert!((c - &all).norm_max() < 1e-13, "C = QKQ");

            let r = law.residuals(sines(n, 1, 0.31).as_ref());
            let found = |columns: &Columns| {
                let d = contrasts(&law, columns, Some(at), &r).unwrap();
                [d.neighbours, d.second_half, d.whitened.unwrap()]
            };
            let probed = law.probed(SIGNS).unwrap();
            for (a, b) in found(&exact).iter().zip(found(&probed)) {
                let relative = (a.observed - a.expected) / a.z / ((b.observed - b.expected) / b.z);
                assert!((relative - 1.0).abs() < 0.2, "deviation off by {relative}");
                let moved = (b.expected - a.expected) * a.z / (a.observed - a.expected);
                assert!(moved.abs() < 4.0 / (SIGNS as f64).sqrt(), "expectation off by {moved} sd");
                assert_eq!(a.observed, b.observed);
            }
        }
    }
}
