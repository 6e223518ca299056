//! The fixed point by monotone Newton steps.
//!
//! F(e, μ) is positive, increasing, concave and strictly sub-homogeneous. From the upper point
//! e = 1, μ = λ + Tr A(1)/m Newton's method therefore decreases to the solution without damping.
//! Three things keep every digit. The next iterate is (I − J)⁻¹(F − Jx) with F − Jx = (F_e², λ), not
//! a difference from the last one. I − J is an M-matrix with (I − J)x = (e − F_e + F_e², μ − F_μ + λ),
//! so its elimination needs no subtraction. And where two of (samples, features, rank) nearly balance, the sums of residuals that become small,
//!
//! ```text
//! Σ n_s ρ_s = Σ n_s e_s − μ Tr G − (n − r),   m ρ_μ = (m − r) + μ Tr G − m λ/μ,
//! ```
//!
//! are evaluated in this form, r = rank A and ρ = x/F − 1 up to a factor.

use super::mixture::Mixture;
use super::mmatrix::MMatrix;
use super::traces::Traces;
use crate::{Error, Result};

/// How a solve went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Diagnostics {
    /// Newton steps.
    pub iterations: usize,
    /// |Σ n_s (1 − e_s) − Tr A G|/n at the end; 0 for infinitely many samples.
    pub residual: f64,
}

/// The solution (e, μ) at one ridge.
#[derive(Clone, Debug)]
pub struct Equilibrium<'a> {
    pub(super) mixture: &'a Mixture<'a>,
    pub(super) ridgeless: bool,
    /// One entry a group.
    pub(super) e: Vec<f64>,
    /// In units of the scale.
    pub(super) mu: f64,
    /// The ridge that was solved at, in units of the scale.
    pub(super) lambda: f64,
    leverage: Vec<f64>,
    df1: f64,
    diagnostics: Diagnostics,
}

/// The ridge that stands for λ = 0, relative to the smallest variance; smaller ones are refused, their
/// squares underflow. Where samples, features and rank all coincide e ∝ λ^{1/3}: even there 1e-16 is
/// left of it.
const RIDGELESS: f64 = 1e-48;
/// e and μ below this are zero in the ridgeless limit.
const VANISHED: f64 = 1e-13;
const STEPS: usize = 600;
/// Single residuals carry this much rounding: they are sums and differences of numbers up to 1.
const ROUNDING: f64 = 4e-15;

