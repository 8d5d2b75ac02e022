//! Operators that make a tensor out of nothing: a few bytes of model that reserve any amount of memory.

use std::collections::HashMap;

use super::names::Name;

/// Values of a tensor that are kept: no shape is longer.
pub(super) const MAX_RANK: usize = 16;
/// Elements above which a constant size is a bomb.
pub(super) const MAX_ELEMENTS: u64 = 1 << 30;
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
    output: Option<Name>,
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
            "Pad" => attribute("pads").cloned(),
            operator if MAKERS.contains(&operator) || is_folded(operator) => None,
            _ => return true,
        };
        if self.watched.len() >= MAX_REMEMBERED {
            // Without those that only compute sizes, fewer are known; without a maker, a bomb may be missed.
            return is_folded(node.operator);
        }
        let inputs = node.inputs.iter().copied().take(MAX_RANK).collect();
        let output = node.outputs.first().copied();
        let operator = node.operator.to_owned();
        self.watched.push(Watched { operator, scope, inputs, output, shape, at: node.at });
        true
    }

    /// Works out the sizes that constants give, in the order of the nodes.
    pub(super) fn bombs(self) -> Vec<Bomb> {
        let Self { mut constants, watched } = self;
        // Elements that joined tensors have at least.
        let mut joined: HashMap<(u32, Name), u64> = HashMap::new();
        let mut bombs = Vec::new();
        for node in watched {
            let known: Vec<Option<&[i64]>> = node
                .inputs
                .iter()
                .map(|input| constants.get(&(node.scope, *input)).map(Vec::as_slice))
                .collect();
            let least = |input: &Name| joined.get(&(node.scope, *input)).copied().unwrap_or(1);
            let elements = match node.operator.as_str() {
                "Concat" => {
                    Some(node.inputs.iter().fold(0u64, |sum, input| sum.saturating_add(least(input))))
                }
                operator => made(operator, &known, node.shape.as_deref()),
            };
            let folded = fold(&node.operator, &known);
            let key = node.output.map(|output| (node.scope, output));
            if let (Some(key), Some(folded)) = (key, folded) {
                constants.insert(key, folded);
            }
            if let (Some(key), "Concat", Some(elements)) = (key, node.operator.as_str(), elements) {
                joined.insert(key, elements);
            }
            if let Some(elements) = elements.filter(|elements| *elements > MAX_ELEMENTS) {
                bombs.push(Bomb { operator: node.operator, elements, at: node.at });
            }
        }
        bombs
    }
}

/// Operators whose output is as large as an input says.
const MAKERS: &[&str] = &[
    "BlackmanWindow",
    "ConstantOfShape",
    "Expand",
    "HammingWindow",
    "HannWindow",
    "OneHot",
    "Range",
    "Resize",
    "Tile",
    "Upsample",
];

/// Whether sizes may be computed by this operator.
fn is_folded(operator: &str) -> bool {
    matches!(
        operator,
        "Add"
            | "Cast"
            | "Concat"
            | "Flatten"
            | "Identity"
            | "Mul"
            | "Reshape"
            | "Squeeze"
            | "Sub"
            | "Unsqueeze"
    )
}

/// Elements that an operator makes at least.
fn made(operator: &str, known: &[Option<&[i64]>], shape: Option<&[i64]>) -> Option<u64> {
    let constant = |input: usize| known.get(input).copied().flatten();
    match operator {
        "ConstantOfShape" | "BlackmanWindow" | "HammingWindow" | "HannWindow" => constant(0).map(product),
        "Expand" | "Tile" | "OneHot" | "Upsample" => constant(1).map(product),
        // Scales were the second input at first, and are the third; sizes are the fourth.
        "Resize" => (1..4).filter_map(constant).map(product).max(),
        "Pad" => constant(1).or(shape).map(padded),
        "Range" => steps(constant(0)?, constant(1)?, constant(2)?),
        _ => shape.map(product),
    }
}

/// What is added before and behind each axis, multiplied.
fn padded(pads: &[i64]) -> u64 {
    let (before, behind) = pads.split_at(pads.len() / 2);
    let sums: Vec<i64> =
        before.iter().zip(behind).map(|(one, other)| one.saturating_add(*other).max(0)).collect();
    product(&sums)
}

/// The constant that an operator gives for constants.
fn fold(operator: &str, known: &[Option<&[i64]>]) -> Option<Vec<i64>> {
    let first = known.first().copied().flatten();
    match operator {
        "Cast" | "Flatten" | "Identity" | "Reshape" | "Squeeze" | "Unsqueeze" => first.map(<[i64]>::to_vec),
        "Concat" => {
            let parts: Option<Vec<&[i64]>> = known.iter().copied().collect();
            Some(parts?.concat()).filter(|all| all.len() <= MAX_RANK)
        }
        "Add" => each(first?, known.get(1).copied().flatten()?, i64::saturating_add),
        "Sub" => each(first?, known.get(1).copied().flatten()?, i64::saturating_sub),
        "Mul" => each(first?, known.get(1).copied().flatten()?, i64::saturating_mul),
        _ => None,
    }
}

/// Combines two lists of one length; a list of one number stands for as many as the other has.
fn each(left: &[i64], right: &[i64], combine: fn(i64, i64) -> i64) -> Option<Vec<i64>> {
    let length = left.len().max(right.len());
    let at = |list: &[i64], index: usize| {
        if list.len() == 1 { list.first().copied() } else { list.get(index).copied() }
    };
    (0..length).map(|index| Some(combine(at(left, index)?, at(right, index)?))).collect()
}

fn product(shape: &[i64]) -> u64 {
    shape.iter().fold(1u64, |count, size| count.saturating_mul(size.unsigned_abs().max(1)))
}

fn steps(start: &[i64], limit: &[i64], step: &[i64]) -> Option<u64> {
    let ([start], [limit], [step]) = (start, limit, step) else { return None };
    Some(start.abs_diff(*limit) / step.unsigned_abs().max(1))
}
