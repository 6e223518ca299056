//! The file that states a sweep, read and resolved.

use crate::failure::{Failure, Result};
use crate::grid::{Axis, Grid, Swept, keys_of, whole};
use crate::inputs::{Inputs, KeyPath, is_integer};
use crate::registry::Registry;
use rmt_task::{Draw, ErrorKind, Registration, TaskError, nearest};
use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

/// Points of a sweep at most.
const MOST: usize = 10_000_000;

/// A sweep: one task at every combination of the values of some inputs.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Sweep")]
pub(crate) struct Definition {
    /// Name of the task, as `rmt models` lists them.
    model: String,
    /// Inputs that stay the same, as `rmt explain` lists them: a table, or the name of a TOML or JSON
    /// file, relative to this one. Without it the task's example.
    #[schemars(schema_with = "table_or_text")]
    #[serde(default)]
    inputs: Json,
    /// Inputs that vary: key → list of values, or a range "FROM..TO:COUNT" or "FROM..TO:log:COUNT".
    /// Keys are places such as n, spectrum.alpha or "widths[0]"; keys that move together are one key
    /// with commas between, "spectrum.p,target.p". The last axis runs fastest.
    #[schemars(schema_with = "axes_schema")]
    axes: Json,
    /// Number of finite-size experiments beside the theory at every point, at least 2; none without it.
    #[schemars(range(min = 2))]
    draws: Option<usize>,
    /// Seed of the whole sweep; every point and draw has a seed of its own, fixed by this one.
    #[serde(default)]
    seed: u64,
    /// Quantities to record, as `rmt explain` lists them; all without it.
    observables: Option<Vec<String>>,
    /// Version of rmt that the sweep is for; another one refuses it. Any without it.
    rmt: Option<String>,
}

fn table_or_text(_: &mut schemars::SchemaGenerator) -> Schema {
    json_schema!({"type": ["object", "string"], "default": null})
}

fn axes_schema(_: &mut schemars::SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {"anyOf": [
            {"type": "array", "minItems": 1},
            {"type": "string"},
            {"type": "object", "description": "Axes below this key."}
        ]}
    })
}

/// A sweep with everything looked up and checked.
pub(super) struct Sweep {
    pub(super) task: Registration,
    pub(super) grid: Grid,
    pub(super) draws: Option<usize>,
    pub(super) seed: u64,
    /// Quantities to record, `None` for all.
    pub(super) observables: Option<Vec<String>>,
    fixed: Json,
}

impl Sweep {
    /// Reads a sweep file, or standard input for `-`; one of another version of rmt for
    /// `any_version` only.
    pub(super) fn read(path: &str, registry: &Registry, any_version: bool) -> Result<Self> {
        let file = Inputs::read(path)?;
        let definition: Definition = rmt_task::read(&file.value).map_err(|e| file.failure(e))?;
        let wrong = |key: &str, message: String| {
            file.failure_at(&KeyPath::parse(key), TaskError::invalid(key, message))
        };
        if let Some(version) = &definition.rmt
            && version != env!("CARGO_PKG_VERSION")
            && !any_version
        {
            let here = env!("CARGO_PKG_VERSION");
            return Err(wrong(
                "rmt",
                format!(
                    "the sweep is for version {version}, this is {here}, whose numbers may differ; \
                     take that version, or remove the line and begin in another folder"
                ),
            ));
        }
        let task = *registry.find(&definition.model).map_err(|e| {
            file.failure_at(&KeyPath::parse("model"), TaskError { key: Some("model".into()), ..e })
        })?;
        if definition.draws.is_some() && !task.simulates() {
            let name = task.card().name;
            return Err(wrong(
                "draws",
                format!("`{name}` has no finite-size simulation; remove the line"),
            ));
        }
        if let Some(draws @ (0 | 1)) = definition.draws {
            return Err(wrong("draws", format!("{draws}: a standard error needs at least 2")));
        }
        if let Some(names) = &definition.observables {
            check_names(names, &task).map_err(|e| wrong("observables", e))?;
        }
        let mut inputs = match &definition.inputs {
            Json::Null => Inputs::example(task.card())?,
            Json::String(name) => Inputs::read(&file.beside(name))?,
            Json::Object(_) => file.part("inputs").ok_or_else(|| Failure::input("no inputs"))?,
            other => return Err(wrong("inputs", format!("{other} is neither a table nor a file"))),
        };
        inputs.load_files(&task.schema())?;
        let axes = Axes::read(&definition.axes, &task.schema()).map_err(|(place, message)| {
            let label =
                format!("axes{}{}", if place.is_empty() { "" } else { "." }, place.join("."));
            let place = KeyPath::of([&["axes".to_owned()][..], &place].concat());
            file.failure_at(&place, TaskError::invalid(label, message))
        })?;
        let grid = Grid::new(inputs.value.clone(), axes.swept).map_err(|e| wrong("axes", e))?;
        check_values(&task, &grid, |axis, position, error| match axis {
            Some(axis) => {
                let mut place = axes.places[axis].clone();
                if error.kind != ErrorKind::UNKNOWN_KEY {
                    place.push(position.to_string());
                }
                file.failure_at(&KeyPath::of(place), error)
            }
            None => inputs.failure(error),
        })?;
        let Definition { draws, seed, observables, .. } = definition;
        Ok(Self { task, grid, draws, seed, observables, fixed: inputs.value })
    }

