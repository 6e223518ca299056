//! `rmt population`: answers, files and bad inputs.

use assert_cmd::Command;
use std::path::Path;

fn data(name: &str) -> String {
    format!("{}/../../data/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn rmt(folder: &Path, line: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::cargo_bin("rmt")
        .expect("the binary of this package")
        .current_dir(folder)
        .arg("population")
        .args(line)
        .output()
        .expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(!err.contains("panicked"), "{line:?}: {err}");
    (output.status.code(), out, err)
}

fn ok(folder: &Path, line: &[&str]) -> String {
    let (status, out, err) = rmt(folder, line);
    assert_eq!(status, Some(0), "{line:?}: {err}");
    out
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON on standard output")
}

const HARE: [&str; 10] = [
    "--model",
    "predator_prey",
    "--time",
    "year",
    "--columns",
    "x=hare,y=lynx",
    "--sigma",
    "x=8,y=6",
    "--guess",
    "r=0.55,k=500,a=0.001,a0=0.0003,d=0.0008,e=0.8",
];

#[test]
fn simulate_tells_the_outcome_and_draws() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = ok(here, &["simulate"]);
    assert!(text.contains("The run completed"), "{text}");
    let text = ok(here, &["simulate", "--start", "5,10,10", "--until", "10"]);
    // SciPy's DOP853 on the logarithms at 1e-12 crosses the cap at 6.23695115.
    assert!(text.contains("run away") && text.contains("t = 6.236951"), "{text}");
    let line =
        ["simulate", "--start", "5,1,0", "--until", "60", "--plot", "s.svg", "--phase", "p.svg"];
    ok(here, &line);
    for name in ["s.svg", "s.csv", "p.svg", "p.csv"] {
        assert!(here.join(name).metadata().unwrap().len() > 500, "{name}");
    }
    let portrait = std::fs::read_to_string(here.join("p.csv")).unwrap();
    for series in ["orbit", "prey nullcline", "predator nullcline", "unstable point"] {
        assert!(portrait.contains(series), "{series}");
    }
    let text = ok(here, &["simulate", "--start", "5,1,1", "--set", "tolerance=1e-9", "--json"]);
    assert_eq!(json(&text)["outcome"], "completed");
    let other = ["simulate", "--model", "lotka_volterra", "m.toml", "--json"];
    // Without a file the example is cut to the model.
    let text = ok(here, &["equilibria", "--model", "predator_prey", "--set", "k=20"]);
    assert!(text.contains("predator_prey") && !text.contains("scavenger"), "{text}");
    ok(here, &["simulate", "--model", "lotka_volterra"]);
    let toml = "initial_state = [2, 1]\ntimes = [0, 5]\n\
                parameters = { alpha = 1, beta = 1, gamma = 1, delta = 1 }\n";
    std::fs::write(here.join("m.toml"), toml).unwrap();
    assert_eq!(json(&ok(here, &other))["states"].as_array().unwrap().len(), 2);
}

