//! Parquet files, read as tables of text.

use crate::table::{Table, TableError};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

/// Reads a Parquet file. Dates become days and timestamps seconds since 1970; an absent value is an
/// empty cell.
///
/// # Errors
/// A message on bytes that are no Parquet file, on compression other than none, snappy, gzip and
/// LZ4, and on columns that are neither numbers, text, flags nor times.
pub(crate) fn read(name: &str, bytes: Vec<u8>) -> Result<Table, String> {
    let bad = |e: &dyn std::fmt::Display| format!("{name}: cannot read Parquet: {e}");
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).map_err(|e| bad(&e))?;
    let schema = reader.metadata().file_metadata().schema();
    let header = schema.get_fields().iter().map(|f| f.name().to_owned()).collect();
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None).map_err(|e| bad(&e))? {
        let row = row.map_err(|e| bad(&e))?;
        let cells = row.get_column_iter().map(|(column, field)| {
            text(field).ok_or_else(|| {
                format!(
                    "{name}: column \"{column}\" holds neither numbers, text nor times; leave it \
                     out of the file"
                )
            })
        });
        rows.push(cells.collect::<Result<Vec<String>, _>>()?);
    }
    Table::from_rows(name, header, &rows).map_err(|e: TableError| e.to_string())
}

/// A value as a cell.
fn text(field: &Field) -> Option<String> {
    Some(match field {
        Field::Null => String::new(),
        Field::Bool(x) => u8::from(*x).to_string(),
        Field::Byte(x) => x.to_string(),
        Field::Short(x) => x.to_string(),
        Field::Int(x) | Field::Date(x) => x.to_string(),
        Field::Long(x) => x.to_string(),
        Field::UByte(x) => x.to_string(),
        Field::UShort(x) => x.to_string(),
        Field::UInt(x) => x.to_string(),
        Field::ULong(x) => x.to_string(),
        Field::Float16(x) => f64::from(*x).to_string(),
        Field::Float(x) => f64::from(*x).to_string(),
        Field::Double(x) => x.to_string(),
        Field::Str(x) => x.clone(),
        Field::TimestampMillis(x) => (*x as f64 / 1e3).to_string(),
        Field::TimestampMicros(x) => (*x as f64 / 1e6).to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::Compression;
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    fn file(compression: Compression) -> Vec<u8> {
        let schema = "message s { required double x; optional int64 n; required binary g (UTF8); }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut bytes = Vec::new();
        let mut writer =
            SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&[0.1, -2.5e-300, 3.0], None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[7, -8], Some(&[1, 0, 1]), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let groups = ["a", "b", "a"].map(ByteArray::from);
        column.typed::<ByteArrayType>().write_batch(&groups, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        bytes
    }

    /// Numbers come back to the last bit, absent ones are named by their row.
    #[test]
    fn columns_are_read_in_every_compression() {
        for compression in [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::LZ4_RAW,
            Compression::GZIP(Default::default()),
        ] {
            let table = read("t.parquet", file(compression)).unwrap();
            assert_eq!(table.header(), ["x", "n", "g"]);
            assert_eq!(table.numbers(0).unwrap(), [0.1, -2.5e-300, 3.0]);
            let message = table.numbers(1).unwrap_err().to_string();
            assert!(message.contains("t.parquet:2") && message.contains("empty"), "{message}");
            assert_eq!(table.texts(2).collect::<Vec<_>>(), ["a", "b", "a"]);
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let whole = file(Compression::SNAPPY);
        for bytes in [b"PAR1".to_vec(), whole[..whole.len() - 9].to_vec(), Vec::new()] {
            let message = read("t.parquet", bytes).unwrap_err();
            assert!(message.starts_with("t.parquet: cannot read Parquet"), "{message}");
        }
    }
}
