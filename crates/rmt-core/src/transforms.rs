//! S-transforms as renormalisation factors, with argument t = normalised degrees of freedom in (0, 1)
//! (the classical argument of free probability is −t).

use crate::spectrum::{Resolution, Spectrum, Weight};
use crate::{Error, Result};

/// S_A(t) = (1 − t)/(t κ_A(t)), where κ_A(t) solves df1(κ)/p = t. Multiplicative over free products:
/// S_Σ̂ = S_Σ·S_W, so that κ = λ·S_W(t).
///
/// # Errors
/// [`Error::Unreachable`] unless 0 < t < rank/p.
pub fn s_transform(spectrum: &impl Spectrum, t: f64) -> Result<f64> {
    let nodes = spectrum.nodes(Weight::Count, Resolution::Compressed);
    let (p, rank) = (spectrum.dimension(), nodes.mass());
    if !(t > 0.0 && t * p < rank) {
        return Err(Error::Unreachable {
            name: "normalised degrees of freedom",
            value: t,
            limit: rank / p,
        });
    }
    let kappa = nodes.kappa_at(p * t, rank - p * t)?;
    Ok((1.0 - t) / (t * kappa))
}

/// S-transform of the white Wishart factor of `n` rows at t = df1/p: 1/(1 − (p/n)t).
///
/// # Errors
/// [`Error::Unreachable`] where (p/n)t ≥ 1.
pub fn s_transform_wishart(p: f64, n: f64, t: f64) -> Result<f64> {
    let room = 1.0 - p / n * t;
    if t > 0.0 && room > 0.0 {
        Ok(1.0 / room)
    } else {
        Err(Error::Unreachable { name: "normalised degrees of freedom", value: t, limit: n / p })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnyStage, DeterministicEquivalent, Modes, Population, Samples};

    /// κ = λ·S_W(df1/p), S_I = 1, and S_Σ scales as 1/Σ.
    #[test]
    fn renormalisation() {
        let population =
            Population::new(&Modes::PowerLaw { p: 80, alpha: 1.0, scale: 1.0, reversed: false })
                .unwrap();
        let stages: Vec<Box<dyn AnyStage>> = vec![Box::new(Samples::new(50.0).unwrap())];
        let solution =
            DeterministicEquivalent::new(&population, stages).unwrap().solve(0.01).unwrap();
        let t = solution.dof() / 80.0;
        let s_w = s_transform_wishart(80.0, 50.0, t).unwrap();
        assert!((0.01 * s_w / solution.kappa() - 1.0).abs() < 1e-13);
        let s = s_transform(&population, t).unwrap();
        assert!((s * t * solution.kappa() / (1.0 - t) - 1.0).abs() < 1e-13);
        let identity = Population::new(&Modes::Constant { p: 7, value: 1.0 }).unwrap();
        assert!((s_transform(&identity, 0.3).unwrap() - 1.0).abs() < 1e-14);
        assert!(s_transform(&identity, 1.0).is_err());
    }
}
