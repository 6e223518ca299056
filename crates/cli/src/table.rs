//! Tables of text with a header: comma-, semicolon- and tab-separated files.

use csv::{ByteRecord, ReaderBuilder, StringRecord};
use rmt_task::nearest;
use std::collections::HashMap;
use std::io::{self, BufRead, Read};

/// A table as read: the header and the cells as text.
#[derive(Clone, Debug)]
pub struct Table {
    name: String,
    header: Vec<String>,
    records: Vec<StringRecord>,
    /// Line of each record in the file.
    lines: Vec<u64>,
    decimal_comma: bool,
    generated_header: bool,
}

/// Why a text is no table, or a column no vector of numbers.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// No row at all.
    #[error("{file}: no data rows; give a header and at least one row")]
    Empty {
        /// File name.
        file: String,
    },
    /// Reading failed.
    #[error("cannot read {file}: {reason}")]
    Unreadable {
        /// File name.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// The bytes are no UTF-8.
    #[error("{file}:{line}: not UTF-8 text; save the file as UTF-8")]
    NotText {
        /// File name.
        file: String,
        /// Line, from 1.
        line: u64,
    },
    /// A row has more or fewer cells than the header.
    #[error(
        "{file}:{line}: {found} cells where the header has {expected}; complete the row or quote cells that contain the separator"
    )]
    Ragged {
        /// File name.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Cells in the row.
        found: usize,
        /// Cells in the header.
        expected: usize,
    },
    /// Two columns bear one name.
    #[error("{file}: columns {first} and {second} are both named \"{column}\"; rename one")]
    Duplicate {
        /// File name.
        file: String,
        /// The name.
        column: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// No column of that name.
    #[error("{file}: no column \"{column}\"{hint}; the columns are {known}")]
    UnknownColumn {
        /// File name.
        file: String,
        /// The name asked for.
        column: String,
        /// `, did you mean "…"?`, or nothing.
        hint: String,
        /// All names.
        known: String,
    },
    /// A cell that is no finite number.
    #[error("{file}:{line}: column \"{column}\": found {found}, expected a number; {remedy}")]
    NotANumber {
        /// File name.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Column name.
        column: String,
        /// The cell.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
}

/// A table read from its beginning in blocks of rows, for files larger than memory.
pub(crate) struct Blocks<'a> {
    name: String,
    reader: csv::Reader<Box<dyn Read + 'a>>,
    decimal_comma: bool,
    header: Vec<String>,
    generated_header: bool,
    /// The first row, read to find out whether it is a header, with its line.
    first: Option<(StringRecord, u64)>,
}

impl<'a> Blocks<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// As [`Table::parse`].
    pub(crate) fn open(name: &str, mut input: impl BufRead + 'a) -> Result<Self, TableError> {
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line).map_err(|e| TableError::unreadable(name, &e))?;
        if line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        let delimiter = delimiter(&line);
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(Box::new(io::Cursor::new(line).chain(input)) as Box<dyn Read + 'a>);
        let mut out = Self {
            name: name.to_owned(),
            reader,
            decimal_comma: delimiter == b';',
            header: Vec::new(),
            generated_header: false,
            first: None,
        };
        let Some((record, line)) = out.record()? else {
            return Err(TableError::Empty { file: name.into() });
        };
        out.generated_header = record.iter().all(|c| number(c, out.decimal_comma).is_some());
        if out.generated_header {
            out.header = (1..=record.len()).map(|i| format!("c{i}")).collect();
            out.first = Some((record, line));
        } else {
            out.header = record.iter().map(|c| c.trim().to_owned()).collect();
        }
        refuse_duplicates(name, &out.header)?;
        Ok(out)
    }

    /// The next `most` rows or fewer; `None` at the end.
    ///
    /// # Errors
    /// Rows of another length than the header, bytes that are no UTF-8, what reading brings.
    pub(crate) fn next(&mut self, most: usize) -> Result<Option<Table>, TableError> {
        let (mut records, mut lines) = (Vec::new(), Vec::new());
        while records.len() < most {
            let next = match self.first.take() {
                None => self.record()?,
                first => first,
            };
            let Some((record, line)) = next else { break };
            if record.len() != self.header.len() {
                return Err(TableError::Ragged {
                    file: self.name.clone(),
                    line,
                    found: record.len(),
                    expected: self.header.len(),
                });
            }
            records.push(record);
            lines.push(line);
        }
        Ok((!records.is_empty()).then(|| Table {
            name: self.name.clone(),
            header: self.header.clone(),
            records,
            lines,
            decimal_comma: self.decimal_comma,
            generated_header: self.generated_header,
        }))
    }

    /// The next row that is not blank, and its line.
    fn record(&mut self) -> Result<Option<(StringRecord, u64)>, TableError> {
        let mut record = ByteRecord::new();
        loop {
            let more = self.reader.read_byte_record(&mut record);
            if !more.map_err(|e| TableError::unreadable(&self.name, &e))? {
                return Ok(None);
            }
            let line = record.position().map_or(0, csv::Position::line);
            let row = StringRecord::from_byte_record(record.clone())
                .map_err(|_| TableError::NotText { file: self.name.clone(), line })?;
            if row.len() > 1 || row.iter().any(|cell| !cell.trim().is_empty()) {
                return Ok(Some((row, line)));
            }
        }
    }
}

