//! `rmt disparity`, `rmt mix` and maps of the groups' tasks: files, figures, bad input.

mod common;

use common::{Folder, repository};
use serde_json::Value;

/// y = a − b + noise from a fixed recurrence, in two groups that differ in noise.
fn table(group: bool, rows: usize, slope: f64) -> String {
    let mut state = 1_u64;
    let mut uniform = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let mut text = String::from(if group { "g,a,b,y\n" } else { "a,b,y\n" });
    for i in 0..rows {
        let (a, b, noise) = (uniform(), uniform(), uniform());
        let (name, size) = if i % 3 == 0 { ("u", 2.0) } else { ("v", 0.5) };
        if group {
            text += &format!("{name},");
        }
        text += &format!("{a},{b},{}\n", a - slope * b + size * noise);
    }
    text
}

/// The groups' errors are noise (2² and 0.5² over twelve) and what is fitted on top; measured and
/// predicted differences agree and the figure is written.
#[test]
fn disparity_of_a_known_truth() {
    let folder = Folder::new();
    folder.file("rows.csv", table(true, 900, 1.0));
    let line =
        ["disparity", "rows.csv", "--group", "g", "--target", "y", "--plot", "d.svg", "--json"];
    let record: Value = serde_json::from_str(&folder.done(&line)).unwrap();
    let last = record["lambdas"].as_array().unwrap().len() - 1;
    for (group, noise) in record["groups"].as_array().unwrap().iter().zip([4.0, 0.25]) {
        let loo = group["loo"][last].as_f64().unwrap();
        // 300 and 600 rows: the error of a uniform variable's mean square is 5 and 4 %.
        assert!((loo / (noise / 12.0) - 1.0).abs() < 0.2, "{group}");
    }
    let measured = &record["difference"]["by_lambda"][last];
    let predicted = record["predicted"][last]["difference"].as_f64().unwrap();
    let value = measured["value"].as_f64().unwrap();
    assert!(measured["high"].as_f64().unwrap() < 0.0 && (predicted / value - 1.0).abs() < 0.05);
    assert!(folder.read("d.svg").contains("<svg") && folder.read("d.csv").contains("predicted"));
    let text = folder.done(&["disparity", "rows.csv", "--group", "g", "--target", "y"]);
    assert!(text.contains("\"u\" is predicted worse than \"v\""), "{text}");
}

/// Real data with a real group column run through, as the README of the data says.
#[test]
fn disparity_of_a_real_file() {
    let data = repository("data/diabetes.csv");
    let line = ["disparity", &data, "--group", "sex", "--target", "progression", "--standardize"];
    let text = Folder::new().done(&line);
    assert!(text.contains("207 rows") && text.contains("235 rows"), "{text}");
    assert!(text.contains("within its error bar"), "{text}");
}

/// Rows of the same truth are as good as real ones (weight near their share), rows of another truth
/// are not.
#[test]
fn mixing_good_and_bad_rows() {
    let folder = Folder::new();
    folder.file("real.csv", table(false, 60, 1.0));
    let line = |synthetic| ["mix", "real.csv", synthetic, "--target", "y", "--json"];
    let run =
        |synthetic| -> Value { serde_json::from_str(&folder.done(&line(synthetic))).unwrap() };
    folder.file("same.csv", table(false, 240, 1.0));
    folder.file("other.csv", table(false, 240, -5.0));
    let (same, other) = (run("same.csv"), run("other.csv"));
    let weight = |record: &Value| record["best_weight"].as_f64().unwrap();
    assert!(weight(&same) > 0.5 && weight(&other) < 0.05, "{same} {other}");
    // c² = (6)²/12.
    assert!((other["quality"].as_f64().unwrap() / 3.0 - 1.0).abs() < 0.3, "{other}");
    for record in [same, other] {
        let error = |key: &str| record[key].as_f64().unwrap();
        assert!(error("error_best") <= error("error_real_only").min(error("error_plain")));
    }
    let text = folder.done(&["mix", "real.csv", "other.csv", "--target", "y"]);
    assert!(text.contains("90 % band"), "{text}");
}

/// Phase diagrams: numbers of samples and of features are whole at every point of a logarithmic range.
#[test]
fn maps_over_two_inputs() {
    let folder = Folder::new();
    let line = [
        "predict",
        "bias_amplification",
        "--over",
        "n[1]=10..300:log:6",
        "--over",
        "width=10..1000:log:7",
        "--show",
        "ADD",
        "--plot",
        "map.svg",
    ];
    folder.done(&line);
    let csv = folder.read("map.csv");
    assert_eq!(csv.lines().count(), 1 + 6 * 7, "{csv}");
    assert!(folder.read("map.svg").contains("ADD"));
    for task in ["model_collapse", "model_collapse_generations"] {
        folder.done(&[
            "predict",
            task,
            "--over",
            "n_synthetic=10..300:log:5",
            "--over",
            "lambda=0.01..1:log:3",
        ]);
    }
}

#[test]
fn bad_input_is_named() {
    let folder = Folder::new();
    let good = table(true, 60, 1.0);
    folder.file("rows.csv", &good);
    folder.file("blank.csv", good.replacen("\nv,", "\n,", 1));
    folder.file("one.csv", good.replace("\nu,", "\nv,"));
    folder.file("single.csv", good.replacen("\nv,", "\nw,", 1));
    folder.file("real.csv", table(false, 60, 1.0));
    folder.file("short.csv", table(false, 3, 1.0));
    folder.file("fewer.csv", "a,y\n1,2\n3,5\n4,4\n");
    let disparity = |file: &'static str, more: &[&'static str]| -> Vec<&'static str> {
        [&["disparity", file, "--group", "g", "--target", "y"][..], more].concat()
    };
    let mix = |synthetic: &'static str, more: &[&'static str]| -> Vec<&'static str> {
        [&["mix", "real.csv", synthetic, "--target", "y"][..], more].concat()
    };
    let cases: Vec<(Vec<&str>, &[&str])> = vec![
        (disparity("blank.csv", &[]), &["blank.csv:3", "\"g\"", "no group"]),
        (disparity("one.csv", &[]), &["\"g\"", "one value", "two groups"]),
        (disparity("single.csv", &[]), &["\"w\"", "1 row"]),
        (disparity("rows.csv", &["--rows", "5"]), &["--rows", "1 numbers", "2 groups", "u, v"]),
        (disparity("rows.csv", &["--rows", "5,0"]), &["--rows 0", "at least 1"]),
        (disparity("rows.csv", &["--lambda=-1"]), &["-1", "≥ 0"]),
        (vec!["disparity", "rows.csv", "--group", "sex", "--target", "y"], &["\"sex\"", "g, a, b"]),
        (mix("fewer.csv", &[]), &["fewer.csv", "\"b\""]),
        (mix("short.csv", &[]), &["short.csv", "3 rows"]),
        (mix("real.csv", &["--n-real", "0"]), &["--n-real 0", "at least 1"]),
    ];
    for (line, words) in &cases {
        folder.refuse(&[(line, words)]);
    }
}
