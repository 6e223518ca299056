//! Times of the group engine, least of five runs: `cargo test --release -p rmt-models --test groups_speed -- --ignored --nocapture`.

use rmt_core::Modes;
use rmt_models::groups::{Basis, Covariance, Populations, Sample, Source};
use std::time::{Duration, Instant};

fn least(mut run: impl FnMut()) -> Duration {
    (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn samples(n: [f64; 2]) -> [Sample; 2] {
    n.map(|n| Sample { n, weight: 1.0, noise_variance: 0.3 })
}

#[test]
#[ignore = "a measurement"]
fn a_million_joint_atoms() {
    let p = 1_000_000;
    let law = |alpha: f64, reversed: bool| Modes::PowerLaw { p, alpha, scale: 1.0, reversed };
    let covariances = [Covariance::Diagonal(law(1.1, false)), Covariance::Diagonal(law(0.6, true))];
    let sources =
        [Source::Shared(vec![1e-6; p]), Source::Own { group: 1, variance: vec![5e-7; p] }];
    let populations = Populations::new(&covariances, &sources).unwrap();
    let mut iterations = 0;
    let time = least(|| {
        let mixture = populations.mixture(&samples([3e5, 1e5]), None).unwrap();
        let solution = mixture.solve(1e-4).unwrap();
        iterations = solution.diagnostics().iterations;
        assert!(solution.risks().unwrap().risk().iter().all(|r| r.is_finite()));
    });
    println!("10⁶ joint atoms, 2 groups: {time:?}, {iterations} steps, solve and risks");
}

#[test]
#[ignore = "a measurement"]
fn four_hundred_features_that_do_not_commute() {
    let p = 400;
    let covariances = [
        Covariance::Diagonal(Modes::Linear { p, from: 0.1, to: 2.0 }),
        Covariance::Rotated {
            spectrum: Modes::PowerLaw { p, alpha: 0.7, scale: 4.0, reversed: false },
            basis: Basis::HouseholderRamp,
        },
    ];
    let sources = [
        Source::Shared(vec![1.0 / p as f64; p]),
        Source::Own { group: 1, variance: vec![0.5 / p as f64; p] },
    ];
    let populations = Populations::new(&covariances, &sources).unwrap();
    assert!(!populations.commute());
    for width in [None, Some(300.0)] {
        let mut iterations = 0;
        let time = least(|| {
            let mixture = populations.mixture(&samples([300.0, 180.0]), width).unwrap();
            let solution = mixture.solve(0.03).unwrap();
            iterations = solution.diagnostics().iterations;
            assert!(solution.risks().unwrap().risk().iter().all(|r| r.is_finite()));
        });
        println!("p = 400, width {width:?}: {time:?}, {iterations} steps, solve and risks");
    }
}
