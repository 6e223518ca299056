use crate::failure::Result;
use crate::output::{print, prose_table};
use crate::registry::Registry;
use schemars::Schema;
use serde_json::Value as Json;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Task name, as `rmt models` lists them.
    task: String,
    /// Print the equations as the body of a LaTeX `align*` only.
    #[arg(long)]
    latex: bool,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    let task = registry.find(&args.task)?;
    let card = task.card();
    if args.latex {
        print(card.latex)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = format!("{}: {}\n\n", card.name, card.summary);
    for line in card.equations.lines() {
        text += &format!("  {line}\n");
    }
    text += "\nInputs\n";
    text += &indent(&prose_table(&["key", "type", "meaning"], &inputs(&task.schema())));
    text += "\nResults\n";
    let results: Vec<_> =
        card.observables.iter().map(|(n, m)| vec![(*n).into(), (*m).into()]).collect();
    text += &indent(&prose_table(&["quantity", "meaning"], &results));
    if task.simulates() {
        text += &format!(
            "\n`rmt predict {} --simulate 50` sets finite-size draws beside the theory.\n",
            card.name
        );
    }
    text += &format!("\nExample inputs\n{}\n", indent(card.example));
    if !card.references.is_empty() {
        text += "\nSources\n";
        for reference in card.references {
            text += &format!("  {}\n", reference.line());
        }
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn indent(text: &str) -> String {
    text.lines().map(|l| format!("  {l}\n")).collect()
}

/// One row per input: key (with `*` when it must be given), type, description.
fn inputs(schema: &Schema) -> Vec<Vec<String>> {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Json::as_array)
        .map(|keys| keys.iter().filter_map(Json::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
        return Vec::new();
    };
    properties
        .iter()
        .map(|(key, property)| {
            let star = if required.contains(&key.as_str()) { "*" } else { "" };
            let meaning = property.get("description").and_then(Json::as_str).unwrap_or("");
            vec![format!("{key}{star}"), type_name(property), meaning.replace('\n', " ")]
        })
        .collect()
}

fn type_name(property: &Json) -> String {
    if let Some(reference) = property.get("$ref").and_then(Json::as_str) {
        return reference.rsplit('/').next().unwrap_or(reference).to_owned();
    }
    let named = |v: &Json| v.as_str().filter(|t| *t != "null").map(str::to_owned);
    let base = match property.get("type") {
        Some(Json::Array(types)) => types.iter().filter_map(named).collect::<Vec<_>>().join(" or "),
        Some(other) => named(other).unwrap_or_default(),
        None => {
            let options = ["anyOf", "oneOf"].iter().find_map(|k| property.get(*k));
            let options = options.and_then(Json::as_array).map(Vec::as_slice).unwrap_or(&[]);
            let names: Vec<_> = options.iter().map(type_name).filter(|t| !t.is_empty()).collect();
            names.join(" or ")
        }
    };
    if base == "array" {
        let items = property.get("items").map(type_name).unwrap_or_default();
        return format!("list of {items}");
    }
    base
}
