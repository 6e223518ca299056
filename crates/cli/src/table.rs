//! Tables of text with a header: comma-, semicolon- and tab-separated files.

use csv::{ByteRecord, ReaderBuilder, StringRecord};
use rmt_task::nearest;
use std::collections::HashMap;

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

impl Table {
    /// Reads a table. The separator (comma, semicolon or tab) is the one most frequent in the first
    /// line; a first line of numbers only is data, and the columns are then named c1, c2, …
    ///
    /// # Errors
    /// See [`TableError`]; `name` is the file name that errors show.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, TableError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let delimiter = delimiter(bytes);
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(bytes);
        let (mut rows, mut lines) = (Vec::new(), Vec::new());
        let mut record = ByteRecord::new();
        // Reading from memory into byte records cannot fail: shapes and text are checked here.
        while matches!(reader.read_byte_record(&mut record), Ok(true)) {
            let line = record.position().map_or(0, csv::Position::line);
            let row = StringRecord::from_byte_record(record.clone())
                .map_err(|_| TableError::NotText { file: name.into(), line })?;
            if row.iter().all(|cell| cell.trim().is_empty()) && row.len() <= 1 {
                continue;
            }
            rows.push(row);
            lines.push(line);
        }
        let Some(first) = rows.first() else {
            return Err(TableError::Empty { file: name.into() });
        };
        let decimal_comma = delimiter == b';';
        let generated_header = first.iter().all(|c| number(c, decimal_comma).is_some());
        let header: Vec<String> = if generated_header {
            (1..=first.len()).map(|i| format!("c{i}")).collect()
        } else {
            lines.remove(0);
            rows.remove(0).iter().map(|c| c.trim().to_owned()).collect()
        };
        if rows.is_empty() {
            return Err(TableError::Empty { file: name.into() });
        }
        for (row, line) in rows.iter().zip(&lines) {
            if row.len() != header.len() {
                return Err(TableError::Ragged {
                    file: name.into(),
                    line: *line,
                    found: row.len(),
                    expected: header.len(),
                });
            }
        }
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
        let name = name.to_owned();
        Ok(Self { name, header, records: rows, lines, decimal_comma, generated_header })
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
