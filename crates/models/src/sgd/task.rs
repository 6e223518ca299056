//! The task `sgd`.

use super::curves::{Curves, Point, Run};
use super::inputs::Checked;
use super::limits::{KernelNorms, Step, kernel_norms, static_limit};
use super::method::Method;
use super::online::exact_gaussian_risk;
use super::{REFERENCES, SgdInputs, effective_rank, r_eff_note};
use rmt_core::SampledFeatures;
use rmt_task::{Card, Observables, Task, TaskError};

/// Training curves of gradient descent and SGD.
pub struct Sgd;

impl Task for Sgd {
    type Inputs = SgdInputs;

    const CARD: Card = Card {
        name: "sgd",
        summary: "Training curves of SGD, gradient descent and gradient flow on linear models",
        equations: "v_{t+1} = v_t − (η/B) Σ_b Fᵀx_b(x_bᵀFv_t − y_b),  f_t(λ) = Π_s(1 − η_sλ),  ∮ = (1/2πi)∮dλ\n\
                    bias = ∮∮ f_t(λ)f_t(λ')/(λλ')·𝓑(−λ,−λ')\n\
                    variance = −(σ²/n)∮ (1−f_t)²/λ · df1/a_n\n\
                    L^GD_t = −∮ f_t²/a_m · Σ c s/(s+κ) + σ²[1 + (1/n)∮ (1−f_t²)/λ · df1]\n\
                    L_t = L^GD_t + (1/B) Σ_{s<t} η_s² K(t,s) L_s,  K = Tr Ĥ² Π(1−ηĤ)²\n\
                    R_t = bias + variance + (1/B) Σ_{s<t} η_s² K_R(t,s) L_s\n\
                    t → ∞: L = L^GD/(1 − ‖K‖),  R = R^GD + ‖K_R‖ L",
        latex: r"\mathrm{bias}_t &= \oint\!\!\oint \frac{f_t(\lambda)f_t(\lambda')}{\lambda\lambda'}\,\mathcal B(-\lambda,-\lambda'),\qquad \mathrm{var}_t=-\frac{\sigma^2}{n}\oint\frac{(1-f_t)^2}{\lambda}\,\frac{\mathrm{df}_1}{a_n}\\
L^{\mathrm{GD}}_t &= -\oint \frac{f_t^2}{a_m}\sum_i\frac{c_is_i}{s_i+\kappa}+\sigma^2\Bigl[1+\frac1n\oint\frac{1-f_t^2}{\lambda}\,\mathrm{df}_1\Bigr]\\
L_t &= L^{\mathrm{GD}}_t+\frac1B\sum_{s<t}\eta_s^2K(t,s)L_s,\qquad R_t=R^{\mathrm{GD}}_t+\frac1B\sum_{s<t}\eta_s^2K_R(t,s)L_s",
        references: REFERENCES,
        observables: &[
            ("risk", "excess test error at `times`"),
            ("train_loss", "mean squared training residual at `times`, noise included"),
            ("prediction_error", "risk + σ² (training distribution of the noise)"),
            ("bias", "bias of the full gradient (one-pass: its whole risk)"),
            ("variance", "variance that label noise adds to the full gradient"),
            ("batch_noise", "what mini-batches add to the risk"),
            ("risk_error", "error estimate of `risk` from the quadrature and rounding"),
            ("train_loss_error", "the same for `train_loss`"),
            ("risk_exact_gaussian_finite_p", "one-pass without features: exact at finite p"),
            ("early_stopping_time", "time of the lowest risk up to the last of `times`"),
            ("early_stopping_risk", "the risk there"),
            ("lambda_plus", "upper edge of the Hessian's spectrum"),
            ("lambda_minus", "lower edge of its non-zero spectrum"),
            ("stable", "whether the loss stays bounded: ηλ₊ < 2(1+β) and ‖K‖ < 1"),
            ("kernel_norm_train", "‖K‖"),
            ("kernel_norm_test", "‖K_R‖"),
            ("limit_kappa", "κ at λ = 0"),
            ("limit_bias", "bias of the full gradient as t → ∞"),
            ("limit_variance", "variance of the full gradient as t → ∞"),
            ("limit_train_loss", "train loss as t → ∞"),
            ("limit_risk", "risk as t → ∞"),
            ("effective_rank", "Tr Σ/s_max"),
            ("contour", "ring: around zero and the spectrum; gap: between them"),
            ("contour_nodes", "nodes of the contour in the upper half plane"),
            ("train_loss_curve", "train loss at every step, with `every_step`"),
        ],
        headline: &["risk", "train_loss"],
        example: r#"{
  "spectrum": {"kind": "power_law", "p": 200, "alpha": 0.8},
  "target": {"kind": "power_law", "p": 200, "alpha": 1.0, "total": 1.0},
  "n": 100, "learning_rate": 0.2, "batch_size": 8, "noise_variance": 0.05,
  "times": [0, 5, 20, 50, 100, 200, 500, 1000]
}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let checked = inputs.checked()?;
        let model = SampledFeatures::new(&checked.population, inputs.n, inputs.width)
            .map_err(crate::Error::from)?;
        let (low, high) = model.edges();
        let step = checked.constant_step();
        let norms = step.map(|s| kernel_norms(&model, s));
        // Schedules have no norm; their largest rate bounds the growth.
        let unstable =
            high >= checked.method.stable_up_to() || norms.is_some_and(|norms| norms.train >= 1.0);
        checked.resolvable(high)?;
        let contour = checked.method.contour((low, high), checked.horizon);
        let curves = Curves::new(&checked, &model, norms.map_or(0.0, |n| n.train), contour)?;

