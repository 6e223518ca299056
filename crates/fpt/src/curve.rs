//! Curves in a parameter or a size, exact derivatives, and spectral densities.

use crate::error::{Error, Result, declared};
use crate::field::Number;
use crate::input::Problem;
use crate::model::{Answer, Derivative, Model, Point, Start};
use num_complex::Complex64;
use std::f64::consts::PI;

/// One point of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Value of the parameter or size.
    pub at: f64,
    /// The answer there.
    pub answer: Answer,
    /// Derivative of the value by the parameter, exact up to rounding; `None` for sizes, and where
    /// the system is singular.
    pub derivative: Option<Complex64>,
}

/// How often a step of a curve is halved before the point is solved from scratch.
const HALVINGS: u32 = 4;

impl Model {
    /// The value and its derivative by a parameter.
    ///
    /// # Errors
    /// As [`Model::evaluate`], and [`Error::InvalidInput`] for an unknown parameter.
    pub fn derivative(&self, parameter: &str) -> Result<CurvePoint> {
        let index = self.parameter(parameter)?;
        let derivative = self.differentiate(index);
        let at = self.parameters()[index].re;
        if self.is_real() {
            let point = self.solve::<f64>(self.parameters(), None)?;
            let slope = self.slope(&derivative, self.parameters(), &point)?;
            return Ok(curve_point(at, &point, slope.map(|s| s.0)));
        }
        let point = self.solve::<Complex64>(self.parameters(), None)?;
        let slope = self.slope(&derivative, self.parameters(), &point)?;
        Ok(curve_point(at, &point, slope.map(|s| s.0)))
    }

    /// The value and its derivative along real values of a parameter, in the given order: each point
    /// starts from its neighbour, along the derivative of the unknowns. A point that has no
    /// certified value carries its error.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an unknown parameter or a value that is not finite.
    pub fn curve(&self, parameter: &str, values: &[f64]) -> Result<Vec<(f64, Result<CurvePoint>)>> {
        let index = self.parameter(parameter)?;
        if let Some(x) = values.iter().find(|x| !x.is_finite()) {
            let message = format!("{x} is not a finite number");
            return Err(Error::invalid(format!("parameters.{parameter}"), message));
        }
        let others_real =
            self.parameters().iter().enumerate().all(|(i, x)| i == index || x.im == 0.0);
        Ok(if others_real {
            self.curve_in::<f64>(index, values)
        } else {
            self.curve_in::<Complex64>(index, values)
        })
    }

    fn curve_in<F: Number>(&self, index: usize, values: &[f64]) -> Vec<(f64, Result<CurvePoint>)> {
        let derivative = self.differentiate(index);
        let mut last: Option<Solved<F>> = None;
        let mut out = Vec::with_capacity(values.len());
        for x in values {
            let solved = self.next_point(index, &derivative, last.as_ref(), *x);
            out.push((*x, solved.as_ref().map(|s| s.curve_point()).map_err(Clone::clone)));
            if let Ok(solved) = solved {
                last = Some(solved);
            }
        }
        out
    }

    fn at(&self, index: usize, x: f64) -> Vec<Complex64> {
        let mut parameters = self.parameters().to_vec();
        parameters[index] = Complex64::new(x, 0.0);
        parameters
    }

    fn solved<F: Number>(
        &self,
        derivative: &Derivative,
        parameters: &[Complex64],
        at: f64,
        point: Point<F>,
    ) -> Result<Solved<F>> {
        let slope = self.slope(derivative, parameters, &point)?;
        Ok(Solved { at, point, slope })
    }

    fn next_point<F: Number>(
        &self,
        index: usize,
        derivative: &Derivative,
        last: Option<&Solved<F>>,
        x: f64,
    ) -> Result<Solved<F>> {
        let parameters = self.at(index, x);
        for halvings in 0..=HALVINGS {
            let Some(first) = last else { break };
            let steps = 1 << halvings;
            let mut here: Option<Solved<F>> = None;
            for step in 1..=steps {
                let from = here.as_ref().unwrap_or(first);
                let to = first.at + (x - first.at) * f64::from(step) / f64::from(steps);
                let parameters = self.at(index, to);
                let Some(point) = self.continued(&parameters, &from.predict(to))? else {
                    here = None;
                    break;
                };
                here = Some(self.solved(derivative, &parameters, to, point)?);
            }
            if let Some(found) = here {
                return Ok(found);
            }
        }
        let point = self.solve(&parameters, None)?;
        self.solved(derivative, &parameters, x, point)
    }

