//! Risks of all groups from one adjoint solve a contribution.

use super::mmatrix::MMatrix;
use super::solve::Equilibrium;
use super::traces::{Moments, Traces};
use crate::Result;

/// Expected errors of the joint fit, group by group. The bias part is linear in each source of
/// coefficients and is kept apart for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Risks {
    /// `bias[k][t]`: part of source k in the excess risk E (xᵀ(ŵ − w_t))² of group t, sampling and
    /// projection variance of the signal included.
    pub bias: Vec<Vec<f64>>,
    /// Part of the label noise.
    pub variance: Vec<f64>,
    /// Expected training error of each group, the unweighted mean of squared residuals.
    pub train_error: Vec<f64>,
    /// E‖ŵ‖².
    pub norm: f64,
}

impl Risks {
    /// Bias of each group, all sources together.
    pub fn total_bias(&self) -> Vec<f64> {
        (0..self.variance.len()).map(|t| self.bias.iter().map(|b| b[t]).sum()).collect()
    }

    /// Excess risk of each group.
    pub fn risk(&self) -> Vec<f64> {
        self.total_bias().iter().zip(&self.variance).map(|(b, v)| b + v).collect()
    }
}

impl Equilibrium<'_> {
    /// Risks at this ridge. At λ = 0 where samples just suffice they are the values at the tiny
    /// ridge that stands for it, beyond 1e12 times signal and noise: [`Self::limit`] turns them into
    /// infinities.
    pub fn risks(&self) -> Result<Risks> {
        let mixture = self.mixture;
        let point = mixture.geometry.point(&mixture.loads(&self.e), self.mu)?;
        let (traces, moments) = mixture.geometry.pair(&point, None);
        let system = self.system(&traces);
        let (groups, k) = (mixture.samples.len(), mixture.active.len());
        // Forcing of the fixed point by the test covariance of group t; by the identity last.
        let forcing = |t: Option<usize>| -> Vec<f64> {
            let (second, mixed) = match t {
                Some(t) => ((0..groups).map(|s| traces.second(s, t)).collect(), traces.mixed[t]),
                None => (traces.mixed.clone(), traces.squared),
            };
            let mut b: Vec<f64> = mixture
                .active
                .iter()
                .map(|&s| self.e[s] * self.e[s] * mixture.pull(s) * second[s])
                .collect();
            b.push(mixture.width.map_or(0.0, |m| self.mu * (self.mu * mixed) / m));
            b
        };
        let forcings: Vec<Vec<f64>> = (0..groups).map(Some).chain([None]).map(forcing).collect();
        let spread = |load: Vec<f64>| -> Vec<f64> {
            let adjoint = system.solve_transposed(&load);
            forcings.iter().map(|b| b.iter().zip(&adjoint).map(|(b, g)| b * g).sum()).collect()
        };
        let source_load = |moments: &Moments<f64>| -> Vec<f64> {
            let each = mixture.active.iter().map(|&r| mixture.share(r) * moments.offset[r]);
            each.chain([moments.norm]).collect()
        };
        let noise_load: Vec<f64> = mixture
            .active
            .iter()
            .map(|&r| mixture.share(r) * mixture.samples[r].noise_variance)
            .chain([0.0])
            .collect();
        debug_assert_eq!(noise_load.len(), k + 1);

        let mut norm = 0.0;
        let mut bias = Vec::with_capacity(moments.len());
        for moments in &moments {
            let sampled = spread(source_load(moments));
            bias.push((0..groups).map(|t| moments.offset[t] + sampled[t]).collect::<Vec<f64>>());
            norm += moments.norm + sampled[groups];
        }
        let mut variance = spread(noise_load);
        norm += variance[groups];
        variance.truncate(groups);
        let train_error = (0..groups)
            .map(|t| {
                let signal: f64 = bias.iter().map(|b| b[t]).sum();
                let noise = variance[t] + mixture.samples[t].noise_variance;
                self.e[t] * self.e[t] * (signal + noise)
            })
            .collect();
        Ok(Risks { bias, variance, train_error, norm: norm / mixture.scale })
    }

    /// I − J at the solution.
    pub(super) fn system(&self, traces: &Traces<f64>) -> MMatrix {
        let mixture = self.mixture;
        let k = mixture.active.len();
        let size = k + 1;
        let mut off = vec![0.0; size * size];
        let (mut x, mut v) = (Vec::with_capacity(size), Vec::with_capacity(size));
        for (i, &s) in mixture.active.iter().enumerate() {
            let pull = self.e[s] * self.e[s] * mixture.pull(s);
            for (j, &r) in mixture.active.iter().enumerate() {
                off[i * size + j] = pull * mixture.share(r) * traces.second(s, r);
            }
            off[i * size + k] = pull * traces.mixed[s];
            x.push(self.e[s]);
            v.push(self.e[s] * self.e[s]);
        }
        x.push(self.mu);
        match mixture.width {
            Some(m) => {
                for (j, &r) in mixture.active.iter().enumerate() {
                    off[k * size + j] = self.mu * self.mu / m * mixture.share(r) * traces.mixed[r];
                }
                v.push(self.lambda);
            }
            // μ = λ does not move.
            None => v.push(self.mu),
        }
        MMatrix::new(off, &x, &v)
    }

    /// The ridgeless limit where λ = 0; at λ > 0 nothing changes.
    pub fn limit(&self, value: f64, size: f64) -> f64 {
        if self.ridgeless { ridgeless_limit(value, size) } else { value }
    }
}

/// The limit λ → 0 of an error computed at the tiny ridge that stands for λ = 0, given the size of
/// signal and noise: divergences become infinite, what vanishes with λ becomes zero.
pub(crate) fn ridgeless_limit(value: f64, size: f64) -> f64 {
    if value.abs() > 1e12 * size {
        f64::INFINITY.copysign(value)
    } else if value.abs() < 1e-20 * size {
        0.0
    } else {
        value
    }
}