    /// The seed of the experiments at a point: `rmt predict --seed` with it repeats them.
    pub(super) fn seed_of(&self, id: usize) -> u64 {
        Draw { seed: self.seed, index: id as u64 }.stream()
    }

    /// The sweep as a file with nothing left to look up: equal sweeps have equal ones.
    pub(super) fn resolved(&self) -> Json {
        let mut file = Map::new();
        file.insert("rmt".into(), env!("CARGO_PKG_VERSION").into());
        file.insert("model".into(), self.task.card().name.into());
        file.insert("inputs".into(), self.fixed.clone());
        let axes = self.grid.axes().iter();
        let axes: Map<_, _> = axes.map(|a| (a.label.clone(), json!(a.values))).collect();
        file.insert("axes".into(), axes.into());
        if let Some(draws) = self.draws {
            file.insert("draws".into(), draws.into());
        }
        file.insert("seed".into(), self.seed.into());
        if let Some(names) = &self.observables {
            file.insert("observables".into(), json!(names));
        }
        file.into()
    }
}

fn check_names(names: &[String], task: &Registration) -> std::result::Result<(), String> {
    let known = || task.card().observables.iter().map(|(n, _)| *n);
    if names.is_empty() {
        return Err("an empty list records nothing; name quantities, or leave the key out".into());
    }
    for name in names {
        if !known().any(|k| k == name) {
            let hint = nearest(name, known()).map(|k| format!("; did you mean `{k}`?"));
            let list = known().collect::<Vec<_>>().join(", ");
            return Err(format!(
                "no quantity `{name}`, known are {list}{}",
                hint.unwrap_or_default()
            ));
        }
    }
    Ok(())
}

/// The axes of a file, and where in the file each has its values.
struct Axes {
    swept: Vec<Swept>,
    places: Vec<Vec<String>>,
}

/// A place below `axes` and what is wrong there.
type Misplaced = (Vec<String>, String);

impl Axes {
    fn read(value: &Json, schema: &Schema) -> std::result::Result<Self, Misplaced> {
        let mut axes = Self { swept: Vec::new(), places: Vec::new() };
        axes.add(value, &[], schema)?;
        let mut points = 1_usize;
        for axis in &axes.swept {
            points = points.saturating_mul(axis.values.len());
        }
        if axes.swept.is_empty() {
            let message = "no axis; let one input vary, or ask `rmt predict` for a single point";
            return Err((Vec::new(), message.into()));
        }
        if points > MOST {
            let message = format!("{points} points, at most {MOST} are possible; split the sweep");
            return Err((Vec::new(), message));
        }
        Ok(axes)
    }

    /// Adds an axis, or the axes of a table: `spectrum.alpha = …` of TOML is a table.
    fn add(
        &mut self,
        value: &Json,
        place: &[String],
        schema: &Schema,
    ) -> std::result::Result<(), Misplaced> {
        let wrong = |message: String| (place.to_vec(), message);
        let label = place.join(".");
        let swept = match value {
            Json::Object(map) => {
                return map.iter().try_for_each(|(key, value)| {
                    self.add(value, &[place, std::slice::from_ref(key)].concat(), schema)
                });
            }
            Json::String(range) => Axis::of(&label, range, schema)
                .map_err(|e| {
                    wrong(format!(
                        "\"{range}\": {e}; write \"FROM..TO:COUNT\", \"FROM..TO:log:COUNT\" or a list"
                    ))
                })?
                .swept(),
            Json::Array(values) if values.is_empty() => {
                return Err(wrong("no values, so the sweep has no points; list at least one".into()));
            }
            Json::Array(values) => {
                let keys = keys_of(&label).map_err(wrong)?;
                let integer = keys.iter().any(|k| is_integer(schema, k));
                let written = |value: &Json| match value.as_f64() {
                    Some(x) if integer => whole(x),
                    _ => value.clone(),
                };
                Swept { keys, label, values: values.iter().map(written).collect() }
            }
            other => return Err(wrong(format!("{other}: expected a list of values or a range"))),
        };
        self.swept.push(swept);
        self.places.push([&["axes".to_owned()][..], place].concat());
        Ok(())
    }
}

/// Whether every value of every axis can be read by the task, the other axes at their first:
/// misspelt keys and wrong types show before anything is computed. `explain` is told the axis and
/// the position on it, or `None` where the fixed inputs are wrong.
fn check_values(
    task: &Registration,
    grid: &Grid,
    explain: impl Fn(Option<usize>, usize, TaskError) -> Failure,
) -> Result<()> {
    for (axis, swept) in grid.axes().iter().enumerate() {
        for index in 0..swept.values.len() {
            let mut position = vec![0; grid.axes().len()];
            position[axis] = index;
            let inputs = grid.placed(&position).map_err(Failure::input)?;
            let Err(error) = task.check(&inputs) else { continue };
            let key = error.key.as_deref().map(KeyPath::parse);
            let of = |a: &Swept| {
                key.iter().any(|e| a.keys.iter().any(|k| k.contains(e) || e.contains(k)))
            };
            // Another axis is wrong at its first value: its own turn shows it.
            let guilty = grid.axes().iter().position(of);
            return Err(match guilty {
                Some(guilty) if guilty == axis => explain(Some(axis), index, error),
                Some(guilty) => explain(Some(guilty), 0, error),
                None if error.kind == ErrorKind::UNKNOWN_KEY || index == 0 => {
                    explain(None, 0, error)
                }
                None => explain(Some(axis), index, error),
            });
        }
    }
    Ok(())
}
