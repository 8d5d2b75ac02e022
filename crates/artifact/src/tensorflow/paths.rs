//! Where graphs read and write checkpoints. The loader says where; a graph that names a place of the machine itself reads or
//! writes there, whatever the loader says.
//!
//! Followed are constants on their way through operators that choose among texts, put them one behind the other, or hand them to
//! a function. A path that comes from anything else, or could come from anywhere, is not followed, and that is no pass.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{known, parser::Parser, place::Place};
use crate::{rules, stream::Stop};

/// Nodes of one model that are kept.
const MAX_NODES: usize = 200_000;
/// Nodes that are walked over to follow the paths of one graph, and rounds over its functions.
const MAX_STEPS: usize = 2_000_000;
const MAX_ROUNDS: usize = 32;
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
    ("Switch", 0, 1),
    ("Tile", 0, 1),
];

/// Operators that hand on one of their inputs, or put them one behind the other.
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
    "Reshape",
    "Select",
    "SelectV2",
    "ShardedFilename",
    "ShardedFilespec",
    "Slice",
    "Squeeze",
    "StopGradient",
    "StridedSlice",
    "StringJoin",
    "Switch",
    "Tile",
];

/// The one of them that puts them one behind the other.
const JOIN: &str = "StringJoin";

/// Operators that call a function with their inputs, from this one on. Others hand over what they like.
const CALLS: &[(&str, usize)] = &[
    ("Case", 1),
    ("If", 1),
    ("PartitionedCall", 0),
    ("StatefulPartitionedCall", 0),
    ("StatelessCase", 1),
    ("StatelessIf", 1),
    ("_If", 1),
];

/// What is kept of a node while it is read.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) inputs: Vec<String>,
    /// What it is as a place, where it is a constant text.
    pub(super) text: Place,
    /// It makes something of its inputs that is not followed.
    pub(super) alters: bool,
    /// The functions that it may call.
    pub(super) callees: Vec<String>,
    /// How it does.
    role: Role,
}

/// What a node is for paths.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It hands on what it is given, or is a constant.
    #[default]
    Passes,
    /// It puts its inputs one behind the other.
    Joins,
    /// The loader gives it.
    Given,
    /// It calls functions with its inputs from this one on, or with nobody knows which.
    Calls(Option<usize>),
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

/// Whether an operator reads or writes at a path that one of its inputs is.
pub(crate) fn takes_a_path(operator: &str) -> bool {
    AT_A_PATH.iter().any(|(name, _)| *name == operator)
}

/// Which arguments of functions are paths.
type Given = HashMap<String, BTreeSet<usize>>;

/// The node that an input comes from; nothing for one that only has to run before.
fn source(input: &str) -> Option<&str> {
    (!input.starts_with('^')).then(|| input.split(':').next().unwrap_or(input))
}

impl Scope {
    fn add(&mut self, operator: &str, at: u64, mut node: Node) {
        if let Some((_, places)) = AT_A_PATH.iter().find(|(name, _)| *name == operator) {
            let paths = places.iter().filter_map(|place| node.inputs.get(*place));
            self.taken.extend(paths.map(|path| (at, operator.to_owned(), path.clone())));
        }
        if !node.callees.is_empty() {
            let known = CALLS.iter().find(|(name, _)| *name == operator).map(|(_, first)| *first);
            // A function is called by its own name too.
            let by_name = (node.callees == [operator]).then_some(0);
            node.role = Role::Calls(known.or(by_name));
            self.calls.push((at, node));
        } else if node.is_source(operator) {
            if let Some((_, from, to)) = SOME_INPUTS.iter().find(|(name, _, _)| *name == operator) {
                node.inputs = node.inputs.drain(..).take(*to).skip(*from).collect();
            }
            if operator == JOIN {
                node.role = Role::Joins;
            } else if GIVEN.contains(&operator) {
                node.role = Role::Given;
            }
            self.nodes.insert(node.name.clone(), node);
        }
    }

