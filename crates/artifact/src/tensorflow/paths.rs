//! Where graphs read and write checkpoints. The loader says where; a graph that names a place of the machine itself reads or
//! writes there, whatever the loader says.
//!
//! Followed are constants on their way through operators that make a path of parts, and as arguments of functions.

use std::collections::{HashMap, HashSet};

use super::parser::Parser;
use crate::{rules, stream::Stop};

/// Nodes of one model that are kept.
const MAX_NODES: usize = 200_000;
/// Bytes of a constant text that are looked at.
pub(super) const LOOKED_AT: u64 = 4096;

/// Operators that read or write at a path, and the input that is one. `MergeV2Checkpoints` takes two.
const AT_A_PATH: &[(&str, &[usize])] = &[
    ("MergeV2Checkpoints", &[0, 1]),
    ("Restore", &[0]),
    ("RestoreSlice", &[0]),
    ("RestoreV2", &[0]),
    ("SaveV2", &[0]),
];

/// Operators that make a path of their inputs.
const OF_PARTS: &[&str] = &[
    "BroadcastTo",
    "ConcatV2",
    "ExpandDims",
    "Fill",
    "GatherV2",
    "Identity",
    "IdentityN",
    "Merge",
    "Pack",
    "PlaceholderWithDefault",
    "RegexReplace",
    "Reshape",
    "Select",
    "SelectV2",
    "ShardedFilename",
    "ShardedFilespec",
    "Slice",
    "Squeeze",
    "StaticRegexReplace",
    "StopGradient",
    "StridedSlice",
    "StringJoin",
    "StringStrip",
    "Substr",
    "Switch",
    "Tile",
];

/// What is kept of a node while it is read.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) inputs: Vec<String>,
    /// A constant text that leads out of the model.
    pub(super) outside: Option<String>,
    /// The function that it calls.
    pub(super) callee: Option<String>,
}

/// The nodes of a graph, or of one of its functions, that paths come from and go to.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The name of the function.
    pub(super) name: String,
    nodes: HashMap<String, Node>,
    /// Inputs that are paths, with the operator that takes them and where it stands.
    taken: Vec<(u64, String, String)>,
    calls: Vec<(u64, Node)>,
    /// A path comes from the arguments.
    open: bool,
}

/// Whether a text names a place outside of the folder that the model is in.
pub(super) fn leads_outside(text: &str) -> bool {
    let climbs = || text.split(['/', '\\']).any(|part| part == "..");
    text.starts_with(['/', '\\', '~'])
        || text.contains("://")
        || text.as_bytes().get(1) == Some(&b':')
        || climbs()
}

/// The node that an input comes from; nothing for one that only has to run before.
fn source(input: &str) -> Option<&str> {
    (!input.starts_with('^')).then(|| input.split(':').next().unwrap_or(input))
}

impl Scope {
    fn add(&mut self, operator: &str, at: u64, node: Node) {
        if let Some((_, places)) = AT_A_PATH.iter().find(|(name, _)| *name == operator) {
            let paths = places.iter().filter_map(|place| node.inputs.get(*place));
            self.taken.extend(paths.map(|path| (at, operator.to_owned(), path.clone())));
        }
        if node.callee.is_some() {
            self.calls.push((at, node));
        } else if node.outside.is_some() || OF_PARTS.contains(&operator) {
            self.nodes.insert(node.name.clone(), node);
        }
    }

    /// The constant outside of the model that a path is made of; whether an argument may be a part of it.
    fn follow(&self, path: &str) -> (Option<&str>, bool) {
        let (mut open, mut seen, mut waiting) = (false, HashSet::new(), vec![path]);
        while let Some(input) = waiting.pop() {
            let Some(name) = source(input).filter(|name| seen.insert(*name)) else { continue };
            let Some(node) = self.nodes.get(name) else {
                open = true;
                continue;
            };
            if let Some(place) = &node.outside {
                return (Some(place), open);
            }
            waiting.extend(node.inputs.iter().map(String::as_str));
        }
        (None, open)
    }
}

impl Parser<'_, '_> {
    /// Keeps a node that a path may go through.
    pub(super) fn keep_node(&mut self, operator: &str, node: Node) -> Result<(), Stop> {
        let wanted = node.outside.is_some() || node.callee.is_some() || OF_PARTS.contains(&operator);
        self.kept_nodes += usize::from(wanted);
        if self.kept_nodes > MAX_NODES {
            return Err(self.fail(&rules::TF_LIMIT, "more nodes than are followed"));
        }
        let at = self.stream.position();
        self.scope.add(operator, at, node);
        Ok(())
    }

    /// Notes the checkpoints of the graph that was read which lie outside of the model.
    pub(super) fn judge_paths(&mut self) {
        self.kept_nodes = 0;
        let mut scopes = std::mem::take(&mut self.functions);
        scopes.push(std::mem::take(&mut self.scope));
        let mut given: HashSet<String> = HashSet::new();
        loop {
            for scope in &mut scopes {
                self.judge_scope(scope, &given);
            }
            let before = given.len();
            given.extend(scopes.iter().filter(|scope| scope.open).map(|scope| scope.name.clone()));
            if given.len() == before {
                return;
            }
        }
    }

    /// `given` are the functions that take a path of those who call them.
    fn judge_scope(&mut self, scope: &mut Scope, given: &HashSet<String>) {
        let taken = |node: &Node| node.callee.as_ref().is_some_and(|callee| given.contains(callee));
        for (at, node) in scope.calls.extract_if(.., |(_, node)| taken(node)) {
            let callee = node.callee.unwrap_or_default();
            scope.taken.extend(node.inputs.into_iter().map(|input| (at, callee.clone(), input)));
        }
        for (at, operator, path) in std::mem::take(&mut scope.taken) {
            let (place, open) = scope.follow(&path);
            if let Some(place) = place {
                let message = format!("{operator} reads or writes a checkpoint at a place of the machine");
                self.findings.about(&rules::TF_CHECKPOINT_PATH, Some(at), place, message);
            }
            scope.open |= open;
        }
    }
}
