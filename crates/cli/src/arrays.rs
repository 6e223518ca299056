//! NumPy arrays.

use npyz::{DType, NpyFile, Order, TypeChar};
use std::io::{Cursor, Read};

/// A numeric array of one or two dimensions, rows first.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Length of each dimension.
    pub shape: Vec<usize>,
    /// The entries, the last dimension running fastest.
    pub values: Vec<f64>,
}

/// Reads a .npy file of real numbers.
///
/// # Errors
/// A message on bytes that are no .npy file, on text, complex, structured or pickled entries, on
/// more than two dimensions and on entries that are not finite. `name` is the file name it shows.
pub fn read_npy(name: &str, bytes: &[u8]) -> Result<Array, String> {
    let file = NpyFile::new(bytes).map_err(|e| format!("{name}: not a .npy file: {e}"))?;
    let shape: Vec<usize> = file.shape().iter().map(|n| *n as usize).collect();
    if shape.len() > 2 || shape.is_empty() {
        return Err(format!(
            "{name}: an array of shape {shape:?}; give a vector or a matrix (rows × columns)"
        ));
    }
    // A header can claim any size: the data must be there before memory is taken for them.
    let entries = shape.iter().try_fold(1_usize, |n, d| n.checked_mul(*d));
    if entries.is_none_or(|n| n > bytes.len()) {
        return Err(format!(
            "{name}: the header promises {shape:?} entries, more than the file has"
        ));
    }
    let fortran = file.order() == Order::Fortran && shape.len() == 2;
    let dtype = file.dtype();
    let unreadable = |e: std::io::Error| format!("{name}: cannot read the entries: {e}");
    macro_rules! entries {
        ($($code:pat => $type:ty),* $(,)?) => {
            match &dtype {
                DType::Plain(plain) => match (plain.type_char(), plain.size_field()) {
                    $($code => file
                        .into_vec::<$type>()
                        .map_err(unreadable)?
                        .into_iter()
                        .map(|x| f64::from(x))
                        .collect::<Vec<f64>>(),)*
                    (TypeChar::Int, 8) => {
                        file.into_vec::<i64>().map_err(unreadable)?.into_iter().map(|x| x as f64).collect()
                    }
                    (TypeChar::Uint, 8) => {
                        file.into_vec::<u64>().map_err(unreadable)?.into_iter().map(|x| x as f64).collect()
                    }
                    _ => return Err(format!("{name}: entries of type {}; save real numbers (float64)", dtype.descr())),
                },
                _ => return Err(format!("{name}: structured entries; save a plain array of numbers")),
            }
        };
    }
    let mut values = entries! {
        (TypeChar::Float, 8) => f64,
        (TypeChar::Float, 4) => f32,
        (TypeChar::Int, 4) => i32,
        (TypeChar::Int, 2) => i16,
        (TypeChar::Int, 1) => i8,
        (TypeChar::Uint, 4) => u32,
        (TypeChar::Uint, 2) => u16,
        (TypeChar::Uint, 1) => u8,
        (TypeChar::Bool, 1) => bool,
    };
    if fortran {
        let (rows, columns) = (shape[0], shape[1]);
        let by_column = values.clone();
        for i in 0..rows {
            for j in 0..columns {
                values[i * columns + j] = by_column[j * rows + i];
            }
        }
    }
    if let Some(position) = values.iter().position(|x| !x.is_finite()) {
        let columns = shape.get(1).copied().unwrap_or(1).max(1);
        return Err(format!(
            "{name}: row {}, column {} (from 1) is {}; replace it by a finite number or remove the row",
            position / columns + 1,
            position % columns + 1,
            values[position]
        ));
    }
    Ok(Array { shape, values })
}

/// Reads a .npz archive: its arrays by name, sorted.
///
/// # Errors
/// Bytes that are no zip archive, compression other than that of NumPy, arrays that [`read_npy`]
/// refuses.
pub fn read_npz(name: &str, bytes: &[u8]) -> Result<Vec<(String, Array)>, String> {
    let bad = |e: &dyn std::fmt::Display| format!("{name}: not a .npz archive: {e}");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| bad(&e))?;
    let mut arrays = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|e| bad(&e))?;
        let file = entry.name().map_err(|e| bad(&e))?.into_owned();
        let Some(array) = file.strip_suffix(".npy").map(str::to_owned) else { continue };
        let mut data = Vec::new();
        entry.take(MOST_BYTES).read_to_end(&mut data).map_err(|e| bad(&e))?;
        arrays.push((array.clone(), read_npy(&format!("{name}:{array}"), &data)?));
    }
    if arrays.is_empty() {
        return Err(format!("{name}: no array inside; save with numpy.savez(file, X=X, y=y)"));
    }
    arrays.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(arrays)
}

