//! `sweep`: restarts, shards, folders of other sweeps, points without an answer, job scripts.

mod common;

use common::Folder;
use serde_json::Value as Json;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// 100 × 100 points of about 0.1 ms each.
const BIG: &str = r#"
model = "ridge"
observables = ["risk", "gcv", "kappa", "support_edges"]

[inputs]
spectrum = { kind = "power_law", p = 12, alpha = 1.2 }
target = { kind = "constant", p = 12, total = 1.0 }
n = 30
lambda = 0.01
noise_variance = 0.1

[axes]
n = "10..109:100"
lambda = "1e-3..10:log:100"
"#;

/// Six points with experiments.
const SMALL: &str = r#"
model = "ridge"
draws = 4
seed = 5

[inputs]
spectrum = { kind = "power_law", p = 12, alpha = 1.2 }
target = { kind = "constant", p = 12, total = 1.0 }
n = 30
lambda = 0.01
noise_variance = 0.1

[axes]
n = [10, 20.0, 40]
spectrum.alpha = "0.5..1.5:2"
"#;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn lines(folder: &Folder, file: &str) -> usize {
    std::fs::read(folder.path(file))
        .map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count())
}

/// Starts a run and kills it (SIGKILL) once the file has so many lines.
fn kill_at(folder: &Folder, line: &[&str], file: &str, wanted: usize) {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("rmt"))
        .current_dir(folder.0.path())
        .args(line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while lines(folder, file) < wanted {
        assert!(start.elapsed() < Duration::from_secs(60), "no {wanted} lines in {file}");
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(
        status.code(),
        None,
        "the run ended before it could be killed: more points are needed"
    );
}

/// Catches points lost, doubled, torn or numbered anew by interruptions and by shards, and results that
/// depend on threads.
#[test]
fn ten_thousand_points_killed_thrice_in_seven_shards_equal_the_single_run() {
    let folder = Folder::new();
    folder.file("big.toml", BIG);
    folder.done(&["--threads", "1", "sweep", "run", "big.toml", "--out", "one"]);
    folder.done(&["sweep", "collect", "one", "--out", "one.csv"]);
    assert_eq!(folder.read("one.csv").lines().count(), 10_001);

    let whole = ["sweep", "run", "big.toml", "--out", "many"];
    kill_at(&folder, &whole, "many/points-0-of-1.jsonl", 1);
    kill_at(&folder, &whole, "many/points-0-of-1.jsonl", 3000);
    let third = [&["--threads", "1"], &whole[..], &["--shard", "3/7"]].concat();
    kill_at(&folder, &third, "many/points-3-of-7.jsonl", 100);
    let there = lines(&folder, "many/points-0-of-1.jsonl");
    assert!((3000..10_000).contains(&there), "{there} lines");

    let missing = folder.rmt(&["sweep", "collect", "many", "--out", "early.csv"]);
    assert_eq!(missing.status, Some(1), "{}", missing.err);
    assert!(missing.err.contains("points are missing"), "{}", missing.err);
    assert!(!folder.path("early.csv").exists(), "an incomplete table needs --partial");

    for shard in ["6/7", "0/7", "3/7", "1/7", "2/7", "5/7", "4/7"] {
        folder.done(&[&whole[..], &["--shard", shard]].concat());
    }
    folder.done(&["sweep", "collect", "many", "--out", "many.csv"]);
    assert!(folder.read("one.csv") == folder.read("many.csv"), "the tables differ");
    // Every point once: nothing that was there has been computed again.
    let all: usize = (0..7).map(|i| lines(&folder, &format!("many/points-{i}-of-7.jsonl"))).sum();
    assert_eq!(all + lines(&folder, "many/points-0-of-1.jsonl"), 10_000);
}

/// Catches kernels of linear algebra that round differently on several threads; they begin to divide
/// their work at about these sizes.
#[test]
fn experiments_do_not_depend_on_the_number_of_threads() {
    let folder = Folder::new();
    let text = SMALL.replace("p = 12", "p = 80").replace("[10, 20.0, 40]", "[65, 180, 250]");
    folder.file("s.toml", text);
    let table = |threads: &str| {
        folder.done(&["--threads", threads, "sweep", "run", "s.toml", "--out", threads]);
        folder.done(&["sweep", "collect", threads, "--json"])
    };
    assert_eq!(table("1"), table("3"));
}

/// Catches a half-written line that is kept, glued to the next one, or taken for a point.
#[test]
fn a_torn_last_line_is_cut_and_computed_again() {
    let folder = Folder::new();
    folder.file("s.toml", SMALL);
    let run = ["sweep", "run", "s.toml", "--out", "d", "--json"];
    folder.done(&run);
    folder.done(&["sweep", "collect", "d", "--out", "whole.csv"]);
    let file = "d/points-0-of-1.jsonl";
    let whole = folder.read(file);
    for torn in [whole.len() - 1, whole.len() - 40, whole.len() / 2, 1] {
        folder.file(file, &whole[..torn]);
        let complete = whole[..torn].matches('\n').count();
        let partial = folder.rmt(&["sweep", "collect", "d", "--partial", "--json"]);
        assert_eq!(json(&partial.out)["points"].as_array().unwrap().len(), complete);
        let summary = json(&folder.done(&run));
        assert_eq!(summary["computed"], 6 - complete);
        assert_eq!(summary["already_there"], complete);
        folder.done(&["sweep", "collect", "d", "--out", "again.csv"]);
        assert_eq!(folder.read("whole.csv"), folder.read("again.csv"));
    }
    folder.file(file, format!("{{\"id\": 0, nonsense}}\n{whole}"));
    folder.refuse(&[(&run, &["d/points-0-of-1.jsonl:1", "remove the line"])]);
    folder.file(file, "{\"id\": 17, \"values\": {}}\n");
    folder.refuse(&[(&["sweep", "collect", "d"], &["id 17", "0 to 5"])]);
}

/// Catches a second run of a shard that writes between the lines of the first.
#[test]
fn a_second_run_of_a_shard_is_refused_while_the_first_writes() {
    let folder = Folder::new();
    folder.file("s.toml", SMALL);
    let run = ["sweep", "run", "s.toml", "--out", "d"];
    folder.done(&run);
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(folder.path("d/points-0-of-1.jsonl"))
        .unwrap();
    file.try_lock().unwrap();
    let second = folder.rmt(&run);
    assert_eq!(second.status, Some(1));
    assert!(second.err.contains("another run is writing d/points-0-of-1.jsonl"), "{}", second.err);
    folder.done(&[&run[..], &["--shard", "1/2"]].concat());
    drop(file);
    folder.done(&run);
}

/// Catches points of two sweeps in one folder.
#[test]
fn a_changed_sweep_is_refused_with_what_differs() {
    let folder = Folder::new();
    folder.file("s.toml", SMALL);
    folder.done(&["sweep", "run", "s.toml", "--out", "d"]);
    for (from, to, wanted) in [
        ("lambda = 0.01", "lambda = 0.02", "`inputs.lambda` is 0.01 there and 0.02 here"),
        ("[10, 20.0, 40]", "[10, 20.0, 41]", "`axes.n[2]` is 40 there and 41 here"),
        ("[10, 20.0, 40]", "[10]", "`axes.n` has 3 entries there and 1 here"),
        ("seed = 5", "seed = 6", "`seed` is 5 there"),
        ("draws = 4", "", "`draws` is 4 there and absent here"),
        ("draws = 4", "draws = 4\nobservables = [\"risk\"]", "`observables` is absent there"),
    ] {
        folder.file("t.toml", SMALL.replacen(from, to, 1));
        folder.refuse(&[(
            &["sweep", "run", "t.toml", "--out", "d"],
            &["d holds the points of another sweep", wanted, "--out"],
        )]);
    }
    // Another way to write the same sweep is the same sweep; so is the resolved one.
    folder.file(
        "t.json",
        r#"{"model": "ridge", "draws": 4, "seed": 5, "inputs": "in.toml",
        "axes": {"n": "10,20,40", "spectrum.alpha": [0.5, 1.5]}}"#,
    );
    let inputs = SMALL.split("[inputs]").nth(1).unwrap().split("[axes]").next().unwrap();
    folder.file("in.toml", inputs);
    for same in ["t.json", "d/sweep.json"] {
        let summary = json(&folder.done(&["sweep", "run", same, "--out", "d", "--json"]));
        assert_eq!(summary["already_there"], 6, "{same}");
    }
    folder.file(
        "old.json",
        folder.read("d/sweep.json").replacen("\"rmt\": \"", "\"rmt\": \"0.0.", 1),
    );
    folder.refuse(&[(
        &["sweep", "run", "old.json", "--out", "e"],
        &["for version 0.0.", "old.json:2"],
    )]);
}

