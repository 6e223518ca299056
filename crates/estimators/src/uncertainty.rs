//! How sure an estimate is.
//!
//! Training error, GCV, LOO and CorrGCV are all |r|² times a number that fluctuates less. For
//! r ~ N(0, C) with C ∝ QKQ, r = Qy, |r|² behaves like a χ² variable with
//! ν = (Tr C)²/Tr C² degrees of freedom (Satterthwaite 1946), which gives the relative standard error
//! √(2/ν) and the band [ν/χ²₀.₉₇₅, ν/χ²₀.₀₂₅] around the estimate. The signal enters as if it were
//! part of the noise, which also makes up for the fluctuation of the true error of the fit at hand:
//! in simulations the band covers that error in 93–98 % of the draws.

use crate::Result;
use crate::decomposition::Decomposition;
use crate::prepare::Prepared;
use crate::shrinkage::Shrinkage;
use faer::Mat;
use rmt_models::kernel::Kernel;

/// Uncertainty of an error estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncertainty {
    /// ν: the number of independent squared residuals that carry the same information.
    pub effective_rows: f64,
}

impl Uncertainty {
    /// Relative standard error √(2/ν).
    pub fn relative_error(&self) -> f64 {
        (2.0 / self.effective_rows).sqrt()
    }

    /// The 95 % band around an estimate.
    pub fn band(&self, estimate: f64) -> (f64, f64) {
        let z = 1.959_963_984_540_054;
        let nu = self.effective_rows;
        // Wilson–Hilferty quantiles of χ²/ν.
        let quantile = |z: f64| {
            let root = 1.0 - 2.0 / (9.0 * nu) + z * (2.0 / (9.0 * nu)).sqrt();
            root.max(0.0).powi(3)
        };
        (estimate / quantile(z), estimate / quantile(-z))
    }
}

/// Second moments of residuals, C = QKQ in units of unit².
#[derive(Clone, Debug)]
pub(crate) struct ResidualLaw {
    /// Tr C.
    pub(crate) trace: f64,
    /// Tr C².
    square: f64,
    /// uᵀKu of each left singular vector.
    pub(crate) along: Vec<f64>,
}

impl ResidualLaw {
    pub(crate) fn uncertainty(&self) -> Uncertainty {
        let nu = self.trace * self.trace / self.square;
        Uncertainty { effective_rows: nu.max(f64::MIN_POSITIVE) }
    }
}

/// The law at one ridge for rows of correlation `kernel` (None: independent).
pub(crate) fn law(
    data: &Prepared,
    decomposition: &Decomposition,
    step: &Shrinkage,
    kernel: Option<&Kernel>,
) -> Result<ResidualLaw> {
    let n = data.rows;
    let whole = decomposition.whole;
    // Q² = I − Σ f uuᵀ (f = 1 for the mean), or Σ d² uuᵀ when U is the whole space.
    let mut factors: Vec<f64> =
        step.d.iter().map(|d| if whole { d * d } else { 1.0 - d * d }).collect();
    let independent = kernel.is_none_or(Kernel::is_identity);
    let Some(kernel) = kernel.filter(|_| !independent) else {
        let along = vec![1.0; step.d.len()];
        if !whole && data.direction.is_some() {
            factors.push(1.0);
        }
        let (sum, squares) =
            factors.iter().fold((0.0, 0.0), |(a, b), f| (a + f, b + f * (2.0 - f)));
        let count = n as f64;
        let (trace, square) = if whole {
            (sum, factors.iter().map(|f| f * f).sum())
        } else {
            (count - sum, count - squares)
        };
        return Ok(ResidualLaw { trace, square, along });
    };
    let u = decomposition.left(data);
    let with_mean = !whole && data.direction.is_some();
    let width = u.ncols() + usize::from(with_mean);
    let mut basis = Mat::zeros(n, width);
    basis.subcols_mut(0, u.ncols()).copy_from(u);
    if let (true, Some(s)) = (with_mean, &data.direction) {
        basis.col_as_slice_mut(u.ncols()).copy_from_slice(s);
        factors.push(1.0);
    }
    let image = kernel.apply_all(basis.as_ref())?;
    let inner = basis.transpose() * &image;
    let mut crossed = 0.0;
    for j in 0..width {
        for (i, k) in inner.col_as_slice(j).iter().enumerate() {
            crossed += factors[i] * factors[j] * k * k;
        }
    }
    let taken: f64 = factors.iter().enumerate().map(|(j, f)| f * inner[(j, j)]).sum();
    let levels = kernel.levels();
    let square_k: f64 = levels.values().iter().zip(levels.counts()).map(|(k, m)| m * k * k).sum();
    let (trace, square) = if whole {
        (taken, crossed)
    } else {
        let images = image.col_iter().zip(&factors);
        let outside: f64 = images.map(|(image, f)| f * image.squared_norm_l2()).sum();
        (levels.trace() - taken, square_k - 2.0 * outside + crossed)
    };
    let along = (0..u.ncols()).map(|j| inner[(j, j)]).collect();
    Ok(ResidualLaw { trace, square, along })
}
