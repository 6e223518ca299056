//! Consistency of linear diffusion models on data: spectra, predictions against splits, bad inputs.

use npyz::NpyFile;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rmt_estimators::consistency::{
    Forecast, GeneratedPair, Output, RowSource, SampleSpectrum, SplitCheck, SplitEstimate,
};
use rmt_estimators::{Error, Table};
use rmt_models::linear_diffusion::{MeanEstimate, NoiseRange};

/// 1797 digits of 8×8 pixels in [−1, 1].
fn digits() -> Vec<f64> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits_8x8.npy");
    let bytes = std::fs::read(path).unwrap();
    let values: Vec<u8> = NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap();
    values.into_iter().map(|v| f64::from(v) / 8.0 - 1.0).collect()
}

fn range() -> NoiseRange {
    NoiseRange::new(0.002, 80.0).unwrap()
}

const LEVELS: [f64; 4] = [0.05, 0.3, 1.0, 5.0];

fn outputs() -> Vec<Output> {
    let mut outputs = vec![Output::Samples];
    outputs.extend(LEVELS.map(|sigma| Output::Denoised { sigma }));
    outputs
}

/// Ratios of measured and predicted disagreement with their standard errors.
fn ratios(source: &dyn RowSource, n: usize, repeats: usize) -> Vec<(f64, f64)> {
    let spectrum = SampleSpectrum::new(source).unwrap();
    let forecast = Forecast::new(spectrum.population(), range(), MeanEstimate::Mle);
    let check = SplitCheck::new(source, &spectrum, range(), MeanEstimate::Mle).unwrap();
    let measured = check.measure(n, &outputs(), repeats, 0).unwrap();
    let ratio = |(m, output): (&rmt_estimators::consistency::Measured, Output)| {
        let predicted = forecast.disagreement(n as f64, output).unwrap().absolute;
        (m.mean / predicted, m.standard_error / predicted)
    };
    measured.iter().zip(outputs()).map(ratio).collect()
}

/// Generated samples of digit models disagree as predicted, within 5 %; at small σ the disagreement
/// exceeds a prediction that knows covariances only.
#[test]
fn digits_agree_with_the_prediction() {
    let values = digits();
    let source = Table::new(&values, 1797, 64).unwrap();
    for n in [60, 120, 300, 898] {
        let ratios = ratios(&source, n, 30);
        println!("n = {n}: {ratios:.3?}");
        let generated = ratios[0].0;
        assert!((generated - 1.0).abs() < 0.05, "n = {n}: {generated}");
    }
    let low_noise = ratios(&source, 300, 10)[1].0;
    assert!(low_noise > 1.5, "{low_noise}");
}

/// Gaussian data with the same spectrum show no such excess: it is not a finite-size effect.
#[test]
fn gaussian_surrogate_agrees_at_all_noise_levels() {
    let values = digits();
    let spectrum = SampleSpectrum::new(&Table::new(&values, 1797, 64).unwrap()).unwrap();
    let population = spectrum.population();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(0);
    let surrogate: Vec<f64> = (0..1797 * 64)
        .map(|at| {
            let z: f64 = StandardNormal.sample(&mut random);
            population[at % 64].sqrt() * z
        })
        .collect();
    let source = Table::new(&surrogate, 1797, 64).unwrap();
    for n in [120, 300] {
        let ratios = ratios(&source, n, 20);
        println!("n = {n}: {ratios:.3?}");
        for (ratio, error) in ratios {
            assert!((ratio - 1.0).abs() < 3.0 * error + 3.0 / n as f64 + 0.02, "{n}: {ratio}");
        }
    }
}

/// Wide and tall readings of one matrix have one spectrum, whichever side is decomposed.
#[test]
fn both_gram_matrices_give_one_spectrum() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
    let (n, p) = (30, 50);
    let values: Vec<f64> = (0..n * p)
        .map(|at| {
            let z: f64 = StandardNormal.sample(&mut random);
            z / (1.0 + (at % p) as f64)
        })
        .collect();
    let wide = SampleSpectrum::new(&Table::new(&values, n, p).unwrap()).unwrap();
    assert_eq!(wide.eigenvalues.len(), n - 1);
    // The same rows with columns of zeros cut off or added: eigenvalues stay.
    let tall: Vec<f64> = (0..4 * n * p).map(|at| values[at % (n * p)]).collect();
    let tall = SampleSpectrum::new(&Table::new(&tall, 4 * n, p).unwrap()).unwrap();
    let factor = 4.0 * (n - 1) as f64 / (4 * n - 1) as f64;
    for (a, b) in wide.eigenvalues.iter().zip(&tall.eigenvalues) {
        assert!((b / (a * factor) - 1.0).abs() < 1e-10, "{a} {b}");
    }
    for j in [0, 5, n - 2] {
        let dot: f64 = (0..p).map(|i| wide.vectors[(i, j)] * tall.vectors[(i, j)]).sum();
        assert!((dot.abs() - 1.0).abs() < 1e-8, "{dot}");
    }
}

