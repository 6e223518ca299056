//! `predict` and the commands that describe tasks.

mod common;

use common::Folder;
use serde_json::Value as Json;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn simulations_do_not_depend_on_the_number_of_threads() {
    let folder = Folder::new();
    let line = ["predict", "ridge", "--set", "spectrum.p=40", "--set", "target.p=40"];
    let line =
        [&line[..], &["--over", "n=30,60", "--simulate", "6", "--seed", "3", "--json"]].concat();
    let one = folder.done(&[&["--threads", "1"][..], &line].concat());
    let two = folder.done(&[&["--threads", "2"][..], &line].concat());
    assert_eq!(one, two);
    let other = folder.done(&[&line[..line.len() - 2], &["4", "--json"]].concat());
    assert_ne!(one, other, "another seed is another experiment");
    assert!(json(&one)["points"][0]["simulation"]["risk"]["z"].is_number());
}

#[test]
fn a_sweep_prints_writes_and_draws_the_same_numbers() {
    let folder = Folder::new();
    let line = ["predict", "ridge", "--over", "n=50..800:log:12", "--show", "risk"];
    let files = ["--out", "all.csv", "--plot", "r.svg", "--json"];
    let printed = json(&folder.done(&[&line[..], &files].concat()));
    let points = printed["points"].as_array().unwrap();
    assert_eq!(points.len(), 12);
    let csv = folder.read("all.csv");
    let column = csv.lines().next().unwrap().split(',').position(|c| c == "risk").unwrap();
    // The figure's own data: one row a point, the same numbers.
    let drawn = folder.read("r.csv");
    let drawn: Vec<f64> =
        drawn.lines().skip(1).map(|l| l.split(',').nth(3).unwrap().parse().unwrap()).collect();
    let cells: Vec<f64> =
        csv.lines().skip(1).map(|l| l.split(',').nth(column).unwrap().parse().unwrap()).collect();
    assert_eq!(drawn, cells);
    for (point, row) in points.iter().zip(csv.lines().skip(1)) {
        let cell: f64 = row.split(',').nth(column).unwrap().parse().unwrap();
        assert_eq!(point["values"]["risk"].as_f64(), Some(cell));
        let n = point["at"]["n"].as_f64().unwrap();
        assert_eq!(n.fract(), 0.0, "sample numbers are whole");
    }
    let svg = folder.read("r.svg");
    assert!(svg.contains("<svg") && svg.contains("risk"));
}

#[test]
fn two_swept_inputs_make_a_map() {
    let folder = Folder::new();
    let axes = ["--over", "n=50..400:5", "--over", "lambda=1e-3..1:log:7"];
    folder.done(&[&["predict", "ridge"][..], &axes, &["--plot", "m.svg"]].concat());
    assert_eq!(folder.read("m.csv").lines().count(), 1 + 35);
    assert!(folder.read("m.csv").starts_with("lambda,n,risk"));
    assert!(folder.read("m.svg").contains("<svg"));
}

#[test]
fn inputs_read_alike_from_json_toml_standard_input_and_the_command_line() {
    let folder = Folder::new();
    folder.file("s.csv", "s\n3\n2\n1\n");
    folder.file(
        "a.json",
        r#"{"n": 9, "lambda": 0.1, "spectrum": {"kind": "explicit", "values": [3, 2, 1]}}"#,
    );
    folder.file("a.toml", "n = 9\nlambda = 0.1\nspectrum = {kind = 'file', path = 's.csv'}\n");
    let from_json = json(&folder.done(&["predict", "ridge", "a.json", "--json"]));
    let from_toml = json(&folder.done(&["predict", "ridge", "a.toml", "--json"]));
    let text = "n = 7\nlambda = 0.1\n[spectrum]\nkind = 'explicit'\nvalues = [3, 2, 1]\n";
    let line = ["predict", "ridge", "-", "--set", "n=9", "--json"];
    let outcome = folder.rmt_with(&line, text);
    assert_eq!(outcome.status, Some(0), "{}", outcome.err);
    assert_eq!(from_json["values"], from_toml["values"]);
    assert_eq!(from_json["values"], json(&outcome.out)["values"]);
}

#[test]
fn every_task_explains_itself_and_evaluates_its_example() {
    let folder = Folder::new();
    let models = json(&folder.done(&["models", "--json"]));
    for model in models.as_array().unwrap() {
        let task = model["task"].as_str().unwrap();
        let text = folder.done(&["explain", task]);
        for part in ["Inputs", "Results", "Example inputs"] {
            assert!(text.contains(part), "{task}: no {part}");
        }
        assert!(json(&folder.done(&["schema", task]))["properties"].is_object());
        let cited = folder.done(&["cite", task]);
        assert!(cited.trim().is_empty() || cited.contains('@'), "{task}: {cited}");
        if task != "population_fit" {
            assert!(json(&folder.done(&["predict", task, "--json"]))["values"].is_object());
        }
    }
}

