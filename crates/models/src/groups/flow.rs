//! Gradient flow η̇ = −∇[½ loss] from η = 0, without a ridge, stopped at time t.
//!
//! ŵ(t) is the inverse Laplace transform in λ of ŵ_ridge(λ)/λ. With nodes z_j and weights ω_j of an
//! inversion rule f(t) ≈ Σ_j ω_j F(z_j), the risk is a double sum of two-point functions,
//!
//! ```text
//! R_t = Σ_jk ω_j ω_k/(z_j z_k) R_t(z_j, z_k)
//! ```
//!
//! where R_t(λ, λ') is the risk formula with G at both ridges and e², μ² replaced by e e', μ μ'.
//! The fixed point at complex λ is followed along the contour from the nearest real ridge.

use super::mixture::Mixture;
use super::populations::Point;
use super::traces::{Field, Traces};
use crate::{Error, Result};
use num_complex::Complex64;
use rmt_core::Scalar;

/// Nodes a half plane of the fixed Talbot rule (Abate, Valkó, Int. J. Numer. Meth. Engng 60, 979,
/// 2004). Twelve give 4e-9 of the risk, sixteen 2e-11, twenty 1e-12; rounding grows as e^{2M/5}.
const NODES: usize = 20;
const STEPS: usize = 60;

/// One node of the contour with the fixed point there.
struct Node {
    /// ω/z.
    weight: Complex64,
    e: Vec<Complex64>,
    mu: Complex64,
    point: Point<Complex64>,
}

