use super::eval::evaluate_all;
use crate::cases::{Case, read_cases};
use crate::compare::{Comparison, Miss};
use crate::failure::{Failure, Result};
use crate::files::{read_text, shown};
use crate::output::{number, print, table};
use crate::registry::Registry;
use rmt_task::{Observables, TaskError};
use serde_json::{Map, Value as Json, json};
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
Tolerances stand in the file and nowhere else. Every miss is printed with both numbers; a missing
quantity is a miss, and so is a case that expects an error and gets none.

Example:
  rmt check reference/ridge.json

Exit status: 0 all agree; 1 some miss; 2 the file could not be read.")]
pub(crate) struct Args {
    /// File of cases with `expected` (JSON or TOML); `-` is standard input.
    file: String,
    /// Print one JSON object a case instead of a table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, registry: &Registry) -> Result {
    let file = read_cases(shown(&args.file), &read_text(&args.file)?).map_err(Failure::input)?;
    let outcomes = evaluate_all(&file.cases, registry);
    let verdicts: Vec<Verdict> = file
        .cases
        .iter()
        .zip(outcomes)
        .map(|(case, outcome)| judge(case, outcome, file.rtol))
        .collect();
    if args.json {
        for (case, verdict) in file.cases.iter().zip(&verdicts) {
            print(&verdict.json(case).to_string())?;
        }
    } else {
        print(&report(&file.cases, &verdicts))?;
    }
    let missed = verdicts.iter().any(|v| !v.comparison.misses.is_empty());
    Ok(ExitCode::from(u8::from(missed)))
}

struct Verdict {
    /// Whether the case says what is expected.
    stated: bool,
    comparison: Comparison,
}

fn judge(case: &Case, outcome: std::result::Result<Observables, TaskError>, rtol: f64) -> Verdict {
    let Some(expected) = &case.expected else {
        let mut comparison = Comparison::default();
        if let Err(error) = outcome {
            comparison.misses.push(wrong_outcome("values", &error_text(&error)));
        }
        return Verdict { stated: false, comparison };
    };
    let comparison = match (expected_error(expected), outcome) {
        (None, Ok(found)) => Comparison::of(&case.task, expected, &found, rtol),
        (Some(kind), Err(error)) if error.kind.as_str() == kind => {
            Comparison { quantities: 1, ..Comparison::default() }
        }
        (wanted, outcome) => {
            let wanted = wanted.map_or("values".into(), |kind| format!("error {kind}"));
            let found = match outcome {
                Ok(_) => "values".into(),
                Err(error) => error_text(&error),
            };
            let misses = vec![wrong_outcome(&wanted, &found)];
            Comparison { quantities: 1, misses, ..Comparison::default() }
        }
    };
    Verdict { stated: true, comparison }
}

fn error_text(error: &TaskError) -> String {
    format!("error {}: {error}", error.kind)
}

fn wrong_outcome(expected: &str, found: &str) -> Miss {
    Miss {
        quantity: "outcome".into(),
        expected: expected.into(),
        found: found.into(),
        deviation: None,
        rtol: 0.0,
    }
}

/// `"error": kind`, also written `{"value": kind}`.
fn expected_error(expected: &Map<String, Json>) -> Option<&str> {
    let error = expected.get("error")?;
    error.as_str().or_else(|| error.get("value").and_then(Json::as_str))
}

impl Verdict {
    fn word(&self) -> &'static str {
        match (self.comparison.misses.is_empty(), self.stated) {
            (true, true) => "ok",
            (true, false) => "ran, nothing expected",
            (false, _) => "MISS",
        }
    }

    fn json(&self, case: &Case) -> Json {
        let misses: Vec<_> = self
            .comparison
            .misses
            .iter()
            .map(|m| json!({"quantity": m.quantity, "expected": m.expected, "found": m.found, "relative_deviation": m.deviation, "rtol": m.rtol}))
            .collect();
        json!({
            "name": case.name, "task": case.task, "agrees": misses.is_empty(),
            "quantities": self.comparison.quantities,
            "worst_fraction_of_tolerance": self.comparison.worst, "misses": misses,
        })
    }
}

fn report(cases: &[Case], verdicts: &[Verdict]) -> String {
    let rows: Vec<_> = cases
        .iter()
        .zip(verdicts)
        .map(|(case, v)| {
            let c = &v.comparison;
            vec![
                case.name.clone(),
                case.task.clone(),
                c.quantities.to_string(),
                c.misses.len().to_string(),
                number(c.worst, 2),
                v.word().into(),
            ]
        })
        .collect();
    let mut text =
        table(&["case", "task", "quantities", "misses", "worst/allowed", "result"], &rows);
    for (case, verdict) in cases.iter().zip(verdicts) {
        for miss in &verdict.comparison.misses {
            text += &format!(
                "\nMISS {} {}\n  expected {}\n  found    {}\n",
                case.name, miss.quantity, miss.expected, miss.found
            );
            if let Some(deviation) = miss.deviation {
                text += &format!(
                    "  relative deviation {}, allowed {}\n",
                    number(deviation, 3),
                    number(miss.rtol, 3)
                );
            }
        }
    }
    let agree = verdicts.iter().filter(|v| v.comparison.misses.is_empty()).count();
    text += &format!("\n{agree} of {} cases agree.\n", cases.len());
    text
}
