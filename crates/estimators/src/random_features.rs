//! Ridge regression on random features of the data, with CorrGCV.
//!
//! Φ = XF with a drawn F, and D̂ = Tr Φ̂(Φ̂ + λ)⁻¹ of the random-feature smoother. Under linear layers the
//! rows of Φ are correlated exactly as those of X, and CorrGCV of Φ estimates the error at fresh x for any
//! number of layers: λ = κ₁φ(D) with κ₁ the ridge after the layers. Given features (n×m) need nothing of
//! this module: hand them to [`Regression`] as `x`. A nonlinear activation sees Kᵢⱼ to every power, so that
//! no single K describes its rows; correlated rows are refused there.
//!
//! Atanasov, Zavatone-Veth, Pehlevan, arXiv:2405.00592 and arXiv:2408.04607.

use crate::{Coefficients, Criteria, Error, Options, Path, Regression, Result, Table};
use faer::Mat;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rmt_models::ActivationFunction;

/// A drawn feature map: linear or nonlinear layers with Gaussian weights.
#[derive(Clone, Debug)]
pub struct FeatureMap {
    weights: Vec<Mat<f64>>,
    layers: Vec<Layer>,
}

/// A nonlinearity, the scale of its pre-activations and its mean, both under unit-variance Gaussians.
#[derive(Clone, Debug)]
struct Layer {
    function: ActivationFunction,
    scale: f64,
    mean: f64,
}

impl FeatureMap {
    /// Linear layers F₁…F_L of `widths` on `inputs` columns, entries N(0, 1/N_l).
    ///
    /// # Errors
    /// No layer, or a width of zero.
    pub fn linear(inputs: usize, widths: &[usize], seed: u64) -> Result<Self> {
        let mut map = Self { weights: draw(inputs, widths, seed)?, layers: Vec::new() };
        for weights in &mut map.weights {
            let scale = 1.0 / (weights.ncols() as f64).sqrt();
            *weights *= faer::Scale(scale);
        }
        Ok(map)
    }

    /// Nonlinear layers: centred activations of pre-activations whose mean square over the rows of `x`
    /// is one, the last ones divided by √m.
    ///
    /// # Errors
    /// As [`FeatureMap::linear`]; besides, activations of another number than widths, an all-zero `x`, an
    /// activation without coefficients at unit variance.
    pub fn nonlinear(
        x: Table<'_>,
        widths: &[usize],
        activations: &[ActivationFunction],
        seed: u64,
    ) -> Result<Self> {
        if activations.len() != widths.len() {
            let (found, expected) = (activations.len(), widths.len());
            return Err(Error::Length { what: "activations", found, expected });
        }
        x.check("x")?;
        let weights = draw(x.columns(), widths, seed)?;
        let squares: f64 = (0..x.rows())
            .flat_map(|i| (0..x.columns()).map(move |j| (i, j)))
            .map(|(i, j)| x.at(i, j).powi(2))
            .sum();
        let mut variance = squares / x.rows() as f64;
        if variance <= 0.0 {
            return Err(Error::NoVariance);
        }
        let mut layers = Vec::new();
        for (index, function) in activations.iter().enumerate() {
            let c = function.hermite(1.0)?;
            let fan_in = if index == 0 { 1.0 } else { weights[index].nrows() as f64 };
            layers.push(Layer {
                function: function.clone(),
                scale: 1.0 / (variance * fan_in).sqrt(),
                mean: c.mean,
            });
            variance = c.linear * c.linear + c.nonlinear_variance;
        }
        Ok(Self { weights, layers })
    }

    /// Number of features m.
    pub fn width(&self) -> usize {
        self.weights.last().map_or(0, Mat::ncols)
    }

    /// Whether every layer is linear.
    pub fn is_linear(&self) -> bool {
        self.layers.is_empty()
    }

