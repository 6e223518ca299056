//! `rmt fpt`: a typed random-matrix expression to a certified number, a curve, formulas, programs.

mod curve;
mod problem;

use crate::args::Output;
use crate::failure::{Failure, Result};
use crate::files;
use crate::inputs::Inputs;
use crate::output::{note, number, print, prose_table, table};
use problem::failure;
use rmt_fpt::{Entries, Model, Problem, Verdict, check, gallery};
use serde_json::{Value as Json, json};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  rmt fpt \"tr(inv(Z'*Z/n + lam*I(p)))\" --dims n=300,p=200 --random Z:n×p --param lam=0.1
  rmt fpt --gallery                                 the examples that come along
  rmt fpt --gallery ridge_bias --explain            from the expression to the system, step by step
  rmt fpt --gallery ridge_bias --over lam=1e-4..10:log:60 --plot bias.svg
  rmt fpt --gallery two_groups --check 50           simulate the same expression at two sizes
  rmt fpt --gallery ridge_bias --python > bias.py   a NumPy function that solves the system
  rmt fpt mine.toml --param lam=0.5                 a problem file, one parameter changed

The language: + - * / ^, ' (transpose), inv(A), I(dim), sqrt(S), S^-0.5, tr(A) = Tr(A)/dim, Tr(A).
Shapes are compared by dimension name. A matrix plus a number is an error: write lam*I(p).";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An expression, or a problem file in TOML or JSON (`-` for standard input).
    #[arg(value_name = "EXPR|FILE")]
    source: Option<String>,
    /// List the examples, or take one of them as the problem.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with = "source")]
    gallery: Option<String>,
    #[command(flatten)]
    declare: Declare,
    #[command(flatten)]
    show: Show,
    /// Vary a parameter or a size: lam=1e-3..10:log:50, n=100..400:31, lam=0.1,1.
    #[arg(long, value_name = "KEY=RANGE", conflicts_with_all = ["Show", "derivative", "check"])]
    #[arg(help_heading = "Curves")]
    over: Option<String>,
    /// Spectral density Im(value)/π as a parameter z runs over a range: z=0..4:200, for tr(inv(M-z*I(p))).
    #[arg(long, value_name = "KEY=RANGE", help_heading = "Curves")]
    #[arg(conflicts_with_all = ["over", "Show", "derivative", "check"])]
    density: Option<String>,
    /// Imaginary part of z for --density.
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1e-6,
        requires = "density",
        help_heading = "Curves"
    )]
    smoothing: f64,
    /// Also the exact derivative by a parameter (curves have it anyway).
    #[arg(long, value_name = "PARAM", conflicts_with = "Show", help_heading = "Curves")]
    derivative: Option<String>,
    /// Simulate the same expression: this many draws at the stated and at doubled sizes.
    #[arg(long, value_name = "DRAWS", conflicts_with = "Show", help_heading = "Simulation")]
    check: Option<usize>,
    /// Entries ±√variance instead of Gaussian ones.
    #[arg(long, requires = "check", help_heading = "Simulation")]
    signs: bool,
    /// Seed of the draws; equal seeds give equal numbers.
    #[arg(long, default_value_t = 0, requires = "check", help_heading = "Simulation")]
    seed: u64,
    #[command(flatten)]
    output: Output,
}

/// Declarations on the command line; on top of a file or an example they replace entries.
#[derive(clap::Args)]
#[command(next_help_heading = "Declarations")]
struct Declare {
    /// Sizes: n=300,p=200.
    #[arg(long, value_name = "NAME=SIZE,…", value_delimiter = ',')]
    dims: Vec<String>,
    /// A random matrix, Z:n×p or Z:nxp, of variance 1; Z:n×p:1/p for another, H:p×p:1/p:goe for a
    /// symmetric one, X:p×p:LAW:haar for given eigenvalues (LAW as for --spectrum) in a random basis.
    #[arg(long, value_name = "NAME:ROWS×COLS[:VARIANCE|LAW[:goe|haar]]")]
    random: Vec<String>,
    /// A deterministic matrix: S=power_law:p=200,alpha=1, S=3,1,0.5 (eigenvalues), S=cov.npy or
    /// S=cov.csv (a file).
    #[arg(long, value_name = "NAME=LAW|LIST|FILE")]
    spectrum: Vec<String>,
    /// Dimensions of a deterministic matrix where its sizes do not decide: R=n,p.
    #[arg(long, value_name = "NAME=ROWS,COLS")]
    shape: Vec<String>,
    /// A parameter: lam=0.1, z=1.5+0.1i.
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
}

/// What to write instead of the value.
#[derive(clap::Args)]
#[group(multiple = false)]
#[command(next_help_heading = "Formulas and programs")]
struct Show {
    /// The steps from the expression to the system.
    #[arg(long)]
    explain: bool,
    /// The reduced system as text.
    #[arg(long)]
    system: bool,
    /// The reduced system as LaTeX.
    #[arg(long)]
    latex: bool,
    /// A Python (NumPy) function that solves it.
    #[arg(long)]
    python: bool,
    /// A Rust function that solves it.
    #[arg(long)]
    rust: bool,
    /// The linear pencil as JSON.
    #[arg(long)]
    pencil: bool,
}

