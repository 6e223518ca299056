//! A tanh network of one variable, with its time derivative and the adjoint of both.
//!
//! Layer l with weights W, biases b, at many times at once:
//!
//! ```text
//! s = W h + b,   h = tanh s;        ṡ = W ḣ,   ḣ = (1 − h²) ṡ.
//! ```
//!
//! The last layer is linear. Adjoints run backwards through both, so no graph is recorded. A column
//! of an activation matrix is one time: first the times with tangents, then those without, then the
//! tangents; so a layer is a single matrix product.

use crate::kernels::{backward, forward};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Scale of the first layer: with weights N(0, 6²) and biases U(−6, 6) the knots of tanh spread
/// over the time interval [−1, 1].
const FIRST_LAYER: f64 = 6.0;

/// Shape of a network: one input, hidden tanh layers, linear outputs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Network {
    sizes: Vec<usize>,
}

/// Activations and adjoints for a fixed set of times.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    times: Vec<f64>,
    /// Number of times with tangents, which come first.
    with_tangent: usize,
    activations: Vec<Vec<f64>>,
    adjoints: Vec<Vec<f64>>,
}

impl Workspace {
    /// Columns of every activation matrix.
    fn columns(&self) -> usize {
        self.times.len() + self.with_tangent
    }

    /// Outputs at a time.
    pub(crate) fn output(&self, time: usize) -> &[f64] {
        column(&self.activations, self.columns(), time)
    }

    /// d(output)/d(input) at a time with tangent.
    pub(crate) fn output_tangent(&self, time: usize) -> &[f64] {
        column(&self.activations, self.columns(), self.times.len() + time)
    }

    /// Where to put the adjoint of an output.
    pub(crate) fn output_bar(&mut self, time: usize) -> &mut [f64] {
        let columns = self.columns();
        column_mut(&mut self.adjoints, columns, time)
    }

    /// Where to put the adjoint of an output's tangent.
    pub(crate) fn output_tangent_bar(&mut self, time: usize) -> &mut [f64] {
        let (columns, position) = (self.columns(), self.times.len() + time);
        column_mut(&mut self.adjoints, columns, position)
    }

    /// Clears the adjoints of the outputs.
    pub(crate) fn clear(&mut self) {
        if let Some(last) = self.adjoints.last_mut() {
            last.fill(0.0);
        }
    }
}

fn column(layers: &[Vec<f64>], columns: usize, position: usize) -> &[f64] {
    let last = layers.last().map_or(&[][..], Vec::as_slice);
    let rows = last.len() / columns;
    &last[rows * position..rows * (position + 1)]
}

fn column_mut(layers: &mut [Vec<f64>], columns: usize, position: usize) -> &mut [f64] {
    let last = layers.last_mut().map_or(&mut [][..], Vec::as_mut_slice);
    let rows = last.len() / columns;
    &mut last[rows * position..rows * (position + 1)]
}

impl Network {
    pub(crate) fn new(hidden: &[usize], outputs: usize) -> Self {
        let mut sizes = vec![1];
        sizes.extend_from_slice(hidden);
        sizes.push(outputs);
        Self { sizes }
    }

    /// Number of weights and biases.
    pub(crate) fn len(&self) -> usize {
        self.sizes.windows(2).map(|w| w[1] * (w[0] + 1)).sum()
    }

