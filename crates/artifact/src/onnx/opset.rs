//! Imported operator sets: reading them, and which versions are known.

use super::{
    operators::canonical,
    parser::Parser,
    wire::{Messages as _, Wire},
};
use crate::{rules, stream::Stop};

/// One imported operator set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opset {
    pub(super) domain: String,
    pub(super) version: u64,
}

/// Operator sets that a model or a function imports; published ones import up to a dozen.
const MAX_OPSETS: usize = 256;

/// Newest version of a standard operator set known here; `None` for other domains.
fn newest(domain: &str) -> Option<u64> {
    match domain {
        "" => Some(28),
        "ai.onnx.ml" => Some(6),
        "ai.onnx.preview.training" | "ai.onnx.training" => Some(1),
        _ => None,
    }
}

impl Parser<'_, '_> {
    /// Reads an import of this many bytes into the list of them.
    pub(super) fn import(&mut self, length: u64, opsets: &mut Vec<Opset>) -> Result<(), Stop> {
        if opsets.len() >= MAX_OPSETS {
            return Err(self.fail(&rules::ONNX_LIMIT, "more operator sets than are followed"));
        }
        let opset = self.opset(length)?;
        opsets.push(opset);
        Ok(())
    }

    fn opset(&mut self, length: u64) -> Result<Opset, Stop> {
        let mut opset = Opset { domain: String::new(), version: 0 };
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => opset.domain = canonical(parser.text(length)?),
                (2, Wire::Varint(version)) => opset.version = version,
                _ => parser.unknown("OperatorSetIdProto", number),
            }
            Ok(())
        })?;
        Ok(opset)
    }

    /// Checks that a model imports each operator set once, and none that is newer than what is known here.
    pub(super) fn check_opsets(&mut self, opsets: &[Opset]) {
        for (at, opset) in opsets.iter().enumerate() {
            let domain = &opset.domain;
            if opsets[..at].iter().any(|other| other.domain == *domain && other.version != opset.version) {
                let message = "this operator set is imported in two versions";
                self.findings.about(&rules::ONNX_OPSET, None, domain, message);
            }
            if opset.version < 1 {
                self.findings.about(&rules::ONNX_OPSET, None, domain, "this operator set has no version");
            }
            if newest(domain).is_some_and(|newest| opset.version > newest) {
                let message =
                    format!("operator set {domain:?} {} is newer than what is known here", opset.version);
                self.note(&rules::ONNX_NEWER, message);
            }
        }
    }
}
