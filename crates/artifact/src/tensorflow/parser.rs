//! What is known while a model is read.

use std::collections::{BTreeMap, HashSet};

use tagship_domain::signature::Signature;

use super::paths::{Node, Scope};
use crate::{
    findings::Findings,
    protobuf::{Fault, Messages},
    rules::{self, Rule},
    stream::{Stop, Stream},
};

/// Functions of one graph, and names that may be theirs, that are kept until the whole graph is known.
const MAX_NAMES: usize = 200_000;

/// What runs in one graph that is not an operator known here.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Functions that the graph brings along.
    pub(super) functions: HashSet<String>,
    /// Names that run and are no known operators, and where each stands first.
    pub(super) unknown: BTreeMap<String, u64>,
}

pub(super) struct Parser<'p, 'a> {
    pub(super) stream: &'p mut Stream<'a>,
    pub(super) findings: &'p mut Findings,
    pub(super) depth: usize,
    /// Nodes of all graphs and functions.
    pub(super) nodes: u64,
    /// What the graph that is being read calls.
    pub(super) calls: Calls,
    /// What paths may go through in the graph or function that is being read, and in the functions of the graph before.
    pub(super) scope: Scope,
    pub(super) functions: Vec<Scope>,
    pub(super) kept_nodes: usize,
    /// The node that is being read.
    pub(super) node: Node,
    /// Files that the model reads, as it names them.
    pub(super) assets: Vec<String>,
    /// Constants of the graph that stand for them.
    pub(super) asset_nodes: HashSet<String>,
    /// Nodes of the graph that requests fill.
    pub(super) fed: HashSet<String>,
    pub(super) signatures: Vec<(String, Signature)>,
}

impl Parser<'_, '_> {
    /// Adds a finding after which reading cannot go on.
    pub(super) fn fail(&mut self, rule: &'static Rule, message: impl Into<String>) -> Stop {
        self.findings.at(rule, self.stream.position(), message);
        Stop::Reported
    }

    /// Keeps the name of a function, or one that may be a function's.
    pub(super) fn keep(&mut self, add: impl FnOnce(&mut Calls)) -> Result<(), Stop> {
        if self.calls.functions.len() + self.calls.unknown.len() >= MAX_NAMES {
            return Err(self.fail(&rules::TF_LIMIT, "more functions than are followed"));
        }
        add(&mut self.calls);
        Ok(())
    }

    /// Notes the names that run and are neither operators nor functions of the graph that was read.
    pub(super) fn end_of_graph(&mut self) {
        self.judge_paths();
        self.asset_nodes.clear();
        self.fed.clear();
        let Calls { functions, unknown } = std::mem::take(&mut self.calls);
        for (name, at) in unknown.into_iter().filter(|(name, _)| !functions.contains(name)) {
            let message = "this operator is not known here; what it does was not judged";
            self.findings.about(&rules::TF_UNKNOWN, Some(at), name, message);
        }
    }

    /// Notes a field that the format does not define, or defines with another type.
    pub(super) fn unknown(&mut self, message: &str, number: u32) {
        let at = Some(self.stream.position());
        let target = format!("{message} field {number}");
        self.findings.about(
            &rules::TF_FIELD,
            at,
            target,
            "this field is not known here; what it holds was not judged",
        );
    }
}

impl<'a> Messages<'a> for Parser<'_, 'a> {
    fn stream(&mut self) -> &mut Stream<'a> {
        self.stream
    }

    fn depth(&mut self) -> &mut usize {
        &mut self.depth
    }

    fn fault(&mut self, fault: Fault, message: String) -> Stop {
        let rule = match fault {
            Fault::Nesting => &rules::TF_NESTING,
            Fault::Wire => &rules::TF_WIRE,
            Fault::TooLong => &rules::TF_LIMIT,
        };
        self.fail(rule, message)
    }
}
