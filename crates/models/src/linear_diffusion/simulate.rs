//! One finite-size experiment: training sets are drawn, models fitted, maps applied.

use super::task::{LinearDiffusionInputs, report};
use super::{MeanEstimate, NoiseRange, Sampler};
use crate::simulate::{Gaussian, whole};
use crate::{Error, Result};
use faer::{Mat, MatRef, Side};
use rmt_task::{Draw, Observables, TaskError};

/// A fitted model in the population's eigenbasis, μ = 0.
pub(crate) struct Fitted {
    mean: Vec<f64>,
    eigenvalues: Vec<f64>,
    vectors: Mat<f64>,
}

impl Fitted {
    /// Fits to rows of `data`.
    pub(crate) fn new(data: MatRef<'_, f64>, mean: MeanEstimate) -> Result<Self> {
        let (n, p) = (data.nrows(), data.ncols());
        let centre = match mean {
            MeanEstimate::Known => vec![0.0; p],
            _ => (0..p).map(|j| data.col(j).iter().sum::<f64>() / n as f64).collect(),
        };
        let centred = Mat::from_fn(n, p, |i, j| data[(i, j)] - centre[j]);
        let divisor = if mean == MeanEstimate::Unbiased { n - 1 } else { n };
        let mut covariance = centred.transpose() * &centred;
        covariance *= faer::Scale(1.0 / divisor as f64);
        let eigen = covariance
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| Error::NoDecomposition { rows: p })?;
        let eigenvalues = (0..p).map(|k| eigen.S()[k].max(0.0)).collect();
        Ok(Self { mean: centre, eigenvalues, vectors: eigen.U().to_owned() })
    }

    /// f(Σ̂) as a matrix.
    fn function(&self, f: impl Fn(f64) -> f64) -> Mat<f64> {
        let values: Vec<f64> = self.eigenvalues.iter().map(|l| f(*l)).collect();
        let p = values.len();
        let weighted = Mat::from_fn(p, p, |i, k| self.vectors[(i, k)] * values[k]);
        &weighted * self.vectors.transpose()
    }

    /// μ̂ + T(x − μ̂).
    fn apply(&self, map: &Mat<f64>, x: &[f64]) -> Vec<f64> {
        let p = x.len();
        let moved: Vec<f64> = x.iter().zip(&self.mean).map(|(x, m)| x - m).collect();
        let row = |i: usize| (0..p).map(|j| map[(i, j)] * moved[j]).sum::<f64>();
        (0..p).map(|i| self.mean[i] + row(i)).collect()
    }
}

fn diagonal(matrix: &Mat<f64>) -> Vec<f64> {
    (0..matrix.nrows()).map(|i| matrix[(i, i)]).collect()
}

fn squared_rows(matrix: &Mat<f64>) -> Vec<f64> {
    let p = matrix.ncols();
    (0..p).map(|j| matrix.col(j).iter().map(|x| x * x).sum()).collect()
}

fn squared_distance(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).collect()
}

/// Measures on training sets A and A' of n rows and B of n_other rows, which shares rows with A:
/// means and errors on A, half the squared difference of A and A' for variances, A against B for
/// disagreements.
pub(super) fn draw(inputs: &LinearDiffusionInputs, draw: Draw) -> Result<Observables, TaskError> {
    let spectrum = inputs.spectrum.values("spectrum")?.values;
    let p = spectrum.len();
    let chosen = inputs.chosen(p)?;
    let lambda = inputs.noise_variance()?;
    let sigma = inputs.sigma;
    let range = NoiseRange::new(inputs.sigma_min, inputs.sigma_max)?;
    let (n, other) = (whole("n", inputs.samples())?, whole("n_other", inputs.other_samples())?);
    let least = if inputs.mean == MeanEstimate::Known { 1 } else { 2 };
    for (key, value) in [("n", n), ("n_other", other)] {
        if value < least {
            return Err(TaskError::invalid(
                key,
                format!("{value}: an estimated mean needs at least 2"),
            ));
        }
    }
    let shared = match inputs.shared_samples {
        0.0 => 0,
        rows => whole("shared_samples", rows)?,
    };
    if shared > n.min(other) {
        return Err(TaskError::invalid(
            "shared_samples",
            format!(
                "{shared}: two sets share at most the {} rows of the smaller one",
                n.min(other)
            ),
        ));
    }
    let probe = inputs.probe.values("probe", &spectrum, sigma, inputs.sigma_max)?;
    let start = inputs.start.values("start", &spectrum, inputs.sigma_max, inputs.sigma_max)?;

    let mut random = Gaussian::new(draw);
    let mut rows = |count: usize| {
        let z = random.matrix(count, p);
        Mat::from_fn(count, p, |i, j| z[(i, j)] * spectrum[j].sqrt())
    };
    let (first, second) = (rows(n), rows(n));
    let a = Fitted::new(first.as_ref(), inputs.mean)?;
    let twin = Fitted::new(second.as_ref(), inputs.mean)?;
    let separate = if other == n && shared == 0 {
        None
    } else {
        let mut third = rows(other);
        for i in 0..shared {
            third.row_mut(i).copy_from(first.row(i));
        }
        Some(Fitted::new(third.as_ref(), inputs.mean)?)
    };
    let b = separate.as_ref().unwrap_or(&twin);

    let mut out = Observables::new();
    let gain = |x: f64| if x > 0.0 { x / (x + lambda) } else { 0.0 };
    denoiser(inputs, (&a, &twin, b), gain, &spectrum, &probe, &chosen, &mut out);
    let signal = inputs.path.signal(inputs.sampler.end(inputs.sigma_min));
    let response = inputs.sampler.response(range)?;
    let flow = |x: f64| signal * response(x);
    sampler(inputs, (&a, &twin, b), flow, &start, &chosen, &mut out);
    if let Some(level) = inputs.sigma_cross {
        let cross = NoiseRange::new(level, inputs.sigma_max)
            .map_err(|e| TaskError::from(e).renamed("sigma_min", "sigma_cross"))?;
        let factor = inputs.path.signal(level);
        let there = |x: f64| if x + cross.low > 0.0 { factor * cross.ratio(x).sqrt() } else { 0.0 };
        let difference = |f: &dyn Fn(f64) -> f64| {
            let (x, y) = (a.apply(&a.function(f), &start), twin.apply(&twin.function(f), &start));
            x.into_iter().zip(y).map(|(x, y)| x - y).collect::<Vec<_>>()
        };
        let (x, y) = (difference(&flow), difference(&there));
        let product: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
        out.set("cross_level_covariance", 0.5 * product);
    }
    Ok(out)
}

