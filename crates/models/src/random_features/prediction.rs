//! From a solution of the chain to every observable, in sums of positive terms.

use super::FeatureRegression;
use super::setting::Rows;
use super::sums::{MetricSums, Sums};
use rmt_core::{Diagnostics, Solution};

/// What the deterministic equivalent says at one λ. Risks exclude the test noise; all numbers are ≥ 0
/// and `f64::INFINITY` where they diverge.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Ridge λ.
    pub lambda: f64,
    /// κ₂, the ridge that the population modes see (after the gain of a first activation).
    pub kappa2: f64,
    /// κ₁, the ridge at fixed features and infinite data.
    pub kappa1: f64,
    /// The ridge after each layer; the last one is κ₁.
    pub kappa_chain: Vec<f64>,
    /// D, degrees of freedom of the smoother (tails of nonlinear layers included).
    pub df1: f64,
    /// e = Σ s²/(s+κ)² of the linear part.
    pub df2: f64,
    /// Υ = ρ(D + D′): the share of the error that comes from fitting the error itself.
    pub upsilon: f64,
    /// Squared bias of the predictor averaged over everything.
    pub bias: f64,
    /// Variance over the data alone.
    pub variance_data: f64,
    /// Variance over the features alone.
    pub variance_features: f64,
    /// Interaction of data and features.
    pub variance_data_features: f64,
    /// Interaction of data and noise.
    pub variance_data_noise: f64,
    /// Interaction of data, features and noise.
    pub variance_data_features_noise: f64,
    /// Excess risk E‖Σ^½(ŵ − w)‖², the sum of the six parts.
    pub risk: f64,
    /// Risk of the noise-free estimator.
    pub risk_bias: f64,
    /// Risk that the noise adds.
    pub risk_variance: f64,
    /// E_g = risk + σ².
    pub prediction_error: f64,
    /// (1/n)‖y − Φâ‖².
    pub train_error: f64,
    /// Value of generalised cross-validation, train error/(1 − D/n)², with its limit at λ = 0.
    pub gcv: f64,
    /// Value of CorrGCV, train error·n/(κ̃(D − df̃₂)); equals E_g when the noise is as correlated as
    /// the samples.
    pub corr_gcv: f64,
    /// ‖â‖².
    pub norm: f64,
    /// ‖â‖² of the noise-free estimator.
    pub norm_bias: f64,
    /// What the noise adds to ‖â‖².
    pub norm_variance: f64,
    /// Tr S² of the smoother; infinite for infinite data.
    pub smoother_frobenius: f64,
    /// n E‖weights of the smoother at a fresh point‖² = nΥ/(1−Υ), independent samples.
    pub smoother_test_df: f64,
    /// (ŵ − w)ᵀM(ŵ − w) in the test metric, if one was given.
    pub test_risk: Option<f64>,
    /// ŵᵀMŵ in the test metric, if one was given.
    pub test_size: Option<f64>,
    /// How the solve went.
    pub diagnostics: Diagnostics,
}

impl Prediction {
    /// Risk of the average of data_sets × maps predictors, one for each pair of a data set and a
    /// feature map (independent each; infinity for a full average).
    pub fn ensemble(&self, data_sets: f64, maps: f64) -> f64 {
        self.bias
            + self.variance_features / maps
            + (self.variance_data + self.variance_data_noise) / data_sets
            + (self.variance_data_features + self.variance_data_features_noise) / (data_sets * maps)
    }

    /// The quantities that diverge, under their contract names.
    pub fn divergent(&self) -> Vec<&'static str> {
        [
            ("variance_data", self.variance_data),
            ("variance_data_features", self.variance_data_features),
            ("variance_data_noise", self.variance_data_noise),
            ("variance_data_features_noise", self.variance_data_features_noise),
            ("risk", self.risk),
            ("norm", self.norm),
        ]
        .into_iter()
        .filter_map(|(name, x)| x.is_infinite().then_some(name))
        .collect()
    }
}

/// a/b with 0/0 = 0 and a/0 = ∞.
fn quotient(a: f64, b: f64) -> f64 {
    if a == 0.0 {
        0.0
    } else if b == 0.0 {
        f64::INFINITY
    } else {
        a / b
    }
}

/// What the samples make of the chain: λ = Kφ(D) and its second order.
struct Sampling {
    /// φ.
    phi: f64,
    /// 1 − df̃₂/D.
    decay: f64,
    /// df̃₂/D².
    rho: f64,
    /// df̃₂′/D², with the noise correlation in one place of K.
    noise_rho: f64,
    /// κ̃.
    inner: f64,
}

