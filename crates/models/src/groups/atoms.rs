//! Commuting covariances: sums over joint atoms (s₁, …, s_G) of a common eigenbasis.

use super::traces::{Moments, Traces};
use rmt_core::Scalar;

/// Atoms that are worked on at a time: their buffers stay in the first cache.
const BLOCK: usize = 128;
/// Running sums per dot product, so that it vectorises.
const LANES: usize = 8;

/// Coefficients of all groups in the common eigenbasis, one independent contribution.
#[derive(Clone, Debug)]
pub(super) enum AtomSource {
    /// The same random vector in every group, with this variance on each atom.
    Shared(Vec<f64>),
    /// A random vector in one group only.
    Own { group: usize, variance: Vec<f64> },
    /// Fixed vectors, one a group.
    Fixed(Vec<Vec<f64>>),
}

/// Joint atoms with multiplicities and coefficients.
#[derive(Clone, Debug)]
pub(super) struct Atoms {
    /// `spectra[s][i]`: eigenvalue of group s on atom i.
    pub(super) spectra: Vec<Vec<f64>>,
    /// `None` where every atom is one mode.
    multiplicity: Option<Vec<f64>>,
    pub(super) sources: Vec<AtomSource>,
}

impl Atoms {
    /// Merges runs of equal atoms where every coefficient is random.
    pub(super) fn new(spectra: Vec<Vec<f64>>, sources: Vec<AtomSource>) -> Self {
        let p = spectra[0].len();
        let fixed = sources.iter().any(|s| matches!(s, AtomSource::Fixed(_)));
        let starts: Vec<usize> =
            (0..p).filter(|&i| i == 0 || spectra.iter().any(|s| s[i] != s[i - 1])).collect();
        if fixed || starts.len() == p {
            return Self { spectra, multiplicity: None, sources };
        }
        let ends = starts.iter().skip(1).copied().chain([p]);
        let runs: Vec<(usize, usize)> = starts.iter().copied().zip(ends).collect();
        let merged = |v: &[f64]| runs.iter().map(|&(a, b)| v[a..b].iter().sum()).collect();
        let sources = sources
            .into_iter()
            .map(|source| match source {
                AtomSource::Shared(v) => AtomSource::Shared(merged(&v)),
                AtomSource::Own { group, variance } => {
                    AtomSource::Own { group, variance: merged(&variance) }
                }
                fixed @ AtomSource::Fixed(_) => fixed,
            })
            .collect();
        Self {
            spectra: spectra.iter().map(|s| runs.iter().map(|&(a, _)| s[a]).collect()).collect(),
            multiplicity: Some(runs.iter().map(|&(a, b)| (b - a) as f64).collect()),
            sources,
        }
    }

    /// One group on its own.
    pub(super) fn only(&self, group: usize) -> Self {
        let sources =
            self.sources
                .iter()
                .filter_map(|source| match source {
                    AtomSource::Shared(v) => Some(AtomSource::Shared(v.clone())),
                    AtomSource::Own { group: g, variance } => (*g == group)
                        .then(|| AtomSource::Own { group: 0, variance: variance.clone() }),
                    AtomSource::Fixed(w) => Some(AtomSource::Fixed(vec![w[group].clone()])),
                })
                .collect();
        Self {
            spectra: vec![self.spectra[group].clone()],
            multiplicity: self.multiplicity.clone(),
            sources,
        }
    }

    /// Σ_s Tr Σ_s.
    pub(super) fn total_variance(&self) -> f64 {
        let trace = |spectrum: &Vec<f64>| -> f64 {
            match &self.multiplicity {
                Some(m) => dot(spectrum, m),
                None => sum(spectrum),
            }
        };
        self.spectra.iter().map(trace).sum()
    }

