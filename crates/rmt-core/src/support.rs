//! Exact support of the spectrum of a sample covariance Σ̂ = Σ^½Zᵀ𝐊ZΣ^½/n: edges, gaps, outliers.
//!
//! At real arguments write w = −κ and e = 1/κ̃. Degrees of freedom agree on both sides,
//! D = Σ s/(s−w) = Σ ke/(1+ke), and the resolvent argument is x = (w/n) Σ k/(1+ke). The complement of
//! the support is where x increases along this curve, i.e. where
//!
//! γ = Σ s²/(s−w)² · Σ (k/(1+ke))² / (Σ k/(1+ke))² < 1
//!
//! (Silverstein and Choi 1995 for independent rows; Couillet and Hachem 2014 for separable
//! covariances). Between two poles of a side the curve is a graph, with 0 or 2 points γ = 1.

use crate::root::{increasing_root, increasing_root_linear};
use crate::spectrum::{Nodes, Resolution, Spectrum, Weight};
use crate::stage::CorrelatedSamples;

/// Both sides of a sample covariance: population modes and rows.
#[derive(Clone, Debug)]
pub struct SampleCovariance<'a> {
    columns: &'a Nodes,
    rows: Nodes,
    n: f64,
    dimension: f64,
}

impl<'a> SampleCovariance<'a> {
    /// `n` independent rows.
    pub fn independent(spectrum: &'a impl Spectrum, n: f64) -> Self {
        let rows = Nodes { s: vec![1.0], w: vec![n], zero: 0.0, error: 0.0 };
        Self::with_rows(spectrum, rows, n)
    }

    /// Correlated rows.
    pub fn correlated(spectrum: &'a impl Spectrum, samples: &CorrelatedSamples) -> Self {
        let kernel = samples.kernel().clone();
        let n = kernel.mass() + kernel.zero;
        Self::with_rows(spectrum, kernel, n)
    }

    fn with_rows(spectrum: &'a impl Spectrum, rows: Nodes, n: f64) -> Self {
        let columns = spectrum.nodes(Weight::Count, Resolution::Full);
        Self { columns, rows, n, dimension: spectrum.dimension() }
    }

    /// Fraction of exactly zero eigenvalues of the p×p matrix: 1 − min(rank Σ, rank 𝐊)/p.
    pub fn mass_at_zero(&self) -> f64 {
        1.0 - self.columns.mass().min(self.rows.mass()) / self.dimension
    }

    /// All edges of the support, ascending, without the mass at zero: lower and upper end of each
    /// interval in turn.
    pub fn edges(&self) -> Vec<f64> {
        let (s, k) = (self.columns, &self.rows);
        let mut edges = vec![self.upper_edge()];
        let (rank, rows) = (s.mass(), k.mass());
        if (rank - rows).abs() <= 1e-12 * rows {
            edges.push(0.0);
        } else if rank < rows {
            edges.push(lower_edge(s, k, self.n));
        } else {
            edges.push(lower_edge(k, s, self.n));
        }
        let (columns, kernel) = (open_intervals(s, rows), open_intervals(k, rank));
        for &inside in &columns {
            edges.extend(gap(inside, self.n, s, k.s.len() == 1, |dof| {
                outer_root(k, dof).map(|e| Far { e, side: k })
            }));
            for &inner in &kernel {
                edges.extend(gap(inside, self.n, s, false, |dof| {
                    // Both arguments positive: x > 0 needs D < 0.
                    (dof < 0.0).then(|| Far { e: -1.0 / inner_root(k, inner, dof), side: k })
                }));
            }
        }
        for &inside in &kernel {
            edges.extend(gap(inside, self.n, k, s.s.len() == 1, |dof| {
                outer_root(s, dof).map(|e| Far { e, side: s })
            }));
        }
        edges.sort_by(f64::total_cmp);
        edges
    }

    /// Where a population eigenvalue `spike`, which this spectrum does not contain, puts an outlier
    /// of the sample spectrum; `None` when it stays inside the bulk.
    pub fn outlier(&self, spike: f64) -> Option<f64> {
        let dof = self.columns.sum(|s| s / (s - spike));
        let far = Far { e: outer_root(&self.rows, dof)?, side: &self.rows };
        let df2 = self.columns.sum(|s| (s / (s - spike)).powi(2));
        (df2 * far.concentration() < 1.0).then(|| spike * far.factor(self.n))
    }

    fn upper_edge(&self) -> f64 {
        let (s, k) = (self.columns, &self.rows);
        let top = s.s[0];
        let at = |u: f64| {
            // w = top·(1 + u), with s − w = −(top·u + (top − s)) exact near the pole.
            let dof = s.sum(|s| -s / (top * u + (top - s)));
            let far = Far { e: outer_root(k, dof).unwrap_or(0.0), side: k };
            (s.sum(|s| (s / (top * u + (top - s))).powi(2)) * far.concentration(), far)
        };
        let u = increasing_root(1e-12, 1e12, |u| 1.0 - at(u).0);
        top * (1.0 + u) * at(u).1.factor(self.n)
    }
}

/// The far side at a point e = 1/κ̃ of the real line.
struct Far<'a> {
    e: f64,
    side: &'a Nodes,
}

impl Far<'_> {
    /// (1/n) Σ k/(1+ke) = x/w.
    fn factor(&self, n: f64) -> f64 {
        self.side.sum(|k| k / (1.0 + k * self.e)) / n
    }

    /// Σ (k/(1+ke))²/(Σ k/(1+ke))² = df̃2/D², finite at e = 0.
    fn concentration(&self) -> f64 {
        let (mut first, mut second) = (0.0, 0.0);
        for (k, w) in self.side.s.iter().zip(&self.side.w) {
            let term = k / (1.0 + k * self.e);
            first += w * term;
            second += w * term * term;
        }
        second / (first * first)
    }
}

