use crate::arrays::read_npy;
use crate::files::{extension, read_bytes};
use crate::table::Table;
use serde_json::{Value as Json, json};
use std::path::Path;

/// Places of all `{"kind": "file", …}` inside a value.
pub(super) fn references(value: &Json, here: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    if value.get("kind").and_then(Json::as_str) == Some("file") {
        found.push(here.clone());
        return;
    }
    let mut descend = |part: String, value: &Json| {
        here.push(part);
        references(value, here, found);
        here.pop();
    };
    match value {
        Json::Object(map) => map.iter().for_each(|(key, v)| descend(key.clone(), v)),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| descend(i.to_string(), v));
        }
        _ => {}
    }
}

/// The contents of a file: a vector as `explicit`, a matrix as `dense`; as bare lists where the
/// task takes such (`plain`).
pub(super) fn load(reference: &Json, folder: &Path, plain: bool) -> Result<Json, String> {
    let keys = ["kind", "path", "column"];
    let unknown =
        reference.as_object().into_iter().flatten().find(|(k, _)| !keys.contains(&k.as_str()));
    if let Some((key, _)) = unknown {
        return Err(format!("unknown key `{key}` of a file, known are {}", keys.join(", ")));
    }
    let path = reference
        .get("path")
        .and_then(Json::as_str)
        .ok_or("a file needs its `path`, as in {\"kind\": \"file\", \"path\": \"spectrum.npy\"}")?;
    let place = folder.join(path).to_string_lossy().into_owned();
    let bytes = read_bytes(&place).map_err(|e| e.text().to_owned())?;
    let column = reference.get("column").and_then(Json::as_str);
    let rows = match extension(path).as_str() {
        "npy" if column.is_some() => return Err("`column` is for .csv files only".into()),
        "npy" => {
            let array = read_npy(path, &bytes)?;
            let width = array.shape.get(1).copied().unwrap_or(1).max(1);
            array.values.chunks(width).map(<[f64]>::to_vec).collect::<Vec<_>>()
        }
        "csv" | "tsv" | "txt" => {
            let table = Table::parse(path, &bytes).map_err(|e| e.to_string())?;
            let positions = match column {
                Some(column) => vec![table.position(column).map_err(|e| e.to_string())?],
                None => (0..table.header().len()).collect(),
            };
            let columns = positions.into_iter().map(|p| table.numbers(p));
            let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
            (0..table.rows()).map(|i| columns.iter().map(|c| c[i]).collect()).collect()
        }
        other => return Err(format!("{path}: a file ending in \".{other}\"; give .npy or .csv")),
    };
    let vector: Option<Vec<f64>> = if rows.iter().all(|r| r.len() == 1) {
        Some(rows.iter().map(|r| r[0]).collect())
    } else {
        (rows.len() == 1).then(|| rows[0].clone())
    };
    Ok(match (vector, plain) {
        (Some(values), true) => json!(values),
        (Some(values), false) => json!({"kind": "explicit", "values": values}),
        (None, true) => json!(rows),
        (None, false) => json!({"kind": "dense", "values": rows}),
    })
}
