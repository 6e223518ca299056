//! Group-wise criteria and the population view, against refits, closed limits and known truths.

use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use rmt_estimators::groups::{Mix, Pool, Pools};
use rmt_estimators::{Error, Options, Regression, Table};
use rmt_models::groups::{Covariance, Populations, Sample, Source};

/// Rows of one group: x ~ N(0, diag s), y = xᵀw + N(0, σ²).
struct Truth {
    s: Vec<f64>,
    w: Vec<f64>,
    noise: f64,
}

impl Truth {
    fn rows(&self, n: usize, random: &mut Xoshiro256PlusPlus) -> (Vec<f64>, Vec<f64>) {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let mut signal = 0.0;
            for (s, w) in self.s.iter().zip(&self.w) {
                let z: f64 = StandardNormal.sample(random);
                x.push(s.sqrt() * z);
                signal += s.sqrt() * z * w;
            }
            let z: f64 = StandardNormal.sample(random);
            y.push(signal + self.noise.sqrt() * z);
        }
        (x, y)
    }

    fn pool(&self, n: usize, random: &mut Xoshiro256PlusPlus) -> Pool {
        let (x, y) = self.rows(n, random);
        Pool::new(Table::new(&x, n, self.s.len()).unwrap(), &y).unwrap()
    }
}

fn truths(p: usize) -> [Truth; 2] {
    let at = |i: usize| i as f64 / (p - 1) as f64;
    [
        Truth {
            s: (0..p).map(|i| 0.3 + 1.2 * at(i)).collect(),
            w: (0..p).map(|i| 0.4 - 0.3 * at(i)).collect(),
            noise: 0.5,
        },
        Truth {
            s: (0..p).map(|i| 1.8 - 1.0 * at(i)).collect(),
            w: (0..p).map(|i| 0.25 + 0.25 * at(i)).collect(),
            noise: 1.0,
        },
    ]
}

/// Leave-one-out by refitting every row: catches a wrong leverage, scaling or grouping.
#[test]
fn group_criteria_equal_refits() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(0);
    for p in [4, 30] {
        let [a, b] = truths(p);
        let ((mut x, mut y), (x2, y2)) = (a.rows(9, &mut random), b.rows(7, &mut random));
        x.extend(x2);
        y.extend(y2);
        let labels: Vec<usize> = (0..16).map(|i| usize::from(i >= 9)).collect();
        let fit = |x: &[f64], y: &[f64]| {
            Regression::new(
                Table::new(x, y.len(), p).unwrap(),
                Table::column(y),
                &Options::default(),
            )
            .unwrap()
        };
        for lambda in [0.3, 1e-9] {
            let groups = fit(&x, &y).by_group(&labels, 2, &[lambda]).unwrap();
            let mut sums = [0.0; 2];
            for out in 0..16 {
                let keep: Vec<usize> = (0..16).filter(|i| *i != out).collect();
                let xs: Vec<f64> =
                    keep.iter().flat_map(|i| x[i * p..(i + 1) * p].to_vec()).collect();
                let ys: Vec<f64> = keep.iter().map(|i| y[*i]).collect();
                let model = fit(&xs, &ys).coefficients(lambda * 16.0 / 15.0).unwrap();
                let row = Table::new(&x[out * p..(out + 1) * p], 1, p).unwrap();
                sums[labels[out]] += (y[out] - model.predict(row).unwrap()[0]).powi(2);
            }
            for (group, (sum, rows)) in groups.iter().zip(sums.iter().zip([9.0, 7.0])) {
                let tolerance = if lambda < 1e-6 { 1e-5 } else { 1e-11 };
                assert!(
                    (group.loo[0] / (sum / rows) - 1.0).abs() < tolerance,
                    "{} {}",
                    group.loo[0],
                    sum / rows
                );
                assert_eq!(group.rows as f64, rows);
                assert!(group.gcv[0] > group.train_error[0] && group.loo_stderr[0] > 0.0);
            }
        }
    }
}

/// A very large pool is its population: catches a factor in covariance, noise or coefficients.
#[test]
fn large_pools_predict_as_their_populations() {
    let p = 12;
    let truths = truths(p);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let pools = Pools::new(truths.iter().map(|t| t.pool(60_000, &mut random)).collect()).unwrap();
    let exact = exact(&truths, [40.0, 20.0], 0.1);
    let found = &pools.predict(&[40.0, 20.0], &[0.1], 0, 0).unwrap()[0];
    for (found, want) in found.joint.iter().zip(&exact) {
        // 60 000 rows: relative standard error of variances √(2/60 000) = 0.6 %.
        assert!((found / want - 1.0).abs() < 0.02, "{found} {want}");
    }
    assert!((found.difference - (found.joint[1] - found.joint[0])).abs() < 1e-15);
}