/// e > −1/k_max with Σ ke/(1+ke) = dof, i.e. beyond all poles of a side (through infinity);
/// `None` at or above the rank.
fn outer_root(side: &Nodes, dof: f64) -> Option<f64> {
    let (top, rank) = (side.s[0], side.mass());
    if dof >= rank {
        return None;
    }
    if side.s.len() == 1 {
        return Some(dof / (top * (rank - dof)));
    }
    if dof == 0.0 {
        return Some(0.0);
    }
    // 1 + k e with e = −(1 − v)/top: v = 1 + top·e > 0 keeps the digits at the pole.
    let value = |v: f64| side.sum(|k| k * (v - 1.0) / ((top - k) + k * v));
    let (mut low, mut high) = (0.5, 2.0);
    while value(low) > dof && low > 1e-300 {
        low *= 0.25;
    }
    while value(high) < dof && high < 1e300 {
        high *= 4.0;
    }
    Some((increasing_root(low, high, |v| value(v) - dof) - 1.0) / top)
}

/// ω between two neighbouring poles with Σ k/(k−ω) = dof.
fn inner_root(side: &Nodes, (low, high): (f64, f64), dof: f64) -> f64 {
    let width = high - low;
    increasing_root_linear(low + 1e-13 * width, high - 1e-13 * width, |w| {
        side.sum(|k| k / (k - w)) - dof
    })
}

/// Neighbouring eigenvalues of a side that can leave a gap. Their own terms of γ, A/(a−w)² + B/(w−b)²
/// with A = m_a a², B = m_b b², have the minimum (A^⅓ + B^⅓)³/(a−b)², and df̃2/D² ≥ 1/r with r the rank
/// of the other side: γ < 1 needs r(a−b)² above that.
fn open_intervals(side: &Nodes, rank: f64) -> Vec<(f64, f64)> {
    let cube_root = |i: usize| (side.w[i] * side.s[i] * side.s[i]).cbrt();
    (1..side.s.len())
        .filter(|&i| {
            let distance = side.s[i - 1] - side.s[i];
            rank * distance * distance > (cube_root(i - 1) + cube_root(i)).powi(3)
        })
        .map(|i| (side.s[i], side.s[i - 1]))
        .collect()
}

/// The two edges of a gap of the support while w runs between two poles of `near`, if there is one.
fn gap<'a>(
    (low, high): (f64, f64),
    n: f64,
    near: &Nodes,
    independent: bool,
    far: impl Fn(f64) -> Option<Far<'a>>,
) -> Vec<f64> {
    let at = |w: f64| {
        let dof = near.sum(|s| s / (s - w));
        far(dof)
            .map(|far| (near.sum(|s| (s / (s - w)).powi(2)) * far.concentration(), far.factor(n)))
    };
    let gamma = |w: f64| at(w).map_or(f64::INFINITY, |(gamma, _)| gamma);
    let margin = 1e-13 * (high - low);
    let middle = if independent {
        // γ = (1/n) Σ s²/(s−w)² is convex: its slope has one zero.
        let w = increasing_root_linear(low + margin, high - margin, |w| {
            near.sum(|s| s * s / (s - w).powi(3))
        });
        Some(w).filter(|w| gamma(*w) < 1.0)
    } else {
        golden_section(low, high, gamma)
    };
    let Some(middle) = middle else { return Vec::new() };
    let edge = |pole: f64| {
        let w = increasing_root_linear(pole, middle, |w| 1.0 - gamma(w).min(1e300));
        at(w).map(|(_, factor)| w * factor)
    };
    [edge(low + margin), edge(high - margin)].into_iter().flatten().collect()
}

/// A point where γ < 1 between two poles, found on the way to its minimum.
fn golden_section(low: f64, high: f64, gamma: impl Fn(f64) -> f64) -> Option<f64> {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let (mut a, mut b) = (low, high);
    let (mut c, mut d) = (b - GOLDEN * (b - a), a + GOLDEN * (b - a));
    let (mut fc, mut fd) = (gamma(c), gamma(d));
    for _ in 0..80 {
        if fc < 1.0 || fd < 1.0 {
            return Some(if fc < fd { c } else { d });
        }
        if fc < fd {
            (b, d, fd) = (d, c, fc);
            c = b - GOLDEN * (b - a);
            fc = gamma(c);
        } else {
            (a, c, fc) = (c, d, fd);
            d = a + GOLDEN * (b - a);
            fd = gamma(d);
        }
    }
    None
}

/// The lower end of the support when the rank of `near` is below that of `far`.
fn lower_edge(near: &Nodes, far: &Nodes, n: f64) -> f64 {
    let bottom = near.s[near.s.len() - 1];
    // w = bottom·(1 − t): from the pole (t = 0) towards w = 0 (t = 1).
    let at = |t: f64| {
        let distance = |s: f64| (s - bottom) + bottom * t;
        let dof = near.sum(|s| s / distance(s));
        let e = outer_root(far, dof)?;
        let far = Far { e, side: far };
        Some((
            near.sum(|s| (s / distance(s)).powi(2)) * far.concentration(),
            bottom * (1.0 - t) * far.factor(n),
        ))
    };
    let t = increasing_root(1e-15, 1.0, |t| 1.0 - at(t).map_or(1e300, |(gamma, _)| gamma));
    at(t).map_or(0.0, |(_, x)| x)
}
