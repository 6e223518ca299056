//! Hand-written derivatives against dual numbers of independently written right-hand sides, and
//! trajectory sensitivities against finite differences.

use num_dual::Dual64;
use rmt_dynamics::{
    LotkaVolterra, PopulationModel, PredatorPreyScavenger, RosenzweigMacArthur, Settings,
    Subsystem, local_sensitivity, simulate, simulate_with_sensitivities,
};

type Rhs = fn(&[Dual64], &[Dual64]) -> Vec<Dual64>;

fn holling(c: Dual64, s: Dual64) -> Dual64 {
    s * s / (c * s * s + 1.0)
}

fn scavenger(p: &[Dual64], u: &[Dual64]) -> Vec<Dual64> {
    let &[r, k, a, a0, b, b0, d, e, f, g, h, i, i0, j] = p else { unreachable!() };
    let &[x, y, z] = u else { unreachable!() };
    vec![
        r * x - r * x * x / k - a * holling(a0, x) * y - b * holling(b0, x) * z,
        d * holling(a0, x) * y - e * y + f * holling(i0, z) * y,
        g * holling(b0, x) * z - j * z + h * y * z - i * holling(i0, z) * y,
    ]
}

fn plane(kept: [usize; 2], rates: [usize; 6], six: &[Dual64], u: &[Dual64]) -> Vec<Dual64> {
    let mut p = vec![Dual64::from_re(1.0); 14];
    for (m, v) in rates.into_iter().zip(six) {
        p[m] = *v;
    }
    let mut full = vec![u[0] * 0.0; 3];
    full[kept[0]] = u[0];
    full[kept[1]] = u[1];
    let rhs = scavenger(&p, &full);
    kept.map(|n| rhs[n]).to_vec()
}

fn lotka_volterra(p: &[Dual64], u: &[Dual64]) -> Vec<Dual64> {
    vec![p[0] * u[0] - p[1] * u[0] * u[1], p[3] * u[0] * u[1] - p[2] * u[1]]
}

fn rosenzweig_macarthur(p: &[Dual64], u: &[Dual64]) -> Vec<Dual64> {
    let eaten = u[0] * u[1] / (p[3] * u[0] + 1.0);
    vec![p[0] * u[0] * (-u[0] / p[1] + 1.0) - p[2] * eaten, p[4] * eaten - p[5] * u[1]]
}

const RATES: [f64; 14] = [1.3, 9.0, 0.5, 0.3, 0.1, 0.2, 0.4, 0.6, 0.7, 0.15, 0.08, 0.05, 0.1, 0.25];

const SIX: [f64; 6] = [1.3, 9.0, 0.5, 0.3, 0.4, 0.6];

#[test]
fn models_against_dual_numbers() {
    let models: [(&dyn PopulationModel, Rhs, &[f64]); 6] = [
        (&PredatorPreyScavenger, scavenger, &RATES),
        (&Subsystem::PredatorPrey, |p, u| plane([0, 1], [0, 1, 2, 3, 6, 7], p, u), &SIX),
        (&Subsystem::ScavengerPrey, |p, u| plane([0, 2], [0, 1, 4, 5, 9, 13], p, u), &SIX),
        (&Subsystem::PredatorScavenger, |p, u| plane([1, 2], [7, 8, 10, 11, 12, 13], p, u), &SIX),
        (&LotkaVolterra, lotka_volterra, &[0.7, 0.3, 1.1, 0.4]),
        (&RosenzweigMacArthur, rosenzweig_macarthur, &[1.3, 9.0, 0.5, 0.3, 0.4, 0.6]),
    ];
    for (model, rhs, parameters) in models {
        let (n, m) = (model.species().len(), parameters.len());
        for scale in [0.01, 0.4, 2.7, 60.0] {
            let state: Vec<f64> = (0..n).map(|s| scale * (1.0 + 0.37 * s as f64)).collect();
            let mut value = vec![0.0; n];
            model.rhs(parameters, &state, &mut value);
            let mut by_state = vec![0.0; n * n];
            model.jacobian(parameters, &state, &mut by_state);
            let mut by_parameter = vec![0.0; n * m];
            model.rhs_by_parameter(parameters, &state, &mut by_parameter);
            let dual = |v: &[f64]| v.iter().map(|&v| Dual64::from_re(v)).collect::<Vec<_>>();
            // Terms of a right-hand side cancel: compare on the scale of the largest entry.
            let size = by_state.iter().chain(&by_parameter).fold(1.0_f64, |s, x| s.max(x.abs()));
            let check = |what: &str, ours: f64, theirs: f64| {
                assert!(
                    (ours - theirs).abs() <= 1e-13 * size * scale.max(1.0),
                    "{} {what} at scale {scale}: {ours} {theirs}",
                    model.name()
                );
            };
            for column in 0..n {
                let mut u = dual(&state);
                u[column] = u[column].derivative();
                for (row, theirs) in rhs(&dual(parameters), &u).into_iter().enumerate() {
                    check("F", value[row], theirs.re);
                    check("∂F/∂u", by_state[row * n + column], theirs.eps);
                }
            }
            for column in 0..m {
                let mut p = dual(parameters);
                p[column] = p[column].derivative();
                for (row, theirs) in rhs(&p, &dual(&state)).into_iter().enumerate() {
                    check("∂F/∂p", by_parameter[row * m + column], theirs.eps);
                }
            }
        }
    }
}

