//! What two classic series say about a predator–prey model with Holling III response: hare and lynx
//! pelts 1900–1920, moose and wolves on Isle Royale 1959–2011. The first determines five of six
//! rates and says which one it leaves open; the second is not described by the model at all, and χ²
//! says so.
//!
//! `cargo run --release -p rmt-examples --example predator_prey_series`

use rmt_dynamics::Subsystem;
use rmt_examples::{Axis, Content, Role, Series as Drawn, column, curve, draw, table};
use rmt_pinn::{Observations, Problem, Sigma, fit, predict};
use std::collections::BTreeMap;
use std::error::Error;

const RATES: [&str; 6] = ["r", "k", "a", "a0", "d", "e"];

/// A series: times from its first row on, densities, their standard deviations.
struct Series {
    origin: f64,
    times: Vec<f64>,
    rows: Vec<Vec<Option<f64>>>,
    sigma: [f64; 2],
}

impl Series {
    /// Columns of prey and predator, rows up to a last year.
    fn read(text: &str, (prey, predator): (usize, usize), last: f64, sigma: [f64; 2]) -> Self {
        let table: Vec<Vec<f64>> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').filter_map(|cell| cell.parse().ok()).collect())
            .filter(|row: &Vec<f64>| row[0] <= last)
            .collect();
        let origin = table[0][0];
        Self {
            origin,
            times: table.iter().map(|row| row[0] - origin).collect(),
            rows: table.iter().map(|row| vec![Some(row[prey]), Some(row[predator])]).collect(),
            sigma,
        }
    }

    /// The rates of `guess` are fitted, those of `fixed` known.
    fn problem(
        &self,
        guess: &[(&str, f64)],
        fixed: &[(&str, f64)],
    ) -> rmt_pinn::Result<Problem<'static>> {
        let model = &Subsystem::PredatorPrey;
        let observed = ["x", "y"].map(str::to_owned);
        let sigma = Sigma::PerSpecies(self.sigma.to_vec());
        let data = Observations::new(model, &self.times, &observed, &self.rows, &sigma)?;
        let named = |pairs: &[(&str, f64)]| -> BTreeMap<String, f64> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
        };
        let free: Vec<String> = guess.iter().map(|(name, _)| (*name).to_owned()).collect();
        let start: Vec<f64> = self.rows[0].iter().flatten().copied().collect();
        Problem::new(model, data, &free, &named(guess), &named(fixed), &start)
    }
}

/// Fits and prints; the estimate of every rate.
fn report(name: &str, problem: &Problem<'_>) -> rmt_pinn::Result<Vec<f64>> {
    let Some(found) = fit(problem, None, false, None)? else { return Ok(Vec::new()) };
    let names = problem.unknown_names();
    let degrees = problem.observations().values().len() - names.len();
    println!("{name}: χ² = {:.2} on {degrees} degrees of freedom", found.estimate.chi2);
    match &found.identifiability.relative_standard_errors {
        Some(errors) => {
            for (m, &rate) in problem.free().iter().enumerate() {
                let value = found.estimate.parameters[rate];
                println!("  {:4} = {value:.4e} ± {:.0} %", names[m], 100.0 * errors[m]);
            }
        }
        None => println!("  not identifiable: {}", found.identifiability.direction(&names)),
    }
    Ok(found.estimate.parameters)
}

fn main() -> Result<(), Box<dyn Error>> {
    let pelts = include_str!("../data/hare_lynx.csv");
    let pelts = Series::read(pelts, (1, 2), 1920.0, [8.0, 6.0]);
    let guess = [0.55, 500.0, 0.001, 0.0003, 0.0008, 0.8];
    let guess: Vec<(&str, f64)> = RATES.into_iter().zip(guess).collect();
    let found = report("Hare and lynx, six rates free", &pelts.problem(&guess, &[])?)?;

    // The capacity is far above every count: any value there serves.
    let rest: Vec<(&str, f64)> =
        RATES.into_iter().zip(found).filter(|(name, _)| *name != "k").collect();
    let problem = pelts.problem(&rest, &[("k", 1e5)])?;
    report("Hare and lynx, k = 100000", &problem)?;

    let moose = include_str!("../data/isle_royale.csv");
    let moose = Series::read(moose, (2, 1), 2011.0, [150.0, 4.0]);
    let guess = [1.0, 2000.0, 3e-4, 2e-5, 2e-5, 1.0];
    let guess: Vec<(&str, f64)> = RATES.into_iter().zip(guess).collect();
    report("Moose and wolves, six rates free", &moose.problem(&guess, &[])?)?;

    println!("Hare and lynx, thousands of pelts, with the fit's 95 % band");
    let estimate = rmt_pinn::least_squares(&problem)?;
    let band = predict(&problem, &estimate, problem.observations().times())?;
    let errors = band.log_errors.unwrap_or_default();
    let rows: Vec<Vec<f64>> = errors
        .iter()
        .enumerate()
        .map(|(t, error)| {
            let mut row = vec![pelts.origin + pelts.times[t]];
            for n in 0..2 {
                let (u, spread) = (band.states[t][n], (1.96 * error[n]).exp());
                row.extend([pelts.rows[t][n].unwrap_or(f64::NAN), u, u / spread, u * spread]);
            }
            row
        })
        .collect();
    let header = ["year", "hare", "fit", "low", "high", "lynx", "fit", "low", "high"];
    table(&header, &rows);

    let times: Vec<f64> = (0..=400).map(|m| 0.05 * f64::from(m)).collect();
    let band = predict(&problem, &estimate, &times)?;
    let errors = band.log_errors.unwrap_or_default();
    let years: Vec<f64> = times.iter().map(|t| pelts.origin + t).collect();
    let mut series = Vec::new();
    for (n, name) in ["hare", "lynx"].into_iter().enumerate() {
        let fitted: Vec<f64> = band.states.iter().map(|u| u[n]).collect();
        let ends = fitted.iter().zip(&errors).map(|(u, error)| {
            let spread = (1.96 * error[n]).exp();
            (u / spread, u * spread)
        });
        let limits = Some(ends.collect());
        series.push(Drawn { limits, ..curve(name, Role::Theory, n, &years, fitted) });
        let (at, counted) = (column(&rows, 0), column(&rows, 1 + 4 * n));
        series.push(curve(&format!("{name}, counted"), Role::Points, n, &at, counted));
    }
    let axes = [Axis::new("year", false), Axis::new("thousands of pelts", false)];
    draw("predator_prey_series", "Hare and lynx", axes, Content::Curves { series, marks: vec![] })?;
    Ok(())
}