        // One pass for what was asked and for a first look at where the risk is lowest.
        let mut sorted = inputs.times.clone();
        let search = checked.horizon > 0.0 && !unstable;
        if search {
            sorted.extend(search_grid(&checked));
        }
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        let run = curves.run(None, &sorted, inputs.every_step);
        let points = &run.points;
        // Under a schedule the noise may feed back beyond all bounds before the rate has come down.
        let finite = |p: &Point| p.train.value.is_finite() && p.risk().value.is_finite();
        let overflow = !points.iter().all(finite);
        let unstable = unstable || overflow;
        let place = |t: &f64| sorted.partition_point(|x| x < t);
        let read = |f: &dyn Fn(&Point) -> f64| -> Vec<f64> {
            let value = |t: &f64| f(&points[place(t)]);
            inputs.times.iter().map(value).map(|x| grown(x, unstable)).collect()
        };
        let mut out = Observables::new();
        out.set("risk", read(&|p| nonnegative(p.risk().value)))
            .set("train_loss", read(&|p| nonnegative(p.train.value)))
            .set("prediction_error", read(&|p| p.risk().value + checked.noise))
            .set("bias", read(&|p| p.bias.value))
            .set("variance", read(&|p| p.variance.value));
        if checked.inverse_batch > 0.0 {
            out.set("batch_noise", read(&|p| p.noise.value));
        }
        out.set("risk_error", read(&|p| p.risk().error))
            .set("train_loss_error", read(&|p| p.train.error));
        if inputs.n.is_none() && inputs.width.is_none() && checked.method != Method::Flow {
            match exact_gaussian_risk(&checked, &sorted) {
                Some(exact) => {
                    let values = inputs.times.iter().map(|t| grown(exact[place(t)], unstable));
                    out.set("risk_exact_gaussian_finite_p", values.collect::<Vec<f64>>());
                }
                None => {
                    out.note("risk_exact_gaussian_finite_p is left out: momentum, or too many modes times steps");
                }
            }
        }
        if inputs.every_step {
            let curve = run.losses.iter().map(|x| grown(*x, unstable));
            out.set("train_loss_curve", curve.collect::<Vec<f64>>());
        }
        if search && !overflow {
            let (time, risk) = early_stopping(&checked, &curves, sorted, run);
            out.set("early_stopping_time", time).set("early_stopping_risk", risk);
        }
        out.set("lambda_plus", high).set("lambda_minus", low).set("stable", !unstable);
        limits(&checked, &model, norms, unstable, &mut out)?;
        out.set("effective_rank", effective_rank(&checked.population))
            .set("contour", if curves.through_gap() { "gap" } else { "ring" })
            .set("contour_nodes", curves.nodes() as f64);
        if unstable {
            out.note(format!(
                "unstable: {}; losses grow without bound and the limits are infinite",
                if high >= checked.method.stable_up_to() {
                    format!("the learning rate is above 2(1+β)/λ₊ = {}", checked.largest_rate(high))
                } else if norms.is_some() {
                    "the noise feedback ‖K‖ is not below 1 (see sgd_stability)".to_owned()
                } else {
                    "the noise of the batches grows beyond the range of numbers while the rate is high"
                        .to_owned()
                }
            ));
        }
        Ok(out)
    }
}

/// Overflow of an unstable run is growth without bound.
fn grown(value: f64, unstable: bool) -> f64 {
    if unstable && !value.is_finite() { f64::INFINITY } else { value }
}

impl Checked {
    /// The step of a method with one learning rate.
    fn constant_step(&self) -> Option<Step> {
        let (rate, momentum) = match &self.method {
            Method::Flow => return None,
            Method::Descent(schedule) => (schedule.constant()?, 0.0),
            Method::HeavyBall { rate, momentum } => (*rate, *momentum),
        };
        Some(Step { rate, momentum, inverse_batch: self.inverse_batch })
    }

