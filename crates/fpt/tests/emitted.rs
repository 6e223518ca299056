//! The emitted programs are run and must reproduce the engine; the written system is compared with
//! known forms.

use rmt_fpt::{Model, Problem};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::process::Command;

fn problem(json: &Json) -> Problem {
    serde_json::from_value(json.clone()).unwrap()
}

/// Problems with every construction: one group, spectra, several traces, products, weights,
/// symmetric factors.
fn problems() -> Vec<(String, Json)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/fpt.json");
    let file: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut out: Vec<(String, Json)> = file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["expected"]["error"].is_null())
        .map(|case| (case["name"].as_str().unwrap().to_owned(), case["inputs"].clone()))
        .collect();
    out.push((
        "semicircle".to_owned(),
        json!({"dims": {"p": 100}, "parameters": {"mu": 2.5},
               "random": {"H": {"rows": "p", "cols": "p", "variance": "1/p", "kind": "goe"}},
               "expression": "tr(inv(H - mu*I(p)))"}),
    ));
    out.push((
        "weights".to_owned(),
        json!({"dims": {"n": 50, "p": 40}, "parameters": {"lam": 0.2, "in": 2.0},
               "random": {"Z": {"rows": "n", "cols": "p", "variance": "in/2"}},
               "deterministic": {"S": {"kind": "explicit", "values": [3.0, 1.0, 0.1]}},
               "dimension_weights": {"p": {"kind": "explicit", "values": [0.2, 0.3, 0.5]}},
               "expression": "sqrt(lam)*tr(S^0.3*inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p)))^2"}),
    ));
    out
}

/// The arrays that a program takes, by name.
fn arrays(name: &str, inputs: &Json) -> Vec<(String, Vec<f64>)> {
    let mut out = Vec::new();
    for (key, value) in inputs["deterministic"].as_object().into_iter().flatten() {
        let modes: rmt_core::Modes =
            serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{name}.{key}: {e}"));
        out.push((key.clone(), modes.values("values").unwrap().values));
    }
    for (key, value) in inputs["dimension_weights"].as_object().into_iter().flatten() {
        let modes: rmt_core::Modes = serde_json::from_value(value.clone()).unwrap();
        out.push((format!("weights_{key}"), modes.values("values").unwrap().values));
    }
    out
}

fn list(values: &[f64]) -> String {
    let items: Vec<String> = values.iter().map(|x| format!("{x:?}")).collect();
    format!("[{}]", items.join(", "))
}

/// Catches wrong equations, wrong derivatives and wrong Rust.
#[test]
fn rust_programs_reproduce_the_engine() {
    let directory = tempfile::tempdir().unwrap();
    let mut main = String::new();
    let mut expected = Vec::new();
    for (name, inputs) in problems() {
        if name == "two_group_mixture_noncommuting" {
            assert!(Model::new(&problem(&inputs)).unwrap().rust().is_err());
            continue;
        }
        let problem = problem(&inputs);
        let model = Model::new(&problem).unwrap();
        let source = model.rust().unwrap();
        std::fs::write(directory.path().join(format!("{name}.rs")), &source).unwrap();
        let mut arguments: Vec<String> = problem.dims.values().map(|n| format!("{n}f64")).collect();
        arguments.extend(problem.parameters.values().map(|x| format!("{:?}", x.0.re)));
        for (_, values) in arrays(&name, &inputs) {
            arguments.push(format!("&{}", list(&values)));
        }
        arguments.push("None".to_owned());
        main += &format!("mod {name};\n");
        expected.push((name, arguments, model.evaluate().unwrap().value.re));
    }
    main += "fn main() {\n";
    for (name, arguments, _) in &expected {
        main += &format!("    println!(\"{{:?}}\", {name}::limit({}));\n", arguments.join(", "));
    }
    main += "}\n";
    let file = directory.path().join("main.rs");
    std::fs::write(&file, main).unwrap();
    let binary = directory.path().join("main");
    let compiled = Command::new("rustc")
        .args(["--edition", "2021", "-o"])
        .arg(&binary)
        .arg(&file)
        .output()
        .expect("rustc runs");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let output = Command::new(&binary).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.lines().count(), expected.len());
    for (line, (name, _, value)) in output.lines().zip(&expected) {
        let found = line.strip_prefix("Some(").and_then(|x| x.strip_suffix(')'));
        let found: f64 = found.unwrap_or_else(|| panic!("{name}: {line}")).parse().unwrap();
        let error = (found / value - 1.0).abs();
        println!("{name}: {found} relative difference {error:.1e}");
        assert!(error < 1e-10, "{name}: {found} instead of {value}");
    }
}

