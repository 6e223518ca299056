//! The ℓ₂ norm of ridge and random-feature estimators as a capacity, and risk as a function of it.
//!
//! Setting and symbols of [`random_features`](crate::random_features). With k = κ₂, d = df1, e = df2,
//! D₁ = Σ s/(s+k)², T₃ = Σ sθ²/(s+k)², χ = D₁/(m−e):
//! B_N = m T₃/(m−e) + (m/n)χB_R,  V_N = (m/n)χ(σ² + V_R),  N = B_N + V_N
//! (bias parts: the noise-free estimator; variance parts: what the noise adds). As λ → 0 at m > n,
//! risk and norm lie on the exact line R = kN + (σ² + b₂)e/(n−e) − kT₃ − σ² for all widths; at m < n the
//! curve comes back from infinity with the same slope, 2(σ² + H) above it.
//!
//! Wang, Chen, Rosasco, Liu, arXiv:2502.01585; Defilippis, Loureiro, Misiakiewicz, arXiv:2405.15699.

mod budget;
mod capacity;
mod curve;
mod inverse;
mod line;
mod rates;

pub use budget::{NormBudget, NormBudgetInputs};
pub use capacity::{NormCapacity, NormCapacityInputs};
pub use curve::{Knob, NormCurve, NormCurveInputs};
pub use inverse::{NormToRisk, NormToRiskInputs};
pub use line::{NormLine, NormLineInputs};
pub use rates::{NormRates, NormRatesInputs, RateKnob, Rates};

use rmt_task::Reference;

const NORM_CAPACITY: Reference = Reference {
    key: "wang2025norm",
    authors: "Wang, Yichen and Chen, Yudong and Rosasco, Lorenzo and Liu, Fanghui",
    title: "Re-examining Double Descent and Scaling Laws under Norm-based Capacity via Deterministic Equivalence",
    year: 2025,
    venue: "arXiv:2502.01585",
};
