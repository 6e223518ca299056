//! The deterministic equivalent of a chain: a spectrum, stages, and the inversion of λ(κ).

use crate::root::increasing_root;
use crate::solution::{Diagnostics, Solution};
use crate::spectrum::{Nodes, Resolution, Spectrum, Weight};
use crate::stage::{AnyStage, Memory, Seen, Stage, Tri};
use crate::{Error, Result, Scalar};
use std::sync::{Arc, OnceLock};

/// Count nodes with what does not change along a path.
struct Base {
    /// w·s.
    trace: Vec<f64>,
    s: Vec<f64>,
    /// 1/(s + κ₀).
    anchor: Vec<f64>,
    error: f64,
}

/// A spectrum seen through stages.
///
/// ```
/// use rmt_core::{DeterministicEquivalent, Modes, Population, Samples};
/// // Isotropic covariance, p/n = 1/2: κ solves λ = κ(1 − (p/n)/(1 + κ)).
/// let population = Population::new(&Modes::Constant { p: 200, value: 1.0 })?;
/// let chain = DeterministicEquivalent::new(&population, vec![Box::new(Samples::new(400.0)?)])?;
/// let solution = chain.solve(0.1)?;
/// let k = solution.kappa();
/// assert!((k * (1.0 - 0.5 / (1.0 + k)) - 0.1).abs() < 1e-15);
/// # Ok::<(), rmt_core::Error>(())
/// ```
pub struct DeterministicEquivalent<S> {
    spectrum: S,
    stages: Vec<Box<dyn AnyStage>>,
    anchor: f64,
    /// Whether λ = 0 lies beyond the anchor: see [`RESOLVED`].
    guarded: bool,
    compressed: OnceLock<Base>,
    full: OnceLock<Base>,
}

impl<S: Spectrum> std::fmt::Debug for DeterministicEquivalent<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeterministicEquivalent")
            .field("dimension", &self.spectrum.dimension())
            .field("stages", &self.stages)
            .field("kappa_at_zero", &self.anchor)
            .finish()
    }
}

impl<S: Spectrum + ?Sized> Spectrum for &S {
    fn nodes(&self, weight: Weight, resolution: Resolution) -> &Nodes {
        (**self).nodes(weight, resolution)
    }
    fn dimension(&self) -> f64 {
        (**self).dimension()
    }
}

impl<S: Spectrum + ?Sized> Spectrum for Arc<S> {
    fn nodes(&self, weight: Weight, resolution: Resolution) -> &Nodes {
        (**self).nodes(weight, resolution)
    }
    fn dimension(&self) -> f64 {
        (**self).dimension()
    }
}

/// Newton converges quadratically: after a relative step below this the next point is the root to
/// rounding. Waiting for steps of one ulp would not end, they only jitter.
const LAST_STEP: f64 = 1e-9;

/// A layer that is full but for this fraction, with a nonlinear layer behind it: the tail τ/K of that
/// one then hangs on the difference N − D, whose digits are gone. The anchor stops here and smaller
/// ridges are refused. It happens only where widths differ by five orders of magnitude or more.
const RESOLVED: f64 = 1e-6;

/// Longest Newton step in ln(κ − κ₀); λ may lie hundreds of decades below the first guess.
const LONGEST_STEP: f64 = 200.0;

impl<S: Spectrum> DeterministicEquivalent<S> {
    /// A chain from the population outwards. Without stages λ = κ (infinite data).
    pub fn new(spectrum: S, stages: Vec<Box<dyn AnyStage>>) -> Result<Self> {
        let mut chain = Self {
            spectrum,
            stages,
            anchor: 0.0,
            guarded: false,
            compressed: OnceLock::new(),
            full: OnceLock::new(),
        };
        (chain.anchor, chain.guarded) = chain.find_anchor()?;
        chain.compressed = OnceLock::new();
        Ok(chain)
    }

    /// The spectrum.
    pub fn spectrum(&self) -> &S {
        &self.spectrum
    }

    /// Number of stages.
    pub fn depth(&self) -> usize {
        self.stages.len()
    }

    /// κ at λ = 0: zero, or where the smallest capacity is used up.
    pub fn kappa_at_zero(&self) -> f64 {
        self.anchor
    }

    fn base(&self, resolution: Resolution) -> &Base {
        let cell = match resolution {
            Resolution::Compressed => &self.compressed,
            Resolution::Full => &self.full,
        };
        cell.get_or_init(|| {
            let nodes = self.spectrum.nodes(Weight::Count, resolution);
            Base {
                trace: nodes.s.iter().zip(&nodes.w).map(|(s, w)| s * w).collect(),
                s: nodes.s.clone(),
                anchor: nodes.s.iter().map(|s| 1.0 / (s + self.anchor)).collect(),
                error: nodes.error,
            }
        })
    }