#[test]
fn misshapen_sweeps_are_refused_at_their_place() {
    let folder = Folder::new();
    folder.file("s.toml", SMALL);
    let cases: [(&str, &str, &[&str]); 17] = [
        ("n = [", "nn = [", &["nn", "did you mean `n`", "t.toml:14:1", "^^"]),
        ("spectrum.alpha =", "spectrum.alpa =", &["spectrum.alpa", "`alpha`", "t.toml:15:10"]),
        ("lambda = 0.01", "lamda = 0.01", &["lamda", "`lambda`", "t.toml:10:1"]),
        ("lambda = 0.01", "lambda = \"x\"", &["lambda", "\"x\"", "t.toml:10:10"]),
        ("20.0, 40", "20.0, \"many\"", &["n: ", "many", "t.toml:14:16"]),
        ("[10, 20.0, 40]", "[]", &["axes.n", "no points", "t.toml:14:5"]),
        ("[10, 20.0, 40]", "\"10..a\"", &["`a` is not a number", "FROM..TO", "t.toml:14:5"]),
        ("[10, 20.0, 40]", "7", &["axes.n", "a list of values or a range"]),
        ("[10, 20.0, 40]", "\"1..9:log:1000001\"", &["2 to 1000000"]),
        ("spectrum.alpha =", "\"n\" =", &["duplicate key"]),
        ("spectrum.alpha =", "\"[n]\" =", &["vary once"]),
        ("[axes]", "[axis]", &["axis", "did you mean `axes`", "t.toml:13:2"]),
        ("model = \"ridge\"", "model = \"rigde\"", &["did you mean `ridge`", "t.toml:2:9"]),
        ("draws = 4", "draws = 1", &["draws", "at least 2", "t.toml:3:9"]),
        ("draws = 4", "observables = [\"rusk\"]", &["rusk", "`risk`", "t.toml:3:15"]),
        ("draws = 4", "observables = []", &["observables", "empty"]),
        ("draws = 4", "drawn = 4", &["drawn", "`draws`", "t.toml:3:1"]),
    ];
    for (from, to, wanted) in cases {
        folder.file("t.toml", SMALL.replacen(from, to, 1));
        folder.refuse(&[(&["sweep", "run", "t.toml", "--out", "d"], wanted)]);
    }
    folder.file("none.toml", "model = \"ridge\"\n[axes]\n");
    folder.file(
        "huge.toml",
        "model = \"ridge\"\n[axes]\nn = \"1..9e9:900000\"\nlambda = \"1..2:900000\"",
    );
    folder.file("no.toml", "model = \"sgd_scaling\"\ndraws = 3\n[axes]\nspectrum_exponent = [1.5]");
    folder.file("gone.toml", "model = \"ridge\"\ninputs = \"gone.json\"\n[axes]\nn = [1]");
    folder.file("bad.json", "{\"n\": 3,\n \"lamda\": 1}");
    folder.file("inside.toml", "model = \"ridge\"\ninputs = \"bad.json\"\n[axes]\nn = [1]");
    folder.refuse(&[
        (&["sweep", "run", "none.toml", "--out", "d"], &["no axis", "rmt predict"]),
        (&["sweep", "run", "huge.toml", "--out", "d"], &["810000000000 points", "10000000"]),
        (&["sweep", "run", "no.toml", "--out", "d"], &["no finite-size simulation", "no.toml:2"]),
        (&["sweep", "run", "gone.toml", "--out", "d"], &["gone.json", "No such file"]),
        (&["sweep", "run", "inside.toml", "--out", "d"], &["lamda", "bad.json:2:2"]),
        (&["sweep", "run", "s.toml", "--out", "d", "--shard", "7/7"], &["0/7 to 6/7"]),
        (&["sweep", "run", "s.toml", "--out", "d", "--shard", "0/0"], &["at least one shard"]),
        (&["sweep", "run", "s.toml", "--out", "d", "--shard", "x"], &["I/N"]),
        (&["sweep", "run", "s.toml", "--out", "d", "--shard", "-1/2"], &["I/N"]),
        (&["sweep", "collect", "d"], &["no sweep.json"]),
        (&["sweep", "collect", "d", "--out", "a.parquet"], &["a.parquet", ".csv or .json"]),
        (&["sweep", "submit", "s.toml", "--out", "d", "--shards", "0"], &["--shards 0"]),
    ]);
    assert!(!folder.path("d").exists(), "a refused sweep makes no folder");
}

