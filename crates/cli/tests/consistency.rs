//! `rmt consistency` on real files: formats, checks, classes, pictures, bad input.

use assert_cmd::Command;
use npyz::WriterBuilder;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn digits() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits_8x8.npy").to_owned()
}

fn run(args: &[&str]) -> (bool, String, String) {
    let output = Command::cargo_bin("rmt").unwrap().arg("consistency").args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn json(args: &[&str]) -> Value {
    let mut args = args.to_vec();
    args.push("--json");
    let (ok, stdout, stderr) = run(&args);
    assert!(ok, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn fails(args: &[&str], wanted: &str) {
    let (ok, _, stderr) = run(args);
    assert!(!ok && stderr.contains(wanted), "{args:?}: {stderr}");
    assert!(!stderr.contains("panicked"));
}

fn write_npy<T: npyz::AutoSerialize + Copy>(path: &Path, shape: &[u64], values: &[T]) {
    let mut bytes = Vec::new();
    let options = npyz::WriteOptions::new().default_dtype().shape(shape);
    let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
    fs::write(path, bytes).unwrap();
}

fn digit_values() -> Vec<u8> {
    let bytes = fs::read(digits()).unwrap();
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
}

/// A small whole number as float16.
fn half(value: u8) -> u16 {
    if value == 0 {
        return 0;
    }
    let exponent = value.ilog2();
    let fraction = (u32::from(value) << (10 - exponent)) & 1023;
    (((exponent + 15) << 10) | fraction) as u16
}

/// A ZIP archive of files, stored or deflated.
fn zip(files: &[(&str, &[u8], bool)]) -> Vec<u8> {
    use std::io::Write;
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes, deflate) in files {
        let data = if *deflate {
            let mut encoder =
                flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        } else {
            bytes.to_vec()
        };
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let offset = out.len() as u32;
        let mut common = vec![20, 0, 0, 0, if *deflate { 8 } else { 0 }, 0, 0, 0, 0, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend((data.len() as u32).to_le_bytes());
        common.extend((bytes.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.bytes());
        out.extend(data);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.bytes());
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend((files.len() as u16).to_le_bytes());
    out.extend((files.len() as u16).to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn in_folder(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Predicted and measured disagreement of generated digits agree within 5 %; the low-noise excess is
/// reported in words.
#[test]
fn digits_with_check() {
    let data = digits();
    let args = [data.as_str(), "--range", "0:16", "--n", "60,120,300,898", "--check", "30"];
    let record = json(&args);
    let check = record["check"].as_array().unwrap();
    assert_eq!(check.len(), 4 * 5);
    for c in check.iter().filter(|c| c.get("sigma").is_none()) {
        let ratio = c["ratio"].as_f64().unwrap();
        assert!((ratio - 1.0).abs() < 0.05, "{c}");
    }
    assert!(record["warnings"][0].as_str().unwrap().contains("not Gaussian"));
    // The required n is where the prediction crosses the tolerance of 5 %.
    let required = record["required_samples"].as_u64().unwrap();
    let around = format!("{},{required}", required - 1);
    let record = json(&[data.as_str(), "--range", "0:16", "--n", &around]);
    let relative = |at: usize| record["sizes"][at]["relative"].as_f64().unwrap();
    assert!(relative(0) > 0.05 && relative(1) <= 0.05, "{required}: {record}");
    let (ok, stdout, stderr) = run(&args);
    assert!(ok && stdout.contains("required n") && stderr.contains("not Gaussian"), "{stdout}");
}

/// One data set in many formats: the same numbers.
#[test]
fn formats_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    let values = digit_values();
    let (rows, count) = (400, 400 * 64);
    let values = &values[..count];
    let at = |name| in_folder(&folder, name);
    write_npy(&at("image.npy"), &[rows, 8, 8], values);
    let doubles: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
    write_npy(&at("double.npy"), &[rows, 64], &doubles);
    write_npy(&at("first.npy"), &[150, 64], &doubles[..150 * 64]);
    write_npy(&at("second.npy"), &[250, 64], &doubles[150 * 64..]);
    // float16 by hand: small integers are exact.
    let header = "{'descr': '<f2', 'fortran_order': False, 'shape': (400, 64), }";
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(118_u16.to_le_bytes());
    file.extend(format!("{header:<117}\n").bytes());
    file.extend(values.iter().flat_map(|v| half(*v).to_le_bytes()));
    fs::write(at("half.npy"), file).unwrap();
    let files = ["double.npy", "first.npy"].map(|name| fs::read(at(name)).unwrap());
    fs::write(at("many.npz"), zip(&[("a.npy", &files[0], false), ("b.npy", &files[1], true)]))
        .unwrap();
    let images = at("images");
    fs::create_dir(&images).unwrap();
    for (i, pixels) in values.chunks(64).enumerate() {
        let file = fs::File::create(images.join(format!("{i:04}.png"))).unwrap();
        let mut encoder = png::Encoder::new(file, 8, 8);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    }
    let number = |args: &[&str]| {
        let mut args = args.to_vec();
        args.extend(["--range", "0:16", "--n", "20,75"]);
        json(&args)["sizes"][1]["relative"].as_f64().unwrap()
    };
    let wanted = number(&[text(&at("double.npy"))]);
    let npz = format!("{}:a", text(&at("many.npz")));
    for args in [
        vec![text(&at("image.npy")).to_owned()],
        vec![text(&at("first.npy")).to_owned(), text(&at("second.npy")).to_owned()],
        vec![text(&at("half.npy")).to_owned()],
        vec![npz],
        vec![text(&images).to_owned()],
        vec![text(&images).to_owned(), "--resize".into(), "8x8".into()],
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let found = number(&args);
        assert!((found / wanted - 1.0).abs() < 1e-9, "{args:?}: {found} against {wanted}");
    }
    let compressed = format!("{}:b", text(&at("many.npz")));
    let first = text(&at("first.npy")).to_owned();
    assert_eq!(number(&[&compressed]), number(&[&first]));
    fails(&[text(&at("many.npz"))], "a, b");
}

#[test]
fn classes_pictures_and_figures() {
    let folder = tempfile::tempdir().unwrap();
    let labels = in_folder(&folder, "labels.txt");
    let list: Vec<String> = (0..1797).map(|i| format!("{}\n", ["even", "odd"][i % 2])).collect();
    fs::write(&labels, list.concat()).unwrap();
    let data = digits();
    let record = json(&[&data, "--range", "0:16", "--classes", text(&labels)]);
    let classes = record["classes"].as_array().unwrap();
    assert_eq!(classes.len(), 2);
    assert_eq!(classes[0]["rows"].as_u64().unwrap() + classes[1]["rows"].as_u64().unwrap(), 1797);

    let picture = in_folder(&folder, "grid.png");
    let plot = in_folder(&folder, "plot.svg");
    let args = [&data, "--range", "0:16", "--image", "8x8", "--image-out", text(&picture)];
    let (ok, _, stderr) = run(&[&args[..], &["--plot", text(&plot)]].concat());
    assert!(ok, "{stderr}");
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(&picture).unwrap()));
    let info = decoder.read_info().unwrap();
    assert!(info.info().width > 500 && info.info().height > 300);
    for name in ["plot", "plot-modes", "plot-gains", "plot-kappa", "plot-noise", "plot-map"] {
        for extension in ["svg", "csv"] {
            let file = in_folder(&folder, &format!("{name}.{extension}"));
            assert!(fs::metadata(&file).unwrap().len() > 200, "{file:?}");
        }
    }
}

/// Samples of the user's own models: equal files agree fully, unrelated ones not at all.
#[test]
fn generated_samples() {
    let folder = tempfile::tempdir().unwrap();
    let values = digit_values();
    let (a, b) = (in_folder(&folder, "a.npy"), in_folder(&folder, "b.npy"));
    write_npy(&a, &[500, 64], &values[..500 * 64]);
    write_npy(&b, &[500, 64], &values[500 * 64..1000 * 64]);
    let data = digits();
    let compare = |a: &Path, b: &Path| {
        let args =
            [&data, "--range", "0:16", "--generated", text(a), text(b), "--trained-on", "300"];
        json(&args)["generated"]["relative"].as_f64().unwrap()
    };
    assert_eq!(compare(&a, &a), 0.0);
    assert!((compare(&a, &b) - 1.0).abs() < 0.1);
}

#[test]
fn bad_input_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = digits();
    let at = |name| in_folder(&folder, name);
    let bytes = fs::read(&data).unwrap();
    fs::write(at("short.npy"), &bytes[..bytes.len() - 100]).unwrap();
    let header = "{'descr': '<U3', 'fortran_order': False, 'shape': (4, 2), }";
    let mut words = b"\x93NUMPY\x01\x00".to_vec();
    words.extend(118_u16.to_le_bytes());
    words.extend(format!("{header:<117}\n").bytes());
    words.extend([0; 96]);
    fs::write(at("words.npy"), words).unwrap();
    fs::write(at("noise.npy"), b"no array").unwrap();
    write_npy(&at("flat.npy"), &[20], &[1.0; 20]);
    write_npy(&at("nan.npy"), &[5, 2], &[1.0, 2.0, 3.0, f64::NAN, 5.0, 6.0, 7.0, 8.0, 9.0, 1.0]);
    write_npy(&at("constant.npy"), &[10, 2], &[1.0; 20]);
    fails(&[text(&at("short.npy"))], "truncated");
    fails(&[text(&at("words.npy"))], "<U3");
    fails(&[text(&at("noise.npy"))], "not a .npy file");
    fails(&[text(&at("flat.npy"))], "first dimension counts samples");
    fails(&[text(&at("nan.npy"))], "row 1, column 1");
    fails(&[text(&at("constant.npy"))], "constant");
    fails(&[text(&at("missing.npy"))], "missing.npy");
    fails(&[text(folder.path())], "no .png or .jpg");
    for (args, wanted) in [
        (vec!["--sigma-min", "-1"], "sigma_min"),
        (vec!["--sigma-max", "0.001"], "sigma_max"),
        (vec!["--sigma", "-0.5"], "--sigma"),
        (vec!["--tolerance", "2"], "--tolerance"),
        (vec!["--n", "1"], "`n` is 1"),
        (vec!["--mean", "median"], "--mean"),
        (vec!["--image", "8x9"], "8×9"),
        (vec!["--range", "3"], "--range"),
        (vec!["--check", "1"], "check"),
        (vec!["--resize", "8x8"], "--resize"),
        (vec!["--classes", "c99"], "c99"),
        (vec!["--n", "1500", "--check", "3"], "at most half"),
    ] {
        fails(&[&[data.as_str()], &args[..]].concat(), wanted);
    }
}
