//! How far constants reach: what is known of each value of a graph, node by node.

use std::collections::HashMap;

use super::{Bomb, LARGEST, Watched, fold, size_inputs};
use crate::onnx::names::Name;

/// Whether a number says anything: the largest ones of 32 and 64 bits mean that there is no limit.
#[expect(clippy::float_cmp, reason = "whole numbers that are kept exactly")]
fn is_limit(most: f64) -> bool {
    most < 9.2e18 && most != 2_147_483_647.0 && most != 2_147_483_648.0
}

/// Operators that give their inputs element by element, or a number of each.
const ELEMENT_WISE: &[&str] = &[
    "Abs",
    "Add",
    "And",
    "Cast",
    "Ceil",
    "Clip",
    "Cos",
    "Div",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "Greater",
    "GreaterOrEqual",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "Log",
    "Max",
    "Mean",
    "Min",
    "Mod",
    "Mul",
    "Neg",
    "Not",
    "Or",
    "PRelu",
    "Pow",
    "Reciprocal",
    "Relu",
    "Round",
    "Selu",
    "Sigmoid",
    "Sign",
    "Sin",
    "Softmax",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Sub",
    "Sum",
    "Tanh",
    "Where",
    "Xor",
];

/// Operators of whose first input some comes out, and nothing else: the other inputs say where.
const PICKS: &[&str] = &[
    "Expand",
    "Flatten",
    "Gather",
    "GatherElements",
    "GatherND",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Tile",
    "TopK",
    "Transpose",
    "Unsqueeze",
];
/// Operators that give what is not computed of the numbers: places, sizes, and what a comparison says.
const PLACES: &[&str] =
    &["And", "ArgMax", "ArgMin", "Equal", "Greater", "Less", "NonZero", "Not", "Or", "Shape", "Size"];

/// What is known so far.
pub(super) struct Reach {
    constants: HashMap<Key, Vec<f64>>,
    shapes: HashMap<Key, Vec<f64>>,
    /// Elements that a tensor has at least.
    least: HashMap<Key, f64>,
    /// The largest number that a constant may have brought in, where the value is not known.
    most: HashMap<Key, f64>,
    /// The largest number that a value may have that constants alone decide, and that is not worked out.
    fixed: HashMap<Key, f64>,
}

type Key = (u32, Name);

impl Reach {
    pub(super) fn new(
        constants: HashMap<Key, Vec<f64>>,
        shapes: HashMap<Key, Vec<f64>>,
        fixed: HashMap<Key, f64>,
    ) -> Self {
        let least = shapes.iter().map(|(key, shape)| (*key, fold::product(shape))).collect();
        let most =
            fixed.iter().filter(|(_, most)| most.is_finite()).map(|(key, most)| (*key, *most)).collect();
        Self { constants, shapes, least, most, fixed }
    }

    /// Before the graph that a node runs: what its inputs bring. What one round hands to the next is not followed.
    pub(super) fn enter(&mut self, node: &Watched) {
        for (input, name) in node.parts.inputs.iter().enumerate() {
            let most = self.limited(node, input);
            self.bring((node.scope, *name), most);
        }
    }

    /// Notes what constants bring to a value. Graphs beside each other may have one of the same name.
    fn bring(&mut self, key: Key, most: f64) {
        if most > 1.0 {
            let known = self.most.entry(key).or_default();
            *known = known.max(most);
        }
    }

