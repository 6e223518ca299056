//! Closed forms, identities and rates of norm-based capacity.

mod common;

use common::{close, power, predict, run, setting};
use rmt_core::Modes;
use rmt_models::ActivationFunction;
use rmt_models::random_features::{FeatureRegression, Prediction, Setting, Target};
use serde_json::json;

/// Isotropic minimum norm: R = N − r² below n = p, R = √((N − r² + σ²)² + 4r²σ²) − σ² above.
#[test]
fn isotropic_risk_of_norm() {
    let (p, r2, noise) = (200, 1.0, 0.2);
    let target = Modes::Constant { p, value: r2 / p as f64 };
    for n in [20.0, 120.0, 190.0, 230.0, 900.0] {
        let s = setting(Modes::Constant { p, value: 1.0 }, target.clone(), noise, n, &[]);
        let at = predict(&s, 0.0);
        let exact = if n > 200.0 {
            at.norm - r2
        } else {
            ((at.norm - r2 + noise).powi(2) + 4.0 * r2 * noise).sqrt() - noise
        };
        close(at.risk, exact, 1e-12, &format!("n = {n}"));
        if n < 200.0 {
            let back = run(
                "norm_to_risk",
                &json!({"spectrum": {"kind": "constant", "p": p, "value": 1.0},
                        "target": {"kind": "constant", "p": p, "total": r2},
                        "noise_variance": noise, "norm": at.norm}),
            );
            close(back.number("n_continuous").unwrap(), n, 1e-11, "n from the norm");
            close(back.number("risk").unwrap(), at.risk, 1e-12, "risk from the norm");
            // The same norm on the other side of n = p.
            if let Some(other) = back.number("n_least_squares") {
                let s =
                    setting(Modes::Constant { p, value: 1.0 }, target.clone(), noise, other, &[]);
                close(predict(&s, 0.0).norm, at.norm, 1e-12, "norm above n = p");
            }
        }
    }
}

/// The ν form of Defilippis et al. as an independent route: its two equations hold to 1e-10, and its
/// Υ, χ, B_R, V_R, B_N, V_N agree (B_N has a 0/0 at λ → 0, so λ is moderate).
#[test]
fn nu_form() {
    for (p, n, m, lambda) in [
        (200, 150.0, 90.0, 0.005),
        (200, 90.0, 150.0, 0.01),
        (120, 300.0, 200.0, 0.1),
        (300, 100.0, 100.0, 1e-3),
    ] {
        let noise = 0.2;
        let s = setting(power(p, 1.2), power(p, 0.5), noise, n, &[m]);
        let at = predict(&s, lambda);
        let (nu1, nu2) = (at.kappa1, at.kappa2);
        let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
            (1..=p)
                .map(|i| {
                    let i = i as f64;
                    let (s, c) = (i.powf(-1.2), i.powf(-0.5));
                    f(s, s * c)
                })
                .sum()
        };
        let d = sum(&|s, _| s / (s + nu2));
        let first = n - n * lambda / nu1 - d;
        let second = m - m * nu1 / nu2 - d;
        assert!(first.abs() < 1e-10 * n && second.abs() < 1e-10 * m, "{first:e} {second:e}");
        let e = sum(&|s, _| (s / (s + nu2)).powi(2));
        let d1 = sum(&|s, _| s / (s + nu2).powi(2));
        let (t1, t3) = (sum(&|s, t| t / (s + nu2)), sum(&|s, t| s * t / (s + nu2).powi(2)));
        let b2 = nu2 * nu2 * sum(&|s, t| t / (s + nu2).powi(2));
        let share = nu1 / nu2;
        let upsilon = m / n * ((1.0 - share).powi(2) + share * share * e / (m - e));
        let chi = d1 / (m - e);
        let b_r = (b2 + nu2 * nu2 * chi * t3) / (1.0 - upsilon);
        let v_r = noise * upsilon / (1.0 - upsilon);
        let v_n = noise * (m / n) * chi / (1.0 - upsilon);
        let t2 = sum(&|s, t| t / (s + nu2).powi(2));
        let b_n =
            nu2 / nu1 * t1 - lambda * nu2 * nu2 / (nu1 * nu1) * (t2 + chi * t3) / (1.0 - upsilon);
        for (name, a, b) in [
            ("Υ", at.upsilon, upsilon),
            ("B_R", at.risk_bias, b_r),
            ("V_R", at.risk_variance, v_r),
            ("V_N", at.norm_variance, v_n),
            ("B_N", at.norm_bias, b_n),
        ] {
            close(a, b, 1e-10, &format!("{name} at n = {n}, m = {m}"));
        }
        // Envelope: N = [H + σ²]/κ₁ − (λ/κ₁²)E_g.
        let envelope = (nu2 * t1 + noise) / nu1 - lambda / (nu1 * nu1) * at.prediction_error;
        close(at.norm, envelope, 1e-10, "envelope");
    }
}

