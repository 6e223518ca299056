//! A population spectrum: a measure of joint atoms (eigenvalue, multiplicity, weights).

use crate::compress::{self, ERROR_BOUND};
use crate::{Error, Modes, Result, Scalar};
use std::sync::OnceLock;

/// Which quantity a mode sum weighs its eigenvalues with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weight {
    /// Multiplicity: Σ_i f(s_i).
    Count,
    /// Squared target coefficients c_i = (v_iᵀθ*)².
    Target,
    /// A test metric s'_i = v_iᵀΣ'v_i.
    Metric,
    /// c_i s'_i.
    TargetMetric,
}

/// How finely a spectrum is represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// Every distinct eigenvalue: needed at complex arguments.
    Full,
    /// Gauss nodes where the spectrum is large; exact to rounding for real κ > 0.
    Compressed,
}

/// Nodes s > 0 with weights, and the weight that sits on s = 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nodes {
    /// Eigenvalues, largest first, all positive.
    pub s: Vec<f64>,
    /// Weight of each.
    pub w: Vec<f64>,
    /// Weight on zero eigenvalues, kept apart.
    pub zero: f64,
    /// Bound on the relative error of Σ w (s/(s+κ))^j for real κ > 0, j ≤ 2; 0 when exact.
    pub error: f64,
}

impl Nodes {
    /// Merges equal eigenvalues of a list with weights.
    pub fn new(s: &[f64], w: &[f64]) -> Self {
        let mut nodes = Nodes::default();
        if s.is_sorted_by(|a, b| a >= b) {
            nodes.s.reserve(s.len());
            nodes.w.reserve(s.len());
            for (s, w) in s.iter().zip(w) {
                nodes.push(*s, *w);
            }
        } else {
            let mut atoms: Vec<(f64, f64)> = s.iter().copied().zip(w.iter().copied()).collect();
            atoms.sort_by(|a, b| b.0.total_cmp(&a.0));
            for (s, w) in atoms {
                nodes.push(s, w);
            }
        }
        nodes
    }

    /// Adds an atom at or below the smallest one so far.
    fn push(&mut self, s: f64, w: f64) {
        if s <= 0.0 {
            self.zero += w;
        } else if let (Some(last), true) = (self.w.last_mut(), self.s.last() == Some(&s)) {
            *last += w;
        } else {
            self.s.push(s);
            self.w.push(w);
        }
    }

    /// Σ w over s > 0.
    pub fn mass(&self) -> f64 {
        self.w.iter().sum()
    }

    /// Σ w f(s) over s > 0.
    pub fn sum<T: Scalar>(&self, f: impl Fn(f64) -> T) -> T {
        let mut total = T::from(0.0);
        for (s, w) in self.s.iter().zip(&self.w) {
            total = total + f(*s) * *w;
        }
        total
    }

    /// The κ ≥ 0 at which Σ w s/(s+κ) = `dof`. `room` = mass − dof, given separately because it
    /// carries the digits where dof is close to the mass.
    ///
    /// # Errors
    /// [`Error::Unreachable`] unless 0 < dof ≤ mass.
    pub fn kappa_at(&self, dof: f64, room: f64) -> Result<f64> {
        let mass = self.mass();
        if !(dof > 0.0 && room >= 0.0 && dof <= mass * (1.0 + 1e-12)) {
            return Err(Error::Unreachable { name: "degrees of freedom", value: dof, limit: mass });
        }
        if room == 0.0 {
            return Ok(0.0);
        }
        let trace = self.sum(|s| s);
        // Σ w s/(s+κ) < Tr/κ and Σ w κ/(s+κ) < κ Σ w/s bound the root on both sides.
        let (mut low, mut high) = (room / self.sum(|s| 1.0 / s), trace / dof);
        low = low.max(f64::MIN_POSITIVE);
        let by_room = room < dof;
        let mut kappa = if by_room { low } else { high };
        let mut before = f64::INFINITY;
        for _ in 0..200 {
            let (mut value, mut slope) = (0.0, 0.0);
            for (s, w) in self.s.iter().zip(&self.w) {
                let inverse = w / (s + kappa);
                value += if by_room { kappa * inverse } else { s * inverse };
                slope += s * kappa * inverse / (s + kappa);
            }
            // Newton in ln κ on ln value, whose slope lies in (0, 1].
            let (target, sign) = if by_room { (room, 1.0) } else { (dof, -1.0) };
            let gap = (value / target).ln();
            if gap * sign > 0.0 {
                high = high.min(kappa)
            } else {
                low = low.max(kappa)
            }
            let step = -gap * value / (sign * slope);
            let next = kappa * step.exp();
            let next = if next >= low && next <= high { next } else { (low * high).sqrt() };
            let change = (next / kappa - 1.0).abs();
            kappa = next;
            if change < 4.0 * f64::EPSILON || (change < 1e-10 && change >= before) {
                break;
            }
            before = change;
        }
        Ok(kappa)
    }
}

