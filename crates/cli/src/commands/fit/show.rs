use super::estimate::{Doubt, Estimate, Measure, TargetFit, Trial};
use super::{Answer, correlation};
use crate::output::{number, table};
use rmt_estimators::{Criterion, Edge};

/// A ratio of errors from which the verdict speaks of it.
const NOTABLE: f64 = 1.2;

const GCV: Measure = Measure::Criterion(Criterion::Gcv);
const CORR_GCV: Measure = Measure::Criterion(Criterion::CorrGcv);

impl Answer<'_> {
    /// The answer for the screen: what was fitted, the errors side by side, one sentence.
    pub(super) fn text(&self) -> String {
        let mut text = self.heading();
        text += &match self.fit.targets.as_slice() {
            [target] => self.errors(target),
            _ => self.many(),
        };
        if !self.args.learning_curve.is_empty() {
            text += &self.learning_table();
        }
        if self.args.verbose {
            text += &self.details();
        }
        text + "\n" + &self.verdict() + "\n"
    }

    fn heading(&self) -> String {
        let fit = &self.fit;
        let names = match fit.targets.as_slice() {
            [target] => target.name.clone(),
            targets => format!("{} targets", targets.len()),
        };
        let unit = match &self.args.columns.time {
            Some(column) => format!("units of {column}"),
            None => "rows".into(),
        };
        let rows = match &fit.correlated {
            Some(correlated) => correlation::text(correlated, &unit),
            None => "taken as independent".into(),
        };
        let first = &fit.targets[0];
        let ridge = if self.args.own_lambda && fit.targets.len() > 1 {
            let least = fit.targets.iter().map(|t| t.lambda).fold(f64::INFINITY, f64::min);
            let most = fit.targets.iter().map(|t| t.lambda).fold(0.0, f64::max);
            format!("a ridge each, λ from {} to {}", number(least, 3), number(most, 3))
        } else {
            format!(
                "λ = {} (scikit-learn alpha {}), {} degrees of freedom",
                number(first.lambda, 3),
                number(first.lambda * fit.rows as f64, 3),
                number(fit.path.df1[first.index], 3)
            )
        };
        format!(
            "{} rows × {} features → {names}; rows {rows}\n{ridge}, chosen by {}\n\n",
            fit.rows,
            fit.features,
            fit.judge()
        )
    }

    /// Training, criteria and realised errors of one target, a row each.
    fn errors(&self, target: &TargetFit) -> String {
        let r2 = |error: f64| number(1.0 - error / target.variance, 2);
        let mut rows = vec![vec![
            "training".to_owned(),
            number(target.train_error, 3),
            String::new(),
            r2(target.train_error),
            self.held_out(&|t| Some(t.fit.targets[0].train_error)),
        ]];
        for e in target.estimates.iter().filter(|e| self.shown(e)) {
            let band = e.band.map(|(a, b)| format!("{} to {}", number(a, 2), number(b, 2)));
            rows.push(vec![
                self.fit.name(e.measure).into(),
                number(e.error, 3),
                band.unwrap_or_default(),
                r2(e.error),
                self.held_out(&|t| t.fit.targets[0].estimate(e.measure)),
            ]);
        }
        if let (Some(error), Some(steps)) = (target.horizon_error, self.args.horizon) {
            rows.push(vec![
                format!("CorrGCV, {steps} ahead"),
                number(error, 3),
                String::new(),
                r2(error),
                self.held_out(&|t| t.fit.targets[0].horizon_error),
            ]);
        }
        let header = ["mean squared error", "all rows", "95 % band", "R²", &self.trial_header()];
        if self.trials.is_empty() {
            rows.iter_mut().for_each(|row| row.truncate(4));
            return table(&header[..4], &rows);
        }
        let mut realised = vec!["realised".to_owned()];
        realised.resize(4, String::new());
        realised.push(self.held_out(&|t| t.realised.first().copied()));
        rows.push(realised);
        table(&header, &rows)
    }

    /// GCV₂ is an upper bound for the curious, the whitened variant a check; the two components
    /// matter where CorrGCV does not hold.
    fn shown(&self, estimate: &Estimate) -> bool {
        match estimate.measure {
            Measure::Criterion(Criterion::Gcv2 | Criterion::WhitenedCorrGcv) => self.args.verbose,
            Measure::TwoComponents => self.args.verbose || self.fit.doubt.is_some(),
            _ => true,
        }
    }

    fn trial_header(&self) -> String {
        match self.trials.as_slice() {
            [] => String::new(),
            [trial] => format!("fit on {}, test on {}", trial.train_rows, trial.test_rows),
            [first, ..] => {
                format!("{} windows of {}: mean (median)", self.trials.len(), first.train_rows)
            }
        }
    }

    /// A figure of the held-out fits: as it is for one, mean and median for windows.
    fn held_out(&self, figure: &dyn Fn(&Trial) -> Option<f64>) -> String {
        let values: Vec<f64> = self.trials.iter().filter_map(figure).collect();
        // A measure that only some windows have (their rows look independent) has no mean.
        match values.as_slice() {
            _ if values.len() < self.trials.len() => String::new(),
            [] => String::new(),
            [one] => number(*one, 3),
            many => format!("{} ({})", number(mean(many), 3), number(median(many), 3)),
        }
    }

    /// Quantiles over the targets of R² by each criterion.
    fn many(&self) -> String {
        let targets = &self.fit.targets;
        let mut rows = Vec::new();
        let mut add = |name: &str, errors: Vec<f64>| {
            let mut r2: Vec<f64> =
                errors.iter().zip(targets).map(|(e, t)| 1.0 - e / t.variance).collect();
            r2.sort_by(f64::total_cmp);
            let at = |f: f64| r2[((r2.len() - 1) as f64 * f).round() as usize];
            let positive = r2.iter().filter(|x| **x > 0.0).count();
            let mut row = vec![name.to_owned(), number(mean(&r2), 3)];
            row.extend([0.1, 0.5, 0.9].map(|f| number(at(f), 3)));
            row.push(format!("{positive} of {}", r2.len()));
            rows.push(row);
        };
        add("training", targets.iter().map(|t| t.train_error).collect());
        for e in targets[0].estimates.iter().filter(|e| self.shown(e)) {
            let errors: Option<Vec<f64>> = targets.iter().map(|t| t.estimate(e.measure)).collect();
            if let Some(errors) = errors {
                add(self.fit.name(e.measure), errors);
            }
        }
        if !self.trials.is_empty() {
            let over = |t: usize| {
                mean(&self.trials.iter().map(|trial| trial.realised[t]).collect::<Vec<_>>())
            };
            add("realised", (0..targets.len()).map(over).collect());
        }
        table(&["R² over targets", "mean", "10 %", "median", "90 %", "above 0"], &rows)
    }

    fn learning_table(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .fit
            .learning
            .iter()
            .map(|p| {
                vec![
                    p.rows.to_string(),
                    number(p.error, 3),
                    format!("{} to {}", number(p.band.0, 3), number(p.band.1, 3)),
                    number(p.lambda, 3),
                    if p.supported { "" } else { "not determined by these rows: too high" }.into(),
                ]
            })
            .collect();
        format!("\n{}", table(&["rows", "best error", "95 % band", "λ", ""], &rows))
    }

    /// The whole path and how the figures came about, for --verbose.
    fn details(&self) -> String {
        let (fit, path) = (&self.fit, &self.fit.path);
        let lists: Vec<(&str, Vec<f64>)> = fit.targets[0]
            .estimates
            .iter()
            .filter_map(|e| fit.along(e.measure, 0).map(|v| (fit.name(e.measure), v)))
            .collect();
        let mut header = vec!["λ", "df1", "κ", "training"];
        header.extend(lists.iter().map(|(n, _)| *n));
        let train = &path.targets[0].train_error;
        let rows: Vec<Vec<String>> = (0..path.lambdas.len())
            .map(|i| {
                let mut row = vec![path.lambdas[i], path.df1[i], path.kappa[i], train[i]];
                row.extend(lists.iter().map(|(_, v)| v[i]));
                row.into_iter().map(|x| number(x, 4)).collect()
            })
            .collect();
        let mut text = format!("\n{}\n", table(&header, &rows));
        let first = &fit.targets[0];
        text += &format!(
            "decomposition: {:?}; λ in glmnet's convention (alpha = 0): {}\n",
            path.method,
            number(first.glmnet_lambda, 4)
        );
        for d in &fit.diagnoses {
            let show = |what: &str, c: &rmt_estimators::Contrast| {
                format!(
                    "{what}: {}, expected {} if noise and rows share the correlation (z = {})\n",
                    number(c.observed, 3),
                    number(c.expected, 3),
                    number(c.z, 2)
                )
            };
            text += &show("correlation of neighbouring residuals", &d.neighbours);
            if let Some(whitened) = &d.whitened {
                text += &show("whitened over plain CorrGCV", whitened);
            }
            text += &show("squared residuals in the second half of the rows", &d.second_half);
        }
        for (name, how) in &fit.folds {
            text += &format!("{name}: {how}\n");
        }
        text += "bands: χ² with the effective number of residuals (Satterthwaite), for CorrGCV \
                 with the error of the fitted correlation; folds: ± 2 standard errors over folds\n";
        for note in &path.notes {
            text += &format!("{note}\n");
        }
        text
    }

    /// One sentence that says what the figures mean.
    pub(super) fn verdict(&self) -> String {
        let [target] = self.fit.targets.as_slice() else { return self.verdict_on_many() };
        let promised = target.promised();
        let name = self.fit.judge();
        let mut text = match target.edge {
            Some(Edge::Largest) => format!(
                "Nothing to gain: the best ridge shrinks the fit to the mean, the features predict \
                 \"{}\" no better (expected mean squared error {})",
                target.name,
                number(promised, 3)
            ),
            _ if promised >= target.variance => format!(
                "The features predict \"{}\" no better than its mean: expect a mean squared error of \
                 about {} on new rows (by {name}), the variance is {}",
                target.name,
                number(promised, 3),
                number(target.variance, 3)
            ),
            _ => format!(
                "Expect a mean squared error of about {} on new rows (R² {}, by {name})",
                number(promised, 3),
                number(1.0 - promised / target.variance, 2)
            ),
        };
        let gcv = target.estimate(GCV).unwrap_or(f64::NAN);
        if let Some(warning) = self.warning() {
            if let Some(corr_gcv) = target.estimate(CORR_GCV) {
                text += &format!(", not the {} of CorrGCV", number(corr_gcv, 3));
            }
            text = format!("{warning}. {text}");
        } else if self.fit.correlated.is_some() && promised > NOTABLE * gcv {
            text += &format!(
                ", {} times what GCV promises ({}), which takes neighbouring rows as independent",
                number(promised / gcv, 2),
                number(gcv, 3)
            );
        }
        if self.fit.diagnoses.iter().any(|d| d.second_half.is_off()) {
            text += "; the error drifts between the first and the second half of the rows, no \
                     figure here foresees that";
        }
        if self.trials.is_empty() {
            if promised < target.variance {
                text += &self.more_rows();
            }
        } else {
            text += &self.realised();
        }
        text + "."
    }

    /// That CorrGCV must not be used, here or in most of the windows.
    fn warning(&self) -> Option<String> {
        let doubted = self.trials.iter().filter(|t| t.fit.doubt.is_some()).count();
        let windows = self.trials.len();
        let most = windows > 1 && 2 * doubted > windows;
        let of_windows = format!("{doubted} of {windows} windows");
        match self.fit.doubt {
            Some(doubt) if most => Some(format!(
                "DO NOT USE CorrGCV HERE: {}; it is contradicted in {of_windows} as well",
                reason(doubt)
            )),
            Some(doubt) => Some(format!("DO NOT USE CorrGCV HERE: {}", reason(doubt))),
            None if most => Some(format!(
                "DO NOT USE CorrGCV ON SUCH WINDOWS: residuals or left-out blocks contradict it in \
                 {of_windows}"
            )),
            None => None,
        }
    }

    /// A choice at the end of the ridges that were tried.
    pub(super) fn warnings(&self) -> Vec<String> {
        let edge = self.fit.targets.iter().find_map(|t| t.edge.map(|e| (t, e)));
        let Some((target, edge)) = edge else { return Vec::new() };
        let end = if edge == Edge::Smallest { "smallest" } else { "largest" };
        let lambda = number(target.lambda, 3);
        match (self.args.lambda.len(), edge) {
            // A single ridge was asked for: there was no choice.
            (1, _) => Vec::new(),
            (0, Edge::Smallest) => vec![format!(
                "λ = {lambda} is the {end} of a grid that was widened as far as it goes: the data ask \
                 for no regularisation"
            )],
            (0, Edge::Largest) => vec![format!(
                "λ = {lambda} is the {end} of a grid that was widened as far as it goes: the features \
                 say nothing that the mean does not"
            )],
            _ => vec![format!(
                "λ = {lambda} is the {end} of the ridges given with --lambda: the best one may lie \
                 beyond; leave --lambda out for a grid that widens"
            )],
        }
    }

    /// What twice as many rows would bring, where the data determine it.
    fn more_rows(&self) -> String {
        let twice = self.fit.learning.iter().find(|p| p.rows == 2 * self.fit.rows && p.supported);
        let now = self.fit.learning.iter().find(|p| p.rows == self.fit.rows);
        match (now, twice) {
            (Some(now), Some(twice)) if twice.error < now.error => format!(
                "; twice the rows would lower it by {} %",
                number(100.0 * (1.0 - twice.error / now.error), 2)
            ),
            _ => String::new(),
        }
    }

    fn realised(&self) -> String {
        let over = |f: &dyn Fn(&Trial) -> f64| mean(&self.trials.iter().map(f).collect::<Vec<_>>());
        let realised = over(&|t| t.realised[0]);
        let promise = over(&|t| t.fit.targets[0].promised());
        let gcv = over(&|t| t.fit.targets[0].estimate(GCV).unwrap_or(f64::NAN));
        let mut text = format!(
            "; rows kept back came out at {}, {} times the {} promised there",
            number(realised, 3),
            number(realised / promise, 2),
            number(promise, 3),
        );
        if self.fit.correlated.is_some() {
            let times = number(realised / gcv, 2);
            text += &format!(" and {times} times the {} of GCV", number(gcv, 3));
        }
        text
    }

    fn verdict_on_many(&self) -> String {
        let targets = &self.fit.targets;
        let share = |t: &TargetFit| t.promised() / t.variance;
        let good = targets.iter().filter(|t| share(t) < 1.0).count();
        let best = targets.iter().min_by(|a, b| share(a).total_cmp(&share(b)));
        let best = best.map_or(String::new(), |t| {
            format!(", best \"{}\" with R² {}", t.name, number(1.0 - share(t), 2))
        });
        let doubt = match self.fit.doubt {
            Some(doubt) => format!("DO NOT USE CorrGCV HERE: {}. ", reason(doubt)),
            None => String::new(),
        };
        format!(
            "{doubt}{good} of {} targets are predicted better than by their mean (by {}){best}.",
            targets.len(),
            self.fit.judge()
        )
    }
}

/// What a doubt about CorrGCV means.
pub(super) fn reason(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::Residuals => {
            "the residuals are not correlated as the rows are, which it assumes (K′ ≠ K)"
        }
        Doubt::BlocksBetter => {
            "whole blocks left out are predicted better than it allows, so the noise is less \
             correlated than the rows, which it assumes equal (K′ ≠ K)"
        }
        Doubt::BlocksWorse => {
            "whole blocks left out are predicted worse than it allows, so parts of the data differ"
        }
    }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { 0.5 * (sorted[half - 1] + sorted[half]) }
}
