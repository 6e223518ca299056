//! The chain against closed forms.

use num_complex::Complex64;
use rmt_core::{
    Activation, AnyStage, CorrelatedSamples, DeterministicEquivalent, Modes, Population, Samples,
    Spectrum, Width,
};

fn close(a: f64, b: f64, rtol: f64, what: &str) {
    assert!(
        (a - b).abs() <= rtol * b.abs().max(a.abs()),
        "{what}: {a:e} against {b:e}, off by {:e}",
        a / b - 1.0
    );
}

fn isotropic(p: usize, s: f64) -> Population {
    Population::new(&Modes::Constant { p, value: s }).unwrap()
}

fn iid(n: f64) -> Vec<Box<dyn AnyStage>> {
    vec![Box::new(Samples::new(n).unwrap())]
}

/// κ = [b + √(b² + 4λs)]/2, b = λ − s(1 − p/n); the conjugate form where b < 0.
#[test]
fn isotropic_ridge() {
    for (p, n) in [(200, 400.0), (400, 200.0), (300, 300.0), (1, 7.0), (50, 51.0)] {
        let (s, g) = (2.0, p as f64 / n);
        let population = isotropic(p, s);
        let chain = DeterministicEquivalent::new(&population, iid(n)).unwrap();
        for power in -15..4 {
            let lambda = 10f64.powi(power);
            let b = lambda - s * (1.0 - g);
            let root = (b * b + 4.0 * lambda * s).sqrt();
            let exact = if b > 0.0 { 0.5 * (b + root) } else { 2.0 * lambda * s / (root - b) };
            let solution = chain.solve(lambda).unwrap();
            close(solution.kappa(), exact, 4e-15, "kappa");
            assert!(
                solution.diagnostics.iterations < 12,
                "{} steps",
                solution.diagnostics.iterations
            );
            // dκ/dλ = 1/(1 − γ), γ = (p/n)/(1 + κ/s)²; 1 − γ from the closed form by κ' of the quadratic.
            let slope = (exact + s) / (2.0 * exact - b);
            close(solution.one_minus_gamma(), 1.0 / slope, 4e-15, "1 − γ");
        }
    }
}

/// A random layer and samples on Σ = I obey a cubic: k³ + (2−A−B−λ)k² + ((1−A)(1−B)−2λ)k − λ = 0.
#[test]
fn isotropic_random_features_cubic() {
    let (p, n, m) = (150, 120.0, 90.0);
    let population = isotropic(p, 1.0);
    let stages: Vec<Box<dyn AnyStage>> =
        vec![Box::new(Width::new(m).unwrap()), Box::new(Samples::new(n).unwrap())];
    let chain = DeterministicEquivalent::new(&population, stages).unwrap();
    let (a, b) = (p as f64 / m, p as f64 / n);
    for lambda in [1e-12, 1e-6, 0.05, 3.0] {
        let k = chain.solve(lambda).unwrap().kappa();
        let cubic =
            ((k + 2.0 - a - b - lambda) * k + (1.0 - a) * (1.0 - b) - 2.0 * lambda) * k - lambda;
        assert!(cubic.abs() < 1e-14 * (1.0 + k * k * k), "λ = {lambda}: residual {cubic:e}");
    }
    // λ = 0: df1(κ) = m.
    let zero = chain.solve(0.0).unwrap();
    close(zero.dof(), m, 1e-14, "df1 at λ = 0");
    assert_eq!(zero.ridge_after(1), 0.0);
}

/// Swapping data and features changes nothing that the population sees; nor does the order of widths.
#[test]
fn stages_commute() {
    let population =
        Population::new(&Modes::PowerLaw { p: 300, alpha: 1.3, scale: 1.0, reversed: false })
            .unwrap();
    let solve = |sizes: &[f64], lambda: f64| {
        let stages =
            sizes.iter().map(|n| Box::new(Width::new(*n).unwrap()) as Box<dyn AnyStage>).collect();
        DeterministicEquivalent::new(&population, stages).unwrap().solve(lambda).unwrap()
    };
    for lambda in [1e-20, 1e-9, 1e-3, 10.0] {
        let reference = solve(&[100.0, 150.0, 220.0], lambda);
        for order in [[150.0, 220.0, 100.0], [220.0, 100.0, 150.0]] {
            let other = solve(&order, lambda);
            close(other.kappa(), reference.kappa(), 1e-14, "kappa");
            close(other.elasticity(), reference.elasticity(), 1e-13, "elasticity");
        }
    }
}

