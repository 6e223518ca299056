//! Ridge regression on independent samples.
//!
//! x ~ N(0, Σ) in R^p, y = xᵀθ + ε with noise variance σ², n samples, θ̂ = (Σ̂ + λ)⁻¹Xᵀy/n with
//! Σ̂ = XᵀX/n. λ = κ(1 − df1(κ)/n); errors as in `sampled`; train error = (1 − df1/n)²·E with
//! E = (κ²Σ c s/(s+κ)² + σ²)/(1 − df2/n), the prediction error on the training distribution.
//!
//! Marchenko and Pastur 1967; Golub, Heath and Wahba 1979; Silverstein and Choi 1995; Dobriban and Wager
//! 2018; Hastie, Montanari, Rosset and Tibshirani 2022; conventions of Atanasov, Zavatone-Veth and
//! Pehlevan, arXiv:2405.00592.

use crate::inputs::DenseMatrix;
use crate::sampled::{Setting, Sums, chain, check_noise};
use crate::simulate::{Gaussian, SampleRidge, whole};
use faer::Mat;
use num_complex::Complex64;
use rmt_core::{DeterministicEquivalent, Modes, Population, SampleCovariance, Samples, Spectrum};
use rmt_task::{Card, Draw, Observables, Reference, Simulate, Task, TaskError, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Ridge regression on independent samples.
pub struct Ridge;

/// Inputs of [`Ridge`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RidgeInputs {
    /// Eigenvalues s_i ≥ 0 of the population covariance Σ.
    pub spectrum: Modes,
    /// Squared target coefficients c_i = (v_iᵀθ)² ≥ 0, one per eigenvalue. Without a target only
    /// spectral quantities and the noise variance are returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Modes>,
    /// Signed target coefficients θ_i in the eigenbasis, instead of `target`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coefficients: Option<Vec<f64>>,
    /// Number of samples n ≥ 1.
    pub n: f64,
    /// Ridge λ ≥ 0 of (1/n)‖y − Xθ‖² + λ‖θ‖² (not multiplied by n).
    pub lambda: f64,
    /// Variance σ² ≥ 0 of the label noise.
    #[serde(default)]
    pub noise_variance: f64,
    /// Diagonal s'_i ≥ 0 of the test covariance Σ' in the eigenbasis of Σ; default Σ itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_spectrum: Option<Modes>,
    /// Test covariance Σ' as a matrix in the eigenbasis of Σ, where it does not commute with Σ; needs
    /// `coefficients`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_covariance: Option<DenseMatrix>,
    /// Complex point z = [re, im] at which the resolvents of Σ̂ and of the Gram matrix are evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolvent_at: Option<[f64; 2]>,
    /// Points x > 0 at which the density of the spectrum of Σ̂ is evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density_at: Option<Vec<f64>>,
}

const REFERENCES: &[Reference] = &[
    Reference {
        key: "golub1979generalized",
        authors: "Golub, Gene H. and Heath, Michael and Wahba, Grace",
        title: "Generalized cross-validation as a method for choosing a good ridge parameter",
        year: 1979,
        venue: "Technometrics 21(2):215-223",
    },
    Reference {
        key: "silverstein1995analysis",
        authors: "Silverstein, Jack W. and Choi, Sang-Il",
        title: "Analysis of the limiting spectral distribution of large dimensional random matrices",
        year: 1995,
        venue: "Journal of Multivariate Analysis 54(2):295-309",
    },
    Reference {
        key: "dobriban2018high",
        authors: "Dobriban, Edgar and Wager, Stefan",
        title: "High-dimensional asymptotics of prediction: ridge regression and classification",
        year: 2018,
        venue: "Annals of Statistics 46(1):247-279",
    },
    Reference {
        key: "hastie2022surprises",
        authors: "Hastie, Trevor and Montanari, Andrea and Rosset, Saharon and Tibshirani, Ryan J.",
        title: "Surprises in high-dimensional ridgeless least squares interpolation",
        year: 2022,
        venue: "Annals of Statistics 50(2):949-986",
    },
    Reference {
        key: "atanasov2024scaling",
        authors: "Atanasov, Alexander and Zavatone-Veth, Jacob A. and Pehlevan, Cengiz",
        title: "Scaling and renormalization in high-dimensional regression",
        year: 2024,
        venue: "arXiv:2405.00592",
    },
];

impl Task for Ridge {
    type Inputs = RidgeInputs;

