//! A linear model trained on n samples through m linear random features: spectrum of its Hessian.
//!
//! With Σ̂ = XᵀX/n and w = Fv (F of shape p×m, entries of variance 1/m) the training dynamics see the
//! spectrum of Ĥ = FᵀΣ̂F. Its resolvent at z follows from κ with
//!
//! z = κ·a_n·a_m,  a_N = 1 − df1(κ)/N,  df1 = Σ s/(s+κ),
//!
//! an infinite n (fresh samples at every step) or m (no features) leaving its factor out. Outside
//! the support z(κ) is real and increasing, so the edges λ± are the extrema of −z(κ) on the two
//! sides of the spectrum (Silverstein and Choi 1995, for a product of two factors).

use crate::root::increasing_root;
use crate::spectrum::{Nodes, Population, Resolution, Spectrum, Weight};
use crate::stage::AnyStage;
use crate::{DeterministicEquivalent, Error, Result, Samples, Solution, Width};
use num_complex::Complex64;

/// A population seen through samples and linear features, either of which may be absent.
///
/// ```
/// use rmt_core::{Modes, Population, SampledFeatures};
/// // Isotropic, p/n = 1/4: the Marchenko–Pastur edges (1 ± 1/2)².
/// let population = Population::new(&Modes::Constant { p: 100, value: 1.0 })?;
/// let (low, high) = SampledFeatures::new(&population, Some(400.0), None)?.edges();
/// assert!((low - 0.25).abs() < 1e-12 && (high - 2.25).abs() < 1e-12);
/// # Ok::<(), rmt_core::Error>(())
/// ```
#[derive(Debug)]
pub struct SampledFeatures<'a> {
    population: &'a Population,
    chain: DeterministicEquivalent<&'a Population>,
    n: f64,
    width: f64,
}

/// The real solution at z = −x below −λ₊, where κ < −s_max.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beyond {
    /// κ/(−s_max) − 1 > 0.
    excess: f64,
    top: f64,
    /// κ < −s_max.
    pub kappa: f64,
    /// df1(κ) < 0.
    pub df1: f64,
    /// 1 − df1/n.
    pub sample_factor: f64,
    /// 1 − df1/m.
    pub feature_factor: f64,
}

impl Beyond {
    /// Σ w/(s + κ) over nodes, zero eigenvalues included.
    pub fn resolvent_sum(&self, nodes: &Nodes) -> f64 {
        nodes.zero / self.kappa - nodes.sum(|s| 1.0 / (self.top * self.excess + (self.top - s)))
    }

    /// −z, the point x beyond λ₊ that belongs to κ.
    pub fn point(&self) -> f64 {
        -self.kappa * self.sample_factor * self.feature_factor
    }
}

impl<'a> SampledFeatures<'a> {
    /// `n` samples (`None`: infinitely many) and `width` features (`None`: the inputs themselves).
    pub fn new(population: &'a Population, n: Option<f64>, width: Option<f64>) -> Result<Self> {
        // Samples first: the ridge after them is the one that Σ̂ alone sees.
        let mut stages: Vec<Box<dyn AnyStage>> = Vec::new();
        if let Some(n) = n {
            stages.push(Box::new(Samples::new(n)?));
        }
        if let Some(width) = width {
            stages.push(Box::new(Width::new(width)?));
        }
        Ok(Self {
            population,
            chain: DeterministicEquivalent::new(population, stages)?,
            n: n.unwrap_or(f64::INFINITY),
            width: width.unwrap_or(f64::INFINITY),
        })
    }

