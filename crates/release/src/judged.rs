//! What is to be released, once it is sure that validation and the gate let these very bytes through.

use std::collections::BTreeMap;

use tagship_domain::{Digest, FileEntry, Manifest, Version, gate::Outcome, validation::ArtifactReport};

use crate::{claim::Claim, draft::Draft, error::ReleaseError, fetch::artifact_digest};

/// A draft whose bytes passed validation and the gate.
pub(crate) struct Judged<'a> {
    pub(crate) artifact: &'a ArtifactReport,
    pub(crate) digest: Digest,
}

impl<'a> Judged<'a> {
    pub(crate) fn of(draft: &'a Draft) -> Result<Self, ReleaseError> {
        let no = |why: String| ReleaseError::NotJudged { model: draft.model.clone(), why };
        let files: Vec<FileEntry> = draft.files.iter().map(|file| file.entry.clone()).collect();
        let digest =
            artifact_digest(&files, draft.single_file).ok_or_else(|| no("there are no files".to_owned()))?;
        let [artifact] = draft.validation.artifacts.as_slice() else {
            return Err(no(format!("validation judged {} artifacts", draft.validation.artifacts.len())));
        };
        if !draft.validation.passed() {
            return Err(no(format!("validation said {}", draft.validation.verdict)));
        }
        if artifact.sha256.as_ref() != Some(&digest) {
            return Err(no(format!("validation judged other bytes than {}", digest.short())));
        }
        if draft.gate.outcome != Outcome::Successful {
            return Err(no(format!("the gate is {}", draft.gate.outcome)));
        }
        if draft.gate.digest.as_ref() != Some(&digest) {
            return Err(no(format!("the gate judged other bytes than {}", digest.short())));
        }
        Ok(Self { artifact, digest })
    }

    /// The manifest of a claimed version. Who released it and when is what the claim says where it was made at the same
    /// commit: what is made twice is made the same.
    pub(crate) fn manifest(&self, draft: &Draft, claim: &Claim, previous: Option<Version>) -> Manifest {
        let is_repeated = claim.commit == draft.commit;
        let number =
            |metric: &tagship_domain::gate::MetricDiff| Some((metric.name.clone(), metric.candidate?));
        Manifest {
            model: draft.model.clone(),
            version: claim.version.clone(),
            digest: self.digest.clone(),
            format: self.artifact.format.clone(),
            size: draft.files.iter().map(|file| file.entry.size).sum(),
            files: draft.files.iter().map(|file| file.entry.clone()).collect(),
            single_file: draft.single_file,
            signature: self.artifact.signature.clone(),
            metrics: draft.gate.metrics.iter().filter_map(number).collect(),
            evidence: draft.evidence.iter().map(|(kind, file)| (*kind, file.entry.clone())).collect(),
            attachments: BTreeMap::new(),
            validation: draft.validation.clone(),
            gate: draft.gate.clone(),
            commit: draft.commit.clone(),
            origin: draft.origin.clone(),
            by: if is_repeated { claim.by.clone() } else { draft.by.clone() },
            created: if is_repeated { claim.at } else { draft.now },
            previous,
        }
    }
}
