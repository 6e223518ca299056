//! Exact spectra of two Toeplitz matrices without any matrix.

use std::f64::consts::PI;

/// Eigenvalues, largest first for ρ > 0, of the n×n Kac–Murdock–Szegő matrix ρ^|i−j|,
/// −1 < ρ < 1. `one_minus` = 1 − ρ, given separately because it carries the digits at ρ → 1.
///
/// λ = (1 − ρ²)/(1 − 2ρ cos θ + ρ²) at the frequencies of [`ar1_frequencies`]. O(n), every
/// eigenvalue to rounding.
pub fn ar1_eigenvalues(n: usize, rho: f64, one_minus: f64) -> Vec<f64> {
    ar1_frequencies(n, rho, one_minus)
        .into_iter()
        .map(|theta| one_minus * (1.0 + rho) / modulus(rho, one_minus, theta))
        .collect()
}

/// Frequencies θ_1 < … < θ_n in (0, π) of the eigenvectors of the matrix of [`ar1_eigenvalues`]:
/// the n roots of (n+1)θ + 2 arg(1 − ρ e^(−iθ)) = kπ, whose left side increases in θ. The k-th
/// eigenvector is cos((t − (n+1)/2)θ_k), t = 1 … n, for odd k and the sine of the same for even k.
pub fn ar1_frequencies(n: usize, rho: f64, one_minus: f64) -> Vec<f64> {
    let size = n as f64 + 1.0;
    let phase =
        |theta: f64| (rho * theta.sin()).atan2(one_minus + 2.0 * rho * (0.5 * theta).sin().powi(2));
    (1..=n)
        .map(|k| {
            let target = k as f64 * PI;
            let (mut low, mut high) = (0.0, PI);
            let mut theta = target / size;
            for _ in 0..100 {
                let residual = size * theta + 2.0 * phase(theta) - target;
                if residual < 0.0 {
                    low = theta
                } else {
                    high = theta
                }
                let slope = size + 2.0 * rho * (theta.cos() - rho) / modulus(rho, one_minus, theta);
                let next = theta - residual / slope;
                let next = if next > low && next < high { next } else { 0.5 * (low + high) };
                if (next - theta).abs() <= 2.0 * f64::EPSILON * theta {
                    theta = next;
                    break;
                }
                theta = next;
            }
            theta
        })
        .collect()
}

/// |1 − ρ e^(−iθ)|², without cancellation near θ = 0.
fn modulus(rho: f64, one_minus: f64, theta: f64) -> f64 {
    one_minus * one_minus + 4.0 * rho * (0.5 * theta).sin().powi(2)
}

/// Eigenvalues, largest first for b > 0, of the n×n matrix with ones on the diagonal and b/2 beside
/// it: 1 + b cos(πj/(n+1)).
pub fn nearest_neighbor_eigenvalues(n: usize, coupling: f64) -> Vec<f64> {
    (1..=n).map(|j| 1.0 + coupling * (PI * j as f64 / (n as f64 + 1.0)).cos()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// tr K = n, tr K² and tr K⁻¹ are known in closed form: a lost or doubled root breaks them.
    #[test]
    fn ar1_moments() {
        for (n, rho) in [(1, 0.5), (2, 0.9), (7, -0.4), (50, 0.1), (300, 0.9), (300, 0.99999)] {
            let k = ar1_eigenvalues(n, rho, 1.0 - rho);
            let nf = n as f64;
            let trace: f64 = k.iter().sum();
            assert!((trace / nf - 1.0).abs() < 1e-12, "n {n} rho {rho}: trace {trace}");
            let square: f64 = k.iter().map(|x| x * x).sum();
            let expected =
                nf + 2.0 * (1..n).map(|d| (n - d) as f64 * rho.powi(2 * d as i32)).sum::<f64>();
            assert!(
                (square / expected - 1.0).abs() < 1e-12,
                "n {n} rho {rho}: {square} {expected}"
            );
            if n > 1 {
                let inverse: f64 = k.iter().map(|x| 1.0 / x).sum();
                let expected = (2.0 + (nf - 2.0) * (1.0 + rho * rho)) / ((1.0 - rho) * (1.0 + rho));
                assert!(
                    (inverse / expected - 1.0).abs() < 1e-11,
                    "n {n} rho {rho}: {inverse} {expected}"
                );
            }
        }
    }

    #[test]
    fn nearest_neighbor_moments() {
        let (n, b) = (9, 0.8);
        let k = nearest_neighbor_eigenvalues(n, b);
        let square: f64 = k.iter().map(|x| x * x).sum();
        assert!((k.iter().sum::<f64>() - n as f64).abs() < 1e-13);
        assert!((square - (n as f64 + (n - 1) as f64 * b * b / 2.0)).abs() < 1e-13);
    }
}