/// Catches an error that stops the sweep, is forgotten, or is computed again at every restart.
#[test]
fn a_point_without_an_answer_is_recorded_and_only_retried_on_demand() {
    let folder = Folder::new();
    folder.file("s.toml", SMALL.replacen("[10, 20.0, 40]", "[10, -1, 40]", 1));
    let run = ["sweep", "run", "s.toml", "--out", "d", "--json"];
    let first = folder.rmt(&run);
    assert_eq!(
        (first.status, &json(&first.out)["errors"]),
        (Some(1), &Json::from(2)),
        "{}",
        first.err
    );
    let record = folder.read("d/points-0-of-1.jsonl");
    let record = json(record.lines().find(|l| l.contains("\"id\":2,")).unwrap());
    assert_eq!(record["error"]["kind"], "invalid_input");
    assert_eq!(record["error"]["key"], "n");
    assert!(record["error"]["message"].as_str().unwrap().contains("-1"));
    let again = folder.rmt(&run);
    assert_eq!(again.status, Some(1));
    assert_eq!(json(&again.out)["computed"], 0);
    let retried = folder.rmt(&[&run[..], &["--retry"]].concat());
    assert_eq!(
        (&json(&retried.out)["computed"], &json(&retried.out)["errors"]),
        (&2.into(), &2.into())
    );
    let collected = folder.rmt(&["sweep", "collect", "d", "--out", "a.csv"]);
    assert_eq!(collected.status, Some(1));
    assert!(collected.err.contains("2 of 6 points have an error"), "{}", collected.err);
    let table = folder.read("a.csv");
    assert!(table.lines().next().unwrap().ends_with(",error"));
    assert!(table.lines().nth(3).unwrap().starts_with("2,-1,0.5,,"), "{table}");
    assert_eq!(table.lines().count(), 7);
}

