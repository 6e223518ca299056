//! The correlation of the rows of one fit: stated, or fitted to the features.

use crate::{Criteria, Criterion, Error, FittedFamily, Regression, Result, Table, fit_kernel};
use rmt_models::kernel::{DENSE_LIMIT, Family, Kernel, Rows, SampleCorrelation, SpectrumMethod};

/// Correlation of neighbouring rows below which [`StatedCorrelation::Auto`] takes rows as
/// independent, and to which it must fall over the gap beside a block.
const FAINT: f64 = 0.1;
/// Rows below which the correlation cannot be told from the data.
const FEWEST: usize = 8;

/// How rows are said to be correlated.
#[derive(Clone, Debug, PartialEq)]
pub enum StatedCorrelation {
    /// Rows are independent.
    Independent,
    /// The family that describes the features best; independent where neighbouring rows correlate by
    /// less than 0.1, or where there are fewer than 8 rows. Above 2000 rows with exact spectra the
    /// exponential family only.
    Auto,
    /// e^{−t/ξ} with ξ fitted to the features.
    Exponential,
    /// (1+t)^{−χ} with χ fitted to the features.
    PowerLaw,
    /// A family with its parameter, or a matrix.
    Given(SampleCorrelation),
}

/// Where rows stand beside each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stamps {
    /// Group of each row: rows of different groups are independent.
    pub groups: Option<Vec<usize>>,
    /// Time of each row; consecutive numbers if absent.
    pub times: Option<Vec<f64>>,
}

impl Stamps {
    fn rows(&self, count: usize) -> Rows<'_> {
        Rows { count, groups: self.groups.as_deref(), times: self.times.as_deref() }
    }

    /// Mean distance of neighbouring rows (within a group: of those in order).
    fn step(&self) -> f64 {
        let Some(times) = self.times.as_deref().filter(|t| t.len() > 1) else { return 1.0 };
        if self.groups.is_none() {
            return (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
        }
        let steps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).filter(|d| *d > 0.0).collect();
        if steps.is_empty() { 1.0 } else { steps.iter().sum::<f64>() / steps.len() as f64 }
    }
}

/// The correlation of the rows of one fit.
#[derive(Clone, Debug)]
pub struct RowCorrelation {
    correlation: SampleCorrelation,
    kernel: Kernel,
    fitted: Option<FittedFamily>,
    stamps: Stamps,
    method: SpectrumMethod,
}

impl RowCorrelation {
    /// Finds the correlation of the rows of `x`, scaled to unit variance first with `standardize` as
    /// the fit will see them.
    ///
    /// # Errors
    /// Stamps of another number of rows or out of order; a family that the features do not show
    /// ([`Error::NoCorrelation`]); a matrix that is no correlation; kernels without an exact spectrum
    /// above 2000 rows.
    pub fn find(
        stated: &StatedCorrelation,
        x: Table<'_>,
        standardize: bool,
        stamps: Stamps,
        method: SpectrumMethod,
    ) -> Result<Self> {
        let n = x.rows();
        if stamps.times.is_some() {
            // Stamps are checked where a kernel is built: before anything is fitted to them.
            let any = SampleCorrelation::from(Family::Exponential { length: 1.0 });
            any.kernel_on(stamps.rows(n), method)?;
        }
        let fit = || {
            let scaled = standardize.then(|| x.standardized());
            let seen = match &scaled {
                Some(values) => Table::new(values, n, x.columns())?,
                None => x,
            };
            fit_kernel(seen, stamps.groups.as_deref(), stamps.times.as_deref(), true)
        };
        let missing = |family| Error::NoCorrelation { family };
        let (family, fitted) = match stated {
            StatedCorrelation::Given(given) => {
                let (correlation, kernel) =
                    (given.clone(), given.kernel_on(stamps.rows(n), method)?);
                return Ok(Self { correlation, kernel, fitted: None, stamps, method });
            }
            StatedCorrelation::Independent => (Family::Identity, None),
            StatedCorrelation::Auto if n < FEWEST => (Family::Identity, None),
            StatedCorrelation::Auto => {
                let fit = fit()?;
                let dense = matches!(fit.best.family, Family::PowerLaw { .. });
                let long = n > DENSE_LIMIT && method == SpectrumMethod::Exact;
                let best = match (dense && long, fit.exponential) {
                    // Only the exponential family is exact for long series.
                    (true, Some(exponential)) => exponential,
                    _ => fit.best,
                };
                // A correlation that is there but too faint to matter changes no figure.
                match best.family.at_distance(stamps.step()) {
                    Ok(r) if r.abs() < FAINT => (Family::Identity, None),
                    _ => (best.family.clone(), Some(best)),
                }
            }
            StatedCorrelation::Exponential => {
                let found = fit()?.exponential.ok_or(missing("exponential"))?;
                (found.family.clone(), Some(found))
            }
            StatedCorrelation::PowerLaw => {
                let found = fit()?.power_law.ok_or(missing("power-law"))?;
                (found.family.clone(), Some(found))
            }
        };
        let correlation = SampleCorrelation::from(family);
        let kernel = correlation.kernel_on(stamps.rows(n), method)?;
        Ok(Self { correlation, kernel, fitted, stamps, method })
    }