/// A Python with NumPy: the system's, or a virtual environment made for the test.
fn python() -> Option<PathBuf> {
    let works = |python: &Path| {
        Command::new(python)
            .args(["-c", "import numpy"])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let system = PathBuf::from("python3");
    if works(&system) {
        return Some(system);
    }
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("numpy");
    let python = venv.join("bin/python");
    if works(&python) {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).output();
    made.ok().filter(|output| output.status.success())?;
    let pip = Command::new(&python).args(["-m", "pip", "-q", "install", "numpy"]).output();
    pip.ok().filter(|output| output.status.success())?;
    works(&python).then_some(python)
}

/// Catches wrong equations, wrong derivatives and wrong Python, matrices that do not commute
/// included.
#[test]
fn python_programs_reproduce_the_engine() {
    let Some(python) = python() else {
        eprintln!("NOT RUN: the emitted Python programs, there is no Python with NumPy");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let mut main = String::from("import numpy as np\n");
    let mut expected = Vec::new();
    for (name, inputs) in problems() {
        let problem = problem(&inputs);
        let model = Model::new(&problem).unwrap();
        std::fs::write(directory.path().join(format!("{name}.py")), model.python().unwrap())
            .unwrap();
        let arguments = if name == "two_group_mixture_noncommuting" {
            main += "i = np.arange(120)\nu = np.sqrt(np.where(i == 0, 1, 2) / 120) \
                     * np.cos(np.pi * (i[:, None] + 0.5) * i / 120)\n";
            vec![
                "S1=3.0 / np.arange(1, 121)".to_owned(),
                "S2=(u * np.linspace(0.1, 2, 120)) @ u.T".to_owned(),
            ]
        } else {
            arrays(&name, &inputs)
                .iter()
                .map(|(k, v)| format!("{k}={}", list(v)))
                .collect::<Vec<_>>()
        };
        main +=
            &format!("import {name}\nprint(repr(float({name}.limit({}))))\n", arguments.join(", "));
        expected.push((name, model.evaluate().unwrap().value.re));
    }
    std::fs::write(directory.path().join("main.py"), main).unwrap();
    let output =
        Command::new(python).arg("main.py").current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.lines().count(), expected.len());
    for (line, (name, value)) in output.lines().zip(&expected) {
        let found: f64 = line.parse().unwrap();
        let error = (found / value - 1.0).abs();
        println!("{name}: {found} relative difference {error:.1e}");
        assert!(error < 1e-10, "{name}: {found} instead of {value}");
    }
}

/// Catches LaTeX that does not compile.
#[test]
fn latex_compiles() {
    let mut document =
        String::from("\\documentclass{article}\\usepackage{amsmath}\n\\begin{document}\n");
    for (_, inputs) in problems() {
        document += &Model::new(&problem(&inputs)).unwrap().latex().unwrap();
    }
    for example in rmt_fpt::gallery() {
        let problem = example.problem().unwrap();
        let latex = Model::new(&problem).unwrap().latex();
        if problem.random.values().any(|r| r.kind == rmt_fpt::RandomKind::Haar) {
            assert!(latex.is_err(), "{}", example.name);
        } else {
            document += &latex.unwrap();
        }
    }
    document += "\\end{document}\n";
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("system.tex"), document).unwrap();
    let output = Command::new("pdflatex")
        .args(["-interaction=nonstopmode", "-halt-on-error", "system.tex"])
        .current_dir(directory.path())
        .output();
    match output {
        Err(_) => eprintln!("NOT RUN: the LaTeX output, there is no pdflatex"),
        Ok(output) => assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
                .lines()
                .rev()
                .take(30)
                .collect::<Vec<_>>()
                .join("\n")
        ),
    }
}

/// The reduced system of the ridge bias. Catches a missed merge of unknowns, a common factor that
/// does not cancel, a wrong order of solving and an unexplained symbol.
#[test]
fn ridge_bias_in_symbols() {
    let example = rmt_fpt::gallery().iter().find(|e| e.name == "ridge_bias").unwrap();
    let text = Model::new(&example.problem().unwrap()).unwrap().text().unwrap();
    println!("{text}");
    let section = |from: &str, to: &str| -> Vec<&str> {
        let rest = &text[text.find(from).unwrap() + from.len()..];
        rest[..rest.find(to).unwrap_or(rest.len())].lines().map(str::trim).collect()
    };
    assert_eq!(
        section("\nwith\n", "\n\n"),
        [
            "u1 = n^2/(n + u2)",
            "u2 = Tr_p[n*S/(lam*n + S*u1)]",
            "u3 = -n^2*u4/((n + u2)^2)",
            "u4 = Tr_p[n*S*(n*Th - S*u3)/((lam*n + S*u1)^2)]",
        ]
    );
    assert_eq!(
        section("\nsolve\n", "\n\n"),
        ["u1, u2: nonlinear, together", "u3, u4: a linear system, given those above"]
    );
    let explained: Vec<&str> =
        section("\nwhere\n", "\n\n").iter().filter_map(|l| Some(l.split_once(':')?.0)).collect();
    assert_eq!(explained, ["u1", "u2", "u3", "u4", "n", "p", "lam", "Z", "S", "Th"]);
}
