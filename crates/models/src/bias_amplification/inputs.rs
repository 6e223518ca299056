use super::scan::Scan;
use crate::Error;
use crate::groups::{Coefficients, Covariance, Mixture, Populations, Sample, Source};
use rmt_core::Modes;
use rmt_task::TaskError;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Inputs of [`super::BiasAmplification`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BiasAmplificationInputs {
    /// Number of samples of each group, whole numbers ≥ 0. Or give `n_total` and `shares`.
    #[schemars(schema_with = "counts")]
    pub n: Option<Vec<f64>>,
    /// Number of samples in total, to be split by `shares`.
    pub n_total: Option<f64>,
    /// Fraction of the samples in each group, in [0, 1]; the last one may be left out. Rounded to
    /// whole samples.
    pub shares: Option<Vec<f64>>,
    /// Covariance of the features of each group.
    pub covariances: Vec<Covariance>,
    /// Label noise σ_s² of each group, ≥ 0.
    pub noise_variances: Vec<f64>,
    /// Ridge λ ≥ 0 of (1/n) Σ a_s (y − xᵀSη)² + λ‖η‖²; 0 is the ridgeless limit.
    pub lambda: f64,
    /// Number of random features m, of variance 1/m; absent: the features themselves.
    pub width: Option<f64>,
    /// Weight a_s ≥ 0 of each sample in the joint loss; absent: 1. Separate models are unweighted.
    pub weights: Option<Vec<f64>>,
    /// Variances of coefficients common to all groups.
    pub shared_prior: Option<Modes>,
    /// Variances of each group's own coefficients on top; null for none.
    pub group_priors: Option<Vec<Option<Modes>>>,
    /// Fixed coefficients of each group, on top of the random ones.
    pub coefficients: Option<Vec<Coefficients>>,
    /// Ridge of the separate models; absent: `lambda`.
    pub lambda_separate: Option<f64>,
    /// Search a range of ridges or widths for regions without amplification, equal risks and optima.
    pub scan: Option<Scan>,
}

/// Schema of a list of whole numbers that theory takes as real ones.
pub(super) fn counts(_: &mut SchemaGenerator) -> Schema {
    let item = json!({"type": "number", "minimum": 0, "description": "Number of samples"});
    json_schema!({"type": ["array", "null"], "items": item})
}

/// A mixture as the tasks take it, checked and in the engine's terms.
pub(super) struct Setting {
    pub(super) covariances: Vec<Covariance>,
    pub(super) sources: Vec<Source>,
    pub(super) samples: Vec<Sample>,
    pub(super) width: Option<f64>,
}

/// One group's own model.
pub(super) struct Separate {
    populations: Populations,
    sample: Sample,
    width: Option<f64>,
    energy: f64,
}

impl Setting {
    pub(super) fn of(inputs: &BiasAmplificationInputs) -> Result<Self, TaskError> {
        let n = group_sizes(inputs.n.as_deref(), inputs.n_total, inputs.shares.as_deref())?;
        Self::new(
            &n,
            &inputs.covariances,
            &inputs.noise_variances,
            inputs.weights.as_deref(),
            inputs.width,
            inputs.shared_prior.as_ref(),
            inputs.group_priors.as_deref(),
            inputs.coefficients.as_deref(),
        )
    }

    pub(super) fn new(
        n: &[f64],
        covariances: &[Covariance],
        noise_variances: &[f64],
        weights: Option<&[f64]>,
        width: Option<f64>,
        shared_prior: Option<&Modes>,
        group_priors: Option<&[Option<Modes>]>,
        coefficients: Option<&[Coefficients]>,
    ) -> Result<Self, TaskError> {
        let groups = n.len();
        let one_each = |key: &'static str, found: usize| {
            if found == groups {
                Ok(())
            } else {
                let message = format!("{found} entries for {groups} groups; give one a group");
                Err(TaskError::invalid(key, message))
            }
        };
        one_each("covariances", covariances.len())?;
        one_each("noise_variances", noise_variances.len())?;
        for (s, n) in n.iter().enumerate() {
            whole(&format!("n[{s}]"), *n)?;
        }
        if let Some(width) = width {
            whole("width", width)?;
        }
        if let Some(weights) = weights {
            one_each("weights", weights.len())?;
        }
        let mut sources = Vec::new();
        if let Some(prior) = shared_prior {
            sources.push(Source::Shared(prior.values("shared_prior")?.values));
        }
        if let Some(priors) = group_priors {
            one_each("group_priors", priors.len())?;
            for (group, prior) in priors.iter().enumerate() {
                if let Some(prior) = prior {
                    let variance = prior
                        .values("group_priors")
                        .map_err(|e| TaskError::from(Error::from(e).in_group(group)))
                        .map_err(|e| e.within("group_priors"))?
                        .values;
                    sources.push(Source::Own { group, variance });
                }
            }
        }
        if let Some(w) = coefficients {
            one_each("coefficients", w.len())?;
            sources.push(Source::Fixed(w.iter().map(|w| w.0.clone()).collect()));
        }
        if sources.is_empty() {
            return Err(TaskError::invalid(
                "shared_prior",
                "there are no coefficients; give `shared_prior`, `group_priors` or `coefficients`",
            ));
        }
        let samples = (0..groups)
            .map(|s| Sample {
                n: n[s],
                weight: weights.map_or(1.0, |w| w[s]),
                noise_variance: noise_variances[s],
            })
            .collect();
        Ok(Self { covariances: covariances.to_vec(), sources, samples, width })
    }

    pub(super) fn populations(&self) -> Result<Populations, TaskError> {
        Populations::new(&self.covariances, &self.sources).map_err(|e| self.explain(e))
    }

    pub(super) fn mixture<'a>(
        &self,
        populations: &'a Populations,
    ) -> Result<Mixture<'a>, TaskError> {
        populations.mixture(&self.samples, self.width).map_err(|e| self.explain(e))
    }

    /// The model of each group on its own.
    pub(super) fn separate(&self, populations: &Populations) -> Result<Vec<Separate>, TaskError> {
        let energy = populations.energy().map_err(|e| self.explain(e))?;
        (0..self.samples.len())
            .map(|t| {
                Ok(Separate {
                    populations: populations.only(t).map_err(|e| self.explain(e))?,
                    sample: Sample { weight: 1.0, ..self.samples[t] },
                    width: self.width,
                    energy: energy[t],
                })
            })
            .collect()
    }

    pub(super) fn noise(&self) -> Vec<f64> {
        self.samples.iter().map(|s| s.noise_variance).collect()
    }

    /// Signal and noise together: the size that an error is compared with.
    pub(super) fn size(&self, populations: &Populations) -> Result<f64, TaskError> {
        let energy = populations.energy().map_err(|e| self.explain(e))?;
        Ok(energy.iter().chain(&self.noise()).fold(0.0_f64, |m, x| m.max(*x)))
    }

    /// An error of the engine under the keys of these tasks.
    pub(super) fn explain(&self, error: Error) -> TaskError {
        let about_group = matches!(error, Error::InGroup { .. });
        let error = TaskError::from(error);
        let named = error.key.as_deref().is_some_and(|key| {
            ["coefficients", "group_priors", "covariances"].iter().any(|k| key.ends_with(k))
        });
        match (about_group, named, error.key.clone()) {
            // [1].coefficients → coefficients[1]
            (true, true, Some(key)) => {
                let (index, name) = key.split_once('.').unwrap_or((&key, "covariances"));
                TaskError { key: Some(format!("{name}{index}")), ..error }
            }
            (true, _, _) => error.within("covariances"),
            _ => error,
        }
    }
}

