use super::model::{ModelArgs, pick, state, task};
use super::{deliver, portrait};
use crate::args::Output;
use crate::failure::{Failure, Result};
use crate::figure::{Axis, Content, Figure, Mark, Role, Series};
use crate::files::cell;
use crate::output::{number, table};
use rmt_dynamics::{Settings, equilibria, local_sensitivity, simulate};
use rmt_task::{Observables, Value};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  rmt population equilibria                                  of the example
  rmt population equilibria --set k=20 --plot plane.svg      with a phase portrait
  rmt population equilibria --model lotka_volterra mine.toml";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    pub(super) output: Output,
}

pub(crate) fn run(args: &Args) -> Result {
    let task = task("population_equilibria")?;
    let chosen = args.model.read(&task, &[])?;
    let failed = |e: rmt_dynamics::Error| chosen.inputs.failure(e.into());
    let all = equilibria(chosen.model, &chosen.parameters).map_err(failed)?;
    let mut inputs = chosen.inputs.value.clone();
    // A file that serves `simulate` as well may say more.
    if let Some(map) = inputs.as_object_mut() {
        map.retain(|key, _| ["parameters", "model"].contains(&key.as_str()));
    }
    let values = task.evaluate(&inputs).map_err(|e| chosen.inputs.failure(e))?;
    let names: Vec<&str> = chosen.model.species().iter().map(|s| s.name).collect();
    let mut header = vec!["equilibrium"];
    header.extend(&names);
    header.extend(["kind", "largest Re λ", "its |Im λ|"]);
    let mut rows = Vec::new();
    let mut csv = vec![header.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>()];
    for e in &all {
        let last = e.stability.eigenvalues.last().copied().unwrap_or_default();
        let line = |show: &dyn Fn(f64) -> String| {
            let mut row = vec![e.name.to_owned()];
            row.extend(e.state.iter().map(|u| show(*u)));
            row.push(e.stability.kind.name().to_owned());
            row.extend([show(last.0), show(last.1.abs())]);
            row
        };
        rows.push(line(&|x| number(x, 6)));
        csv.push(line(&cell));
    }
    let stable: Vec<&str> = all
        .iter()
        .filter(|e| e.stability.kind == rmt_dynamics::Kind::Stable)
        .map(|e| e.name)
        .collect();
    let mut text = table(&header, &rows) + "\n";
    text += &match stable.as_slice() {
        [] => "No equilibrium is stable: populations cycle or run away.\n".to_owned(),
        [one] => format!("Populations near `{one}` settle there.\n"),
        many => format!("{} stable equilibria: the start decides.\n", many.len()),
    };
    // The portrait needs an orbit: one that starts beside the last equilibrium.
    let orbit: Vec<Vec<f64>> = match (&args.output.plot, all.last()) {
        (Some(_), Some(last)) => {
            let start: Vec<f64> = last.state.iter().map(|u| 1.5 * u).collect();
            let times: Vec<f64> = (0..4000).map(|m| 0.05 * f64::from(m)).collect();
            simulate(chosen.model, &chosen.parameters, &start, &times, &Settings::default())
                .map_err(failed)?
                .states
        }
        _ => Vec::new(),
    };
    let figure = portrait::figure(&chosen, &orbit, &[])?;
    deliver(&args.output, "population_equilibria", &values, &text, &csv, || figure)?;
    Ok(ExitCode::SUCCESS)
}

const SENSITIVITY_EXAMPLES: &str = "\
Examples:
  rmt population sensitivity                     of the stable equilibrium with most species
  rmt population sensitivity --from interior:2   of the second interior one
  rmt population sensitivity --plot bars.svg";

#[derive(clap::Args)]
#[command(after_help = SENSITIVITY_EXAMPLES)]
pub(crate) struct SensitivityArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Equilibrium by name, NAME:2 for the second of that name [default: a stable one].
    #[arg(long, value_name = "NAME[:N]", conflicts_with = "at")]
    from: Option<String>,
    /// Equilibrium by its densities (refined by Newton's method).
    #[arg(long, value_name = "U,…", allow_hyphen_values = true)]
    at: Option<String>,
    #[command(flatten)]
    pub(super) output: Output,
}

pub(crate) fn run_sensitivity(args: &SensitivityArgs) -> Result {
    let chosen = args.model.read(&task("population_equilibria")?, &[])?;
    let failed = |e: rmt_dynamics::Error| chosen.inputs.failure(e.into());
    let species = chosen.model.species();
    let point = match &args.at {
        Some(text) => {
            let near = state(text, "--at", species.len())?;
            rmt_dynamics::refine_equilibrium(chosen.model, &chosen.parameters, &near)
                .map_err(failed)?
        }
        None => pick(&chosen, args.from.as_deref())?.state,
    };
    let local = local_sensitivity(chosen.model, &chosen.parameters, &point).map_err(failed)?;
    let parameters = chosen.model.parameters();
    let count = parameters.len();
    let present: Vec<usize> = (0..species.len()).filter(|&n| point[n] > 0.0).collect();
    if present.is_empty() {
        return Err(Failure::input("the origin does not move: choose another equilibrium"));
    }
    let mut header = vec!["parameter", "value"];
    header.extend(present.iter().map(|&n| species[n].name));
    let mut rows = Vec::new();
    let mut csv = vec![header.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>()];
    for (m, quantity) in parameters.iter().enumerate() {
        let numbers: Vec<f64> = std::iter::once(chosen.parameters[m])
            .chain(present.iter().map(|&n| local.elasticities[n * count + m]))
            .collect();
        let line = |show: &dyn Fn(f64) -> String| {
            let mut row = vec![quantity.name.to_owned()];
            row.extend(numbers.iter().map(|x| show(*x)));
            row
        };
        rows.push(line(&|x| number(x, 4)));
        csv.push(line(&cell));
    }
    let mut values = Observables::new();
    values.set("state", point.clone());
    let by = |matrix: &[f64]| {
        let rows: Vec<Vec<f64>> = matrix.chunks(count).map(<[f64]>::to_vec).collect();
        Value::from(rows)
    };
    values.set("derivatives", by(&local.derivatives));
    values.set("elasticities", by(&local.elasticities));
    let shown: Vec<String> =
        present.iter().map(|&n| format!("{} = {}", species[n].name, number(point[n], 6))).collect();
    let text = format!(
        "Elasticities (p/u) ∂u/∂p at {}\n\n{}\nAn elasticity of 2: one per cent more of the \
         parameter, two per cent more of the species.\n",
        shown.join(", "),
        table(&header, &rows)
    );
    deliver(&args.output, "population_equilibria", &values, &text, &csv, || Figure {
        title: "Elasticities of the equilibrium".into(),
        x: Axis::new("parameter", false),
        y: Axis::new("elasticity", false),
        content: Content::Curves {
            series: present
                .iter()
                .map(|&n| Series {
                    name: species[n].meaning.to_owned(),
                    role: Role::Points,
                    quantity: n,
                    x: (1..=count).map(|m| m as f64).collect(),
                    y: local.elasticities[n * count..(n + 1) * count].to_vec(),
                    limits: None,
                })
                .collect(),
            marks: parameters
                .iter()
                .enumerate()
                .map(|(m, q)| Mark { x: (m + 1) as f64, label: q.name.to_owned() })
                .collect(),
        },
    })?;
    Ok(ExitCode::SUCCESS)
}
