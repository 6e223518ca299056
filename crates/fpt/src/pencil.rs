//! Linearisation: a rational expression becomes one resolvent of a matrix that is linear in the
//! random matrices.
//!
//! E·x is computed symbolically for a formal input x, one state variable for each intermediate
//! result that a random matrix or an inverse needs:
//!
//! ```text
//! w = form            for a result that gets a name,
//! A y = form          for y = inv(A) form.
//! ```
//!
//! Every variable brings one equation of its own dimension, so the system L·(variables) = B·x is
//! square in blocks and E = C L⁻¹ B + feed-through, exactly, for matrices of any size. Each entry of
//! L is linear in the random matrices: L = F + Σ_t c_t A_t Z_t B_t with deterministic words A_t, B_t.
//! (Helton, Mai and Speicher 2018, section 3, up to elimination of the trivial blocks.)

use crate::formula::{Formulas, Scalar};
use crate::nodes::{Letter, Node, NodeId, Nodes, Shape};
use std::collections::HashMap;

/// A product of deterministic matrices; 0 is the empty product.
pub(crate) type WordId = usize;

/// Products of deterministic matrices, each with its letters in order.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    words: Vec<Vec<Letter>>,
    index: HashMap<Vec<Letter>, WordId>,
}

impl Words {
    fn new() -> Self {
        Self { words: vec![Vec::new()], index: HashMap::from([(Vec::new(), 0)]) }
    }

    fn intern(&mut self, letters: Vec<Letter>) -> WordId {
        let next = self.words.len();
        let id = *self.index.entry(letters.clone()).or_insert(next);
        if id == next {
            self.words.push(letters);
        }
        id
    }

    fn prepend(&mut self, letter: Letter, word: WordId) -> WordId {
        let mut letters = vec![letter];
        letters.extend(&self.words[word]);
        self.intern(letters)
    }

    pub(crate) fn letters(&self, word: WordId) -> &[Letter] {
        &self.words[word]
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }
}

/// A random matrix, transposed or not.
pub(crate) type Occurrence = (usize, bool);

/// What a term of a form applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Variable {
    Input,
    State(usize),
}

/// coefficient · left · Z · right · variable; without Z the word is `left`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Term {
    coefficient: Scalar,
    left: WordId,
    random: Option<(Occurrence, WordId)>,
    variable: Variable,
}

type Form = Vec<Term>;

/// Deterministic entry of L.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FixedEntry {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) coefficient: Scalar,
    pub(crate) word: WordId,
}

/// Random entry of L: coefficient · left · Z · right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RandomEntry {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) coefficient: Scalar,
    pub(crate) left: WordId,
    pub(crate) occurrence: Occurrence,
    pub(crate) right: WordId,
}

/// Entry of B (at a row) or of C (at a column).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PortEntry {
    pub(crate) block: usize,
    pub(crate) coefficient: Scalar,
    pub(crate) word: WordId,
}

/// E = C L⁻¹ B + feed-through.
#[derive(Clone, Debug)]
pub(crate) struct Pencil {
    /// Dimension of each block (of its row and its column).
    pub(crate) blocks: Vec<usize>,
    /// Blocks whose equation inverts a matrix: a shift ε·1 of that matrix is ε·1 on the diagonal.
    pub(crate) inverses: Vec<usize>,
    pub(crate) fixed: Vec<FixedEntry>,
    pub(crate) random: Vec<RandomEntry>,
    pub(crate) input: Vec<PortEntry>,
    pub(crate) output: Vec<PortEntry>,
    /// Coefficients and words that need no state.
    pub(crate) feedthrough: Vec<(Scalar, WordId)>,
    pub(crate) words: Words,
    /// Dimension of the trace.
    pub(crate) dimension: usize,
}

/// Most blocks of a pencil.
pub(crate) const MAX_BLOCKS: usize = 200;

/// The pencil of Tr E. A product is rotated (Tr AB = Tr BA) so that it ends with the inverse that
/// leaves the fewest blocks. `None` if it has more than [`MAX_BLOCKS`] blocks.
pub(crate) fn linearise(nodes: &Nodes, formulas: &mut Formulas, trace: NodeId) -> Option<Pencil> {
    let factors = match nodes.node(trace) {
        Node::Product(items) => items.clone(),
        _ => vec![trace],
    };
    let n = factors.len();
    let mut ends: Vec<usize> =
        (0..n).filter(|i| matches!(nodes.node(factors[*i]), Node::Inverse(_))).collect();
    if ends.is_empty() {
        ends.push(n - 1);
    }
    // Rotations differ by a block or two: a few of them are enough to look at.
    ends.truncate(8);
    ends.into_iter()
        .filter_map(|end| {
            let order: Vec<NodeId> = (0..n).map(|k| factors[(end + 1 + k) % n]).collect();
            Builder::new(nodes, formulas).pencil(&order)
        })
        .min_by_key(|p| (p.blocks.len(), p.random.len()))
}

