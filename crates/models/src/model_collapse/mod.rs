//! Model collapse: the price of synthetic data in the training mixture.
//!
//! n_1 real samples with labels xᵀw + ε and n_2 synthetic ones with labels xᵀ(w + δ) + ε, where
//! w ~ (0, Γ) and δ ~ (0, Δ). The quality of the synthetic labels is c² = Tr Σ Δ. On the real
//! distribution the excess risk splits as
//!
//! ```text
//! E = B + V + ζ      bias (σ = 0, δ = 0), label noise, price of the synthetic labels
//! ```
//!
//! linear in Γ, (σ_1², σ_2²) and Δ. With infinitely many samples at a fixed share P_2 of synthetic
//! ones, ζ stays at a floor (P_2² c² as λ → 0 without random features): any fixed share of
//! synthetic data ends the scaling law. With weights α on the synthetic and 1 − α on the real loss
//! the best α must vanish as n grows.
//!
//! Dohmatob, Feng, Subramonian, Kempe, *Strong Model Collapse* (arXiv:2410.04840); two groups of
//! [`crate::groups`].

mod generations;
mod inputs;
mod optimum;

pub use generations::{ModelCollapseGenerations, ModelCollapseGenerationsInputs};
pub use inputs::ModelCollapseInputs;

use crate::groups::Experiment;
use crate::search::root;
use inputs::Setting;
use optimum::Optimum;
use rmt_core::{DeterministicEquivalent, Population, Resolution, Samples, Spectrum, Weight};
use rmt_task::{Card, Draw, Observables, Reference, Simulate, Task, TaskError};

pub(crate) const SOURCE: Reference = Reference {
    key: "dohmatob2024strong",
    authors: "Dohmatob, Elvis and Feng, Yunzhen and Subramonian, Arjun and Kempe, Julia",
    title: "Strong Model Collapse",
    year: 2024,
    venue: "arXiv:2410.04840",
};

/// Ridge regression on a mixture of real and synthetic data.
pub struct ModelCollapse;

/// B, V, ζ on the real distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Split {
    bias: f64,
    variance: f64,
    shift: f64,
}

impl Split {
    fn risk(self) -> f64 {
        self.bias + self.variance + self.shift
    }
}

impl Task for ModelCollapse {
    type Inputs = ModelCollapseInputs;

