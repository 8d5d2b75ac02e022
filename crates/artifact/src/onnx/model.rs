//! The model as a whole: versions, operator sets, the main graph, functions, training graphs.

use tagship_domain::signature::Signature;

use super::{
    function::Functions,
    graph::Graph,
    names::{Name, Names},
    node::Uses,
    size::Sizes,
    wire::Wire,
};
use crate::{
    findings::Findings,
    rules::{self, Rule},
    stream::{Stop, Stream},
    tree::Tree,
};

/// Newest intermediate representation known here (onnx 1.23 writes 13).
const MAX_IR: u64 = 14;

/// What a model tells about itself.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) signature: Signature,
    /// Files of the artifact that hold tensors, by path.
    pub(crate) external: Vec<String>,
}

/// One imported operator set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opset {
    pub(super) domain: String,
    pub(super) version: u64,
}

/// What is known while a model is read.
pub(super) struct Parser<'p, 'a> {
    pub(super) stream: &'p mut Stream<'a>,
    pub(super) findings: &'p mut Findings,
    /// The artifact, where external data is looked for.
    pub(super) tree: &'p dyn Tree,
    /// Path of the model in it.
    pub(super) path: &'p str,
    pub(super) external: Vec<String>,
    pub(super) names: Names,
    pub(super) depth: usize,
    pub(super) uses: Uses,
    pub(super) sizes: Sizes,
    /// Zero for the model, n + 1 for function n: names are unique only within it.
    pub(super) scope: u32,
}

/// Whether a head reads as a model: fields of `ModelProto` with their types, a format version, and a graph or
/// operator set as far as the head goes.
pub(crate) fn recognise(head: &[u8]) -> bool {
    let mut at = 0;
    let (mut version, mut content) = (false, false);
    while at < head.len() {
        let Some(tag) = head_varint(head, &mut at) else { break };
        let Some(value) = head_varint(head, &mut at) else { break };
        match (tag >> 3, tag & 7) {
            (1, 0) => version = true,
            (5, 0) => {}
            (number @ (2 | 3 | 4 | 6 | 7 | 8 | 14 | 20 | 25 | 26), 2) => {
                let left = &head[at..];
                let length = usize::try_from(value).unwrap_or(usize::MAX);
                let seen = &left[..length.min(left.len())];
                // Other formats of protobuf have messages where ONNX has short texts.
                if matches!(number, 2..=4)
                    && seen.iter().any(|b| b.is_ascii_control() && !b.is_ascii_whitespace())
                {
                    return false;
                }
                content |= matches!(number, 7 | 8);
                if length > left.len() {
                    break;
                }
                at += length;
            }
            _ => return false,
        }
    }
    version && content
}

