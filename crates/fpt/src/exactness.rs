//! The linearisation is exact for matrices of any size: C L⁻¹ B against direct evaluation, on random
//! well-typed expressions.

use crate::field::Field;
use crate::input::Problem;
use crate::matrix::Matrix;
use crate::model::{Model, TraceModel};
use crate::nodes::{Node, NodeId};
use crate::pencil::WordId;
use crate::simulate::{Entries, Sampler};
use rmt_task::Draw;
use serde_json::json;

/// Random choices of one expression.
pub(crate) struct Choices {
    draw: Draw,
}

const DIMENSIONS: [&str; 3] = ["n", "p", "m"];

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        Self { draw: Draw { seed, index: 0 } }
    }

    fn below(&mut self, n: usize) -> usize {
        self.draw.index += 1;
        (self.draw.stream() >> 11) as usize % n
    }

    /// A problem with sizes 3 to 9.
    pub(crate) fn problem(&mut self) -> Problem {
        let size: Vec<usize> = (0..3).map(|_| 3 + self.below(7)).collect();
        let entries = |choices: &mut Self, n: usize, shift: f64| -> Vec<f64> {
            (0..n).map(|_| choices.below(1000) as f64 / 1000.0 + shift).collect()
        };
        let spectrum = entries(self, size[1], 0.1);
        let square: Vec<Vec<f64>> = (0..size[2]).map(|_| entries(self, size[2], -0.5)).collect();
        let symmetric: Vec<Vec<f64>> = (0..size[2])
            .map(|i| {
                (0..size[2])
                    .map(|j| {
                        let dot: f64 = (0..size[2]).map(|k| square[i][k] * square[j][k]).sum();
                        dot + if i == j { 0.1 } else { 0.0 }
                    })
                    .collect()
            })
            .collect();
        let wide: Vec<Vec<f64>> = (0..size[0]).map(|_| entries(self, size[1], -0.5)).collect();
        let d = self.below(3);
        let expression = format!("Tr({})", self.matrix(d, d, 4));
        serde_json::from_value(json!({
            "dims": {"n": size[0], "p": size[1], "m": size[2]},
            "parameters": {"a": 0.7, "b": -1.3},
            "random": {
                "A": {"rows": "n", "cols": "p", "variance": "1/p"},
                "B": {"rows": "p", "cols": "m", "variance": "1/(2*m)"},
                "C": {"rows": "n", "cols": "n", "variance": "a/n"},
                "H": {"rows": "p", "cols": "p", "variance": "1/(4*p)", "kind": "goe"},
            },
            "deterministic": {
                "S": {"kind": "explicit", "values": spectrum},
                "D": {"kind": "dense", "values": symmetric},
                "R": {"kind": "dense", "values": wide},
            },
            "deterministic_shapes": {"S": ["p", "p"], "D": ["m", "m"], "R": ["n", "p"]},
            "expression": expression,
        }))
        .unwrap()
    }

    fn leaf(&mut self, r: usize, c: usize) -> String {
        let options: &[&str] = match (r, c) {
            (0, 0) => &["C", "C'", "I(n)"],
            (1, 1) => &["H", "S", "sqrt(S)", "S^-0.3", "I(p)"],
            (2, 2) => &["D", "sqrt(D)", "inv(D)", "I(m)"],
            (0, 1) => &["A", "R"],
            (1, 0) => &["A'", "R'"],
            (1, 2) => &["B"],
            (2, 1) => &["B'"],
            (0, 2) => &["A*B", "R*B"],
            _ => &["B'*A'", "B'*R'"],
        };
        options[self.below(options.len())].to_owned()
    }

    /// A matrix of a shape; arguments of inverses are well conditioned.
    fn matrix(&mut self, r: usize, c: usize, depth: usize) -> String {
        if depth == 0 {
            return self.leaf(r, c);
        }
        let name = DIMENSIONS[r];
        match self.below(if r == c { 9 } else { 5 }) {
            0 => self.leaf(r, c),
            1 => {
                let (x, y) = (self.matrix(r, c, depth - 1), self.matrix(r, c, depth - 1));
                let scalar = ["a*", "b*", "n/p*", "2*", ""][self.below(5)];
                format!("({x} {} {scalar}({y}))", ["+", "-"][self.below(2)])
            }
            2 => format!("({})'", self.matrix(c, r, depth - 1)),
            3 | 4 => {
                let k = self.below(3);
                let (x, y) = (self.matrix(r, k, depth - 1), self.matrix(k, c, depth - 1));
                format!("({x})*({y})")
            }
            5 | 6 => {
                let k = self.below(3);
                let x = self.matrix(r, k, depth - 1);
                format!("inv(I({name}) + 0.1*({x})*({x})')")
            }
            7 => {
                let x = self.leaf(r, r);
                format!("inv(6*I({name}) + {x})")
            }
            _ => format!("({})^2", self.matrix(r, r, depth - 1)),
        }
    }
}

