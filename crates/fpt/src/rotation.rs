//! Self-energy of a Haar-rotated matrix X = U D Uᵀ.
//!
//! Where X occurs m times, as Q = Σ_t A_t X B_t, it enters the Dyson equation only through the m×m
//! matrix w_ts = tr(B_t G A_s), and its self-energy is Σ_ts A_t R(w)_ts B_s with the R-transform of
//! the eigenvalues x_i taken as a matrix function (Voiculescu; Helton, Mai and Speicher 2018). R is
//! computed from
//!
//! ```text
//! avg_i T_i = 0,   T_i = (1 + Y_i w)⁻¹ Y_i,   Y_i = R − x_i,
//! ```
//!
//! which is K_ν(w) = R + w⁻¹ without the inverse: it is regular where w is singular, as it is for
//! products of resolvents, and is the coherent-potential equation of alloys (Soven 1967). Along a
//! change of w, avg P_i dR P_i = avg T_i dw T_i with P_i = (1 + Y_i w)⁻¹.
//!
//! For the certificate, let w and R have the small positive parts ρ and S at a small Hermitised
//! shift. Then avg P_i S P_i* = avg T_i ρ T_i*, and since avg P_i = 1 and P_i − 1 = −T_i w,
//!
//! ```text
//! S = avg T_i (ρ − w S w*) T_i*,   ρ − w S w* = tr((H − w) S (H − w)*) + a positive source,
//! ```
//!
//! H_ts = B_t G A_s with tr H = w: two completely positive maps, as E[Q · Q*] and G* · G are for
//! independent entries. A positive solution exists iff the spectral radius of their product is
//! below 1.

use crate::field::{Field, Number};
use crate::matrix::Matrix;

/// What determines R.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rotated<F> {
    /// Distinct eigenvalues with their fractions, which sum to 1.
    Eigenvalues(Vec<(F, F)>),
    /// R(w) = Σ_k κ_{k+1} w^k. As many terms as w has rows give every function of w, so random
    /// coefficients are generic.
    Cumulants(Vec<F>),
}

/// Newton steps for R at one w.
const STEPS: usize = 60;

impl<F: Field> Rotated<F> {
    /// The same in another field.
    pub(crate) fn map<G: Field>(&self, f: impl Fn(F) -> G) -> Rotated<G> {
        match self {
            Rotated::Eigenvalues(atoms) => {
                Rotated::Eigenvalues(atoms.iter().map(|(x, w)| (f(*x), f(*w))).collect())
            }
            Rotated::Cumulants(c) => Rotated::Cumulants(c.iter().map(|c| f(*c)).collect()),
        }
    }

    /// R(w), `None` if it was not found.
    pub(crate) fn transform(&self, w: &Matrix<F>) -> Option<Matrix<F>> {
        let m = w.rows();
        match self {
            Rotated::Cumulants(cumulants) => {
                let (mut sum, mut power) = (Matrix::zeros(m, m), Matrix::identity(m));
                for c in cumulants {
                    sum.add_block(0, 0, *c, &power);
                    power = power.product(w);
                }
                Some(sum)
            }
            Rotated::Eigenvalues(atoms) => {
                let mean = atoms.iter().fold(F::ZERO, |s, (x, f)| s + *x * *f);
                let spread = atoms.iter().fold(0.0_f64, |s, (x, _)| s.max((*x - mean).pivot()));
                let size = w.data().iter().map(|x| x.pivot()).sum::<f64>() * spread;
                if !size.is_finite() {
                    return None;
                }
                continued(atoms, w, mean, f64::min(1.0, 0.5 / size))
            }
        }
    }

    /// The m²×m² matrix of dw ↦ dR at R = R(w), both row by row.
    pub(crate) fn derivative(&self, w: &Matrix<F>, r: &Matrix<F>) -> Option<Matrix<F>> {
        let m = w.rows();
        match self {
            Rotated::Cumulants(cumulants) => {
                let mut out = Matrix::zeros(m * m, m * m);
                let mut powers = vec![Matrix::identity(m)];
                for (k, c) in cumulants.iter().enumerate().skip(1) {
                    for i in 0..k {
                        add_product(&mut out, *c, &powers[i], &powers[k - 1 - i]);
                    }
                    powers.push(powers[k - 1].product(w));
                }
                Some(out)
            }
            Rotated::Eigenvalues(atoms) => {
                let (mut left, mut right) =
                    (Matrix::zeros(m * m, m * m), Matrix::zeros(m * m, m * m));
                for (x, f) in atoms {
                    let (p, t) = responses(*x, w, r)?;
                    add_product(&mut left, *f, &p, &p);
                    add_product(&mut right, *f, &t, &t);
                }
                Some(F::invert(&left)?.product(&right))
            }
        }
    }
}

