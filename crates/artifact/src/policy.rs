//! What a team accepts as a model artifact.

use crate::format::Format;

/// Limits that the configuration sets on top of the analysis.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ValidationPolicy {
    /// Formats that may be deployed; any other is rejected. `None` leaves the decision to the analysis:
    /// ONNX and safetensors pass when sound, a pickle passes only if every global in it is on the exact
    /// allow-list, and what cannot be analysed is incomplete.
    pub formats: Option<Vec<Format>>,
    /// Largest size of all files together, in bytes.
    pub max_size: Option<u64>,
}

impl ValidationPolicy {
    /// Whether a file of this format may be deployed.
    pub fn allows(&self, format: Format) -> bool {
        self.formats.as_ref().is_none_or(|formats| formats.contains(&format))
    }
}