    /// The smallest κ ≥ 0 with room in every stage for every larger κ, and whether it is guarded.
    fn find_anchor(&self) -> Result<(f64, bool)> {
        let nodes = self.spectrum.nodes(Weight::Count, Resolution::Compressed);
        let trace = nodes.sum(|s| s);
        // Where D grows between stages there is a tail.
        let mut last_tail = 0;
        let mut seen = at_one_point(nodes, trace.max(f64::MIN_POSITIVE));
        for (index, stage) in self.stages.iter().enumerate() {
            let next = Stage::<f64>::apply(stage.as_ref(), seen, &mut Memory::default())?;
            if next.dof.o != seen.dof.o {
                last_tail = index;
            }
            seen = next;
        }
        let tails = seen.dof.o != at_one_point(nodes, trace.max(f64::MIN_POSITIVE)).dof.o;
        // Room left in the fullest stage at κ, as a fraction; −∞ beyond a stage that is over-full.
        let room = |kappa: f64, reserve: f64| -> f64 {
            let mut seen = at_one_point(nodes, kappa);
            let mut worst = f64::INFINITY;
            for (index, stage) in self.stages.iter().enumerate() {
                let capacity = stage.limit();
                if capacity.is_finite() {
                    let reserve = if index < last_tail { reserve } else { 0.0 };
                    worst = worst.min(1.0 - seen.dof.o / capacity - reserve);
                    if worst <= 0.0 {
                        return worst;
                    }
                }
                match Stage::<f64>::apply(stage.as_ref(), seen, &mut Memory::default()) {
                    Ok(next) => seen = next,
                    Err(_) => return f64::NEG_INFINITY,
                }
            }
            worst
        };
        let mut high = trace.max(f64::MIN_POSITIVE);
        let mut grown = 0;
        while room(high, RESOLVED) <= 0.0 {
            high *= 8.0;
            grown += 1;
            if grown > 300 {
                return Err(Error::NotConverged {
                    what: "the search for an admissible ridge",
                    iterations: grown,
                    residual: f64::INFINITY,
                    at: format!("{:?}", self.stages),
                });
            }
        }
        if !tails {
            // D is df1 throughout: the smallest capacity decides.
            let rank = nodes.mass();
            let smallest = self.stages.iter().map(|s| s.limit()).fold(f64::INFINITY, f64::min);
            let kappa = if rank <= smallest * (1.0 + 1e-12) {
                0.0
            } else {
                nodes.kappa_at(smallest, rank - smallest)?
            };
            return Ok((kappa, false));
        }
        // With a tail D grows without bound as κ → 0, so a lower bracket exists.
        let mut low = high;
        while room(low, RESOLVED) > 0.0 {
            low *= 0.125;
            if low < 1e-300 {
                return Ok((0.0, false));
            }
        }
        let kappa = increasing_root(low, high, |kappa| room(kappa, RESOLVED));
        Ok((kappa, room(kappa, 0.0) > 0.5 * RESOLVED))
    }

    /// The population at κ₀ + x and κ₀ + y.
    fn population<T: Scalar>(&self, x: T, y: T, resolution: Resolution) -> Seen<T> {
        let base = self.base(resolution);
        let zero = T::from(0.0);
        let at = |shift: T| shift + self.anchor;
        let (kappa, other) = (at(x), at(y));
        let (mut a, mut b, mut o, mut ab, mut ao, mut bo) = (zero, zero, 0.0, zero, zero, zero);
        let single = x == y;
        for ((&s, &t), &anchor) in base.s.iter().zip(&base.trace).zip(&base.anchor) {
            let first = (kappa + s).recip();
            let term = first * t;
            a = a + term;
            o += t * anchor;
            ao = ao + term * anchor;
            if single {
                ab = ab + term * first;
            } else {
                let second = (other + s).recip();
                b = b + second * t;
                ab = ab + term * second;
                bo = bo + second * (t * anchor);
            }
        }
        if single {
            (b, bo) = (a, ao);
        }
        let one = T::from(1.0);
        let kappa = Tri { a: kappa, b: other, o: T::from(self.anchor), ab: one, ao: one, bo: one };
        let dof = Tri { a, b, o: T::from(o), ab: -ab, ao: -ao, bo: -bo };
        Seen {
            kappa,
            shift_a: x,
            shift_b: y,
            ratio: Tri::constant(1.0),
            dof,
            step: Tri::constant(1.0),
        }
    }

