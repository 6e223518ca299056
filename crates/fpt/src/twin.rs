//! Which unknowns vanish and which coincide, decided on a generic twin of the model.
//!
//! The twin has the same pencil but random elements of a prime field in place of sizes, spectra,
//! matrices and parameters, and one random shift on every inverse. Start with all τ in the class
//! "zero" and repeat: give the classes random values, evaluate T, split every class by the value of
//! T. The coarsest partition that T respects holds along the whole iteration from τ = 0, hence for
//! the solution; equality in the field is exact, so nothing is merged by a tolerance, and what holds
//! at a generic point holds at every point.

use crate::engine::{Classes, Coefficients, Engine, GroupData};
use crate::field::{Field, Prime, integer_power};
use crate::formula::{Formulas, Scalar, Symbol};
use crate::input::Concrete;
use crate::matrix::Matrix;
use crate::nodes::Letter;
use crate::pencil::Pencil;
use crate::rotation::Rotated;
use crate::structure::{Evaluation, Structure};
use crate::typing::Declarations;
use rmt_task::Draw;
use std::collections::HashMap;

/// Atoms of a commuting group of the twin.
const ATOMS: usize = 5;
/// Draws that must leave the partition alone.
const STABLE_DRAWS: usize = 3;
/// Draws in all before the model is solved without reduction.
const MAX_DRAWS: usize = 60;

/// The reduction of a pencil: the classes, and which unknowns each image depends on.
#[derive(Clone, Debug)]
pub(crate) struct Reduction {
    pub(crate) classes: Classes,
    /// Number of each class among the classes of all pencils of the model: traces of one resolvent
    /// share unknowns.
    pub(crate) shared: Vec<usize>,
    /// Components of mutually dependent unknowns, each after those it needs.
    pub(crate) components: Vec<Component>,
    /// Components of the certificate: positions in [`Structure::mates`].
    pub(crate) certificate: Vec<Vec<usize>>,
}

/// Unknowns that depend on each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Component {
    pub(crate) unknowns: Vec<usize>,
    /// Whether their equations are affine in themselves, the earlier ones given.
    pub(crate) affine: bool,
}

/// Reduces the unknowns of the pencils of a model together.
pub(crate) fn reduce(
    parts: &[(&Pencil, &Structure)],
    declarations: &Declarations,
    formulas: &Formulas,
) -> Vec<Reduction> {
    let trivial: Vec<Classes> =
        parts.iter().map(|(_, s)| Classes::trivial(s.pairs.len())).collect();
    let mut of: Vec<Vec<Option<usize>>> =
        parts.iter().map(|(_, s)| vec![None; s.pairs.len()]).collect();
    let (mut stable, mut draw) = (0, 0);
    while stable < STABLE_DRAWS {
        draw += 1;
        if draw > MAX_DRAWS {
            let mut fresh = 0..;
            of.iter_mut().flatten().for_each(|class| *class = fresh.next());
            break;
        }
        let mut split: HashMap<(Option<usize>, Prime), usize> = HashMap::new();
        let mut next = Vec::with_capacity(parts.len());
        for (((pencil, structure), trivial), of) in parts.iter().zip(&trivial).zip(&of) {
            let twin = Twin::new(draw, pencil, structure, declarations, formulas);
            let engine = twin.engine(pencil, structure, trivial);
            let tau: Vec<Prime> = of
                .iter()
                .map(|class| class.map_or(Prime::ZERO, |c| twin.dice.roll("unknown", c as u64)))
                .collect();
            let Some(green) = engine.green(&tau, twin.shift(), Prime::ONE) else { break };
            let images = engine.images(&green, &trivial.representatives);
            let mut classes = Vec::with_capacity(of.len());
            for (class, image) in of.iter().zip(&images) {
                classes.push(if class.is_none() && *image == Prime::ZERO {
                    None
                } else {
                    let fresh = split.len();
                    Some(*split.entry((*class, *image)).or_insert(fresh))
                });
            }
            next.push(classes);
        }
        if next.len() < parts.len() {
            continue; // a singular draw
        }
        // Numbered by first appearance, so an unchanged partition has the same numbers.
        stable = if next == of { stable + 1 } else { 0 };
        of = next;
    }
    let one = |((pencil, structure), of): (&(&Pencil, &Structure), &Vec<Option<usize>>)| {
        let mut shared: Vec<usize> = Vec::new();
        let mut representatives = Vec::new();
        let mut local = Vec::with_capacity(of.len());
        for (pair, class) in of.iter().enumerate() {
            local.push(class.map(|class| {
                shared.iter().position(|s| *s == class).unwrap_or_else(|| {
                    shared.push(class);
                    representatives.push(pair);
                    shared.len() - 1
                })
            }));
        }
        let classes = Classes { of: local, representatives };
        let twin = Twin::new(draw + 1, pencil, structure, declarations, formulas);
        let (components, certificate) = components(pencil, structure, &classes, &twin);
        Reduction { classes, shared, components, certificate }
    };
    parts.iter().zip(&of).map(one).collect()
}

