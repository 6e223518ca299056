//! The two sums every ridge needs over a plain list of eigenvalues, Σ s/(s+κ) and Σ s²/(s+κ)², in one
//! pass at memory speed.
//!
//! Division is the slowest instruction of the loop, so four reciprocals come from one:
//! with q = abcd, 1/a = (bcd)/q and so on.

use pulp::{Arch, Simd, WithSimd};

/// df1 = Σ s/(s+κ) and df2 = Σ s²/(s+κ)² over eigenvalues s ≥ 0, for κ > 0.
///
/// Equal to [`df_sums_scalar`] up to rounding; several times faster on long lists.
pub fn df_sums(s: &[f64], kappa: f64) -> (f64, f64) {
    let (df1, df2, smallest) = Arch::new().dispatch(Kernel { s, kappa });
    // A product of four terms left the range of f64: spectra over more than 70 decades.
    if smallest > 0.0 && df1.is_finite() { (df1, df2) } else { df_sums_scalar(s, kappa) }
}

/// The plain loop that [`df_sums`] must agree with.
pub fn df_sums_scalar(s: &[f64], kappa: f64) -> (f64, f64) {
    s.iter().fold((0.0, 0.0), |(df1, df2), s| {
        let r = s / (s + kappa);
        (df1 + r, df2 + r * r)
    })
}

struct Kernel<'a> {
    s: &'a [f64],
    kappa: f64,
}

impl WithSimd for Kernel<'_> {
    /// df1, df2 and the smallest reciprocal of a product of four.
    type Output = (f64, f64, f64);

    #[inline(always)]
    fn with_simd<V: Simd>(self, simd: V) -> Self::Output {
        let (body, tail) = V::as_simd_f64s(self.s);
        let inverse_kappa = simd.splat_f64s(1.0 / self.kappa);
        let one = simd.splat_f64s(1.0);
        let zero = simd.splat_f64s(0.0);
        let (mut first, mut second) = ([zero; 4], [zero; 4]);
        let mut smallest = one;
        let mut quads = body.chunks_exact(4);
        for quad in &mut quads {
            // t = s/κ, r = t/(1+t): products of 1+t cannot underflow.
            let t: [_; 4] = std::array::from_fn(|i| simd.mul_f64s(quad[i], inverse_kappa));
            let u: [_; 4] = std::array::from_fn(|i| simd.add_f64s(t[i], one));
            let (left, right) = (simd.mul_f64s(u[0], u[1]), simd.mul_f64s(u[2], u[3]));
            let inverse = simd.div_f64s(one, simd.mul_f64s(left, right));
            smallest = simd.min_f64s(smallest, inverse);
            let (a, b) = (simd.mul_f64s(inverse, right), simd.mul_f64s(inverse, left));
            let reciprocal = [
                simd.mul_f64s(a, u[1]),
                simd.mul_f64s(a, u[0]),
                simd.mul_f64s(b, u[3]),
                simd.mul_f64s(b, u[2]),
            ];
            for i in 0..4 {
                let r = simd.mul_f64s(t[i], reciprocal[i]);
                first[i] = simd.add_f64s(first[i], r);
                second[i] = simd.mul_add_f64s(r, r, second[i]);
            }
        }
        for &s in quads.remainder() {
            let t = simd.mul_f64s(s, inverse_kappa);
            let r = simd.div_f64s(t, simd.add_f64s(t, one));
            first[0] = simd.add_f64s(first[0], r);
            second[0] = simd.mul_add_f64s(r, r, second[0]);
        }
        let total = |x: [V::f64s; 4]| {
            let pairs = (simd.add_f64s(x[0], x[1]), simd.add_f64s(x[2], x[3]));
            simd.reduce_sum_f64s(simd.add_f64s(pairs.0, pairs.1))
        };
        let (tail1, tail2) = df_sums_scalar(tail, self.kappa);
        (total(first) + tail1, total(second) + tail2, simd.reduce_min_f64s(smallest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The vector kernel against its twin, at every length and over 200 decades of eigenvalues.
        #[test]
        fn kernel_equals_its_twin(s in prop::collection::vec(-100.0..100.0_f64, 0..200), k in -80.0..80.0_f64, zeros in 0usize..5) {
            let mut s: Vec<f64> = s.iter().map(|e| 10f64.powf(*e)).collect();
            s.resize(s.len() + zeros, 0.0);
            let kappa = 10f64.powf(k);
            let (a, b) = (df_sums(&s, kappa), df_sums_scalar(&s, kappa));
            prop_assert!((a.0 - b.0).abs() <= 1e-13 * b.0, "{a:?} {b:?}");
            prop_assert!((a.1 - b.1).abs() <= 1e-13 * b.1, "{a:?} {b:?}");
        }
    }
}
