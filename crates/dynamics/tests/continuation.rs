//! Branches against closed forms and against the list of all equilibria.

use rmt_dynamics::{
    End, Error, Kind, PopulationModel, PredatorPreyScavenger, RosenzweigMacArthur, Special,
    Subsystem, continue_branch, planar_bifurcation, refine_equilibrium,
};

const BISTABLE: [f64; 14] = [
    1.367, 8.359, 0.207, 0.146, 0.244, 0.523, 1.378, 1.349, 0.464, 0.276, 0.445, 0.95, 1.097, 0.248,
];
const CYCLING: [f64; 14] =
    [1.0, 20.0, 0.6, 0.25, 0.1, 0.2, 0.2, 0.5, 0.1, 0.1, 0.08, 0.05, 0.1, 0.25];

/// On the predator–prey plane in k: the Hopf point and the point where coexistence ends are known
/// in closed form. Catches a wrong test function, ω, or end of branch.
#[test]
fn planar_branch_in_the_carrying_capacity() {
    let exact = planar_bifurcation(&CYCLING).unwrap();
    let (omega, at_hopf) = exact.hopf.unwrap();
    let model = Subsystem::PredatorPrey;
    let six = model.rates_kept().map(|m| CYCLING[m]);
    let start = &model.equilibria(&six)[2].1;
    let branch = continue_branch(&model, &six, 1, start, false, (0.1, 30.0)).unwrap();
    let kinds: Vec<Special> = branch.special_points.iter().map(|p| p.kind).collect();
    assert_eq!(kinds, [Special::Hopf, Special::Transcritical]);
    let (hopf, end) = (&branch.special_points[0], &branch.special_points[1]);
    assert!((hopf.parameter / exact.k_hopf - 1.0).abs() < 1e-11);
    assert!((hopf.omega / omega - 1.0).abs() < 1e-11);
    assert!((hopf.state[1] / at_hopf[1] - 1.0).abs() < 1e-10);
    assert!((end.parameter / exact.k_transcritical - 1.0).abs() < 1e-11);
    assert_eq!((branch.end, end.state[1]), (End::Boundary, 0.0));
    assert_eq!(branch.points[0].kind, Kind::Unstable);
    assert_eq!(branch.points.last().unwrap().kind, Kind::Stable);
}

/// The prey-only branch of the full model loses its stability where a consumer can invade.
#[test]
fn invasion_is_transcritical() {
    let p = CYCLING;
    let branch =
        continue_branch(&PredatorPreyScavenger, &p, 1, &[20.0, 0.0, 0.0], false, (0.5, 30.0))
            .unwrap();
    // d π(a0,k) = e and g π(b0,k) = j.
    let predator = (p[7] / (p[6] - p[3] * p[7])).sqrt();
    let scavenger = (p[13] / (p[9] - p[5] * p[13])).sqrt();
    let found: Vec<f64> = branch.special_points.iter().map(|q| q.parameter).collect();
    assert_eq!(found.len(), 2, "{:?}", branch.special_points);
    assert!((found[0] / predator.max(scavenger) - 1.0).abs() < 1e-12);
    assert!((found[1] / predator.min(scavenger) - 1.0).abs() < 1e-12);
    assert!(branch.special_points.iter().all(|q| q.kind == Special::Transcritical));
    assert_eq!((branch.end, branch.points.last().unwrap().kind), (End::Range, Kind::Stable));
}

/// Every point of the reference branch is among all equilibria at its parameter: the eliminant and
/// the continuation share no code. It crosses both folds.
#[test]
fn branch_points_are_equilibria() {
    let start = [0.8665, 0.2961, 7.756];
    let start = refine_equilibrium(&PredatorPreyScavenger, &BISTABLE, &start).unwrap();
    let branch =
        continue_branch(&PredatorPreyScavenger, &BISTABLE, 13, &start, true, (0.031, 1.984))
            .unwrap();
    let backwards = branch.points.windows(2).filter(|w| w[1].parameter < w[0].parameter).count();
    assert!(backwards > 10 && branch.points.len() > 100);
    for point in branch.points.iter().step_by(3) {
        let mut p = BISTABLE;
        p[13] = point.parameter;
        let known = PredatorPreyScavenger.equilibria(&p);
        let near = known
            .iter()
            .any(|(_, u)| u.iter().zip(&point.state).all(|(u, v)| (u - v).abs() <= 1e-6 * v.abs()));
        assert!(near, "{point:?}");
    }
}

/// As e falls, one interior equilibrium escapes to z = ∞ at e = f/i0 and one to y = ∞ where
/// h = i π(i0,z)/z.
#[test]
fn equilibria_escape_to_infinity() {
    let mut p = BISTABLE;
    let (f, h, i, i0) = (p[8], p[10], p[11], p[12]);
    let limit = f / i0;
    p[7] = 1.5 * limit;
    let interior = PredatorPreyScavenger.equilibria(&p).into_iter().filter(|e| e.0 == "interior");
    let (mut scavengers, mut predators) = (0, 0);
    for (_, state) in interior {
        let range = (0.5 * limit, 2.0 * limit);
        let branch = continue_branch(&PredatorPreyScavenger, &p, 7, &state, false, range).unwrap();
        if branch.end != End::Escape {
            continue;
        }
        let last = branch.points.last().unwrap();
        if last.state[2] > 1e12 {
            scavengers += 1;
            assert!((last.parameter / limit - 1.0).abs() < 1e-9, "{last:?}");
        } else {
            predators += 1;
            let z = last.state[2];
            assert!((h * (1.0 + i0 * z * z) / (i * z) - 1.0).abs() < 1e-9, "{last:?}");
        }
    }
    assert_eq!((scavengers, predators), (1, 1));
}

#[test]
fn another_model_and_bad_input() {
    let p = [1.0, 10.0, 0.5, 0.3, 0.4, 0.6];
    let start = &RosenzweigMacArthur.equilibria(&p)[2].1;
    let branch = continue_branch(&RosenzweigMacArthur, &p, 1, start, true, (1.0, 50.0)).unwrap();
    let back = continue_branch(&RosenzweigMacArthur, &p, 1, start, false, (1.0, 50.0)).unwrap();
    let x = 0.6 / (0.4 - 0.3 * 0.6);
    let hopf: Vec<_> = branch
        .special_points
        .iter()
        .chain(&back.special_points)
        .filter(|q| q.kind == Special::Hopf)
        .collect();
    assert_eq!(hopf.len(), 1);
    assert!((hopf[0].parameter / ((1.0 + 0.6 * x) / 0.3) - 1.0).abs() < 1e-11);

    let model = PredatorPreyScavenger;
    let try_from = |state: &[f64], index: usize, range: (f64, f64)| {
        continue_branch(&model, &BISTABLE, index, state, true, range)
    };
    let good = [0.8665, 0.2961, 7.756];
    assert!(matches!(try_from(&good, 13, (0.3, 1.0)), Err(Error::Setting { name: "range", .. })));
    assert!(matches!(try_from(&good, 13, (-1.0, 1.0)), Err(Error::Setting { .. })));
    assert!(matches!(try_from(&[0.0; 3], 13, (0.1, 1.0)), Err(Error::Setting { .. })));
    assert!(matches!(try_from(&good, 14, (0.1, 1.0)), Err(Error::Length { .. })));
    assert!(matches!(
        try_from(&[1e-9, 1e9, 1.0], 13, (0.1, 1.0)),
        Err(Error::NoEquilibrium { .. })
    ));
}
