//! `rmt consistency`: how far diffusion models trained on different parts of a data set agree.

mod analysis;
mod figures;
mod labels;
mod show;

use crate::args::Output;
use crate::failure::{Failure, Result};
use crate::files;
use crate::output::{note, print};
use crate::report::Report;
use crate::samples::{Reading, Samples, Shape, Subset};
use analysis::{Analysis, Request};
use rmt_estimators::consistency::RowSource;
use rmt_models::linear_diffusion::{MeanEstimate, NoiseRange};
use serde_json::json;
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
DATA are samples × features: .npy of any rank (several files are shards), .npz (archive.npz:name
picks an array), .csv, or a folder of .png and .jpg images. Images are scaled to [−1, 1], arrays
are taken as they are unless --range says what becomes −1 and 1: noise levels are in those units.

Models are linear denoisers, trained on disjoint random parts of n samples each and compared on
the same noise. The disagreement is relative: 0 identical, 1 unrelated samples.

Examples:
  rmt consistency data/digits_8x8.npy --range 0:16
  rmt consistency data/digits_8x8.npy --range 0:16 --check 30 --image 8x8 --plot digits.svg
  rmt consistency faces/ --resize 32x32 --tolerance 0.02
  rmt consistency latents.npy --classes labels.npy
  rmt consistency data.npy --generated run-a.npy run-b.npy --trained-on 5000")]
pub(crate) struct Args {
    /// Files or a folder of training data.
    #[arg(required = true)]
    data: Vec<String>,
    /// Training-set sizes to predict [default: halvings of half the rows].
    #[arg(long, value_name = "N,…", value_delimiter = ',', help_heading = "Question")]
    n: Vec<usize>,
    /// Noise levels of the denoiser.
    #[arg(long, allow_negative_numbers = true, value_name = "S,…", value_delimiter = ',', default_values_t = [0.05, 0.3, 1.0, 5.0], help_heading = "Question")]
    sigma: Vec<f64>,
    /// Noise level at which sampling ends.
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "S",
        default_value_t = 0.002,
        help_heading = "Question"
    )]
    sigma_min: f64,
    /// Noise level at which sampling starts.
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "S",
        default_value_t = 80.0,
        help_heading = "Question"
    )]
    sigma_max: f64,
    /// Relative disagreement of generated samples that counts as the same.
    #[arg(long, value_name = "D", default_value_t = 0.05, help_heading = "Question")]
    tolerance: f64,
    /// Mean of the model: mle (sample mean, covariance over n), unbiased, known (that of all data).
    #[arg(long, value_name = "MEAN", default_value = "mle", help_heading = "Question")]
    mean: String,
    /// Fit models to this many pairs of splits at every n and compare with the prediction.
    #[arg(long, value_name = "REPEATS", help_heading = "Checks")]
    check: Option<usize>,
    /// Seed of the splits.
    #[arg(long, default_value_t = 0, help_heading = "Checks")]
    seed: u64,
    /// Compare samples that your own two models generated from the same noise: row i with row i.
    #[arg(long, num_args = 2, value_names = ["A", "B"], help_heading = "Checks")]
    generated: Option<Vec<String>>,
    /// Training samples of those models [default: half the rows].
    #[arg(long, value_name = "N", requires = "generated", help_heading = "Checks")]
    trained_on: Option<usize>,
    /// One analysis a class: a column of the data, or a file of labels (.npy, or one a line).
    #[arg(long, value_name = "COL|FILE", help_heading = "Data")]
    classes: Option<String>,
    /// Values that become −1 and 1.
    #[arg(long, value_name = "LOW:HIGH", allow_hyphen_values = true, help_heading = "Data")]
    range: Option<String>,
    /// Bring images to this size.
    #[arg(long, value_name = "HxW", help_heading = "Data")]
    resize: Option<String>,
    /// Show samples as images of this shape: modes, and what two splits generate from one noise.
    #[arg(long, value_name = "HxW[xC]", help_heading = "Output")]
    image: Option<String>,
    /// Where that picture goes.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "consistency.png",
        requires = "image",
        help_heading = "Output"
    )]
    image_out: String,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result {
    let request = request(args)?;
    let column = args.classes.as_deref().filter(|name| !labels::is_file(name));
    let reading = Reading {
        resize: args.resize.as_deref().map(size).transpose()?,
        range: args.range.as_deref().map(range).transpose()?,
        labels: column.map(str::to_owned),
    };
    let samples = Samples::open(&args.data, &reading)?;
    if let (Some((low, high)), None) = (samples.range, reading.range) {
        note(&format!("values {low} to {high} become −1 to 1"));
    }
    let analyses = match &args.classes {
        None => vec![analyse(args, &request, &samples, None, &samples.shape)?],
        Some(classes) => by_class(args, &request, &samples, classes)?,
    };
    write(args, &analyses)
}

fn request(args: &Args) -> Result<Request> {
    let mean = match args.mean.as_str() {
        "mle" => MeanEstimate::Mle,
        "unbiased" => MeanEstimate::Unbiased,
        "known" => MeanEstimate::Known,
        other => {
            return Err(Failure::input(format!("--mean {other}: known are mle, unbiased, known")));
        }
    };
    if let Some(sigma) = args.sigma.iter().find(|s| !(**s > 0.0 && s.is_finite())) {
        return Err(Failure::input(format!("--sigma {sigma}: give noise levels > 0")));
    }
    if !(args.tolerance > 0.0 && args.tolerance < 1.0) {
        return Err(Failure::input(format!(
            "--tolerance {}: give a relative disagreement between 0 and 1",
            args.tolerance
        )));
    }
    let range = NoiseRange::new(args.sigma_min, args.sigma_max).map_err(Failure::input)?;
    Ok(Request {
        sizes: args.n.clone(),
        levels: args.sigma.clone(),
        range,
        tolerance: args.tolerance,
        mean,
        repeats: args.check,
        seed: args.seed,
    })
}

