//! Quadrature for the arcsine law on (a, b): the measure that turns the sampling map into an average
//! of denoisers.
//!
//! With τ of density 1/(π√((τ−a)(b−τ))) on a < τ < b, for x ≥ 0
//!
//! √((x+a)/(x+b)) = 𝔼[(x+a)/(x+τ)],  x/√((x+a)(x+b)) = 𝔼[x/(x+τ)].
//!
//! In q = (x+a)/(x+b) this is Zolotarev's problem of q^{−1/2} as a sum of poles: midpoints in the
//! argument of elliptic functions (Hale, Higham, Trefethen, SIAM J. Numer. Anal. 46, 2008, method 3)
//! converge like exp(−2π²J/(ln(q_max/q_min)+3)). The trapezoidal rule in y = ln((τ−a)/(b−τ)) needs
//! no bound on x and has no elliptic functions to lose digits in, but twice to four times the nodes.
//! Gauss–Chebyshev nodes would need √(b/x) of them.

use crate::{Error, Result};
use std::f64::consts::PI;

/// Noise variances between which a probability flow runs: 0 ≤ `low` < `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseRange {
    /// a = σ_min², where the flow ends.
    pub low: f64,
    /// b = σ_max², where it starts.
    pub high: f64,
}

impl NoiseRange {
    /// From the noise levels σ_min and σ_max (standard deviations).
    ///
    /// # Errors
    /// Unless 0 ≤ σ_min < σ_max, both finite with finite squares.
    pub fn new(sigma_min: f64, sigma_max: f64) -> Result<Self> {
        if !(sigma_min >= 0.0 && sigma_min.is_finite()) {
            return Err(Error::OutOfRange {
                key: "sigma_min",
                value: sigma_min,
                remedy: "give a noise level ≥ 0",
            });
        }
        let (low, high) = (sigma_min * sigma_min, sigma_max * sigma_max);
        if !(sigma_max > sigma_min && high.is_finite() && high > low) {
            return Err(Error::OutOfRange {
                key: "sigma_max",
                value: sigma_max,
                remedy: "sampling runs down from sigma_max: it must exceed sigma_min",
            });
        }
        Ok(Self { low, high })
    }

    /// q(x) = (x+a)/(x+b) ∈ [a/b, 1].
    pub fn ratio(&self, x: f64) -> f64 {
        (x + self.low) / (x + self.high)
    }
}

/// A node τ of the arcsine law with its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArcsineNode {
    /// Noise variance τ ∈ [a, b].
    pub variance: f64,
    /// Weight > 0.
    pub weight: f64,
}

/// Which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArcsineRule {
    /// Fewest nodes; needs bounds on x.
    Elliptic,
    /// Trapezoidal in y = ln((τ−a)/(b−τ)).
    SechTrapezoid,
}

/// Accuracies below which the elliptic rule gives way to the trapezoidal one.
const TIGHT: f64 = 1e-12;

impl ArcsineRule {
    /// The rule for a relative accuracy of √((x+a)/(x+b)): elliptic down to 1e-12.
    pub fn for_accuracy(accuracy: f64) -> Self {
        if accuracy < TIGHT { Self::SechTrapezoid } else { Self::Elliptic }
    }

    /// Nodes in descending τ for x in [`smallest`, `largest`] to a relative `accuracy` in
    /// [1e-14, 0.1].
    ///
    /// Where a = 0 and `smallest` = 0 no relative accuracy exists at x → 0: the error is then
    /// absolute, below `accuracy` times √q at the largest x.
    pub fn nodes(
        self,
        range: NoiseRange,
        (smallest, largest): (f64, f64),
        accuracy: f64,
    ) -> Result<Vec<ArcsineNode>> {
        if !(1e-14..=0.1).contains(&accuracy) {
            return Err(Error::OutOfRange {
                key: "accuracy",
                value: accuracy,
                remedy: "choose a relative accuracy between 1e-14 and 0.1",
            });
        }
        let high = range.ratio(largest);
        let low = range.ratio(smallest).max(accuracy * accuracy * high);
        Ok(match self {
            Self::Elliptic => elliptic(range, low, high, accuracy),
            Self::SechTrapezoid => sech(range, low, accuracy),
        })
    }
}

fn elliptic(range: NoiseRange, low: f64, high: f64, accuracy: f64) -> Vec<ArcsineNode> {
    let (ratio, width) = (low / high, range.high - range.low);
    let decades = -ratio.ln() + 3.0;
    // Measured: the rate of the exponential law, and two nodes for its prefactor.
    let count = ((-accuracy.ln()) * decades / (2.0 * PI * PI)).ceil() as usize + 2;
    let modulus = ratio.sqrt();
    let quarter = PI / (2.0 * agm(1.0, modulus));
    let mut nodes: Vec<ArcsineNode> = (0..count)
        .map(|j| {
            let u = (j as f64 + 0.5) * quarter / count as f64;
            let scale = 2.0 * quarter / (PI * count as f64);
            // Beyond the middle the functions lose the digits of k², so take them at the mirror point.
            let (t, pole) = if u <= 0.5 * quarter {
                let (sn, cn, dn) = jacobi(u, modulus);
                (low * (sn / cn).powi(2), scale * low.sqrt() * dn / (cn * cn))
            } else {
                let (sn, cn, dn) = jacobi(quarter - u, modulus);
                (high * (cn / sn).powi(2), scale * high.sqrt() * dn / (sn * sn))
            };
            ArcsineNode { variance: range.low + width * (t / (1.0 + t)), weight: pole / (1.0 + t) }
        })
        .collect();
    nodes.reverse();
    nodes
}