    /// Spectral density π⁻¹ Im(value) at real points x of a complex parameter z = x + i·`smoothing`,
    /// for an expression such as `tr(inv(M - z*I(p)))` with symmetric M.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an unknown parameter, `smoothing` ≤ 0 or a point that is not
    /// finite; otherwise as [`Model::evaluate`].
    pub fn density(
        &self,
        parameter: &str,
        points: &[f64],
        smoothing: f64,
    ) -> Result<Vec<(f64, Result<f64>)>> {
        let index = self.parameter(parameter)?;
        if !(smoothing > 0.0 && smoothing.is_finite()) {
            let message = format!("{smoothing} is out of range; give a positive number");
            return Err(Error::invalid("smoothing", message));
        }
        if let Some(x) = points.iter().find(|x| !x.is_finite()) {
            let message = format!("{x} is not a finite number");
            return Err(Error::invalid(format!("parameters.{parameter}"), message));
        }
        let mut last: Option<Start<Complex64>> = None;
        let mut out = Vec::with_capacity(points.len());
        for x in points {
            let solved = self.above(index, *x, smoothing, last.as_ref());
            if let Ok(point) = &solved {
                last = Some(point.unknowns());
            }
            out.push((*x, solved.map(|point| point.answer.value.im / PI)));
        }
        Ok(out)
    }

    /// The solution at x + i·smoothing: from a neighbour, else down from a height where the
    /// iteration converges by itself.
    fn above(
        &self,
        index: usize,
        x: f64,
        smoothing: f64,
        neighbour: Option<&Start<Complex64>>,
    ) -> Result<Point<Complex64>> {
        let at = |height: f64| {
            let mut parameters = self.parameters().to_vec();
            parameters[index] = Complex64::new(x, height);
            parameters
        };
        if let Some(start) = neighbour
            && let Some(point) = self.continued(&at(smoothing), start)?
        {
            return Ok(point);
        }
        let mut height = smoothing.max(3.0 * (1.0 + x.abs()));
        let mut point = self.solve(&at(height), None)?;
        while height > smoothing {
            height = (height / 3.0).max(smoothing);
            point = match self.continued(&at(height), &point.unknowns())? {
                Some(point) => point,
                None => self.solve(&at(height), Some(&point.unknowns()))?,
            };
        }
        Ok(point)
    }
}

/// The values along sizes of a dimension, each solved by itself. Matrices of that dimension would
/// have to change with it, so only sizes without deterministic matrices can vary.
///
/// # Errors
/// [`Error::InvalidInput`] for an unknown dimension.
pub fn size_curve(
    problem: &Problem,
    dimension: &str,
    sizes: &[usize],
) -> Result<Vec<(f64, Result<CurvePoint>)>> {
    if !problem.dims.contains_key(dimension) {
        let known: Vec<&str> = problem.dims.keys().map(String::as_str).collect();
        let message = format!("no dimension of that name; {}", declared(&known));
        return Err(Error::invalid(format!("dims.{dimension}"), message));
    }
    let one = |size: &usize| {
        let mut problem = problem.clone();
        problem.dims.insert(dimension.to_owned(), *size);
        let answer = Model::new(&problem).and_then(|m| m.evaluate());
        let at = *size as f64;
        (at, answer.map(|answer| CurvePoint { at, answer, derivative: None }))
    };
    Ok(sizes.iter().map(one).collect())
}

struct Solved<F> {
    at: f64,
    point: Point<F>,
    slope: Option<(F, Start<F>)>,
}

impl<F: Number> Solved<F> {
    fn predict(&self, to: f64) -> Start<F> {
        let mut start = self.point.unknowns();
        if let Some((_, slopes)) = &self.slope {
            let step = F::from_number(to - self.at);
            for (u, du) in start.iter_mut().flatten().zip(slopes.iter().flatten()) {
                *u += step * *du;
            }
        }
        start
    }

    fn curve_point(&self) -> CurvePoint {
        curve_point(self.at, &self.point, self.slope.as_ref().map(|s| s.0))
    }
}

fn curve_point<F: Number>(at: f64, point: &Point<F>, slope: Option<F>) -> CurvePoint {
    CurvePoint { at, answer: point.answer, derivative: slope.map(Number::complex) }
}
