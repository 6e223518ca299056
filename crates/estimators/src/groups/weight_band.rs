//! The bands of the best weight and of ĉ², by Neyman's construction.
//!
//! The best weight α* is bounded, often near an end, and falls steeply with c², whose estimate is a
//! difference of two numbers of like size: its spread depends on c² itself, and no scale is known on
//! which it would be normal. So no quantiles around the estimate are taken; instead the band is what the
//! data do not reject. Along the family of synthetic labels
//!
//! ```text
//! w_2(k) = ŵ_1 + k(ŵ_2 − ŵ_1),  k ≥ 0,
//! ```
//!
//! with the covariances and noise variances as estimated, data sets are resampled and the best weight
//! is estimated anew, α̂*(k). The upper end of the band is α* of the least k for which α̂* ≤ α̂ happens
//! in one of twenty data sets, the lower end α* of the largest k for which α̂* ≥ α̂ does: whatever the
//! distribution of α̂*, in the family these are missed once in ten. What is estimated and not on the
//! family (noise, covariances, directions) enters through its own resampling, at relative order 1/n.
//! (Neyman, Phil. Trans. A 236, 333, 1937; resampled: Carpenter, J. R. Stat. Soc. B 61, 159, 1999.)
//!
//! Labels are linear in w_2, so the refit of a resampled data set is the same for all k up to a shift by
//! k(ŵ_2 − ŵ_1). α̂* falls with k, so that each resampled data set has one k at which α̂* = α̂, and the two
//! ends belong to quantiles of these; only the sign of the slope of the predicted error at α̂ is needed to
//! find it. The same holds for c², with ĉ²*(k) a parabola in k. At an end of its range a band is
//! one-sided. Where k = 0, synthetic labels as good as real ones, is not rejected, α* is as large as it
//! gets and is uncertain by noise and covariances only: the upper end is then the quantile of the
//! resampled values of that largest weight.

use super::bootstrap::{Band, LEVEL, ordered};
use super::mix::{LEAST, Mix};
use crate::Result;
use crate::resample::{ranked, resample};

/// Half the distance, in log-odds, over which the slope at a weight is taken.
const STEP: f64 = 1e-3;
/// Labels further away than this many times the estimated distance count as infinitely far.
const FARTHEST: f64 = 1e6;
/// Halvings of an interval of k.
const HALVINGS: usize = 14;

impl Mix {
    /// 90 % bands of the best weight and of ĉ², from `resamplings` refits.
    ///
    /// # Errors
    /// As [`Mix::best_weight`].
    pub fn bands(
        &self,
        n: (f64, f64),
        lambda: f64,
        resamplings: usize,
        seed: u64,
    ) -> Result<(Band, Band)> {
        let estimate = self.best_weight(n, lambda)?.weight;
        let difference = self.difference();
        let quality = self.quality();
        let replicates = resample(resamplings, seed, |random| {
            let real = self.real.again(&self.real.coefficients, random).ok()?;
            let synthetic = self.synthetic.again(&self.real.coefficients, random).ok()?;
            let again = Self::new(real, synthetic).ok()?;
            let noise = again.difference();
            let place = again.crossing(&noise, &difference, estimate, n, lambda).ok()?;
            let equal = again.populations_with(0.0, &noise).ok()?;
            let largest = again.best_weight_for(&equal, n, lambda).ok()?.weight;
            Some(vec![place, largest, again.rise(&noise, &difference, quality)])
        });
        let column = |at: usize| ordered(replicates.iter().map(|r| r[at]).collect());
        let (Some(places), Some(largest), Some(rises)) = (column(0), column(1), column(2)) else {
            return Ok((Band { low: 0.0, high: 1.0 }, Band { low: 0.0, high: f64::INFINITY }));
        };
        let tail = 0.5 * (1.0 - LEVEL);
        let raw = self.quality_uncorrected();
        let end = |q: f64| ranked(&rises, q).powi(2) * raw;
        let low = if quality == 0.0 { 0.0 } else { end(tail) };
        let weight = self.weight_band(estimate, &places, &largest, n, lambda)?;
        Ok((weight, Band { low, high: end(1.0 - tail) }))
    }

    fn weight_band(
        &self,
        estimate: f64,
        places: &[f64],
        largest: &[f64],
        n: (f64, f64),
        lambda: f64,
    ) -> Result<Band> {
        let tail = 0.5 * (1.0 - LEVEL);
        let difference = self.difference();
        let best = |k: f64| -> Result<f64> {
            let populations = self.populations_with(k, &difference)?;
            Ok(self.best_weight_for(&populations, n, lambda)?.weight)
        };
        let low = if estimate == 0.0 { 0.0 } else { best(ranked(places, 1.0 - tail))? };
        let nearest = ranked(places, tail);
        let high = if estimate == 1.0 {
            1.0
        } else if nearest > 0.0 {
            best(nearest)?
        } else {
            best(0.0)?.max(ranked(largest, 1.0 - tail))
        };
        Ok(Band { low, high })
    }

    /// The k from which on ĉ² of coefficients that differ by `noise` + k·`direction` is above `quality`;
    /// 0 if it always is.
    fn rise(&self, noise: &[f64], direction: &[f64], quality: f64) -> f64 {
        // ‖noise + k·direction‖² = quality + (what noise adds to a square).
        let a = self.product(direction, direction);
        let b = self.product(noise, direction);
        let c = self.product(noise, noise) - self.noise - quality;
        let root = b * b - a * c;
        if root < 0.0 || a == 0.0 { 0.0 } else { ((root.sqrt() - b) / a).max(0.0) }
    }

    /// The k from which on the best weight, estimated from coefficients that differ by
    /// `noise` + k·`direction`, is at most `weight`; 0 if it always is.
    fn crossing(
        &self,
        noise: &[f64],
        direction: &[f64],
        weight: f64,
        n: (f64, f64),
        lambda: f64,
    ) -> Result<f64> {
        let (left, right) = around(weight);
        let below = |k: f64| -> Result<bool> {
            let difference = shifted(noise, k, direction);
            let populations = self.populations_with(self.shrinkage_of(&difference), &difference)?;
            let error = |weight: f64| self.error(&populations, n, lambda, weight);
            Ok(error(right)? >= error(left)?)
        };
        // The distance ‖noise + k·direction‖ is least, and the estimated weight largest, here.
        let size = self.product(direction, direction);
        if size == 0.0 {
            return Ok(0.0);
        }
        let mut low = (-self.product(noise, direction) / size).max(0.0);
        if below(low)? {
            return Ok(0.0);
        }
        let mut high = 2.0 * low.max(0.5);
        while !below(high)? {
            (low, high) = (high, 2.0 * high);
            if high > FARTHEST {
                return Ok(high);
            }
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if below(middle)? { high = middle } else { low = middle }
        }
        Ok(0.5 * (low + high))
    }
}

fn shifted(noise: &[f64], k: f64, direction: &[f64]) -> Vec<f64> {
    noise.iter().zip(direction).map(|(e, d)| e + k * d).collect()
}

/// Two weights close to the given one, on both sides of it where it is no end.
fn around(weight: f64) -> (f64, f64) {
    if weight == 0.0 {
        (0.0, LEAST)
    } else if weight == 1.0 {
        (1.0 - LEAST, 1.0)
    } else {
        let odds = (weight / (1.0 - weight)).ln();
        let at = |odds: f64| 1.0 / (1.0 + (-odds).exp());
        (at(odds - STEP), at(odds + STEP))
    }
}
