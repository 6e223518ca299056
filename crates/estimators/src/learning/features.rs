//! How |r_s|², the part of the residuals that is signal, varies with the features.
//!
//! |r_s|²/n = λ²θᵀGΣ̂Gθ = λ² d(λs)/dλ with G = (Σ̂ + λ)⁻¹, s = θᵀGθ. Row by row (martingale differences,
//! two resolvents that share a growing part of the rows), for Gaussian features of any n/p,
//!
//! n λ₁λ₂ Cov(s₁, s₂) → 2c, c = W κ₁²κ₂² B²/(λ₁λ₂(1 − AW)), hence Var |r_s|² → 2nλ⁴ ∂²c/∂λ₁∂λ₂,
//!
//! where B = Σ sθ²/((s + κ₁)(s + κ₂)), A = κ₁κ₂/(nλ₁λ₂)·Σ s²/((s + κ₁)(s + κ₂)) and
//! W = κ̃₁κ̃₂/n·Tr K²/((K + κ̃₁)(K + κ̃₂)). All are divided differences of what one data set shows:
//! of b = Σ sθ²/(s + κ) = yᵀ_sQy_s/(nλ), of κD and of κ̃D = nλ/κ. As λ → ∞ this is 2nβ²,
//! β = θᵀΣθ, the variance of a sum of squares; at p = 0.7n the first order in Σ̂ − Σ misses half of it.

use crate::shrinkage::Shrinkage;

/// One ridge.
#[derive(Clone, Copy)]
struct Node {
    lambda: f64,
    kappa: f64,
    kappa_tilde: f64,
    df1: f64,
    b: f64,
}

impl Node {
    /// c of two ridges.
    fn with(&self, other: &Self, n: f64) -> f64 {
        let (kappas, lambdas) = (self.kappa * other.kappa, self.lambda * other.lambda);
        let by_kappa = (self.kappa - other.kappa).recip();
        let target = (other.b - self.b) * by_kappa;
        let squares = (self.kappa * self.df1 - other.kappa * other.df1) * by_kappa;
        let rows = (self.lambda / self.kappa - other.lambda / other.kappa)
            / (self.kappa_tilde - other.kappa_tilde);
        let w = self.kappa_tilde * other.kappa_tilde * rows;
        let overlap = kappas / (n * lambdas) * squares * w;
        w * (kappas * target).powi(2) / (lambdas * (1.0 - overlap))
    }
}

/// 2n ∂²c/∂λ₁∂λ₂, the variance of |r_s|² over λ⁴, between the two ridges in the middle.
fn variance([first, second, third, fourth]: [Node; 4], n: f64) -> f64 {
    let mixed = second.with(&first, n) - second.with(&fourth, n) - third.with(&first, n)
        + third.with(&fourth, n);
    let wide = |a: Node, b: Node| (a.lambda / b.lambda).ln();
    let square = (second.lambda * third.lambda).max(f64::MIN_POSITIVE);
    (2.0 * n * mixed / (wide(second, third) * wide(first, fourth)) / square).max(0.0)
}

