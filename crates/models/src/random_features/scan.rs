use super::{FeatureRegression, SCALING_AND_RENORMALIZATION, Setting, chain_inputs, simulate};
use crate::{Error, Result};
use rayon::prelude::*;
use rmt_task::{Card, Draw, Observables, Simulate, Task, TaskError, Value};

/// Risk over numbers of samples, and over widths as well if asked.
pub struct RandomFeaturesScan;

chain_inputs! {
    /// Inputs of [`RandomFeaturesScan`].
    pub struct RandomFeaturesScanInputs {
        /// Ridge λ ≥ 0.
        pub lambda: f64,
        /// Numbers of samples ≥ 1.
        pub n_values: Vec<f64>,
        /// Values of the last width; each quantity is then a matrix with a row for each n.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub width_values: Option<Vec<f64>>,
    }
}

/// A point of the map.
struct Sizes {
    n: f64,
    widths: Vec<f64>,
}

impl RandomFeaturesScanInputs {
    /// The points of the map, a row for each n.
    fn sizes(&self) -> Result<Vec<Vec<Sizes>>> {
        if self.n_values.is_empty() {
            return Err(Error::Choice { key: "n_values", remedy: "give at least one value" });
        }
        let one = |n: f64, width: Option<f64>| {
            let mut widths = self.widths.clone();
            if let Some(width) = width {
                match widths.last_mut() {
                    Some(last) => *last = width,
                    None => widths.push(width),
                }
            }
            Sizes { n, widths }
        };
        Ok(self
            .n_values
            .iter()
            .map(|n| match &self.width_values {
                None => vec![one(*n, None)],
                Some(widths) => widths.iter().map(|m| one(*n, Some(*m))).collect(),
            })
            .collect())
    }

    /// Numbers of the map as the contract shows them: a vector over n, or a matrix.
    fn shape(&self, rows: Vec<Vec<f64>>) -> Value {
        if self.width_values.is_some() {
            Value::List(rows.into_iter().map(Value::from).collect())
        } else {
            rows.concat().into()
        }
    }
}

const QUANTITIES: [&str; 4] = ["risk", "train_error", "norm", "df1"];

impl Task for RandomFeaturesScan {
    type Inputs = RandomFeaturesScanInputs;

    const CARD: Card = Card {
        name: "random_features_scan",
        summary: "Risk, training error and norm over numbers of samples and widths: double and triple descent",
        equations: "R(n, m) at fixed λ, as in random_features",
        latex: r"R(n, m) \text{ at fixed } \lambda",
        references: &[SCALING_AND_RENORMALIZATION],
        observables: &[
            ("risk", "excess risk at each n (and width)"),
            ("train_error", "mean squared residual"),
            ("norm", "‖â‖²"),
            ("df1", "degrees of freedom"),
        ],
        headline: &["risk"],
        example: r#"{"spectrum": {"kind": "constant", "p": 100, "value": 1.0}, "target": {"kind": "constant", "p": 100, "total": 1.0}, "noise_variance": 0.5, "widths": [200], "activations": ["tanh"], "lambda": 1e-4, "n_values": [20, 50, 80, 100, 120, 150, 180, 200, 220, 300, 500]}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let model = FeatureRegression::new(&inputs.setting(None)?)?;
        let rows: Vec<Vec<[f64; 4]>> = inputs
            .sizes()?
            .par_iter()
            .map(|row| {
                row.iter()
                    .map(|at| {
                        let model = model.with_sizes(Some(at.n), &at.widths)?;
                        let at = model.predict(inputs.lambda)?;
                        Ok([at.risk, at.train_error, at.norm, at.df1])
                    })
                    .collect()
            })
            .collect::<Result<_>>()?;
        let mut out = Observables::new();
        for (index, name) in QUANTITIES.iter().enumerate() {
            let values = rows.iter().map(|row| row.iter().map(|q| q[index]).collect()).collect();
            out.set(*name, inputs.shape(values));
        }
        Ok(out)
    }
}

impl Simulate for RandomFeaturesScan {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "widths", "n_values"];
    const SETTINGS: &'static [&'static str] = &[r#"{"n_values": [50, 100, 150, 300]}"#];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let base = inputs.setting(None)?;
        let (mut risk, mut norm) = (Vec::new(), Vec::new());
        for (i, row) in inputs.sizes()?.into_iter().enumerate() {
            let (mut risks, mut norms) = (Vec::new(), Vec::new());
            let count = row.len();
            for (j, Sizes { n, widths }) in row.into_iter().enumerate() {
                // A point of the map is an experiment of its own.
                let seed = Draw { seed: draw.stream(), index: (i * count + j) as u64 };
                let setting = Setting { n: Some(n), widths, ..base.clone() };
                let one = simulate::Experiment::run(&setting, inputs.lambda, (1, 1), seed)?;
                risks.push(one.risk());
                norms.push(one.norm());
            }
            risk.push(risks);
            norm.push(norms);
        }
        let mut out = Observables::new();
        out.set("risk", inputs.shape(risk));
        out.set("norm", inputs.shape(norm));
        Ok(out)
    }
}