/// C L⁻¹ B of a trace for the sampled random matrices.
fn linearised(model: &Model, trace: &TraceModel, sampler: &mut Sampler<'_, f64>) -> f64 {
    let pencil = &trace.pencil;
    let d = &model.program.declarations;
    let values = model.formula_values::<f64>(&[]);
    let size = |b: usize| d.dimensions[b].size;
    let mut offsets = vec![0];
    for b in &pencil.blocks {
        offsets.push(offsets[offsets.len() - 1] + size(*b));
    }
    let total = offsets[pencil.blocks.len()];
    let mut word = |w: WordId, rows: usize| {
        let letters = pencil.words.letters(w).to_vec();
        letters.iter().fold(Matrix::identity(rows), |m, l| m.product(sampler.letter(*l)))
    };
    let mut l = Matrix::zeros(total, total);
    for e in &pencil.fixed {
        let block = word(e.word, size(pencil.blocks[e.row]));
        l.add_block(offsets[e.row], offsets[e.column], values.at(e.coefficient), &block);
    }
    let mut random = Vec::new();
    for e in &pencil.random {
        let left = word(e.left, size(pencil.blocks[e.row]));
        let (r, c) = d.random[e.occurrence.0].shape;
        let rows = size(if e.occurrence.1 { r } else { c });
        random.push((left, word(e.right, rows)));
    }
    let mut input = Matrix::zeros(total, size(pencil.dimension));
    for e in &pencil.input {
        let block = word(e.word, size(pencil.blocks[e.block]));
        input.add_block(offsets[e.block], 0, values.at(e.coefficient), &block);
    }
    let mut output = Matrix::zeros(size(pencil.dimension), total);
    for e in &pencil.output {
        let block = word(e.word, size(pencil.dimension));
        output.add_block(0, offsets[e.block], values.at(e.coefficient), &block);
    }
    let mut value = 0.0;
    for (c, w) in &pencil.feedthrough {
        value += values.at(*c) * word(*w, size(pencil.dimension)).trace();
    }
    for (e, (left, right)) in pencil.random.iter().zip(random) {
        let z = sampler.factor(e.occurrence);
        let block = left.product(&z).product(&right);
        l.add_block(offsets[e.row], offsets[e.column], values.at(e.coefficient), &block);
    }
    if total > 0 {
        value += output.product(&f64::invert(&l).unwrap()).trace_product(&input);
    }
    value
}

/// The same trace multiplied out, and the size of the terms it sums.
fn direct(model: &Model, node: NodeId, sampler: &mut Sampler<'_, f64>) -> (f64, f64) {
    let matrix = sampler.matrix(node).unwrap();
    let factors = match model.program.nodes.node(node) {
        Node::Product(items) => items.clone(),
        _ => vec![node],
    };
    let norm = |m: &Matrix<f64>| m.data().iter().map(|x| x * x).sum::<f64>().sqrt();
    let scale: f64 = factors.iter().map(|f| norm(&sampler.matrix(*f).unwrap())).product();
    (matrix.trace(), scale)
}

/// The largest error relative to the size of the factors over `count` expressions.
fn worst(seed: u64, count: u64) -> (f64, usize) {
    let (mut worst, mut blocks) = (0.0_f64, 0);
    for index in 0..count {
        let problem = Choices::new(Draw { seed, index }.stream()).problem();
        let model = match Model::new(&problem) {
            Ok(model) => model,
            Err(error) => panic!("{}: {error}", problem.expression),
        };
        let draw = Draw { seed, index };
        let mut sampler = Sampler::<f64>::new(&model, draw, Entries::Gaussian).unwrap();
        for trace in &model.traces {
            blocks = blocks.max(trace.pencil.blocks.len());
            let (direct, scale) = direct(&model, trace.node, &mut sampler);
            let found = linearised(&model, trace, &mut sampler);
            let error = (found - direct).abs() / scale.max(direct.abs());
            assert!(error <= 1e-12, "{}: {found} {direct} ({error:.1e})", problem.expression);
            worst = worst.max(error);
        }
    }
    (worst, blocks)
}

/// Catches any error of the normal form, the state equations or the reachability cut.
#[test]
fn pencils_are_exact() {
    let (worst, blocks) = worst(0, 600);
    println!("largest error {worst:.1e}, largest pencil {blocks} blocks");
}

#[test]
#[ignore = "ten thousand expressions"]
fn pencils_are_exact_on_many_expressions() {
    let (worst, blocks) = worst(1, 10_000);
    println!("10000 expressions: largest error {worst:.1e}, largest pencil {blocks} blocks");
}