    /// Takes the next node; what it makes, where that is too much or cannot be told.
    pub(super) fn step(&mut self, node: &Watched) -> Option<Bomb> {
        let known: Vec<Option<&[f64]>> = (0..node.inputs.len())
            .map(|input| self.constants.get(&key(node, input)?).map(Vec::as_slice))
            .collect();
        let operator = node.operator.as_str();
        let followed = |known| Some(known).filter(|_| !node.called);
        let made = followed(&known).and_then(|known| fold::made(operator, known, node.shape.as_deref()));
        let folded = followed(&known).and_then(|known| fold::fold(operator, known));
        let folded =
            if operator == "Cast" { folded.map(|values| fold::cast(&values, target(node))) } else { folded };
        let shape = self.shape(node, &known);
        let elements = self.elements(node, &known, made, shape.as_deref());
        let most = self.brought(node);
        let unclear = (made.is_none() || operator == "Resize") && self.largest_size(node) > LARGEST;
        let fixed = self.decided(node);
        let Some(output) = node.outputs.first().map(|output| (node.scope, *output)) else {
            return bomb(node, elements, unclear);
        };
        let of = || key(node, 0).and_then(|of| self.shapes.get(&of));
        let told = match operator {
            _ if node.called => None,
            "Shape" => of().cloned(),
            "Size" => of().map(|shape| vec![fold::product(shape)]),
            _ => folded,
        };
        self.note(output, told, most, fixed);
        for other in node.outputs.iter().skip(1) {
            self.note((node.scope, *other), None, most, fixed);
        }
        if elements > 1.0 {
            self.least.insert(output, elements);
        }
        if let Some(shape) = shape {
            let before = self.shapes.get(&output).map_or(0.0, |before| fold::product(before));
            if fold::product(&shape) >= before {
                self.shapes.insert(output, shape);
            }
        }
        bomb(node, elements, unclear)
    }

    /// Notes what a node gives: the constant itself, or the largest number that constants bring into it. A graph beside this one
    /// may give something else the same name: it is then as large as the larger of both, and no constant.
    fn note(&mut self, output: Key, told: Option<Vec<f64>>, most: f64, fixed: Option<f64>) {
        let before = self.constants.get(&output);
        let is_other =
            self.fixed.contains_key(&output) || before.is_some_and(|before| told.as_ref() != Some(before));
        match told {
            Some(told) if !is_other => {
                self.constants.insert(output, told);
            }
            told => {
                let known = before.into_iter().chain(&told).map(|values| peak(values)).reduce(f64::max);
                self.constants.remove(&output);
                self.bring(output, known.map_or(most, |known| known.max(most)));
                if let Some(most) = known.into_iter().chain(fixed).reduce(f64::max) {
                    let there = self.fixed.entry(output).or_insert(most);
                    *there = there.max(most);
                }
            }
        }
    }

    /// The shape of what a node gives, where constants alone decide it.
    fn shape(&self, node: &Watched, known: &[Option<&[f64]>]) -> Option<Vec<f64>> {
        let of = |input: usize| self.shapes.get(&key(node, input)?);
        match node.operator.as_str() {
            _ if node.called => None,
            "ConstantOfShape" => known.first().copied().flatten().map(<[f64]>::to_vec),
            "MatMul" => fold::multiplied(of(0)?, of(1)?),
            "Gemm" => {
                let turned = |input: usize| {
                    node.shape.as_ref().is_some_and(|flags| flags.get(input).is_some_and(|flag| *flag != 0.0))
                };
                fold::multiplied(&fold::turned(of(0)?, turned(0)), &fold::turned(of(1)?, turned(1)))
            }
            "Expand" => fold::broadcast(of(0)?, known.get(1).copied().flatten()?),
            "Reshape" => fold::reshaped(of(0)?, known.get(1).copied().flatten()?),
            "Transpose" => fold::permuted(of(0)?, node.shape.as_deref()),
            // With axes, it is not all of them.
            "Pad" if node.inputs.len() < 4 => {
                fold::enlarged(of(0)?, known.get(1).copied().flatten().or(node.shape.as_deref())?)
            }
            operator if ELEMENT_WISE.contains(&operator) => {
                let mut shapes = (0..node.inputs.len()).map(of);
                let first = shapes.next()??.clone();
                shapes.try_fold(first, |shape, next| fold::broadcast(&shape, next?))
            }
            _ => None,
        }
    }

