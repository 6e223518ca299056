//! The correlation of the rows from the rows themselves.
//!
//! E XXᵀ = K Tr Σ, so the autocovariance pooled over features,
//! r̂(τ) = Σ_t x_tᵀx_{t+τ}/(number of pairs), divided by r̂(0), estimates the correlation at distance
//! τ with a spread of about 1/√(n p_eff), p_eff = (Tr Σ)²/Tr Σ². Features are pooled as they are:
//! standardising each first lowers the spread and biases by a few percent.
//!
//! - exponential: ξ̂ = −1/ln r̂(1);
//! - power law: χ̂ = −Σ u ln r̂/Σ u² over τ = 1 … 5, u = ln(1 + τ).
//!
//! Standard errors follow from Bartlett's covariance of r̂ under the fitted correlation.

use crate::{Error, Result, Table};
use rmt_models::kernel::Family;

/// Lags that enter the power-law fit.
const POWER_LAGS: usize = 5;
/// Lags over which families are compared.
const COMPARED_LAGS: usize = 12;

/// What the rows say about their correlation.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelFit {
    /// r̂(τ)/r̂(0) at τ = 0, 1, …
    pub autocorrelation: Vec<f64>,
    /// Standard error of r̂(1) for independent rows: below two of them there is no correlation.
    pub white_error: f64,
    /// Effective number of features p_eff.
    pub effective_features: f64,
    /// The exponential fit, unless r̂(1) ≤ 0.
    pub exponential: Option<FittedFamily>,
    /// The power-law fit, unless r̂ is not positive and decreasing over its lags.
    pub power_law: Option<FittedFamily>,
    /// The family that describes r̂ best.
    pub best: FittedFamily,
}

/// A family fitted to the autocorrelation.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedFamily {
    /// The family with its parameter.
    pub family: Family,
    /// Standard error of the parameter (0 for independent rows).
    pub standard_error: f64,
    /// Root mean square of r̂ − r over the compared lags.
    pub misfit: f64,
}

impl FittedFamily {
    /// The family with its parameter `z` standard errors away, towards more correlation for
    /// positive `z`: for the sensitivity of an estimate to the fit.
    pub fn shifted(&self, z: f64) -> Family {
        match self.family {
            Family::Exponential { length } => {
                // In the logarithm, so that the length stays positive.
                Family::Exponential { length: length * (z * self.standard_error / length).exp() }
            }
            Family::PowerLaw { exponent } => Family::PowerLaw {
                exponent: exponent * (-z * self.standard_error / exponent).exp(),
            },
            ref other => other.clone(),
        }
    }
}

/// Fits the families to the rows of `x` (n×p). With `groups` only pairs inside a group count; with
/// `times` the distance of a pair is measured in units of the median step and rounded, and the
/// fitted length is in the unit of `times`. `centre` removes the mean of each feature first.
///
/// # Errors
/// Tables with entries that are not finite, fewer than 8 rows, constant features only, groups or
/// times of another length.
pub fn fit_kernel(
    x: Table<'_>,
    groups: Option<&[usize]>,
    times: Option<&[f64]>,
    centre: bool,
) -> Result<KernelFit> {
    x.check("x")?;
    let (n, p) = (x.rows(), x.columns());
    if n < 8 {
        return Err(Error::TooFewRows { rows: n, needed: 8 });
    }
    for (what, found) in [("groups", groups.map(<[_]>::len)), ("times", times.map(<[_]>::len))] {
        if let Some(found) = found
            && found != n
        {
            return Err(Error::Length { what, found, expected: n });
        }
    }
    let mean: Vec<f64> = (0..p)
        .map(|j| if centre { (0..n).map(|i| x.at(i, j)).sum::<f64>() / n as f64 } else { 0.0 })
        .collect();
    let rows: Vec<Vec<f64>> =
        (0..n).map(|i| (0..p).map(|j| x.at(i, j) - mean[j]).collect()).collect();
    let series = series(groups, n);
    let unit = times.map_or(1.0, |times| median_step(times, &series));
    let lags = (n / 4).clamp(2, COMPARED_LAGS.max(POWER_LAGS));
    let mut sums = vec![0.0; lags + 1];
    let mut pairs = vec![0.0; lags + 1];
    for rows_of_group in &series {
        for (a, &i) in rows_of_group.iter().enumerate() {
            for (steps, &j) in rows_of_group[a..].iter().enumerate() {
                let distance = match times {
                    Some(times) => ((times[j] - times[i]) / unit).round() as usize,
                    None => steps,
                };
                if distance > lags {
                    break;
                }
                sums[distance] += dot(&rows[i], &rows[j]);
                pairs[distance] += 1.0;
            }
        }
    }
    let variance = sums[0] / pairs[0];
    if variance <= 0.0 {
        return Err(Error::NoVariance);
    }
    let autocorrelation: Vec<f64> = sums
        .iter()
        .zip(&pairs)
        .take_while(|(_, pairs)| **pairs > 0.0)
        .map(|(sum, pairs)| sum / pairs / variance)
        .collect();
    if autocorrelation.len() < 2 {
        return Err(Error::TooFewRows { rows: n, needed: n + 1 });
    }
    let shared: f64 = autocorrelation[1..].iter().map(|r| 2.0 * r * r).sum();
    let effective_features = effective_features(&rows, n as f64 / (1.0 + shared));
    let degrees = n as f64 * effective_features;
    let r = &autocorrelation;

    let misfit = |family: &Family| {
        let last = r.len().min(COMPARED_LAGS + 1);
        let sum: f64 = (1..last)
            .map(|t| (r[t] - family.at_distance(t as f64 * unit).unwrap_or(0.0)).powi(2))
            .sum();
        (sum / (last as f64 - 1.0)).sqrt()
    };
    let fitted = |family: Family, standard_error: f64| {
        let misfit = misfit(&family);
        FittedFamily { family, standard_error, misfit }
    };
    let exponential = (r[1] > 0.0 && r[1] < 1.0).then(|| {
        let steps = -1.0 / r[1].ln();
        // dξ/dr = ξ²/r and var r̂(1) = (1 − r²)/(n p_eff).
        let error = steps * steps / r[1] * ((1.0 - r[1] * r[1]) / degrees).sqrt();
        fitted(Family::Exponential { length: steps * unit }, error * unit)
    });
    let used = r.len().min(POWER_LAGS + 1);
    // A power law has no unit of time: it is offered for evenly spaced rows only.
    let power_law = (times.is_none() && r[1..used].iter().all(|r| *r > 0.0)).then(|| {
        let u: Vec<f64> = (1..used).map(|t| (1.0 + t as f64).ln()).collect();
        let square: f64 = u.iter().map(|u| u * u).sum();
        let exponent = -u.iter().zip(&r[1..used]).map(|(u, r)| u * r.ln()).sum::<f64>() / square;
        let law = |t: usize| (1.0 + t as f64).powf(-exponent);
        let gradient: Vec<f64> =
            u.iter().enumerate().map(|(t, u)| -u / (square * law(t + 1))).collect();
        let covariance = bartlett(law, used - 1, n);
        let variance: f64 = (0..used - 1)
            .flat_map(|a| (0..used - 1).map(move |b| (a, b)))
            .map(|(a, b)| gradient[a] * gradient[b] * covariance[a][b])
            .sum();
        (exponent, (variance / effective_features).sqrt())
    });
    let power_law = power_law
        .filter(|(exponent, _)| *exponent > 0.0)
        .map(|(exponent, error)| fitted(Family::PowerLaw { exponent }, error));

    let white_error = degrees.sqrt().recip();
    let independent = fitted(Family::Identity, 0.0);
    let best = if r[1] < 2.0 * white_error {
        independent
    } else {
        [&exponential, &power_law]
            .into_iter()
            .flatten()
            .min_by(|a, b| a.misfit.total_cmp(&b.misfit))
            .cloned()
            .unwrap_or(independent)
    };
    Ok(KernelFit { autocorrelation, white_error, effective_features, exponential, power_law, best })
}