impl FeatureRegression {
    fn sampling(&self, solution: &Solution<f64>, dof: f64) -> Sampling {
        let Some(n) = self.n else {
            return Sampling { phi: 1.0, decay: 1.0, rho: 0.0, noise_rho: 0.0, inner: 0.0 };
        };
        let phi = solution.seen[self.feature_stages + 1].step.a;
        let Some(Rows { kernel, mismatch }) = &self.rows else {
            return Sampling { phi, decay: phi, rho: 1.0 / n, noise_rho: 1.0 / n, inner: 0.0 };
        };
        let inner = phi * n / dof;
        let rho = kernel.levels().df2(inner) / (dof * dof);
        let noise_rho = match mismatch {
            None => rho,
            Some(pairs) => {
                let sum: f64 = pairs
                    .iter()
                    .filter(|(k, _)| *k > 0.0)
                    .map(|(k, noise)| k * noise / ((k + inner) * (k + inner)))
                    .sum();
                sum / (dof * dof)
            }
        };
        Sampling { phi, decay: solution.sample_decay(), rho, noise_rho, inner }
    }

    pub(super) fn read(&self, solution: &Solution<f64>) -> Prediction {
        let seen = &solution.seen;
        let population = self.chain.spectrum();
        let kappa = solution.kappa();
        let outer = &seen[self.feature_stages];
        let dof = outer.dof.a;
        let sums = Sums::at(population, kappa);
        let noise = self.noise_variance;

        // dK/dκ = K/κ + κ(K/κ)′, and g = dlnκ/dlnK with its complement.
        let slope = outer.ratio.a + kappa * outer.ratio.ab;
        let (g, complement) = if outer.ratio.a > 0.0 {
            (outer.ratio.a / slope, kappa * outer.ratio.ab / slope)
        } else if kappa > 0.0 {
            (0.0, 1.0)
        } else {
            // κ → 0 with t widths equal to the rank: K ∝ κ^(1+t).
            let ties = seen[1..=self.feature_stages].iter().filter(|s| s.step.a == 0.0).count();
            let g = 1.0 / (1.0 + ties as f64);
            (g, 1.0 - g)
        };

        // D − e, −D′ and D + D′ − e, each with the tails of nonlinear layers.
        let mut above = kappa * sums.slope;
        let mut interaction = complement * above;
        for tail in self.tails.iter().filter(|t| t.mass > 0.0) {
            let share = tail.mass / seen[tail.stage].ridge().a;
            let later: f64 = seen[tail.stage + 1..=self.feature_stages]
                .iter()
                .map(|s| kappa * s.step.ab / s.step.a)
                .sum();
            above += share;
            interaction += share * if outer.ratio.a > 0.0 { g * later } else { 1.0 };
        }
        let alpha = g * kappa * -outer.dof.ab / dof;
        let alpha_mean = above / dof;
        let Sampling { phi, decay, rho, noise_rho, inner } = self.sampling(solution, dof);
        let infinite_data = self.n.is_none();
        let (room, room_mean) = if infinite_data {
            (1.0, 1.0)
        } else {
            (alpha + decay - alpha * decay, alpha_mean + decay - alpha_mean * decay)
        };

        let bias = sums.missed + self.outside;
        let variance_features = complement * sums.kt3;
        // λ = 0 with n = rank: 1 − Υ and the noise-free numerator vanish together.
        let rank_tie = kappa == 0.0 && room == 0.0;
        let (risk_bias, variance_data_features) = if rank_tie {
            let limit = complement * sums.t3 * dof / ((1.0 + g) * sums.slope);
            if self.outside > 0.0 {
                (f64::INFINITY, if g < 1.0 { f64::INFINITY } else { 0.0 })
            } else {
                (limit, limit)
            }
        } else {
            let through_data = quotient(bias * rho * interaction, room * room_mean);
            let through_features =
                quotient(variance_features * rho * (sums.df2 + interaction), room);
            (quotient(bias + variance_features, room), through_data + through_features)
        };
        let variance_data = quotient(bias * rho * sums.df2, room_mean);
        let variance_data_noise = quotient(noise * noise_rho * sums.df2, room_mean);
        let variance_data_features_noise = if rank_tie {
            if noise > 0.0 && g < 1.0 { f64::INFINITY } else { 0.0 }
        } else {
            quotient(noise * noise_rho * interaction, room * room_mean)
        };
        let risk_variance = quotient(noise * noise_rho * (sums.df2 + interaction), room);
        let risk = risk_bias + risk_variance;

        let error_level = rho * risk + noise_rho * noise;
        let rise = -outer.dof.ab;
        let norm_bias = quotient(sums.t3 + rise * rho * risk_bias, slope);
        let norm_variance = quotient(rise * (rho * risk_variance + noise_rho * noise), slope);

        let prediction_error = risk + noise;
        let (train_error, gcv, corr_gcv) = self.in_sample(risk, phi, inner);
        let smoother_frobenius = if infinite_data {
            f64::INFINITY
        } else {
            dof * quotient(alpha * (1.0 - decay) + decay * (1.0 - alpha), room)
                .max(if room == 0.0 { 1.0 } else { 0.0 })
        };
        let smoother_test_df =
            self.n.map_or(f64::INFINITY, |n| n * quotient(rho * (sums.df2 + interaction), room));
        let (mut test_risk, mut test_size) = (None, None);
        if population.has_metric() {
            let metric = MetricSums::at(population, kappa);
            // (1−g)/(df1−df2) times κ²Σ t/(s+κ)².
            let spread = if metric.open == 0.0 {
                0.0
            } else if outer.ratio.a > 0.0 {
                metric.open * outer.ratio.ab / (slope * sums.slope)
            } else {
                quotient(metric.open, kappa * sums.slope)
            };
            let fluctuation = if spread > 0.0 {
                spread * (sums.t3 + sums.slope * error_level) + error_level * metric.slope
            } else {
                error_level * metric.slope
            };
            test_risk = Some(metric.missed + fluctuation);
            test_size = Some(metric.kept + fluctuation);
        }
        let ridge_of = |stage: usize| seen[stage].ridge().a;
        Prediction {
            lambda: solution.lambda,
            kappa2: self.tails.first().map_or(kappa, |t| ridge_of(t.stage)),
            kappa1: ridge_of(self.feature_stages),
            kappa_chain: self.layer_ends.iter().map(|s| ridge_of(*s)).collect(),
            df1: dof,
            df2: sums.df2,
            upsilon: rho * (sums.df2 + interaction),
            bias,
            variance_data,
            variance_features,
            variance_data_features,
            variance_data_noise,
            variance_data_features_noise,
            risk,
            risk_bias,
            risk_variance,
            prediction_error,
            train_error,
            gcv,
            corr_gcv,
            norm: norm_bias + norm_variance,
            norm_bias,
            norm_variance,
            smoother_frobenius,
            smoother_test_df,
            test_risk,
            test_size,
            diagnostics: solution.diagnostics,
        }
    }

