use super::model::{ModelArgs, pick, state, task};
use super::{cycles, deliver, stretches};
use crate::args::Output;
use crate::failure::{Failure, Result};
use crate::figure::{Axis, Content, Figure, Role, Series};
use crate::files::cell;
use crate::output::{number, table};
use rmt_dynamics::{Branch, BranchPoint, Kind, continue_branch, parameter_index, species_index};
use rmt_task::{Observables, Value};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  rmt population continue --parameter j                         both ways from a stable equilibrium
  rmt population continue --parameter k --range 1..50 --from predator_prey --plot branch.svg
  rmt population continue --model rosenzweig_macarthur --parameter k --cycles --plot cycles.svg
  rmt population continue --parameter j --start 0.87,0.3,7.8 --direction up --show z";

#[derive(Clone, Copy, clap::ValueEnum)]
enum Direction {
    /// First towards larger values.
    Up,
    /// First towards smaller values.
    Down,
    /// One branch each way.
    Both,
}

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The parameter that is varied.
    #[arg(long, value_name = "NAME", help_heading = "Branch")]
    parameter: String,
    /// Values between which it stays [default: a tenth to ten times its own].
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true, help_heading = "Branch")]
    range: Option<String>,
    /// Start from this equilibrium, NAME:2 for the second of that name [default: a stable one].
    #[arg(long, value_name = "NAME[:N]", conflicts_with = "start", help_heading = "Branch")]
    from: Option<String>,
    /// Start from the equilibrium near these densities.
    #[arg(long, value_name = "U,…", allow_hyphen_values = true, help_heading = "Branch")]
    start: Option<String>,
    /// Which way to go first; the branch then follows its folds.
    #[arg(long, value_enum, default_value = "both", help_heading = "Branch")]
    direction: Direction,
    /// Also follow the limit cycles that are born at its Hopf points.
    #[arg(long, help_heading = "Branch")]
    cycles: bool,
    /// Species on the vertical axis of the figure [default: the last one present].
    #[arg(long, value_name = "SPECIES", help_heading = "Output")]
    show: Option<String>,
    #[command(flatten)]
    pub(super) output: Output,
}

