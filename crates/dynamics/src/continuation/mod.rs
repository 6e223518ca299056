//! Branches of equilibria in one parameter, through folds (Keller 1977).
//!
//! Unknown w = (ln uₙ of the species present, ln p) on G(u, p) = 0, N equations in N + 1 unknowns.
//! The tangent t spans the kernel of the N×(N+1) Jacobian and keeps its direction; a step predicts
//! w + s t and corrects with Newton's method under t·(w − w₀) = s. Logarithms are what lets one
//! branch cross six decades. Along the branch, with det(λ − J) = λⁿ + c₁λⁿ⁻¹ + …:
//!
//! - fold: the parameter component of t changes sign;
//! - Hopf: c₁c₂ − c₃ (two species: c₁) changes sign where c₂ > 0, and ω² = c₂. With c₂ < 0 two real
//!   eigenvalues of opposite sign cross, a neutral saddle, which is no bifurcation;
//! - transcritical: an absent species starts to grow (Gₙ changes sign), or a present one leaves
//!   through zero.
//!
//! Each is located by bracketing in the arclength s, with every trial point on the branch.

mod curve;
mod cycles;

use crate::{Error, PopulationModel, Result, check_parameters, check_state};
use crate::{Kind, stability};
use curve::{Curve, Point};
pub use cycles::{Cycle, CycleBranch, continue_cycles};

/// Largest and smallest arclength step in log coordinates.
const STEPS: (f64, f64) = (0.05, 1e-9);
/// A density below this fraction of its start may be leaving through zero, and below its cube is.
const LEAVING: f64 = 1e-7;
/// A density above this has escaped to infinity.
const ESCAPED: f64 = 1e12;
const MAX_POINTS: usize = 50_000;

/// What happens at a special point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// A pair of complex eigenvalues crosses the imaginary axis.
    Hopf,
    /// Two equilibria meet and vanish.
    Fold,
    /// A boundary equilibrium exchanges stability with one that has a further species.
    Transcritical,
}

impl Special {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hopf => "hopf",
            Self::Fold => "fold",
            Self::Transcritical => "transcritical",
        }
    }
}

/// A bifurcation on a branch.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecialPoint {
    /// Which bifurcation.
    pub kind: Special,
    /// Value of the parameter.
    pub parameter: f64,
    /// The equilibrium there.
    pub state: Vec<f64>,
    /// Frequency at a Hopf point, 0 otherwise.
    pub omega: f64,
}

/// A computed point of a branch.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchPoint {
    /// Value of the parameter.
    pub parameter: f64,
    /// The equilibrium there.
    pub state: Vec<f64>,
    /// Its kind in the full space.
    pub kind: Kind,
}

/// Why a branch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The parameter reached the end of its range.
    Range,
    /// A species left through zero.
    Boundary,
    /// A density grew beyond every bound.
    Escape,
    /// The branch closed on itself.
    Closed,
    /// The corrector failed at the smallest step.
    Stuck,
    /// The limit on the number of points.
    Length,
}

impl End {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::Boundary => "boundary",
            Self::Escape => "escape",
            Self::Closed => "closed",
            Self::Stuck => "stuck",
            Self::Length => "length",
        }
    }
}

/// A branch of equilibria.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Points in order, dense enough to draw.
    pub points: Vec<BranchPoint>,
    /// Bifurcations in order.
    pub special_points: Vec<SpecialPoint>,
    /// Why it ends.
    pub end: End,
}

/// The equilibrium near `start` with the same species present, by Newton's method in ln u.
pub fn refine_equilibrium(
    model: &dyn PopulationModel,
    parameters: &[f64],
    start: &[f64],
) -> Result<Vec<f64>> {
    check_parameters(model, parameters)?;
    check_state(model, start)?;
    let curve = Curve::new(model, parameters, 0, start);
    Ok(curve.state(&curve.settle(start, parameters[0])?))
}

/// Follows the equilibrium near `start_state` in the parameter at position `index`, first upwards
/// (`upwards`) or downwards, until the parameter leaves `range`.
pub fn continue_branch(
    model: &dyn PopulationModel,
    parameters: &[f64],
    index: usize,
    start_state: &[f64],
    upwards: bool,
    range: (f64, f64),
) -> Result<Branch> {
    check_parameters(model, parameters)?;
    check_state(model, start_state)?;
    let Some(&start) = parameters.get(index) else {
        return Err(Error::Length {
            what: "parameter",
            found: index + 1,
            expected: parameters.len(),
        });
    };
    if !(range.0 > 0.0 && range.0 <= start && start <= range.1 && range.1.is_finite()) {
        let (name, remedy) = ("range", "give 0 < from ≤ the parameter's own value ≤ to");
        let value = if range.0 > 0.0 && range.0 <= start { range.1 } else { range.0 };
        return Err(Error::Setting { name, value, remedy });
    }
    if start_state.iter().all(|u| *u == 0.0) {
        return Err(Error::Setting {
            name: "start_state",
            value: 0.0,
            remedy: "the origin is an equilibrium for every parameter: start from another one",
        });
    }
    let curve = Curve::new(model, parameters, index, start_state);
    let first = curve.point_at(curve.settle(start_state, start)?, upwards)?;
    Trace { curve, range: (range.0.ln(), range.1.ln()), branch: Vec::new(), special: Vec::new() }
        .follow(first)
}

