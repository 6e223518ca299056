//! Matrix expressions, hash-consed and normalised: transposes sit on the leaves, products and sums
//! are flat, identities are dropped, inv(inv(E)) = E, scalar factors are pulled to the front.

use crate::formula::{Formulas, Scalar};
use std::collections::HashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

/// A power of a deterministic matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Letter {
    pub(crate) matrix: usize,
    /// Bits of the exponent.
    power: u64,
    pub(crate) transposed: bool,
}

impl Letter {
    pub(crate) fn new(matrix: usize, power: f64, transposed: bool) -> Self {
        Self { matrix, power: power.to_bits(), transposed }
    }

    pub(crate) fn power(self) -> f64 {
        f64::from_bits(self.power)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// Identity of a dimension.
    Identity(usize),
    Random {
        factor: usize,
        transposed: bool,
    },
    Fixed(Letter),
    Product(Vec<NodeId>),
    Sum(Vec<(Scalar, NodeId)>),
    Inverse(NodeId),
}

/// Row and column dimension.
pub(crate) type Shape = (usize, usize);

/// Σ c·E; without terms it is zero.
#[derive(Clone, Debug)]
pub(crate) struct Combination {
    pub(crate) shape: Shape,
    pub(crate) terms: Vec<(Scalar, NodeId)>,
}

/// Longest flat product.
const MAX_FACTORS: usize = 1 << 12;
/// Most distinct nodes.
const MAX_NODES: usize = 1 << 15;

/// The expression outgrew its limits.
#[derive(Debug)]
pub(crate) struct TooLarge;

/// What the normal forms need to know about the leaves.
pub(crate) trait Leaves {
    fn random_shape(&self, factor: usize) -> Shape;
    /// Whether a random matrix equals its transpose.
    fn random_symmetric(&self, factor: usize) -> bool;
    fn fixed_shape(&self, matrix: usize) -> Shape;
    fn fixed_symmetric(&self, matrix: usize) -> bool;
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Nodes {
    nodes: Vec<Node>,
    shapes: Vec<Shape>,
    random: Vec<bool>,
    index: HashMap<Node, NodeId>,
}

impl Nodes {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(crate) fn shape(&self, id: NodeId) -> Shape {
        self.shapes[id.0 as usize]
    }

    /// Whether a random matrix occurs.
    pub(crate) fn is_random(&self, id: NodeId) -> bool {
        self.random[id.0 as usize]
    }

    fn insert(&mut self, node: Node, shape: Shape) -> Result<NodeId, TooLarge> {
        if let Some(id) = self.index.get(&node) {
            return Ok(*id);
        }
        if self.nodes.len() == MAX_NODES {
            return Err(TooLarge);
        }
        let random = match &node {
            Node::Identity(_) | Node::Fixed(_) => false,
            Node::Random { .. } => true,
            Node::Product(items) => items.iter().any(|i| self.is_random(*i)),
            Node::Sum(terms) => terms.iter().any(|(_, i)| self.is_random(*i)),
            Node::Inverse(i) => self.is_random(*i),
        };
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(node.clone());
        self.shapes.push(shape);
        self.random.push(random);
        self.index.insert(node, id);
        Ok(id)
    }

    pub(crate) fn identity(&mut self, dimension: usize) -> Result<NodeId, TooLarge> {
        self.insert(Node::Identity(dimension), (dimension, dimension))
    }

    pub(crate) fn random(
        &mut self,
        leaves: &impl Leaves,
        factor: usize,
        transposed: bool,
    ) -> Result<NodeId, TooLarge> {
        let (r, c) = leaves.random_shape(factor);
        let transposed = transposed && !leaves.random_symmetric(factor);
        let shape = if transposed { (c, r) } else { (r, c) };
        self.insert(Node::Random { factor, transposed }, shape)
    }

    pub(crate) fn fixed(
        &mut self,
        leaves: &impl Leaves,
        letter: Letter,
    ) -> Result<NodeId, TooLarge> {
        let (r, c) = leaves.fixed_shape(letter.matrix);
        if letter.power() == 0.0 {
            return self.identity(r);
        }
        let transposed = letter.transposed && !leaves.fixed_symmetric(letter.matrix);
        let shape = if transposed { (c, r) } else { (r, c) };
        self.insert(Node::Fixed(Letter { transposed, ..letter }), shape)
    }

    fn factors(&self, id: NodeId) -> Vec<NodeId> {
        match self.node(id) {
            Node::Product(items) => items.clone(),
            Node::Identity(_) => Vec::new(),
            _ => vec![id],
        }
    }

    /// Product of a list of factors that fit, for the given shape.
    pub(crate) fn product(
        &mut self,
        leaves: &impl Leaves,
        items: &[NodeId],
        shape: Shape,
    ) -> Result<NodeId, TooLarge> {
        let mut flat: Vec<NodeId> = Vec::new();
        for item in items {
            for factor in self.factors(*item) {
                // Powers of one symmetric matrix add up.
                if let (Some(Node::Fixed(a)), Node::Fixed(b)) =
                    (flat.last().map(|l| self.node(*l)), self.node(factor))
                    && a.matrix == b.matrix
                    && leaves.fixed_symmetric(a.matrix)
                {
                    let letter = Letter::new(a.matrix, a.power() + b.power(), false);
                    flat.pop();
                    let merged = self.fixed(leaves, letter)?;
                    flat.extend(self.factors(merged));
                    continue;
                }
                flat.push(factor);
            }
            if flat.len() > MAX_FACTORS {
                return Err(TooLarge);
            }
        }
        match flat.len() {
            0 => self.identity(shape.0),
            1 => Ok(flat[0]),
            _ => self.insert(Node::Product(flat), shape),
        }
    }