    /// Number of modes on which an active group has variance, and the smallest Σ s over the active
    /// groups there.
    pub(super) fn range(&self, active: &[bool]) -> (f64, f64) {
        let (mut rank, mut smallest) = (0.0, f64::INFINITY);
        for i in 0..self.spectra[0].len() {
            let total: f64 =
                self.spectra.iter().zip(active).filter(|(_, a)| **a).map(|(s, _)| s[i]).sum();
            if total > 0.0 {
                rank += self.multiplicity.as_ref().map_or(1.0, |m| m[i]);
                smallest = smallest.min(total);
            }
        }
        (rank, smallest)
    }

    /// Traces at (c, μ) and (c', μ'), where A = Σ c_s Σ_s and G = (A + μ)⁻¹.
    pub(super) fn traces<T: Scalar>(
        &self,
        first: (&[T], T),
        second: Option<(&[T], T)>,
    ) -> Traces<T> {
        let groups = self.spectra.len();
        let zero = T::from(0.0);
        let mut out = Traces::zero(groups);
        let mut a = Resolved::new(groups);
        let mut b = Resolved::new(groups);
        let mut weighted = [zero; BLOCK];
        let mut product = [zero; BLOCK];
        for start in (0..self.spectra[0].len()).step_by(BLOCK) {
            let len = BLOCK.min(self.spectra[0].len() - start);
            a.fill(self, first, start, len);
            for i in 0..len {
                // The multiplicity rides on the first factor.
                let m = self.multiplicity.as_ref().map_or(1.0, |m| m[start + i]);
                weighted[i] = a.resolvent[i] * m;
                product[i] = if a.total[i] == zero { zero } else { weighted[i] };
            }
            out.range = out.range + sum(&product[..len]);
            if let Some(second) = second {
                b.fill(self, second, start, len);
            }
            let other = if second.is_some() { &b } else { &a };
            for s in 0..groups {
                let spectrum = &self.spectra[s][start..start + len];
                for i in 0..len {
                    product[i] = weighted[i] * spectrum[i];
                }
                let product = &product[..len];
                out.first[s] = out.first[s] + sum(product);
                for r in s..groups {
                    let value = out.second(s, r) + dot(product, &other.loaded[r][..len]);
                    out.set_second(s, r, value);
                    out.set_second(r, s, value);
                }
                out.mixed[s] = out.mixed[s] + dot(product, &other.resolvent[..len]);
            }
            out.squared = out.squared + dot(&weighted[..len], &other.resolvent[..len]);
        }
        out
    }

    /// Second moments of h − w_t and of h, source by source: h = Σ_r c_r G Σ_r w_r at the first
    /// point times the same at the second.
    pub(super) fn moments<T: Scalar>(
        &self,
        first: (&[T], T),
        second: Option<(&[T], T)>,
    ) -> Vec<Moments<T>> {
        let groups = self.spectra.len();
        let mut out = vec![Moments::zero(groups); self.sources.len()];
        let mut a = Resolved::new(groups);
        let mut b = Resolved::new(groups);
        let mut left = vec![vec![T::from(0.0); BLOCK]; groups + 1];
        let mut right = left.clone();
        let mut product = [T::from(0.0); BLOCK];
        for start in (0..self.spectra[0].len()).step_by(BLOCK) {
            let len = BLOCK.min(self.spectra[0].len() - start);
            a.fill(self, first, start, len);
            if let Some(second) = second {
                b.fill(self, second, start, len);
            }
            for (source, out) in self.sources.iter().zip(&mut out) {
                self.responses(source, first, &a, start, len, &mut left);
                if let Some(second) = second {
                    self.responses(source, second, &b, start, len, &mut right);
                }
                let other = if second.is_some() { &right } else { &left };
                let variance = |i: usize| match source {
                    AtomSource::Shared(v) | AtomSource::Own { variance: v, .. } => v[start + i],
                    AtomSource::Fixed(_) => 1.0,
                };
                for t in 0..groups {
                    let spectrum = &self.spectra[t][start..start + len];
                    for i in 0..len {
                        product[i] = left[t][i] * (spectrum[i] * variance(i));
                    }
                    out.offset[t] = out.offset[t] + dot(&product[..len], &other[t][..len]);
                }
                for i in 0..len {
                    product[i] = left[groups][i] * variance(i);
                }
                out.norm = out.norm + dot(&product[..len], &other[groups][..len]);
            }
        }
        out
    }

