use super::*;
use crate::Result;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rmt_core::Modes;

fn explicit(values: Vec<f64>) -> Covariance {
    Covariance::Diagonal(Modes::Explicit(values))
}

fn sample(n: f64, weight: f64, noise_variance: f64) -> Sample {
    Sample { n, weight, noise_variance }
}

/// A mixture of up to five groups with spectra and weights over many decades.
fn random_problem(random: &mut impl Rng) -> (Populations, Vec<Sample>, Option<f64>, f64) {
    let groups = random.random_range(1..=5);
    let p = random.random_range(3..60);
    let decades = random.random_range(0.0..12.0);
    let spectrum = |random: &mut dyn rand::RngCore| -> Vec<f64> {
        (0..p).map(|_| 10.0_f64.powf(random.random_range(-decades..=0.0))).collect()
    };
    let covariances: Vec<_> = (0..groups).map(|_| explicit(spectrum(random))).collect();
    let mut sources = vec![Source::Shared(spectrum(random))];
    for group in 0..groups {
        sources.push(Source::Own { group, variance: spectrum(random) });
    }
    let samples = (0..groups)
        .map(|_| {
            let n = random.random_range(1..60) as f64;
            sample(n, 10.0_f64.powf(random.random_range(-3.0..3.0)), random.random_range(0.0..2.0))
        })
        .collect();
    let width = random.random_bool(0.5).then(|| random.random_range(1..80) as f64);
    let lambda = 10.0_f64.powf(random.random_range(-14.0..3.0));
    (Populations::new(&covariances, &sources).unwrap(), samples, width, lambda)
}

/// Catches a wrong Jacobian (more steps, or another root), lost digits (the identities) and a
/// solution on the wrong branch (ρ(J) ≥ 1).
#[test]
fn newton_on_random_problems() -> Result<()> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(0);
    let (mut most, mut total) = (0, 0);
    for problem in 0..3000 {
        let (populations, samples, width, lambda) = random_problem(&mut random);
        // The second half: many more features than samples.
        let width = width.map(|m| if problem < 1500 { m } else { (m * 1e6).powf(1.5).round() });
        let mixture = populations.mixture(&samples, width)?;
        let solution = mixture.solve(lambda)?;
        most = most.max(solution.diagnostics().iterations);
        total += solution.diagnostics().iterations;
        let (e, mu, df1) = (solution.e(), solution.mu(), solution.df1());
        let n: f64 = samples.iter().map(|s| s.n).sum();
        assert!(e.iter().all(|e| *e > 0.0 && *e <= 1.0) && mu >= lambda, "{e:?} {mu}");
        let used: f64 = samples.iter().zip(solution.leverage()).map(|(s, h)| s.n * h).sum();
        assert!((used - df1).abs() <= 1e-12 * n, "Σ n(1−e) = {used}, df1 = {df1}");
        for (e, h) in e.iter().zip(solution.leverage()) {
            assert!((1.0 - e - h).abs() < 1e-12);
        }
        if let Some(m) = width {
            let by_width = m * ((mu - lambda) / mu);
            // μ − λ cancels for large λ: its rounding is ε m.
            assert!((by_width - df1).abs() <= 1e-12 * n.max(m), "{by_width} {df1}");
        }
        assert!(spectral_radius(&solution) < 1.0);
        let risks = solution.risks()?;
        for (risk, variance) in risks.risk().iter().zip(&risks.variance) {
            assert!(risk.is_finite() && *variance >= 0.0 && risk >= variance);
        }
    }
    println!("3000 problems: {most} Newton steps at most, {:.2} on average", total as f64 / 3000.0);
    assert!(most <= 30, "{most} steps");
    Ok(())
}

