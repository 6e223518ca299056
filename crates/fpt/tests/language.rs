//! Bad input gives an error of the right kind at the right place, never a number and never a panic.

use rmt_fpt::{Error, Model, Problem};
use serde_json::{Value as Json, json};
use std::fmt::Write;

fn declared() -> Json {
    json!({
        "dims": {"n": 30, "p": 20, "m": 20},
        "parameters": {"lam": 0.1},
        "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"},
                   "H": {"rows": "p", "cols": "p", "variance": "1/p", "kind": "goe"}},
        "deterministic": {"S": {"kind": "power_law", "p": 20, "alpha": 1.0}},
        "deterministic_shapes": {"S": ["p", "p"]},
    })
}

fn failure(inputs: Json) -> rmt_task::TaskError {
    rmt_fpt::tasks()[0].evaluate(&inputs).unwrap_err()
}

fn with_expression(expression: &str) -> Json {
    let mut inputs = declared();
    inputs["expression"] = json!(expression);
    inputs
}

/// Kind, marked text and a word of the message for each bad expression.
#[test]
fn bad_expressions() {
    for (expression, kind, marked, word) in [
        ("tr(inv(Z'*Z + lam)", "syntax", "(", "never closed"),
        ("tr(S))", "syntax", ")", "closes nothing"),
        ("tr(S S)", "syntax", "S", "operator"),
        ("tr(S) $ 2", "syntax", "$", "not part"),
        ("", "syntax", "", "ends"),
        ("tr(Z'*Z + lam)", "shape", "lam", "lam*I(p)"),
        ("tr(Z*Z)", "shape", "Z", "n×p by n×p"),
        ("tr(I(p) + I(m))", "shape", "I(m)", "m×m to p×p"),
        ("tr(Z)", "shape", "Z", "n×p"),
        ("inv(Z)", "shape", "Z", "square"),
        ("Z'*Z", "shape", "Z'*Z", "tr("),
        ("tr(S)/S", "shape", "S", "divide"),
        ("tr(sqrt(H))", "shape", "H", "deterministic"),
        ("tr(Z^2)", "shape", "Z^2", "square"),
        ("tr(S^lam)", "shape", "lam", "plain number"),
        ("tr(lam)", "shape", "lam", "matrix"),
        ("lam'", "shape", "lam'", "transpose"),
        ("tr(I(3))", "shape", "3", "dimension"),
        ("tr(Q)", "unknown_name", "Q", "unknown name"),
        ("tr(I(q))", "unknown_name", "q", "dimension"),
        ("trace(S)", "unknown_name", "trace", "did you mean `tr`"),
        ("lam(S)", "unknown_name", "lam", "not a function"),
        ("tr(S*inv)", "unknown_name", "inv", "function"),
        ("tr(H^65)", "invalid_input", "H^65", "64"),
    ] {
        let error = failure(with_expression(expression));
        assert_eq!(error.kind.as_str(), kind, "{expression}: {error}");
        assert!(error.message.contains(word), "{expression}: {error}");
        let carets = error.message.lines().last().unwrap();
        let count = carets.matches('^').count();
        assert_eq!(count, marked.chars().count().max(1), "{expression}: {error}");
        let line = error.message.lines().rev().nth(1).unwrap();
        let at = carets.find('^').unwrap();
        let found: String = line.chars().skip(at).take(count).collect();
        assert_eq!(found.trim_end(), marked, "{expression}: {error}");
    }
}

/// Key and a word of the message for each bad declaration.
#[test]
fn bad_declarations() {
    let set = |path: &str, value: Json| {
        let mut inputs = with_expression("tr(S*inv(Z'*Z/n + lam*I(p)))");
        *inputs.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        inputs
    };
    let add = |group: &str, name: &str, value: Json| {
        let mut inputs = with_expression("tr(S*inv(Z'*Z/n + lam*I(p)))");
        inputs[group][name] = value;
        inputs
    };
    for (inputs, key, word) in [
        (set("/dims/n", json!(0)), "dims.n", "at least 1"),
        (set("/dims/n", json!(-1)), "dims.n", "-1"),
        (set("/random/Z/rows", json!("q")), "random.Z.rows", "not in `dims`"),
        (set("/random/Z/variance", json!("-1")), "random.Z.variance", "positive"),
        (set("/random/Z/variance", json!("0")), "random.Z.variance", "positive"),
        (set("/random/Z/variance", json!("1/(n-n)")), "random.Z.variance", "positive"),
        (set("/random/H/cols", json!("n")), "random.H", "square"),
        (set("/random/H/kind", json!("wigner")), "random.H.kind", "goe"),
        (add("parameters", "n", json!(1.0)), "parameters.n", "also declared"),
        (add("parameters", "2x", json!(1.0)), "parameters.2x", "name"),
        (add("parameters", "tr", json!(1.0)), "parameters.tr", "name"),
        (add("parameters", "mu", json!("a")), "parameters.mu", "complex"),
        (
            add("deterministic", "T", json!({"kind": "constant", "p": 7, "value": 1.0})),
            "deterministic.T",
            "7 entries",
        ),
        (
            add("deterministic", "T", json!({"kind": "dense", "values": [[1.0], [1.0, 2.0]]})),
            "deterministic.T",
            "equally long",
        ),
        (
            add(
                "deterministic",
                "T",
                json!({"kind": "rotated", "spectrum": {"kind": "constant", "p": 3,
            "value": 1.0}, "basis": {"kind": "dft"}}),
            ),
            "deterministic.T.basis.kind",
            "dct",
        ),
        (
            add(
                "deterministic",
                "T",
                json!({"kind": "dct_rectangular", "rows": 3, "cols": 2,
            "rank": 5, "scale": 1.0}),
            ),
            "deterministic.T",
            "rank 5",
        ),
        (add("deterministic_shapes", "S", json!(["n", "n"])), "deterministic_shapes.S", "20×20"),
        (add("deterministic_shapes", "T", json!(["n", "n"])), "deterministic_shapes.T", "no"),
        (
            add("dimension_weights", "p", json!({"kind": "explicit", "values": [0.0]})),
            "dimension_weights.p",
            "zero",
        ),
    ] {
        let error = failure(inputs);
        assert_eq!(error.key.as_deref(), Some(key), "{error}");
        assert!(error.message.contains(word), "{error}");
    }
}

