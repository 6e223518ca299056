//! `init` and `schema`: templates that compute as they are, schemas that know every key.

mod common;

use common::Folder;
use serde_json::Value as Json;

/// Catches a template that is no TOML, loses or changes an input, or hides one that exists; and examples
/// that TOML cannot say (it has no null).
#[test]
fn the_template_of_every_task_is_its_example_and_names_every_input() {
    let folder = Folder::new();
    for task in rmt_cli::tasks() {
        let name = task.card().name;
        let text = folder.done(&["init", name]);
        let read: Json = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}\n{text}"));
        let example: Json = serde_json::from_str(task.card().example).unwrap();
        assert_eq!(read, example, "{name}");
        let schema = task.schema();
        for (key, property) in schema.get("properties").and_then(Json::as_object).unwrap() {
            let lines = [
                format!("{key} = "),
                format!("# {key} = "),
                format!("[{key}]"),
                format!("# [{key}]"),
            ];
            let count = text.lines().filter(|l| lines.iter().any(|s| l.starts_with(s))).count();
            assert_eq!(count, 1, "{name}: `{key}` in\n{text}");
            let description = property["description"].as_str().unwrap().lines().next().unwrap();
            assert!(text.contains(&format!("# {description}")), "{name}: {key}");
        }
    }
}

/// Catches a template that `predict` refuses or answers otherwise than the example. One thread of work:
/// `population_fit` alone takes seconds.
#[test]
fn the_template_of_every_task_computes_what_its_example_does() {
    let folder = Folder::new();
    for task in rmt_cli::tasks() {
        let name = task.card().name;
        folder.done(&["init", name, "--out", &format!("{name}.toml")]);
        let answer = |json: &str| -> Json { serde_json::from_str(json).unwrap() };
        let template = answer(&folder.done(&["predict", name, &format!("{name}.toml"), "--json"]));
        assert!(template["values"].as_object().is_some_and(|v| !v.is_empty()), "{name}");
        if name != "population_fit" {
            let example = answer(&folder.done(&["predict", name, "--json"]));
            assert_eq!(template["values"], example["values"], "{name}");
        }
    }
}

#[test]
fn the_template_of_a_sweep_runs() {
    let folder = Folder::new();
    folder.done(&["init", "sweep", "--out", "s.toml"]);
    let text = folder.read("s.toml");
    for key in ["model = \"ridge\"", "# draws = <integer ≥ 2>", "# seed = ", "[inputs]", "[axes]"]
    {
        assert!(text.contains(key), "{key} in\n{text}");
    }
    folder.done(&["sweep", "run", "s.toml", "--out", "d"]);
    folder.done(&["sweep", "collect", "d", "--out", "d.csv"]);
    assert_eq!(folder.read("d.csv").lines().count(), 61);
}

#[test]
fn a_template_never_replaces_a_file() {
    let folder = Folder::new();
    folder.file("mine.toml", "n = 3\n");
    folder.refuse(&[
        (&["init", "ridge", "--out", "mine.toml"], &["mine.toml", "stays as it is"]),
        (&["init", "rigde"], &["rigde", "`ridge`"]),
        (&["init", "ridge", "--out", "gone/mine.toml"], &["gone/mine.toml"]),
        (&["schema", "rigde"], &["rigde", "`ridge`"]),
    ]);
    assert_eq!(folder.read("mine.toml"), "n = 3\n");
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 1, "no leftover");
}

/// Catches a schema that editors would reject good files by.
#[test]
fn schemas_know_the_keys_of_every_example() {
    let folder = Folder::new();
    let known = |name: &str, example: &Json| {
        let schema: Json = serde_json::from_str(&folder.done(&["schema", name])).unwrap();
        assert_eq!(schema["type"], "object", "{name}");
        assert_eq!(schema["additionalProperties"], false, "{name}");
        for key in example.as_object().unwrap().keys() {
            assert!(schema["properties"][key].is_object(), "{name}: {key}");
        }
        for key in schema["required"].as_array().unwrap() {
            assert!(example.get(key.as_str().unwrap()).is_some(), "{name}: {key}");
        }
    };
    for task in rmt_cli::tasks() {
        known(task.card().name, &serde_json::from_str(task.card().example).unwrap());
    }
    known("sweep", &toml::from_str(&folder.done(&["init", "sweep"])).unwrap());
}

/// Catches a form of file that one command reads and another does not, and errors without their place.
#[test]
fn errors_are_shown_in_place_in_toml_and_json() {
    let folder = Folder::new();
    folder.file("p.toml", "expresion = \"tr(I(p))\"\n[dims]\np = 3\n");
    folder.file("p.json", "{\"dims\": {\"p\": 3},\n \"expresion\": \"tr(I(p))\"}");
    folder.file("q.toml", "expression = \"tr(I(p))\"\n[dims]\np = -3\n");
    folder.file("m.toml", "[parametrs]\nk = 10\n");
    folder.file("m.json", "{\"parameters\": {\"k\": \"ten\"}}");
    folder.file("n.toml", "nonsense = 1\n[parameters]\nr = 1\n");
    folder.file("cases.toml", "[[cases]]\ntask = \"ridge\"\ninput = 3\n");
    folder.file("cases.json", "{\"cases\": [\n {\"task\": 3, \"inputs\": {}}]}");
    folder.file(
        "r.toml",
        "n = 1\nlambda = 0\nspectrum = { kind = \"linear\", p = 3, form = 1, to = 2 }\n",
    );
    folder.file("s.toml", "[inputs]\nn = 3\n[axes]\nn = [1]\n");
    folder.refuse(&[
        (&["fpt", "p.toml"], &["expresion", "did you mean `expression`", "p.toml:1:1"]),
        (&["fpt", "p.json"], &["expresion", "did you mean `expression`", "p.json:2:2"]),
        (&["fpt", "q.toml"], &["dims.p", "q.toml:3:5"]),
        (&["population", "equilibria", "m.toml"], &["parametrs", "`parameters`", "m.toml:1:2"]),
        (&["population", "simulate", "m.json"], &["parameters.k", "m.json:1:22"]),
        (&["check", "cases.toml"], &["cases[0].input", "did you mean `inputs`", "cases.toml:3:1"]),
        (&["eval", "cases.json"], &["cases[0].task", "cases.json:2:11"]),
        (
            &["predict", "ridge", "r.toml"],
            &["spectrum.from", "is it what `form` means", "r.toml:3:"],
        ),
        (&["sweep", "run", "s.toml", "--out", "d"], &["model"]),
    ]);
}
