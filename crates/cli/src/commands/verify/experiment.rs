//! One experiment: a task at one setting, its draws, and the same at doubled sizes where it stands out.

use super::judge::{self, Gap};
use crate::failure::{Failure, Result};
use crate::grid::{Measured, drawn, measure, numbers};
use crate::inputs::{Inputs, KeyPath};
use rayon::prelude::*;
use rmt_task::{Draw, Registration, TaskError};
use serde_json::Value as Json;

/// Below this spread, relative to the theory, a number is no random one and must equal the theory.
const EXACT: f64 = 1e-9;
/// Draws of the repetition at both sizes, in those of the first run.
const REPEAT: usize = 4;
/// A gap is followed to doubled sizes from this score on.
const FOLLOWED: f64 = 2.0;

/// One number of the theory beside its simulation.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) name: String,
    pub(super) theory: f64,
    pub(super) mean: f64,
    pub(super) error: f64,
    pub(super) z: f64,
}

/// A followed number at the stated and at doubled sizes, with more draws.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    pub(super) name: String,
    pub(super) single: Gap,
    pub(super) double: Gap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing improbable.
    Agrees,
    /// Improbable, but the gaps shrink with the size.
    Shrinks,
    /// Improbable, and at least one gap stays.
    Differs,
}

pub(super) struct Experiment {
    task: Registration,
    pub(super) inputs: Json,
    /// The random numbers.
    pub(super) numbers: Vec<Number>,
    /// How many numbers are not random, and equal the theory.
    pub(super) exact: usize,
    /// Numbers that are not random and differ from the theory.
    pub(super) wrong: Vec<Number>,
    pub(super) followed: Vec<Followed>,
    pub(super) verdict: Verdict,
    /// Why it could not be repeated at doubled sizes.
    pub(super) alone: Option<String>,
}

/// The standard settings of a task.
pub(super) fn settings(task: &Registration) -> Result<Vec<Json>> {
    let card = task.card();
    let example = Inputs::example(card)?.value;
    let mut all = Vec::new();
    for text in task.settings() {
        let changes = Inputs::parse(&format!("a setting of {}", card.name), (*text).to_owned())?;
        let mut inputs = example.clone();
        if let (Some(inputs), Json::Object(changes)) = (inputs.as_object_mut(), changes.value) {
            inputs.extend(changes);
        }
        all.push(inputs);
    }
    Ok(all)
}

impl Experiment {
    pub(super) fn run(task: &Registration, inputs: Json, draws: usize, seed: u64) -> Result<Self> {
        let mut found = Self {
            task: *task,
            inputs,
            numbers: Vec::new(),
            exact: 0,
            wrong: Vec::new(),
            followed: Vec::new(),
            verdict: Verdict::Agrees,
            alone: None,
        };
        for number in measured(task, &found.inputs, draws, seed)? {
            let scale = number.theory.abs().max(number.mean.abs());
            if number.error > EXACT * scale {
                found.numbers.push(number);
            } else if (number.mean - number.theory).abs() <= EXACT * scale {
                found.exact += 1;
            } else {
                found.wrong.push(number);
            }
        }
        Ok(found)
    }

