//! The solution of the Dyson equation on the physical branch.
//!
//! Every candidate must pass a **certificate**. At a Hermitised shift iη the small positive part R of
//! the resolvent obeys R = G*(η + S(R))G with S(R) = E[Q R Q*]; it has a positive solution exactly
//! when the spectral radius ρ of K: R ↦ G* S(R) G is below 1, and that solution is unique. So ρ < 1
//! means that G continues the physical solution and that L is boundedly invertible in the limit; a
//! wrong root, or a point inside a spectrum, has ρ ≥ 1. With the certificate, any heuristic is safe:
//!
//! 1. *direct*: averaging u ← ½(u + T(u)) from T(0), then Newton;
//! 2. *epsilon*: the same with ε·1 added to every inverted matrix, then ε → 0;
//! 3. *variance*: variances scaled from 0 to 1.

use crate::engine::{Coefficients, Engine, Green};
use crate::field::Number;
use crate::matrix::Matrix;
use crate::structure::Structure;
use std::fmt;

/// The last rung of the ladder that was needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Path {
    /// Averaging and Newton's method on the equations as they stand.
    Direct,
    /// Continuation in a shift ε of every inverted matrix, to ε = 0.
    Epsilon,
    /// Continuation in the variances, from 0.
    Variance,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Path::Direct => "direct",
            Path::Epsilon => "epsilon",
            Path::Variance => "variance",
        })
    }
}

/// ρ from here on is not below 1.
const RHO_LIMIT: f64 = 1.0 - 1e-12;
/// Largest residual of the full system.
const RESIDUAL_LIMIT: f64 = 1e-8;
/// Relative size of a last Newton step.
const STEP: f64 = 2e-14;
const AVERAGING_STEPS: usize = 25;
const NEWTON_STEPS: usize = 40;

/// A certified solution.
#[derive(Clone, Debug)]
pub(crate) struct Certified<F> {
    pub(crate) unknowns: Vec<F>,
    pub(crate) rho: f64,
    pub(crate) residual: f64,
    pub(crate) path: Path,
    pub(crate) value: F,
    /// Largest change of the value over three further Newton steps.
    pub(crate) error: f64,
}

/// Why no rung of the ladder has a solution.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Misses(Vec<(Path, Miss)>);

impl Misses {
    /// Whether a certified solution failed the full system: the reduction is wrong then.
    pub(crate) fn blame_reduction(&self) -> bool {
        self.0.iter().any(|(_, miss)| matches!(miss, Miss::Residual(_)))
    }
}

impl fmt::Display for Misses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (path, miss)) in self.0.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{path}: {miss}")?;
        }
        Ok(())
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Miss {
    Singular,
    NotSettled,
    Radius(f64),
    Residual(f64),
    PathEnded(f64),
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Miss::Singular => f.write_str("a singular system"),
            Miss::NotSettled => f.write_str("Newton's method did not settle"),
            Miss::Radius(rho) => write!(f, "rho = {rho:.6}, which is not below 1"),
            Miss::Residual(r) => write!(f, "residual {r:.1e}"),
            Miss::PathEnded(at) => write!(f, "the path ended at {at:.1e}"),
        }
    }
}

pub(crate) struct Solver<'a, F> {
    pub(crate) engine: &'a Engine<'a, F>,
    pub(crate) structure: &'a Structure,
    /// Parts of the certificate, by its structural zeros.
    pub(crate) certificate: &'a [Vec<usize>],
}

