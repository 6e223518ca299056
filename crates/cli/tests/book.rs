//! The book: every command in it runs, prints what is shown and draws what is shown; every link and
//! every included piece exists.
//!
//! In `book/src`, a block ```` ```console ```` holds commands after `$ `, run by `sh` in a copy of the
//! repository's data, and below each what it prints on standard output (`...` for any number of lines,
//! or for the rest of a line; nothing shown, nothing compared). In ```` ```console,fails ```` commands must fail, and standard error
//! is compared. A ```` ```toml ```` block that starts with `# NAME.toml` is written to that file. Commands
//! in ```` ```sh ```` blocks are not run: they are listed here.
//!
//! `bash book/figures.sh` draws the figures again.
#![cfg(unix)] // The commands are those of a POSIX shell.

mod common;

use common::{Folder, repository};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Commands of the book that install something, take minutes or need more than the program.
const NOT_RUN: &[&str] = &[
    "cargo install --path crates/cli --locked",
    "cargo run --release -p rmt-examples --example risk_norm_curve",
    "cargo run --release -p rmt-examples --example triple_descent",
    "cargo test --release --workspace -- --ignored",
    "cargo doc --workspace --no-deps",
    "mdbook build book",
    "pip install ./crates/python",
];

/// Figures that examples draw, see `book/figures.sh`.
const FROM_EXAMPLES: &[&str] = &["risk_norm_curve.svg"];

#[test]
fn commands_print_and_draw_what_is_shown() {
    let (mut count, mut left_out) = (0, Vec::new());
    for chapter in chapters() {
        let text = read(&chapter);
        let folder = Folder::workplace();
        for block in blocks(&text) {
            match block.kind.as_str() {
                "toml" => write_file(&folder, &block),
                "console" | "console,fails" => {
                    for step in steps(&block) {
                        step.check(&folder, &chapter, block.kind == "console");
                        count += 1;
                    }
                }
                "sh" => {
                    let unlisted = block.lines.iter().find(|l| !NOT_RUN.contains(&l.as_str()));
                    assert_eq!(unlisted, None, "{}: neither run nor listed", chapter.display());
                    left_out.extend(block.lines);
                }
                _ => {}
            }
        }
        for figure in figures(&text) {
            compare_figure(&folder, &chapter, &figure);
        }
    }
    assert!(count > 40, "the book shows commands: {count} found");
    for line in NOT_RUN {
        assert!(left_out.iter().any(|l| l == line), "listed and not in the book: {line}");
    }
}

#[test]
fn links_and_includes_lead_somewhere() {
    for chapter in chapters() {
        let text = expanded(&chapter);
        for target in links(&text) {
            check_link(&chapter, &target);
        }
    }
}

/// A chapter without a line in the summary would not be in the book, a figure without a chapter would
/// not be drawn again.
#[test]
fn nothing_is_left_over() {
    let summary = read(&source("SUMMARY.md"));
    let mut shown = Vec::new();
    for chapter in chapters() {
        let name = chapter.strip_prefix(source("")).expect("a file of the book").to_string_lossy();
        assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "{name}");
        shown.extend(figures(&read(&chapter)));
    }
    for entry in std::fs::read_dir(source("figures")).expect("the figures") {
        let name = entry.expect("a readable folder").file_name().to_string_lossy().into_owned();
        assert!(shown.contains(&name), "no chapter shows figures/{name}");
    }
}

