//! Loss curves: contour, tables and, where there is noise or a schedule, the run through the steps.

use super::bias::Bias;
use super::contour::{Contour, Estimate};
use super::inputs::Checked;
use super::method::Method;
use super::spectral::Spectral;
use super::volterra::{Recursion, State};
use crate::Result;
use num_complex::Complex64;
use rmt_core::SampledFeatures;

/// Everything at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Point {
    /// Bias of the full gradient.
    pub(crate) bias: Estimate,
    /// Variance of the full gradient.
    pub(crate) variance: Estimate,
    /// What mini-batches add to the risk.
    pub(crate) noise: Estimate,
    pub(crate) train: Estimate,
}

impl Point {
    pub(crate) fn risk(&self) -> Estimate {
        self.bias + self.variance + self.noise
    }
}

/// The curves at some times, and what it takes to go on from there.
pub(crate) struct Run {
    pub(crate) points: Vec<Point>,
    /// At the same times, where there is noise or a schedule to step through.
    pub(crate) states: Vec<State>,
    /// The train loss at every step, if asked for.
    pub(crate) losses: Vec<f64>,
}

/// The curves of one problem up to a horizon.
pub(crate) struct Curves<'a> {
    checked: &'a Checked,
    on: Spectral<'a>,
    bias: Option<Bias>,
    /// Errors of L^GD grow by at most this factor in L: 1/(1 − ‖K‖).
    amplification: f64,
}

impl<'a> Curves<'a> {
    pub(crate) fn new(
        checked: &'a Checked,
        model: &'a SampledFeatures<'a>,
        kernel_norm: f64,
        contour: Contour,
    ) -> Result<Self> {
        let on = Spectral::new(model, contour)?;
        // Fresh samples at every step: the train loss before the step is the test loss.
        let one_point = model.samples().is_infinite() && !model.population().has_metric();
        let bias = if one_point { None } else { Some(Bias::new(&on)?) };
        let amplification = if kernel_norm < 1.0 { 1.0 / (1.0 - kernel_norm) } else { 1.0 };
        Ok(Self { checked, on, bias, amplification })
    }

    pub(crate) fn nodes(&self) -> usize {
        self.on.contour.len()
    }

    /// Whether the contour passes through the gap between zero and λ₋.
    pub(crate) fn through_gap(&self) -> bool {
        !self.on.contour.encloses_zero
    }

    /// The curves at ascending times in one pass, from the start or from a state at or before the first of
    /// them; with the train loss at every step if asked for.
    pub(crate) fn run(&self, from: Option<&State>, times: &[f64], every_step: bool) -> Run {
        let closed = |t: f64| -> Option<Vec<(Complex64, Complex64)>> {
            self.on.contour.points.iter().map(|l| self.checked.method.residual(*l, t)).collect()
        };
        let stochastic = self.checked.inverse_batch > 0.0;
        let (mut states, mut losses) = (Vec::new(), Vec::new());
        if stochastic || every_step || !self.has_closed_form() {
            let steps: Vec<usize> = times.iter().map(|t| *t as usize).collect();
            let (method, noise) = (&self.checked.method, self.checked.noise);
            let mut recursion = Recursion::new(&self.on, method, self.checked.inverse_batch, noise);
            let start = from.cloned().unwrap_or_else(|| recursion.start());
            states = recursion.follow(start, &steps, |loss| {
                if every_step {
                    losses.push(loss);
                }
            });
        }
        let points = self.points(times, &states, closed);
        Run { points, states, losses }
    }

    fn points(
        &self,
        times: &[f64],
        states: &[State],
        closed: impl Fn(f64) -> Option<Vec<(Complex64, Complex64)>>,
    ) -> Vec<Point> {
        let size = self.nodes();
        let (mut residuals, mut learned) = (Vec::new(), Vec::new());
        for (i, t) in times.iter().enumerate() {
            let (f, complement): (Vec<_>, Vec<_>) = match closed(*t) {
                Some(pairs) => pairs.into_iter().unzip(),
                None => {
                    let residual = states[i].residual(size);
                    residual.into_iter().map(|f| (f, Complex64::from(1.0) - f)).unzip()
                }
            };
            residuals.push(f);
            learned.push(complement);
        }
        let bias = self.bias.as_ref().map(|b| b.at(&self.on, &residuals));
        let noise = self.checked.noise;
        let (base, weights) = self.on.train_weights(noise);
        let (kernel, test_kernel) = self.on.kernel_weights();
        let inverse = self.checked.inverse_batch;
        (0..times.len())
            .map(|i| {
                // A run rounds once a step: independent roundings grow like √t.
                let rounded = |x: Estimate| match states.is_empty() {
                    true => x,
                    false => Estimate { error: x.error * (1.0 + 0.25 * times[i].sqrt()), ..x },
                };
                let learning = rounded(Estimate::from_terms(
                    weights.iter().zip(&residuals[i]).map(|(c, f)| c * f * f),
                ));
                let full = learning + Estimate::exact(base);
                let past = states.get(i).and_then(|state| state.memory(size));
                let memory = |w: &[Complex64]| match &past {
                    Some(past) => rounded(Estimate::from_terms(
                        w.iter().zip(past).map(|(w, s)| w * s * inverse),
                    )),
                    None => Estimate::default(),
                };
                let own = memory(&kernel);
                let mut train = Estimate {
                    value: full.value + own.value,
                    error: (full.error + own.error) * self.amplification,
                };
                if let Some(state) = states.get(i) {
                    train.value = state.train;
                }
                match &bias {
                    Some(bias) => {
                        let mut added = memory(&test_kernel);
                        added.error += train.error * (self.amplification - 1.0);
                        let variance = self.on.variance(noise, &learned[i]);
                        Point { bias: bias[i], variance, noise: added, train }
                    }
                    None => Point {
                        bias: learning + Estimate::exact(base - noise),
                        variance: Estimate::default(),
                        noise: own,
                        train,
                    },
                }
            })
            .collect()
    }

    fn has_closed_form(&self) -> bool {
        match &self.checked.method {
            Method::Flow | Method::HeavyBall { .. } => true,
            Method::Descent(schedule) => schedule.constant().is_some(),
        }
    }
}
