//! The group engine where a formula without a fixed point of several unknowns is known.

use rmt_core::Modes;
use rmt_models::groups::{Covariance, Phase, Populations, Sample, Source};
use serde_json::{Value as Json, json};

type Result = rmt_models::Result<()>;

fn isotropic(p: usize, value: f64) -> Covariance {
    Covariance::Diagonal(Modes::Constant { p, value })
}

fn sample(n: f64, noise_variance: f64) -> Sample {
    Sample { n, weight: 1.0, noise_variance }
}

#[track_caller]
fn close(found: f64, want: f64, rtol: f64) {
    assert!((found - want).abs() <= rtol * want.abs(), "{found} for {want}");
}

fn evaluate(task: &str, inputs: &Json) -> Json {
    let task = rmt_models::tasks().into_iter().find(|t| t.card().name == task).unwrap();
    serde_json::to_value(task.evaluate(inputs).unwrap()).unwrap()
}

fn number(value: &Json) -> f64 {
    value.as_f64().unwrap_or(f64::INFINITY)
}

/// One group is ridge regression: catches any factor between the two conventions.
#[test]
fn one_group_is_ridge() {
    for (n, lambda) in [(400, 0.1), (100, 1e-3), (200, 1e-9), (200, 1e-12), (50, 10.0), (1000, 0.0)]
    {
        let spectrum = json!({"kind": "power_law", "p": 200, "alpha": 1.1});
        let target = json!({"kind": "linear", "p": 200, "from": 0.02, "to": 0.0});
        let ridge = evaluate(
            "ridge",
            &json!({
                "spectrum": spectrum, "target": target, "n": n, "lambda": lambda, "noise_variance": 0.25,
            }),
        );
        let group = evaluate(
            "bias_amplification",
            &json!({
                "covariances": [spectrum], "shared_prior": target, "n": [n], "lambda": lambda,
                "noise_variances": [0.25],
            }),
        );
        for (a, b) in
            [("risk", "risk"), ("variance", "variance_noise"), ("train_error", "train_error")]
        {
            let want = number(&ridge[b]);
            let found = number(&group[a][0]);
            assert!(
                (found - want).abs() <= 1e-12 * want.abs() + 1e-25,
                "{a} {n} {lambda}: {found} {want}"
            );
        }
        close(number(&group["df1"]), number(&ridge["df1"]), 1e-12);
    }
}

/// One group with random features is the linear random-feature model.
#[test]
fn one_group_with_width_is_random_features() {
    for (n, width, lambda) in [
        (150, 100, 0.01),
        (100, 150, 1e-6),
        (100, 300, 0.3),
        (120, 120, 1e-4),
        (300, 100, 0.0),
        (60, 150, 0.0),
    ] {
        let spectrum = json!({"kind": "power_law", "p": 200, "alpha": 1.3});
        let target = json!({"kind": "power_law", "p": 200, "alpha": 0.6});
        let features = evaluate(
            "random_features",
            &json!({
                "spectrum": spectrum, "target": target, "n": n, "lambda": lambda, "noise_variance": 0.2,
                "widths": [width],
            }),
        );
        let group = evaluate(
            "bias_amplification",
            &json!({
                "covariances": [spectrum], "shared_prior": target, "n": [n], "lambda": lambda,
                "noise_variances": [0.2], "width": width,
            }),
        );
        for quantity in ["risk", "train_error"] {
            let (found, want) = (number(&group[quantity][0]), number(&features[quantity]));
            assert!(
                (found - want).abs() <= 1e-12 * want.abs() + 1e-25,
                "{quantity} {n} {width}: {found} {want}"
            );
        }
        close(number(&group["df1"]), number(&features["df1"]), 1e-12);
    }
}