/// Correlated rows with 𝐊 = I are independent rows, and (Σ, κ) ↔ (𝐊, κ̃) is a symmetry.
#[test]
fn correlated_rows() {
    let population =
        Population::new(&Modes::PowerLaw { p: 90, alpha: 0.9, scale: 1.0, reversed: false })
            .unwrap();
    for n in [60usize, 90, 140] {
        let independent = DeterministicEquivalent::new(&population, iid(n as f64)).unwrap();
        let identity: Vec<Box<dyn AnyStage>> =
            vec![Box::new(CorrelatedSamples::new(&vec![1.0; n]).unwrap())];
        let correlated = DeterministicEquivalent::new(&population, identity).unwrap();
        for lambda in [0.0, 1e-14, 1e-6, 0.1, 30.0] {
            let (a, b) = (independent.solve(lambda).unwrap(), correlated.solve(lambda).unwrap());
            close(b.kappa(), a.kappa(), 1e-14, "kappa");
            close(b.one_minus_gamma(), a.one_minus_gamma(), 1e-13, "1 − γ");
        }
    }
    // Duality: rows with spectrum k and columns with spectrum s, Tr k = n: λ·n/p is the ridge of the swapped problem.
    let k: Vec<f64> = rmt_core::ar1_eigenvalues(70, 0.8, 0.2);
    let s = population.eigenvalues();
    let (n, p) = (k.len() as f64, s.len() as f64);
    let chain = |spectrum: &[f64], rows: &[f64]| {
        let population = Population::new(&Modes::Explicit(spectrum.to_vec())).unwrap();
        let stage: Vec<Box<dyn AnyStage>> = vec![Box::new(CorrelatedSamples::new(rows).unwrap())];
        (population, stage)
    };
    for lambda in [1e-12, 1e-3, 1.0] {
        let (spectrum, stages) = chain(&s, &k);
        let direct =
            DeterministicEquivalent::new(&spectrum, stages).unwrap().solve(lambda).unwrap();
        let (spectrum, stages) = chain(&k, &s);
        let swapped =
            DeterministicEquivalent::new(&spectrum, stages).unwrap().solve(lambda * n / p).unwrap();
        let inner = n * lambda / (direct.kappa() * direct.dof());
        close(swapped.kappa(), inner, 1e-13, "κ̃");
        close(swapped.dof(), direct.dof(), 1e-13, "df");
    }
}

/// Ties, λ tiny: κ against 40-digit values of the root (bisection in exact rational arithmetic is not
/// needed, isotropic ties have κ = [λ + √(λ² + 4λs)]/2).
#[test]
fn ties_keep_all_digits() {
    let population = isotropic(64, 3.0);
    let chain = DeterministicEquivalent::new(&population, iid(64.0)).unwrap();
    for lambda in [1e-300_f64, 1e-30, 1e-12] {
        let exact = 0.5 * (lambda + (lambda * (lambda + 12.0)).sqrt());
        close(chain.solve(lambda).unwrap().kappa(), exact, 1e-15, "kappa at p = n");
    }
}

/// One nonlinear layer: λ = k(1 − D/m)(1 − D/n) with D = df1 + τ/k; as m → ∞ the tail is an extra ridge τ/n.
#[test]
fn activation_is_an_extra_ridge_in_the_kernel_limit() {
    let population = isotropic(100, 1.0);
    let (n, gain, tail, lambda) = (80.0, 0.25, 0.09, 1e-3);
    let chain = |width: Option<f64>| {
        let mut stages: Vec<Box<dyn AnyStage>> =
            vec![Box::new(Activation::new(gain, tail).unwrap())];
        if let Some(m) = width {
            stages.push(Box::new(Width::new(m).unwrap()));
        }
        stages.push(Box::new(Samples::new(n).unwrap()));
        DeterministicEquivalent::new(&population, stages).unwrap().solve(lambda).unwrap()
    };
    let kernel = chain(None);
    let linear = isotropic(100, gain);
    let shifted =
        DeterministicEquivalent::new(&linear, iid(n)).unwrap().solve(lambda + tail / n).unwrap();
    close(kernel.ridge_after(1), shifted.kappa(), 1e-13, "kernel limit");
    close(chain(Some(1e12)).kappa(), kernel.kappa(), 1e-10, "wide limit");
    let finite = chain(Some(60.0));
    let k = finite.ridge_after(1);
    let dof = 100.0 * gain / (gain + k) + tail / k;
    close(finite.dof(), dof, 1e-14, "dof with tail");
    close(k * (1.0 - dof / 60.0) * (1.0 - dof / n), lambda, 1e-12, "chain equation");
}

