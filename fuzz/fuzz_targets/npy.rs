//! Any bytes are an array or an error, without taking more memory than the file has.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(array) = rmt_cli::arrays::read_npy("fuzz.npy", bytes) {
        assert_eq!(array.values.len(), array.shape.iter().product::<usize>());
    }
});
