//! Spectral compression: a spectrum of any size becomes ~150 nodes that reproduce every smooth
//! functional of real κ > 0 to rounding.
//!
//! f(s) = (s/(s+κ))^j is analytic in ln s in the strip |Im| < π. Eigenvalues are binned one e-fold
//! wide and each bin is replaced by the m-point Gauss rule of its own discrete measure (Stieltjes
//! procedure in ln s), which errs by at most 4.3·M·ρ^(−2m) of the bin's weight times sup |f|, with
//! ρ = 10.5 the largest Bernstein ellipse on which |f| ≤ M·f holds with M = 16. Laws that are smooth in the mode index
//! (power laws) never list their eigenvalues: Σ_i f(i) over a block of consecutive integers is a
//! Gauss rule for the discrete uniform measure, whose recurrence is known in closed form.

/// Gauss points per bin.
const POINTS: usize = 8;

/// Relative error bound of the Gauss rules above for POINTS = 8 (4.3 · 16 · 10.5^−16, and the
/// index rule's ρ = 8: 4.3 · 8^−16 · 4), as reported with compressed nodes.
pub(crate) const ERROR_BOUND: f64 = 6e-14;

/// Modes of a smooth law that are kept one by one before blocks start: i = 0 is a singular point
/// and the blocks must stay away from it relative to their length.
const HEAD: usize = 64;

/// Nodes and weights of the Gauss rule whose orthonormal polynomials have diagonal `alpha` and
/// squared off-diagonal `beta[1..]`; total mass `beta[0]`. Implicit QL on the Jacobi matrix,
/// tracking the first components of the eigenvectors (Golub–Welsch).
pub(crate) fn gauss_from_jacobi(alpha: &[f64], beta: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let n = alpha.len();
    let mut d = alpha.to_vec();
    let mut e: Vec<f64> =
        (0..n).map(|i| if i + 1 < n { beta[i + 1].sqrt() } else { 0.0 }).collect();
    let mut z = vec![0.0; n];
    z[0] = 1.0;
    for l in 0..n {
        for _ in 0..60 {
            let m = (l..n)
                .find(|&m| m + 1 == n || e[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs()))
                .unwrap_or(n - 1);
            if m == l {
                break;
            }
            let mut g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let mut r = g.hypot(1.0);
            g = d[m] - d[l] + e[l] / (g + r.copysign(g));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            for i in (l..m).rev() {
                let f = s * e[i];
                let b = c * e[i];
                r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    d[i + 1] -= p;
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
            d[l] -= p;
            e[l] = g;
            e[m] = 0.0;
        }
    }
    let weights = z.iter().map(|x| beta[0] * x * x).collect();
    (d, weights)
}

/// Indices in [1, p] and weights such that Σ w f(i) = Σ_{i=1}^p f(i) for functions f of the form
/// i^β (s/(s+κ))^j with s ∝ i^−α.
pub(crate) fn index_nodes(p: usize, alpha: f64) -> (Vec<f64>, Vec<f64>) {
    // Poles of s/(s+κ) lie at arg i = ±π/α: blocks get shorter as they come closer than the origin.
    let opening = if alpha.abs() > 2.0 { (std::f64::consts::PI / alpha.abs()).sin() } else { 1.0 };
    let ratio = 1.0 + 0.65 * opening;
    let head = p.min(HEAD.max((POINTS as f64 / (ratio - 1.0)) as usize));
    let mut index: Vec<f64> = (1..=head).map(|i| i as f64).collect();
    let mut weight = vec![1.0; head];
    let mut start = head as f64 + 1.0;
    let end = p as f64 + 1.0;
    while start < end {
        let stop = (start * ratio).ceil().min(end);
        let count = stop - start;
        let m = (POINTS as f64).min(count) as usize;
        let alpha = vec![start + 0.5 * (count - 1.0); m];
        let beta: Vec<f64> = (0..m)
            .map(|k| {
                let k2 = (k * k) as f64;
                if k == 0 { count } else { k2 * (count * count - k2) / (4.0 * (4.0 * k2 - 1.0)) }
            })
            .collect();
        let (x, w) = gauss_from_jacobi(&alpha, &beta);
        index.extend(x);
        weight.extend(w);
        start = stop;
    }
    (index, weight)
}

/// Σ_{i=1}^p i^exponent.
pub(crate) fn sum_power(p: usize, exponent: f64) -> f64 {
    let (i, w) = index_nodes(p, 1.0);
    i.iter().zip(&w).map(|(i, w)| w * i.powf(exponent)).sum()
}

/// Replaces atoms (s > 0, w ≥ 0) sorted by descending s by Gauss nodes, bin by bin.
pub(crate) fn compress(s: &[f64], w: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut nodes, mut weights) = (Vec::new(), Vec::new());
    let mut from = 0;
    let mut bin = Bin::default();
    while from < s.len() {
        let floor = s[from] * (-1.0_f64).exp();
        let to = from + s[from..].partition_point(|&x| x > floor);
        if to - from <= 2 * POINTS {
            nodes.extend_from_slice(&s[from..to]);
            weights.extend_from_slice(&w[from..to]);
        } else {
            bin.gauss(&s[from..to], &w[from..to], &mut nodes, &mut weights);
        }
        from = to;
    }
    (nodes, weights)
}