/// Prediction errors of the joint model from the true populations.
fn exact(truths: &[Truth; 2], n: [f64; 2], lambda: f64) -> Vec<f64> {
    weighted(truths, n, lambda, [1.0, 1.0])
}

fn weighted(truths: &[Truth; 2], n: [f64; 2], lambda: f64, weights: [f64; 2]) -> Vec<f64> {
    let covariances: Vec<_> = truths
        .iter()
        .map(|t| Covariance::Diagonal(rmt_core::Modes::Explicit(t.s.clone())))
        .collect();
    let w = truths.iter().map(|t| t.w.clone()).collect();
    let populations = Populations::new(&covariances, &[Source::Fixed(w)]).unwrap();
    let samples: Vec<Sample> = (0..2)
        .map(|s| Sample { n: n[s], weight: weights[s], noise_variance: truths[s].noise })
        .collect();
    let mixture = populations.mixture(&samples, None).unwrap();
    let risk = mixture.solve(lambda).unwrap().risks().unwrap().risk();
    risk.iter().zip(truths).map(|(r, t)| r + t.noise).collect()
}

/// The correction for noise makes ĉ² unbiased: without it this would be off by Σ σ_s² p/n_s.
#[test]
fn quality_is_corrected_for_noise() {
    let p = 20;
    let truths = truths(p);
    let draws = 40;
    let (mut sum, mut raw) = (0.0, 0.0);
    for seed in 0..draws {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mix =
            Mix::new(truths[0].pool(160, &mut random), truths[1].pool(120, &mut random)).unwrap();
        sum += mix.quality() / draws as f64;
        raw += mix.quality_uncorrected() / draws as f64;
    }
    let pooled = |i: usize| (160.0 * truths[0].s[i] + 120.0 * truths[1].s[i]) / 280.0;
    let exact: f64 = (0..p).map(|i| pooled(i) * (truths[1].w[i] - truths[0].w[i]).powi(2)).sum();
    assert!((sum / exact - 1.0).abs() < 0.15, "{sum} {exact}");
    assert!(raw > 1.2 * exact, "{raw} {exact}");
}

#[test]
fn bad_rows_are_named() {
    let x = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5];
    let table = Table::new(&x, 3, 2).unwrap();
    assert!(matches!(
        Pool::new(table, &[1.0, 2.0, 3.0]),
        Err(Error::TooFewRows { rows: 3, needed: 4 })
    ));
    let x: Vec<f64> = (0..20).flat_map(|i| [f64::from(i % 7), 2.0 * f64::from(i % 7)]).collect();
    let y: Vec<f64> = (0..20).map(|i| f64::from(i * i % 5)).collect();
    let table = Table::new(&x, 20, 2).unwrap();
    assert!(matches!(Pool::new(table, &y), Err(Error::DependentFeatures)));
    let fit = Regression::new(table, Table::column(&y), &Options::default()).unwrap();
    let mut labels = vec![0; 20];
    labels[3] = 1;
    assert!(matches!(
        fit.by_group(&labels, 2, &[0.1]),
        Err(Error::SmallGroup { group: 1, rows: 1, .. })
    ));
    assert!(matches!(fit.by_group(&labels[1..], 2, &[0.1]), Err(Error::Length { .. })));
    assert!(matches!(fit.by_group(&labels, 1, &[0.1]), Err(Error::OutOfRange { .. })));
    let one = Pool::new(
        Table::new(&x[..40], 40, 1).unwrap(),
        &(0..40).map(f64::from).collect::<Vec<_>>(),
    )
    .unwrap();
    assert!(matches!(Pools::new(vec![one]), Err(Error::OneGroup)));
}

/// 95 % binomial interval of a proportion of `draws` around the nominal 0.9 (normal approximation).
fn consistent(hits: usize, draws: usize) -> bool {
    let half = 1.96 * (0.9 * 0.1 / draws as f64).sqrt();
    (hits as f64 / draws as f64 - 0.9).abs() <= half
}

/// Labels as good as real ones must not be rejected, labels far away must: catches a family that runs the
/// wrong way, and an upper end that forgets the uncertainty of the noise (with 80 and 60 rows the best
/// weight of equal populations is 60/140 up to a tenth).
#[test]
fn the_band_of_the_best_weight_tells_good_labels_from_bad_ones() {
    let p = 6;
    let [truth, _] = truths(p);
    let far = Truth {
        w: truth.w.iter().map(|w| w + 2.0).collect(),
        s: truth.s.clone(),
        noise: truth.noise,
    };
    for seed in 0..3 {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let real = truth.pool(80, &mut random);
        let band = |synthetic: Pool| {
            let mix = Mix::new(real.clone(), synthetic).unwrap();
            let (weight, quality) = mix.bands((80.0, 60.0), 0.01, 60, seed).unwrap();
            let best = mix.best_weight((80.0, 60.0), 0.01).unwrap().weight;
            assert!(0.0 <= weight.low && weight.low <= best && best <= weight.high);
            assert!(weight.high <= 1.0 && quality.low <= mix.quality());
            assert!(mix.quality() <= quality.high && quality.high > 0.0, "{quality:?}");
            weight
        };
        let good = band(truth.pool(60, &mut random));
        assert!(good.high > 0.4 && good.high < 0.6, "{good:?}");
        let bad = band(far.pool(60, &mut random));
        assert!(bad.high < 0.05, "{bad:?}");
    }
}

