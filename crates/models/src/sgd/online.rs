//! One-pass SGD without features: the exact recursion for Gaussian data at finite p.
//!
//! q_i = E(v_iᵀΔ)² obeys q_i ← (1−ηs_i)²q_i + (η²/B)\[s_i²q_i + s_i(Σ_j s_jq_j + σ²)\]. Dropping s_i²q_i, a
//! fourth-moment term, gives the Volterra equation.

use super::inputs::Checked;
use super::method::Method;

/// Modes times steps up to which the recursion is run.
const MOST_WORK: f64 = 2e9;

/// E Δᵀ N Δ at ascending whole times, N the test metric; `None` where it does not apply or would take
/// too long.
pub(crate) fn exact_gaussian_risk(checked: &Checked, times: &[f64]) -> Option<Vec<f64>> {
    let Method::Descent(schedule) = &checked.method else { return None };
    let population = &checked.population;
    let modes = merged(&population.eigenvalues(), &population.target(), &population.metric());
    if modes.len() as f64 * checked.horizon > MOST_WORK {
        return None;
    }
    let mut second: Vec<f64> = modes.iter().map(|m| m.target).collect();
    let mut step = 0_usize;
    let mut out = Vec::with_capacity(times.len());
    for &time in times {
        while (step as f64) < time {
            let eta = schedule.rate(step);
            let strength = eta * eta * checked.inverse_batch;
            let loss: f64 = modes.iter().zip(&second).map(|(m, q)| m.s * q).sum();
            let shared = strength * (loss + checked.noise);
            for (q, m) in second.iter_mut().zip(&modes) {
                let kept = 1.0 - eta * m.s;
                *q = (kept * kept + strength * m.s * m.s) * *q + shared * m.s * m.count;
            }
            step += 1;
        }
        out.push(modes.iter().zip(&second).map(|(m, q)| m.metric * q).sum());
    }
    Some(out)
}

/// Modes that move alike.
struct Mode {
    s: f64,
    metric: f64,
    count: f64,
    target: f64,
}

fn merged(s: &[f64], target: &[f64], metric: &[f64]) -> Vec<Mode> {
    let mut order: Vec<usize> = (0..s.len()).collect();
    order.sort_by(|&i, &j| s[i].total_cmp(&s[j]).then(metric[i].total_cmp(&metric[j])));
    let mut modes: Vec<Mode> = Vec::new();
    for i in order {
        match modes.last_mut() {
            Some(last) if last.s == s[i] && last.metric == metric[i] => {
                last.count += 1.0;
                last.target += target[i];
            }
            _ => {
                let (s, metric, target) = (s[i], metric[i], target[i]);
                modes.push(Mode { s, metric, count: 1.0, target });
            }
        }
    }
    modes
}