/// Central differences of ln u in every ln p and ln u(0): catches a wrong column order, a lost
/// term of the chain rule and a missing initial condition.
#[test]
fn trajectory_sensitivities_against_differences() {
    let settings = Settings { tolerance: 1e-12, ..Settings::default() };
    let times = [2.0, 9.0];
    for start in [[5.0, 1.0, 1.0], [5.0, 1.0, 0.0]] {
        let free = [0, 3, 6, 10, 12];
        let run = simulate_with_sensitivities(
            &PredatorPreyScavenger,
            &RATES,
            &start,
            &times,
            &settings,
            &free,
        )
        .unwrap();
        let width = free.len() + run.present.len();
        assert_eq!(run.present.len(), start.iter().filter(|u| **u > 0.0).count());
        for column in 0..width {
            let shifted = |sign: f64| {
                let (mut p, mut u) = (RATES, start);
                let factor = (sign * 1e-5_f64).exp();
                match free.get(column) {
                    Some(&m) => p[m] *= factor,
                    None => u[run.present[column - free.len()]] *= factor,
                }
                simulate(&PredatorPreyScavenger, &p, &u, &times, &settings).unwrap().states
            };
            let (up, down) = (shifted(1.0), shifted(-1.0));
            for (t, sensitivity) in run.sensitivities.iter().enumerate() {
                for &n in &run.present {
                    let difference = (up[t][n] / down[t][n]).ln() / 2e-5;
                    let ours = sensitivity[n * width + column];
                    // h² f''' and the integration error over 2h: measured below 3e-7.
                    assert!((ours - difference).abs() < 2e-6, "{column} {n}: {ours} {difference}");
                }
            }
        }
    }
}

/// Moves a parameter and finds the equilibrium again.
#[test]
fn local_sensitivity_against_differences() {
    let parameters = [1.0, 10.0, 0.5, 0.3, 0.1, 0.2, 0.4, 0.6, 0.1, 0.1, 0.08, 0.05, 0.1, 0.25];
    let model = PredatorPreyScavenger;
    for index in 0..6 {
        let state = &model.equilibria(&parameters)[index].1;
        let ours = local_sensitivity(&model, &parameters, state).unwrap();
        for m in 0..14 {
            let moved = |sign: f64| {
                let mut p = parameters;
                p[m] *= (sign * 1e-5_f64).exp();
                model.equilibria(&p)[index].1.clone()
            };
            let (up, down) = (moved(1.0), moved(-1.0));
            for n in 0..3 {
                let difference = (up[n] - down[n]) / 2e-5;
                let found = ours.derivatives[n * 14 + m] * parameters[m];
                assert!((found - difference).abs() < 1e-6 * (1.0 + found.abs()), "{index} {m} {n}");
                let elasticity = ours.elasticities[n * 14 + m];
                assert!((elasticity * state[n] - found).abs() <= 1e-12 * (1.0 + found.abs()));
            }
        }
    }
}
