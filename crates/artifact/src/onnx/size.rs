//! Operators that make a tensor out of nothing: a few bytes of model that reserve any amount of memory.
//!
//! Constants are followed to where they are sizes, and tensors whose shape constants give to where they are combined. A constant
//! that no size could be, and that comes to a size through operators that are not followed, leaves the model incomplete.

mod fold;
mod reach;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, ops::Range};

use self::reach::Reach;
use super::names::Name;

/// Values of a tensor that are kept: no shape is longer.
pub(super) const MAX_RANK: usize = 16;
/// Elements above which a constant size is a bomb.
pub(super) const MAX_ELEMENTS: u64 = 1 << 30;
/// Elements of a stored tensor from which its shape is kept: two smaller ones cannot give a bomb.
const MIN_ELEMENTS: f64 = 32_768.0;
/// The same as `MAX_ELEMENTS`, for sizes that are computed.
const LARGEST: f64 = 1_073_741_824.0;
/// Constants and operators that are remembered.
const MAX_REMEMBERED: usize = 200_000;

/// Small constants, shapes of stored tensors, and the operators whose output size may depend on one.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    constants: HashMap<(u32, Name), Vec<f64>>,
    shapes: HashMap<(u32, Name), Vec<f64>>,
    /// The largest number of constants whose values are not read.
    fixed: HashMap<(u32, Name), f64>,
    watched: Vec<Watched>,
    /// More constants than are remembered.
    full: bool,
    /// More operators than are remembered: any of those that are not could be the one that makes too much.
    lost: bool,
}

#[derive(Debug)]
struct Watched {
    operator: String,
    scope: u32,
    inputs: Vec<Name>,
    outputs: Vec<Name>,
    parts: Parts,
    /// It is a function of the model, or an operator of another domain: what it does is not followed.
    called: bool,
    /// The size as an attribute gives it, what fills one, the type that numbers become, the order of axes, or which matrices are
    /// turned.
    shape: Option<Vec<f64>>,
    at: u64,
}

/// The graphs that a node runs.
#[derive(Debug, Default, Clone)]
pub(super) struct Parts {
    /// Operators that were remembered when they began.
    pub(super) begun: usize,
    /// What they get, in the order of the node's inputs.
    pub(super) inputs: Vec<Name>,
    pub(super) outputs: Vec<Name>,
}

/// A node, as far as sizes go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) domain: &'a str,
    pub(super) operator: &'a str,
    pub(super) inputs: &'a [Name],
    pub(super) outputs: &'a [Name],
    pub(super) parts: &'a Parts,
    /// Small numbers of its attributes.
    pub(super) attributes: &'a HashMap<String, Vec<f64>>,
    pub(super) at: u64,
}

/// An operator that makes a huge tensor from a constant, or may.
#[derive(Debug)]
pub(super) struct Bomb {
    pub(super) operator: String,
    /// Elements that it makes; `None` where they are not followed.
    pub(super) elements: Option<u64>,
    pub(super) at: u64,
}

impl Sizes {
    pub(super) fn constant(&mut self, scope: u32, name: Name, values: Vec<f64>) {
        if values == [f64::INFINITY] {
            return self.unread(scope, name);
        }
        let key = (scope, name);
        if self.constants.len() >= MAX_REMEMBERED {
            self.full = true;
            return;
        }
        // Graphs beside each other have names of their own: one that two of them have is either.
        let other =
            self.constants.get(&key).filter(|other| **other != values).map(|other| reach::peak(other));
        if let Some(most) = other.or_else(|| self.fixed.get(&key).copied()) {
            self.constants.remove(&key);
            self.fixed.insert(key, reach::peak(&values).max(most));
        } else {
            self.constants.insert(key, values);
        }
    }

    /// Remembers a constant whose values are not read: they could be anything.
    pub(super) fn unread(&mut self, scope: u32, name: Name) {
        self.constants.remove(&(scope, name));
        self.fixed.insert((scope, name), f64::INFINITY);
    }

    /// Remembers the name of an input that is not given.
    pub(super) fn absent(&mut self, scope: u32, name: Name) {
        self.fixed.insert((scope, name), 0.0);
    }

