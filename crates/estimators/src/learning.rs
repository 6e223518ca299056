//! What more rows would bring, from one data set.
//!
//! At ridge λ on n rows: κ = nλ/(κ̃D̂), α̃ = 1 − df̃₂/df̃₁, and with T′ = −dD̂/d ln λ
//! α/(1 − γ) = T′/(D̂α̃) = d ln κ̃/d ln λ, so that α = sα̃/(1 − s(1 − α̃)) with s that derivative,
//! df₂ = D̂(1 − α), γ = (1 − α)(1 − α̃). N(κ) = CorrGCV·(1 − γ) does not depend on n. On n′ rows of the
//! same kind the same κ is reached at λ′ = κκ̃′D̂/n′ with df̃₁′(κ̃′) = D̂, and the error there is
//! N(κ)/(1 − γ′), γ′ = df₂ df̃₂′/D̂². For independent rows: κ = λ/(1 − D̂/n), γ = df₂/n,
//! λ′ = κ(1 − D̂/n′).
//!
//! κ below κ_min = κ(λ → 0) is not seen by n ≤ p rows. N falls with κ, so the optimum is known to lie
//! above κ_min only if the factor 1/(1 − γ′) grows from the optimum to κ_min by more than the
//! estimate is uncertain (two standard errors); otherwise the data do not support the prediction.

mod features;
mod replicates;

use crate::decomposition::Decomposition;
use crate::prepare::Prepared;
use crate::shrinkage::Shrinkage;
use crate::{Error, Result};
use replicates::Replicates;
use rmt_models::kernel::{Family, Kernel, Levels, SampleCorrelation};

/// The optimally tuned error on another number of rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningPoint {
    /// Number of rows n′.
    pub rows: usize,
    /// Error with the best ridge.
    pub error: f64,
    /// Its 95 % band, from data sets redrawn from the fit, the best ridge chosen in each.
    pub band: (f64, f64),
    /// The best ridge λ′ on n′ rows.
    pub lambda: f64,
    /// Whether the data determine it: if not, the optimum lies at a κ that these rows do not
    /// reach, and `error` is only the best within reach (too high).
    pub supported: bool,
}

/// Ridges tried on the way down to zero.
const RIDGES: usize = 240;

/// One κ that the data show.
struct Seen {
    kappa: f64,
    df1: f64,
    df2: f64,
    /// |r|², in units of unit².
    squares: f64,
    /// CorrGCV on the rows there are over |r|², without the factor of a fitted mean.
    per_square: f64,
    /// 1 − γ.
    room: f64,
}

