//! A population behind its layers and samples, ready to be solved.

use super::Prediction;
use super::setting::{Hermite, Layers, Rows, Setting, Tail};
use crate::{Error, Result};
use rmt_core::{DeterministicEquivalent, Population, Resolution, Spectrum, Weight};
use std::sync::Arc;

/// Ridge regression on (random features of) a population: build once, then ask for any λ or κ.
///
/// ```
/// use rmt_core::Modes;
/// use rmt_models::random_features::{FeatureRegression, Setting, Target};
///
/// let setting = Setting {
///     n: Some(150.0),
///     widths: vec![100.0],
///     noise_variance: 0.2,
///     ..Setting::new(
///         Modes::PowerLaw { p: 200, alpha: 1.3, scale: 1.0, reversed: false },
///         Target::Coefficients(Modes::PowerLaw { p: 200, alpha: 0.6, scale: 1.0, reversed: false }),
///     )
/// };
/// let model = FeatureRegression::new(&setting)?;
/// let at = model.predict(0.01)?;
/// assert!((at.risk - 0.127_977_197).abs() < 1e-9);
/// // Four feature maps averaged on the same data.
/// assert!(at.ensemble(1.0, 4.0) < at.risk);
/// # Ok::<(), rmt_models::Error>(())
/// ```
pub struct FeatureRegression {
    pub(super) chain: DeterministicEquivalent<Arc<Population>>,
    pub(super) feature_stages: usize,
    pub(super) layer_ends: Vec<usize>,
    pub(super) tails: Vec<Tail>,
    /// Target energy outside the span of the features.
    pub(super) outside: f64,
    pub(super) noise_variance: f64,
    pub(super) n: Option<f64>,
    pub(super) rows: Option<Rows>,
    nonlinear: Arc<[Hermite]>,
}

impl FeatureRegression {
    /// Checks the inputs and prepares the chain.
    ///
    /// # Errors
    /// Any input out of range, by its contract name; combinations without a theory (nonlinear
    /// features under correlated samples or a shifted metric).
    pub fn new(setting: &Setting) -> Result<Self> {
        let (population, outside) = setting.population()?;
        let nonlinear = setting.nonlinear()?;
        let layers = Layers::new(&nonlinear, &setting.widths)?;
        let rows = setting.rows(outside)?;
        let noise_variance = setting.noise_variance;
        Self::of(
            Arc::new(population),
            (outside, noise_variance),
            nonlinear.into(),
            layers,
            setting.n,
            rows,
        )
    }

    /// The same population, activations and noise with another number of samples and other widths: a
    /// map over sizes prepares the spectrum once.
    ///
    /// # Errors
    /// Sizes out of range; correlated samples, whose correlation belongs to their number.
    pub fn with_sizes(&self, n: Option<f64>, widths: &[f64]) -> Result<Self> {
        if self.rows.is_some() {
            return Err(Error::NotCovered {
                key: "n",
                remedy: "the correlation of samples belongs to their number; build the model anew",
            });
        }
        let population = Arc::clone(self.chain.spectrum());
        let energies = (self.outside, self.noise_variance);
        let layers = Layers::new(&self.nonlinear, widths)?;
        Self::of(population, energies, Arc::clone(&self.nonlinear), layers, n, None)
    }

    fn of(
        population: Arc<Population>,
        (outside, noise_variance): (f64, f64),
        nonlinear: Arc<[Hermite]>,
        mut layers: Layers,
        n: Option<f64>,
        rows: Option<Rows>,
    ) -> Result<Self> {
        let feature_stages = layers.stages.len();
        layers.end_with_samples(n, rows.as_ref())?;
        Ok(Self {
            chain: DeterministicEquivalent::new(population, layers.stages)?,
            feature_stages,
            layer_ends: layers.ends,
            tails: layers.tails,
            outside,
            noise_variance,
            n,
            rows,
            nonlinear,
        })
    }

    /// The chain itself.
    pub fn equivalent(&self) -> &DeterministicEquivalent<Arc<Population>> {
        &self.chain
    }

    /// At a ridge λ ≥ 0.
    ///
    /// # Errors
    /// λ out of range.
    pub fn predict(&self, lambda: f64) -> Result<Prediction> {
        Ok(self.read(&self.chain.solve(lambda)?))
    }

    /// Along a list of ridges, each solve starting from the one before.
    ///
    /// # Errors
    /// A λ out of range.
    pub fn path(&self, lambdas: &[f64]) -> Result<Vec<Prediction>> {
        Ok(self.chain.path(lambdas)?.iter().map(|s| self.read(s)).collect())
    }

    /// At κ = κ(λ = 0) + `shift`: explicit, λ comes out. The way to sweep without solving.
    ///
    /// # Errors
    /// A negative or infinite shift.
    pub fn at_shift(&self, shift: f64) -> Result<Prediction> {
        Ok(self.read(&self.chain.at_shift(shift)?))
    }

    /// A scale of κ: Tr Σ, at which the degrees of freedom are below one.
    pub(crate) fn scale(&self) -> f64 {
        let nodes = self.chain.spectrum().nodes(Weight::Count, Resolution::Compressed);
        nodes.sum(|s| s)
    }

    /// What a reader should know about the inputs (a normalisation, an approximate spectrum).
    pub fn notices(&self) -> Vec<String> {
        let mut notices: Vec<String> =
            self.rows.iter().flat_map(|r| r.kernel.notices().iter().cloned()).collect();
        let rounded = self.chain.spectrum().rounded();
        if rounded > 0 {
            notices.push(format!("{rounded} tiny negative entries were rounded to zero"));
        }
        notices
    }
}
