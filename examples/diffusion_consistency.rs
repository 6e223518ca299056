//! Why diffusion models trained on different halves of a data set generate the same images: noise
//! renormalisation, fluctuations, and how both shrink with n (Wang, Zavatone-Veth and Pehlevan,
//! arXiv:2602.02908), on a power-law spectrum like that of natural images.
//!
//! `cargo run --release -p rmt-examples --example diffusion_consistency`

use rmt_core::Modes;
use rmt_examples::{Axis, Content, Role, column, curve, draw, table};
use rmt_models::linear_diffusion::{MeanEstimate, NoiseRange, Pairing, TrainedModel, disagreement};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let p = 1024;
    let spectrum = Modes::PowerLaw { p, alpha: 1.5, scale: 1.0, reversed: false };
    let range = NoiseRange::new(0.002, 80.0)?;
    let sizes = [64.0, 256.0, 1024.0, 4096.0, 16384.0];
    let models = sizes
        .iter()
        .map(|n| TrainedModel::new(&spectrum, *n, MeanEstimate::Mle))
        .collect::<rmt_models::Result<Vec<_>>>()?;

    println!("renormalised noise variance kappa for models of n samples");
    let mut rows = Vec::new();
    for step in -24..=8 {
        let lambda = 10.0_f64.powf(0.25 * f64::from(step));
        let kappas = models.iter().map(|m| m.renormalised_noise(lambda));
        let mut row = vec![lambda];
        row.extend(kappas.collect::<rmt_models::Result<Vec<f64>>>()?);
        rows.push(row);
    }
    table(&["sigma^2", "n = 64", "n = 256", "n = 1024", "n = 4096", "n = 16384"], &rows);
    let noise = column(&rows, 0);
    let mut series: Vec<_> = sizes
        .iter()
        .enumerate()
        .map(|(i, n)| curve(&format!("n = {n}"), Role::Theory, i, &noise, column(&rows, i + 1)))
        .collect();
    series.push(curve("infinite data", Role::Alternative, 6, &noise, noise.clone()));
    let axes = [Axis::new("noise variance", true), Axis::new("renormalised noise variance", true)];
    let content = Content::Curves { series, marks: Vec::new() };
    draw("diffusion_noise", "Finite data raise the noise of a denoiser", axes, content)?;

    println!("\nsamples from the same noise: squared difference over twice the variance");
    let start = vec![range.high; p];
    let modes = [1, 4, 16, 64, 256, 1024];
    let mut rows = Vec::new();
    for (n, model) in sizes.iter().zip(&models) {
        let map = model.sampler(range, 1e-8)?;
        let apart: f64 = disagreement(&map, &map, 0.0, &start, Pairing::Full)?.iter().sum();
        let signal: f64 =
            model.generated_second_moment(range)?.iter().map(|m| m * range.high).sum();
        let consistency = model.consistency(range, 1e-8)?;
        let mut row = vec![*n, apart / (2.0 * signal)];
        row.extend(modes.map(|i: usize| consistency[i - 1]));
        rows.push(row);
    }
    println!("and the consistency of single modes");
    let header = [
        "samples",
        "difference",
        "mode 1",
        "mode 4",
        "mode 16",
        "mode 64",
        "mode 256",
        "mode 1024",
    ];
    table(&header, &rows);
    let x = column(&rows, 0);
    let series = modes
        .iter()
        .enumerate()
        .map(|(i, mode)| curve(&format!("mode {mode}"), Role::Theory, i, &x, column(&rows, i + 2)))
        .collect();
    let axes = [Axis::new("samples of each model", true), Axis::new("consistency", false)];
    let content = Content::Curves { series, marks: Vec::new() };
    draw("diffusion_consistency", "Two models, the same noise", axes, content)?;

    println!("\nanisotropy × inhomogeneity: variance of denoiser entries at sigma = 0.1, n = 1024");
    let entries = models[2].denoiser(0.01)?.entry_variances()?;
    let shown = [0, 3, 15, 63, 255, 1023];
    for i in shown {
        println!("{}", shown.map(|j| format!("{:>10.2e}", entries[(i, j)])).join(" "));
    }
    Ok(())
}