struct Trace<'a> {
    curve: Curve<'a>,
    /// In ln p.
    range: (f64, f64),
    branch: Vec<BranchPoint>,
    special: Vec<SpecialPoint>,
}

impl Trace<'_> {
    fn follow(mut self, first: Point) -> Result<Branch> {
        let start = first.clone();
        let mut here = first;
        let (largest, smallest) = STEPS;
        let mut step = 0.2 * largest;
        let mut travelled = 0.0;
        self.record(&here)?;
        let end = loop {
            if self.branch.len() >= MAX_POINTS {
                break End::Length;
            }
            let Some(next) = self.curve.advance(&here, step) else {
                step *= 0.5;
                if step < smallest {
                    break End::Stuck;
                }
                continue;
            };
            // A sharp turn of the tangent could hide two events in one step.
            if next.turn(&here) < 0.985 && step > 1e-4 {
                step *= 0.5;
                continue;
            }
            let outside = |p: &Point| {
                let v = p.log_parameter();
                v < self.range.0 || v > self.range.1
            };
            if outside(&next) {
                let edge =
                    if next.log_parameter() > self.range.1 { self.range.1 } else { self.range.0 };
                let last = self.curve.locate(&here, step, |p| p.log_parameter() - edge);
                if let Some((last, s)) = last {
                    self.events(&here, &last, s)?;
                    self.record(&last)?;
                }
                break End::Range;
            }
            self.events(&here, &next, step)?;
            travelled += step;
            if travelled > 10.0 * largest && next.passes(&start, largest) {
                self.record(&start)?;
                break End::Closed;
            }
            here = next;
            self.record(&here)?;
            let state = self.curve.state(&here.w);
            let top = state.iter().copied().fold(0.0, f64::max);
            if top > ESCAPED {
                break End::Escape;
            }
            let before = self.curve.state(&start.w);
            let present = &self.curve.present;
            let leaving = present.iter().copied().find(|&n| state[n] < LEAVING * before[n]);
            if let Some(species) = leaving {
                // Near a transcritical point the boundary equilibrium is at hand; on a branch that
                // runs to infinity in another density it is not.
                if let Some((parameter, state)) = self.curve.boundary(&here, species) {
                    let kind = Special::Transcritical;
                    self.special.push(SpecialPoint { kind, parameter, state, omega: 0.0 });
                    break End::Boundary;
                }
                if state[species] < LEAVING.powi(3) * before[species] {
                    break End::Boundary;
                }
            }
            step = (1.5 * step).min(largest);
        };
        Ok(Branch { points: self.branch, special_points: self.special, end })
    }

    fn record(&mut self, point: &Point) -> Result<()> {
        let state = self.curve.state(&point.w);
        let parameter = self.curve.parameter(&point.w);
        let parameters = self.curve.parameters_at(&point.w);
        let kind = stability(self.curve.model, &parameters, &state)?.kind;
        self.branch.push(BranchPoint { parameter, state, kind });
        Ok(())
    }

    /// Finds the bifurcations between two points that are `step` apart, in order.
    fn events(&mut self, from: &Point, to: &Point, step: f64) -> Result<()> {
        let mut found: Vec<(f64, SpecialPoint)> = Vec::new();
        let changed = |p: f64, q: f64| p.signum() != q.signum() && p != 0.0;
        let mut add = |at: Option<(Point, f64)>, kind: Special| {
            let Some((point, s)) = at else { return };
            let omega = match kind {
                Special::Hopf => match self.curve.hopf(&point).1 {
                    // A neutral saddle.
                    square if square <= 0.0 => return,
                    square => square.sqrt(),
                },
                _ => 0.0,
            };
            let (parameter, state) = (self.curve.parameter(&point.w), self.curve.state(&point.w));
            found.push((s, SpecialPoint { kind, parameter, state, omega }));
        };
        if changed(from.slope(), to.slope()) {
            add(self.curve.locate(from, step, Point::slope), Special::Fold);
        }
        if changed(self.curve.hopf(from).0, self.curve.hopf(to).0) {
            add(self.curve.locate(from, step, |p| self.curve.hopf(p).0), Special::Hopf);
        }
        for n in self.curve.absent() {
            let growth = |p: &Point| self.curve.growth_of(p, n);
            if changed(growth(from), growth(to)) {
                add(self.curve.locate(from, step, growth), Special::Transcritical);
            }
        }
        found.sort_by(|p, q| p.0.total_cmp(&q.0));
        self.special.extend(found.into_iter().map(|(_, point)| point));
        Ok(())
    }
}