impl<F: Number> Solver<'_, F> {
    /// Climbs the ladder.
    pub(crate) fn ladder(&self) -> Result<Certified<F>, Misses> {
        let mut misses = Vec::new();
        let direct = self.direct(F::ZERO).and_then(|u| self.finish(u, Path::Direct));
        match direct {
            Ok(found) => return Ok(found),
            Err(miss) => misses.push((Path::Direct, miss)),
        }
        for direction in F::DIRECTIONS {
            match self.epsilon_path(*direction) {
                Ok(found) => return Ok(found),
                Err(miss) => misses.push((Path::Epsilon, miss)),
            }
        }
        // The self-energy of a rotated matrix is no multiple of a variance.
        if self.structure.rotated.is_empty() {
            match self.variance_path() {
                Ok(found) => return Ok(found),
                Err(miss) => misses.push((Path::Variance, miss)),
            }
        }
        Err(Misses(misses))
    }

    /// Newton's method and the certificate from a guess, say a neighbouring solution.
    pub(crate) fn polish(&self, guess: Vec<F>) -> Result<Certified<F>, Miss> {
        let u = self.newton(guess, F::ZERO, F::ONE)?;
        self.finish(u, Path::Direct)
    }

    /// Derivative of the value and of the unknowns along a change of the coefficients, `None` where
    /// I − J is singular: du = (I − J)⁻¹ ∂T.
    pub(crate) fn slope(&self, u: &[F], change: &Coefficients<F>) -> Option<(F, Vec<F>)> {
        let green = self.engine.green(u, F::ZERO, F::ONE)?;
        let still = vec![F::ZERO; u.len()];
        let (images, _) = self.engine.tangent(&green, u, &still, change)?;
        let du = self.system(&green, F::ONE)?.solve(&images)?;
        let (_, value) = self.engine.tangent(&green, u, &du, change)?;
        Some((value, du))
    }

    fn direct(&self, shift: F) -> Result<Vec<F>, Miss> {
        let half = F::from_number(0.5);
        let mut u = self.images(&vec![F::ZERO; self.engine.unknowns()], shift, F::ONE)?;
        for _ in 0..AVERAGING_STEPS {
            let image = self.images(&u, shift, F::ONE)?;
            let mut largest: f64 = 0.0;
            for (x, y) in u.iter_mut().zip(image) {
                let next = half * (*x + y);
                largest = largest.max((next - *x).abs() / next.abs().max(f64::MIN_POSITIVE));
                *x = next;
            }
            if largest < 1e-3 {
                break;
            }
        }
        self.newton(u, shift, F::ONE)
    }

    fn images(&self, u: &[F], shift: F, q: F) -> Result<Vec<F>, Miss> {
        let green = self.engine.green(u, shift, q).ok_or(Miss::Singular)?;
        Ok(self.engine.images(&green, self.engine.representatives()))
    }

    /// I − q·J.
    fn system(&self, green: &Green<F>, q: F) -> Option<Matrix<F>> {
        let jacobian = self.engine.jacobian(green)?;
        Some(Matrix::from_fn(jacobian.rows(), jacobian.columns(), |i, j| {
            let unit = if i == j { F::ONE } else { F::ZERO };
            unit - q * jacobian.at(i, j)
        }))
    }

    /// One Newton step from u: the step and G at u.
    fn newton_step(&self, u: &[F], shift: F, q: F) -> Result<(Vec<F>, Green<F>), Miss> {
        let green = self.engine.green(u, shift, q).ok_or(Miss::Singular)?;
        let images = self.engine.images(&green, self.engine.representatives());
        let right: Vec<F> = images.iter().zip(u).map(|(t, u)| *t - *u).collect();
        let system = self.system(&green, q).ok_or(Miss::Singular)?;
        let step = system.solve(&right).ok_or(Miss::Singular)?;
        Ok((step, green))
    }

    fn newton(&self, mut u: Vec<F>, shift: F, q: F) -> Result<Vec<F>, Miss> {
        if u.is_empty() {
            return Ok(u);
        }
        for _ in 0..NEWTON_STEPS {
            let (step, green) = self.newton_step(&u, shift, q)?;
            let before = u.clone();
            u.iter_mut().zip(&step).for_each(|(u, d)| *u += *d);
            if !u.iter().all(|x| x.is_finite()) {
                return Err(Miss::NotSettled);
            }
            let settled = |k: usize| step[k].abs() <= STEP * u[k].abs();
            if (0..u.len()).all(settled) {
                return Ok(u);
            }
            // An unknown that is a cancellation residue never makes a small relative step: its
            // steps end at the rounding of the terms that cancel.
            let scale = u.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            if step.iter().all(|d| d.abs() <= 1e-9 * scale) {
                let floor = self.floor(&green, &before, shift, q);
                if (0..u.len()).all(|k| settled(k) || step[k].abs() <= floor[k]) {
                    return Ok(u);
                }
            }
        }
        Err(Miss::NotSettled)
    }

    /// Rounding error of each unknown, 8·|(I−J)⁻¹|·(rounding of T + 2⁻⁵² Σ|J||u|); zero where I − J
    /// is singular.
    fn floor(&self, green: &Green<F>, u: &[F], shift: F, q: F) -> Vec<f64> {
        let n = u.len();
        let system = self.system(green, q);
        let Some((system, inverse)) = system.and_then(|s| F::invert(&s).map(|i| (s, i))) else {
            return vec![0.0; n];
        };
        let mut rounding = self.engine.rounding(green, shift);
        for (k, r) in rounding.iter_mut().enumerate() {
            for (m, x) in u.iter().enumerate() {
                let unit = if k == m { F::ONE } else { F::ZERO };
                *r += f64::EPSILON * (unit - system.at(k, m)).abs() * x.abs();
            }
        }
        let row = |k: usize| {
            rounding.iter().enumerate().map(|(m, r)| inverse.at(k, m).abs() * r).sum::<f64>()
        };
        (0..n).map(|k| 8.0 * row(k)).collect()
    }

    /// ρ(K) at G.
    fn radius(&self, green: &Green<F>) -> f64 {
        let Some(k) = self.engine.certificate_matrix(green) else { return f64::INFINITY };
        let mut radius = 0.0;
        for part in self.certificate {
            let block = Matrix::from_fn(part.len(), part.len(), |i, j| k.at(part[i], part[j]));
            let r = F::spectral_radius(&block).unwrap_or(f64::INFINITY);
            radius = if r.is_nan() { f64::INFINITY } else { f64::max(radius, r) };
        }
        radius
    }

    fn certify(&self, u: &[F], shift: F, q: F) -> Result<f64, Miss> {
        let green = self.engine.green(u, shift, q).ok_or(Miss::Singular)?;
        // K is quadratic in the entries of L, so variances times q are K times q.
        let radius = self.radius(&green) * q.abs();
        if radius < RHO_LIMIT { Ok(radius) } else { Err(Miss::Radius(radius)) }
    }

    /// Certificate, residual of all pairs, value and its error.
    fn finish(&self, unknowns: Vec<F>, path: Path) -> Result<Certified<F>, Miss> {
        let rho = self.certify(&unknowns, F::ZERO, F::ONE)?;
        let green = self.engine.green(&unknowns, F::ZERO, F::ONE).ok_or(Miss::Singular)?;
        let residual = self.residual(&green, &unknowns);
        if residual.is_nan() || residual > RESIDUAL_LIMIT {
            return Err(Miss::Residual(residual));
        }
        let value = self.engine.value(&green);
        if !value.is_finite() {
            return Err(Miss::Singular);
        }
        let mut error: f64 = 0.0;
        let mut u = unknowns.clone();
        for _ in 0..3 {
            let Ok((step, _)) = self.newton_step(&u, F::ZERO, F::ONE) else { break };
            u.iter_mut().zip(&step).for_each(|(u, d)| *u += *d);
            let Some(green) = self.engine.green(&u, F::ZERO, F::ONE) else { break };
            error = error.max((self.engine.value(&green) - value).abs());
        }
        Ok(Certified { unknowns, rho, residual, path, value, error })
    }

    /// Largest relative residual over all pairs, merged and vanishing ones included; differences
    /// within rounding count as zero.
    fn residual(&self, green: &Green<F>, u: &[F]) -> f64 {
        let all: Vec<usize> = (0..self.structure.pairs.len()).collect();
        let images = self.engine.images(green, &all);
        let scale = u.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let mut floor: Option<Vec<f64>> = None;
        let mut worst: f64 = 0.0;
        for (pair, image) in images.iter().enumerate() {
            let relative = match self.engine.class(pair) {
                None if scale > 0.0 => image.abs() / scale,
                None => image.abs(),
                Some(class) => {
                    let difference = (*image - u[class]).abs();
                    let size = image.abs().max(u[class].abs());
                    let relative = if difference == 0.0 { 0.0 } else { difference / size };
                    if relative > 1e-12 {
                        let floor =
                            floor.get_or_insert_with(|| self.floor(green, u, F::ZERO, F::ONE));
                        if difference <= floor[class] { 0.0 } else { relative }
                    } else {
                        relative
                    }
                }
            };
            worst = if relative.is_nan() { f64::NAN } else { worst.max(relative) };
        }
        worst
    }

    fn epsilon_path(&self, direction: F) -> Result<Certified<F>, Miss> {
        let shift = |epsilon: f64| direction * F::from_number(epsilon);
        let certified =
            |u: Vec<F>, epsilon: f64| self.certify(&u, shift(epsilon), F::ONE).map(|_| u);
        let mut epsilon = 1.0;
        let start = loop {
            match self.direct(shift(epsilon)).and_then(|u| certified(u, epsilon)) {
                Ok(u) => break u,
                Err(miss) if epsilon > 1e11 => return Err(miss),
                Err(_) => epsilon *= 10.0,
            }
        };
        let (mut before, mut now) = (None, (epsilon, start));
        let mut factor: f64 = 0.1;
        let mut step = 0;
        loop {
            step += 1;
            if step % 2 == 0 {
                let home = self.newton(now.1.clone(), F::ZERO, F::ONE);
                if let Ok(found) = home.and_then(|u| self.finish(u, Path::Epsilon)) {
                    return Ok(found);
                }
            }
            let next = now.0 * factor;
            let guess = predict(before.as_ref(), &now, next);
            let moved = self.newton(guess, shift(next), F::ONE).and_then(|u| certified(u, next));
            match moved {
                Ok(u) => {
                    before = Some(std::mem::replace(&mut now, (next, u)));
                    factor = (factor * factor).max(0.1);
                }
                Err(_) => factor = factor.sqrt(),
            }
            if now.0 < 1e-18 || factor > 0.9 {
                return Err(Miss::PathEnded(now.0));
            }
        }
    }

    fn variance_path(&self) -> Result<Certified<F>, Miss> {
        let number = F::from_number;
        let zero = vec![F::ZERO; self.engine.unknowns()];
        let mut u = self.images(&zero, F::ZERO, F::ZERO)?;
        let (mut q, mut h) = (0.0, 0.1);
        while q < 1.0 {
            let next: f64 = f64::min(q + h, 1.0);
            let guess = self.variance_tangent(&u, q).map(|slope| {
                let move_by = number(next - q);
                u.iter().zip(&slope).map(|(u, s)| *u + move_by * *s).collect::<Vec<F>>()
            });
            let moved = guess
                .and_then(|guess| self.newton(guess, F::ZERO, number(next)))
                .and_then(|u| self.certify(&u, F::ZERO, number(next)).map(|_| u));
            match moved {
                Ok(found) => {
                    u = found;
                    q = next;
                    h *= 1.5;
                }
                Err(_) => h *= 0.5,
            }
            if h < 1e-5 {
                return Err(Miss::PathEnded(q));
            }
        }
        self.finish(u, Path::Variance)
    }

    /// du/dq = (I − qJ)⁻¹ J u.
    fn variance_tangent(&self, u: &[F], q: f64) -> Result<Vec<F>, Miss> {
        let q = F::from_number(q);
        let green = self.engine.green(u, F::ZERO, q).ok_or(Miss::Singular)?;
        let jacobian = self.engine.jacobian(&green).ok_or(Miss::Singular)?;
        let right: Vec<F> = (0..u.len())
            .map(|k| jacobian.row(k).iter().zip(u).fold(F::ZERO, |s, (j, u)| s + *j * *u))
            .collect();
        let system = self.system(&green, q).ok_or(Miss::Singular)?;
        system.solve(&right).ok_or(Miss::Singular)
    }
}

/// Log–log secant prediction of the unknowns at a new ε.
fn predict<F: Number>(before: Option<&(f64, Vec<F>)>, now: &(f64, Vec<F>), next: f64) -> Vec<F> {
    let Some((epsilon, old)) = before else { return now.1.clone() };
    let exponent = F::from_number((next / now.0).ln() / (now.0 / epsilon).ln());
    let one = |(u, old): (&F, &F)| {
        let guess = *u * (*u / *old).power(exponent, 0);
        if guess.is_finite() { guess } else { *u }
    };
    now.1.iter().zip(old).map(one).collect()
}
