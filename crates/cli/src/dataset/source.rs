use crate::arrays::{Array, read_npy, read_npz};
use crate::failure::{Failure, Result};
use crate::files::{extension, read_bytes, shown};
use crate::table::Table;
use rmt_task::nearest;
use std::collections::HashMap;

/// A file of named columns: a table of text, or NumPy arrays.
pub(crate) enum Source {
    Table(Table),
    Arrays { name: String, header: Vec<String>, columns: Vec<Vec<f64>> },
}

/// The columns of an array, named after it: `y` for a vector, `X1`, `X2`, … for a matrix.
fn named_columns(name: &str, array: &Array) -> Vec<(String, Vec<f64>)> {
    match array.shape.as_slice() {
        [_, width] => (0..*width)
            .map(|j| {
                let column = array.values.iter().skip(j).step_by(*width).copied().collect();
                (format!("{name}{}", j + 1), column)
            })
            .collect(),
        _ => vec![(name.to_owned(), array.values.clone())],
    }
}

#[cfg(feature = "parquet")]
fn parquet(name: &str, bytes: Vec<u8>) -> Result<Source> {
    crate::parquet::read(name, bytes).map(Source::Table).map_err(Failure::input)
}

#[cfg(not(feature = "parquet"))]
fn parquet(name: &str, _: Vec<u8>) -> Result<Source> {
    Err(Failure::input(format!(
        "{name}: this rmt was built without Parquet; build it with `cargo build --release \
         --features parquet`, or save the data as .csv"
    )))
}

impl Source {
    /// Reads a file, or standard input for `-`.
    pub(crate) fn read(path: &str) -> Result<Self> {
        let bytes = read_bytes(path)?;
        let name = shown(path);
        match extension(path).as_str() {
            "npy" => {
                let mut array = read_npy(name, &bytes).map_err(Failure::input)?;
                if array.shape.len() == 1 {
                    array.shape.push(1);
                }
                let (header, columns) = named_columns("c", &array).into_iter().unzip();
                Ok(Self::Arrays { name: name.into(), header, columns })
            }
            "npz" => {
                let arrays = read_npz(name, &bytes).map_err(Failure::input)?;
                let rows = |a: &Array| a.shape.first().copied().unwrap_or(0);
                if let Some((other, array)) =
                    arrays.iter().find(|(_, a)| rows(a) != rows(&arrays[0].1))
                {
                    return Err(Failure::input(format!(
                        "{name}: array \"{other}\" has {} rows, \"{}\" has {}; save arrays with a \
                         row for each sample",
                        rows(array),
                        arrays[0].0,
                        rows(&arrays[0].1)
                    )));
                }
                let columns = arrays.iter().flat_map(|(array, a)| named_columns(array, a));
                let (header, columns) = columns.unzip();
                Ok(Self::Arrays { name: name.into(), header, columns })
            }
            _ if bytes.starts_with(b"\x93NUMPY") => {
                Err(Failure::input(format!("{name}: NumPy data; name the file .npy")))
            }
            extension if extension == "parquet" || bytes.starts_with(b"PAR1") => {
                parquet(name, bytes)
            }
            _ => Table::parse(name, &bytes).map(Self::Table).map_err(Failure::input),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Table(table) => table.name(),
            Self::Arrays { name, .. } => name,
        }
    }

    pub(crate) fn header(&self) -> &[String] {
        match self {
            Self::Table(table) => table.header(),
            Self::Arrays { header, .. } => header,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Table(table) => table.rows(),
            Self::Arrays { columns, .. } => columns.first().map_or(0, Vec::len),
        }
    }

    /// Position of a named column.
    pub(crate) fn position(&self, column: &str) -> Result<usize> {
        match self {
            Self::Table(table) => table.position(column).map_err(Failure::input),
            Self::Arrays { name, header, .. } => {
                header.iter().position(|c| c == column).ok_or_else(|| {
                    let hint = nearest(column, header.iter().map(String::as_str))
                        .map(|k| format!(", did you mean \"{k}\"?"))
                        .unwrap_or_default();
                    Failure::input(format!(
                        "{name}: no column \"{column}\"{hint}; the columns are {}",
                        super::quoted(&header.iter().map(String::as_str).collect::<Vec<_>>())
                    ))
                })
            }
        }
    }

    /// A column as finite numbers.
    pub(crate) fn numbers(&self, position: usize) -> Result<Vec<f64>> {
        match self {
            Self::Table(table) => table.numbers(position).map_err(Failure::input),
            Self::Arrays { columns, .. } => Ok(columns[position].clone()),
        }
    }

    /// A column as categories: a code for each row, and the names of the codes in order of
    /// appearance. An empty cell belongs to no group and is refused.
    pub(crate) fn categories(&self, position: usize) -> Result<(Vec<usize>, Vec<String>)> {
        let cells: Vec<String> = match self {
            Self::Table(table) => table.texts(position).map(str::to_owned).collect(),
            Self::Arrays { .. } => self.numbers(position)?.iter().map(f64::to_string).collect(),
        };
        let (mut names, mut codes): (Vec<String>, HashMap<String, usize>) = Default::default();
        let mut out = Vec::with_capacity(cells.len());
        for (row, cell) in cells.into_iter().enumerate() {
            if cell.is_empty() {
                let column = &self.header()[position];
                return Err(Failure::input(format!(
                    "{}: column \"{column}\": an empty cell belongs to no group; name its group \
                     or remove the row",
                    self.place(row)
                )));
            }
            let next = names.len();
            let code = *codes.entry(cell.clone()).or_insert(next);
            if code == next {
                names.push(cell);
            }
            out.push(code);
        }
        Ok((out, names))
    }

    /// `file:line` of a row, `file: row i` where there are no lines.
    pub(crate) fn place(&self, row: usize) -> String {
        match self {
            Self::Table(table) => format!("{}:{}", table.name(), table.line(row)),
            Self::Arrays { name, .. } => format!("{name}: row {}", row + 1),
        }
    }

    /// Remarks on how the file was read.
    pub(crate) fn notes(&self) -> Vec<String> {
        let Self::Table(table) = self else { return Vec::new() };
        let mut notes = Vec::new();
        if table.generated_header() {
            let last = table.header().len();
            notes.push(format!("{}: no header, the columns are c1 to c{last}", table.name()));
        }
        if table.used_decimal_comma() {
            notes.push(format!("{}: decimal commas are read as decimal points", table.name()));
        }
        notes
    }
}
