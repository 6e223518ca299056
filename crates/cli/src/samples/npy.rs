//! NumPy arrays on disk, read a block of rows at a time.

use super::Part;
use crate::failure::{Failure, Result};
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar};
use rmt_estimators::consistency::RowSource;
use rmt_estimators::{Error, Result as Outcome};
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::Mutex;

/// Anything bytes can be read from at a place.
pub(super) trait Bytes: Read + Seek + Send {}
impl<T: Read + Seek + Send> Bytes for T {}

/// The entries of one number type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    F16,
    F32,
    F64,
    Int(usize),
    Uint(usize),
}

impl Number {
    fn size(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Int(size) | Self::Uint(size) => size,
        }
    }

    /// The number in little-endian bytes, the first `size` of eight.
    fn value(self, bytes: [u8; 8]) -> f64 {
        let word = u64::from_le_bytes(bytes);
        match self {
            Self::F16 => half(word as u16),
            Self::F32 => f64::from(f32::from_bits(word as u32)),
            Self::F64 => f64::from_bits(word),
            Self::Uint(_) => word as f64,
            Self::Int(size) => {
                let unused = 64 - 8 * size as u32;
                (((word << unused) as i64) >> unused) as f64
            }
        }
    }
}

/// An IEEE half-precision number.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from((bits >> 10) & 31);
    let fraction = f64::from(bits & 1023) / 1024.0;
    sign * match exponent {
        0 => fraction * 2f64.powi(-14),
        31 if fraction > 0.0 => f64::NAN,
        31 => f64::INFINITY,
        _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
    }
}

struct NpyRows {
    file: Mutex<Box<dyn Bytes>>,
    /// Where the entries begin.
    start: u64,
    number: Number,
    big_endian: bool,
    by_column: bool,
    rows: usize,
    columns: usize,
}

/// Opens a .npy file without reading its entries.
pub(super) fn open(path: &str) -> Result<Part> {
    let file = File::open(path).map_err(|e| Failure::file(path, "read", &e))?;
    let length = file.metadata().map_err(|e| Failure::file(path, "read", &e))?.len();
    rows(path, Box::new(file), length)
}

/// Rows of a .npy file whose bytes are in memory.
pub(super) fn in_memory(name: &str, bytes: Vec<u8>) -> Result<Part> {
    let length = bytes.len() as u64;
    rows(name, Box::new(Cursor::new(bytes)), length)
}

/// Rows of a .npy file that starts where `file` stands and ends at byte `end` of it.
pub(super) fn rows(name: &str, mut file: Box<dyn Bytes>, end: u64) -> Result<Part> {
    let header = NpyHeader::from_reader(&mut file)
        .map_err(|e| Failure::input(format!("{name}: not a .npy file: {e}")))?;
    let position = |e: std::io::Error| Failure::file(name, "read", &e);
    let start = file.stream_position().map_err(position)?;
    let available = end.saturating_sub(start);
    let dtype = header.dtype();
    let unreadable = || {
        Failure::input(format!(
            "{name}: entries of type {}; save real numbers (float, integer or uint8 images)",
            dtype.descr()
        ))
    };
    let DType::Plain(plain) = &dtype else { return Err(unreadable()) };
    let number = match (plain.type_char(), plain.size_field()) {
        (TypeChar::Float, 2) => Number::F16,
        (TypeChar::Float, 4) => Number::F32,
        (TypeChar::Float, 8) => Number::F64,
        (TypeChar::Int, size @ (1 | 2 | 4 | 8)) => Number::Int(size as usize),
        (TypeChar::Uint, size @ (1 | 2 | 4 | 8)) => Number::Uint(size as usize),
        (TypeChar::Bool, 1) => Number::Uint(1),
        _ => return Err(unreadable()),
    };
    let shape: Vec<usize> = header.shape().iter().map(|d| *d as usize).collect();
    let (Some((&rows, own)), true) = (shape.split_first(), shape.len() >= 2) else {
        return Err(Failure::input(format!(
            "{name}: an array of shape {shape:?}; the first dimension counts samples and at least \
             one more holds their features"
        )));
    };
    let by_column = header.order() == Order::Fortran;
    if by_column && shape.len() > 2 {
        return Err(Failure::input(format!(
            "{name}: {} dimensions in Fortran order; save np.ascontiguousarray(x)",
            shape.len()
        )));
    }
    let columns = own.iter().try_fold(1_usize, |n, d| n.checked_mul(*d));
    let bytes = columns
        .and_then(|c| c.checked_mul(rows))
        .and_then(|n| n.checked_mul(number.size()))
        .filter(|n| *n > 0);
    let (Some(columns), Some(bytes)) = (columns, bytes) else {
        return Err(Failure::input(format!(
            "{name}: an array of shape {shape:?} holds no samples"
        )));
    };
    if (bytes as u64) > available {
        return Err(Failure::input(format!(
            "{name}: truncated: shape {shape:?} needs {bytes} bytes of entries, the file has \
             {available}; copy or save it again"
        )));
    }
    Ok(Part {
        shape: own.to_vec(),
        labels: None,
        range: None,
        rows: Box::new(NpyRows {
            file: Mutex::new(file),
            start,
            number,
            big_endian: plain.endianness() == Endianness::Big,
            by_column,
            rows,
            columns,
        }),
    })
}

