//! Double descent of random features in their width, taken apart: the peak at width = samples is the
//! variance that features share with data and noise; the bias just falls (Atanasov, Zavatone-Veth,
//! Pehlevan, arXiv:2405.00592).
//!
//! `cargo run --release -p rmt-examples --example double_descent`

use rmt_examples::{Axis, Content, Mark, Role, column, curve, draw, mean, simulated, table, task};
use rmt_task::Draw;
use serde_json::json;
use std::error::Error;

const PARTS: [&str; 7] = [
    "risk",
    "bias",
    "variance_data",
    "variance_features",
    "variance_data_features",
    "variance_data_noise",
    "variance_data_features_noise",
];
const DRAWS: u64 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let features = task("random_features")?;
    let inputs = |width: f64| {
        json!({"spectrum": {"kind": "power_law", "p": 400, "alpha": 1.3},
            "target": {"kind": "power_law", "p": 400, "alpha": 0.6}, "noise_variance": 0.2,
            "n": 100, "widths": [width], "lambda": 0.0})
    };
    // Dense around the peak.
    let half =
        |sign: i32| (0..24).map(move |i| (100.0 + f64::from(sign) * 1.5 * 1.3_f64.powi(i)).round());
    let mut widths: Vec<f64> = [10.0, 13.0, 17.0]
        .into_iter()
        .chain(half(-1))
        .chain(half(1))
        .filter(|w| *w >= 10.0)
        .collect();
    widths.sort_by(f64::total_cmp);
    let mut rows = Vec::new();
    for width in widths {
        let at = features.evaluate(&inputs(width))?;
        rows.push(
            std::iter::once(width)
                .chain(PARTS.iter().map(|name| at.number(name).unwrap_or(f64::NAN)))
                .collect::<Vec<f64>>(),
        );
    }
    println!("Ridgeless random features, 100 samples, 400 modes, noise 0.2");
    let header = ["width", "risk", "bias", "V_X", "V_F", "V_XF", "V_Xe", "V_XFe"];
    table(&header, &rows);

    let (mut measured, mut errors) = (Vec::new(), Vec::new());
    let tried = [15.0, 40.0, 70.0, 140.0, 250.0, 600.0];
    for width in tried {
        let draws = (0..DRAWS)
            .map(|index| features.draw(&inputs(width), Draw { seed: 0, index }))
            .collect::<Result<Vec<_>, _>>()?;
        let risks: Vec<f64> = draws.iter().filter_map(|d| d.number("risk")).collect();
        let (average, error) = mean(&risks);
        measured.push(average);
        errors.push(error);
    }
    let names = [
        "risk",
        "bias",
        "V data",
        "V features",
        "V data·features",
        "V data·noise",
        "V data·features·noise",
    ];
    let x = column(&rows, 0);
    let mut series: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(i, name)| curve(name, Role::Theory, i, &x, column(&rows, i + 1)))
        .collect();
    series.push(simulated("risk, simulated", 0, &tried, measured, &errors));
    let marks = vec![Mark { x: 100.0, label: "width = n".to_owned() }];
    let axes = [Axis::new("width", true), Axis::new("excess risk", true)];
    let content = Content::Curves { series, marks };
    Ok(draw("double_descent", "Double descent and its parts", axes, content)?)
}