impl<'a> Mixture<'a> {
    /// The fixed point at λ ≥ 0.
    ///
    /// # Errors
    /// Negative or non-finite λ, positive ones below 1e-48 of the smallest variance.
    pub fn solve(&'a self, lambda: f64) -> Result<Equilibrium<'a>> {
        if !(lambda >= 0.0 && lambda.is_finite()) {
            return Err(Error::OutOfRange {
                key: "lambda",
                value: lambda,
                remedy: "give a finite number ≥ 0",
            });
        }
        let ridgeless = lambda == 0.0;
        let least = RIDGELESS * if self.smallest.is_finite() { self.smallest } else { 1.0 };
        if !ridgeless && lambda < least * self.scale {
            return Err(Error::OutOfRange {
                key: "lambda",
                value: lambda,
                remedy: "too small beside these variances to be told from 0; give 0",
            });
        }
        let lambda = if ridgeless { least } else { lambda / self.scale };
        let (x, iterations) = self.newton(lambda)?;
        let (e_active, mu) = x.split_at(self.active.len());
        let mu = mu[0];
        let mut e = vec![1.0; self.samples.len()];
        for (s, value) in self.active.iter().zip(e_active) {
            e[*s] = *value;
        }
        let traces = self.geometry.traces(&self.loads(&e), mu, |_| true)?;
        let leverage: Vec<f64> = (0..self.samples.len())
            .map(|s| {
                let g = self.pull(s) * traces.first[s];
                if g.is_finite() { g / (1.0 + g) } else { 1.0 }
            })
            .collect();
        for s in (0..e.len()).filter(|s| !self.active.contains(s)) {
            e[s] = 1.0 / (1.0 + self.pull(s) * traces.first[s]);
        }
        let df1 = self.df1(&e, &traces);
        let used: f64 = self.active.iter().map(|s| self.samples[*s].n * leverage[*s]).sum();
        let n = self.active_samples();
        let residual = if n.is_finite() { (used - df1).abs() / n } else { 0.0 };
        let diagnostics = Diagnostics { iterations, residual };
        Ok(Equilibrium { mixture: self, ridgeless, e, mu, lambda, leverage, df1, diagnostics })
    }

    /// c_s = a_s P_s e_s; zero for groups that do not act.
    pub(super) fn loads(&self, e: &[f64]) -> Vec<f64> {
        e.iter().enumerate().map(|(s, e)| self.share(s) * e).collect()
    }

    fn df1(&self, e: &[f64], traces: &Traces<f64>) -> f64 {
        self.active.iter().map(|&s| self.share(s) * e[s] * traces.first[s]).sum()
    }

    fn newton(&self, lambda: f64) -> Result<(Vec<f64>, usize)> {
        let k = self.active.len();
        let mut e = vec![1.0; self.samples.len()];
        let mut mu = lambda;
        if let Some(m) = self.width {
            // Tr A(1) from G = 1/μ̃ at a ridge far above every variance.
            let far = 1e30;
            let traces = self.geometry.traces(&vec![0.0; e.len()], far, |_| true)?;
            mu += far * self.df1(&e, &traces) / m;
        }
        let mut before = f64::INFINITY;
        for iteration in 1..=STEPS {
            let is_active = |s: usize| self.active.contains(&s);
            let traces = self.geometry.traces(&self.loads(&e), mu, is_active)?;
            let (force, system) = self.linearised(lambda, &e, mu, &traces);
            let next = system.solve(&force);
            let (mut largest, mut rises) = (0.0_f64, false);
            let mut change = |x: &mut f64, next: f64| {
                largest = largest.max((next / *x - 1.0).abs());
                rises |= next > *x;
                *x = next;
            };
            for (i, s) in self.active.iter().enumerate() {
                change(&mut e[*s], next[i]);
            }
            if self.width.is_some() {
                change(&mut mu, next[k]);
            }
            if !largest.is_finite() {
                before = largest;
                break;
            }
            // Steps only decrease (e, μ); an increase is rounding. Not while some group that
            // converged early waits for the others.
            let settled = largest < 1e-14 || (largest < 1e-7 && (rises || largest >= before));
            if settled {
                let mut x: Vec<f64> = self.active.iter().map(|s| e[*s]).collect();
                x.push(mu);
                return Ok((x, iteration));
            }
            before = largest;
        }
        Err(Error::NotConverged {
            what: "the fixed point of the groups",
            iterations: STEPS,
            residual: before,
            lambda: lambda * self.scale,
        })
    }

    /// F(x) − J(x)x = (F², λ) and I − J(x) at x = (e of the active groups, μ): the next iterate is
    /// (I − J)⁻¹(F − Jx).
    fn linearised(
        &self,
        lambda: f64,
        e: &[f64],
        mu: f64,
        traces: &Traces<f64>,
    ) -> (Vec<f64>, MMatrix) {
        let k = self.active.len();
        let n = self.active_samples();
        let df1 = self.df1(e, traces);
        let resolved = mu * traces.range;
        // ρ_s = e_s/F_s − 1 and ρ_μ = 1 − Tr AG/m − λ/μ = (μ − F_μ)/μ.
        let g: Vec<f64> = self.active.iter().map(|&s| self.pull(s) * traces.first[s]).collect();
        let mut rho: Vec<f64> =
            self.active.iter().zip(&g).map(|(&s, g)| e[s] * g - (1.0 - e[s])).collect();
        let sum: f64 = self.active.iter().zip(&rho).map(|(&s, r)| self.samples[s].n * r).sum();
        let weighted: f64 = self.active.iter().map(|&s| self.samples[s].n * e[s]).sum();
        let m = self.width.unwrap_or(f64::INFINITY);
        let mut rho_mu = self.width.map_or(0.0, |m| 1.0 - df1 / m - lambda / mu);
        if self.width.is_some() && self.rank <= n.min(m) {
            rho_mu = ((m - self.rank) + resolved) / m - lambda / mu;
        }
        // The sum of residuals that may be small next to its terms, and the weight it is taken with.
        let balanced = if n.is_infinite() {
            None
        } else if self.rank <= n.min(m) {
            Some((weighted - resolved - (n - self.rank), sum, n))
        } else if m <= 2.0 * n {
            let exact = weighted - m * (lambda / mu) - (n - m);
            Some((exact, sum + m * rho_mu, n + m))
        } else {
            None
        };
        if let Some((exact, found, weight)) = balanced {
            let with_mu = self.rank > n.min(m);
            // Once the single residuals are rounding, only their sum means something.
            let noise = rho
                .iter()
                .chain(with_mu.then_some(&rho_mu))
                .all(|r| (r - found / weight).abs() < ROUNDING);
            let moved = |r: f64| if noise { exact / weight } else { r + (exact - found) / weight };
            rho.iter_mut().for_each(|r| *r = moved(*r));
            if with_mu {
                rho_mu = moved(rho_mu);
            }
        }

        let size = k + 1;
        let mut off = vec![0.0; size * size];
        let (mut x, mut v) = (Vec::with_capacity(size), Vec::with_capacity(size));
        let mut force = Vec::with_capacity(size);
        for (i, &s) in self.active.iter().enumerate() {
            let f = 1.0 / (1.0 + g[i]);
            for (j, &r) in self.active.iter().enumerate() {
                off[i * size + j] = f * f * self.pull(s) * self.share(r) * traces.second(s, r);
            }
            off[i * size + k] = f * f * self.pull(s) * traces.mixed[s];
            force.push(f * f);
            x.push(e[s]);
            v.push((f * rho[i] + f * f).max(0.5 * f * f));
        }
        x.push(mu);
        match self.width {
            Some(m) => {
                for (j, &r) in self.active.iter().enumerate() {
                    off[k * size + j] = mu * mu / m * self.share(r) * traces.mixed[r];
                }
                force.push(lambda);
                v.push((mu * rho_mu + lambda).max(0.5 * lambda));
            }
            None => {
                force.push(mu);
                v.push(mu);
            }
        }
        (force, MMatrix::new(off, &x, &v))
    }
}

impl Equilibrium<'_> {
    /// e_s, one a group; 0 where λ = 0 interpolates.
    pub fn e(&self) -> Vec<f64> {
        let limit = |e: &f64| if self.ridgeless && *e < VANISHED { 0.0 } else { *e };
        self.e.iter().map(limit).collect()
    }

    /// μ; 0 where λ = 0 and features suffice.
    pub fn mu(&self) -> f64 {
        if self.ridgeless && self.mu < VANISHED * self.mixture.smallest {
            0.0
        } else {
            self.mu * self.mixture.scale
        }
    }

    /// e_s/μ, finite where both vanish (λ = 0, interpolation).
    pub fn e_over_mu(&self) -> Vec<f64> {
        self.e.iter().map(|e| e / self.mu / self.mixture.scale).collect()
    }

    /// 1 − e_s, the mean leverage of a sample of group s.
    pub fn leverage(&self) -> &[f64] {
        &self.leverage
    }

    /// Degrees of freedom Tr A G.
    pub fn df1(&self) -> f64 {
        self.df1
    }

    /// Steps and residual.
    pub fn diagnostics(&self) -> Diagnostics {
        self.diagnostics
    }
}
