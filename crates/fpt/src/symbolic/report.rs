//! The reduced system for people: text, LaTeX, the steps from the expression to the system, and the
//! pencil as JSON.

use super::polynomial::Polynomial;
use super::print::Printer;
use super::system::{NO_SYMBOLS, System};
use crate::error::Result;
use crate::formula::Symbol;
use crate::input::{Concrete, RandomKind};
use crate::model::{Model, TraceModel};
use crate::show::{Style, scalar};
use serde_json::{Value as Json, json};

impl Model {
    /// The reduced system as text: the value in traces, one equation for each unknown, the order in
    /// which to solve them, and the meaning of every symbol.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] if a haar matrix occurs.
    pub fn text(&self) -> Result<String> {
        let system = System::new(self)?;
        let printer = Printer { model: self, style: Style::Text };
        let mut out = format!("value = {}\n", self.root(Style::Text));
        for (index, body) in system.traces.iter().enumerate() {
            let node = self.program.show(self.traces[index].node);
            out += &format!("  t{} = Tr({node})\n", index + 1);
            out += &format!("     = {}\n", printer.body(body, &system));
        }
        if !system.equations.is_empty() {
            out += "\nwith\n";
            for (k, equation) in system.equations.iter().enumerate() {
                let left = printer.unknown(k);
                out += &format!("  {left} = {}\n", printer.body(&equation.body, &system));
            }
        }
        for (index, matrix) in system.matrices.iter().enumerate() {
            out += &format!("\n{}, in blocks:\n", printer.matrix(index));
            for (i, j, c, word) in &matrix.entries {
                let entry = block_entry(&printer, c, word, &matrix.blocks, *i);
                out += &format!("  [{},{}] += {entry}\n", i + 1, j + 1);
            }
        }
        out += "\nsolve\n";
        out += &self.order(&system, &printer);
        out += "\nwhere\n";
        for line in self.legend(&system, &printer) {
            out += &format!("  {line}\n");
        }
        Ok(out)
    }

    /// The reduced system as the body of a LaTeX document: an `align*` and the meaning of the
    /// symbols.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] if a haar matrix occurs.
    pub fn latex(&self) -> Result<String> {
        let system = System::new(self)?;
        let printer = Printer { model: self, style: Style::Latex };
        let mut lines = vec![format!("\\text{{value}} &= {}", self.root(Style::Latex))];
        for (index, body) in system.traces.iter().enumerate() {
            let node = self.program.node(Style::Latex, self.traces[index].node).0;
            let name = index + 1;
            lines.push(format!(
                "t_{{{name}}} &= {}",
                broken(&format!("\\operatorname{{Tr}} {node}"))
            ));
            lines.push(format!("&\\simeq {}", printer.body(body, &system)));
        }
        for (k, equation) in system.equations.iter().enumerate() {
            let left = printer.unknown(k);
            lines.push(format!("{left} &= {}", printer.body(&equation.body, &system)));
        }
        for (index, matrix) in system.matrices.iter().enumerate() {
            for (i, j, c, word) in &matrix.entries {
                let entry = block_entry(&printer, c, word, &matrix.blocks, *i);
                let name = printer.matrix(index);
                lines.push(format!("[{name}]_{{{},{}}} &\\mathrel{{+}}= {entry}", i + 1, j + 1));
            }
        }
        let mut out = format!("\\begin{{align*}}\n{}\n\\end{{align*}}\n", lines.join(" \\\\\n"));
        out += "\\begin{itemize}\n";
        for line in self.legend(&system, &printer) {
            out += &format!("\\item {line}\n");
        }
        Ok(out + "\\end{itemize}\n")
    }

