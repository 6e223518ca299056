use super::analysis::Analysis;
use crate::files::cell;
use crate::output::{number, table};
use rmt_estimators::consistency::Comparison;

/// Tables and a closing sentence.
pub(super) fn text(analyses: &[Analysis], tolerance: f64) -> String {
    match analyses {
        [only] => single(only, tolerance),
        many => classes(many, tolerance),
    }
}

fn single(a: &Analysis, tolerance: f64) -> String {
    let class = a.class.as_ref().map(|c| format!("class {c}: ")).unwrap_or_default();
    let mut out = format!(
        "{class}{} samples × {} features, rank {}, total variance {} ({})\n\n",
        a.rows,
        a.columns,
        a.rank,
        number(a.total_variance, 4),
        a.method
    );
    out += "Samples that two models generate from the same noise:\n";
    let rows: Vec<Vec<String>> = a
        .sizes
        .iter()
        .map(|s| {
            let measured = a.check.iter().find(|c| c.n == s.n && c.sigma.is_none());
            let mut row = vec![s.n.to_string(), number(s.relative, 3)];
            row.push(measured.map(|c| number(c.relative, 3)).unwrap_or_default());
            row.push(measured.map(ratio).unwrap_or_default());
            row
        })
        .collect();
    out += &columns(&["n each", "disagreement", "measured", "ratio"], rows);
    let n = a.levels.first().map_or(0, |l| l.n);
    out += &format!("\nDenoisers of {n} samples each:\n");
    let rows = a
        .levels
        .iter()
        .map(|l| {
            let measured = a.check.iter().find(|c| c.n == l.n && c.sigma == Some(l.sigma));
            vec![
                number(l.sigma, 3),
                number(l.sigma * l.sigma, 3),
                number(l.kappa, 3),
                number(l.relative, 3),
                measured.map(ratio).unwrap_or_default(),
                l.required_samples.map(|n| n.to_string()).unwrap_or_default(),
                number(l.test_error, 4),
                number(l.train_error, 4),
                number(l.bayes_error, 4),
            ]
        })
        .collect();
    let header = [
        "sigma",
        "sigma²",
        "kappa",
        "disagreement",
        "ratio",
        "required n",
        "test",
        "train",
        "bayes",
    ];
    out += &columns(&header, rows);
    if let Some(g) = &a.generated {
        out += &format!(
            "\nYour two models: disagreement {} over {} pairs; linear models of {} samples each: {}\n",
            number(g.relative, 3),
            g.pairs,
            g.trained_on,
            number(g.predicted_relative, 3)
        );
        let shown = g.rank.iter().enumerate().filter(|(_, r)| r.is_power_of_two());
        let rows = shown
            .map(|(i, r)| {
                let values = [g.by_mode[i], g.predicted_by_mode[i]];
                std::iter::once(r.to_string()).chain(values.map(|v| number(v, 3))).collect()
            })
            .collect();
        out += &columns(&["mode", "correlation", "linear"], rows);
    }
    out + "\n" + &sentence(a, tolerance)
}

fn sentence(a: &Analysis, tolerance: f64) -> String {
    let percent = number(100.0 * tolerance, 3);
    let beyond = if a.required_samples as usize > a.rows / 2 {
        ", more than these data can check"
    } else {
        ""
    };
    let now = a.sizes.last().map(|s| {
        format!(
            "trained on {} samples each they differ by {} %",
            s.n,
            number(100.0 * s.relative, 3)
        )
    });
    format!(
        "Two linear diffusion models generate the same samples to {percent} % of their variance from \
         {} training samples each on{beyond}; {}.\n",
        a.required_samples,
        now.unwrap_or_default()
    )
}

fn classes(many: &[Analysis], tolerance: f64) -> String {
    let rows: Vec<Vec<String>> = many
        .iter()
        .map(|a| {
            let last = a.sizes.last();
            let check = last
                .and_then(|s| a.check.iter().find(|c| c.n == s.n && c.sigma.is_none()))
                .map(ratio);
            vec![
                a.class.clone().unwrap_or_default(),
                a.rows.to_string(),
                a.rank.to_string(),
                number(a.total_variance, 4),
                last.map(|s| s.n.to_string()).unwrap_or_default(),
                last.map(|s| number(s.relative, 3)).unwrap_or_default(),
                check.unwrap_or_default(),
                a.required_samples.to_string(),
            ]
        })
        .collect();
    let header =
        ["class", "samples", "rank", "variance", "n each", "disagreement", "ratio", "required n"];
    let mut out = columns(&header, rows);
    let most = many.iter().max_by_key(|a| a.required_samples);
    if let Some(most) = most {
        out += &format!(
            "\nClass {} needs the most samples, {}, until two models agree to {} % of the variance.\n",
            most.class.as_deref().unwrap_or_default(),
            most.required_samples,
            number(100.0 * tolerance, 3)
        );
    }
    out
}

fn ratio(check: &Comparison) -> String {
    format!("{:.3} ± {:.3}", check.ratio, check.standard_error / check.predicted)
}

/// A table without its empty columns.
fn columns(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let kept: Vec<usize> =
        (0..header.len()).filter(|j| rows.iter().any(|row| !row[*j].is_empty())).collect();
    let header: Vec<&str> = kept.iter().map(|j| header[*j]).collect();
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|row| kept.iter().map(|j| row[*j].clone()).collect()).collect();
    table(&header, &rows)
}

/// Every prediction and measurement, one a row.
pub(super) fn rows(analyses: &[Analysis]) -> Vec<Vec<String>> {
    let header = ["class", "n", "sigma", "relative_disagreement", "measured", "standard_error"];
    let mut rows = vec![header.map(String::from).to_vec()];
    for a in analyses {
        let class = a.class.clone().unwrap_or_default();
        let mut push = |n: f64, sigma: Option<f64>, relative: f64, measured: Option<(f64, f64)>| {
            rows.push(vec![
                class.clone(),
                cell(n),
                sigma.map(cell).unwrap_or_default(),
                cell(relative),
                measured.map(|m| cell(m.0)).unwrap_or_default(),
                measured.map(|m| cell(m.1)).unwrap_or_default(),
            ]);
        };
        let scaled = |c: &Comparison| (c.relative, c.relative * c.standard_error / c.measured);
        for s in &a.sizes {
            let measured = a.check.iter().find(|c| c.n == s.n && c.sigma.is_none()).map(scaled);
            push(s.n as f64, None, s.relative, measured);
        }
        for (list, size) in a.over_noise.iter().zip(&a.sizes) {
            for (sigma, _, relative) in list {
                push(size.n as f64, Some(*sigma), *relative, None);
            }
        }
        for c in a.check.iter().filter(|c| c.sigma.is_some()) {
            push(c.n as f64, c.sigma, c.relative / c.ratio, Some(scaled(c)));
        }
    }
    rows
}
