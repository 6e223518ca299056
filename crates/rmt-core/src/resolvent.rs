//! The equivalent at complex ridges λ = −z: resolvents, Stieltjes transforms, densities.

use crate::equivalent::DeterministicEquivalent;
use crate::solution::{Diagnostics, Solution};
use crate::spectrum::{Resolution, Spectrum, Weight};
use crate::stage::{Memory, Seen};
use crate::{Error, Result};
use num_complex::Complex64;

/// Imaginary part, relative to |z|, from which the real axis is approached.
const NEAR_AXIS: f64 = 1e-10;

struct Point {
    x: Complex64,
    seen: Vec<Seen<Complex64>>,
    memory: Vec<Memory<Complex64>>,
    iterations: usize,
    residual: f64,
}

impl<S: Spectrum> DeterministicEquivalent<S> {
    /// The solution at complex λ off the real axis, the one whose κ, inner roots and sample factor
    /// lie in the half plane of λ (it is unique). `near`: a solution at a close λ to start from.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for real λ ≤ 0 (use [`Self::boundary`] on the real axis).
    pub fn solve_complex(
        &self,
        lambda: Complex64,
        near: Option<&Solution<Complex64>>,
    ) -> Result<Solution<Complex64>> {
        if !(lambda.re.is_finite() && lambda.im.is_finite()) {
            return Err(Error::OutOfRange {
                name: "resolvent_at",
                value: lambda.re,
                remedy: "give finite numbers",
            });
        }
        if lambda.im == 0.0 {
            if lambda.re <= 0.0 {
                return Err(Error::OutOfRange {
                    name: "resolvent_at",
                    value: -lambda.re,
                    remedy: "on the positive real axis give an imaginary part, or ask for the density",
                });
            }
            let x = Complex64::from(self.solve(lambda.re)?.seen[0].shift_a);
            let mut memory = Vec::new();
            let seen = self.run_complex(x, &mut memory)?;
            return Ok(Solution { lambda, seen, memory, diagnostics: Diagnostics::default() });
        }
        let warm = near.and_then(|s| {
            let x = s.seen[0].shift_a;
            let slope = s.seen[s.seen.len() - 1].ridge().ab;
            self.newton(lambda, x + (lambda - s.lambda) / slope, &s.memory)
        });
        match warm.filter(|p| admissible(p, lambda.im.signum(), 0.0)) {
            Some(point) => Ok(finish(lambda, point)),
            None => self.descend(lambda).map(|point| finish(lambda, point)),
        }
    }

    /// The solution at λ = 0 as a complex one, to pair with others.
    pub(crate) fn solution_at_zero(&self) -> Result<Solution<Complex64>> {
        let mut memory = Vec::new();
        let zero = Complex64::from(0.0);
        let seen = self.run_complex(zero, &mut memory)?;
        Ok(Solution { lambda: zero, seen, memory, diagnostics: Diagnostics::default() })
    }

    /// The limit of the solution at λ = −x − i0: z = x + i0 approaches the real axis from above.
    /// Inside the support κ keeps a negative imaginary part, outside it is real.
    pub fn boundary(
        &self,
        x: f64,
        near: Option<&Solution<Complex64>>,
    ) -> Result<Solution<Complex64>> {
        if !(x > 0.0 && x.is_finite()) {
            return Err(Error::OutOfRange {
                name: "density_at",
                value: x,
                remedy: "give points x > 0",
            });
        }
        let lambda = Complex64::new(-x, 0.0);
        if let Some(s) = near {
            let slope = s.seen[s.seen.len() - 1].ridge().ab;
            let start = s.seen[0].shift_a + (lambda - s.lambda) / slope;
            // Strictly inside the half plane the root is unique: no need to come from far away.
            if let Some(point) =
                self.newton(lambda, start, &s.memory).filter(|p| admissible(p, -1.0, 1e-7))
            {
                return Ok(finish(lambda, point));
            }
        }
        let above = Complex64::new(-x, -NEAR_AXIS * x);
        let point = self.descend(above)?;
        let polished = self.newton(lambda, point.x, &point.memory).filter(|p| {
            let close = (p.x - point.x).norm() <= 1e-3 * point.x.norm();
            close && p.seen[0].kappa.a.im <= 1e-9 * p.seen[0].kappa.a.norm()
        });
        Ok(finish(lambda, polished.unwrap_or(point)))
    }