struct Builder<'a> {
    nodes: &'a Nodes,
    formulas: &'a mut Formulas,
    words: Words,
    blocks: Vec<usize>,
    inverses: Vec<usize>,
    /// Left side minus right side of each equation, terms in the input included.
    equations: Vec<Form>,
    named: HashMap<Form, usize>,
    applied: HashMap<(NodeId, Form), Form>,
}

impl<'a> Builder<'a> {
    fn new(nodes: &'a Nodes, formulas: &'a mut Formulas) -> Self {
        Self {
            nodes,
            formulas,
            words: Words::new(),
            blocks: Vec::new(),
            inverses: Vec::new(),
            equations: Vec::new(),
            named: HashMap::new(),
            applied: HashMap::new(),
        }
    }

    fn pencil(mut self, factors: &[NodeId]) -> Option<Pencil> {
        let rows = self.nodes.shape(factors[0]).0;
        let dimension = self.nodes.shape(factors[factors.len() - 1]).1;
        let mut form = vec![state(Variable::Input)];
        for factor in factors.iter().rev() {
            form = self.apply(*factor, form)?;
        }
        if form.iter().any(|t| t.random.is_some()) {
            form = vec![state(Variable::State(self.name(form, rows)?))];
        }
        self.finish(form, dimension)
    }

    fn variable(&mut self, dimension: usize) -> Option<usize> {
        if self.blocks.len() == MAX_BLOCKS {
            return None;
        }
        self.blocks.push(dimension);
        self.equations.push(Vec::new());
        Some(self.blocks.len() - 1)
    }

    /// The variable equal to a form of `dimension` rows.
    fn name(&mut self, form: Form, dimension: usize) -> Option<usize> {
        if let [term] = &form[..]
            && let Variable::State(variable) = term.variable
            && *term == state(term.variable)
        {
            return Some(variable);
        }
        if let Some(variable) = self.named.get(&form) {
            return Some(*variable);
        }
        let variable = self.variable(dimension)?;
        let mut equation = vec![state(Variable::State(variable))];
        equation.extend(self.negated(&form));
        self.equations[variable] = equation;
        self.named.insert(form, variable);
        Some(variable)
    }

    fn negated(&mut self, form: &Form) -> Form {
        form.iter()
            .map(|t| Term { coefficient: self.formulas.negate(t.coefficient), ..t.clone() })
            .collect()
    }

    /// E·form, `None` if the pencil grows too large.
    fn apply(&mut self, node: NodeId, form: Form) -> Option<Form> {
        let key = (node, form);
        if let Some(known) = self.applied.get(&key) {
            return Some(known.clone());
        }
        let form = key.1.clone();
        let (rows, columns): Shape = self.nodes.shape(node);
        let out = match self.nodes.node(node) {
            Node::Identity(_) => form,
            Node::Sum(terms) => {
                let mut sum: Form = Vec::new();
                for (c, part) in terms {
                    for term in self.apply(*part, form.clone())? {
                        let coefficient = self.formulas.multiply(*c, term.coefficient);
                        self.gather(&mut sum, Term { coefficient, ..term });
                    }
                }
                sum
            }
            Node::Product(factors) => {
                let mut form = form;
                for factor in factors.iter().rev() {
                    form = self.apply(*factor, form)?;
                }
                form
            }
            Node::Fixed(letter) => form
                .into_iter()
                .map(|t| Term { left: self.words.prepend(*letter, t.left), ..t })
                .collect(),
            Node::Random { factor, transposed } => {
                let occurrence = (*factor, *transposed);
                match &form[..] {
                    [
                        Term { coefficient, left, random: None, variable: v @ Variable::State(_) },
                    ] => {
                        vec![Term {
                            coefficient: *coefficient,
                            left: 0,
                            random: Some((occurrence, *left)),
                            variable: *v,
                        }]
                    }
                    _ => {
                        let w = self.name(form, columns)?;
                        let random = Some((occurrence, 0));
                        vec![Term { random, ..state(Variable::State(w)) }]
                    }
                }
            }
            Node::Inverse(inner) => {
                let mixed = form.iter().any(|t| t.random.is_some())
                    && form.iter().any(|t| t.variable == Variable::Input);
                let form =
                    if mixed { vec![state(Variable::State(self.name(form, rows)?))] } else { form };
                let y = self.variable(rows)?;
                self.inverses.push(y);
                let right = self.negated(&form);
                let mut equation = self.apply(*inner, vec![state(Variable::State(y))])?;
                equation.extend(right);
                self.equations[y] = equation;
                vec![state(Variable::State(y))]
            }
        };
        self.applied.insert(key, out.clone());
        Some(out)
    }