    const CARD: Card = Card {
        name: "model_collapse",
        summary: "Test error of ridge regression on real and synthetic data together, its floor, and the best mixture",
        equations: "E = B + V + ζ on the real distribution\nequal covariances, no features: λ = κ(1 − df1/n), u = (df2/n)/(1 − df2/n)\nB = (1+u) κ² Tr ΓΣ(Σ+κ)⁻²,  V = (P_1σ_1² + P_2σ_2²) u\nζ = P_2²(1 + P_1u) Tr ΔΣ³(Σ+κ)⁻² + P_2u Tr ΔΣ(P_1Σ+κ)²(Σ+κ)⁻²\nfloor as n → ∞ at fixed P_2: P_2² Tr ΔΣ³(Σ+λ)⁻²",
        latex: r"E &= B + V + \zeta\\ \lambda &= \kappa(1-\mathrm{df}_1/n), \qquad u = \frac{\mathrm{df}_2/n}{1-\mathrm{df}_2/n}\\ B &= (1+u)\kappa^2\operatorname{Tr}\Gamma\Sigma(\Sigma+\kappa)^{-2}, \qquad V = (P_1\sigma_1^2+P_2\sigma_2^2)\,u\\ \zeta &= P_2^2(1+P_1u)\operatorname{Tr}\Delta\Sigma^3(\Sigma+\kappa)^{-2} + P_2u\operatorname{Tr}\Delta\Sigma(P_1\Sigma+\kappa)^2(\Sigma+\kappa)^{-2}",
        references: &[SOURCE],
        observables: &[
            ("risk", "excess risk E = B + V + ζ on the real distribution"),
            ("bias", "B, with clean synthetic labels and no noise"),
            ("variance", "V, part of the label noise"),
            ("shift", "ζ, price of the synthetic labels"),
            ("floor", "ζ with infinitely many samples at the same share, λ and width"),
            (
                "risk_derivative_synthetic",
                "∂E/∂n_synthetic: synthetic data helps where it is negative",
            ),
            ("quality", "c² = Tr Σ_real Δ, error of the synthetic labels"),
            ("real_only_risk", "E of the same fit without the synthetic samples"),
            ("kappa", "effective ridge (equal covariances, no features, plain mixture)"),
            ("u", "(df2/n)/(1 − df2/n)"),
            ("e", "1 − mean leverage of real and synthetic samples"),
            ("mu", "effective ridge on the population side of the features"),
            ("df1", "degrees of freedom"),
            ("optimal_weight", "weight α of the synthetic loss that minimises E"),
            ("optimal_lambda", "ridge that minimises E, jointly with α if that is optimised"),
            ("optimal_risk", "E there"),
            ("crossover_n", "total number of samples beyond which ζ at infinity exceeds B + V"),
            ("minimal_n_real", "real samples needed for the target risk, other inputs fixed"),
        ],
        headline: &["risk", "bias", "variance", "shift", "floor"],
        example: r#"{"n_real": 250, "n_synthetic": 100, "lambda": 0.05, "covariance_real": {"kind": "power_law", "p": 200, "alpha": 0.6, "scale": 2.0}, "covariance_synthetic": {"kind": "power_law", "p": 200, "alpha": 0.6, "scale": 2.0}, "target_prior": {"kind": "constant", "p": 200, "value": 0.005}, "shift_prior": {"kind": "linear", "p": 200, "from": 0.0075, "to": 0.0005}, "noise_variance_real": 0.2, "noise_variance_synthetic": 0.4}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let setting = Setting::of(inputs)?;
        let explain = |e| setting.explain(e);
        let lambda = inputs.lambda;
        let plain = inputs.synthetic_weight;
        let mixture = setting.mixture(inputs.n_real, inputs.n_synthetic, plain)?;
        let solution = mixture.solve(lambda).map_err(explain)?;
        let split = setting.split(&solution)?;

        let mut out = Observables::new();
        out.set("risk", split.risk());
        out.set("bias", split.bias);
        out.set("variance", split.variance);
        out.set("shift", split.shift);
        let infinite =
            setting.mixture(inputs.n_real, inputs.n_synthetic, plain)?.of_infinitely_many_samples();
        let floor = setting.split(&infinite.solve(lambda).map_err(explain)?)?.shift;
        out.set("floor", floor);
        let critical = lambda == 0.0 && mixture.is_critical();
        if critical {
            out.note("λ = 0 where the samples just suffice to fit everything: the error diverges as λ → 0");
        } else if inputs.n_real > 0.0 || inputs.n_synthetic > 0.0 {
            out.set("risk_derivative_synthetic", setting.derivative(inputs)?);
        }
        out.set("quality", setting.quality);
        if inputs.n_real > 0.0 {
            out.set("real_only_risk", setting.split_at(inputs.n_real, 0.0, None, lambda)?.risk());
        }
        if let Some((kappa, u)) = classical(inputs, &setting)? {
            out.set("kappa", kappa);
            out.set("u", u);
        }
        out.set("e", solution.e());
        out.set("mu", solution.mu());
        out.set("df1", solution.df1());
        let optimum = match (inputs.optimise_weight, inputs.optimise_lambda) {
            (false, false) => None,
            (true, false) => Some(Optimum::weight(&setting, inputs)?),
            (false, true) => Some(Optimum::ridge(&setting, inputs)?),
            (true, true) => Some(Optimum::both(&setting, inputs)?),
        };
        if let Some(optimum) = optimum {
            if let Some(weight) = optimum.weight {
                out.set("optimal_weight", weight);
            }
            if let Some(lambda) = optimum.lambda {
                out.set("optimal_lambda", lambda);
            }
            out.set("optimal_risk", optimum.risk);
        }
        if inputs.crossover {
            out.set("crossover_n", crossover(inputs, &setting, floor)?);
        }
        if let Some(target) = inputs.target_risk {
            let n = minimal_real(inputs, &setting, target)?;
            out.set("minimal_n_real", n);
            if n.is_infinite() {
                out.note("no number of real samples reaches the target risk with these synthetic samples and this ridge");
            }
        }
        Ok(out)
    }
}

