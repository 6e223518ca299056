//! A Python function (NumPy) that solves the system.

use super::polynomial::Var;
use super::print::Printer;
use super::program::{Needs, certified, is_vector, jacobian};
use super::system::{BlockMatrix, BlockTrace, Body, Over, System, Word};
use crate::error::Result;
use crate::model::Model;
use crate::nodes::Letter;
use crate::show::{Style, Tight, scalar};

const STYLE: Style = Style::Python;

impl Model {
    /// A Python module with one function `limit` of the spectra (or matrices), sizes and parameters
    /// that iterates the reduced system, polishes with Newton's method and returns the value. It
    /// raises `ArithmeticError` where the iteration does not settle; it has no certificate.
    ///
    /// # Errors
    /// [`crate::Error::InvalidInput`] if the derivatives are too large to write out.
    pub fn python(&self) -> Result<String> {
        let system = System::new(self)?;
        let printer = Printer { model: self, style: STYLE };
        let d = &self.program.declarations;
        let needs = Needs::new(&system);
        let n = system.equations.len();
        let mut out = format!(
            "\"\"\"Deterministic equivalent of\n\n    {}\n\nwritten by rmt.\"\"\"\nimport numpy as np\n\n\n",
            self.source().replace('\\', "\\\\").replace('\n', "\n    ")
        );
        let start = certified(self, &system);
        if let Some(start) = &start {
            let list: Vec<String> = start.iter().map(|x| STYLE.number(*x).0).collect();
            out += "# Certified unknowns at the default sizes and parameters.\n";
            out += &format!("CERTIFIED = np.array([{}])\n\n\n", list.join(", "));
        }
        let mut arguments: Vec<String> =
            needs.arrays().iter().map(|m| STYLE.name(&d.fixed[*m].name)).collect();
        arguments.push("*".to_owned());
        for dimension in &d.dimensions {
            arguments.push(format!("{}={}", STYLE.name(&dimension.name), dimension.size));
        }
        for ((name, _), value) in d.parameters.iter().zip(self.parameters()) {
            let value = if value.im == 0.0 {
                STYLE.number(value.re).0
            } else {
                format!("complex({:?}, {:?})", value.re, value.im)
            };
            arguments.push(format!("{}={value}", STYLE.name(name)));
        }
        for modes in needs.modes.iter().filter(|m| d.dimensions[**m].weights.is_some()) {
            arguments.push(format!("weights_{}", d.dimensions[*modes].name));
        }
        arguments.push("start=None".to_owned());
        out += &format!("def limit({}):\n", arguments.join(", "));
        let mut line = |indent: usize, text: &str| {
            out += &" ".repeat(4 * indent);
            out += text;
            out.push('\n');
        };
        line(
            1,
            "\"\"\"The value. Spectra are 1-D arrays in one eigenbasis a dimension, matrices 2-D;",
        );
        line(1, "`start` is a guess of the unknowns (default: iterate from zero).\"\"\"");
        for m in needs.arrays() {
            let name = STYLE.name(&d.fixed[m].name);
            line(1, &format!("{name} = np.asarray({name}, dtype=float)"));
        }
        for m in &needs.spectra {
            if !is_vector(self, *m) {
                let name = STYLE.name(&d.fixed[*m].name);
                line(1, &format!("{name} = np.linalg.eigvalsh({name})"));
            }
        }
        for modes in &needs.modes {
            let name = &d.dimensions[*modes].name;
            let size = STYLE.name(name);
            let some = needs.spectra.iter().find(|m| d.fixed[**m].shape.0 == *modes);
            let length =
                some.map_or("1".to_owned(), |m| format!("len({})", STYLE.name(&d.fixed[*m].name)));
            if d.dimensions[*modes].weights.is_some() {
                line(
                    1,
                    &format!(
                        "w_{name} = {size} * np.asarray(weights_{name}) / np.sum(weights_{name})"
                    ),
                );
            } else {
                line(1, &format!("w_{name} = np.full({length}, {size} / {length})"));
            }
            line(1, "");
            line(1, &format!("def tr_{name}(f):"));
            line(2, &format!("return np.sum(w_{name} * f)"));
            line(1, "");
        }
        if !needs.letters.is_empty() {
            line(1, "");
            line(1, "def power(m, exponent):");
            line(2, "values, vectors = np.linalg.eigh(m)");
            line(2, "if exponent != round(exponent):");
            line(3, "values = np.maximum(values, 0.0)");
            line(2, "return (vectors * values**exponent) @ vectors.T");
            line(1, "");
            for letter in &needs.letters {
                line(
                    1,
                    &format!("{} = {}", letter_name(self, *letter), letter_value(self, *letter)),
                );
            }
        }
        for (index, matrix) in system.matrices.iter().enumerate() {
            self.python_matrix(&printer, index, matrix, n, &mut line);
        }
        line(1, "");
        line(1, "def images(u):");
        for index in 0..system.matrices.len() {
            line(2, &format!("g{0} = np.linalg.inv(m{0}(u))", index + 1));
        }
        line(2, "return np.array([");
        for equation in &system.equations {
            line(3, &format!("{},", self.python_body(&printer, &equation.body, &system, "g")));
        }
        line(2, "])");
        line(1, "");
        line(1, "def jacobian(u):");
        line(2, &format!("j = np.zeros(({n}, {n}), dtype=np.asarray(u).dtype)"));
        for (row, slopes) in jacobian(&system)?.iter().enumerate() {
            for (column, slope) in slopes.iter().enumerate() {
                if !slope.is_empty() {
                    let body = Body { side: slope.clone(), blocks: Vec::new() };
                    let text = self.python_body(&printer, &body, &system, "g");
                    line(2, &format!("j[{row}, {column}] += {text}"));
                }
            }
        }
        for (index, matrix) in system.matrices.iter().enumerate() {
            line(2, &format!("g{0} = np.linalg.inv(m{0}(u))", index + 1));
            for column in 0..n {
                let var = Var::Unknown(column);
                if matrix.entries.iter().all(|(_, _, c, _)| c.derivative(var).is_zero()) {
                    continue;
                }
                line(2, &format!("d{0} = -g{0} @ m{0}_by_{column}(u) @ g{0}", index + 1));
                for (row, equation) in system.equations.iter().enumerate() {
                    for block in equation.body.blocks.iter().filter(|b| b.matrix == index) {
                        let text = self.python_block(&printer, block, &system, "d");
                        line(2, &format!("j[{row}, {column}] += {text}"));
                    }
                }
            }
        }
        line(2, "return j");
        line(1, "");
        if n > 0 {
            line(1, "if start is None:");
            line(2, &format!("u = images(np.zeros({n}))"));
            line(2, "for _ in range(25):");
            line(3, "u = 0.5 * (u + images(u))");
            line(1, "else:");
            line(2, "u = np.array(start)");
            line(1, "best, stalled = np.inf, 0");
            line(1, "for _ in range(100):");
            line(2, &format!("step = np.linalg.solve(np.eye({n}) - jacobian(u), images(u) - u)"));
            line(2, "u = u + step");
            line(2, "size = np.max(np.abs(step) / np.maximum(np.abs(u), 1e-300))");
            line(2, "stalled = stalled + 1 if size >= best else 0");
            line(2, "best = min(best, size)");
            line(2, "if size < 2e-14 or (best < 1e-9 and stalled > 3):");
            line(3, "break");
            line(1, "else:");
            line(2, "raise ArithmeticError(\"the iteration did not settle; give a start\")");
        } else {
            line(1, "u = np.zeros(0)");
        }
        for index in 0..system.matrices.len() {
            line(1, &format!("g{0} = np.linalg.inv(m{0}(u))", index + 1));
        }
        for (index, body) in system.traces.iter().enumerate() {
            let text = self.python_body(&printer, body, &system, "g");
            line(1, &format!("t{} = {text}", index + 1));
        }
        let root = scalar(STYLE, &self.program.formulas, d, self.program.root).0;
        line(1, &format!("return {root}"));
        Ok(out)
    }

