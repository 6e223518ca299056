use super::SOURCE;
use super::inputs::Setting;
use crate::bias_amplification::whole;
use crate::groups::Covariance;
use crate::simulate::{Gaussian, SampleRidge, whole as rows};
use rmt_core::{DeterministicEquivalent, Modes, Population, Samples};
use rmt_task::{Card, Draw, Observables, Simulate, Task, TaskError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Models trained in turn on fresh real data and on data labelled by the model before.
///
/// Every generation draws n_1 new real samples and n_2 new synthetic ones. Real data that are used
/// again correlate the generations and are not covered.
pub struct ModelCollapseGenerations;

/// Inputs of [`ModelCollapseGenerations`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelCollapseGenerationsInputs {
    /// Number of fresh real samples of every generation, a whole number ≥ 0.
    pub n_real: f64,
    /// Number of fresh synthetic samples of every generation, a whole number ≥ 0.
    pub n_synthetic: f64,
    /// Ridge λ ≥ 0 of every generation.
    pub lambda: f64,
    /// Covariance of the features, real and synthetic.
    pub covariance_real: Covariance,
    /// Must equal `covariance_real`; absent: it does.
    pub covariance_synthetic: Option<Covariance>,
    /// Variances of the true coefficients.
    pub target_prior: Modes,
    /// Variances of the coefficient error of generation 0.
    pub shift_prior: Modes,
    /// Label noise of real samples, ≥ 0.
    pub noise_variance_real: f64,
    /// Label noise of synthetic samples, ≥ 0.
    pub noise_variance_synthetic: f64,
    /// Number of generations T ≥ 1.
    pub generations: u32,
}

const LONGEST: u32 = 100_000;

/// Spectrum, priors and the fixed point that every generation shares.
struct Dynamics {
    s: Vec<f64>,
    /// Γ and Δ.
    target: Vec<f64>,
    start: Vec<f64>,
    /// s/(s + κ).
    kept: Vec<f64>,
    /// κ/(s + κ).
    lost: Vec<f64>,
    /// s/(s + κ)² / (n − df2).
    spread: Vec<f64>,
    /// P_2.
    share: f64,
    noise: [f64; 2],
}

impl Dynamics {
    fn of(inputs: &ModelCollapseGenerationsInputs) -> Result<Self, TaskError> {
        whole("n_real", inputs.n_real)?;
        whole("n_synthetic", inputs.n_synthetic)?;
        let n = inputs.n_real + inputs.n_synthetic;
        if n == 0.0 {
            return Err(TaskError::invalid("n_real", "there are no samples at all; give some"));
        }
        if !(1..=LONGEST).contains(&inputs.generations) {
            let message = format!("{}; give 1 to {LONGEST}", inputs.generations);
            return Err(TaskError::invalid("generations", message));
        }
        if inputs.covariance_synthetic.as_ref().is_some_and(|c| *c != inputs.covariance_real) {
            return Err(TaskError::invalid(
                "covariance_synthetic",
                "generations need equal covariances; leave it out, or use `model_collapse` for one step",
            ));
        }
        // Shapes, signs and noise are checked where the one-step task checks them.
        Setting::new(
            &inputs.covariance_real,
            None,
            &inputs.target_prior,
            &inputs.shift_prior,
            [inputs.noise_variance_real, inputs.noise_variance_synthetic],
            None,
        )?;
        let Covariance::Diagonal(spectrum) = &inputs.covariance_real else {
            return Err(TaskError::invalid(
                "covariance_real",
                "generations need a diagonal covariance; give its spectrum and priors in its eigenbasis",
            ));
        };
        let population = Population::new(spectrum)?;
        let s = population.eigenvalues();
        let chain = DeterministicEquivalent::new(population, vec![Box::new(Samples::new(n)?)])?;
        let solution = chain.solve(inputs.lambda)?;
        let kappa = solution.kappa();
        let room = n * solution.one_minus_gamma();
        let ratio =
            |part: f64, s: f64| if s == 0.0 && kappa == 0.0 { 0.0 } else { part / (s + kappa) };
        Ok(Self {
            kept: s.iter().map(|s| ratio(*s, *s)).collect(),
            lost: s.iter().map(|s| 1.0 - ratio(*s, *s)).collect(),
            spread: s.iter().map(|s| ratio(*s, *s) * ratio(1.0, *s) / room).collect(),
            s,
            target: inputs.target_prior.values("target_prior")?.values,
            start: inputs.shift_prior.values("shift_prior")?.values,
            share: inputs.n_synthetic / n,
            noise: [inputs.noise_variance_real, inputs.noise_variance_synthetic],
        })
    }

