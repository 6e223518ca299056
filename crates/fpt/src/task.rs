//! The task `fpt`.

use crate::{Entries, Model, Problem, sample};
use rmt_task::{Card, Draw, Observables, Reference, Registration, Simulate, Task, TaskError};

/// The task of this crate.
pub fn tasks() -> Vec<Registration> {
    vec![Registration::simulated::<Fpt>()]
}

struct Fpt;

impl Task for Fpt {
    type Inputs = Problem;

    const CARD: Card = Card {
        name: "fpt",
        summary: "Certified large-size limit of a scalar expression in traces of products, sums and \
                  inverses of random and deterministic matrices",
        equations: "E = C L⁻¹ B,  L = F − Q linear in the random matrices\n\
                    G = (F − η(G))⁻¹,  η(M) = E[Q M Q]\n\
                    τ_ts = Tr(B_t G A_s),  value = Tr(C G B)\n\
                    accepted iff ρ(R ↦ G* E[Q R Q*] G) < 1",
        latex: r"E &= C L^{-1} B, & L &= F - Q \\
G &= (F - \eta(G))^{-1}, & \eta(M) &= \mathbb{E}[Q M Q] \\
\tau_{ts} &= \operatorname{Tr}(B_t G A_s), & \text{value} &= \operatorname{Tr}(C G B)",
        references: &[
            Reference {
                key: "subramonian2025autofpt",
                authors: "Arjun Subramonian and Elvis Dohmatob",
                title: "auto-fpt: Automating Free Probability Theory Calculations for Machine \
                        Learning Theory",
                year: 2025,
                venue: "arXiv:2504.10754",
            },
            Reference {
                key: "helton2007operator",
                authors: "J. William Helton and Reza Rashidi Far and Roland Speicher",
                title: "Operator-valued semicircular elements: solving a quadratic matrix equation \
                        with positivity constraints",
                year: 2007,
                venue: "International Mathematics Research Notices 2007, rnm086",
            },
            Reference {
                key: "helton2018applications",
                authors: "J. William Helton and Tobias Mai and Roland Speicher",
                title: "Applications of realizations (aka linearizations) to free probability",
                year: 2018,
                venue: "Journal of Functional Analysis 274, 1-79",
            },
            Reference {
                key: "ajanki2019stability",
                authors: "Oskari Ajanki and László Erdős and Torben Krüger",
                title: "Stability of the matrix Dyson equation and random matrices with \
                        correlations",
                year: 2019,
                venue: "Probability Theory and Related Fields 173, 293-373",
            },
        ],
        observables: &[
            ("value", "the deterministic equivalent"),
            ("rho", "spectral radius of the certificate, below 1"),
            ("residual", "largest relative residual of the full system"),
            ("path", "last rung of the solver's ladder: direct, epsilon or variance"),
            ("error_estimate", "estimated rounding error of the value"),
        ],
        headline: &["value"],
        example: r#"{
            "dims": {"n": 300, "p": 200},
            "parameters": {"lam": 0.1},
            "random": {"Z": {"rows": "n", "cols": "p", "variance": "1"}},
            "expression": "tr(inv(Z'*Z/n + lam*I(p)))"
        }"#,
    };

    fn evaluate(problem: &Problem) -> Result<Observables, TaskError> {
        let model = Model::new(problem)?;
        let answer = model.evaluate()?;
        let mut out = Observables::new();
        set_value(&mut out, &model, answer.value);
        out.set("rho", answer.rho);
        out.set("residual", answer.residual);
        out.set("path", answer.path.to_string());
        out.set("error_estimate", answer.error_estimate);
        Ok(out)
    }
}

/// One draw of the same expression with Gaussian entries at the stated sizes.
impl Simulate for Fpt {
    const SIZES: &'static [&'static str] = &["dims.n", "dims.p"];
    const SETTINGS: &'static [&'static str] = &["{}", r#"{"dims": {"n": 150, "p": 200}}"#];

    fn draw(problem: &Problem, draw: Draw) -> Result<Observables, TaskError> {
        let model = Model::new(problem)?;
        let mut out = Observables::new();
        set_value(&mut out, &model, sample(&model, draw, Entries::Gaussian)?);
        Ok(out)
    }
}

/// A number for real parameters, else a complex number.
fn set_value(out: &mut Observables, model: &Model, value: num_complex::Complex64) {
    if model.is_real() {
        out.set("value", value.re);
    } else {
        out.set("value", (value.re, value.im));
    }
}
