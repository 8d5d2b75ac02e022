//! Graphs: what they define, what they use, and whether every value is defined once and before it is used.

use std::collections::{HashMap, HashSet};

use tagship_domain::signature::{Signature, TensorSpec};

use super::{names::Name, parser::Parser};
use crate::rules;

/// Nodes and edges of one graph.
const MAX_EDGES: usize = 4_000_000;

/// One node: a part of the graph's edges.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// Where its inputs begin; with names that its subgraphs take from here.
    inputs: u32,
    outputs: u32,
    end: u32,
    /// Offset in the file.
    at: u64,
}

/// A graph or function body without its tensors.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Name>,
    pub(super) inputs: Vec<(Name, Option<TensorSpec>)>,
    pub(super) outputs: Vec<(Name, Option<TensorSpec>)>,
    pub(super) initializers: Vec<Name>,
}

/// Where a value is defined.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// As an input or initializer.
    Before,
    /// By this node.
    Node(usize),
}

impl Graph {
    /// Adds a node; `None` where there are too many.
    pub(super) fn node(&mut self, inputs: &[Name], outputs: &[Name], at: u64) -> Option<()> {
        let begin = self.edges.len();
        if begin + inputs.len() + outputs.len() > MAX_EDGES || self.nodes.len() > MAX_EDGES {
            return None;
        }
        self.edges.extend_from_slice(inputs);
        self.edges.extend_from_slice(outputs);
        let number = |n: usize| u32::try_from(n).ok();
        self.nodes.push(Node {
            inputs: number(begin)?,
            outputs: number(begin + inputs.len())?,
            end: number(self.edges.len())?,
            at,
        });
        Some(())
    }

    fn inputs_of(&self, node: Node) -> &[Name] {
        &self.edges[node.inputs as usize..node.outputs as usize]
    }

    fn outputs_of(&self, node: Node) -> &[Name] {
        &self.edges[node.outputs as usize..node.end as usize]
    }
}

impl Parser<'_, '_> {
    /// Checks that every value is defined once and before its use. Returns the names that must come from outside.
    pub(super) fn resolve(&mut self, graph: &Graph) -> Vec<Name> {
        let mut places: HashMap<Name, Place> = HashMap::new();
        let mut seen = HashSet::new();
        for (name, _) in &graph.inputs {
            if !seen.insert(*name) {
                self.twice(*name, "this input is declared twice");
            }
        }
        seen.clear();
        for name in &graph.initializers {
            if !seen.insert(*name) {
                self.twice(*name, "this initializer is there twice");
            }
        }
        places.extend(graph.inputs.iter().map(|(name, _)| (*name, Place::Before)));
        places.extend(graph.initializers.iter().map(|name| (*name, Place::Before)));
        for (at, node) in graph.nodes.iter().enumerate() {
            for name in graph.outputs_of(*node) {
                if places.insert(*name, Place::Node(at)).is_some() {
                    self.twice(*name, "this value is defined twice");
                }
            }
        }
        let mut outside = Vec::new();
        let mut missing = HashSet::new();
        for (at, node) in graph.nodes.iter().enumerate() {
            for name in graph.inputs_of(*node) {
                match places.get(name) {
                    Some(Place::Node(definer)) if *definer >= at => {
                        let target = self.names.get(*name).to_owned();
                        let message =
                            "this value is used before it is defined: the graph has a cycle or is not sorted";
                        self.findings.about(&rules::ONNX_ORDER, Some(node.at), target, message);
                    }
                    None if missing.insert(*name) => outside.push(*name),
                    Some(_) | None => {}
                }
            }
        }
        for (name, _) in &graph.outputs {
            if !places.contains_key(name) && missing.insert(*name) {
                outside.push(*name);
            }
        }
        outside
    }

    fn twice(&mut self, name: Name, message: &str) {
        let name = self.names.get(name).to_owned();
        self.findings.about(&rules::ONNX_TWICE, None, name, message);
    }

    /// The interface: inputs that must be given (those with a stored value need not), and outputs.
    pub(super) fn signature(&mut self, graph: &Graph) -> Signature {
        let stored: HashSet<Name> = graph.initializers.iter().copied().collect();
        let mut typed = |values: &[(Name, Option<TensorSpec>)]| -> Vec<TensorSpec> {
            let mut specs = Vec::new();
            for (name, spec) in values {
                match spec {
                    Some(spec) => specs.push(spec.clone()),
                    None => {
                        let name = self.names.get(*name).to_owned();
                        self.findings.about(
                            &rules::ONNX_TYPE,
                            None,
                            &name,
                            "this input or output has no type",
                        );
                    }
                }
            }
            specs
        };
        let given: Vec<_> = graph.inputs.iter().filter(|(name, _)| !stored.contains(name)).cloned().collect();
        Signature { inputs: typed(&given), outputs: typed(&graph.outputs) }
    }
}
