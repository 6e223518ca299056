//! The questions of this crate under their contract names.

mod continuation;
mod equilibria;
mod hopf;
mod trajectory;

use continuation::Continuation;
use equilibria::Equilibria;
use hopf::Hopf;
use trajectory::Trajectory;

use crate::{Equilibrium, PopulationModel, PredatorPreyScavenger, Result, model};
use rmt_task::{Reference, Registration, Value};
use std::collections::BTreeMap;

/// All tasks of this crate.
pub fn tasks() -> Vec<Registration> {
    vec![
        Registration::of::<Trajectory>(),
        Registration::of::<Equilibria>(),
        Registration::of::<Continuation>(),
        Registration::of::<Hopf>(),
    ]
}

/// Parameters by name.
pub(crate) type Rates = BTreeMap<String, f64>;

pub(crate) const EQUATIONS: &str = "\
x' = r x (1 − x/k) − a π(a0,x) y − b π(b0,x) z
y' = d π(a0,x) y − e y + f π(i0,z) y
z' = g π(b0,x) z − j z + h y z − i π(i0,z) y
π(c,s) = s²/(1 + c s²)";

pub(crate) const LATEX: &str = r"
\dot x &= r x\,(1 - x/k) - a\,\pi(a_0, x)\,y - b\,\pi(b_0, x)\,z \\
\dot y &= d\,\pi(a_0, x)\,y - e\,y + f\,\pi(i_0, z)\,y \\
\dot z &= g\,\pi(b_0, x)\,z - j\,z + h\,y z - i\,\pi(i_0, z)\,y \\
\pi(c, s) &= s^2/(1 + c s^2)";

pub(crate) const PANCHAL: Reference = Reference {
    key: "panchal2024scavenger",
    authors: "Panchal and Beniwal and Kumar",
    title: "Predator Prey Scavenger Model using Holling's Functional Response of Type III and \
            Physics-Informed Deep Neural Networks",
    year: 2024,
    venue: "arXiv:2412.18344",
};

/// The named model, the flagship by default.
pub(crate) fn choose(name: Option<&str>) -> Result<&'static dyn PopulationModel> {
    name.map_or(Ok(&PredatorPreyScavenger), model)
}

pub(crate) fn describe(equilibrium: &Equilibrium) -> Vec<(String, Value)> {
    let s = &equilibrium.stability;
    let order: Vec<String> =
        (1..=s.characteristic_polynomial.len()).map(|m| format!("c{m}")).collect();
    vec![
        ("type".to_owned(), equilibrium.name.into()),
        ("state".to_owned(), equilibrium.state.clone().into()),
        ("eigenvalues".to_owned(), s.eigenvalues.clone().into()),
        (format!("charpoly_{}", order.join("_")), s.characteristic_polynomial.clone().into()),
        ("kind".to_owned(), s.kind.name().into()),
        ("routh_hurwitz_stable".to_owned(), s.routh_hurwitz_stable.into()),
    ]
}