    /// Elements that a node gives at least.
    fn elements(
        &self,
        node: &Watched,
        known: &[Option<&[f64]>],
        made: Option<f64>,
        shape: Option<&[f64]>,
    ) -> f64 {
        let least =
            |input: usize| key(node, input).and_then(|of| self.least.get(&of).copied()).unwrap_or(1.0);
        let all = || (0..node.inputs.len()).map(least);
        let scales = known.get(if known.len() > 2 { 2 } else { 1 }).copied().flatten();
        let told = match (node.operator.as_str(), made) {
            ("Concat", _) => all().sum(),
            ("Flatten" | "Reshape" | "Squeeze" | "Transpose" | "Unsqueeze", _) => least(0),
            // Scales multiply what is there; so does a resize by them, which also may give the sizes themselves.
            ("OneHot" | "Tile" | "Upsample", Some(times)) => times * least(0),
            ("Resize", Some(made)) => {
                scales.map_or(1.0, |scales| scales.iter().product::<f64>() * least(0)).max(made)
            }
            ("Expand" | "Pad", Some(made)) => made.max(least(0)),
            (operator, None) if ELEMENT_WISE.contains(&operator) => all().fold(1.0, f64::max),
            (_, made) => made.unwrap_or(1.0),
        };
        shape.map_or(told, |shape| told.max(fold::product(shape)))
    }

    /// The largest number that constants bring to where a node takes a size. What it fills with may be as large as it likes:
    /// masks of attention are.
    fn largest_size(&self, node: &Watched) -> f64 {
        if node.called {
            return (0..node.inputs.len()).map(|input| self.limited(node, input)).fold(0.0, f64::max);
        }
        let mut sizes = size_inputs(&node.operator);
        if node.operator == "Resize" && node.inputs.len() > 2 {
            // The region comes before the scales since version 11.
            sizes.start = 2;
        }
        let unknown = |input: &usize| {
            node.operator != "Resize" || key(node, *input).is_some_and(|of| !self.constants.contains_key(&of))
        };
        let largest = |input| self.largest(node, input).max(self.fixed(node, input).unwrap_or(0.0));
        sizes.filter(unknown).map(largest).fold(0.0, f64::max)
    }

    /// The largest number of an input that constants alone decide.
    fn fixed(&self, node: &Watched, input: usize) -> Option<f64> {
        let of = key(node, input)?;
        self.constants.get(&of).map(|values| peak(values)).or_else(|| self.fixed.get(&of).copied())
    }

    /// The largest number of what a node gives, where constants alone decide it.
    fn decided(&self, node: &Watched) -> Option<f64> {
        let given = |name: &Name| self.fixed.get(&(node.scope, *name)).is_some_and(|most| most.is_infinite());
        if !node.parts.outputs.is_empty() {
            return node.parts.outputs.iter().any(given).then_some(f64::INFINITY);
        }
        let inputs: Vec<f64> =
            (0..node.inputs.len()).map(|input| self.fixed(node, input)).collect::<Option<_>>()?;
        let of = |input: usize| inputs.get(input).copied().unwrap_or(0.0);
        Some(match node.operator.as_str() {
            _ if node.called => f64::INFINITY,
            "ConstantOfShape" => node.shape.as_deref().map_or(0.0, peak),
            operator if PLACES.contains(&operator) => 1.0,
            operator if PICKS.contains(&operator) => of(0),
            // One below zero becomes a large one.
            "Cast" if matches!(target(node), Some(12 | 13)) => f64::INFINITY,
            "Cast" if matches!(target(node), Some(2 | 4)) => of(0).max(65_535.0),
            "Abs" | "Cast" | "Concat" | "Identity" | "Max" | "Min" | "Neg" | "Pad" | "ReduceMax"
            | "ReduceMin" | "Relu" | "Where" => inputs.iter().copied().fold(0.0, f64::max),
            "Ceil" | "Floor" | "Round" => of(0) + 1.0,
            "Add" | "Sub" | "Sum" => inputs.iter().sum(),
            "Div" if self.divisor(node) >= 1.0 => of(0),
            "Mod" => of(0).max(of(1)),
            "Sqrt" => of(0).max(1.0),
            "Mul" => inputs.iter().map(|most| most.max(1.0)).product(),
            // Anything else could make a large number of small ones.
            _ => f64::INFINITY,
        })
    }