/// Components of the unknowns and of the certificate, from a generic point of the twin.
fn components(
    pencil: &Pencil,
    structure: &Structure,
    classes: &Classes,
    twin: &Twin<'_>,
) -> (Vec<Component>, Vec<Vec<usize>>) {
    let n = classes.len();
    let mates = structure.mates.len();
    let whole =
        (vec![Component { unknowns: (0..n).collect(), affine: false }], vec![(0..mates).collect()]);
    let engine = twin.engine(pencil, structure, classes);
    let point: Vec<Prime> = (0..n).map(|k| twin.dice.roll("unknown", k as u64)).collect();
    let Some(green) = engine.green(&point, twin.shift(), Prime::ONE) else { return whole };
    let Some(jacobian) = engine.jacobian(&green) else { return whole };
    let certificate = certificate_parts(structure, classes, &engine.coupled(&green));
    let depends = |k: usize, l: usize| jacobian.at(k, l) != Prime::ZERO;
    let base = engine.images(&green, &classes.representatives);
    let mut out = Vec::new();
    for unknowns in strong_components(n, &depends) {
        // T is affine along a line iff its second difference vanishes.
        let moved = |times: u64| {
            let mut u = point.clone();
            for k in &unknowns {
                let step = twin.dice.roll("direction", *k as u64);
                for _ in 0..times {
                    u[*k] += step;
                }
            }
            let green = engine.green(&u, twin.shift(), Prime::ONE)?;
            Some(engine.images(&green, &classes.representatives))
        };
        let affine = match (moved(1), moved(2)) {
            (Some(one), Some(two)) => {
                unknowns.iter().all(|k| two[*k] - one[*k] == one[*k] - base[*k])
            }
            _ => false,
        };
        out.push(Component { unknowns, affine });
    }
    (out, certificate)
}

/// Strongly connected parts of K by its structural zeros: K_(ts),(ab) ∝ Tr(H_ta H_sb*). Products of
/// resolvents repeat one spectrum along a triangle; taken as a whole, rounding inside the triangle
/// would move its eigenvalues by a root of itself.
fn certificate_parts(
    structure: &Structure,
    classes: &Classes,
    coupled: &[Vec<bool>],
) -> Vec<Vec<usize>> {
    let mates = &structure.mates;
    let mut links = Matrix::from_fn(mates.len(), mates.len(), |row, column| {
        let ((t, s), (a, b)) = (mates[row], mates[column]);
        if coupled[t][a] && coupled[s][b] { Prime::ONE } else { Prime::ZERO }
    });
    // A rotated matrix responds through functions of w: along paths of its non-zero entries.
    for matrix in &structure.rotated {
        let m = matrix.entries.len();
        let mut reach: Vec<Vec<bool>> = (0..m)
            .map(|i| {
                (0..m).map(|j| i == j || classes.of[matrix.pairs[i * m + j]].is_some()).collect()
            })
            .collect();
        for k in 0..m {
            for i in 0..m {
                for j in 0..m {
                    reach[i][j] |= reach[i][k] && reach[k][j];
                }
            }
        }
        let place = |t: usize| matrix.entries.iter().position(|e| *e == t);
        let before = links.clone();
        for column in 0..mates.len() {
            let (Some(c), Some(d)) = (place(mates[column].0), place(mates[column].1)) else {
                continue;
            };
            for row in 0..mates.len() {
                let through = (0..mates.len()).any(|via| {
                    let (Some(a), Some(b)) = (place(mates[via].0), place(mates[via].1)) else {
                        return false;
                    };
                    before.at(row, via) != Prime::ZERO && reach[a][c] && reach[b][d]
                });
                if through {
                    *links.at_mut(row, column) = Prime::ONE;
                }
            }
        }
    }
    strong_components(mates.len(), &|i, j| links.at(i, j) != Prime::ZERO)
}

