//! Profile likelihoods: intervals that do not rely on a quadratic χ².
//!
//! Fix one unknown, refit the others, and see where χ² has risen by 3.84, the 95 % point of χ² with
//! one degree of freedom (Raue and others 2009). Where it never rises that far the interval is open:
//! the data set no bound there.

use crate::identifiability::identifiability;
use crate::least_squares::{Estimate, fit};
use crate::problem::{Problem, Unknowns};
use crate::{Error, Result};

/// Rise of χ² at the end of a 95 % interval.
const RISE: f64 = 3.841_458_820_694_124;
/// An end is where χ² has risen by this to within this: 3e-4 of a standard error.
const END: f64 = 2e-3;
/// A profile that has not risen after this change of a logarithm (a factor 10¹⁷) is open. So far
/// because an estimate that ran along a flat valley may lie many decades from where χ² rises.
const FLAT: f64 = 40.0;
/// Largest step of the logarithm, for flat stretches.
const LARGEST_STEP: f64 = 4.0;
/// A refit that falls below the estimate by more than this (and this fraction) found a better one.
const BETTER: f64 = 1e-3;
/// Smallest step of the logarithm.
const SMALLEST_STEP: f64 = 1e-6;
/// A rise of χ² in one step that is not a slope but a leap.
const LEAP: f64 = 3.0;
const MAX_POINTS: usize = 60;

/// One end of a likelihood interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// χ² has risen by 3.84 here.
    At(f64),
    /// χ² does not rise that far within a factor 10¹⁷ of the estimate.
    Open,
    /// The refits failed from here on: the end lies further out.
    Beyond(f64),
}

/// χ² along one unknown, the others refitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name of the unknown.
    pub name: String,
    /// Values of the unknown, ascending, the estimate among them.
    pub values: Vec<f64>,
    /// χ² at each, minimised over the others.
    pub chi2: Vec<f64>,
    /// Ends of the 95 % interval.
    pub interval: (Bound, Bound),
}

/// The profile likelihood of the unknown at position `index` (free rates, then initial densities).
/// [`Error::NotTheMinimum`] when a refit ends below the estimate's χ².
pub fn profile(problem: &Problem<'_>, estimate: &Estimate, index: usize) -> Result<Profile> {
    match trace(problem, estimate, index)? {
        Traced::Profile(profile) => Ok(profile),
        Traced::Lower(better) => {
            Err(Error::NotTheMinimum { chi2: estimate.chi2, lower: better.chi2 })
        }
    }
}

/// A profile, or the better point that was found on the way.
pub(crate) enum Traced {
    Profile(Profile),
    Lower(Box<Estimate>),
}

pub(crate) fn trace(problem: &Problem<'_>, estimate: &Estimate, index: usize) -> Result<Traced> {
    let names = problem.unknown_names();
    let Some(name) = names.get(index) else {
        return Err(Error::Length { what: "unknown", found: index + 1, expected: names.len() });
    };
    let error = identifiability(estimate)?.relative_standard_errors.map_or(0.1, |se| se[index]);
    let mut values = vec![(estimate.unknowns[index], estimate.chi2)];
    let mut ends = [Bound::Open; 2];
    for (end, sign) in ends.iter_mut().zip([-1.0, 1.0]) {
        let side = Side { problem, estimate, index, sign };
        match side.walk(error) {
            Walked::Ended(points, bound) => {
                values.extend(points);
                *end = bound;
            }
            Walked::Lower(better) => return Ok(Traced::Lower(better)),
        }
    }
    values.sort_by(|p, q| p.0.total_cmp(&q.0));
    Ok(Traced::Profile(Profile {
        name: name.clone(),
        values: values.iter().map(|p| p.0.exp()).collect(),
        chi2: values.iter().map(|p| p.1).collect(),
        interval: (ends[0], ends[1]),
    }))
}

/// One direction away from the estimate.
struct Side<'a, 'p> {
    problem: &'a Problem<'p>,
    estimate: &'a Estimate,
    index: usize,
    sign: f64,
}

enum Walked {
    /// Points (θ, χ²) and the end.
    Ended(Vec<(f64, f64)>, Bound),
    Lower(Box<Estimate>),
}

/// A point of the profile with all its unknowns.
struct Point {
    unknowns: Unknowns,
    chi2: f64,
}