    /// Near λ = 0 the contour passes at a distance of 1/(ηt): against λ₊ it must not drown in rounding.
    fn resolvable(&self, edge: f64) -> crate::Result<()> {
        if self.method.total_rate(self.horizon) * edge < 1e16 {
            return Ok(());
        }
        Err(crate::Error::OutOfRange {
            key: "times",
            value: self.horizon,
            remedy: "time × learning rate × λ₊ is above 1e16; shorten the horizon, lower the rate or read the limits",
        })
    }

    /// 2(1+β)/λ₊.
    fn largest_rate(&self, edge: f64) -> f64 {
        let momentum = match &self.method {
            Method::HeavyBall { momentum, .. } => *momentum,
            _ => 0.0,
        };
        2.0 * (1.0 + momentum) / edge
    }
}

/// Limits t → ∞; schedules other than a constant rate have none of their own.
fn limits(
    checked: &Checked,
    model: &SampledFeatures<'_>,
    norms: Option<KernelNorms>,
    unstable: bool,
    out: &mut Observables,
) -> Result<(), TaskError> {
    if checked.constant_step().is_none() && checked.method != Method::Flow {
        return Ok(());
    }
    let limit = static_limit(model, checked.noise)?;
    out.set("limit_kappa", limit.kappa);
    if unstable {
        if let Some(norms) = norms.filter(|_| checked.inverse_batch > 0.0) {
            out.set("kernel_norm_train", norms.train).set("kernel_norm_test", norms.test);
        }
        out.set("limit_train_loss", f64::INFINITY).set("limit_risk", f64::INFINITY);
        return Ok(());
    }
    out.set("limit_bias", limit.bias).set("limit_variance", limit.variance);
    if limit.bias.is_infinite() || limit.variance.is_infinite() {
        out.note("the two smallest of rank Σ, n and width are equal: training to convergence meets vanishing Hessian eigenvalues and the risk grows without bound");
    }
    let full = limit.bias + limit.variance;
    match norms.filter(|_| checked.inverse_batch > 0.0) {
        Some(norms) => {
            r_eff_note(&checked.population, norms.train, out);
            let train = limit.train / (1.0 - norms.train);
            out.set("kernel_norm_train", norms.train)
                .set("kernel_norm_test", norms.test)
                .set("limit_train_loss", train)
                .set("limit_risk", full + norms.test * train);
        }
        None => {
            out.set("limit_train_loss", limit.train).set("limit_risk", full);
        }
    }
    Ok(())
}

/// Steps are whole, the times of a flow are not.
fn on_the_clock(checked: &Checked, time: f64) -> f64 {
    if checked.method == Method::Flow { time } else { time.round() }
}

/// A logarithmic grid up to the horizon.
fn search_grid(checked: &Checked) -> Vec<f64> {
    const CELLS: i32 = 96;
    let end = checked.horizon;
    let start = if checked.method == Method::Flow { end * 1e-9 } else { 1.0 };
    let ratio = (end / start).powf(1.0 / f64::from(CELLS));
    let mut grid = vec![0.0];
    grid.extend((0..=CELLS).map(|i| on_the_clock(checked, (start * ratio.powi(i)).min(end))));
    grid
}

/// The time of the lowest risk, from a run at ascending `times`: grids inside the best cell, each taken up
/// where the cell begins, until neighbouring times differ by one step (flow: by 1e-6 of the time).
fn early_stopping(
    checked: &Checked,
    curves: &Curves<'_>,
    mut times: Vec<f64>,
    mut run: Run,
) -> (f64, f64) {
    let whole = checked.method != Method::Flow;
    loop {
        let risks: Vec<f64> = run.points.iter().map(|p| p.risk().value).collect();
        let best = (0..risks.len()).min_by(|&i, &j| risks[i].total_cmp(&risks[j])).unwrap_or(0);
        let before = best.saturating_sub(1);
        let (low, high) = (times[before], times[(best + 1).min(times.len() - 1)]);
        if high - low <= if whole { 2.0 } else { 1e-6 * high } {
            return (times[best], risks[best]);
        }
        // The best time itself is kept: a finer grid never returns a worse one.
        let mut finer: Vec<f64> = (0..=16)
            .map(|i| on_the_clock(checked, low + (high - low) * f64::from(i) / 16.0))
            .chain([times[best]])
            .collect();
        finer.sort_by(f64::total_cmp);
        finer.dedup();
        run = curves.run(run.states.get(before), &finer, false);
        times = finer;
    }
}

/// A squared error that underflowed past zero is zero; a negative value of any size that matters is left
/// for the reader to see.
fn nonnegative(value: f64) -> f64 {
    if value < 0.0 && value > -1e-150 { 0.0 } else { value }
}
