use crate::failure::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use rmt_task::Value;
use std::io::{self, Write};

/// Writes a block of text to standard output, with a final newline.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}

/// A remark for people, on standard error. One that nobody reads (a closed pipe) is no failure.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// A plain table: a header row, columns apart by two spaces, numbers right-aligned.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    plain(header, rows, ContentArrangement::Disabled)
}

/// A table whose last columns are sentences: they wrap at 100 characters.
pub(crate) fn prose_table(header: &[&str], rows: &[Vec<String>]) -> String {
    plain(header, rows, ContentArrangement::Dynamic)
}

fn plain(header: &[&str], rows: &[Vec<String>], arrangement: ContentArrangement) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(arrangement).set_width(100);
    table.set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        let numeric = |row: &Vec<String>| {
            row.get(index).is_none_or(|cell| cell.is_empty() || cell.parse::<f64>().is_ok())
        };
        if rows.iter().all(numeric) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}

/// A number to `digits` significant digits: fixed notation where it is short, else scientific.
pub(crate) fn number(x: f64, digits: usize) -> String {
    if x == 0.0 {
        return "0".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let scientific = format!("{x:.*e}", digits.saturating_sub(1));
    let exponent: i32 =
        scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or_default();
    if (-4..digits.max(6) as i32).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        let fixed = format!("{x:.decimals$}");
        if fixed.contains('.') {
            fixed.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            fixed
        }
    } else {
        let (mantissa, _) = scientific.split_once('e').unwrap_or((&scientific, ""));
        let mantissa = if mantissa.contains('.') {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        } else {
            mantissa
        };
        format!("{mantissa}e{exponent}")
    }
}

/// A value on one line; long lists are cut to their ends.
pub(crate) fn value(v: &Value, digits: usize) -> String {
    match v {
        Value::Number(x) => number(*x, digits),
        Value::Complex(re, im) => {
            let sign = if *im < 0.0 { "-" } else { "+" };
            format!("{} {sign} {}i", number(*re, digits), number(im.abs(), digits))
        }
        Value::Flag(x) => x.to_string(),
        Value::Text(x) => x.clone(),
        Value::List(items) => {
            let show = |v: &Value| value(v, digits.min(5));
            if items.len() <= 6 {
                format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
            } else {
                let head: Vec<_> = items[..3].iter().map(show).collect();
                let last = items.last().map(show).unwrap_or_default();
                format!("[{}, …, {last}] ({} values)", head.join(", "), items.len())
            }
        }
        Value::Object(items) => {
            let parts: Vec<_> =
                items.iter().map(|(k, v)| format!("{k}: {}", value(v, digits.min(5)))).collect();
            format!("{{{}}}", parts.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_significant_digits_and_no_padding() {
        let shown: Vec<_> = [1.0, 0.1741657, 170.33370, 1e-9, -2.5e12, 123456.7, f64::INFINITY]
            .iter()
            .map(|x| number(*x, 6))
            .collect();
        assert_eq!(
            shown,
            ["1", "0.174166", "170.334", "1e-9", "-2.5e12", "123457", "inf"].map(String::from)
        );
    }

    #[test]
    fn rounding_up_to_the_next_power_of_ten_keeps_the_notation_right() {
        assert_eq!(number(999_999.7, 6), "1e6");
        assert_eq!(number(9.999_999_9, 3), "10");
    }
}
