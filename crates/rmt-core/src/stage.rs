//! Stages of randomness between the population and the ridge.
//!
//! A stage is explicit from the population side: it maps (K, D), the ridge seen so far and the
//! degrees of freedom, to (K', D'). The innermost ridge is κ, the last one is λ, so λ(κ) needs no
//! solve and only the whole chain is inverted, once.
//!
//! Every quantity is carried as [`Tri`]: its values at κ, κ' and at an anchor κ₀, and its divided
//! differences between them. κ' = κ gives derivatives, κ' ≠ κ the two-point functions. The anchor
//! is the point where λ = 0 (the smallest capacity is just used up): N − D(κ) is evaluated as
//! (N − D(κ₀)) + (κ − κ₀)·(−D[κ, κ₀]), a sum of positive terms, so no digit is lost however close λ
//! is to zero or two capacities are to each other.

use crate::spectrum::Nodes;
use crate::{Error, Result, Scalar};
use num_complex::Complex64;
use std::fmt::Debug;
use std::ops::{Add, Mul};

/// A function of κ at three points, with its divided differences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tri<T> {
    /// Value at κ.
    pub a: T,
    /// Value at κ'.
    pub b: T,
    /// Value at the anchor κ₀.
    pub o: T,
    /// (f(κ) − f(κ'))/(κ − κ'); the derivative where κ' = κ.
    pub ab: T,
    /// Divided difference between κ and κ₀.
    pub ao: T,
    /// Divided difference between κ' and κ₀.
    pub bo: T,
}

impl<T: Scalar> Tri<T> {
    /// A constant.
    pub fn constant(value: f64) -> Self {
        let (v, zero) = (T::from(value), T::from(0.0));
        Self { a: v, b: v, o: v, ab: zero, ao: zero, bo: zero }
    }

    fn map(self, f: impl Fn(T) -> T) -> Self {
        Self {
            a: f(self.a),
            b: f(self.b),
            o: f(self.o),
            ab: f(self.ab),
            ao: f(self.ao),
            bo: f(self.bo),
        }
    }

    /// 1/f.
    #[must_use]
    pub fn recip(self) -> Self {
        let (a, b, o) = (self.a.recip(), self.b.recip(), self.o.recip());
        Self { a, b, o, ab: -self.ab * a * b, ao: -self.ao * a * o, bo: -self.bo * b * o }
    }

    /// f multiplied by a number.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        self.map(|x| x * factor)
    }
}

impl<T: Scalar> Add for Tri<T> {
    type Output = Self;
    fn add(self, g: Self) -> Self {
        Self {
            a: self.a + g.a,
            b: self.b + g.b,
            o: self.o + g.o,
            ab: self.ab + g.ab,
            ao: self.ao + g.ao,
            bo: self.bo + g.bo,
        }
    }
}

/// The product rule f·g \[κ, κ'\] = f(κ) g\[κ, κ'\] + f\[κ, κ'\] g(κ').
impl<T: Scalar> Mul for Tri<T> {
    type Output = Self;
    fn mul(self, g: Self) -> Self {
        Self {
            a: self.a * g.a,
            b: self.b * g.b,
            o: self.o * g.o,
            ab: self.a * g.ab + self.ab * g.b,
            ao: self.a * g.ao + self.ao * g.o,
            bo: self.b * g.bo + self.bo * g.o,
        }
    }
}

/// What a stage sees: the ridge so far, as a multiple of κ, and the degrees of freedom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen<T> {
    /// κ itself.
    pub kappa: Tri<T>,
    /// κ − κ₀, exact.
    pub shift_a: T,
    /// κ' − κ₀, exact.
    pub shift_b: T,
    /// K/κ. Carried instead of K so that K − κ dK/dκ never needs a subtraction.
    pub ratio: Tri<T>,
    /// Degrees of freedom D, un-normalised (a sum over modes plus tails).
    pub dof: Tri<T>,
    /// The factor by which the stage before multiplied K; 1 at the population.
    pub step: Tri<T>,
}

/// Differences N − D(κ₀) below this fraction of N are rounding of the anchor.
const SATURATED: f64 = 1e-12;

impl<T: Scalar> Seen<T> {
    /// The ridge K seen so far.
    pub fn ridge(&self) -> Tri<T> {
        self.kappa * self.ratio
    }

    /// N − D without subtracting D from N anywhere but at the anchor.
    pub fn room(&self, capacity: f64) -> Tri<T> {
        let mut o = T::from(capacity) - self.dof.o;
        if o.norm() <= SATURATED * capacity {
            o = T::from(0.0);
        }
        Tri {
            a: o - self.shift_a * self.dof.ao,
            b: o - self.shift_b * self.dof.bo,
            o,
            ab: -self.dof.ab,
            ao: -self.dof.ao,
            bo: -self.dof.bo,
        }
    }

