//! The deterministic matrices of a pencil as numbers.

use crate::engine::GroupData;
use crate::error::{Error, Result};
use crate::field::Number;
use crate::input::Concrete;
use crate::matrix::Matrix;
use crate::nodes::Letter;
use crate::pencil::Pencil;
use crate::rotation::Rotated;
use crate::structure::{Evaluation, Structure};
use crate::typing::Declarations;
use num_complex::Complex64;
use std::collections::HashMap;

/// Eigenvalues within this fraction of the largest are rounding.
const ROUNDING: f64 = 1e-12;

/// Computes powers of deterministic matrices, each once.
pub(crate) struct Binder<'a> {
    declarations: &'a Declarations,
    eigen: HashMap<usize, (Vec<f64>, Matrix<f64>)>,
    powers: HashMap<Letter, Matrix<f64>>,
}

impl<'a> Binder<'a> {
    pub(crate) fn new(declarations: &'a Declarations) -> Self {
        Self { declarations, eigen: HashMap::new(), powers: HashMap::new() }
    }

    /// The matrices of every group of a pencil.
    pub(crate) fn groups<F: Number>(
        &mut self,
        pencil: &Pencil,
        structure: &Structure,
    ) -> Result<Vec<GroupData<F>>> {
        let number = |x: f64| F::from_number(x);
        let mut out = Vec::with_capacity(structure.groups.len());
        for (index, group) in structure.groups.iter().enumerate() {
            let words = (0..pencil.words.len()).filter(|w| structure.word_group[*w] == Some(index));
            if group.evaluation == Evaluation::Dense {
                let mut matrices = vec![None; pencil.words.len()];
                for word in words {
                    let mut product: Option<Matrix<f64>> = None;
                    for letter in pencil.words.letters(word) {
                        let matrix = self.dense(*letter)?;
                        product = Some(match product {
                            None => matrix.clone(),
                            Some(left) => left.product(matrix),
                        });
                    }
                    matrices[word] = product.map(|m| m.map(number));
                }
                let mut size = 0;
                let mut blocks = Vec::with_capacity(group.blocks.len());
                for block in &group.blocks {
                    let rows = self.declarations.dimensions[pencil.blocks[*block]].size;
                    blocks.push((size, rows));
                    size += rows;
                }
                let trace_size = self.declarations.dimensions[pencil.dimension].size;
                let weight = F::ONE;
                out.push(GroupData::Dense { words: matrices, blocks, size, trace_size, weight });
                continue;
            }
            let dimension = &self.declarations.dimensions[group.dimensions[0]];
            let size = dimension.size as f64;
            let weights: Vec<f64> = match (&dimension.weights, group.evaluation) {
                (_, Evaluation::Scalar) => vec![size],
                (Some(weights), _) => weights.iter().map(|w| w * size).collect(),
                (None, _) => vec![1.0; dimension.size],
            };
            let mut values = vec![None; pencil.words.len()];
            for word in words {
                let mut product = vec![1.0; weights.len()];
                for letter in pencil.words.letters(word) {
                    let spectrum = self.spectrum(letter.matrix)?;
                    let powers = self.powers_of(&spectrum, *letter, 0.0)?;
                    product.iter_mut().zip(powers).for_each(|(x, y)| *x *= y);
                }
                values[word] = Some(product.into_iter().map(number).collect());
            }
            let weights = weights.into_iter().map(number).collect();
            out.push(GroupData::Atoms { weights, words: values });
        }
        Ok(out)
    }

    /// The laws of the rotated matrices of a pencil.
    pub(crate) fn rotated(&self, structure: &Structure) -> Vec<Rotated<f64>> {
        let law = |factor: usize| {
            let random = &self.declarations.random[factor];
            let size = self.declarations.dimensions[random.shape.0].size as f64;
            let fraction = |(x, count): &(f64, usize)| (*x, *count as f64 / size);
            Rotated::Eigenvalues(random.eigenvalues.iter().map(fraction).collect())
        };
        structure.rotated.iter().map(|r| law(r.factor)).collect()
    }

    fn key(&self, matrix: usize) -> String {
        format!("deterministic.{}", self.declarations.fixed[matrix].name)
    }

