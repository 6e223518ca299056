//! Covariances and coefficients of the groups, in the representation that their traces need.

use super::atoms::{AtomSource, Atoms};
use super::covariance::{Covariance, symmetrised};
use super::dense::{Dense, DenseSource, Resolvent};
use super::traces::{Field, Moments, Traces};
use crate::{Error, Result};
use faer::{Mat, Side};

/// One independent contribution to the coefficients w_s of the groups, in the basis in which
/// diagonal covariances are diagonal.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// The same random vector in every group, with these variances.
    Shared(Vec<f64>),
    /// A random vector in one group only.
    Own {
        /// Index of the group.
        group: usize,
        /// Variance of each coefficient.
        variance: Vec<f64>,
    },
    /// Fixed coefficients, one vector a group.
    Fixed(Vec<Vec<f64>>),
}

/// What distinguishes the groups apart from how they are sampled: covariances and coefficients.
#[derive(Clone, Debug)]
pub struct Populations {
    pub(super) geometry: Geometry,
    pub(super) groups: usize,
    pub(super) dimension: usize,
    /// Covariances are divided by this power of two, so that no square over- or underflows.
    pub(super) scale: f64,
}

/// Commuting covariances or not.
#[derive(Clone, Debug)]
pub(super) enum Geometry {
    Atoms(Atoms),
    Dense(Dense),
}

/// The covariances at one (c, μ).
#[derive(Clone, Debug)]
pub(super) enum Point<T: Field> {
    Atoms { c: Vec<T>, mu: T },
    Dense(Box<Resolvent<T>>),
}

/// Off-diagonal entries in the joint eigenbasis up to this fraction of the largest variance are
/// rounding of the decomposition, larger where eigenvalues of the combination nearly coincide.
const BESIDE: f64 = 1e-11;
/// Commutators below this fraction of the product of norms are rounding.
const COMMUTES: f64 = 1e-13;
/// Largest dimension that is handled as dense matrices.
const DENSE_LIMIT: usize = 8000;

impl Populations {
    /// Groups with these covariances; the coefficients w_s are the sum of the `sources`.
    ///
    /// Covariances that commute (whatever their bases) are diagonalised together, others stay dense
    /// matrices.
    ///
    /// # Errors
    /// Dimensions that differ, negative variances, matrices that are not covariances.
    pub fn new(covariances: &[Covariance], sources: &[Source]) -> Result<Self> {
        let groups = covariances.len();
        let Some(first) = covariances.first() else {
            return Err(Error::LengthMismatch { key: "covariances", found: 0, expected: 1 });
        };
        let p = first.dimension();
        for (group, covariance) in covariances.iter().enumerate() {
            let found = covariance.dimension();
            if found != p {
                let source = Error::LengthMismatch { key: "covariances", found, expected: p };
                return Err(source.in_group(group));
            }
        }
        check_sources(sources, groups, p)?;
        let diagonals: Option<Vec<Vec<f64>>> = covariances
            .iter()
            .enumerate()
            .map(|(g, c)| c.diagonal().map_err(|e| e.in_group(g)))
            .collect::<Result<_>>()?;
        let (geometry, scale) = match diagonals {
            Some(mut spectra) => {
                let scale = scale_of(spectra.iter().map(|s| s.iter().sum::<f64>()), p);
                spectra.iter_mut().flatten().for_each(|s| *s = scaled(*s, scale));
                let sources = sources.iter().map(|s| atom_source(s, scale)).collect();
                (Geometry::Atoms(Atoms::new(spectra, sources)), scale)
            }
            None => {
                if p > DENSE_LIMIT {
                    return Err(Error::TooManyFeatures { found: p, limit: DENSE_LIMIT });
                }
                let mut matrices = covariances
                    .iter()
                    .enumerate()
                    .map(|(g, c)| c.matrix().map_err(|e| e.in_group(g)))
                    .collect::<Result<Vec<_>>>()?;
                let trace = |m: &Mat<f64>| (0..p).map(|i| m[(i, i)]).sum::<f64>();
                let scale = scale_of(matrices.iter().map(trace), p);
                for m in &mut matrices {
                    *m *= faer::Scale(1.0 / scale);
                }
                let sources = sources.iter().map(|s| dense_source(s, scale)).collect();
                (diagonalised(Dense::new(matrices, sources))?, scale)
            }
        };
        Ok(Self { geometry, groups, dimension: p, scale })
    }

    /// One group on its own.
    pub fn only(&self, group: usize) -> Result<Self> {
        let geometry = match &self.geometry {
            Geometry::Atoms(atoms) => Geometry::Atoms(atoms.only(group)),
            Geometry::Dense(dense) => diagonalised(dense.only(group))?,
        };
        Ok(Self { geometry, groups: 1, dimension: self.dimension, scale: self.scale })
    }

    /// E w_tᵀ Σ_t w_t, the error of the estimate zero, one a group.
    pub fn energy(&self) -> Result<Vec<f64>> {
        let at_zero = self.geometry.point::<f64>(&vec![0.0; self.groups], 1.0)?;
        let (_, moments) = self.geometry.pair(&at_zero, None);
        Ok((0..self.groups).map(|t| moments.iter().map(|m| m.offset[t]).sum()).collect())
    }

