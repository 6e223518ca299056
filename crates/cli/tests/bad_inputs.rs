//! Inputs that users get wrong. Each must end with exit status 2 (or 1 where the request is sound
//! and has no answer), a message that names the thing, the value and the remedy, and no panic.

mod common;

use common::Folder;

#[test]
fn of_predict() {
    let folder = Folder::new();
    folder.file("typo.toml", "n = 3\nlamda = 1\n");
    folder.file("negative.json", "{\"n\": 100,\n \"lambda\": -1}");
    folder.file("syntax.toml", "n = = 3\n");
    folder.file("kind.json", r#"{"n": 3, "spectrum": {"kind": "powerlaw", "p": 3, "alpha": 1}}"#);
    folder.file("nofile.json", r#"{"n": 3, "spectrum": {"kind": "file", "path": "gone.npy"}}"#);
    folder.file("text.csv", "s\n1\nred\n");
    folder.file("textfile.json", r#"{"spectrum": {"kind": "file", "path": "text.csv"}}"#);
    folder.file("latin.toml", b"n = 3 # \xe9\n");
    folder.refuse(&[
        (&["predict", "rigde"], &["rigde", "did you mean `ridge`", "rmt models"]),
        (&["predict", "ridge", "gone.toml"], &["gone.toml", "No such file"]),
        (&["predict", "ridge", "typo.toml"], &["lamda", "`lambda`", "typo.toml:2:1", "^^^^^"]),
        (&["predict", "ridge", "syntax.toml"], &["not valid TOML", "syntax.toml:1:5"]),
        (&["predict", "ridge", "kind.json"], &["powerlaw", "power_law", "kind.json:1"]),
        (&["predict", "ridge", "nofile.json"], &["gone.npy", "nofile.json:1"]),
        (&["predict", "ridge", "textfile.json"], &["text.csv:3", "\"red\""]),
        (&["predict", "ridge", "latin.toml"], &["latin.toml:1", "UTF-8"]),
        (&["predict", "ridge", "--set", "lambda=-1"], &["lambda", "-1", "≥ 0"]),
        (&["predict", "ridge", "--set", "lambda"], &["KEY=VALUE"]),
        (&["predict", "ridge", "--set", "lambda=many"], &["lambda", "many"]),
        (&["predict", "ridge", "--set", "n=0"], &["n"]),
        (&["predict", "ridge", "--set", "spectrum.alpha.x=1"], &["spectrum.alpha.x"]),
        (&["predict", "ridge", "--over", "lambda=0..1:log:5"], &["above 0"]),
        (&["predict", "ridge", "--over", "lambda=-1..1:5"], &["lambda=-1", "≥ 0"]),
        (&["predict", "ridge", "--over", "lambdo=1..2:5"], &["lambdo", "`lambda`"]),
        (&["predict", "ridge", "--show", "rusk"], &["rusk", "`risk`"]),
        (&["predict", "ridge", "--simulate", "1"], &["at least 2"]),
        (&["predict", "ridge", "--out", "a.xlsx"], &["a.xlsx", ".csv or .json"]),
        (&["predict", "ridge", "--over", "n=50..60:3", "--plot", "a.gif"], &["a.gif", ".svg"]),
        (&["predict", "ridge", "--over", "n=50..60:3", "--plot", "gone/a.svg"], &["gone/a.svg"]),
        (&["--threads", "0", "predict", "ridge"], &["--threads 0"]),
    ]);
    let left: Vec<_> = std::fs::read_dir(folder.0.path()).expect("the folder").collect();
    assert_eq!(left.len(), 8, "a failed command leaves no file behind");
}

#[test]
fn of_eval_and_check() {
    let folder = Folder::new();
    folder.file("empty.json", "");
    folder.file("broken.json", "{\"cases\": [");
    folder.file("list.json", "[1, 2]");
    folder.file("nothing.json", "{}");
    folder.file("typo.json", r#"{"cases": [{"task": "ridge", "input": {}}]}"#);
    for command in ["eval", "check"] {
        folder.refuse(&[
            (&[command, "gone.json"], &["gone.json", "No such file"]),
            (&[command, "empty.json"], &["empty.json", "empty"]),
            (&[command, "broken.json"], &["broken.json", "line 1 column 11"]),
            (&[command, "list.json"], &["a list"]),
            (&[command, "nothing.json"], &["neither `cases` nor `task`"]),
            (&[command, "typo.json"], &["cases[0].input", "unknown key", "`inputs`"]),
        ]);
    }
}

/// Twelve rows: two features, a target, groups, times, weights.
fn table() -> String {
    let mut text = "a,b,y,run,t,w\n".to_owned();
    for i in 0..12_i32 {
        let (a, b) = (f64::from(i * i % 7), f64::from(i * 5 % 11));
        text += &format!("{a},{b},{},{},{i},1\n", a - 0.5 * b + 0.1 * f64::from(i % 3), i / 6);
    }
    text
}

fn edited(line: usize, from: &str, to: &str) -> String {
    let lines: Vec<String> = table()
        .lines()
        .enumerate()
        .map(|(i, l)| if i + 1 == line { l.replacen(from, to, 1) } else { l.to_owned() })
        .collect();
    lines.join("\n")
}

#[test]
fn of_fit() {
    let folder = Folder::new();
    folder.file("d.csv", table());
    folder.file("empty.csv", "");
    folder.file("header.csv", "a,b,y\n");
    folder.file("one.csv", "a,b,y\n1,2,3\n");
    folder.file("hole.csv", edited(5, "2,4,", "2,,"));
    folder.file("text.csv", edited(5, "2,4,", "2,red,"));
    folder.file("nan.csv", edited(5, "2,4,", "2,NaN,"));
    folder.file("inf.csv", edited(5, "2,4,", "2,inf,"));
    folder.file("ragged.csv", edited(5, ",1", ""));
    folder.file("twice.csv", "a,a,y\n1,2,3\n4,5,7\n");
    folder.file("flat.csv", "a,b,y\n1,2,3\n1,5,7\n1,3,9\n");
    folder.file("same.csv", "a,b,y\n1,2,3\n1,2,3\n");
    folder.file("copy.csv", "a,b,y\n1,3,3\n2,5,5\n7,9,9\n");
    folder.file("w0.csv", "a,y,w\n1,2,1\n2,3,0\n3,5,1\n");
    folder.file("wneg.csv", "a,y,w\n1,2,1\n2,3,-2\n3,5,1\n");
    folder.file("order.csv", "a,y,t\n1,2,1\n2,3,3\n3,5,2\n4,4,5\n");
    folder.file("ties.csv", "a,y,t\n1,2,1\n2,3,1\n3,5,2\n4,4,5\n");
    folder.file("split.csv", "a,y,t,g\n1,2,1,p\n2,3,1,q\n3,5,2,p\n4,4,5,q\n");
    folder.file("nogroup.csv", "a,y,g\n1,2,p\n2,3,\n3,5,q\n");
    folder.file("k3.csv", "1,0,0\n0,1,0\n0,0,1\n");
    folder.file("k23.csv", "1,0,0\n0,1,0\n");
    folder.file("asym.csv", "a,y\n1,2\n2,3\n3,5\n");
    folder.file("kbad.csv", "1,2,0\n2,1,0\n0,0,1\n");
    folder.file("kasym.csv", "1,0.5,0\n0,1,0\n0,0,1\n");
    folder.file("huge.csv", "a,b,y\n1e300,1,2\n-1e300,2,3\n5e299,3,7\n");
    folder.file("tiny.csv", "a,b,y\n1e-300,1,2\n-1e-300,2,3\n5e-301,3,7\n");
    folder.file("few.csv", "a,b,y\n1,2,3\n2,1,4\n");
    folder.file("d.parquet", "PAR1 and no more");
    folder.file("bin.npy", b"\x93NUMPY\x01\x00");
    folder.file("y.csv", "y\n1\n2\n");
    let d = "d.csv";
    folder.refuse(&[
        (&["fit", "gone.csv", "--target", "y"], &["gone.csv", "No such file"]),
        (&["fit", "empty.csv", "--target", "y"], &["empty.csv", "no data rows"]),
        (&["fit", "header.csv", "--target", "y"], &["header.csv", "no data rows"]),
        (&["fit", "one.csv", "--target", "y"], &["one.csv", "1 usable row", "at least 2"]),
        (&["fit", d], &["--target", "\"a\"", "\"y\""]),
        (&["fit", d, "--target", "z"], &["d.csv", "\"z\"", "a, b, y"]),
        (&["fit", d, "--target", "y", "--features", "a,bb"], &["\"bb\"", "did you mean \"b\""]),
        (&["fit", d, "--target", "y", "--features", "a,a"], &["\"a\" twice"]),
        (&["fit", d, "--targets", "y,y"], &["\"y\" twice"]),
        (&["fit", d, "--target", "y", "--drop", "a,b,run,t,w"], &["no column is left"]),
        (
            &["fit", "hole.csv", "--target", "y"],
            &["hole.csv:5", "\"b\"", "empty cell", "remove the row"],
        ),
        (
            &["fit", "text.csv", "--target", "y"],
            &["text.csv:5", "\"b\"", "\"red\"", "leave the column out"],
        ),
        (&["fit", "nan.csv", "--target", "y"], &["nan.csv:5", "\"NaN\"", "remove the row"]),
        (&["fit", "inf.csv", "--target", "y"], &["inf.csv:5", "\"inf\"", "finite"]),
        (&["fit", "ragged.csv", "--target", "y"], &["ragged.csv:5", "5 cells", "6"]),
        (&["fit", "twice.csv", "--target", "y"], &["columns 1 and 2", "\"a\"", "rename"]),
        (&["fit", "flat.csv", "--target", "y", "--features", "a,b"], &["\"a\"", "constant"]),
        (&["fit", "same.csv", "--target", "y"], &["\"y\" is 3", "nothing to predict"]),
        (&["fit", "copy.csv", "--target", "y"], &["\"b\" equals the target", "--lags 1"]),
        (&["fit", "w0.csv", "--target", "y", "--weights", "w"], &["w0.csv:3", "weight 0", "> 0"]),
        (&["fit", "wneg.csv", "--target", "y", "--weights", "w"], &["wneg.csv:3", "-2"]),
        (&["fit", "order.csv", "--target", "y", "--time", "t"], &["order.csv:4", "sort the rows"]),
        (&["fit", "ties.csv", "--target", "y", "--time", "t"], &["ties.csv:3", "sort the rows"]),
        (
            &["fit", "split.csv", "--target", "y", "--time", "t", "--groups", "g"],
            &["split.csv:4", "sort the rows by group"],
        ),
        (&["fit", d, "--target", "w", "--weights", "w"], &["--weights w", "to be predicted"]),
        (&["fit", d, "--target", "t", "--time", "t"], &["--time t", "another column"]),
        (&["fit", "huge.csv", "--target", "y"], &["\"a\"", "1e300", "unit"]),
        (&["fit", "tiny.csv", "--target", "y", "--standardize"], &["\"a\"", "1e-300", "unit"]),
        (&["fit", "d.parquet", "--target", "y"], &["d.parquet", "Parquet"]),
        (&["fit", "bin.npy", "--target", "y", "--stream"], &["--stream", ".npy"]),
        (&["fit", d, "--target", "y", "--stream", "--groups", "run"], &["--stream", "--groups"]),
        (&["fit", d, "--target", "y", "--stream", "--criterion", "loo"], &["--stream", "gcv"]),
        (&["fit", d, "--target", "y", "--stream"], &["the same value", "\"w\"", "--drop"]),
        (&["fit", "copy.csv", "--target", "y", "--stream"], &["\"b\" equals the target"]),
        (&["fit", "hole.csv", "--target", "y", "--stream"], &["hole.csv:5", "\"b\"", "empty"]),
        (&["fit", "few.csv", "--target", "y", "--stream"], &["2 rows"]),
        (&["fit", "nogroup.csv", "--target", "y", "--groups", "g"], &["nogroup.csv:3", "no group"]),
        (&["fit", d, "--target", "y", "--lambda", "-1"], &["-1", "≥ 0"]),
        (&["fit", d, "--target", "y", "--lambda", "nan"], &["NaN", "≥ 0"]),
        (&["fit", d, "--target", "y", "--lambda", "x"], &["--lambda", "x"]),
        (&["fit", d, "--target", "y", "--lags", "0..x"], &["--lags", "`x`"]),
        (&["fit", d, "--target", "y", "--lags", "12"], &["0 usable rows"]),
        (&["fit", d, "--target", "y", "--correlation", "gauss"], &["exponential", "power-law"]),
        (&["fit", d, "--target", "y", "--correlation", "exponential:-1"], &["-1", "positive"]),
        (&["fit", "asym.csv", "--target", "y", "--correlation", "k23.csv"], &["k23.csv", "square"]),
        (&["fit", d, "--target", "y", "--correlation", "k3.csv"], &["k3.csv", "3 rows for 12"]),
        (
            &["fit", "asym.csv", "--target", "y", "--correlation", "kbad.csv"],
            &["--correlation", "eigenvalue", "-9.99"],
        ),
        (&["fit", "asym.csv", "--target", "y", "--correlation", "kasym.csv"], &["symmetric"]),
        (&["fit", d, "--target", "y", "--criterion", "aic"], &["loo", "corr-gcv"]),
        (&["fit", d, "--target", "y", "--holdout", "first:3"], &["first", "last:25%"]),
        (&["fit", d, "--target", "y", "--holdout", "last:12"], &["--holdout", "12 rows"]),
        (&["fit", d, "--target", "y", "--holdout", "windows:10,gap:9"], &["--holdout", "window"]),
        (&["fit", d, "--target", "y", "--blocks", "13"], &["folds", "13"]),
        (&["fit", d, "--target", "y", "--folds", "1"], &["folds", "1"]),
        (&["fit", d, "--target", "y", "--out", "a.txt"], &["a.txt", ".csv or .json"]),
        (&["fit", d, "--target", "y", "--plot", "a.pdf"], &["a.pdf", ".svg"]),
        (&["fit", "bin.npy", "--target", "c1"], &["bin.npy", ".npy"]),
        (&["fit", d, "--targets", "y.csv"], &["y.csv", "2 rows", "12"]),
        (&["fit", d, "--targets", "a,y", "--plot", "a.svg"], &["one target"]),
    ]);
}

#[test]
fn of_apply() {
    let folder = Folder::new();
    folder.file("d.csv", table());
    folder.done(&["fit", "d.csv", "--target", "y", "--features", "a,b", "--save", "m.json"]);
    folder.file("missing.csv", "a,c\n1,2\n");
    folder.file("hole.csv", "a,b\n1,\n");
    folder.file("other.json", "{\"a\": 1}");
    folder.file(
        "short.json",
        folder.read("m.json").replacen("\"b\"", "\"b\", \"lag\": 0}, {\"column\": \"c\"", 1),
    );
    folder.refuse(&[
        (&["apply", "gone.json", "d.csv"], &["gone.json", "No such file"]),
        (&["apply", "other.json", "d.csv"], &["other.json", "rmt fit --save"]),
        (&["apply", "d.csv", "d.csv"], &["d.csv", "rmt fit --save"]),
        (&["apply", "m.json", "missing.csv"], &["missing.csv", "\"b\""]),
        (&["apply", "m.json", "hole.csv"], &["hole.csv:2", "\"b\"", "empty cell"]),
        (&["apply", "short.json", "d.csv"], &["short.json", "coefficients"]),
    ]);
}
