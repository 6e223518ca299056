//! The paradox of enrichment: more food for the prey first lets the predator in, then makes the
//! equilibrium of both lose its stability to a cycle. Continuation in the carrying capacity against
//! the closed forms.
//!
//! `cargo run --release -p rmt-examples --example enrichment`

use rmt_dynamics::{
    Cycle, PopulationModel, Special, Subsystem, continue_branch, continue_cycles,
    planar_bifurcation,
};
use rmt_examples::{Axis, Content, Mark, Role, curve, draw, table};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // r, k, a, a0, b, b0, d, e, f, g, h, i, i0, j
    let all = [1.0, 20.0, 0.6, 0.25, 0.1, 0.2, 0.2, 0.5, 0.1, 0.1, 0.08, 0.05, 0.1, 0.25];
    let model = Subsystem::PredatorPrey;
    let rates = model.rates_kept().map(|m| all[m]);
    let exact = planar_bifurcation(&all)?;
    println!("closed forms: predators live from k = {:.6}", exact.k_transcritical);
    println!("              and cycle from k = {:.6}", exact.k_hopf);

    let both = model.equilibria(&rates).into_iter().find(|e| e.0 == "predator_prey");
    let (_, start) = both.ok_or("no coexistence at k = 20")?;
    let branch = continue_branch(&model, &rates, 1, &start, false, (0.1, 20.0))?;
    for point in &branch.special_points {
        println!("continuation: {} at k = {:.6}", point.kind.name(), point.parameter);
    }

    let hopf = branch.special_points.iter().find(|p| p.kind == Special::Hopf);
    let hopf = hopf.ok_or("no Hopf point on the branch")?;
    let family = continue_cycles(&model, &rates, 1, hopf, (0.1, 20.0))?;

    println!("The limit cycle");
    let of = |n: usize, high: bool| -> Vec<f64> {
        let end = |c: &Cycle| if high { c.highest[n] } else { c.lowest[n] };
        family.cycles.iter().map(end).collect()
    };
    let k: Vec<f64> = family.cycles.iter().map(|c| c.parameter).collect();
    let rows: Vec<Vec<f64>> = (0..k.len())
        .map(|m| {
            let period = family.cycles[m].period;
            let ends = [of(0, false)[m], of(0, true)[m], of(1, false)[m], of(1, true)[m]];
            [k[m], period].into_iter().chain(ends).collect()
        })
        .collect();
    table(&["k", "period", "least prey", "most prey", "least pred.", "most pred."], &rows);

    let at: Vec<f64> = branch.points.iter().map(|p| p.parameter).collect();
    let series = vec![
        curve(
            "equilibrium",
            Role::Theory,
            0,
            &at,
            branch.points.iter().map(|p| p.state[1]).collect(),
        ),
        curve("most on the cycle", Role::Theory, 1, &k, of(1, true)),
        curve("least on the cycle", Role::Alternative, 1, &k, of(1, false)),
    ];
    let mark = |x, label: &str| Mark { x, label: label.into() };
    let marks = vec![mark(exact.k_transcritical, "predators live"), mark(exact.k_hopf, "cycle")];
    let axes = [Axis::new("carrying capacity", false), Axis::new("predators", false)];
    draw("enrichment", "Paradox of enrichment", axes, Content::Curves { series, marks })?;
    Ok(())
}
