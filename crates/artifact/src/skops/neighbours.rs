//! Trees of neighbours of an archive, which are made of a tuple, and the metrics that they measure by.

use super::{
    models::{Flaw, Models},
    value::Value,
};
use crate::pickle::{Metric, Neighbours};

impl Models<'_> {
    /// Of which points a metric can measure the distance.
    pub(super) fn metric(&self, module: &str, class: &str, state: &Value) -> Option<Metric> {
        let Value::Tuple(state) = state else { return None };
        let [_, weights, matrix, ..] = state.as_slice() else { return None };
        Metric::new(module, class, self.array_of(weights), self.array_of(matrix))
    }

    pub(super) fn neighbours(&self, module: &str, class: &str, state: &Value) -> Result<Value, Flaw> {
        match self.tree_of_neighbours(state).and_then(|tree| tree.lead_inside(module, class)) {
            Some(true) => Ok(Value::Other),
            Some(false) => Err(Flaw::Outside(
                "a tree of neighbours that leads outside of its points; predictions would read other memory",
            )),
            None => Err(Flaw::Unknown("a tree of neighbours that is not followed")),
        }
    }

    fn tree_of_neighbours(&self, state: &Value) -> Option<Neighbours<'_>> {
        let Value::Tuple(state) = state else { return None };
        let [points, order, nodes, bounds, leaf_size, _, told, _, _, _, _, Value::Metric(metric), rest @ ..] =
            state.as_slice()
        else {
            return None;
        };
        Some(Neighbours {
            points: self.array_of(points)?,
            order: self.array_of(order)?,
            nodes: self.array_of(nodes)?,
            bounds: self.array_of(bounds)?,
            leaf_size: leaf_size.number()?,
            told: told.number()?,
            metric: *metric,
            weights: match rest {
                [] | [Value::None] => None,
                [weights, ..] => Some(self.array_of(weights)?),
            },
        })
    }
}
