//! The task `two_point`.

use super::REFERENCES;
use num_complex::Complex64;
use rmt_core::{Modes, Order, Population, SampledFeatures, TwoPoint};
use rmt_task::{Card, Observables, Task, TaskError, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two resolvents of one Hessian at two complex arguments.
pub struct TwoPointTask;

/// Inputs of [`TwoPointTask`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TwoPointInputs {
    /// Eigenvalues s_i ≥ 0 of the population covariance Σ.
    pub spectrum: Modes,
    /// Squared target coefficients c_i ≥ 0, one per eigenvalue.
    pub target: Modes,
    /// Number of samples n ≥ 1; absent: infinitely many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<f64>,
    /// Number of linear random features m ≥ 1; absent: the inputs themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    /// Resolvent argument z = [re, im], off the negative real axis.
    pub z: [f64; 2],
    /// The other argument z' = [re, im].
    pub z_prime: [f64; 2],
    /// Diagonal s'_i ≥ 0 of the operator N between the resolvents; default Σ itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_spectrum: Option<Modes>,
}

impl Task for TwoPointTask {
    type Inputs = TwoPointInputs;

    const CARD: Card = Card {
        name: "two_point",
        summary: "Two-point deterministic equivalent of a Hessian with samples and features",
        equations: "z = κ a_n a_m,  a_N = 1 − df1/N,  κ₁ = κ a_n,  G = (Σ+κ)⁻¹,  t = Tr ΣGG'\n\
                    γ_n = df2(κ,κ')/n,  γ_m = [df2 + κκ't²/(n(1−γ_n))]/m\n\
                    𝓑(z,z') = θᵀT Σ T'ᵀθ = κκ'b₁/(1−γ_n) + [b₂ + κκ'b₁t/(n(1−γ_n))]·κκ't/(m(1−γ_n)(1−γ_m))\n\
                    b_j = Σ c s^j/((s+κ)(s+κ')),  T = z(z + Σ̂M)⁻¹",
        latex: r"z &= \kappa a_n a_m,\quad a_N=1-\frac{\mathrm{df}_1(\kappa)}{N},\quad t=\sum_i\frac{s_i}{(s_i+\kappa)(s_i+\kappa')}\\
\gamma_n &= \frac{\mathrm{df}_2(\kappa,\kappa')}{n},\qquad \gamma_m=\frac1m\Bigl[\mathrm{df}_2+\frac{\kappa\kappa't^2}{n(1-\gamma_n)}\Bigr]\\
\mathcal B(z,z') &= \frac{\kappa\kappa'b_1}{1-\gamma_n}+\Bigl[b_2+\frac{\kappa\kappa'b_1t}{n(1-\gamma_n)}\Bigr]\frac{\kappa\kappa't}{m(1-\gamma_n)(1-\gamma_m)},\quad b_j=\sum_i\frac{c_is_i^j}{(s_i+\kappa)(s_i+\kappa')}",
        references: REFERENCES,
        observables: &[
            ("kappa", "κ at z"),
            ("kappa_prime", "κ' at z'"),
            ("df1", "Σ s/(s+κ)"),
            ("df2", "Σ s²/((s+κ)(s+κ'))"),
            ("gamma_samples", "γ_n; 1/(1−γ_n) is the amplification by sampling"),
            ("gamma_features", "γ_m; 0 without features"),
            ("bias", "𝓑(z,z') = θᵀT N T'ᵀθ, N = Σ unless `test_spectrum` is given"),
            ("transposed", "θᵀTᵀ N T'θ"),
            ("mixed", "θᵀT N T'θ"),
            ("weights", "θᵀQ N Q'θ, Q = F(z + Ĥ)⁻¹Fᵀ"),
        ],
        headline: &["kappa", "kappa_prime", "gamma_samples", "gamma_features", "bias"],
        example: r#"{
  "spectrum": {"kind": "power_law", "p": 200, "alpha": 0.8},
  "target": {"kind": "power_law", "p": 200, "alpha": 1.0, "total": 1.0},
  "n": 300, "width": 150, "z": [0.05, 0.1], "z_prime": [0.3, 0.0]
}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let core = |e| TaskError::from(crate::Error::from(e));
        let population = inputs.population()?;
        let model = SampledFeatures::new(&population, inputs.n, inputs.width).map_err(core)?;
        let solve = |key: &'static str, [re, im]: [f64; 2]| {
            if im == 0.0 && re <= 0.0 {
                return Err(TaskError::invalid(
                    key,
                    format!(
                        "{re} lies on the negative real axis, where the Hessian has its spectrum; give an imaginary part"
                    ),
                ));
            }
            if !(re.is_finite() && im.is_finite()) {
                return Err(TaskError::invalid(key, format!("[{re}, {im}]: give finite numbers")));
            }
            model.chain().solve_complex(Complex64::new(re, im), None).map_err(core)
        };
        let first = solve("z", inputs.z)?;
        let second = solve("z_prime", inputs.z_prime)?;
        let pair = TwoPoint::new(&model, &first, &second).map_err(core)?;
        let complex = |x: Complex64| Value::Complex(x.re, x.im);
        let (s, n, c) = (population.eigenvalues(), population.metric(), population.target());
        let mut out = Observables::new();
        out.set("kappa", complex(pair.kappa.0))
            .set("kappa_prime", complex(pair.kappa.1))
            .set("df1", complex(first.seen[0].dof.a))
            .set("df2", complex(pair.df2))
            .set("gamma_samples", complex(pair.gamma_samples()))
            .set("gamma_features", complex(pair.gamma_features()));
        for (name, order) in [
            ("bias", Order::Predictor),
            ("transposed", Order::Transposed),
            ("mixed", Order::Mixed),
            ("weights", Order::Weights),
        ] {
            out.set(name, complex(pair.quadratic_form(order, &s, &n, &c).map_err(core)?));
        }
        Ok(out)
    }
}

impl TwoPointInputs {
    pub(crate) fn population(&self) -> crate::Result<Population> {
        let population = Population::new(&self.spectrum)?.with_target(&self.target)?;
        Ok(match &self.test_spectrum {
            Some(metric) => population.with_metric(metric)?,
            None => population,
        })
    }
}