    const CARD: Card = Card {
        name: "ridge",
        summary: "Risk of ridge regression on independent samples, with its bias and variances",
        equations: "y = xᵀθ + ε,  x ~ N(0, Σ),  θ̂ = (Σ̂ + λ)⁻¹Xᵀy/n\n\
                    λ = κ(1 − df1/n),  df1 = Σ s/(s+κ),  df2 = Σ s²/(s+κ)²,  γ = df2/n\n\
                    bias = κ² Σ c s'/(s+κ)²\n\
                    variance_data = κ² Σ c s/(s+κ)² · γ'/(1−γ),  γ' = (1/n) Σ s s'/(s+κ)²\n\
                    variance_noise = σ² γ'/(1−γ)\n\
                    train_error = (1 − df1/n)² · prediction_error  (Σ' = Σ)",
        latex: r"\lambda &= \kappa\Bigl(1-\frac{\mathrm{df}_1(\kappa)}{n}\Bigr),\quad \mathrm{df}_j=\sum_i\frac{s_i^j}{(s_i+\kappa)^j},\quad \gamma=\frac{\mathrm{df}_2}{n}\\
E_{\mathrm{bias}} &= \kappa^2\sum_i\frac{c_i s'_i}{(s_i+\kappa)^2}\\
E_{\mathrm{data}} &= \kappa^2\sum_i\frac{c_i s_i}{(s_i+\kappa)^2}\,\frac{\gamma'}{1-\gamma},\qquad E_{\mathrm{noise}} = \sigma^2\frac{\gamma'}{1-\gamma},\qquad \gamma'=\frac1n\sum_i\frac{s_i s'_i}{(s_i+\kappa)^2}",
        references: REFERENCES,
        observables: &[
            ("kappa", "effective ridge κ that the population sees"),
            ("df1", "degrees of freedom Σ s/(s+κ)"),
            ("df2", "Σ s²/(s+κ)²"),
            ("gamma", "df2/n; the variance is amplified by 1/(1−γ)"),
            ("dkappa_dlambda", "dκ/dλ = 1/(1−γ)"),
            ("bias", "squared bias of the mean predictor"),
            ("variance_data", "variance of the noiseless fit over data sets"),
            ("variance_noise", "variance from label noise"),
            ("risk", "bias + variances: excess error on the test distribution"),
            ("prediction_error", "risk + σ²"),
            ("train_error", "mean squared training residual"),
            (
                "gcv",
                "expected generalised cross-validation: prediction error on the training distribution",
            ),
            ("loo", "expected leave-one-out error: the same limit"),
            ("support_edges", "edges of the spectrum of Σ̂, ascending, without the mass at zero"),
            ("mass_at_zero", "fraction of zero eigenvalues of Σ̂"),
            ("density", "density of the spectrum of Σ̂ at `density_at`"),
            ("companion_stieltjes", "(1/n)Tr(Ĝ − z)⁻¹ of the Gram matrix at z = `resolvent_at`"),
            ("stieltjes", "(1/p)Tr(Σ̂ − z)⁻¹ at z = `resolvent_at`"),
        ],
        headline: &["bias", "variance_data", "variance_noise", "risk", "train_error"],
        example: r#"{
  "spectrum": {"kind": "power_law", "p": 400, "alpha": 1.2},
  "target": {"kind": "power_law", "p": 400, "alpha": 0.5, "total": 1.0},
  "n": 200, "lambda": 0.001, "noise_variance": 0.1
}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let setting = inputs.setting()?;
        let noise = check_noise(inputs.noise_variance)?;
        let chain =
            chain(&setting.population, Samples::new(inputs.n).map_err(crate::Error::from)?)?;
        let solution = chain.solve(inputs.lambda).map_err(crate::Error::from)?;
        let sums = Sums::new(&setting, &solution);
        let mut out = Observables::new();
        setting.notes(&mut out);
        out.set("kappa", sums.kappa)
            .set("df1", sums.df1)
            .set("df2", sums.df2)
            .set("gamma", sums.df2 / inputs.n)
            .set("dkappa_dlambda", 1.0 / solution.seen[1].ridge().ab);
        let q = sums.concentration;
        let variance_noise = sums.variance_noise(noise, q);
        let has_target = inputs.target.is_some() || inputs.coefficients.is_some();
        if has_target {
            let variance_data = sums.variance_data();
            let risk = sums.bias + variance_data + variance_noise;
            let matched = sums.matched_risk(noise, q) + noise;
            out.set("bias", sums.bias)
                .set("variance_data", variance_data)
                .set("variance_noise", variance_noise)
                .set("risk", risk)
                .set("prediction_error", risk + noise)
                .set("train_error", train_error(solution.seen[1].ratio.a, &sums, noise))
                .set("gcv", matched)
                .set("loo", matched);
        } else {
            out.set("variance_noise", variance_noise);
        }
        if sums.one_minus_gamma == 0.0 {
            out.note("λ = 0 with as many samples as positive eigenvalues: the noise variance diverges there");
        }
        spectral(&chain, &setting.population, inputs, &mut out)?;
        Ok(out)
    }
}

impl RidgeInputs {
    fn setting(&self) -> crate::Result<Setting> {
        Setting::new(
            &self.spectrum,
            self.target.as_ref(),
            self.coefficients.as_deref(),
            self.test_spectrum.as_ref(),
            self.test_covariance.as_ref(),
        )
    }
}

