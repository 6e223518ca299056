//! The table, the summary, and the same for programs.

use super::Report;
use super::experiment::{Experiment, Number, Verdict};
use super::judge::Gap;
use crate::failure::Result;
use crate::files;
use crate::grid::quantity;
use crate::output::{number, table};
use serde_json::{Value as Json, json};

impl Report {
    pub(super) fn text(&self) -> String {
        let mut rows = Vec::new();
        for experiment in &self.experiments {
            for n in self.shown(experiment) {
                rows.push(vec![
                    experiment.name().to_owned(),
                    n.name.clone(),
                    number(n.theory, 6),
                    number(n.mean, 6),
                    number(n.error, 2),
                    format!("{:.2}", n.z),
                    self.draws.to_string(),
                    experiment.sizes(),
                ]);
            }
        }
        let header = ["task", "quantity", "theory", "simulation", "± s.e.", "z", "draws", "sizes"];
        format!("{}\n{}{}\n", table(&header, &rows), self.followed(), self.summary())
    }

    /// Every number, or the headline ones (of a list the entry furthest off) and the worst.
    fn shown<'a>(&self, experiment: &'a Experiment) -> Vec<&'a Number> {
        let worst = |numbers: &mut dyn Iterator<Item = &'a Number>| {
            numbers.max_by(|a, b| a.z.abs().total_cmp(&b.z.abs()))
        };
        let wrong = if self.all { experiment.wrong.len() } else { 3 };
        let mut shown: Vec<&Number> = experiment.wrong.iter().take(wrong).collect();
        if self.all {
            shown.extend(&experiment.numbers);
            return shown;
        }
        let mut add = |found: Option<&'a Number>| {
            if let Some(found) = found
                && !shown.iter().any(|n| n.name == found.name)
            {
                shown.push(found);
            }
        };
        for name in experiment.headline() {
            let of = |n: &&Number| quantity(&n.name) == *name;
            add(worst(&mut experiment.numbers.iter().filter(of)));
        }
        add(worst(&mut experiment.numbers.iter()));
        shown
    }

    /// What became of the experiments that stand out.
    fn followed(&self) -> String {
        let mut rows = Vec::new();
        let percent =
            |g: Gap| format!("{} ± {} %", number(100.0 * g.gap, 2), number(100.0 * g.error, 1));
        for experiment in &self.experiments {
            for f in &experiment.followed {
                rows.push(vec![
                    experiment.name().to_owned(),
                    f.name.clone(),
                    percent(f.single),
                    percent(f.double),
                ]);
            }
        }
        if rows.is_empty() {
            return String::new();
        }
        let header = ["stands out", "quantity", "gap", "at doubled sizes"];
        format!("{}\n", table(&header, &rows))
    }

    fn summary(&self) -> String {
        let numbers: usize = self.experiments.iter().map(|e| e.numbers.len()).sum();
        let exact: usize = self.experiments.iter().map(|e| e.exact).sum();
        let mut text = format!(
            "{numbers} numbers of {} experiments, {} draws each (seed {}): rms z {}, every experiment \
             counted once",
            self.experiments.len(),
            self.draws,
            self.seed,
            number(self.rms(), 3)
        );
        let largest = self.experiments.iter().filter_map(|e| Some((e, e.largest()?)));
        if let Some((e, n)) = largest.max_by(|a, b| a.1.z.abs().total_cmp(&b.1.z.abs())) {
            let (task, name) = (e.name(), &n.name);
            text += &format!("; largest |z| {} ({task}: {name})", number(n.z.abs(), 3));
        }
        text += ".";
        if exact > 0 {
            text += &format!(" {exact} more are not random and equal the theory.");
        }
        for experiment in &self.experiments {
            let name = experiment.name();
            let sizes = experiment.sizes();
            match (experiment.verdict, &experiment.alone) {
                (Verdict::Agrees, _) => {}
                (Verdict::Shrinks, _) => {
                    text += &format!(
                        "\n{name} ({sizes}): a finite-size gap, which shrinks as the sizes double; not in \
                         the rms."
                    );
                }
                (Verdict::Differs, Some(why)) => {
                    text += &format!("\n{name} ({sizes}): DIFFERS; {why}.");
                }
                (Verdict::Differs, None) => {
                    text += &format!("\n{name} ({sizes}): DIFFERS; a gap does not shrink.");
                }
            }
        }
        text + if self.passes() {
            "\nTheory and simulation agree."
        } else {
            "\nTheory and simulation differ by more than chance."
        }
    }

    pub(super) fn json(&self) -> Json {
        let one = |n: &Number| {
            json!({"quantity": n.name, "theory": n.theory, "mean": n.mean,
                   "standard_error": n.error, "z": n.z})
        };
        let gap = |g: Gap| json!({"relative": g.gap, "standard_error": g.error});
        let experiments: Vec<Json> = self
            .experiments
            .iter()
            .map(|e| {
                let followed: Vec<Json> = e
                    .followed
                    .iter()
                    .map(|f| {
                        json!({"quantity": f.name, "gap": gap(f.single),
                               "gap_at_doubled_sizes": gap(f.double)})
                    })
                    .collect();
                json!({
                    "task": e.name(), "inputs": e.inputs, "rms_z": e.rms(),
                    "numbers": e.numbers.iter().map(one).collect::<Vec<_>>(),
                    "exact": e.exact, "unequal": e.wrong.iter().map(one).collect::<Vec<_>>(),
                    "followed": followed,
                    "verdict": match e.verdict {
                        Verdict::Agrees => "agrees",
                        Verdict::Shrinks => "shrinks",
                        Verdict::Differs => "differs",
                    },
                })
            })
            .collect();
        json!({
            "draws": self.draws, "seed": self.seed, "experiments": experiments, "rms_z": self.rms(),
            "agrees": self.passes(),
        })
    }

    pub(super) fn csv(&self) -> Result<String> {
        let header =
            ["task", "quantity", "theory", "mean", "standard_error", "z", "draws", "sizes"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for e in &self.experiments {
            for n in e.wrong.iter().chain(&e.numbers) {
                let mut row = vec![e.name().to_owned(), n.name.clone()];
                row.extend([n.theory, n.mean, n.error, n.z].map(files::cell));
                row.extend([self.draws.to_string(), e.sizes()]);
                rows.push(row);
            }
        }
        files::csv(&rows)
    }
}