    pub(super) fn name(&self) -> &'static str {
        self.task.card().name
    }

    /// The quantities that a short table shows.
    pub(super) fn headline(&self) -> &'static [&'static str] {
        self.task.card().headline
    }

    /// `n=200, p=400`: the inputs that count something, each once.
    pub(super) fn sizes(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for key in self.task.sizes() {
            let path = KeyPath::parse(key);
            let name = path.parts().iter().rev().find(|p| p.parse::<usize>().is_err());
            if let (Some(name), Some(value)) = (name, path.get(&self.inputs)) {
                let part = format!("{name}={value}");
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
        parts.join(", ")
    }

    pub(super) fn rms(&self) -> f64 {
        judge::rms(self.numbers.iter().map(|n| n.z))
    }

    pub(super) fn largest(&self) -> Option<&Number> {
        self.numbers.iter().max_by(|a, b| a.z.abs().total_cmp(&b.z.abs()))
    }

    /// Whether it is improbable beside `numbers` numbers in `experiments` experiments.
    pub(super) fn stands_out(&self, numbers: usize, experiments: usize) -> bool {
        let largest = self.largest().map_or(0.0, |n| n.z);
        !self.wrong.is_empty()
            || judge::stands_out(largest, numbers)
            || judge::stands_out(self.rms(), experiments)
    }

    /// Repeats it with more draws at the stated and at doubled sizes: a gap that shrinks, or not.
    pub(super) fn follow(&mut self, draws: usize, seed: u64) -> Result<()> {
        if !self.wrong.is_empty() {
            self.verdict = Verdict::Differs;
            return Ok(());
        }
        let largest = self.largest().map_or(0.0, |n| n.z.abs());
        self.verdict = Verdict::Differs;
        if self.task.sizes().is_empty() {
            self.alone = Some("the task states no sizes that could be doubled".into());
            return Ok(());
        }
        let large = doubled(&self.task, &self.inputs)?;
        let single = measured(&self.task, &self.inputs, REPEAT * draws, seed)?;
        let double = match measured(&self.task, &large, REPEAT * draws, seed) {
            Ok(double) => double,
            Err(failure) => {
                self.alone = Some(format!("at doubled sizes: {}", failure.text()));
                return Ok(());
            }
        };
        for number in self.numbers.iter().filter(|n| n.z.abs() >= largest.min(FOLLOWED)) {
            let gap = |numbers: &[Number]| {
                let found = numbers.iter().find(|n| n.name == number.name)?;
                let scale = if found.theory == 0.0 { 1.0 } else { found.theory.abs() };
                Some(Gap { gap: (found.mean - found.theory) / scale, error: found.error / scale })
            };
            if let (Some(single), Some(double)) = (gap(&single), gap(&double)) {
                self.followed.push(Followed { name: number.name.clone(), single, double });
            }
        }
        let shrinks = |f: &Followed| judge::shrinks(f.single, f.double);
        if !self.followed.is_empty() && self.followed.iter().all(shrinks) {
            self.verdict = Verdict::Shrinks;
        }
        Ok(())
    }
}

/// Every number that both theory and simulation have, with finite values.
fn measured(task: &Registration, inputs: &Json, draws: usize, seed: u64) -> Result<Vec<Number>> {
    let name = task.card().name;
    let wrong = |error: TaskError| {
        let text = format!("{name}: {}", error.message);
        Failure::from(error).with_text(text)
    };
    let theory = numbers(&task.evaluate(inputs).map_err(wrong)?);
    let draw = |index| drawn(task, inputs, Draw { seed, index });
    let drawn: std::result::Result<Vec<_>, TaskError> =
        (0..draws as u64).into_par_iter().map(draw).collect();
    let one = |m: &Measured| {
        let (_, theory) = theory.iter().find(|(n, _)| *n == m.name)?;
        let z = judge::score((m.mean - theory) / m.standard_error, draws);
        let number = Number {
            name: m.name.clone(),
            theory: *theory,
            mean: m.mean,
            error: m.standard_error,
            z,
        };
        let finite = [number.theory, number.mean, number.error].iter().all(|x| x.is_finite());
        finite.then_some(number)
    };
    Ok(measure(&drawn.map_err(wrong)?, &theory).iter().filter_map(one).collect())
}

/// The inputs with every size doubled.
fn doubled(task: &Registration, inputs: &Json) -> Result<Json> {
    let mut large = inputs.clone();
    for key in task.sizes() {
        let path = KeyPath::parse(key);
        let Some(value) = path.get(inputs) else { continue };
        path.put(&mut large, twice(value)).map_err(Failure::input)?;
    }
    Ok(large)
}

fn twice(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(twice).collect(),
        Json::Number(n) => match (n.as_u64(), n.as_f64()) {
            (Some(n), _) => Json::from(2 * n),
            (None, Some(x)) => Json::from(2.0 * x),
            (None, None) => value.clone(),
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmt_task::{Draw, Observables, TaskError};

    /// x = 1 with an error of 0.01, a gap that falls with n and one that stays.
    struct Gaps;

    #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    struct Inputs {
        n: f64,
        falling: f64,
        staying: f64,
    }

    impl rmt_task::Task for Gaps {
        type Inputs = Inputs;
        const CARD: rmt_task::Card = rmt_task::Card {
            name: "gaps",
            summary: "",
            equations: "",
            latex: "",
            references: &[],
            observables: &[("x", "")],
            headline: &["x"],
            example: r#"{"n": 100, "falling": 0, "staying": 0}"#,
        };

        fn evaluate(_: &Inputs) -> std::result::Result<Observables, TaskError> {
            let mut out = Observables::new();
            out.set("x", 1.0);
            Ok(out)
        }
    }

    impl rmt_task::Simulate for Gaps {
        const SIZES: &'static [&'static str] = &["n"];
        const SETTINGS: &'static [&'static str] =
            &["{}", r#"{"falling": 5}"#, r#"{"staying": -0.05}"#];

        fn draw(inputs: &Inputs, draw: Draw) -> std::result::Result<Observables, TaskError> {
            let uniform = (draw.stream() >> 11) as f64 / (1u64 << 53) as f64;
            let error = 0.01 * 12.0_f64.sqrt() * (uniform - 0.5);
            let mut out = Observables::new();
            out.set("x", 1.0 + inputs.falling / inputs.n + inputs.staying + error);
            Ok(out)
        }
    }

    /// Chance, a finite-size gap and a wrong theory are told apart.
    #[test]
    fn verdicts() {
        let task = Registration::simulated::<Gaps>();
        let verdicts: Vec<Verdict> = settings(&task)
            .unwrap()
            .into_iter()
            .map(|inputs| {
                let mut experiment = Experiment::run(&task, inputs, 20, 0).unwrap();
                if experiment.stands_out(3, 3) {
                    experiment.follow(20, 0).unwrap();
                }
                experiment.verdict
            })
            .collect();
        assert_eq!(verdicts, [Verdict::Agrees, Verdict::Shrinks, Verdict::Differs]);
    }

    /// Sizes name inputs of the example, and every setting is one the task takes, at doubled sizes as well:
    /// catches a key that was renamed and a setting that no longer evaluates.
    #[test]
    fn settings_and_sizes_fit_their_tasks() {
        for task in crate::tasks().iter().filter(|t| t.simulates()) {
            let name = task.card().name;
            for inputs in settings(task).unwrap() {
                task.evaluate(&inputs).unwrap_or_else(|e| panic!("`{name}` at {inputs}: {e}"));
                let large = doubled(task, &inputs).unwrap();
                assert_eq!(large == inputs, task.sizes().is_empty(), "`{name}`");
                task.evaluate(&large).unwrap_or_else(|e| panic!("`{name}` at {large}: {e}"));
                for key in task.sizes() {
                    let known = KeyPath::parse(key).get(&inputs).is_some();
                    assert!(known, "`{name}`: no input `{key}` to double");
                }
            }
        }
    }
}
