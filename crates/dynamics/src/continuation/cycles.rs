//! Families of limit cycles, from the Hopf point that bears them (Doedel, Keller and Kernévez 1991;
//! here by single shooting).
//!
//! A cycle is a fixed point of the flow over its period. In logarithms of the species present,
//! w = (ln u₀, ln T, ln p) with
//!
//! ```text
//! ln u(T; u₀, p) − ln u₀ = 0,        G(û)·(ln u₀ − ln û) = 0,
//! ```
//!
//! the second fixing the phase against the last cycle's state û. N + 1 equations in N + 2 unknowns: the
//! family is followed in arclength through its folds, as a branch of equilibria is. M = ∂ln u(T)/∂ln u₀
//! has the Floquet multipliers for eigenvalues; one is 1, and the cycle is stable where all others lie
//! inside the unit circle. At the Hopf point the cycle is an ellipse in the plane of the critical
//! eigenvectors, with period 2π/ω.

use super::{End, Special, SpecialPoint};
use crate::linear::{eigenvalues, solve};
use crate::{
    Error, PopulationModel, Result, Settings, check_parameters, check_state, simulate,
    simulate_with_sensitivities,
};

/// Integration over one period: the residual of a converged cycle is a few thousand such steps.
const SETTINGS: Settings = Settings { tolerance: 1e-10, cap: 1e12, extinction: None };
/// Amplitude in ln u of the first cycle beside the Hopf point.
const FIRST: f64 = 0.02;
/// Largest and smallest arclength step.
const STEPS: (f64, f64) = (0.1, 1e-4);
/// Newton's steps below this, in logarithms, have converged: what the integration can tell.
const SETTLED: f64 = 1e-8;
/// Times on a cycle at which its extremes are looked for.
const SAMPLES: usize = 400;
const MAX_CYCLES: usize = 2000;

/// A limit cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct Cycle {
    /// Value of the parameter.
    pub parameter: f64,
    /// The period.
    pub period: f64,
    /// A state on the cycle.
    pub state: Vec<f64>,
    /// Least density of each species along the cycle.
    pub lowest: Vec<f64>,
    /// Largest density of each species along the cycle.
    pub highest: Vec<f64>,
    /// (Re μ, Im μ) of the Floquet multipliers of the species present, without the trivial 1.
    pub multipliers: Vec<(f64, f64)>,
}

impl Cycle {
    /// Whether nearby orbits (of the same species) approach it: every |μ| < 1.
    pub fn is_stable(&self) -> bool {
        self.multipliers.iter().all(|(re, im)| re.hypot(*im) < 1.0)
    }
}

/// A family of limit cycles.
#[derive(Clone, Debug, PartialEq)]
pub struct CycleBranch {
    /// Cycles in order, from the Hopf point on.
    pub cycles: Vec<Cycle>,
    /// Why it ends: [`End::Closed`] where it shrinks into another Hopf point, [`End::Stuck`] where
    /// the cycle comes so close to an equilibrium, or to the boundary, that shooting over one period
    /// fails.
    pub end: End,
}

/// Follows the cycles born at a Hopf point of [`continue_branch`](super::continue_branch) with the
/// same model, `parameters` and `index`, until the parameter leaves `range` (the first cycle beyond
/// it is the last of the list) or the family shrinks into another Hopf point.
pub fn continue_cycles(
    model: &dyn PopulationModel,
    parameters: &[f64],
    index: usize,
    hopf: &SpecialPoint,
    range: (f64, f64),
) -> Result<CycleBranch> {
    check_parameters(model, parameters)?;
    check_state(model, &hopf.state)?;
    if hopf.kind != Special::Hopf || hopf.omega.is_nan() || hopf.omega <= 0.0 {
        return Err(Error::Absent {
            what: "a family of cycles",
            reason: "it starts at a Hopf point, with a frequency above 0".to_owned(),
        });
    }
    if index >= parameters.len() {
        let (found, expected) = (index + 1, parameters.len());
        return Err(Error::Length { what: "parameter", found, expected });
    }
    let present = (0..hopf.state.len()).filter(|&n| hopf.state[n] > 0.0).collect();
    Family { model, parameters, index, present, species: hopf.state.len() }.follow(hopf, range)
}

struct Family<'a> {
    model: &'a dyn PopulationModel,
    parameters: &'a [f64],
    index: usize,
    present: Vec<usize>,
    species: usize,
}

/// A cycle with what the next step needs.
struct At {
    w: Vec<f64>,
    /// Growth per head at its state: the direction of the orbit there.
    phase: Vec<f64>,
    tangent: Vec<f64>,
    monodromy: Vec<f64>,
}

