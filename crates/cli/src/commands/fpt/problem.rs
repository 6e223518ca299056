//! The problem that a command line states: a file, an example or an expression, and flags on top.

use super::{Args, Declare};
use crate::failure::{Failure, Result};
use crate::inputs::{Inputs, KeyPath};
use rmt_fpt::{Problem, gallery};
use rmt_task::{ErrorKind, TaskError, nearest};
use serde_json::{Value as Json, json};
use std::path::Path;

/// The inputs with all flags applied.
pub(super) fn inputs(args: &Args) -> Result<Inputs> {
    let mut inputs = match (&args.source, &args.gallery) {
        (Some(source), _) if is_file(source) => Inputs::read(source)?,
        (Some(expression), _) => {
            let mut inputs = Inputs::parse("the command line", "{\"dims\": {}}".to_owned())?;
            inputs.set(&KeyPath::parse("expression"), json!(expression))?;
            inputs
        }
        (None, Some(name)) => {
            let Some(example) = gallery().iter().find(|e| e.name == name) else {
                let hint = nearest(name, gallery().iter().map(|e| e.name))
                    .map(|k| format!("did you mean `{k}`? "))
                    .unwrap_or_default();
                return Err(Failure::input(format!(
                    "no example \"{name}\": {hint}`rmt fpt --gallery` lists them all"
                )));
            };
            Inputs::parse(&format!("the example {name}"), example.json.to_owned())?
        }
        (None, None) => {
            return Err(Failure::input(
                "no expression: rmt fpt \"tr(inv(Z'*Z/n + lam*I(p)))\" --dims … --random …, a \
                 problem file, or --gallery for examples",
            ));
        }
    };
    declare(&mut inputs, &args.declare)?;
    if let Some(task) = rmt_fpt::tasks().first() {
        inputs.load_files(&task.schema())?;
    }
    Ok(inputs)
}

/// A file is `-`, exists, or is named like one.
fn is_file(source: &str) -> bool {
    source == "-"
        || [".toml", ".json"].iter().any(|end| source.ends_with(end))
        || Path::new(source).is_file()
}

/// The problem itself.
pub(super) fn read(inputs: &Inputs) -> Result<Problem> {
    rmt_task::read(&inputs.value).map_err(|e| inputs.failure(e))
}

/// An error of the library: a text that cannot be read is a request that cannot be read.
pub(super) fn failure(inputs: &Inputs, error: rmt_fpt::Error) -> Failure {
    use rmt_fpt::Error::{Shape, Syntax, UnknownName};
    let unreadable = matches!(error, Syntax { .. } | Shape { .. } | UnknownName { .. });
    let mut error = TaskError::from(error);
    if unreadable {
        error.kind = ErrorKind::INVALID_INPUT;
    }
    inputs.failure(error)
}

fn declare(inputs: &mut Inputs, flags: &Declare) -> Result<()> {
    for text in &flags.dims {
        let (name, size) = split(text, '=', "--dims", "n=300")?;
        let size: usize = size.parse().map_err(|_| {
            Failure::input(format!("--dims {text}: `{size}` is not a whole number of at least 1"))
        })?;
        set(inputs, "dims", name, json!(size))?;
    }
    for text in &flags.random {
        let usage =
            "Z:n×p, Z:n×p:1/p, H:p×p:1/p:goe or X:p×p:levels:values=[1,0],counts=[5,5]:haar";
        let (name, rest) = split(text, ':', "--random", usage)?;
        let mut parts = rest.split(':');
        let shape = parts.next().unwrap_or_default();
        let (rows, cols) = shape
            .split_once('×')
            .or_else(|| shape.split_once('x').filter(|(_, c)| !c.contains('x')))
            .or_else(|| shape.split_once(','))
            .ok_or_else(|| Failure::input(format!("--random {text}: write {usage}")))?;
        let law = rest.strip_suffix(":haar").and_then(|r| r.split_once(':')).map(|(_, law)| law);
        let mut random = json!({"rows": rows, "cols": cols});
        if rest.ends_with(":haar") {
            let law = law.and_then(spectrum);
            random["kind"] = json!("haar");
            random["spectrum"] =
                law.ok_or_else(|| Failure::input(format!("--random {text}: write {usage}")))?;
        } else {
            random["variance"] = json!(parts.next().filter(|v| !v.is_empty()).unwrap_or("1"));
            if let Some(kind) = parts.next() {
                random["kind"] = json!(kind);
            }
        }
        set(inputs, "random", name, random)?;
    }
    for text in &flags.spectrum {
        let usage = "S=power_law:p=200,alpha=1, S=3,1,0.5 or S=cov.npy";
        let (name, law) = split(text, '=', "--spectrum", usage)?;
        let law = spectrum(law)
            .ok_or_else(|| Failure::input(format!("--spectrum {text}: write {usage}")))?;
        set(inputs, "deterministic", name, law)?;
    }
    for text in &flags.shape {
        let (name, shape) = split(text, '=', "--shape", "R=n,p")?;
        let (rows, cols) = split(shape, ',', "--shape", "R=n,p")?;
        set(inputs, "deterministic_shapes", name, json!([rows, cols]))?;
    }
    for text in &flags.param {
        let (name, value) = split(text, '=', "--param", "lam=0.1")?;
        let value = scalar(value).ok_or_else(|| {
            Failure::input(format!(
                "--param {text}: `{value}` is not a number; write lam=0.1 or z=1.5+0.1i"
            ))
        })?;
        set(inputs, "parameters", name, value)?;
    }
    Ok(())
}

