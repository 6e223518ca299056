//! Python objects as JSON inputs, quantities as Python objects.

use crate::error::unreadable;
use num_complex::Complex64;
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use rmt_task::{Observables, Value};
use serde_json::{Map, Number, Value as Json};

/// An input: dictionaries, lists, arrays (anything with `tolist`), numbers, text, truth values, `None`;
/// complex numbers as [re, im]. `place` is what an error names.
pub(crate) fn to_json(value: &Bound<'_, PyAny>, place: &str) -> PyResult<Json> {
    if value.is_none() {
        return Ok(Json::Null);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Json::Bool(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        let number = value.extract::<i64>().map(Number::from);
        return number
            .or_else(|_| value.extract::<u64>().map(Number::from))
            .map(Json::Number)
            .map_err(|_| unreadable(place, format!("{value} is too large for an integer input")));
    }
    if value.is_instance_of::<PyFloat>() {
        return finite(value.extract()?, place);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Json::String(text.to_cow()?.into_owned()));
    }
    if let Ok(complex) = value.cast::<PyComplex>() {
        let parts = [complex.real(), complex.imag()];
        return parts
            .into_iter()
            .map(|x| finite(x, place))
            .collect::<PyResult<_>>()
            .map(Json::Array);
    }
    if let Ok(map) = value.cast::<PyDict>() {
        let mut object = Map::new();
        for (key, item) in map {
            let Ok(key) = key.extract::<String>() else {
                return Err(unreadable(place, format!("the key {key} is not text")));
            };
            let inside = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            object.insert(key, to_json(&item, &inside)?);
        }
        return Ok(Json::Object(object));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let mut items = Vec::with_capacity(value.len()?);
        for (index, item) in value.try_iter()?.enumerate() {
            items.push(to_json(&item?, &format!("{place}[{index}]"))?);
        }
        return Ok(Json::Array(items));
    }
    // Arrays and their scalars, series, tensors.
    if let Ok(plain) = value.call_method0("tolist") {
        return to_json(&plain, place);
    }
    let kind = value.get_type().name()?;
    Err(unreadable(
        place,
        format!("cannot read a {kind}; give numbers, text, lists, arrays or dictionaries"),
    ))
}

fn finite(x: f64, place: &str) -> PyResult<Json> {
    Number::from_f64(x)
        .map(Json::Number)
        .ok_or_else(|| unreadable(place, format!("{x} is not a finite number")))
}

/// JSON as plain Python objects: lists stay lists.
pub(crate) fn from_json<'py>(py: Python<'py>, value: &Json) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Json::Null => py.None().into_bound(py),
        Json::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(x), _, _) => x.into_pyobject(py)?.into_any(),
            (_, Some(x), _) => x.into_pyobject(py)?.into_any(),
            (_, _, x) => PyFloat::new(py, x.unwrap_or(f64::NAN)).into_any(),
        },
        Json::String(text) => PyString::new(py, text).into_any(),
        Json::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(from_json(py, item)?)?;
            }
            list.into_any()
        }
        Json::Object(map) => {
            let dict = PyDict::new(py);
            for (key, item) in map {
                dict.set_item(key, from_json(py, item)?)?;
            }
            dict.into_any()
        }
    })
}

/// The quantities of a task as a dictionary.
pub(crate) fn observables<'py>(
    py: Python<'py>,
    values: &Observables,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in values.iter() {
        dict.set_item(name, quantity(py, value)?)?;
    }
    Ok(dict)
}

/// A number, a complex number, text, a truth value; lists of numbers become arrays, lists of equally
/// long lists of numbers matrices.
pub(crate) fn quantity<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Number(x) => PyFloat::new(py, *x).into_any(),
        Value::Complex(re, im) => PyComplex::from_doubles(py, *re, *im).into_any(),
        Value::Flag(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Object(items) => {
            let dict = PyDict::new(py);
            for (name, item) in items {
                dict.set_item(name, quantity(py, item)?)?;
            }
            dict.into_any()
        }
        Value::List(items) => {
            if let Some(numbers) = value.as_numbers() {
                return Ok(PyArray1::from_vec(py, numbers).into_any());
            }
            if let Some(rows) = rectangle(items) {
                return Ok(PyArray2::from_vec2(py, &rows)?.into_any());
            }
            let complex: Option<Vec<Complex64>> = items.iter().map(as_complex).collect();
            if let Some(numbers) = complex {
                return Ok(PyArray1::from_vec(py, numbers).into_any());
            }
            let list = PyList::empty(py);
            for item in items {
                list.append(quantity(py, item)?)?;
            }
            list.into_any()
        }
    })
}

fn rectangle(items: &[Value]) -> Option<Vec<Vec<f64>>> {
    let rows: Vec<Vec<f64>> = items.iter().map(Value::as_numbers).collect::<Option<_>>()?;
    let width = rows.first()?.len();
    rows.iter().all(|row| row.len() == width).then_some(rows)
}

fn as_complex(value: &Value) -> Option<Complex64> {
    match value {
        Value::Number(x) => Some(Complex64::from(*x)),
        Value::Complex(re, im) => Some(Complex64::new(*re, *im)),
        _ => None,
    }
}