fn source(name: &str) -> PathBuf {
    Path::new(&repository("book/src")).join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn chapters() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![source("")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the book") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A fenced block.
struct Block {
    kind: String,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => found.push(block),
            (Some(kind), None) => open = Some(Block { kind: kind.to_owned(), lines: Vec::new() }),
            (None, Some(mut block)) => {
                block.lines.push(line.to_owned());
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    found
}

fn write_file(folder: &Folder, block: &Block) {
    let name = block.lines.first().and_then(|l| l.strip_prefix("# ")).unwrap_or_default();
    if name.ends_with(".toml") {
        folder.file(name, block.lines.join("\n") + "\n");
    }
}

/// A command and what it prints.
struct Step {
    command: String,
    shown: Vec<String>,
}

fn steps(block: &Block) -> Vec<Step> {
    let mut found: Vec<Step> = Vec::new();
    for line in &block.lines {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push(Step { command: command.to_owned(), shown: Vec::new() });
            continue;
        }
        let step = found.last_mut().expect("a console block starts with `$ `");
        if step.shown.is_empty() && step.command.ends_with('\\') {
            step.command.push('\n');
            step.command.push_str(line);
        } else {
            step.shown.push(line.clone());
        }
    }
    found
}

impl Step {
    fn check(&self, folder: &Folder, chapter: &Path, succeeds: bool) {
        let program = Path::new(env!("CARGO_BIN_EXE_rmt"));
        let ours = program.parent().expect("a folder").to_string_lossy().into_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-c", &self.command])
            .current_dir(folder.path(""))
            .env("PATH", format!("{ours}:{path}"))
            .output()
            .expect("a shell");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let place = format!("{}\n$ {}", chapter.display(), self.command);
        assert!(!err.contains("panicked"), "{place}\n{err}");
        assert_eq!(output.status.success(), succeeds, "{place}\n{err}");
        if self.shown.iter().all(|line| line.trim().is_empty()) {
            return;
        }
        let printed = if succeeds { out } else { err };
        let printed: Vec<&str> = printed.trim_end().lines().collect();
        let shown: Vec<&str> = self.shown.iter().map(String::as_str).collect();
        let (all, some) = (printed.join("\n"), shown.join("\n"));
        assert!(agrees(&shown, &printed), "{place}\nprints\n{all}\n\nand the book shows\n{some}");
    }
}

/// Whether the lines shown are those printed; `...` stands for any number of lines.
fn agrees(shown: &[&str], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((&"...", rest)) => (0..=printed.len()).any(|skip| agrees(rest, &printed[skip..])),
        Some((first, rest)) => {
            printed.first().is_some_and(|line| same_line(first, line))
                && agrees(rest, &printed[1..])
        }
    }
}

/// Equal words, up to a `...` at the end; numbers may differ by one in the last digit, as rounding differs
/// between processors.
fn same_line(shown: &str, printed: &str) -> bool {
    let (shown, open) = shown.strip_suffix(" ...").map_or((shown, false), |start| (start, true));
    let (shown, printed) = (shown.split_whitespace(), printed.split_whitespace());
    let (words, more) = (shown.clone().count(), printed.clone().count());
    (words == more || open && words < more) && shown.zip(printed).all(|(a, b)| same_word(a, b))
}

fn same_word(a: &str, b: &str) -> bool {
    let bare = |word: &str| {
        let word = word.trim_matches(|c: char| "()[],;:%*".contains(c)).to_owned();
        word.parse::<f64>().ok().filter(|x| x.is_finite()).map(|x| (x, last_place(&word)))
    };
    a == b
        || match (bare(a), bare(b)) {
            (Some((x, dx)), Some((y, dy))) => (x - y).abs() <= 1.01 * dx.min(dy),
            _ => false,
        }
}

/// The unit of the last digit of a number as written.
fn last_place(number: &str) -> f64 {
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let decimals = digits.split_once('.').map_or(0, |(_, d)| d.len() as i32);
    10_f64.powi(exponent.parse::<i32>().unwrap_or(0) - decimals)
}

/// The figures that a chapter shows.
fn figures(text: &str) -> Vec<String> {
    let names = links(text);
    names.iter().filter_map(|l| Some(l.strip_prefix("figures/")?.to_owned())).collect()
}

/// The figure that the chapter's commands have just drawn is the committed one; with BOOK_FIGURES=write
/// it becomes the committed one.
fn compare_figure(folder: &Folder, chapter: &Path, name: &str) {
    let committed = source("figures").join(name);
    if !FROM_EXAMPLES.contains(&name) {
        let drawn = folder.path(name);
        assert!(drawn.exists(), "{}: no command draws {name}", chapter.display());
        let drawn = read(&drawn);
        if std::env::var("BOOK_FIGURES").is_ok_and(|v| v == "write") {
            std::fs::write(&committed, &drawn).expect("a writable book");
        }
        let same = same_drawing(&read(&committed), &drawn);
        assert!(same, "{name} is not what the commands draw: bash book/figures.sh");
    }
    let size = std::fs::metadata(&committed).expect("a figure").len();
    assert!(size <= 100_000, "{name} has {size} bytes");
}

/// The same elements and texts; coordinates within half a pixel, as rounding differs between processors.
fn same_drawing(a: &str, b: &str) -> bool {
    let numeric = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    let numbers = |text: &str| -> Vec<f64> {
        text.split(|c| !numeric(c)).filter_map(|word| word.parse().ok()).collect()
    };
    let frame = |text: &str| -> String { text.chars().filter(|&c| !numeric(c)).collect() };
    let (x, y) = (numbers(a), numbers(b));
    frame(a) == frame(b)
        && x.len() == y.len()
        && x.iter().zip(&y).all(|(x, y)| (x - y).abs() <= 0.5)
}

/// A chapter with its `{{#include}}`s filled in.
fn expanded(chapter: &Path) -> String {
    let mut text = String::new();
    for line in read(chapter).lines() {
        match line.trim().strip_prefix("{{#include ").and_then(|l| l.strip_suffix("}}")) {
            Some(piece) => text += &included(chapter, piece),
            None => text += line,
        }
        text.push('\n');
    }
    text
}

/// mdBook leaves a piece that is not there empty without an error.
fn included(chapter: &Path, piece: &str) -> String {
    let (file, anchor) = piece.split_once(':').unwrap_or((piece, ""));
    let text = read(&chapter.parent().expect("a folder").join(file));
    if anchor.is_empty() {
        return text;
    }
    let mark = |word: &str| {
        let line = format!("{word}: {anchor} ");
        let place = text.find(&line);
        place.unwrap_or_else(|| panic!("{}: {file} has no {line}", chapter.display()))
    };
    text[mark("ANCHOR")..mark("ANCHOR_END")].to_owned()
}

/// Targets of Markdown links and images outside code.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        for piece in line.split("](").skip(1) {
            found.push(piece.split(')').next().unwrap_or_default().to_owned());
        }
    }
    found
}

