//! Why diffusion models trained on different halves of a data set generate the same images: noise
//! renormalisation, fluctuations, and how both shrink with n (Wang, Zavatone-Veth and Pehlevan,
//! arXiv:2602.02908), on a power-law spectrum like that of natural images.
//!
//! `cargo run --release -p rmt-models --example diffusion_consistency`

use rmt_core::Modes;
use rmt_models::linear_diffusion::{MeanEstimate, NoiseRange, Pairing, TrainedModel, disagreement};

fn main() -> rmt_models::Result<()> {
    let p = 1024;
    let spectrum = Modes::PowerLaw { p, alpha: 1.5, scale: 1.0, reversed: false };
    let range = NoiseRange::new(0.002, 80.0)?;
    let sizes = [64.0, 256.0, 1024.0, 4096.0, 16384.0];
    let models = sizes
        .iter()
        .map(|n| TrainedModel::new(&spectrum, *n, MeanEstimate::Mle))
        .collect::<rmt_models::Result<Vec<_>>>()?;

    println!("renormalised noise variance kappa for models of n samples");
    println!("{:>12} {}", "sigma^2", sizes.map(|n| format!("{n:>12}")).join(" "));
    for lambda in [1e-6, 1e-4, 1e-2, 1.0, 100.0] {
        let kappas = models
            .iter()
            .map(|m| m.renormalised_noise(lambda).map(|k| format!("{k:>12.4e}")))
            .collect::<rmt_models::Result<Vec<_>>>()?;
        println!("{lambda:>12.0e} {}", kappas.join(" "));
    }

    println!("\nsamples from the same noise: squared difference over twice the variance");
    let start = vec![range.high; p];
    for (n, model) in sizes.iter().zip(&models) {
        let map = model.sampler(range, 1e-8)?;
        let apart: f64 = disagreement(&map, &map, 0.0, &start, Pairing::Full)?.iter().sum();
        let signal: f64 =
            model.generated_second_moment(range)?.iter().map(|m| m * range.high).sum();
        println!("{n:>12} {:.5}", apart / (2.0 * signal));
    }

    println!("\nconsistency of single modes");
    let modes = [1, 4, 16, 64, 256, 1024];
    println!("{:>12} {}", "n", modes.map(|i| format!("mode {i:>5}")).join(" "));
    for (n, model) in sizes.iter().zip(&models) {
        let consistency = model.consistency(range, 1e-8)?;
        let cells = modes.map(|i: usize| format!("{:>10.4}", consistency[i - 1]));
        println!("{n:>12} {}", cells.join(" "));
    }

    println!("\nanisotropy × inhomogeneity: variance of denoiser entries at sigma = 0.1, n = 1024");
    let entries = models[2].denoiser(0.01)?.entry_variances()?;
    let shown = [0, 3, 15, 63, 255, 1023];
    for i in shown {
        println!("{}", shown.map(|j| format!("{:>10.2e}", entries[(i, j)])).join(" "));
    }
    Ok(())
}