impl Family<'_> {
    fn follow(&self, hopf: &SpecialPoint, range: (f64, f64)) -> Result<CycleBranch> {
        let n = self.present.len();
        let centre = self.centre(hopf);
        let Some((across, phase)) = self.critical_plane(hopf) else {
            return Err(Error::Absent {
                what: "a family of cycles",
                reason: "the equilibrium has no pair of imaginary eigenvalues".to_owned(),
            });
        };
        let mut tangent = across;
        tangent.extend([0.0, 0.0]);
        let monodromy = Vec::new();
        let start = At { w: centre.clone(), phase, tangent, monodromy };
        let (log_low, log_high) = (range.0.ln(), range.1.ln());
        let mut branch = CycleBranch { cycles: Vec::new(), end: End::Length };
        let Some(mut here) = self.advance(&start, FIRST) else {
            branch.end = End::Stuck;
            return Ok(branch);
        };
        let mut step = 2.0 * FIRST;
        let mut grown = false;
        while branch.cycles.len() < MAX_CYCLES {
            let cycle = self.describe(&here)?;
            let amplitude = self.amplitude(&cycle);
            grown |= amplitude > 4.0 * FIRST;
            let v = here.w[n + 1];
            branch.cycles.push(cycle);
            if v < log_low || v > log_high {
                branch.end = End::Range;
                break;
            }
            if grown && amplitude < FIRST {
                branch.end = End::Closed;
                break;
            }
            let next = loop {
                // Near the Hopf point the family is a parabola in its amplitude.
                let next = self.advance(&here, step).filter(|next| {
                    let cosine: f64 =
                        here.tangent.iter().zip(&next.tangent).map(|(p, q)| p * q).sum();
                    cosine > 0.9 || step < 10.0 * STEPS.1
                });
                if next.is_some() || step < STEPS.1 {
                    break next;
                }
                step *= 0.5;
            };
            let Some(next) = next else {
                branch.end = End::Stuck;
                break;
            };
            here = next;
            step = (1.5 * step).min(STEPS.0);
        }
        Ok(branch)
    }

    /// Largest ln(highest/lowest) of a species.
    fn amplitude(&self, cycle: &Cycle) -> f64 {
        let ratios = self.present.iter().map(|&n| (cycle.highest[n] / cycle.lowest[n]).ln());
        ratios.fold(0.0, f64::max)
    }

    /// w at the Hopf point.
    fn centre(&self, hopf: &SpecialPoint) -> Vec<f64> {
        let mut w: Vec<f64> = self.present.iter().map(|&n| hopf.state[n].ln()).collect();
        w.extend([(std::f64::consts::TAU / hopf.omega).ln(), hopf.parameter.ln()]);
        w
    }

    fn state(&self, w: &[f64]) -> Vec<f64> {
        let mut state = vec![0.0; self.species];
        for (&n, v) in self.present.iter().zip(w) {
            state[n] = v.exp();
        }
        state
    }

    fn parameters_at(&self, w: &[f64]) -> Vec<f64> {
        let mut parameters = self.parameters.to_vec();
        parameters[self.index] = w[self.present.len() + 1].exp();
        parameters
    }

    /// Growth per head of the species present.
    fn growth(&self, parameters: &[f64], state: &[f64]) -> Vec<f64> {
        let mut growth = vec![0.0; self.species];
        self.model.growth(parameters, state, &mut growth);
        self.present.iter().map(|&n| growth[n]).collect()
    }

    /// Two directions in ln u that span the plane of the critical eigenvectors: a unit vector a and A a,
    /// the velocity there, with A = ∂G/∂ln u. On the plane A² = −ω².
    fn critical_plane(&self, hopf: &SpecialPoint) -> Option<(Vec<f64>, Vec<f64>)> {
        let (n, total) = (self.present.len(), self.species);
        let w = self.centre(hopf);
        let mut by_state = vec![0.0; total * total];
        self.model.growth_by_state(&self.parameters_at(&w), &hopf.state, &mut by_state);
        let a: Vec<f64> = self
            .present
            .iter()
            .flat_map(|&row| self.present.iter().map(move |&m| (row, m)))
            .map(|(row, m)| by_state[row * total + m] * hopf.state[m])
            .collect();
        let apply = |x: &[f64]| -> Vec<f64> {
            a.chunks(n).map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
        };
        let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        // Rows of A² + ω² are multiples of one vector, the left eigenvector of the third eigenvalue:
        // the plane is what is orthogonal to it.
        let row = |m: usize| -> Vec<f64> {
            (0..n)
                .map(|column| {
                    let square: f64 = (0..n).map(|k| a[m * n + k] * a[k * n + column]).sum();
                    square + if m == column { hopf.omega * hopf.omega } else { 0.0 }
                })
                .collect()
        };
        let normal = match n {
            2 => vec![0.0; 2],
            3 => (0..3).map(row).max_by(|p, q| norm(p).total_cmp(&norm(q)))?,
            _ => return None,
        };
        let length = norm(&normal).max(f64::MIN_POSITIVE);
        let least = (0..n).min_by(|&p, &q| normal[p].abs().total_cmp(&normal[q].abs()))?;
        let mut across: Vec<f64> = normal
            .iter()
            .enumerate()
            .map(|(m, v)| f64::from(m == least) - v / length * (normal[least] / length))
            .collect();
        let size = norm(&across);
        across.iter_mut().for_each(|x| *x /= size);
        let velocity = apply(&across);
        (norm(&velocity) > 0.0).then_some((across, velocity))
    }

    /// The equations at w, their derivative (N+1)×(N+2), the growth per head at u₀ and M; `None` where
    /// the orbit does not last a period.
    #[allow(clippy::type_complexity)]
    fn equations(&self, w: &[f64], from: &At) -> Option<(Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>)> {
        let n = self.present.len();
        let (state, parameters, period) = (self.state(w), self.parameters_at(w), w[n].exp());
        let run = simulate_with_sensitivities(
            self.model,
            &parameters,
            &state,
            &[period],
            &SETTINGS,
            &[self.index],
        )
        .ok()?;
        let (end, by) = (run.trajectory.states.first()?, run.sensitivities.first()?);
        let last = self.growth(&parameters, end);
        let (mut residual, mut jacobian, mut monodromy) = (Vec::new(), Vec::new(), Vec::new());
        for (position, &species) in self.present.iter().enumerate() {
            residual.push(end[species].ln() - w[position]);
            // Columns: ln p, then ln u₀.
            let row = &by[species * (n + 1)..(species + 1) * (n + 1)];
            monodromy.extend_from_slice(&row[1..]);
            jacobian.extend((0..n).map(|m| row[1 + m] - f64::from(m == position)));
            jacobian.extend([last[position] * period, row[0]]);
        }
        let phase = from.phase.iter().zip(w.iter().zip(&from.w));
        residual.push(phase.map(|(g, (w, o))| g * (w - o)).sum());
        jacobian.extend_from_slice(&from.phase);
        jacobian.extend([0.0, 0.0]);
        Some((residual, jacobian, self.growth(&parameters, &state), monodromy))
    }

    /// Predicts along the tangent and corrects by Newton's method.
    fn advance(&self, from: &At, step: f64) -> Option<At> {
        let mut w: Vec<f64> = from.w.iter().zip(&from.tangent).map(|(w, t)| w + step * t).collect();
        for _ in 0..12 {
            let (mut change, mut matrix, phase, monodromy) = self.equations(&w, from)?;
            matrix.extend_from_slice(&from.tangent);
            let mut tangent_matrix = matrix.clone();
            let along = from.tangent.iter().zip(w.iter().zip(&from.w));
            change.push(along.map(|(t, (w, o))| t * (w - o)).sum::<f64>() - step);
            solve(&mut matrix, &mut change)?;
            let size = change.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            for (w, change) in w.iter_mut().zip(&change) {
                *w -= change;
            }
            if size.is_nan() || size > 1.0 {
                return None;
            }
            if size < SETTLED {
                // The new tangent lies in the kernel and points the same way as the old one.
                let mut tangent = vec![0.0; w.len()];
                *tangent.last_mut()? = 1.0;
                solve(&mut tangent_matrix, &mut tangent)?;
                let length = tangent.iter().map(|t| t * t).sum::<f64>().sqrt();
                tangent.iter_mut().for_each(|t| *t /= length);
                return Some(At { w, phase, tangent, monodromy });
            }
        }
        None
    }

    fn describe(&self, at: &At) -> Result<Cycle> {
        let n = self.present.len();
        let (state, parameters, period) =
            (self.state(&at.w), self.parameters_at(&at.w), at.w[n].exp());
        let times: Vec<f64> = (0..SAMPLES).map(|m| period * m as f64 / SAMPLES as f64).collect();
        let orbit = simulate(self.model, &parameters, &state, &times, &SETTINGS)?.states;
        let fold = |start: f64, pick: fn(f64, f64) -> f64| -> Vec<f64> {
            (0..self.species).map(|s| orbit.iter().map(|u| u[s]).fold(start, pick)).collect()
        };
        let mut multipliers = eigenvalues(&at.monodromy, n)
            .ok_or_else(|| Error::Overflow { state: state.clone() })?;
        let distance = |m: &(f64, f64)| (m.0 - 1.0).hypot(m.1);
        let trivial =
            (0..n).min_by(|&p, &q| distance(&multipliers[p]).total_cmp(&distance(&multipliers[q])));
        if let Some(trivial) = trivial {
            multipliers.remove(trivial);
        }
        Ok(Cycle {
            parameter: parameters[self.index],
            period,
            lowest: fold(f64::INFINITY, f64::min),
            highest: fold(0.0, f64::max),
            state,
            multipliers,
        })
    }
}
