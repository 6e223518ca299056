use super::*;

fn peak() -> Figure {
    let x: Vec<f64> = (0..60).map(|i| 50.0 * 1.06f64.powi(i)).collect();
    let risk = |n: f64| 0.3 + 0.4 / (0.02 + (n / 200.0).ln().powi(2)) + 100.0 / n;
    let line = |name: &str, quantity, scale: f64| Series {
        name: name.into(),
        role: Role::Theory,
        quantity,
        x: x.clone(),
        y: x.iter().map(|n| scale * risk(*n)).collect(),
        limits: None,
    };
    let points = |name: &str, quantity, scale: f64| {
        let x: Vec<f64> = x.iter().step_by(6).copied().collect();
        let y: Vec<f64> = x.iter().map(|n| scale * risk(*n) * 1.05).collect();
        let limits = Some(y.iter().map(|v| (0.9 * v, 1.1 * v)).collect());
        Series { name: name.into(), role: Role::Points, quantity, x, y, limits }
    };
    Figure {
        title: "Ridge regression, p = 200".into(),
        x: Axis::new("n", true),
        y: Axis::new("risk", true),
        content: Content::Curves {
            series: vec![
                line("risk", 0, 1.0),
                line("variance", 1, 0.4),
                points("risk, simulated ± 2 s.e.", 0, 1.0),
                points("variance, simulated ± 2 s.e.", 1, 0.4),
            ],
            marks: vec![Mark { x: 200.0, label: "n = p".into() }],
        },
    }
}

fn heat() -> Figure {
    let x: Vec<f64> = (0..30).map(|i| 10f64.powf(-3.0 + 0.1 * i as f64)).collect();
    let y: Vec<f64> = (0..20).map(|i| 20.0 * (i + 1) as f64).collect();
    let values =
        y.iter().map(|n| x.iter().map(|l| l + 1.0 / (l + (n / 200.0 - 1.0).abs())).collect());
    Figure {
        title: "Ridge regression".into(),
        x: Axis::new("lambda", true),
        y: Axis::new("n", false),
        content: Content::Map { values: values.collect(), x, y, label: "risk".into() },
    }
}

#[test]
fn every_series_is_drawn_and_named() {
    let text = svg(&peak(), Width::Screen);
    for name in ["simulated ± 2 s.e.", "variance", "n = p", "Ridge regression, p = 200"] {
        assert!(text.contains(name), "{name} is missing");
    }
    let text = text.to_lowercase();
    assert!(COLOURS[..2].iter().all(|c| text.contains(&c.to_lowercase())));
    assert!(!text.contains("nan") && !text.contains("<script"));
    assert_eq!(text.matches("simulated ± 2 s.e.").count(), 1, "what the points are is said once");
    assert!(svg(&heat(), Width::Screen).contains("log₁₀ risk"));
}

#[test]
fn infinite_and_single_points_leave_a_gap_and_not_a_broken_figure() {
    let mut figure = peak();
    if let Content::Curves { series, .. } = &mut figure.content {
        series[0].y[10] = f64::INFINITY;
        series[1].y[0] = -1.0;
        series.truncate(2);
    }
    let text = svg(&figure, Width::Screen);
    assert!(!text.contains("NaN") && !text.contains("inf"), "non-finite coordinates");
    for x in [vec![], vec![3.0]] {
        let y = x.clone();
        let one = Series { name: "a".into(), role: Role::Theory, quantity: 0, x, y, limits: None };
        let content = Content::Curves { series: vec![one], marks: vec![] };
        let figure = Figure { content, ..peak() };
        assert!(!svg(&figure, Width::Screen).contains("NaN"));
    }
}

#[test]
fn the_data_beside_the_figure_are_its_points() {
    let csv = heat().csv().unwrap();
    assert_eq!(csv.lines().next(), Some("lambda,n,risk"));
    assert_eq!(csv.lines().count(), 1 + 600);
    let csv = peak().csv().unwrap();
    assert!(csv.starts_with("series,role,n,risk,low,high\nrisk,theory,50,"));
}

/// Renders the figures of these tests for looking at: `cargo test -p rmt-cli --features png --
/// --ignored look`.
#[cfg(feature = "png")]
#[test]
#[ignore = "writes figures to look at"]
fn look_at_the_figures() {
    let folder = std::env::temp_dir();
    for (name, figure) in [("peak", peak()), ("heat", heat())] {
        std::fs::write(
            folder.join(format!("rmt-{name}.png")),
            png(&figure, Width::Screen).unwrap(),
        )
        .unwrap();
    }
}
