//! The answer for programs: JSON and CSV.

use super::estimate::{Measure, TargetFit, Trial};
use super::show::{mean, reason};
use super::{Answer, correlation};
use crate::arrays;
use crate::failure::Result;
use crate::files;
use rmt_estimators::Criterion;
use serde_json::{Map, Value as Json, json};

impl Answer<'_> {
    /// Everything, for programs.
    pub(super) fn json(&self) -> Json {
        let fit = &self.fit;
        let targets: Vec<Json> =
            fit.targets.iter().enumerate().map(|(t, f)| self.target_json(t, f)).collect();
        let features: Vec<String> = self.data.features.iter().map(ToString::to_string).collect();
        let trials: Vec<Json> = self.trials.iter().map(|t| self.trial_json(t)).collect();
        let learning: Vec<Json> = fit
            .learning
            .iter()
            .map(|p| {
                json!({"rows": p.rows, "error": p.error, "band": p.band, "lambda": p.lambda,
                       "supported": p.supported})
            })
            .collect();
        let diagnoses: Vec<Json> = fit
            .diagnoses
            .iter()
            .map(|d| {
                let contrast = |c: &rmt_estimators::Contrast| {
                    json!({"observed": c.observed, "expected": c.expected, "z": c.z})
                };
                json!({"neighbours": contrast(&d.neighbours),
                       "whitened": d.whitened.as_ref().map(contrast),
                       "second_half": contrast(&d.second_half),
                       "supports_corr_gcv": d.supports_corr_gcv()})
            })
            .collect();
        json!({
            "rows": fit.rows,
            "features": features,
            "correlation": fit.correlated.as_ref().map(|c| correlation::text(c, "rows")),
            "chosen_by": fit.judge(),
            "cross_validation": fit.folds.iter().map(|(_, how)| how).collect::<Vec<_>>(),
            "targets": targets,
            "path": {"lambdas": fit.path.lambdas, "df1": fit.path.df1, "kappa": fit.path.kappa},
            "learning_curve": learning,
            "diagnoses": diagnoses,
            "corr_gcv_doubted": fit.doubt.map(reason),
            "holdout": trials,
            "notes": fit.path.notes,
            "verdict": self.verdict(),
        })
    }

    fn trial_json(&self, trial: &Trial) -> Json {
        let targets = trial.fit.targets.iter().zip(&trial.realised).map(|(t, realised)| {
            let mut record = estimates_json(t);
            record.insert("realised".into(), json!(realised));
            record.insert("promised".into(), json!(t.promised()));
            (t.name.clone(), Json::Object(record))
        });
        let targets: Map<String, Json> = targets.collect();
        json!({
            "train_rows": trial.train_rows,
            "test_rows": trial.test_rows,
            "correlation": trial.fit.correlated.as_ref().map(|c| correlation::text(c, "rows")),
            "chosen_by": trial.fit.judge(),
            "targets": targets,
        })
    }

    fn target_json(&self, index: usize, target: &TargetFit) -> Json {
        let mut record = Map::new();
        record.insert("target".into(), json!(target.name));
        record.extend(estimates_json(target));
        record.insert("promised".into(), json!(target.promised()));
        record.insert("glmnet_lambda".into(), json!(target.glmnet_lambda));
        record.insert("alpha".into(), json!(target.lambda * self.fit.rows as f64));
        record.insert("df1".into(), json!(self.fit.path.df1[target.index]));
        record.insert("variance".into(), json!(target.variance));
        if let Some(edge) = target.edge {
            record.insert("at_edge_of_grid".into(), json!(format!("{edge:?}").to_lowercase()));
        }
        if self.fit.targets.len() == 1 {
            record.insert("intercept".into(), json!(target.intercept));
            record.insert("coefficients".into(), json!(target.coefficients));
            let bands = target.estimates.iter();
            let bands = bands.filter_map(|e| e.band.map(|b| (key(e.measure).to_owned(), json!(b))));
            record.insert("bands".into(), Json::Object(bands.collect()));
            let mut path = Map::new();
            let train = &self.fit.path.targets[index].train_error;
            path.insert("train_error".into(), json!(train));
            for e in &target.estimates {
                if let Some(values) = self.fit.along(e.measure, index) {
                    path.insert(key(e.measure).into(), json!(values));
                }
            }
            record.insert("along_path".into(), Json::Object(path));
        }
        Json::Object(record)
    }

    /// One row a target.
    pub(super) fn csv(&self) -> Result<String> {
        let (names, records) = self.records();
        let mut rows = vec![[vec!["target".to_owned()], names].concat()];
        for (t, record) in self.fit.targets.iter().zip(records) {
            let cells = record.into_iter().map(files::cell).collect();
            rows.push([vec![t.name.clone()], cells].concat());
        }
        files::csv(&rows)
    }

    /// The same numbers as a NumPy array with a record a target, in their order.
    pub(super) fn npy(&self) -> Vec<u8> {
        let (names, records) = self.records();
        arrays::write_records(&names, &records)
    }

    /// Names and numbers of a row for each target.
    fn records(&self) -> (Vec<String>, Vec<Vec<f64>>) {
        let first = &self.fit.targets[0];
        let mut names = ["lambda", "df1", "variance", "train_error"].map(String::from).to_vec();
        names.extend(first.estimates.iter().map(|e| key(e.measure).to_owned()));
        if !self.trials.is_empty() {
            names.push("realised".into());
        }
        let records = self.fit.targets.iter().enumerate().map(|(index, t)| {
            let mut record = vec![t.lambda, self.fit.path.df1[t.index], t.variance, t.train_error];
            record.extend(t.estimates.iter().map(|e| e.error));
            if !self.trials.is_empty() {
                let realised: Vec<f64> = self.trials.iter().map(|t| t.realised[index]).collect();
                record.push(mean(&realised));
            }
            record
        });
        (names, records.collect())
    }
}

fn estimates_json(target: &TargetFit) -> Map<String, Json> {
    let mut record = Map::new();
    record.insert("lambda".into(), json!(target.lambda));
    record.insert("train_error".into(), json!(target.train_error));
    for e in &target.estimates {
        record.insert(key(e.measure).into(), json!(e.error));
    }
    if let Some(error) = target.horizon_error {
        record.insert("correlated_test_error".into(), json!(error));
    }
    record
}

/// Name of a measure in files.
fn key(measure: Measure) -> &'static str {
    match measure {
        Measure::Criterion(Criterion::Gcv) => "gcv1",
        Measure::Criterion(Criterion::Loo) => "loo",
        Measure::Criterion(Criterion::Gcv2) => "gcv2",
        Measure::Criterion(Criterion::CorrGcv) => "corr_gcv",
        Measure::Criterion(Criterion::WhitenedCorrGcv) => "whitened_corr_gcv",
        Measure::Criterion(Criterion::Folds(0)) => "cross_validation",
        Measure::Criterion(Criterion::Folds(_)) => "cross_validation_2",
        Measure::Criterion(_) => "other",
        Measure::TwoComponents => "two_component",
    }
}