fn analyse(
    args: &Args,
    request: &Request,
    source: &dyn RowSource,
    class: Option<String>,
    shape: &[usize],
) -> Result<Analysis> {
    let mut analysis = Analysis::new(source, request, class)?;
    if let Some(files) = &args.generated {
        if args.classes.is_some() {
            return Err(Failure::input("--generated compares whole data sets: drop --classes"));
        }
        let reading = Reading {
            resize: args.resize.as_deref().map(size).transpose()?,
            range: args.range.as_deref().map(range).transpose()?,
            labels: None,
        };
        let open = |path: &String| Samples::open(std::slice::from_ref(path), &reading);
        let (first, second) = (open(&files[0])?, open(&files[1])?);
        analysis.compare_generated(&first, &second, args.trained_on)?;
    }
    if let Some(image) = &args.image {
        let picture = analysis.picture(source, request, Shape::new(image, shape)?)?;
        let path = match &analysis.class {
            None => args.image_out.clone(),
            Some(class) => figures::beside(&args.image_out, &figures::file_part(class)),
        };
        files::write(&path, &picture)?;
        note(&format!(
            "{path}: mean and leading modes; samples of two splits from the same noise; their difference"
        ));
    }
    Ok(analysis)
}

fn by_class(
    args: &Args,
    request: &Request,
    samples: &Samples,
    classes: &str,
) -> Result<Vec<Analysis>> {
    let (labels, without) = labels::read(classes, samples)?;
    let shape = match without {
        None => samples.shape.clone(),
        Some(_) => vec![samples.columns() - 1],
    };
    let mut names: Vec<&String> = labels.iter().collect();
    names.sort_by(|a, b| labels::order(a, b));
    names.dedup();
    if names.len() > labels::MOST {
        return Err(Failure::input(format!(
            "--classes {classes}: {} different labels; a class column has few",
            names.len()
        )));
    }
    let mut analyses = Vec::new();
    for name in names {
        let rows: Vec<usize> = (0..labels.len()).filter(|i| labels[*i] == *name).collect();
        if rows.len() < 8 {
            note(&format!("class {name} has {} samples, too few: left out", rows.len()));
            continue;
        }
        let subset = Subset { source: samples, rows, without };
        analyses.push(analyse(args, request, &subset, Some(name.clone()), &shape)?);
    }
    if analyses.is_empty() {
        return Err(Failure::input(format!("--classes {classes}: no class has 8 samples")));
    }
    Ok(analyses)
}

fn write(args: &Args, analyses: &[Analysis]) -> Result {
    let record = match analyses {
        [only] if only.class.is_none() => json!(only),
        many => json!({ "classes": many }),
    };
    if let Some(path) = &args.output.out {
        let bytes = match files::extension(path).as_str() {
            "json" => format!("{record:#}\n"),
            "csv" => files::csv(&show::rows(analyses))?,
            _ => return Err(Failure::input(format!("--out {path}: name a .csv or .json file"))),
        };
        files::write(path, bytes.as_bytes())?;
    }
    if let Some(path) = &args.output.plot {
        for analysis in analyses {
            let path = match &analysis.class {
                None => path.clone(),
                Some(class) => figures::beside(path, &figures::file_part(class)),
            };
            for file in figures::save(analysis, &path)? {
                note(&format!("wrote {file}"));
            }
        }
    }
    if let Some(path) = &args.output.report {
        let figures: Vec<_> = analyses.iter().map(figures::all).collect::<Result<_>>()?;
        let report = Report {
            title: format!("Consistency of diffusion models trained on {}", args.data.join(", ")),
            task: "linear_diffusion",
            inputs: record.clone(),
            text: show::text(analyses, args.tolerance),
            notes: analyses.iter().flat_map(|a| a.warnings.clone()).collect(),
            figures: figures.into_iter().flatten().map(|(_, figure)| figure).collect(),
        };
        report.save(path)?;
    }
    if args.output.json {
        print(&record.to_string())?;
    } else {
        print(&show::text(analyses, args.tolerance))?;
    }
    analyses.iter().flat_map(|a| &a.warnings).for_each(|w| note(w));
    Ok(ExitCode::SUCCESS)
}

/// `HxW`.
fn size(text: &str) -> Result<(usize, usize)> {
    let wrong = || Failure::input(format!("--resize {text}: give HEIGHTxWIDTH, as 32x32"));
    let (height, width) = text.split_once(['x', '×']).ok_or_else(wrong)?;
    let side = |part: &str| part.trim().parse().ok().filter(|n| (1..=4096).contains(n));
    Ok((side(height).ok_or_else(wrong)?, side(width).ok_or_else(wrong)?))
}

/// `LOW:HIGH`.
fn range(text: &str) -> Result<(f64, f64)> {
    let wrong = || Failure::input(format!("--range {text}: give LOW:HIGH, as 0:255"));
    let (low, high) = text.split_once(':').ok_or_else(wrong)?;
    let end = |part: &str| part.trim().parse::<f64>().map_err(|_| wrong());
    Ok((end(low)?, end(high)?))
}