fn head_varint(head: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let byte = *head.get(*at)?;
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Judges a model at `path` of `tree`.
pub(crate) fn scan(
    stream: &mut Stream<'_>,
    tree: &dyn Tree,
    path: &str,
    findings: &mut Findings,
) -> Result<Model, Stop> {
    let mut parser = Parser {
        stream,
        findings,
        tree,
        path,
        external: Vec::new(),
        names: Names::default(),
        depth: 0,
        uses: Uses::default(),
        sizes: Sizes::default(),
        scope: 0,
    };
    parser.model()
}

impl Parser<'_, '_> {
    fn model(&mut self) -> Result<Model, Stop> {
        let mut version = None;
        let mut opsets = Vec::new();
        let mut main: Option<Graph> = None;
        let mut functions = Functions::default();
        let end = self.stream.size();
        self.message(end, |parser, number, value| {
            match (number, value) {
                (1, Wire::Varint(number)) => version = Some(number),
                (5, Wire::Varint(_)) | (2 | 3 | 4 | 6 | 14 | 26, Wire::Bytes(_)) => {}
                (7, Wire::Bytes(length)) => {
                    if main.is_some() {
                        return Err(parser.fail(&rules::ONNX_MODEL, "a second main graph"));
                    }
                    main = Some(parser.graph(length)?);
                }
                (8, Wire::Bytes(length)) => opsets.push(parser.opset(length)?),
                (20, Wire::Bytes(length)) => parser.training(length)?,
                (25, Wire::Bytes(length)) => parser.function(length, &mut functions)?,
                _ => parser.unknown("ModelProto", number),
            }
            Ok(())
        })?;
        self.check_versions(version, &opsets);
        let Some(main) = main else {
            return Err(self.fail(&rules::ONNX_MODEL, "there is no graph"));
        };
        for name in self.resolve(&main) {
            self.dangling(name);
        }
        if main.outputs.is_empty() {
            self.note(&rules::ONNX_MODEL, "the graph has no output");
        }
        let uses = std::mem::take(&mut self.uses);
        self.check_operators(&uses, &opsets, &functions);
        self.check_functions(&uses, &functions);
        self.check_sizes();
        let signature = self.signature(&main);
        self.external.sort();
        self.external.dedup();
        Ok(Model { signature, external: std::mem::take(&mut self.external) })
    }

    fn check_versions(&mut self, version: Option<u64>, opsets: &[Opset]) {
        match version {
            None | Some(0) => self.note(&rules::ONNX_MODEL, "there is no IR version"),
            Some(version) if version > MAX_IR => {
                let message = format!("IR version {version}; the newest known here is {MAX_IR}");
                self.note(&rules::ONNX_NEWER, message);
            }
            Some(_) => {}
        }
        for (at, opset) in opsets.iter().enumerate() {
            let domain = &opset.domain;
            if opsets[..at].iter().any(|other| other.domain == *domain && other.version != opset.version) {
                self.findings.about(
                    &rules::ONNX_OPSET,
                    None,
                    domain,
                    "this operator set is imported in two versions",
                );
            }
            if super::operators::newest(domain).is_some_and(|newest| opset.version > newest) {
                let message =
                    format!("operator set {domain:?} {} is newer than what is known here", opset.version);
                self.note(&rules::ONNX_NEWER, message);
            }
        }
    }

    pub(super) fn opset(&mut self, length: u64) -> Result<Opset, Stop> {
        let mut opset = Opset { domain: String::new(), version: 0 };
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => opset.domain = super::operators::canonical(parser.text(length)?),
                (2, Wire::Varint(version)) => opset.version = version,
                _ => parser.unknown("OperatorSetIdProto", number),
            }
            Ok(())
        })?;
        Ok(opset)
    }

    /// Training graphs may name values of the main graph; what they use is checked, not where it comes from.
    fn training(&mut self, length: u64) -> Result<(), Stop> {
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1 | 2, Wire::Bytes(length)) => {
                    let graph = parser.graph(length)?;
                    parser.resolve(&graph);
                }
                (3 | 4, Wire::Bytes(_)) => {}
                _ => parser.unknown("TrainingInfoProto", number),
            }
            Ok(())
        })
    }

    /// Notes a name that is used and not defined anywhere.
    pub(super) fn dangling(&mut self, name: Name) {
        let name = self.names.get(name).to_owned();
        self.findings.about(&rules::ONNX_DANGLING, None, name, "this value is used and never defined");
    }

    /// Adds a finding where the stream stands.
    pub(super) fn note(&mut self, rule: &'static Rule, message: impl Into<String>) {
        self.findings.at(rule, self.stream.position(), message);
    }

    /// Adds a finding after which reading cannot go on.
    pub(super) fn fail(&mut self, rule: &'static Rule, message: impl Into<String>) -> Stop {
        self.note(rule, message);
        Stop::Reported
    }

    /// A name's number, or the end of the analysis where there are too many.
    pub(super) fn name(&mut self, length: u64) -> Result<Name, Stop> {
        let name = self.text(length)?;
        match self.names.number(&name) {
            Some(number) => Ok(number),
            None => {
                Err(self.fail(&rules::ONNX_LIMIT, "more names than are followed; the rest was not judged"))
            }
        }
    }
}