/// Standard deviation over the features of |r|², relative to `expected`, at each of the ridges: those
/// beside an end have that of the nearest inside. Ridges fall; `signal` are the components of the
/// signal along the left singular vectors with eigenvalues `g`.
pub(super) fn relative_errors(
    steps: &[&Shrinkage],
    g: &[f64],
    signal: &[f64],
    expected: &[f64],
    n: usize,
) -> Vec<f64> {
    let n = n as f64;
    let nodes: Vec<Node> = steps
        .iter()
        .filter(|step| step.lambda > 0.0)
        .map_while(|step| {
            let c = step.correlated?;
            let energy = signal.iter().zip(g).map(|(s, g)| s * s / (g + step.lambda)).sum::<f64>();
            let (kappa, kappa_tilde) = (c.kappa, c.kappa_tilde);
            Some(Node { lambda: step.lambda, kappa, kappa_tilde, df1: step.df1, b: energy / n })
        })
        .collect();
    if nodes.len() < 5 {
        return vec![0.0; steps.len()];
    }
    let at = |i: usize| {
        let i = i.clamp(2, nodes.len() - 3);
        let around = [nodes[i - 2], nodes[i - 1], nodes[i + 1], nodes[i + 2]];
        // |r|² in units of unit².
        let scale = nodes[i].lambda / steps[i].unit;
        variance(around, n).sqrt() * scale * scale / expected[i]
    };
    (0..steps.len()).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::{Mat, Side};
    use rand::{Rng, SeedableRng};
    use rand_distr::StandardNormal;

    /// Isotropic features, |θ| = 1: λ = κ(1 − D/n) with D = p/(1 + κ), independent rows.
    fn isotropic(lambda: f64, n: f64, p: f64) -> Node {
        let (mut low, mut high) = (lambda, lambda + p / n + 1.0);
        for _ in 0..200 {
            let kappa = 0.5 * (low + high);
            let seen = kappa * (1.0 - p / (1.0 + kappa) / n);
            if seen < lambda { low = kappa } else { high = kappa }
        }
        let kappa = 0.5 * (low + high);
        let df1 = p / (1.0 + kappa);
        Node { lambda, kappa, kappa_tilde: n / df1 - 1.0, df1, b: 1.0 / (1.0 + kappa) }
    }

    fn predicted(lambda: f64, n: f64, p: f64) -> f64 {
        let around =
            [2.0, 1.0, -1.0, -2.0].map(|step: f64| isotropic(lambda * (0.05 * step).exp(), n, p));
        variance(around, n) * lambda.powi(4)
    }

    #[test]
    fn a_large_ridge_leaves_a_sum_of_squares() {
        let (n, p) = (300.0, 200.0);
        let ratio = predicted(1e6, n, p) / (2.0 * n);
        // The differences over steps of 0.05 add 5·0.05²/6.
        assert!((ratio - 1.0 - 0.0021).abs() < 2e-4, "{ratio}");
    }

    /// Against draws of |r_s|², on both sides of where the leading order in Σ̂ − Σ vanishes and near
    /// interpolation; a wrong factor in c would show as tens of percents. Draws, seed and the bound of
    /// four standard errors of a variance (√(2/2000) each) and 4/n are fixed here.
    #[test]
    fn variances_of_simulated_features() {
        let (n, p, draws) = (80_usize, 56_usize, 2000);
        let mut random = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(0);
        let ridges = [0.05, 0.3, 1.0, 3.0];
        let mut squares = vec![Vec::new(); ridges.len()];
        for _ in 0..draws {
            let x = Mat::from_fn(n, p, |_, _| random.sample::<f64, _>(StandardNormal));
            let gram = x.transpose() * &x * faer::Scale(1.0 / n as f64);
            let evd = gram.self_adjoint_eigen(Side::Lower).unwrap();
            // θ = e₁: |r_s|² = n Σ (λ/(g + λ))² g v₁².
            for (lambda, out) in ridges.iter().zip(&mut squares) {
                let sum: f64 = (0..p)
                    .map(|j| {
                        let g = evd.S()[j];
                        (lambda / (g + lambda) * evd.U()[(0, j)]).powi(2) * g
                    })
                    .sum();
                out.push(n as f64 * sum);
            }
        }
        for (lambda, found) in ridges.iter().zip(&squares) {
            let mean = found.iter().sum::<f64>() / draws as f64;
            let simulated =
                found.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (draws as f64 - 1.0);
            let ratio = simulated / predicted(*lambda, n as f64, p as f64);
            let bound = 4.0 * (2.0 / draws as f64).sqrt() + 4.0 / n as f64;
            assert!((ratio - 1.0).abs() < bound, "λ = {lambda}: {ratio}");
        }
    }
}
