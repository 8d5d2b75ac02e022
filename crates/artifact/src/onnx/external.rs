//! Tensor data in other files: they must lie in the artifact, be reached through no link, and be long enough
//! (onnx, `docs/ExternalData.md`; the classes of CVE-2022-25882 and its successors).

use super::{
    parser::Parser,
    wire::{Messages as _, Wire},
};
use crate::{error::ArtifactError, rules, stream::Stop, tree};

/// Files that one model may name.
const MAX_FILES: usize = 100_000;

/// The key-value pairs of `external_data`.
#[derive(Debug, Default)]
pub(super) struct External {
    location: Option<String>,
    offset: Option<String>,
    length: Option<String>,
    entries: usize,
}

impl External {
    pub(super) fn is_empty(&self) -> bool {
        self.entries == 0
    }
}

impl Parser<'_, '_> {
    /// Reads one pair of this many bytes.
    pub(super) fn external_entry(&mut self, length: u64, external: &mut External) -> Result<(), Stop> {
        let (mut key, mut text) = (String::new(), String::new());
        self.nested(length, |parser, number, value| {
            match (number, value) {
                (1, Wire::Bytes(length)) => key = parser.text(length)?,
                (2, Wire::Bytes(length)) => text = parser.text(length)?,
                _ => parser.unknown("StringStringEntryProto", number),
            }
            Ok(())
        })?;
        external.entries += 1;
        let slot = match key.as_str() {
            "location" => &mut external.location,
            "offset" => &mut external.offset,
            "length" => &mut external.length,
            _ => return Ok(()),
        };
        if slot.replace(text).is_some() {
            return Err(self.fail(&rules::EXTERNAL_PATH, format!("external data with two values for {key}")));
        }
        Ok(())
    }

    /// Checks where a tensor says that its data is; `bytes` is what shape and type need.
    pub(super) fn check_external(&mut self, external: &External, tensor: &str, bytes: Option<u64>) {
        let at = Some(self.stream.position());
        let location = external.location.as_deref().unwrap_or("");
        let path = match tree::beside(self.path, location) {
            Ok(path) => path,
            Err(refusal) => {
                let message = format!("tensor {tensor:?} keeps its data where it may not: {refusal}");
                self.findings.about(&rules::EXTERNAL_PATH, at, location, message);
                return;
            }
        };
        match self.tree.facts(&path) {
            Ok(facts) => {
                if facts.hard_links > 1 {
                    let message = "this data file has other names on the disk; copy it";
                    self.findings.about(&rules::EXTERNAL_SHARED, at, location, message);
                }
                if !is_inside(external, bytes, facts.size) {
                    let size = facts.size;
                    let message = format!("tensor {tensor:?} does not fit the {size} bytes of this file");
                    self.findings.about(&rules::ONNX_EXTERNAL, at, location, message);
                }
            }
            Err(ArtifactError::Link { .. }) => {
                self.findings.about(
                    &rules::EXTERNAL_LINK,
                    at,
                    location,
                    "this data file is a link, or lies behind one",
                );
            }
            Err(error) => self.findings.about(&rules::ONNX_EXTERNAL, at, location, error.to_string()),
        }
        if self.external.last() != Some(&path) && self.external.len() < MAX_FILES {
            self.external.push(path);
        }
    }
}

/// Whether offset and length lie in the file and are what the tensor needs.
fn is_inside(external: &External, bytes: Option<u64>, size: u64) -> bool {
    let number =
        |text: &Option<String>| text.as_deref().map_or(Ok(None), |text| text.trim().parse().map(Some));
    let (Ok(offset), Ok(length)) = (number(&external.offset), number(&external.length)) else { return false };
    let offset: u64 = offset.unwrap_or(0);
    let available = size.checked_sub(offset);
    let taken: Option<u64> = length.or(bytes);
    match (available, taken) {
        (Some(available), Some(taken)) => taken <= available && bytes.is_none_or(|bytes| bytes == taken),
        _ => false,
    }
}