    /// h − w_t for each group t, and h, per unit of the source. Written with μG w_t and the
    /// differences w_r − w_t, never as h − w_t: a small bias keeps its digits.
    fn responses<T: Scalar>(
        &self,
        source: &AtomSource,
        (c, mu): (&[T], T),
        at: &Resolved<T>,
        start: usize,
        len: usize,
        out: &mut [Vec<T>],
    ) {
        let groups = self.spectra.len();
        let zero = T::from(0.0);
        match source {
            AtomSource::Shared(_) => {
                for t in 0..groups {
                    for i in 0..len {
                        out[t][i] = -(mu * at.resolvent[i]);
                    }
                }
                for i in 0..len {
                    out[groups][i] = at.total[i] * at.resolvent[i];
                }
            }
            AtomSource::Own { group, .. } => {
                for i in 0..len {
                    let own = at.loaded[*group][i] * c[*group];
                    let mut rest = mu;
                    for r in (0..groups).filter(|r| r != group) {
                        rest = rest + c[r] * self.spectra[r][start + i];
                    }
                    for t in 0..groups {
                        out[t][i] = if t == *group { -(rest * at.resolvent[i]) } else { own };
                    }
                    out[groups][i] = own;
                }
            }
            AtomSource::Fixed(w) => {
                for i in 0..len {
                    let w = |r: usize| w[r][start + i];
                    for t in 0..groups {
                        let mut x = -(mu * at.resolvent[i] * w(t));
                        for r in 0..groups {
                            x = x + at.loaded[r][i] * c[r] * (w(r) - w(t));
                        }
                        out[t][i] = x;
                    }
                    out[groups][i] =
                        (0..groups).fold(zero, |x, r| x + at.loaded[r][i] * c[r] * w(r));
                }
            }
        }
    }
}

/// A, G and Σ_s G on one block of atoms.
struct Resolved<T> {
    total: Vec<T>,
    resolvent: Vec<T>,
    loaded: Vec<Vec<T>>,
}

impl<T: Scalar> Resolved<T> {
    fn new(groups: usize) -> Self {
        let zeros = || vec![T::from(0.0); BLOCK];
        Self { total: zeros(), resolvent: zeros(), loaded: (0..groups).map(|_| zeros()).collect() }
    }

    fn fill(&mut self, atoms: &Atoms, (c, mu): (&[T], T), start: usize, len: usize) {
        let zero = T::from(0.0);
        self.total[..len].fill(zero);
        for (spectrum, c) in atoms.spectra.iter().zip(c).filter(|(_, c)| **c != zero) {
            for (total, s) in self.total[..len].iter_mut().zip(&spectrum[start..start + len]) {
                *total = *total + *c * *s;
            }
        }
        for (g, total) in self.resolvent[..len].iter_mut().zip(&self.total[..len]) {
            *g = (*total + mu).recip();
        }
        for (loaded, spectrum) in self.loaded.iter_mut().zip(&atoms.spectra) {
            let s = &spectrum[start..start + len];
            for ((x, g), s) in loaded[..len].iter_mut().zip(&self.resolvent[..len]).zip(s) {
                *x = *g * *s;
            }
        }
    }
}

fn sum<T: Scalar>(x: &[T]) -> T {
    let mut lanes = [T::from(0.0); LANES];
    let chunks = x.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] = lanes[i] + chunk[i];
        }
    }
    lanes.iter().chain(rest).fold(T::from(0.0), |total, x| total + *x)
}

fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    let mut lanes = [T::from(0.0); LANES];
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| *x * *y);
    let rest = rest.fold(T::from(0.0), |total, x| total + x);
    for (x, y) in xs.zip(ys) {
        for i in 0..LANES {
            lanes[i] = lanes[i] + x[i] * y[i];
        }
    }
    lanes.iter().fold(rest, |total, x| total + *x)
}
