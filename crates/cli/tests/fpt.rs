//! `rmt fpt` as people run it.

use assert_cmd::Command;

fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("rmt").unwrap().arg("fpt").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

const MP: [&str; 7] = [
    "tr(inv(Z'*Z/n + lam*I(p)))",
    "--dims",
    "n=300,p=200",
    "--random",
    "Z:n×p",
    "--param",
    "lam=0.1",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    MP.iter().chain(more).copied().collect()
}

#[test]
fn an_expression_with_flags_is_a_certified_number() {
    let (status, out, err) = run(&MP);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("1.80593710404") && err.contains("certified"), "{out}{err}");
    let (_, out, _) = run(&with(&["--json", "--derivative", "lam"]));
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!((json["value"].as_f64().unwrap() - 1.8059371040391705).abs() < 1e-12);
    assert!(json["derivative"]["value"].as_f64().unwrap() < 0.0);
}

#[test]
fn mistakes_are_marked_in_the_expression() {
    let (status, _, err) = run(&["tr(Z*Z)", "--dims", "n=3,p=2", "--random", "Z:nxp"]);
    assert_eq!(status, 2);
    assert!(err.contains("n×p by n×p") && err.ends_with("    tr(Z*Z)\n         ^\n"), "{err}");
    for (arguments, word) in [
        (vec!["tr(S)", "--dims", "n"], "n=300"),
        (vec!["tr(S)", "--dims", "n=x"], "whole number"),
        (vec!["tr(S)", "--random", "Z"], "Z:n×p"),
        (vec!["tr(S)", "--spectrum", "S=power_law"], "power_law:p="),
        (vec!["tr(S)", "--param", "lam=a"], "not a number"),
        (vec!["--gallery", "ridge_bais"], "did you mean `ridge_bias`"),
        (vec!["--gallery", "ridge_bias", "--plot", "a.svg"], "--over"),
        (
            vec!["--gallery", "ridge_bias", "--over", "mu=1..2:3"],
            "neither a parameter (lam) nor a size",
        ),
        (vec!["--gallery", "ridge_bias", "--check", "1"], "at least 2"),
        (vec![], "no expression"),
        (vec!["tr(Z)", "--random", "Z:n×p"], "none is declared"),
        (vec!["tr(S)", "--dims", "n=-3"], "at least 1"),
        // What would be left undone is refused.
        (vec!["--gallery", "ridge_bias", "--latex", "--plot", "a.svg"], "--over"),
        (vec!["--gallery", "ridge_bias", "--over", "lam=1..2:3", "--check", "5"], "--check"),
        (vec!["--gallery", "ridge_bias", "--over", "lam=1..2:3", "--latex"], "--latex"),
    ] {
        let (status, out, err) = run(&arguments);
        assert_eq!(status, 2, "{arguments:?}: {out}{err}");
        assert!(err.contains(word), "{arguments:?}: {err}");
    }
}

#[test]
fn without_a_certificate_there_is_no_number() {
    let arguments = ["tr(inv(A - 0.5*I(p)))", "--dims", "p=200", "--random", "A:p×p:1/p"];
    let (status, out, err) = run(&arguments);
    assert_eq!((status, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("not_certified") && err.contains("rho"), "{err}");
}

#[test]
fn curves_densities_checks_and_figures() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (svg, csv) = (path("f.svg"), path("d.csv"));
    let (status, out, err) =
        run(&with(&["--over", "lam=1e-3..1:log:5", "--plot", &svg, "--out", &csv]));
    assert_eq!(status, 0, "{err}");
    assert_eq!(out.lines().count(), 6, "{out}");
    assert!(std::fs::read_to_string(&svg).unwrap().contains("<svg"));
    assert_eq!(std::fs::read_to_string(&csv).unwrap().lines().count(), 6);
    let (status, out, _) = run(&with(&["--over", "n=100..300:3", "--json"]));
    assert_eq!((status, out.matches("\"value\"").count()), (0, 3), "{out}");
    let density = [
        "tr(inv(Z'*Z/n - z*I(p)))",
        "--dims",
        "n=300,p=200",
        "--random",
        "Z:n×p",
        "--param",
        "z=0",
        "--density",
        "z=0.5..1.5:3",
    ];
    let (status, out, err) = run(&density);
    assert!(status == 0 && out.contains("0.2585417"), "{out}{err}");
    let small = [
        "tr(inv(Z'*Z/n + lam*I(p)))",
        "--dims",
        "n=30,p=20",
        "--random",
        "Z:n×p",
        "--param",
        "lam=0.1",
        "--check",
        "20",
        "--signs",
    ];
    let (status, out, err) = run(&small);
    assert!(status == 0 && out.contains("simulated ×2"), "{out}{err}");
}

#[test]
fn formulas_and_programs() {
    for (flag, word) in [
        ("--explain", "2. linearisation"),
        ("--system", "solve"),
        ("--latex", "\\begin{align*}"),
        ("--python", "def limit("),
        ("--rust", "pub fn limit("),
        ("--pencil", "\"blocks\""),
    ] {
        let (status, out, err) = run(&["--gallery", "ridge_bias", flag]);
        assert!(status == 0 && out.contains(word), "{flag}: {out}{err}");
    }
    // A rotated matrix has no system in symbols; the steps up to it can be shown.
    let (status, out, _) = run(&["--gallery", "rotated_projection", "--explain"]);
    assert!(status == 0 && out.contains("3. Dyson") && out.contains("R-transform"), "{out}");
    let (status, _, err) = run(&["--gallery", "rotated_projection", "--latex"]);
    assert!(status == 2 && err.contains("random.X"), "{err}");
    let (status, out, _) = run(&["--gallery"]);
    assert!(status == 0 && out.lines().count() > 16, "{out}");
}

#[test]
fn a_problem_file_with_a_matrix_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.csv"), "s\n2\n1\n0.5\n").unwrap();
    let file = folder.path().join("problem.toml");
    std::fs::write(
        &file,
        "expression = \"tr(S*inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p)))\"\n[dims]\nn = 5\np = 3\n\
         [parameters]\nlam = 0.1\n[random.Z]\nrows = \"n\"\ncols = \"p\"\nvariance = \"1\"\n\
         [deterministic.S]\nkind = \"file\"\npath = \"s.csv\"\n",
    )
    .unwrap();
    let (status, from_file, err) = run(&[file.to_str().unwrap(), "--json"]);
    assert_eq!(status, 0, "{err}");
    let (_, from_flags, err) = run(&[
        "tr(S*inv(sqrt(S)*Z'*Z*sqrt(S)/n + lam*I(p)))",
        "--dims",
        "n=5,p=3",
        "--param",
        "lam=0.1",
        "--random",
        "Z:n×p",
        "--spectrum",
        "S=2,1,0.5",
        "--json",
    ]);
    assert_eq!(from_file, from_flags, "{err}");
}