    /// Training error, GCV and CorrGCV from E[r rᵀ] ≃ κ̃²G̃(risk·K + σ²K′)G̃.
    fn in_sample(&self, risk: f64, phi: f64, inner: f64) -> (f64, f64, f64) {
        let error = risk + self.noise_variance;
        let (Some(n), Some(Rows { kernel, mismatch })) = (self.n, &self.rows) else {
            let train = if phi == 0.0 { 0.0 } else { phi * phi * error };
            return (if self.n.is_none() { error } else { train }, error, error);
        };
        let levels = kernel.levels();
        // Everything over κ̃², which has a limit at κ̃ = 0 where K is not singular.
        let squares = |k: f64, noise: f64| {
            let level = risk * k + self.noise_variance * noise;
            quotient(level, (k + inner) * (k + inner))
        };
        let scaled: f64 = match mismatch {
            None => {
                levels.values().iter().zip(levels.counts()).map(|(k, m)| m * squares(*k, *k)).sum()
            }
            Some(pairs) => pairs.iter().map(|(k, noise)| squares(*k, *noise)).sum(),
        };
        let train = if inner > 0.0 {
            inner * inner * scaled / n
        } else {
            // Only rows without input keep a residual.
            let free: f64 =
                mismatch.iter().flatten().filter(|(k, _)| *k == 0.0).map(|(_, x)| x).sum();
            self.noise_variance * free / n
        };
        let open: f64 =
            levels.values().iter().zip(levels.counts()).map(|(k, m)| m / (k + inner)).sum();
        let matched: f64 = levels
            .values()
            .iter()
            .zip(levels.counts())
            .map(|(k, m)| m * k / ((k + inner) * (k + inner)))
            .sum();
        let corr_gcv = if scaled.is_finite() { scaled / matched } else { f64::INFINITY };
        let gcv = if levels.nullity() > 0.0 {
            train / ((inner * open + levels.nullity()) / n).powi(2)
        } else if scaled.is_finite() {
            scaled * n / (open * open)
        } else {
            f64::INFINITY
        };
        (train, gcv, corr_gcv)
    }
}
