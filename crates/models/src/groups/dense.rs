//! Covariances that do not commute: dense matrices.

use super::traces::{Field, Moments, Traces};
use crate::{Error, Result};
use faer::{Mat, MatRef, Scale, Side};

/// Coefficients of all groups, one independent contribution.
#[derive(Clone, Debug)]
pub(super) enum DenseSource {
    /// The same random vector in every group: a factor F of its covariance FFᵀ.
    Shared(Mat<f64>),
    /// A random vector in one group only.
    Own { group: usize, factor: Mat<f64> },
    /// Fixed vectors, one a group, as columns.
    Fixed(Vec<Mat<f64>>),
}

/// Covariances as matrices in one basis, whose first `range` coordinates hold all the variance of
/// the groups that were sampled.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    pub(super) covariances: Vec<Mat<f64>>,
    pub(super) sources: Vec<DenseSource>,
    range: usize,
}

/// Directions with less than this fraction of the largest variance, per dimension, are rounding.
const NULL: f64 = f64::EPSILON;

impl Dense {
    pub(super) fn new(covariances: Vec<Mat<f64>>, sources: Vec<DenseSource>) -> Self {
        let range = covariances[0].nrows();
        Self { covariances, sources, range }
    }

    /// One group on its own.
    pub(super) fn only(&self, group: usize) -> Self {
        let sources = self
            .sources
            .iter()
            .filter_map(|source| match source {
                DenseSource::Shared(f) => Some(DenseSource::Shared(f.clone())),
                DenseSource::Own { group: g, factor } => {
                    (*g == group).then(|| DenseSource::Own { group: 0, factor: factor.clone() })
                }
                DenseSource::Fixed(w) => Some(DenseSource::Fixed(vec![w[group].clone()])),
            })
            .collect();
        Self::new(vec![self.covariances[group].clone()], sources)
    }

    pub(super) fn range(&self) -> usize {
        self.range
    }