    /// Adds a term, to an equal one if there is one.
    fn gather(&mut self, form: &mut Form, term: Term) {
        let same = form
            .iter_mut()
            .find(|t| (t.left, &t.random, t.variable) == (term.left, &term.random, term.variable));
        match same {
            Some(t) => t.coefficient = self.formulas.add(t.coefficient, term.coefficient),
            None => form.push(term),
        }
    }

    /// Collects the equations into a pencil, without the variables that the input does not reach or
    /// that do not reach the output.
    fn finish(mut self, output: Form, dimension: usize) -> Option<Pencil> {
        let n = self.blocks.len();
        let equations = std::mem::take(&mut self.equations);
        let mut collected: Vec<Form> = Vec::with_capacity(n);
        for equation in equations {
            let mut form = Vec::new();
            for term in equation {
                self.gather(&mut form, term);
            }
            form.retain(|t| t.coefficient != Formulas::ZERO);
            collected.push(form);
        }
        let spread = |mut seen: Vec<bool>, forward: bool| {
            let mut changed = true;
            while changed {
                changed = false;
                for (row, form) in collected.iter().enumerate() {
                    for term in form {
                        if let Variable::State(column) = term.variable {
                            let (from, to) = if forward { (column, row) } else { (row, column) };
                            if seen[from] && !seen[to] {
                                seen[to] = true;
                                changed = true;
                            }
                        }
                    }
                }
            }
            seen
        };
        let has_input = |form: &Form| form.iter().any(|t| t.variable == Variable::Input);
        let reached = spread(collected.iter().map(has_input).collect(), true);
        let is_output = |i| output.iter().any(|t| t.variable == Variable::State(i));
        let reaching = spread((0..n).map(is_output).collect(), false);
        let mut place = vec![None; n];
        let mut blocks = Vec::new();
        for i in (0..n).filter(|i| reached[*i] && reaching[*i]) {
            place[i] = Some(blocks.len());
            blocks.push(self.blocks[i]);
        }

        let mut pencil = Pencil {
            blocks,
            inverses: self.inverses.iter().filter_map(|i| place[*i]).collect(),
            fixed: Vec::new(),
            random: Vec::new(),
            input: Vec::new(),
            output: Vec::new(),
            feedthrough: Vec::new(),
            words: Words::new(),
            dimension,
        };
        for (i, form) in collected.into_iter().enumerate() {
            let Some(row) = place[i] else { continue };
            for Term { coefficient, left, random, variable } in form {
                match (variable, random) {
                    (Variable::Input, _) => {
                        let coefficient = self.formulas.negate(coefficient);
                        pencil.input.push(PortEntry { block: row, coefficient, word: left });
                    }
                    (Variable::State(j), random) => {
                        let Some(column) = place[j] else { continue };
                        match random {
                            None => pencil.fixed.push(FixedEntry {
                                row,
                                column,
                                coefficient,
                                word: left,
                            }),
                            Some((occurrence, right)) => pencil.random.push(RandomEntry {
                                row,
                                column,
                                coefficient,
                                left,
                                occurrence,
                                right,
                            }),
                        }
                    }
                }
            }
        }
        for Term { coefficient, left, variable, .. } in output {
            match variable {
                Variable::Input => pencil.feedthrough.push((coefficient, left)),
                Variable::State(j) => {
                    if let Some(block) = place[j] {
                        pencil.output.push(PortEntry { block, coefficient, word: left });
                    }
                }
            }
        }
        pencil.words = self.words;
        Some(pencil)
    }
}

/// The form 1·variable.
fn state(variable: Variable) -> Term {
    Term { coefficient: Formulas::ONE, left: 0, random: None, variable }
}
