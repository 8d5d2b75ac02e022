//! Operators that make a tensor out of nothing: a few bytes of model that reserve any amount of memory.

use std::collections::HashMap;

use super::names::Name;

/// Values of a tensor that are kept: no shape is longer.
pub(super) const MAX_RANK: usize = 16;
/// Elements above which a constant size is a bomb.
const MAX_ELEMENTS: u64 = 1 << 30;
/// Constants and operators that are remembered.
const MAX_REMEMBERED: usize = 200_000;

/// Small integer constants, and the operators whose output size may depend on one.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    constants: HashMap<(u32, Name), Vec<i64>>,
    watched: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    operator: String,
    scope: u32,
    inputs: Vec<Name>,
    /// The size as an attribute gives it.
    shape: Option<Vec<i64>>,
    at: u64,
}

/// A node of the standard domain, as far as sizes go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) operator: &'a str,
    pub(super) inputs: &'a [Name],
    pub(super) outputs: &'a [Name],
    /// Small integers of its attributes.
    pub(super) attributes: &'a HashMap<String, Vec<i64>>,
    pub(super) at: u64,
}

/// An operator that makes a huge tensor from a constant.
#[derive(Debug)]
pub(super) struct Bomb {
    pub(super) operator: String,
    pub(super) elements: u64,
    pub(super) at: u64,
}

impl Sizes {
    pub(super) fn constant(&mut self, scope: u32, name: Name, values: Vec<i64>) {
        if self.constants.len() < MAX_REMEMBERED {
            self.constants.insert((scope, name), values);
        }
    }

    /// Remembers a node that makes or scales a tensor, or gives a constant; false where there are too many.
    #[must_use]
    pub(super) fn watch(&mut self, scope: u32, node: &Node<'_>) -> bool {
        let attribute = |name: &str| node.attributes.get(name);
        let shape = match node.operator {
            "Constant" => {
                let value = ["value", "value_ints", "value_int"].into_iter().find_map(attribute);
                if let (Some(value), Some(output)) = (value, node.outputs.first()) {
                    self.constant(scope, *output, value.clone());
                }
                return true;
            }
            "RandomNormal" | "RandomUniform" => attribute("shape").cloned(),
            "ConstantOfShape" | "Expand" | "Tile" | "Range" => None,
            _ => return true,
        };
        if self.watched.len() >= MAX_REMEMBERED {
            return false;
        }
        let inputs = node.inputs.iter().copied().take(3).collect();
        self.watched.push(Watched { operator: node.operator.to_owned(), scope, inputs, shape, at: node.at });
        true
    }

    /// Works out the sizes that constants give.
    pub(super) fn bombs(self) -> Vec<Bomb> {
        let Self { constants, watched } = self;
        let bomb = |node: Watched| {
            let constant = |input: usize| constants.get(&(node.scope, *node.inputs.get(input)?));
            let elements = match node.operator.as_str() {
                "ConstantOfShape" => constant(0).map(|shape| product(shape)),
                "Expand" | "Tile" => constant(1).map(|shape| product(shape)),
                "Range" => match (constant(0), constant(1), constant(2)) {
                    (Some(start), Some(limit), Some(step)) => steps(start, limit, step),
                    _ => None,
                },
                _ => node.shape.as_deref().map(product),
            };
            let elements = elements.filter(|elements| *elements > MAX_ELEMENTS)?;
            Some(Bomb { operator: node.operator, elements, at: node.at })
        };
        watched.into_iter().filter_map(bomb).collect()
    }
}

fn product(shape: &[i64]) -> u64 {
    shape.iter().fold(1u64, |count, size| count.saturating_mul(size.unsigned_abs().max(1)))
}

fn steps(start: &[i64], limit: &[i64], step: &[i64]) -> Option<u64> {
    let ([start], [limit], [step]) = (start, limit, step) else { return None };
    Some(start.abs_diff(*limit) / step.unsigned_abs().max(1))
}
