//! The models, one file each.

mod eliminant;
mod lotka_volterra;
mod response;
mod rosenzweig_macarthur;
mod scavenger;
mod subsystem;

pub(crate) use eliminant::planar;
pub use lotka_volterra::LotkaVolterra;
pub use rosenzweig_macarthur::RosenzweigMacArthur;
pub use scavenger::PredatorPreyScavenger;
pub(crate) use scavenger::rates;
pub use subsystem::Subsystem;

use crate::{Error, PopulationModel, Result};

/// Every model under its name.
pub fn models() -> [&'static dyn PopulationModel; 6] {
    [
        &PredatorPreyScavenger,
        &Subsystem::PredatorPrey,
        &Subsystem::ScavengerPrey,
        &Subsystem::PredatorScavenger,
        &LotkaVolterra,
        &RosenzweigMacArthur,
    ]
}

/// The model of that name.
pub fn model(name: &str) -> Result<&'static dyn PopulationModel> {
    models().into_iter().find(|m| m.name() == name).ok_or_else(|| Error::UnknownName {
        what: "model",
        name: name.to_owned(),
        known: models().map(|m| m.name()).join(", "),
    })
}
