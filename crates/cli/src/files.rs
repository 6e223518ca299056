//! Reading and writing whole files.

use crate::failure::{Failure, Result};
use rmt_task::Value;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn read_bytes(path: &str) -> Result<Vec<u8>> {
    let read = if path == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    read.map_err(|e| Failure::file(shown(path), "read", &e))
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read_text(path: &str) -> Result<String> {
    String::from_utf8(read_bytes(path)?).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = 1 + e.as_bytes()[..at].iter().filter(|b| **b == b'\n').count();
        Failure::input(format!(
            "{}:{line}: not UTF-8 text (byte {at}); save the file as UTF-8",
            shown(path)
        ))
    })
}

/// A path as messages show it.
pub(crate) fn shown(path: &str) -> &str {
    if path == "-" { "standard input" } else { path }
}

/// Writes a whole file or nothing: to a temporary file beside it, then renamed over it.
pub(crate) fn write(path: &str, bytes: &[u8]) -> Result<()> {
    let temporary = beside(path, bytes)?;
    fs::rename(&temporary, path).map_err(|e| {
        let _ = fs::remove_file(&temporary);
        Failure::file(path, "write", &e)
    })
}

/// Writes a whole new file; whether it was made: one that is there already stays as it is.
pub(crate) fn create(path: &str, bytes: &[u8]) -> Result<bool> {
    if Path::new(path).exists() {
        return Ok(false);
    }
    // A link to a complete file appears at once and never replaces another's.
    let temporary = beside(path, bytes)?;
    let linked = fs::hard_link(&temporary, path);
    let _ = fs::remove_file(&temporary);
    match linked {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // Without links, renaming is the best there is.
        Err(_) => write(path, bytes).map(|()| true),
    }
}

/// A complete file beside the one of that path, under a temporary name.
fn beside(path: &str, bytes: &[u8]) -> Result<PathBuf> {
    let target = Path::new(path);
    let name = target.file_name().and_then(|n| n.to_str()).ok_or_else(|| {
        Failure::input(format!("cannot write {path}: give a file name, not a directory"))
    })?;
    let temporary = target.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let written = fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    match written {
        Ok(()) => Ok(temporary),
        Err(e) => {
            let _ = fs::remove_file(&temporary);
            Err(Failure::file(path, "write", &e))
        }
    }
}

/// Rows as CSV text.
pub(crate) fn csv(rows: &[Vec<String>]) -> Result<String> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let write = |writer: &mut csv::Writer<Vec<u8>>| -> std::result::Result<(), csv::Error> {
        rows.iter().try_for_each(|row| writer.write_record(row))
    };
    write(&mut writer).map_err(|e| Failure::input(format!("cannot write CSV: {e}")))?;
    let bytes =
        writer.into_inner().map_err(|e| Failure::input(format!("cannot write CSV: {e}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A number as a CSV cell: the shortest text that reads back to the same number.
pub(crate) fn cell(x: f64) -> String {
    if x.is_infinite() {
        return if x > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    if x.is_nan() { String::new() } else { x.to_string() }
}

/// A number, truth value or word as a CSV cell; anything with parts has none.
pub(crate) fn leaf(value: &Value) -> String {
    match value {
        Value::Number(x) => cell(*x),
        Value::Flag(x) => x.to_string(),
        Value::Text(x) => x.clone(),
        Value::Complex(..) | Value::List(_) | Value::Object(_) => String::new(),
    }
}

/// The extension of a file name in lower case, `""` without one.
pub(crate) fn extension(path: &str) -> String {
    Path::new(path).extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase()
}