/// κ and u of the single-spectrum theory, where it applies.
fn classical(
    inputs: &ModelCollapseInputs,
    setting: &Setting,
) -> Result<Option<(f64, f64)>, TaskError> {
    let applies = setting.equal_covariances()
        && inputs.width.is_none()
        && inputs.synthetic_weight.is_none()
        && inputs.lambda > 0.0;
    let Some(spectrum) = setting.spectrum().filter(|_| applies) else { return Ok(None) };
    let n = inputs.n_real + inputs.n_synthetic;
    let chain =
        DeterministicEquivalent::new(Population::new(spectrum)?, vec![Box::new(Samples::new(n)?)])?;
    let solution = chain.solve(inputs.lambda)?;
    let kappa = solution.kappa();
    let nodes = chain.spectrum().nodes(Weight::Count, Resolution::Compressed);
    let df2 = nodes.sum(|s| (s / (s + kappa)).powi(2));
    Ok(Some((kappa, df2 / n / solution.one_minus_gamma())))
}

/// The largest total number of samples at which B + V is still as large as the floor of ζ.
fn crossover(
    inputs: &ModelCollapseInputs,
    setting: &Setting,
    floor: f64,
) -> Result<f64, TaskError> {
    let total = inputs.n_real + inputs.n_synthetic;
    let excess = |log: f64| -> Result<f64, TaskError> {
        let scale = log.exp();
        let (n_real, n_synthetic) = (inputs.n_real * scale, inputs.n_synthetic * scale);
        let split =
            setting.split_at(n_real, n_synthetic, inputs.synthetic_weight, inputs.lambda)?;
        Ok(split.bias + split.variance - floor)
    };
    let step = std::f64::consts::LN_2;
    let mut log = 0.0;
    if excess(0.0)? > 0.0 {
        // B + V falls with n beyond every peak, or stays above the floor for ever.
        while log < 60.0 * step {
            if excess(log + step)? <= 0.0 {
                return Ok(total * root(log, log + step, excess)?.exp());
            }
            log += step;
        }
        return Ok(f64::INFINITY);
    }
    while total * log.exp() > 1.0 {
        if excess(log - step)? > 0.0 {
            return Ok(total * root(log - step, log, excess)?.exp());
        }
        log -= step;
    }
    Ok(0.0)
}

/// The smallest number of real samples from which on the risk stays at or below `target` when only
/// they grow.
fn minimal_real(
    inputs: &ModelCollapseInputs,
    setting: &Setting,
    target: f64,
) -> Result<f64, TaskError> {
    if !(target > 0.0 && target.is_finite()) {
        return Err(TaskError::invalid("target_risk", format!("{target}; give a positive number")));
    }
    let risk = |n_real: f64| -> Result<f64, TaskError> {
        Ok(setting
            .split_at(n_real, inputs.n_synthetic, inputs.synthetic_weight, inputs.lambda)?
            .risk())
    };
    let largest = 1e12;
    if risk(largest)? > target {
        return Ok(f64::INFINITY);
    }
    // Downwards from where it holds, so that a peak at small n is not taken for the answer.
    let mut high = largest;
    let lowest =
        if inputs.n_synthetic > 0.0 && inputs.synthetic_weight.is_none() { 0.0 } else { 1.0 };
    while high > 1.0 {
        let low = (high / 1.5).floor();
        if risk(low.max(1.0))? > target {
            let (mut low, mut high) = (low.max(1.0), high.ceil());
            while high - low > 1.0 {
                let middle = (0.5 * (low + high)).floor();
                if risk(middle)? > target { low = middle } else { high = middle }
            }
            return Ok(high);
        }
        high = low;
    }
    Ok(if lowest == 0.0 && risk(0.0)? <= target { 0.0 } else { 1.0 })
}

impl Simulate for ModelCollapse {
    const SIZES: &'static [&'static str] = &[
        "n_real",
        "n_synthetic",
        "covariance_real.p",
        "covariance_synthetic.p",
        "target_prior.p",
        "shift_prior.p",
    ];
    const SETTINGS: &'static [&'static str] = &["{}", r#"{"n_real": 100, "n_synthetic": 300}"#];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let setting = Setting::of(inputs)?;
        let explain = |e| setting.explain(e);
        let samples = setting.samples(inputs.n_real, inputs.n_synthetic, inputs.synthetic_weight);
        let experiment =
            Experiment::new(&setting.covariances, &setting.sources, &samples, inputs.width, draw)
                .map_err(explain)?;
        let fit = experiment.joint(inputs.lambda).map_err(explain)?;
        let mut out = Observables::new();
        out.set("risk", fit.risk[0]);
        out.set("bias", fit.bias[0][0]);
        out.set("variance", fit.variance[0]);
        out.set("shift", fit.bias[1][0]);
        out.set("e", fit.leverage.iter().map(|h| 1.0 - h).collect::<Vec<f64>>());
        out.set("df1", fit.df1);
        Ok(out)
    }
}