    fn python_body(
        &self,
        printer: &Printer<'_>,
        body: &Body,
        system: &System,
        resolvent: &str,
    ) -> String {
        let mut parts = Vec::new();
        for (over, ratio) in &body.side {
            let inside = printer.ratio(ratio, &system.bases);
            parts.push(match over {
                Over::Nothing => STYLE.bracket(inside, Tight::Product),
                Over::Modes(d) => {
                    format!("tr_{}({})", self.program.declarations.dimensions[*d].name, inside.0)
                }
            });
        }
        for block in &body.blocks {
            parts.push(self.python_block(printer, block, system, resolvent));
        }
        if parts.is_empty() { "0.0".to_owned() } else { parts.join(" + ") }
    }

    fn python_block(
        &self,
        printer: &Printer<'_>,
        block: &BlockTrace,
        system: &System,
        resolvent: &str,
    ) -> String {
        let blocks = &system.matrices[block.matrix].blocks;
        let (rows, columns) = (self.slice(blocks, block.row), self.slice(blocks, block.column));
        let mut factors = word_names(self, &block.right);
        factors.push(format!("{resolvent}{}[{rows}, {columns}]", block.matrix + 1));
        factors.extend(word_names(self, &block.left));
        let c = STYLE.bracket(printer.polynomial(&block.coefficient), Tight::Product);
        format!("{c} * np.trace({})", factors.join(" @ "))
    }