/// One dimension of a size is found; of two that fit, the expression decides or the user must.
#[test]
fn shapes_of_deterministic_matrices() {
    let at = |expression: &str| {
        let mut inputs = with_expression(expression);
        inputs.as_object_mut().unwrap().remove("deterministic_shapes");
        rmt_fpt::tasks()[0].evaluate(&inputs)
    };
    assert!(at("tr(S*inv(Z'*Z/n + lam*I(p)))").is_ok());
    let error = at("tr(S)").unwrap_err();
    assert_eq!(error.key.as_deref(), Some("deterministic_shapes"));
    assert!(error.message.contains("`S` may be m×m or p×p"), "{error}");
    assert_eq!(at("tr(S*Z)").unwrap_err().kind.as_str(), "shape");
}

#[test]
fn singular_and_indefinite_matrices() {
    let at = |values: Json, expression: &str| {
        let problem: Problem = serde_json::from_value(json!({
            "dims": {"p": 2}, "deterministic": {"S": values}, "expression": expression
        }))
        .unwrap();
        Model::new(&problem).and_then(|m| m.evaluate())
    };
    let singular = json!({"kind": "explicit", "values": [1.0, 0.0]});
    assert!(matches!(at(singular.clone(), "tr(inv(S))"), Err(Error::NotCertified { .. })));
    assert!(matches!(at(singular, "tr(S^-0.5)"), Err(Error::NotCertified { .. })));
    let dense = json!({"kind": "dense", "values": [[1.0, 2.0], [2.0, 1.0]]});
    assert!(matches!(at(dense.clone(), "tr(sqrt(S))"), Err(Error::InvalidInput { .. })));
    // Eigenvalues 3 and −1.
    assert!((at(dense, "tr(inv(S))").unwrap().value.re + 1.0 / 3.0).abs() < 1e-14);
    let rank_one = json!({"kind": "dense", "values": [[1.0, 1.0], [1.0, 1.0]]});
    assert!(matches!(at(rank_one, "tr(inv(S))"), Err(Error::NotCertified { .. })));
}

/// Depth 200 and ten kilobytes: a value or a named refusal, quickly.
#[test]
fn large_expressions() {
    let nested = (0..200).fold("I(p)".to_owned(), |e, _| format!("inv({e} + I(p))"));
    let random = (0..200).fold("I(p)".to_owned(), |e, _| format!("inv(Z'*Z/n + {e})"));
    let powers = (0..200).fold("H".to_owned(), |e, _| format!("({e})^2"));
    let mut long = String::from("0*S");
    while long.len() < 10_000 {
        let _ = write!(long, " + inv(Z'*Z/n + {}*I(p))", long.len());
    }
    let chain = format!("tr({})", vec!["H"; 5000].join("*"));
    let sum = format!("tr({})", vec!["S"; 5000].join("+"));
    let brackets = format!("{}lam{}", "(".repeat(20_000), ")".repeat(20_000));
    let values = [
        (format!("tr({nested})"), true),
        (format!("tr({random})"), false),
        (format!("tr({powers})"), false),
        (format!("tr({long})"), true),
        (chain, false),
        (sum, true),
        (brackets, false),
    ];
    for (expression, has_value) in values {
        let found = rmt_fpt::tasks()[0].evaluate(&with_expression(&expression));
        let start: String = expression.chars().take(40).collect();
        match found {
            Ok(out) => assert!(has_value && out.number("value").unwrap().is_finite(), "{start}"),
            Err(error) => {
                assert!(!has_value, "{start}: {error}");
                assert!(error.to_string().len() < 1000, "{start}");
            }
        }
    }
    // 1/φ: the fixed point of x → 1/(1 + x).
    let out = rmt_fpt::tasks()[0].evaluate(&with_expression(&format!("tr({nested})"))).unwrap();
    assert!((out.number("value").unwrap() - 0.618_033_988_749_894_9).abs() < 1e-14);
}

/// Real parameters give a number, complex ones a pair, and both agree.
#[test]
fn complex_parameters() {
    let mut inputs = with_expression("tr(inv(Z'*Z/n - lam*I(p)))");
    inputs["parameters"]["lam"] = json!([-0.1, 1e-30]);
    let out = rmt_fpt::tasks()[0].evaluate(&inputs).unwrap();
    let Some(rmt_task::Value::Complex(re, im)) = out.get("value").cloned() else {
        panic!("{out:?}")
    };
    inputs["parameters"]["lam"] = json!(-0.1);
    let real = rmt_fpt::tasks()[0].evaluate(&inputs).unwrap().number("value").unwrap();
    assert!((re / real - 1.0).abs() < 1e-13 && im.abs() < 1e-25, "{re} {im} {real}");
}