/// Marchenko–Pastur: density on the axis itself, Stieltjes transform off it.
#[test]
fn marchenko_pastur() {
    for (p, n, s) in [(200usize, 400.0, 1.0), (400, 200.0, 2.0), (100, 100.0, 1.0)] {
        let population = isotropic(p, s);
        let chain = DeterministicEquivalent::new(&population, iid(n)).unwrap();
        let g = p as f64 / n;
        let (low, high) = (s * (1.0 - g.sqrt()).powi(2), s * (1.0 + g.sqrt()).powi(2));
        let points: Vec<f64> = (1..40).map(|i| low + (high - low) * i as f64 / 40.0).collect();
        for (x, density) in points.iter().zip(chain.density(&points).unwrap()) {
            let exact = ((high - x) * (x - low)).sqrt() / (2.0 * std::f64::consts::PI * g * s * x);
            close(density, exact, 1e-12, "density");
        }
        assert_eq!(chain.density(&[high * 1.1]).unwrap()[0], 0.0);
        let z = Complex64::new(0.7, 0.05);
        let m = chain.stieltjes(&chain.solve_complex(-z, None).unwrap());
        // g s z m² + (z − s(1 − g)) m + 1 = 0.
        let residual = m * m * z * g * s + m * (z - s * (1.0 - g)) + 1.0;
        assert!(residual.norm() < 1e-13, "{residual}");
    }
}

/// Compression must not change a solution, and 10⁹ modes must not be listed.
#[test]
fn compressed_power_law() {
    let p = 20_000;
    let list: Vec<f64> = (1..=p).map(|i| (i as f64).powf(-1.2)).collect();
    let listed = Population::new(&Modes::Explicit(list.clone())).unwrap();
    let law =
        Population::new(&Modes::PowerLaw { p, alpha: 1.2, scale: 1.0, reversed: false }).unwrap();
    for lambda in [0.0, 1e-9, 1e-3] {
        let a = DeterministicEquivalent::new(&listed, iid(500.0)).unwrap().solve(lambda).unwrap();
        let b = DeterministicEquivalent::new(&law, iid(500.0)).unwrap().solve(lambda).unwrap();
        close(a.kappa(), b.kappa(), 1e-12, "kappa");
        let full: f64 = list.iter().map(|s| s / (s + a.kappa())).sum();
        close(a.dof(), full, 1e-12, "df1");
    }
    let huge = Population::new(&Modes::PowerLaw {
        p: 1_000_000_000,
        alpha: 1.5,
        scale: 1.0,
        reversed: false,
    })
    .unwrap();
    let chain = DeterministicEquivalent::new(&huge, iid(1e5)).unwrap();
    let c = std::f64::consts::PI / 1.5;
    // Ridgeless: Σ_{i≥1} 1/(1 + κ i^α) = (π/α)/sin(π/α) κ^(−1/α) − ½ + O(κ) (Euler–Maclaurin), less the
    // tail beyond p, ∫_p^∞ i^−α/κ di up to its second order.
    let kappa = chain.solve(0.0).unwrap().kappa();
    let whole = c / c.sin() * kappa.powf(-1.0 / 1.5) - 0.5;
    let (first, second) =
        (2.0 * 1e9_f64.powf(-0.5) / kappa, 0.5 * 1e9_f64.powi(-2) / (kappa * kappa));
    close(whole - first + second, 1e5, 1e-8, "continuum");
    assert_eq!(huge.dimension(), 1e9);
}

/// Two-point identities through the pair of two solutions: (κ₁−κ₁')/(κ−κ') and its like.
#[test]
fn pairs_are_divided_differences() {
    let population =
        Population::new(&Modes::PowerLaw { p: 120, alpha: 1.1, scale: 1.0, reversed: false })
            .unwrap();
    let stages: Vec<Box<dyn AnyStage>> =
        vec![Box::new(Width::new(80.0).unwrap()), Box::new(Samples::new(100.0).unwrap())];
    let chain = DeterministicEquivalent::new(&population, stages).unwrap();
    let z = Complex64::new(-0.2, 0.3);
    let w = Complex64::new(0.05, 0.1);
    let (a, b) = (chain.solve_complex(z, None).unwrap(), chain.solve_complex(w, None).unwrap());
    let pair = chain.pair(&a, &b).unwrap();
    for j in 0..3 {
        let difference = (a.ridge_after(j) - b.ridge_after(j)) / (a.kappa() - b.kappa());
        assert!((pair[j].ridge().ab - difference).norm() < 1e-12 * difference.norm(), "stage {j}");
    }
    let df2 = population
        .eigenvalues()
        .iter()
        .map(|s| s / (a.kappa() + s) * s / (b.kappa() + s))
        .sum::<Complex64>();
    // Data as the first level would give 1 − df2/n; features first give 1 − df2/m.
    let expected = Complex64::from(1.0) - df2 / 80.0;
    assert!((pair[1].ridge().ab - expected).norm() < 1e-13);
}

