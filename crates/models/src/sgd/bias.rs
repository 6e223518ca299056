//! Bias of the excess risk: a double contour integral over the two-point function
//!
//! bias(t) = ∮∮ f_t(λ)f_t(λ')/(λλ')·𝓑(−λ, −λ'),
//!
//! 𝓑 the two-point equivalent of θᵀT N T'ᵀθ for the test metric N (`rmt_core::TwoPoint`). 𝓑 is tabulated
//! once, at pairs of nodes (λ_j, λ_k) and (λ_j, λ̄_k), from real matrix products of the real and imaginary
//! parts of (s+κ)⁻¹; every time is then a quadratic form in the real and imaginary parts of f w/λ.

use super::contour::{Estimate, error_of};
use super::spectral::Spectral;
use crate::Result;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use num_complex::Complex64;
use rmt_core::{Order, Resolution, SampledFeatures, Spectrum, TwoPoint, Weight};
use std::f64::consts::PI;

/// The bias as a function of the residuals at the nodes.
pub(crate) struct Bias {
    /// 2N×2N form in (Re V, Im V), V = f w/λ; its halves are Im and Re of the inner integral.
    form: Mat<f64>,
    /// |form|, for the rounding error.
    size: Mat<f64>,
    /// 2𝓑(−λ_j, 0), where the contour leaves zero out.
    cross: Vec<Complex64>,
    constant: f64,
}

/// 𝓑(0, 0) of an untied chain.
pub(crate) fn static_bias(model: &SampledFeatures<'_>) -> Result<f64> {
    let zero = model.at_zero()?;
    let pair = TwoPoint::new(model, &zero, &zero)?;
    let population = model.population();
    Ok(pair
        .quadratic_form(
            Order::Predictor,
            &population.eigenvalues(),
            &population.metric(),
            &population.target(),
        )?
        .re)
}

/// G diag(w) Gᵀ and G diag(w) Gᴴ for G = A + iB with rows (s + κ_j)⁻¹.
struct Products {
    plain: Mat<Complex64>,
    conjugate: Mat<Complex64>,
}

impl Products {
    fn new(a: MatRef<'_, f64>, b: MatRef<'_, f64>, weight: &[f64]) -> Self {
        let size = a.nrows();
        let scaled =
            |m: MatRef<'_, f64>| Mat::from_fn(size, m.ncols(), |i, j| m[(i, j)] * weight[j]);
        let product = |x: &Mat<f64>, y: MatRef<'_, f64>| {
            let mut out = Mat::zeros(size, size);
            matmul(out.as_mut(), Accum::Replace, x.as_ref(), y.transpose(), 1.0, Par::Seq);
            out
        };
        let (wa, wb) = (scaled(a), scaled(b));
        let (aa, bb, ab) = (product(&wa, a), product(&wb, b), product(&wa, b));
        let entry = |i: usize, j: usize, sign: f64| {
            Complex64::new(aa[(i, j)] - sign * bb[(i, j)], sign * ab[(i, j)] + ab[(j, i)])
        };
        Self {
            plain: Mat::from_fn(size, size, |i, j| entry(i, j, 1.0)),
            conjugate: Mat::from_fn(size, size, |i, j| entry(i, j, -1.0)),
        }
    }
}

