//! The population, the data and the feature map, checked once and turned into a chain of stages.

use crate::activation::ActivationFunction;
use crate::kernel::{Kernel, NoiseCorrelation, SampleCorrelation};
use crate::{Error, Result};
use rmt_core::{Activation, AnyStage, CorrelatedSamples, Modes, Population, Samples, Width};

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

/// A layer's nonlinear part: which stage it is, and its spectral mass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// Index into `Solution::seen` just after the activation.
    pub(super) stage: usize,
    /// μ*².
    pub(super) mass: f64,
}

/// What the noise correlation adds when it differs from that of the samples: pairs (k, k′).
pub(super) type NoiseSpectrum = Vec<(f64, f64)>;

pub(super) struct Parts {
    pub(super) population: Population,
    pub(super) stages: Vec<Box<dyn AnyStage>>,
    /// Number of stages that belong to the features.
    pub(super) feature_stages: usize,
    /// Index into `Solution::seen` at the end of each layer.
    pub(super) layer_ends: Vec<usize>,
    pub(super) tails: Vec<Tail>,
    /// Energy outside the span: of the target, and of modes with s = 0.
    pub(super) outside: f64,
    pub(super) kernel: Option<Kernel>,
    pub(super) mismatch: Option<NoiseSpectrum>,
}

struct Layers {
    stages: Vec<Box<dyn AnyStage>>,
    ends: Vec<usize>,
    tails: Vec<Tail>,
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

    /// Checks every input and builds population and stages.
    pub(super) fn parts(&self) -> Result<Parts> {
        non_negative("noise_variance", self.noise_variance)?;
        non_negative("target_outside", self.target_outside)?;
        for (i, width) in self.widths.iter().enumerate() {
            if !(*width >= 1.0 && width.is_finite()) {
                return Err(Error::BadEntry {
                    key: "widths",
                    index: vec![i],
                    value: *width,
                    remedy: "a width is a finite number of at least 1",
                });
            }
        }
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
        let Layers { mut stages, ends: layer_ends, tails } = self.layers()?;
        let feature_stages = stages.len();
        let (mut kernel, mut mismatch) = (None, None);
        match (&self.sample_correlation, self.n) {
            (None, _) if self.noise_correlation.is_some() => {
                return Err(Error::NotCovered {
                    key: "noise_correlation",
                    remedy: "correlated noise needs `sample_correlation` (kind identity for \
                             independent inputs)",
                });
            }
            (None, None) => {}
            (None, Some(n)) => stages.push(Box::new(Samples::new(n)?)),
            (Some(_), None) => {
                return Err(Error::NotCovered {
                    key: "sample_correlation",
                    remedy: "correlated samples need a number of samples; give `n`",
                });
            }
            (Some(correlation), Some(n)) => {
                if !self.activations.is_empty() || self.target_outside + lost > 0.0 {
                    return Err(Error::NotCovered {
                        key: "sample_correlation",
                        remedy: "under nonlinear features (or with target energy outside the span) \
                                 every order of the nonlinearity sees another correlation, Kᵢⱼ to \
                                 that power; available for linear layers and linear targets only",
                    });
                }
                let rows = crate::simulate::whole("n", n)?;
                let built = correlation.kernel(rows)?;
                stages.push(Box::new(correlated(&built)?));
                mismatch = self.noise_spectrum(&built, rows)?;
                kernel = Some(built);
            }
        }
        let outside = self.target_outside + lost;
        Ok(Parts {
            population,
            stages,
            feature_stages,
            layer_ends,
            tails,
            outside,
            kernel,
            mismatch,
        })
    }

    fn noise_spectrum(&self, kernel: &Kernel, rows: usize) -> Result<Option<NoiseSpectrum>> {
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

    fn layers(&self) -> Result<Layers> {
        let (layers, widths) = (self.activations.len(), self.widths.len());
        if layers > 0 && widths > 0 && layers != widths {
            return Err(Error::LengthMismatch {
                key: "activations",
                found: layers,
                expected: widths,
            });
        }
        let mut stages: Vec<Box<dyn AnyStage>> = Vec::new();
        let (mut ends, mut tails) = (Vec::new(), Vec::new());
        // Variance of the inputs of a layer: Tr Σ, then μ₁² + μ*² of the layer before.
        let mut variance = self.spectrum.total("spectrum")?;
        for layer in 0..layers.max(widths) {
            if let Some(activation) = self.activations.get(layer) {
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
                stages.push(Box::new(Activation::new(gain / variance, c.nonlinear_variance)?));
                tails.push(Tail { stage: stages.len(), mass: c.nonlinear_variance });
                variance = gain + c.nonlinear_variance;
            }
            if let Some(width) = self.widths.get(layer) {
                stages.push(Box::new(Width::new(*width)?));
            }
            ends.push(stages.len());
        }
        Ok(Layers { stages, ends, tails })
    }
}

fn correlated(kernel: &Kernel) -> Result<CorrelatedSamples> {
    let levels = kernel.levels();
    let mut values = levels.values().to_vec();
    let mut counts = levels.counts().to_vec();
    if levels.nullity() > 0.0 {
        values.push(0.0);
        counts.push(levels.nullity());
    }
    Ok(CorrelatedSamples::with_multiplicities(&values, &counts)?)
}

pub(crate) fn non_negative(key: &'static str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(Error::OutOfRange { key, value, remedy: "must be finite and ≥ 0" })
    }
}
