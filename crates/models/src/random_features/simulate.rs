//! Finite-size experiment: B data sets × E feature maps, each pair fitted with two noise vectors, so
//! that every part of the variance decomposition has an unbiased estimate from one draw.
//!
//! With Δ the error vector of a predictor, ⟨Δ, Δ′⟩ over pairs that share the data, the features, both
//! or neither has the expectations bias², + V_X, + V_F, …; the parts are their differences.

use super::Setting;
use super::world::{Map, World};
use crate::Result;
use crate::kernel::Kernel;
use crate::simulate::{Gaussian, SampleRidge};
use faer::Mat;
use rmt_task::{Draw, Observables};

/// Test points of nonlinear features (linear ones are scored exactly).
const TEST_POINTS: usize = 2000;

/// The outcome of one draw.
pub(crate) struct Experiment {
    /// Error vectors of the predictors, by data set, map and noise.
    errors: Vec<Vec<[Vec<f64>; 2]>>,
    /// Energy that is exactly orthogonal to every error vector.
    offset: f64,
    train_error: f64,
    gcv: f64,
    /// CorrGCV with the degrees of freedom of the smoother, where κ̃ > 0.
    corr_gcv: Option<f64>,
    norm: f64,
    df1: f64,
    metric: Option<(f64, f64)>,
}

impl Experiment {
    /// `sizes` = (data sets, feature maps), both at least 2.
    pub(crate) fn run(
        setting: &Setting,
        lambda: f64,
        sizes: (usize, usize),
        draw: Draw,
    ) -> Result<Self> {
        let world = World::new(setting)?;
        let mut random = Gaussian::new(draw);
        let linear = world.is_linear();
        let test = if linear { None } else { Some(world.data(&mut random, TEST_POINTS)?) };
        let maps: Vec<Map> = (0..sizes.1).map(|_| world.map(&mut random)).collect();
        let tested: Vec<Mat<f64>> =
            test.iter().flat_map(|t| maps.iter().map(|m| world.features(m, &t.x))).collect();
        let pairs = (sizes.0 * sizes.1 * 2) as f64;
        let mut out = Self {
            errors: Vec::new(),
            offset: if linear { world.outside } else { 0.0 },
            train_error: 0.0,
            gcv: 0.0,
            corr_gcv: world.correlation().map(|_| 0.0),
            norm: 0.0,
            df1: 0.0,
            metric: world.metric.as_ref().map(|_| (0.0, 0.0)),
        };
        for _ in 0..sizes.0 {
            let data = world.data(&mut random, world.n)?;
            let targets: Vec<Vec<f64>> = (0..2)
                .map(|_| {
                    let noise = world.noise(&mut random)?;
                    Ok(data.clean.iter().zip(noise).map(|(f, e)| f + e).collect())
                })
                .collect::<Result<_>>()?;
            let mut row = Vec::new();
            for (index, map) in maps.iter().enumerate() {
                let fit = SampleRidge::new(world.features(map, &data.x).as_ref())?;
                let dof = fit.dof(lambda);
                out.df1 += 2.0 * dof / pairs;
                let correction = world.correlation().and_then(|kernel| correction(kernel, dof));
                let pair: Vec<Vec<f64>> = targets
                    .iter()
                    .map(|y| {
                        let a = fit.coefficients(y, lambda);
                        let residuals = fit.residuals(y, lambda);
                        let train = squares(&residuals) / world.n as f64;
                        out.train_error += train / pairs;
                        out.corr_gcv =
                            out.corr_gcv.zip(correction).map(|(sum, c)| sum + train * c / pairs);
                        out.gcv += fit.cross_validation(y, lambda).0 / pairs;
                        out.norm += squares(&a) / pairs;
                        match (&test, tested.get(index)) {
                            (Some(test), Some(features)) => {
                                let scale = 1.0 / (TEST_POINTS as f64).sqrt();
                                (0..TEST_POINTS)
                                    .map(|i| {
                                        let fitted: f64 =
                                            (0..a.len()).map(|j| features[(i, j)] * a[j]).sum();
                                        (fitted - test.clean[i]) * scale
                                    })
                                    .collect()
                            }
                            _ => {
                                let w = world.weights(map, &a);
                                if let (Some(sums), Some(metric)) = (&mut out.metric, &world.metric)
                                {
                                    for ((w, t), m) in w.iter().zip(&world.target).zip(metric) {
                                        sums.0 += m * (w - t) * (w - t) / pairs;
                                        sums.1 += m * w * w / pairs;
                                    }
                                }
                                w.iter()
                                    .zip(&world.target)
                                    .zip(&world.root)
                                    .map(|((w, t), s)| s * (w - t))
                                    .collect()
                            }
                        }
                    })
                    .collect();
                let [first, second] = <[Vec<f64>; 2]>::try_from(pair).unwrap_or_default();
                row.push([first, second]);
            }
            out.errors.push(row);
        }
        Ok(out)
    }

