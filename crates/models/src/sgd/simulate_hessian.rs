//! Finite-size experiments: the Hessian of one draw, its resolvents and its stability.

use super::simulate::{features, rows};
use super::{SgdStability, SgdStabilityInputs, TwoPointInputs, TwoPointTask};
use crate::simulate::{Gaussian, whole};
use crate::{Error, Result};
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use num_complex::Complex64;
use rmt_core::{Modes, Population};
use rmt_task::{Draw, Observables, Simulate, TaskError, Value};

/// Ĥ and F of one draw; Σ itself for infinite n without features.
fn hessian(
    random: &mut Gaussian,
    s: &[f64],
    n: Option<f64>,
    width: Option<f64>,
) -> Result<(Mat<f64>, Mat<f64>)> {
    let f = features(random, s.len(), width)?.unwrap_or_else(|| Mat::identity(s.len(), s.len()));
    let covariance = sample_covariance(random, s, n)?;
    Ok((f.transpose() * covariance * &f, f))
}

fn sample_covariance(random: &mut Gaussian, s: &[f64], n: Option<f64>) -> Result<Mat<f64>> {
    Ok(match n {
        Some(n) => {
            let n = whole("n", n)?;
            let x = rows(random, n, s);
            x.transpose() * &x * faer::Scale(1.0 / n as f64)
        }
        None => Mat::from_fn(s.len(), s.len(), |i, j| if i == j { s[i] } else { 0.0 }),
    })
}

fn eigenvalues(spectrum: &Modes) -> Result<Vec<f64>> {
    Ok(Population::new(spectrum)?.eigenvalues())
}

impl Simulate for SgdStability {
    const SIZES: &'static [&'static str] = &["spectrum.p", "n", "width"];

    fn draw(
        inputs: &SgdStabilityInputs,
        draw: Draw,
    ) -> std::result::Result<Observables, TaskError> {
        let s = eigenvalues(&inputs.spectrum)?;
        let mut random = Gaussian::new(draw);
        let (hessian, f) = hessian(&mut random, &s, inputs.n, inputs.width)?;
        let eigen = hessian
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| Error::NoDecomposition { rows: hessian.nrows() })?;
        let (values, vectors) = (eigen.S(), eigen.U());
        let size = hessian.nrows();
        let top = values[size - 1];
        let positive = (0..size).map(|j| values[j]).filter(|h| *h > 1e-12 * top);
        let mut out = Observables::new();
        out.set("lambda_plus", top).set("lambda_minus", positive.fold(f64::INFINITY, f64::min));
        let Some(rate) = inputs.learning_rate else { return Ok(out) };
        let step = super::stability::step(inputs, rate)?;
        let turn = 2.0 * (1.0 + step.momentum);
        if rate * top < turn && step.inverse_batch > 0.0 {
            let scale = rate * step.inverse_batch * (1.0 + step.momentum) / (1.0 - step.momentum);
            // Tr ΣFĤ(…)⁻¹Fᵀ over the eigenvectors: those that Ĥ annihilates carry nothing.
            let mapped = &f * vectors;
            let (mut train, mut test) = (0.0, 0.0);
            for j in (0..size).filter(|j| values[*j] > 1e-12 * top) {
                let decay = turn - rate * values[j];
                train += values[j] / decay;
                let image: f64 = (0..s.len()).map(|i| s[i] * mapped[(i, j)].powi(2)).sum();
                test += image / decay;
            }
            out.set("kernel_norm_train", scale * train).set("kernel_norm_test", scale * test);
        }
        Ok(out)
    }
}

impl Simulate for TwoPointTask {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "n", "width"];

    fn draw(inputs: &TwoPointInputs, draw: Draw) -> std::result::Result<Observables, TaskError> {
        let population = inputs.population()?;
        let s = population.eigenvalues();
        let p = s.len();
        let mut random = Gaussian::new(draw);
        let f = features(&mut random, p, inputs.width)?;
        let covariance = sample_covariance(&mut random, &s, inputs.n)?;
        let metric = match &f {
            Some(f) => f * f.transpose(),
            None => Mat::identity(p, p),
        };
        // T = z(z + Σ̂M)⁻¹ and Q = M(z + Σ̂M)⁻¹ at both arguments.
        let product = &covariance * &metric;
        let theta: Vec<f64> = population.target().iter().map(|c| c.sqrt()).collect();
        let identity = Mat::from_fn(p, p, |i, j| Complex64::from(if i == j { 1.0 } else { 0.0 }));
        let resolvent = |[re, im]: [f64; 2]| {
            let z = Complex64::new(re, im);
            let shifted = Mat::from_fn(p, p, |i, j| {
                Complex64::from(product[(i, j)]) + if i == j { z } else { Complex64::from(0.0) }
            });
            (z, shifted.partial_piv_lu().solve(&identity))
        };
        let ((z, first), (z_prime, second)) = (resolvent(inputs.z), resolvent(inputs.z_prime));
        let complex = |m: &Mat<f64>| Mat::from_fn(p, p, |i, j| Complex64::from(m[(i, j)]));
        let complex_metric = complex(&metric);
        let (weights, weights_prime) = (&complex_metric * &first, &complex_metric * &second);
        let operator = population.metric();
        // θᵀA, Bθ for the four products.
        let left = |m: &Mat<Complex64>| -> Vec<Complex64> {
            (0..p).map(|j| (0..p).map(|i| m[(i, j)] * theta[i]).sum()).collect()
        };
        let right = |m: &Mat<Complex64>| -> Vec<Complex64> {
            (0..p).map(|i| (0..p).map(|j| m[(i, j)] * theta[j]).sum()).collect()
        };
        let form = |a: Vec<Complex64>, b: Vec<Complex64>| -> Complex64 {
            a.iter().zip(&b).zip(&operator).map(|((a, b), n)| a * b * n).sum()
        };
        let zz = z * z_prime;
        let trace: Complex64 = (0..p).map(|i| Complex64::from(1.0) - z * first[(i, i)]).sum();
        let mut out = Observables::new();
        let mut set = |name: &str, x: Complex64| {
            out.set(name, Value::Complex(x.re, x.im));
        };
        set("df1", trace);
        set("bias", zz * form(left(&first), left(&second)));
        set("transposed", zz * form(right(&first), right(&second)));
        set("mixed", zz * form(left(&first), right(&second)));
        set("weights", form(left(&weights), right(&weights_prime)));
        Ok(out)
    }
}