/// A population as the solvers see it.
pub trait Spectrum: Send + Sync {
    /// Nodes and weights that reproduce the sum over modes with that weight.
    fn nodes(&self, weight: Weight, resolution: Resolution) -> &Nodes;
    /// Number of modes, zero eigenvalues included.
    fn dimension(&self) -> f64;
    /// Number of positive eigenvalues.
    fn rank(&self) -> f64 {
        self.nodes(Weight::Count, Resolution::Compressed).mass().round()
    }
}

/// Distinct eigenvalues beyond which real solves use compressed nodes.
const COMPRESS_ABOVE: usize = 512;

/// A spectrum with optional target and test metric in its eigenbasis, built from mode vectors.
///
/// ```
/// use rmt_core::{Modes, Population, Resolution, Spectrum, Weight};
/// let spectrum = Modes::PowerLaw { p: 1_000_000_000, alpha: 1.5, scale: 1.0, reversed: false };
/// let population = Population::new(&spectrum)?;
/// let nodes = population.nodes(Weight::Count, Resolution::Compressed);
/// assert!(nodes.s.len() < 400); // never a list of 10⁹ eigenvalues
/// # Ok::<(), rmt_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Population {
    spectrum: Modes,
    target: Option<Modes>,
    metric: Option<Modes>,
    rounded: usize,
    compressed: [OnceLock<Nodes>; 4],
    full: [OnceLock<Nodes>; 4],
}

impl Population {
    /// A population with this spectrum, without a target.
    ///
    /// # Errors
    /// Empty or all-zero spectra, negative or non-finite eigenvalues.
    pub fn new(spectrum: &Modes) -> Result<Self> {
        let name = "spectrum";
        let mut population = Self {
            spectrum: spectrum.clone(),
            target: None,
            metric: None,
            rounded: 0,
            compressed: Default::default(),
            full: Default::default(),
        };
        let positive = if spectrum.is_smooth() {
            spectrum.check(name)?;
            spectrum.at(1.0) > 0.0
        } else {
            let checked = spectrum.values(name)?;
            population.rounded = checked.rounded;
            let positive = checked.values.iter().any(|s| *s > 0.0);
            if checked.rounded > 0 {
                population.spectrum = Modes::Explicit(checked.values);
            }
            positive
        };
        if positive { Ok(population) } else { Err(Error::NoVariance { name }) }
    }

    /// Adds squared target coefficients, one per mode.
    pub fn with_target(mut self, target: &Modes) -> Result<Self> {
        self.target = Some(self.checked("target", target)?);
        Ok(self)
    }

    /// Adds a test metric Σ' ≠ Σ by its diagonal in the eigenbasis, one entry per mode.
    pub fn with_metric(mut self, metric: &Modes) -> Result<Self> {
        self.metric = Some(self.checked("test_spectrum", metric)?);
        Ok(self)
    }