pub(crate) fn curve(
    data: &Prepared,
    decomposition: &Decomposition,
    target: usize,
    correlation: Option<&SampleCorrelation>,
    kernel: Option<&Kernel>,
    sizes: &[usize],
) -> Result<Vec<LearningPoint>> {
    let n = data.rows;
    let mean = data.direction.is_some();
    let count = data.y.ncols();
    if target >= count {
        return Err(Error::NoTarget { index: target, count });
    }
    let identity = SampleCorrelation::from(Family::Identity);
    let family = correlation.map_or(identity.clone(), |c| c.family.clone().into());
    let levels_of = |kernel: &Kernel| -> Result<Levels> {
        Ok(if mean { kernel.centred_levels()? } else { kernel.levels().clone() })
    };
    let own = match kernel {
        Some(kernel) => levels_of(kernel)?,
        None => levels_of(&identity.kernel(n)?)?,
    };
    let g = &decomposition.g;
    let whole = decomposition.whole;
    let (high, low) = (100.0 * g.iter().sum::<f64>(), 1e-3 * g[g.len() - 1]);
    let step = (low / high).ln() / (RIDGES as f64 - 1.0);
    let mut lambdas: Vec<f64> = (0..RIDGES).map(|k| high * (step * k as f64).exp()).collect();
    lambdas.push(0.0);
    let steps = Shrinkage::path(decomposition, n, data.dimension(), &lambdas, Some(&own))?;
    let b = decomposition.b.col_as_slice(target);
    let rest = decomposition.rest[target];
    let (mut seen, mut shown) = (Vec::with_capacity(steps.len()), Vec::new());
    for step in &steps {
        let Some(c) = step.correlated else { continue };
        let squares: f64 = step.d.iter().zip(b).map(|(d, b)| (d * b).powi(2)).sum();
        // α̃ = κ̃ Tr KG̃²/df̃₁; s = T′/(κ̃ Tr KG̃²).
        let tilde = c.kappa_tilde * c.resolvent / step.df1;
        let s = step.slope / (c.kappa_tilde_units * c.resolvent);
        let alpha = s * tilde / (1.0 - s * (1.0 - tilde));
        // 1 − γ = α + α̃ − αα̃; a tie of rounding at λ = 0 has none of it left.
        let alpha = if whole && step.lambda == 0.0 { continue } else { alpha };
        let one_minus_gamma = alpha + tilde - alpha * tilde;
        if !(alpha >= 0.0 && one_minus_gamma > 0.0) {
            continue;
        }
        shown.push(step);
        seen.push(Seen {
            kappa: c.kappa,
            df1: step.df1,
            df2: step.df1 * (1.0 - alpha),
            squares: squares + rest,
            per_square: 1.0 / (n as f64 * c.phi),
            room: one_minus_gamma,
        });
    }
    let own_error = |at: &Seen| at.squares * at.per_square;
    let by_error =
        |(_, a): &(usize, &Seen), (_, b): &(usize, &Seen)| own_error(a).total_cmp(&own_error(b));
    let Some((own_best, _)) = seen.iter().enumerate().min_by(by_error) else {
        return Err(Error::OutOfRange {
            what: "rows",
            value: n as f64,
            remedy: "too few rows for a learning curve",
        });
    };
    let replicates = Replicates::new(data, decomposition, &shown, shown[own_best], kernel, target)?;
    let mut out = Vec::with_capacity(sizes.len());
    for &rows in sizes {
        if rows < 2 {
            return Err(Error::OutOfRange {
                what: "sizes",
                value: rows as f64,
                remedy: "a learning curve starts at two rows",
            });
        }
        let levels = levels_of(&family.kernel(rows)?)?;
        let mut best: Option<Candidate> = None;
        let mut last_room = 1.0;
        let mut hint = None;
        // The error over |r|² at every κ; infinite where it is out of reach.
        let mut scale = vec![f64::INFINITY; seen.len()];
        for (k, at) in seen.iter().enumerate() {
            let complement = levels.rank() - at.df1;
            if complement <= 0.0 {
                // λ′ would be negative.
                last_room = 0.0;
                continue;
            }
            let kappa_tilde = levels.kappa(at.df1, complement, hint)?;
            hint = Some(kappa_tilde);
            let df2 = at.df1 - kappa_tilde * levels.resolvent(kappa_tilde);
            let gamma = at.df2 * df2 / (at.df1 * at.df1);
            let room = (1.0 - gamma).max(0.0);
            last_room = room;
            if room == 0.0 {
                continue;
            }
            scale[k] = at.per_square * at.room * levels.mean_factor(kappa_tilde) / room;
            let error = at.squares * scale[k];
            let lambda = at.kappa * kappa_tilde * at.df1 / rows as f64;
            if best.as_ref().is_none_or(|b| error < b.error) {
                best = Some(Candidate { error, lambda, room, at: k });
            }
        }
        let Some(best) = best else {
            return Err(Error::OutOfRange {
                what: "sizes",
                value: rows as f64,
                remedy: "so few rows are outside what this data set determines",
            });
        };
        let spread = replicates.spread(&scale, best.at);
        let growth = best.room / last_room;
        out.push(LearningPoint {
            rows,
            error: best.error,
            band: spread.band(best.error),
            lambda: best.lambda,
            supported: !whole || growth > 1.0 + 2.0 * spread.relative_error,
        });
    }
    Ok(out)
}

struct Candidate {
    error: f64,
    lambda: f64,
    /// 1 − γ′.
    room: f64,
    /// Position among the ridges seen.
    at: usize,
}
