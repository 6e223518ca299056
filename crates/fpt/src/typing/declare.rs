//! Checks of the declarations: names, sizes, variances, shapes that fit.

use super::checker::{Typed, Typer};
use super::{Declarations, Dimension, FUNCTIONS, FixedMatrix, RandomMatrix};
use crate::error::{Error, Place, Result, declared};
use crate::formula::{Formulas, Symbol};
use crate::input::{Concrete, Problem, Random, RandomKind};
use crate::nodes::Shape;
use crate::syntax::{is_name, parse};
use std::collections::HashMap;
use std::sync::Arc;

/// Checks the declarations; also returns the possible shapes of every deterministic matrix.
pub(super) fn declare(
    problem: &Problem,
    formulas: &mut Formulas,
) -> Result<(Declarations, Vec<Vec<Shape>>)> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let groups: [(&str, Vec<&String>); 4] = [
        ("dims", problem.dims.keys().collect()),
        ("parameters", problem.parameters.keys().collect()),
        ("random", problem.random.keys().collect()),
        ("deterministic", problem.deterministic.keys().collect()),
    ];
    for (group, keys) in &groups {
        for key in keys {
            let at = format!("{group}.{key}");
            if !is_name(key) || FUNCTIONS.contains(&key.as_str()) {
                let message = "not usable as a name; start with a letter, go on with letters, \
                               digits and _, and avoid inv, I, sqrt, tr, Tr";
                return Err(Error::invalid(at, message));
            }
            if let Some(other) = seen.insert(key, group) {
                return Err(Error::invalid(at, format!("also declared in `{other}`; rename one")));
            }
        }
    }
    let mut dimensions = Vec::new();
    for (name, &size) in &problem.dims {
        if size == 0 {
            return Err(Error::invalid(format!("dims.{name}"), "the size is 0; give at least 1"));
        }
        let weights = match problem.dimension_weights.get(name) {
            None => None,
            Some(modes) => Some(weights(name, modes)?),
        };
        dimensions.push(Dimension { name: name.clone(), size, weights });
    }
    let dimension = |key: String, name: &str| {
        dimensions.iter().position(|d| d.name == name).ok_or_else(|| {
            let known: Vec<&str> = dimensions.iter().map(|d| d.name.as_str()).collect();
            Error::invalid(key, format!("`{name}` is not in `dims`; {}", declared(&known)))
        })
    };
    for name in problem.dimension_weights.keys() {
        dimension("dimension_weights".to_owned(), name)?;
    }
    let mut parameters = Vec::new();
    for (name, value) in &problem.parameters {
        if !(value.0.re.is_finite() && value.0.im.is_finite()) {
            let message = format!("{} is not a finite number", value.0);
            return Err(Error::invalid(format!("parameters.{name}"), message));
        }
        parameters.push((name.clone(), value.0));
    }
    let mut random = Vec::new();
    for (name, r) in &problem.random {
        let key = format!("random.{name}");
        let shape = (
            dimension(format!("{key}.rows"), &r.rows)?,
            dimension(format!("{key}.cols"), &r.cols)?,
        );
        if r.kind.is_symmetric() && shape.0 != shape.1 {
            let message = format!("a symmetric matrix is square, not {}×{}", r.rows, r.cols);
            return Err(Error::invalid(key, message));
        }
        random.push(RandomMatrix {
            name: name.clone(),
            shape,
            variance: Formulas::ONE,
            kind: r.kind,
            eigenvalues: eigenvalues(&key, r, &dimensions[shape.0])?,
        });
    }
    let mut fixed = Vec::new();
    let mut options = Vec::new();
    for (name, input) in &problem.deterministic {
        let key = format!("deterministic.{name}");
        let entries = input.concrete(&key)?;
        let fitting = fitting_shapes(&entries, &dimensions);
        let stated = match problem.deterministic_shapes.get(name) {
            None => None,
            Some([r, c]) => {
                let at = format!("deterministic_shapes.{name}");
                Some((dimension(at.clone(), r)?, dimension(at, c)?))
            }
        };
        let (rows, columns) = entries.size();
        let sizes: Vec<String> =
            dimensions.iter().map(|d| format!("{} = {}", d.name, d.atoms())).collect();
        let fitting = match stated {
            Some(shape) if fitting.contains(&shape) => vec![shape],
            Some(_) => {
                let message = format!(
                    "`{name}` is {rows}×{columns}, which does not fit the stated dimensions; sizes \
                     are {}",
                    sizes.join(", ")
                );
                return Err(Error::invalid(format!("deterministic_shapes.{name}"), message));
            }
            None if fitting.is_empty() => {
                let what = match entries {
                    Concrete::Diagonal(_) => format!("has {rows} entries"),
                    _ => format!("is {rows}×{columns}"),
                };
                let message = format!(
                    "{what}, but no dimension has that size; sizes are {}",
                    sizes.join(", ")
                );
                return Err(Error::invalid(key, message));
            }
            None => fitting,
        };
        fixed.push(FixedMatrix {
            name: name.clone(),
            shape: fitting[0],
            entries: Arc::new(entries),
        });
        options.push(fitting);
    }
    if let Some(name) =
        problem.deterministic_shapes.keys().find(|n| !problem.deterministic.contains_key(*n))
    {
        let message = "no deterministic matrix of that name";
        return Err(Error::invalid(format!("deterministic_shapes.{name}"), message));
    }
    let mut declarations = Declarations { dimensions, parameters, random, fixed };
    for (index, (name, r)) in problem.random.iter().enumerate() {
        let key = format!("random.{name}.variance");
        let text = match (&r.variance, r.kind) {
            (None, RandomKind::Haar) => {
                let size = formulas.symbol(Symbol::Dimension(declarations.random[index].shape.0));
                declarations.random[index].variance = formulas.divide(Formulas::ONE, size);
                continue;
            }
            (Some(_), RandomKind::Haar) => {
                let message = "a haar matrix has no variance: its `spectrum` fixes its size";
                return Err(Error::invalid(key, message));
            }
            (None, RandomKind::Iid | RandomKind::Goe) => {
                let message = "missing; give a scalar expression such as \"1/p\"";
                return Err(Error::invalid(key, message));
            }
            (Some(variance), RandomKind::Iid | RandomKind::Goe) => variance.0.as_str(),
        };
        let ast = parse(&key, text)?;
        let mut typer = Typer::new(declarations.clone(), formulas.clone(), &key, text);
        let Typed::Scalar(variance) = typer.typed(&ast)? else {
            return Err(typer.shape(ast.span, "a variance is a number, this is a matrix"));
        };
        if !typer.traces.is_empty() {
            return Err(typer.shape(ast.span, "a variance cannot depend on a trace"));
        }
        *formulas = typer.formulas;
        let value = formulas.evaluate(|s| declarations.leaf(s), 0).at(variance);
        if !(value.re > 0.0 && value.re.is_finite() && value.im == 0.0) {
            let place = Place { key, text: text.to_owned(), span: ast.span };
            let value = if value.im == 0.0 { value.re.to_string() } else { value.to_string() };
            let message =
                format!("the variance of `{name}` is {value}; it must be positive and finite");
            return Err(Error::InvalidText { place, message });
        }
        declarations.random[index].variance = variance;
    }
    Ok((declarations, options))
}

