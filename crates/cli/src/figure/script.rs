//! A Matplotlib script that redraws a figure from its CSV: for those who want their own fonts.

use super::draw::COLOURS;
use super::file::Width;
use super::{Axis, Content, Figure, Role, Series};
use std::fmt::Write;
use std::path::Path;

/// The script; `data` is the path of the CSV, read from the script's own folder.
pub(super) fn matplotlib(figure: &Figure, data: &str, width: Width) -> String {
    let data = Path::new(data).file_name().and_then(|n| n.to_str()).unwrap_or(data);
    let (inches, tall, type_size) = match width {
        Width::Screen => (6.4, 4.4, 10),
        Width::Column => (3.4, 2.5, 8),
        Width::Page => (6.8, 4.2, 9),
    };
    let mut out = format!(
        "\"\"\"Draws {} from {} (written by rmt {}).\"\"\"\n",
        plain(&figure.title),
        plain(data),
        env!("CARGO_PKG_VERSION")
    );
    out += &format!(
        "import csv\nfrom pathlib import Path\n\nimport matplotlib.pyplot as plt\n\n\
         here = Path(__file__).parent\nwith open(here / {}, newline=\"\", encoding=\"utf-8\") as file:\n    \
         rows = list(csv.reader(file))[1:]\n\n\
         plt.rcParams.update({{\"font.size\": {type_size}}})\n\
         fig, ax = plt.subplots(figsize=({inches}, {tall}), layout=\"constrained\")\n",
        quoted(data)
    );
    match &figure.content {
        Content::Curves { series, marks } => {
            out += "\n\ndef columns(name):\n    \
                    mine = [row for row in rows if row[0] == name]\n    \
                    return [[float(row[k] or \"nan\") for row in mine] for k in (2, 3, 4, 5)]\n\n\n";
            series.iter().for_each(|s| out += &draw(s));
            for mark in marks {
                let label = quoted(&mark.label);
                let _ = write!(
                    out,
                    "ax.axvline({x}, color=\"0.4\", linestyle=\":\", linewidth=1)\n\
                     ax.annotate({label}, ({x}, 1), xycoords=(\"data\", \"axes fraction\"), \
                     xytext=(3, -12), textcoords=\"offset points\", color=\"0.4\")\n",
                    x = mark.x,
                );
            }
            out += "ax.legend(frameon=False)\n";
        }
        Content::Map { x, y, values, label } => {
            let finite = || values.iter().flatten().copied().filter(|v| v.is_finite());
            let (low, high) =
                finite().fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(v), b.max(v)));
            let norm = if low > 0.0 && high > 50.0 * low { ", norm=\"log\"" } else { "" };
            let _ = write!(
                out,
                "\nx = [float(row[0]) for row in rows[:{across}]]\n\
                 y = [float(row[1]) for row in rows[::{across}]]\n\
                 values = [[float(row[2] or \"nan\") for row in rows[j * {across}:(j + 1) * {across}]] \
                 for j in range({down})]\n\
                 mesh = ax.pcolormesh(x, y, values, shading=\"nearest\"{norm}, rasterized=True)\n\
                 fig.colorbar(mesh, label={label})\n",
                across = x.len(),
                down = y.len(),
                label = quoted(label),
            );
        }
    }
    out += &axis("x", &figure.x);
    out += &axis("y", &figure.y);
    let _ = write!(
        out,
        "ax.set_title({})\n\nfig.savefig(here / {})\n",
        quoted(&figure.title),
        quoted(&Path::new(data).with_extension("pdf").to_string_lossy())
    );
    out
}

fn draw(series: &Series) -> String {
    let name = quoted(&series.name);
    let colour = COLOURS[series.quantity % COLOURS.len()];
    let mut out = format!("x, y, low, high = columns({name})\n");
    let limits = series.limits.is_some();
    match series.role {
        Role::Points => {
            let bars = if limits {
                "yerr=[[b - a for a, b in zip(low, y)], [b - a for a, b in zip(y, high)]], "
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "ax.errorbar(x, y, {bars}fmt=\"o\", markersize=3, color=\"{colour}\", label={name})"
            );
        }
        role => {
            let dash = if role == Role::Alternative { "--" } else { "-" };
            let _ = writeln!(
                out,
                "ax.plot(x, y, linestyle=\"{dash}\", color=\"{colour}\", label={name})"
            );
            if limits {
                let _ = writeln!(
                    out,
                    "ax.fill_between(x, low, high, color=\"{colour}\", alpha=0.18, linewidth=0)"
                );
            }
        }
    }
    out
}

fn axis(which: &str, axis: &Axis) -> String {
    let scale = if axis.log { format!("ax.set_{which}scale(\"log\")\n") } else { String::new() };
    format!("{scale}ax.set_{which}label({})\n", quoted(&axis.label))
}

/// A Python string. JSON's escapes are Python's; a dollar would start mathematics.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text.replace('$', r"\$")).to_string()
}

/// Text that can stand inside a docstring.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '"' | '\\')).collect()
}
