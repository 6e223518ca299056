//! Reports: the page holds the numbers of the CSV beside it, and a browser draws them.

use assert_cmd::Command;
use serde_json::Value as Json;
use std::path::Path;
use std::process::Stdio;

fn rmt(folder: &Path, words: &[&str]) {
    Command::cargo_bin("rmt").unwrap().current_dir(folder).args(words).assert().success();
}

fn embedded(page: &str) -> Json {
    let (_, rest) = page.split_once("id=\"page-data\">").expect("the data of the page");
    serde_json::from_str(rest.split_once("</script>").expect("their end").0).unwrap()
}

#[test]
fn the_page_holds_the_curves_of_the_csv() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["predict", "ridge", "--over", "n=50..800:log:9", "--simulate", "3"];
    let files = ["--report", "r.html", "--plot", "r.svg"];
    rmt(folder.path(), &[words.as_slice(), &files].concat());
    let page = std::fs::read_to_string(folder.path().join("r.html")).unwrap();
    let csv = std::fs::read_to_string(folder.path().join("r.csv")).unwrap();
    let data = embedded(&page);
    assert_eq!(data["figures"][0]["csv"], csv.as_str());
    let mut rows = csv.lines().skip(1).map(|l| l.rsplit(',').collect::<Vec<_>>());
    for series in data["figures"][0]["content"]["curves"]["series"].as_array().unwrap() {
        for (x, y) in series["x"].as_array().unwrap().iter().zip(series["y"].as_array().unwrap()) {
            // From the right: high, low, y, x; names may hold commas.
            let row = rows.next().expect("a row for every point");
            assert_eq!(row[3].parse(), Ok(x.as_f64().unwrap()));
            assert_eq!(row[2].parse(), Ok(y.as_f64().unwrap()));
        }
    }
    assert!(rows.next().is_none());
    for needed in ["rmt predict ridge", "@", "uPlot", "Content-Security-Policy"] {
        assert!(page.contains(needed), "{needed}");
    }
}

/// The page in a real browser: every figure drawn, nothing on the console, nothing asked of the
/// network (the page's policy forbids it, and a breach is told on the console).
#[test]
fn a_browser_draws_every_figure_without_a_complaint() {
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|b| {
        std::process::Command::new(b).arg("--version").stdout(Stdio::null()).status().is_ok()
    }) else {
        eprintln!("SKIPPED: no Chromium on this machine, the page was not opened");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    rmt(
        folder.path(),
        &["predict", "ridge", "--over", "n=50..800:log:9", "--simulate", "3", "--report", "c.html"],
    );
    rmt(
        folder.path(),
        &[
            "predict",
            "ridge",
            "--over",
            "n=50..800:8",
            "--over",
            "lambda=1e-4..1:log:7",
            "--report",
            "m.html",
        ],
    );
    for name in ["c.html", "m.html"] {
        let page = folder.path().join(name);
        let expected: usize = {
            let data = embedded(&std::fs::read_to_string(&page).unwrap());
            match &data["figures"][0]["content"] {
                c if c["map"].is_object() => 56,
                c => {
                    let series = c["curves"]["series"].as_array().unwrap();
                    series.iter().map(|s| s["y"].as_array().unwrap().len()).sum()
                }
            }
        };
        let found = std::process::Command::new(browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args(["--enable-logging=stderr", "--dump-dom"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap();
        let (dom, log) =
            (String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&found.stderr));
        assert!(!log.contains("CONSOLE"), "{name}: {log}");
        let wanted = format!("data-figures=\"1\" data-points=\"{expected}\"");
        assert!(dom.contains(&wanted), "{name}: {}", &dom[dom.find("<body").unwrap_or(0)..][..120]);
        assert!(dom.contains("<canvas"), "{name}");
    }
}

#[test]
fn a_script_for_matplotlib_names_its_data_and_reads_every_series() {
    let folder = tempfile::tempdir().unwrap();
    rmt(folder.path(), &["predict", "ridge", "--over", "n=50..800:9", "--plot", "f.py:column"]);
    let script = std::fs::read_to_string(folder.path().join("f.py")).unwrap();
    assert!(script.contains("here / \"f.csv\"") && script.contains("figsize=(3.4, 2.5)"));
    let csv = std::fs::read_to_string(folder.path().join("f.csv")).unwrap();
    for line in csv.lines().skip(1) {
        let name = line.split_once(',').unwrap().0;
        assert!(script.contains(&format!("columns(\"{name}\")")), "{name}");
    }
    let checked = std::process::Command::new("python3")
        .args(["-m", "py_compile", "f.py"])
        .current_dir(folder.path())
        .status();
    if let Ok(status) = checked {
        assert!(status.success(), "not Python: {script}");
    }
}

#[test]
fn names_that_cannot_be_written_are_refused_before_anything_is_computed() {
    let folder = tempfile::tempdir().unwrap();
    for (option, name, wanted) in [
        ("--report", "r.pdf", "--report r.pdf: name a file that ends in .html"),
        ("--plot", "r.gif", "--plot r.gif: name a file that ends in .svg"),
        ("--plot", "r.svg:poster", "`:column` or `:page`"),
    ] {
        let found = Command::cargo_bin("rmt")
            .unwrap()
            .current_dir(folder.path())
            .args(["predict", "ridge", "--over", "n=50..800:5", option, name])
            .assert()
            .code(2);
        let told = String::from_utf8_lossy(&found.get_output().stderr).into_owned();
        assert!(told.contains(wanted), "{told}");
    }
}