fn denoiser(
    inputs: &LinearDiffusionInputs,
    (a, twin, b): (&Fitted, &Fitted, &Fitted),
    gain: impl Fn(f64) -> f64,
    spectrum: &[f64],
    probe: &[f64],
    chosen: &[usize],
    out: &mut Observables,
) {
    let lambda = inputs.sigma * inputs.sigma;
    let map = a.function(&gain);
    gains("denoiser_gain", &diagonal(&map), chosen, out);
    let here = a.apply(&map, probe);
    let there = twin.apply(&twin.function(&gain), probe);
    let halved: Vec<f64> = squared_distance(&here, &there).iter().map(|x| 0.5 * x).collect();
    report(out, "denoiser_variance", "", &halved, chosen);
    let apart = squared_distance(&here, &b.apply(&b.function(&gain), probe));
    out.set("denoiser_disagreement", apart.iter().sum::<f64>());

    let residual = a.function(|x| 1.0 - gain(x));
    let noise = lambda * squared_rows(&map).iter().sum::<f64>();
    let data: f64 = squared_rows(&residual).iter().zip(spectrum).map(|(r, s)| r * s).sum();
    let p = spectrum.len();
    let row = |i: usize| (0..p).map(|j| residual[(i, j)] * a.mean[j]).sum::<f64>();
    let shift: f64 = (0..p).map(|i| row(i).powi(2)).sum();
    let n = inputs.samples();
    let points = if inputs.mean == MeanEstimate::Unbiased { (n - 1.0) / n } else { 1.0 };
    let fitted: f64 = a.eigenvalues.iter().map(|l| l * (1.0 - gain(*l)).powi(2)).sum();
    for suffix in ["", "_finite_size"] {
        out.set(format!("denoiser_test_error{suffix}"), data + shift + noise);
        out.set(format!("denoiser_train_error{suffix}"), points * fitted + noise);
    }
}

fn sampler(
    inputs: &LinearDiffusionInputs,
    (a, twin, b): (&Fitted, &Fitted, &Fitted),
    flow: impl Fn(f64) -> f64,
    start: &[f64],
    chosen: &[usize],
    out: &mut Observables,
) {
    let map = a.function(&flow);
    let scaled: Vec<f64> = diagonal(&map).iter().map(|h| h * inputs.sigma_max).collect();
    gains("map_gain", &scaled, chosen, out);
    let here = a.apply(&map, start);
    let other = twin.function(&flow);
    let there = twin.apply(&other, start);
    let halved: Vec<f64> = squared_distance(&here, &there).iter().map(|x| 0.5 * x).collect();
    report(out, "sample_variance", "", &halved, chosen);
    let apart = squared_distance(&here, &b.apply(&b.function(&flow), start));
    out.set("sample_disagreement", apart.iter().sum::<f64>());
    let power = inputs.sigma_max * inputs.sigma_max;
    let generated = squared_rows(&map);
    let variance: Vec<f64> = generated.iter().map(|h| h * power).collect();
    report(out, "generated_variance", "_sum", &variance, chosen);
    if inputs.other_samples() == inputs.samples() && inputs.shared_samples == 0.0 {
        let p = map.nrows();
        let twin_generated = squared_rows(&other);
        let inner = |i: usize| (0..p).map(|j| map[(i, j)] * other[(i, j)]).sum::<f64>();
        let products: Vec<f64> = (0..p).map(inner).collect();
        let size = |x: &[f64]| x.iter().sum::<f64>();
        let norm = (size(&generated) * size(&twin_generated)).sqrt();
        out.set("consistency", size(&products) / norm);
        let mode = |i: usize| {
            let norm = (generated[i] * twin_generated[i]).sqrt();
            if norm > 0.0 { products[i] / norm } else { 1.0 }
        };
        out.set("consistency_by_mode", chosen.iter().map(|i| mode(*i)).collect::<Vec<_>>());
    }
    if inputs.sampler == Sampler::Exact {
        let low = inputs.sigma_min * inputs.sigma_min;
        let denoised = |x: f64| if x > 0.0 { flow(x) * x / (x + low) } else { 0.0 };
        let signal = inputs.path.signal(inputs.sigma_min);
        let trace: f64 = a.eigenvalues.iter().map(|l| denoised(*l)).sum();
        out.set("denoised_gain_sum", inputs.sigma_max / signal * trace);
    }
}

fn gains(name: &str, gain: &[f64], chosen: &[usize], out: &mut Observables) {
    report(out, name, "_sum", gain, chosen);
    let list: Vec<_> = chosen.iter().map(|i| gain[*i]).collect();
    out.set(format!("{name}_sum_finite_size"), gain.iter().sum::<f64>());
    out.set(format!("{name}_by_mode_finite_size"), list);
}