fn sech(range: NoiseRange, low: f64, accuracy: f64) -> Vec<ArcsineNode> {
    let width = range.high - range.low;
    let digits = -accuracy.ln();
    let step = 2.0 * PI * PI / (digits + 1.0);
    let top = (2.0 * digits / 3.0 + 1.0) / step;
    let bottom = (2.0 * digits / 3.0 + 1.0 - low.ln()) / step;
    let (first, last) = (-(bottom.ceil() as i64), top.ceil() as i64);
    let weight = |j: i64| {
        let half = 0.5 * j as f64 * step;
        step / (2.0 * PI * half.cosh())
    };
    // The cut tails sit on the ends, which turns their error e^{−L/2} into e^{−3L/2}.
    let tail = |from: i64, by: i64| {
        let mut sum = 0.0;
        for i in 0.. {
            let w = weight(from + by * i);
            sum += w;
            if w <= f64::EPSILON * 1e-3 * sum {
                break;
            }
        }
        sum
    };
    let mut nodes = vec![ArcsineNode { variance: range.high, weight: tail(last + 1, 1) }];
    nodes.extend((first..=last).rev().map(|j| ArcsineNode {
        variance: range.low + width / (1.0 + (-(j as f64) * step).exp()),
        weight: weight(j),
    }));
    nodes.push(ArcsineNode { variance: range.low, weight: tail(first - 1, -1) });
    nodes
}

/// Arithmetic-geometric mean.
fn agm(mut a: f64, mut b: f64) -> f64 {
    while (a - b).abs() > 2.0 * f64::EPSILON * a {
        (a, b) = (0.5 * (a + b), (a * b).sqrt());
    }
    0.5 * (a + b)
}

/// Jacobi's sn, cn, dn at u with complementary modulus k' = `complement` (parameter 1 − k'²), by the
/// descending Landen sequence, which starts from k' itself.
fn jacobi(u: f64, complement: f64) -> (f64, f64, f64) {
    let (mut a, mut b) = (1.0, complement);
    let mut ratios = Vec::with_capacity(12);
    let mut scale = 1.0;
    while (a - b).abs() > f64::EPSILON * a {
        let mean = 0.5 * (a + b);
        ratios.push(0.5 * (a - b) / mean);
        (a, b) = (mean, (a * b).sqrt());
        scale *= 2.0;
    }
    let mut phi = scale * a * u;
    for ratio in ratios.iter().rev() {
        phi = 0.5 * (phi + (ratio * phi.sin()).asin());
    }
    let (sn, cn) = phi.sin_cos();
    (sn, cn, (cn * cn + complement * complement * sn * sn).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(rule: ArcsineRule, range: NoiseRange, span: (f64, f64), accuracy: f64) -> f64 {
        let nodes = rule.nodes(range, span, accuracy).unwrap();
        assert!(nodes.iter().all(|n| n.weight > 0.0));
        assert!(nodes.iter().all(|n| n.variance >= range.low && n.variance <= range.high));
        let low = span.0.max(1e-12 * span.1);
        (0..=200)
            .map(|i| low * (span.1 / low).powf(i as f64 / 200.0))
            .map(|x| {
                let sum: f64 =
                    nodes.iter().map(|n| n.weight * (x + range.low) / (x + n.variance)).sum();
                (sum / range.ratio(x).sqrt() - 1.0).abs()
            })
            .fold(0.0, f64::max)
    }

    /// Both rules reach the accuracy they were asked for, over sixteen decades of q. A lost
    /// reflection shows as 1e-11 at the tight end, a wrong weight everywhere.
    #[test]
    fn rules_reach_the_requested_accuracy() {
        let range = NoiseRange::new(0.002, 80.0).unwrap();
        for accuracy in [1e-4, 1e-8, 1e-12, 1e-13] {
            for rule in [ArcsineRule::Elliptic, ArcsineRule::SechTrapezoid] {
                let error = worst(rule, range, (0.0, 10.0), accuracy);
                assert!(error < 2.0 * accuracy + 2e-14, "{rule:?} {accuracy:e}: {error:e}");
            }
        }
        let exact = NoiseRange::new(0.0, 1e6).unwrap();
        for rule in [ArcsineRule::Elliptic, ArcsineRule::SechTrapezoid] {
            let error = worst(rule, exact, (1e-9, 4.0), 1e-12);
            assert!(error < 2e-12, "{rule:?}: {error:e}");
        }
    }

    /// The node counts that make the elliptic rule the default.
    #[test]
    fn elliptic_rule_is_short() {
        let range = NoiseRange::new(0.002, 80.0).unwrap();
        let count =
            |rule: ArcsineRule, accuracy| rule.nodes(range, (0.0, 2.0), accuracy).unwrap().len();
        assert!(count(ArcsineRule::Elliptic, 1e-8) <= 20);
        assert!(count(ArcsineRule::SechTrapezoid, 1e-8) > 40);
    }

    #[test]
    fn ranges_and_accuracies_are_checked() {
        assert!(NoiseRange::new(-0.1, 1.0).is_err());
        assert!(NoiseRange::new(1.0, 1.0).is_err());
        assert!(NoiseRange::new(0.0, f64::NAN).is_err());
        let range = NoiseRange::new(0.0, 1.0).unwrap();
        assert!(ArcsineRule::Elliptic.nodes(range, (0.0, 1.0), 0.0).is_err());
    }
}
