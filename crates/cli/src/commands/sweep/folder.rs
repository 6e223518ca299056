//! The folder of a sweep: `sweep.json`, the resolved sweep, and the points of each shard, one JSON
//! object a line, in `points-I-of-N.jsonl`.
//!
//! A line counts when it is complete with its line end, so a process may be killed at any moment:
//! the next run of the shard cuts what was left of a line and goes on. A lock on the file, which the
//! operating system releases with the process, keeps a second run of the shard away.

use super::definition::Sweep;
use crate::failure::{Failure, Result};
use crate::files;
use crate::inputs::Source;
use crate::output::note;
use crate::registry::Registry;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value as Json;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Every `count`-th point, beginning with `index`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shard {
    pub(super) index: usize,
    pub(super) count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parts = text.split_once('/').map(|(i, n)| (i.parse(), n.parse::<usize>()));
        let Some((Ok(index), Ok(count))) = parts else {
            return Err("write I/N, as in 0/7, the first of seven".into());
        };
        if count == 0 {
            return Err("there is at least one shard, 0/1".into());
        }
        if index >= count {
            return Err(format!("shards of {count} are 0/{count} to {}/{count}", count - 1));
        }
        Ok(Self { index, count })
    }
}

/// A line as far as it tells what is done.
#[derive(Deserialize)]
pub(super) struct Done {
    pub(super) id: usize,
    pub(super) error: Option<IgnoredAny>,
}

/// The folder of one sweep.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder for a sweep, made where it is missing.
    ///
    /// # Errors
    /// The folder holds another sweep.
    pub(super) fn of(path: &str, sweep: &Sweep) -> Result<Self> {
        fs::create_dir_all(path).map_err(|e| Failure::file(path, "make the folder", &e))?;
        let folder = Self { path: path.into() };
        let (file, wanted) = (folder.definition(), sweep.resolved());
        if files::create(&file, format!("{wanted:#}\n").as_bytes())? {
            return Ok(folder);
        }
        let (_, found) = Source::parse(&file, files::read_text(&file)?)?;
        match difference("", &found, &wanted) {
            None => Ok(folder),
            Some(difference) => Err(Failure::input(format!(
                "{path} holds the points of another sweep: {difference}; name another folder with \
                 --out, or go on with the sweep of {file}"
            ))),
        }
    }

    /// A folder that is there, and its sweep.
    pub(super) fn existing(path: &str, registry: &Registry) -> Result<(Self, Sweep)> {
        let folder = Self { path: path.into() };
        let file = folder.definition();
        if !Path::new(&file).is_file() {
            return Err(Failure::input(format!(
                "{path}: no sweep.json, so no folder that `rmt sweep run` wrote"
            )));
        }
        let sweep = Sweep::read(&file, registry, true)?;
        Ok((folder, sweep))
    }

    /// The resolved sweep's file.
    pub(super) fn definition(&self) -> String {
        self.file("sweep.json")
    }

    /// The path of a file of the folder.
    pub(super) fn file(&self, name: &str) -> String {
        self.path.join(name).to_string_lossy().into_owned()
    }

    /// Gives `keep` every complete line of every shard, by file name.
    pub(super) fn lines<T: DeserializeOwned>(&self, mut keep: impl FnMut(T)) -> Result<()> {
        let shown = self.path.to_string_lossy();
        let entries = fs::read_dir(&self.path).map_err(|e| Failure::file(&shown, "list", &e))?;
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(|e| Failure::file(&shown, "list", &e))?.file_name();
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("points-") && name.ends_with(".jsonl") {
                names.push(name);
            }
        }
        names.sort();
        for name in names {
            let path = self.file(&name);
            let bytes = files::read_bytes(&path)?;
            for (number, line) in
                bytes[..complete(&bytes)].split_inclusive(|b| *b == b'\n').enumerate()
            {
                keep(serde_json::from_slice(line).map_err(|e| {
                    Failure::input(format!(
                        "{path}:{}: no record of a point ({e}); remove the line, and run the sweep \
                         again to replace it",
                        number + 1
                    ))
                })?);
            }
        }
        Ok(())
    }

    /// Opens the file of a shard for more lines and keeps other runs away from it.
    pub(super) fn shard(&self, shard: Shard) -> Result<ShardFile> {
        let path = self.file(&format!("points-{}-of-{}.jsonl", shard.index, shard.count));
        let fail = |action: &str, e: &std::io::Error| Failure::file(&path, action, e);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|e| fail("open", &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::result(format!(
                    "another run is writing {path}; wait for it, or take another --shard"
                )));
            }
            Err(TryLockError::Error(e)) => note(&format!(
                "{path} cannot be locked ({e}): let no second run of this shard write here"
            )),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| fail("read", &e))?;
        let complete = complete(&bytes);
        if complete < bytes.len() {
            file.set_len(complete as u64).map_err(|e| fail("cut the torn last line of", &e))?;
        }
        Ok(ShardFile { file, path })
    }
}

