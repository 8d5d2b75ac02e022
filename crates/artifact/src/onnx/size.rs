//! Operators that make a tensor out of nothing: a few bytes of model that reserve any amount of memory.

use std::collections::HashMap;

use super::{model::Parser, names::Name};
use crate::rules;

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

impl Sizes {
    pub(super) fn constant(&mut self, scope: u32, name: Name, values: Vec<i64>) {
        if self.constants.len() < MAX_REMEMBERED {
            self.constants.insert((scope, name), values);
        }
    }
}

impl Parser<'_, '_> {
    /// Remembers a node of the standard domain that makes or scales a tensor, or gives a constant.
    pub(super) fn watch_size(
        &mut self,
        operator: &str,
        inputs: &[Name],
        outputs: &[Name],
        attributes: &HashMap<String, Vec<i64>>,
        at: u64,
    ) {
        let shape = match operator {
            "Constant" => {
                let value =
                    ["value", "value_ints", "value_int"].iter().find_map(|name| attributes.get(*name));
                if let (Some(value), Some(output)) = (value, outputs.first()) {
                    self.sizes.constant(self.scope, *output, value.clone());
                }
                return;
            }
            "RandomNormal" | "RandomUniform" => attributes.get("shape").cloned(),
            "ConstantOfShape" | "Expand" | "Tile" | "Range" => None,
            _ => return,
        };
        if self.sizes.watched.len() >= MAX_REMEMBERED {
            self.note(&rules::ONNX_LIMIT, "more size-making operators than are followed");
            return;
        }
        let inputs = inputs.iter().copied().take(3).collect();
        let operator = operator.to_owned();
        self.sizes.watched.push(Watched { operator, scope: self.scope, inputs, shape, at });
    }

    /// Works out the sizes that constants give.
    pub(super) fn check_sizes(&mut self) {
        let sizes = std::mem::take(&mut self.sizes);
        for node in &sizes.watched {
            let constant = |input: usize| {
                let name = node.inputs.get(input)?;
                sizes.constants.get(&(node.scope, *name))
            };
            let elements = match node.operator.as_str() {
                "ConstantOfShape" => constant(0).map(|shape| product(shape)),
                "Expand" | "Tile" => constant(1).map(|shape| product(shape)),
                "Range" => match (constant(0), constant(1), constant(2)) {
                    (Some(start), Some(limit), Some(step)) => steps(start, limit, step),
                    _ => None,
                },
                _ => node.shape.as_deref().map(product),
            };
            if let Some(elements) = elements.filter(|elements| *elements > MAX_ELEMENTS) {
                let message = format!("this makes a tensor of {elements} elements from a constant");
                self.findings.about(&rules::SIZE_BOMB, Some(node.at), &node.operator, message);
            }
        }
    }
}

fn product(shape: &[i64]) -> u64 {
    shape.iter().fold(1u64, |count, size| count.saturating_mul(size.unsigned_abs().max(1)))
}

fn steps(start: &[i64], limit: &[i64], step: &[i64]) -> Option<u64> {
    let ([start], [limit], [step]) = (start, limit, step) else { return None };
    Some(start.abs_diff(*limit) / step.unsigned_abs().max(1))
}