/// N = dL/dλ for L = E_tr + λN, for linear, deep and nonlinear chains; central differences of relative
/// width 1e-4 are good to 1e-8 and rounding to 1e-11/1e-4.
#[test]
fn norm_is_the_slope_of_the_objective() {
    let base = |widths: &[f64]| setting(power(150, 1.1), power(150, 0.4), 0.3, 100.0, widths);
    let nonlinear = Setting {
        activations: vec![ActivationFunction::Relu, ActivationFunction::Tanh],
        ..base(&[130.0, 80.0])
    };
    for (s, what) in [
        (base(&[70.0]), "one layer"),
        (base(&[140.0, 90.0, 200.0]), "deep"),
        (nonlinear, "nonlinear"),
    ] {
        let model = FeatureRegression::new(&s).unwrap();
        let objective = |lambda: f64| {
            let at = model.predict(lambda).unwrap();
            at.train_error + lambda * at.norm
        };
        for lambda in [1e-4, 0.02, 1.0] {
            let h = 1e-4 * lambda;
            let slope = (objective(lambda + h) - objective(lambda - h)) / (2.0 * h);
            close(model.predict(lambda).unwrap().norm, slope, 1e-6, what);
        }
    }
}

/// The ridgeless line: every width above n lies on it, and the branch below returns with its slope,
/// 2(σ² + H) higher.
#[test]
fn norm_line() {
    let inputs = json!({"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.2},
        "target": {"kind": "power_law", "p": 200, "alpha": 0.5}, "noise_variance": 0.3, "n": 100,
        "width_values": [100.5, 101, 117.3, 200, 1000, 1e6, 1e12, 99.999]});
    let out = run("norm_line", &inputs);
    let (slope, intercept) = (out.number("slope").unwrap(), out.number("risk_intercept").unwrap());
    let norm = out.get("norm").unwrap().as_numbers().unwrap();
    let risk = out.get("risk").unwrap().as_numbers().unwrap();
    for i in 0..7 {
        close(risk[i], slope * norm[i] + intercept, 1e-10, "on the line");
    }
    close(norm[6], out.number("norm_at_infinite_width").unwrap(), 1e-9, "start of the line");
    // At m = n − 10⁻³ the gap is reached to its O((n−m)/n) correction of a risk of size 10⁵.
    let gap = risk[7] - slope * norm[7] - intercept;
    close(gap, out.number("branch_gap_at_divergence").unwrap(), 1e-3, "gap of the branches");
    let error = rmt_models::tasks()
        .into_iter()
        .find(|t| t.card().name == "norm_line")
        .unwrap()
        .evaluate(&json!({"spectrum": {"kind": "constant", "p": 50, "value": 1.0},
            "target": {"kind": "constant", "p": 50, "value": 1.0}, "noise_variance": 0.3, "n": 100}))
        .unwrap_err();
    assert_eq!(error.key.as_deref(), Some("n"));
}