    /// Mean of ⟨Δ, Δ′⟩ over the ordered pairs of predictors that share the data set (`data`), the map
    /// (`map`) and the noise (`noise`), or do not.
    fn overlap(&self, data: bool, map: bool, noise: bool) -> f64 {
        let (mut total, mut count) = (0.0, 0.0);
        let (b, e) = (self.errors.len(), self.errors[0].len());
        for first in 0..b * e * 2 {
            for second in 0..b * e * 2 {
                let at = |i: usize| (i / (2 * e), i / 2 % e, i % 2);
                let (x, y) = (at(first), at(second));
                // Noise vectors of different data sets are never shared.
                let same_noise = x.0 == y.0 && x.2 == y.2;
                if (x.0 == y.0) == data && (x.1 == y.1) == map && same_noise == noise {
                    total += dot(&self.errors[x.0][x.1][x.2], &self.errors[y.0][y.1][y.2]);
                    count += 1.0;
                }
            }
        }
        total / count + self.offset
    }

    /// Risk of the average of the first `data_sets` × `maps` predictors with the first noise.
    pub(crate) fn ensemble(&self, data_sets: usize, maps: usize) -> f64 {
        let mut mean = vec![0.0; self.errors[0][0][0].len()];
        let scale = 1.0 / (data_sets * maps) as f64;
        for row in &self.errors[..data_sets] {
            for pair in &row[..maps] {
                for (m, x) in mean.iter_mut().zip(&pair[0]) {
                    *m += scale * x;
                }
            }
        }
        squares(&mean) + self.offset
    }

    pub(crate) fn observe(&self, out: &mut Observables) {
        let risk = self.overlap(true, true, true);
        let bias = self.overlap(false, false, false);
        let data = self.overlap(true, false, false);
        let features = self.overlap(false, true, false);
        let both = self.overlap(true, true, false);
        let data_noise = self.overlap(true, false, true);
        out.set("risk", risk);
        out.set("bias", bias);
        out.set("variance_data", data - bias);
        out.set("variance_features", features - bias);
        out.set("variance_data_features", both - data - features + bias);
        out.set("variance_data_noise", data_noise - data);
        out.set("variance_data_features_noise", risk - both - data_noise + data);
        out.set("train_error", self.train_error);
        out.set("gcv", self.gcv);
        if let Some(corr_gcv) = self.corr_gcv {
            out.set("corr_gcv", corr_gcv);
        }
        out.set("norm", self.norm);
        out.set("df1", self.df1);
        if let Some((risk, size)) = self.metric {
            out.set("test_risk", risk);
            out.set("test_size", size);
        }
    }

    /// Risk of one predictor, averaged over the draw's design.
    pub(crate) fn risk(&self) -> f64 {
        self.overlap(true, true, true)
    }

    /// ‖â‖², averaged likewise.
    pub(crate) fn norm(&self) -> f64 {
        self.norm
    }
}

/// n/(κ̃(D − df̃₂)) with κ̃(D) and n = Tr K: CorrGCV over the training error.
fn correction(kernel: &Kernel, dof: f64) -> Option<f64> {
    let levels = kernel.levels();
    let inner = levels.kappa(dof, levels.rank() - dof, None).ok().filter(|inner| *inner > 0.0)?;
    Some(levels.trace() / (inner * levels.df1_minus_df2(inner)))
}

fn squares(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
