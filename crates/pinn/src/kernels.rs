//! Elementwise loops of the network, compiled for the best instruction set of the machine.

use pulp::{Arch, NullaryFnOnce};

/// tanh with an absolute error of a few 1e-16, by (1 − e)/(1 + e) with e = exp(−2|x|): written
/// without branches and calls, so that the compiler can use whole vectors.
#[inline(always)]
fn tanh(x: f64) -> f64 {
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    // ln 2 in two parts: the product of the first with a small integer is exact.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // Adding and subtracting 1.5·2⁵² rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let y = -2.0 * x.abs().min(20.0);
    let shifted = y * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (y - n * LN2_HIGH) - n * LN2_LOW;
    // Taylor series of e^r, |r| ≤ ln 2/2: the remainder is below 5e-18.
    let mut p = 1.0 / 6_227_020_800.0;
    p = p * r + 1.0 / 479_001_600.0;
    p = p * r + 1.0 / 39_916_800.0;
    p = p * r + 1.0 / 3_628_800.0;
    p = p * r + 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    let e = p * power;
    ((1.0 - e) / (1.0 + e)).copysign(x)
}

struct Forward<'a> {
    values: &'a mut [f64],
    tangents: &'a mut [f64],
}

impl NullaryFnOnce for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for s in self.values.iter_mut() {
            *s = tanh(*s);
        }
        for (h, t) in self.values.iter().zip(self.tangents) {
            *t *= 1.0 - h * h;
        }
    }
}

/// h = tanh s and ḣ = (1 − h²) ṡ in place. The first `tangents.len()` values have tangents.
pub(crate) fn forward(values: &mut [f64], tangents: &mut [f64]) {
    Arch::new().dispatch(Forward { values, tangents });
}

struct Backward<'a> {
    values: &'a [f64],
    tangents: &'a [f64],
    values_bar: &'a mut [f64],
    tangents_bar: &'a mut [f64],
}

impl NullaryFnOnce for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (with, without) = self.values_bar.split_at_mut(self.tangents_bar.len());
        let (h_with, h_without) = self.values.split_at(self.tangents.len());
        let tangents = self.tangents.iter().zip(self.tangents_bar);
        for ((h, s), (dot, dot_bar)) in h_with.iter().zip(with).zip(tangents) {
            let q = 1.0 - h * h;
            *s = q * *s - 2.0 * h * dot * *dot_bar;
            *dot_bar *= q;
        }
        for (h, s) in h_without.iter().zip(without) {
            *s *= 1.0 - h * h;
        }
    }
}

/// The adjoint of [`forward`] in place: (h̄, ḣ̄) become (s̄, ṡ̄) with s̄ = q h̄ − 2 h ḣ ḣ̄ and
/// ṡ̄ = q ḣ̄, q = 1 − h².
pub(crate) fn backward(
    values: &[f64],
    tangents: &[f64],
    values_bar: &mut [f64],
    tangents_bar: &mut [f64],
) {
    Arch::new().dispatch(Backward { values, tangents, values_bar, tangents_bar });
}

#[cfg(test)]
mod tests {
    /// Signs, saturation and every octave of the argument.
    #[test]
    fn tanh_is_accurate() {
        for m in -4000..=4000 {
            let x = f64::from(m) * 0.006_3;
            let exact = x.tanh();
            assert!((super::tanh(x) - exact).abs() <= 4e-16, "{x}: {} {exact}", super::tanh(x));
        }
        for x in [0.0, -0.0, 1e-300, 1e-17, 25.0, -1e300, f64::INFINITY] {
            assert!((super::tanh(x) - x.tanh()).abs() <= 1e-16, "{x}");
        }
    }
}
