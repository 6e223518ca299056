//! The population, the data and the feature map, checked once and turned into a chain of stages.

use crate::activation::ActivationFunction;
use crate::kernel::{Kernel, NoiseCorrelation, SampleCorrelation};
use crate::{Error, Result};
use rmt_core::{Activation, AnyStage, Modes, Population, Samples, Width};

/// What a task of this family states about population, data and features.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Eigenvalues of Σ.
    pub spectrum: Modes,
    /// The linear target.
    pub target: Target,
    /// Test metric s′ᵢ = vᵢᵀΣ′vᵢ for a shifted test distribution; linear features only.
    pub test_spectrum: Option<Modes>,
    /// Energy ≥ 0 of a target part that no linear function of x explains.
    pub target_outside: f64,
    /// Noise variance σ² ≥ 0.
    pub noise_variance: f64,
    /// Number of samples ≥ 1; `None` for infinite data.
    pub n: Option<f64>,
    /// Widths N₁…N_L ≥ 1; none for plain ridge (or, with activations, infinitely wide layers).
    pub widths: Vec<f64>,
    /// One activation a layer; none for linear layers.
    pub activations: Vec<ActivationFunction>,
    /// Variance v of the pre-activations.
    pub preactivation_variance: f64,
    /// Correlation between the samples.
    pub sample_correlation: Option<SampleCorrelation>,
    /// Correlation of the noise between samples; `None` for the same as that of the samples.
    pub noise_correlation: Option<NoiseCorrelation>,
}

/// The linear target, per mode.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Squared coefficients cᵢ = (vᵢᵀw)².
    Coefficients(Modes),
    /// Energies θᵢ² = sᵢcᵢ; on modes with s = 0 the energy cannot be explained and acts as noise.
    Energy(Modes),
}

impl Target {
    /// From the two contract keys, exactly one of which must be given.
    pub(crate) fn from_keys(target: &Option<Modes>, energy: &Option<Modes>) -> Result<Self> {
        match (target, energy) {
            (Some(c), None) => Ok(Self::Coefficients(c.clone())),
            (None, Some(e)) => Ok(Self::Energy(e.clone())),
            (Some(_), Some(_)) => Err(Error::Choice {
                key: "target_energy",
                remedy: "give `target` (c = (v·w)²) or `target_energy` (s·c), not both",
            }),
            (None, None) => Err(Error::Choice {
                key: "target",
                remedy: "missing; give `target` (c = (v·w)² per mode) or `target_energy` (s·c)",
            }),
        }
    }
}

/// Inputs that start from a [`Setting`]: the shared keys, then the keys of the task itself.
macro_rules! chain_inputs {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident : $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Eigenvalues of Σ.
            pub spectrum: rmt_core::Modes,
            /// Squared target coefficients c = (v·w)², one per mode.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub target: Option<rmt_core::Modes>,
            /// Target energies θ² = s·c instead of `target`; modes with s = 0 may carry some.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub target_energy: Option<rmt_core::Modes>,
            /// Energy ≥ 0 of a target part orthogonal to linear functions of x; 0 if absent.
            #[serde(default)]
            pub target_outside: f64,
            /// Noise variance σ² ≥ 0.
            pub noise_variance: f64,
            /// Layer widths N₁…N_L ≥ 1, the last one is the number of features; absent for ridge
            /// on the inputs (with activations: infinitely wide layers, the kernel limit).
            #[serde(default)]
            pub widths: Vec<f64>,
            /// An activation for each layer; absent for linear layers.
            #[serde(default)]
            pub activations: Vec<crate::activation::ActivationFunction>,
            /// Variance v > 0 of the pre-activations; 1 if absent.
            #[serde(default = "crate::activation::one")]
            pub preactivation_variance: f64,
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $name {
            /// The shared part, for a number of samples.
            pub(crate) fn setting(&self, n: Option<f64>) -> crate::Result<crate::random_features::Setting> {
                Ok(crate::random_features::Setting {
                    spectrum: self.spectrum.clone(),
                    target: crate::random_features::Target::from_keys(&self.target, &self.target_energy)?,
                    test_spectrum: None,
                    target_outside: self.target_outside,
                    noise_variance: self.noise_variance,
                    n,
                    widths: self.widths.clone(),
                    activations: self.activations.clone(),
                    preactivation_variance: self.preactivation_variance,
                    sample_correlation: None,
                    noise_correlation: None,
                })
            }
        }
    };
}
pub(crate) use chain_inputs;