    /// Random weights: the first layer as described above, Xavier's uniform law for the others.
    pub(crate) fn initial(&self, seed: u64) -> Vec<f64> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut weights = Vec::with_capacity(self.len());
        for (layer, w) in self.sizes.windows(2).enumerate() {
            if layer == 0 {
                weights.extend((0..w[1]).map(|_| FIRST_LAYER * normal(&mut random)));
                weights.extend((0..w[1]).map(|_| random.random_range(-FIRST_LAYER..FIRST_LAYER)));
            } else {
                let bound = (6.0 / (w[0] + w[1]) as f64).sqrt();
                weights.extend((0..w[0] * w[1]).map(|_| random.random_range(-bound..bound)));
                weights.extend(std::iter::repeat_n(0.0, w[1]));
            }
        }
        weights
    }

    /// Memory for evaluations at `times` in [−1, 1], the first `with_tangent` of them with
    /// derivative.
    pub(crate) fn workspace(&self, times: Vec<f64>, with_tangent: usize) -> Workspace {
        let columns = times.len() + with_tangent;
        let layers: Vec<Vec<f64>> =
            self.sizes[1..].iter().map(|size| vec![0.0; size * columns]).collect();
        Workspace { times, with_tangent, adjoints: layers.clone(), activations: layers }
    }

    /// Outputs and tangents at all times.
    pub(crate) fn forward(&self, weights: &[f64], work: &mut Workspace) {
        let (columns, times) = (work.columns(), work.times.len());
        let mut offset = 0;
        for (layer, w) in self.sizes.windows(2).enumerate() {
            let (fan_in, fan_out) = (w[0], w[1]);
            let matrix = &weights[offset..offset + fan_in * fan_out];
            offset += fan_in * fan_out;
            let biases = &weights[offset..offset + fan_out];
            offset += fan_out;
            let (before, rest) = work.activations.split_at_mut(layer);
            let out = &mut rest[0];
            if layer == 0 {
                for (column, t) in out.chunks_mut(fan_out).zip(&work.times) {
                    for (s, w) in column.iter_mut().zip(matrix) {
                        *s = w * t;
                    }
                }
                for column in out[times * fan_out..].chunks_mut(fan_out) {
                    column.copy_from_slice(matrix);
                }
            } else {
                matmul(
                    MatMut::from_column_major_slice_mut(out, fan_out, columns),
                    Accum::Replace,
                    MatRef::from_column_major_slice(matrix, fan_out, fan_in),
                    MatRef::from_column_major_slice(&before[layer - 1], fan_in, columns),
                    1.0,
                    Par::Seq,
                );
            }
            let (values, tangents) = out.split_at_mut(times * fan_out);
            for column in values.chunks_mut(fan_out) {
                for (s, b) in column.iter_mut().zip(biases) {
                    *s += b;
                }
            }
            if layer + 2 < self.sizes.len() {
                forward(values, tangents);
            }
        }
    }

    /// Adds to `gradient` the derivative of Σ (output_bar·output + output_tangent_bar·tangent) for
    /// the weights, after [`Network::forward`] with the same weights.
    pub(crate) fn backward(&self, weights: &[f64], work: &mut Workspace, gradient: &mut [f64]) {
        let (columns, times) = (work.columns(), work.times.len());
        let mut offset = self.len();
        for layer in (0..self.sizes.len() - 1).rev() {
            let (fan_in, fan_out) = (self.sizes[layer], self.sizes[layer + 1]);
            offset -= fan_out * (fan_in + 1);
            let (before, rest) = work.adjoints.split_at_mut(layer);
            let bar = &mut rest[0];
            if layer + 2 < self.sizes.len() {
                let (values, tangents) = work.activations[layer].split_at(times * fan_out);
                let (values_bar, tangents_bar) = bar.split_at_mut(times * fan_out);
                backward(values, tangents, values_bar, tangents_bar);
            }
            let (matrix_bar, rest) = gradient[offset..].split_at_mut(fan_in * fan_out);
            for column in bar[..times * fan_out].chunks(fan_out) {
                for (b, s) in rest.iter_mut().zip(column) {
                    *b += s;
                }
            }
            if layer == 0 {
                for (column, t) in bar.chunks(fan_out).zip(&work.times) {
                    for (w, s) in matrix_bar.iter_mut().zip(column) {
                        *w += s * t;
                    }
                }
                for column in bar[times * fan_out..].chunks(fan_out) {
                    for (w, s) in matrix_bar.iter_mut().zip(column) {
                        *w += s;
                    }
                }
                continue;
            }
            let bar = MatRef::from_column_major_slice(bar, fan_out, columns);
            matmul(
                MatMut::from_column_major_slice_mut(matrix_bar, fan_out, fan_in),
                Accum::Add,
                bar,
                MatRef::from_column_major_slice(&work.activations[layer - 1], fan_in, columns)
                    .transpose(),
                1.0,
                Par::Seq,
            );
            let matrix = &weights[offset..offset + fan_in * fan_out];
            matmul(
                MatMut::from_column_major_slice_mut(&mut before[layer - 1], fan_in, columns),
                Accum::Replace,
                MatRef::from_column_major_slice(matrix, fan_out, fan_in).transpose(),
                bar,
                1.0,
                Par::Seq,
            );
        }
    }
}