/// N(λ(B)) = B, also for budgets close to the divergence; a budget above N(0) is not binding.
#[test]
fn norm_budget_round_trip() {
    let base = |n: f64, m: f64, budget: f64| {
        json!({"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.2},
            "target": {"kind": "power_law", "p": 200, "alpha": 0.5}, "noise_variance": 0.3, "n": n,
            "widths": [m], "norm_budget": budget})
    };
    for (n, m) in [(100.0, 150.0), (150.0, 100.0), (100.0, 100.0), (250.0, 200.0)] {
        for budget in [1e-3, 1.0, 20.0, 1e4, 1e12] {
            let out = run("norm_budget", &base(n, m, budget));
            let lambda = out.number("lambda").unwrap();
            let s = setting(power(200, 1.2), power(200, 0.5), 0.3, n, &[m]);
            let norm = predict(&s, lambda).norm;
            if lambda > 0.0 {
                // N ∝ λ^(−1/2) near a tie: nothing is lost.
                close(norm, budget, 1e-10, &format!("n = {n}, m = {m}, budget {budget}"));
            } else {
                assert!(norm <= budget && n != m);
            }
        }
    }
}

/// s_k = k^−α, θ_k² = k^−(1+2αr), ridgeless and p → ∞: continuum formulas to their known accuracy (a few
/// 1e-3 at n = 1e5, slow in n for α near 1).
#[test]
fn power_law_continuum() {
    use std::f64::consts::PI;
    let n = 1e5;
    for (alpha, r) in [(1.3, 0.3), (1.5, 0.2), (2.0, 0.4)] {
        let (p, noise) = (1_000_000_000_000_000, 0.1);
        let s = Setting {
            noise_variance: noise,
            n: Some(n),
            ..Setting::new(power(p, alpha), Target::Energy(power(p, 1.0 + 2.0 * alpha * r)))
        };
        let at = predict(&s, 0.0);
        let kappa = (PI / alpha / (n * (PI / alpha).sin())).powf(alpha);
        let energy = kappa.powf(2.0 * r) * (PI / alpha) / (2.0 * PI * r).sin();
        let what = format!("α = {alpha}, r = {r}");
        close(at.kappa2, kappa, 1e-2, &format!("κ, {what}"));
        close(at.risk_variance, noise * (alpha - 1.0), 1e-2, &format!("V_R, {what}"));
        close(at.risk_bias, alpha * (1.0 - 2.0 * r) * energy, 1e-2, &format!("B_R, {what}"));
        close(at.norm, (energy + noise) / kappa, 1e-2, &format!("N, {what}"));
        // Random features with m < n: d = m and N = αT₃ + (m/n)E_g/κ.
        let m = 1e4;
        let narrow = predict(&Setting { widths: vec![m], ..s.clone() }, 0.0);
        let kappa = (PI / alpha / (m * (PI / alpha).sin())).powf(alpha);
        let energy = kappa.powf(2.0 * r) * (PI / alpha) / (2.0 * PI * r).sin();
        let t3 = 2.0 * r * energy / kappa;
        let error = (noise + energy) / (1.0 - m / n);
        close(
            narrow.norm,
            alpha * t3 + m / n * error / kappa,
            1e-2,
            &format!("N at m < n, {what}"),
        );
    }
}