/// A one-dimensional array of records of float64 fields as the bytes of a .npy file.
pub(crate) fn write_records(names: &[String], records: &[Vec<f64>]) -> Vec<u8> {
    let fields: Vec<String> = names.iter().map(|name| format!("('{name}', '<f8')")).collect();
    let mut header = format!(
        "{{'descr': [{}], 'fortran_order': False, 'shape': ({},), }}",
        fields.join(", "),
        records.len()
    );
    // Ten bytes before it, a line end after it, the whole a multiple of 64.
    header += &" ".repeat(63 - (10 + header.len()) % 64);
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(records.iter().flatten().flat_map(|x| x.to_le_bytes()));
    bytes
}

/// An array in an archive is read up to this size: a few kilobytes can unpack to any number.
const MOST_BYTES: u64 = 1 << 34;

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::WriterBuilder;

    fn npy<T: npyz::AutoSerialize + Copy>(shape: &[u64], order: Order, values: &[T]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let options = npyz::WriteOptions::new().default_dtype().shape(shape).order(order);
        let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn both_orders_and_all_number_types_read_alike() {
        let wanted = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let rows = read_npy("a", &npy(&[2, 3], Order::C, &wanted)).unwrap();
        let columns = npy(&[2, 3], Order::Fortran, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let bytes = npy(&[2, 3], Order::C, &[1_u8, 2, 3, 4, 5, 6]);
        let long = npy(&[2, 3], Order::C, &[1_i64, 2, 3, 4, 5, 6]);
        let single = npy(&[2, 3], Order::C, &[1_f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
        for file in [columns, bytes, long, single] {
            assert_eq!(read_npy("a", &file).unwrap(), rows);
        }
        assert_eq!((rows.shape, rows.values), (vec![2, 3], wanted));
    }

    #[test]
    fn unusable_arrays_are_refused_with_what_they_are() {
        let three = npy(&[1, 1, 2], Order::C, &[1.0, 2.0]);
        let nan = npy(&[2, 2], Order::C, &[1.0, 2.0, 3.0, f64::NAN]);
        let mut short = npy(&[4], Order::C, &[1.0, 2.0, 3.0, 4.0]);
        short.truncate(short.len() - 8);
        for (file, wanted) in [
            (b"PK".to_vec(), "not a .npy file"),
            (three, "[1, 1, 2]"),
            (nan, "row 2, column 2"),
            (short, "cannot read the entries"),
        ] {
            let message = read_npy("a.npy", &file).unwrap_err();
            assert!(message.starts_with("a.npy") && message.contains(wanted), "{message}");
        }
    }

    /// Read back by a reader that is not ours: names, shape and every bit.
    #[test]
    fn records_are_read_back() {
        for count in 1..9 {
            let names: Vec<String> = (0..count).map(|i| format!("field_{i}")).collect();
            let records = vec![vec![0.1; count], vec![-1e300; count], vec![f64::NAN; count]];
            let bytes = write_records(&names, &records);
            let file = NpyFile::new(&bytes[..]).unwrap();
            assert_eq!(file.shape(), [3]);
            let DType::Record(fields) = file.dtype() else { panic!("{:?}", file.dtype()) };
            let read: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
            assert_eq!(read, names);
            let numbers = &bytes[bytes.len() - 24 * count..];
            assert_eq!(numbers[..8], 0.1_f64.to_le_bytes());
            assert_eq!((bytes.len() - numbers.len()) % 64, 0);
        }
    }

    #[test]
    fn archives_hold_their_arrays_by_name() {
        use std::io::Write;
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, method) in
            [("y.npy", zip::CompressionMethod::Stored), ("X.npy", zip::CompressionMethod::Deflated)]
        {
            let options = zip::write::SimpleFileOptions::default().compression_method(method);
            archive.start_file(name, options).unwrap();
            archive.write_all(&npy(&[2], Order::C, &[1.0, 2.0])).unwrap();
        }
        let bytes = archive.finish().unwrap().into_inner();
        let arrays = read_npz("a.npz", &bytes).unwrap();
        let names: Vec<&str> = arrays.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["X", "y"]);
        assert_eq!(arrays[0].1, arrays[1].1);
        for bad in [&bytes[..20], &bytes[..bytes.len() - 30], b"no archive"] {
            assert!(read_npz("a.npz", bad).unwrap_err().contains("not a .npz archive"));
        }
    }
}