pub(crate) fn run(args: &Args) -> Result {
    let chosen = args.model.read(&task("population_equilibria")?, &[])?;
    let failed = |e: rmt_dynamics::Error| chosen.inputs.failure(e.into());
    let model = chosen.model;
    let index = parameter_index(model, &args.parameter).map_err(Failure::input)?;
    let value = chosen.parameters[index];
    let range = match &args.range {
        None => (0.1 * value, 10.0 * value),
        Some(text) => {
            let ends = text.split_once("..").and_then(|(p, q)| {
                Some((p.trim().parse::<f64>().ok()?, q.trim().parse::<f64>().ok()?))
            });
            ends.ok_or_else(|| Failure::input(format!("--range {text}: write FROM..TO")))?
        }
    };
    let name = &args.parameter;
    if value == 0.0 {
        return Err(Failure::input(format!(
            "--parameter {name}: a branch is followed in the logarithm, and {name} is 0; start \
             from a positive value, as in --set {name}=0.01"
        )));
    }
    if !(0.0 < range.0 && range.0 <= value && value <= range.1 && range.1.is_finite()) {
        return Err(Failure::input(format!(
            "--range {}..{}: write FROM..TO with 0 < FROM ≤ {name} ≤ TO, the present value of \
             {name} is {value}",
            range.0, range.1
        )));
    }
    let start = match &args.start {
        Some(text) => state(text, "--start", model.species().len())?,
        None => pick(&chosen, args.from.as_deref())?.state,
    };
    let shown = match &args.show {
        Some(name) => species_index(model, name).map_err(Failure::input)?,
        None => start.iter().rposition(|u| *u > 0.0).unwrap_or(0),
    };
    let ways: &[bool] = match args.direction {
        Direction::Up => &[true],
        Direction::Down => &[false],
        Direction::Both => &[true, false],
    };
    let branches: Vec<Branch> = ways
        .iter()
        .map(|&up| continue_branch(model, &chosen.parameters, index, &start, up, range))
        .collect::<std::result::Result<_, _>>()
        .map_err(failed)?;

    let species: Vec<&str> = model.species().iter().map(|s| s.name).collect();
    let mut header = vec!["first", "kind", args.parameter.as_str()];
    header.extend(&species);
    header.push("ω");
    let mut rows = Vec::new();
    let mut text = String::new();
    let mut csv = vec![
        ["first", args.parameter.as_str()]
            .into_iter()
            .chain(species.iter().copied())
            .chain(["kind"])
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    ];
    let mut ends = Vec::new();
    for (branch, &up) in branches.iter().zip(ways) {
        let way = if up { "up" } else { "down" };
        for p in &branch.special_points {
            let mut row = vec![way.to_owned(), p.kind.name().to_owned(), number(p.parameter, 8)];
            row.extend(p.state.iter().map(|u| number(*u, 6)));
            row.push(if p.omega > 0.0 { number(p.omega, 6) } else { String::new() });
            rows.push(row);
        }
        for p in &branch.points {
            let mut row = vec![way.to_owned(), cell(p.parameter)];
            row.extend(p.state.iter().map(|u| cell(*u)));
            row.push(p.kind.name().to_owned());
            csv.push(row);
        }
        ends.push(format!("{way}: {} points, ends at the {}", branch.points.len(), reason(branch)));
    }
    if rows.is_empty() {
        text += "No bifurcation on the branch.\n";
    } else {
        text += &table(&header, &rows);
    }
    text += &format!("\n{}.\n", ends.join("; "));
    let families = if args.cycles {
        cycles::families(model, &chosen.parameters, index, &branches, range).map_err(failed)?
    } else {
        Vec::new()
    };
    text.extend(families.iter().map(|f| f.sentence(&args.parameter)));
    let mut values = Observables::new();
    for (branch, &up) in branches.iter().zip(ways) {
        values.set(if up { "up" } else { "down" }, described(branch));
    }
    if args.cycles {
        values.set("cycles", Value::List(families.iter().map(|f| f.described()).collect()));
    }
    deliver(&args.output, "population_continuation", &values, &text, &csv, || {
        let cycles = cycles::series(&families, shown);
        diagram(&args.parameter, model.species()[shown].meaning, shown, &branches, cycles, range)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn reason(branch: &Branch) -> &'static str {
    use rmt_dynamics::End;
    match branch.end {
        End::Range => "end of the range",
        End::Boundary => "boundary, where a species is lost",
        End::Escape => "escape of a density to infinity",
        End::Closed => "start: the branch is closed",
        End::Stuck => "point where the corrector failed",
        _ => "limit on its length",
    }
}

fn described(branch: &Branch) -> Value {
    let special = branch.special_points.iter().map(|p| {
        Value::Object(vec![
            ("kind".into(), p.kind.name().into()),
            ("parameter".into(), p.parameter.into()),
            ("state".into(), p.state.clone().into()),
            ("omega".into(), p.omega.into()),
        ])
    });
    let points = &branch.points;
    Value::Object(vec![
        ("special_points".into(), Value::List(special.collect())),
        ("parameter".into(), points.iter().map(|p| p.parameter).collect::<Vec<_>>().into()),
        ("states".into(), points.iter().map(|p| p.state.clone()).collect::<Vec<_>>().into()),
        ("kinds".into(), points.iter().map(|p| p.kind.name()).collect::<Vec<_>>().into()),
        ("end".into(), branch.end.name().into()),
    ])
}

/// Stable stretches solid, unstable ones dashed, bifurcations as points.
fn diagram(
    parameter: &str,
    species: &str,
    shown: usize,
    branches: &[Branch],
    cycles: Vec<Series>,
    range: (f64, f64),
) -> Figure {
    let mut series: Vec<Series> = Vec::new();
    let line = |name: &str, role, quantity, x: Vec<f64>, y: Vec<f64>| Series {
        name: name.to_owned(),
        role,
        quantity,
        x,
        y,
        limits: None,
    };
    for (stable, role, name) in
        [(true, Role::Theory, "stable"), (false, Role::Alternative, "unstable")]
    {
        let points = branches.iter().map(|branch| branch.points.as_slice());
        let kept = |p: &BranchPoint| (p.kind == Kind::Stable) == stable;
        let (x, y) = stretches(points, kept, |p| (p.parameter, p.state[shown]));
        if x.iter().any(|v| v.is_finite()) {
            series.push(line(name, role, 0, x, y));
        }
    }
    series.extend(cycles);
    for (kind, quantity) in [
        (rmt_dynamics::Special::Hopf, 1),
        (rmt_dynamics::Special::Fold, 2),
        (rmt_dynamics::Special::Transcritical, 3),
    ] {
        let found: Vec<_> = branches
            .iter()
            .flat_map(|b| &b.special_points)
            .filter(|p| p.kind == kind)
            .map(|p| (p.parameter, p.state[shown]))
            .collect();
        if !found.is_empty() {
            let (x, y) = found.into_iter().unzip();
            series.push(line(kind.name(), Role::Points, quantity, x, y));
        }
    }
    let values = || series.iter().flat_map(|s| s.y.iter().copied().filter(|v| v.is_finite()));
    let (low, high) = values().fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
    Figure {
        title: format!("Equilibria over {parameter}"),
        x: Axis::new(parameter, range.1 / range.0 > 50.0),
        y: Axis::new(species, low > 0.0 && high / low > 300.0),
        content: Content::Curves { series, marks: Vec::new() },
    }
}
