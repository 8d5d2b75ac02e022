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

/// What a candidate's clients would feel that stable's do not; absent where the interface is kept, or unknown on both
/// sides.
pub fn breaking_change(stable: &Manifest, candidate: &Manifest) -> Option<String> {
    let next = next_bump(Some(stable), candidate.signature.as_ref(), &candidate.files);
    (next.bump == Bump::Major).then_some(next.because)
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

#[cfg(test)]
mod tests {
    use tagship_domain::{
        CommitId, Digest, Provenance, TensorSpec, Timestamp,
        gate::{GateReport, Outcome},
        validation::ValidationReport,
    };

    use super::*;

    fn signature(input: &[i64], outputs: &[&str]) -> Signature {
        let tensor = |name: &str, shape: &[i64]| TensorSpec {
            name: name.to_owned(),
            datatype: "FP32".to_owned(),
            shape: shape.to_vec(),
        };
        let outputs = outputs.iter().map(|name| tensor(name, &[-1])).collect();
        Signature { inputs: vec![tensor("x", input)], outputs }
    }

    fn file(path: &str, byte: u8) -> FileEntry {
        FileEntry { path: path.to_owned(), size: 1, sha256: Digest::from_bytes([byte; 32]) }
    }

    fn released(signature: Option<Signature>, files: Vec<FileEntry>) -> Manifest {
        let commit: CommitId = "c".repeat(40).parse().unwrap();
        Manifest {
            model: "churn".parse().unwrap(),
            version: "v1.4.0".parse().unwrap(),
            digest: Digest::from_bytes([0; 32]),
            format: "onnx".to_owned(),
            size: 1,
            files,
            single_file: false,
            signature,
            metrics: std::collections::BTreeMap::new(),
            evidence: std::collections::BTreeMap::new(),
            attachments: std::collections::BTreeMap::new(),
            validation: ValidationReport::of(vec![]),
            gate: GateReport {
                model: None,
                digest: None,
                stable: None,
                outcome: Outcome::Successful,
                checks: vec![],
                metrics: vec![],
            },
            commit,
            origin: None,
            by: Provenance::default(),
            created: Timestamp::from_seconds(1_900_000_000).unwrap(),
            previous: None,
        }
    }

    #[test]
    fn the_interface_raises_major_weights_minor_documents_patch() {
        let four = || Some(signature(&[-1, 4], &["y"]));
        let old = || vec![file("model.onnx", 1), file("README.md", 1)];
        let cases = [
            ("other shape", four(), Some(signature(&[-1, 5], &["y"])), old(), Bump::Major),
            ("an output is gone", Some(signature(&[-1, 4], &["y", "p"])), four(), old(), Bump::Major),
            ("no longer readable", four(), None, old(), Bump::Major),
            ("readable now", None, four(), old(), Bump::Major),
            (
                "one more output",
                four(),
                Some(signature(&[-1, 4], &["y", "p"])),
                vec![file("model.onnx", 2)],
                Bump::Minor,
            ),
            ("weights", four(), four(), vec![file("model.onnx", 2), file("README.md", 1)], Bump::Minor),
            ("a new file", four(), four(), vec![file("model.onnx", 1), file("vocab.txt", 1)], Bump::Minor),
            ("never readable", None, None, vec![file("model.onnx", 2)], Bump::Minor),
            ("documents", four(), four(), vec![file("model.onnx", 1), file("README.md", 2)], Bump::Patch),
            ("documents are gone", four(), four(), vec![file("model.onnx", 1)], Bump::Patch),
        ];
        for (what, before, after, files, bump) in cases {
            let next = next_bump(Some(&released(before, old())), after.as_ref(), &files);
            assert_eq!(next.bump, bump, "{what}: {}", next.because);
        }
        assert_eq!(next_bump(None, None, &[]).bump, Bump::Minor);
    }

    #[test]
    fn the_reason_names_the_tensor() {
        let before = released(Some(signature(&[-1, 4], &["y"])), vec![]);
        let next = next_bump(Some(&before), Some(&signature(&[-1, 5], &["y"])), &[]);
        assert_eq!(next.because, "the signature of v1.4.0 changed: x: FP32[?, 4] is gone or different");
    }
}