impl Side<'_, '_> {
    /// Steps of about 0.4 in χ², until it has risen enough.
    fn walk(&self, error: f64) -> Walked {
        let centre = self.estimate.unknowns[self.index];
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut from = Point { unknowns: self.estimate.unknowns.clone(), chi2: self.estimate.chi2 };
        // The other unknowns follow the valley: they start where the last step points to.
        let mut before: Option<Unknowns> = None;
        let mut step = (0.4 * error).clamp(SMALLEST_STEP, 0.5);
        while points.len() < MAX_POINTS {
            let at = from.unknowns[self.index] + self.sign * step;
            if (at - centre).abs() > FLAT {
                return Walked::Ended(points, Bound::Open);
            }
            let start = predicted(before.as_deref(), &from.unknowns, self.index, at);
            let next = self.refit(start, at);
            // A leap means that the refit fell into another valley, where χ² is higher.
            let leap = |e: &Estimate| e.chi2 > from.chi2 + LEAP;
            if next.as_ref().is_ok_and(leap) && step > SMALLEST_STEP {
                step = (0.3 * step).max(SMALLEST_STEP);
                before = None;
                continue;
            }
            let Ok(next) = next else {
                // The refit failed this far away: come closer.
                step *= 0.5;
                before = None;
                if step < SMALLEST_STEP {
                    break;
                }
                continue;
            };
            if next.chi2 < self.estimate.chi2 - BETTER * (1.0 + BETTER * self.estimate.chi2) {
                return Walked::Lower(Box::new(next));
            }
            let next = Point { unknowns: next.unknowns, chi2: next.chi2 };
            points.push((at, next.chi2));
            if next.chi2 >= self.estimate.chi2 + RISE {
                let end = self.end(from, next, &mut points);
                return Walked::Ended(points, Bound::At(end.exp()));
            }
            let rise = next.chi2 - from.chi2;
            before = Some(std::mem::replace(&mut from, next).unknowns);
            step *= if rise < 0.2 {
                1.7
            } else if rise > 0.8 {
                0.7
            } else {
                1.0
            };
            step = step.min(LARGEST_STEP);
        }
        let last = from.unknowns[self.index].exp();
        Walked::Ended(points, Bound::Beyond(last))
    }

    fn refit(&self, mut start: Unknowns, at: f64) -> Result<Estimate> {
        start[self.index] = at;
        fit(self.problem, &start, &[self.index])
    }

    /// Where χ² crosses the threshold between two points: √(rise) is nearly linear in θ, so false
    /// position on it needs two or three refits. One that fails leaves the interpolated value.
    fn end(&self, mut inside: Point, mut outside: Point, points: &mut Vec<(f64, f64)>) -> f64 {
        let root = |c: f64| (c - self.estimate.chi2).max(0.0).sqrt();
        for _ in 0..25 {
            let (before, after) = (root(inside.chi2), root(outside.chi2));
            // A long step out of a flat stretch is not linear: keep away from both ends.
            let fraction = ((RISE.sqrt() - before) / (after - before)).clamp(0.1, 0.9);
            let (from, to) = (inside.unknowns[self.index], outside.unknowns[self.index]);
            let at = from + fraction * (to - from);
            let nearly = |p: &Point| (p.chi2 - self.estimate.chi2 - RISE).abs() < END;
            if nearly(&outside) {
                return to;
            }
            if nearly(&inside) {
                return from;
            }
            let start = predicted(Some(&outside.unknowns), &inside.unknowns, self.index, at);
            let Ok(next) = self.refit(start, at) else { return at };
            points.push((at, next.chi2));
            let next = Point { unknowns: next.unknowns, chi2: next.chi2 };
            if next.chi2 >= self.estimate.chi2 + RISE {
                outside = next;
            } else {
                inside = next;
            }
        }
        inside.unknowns[self.index]
    }
}

/// Unknowns at `at` on the line through two points of the profile; without a second point, those of
/// the first.
fn predicted(before: Option<&[f64]>, from: &[f64], index: usize, at: f64) -> Unknowns {
    let Some(before) = before else { return from.to_vec() };
    let fraction = (at - from[index]) / (from[index] - before[index]);
    from.iter().zip(before).map(|(u, v)| u + fraction * (u - v)).collect()
}