impl Mixture<'_> {
    /// Excess risk of every group after gradient flow of duration `time` on the half mean loss.
    ///
    /// # Errors
    /// Times that are not positive and finite.
    pub fn flow_risks(&self, time: f64) -> Result<Vec<f64>> {
        if !(time > 0.0 && time.is_finite()) {
            return Err(Error::OutOfRange {
                key: "time",
                value: time,
                remedy: "give a positive time; at 0 the estimate is zero",
            });
        }
        let nodes = self.contour(time * self.scale)?;
        let groups = self.samples.len();
        let mut risk = vec![0.0; groups];
        // Nodes come as conjugate pairs, and R(z', z) = R(z, z'): of each orbit of four one pair is
        // evaluated with z in the upper half plane.
        for (j, first) in nodes.iter().enumerate() {
            for (k, second) in nodes.iter().enumerate().take(j + 1) {
                let twice = if j == k { 1.0 } else { 2.0 };
                let conjugate = Node {
                    weight: second.weight.conj(),
                    e: second.e.iter().map(|e| e.conj()).collect(),
                    mu: second.mu.conj(),
                    point: second.point.conjugate(),
                };
                for other in [second, &conjugate] {
                    let weight = first.weight * other.weight;
                    for (risk, part) in risk.iter_mut().zip(self.two_point(first, other)) {
                        *risk += 2.0 * twice * (weight * part).re;
                    }
                }
            }
        }
        Ok(risk)
    }

    /// The upper half of the contour, with the fixed point followed along it.
    fn contour(&self, time: f64) -> Result<Vec<Node>> {
        let m = NODES as f64;
        let radius = 2.0 * m / (5.0 * time);
        let real = self.solve(radius * self.scale)?;
        let mut e: Vec<Complex64> = real.e.iter().map(|e| Complex64::from(*e)).collect();
        let mut mu = Complex64::from(real.mu);
        let mut nodes = Vec::with_capacity(NODES);
        for k in 0..NODES {
            // Midpoints of the angle keep the real axis out: every node has a conjugate partner.
            let angle = (k as f64 + 0.5) * std::f64::consts::PI / m;
            let cot = 1.0 / angle.tan();
            let z = Complex64::new(radius * angle * cot, radius * angle);
            // dz/dθ / (2πi) · Δθ e^{zt}.
            let slope = Complex64::new(cot - angle * (1.0 + cot * cot), 1.0) * radius;
            let omega = (z * time).exp() * slope / Complex64::new(0.0, 2.0 * m);
            self.newton_complex(z, &mut e, &mut mu)?;
            let loads: Vec<Complex64> =
                e.iter().enumerate().map(|(s, e)| *e * self.share(s)).collect();
            let point = self.geometry.point(&loads, mu)?;
            nodes.push(Node { weight: omega / z, e: e.clone(), mu, point });
        }
        Ok(nodes)
    }

    /// Newton's method at complex λ from the solution at a neighbouring one.
    fn newton_complex(
        &self,
        lambda: Complex64,
        e: &mut [Complex64],
        mu: &mut Complex64,
    ) -> Result<()> {
        let k = self.active.len();
        let size = k + 1;
        if self.width.is_none() {
            *mu = lambda;
        }
        let mut before = f64::INFINITY;
        for _ in 0..STEPS {
            let loads: Vec<Complex64> =
                e.iter().enumerate().map(|(s, e)| *e * self.share(s)).collect();
            let is_active = |s: usize| self.active.contains(&s);
            let traces = self.geometry.traces(&loads, *mu, is_active)?;
            let inverse: Vec<Complex64> = (self.active.iter())
                .map(|&s| (traces.first[s] * self.pull(s) + 1.0).recip())
                .collect();
            let (mut matrix, df1) =
                self.jacobian(&traces, &traces, &inverse, &inverse, *mu, *mu, &loads, &loads);
            for (i, entry) in matrix.iter_mut().enumerate() {
                *entry = if i % (size + 1) == 0 { 1.0 - *entry } else { -*entry };
            }
            let mut gap: Vec<Complex64> =
                self.active.iter().zip(&inverse).map(|(s, f)| e[*s] - f).collect();
            gap.push(self.width.map_or(Complex64::from(0.0), |m| *mu - lambda - *mu * df1 / m));
            let step = linear_solve(matrix, gap).ok_or(Error::NotConverged {
                what: "the fixed point of the groups at complex λ",
                iterations: STEPS,
                residual: before,
                lambda: lambda.norm() * self.scale,
            })?;
            let mut largest = 0.0_f64;
            for (i, s) in self.active.iter().enumerate() {
                largest = largest.max((step[i] / e[*s]).norm());
                e[*s] -= step[i];
            }
            if self.width.is_some() {
                largest = largest.max((step[k] / *mu).norm());
                *mu -= step[k];
            }
            if largest < 1e-14 || (largest < 1e-10 && largest >= before) {
                return Ok(());
            }
            before = largest;
        }
        Err(Error::NotConverged {
            what: "the fixed point of the groups at complex λ",
            iterations: STEPS,
            residual: before,
            lambda: lambda.norm() * self.scale,
        })
    }

    /// J(z, z') over the active groups and μ, and Tr A G at the first point.
    fn jacobian<T: Field>(
        &self,
        traces: &Traces<T>,
        first: &Traces<T>,
        e: &[T],
        e_other: &[T],
        mu: T,
        mu_other: T,
        loads: &[T],
        loads_other: &[T],
    ) -> (Vec<T>, T) {
        let k = self.active.len();
        let size = k + 1;
        let zero = T::from(0.0);
        let mut matrix = vec![zero; size * size];
        for (i, &s) in self.active.iter().enumerate() {
            let pull = e[i] * e_other[i] * self.pull(s);
            for (j, &r) in self.active.iter().enumerate() {
                matrix[i * size + j] = pull * self.share(r) * traces.second(s, r);
            }
            matrix[i * size + k] = pull * traces.mixed[s];
        }
        let mut df1 = zero;
        for &s in &self.active {
            df1 += loads[s] * first.first[s];
        }
        if let Some(m) = self.width {
            for (j, &r) in self.active.iter().enumerate() {
                matrix[k * size + j] = mu * mu_other * (self.share(r) / m) * traces.mixed[r];
            }
            let mut corner = zero;
            for &s in &self.active {
                for &r in &self.active {
                    corner += loads[s] * loads_other[r] * traces.second(s, r);
                }
            }
            matrix[size * size - 1] = corner / m;
        }
        (matrix, df1)
    }

    /// The risk formula between two ridges.
    fn two_point(&self, first: &Node, second: &Node) -> Vec<Complex64> {
        let k = self.active.len();
        let size = k + 1;
        let groups = self.samples.len();
        let (traces, moments) = self.geometry.pair(&first.point, Some(&second.point));
        let loads = |node: &Node| -> Vec<Complex64> {
            node.e.iter().enumerate().map(|(s, e)| *e * self.share(s)).collect()
        };
        let active =
            |node: &Node| -> Vec<Complex64> { self.active.iter().map(|s| node.e[*s]).collect() };
        let (e, e_other) = (active(first), active(second));
        let (matrix, _) = self.jacobian(
            &traces,
            &traces,
            &e,
            &e_other,
            first.mu,
            second.mu,
            &loads(first),
            &loads(second),
        );
        // (I − Jᵀ) g = t.
        let one = Complex64::from(1.0);
        let transposed: Vec<Complex64> = (0..size * size)
            .map(|i| {
                let (row, column) = (i / size, i % size);
                let entry = -matrix[column * size + row];
                if row == column { one + entry } else { entry }
            })
            .collect();
        let offset = |t: usize| -> Complex64 { moments.iter().map(|m| m.offset[t]).sum() };
        let mut load: Vec<Complex64> = (self.active.iter())
            .map(|&r| (offset(r) + self.samples[r].noise_variance) * self.share(r))
            .collect();
        load.push(moments.iter().map(|m| m.norm).sum());
        let adjoint = linear_solve(transposed, load).unwrap_or_else(|| vec![one * f64::NAN; size]);
        (0..groups)
            .map(|t| {
                let mut risk = offset(t);
                for (i, &s) in self.active.iter().enumerate() {
                    risk += adjoint[i] * e[i] * e_other[i] * self.pull(s) * traces.second(s, t);
                }
                if let Some(m) = self.width {
                    risk += adjoint[k] * first.mu * second.mu * traces.mixed[t] / m;
                }
                risk
            })
            .collect()
    }
}

/// Gaussian elimination with row pivoting; `None` for a singular matrix.
fn linear_solve(mut a: Vec<Complex64>, mut b: Vec<Complex64>) -> Option<Vec<Complex64>> {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[i * n + k].norm().total_cmp(&a[j * n + k].norm()))?;
        if a[pivot * n + k].norm() == 0.0 {
            return None;
        }
        for j in 0..n {
            a.swap(k * n + j, pivot * n + j);
        }
        b.swap(k, pivot);
        for i in k + 1..n {
            let factor = a[i * n + k] / a[k * n + k];
            for j in k..n {
                let above = a[k * n + j];
                a[i * n + j] -= factor * above;
            }
            let above = b[k];
            b[i] -= factor * above;
        }
    }
    for k in (0..n).rev() {
        for j in k + 1..n {
            let known = b[j];
            b[k] -= a[k * n + j] * known;
        }
        b[k] /= a[k * n + k];
    }
    Some(b)
}