    fn checked(&mut self, name: &'static str, modes: &Modes) -> Result<Modes> {
        if modes.len() != self.spectrum.len() {
            return Err(Error::LengthMismatch {
                name,
                found: modes.len(),
                expected: self.spectrum.len(),
            });
        }
        if modes.is_smooth() {
            modes.check(name)?;
            return Ok(modes.clone());
        }
        let checked = modes.values(name)?;
        self.rounded += checked.rounded;
        Ok(if checked.rounded > 0 { Modes::Explicit(checked.values) } else { modes.clone() })
    }

    /// Whether a test metric was given.
    pub fn has_metric(&self) -> bool {
        self.metric.is_some()
    }

    /// How many tiny negative entries were rounded to zero.
    pub fn rounded(&self) -> usize {
        self.rounded
    }

    /// Eigenvalues in listed order.
    pub fn eigenvalues(&self) -> Vec<f64> {
        list(&self.spectrum)
    }

    /// Target coefficients in listed order; zeros without a target.
    pub fn target(&self) -> Vec<f64> {
        self.target.as_ref().map_or_else(|| vec![0.0; self.spectrum.len()], list)
    }

    /// The test metric in listed order; the eigenvalues themselves without one.
    pub fn metric(&self) -> Vec<f64> {
        list(self.metric.as_ref().unwrap_or(&self.spectrum))
    }

    /// The mode vectors whose product is the weight; `None` when there is no target.
    fn factors(&self, weight: Weight) -> Option<Vec<&Modes>> {
        let metric = self.metric.as_ref().unwrap_or(&self.spectrum);
        Some(match weight {
            Weight::Count => vec![],
            Weight::Target => vec![self.target.as_ref()?],
            Weight::Metric => vec![metric],
            Weight::TargetMetric => vec![self.target.as_ref()?, metric],
        })
    }

    fn build(&self, weight: Weight, resolution: Resolution) -> Nodes {
        let Some(factors) = self.factors(weight) else {
            return Nodes::default();
        };
        if let Modes::Constant { p, value } = &self.spectrum {
            // One atom, whatever the weights.
            let total: f64 = match factors.as_slice() {
                [] => *p as f64,
                [one] => one.total("weight").unwrap_or(f64::NAN),
                _ => product(&factors, *p).iter().sum(),
            };
            return Nodes { s: vec![*value], w: vec![total], zero: 0.0, error: 0.0 };
        }
        let p = self.spectrum.len();
        let compressed = resolution == Resolution::Compressed && p > COMPRESS_ABOVE;
        if let (Modes::PowerLaw { alpha, .. }, true) = (&self.spectrum, compressed)
            && self.spectrum.is_smooth()
            && factors.iter().all(|f| f.is_smooth())
        {
            let (index, mut w) = compress::index_nodes(p, *alpha);
            let s = index.iter().map(|i| self.spectrum.at(*i)).collect();
            for (w, i) in w.iter_mut().zip(&index) {
                *w *= factors.iter().map(|f| f.at(*i)).product::<f64>();
            }
            return Nodes { s, w, zero: 0.0, error: ERROR_BOUND };
        }
        let nodes = Nodes::new(&list(&self.spectrum), &product(&factors, p));
        if compressed && nodes.s.len() > COMPRESS_ABOVE {
            let (s, w) = compress::compress(&nodes.s, &nodes.w);
            return Nodes { s, w, zero: nodes.zero, error: ERROR_BOUND };
        }
        nodes
    }
}

impl Spectrum for Population {
    fn nodes(&self, weight: Weight, resolution: Resolution) -> &Nodes {
        let cache = match resolution {
            Resolution::Full => &self.full,
            Resolution::Compressed => &self.compressed,
        };
        cache[weight as usize].get_or_init(|| self.build(weight, resolution))
    }

    fn dimension(&self) -> f64 {
        self.spectrum.len() as f64
    }
}

/// Values of a checked vector.
fn list(modes: &Modes) -> Vec<f64> {
    modes.values("modes").map(|v| v.values).unwrap_or_default()
}

fn product(factors: &[&Modes], p: usize) -> Vec<f64> {
    let mut weight = vec![1.0; p];
    for factor in factors {
        for (w, f) in weight.iter_mut().zip(list(factor)) {
            *w *= f;
        }
    }
    weight
}