    /// Remembers the shape of a stored tensor.
    #[expect(clippy::cast_precision_loss, reason = "sizes above 2^53 are bombs all the same")]
    pub(super) fn stored(&mut self, scope: u32, name: Name, dims: &[i64]) {
        let sizes: Vec<f64> = dims.iter().map(|size| *size as f64).collect();
        if fold::product(&sizes) >= MIN_ELEMENTS && self.shapes.len() < MAX_REMEMBERED {
            self.shapes.insert((scope, name), sizes);
        }
    }

    /// Operators that are remembered so far.
    pub(super) fn remembered(&self) -> usize {
        self.watched.len()
    }

    /// Remembers a node.
    pub(super) fn watch(&mut self, scope: u32, node: &Node<'_>) {
        let attribute = |name: &str| node.attributes.get(name);
        let is_standard = node.domain.is_empty();
        if is_standard && node.operator == "Constant" {
            let value = ["value", "value_ints", "value_int", "value_floats", "value_float", "value_strings"]
                .into_iter()
                .chain(["value_string", "sparse_value"])
                .find_map(attribute);
            match (value, node.outputs.first()) {
                (Some(value), Some(output)) => self.constant(scope, *output, value.clone()),
                // One without elements.
                (None, Some(output)) => self.constant(scope, *output, Vec::new()),
                (_, None) => {}
            }
            return;
        }
        let shape = match node.operator {
            "RandomNormal" | "RandomUniform" => attribute("shape").cloned(),
            "Pad" => attribute("pads").cloned(),
            "Gemm" => {
                let turned =
                    |name: &str| attribute(name).and_then(|flag| flag.first().copied()).unwrap_or(0.0);
                Some(vec![turned("transA"), turned("transB")])
            }
            "Cast" => attribute("to").cloned(),
            "Transpose" => attribute("perm").cloned(),
            // What it is filled with.
            "ConstantOfShape" => attribute("value").cloned(),
            _ => None,
        };
        if self.watched.len() >= MAX_REMEMBERED {
            self.lost = true;
            return;
        }
        let (inputs, outputs, parts) = (node.inputs.to_vec(), node.outputs.to_vec(), node.parts.clone());
        // The runtime's own operators do what those of the same name in the standard do.
        let called = !is_standard && node.domain != "com.microsoft";
        let operator = node.operator.to_owned();
        self.watched.push(Watched { operator, scope, inputs, outputs, parts, called, shape, at: node.at });
    }

    /// Works out the sizes that constants give, in the order of the nodes; nothing where there are more than are followed.
    pub(super) fn bombs(self) -> Option<Vec<Bomb>> {
        let Self { constants, shapes, fixed, watched, full, lost } = self;
        let makes = |node: &Watched| node.called || !size_inputs(&node.operator).is_empty();
        if lost || full && watched.iter().any(makes) {
            return None;
        }
        let mut reach = Reach::new(constants, shapes, fixed);
        // A graph comes before the node that runs it, which is known before: its inputs are.
        let mut outer: Vec<&Watched> =
            watched.iter().rev().filter(|node| !node.parts.inputs.is_empty()).collect();
        outer.sort_by_key(|node| node.parts.begun);
        let mut outer = outer.into_iter().peekable();
        let mut bombs = Vec::new();
        for (at, node) in watched.iter().enumerate() {
            while let Some(outer) = outer.next_if(|outer| outer.parts.begun <= at) {
                reach.enter(outer);
            }
            bombs.extend(reach.step(node));
        }
        Some(bombs)
    }
}

/// The inputs that say how large the output of an operator is; none where no input says so.
fn size_inputs(operator: &str) -> Range<usize> {
    match operator {
        "BlackmanWindow" | "ConstantOfShape" | "HammingWindow" | "HannWindow" => 0..1,
        "Expand" | "OneHot" | "Pad" | "Tile" | "Upsample" => 1..2,
        "Range" => 0..3,
        "Resize" => 1..4,
        _ => 0..0,
    }
}