#[test]
fn the_program_alone_and_every_help_teach_by_example() {
    let folder = Folder::new();
    assert!(folder.done(&[]).contains("Examples:"));
    for command in ["fit", "apply", "predict", "eval", "check", "completions"] {
        let text = folder.done(&[command, "--help"]);
        assert!(text.contains("Example"), "{command}: {text}");
        assert!(text.lines().all(|l| l.chars().count() <= 120), "{command} has long lines");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(folder.done(&["completions", shell]).contains("rmt"));
    }
}

/// The user's own points come out where they were put, with their errors.
#[test]
fn measurements_lie_over_the_curve() {
    let folder = Folder::new();
    folder.file("mine.csv", "n,risk,risk_error,other\n60,0.5,0.1,1\n200,0.25,0.05,2\n");
    let line = ["predict", "ridge", "--over", "n=50..800:log:9", "--show", "risk"];
    let with = |more: &[&'static str]| [&line[..], more].concat();
    folder.done(&with(&["--overlay", "mine.csv", "--plot", "r.svg"]));
    let drawn = folder.read("r.csv");
    let measured: Vec<&str> = drawn.lines().filter(|l| l.contains("measured ± 2 s.e.")).collect();
    assert_eq!(measured.len(), 2, "{drawn}");
    for (row, wanted) in measured.iter().zip([[60.0, 0.5, 0.3, 0.7], [200.0, 0.25, 0.15, 0.35]]) {
        let numbers: Vec<f64> = row.split(',').filter_map(|c| c.parse().ok()).collect();
        let close = |w: &f64| numbers.iter().any(|x| (x - w).abs() < 1e-12);
        assert!(wanted.iter().all(close), "{row}");
    }
    assert!(folder.read("r.svg").contains("measured"));
    folder.done(&with(&["--overlay", "mine.csv", "--report", "r.html"]));
    assert!(folder.read("r.html").contains("measured"));
    folder.file("none.csv", "n,loss\n60,0.5\n");
    folder.refuse(&[
        (&with(&["--overlay", "mine.csv"]), &["--overlay", "--plot"]),
        (&with(&["--overlay", "none.csv", "--plot", "r.svg"]), &["none.csv", "\"risk\""]),
        (
            &["predict", "ridge", "--overlay", "mine.csv", "--plot", "r.svg"],
            &["mine.csv", "--over"],
        ),
    ]);
}

/// A data set as the population: where rows are many, what is predicted at its own n is what
/// leave-one-out finds in it.
#[test]
fn a_data_set_stands_in_for_the_population() {
    let folder = Folder::workplace();
    let data = ["--spectrum-from", "data/diabetes.csv", "--target", "progression"];
    let predict = |task: &'static str, more: &[&str]| {
        json(&folder.done(&[&["predict", task][..], &data, more, &["--json"]].concat()))
    };
    let more = ["--standardize", "--set", "lambda=0.02"];
    let values = predict("ridge", &more);
    let fit = ["fit", data[1], "--target", "progression", "--standardize", "--lambda", "0.02"];
    let fitted = json(&folder.done(&[&fit[..], &["--json"]].concat()));
    let at = |value: &Json, path: &str| value.pointer(path).unwrap().as_f64().unwrap();
    let (gcv, loo) = (at(&values, "/values/gcv"), at(&fitted, "/targets/0/loo"));
    assert!((gcv / loo - 1.0).abs() < 0.01, "{gcv} {loo}");
    let df1 = (at(&values, "/values/df1"), at(&fitted, "/targets/0/df1"));
    assert!((df1.0 / df1.1 - 1.0).abs() < 0.01, "{df1:?}");
    // Another task, more rows.
    let more = predict("random_features", &["--set", "widths=[400]", "--set", "n=2000"]);
    let risk = at(&more, "/values/risk");
    assert!(risk > 0.0 && risk < 0.2 * gcv, "{risk}");
    folder.refuse(&[
        (&["predict", "ridge", "--spectrum-from", "data/diabetes.csv"], &["--target"]),
        (
            &[&["predict", "linear_diffusion"][..], &data].concat(),
            &["linear_diffusion", "no input `target`"],
        ),
        (&["predict", "ridge", "--spectrum-from", "gone.csv", "--target", "y"], &["gone.csv"]),
    ]);
}