    /// The same in a basis that separates the null space common to the active groups; `None` where
    /// there is none.
    pub(super) fn reduced(&self, active: &[bool]) -> Result<Option<Self>> {
        let p = self.covariances[0].nrows();
        let mut total = Mat::<f64>::zeros(p, p);
        for (covariance, _) in self.covariances.iter().zip(active).filter(|(_, a)| **a) {
            total += covariance;
        }
        // A shifted Cholesky factorisation shows that there is none at a tenth of the cost.
        let trace: f64 = (0..p).map(|i| total[(i, i)]).sum();
        let mut shifted = total.clone();
        for i in 0..p {
            shifted[(i, i)] -= NULL * p as f64 * trace;
        }
        if shifted.llt(Side::Lower).is_ok() {
            return Ok(None);
        }
        let evd = total
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| Error::NoDecomposition { rows: p })?;
        let floor = NULL * p as f64 * evd.S()[p - 1].abs();
        let range = (0..p).filter(|&i| evd.S()[i] > floor).count();
        if range == p {
            return Ok(None);
        }
        let basis = Mat::from_fn(p, p, |i, j| evd.U()[(i, p - 1 - j)]);
        let turned = |m: &Mat<f64>| basis.transpose() * m;
        let covariances = self
            .covariances
            .iter()
            .zip(active)
            .map(|(covariance, active)| {
                let full = turned(covariance) * &basis;
                Mat::from_fn(p, p, |i, j| {
                    let outside = *active && (i >= range || j >= range);
                    if outside { 0.0 } else { 0.5 * (full[(i, j)] + full[(j, i)]) }
                })
            })
            .collect();
        let sources = self
            .sources
            .iter()
            .map(|source| match source {
                DenseSource::Shared(f) => DenseSource::Shared(turned(f)),
                DenseSource::Own { group, factor } => {
                    DenseSource::Own { group: *group, factor: turned(factor) }
                }
                DenseSource::Fixed(w) => DenseSource::Fixed(w.iter().map(turned).collect()),
            })
            .collect();
        Ok(Some(Self { covariances, sources, range }))
    }

    /// G and the products G Σ_s of the groups `wanted`.
    pub(super) fn resolve<T: Field>(
        &self,
        c: &[T],
        mu: T,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Resolvent<T>> {
        let p = self.covariances[0].nrows();
        let zero = T::from(0.0);
        let mut inside = Mat::<T>::zeros(self.range, self.range);
        for (covariance, c) in self.covariances.iter().zip(c).filter(|(_, c)| **c != zero) {
            for j in 0..self.range {
                for i in 0..self.range {
                    inside[(i, j)] += *c * covariance[(i, j)];
                }
            }
        }
        for i in 0..self.range {
            inside[(i, i)] += mu;
        }
        let inverse = T::invert(inside).ok_or(Error::NoDecomposition { rows: p })?;
        let g = Mat::from_fn(p, p, |i, j| {
            if i < self.range && j < self.range {
                // Exactly symmetric, whatever the order of operations in the inversion.
                if i >= j { inverse[(i, j)] } else { inverse[(j, i)] }
            } else if i == j {
                mu.recip()
            } else {
                zero
            }
        });
        let loaded = (0..self.covariances.len())
            .map(|s| wanted(s).then(|| &g * lift::<T>(self.covariances[s].as_ref())))
            .collect();
        Ok(Resolvent { c: c.to_vec(), mu, g, loaded, responses: Vec::new(), range: self.range })
    }

    /// Adds the responses h − w_t and h of every source.
    pub(super) fn respond<T: Field>(&self, at: &mut Resolvent<T>) {
        let groups = self.covariances.len();
        let p = self.covariances[0].nrows();
        at.responses = self
            .sources
            .iter()
            .map(|source| {
                let shrunk = |f: &Mat<f64>| {
                    let mut m = &at.g * lift::<T>(f.as_ref());
                    m *= Scale(-at.mu);
                    m
                };
                let pulled = |r: usize, f: &Mat<f64>| {
                    let mut m = at.product(r) * lift::<T>(f.as_ref());
                    m *= Scale(at.c[r]);
                    m
                };
                let (offsets, mean) = match source {
                    DenseSource::Shared(f) => {
                        let mut mean = Mat::<T>::zeros(p, f.ncols());
                        for r in (0..groups).filter(|r| at.c[*r] != T::from(0.0)) {
                            mean += pulled(r, f);
                        }
                        (vec![shrunk(f); groups], mean)
                    }
                    DenseSource::Own { group, factor } => {
                        let own = pulled(*group, factor);
                        let mut rest = shrunk(factor);
                        for r in (0..groups).filter(|r| r != group && at.c[*r] != T::from(0.0)) {
                            rest -= pulled(r, factor);
                        }
                        let offset = |t| if t == *group { rest.clone() } else { own.clone() };
                        ((0..groups).map(offset).collect(), own)
                    }
                    DenseSource::Fixed(w) => {
                        let mut mean = Mat::<T>::zeros(p, 1);
                        for r in (0..groups).filter(|r| at.c[*r] != T::from(0.0)) {
                            mean += pulled(r, &w[r]);
                        }
                        let offsets = (0..groups)
                            .map(|t| {
                                let mut x = shrunk(&w[t]);
                                for r in (0..groups).filter(|r| at.c[*r] != T::from(0.0)) {
                                    x += pulled(r, &(&w[r] - &w[t]));
                                }
                                x
                            })
                            .collect();
                        (offsets, mean)
                    }
                };
                let weighted = (0..groups)
                    .map(|t| lift::<T>(self.covariances[t].as_ref()) * &offsets[t])
                    .collect();
                Responses { offsets, weighted, mean }
            })
            .collect();
    }
}

/// G at one (c, μ), with what is computed from it.
#[derive(Clone, Debug)]
pub(super) struct Resolvent<T: Field> {
    c: Vec<T>,
    mu: T,
    g: Mat<T>,
    /// G Σ_s.
    loaded: Vec<Option<Mat<T>>>,
    responses: Vec<Responses<T>>,
    range: usize,
}

