//! Every command of the README and of the help texts runs.

mod common;

use common::{Folder, repository};

/// The arguments of a command line, quotes taken off.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(q)) if c == q => quote = None,
            (' ', None) => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (c, _) => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn run(folder: &Folder, line: &str) {
    let words = words(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    folder.done(&words);
}

#[test]
fn every_command_of_the_readme_runs() {
    let folder = Folder::workplace();
    let readme = std::fs::read_to_string(repository("README.md")).expect("the README");
    let mut count = 0;
    for line in readme.lines() {
        if let Some(command) = line.strip_prefix("cargo run --release -- ") {
            run(&folder, command);
            count += 1;
        }
    }
    assert!(count >= 2, "the README shows its two commands");
}

#[test]
fn every_example_of_the_help_texts_runs() {
    let folder = Folder::workplace();
    // What the examples take as given.
    let example: serde_json::Value =
        serde_json::from_str(&folder.done(&["predict", "ridge", "--json"])).expect("JSON");
    folder.file("mine.toml", example["inputs"].to_string());
    for command in ["predict", "check"] {
        let help = folder.done(&[command, "--help"]);
        for line in help.lines().filter_map(|l| l.strip_prefix("  rmt ")) {
            // What the example does stands after two spaces.
            run(&folder, line.split("   ").next().unwrap_or(line).trim_end());
        }
    }
    let help = folder.done(&["fit", "--help"]);
    let on_data =
        help.lines().filter_map(|l| l.strip_prefix("  rmt ")).filter(|l| l.contains("data/"));
    for line in on_data {
        run(&folder, line);
    }
}
