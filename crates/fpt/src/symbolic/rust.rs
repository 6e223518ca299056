//! A Rust function (standard library only) that solves the system.

use super::print::Printer;
use super::program::{Needs, certified, is_vector, jacobian};
use super::system::{Body, Over, System};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::show::{Style, Tight, scalar};

const STYLE: Style = Style::Rust;

const SOLVE: &str = "
/// Solves a·x = b by elimination with partial pivoting.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|i, j| a[*i][k].abs().total_cmp(&a[*j][k].abs()))?;
        if a[pivot][k] == 0.0 || !a[pivot][k].is_finite() {
            return None;
        }
        a.swap(k, pivot);
        b.swap(k, pivot);
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            for j in k..n {
                a[i][j] -= factor * a[k][j];
            }
            b[i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        let rest: f64 = (k + 1..n).map(|j| a[k][j] * b[j]).sum();
        b[k] = (b[k] - rest) / a[k][k];
    }
    Some(b)
}
";

impl Model {
    /// A Rust source file with one function `limit` of sizes, parameters and spectra that iterates
    /// the reduced system, polishes with Newton's method and returns the value, `None` where the
    /// iteration does not settle. It has no certificate.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for complex parameters, for matrices that do not commute (the Python
    /// program has them), and if the derivatives are too large to write out.
    pub fn rust(&self) -> Result<String> {
        if !self.is_real() {
            let message = "the Rust program is for real parameters; take the Python program";
            return Err(Error::invalid("parameters", message));
        }
        let system = System::new(self)?;
        if !system.matrices.is_empty() {
            let message = "the deterministic matrices do not commute, and the Rust program is for \
                           spectra only; take the Python program";
            return Err(Error::invalid("deterministic", message));
        }
        let printer = Printer { model: self, style: STYLE };
        let d = &self.program.declarations;
        let needs = Needs::new(&system);
        let n = system.equations.len();
        let mut out = format!(
            "//! Deterministic equivalent of\n//!\n//! ```text\n//! {}\n//! ```\n//!\n//! written by rmt.\n\n",
            self.source().replace('\n', "\n//! ")
        );
        if let Some(start) = certified(self, &system) {
            let list: Vec<String> = start.iter().map(|x| STYLE.number(*x).0).collect();
            out += "/// Certified unknowns at the sizes and parameters of the problem.\n";
            out += &format!("pub const CERTIFIED: [f64; {n}] = [{}];\n", list.join(", "));
        }
        out += SOLVE;
        let mut arguments = Vec::new();
        for dimension in &d.dimensions {
            arguments.push(format!("{}: f64", STYLE.name(&dimension.name)));
        }
        for (name, _) in &d.parameters {
            arguments.push(format!("{}: f64", STYLE.name(name)));
        }
        for m in &needs.spectra {
            arguments.push(format!("{}: &[f64]", STYLE.name(&d.fixed[*m].name)));
        }
        for modes in needs.modes.iter().filter(|m| d.dimensions[**m].weights.is_some()) {
            arguments.push(format!("weights_{}: &[f64]", d.dimensions[*modes].name));
        }
        arguments.push("start: Option<&[f64]>".to_owned());
        out += "\n/// The value. Spectra are the eigenvalues in one eigenbasis a dimension, `start` a guess of\n";
        out += "/// the unknowns (`None`: iterate from zero).\n";
        if needs.spectra.iter().any(|m| !is_vector(self, *m)) {
            out += "/// Symmetric matrices are given by their eigenvalues.\n";
        }
        out += "#[allow(non_snake_case, unused_variables, unused_parens, clippy::all)]\n";
        out += &format!("pub fn limit(\n    {},\n) -> Option<f64> {{\n", arguments.join(",\n    "));
        let mut line = |indent: usize, text: &str| {
            out += &" ".repeat(4 * indent);
            out += text;
            out.push('\n');
        };
        for modes in &needs.modes {
            let name = &d.dimensions[*modes].name;
            let size = STYLE.name(name);
            let some = needs.spectra.iter().find(|m| d.fixed[**m].shape.0 == *modes);
            let length =
                some.map_or("1".to_owned(), |m| format!("{}.len()", STYLE.name(&d.fixed[*m].name)));
            if d.dimensions[*modes].weights.is_some() {
                line(1, &format!("let total_{name}: f64 = weights_{name}.iter().sum();"));
                line(
                    1,
                    &format!(
                        "let w_{name}: Vec<f64> = weights_{name}.iter().map(|w| {size} * w / total_{name}).collect();"
                    ),
                );
            } else {
                line(1, &format!("let w_{name} = vec![{size} / {length} as f64; {length}];"));
            }
            line(1, &format!("let tr_{name} = |f: &dyn Fn(usize) -> f64| -> f64 {{"));
            line(2, &format!("w_{name}.iter().enumerate().map(|(i, w)| w * f(i)).sum()"));
            line(1, "};");
        }
        line(1, "let images = |u: &[f64]| -> Vec<f64> {");
        line(2, "vec![");
        for equation in &system.equations {
            line(3, &format!("{},", self.rust_body(&printer, &equation.body, &system)));
        }
        line(2, "]");
        line(1, "};");
        line(1, "let jacobian = |u: &[f64]| -> Vec<Vec<f64>> {");
        line(2, &format!("let mut j = vec![vec![0.0; {n}]; {n}];"));
        for (row, slopes) in jacobian(&system)?.iter().enumerate() {
            for (column, slope) in slopes.iter().enumerate() {
                if !slope.is_empty() {
                    let body = Body { side: slope.clone(), blocks: Vec::new() };
                    let text = self.rust_body(&printer, &body, &system);
                    line(2, &format!("j[{row}][{column}] = {text};"));
                }
            }
        }
        line(2, "j");
        line(1, "};");
        if n > 0 {
            line(1, "let mut u: Vec<f64> = match start {");
            line(2, "Some(start) => start.to_vec(),");
            line(2, "None => {");
            line(3, &format!("let mut u = images(&[0.0; {n}]);"));
            line(3, "for _ in 0..25 {");
            line(4, "u = u.iter().zip(images(&u)).map(|(u, t)| 0.5 * (u + t)).collect();");
            line(3, "}");
            line(3, "u");
            line(2, "}");
            line(1, "};");
            line(1, "let (mut best, mut stalled, mut settled) = (f64::INFINITY, 0, false);");
            line(1, "for _ in 0..100 {");
            line(2, "let mut a = jacobian(&u);");
            line(2, "for (k, row) in a.iter_mut().enumerate() {");
            line(3, "row.iter_mut().for_each(|x| *x = -*x);");
            line(3, "row[k] += 1.0;");
            line(2, "}");
            line(2, "let right = images(&u).iter().zip(&u).map(|(t, u)| t - u).collect();");
            line(2, "let step = solve(a, right)?;");
            line(2, "u.iter_mut().zip(&step).for_each(|(u, s)| *u += s);");
            line(2, "let ratio = |(u, s): (&f64, &f64)| s.abs() / u.abs().max(1e-300);");
            line(2, "let size = u.iter().zip(&step).map(ratio).fold(0.0, f64::max);");
            line(2, "stalled = if size >= best { stalled + 1 } else { 0 };");
            line(2, "best = f64::min(best, size);");
            line(2, "if size < 2e-14 || (best < 1e-9 && stalled > 3) {");
            line(3, "settled = true;");
            line(3, "break;");
            line(2, "}");
            line(1, "}");
            line(1, "if !settled || u.iter().any(|u| !u.is_finite()) {");
            line(2, "return None;");
            line(1, "}");
        } else {
            line(1, "let u: [f64; 0] = [];");
        }
        for (index, body) in system.traces.iter().enumerate() {
            let text = self.rust_body(&printer, body, &system);
            line(1, &format!("let t{} = {text};", index + 1));
        }
        let root = scalar(STYLE, &self.program.formulas, d, self.program.root).0;
        line(1, &format!("Some({root})"));
        line(0, "}");
        Ok(out)
    }

    fn rust_body(&self, printer: &Printer<'_>, body: &Body, system: &System) -> String {
        let mut parts = Vec::new();
        for (over, ratio) in &body.side {
            let inside = printer.ratio(ratio, &system.bases);
            parts.push(match over {
                Over::Nothing => STYLE.bracket(inside, Tight::Product),
                Over::Modes(d) => {
                    let name = &self.program.declarations.dimensions[*d].name;
                    format!("tr_{name}(&|i| {})", inside.0)
                }
            });
        }
        if parts.is_empty() { "0.0".to_owned() } else { parts.join(" + ") }
    }
}
