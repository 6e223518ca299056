//! One array of a .npz archive, a ZIP file of .npy files. Arrays stored without compression are read in
//! place, block by block; compressed ones cannot be read from the middle and are kept in memory.

use super::{Part, npy};
use crate::failure::{Failure, Result};
use flate2::read::DeflateDecoder;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// A file within the archive.
struct Entry {
    name: String,
    method: u16,
    /// Bytes in the archive.
    stored: u64,
    /// Bytes once decompressed.
    length: u64,
    /// Where its local header begins.
    offset: u64,
}

/// The array named `member`, or the only one.
pub(super) fn open(path: &str, member: Option<&str>) -> Result<Part> {
    let mut file = File::open(path).map_err(|e| Failure::file(path, "read", &e))?;
    let damaged = |e: io::Error| Failure::input(format!("{path}: not a readable .npz file: {e}"));
    let entries: Vec<Entry> = directory(&mut file)
        .map_err(damaged)?
        .into_iter()
        .filter(|entry| entry.name.ends_with(".npy"))
        .collect();
    let array = |entry: &Entry| entry.name.trim_end_matches(".npy").to_owned();
    let wanted = match (member, entries.as_slice()) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(name), entries) => entries.iter().find(|entry| array(entry) == name),
    };
    let Some(entry) = wanted else {
        let names: Vec<String> = entries.iter().map(array).collect();
        return Err(Failure::input(format!(
            "{path}: choose one of its arrays as {path}:NAME; there are {}",
            if names.is_empty() { "none".into() } else { names.join(", ") }
        )));
    };
    let name = format!("{path}:{}", array(entry));
    let start = data_start(&mut file, entry).map_err(damaged)?;
    file.seek(SeekFrom::Start(start)).map_err(damaged)?;
    match entry.method {
        0 => npy::rows(&name, Box::new(file), start + entry.stored),
        8 => {
            // The length is what the archive claims: let the data prove it.
            let mut bytes = Vec::new();
            DeflateDecoder::new(file.take(entry.stored))
                .take(entry.length)
                .read_to_end(&mut bytes)
                .map_err(damaged)?;
            npy::in_memory(&name, bytes)
        }
        other => Err(Failure::input(format!(
            "{name}: compressed by method {other}; save it with numpy.savez or savez_compressed"
        ))),
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Little-endian numbers taken from the front of a slice.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (front, rest) =
            self.0.split_first_chunk::<N>().ok_or_else(|| broken("its directory is cut short"))?;
        self.0 = rest;
        Ok(*front)
    }

    fn u16(&mut self) -> io::Result<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> io::Result<u64> {
        self.take().map(|b| u64::from(u32::from_le_bytes(b)))
    }

    fn u64(&mut self) -> io::Result<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn bytes(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (front, rest) =
            self.0.split_at_checked(count).ok_or_else(|| broken("its directory is cut short"))?;
        self.0 = rest;
        Ok(front)
    }
}

/// A 32-bit field that says to look at the 64-bit one.
const ELSEWHERE: u64 = u32::MAX as u64;
/// Size of the end record without its comment, and of the 64-bit locator before it.
const END: usize = 22;
const LOCATOR: usize = 20;

/// The central directory (PKWARE APPNOTE 4.3.12 to 4.3.16).
fn directory(file: &mut File) -> io::Result<Vec<Entry>> {
    let length = file.seek(SeekFrom::End(0))?;
    // The end record is followed by a comment of at most 64 KiB.
    let tail_start = length.saturating_sub((END + LOCATOR + 0xffff) as u64);
    let tail = read_at(file, tail_start, (length - tail_start) as usize)?;
    let end = tail
        .windows(4)
        .rposition(|w| w == b"PK\x05\x06")
        .ok_or_else(|| broken("no end of a ZIP directory"))?;
    let mut fields = Fields(&tail[end..]);
    fields.bytes(12)?;
    let (mut size, mut start) = (fields.u32()?, fields.u32()?);
    if size == ELSEWHERE || start == ELSEWHERE {
        let locator = end.checked_sub(LOCATOR).map(|at| &tail[at..]).unwrap_or_default();
        let mut fields = Fields(locator);
        if fields.bytes(8)?.starts_with(b"PK\x06\x07") {
            let record = fields.u64()?;
            let bytes = read_at(file, record, 56)?;
            let mut fields = Fields(&bytes);
            fields.bytes(40)?;
            (size, start) = (fields.u64()?, fields.u64()?);
        }
    }
    if start.checked_add(size).is_none_or(|end| end > length) {
        return Err(broken("its directory lies beyond its end"));
    }
    let bytes = read_at(file, start, size as usize)?;
    let mut fields = Fields(&bytes);
    let mut entries = Vec::new();
    while fields.0.starts_with(b"PK\x01\x02") {
        fields.bytes(10)?;
        let method = fields.u16()?;
        fields.bytes(8)?;
        let (mut stored, mut plain) = (fields.u32()?, fields.u32()?);
        let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
        fields.bytes(8)?;
        let mut offset = fields.u32()?;
        let name = String::from_utf8_lossy(fields.bytes(name as usize)?).into_owned();
        let mut extra = Fields(fields.bytes(extra as usize)?);
        while extra.0.len() >= 4 {
            let (kind, size) = (extra.u16()?, extra.u16()?);
            let mut wide = Fields(extra.bytes(size as usize)?);
            if kind == 1 {
                for field in [&mut plain, &mut stored, &mut offset] {
                    if *field == ELSEWHERE {
                        *field = wide.u64()?;
                    }
                }
            }
        }
        fields.bytes(comment as usize)?;
        entries.push(Entry { name, method, stored, length: plain, offset });
    }
    Ok(entries)
}

/// Where an entry's bytes begin: its local header has name and extra fields of its own.
fn data_start(file: &mut File, entry: &Entry) -> io::Result<u64> {
    let header = read_at(file, entry.offset, 30)?;
    let mut fields = Fields(&header);
    if !fields.bytes(26)?.starts_with(b"PK\x03\x04") {
        return Err(broken("an array is not where the directory says"));
    }
    let (name, extra) = (fields.u16()?, fields.u16()?);
    Ok(entry.offset + 30 + u64::from(name) + u64::from(extra))
}

fn read_at(file: &mut File, start: u64, count: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = vec![0; count];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