    /// Mean of Tr Σ_s/p over the groups.
    pub fn mean_variance(&self) -> f64 {
        let total: f64 = match &self.geometry {
            Geometry::Atoms(atoms) => atoms.total_variance(),
            Geometry::Dense(dense) => {
                let trace = |m: &Mat<f64>| (0..m.nrows()).map(|i| m[(i, i)]).sum::<f64>();
                dense.covariances.iter().map(trace).sum()
            }
        };
        total * self.scale / (self.groups * self.dimension) as f64
    }

    /// Number of groups.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Number of features.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Whether the covariances commute, so that sums over joint atoms replace matrices.
    pub fn commute(&self) -> bool {
        matches!(self.geometry, Geometry::Atoms(_))
    }
}

/// A power of two near the largest mean variance.
fn scale_of(traces: impl Iterator<Item = f64>, p: usize) -> f64 {
    let largest = traces.fold(0.0_f64, f64::max) / p as f64;
    if largest > 0.0 && largest.is_finite() { largest.log2().round().exp2() } else { 1.0 }
}

/// Relative variances that squares could no longer hold count as zero.
const VANISHING: f64 = 1e-60;

fn scaled(s: f64, scale: f64) -> f64 {
    let s = s / scale;
    if s < VANISHING { 0.0 } else { s }
}

fn check_sources(sources: &[Source], groups: usize, p: usize) -> Result<()> {
    let variances = |key: &'static str, v: &[f64]| {
        if v.len() != p {
            return Err(Error::LengthMismatch { key, found: v.len(), expected: p });
        }
        match v.iter().position(|x| !(*x >= 0.0 && x.is_finite())) {
            Some(i) => Err(Error::BadEntry {
                key,
                index: vec![i],
                value: v[i],
                remedy: "variances are finite and ≥ 0",
            }),
            None => Ok(()),
        }
    };
    for source in sources {
        match source {
            Source::Shared(v) => variances("shared_prior", v)?,
            Source::Own { group, variance } => {
                if *group >= groups {
                    return Err(Error::LengthMismatch {
                        key: "group_priors",
                        found: group + 1,
                        expected: groups,
                    });
                }
                variances("group_priors", variance).map_err(|e| e.in_group(*group))?;
            }
            Source::Fixed(w) => {
                let key = "coefficients";
                if w.len() != groups {
                    return Err(Error::LengthMismatch { key, found: w.len(), expected: groups });
                }
                for (group, w) in w.iter().enumerate() {
                    let wrong = if w.len() != p {
                        Error::LengthMismatch { key, found: w.len(), expected: p }
                    } else if let Some(i) = w.iter().position(|x| !x.is_finite()) {
                        let remedy = "coefficients are finite numbers";
                        Error::BadEntry { key, index: vec![i], value: w[i], remedy }
                    } else {
                        continue;
                    };
                    return Err(wrong.in_group(group));
                }
            }
        }
    }
    Ok(())
}

/// A source in units of the scale.
fn atom_source(source: &Source, scale: f64) -> AtomSource {
    let times = |v: &[f64], factor: f64| v.iter().map(|x| x * factor).collect();
    match source {
        Source::Shared(v) => AtomSource::Shared(times(v, scale)),
        Source::Own { group, variance } => {
            AtomSource::Own { group: *group, variance: times(variance, scale) }
        }
        Source::Fixed(w) => AtomSource::Fixed(w.iter().map(|w| times(w, scale.sqrt())).collect()),
    }
}

fn dense_source(source: &Source, scale: f64) -> DenseSource {
    let root = scale.sqrt();
    let factor = |v: &[f64]| {
        // Columns of zero variance would only cost time.
        let kept: Vec<usize> = (0..v.len()).filter(|&i| v[i] > 0.0).collect();
        Mat::from_fn(
            v.len(),
            kept.len(),
            |i, j| {
                if kept[j] == i { v[i].sqrt() * root } else { 0.0 }
            },
        )
    };
    match source {
        Source::Shared(v) => DenseSource::Shared(factor(v)),
        Source::Own { group, variance } => {
            DenseSource::Own { group: *group, factor: factor(variance) }
        }
        Source::Fixed(w) => DenseSource::Fixed(
            w.iter().map(|w| Mat::from_fn(w.len(), 1, |i, _| w[i] * root)).collect(),
        ),
    }
}

