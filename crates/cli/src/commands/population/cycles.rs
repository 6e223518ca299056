//! Families of limit cycles on a branch diagram.

use super::stretches;
use crate::figure::{Role, Series};
use crate::output::number;
use rmt_dynamics::{
    Branch, Cycle, CycleBranch, End, PopulationModel, Result, Special, SpecialPoint,
    continue_cycles,
};
use rmt_task::Value;

/// Densities of a cycle, one a species.
type Densities = fn(&Cycle) -> &Vec<f64>;

const EXTREMES: [Densities; 2] = [|c| &c.lowest, |c| &c.highest];

/// A family with the Hopf point that bears it.
pub(super) struct Family {
    hopf: SpecialPoint,
    branch: CycleBranch,
}

/// The families of every Hopf point on the branches; one that ends at a later Hopf point is not
/// followed again from there.
pub(super) fn families(
    model: &dyn PopulationModel,
    parameters: &[f64],
    index: usize,
    branches: &[Branch],
    range: (f64, f64),
) -> Result<Vec<Family>> {
    let mut found: Vec<Family> = Vec::new();
    for hopf in branches.iter().flat_map(|b| &b.special_points) {
        let near = |p: f64| (p / hopf.parameter - 1.0).abs() < 1e-2;
        let known = found.iter().any(|family| {
            let last = family.branch.cycles.last().map_or(f64::NAN, |c| c.parameter);
            family.hopf == *hopf || (family.branch.end == End::Closed && near(last))
        });
        if hopf.kind == Special::Hopf && !known {
            let branch = continue_cycles(model, parameters, index, hopf, range)?;
            found.push(Family { hopf: hopf.clone(), branch });
        }
    }
    Ok(found)
}

impl Family {
    /// What happens along it, in a line.
    pub(super) fn sentence(&self, parameter: &str) -> String {
        let cycles = &self.branch.cycles;
        let start = number(self.hopf.parameter, 6);
        let (Some(first), Some(last)) = (cycles.first(), cycles.last()) else {
            return format!("No cycle found beside the Hopf point at {parameter} = {start}.\n");
        };
        let stable = cycles.iter().filter(|c| c.is_stable()).count();
        let stability = match stable {
            0 => "unstable",
            all if all == cycles.len() => "stable",
            _ => "stable in part",
        };
        let end = match self.branch.end {
            End::Closed => "where it shrinks into another Hopf point",
            End::Range => "the end of the range",
            End::Stuck => "where the cycle nears an equilibrium or the boundary",
            _ => "the limit on its length",
        };
        format!(
            "Cycles from {parameter} = {start}, {stability}: period {} to {}, followed to \
             {parameter} = {}, {end}.\n",
            number(first.period, 4),
            number(last.period, 4),
            number(last.parameter, 6),
        )
    }

    pub(super) fn described(&self) -> Value {
        let cycles = &self.branch.cycles;
        let states = |of: Densities| -> Value {
            cycles.iter().map(|c| of(c).clone()).collect::<Vec<_>>().into()
        };
        let multipliers = cycles.iter().map(|c| {
            let pairs = c.multipliers.iter().map(|(re, im)| Value::from(vec![*re, *im]));
            Value::List(pairs.collect())
        });
        Value::Object(vec![
            ("hopf_parameter".into(), self.hopf.parameter.into()),
            ("parameter".into(), cycles.iter().map(|c| c.parameter).collect::<Vec<_>>().into()),
            ("period".into(), cycles.iter().map(|c| c.period).collect::<Vec<_>>().into()),
            ("states".into(), states(|c| &c.state)),
            ("lowest".into(), states(|c| &c.lowest)),
            ("highest".into(), states(|c| &c.highest)),
            ("multipliers".into(), Value::List(multipliers.collect())),
            ("end".into(), self.branch.end.name().into()),
        ])
    }
}

/// Least and largest density along the cycles, stable stretches solid.
pub(super) fn series(families: &[Family], shown: usize) -> Vec<Series> {
    let mut drawn = Vec::new();
    for (stable, role, name) in
        [(true, Role::Theory, "stable cycle"), (false, Role::Alternative, "unstable cycle")]
    {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for extreme in EXTREMES {
            let cycles = families.iter().map(|family| family.branch.cycles.as_slice());
            let point = |c: &Cycle| (c.parameter, extreme(c)[shown]);
            let line = stretches(cycles, |c| c.is_stable() == stable, point);
            x.extend(line.0);
            y.extend(line.1);
        }
        if x.iter().any(|v| v.is_finite()) {
            drawn.push(Series { name: name.into(), role, quantity: 4, x, y, limits: None });
        }
    }
    drawn
}