/// Catches missing points that go unnoticed.
#[test]
fn missing_points_are_listed() {
    let folder = Folder::new();
    folder.file("s.toml", SMALL);
    folder.done(&["sweep", "run", "s.toml", "--out", "d", "--shard", "1/3"]);
    let refused = folder.rmt(&["sweep", "collect", "d", "--out", "a.csv"]);
    assert_eq!(refused.status, Some(1));
    assert!(refused.err.contains("4 of 6 points are missing: 0, 2-3, 5"), "{}", refused.err);
    assert!(refused.err.contains("--partial") && !folder.path("a.csv").exists());
    let partial = folder.rmt(&["sweep", "collect", "d", "--out", "a.csv", "--partial", "--json"]);
    assert_eq!(partial.status, Some(0));
    assert_eq!(json(&partial.out)["missing"], json("[0, 2, 3, 5]"));
    assert_eq!(folder.read("a.csv").lines().count(), 3);
}

/// Catches theory, inputs or experiments of a sweep that are not those of `rmt predict`.
#[test]
fn a_point_is_what_predict_says_with_its_seed() {
    let folder = Folder::new();
    folder.file("s.toml", SMALL);
    folder.done(&["sweep", "run", "s.toml", "--out", "d"]);
    let collected = json(&folder.done(&["sweep", "collect", "d", "--json"]));
    let inputs = SMALL.split("[inputs]").nth(1).unwrap().split("[axes]").next().unwrap();
    folder.file("in.toml", inputs);
    let mut seeds = Vec::new();
    for (id, point) in collected["points"].as_array().unwrap().iter().enumerate() {
        assert_eq!(point["id"], id);
        let (n, alpha) = (&point["at"]["n"], &point["at"]["spectrum.alpha"]);
        let seed = point["seed"].to_string();
        let line = ["predict", "ridge", "in.toml", "--simulate", "4", "--seed", &seed, "--json"];
        let set = [format!("--set=n={n}"), format!("--set=spectrum.alpha={alpha}")];
        let line = [&line[..], &[&set[0], &set[1]]].concat();
        let predicted = json(&folder.done(&line));
        assert_eq!(point["simulation"], predicted["simulation"]);
        assert_eq!(point["values"]["risk"], predicted["values"]["risk"]);
        assert_eq!(point["values"]["support_edges[0]"], predicted["values"]["support_edges"][0]);
        seeds.push(seed);
    }
    seeds.sort();
    seeds.dedup();
    assert_eq!(seeds.len(), 6, "points share a seed");
}