/// Rows of each group in order.
fn series(groups: Option<&[usize]>, n: usize) -> Vec<Vec<usize>> {
    let Some(groups) = groups else { return vec![(0..n).collect()] };
    let mut labels: Vec<usize> = groups.to_vec();
    labels.sort_unstable();
    labels.dedup();
    labels.iter().map(|g| (0..n).filter(|i| groups[*i] == *g).collect()).collect()
}

fn median_step(times: &[f64], series: &[Vec<usize>]) -> f64 {
    let mut steps: Vec<f64> = series
        .iter()
        .flat_map(|rows| rows.windows(2).map(|w| times[w[1]] - times[w[0]]))
        .filter(|step| *step > 0.0)
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(1.0)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// (Tr Σ)²/Tr Σ². Tr Σ̂² exceeds Tr Σ² by (Tr Σ)²/n_eff, n_eff = n²/Tr K², which is taken out. Of
/// many features 400 are used.
fn effective_features(rows: &[Vec<f64>], effective_rows: f64) -> f64 {
    let p = rows[0].len();
    let chosen: Vec<usize> = (0..p).step_by(p.div_ceil(400)).collect();
    let m = chosen.len();
    let mut covariance = vec![0.0; m * m];
    for row in rows {
        for (a, &i) in chosen.iter().enumerate() {
            for (b, &j) in chosen.iter().enumerate().take(a + 1) {
                covariance[a * m + b] += row[i] * row[j];
            }
        }
    }
    let trace: f64 = (0..m).map(|a| covariance[a * m + a]).sum();
    let square: f64 = (0..m)
        .flat_map(|a| (0..=a).map(move |b| (a, b)))
        .map(|(a, b)| if a == b { 1.0 } else { 2.0 } * covariance[a * m + b].powi(2))
        .sum();
    let share = (square / (trace * trace) - 1.0 / effective_rows).max(1.0 / m as f64);
    share.recip().max(1.0) * p as f64 / m as f64
}

/// n·Cov(r̂(a), r̂(b)), a, b = 1 … count, divided by n, for a series of n rows with correlation r.
fn bartlett(r: impl Fn(usize) -> f64, count: usize, n: usize) -> Vec<Vec<f64>> {
    let at = |t: i64| r(t.unsigned_abs() as usize);
    let term = |k: i64, a: i64| at(k + a) + at(k - a) - 2.0 * at(a) * at(k);
    (1..=count as i64)
        .map(|a| {
            (1..=count as i64)
                .map(|b| (1..n as i64).map(|k| term(k, a) * term(k, b)).sum::<f64>() / n as f64)
                .collect()
        })
        .collect()
}
