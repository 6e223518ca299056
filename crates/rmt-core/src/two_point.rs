//! Two-point deterministic equivalents of a linear model with samples and linear features.
//!
//! With M = FFᵀ, Σ̂ = XᵀX/n, T(z) = z(z + Σ̂M)⁻¹ and Q(z) = F(z + FᵀΣ̂F)⁻¹Fᵀ, products of two of them
//! around an operator N that commutes with Σ concentrate on sums over the modes of Σ. Write
//! G = (Σ+κ)⁻¹, unprimed at z and primed at z', t = Tr ΣGG', df2 = Tr Σ²GG' and
//!
//! γ_n = df2/n,  γ_m = (df2 + κκ't²/(n(1−γ_n)))/m,
//! α(N) = Tr(NΣGG')/(n(1−γ_n)),  A = α(1).
//!
//! - T N T'ᵀ ≃ κκ'(N + α(N)Σ)GG' + (Σ² + κκ'AΣ)GG' · κκ'Tr(N(1 + AΣ)GG')/(m(1−γ_m))
//! - Tᵀ N T' ≃ κκ'(N + α(N)Σ)GG' + κκ'(1 + AΣ)GG' · Tr(N(Σ² + κκ'AΣ)GG')/(m(1−γ_m))
//! - T N T' ≃ κκ'(N + α(N)Σ)GG' + κ₁κ₁'ΣGG' · Tr(NΣGG')/(m(1−γ_n)²(1−γ_m))
//! - Q N Q' ≃ \[(N + α(N)Σ)GG' + κκ'(1 + AΣ)GG' · Tr(N(1 + AΣ)GG')/(m(1−γ_m))\]/(a_n a_n')
//!
//! where κ₁ = κa_n. The factors 1 − γ are divided differences, (1−γ_n) = (κ₁−κ₁')/(κ−κ') and
//! (1−γ_n)(1−γ_m) = (z−z')/(κ−κ'), and are evaluated as sums of positive terms.
//!
//! Atanasov, Bordelon, Zavatone-Veth, Paquette, Pehlevan, "Two-point deterministic equivalence for
//! stochastic gradient dynamics in linear models" (arXiv 2502.05074).

use crate::sampled_features::SampledFeatures;
use crate::stage::{AnyStage, Stage};
use crate::{Error, Result, Scalar, Solution};

/// In which order the two resolvents stand around the operator N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// T N T'ᵀ: errors of the predictor under the metric N.
    Predictor,
    /// Tᵀ N T'.
    Transposed,
    /// T N T'.
    Mixed,
    /// Q N Q': weights reached from noise or a prior in weight space.
    Weights,
}

/// What two solutions of one [`SampledFeatures`] share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoPoint<T> {
    /// κ and κ'.
    pub kappa: (T, T),
    /// κ₁ and κ₁', the ridges seen by the sample covariance alone.
    pub sample_ridge: (T, T),
    /// t = Tr ΣGG'.
    pub trace: T,
    /// df2(κ, κ') = Tr Σ²GG'.
    pub df2: T,
    /// 1 − γ_n; 1 with infinitely many samples.
    pub one_minus_gamma_samples: T,
    /// 1 − γ_m; 1 without features.
    pub one_minus_gamma_features: T,
    n: f64,
    width: f64,
}

impl<T: Scalar> TwoPoint<T>
where
    dyn AnyStage: Stage<T>,
{
    /// From two solutions of the chain of `model`.
    pub fn new(
        model: &SampledFeatures<'_>,
        first: &Solution<T>,
        second: &Solution<T>,
    ) -> Result<Self> {
        let seen = model.chain().pair(first, second)?;
        let (n, width) = (model.samples(), model.width());
        let after_samples = seen[usize::from(n.is_finite())].ridge();
        let last = seen[seen.len() - 1].ridge();
        let kappa = (seen[0].kappa.a, seen[0].kappa.b);
        let df2 = df2(model, kappa);
        Ok(Self {
            kappa,
            sample_ridge: (after_samples.a, after_samples.b),
            trace: -seen[0].dof.ab,
            df2,
            one_minus_gamma_samples: after_samples.ab,
            one_minus_gamma_features: last.ab / after_samples.ab,
            n,
            width,
        })
    }
}

fn df2<T: Scalar>(model: &SampledFeatures<'_>, kappa: (T, T)) -> T {
    use crate::spectrum::{Resolution, Spectrum, Weight};
    let nodes = model.population().nodes(Weight::Count, Resolution::Full);
    nodes.sum(|s| ((kappa.0 + s) * (kappa.1 + s)).recip() * (s * s))
}

