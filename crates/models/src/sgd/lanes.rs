//! One complex number a node, real and imaginary parts apart, so that a step over all nodes is a loop over
//! plain numbers that compiles to vector instructions.

use num_complex::Complex64;

/// Real and imaginary parts, padded with zeros to whole lanes.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    re: Vec<f64>,
    im: Vec<f64>,
}

const LANES: usize = 8;

impl Lanes {
    pub(super) fn new(values: impl Iterator<Item = Complex64>) -> Self {
        let (mut re, mut im): (Vec<f64>, Vec<f64>) = values.map(|x| (x.re, x.im)).unzip();
        let padded = re.len().div_ceil(LANES) * LANES;
        re.resize(padded, 0.0);
        im.resize(padded, 0.0);
        Self { re, im }
    }

    pub(super) fn constant(value: f64, length: usize) -> Self {
        Self::new(std::iter::repeat_n(Complex64::from(value), length))
    }

    /// The first `length` numbers.
    pub(super) fn get(&self, length: usize) -> Vec<Complex64> {
        (0..length).map(|j| Complex64::new(self.re[j], self.im[j])).collect()
    }

    /// Im Σ a b.
    pub(super) fn dot_im(&self, other: &Self) -> f64 {
        let mut sums = [0.0; LANES];
        for ((a_re, a_im), (b_re, b_im)) in self.chunks().zip(other.chunks()) {
            for i in 0..LANES {
                sums[i] += a_re[i] * b_im[i] + a_im[i] * b_re[i];
            }
        }
        sums.iter().sum()
    }

    /// Im Σ a b over a list of numbers.
    pub(super) fn dot_im_with(&self, other: impl Iterator<Item = Complex64>) -> f64 {
        self.re.iter().zip(&self.im).zip(other).map(|((re, im), b)| re * b.im + im * b.re).sum()
    }

    /// Im Σ a b².
    pub(super) fn dot_square_im(&self, other: &Self) -> f64 {
        let mut sums = [0.0; LANES];
        for ((a_re, a_im), (b_re, b_im)) in self.chunks().zip(other.chunks()) {
            for i in 0..LANES {
                let (re, im) = (b_re[i] * b_re[i] - b_im[i] * b_im[i], 2.0 * b_re[i] * b_im[i]);
                sums[i] += a_re[i] * im + a_im[i] * re;
            }
        }
        sums.iter().sum()
    }

    /// self += factor·other, entry by entry.
    pub(super) fn add_product(&mut self, factor: &Self, other: &Self) {
        for (((re, im), (a, b)), (x, y)) in
            self.chunks_mut().zip(factor.chunks()).zip(other.chunks())
        {
            for i in 0..LANES {
                re[i] += a[i] * x[i] - b[i] * y[i];
                im[i] += a[i] * y[i] + b[i] * x[i];
            }
        }
    }

    /// self += other.
    pub(super) fn add(&mut self, other: &Self) {
        for ((re, im), (x, y)) in self.chunks_mut().zip(other.chunks()) {
            for i in 0..LANES {
                re[i] += x[i];
                im[i] += y[i];
            }
        }
    }

    /// self += factor·self + shift: the increment form keeps the digits of factors near zero.
    pub(super) fn grow(&mut self, factor: &Self, shift: f64) {
        for ((re, im), (a, b)) in self.chunks_mut().zip(factor.chunks()) {
            for i in 0..LANES {
                let (x, y) = (re[i], im[i]);
                re[i] = x + (a[i] * x - b[i] * y + shift);
                im[i] = y + (a[i] * y + b[i] * x);
            }
        }
    }

    pub(super) fn scale(&mut self, factor: f64) {
        self.re.iter_mut().chain(&mut self.im).for_each(|x| *x *= factor);
    }

    /// self = a·first + b·second.
    pub(super) fn set_combination(&mut self, first: &Self, a: f64, second: &Self, b: f64) {
        for (((re, im), (x, y)), (u, v)) in
            self.chunks_mut().zip(first.chunks()).zip(second.chunks())
        {
            for i in 0..LANES {
                re[i] = a * x[i] + b * u[i];
                im[i] = a * y[i] + b * v[i];
            }
        }
    }

    /// Sets numbers below `tiny` to zero, part by part.
    pub(super) fn flush(&mut self, tiny: f64) {
        self.re.iter_mut().chain(&mut self.im).for_each(|x| *x = flushed(*x, tiny));
    }

    fn chunks(&self) -> impl Iterator<Item = (&[f64; LANES], &[f64; LANES])> {
        self.re.as_chunks().0.iter().zip(self.im.as_chunks().0)
    }

    fn chunks_mut(&mut self) -> impl Iterator<Item = (&mut [f64; LANES], &mut [f64; LANES])> {
        self.re.as_chunks_mut().0.iter_mut().zip(self.im.as_chunks_mut().0)
    }
}

/// Zero below `tiny`.
pub(super) fn flushed(x: f64, tiny: f64) -> f64 {
    if x.abs() < tiny { 0.0 } else { x }
}