    /// The population.
    pub fn population(&self) -> &'a Population {
        self.population
    }

    /// The chain population → samples → features.
    pub fn chain(&self) -> &DeterministicEquivalent<&'a Population> {
        &self.chain
    }

    /// Number of samples; infinite if every step sees fresh ones.
    pub fn samples(&self) -> f64 {
        self.n
    }

    /// Number of features; infinite without a feature layer.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Rank of the Hessian: the smallest of rank Σ, n and m.
    pub fn hessian_rank(&self) -> f64 {
        self.population.rank().min(self.n).min(self.width)
    }

    fn nodes(&self) -> &Nodes {
        self.population.nodes(Weight::Count, Resolution::Full)
    }

    fn beyond_at(&self, excess: f64) -> (Beyond, f64) {
        let nodes = self.nodes();
        let top = nodes.s[0];
        let (mut dof, mut slope) = (0.0, 0.0);
        for (s, w) in nodes.s.iter().zip(&nodes.w) {
            let distance = top * excess + (top - s);
            dof += w * s / distance;
            slope += w * s / (distance * distance);
        }
        let (a, b) = (1.0 + dof / self.n, 1.0 + dof / self.width);
        let kappa = -top * (1.0 + excess);
        let point = Beyond { excess, top, kappa, df1: -dof, sample_factor: a, feature_factor: b };
        // dz/dκ, divided by the factors that make it large near the pole.
        (point, 1.0 + kappa * slope * (1.0 / (self.n * a) + 1.0 / (self.width * b)))
    }

    /// The solution at which the spectrum ends, −z = λ₊, where dz/dκ = 0 (without samples and features:
    /// at the pole −s_max, df1 = −∞).
    pub fn upper_edge(&self) -> Beyond {
        if self.n.is_infinite() && self.width.is_infinite() {
            let top = self.nodes().s[0];
            let df1 = f64::NEG_INFINITY;
            let (sample_factor, feature_factor) = (1.0, 1.0);
            return Beyond { excess: 0.0, top, kappa: -top, df1, sample_factor, feature_factor };
        }
        let excess = increasing_root(1e-15, 1e15, |v| self.beyond_at(v).1);
        self.beyond_at(excess).0
    }

    /// (λ₋, λ₊), the ends of the non-zero spectrum of the Hessian. λ₋ is the smallest end, wherever
    /// gaps are; it is zero exactly where the two smallest of rank Σ, n and m are equal.
    pub fn edges(&self) -> (f64, f64) {
        if self.n.is_infinite() && self.width.is_infinite() {
            let s = &self.nodes().s;
            return (s[s.len() - 1], s[0]);
        }
        (self.lower_edge(), self.upper_edge().point())
    }

    fn lower_edge(&self) -> f64 {
        let nodes = self.nodes();
        let mut sizes = [nodes.mass(), self.n, self.width];
        sizes.sort_by(f64::total_cmp);
        let rank = sizes[0];
        if sizes[1] - rank <= 1e-12 * rank {
            return 0.0;
        }
        let anchor = self.chain.kappa_at_zero();
        // −z and dz/dκ from every s + κ and from x = κ − κ₀, without cancellation at x = 0.
        let at = |x: f64, shifted: &dyn Fn(f64) -> f64| {
            let (mut chord, mut slope) = (0.0, 0.0);
            for (s, w) in nodes.s.iter().zip(&nodes.w) {
                let distance = shifted(*s);
                chord += w * s / (distance * (s + anchor));
                slope += w * s / (distance * distance);
            }
            let factor = |size: f64| {
                if size.is_finite() { (size - rank + x * chord) / size } else { 1.0 }
            };
            let (a, b) = (factor(self.n), factor(self.width));
            let kappa = anchor + x;
            (a, b, -kappa * a * b, a * b + kappa * slope * (b / self.n + a / self.width))
        };
        if anchor > 0.0 {
            // κ between the points where the second-smallest and the smallest size are used up.
            let second = sizes[1];
            let floor = if second < nodes.mass() * (1.0 - 1e-12) {
                nodes.kappa_at(second, nodes.mass() - second).unwrap_or(0.0)
            } else {
                0.0
            };
            let width = anchor - floor;
            // y = (κ − floor)/(κ₀ − floor).
            let eval = |y: f64| {
                let kappa = floor + y * width;
                at((y - 1.0) * width, &|s| s + kappa)
            };
            let mut low = 0.5;
            while eval(low).3 > 0.0 && low > 1e-200 {
                low *= 0.25;
            }
            let y = increasing_root(low, 1.0, |y| eval(y).3);
            eval(y).2
        } else {
            // κ between −s_min and 0, written κ = −s_min(1 − y).
            let bottom = nodes.s[nodes.s.len() - 1];
            let eval = |y: f64| at(-bottom * (1.0 - y), &|s| (s - bottom) + bottom * y);
            let floor = increasing_root(1e-300, 1.0, |y| {
                let (a, b, ..) = eval(y);
                a.min(b)
            });
            let y = increasing_root(floor, 1.0, |y| eval(y).3);
            eval(y).2
        }
    }

    /// The solution at z = −x for x beyond the support, `None` for x ≤ λ₊.
    pub fn beyond(&self, x: f64) -> Option<Beyond> {
        let edge = self.upper_edge();
        if !(x > edge.point() && x.is_finite()) {
            return None;
        }
        // −z ≥ −κ, so −κ lies between the edge's and x.
        let top = edge.top;
        let (low, high) = (edge.excess, x / top - 1.0);
        let excess = if low > 0.0 {
            increasing_root(low, high.max(low), |v| self.beyond_at(v).0.point() - x)
        } else {
            (x - top) / top
        };
        Some(self.beyond_at(excess).0)
    }

    /// The solution beyond the support at which −df1 = `dof` > 0; `None` where κ would lie between
    /// −s_max and its value at λ₊.
    pub fn beyond_at_df1(&self, dof: f64) -> Option<Beyond> {
        let nodes = self.nodes();
        let top = nodes.s[0];
        // w₁/v ≤ −df1 ≤ Tr Σ/(s_max v).
        let (low, high) = (nodes.w[0] / dof, nodes.sum(|s| s) / (top * dof));
        let excess = increasing_root(low, high.max(low), |v| dof + self.beyond_at(v).0.df1);
        let point = self.beyond_at(excess).0;
        (excess >= self.upper_edge().excess).then_some(point)
    }

    /// Solutions at the resolvent arguments z = −λ for points λ off the real axis, each continued
    /// from the one before, so that a contour costs a few Newton steps a point. On every one κ and
    /// the ridges after each stage lie in the half plane of z: that root is the physical one.
    pub fn along(&self, points: &[Complex64]) -> Result<Vec<Solution<Complex64>>> {
        let mut out: Vec<Solution<Complex64>> = Vec::with_capacity(points.len());
        for point in points {
            let solution = self.chain.solve_complex(-point, out.last())?;
            // With two stages a root of the wrong branch can have κ on the right side alone.
            if let Some(stage) = solution.seen.iter().find(|s| s.ridge().a.im * point.im > 0.0) {
                return Err(Error::NotConverged {
                    what: "the continuation of the effective ridge",
                    iterations: solution.diagnostics.iterations,
                    residual: stage.ridge().a.im.abs(),
                    at: format!("z = {}", -point),
                });
            }
            out.push(solution);
        }
        Ok(out)
    }

    /// The complex solution at z = 0, where the Hessian's rank is just used up.
    pub fn at_zero(&self) -> Result<Solution<Complex64>> {
        self.chain.solution_at_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Modes;

    fn power_law() -> Population {
        Population::new(&Modes::PowerLaw { p: 200, alpha: 0.8, scale: 1.0, reversed: false })
            .unwrap()
    }

    /// Both ends against the exact edges of a sample covariance: two independent routes.
    #[test]
    fn edges_without_features_are_those_of_the_sample_covariance() {
        let population = power_law();
        for n in [50.0, 150.0, 199.0, 201.0, 400.0, 1e5] {
            let (low, high) = SampledFeatures::new(&population, Some(n), None).unwrap().edges();
            let edges = crate::SampleCovariance::independent(&population, n).edges();
            assert!((low / edges[0] - 1.0).abs() < 1e-9, "n = {n}: {low} {}", edges[0]);
            let last = edges[edges.len() - 1];
            assert!((high / last - 1.0).abs() < 1e-12, "n = {n}: {high} {last}");
        }
    }

    /// n and m enter the spectrum alike.
    #[test]
    fn edges_are_symmetric_in_samples_and_features() {
        let population = power_law();
        for (n, m) in [(100.0, 300.0), (50.0, 120.0), (400.0, 900.0), (150.0, 1e6)] {
            let a = SampledFeatures::new(&population, Some(n), Some(m)).unwrap().edges();
            let b = SampledFeatures::new(&population, Some(m), Some(n)).unwrap().edges();
            assert!((a.0 / b.0 - 1.0).abs() < 1e-12 && (a.1 / b.1 - 1.0).abs() < 1e-13);
            assert!(a.0 > 0.0);
        }
    }

    /// Equal smallest sizes push the lower edge to zero; an almost equal pair leaves it positive.
    #[test]
    fn hard_edge_at_ties() {
        let population = power_law();
        for (n, m) in [(Some(200.0), None), (Some(100.0), Some(100.0)), (None, Some(200.0))] {
            assert_eq!(SampledFeatures::new(&population, n, m).unwrap().edges().0, 0.0);
        }
        let close = SampledFeatures::new(&population, Some(200.0001), None).unwrap().edges().0;
        assert!(close > 0.0 && close < 1e-12, "{close}");
    }

    /// The real solution solves z(κ) = −x.
    #[test]
    fn beyond_the_support() {
        let population = power_law();
        let model = SampledFeatures::new(&population, Some(100.0), Some(300.0)).unwrap();
        let (_, high) = model.edges();
        assert_eq!(model.beyond(high * 0.999), None);
        let online = SampledFeatures::new(&population, None, None).unwrap();
        assert_eq!(online.beyond(1.0), None);
        let df1 = online.beyond(8.0).unwrap().df1;
        let exact = -population.eigenvalues().iter().map(|s| s / (8.0 - s)).sum::<f64>();
        assert!((df1 / exact - 1.0).abs() < 1e-13);
        for x in [1.0001 * high, 2.0 * high, 1e6 * high] {
            let point = model.beyond(x).unwrap();
            assert!((point.point() / x - 1.0).abs() < 1e-13);
            assert!(point.kappa < -1.0);
        }
    }
}