    /// Runs the chain at (κ₀ + x, κ₀ + y).
    fn run<T: Scalar>(
        &self,
        x: T,
        y: T,
        resolution: Resolution,
        memory: &mut Vec<Memory<T>>,
    ) -> Result<Vec<Seen<T>>>
    where
        dyn AnyStage: Stage<T>,
    {
        memory.resize(self.stages.len(), Memory::default());
        let mut seen = Vec::with_capacity(self.stages.len() + 1);
        let mut current = self.population(x, y, resolution);
        seen.push(current);
        for (stage, memory) in self.stages.iter().zip(memory) {
            current = stage.apply(current, memory)?;
            seen.push(current);
        }
        Ok(seen)
    }

    /// The solution at a given κ ≥ κ(0): explicit, λ comes out.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] below [`Self::kappa_at_zero`].
    pub fn at_kappa(&self, kappa: f64) -> Result<Solution<f64>> {
        if !(kappa >= self.anchor && kappa.is_finite()) {
            return Err(Error::OutOfRange {
                name: "kappa",
                value: kappa,
                remedy: "no λ ≥ 0 belongs to it: it must be at least κ(λ = 0)",
            });
        }
        self.explicit(kappa - self.anchor)
    }

    /// The solution at κ = κ(λ = 0) + `shift`: as [`Self::at_kappa`], and keeps every digit however
    /// close to λ = 0.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a negative or infinite shift.
    pub fn at_shift(&self, shift: f64) -> Result<Solution<f64>> {
        if !(shift >= 0.0 && shift.is_finite()) {
            return Err(Error::OutOfRange {
                name: "shift",
                value: shift,
                remedy: "must be finite and ≥ 0",
            });
        }
        self.explicit(shift)
    }

    /// The solution at which Σ s/(s+κ) has a given value: explicit.
    pub fn at_df1(&self, df1: f64) -> Result<Solution<f64>> {
        let nodes = self.spectrum.nodes(Weight::Count, Resolution::Compressed);
        self.at_kappa(nodes.kappa_at(df1, nodes.mass() - df1)?.max(self.anchor))
    }

    fn explicit(&self, x: f64) -> Result<Solution<f64>> {
        let mut memory = Vec::new();
        let seen = self.run(x, x, Resolution::Compressed, &mut memory)?;
        let lambda = seen[seen.len() - 1].ridge().a;
        let compression = self.base(Resolution::Compressed).error;
        let diagnostics = Diagnostics { compression, ..Diagnostics::default() };
        Ok(Solution { lambda, seen, memory, diagnostics })
    }

    /// The solution at λ ≥ 0.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for λ < 0 or not finite.
    pub fn solve(&self, lambda: f64) -> Result<Solution<f64>> {
        self.solve_from(lambda, None)
    }

    /// Solutions along a list of ridges, each warm-started from the one before.
    pub fn path(&self, lambdas: &[f64]) -> Result<Vec<Solution<f64>>> {
        let mut out: Vec<Solution<f64>> = Vec::with_capacity(lambdas.len());
        for &lambda in lambdas {
            let guess = out.last().and_then(|before| {
                let (x, change) = (before.seen[0].shift_a, lambda / before.lambda);
                // dlnx/dlnλ as predictor: x and κ share λ(κ), and κ − κ₀ = x.
                let slope = before.elasticity() * before.kappa() / x;
                let guess = x * change.powf(slope);
                (guess.is_finite() && guess > 0.0).then_some(guess)
            });
            out.push(self.solve_from(lambda, guess)?);
        }
        Ok(out)
    }