    fn times(self, step: Tri<T>) -> Self {
        Self { ratio: self.ratio * step, step, ..self }
    }

    /// K' = dlnK/dlnκ · K split as ratio + κ·ratio', both ≥ 0 for real κ: g = dlnκ/dlnK.
    pub fn kappa_elasticity(&self) -> T {
        self.ratio.a / (self.ratio.a + self.kappa.a * self.ratio.ab)
    }

    /// 1 − dlnκ/dlnK, without subtraction.
    pub fn kappa_elasticity_complement(&self) -> T {
        let extra = self.kappa.a * self.ratio.ab;
        extra / (self.ratio.a + extra)
    }
}

/// Branch memory of inner roots at complex arguments, one slot for each of κ and κ'.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory<T> {
    /// Inner root at κ.
    pub a: Option<T>,
    /// Inner root at κ'.
    pub b: Option<T>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self { a: None, b: None }
    }
}

/// One stage of randomness. Implement it for both scalar types (generically) to get [`AnyStage`].
pub trait Stage<T: Scalar>: Debug + Send + Sync {
    /// From (K, D) before the stage to (K', D') after it.
    ///
    /// # Errors
    /// Only where an inner root is not found.
    fn apply(&self, seen: Seen<T>, memory: &mut Memory<T>) -> Result<Seen<T>>;
    /// The supremum of the degrees of freedom that pass; infinite if any number does.
    fn capacity(&self) -> f64;
}

/// A stage at real and complex arguments.
pub trait AnyStage: Stage<f64> + Stage<Complex64> {
    /// [`Stage::capacity`], without naming a scalar type.
    fn limit(&self) -> f64 {
        Stage::<f64>::capacity(self)
    }
}

impl<S: Stage<f64> + Stage<Complex64>> AnyStage for S {}

fn size(name: &'static str, value: f64) -> Result<f64> {
    if value >= 1.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::OutOfRange { name, value, remedy: "give a finite number of at least 1" })
    }
}

/// `n` independent samples: λ = K(1 − D/n).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Samples(f64);

impl Samples {
    /// `n` ≥ 1, not necessarily an integer.
    pub fn new(n: f64) -> Result<Self> {
        size("n", n).map(Self)
    }
}

impl<T: Scalar> Stage<T> for Samples {
    fn apply(&self, seen: Seen<T>, _: &mut Memory<T>) -> Result<Seen<T>> {
        Ok(seen.times(seen.room(self.0).scale(1.0 / self.0)))
    }
    fn capacity(&self) -> f64 {
        self.0
    }
}

/// A layer of `width` linear random features: K ← K(1 − D/N).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Width(f64);

impl Width {
    /// `width` ≥ 1, not necessarily an integer.
    pub fn new(width: f64) -> Result<Self> {
        size("widths", width).map(Self)
    }
}

impl<T: Scalar> Stage<T> for Width {
    fn apply(&self, seen: Seen<T>, _: &mut Memory<T>) -> Result<Seen<T>> {
        Ok(seen.times(seen.room(self.0).scale(1.0 / self.0)))
    }
    fn capacity(&self) -> f64 {
        self.0
    }
}

/// A nonlinearity seen through its Gaussian equivalent: K ← gain·K, D ← D + tail/K.
///
/// `gain` = μ₁²/(input variance), `tail` = μ*² the spectral mass of the nonlinear part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activation {
    gain: f64,
    tail: f64,
}

impl Activation {
    /// `gain` > 0, `tail` ≥ 0.
    pub fn new(gain: f64, tail: f64) -> Result<Self> {
        if !(gain > 0.0 && gain.is_finite()) {
            return Err(Error::OutOfRange {
                name: "gain",
                value: gain,
                remedy: "the linear part must not vanish",
            });
        }
        if !(tail >= 0.0 && tail.is_finite()) {
            return Err(Error::OutOfRange { name: "tail", value: tail, remedy: "must be ≥ 0" });
        }
        Ok(Self { gain, tail })
    }
}

impl<T: Scalar> Stage<T> for Activation {
    fn apply(&self, seen: Seen<T>, _: &mut Memory<T>) -> Result<Seen<T>> {
        let mut out = seen.times(Tri::constant(self.gain));
        if self.tail > 0.0 {
            out.dof = out.dof + out.ridge().recip().scale(self.tail);
        }
        Ok(out)
    }
    fn capacity(&self) -> f64 {
        f64::INFINITY
    }
}

/// `n` samples with correlation matrix 𝐊 between rows (Tr 𝐊 = n): λ = K·φ(D), φ = κ̃D/n, with κ̃
/// the root of Σ k/(k+κ̃) = D over the eigenvalues of 𝐊.
#[derive(Clone, Debug, PartialEq)]
pub struct CorrelatedSamples {
    rows: f64,
    kernel: Nodes,
    rank: f64,
}