/// A standard normal number (Marsaglia's polar method).
fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
    loop {
        let (u, v): (f64, f64) = (random.random_range(-1.0..1.0), random.random_range(-1.0..1.0));
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            return u * (-2.0 * s.ln() / s).sqrt();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_dual::{DualNum, HyperDual64};

    /// The network for one time, weights and time as hyper-dual numbers: the mixed second
    /// derivative checks the adjoint of the tangent, which central differences see only to 1e-8.
    fn plain(sizes: &[usize], weights: &[HyperDual64], t: HyperDual64) -> Vec<HyperDual64> {
        let mut h = vec![t];
        let mut offset = 0;
        for (layer, w) in sizes.windows(2).enumerate() {
            let matrix = &weights[offset..offset + w[0] * w[1]];
            let biases = &weights[offset + w[0] * w[1]..offset + (w[0] + 1) * w[1]];
            offset += (w[0] + 1) * w[1];
            h = (0..w[1])
                .map(|i| {
                    let mut s = biases[i];
                    for j in 0..w[0] {
                        s += matrix[j * w[1] + i] * h[j];
                    }
                    if layer + 2 < sizes.len() { s.tanh() } else { s }
                })
                .collect();
        }
        h
    }

    #[test]
    fn gradient_matches_dual_numbers() {
        let network = Network::new(&[5, 4], 2);
        let weights = network.initial(3);
        let times = vec![-0.7, 0.1, 0.9, 0.4];
        let mut work = network.workspace(times.clone(), 3);
        network.forward(&weights, &mut work);
        // An arbitrary functional of outputs and tangents.
        let bar = |t: usize, c: usize| 0.3 + t as f64 - 0.8 * c as f64;
        work.clear();
        for t in 0..4 {
            for c in 0..2 {
                work.output_bar(t)[c] = bar(t, c);
                if t < 3 {
                    work.output_tangent_bar(t)[c] = bar(c, t);
                }
            }
        }
        let mut gradient = vec![0.0; network.len()];
        network.backward(&weights, &mut work, &mut gradient);
        for m in 0..weights.len() {
            let dual: Vec<HyperDual64> = weights
                .iter()
                .enumerate()
                .map(|(n, &w)| {
                    let w = HyperDual64::from_re(w);
                    if n == m { w.derivative1() } else { w }
                })
                .collect();
            let mut expected = 0.0;
            for (t, &time) in times.iter().enumerate() {
                let time = HyperDual64::from_re(time).derivative2();
                for (c, out) in plain(&network.sizes, &dual, time).into_iter().enumerate() {
                    if m == 0 {
                        assert!((work.output(t)[c] - out.re).abs() < 1e-14);
                    }
                    expected += bar(t, c) * out.eps1;
                    if t < 3 {
                        if m == 0 {
                            assert!((work.output_tangent(t)[c] - out.eps2).abs() < 1e-13);
                        }
                        expected += bar(c, t) * out.eps1eps2;
                    }
                }
            }
            // Measured 4e-14.
            let scale = 1.0 + expected.abs();
            assert!((gradient[m] - expected).abs() < 1e-12 * scale, "{m}: {expected}");
        }
    }

    #[test]
    fn a_seed_fixes_the_weights() {
        let network = Network::new(&[8, 8], 1);
        assert_eq!(network.initial(5), network.initial(5));
        assert_ne!(network.initial(5), network.initial(6));
        assert_eq!(network.initial(5).len(), network.len());
    }
}