/// ρ(J) at the solution, by power iteration on J as the formulas have it.
fn spectral_radius(solution: &Equilibrium<'_>) -> f64 {
    let mixture = solution.mixture;
    let loads = mixture.loads(&solution.e);
    let traces = mixture.geometry.traces(&loads, solution.mu, |_| true).unwrap();
    let (active, k) = (&mixture.active, mixture.active.len());
    let mut j = vec![vec![0.0; k + 1]; k + 1];
    for (a, &s) in active.iter().enumerate() {
        let pull = solution.e[s].powi(2) * mixture.pull(s);
        for (b, &r) in active.iter().enumerate() {
            j[a][b] = pull * mixture.share(r) * traces.second(s, r);
        }
        j[a][k] = pull * traces.mixed[s];
    }
    if let Some(m) = mixture.width {
        for (b, &r) in active.iter().enumerate() {
            j[k][b] = solution.mu.powi(2) / m * mixture.share(r) * traces.mixed[r];
            for &s in active {
                j[k][k] += loads[s] * loads[r] * traces.second(s, r) / m;
            }
        }
    }
    // In the scaled variables x'/x, where the entries are of order one.
    let x: Vec<f64> = active.iter().map(|s| solution.e[*s]).chain([solution.mu]).collect();
    let mut v = vec![1.0; k + 1];
    let mut growth = 0.0;
    for _ in 0..300 {
        let next: Vec<f64> =
            (0..=k).map(|a| (0..=k).map(|b| j[a][b] * x[b] / x[a] * v[b]).sum()).collect();
        growth = next.iter().fold(0.0_f64, |m, y| m.max(*y));
        if growth == 0.0 {
            return 0.0;
        }
        v = next.iter().map(|y| y / growth).collect();
    }
    growth
}

/// n = p at tiny λ: √λ rules, and without the balanced residuals half the digits would be lost.
/// One group has the closed form λ = κ(1 − df1/n), solved here for λ from κ without cancellation.
#[test]
fn every_digit_at_the_interpolation_threshold() -> Result<()> {
    let spectrum: Vec<f64> = (1..=50).map(|i| (i as f64).powf(-1.3)).collect();
    for kappa in [1e-2, 1e-4, 1e-6, 1e-8] {
        // n = p: 1 − df1/n = (κ/n) Σ 1/(s+κ).
        let factor: f64 = spectrum.iter().map(|s| kappa / (s + kappa)).sum::<f64>() / 50.0;
        let lambda = kappa * factor;
        let populations = Populations::new(&[explicit(spectrum.clone())], &[])?;
        let mixture = populations.mixture(&[sample(50.0, 1.0, 1.0)], None)?;
        let solution = mixture.solve(lambda)?;
        assert!((solution.e()[0] / factor - 1.0).abs() < 1e-14, "{kappa}: {}", solution.e()[0]);
        let df2: f64 = spectrum.iter().map(|s| (s / (s + kappa)).powi(2)).sum();
        // n − df2 = Σ κ(2s+κ)/(s+κ)².
        let room: f64 =
            spectrum.iter().map(|s| kappa * (2.0 * s + kappa) / (s + kappa).powi(2)).sum();
        let variance = solution.risks()?.variance[0];
        assert!((variance / (df2 / room) - 1.0).abs() < 1e-13, "{kappa}: {variance}");
    }
    Ok(())
}