/// The linear and the nonlinear part of an activation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hermite {
    /// μ₁² over the variance of the layer's inputs.
    gain: f64,
    /// μ*², a tail of infinitely many infinitely small modes.
    tail: f64,
}

/// A layer's nonlinear part: which stage it is, and its spectral mass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// Index into `Solution::seen` just after the activation.
    pub(super) stage: usize,
    /// μ*².
    pub(super) mass: f64,
}

/// The layers as stages from the population outwards.
pub(super) struct Layers {
    pub(super) stages: Vec<Box<dyn AnyStage>>,
    /// Index into `Solution::seen` at the end of each layer.
    pub(super) ends: Vec<usize>,
    pub(super) tails: Vec<Tail>,
}

/// Correlated rows: K, and pairs (k, k′) where the noise has another correlation.
pub(super) struct Rows {
    pub(super) kernel: Kernel,
    pub(super) mismatch: Option<Vec<(f64, f64)>>,
}

impl Setting {
    /// Plain ridge regression without noise on infinite data; set the other fields from here.
    pub fn new(spectrum: Modes, target: Target) -> Self {
        Self {
            spectrum,
            target,
            test_spectrum: None,
            target_outside: 0.0,
            noise_variance: 0.0,
            n: None,
            widths: Vec::new(),
            activations: Vec::new(),
            preactivation_variance: 1.0,
            sample_correlation: None,
            noise_correlation: None,
        }
    }

    /// The population, and the target energy outside the span of its modes with s > 0.
    pub(super) fn population(&self) -> Result<(Population, f64)> {
        non_negative("noise_variance", self.noise_variance)?;
        non_negative("target_outside", self.target_outside)?;
        let (target, lost) = self.coefficients()?;
        let mut population = Population::new(&self.spectrum)?.with_target(&target)?;
        if let Some(metric) = &self.test_spectrum {
            if !self.activations.is_empty() {
                return Err(Error::NotCovered {
                    key: "test_spectrum",
                    remedy: "a shifted test metric changes the nonlinear features themselves and \
                             is available for linear layers only; drop `activations`",
                });
            }
            population = population.with_metric(metric)?;
        }
        Ok((population, self.target_outside + lost))
    }

    /// What the samples are beside their number; `None` for independent rows.
    pub(super) fn rows(&self, outside: f64) -> Result<Option<Rows>> {
        match (&self.sample_correlation, self.n) {
            (None, _) if self.noise_correlation.is_some() => Err(Error::NotCovered {
                key: "noise_correlation",
                remedy: "correlated noise needs `sample_correlation` (kind identity for \
                         independent inputs)",
            }),
            (None, _) => Ok(None),
            (Some(_), None) => Err(Error::NotCovered {
                key: "sample_correlation",
                remedy: "correlated samples need a number of samples; give `n`",
            }),
            (Some(correlation), Some(n)) => {
                if !self.activations.is_empty() || outside > 0.0 {
                    return Err(Error::NotCovered {
                        key: "sample_correlation",
                        remedy: "under nonlinear features (or with target energy outside the span) \
                                 every order of the nonlinearity sees another correlation, Kᵢⱼ to \
                                 that power; available for linear layers and linear targets only",
                    });
                }
                let rows = crate::simulate::whole("n", n)?;
                let kernel = correlation.kernel(rows)?;
                let mismatch = self.noise_spectrum(&kernel, rows)?;
                Ok(Some(Rows { kernel, mismatch }))
            }
        }
    }

    fn noise_spectrum(&self, kernel: &Kernel, rows: usize) -> Result<Option<Vec<(f64, f64)>>> {
        let Some(NoiseCorrelation::Kernel(noise)) = &self.noise_correlation else {
            return Ok(None);
        };
        let joint = kernel.joint_basis(&noise.kernel(rows)?, false)?;
        Ok(Some(joint.values.into_iter().zip(joint.noise_diagonal).collect()))
    }