/// Work space of the Stieltjes procedure, reused from bin to bin.
#[derive(Default)]
struct Bin {
    x: Vec<f64>,
    current: Vec<f64>,
    previous: Vec<f64>,
}

impl Bin {
    fn gauss(&mut self, s: &[f64], w: &[f64], nodes: &mut Vec<f64>, weights: &mut Vec<f64>) {
        // ln s relative to the middle of the bin, so that nodes come back without cancellation.
        let centre = s[0] * (-0.5_f64).exp();
        self.x.clear();
        self.x.extend(s.iter().map(|s| (s / centre).ln()));
        self.current.clear();
        self.current.resize(s.len(), 1.0);
        self.previous.clear();
        self.previous.resize(s.len(), 0.0);
        let (mut alpha, mut beta) = (Vec::with_capacity(POINTS), Vec::with_capacity(POINTS));
        let mut norm_before = 1.0;
        for k in 0..POINTS {
            let (norm, moment) = norms(&self.x, w, &self.current);
            // An exhausted measure (few distinct eigenvalues in the bin): the rule is exact.
            let ratio = if k == 0 { norm } else { norm / norm_before };
            if norm <= 0.0 || (k > 0 && ratio < 1e-26) {
                break;
            }
            let a = moment / norm;
            let b = if k == 0 { 0.0 } else { ratio };
            alpha.push(a);
            beta.push(ratio);
            for ((x, current), previous) in
                self.x.iter().zip(&mut self.current).zip(&mut self.previous)
            {
                let next = (x - a) * *current - b * *previous;
                *previous = *current;
                *current = next;
            }
            norm_before = norm;
        }
        if alpha.is_empty() {
            return;
        }
        let (x, w) = gauss_from_jacobi(&alpha, &beta);
        nodes.extend(x.iter().map(|x| centre * x.exp()));
        weights.extend(w);
    }
}

