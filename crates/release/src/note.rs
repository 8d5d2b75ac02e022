//! The text of a release, for people: what it is, how it was judged, how to get it.

use std::fmt::Write as _;

use tagship_domain::{ByteSize, Manifest, gate::Outcome};

use crate::card::code;

/// Markdown for the forge's release page. Foreign text (names of checks) stands in code spans only.
pub(crate) fn release_note(manifest: &Manifest) -> String {
    let mut text = format!(
        "**{}** {} · {} · {} · `{}`\n\n",
        manifest.model,
        manifest.version,
        manifest.format,
        ByteSize::bytes(manifest.size),
        manifest.digest
    );
    if !manifest.metrics.is_empty() {
        text.push_str("| metric | value |\n|---|---:|\n");
        for (name, value) in &manifest.metrics {
            let _ = writeln!(text, "| {} | {value} |", code(name));
        }
        text.push('\n');
    }
    let passed = manifest.gate.checks.iter().filter(|check| check.outcome == Outcome::Successful).count();
    let _ = writeln!(
        text,
        "Validation: {}. Gate: {} ({passed} of {} checks).\n",
        manifest.validation.verdict,
        manifest.gate.outcome,
        manifest.gate.checks.len()
    );
    let _ = writeln!(text, "```\ntagship pull {}@{}\n```", manifest.model, manifest.version);
    text
}
