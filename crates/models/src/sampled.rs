//! What ridge on independent and on correlated rows share: the decomposition of the error.
//!
//! With κ the ridge the population sees, κ̃ the one the rows see, q = df̃2/df1² (1/n for independent
//! rows) and 1 − γ = 1 − q·df2:
//!
//! bias = κ²θᵀGΣ'Gθ, G = (Σ+κ)⁻¹
//! variance from the data = κ²Σ c s/(s+κ)² · qΣ ss'/(s+κ)² / (1−γ)
//! variance from the noise = σ² · q'Σ ss'/(s+κ)² / (1−γ), q' = df̃2'/df1²

use crate::inputs::DenseMatrix;
use crate::{Error, Result};
use rmt_core::{
    AnyStage, DeterministicEquivalent, Modes, Population, Resolution, Solution, Spectrum, Weight,
};
use rmt_task::Observables;

/// num/den where a vanishing numerator wins: the limit of the error terms at a ridgeless tie.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> f64 {
    if numerator == 0.0 { 0.0 } else { numerator / denominator }
}

/// A population with target and test metric, as the tasks state it.
pub(crate) struct Setting {
    pub(crate) population: Population,
    /// θ in the eigenbasis and Σ' as a matrix, where Σ' does not commute with Σ.
    rotated: Option<(Vec<f64>, Vec<Vec<f64>>)>,
}

impl Setting {
    pub(crate) fn new(
        spectrum: &Modes,
        target: Option<&Modes>,
        coefficients: Option<&[f64]>,
        test_spectrum: Option<&Modes>,
        test_covariance: Option<&DenseMatrix>,
    ) -> Result<Self> {
        let mut population = Population::new(spectrum)?;
        match (target, coefficients) {
            (Some(_), Some(_)) => {
                return Err(Error::Conflict { first: "target", second: "coefficients" });
            }
            (Some(target), None) => population = population.with_target(target)?,
            (None, Some(theta)) => {
                if let Some(i) = theta.iter().position(|x| !x.is_finite()) {
                    return Err(Error::BadEntry {
                        key: "coefficients",
                        index: vec![i],
                        value: theta[i],
                        remedy: "entries must be finite numbers",
                    });
                }
                let squares = theta.iter().map(|x| x * x).collect();
                population = population.with_target(&Modes::Explicit(squares))?;
            }
            (None, None) => {}
        }
        let mut rotated = None;
        match (test_spectrum, test_covariance) {
            (Some(_), Some(_)) => {
                return Err(Error::Conflict { first: "test_spectrum", second: "test_covariance" });
            }
            (Some(metric), None) => population = population.with_metric(metric)?,
            (None, Some(matrix)) => {
                let rows = matrix.covariance("test_covariance", spectrum.len())?;
                let diagonal = (0..rows.len()).map(|i| rows[i][i].max(0.0)).collect();
                population = population.with_metric(&Modes::Explicit(diagonal))?;
                let theta = coefficients.ok_or(Error::Needs {
                    key: "test_covariance",
                    other: "coefficients",
                    reason: "a test covariance that does not commute with the spectrum needs the signed coefficients θ_i",
                })?;
                rotated = Some((theta.to_vec(), rows));
            }
            (None, None) => {}
        }
        Ok(Self { population, rotated })
    }

    /// κ²θᵀGΣ'Gθ.
    fn bias(&self, kappa: f64) -> f64 {
        if let Some((theta, metric)) = &self.rotated {
            let shrunk: Vec<f64> = theta
                .iter()
                .zip(self.population.eigenvalues())
                .map(|(t, s)| if s > 0.0 { t * kappa / (s + kappa) } else { *t })
                .collect();
            let form: f64 = metric
                .iter()
                .zip(&shrunk)
                .map(|(row, x)| x * row.iter().zip(&shrunk).map(|(m, y)| m * y).sum::<f64>())
                .sum();
            return form.max(0.0);
        }
        let nodes = self.population.nodes(Weight::TargetMetric, Resolution::Compressed);
        nodes.sum(|s| (kappa / (s + kappa)).powi(2)) + nodes.zero
    }