pub(crate) fn run(args: &Args) -> Result {
    if args.gallery.as_deref() == Some("") {
        let rows: Vec<Vec<String>> =
            gallery().iter().map(|e| vec![e.name.into(), e.title.into()]).collect();
        print(&prose_table(&["example", "what it computes"], &rows))?;
        return Ok(ExitCode::SUCCESS);
    }
    let curves = args.over.is_some() || args.density.is_some();
    if !curves && (args.output.plot.is_some() || args.output.report.is_some()) {
        return Err(Failure::input(
            "--plot and --report draw curves: add --over KEY=RANGE or --density z=RANGE",
        ));
    }
    let inputs = problem::inputs(args)?;
    let problem = problem::read(&inputs)?;
    let fail = |error: rmt_fpt::Error| failure(&inputs, error);
    let model = Model::new(&problem).map_err(fail)?;
    if let Some(text) = written(&args.show, &model).map_err(fail)? {
        if let Some(path) = &args.output.out {
            files::write(path, text.as_bytes())?;
        }
        print(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(range) = &args.over {
        return curve::over(args, &problem, &model, range, &inputs);
    }
    if let Some(range) = &args.density {
        return curve::density(args, &model, range, &inputs);
    }
    value(args, &problem, &model, &inputs)
}

fn written(show: &Show, model: &Model) -> rmt_fpt::Result<Option<String>> {
    Ok(if show.explain {
        Some(model.explain()?)
    } else if show.system {
        Some(model.text()?)
    } else if show.latex {
        Some(model.latex()?)
    } else if show.python {
        Some(model.python()?)
    } else if show.rust {
        Some(model.rust()?)
    } else if show.pencil {
        Some(format!("{:#}\n", model.pencils()))
    } else {
        None
    })
}

fn complex(z: num_complex::Complex64, digits: usize) -> String {
    if z.im == 0.0 {
        return number(z.re, digits);
    }
    let sign = if z.im < 0.0 { "-" } else { "+" };
    format!("{} {sign} {}i", number(z.re, digits), number(z.im.abs(), digits))
}

fn json_complex(z: num_complex::Complex64) -> Json {
    if z.im == 0.0 { json!(z.re) } else { json!([z.re, z.im]) }
}

fn value(args: &Args, problem: &Problem, model: &Model, inputs: &Inputs) -> Result {
    let fail = |error: rmt_fpt::Error| failure(inputs, error);
    let (answer, derivative) = match &args.derivative {
        None => (model.evaluate().map_err(fail)?, None),
        Some(name) => {
            let point = model.derivative(name).map_err(fail)?;
            (point.answer, point.derivative.map(|d| (name, d)))
        }
    };
    let mut record = json!({
        "value": json_complex(answer.value), "rho": answer.rho, "residual": answer.residual,
        "path": answer.path.to_string(), "error_estimate": answer.error_estimate,
    });
    let mut rows = vec![
        vec!["value".into(), complex(answer.value, 12), "the limit".into()],
        vec!["rho".into(), number(answer.rho, 6), "certificate: below 1".into()],
        vec!["residual".into(), number(answer.residual, 2), "of the full system".into()],
        vec!["path".into(), answer.path.to_string(), "last rung of the solver".into()],
        vec![
            "error_estimate".into(),
            number(answer.error_estimate, 2),
            "rounding error of the value".into(),
        ],
    ];
    if let Some((name, d)) = derivative {
        record["derivative"] = json!({"by": name, "value": json_complex(d)});
        rows.push(vec!["derivative".into(), complex(d, 12), format!("by {name}")]);
    }
    let mut status = ExitCode::SUCCESS;
    let mut verdict = None;
    if let Some(draws) = args.check {
        let entries = if args.signs { Entries::Signs } else { Entries::Gaussian };
        let found = check(problem, draws, args.seed, entries).map_err(fail)?;
        let simulation = |s: &rmt_fpt::Simulation| {
            json!({"sizes": s.multiple, "limit": json_complex(s.limit), "mean": json_complex(s.mean),
                   "standard_error": s.standard_error, "z_score": s.z_score()})
        };
        record["check"] = json!({
            "draws": draws, "seed": args.seed, "single": simulation(&found.single),
            "double": simulation(&found.double),
        });
        for s in [&found.single, &found.double] {
            rows.push(vec![
                format!("simulated ×{}", s.multiple),
                format!("{} ± {}", complex(s.mean, 6), number(s.standard_error, 2)),
                format!(
                    "{draws} draws, limit {}: gap {} %, z = {}",
                    complex(s.limit, 6),
                    number(100.0 * s.relative_gap(), 2),
                    number(s.z_score(), 3)
                ),
            ]);
        }
        let text = match found.verdict() {
            Verdict::Agrees => "simulation agrees within three standard errors at both sizes",
            Verdict::Converging => "simulation differs by a gap that shrinks as the sizes double",
            Verdict::Differs => {
                status = ExitCode::from(1);
                "simulation differs, and the gap does not shrink as the sizes double"
            }
        };
        record["check"]["verdict"] = json!(text);
        verdict = Some(text);
    }
    if let Some(path) = &args.output.out {
        let text = if path.ends_with(".csv") {
            let cell = |v: &Json| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
            let map = record.as_object().into_iter().flatten().filter(|(_, v)| !v.is_object());
            let (head, row): (Vec<String>, Vec<String>) =
                map.map(|(k, v)| (k.clone(), cell(v).replace(',', ";"))).unzip();
            format!("{}\n{}\n", head.join(","), row.join(","))
        } else {
            format!("{record:#}\n")
        };
        files::write(path, text.as_bytes())?;
    }
    if args.output.json {
        print(&record.to_string())?;
    } else {
        print(&table(&["quantity", "value", "meaning"], &rows))?;
        let margin = 1.0 - answer.rho;
        let close = if margin < 1e-3 { "; close to a singularity" } else { "" };
        note(&format!("certified: rho = {} is below 1{close}", number(answer.rho, 3)));
        if let Some(verdict) = verdict {
            note(verdict);
        }
    }
    Ok(status)
}