/// 200 draws each, seeds 0 … 199, 150 resamplings. The bands must hold the truth nine times in ten, and be
/// narrow enough to say something.
#[test]
#[ignore = "minutes"]
fn bands_cover_the_truth() {
    let p = 15;
    let truths = truths(p);
    let (n, lambda, draws) = ([200usize, 150usize], 0.05, 200usize);
    let size = [n[0] as f64, n[1] as f64];
    let exact_errors = exact(&truths, size, lambda);
    let difference = exact_errors[1] - exact_errors[0];
    // The best weight by a fine search in the true population.
    let total = size[0] + size[1];
    let error = |logit: f64| {
        let alpha = 1.0 / (1.0 + (-logit).exp());
        let weights = [(1.0 - alpha) * total / size[0], alpha * total / size[1]];
        (weighted(&truths, size, lambda, weights)[0], alpha)
    };
    let best = (0..4000)
        .map(|i| error(-8.0 + 12.0 * f64::from(i) / 4000.0))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap()
        .1;
    let results: Vec<[(bool, f64); 4]> = (0..draws as u64)
        .into_par_iter()
        .map(|seed| {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
            let (xa, ya) = truths[0].rows(n[0], &mut random);
            let (xb, yb) = truths[1].rows(n[1], &mut random);
            let pool =
                |x: &[f64], y: &[f64]| Pool::new(Table::new(x, y.len(), p).unwrap(), y).unwrap();
            let inside =
                |low: f64, high: f64, x: f64| ((low..=high).contains(&x), 0.5 * (high - low));

            let pools = Pools::new(vec![pool(&xa, &ya), pool(&xb, &yb)]).unwrap();
            let predicted = pools.predict(&size, &[lambda], 150, seed).unwrap()[0].band;
            let mix = Mix::new(pool(&xa, &ya), pool(&xb, &yb)).unwrap();
            let (weight, quality) = mix.bands((size[0], size[1]), lambda, 150, seed).unwrap();
            let pooled = |i: usize| (size[0] * truths[0].s[i] + size[1] * truths[1].s[i]) / total;
            let c2: f64 =
                (0..p).map(|i| pooled(i) * (truths[1].w[i] - truths[0].w[i]).powi(2)).sum();

            // In sample: the realised difference of this fit's errors on new data.
            let (mut x, mut y) = (xa, ya);
            x.extend(xb);
            y.extend(yb);
            let labels: Vec<usize> = (0..n[0] + n[1]).map(|i| usize::from(i >= n[0])).collect();
            let fit = Regression::new(
                Table::new(&x, y.len(), p).unwrap(),
                Table::column(&y),
                &Options::default(),
            )
            .unwrap();
            let groups = fit.by_group(&labels, 2, &[lambda]).unwrap();
            let (_, band) = groups[0].difference(&groups[1], 0);
            let model = fit.coefficients(lambda).unwrap();
            let zero = vec![0.0; p];
            let intercept = model.predict(Table::new(&zero, 1, p).unwrap()).unwrap()[0];
            let slope = |j: usize| {
                let mut unit = zero.clone();
                unit[j] = 1.0;
                model.predict(Table::new(&unit, 1, p).unwrap()).unwrap()[0] - intercept
            };
            let slopes: Vec<f64> = (0..p).map(slope).collect();
            let realised = |t: &Truth| -> f64 {
                let risk: f64 = (0..p).map(|j| t.s[j] * (slopes[j] - t.w[j]).powi(2)).sum();
                risk + intercept * intercept + t.noise
            };
            let truth = realised(&truths[1]) - realised(&truths[0]);
            [
                inside(band.low, band.high, truth),
                inside(predicted.low, predicted.high, difference),
                inside(weight.low, weight.high, best),
                inside(quality.low, quality.high, c2),
            ]
        })
        .collect();
    let names = ["in-sample difference", "predicted difference", "best weight", "quality"];
    let mut failed = Vec::new();
    for (k, name) in names.iter().enumerate() {
        let hits = results.iter().filter(|r| r[k].0).count();
        let width = results.iter().map(|r| r[k].1).sum::<f64>() / draws as f64;
        println!("{name}: {hits} of {draws}, mean half-width {width:.4}");
        if !consistent(hits, draws) {
            failed.push(*name);
        }
    }
    println!("truth: difference {difference:.4}, best weight {best:.4}");
    assert!(failed.is_empty(), "{failed:?}");
}