impl<T: Scalar> TwoPoint<T> {
    /// 1/(n(1−γ_n)). A complex number over ∞ would be NaN, times 1/∞ it is 0.
    fn by_samples(&self) -> T {
        self.one_minus_gamma_samples.recip() * self.n.recip()
    }

    /// γ_n = df2/n.
    pub fn gamma_samples(&self) -> T {
        self.df2 * self.n.recip()
    }

    /// γ_m = (df2 + κκ't²/(n(1−γ_n)))/m.
    pub fn gamma_features(&self) -> T {
        let cross = self.kappa.0 * self.kappa.1 * self.trace * self.trace;
        (self.df2 + cross * self.by_samples()) * self.width.recip()
    }

    /// θᵀ(· N ·)θ for the products of the module's list. `eigenvalues`, `operator` (the diagonal of N)
    /// and `target` (the squared coefficients of θ) have one entry per mode. At z = 0, where κ may
    /// vanish, [`Order::Weights`] is infinite unless the Hessian has full rank.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`].
    pub fn quadratic_form(
        &self,
        order: Order,
        eigenvalues: &[f64],
        operator: &[f64],
        target: &[f64],
    ) -> Result<T> {
        for (name, found) in [("operator", operator.len()), ("target", target.len())] {
            if found != eigenvalues.len() {
                return Err(Error::LengthMismatch { name, found, expected: eigenvalues.len() });
            }
        }
        let zero = T::from(0.0);
        // Σ c N s^j GG' is needed for j = 0 only; the others weigh c s^j and N s^j.
        let mut joint = zero;
        let mut target_sums = [zero; 3];
        let mut operator_sums = [zero; 3];
        // Modes with s = 0, where κκ'GG' = 1 even at κ = 0.
        let (mut joint_null, mut target_null, mut operator_null) = (0.0, 0.0, 0.0);
        for ((&s, &n), &c) in eigenvalues.iter().zip(operator).zip(target) {
            if s <= 0.0 {
                joint_null += n * c;
                target_null += c;
                operator_null += n;
                continue;
            }
            let product = ((self.kappa.0 + s) * (self.kappa.1 + s)).recip();
            joint = joint + product * (n * c);
            let mut power = 1.0;
            for j in 0..3 {
                target_sums[j] = target_sums[j] + product * (c * power);
                operator_sums[j] = operator_sums[j] + product * (n * power);
                power *= s;
            }
        }
        let kk = self.kappa.0 * self.kappa.1;
        let by_samples = self.by_samples();
        let by_features = self.one_minus_gamma_features.recip() * self.width.recip();
        let shared = self.trace * by_samples;
        let one_stage = kk * (joint + operator_sums[1] * by_samples * target_sums[1]) + joint_null;
        // κκ'(1 + AΣ)GG' and (Σ² + κκ'AΣ)GG', against target and operator.
        let inner = |sums: [T; 3], null: f64| kk * (sums[0] + shared * sums[1]) + null;
        let outer = |sums: [T; 3]| sums[2] + kk * shared * sums[1];
        Ok(match order {
            Order::Predictor => {
                one_stage + outer(target_sums) * inner(operator_sums, operator_null) * by_features
            }
            Order::Transposed => {
                one_stage + inner(target_sums, target_null) * outer(operator_sums) * by_features
            }
            Order::Mixed => {
                let decay = self.one_minus_gamma_samples;
                one_stage
                    + self.sample_ridge.0
                        * self.sample_ridge.1
                        * target_sums[1]
                        * operator_sums[1]
                        * by_features
                        / (decay * decay)
            }
            Order::Weights => {
                let both = inner(target_sums, target_null) * inner(operator_sums, operator_null);
                (one_stage + both * by_features) / (self.sample_ridge.0 * self.sample_ridge.1)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Modes, Population};
    use num_complex::Complex64;

    fn population() -> Population {
        let spectrum = Modes::PowerLaw { p: 60, alpha: 0.9, scale: 2.0, reversed: false };
        Population::new(&spectrum).unwrap()
    }

    const POINTS: [(f64, f64); 4] = [(0.3, 0.2), (-0.4, 0.05), (-1.5, 0.7), (0.01, -0.3)];
    const SIZES: [(Option<f64>, Option<f64>); 6] = [
        (Some(40.0), None),
        (Some(200.0), None),
        (None, Some(30.0)),
        (Some(40.0), Some(90.0)),
        (Some(150.0), Some(30.0)),
        (Some(60.0), Some(60.0)),
    ];

    fn each(check: impl Fn(&SampledFeatures<'_>, Complex64, Complex64, TwoPoint<Complex64>)) {
        let population = population();
        for (n, width) in SIZES {
            let model = SampledFeatures::new(&population, n, width).unwrap();
            for a in POINTS {
                for b in POINTS {
                    let (z, w) = (Complex64::new(a.0, a.1), Complex64::new(b.0, b.1));
                    let first = model.chain().solve_complex(z, None).unwrap();
                    let second = model.chain().solve_complex(w, None).unwrap();
                    check(&model, z, w, TwoPoint::new(&model, &first, &second).unwrap());
                }
            }
        }
    }

    /// 1 − γ as divided differences against γ as sums: wrong stage order or divided difference.
    #[test]
    fn gamma_identities() {
        each(|_, z, w, pair| {
            let samples = (pair.one_minus_gamma_samples + pair.gamma_samples() - 1.0).norm();
            let features = (pair.one_minus_gamma_features + pair.gamma_features() - 1.0).norm();
            let scale = 1.0 + pair.gamma_samples().norm() + pair.gamma_features().norm();
            assert!(samples < 1e-12 * scale && features < 1e-12 * scale, "{pair:?}");
            if z != w {
                let difference = pair.kappa.0 - pair.kappa.1;
                let product = pair.one_minus_gamma_samples * pair.one_minus_gamma_features;
                assert!((product - (z - w) / difference).norm() < 1e-12 * product.norm());
                let first = (pair.sample_ridge.0 - pair.sample_ridge.1) / difference;
                assert!((pair.one_minus_gamma_samples - first).norm() < 1e-12 * first.norm());
            }
        });
    }

    /// N = 1 makes every order with equal operators a difference of resolvents:
    /// T T' = zz'(T/z − T'/z')/(z' − z), exactly, and so without features all T orders; the traces of
    /// T T'ᵀ and TᵀT' agree for cyclic reasons.
    #[test]
    fn identity_operator() {
        let population = population();
        let s = population.eigenvalues();
        let ones = vec![1.0; s.len()];
        let target: Vec<f64> = (0..s.len()).map(|i| 1.0 / (1.0 + i as f64)).collect();
        each(|_, z, w, pair| {
            if z == w {
                return;
            }
            let single = |kappa: Complex64| -> Complex64 {
                s.iter().zip(&target).map(|(s, c)| kappa / (kappa + *s) * *c).sum()
            };
            let exact = (single(pair.kappa.0) * w - single(pair.kappa.1) * z) / (w - z);
            let form = |order, n: &[f64], c: &[f64]| pair.quadratic_form(order, &s, n, c).unwrap();
            let mixed = form(Order::Mixed, &ones, &target);
            assert!((mixed - exact).norm() < 1e-12 * (1.0 + exact.norm()), "{mixed} {exact}");
            if pair.width.is_infinite() {
                let predictor = form(Order::Predictor, &ones, &target);
                assert!((predictor - exact).norm() < 1e-12 * (1.0 + exact.norm()));
            }
            let traces =
                (form(Order::Predictor, &ones, &ones), form(Order::Transposed, &ones, &ones));
            assert!((traces.0 - traces.1).norm() < 1e-12 * traces.0.norm());
        });
    }

    /// Exchanging z and z' and conjugating both.
    #[test]
    fn symmetric_and_conjugate() {
        let population = population();
        let s = population.eigenvalues();
        let target: Vec<f64> = (0..s.len()).map(|i| 1.0 / (1.0 + i as f64)).collect();
        each(|model, z, w, pair| {
            let at = |z: Complex64| model.chain().solve_complex(z, None).unwrap();
            let swapped = TwoPoint::new(model, &at(w), &at(z)).unwrap();
            let conjugate = TwoPoint::new(model, &at(z.conj()), &at(w.conj())).unwrap();
            for order in [Order::Predictor, Order::Transposed, Order::Mixed, Order::Weights] {
                let value = pair.quadratic_form(order, &s, &s, &target).unwrap();
                let other = swapped.quadratic_form(order, &s, &s, &target).unwrap();
                assert!((value - other).norm() < 1e-12 * value.norm());
                let mirrored = conjugate.quadratic_form(order, &s, &s, &target).unwrap();
                assert!((value - mirrored.conj()).norm() < 1e-11 * value.norm());
            }
        });
    }
}
