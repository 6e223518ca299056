//! What the examples share: a table on the screen and the same numbers as CSV.
#![forbid(unsafe_code)]

use std::fmt::Write as _;

/// Prints `rows` under `header` and writes them to `name`.csv in the current directory.
///
/// # Errors
/// The file cannot be written.
pub fn table(name: &str, header: &[&str], rows: &[Vec<f64>]) -> std::io::Result<()> {
    let mut csv = header.join(",") + "\n";
    println!("{}", header.iter().map(|h| format!("{h:>14}")).collect::<String>());
    for row in rows {
        println!("{}", row.iter().map(|x| format!("{x:>14.6}")).collect::<String>());
        let cells: Vec<String> = row.iter().map(f64::to_string).collect();
        let _ = writeln!(csv, "{}", cells.join(","));
    }
    let path = format!("{name}.csv");
    std::fs::write(&path, csv)?;
    println!("written to {path}");
    Ok(())
}