    /// cᵢ, and the energy that sits on modes with s = 0.
    fn coefficients(&self) -> Result<(Modes, f64)> {
        let energy = match &self.target {
            Target::Coefficients(c) => return Ok((c.clone(), 0.0)),
            Target::Energy(e) => e,
        };
        // A quotient of power laws is one: no list for 10⁹ modes.
        let law = |m: &Modes| match m {
            Modes::Constant { p, value } => Some((*p, 0.0, *value)),
            Modes::PowerLaw { p, alpha, scale, reversed: false } => Some((*p, *alpha, *scale)),
            _ => None,
        };
        if let (Some((p, a, s)), Some((q, b, t))) = (law(&self.spectrum), law(energy))
            && p == q
            && s > 0.0
        {
            return Ok((Modes::PowerLaw { p, alpha: b - a, scale: t / s, reversed: false }, 0.0));
        }
        let s = self.spectrum.values("spectrum")?.values;
        let e = energy.values("target_energy")?.values;
        if s.len() != e.len() {
            return Err(Error::LengthMismatch {
                key: "target_energy",
                found: e.len(),
                expected: s.len(),
            });
        }
        let mut lost = 0.0;
        let c = s
            .iter()
            .zip(&e)
            .map(|(s, e)| {
                if *s > 0.0 {
                    e / s
                } else {
                    lost += e;
                    0.0
                }
            })
            .collect();
        Ok((Modes::Explicit(c), lost))
    }

    /// Gains and tails of the activations. The inputs of the first layer have the variance Tr Σ, those
    /// of a later one μ₁² + μ*² of the layer before.
    pub(super) fn nonlinear(&self) -> Result<Vec<Hermite>> {
        let mut variance = self.spectrum.total("spectrum")?;
        let one = |(layer, activation): (usize, &ActivationFunction)| {
            let c = activation.hermite(self.preactivation_variance)?;
            let gain = c.linear * c.linear;
            if !(gain > 1e-28 * c.nonlinear_variance && gain > 0.0) {
                return Err(Error::BadEntry {
                    key: "activations",
                    index: vec![layer],
                    value: c.linear,
                    remedy: "is E z·φ(z): an activation without a linear part learns nothing \
                             of a linear target; choose one that is not even",
                });
            }
            let before = std::mem::replace(&mut variance, gain + c.nonlinear_variance);
            Ok(Hermite { gain: gain / before, tail: c.nonlinear_variance })
        };
        self.activations.iter().enumerate().map(one).collect()
    }
}

impl Layers {
    /// A layer for each width; without widths, infinitely wide ones.
    pub(super) fn new(nonlinear: &[Hermite], widths: &[f64]) -> Result<Self> {
        let (layers, count) = (nonlinear.len(), widths.len());
        if layers > 0 && count > 0 && layers != count {
            return Err(Error::LengthMismatch {
                key: "activations",
                found: layers,
                expected: count,
            });
        }
        let mut out = Self { stages: Vec::new(), ends: Vec::new(), tails: Vec::new() };
        for layer in 0..layers.max(count) {
            if let Some(Hermite { gain, tail }) = nonlinear.get(layer) {
                out.stages.push(Box::new(Activation::new(*gain, *tail)?));
                out.tails.push(Tail { stage: out.stages.len(), mass: *tail });
            }
            if let Some(width) = widths.get(layer) {
                if !(*width >= 1.0 && width.is_finite()) {
                    return Err(Error::BadEntry {
                        key: "widths",
                        index: vec![layer],
                        value: *width,
                        remedy: "a width is a finite number of at least 1",
                    });
                }
                out.stages.push(Box::new(Width::new(*width)?));
            }
            out.ends.push(out.stages.len());
        }
        Ok(out)
    }

    /// Adds the stage of the samples, if their number is finite.
    pub(super) fn end_with_samples(&mut self, n: Option<f64>, rows: Option<&Rows>) -> Result<()> {
        match (n, rows) {
            (_, Some(rows)) => self.stages.push(Box::new(rows.kernel.samples()?)),
            (Some(n), None) => self.stages.push(Box::new(Samples::new(n)?)),
            (None, None) => {}
        }
        Ok(())
    }
}

pub(crate) fn non_negative(key: &'static str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::OutOfRange { key, value, remedy: "must be finite and ≥ 0" })
    }
}