    fn solve_from(&self, lambda: f64, guess: Option<f64>) -> Result<Solution<f64>> {
        if !(lambda >= 0.0 && lambda.is_finite()) {
            return Err(Error::OutOfRange {
                name: "lambda",
                value: lambda,
                remedy: "must be finite and ≥ 0",
            });
        }
        if self.guarded {
            let smallest = self.explicit(0.0)?.lambda;
            if lambda < smallest {
                return Err(Error::OutOfRange {
                    name: "lambda",
                    value: lambda,
                    remedy: "cannot be resolved with nonlinear layers whose widths differ by many \
                             orders of magnitude; take a larger λ or less extreme widths",
                });
            }
        }
        if lambda == 0.0 {
            let mut solution = self.explicit(0.0)?;
            solution.diagnostics.residual = solution.lambda.abs();
            solution.lambda = 0.0;
            return Ok(solution);
        }
        let mut memory = Vec::new();
        let mut x = match guess {
            Some(x) => x,
            None => self.far_guess(lambda)?,
        };
        let (mut low, mut high) = (0.0_f64, f64::INFINITY);
        let mut change = f64::INFINITY;
        for iteration in 1..=200 {
            let seen = self.run(x, x, Resolution::Compressed, &mut memory)?;
            let ridge = seen[seen.len() - 1].ridge();
            // Newton in ln x on ln λ(x): slope 1 far out, the number of ties near λ = 0.
            let quotient = ridge.a / lambda;
            let gap = if quotient.is_finite() { quotient.ln() } else { ridge.a.ln() - lambda.ln() };
            if change < LAST_STEP {
                let diagnostics = Diagnostics {
                    iterations: iteration,
                    residual: gap.abs(),
                    compression: self.base(Resolution::Compressed).error,
                };
                return Ok(Solution { lambda, seen, memory, diagnostics });
            }
            if gap > 0.0 {
                high = high.min(x)
            } else {
                low = low.max(x)
            }
            let step = -gap * ridge.a / (x * ridge.ab);
            let mut next = x * step.clamp(-LONGEST_STEP, LONGEST_STEP).exp();
            change = (next / x - 1.0).abs();
            // The sign of a gap at rounding is arbitrary: do not let it veto a step that small. Where λ(x)
            // underflowed (several ties, λ < 1e-250) the step is NaN and x is only a lower bound.
            let fine = change < LAST_STEP || (next > low && next < high);
            if !fine {
                next = match (low > 0.0, high.is_finite()) {
                    (true, true) => (low * high).sqrt(),
                    (true, false) => low * 16.0,
                    _ => high / 16.0,
                };
                change = f64::INFINITY;
            }
            x = next;
        }
        Err(Error::NotConverged {
            what: "the effective ridge",
            iterations: 200,
            residual: change,
            at: format!("λ = {lambda}"),
        })
    }

    /// λ over the gains plus Tr Σ·Σ 1/N: at or above the root for linear chains.
    fn far_guess(&self, lambda: f64) -> Result<f64> {
        let trace: f64 = self.base(Resolution::Compressed).trace.iter().sum();
        let sizes: f64 = self.stages.iter().map(|s| 1.0 / s.limit()).sum();
        let far = 1e6 * (trace + self.anchor + lambda);
        let seen = self.run(far, far, Resolution::Compressed, &mut Vec::new())?;
        let gain = seen[seen.len() - 1].ratio.a;
        Ok(lambda / gain + trace * sizes)
    }

    /// The chain at two solutions at once: divided differences between them are what two-point
    /// functions are made of. `seen[j].ratio.ab` and so on refer to (first, second).
    pub fn pair<T: Scalar>(&self, first: &Solution<T>, second: &Solution<T>) -> Result<Vec<Seen<T>>>
    where
        dyn AnyStage: Stage<T>,
    {
        let complex = first.kappa().im() != 0.0 || second.kappa().im() != 0.0;
        let resolution = if complex { Resolution::Full } else { Resolution::Compressed };
        let mut memory = first
            .memory
            .iter()
            .zip(&second.memory)
            .map(|(f, s)| Memory { a: f.a, b: s.a })
            .collect();
        self.run(first.seen[0].shift_a, second.seen[0].shift_a, resolution, &mut memory)
    }

    /// Evaluates at a complex shift x = κ − κ₀ with remembered inner roots.
    pub(crate) fn run_complex(
        &self,
        x: num_complex::Complex64,
        memory: &mut Vec<Memory<num_complex::Complex64>>,
    ) -> Result<Vec<Seen<num_complex::Complex64>>> {
        self.run(x, x, Resolution::Full, memory)
    }

    /// Tr Σ over the positive modes.
    pub(crate) fn trace(&self) -> f64 {
        self.base(Resolution::Full).trace.iter().sum()
    }
}

/// Everything at a single point κ, with plain differences: used to find the anchor only.
fn at_one_point(nodes: &Nodes, kappa: f64) -> Seen<f64> {
    let (mut dof, mut slope) = (0.0, 0.0);
    for (s, w) in nodes.s.iter().zip(&nodes.w) {
        let term = w * s / (s + kappa);
        dof += term;
        slope -= term / (s + kappa);
    }
    let tri = |v: f64, d: f64| Tri { a: v, b: v, o: v, ab: d, ao: d, bo: d };
    Seen {
        kappa: tri(kappa, 1.0),
        shift_a: 0.0,
        shift_b: 0.0,
        ratio: Tri::constant(1.0),
        dof: tri(dof, slope),
        step: Tri::constant(1.0),
    }
}