/// The required n is the last crossing: just enough there, not enough one below.
#[test]
fn required_samples_meet_the_tolerance() {
    let population: Vec<f64> = (1..=100).map(|i| (i as f64).powf(-1.3)).collect();
    let forecast = Forecast::new(population, range(), MeanEstimate::Mle);
    for output in [Output::Samples, Output::Denoised { sigma: 0.1 }] {
        let n = forecast.required_samples(0.05, output).unwrap();
        let at = |n: u64| forecast.disagreement(n as f64, output).unwrap().relative;
        assert!(at(n) <= 0.05 && at(n - 1) > 0.05, "{n}");
    }
    // Isotropic data at low noise: disagreement rises to n = p/2 before it falls.
    let isotropic = Forecast::new(vec![1.0; 100], range(), MeanEstimate::Known);
    let output = Output::Denoised { sigma: 0.01 };
    let at = |n: f64| isotropic.disagreement(n, output).unwrap();
    assert!(at(20.0).absolute < at(50.0).absolute && at(50.0).absolute > at(90.0).absolute);
    let n = isotropic.required_samples(0.05, output).unwrap();
    for later in [n, n + 1, 2 * n, 10 * n] {
        assert!(at(later as f64).relative <= 0.05);
    }
    assert!(at((n - 1) as f64).relative > 0.05);
    assert!(forecast.required_samples(0.0, Output::Samples).is_err());
}

/// A single training set predicts its κ and its disagreement with an unseen twin.
#[test]
fn one_split_is_enough() {
    let population: Vec<f64> = (1..=80).map(|i| 4.0 * (i as f64).powf(-1.0)).collect();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let n = 120;
    let rows: Vec<f64> = (0..n * 80)
        .map(|at| {
            let z: f64 = StandardNormal.sample(&mut random);
            population[at % 80].sqrt() * z
        })
        .collect();
    let spectrum = SampleSpectrum::new(&Table::new(&rows, n, 80).unwrap()).unwrap();
    let forecast = Forecast::new(population, range(), MeanEstimate::Unbiased);
    for sigma in [0.1, 0.3, 1.0] {
        let split = SplitEstimate::new(&spectrum.eigenvalues, (n - 1) as f64, sigma).unwrap();
        let kappa = forecast.model(n as f64).unwrap().renormalised_noise(sigma * sigma).unwrap();
        assert!((split.kappa / kappa - 1.0).abs() < 0.03, "{} {kappa}", split.kappa);
        let full = forecast.disagreement(n as f64, Output::Denoised { sigma }).unwrap().absolute;
        // Pairing of traces only: a few per cent below the full formula.
        let ratio = split.disagreement / full;
        assert!((0.85..1.05).contains(&ratio), "{sigma}: {ratio}");
    }
    assert!(SplitEstimate::new(&[], 10.0, 0.1).is_err());
    assert!(SplitEstimate::new(&[1.0], 10.0, 0.0).is_err());
}

/// Linear models of two splits, as if they were the user's own: their samples from the same noise
/// disagree as predicted, mode by mode.
#[test]
fn generated_samples_are_compared() {
    let values = digits();
    let source = Table::new(&values, 1797, 64).unwrap();
    let spectrum = SampleSpectrum::new(&source).unwrap();
    let check = SplitCheck::new(&source, &spectrum, range(), MeanEstimate::Mle).unwrap();
    let (a, b) = check.generate(300, 400, 7).unwrap();
    let flat = |m: &faer::Mat<f64>| -> Vec<f64> {
        (0..400 * 64).map(|at| m[(at / 64, at % 64)]).collect()
    };
    let (a, b) = (flat(&a), flat(&b));
    let (a, b) = (Table::new(&a, 400, 64).unwrap(), Table::new(&b, 400, 64).unwrap());
    let pair = GeneratedPair::new(&a, &b, &spectrum).unwrap();
    let forecast = Forecast::new(spectrum.population(), range(), MeanEstimate::Mle);
    let predicted = forecast.disagreement(300.0, Output::Samples).unwrap();
    let ratio = pair.disagreement.0 / predicted.absolute;
    assert!((ratio - 1.0).abs() < 0.15, "{ratio}");
    assert!((pair.relative / predicted.relative - 1.0).abs() < 0.2);
    let consistency = forecast.consistency(300.0).unwrap();
    assert!((pair.by_mode[0] - consistency[0]).abs() < 0.02);
    let short = Table::new(&values[..640], 10, 64).unwrap();
    assert!(matches!(GeneratedPair::new(&a, &short, &spectrum), Err(Error::Length { .. })));
}

#[test]
fn bad_inputs_are_named() {
    let mut values = digits()[..640].to_vec();
    let table = Table::new(&values, 10, 64).unwrap();
    let spectrum = SampleSpectrum::new(&table).unwrap();
    let check = SplitCheck::new(&table, &spectrum, range(), MeanEstimate::Mle).unwrap();
    for n in [0, 1, 6] {
        let error = check.measure(n, &[Output::Samples], 5, 0).unwrap_err();
        assert!(matches!(error, Error::OutOfRange { what: "n", .. }), "{error}");
    }
    assert!(check.measure(5, &[Output::Samples], 1, 0).is_err());
    values[70] = f64::NAN;
    let error = SampleSpectrum::new(&Table::new(&values, 10, 64).unwrap()).unwrap_err();
    assert!(matches!(error, Error::NotFinite { row: 1, column: 6, .. }), "{error}");
    let flat = vec![2.0; 40];
    let error = SampleSpectrum::new(&Table::new(&flat, 10, 4).unwrap()).unwrap_err();
    assert_eq!(error, Error::NoVariance);
    assert!(SampleSpectrum::new(&Table::new(&flat, 2, 20).unwrap()).is_err());
}