/// Strongly connected components of the graph k → l if k depends on l, dependencies first (Tarjan,
/// without recursion).
pub(crate) fn strong_components(
    n: usize,
    depends: &impl Fn(usize, usize) -> bool,
) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let (mut index, mut low) = (vec![UNSEEN; n], vec![0; n]);
    let mut on_stack = vec![false; n];
    let (mut stack, mut out, mut counter) = (Vec::new(), Vec::new(), 0);
    for root in 0..n {
        if index[root] != UNSEEN {
            continue;
        }
        // (node, next neighbour to look at)
        let mut work = vec![(root, 0)];
        while let Some((k, next)) = work.last_mut() {
            let k = *k;
            if index[k] == UNSEEN {
                (index[k], low[k]) = (counter, counter);
                counter += 1;
                stack.push(k);
                on_stack[k] = true;
            }
            if let Some(l) = (*next..n).find(|l| depends(k, *l)) {
                *next = l + 1;
                if index[l] == UNSEEN {
                    work.push((l, 0));
                } else if on_stack[l] {
                    low[k] = low[k].min(index[l]);
                }
                continue;
            }
            work.pop();
            if low[k] == index[k] {
                let mut component = Vec::new();
                while let Some(l) = stack.pop() {
                    on_stack[l] = false;
                    component.push(l);
                    if l == k {
                        break;
                    }
                }
                component.sort_unstable();
                out.push(component);
            }
            if let Some((parent, _)) = work.last() {
                low[*parent] = low[*parent].min(low[k]);
            }
        }
    }
    out
}

/// Random elements of one draw, told apart by what they stand for.
#[derive(Clone, Copy)]
struct Dice(u64);

/// Room between the indices of different matrices.
const STRIDE: usize = 1 << 12;

impl Dice {
    fn roll(self, what: &str, index: u64) -> Prime {
        let salt = what.bytes().fold(0_u64, |s, b| s.wrapping_mul(257).wrapping_add(u64::from(b)));
        Prime::from_bits(Draw { seed: self.0 ^ salt, index }.stream())
    }

    fn weight(self, dimension: usize, atom: usize) -> Prime {
        self.roll("weight", (dimension * ATOMS + atom) as u64)
    }

    /// Size of a dimension: the weight of all its atoms.
    fn size(self, dimension: usize) -> Prime {
        (0..ATOMS).fold(Prime::ZERO, |s, a| s + self.weight(dimension, a))
    }
}

/// One draw of the twin.
struct Twin<'a> {
    dice: Dice,
    declarations: &'a Declarations,
    coefficients: Coefficients<Prime>,
    /// Size of each dimension inside a dense group.
    small: Vec<usize>,
    groups: Vec<GroupData<Prime>>,
    rotated: Vec<Rotated<Prime>>,
}

impl<'a> Twin<'a> {
    fn new(
        draw: usize,
        pencil: &Pencil,
        structure: &Structure,
        declarations: &'a Declarations,
        formulas: &Formulas,
    ) -> Self {
        let dice = Dice(Draw { seed: 0x7717, index: draw as u64 }.stream());
        let mut small = vec![1; declarations.dimensions.len()];
        for group in &structure.groups {
            for (position, d) in group.dimensions.iter().enumerate() {
                small[*d] = 3 + position;
            }
        }
        let size = |d: usize| match structure.groups.iter().find(|g| g.dimensions.contains(&d)) {
            Some(g) if g.evaluation == Evaluation::Dense => {
                dice.weight(g.dimensions[0], 0) * Prime::from_number(small[d] as f64)
            }
            _ => dice.size(d),
        };
        let sizes: Vec<Prime> = (0..declarations.dimensions.len()).map(size).collect();
        let leaf = |symbol| match symbol {
            Symbol::Parameter(i) => dice.roll("parameter", i as u64),
            Symbol::Dimension(d) => sizes[d],
            Symbol::Trace(i) => dice.roll("trace", i as u64),
        };
        let values = formulas.evaluate(leaf, dice.0);
        let variance: Vec<Scalar> = declarations.random.iter().map(|r| r.variance).collect();
        let coefficients = Coefficients::new(pencil, &variance, &values);
        let rotated = structure.rotated.iter().map(|matrix| {
            let cumulant = |k| dice.roll("cumulant", (matrix.factor * STRIDE + k) as u64);
            Rotated::Cumulants((0..=matrix.entries.len()).map(cumulant).collect())
        });
        let rotated = rotated.collect();
        let groups = Vec::new();
        let mut twin = Self { dice, declarations, coefficients, small, groups, rotated };
        twin.groups = twin.matrices(pencil, structure);
        twin
    }

    fn shift(&self) -> Prime {
        self.dice.roll("shift", 0)
    }