    /// What a path is made of. Steps are counted down.
    fn follow(&self, path: &str, around: &Around<'_>, steps: &mut usize) -> Made {
        let (mut made, mut seen, mut waiting) = (Made::default(), HashSet::new(), vec![(path, false)]);
        while let Some((input, is_part)) = waiting.pop().filter(|_| *steps > 0) {
            *steps -= 1;
            let Some(name) = source(input).filter(|name| seen.insert((*name, is_part))) else { continue };
            let Some(node) = self.nodes.get(name) else {
                match self.arguments.iter().position(|argument| argument == name) {
                    Some(argument) => made.arguments.push(argument),
                    None => made.unknown = Some(name.to_owned()),
                }
                continue;
            };
            // The loader replaces the place of an asset by where it lies beside the model.
            if self.name.is_empty() && around.assets.contains(name) {
                continue;
            }
            match &node.text {
                Place::Outside(place) => {
                    made.outside = Some(place.clone());
                    return made;
                }
                Place::Unclear => made.unknown = Some(name.to_owned()),
                Place::Part if is_part => made.unknown = Some(name.to_owned()),
                _ => {}
            }
            if node.role == Role::Given && self.name.is_empty() && around.fed.contains(name) {
                made.unknown = Some(name.to_owned());
            }
            let is_part = is_part || node.role == Role::Joins;
            waiting.extend(node.inputs.iter().map(|input| (input.as_str(), is_part)));
        }
        made
    }
}

/// Nodes of the graph that stand for something outside of it.
struct Around<'a> {
    /// For files of the model.
    assets: &'a HashSet<String>,
    /// For what requests say.
    fed: &'a HashSet<String>,
}

/// What a path is made of.
#[derive(Debug, Default)]
struct Made {
    /// A place outside of the model.
    outside: Option<String>,
    /// Arguments that are parts of it.
    arguments: Vec<usize>,
    /// A node that is not followed.
    unknown: Option<String>,
}

impl Node {
    /// Whether a path may come from it, or through it.
    fn is_source(&self, operator: &str) -> bool {
        !self.alters
            && (self.text != Place::None || OF_PARTS.contains(&operator) || GIVEN.contains(&operator))
    }
}

impl Parser<'_, '_> {
    /// Keeps a node that a path may go through.
    pub(super) fn keep_node(&mut self, operator: &str, mut node: Node) -> Result<(), Stop> {
        if !known::computes(operator) {
            node.callees.push(operator.to_owned());
        }
        let wanted = !node.callees.is_empty() || node.is_source(operator);
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
        let calls = std::mem::take(&mut scope.calls);
        for (at, node) in &calls {
            for callee in &node.callees {
                if let Some(places) = given.get(callee).filter(|places| !places.is_empty()) {
                    self.hand_over(scope, *at, node, callee, places);
                }
            }
        }
        scope.calls = calls;
        for (at, operator, path) in std::mem::take(&mut scope.taken) {
            let around = Around { assets: &self.asset_nodes, fed: &self.fed };
            let made = scope.follow(&path, &around, steps);
            if let Some(place) = made.outside {
                let message = format!("{operator} reads or writes at a place of the machine");
                self.findings.about(&rules::TF_CHECKPOINT_PATH, Some(at), place, message);
            } else if let Some(node) = made.unknown {
                let message = format!(
                    "{operator} reads or writes at a place that comes from here, and is not followed"
                );
                self.findings.about(&rules::TF_LIMIT, Some(at), node, message);
            }
            scope.paths.extend(made.arguments);
        }
    }

    /// Takes those inputs of a call for paths that its function does.
    fn hand_over(&mut self, scope: &mut Scope, at: u64, node: &Node, callee: &str, places: &BTreeSet<usize>) {
        if let Role::Calls(Some(first)) = node.role {
            let paths = places.iter().filter_map(|place| node.inputs.get(first + place));
            scope.taken.extend(paths.map(|path| (at, callee.to_owned(), path.clone())));
            return;
        }
        // Any of them may become the path, and so may what the function gave the time before.
        scope.taken.extend(node.inputs.iter().map(|path| (at, callee.to_owned(), path.clone())));
        let message =
            "it hands the place at which its function reads or writes on in a way that is not followed";
        self.findings.about(&rules::TF_LIMIT, Some(at), &node.name, message);
    }
}
