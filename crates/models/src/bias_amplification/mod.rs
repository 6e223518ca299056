//! Bias amplification: how the error of each group changes when one model is fitted to all.
//!
//! ```text
//! ODD = |R_2(joint) − R_1(joint)|        observed difficulty disparity
//! EDD = |R_2(separate) − R_1(separate)|  expected difficulty disparity
//! ADD = ODD/EDD                          > 1: amplified, < 1: de-amplified
//! ```
//!
//! Separate models are trained on the group's own n_s samples, unweighted, with the same number of
//! random features. Setting and definitions: Subramonian, Bell, Sagun, Dohmatob, *An Effective
//! Theory of Bias Amplification* (arXiv:2410.17263); risks from [`crate::groups`].

mod disparity;
mod flow;
mod inputs;
mod scan;

pub use flow::{BiasAmplificationFlow, BiasAmplificationFlowInputs};
pub use inputs::BiasAmplificationInputs;
pub(crate) use inputs::whole;
pub use scan::{Scan, ScanOver};

use crate::groups::{Experiment, Phase, ridgeless_limit};
use disparity::{Disparities, set_disparities};
use inputs::Setting;
use rmt_task::{Card, Draw, Observables, Reference, Simulate, Task, TaskError};

pub(crate) const SOURCE: Reference = Reference {
    key: "subramonian2024bias",
    authors: "Subramonian, Arjun and Bell, Samuel J. and Sagun, Levent and Dohmatob, Elvis",
    title: "An Effective Theory of Bias Amplification",
    year: 2024,
    venue: "arXiv:2410.17263",
};

/// Ridge regression on groups: errors of the joint and the separate models, and their disparities.
pub struct BiasAmplification;

impl Task for BiasAmplification {
    type Inputs = BiasAmplificationInputs;

    const CARD: Card = Card {
        name: "bias_amplification",
        summary: "Errors of all groups when one ridge model is fitted to their mixture, and the disparities between them",
        equations: "A = Σ a_s P_s e_s Σ_s,  G = (A + μ)⁻¹\n1/e_s = 1 + (a_s/n) Tr Σ_s G,  μ = λ + (μ/m) Tr A G\nR_t = ‖h − w_t‖²_{Σ_t} + Σ a_s P_s e'_s (‖w_s − h‖²_{Σ_s} + σ_s²) + μ'‖h‖²,  h = Σ a_s P_s e_s G Σ_s w_s\nODD = |R_2 − R_1| of the joint model, EDD of separate models, ADD = ODD/EDD",
        latex: r"A &= \sum_s a_s P_s e_s \Sigma_s, \qquad G = (A+\mu)^{-1}\\ \frac1{e_s} &= 1 + \frac{a_s}{n}\operatorname{Tr}\Sigma_s G, \qquad \mu = \lambda + \frac{\mu}{m}\operatorname{Tr} A G\\ R_t &= \|h-w_t\|_{\Sigma_t}^2 + \sum_s a_s P_s e_s' \left(\|w_s-h\|_{\Sigma_s}^2+\sigma_s^2\right) + \mu'\|h\|^2\\ \mathrm{ADD} &= \frac{|R_2-R_1|_{\text{joint}}}{|R_2-R_1|_{\text{separate}}}",
        references: &[SOURCE],
        observables: &[
            ("risk", "excess risk R_t = E (xᵀ(ŵ − w_t))² of each group under the joint model"),
            ("bias", "part of the signal, with its sampling and projection variance"),
            ("variance", "part of the label noise"),
            ("prediction_error", "R_t + σ_t²"),
            ("train_error", "mean squared residual of each group"),
            ("risk_separate", "excess risk of a model trained on the group alone"),
            ("difference_joint", "R_2 − R_1 of the joint model (a matrix for more groups)"),
            ("difference_separate", "R_2 − R_1 of separate models"),
            ("ODD", "observed difficulty disparity |R_2 − R_1|, joint model"),
            ("EDD", "expected difficulty disparity, separate models"),
            ("ADD", "amplification ODD/EDD; infinite where EDD = 0"),
            ("ODD_spread", "largest minus smallest risk, more than two groups"),
            ("EDD_spread", "the same of separate models"),
            ("ADD_spread", "ODD_spread/EDD_spread"),
            ("ODD_prediction", "ODD of prediction errors, where noise differs between groups"),
            ("EDD_prediction", "EDD of prediction errors"),
            ("ADD_prediction", "their ratio"),
            ("e", "1 − mean leverage of each group"),
            ("mu", "effective ridge on the population side of the features"),
            ("e_over_mu", "e_s/μ where λ = 0 interpolates"),
            ("df1", "degrees of freedom Tr A G"),
            ("norm", "E‖ŵ‖²"),
            ("amplification_free", "scan: intervals in which ADD ≤ 1"),
            ("zero_crossings", "scan: where both groups have the same risk"),
            ("minimal_ODD", "scan: where the disparity is smallest"),
            ("minimal_mean_risk", "scan: where the mean risk over samples is smallest"),
            ("minimal_worst_risk", "scan: where the risk of the worst group is smallest"),
        ],
        headline: &["risk", "risk_separate", "ODD", "EDD", "ADD"],
        example: r#"{"n": [180, 60], "covariances": [{"kind": "levels", "values": [1.0, 0.05], "counts": [80, 120]}, {"kind": "levels", "values": [0.6, 1.5], "counts": [80, 120]}], "noise_variances": [0.1, 0.1], "lambda": 0.01, "width": 150, "shared_prior": {"kind": "levels", "values": [0.0125, 0.0], "counts": [80, 120]}, "group_priors": [{"kind": "constant", "p": 200, "value": 0.0}, {"kind": "levels", "values": [0.00125, 0.0], "counts": [80, 120]}]}"#,
    };

