//! Samplers of finitely many steps: Euler and Heun for dx/dσ = (x − D̂)/σ at levels σ₀ > σ₁ > … ≥ 0.
//!
//! For a linear denoiser a step multiplies by a rational function of Σ̂, and a whole run by
//!
//! Euler  T(x) = Π_i (x + σ_iσ_{i+1})/(x + σ_i²),
//! Heun   T(x) = Π_i (x² + ½(σ_i²+3σ_{i+1}²)x + σ_iσ_{i+1}³)/((x+σ_i²)(x+σ_{i+1}²)),
//!
//! the last step to σ = 0 being Euler's in both. Partial fractions make T an average of residuals
//! R̂(σ_i²) = σ_i²/(Σ̂+σ_i²) at the sampler's own levels, so no quadrature is needed. Zeros and poles of
//! Euler's product interlace, which makes all of its weights positive: a discrete arcsine law. Heun's
//! double poles need ∂R̂/∂ln τ as well, R̂² = R̂ − ∂R̂/∂ln τ, taken by a five-point difference of nodes.

use super::map::LinearMap;
use super::quadrature::NoiseRange;
use super::trained::TrainedModel;
use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How steps are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// First order, one denoiser evaluation a step.
    Euler,
    /// Second order, two evaluations a step except the last one to zero.
    Heun,
}

/// Noise levels of a sampler, descending; the last may be 0.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseSchedule(Vec<f64>);

/// Half-spacing in ln τ of the five-point difference: its error is near 1e-9, rounding below 1e-11.
const SPACING: f64 = 0.01;

impl NoiseSchedule {
    /// From a strictly descending list of at least two levels; only the last may be 0.
    pub fn new(levels: Vec<f64>) -> Result<Self> {
        let key = "levels";
        if levels.len() < 2 {
            return Err(Error::LengthMismatch { key, found: levels.len(), expected: 2 });
        }
        for (i, pair) in levels.windows(2).enumerate() {
            if !(pair[0].is_finite() && pair[1] >= 0.0 && pair[0] > pair[1]) {
                return Err(Error::BadEntry {
                    key,
                    index: vec![i + 1],
                    value: pair[1],
                    remedy: "levels must descend strictly and stay ≥ 0",
                });
            }
        }
        Ok(Self(levels))
    }

    /// The schedule of Karras et al. (2022), σ_i^{1/ρ} equally spaced from σ_max down to σ_min in
    /// `steps` steps; `to_zero` makes the last of them the step from σ_min to 0.
    ///
    /// # Errors
    /// Fewer than 2 steps, ρ ≤ 0, σ_min = 0.
    pub fn karras(range: NoiseRange, steps: usize, rho: f64, to_zero: bool) -> Result<Self> {
        let outside = |key, value, remedy| Err(Error::OutOfRange { key, value, remedy });
        if !(2..=10_000).contains(&steps) {
            return outside("steps", steps as f64, "give 2 to 10000 steps");
        }
        if !(rho > 0.0 && rho.is_finite()) {
            return outside("rho", rho, "must be positive; 7 is usual");
        }
        if range.low == 0.0 {
            return outside(
                "sigma_min",
                0.0,
                "a stepped sampler needs a positive level; `to_zero` adds the last step",
            );
        }
        let root = |variance: f64| variance.powf(0.5 / rho);
        let (high, low) = (root(range.high), root(range.low));
        let spaced = if to_zero { steps - 1 } else { steps };
        let level = |i: usize| (high + i as f64 / spaced as f64 * (low - high)).powf(rho);
        let mut levels: Vec<f64> = (0..=spaced).map(level).collect();
        (levels[0], levels[spaced]) = (range.high.sqrt(), range.low.sqrt());
        if to_zero {
            levels.push(0.0);
        }
        Self::new(levels)
    }

    /// The levels.
    pub fn levels(&self) -> &[f64] {
        &self.0
    }

    /// T(x): what a run does to a direction in which the training data have variance x.
    pub fn response(&self, scheme: Scheme, x: f64) -> f64 {
        self.0.windows(2).map(|pair| step(scheme, pair[0], pair[1], x)).product()
    }

    /// (τ, ω) with T = 1 − Σ ω R̂(τ), τ descending.
    fn nodes(&self, scheme: Scheme) -> Vec<(f64, f64)> {
        match scheme {
            Scheme::Euler => self.euler(),
            Scheme::Heun => self.heun(),
        }
    }

    fn euler(&self) -> Vec<(f64, f64)> {
        let steps = || self.0.windows(2).map(|pair| (pair[0] * pair[0], pair[0] * pair[1]));
        let weight = |(i, (pole, zero)): (usize, (f64, f64))| {
            let others: f64 = steps()
                .enumerate()
                .filter(|(j, _)| *j != i)
                .map(|(_, (other, root))| (root - pole) / (other - pole))
                .product();
            (pole, (1.0 - zero / pole) * others)
        };
        steps().enumerate().map(weight).collect()
    }