/// Isotropic ridgeless phases, one group: Σ = αI, E‖w‖² = r².
#[test]
fn isotropic_phases() -> Result {
    let (alpha, r2, noise, p) = (1.7, 0.9, 0.4, 300.0);
    let prior = Source::Shared(vec![r2 / p; 300]);
    let populations = Populations::new(&[isotropic(300, alpha)], &[prior])?;
    let cases = [
        (450.0, None, Phase::Population),
        (450.0, Some(600.0), Phase::Population),
        (450.0, Some(120.0), Phase::Width),
        (200.0, None, Phase::Interpolation),
        (200.0, Some(240.0), Phase::Interpolation),
    ];
    for (n, width, phase) in cases {
        let (phi, m) = (p / n, width.unwrap_or(f64::INFINITY));
        let (psi, gamma) = (m / n, m / p);
        let mixture = populations.mixture(&[sample(n, noise)], width)?;
        assert_eq!(mixture.phase(), phase);
        let solution = mixture.solve(0.0)?;
        let risks = solution.risks()?;
        let (bias, variance) = match phase {
            Phase::Population => (0.0, noise * phi / (1.0 - phi)),
            Phase::Width => (alpha * r2 * (1.0 - gamma) / (1.0 - psi), noise * psi / (1.0 - psi)),
            Phase::Interpolation => {
                let blow = if m.is_infinite() { 1.0 } else { psi / (psi - 1.0) };
                let extra = if m.is_infinite() { 0.0 } else { 1.0 / (psi - 1.0) };
                (alpha * r2 * (1.0 - 1.0 / phi) * blow, noise * (extra + 1.0 / (phi - 1.0)))
            }
        };
        let found = solution.limit(risks.bias[0][0], alpha * r2);
        if bias == 0.0 {
            assert_eq!(found, 0.0);
        } else {
            close(found, bias, 1e-13);
        }
        close(risks.variance[0], variance, 1e-13);
    }
    Ok(())
}

/// Two isotropic groups that interpolate without a ridge: the mean estimate does not see their scales,
/// and with equal coefficients R_2/R_1 = α_2/α_1 at every width.
#[test]
fn isotropic_groups_that_interpolate() -> Result {
    let (p, n, alpha, noise) = (300usize, [90.0, 60.0], [0.5, 2.0], [0.3, 0.8]);
    let total = n[0] + n[1];
    let (shared, own) = (0.8 / p as f64, 0.3 / p as f64);
    let sources =
        [Source::Shared(vec![shared; p]), Source::Own { group: 1, variance: vec![own; p] }];
    let populations = Populations::new(&alpha.map(|a| isotropic(p, a)), &sources)?;
    let equal = Populations::new(&alpha.map(|a| isotropic(p, a)), &sources[..1])?;
    let samples = [sample(n[0], noise[0]), sample(n[1], noise[1])];
    let shares = n.map(|n| n / total);
    for width in [None, Some(220.0), Some(900.0)] {
        let phi = p as f64 / total;
        let inverse = width.map_or(0.0, |m| 1.0 / (m / total - 1.0));
        let blow = inverse + 1.0 / (phi - 1.0);
        // Second moments per unit of α: h = (1/φ) Σ P_r w_r with w_2 = w_1 + δ.
        let (w, d, s) = (0.8, 0.3, 1.0 / phi);
        let norm = s * s * (w + shares[1].powi(2) * d);
        let gap = [
            (1.0 - s).powi(2) * w + (s * shares[1]).powi(2) * d,
            (1.0 - s).powi(2) * w + (1.0 - s * shares[1]).powi(2) * d,
        ];
        let mixture = populations.mixture(&samples, width)?;
        let risks = mixture.solve(0.0)?.risks()?;
        for t in 0..2 {
            let noise: f64 = (0..2).map(|r| shares[r] * noise[r] / alpha[r]).sum();
            close(risks.variance[t], alpha[t] * blow * noise, 1e-13);
            let spread: f64 = (0..2).map(|r| shares[r] * gap[r]).sum();
            let bias = gap[t] + blow * spread + (phi - 1.0) * inverse * norm;
            close(risks.total_bias()[t], alpha[t] * bias, 1e-13);
        }
        let risks = equal.mixture(&samples, width)?.solve(0.0)?.risks()?.risk();
        close(risks[1] / risks[0], alpha[1] / alpha[0], 1e-13);
    }
    Ok(())
}