/// Σ w q² and Σ w x q², with eight running sums each so that the loop vectorises.
fn norms(x: &[f64], w: &[f64], q: &[f64]) -> (f64, f64) {
    const LANES: usize = 8;
    let (mut norm, mut moment) = ([0.0; LANES], [0.0; LANES]);
    let whole = x.len() / LANES * LANES;
    for ((x, w), q) in x[..whole]
        .chunks_exact(LANES)
        .zip(w[..whole].chunks_exact(LANES))
        .zip(q[..whole].chunks_exact(LANES))
    {
        for i in 0..LANES {
            let square = w[i] * q[i] * q[i];
            norm[i] += square;
            moment[i] += x[i] * square;
        }
    }
    for i in whole..x.len() {
        let square = w[i] * q[i] * q[i];
        norm[0] += square;
        moment[0] += x[i] * square;
    }
    (norm.iter().sum(), moment.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(s: impl Iterator<Item = (f64, f64)> + Clone, kappa: f64) -> [f64; 3] {
        // Compensated, so that the reference itself is good to rounding.
        let f = |g: &dyn Fn(f64) -> f64| {
            let (mut sum, mut lost) = (0.0_f64, 0.0);
            for (s, w) in s.clone() {
                let term = w * g(s);
                let next = sum + term;
                lost +=
                    if sum.abs() >= term.abs() { (sum - next) + term } else { (term - next) + sum };
                sum = next;
            }
            sum + lost
        };
        [
            f(&|s| s / (s + kappa)),
            f(&|s| (s / (s + kappa)).powi(2)),
            f(&|s| s * kappa / (s + kappa).powi(2)),
        ]
    }

    fn worst(full: &[f64], weight: &[f64], nodes: &(Vec<f64>, Vec<f64>)) -> f64 {
        let mut worst = 0.0_f64;
        for power in -12..6 {
            let kappa = 10.0_f64.powf(power as f64 * 0.8);
            let exact = sums(full.iter().copied().zip(weight.iter().copied()), kappa);
            let ours = sums(nodes.0.iter().copied().zip(nodes.1.iter().copied()), kappa);
            for (a, b) in exact.iter().zip(ours) {
                worst = worst.max((a / b - 1.0).abs());
            }
        }
        worst
    }

    #[test]
    fn compressed_sums_equal_full_sums() {
        let p = 100_000;
        for alpha in [0.3, 1.0, 1.5, 3.0] {
            let full: Vec<f64> = (1..=p).map(|i| (i as f64).powf(-alpha)).collect();
            let ones = vec![1.0; p];
            let target: Vec<f64> = (1..=p).map(|i| (i as f64).powf(-0.7)).collect();
            let listed = compress(&full, &ones);
            assert!(listed.0.len() < 40 + 20 * (alpha * 12.0) as usize, "{} nodes", listed.0.len());
            println!("{alpha} {:e}", worst(&full, &ones, &listed));
            assert!(
                worst(&full, &ones, &listed) < 4e-13,
                "alpha {alpha}: {:e}",
                worst(&full, &ones, &listed)
            );
            let with_target = compress(&full, &target);
            assert!(
                worst(&full, &target, &with_target) < 4e-13,
                "alpha {alpha}: {:e}",
                worst(&full, &target, &with_target)
            );
            let (i, w) = index_nodes(p, alpha);
            let by_index = (i.iter().map(|i| i.powf(-alpha)).collect(), w);
            assert!(
                worst(&full, &ones, &by_index) < 4e-13,
                "alpha {alpha}: {:e}",
                worst(&full, &ones, &by_index)
            );
        }
    }

    /// Clusters inside one bin exhaust the Stieltjes procedure; it must stop, not divide by zero.
    #[test]
    fn repeated_eigenvalues_in_a_bin() {
        let mut full: Vec<f64> = (0..3000).map(|i| 1.0 + 0.3 * (i % 3) as f64).collect();
        full.sort_by(|a, b| b.total_cmp(a));
        let ones = vec![1.0; full.len()];
        assert!(worst(&full, &ones, &compress(&full, &ones)) < 1e-13);
    }

    #[test]
    fn power_sums() {
        assert!((sum_power(1000, -1.0) / 7.485_470_860_550_345 - 1.0).abs() < 1e-14);
        assert_eq!(sum_power(10, 1.0), 55.0);
        let p = 1_000_000_000_usize;
        assert!((sum_power(p, 1.0) / (0.5 * p as f64 * (p as f64 + 1.0)) - 1.0).abs() < 1e-13);
    }
}