    fn heun(&self) -> Vec<(f64, f64)> {
        // Poles with multiplicity, and the numerator's value and slope.
        let mut poles: Vec<(f64, i32)> = Vec::new();
        let mut add = |sigma: f64| match poles.last_mut() {
            Some(last) if last.0 == sigma * sigma => last.1 += 1,
            _ => poles.push((sigma * sigma, 1)),
        };
        for pair in self.0.windows(2) {
            add(pair[0]);
            if pair[1] > 0.0 {
                add(pair[1]);
            }
        }
        let factor = |s: f64, t: f64, x: f64| {
            if t == 0.0 {
                // Euler's x/(x + σ²).
                return (x, 1.0);
            }
            let middle = 0.5 * (s * s + 3.0 * t * t);
            (x * x + middle * x + s * t.powi(3), 2.0 * x + middle)
        };
        let mut nodes = Vec::new();
        for (i, &(pole, order)) in poles.iter().enumerate() {
            // Every factor near the pole is taken together with a pole of the same size, so that the
            // product neither over- nor underflows.
            let mut scale = vec![(1.0, 0.0); self.0.len() - 1];
            for (value, pair) in scale.iter_mut().zip(self.0.windows(2)) {
                *value = factor(pair[0], pair[1], -pole);
            }
            let others = || poles.iter().enumerate().filter(move |(j, _)| *j != i).map(|(_, p)| p);
            let mut product = 1.0;
            let mut denominators =
                others().flat_map(|&(other, m)| std::iter::repeat_n(other - pole, m as usize));
            for (value, _) in &scale {
                product *= value;
                for denominator in denominators.by_ref().take(2) {
                    product /= denominator;
                }
            }
            denominators.for_each(|denominator| product /= denominator);
            if order == 1 {
                nodes.push((pole, -product / pole));
                continue;
            }
            // The derivative of a product, term by term: a factor may vanish at the pole.
            let logarithmic: f64 = scale.iter().map(|(v, d)| d / v).sum::<f64>()
                - others().map(|&(other, m)| f64::from(m) / (other - pole)).sum::<f64>();
            let double = product / (pole * pole);
            let simple = product * logarithmic / pole;
            // d·∂R̂/∂ln τ by nodes at ln τ ± h, ± 2h; the middle carries R̂ itself.
            let weight = double / (12.0 * SPACING);
            let at = |h: f64| pole * (h * SPACING).exp();
            nodes.extend([
                (at(2.0), -weight),
                (at(1.0), 8.0 * weight),
                (pole, -(simple + double)),
                (at(-1.0), -8.0 * weight),
                (at(-2.0), weight),
            ]);
        }
        nodes
    }
}

fn step(scheme: Scheme, s: f64, t: f64, x: f64) -> f64 {
    if scheme == Scheme::Euler || t == 0.0 {
        // At x = 0 the limit t/s of a step, also of the step to zero.
        return (x + s * t) / (x + s * s);
    }
    let middle = 0.5 * (s * s + 3.0 * t * t);
    (x * x + middle * x + s * t.powi(3)) / ((x + s * s) * (x + t * t))
}

impl TrainedModel {
    /// The map of a sampler that takes these steps.
    pub fn stepped_sampler(
        &self,
        schedule: &NoiseSchedule,
        scheme: Scheme,
    ) -> Result<LinearMap<'_>> {
        let null = schedule.response(scheme, 0.0);
        let nodes = schedule.nodes(scheme).into_iter();
        LinearMap::new(self, nodes.map(|(tau, w)| (tau, w / (1.0 - null), null)), null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(steps: usize, to_zero: bool) -> NoiseSchedule {
        NoiseSchedule::karras(NoiseRange::new(0.002, 80.0).unwrap(), steps, 7.0, to_zero).unwrap()
    }

    /// Partial fractions against the product of steps, over all scales of x.
    #[test]
    fn nodes_reproduce_the_steps() {
        for steps in [2, 3, 8, 18, 40, 100] {
            for to_zero in [false, true] {
                let schedule = schedule(steps, to_zero);
                for scheme in [Scheme::Euler, Scheme::Heun] {
                    let nodes = schedule.nodes(scheme);
                    let sum = |x: f64| -> f64 { nodes.iter().map(|(t, w)| w * t / (x + t)).sum() };
                    for k in -12..=4 {
                        let x = 10f64.powf(0.5 * f64::from(k));
                        let expected = schedule.response(scheme, x);
                        let error = (1.0 - sum(x) - expected).abs();
                        let room = if scheme == Scheme::Euler { 1e-12 } else { 1e-8 };
                        assert!(error < room, "{scheme:?} {steps} {to_zero} {x:e}: {error:e}");
                    }
                    assert!(scheme == Scheme::Heun || nodes.iter().all(|(_, w)| *w > 0.0));
                }
            }
        }
    }

    /// Orders of convergence to the exact flow √((x+a)/(x+b)).
    #[test]
    fn schemes_converge_at_their_orders() {
        let range = NoiseRange::new(0.002, 80.0).unwrap();
        for (scheme, order) in [(Scheme::Euler, 1), (Scheme::Heun, 2)] {
            let error = |steps: usize| {
                let x = 0.3;
                (schedule(steps, false).response(scheme, x) / range.ratio(x).sqrt() - 1.0).abs()
            };
            let rate = error(200) / error(400);
            assert!((rate / f64::from(1 << order) - 1.0).abs() < 0.1, "{scheme:?}: {rate}");
        }
    }

    #[test]
    fn schedules_are_checked() {
        assert!(NoiseSchedule::new(vec![1.0]).is_err());
        assert!(NoiseSchedule::new(vec![1.0, 0.5, 0.5]).is_err());
        assert!(NoiseSchedule::new(vec![1.0, -0.5]).is_err());
        let range = NoiseRange::new(0.0, 1.0).unwrap();
        assert!(NoiseSchedule::karras(range, 10, 7.0, true).is_err());
    }
}
