//! Any bytes are a table or an error; what reads as numbers is finite and one for each row.
#![no_main]

use rmt_cli::table::Table;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(table) = Table::parse("fuzz.csv", bytes) else { return };
    for (position, name) in table.header().iter().enumerate() {
        if let Ok(numbers) = table.numbers(position) {
            assert_eq!(numbers.len(), table.rows());
            assert!(numbers.iter().all(|x| x.is_finite()));
        }
        if !name.is_empty() {
            assert_eq!(table.position(name), Ok(position));
        }
    }
});