fn refuse_duplicates(name: &str, header: &[String]) -> Result<(), TableError> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (index, column) in header.iter().enumerate().filter(|(_, c)| !c.is_empty()) {
        if let Some(first) = seen.insert(column, index) {
            return Err(TableError::Duplicate {
                file: name.into(),
                column: column.clone(),
                first: first + 1,
                second: index + 1,
            });
        }
    }
    Ok(())
}

impl TableError {
    fn unreadable(file: &str, error: &dyn std::fmt::Display) -> Self {
        Self::Unreadable { file: file.into(), reason: error.to_string() }
    }
}

impl Table {
    /// Reads a table. The separator (comma, semicolon or tab) is the one most frequent in the first
    /// line; a first line of numbers only is data, and the columns are then named c1, c2, …
    ///
    /// # Errors
    /// See [`TableError`]; `name` is the file name that errors show.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, TableError> {
        let whole = Blocks::open(name, bytes)?.next(usize::MAX)?;
        whole.ok_or_else(|| TableError::Empty { file: name.into() })
    }

    /// A table of cells that were never lines of text; rows are counted from 1.
    #[cfg(feature = "parquet")]
    pub(crate) fn from_rows(
        name: &str,
        header: Vec<String>,
        rows: &[Vec<String>],
    ) -> Result<Self, TableError> {
        if rows.is_empty() {
            return Err(TableError::Empty { file: name.into() });
        }
        refuse_duplicates(name, &header)?;
        Ok(Self {
            name: name.to_owned(),
            header,
            records: rows.iter().map(|row| StringRecord::from(row.as_slice())).collect(),
            lines: (1..=rows.len() as u64).collect(),
            decimal_comma: false,
            generated_header: false,
        })
    }

    /// Column names in order; a column without one is an empty string.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Whether the file had no header and the names were made up.
    pub fn generated_header(&self) -> bool {
        self.generated_header
    }

    /// Number of data rows.
    pub fn rows(&self) -> usize {
        self.records.len()
    }

    /// Line of a row in the file, from 1.
    pub fn line(&self, row: usize) -> u64 {
        self.lines.get(row).copied().unwrap_or_default()
    }

    /// The file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Position of a named column.
    ///
    /// # Errors
    /// An unknown name, with the nearest and all known ones.
    pub fn position(&self, column: &str) -> Result<usize, TableError> {
        self.header.iter().position(|c| c == column).ok_or_else(|| {
            let names = self.header.iter().map(String::as_str).filter(|c| !c.is_empty());
            let hint = nearest(column, names.clone())
                .map(|k| format!(", did you mean \"{k}\"?"))
                .unwrap_or_default();
            let mut known: Vec<&str> = names.collect();
            let hidden = known.len().saturating_sub(20);
            known.truncate(20);
            let mut known = known.join(", ");
            if hidden > 0 {
                known += &format!(" and {hidden} more");
            }
            TableError::UnknownColumn {
                file: self.name.clone(),
                column: column.into(),
                hint,
                known,
            }
        })
    }

    /// The cells of a column, trimmed.
    pub fn texts(&self, position: usize) -> impl Iterator<Item = &str> {
        self.records.iter().map(move |r| r.get(position).unwrap_or_default().trim())
    }

    /// A column as finite numbers.
    ///
    /// # Errors
    /// The first cell that is missing, text or not finite, with its line.
    pub fn numbers(&self, position: usize) -> Result<Vec<f64>, TableError> {
        let column = self.header.get(position).map_or("", String::as_str);
        self.texts(position)
            .zip(&self.lines)
            .map(|(cell, line)| {
                number(cell, self.decimal_comma).ok_or_else(|| TableError::NotANumber {
                    file: self.name.clone(),
                    line: *line,
                    column: column.into(),
                    found: if cell.is_empty() {
                        "an empty cell".into()
                    } else {
                        format!("\"{cell}\"")
                    },
                    remedy: remedy(cell),
                })
            })
            .collect()
    }

    /// Whether every cell of a column is a finite number.
    pub fn is_numeric(&self, position: usize) -> bool {
        self.texts(position).all(|cell| number(cell, self.decimal_comma).is_some())
    }

    /// Whether some cell was read with a decimal comma.
    pub fn used_decimal_comma(&self) -> bool {
        self.decimal_comma
            && self.records.iter().flatten().any(|c| c.contains(',') && number(c, true).is_some())
    }
}