/// Edges: Marchenko–Pastur in closed form, gaps as the zeros of the density, duality of rows and columns.
#[test]
fn support_edges() {
    use rmt_core::{Resolution, SampleCovariance, Weight};
    for (p, n) in [(200usize, 400.0), (400, 200.0), (300, 300.0)] {
        let population = isotropic(p, 2.0);
        let edges = SampleCovariance::independent(&population, n).edges();
        let root = (p as f64 / n).sqrt();
        let exact = [2.0 * (1.0 - root).powi(2), 2.0 * (1.0 + root).powi(2)];
        assert_eq!(edges.len(), 2);
        assert!((edges[0] - exact[0]).abs() < 1e-13, "{edges:?} {exact:?}");
        close(edges[1], exact[1], 1e-13, "upper edge");
    }
    let levels = Modes::Levels { values: vec![10.0, 0.1], counts: vec![60, 180] };
    let population = Population::new(&levels).unwrap();
    let edges = SampleCovariance::independent(&population, 480.0).edges();
    assert_eq!(edges.len(), 4, "{edges:?}");
    let chain = DeterministicEquivalent::new(&population, iid(480.0)).unwrap();
    for (i, edge) in edges.iter().enumerate() {
        let side = if i % 2 == 0 { 1.0 } else { -1.0 };
        let inside = chain.density(&[edge * (1.0 + side * 1e-6)]).unwrap()[0];
        let outside = chain.density(&[edge * (1.0 - side * 1e-6)]).unwrap()[0];
        assert!(inside > 0.0 && outside == 0.0, "edge {i} at {edge}: {inside} {outside}");
    }
    // Non-zero eigenvalues of XᵀX and XXᵀ agree: swapping the sides scales the edges by p/n.
    let rows = [vec![5.0; 40], vec![0.2; 100]].concat();
    let s: Vec<f64> = (1..=90).map(|i| 1.0 / i as f64).collect();
    let edges = |columns: &[f64], rows: &[f64]| {
        let population = Population::new(&Modes::Explicit(columns.to_vec())).unwrap();
        let samples = CorrelatedSamples::new(rows).unwrap();
        SampleCovariance::correlated(&population, &samples).edges()
    };
    let (direct, swapped) = (edges(&s, &rows), edges(&rows, &s));
    assert_eq!(direct.len(), swapped.len());
    for (a, b) in direct.iter().zip(&swapped) {
        close(*a, b * s.len() as f64 / rows.len() as f64, 1e-11, "swapped edge");
    }
    let population = Population::new(&Modes::Explicit(s)).unwrap();
    let stages: Vec<Box<dyn AnyStage>> = vec![Box::new(CorrelatedSamples::new(&rows).unwrap())];
    let chain = DeterministicEquivalent::new(&population, stages).unwrap();
    for (i, edge) in direct.iter().enumerate() {
        let side = if i % 2 == 0 { 1.0 } else { -1.0 };
        let inside = chain.density(&[edge * (1.0 + side * 1e-5)]).unwrap()[0];
        let outside = chain.density(&[edge * (1.0 - side * 1e-5)]).unwrap()[0];
        assert!(inside > 0.0 && outside == 0.0, "separable edge {i} at {edge}: {inside} {outside}");
    }
    // A spike s above the bulk of I sits at s(1 + (p/n)/(s − 1)) (Baik and Silverstein), if s > 1 + √(p/n).
    let bulk = isotropic(399, 1.0);
    let covariance = SampleCovariance::independent(&bulk, 800.0);
    close(covariance.outlier(5.0).unwrap(), 5.0 * (1.0 + 399.0 / 800.0 / 4.0), 1e-14, "outlier");
    assert_eq!(covariance.outlier(1.5), None);
    assert_eq!(bulk.nodes(Weight::Count, Resolution::Full).s.len(), 1);
}