/// The matrix path against the diagonal one after a common rotation, for every source of
/// coefficients: catches a wrong transposition or a product that only commutes when diagonal.
#[test]
fn dense_path_equals_diagonal_path() -> Result<()> {
    use super::dense::{Dense, DenseSource};
    use super::populations::Geometry;
    let p = 24;
    let ramp = |a: f64, b: f64| -> Vec<f64> {
        (0..p).map(|i| a + (b - a) * i as f64 / (p - 1) as f64).collect()
    };
    let spectra = [ramp(0.1, 2.0), ramp(1.5, 0.0), ramp(0.4, 0.7)];
    let fixed = vec![ramp(-0.3, 0.4), ramp(0.2, 0.1), ramp(0.0, -0.5)];
    let own = ramp(0.0, 0.08);
    let sources = [
        Source::Shared(ramp(0.01, 0.05)),
        Source::Own { group: 1, variance: own.clone() },
        Source::Fixed(fixed.clone()),
    ];
    let diagonal = Populations::new(&spectra.clone().map(explicit), &sources)?;
    let u = Basis::HouseholderRamp.matrix(p);
    let rotated = |v: &[f64]| {
        let d = faer::Mat::from_fn(p, p, |i, j| if i == j { v[i] } else { 0.0 });
        &u * d * u.transpose()
    };
    let factor = |v: &[f64]| {
        faer::Mat::from_fn(p, p, |i, j| u[(i, j)] * v[j].sqrt() * diagonal.scale.sqrt())
    };
    let vector = |v: &[f64]| {
        let w = &u * faer::ColRef::from_slice(v);
        faer::Mat::from_fn(p, 1, |i, _| w[i] * diagonal.scale.sqrt())
    };
    let dense = Populations {
        geometry: Geometry::Dense(Dense::new(
            spectra.iter().map(|s| rotated(s) * faer::Scale(1.0 / diagonal.scale)).collect(),
            vec![
                DenseSource::Shared(factor(&ramp(0.01, 0.05))),
                DenseSource::Own { group: 1, factor: factor(&own) },
                DenseSource::Fixed(fixed.iter().map(|w| vector(w)).collect()),
            ],
        )),
        ..diagonal.clone()
    };
    let samples = [sample(20.0, 1.0, 0.3), sample(9.0, 2.0, 0.7), sample(0.0, 1.0, 0.1)];
    for width in [None, Some(15.0)] {
        let (a, b) = (diagonal.mixture(&samples, width)?, dense.mixture(&samples, width)?);
        for lambda in [1e-3, 0.1, 10.0] {
            let (x, y) = (a.solve(lambda)?, b.solve(lambda)?);
            close(&x.e(), &y.e(), 1e-11);
            let (x, y) = (x.risks()?, y.risks()?);
            for (x, y) in x.bias.iter().zip(&y.bias) {
                close(x, y, 1e-10);
            }
            close(&x.variance, &y.variance, 1e-10);
            close(&[x.norm], &[y.norm], 1e-10);
        }
        // The complex path as well.
        close(&a.flow_risks(3.0)?, &b.flow_risks(3.0)?, 1e-9);
    }
    Ok(())
}

fn close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1e-300), "{a} {b}");
    }
}

/// A direction without variance in the sampled groups, but with some in a test distribution, in
/// both paths: catches a null space that leaks into the resolvent at λ = 0.
#[test]
fn common_null_space_in_both_paths() -> Result<()> {
    let p = 12;
    let full: Vec<f64> = (0..p).map(|i| 0.2 + 0.1 * i as f64).collect();
    let part = |from: usize| -> Vec<f64> {
        (0..p).map(|i| if i < 8 { full[(i + from) % 8] } else { 0.0 }).collect()
    };
    let prior = vec![0.1; p];
    let sources = [Source::Shared(prior.clone()), Source::Own { group: 0, variance: prior }];
    let samples = [sample(20.0, 1.0, 0.3), sample(10.0, 1.0, 0.5), sample(0.0, 1.0, 0.0)];
    let spectra = [part(0), part(3), full.clone()];
    let diagonal = Populations::new(&spectra.clone().map(explicit), &sources)?;
    // The same as matrices; a coupling inside the range keeps them from commuting.
    let mut matrices: Vec<Vec<Vec<f64>>> = spectra
        .iter()
        .map(|s| {
            (0..p).map(|i| (0..p).map(|j| if i == j { s[i] } else { 0.0 }).collect()).collect()
        })
        .collect();
    let coupled = |strength: f64, matrices: &mut Vec<Vec<Vec<f64>>>| {
        matrices[1][0][1] = strength;
        matrices[1][1][0] = strength;
    };
    coupled(1e-6, &mut matrices);
    let dense: Vec<Covariance> = matrices.iter().cloned().map(Covariance::Dense).collect();
    let dense = Populations::new(&dense, &sources)?;
    assert!(!dense.commute());
    for width in [None, Some(6.0), Some(40.0)] {
        let (a, b) = (diagonal.mixture(&samples, width)?, dense.mixture(&samples, width)?);
        assert_eq!((a.rank(), b.rank()), (8.0, 8.0));
        for lambda in [0.0, 1e-12, 0.1] {
            let (x, y) = (a.solve(lambda)?, b.solve(lambda)?);
            // The coupling changes the risks at order 1e-6.
            close(&x.e(), &y.e(), 1e-5);
            close(&x.risks()?.risk(), &y.risks()?.risk(), 1e-4);
        }
    }
    Ok(())
}
