//! Properties over random parameter sets: seeds 0, 1, 2, … of one fixed generator.

use rmt_dynamics::{
    Error, Kind, LotkaVolterra, Outcome, PopulationModel, PredatorPreyScavenger,
    RosenzweigMacArthur, Settings, Subsystem, equilibria, planar_bifurcation, simulate, stability,
};
use rmt_task::Draw;

/// Uniform on (0, 1).
struct Uniform {
    seed: u64,
    index: u64,
}

impl Uniform {
    fn new(seed: u64) -> Self {
        Self { seed, index: 0 }
    }

    fn next(&mut self) -> f64 {
        self.index += 1;
        let bits = Draw { seed: self.seed, index: self.index }.stream();
        ((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn log_uniform(&mut self, from: f64, to: f64) -> f64 {
        (from.ln() + (to / from).ln() * self.next()).exp()
    }
}

/// Rates log-uniform over one and a half decades, saturations over two, k from 1 to 30.
fn random_rates(random: &mut Uniform) -> [f64; 14] {
    let mut p = [0.0; 14];
    for (m, p) in p.iter_mut().enumerate() {
        *p = match m {
            1 => random.log_uniform(1.0, 30.0),
            3 | 5 | 12 => random.log_uniform(0.02, 2.0),
            _ => random.log_uniform(0.05, 1.5),
        };
    }
    p
}

/// Sum of the absolute terms of each growth rate: the scale on which G = 0 can be asked for.
fn term_scale(p: &[f64], u: &[f64]) -> [f64; 3] {
    let &[r, k, a, a0, b, b0, d, e, f, g, h, i, i0, j] = p else { unreachable!() };
    let pi = |c: f64, s: f64| s * s / (1.0 + c * s * s);
    let per = |c: f64, s: f64| s / (1.0 + c * s * s);
    let (x, y, z) = (u[0], u[1], u[2]);
    [
        r + r * x / k + a * per(a0, x) * y + b * per(b0, x) * z,
        d * pi(a0, x) + e + f * pi(i0, z),
        g * pi(b0, x) + j + h * y + i * per(i0, z) * y,
    ]
}

/// Routh–Hurwitz against eigenvalues, F = 0, and the number of interior points, over 4000 sets.
#[test]
fn equilibria_of_4000_random_sets() {
    let mut random = Uniform::new(0);
    let (mut counts, mut worst, mut bistable) = ([0_usize; 8], 0.0_f64, 0);
    for set in 0..4000 {
        let p = random_rates(&mut random);
        let all = equilibria(&PredatorPreyScavenger, &p).unwrap();
        let interior = all.iter().filter(|e| e.name == "interior");
        counts[interior.clone().count()] += 1;
        bistable += usize::from(interior.filter(|e| e.stability.kind == Kind::Stable).count() > 1);
        for e in &all {
            assert!(e.state.iter().all(|u| u.is_finite() && *u >= 0.0), "set {set}: {e:?}");
            let mut growth = [0.0; 3];
            PredatorPreyScavenger.growth(&p, &e.state, &mut growth);
            let scale = term_scale(&p, &e.state);
            for n in 0..3 {
                if e.state[n] > 0.0 {
                    worst = worst.max(growth[n].abs() / scale[n]);
                }
            }
            let s = &e.stability;
            assert!(s.eigenvalues.iter().all(|v| v.0.is_finite() && v.1.is_finite()));
            let decided = s.kind != Kind::Marginal;
            if decided {
                assert_eq!(s.routh_hurwitz_stable, s.kind == Kind::Stable, "set {set}: {e:?}");
            }
        }
    }
    println!(
        "interior equilibria 0, 1, 2, …: {counts:?}; two stable in {bistable}; max |G| {worst:e}"
    );
    assert!(worst <= 1e-10, "{worst:e}");
    // The generator must reach every case it is there for.
    assert!(counts[0] > 0 && counts[1] > 0 && counts[2] > 0 && counts[3] > 0, "{counts:?}");
}

/// Newton's method in ln u from `start`, by Cramer's rule: shares no code with the library.
fn newton(p: &[f64], start: [f64; 3]) -> Option<[f64; 3]> {
    let mut u = start;
    for _ in 0..200 {
        let (mut g, mut m) = ([0.0; 3], [0.0; 9]);
        PredatorPreyScavenger.growth(p, &u, &mut g);
        PredatorPreyScavenger.growth_by_state(p, &u, &mut m);
        for row in 0..3 {
            for column in 0..3 {
                m[3 * row + column] *= u[column];
            }
        }
        let det = |m: &[f64; 9]| {
            m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6])
                + m[2] * (m[3] * m[7] - m[4] * m[6])
        };
        let full = det(&m);
        let mut step = [0.0; 3];
        for column in 0..3 {
            let mut replaced = m;
            for row in 0..3 {
                replaced[3 * row + column] = g[row];
            }
            step[column] = det(&replaced) / full;
        }
        let size = step.iter().fold(0.0_f64, |s, x| s.max(x.abs()));
        if !size.is_finite() {
            return None;
        }
        let damping = 1.0_f64.min(1.0 / size);
        for n in 0..3 {
            u[n] *= (-damping * step[n]).exp();
        }
        if size < 1e-12 {
            let scale = term_scale(p, &u);
            PredatorPreyScavenger.growth(p, &u, &mut g);
            let inside = u.iter().all(|u| *u > 1e-8 && *u < 1e8);
            return (inside && (0..3).all(|n| g[n].abs() < 1e-10 * scale[n])).then_some(u);
        }
    }
    None
}

/// The eliminant is complete: sixty Newton starts each on 200 sets find nothing else.
#[test]
fn many_newton_starts_find_nothing_more() {
    let mut random = Uniform::new(1);
    let (mut found, mut distinct) = (0, 0);
    for set in 0..200 {
        let p = random_rates(&mut random);
        let known: Vec<Vec<f64>> = PredatorPreyScavenger
            .equilibria(&p)
            .into_iter()
            .filter(|(name, _)| *name == "interior")
            .map(|(_, u)| u)
            .collect();
        distinct += known.len();
        for _ in 0..60 {
            let start = [
                random.log_uniform(0.01 * p[1], p[1]),
                random.log_uniform(0.01, 100.0),
                random.log_uniform(0.01, 100.0),
            ];
            if let Some(u) = newton(&p, start) {
                found += 1;
                let matched =
                    known.iter().any(|k| k.iter().zip(u).all(|(k, u)| (k / u - 1.0).abs() < 1e-5));
                assert!(matched, "set {set} {p:?}: {u:?} is missing from {known:?}");
            }
        }
    }
    println!("{found} Newton runs ended in {distinct} interior equilibria of 200 sets");
    assert!(found > 1000 && distinct > 50);
}

/// Ten groups: x/k, a k y/r, b k z/r, r t obey the model with r = k = a = b = 1.
#[test]
fn scaling_commutes_with_solving() {
    let mut random = Uniform::new(2);
    let settings = Settings { tolerance: 1e-12, ..Settings::default() };
    let mut compared = 0;
    for set in 0..60 {
        let p = random_rates(&mut random);
        let [r, k, a, a0, b, b0, d, e, f, g, h, i, i0, j] = p;
        let q = [
            1.0,
            1.0,
            1.0,
            a0 * k * k,
            1.0,
            b0 * k * k,
            d * k * k / r,
            e / r,
            f * r / (b * k).powi(2),
            g * k * k / r,
            h / (a * k),
            i * r / (a * b * k * k),
            i0 * r * r / (b * k).powi(2),
            j / r,
        ];
        let units = [k, r / (a * k), r / (b * k)];
        let start = [0.3 * k, 0.4 * units[1], 0.2 * units[2]];
        let times = [1.0, 5.0, 12.0];
        let ours = simulate(&PredatorPreyScavenger, &p, &start, &times.map(|t| t / r), &settings);
        let theirs = simulate(&PredatorPreyScavenger, &q, &[0.3, 0.4, 0.2], &times, &settings);
        let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
        if ours.outcome == Outcome::Completed && theirs.outcome == Outcome::Completed {
            for (u, w) in ours.states.iter().zip(&theirs.states) {
                for n in 0..3 {
                    compared += 1;
                    // Both carry about a thousand steps of 1e-12 (1 + |ln u|), amplified by the
                    // orbit's own sensitivity; measured below 2e-9.
                    assert!((u[n] / (w[n] * units[n]) - 1.0).abs() < 1e-7, "set {set}");
                }
            }
        }
        let scaled = equilibria(&PredatorPreyScavenger, &q).unwrap();
        let plain = equilibria(&PredatorPreyScavenger, &p).unwrap();
        assert_eq!(scaled.len(), plain.len(), "set {set}");
        for (u, w) in plain.iter().zip(&scaled) {
            assert_eq!((u.name, u.stability.kind), (w.name, w.stability.kind));
            for n in 0..3 {
                assert!((u.state[n] - w.state[n] * units[n]).abs() <= 1e-8 * u.state[n]);
            }
        }
    }
    assert!(compared > 300, "{compared}");
}

/// Densities stay in the octant, prey below max(x(0), k), nothing is NaN, and the planar bound on
/// x + (a/d) y holds.
#[test]
fn orbits_stay_where_they_must() {
    let mut random = Uniform::new(3);
    let times: Vec<f64> = (0..=40).map(|m| 5.0 * f64::from(m)).collect();
    let mut outcomes = [0; 3];
    for set in 0..150 {
        let p = random_rates(&mut random);
        let start = [
            random.log_uniform(0.01, 40.0),
            random.log_uniform(0.01, 10.0),
            if set % 3 == 0 { 0.0 } else { random.log_uniform(0.01, 10.0) },
        ];
        let run = simulate(&PredatorPreyScavenger, &p, &start, &times, &Settings::default())
            .unwrap_or_else(|e| panic!("set {set}: {e} {p:?} {start:?}"));
        outcomes[match run.outcome {
            Outcome::Completed => 0,
            Outcome::Runaway { .. } => 1,
            _ => 2,
        }] += 1;
        for u in &run.states {
            assert!(u.iter().all(|u| u.is_finite() && *u >= 0.0), "set {set}: {u:?}");
            assert!(u[0] <= start[0].max(p[1]) * (1.0 + 1e-9));
            if start[2] == 0.0 {
                assert_eq!(u[2].to_bits(), 0);
            }
        }
        if start[2] == 0.0 {
            let (r, k, a, d, e) = (p[0], p[1], p[2], p[6], p[7]);
            let w = |u: &[f64]| u[0] + a / d * u[1];
            let bound = k * (r + e) * (r + e) / (4.0 * r * e);
            // W' ≤ e (bound − W): W − bound decays at least like e^{−e t}.
            for (t, u) in times.iter().zip(&run.states) {
                let allowed = bound + (w(&start) - bound).max(0.0) * (-e * t).exp();
                assert!(w(u) <= allowed * (1.0 + 1e-8), "set {set}");
            }
        }
    }
    println!("completed, runaway, other: {outcomes:?}");
    assert!(outcomes[0] > 0 && outcomes[1] > 0 && outcomes[2] == 0);
}

#[test]
fn lotka_volterra_keeps_its_integral() {
    let p = [0.7, 0.3, 1.1, 0.4];
    let h = |u: &[f64]| p[3] * u[0] - p[2] * u[0].ln() + p[1] * u[1] - p[0] * u[1].ln();
    let start = [4.0, 0.5];
    let run =
        simulate(&LotkaVolterra, &p, &start, &[10.0, 50.0, 200.0], &Settings::default()).unwrap();
    for u in &run.states {
        assert!((h(u) - h(&start)).abs() < 1e-8, "{u:?}");
    }
    let center = equilibria(&LotkaVolterra, &p).unwrap().pop().unwrap();
    assert_eq!(center.stability.kind, Kind::Marginal);
    assert!((center.stability.eigenvalues[1].1 - (0.7_f64 * 1.1).sqrt()).abs() < 1e-14);
}

/// The paradox of enrichment in both saturating models, at the closed-form capacity.
#[test]
fn enrichment_destabilises_at_the_closed_form() {
    let (r, a, a0, d, e) = (1.0, 0.5, 0.3, 0.4, 0.6);
    let x = e / (d - a0 * e);
    let k_hopf = (1.0 + 2.0 * a0 * x) / a0;
    for (k, kind) in [(0.999 * k_hopf, Kind::Stable), (1.001 * k_hopf, Kind::Unstable)] {
        let all = equilibria(&RosenzweigMacArthur, &[r, k, a, a0, d, e]).unwrap();
        assert_eq!(all[2].stability.kind, kind);
    }
    let mut random = Uniform::new(4);
    let mut tested = 0;
    while tested < 50 {
        let p = random_rates(&mut random);
        let found = planar_bifurcation(&p).unwrap();
        let Some((omega, state)) = found.hopf else { continue };
        tested += 1;
        let at = |k: f64| {
            let mut q = p;
            q[1] = k;
            let six = Subsystem::PredatorPrey.rates_kept().map(|m| q[m]);
            let all = equilibria(&Subsystem::PredatorPrey, &six).unwrap();
            all.into_iter().find(|e| e.name == "predator_prey")
        };
        assert!(at(0.999 * found.k_transcritical).is_none());
        assert!(at(1.001 * found.k_transcritical).is_some());
        let exact = at(found.k_hopf).unwrap();
        assert!((exact.state[1] / state[1] - 1.0).abs() < 1e-12);
        let value = exact.stability.eigenvalues[1];
        assert!((value.1 / omega - 1.0).abs() < 1e-10 && value.0.abs() < 1e-12 * omega.max(1.0));
        assert_eq!(at(1.01 * found.k_hopf).unwrap().stability.kind, Kind::Unstable);
        if 0.99 * found.k_hopf > found.k_transcritical {
            assert_eq!(at(0.99 * found.k_hopf).unwrap().stability.kind, Kind::Stable);
        }
    }
}

/// Subsystems are the invariant planes.
#[test]
fn subsystems_are_planes_of_the_full_model() {
    let p = [1.0, 10.0, 0.5, 0.3, 0.1, 0.2, 0.4, 0.6, 0.1, 0.1, 0.08, 0.05, 0.1, 0.25];
    for (plane, start) in [
        (Subsystem::PredatorPrey, [5.0, 1.0, 0.0]),
        (Subsystem::ScavengerPrey, [5.0, 0.0, 1.0]),
        (Subsystem::PredatorScavenger, [0.0, 1.0, 1.0]),
    ] {
        let kept = plane.species_kept().map(|n| start[n]);
        let six = plane.rates_kept().map(|m| p[m]);
        let expected: Vec<Vec<f64>> = PredatorPreyScavenger
            .equilibria(&p)
            .into_iter()
            .filter(|(_, u)| (0..3).all(|n| plane.species_kept().contains(&n) || u[n] == 0.0))
            .map(|(_, u)| plane.species_kept().map(|n| u[n]).to_vec())
            .collect();
        let found: Vec<Vec<f64>> = plane.equilibria(&six).into_iter().map(|(_, u)| u).collect();
        assert_eq!(found, expected, "{plane:?}");
        let full = simulate(&PredatorPreyScavenger, &p, &start, &[3.0], &Settings::default());
        let half = simulate(&plane, &six, &kept, &[3.0], &Settings::default());
        let (full, half) = (full.unwrap(), half.unwrap());
        for (position, n) in plane.species_kept().into_iter().enumerate() {
            assert!((full.states[0][n] / half.states[0][position] - 1.0).abs() < 1e-10);
        }
    }
}

#[test]
fn extinction_is_an_event() {
    let p = [0.8, 4.0, 0.2, 0.5, 0.1, 0.4, 0.2, 0.9, 0.05, 0.1, 0.02, 0.3, 0.5, 0.6];
    let settings = Settings { extinction: Some(1e-6), ..Settings::default() };
    let run =
        simulate(&PredatorPreyScavenger, &p, &[2.0, 1.5, 1.5], &[10.0, 30.0], &settings).unwrap();
    assert_eq!(run.states.len(), 1);
    let Outcome::Extinct { species, time, state } = run.outcome else { panic!("{run:?}") };
    assert_eq!(species, 1);
    assert!((state[1] / 1e-6 - 1.0).abs() < 1e-8);
    let stop =
        simulate(&PredatorPreyScavenger, &p, &[2.0, 1.5, 1.5], &[time], &Settings::default());
    assert!((stop.unwrap().states[0][1] / 1e-6 - 1.0).abs() < 1e-7);
}

#[test]
fn bad_input_is_named() {
    let good = [1.0, 10.0, 0.5, 0.3, 0.1, 0.2, 0.4, 0.6, 0.1, 0.1, 0.08, 0.05, 0.1, 0.25];
    let model = PredatorPreyScavenger;
    let run = |p: &[f64], u: &[f64], t: &[f64], s: Settings| simulate(&model, p, u, t, &s);
    let settings = Settings::default();
    for (index, value, name) in [(0, -1.0, "r"), (1, 0.0, "k"), (3, -0.1, "a0"), (7, f64::NAN, "e")]
    {
        let mut p = good;
        p[index] = value;
        let error = run(&p, &[1.0; 3], &[1.0], settings).unwrap_err();
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
        assert!(equilibria(&model, &p).is_err() && stability(&model, &p, &[1.0; 3]).is_err());
    }
    let error = run(&good, &[1.0, -2.0, 1.0], &[1.0], settings).unwrap_err();
    assert_eq!(error, Error::State { name: "y", value: -2.0 });
    assert!(matches!(run(&good, &[1.0; 2], &[1.0], settings), Err(Error::Length { .. })));
    for times in [&[2.0, 1.0][..], &[-1.0], &[f64::INFINITY]] {
        assert!(matches!(run(&good, &[1.0; 3], times, settings), Err(Error::Times { .. })));
    }
    for bad in [
        Settings { tolerance: 0.0, ..settings },
        Settings { cap: f64::NAN, ..settings },
        Settings { extinction: Some(-1.0), ..settings },
    ] {
        assert!(matches!(run(&good, &[1.0; 3], &[1.0], bad), Err(Error::Setting { .. })));
    }
    // Zero saturations are valid; so is an empty ecosystem, and nothing to report.
    let mut unsaturated = good;
    (unsaturated[3], unsaturated[5], unsaturated[12]) = (0.0, 0.0, 0.0);
    assert!(run(&unsaturated, &[1.0; 3], &[1.0], settings).is_ok());
    assert_eq!(run(&good, &[0.0; 3], &[1.0], settings).unwrap().states, [vec![0.0; 3]]);
    assert!(run(&good, &[1.0; 3], &[], settings).unwrap().states.is_empty());
    // A start above the cap has run away at once.
    let run = run(&good, &[1.0, 1.0, 1e13], &[1.0], settings).unwrap();
    assert!(matches!(run.outcome, Outcome::Runaway { time: 0.0, .. }));
}
