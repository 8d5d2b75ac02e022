//! Reading graphs, nodes and attributes: they hold each other, and tensors.

use std::collections::{HashMap, HashSet};

use super::{
    graph::Graph,
    names::Name,
    operators::{Operator, Use, canonical},
    parser::Parser,
    size::{MAX_RANK, Node, Parts},
    tensor,
    wire::{Messages as _, Wire},
};
use crate::{rules, stream::Stop};

/// Distinct operators per model.
const MAX_OPERATORS: usize = 20_000;

/// Names of attributes that are kept per node; operators have a few dozen at most.
const MAX_ATTRIBUTES: usize = 1_000;

/// Bytes of an attribute that holds a few numbers.
const SMALL: u64 = 8 * MAX_RANK as u64;

/// A number with a sign, as sizes are computed.
#[expect(clippy::cast_precision_loss, reason = "sizes above 2^53 are bombs all the same")]
fn whole(number: u64) -> f64 {
    number.cast_signed() as f64
}

/// What is read of a node.
#[derive(Debug, Default)]
struct Fields {
    inputs: Vec<Name>,
    outputs: Vec<Name>,
    /// Names that subgraphs take from around the node.
    captures: Vec<Name>,
    parts: Parts,
    domain: String,
    name: String,
    overload: String,
    /// Names of the attributes.
    attributes: HashSet<String>,
    /// Small numbers of the attributes that matter for sizes, by attribute.
    numbers: HashMap<String, Vec<f64>>,
}