fn set(inputs: &mut Inputs, group: &str, name: &str, value: Json) -> Result<()> {
    inputs.set(&KeyPath::parse(&format!("{group}.{name}")), value)
}

fn split<'a>(text: &'a str, at: char, flag: &str, usage: &str) -> Result<(&'a str, &'a str)> {
    match text.split_once(at) {
        Some((name, rest)) if !name.trim().is_empty() => Ok((name.trim(), rest.trim())),
        _ => Err(Failure::input(format!("{flag} {text}: write {usage}"))),
    }
}

/// A law with its keys, a list of numbers, or a file.
fn spectrum(text: &str) -> Option<Json> {
    if [".npy", ".csv", ".tsv", ".txt"].iter().any(|end| text.ends_with(end)) {
        return Some(json!({"kind": "file", "path": text}));
    }
    let list: std::result::Result<Vec<f64>, _> =
        text.split(',').map(|x| x.trim().parse::<f64>()).collect();
    if let Ok(values) = list {
        return Some(json!({"kind": "explicit", "values": values}));
    }
    let (kind, keys) = text.split_once(':')?;
    let mut law = json!({"kind": kind});
    for part in keys.split(',') {
        let (key, value) = part.split_once('=')?;
        law[key.trim()] = crate::inputs::value_of(value.trim());
    }
    Some(law)
}

/// A number, or a complex number as `1.5+0.1i` or `[1.5, 0.1]`.
fn scalar(text: &str) -> Option<Json> {
    if let Ok(x) = text.parse::<f64>() {
        return x.is_finite().then(|| json!(x));
    }
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    let body = text.strip_suffix('i')?;
    // The sign between the parts, not one of an exponent.
    let at = body
        .char_indices()
        .skip(1)
        .filter(|(i, c)| matches!(c, '+' | '-') && !body[..*i].ends_with(['e', 'E']))
        .map(|(i, _)| i)
        .last();
    let (re, im) = body.split_at(at.unwrap_or(0));
    let im = match im {
        "" | "+" => 1.0,
        "-" => -1.0,
        im => im.parse::<f64>().ok()?,
    };
    let re = if re.is_empty() { 0.0 } else { re.parse().ok()? };
    Some(json!([re, im]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complex_numbers_as_people_write_them() {
        for (text, wanted) in [
            ("0.1", json!(0.1)),
            ("1.5+0.1i", json!([1.5, 0.1])),
            ("1e-3-2e-6i", json!([1e-3, -2e-6])),
            ("-2i", json!([0.0, -2.0])),
            ("1+i", json!([1.0, 1.0])),
            ("[1, 2]", json!([1, 2])),
        ] {
            assert_eq!(scalar(text), Some(wanted), "{text}");
        }
        assert_eq!(scalar("lam"), None);
        assert_eq!(scalar("nan"), None);
        assert_eq!(scalar("1+2j"), None);
    }

    #[test]
    fn spectra_as_laws_lists_and_files() {
        let law = json!({"kind": "power_law", "p": 200, "alpha": 1.5});
        assert_eq!(spectrum("power_law:p=200,alpha=1.5"), Some(law));
        assert_eq!(spectrum("3,1"), Some(json!({"kind": "explicit", "values": [3.0, 1.0]})));
        assert_eq!(spectrum("a.npy"), Some(json!({"kind": "file", "path": "a.npy"})));
        assert_eq!(spectrum("power_law"), None);
    }
}
