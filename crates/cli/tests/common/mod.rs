//! Running the binary on files of a temporary folder.
#![allow(dead_code)] // Each test file uses its part.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

pub(crate) struct Folder(pub(crate) tempfile::TempDir);

pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A folder in which paths of the repository work and files can be written.
    pub(crate) fn workplace() -> Self {
        let folder = Self::new();
        for name in ["data", "reference"] {
            copy(Path::new(&repository(name)), &folder.path(name));
        }
        std::fs::create_dir_all(folder.path("docs/images")).expect("a writable temporary folder");
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a writable temporary folder");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a file that the command wrote")
    }

    pub(crate) fn rmt(&self, line: &[&str]) -> Outcome {
        self.rmt_with(line, "")
    }

    pub(crate) fn rmt_with(&self, line: &[&str], stdin: &str) -> Outcome {
        let output = Command::cargo_bin("rmt")
            .expect("the binary of this package")
            .current_dir(self.0.path())
            .args(line)
            .write_stdin(stdin)
            .output()
            .expect("the binary runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(!err.contains("panicked"), "{line:?}: {err}");
        Outcome { status: output.status.code(), out, err }
    }

    /// The standard output of a command that succeeds.
    pub(crate) fn done(&self, line: &[&str]) -> String {
        let outcome = self.rmt(line);
        assert_eq!(outcome.status, Some(0), "{line:?}: {}", outcome.err);
        outcome.out
    }

    /// Runs every line; each must end with status 2 and show every one of the words.
    pub(crate) fn refuse(&self, cases: &[(&[&str], &[&str])]) {
        for (line, words) in cases {
            let outcome = self.rmt(line);
            assert_eq!(outcome.status, Some(2), "{line:?}: {}", outcome.err);
            for word in *words {
                let err = &outcome.err;
                assert!(err.contains(word), "{line:?} does not say {word:?}:\n{err}");
            }
        }
    }
}

/// A file of the repository.
pub(crate) fn repository(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(name).to_string_lossy().into_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a writable temporary folder");
    for entry in std::fs::read_dir(from).expect("a folder of the repository") {
        let entry = entry.expect("a readable folder");
        if entry.file_type().expect("a file type").is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a readable file");
        }
    }
}
