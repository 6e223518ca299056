//! Two real series, over rolling windows: one where plain cross-validation lies and CorrGCV helps,
//! one where CorrGCV must not be used and the diagnosis says so. Figures in parentheses are those of
//! an independent implementation.

use rmt_estimators::{Criteria, Options, Regression, Table, fit_kernel};
use rmt_models::kernel::{Family, SampleCorrelation};

fn read(name: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let path = format!("{}/../../data/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names =
        lines.next().unwrap().split(',').map(|n| n.trim_matches('"').to_lowercase()).collect();
    let rows = lines.map(|l| l.split(',').map(|v| v.parse().unwrap()).collect()).collect();
    (names, rows)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Year-on-year changes of US macroeconomic series; unemployment from the nine others, windows
/// of 60 quarters, realised error on all quarters at least 8 away from the window.
#[test]
fn macroeconomic_windows() {
    let (names, rows) = read("us_macro_quarterly.csv");
    let column = |name: &str| names.iter().position(|n| n == name).unwrap();
    let logs = ["realgdp", "realcons", "realinv", "realgovt", "realdpi", "cpi", "m1", "pop"];
    let change = |t: usize, name: &str| {
        let at = column(name);
        if logs.contains(&name) {
            rows[t][at].ln() - rows[t - 4][at].ln()
        } else {
            rows[t][at] - rows[t - 4][at]
        }
    };
    let features: Vec<&str> = logs.into_iter().chain(["tbilrate"]).collect();
    let n = rows.len() - 4;
    let x: Vec<Vec<f64>> =
        (4..rows.len()).map(|t| features.iter().map(|f| change(t, f)).collect()).collect();
    let y: Vec<f64> = (4..rows.len()).map(|t| change(t, "unemp")).collect();
    let (width, gap, lambda) = (60, 8, 0.01);
    let (mut lengths, mut gcv, mut corr, mut realised) = (vec![], vec![], vec![], vec![]);
    for start in 0..=n - width {
        let window = start..start + width;
        let flat = x[window.clone()].concat();
        let table = Table::new(&flat, width, 9).unwrap();
        let options = Options { standardize: true, ..Options::default() };
        let data = Regression::new(table, Table::column(&y[window]), &options).unwrap();
        // The correlation of the standardised features.
        let standard: Vec<f64> = {
            let columns: Vec<(f64, f64)> = (0..9)
                .map(|j| {
                    let c: Vec<f64> = flat.iter().skip(j).step_by(9).copied().collect();
                    let m = mean(&c);
                    (m, mean(&c.iter().map(|v| (v - m).powi(2)).collect::<Vec<_>>()).sqrt())
                })
                .collect();
            flat.iter()
                .enumerate()
                .map(|(k, v)| (v - columns[k % 9].0) / columns[k % 9].1)
                .collect()
        };
        let fit = fit_kernel(Table::new(&standard, width, 9).unwrap(), None, None, true).unwrap();
        let family = fit.exponential.unwrap().family;
        if let Family::Exponential { length } = family {
            lengths.push(length);
        }
        let kernel = SampleCorrelation::from(family).kernel(width).unwrap();
        let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
        let path = data.path(&[lambda], &criteria).unwrap();
        gcv.push(path.targets[0].gcv[0]);
        corr.push(path.targets[0].corr_gcv.as_ref().unwrap()[0]);
        let far: Vec<usize> =
            (0..n).filter(|t| t + gap <= start || *t >= start + width + gap).collect();
        let rows: Vec<f64> = far.iter().flat_map(|t| x[*t].clone()).collect();
        let fit = data.coefficients(lambda).unwrap();
        let predicted = fit.predict(Table::new(&rows, far.len(), 9).unwrap()).unwrap();
        let errors: Vec<f64> =
            far.iter().zip(predicted).map(|(t, p)| (y[*t] - p).powi(2)).collect();
        realised.push(mean(&errors));
    }
    let (length, gcv, corr, realised) = (mean(&lengths), mean(&gcv), mean(&corr), mean(&realised));
    println!(
        "ξ {length:.2} (5.5), GCV {gcv:.3} (.169), CorrGCV {corr:.3} (.403), realised {realised:.3} (.588)"
    );
    assert!((length - 5.5).abs() < 0.2, "ξ {length}");
    assert!((gcv / 0.169 - 1.0).abs() < 0.05, "GCV {gcv}");
    // Ours includes the error of the fitted mean and works in its complement.
    assert!((0.35..0.6).contains(&corr), "CorrGCV {corr}");
    assert!((realised / 0.588 - 1.0).abs() < 0.05, "realised {realised}");
}

/// Sea-surface temperature 7 months ahead from the last 24 months: the months are strongly
/// correlated, the innovations nearly white.
#[test]
fn sea_surface_temperature_is_flagged() {
    let (_, rows) = read("nino12_sst_monthly.csv");
    let monthly: Vec<f64> =
        (1..=12).map(|m| mean(&rows.iter().map(|r| r[m]).collect::<Vec<_>>())).collect();
    let series: Vec<f64> = rows
        .iter()
        .flat_map(|r| (0..12).map(|m| r[m + 1] - monthly[m]).collect::<Vec<_>>())
        .collect();
    let (lags, ahead, width, lambda) = (24, 7, 100, 0.1);
    let times: Vec<usize> = (lags - 1..series.len() - ahead).collect();
    let (mut flagged, mut windows) = (0, 0);
    let (mut gcv, mut corr) = (Vec::new(), Vec::new());
    for start in (0..=times.len() - width).step_by(25) {
        let window = &times[start..start + width];
        let x: Vec<f64> = window
            .iter()
            .flat_map(|t| (0..lags).map(|l| series[t - l]).collect::<Vec<_>>())
            .collect();
        let y: Vec<f64> = window.iter().map(|t| series[t + ahead]).collect();
        let table = Table::new(&x, width, lags).unwrap();
        let fit = fit_kernel(table, None, None, true).unwrap();
        let kernel = SampleCorrelation::from(fit.exponential.unwrap().family);
        let kernel = kernel.kernel(width).unwrap();
        let data = Regression::new(table, Table::column(&y), &Options::default()).unwrap();
        let criteria = Criteria { correlation: Some(&kernel), ..Criteria::default() };
        let path = data.path(&[lambda], &criteria).unwrap();
        gcv.push(path.targets[0].gcv[0]);
        corr.push(path.targets[0].corr_gcv.as_ref().unwrap()[0]);
        windows += 1;
        let diagnosis = data.diagnose(lambda, &kernel, 0).unwrap();
        flagged += usize::from(!diagnosis.supports_corr_gcv());
    }
    println!(
        "GCV {:.2} (.89), CorrGCV {:.1} (4.1), flagged {flagged} of {windows}",
        mean(&gcv),
        mean(&corr)
    );
    assert!(flagged * 10 >= windows * 7, "flagged in {flagged} of {windows} windows");
}