impl Separate {
    /// Excess risk; without samples the estimate is zero. At λ = 0 the limit is still to be taken.
    pub(super) fn risk(&self, lambda: f64) -> crate::Result<f64> {
        self.risk_at(lambda, self.width)
    }

    pub(super) fn risk_at(&self, lambda: f64, width: Option<f64>) -> crate::Result<f64> {
        if self.sample.n == 0.0 {
            return Ok(self.energy);
        }
        let mixture = self.populations.mixture(&[self.sample], width)?;
        Ok(mixture.solve(lambda)?.risks()?.risk()[0])
    }
}

/// A whole number ≥ 0.
pub(crate) fn whole(key: &str, value: f64) -> Result<(), TaskError> {
    if value >= 0.0 && value.fract() == 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(TaskError::invalid(key, format!("{value} is out of range; give a whole number ≥ 0")))
    }
}

fn group_sizes(
    n: Option<&[f64]>,
    total: Option<f64>,
    shares: Option<&[f64]>,
) -> Result<Vec<f64>, TaskError> {
    match (n, total, shares) {
        (Some(n), None, None) => Ok(n.to_vec()),
        (None, Some(total), Some(shares)) => {
            whole("n_total", total)?;
            if let Some(i) = shares.iter().position(|s| !(0.0..=1.0).contains(s)) {
                return Err(TaskError::invalid(
                    format!("shares[{i}]"),
                    format!("{} is out of range; shares lie in [0, 1]", shares[i]),
                ));
            }
            let sum: f64 = shares.iter().sum();
            if sum > 1.0 + 1e-9 {
                let message = format!("their sum is {sum}; it cannot exceed 1");
                return Err(TaskError::invalid("shares", message));
            }
            let mut n: Vec<f64> = shares.iter().map(|s| (s * total).round()).collect();
            // What is left over belongs to the group that was not listed, or is rounding.
            let rest = total - n.iter().sum::<f64>();
            if sum < 1.0 - 1e-9 {
                n.push(rest.max(0.0));
            } else if let Some(last) = n.last_mut() {
                *last += rest;
            }
            Ok(n)
        }
        (None, None, None) => {
            Err(TaskError::invalid("n", "missing, give it or `n_total` and `shares`"))
        }
        (Some(_), _, _) => {
            Err(TaskError::invalid("n", "give either `n`, or `n_total` and `shares`"))
        }
        (None, Some(_), None) => Err(TaskError::invalid("shares", "missing, `n_total` needs it")),
        (None, None, Some(_)) => Err(TaskError::invalid("n_total", "missing, `shares` needs it")),
    }
}