/// Diagonalises together what commutes.
fn diagonalised(dense: Dense) -> Result<Geometry> {
    let matrices = &dense.covariances;
    let p = matrices[0].nrows();
    if !commuting(matrices) {
        return Ok(Geometry::Dense(dense));
    }
    // A combination with incommensurate weights has no accidental degeneracies.
    let mut combination = Mat::<f64>::zeros(p, p);
    for (r, m) in matrices.iter().enumerate() {
        let weight = 1.0 + ((r + 1) as f64 * std::f64::consts::SQRT_2).fract();
        combination += faer::Scale(weight) * m;
    }
    let evd = symmetrised(&combination)
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| Error::NoDecomposition { rows: p })?;
    let u = Mat::from_fn(p, p, |i, j| evd.U()[(i, p - 1 - j)]);
    let mut spectra = Vec::new();
    for m in matrices {
        let turned = u.transpose() * m * &u;
        let largest = (0..p).fold(0.0_f64, |x, i| x.max(turned[(i, i)]));
        let floor = p as f64 * f64::EPSILON * largest;
        let beside = (0..p)
            .flat_map(|j| (0..p).filter(move |i| *i != j).map(move |i| (i, j)))
            .fold(0.0_f64, |x, at| x.max(turned[at].abs()));
        if beside > BESIDE * largest {
            return Ok(Geometry::Dense(dense));
        }
        // Variances at the level of the rounding of the decomposition are zero.
        let s = |i: usize| if turned[(i, i)] <= floor { 0.0 } else { turned[(i, i)] };
        spectra.push((0..p).map(s).collect());
    }
    // Only the diagonal of a second moment of coefficients meets diagonal covariances.
    let variance = |f: &Mat<f64>| -> Vec<f64> {
        let turned = u.transpose() * f;
        (0..p).map(|i| (0..f.ncols()).map(|j| turned[(i, j)].powi(2)).sum()).collect()
    };
    let vector = |w: &Mat<f64>| -> Vec<f64> {
        let turned = u.transpose() * w;
        (0..p).map(|i| turned[(i, 0)]).collect()
    };
    let sources = dense
        .sources
        .iter()
        .map(|source| match source {
            DenseSource::Shared(f) => AtomSource::Shared(variance(f)),
            DenseSource::Own { group, factor } => {
                AtomSource::Own { group: *group, variance: variance(factor) }
            }
            DenseSource::Fixed(w) => AtomSource::Fixed(w.iter().map(vector).collect()),
        })
        .collect();
    Ok(Geometry::Atoms(Atoms::new(spectra, sources)))
}

fn commuting(matrices: &[Mat<f64>]) -> bool {
    matrices.iter().enumerate().all(|(i, a)| {
        matrices[..i].iter().all(|b| {
            let ab = a * b;
            let scale = a.norm_l2() * b.norm_l2();
            (&ab - ab.transpose()).norm_l2() <= COMMUTES * scale
        })
    })
}

impl Geometry {
    /// Rank of Σ Σ_s over the active groups, and a lower bound of its positive eigenvalues.
    pub(super) fn range(&self, active: &[bool]) -> (f64, f64) {
        match self {
            Geometry::Atoms(atoms) => atoms.range(active),
            Geometry::Dense(dense) => (dense.range() as f64, f64::EPSILON),
        }
    }

    /// Traces for the fixed point of the groups with c ≠ 0 or in `wanted`.
    pub(super) fn traces<T: Field>(
        &self,
        c: &[T],
        mu: T,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Traces<T>> {
        match self {
            Geometry::Atoms(atoms) => Ok(atoms.traces((c, mu), None)),
            Geometry::Dense(dense) => {
                let at = dense.resolve(c, mu, wanted)?;
                Ok(at.traces(&at))
            }
        }
    }

    /// Everything about (c, μ) that pairs of points share.
    pub(super) fn point<T: Field>(&self, c: &[T], mu: T) -> Result<Point<T>> {
        match self {
            Geometry::Atoms(_) => Ok(Point::Atoms { c: c.to_vec(), mu }),
            Geometry::Dense(dense) => {
                let mut at = dense.resolve(c, mu, |_| true)?;
                dense.respond(&mut at);
                Ok(Point::Dense(Box::new(at)))
            }
        }
    }

    /// Traces and moments between two points (`second` absent: the first with itself).
    pub(super) fn pair<T: Field>(
        &self,
        first: &Point<T>,
        second: Option<&Point<T>>,
    ) -> (Traces<T>, Vec<Moments<T>>) {
        match (self, first, second) {
            (Geometry::Atoms(atoms), Point::Atoms { c, mu }, second) => {
                let first = (c.as_slice(), *mu);
                let second = second.map(|point| match point {
                    Point::Atoms { c, mu } => (c.as_slice(), *mu),
                    // Points of one geometry are of one kind.
                    Point::Dense(_) => first,
                });
                (atoms.traces(first, second), atoms.moments(first, second))
            }
            (_, Point::Dense(a), None) => (a.traces(a), a.moments(a)),
            (_, Point::Dense(a), Some(Point::Dense(b))) => (a.traces(b), a.moments(b)),
            (Geometry::Dense(_), Point::Atoms { .. }, _)
            | (_, Point::Dense(_), Some(Point::Atoms { .. })) => (Traces::zero(0), Vec::new()),
        }
    }
}

impl<T: Field> Point<T> {
    /// The conjugate point.
    pub(super) fn conjugate(&self) -> Self {
        match self {
            Point::Atoms { c, mu } => Point::Atoms {
                c: c.iter().map(|c| Field::conjugate(*c)).collect(),
                mu: Field::conjugate(*mu),
            },
            Point::Dense(at) => Point::Dense(Box::new(at.conjugate())),
        }
    }
}