    /// E_0 … E_T. State: b, the mean error relative to the coefficient, and q, its variance.
    fn trajectory(&self, generations: u32) -> Vec<f64> {
        let p = self.s.len();
        let p2 = self.share;
        let (mut b, mut q) = (vec![0.0; p], self.start.clone());
        let risk = |b: &[f64], q: &[f64]| -> f64 {
            (0..p).map(|i| self.s[i] * (b[i] * b[i] * self.target[i] + q[i])).sum()
        };
        let mut out = vec![risk(&b, &q)];
        for _ in 0..generations {
            let mut total = (1.0 - p2) * self.noise[0] + p2 * self.noise[1];
            let mut next = vec![0.0; p];
            for i in 0..p {
                let pulled = p2 * self.kept[i];
                next[i] = pulled * b[i] - self.lost[i];
                let real = next[i] * next[i] * self.target[i] + pulled * pulled * q[i];
                let gap = b[i] - next[i];
                let synthetic = gap * gap * self.target[i] + (1.0 - pulled) * (1.0 - pulled) * q[i];
                total += self.s[i] * ((1.0 - p2) * real + p2 * synthetic);
            }
            for i in 0..p {
                q[i] = (p2 * self.kept[i]).powi(2) * q[i] + total * self.spread[i];
            }
            b = next;
            out.push(risk(&b, &q));
        }
        out
    }

    /// The factor by which a small error variance grows from one generation to the next: spectral
    /// radius θ of q ↦ q, a diagonal plus a matrix of rank one, from its secular equation
    /// 1 = Σ u_i v_i/(θ − d_i).
    fn growth(&self) -> f64 {
        let p2 = self.share;
        let squares: Vec<f64> = self.kept.iter().map(|r| (p2 * r).powi(2)).collect();
        let largest = squares.iter().fold(0.0_f64, |m, d| m.max(*d));
        let products: Vec<f64> = (0..self.s.len())
            .map(|i| {
                let stay = (1.0 - p2 * self.kept[i]).powi(2);
                self.s[i] * self.spread[i] * ((1.0 - p2) * squares[i] + p2 * stay)
            })
            .collect();
        let total: f64 = products.iter().sum();
        // θ − max d lies between the two: nothing to find where both round to 0 or ∞.
        if total < 1e-280 {
            return largest;
        }
        if !total.is_finite() {
            return total;
        }
        // In the distance from the largest d, on which the left side falls from ∞.
        let excess = |distance: f64| -> f64 {
            let sum: f64 =
                products.iter().zip(&squares).map(|(x, d)| x / (distance + (largest - d))).sum();
            1.0 - sum
        };
        largest + rmt_core::increasing_root(total * 1e-18, 2.0 * total, excess)
    }

    /// E_∞, infinite unless the growth factor is below 1.
    fn limit(&self, growth: f64) -> f64 {
        if growth >= 1.0 {
            return f64::INFINITY;
        }
        let p = self.s.len();
        let p2 = self.share;
        let b: Vec<f64> = (0..p)
            .map(|i| {
                let rest = 1.0 - p2 * self.kept[i];
                if rest == 0.0 { 0.0 } else { -self.lost[i] / rest }
            })
            .collect();
        let (mut source, mut feedback) = ((1.0 - p2) * self.noise[0] + p2 * self.noise[1], 0.0);
        for i in 0..p {
            let pulled = p2 * self.kept[i];
            // At the fixed point b̃ = b: only the real part sees the mean error.
            source += (1.0 - p2) * self.s[i] * b[i] * b[i] * self.target[i];
            let response = self.spread[i] / (1.0 - pulled * pulled);
            let seen = (1.0 - p2) * pulled * pulled + p2 * (1.0 - pulled).powi(2);
            feedback += self.s[i] * seen * response;
        }
        let total = source / (1.0 - feedback);
        (0..p)
            .map(|i| {
                let pulled = p2 * self.kept[i];
                let q = total * self.spread[i] / (1.0 - pulled * pulled);
                self.s[i] * (b[i] * b[i] * self.target[i] + q)
            })
            .sum()
    }
}

impl Task for ModelCollapseGenerations {
    type Inputs = ModelCollapseGenerationsInputs;

