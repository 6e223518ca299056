//! `rmt verify` as people run it.

use assert_cmd::Command;
use serde_json::Value as Json;

fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("rmt").unwrap().arg("verify").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Every number of one task, the same on any number of threads, and in the file.
#[test]
fn one_task() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("z.csv").to_string_lossy().into_owned();
    let arguments = ["ridge", "--draws", "10", "--seed", "3", "--json", "--out", &csv];
    let (status, out, err) = run(&[&arguments[..], &["--threads", "1"]].concat());
    assert_eq!(status, 0, "{out}{err}");
    let found: Json = serde_json::from_str(&out).unwrap();
    // Sums inside a large product may be split by thread: equal up to rounding.
    let more: Json = serde_json::from_str(&run(&arguments).1).unwrap();
    let rms = |found: &Json| found["rms_z"].as_f64().unwrap();
    assert!((rms(&found) - rms(&more)).abs() < 1e-9, "{found} {more}");
    let experiments = found["experiments"].as_array().unwrap();
    assert!(experiments.len() > 1 && found["agrees"] == true, "{out}");
    let count: usize = experiments.iter().map(|e| e["numbers"].as_array().unwrap().len()).sum();
    let rows = std::fs::read_to_string(&csv).unwrap();
    assert_eq!(rows.lines().count(), 1 + count);
    assert!(rows.starts_with("task,quantity,theory,mean,standard_error,z,draws,sizes\nridge,"));
    let number = &experiments[0]["numbers"][0];
    let of = |key: &str| number[key].as_f64().unwrap();
    let t = (of("mean") - of("theory")) / of("standard_error");
    // A score of nine degrees of freedom is closer to zero than t, by its heavier tails.
    assert!(of("z") * t > 0.0 && of("z").abs() < t.abs() && of("z").abs() > 0.7 * t.abs());
    let (status, text, _) = run(&["fpt", "--draws", "10"]);
    assert!(status == 0 && text.contains("rms z") && text.contains("n=300, p=200"), "{text}");
}

#[test]
fn mistakes_are_named() {
    for (arguments, word) in [
        (vec!["rigde"], "did you mean `ridge`"),
        (vec!["sample_kernel"], "no finite-size simulation"),
        (vec!["ridge", "--draws", "2"], "at least 3"),
        (vec!["ridge", "--out", "z.txt"], "--out z.txt"),
    ] {
        let (status, out, err) = run(&arguments);
        assert_eq!(status, 2, "{arguments:?}: {out}");
        assert!(err.contains(word), "{arguments:?}: {err}");
    }
}
