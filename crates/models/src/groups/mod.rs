//! Ridge regression on a mixture of populations.
//!
//! n = Σ_s n_s samples; those of group s have x ~ N(0, Σ_s), y = xᵀw_s + ε, var ε = σ_s², and weight
//! a_s in the loss. With P_s = n_s/n and, optionally, m random features S ∈ ℝ^{p×m} of variance 1/m,
//!
//! ```text
//! η̂ = argmin (1/n) Σ_i a_{s(i)} (y_i − x_iᵀSη)² + λ‖η‖²,   ŵ = Sη̂
//! ```
//!
//! In high dimension everything depends on G + 1 numbers, the unique positive solution of
//!
//! ```text
//! A = Σ_r a_r P_r e_r Σ_r,   G = (A + μ)⁻¹
//! 1/e_s = 1 + (a_s/n) Tr Σ_s G,   μ = λ + (μ/m) Tr A G   (m = ∞: μ = λ)
//! ```
//!
//! 1 − e_s is the mean leverage of a sample of group s, μ/λ the inflation of the ridge by the
//! features; Σ n_s (1 − e_s) = m (1 − λ/μ) = Tr A G is the number of degrees of freedom. The mean
//! estimate is h = Σ_r a_r P_r e_r G Σ_r w_r, and with the derivatives x' = (I − J)⁻¹ b of the fixed
//! point under a change C of the test covariance
//!
//! ```text
//! R_t = ‖h − w_t‖²_{Σ_t} + Σ_r a_r P_r e'_r (‖w_r − h‖²_{Σ_r} + σ_r²) + μ'‖h‖²
//! ```
//!
//! The traces are un-normalised and λ is never multiplied by n.
//!
//! The setting is that of Subramonian, Bell, Sagun, Dohmatob, *An Effective Theory of Bias
//! Amplification* (arXiv:2410.17263) and of Dohmatob, Feng, Subramonian, Kempe, *Strong Model
//! Collapse* (arXiv:2410.04840), here for any number of groups, covariances that need not
//! commute, sample weights and random features together.
//!
//! λ = 0 needs no code of its own: no formula subtracts nearly equal numbers, so the ridgeless
//! limit, in each of its phases (all variance learnt, all features used, all samples
//! interpolated), is the solution at a ridge so small that it changes no digit.

mod atoms;
mod coefficients;
mod covariance;
mod dense;
mod experiment;
mod flow;
mod mixture;
mod mmatrix;
mod populations;
mod risk;
mod solve;
#[cfg(test)]
mod tests;
mod traces;

pub use coefficients::Coefficients;
pub use covariance::{Basis, Covariance};
pub(crate) use experiment::Experiment;
pub use mixture::{Mixture, Phase, Sample};
pub use populations::{Populations, Source};
pub use risk::Risks;
pub(crate) use risk::ridgeless_limit;
pub use solve::{Diagnostics, Equilibrium};