    const CARD: Card = Card {
        name: "model_collapse_generations",
        summary: "Test error from generation to generation when each model labels synthetic data for the next",
        equations: "r = s/(s+κ),  b̃ = −(1−r) + P_2 r b\nT = P_1[Σ s(b̃²Γ + (P_2 r)²q) + σ_1²] + P_2[Σ s((b−b̃)²Γ + (1−P_2 r)²q) + σ_2²]\nq ← (P_2 r)² q + T/(n − df2) s/(s+κ)²,  b ← b̃\nE_t = Σ s(b²Γ + q)",
        latex: r"\tilde b &= -(1-r) + P_2 r b, \qquad r = \frac{s}{s+\kappa}\\ T &= P_1\left[\sum s(\tilde b^2\Gamma + (P_2r)^2q)+\sigma_1^2\right] + P_2\left[\sum s((b-\tilde b)^2\Gamma+(1-P_2r)^2q)+\sigma_2^2\right]\\ q &\leftarrow (P_2r)^2 q + \frac{T}{n-\mathrm{df}_2}\frac{s}{(s+\kappa)^2}, \qquad E_t = \sum s(b^2\Gamma+q)",
        references: &[SOURCE],
        observables: &[
            ("risk_by_generation", "excess risk E_0 … E_T on the real distribution"),
            (
                "growth",
                "factor θ by which an error of the model grows from one generation to the next",
            ),
            ("stable", "whether θ < 1"),
            ("risk_limit", "E_∞; infinite where θ ≥ 1"),
        ],
        headline: &["risk_by_generation", "growth", "risk_limit"],
        example: r#"{"n_real": 200, "n_synthetic": 200, "lambda": 0.05, "covariance_real": {"kind": "power_law", "p": 200, "alpha": 0.6, "scale": 2.0}, "target_prior": {"kind": "constant", "p": 200, "value": 0.005}, "shift_prior": {"kind": "linear", "p": 200, "from": 0.0075, "to": 0.0005}, "noise_variance_real": 0.2, "noise_variance_synthetic": 0.1, "generations": 5}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let dynamics = Dynamics::of(inputs)?;
        let mut out = Observables::new();
        if dynamics.spread.iter().any(|v| v.is_infinite()) {
            out.note("λ = 0 where the samples just suffice to fit everything: the error diverges as λ → 0");
            let mut risk = vec![f64::INFINITY; inputs.generations as usize + 1];
            risk[0] = dynamics.s.iter().zip(&dynamics.start).map(|(s, q)| s * q).sum();
            out.set("risk_by_generation", risk);
            out.set("growth", f64::INFINITY);
            out.set("stable", false);
            out.set("risk_limit", f64::INFINITY);
            return Ok(out);
        }
        out.set("risk_by_generation", dynamics.trajectory(inputs.generations));
        let growth = dynamics.growth();
        out.set("growth", growth);
        out.set("stable", growth < 1.0);
        out.set("risk_limit", dynamics.limit(growth));
        Ok(out)
    }
}

impl Simulate for ModelCollapseGenerations {
    const SIZES: &'static [&'static str] =
        &["n_real", "n_synthetic", "covariance_real.p", "target_prior.p", "shift_prior.p"];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let dynamics = Dynamics::of(inputs)?;
        let mut random = Gaussian::new(draw);
        let p = dynamics.s.len();
        let count = |key, n: f64| if n == 0.0 { Ok(0) } else { rows(key, n) };
        let (n1, n2) = (count("n_real", inputs.n_real)?, count("n_synthetic", inputs.n_synthetic)?);
        let root: Vec<f64> = dynamics.s.iter().map(|s| s.sqrt()).collect();
        let mut normal =
            |v: &[f64]| -> Vec<f64> { v.iter().map(|v| v.sqrt() * random.next()).collect() };
        let w = normal(&dynamics.target);
        let mut model: Vec<f64> =
            normal(&dynamics.start).iter().zip(&w).map(|(d, w)| w + d).collect();
        let risk = |model: &[f64]| -> f64 {
            (0..p).map(|i| dynamics.s[i] * (model[i] - w[i]).powi(2)).sum()
        };
        let mut risks = vec![risk(&model)];
        for _ in 0..inputs.generations {
            let z = random.matrix(n1 + n2, p);
            let x = faer::Mat::from_fn(n1 + n2, p, |i, j| z[(i, j)] * root[j]);
            let noise = random.vector(n1 + n2);
            let y: Vec<f64> = (0..n1 + n2)
                .map(|i| {
                    let (teacher, variance) =
                        if i < n1 { (&w, dynamics.noise[0]) } else { (&model, dynamics.noise[1]) };
                    let signal: f64 = (0..p).map(|j| x[(i, j)] * teacher[j]).sum();
                    signal + variance.sqrt() * noise[i]
                })
                .collect();
            model = SampleRidge::new(x.as_ref())?.coefficients(&y, inputs.lambda);
            risks.push(risk(&model));
        }
        let mut out = Observables::new();
        out.set("risk_by_generation", risks);
        Ok(out)
    }
}