    fn engine<'b>(
        &'b self,
        pencil: &'b Pencil,
        structure: &'b Structure,
        classes: &'b Classes,
    ) -> Engine<'b, Prime> {
        let coefficients = self.coefficients.clone();
        Engine::new(pencil, structure, classes, coefficients, &self.groups, &self.rotated)
    }

    fn matrices(&self, pencil: &Pencil, structure: &Structure) -> Vec<GroupData<Prime>> {
        let mut groups = Vec::new();
        for (index, group) in structure.groups.iter().enumerate() {
            let words = (0..pencil.words.len()).filter(|w| structure.word_group[*w] == Some(index));
            if group.evaluation == Evaluation::Dense {
                let mut matrices = vec![None; pencil.words.len()];
                for word in words {
                    let letters = pencil.words.letters(word);
                    let product =
                        letters.iter().map(|l| self.matrix(*l)).reduce(|a, b| a.product(&b));
                    matrices[word] = product;
                }
                let (mut size, mut blocks) = (0, Vec::new());
                for block in &group.blocks {
                    let rows = self.small[pencil.blocks[*block]];
                    blocks.push((size, rows));
                    size += rows;
                }
                groups.push(GroupData::Dense {
                    words: matrices,
                    blocks,
                    size,
                    trace_size: self.small[pencil.dimension],
                    weight: self.dice.weight(group.dimensions[0], 0),
                });
                continue;
            }
            let atoms = if group.evaluation == Evaluation::Scalar { 1 } else { ATOMS };
            let mut values = vec![None; pencil.words.len()];
            for word in words {
                let letters = pencil.words.letters(word);
                let at =
                    |atom| letters.iter().fold(Prime::ONE, |x, l| x * self.atom_power(*l, atom));
                values[word] = Some((0..atoms).map(at).collect());
            }
            let dimension = group.dimensions[0];
            let weights = if group.evaluation == Evaluation::Scalar {
                vec![self.dice.size(dimension)]
            } else {
                (0..atoms).map(|a| self.dice.weight(dimension, a)).collect()
            };
            groups.push(GroupData::Atoms { weights, words: values });
        }
        groups
    }

    /// The exponent as a whole number of 1/ROOTS, if it is one.
    fn whole(power: f64) -> Option<i64> {
        let scaled = power * ROOTS as f64;
        ((scaled - scaled.round()).abs() < 1e-9 && scaled.abs() < 1e6)
            .then(|| scaled.round() as i64)
    }

    fn atom_power(&self, letter: Letter, atom: usize) -> Prime {
        let index = (letter.matrix * STRIDE + atom) as u64;
        match Self::whole(letter.power()) {
            Some(power) => integer_power(self.dice.roll("root", index), power),
            None => self.dice.roll("power", index ^ letter.power().to_bits()),
        }
    }

    fn matrix(&self, letter: Letter) -> Matrix<Prime> {
        let fixed = &self.declarations.fixed[letter.matrix];
        let (rows, columns) = (self.small[fixed.shape.0], self.small[fixed.shape.1]);
        let entry = |i: usize, j: usize| {
            self.dice.roll("entry", (letter.matrix * STRIDE + i * 64 + j) as u64)
        };
        match &*fixed.entries {
            Concrete::Diagonal(_) => Matrix::from_fn(rows, rows, |i, j| {
                if i == j { self.atom_power(letter, i) } else { Prime::ZERO }
            }),
            Concrete::Symmetric(_) => {
                let root = Matrix::from_fn(rows, rows, |i, j| entry(i.min(j), i.max(j)));
                match Self::whole(letter.power()) {
                    Some(power) => matrix_power(&root, power),
                    None => {
                        // A power that no root represents: an independent matrix that commutes.
                        let bits = letter.power().to_bits();
                        let mut sum = Matrix::zeros(rows, rows);
                        let mut power = Matrix::identity(rows);
                        for k in 0..rows as u64 {
                            let c =
                                self.dice.roll("power", bits ^ (k * 977 + letter.matrix as u64));
                            sum.add_block(0, 0, c, &power);
                            power = power.product(&root);
                        }
                        sum
                    }
                }
            }
            Concrete::General(_) => {
                let plain = Matrix::from_fn(rows, columns, entry);
                let turned = if letter.transposed { plain.transposed() } else { plain };
                if letter.power() < 0.0 { turned.gauss_inverse().unwrap_or(turned) } else { turned }
            }
        }
    }
}

/// Spectra of the twin are whole powers of a root, so that S^½·S^½ = S holds there: exponents are
/// multiples of 1/ROOTS.
const ROOTS: i64 = 120;

fn matrix_power(root: &Matrix<Prime>, power: i64) -> Matrix<Prime> {
    let mut square =
        if power < 0 { root.gauss_inverse().unwrap_or_else(|| root.clone()) } else { root.clone() };
    let mut out = Matrix::identity(root.rows());
    let mut left = power.unsigned_abs();
    while left > 0 {
        if left & 1 == 1 {
            out = out.product(&square);
        }
        square = square.product(&square);
        left >>= 1;
    }
    out
}
