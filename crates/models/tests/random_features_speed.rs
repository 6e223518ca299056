//! Times of sweeps, printed; the bounds are generous multiples of what an idle core needs.

use rmt_core::Modes;
use rmt_models::random_features::{FeatureRegression, Setting, Target};
use serde_json::json;
use std::time::Instant;

fn power(p: usize, alpha: f64) -> Modes {
    Modes::PowerLaw { p, alpha, scale: 1.0, reversed: false }
}

/// A thousand ridges with the full decomposition on 10⁵ modes (a listed spectrum, so that compression is part
/// of it), swept in λ and in κ, and a map of 200×200 sizes.
#[test]
#[ignore = "timing; run alone, with --release"]
fn sweeps() {
    let list =
        |alpha: f64| Modes::Explicit((1..=100_000).map(|i| f64::from(i).powf(-alpha)).collect());
    for (name, spectrum, target) in
        [("listed", list(1.3), list(0.6)), ("law", power(100_000, 1.3), power(100_000, 0.6))]
    {
        let setting = Setting {
            noise_variance: 0.2,
            n: Some(5000.0),
            widths: vec![3000.0],
            ..Setting::new(spectrum, Target::Coefficients(target))
        };
        let start = Instant::now();
        let model = FeatureRegression::new(&setting).unwrap();
        model.predict(0.1).unwrap();
        println!("{name}: preparation and first solve {:.2?}", start.elapsed());
        let lambdas: Vec<f64> = (0..1000).map(|i| 10f64.powf(2.0 - 0.01 * f64::from(i))).collect();
        let start = Instant::now();
        let path = model.path(&lambdas).unwrap();
        let solved = start.elapsed();
        let start = Instant::now();
        let risk: f64 = (0..1000)
            .map(|i| model.at_shift(10f64.powf(1.0 - 0.01 * f64::from(i))).unwrap().risk)
            .sum();
        println!(
            "{name}: 1000 ridges {solved:.2?}, 1000 κ {:.2?} ({} {risk:.3})",
            start.elapsed(),
            path.len()
        );
        assert!(solved.as_secs_f64() < 0.5);
    }
    let scan =
        rmt_models::tasks().into_iter().find(|t| t.card().name == "random_features_scan").unwrap();
    let sizes: Vec<f64> = (0..200).map(|i| 10.0 * 1.03_f64.powi(i)).collect();
    let inputs = json!({"spectrum": {"kind": "power_law", "p": 1000, "alpha": 1.3},
        "target": {"kind": "power_law", "p": 1000, "alpha": 0.6}, "noise_variance": 0.2,
        "lambda": 1e-4, "n_values": sizes, "width_values": sizes});
    let start = Instant::now();
    let out = scan.evaluate(&inputs).unwrap();
    println!("200×200 map of p = 1000: {:.2?} ({})", start.elapsed(), out.iter().count());
    let wide = json!({"spectrum": {"kind": "power_law", "p": 100000, "alpha": 1.3},
        "target": {"kind": "power_law", "p": 100000, "alpha": 0.6}, "noise_variance": 0.2,
        "lambda": 1e-4, "n_values": sizes, "width_values": sizes});
    let start = Instant::now();
    scan.evaluate(&wide).unwrap();
    println!("200×200 map of p = 1e5: {:.2?}", start.elapsed());
}