    fn evaluate(inputs: &Self::Inputs) -> Result<Observables, TaskError> {
        let setting = Setting::of(inputs)?;
        let populations = setting.populations()?;
        let mixture = setting.mixture(&populations)?;
        let lambda = inputs.lambda;
        let solution = mixture.solve(lambda).map_err(|e| setting.explain(e))?;
        let risks = solution.risks().map_err(|e| setting.explain(e))?;
        let size = setting.size(&populations)?;
        let limited = |v: &[f64]| v.iter().map(|x| solution.limit(*x, size)).collect::<Vec<f64>>();
        let separate = setting.separate(&populations)?;
        let lambda_separate = inputs.lambda_separate.unwrap_or(lambda);
        let at_separate = separate
            .iter()
            .map(|s| s.risk(lambda_separate))
            .collect::<Result<Vec<f64>, _>>()
            .map_err(|e| setting.explain(e).within("lambda_separate"))?;
        let separate_limit =
            |x: f64| if lambda_separate == 0.0 { ridgeless_limit(x, size) } else { x };

        let mut out = Observables::new();
        let noise = setting.noise();
        let risk = limited(&risks.risk());
        out.set("risk", risk.clone());
        out.set("bias", limited(&risks.total_bias()));
        out.set("variance", limited(&risks.variance));
        let prediction: Vec<f64> = risk.iter().zip(&noise).map(|(r, s)| r + s).collect();
        out.set("prediction_error", prediction);
        out.set("train_error", limited(&risks.train_error));
        out.set(
            "risk_separate",
            at_separate.iter().map(|x| separate_limit(*x)).collect::<Vec<f64>>(),
        );
        let joint = risks.risk();
        let disparities = Disparities {
            joint: &joint,
            separate: &at_separate,
            joint_limit: &|x| solution.limit(x, size),
            separate_limit: &separate_limit,
        };
        set_disparities(&mut out, &disparities, &noise);
        out.set("e", solution.e());
        out.set("mu", solution.mu());
        if lambda == 0.0 && mixture.phase() == Phase::Interpolation {
            out.set("e_over_mu", solution.e_over_mu());
        }
        out.set("df1", solution.df1());
        out.set("norm", solution.limit(risks.norm, size));
        if lambda == 0.0 && mixture.is_critical() {
            out.note("λ = 0 where the samples just suffice to fit everything: the error diverges as λ → 0");
        }
        if let Some(scan) = &inputs.scan {
            scan::run(scan, inputs, &mut out)?;
        }
        Ok(out)
    }
}

impl Simulate for BiasAmplification {
    const SIZES: &'static [&'static str] = &[
        "n",
        "width",
        "covariances[0].counts",
        "covariances[1].counts",
        "shared_prior.counts",
        "group_priors[0].p",
        "group_priors[1].counts",
    ];

    fn draw(inputs: &Self::Inputs, draw: Draw) -> Result<Observables, TaskError> {
        let setting = Setting::of(inputs)?;
        setting.mixture(&setting.populations()?)?;
        let explain = |e| setting.explain(e);
        let experiment = Experiment::new(
            &setting.covariances,
            &setting.sources,
            &setting.samples,
            setting.width,
            draw,
        )
        .map_err(explain)?;
        let joint = experiment.joint(inputs.lambda).map_err(explain)?;
        let lambda_separate = inputs.lambda_separate.unwrap_or(inputs.lambda);
        let separate = (0..setting.samples.len())
            .map(|t| experiment.separate(t, lambda_separate))
            .collect::<Result<Vec<f64>, _>>()
            .map_err(explain)?;
        let mut out = Observables::new();
        out.set("risk", joint.risk.clone());
        out.set("bias", joint.total_bias());
        out.set("variance", joint.variance.clone());
        out.set("train_error", joint.train_error.clone());
        out.set("risk_separate", separate.clone());
        if let ([a, b], [c, d]) = (joint.risk.as_slice(), separate.as_slice()) {
            out.set("difference_joint", b - a);
            out.set("difference_separate", d - c);
        }
        out.set("e", joint.leverage.iter().map(|h| 1.0 - h).collect::<Vec<f64>>());
        out.set("df1", joint.df1);
        out.set("norm", joint.norm);
        Ok(out)
    }
}