/// Exponents measured as log-slopes between n = 10⁶ and 10⁷ on exact power laws, in every region. The
/// calculator is asymptotic; 0.07 is the accuracy reached close to the thresholds.
#[test]
fn rates_match_measured_slopes() {
    let mut worst: f64 = 0.0;
    for (alpha, r, ell, q, zeta) in [
        (1.5, 0.3, Some(0.9), Some(2.0), 0.0), // variance, ridge-limited
        (1.5, 0.3, Some(0.4), None, 0.0),      // bias, ridge-limited
        (2.0, 0.25, None, Some(0.7), 0.0),     // variance, width-limited
        (2.0, 0.25, None, Some(0.3), 0.0),     // bias, width-limited
        (1.8, 0.8, Some(1.2), Some(3.0), 0.0), // r > 1/2, variance
        (1.8, 0.8, Some(0.4), Some(3.0), 0.0), // r > 1/2, bias: norm of order one
        (1.8, 0.3, None, None, 0.5),           // data-limited
        (1.5, 0.3, None, Some(1.5), 0.0),      // data-limited, wide
        (2.5, 1.4, Some(1.0), Some(0.8), 0.0), // feature variance
    ] {
        let mut inputs = json!({"alpha": alpha, "source": r, "noise_exponent": zeta});
        if let Some(ell) = ell {
            inputs["ridge_exponent"] = json!(ell);
        }
        if let Some(q) = q {
            inputs["width_exponent"] = json!(q);
        }
        let rates = run("norm_rates", &inputs);
        let p = 1_000_000_000_000_000_000;
        let at = |n: f64| {
            let s = Setting {
                noise_variance: n.powf(-zeta),
                n: Some(n),
                widths: q.map(|q| n.powf(q)).into_iter().collect(),
                ..Setting::new(power(p, alpha), Target::Energy(power(p, 1.0 + 2.0 * alpha * r)))
            };
            predict(&s, ell.map_or(0.0, |l| n.powf(-l)))
        };
        let (small, large) = (at(1e6), at(1e7));
        let slope = |f: fn(&Prediction) -> f64| (f(&large) / f(&small)).log10();
        for (name, measured) in [
            ("exponent_B_R", slope(|a| a.risk_bias)),
            ("exponent_V_R", slope(|a| a.risk_variance)),
            ("exponent_B_N", slope(|a| a.norm_bias)),
            ("exponent_V_N", slope(|a| a.norm_variance)),
            ("exponent_risk", slope(|a| a.risk)),
            ("exponent_norm", slope(|a| a.norm)),
            ("exponent_df1", slope(|a| a.df1)),
        ] {
            let expected = rates.number(name).unwrap();
            let gap = (measured - expected).abs();
            println!(
                "α={alpha} r={r} ℓ={ell:?} q={q:?} ζ={zeta}: {name} {measured:.4} against {expected:.4}"
            );
            worst = worst.max(gap);
            assert!(
                gap < 0.07,
                "α={alpha} r={r} ℓ={ell:?} q={q:?}: {name} {measured} against {expected}"
            );
        }
        // Where there is a law, R = n^−a N^−b up to constants.
        if let (Some(a), Some(b)) = (rates.number("law_a"), rates.number("law_b")) {
            let (risk, norm) =
                (rates.number("exponent_risk").unwrap(), rates.number("exponent_norm").unwrap());
            close(risk, -a - b * norm, 1e-12, "law");
        }
    }
    println!("largest deviation {worst:.4}");
}

/// The width curve at λ = 0 is open: no crossing is reported, and none is invented by a coarse grid.
#[test]
fn norm_curve_reports_no_crossing() {
    for points in [15, 60, 200] {
        let out = run(
            "norm_curve",
            &json!({"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.2},
                "target": {"kind": "power_law", "p": 200, "alpha": 0.5}, "noise_variance": 0.3,
                "n": 100, "lambda": 1e-3, "knob": "width", "from": 2, "to": 5000, "points": points}),
        );
        assert_eq!(out.get("crossings").unwrap().as_numbers(), Some(vec![]));
        assert!(out.notes().iter().any(|n| n.contains("no crossing")));
    }
    let ridge = run(
        "norm_curve",
        &json!({"spectrum": {"kind": "power_law", "p": 200, "alpha": 1.2},
            "target": {"kind": "power_law", "p": 200, "alpha": 0.5}, "noise_variance": 0.3,
            "n": 100, "widths": [150], "knob": "lambda", "points": 50}),
    );
    let norm = ridge.get("norm").unwrap().as_numbers().unwrap();
    assert!(norm.windows(2).all(|w| w[1] < w[0]), "the norm decreases in λ");
}