    /// The number nearest to zero that a node divides by; zero where it is not known.
    fn divisor(&self, node: &Watched) -> f64 {
        let known = key(node, 1).and_then(|of| self.constants.get(&of));
        known.map_or(0.0, |values| values.iter().fold(f64::INFINITY, |least, value| least.min(value.abs())))
    }

    /// The largest number that constants bring to an input.
    fn largest(&self, node: &Watched, input: usize) -> f64 {
        key(node, input).map_or(0.0, |of| self.largest_of(of))
    }

    fn largest_of(&self, of: Key) -> f64 {
        let constant = self.constants.get(&of).map_or(0.0, |values| peak(values));
        constant.max(self.most.get(&of).copied().unwrap_or(0.0))
    }

    /// The same; nothing where it is one that means that there is no limit.
    fn limited(&self, node: &Watched, input: usize) -> f64 {
        within(self.largest(node, input))
    }

    /// The largest number that constants bring into what a node gives. Numbers of the model's own inputs are not among them:
    /// whoever sends a request decides those.
    fn brought(&self, node: &Watched) -> f64 {
        let of = |input: usize| self.largest(node, input);
        let limited = |input: usize| self.limited(node, input);
        let all = || (0..node.inputs.len()).map(of);
        match node.operator.as_str() {
            _ if node.called || !node.parts.outputs.is_empty() => {
                let given =
                    node.parts.outputs.iter().map(|name| within(self.largest_of((node.scope, *name))));
                (0..node.inputs.len()).map(limited).chain(given).fold(0.0, f64::max)
            }
            "Mul" => all().map(|most| most.max(1.0)).product(),
            "Pow" => of(0).max(1.0).powf(of(1).max(1.0)),
            "Add" | "Sub" | "Sum" | "CumSum" | "ReduceSum" => all().sum(),
            "ReduceProd" => of(0).max(1.0).powi(4),
            "ConstantOfShape" => node.shape.as_deref().map_or(0.0, peak),
            operator if PICKS.contains(&operator) => of(0),
            operator if PLACES.contains(&operator) => 0.0,
            "Where" => of(1).max(of(2)),
            "Min" | "Clip" => limited(0).max(limited(1)),
            _ => all().fold(0.0, f64::max),
        }
    }
}

/// The type that a cast gives, by its number in ONNX.
#[expect(clippy::cast_possible_truncation, reason = "types have small numbers")]
fn target(node: &Watched) -> Option<i64> {
    node.shape.as_deref().and_then(|to| to.first()).map(|to| *to as i64)
}

/// A number; nothing where it is one that means that there is no limit.
fn within(most: f64) -> f64 {
    if is_limit(most) { most } else { 0.0 }
}

/// The largest of some numbers, whatever their signs.
pub(super) fn peak(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

/// What a node makes, where that is too much or cannot be told.
fn bomb(node: &Watched, elements: f64, unclear: bool) -> Option<Bomb> {
    let bomb = |elements| Some(Bomb { operator: node.operator.clone(), elements, at: node.at });
    match elements {
        elements if elements > LARGEST => bomb(Some(saturated(elements))),
        _ if unclear => bomb(None),
        _ => None,
    }
}

fn key(node: &Watched, input: usize) -> Option<Key> {
    node.inputs.get(input).map(|name| (node.scope, *name))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn saturated(elements: f64) -> u64 {
    elements as u64
}
