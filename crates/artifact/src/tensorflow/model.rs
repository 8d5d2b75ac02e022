//! SavedModel and frozen graphs as a whole.

use std::collections::HashSet;

use tagship_domain::signature::Signature;

use super::{
    assets,
    parser::{Calls, Parser},
    paths::{Node, Scope},
};
use crate::{
    analyse::or_truncated,
    findings::Findings,
    protobuf::{Messages as _, Wire},
    rules,
    stream::{Stop, Stream},
    tree::Tree,
};

/// Bytes of a version that are kept.
const VERSION: usize = 100;
/// The signature that servers answer by.
const SERVING: &str = "serving_default";

pub(super) fn parser<'p, 'a>(stream: &'p mut Stream<'a>, findings: &'p mut Findings) -> Parser<'p, 'a> {
    Parser {
        stream,
        findings,
        depth: 0,
        nodes: 0,
        calls: Calls::default(),
        scope: Scope::default(),
        functions: Vec::new(),
        kept_nodes: 0,
        node: Node::default(),
        assets: Vec::new(),
        asset_nodes: HashSet::new(),
        fed: HashSet::new(),
        signatures: Vec::new(),
    }
}

/// Judges `saved_model.pb` at `path` of `tree`; its interface where it states one.
pub(crate) fn scan_saved_model(
    stream: &mut Stream<'_>,
    tree: &dyn Tree,
    path: &str,
    findings: &mut Findings,
) -> Result<Option<Signature>, Stop> {
    let mut parser = parser(stream, findings);
    let end = parser.stream.size();
    let mut graphs = 0u64;
    parser.message(end, |parser, number, value| {
        match (number, value) {
            (1, Wire::Varint(_)) => {}
            (2, Wire::Bytes(length)) => {
                graphs += 1;
                parser.meta_graph(length)?;
            }
            _ => parser.unknown("SavedModel", number),
        }
        Ok(())
    })?;
    if graphs == 0 || parser.nodes == 0 {
        parser.findings.whole(&rules::TF_GRAPH, "there is no graph, or it has no nodes");
    }
    let named = std::mem::take(&mut parser.assets);
    assets::check(&named, tree, path, parser.findings);
    let serving = parser.signatures.into_iter().find(|(name, _)| name == SERVING);
    Ok(serving.map(|(_, signature)| signature).filter(|signature| !signature.outputs.is_empty()))
}

/// Judges a graph that is a file by itself.
pub(crate) fn scan_frozen(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut parser = parser(stream, findings);
    let end = parser.stream.size();
    let mut versions = false;
    parser.message(end, |parser, number, value| {
        versions |= number == 4;
        parser.graph_field(number, value)
    })?;
    parser.end_of_graph();
    // TensorFlow writes the versions last: without them, nodes may be missing too.
    if !versions {
        parser
            .findings
            .whole(&rules::TF_GRAPH, "the graph does not say which version wrote it; it may be cut");
    }
    Ok(())
}

/// Judges a node that stands by itself (`NodeDef`).
pub(crate) fn scan_node(node: &[u8], findings: &mut Findings) -> Result<(), Stop> {
    let length = node.len() as u64;
    let mut stream = Stream::nested(Box::new(node), Some(length));
    let mut parser = parser(&mut stream, findings);
    let read = parser.node(length);
    parser.end_of_graph();
    or_truncated(read, findings, &rules::TF_WIRE).map(|_| ())
}

impl Parser<'_, '_> {
    /// What a graph says of its writer; the rest of it is not looked at.
    fn meta_info(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            if let (5, Wire::Bytes(length)) = (number, value) {
                let mut kept = Vec::new();
                parser.stream.take(length, VERSION, &mut kept)?;
                parser.findings.facts.state("tensorflow", &String::from_utf8_lossy(&kept));
            }
            Ok(())
        })
    }

    fn meta_graph(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (2, Wire::Bytes(length)) => parser.nested(length, Self::graph_field)?,
                (5, Wire::Bytes(length)) => parser.signature_entry(length)?,
                (6, Wire::Bytes(length)) => parser.asset(length)?,
                (7, Wire::Bytes(length)) => parser.objects(length)?,
                (1, Wire::Bytes(length)) => parser.meta_info(length)?,
                (3 | 4, Wire::Bytes(_)) => {}
                _ => parser.unknown("MetaGraphDef", number),
            }
            Ok(())
        })?;
        self.end_of_graph();
        Ok(())
    }
}