#[test]
fn equilibria_branches_and_sensitivities() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = ok(here, &["equilibria", "--plot", "e.svg"]);
    assert!(text.contains("interior") && text.contains("settle there"), "{text}");
    let line = [
        "continue",
        "--parameter",
        "k",
        "--from",
        "predator_prey",
        "--range",
        "0.5..60",
        "--plot",
        "b.svg",
        "--out",
        "branch.csv",
        "--json",
    ];
    let branch = json(&ok(here, &line));
    let kinds = |way: &str| -> Vec<String> {
        let points = branch[way]["special_points"].as_array().unwrap().clone();
        points.iter().map(|p| p["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert!(kinds("down").contains(&"transcritical".to_owned()), "{branch}");
    let drawn = std::fs::read_to_string(here.join("b.svg")).unwrap();
    assert!(drawn.contains("<svg"), "a figure");
    let line = ["continue", "--model", "rosenzweig_macarthur", "--parameter", "k", "--range"];
    let line = [&line[..], &["1..14", "--cycles", "--plot", "c.svg"]].concat();
    let text = ok(here, &line);
    assert!(text.contains("hopf") && text.contains("Cycles from k = 8.78788, stable"), "{text}");
    let drawn = std::fs::read_to_string(here.join("c.csv")).unwrap();
    assert!(drawn.contains("stable cycle"), "extremes of the cycles");
    let text = ok(here, &["sensitivity", "--from", "interior:1"]);
    assert!(text.contains("Elasticities") && text.contains("i0"), "{text}");
    let (status, _, err) = rmt(here, &["sensitivity", "--from", "interior:9"]);
    assert_eq!(status, Some(2));
    assert!(err.contains("not among the equilibria"), "{err}");
}

/// Least squares alone on the pelts: the known minimum, an open carrying capacity, and figures.
#[test]
fn fit_of_real_data() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let file = data("hare_lynx.csv");
    let mut line = vec!["fit", &file];
    line.extend(HARE);
    line.extend(["--no-network", "--plot", "f.svg", "--phase", "p.svg", "--json"]);
    let values = json(&ok(here, &line));
    assert!(values["chi2"].as_f64().unwrap() < 14.0, "{values}");
    for name in ["f.svg", "f.csv", "p.svg"] {
        assert!(here.join(name).metadata().unwrap().len() > 500, "{name}");
    }
}

/// The second series of the help: multiple shooting finds a far deeper minimum than the guess leads to,
/// and even that does not describe the data.
#[test]
fn moose_and_wolves() {
    let folder = tempfile::tempdir().unwrap();
    let file = data("isle_royale.csv");
    let line = "--model predator_prey --time year --until 2011 --columns x=moose,y=wolves \
                --sigma x=150,y=4 --guess r=1,k=2000,a=3e-4,a0=2e-5,d=2e-5,e=1 --no-network";
    let line: Vec<&str> = ["fit", &file].into_iter().chain(line.split_whitespace()).collect();
    let text = ok(folder.path(), &line);
    assert!(text.contains("299.611") && text.contains("does not describe"), "{text}");
}

/// Hare and lynx with errors that are far too small: said, not just printed.
#[test]
fn a_misfit_is_called_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = data("hare_lynx.csv");
    let mut line = vec!["fit", &file];
    line.extend(HARE);
    let sigma = line.iter().position(|word| *word == "x=8,y=6").unwrap();
    line.push("--no-network");
    assert!(!ok(folder.path(), &line).contains("does not describe"));
    line[sigma] = "x=2,y=1.5";
    assert!(ok(folder.path(), &line).contains("does not describe"));
}

/// A short training, so that its files are tried: the estimate is least squares' all the same.
#[test]
fn a_network_leaves_its_traces() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let file = data("hare_lynx.csv");
    let mut line = vec!["fit", &file];
    line.extend(HARE);
    line.extend(["--epochs", "50", "--checkpoint", "c.json", "--loss-plot", "l.svg"]);
    let text = ok(here, &line);
    assert!(text.contains("network") && text.contains("χ²"), "{text}");
    assert!(here.join("c.json").exists() && here.join("l.svg").exists());
}

/// Killed (not asked to stop) twice in the middle of a training, the command ends with the same
/// bits as one that was left alone.
#[test]
fn a_killed_training_resumes_bitwise() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let file = data("hare_lynx.csv");
    let mut line = vec!["fit", &file];
    line.extend(HARE);
    line.extend(["--epochs", "1700", "--json"]);
    let undisturbed = ok(here, &line);
    line.extend(["--checkpoint", "c.json"]);
    let saved = here.join("c.json");
    let taken = || -> Option<u64> {
        let text = std::fs::read_to_string(&saved).ok()?;
        serde_json::from_str::<serde_json::Value>(&text).ok()?["taken"].as_u64()
    };
    for epoch in [500, 1000] {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("rmt"))
            .current_dir(here)
            .arg("population")
            .args(&line)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while taken().is_none_or(|t| t < epoch) {
            assert!(child.try_wait().unwrap().is_none(), "it ended before epoch {epoch}");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        // SIGKILL: nothing of the program runs after it.
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "it ended before it was killed");
    }
    assert!(taken().is_some_and(|t| t < 1700), "{:?}", taken());
    assert_eq!(ok(here, &line), undisturbed);
}