/// Length of the part that ends with a line end.
fn complete(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1)
}

/// The open, locked file of a shard.
pub(super) struct ShardFile {
    file: File,
    path: String,
}

impl ShardFile {
    /// Appends a line in one piece.
    pub(super) fn append(&mut self, line: &str) -> Result<()> {
        self.file
            .write_all(format!("{line}\n").as_bytes())
            .map_err(|e| Failure::file(&self.path, "write", &e))
    }

    /// Waits until everything is on the disk.
    pub(super) fn finish(self) -> Result<()> {
        self.file.sync_all().map_err(|e| Failure::file(&self.path, "write", &e))
    }
}

/// The first place where two sweeps differ, in words.
fn difference(place: &str, there: &Json, here: &Json) -> Option<String> {
    let below =
        |part: &str| if place.is_empty() { part.to_owned() } else { format!("{place}.{part}") };
    match (there, here) {
        (Json::Object(a), Json::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().collect();
            keys.extend(b.keys().filter(|k| !a.contains_key(*k)));
            let none = Json::Null;
            let at = |map: &serde_json::Map<String, Json>, key: &String| {
                map.get(key).unwrap_or(&none).clone()
            };
            let first = keys.into_iter().find_map(|k| difference(&below(k), &at(a, k), &at(b, k)));
            // Equal axes in another order number the points differently.
            first.or_else(|| {
                (place == "axes" && a.keys().ne(b.keys()))
                    .then(|| "the axes have another order".to_owned())
            })
        }
        (Json::Array(a), Json::Array(b)) if a.len() != b.len() => {
            Some(format!("`{place}` has {} entries there and {} here", a.len(), b.len()))
        }
        (Json::Array(a), Json::Array(b)) => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (a, b))| difference(&format!("{place}[{i}]"), a, b)),
        (a, b) if a == b => None,
        (a, b) => Some(format!("`{place}` is {} there and {} here", short(a), short(b))),
    }
}

fn short(value: &Json) -> String {
    let text = if value.is_null() { "absent".to_owned() } else { value.to_string() };
    if text.chars().count() <= 60 {
        return text;
    }
    text.chars().take(60).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shards_count_from_zero() {
        assert_eq!("6/7".parse(), Ok(Shard { index: 6, count: 7 }));
        for bad in ["7/7", "0/0", "x", "1", "-1/3", "1/2/3", ""] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_difference_is_named() {
        let sweep = json!({"inputs": {"n": 1}, "axes": {"a": [1, 2], "b": [3]}});
        assert_eq!(difference("", &sweep, &sweep), None);
        for (here, wanted) in [
            (json!({"inputs": {"n": 2}, "axes": {"a": [1, 2], "b": [3]}}), "`inputs.n` is 1"),
            (json!({"inputs": {"n": 1}, "axes": {"a": [1, 2, 3], "b": [3]}}), "`axes.a` has 2"),
            (json!({"inputs": {"n": 1}, "axes": {"a": [1, 5], "b": [3]}}), "`axes.a[1]` is 2"),
            (json!({"inputs": {"n": 1}, "axes": {"b": [3], "a": [1, 2]}}), "another order"),
            (
                json!({"inputs": {"n": 1}, "axes": {"a": [1, 2]}}),
                "`axes.b` is [3] there and absent",
            ),
        ] {
            let found = difference("", &sweep, &here).unwrap();
            assert!(found.contains(wanted), "{found}");
        }
    }
}
