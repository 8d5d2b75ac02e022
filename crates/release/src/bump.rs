//! Which part of the version a release raises (`bump: auto`, DESIGN 4.3): the interface major, weights minor,
//! documents patch.

use std::path::Path;

use tagship_domain::{Bump, FileEntry, Manifest, Signature, Version};

/// The part to raise and why, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextBump {
    /// The part.
    pub bump: Bump,
    /// Why.
    pub because: String,
}

/// Compares new bytes with the newest release. A model whose interface is unknown on one side is taken to have
/// kept it only when it is unknown on both: an interface that can no longer be read is a change that clients feel.
pub fn next_bump(
    previous: Option<&Manifest>,
    signature: Option<&Signature>,
    files: &[FileEntry],
) -> NextBump {
    let next = |bump, because: String| NextBump { bump, because };
    let Some(previous) = previous else {
        return next(Bump::Minor, "first release".to_owned());
    };
    match (&previous.signature, signature) {
        (Some(old), Some(new)) if !new.is_compatible_with(old) => {
            return next(Bump::Major, interface_change(&previous.version, old, new));
        }
        (Some(_), None) | (None, Some(_)) => {
            return next(
                Bump::Major,
                format!("the signature is known on one side of {} only", previous.version),
            );
        }
        _ => {}
    }
    if same_weights(&previous.files, files) {
        return next(Bump::Patch, format!("only documents changed since {}", previous.version));
    }
    next(Bump::Minor, format!("new weights behind the signature of {}", previous.version))
}

fn interface_change(version: &Version, old: &Signature, new: &Signature) -> String {
    let gone = old
        .inputs
        .iter()
        .chain(&old.outputs)
        .find(|spec| !new.inputs.contains(spec) && !new.outputs.contains(spec));
    let came = new.inputs.iter().find(|spec| !old.inputs.contains(spec));
    match (gone, came) {
        (Some(gone), _) => format!("the signature of {version} changed: {gone} is gone or different"),
        (None, Some(came)) => format!("the signature of {version} changed: it now needs {came}"),
        (None, None) => format!("the signature of {version} changed"),
    }
}

/// Whether all files but documents are equal, by path and digest.
fn same_weights(old: &[FileEntry], new: &[FileEntry]) -> bool {
    let weights = |files: &[FileEntry]| {
        let mut files: Vec<FileEntry> =
            files.iter().filter(|file| !is_document(&file.path)).cloned().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    };
    weights(old) == weights(new)
}

/// Files that no runtime reads.
fn is_document(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    Path::new(&name).extension().is_some_and(|end| end == "md")
        || ["license", "license.txt", "notice", "readme", "readme.txt"].contains(&name.as_str())
}