/// The distinct eigenvalues of a rotated matrix with their multiplicities.
fn eigenvalues(key: &str, random: &Random, dimension: &Dimension) -> Result<Vec<(f64, usize)>> {
    let at = format!("{key}.spectrum");
    let spectrum = match (&random.spectrum, random.kind) {
        (None, RandomKind::Iid | RandomKind::Goe) => return Ok(Vec::new()),
        (Some(_), RandomKind::Iid | RandomKind::Goe) => {
            let message = "only a matrix of kind haar has a spectrum";
            return Err(Error::invalid(at, message));
        }
        (None, RandomKind::Haar) => {
            let message = "missing; a haar matrix needs its eigenvalues";
            return Err(Error::invalid(at, message));
        }
        (Some(spectrum), RandomKind::Haar) => spectrum,
    };
    let values =
        spectrum.values("values").map_err(|e| Error::invalid(at.clone(), e.to_string()))?;
    let mut values = values.values;
    if values.len() != dimension.size {
        let message = format!(
            "{} eigenvalues for a matrix of {} = {} rows; give one for each",
            values.len(),
            dimension.name,
            dimension.size
        );
        return Err(Error::invalid(at, message));
    }
    values.sort_unstable_by(f64::total_cmp);
    let mut distinct: Vec<(f64, usize)> = Vec::new();
    for x in values {
        match distinct.last_mut() {
            Some((y, count)) if *y == x => *count += 1,
            _ => distinct.push((x, 1)),
        }
    }
    Ok(distinct)
}

fn weights(name: &str, modes: &rmt_core::Modes) -> Result<Vec<f64>> {
    let key = format!("dimension_weights.{name}");
    let values =
        modes.values("values").map_err(|e| Error::invalid(key.clone(), e.to_string()))?.values;
    let total: f64 = values.iter().sum();
    if total <= 0.0 {
        return Err(Error::invalid(key, "the weights are all zero; give at least one positive"));
    }
    Ok(values.iter().map(|w| w / total).collect())
}

fn fitting_shapes(entries: &Concrete, dimensions: &[Dimension]) -> Vec<Shape> {
    let (rows, columns) = entries.size();
    let all = 0..dimensions.len();
    match entries {
        Concrete::Diagonal(_) => {
            all.filter(|d| dimensions[*d].atoms() == rows).map(|d| (d, d)).collect()
        }
        Concrete::Symmetric(_) | Concrete::General(_) => {
            let fits =
                |d: usize, size| dimensions[d].size == size && dimensions[d].weights.is_none();
            all.clone()
                .flat_map(|r| all.clone().map(move |c| (r, c)))
                .filter(|(r, c)| fits(*r, rows) && fits(*c, columns))
                // A symmetric matrix is square in names, too.
                .filter(|(r, c)| r == c || matches!(entries, Concrete::General(_)))
                .collect()
        }
    }
}