    /// Whether Σ' is diagonal in the eigenbasis of Σ.
    pub(crate) fn commutes(&self) -> bool {
        self.rotated.is_none()
    }

    /// θ in the eigenbasis, for simulations: the given coefficients, or positive roots of the target.
    pub(crate) fn theta(&self) -> Vec<f64> {
        match &self.rotated {
            Some((theta, _)) => theta.clone(),
            None => self.population.target().iter().map(|c| c.sqrt()).collect(),
        }
    }

    /// xᵀΣ'x for a vector in the eigenbasis.
    pub(crate) fn test_form(&self, x: &[f64]) -> f64 {
        match &self.rotated {
            Some((_, metric)) => metric
                .iter()
                .zip(x)
                .map(|(row, x_i)| x_i * row.iter().zip(x).map(|(m, x_j)| m * x_j).sum::<f64>())
                .sum(),
            None => self.population.metric().iter().zip(x).map(|(m, x)| m * x * x).sum(),
        }
    }

    pub(crate) fn notes(&self, out: &mut Observables) {
        let rounded = self.population.rounded();
        if rounded > 0 {
            out.note(format!(
                "{rounded} entries within rounding of zero were negative and count as zero"
            ));
        }
    }
}

/// Mode sums at a solution.
pub(crate) struct Sums {
    pub(crate) kappa: f64,
    pub(crate) df1: f64,
    pub(crate) df2: f64,
    /// κ²Σ c s/(s+κ)².
    pub(crate) signal: f64,
    /// Σ ss'/(s+κ)².
    pub(crate) metric: f64,
    /// κ²θᵀGΣ'Gθ.
    pub(crate) bias: f64,
    /// q = df̃2/df1².
    pub(crate) concentration: f64,
    pub(crate) one_minus_gamma: f64,
}

impl Sums {
    pub(crate) fn new(setting: &Setting, solution: &Solution<f64>) -> Self {
        let kappa = solution.kappa();
        let nodes = |weight| setting.population.nodes(weight, Resolution::Compressed);
        Self {
            kappa,
            df1: solution.dof(),
            df2: nodes(Weight::Count).sum(|s| (s / (s + kappa)).powi(2)),
            signal: nodes(Weight::Target).sum(|s| s * (kappa / (s + kappa)).powi(2)),
            metric: nodes(Weight::Metric).sum(|s| s / (s + kappa).powi(2)),
            bias: setting.bias(kappa),
            concentration: solution.sample_concentration(),
            one_minus_gamma: solution.one_minus_gamma(),
        }
    }

    /// Variance of the noiseless fit over data sets.
    pub(crate) fn variance_data(&self) -> f64 {
        ratio(self.signal * self.concentration * self.metric, self.one_minus_gamma)
    }

    /// Variance from label noise; `concentration` = df̃2'/df1² of the noise correlation.
    pub(crate) fn variance_noise(&self, noise: f64, concentration: f64) -> f64 {
        ratio(noise * concentration * self.metric, self.one_minus_gamma)
    }

    /// Excess risk on the training distribution (Σ' = Σ).
    pub(crate) fn matched_risk(&self, noise: f64, concentration: f64) -> f64 {
        let gamma_noise = concentration * self.df2;
        let gamma = self.concentration * self.df2;
        // κ²Σcs/(s+κ)²·(1 + γ/(1−γ)) + σ²γ_n/(1−γ).
        self.signal + ratio(self.signal * gamma + noise * gamma_noise, self.one_minus_gamma)
    }
}

/// The chain of a population seen through one sample stage.
pub(crate) fn chain(
    population: &Population,
    samples: impl AnyStage + 'static,
) -> Result<DeterministicEquivalent<&Population>> {
    Ok(DeterministicEquivalent::new(population, vec![Box::new(samples)])?)
}

/// σ² ≥ 0, finite.
pub(crate) fn check_noise(value: f64) -> Result<f64> {
    if value >= 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::OutOfRange { key: "noise_variance", value, remedy: "must be finite and ≥ 0" })
    }
}