impl Parser<'_, '_> {
    /// Reads a graph of this many bytes.
    pub(super) fn graph(&mut self, length: u64) -> Result<Graph, Stop> {
        let mut graph = Graph::default();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => parser.node(length, &mut graph)?,
                (5, Wire::Bytes(length)) => {
                    let tensor = parser.tensor(length)?;
                    if let Some(name) = parser.keep(&tensor)? {
                        graph.initializers.push(name);
                    }
                }
                (15, Wire::Bytes(length)) => {
                    let values = parser.sparse_tensor(length)?;
                    if let Some(name) = parser.keep(&values)? {
                        graph.initializers.push(name);
                    }
                }
                (11, Wire::Bytes(length)) => {
                    let value = parser.value_info(length)?;
                    graph.inputs.push(value);
                }
                (12, Wire::Bytes(length)) => {
                    let value = parser.value_info(length)?;
                    graph.outputs.push(value);
                }
                (2 | 10 | 13 | 14 | 16, Wire::Bytes(_)) => {}
                _ => parser.unknown("GraphProto", number),
            }
            Ok(())
        })?;
        Ok(graph)
    }

    /// Reads a node of this many bytes into its graph.
    pub(super) fn node(&mut self, length: u64, graph: &mut Graph) -> Result<(), Stop> {
        let at = self.stream.position();
        let mut fields = Fields::default();
        fields.parts.begun = self.sizes.remembered();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                // An empty name is an optional input that is not given, or an output that is not wanted.
                (1, Wire::Bytes(0)) => fields.inputs.push(parser.absent()?),
                (1, Wire::Bytes(length)) => fields.inputs.push(parser.name(length)?),
                (2, Wire::Bytes(length)) if length > 0 => fields.outputs.push(parser.name(length)?),
                (4, Wire::Bytes(length)) => fields.name = parser.text(length)?,
                (5, Wire::Bytes(length)) => parser.attribute(length, &mut fields)?,
                (7, Wire::Bytes(length)) => fields.domain = canonical(parser.text(length)?),
                (8, Wire::Bytes(length)) => fields.overload = parser.text(length)?,
                (2 | 3 | 6 | 9 | 10, Wire::Bytes(_)) => {}
                _ => parser.unknown("NodeProto", number),
            }
            Ok(())
        })?;
        let absent = self.absent()?;
        let Fields { inputs, outputs, mut captures, parts, domain, name, overload, numbers, .. } = fields;
        let node = Node {
            domain: &domain,
            operator: &name,
            inputs: &inputs,
            outputs: &outputs,
            parts: &parts,
            attributes: &numbers,
            at,
        };
        self.sizes.absent(self.scope, absent);
        self.sizes.watch(self.scope, &node);
        captures.extend(inputs.into_iter().filter(|input| *input != absent));
        if graph.node(&captures, &outputs, at).is_none() {
            return Err(
                self.fail(&rules::ONNX_LIMIT, "more nodes than are followed; the rest was not judged")
            );
        }
        let full = self.uses.len() >= MAX_OPERATORS;
        let key = (self.scope, Operator { domain, name, overload });
        match self.uses.get_mut(&key) {
            Some(known) => known.count += 1,
            None if full => return Err(self.fail(&rules::ONNX_LIMIT, "more operators than are followed")),
            None => {
                self.uses.insert(key, Use { count: 1, at });
            }
        }
        Ok(())
    }

    /// The number of the empty name.
    fn absent(&mut self) -> Result<Name, Stop> {
        self.name(0)
    }

    /// Reads the default of a function's attribute, for the tensors and graphs in it.
    pub(super) fn default_attribute(&mut self, length: u64) -> Result<(), Stop> {
        self.attribute(length, &mut Fields::default())
    }

    fn attribute(&mut self, length: u64, node: &mut Fields) -> Result<(), Stop> {
        let at = self.stream.position();
        let mut name = String::new();
        let mut numbers = Vec::new();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => name = parser.text(length)?,
                (3, Wire::Varint(integer)) => numbers.push(whole(integer)),
                (7, Wire::Bytes(length @ 0..=SMALL)) => {
                    let mut floats = Vec::new();
                    parser.stream.take(length, MAX_RANK * 8, &mut floats)?;
                    numbers.extend(
                        floats.as_chunks::<4>().0.iter().map(|word| f64::from(f32::from_le_bytes(*word))),
                    );
                }
                (4 | 9, Wire::Bytes(length @ 0..=SMALL)) => {
                    let mut text = Vec::new();
                    parser.stream.take(length, MAX_RANK * 8, &mut text)?;
                    numbers.push(tensor::spelled(&text));
                }
                (5 | 10, Wire::Bytes(length)) => {
                    let tensor = parser.tensor(length)?;
                    numbers.extend(tensor.numbers.unwrap_or_else(|| vec![f64::INFINITY]));
                }
                (6 | 11, Wire::Bytes(length)) => {
                    let graph = parser.graph(length)?;
                    node.captures.extend(parser.resolve(&graph));
                    node.parts.inputs.extend(graph.inputs.iter().map(|(name, _)| *name));
                    node.parts.outputs.extend(graph.outputs.iter().map(|(name, _)| *name));
                }
                (8, value) => {
                    parser.varints(value, |integer| {
                        if numbers.len() <= MAX_RANK {
                            numbers.push(whole(integer));
                        }
                    })?;
                }
                (22 | 23, Wire::Bytes(length)) => {
                    parser.sparse_tensor(length)?;
                    numbers.push(f64::INFINITY);
                }
                // A list or a text that is too long to be read.
                (4 | 7 | 9, Wire::Bytes(_)) => numbers.push(f64::INFINITY),
                (2 | 7, Wire::Fixed(4, bits)) => {
                    if numbers.len() <= MAX_RANK {
                        numbers.push(tensor::float(bits));
                    }
                }
                (20, Wire::Varint(_)) | (13 | 14 | 15 | 21, Wire::Bytes(_)) => {}
                _ => parser.unknown("AttributeProto", number),
            }
            Ok(())
        })?;
        if name.is_empty() {
            self.note(&rules::ONNX_MODEL, "an attribute without a name");
        } else if node.attributes.len() < MAX_ATTRIBUTES && !node.attributes.insert(name.clone()) {
            let message = "a node has this attribute twice; runtimes disagree on which counts";
            self.findings.about(&rules::ONNX_TWICE, Some(at), &name, message);
        }
        if numbers.len() > MAX_RANK {
            // More than is read could be anything.
            numbers = vec![f64::INFINITY];
        }
        if !numbers.is_empty() {
            node.numbers.insert(name, numbers);
        }
        Ok(())
    }
}