    /// The family with its parameter.
    pub fn correlation(&self) -> &SampleCorrelation {
        &self.correlation
    }

    /// The correlation matrix as an operator; the identity for independent rows.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Where the family was fitted: the uncertainty of its parameter.
    pub fn fitted(&self) -> Option<&FittedFamily> {
        self.fitted.as_ref()
    }

    /// Rows after which the correlation is below 0.1, but no more than a tenth of the rows: the gap
    /// beside a block that is left out.
    pub fn gap(&self) -> usize {
        if self.kernel.is_identity() {
            return 0;
        }
        let most = self.kernel.rows() / 10;
        let step = self.stamps.step();
        let faint = |lag: &usize| {
            let distance = *lag as f64 * step;
            self.correlation.family.at_distance(distance).is_ok_and(|r| r.abs() < FAINT)
        };
        (1..most).find(faint).unwrap_or(most)
    }

    /// The kernel with its fitted parameter `z` standard errors away.
    fn shifted(&self, z: f64) -> Result<Option<Kernel>> {
        let Some(fitted) = &self.fitted else { return Ok(None) };
        let family = SampleCorrelation::from(fitted.shifted(z));
        Ok(Some(family.kernel_on(self.stamps.rows(self.kernel.rows()), self.method)?))
    }
}

impl Regression {
    /// 95 % bands of the CorrGCV of each target at ridge λ: the fluctuation of the residuals
    /// ([`Regression::uncertainty`]) and, independent of it, the error of a fitted correlation
    /// (CorrGCV with the parameter two standard errors away), added in the logarithm.
    ///
    /// # Errors
    /// As [`Regression::uncertainty`].
    pub fn corr_gcv_bands(
        &self,
        lambda: f64,
        correlation: &RowCorrelation,
        estimates: &[f64],
    ) -> Result<Vec<(f64, f64)>> {
        let kernel = (!correlation.kernel.is_identity()).then_some(&correlation.kernel);
        let uncertainty = self.uncertainty(lambda, kernel)?;
        let mut bands: Vec<(f64, f64)> = estimates.iter().map(|e| uncertainty.band(*e)).collect();
        for (z, lower) in [(-2.0, true), (2.0, false)] {
            let Some(kernel) = correlation.shifted(z)? else { break };
            let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
            // A strongly shifted correlation may have no room for the fit: not widened then.
            let Ok(path) = self.path(&[lambda], &criteria) else { break };
            for (target, (band, estimate)) in bands.iter_mut().zip(estimates).enumerate() {
                let moved = path.values(Criterion::CorrGcv, target)?[0];
                let end = if lower { band.0 } else { band.1 };
                let both = (end / estimate).ln().hypot((moved / estimate).ln());
                if lower {
                    band.0 = estimate * (-both).exp();
                } else {
                    band.1 = estimate * both.exp();
                }
            }
        }
        Ok(bands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(stated: &StatedCorrelation, x: &[f64], stamps: Stamps) -> Result<RowCorrelation> {
        RowCorrelation::find(stated, Table::column(x), false, stamps, SpectrumMethod::Exact)
    }

    /// A slow wave: neighbours are alike.
    fn wave(n: usize) -> Vec<f64> {
        (0..n).map(|i| (i as f64 / 7.0).sin() + 0.3 * (i as f64 / 3.0).cos()).collect()
    }

    #[test]
    fn auto_takes_few_or_alternating_rows_as_independent() {
        let auto = StatedCorrelation::Auto;
        assert!(found(&auto, &wave(7), Stamps::default()).unwrap().kernel().is_identity());
        let alternating: Vec<f64> = (0..40).map(|i| [1.0, -1.0][i % 2]).collect();
        let independent = found(&auto, &alternating, Stamps::default()).unwrap();
        assert!(independent.kernel().is_identity() && independent.fitted().is_none());
        assert_eq!(independent.gap(), 0);
        let correlated = found(&auto, &wave(60), Stamps::default()).unwrap();
        assert!(!correlated.kernel().is_identity() && correlated.fitted().is_some());
        assert!((1..=6).contains(&correlated.gap()));
    }

    #[test]
    fn the_gap_counts_rows_whatever_the_unit_of_time() {
        let given = |length| {
            StatedCorrelation::Given(SampleCorrelation::from(Family::Exponential { length }))
        };
        let times = Some((0..60).map(|i| 10.0 * f64::from(i)).collect());
        let rows = found(&given(1.3), &wave(60), Stamps::default()).unwrap();
        let timed = found(&given(13.0), &wave(60), Stamps { groups: None, times }).unwrap();
        // e^{−3/1.3} = 0.0995 is the first below 0.1.
        assert_eq!((rows.gap(), timed.gap()), (3, 3));
    }

    #[test]
    fn a_family_that_the_rows_do_not_show_and_bad_stamps_are_named() {
        let alternating: Vec<f64> = (0..40).map(|i| [1.0, -1.0][i % 2]).collect();
        let error = found(&StatedCorrelation::Exponential, &alternating, Stamps::default());
        assert_eq!(error.unwrap_err(), Error::NoCorrelation { family: "exponential" });
        let times = Some(vec![0.0; 40]);
        let error = found(&StatedCorrelation::Auto, &wave(40), Stamps { groups: None, times });
        assert!(matches!(error, Err(Error::Correlation(_))));
    }
}
