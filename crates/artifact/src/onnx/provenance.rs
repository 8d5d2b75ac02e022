//! What a model states about itself: who wrote it with what, and its metadata. None of it is judged, and nothing of it
//! can make a model unreadable.

use super::{model::head_varint, opset::Opset, parser::Parser};
use crate::stream::Stop;

/// Bytes of a text that are kept, and of an entry of the metadata that is looked at.
const TEXT: usize = 256;
const ENTRY: usize = 1024;

/// What is stated in more than one field.
#[derive(Debug, Default)]
pub(super) struct Provenance {
    producer: [String; 2],
}

impl Parser<'_, '_> {
    /// The producer's name (field 2) or its version (field 3), of this many bytes.
    pub(super) fn producer(
        &mut self,
        field: u32,
        length: u64,
        provenance: &mut Provenance,
    ) -> Result<(), Stop> {
        let mut kept = Vec::new();
        self.stream.take(length, TEXT, &mut kept)?;
        provenance.producer[usize::from(field == 3)] = String::from_utf8_lossy(&kept).into_owned();
        Ok(())
    }

    /// An entry of the metadata.
    pub(super) fn metadata(&mut self, length: u64) -> Result<(), Stop> {
        let mut kept = Vec::new();
        self.stream.take(length, ENTRY, &mut kept)?;
        if let Some((b"license" | b"licence", value)) = entry(&kept) {
            self.findings.facts.licence(&String::from_utf8_lossy(value));
        }
        Ok(())
    }

    /// States what was read of the whole model.
    pub(super) fn state(&mut self, provenance: &Provenance, version: Option<u64>, opsets: &[Opset]) {
        let facts = &mut self.findings.facts;
        facts.state("producer", &provenance.producer.join(" "));
        if let Some(version) = version {
            facts.state("IR version", &version.to_string());
        }
        for opset in opsets {
            let domain = if opset.domain.is_empty() { "ai.onnx" } else { &opset.domain };
            facts.state(&format!("opset {domain}"), &opset.version.to_string());
        }
    }
}

/// Key and value of a `StringStringEntryProto`, in the order in which they are written.
fn entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    let mut text = |field: u64| {
        let tag = head_varint(bytes, &mut at)?;
        let length = usize::try_from(head_varint(bytes, &mut at)?).ok()?;
        let text = bytes.get(at..at.checked_add(length)?)?;
        at += length;
        (tag == field << 3 | 2).then_some(text)
    };
    Some((text(1)?, text(2)?))
}