    /// Every step from the expression to the system; with a haar matrix all but the system itself,
    /// which has no symbols then.
    ///
    /// # Errors
    /// As [`Model::text`], haar matrices apart.
    pub fn explain(&self) -> Result<String> {
        let program = &self.program;
        let d = &program.declarations;
        let mut out = String::from("1. types and normal form\n");
        out += &format!("   value = {}\n", self.root(Style::Text));
        for (index, trace) in self.traces.iter().enumerate() {
            out += &format!("   t{} = Tr({})\n", index + 1, program.show(trace.node));
        }
        for (index, trace) in self.traces.iter().enumerate() {
            let pencil = &trace.pencil;
            out += &format!(
                "\n2. linearisation of t{}: C L⁻¹ B with {} blocks ({})\n",
                index + 1,
                pencil.blocks.len(),
                pencil
                    .blocks
                    .iter()
                    .map(|b| d.dimensions[*b].name.clone())
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            for line in self.pencil_lines(trace) {
                out += &format!("   {line}\n");
            }
            let classes = &trace.reduction.classes;
            let zero = classes.of.iter().filter(|c| c.is_none()).count();
            out += &format!(
                "\n3. Dyson equation of t{}: {} pairs of random entries have a self-energy; {zero} \
                 vanish, the others have {} distinct values\n",
                index + 1,
                trace.structure.pairs.len(),
                classes.len()
            );
            for group in &trace.structure.groups {
                let names: Vec<&str> =
                    group.dimensions.iter().map(|x| d.dimensions[*x].name.as_str()).collect();
                out += &format!(
                    "   dimension {}: {} block{}, {}\n",
                    names.join(", "),
                    group.blocks.len(),
                    if group.blocks.len() == 1 { "" } else { "s" },
                    match group.evaluation {
                        crate::structure::Evaluation::Scalar => "one matrix of numbers",
                        crate::structure::Evaluation::Atoms =>
                            "one matrix for each joint eigenvalue",
                        crate::structure::Evaluation::Eigenvalues(_) =>
                            "one matrix for each eigenvalue",
                        crate::structure::Evaluation::Dense =>
                            "one large matrix (its deterministic matrices do not commute)",
                    }
                );
            }
        }
        out += "\n4. reduced system\n";
        if let Some(name) = self.rotated() {
            out += &format!("   solved in numbers: {NO_SYMBOLS} ({name})\n");
            return Ok(out);
        }
        for line in self.text()?.lines() {
            out += &format!("   {line}\n");
        }
        Ok(out)
    }

    /// The pencils as JSON: for each trace the blocks, and the entries of L, B and C. A random entry
    /// is coefficient · left · matrix · right.
    pub fn pencils(&self) -> Json {
        let d = &self.program.declarations;
        let formula = |c| scalar(Style::Text, &self.program.formulas, d, c).0;
        let one = |trace: &TraceModel| {
            let pencil = &trace.pencil;
            let word = |w| {
                let letters = pencil.words.letters(w);
                Json::from(letters.iter().map(|l| d.letter(Style::Text, *l).0).collect::<Vec<_>>())
            };
            let port = |e: &crate::pencil::PortEntry| json!({"block": e.block, "coefficient": formula(e.coefficient), "word": word(e.word)});
            json!({
                "trace": self.program.node(Style::Text, trace.node).0,
                "blocks": pencil.blocks.iter().map(|b| &d.dimensions[*b].name).collect::<Vec<_>>(),
                "sizes": pencil.blocks.iter().map(|b| d.dimensions[*b].size).collect::<Vec<_>>(),
                "inverses": pencil.inverses,
                "fixed": pencil.fixed.iter().map(|e| json!({
                    "row": e.row, "column": e.column,
                    "coefficient": formula(e.coefficient), "word": word(e.word),
                })).collect::<Vec<_>>(),
                "random": pencil.random.iter().map(|e| json!({
                    "row": e.row, "column": e.column, "coefficient": formula(e.coefficient),
                    "left": word(e.left),
                    "matrix": d.random[e.occurrence.0].name, "transposed": e.occurrence.1,
                    "right": word(e.right),
                })).collect::<Vec<_>>(),
                "input": pencil.input.iter().map(port).collect::<Vec<_>>(),
                "output": pencil.output.iter().map(port).collect::<Vec<_>>(),
                "feedthrough": pencil.feedthrough.iter().map(|(c, w)| json!({
                    "coefficient": formula(*c), "word": word(*w),
                })).collect::<Vec<_>>(),
            })
        };
        Json::from(self.traces.iter().map(one).collect::<Vec<_>>())
    }

    fn root(&self, style: Style) -> String {
        scalar(style, &self.program.formulas, &self.program.declarations, self.program.root).0
    }

    fn pencil_lines(&self, trace: &TraceModel) -> Vec<String> {
        let d = &self.program.declarations;
        let pencil = &trace.pencil;
        let product = |c, factors: Vec<String>| {
            let c = scalar(Style::Text, &self.program.formulas, d, c);
            let factors: Vec<String> = factors.into_iter().filter(|f| !f.is_empty()).collect();
            match (c.0.as_str(), factors.is_empty()) {
                (_, true) => c.0,
                ("1", false) => factors.join("*"),
                ("-1", false) => format!("-{}", factors.join("*")),
                _ => {
                    let c = Style::Text.bracket(c, crate::show::Tight::Product);
                    format!("{c}*{}", factors.join("*"))
                }
            }
        };
        let word = |w| {
            let letters = pencil.words.letters(w);
            letters.iter().map(|l| d.letter(Style::Text, *l).0).collect::<Vec<_>>().join("*")
        };
        let mut lines = Vec::new();
        for e in &pencil.fixed {
            let entry = product(e.coefficient, vec![word(e.word)]);
            lines.push(format!("L[{},{}] += {entry}", e.row + 1, e.column + 1));
        }
        for e in &pencil.random {
            let factor = d.occurrence(Style::Text, e.occurrence);
            let entry = product(e.coefficient, vec![word(e.left), factor, word(e.right)]);
            lines.push(format!("L[{},{}] += {entry}", e.row + 1, e.column + 1));
        }
        for e in &pencil.input {
            let entry = product(e.coefficient, vec![word(e.word)]);
            lines.push(format!("B[{}] += {entry}", e.block + 1));
        }
        for e in &pencil.output {
            let entry = product(e.coefficient, vec![word(e.word)]);
            lines.push(format!("C[{}] += {entry}", e.block + 1));
        }
        for (c, w) in &pencil.feedthrough {
            lines.push(format!("feed-through += {}", product(*c, vec![word(*w)])));
        }
        lines
    }

    fn order(&self, system: &System, printer: &Printer<'_>) -> String {
        if system.stages.is_empty() {
            return "  nothing: the traces are explicit\n".to_owned();
        }
        let mut out = String::new();
        for stage in &system.stages {
            let names: Vec<String> = stage.unknowns.iter().map(|k| printer.unknown(*k)).collect();
            let how = match (stage.affine, names.len()) {
                (true, 1) => "explicit or linear in itself, given those above",
                (true, _) => "a linear system, given those above",
                (false, 1) => "nonlinear",
                (false, _) => "nonlinear, together",
            };
            out += &format!("  {}: {how}\n", names.join(", "));
        }
        out
    }

    /// The meaning of every symbol.
    fn legend(&self, system: &System, printer: &Printer<'_>) -> Vec<String> {
        let d = &self.program.declarations;
        let style = printer.style;
        let math = |text: String| if style == Style::Latex { format!("${text}$") } else { text };
        let mut lines = Vec::new();
        for (k, equation) in system.equations.iter().enumerate() {
            let (trace, t, s) = equation.meaning;
            let pencil = &self.traces[trace].pencil;
            let (t, s) = (&pencil.random[t], &pencil.random[s]);
            let factor = |o| math(d.occurrence(style, o));
            lines.push(format!(
                "{}: un-normalised trace of the mean resolvent of {} between the factors {} and {} \
                 (blocks {} and {})",
                math(printer.unknown(k)),
                math(format!("t{}", style_index(style, trace + 1))),
                factor(t.occurrence),
                factor(s.occurrence),
                t.column + 1,
                s.row + 1
            ));
        }
        for (index, dimension) in d.dimensions.iter().enumerate() {
            let name = math(style.name(&dimension.name));
            let tr = math(match style {
                Style::Latex => format!("\\operatorname{{Tr}}_{{{}}}", style.name(&dimension.name)),
                _ => format!("Tr_{}", dimension.name),
            });
            let spectra = d
                .fixed
                .iter()
                .any(|f| f.shape.0 == index && !matches!(*f.entries, Concrete::General(_)));
            let sum = match (&dimension.weights, spectra) {
                (_, false) => String::new(),
                (None, true) => format!("; {tr}[…] is the sum over its joint eigenvalues"),
                (Some(_), true) => {
                    format!(
                        "; {tr}[…] is {name} times the weighted mean over its joint eigenvalues"
                    )
                }
            };
            lines.push(format!("{name}: size, {}{sum}", dimension.size));
        }
        for (index, (name, _)) in d.parameters.iter().enumerate() {
            let value = self.parameters()[index];
            let value = if value.im == 0.0 { value.re.to_string() } else { format!("{value}") };
            lines.push(format!("{}: parameter, {value}", math(style.name(name))));
        }
        for random in &d.random {
            let variance = math(scalar(style, &self.program.formulas, d, random.variance).0);
            let law = match random.kind {
                RandomKind::Iid => format!("independent entries of variance {variance}"),
                RandomKind::Goe => format!("symmetric, independent entries of variance {variance}"),
                RandomKind::Haar => "given eigenvalues in a uniformly distributed basis".to_owned(),
            };
            lines.push(format!("{}: random, {law}", math(style.name(&random.name))));
        }
        for fixed in &d.fixed {
            let kind = match &*fixed.entries {
                Concrete::Diagonal(_) => "eigenvalues in the common eigenbasis",
                Concrete::Symmetric(_) => "symmetric matrix",
                Concrete::General(_) => "matrix",
            };
            lines.push(format!("{}: deterministic, {kind}", math(style.name(&fixed.name))));
        }
        let traces: Vec<Symbol> = (0..self.traces.len()).map(Symbol::Trace).collect();
        if style == Style::Latex && !traces.is_empty() {
            let names: Vec<String> = traces.iter().map(|t| math(d.symbol(style, *t))).collect();
            let what = if names.len() == 1 { "trace" } else { "traces" };
            lines.push(format!("{}: {what} of the expression", names.join(", ")));
        }
        lines
    }
}

fn style_index(style: Style, index: usize) -> String {
    if style == Style::Latex { format!("_{{{index}}}") } else { index.to_string() }
}

/// Widest line of a formula, in letters: about the text of a page.
const WIDTH: usize = 50;

/// A LaTeX formula over several lines of an `align*`, broken between factors or terms outside every
/// bracket where a line would be too wide.
fn broken(formula: &str) -> String {
    let (mut out, mut line, mut depth) = (String::new(), String::new(), 0_usize);
    for piece in formula.split_inclusive([' ', ',']) {
        // Factors end in `\,`, terms before a sign.
        let ends = piece.ends_with("\\,") || piece == "+ " || piece == "- ";
        line += piece;
        depth += piece.matches(['{', '[']).count() + piece.matches("\\left").count();
        depth -= piece.matches(['}', ']']).count() + piece.matches("\\right").count();
        if ends && depth == 0 && letters(&line) > WIDTH {
            out += &line;
            out += " \\\\\n&\\qquad ";
            line.clear();
        }
    }
    out + &line
}

/// How many letters wide a formula is, roughly: commands stand for one, braces for none.
fn letters(formula: &str) -> usize {
    let (mut count, mut command) = (0, false);
    for c in formula.chars() {
        command = c == '\\' || (command && c.is_ascii_alphabetic());
        count += usize::from(c == '\\' || (!command && !"{}^_ ,!".contains(c)));
    }
    count
}

fn block_entry(
    printer: &Printer<'_>,
    c: &Polynomial,
    word: &super::system::Word,
    blocks: &[usize],
    row: usize,
) -> String {
    let style = printer.style;
    let mut factors = printer.word(word);
    if factors.is_empty() {
        let d = &printer.model.program.declarations.dimensions[blocks[row]];
        let name = style.name(&d.name);
        factors.push(match style {
            Style::Latex => format!("I_{{{name}}}"),
            _ => format!("I({name})"),
        });
    }
    let c = style.bracket(printer.polynomial(c), crate::show::Tight::Product);
    if c == "1" {
        return factors.join(style.times());
    }
    format!("{c}{}{}", style.times(), factors.join(style.times()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_formulas_are_broken_between_factors() {
        assert_eq!(letters("\\frac{1}{n}\\,W_{1}^{\\top}"), 7);
        let inside = format!("\\left({}\\right)", vec!["W"; 70].join("\\,"));
        assert_eq!(broken(&inside), inside, "nothing to break outside the bracket");
        let product = vec!["\\sqrt{S}"; 50].join("\\,");
        let found = broken(&product);
        let lines: Vec<&str> = found.split(" \\\\\n&\\qquad ").collect();
        assert_eq!(lines.concat(), product);
        assert!(
            lines.len() > 1 && lines.iter().all(|line| letters(line) <= WIDTH + 4),
            "{lines:?}"
        );
    }
}