impl<F: Number> Rotated<F> {
    /// The m²×m² matrix of ρ ↦ avg T_i ρ T_i*, both row by row; `None` for cumulants.
    pub(crate) fn response(&self, w: &Matrix<F>, r: &Matrix<F>) -> Option<Matrix<F>> {
        let Rotated::Eigenvalues(atoms) = self else { return None };
        let m = w.rows();
        let mut out = Matrix::zeros(m * m, m * m);
        for (x, f) in atoms {
            let (_, t) = responses(*x, w, r)?;
            add_product(&mut out, *f, &t, &t.transposed().map(F::conj));
        }
        Some(out)
    }
}

/// P = (1 + Y w)⁻¹ and T = P Y at one eigenvalue.
fn responses<F: Field>(x: F, w: &Matrix<F>, r: &Matrix<F>) -> Option<(Matrix<F>, Matrix<F>)> {
    let one = Matrix::identity(w.rows());
    let mut y = r.clone();
    y.add_block(0, 0, -x, &one);
    let mut p = y.product(w);
    p.add_block(0, 0, F::ONE, &one);
    let p = F::invert(&p)?;
    let t = p.product(&y);
    Some((p, t))
}

/// Adds the matrix of Z ↦ c·a Z b, row by row.
fn add_product<F: Field>(out: &mut Matrix<F>, c: F, a: &Matrix<F>, b: &Matrix<F>) {
    let m = a.rows();
    for i in 0..m {
        for j in 0..m {
            for k in 0..m {
                let front = c * a.at(i, k);
                for l in 0..m {
                    *out.at_mut(i * m + j, k * m + l) += front * b.at(l, j);
                }
            }
        }
    }
}

/// R(w) from R(0) = mean along s·w: the branch that is analytic at 0. The predictor is the tangent
/// dR = (avg P_i²)⁻¹ avg T_i² dw; all matrices are functions of w and commute.
fn continued<F: Field>(atoms: &[(F, F)], w: &Matrix<F>, mean: F, first: f64) -> Option<Matrix<F>> {
    let m = w.rows();
    let mut r = Matrix::zeros(m, m);
    r.add_block(0, 0, mean, &Matrix::identity(m));
    let scaled = |s: f64| w.map(|x| x * F::from_number(s));
    let mut s = first;
    r = settle(atoms, &scaled(s), r)?;
    let mut growth: f64 = 2.0;
    while s < 1.0 {
        let next = f64::min(1.0, s * growth);
        let here = scaled(s);
        let (mut slope, mut drive) = (Matrix::zeros(m, m), Matrix::zeros(m, m));
        for (x, f) in atoms {
            let (p, t) = responses(*x, &here, &r)?;
            slope.add_block(0, 0, *f, &p.product(&p));
            drive.add_block(0, 0, *f, &t.product(&t));
        }
        let tangent = F::invert(&slope)?.product(&drive).product(&here);
        let mut guess = r.clone();
        guess.add_block(0, 0, F::from_number(next / s - 1.0), &tangent);
        match settle(atoms, &scaled(next), guess) {
            Some(found) => {
                (r, s) = (found, next);
                growth = f64::min(2.0, growth * growth);
            }
            None => growth = growth.sqrt(),
        }
        if growth < 1.0 + 1e-3 {
            return None;
        }
    }
    Some(r)
}

/// Largest change of a factor 1 + Y_i w in the first Newton step: beyond it the guess may belong to
/// another branch.
const NEAR: f64 = 0.5;