    /// Features of each row: `out[row * width + feature]`.
    ///
    /// # Errors
    /// The table must have as many columns as the map has inputs, of finite numbers.
    pub fn apply(&self, x: Table<'_>) -> Result<Vec<f64>> {
        let inputs = self.weights[0].nrows();
        if x.columns() != inputs {
            let (found, expected) = (x.columns(), inputs);
            return Err(Error::Length { what: "inputs", found, expected });
        }
        x.check("x")?;
        let mut values = Mat::from_fn(x.rows(), x.columns(), |i, j| x.at(i, j));
        for (index, weights) in self.weights.iter().enumerate() {
            values = values * weights;
            if let Some(layer) = self.layers.get(index) {
                let last = index + 1 == self.weights.len();
                let out = if last { 1.0 / (values.ncols() as f64).sqrt() } else { 1.0 };
                for j in 0..values.ncols() {
                    for i in 0..values.nrows() {
                        let z = layer.scale * values[(i, j)];
                        values[(i, j)] = out * (layer.function.value(z) - layer.mean);
                    }
                }
            }
        }
        Ok((0..values.nrows())
            .flat_map(|i| (0..values.ncols()).map(move |j| (i, j)))
            .map(|(i, j)| values[(i, j)])
            .collect())
    }
}

fn draw(inputs: usize, widths: &[usize], seed: u64) -> Result<Vec<Mat<f64>>> {
    if inputs == 0 || widths.is_empty() || widths.contains(&0) {
        return Err(Error::Empty { what: "widths" });
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut rows = inputs;
    let mut out = Vec::new();
    for width in widths {
        out.push(Mat::from_fn(rows, *width, |_, _| StandardNormal.sample(&mut random)));
        rows = *width;
    }
    Ok(out)
}

/// Ridge regression on the features of a [`FeatureMap`].
///
/// ```
/// use rmt_estimators::{Criteria, Criterion, FeatureMap, FeatureRegression, Options, Table};
/// use rmt_models::kernel::{Family, SampleCorrelation};
///
/// let x: Vec<f64> = (0..40).map(|i| (f64::from(i) * 0.7).sin()).collect();
/// let y: Vec<f64> = (0..20).map(|i| x[2 * i] - 0.5 * x[2 * i + 1]).collect();
/// let x = Table::new(&x, 20, 2)?;
/// let map = FeatureMap::linear(2, &[8], 0)?;
/// let fit = FeatureRegression::new(map, x, Table::column(&y), &Options::default())?;
/// let kernel = SampleCorrelation::from(Family::Exponential { length: 2.0 }).kernel(20)?;
/// let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
/// let path = fit.path(&[0.1, 0.01], &criteria)?;
/// let best = path.choose(Criterion::CorrGcv, 0)?;
/// assert_eq!(fit.predict(x, best.lambda)?.len(), 20);
/// # Ok::<(), rmt_estimators::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FeatureRegression {
    map: FeatureMap,
    regression: Regression,
}

impl FeatureRegression {
    /// Computes the features and decomposes them.
    ///
    /// # Errors
    /// As [`FeatureMap::apply`] and [`Regression::new`].
    pub fn new(map: FeatureMap, x: Table<'_>, y: Table<'_>, options: &Options) -> Result<Self> {
        let features = map.apply(x)?;
        let table = Table::new(&features, x.rows(), map.width())?;
        Ok(Self { regression: Regression::new(table, y, options)?, map })
    }

    /// The regression on the features.
    pub fn regression(&self) -> &Regression {
        &self.regression
    }

    /// The criteria at each ridge; CorrGCV with the degrees of freedom of the random-feature smoother.
    ///
    /// # Errors
    /// As [`Regression::path`]; correlated rows under nonlinear features.
    pub fn path(&self, lambdas: &[f64], criteria: &Criteria<'_>) -> Result<Path> {
        let correlated = [criteria.correlation, criteria.noise].into_iter().flatten();
        if !self.map.is_linear() && correlated.into_iter().any(|k| !k.is_identity()) {
            return Err(Error::NonlinearCorrelation);
        }
        self.regression.path(lambdas, criteria)
    }

    /// Coefficients on the features.
    ///
    /// # Errors
    /// As [`Regression::coefficients`].
    pub fn coefficients(&self, lambda: f64) -> Result<Coefficients> {
        self.regression.coefficients(lambda)
    }

    /// Predictions at new rows: `out[row * targets + target]`.
    ///
    /// # Errors
    /// As [`FeatureMap::apply`] and [`Regression::coefficients`].
    pub fn predict(&self, x: Table<'_>, lambda: f64) -> Result<Vec<f64>> {
        let features = self.map.apply(x)?;
        self.coefficients(lambda)?.predict(Table::new(&features, x.rows(), self.map.width())?)
    }
}
