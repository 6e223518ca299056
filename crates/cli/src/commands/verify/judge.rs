//! What disagreement between theory and simulation is improbable.
//!
//! Each number has t = (mean − theory)/(standard error), Student's t with D − 1 degrees of freedom over D
//! draws. It is turned into a normal score z (Wallace, Ann. Math. Stat. 30, 1121, 1959; within 0.1 %
//! far into the tails), so that scores mean the same for any D. Numbers of one experiment come from the
//! same draws and depend on each other in an unknown way; experiments are independent. Hence
//!
//! - a number stands out if N numbers hold one so far from zero in fewer than one of a hundred runs, by
//!   the union bound, which needs no independence;
//! - an experiment stands out in the same way by the rms z of its numbers, which are at most as good as
//!   one number;
//! - the rms over all experiments, each counted once, is compared with a χ² of as many degrees of
//!   freedom (Wilson and Hilferty 1931), at one in a hundred.

/// Chance of a false alarm of each of the three rules.
const CHANCE: f64 = 0.01;

/// Normal score of a mean with its standard error over so many draws.
pub(super) fn score(t: f64, draws: usize) -> f64 {
    let nu = draws.saturating_sub(1).max(1) as f64;
    let squared = nu * (t * t / nu).ln_1p();
    ((8.0 * nu + 1.0) / (8.0 * nu + 3.0) * squared.sqrt()).copysign(t)
}

/// P(|z| ≥ x) of a standard normal z.
fn beyond(x: f64) -> f64 {
    libm::erfc(x.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

/// Whether the largest of `count` scores, or the rms of one of `count` experiments, is improbable.
pub(super) fn stands_out(z: f64, count: usize) -> bool {
    beyond(z) * count as f64 <= CHANCE
}

/// Root of the mean square.
pub(super) fn rms(scores: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = scores.fold((0.0, 0.0), |(sum, count), z| (sum + z * z, count + 1.0));
    if count > 0.0 { f64::sqrt(sum / count) } else { 0.0 }
}

/// Whether the rms over independent experiments is improbably large.
pub(super) fn rms_stands_out(rms: f64, experiments: usize) -> bool {
    if experiments == 0 {
        return false;
    }
    let spread = 2.0 / (9.0 * experiments as f64);
    let normal = ((rms * rms).cbrt() - (1.0 - spread)) / spread.sqrt();
    normal > 0.0 && 0.5 * beyond(normal) <= CHANCE
}

/// A gap between theory and simulation, relative to the theory, with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gap {
    pub(super) gap: f64,
    pub(super) error: f64,
}

/// Whether a gap of the stated sizes shrinks at doubled sizes as corrections of relative order 1/n do:
/// to three quarters at most (half, and room for 1/n²), within two standard errors.
pub(super) fn shrinks(single: Gap, double: Gap) -> bool {
    let part = 0.75;
    let noise = (part * single.error).hypot(double.error);
    double.gap.abs() <= part * single.gap.abs() + 2.0 * noise
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of Student's t from tables; the scores are the normal quantiles of the same levels.
    #[test]
    fn scores_are_normal_quantiles() {
        for (t, draws, z) in [
            (2.093, 20, 1.960),
            (3.883, 20, 3.291),
            (-2.262, 10, -1.960),
            (4.781, 10, 3.291),
            (1.960, 100_000, 1.960),
        ] {
            assert!((score(t, draws) - z).abs() < 0.01, "{t}, {draws}: {}", score(t, draws));
        }
        assert_eq!(score(0.0, 5), 0.0);
    }

    #[test]
    fn improbable_is_one_in_a_hundred() {
        // Two-sided normal tails: 2.576 is 1 in 100, 3.89 one in ten thousand.
        assert!(stands_out(2.58, 1) && !stands_out(2.57, 1));
        assert!(stands_out(-3.9, 100) && !stands_out(3.88, 100));
        // χ² with 20 degrees of freedom exceeds 37.57 once in a hundred.
        let at = |chi: f64| (chi / 20.0_f64).sqrt();
        assert!(rms_stands_out(at(37.8), 20) && !rms_stands_out(at(37.3), 20));
        assert!(!rms_stands_out(0.1, 20) && !rms_stands_out(0.0, 0));
        assert_eq!(rms([3.0, 4.0].into_iter()), 12.5_f64.sqrt());
    }

    #[test]
    fn gaps_that_stay_are_told_from_those_that_halve() {
        let gap = |gap, error| Gap { gap, error };
        assert!(shrinks(gap(0.04, 0.002), gap(-0.02, 0.002)));
        assert!(!shrinks(gap(0.04, 0.002), gap(0.04, 0.002)));
        assert!(!shrinks(gap(0.04, 0.002), gap(-0.05, 0.002)));
    }
}