impl NpyRows {
    /// `count` entries from the `first` of the file on.
    fn entries(&self, first: usize, count: usize) -> std::io::Result<Vec<f64>> {
        let size = self.number.size();
        let mut bytes = vec![0; count * size];
        {
            let poisoned = |_| std::io::Error::other("another reader of the file failed");
            let mut file = self.file.lock().map_err(poisoned)?;
            file.seek(SeekFrom::Start(self.start + (first * size) as u64))?;
            file.read_exact(&mut bytes)?;
        }
        let value = |entry: &[u8]| {
            let mut word = [0; 8];
            word[..size].copy_from_slice(entry);
            if self.big_endian {
                word[..size].reverse();
            }
            self.number.value(word)
        };
        Ok(bytes.chunks_exact(size).map(value).collect())
    }
}

impl RowSource for NpyRows {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn read(&self, start: usize, count: usize) -> Outcome<Vec<f64>> {
        let failed = |e: std::io::Error| Error::Unreadable { row: start, reason: e.to_string() };
        if !self.by_column {
            return self.entries(start * self.columns, count * self.columns).map_err(failed);
        }
        let mut values = vec![0.0; count * self.columns];
        for j in 0..self.columns {
            let column = self.entries(j * self.rows + start, count).map_err(failed)?;
            for (i, value) in column.into_iter().enumerate() {
                values[i * self.columns + j] = value;
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_sizes() {
        let word = |bytes: &[u8]| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            word
        };
        let value = |number: Number, bytes: &[u8]| number.value(word(bytes));
        assert_eq!(value(Number::F16, &0x3555_u16.to_le_bytes()), 0.333_251_953_125);
        assert_eq!(value(Number::F16, &0xc000_u16.to_le_bytes()), -2.0);
        assert_eq!(value(Number::F16, &0x0001_u16.to_le_bytes()), 2f64.powi(-24));
        assert_eq!(value(Number::F16, &0xfc00_u16.to_le_bytes()), f64::NEG_INFINITY);
        assert!(value(Number::F16, &0x7e00_u16.to_le_bytes()).is_nan());
        assert_eq!(value(Number::F32, &1.5_f32.to_le_bytes()), 1.5);
        assert_eq!(value(Number::Int(2), &(-300_i16).to_le_bytes()), -300.0);
        assert_eq!(value(Number::Int(8), &(-3_i64).to_le_bytes()), -3.0);
        assert_eq!(value(Number::Uint(1), &[200]), 200.0);
    }
}
