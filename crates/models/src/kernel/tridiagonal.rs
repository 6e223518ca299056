//! Symmetric tridiagonal matrices: the inverse of a Markov chain's correlation, solves, eigenvalues.

/// Diagonal and off-diagonal of K⁻¹ of a Markov chain.
pub(super) fn precision(decay: &[f64], innovation: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut diagonal = vec![1.0; decay.len() + 1];
    let mut beside = Vec::with_capacity(decay.len());
    for (t, (rho, fresh)) in decay.iter().zip(innovation).enumerate() {
        diagonal[t] += rho * rho / fresh;
        diagonal[t + 1] += rho * rho / fresh;
        beside.push(-rho / fresh);
    }
    (diagonal, beside)
}

/// Solves a symmetric positive definite tridiagonal system.
pub(super) fn tridiagonal_solve(diagonal: &[f64], beside: &[f64], v: &[f64]) -> Vec<f64> {
    let n = v.len();
    let mut pivot = diagonal.to_vec();
    let mut out = v.to_vec();
    for t in 1..n {
        let factor = beside[t - 1] / pivot[t - 1];
        pivot[t] -= factor * beside[t - 1];
        out[t] -= factor * out[t - 1];
    }
    out[n - 1] /= pivot[n - 1];
    for t in (0..n - 1).rev() {
        out[t] = (out[t] - beside[t] * out[t + 1]) / pivot[t];
    }
    out
}

/// Eigenvalues of a symmetric tridiagonal matrix by implicit QL, and the product of the all-ones
/// vector with each eigenvector; `None` if an eigenvalue needs more than 60 sweeps.
pub(super) fn tridiagonal_eigenvalues(
    mut d: Vec<f64>,
    beside: Vec<f64>,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let n = d.len();
    let mut z = vec![1.0; n];
    let mut e = beside;
    e.push(0.0);
    for l in 0..n {
        let mut sweeps = 0;
        loop {
            let m = (l..n)
                .find(|&m| m + 1 == n || e[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs()))
                .unwrap_or(n - 1);
            if m == l {
                break;
            }
            sweeps += 1;
            if sweeps > 60 {
                return None;
            }
            let mut g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let mut r = g.hypot(1.0);
            g = d[m] - d[l] + e[l] / (g + r.copysign(g));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut deflated = false;
            for i in (l..m).rev() {
                let (f, b) = (s * e[i], c * e[i]);
                r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    d[i + 1] -= p;
                    e[m] = 0.0;
                    deflated = true;
                    break;
                }
                s = f / r;
                c = g / r;
                g = d[i + 1] - p;
                r = (d[i] - g) * s + 2.0 * c * b;
                p = s * r;
                d[i + 1] = g + p;
                g = c * r - b;
                let f = z[i + 1];
                z[i + 1] = s * z[i] + c * f;
                z[i] = c * z[i] - s * f;
            }
            if deflated {
                continue;
            }
            d[l] -= p;
            e[l] = g;
            e[m] = 0.0;
        }
    }
    Some((d, z))
}