impl Bias {
    pub(crate) fn new(on: &Spectral<'_>) -> Result<Self> {
        let (model, size) = (on.model, on.contour.len());
        let population = model.population();
        let nodes = |weight| population.nodes(weight, Resolution::Full);
        let s = &nodes(Weight::Count).s;
        let kappa: Vec<Complex64> = on.solutions.iter().map(|x| x.kappa()).collect();
        let inverse = |part: fn(Complex64) -> f64| {
            Mat::from_fn(size, s.len(), |j, i| part((kappa[j] + s[i]).inv()))
        };
        let (a, b) = (inverse(|x| x.re), inverse(|x| x.im));
        let table = |weight: &[f64], power: i32| {
            let weight: Vec<f64> = weight.iter().zip(s).map(|(w, s)| w * s.powi(power)).collect();
            Products::new(a.as_ref(), b.as_ref(), &weight)
        };
        let count = &nodes(Weight::Count).w;
        let target = &nodes(Weight::Target).w;
        let (n, width) = (model.samples(), model.width());
        let metric = population.has_metric().then(|| nodes(Weight::Metric));
        let joint = population.has_metric().then(|| nodes(Weight::TargetMetric));
        let trace = table(count, 1);
        let first = table(target, 1);
        let second = width.is_finite().then(|| table(target, 2));
        let metric_trace = metric.map(|m| table(&m.w, 0));
        let metric_df2 = metric.map(|m| table(&m.w, 1));
        let metric_joint = joint.map(|m| table(&m.w, 0));
        let (joint_null, metric_null) =
            (joint.map_or(0.0, |m| m.zero), metric.map_or(0.0, |m| m.zero));
        let read = |t: &Option<Products>, j: usize, k: usize, conjugate: bool| {
            t.as_ref().map_or(Complex64::from(0.0), |t| {
                if conjugate { t.conjugate[(j, k)] } else { t.plain[(j, k)] }
            })
        };
        let (trace, first) = (Some(trace), Some(first));
        let value = |j: usize, k: usize, conjugate: bool| -> Complex64 {
            let other = if conjugate { kappa[k].conj() } else { kappa[k] };
            let kk = kappa[j] * other;
            let t = read(&trace, j, k, conjugate);
            let b1 = read(&first, j, k, conjugate);
            let decay = on.sample_factor[j] + other * t * n.recip();
            let by_samples = decay.inv() * n.recip();
            // 1 − γ_m = a_m + κ₁'t/(m(1−γ_n)).
            let there = on.sample_factor[k];
            let ridge = other * if conjugate { there.conj() } else { there };
            let by_features =
                (on.feature_factor[j] + ridge * t / decay * width.recip()).inv() * width.recip();
            let outer = read(&second, j, k, conjugate) + kk * t * by_samples * b1;
            if metric_trace.is_none() {
                // N = Σ: Σ(1 + γ_n/(1−γ_n)) = Σ/(1−γ_n).
                let shared = kk / decay;
                return shared * b1 + outer * shared * t * by_features;
            }
            let df2 = read(&metric_df2, j, k, conjugate);
            let single =
                kk * (read(&metric_joint, j, k, conjugate) + df2 * by_samples * b1) + joint_null;
            let spread =
                kk * (read(&metric_trace, j, k, conjugate) + t * by_samples * df2) + metric_null;
            single + outer * spread * by_features
        };
        let mut form = Mat::zeros(2 * size, 2 * size);
        let scale = 0.5 / (PI * PI);
        for k in 0..size {
            for j in 0..size {
                let (plain, mirrored) = (value(j, k, false), value(j, k, true));
                let (difference, sum) = (plain - mirrored, plain + mirrored);
                form[(j, k)] = -difference.re * scale;
                form[(j, k + size)] = sum.im * scale;
                form[(j + size, k)] = difference.im * scale;
                form[(j + size, k + size)] = sum.re * scale;
            }
        }
        let magnitude = Mat::from_fn(2 * size, 2 * size, |i, j| form[(i, j)].abs());
        let (cross, constant) = zero_atom(on, metric_null > 0.0)?;
        Ok(Self { form, size: magnitude, cross, constant })
    }

    /// Bias at each column of residuals (one row a node).
    pub(crate) fn at(&self, on: &Spectral<'_>, residuals: &[Vec<Complex64>]) -> Vec<Estimate> {
        let size = on.contour.len();
        let times = residuals.len();
        let ratio: Vec<Complex64> =
            on.contour.weights.iter().zip(&on.contour.points).map(|(w, l)| w / l).collect();
        let mut parts = Mat::zeros(2 * size, times);
        for (t, residual) in residuals.iter().enumerate() {
            for j in 0..size {
                let v = residual[j] * ratio[j];
                (parts[(j, t)], parts[(j + size, t)]) = (v.re, v.im);
            }
        }
        let magnitude = Mat::from_fn(2 * size, times, |i, t| parts[(i, t)].abs());
        let apply = |m: &Mat<f64>, x: &Mat<f64>| {
            let mut out = Mat::zeros(2 * size, times);
            matmul(out.as_mut(), Accum::Replace, m.as_ref(), x.as_ref(), 1.0, Par::Seq);
            out
        };
        let inner = apply(&self.form, &parts);
        let bound = apply(&self.size, &magnitude);
        (0..times)
            .map(|t| {
                let (mut value, mut alias, mut total, mut sign) = (0.0, 0.0, 0.0, 1.0);
                for j in 0..size {
                    let (re, im) = (parts[(j, t)], parts[(j + size, t)]);
                    // The inner integral is inner[j + size] + i inner[j].
                    let (h_re, h_im) = (inner[(j + size, t)], inner[(j, t)]);
                    value += re * h_im + im * h_re;
                    alias += sign * (re * h_re - im * h_im);
                    total += re.abs() * bound[(j, t)] + im.abs() * bound[(j + size, t)];
                    sign = -sign;
                }
                let double = Estimate { value, error: 2.0 * error_of(alias, total) };
                let constant = Estimate::exact(self.constant);
                if self.cross.is_empty() {
                    return double + constant;
                }
                let single = Estimate::from_terms(
                    (0..size).map(|j| residuals[t][j] * ratio[j] * self.cross[j]),
                );
                double + single + constant
            })
            .collect()
    }
}

/// 2𝓑(−λ_j, 0) and 𝓑(0, 0), where the contour leaves zero out and something is left there.
fn zero_atom(on: &Spectral<'_>, metric_null: bool) -> Result<(Vec<Complex64>, f64)> {
    let model = on.model;
    let unlearned = model.chain().kappa_at_zero() > 0.0 || metric_null;
    if on.contour.encloses_zero || !unlearned {
        return Ok((Vec::new(), 0.0));
    }
    let population = model.population();
    let (s, metric, target) = (population.eigenvalues(), population.metric(), population.target());
    let zero = model.at_zero()?;
    let cross = on
        .solutions
        .iter()
        .map(|solution| {
            let pair = TwoPoint::new(model, solution, &zero)?;
            Ok(pair.quadratic_form(Order::Predictor, &s, &metric, &target)? * 2.0)
        })
        .collect::<Result<_>>()?;
    Ok((cross, static_bias(model)?))
}