/// Newton's method for avg T_i = 0, with step −(avg P_i²)⁻¹ avg T_i; `None` if the guess is not near.
fn settle<F: Field>(atoms: &[(F, F)], w: &Matrix<F>, mut r: Matrix<F>) -> Option<Matrix<F>> {
    let m = w.rows();
    let size = |a: &Matrix<F>| a.data().iter().fold(0.0_f64, |s, x| s.max(x.pivot()));
    let mut best = f64::INFINITY;
    for count in 0..STEPS {
        let (mut slope, mut value) = (Matrix::zeros(m, m), Matrix::zeros(m, m));
        let mut factors = Vec::with_capacity(atoms.len());
        for (x, f) in atoms {
            let (p, t) = responses(*x, w, &r)?;
            slope.add_block(0, 0, *f, &p.product(&p));
            value.add_block(0, 0, *f, &t);
            factors.push(p);
        }
        let step = F::invert(&slope)?.product(&value);
        if count == 0 {
            let moved = step.product(w);
            if factors.iter().any(|p| size(&p.product(&moved)) > NEAR) {
                return None;
            }
        }
        r.add_block(0, 0, -F::ONE, &step);
        let (step, scale) = (size(&step), size(&r));
        if !step.is_finite() {
            return None;
        }
        // Down to rounding: where steps are small and no longer shrink.
        if step <= 4.0 * f64::EPSILON * scale || (step < 1e-9 * scale && step >= best) {
            return Some(r);
        }
        best = step;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wigner(n: usize) -> Rotated<f64> {
        // Quantiles of the semicircle law on [−2, 2]: R(w) = w.
        let quantile = |k: usize| {
            let target = (k as f64 + 0.5) / n as f64;
            let (mut low, mut high) = (-2.0_f64, 2.0_f64);
            for _ in 0..60 {
                let x = 0.5 * (low + high);
                let below = 0.5
                    + x * (4.0 - x * x).sqrt() / (4.0 * std::f64::consts::PI)
                    + (x / 2.0).asin() / std::f64::consts::PI;
                if below < target { low = x } else { high = x }
            }
            0.5 * (low + high)
        };
        Rotated::Eigenvalues((0..n).map(|k| (quantile(k), 1.0 / n as f64)).collect())
    }

    /// A projection of rank α: R(w) = (w − 1 + √((w−1)² + 4αw))/(2w).
    #[test]
    fn projections_have_the_known_transform() {
        let alpha = 0.3;
        let law = Rotated::Eigenvalues(vec![(1.0, alpha), (0.0, 1.0 - alpha)]);
        for w in [-30.0, -1.0, -1e-9, 0.4, 5.0, 1e4] {
            let r = law.transform(&Matrix::from_fn(1, 1, |_, _| w)).unwrap().at(0, 0);
            // The root without cancellation: 2α/(1 − w + √…) for w < 1.
            let root: f64 = ((w - 1.0_f64).powi(2) + 4.0 * alpha * w).sqrt();
            let expected =
                if w < 1.0 { 2.0 * alpha / (1.0 - w + root) } else { (w - 1.0 + root) / (2.0 * w) };
            assert!((r / expected - 1.0).abs() < 1e-12, "w = {w}: {r} {expected}");
        }
    }

    /// A triangular w as products of resolvents have it: the corner of R(w) is a divided difference.
    #[test]
    fn matrix_arguments_give_divided_differences() {
        let law = Rotated::Eigenvalues(vec![(2.0, 0.25), (0.5, 0.5), (-1.0, 0.25)]);
        let scalar = |x: f64| law.transform(&Matrix::from_fn(1, 1, |_, _| x)).unwrap().at(0, 0);
        let (a, b) = (-0.4, -0.1);
        let w = Matrix::from_fn(2, 2, |i, j| [[a, 3.0], [0.0, b]][i][j]);
        let r = law.transform(&w).unwrap();
        let slope = (scalar(a) - scalar(b)) / (a - b);
        assert!((r.at(0, 1) - 3.0 * slope).abs() < 1e-13 && r.at(1, 0).abs() < 1e-15, "{r:?}");
        // Singular and nilpotent: R(0) on the diagonal, R'(0) above.
        let w = Matrix::from_fn(2, 2, |i, j| if (i, j) == (0, 1) { 1.0 } else { 0.0 });
        let r = law.transform(&w).unwrap();
        let variance = 0.25 * 4.0 + 0.5 * 0.25 + 0.25 - 0.25;
        assert!((r.at(0, 0) - 0.5).abs() < 1e-15 && (r.at(0, 1) - variance).abs() < 1e-14);
    }

    /// For the semicircle R(w) = w, whatever the matrix, up to the width of the quantiles.
    #[test]
    fn semicircle_is_linear() {
        let w = Matrix::from_fn(2, 2, |i, j| [[0.3, -0.2], [0.1, 0.25]][i][j]);
        let law = wigner(4000);
        let r = law.transform(&w).unwrap();
        for (x, y) in r.data().iter().zip(w.data()) {
            assert!((x - y).abs() < 1e-4, "{r:?}");
        }
    }

    #[test]
    fn derivatives_match_differences() {
        let laws = [
            Rotated::Eigenvalues(vec![(2.0, 0.25), (0.5, 0.5), (-1.0, 0.25)]),
            Rotated::Cumulants(vec![0.3, 1.0, -0.4, 0.2]),
        ];
        for law in laws {
            let w = Matrix::from_fn(2, 2, |i, j| [[-0.4, 0.3], [-0.2, -0.1]][i][j]);
            let r = law.transform(&w).unwrap();
            let derivative = law.derivative(&w, &r).unwrap();
            for k in 0..4 {
                let moved = |h: f64| {
                    let mut w = w.clone();
                    *w.at_mut(k / 2, k % 2) += h;
                    law.transform(&w).unwrap()
                };
                let (up, down) = (moved(1e-5), moved(-1e-5));
                for e in 0..4 {
                    let difference = (up.data()[e] - down.data()[e]) / 2e-5;
                    // Truncation 1e-10, rounding 1e-15/1e-5.
                    assert!((derivative.at(e, k) - difference).abs() < 1e-8, "{e} {k}");
                }
            }
        }
    }
}
