//! Classical laws in closed form.

use std::f64::consts::PI;

/// `p` quantiles at (j − ½)/p, largest first, of the Marchenko–Pastur law of ratio
/// `ratio` = dimension/samples and entry variance `scale`; zeros for its atom at zero.
///
/// With x = 1 + c + 2√c cos φ the mass above x is [φ + (1/c − 1)A − sin φ/√c]/π,
/// A = atan2(√c sin φ, 1 + √c cos φ), for c ≤ 1; for c > 1 the non-zero part is that of 1/c,
/// scaled by c, with mass 1/c.
pub(crate) fn marchenko_pastur_quantiles(p: usize, ratio: f64, scale: f64) -> Vec<f64> {
    let (c, stretch, mass) =
        if ratio <= 1.0 { (ratio, 1.0, 1.0) } else { (1.0 / ratio, ratio, 1.0 / ratio) };
    let r = c.sqrt();
    let above = |phi: f64| {
        let a = (r * phi.sin()).atan2(1.0 + r * phi.cos());
        (phi + (1.0 / c - 1.0) * a - phi.sin() / r) / PI
    };
    let mut phi = 0.0;
    (0..p)
        .map(|j| {
            let target = (j as f64 + 0.5) / p as f64 / mass;
            if target >= 1.0 {
                return 0.0;
            }
            // The quantiles ascend in φ: the previous one is a lower bracket.
            let (mut low, mut high) = (phi, PI);
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                if above(middle) < target { low = middle } else { high = middle }
            }
            phi = 0.5 * (low + high);
            let (s, t) = ((0.5 * phi).cos(), 1.0 - r);
            // 1 + c + 2√c cos φ = (1 − √c)² + 4√c cos²(φ/2), without cancellation at the lower edge.
            scale * stretch * (t * t + 4.0 * r * s * s)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments of the quantile list against those of the law: a wrong closed form for the
    /// distribution function would shift them at order one.
    #[test]
    fn quantiles_have_the_moments_of_the_law() {
        for ratio in [0.1, 0.5, 1.0, 2.0, 5.0] {
            let p = 20_000;
            let q = marchenko_pastur_quantiles(p, ratio, 2.0);
            let mean = q.iter().sum::<f64>() / p as f64;
            let second = q.iter().map(|x| x * x).sum::<f64>() / p as f64;
            // The midpoint rule in probability errs at an edge by O(p^(−5/3)), at the hard edge
            // and at the atom by O(1/p).
            assert!((mean - 2.0).abs() < 2e-4, "ratio {ratio}: mean {mean}");
            assert!(
                (second - 4.0 * (1.0 + ratio)).abs() < 4e-3,
                "ratio {ratio}: second moment {second}"
            );
        }
    }
}
