//! Where graphs read and write checkpoints. The loader says where; a graph that names a place of the machine itself reads or
//! writes there, whatever the loader says.
//!
//! Followed are constants on their way through operators that make a path of parts, and as arguments of functions.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::parser::Parser;
use crate::{rules, stream::Stop};

/// Nodes of one model that are kept.
const MAX_NODES: usize = 200_000;
/// Nodes that are walked over to follow the paths of one graph, and rounds over its functions.
const MAX_STEPS: usize = 2_000_000;
const MAX_ROUNDS: usize = 32;
/// Bytes of a constant text that are looked at.
pub(super) const LOOKED_AT: u64 = 4096;

/// Operators that read or write at a path, and the input that is one. `MergeV2Checkpoints` takes two.
const AT_A_PATH: &[(&str, &[usize])] = &[
    ("InitializeTableFromTextFile", &[1]),
    ("InitializeTableFromTextFileV2", &[1]),
    ("MergeV2Checkpoints", &[0, 1]),
    ("Restore", &[0]),
    ("RestoreSlice", &[0]),
    ("RestoreV2", &[0]),
    ("SaveV2", &[0]),
];

/// Operators whose path the loader gives.
const GIVEN: &[&str] = &["Placeholder", "PlaceholderV2", "_Arg"];

/// Operators of which only some inputs are parts of the path, the first of them and the one behind the last.
const SOME_INPUTS: &[(&str, usize, usize)] = &[
    ("BroadcastTo", 0, 1),
    ("ExpandDims", 0, 1),
    ("Fill", 1, 2),
    ("GatherV2", 0, 1),
    ("Reshape", 0, 1),
    ("Select", 1, 3),
    ("SelectV2", 1, 3),
    ("ShardedFilename", 0, 1),
    ("ShardedFilespec", 0, 1),
    ("Slice", 0, 1),
    ("StridedSlice", 0, 1),
    ("Substr", 0, 1),
    ("Switch", 0, 1),
    ("Tile", 0, 1),
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
    /// It is a constant text.
    pub(super) is_text: bool,
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
    /// The names of the arguments, in order.
    arguments: Vec<String>,
    /// Arguments that are paths, or parts of one.
    paths: BTreeSet<usize>,
}

/// Which arguments of functions are paths.
type Given = HashMap<String, BTreeSet<usize>>;

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
        } else if node.is_source(operator) {
            let mut node = node;
            if let Some((_, from, to)) = SOME_INPUTS.iter().find(|(name, _, _)| *name == operator) {
                node.inputs = node.inputs.drain(..).take(*to).skip(*from).collect();
            }
            self.nodes.insert(node.name.clone(), node);
        }
    }

    /// What a path is made of. Steps are counted down.
    fn follow(&self, path: &str, steps: &mut usize) -> Made {
        let (mut made, mut seen, mut waiting) = (Made::default(), HashSet::new(), vec![path]);
        while let Some(input) = waiting.pop().filter(|_| *steps > 0) {
            *steps -= 1;
            let Some(name) = source(input).filter(|name| seen.insert(*name)) else { continue };
            let Some(node) = self.nodes.get(name) else {
                match self.arguments.iter().position(|argument| argument == name) {
                    Some(argument) => made.arguments.push(argument),
                    None => made.unknown = Some(name.to_owned()),
                }
                continue;
            };
            if let Some(place) = &node.outside {
                made.outside = Some((name.to_owned(), place.clone()));
                return made;
            }
            waiting.extend(node.inputs.iter().map(String::as_str));
        }
        made
    }
}

/// What a path is made of.
#[derive(Debug, Default)]
struct Made {
    /// A constant outside of the model: its node, and the place.
    outside: Option<(String, String)>,
    /// Arguments that are parts of it.
    arguments: Vec<usize>,
    /// A node that is not followed.
    unknown: Option<String>,
}

impl Node {
    /// Whether a path may come from it, or through it.
    fn is_source(&self, operator: &str) -> bool {
        self.is_text || self.outside.is_some() || OF_PARTS.contains(&operator) || GIVEN.contains(&operator)
    }
}

impl Parser<'_, '_> {
    /// Keeps a node that a path may go through.
    pub(super) fn keep_node(&mut self, operator: &str, node: Node) -> Result<(), Stop> {
        let wanted = node.callee.is_some() || node.is_source(operator);
        self.kept_nodes += usize::from(wanted);
        if self.kept_nodes > MAX_NODES {
            return Err(self.fail(&rules::TF_LIMIT, "more nodes than are followed"));
        }
        let at = self.stream.position();
        self.scope.add(operator, at, node);
        Ok(())
    }

    /// Keeps the name of the next argument of the function that is read.
    pub(super) fn keep_argument(&mut self, name: String) -> Result<(), Stop> {
        self.kept_nodes += 1;
        if self.kept_nodes > MAX_NODES {
            return Err(self.fail(&rules::TF_LIMIT, "more arguments than are followed"));
        }
        self.scope.arguments.push(name);
        Ok(())
    }

    /// Notes the checkpoints of the graph that was read which lie outside of the model.
    pub(super) fn judge_paths(&mut self) {
        self.kept_nodes = 0;
        let mut scopes = std::mem::take(&mut self.functions);
        scopes.push(std::mem::take(&mut self.scope));
        let mut given = Given::new();
        let mut steps = MAX_STEPS;
        for _ in 0..MAX_ROUNDS {
            for scope in &mut scopes {
                self.judge_scope(scope, &given, &mut steps);
            }
            if steps == 0 {
                break;
            }
            let found: Given = scopes.iter().map(|scope| (scope.name.clone(), scope.paths.clone())).collect();
            if found == given {
                return;
            }
            given = found;
        }
        self.findings.at(
            &rules::TF_LIMIT,
            self.stream.position(),
            "the paths of checkpoints go through more nodes than are followed",
        );
    }

    /// `given` are the paths that functions take of those who call them.
    fn judge_scope(&mut self, scope: &mut Scope, given: &Given, steps: &mut usize) {
        for (at, node) in &scope.calls {
            let Some((callee, places)) = node.callee.as_ref().and_then(|callee| given.get_key_value(callee))
            else {
                continue;
            };
            let paths = places.iter().filter_map(|place| node.inputs.get(*place));
            scope.taken.extend(paths.map(|path| (*at, callee.clone(), path.clone())));
        }
        for (at, operator, path) in std::mem::take(&mut scope.taken) {
            let made = scope.follow(&path, steps);
            match made.outside {
                // The loader replaces the place of an asset by where it lies beside the model.
                Some((node, _)) if scope.name.is_empty() && self.asset_nodes.contains(&node) => {}
                Some((_, place)) => {
                    let message = format!("{operator} reads or writes at a place of the machine");
                    self.findings.about(&rules::TF_CHECKPOINT_PATH, Some(at), place, message);
                }
                None => {
                    if let Some(node) = made.unknown {
                        let message = format!(
                            "{operator} reads or writes at a place that comes from here, and is not followed"
                        );
                        self.findings.about(&rules::TF_LIMIT, Some(at), node, message);
                    }
                }
            }
            scope.paths.extend(made.arguments);
        }
    }
}
