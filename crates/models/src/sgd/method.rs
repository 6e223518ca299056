//! First-order methods by their residual polynomials: after t steps the error in an eigendirection
//! with Hessian eigenvalue λ is f_t(λ) times the initial one.
//!
//! - gradient flow: f_t = e^(−λt)
//! - gradient descent: f_t = Π_{s<t}(1 − η_sλ)
//! - heavy ball, v_{t+1} = v_t − ηg_t + β(v_t − v_{t−1}): with roots r + q = 1 + β − ηλ, rq = β,
//!   h_τ = (r^(τ+1) − q^(τ+1))/(r − q) and f_t = h_t − βh_{t−1}; h_τ is the response to one gradient.

use super::contour::{Contour, Region};
use super::ellipse;
use super::schedule::Schedule;
use num_complex::Complex64;

/// A first-order method.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Method {
    Flow,
    Descent(Schedule),
    HeavyBall { rate: f64, momentum: f64 },
}

/// ln(1 + u), accurate where |1 + u| is close to 1: a logarithm of the rounded modulus costs t ulps
/// after t steps.
pub(crate) fn log1p(u: Complex64) -> Complex64 {
    let shifted = u + 1.0;
    if shifted.norm_sqr() < 0.25 {
        return shifted.ln();
    }
    Complex64::new(0.5 * (2.0 * u.re + u.norm_sqr()).ln_1p(), u.im.atan2(1.0 + u.re))
}

/// e^u − 1 without cancellation at small u.
pub(crate) fn expm1(u: Complex64) -> Complex64 {
    let growth = u.re.exp_m1();
    let half = (0.5 * u.im).sin();
    Complex64::new(growth * u.im.cos() - 2.0 * half * half, (growth + 1.0) * u.im.sin())
}

impl Method {
    /// η of a step; a flow has none.
    pub(crate) fn rate(&self, step: usize) -> f64 {
        match self {
            Method::Flow => 0.0,
            Method::Descent(schedule) => schedule.rate(step),
            Method::HeavyBall { rate, .. } => *rate,
        }
    }

    /// Σ η over the horizon, with the gain 1/(1−β) of momentum: the time scale on which λ acts.
    pub(crate) fn total_rate(&self, horizon: f64) -> f64 {
        match self {
            Method::Flow => horizon,
            Method::Descent(schedule) => schedule.total(horizon),
            Method::HeavyBall { rate, momentum } => rate * horizon / (1.0 - momentum),
        }
    }

    /// The largest eigenvalue up to which the iteration does not grow.
    pub(crate) fn stable_up_to(&self) -> f64 {
        match self {
            Method::Flow => f64::INFINITY,
            Method::Descent(schedule) => 2.0 / schedule.largest(),
            Method::HeavyBall { rate, momentum } => 2.0 * (1.0 + momentum) / rate,
        }
    }

    /// A contour around the spectrum (λ₋, λ₊) on which f_t stays bounded up to the horizon. With a gap
    /// below the spectrum that the horizon resolves, it passes through the gap so closely to λ₋ that
    /// |f_t| stays within a factor e of f_t(λ₋): losses keep their relative accuracy however small.
    pub(crate) fn contour(&self, edges: (f64, f64), horizon: f64) -> Contour {
        let gap = edges.0 * self.total_rate(horizon) > 3.0;
        self.contour_with(edges, horizon, gap, 1.0)
    }

    /// The same with the choice of the gap and a factor on the number of nodes given.
    pub(super) fn contour_with(
        &self,
        (low, high): (f64, f64),
        horizon: f64,
        gap: bool,
        refinement: f64,
    ) -> Contour {
        let margin = 1.0 / self.total_rate(horizon).max(1.0 / high);
        let (slit, left) = if gap {
            let distance = margin.max(low / 400.0).min(0.5 * low);
            ((low, high.max(low * (1.0 + 1e-3))), low - distance)
        } else {
            ((0.0, high), -margin)
        };
        let region = match self {
            Method::Flow => Region::HalfPlane(left),
            Method::Descent(schedule) => {
                let turn = 2.0 / schedule.largest();
                if gap {
                    let right = (turn - left).max(slit.1 + low - left);
                    Region::Disc(left.min(turn - right).max(0.0), right)
                } else {
                    Region::Disc(left, turn.max(slit.1) + margin)
                }
            }
            Method::HeavyBall { rate, momentum } => {
                return ellipse::contour(slit, left, *rate, *momentum, refinement);
            }
        };
        Contour::around(slit, region, refinement)
    }

    /// (f_t, 1 − f_t) in closed form; `None` for schedules, which are stepped through.
    pub(crate) fn residual(&self, lambda: Complex64, t: f64) -> Option<(Complex64, Complex64)> {
        let exponent = match self {
            Method::Flow => -lambda * t,
            Method::Descent(schedule) => log1p(-lambda * schedule.constant()?) * t,
            Method::HeavyBall { rate, momentum } => {
                let f = heavy_ball_residual(lambda * *rate, *momentum, t);
                return Some((f, Complex64::from(1.0) - f));
            }
        };
        Some((exponent.exp(), -expm1(exponent)))
    }
}

/// h_t − βh_{t−1} at x = ηλ.
fn heavy_ball_residual(x: Complex64, beta: f64, t: f64) -> Complex64 {
    if t == 0.0 {
        return Complex64::from(1.0);
    }
    if beta == 0.0 {
        return (log1p(-x) * t).exp();
    }
    // r − 1 and q from (1−r)(1−β/r) = x: r is the root of larger modulus.
    let half = (Complex64::from(1.0 + beta) - x) * 0.5;
    let root = (half * half - beta).sqrt();
    let root = if (half.conj() * root).re < 0.0 { -root } else { root };
    let r = half + root;
    // (r−1)(r−β) = −xr, and r − β stays away from zero where r ≈ 1.
    let log_r = if (r - 1.0).norm() < 0.5 { log1p(-x * r / (r - beta)) } else { r.ln() };
    let ratio = Complex64::from(beta.ln()) - log_r * 2.0;
    // Σ_{i=0}^{t} (q/r)^i = (1 − (q/r)^{t+1})/(1 − q/r).
    let geometric = |count: f64| {
        let step = expm1(ratio);
        if step.norm() < 1e-14 { Complex64::from(count) } else { expm1(ratio * count) / step }
    };
    (log_r * t).exp() * geometric(t + 1.0) - (log_r * (t - 1.0)).exp() * geometric(t) * beta
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The closed form of heavy ball against its recursion, in both root regimes and at their border.
    #[test]
    fn heavy_ball_closed_form() {
        for beta in [0.0, 0.3, 0.9] {
            for x in [
                Complex64::new(1e-4, 0.0),
                Complex64::new((1.0 - f64::sqrt(beta)).powi(2) + 1e-9, 0.0),
                Complex64::new(0.8, 0.3),
                Complex64::new(2.4, -0.05),
            ] {
                let (mut before, mut now) = (Complex64::from(1.0), Complex64::from(1.0));
                for t in 0..60 {
                    let closed = heavy_ball_residual(x, beta, f64::from(t));
                    let scale = 1.0 + now.norm();
                    assert!((closed - now).norm() < 1e-12 * scale, "{beta} {x} {t} {closed} {now}");
                    let next = now * (Complex64::from(1.0 + beta) - x) - before * beta;
                    (before, now) = (now, next);
                }
            }
        }
    }
}
