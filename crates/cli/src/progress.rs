use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// A bar on standard error for work that takes more than a second, on a terminal only.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    start: Instant,
}

impl Progress {
    /// Work of `total` steps.
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}, {eta} left");
        let bar =
            (total > 1 && stderr().is_terminal()).then_some(()).and(style.ok()).map(|style| {
                let bar = ProgressBar::hidden();
                bar.set_length(total as u64);
                bar.set_style(style);
                bar.set_message(what);
                bar
            });
        Self { bar, start: Instant::now() }
    }

    /// One step is done.
    pub(crate) fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            if bar.is_hidden() && self.start.elapsed() > Duration::from_secs(1) {
                bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
