//! The model as a whole: versions, operator sets, the main graph, functions, training graphs.

use tagship_domain::signature::Signature;

use super::{
    function::Functions,
    graph::Graph,
    names::Names,
    operators::Uses,
    parser::Parser,
    provenance::Provenance,
    size::Sizes,
    wire::{Messages as _, Wire},
};
use crate::{
    findings::Findings,
    rules,
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

pub(super) fn head_varint(head: &[u8], at: &mut usize) -> Option<u64> {
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
        let mut provenance = Provenance::default();
        let end = self.stream.size();
        self.message(end, |parser, number, value| {
            match (number, value) {
                (1, Wire::Varint(number)) => version = Some(number),
                (2 | 3, Wire::Bytes(length)) => parser.producer(number, length, &mut provenance)?,
                (14, Wire::Bytes(length)) => parser.metadata(length)?,
                (5, Wire::Varint(_)) | (4 | 6 | 26, Wire::Bytes(_)) => {}
                (7, Wire::Bytes(length)) => {
                    if main.is_some() {
                        return Err(parser.fail(&rules::ONNX_MODEL, "a second main graph"));
                    }
                    main = Some(parser.graph(length)?);
                }
                (8, Wire::Bytes(length)) => parser.import(length, &mut opsets)?,
                (20, Wire::Bytes(length)) => parser.training(length)?,
                (25, Wire::Bytes(length)) => parser.function(length, &mut functions)?,
                _ => parser.unknown("ModelProto", number),
            }
            Ok(())
        })?;
        self.state(&provenance, version, &opsets);
        self.check_version(version);
        self.check_opsets(&opsets);
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

    /// Notes operators that make huge tensors out of nothing, or could.
    fn check_sizes(&mut self) {
        let Some(bombs) = std::mem::take(&mut self.sizes).bombs() else {
            self.note(&rules::ONNX_LIMIT, "more operators and constants that decide sizes than are followed");
            return;
        };
        for bomb in bombs {
            let (rule, message) = match bomb.elements {
                Some(elements) => {
                    (&rules::SIZE_BOMB, format!("this makes a tensor of {elements} elements from a constant"))
                }
                None => {
                    let message = "what it makes may be as large as a constant that comes to it in a way that is not followed";
                    (&rules::ONNX_LIMIT, message.to_owned())
                }
            };
            self.findings.about(rule, Some(bomb.at), bomb.operator, message);
        }
    }

    fn check_version(&mut self, version: Option<u64>) {
        match version {
            None | Some(0) => self.note(&rules::ONNX_MODEL, "there is no IR version"),
            Some(version) if version > MAX_IR => {
                let message = format!("IR version {version}; the newest known here is {MAX_IR}");
                self.note(&rules::ONNX_NEWER, message);
            }
            Some(_) => {}
        }
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
}