    fn spectrum(&mut self, matrix: usize) -> Result<Vec<f64>> {
        match &*self.declarations.fixed[matrix].entries {
            Concrete::Diagonal(values) => Ok(values.clone()),
            _ => Ok(self.eigen(matrix)?.0.clone()),
        }
    }

    fn eigen(&mut self, matrix: usize) -> Result<&(Vec<f64>, Matrix<f64>)> {
        if !self.eigen.contains_key(&matrix) {
            let dense = self.declarations.fixed[matrix].entries.dense();
            let decomposition = dense
                .to_faer()
                .self_adjoint_eigen(faer::Side::Lower)
                .map_err(|e| Error::invalid(self.key(matrix), format!("no eigenvalues: {e:?}")))?;
            let values = decomposition.S().column_vector();
            let values = (0..dense.rows()).map(|i| values[i]).collect();
            let vectors = Matrix::from_faer(&decomposition.U().to_owned());
            self.eigen.insert(matrix, (values, vectors));
        }
        Ok(&self.eigen[&matrix])
    }

    /// Powers of eigenvalues; those within `rounding` of the largest count as zero.
    fn powers_of(&self, spectrum: &[f64], letter: Letter, rounding: f64) -> Result<Vec<f64>> {
        let power = letter.power();
        let largest = spectrum.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
        let name = &self.declarations.fixed[letter.matrix].name;
        let one = |x: &f64| {
            let zero = x.abs() <= rounding * largest;
            if power < 0.0 && (zero || *x == 0.0) {
                return Err(Error::NotCertified {
                    subject: format!("{name}^{power}"),
                    reason: format!("`{name}` has the eigenvalue {x:e}"),
                });
            }
            if power.fract() == 0.0 {
                return Ok(crate::field::integer_power(*x, power as i64));
            }
            if zero || *x >= 0.0 {
                return Ok(x.max(0.0).powf(power));
            }
            let message = format!(
                "the eigenvalue {x} is negative, so the power {power} is not real; give a positive \
                 semidefinite matrix"
            );
            Err(Error::invalid(self.key(letter.matrix), message))
        };
        spectrum.iter().map(one).collect()
    }

    /// One letter as a full matrix.
    pub(crate) fn dense(&mut self, letter: Letter) -> Result<&Matrix<f64>> {
        if !self.powers.contains_key(&letter) {
            let power = letter.power();
            let entries = &*self.declarations.fixed[letter.matrix].entries;
            let matrix = match entries {
                Concrete::Diagonal(values) => {
                    Concrete::Diagonal(self.powers_of(values, letter, 0.0)?).dense()
                }
                Concrete::Symmetric(m) if power == 1.0 => m.clone(),
                Concrete::Symmetric(_) => {
                    let (spectrum, vectors) = self.eigen(letter.matrix)?.clone();
                    let powers = self.powers_of(&spectrum, letter, ROUNDING)?;
                    let scaled = Matrix::from_fn(vectors.rows(), vectors.columns(), |i, j| {
                        vectors.at(i, j) * powers[j]
                    });
                    scaled.product(&vectors.transposed())
                }
                Concrete::General(m) => {
                    let m = if letter.transposed { m.transposed() } else { m.clone() };
                    if power == 1.0 {
                        m
                    } else {
                        use crate::field::Field;
                        f64::invert(&m).ok_or_else(|| Error::NotCertified {
                            subject: format!(
                                "the inverse of {}",
                                self.declarations.fixed[letter.matrix].name
                            ),
                            reason: "the matrix is singular".to_owned(),
                        })?
                    }
                }
            };
            self.powers.insert(letter, matrix);
        }
        Ok(&self.powers[&letter])
    }
}

/// The values of parameters, with which to evaluate formulas.
pub(crate) fn symbol_value<F: Number>(
    declarations: &Declarations,
    parameters: &[Complex64],
    symbol: crate::formula::Symbol,
) -> F {
    use crate::formula::Symbol;
    let value = match symbol {
        Symbol::Parameter(i) => parameters[i],
        other => declarations.leaf(other),
    };
    F::from_complex(value).unwrap_or_else(|| F::from_number(f64::NAN))
}