    /// The combination as one node with a scalar in front; `None` if it is zero.
    pub(crate) fn single(&mut self, c: &Combination) -> Result<Option<(Scalar, NodeId)>, TooLarge> {
        match &c.terms[..] {
            [] => Ok(None),
            [term] => Ok(Some(*term)),
            terms => {
                let id = self.insert(Node::Sum(terms.to_vec()), c.shape)?;
                Ok(Some((Formulas::ONE, id)))
            }
        }
    }

    /// Adds combinations of one shape: nested sums are flattened, equal terms collected.
    pub(crate) fn add(
        &self,
        formulas: &mut Formulas,
        parts: &[(Scalar, Combination)],
    ) -> Combination {
        let shape = parts[0].1.shape;
        let mut gathered: Vec<(Vec<Scalar>, NodeId)> = Vec::new();
        let mut place: HashMap<NodeId, usize> = HashMap::new();
        for (scale, part) in parts {
            let mut flat: Vec<(Scalar, NodeId)> = Vec::new();
            for (c, id) in &part.terms {
                let c = formulas.multiply(*scale, *c);
                match self.node(*id) {
                    Node::Sum(inner) => {
                        flat.extend(inner.iter().map(|(d, e)| (formulas.multiply(c, *d), *e)));
                    }
                    _ => flat.push((c, *id)),
                }
            }
            for (c, id) in flat {
                let at = *place.entry(id).or_insert(gathered.len());
                if at == gathered.len() {
                    gathered.push((Vec::new(), id));
                }
                gathered[at].0.push(c);
            }
        }
        let terms = gathered
            .into_iter()
            .map(|(coefficients, id)| (formulas.sum(&coefficients), id))
            .filter(|(c, _)| *c != Formulas::ZERO)
            .collect();
        Combination { shape, terms }
    }

    /// a·b for combinations that fit.
    pub(crate) fn multiply(
        &mut self,
        leaves: &impl Leaves,
        formulas: &mut Formulas,
        parts: &[Combination],
    ) -> Result<Combination, TooLarge> {
        let shape = (parts[0].shape.0, parts[parts.len() - 1].shape.1);
        let mut scalars = Vec::with_capacity(parts.len());
        let mut items = Vec::with_capacity(parts.len());
        for part in parts {
            match self.single(part)? {
                None => return Ok(Combination { shape, terms: Vec::new() }),
                Some((c, id)) => {
                    scalars.push(c);
                    items.push(id);
                }
            }
        }
        let scalar = formulas.product(&scalars);
        let id = self.product(leaves, &items, shape)?;
        Ok(Combination { shape, terms: vec![(scalar, id)] })
    }

    /// The inverse of c·E as a combination.
    pub(crate) fn inverse(
        &mut self,
        leaves: &impl Leaves,
        formulas: &mut Formulas,
        (c, id): (Scalar, NodeId),
    ) -> Result<Combination, TooLarge> {
        let shape = self.shape(id);
        let inverse = match *self.node(id) {
            Node::Identity(_) => id,
            Node::Inverse(inner) => inner,
            Node::Fixed(letter) => {
                let letter = Letter::new(letter.matrix, -letter.power(), letter.transposed);
                self.fixed(leaves, letter)?
            }
            _ => self.insert(Node::Inverse(id), shape)?,
        };
        Ok(Combination { shape, terms: vec![(formulas.divide(Formulas::ONE, c), inverse)] })
    }

    pub(crate) fn transpose(
        &mut self,
        leaves: &impl Leaves,
        id: NodeId,
    ) -> Result<NodeId, TooLarge> {
        let (r, c) = self.shape(id);
        match self.node(id).clone() {
            Node::Identity(_) => Ok(id),
            Node::Random { factor, transposed } => self.random(leaves, factor, !transposed),
            Node::Fixed(letter) => {
                self.fixed(leaves, Letter { transposed: !letter.transposed, ..letter })
            }
            Node::Product(items) => {
                let mut turned = Vec::with_capacity(items.len());
                for item in items.iter().rev() {
                    turned.push(self.transpose(leaves, *item)?);
                }
                self.product(leaves, &turned, (c, r))
            }
            Node::Sum(terms) => {
                let mut turned = Vec::with_capacity(terms.len());
                for (scale, item) in terms {
                    turned.push((scale, self.transpose(leaves, item)?));
                }
                self.insert(Node::Sum(turned), (c, r))
            }
            Node::Inverse(inner) => {
                let turned = self.transpose(leaves, inner)?;
                self.insert(Node::Inverse(turned), (c, r))
            }
        }
    }
}