/// Infinitely many samples leave a gap that no data removes; λ → ∞ leaves the signal.
#[test]
fn limits_of_many_samples_and_large_ridge() -> Result {
    let p = 60;
    let spectra: [Vec<f64>; 2] = [
        (0..p).map(|i| 0.1 + 0.03 * i as f64).collect(),
        (0..p).map(|i| 1.5 - 0.02 * i as f64).collect(),
    ];
    let fixed: Vec<Vec<f64>> = vec![
        (0..p).map(|i| 0.01 * i as f64).collect(),
        (0..p).map(|i| 0.3 - 0.01 * i as f64).collect(),
    ];
    let covariances = spectra.clone().map(|s| Covariance::Diagonal(Modes::Explicit(s)));
    let populations = Populations::new(&covariances, &[Source::Fixed(fixed.clone())])?;
    let samples = [sample(300.0, 0.3), sample(100.0, 0.7)];
    let (shares, lambda) = ([0.75, 0.25], 0.2);
    let mixture = populations.mixture(&samples, None)?.of_infinitely_many_samples();
    let risks = mixture.solve(lambda)?.risks()?;
    let mean = |i: usize| {
        let total: f64 = (0..2).map(|r| shares[r] * spectra[r][i]).sum();
        (0..2).map(|r| shares[r] * spectra[r][i] * fixed[r][i]).sum::<f64>() / (total + lambda)
    };
    for t in 0..2 {
        let want: f64 = (0..p).map(|i| spectra[t][i] * (mean(i) - fixed[t][i]).powi(2)).sum();
        close(risks.risk()[t], want, 1e-13);
        assert_eq!(risks.variance[t], 0.0);
    }
    // Approached as 1/n.
    let many = [sample(3e9, 0.3), sample(1e9, 0.7)];
    let mixture = populations.mixture(&many, None)?;
    for t in 0..2 {
        close(mixture.solve(lambda)?.risks()?.risk()[t], risks.risk()[t], 1e-7);
    }
    let mixture = populations.mixture(&samples, Some(40.0))?;
    let heavy = mixture.solve(1e14)?.risks()?.risk();
    for t in 0..2 {
        let energy: f64 = (0..p).map(|i| spectra[t][i] * fixed[t][i].powi(2)).sum();
        close(heavy[t], energy, 1e-12);
    }
    Ok(())
}

/// The split B, V, ζ in the isotropic ridgeless phases, and the floors.
#[test]
fn collapse_in_closed_form() {
    let (p, r2, c2) = (240.0, 1.3, 0.7);
    let prior = |total: f64| json!({"kind": "constant", "p": 240, "total": total});
    for (n1, n2, width) in [
        (360, 120, None),
        (360, 120, Some(900)),
        (360, 120, Some(100)),
        (80, 40, None),
        (80, 40, Some(200)),
        (80, 40, Some(600)),
    ] {
        let out = evaluate(
            "model_collapse",
            &json!({
                "n_real": n1, "n_synthetic": n2, "lambda": 0.0, "width": width,
                "covariance_real": {"kind": "constant", "p": 240, "value": 1.0},
                "target_prior": prior(r2), "shift_prior": prior(c2),
                "noise_variance_real": 0.2, "noise_variance_synthetic": 0.5,
            }),
        );
        let n = (n1 + n2) as f64;
        let (p1, p2) = (n1 as f64 / n, n2 as f64 / n);
        let m = width.map_or(f64::INFINITY, f64::from);
        let (phi, psi, gamma) = (p / n, m / n, m / p);
        let blow = if m.is_infinite() { 0.0 } else { 1.0 / (psi - 1.0) };
        let (u, bias, shift) = if phi < 1.0 && phi < psi {
            let u = phi / (1.0 - phi);
            (u, 0.0, p2 * p2 + p1 * p2 * u)
        } else if psi < 1.0 {
            let u = psi / (1.0 - psi);
            (u, (1.0 - gamma) / (1.0 - psi), p2 * p2 * gamma + p2 * (1.0 - p2 * gamma) * u)
        } else {
            let u = blow + 1.0 / (phi - 1.0);
            let shift = (p2 / phi).powi(2) * (1.0 + (phi - 1.0) * blow)
                + u * p2 * (1.0 - 2.0 * p2 / phi + p2 / phi.powi(2));
            (u, (1.0 - 1.0 / phi) * (1.0 + blow), shift)
        };
        close(number(&out["bias"]), r2 * bias, 1e-13);
        close(number(&out["variance"]), (p1 * 0.2 + p2 * 0.5) * u, 1e-13);
        close(number(&out["shift"]), c2 * shift, 1e-13);
        close(number(&out["floor"]), p2 * p2 * c2 * gamma.min(1.0), 1e-13);
        close(number(&out["quality"]), c2, 1e-13);
    }
}

