//! One finite data set with correlated rows.

use super::{CorrelatedRidge, CorrelatedRidgeInputs};
use crate::kernel::Kernel;
use crate::ridge::{rows, trace_form};
use crate::sampled::check_noise;
use crate::simulate::{Gaussian, SampleRidge, whole};
use faer::Mat;
use rmt_task::{Draw, Observables, Simulate, TaskError};

impl Simulate for CorrelatedRidge {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "n"];
    const SETTINGS: &'static [&'static str] = &["{}", r#"{"n": 400, "lambda": 0.02}"#];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        if inputs.loss_weight.is_some() {
            return Err(TaskError::invalid(
                "loss_weight",
                "weighted losses are not simulated; leave the weight out",
            ));
        }
        let setting = inputs.setting()?;
        let noise_variance = check_noise(inputs.noise_variance)?;
        let (kernel, noise) = inputs.kernels()?;
        let noise_kernel = noise.as_ref().unwrap_or(&kernel);
        let n = whole("n", inputs.n)?;
        let mut random = Gaussian::new(draw);
        let eigenvalues = setting.population.eigenvalues();
        let white = rows(&mut random, n, &eigenvalues);
        let x = kernel.colour_all(white.as_ref())?.ok_or_else(approximate)?;
        let label = noise_kernel.colour(&random.vector(n))?.ok_or_else(approximate)?;
        let label: Vec<f64> = label.into_iter().map(|e| noise_variance.sqrt() * e).collect();
        let theta = setting.theta();
        let noiseless = &x * faer::ColRef::from_slice(&theta);
        let y: Vec<f64> = (0..n).map(|i| noiseless[i] + label[i]).collect();

        let fit = SampleRidge::new(x.as_ref())?;
        let lambda = inputs.lambda;
        let mut out = Observables::new();
        let dof = fit.dof(lambda);
        out.set("df1", dof);
        let operator = fit.operator(lambda);
        let covariance = (!noise_kernel.is_identity()).then(|| noise_kernel.dense());
        out.set(
            "variance_noise",
            noise_variance * trace_form(&setting, &operator, covariance.as_ref()),
        );
        let error: Vec<f64> =
            fit.coefficients(&y, lambda).iter().zip(&theta).map(|(a, b)| a - b).collect();
        let risk = setting.test_form(&error);
        out.set("risk", risk).set("prediction_error", risk + noise_variance);
        let residuals = fit.residuals(&y, lambda);
        let train = residuals.iter().map(|r| r * r).sum::<f64>() / inputs.n;
        out.set("train_error", train);
        if lambda > 0.0 {
            estimators(&kernel, dof, lambda, train, &mut out)?;
        }
        if let Some(lag) = inputs.test_lag {
            let point = TestPoint { kernel: &kernel, noise: noise_kernel, lag };
            if let Some(value) = point.error(inputs, &x, &label, &error, &eigenvalues)? {
                out.set("correlated_test_error", value);
            }
        }
        Ok(out)
    }
}

fn approximate() -> TaskError {
    TaskError::invalid(
        "sample_correlation",
        "an approximate spectrum cannot be simulated; use fewer rows",
    )
}

/// κ, κ̃ and the cross-validation scores that this data set would report.
fn estimators(
    kernel: &Kernel,
    dof: f64,
    lambda: f64,
    train: f64,
    out: &mut Observables,
) -> Result<(), TaskError> {
    let (n, levels) = (kernel.rows() as f64, kernel.levels());
    let kappa_tilde = levels.kappa(dof, levels.rank() - dof, None)?;
    let kappa = n * lambda / (kappa_tilde * dof);
    let phi = kappa_tilde / n * levels.df1_minus_df2(kappa_tilde);
    out.set("kappa", kappa)
        .set("kappa_tilde", kappa_tilde)
        .set("gcv1", train / (1.0 - dof / n).powi(2))
        .set("corr_gcv", train / phi)
        .set("gcv2", train * (kappa / lambda).powi(2));
    Ok(())
}

struct TestPoint<'a> {
    kernel: &'a Kernel,
    noise: &'a Kernel,
    lag: f64,
}

impl TestPoint<'_> {
    /// Expected squared error at the later point, given the training set: its features and noise have
    /// Gaussian conditional means kvecᵀ𝐊⁻¹X and kvec'ᵀ𝐊'⁻¹ε and variances 1 − kvecᵀ𝐊⁻¹kvec.
    fn error(
        &self,
        inputs: &CorrelatedRidgeInputs,
        x: &Mat<f64>,
        label: &[f64],
        error: &[f64],
        eigenvalues: &[f64],
    ) -> Result<Option<f64>, TaskError> {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (near, near_noise) =
            (self.kernel.test_point(self.lag)?, self.noise.test_point(self.lag)?);
        let (Some(weights), Some(noise_weights)) =
            (self.kernel.solve(0.0, &near)?, self.noise.solve(0.0, &near_noise)?)
        else {
            return Ok(None);
        };
        let left = (1.0 - dot(&near, &weights)).max(0.0);
        let left_noise = (1.0 - dot(&near_noise, &noise_weights)).max(0.0);
        let mean: f64 = (0..x.ncols())
            .map(|j| error[j] * (0..x.nrows()).map(|i| weights[i] * x[(i, j)]).sum::<f64>())
            .sum();
        let spread: f64 = error.iter().zip(eigenvalues).map(|(e, s)| e * e * s).sum();
        let noise_mean = dot(&noise_weights, label);
        Ok(Some((mean - noise_mean).powi(2) + left * spread + inputs.noise_variance * left_noise))
    }
}
