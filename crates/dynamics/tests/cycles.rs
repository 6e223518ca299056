//! Families of limit cycles against long runs, Liouville's formula and the theory of the Hopf point.

use rmt_dynamics::{
    End, Error, PopulationModel, PredatorPreyScavenger, RosenzweigMacArthur, Settings, Special,
    SpecialPoint, continue_branch, continue_cycles, refine_equilibrium, simulate,
};

const RATES: [f64; 6] = [1.0, 10.0, 0.5, 0.3, 0.4, 0.6];
const BISTABLE: [f64; 14] = [
    1.367, 8.359, 0.207, 0.146, 0.244, 0.523, 1.378, 1.349, 0.464, 0.276, 0.445, 0.95, 1.097, 0.248,
];

/// The Hopf point of the paradox of enrichment, in k.
fn hopf() -> SpecialPoint {
    let start = &RosenzweigMacArthur.equilibria(&RATES)[2].1;
    let branch = [true, false].map(|up| {
        continue_branch(&RosenzweigMacArthur, &RATES, 1, start, up, (1.0, 50.0)).unwrap()
    });
    let mut points = branch.iter().flat_map(|b| b.special_points.clone());
    points.find(|p| p.kind == Special::Hopf).unwrap()
}

/// One unstable direction less than none: the cycle attracts, so a long run ends on it. Catches a
/// wrong period, extremes or stability.
#[test]
fn stable_cycles_are_where_orbits_end() {
    let family = continue_cycles(&RosenzweigMacArthur, &RATES, 1, &hopf(), (1.0, 14.0)).unwrap();
    assert_eq!(family.end, End::Range);
    let mut compared = 0;
    for cycle in family.cycles.iter().filter(|c| c.parameter > 1.1 * hopf().parameter) {
        assert!(cycle.is_stable(), "{cycle:?}");
        let mut rates = RATES;
        rates[1] = cycle.parameter;
        let beside: Vec<f64> = cycle.state.iter().map(|u| 1.1 * u).collect();
        let times: Vec<f64> = (0..=4000)
            .map(|m| 40.0 * cycle.period + cycle.period * f64::from(m) / 4000.0)
            .collect();
        let run =
            simulate(&RosenzweigMacArthur, &rates, &beside, &times, &Settings::default()).unwrap();
        for n in 0..2 {
            let values = || run.states.iter().map(|u| u[n]);
            let (low, high) =
                (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
            // 400 samples of a cycle find its extremes to about (π/400)² of the curvature.
            assert!((cycle.lowest[n] / low - 1.0).abs() < 2e-3, "{} {low}", cycle.lowest[n]);
            assert!((cycle.highest[n] / high - 1.0).abs() < 2e-3, "{} {high}", cycle.highest[n]);
        }
        let (first, last) = (&run.states[0], &run.states[4000]);
        assert!(first.iter().zip(last).all(|(p, q)| (p / q - 1.0).abs() < 1e-5));
        compared += 1;
    }
    assert!(compared >= 3, "{compared}");
}

/// Beside the Hopf point the period is 2π/ω and the squared amplitude is proportional to the distance
/// in the parameter; the multipliers multiply to exp ∮ tr ∂G/∂ln u dt.
#[test]
fn the_family_starts_as_theory_says() {
    let hopf = hopf();
    let family = continue_cycles(&RosenzweigMacArthur, &RATES, 1, &hopf, (1.0, 14.0)).unwrap();
    let first = &family.cycles[0];
    assert!((first.period * hopf.omega / std::f64::consts::TAU - 1.0).abs() < 1e-3, "{first:?}");
    let ratio = |m: usize| {
        let cycle = &family.cycles[m];
        let amplitude = (cycle.highest[0] / cycle.lowest[0]).ln();
        amplitude * amplitude / (cycle.parameter - hopf.parameter)
    };
    assert!(
        ratio(0) > 0.0 && (ratio(1) / ratio(0) - 1.0).abs() < 0.05,
        "{} {}",
        ratio(0),
        ratio(1)
    );
    for cycle in &family.cycles {
        let mut rates = RATES;
        rates[1] = cycle.parameter;
        let steps = 2000;
        let times: Vec<f64> =
            (0..steps).map(|m| cycle.period * f64::from(m) / f64::from(steps)).collect();
        let run =
            simulate(&RosenzweigMacArthur, &rates, &cycle.state, &times, &Settings::default());
        let mut trace = 0.0;
        for u in run.unwrap().states {
            let mut by_state = [0.0; 4];
            RosenzweigMacArthur.growth_by_state(&rates, &u, &mut by_state);
            // Equal weights are spectrally accurate on a period.
            trace += (by_state[0] * u[0] + by_state[3] * u[1]) * cycle.period / f64::from(steps);
        }
        let multiplier = cycle.multipliers[0].0;
        assert!((multiplier / trace.exp() - 1.0).abs() < 1e-4, "{multiplier} {}", trace.exp());
    }
}

/// The bistable branch has two Hopf points: the family of the first ends at the second. Every cycle
/// closes after its period.
#[test]
fn a_family_joins_two_hopf_points() {
    let model = PredatorPreyScavenger;
    let start = refine_equilibrium(&model, &BISTABLE, &[0.8665, 0.2961, 7.756]).unwrap();
    let range = (0.031, 1.984);
    let branch = continue_branch(&model, &BISTABLE, 13, &start, true, range).unwrap();
    let mut points = branch.special_points.iter().filter(|p| p.kind == Special::Hopf);
    let (first, second) = (points.next().unwrap(), points.next().unwrap());
    let family = continue_cycles(&model, &BISTABLE, 13, first, range).unwrap();
    assert_eq!(family.end, End::Closed);
    let last = family.cycles.last().unwrap();
    assert!((last.parameter / second.parameter - 1.0).abs() < 1e-3, "{last:?}");
    assert!((last.period * second.omega / std::f64::consts::TAU - 1.0).abs() < 1e-2, "{last:?}");
    for cycle in family.cycles.iter().step_by(5) {
        let mut rates = BISTABLE;
        rates[13] = cycle.parameter;
        let settings = Settings { tolerance: 1e-12, ..Settings::default() };
        let run = simulate(&model, &rates, &cycle.state, &[cycle.period], &settings).unwrap();
        let sensitive = cycle.multipliers.iter().map(|m| m.0.hypot(m.1)).fold(1.0, f64::max);
        for (p, q) in run.states[0].iter().zip(&cycle.state) {
            assert!((p / q - 1.0).abs() < 1e-6 * sensitive, "{cycle:?}");
        }
        assert_eq!(cycle.multipliers.len(), 2);
    }
}

#[test]
fn only_a_hopf_point_bears_cycles() {
    let fold = SpecialPoint { kind: Special::Fold, ..hopf() };
    let range = (1.0, 14.0);
    let found = continue_cycles(&RosenzweigMacArthur, &RATES, 1, &fold, range);
    assert!(matches!(found, Err(Error::Absent { .. })));
    let found = continue_cycles(&RosenzweigMacArthur, &RATES, 6, &hopf(), range);
    assert!(matches!(found, Err(Error::Length { .. })));
}