/// Catches options lost on the way to the job script, and paths that the shell would split.
#[test]
fn the_job_script_runs_every_shard() {
    let folder = Folder::new();
    folder.file("s.toml", SMALL);
    let line = ["sweep", "submit", "s.toml", "--out", "two words", "--shards", "2", "--dry-run"];
    let more = ["--time", "10", "--partition", "long", "--cpus", "2", "--", "--mem=1G"];
    let out = folder.done(&[&line[..], &more].concat());
    assert!(out.contains("sbatch '"), "{out}");
    let script = folder.read("two words/submit.sh");
    for option in ["--array=0-1", "--time=10", "--partition=long", "--cpus-per-task=2", "--mem=1G"]
    {
        assert!(script.contains(&format!("#SBATCH {option}\n")), "{script}");
    }
    for task in ["0", "1"] {
        let status = Command::new("sh")
            .arg(folder.path("two words/submit.sh"))
            .env("SLURM_ARRAY_TASK_ID", task)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    }
    assert_eq!(lines(&folder, "two words/points-1-of-2.jsonl"), 3);
    folder.done(&["sweep", "run", "s.toml", "--out", "d"]);
    let table = |name| folder.done(&["sweep", "collect", name, "--json"]);
    assert_eq!(table("d"), table("two words"));

    // Without Slurm the script is there all the same.
    let rmt = assert_cmd::cargo::cargo_bin("rmt");
    let output = Command::new(rmt)
        .current_dir(folder.0.path())
        .args(["sweep", "submit", "s.toml", "--out", "e", "--shards", "2"])
        .env("PATH", folder.0.path())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("no sbatch found") && err.contains("e/submit.sh"), "{err}");
    assert!(folder.path("e/submit.sh").exists());
}

#[test]
fn a_sweep_can_come_from_standard_input() {
    let folder = Folder::new();
    let outcome = folder.rmt_with(&["sweep", "run", "-", "--out", "d"], SMALL);
    assert_eq!(outcome.status, Some(0), "{}", outcome.err);
    folder.file("s.toml", SMALL);
    let summary = folder.done(&["sweep", "run", "s.toml", "--out", "d"]);
    assert!(summary.starts_with("0 points computed, 6 were there"), "{summary}");
}