/// (λ/κ)²·E with E(1 − γ) = κ²Σcs/(s+κ)² + σ²; zero at λ = 0 when n ≤ rank, ties included.
fn train_error(lambda_over_kappa: f64, sums: &Sums, noise: f64) -> f64 {
    if lambda_over_kappa == 0.0 {
        return 0.0;
    }
    lambda_over_kappa * lambda_over_kappa * (sums.signal + noise) / sums.one_minus_gamma
}

/// Distinct eigenvalues up to which the support is computed with every evaluation.
const EDGES_UP_TO: usize = 20_000;

/// Resolvents, density and support of the spectrum of Σ̂.
fn spectral(
    chain: &DeterministicEquivalent<&Population>,
    population: &Population,
    inputs: &RidgeInputs,
    out: &mut Observables,
) -> Result<(), TaskError> {
    let covariance = SampleCovariance::independent(population, inputs.n);
    if population.dimension() as usize <= EDGES_UP_TO {
        out.set("support_edges", covariance.edges());
    } else {
        out.note(format!("support_edges are left out above {EDGES_UP_TO} modes"));
    }
    out.set("mass_at_zero", covariance.mass_at_zero());
    if let Some(points) = &inputs.density_at {
        out.set("density", chain.density(points).map_err(crate::Error::from)?);
    }
    if let Some([re, im]) = inputs.resolvent_at {
        let z = Complex64::new(re, im);
        let solution = chain.solve_complex(-z, None).map_err(crate::Error::from)?;
        let companion = Complex64::from(1.0) / solution.kappa();
        let stieltjes = chain.stieltjes(&solution);
        out.set("companion_stieltjes", Value::Complex(companion.re, companion.im))
            .set("stieltjes", Value::Complex(stieltjes.re, stieltjes.im));
    }
    Ok(())
}

impl Simulate for Ridge {
    const SIZES: &'static [&'static str] = &["spectrum.p", "target.p", "n"];
    const SETTINGS: &'static [&'static str] =
        &["{}", r#"{"n": 100, "lambda": 1e-6}"#, r#"{"n": 800, "lambda": 0.1}"#];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let setting = inputs.setting()?;
        let noise = check_noise(inputs.noise_variance)?;
        let n = whole("n", inputs.n)?;
        let mut random = Gaussian::new(draw);
        let x = rows(&mut random, n, &setting.population.eigenvalues());
        let theta = setting.theta();
        let noiseless = &x * faer::ColRef::from_slice(&theta);
        let y: Vec<f64> = (0..n).map(|i| noiseless[i] + noise.sqrt() * random.next()).collect();
        let fit = SampleRidge::new(x.as_ref())?;
        let mut out = Observables::new();
        let dof = fit.dof(inputs.lambda);
        out.set("df1", dof);
        if inputs.lambda > 0.0 {
            out.set("kappa", inputs.lambda / (1.0 - dof / inputs.n));
        }
        let operator = fit.operator(inputs.lambda);
        out.set("variance_noise", noise * trace_form(&setting, &operator, None));
        let error: Vec<f64> =
            fit.coefficients(&y, inputs.lambda).iter().zip(&theta).map(|(a, b)| a - b).collect();
        let risk = setting.test_form(&error);
        let residuals = fit.residuals(&y, inputs.lambda);
        let (gcv, loo) = fit.cross_validation(&y, inputs.lambda);
        out.set("risk", risk)
            .set("prediction_error", risk + noise)
            .set("train_error", residuals.iter().map(|r| r * r).sum::<f64>() / inputs.n)
            .set("gcv", gcv)
            .set("loo", loo);
        Ok(out)
    }
}

/// n rows x ~ N(0, diag s).
pub(crate) fn rows(random: &mut Gaussian, n: usize, eigenvalues: &[f64]) -> Mat<f64> {
    let mut x = random.matrix(n, eigenvalues.len());
    for (j, s) in eigenvalues.iter().enumerate() {
        let root = s.sqrt();
        for i in 0..n {
            x[(i, j)] *= root;
        }
    }
    x
}

/// Tr Σ'AK'Aᵀ: the variance that unit noise of covariance K' puts on predictions of θ̂ = Ay.
pub(crate) fn trace_form(setting: &Setting, operator: &Mat<f64>, noise: Option<&Mat<f64>>) -> f64 {
    let coloured = noise.map(|k| operator * k);
    let coloured = coloured.as_ref().unwrap_or(operator);
    if setting.commutes() {
        let metric = setting.population.metric();
        return (0..operator.nrows())
            .map(|i| {
                metric[i]
                    * (0..operator.ncols())
                        .map(|j| operator[(i, j)] * coloured[(i, j)])
                        .sum::<f64>()
            })
            .sum();
    }
    // Column by column of A: Σ_j a_jᵀΣ'(AK')_j, by polarisation of the quadratic form.
    (0..operator.ncols())
        .map(|j| {
            let column = |m: &Mat<f64>| (0..m.nrows()).map(|i| m[(i, j)]).collect::<Vec<f64>>();
            let (a, b) = (column(operator), column(coloured));
            let sum: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            let difference: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
            0.25 * (setting.test_form(&sum) - setting.test_form(&difference))
        })
        .sum()
}
