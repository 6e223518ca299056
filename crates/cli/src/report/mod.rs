//! Reports: one HTML file that holds figures to explore, their numbers, and how they were made.
//!
//! The page needs no other file and no network: uPlot, the data and the drawings are inside.

use crate::failure::{Failure, Result};
use crate::figure::Figure;
use crate::files;
use crate::registry::Registry;
use serde_json::{Value as Json, json};
use std::fmt::Write;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
/// uPlot 1.6.32, <https://github.com/leeoniya/uPlot>; its licence lies beside it.
const UPLOT: &str = include_str!("vendor/uPlot.iife.min.js");
const UPLOT_STYLE: &str = include_str!("vendor/uPlot.min.css");

/// What a command found, for a reader who was not there.
pub(crate) struct Report<'a> {
    pub(crate) title: String,
    /// The task whose equations and sources stand behind the numbers.
    pub(crate) task: &'a str,
    /// What was asked.
    pub(crate) inputs: Json,
    /// The answer as on the screen.
    pub(crate) text: String,
    pub(crate) notes: Vec<String>,
    pub(crate) figures: Vec<Figure>,
}

impl Report<'_> {
    /// Writes the page.
    pub(crate) fn save(&self, path: &str) -> Result<()> {
        files::write(path, self.page(&command_line())?.as_bytes())
    }

    fn page(&self, command: &str) -> Result<String> {
        let registry = Registry::standard();
        let card = registry.find(self.task)?.card();
        let sources: Vec<_> = card.references.iter().map(rmt_task::Reference::bibtex).collect();
        let notes: String =
            self.notes.iter().map(|n| format!("<p class=\"note\">{}</p>\n", escaped(n))).collect();
        let equations = format!("<pre>{}</pre>", escaped(card.equations));
        let fill = |key: &str| -> Result<String> {
            Ok(match key {
                "title" => escaped(&self.title),
                "command" => escaped(command),
                "version" => concat!("rmt ", env!("CARGO_PKG_VERSION")).to_owned(),
                "text" => escaped(self.text.trim_end()),
                "notes" => notes.clone(),
                "equations" => equations.clone(),
                "inputs" => escaped(&format!("{:#}", self.inputs)),
                "citation" => escaped(&sources.join("\n\n")),
                "style" => STYLE.to_owned(),
                "script" => SCRIPT.to_owned(),
                "uplot" => UPLOT.to_owned(),
                "uplot_style" => UPLOT_STYLE.to_owned(),
                "data" => self.data()?,
                other => return Err(Failure::result(format!("the page has no {other}"))),
            })
        };
        // One pass over the template, so that braces in what is filled in are left alone.
        let mut page = String::new();
        let mut rest = PAGE;
        while let Some((before, after)) = rest.split_once("{{") {
            let (key, after) = after.split_once("}}").unwrap_or((after, ""));
            page += before;
            page += &fill(key)?;
            rest = after;
        }
        Ok(page + rest)
    }

    /// The figures as JSON that can stand inside a script element.
    fn data(&self) -> Result<String> {
        let figures: Vec<Json> = self
            .figures
            .iter()
            .map(|figure| {
                let mut record = serde_json::to_value(figure).map_err(Failure::result)?;
                record["csv"] = figure.csv()?.into();
                record["svg"] = figure.svg().into();
                Ok(record)
            })
            .collect::<Result<_>>()?;
        Ok(json!({ "figures": figures }).to_string().replace('<', "\\u003c"))
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c => out.push(c),
        }
    }
    out
}

/// The command as one would type it again.
fn command_line() -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+%@[]".contains(c);
    std::env::args().skip(1).fold("rmt".to_owned(), |mut line, word| {
        if !word.is_empty() && word.chars().all(plain) {
            let _ = write!(line, " {word}");
        } else {
            let _ = write!(line, " '{}'", word.replace('\'', r"'\''"));
        }
        line
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Axis, Content, Role, Series};

    #[test]
    fn hostile_texts_stay_text_and_numbers_survive() {
        let bad = "</script><b>&{{data}}";
        let series = Series {
            name: bad.into(),
            role: Role::Theory,
            quantity: 0,
            x: vec![1.0, 2.0],
            y: vec![0.1 + 0.2, f64::INFINITY],
            limits: None,
        };
        let figure = Figure {
            title: bad.into(),
            x: Axis::new(bad, false),
            y: Axis::new("y", false),
            content: Content::Curves { series: vec![series], marks: vec![] },
        };
        let report = Report {
            title: bad.into(),
            task: "ridge",
            inputs: json!({ bad: 1 }),
            text: bad.into(),
            notes: vec![bad.into()],
            figures: vec![figure],
        };
        let page = report.page(bad).unwrap();
        assert!(!page.contains("<b>"), "markup from the inputs");
        assert_eq!(page.matches("</script>").count(), 3, "a script was closed early");
        let data =
            page.split_once("id=\"page-data\">").unwrap().1.split_once("</script>").unwrap().0;
        let data: Json = serde_json::from_str(data).unwrap();
        let series = &data["figures"][0]["content"]["curves"]["series"][0];
        assert_eq!(series["name"], bad);
        assert_eq!(series["y"][0].as_f64(), Some(0.1 + 0.2));
        assert!(series["y"][1].is_null());
        assert!(data["figures"][0]["csv"].as_str().unwrap().contains("0.30000000000000004"));
    }

    #[test]
    fn the_page_asks_nothing_of_the_network() {
        let report = Report {
            title: "t".into(),
            task: "ridge",
            inputs: json!({}),
            text: String::new(),
            notes: vec![],
            figures: vec![],
        };
        let page = report.page("rmt").unwrap();
        for asking in ["src=\"", "@import", "url(", "fetch(", "XMLHttpRequest"] {
            assert!(!page.contains(asking), "{asking}");
        }
    }
}