#[derive(Clone, Debug)]
struct Responses<T: Field> {
    /// h − w_t, per unit of the source.
    offsets: Vec<Mat<T>>,
    /// Σ_t (h − w_t).
    weighted: Vec<Mat<T>>,
    /// h.
    mean: Mat<T>,
}

impl<T: Field> Resolvent<T> {
    fn product(&self, s: usize) -> &Mat<T> {
        // `respond` and the pair traces are only reached from points that asked for every product.
        self.loaded[s].as_ref().unwrap_or(&self.g)
    }

    /// Traces between this point and another (or itself).
    pub(super) fn traces(&self, other: &Self) -> Traces<T> {
        let groups = self.loaded.len();
        let mut out = Traces::zero(groups);
        for i in 0..self.range {
            out.range += self.g[(i, i)];
        }
        for (s, product) in self.loaded.iter().enumerate() {
            let Some(product) = product else { continue };
            for i in 0..product.nrows() {
                out.first[s] += product[(i, i)];
            }
            // Tr Σ_s G Σ_r G' = Tr (G'Σ_r)ᵀ… = Σ_ij (GΣ_s)_ij (G'Σ_r)_ji.
            for (r, another) in other.loaded.iter().enumerate() {
                if let Some(another) = another {
                    out.set_second(s, r, trace_of_product(product, another));
                }
            }
            out.mixed[s] = trace_of_product(product, &other.g);
        }
        out.squared = inner(&self.g, &other.g);
        out
    }

    /// Second moments between this point and another (or itself).
    pub(super) fn moments(&self, other: &Self) -> Vec<Moments<T>> {
        self.responses
            .iter()
            .zip(&other.responses)
            .map(|(a, b)| Moments {
                offset: a.offsets.iter().zip(&b.weighted).map(|(x, y)| inner(x, y)).collect(),
                norm: inner(&a.mean, &b.mean),
            })
            .collect()
    }

    /// The same at the conjugate point.
    pub(super) fn conjugate(&self) -> Self {
        let conj =
            |m: &Mat<T>| Mat::from_fn(m.nrows(), m.ncols(), |i, j| Field::conjugate(m[(i, j)]));
        let all = |m: &[Mat<T>]| m.iter().map(conj).collect();
        Self {
            c: self.c.iter().map(|c| Field::conjugate(*c)).collect(),
            mu: Field::conjugate(self.mu),
            g: conj(&self.g),
            loaded: self.loaded.iter().map(|m| m.as_ref().map(conj)).collect(),
            responses: self
                .responses
                .iter()
                .map(|r| Responses {
                    offsets: all(&r.offsets),
                    weighted: all(&r.weighted),
                    mean: conj(&r.mean),
                })
                .collect(),
            range: self.range,
        }
    }
}

fn lift<T: Field>(m: MatRef<'_, f64>) -> Mat<T> {
    Mat::from_fn(m.nrows(), m.ncols(), |i, j| T::from(m[(i, j)]))
}

/// Tr X Y in tiles, so that the transposed walk stays in the cache.
fn trace_of_product<T: Field>(x: &Mat<T>, y: &Mat<T>) -> T {
    const TILE: usize = 32;
    let p = x.nrows();
    let mut total = T::from(0.0);
    for j0 in (0..p).step_by(TILE) {
        for i0 in (0..p).step_by(TILE) {
            for j in j0..p.min(j0 + TILE) {
                for i in i0..p.min(i0 + TILE) {
                    total += x[(i, j)] * y[(j, i)];
                }
            }
        }
    }
    total
}

/// Σ_ij x_ij y_ij.
fn inner<T: Field>(x: &Mat<T>, y: &Mat<T>) -> T {
    let mut total = T::from(0.0);
    for j in 0..x.ncols() {
        for i in 0..x.nrows() {
            total += x[(i, j)] * y[(i, j)];
        }
    }
    total
}