impl CorrelatedSamples {
    /// `eigenvalues` of 𝐊, one for each row; at least one positive.
    pub fn new(eigenvalues: &[f64]) -> Result<Self> {
        Self::with_multiplicities(eigenvalues, &vec![1.0; eigenvalues.len()])
    }

    /// Eigenvalues of 𝐊 with how often each occurs; n is the sum of the multiplicities.
    pub fn with_multiplicities(eigenvalues: &[f64], multiplicities: &[f64]) -> Result<Self> {
        let name = "sample_correlation";
        if let Some((index, value)) =
            eigenvalues.iter().enumerate().find(|(_, k)| !(**k >= 0.0 && k.is_finite()))
        {
            return Err(Error::BadEntry {
                name,
                index,
                value: *value,
                remedy: "eigenvalues must be finite and ≥ 0",
            });
        }
        let kernel = Nodes::new(eigenvalues, multiplicities);
        if kernel.s.is_empty() {
            return Err(Error::NoVariance { name });
        }
        let rank = kernel.mass();
        Ok(Self { rows: rank + kernel.zero, rank, kernel })
    }

    /// The positive eigenvalues of 𝐊 with multiplicities.
    pub fn kernel(&self) -> &Nodes {
        &self.kernel
    }

    /// κ̃ at D, with `room` = rank 𝐊 − D.
    fn inner<T: Scalar>(&self, dof: T, room: T, guess: Option<T>) -> Result<T> {
        if room.norm() == 0.0 {
            return Ok(T::from(0.0));
        }
        if dof.im() == 0.0 && dof.re() > 0.0 && dof.re() <= self.rank && guess.is_none() {
            return self.kernel.kappa_at(dof.re(), room.re()).map(T::from);
        }
        // Newton from the remembered branch, or from the expansion Σ k/(k+κ̃) ≈ Tr/(κ̃ + ⟨k⟩).
        let trace = self.kernel.sum(|k| k);
        let centre = self.kernel.sum(|k| k * k) / trace;
        let mut x = guess.unwrap_or_else(|| T::from(trace) / dof - centre);
        let mut before = f64::INFINITY;
        for _ in 0..100 {
            let (mut value, mut slope) = (T::from(0.0), T::from(0.0));
            for (k, w) in self.kernel.s.iter().zip(&self.kernel.w) {
                let inverse = (x + *k).recip();
                let term = inverse * (k * w);
                value = value + term;
                slope = slope + term * inverse;
            }
            // In 1/value the function is nearly linear far from the spectrum.
            let step = (value - dof) * value / (dof * slope);
            x = x + step;
            let change = step.norm() / x.norm();
            if change < 4.0 * f64::EPSILON || (change < 1e-11 && change >= before) {
                return Ok(x);
            }
            before = change;
        }
        Err(Error::NotConverged {
            what: "the inner root of correlated samples",
            iterations: 100,
            residual: before,
            at: format!("D = {dof:?}"),
        })
    }
}

impl<T: Scalar> Stage<T> for CorrelatedSamples {
    fn apply(&self, seen: Seen<T>, memory: &mut Memory<T>) -> Result<Seen<T>> {
        let room = seen.room(self.rank);
        let a = self.inner(seen.dof.a, room.a, memory.a)?;
        let b =
            if seen.dof.a == seen.dof.b { a } else { self.inner(seen.dof.b, room.b, memory.b)? };
        let o = self.inner(seen.dof.o, room.o, None)?;
        if a.im() != 0.0 || b.im() != 0.0 {
            *memory = Memory { a: Some(a), b: Some(b) };
        }
        // D[κ̃, κ̃'] = −Σ k/((k+κ̃)(k+κ̃')) and (κ̃D)[κ̃, κ̃'] = Σ k²/((k+κ̃)(k+κ̃')): the divided
        // difference of φ in κ is their quotient times D[κ, κ'], a product of positive terms.
        let difference = |x: T, y: T, dof: T| {
            let (mut first, mut second) = (T::from(0.0), T::from(0.0));
            for (k, w) in self.kernel.s.iter().zip(&self.kernel.w) {
                let term = ((x + *k) * (y + *k)).recip() * (k * w);
                first = first + term;
                second = second + term * *k;
            }
            -(second / first) * dof / self.rows
        };
        let ab = difference(a, b, seen.dof.ab);
        let ao = difference(a, o, seen.dof.ao);
        let bo = if a == b { ao } else { difference(b, o, seen.dof.bo) };
        let phi = |x: T, dof: T| x * dof / self.rows;
        Ok(seen.times(Tri {
            a: phi(a, seen.dof.a),
            b: phi(b, seen.dof.b),
            o: phi(o, seen.dof.o),
            ab,
            ao,
            bo,
        }))
    }
    fn capacity(&self) -> f64 {
        self.rank
    }
}
