//! Any text is a typed expression or an error; what is typed is linearised and reduced.
#![no_main]

use rmt_fpt::{Model, Problem};
use std::sync::LazyLock;

static DECLARED: LazyLock<Problem> = LazyLock::new(|| {
    serde_json::from_str(
        r#"{
            "dims": {"n": 5, "p": 4, "m": 2}, "parameters": {"lam": 0.1, "mu": 0},
            "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"},
                       "H": {"rows": "p", "cols": "p", "variance": "lam/p", "kind": "goe"}},
            "deterministic": {
                "S": {"kind": "linear", "p": 4, "from": 0.0, "to": 1.0},
                "D": {"kind": "dense", "values": [[1.0, 0.5], [0.5, 1.0]]},
                "R": {"kind": "dct_rectangular", "rows": 5, "cols": 4, "rank": 2, "scale": 1.0}},
            "expression": ""
        }"#,
    )
    .expect("the declarations are valid")
});

libfuzzer_sys::fuzz_target!(|text: &str| {
    if text.len() > 400 {
        return; // the linearisation of a long text takes too long for a fuzzer
    }
    let problem = Problem { expression: text.to_owned(), ..DECLARED.clone() };
    if let Err(error) = Model::new(&problem) {
        assert!(!error.to_string().is_empty());
    }
});
