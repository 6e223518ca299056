//! Inputs that users get wrong. Each must end with exit status 2 (or 1 where the request is sound
//! and has no answer), a message that names the thing, the value and the remedy, and no panic.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("a writable temporary folder");
        path
    }
}

fn rmt(folder: &Path, line: &[&str]) -> (Option<i32>, String) {
    let output = Command::cargo_bin("rmt")
        .expect("the binary of this package")
        .current_dir(folder)
        .args(line)
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("panicked"), "{line:?}: {text}");
    (output.status.code(), text)
}

/// Runs every line; each must fail with the status and show every one of the words.
fn refuse(folder: &Folder, cases: &[(&[&str], &[&str])]) {
    for (line, words) in cases {
        let (status, text) = rmt(folder.0.path(), line);
        assert_eq!(status, Some(2), "{line:?}: {text}");
        for word in *words {
            assert!(text.contains(word), "{line:?} does not say {word:?}:\n{text}");
        }
    }
}

#[test]
fn of_predict() {
    let folder = Folder::new();
    folder.file("typo.toml", "n = 3\nlamda = 1\n");
    folder.file("negative.json", "{\"n\": 100,\n \"lambda\": -1}");
    folder.file("syntax.toml", "n = = 3\n");
    folder.file("kind.json", r#"{"n": 3, "spectrum": {"kind": "powerlaw", "p": 3, "alpha": 1}}"#);
    folder.file("nofile.json", r#"{"n": 3, "spectrum": {"kind": "file", "path": "gone.npy"}}"#);
    folder.file("text.csv", "s\n1\nred\n");
    folder.file("textfile.json", r#"{"spectrum": {"kind": "file", "path": "text.csv"}}"#);
    folder.file("latin.toml", b"n = 3 # \xe9\n");
    refuse(
        &folder,
        &[
            (&["predict", "rigde"], &["rigde", "did you mean `ridge`", "rmt models"]),
            (&["predict", "ridge", "gone.toml"], &["gone.toml", "No such file"]),
            (&["predict", "ridge", "typo.toml"], &["lamda", "`lambda`", "typo.toml:2:1", "^^^^^"]),
            (&["predict", "ridge", "syntax.toml"], &["not valid TOML", "syntax.toml:1:5"]),
            (&["predict", "ridge", "kind.json"], &["powerlaw", "power_law", "kind.json:1"]),
            (&["predict", "ridge", "nofile.json"], &["gone.npy", "nofile.json:1"]),
            (&["predict", "ridge", "textfile.json"], &["text.csv:3", "\"red\""]),
            (&["predict", "ridge", "latin.toml"], &["latin.toml:1", "UTF-8"]),
            (&["predict", "ridge", "--set", "lambda=-1"], &["lambda", "-1", "≥ 0"]),
            (&["predict", "ridge", "--set", "lambda"], &["KEY=VALUE"]),
            (&["predict", "ridge", "--set", "lambda=many"], &["lambda", "many"]),
            (&["predict", "ridge", "--set", "n=0"], &["n"]),
            (&["predict", "ridge", "--set", "spectrum.alpha.x=1"], &["spectrum.alpha.x"]),
            (&["predict", "ridge", "--over", "lambda=0..1:log:5"], &["above 0"]),
            (&["predict", "ridge", "--over", "lambda=-1..1:5"], &["lambda=-1", "≥ 0"]),
            (&["predict", "ridge", "--over", "lambdo=1..2:5"], &["lambdo", "`lambda`"]),
            (&["predict", "ridge", "--show", "rusk"], &["rusk", "`risk`"]),
            (&["predict", "ridge", "--simulate", "1"], &["at least 2"]),
            (&["predict", "ridge", "--out", "a.xlsx"], &["a.xlsx", ".csv or .json"]),
            (&["predict", "ridge", "--over", "n=50..60:3", "--plot", "a.gif"], &["a.gif", ".svg"]),
            (
                &["predict", "ridge", "--over", "n=50..60:3", "--plot", "gone/a.svg"],
                &["gone/a.svg"],
            ),
            (&["--threads", "0", "predict", "ridge"], &["--threads 0"]),
        ],
    );
    let left: Vec<_> = std::fs::read_dir(folder.0.path()).expect("the folder").collect();
    assert_eq!(left.len(), 8, "a failed command leaves no file behind");
}

#[test]
fn of_eval_and_check() {
    let folder = Folder::new();
    folder.file("empty.json", "");
    folder.file("broken.json", "{\"cases\": [");
    folder.file("list.json", "[1, 2]");
    folder.file("nothing.json", "{}");
    folder.file("typo.json", r#"{"cases": [{"task": "ridge", "input": {}}]}"#);
    for command in ["eval", "check"] {
        refuse(
            &folder,
            &[
                (&[command, "gone.json"], &["gone.json", "No such file"]),
                (&[command, "empty.json"], &["empty.json", "empty"]),
                (&[command, "broken.json"], &["broken.json", "line 1 column 11"]),
                (&[command, "list.json"], &["a list"]),
                (&[command, "nothing.json"], &["neither `cases` nor `task`"]),
                (&[command, "typo.json"], &["cases[0]", "`input`", "inputs"]),
            ],
        );
    }
}
