//! Linear stability of an equilibrium, and how it moves with the parameters.
//!
//! With J = ∂F/∂u and det(λ − J) = λⁿ + c₁λⁿ⁻¹ + … + cₙ, Routh and Hurwitz: for n = 2 all Re λ < 0
//! iff c₁ > 0, c₂ > 0; for n = 3 iff c₁ > 0, c₃ > 0, c₁c₂ > c₃.
//! Along a family of equilibria ∂u*/∂p = −J⁻¹ ∂F/∂p.

use crate::linear::{characteristic_polynomial, eigenvalues, frobenius, solve};
use crate::{Error, PopulationModel, Result, check_parameters, check_state};

/// An eigenvalue counts as zero within this multiple of ‖J‖ (Frobenius).
const MARGIN: f64 = 1e-10;

/// What an equilibrium is in the full space of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All Re λ < 0.
    Stable,
    /// Real parts of both signs.
    Saddle,
    /// All Re λ > 0.
    Unstable,
    /// No Re λ above the margin, but one within it.
    Marginal,
}

impl Kind {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Saddle => "saddle",
            Self::Unstable => "unstable",
            Self::Marginal => "marginal",
        }
    }
}

/// Linearisation at an equilibrium.
#[derive(Clone, Debug, PartialEq)]
pub struct Stability {
    /// (Re λ, Im λ), by ascending real, then imaginary part.
    pub eigenvalues: Vec<(f64, f64)>,
    /// c₁ … cₙ of the characteristic polynomial.
    pub characteristic_polynomial: Vec<f64>,
    /// The verdict of the eigenvalues.
    pub kind: Kind,
    /// The verdict of Routh and Hurwitz; it can differ from `kind` only within the margin.
    pub routh_hurwitz_stable: bool,
}

/// Linearises the model at a state (of at most three species).
pub fn stability(
    model: &dyn PopulationModel,
    parameters: &[f64],
    state: &[f64],
) -> Result<Stability> {
    check_parameters(model, parameters)?;
    check_state(model, state)?;
    let n = state.len();
    let mut jacobian = vec![0.0; n * n];
    model.jacobian(parameters, state, &mut jacobian);
    let values =
        eigenvalues(&jacobian, n).ok_or_else(|| Error::Overflow { state: state.to_vec() })?;
    let margin = MARGIN * frobenius(&jacobian);
    let above = values.iter().any(|v| v.0 > margin);
    let below = values.iter().any(|v| v.0 < -margin);
    let within = values.iter().any(|v| v.0.abs() <= margin);
    let kind = match (above, below) {
        (true, true) => Kind::Saddle,
        (true, false) => Kind::Unstable,
        (false, _) if within => Kind::Marginal,
        (false, _) => Kind::Stable,
    };
    let c = characteristic_polynomial(&jacobian, n);
    Ok(Stability {
        eigenvalues: values,
        routh_hurwitz_stable: routh_hurwitz(&c),
        characteristic_polynomial: c,
        kind,
    })
}

fn routh_hurwitz(c: &[f64]) -> bool {
    match *c {
        [c1] => c1 > 0.0,
        [c1, c2] => c1 > 0.0 && c2 > 0.0,
        [c1, c2, c3] => c1 > 0.0 && c3 > 0.0 && c1 * c2 > c3,
        // The Hurwitz determinants of larger systems have no user yet.
        _ => false,
    }
}

/// How an equilibrium moves with the parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalSensitivity {
    /// ∂uₙ/∂pₘ, N×P row-major; rows of absent species are zero.
    pub derivatives: Vec<f64>,
    /// Elasticities (pₘ/uₙ) ∂uₙ/∂pₘ, N×P; rows of absent species are zero.
    pub elasticities: Vec<f64>,
}

/// Derivatives of an equilibrium for all parameters. An absent species stays absent.
pub fn local_sensitivity(
    model: &dyn PopulationModel,
    parameters: &[f64],
    state: &[f64],
) -> Result<LocalSensitivity> {
    check_parameters(model, parameters)?;
    check_state(model, state)?;
    let (n, p) = (state.len(), parameters.len());
    let present: Vec<usize> = (0..n).filter(|&m| state[m] > 0.0).collect();
    let mut by_state = vec![0.0; n * n];
    model.growth_by_state(parameters, state, &mut by_state);
    let mut by_parameter = vec![0.0; n * p];
    model.growth_by_parameter(parameters, state, &mut by_parameter);
    let mut result =
        LocalSensitivity { derivatives: vec![0.0; n * p], elasticities: vec![0.0; n * p] };
    for column in 0..p {
        let mut matrix: Vec<f64> = present
            .iter()
            .flat_map(|&row| present.iter().map(move |&m| (row, m)))
            .map(|(row, m)| by_state[row * n + m])
            .collect();
        let mut shift: Vec<f64> =
            present.iter().map(|&row| -by_parameter[row * p + column]).collect();
        solve(&mut matrix, &mut shift).ok_or(Error::Absent {
            what: "the sensitivity of this equilibrium",
            reason: "its Jacobian is singular (a fold or a transcritical point)".to_owned(),
        })?;
        for (&row, shift) in present.iter().zip(shift) {
            result.derivatives[row * p + column] = shift;
            result.elasticities[row * p + column] = parameters[column] * shift / state[row];
        }
    }
    Ok(result)
}