    /// Newton at fixed λ; `None` if it does not settle.
    fn newton(
        &self,
        lambda: Complex64,
        start: Complex64,
        memory: &[Memory<Complex64>],
    ) -> Option<Point> {
        let mut x = start;
        let mut memory = memory.to_vec();
        let mut before = f64::INFINITY;
        for iterations in 1..=60 {
            let seen = self.run_complex(x, &mut memory).ok()?;
            let ridge = seen[seen.len() - 1].ridge();
            let gap = ridge.a - lambda;
            let step = gap / ridge.ab;
            let change = step.norm() / x.norm();
            if !change.is_finite() {
                return None;
            }
            if change <= 4.0 * f64::EPSILON || (change < 1e-11 && change >= before) {
                return Some(Point {
                    x,
                    seen,
                    memory,
                    iterations,
                    residual: gap.norm() / lambda.norm(),
                });
            }
            before = change;
            x -= step;
        }
        None
    }

    /// Continuation from far up the imaginary direction, where κ ≈ λ/gain, down to λ.
    fn descend(&self, lambda: Complex64) -> Result<Point> {
        let sign = lambda.im.signum();
        let far = 10.0 * (lambda.norm() + self.trace() + self.kappa_at_zero());
        let mut height = far;
        let start = Complex64::new(lambda.re, sign * height);
        let mut memory = Vec::new();
        let big = Complex64::new(0.0, sign * far * 1e6);
        let gain =
            self.run_complex(big, &mut memory)?.last().map_or(Complex64::from(1.0), |s| s.ratio.a);
        let mut point = self
            .newton(start, start / gain - self.kappa_at_zero(), &[])
            .filter(|p| admissible(p, sign, 0.0))
            .ok_or_else(|| lost(lambda, height))?;
        let mut factor = 0.25_f64;
        while height > lambda.im.abs() {
            let next = (height * factor).max(lambda.im.abs());
            let target = Complex64::new(lambda.re, sign * next);
            let slope = point.seen[point.seen.len() - 1].ridge().ab;
            let here = Complex64::new(lambda.re, sign * height);
            let predicted = point.x + (target - here) / slope;
            // The tangent may leave the half plane near an edge; the point itself never does.
            let found = [predicted, point.x].into_iter().find_map(|x| {
                self.newton(target, x, &point.memory).filter(|p| admissible(p, sign, 0.0))
            });
            match found {
                Some(next_point) => {
                    point = next_point;
                    height = next;
                    factor = (factor * factor).max(0.1);
                }
                None if factor < 0.999 => factor = factor.sqrt(),
                None => return Err(lost(lambda, height)),
            }
        }
        Ok(point)
    }

    /// Stieltjes transform m(z) = (1/p)Tr(Σ̂ − z)⁻¹ of the operator whose ridge this is, at z = −λ.
    pub fn stieltjes(&self, solution: &Solution<Complex64>) -> Complex64 {
        let nodes = self.spectrum().nodes(Weight::Count, Resolution::Full);
        let kappa = solution.kappa();
        let shrunk = nodes.sum(|s| kappa / (kappa + s));
        (shrunk + nodes.zero) / (solution.lambda * self.spectrum().dimension())
    }

    /// Density of the non-zero spectrum of Σ̂ (per dimension, without the mass at zero) at points
    /// x > 0 on the real axis itself; ascending points are fastest.
    pub fn density(&self, points: &[f64]) -> Result<Vec<f64>> {
        let mut near: Option<Solution<Complex64>> = None;
        points
            .iter()
            .map(|&x| {
                let solution = self.boundary(x, near.as_ref())?;
                let density = self.stieltjes(&solution).im / std::f64::consts::PI;
                let inside = solution.kappa().im < -1e-9 * solution.kappa().norm();
                near = inside.then_some(solution);
                Ok(if inside { density.max(0.0) } else { 0.0 })
            })
            .collect()
    }
}

/// κ, the inner roots and the sample factor lie on the side `sign` of the real axis, by more than
/// `margin` of their size.
fn admissible(point: &Point, sign: f64, margin: f64) -> bool {
    let inside = |v: Complex64| v.im * sign > margin * v.norm();
    let last = &point.seen[point.seen.len() - 1];
    inside(point.seen[0].kappa.a)
        && (point.seen.len() == 1 || inside(last.step.a))
        && point.memory.iter().filter_map(|m| m.a).all(inside)
}

fn finish(lambda: Complex64, point: Point) -> Solution<Complex64> {
    let diagnostics =
        Diagnostics { iterations: point.iterations, residual: point.residual, compression: 0.0 };
    Solution { lambda, seen: point.seen, memory: point.memory, diagnostics }
}

fn lost(lambda: Complex64, height: f64) -> Error {
    Error::NotConverged {
        what: "the continuation towards the real axis",
        iterations: 0,
        residual: height,
        at: format!("z = {}", -lambda),
    }
}