fn check_link(chapter: &Path, target: &str) {
    let place = format!("{}: {target}", chapter.display());
    if target.starts_with("https://") {
        return;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    if let Some(page) = file.split_once("doc/rmt_").map(|(_, page)| page) {
        // Beside the book in target/, by `cargo doc`.
        let name = page.split('/').next().unwrap_or_default().replace('_', "-");
        let folder = if name == "core" { "rmt-core" } else { &name };
        let package = read(Path::new(&repository(&format!("crates/{folder}/Cargo.toml"))));
        assert!(package.contains(&format!("name = \"rmt-{name}\"")), "{place}");
        return;
    }
    let path = match file {
        "" => chapter.to_owned(),
        file => chapter.parent().expect("a folder").join(file),
    };
    assert!(path.exists(), "{place}");
    let inside = path
        .canonicalize()
        .expect("a path")
        .starts_with(source("").canonicalize().expect("a path"));
    assert!(inside, "{place}: outside of the book, so not copied with it");
    if !heading.is_empty() {
        let headings = expanded(&path);
        let mut headings = headings.lines().filter(|l| l.starts_with('#')).map(slug);
        assert!(headings.any(|h| h == heading), "{place}: no such heading");
    }
}

/// The anchor of a heading, as mdBook makes it.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn comparisons_notice_what_is_wrong() {
    assert!(agrees(&["a", "...", "b 1.25"], &["a", "x", "y", "b 1.26"]));
    assert!(!agrees(&["a", "...", "b 1.25"], &["a", "b 1.27"]));
    assert!(!agrees(&["a"], &["a", "b"]));
    assert!(!agrees(&["risk 0.5"], &["risk 0.45"]));
    assert!(!agrees(&["κ = 1e-3"], &["κ = 1e-4"]));
    assert!(same_drawing("<path d=\"M1.2 3\"/>", "<path d=\"M1.4 3\"/>"));
    assert!(!same_drawing("<path d=\"M1.2 3\"/>", "<path d=\"M9.2 3\"/>"));
    assert!(!same_drawing("<path d=\"M1.2 3\"/>", "<path d=\"M1.2 3\"/><path d=\"M1 2\"/>"));
}
