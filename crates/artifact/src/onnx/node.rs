//! Nodes and their attributes, with the tensors and subgraphs in them.

use std::collections::HashMap;

use super::{graph::Graph, model::Parser, names::Name, wire::Wire};
use crate::{rules, stream::Stop};

/// An operator as a node names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Operator {
    pub(super) domain: String,
    pub(super) name: String,
    pub(super) overload: String,
}

/// How often each scope uses each operator, and where first.
pub(super) type Uses = HashMap<(u32, Operator), Use>;

/// One entry of [`Uses`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub(super) count: u64,
    pub(super) at: u64,
}

/// Distinct operators per model.
const MAX_OPERATORS: usize = 20_000;

/// What is read of a node.
#[derive(Debug, Default)]
struct Fields {
    inputs: Vec<Name>,
    outputs: Vec<Name>,
    /// Names that subgraphs take from around the node.
    captures: Vec<Name>,
    domain: String,
    name: String,
    overload: String,
    /// Small integers of the attributes that matter for sizes, by attribute.
    integers: HashMap<String, Vec<i64>>,
}

impl Parser<'_, '_> {
    /// Reads a node of this many bytes into its graph.
    pub(super) fn node(&mut self, length: u64, graph: &mut Graph) -> Result<(), Stop> {
        let at = self.stream.position();
        let mut fields = Fields::default();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                // An empty name is an optional input that is not given, or an output that is not wanted.
                (1, Wire::Bytes(0)) => fields.inputs.push(parser.absent()?),
                (1, Wire::Bytes(length)) => fields.inputs.push(parser.name(length)?),
                (2, Wire::Bytes(length)) if length > 0 => fields.outputs.push(parser.name(length)?),
                (4, Wire::Bytes(length)) => fields.name = parser.text(length)?,
                (5, Wire::Bytes(length)) => parser.attribute(length, &mut fields)?,
                (7, Wire::Bytes(length)) => fields.domain = super::operators::canonical(parser.text(length)?),
                (8, Wire::Bytes(length)) => fields.overload = parser.text(length)?,
                (2 | 3 | 6 | 9 | 10, Wire::Bytes(_)) => {}
                _ => parser.unknown("NodeProto", number),
            }
            Ok(())
        })?;
        let absent = self.absent()?;
        let Fields { inputs, outputs, mut captures, domain, name, overload, integers } = fields;
        if domain.is_empty() {
            self.watch_size(&name, &inputs, &outputs, &integers, at);
        }
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
        let mut name = String::new();
        let mut integers = Vec::new();
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => name = parser.text(length)?,
                (3, Wire::Varint(integer)) => integers.push(integer.cast_signed()),
                (5 | 10, Wire::Bytes(length)) => {
                    let tensor = parser.tensor(length)?;
                    integers.extend(tensor.integers.unwrap_or_default());
                }
                (6 | 11, Wire::Bytes(length)) => {
                    let graph = parser.graph(length)?;
                    node.captures.extend(parser.resolve(&graph));
                }
                (8, value) => {
                    parser.varints(value, |integer| {
                        if integers.len() < super::size::MAX_RANK {
                            integers.push(integer.cast_signed());
                        }
                    })?;
                }
                (22 | 23, Wire::Bytes(length)) => {
                    parser.sparse_tensor(length)?;
                }
                (2 | 7, Wire::Fixed(4))
                | (20, Wire::Varint(_))
                | (4 | 7 | 9 | 13 | 14 | 15 | 21, Wire::Bytes(_)) => {}
                _ => parser.unknown("AttributeProto", number),
            }
            Ok(())
        })?;
        if !integers.is_empty() && integers.len() <= super::size::MAX_RANK {
            node.integers.insert(name, integers);
        }
        Ok(())
    }
}