/// What to do about a cell that is no number.
fn remedy(cell: &str) -> &'static str {
    match cell.to_lowercase().as_str() {
        "" | "na" | "n/a" | "nan" | "null" | "none" | "." | "?" | "-" => {
            "fill in the value, or remove the row or the column"
        }
        "inf" | "+inf" | "-inf" | "infinity" | "+infinity" | "-infinity" => {
            "replace it by a finite number, or remove the row"
        }
        _ => "leave the column out, or replace the text by a number",
    }
}

/// A cell as a finite number. Rust's own spellings of infinity and NaN are no numbers here.
fn number(cell: &str, decimal_comma: bool) -> Option<f64> {
    let cell = cell.trim();
    let parse = |text: &str| text.parse().ok().filter(|x: &f64| x.is_finite());
    parse(cell).or_else(|| {
        // One comma, no point: 1,5 in files separated by semicolons.
        (decimal_comma && cell.matches(',').count() == 1 && !cell.contains('.'))
            .then(|| parse(&cell.replace(',', ".")))
            .flatten()
    })
}

/// The separator most frequent outside quotes in the first line; a comma if there is none.
fn delimiter(bytes: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in bytes.iter().take_while(|b| **b != b'\n') {
        if *byte == b'"' {
            quoted = !quoted;
        }
        for (delimiter, count) in &mut counts {
            if byte == delimiter && !quoted {
                *count += 1;
            }
        }
    }
    let [comma, semicolon, tab] = counts;
    if semicolon.1 > comma.1.max(tab.1) {
        b';'
    } else if tab.1 > comma.1 {
        b'\t'
    } else {
        b','
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_separators_and_line_ends_read_alike() {
        let wanted = Table::parse("t", b"a,b\n1.5,2\n3,4\n").unwrap();
        for text in
            ["a;b\n1,5;2\n3;4", "a\tb\r\n1.5\t2\r\n3\t4\r\n", "\u{feff}\"a\",b\n1.5,2\n\n3,4"]
        {
            let table = Table::parse("t", text.as_bytes()).unwrap();
            assert_eq!(table.header(), wanted.header(), "{text:?}");
            for column in 0..2 {
                assert_eq!(table.numbers(column), wanted.numbers(column), "{text:?}");
            }
        }
    }

    #[test]
    fn a_file_of_numbers_only_has_no_header() {
        let table = Table::parse("t", b"1,2\n3,4\n").unwrap();
        assert_eq!((table.rows(), table.header()[1].as_str()), (2, "c2"));
        assert!(table.generated_header());
    }

    #[test]
    fn every_bad_table_names_file_line_column_and_remedy() {
        let cases: [(&[u8], &str); 10] = [
            (b"", "t.csv: no data rows"),
            (b"a,b\n", "t.csv: no data rows"),
            (b"a,b\n1,2\n3\n", "t.csv:3: 1 cells where the header has 2"),
            (b"a,b,a\n1,2,3\n", "columns 1 and 3 are both named \"a\""),
            (b"a,b\n1,\xff\n", "t.csv:2: not UTF-8"),
            (b"a,b\n1,2\n3,\n", "t.csv:3: column \"b\": found an empty cell"),
            (b"a,b\n1,2\n3,NaN\n", "t.csv:3: column \"b\": found \"NaN\""),
            (b"a,b\n1,2\n3,inf\n", "finite"),
            (b"a,b\n1,2\n\"x\ny\",4\n5,red\n", "t.csv:5: column \"b\": found \"red\""),
            (b"a,b\n1,\"1,000\"\n", "found \"1,000\""),
        ];
        for (bytes, wanted) in cases {
            let result = Table::parse("t.csv", bytes).and_then(|t| t.numbers(1));
            let message = result.unwrap_err().to_string();
            assert!(message.contains(wanted), "{message}");
        }
    }

    #[test]
    fn an_unknown_column_is_answered_with_the_nearest() {
        let table = Table::parse("t.csv", b"unemp,cpi\n1,2\n").unwrap();
        let message = table.position("unemployment").unwrap_err().to_string();
        assert!(message.contains("did you mean \"unemp\"?"), "{message}");
    }
}
