//! Any text is a file of cases or an error, never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(file) = rmt_cli::cases::read_cases("text", text) {
        assert!(file.rtol >= 0.0);
    }
});