#[test]
fn bad_input_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("unsorted.csv"), "t,a,b\n0,1,1\n2,1,1\n1,1,1\n").unwrap();
    std::fs::write(here.join("hole.csv"), "t,a,b\n0,1,1\n1,,1\n").unwrap();
    std::fs::write(here.join("one.csv"), "t,a,b\n0,1,1\n").unwrap();
    std::fs::write(here.join("bad.toml"), "times = [0, 1]\n[parameters]\nr = 1\nq = 2\n").unwrap();
    let fit = |file: &'static str| {
        let mut line = vec!["fit", file, "--model", "predator_prey", "--columns", "x=a,y=b"];
        line.extend(["--sigma", "x=1,y=1", "--guess", "r=1,k=9,a=1,a0=1,d=1,e=1"]);
        line
    };
    let hare = data("hare_lynx.csv");
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["simulate", "--set", "r=-1"], "`r`"),
        (vec!["simulate", "--set", "q=1"], "q"),
        (vec!["simulate", "bad.toml"], "bad.toml:4"),
        (vec!["simulate", "--start", "1,1"], "3 expected"),
        (vec!["simulate", "--start", "1,one,1"], "expected numbers"),
        (vec!["simulate", "--until", "-1"], "positive time"),
        (vec!["simulate", "--model", "wolves"], "predator_prey_scavenger"),
        (vec!["continue", "--parameter", "q"], "unknown parameter"),
        (vec!["continue", "--parameter", "k", "--range", "20..30"], "present value of k is 10"),
        (vec!["continue", "--parameter", "k", "--range=-1..30"], "0 < FROM"),
        (vec!["continue", "--parameter", "a0", "--set", "a0=0"], "a0 is 0"),
        (vec!["continue", "--parameter", "k", "--from", "interior:0"], "counted from 1"),
        (vec!["simulate", "--start", "-1,1,1"], "`x` has density -1"),
        (vec!["simulate", "--set", "k=abc"], "`k` is \"abc\""),
        (vec!["simulate", "--phase", "plane.pdf"], "--phase plane.pdf"),
        (vec!["equilibria", "--set", "a=1e308"], "not finite"),
        (vec!["sensitivity", "--from", "origin"], "origin does not move"),
        (vec!["continue", "--parameter", "k", "--range", "x"], "FROM..TO"),
        (fit("unsorted.csv"), "unsorted.csv:4"),
        (fit("hole.csv"), "hole.csv:3"),
        (fit("one.csv"), "2 observations cannot determine 8 unknowns"),
        (vec!["fit", &hare, "--columns", "w=hare", "--sigma", "w=1", "--guess", "r=1"], "`w`"),
        (
            vec!["fit", &hare, "--columns", "x=hare,x=lynx", "--sigma", "x=1", "--guess", "r=1"],
            "two",
        ),
        (vec!["fit", &hare, "--columns", "x=wolf", "--sigma", "x=1", "--guess", "r=1"], "wolf"),
        (
            vec!["fit", &hare, "--columns", "x=hare", "--sigma", "y=1", "--guess", "r=1"],
            "--sigma y",
        ),
        (vec!["fit", &hare, "--columns", "x=hare", "--sigma", "x=1", "--guess", "r=-1"], "`"),
    ];
    for (line, word) in cases {
        let (status, _, err) = rmt(here, &line);
        assert_eq!(status, Some(2), "{line:?}: {err}");
        assert!(err.contains(word), "{line:?} does not say {word:?}: {err}");
    }
}