    /// The range of a block: sums of sizes.
    fn slice(&self, blocks: &[usize], block: usize) -> String {
        let name = |b: &usize| STYLE.name(&self.program.declarations.dimensions[*b].name);
        let sum = |blocks: &[usize]| {
            let names: Vec<String> = blocks.iter().map(name).collect();
            if names.is_empty() { "0".to_owned() } else { names.join(" + ") }
        };
        format!("{}:{}", sum(&blocks[..block]), sum(&blocks[..=block]))
    }

    fn python_matrix(
        &self,
        printer: &Printer<'_>,
        index: usize,
        matrix: &BlockMatrix,
        unknowns: usize,
        line: &mut impl FnMut(usize, &str),
    ) {
        let name = |b: &usize| STYLE.name(&self.program.declarations.dimensions[*b].name);
        let size: Vec<String> = matrix.blocks.iter().map(name).collect();
        let size = size.join(" + ");
        let mut write = |label: String, by: Option<usize>| {
            let mut body = Vec::new();
            for (i, j, c, word) in &matrix.entries {
                let c = match by {
                    Some(k) => c.derivative(Var::Unknown(k)),
                    None => c.clone(),
                };
                if c.is_zero() {
                    continue;
                }
                let mut factors = word_names(self, word);
                if factors.is_empty() {
                    factors.push(format!("np.eye({})", name(&matrix.blocks[*i])));
                }
                let c = STYLE.bracket(printer.polynomial(&c), Tight::Product);
                let at = format!(
                    "{}, {}",
                    self.slice(&matrix.blocks, *i),
                    self.slice(&matrix.blocks, *j)
                );
                body.push(format!("m[{at}] += {c} * ({})", factors.join(" @ ")));
            }
            if by.is_some() && body.is_empty() {
                return;
            }
            line(1, "");
            line(1, &format!("def {label}(u):"));
            line(2, &format!("m = np.zeros(({size}, {size}), dtype=np.asarray(u).dtype)"));
            for text in body {
                line(2, &text);
            }
            line(2, "return m");
        };
        write(format!("m{}", index + 1), None);
        for k in 0..unknowns {
            write(format!("m{}_by_{k}", index + 1), Some(k));
        }
    }
}

fn word_names(model: &Model, word: &Word) -> Vec<String> {
    word.iter().map(|l| letter_name(model, *l)).collect()
}

fn letter_name(model: &Model, letter: Letter) -> String {
    let name = &model.program.declarations.fixed[letter.matrix].name;
    let power = format!("{}", letter.power()).replace('.', "_").replace('-', "minus_");
    let turned = if letter.transposed { "_t" } else { "" };
    format!("{name}_to_{power}{turned}")
}

fn letter_value(model: &Model, letter: Letter) -> String {
    let name = STYLE.name(&model.program.declarations.fixed[letter.matrix].name);
    let power = letter.power();
    if is_vector(model, letter.matrix) {
        return format!("np.diag({name}**{})", STYLE.number(power).0);
    }
    let turned = if letter.transposed { format!("{name}.T") } else { name };
    if power == 1.0 {
        turned
    } else if matches!(
        *model.program.declarations.fixed[letter.matrix].entries,
        crate::input::Concrete::General(_)
    ) {
        format!("np.linalg.inv({turned})")
    } else {
        format!("power({turned}, {})", STYLE.number(power).0)
    }
}