/// The classical formulas of equal covariances, with κ and u from the single-spectrum chain.
#[test]
fn collapse_with_equal_covariances() {
    let spectrum: Vec<f64> = (1..=150).map(|i| 2.0 * (i as f64).powf(-0.8)).collect();
    let gamma: Vec<f64> = (0..150).map(|i| 0.01 + 1e-4 * i as f64).collect();
    let delta: Vec<f64> = (0..150).map(|i| 0.02 - 1e-4 * i as f64).collect();
    let explicit = |v: &[f64]| json!({"kind": "explicit", "values": v});
    for (n1, n2, lambda) in [(200, 100, 0.03), (60, 40, 1e-3), (100, 50, 1e-8), (400, 4, 0.5)] {
        let out = evaluate(
            "model_collapse",
            &json!({
                "n_real": n1, "n_synthetic": n2, "lambda": lambda,
                "covariance_real": explicit(&spectrum), "target_prior": explicit(&gamma),
                "shift_prior": explicit(&delta), "noise_variance_real": 0.3, "noise_variance_synthetic": 0.1,
            }),
        );
        let (kappa, u) = (number(&out["kappa"]), number(&out["u"]));
        let n = (n1 + n2) as f64;
        let (p1, p2) = (n1 as f64 / n, n2 as f64 / n);
        let sum = |f: &dyn Fn(usize, f64) -> f64| -> f64 {
            spectrum.iter().enumerate().map(|(i, s)| f(i, *s)).sum()
        };
        let bias = (1.0 + u) * kappa * kappa * sum(&|i, s| gamma[i] * s / (s + kappa).powi(2));
        let shift =
            p2 * p2 * (1.0 + p1 * u) * sum(&|i, s| delta[i] * s.powi(3) / (s + kappa).powi(2))
                + p2 * u * sum(&|i, s| delta[i] * s * ((p1 * s + kappa) / (s + kappa)).powi(2));
        close(number(&out["bias"]), bias, 1e-11);
        close(number(&out["variance"]), (p1 * 0.3 + p2 * 0.1) * u, 1e-11);
        close(number(&out["shift"]), shift, 1e-11);
        let floor = p2 * p2 * sum(&|i, s| delta[i] * s.powi(3) / (s + lambda).powi(2));
        close(number(&out["floor"]), floor, 1e-12);
        close(number(&out["mu"]) / number(&out["e"][0]), kappa, 1e-11);
    }
}

/// Gradient flow at one isotropic group, against the exact limits: t → 0 keeps the signal, t → ∞ is
/// the ridgeless fit.
#[test]
fn flow_between_its_limits() -> Result {
    let p = 80;
    let prior = [Source::Shared(vec![0.02; p])];
    let populations = Populations::new(&[isotropic(p, 1.3)], &prior)?;
    for width in [None, Some(50.0)] {
        let mixture = populations.mixture(&[sample(200.0, 0.5)], width)?;
        let energy = 0.02 * 1.3 * p as f64;
        close(mixture.flow_risks(1e-9)?[0], energy, 1e-8);
        let ridgeless = mixture.solve(0.0)?.risks()?.risk()[0];
        close(mixture.flow_risks(1e4)?[0], ridgeless, 1e-8);
    }
    Ok(())
}

/// Isotropic generations: E ← θE + σ²φ/(1−φ) with θ = P_2² + P_1P_2φ/(1−φ).
#[test]
fn generations_in_closed_form() {
    for (n1, n2) in [(300, 200), (100, 400), (60, 60)] {
        let p = 100.0;
        let n = (n1 + n2) as f64;
        let (p1, p2, phi) = (n1 as f64 / n, n2 as f64 / n, p / n);
        let out = evaluate(
            "model_collapse_generations",
            &json!({
                "n_real": n1, "n_synthetic": n2, "lambda": 0.0,
                "covariance_real": {"kind": "constant", "p": 100, "value": 1.0},
                "target_prior": {"kind": "constant", "p": 100, "value": 0.01},
                "shift_prior": {"kind": "constant", "p": 100, "value": 0.004},
                "noise_variance_real": 0.3, "noise_variance_synthetic": 0.3, "generations": 6,
            }),
        );
        let theta = p2 * p2 + p1 * p2 * phi / (1.0 - phi);
        let noise = 0.3 * phi / (1.0 - phi);
        let mut risk = 0.4;
        for t in 0..=6 {
            close(number(&out["risk_by_generation"][t]), risk, 1e-12);
            risk = theta * risk + noise;
        }
        close(number(&out["growth"]), theta, 1e-12);
        assert_eq!(out["stable"], theta < 1.0);
        if theta < 1.0 {
            close(number(&out["risk_limit"]), noise / (1.0 - theta), 1e-12);
        } else {
            assert_eq!(out["risk_limit"], "Infinity");
        }
    }
}
