//! Grids over the inputs of a task, and what is measured at their points: shared by
//! `predict --over`, `fpt --over` and `sweep`.

mod axis;
mod experiment;
mod rows;

pub(crate) use axis::{Axis, keys_of, whole};
pub(crate) use experiment::{
    Measured, drawn, leaves, list_position, measure, numbers, quantity, record,
};
pub(crate) use rows::{Row, rows};

use crate::inputs::KeyPath;
use serde_json::Value as Json;

/// One input that varies, or several that move together, and its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Swept {
    pub(crate) keys: Vec<KeyPath>,
    /// The keys as written.
    pub(crate) label: String,
    pub(crate) values: Vec<Json>,
}

/// All combinations of the values of some inputs, the last running fastest; without any, one point.
pub(crate) struct Grid {
    base: Json,
    axes: Vec<Swept>,
}

impl Grid {
    /// The grid over `base`, the inputs that stay the same.
    ///
    /// # Errors
    /// An input that varies twice, or a place that cannot be in the inputs.
    pub(crate) fn new(base: Json, axes: Vec<Swept>) -> Result<Self, String> {
        let keys: Vec<(&Swept, &KeyPath)> =
            axes.iter().flat_map(|a| a.keys.iter().map(move |k| (a, k))).collect();
        for (i, (axis, key)) in keys.iter().enumerate() {
            if let Some((_, other)) =
                keys[..i].iter().find(|(_, k)| k.contains(key) || key.contains(k))
            {
                let label = &axis.label;
                return Err(format!(
                    "{label}: `{key}` and `{other}` are the same place; let it vary once"
                ));
            }
        }
        let grid = Self { base, axes };
        if grid.len() > 0 {
            grid.inputs(0)?;
        }
        Ok(grid)
    }

    /// Number of points.
    pub(crate) fn len(&self) -> usize {
        self.axes.iter().map(|a| a.values.len()).product()
    }

    /// The inputs that vary.
    pub(crate) fn axes(&self) -> &[Swept] {
        &self.axes
    }

    /// Position on each axis of the point `id`.
    pub(crate) fn position(&self, mut id: usize) -> Vec<usize> {
        let mut position = vec![0; self.axes.len()];
        for (axis, place) in self.axes.iter().zip(&mut position).rev() {
            *place = id % axis.values.len();
            id /= axis.values.len();
        }
        position
    }

    /// The values of the inputs that vary at the point `id`.
    pub(crate) fn at(&self, id: usize) -> Vec<&Json> {
        let position = self.position(id);
        self.axes.iter().zip(position).map(|(axis, i)| &axis.values[i]).collect()
    }

    /// All inputs of the point `id`.
    ///
    /// # Errors
    /// A place that cannot be in the inputs.
    pub(crate) fn inputs(&self, id: usize) -> Result<Json, String> {
        self.placed(&self.position(id))
    }

    /// All inputs at these positions on the axes.
    pub(crate) fn placed(&self, position: &[usize]) -> Result<Json, String> {
        let mut inputs = self.base.clone();
        for (axis, i) in self.axes.iter().zip(position) {
            for key in &axis.keys {
                key.put(&mut inputs, axis.values[*i].clone())
                    .map_err(|e| format!("{}: {e}", axis.label))?;
            }
        }
        Ok(inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn swept(label: &str, values: &[i32]) -> Swept {
        let keys = label.split(',').map(KeyPath::parse).collect();
        Swept { keys, label: label.into(), values: values.iter().map(|v| json!(v)).collect() }
    }

    #[test]
    fn the_last_axis_runs_fastest_and_keys_move_together() {
        let axes = vec![swept("a", &[1, 2]), swept("b.p,c", &[5, 6, 7])];
        let grid = Grid::new(json!({"d": 0}), axes).unwrap();
        assert_eq!(grid.len(), 6);
        assert_eq!(grid.position(4), [1, 1]);
        assert_eq!(grid.at(5), [&json!(2), &json!(7)]);
        let wanted = json!({"d": 0, "a": 1, "b": {"p": 6}, "c": 6});
        assert_eq!(grid.inputs(1).unwrap(), wanted);
        assert_eq!(Grid::new(json!({"d": 0}), vec![]).unwrap().len(), 1);
    }

    #[test]
    fn an_input_cannot_vary_twice_or_inside_a_number() {
        for axes in [
            vec![swept("a", &[1]), swept("a", &[2])],
            vec![swept("b", &[1]), swept("b.p", &[2])],
            vec![swept("a,a", &[1])],
        ] {
            let error = Grid::new(json!({}), axes).err();
            assert!(error.is_some_and(|e| e.contains("vary once")));
        }
        let error = Grid::new(json!({"d": 0}), vec![swept("d.x", &[1])]).err();
        assert!(error.is_some_and(|e| e.contains("d.x")));
    }
}
